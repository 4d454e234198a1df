"""Uploads on their way to disk, before Streamlit's own handler."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit import config
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.web.server.starlette.starlette_routes import create_upload_routes

from core.errors import StoreError, Unavailable
from core.ingest import arrivals as arriving
from core.ingest.arrivals import RESERVED_BYTES, Arrivals
from core.serving.uploads import uploads_to_disk
from tests.support import until

ADDRESS = "/_stcore/upload_file/me/one"
FREE = 10 * RESERVED_BYTES


@pytest.fixture
def arrivals(tmp_path: Path) -> Iterator[Arrivals]:
    with contextlib.closing(
        Arrivals(tmp_path / "spool", max_bytes=3_000_000, free_bytes=lambda folder: FREE)
    ) as arrivals:
        yield arrivals


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryUploadedFileManager]:
    """What Streamlit keeps of uploads."""
    monkeypatch.setattr("streamlit.web.server.starlette.starlette_routes.is_xsrf_enabled", lambda: False)
    before = config.get_option("server.maxUploadSize")
    config.set_option("server.maxUploadSize", 4)
    yield MemoryUploadedFileManager("/_stcore/upload_file")
    config.set_option("server.maxUploadSize", before)


@pytest.fixture
def app(arrivals: Arrivals, kept: MemoryUploadedFileManager) -> Starlette:
    """Streamlit's own handler of uploads, for one open session, behind ours."""
    runtime = SimpleNamespace(is_active_session=lambda session: session == "me")
    return Starlette(routes=create_upload_routes(runtime, kept, ""), middleware=[uploads_to_disk(lambda: arrivals)])


@pytest.fixture
def client(app: Starlette) -> TestClient:
    return TestClient(app)


def left(arrivals: Arrivals) -> list[Path]:
    # Unlike rglob, walk does not mind what goes meanwhile.
    return sorted(Path(top, name) for top, folders, files in os.walk(arrivals.folder) for name in folders + files)


def mark_of(kept: MemoryUploadedFileManager) -> bytes:
    (record,) = kept.get_files("me", ["one"])
    return record.data


class TestTakingIn:
    def test_the_bytes_are_on_disk_and_streamlit_has_a_mark(self, client, arrivals, kept) -> None:
        data = bytes(range(256)) * 9000 + b"\r\n--x"
        answer = client.put(ADDRESS, files={"file": ("Wölfe 1.mp4", data, "video/mp4")})
        assert answer.status_code == 204
        (record,) = kept.get_files("me", ["one"])
        assert (record.name, record.type) == ("Wölfe 1.mp4", "video/mp4")
        assert len(record.data) == arriving.LONGEST_MARK
        arrived = arrivals.take(record.data)
        assert arrived.read() == data
        arrived.close()
        assert not left(arrivals)

    def test_an_empty_file_arrives_too(self, client, arrivals, kept) -> None:
        assert client.put(ADDRESS, files={"file": ("a.mp4", b"", "video/mp4")}).status_code == 204
        with contextlib.closing(arrivals.take(mark_of(kept))) as arrived:
            assert arrived.read() == b""

    def test_a_mark_is_good_once_and_other_bytes_are_none(self, client, arrivals, kept) -> None:
        client.put(ADDRESS, files={"file": ("a.mp4", b"abc", "video/mp4")})
        arrivals.take(mark_of(kept)).close()
        with pytest.raises(StoreError, match="gone"):
            arrivals.take(mark_of(kept))
        assert arrivals.take(b"abc") is None

    def test_it_can_be_moved_to_where_it_is_wanted(self, client, arrivals, kept, tmp_path) -> None:
        client.put(ADDRESS, files={"file": ("a.mp4", b"abc", "video/mp4")})
        arrived = arrivals.take(mark_of(kept))
        arrived.move_to(tmp_path / "here.mp4")
        arrived.close()
        assert (tmp_path / "here.mp4").read_bytes() == b"abc"
        assert not left(arrivals)

    def test_what_a_process_left_that_ended_goes_and_what_another_takes_in_stays(self, client, arrivals, kept) -> None:
        client.put(ADDRESS, files={"file": ("a.mp4", b"abc", "video/mp4")})
        for name in ("cut-off", "empty"):
            (arrivals.folder / name).mkdir()
        (arrivals.folder / "cut-off" / "upload").write_bytes(b"ab")
        Arrivals(arrivals.folder, max_bytes=1)
        with contextlib.closing(arrivals.take(mark_of(kept))) as arrived:
            assert left(arrivals) == [arrived.name.parent, arrived.name]
            Arrivals(arrivals.folder, max_bytes=1)
            assert arrived.read() == b"abc"

    def test_other_addresses_and_methods_pass_as_they_are(self, client, arrivals) -> None:
        assert client.get(ADDRESS).status_code == 405
        assert client.put("/elsewhere", content=b"abc").status_code == 404
        assert not left(arrivals)

    def test_what_is_taken_back_goes(self, client, arrivals) -> None:
        client.put(ADDRESS, files={"file": ("a.mp4", b"abc", "video/mp4")})
        assert left(arrivals)
        assert client.delete(ADDRESS).status_code == 204
        assert not left(arrivals)

    def test_what_a_session_sent_goes_with_it(self, client, arrivals) -> None:
        client.put(ADDRESS, files={"file": ("a.mp4", b"abc", "video/mp4")})
        arrivals.prune()
        assert left(arrivals)
        arrivals.is_open = lambda session: False
        arrivals.prune()
        assert not left(arrivals)

    def test_what_nobody_takes_goes_by_itself_when_who_sent_it_is_gone(self, client, arrivals, monkeypatch) -> None:
        monkeypatch.setattr(arriving, "PRUNE_EVERY_S", 0.01)
        asked = threading.Event()

        def is_open(session: str) -> bool:
            is_first = not asked.is_set()
            asked.set()
            return is_first

        client.put(ADDRESS, files={"file": ("a.mp4", b"abc", "video/mp4")})
        assert left(arrivals)
        arrivals.is_open = is_open
        until(lambda: not left(arrivals))
        assert asked.is_set()


