"""What was seen in a watched folder, in both databases."""

from __future__ import annotations

from dataclasses import replace

from core.state.watched import WatchBook, Watched
from tests.state.conftest import OpenShelf

FILM = Watched("/films/café\udce9", "a.mp4", 2**40, 1_764_000_000_000_000_000, "sent", "job-1")


def test_what_was_seen_is_kept_by_folder_and_name(open_shelf: OpenShelf) -> None:
    book = WatchBook(open_shelf("watch"))
    assert (book.of(FILM.folder), book.folders(), book.counts(), book.open()) == ({}, [], {}, [])
    other, deep = replace(FILM, name="b.mp4", state="failed"), replace(FILM, folder=f"{FILM.folder}/deep")
    book.note([FILM, other, deep])
    again = WatchBook(open_shelf("watch"))
    assert again.of(FILM.folder) == {"a.mp4": FILM, "b.mp4": other}
    assert sorted(again.folders()) == [FILM.folder, deep.folder]
    assert again.counts() == {"sent": 2, "failed": 1}
    book.note([replace(FILM, state="added")], forget=[other])
    assert again.of(FILM.folder) == {"a.mp4": replace(FILM, state="added")}
    assert again.open() == [deep]
