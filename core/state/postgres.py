"""PostgreSQL, where several machines share a library: all subjects in one database, on shelves like SQLite's.

DATABASE_URL goes to libpq as it is, so whatever that knows (several hosts, sslmode, a service file) works. The tables
are brought to their newest revision when the database is opened, by one machine at a time, in one transaction.
"""

from __future__ import annotations

import threading
import weakref
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Connection, Engine, Executable, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.errors import AppError, Sentence, SettingsError, StoreError, Unavailable
from core.state.tables import SHARED, SUBJECTS, Subject

CONNECT_S = 5
"""How long to wait for a connection, to each of its addresses."""
BUSY_S = 5.0
"""How long to wait for another machine that changes the same."""
POOLED, MOST = 5, 40
"""Connections that are kept, and that there may be at the same time, of one process."""
_MIGRATING = zlib.crc32(b"moodreel migrations")
_PASSING = ("08", "53", "57", "40")
"""Classes of SQLSTATE that have nothing to do with what was asked: the connection, its resources, an operator, a
serialization."""


class Database:
    """A PostgreSQL database with all tables of ours. Safe to use from several threads.

    Nothing is sent before `prepare`. Raises SettingsError for an address that is none.
    """

    def __init__(self, url: str, *, busy_s: float = BUSY_S) -> None:
        try:
            self.place = _place(conninfo_to_dict(url))
        except psycopg.ProgrammingError as error:
            said = str(error).splitlines()[0].replace(url, "…")
            raise SettingsError(
                "DATABASE_URL is no address of a PostgreSQL database ({said}). Set it to "
                "postgresql://USER:PASSWORD@HOST:5432/DATABASE.",
                said=said,
            ) from None
        self.url = url
        self._busy_ms = int(busy_s * 1000)
        self._made: weakref.WeakSet[psycopg.Connection[Any]] = weakref.WeakSet()
        self.engine: Engine = create_engine(
            "postgresql+psycopg://",
            creator=self._connect,
            pool_pre_ping=True,
            pool_size=POOLED,
            max_overflow=MOST - POOLED,
            pool_timeout=busy_s,
        )

    def __str__(self) -> str:
        return self.place

    def prepare(self) -> None:
        """Make what is missing and bring all to the newest revision. Raises AppError with what to do."""
        with self.translated("tables"):
            for subject in (*SUBJECTS.values(), *SHARED.values()):
                self._prepare(subject)

    def check(self) -> None:
        """Write, read and take back. Raises AppError with what to do."""
        self.prepare()
        with self.translated("tables"), self.engine.connect() as db, db.begin() as change:
            db.execute(text("INSERT INTO documents VALUES ('check', 'x')"))
            db.execute(text("SELECT text FROM documents WHERE name = 'check'")).one()
            change.rollback()

    def close(self) -> None:
        """Close all connections, also those that somebody still uses: the pool itself would forget these."""
        self.engine.dispose()
        for connection in list(self._made):
            connection.close()

    @contextmanager
    def change(self, about: str) -> Iterator[Connection]:
        """Open a transaction in which nobody else changes what this is about."""
        with self.engine.begin() as db:
            db.exec_driver_sql(f"SET LOCAL lock_timeout = {self._busy_ms}")
            db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": zlib.crc32(about.encode())})
            yield db

    @contextmanager
    def alone(self, about: str) -> Iterator[bool]:
        """Say whether nobody else, on any machine, is in such a block about the same; who is and dies has left it."""
        key = {"key": zlib.crc32(f"alone {about}".encode())}
        with self.translated("tables"), self.engine.connect() as pooled:
            db = pooled.execution_options(isolation_level="AUTOCOMMIT")
            is_alone = bool(db.execute(text("SELECT pg_try_advisory_lock(:key)"), key).scalar())
            try:
                yield is_alone
            finally:
                if is_alone:
                    with suppress(DBAPIError):  # the connection ended, and the lock with it
                        db.execute(text("SELECT pg_advisory_unlock(:key)"), key)

    @contextmanager
    def translated(self, holds: str) -> Iterator[None]:
        """Turn what PostgreSQL says into a sentence; `holds` is what could not be used."""
        try:
            yield
        except (DBAPIError, PoolTimeout, psycopg.Error) as error:
            raise self._sentence(error, holds) from error

    def _connect(self) -> psycopg.Connection[Any]:
        made = psycopg.connect(self.url, connect_timeout=CONNECT_S, application_name="moodreel")
        self._made.add(made)
        return made

    def _prepare(self, subject: Subject) -> None:
        with self.engine.begin() as db:
            if self._revision(db, subject) == subject.head:
                return
        from core.state import migrate

        with migrate.LOCK, self.engine.begin() as db:
            db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
            revision = self._revision(db, subject)
            if revision != subject.head:
                try:
                    migrate.upgrade(db, subject, revision)
                except migrate.UnknownRevision as error:
                    raise self._newer() from error

    def _revision(self, db: Connection, subject: Subject) -> str | None:
        """Return the revision that a subject is at; None where it has no tables."""
        if not inspect(db).has_table("alembic_version"):
            return None
        there = db.execute(text("SELECT version_num FROM alembic_version")).scalars()
        return next((revision for revision in there if revision.startswith(f"{subject.branch}_")), None)

    def _newer(self) -> StoreError:
        return StoreError(
            "{place} was written by a newer version of this app. Update the app to use it.", place=self.place
        )

    def _sentence(self, error: Exception, holds: str) -> AppError:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        state = getattr(cause, "sqlstate", None) or ""
        said = (str(cause).strip() or type(cause).__name__).splitlines()[-1].strip()
        if state in ("55P03", "40P01"):  # a lock was waited for too long, or waited for each other
            return Unavailable(
                "Another program is changing the {holds} ({place}). Try again in a moment.",
                holds=Sentence(holds),
                place=self.place,
            )
        if isinstance(cause, PoolTimeout):
            return Unavailable("{place} has too much to do. Try again in a moment.", place=self.place)
        if state == "53100":
            return StoreError("The disk of {place} is full. Free some space there, then try again.", place=self.place)
        if state.startswith(_PASSING) or (not state and isinstance(cause, psycopg.OperationalError)):
            return Unavailable(
                "{place} does not answer ({said}). Check that it runs, and that DATABASE_URL has its address, user "
                "and password.",
                place=self.place,
                said=said,
            )
        return StoreError(
            "The {holds} in {place} could not be read or changed ({said}). Check that the user of DATABASE_URL may "
            "make and change tables there.",
            holds=Sentence(holds),
            place=self.place,
            said=said,
        )


class PostgresShelf:
    """A shelf in the tables of one subject."""

    def __init__(self, database: Database, branch: str) -> None:
        self._database = database
        self._subject = {**SUBJECTS, **SHARED}[branch]
        self._open = threading.local()

    def __str__(self) -> str:
        return str(self._database)

    def rows(self, query: Executable, values: Mapping[str, object] | None = None) -> Sequence[Any]:
        with self._database.translated(self._subject.holds), self._database.engine.connect() as db:
            return db.execute(query, dict(values or {})).fetchall()

    @contextmanager
    def change(self) -> Iterator[Connection]:
        """Open a change; one inside another of the same thread is part of it."""
        outer = getattr(self._open, "db", None)
        if outer is not None:
            yield outer
            return
        with self._database.translated(self._subject.holds), self._database.change(self._subject.branch) as db:
            self._open.db = db
            try:
                yield db
            finally:
                self._open.db = None


def _place(parts: Mapping[str, Any]) -> str:
    """Return what a person knows the database by: never the password."""
    host = str(parts.get("host") or parts.get("hostaddr") or "this machine")
    port = f":{parts['port']}" if parts.get("port") else ""
    return f"PostgreSQL at {host}{port}/{parts.get('dbname') or parts.get('user') or ''}"
