"""What only the embedded index does: outlive a kill, guard its folder, and speak when something is wrong with it."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest
import qdrant_edge

from core.errors import EncoderMismatch, LibraryError, LibraryLocked
from core.index import edge as edge_module
from core.index.base import Where
from core.index.edge import EdgeIndex
from core.index.guarded import open_guarded
from core.index.payload import FIELDS
from core.models import Counts
from tests.fakes import FAKE_INFO, make_entries, word_vector

ROOT = Path(__file__).resolve().parents[2]
WRITER = """
import itertools, sys
from pathlib import Path
from core.index.edge import EdgeIndex
from core.index.guarded import open_guarded
from tests.fakes import FAKE_INFO, make_entries
index = EdgeIndex(Path(sys.argv[1]), FAKE_INFO)
for number in itertools.count():
    index.upsert(make_entries(f"Video {number}"))
    print(number, flush=True)
"""
HOLDER = """
import sys
from pathlib import Path
from core.index.edge import EdgeIndex
from core.index.guarded import open_guarded
from tests.fakes import FAKE_INFO
index = EdgeIndex(Path(sys.argv[1]), FAKE_INFO)
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "index"


def run(code: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def filled(folder: Path) -> Path:
    """Make a library of one video and close it."""
    index = EdgeIndex(folder, FAKE_INFO)
    index.upsert(make_entries("Wolf"))
    index.close()
    return folder


def test_what_was_written_outlives_a_kill(folder: Path) -> None:
    written = -1
    for round_ in (1, 2):  # the second round also writes again what the first one left
        with run(WRITER, folder) as writer:
            seen = [int(writer.stdout.readline()) for _ in range(20 * round_)]
            writer.kill()
            seen += [int(line) for line in writer.stdout.read().splitlines()]
        written = max(written, *seen)
        index = EdgeIndex(folder, FAKE_INFO)
        ids = {entry.video_id for entry in index.scroll(scope="video")}
        clips = {n: list(index.scroll(video_id=make_entries(f"Video {n}")[0].video_id)) for n in range(written + 1)}
        index.close()
        assert {make_entries(f"Video {n}")[0].video_id for n in range(written + 1)} <= ids
        assert {len(entries) for entries in clips.values()} == {4}


def test_a_library_that_another_process_has_open_says_so(folder: Path) -> None:
    with run(HOLDER, folder) as holder:
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(LibraryLocked) as caught:
            EdgeIndex(folder, FAKE_INFO)
        holder.stdin.close()
    assert str(folder) in str(caught.value)
    assert "Stop" in str(caught.value)
    assert "DATA_DIR" in str(caught.value)
    EdgeIndex(folder, FAKE_INFO).close()


def test_a_mismatch_is_said_even_while_the_library_is_open_elsewhere(folder: Path) -> None:
    holder = EdgeIndex(folder, FAKE_INFO)
    other = type(FAKE_INFO)("other-v2", 64, (), (), 0.1, 0.3, 0.6)
    with pytest.raises(EncoderMismatch):
        EdgeIndex(folder, other)
    with pytest.raises(LibraryLocked):
        EdgeIndex(folder, FAKE_INFO)
    holder.close()


def test_two_that_create_the_library_at_once_make_one(folder: Path) -> None:
    with run(HOLDER, folder) as one, run(HOLDER, folder) as two:
        assert sorted(process.stdout.readline() for process in (one, two)) == ["", "open\n"]
        for process in (one, two):
            process.stdin.close()
    index = EdgeIndex(folder, FAKE_INFO)
    assert index.count() == Counts(0, 0)
    index.close()
    assert [path.name for path in folder.parent.iterdir()] == ["index"]


@pytest.mark.parametrize("opened", [EdgeIndex, open_guarded])
def test_an_empty_folder_becomes_a_library(folder: Path, opened: Callable[..., EdgeIndex]) -> None:
    folder.mkdir(parents=True)
    index = opened(folder, FAKE_INFO)
    assert index.count() == Counts(0, 0)
    index.close()


def test_fields_that_filter_are_indexed(folder: Path) -> None:
    filled(folder)
    shard = qdrant_edge.EdgeShard.load(str(folder / "shard"))
    indexed = {name: field.points for name, field in shard.info().payload_schema.items()}
    unlabelled = dict.fromkeys(("categories", "moods", "labels_version", "language"), 0)
    assert indexed == dict.fromkeys(FIELDS, 4) | unlabelled
    shard.close()


def test_a_file_where_the_folder_should_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(LibraryError, match="DATA_DIR"):
        EdgeIndex(tmp_path / "data" / "index", FAKE_INFO)


def test_a_folder_that_may_not_be_written_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(LibraryError, match=r"Permission denied.*Let this user write to it"):
        EdgeIndex(folder, FAKE_INFO)


@pytest.mark.parametrize("note", ["", "[]", "{}", '{"encoder": "fake-v1", "dimension": "many"}', None])
def test_a_library_that_does_not_say_who_filled_it_is_refused(folder: Path, note: str | None) -> None:
    note_path = filled(folder) / "library.json"
    if note is None:
        note_path.unlink()
    else:
        note_path.write_text(note)
    with pytest.raises(LibraryError, match=r"library\.json does not say which encoder"):
        EdgeIndex(folder, FAKE_INFO)
    assert (folder / "shard" / "segments").is_dir(), "a library that is refused must not be touched"


@pytest.mark.parametrize(
    "damaged", ["wal/first-index", "edge_config.json", "segments/*/vector_storage/deleted/status.dat"]
)
def test_a_damaged_library_is_said_in_a_sentence(folder: Path, damaged: str) -> None:
    """The last of the three makes Edge panic, which is not an Exception."""
    [path] = filled(folder).joinpath("shard").glob(damaged)
    path.write_bytes(b"")
    with pytest.raises(LibraryError, match=r"could not be read or written.*restore it from a backup"):
        EdgeIndex(folder, FAKE_INFO)


def test_a_shard_that_is_gone_is_said_not_made_anew(folder: Path) -> None:
    shutil.rmtree(filled(folder) / "shard")
    with pytest.raises(LibraryError, match="restore it from a backup"):
        EdgeIndex(folder, FAKE_INFO)


def test_an_almost_full_disk_is_refused_before_it_kills(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = EdgeIndex(folder, FAKE_INFO)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(10**9, 10**9 - 10**6, 10**6))
    with pytest.raises(LibraryError, match=r"almost full. Free at least 128 MB"):
        index.upsert(make_entries())
    monkeypatch.undo()
    index.upsert(make_entries())
    assert index.count() == Counts(1, 3)
    index.close()


def test_what_edge_cannot_write_is_said_in_a_sentence(folder: Path) -> None:
    index = EdgeIndex(folder, FAKE_INFO)
    with pytest.raises(LibraryError, match="could not be read or written"):
        index.upsert(make_entries(filename="undecodable \udcff.mp4"))
    assert index.count() == Counts(0, 0)
    index.close()


@pytest.mark.parametrize("per_video", [1, 2])
@pytest.mark.parametrize("before", ["_videos_of", "_retrieved", "_asked_each"])
def test_a_video_that_is_deleted_while_it_is_searched_is_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch, per_video: int, before: str
) -> None:
    index = EdgeIndex(folder, FAKE_INFO)
    for title in ("Wolf", "Bear"):
        index.upsert(make_entries(title))
    goes, stays = (make_entries(title)[0].video_id for title in ("Wolf", "Bear"))
    step, called = getattr(index, before), []

    def delete_first(*arguments: object) -> object:
        called.append(before)
        index.delete(goes)
        return step(*arguments)

    monkeypatch.setattr(index, before, delete_first)
    found = [match.video_id for match in index.search(word_vector("wolf"), limit=2, per_video=per_video)]
    skipped = before == ("_retrieved" if per_video > 1 else "_asked_each")
    assert found == ([goes, stays] if skipped else [stays])
    assert bool(called) is not skipped
    index.close()


