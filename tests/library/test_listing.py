"""The list of a library: by name, label and property, in every order, a page at a time."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import QueryError
from core.library import listing as module
from core.library.listing import ARRANGED, Asked, Listing
from core.models import Entry
from tests.fakes import MemoryIndex, MemoryStore, make_entries

VIDEOS = {
    "Grey wolf": {"duration_s": 9.0, "ingested_at": "2026-11-01T00:00:00+00:00", "tags": {"keywords": "Forest; cold"}},
    "Élan": {"duration_s": 90.0, "ingested_at": "2026-11-03T00:00:00+00:00", "width_px": 100, "tags": {}},
    "apple pie": {"duration_s": 30.0, "ingested_at": "2026-11-02T00:00:00+00:00", "subtitle_languages": ("pt-br",)},
}


@pytest.fixture
def index() -> MemoryIndex:
    index = MemoryIndex()
    for title, facts in VIDEOS.items():
        index.upsert(make_entries(title, **facts))
    return index


@pytest.fixture
def listing(index: MemoryIndex, tmp_path: Path) -> Listing:
    store = MemoryStore()
    for number, title in enumerate(VIDEOS):
        entry = make_entries(title)[0]
        store.blobs |= {entry.media_key: bytes(100 * (number + 1)), entry.poster_key or "": bytes(7)}
    return Listing(lambda: index, store, tmp_path)


def titles(listing: Listing, **asked: object) -> list[str]:
    return [row.entry.title for row in listing.page(Asked(**asked)).rows]


@pytest.mark.parametrize(
    ("arrange", "wanted"),
    [
        ("newest", ["Élan", "apple pie", "Grey wolf"]),
        ("oldest", ["Grey wolf", "apple pie", "Élan"]),
        ("title", ["apple pie", "Grey wolf", "Élan"]),
        ("longest", ["Élan", "apple pie", "Grey wolf"]),
        ("shortest", ["Grey wolf", "apple pie", "Élan"]),
        ("largest", ["apple pie", "Élan", "Grey wolf"]),
    ],
)
def test_every_order(listing: Listing, arrange: str, wanted: list[str]) -> None:
    assert titles(listing, arrange=arrange) == wanted
    assert arrange in ARRANGED


def test_pages_together_are_all_and_none_twice(listing: Listing) -> None:
    pages = [listing.page(Asked(limit=2, offset=offset)) for offset in (0, 2, 4)]
    assert [len(page.rows) for page in pages] == [2, 1, 0]
    assert {page.total for page in pages} == {3}
    assert len({row.entry.video_id for page in pages for row in page.rows}) == 3


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("WOLF", ["Grey wolf"]), ("gr wo", ["Grey wolf"]), ("cold forest", ["Grey wolf"]), ("élan", ["Élan"]), ("x", [])],
)
def test_a_name_is_searched_in_title_file_name_and_tags(listing: Listing, name: str, wanted: list[str]) -> None:
    assert titles(listing, name=name) == wanted


def test_it_is_filtered_by_property(listing: Listing) -> None:
    assert titles(listing, filters={"language": ("pt",)}) == ["apple pie"]
    assert titles(listing, filters={"shape": ("portrait",), "length": ("1-10min",)}) == ["Élan"]


def test_what_is_known_of_one(listing: Listing) -> None:
    row = listing.show(make_entries("Grey wolf")[0].video_id)
    assert row is not None
    assert (row.entry.title, row.tags, row.size_bytes) == ("Grey wolf", ("Forest", "cold"), 100)
    assert listing.show("nobody") is None


def test_a_change_shows_at_once(listing: Listing, index: MemoryIndex) -> None:
    assert len(titles(listing)) == 3
    index.delete(make_entries("Élan")[0].video_id)
    assert titles(listing) == ["apple pie", "Grey wolf"]


@pytest.fixture
def films(tmp_path: Path) -> MemoryIndex:
    index = MemoryIndex()
    for n in range(60):
        whole, *clips = make_entries(
            f"Film {n % 7} {'wolf' if n % 3 else 'fox'} {n}",
            clips=1,
            duration_s=float(1 + n % 50),
            ingested_at=f"2026-11-{1 + n % 28:02d}T00:{n:02d}:00+00:00",
            categories=("animals",) if n % 2 else (),
            moods=("calm",) if n % 5 else (),
            width_px=100 if n % 4 else 320,
            subtitles="so many words",
        )
        index.upsert([replace(clip, subtitles=None) for clip in clips])
        index.upsert([replace(whole, tags={"keywords": "snow" if n % 2 else "rain"})])
    return index


QUESTIONS = (
    {},
    {"name": "wolf"},
    {"name": "film snow"},
    {"categories": ("animals",)},
    {"categories": ("animals",), "moods": ("calm",), "filters": {"shape": ("portrait",)}},
    {"name": "fox", "moods": ("calm",)},
    {"name": "nothing like it"},
)


@pytest.mark.parametrize("arrange", ARRANGED)
def test_a_large_library_is_listed_as_a_small_one_and_not_held(
    films: MemoryIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arrange: str
) -> None:
    store = MemoryStore()
    for number, entry in enumerate(films.scroll(scope="video")):
        store.blobs[entry.media_key] = bytes(1 + number * 37 % 61)
    small, large = Listing(lambda: films, store, tmp_path), Listing(lambda: films, store, tmp_path)
    pages = [(asked, offset) for asked in QUESTIONS for offset in (0, 7, 14, 49)]

    def listed(listing: Listing) -> list[object]:
        found = [listing.page(Asked(arrange=arrange, limit=7, offset=offset, **asked)) for asked, offset in pages]
        return [
            (page.total, [(row.entry.duration_s, row.entry.title, row.tags, row.size_bytes) for row in page.rows])
            for page in found
        ]

    wanted = listed(small)
    monkeypatch.setattr(module, "LARGE", 10)
    monkeypatch.setattr(module, "AHEAD", 14)
    found = listed(large)
    # Those of one length may come in another order: videos' ids and entries' ids are not alike.
    assert [(total, sorted(rows)) for total, rows in found if total < 7] == [
        (total, sorted(rows)) for total, rows in wanted if total < 7
    ]
    if arrange in ("newest", "oldest", "title", "largest"):
        assert found == wanted
    else:
        lengths = [[(total, [row[0] for row in rows]) for total, rows in some] for some in (found, wanted)]
        assert lengths[0] == lengths[1]
    assert large._known is None
    assert len(large._found) <= module.QUESTIONS


def test_entries_of_a_large_library_are_let_go(
    films: MemoryIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGE", 10)
    listing = Listing(lambda: films, MemoryStore(), tmp_path)
    held = entries_alive()
    for arrange in ARRANGED:
        assert listing.page(Asked(arrange=arrange, name="film", limit=7, offset=7)).total == 60
    assert entries_alive() <= held


def entries_alive() -> int:
    gc.collect()
    return sum(type(one) is Entry for one in gc.get_objects())


def test_a_page_of_a_large_library_reads_no_more_than_it_shows(
    films: MemoryIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGE", 10)
    read: list[int] = []
    scroll = films.scroll

    def counted(**asked: object) -> Iterator[Entry]:
        for entry in scroll(**asked):
            read.append(1)
            yield entry

    monkeypatch.setattr(films, "scroll", counted)
    listing = Listing(lambda: films, MemoryStore(), tmp_path)
    assert len(listing.page(Asked(limit=5)).rows) == 5
    assert len(read) == 10, "the ids, then the rows"
    listing.page(Asked(name="wolf", limit=5))
    read.clear()
    assert len(listing.page(Asked(name="wolf", limit=5, offset=5)).rows) == 5
    assert len(read) == 5, "what was found is known for the next page"


def test_storage_counts_all_files(listing: Listing) -> None:
    storage = listing.storage()
    assert (storage.used_bytes, storage.files) == (621, 6)
    assert storage.free_bytes is not None
    assert storage.free_bytes > 0


def test_a_page_has_a_size(listing: Listing) -> None:
    with pytest.raises(QueryError, match="1 to 200"):
        listing.page(Asked(limit=0))
