"""What keeps the spaces of a library side by side, over each backend; and what only folders or collections do."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import EncoderMismatch, LibraryError, LibraryLocked
from core.index import edge_spaces
from core.index.base import Space, Spaces, to_payload
from core.index.edge import EdgeIndex
from core.index.edge_spaces import EdgeSpaces, folder_name
from core.index.server import ServerIndex
from core.index.server_spaces import ServerSpaces
from core.models import Counts
from tests.fakes import FAKE_INFO, MemorySpaces, make_entries
from tests.index.released import FILLED_BY, SEA, WOLF, unpack
from tests.servers.qdrant import QdrantServer

OTHER = replace(FAKE_INFO, name="maker/other model-2", dimension=32)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def qdrant() -> Iterator[QdrantServer]:
    with QdrantServer() as server:
        yield server


@pytest.fixture(params=("memory", "edge", "server"))
def opened(request: pytest.FixtureRequest, tmp_path: Path, qdrant: QdrantServer) -> Callable[[], Spaces]:
    """Return what opens the spaces as a new process would."""
    memory = MemorySpaces()
    return {
        "memory": lambda: memory,
        "edge": lambda: EdgeSpaces(tmp_path),
        "server": lambda: ServerSpaces(qdrant.url, None, tmp_path.name),
    }[request.param]


def test_there_are_none_at_first(opened: Callable[[], Spaces]) -> None:
    spaces = opened()
    assert spaces.all() == []
    with pytest.raises(LibraryError, match="fake-v1"):
        spaces.open(FAKE_INFO)
    with pytest.raises(LibraryError, match="fake-v1"):
        spaces.mark("fake-v1", complete=True)
    spaces.drop("fake-v1")
    spaces.close()


def test_two_spaces_hold_the_same_videos_side_by_side(opened: Callable[[], Spaces]) -> None:
    spaces = opened()
    one, two = spaces.make(FAKE_INFO, complete=True), spaces.make(OTHER, complete=False)
    one.upsert(make_entries("Wolf"))
    two.upsert(make_entries("Wolf", info=OTHER, clips=1))
    assert spaces.all() == [Space("fake-v1", 64, True), Space("maker/other model-2", 32, False)]
    assert (one.count(), two.count()) == (Counts(1, 3), Counts(1, 1))
    assert {entry.video_id for index in (one, two) for entry in index.scroll()} == {make_entries("Wolf")[0].video_id}
    for index in (one, two):
        index.close()
    spaces.close()

    spaces = opened()
    assert [space.complete for space in spaces.all()] == [True, False]
    again = spaces.open(OTHER)
    assert again.count() == Counts(1, 1)
    again.close()
    spaces.close()


def test_what_is_there_is_opened_as_it_is(opened: Callable[[], Spaces]) -> None:
    spaces = opened()
    first = spaces.make(OTHER, complete=False)
    first.upsert(make_entries(info=OTHER))
    first.close()
    again = spaces.make(OTHER, complete=True)
    assert again.count().videos == 1
    assert spaces.all() == [Space(OTHER.name, 32, False)]
    again.close()
    spaces.close()


def test_marking_is_remembered(opened: Callable[[], Spaces]) -> None:
    spaces = opened()
    for info in (FAKE_INFO, OTHER):
        spaces.make(info, complete=False).close()
    for complete in (True, True, False, True):
        spaces.mark(OTHER.name, complete=complete)
        assert [space.complete for space in opened().all()] == [False, complete]
    spaces.close()


def test_a_dropped_space_is_gone_and_the_other_stays(opened: Callable[[], Spaces]) -> None:
    spaces = opened()
    for info in (FAKE_INFO, OTHER):
        index = spaces.make(info, complete=True)
        index.upsert(make_entries(info=info))
        index.close()
    spaces.drop(FAKE_INFO.name)
    assert [space.encoder for space in opened().all()] == [OTHER.name]
    fresh, kept = spaces.make(FAKE_INFO, complete=False), spaces.open(OTHER)
    assert (fresh.count().videos, kept.count().videos) == (0, 1)
    for index in (fresh, kept):
        index.close()
    spaces.close()


def test_a_name_with_another_dimension_is_refused(opened: Callable[[], Spaces]) -> None:
    spaces = opened()
    spaces.make(OTHER, complete=True).close()
    with pytest.raises(EncoderMismatch):
        spaces.open(replace(OTHER, dimension=16))
    spaces.close()


# Folders


def test_folders_of_two_encoders_are_never_the_same() -> None:
    names = ["a/b", "a-b", "A/B", "日本", "…", "a" * 200]
    assert len({folder_name(name) for name in names}) == len(names)
    assert all(name.isascii() and "/" not in name and len(name) < 80 for name in map(folder_name, names))


def test_a_library_of_release_0_1_0_takes_its_place_among_the_spaces(tmp_path: Path) -> None:
    spaces = EdgeSpaces(unpack(tmp_path))
    assert spaces.all() == [Space("local-v2", 384, True)]
    assert not (tmp_path / "index").exists()
    index = spaces.open(FILLED_BY)
    assert {entry.video_id for entry in index.scroll(scope="video")} == {WOLF, SEA}
    assert index.count() == Counts(2, 2)
    index.close()
    assert EdgeSpaces(tmp_path).all() == spaces.all(), "the second start finds it where it is"


TAKER = """
import os, signal, sys
from pathlib import Path
from core.index import edge_spaces
def rename(self, target):
    if sys.argv[2] == "after":
        os.rename(self, target)
    os.kill(os.getpid(), signal.SIGKILL)
