"""The HTTP contract, over the routes themselves."""

import json
import random
from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core import __version__
from core.discover import taxonomy
from core.discover.search import Discover
from core.errors import LibraryLocked, Unavailable
from core.library.spaces import Serving
from core.services import Services
from core.serving import bodies
from core.serving.routes import routes
from core.settings import Settings
from core.state.opening import open_state
from core.stores.folder import FolderStore
from tests.fakes import FAKE_INFO, FakeEncoder, MemorySpaces, MemoryStore, make_entries


@pytest.fixture
def services(tmp_path):
    info = replace(FAKE_INFO, dimension=2048)
    encoder, spaces, store = FakeEncoder(info), MemorySpaces(), FolderStore(tmp_path / "media")
    index = spaces.make(info, complete=True)
    for title in ("animals calm", "animals", "quarterly report"):
        index.upsert(make_entries(title, info=info))
    kinds = taxonomy.load()
    serving = Serving(
        spaces,
        encoder,
        encoder_of=lambda space: encoder,
        discover_over=lambda encoder, index: Discover(encoder=encoder, index=index, store=store, taxonomy=kinds),
    )
    state = open_state(tmp_path, None)
    return Services(
        Settings(data_dir=tmp_path),
        store,
        serving,
        jobs=None,
        reembed=None,
        taste=None,
        channels=None,
        library=None,
        state=state,
        themes=state.document("taxonomy.toml"),
        ads=None,
        trends=None,
    )


@pytest.fixture
def client(services):
    return TestClient(Starlette(routes=routes(lambda: services)))


def test_health_says_what_is_live(client):
    assert client.get("/api/health").json() == {
        "status": "ok",
        "version": __version__,
        "encoder": "fake-v1",
        "index": "edge",
        "store": "folder",
        "videos": 3,
        "clips": 9,
    }


def test_search_answers_best_first_with_the_contracts_fields(client):
    response = client.post("/search", json={"category": "animals", "mood": "calm", "limit": 10})
    assert response.status_code == 200
    rows = response.json()
    assert [row["filename"] for row in rows] == ["animals calm.mp4", "animals.mp4"]
    assert set(rows[0]) == {"video_id", "filename", "start_time", "end_time", "score", "confidence", "url"}
    assert rows[0]["score"] >= rows[1]["score"]
    assert rows[0]["confidence"] in ("high", "medium", "low")
    assert rows[0]["url"] == f"http://testserver/app/static/media/{rows[0]['video_id']}.mp4"


def test_search_takes_several_categories_and_its_options(client):
    request = {
        "category": ["animals", "food"],
        "mood": ["calm"],
        "strength": 0.2,
        "variety": 0.5,
        "sound": "with-sound",
    }
    assert {row["filename"] for row in client.post("/search", json=request).json()} == {
        "animals calm.mp4",
        "animals.mp4",
    }
    first = client.post("/search", json={"category": "animals", "limit": 1}).json()[0]
    like = client.post("/search", json={"like": first["video_id"]}).json()
    assert first["video_id"] not in {row["video_id"] for row in like}
    assert len(like) == 2
    assert client.post("/search", json={"category": "animals", "offset": 1}).json() != [first]


def test_search_by_the_language_of_subtitles(services, client):
    info = services.encoder.info
    services.index.upsert(make_entries("animals abroad", info=info, subtitle_languages=("de", "pt-br")))
    for language in ("de", "DE", "ger", "pt-BR", "pt", ["fr", "de"]):
        rows = client.post("/search", json={"category": "animals", "language": language}).json()
        assert [row["filename"] for row in rows] == ["animals abroad.mp4"], language
    assert client.post("/search", json={"category": "animals", "language": "fr"}).json() == []
    assert len(client.post("/search", json={"category": "animals", "language": []}).json()) == 3


