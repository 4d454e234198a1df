"""Whether the process lives, whether it can be used, what it measures; and that no request sinks the others."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from core.access.access import Access
from core.access.limits import Limits
from core.access.policy import Policy, read
from core.access.traffic import Traffic
from core.errors import LibraryError, Unavailable
from core.models import EncoderPause, Stage
from core.serving import guard, probes
from core.serving.guard import House
from core.serving.metrics import Metrics
from core.serving.probes import Readiness, probe_routes
from core.serving.routes import guarding
from core.settings import Settings
from tests.fakes import MemoryIndex, MemoryStore
from tests.serving.test_guard import anything

TOKEN = "watcher:editor:a-secret-of-some-length-0123456789"


@pytest.fixture
def services(tmp_path):
    jobs = SimpleNamespace(counts=lambda: Counter({Stage.QUEUED: 2}), pause=lambda: None)
    settings = Settings(data_dir=tmp_path)
    return SimpleNamespace(index=MemoryIndex(), store=MemoryStore(), jobs=jobs, settings=settings, budget=None)


@pytest.fixture
def reach(tmp_path, services):
    """Return a client before all that stands before the routes."""

    def build(limits: Limits = Limits(), policy: Policy = Policy(), routes=()) -> TestClient:  # noqa: B008
        door, counted, metrics = Access(policy, tmp_path), Traffic(limits), Metrics(lambda: services)
        client = TestClient(
            Starlette(
                routes=[
                    *probe_routes(lambda: services, metrics),
                    *routes,
                    Route("/{path:path}", anything, methods=["GET", "POST", "PUT"]),
                ],
                middleware=guarding(
                    lambda: door, lambda: House(full=lambda languages: "full"), lambda: counted, metrics
                ),
            )
        )
        client.counted = counted
        return client

    return build


def test_it_lives_whatever_is_down_and_is_ready_when_all_can_be_used(reach, services):
    client = reach(policy=read({"ACCESS": "password", "EDIT_PASSWORD": "change that"}.get))
    assert client.get("/api/live").json() == {"status": "ok"}
    ready = client.get("/api/ready")
    assert ready.json() == {"status": "ready", "index": "ok", "store": "ok", "encoder": "ok", "disk": "ok"}
    assert client.get("/api/metrics").status_code == 401


def down(error: Exception):
    def fail(*args: object) -> None:
        raise error

    return fail


def test_what_cannot_be_used_is_named_and_says_nothing_of_the_inside(services, monkeypatch):
    now = [0.0]
    ready = Readiness(lambda: services, clock=lambda: now[0])
    assert set(ready.look().values()) == {"ok"}
    monkeypatch.setattr(services.index, "count", down(LibraryError("The index at 10.0.0.7 is gone.")))
    assert ready.look()["index"] == "ok"  # an answer stands for a few seconds
    now[0] += probes.KEPT_S + 1
    assert ready.look() == {"index": "down", "store": "ok", "encoder": "ok", "disk": "ok"}
    monkeypatch.setattr(services.store, "exists", down(Unavailable("The bucket does not answer.")))
    services.jobs.pause = lambda: EncoderPause("The key was refused.", 3, None)
    monkeypatch.setattr(probes, "LEAST_FREE_BYTES", 1 << 62)
    now[0] += probes.KEPT_S + 1
    assert ready.look() == {"index": "down", "store": "down", "encoder": "paused", "disk": "full"}
    assert set(Readiness(down(LibraryError("locked"))).look().values()) == {"down", "ok"}


def test_a_shared_database_or_a_disk_that_is_away_is_named_and_the_rest_is_measured(reach, services, monkeypatch):
    for name in ("pause", "counts"):
        monkeypatch.setattr(services.jobs, name, down(Unavailable("PostgreSQL at 10.0.0.7 does not answer.")))
    services.budget = SimpleNamespace(today=services.jobs.pause)
    ready = reach().get("/api/ready")
    assert ready.status_code == 503
    assert ready.json() == {"status": "not ready", "index": "ok", "store": "ok", "jobs": "down", "disk": "ok"}
    text = reach().get("/api/metrics").text
    assert {"moodreel_library_up 1.0", "moodreel_videos 0.0"} <= set(text.splitlines())
    assert "moodreel_disk_free_bytes " in text
    assert "moodreel_jobs" not in text
    services.settings = Settings(data_dir=services.settings.data_dir / "unmounted")
    assert reach().get("/api/ready").json()["disk"] == "down"
    assert "moodreel_disk_free_bytes" not in reach().get("/api/metrics").text


def test_metrics_are_prometheus_text_and_name_routes_by_their_pattern(reach):
    client = reach()
    for path in ("/api/videos/secret-id", "/api/videos/another", "/search"):
        client.get(path)
    client.post("/search", headers={"origin": "https://evil.example"})
    text = client.get("/api/metrics").text
    found = {family.name: family for family in text_string_to_metric_families(text)}
    requests = {
        (one.labels["route"], one.labels["method"], one.labels["status"]): one.value
        for one in found["moodreel_requests"].samples
        if one.name.endswith("total")
    }
    assert requests["/api/videos/{id}", "GET", "200"] == 2
    assert requests["/search", "POST", "403"] == 1
    assert found["moodreel_library_up"].samples[0].value == 1
    assert found["moodreel_jobs"].samples[0].labels == {"stage": "queued"}
    assert "secret-id" not in text


def test_methods_that_nobody_knows_are_counted_as_one(reach):
    """Who is not let in is counted too, so that nobody makes the metrics grow by asking in ever new words."""
    client = reach(policy=read({"ACCESS": "password", "EDIT_PASSWORD": "change that", "API_TOKENS": TOKEN}.get))
    for method in ("AAAA", "AAAB", "M-SEARCH", "BREW", "PROPFIND"):
        assert client.request(method, "/api/videos").status_code == 401
    client.get("/api/videos")
    text = client.get("/api/metrics", headers={"authorization": f"Bearer {TOKEN.rpartition(':')[2]}"}).text
    (requests,) = (one for one in text_string_to_metric_families(text) if one.name == "moodreel_requests")
    counted = {one.labels["method"]: one.value for one in requests.samples if one.name.endswith("total")}
    assert counted == {"?": 5, "GET": 1}  # the reading itself is counted when it is answered


def test_too_many_requests_are_told_when_to_ask_again(reach):
    client = reach(Limits(requests_a_second=1.0))
    statuses = [client.post("/search").status_code for _ in range(8)]
    assert statuses == [200] * 5 + [429] * 3
    answer = client.post("/search")
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["error"]
    assert client.get("/api/live").status_code == 200
    assert client.get("/").status_code == 200


def test_programs_on_the_same_machine_ask_as_fast_as_they_are_answered(reach):
    client = reach(Limits(requests_a_second=1.0, requests_a_second_in_all=1.0))
    here = TestClient(client.app, client=("127.0.0.1", 50000))
    assert {here.post("/search").status_code for _ in range(20)} == {200}
    assert [client.post("/search").status_code for _ in range(7)] == [200] * 5 + [429] * 2


def test_a_place_for_each_page_and_a_friendly_page_where_there_is_none(reach):
    async def socket(websocket) -> None:
        await websocket.accept()
        await websocket.receive()

    client = reach(Limits(sessions=2), routes=[WebSocketRoute("/_stcore/stream", socket)])
    with client.websocket_connect("/_stcore/stream"), client.websocket_connect("/_stcore/stream"):
        answer = client.get("/", headers={"accept-language": "en"})
        assert (answer.status_code, answer.text) == (429, "full")
        assert answer.headers["retry-after"] == "30"
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_stcore/stream"):
            pass
    assert client.get("/").status_code == 200
    assert client.counted.sessions.taken == 0


def test_uploads_beyond_the_limit_wait_a_little_and_then_are_refused(reach, monkeypatch):
    arrived, go_on = threading.Event(), threading.Event()

    async def slow(request) -> PlainTextResponse:
        import anyio

        arrived.set()
        while not go_on.is_set():
            await anyio.sleep(0.01)
        return PlainTextResponse("stored")

    path = "/_stcore/upload_file/s/f"
    client = reach(Limits(uploads_at_once=1), routes=[Route(path, slow, methods=["PUT"])])
    first = []
    with client:
        thread = threading.Thread(target=lambda: first.append(client.put(path).status_code))
        thread.start()
        assert arrived.wait(120)
        monkeypatch.setattr(guard, "UPLOAD_PATIENCE_S", 0)
        assert client.put(path).status_code == 429
        monkeypatch.setattr(guard, "UPLOAD_PATIENCE_S", 60)
        second = threading.Thread(target=lambda: first.append(client.put(path).status_code))
        second.start()
        go_on.set()
        thread.join(120)
        second.join(120)
    assert first == [200, 200]
    assert client.counted.uploads.taken == 0


def test_every_answer_has_the_id_of_its_request_and_the_log_names_no_query(reach, caplog):
    client = reach()
    with caplog.at_level(logging.INFO, logger="core.serving.watch"):
        given = client.get("/api/health?word=secret", headers={"x-request-id": "from-the-proxy"})
        made = client.get("/api/health", headers={"x-request-id": "bad id\t"})
    assert given.headers["x-request-id"] == "from-the-proxy"
    assert len(made.headers["x-request-id"]) == 16
    assert {record.route for record in caplog.records} == {"/api/health"}
    assert "secret" not in caplog.text
