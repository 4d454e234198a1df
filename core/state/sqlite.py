"""SQLite under DATA_DIR, a file a subject: likes, channels and texts on shared shelves, jobs in a ledger of one's own.

A file of an earlier release is brought to the newest revision where it lies, in one transaction: after a crash it is
the old one or the new one. A file of a newer app is not touched, and nothing is ever written over a file that cannot
be read.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Executable, bindparam, create_engine, delete, insert, select, update
from sqlalchemy.exc import DBAPIError, ResourceClosedError
from sqlalchemy.pool import NullPool

from core.errors import LibraryLocked, Sentence, StoreError, Unavailable
from core.files import put_aside
from core.models import Stage
from core.state.base import JobRecord
from core.state.tables import JOBS, NOTES, SUBJECTS, Subject

BUSY_S = 5.0
"""How long to wait for another process that writes."""
LOCKED_S = 1.0
"""How long to wait for another process that has the jobs: it is going to have them for as long as it lives."""
_RETRY_S = 0.01
_PASSING = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL")
"""What has nothing to do with the file itself."""

_JOB_COLUMNS = [column.name for column in JOBS.columns]
_ALL_JOBS = select(JOBS).order_by(JOBS.c.number)
_ADD_JOB = insert(JOBS)
_CHANGE_JOB = update(JOBS).where(JOBS.c.id == bindparam("job_id"))
_DROP_JOB = delete(JOBS).where(JOBS.c.id == bindparam("of"))
_JOB_NOTES = select(NOTES.c.name, NOTES.c.value).where(NOTES.c.job_id == bindparam("of"))
_ADD_NOTE = insert(NOTES)
_DROP_NOTE = delete(NOTES).where(NOTES.c.job_id == bindparam("of"), NOTES.c.name == bindparam("called"))
_DROP_NOTES = delete(NOTES).where(NOTES.c.job_id == bindparam("of"))


class SqliteShelf:
    """A shelf in a file that is opened for each use and let go of at once.

    So there is nothing to close, a damaged file is a sentence where it is used and not at the start of the app, and
    nobody holds it against another process. Opening costs well under a millisecond (bench/state.py).
    """

    def __init__(self, path: Path, branch: str, *, busy_s: float | None = None) -> None:
        """Keep the subject of this branch at a path. `busy_s` is how long to wait for another that writes."""
        self._path = path
        self._subject = SUBJECTS[branch]
        self._busy_s = busy_s
        self._engine = _engine(lambda: self._connect())

    def __str__(self) -> str:
        return str(self._path)

    def rows(self, query: Executable, values: Mapping[str, object] | None = None) -> Sequence[Any]:
        """Return the rows that a query finds. A file that is not there yet has nothing in it, and is not made."""
        with self._translated():
            if not self._path.exists():
                return []
            with self._engine.connect() as db:
                revision = _revision(db, self._subject, self._path)
                if revision is None:
                    return []
                if revision != self._subject.head:
                    self._migrate(db)
                return db.execute(query, dict(values or {})).fetchall()

    @contextmanager
    def change(self) -> Iterator[Connection]:
        """Open the file, made if need be, for a change that happens as a whole or not at all, one at a time."""
        with self._translated():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._engine.connect() as db:
                if _revision(db, self._subject, self._path) != self._subject.head:
                    self._migrate(db)
                db.rollback()  # of what was looked at
                with _transaction(db, "IMMEDIATE"):
                    yield db

    def check(self) -> None:
        """Read the whole file, if there is one. Raises StoreError when it is damaged."""
        holds = self._subject.holds
        with self._translated():
            if not self._path.exists():
                return
            if not self._path.stat().st_size:
                raise StoreError(
                    "{path} is empty. If there were {holds}, restore it from a backup; if not, delete it.",
                    path=self._path,
                    holds=Sentence(holds),
                )
            with self._engine.connect() as db:
                _read_through(db)
                _revision(db, self._subject, self._path)

    def _migrate(self, db: Connection) -> None:
        """Bring the file to the newest revision; one that is new gets a write-ahead log, so that readers never wait."""
        db.rollback()
        _let_readers_in(db, self._patience_s)
        _migrate(db, self._subject, self._path, "IMMEDIATE")

    @property
    def _patience_s(self) -> float:
        return BUSY_S if self._busy_s is None else self._busy_s

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=self._patience_s, isolation_level=None, check_same_thread=False)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what SQLite and the disk say into a sentence."""
        holds = self._subject.holds
        try:
            yield
        except (DBAPIError, sqlite3.Error, OSError) as error:
            cause = _cause(error)
            name = getattr(cause, "sqlite_errorname", "")
            if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                raise Unavailable(
                    "Another program is changing the {holds} ({path}). Try again in a moment.",
                    holds=Sentence(holds),
                    path=self._path,
                ) from error
            if name == "SQLITE_FULL":
                raise StoreError("The disk is full. Free some space, then try again.") from error
            raise StoreError(
                "The {holds} in {path} could not be read or changed ({cause}). Check that this user may write "
                "there; if the file is damaged, move it away: a new one is made, and the videos stay.",
                holds=Sentence(holds),
                path=self._path,
                cause=cause,
            ) from error


