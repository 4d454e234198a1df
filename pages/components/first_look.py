"""The first row of Discover as it is seen before the page has drawn itself: it comes with the page, as plain HTML.

Streamlit's page draws nothing until its scripts are there, a connection stands and the server has run: a second or more
on a slow machine. Who opens Discover gets the posters of the first row with the page itself, where they are going to
be; style.css shows them until the row has come, and the script of the posters removes them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
SHOWN_WHOLE = 3
"""Pictures of a row that a wide screen shows whole."""


def first_look(services: Callable[[], Services], opened: Opened) -> tuple[str, list[str]]:
    """Return the row as HTML, and the addresses of the pictures to be fetched first; nothing where there is no row.

    `services` is called where there may be one. Raises AppError.
    """
    if opened.path != "/" or opened.query.keys() - NO_QUESTION or not may(opened.who, Action.WATCH):
        return "", []
    row = _row(services(), (opened.who.person if opened.who else None) or ME)
    shown = [(page_url(hit.poster_url), clock(hit.duration_s)) for hit in row if hit.poster_url]
    if not shown:
        return "", []
    reels = "".join(
        f'<div class="reel"><img class="reel-poster" alt="" src="{escape(address)}">'
        f'<div class="reel-facts"><span>{length}</span></div></div>'
        for address, length in shown
    )
    below = " first-look-below-channels" if services().channels.channels() else ""
    html = f'<div class="first-look{below}" aria-hidden="true"><div>{reels}</div></div>'
    return html, [address for address, _ in shown[:SHOWN_WHOLE]]


def _row(services: Services, profile: str) -> Sequence[Hit]:
    """Return what stands on the first row, as home.py draws it; nothing where the library is shown whole."""
    newest = services.discover.browse(LENGTH)
    # What is worked out here is kept, and the page is going to ask for it.
    if newest.total <= PAGE_SIZE or not strengths(services.discover):
        return ()
    return (yours(services.discover, profile) or newest.hits)[: SEEN_FIRST + 1]
