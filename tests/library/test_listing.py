"""The list of a library: by name, label and property, in every order, a page at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import QueryError
from core.library.listing import ARRANGED, Asked, Listing
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


def test_storage_counts_all_files(listing: Listing) -> None:
    storage = listing.storage()
    assert (storage.used_bytes, storage.files) == (621, 6)
    assert storage.free_bytes is not None
    assert storage.free_bytes > 0


def test_a_page_has_a_size(listing: Listing) -> None:
    with pytest.raises(QueryError, match="1 to 200"):
        listing.page(Asked(limit=0))
