"""Moodreel: the router, and the ASGI app that serves pages and HTTP routes on one port. Nothing else lives here."""

import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from core.access.roles import Action
from core.errors import AppError
from core.serving.promptness import send_at_once
from pages.components.chrome import page_bar
from pages.components.services import app_middleware, app_routes, close_services, shared_services
from pages.components.state import state
from pages.components.who import shown_to
from pages.components.wording import say


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Open the library and resume its jobs with the server; stop them cleanly with it."""
    send_at_once()
    try:
        shared_services()
    except AppError as error:
        # The pages say the same sentence and try again at each visit: the server stays up to be read.
        logging.getLogger(__name__).error("%s", error)
    gc.freeze()  # Streamlit collects garbage after each run of a page: what is loaded now need not be looked at
    yield
    close_services()


if __name__ == "__main__":
    state.speak()
    pages = [
        st.Page("pages/discover.py", title=say("discover.title"), icon=":material/explore:", default=True),
        st.Page(
            "pages/library.py",
            title=say("library.title"),
            icon=":material/video_library:",
            visibility=shown_to(Action.MANAGE),
        ),
        st.Page(
            "pages/ingest.py",
            title=say("ingest.title"),
            icon=":material/upload:",
            visibility=shown_to(Action.ADD),
        ),
    ]
    page = st.navigation(pages, position="top")
    page_bar(pages)
    page.run()
else:
    # Until a session has run the router, Streamlit would take the files of pages/ for its pages and draw its own menu.
    PagesManager.uses_pages_directory = False
    app = st.App(__file__, routes=app_routes(), middleware=app_middleware(), lifespan=lifespan)