def test_which_video_an_entry_is_of_is_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = EdgeIndex(folder, FAKE_INFO)
    index.upsert(make_entries("Wolf"))
    index.search(word_vector("wolf"), limit=1)
    index.upsert(make_entries("Bear"))
    read: list[int] = []

    class Watched:
        shard = index._shard

        def __getattr__(self, name: str) -> object:
            return getattr(self.shard, name)

        def retrieve(self, ids: list, **how: object) -> list:
            read.append(len(ids))
            return self.shard.retrieve(ids, **how)

    monkeypatch.setattr(index, "_shard", Watched())
    index.search(word_vector("wolf"), limit=2, per_video=2)
    assert read == [4], "the entries of the new video, and not those that were read before"
    index.search(word_vector("bear"), limit=2, per_video=2)
    assert read == [4]
    index.close()


def counted_by_edge(index: EdgeIndex, field: str, **conditions: object) -> dict[str, int]:
    """Return what Edge counts by itself, reading every entry."""
    request = qdrant_edge.FacetRequest(field, limit=1000, exact=True, filter=edge_module._where(**conditions))
    return {hit.value: hit.count for hit in index._shard.facet(request).hits}


def test_what_is_counted_stays_what_edge_counts_through_all_writes(folder: Path) -> None:
    index = EdgeIndex(folder, FAKE_INFO)
    index.upsert(make_entries("First", categories=("city",)))
    assert index.count() == Counts(1, 3)
    reads = watched_scrolls(index)
    conditions = (None, Where(any_of={"shape": ["portrait"]}), Where(none_of={"categories": ["nature"]}))
    kinds = ((), ("nature",), ("nature", "city"), None)
    rng = random.Random(4)
    for step in range(60):
        title = f"Video {rng.randrange(12)}"
        entries = make_entries(
            title, clips=rng.randrange(4), width_px=rng.choice((90, 200)), categories=rng.choice(kinds), moods=("calm",)
        )
        if step % 5 == 0:
            index.delete(entries[0].video_id)
        elif step % 5 == 1:
            index.label(entries[:1])
        else:
            index.upsert(entries[rng.randrange(2) :])
        for where in conditions:
            of_videos = {"scope": "video", "where": where}
            assert index.facets("categories", where) == counted_by_edge(index, "categories", **of_videos)
            assert index.facets("shape", where) == counted_by_edge(index, "shape", **of_videos)
        scopes = counted_by_edge(index, "scope")
        assert index.count() == Counts(scopes.get("video", 0), scopes.get("clip", 0))
    assert reads == [], "it was read through once, and then kept up with"
    index.close()


