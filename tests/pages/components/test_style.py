"""The style keeps to one scale of type and one grid of spaces."""

from __future__ import annotations

import re
from pathlib import Path

PAGES = Path(__file__).parents[3] / "pages"
STYLE = (PAGES / "components/style.css").read_text("utf-8")
TYPE_REM = {0.75, 0.875, 1.0, 1.25, 1.75, 2.5}
"""Small print, controls, text, headings of parts, of pages, and the sign on a poster."""
GRID_REM = 0.125
"""Two pixels."""
SPACES = r"(?:padding|margin|gap|column-gap|row-gap|border-radius|min-height|top|right|bottom|left|inset)"


def test_all_type_is_on_the_scale():
    sizes = re.findall(r"font-size: ([^;}]+)", STYLE)
    assert len(sizes) > 10
    assert {float(size.split("rem")[0]) for size in sizes} <= TYPE_REM


def test_headings_are_those_of_the_scale_and_none_skips_a_level():
    sources = [file.read_text("utf-8") for file in sorted(PAGES.rglob("*.py"))]
    assert sum(source.count("st.header(") for source in sources) > 5
    assert not [source for source in sources if "st.subheader(" in source]


def test_all_spaces_are_on_the_grid():
    spaces = re.findall(rf"(?<![\w-]){SPACES}(?:-(?:top|right|bottom|left))?: ([^;}}]+)", STYLE)
    assert len(spaces) > 40
    sizes = {float(size) for space in spaces if "calc" not in space for size in re.findall(r"(\d*\.?\d+)rem", space)}
    assert all((size / GRID_REM).is_integer() for size in sizes), sorted(sizes)
