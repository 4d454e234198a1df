"""The videos of a library over HTTP."""

from __future__ import annotations

import re
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
import httpx2
import pytest
from anyio import create_task_group, fail_after, sleep, to_thread
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.errors import MediaError
from core.ingest import sandbox
from core.services import Services, build
from core.serving.routes import routes
from core.settings import Settings
from tests.fakes import make_entries
from tests.videos import make_video

TITLES = ("Grey wolf", "Tax office", "Red fox")
WOLF = make_entries("Grey wolf")[0].video_id


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    services = build(Settings(data_dir=Path(tmp_path_factory.mktemp("data"))))
    yield services
    services.close()


@pytest.fixture
def client(services: Services) -> TestClient:
    for number, title in enumerate(TITLES):
        (vector,) = services.encoder.encode_text([title])
        services.index.upsert(
            make_entries(
                title,
                info=services.encoder.info,
                clips=1,
                vectors=[vector, vector],
                tags={},
                ingested_at=f"2026-11-0{number + 1}T00:00:00+00:00",
            )
        )
    return TestClient(Starlette(routes=routes(lambda: services)))


def test_a_page_at_a_time(client: TestClient) -> None:
    first = client.get("/api/videos?limit=2").json()
    rest = client.get("/api/videos?limit=2&offset=2").json()
    assert [video["title"] for video in first["videos"]] == ["Red fox", "Tax office"]
    assert [video["title"] for video in rest["videos"]] == ["Grey wolf"]
    assert first["total"] == rest["total"] == 3
    assert first["videos"][0]["url"] == f"http://testserver/app/static/media/{first['videos'][0]['video_id']}.mp4"
    assert client.get("/api/videos?name=fox&sort=title").json()["total"] == 1
    assert client.get("/api/videos?length=under-10s&length=1-10min").json()["total"] == 3


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("limit=0", "limit"),
        ("limit=many", "limit"),
        ("offset=-1", "offset"),
        ("sort=best", "sort must be"),
        ("length=huge", "under-10s"),
        ("category=nonsense", "nonsense"),
        ("colour=red", "no parameter 'colour'"),
    ],
)
def test_a_wrong_page_is_a_400_that_says_what_to_change(client: TestClient, query: str, said: str) -> None:
    answer = client.get(f"/api/videos?{query}")
    assert answer.status_code == 400
    assert said in answer.json()["error"]


def test_one_is_shown_and_changed(client: TestClient) -> None:
    assert client.get(f"/api/videos/{WOLF}").json()["filename"] == "Grey wolf.mp4"
    changed = client.patch(f"/api/videos/{WOLF}", json={"title": "Cooking pasta", "tags": ["food"]})
    assert (changed.json()["title"], changed.json()["tags"]) == ("Cooking pasta", ["food"])
    assert client.post("/search", json={"query": "cooking pasta"}).json()[0]["video_id"] == WOLF


def test_one_is_corrected_and_answers_accordingly(client: TestClient, services: Services) -> None:
    while services.relabel is not None and services.relabel.one_batch():
        pass  # as the app does by itself

    def found() -> list[str]:
        return [hit["video_id"] for hit in client.post("/search", json={"category": "sports"}).json()]

    assert WOLF not in found()
    assert "sports" in client.patch(f"/api/videos/{WOLF}", json={"categories": {"sports": True}}).json()["categories"]
    assert WOLF in found()
    assert WOLF in [video["video_id"] for video in client.get("/api/videos?category=sports").json()["videos"]]
    back = client.patch(f"/api/videos/{WOLF}", json={"categories": {"sports": None}})
    assert "sports" not in back.json()["categories"]
    assert client.patch(f"/api/videos/{WOLF}", json={"moods": {"nonsense": True}}).status_code == 400


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"title": ""}, "A title is missing"),
        ({"title": 3}, "title"),
        ({"colour": "red"}, "colour cannot be changed"),
        ({"tags": ["x" * 50]}, "tags"),
        ([], "JSON object"),
    ],
)
def test_a_wrong_change_is_a_400_and_changes_nothing(client: TestClient, body: object, said: str) -> None:
    answer = client.patch(f"/api/videos/{WOLF}", json=body)
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert client.get(f"/api/videos/{WOLF}").json()["title"] == "Grey wolf"


