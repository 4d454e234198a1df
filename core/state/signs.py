"""Say that this process lives, for as long as it does: a lock of the database for each job that is worked on here.

PostgreSQL lets go of it when the connection ends, and an operating system ends the connections of a process that dies,
however it dies. So who holds it lives, be it ever so slow; who holds none may still live, where only the connection
was lost.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import zlib
from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.state.postgres import Database

logger = logging.getLogger(__name__)
_CLASS = zlib.crc32(b"moodreel works on") & 0x7FFFFFFF
_KEEPALIVE = "SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
"""A machine that vanishes closes nothing: the server asks it, and gives up after half a minute."""
_HELD = text(
    "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = :of AND objsubid = 2 "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class SignsOfLife:
    """Show what is worked on here, and see what is elsewhere. Safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._shown: list[str] = []

    @contextlib.contextmanager
    def of(self, job_id: str) -> Iterator[None]:
        """Show that a job is worked on here. Where that cannot be shown the work goes on all the same."""
        with self._lock:
            self._shown.append(job_id)
            self._say("pg_try_advisory_lock", job_id)
        try:
            yield
        finally:
            with self._lock:
                self._shown.remove(job_id)
                self._say("pg_advisory_unlock", job_id)

    def seen(self, job_ids: Iterable[str]) -> set[str]:
        """Return those of these jobs that a living process works on. Raises AppError."""
        with self._database.translated("jobs"), self._database.engine.connect() as db:
            held = set(db.execute(_HELD, {"of": _CLASS}).scalars())
        return {job_id for job_id in job_ids if _key(job_id) in held}

    def close(self) -> None:
        with self._lock:
            self._end()

    def _say(self, function: str, job_id: str) -> None:
        try:
            if self._connection is None:
                if job_id not in self._shown:
                    return  # what showed it is gone, and so is the lock
                self._connection = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
                self._connection.exec_driver_sql(_KEEPALIVE)
                for shown in self._shown:
                    if shown != job_id:
                        self._call("pg_try_advisory_lock", shown)
            self._call(function, job_id)
        except (DBAPIError, PoolTimeout) as error:  # the heartbeats say it too
            logger.warning("That files are worked on here cannot be shown to other workers: %s", error)
            self._end()

    def _call(self, function: str, job_id: str) -> None:
        assert self._connection is not None, "who shows something has a connection"
        self._connection.execute(text(f"SELECT {function}(:of, :key)"), {"of": _CLASS, "key": _key(job_id)})

    def _end(self) -> None:
        """End the connection: back in the pool it would go on holding locks."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


def _key(job_id: str) -> int:
    return zlib.crc32(job_id.encode()) & 0x7FFFFFFF
