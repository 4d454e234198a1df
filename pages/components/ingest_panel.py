"""Putting files on the way into the library, from any page."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core import samples
from core.errors import AppError
from core.services import Services


def upload_box(services: Services) -> None:
    """Take dropped files, hand them to the queue at once, and let go of their bytes."""
    turn = st.session_state.setdefault("upload-turn", 0)
    files = st.file_uploader(
        f"Drop videos here: any format, up to {services.settings.max_upload_mb} MB each",
        accept_multiple_files=True,
        max_upload_size=services.settings.max_upload_mb,
        key=f"upload-{turn}",
        help="What a browser cannot play is converted; nothing leaves this machine unless you set it up to.",
    )
    if files:
        _receive(services, files)
        # A new key is an empty uploader: the files are in the queue now and show up below.
        st.session_state["upload-turn"] = turn + 1
        st.rerun()
    for sentence in st.session_state.pop("upload-problems", ()):
        st.error(sentence)


def add_samples_button(services: Services, then_go_to: str | None = None) -> None:
    """Draw the button that renders and adds the sample library."""
    label = "Add the sample library"
    hint = f"{len(samples.SCENES)} short scenes, drawn and scored on this machine in about a minute."
    if st.button(label, icon=":material/auto_awesome:", type="primary", help=hint, key="add-samples"):
        for scene in samples.SCENES:
            services.jobs.submit(f"sample:{scene.name}", f"{scene.name}.mp4")
        if then_go_to:
            st.switch_page(then_go_to)
        st.rerun()


def _receive(services: Services, files: Sequence[UploadedFile]) -> None:
    problems = []
    for file in files:
        try:
            services.jobs.receive(file, file.name)
        except AppError as error:
            problems.append(f"{file.name!r}: {error}")
        finally:
            _forget(file)
    st.session_state["upload-problems"] = problems


def _forget(file: UploadedFile) -> None:
    """Drop Streamlit's copy of an upload, which it would otherwise hold in memory as long as the session lives."""
    context = get_script_run_ctx()
    if context is not None:
        context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
    file.close()