edge_spaces.Path.rename = rename
edge_spaces.EdgeSpaces(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_it_is_whole_when_the_move_is_cut_off(tmp_path: Path, moment: str) -> None:
    unpack(tmp_path)
    life = subprocess.run([sys.executable, "-c", TAKER, str(tmp_path), moment], cwd=ROOT)
    assert life.returncode == -signal.SIGKILL
    assert (tmp_path / "index").exists() == (moment == "before")
    spaces = EdgeSpaces(tmp_path)
    assert spaces.all() == [Space("local-v2", 384, True)]
    index = spaces.open(FILLED_BY)
    assert index.count() == Counts(2, 2)
    index.close()


def test_it_is_left_where_it_is_while_another_process_has_it_open(tmp_path: Path) -> None:
    holder = EdgeIndex(unpack(tmp_path) / "index", FILLED_BY)
    with pytest.raises(LibraryLocked):
        EdgeSpaces(tmp_path)
    assert (tmp_path / "index" / "library.json").exists()
    holder.close()
    assert len(EdgeSpaces(tmp_path).all()) == 1


def test_two_libraries_of_one_encoder_are_not_mixed(tmp_path: Path) -> None:
    EdgeSpaces(unpack(tmp_path))
    unpack(tmp_path)
    with pytest.raises(LibraryError, match="two libraries that local-v2 filled"):
        EdgeSpaces(tmp_path)


def test_what_killed_processes_left_is_swept(tmp_path: Path) -> None:
    EdgeSpaces(tmp_path).make(FAKE_INFO, complete=True).close()
    root = tmp_path / "spaces"
    for name in (".dropping-1", ".making-1", ".making-2", "notes"):
        (root / name).mkdir()
    old = time.time() - edge_spaces.ABANDONED_AFTER_S - 1
    os.utime(root / ".making-1", (old, old))
    (root / "notes").rmdir()
    assert [space.encoder for space in EdgeSpaces(tmp_path).all()] == ["fake-v1"]
    assert sorted(path.name for path in root.iterdir()) == [".making-2", folder_name("fake-v1")]


def test_a_broken_note_is_said(tmp_path: Path) -> None:
    spaces = EdgeSpaces(tmp_path)
    spaces.make(FAKE_INFO, complete=True).close()
    note = tmp_path / "spaces" / folder_name("fake-v1") / "library.json"
    assert json.loads(note.read_text()) == {"encoder": "fake-v1", "dimension": 64}
    note.write_text("{")
    note.with_name("spare.sqlite3").unlink()  # or it would say so
    with pytest.raises(LibraryError, match="does not say which encoder"):
        spaces.all()
    shutil.rmtree(note.parent)
    assert spaces.all() == []


# Collections


def test_the_first_space_has_the_collection_of_the_name(tmp_path: Path, qdrant: QdrantServer) -> None:
    name = tmp_path.name
    ServerIndex(qdrant.url, None, name, FAKE_INFO).close()  # as release 0.1.0 made it
    other = ServerIndex(qdrant.url, None, f"{name}-of-somebody-else", OTHER)
    spaces = ServerSpaces(qdrant.url, None, name)
    assert spaces.all() == [Space("fake-v1", 64, True)]
    index = spaces.make(OTHER, complete=False)
    assert index.collection.startswith(f"{name}--maker-other-model-2-")
    assert [space.encoder for space in spaces.all()] == ["fake-v1", OTHER.name]
    index.close()
    spaces.drop(FAKE_INFO.name)
    assert [space.encoder for space in spaces.all()] == [OTHER.name]
    assert other.count() == Counts(0, 0), "a name that only begins like ours is left alone"
    other.close()
    spaces.close()


def test_a_collection_without_a_note_is_known_by_its_entries(tmp_path: Path, qdrant: QdrantServer) -> None:
    index = ServerIndex(qdrant.url, None, tmp_path.name, FAKE_INFO)
    index.upsert(make_entries("Wolf"))
    before = to_payload(next(index.scroll(scope="video")))
    index.close()
    client = qdrant.memory._client._client
    client.collections[tmp_path.name].config.metadata = None
    spaces = ServerSpaces(qdrant.url, None, tmp_path.name)
    assert spaces.all() == [Space("fake-v1", 64, True)]
    again = spaces.open(FAKE_INFO)
    assert to_payload(next(again.scroll(scope="video"))) == before
    again.close()
    spaces.close()


def test_a_server_that_forgets_notes_holds_one_space_only(
    tmp_path: Path, qdrant: QdrantServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ServerIndex(qdrant.url, None, tmp_path.name, FAKE_INFO)
    first.upsert(make_entries("Wolf"))
    first.close()
    describe = qdrant.memory.get_collection

    def forget(name: str) -> object:
        described = describe(name)
        described.config.metadata = None
        return described

    monkeypatch.setattr(qdrant.memory, "get_collection", forget)
    spaces = ServerSpaces(qdrant.url, None, tmp_path.name)
    with pytest.raises(LibraryError, match=r"Update the server to 1\.16"):
        spaces.make(OTHER, complete=False)
    assert [space.encoder for space in spaces.all()] == ["fake-v1"]
    assert [c.name for c in qdrant.memory.get_collections().collections if c.name.startswith(tmp_path.name)] == [
        tmp_path.name
    ]
    spaces.close()