def test_search_in_words_and_by_limit(client):
    assert len(client.post("/search", json={"query": "quarterly"}).json()) == 1
    assert len(client.post("/search", json={"category": "Animals", "limit": 1}).json()) == 1
    assert client.post("/search", json={"query": "xylophone"}).json() == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"not json", "not JSON"),
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[1]", "JSON object"),
        (b"{}", "nothing to search for"),
        (b'{"query": "  "}', "nothing to search for"),
        (b'{"query": 5}', "query must be a string"),
        (b'{"category": [5]}', "list of strings"),
        (b'{"query": "x", "strength": 2}', "strength"),
        (b'{"query": "x", "variety": "much"}', "variety"),
        (b'{"query": "x", "length": "huge"}', "under-10s"),
        (b'{"query": "x", "sort": "random"}', "newest"),
        (b'{"query": "x", "language": "English"}', "pt-BR"),
        (b'{"query": "x", "language": ["en", "e_1"]}', "e_1"),
        (b'{"query": "x", "language": 5}', "language must be a string"),
        (b'{"query": "x", "hide_seen": 1}', "true or false"),
        (b'{"like": "no-such-video"}', "no longer in the library"),
        (b'{"category": "grumpy"}', "animals"),
        (b'{"mood": "grumpy"}', "joyful"),
        (b'{"query": "x", "limit": 0}', "limit"),
        (b'{"query": "x", "limit": 101}', "limit"),
        (b'{"query": "x", "limit": "ten"}', "limit"),
        (b'{"query": "x", "limit": true}', "limit"),
        (b'{"query": "x", "limit": 1.5}', "limit"),
        (json.dumps({"query": "x" * 501}).encode(), "500"),
        (json.dumps({"query": "x" * 70_000}).encode(), "larger"),
        (b"[" * 60_000, "not JSON"),
    ],
)
def test_a_wrong_request_is_a_400_that_says_what_to_change(client, body, words):
    response = client.post("/search", content=body)
    assert response.status_code == 400
    assert set(response.json()) == {"error", "details"}
    assert words in response.json()["error"]


SENTENCES = {
    '{"query": 5}': ("query must be a string.", {}),
    '{"query": "\\ud800"}': ("query has characters that are no text. Send it without them.", {}),
    '{"query": "x", "mood": [["calm"]]}': ("mood must be a string or a list of strings.", {}),
    '{"query": "x", "strength": 2}': ("strength must be a number from 0 to 1.", {"strength": [0, 1]}),
    '{"query": "x", "variety": NaN}': ("variety must be a number from 0 to 1.", {"variety": [0, 1]}),
    '{"query": "x", "like_at": -1}': ("like_at must be a number from 0 to 1e+06.", {"like_at": [0, 1e6]}),
    '{"query": "x", "limit": 1.5}': ("limit must be a whole number from 1 to 100.", {"limit": [1, 100]}),
    '{"query": "x", "offset": null}': ("offset must be a whole number from 0 to 900.", {"offset": [0, 900]}),
    '{"query": "x", "hide_seen": "yes"}': ("hide_seen must be true or false.", {"hide_seen": [True, False]}),
    '{"query": "x", "sort": "random"}': (
        "sort is 'random'. Choose one of: match, newest, oldest, shortest, longest.",
        {"sort": ["match", "newest", "oldest", "shortest", "longest"]},
    ),
    '{"query": "x", "sort": 0}': ("sort must be a string.", {}),
    '{"query": "x", "shape": ["square", "round"]}': (
        "There is no shape 'round'. Choose of: landscape, portrait, square.",
        {"shape": ["landscape", "portrait", "square"]},
    ),
    '{"query": "x", "sound": {}}': ("sound must be a string or a list of strings.", {}),
    '{"query": "x", "language": "English"}': (
        "language is 'English'. Send a code such as en or pt-BR.",
        {"language": ["en", "pt-BR"]},
    ),
    '{"limit": 0, "length": "huge", "strength": 2}': ("strength must be a number from 0 to 1.", {"strength": [0, 1]}),
}
"""What released versions answer to wrong requests, word for word; programs may go by `details`."""