def test_one_is_deleted_and_gone_from_search(client: TestClient, services: Services) -> None:
    answer = client.delete(f"/api/videos/{WOLF}")
    assert answer.json()["deleted"] is True
    assert re.match(r"\d{4}-\d\d-\d\dT", answer.json()["undo_until"])
    assert client.get("/api/videos").json()["total"] == 2
    assert client.get("/api/health").json()["videos"] == 2
    assert WOLF not in [hit["video_id"] for hit in client.post("/search", json={"query": "grey wolf"}).json()]
    for method in (client.get, client.delete):
        assert method(f"/api/videos/{WOLF}").status_code == 404
    assert client.patch(f"/api/videos/{WOLF}", json={"title": "x"}).status_code == 404
    services.library.trash.restore([WOLF])
    assert client.get(f"/api/videos/{WOLF}").status_code == 200


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_another_site_may_change_nothing(client: TestClient, method: str) -> None:
    answer = client.request(method, f"/api/videos/{WOLF}", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert client.get(f"/api/videos/{WOLF}").status_code == 200


def test_its_file_and_a_moment_of_it_can_be_taken_away(client: TestClient, services: Services, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=2.0, size=(64, 36), fps=5)
    services.store.put(path, f"{WOLF}.mp4", lambda fraction: None)
    whole = client.get(f"/api/videos/{WOLF}/file")
    assert whole.content == path.read_bytes()
    assert whole.headers["content-disposition"] == "attachment; filename*=utf-8''Grey%20wolf.mp4"
    moment = client.get(f"/api/videos/{WOLF}/file?start=0&end=1")
    assert moment.headers["content-disposition"].endswith("Grey%20wolf%200.00-0.01.mp4")
    assert 0 < len(moment.content) < len(whole.content)
    assert list((services.settings.data_dir / "moments").iterdir()) == []
    for wrong in ("start=1", "start=2&end=1", "start=a&end=2", "start=0&end=nan", "start=0&end=1e9", "start=5&end=6"):
        assert client.get(f"/api/videos/{WOLF}/file?{wrong}").status_code == 400
    assert client.get("/api/videos/nobody/file").status_code == 404


def test_a_file_that_is_no_longer_in_the_store_is_said(client: TestClient, services: Services) -> None:
    services.store.delete(f"{WOLF}.mp4")
    for asked in ("", "?start=0&end=1"):
        answer = client.get(f"/api/videos/{WOLF}/file{asked}")
        assert (answer.status_code, "store" in answer.json()["error"]) == (400, True)


def in_a_thread(work: Callable[..., Awaitable[None]], *args: object) -> None:
    """Run a coroutine in a thread of its own: tests in a browser, before it in this process, leave a loop running."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(anyio.run, work, *args).result()


def test_a_moment_is_gone_however_its_answer_ends(client: TestClient, services: Services, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=1.0, size=(64, 36), fps=5)
    services.store.put(path, f"{WOLF}.mp4", lambda fraction: None)
    address = f"/api/videos/{WOLF}/file?start=0&end=1"
    moments = services.settings.data_dir / "moments"
    for asked, status in (("bytes=0-3", 206), ("bytes=99999999-", 416), ("bytes=x-y", 400), ("letters=0-3", 400)):
        assert client.get(address, headers={"Range": asked}).status_code == status
        assert list(moments.iterdir()) == [], asked

    class Gone(Exception):
        pass

    async def leave(message: Mapping[str, object]) -> None:
        assert len(list(moments.iterdir())) == 1
        raise Gone

    scope = {"type": "http", "method": "GET", "headers": [], "asgi": {"spec_version": "2.4"}}
    path_, query = address.split("?")
    with pytest.raises(Gone):
        in_a_thread(client.app, {**scope, "path": path_, "query_string": query.encode()}, None, leave)
    assert list(moments.iterdir()) == []


def test_what_is_being_made_keeps_no_thread_from_the_rest(
    client: TestClient, services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wolf, fox = (make_entries(title)[1] for title in ("Grey wolf", "Red fox"))
    (tmp_path / "a.mp4").write_bytes(b"bytes")
    services.store.put(tmp_path / "a.mp4", wolf.media_key, lambda fraction: None)
    stills = services.settings.data_dir / "stills"
    stills.mkdir(exist_ok=True)
    (stills / f"{fox.content_sha256}-0.jpg").write_bytes(b"a picture")
    begun: list[object] = []
    go_on = threading.Event()

    def without_end(*args: object) -> None:
        begun.append(args)
        assert go_on.wait(120)
        raise MediaError("Nothing of it decodes.")

    monkeypatch.setattr(sandbox, "still_of", without_end)
    monkeypatch.setattr(sandbox, "inspect", without_end)

    async def ask() -> None:
        to_thread.current_default_thread_limiter().total_tokens = 4
        transport = httpx2.ASGITransport(app=client.app)
        async with (
            httpx2.AsyncClient(transport=transport, base_url="http://x") as asked,
            create_task_group() as all_,
        ):
            for at_s in (0, 2, 4):
                all_.start_soon(asked.get, f"/api/videos/{wolf.video_id}/still?at={at_s}")
                all_.start_soon(asked.get, f"/api/videos/{wolf.video_id}/file?start={at_s}&end=6")
            try:
                with fail_after(20):
                    while len(begun) < 2:
                        await sleep(0.01)
                    assert (await asked.get("/api/health")).status_code == 200
                    assert (await asked.get(f"/api/videos/{fox.video_id}/still?at=0")).content == b"a picture"
                    assert (await asked.get(f"/api/videos/{wolf.video_id}/file")).content == b"bytes"
            finally:
                go_on.set()

    in_a_thread(ask)


def test_the_document_tells_of_them_without_loose_ends(client: TestClient) -> None:
    paths = client.get("/api/docs").json()["paths"]
    assert set(paths["/api/videos/{id}"]) == {"parameters", "get", "patch", "delete"}
    names = {parameter["name"] for parameter in paths["/api/videos"]["get"]["parameters"]}
    assert {"name", "sort", "limit", "offset", "category", "mood", "length", "language"} <= names
    assert "$ref" not in str(paths)
