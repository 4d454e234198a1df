"""Two spaces of a library are compared page by page, also where the same content has two ids."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.index import base
from core.ingest.comparing import compared, take_over
from tests.fakes import FAKE_INFO, MemoryIndex, make_entries

OTHER = replace(FAKE_INFO, name="other-v1", dimension=48)


@pytest.fixture
def spaces(monkeypatch: pytest.MonkeyPatch) -> tuple[MemoryIndex, MemoryIndex]:
    """Five videos in one space; of them one in the other as it is, one under another id, and one that is gone here."""
    monkeypatch.setattr(base, "AT_ONCE", 2)
    answering, filled = MemoryIndex(FAKE_INFO), MemoryIndex(OTHER)
    for number in range(5):
        answering.upsert(make_entries(f"Film {number}", clips=1))
    astray = [replace(entry, video_id="of-before") for entry in make_entries("Film 3", clips=1, info=OTHER)]
    for entries in (make_entries("Film 1", clips=1, info=OTHER), astray, make_entries("Gone", clips=1, info=OTHER)):
        filled.upsert(entries)
    return answering, filled


def test_each_video_comes_once_with_whether_the_other_has_its_content(spaces: tuple[MemoryIndex, MemoryIndex]) -> None:
    answering, filled = spaces
    found = [(entry.title, is_there) for entry, is_there in compared(answering, filled)]
    assert sorted(found) == [(f"Film {n}", n in (1, 3)) for n in range(5)]
    assert {is_there for _, is_there in compared(answering, None)} == {False}


def test_it_goes_on_behind_a_video(spaces: tuple[MemoryIndex, MemoryIndex]) -> None:
    answering, filled = spaces
    entries = [entry for entry, _ in compared(answering, filled)]
    behind = [entry for entry, _ in compared(answering, filled, base.place(entries[1]))]
    assert [entry.title for entry in behind] == [entry.title for entry in entries[2:]]


def test_the_filled_one_says_what_the_other_says(spaces: tuple[MemoryIndex, MemoryIndex]) -> None:
    answering, filled = spaces
    take_over(answering, filled)
    left = {entry.title: entry.video_id for entry in filled.scroll(scope="video")}
    known = {entry.title: entry.video_id for entry in answering.scroll(scope="video")}
    assert left == {title: known[title] for title in ("Film 1", "Film 3")}
