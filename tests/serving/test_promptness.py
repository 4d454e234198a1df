"""Whether answers wait for acknowledgements."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.web.server.starlette import starlette_server

from core.serving import promptness
from core.serving.promptness import send_at_once
from tests.environ import clean_environ

ROOT = Path(__file__).parents[2]


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """The socket that Streamlit's own server listens on."""
    made = starlette_server._bind_socket("127.0.0.1", 0, 10)
    yield made
    made.close()


def sends_at_once(listening: socket.socket) -> bool:
    listening.setblocking(True)
    with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
        return bool(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))


def test_who_connects_afterwards_is_answered_at_once(listening):
    assert not sends_at_once(listening), "Streamlit sees to it itself now: this module may go"
    assert send_at_once() >= 1  # servers of other tests may listen too
    assert sends_at_once(listening)


def test_other_sockets_and_files_stay_as_they_are(listening, tmp_path):
    with (
        (tmp_path / "file").open("w"),
        socket.socket(socket.AF_UNIX) as local,
        socket.create_connection(listening.getsockname()) as connected,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
    ):
        local.bind(str(tmp_path / "socket"))
        local.listen()
        datagrams.bind(("127.0.0.1", 0))
        assert send_at_once() >= 1
        assert not connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert listening.fileno() >= 0


def test_where_open_files_cannot_be_listed_nothing_happens(listening, monkeypatch, tmp_path):
    monkeypatch.setattr(promptness, "OPEN_FILES", tmp_path / "nowhere")
    assert send_at_once() == 0
    assert not sends_at_once(listening)


STARTED = """
import asyncio, socket
import streamlit_app
from streamlit.web.server.starlette.starlette_server import _bind_socket

async def main():
    listening = _bind_socket("127.0.0.1", 0, 10)
    async with streamlit_app.lifespan(streamlit_app.app):
        listening.setblocking(True)
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

asyncio.run(main())
"""


def test_the_app_answers_at_once_from_its_start_on(tmp_path):
    subprocess.run(
        [sys.executable, "-c", STARTED],
        cwd=ROOT,
        env={**clean_environ(), "DATA_DIR": str(tmp_path / "data")},
        check=True,
        timeout=120,
    )
