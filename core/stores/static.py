"""The folder store on a host that serves files of one folder only: Streamlit's static serving, without our routes."""

from __future__ import annotations

import uuid
from pathlib import Path

from core.errors import StoreError
from core.models import Progress
from core.stores.base import KEY
from core.stores.folder import FolderStore


class StaticFolderStore(FolderStore):
    """Keep each key in a folder of our own, and lend what is shown to the folder the host serves.

    What is lent is a second name (a hard link) of the same bytes: the host follows no symlink that leads out of its
    folder, and a copy would take the disk twice. Our own folder stays the library; the served one can be thrown away.
    """

    def __init__(self, root: Path, served: Path, max_bytes: int) -> None:
        """Make the served folder ready. Raises StoreError when it cannot be used."""
        super().__init__(root)
        self._served = served
        self._max_bytes = max_bytes
        self._prepare()

    def put(self, source: Path, key: str, on_progress: Progress) -> None:
        # A source that is gone gets the folder store's sentence.
        if source.is_file() and source.stat().st_size > self._max_bytes:
            raise StoreError(
                "Its playable copy is larger than the {megabytes} MB this host can show. Add a shorter video, or "
                "keep the videos in S3: set AWS_BUCKET_NAME.",
                megabytes=self._max_bytes // 2**20,
            )
        super().put(source, key, on_progress)
        self._withdraw(key)  # its bytes may have been replaced

    def url(self, key: str) -> str:
        url = super().url(key)
        self._lend(key)
        return url

    def delete(self, key: str) -> None:
        super().delete(key)
        self._withdraw(key)

    def _lend(self, key: str) -> None:
        try:
            (self._served / key).hardlink_to(self.local_path(key))
        except (FileExistsError, FileNotFoundError):
            pass  # lent already; or not in the library, and the address answers 404
        except OSError as error:
            raise self._unservable(error) from error

    def _withdraw(self, key: str) -> None:
        try:
            (self._served / key).unlink(missing_ok=True)
        except OSError as error:
            raise self._unservable(error) from error

    def _prepare(self) -> None:
        """Withdraw what the library no longer has, and find out now whether files can be lent."""
        probe = f"probe-{uuid.uuid4().hex}"
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self._served.mkdir(parents=True, exist_ok=True)
            for lent in self._served.iterdir():
                if KEY.fullmatch(lent.name) and not self.exists(lent.name):
                    lent.unlink(missing_ok=True)
            try:
                (self.root / probe).touch()
                (self._served / probe).hardlink_to(self.root / probe)
            finally:
                (self._served / probe).unlink(missing_ok=True)
                (self.root / probe).unlink(missing_ok=True)
        except OSError as error:
            raise self._unservable(error) from error

    def _unservable(self, error: OSError) -> StoreError:
        return StoreError(
            "Videos cannot be shown from {folder}: {why}. DATA_DIR must be on the same disk as the app, and "
            "writable. Or keep the videos in S3: set AWS_BUCKET_NAME.",
            folder=self._served,
            why=error.strerror or error,
        )