class SqliteLedger:
    """Keep job records and notes in one file, which belongs to one process while it is open.

    Full synchronous: a note may be the receipt for paid work. Raises LibraryLocked when another process has the file,
    StoreError when it cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._lock = threading.Lock()
        with self._translated():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.exists() and not self._path.stat().st_size:
                put_aside(self._path)  # SQLite would take it for a new one, and nobody would hear of it
            self._db = _engine(self._connect).connect()
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def load(self) -> list[JobRecord]:
        with self._changing() as db:
            found = db.execute(_ALL_JOBS).mappings().all()
        try:
            return [JobRecord(**{**row, "stage": Stage(row["stage"])}) for row in found]
        except ValueError as error:
            raise self._sentence(error) from error

    def save(self, record: Callable[[], JobRecord]) -> None:
        with self._changing() as db:
            now = record()
            row = {column: getattr(now, column) for column in _JOB_COLUMNS} | {"stage": now.stage.value}
            if not db.execute(_CHANGE_JOB, {**row, "job_id": row["id"]}).rowcount:
                db.execute(_ADD_JOB, row)

    def delete(self, job_ids: Sequence[str]) -> None:
        keys = [{"of": job_id} for job_id in job_ids]
        if keys:
            with self._changing() as db:
                db.execute(_DROP_NOTES, keys)
                db.execute(_DROP_JOB, keys)

    def notes(self, job_id: str) -> MutableMapping[str, str]:
        return _Notes(self, job_id)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def read_notes(self, job_id: str) -> dict[str, str]:
        """Return the notes of a job as they are on disk."""
        with self._changing() as db:
            return dict(db.execute(_JOB_NOTES, {"of": job_id}).all())

    def write_note(self, job_id: str, name: str, value: str | None) -> None:
        """Write a note down, or delete it."""
        with self._changing() as db:
            db.execute(_DROP_NOTE, {"of": job_id, "called": name})
            if value is not None:
                db.execute(_ADD_NOTE, {"job_id": job_id, "name": name, "value": value})

    def _prepare(self) -> None:
        """Take the file for this process (the lock goes with the process, however it ends) and see to its tables."""
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL"):
            self._db.exec_driver_sql(f"PRAGMA {pragma}").close()
        self._db.rollback()
        with _transaction(self._db, "EXCLUSIVE"):
            _read_through(self._db)
            revision = _revision(self._db, SUBJECTS["jobs"], self._path)
        if revision != SUBJECTS["jobs"].head:
            _migrate(self._db, SUBJECTS["jobs"], self._path, "EXCLUSIVE")

    @contextmanager
    def _changing(self) -> Iterator[Connection]:
        with self._lock, self._translated(), _transaction(self._db, "IMMEDIATE"):
            yield self._db

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=LOCKED_S, isolation_level=None, check_same_thread=False)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what SQLite and the disk say into a sentence."""
        try:
            yield
        except (DBAPIError, ResourceClosedError, sqlite3.Error, OSError) as error:
            cause = _cause(error)
            name = getattr(cause, "sqlite_errorname", "")
            if name.startswith("SQLITE_BUSY"):
                raise LibraryLocked(
                    "Another program is working on this library, the app or a command. Close it, then try again "
                    "({path}).",
                    path=self._path,
                ) from error
            if name == "SQLITE_FULL":
                raise StoreError("The disk is full. Free some space, then press Retry.") from error
            raise self._sentence(cause) from error

    def _sentence(self, cause: BaseException) -> StoreError:
        return StoreError(
            "The jobs file {path} could not be used ({cause}). Check that this user may write to it; if it is "
            "damaged, move it away and start again: the videos in the library stay.",
            path=self._path,
            cause=cause,
        )


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