class TestRefusing:
    def test_a_session_that_is_not_stores_nothing(self, client, arrivals) -> None:
        answer = client.put("/_stcore/upload_file/other/one", files={"file": ("a.mp4", b"abc", "video/mp4")})
        assert answer.status_code == 400
        assert not left(arrivals)

    def test_one_that_is_too_large_is_cut_short(self, client, arrivals) -> None:
        answer = client.put(ADDRESS, files={"file": ("a.mp4", bytes(3_000_001), "video/mp4")})
        assert answer.status_code == 413
        assert not left(arrivals)
        ((filename, problem),) = arrivals.refused("me")
        assert filename == "a.mp4"
        assert "larger than the 3 MB" in problem
        assert not arrivals.refused("me")

    def test_one_that_finds_no_room(self, client, arrivals) -> None:
        arrivals._free_bytes = lambda folder: RESERVED_BYTES + 1000
        answer = client.put(ADDRESS, files={"file": ("a.mp4", bytes(1_000_000), "video/mp4")})
        assert answer.status_code == 507
        assert "no room for it: 1 MB more" in answer.text
        assert not left(arrivals)
        assert [filename for filename, _ in arrivals.refused("me")] == ["a.mp4"]

    def test_a_disk_that_fills_up_on_the_way(self, client, arrivals, monkeypatch) -> None:
        room = iter([FREE, 0])
        arrivals._free_bytes = lambda folder: next(room)
        assert client.put(ADDRESS, files={"file": ("a.mp4", bytes(2_500_000), "video/mp4")}).status_code == 507
        assert not left(arrivals)

    def test_no_library_to_put_it_in(self, kept) -> None:
        def away() -> Arrivals:
            raise Unavailable("The library is away.")

        runtime = SimpleNamespace(is_active_session=lambda session: True)
        app = Starlette(routes=create_upload_routes(runtime, kept, ""), middleware=[uploads_to_disk(away)])
        answer = TestClient(app).put(ADDRESS, files={"file": ("a.mp4", b"abc", "video/mp4")})
        assert (answer.status_code, answer.text) == (503, "The library is away.")

    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            (b"no parts", "multipart/form-data; boundary=x"),
            (
                b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
                "multipart/form-data; boundary=x",
            ),
            (b"abc", "multipart/form-data"),
            (b"abc", "text/plain"),
        ],
    )
    def test_what_is_no_upload(self, body, kind, client, arrivals) -> None:
        assert client.put(ADDRESS, content=body, headers={"content-type": kind}).status_code == 400
        assert not left(arrivals)

    def test_two_files_at_one_address(self, client, arrivals) -> None:
        files = [("file", ("a.mp4", b"abc", "video/mp4")), ("file", ("b.mp4", b"def", "video/mp4"))]
        assert client.put(ADDRESS, files=files).status_code == 400
        assert not left(arrivals)


