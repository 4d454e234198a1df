"""What all tests share: how many run at once, quick AWS clients, and a PostgreSQL server for those that want one."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterator

import botocore.session
import pytest

from tests.servers.postgres import PostgresServer, programs


def pytest_xdist_auto_num_workers() -> int:
    """Run more at once than there are cores: many tests wait for a server or a browser."""
    return max(3, os.cpu_count() or 1)


@pytest.fixture(autouse=True)
def main_module_stays() -> Iterator[None]:
    """Take away the page that AppTest leaves as the program's main module: a spawned process would run it."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session", autouse=True)
def service_models_are_read_once() -> Iterator[None]:
    """Let all boto3 sessions share what they read from botocore's files: each would read megabytes anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", functools.cache(botocore.session.create_loader))
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
