"""The services every page, session and route of this process shares."""

from __future__ import annotations

import streamlit as st
from streamlit import config

from core.errors import AppError
from core.services import Services, build
from core.settings import load


@st.cache_resource(show_spinner=False)
def shared_services() -> Services:
    """Open the library once a process and start its workers. Raises AppError."""
    settings = load(secrets=_secrets())
    # The server refuses a larger body on its own; the two caps must not disagree.
    config.set_option("server.maxUploadSize", settings.max_upload_mb)
    services = build(settings)
    services.jobs.start()
    return services


def close_services() -> None:
    """Stop the workers and release the library, if it was opened; the next use opens it again."""
    try:
        services = shared_services()
    except AppError:
        return
    shared_services.clear()
    services.close()


def page_services() -> Services:
    """Return the shared services, or end the page with the sentence that says why there are none."""
    try:
        return shared_services()
    except AppError as error:
        st.title("The library cannot be opened")
        with st.container(border=True, key="cannot-open"):
            st.text(str(error))
        st.caption("Nothing is lost. When it is mended, reload this page.")
        st.stop()


def _secrets() -> dict[str, object]:
    """Return Streamlit's secrets, or nothing where there is no secrets file (the usual case)."""
    return st.secrets.to_dict() if st.secrets.load_if_toml_exists() else {}
