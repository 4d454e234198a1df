"""Likes, dislikes and seen, kept under a typed name: what excludes what, in which order, and whose they are."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from core.errors import QueryError, StoreError
from core.state.sqlite import SqliteShelf
from core.state.tables import PROFILES
from core.state.taste import Marks, TasteBook
from tests.state.conftest import OpenShelf


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "taste.sqlite3"


@pytest.fixture
def book(open_shelf: OpenShelf) -> TasteBook:
    return TasteBook(open_shelf("taste"))


def names(open_shelf: OpenShelf) -> list[str]:
    """Return the names of the profiles as they were first typed."""
    return [name for key, name in sorted(tuple(row) for row in open_shelf("taste").rows(select(PROFILES)))]


def test_who_never_marked_anything_has_no_marks(book: TasteBook, path: Path) -> None:
    assert book.marks("Anna") == Marks((), (), frozenset())
    assert not path.exists()


def test_marks_come_newest_first_and_stay(book: TasteBook, open_shelf: OpenShelf) -> None:
    for video_id in ("a", "b", "c"):
        book.mark("Anna", video_id, "like")
    for video_id in ("x", "y"):
        book.mark("Anna", video_id, "dislike")
        book.mark("Anna", video_id, "seen")
    assert TasteBook(open_shelf("taste")).marks("Anna") == Marks(("c", "b", "a"), ("y", "x"), frozenset("xy"))


def test_a_mark_again_is_the_newest(book: TasteBook) -> None:
    for video_id in ("a", "b", "a"):
        book.mark("Anna", video_id, "like")
    assert book.marks("Anna").likes == ("a", "b")


def test_a_mark_taken_off_and_put_on_again_is_the_newest(book: TasteBook) -> None:
    book.mark("Anna", "a", "like")
    book.mark("Anna", "b", "like")
    book.unmark("Anna", "b", "like")
    book.mark("Anna", "c", "like")
    book.mark("Anna", "b", "like")
    assert book.marks("Anna").likes == ("b", "c", "a")


def test_of_like_and_dislike_the_later_wins_and_seen_stays(book: TasteBook) -> None:
    book.mark("Anna", "a", "seen")
    book.mark("Anna", "a", "like")
    book.mark("Anna", "a", "dislike")
    assert book.marks("Anna") == Marks((), ("a",), frozenset("a"))
    book.mark("Anna", "a", "like")
    assert book.marks("Anna") == Marks(("a",), (), frozenset("a"))


@pytest.mark.parametrize("mark", ["like", "dislike", "seen"])
def test_unmarking_takes_off_that_mark_of_that_video_alone(book: TasteBook, mark: str) -> None:
    for one, video_id in (("like", "a"), ("dislike", "b"), ("seen", "a"), ("seen", "b")):
        book.mark("Anna", video_id, one)
    book.unmark("Anna", "a", mark)
    book.unmark("Anna", "a", mark)
    assert book.marks("Anna") == Marks(
        () if mark == "like" else ("a",), ("b",), frozenset("b") if mark == "seen" else frozenset("ab")
    )


def test_profiles_do_not_mix(book: TasteBook) -> None:
    book.mark("Anna", "a", "like")
    book.mark("Ben", "a", "dislike")
    book.reset("Ben")
    assert book.marks("Anna") == Marks(("a",))
    assert book.marks("Ben") == Marks()


def test_case_makes_no_other_profile_and_the_first_spelling_is_kept(book: TasteBook, open_shelf: OpenShelf) -> None:
    book.mark(" Anna ", "a", "like")
    book.mark("ANNA", "b", "like")
    book.mark("Жанна", "c", "like")
    book.mark("ben", "d", "seen")
    assert book.marks("anna").likes == ("b", "a")
    assert book.marks("ЖАННА").likes == ("c",)
    assert names(open_shelf) == ["Anna", "ben", "Жанна"]


def test_a_reset_forgets_the_name_too(book: TasteBook, open_shelf: OpenShelf) -> None:
    book.mark("Anna", "a", "like")
    book.mark("Ben", "a", "like")
    book.reset("Ben")
    assert book.reset("aNNA") == [("Anna", "a", "like")]
    assert (names(open_shelf), book.marks("Anna")) == ([], Marks())
    book.mark("ANNA", "b", "like")
    assert (names(open_shelf), book.marks("Anna")) == (["ANNA"], Marks(("b",)))


def test_what_a_reset_forgot_can_be_taken_back_as_it_was(book: TasteBook, open_shelf: OpenShelf) -> None:
    for video, mark in (("a", "like"), ("b", "dislike"), ("c", "like"), ("a", "seen")):
        book.mark("Anna", video, mark)
    before = book.marks("anna")
    book.take(book.reset("ANNA"))
    assert (names(open_shelf), book.marks("Anna")) == (["Anna"], before)
    assert before == Marks(("c", "a"), ("b",), frozenset("a"))


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "An\x00na", "An\nna", "\u202eAnna", "\udc80"])
def test_what_cannot_be_a_name_is_refused_everywhere(book: TasteBook, path: Path, name: str) -> None:
    for ask in (
        lambda: book.mark(name, "a", "like"),
        lambda: book.unmark(name, "a", "like"),
        lambda: book.marks(name),
        lambda: book.reset(name),
    ):
        with pytest.raises(QueryError, match="A profile name "):
            ask()
    assert not path.exists()


def test_a_name_of_forty_characters_of_any_script_does(book: TasteBook, open_shelf: OpenShelf) -> None:
    book.mark("日" * 40, "a", "like")
    assert names(open_shelf) == ["日" * 40]


@pytest.mark.parametrize("video_id", ["", "a b", "../a", "x" * 129, "\udc80", "a\n"])
def test_what_is_no_video_id_is_refused(book: TasteBook, path: Path, video_id: str) -> None:
    with pytest.raises(QueryError, match="not the id of a video"):
        book.mark("Anna", video_id, "like")
    assert not path.exists()


def test_an_unknown_mark_names_the_known_ones(book: TasteBook, path: Path) -> None:
    for change in (book.mark, book.unmark):
        with pytest.raises(QueryError, match="like, dislike, seen") as caught:
            change("Anna", "a", "love")  # type: ignore[arg-type]
        assert caught.value.details == {"mark": ["like", "dislike", "seen"]}
    assert not path.exists()


def test_threads_mark_together(book: TasteBook) -> None:
    def mark(name: str) -> None:
        for number in range(25):
            book.mark(name, f"{number}", "like" if number % 2 else "dislike")
            book.mark("All", f"{name}-{number}", "seen")

    threads = [threading.Thread(target=mark, args=(name,)) for name in ("Anna", "Ben", "Cem")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for name in ("Anna", "Ben", "Cem"):
        assert book.marks(name).likes == tuple(f"{number}" for number in range(23, 0, -2))
        assert len(book.marks(name).dislikes) == 13
    assert len(book.marks("All").seen) == 75


def test_a_damaged_file_gets_a_sentence_and_is_not_touched(path: Path) -> None:
    book = TasteBook(SqliteShelf(path, "taste"))
    path.write_bytes(b"no database" * 500)
    for ask in (lambda: book.marks("Anna"), lambda: book.mark("Anna", "a", "like")):
        with pytest.raises(StoreError, match=r"likes and dislikes in .*taste\.sqlite3"):
            ask()
    assert path.read_bytes() == b"no database" * 500


def test_marks_of_another_library_are_added_in_their_order_and_change_nothing_here(
    book: TasteBook, open_shelf: OpenShelf
) -> None:
    book.mark("Anna", "a", "dislike")
    book.mark("Anna", "b", "like")
    theirs = [("anna", "a", "like"), ("Ben", "c", "like"), ("Ben", "d", "like"), ("ANNA", "a", "seen")]
    assert book.take(theirs) == 3
    assert book.take(theirs) == 0
    assert book.marks("Anna") == Marks(("b",), ("a",), frozenset({"a"}))
    assert book.marks("Ben").likes == ("d", "c")
    assert names(open_shelf) == ["Anna", "Ben"]
    assert book.all()[0] == ("Anna", "a", "dislike")
    with pytest.raises(QueryError):
        book.take([("Cleo", "e", "like"), ("Cleo", "f", "adored")])
    assert book.marks("Cleo") == Marks(), "all or none"