HEAD = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.mp4"\r\nContent-Type: video/mp4\r\n\r\n'


def send(app: Starlette, messages: Callable[[], object], total: int = 1_000_000) -> list[int]:
    """Send an upload message by message and return the statuses that are answered."""
    statuses: list[int] = []

    async def answered(message: dict) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    headers = [(b"content-type", b"multipart/form-data; boundary=x"), (b"content-length", str(total).encode())]
    scope = {
        "type": "http",
        "method": "PUT",
        "path": ADDRESS,
        "raw_path": ADDRESS.encode(),
        "headers": headers,
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "server": ("a", 1),
        "client": ("b", 2),
        "http_version": "1.1",
        "asgi": {"version": "3.0"},
    }
    # In a thread of its own: a browser that other tests have open keeps a loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, app(scope, messages, answered)).result()
    return statuses


class TestOnTheWay:
    def test_a_dropped_connection_leaves_nothing(self, app, arrivals) -> None:
        seen = []
        messages = iter(
            [
                {"type": "http.request", "body": HEAD + bytes(2_000_000), "more_body": True},
                {"type": "http.disconnect"},
            ]
        )

        async def receive() -> dict:
            seen.append((arrivals.under_way("me"), left(arrivals)))
            return next(messages)

        assert send(app, receive, 4_000_000) == []
        (_, (before, on_disk)) = seen
        assert [(one.filename, one.come_bytes, one.total_bytes) for one in before] == [("a.mp4", 2_000_000, 4_000_000)]
        assert on_disk
        assert not left(arrivals)
        assert not arrivals.under_way("me")
        assert not arrivals.under_way("other")

    def test_a_dropped_connection_to_a_real_server_is_no_error_either(self, app, arrivals, caplog) -> None:
        server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_config=None))
        with ThreadPoolExecutor(1) as thread:
            running = thread.submit(server.run)
            try:
                until(lambda: server.started)
                address = server.servers[0].sockets[0].getsockname()
                with socket.create_connection(address) as connection:
                    head = f"PUT {ADDRESS} HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n"
                    connection.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n".encode("ascii"))
                    connection.sendall(HEAD + bytes(2_000_000))
                    until(lambda: left(arrivals))
                until(lambda: not left(arrivals) and not arrivals.under_way("me"))
            finally:
                server.should_exit = True
                running.result()
        assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []

    def test_a_second_part_ends_it_at_once(self, app, arrivals) -> None:
        bodies = iter([HEAD + b"abc\r\n", *[HEAD + b"\r\n"] * 5])
        messages = ({"type": "http.request", "body": body, "more_body": True} for body in bodies)

        async def receive() -> dict:
            return next(messages)

        assert send(app, receive) == [400]
        assert len(list(bodies)) == 4
        assert not left(arrivals)
        assert not arrivals.under_way("me")

    def test_one_that_falls_silent_is_ended(self, app, arrivals, monkeypatch) -> None:
        monkeypatch.setattr(arriving, "SILENT_S", 0.05)
        messages = iter([{"type": "http.request", "body": HEAD + bytes(2_000_000), "more_body": True}])

        async def receive() -> dict:
            for message in messages:
                return message
            return await asyncio.Event().wait()

        assert send(app, receive) == [408]
        assert not left(arrivals)

    def test_one_that_trickles_is_ended(self, app, arrivals) -> None:
        now = itertools.count(0, 30)
        arrivals.clock = lambda: float(next(now))
        bodies = itertools.chain([HEAD], itertools.repeat(b"a", 100))

        async def receive() -> dict:
            return {"type": "http.request", "body": next(bodies), "more_body": True}

        assert send(app, receive) == [408]
        assert not left(arrivals)
        assert arrivals.refused("me") == [
            ("a.mp4", "The upload is too slow to come to an end. Try again on a better connection.")
        ]
