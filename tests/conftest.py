"""What all tests share: a folder in memory where there is room, the main module, quick garbage collections, and a
PostgreSQL server for those that want one."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest
from botocore.loaders import JSONFileLoader

from tests.servers.postgres import PostgresServer, programs

MEMORY = Path("/dev/shm")
MEMORY_LEAST = 6_000_000_000
"""Bytes that must be free there: an embedded index reserves some 80 MB, and a few are open at once."""

# An embedded index is made for very many tests. That takes 0.2 s on a disk, most of it writing through, and 0.03 s
# in memory. pytest reads the variable when it makes its first folder.
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_LEAST:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_collection_finish() -> None:
    """Leave what is loaded by now out of collections of garbage: Streamlit begins one after each run of a page."""
    gc.freeze()


@pytest.fixture(autouse=True)
def main_module_stays() -> Iterator[None]:
    """Take away the page that AppTest leaves as the program's main module: a spawned process would run it."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(autouse=True, scope="session")
def descriptions_are_read_once() -> Iterator[None]:
    """Each client of boto3 reads some megabytes of what AWS can do, and very many tests make one."""
    read_once = lru_cache(maxsize=None)(JSONFileLoader().load_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda _, path: read_once(path))
        yield


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
