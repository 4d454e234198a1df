"""The first row of Discover as it is seen before the page has drawn itself: it comes with the page, as plain HTML.

Streamlit's page draws nothing until its scripts are there, a connection stands and the server has run: a second or more
on a slow machine. Who opens Discover gets the posters of the first row with the page itself, where they are going to
be; style.css shows them until the row has come, and the script of the posters removes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from core.access.roles import Action, may
from core.discover.shelves import LENGTH, strengths, yours
from core.models import Hit
from core.services import Services
from core.serving.shell import Opened
from pages.components.doors import page_url
from pages.components.early import SEEN_FIRST
from pages.components.state import ME, PAGE_SIZE
from pages.components.wording import clock

NO_QUESTION = {"lang"}
"""What a link may say without asking for anything: Discover begins with its rows."""


def first_row(services: Services, opened: Opened) -> tuple[Hit, ...]:
    """Return what stands on the first row for who opens a page, as home.py draws it; nothing where it has no rows.

    Raises AppError.
    """
    if opened.path != "/" or opened.query.keys() - NO_QUESTION or not may(opened.who, Action.WATCH):
        return ()
    newest = services.discover.browse(LENGTH)
    # What is worked out here is kept, and the page is going to ask for it.
    if newest.total <= PAGE_SIZE or not strengths(services.discover):
        return ()
    profile = (opened.who.person if opened.who else None) or ME
    hits = yours(services.discover, profile) or newest.hits
    return tuple(hit for hit in hits[: SEEN_FIRST + 1] if hit.poster_url)


def first_look(hits: Sequence[Hit], *, below_channels: bool) -> str:
    """Return the row as HTML; channels stand above it where there are some."""
    reels = "".join(
        f'<div class="reel"><img class="reel-poster" alt="" src="{escape(page_url(hit.poster_url or ""))}">'
        f'<div class="reel-facts"><span>{clock(hit.duration_s)}</span></div></div>'
        for hit in hits
    )
    place = "first-look first-look-below-channels" if below_channels else "first-look"
    return f'<div class="{place}" aria-hidden="true"><div>{reels}</div></div>' if reels else ""