def _engine(connect: Callable[[], sqlite3.Connection]) -> Engine:
    """Return an engine over a file that is opened for each connection.

    The driver begins no transaction by itself (isolation_level None): `_transaction` says when and which.
    """
    return create_engine("sqlite+pysqlite://", creator=connect, poolclass=NullPool)


@contextmanager
def _transaction(db: Connection, kind: str) -> Iterator[None]:
    """Run a block in one transaction; an IMMEDIATE one has the right to write at once, not from its first write on."""
    with db.begin():
        db.exec_driver_sql(f"BEGIN {kind}")
        yield


def _read_through(db: Connection) -> None:
    """Raise DatabaseError unless every page of a file is as SQLite wrote it: one that is damaged somewhere answers
    until that is come upon."""
    said = str(db.exec_driver_sql("PRAGMA quick_check(1)").scalar())
    if said != "ok":
        raise sqlite3.DatabaseError(" ".join(said.replace("***", "").split()))


def _revision(db: Connection, subject: Subject, path: Path) -> str | None:
    """Return the revision of a file; None for one without tables. Raises StoreError for one of a newer app."""
    names = set(db.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars())
    if "alembic_version" in names:
        return db.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if db.exec_driver_sql("PRAGMA user_version").scalar_one() > 1:
        raise _newer(path)
    return subject.first if subject.table.name in names else None


def _migrate(db: Connection, subject: Subject, path: Path, kind: str) -> None:
    """Bring a file to the head of its subject, unless another has just done so.

    `user_version` counts revisions: release 0.1.0 looks there, and leaves a file alone that it does not know.
    """
    from core.state import migrate

    with migrate.LOCK, _transaction(db, kind):
        revision = _revision(db, subject, path)
        if revision == subject.head:
            return
        try:
            count = migrate.upgrade(db, subject, revision)
            db.exec_driver_sql(f"PRAGMA user_version = {count}")
        except migrate.UnknownRevision as error:
            raise _newer(path) from error
        except DBAPIError as error:
            if revision is None or getattr(error.orig, "sqlite_errorname", "").startswith(_PASSING):
                raise
            raise StoreError(
                "The {holds} in {path} are of an earlier version and could not be brought to this one ({why}). "
                "Nothing in the file was changed. Check that this user may write there; the earlier version of the "
                "app still reads it.",
                holds=Sentence(subject.holds),
                path=path,
                why=error.orig,
            ) from error


def _newer(path: Path) -> StoreError:
    return StoreError("{path} was written by a newer version of this app. Update the app to use it.", path=path)


def _cause(error: BaseException) -> BaseException:
    """Return what SQLite itself said."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def _let_readers_in(db: Connection, patience_s: float) -> None:
    """Turn on the write-ahead log, which stays on: readers never wait for writers.

    SQLite itself does not wait where two do this to a new file at the same moment, but says busy at once.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            db.exec_driver_sql("PRAGMA journal_mode = WAL").close()
            db.rollback()
            return
        except DBAPIError as error:
            db.rollback()
            name = getattr(error.orig, "sqlite_errorname", "")
            if not name.startswith("SQLITE_BUSY") or time.monotonic() > deadline:
                raise
        time.sleep(_RETRY_S)
