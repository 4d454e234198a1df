"""The services every page, session and route of this process shares."""

from __future__ import annotations

import contextlib
import logging
from functools import lru_cache, partial
from pathlib import Path

import streamlit as st
from streamlit import config, runtime

from core.access.roles import Action
from core.errors import AppError, SettingsError
from core.models import Hit
from core.services import Services, build
from core.serving.metrics import Metrics
from core.serving.probes import probe_routes
from core.serving.routes import guarding, routes
from core.serving.scripts import Scripts, from_memory
from core.serving.shell import dressing, picture_routes
from core.serving.signin import sign_in_routes
from core.serving.uploads import uploads_to_disk
from core.settings import Settings
from pages.components import early
from pages.components.doors import (
    STYLE,
    app_settings,
    base_path,
    configure_logs,
    house,
    is_open_to_others,
    page_url,
    routes_are_served,
    shared_access,
    shared_traffic,
)
from pages.components.preview import PICTURES, preview
from pages.components.signin import sign_in_page
from pages.components.who import let_in
from pages.components.wording import say, say_in, tell

logger = logging.getLogger(__name__)

STATIC_DIR = Path(__file__).parents[2] / "static"
"""The folder Streamlit serves as /app/static/: the one beside streamlit_app.py."""


def app_routes() -> list:
    """Return the HTTP routes, under the configured base path, and note that this process serves the media by them."""
    routes_are_served.set()
    # Static serving stands in where a host knows no routes. Here it would only warn of a folder that is not there.
    config.set_option("server.enableStaticServing", False)
    path = base_path()
    return [
        *sign_in_routes(shared_access, sign_in_page, path),
        *picture_routes(PICTURES, path),
        *probe_routes(shared_services, app_metrics(), path),
        *routes(shared_services, path),
    ]


def app_middleware() -> list:
    """Return what stands before all routes, ours and Streamlit's."""
    with contextlib.suppress(AppError):  # a mistake in the settings is said by every page
        configure_logs(app_settings())
    # At the end, for what Streamlit's own styles say stands in the head and grows: of two equals the later one counts.
    foot = f"<style>{STYLE.read_text('utf-8')}</style>"
    scripts = Scripts(early.STATIC)
    scripts.warm(early.first())
    # Who may not upload, or uploads too much, gets no further than the first of them.
    return [
        *guarding(shared_access, house, shared_traffic, app_metrics()),
        uploads_to_disk(lambda: shared_services().arrivals),
        from_memory(scripts, house),
        *dressing(partial(preview, shared_services), house, links=early.links(), foot=foot),
    ]


@lru_cache(maxsize=1)
def app_metrics() -> Metrics:
    """Return what this process measures of itself."""
    return Metrics(shared_services)


@st.cache_resource(show_spinner=False)
def shared_services() -> Services:
    """Open the library once a process and start its workers. Raises AppError."""
    settings = _fit_host(app_settings())
    # The server refuses a larger body on its own; the two caps must not disagree.
    config.set_option("server.maxUploadSize", settings.max_upload_mb)
    if is_open_to_others():
        logger.warning(say_in("en", "open"))
    services = build(settings, workers=None if settings.work_in_app else 0)
    if runtime.exists():
        services.arrivals.is_open = runtime.get_instance().is_active_session
    services.start()
    return services


def close_services() -> None:
    """Stop the workers and release the library, if it was opened; the next use opens it again."""
    try:
        services = shared_services()
    except AppError:
        return
    finally:
        shared_access.clear()
        shared_traffic.clear()
    shared_services.clear()
    services.close()


def page_services(title: str, needs: Action = Action.MANAGE) -> Services:
    """Return the shared services to who may do what this page is for.

    The page ends here for others, with the way in or why they may not; and for all, with the sentence that says why,
    where there are no services.
    """
    try:
        let_in(needs, title)
        return shared_services()
    except AppError as error:
        st.title(say("broken.title"))
        with st.container(border=True, key="cannot-open"):
            st.text(tell(error.sentence))
        st.caption(say("broken.hint"))
        st.stop()


def still_url(hit: Hit) -> str | None:
    """Return where a picture of a hit's moment can be had; None where its poster is as good, or all that there is."""
    whole = hit.start_s < 1.0 and hit.end_s > hit.duration_s - 1.0
    if not hit.moments or whole or not routes_are_served.is_set():
        return None
    return page_url(f"/api/videos/{hit.video_id}/still?at={hit.start_s:.3f}")


def file_url(video_id: str, start_s: float | None = None, end_s: float | None = None) -> str | None:
    """Return where a video's stored file can be had, or a moment of it; None where a host serves no routes of ours."""
    if not routes_are_served.is_set():
        return None
    span = "" if start_s is None else f"?start={start_s:g}&end={end_s:g}"
    return page_url(f"/api/videos/{video_id}/file{span}")


def _fit_host(settings: Settings) -> Settings:
    """Return the settings as they must be on this host. Raises SettingsError where videos could not play.

    A host that treats streamlit_app.py as a plain script serves no routes of ours, so that Streamlit's static serving
    has to hand out the media. S3 hands out its own.
    """
    if routes_are_served.is_set() or not runtime.exists():
        return settings
    if settings.access.mode != "open":
        raise SettingsError(say("broken.unguarded", mode=settings.access.mode))
    if settings.aws_bucket:
        return settings
    if not config.get_option("server.enableStaticServing"):
        raise SettingsError(say("broken.static", folder=STATIC_DIR))
    return settings.for_static_host(STATIC_DIR / "media")
