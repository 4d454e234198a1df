"""What a person uploaded, wherever its bytes are: on disk where our middleware took it in, else with Streamlit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import BinaryIO

from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.ingest.arrivals import LONGEST_MARK
from core.services import Services


@contextmanager
def uploaded(services: Services, file: UploadedFile) -> Iterator[BinaryIO]:
    """Give the bytes of an upload, once; afterwards nothing of it is left that nobody took. Raises StoreError."""
    try:
        arrived = services.arrivals.take(file.getvalue()) if file.size <= LONGEST_MARK else None
        if arrived is None:
            yield file
        else:
            with closing(arrived):
                yield arrived
    finally:
        _forget(file)


def session_id() -> str:
    """Return the name of this session in the addresses of its uploads; "" outside of one."""
    context = get_script_run_ctx()
    return "" if context is None else context.session_id


def _forget(file: UploadedFile) -> None:
    """Drop Streamlit's copy of an upload, which it would otherwise hold in memory as long as the session lives."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
    file.close()
