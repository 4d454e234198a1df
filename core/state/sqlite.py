"""SQLite under DATA_DIR: the ledger of the jobs."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from pathlib import Path

from core.errors import LibraryLocked, StoreError
from core.models import Stage
from core.state.base import JobRecord

_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE jobs (
    number     INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL,
    stage      TEXT NOT NULL,
    progress   REAL NOT NULL,
    worked_s   REAL NOT NULL,
    reason     TEXT,
    duplicate  INTEGER NOT NULL,
    cancel     INTEGER NOT NULL,
    claimed    INTEGER NOT NULL,
    untidy     INTEGER NOT NULL,
    work       TEXT NOT NULL
);
CREATE TABLE notes (
    job_id TEXT NOT NULL,
    name   TEXT NOT NULL,
    value  TEXT NOT NULL,
    PRIMARY KEY (job_id, name)
) WITHOUT ROWID;
"""
_COLUMNS = "number, id, created_at, stage, progress, worked_s, reason, duplicate, cancel, claimed, untidy, work"


class SqliteLedger:
    """Keep job records and notes in one SQLite file, which belongs to one process while it is open.

    Full synchronous: a note may be the receipt for paid work. Raises LibraryLocked when another process has the file,
    StoreError when it cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._lock = threading.Lock()
        with self._translated():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self._path, timeout=1.0, isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def load(self) -> list[JobRecord]:
        with self._lock, self._translated():
            found = self._db.execute(f"SELECT {_COLUMNS} FROM jobs ORDER BY number").fetchall()
        return [_record(*row) for row in found]

    def save(self, record: Callable[[], JobRecord]) -> None:
        with self._lock, self._translated():
            row = record()
            values = tuple(getattr(row, name) for name in _COLUMNS.split(", "))
            self._db.execute(f"REPLACE INTO jobs ({_COLUMNS}) VALUES ({', '.join('?' * len(values))})", values)

    def delete(self, job_ids: Sequence[str]) -> None:
        ids = [(job_id,) for job_id in job_ids]
        with self._lock, self._translated():
            self._db.executemany("DELETE FROM notes WHERE job_id = ?", ids)
            self._db.executemany("DELETE FROM jobs WHERE id = ?", ids)

    def notes(self, job_id: str) -> MutableMapping[str, str]:
        return _Notes(self, job_id)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def read_notes(self, job_id: str) -> dict[str, str]:
        """Return the notes of a job as they are on disk."""
        with self._lock, self._translated():
            return dict(self._db.execute("SELECT name, value FROM notes WHERE job_id = ?", (job_id,)).fetchall())

    def write_note(self, job_id: str, name: str, value: str | None) -> None:
        """Write a note down, or delete it."""
        with self._lock, self._translated():
            if value is None:
                self._db.execute("DELETE FROM notes WHERE job_id = ? AND name = ?", (job_id, name))
            else:
                self._db.execute("REPLACE INTO notes VALUES (?, ?, ?)", (job_id, name, value))

    def _prepare(self) -> None:
        """Take the file for this process (the lock goes with the process, however it ends) and make its tables."""
        with self._translated():
            for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL"):
                self._db.execute(f"PRAGMA {pragma}")
            self._db.execute("BEGIN EXCLUSIVE")
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
            self._db.execute("COMMIT")
        if version > _SCHEMA_VERSION:
            raise StoreError(f"{self._path} was written by a newer version of this app. Update the app to use it.")

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what SQLite and the disk say into a sentence."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            name = getattr(error, "sqlite_errorname", "")
            if name.startswith("SQLITE_BUSY"):
                raise LibraryLocked(
                    "Another program is working on this library, the app or a command. "
                    f"Close it, then try again ({self._path})."
                ) from error
            if name == "SQLITE_FULL":
                raise StoreError("The disk is full. Free some space, then press Retry.") from error
            raise StoreError(
                f"The jobs file {self._path} could not be used ({error}). Check that this user may write to it; if it "
                "is damaged, move it away and start again: the videos in the library stay."
            ) from error


def _record(
    number: int,
    job_id: str,
    created_at: str,
    stage: str,
    progress: float,
    worked_s: float,
    reason: str | None,
    duplicate: int,
    cancel: int,
    claimed: int,
    untidy: int,
    work: str,
) -> JobRecord:
    """Return the record that these columns hold."""
    flags = (bool(duplicate), bool(cancel), bool(claimed), bool(untidy))
    return JobRecord(number, job_id, created_at, Stage(stage), progress, worked_s, reason, *flags, work)


class _Notes(MutableMapping[str, str]):
    """The notes of one job; an assignment is on disk when it returns."""

    def __init__(self, ledger: SqliteLedger, job_id: str) -> None:
        self._ledger = ledger
        self._job_id = job_id
        self._held = ledger.read_notes(job_id)

    def __getitem__(self, name: str) -> str:
        return self._held[name]

    def __setitem__(self, name: str, value: str) -> None:
        self._ledger.write_note(self._job_id, name, value)
        self._held[name] = value

    def __delitem__(self, name: str) -> None:
        del self._held[name]
        self._ledger.write_note(self._job_id, name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)