@pytest.mark.parametrize(("body", "answer"), SENTENCES.items(), ids=SENTENCES)
def test_what_is_wrong_is_said_in_the_words_of_the_contract(client, body, answer):
    response = client.post("/search", content=body)
    assert (response.status_code, response.json()) == (400, {"error": answer[0], "details": answer[1]})


def test_whatever_the_json_it_is_an_answer_or_a_sentence(client):
    chance = random.Random(7)
    names = [
        *client.get("/api/docs").json()["paths"]["/search"]["post"]["requestBody"]["content"]["application/json"][
            "schema"
        ]["properties"],
        "unknown",
        "",
    ]
    plain = [None, True, 0, -1, 1, 0.5, 10**400, 1e308, float("nan"), float("-inf"), "", " ", "animals", "calm", "de",
             "newest", "silent", "\ud800", "\x00", "\u202e", "狼🐺", "x" * 600, "Ada"]  # fmt: skip

    def anything(depth):
        kind = chance.random()
        if depth and kind < 0.25:
            return [anything(depth - 1) for _ in range(chance.randrange(4))]
        if depth and kind < 0.35:
            return {chance.choice(names): anything(depth - 1) for _ in range(chance.randrange(3))}
        return chance.choice(plain)

    statuses = set()
    for _ in range(600):
        body = {name: anything(3) for name in chance.sample(names, chance.randrange(1, 5))}
        response = client.post("/search", content=json.dumps(body))
        statuses.add(response.status_code)
        assert response.status_code in (200, 400), body
        if response.status_code == 400:
            answer = response.json()
            assert set(answer) == {"error", "details"}, body
            assert answer["error"].endswith("."), body
            assert not any(word in answer["error"] for word in ("validation", "Input should", "pydantic")), body
    assert statuses == {200, 400}


def test_a_long_list_is_read_once():
    """Each text is compared with those it may be equal to, never with all before it: bodies are read on the loop."""

    class Counted(str):
        compared = 0

        def strip(self):
            return self

        def __eq__(self, other):
            Counted.compared += 1
            return str(self) == str(other)

        def __hash__(self):
            return hash(str(self))

    texts = [Counted(f"word{number}") for number in range(1000)]
    assert bodies._listed([*texts, " word1 ", "", None, " "]) == texts
    assert Counted.compared < 10_000
    assert bodies._listed(["calm", ["calm"], 5, "joyful"]) == [["calm"]]  # refused at the first that is no text


def test_details_name_the_allowed_values(client):
    details = client.post("/search", json={"category": "grumpy"}).json()["details"]
    assert "sci-fi" in details["category"]


def test_a_search_from_another_site_is_refused(client):
    request = {"json": {"query": "animals"}}
    assert client.post("/search", headers={"Origin": "https://evil.example"}, **request).status_code == 403
    assert client.post("/search", headers={"Origin": "http://testserver"}, **request).status_code == 200
    forwarded = {"Origin": "https://videos.example", "X-Forwarded-Host": "videos.example"}
    assert client.post("/search", headers=forwarded, **request).status_code == 200


