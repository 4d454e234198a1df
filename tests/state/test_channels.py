"""Saved searches: their names, their slugs, and that a link somebody has goes on to work."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from core.errors import QueryError, StoreError
from core.state.channels import LINK_CHARS, Channel, ChannelBook
from core.state.sqlite import SqliteShelf
from core.state.tables import CHANNELS
from tests.state.conftest import OpenShelf

LINK = (("category", "nature"), ("mood", "calm"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "channels.sqlite3"


@pytest.fixture
def book(open_shelf: OpenShelf) -> ChannelBook:
    return ChannelBook(open_shelf("channels"))


def test_no_channel_is_there_at_first(book: ChannelBook, path: Path) -> None:
    assert book.channels() == []
    assert not path.exists()


def test_a_channel_is_kept(book: ChannelBook, open_shelf: OpenShelf) -> None:
    before = datetime.now(UTC)
    saved = book.save("  Calm nature for the lobby ", LINK)
    assert (saved.name, saved.slug, saved.link) == ("Calm nature for the lobby", "calm-nature-for-the-lobby", LINK)
    assert before <= datetime.fromisoformat(saved.created_at) <= datetime.now(UTC)
    assert ChannelBook(open_shelf("channels")).channels() == [saved]


def test_a_link_keeps_its_order_repeated_keys_and_any_text(book: ChannelBook) -> None:
    link = (("mood", "b"), ("mood", "a"), ("q", '狼 & "wolf" = 100 %\n\'; --'), ("empty", ""))
    assert book.save("Wolves", link).link == link
    assert [channel.link for channel in book.channels()] == [link]


def test_the_same_name_replaces_and_links_to_it_go_on_to_work(book: ChannelBook) -> None:
    first = book.save("Lobby", LINK)
    book.save("Kitchen", LINK)
    second = book.save("LOBBY", [("q", "sea")])
    assert second == Channel("LOBBY", first.slug, (("q", "sea"),), first.created_at)
    assert [channel.name for channel in book.channels()] == ["LOBBY", "Kitchen"]


def test_other_names_with_the_same_letters_get_slugs_of_their_own(book: ChannelBook) -> None:
    slugs = [book.save(name, LINK).slug for name in ("C", "C++", "C#", "C 2", "Ç")]
    assert slugs == ["c", "c-2", "c-3", "c-2-2", "c-4"]
    assert [(channel.name, channel.slug) for channel in book.channels()] == [
        *zip(("C", "C++", "C#", "C 2", "Ç"), slugs, strict=True)
    ]
    assert book.save("C#", ()).slug == "c-3"


@pytest.mark.parametrize("name", ["Спокойно", "静か", "🎉", "../..", "a/b?c=d&e", "Zoë", "x" * 60])
def test_a_slug_is_safe_in_an_address_whatever_the_name(book: ChannelBook, name: str) -> None:
    saved = book.save(name, LINK)
    assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", saved.slug)
    assert book.channels() == [saved]


def test_a_deleted_channel_is_gone_and_the_others_stay(book: ChannelBook) -> None:
    gone, kept = book.save("Lobby", LINK), book.save("Kitchen", LINK)
    book.delete(gone.slug)
    book.delete(gone.slug)
    assert book.channels() == [kept]


@pytest.mark.parametrize("slug", ["", "no-such", "\udc80", "\x00", "狼", "' OR 1=1 --"])
def test_deleting_what_is_not_there_changes_nothing(book: ChannelBook, slug: str) -> None:
    saved = book.save("Lobby", LINK)
    book.delete(slug)
    assert book.channels() == [saved]


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "Lob\nby", "\u202eLobby"])
def test_what_cannot_be_a_name_gets_a_sentence(book: ChannelBook, path: Path, name: str) -> None:
    with pytest.raises(QueryError, match="A channel's name "):
        book.save(name, LINK)
    assert not path.exists()


@pytest.mark.parametrize(
    ("link", "sentence"),
    [([("q", "x" * LINK_CHARS)], f"{LINK_CHARS} is the most"), ([("q", "\udc80")], "cannot be part of a link")],
)
def test_a_link_that_is_none_gets_a_sentence(
    book: ChannelBook, path: Path, link: list[tuple[str, str]], sentence: str
) -> None:
    with pytest.raises(QueryError, match=sentence):
        book.save("Lobby", link)
    assert not path.exists()


def test_threads_save_together(book: ChannelBook) -> None:
    def save(start: int) -> None:
        for number in range(start, start + 10):
            book.save(f"Channel {number}", LINK)
            book.save("C" + "+" * number, LINK)

    threads = [threading.Thread(target=save, args=(start,)) for start in (0, 5, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    channels = book.channels()
    assert len(channels) == len({channel.slug for channel in channels}) == 40


def test_a_damaged_file_gets_a_sentence_and_is_not_touched(path: Path) -> None:
    book = ChannelBook(SqliteShelf(path, "channels"))
    path.write_bytes(b"no database" * 500)
    for ask in (book.channels, lambda: book.save("Lobby", LINK), lambda: book.delete("a")):
        with pytest.raises(StoreError, match=r"The channels in .*channels\.sqlite3"):
            ask()
    assert path.read_bytes() == b"no database" * 500


@pytest.mark.parametrize("damage", ["{", "7", "[1]", '[["a"]]', "null"])
def test_a_damaged_link_names_its_channel(book: ChannelBook, open_shelf: OpenShelf, damage: str) -> None:
    book.save("Lobby", LINK)
    with open_shelf("channels").change() as db:
        db.execute(update(CHANNELS), {"link": damage})
    with pytest.raises(StoreError, match=r"'lobby' .* is damaged"):
        book.channels()
    book.save("Lobby", LINK)
    assert [channel.link for channel in book.channels()] == [LINK]


def test_channels_of_another_library_are_added_and_keep_their_slug_where_it_is_free(book: ChannelBook) -> None:
    mine = book.save("Calm nature", LINK)
    theirs = [
        Channel("CALM nature", "another-slug", (("q", "other"),), "2026-01-01T00:00:00+00:00"),
        Channel("For the lobby", "lobby", (("q", "lobby"),), "2026-01-02T00:00:00+00:00"),
        Channel("Calm  nature!", "calm-nature", (("q", "taken"),), "2026-01-03T00:00:00+00:00"),
        Channel("Slashes", "../etc", (("q", "a"),), "2026-01-04T00:00:00+00:00"),
    ]
    assert book.take(theirs) == 3
    assert book.take(theirs) == 0
    assert book.channels()[:2] == [mine, theirs[1]]
    assert [channel.slug for channel in book.channels()[2:]] == ["calm-nature-2", "slashes"]
