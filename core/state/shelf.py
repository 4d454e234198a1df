"""A small SQLite file that several threads and processes share, for what people want kept beside their videos.

The file is opened for each use and let go of at once: there is nothing to close, a damaged file is a sentence where it
is used and not at the start of the app, and nobody holds it against another process. Opening costs well under a
millisecond. Nothing is ever written over a file that cannot be read.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from core.errors import StoreError, Unavailable

BUSY_S = 5.0
"""How long to wait for another process that writes."""
_RETRY_S = 0.01


class Shelf:
    """Read and change the tables of one file.

    `holds` names its contents in sentences ("likes and dislikes"). `schema` makes the tables of `version`. Every method
    raises Unavailable when another process is in the way for too long, StoreError when the file cannot be used.
    """

    def __init__(self, path: Path, schema: Sequence[str], *, holds: str, version: int = 1) -> None:
        self._path = path
        self._schema = tuple(schema)
        self._holds = holds
        self._version = version

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple]:
        """Return what a SELECT finds. A file that is not there yet has nothing in it, and is not made."""
        with self._translated():
            if not self._path.exists():
                return []
            with closing(self._connect()) as db:
                return db.execute(sql, values).fetchall() if self._made(db) else []

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """Open the file, made if need be, for a change that happens as a whole or not at all, one at a time."""
        with self._translated():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._connect()) as db:
                if not self._made(db):
                    _let_readers_in(db)
                db.execute("BEGIN IMMEDIATE")
                with db:  # commits, or rolls back when anything goes wrong
                    if not self._made(db):  # asked again: another may have been faster
                        for statement in self._schema:
                            db.execute(statement)
                        db.execute(f"PRAGMA user_version = {self._version}")
                    yield db

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None)

    def _made(self, db: sqlite3.Connection) -> bool:
        """Tell whether the tables are there: they and the version come in one transaction."""
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > self._version:
            raise StoreError(f"{self._path} was written by a newer version of this app. Update the app to use it.")
        return version > 0

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what SQLite and the disk say into a sentence."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            name = getattr(error, "sqlite_errorname", "")
            if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                raise Unavailable(
                    f"Another program is changing the {self._holds} ({self._path}). Try again in a moment."
                ) from error
            if name == "SQLITE_FULL":
                raise StoreError("The disk is full. Free some space, then try again.") from error
            raise StoreError(
                f"The {self._holds} in {self._path} could not be read or changed ({error}). Check that this user may "
                "write there; if the file is damaged, move it away: a new one is made, and the videos stay."
            ) from error


def _let_readers_in(db: sqlite3.Connection) -> None:
    """Turn on the write-ahead log, which stays on: readers never wait for writers.

    SQLite itself does not wait where two do this to a new file at the same moment, but says busy at once.
    """
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > deadline:
                raise
        time.sleep(_RETRY_S)