def watched_scrolls(index: EdgeIndex) -> list[object]:
    """Return a list that every scroll of the shard from now on is put into."""
    reads: list[object] = []

    class Watched:
        shard = index._shard

        def __getattr__(self, name: str) -> object:
            return getattr(self.shard, name)

        def scroll(self, request: object) -> object:
            reads.append(request)
            return self.shard.scroll(request)

    index._shard = Watched()
    return reads


def test_content_that_is_written_over_under_another_id_is_counted_once(folder: Path) -> None:
    index = EdgeIndex(folder, FAKE_INFO)
    index.upsert(make_entries("Wolf", video_id="an-id-from-before"))
    assert index.count() == Counts(1, 3)
    index.upsert(make_entries("Wolf"))
    assert index.count() == Counts(1, 3)
    assert index.facets("video_id") == {make_entries("Wolf")[0].video_id: 1}
    index.close()


def test_what_failed_half_way_is_counted_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = EdgeIndex(folder, FAKE_INFO)
    index.upsert(make_entries("Wolf"))
    assert index.count() == Counts(1, 3)
    shard, update = index._shard, index._shard.update

    class Failing:
        def __getattr__(self, name: str) -> object:
            return getattr(shard, name)

        def update(self, operation: object) -> None:
            update(operation)
            raise RuntimeError("the disk went away")

    index._shard = Failing()
    with pytest.raises(LibraryError, match="went away"):
        index.upsert(make_entries("Bear"))
    index._shard = shard
    assert index.count() == Counts(2, 6)
    index.close()


def test_what_is_not_an_error_of_edge_passes_through(folder: Path) -> None:
    index = EdgeIndex(folder, FAKE_INFO)
    with pytest.raises(KeyboardInterrupt), index._translated():
        raise KeyboardInterrupt
    assert index.search(word_vector("wolf"), limit=1) == []
    index.close()
