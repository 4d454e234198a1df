"""Copies between the embedded library and a server: whole, resumable, checked, and nothing lost at the source."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.__main__ import main
from core.errors import LibraryError, LibraryLocked, SettingsError, Unavailable
from core.index import connection
from core.index.base import Space, id_of
from core.index.edge import EdgeIndex
from core.index.edge_spaces import EdgeSpaces
from core.index.server import ServerIndex
from core.index.server_spaces import ServerSpaces
from core.library import move
from core.models import Counts, Entry
from core.settings import Settings
from tests.fakes import FAKE_INFO, MemoryIndex, make_entries
from tests.servers.qdrant import QdrantServer

COLLECTION = "films"
OTHER = replace(FAKE_INFO, name="other-v2", dimension=32)


@pytest.fixture
def qdrant(monkeypatch: pytest.MonkeyPatch) -> Iterator[QdrantServer]:
    monkeypatch.setattr(connection, "BACKOFF_S", 0.0)
    with QdrantServer() as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, qdrant: QdrantServer) -> Settings:
    return Settings(data_dir=tmp_path / "data", qdrant_url=qdrant.url, qdrant_collection=COLLECTION)


def embedded(settings: Settings) -> EdgeIndex:
    return EdgeSpaces(settings.data_dir).make(FAKE_INFO, complete=True)


def on_server(settings: Settings) -> ServerIndex:
    return ServerIndex(settings.qdrant_url, None, COLLECTION, FAKE_INFO)


def films(count: int, clips: int = 3) -> list:
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((count, clips + 1, FAKE_INFO.dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    return [entry for n in range(count) for entry in make_entries(f"Film {n}", vectors=vectors[n], seen=("dark",))]


def fill_embedded(settings: Settings, count: int = 100) -> None:
    index = embedded(settings)
    index.upsert(films(count))
    index.close()
    for n in range(count):
        path = settings.media_dir / make_entries(f"Film {n}")[0].media_key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"film")


def ran(settings: Settings, to: str, **how: bool) -> tuple[int, str]:
    lines: list[str] = []
    code = move.run(settings, to, say=lines.append, **how)
    return code, "\n".join(lines)


def test_there_and_back_is_the_same_library(settings: Settings, tmp_path: Path) -> None:
    fill_embedded(settings)
    code, said = ran(settings, "server")
    assert code == 0, said
    assert "400 entries written" in said
    assert "100 videos with 300 clips" in said
    assert "50 videos were compared" in said
    assert "has all 50 video files" in said
    assert "Set QDRANT_URL" in said

    elsewhere = replace(settings, data_dir=tmp_path / "elsewhere")
    code, said = ran(elsewhere, "edge")
    assert code == 0, said
    assert "Unset QDRANT_URL" in said
    first, last = embedded(settings), embedded(elsewhere)
    query = films(1)[0].vector
    assert first.count() == last.count() == Counts(100, 300), "nothing may be deleted at the source"
    for one, other in zip(first.search(query, limit=20), last.search(query, limit=20), strict=True):
        assert one.video_id == other.video_id
        assert one.score == pytest.approx(other.score, abs=1e-5)
    first.close()
    last.close()


def test_what_is_there_is_not_written_again(settings: Settings, qdrant: QdrantServer) -> None:
    fill_embedded(settings, 10)
    ran(settings, "server")
    qdrant.memory.upserts.clear()
    code, said = ran(settings, "server")
    assert (code, qdrant.memory.upserts) == (0, [])
    assert "0 entries written" in said
    assert "40 were there already" in said
    code, said = ran(settings, "server", rewrite=True)
    assert (code, sum(qdrant.memory.upserts)) == (0, 40)


def test_a_copy_that_was_cut_off_goes_on(settings: Settings, qdrant: QdrantServer) -> None:
    fill_embedded(settings)
    qdrant.fail("status", status=503, times=1000, path="/points", method="PUT")
    with pytest.raises(Unavailable):
        ran(settings, "server")
    qdrant.heal()
    index = on_server(settings)
    index.upsert([entry for entry in films(100) if entry.scope == "clip"][:60])  # as far as it may have come
    index.close()
    qdrant.memory.upserts.clear()
    code, said = ran(settings, "server")
    assert code == 0, said
    assert "340 entries written" in said
    assert "60 were there already" in said
    assert sum(qdrant.memory.upserts) == 340


def test_clips_go_before_the_video_that_vouches_for_them(settings: Settings, qdrant: QdrantServer) -> None:
    """The app takes a video whose own entry is there for whole; a copy cut off at any moment must not make it lie."""
    fill_embedded(settings)
    seen: list[set[str]] = []
    upsert = qdrant.memory.upsert

    def watch(collection_name: str, points: list, **more: object) -> object:
        seen.append({point.payload["scope"] for point in points})
        return upsert(collection_name, points, **more)

    qdrant.memory.upsert = watch
    ran(settings, "server")
    assert seen == [{"clip"}] * 2 + [{"video"}]


def test_a_library_that_has_other_videos_keeps_them(settings: Settings) -> None:
    fill_embedded(settings, 5)
    index = on_server(settings)
    index.upsert(make_entries("Another"))
    index.close()
    code, said = ran(settings, "server")
    assert code == 0, said
    assert "the target 6 videos with 18 clips" in said


def test_what_was_told_anew_of_a_video_is_written(settings: Settings) -> None:
    fill_embedded(settings, 2)
    ran(settings, "server")
    index = embedded(settings)
    index.upsert([replace(entry, title="A new title") for entry in films(1)])
    index.close()
    code, said = ran(settings, "server")
    assert code == 0, said
    assert "4 entries written" in said
    index = on_server(settings)
    assert {entry.title for entry in index.scroll(video_id=films(1)[0].video_id)} == {"A new title"}
    index.close()


def test_a_vector_that_differs_is_found_and_mended(settings: Settings) -> None:
    fill_embedded(settings, 3)
    ran(settings, "server")
    index = on_server(settings)
    index.upsert([replace(films(1)[1], vector=films(2)[5].vector)])
    index.close()
    code, said = ran(settings, "server")
    assert code == 1
    assert "Film 0.mp4 did not arrive whole: 0 of its 4 entries are missing and 1 differ" in said
    assert "--rewrite" in said
    assert "Set QDRANT_URL" not in said
    code, said = ran(settings, "server", rewrite=True)
    assert code == 0, said


class Forgetful(MemoryIndex):
    """Drop every third entry that is written, and say nothing."""

    def upsert(self, entries: list) -> None:
        super().upsert(entries[1:] if len(entries) % 3 else entries[2:])


def test_entries_that_do_not_arrive_are_found() -> None:
    source = MemoryIndex()
    source.upsert(films(10))
    copied = move.copy(source, Forgetful())
    assert copied.target != copied.source
    assert copied.problems[0].startswith("The target has")
    assert any("did not arrive whole" in problem for problem in copied.problems)


def test_a_source_that_changes_meanwhile_is_found() -> None:
    source, target = MemoryIndex(), MemoryIndex()
    source.upsert(films(10))

    def show(doing: str, fraction: float) -> None:
        if doing == "copying" and fraction == 1:
            source.upsert(make_entries("Late"))

    copied = move.copy(source, target, show)
    assert [problem.split(",")[0] for problem in copied.problems] == ["The source has 11 videos with 33 clips"]


class WatchedId(str):
    """An id that can be seen to be forgotten."""


def test_nothing_is_held_of_a_large_library_but_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(move, "BATCH", 16)
    held: weakref.WeakSet[WatchedId] = weakref.WeakSet()
    most = 0

    def watched(entry: Entry) -> WatchedId:
        nonlocal most
        key = WatchedId(id_of(entry))
        held.add(key)
        most = max(most, len(held))
        return key

    monkeypatch.setattr(move, "id_of", watched)
    source, target = MemoryIndex(), MemoryIndex()
    source.upsert(films(200, clips=1))
    target.upsert(films(50, clips=1))
    copied = move.copy(source, target)
    assert (copied.written, copied.present, copied.problems) == (300, 100, ())
    assert copied.compared_videos == len(set(copied.media_keys)) == 50
    assert most < 100


def test_entries_of_both_sides_are_paired_wherever_they_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(move, "BATCH", 3)
    source, target = MemoryIndex(), MemoryIndex()
    source.upsert(films(12))
    target.upsert([entry for entry in films(20) if entry.title[-1] in "2468"])
    both = {id_of(entry) for entry in source.scroll()} & {id_of(entry) for entry in target.scroll()}
    copied = move.copy(source, target)
    assert (copied.written, copied.present, copied.problems) == (48 - len(both), len(both), ())
    assert {id_of(entry) for entry in target.scroll()} >= {id_of(entry) for entry in source.scroll()}


def test_progress_goes_from_nothing_to_all() -> None:
    source, target = MemoryIndex(), MemoryIndex()
    source.upsert(films(100))
    target.upsert(films(3))
    told: list[tuple[str, float]] = []
    move.copy(source, target, lambda doing, fraction: told.append((doing, fraction)))
    assert list(dict.fromkeys(doing for doing, _ in told)) == ["copying", "comparing"]
    for doing in ("copying", "comparing"):
        fractions = [fraction for what, fraction in told if what == doing]
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1


def test_every_space_is_copied_and_stays_what_it_was(settings: Settings, tmp_path: Path) -> None:
    fill_embedded(settings, 2)
    here = EdgeSpaces(settings.data_dir)
    index = here.make(OTHER, complete=False)
    index.upsert(make_entries("Film 0", info=OTHER))
    index.close()
    code, said = ran(settings, "server")
    assert code == 0, said
    assert "What fake-v1 made:" in said
    assert "What other-v2 made:" in said
    there = ServerSpaces(settings.qdrant_url, None, COLLECTION)
    assert there.all() == here.all() == [Space("fake-v1", 64, True), Space("other-v2", 32, False)]
    there.close()

    elsewhere = replace(settings, data_dir=tmp_path / "elsewhere")
    code, said = ran(elsewhere, "edge")
    assert code == 0, said
    assert EdgeSpaces(elsewhere.data_dir).all() == here.all()


def test_a_copy_beside_videos_of_another_encoder_does_not_answer_for_them(settings: Settings) -> None:
    there = ServerSpaces(settings.qdrant_url, None, COLLECTION)
    index = there.make(OTHER, complete=True)
    index.upsert(make_entries("Another film", info=OTHER))
    index.close()
    fill_embedded(settings, 2)
    code, said = ran(settings, "server")
    assert code == 0, said
    assert there.all() == [Space("fake-v1", 64, False), Space("other-v2", 32, True)]
    there.close()


def test_an_empty_source_says_so(settings: Settings) -> None:
    with pytest.raises(LibraryError, match=r"nothing to copy: the collection films on the server is empty"):
        ran(settings, "edge")


def test_without_a_server_there_is_nowhere_to_copy(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="QDRANT_URL is not set"):
        ran(replace(settings, qdrant_url=None), "server")


def test_a_library_in_use_says_so(settings: Settings) -> None:
    holder = embedded(settings)
    with pytest.raises(LibraryLocked):
        ran(settings, "server")
    holder.close()


def test_media_that_the_store_does_not_have_is_said(settings: Settings) -> None:
    fill_embedded(settings, 4)
    next(settings.media_dir.glob("*.mp4")).unlink()
    code, said = ran(settings, "server")
    assert code == 0, "the library is whole; its files are another matter"
    assert "Of 4 video files looked for, the configured store (folder) does not have 1" in said


def test_the_command_line_copies(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    fill_embedded(settings, 2)
    monkeypatch.chdir(tmp_path)  # away from a developer's .env
    for name, value in {
        "DATA_DIR": str(settings.data_dir),
        "QDRANT_URL": settings.qdrant_url,
        "QDRANT_COLLECTION": COLLECTION,
        "ENCODER": "local",
    }.items():
        monkeypatch.setenv(name, value)
    assert main(["move", "--to", "server"]) == 0
    assert "8 entries written" in capsys.readouterr().out
    monkeypatch.delenv("QDRANT_URL")
    assert main(["move", "--to", "edge"]) == 1
    assert capsys.readouterr().err.startswith("QDRANT_URL is not set")
