"""The shelf in SQLite: made late, shared by processes, and never written over when damaged."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from core.errors import StoreError, Unavailable
from core.state import sqlite
from core.state.sqlite import SqliteShelf
from core.state.tables import PROFILES

WRITER = """
import sys
from pathlib import Path
from sqlalchemy import insert
from core.state.sqlite import SqliteShelf
from core.state.tables import PROFILES
shelf = SqliteShelf(Path(sys.argv[1]), "taste")
print("ready", flush=True)
sys.stdin.readline()
for number in range(30):
    with shelf.change() as db:
        db.execute(insert(PROFILES), {"key": f"{sys.argv[2]}-{number}", "name": ""})
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "words.sqlite3"


def make(path: Path) -> SqliteShelf:
    return SqliteShelf(path, "taste")


def put(shelf: SqliteShelf, *words: str, then: Exception | None = None) -> None:
    with shelf.change() as db:
        for word in words:
            db.execute(insert(PROFILES), {"key": word, "name": ""})
        if then is not None:
            raise then


def words(shelf: SqliteShelf) -> list[str]:
    return [word for (word,) in shelf.rows(select(PROFILES.c.key).order_by(PROFILES.c.key))]


def test_looking_makes_no_file(path: Path) -> None:
    assert words(make(path)) == []
    assert not path.parent.exists()


def test_what_is_put_there_stays(path: Path) -> None:
    put(make(path), "wolf")
    assert words(make(path)) == ["wolf"]


def test_an_empty_file_is_an_empty_shelf(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    assert words(make(path)) == []
    put(make(path), "wolf")
    assert words(make(path)) == ["wolf"]


def test_a_change_that_fails_leaves_all_as_it_was(path: Path) -> None:
    shelf = make(path)
    put(shelf, "wolf")
    with pytest.raises(StoreError, match="UNIQUE"):
        put(shelf, "dog", "wolf")
    with pytest.raises(RuntimeError):
        put(shelf, "cat", then=RuntimeError("of the caller's own"))
    assert words(shelf) == ["wolf"]


def test_it_reads_while_another_changes(path: Path) -> None:
    shelf = make(path)
    put(shelf, "wolf")
    with shelf.change() as db:
        db.execute(insert(PROFILES), {"key": "dog", "name": ""})
        assert words(make(path)) == ["wolf"]
    assert words(shelf) == ["dog", "wolf"]


def test_who_waits_too_long_for_another_gets_a_sentence(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_S", 0.05)
    mine, other = make(path), make(path)
    put(mine, "wolf")
    with mine.change(), pytest.raises(Unavailable, match=r"changing the likes and dislikes .*Try again"):
        put(other, "dog")


def test_processes_and_threads_make_it_and_fill_it_together(path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(path)]
    root = Path(__file__).parents[2]
    writers = [
        subprocess.Popen([*command, name], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in ("a", "b", "c")
    ]
    mine = make(path)
    threads = [
        threading.Thread(target=lambda name=name: [put(mine, f"{name}-{number}") for number in range(30)])
        for name in ("d", "e")
    ]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for writer in writers:
        writer.communicate(timeout=120)
        assert writer.returncode == 0
    assert words(mine) == sorted(f"{name}-{number}" for name in "abcde" for number in range(30))


@pytest.mark.parametrize("data", [b"this is not a database" * 99, b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_damaged_file_gets_a_sentence_and_is_not_touched(path: Path, data: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"The likes and dislikes in .*words\.sqlite3 could not be .*move it away"):
        words(make(path))
    with pytest.raises(StoreError, match="move it away"):
        put(make(path), "wolf")
    assert path.read_bytes() == data


def test_a_folder_in_its_place_gets_a_sentence(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StoreError, match="could not be read or changed"):
        words(make(path))


def test_a_file_in_the_place_of_its_folder_gets_a_sentence(path: Path) -> None:
    path.parent.write_text("in the way")
    with pytest.raises(StoreError, match="could not be read or changed"):
        put(make(path), "wolf")


def test_a_full_disk_gets_a_sentence(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = make(path)
    put(shelf, "wolf")
    connect = shelf._connect

    def cramped() -> sqlite3.Connection:
        db = connect()
        db.execute("PRAGMA max_page_count = 4")
        return db

    monkeypatch.setattr(shelf, "_connect", cramped)
    with pytest.raises(StoreError, match="disk is full"):
        put(shelf, "w" * 100_000)
    assert words(shelf) == ["wolf"]


def test_readers_do_not_wait_for_writers(path: Path) -> None:
    put(make(path), "wolf")
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
