"""What is fetched early is there, in the Streamlit that is installed, and is what pages are drawn with."""

from __future__ import annotations

import re
from pathlib import Path

from streamlit import file_util

from pages.components import early
from pages.components.early import PARTS, first, links, parts
from tests.pages.support import add_entries, open_page

STATIC = Path(file_util.get_static_dir())


def test_each_part_is_one_file_of_streamlits_and_what_it_imports():
    found = parts(STATIC / "static/js")
    assert set(found) == set(PARTS)
    for part, files in found.items():
        assert [file.split(".")[0] for file in files].count(part) == 1, part
        assert len(files) == len(set(files)) > 3
        assert all((STATIC / "static/js" / file).is_file() for file in files)


def test_a_link_names_no_file_twice_and_none_that_streamlits_page_names():
    named = re.findall(r'href="\./static/js/([^"]+)"', links())
    assert len(named) == len(set(named)) > len(PARTS)
    page = (STATIC / "index.html").read_text("utf-8")
    assert not [name for name in named if name in page]
    assert sum((STATIC / "static/js" / name).stat().st_size for name in named) < 1_500_000


def test_a_first_visitor_asks_for_what_the_page_names_and_what_we_add():
    names = first()
    assert len(names) == len(set(names))
    assert all((STATIC / "static" / name).is_file() for name in names)
    assert {f"js/{name}" for name in re.findall(r'href="\./static/js/([^"]+)"', links())} < {*names}
    page = (STATIC / "index.html").read_text("utf-8")
    named = re.findall(r'(?:src|href)="\./static/((?:js|css)/[^"]+)"', page)
    assert len(named) > 20
    assert {*named} < {*names}


def test_the_server_rests_twice_a_session_after_the_head_and_after_the_first_posters(services, no_workers, monkeypatch):
    add_entries(services, 13, "grey wolf")
    rests = []
    monkeypatch.setattr(early, "PARTS_S", 0.1)
    monkeypatch.setattr(early, "FIRST_S", 0.3)
    monkeypatch.setattr(early.time, "sleep", rests.append)
    app = open_page("discover")
    assert [rest for rest in rests if rest in (0.1, 0.3)] == [0.1, 0.3]
    rests.clear()
    app.run()
    assert not [rest for rest in rests if rest in (0.1, 0.3)]
