"""What stands before the routes: who comes through to what, by session and by token, from which pages and names."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.access.access import COOKIE, Access
from core.access.policy import read
from core.access.roles import Identity
from core.errors import SettingsError
from core.serving.guard import Guard, House, identity_of
from core.serving.signin import sign_in_routes

PASSWORDS = {"ACCESS": "password", "VIEW_PASSWORD": "look at this", "EDIT_PASSWORD": "change that"}
TOKENS = {"API_TOKENS": "robot:editor:0123456789abcdef,screen:viewer:fedcba9876543210"}
OIDC = {"ACCESS": "oidc", "EDITORS": "anna@example.org", "VIEWERS": "@example.org"}
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


async def anything(request: Request) -> PlainTextResponse:
    who = identity_of(request)
    return PlainTextResponse(f"reached by {who.role if who else 'nobody'}")


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()


@pytest.fixture
def reach(tmp_path):
    """Return a client before a guard with these settings, over an app that answers everything."""

    def build(base_path: str = "", claims=lambda cookies, max_age_s: None, **environ: str) -> TestClient:
        door = Access(read(environ.get), tmp_path, claims=claims)
        app = Starlette(
            routes=[
                *sign_in_routes(lambda: door, lambda target, sentence, languages: f"{target}|{sentence}", base_path),
                WebSocketRoute("/_stcore/stream", socket),
                Route("/{path:path}", anything, methods=METHODS),
            ]
        )
        house = House(base_path, scripts=("'sha256-x'",))
        client = TestClient(Guard(app, lambda: door, lambda: house), follow_redirects=False)
        client.door = door
        return client

    return build


def as_role(client: TestClient, role: str | None) -> dict[str, str]:
    password = {"viewer": "look at this", "editor": "change that"}
    return {"cookie": f"{COOKIE}={client.door.sign_in(password[role], 'here')}"} if role else {}


WAYS = [
    # method, path, nobody, viewer, editor
    ("GET", "/", 303, 200, 200),
    ("GET", "/ingest", 303, 200, 200),
    ("GET", "/api/live", 200, 200, 200),
    ("GET", "/api/health", 401, 200, 200),
    ("GET", "/api/docs", 401, 200, 200),
    ("GET", "/api/metrics", 401, 403, 200),
    ("GET", "/api/videos", 401, 200, 200),
    ("PATCH", "/api/videos/1", 401, 403, 200),
    ("DELETE", "/api/videos/1", 401, 403, 200),
    ("POST", "/search", 401, 200, 200),
    ("GET", "/app/static/media/a.mp4", 401, 200, 200),
    ("GET", "/media/a.jpg", 401, 200, 200),
    ("PUT", "/_stcore/upload_file/s/f", 401, 403, 200),
    ("DELETE", "/_stcore/upload_file/s/f", 401, 403, 200),
    ("GET", "/_stcore/metrics", 401, 403, 200),
    ("GET", "/_stcore/health", 200, 200, 200),
    ("GET", "/static/js/index.js", 200, 200, 200),
    ("POST", "/_stcore/agent/interact", 401, 403, 403),
    ("DELETE", "/api/everything", 401, 403, 403),
]


@pytest.mark.parametrize(("method", "path", "nobody", "viewer", "editor"), WAYS)
def test_each_way_is_for_those_it_is_for(reach, method, path, nobody, viewer, editor):
    client = reach(**PASSWORDS)
    for role, status in ((None, nobody), ("viewer", viewer), ("editor", editor)):
        answer = client.request(method, path, headers=as_role(client, role))
        assert answer.status_code == status, role
        if status == 401:
            assert answer.json()["error"]
        if status == 200 and path.startswith("/api/health"):
            assert answer.text == f"reached by {role}"


@pytest.mark.parametrize(("method", "path", "nobody", "viewer", "editor"), [way for way in WAYS if way[2] != 303])
def test_programs_come_by_tokens(reach, method, path, nobody, viewer, editor):
    client = reach(**PASSWORDS, **TOKENS)
    for secret, status in (("wrong", nobody), ("fedcba9876543210", viewer), ("0123456789abcdef", editor)):
        answer = client.request(method, path, headers={"authorization": f"Bearer {secret}"})
        assert answer.status_code == status, secret


def test_who_is_unknown_is_told_how_to_come_in(reach):
    answer = reach(**PASSWORDS).get("/api/health")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "Bearer" in answer.json()["error"]


def test_open_access_lets_all_through_but_streamlits_own_way_for_programs(reach):
    client = reach()
    for method, path, *_ in WAYS:
        assert client.request(method, path).status_code == (403 if "/agent/" in path else 200), path


def test_a_websocket_is_opened_for_who_is_signed_in(reach):
    client = reach(**PASSWORDS)
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_stcore/stream"):
        pass
    with client.websocket_connect("/_stcore/stream", headers=as_role(client, "viewer")):
        pass
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/other", headers=as_role(client, "editor")):
        pass
    foreign = {**as_role(client, "editor"), "origin": "https://evil.example"}
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_stcore/stream", headers=foreign):
        pass


def test_with_a_provider_the_page_itself_asks_and_all_else_is_held(reach):
    client = reach(**OIDC)
    for method, path, nobody, *_ in WAYS:
        assert client.request(method, path).status_code == (200 if nobody == 303 else nobody), path
    with client.websocket_connect("/_stcore/stream"):
        pass
    known = reach(claims=lambda cookies, max_age_s: {"email": cookies.get("who")}, **OIDC)
    for method, path, _, viewer, editor in WAYS:
        for name, status in (("ben@example.org", viewer), ("anna@example.org", editor)):
            assert known.request(method, path, headers={"cookie": f"who={name}"}).status_code == status, path


def test_media_open_by_their_signed_address_alone(reach):
    client = reach(**PASSWORDS)
    address = f"/app/static/media/a.mp4{client.door.sign_media('a.mp4')}"
    assert client.get(address).status_code == 200
    assert client.head(address).status_code == 200
    for changed in (address.replace("a.mp4", "b.mp4"), address[:-2], address.replace("until=", "until=9")):
        assert client.get(changed).status_code == 401
    assert client.get(address.replace("/app/static/media/a.mp4", "/api/health")).status_code == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_changes_something_comes_from_our_own_pages(reach, method):
    client = reach()
    for path in ("/search", "/_stcore/upload_file/s/f", "/api/videos/1", "/signin"):
        assert client.request(method, path, headers={"origin": "https://evil.example"}).status_code == 403
        assert client.request(method, path, headers={"origin": "null"}).status_code == 403
    assert client.request(method, "/anything", headers={"origin": "http://testserver"}).status_code == 200
    assert client.get("/", headers={"origin": "https://evil.example"}).status_code == 200


def test_the_app_answers_to_its_own_names_only(reach):
    client = reach(ALLOWED_HOSTS="videos.example")
    assert client.get("/", headers={"host": "videos.example"}).status_code == 200
    assert client.get("/api/health", headers={"host": "localhost:8501"}).status_code == 200
    for path in ("/", "/api/live", "/_stcore/health", "/static/js/index.js"):
        assert client.get(path, headers={"host": "evil.example"}).status_code == 400
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_stcore/stream", headers={"host": "evil"}):
        pass


def test_every_answer_says_what_browsers_are_to_hold_it_to(reach):
    client = reach(**PASSWORDS)
    for path in ("/", "/api/health", "/static/js/index.js", "/nothing"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-frame-options"] == "SAMEORIGIN"
        policy = headers["content-security-policy"]
        assert "script-src 'self' 'sha256-x';" in policy
        assert "frame-ancestors 'self'" in policy
        assert "unsafe-eval" not in policy
        assert "script-src 'self' 'unsafe-inline'" not in policy


def test_pages_that_may_show_the_app_are_a_setting(reach):
    headers = reach(FRAME_ANCESTORS="'self' https://intranet.example").get("/").headers
    assert "frame-ancestors 'self' https://intranet.example" in headers["content-security-policy"]
    assert "x-frame-options" not in headers
    assert reach(FRAME_ANCESTORS="'none'").get("/").headers["x-frame-options"] == "DENY"


def test_a_host_that_is_no_name_gets_into_no_header(reach):
    policy = reach().get("/", headers={"host": "x; script-src *"}).headers["content-security-policy"]
    assert "script-src *" not in policy


def test_signing_in_leads_back_and_nowhere_else(reach):
    client = reach(**PASSWORDS)
    answer = client.get("/ingest?a=1&b=2")
    assert answer.headers["location"] == "/signin?next=%2Fingest%3Fa%3D1%26b%3D2"
    assert client.get(answer.headers["location"]).text == "/ingest?a=1&b=2|"
    form = {"password": "change that", "next": "/ingest?a=1"}
    answer = client.post("/signin", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/ingest?a=1")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie
    for evil in ("//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nX: y", "evil", "/signin"):
        assert client.post("/signin", data={**form, "next": evil}).headers["location"] == "/"
    assert client.get("/signin", headers=as_role(client, "viewer")).headers["location"] == "/"


def test_the_cookie_is_for_https_where_that_is_what_the_browser_speaks(reach):
    client = reach(**PASSWORDS)
    client.base_url = "https://testserver"
    assert "secure" in client.post("/signin", data={"password": "change that"}).headers["set-cookie"].lower()


def test_wrong_passwords_are_said_and_then_must_wait(reach):
    client = reach(**PASSWORDS)
    answers = [client.post("/signin", data={"password": "guess"}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[0].text == "/|That is not the password."
    assert int(answers[-1].headers["retry-after"]) in range(1, 6)
    assert client.post("/signin", data={"password": "change that"}).status_code == 429
    assert client.post("/signin", content=b"password=" + b"x" * 100_000).status_code in (401, 429)


def test_what_is_too_much_to_read_is_no_signature_and_no_password(reach):
    client = reach(**PASSWORDS)
    many = "&".join(f"field{number}=1" for number in range(11))
    assert client.get(f"/app/static/media/a.mp4?{many}").status_code == 401
    answer = client.post("/signin", content=f"password=change+that&{many}")
    assert (answer.status_code, answer.text) == (401, "/|That is not the password.")


def test_an_origin_that_is_no_address_is_not_ours(reach):
    assert reach().post("/search", headers={"origin": "http://["}).status_code == 403


def test_under_the_base_path_of_a_proxy_the_same_holds(reach):
    client = reach(base_path="/videos", **PASSWORDS)
    assert client.get("/videos/ingest").headers["location"] == "/videos/signin?next=%2Fingest"
    assert client.get("/videos/api/health").status_code == 401
    assert client.put("/videos/_stcore/upload_file/s/f", headers=as_role(client, "viewer")).status_code == 403
    answer = client.post("/videos/signin", data={"password": "change that", "next": "/videos/ingest"})
    assert answer.headers["location"] == "/videos/ingest"
    assert "path=/videos" in answer.headers["set-cookie"].lower()


def test_wrong_settings_let_nobody_in():
    def broken() -> Access:
        raise SettingsError("ACCESS is wrong.")

    client = TestClient(Guard(Starlette(routes=[Route("/{p:path}", anything)]), broken, House))
    assert client.get("/").status_code == 200  # the page says the sentence
    for path in ("/api/health", "/app/static/media/a.mp4", "/media/a.jpg"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["error"]) == (503, "ACCESS is wrong.")


def test_the_routes_know_who_asks(reach):
    client = reach(claims=lambda cookies, max_age_s: {"email": "ben@example.org"}, **OIDC)
    assert client.door.identify({}) == Identity("viewer", "oidc", "ben@example.org")
    assert client.get("/api/health").text == "reached by viewer"
