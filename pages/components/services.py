"""The services every page, session and route of this process shares."""

from __future__ import annotations

import threading
from pathlib import Path

import streamlit as st
from streamlit import config, runtime

from core.errors import AppError, SettingsError
from core.services import Services, build
from core.serving.routes import routes
from core.settings import Settings, load
from pages.components.wording import say

STATIC_DIR = Path(__file__).parents[2] / "static"
"""The folder Streamlit serves as /app/static/: the one beside streamlit_app.py."""
_routes_are_served = threading.Event()


def app_routes() -> list:
    """Return the HTTP routes, under the configured base path, and note that this process serves the media by them."""
    _routes_are_served.set()
    # Static serving stands in where a host knows no routes. Here it would only warn of a folder that is not there.
    config.set_option("server.enableStaticServing", False)
    return routes(shared_services, config.get_option("server.baseUrlPath"))


@st.cache_resource(show_spinner=False)
def shared_services() -> Services:
    """Open the library once a process and start its workers. Raises AppError."""
    settings = _fit_host(load(secrets=_secrets()))
    # The server refuses a larger body on its own; the two caps must not disagree.
    config.set_option("server.maxUploadSize", settings.max_upload_mb)
    services = build(settings)
    services.start()
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
        st.title(say("broken.title"))
        with st.container(border=True, key="cannot-open"):
            st.text(str(error))
        st.caption(say("broken.hint"))
        st.stop()


def page_url(url: str) -> str:
    """Return an address of media as HTML of ours must name it: Streamlit mends only what it draws itself.

    One of this app stands under the base path that is set, or else beside the page, wherever a host shows that.
    """
    if not url.startswith("/"):
        return url
    base = config.get_option("server.baseUrlPath").strip("/")
    return f"/{base}{url}" if base else url.removeprefix("/")


def _fit_host(settings: Settings) -> Settings:
    """Return the settings as they must be on this host. Raises SettingsError where videos could not play.

    A host that treats streamlit_app.py as a plain script serves no routes of ours, so that Streamlit's static serving
    has to hand out the media. S3 hands out its own.
    """
    if _routes_are_served.is_set() or settings.aws_bucket or not runtime.exists():
        return settings
    if not config.get_option("server.enableStaticServing"):
        raise SettingsError(say("broken.static", folder=STATIC_DIR))
    return settings.for_static_host(STATIC_DIR / "media")


def _secrets() -> dict[str, object]:
    """Return Streamlit's secrets, or nothing where there is no secrets file (the usual case)."""
    return st.secrets.to_dict() if st.secrets.load_if_toml_exists() else {}
