"""What all tests share: the main module, quick garbage collections, and a PostgreSQL server for those that want one."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator

import pytest

from tests.servers.postgres import PostgresServer, programs


def pytest_collection_finish() -> None:
    """Leave what is loaded by now out of collections of garbage: Streamlit begins one after each run of a page."""
    gc.freeze()


@pytest.fixture(autouse=True)
def main_module_stays() -> Iterator[None]:
    """Take away the page that AppTest leaves as the program's main module: a spawned process would run it."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    if programs() is None:
        missing = "PostgreSQL is not installed: apt-get install postgresql"
        if os.environ.get("REQUIRE_POSTGRES"):
            pytest.fail(missing)
        pytest.skip(missing)
    with PostgresServer() as server:
        yield server


@pytest.fixture
def database_url(postgres: PostgresServer) -> Iterator[str]:
    url = postgres.make_database()
    yield url
    postgres.drop_database(url)
