"""What a browser is told to fetch before it finds out by itself: the parts of Streamlit that our pages are drawn with.

Streamlit fetches each when the first of its kind is to be drawn, and those it needs after that: one wait after the
other, in which nothing shows.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path, PurePath

from streamlit import file_util

from pages.components.state import state

PARTS = ("Html", "Button", "ButtonGroup", "TextInput", "PageLink", "Video", "Checkbox", "Progress")
STATIC = Path(file_util.get_static_dir()) / "static"
"""Streamlit's folder of what browsers ask for as /static/."""
_NAMED = re.compile(r"static/((?:js|css)/[\w.\-]+\.(?:js|css))")
PARTS_S, FIRST_S = 0.1, 0.3
"""Seconds in which the parts of the head are loaded and shown, and in which the first posters are; what they gain is
told by bench/press.py."""
SEEN_FIRST = 4
"""Cards that a row of a wide screen shows."""
_IMPORTED = re.compile(r"""(?:from|import)\s*["'`]\./([\w.\-]+\.js)["'`]""")


def links() -> str:
    """Return the links as HTML, for the head of a page."""
    return "\n".join(f'<link rel="modulepreload" crossorigin href="./static/js/{file}">' for file in _found_late())


def let_parts_come() -> None:
    """Rest once a session, before most of a page is drawn.

    Streamlit's page has each kind of part behind a `React.lazy`, and React 18 shows nothing that waited for one until
    half a second after it last showed that something waits. In this rest the few parts of the page's head come and are
    shown; what follows is made of the same and waits for nothing.
    """
    _rest_once("parts", PARTS_S)


def let_first_be_seen(drawn: int) -> None:
    """Rest once a session when so many cards are drawn that a screen has no room for more beside them.

    A browser shows what has come when it has done with all that has come: without a rest, when a whole page has.
    """
    if drawn == SEEN_FIRST:
        _rest_once("first", FIRST_S)


def _rest_once(why: str, seconds: float) -> None:
    if why not in state.rested:
        state.rested = [*state.rested, why]
        time.sleep(seconds)


def first() -> list[str]:
    """Return all that a browser that was never here asks for, by names in STATIC."""
    return [*_named(), *(f"js/{file}" for file in _found_late())]


@lru_cache(maxsize=1)
def _found_late() -> list[str]:
    """Return the scripts that our pages need and that Streamlit's page does not name."""
    named = {PurePath(name).name for name in _named()}
    wanted = dict.fromkeys(one for some in parts(STATIC / "js").values() for one in some)
    return [file for file in wanted if file not in named]


def _named() -> list[str]:
    page = STATIC.with_name("index.html").read_text("utf-8")
    return list(dict.fromkeys(_NAMED.findall(page)))


def parts(folder: Path) -> Mapping[str, list[str]]:
    """Return for each of PARTS its file in Streamlit's folder of scripts and those that it imports, without end."""
    found: dict[str, list[str]] = {}
    for part in PARTS:
        files = sorted(path.name for path in folder.glob(f"{part}.*.js"))
        for file in files:  # it grows meanwhile
            files += [one for one in _IMPORTED.findall((folder / file).read_text("utf-8")) if one not in files]
        found[part] = files
    return found
