"""The second copy of an embedded space: all that is written to its shard, once more, in a file of another kind.

A shard is dozens of memory maps without checksums, in a format that is in beta; what it holds cost hours of encoding or
money. The spare holds each entry as one row with a checksum, so that a shard is mended from it (guarded.py), and it
from the shard. Labels are not in it: they are worked out from the vectors again. Some 3 KB an entry.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import LibraryError, Sentence
from core.index import base
from core.models import Entry

logger = logging.getLogger(__name__)

BUSY_S = 5.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS space (
    one INTEGER PRIMARY KEY CHECK (one = 1), note TEXT NOT NULL, closed INTEGER NOT NULL, whole INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS entries (
    id TEXT PRIMARY KEY, video_id TEXT NOT NULL, payload TEXT NOT NULL, vector BLOB NOT NULL, crc INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS by_video ON entries (video_id);
"""
_PUT = "INSERT OR REPLACE INTO entries (id, video_id, payload, vector, crc) VALUES (?, ?, ?, ?, ?)"
_ROWS = "SELECT id, payload, vector, crc FROM entries"
_NO_LABELS: dict[str, Any] = dict.fromkeys(base.LABELS)


class SpareDamaged(LibraryError):
    """Say what SQLite said of a file that is not whole."""


class Spare:
    """Keep the entries of one space in a file. Safe to use from several threads; one process at a time.

    Opening makes the file when there is none. Raises SpareDamaged when it cannot be read, LibraryError when it cannot
    be used for another reason.
    """

    def __init__(self, path: Path, space: base.Space) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False)
            try:
                self._db.execute("PRAGMA journal_mode = WAL").close()
                self._db.execute("PRAGMA synchronous = FULL").close()
                self._db.executescript(_SCHEMA)
                row = self._db.execute("SELECT closed, whole FROM space").fetchone() or (1, 0)
                self.closed_well = bool(row[0])
                """Whether it was closed, not cut off, the last time."""
                self.is_whole = bool(row[1])
                """Whether all that the shard held was once in it: then what it has is all there is."""
                self.note(space)
            except BaseException:
                self._db.close()
                raise
        except sqlite3.Error as error:
            raise self._sentence(error) from error

    def put(self, entries: Sequence[Entry]) -> None:
        """Write entries over those that have their ids. Raises LibraryError."""
        rows = [_row(entry) for entry in entries]
        with self._changing() as db:
            db.executemany(_PUT, rows)

    def remove(self, video_id: str) -> None:
        """Remove the entries of a video. Raises LibraryError."""
        with self._changing() as db:
            db.execute("DELETE FROM entries WHERE video_id = ?", (video_id,))

    def note(self, space: base.Space) -> None:
        """Remember what the space is, and that it is open. Raises LibraryError."""
        with self._changing() as db:
            row = (json.dumps(base.note(space)), self.is_whole)
            db.execute("INSERT OR REPLACE INTO space (one, note, closed, whole) VALUES (1, ?, 0, ?)", row)

    def mark_whole(self) -> None:
        """Remember that all that the shard holds is in it. Raises LibraryError."""
        if not self.is_whole:
            with self._changing() as db:
                db.execute("UPDATE space SET whole = 1")
            self.is_whole = True

    def check(self) -> None:
        """Read the whole file. Raises SpareDamaged."""
        with self._reading() as db:
            said = str(db.execute("PRAGMA integrity_check(1)").fetchone()[0])
            if said != "ok":
                raise sqlite3.DatabaseError(" ".join(said.replace("***", "").split()))

    def count(self) -> int:
        """Return how many entries there are. Raises LibraryError."""
        with self._reading() as db:
            return int(db.execute("SELECT count(*) FROM entries").fetchone()[0])

    def ids(self) -> set[str]:
        with self._reading() as db:
            return {id_ for (id_,) in db.execute("SELECT id FROM entries")}

    def get(self, ids: Sequence[str]) -> Mapping[str, Entry]:
        """Return entries by their ids; a row that is not what was written is left out."""
        marks = ",".join("?" * len(ids))
        with self._reading() as db:
            return {
                id_: entry for id_, entry in map(_entry, db.execute(f"{_ROWS} WHERE id IN ({marks})", ids)) if entry
            }

    def close(self, *, well: bool = True) -> None:
        """Let go of the file, and note that all is well unless it is not: then the next opening looks through it."""
        with self._lock:
            try:
                if well:
                    with self._db:
                        self._db.execute("UPDATE space SET closed = 1")
            except sqlite3.Error as error:  # as if it had been cut off
                if not isinstance(error, sqlite3.ProgrammingError):  # which says that it was closed before
                    logger.warning("%s", self._sentence(error))
            finally:
                self._db.close()

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as db, db:
            yield db

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._db
            except sqlite3.Error as error:
                raise self._sentence(error) from error

    def _sentence(self, error: sqlite3.Error) -> LibraryError:
        if getattr(error, "sqlite_errorname", "") == "SQLITE_FULL":
            return LibraryError("The disk that holds {path} is full. Free some space and try again.", path=self.path)
        sentence = Sentence(
            "{path}, the second copy of the library, could not be read or written ({why}). Check the disk, and that "
            "this user may write there; then start the app again: a damaged one is made anew.",
            path=self.path,
            why=error,
        )
        return SpareDamaged(sentence) if is_damage(error) else LibraryError(sentence)


def note_in(path: Path) -> base.Space | None:
    """Return what a spare says of its space; None where there is none that can be read."""
    if not path.exists():
        return None
    try:
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            (text,) = db.execute("SELECT note FROM space").fetchone()
            return base.from_note(json.loads(text))
        finally:
            db.close()
    except (sqlite3.Error, ValueError, KeyError, TypeError):
        return None


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether SQLite says of a file that it is none of its own, or not whole."""
    name = getattr(error, "sqlite_errorname", None)  # None: what Python makes of a text, and what a check said
    return isinstance(error, sqlite3.DatabaseError) and (
        name is None or name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_ERROR"))
    )


def _row(entry: Entry) -> tuple[str, str, str, bytes, int]:
    id_, payload = base.id_of(entry), json.dumps(base.to_payload(replace(entry, **_NO_LABELS)))
    vector = np.asarray(entry.vector, "<f4").tobytes()
    return id_, entry.video_id, payload, vector, _crc(id_, payload, vector)


def _entry(row: tuple[str, str, bytes, int]) -> tuple[str, Entry | None]:
    id_, payload, vector, crc = row
    try:
        if _crc(id_, payload, vector) != crc:
            return id_, None
        return id_, base.from_payload(json.loads(payload), np.frombuffer(vector, "<f4").astype(np.float32))
    except (ValueError, KeyError, TypeError, AttributeError):
        return id_, None


def _crc(id_: str, payload: str, vector: bytes) -> int:
    return zlib.crc32(vector, zlib.crc32(f"{id_}\n{payload}".encode()))
