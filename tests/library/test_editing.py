"""A video is found by what it is called now, in every space, and looks and sounds as before to what sees and hears."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.discover import taxonomy
from core.discover.search import Discover
from core.encoders.local import LocalEncoder
from core.errors import QueryError
from core.ingest.embeddings import entries_of
from core.ingest.work import Work
from core.library.editing import Editor, clean_tags
from core.library.spaces import Serving
from core.models import Entry, MediaInfo, Query
from tests.fakes import FAKE_INFO, FakeEncoder, MemorySpaces, MemoryStore, make_entries, make_info
from tests.videos import make_video

OTHER = replace(FAKE_INFO, name="paid-v1", paid=True)


class Desk:
    """A library of one video that the local encoder read, which another that reads no names has read too."""

    def __init__(self, path: Path, info: MediaInfo) -> None:
        self.encoder, self.other = LocalEncoder(), FakeEncoder(OTHER)
        self.store = MemoryStore()
        self.info = info
        self.work = Work(
            "job", str(path), path.name, sha256="ab", video_id="v1", info=info, title="Grey wolf",
            media_key="v1.mp4", poster_key="v1.jpg", ingested_at="2026-11-26T00:00:00+00:00", encoder="local-v2",
        )  # fmt: skip
        self.path = path

        def discover_over(encoder, index) -> Discover:
            return Discover(encoder=encoder, index=index, store=self.store, taxonomy=taxonomy.load())

        self.serving = Serving(
            MemorySpaces(), self.encoder, encoder_of=lambda space: self.other, discover_over=discover_over
        )
        self.index.upsert(self.encoded("Grey wolf", info.tags))
        lane = self.serving.fill(self.other)
        shown = make_entries("Grey wolf", info=OTHER, video_id="v1", content_sha256="ab", tags=dict(info.tags))
        lane.index.upsert(shown)
        self.other_index = lane.index
        self.editor = Editor(self.serving, self.store)

    @property
    def index(self):
        return self.serving.serving.index

    def encoded(self, title: str, tags) -> list[Entry]:
        """Return what encoding the file afresh under this title makes."""
        from core.models import Video

        info = replace(self.info, tags=tags)
        video = Video(self.path, self.path.name, title, "ab", info)
        embedding = self.encoder.encode_video(video, {}, lambda fraction: None)
        return entries_of(replace(self.work, title=title, info=info), embedding)

    def found(self, words: str) -> list[str]:
        return [hit.title for hit in self.serving.now.discover.search(Query(text=words)).hits]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    return make_video(folder / "clip 7.mp4", seconds=2.0, size=(64, 36), fps=5, audio="aac", tone_hz=300)


@pytest.fixture
def desk(path: Path) -> Iterator[Desk]:
    desk = Desk(path, make_info(2.0, tags={"title": "Grey wolf", "genre": "nature"}))
    yield desk
    desk.serving.close()


def test_it_is_found_by_its_new_name_and_not_by_the_old(desk: Desk) -> None:
    assert desk.found("grey wolf") == ["Grey wolf"]
    assert desk.editor.edit("v1", title="  Cooking pasta ")
    assert desk.found("cooking pasta") == ["Cooking pasta"]
    assert desk.found("grey wolf") == []


def test_its_vectors_are_those_that_encoding_it_afresh_under_the_new_name_makes(desk: Desk) -> None:
    desk.editor.edit("v1", title="Cooking pasta", tags=["kitchen", "food, dinner"])
    words = {"title": "Cooking pasta", "genre": "nature", "keywords": "kitchen, food, dinner"}
    fresh = desk.encoded("Cooking pasta", words)
    now = {(entry.scope, entry.start_s): entry for entry in desk.index.scroll()}
    assert len(now) == len(fresh)
    for entry in fresh:
        same = now[entry.scope, entry.start_s]
        assert np.allclose(same.vector, entry.vector, atol=1e-4)
        assert (same.title, same.seen, same.tags) == (entry.title, entry.seen, entry.tags)


def test_an_encoder_that_reads_no_names_keeps_its_vectors_and_pays_nothing(desk: Desk) -> None:
    before = {entry.start_s: entry.vector.tolist() for entry in desk.other_index.scroll(scope="clip")}
    desk.editor.edit("v1", title="Cooking pasta", tags=["kitchen"])
    after = list(desk.other_index.scroll())
    assert {entry.title for entry in after} == {"Cooking pasta"}
    assert {entry.start_s: entry.vector.tolist() for entry in after if entry.scope == "clip"} == before
    assert next(entry.tags for entry in after if entry.scope == "video")["keywords"] == "kitchen"
    assert desk.other.encoded == []


def test_tags_alone_leave_the_title(desk: Desk) -> None:
    desk.editor.edit("v1", tags=["submarine"])
    assert desk.found("submarine") == ["Grey wolf"]
    desk.editor.edit("v1", tags=[])
    assert desk.found("submarine") == []


@pytest.mark.parametrize("title", ["", " ", "x" * 121, "a\nb"])
def test_what_is_no_title_changes_nothing(desk: Desk, title: str) -> None:
    with pytest.raises(QueryError):
        desk.editor.edit("v1", title=title, tags=["kept out"])
    entry = next(desk.index.scroll(scope="video"))
    assert (entry.title, "keywords" in (entry.tags or {})) == ("Grey wolf", False)


def test_a_video_that_is_not_there(desk: Desk) -> None:
    assert not desk.editor.edit("v2", title="Cooking pasta")


def test_tags_are_one_list_of_different_words() -> None:
    assert clean_tags(["a, b", "b;c ", "", "  "]) == ("a", "b", "c")
    with pytest.raises(QueryError, match="at most 40 tags"):
        clean_tags([str(n) for n in range(41)])
