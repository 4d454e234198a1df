"""What a browser is told to fetch before it finds out by itself: the parts of Streamlit that our pages are drawn with.

Streamlit fetches each when the first of its kind is to be drawn, and those it needs after that: one wait after the
other, in which nothing shows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from streamlit import file_util

PARTS = ("Html", "Button", "ButtonGroup", "TextInput", "PageLink", "Video", "Checkbox", "Progress")
_IMPORTED = re.compile(r"""(?:from|import)\s*["'`]\./([\w.\-]+\.js)["'`]""")


@lru_cache(maxsize=1)
def links() -> str:
    """Return the links as HTML, for the head of a page."""
    static = Path(file_util.get_static_dir())
    known = set(re.findall(r"static/js/([\w.\-]+\.js)", (static / "index.html").read_text("utf-8")))
    files = parts(static / "static/js")
    wanted = [file for file in dict.fromkeys(one for some in files.values() for one in some) if file not in known]
    return "\n".join(f'<link rel="modulepreload" crossorigin href="./static/js/{file}">' for file in wanted)


def parts(folder: Path) -> Mapping[str, list[str]]:
    """Return for each of PARTS its file in Streamlit's folder of scripts and those that it imports, without end."""
    found: dict[str, list[str]] = {}
    for part in PARTS:
        files = sorted(path.name for path in folder.glob(f"{part}.*.js"))
        for file in files:  # it grows meanwhile
            files += [one for one in _IMPORTED.findall((folder / file).read_text("utf-8")) if one not in files]
        found[part] = files
    return found