def test_the_docs_describe_what_a_search_takes(client):
    document = client.get("/api/docs").json()
    assert document["openapi"] == "3.1.0"
    body = document["paths"]["/search"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert "sci-fi" in body["properties"]["category"]["oneOf"][0]["enum"]
    for name, schema in body["properties"].items():
        wrong = {"query": "animals", name: {"an": "object"}}
        assert client.post("/search", json=wrong).status_code == 400, f"{name} is documented and not read"
        if "default" in schema:
            assert client.post("/search", json={"query": "animals", name: schema["default"]}).status_code == 200


def test_the_docs_name_the_categories_and_moods_there_are_now(services, client):
    def enums():
        search = client.get("/api/docs").json()["paths"]["/search"]["post"]
        properties = search["requestBody"]["content"]["application/json"]["schema"]["properties"]
        return [properties[name]["oneOf"][0]["enum"] for name in ("category", "mood")]

    shipped = enums()
    services.add_theme("category", "Pack animals", ["wolves"])
    services.add_theme("mood", "Lonely", ["alone"])
    assert enums() == [[*shipped[0], "pack-animals"], [*shipped[1], "lonely"]]
    assert client.post("/search", json={"category": "pack-animals"}).status_code == 200
    services.remove_theme("category", "pack-animals")
    services.remove_theme("mood", "lonely")
    assert enums() == shipped
    assert client.post("/search", json={"category": "pack-animals"}).status_code == 400


@pytest.mark.parametrize("error", [Unavailable("Qdrant does not answer. Check QDRANT_URL."), RuntimeError("inside")])
def test_a_backend_down_is_a_503_without_the_inside(services, client, error, monkeypatch):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(services.index, "search", fail)
    monkeypatch.setattr(services.index, "count", fail)
    for response in (client.get("/api/health"), client.post("/search", json={"query": "animals"})):
        assert response.status_code == 503
        assert "inside" not in response.text
        assert response.json()["error"]


def test_a_library_that_cannot_be_opened_is_a_503():
    def locked():
        raise LibraryLocked("Another process holds the library.")

    client = TestClient(Starlette(routes=routes(locked)))
    for response in (
        client.get("/api/health"),
        client.post("/search", json={"query": "x"}),
        client.get("/app/static/media/x.mp4"),
    ):
        assert (response.status_code, response.json()["error"]) == (503, "Another process holds the library.")


def test_media_is_served_by_range(services, client, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(bytes(range(256)))
    services.store.put(source, "abc.mp4", lambda fraction: None)
    whole = client.get("/app/static/media/abc.mp4")
    assert (whole.status_code, whole.headers["content-type"], len(whole.content)) == (200, "video/mp4", 256)
    assert whole.headers["accept-ranges"] == "bytes"
    part = client.get("/app/static/media/abc.mp4", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, bytes(range(10, 20)))
    assert part.headers["content-range"] == "bytes 10-19/256"
    assert client.get("/app/static/media/abc.mp4", headers={"Range": "bytes=999-"}).status_code == 416
    assert client.head("/app/static/media/abc.mp4").headers["content-length"] == "256"


def test_a_store_that_keeps_its_bytes_elsewhere_has_no_media_here(services, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"bytes")
    store = MemoryStore()
    store.put(source, "abc.mp4", lambda fraction: None)
    client = TestClient(Starlette(routes=routes(lambda: replace(services, store=store))))
    assert client.get("/app/static/media/abc.mp4").status_code == 404


@pytest.mark.parametrize("key", ["none.mp4", "..%2f..%2fetc%2fpasswd", "%2e%2e", "a.exe", "a%00.mp4", ".mp4"])
def test_what_is_not_media_is_a_404(client, key):
    assert client.get(f"/app/static/media/{key}").status_code == 404


@pytest.mark.parametrize("base_path", ["videos", "/videos/", "a/b"])
def test_under_a_base_path_all_routes_stand_at_both_addresses(services, base_path):
    client = TestClient(Starlette(routes=routes(lambda: services, base_path)))
    prefix = "/" + base_path.strip("/")
    for path in ("", prefix):
        assert client.get(f"{path}/api/health").json()["status"] == "ok"
        assert client.get(f"{path}/api/docs").json()["servers"] == [{"url": prefix}]
        url = client.post(f"{path}/search", json={"category": "animals"}).json()[0]["url"]
        assert url.startswith(f"http://testserver{prefix}/app/static/media/")
        services.store.root.mkdir(exist_ok=True)
        (services.store.root / "film.mp4").write_bytes(b"0123456789")
        assert client.get(f"{path}/app/static/media/film.mp4", headers={"Range": "bytes=2-4"}).content == b"234"


def test_without_a_base_path_no_route_stands_twice(services):
    paths = [route.path for route in routes(lambda: services, "/")]
    assert len(paths) == len(set(paths))
