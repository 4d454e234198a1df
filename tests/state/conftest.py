"""Shelves of both databases, for the suites that hold over either."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from core.state.base import Shelf
from core.state.postgres import Database, PostgresShelf
from core.state.sqlite import SqliteShelf
from core.state.tables import METADATA
from tests.servers.postgres import PostgresServer

OpenShelf = Callable[[str], Shelf]


@pytest.fixture(scope="session")
def _prepared(postgres: PostgresServer) -> Iterator[Database]:
    database = Database(postgres.make_database(), busy_s=60.0)
    database.prepare()
    yield database
    database.close()


@pytest.fixture
def database(_prepared: Database) -> Database:
    """A database with all tables, and nothing in them."""
    with _prepared.engine.begin() as db:
        there = set(db.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars())
        db.execute(text(f"TRUNCATE {', '.join(sorted(there & METADATA.tables.keys()))} RESTART IDENTITY"))
    return _prepared


@pytest.fixture(params=["sqlite", "postgres"])
def open_shelf(request: pytest.FixtureRequest, tmp_path: Path) -> OpenShelf:
    """Return what opens the shelf of a subject, each time another one over the same tables."""
    if request.param == "sqlite":
        return lambda branch: SqliteShelf(tmp_path / f"{branch}.sqlite3", branch)
    database = request.getfixturevalue("database")
    return lambda branch: PostgresShelf(database, branch)
