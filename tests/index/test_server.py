"""What only the server's index does: guard its collection, try again, and speak when the server does not answer."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np
import pytest
from qdrant_client import models

from core.errors import AppError, EncoderMismatch, LibraryError, SettingsError, Unavailable
from core.index import connection
from core.index import server as module
from core.index.base import id_of, to_payload
from core.index.edge import EdgeIndex
from core.index.payload import FIELDS
from core.index.server import ServerIndex
from core.models import Counts, Match
from tests.fakes import FAKE_INFO, make_entries
from tests.servers.qdrant import QdrantServer

ROOT = Path(__file__).resolve().parents[2]
NAME = "content_collection"
KEY = "s3cr3t-key-0123456789"


@pytest.fixture
def qdrant() -> Iterator[QdrantServer]:
    with QdrantServer() as server:
        yield server


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BACKOFF_S", 0.001)


@pytest.fixture
def index(qdrant: QdrantServer) -> Iterator[ServerIndex]:
    opened = open_on(qdrant)
    yield opened
    opened.close()


def open_on(qdrant: QdrantServer, api_key: str | None = None, **how: int) -> ServerIndex:
    return ServerIndex(qdrant.url, api_key, NAME, FAKE_INFO, **how)


def random_vectors(count: int, seed: int = 7) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, FAKE_INFO.dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def ranked(matches: list[Match]) -> list[tuple[str, list[tuple[str, float]]]]:
    return [(m.video_id, [(one.entry.scope, one.entry.start_s) for one in m.scored]) for m in matches]


def says(caught: pytest.ExceptionInfo[AppError], *words: str) -> None:
    """Hold that the message has these words, ends like a sentence, and has no secret in it or behind it."""
    message = str(caught.value)
    for word in words:
        assert word in message
    assert message.endswith(".")
    assert KEY not in message
    assert KEY not in "".join(traceback.format_exception(caught.value))


# What it ranks, and what it makes


def test_the_server_and_the_embedded_index_rank_one_library_alike(index: ServerIndex, tmp_path: Path) -> None:
    embedded = EdgeIndex(tmp_path / "index", FAKE_INFO)
    vectors = random_vectors(60 * 5).reshape(60, 5, -1)
    entries = [entry for n in range(60) for entry in make_entries(f"Video {n}", vectors=vectors[n])]
    for library in (index, embedded):
        library.upsert(entries)
    for number, query in enumerate(random_vectors(20, seed=3)):
        how = {"limit": 25, "per_video": 1 + number % 4, "scope": (None, "clip", "video")[number % 3]}
        ours, theirs = index.search(query, **how), embedded.search(query, **how)
        assert ranked(ours) == ranked(theirs)
        assert [match.score for match in ours] == pytest.approx([match.score for match in theirs], abs=1e-5)
    embedded.close()


def test_a_search_goes_on_where_the_server_gave_up_grouping(index: ServerIndex, qdrant: QdrantServer) -> None:
    """A server looks for groups in five rounds; here each round is full of clips of one video."""
    query, other = random_vectors(2)
    other -= (other @ query) * query
    other /= np.linalg.norm(other)
    for n in range(12):
        cosines = 0.95 - n / 20 - np.arange(12)[:, None] / 1000
        index.upsert(make_entries(f"Video {n}", vectors=list(cosines * query + np.sqrt(1 - cosines**2) * other)))
    qdrant.seen.clear()
    matches = index.search(query, limit=12, per_video=1)
    assert [match.scored[0].entry.title for match in matches] == [f"Video {n}" for n in range(12)]
    assert len(qdrant.paths("POST")) == 3, "five, five and two videos: the local server gives up as the real one does"


def test_the_collection_is_made_once_with_what_it_needs(index: ServerIndex, qdrant: QdrantServer) -> None:
    described = qdrant.memory.get_collection(NAME)
    assert described.config.params.vectors == models.VectorParams(
        size=64, distance=models.Distance.COSINE, on_disk=True
    )
    assert described.config.metadata == {"encoder": "fake-v1", "dimension": 64}
    types = {"keyword": "keyword", "number": "float", "time": "datetime"}
    assert {name: i.data_type.value for name, i in described.payload_schema.items()} == {
        name: types[kind] for name, kind in FIELDS.items()
    }
    index.upsert(make_entries("Wolf"))
    qdrant.seen.clear()
    again = open_on(qdrant)
    assert [seen.method for seen in qdrant.seen] == ["GET", "GET"], "a library that is there is only looked at"
    assert again.count() == Counts(1, 3)
    again.close()


def test_two_that_make_the_collection_at_once_make_one(qdrant: QdrantServer) -> None:
    exists = qdrant.memory.collection_exists
    both_asked = threading.Barrier(2)

    def ask(collection_name: str) -> bool:
        answer = exists(collection_name)
        both_asked.wait(timeout=120)
        return answer

    qdrant.memory.collection_exists = ask
    with ThreadPoolExecutor(2) as pool:
        one, two = (future.result() for future in [pool.submit(open_on, qdrant) for _ in range(2)])
    one.upsert(make_entries("Wolf"))
    assert two.count() == Counts(1, 3)
    assert qdrant.paths("PUT").count(f"/collections/{NAME}") == 2, "both must have tried"
    one.close()
    two.close()


def test_requests_are_bounded_in_number_and_bytes(
    index: ServerIndex, qdrant: QdrantServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.upsert(make_entries("Long", vectors=random_vectors(600)))
    assert qdrant.memory.upserts == [256, 256, 88]
    assert {"wait=true" in seen.query for seen in qdrant.seen if seen.path.endswith("/points")} == {True}
    qdrant.memory.upserts.clear()
    qdrant.seen.clear()
    monkeypatch.setattr(module, "MAX_BATCH_BYTES", 20_000)
    index.upsert(make_entries("狼" * 500, vectors=random_vectors(12)))
    assert sum(qdrant.memory.upserts) == 12
    assert len(qdrant.memory.upserts) > 3
    assert max(seen.body_bytes for seen in qdrant.seen) <= 20_000


def test_counting_again_asks_the_server_only_after_a_write_or_a_while(
    index: ServerIndex, qdrant: QdrantServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.upsert(make_entries("Wolf"))
    assert index.count() is index.count()
    other = open_on(qdrant)
    other.upsert(make_entries("Bear"))
    other.close()
    monkeypatch.setattr(module, "COUNT_TTL_S", 0.0)
    assert index.count() == Counts(2, 6)
    monkeypatch.setattr(module, "COUNT_TTL_S", 1000.0)
    index.delete(make_entries("Wolf")[0].video_id)
    assert index.count() == Counts(1, 3)


def test_the_version_tells_what_others_write(
    index: ServerIndex, qdrant: QdrantServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = index.version
    other = open_on(qdrant)
    other.upsert(make_entries("Bear"))
    other.close()
    monkeypatch.setattr(module, "COUNT_TTL_S", 0.0)
    assert index.version != before


def test_a_large_library_is_searched_through_the_graph(
    index: ServerIndex, qdrant: QdrantServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[models.SearchParams] = []
    monkeypatch.setattr(
        index._client,
        "query_points_groups",
        lambda **how: asked.append(how["search_params"]) or models.GroupsResult(groups=[]),
    )
    index.search(random_vectors(1)[0], limit=1)
    index.upsert(make_entries("Wolf"))
    index.count()
    monkeypatch.setattr(module, "EXACT_UP_TO", 3)
    index.search(random_vectors(1)[0], limit=1)
    rescored = models.QuantizationSearchParams(rescore=True, oversampling=2.0)
    walked = models.SearchParams(hnsw_ef=module.GRAPH_EFFORT, quantization=rescored)
    assert asked == [models.SearchParams(exact=True), walked], "small copies find, the vectors themselves rank"


# Whose collection it is


def put_collection(
    qdrant: QdrantServer,
    size: int = 64,
    distance: models.Distance = models.Distance.COSINE,
    payloads: list[dict] | None = None,
    **how: object,
) -> None:
    """Make a collection as some other program would."""
    vectors = models.VectorParams(size=size, distance=distance)
    qdrant.memory.create_collection(NAME, **({"vectors_config": vectors} | how))
    points = [
        models.PointStruct(id=number, vector=[0.1] * size, payload=payload)
        for number, payload in enumerate(payloads or [])
    ]
    if points:
        qdrant.memory.upsert(NAME, points)


TUTORIAL = {"video_url": "https://x.s3.amazonaws.com/a.mp4", "scope": "clip", "start_time": 0, "end_time": 6}
OURS = to_payload(make_entries()[0])


@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        (
            {"size": 1024, "payloads": [TUTORIAL]},
            EncoderMismatch,
            ["1024 numbers", "does not name", "QDRANT_COLLECTION"],
        ),
        ({"payloads": [TUTORIAL]}, LibraryError, ["did not write", "QDRANT_COLLECTION"]),
        ({"payloads": [OURS, OURS | {"encoder": "old-v0"}]}, EncoderMismatch, ["old-v0", "fake-v1", "ENCODER"]),
        ({"metadata": {"encoder": "old-v0"}}, EncoderMismatch, ["old-v0", "fake-v1"]),
        ({"size": 32, "metadata": {"encoder": "old-v0"}}, EncoderMismatch, ["old-v0 (32 numbers", "fake-v1 (64)"]),
        ({"distance": models.Distance.DOT}, LibraryError, ["cosine", "dot"]),
        (
            {"vectors_config": {"visual": models.VectorParams(size=64, distance=models.Distance.COSINE)}},
            LibraryError,
            ["named vectors visual", "unnamed"],
        ),
        ({"vectors_config": {}}, LibraryError, ["that one has none"]),
    ],
    ids=["tutorial", "same-size", "other-encoder", "other-note", "both", "dot", "named", "none"],
)
def test_a_collection_of_others_is_refused_and_left_alone(
    qdrant: QdrantServer, how: dict, error: type[AppError], words: list[str]
) -> None:
    put_collection(qdrant, **how)
    before = qdrant.memory.get_collection(NAME)
    with pytest.raises(error) as caught:
        open_on(qdrant)
    says(caught, NAME, *words)
    assert type(caught.value) is error
    assert qdrant.memory.get_collection(NAME) == before
    assert {"GET"} <= {seen.method for seen in qdrant.seen} <= {"GET", "POST"}


@pytest.mark.parametrize("payloads", [[], [OURS, OURS]], ids=["empty", "ours"])
def test_a_fitting_collection_without_a_note_is_taken_and_noted(qdrant: QdrantServer, payloads: list[dict]) -> None:
    put_collection(qdrant, payloads=payloads, metadata={"made_by": "hand"})
    open_on(qdrant).close()
    assert qdrant.memory.get_collection(NAME).config.metadata == {
        "made_by": "hand",
        "encoder": "fake-v1",
        "dimension": 64,
    }
    with pytest.raises(EncoderMismatch):
        ServerIndex(qdrant.url, None, NAME, replace(FAKE_INFO, name="other-v2"))


def test_a_strange_point_is_named(index: ServerIndex, qdrant: QdrantServer) -> None:
    stranger = models.PointStruct(id=77, vector=[0.1] * 64, payload={"video_id": "x", "scope": "video"})
    qdrant.memory.upsert(NAME, [stranger])
    with pytest.raises(LibraryError) as caught:
        list(index.scroll())
    says(caught, "point 77", "QDRANT_COLLECTION")


# When the server does not do what it should


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 429},
        {"kind": "status", "status": 429, "retry_after_s": 0},
        {"kind": "drop"},
        {"kind": "lose"},
    ],
    ids=["503", "500", "429", "429-retry-after", "drop", "lose"],
)
def test_a_write_outlives_a_passing_fault(index: ServerIndex, qdrant: QdrantServer, fault: dict) -> None:
    qdrant.fail(**fault, times=3, path="/points")
    entries = make_entries("Wolf", vectors=random_vectors(300))
    index.upsert(entries)
    assert index.count() == Counts(1, 299)
    assert sorted(map(id_of, index.scroll())) == sorted(map(id_of, entries)), "writing again must not double"
    qdrant.fail(**fault, times=3, path="/delete")
    index.delete(entries[0].video_id)
    assert index.count() == Counts(0, 0)


@pytest.mark.parametrize("kind", ["status", "drop"])
def test_a_read_is_tried_twice(index: ServerIndex, qdrant: QdrantServer, kind: str) -> None:
    index.upsert(make_entries("Wolf"))
    qdrant.fail(kind)
    assert len(index.search(random_vectors(1)[0], limit=1)) == 1
    qdrant.fail(kind, times=2)
    with pytest.raises(Unavailable):
        index.search(random_vectors(1)[0], limit=1)
    qdrant.heal()
    assert len(list(index.scroll())) == 4


def test_a_server_that_asks_for_a_long_wait_is_left_alone(index: ServerIndex, qdrant: QdrantServer) -> None:
    """The job queue waits then, or the person; not the request."""
    qdrant.fail("status", status=429, retry_after_s=3600, times=10)
    qdrant.seen.clear()
    for ask in (lambda: index.search(random_vectors(1)[0], limit=1), lambda: index.upsert(make_entries())):
        with pytest.raises(Unavailable) as caught:
            ask()
        says(caught, "more requests than it takes")
    assert len(qdrant.seen) == 2


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ({"status": 503}, Unavailable, ["QDRANT_URL", "503", "temporarily broken"]),
        ({"status": 429}, Unavailable, ["more requests than it takes"]),
        ({"status": 429, "retry_after_s": 0}, Unavailable, ["more requests than it takes"]),
        ({"status": 401}, LibraryError, ["QDRANT_API_KEY", "401"]),
        ({"status": 403}, LibraryError, ["QDRANT_API_KEY", "403"]),
        ({"status": 404}, LibraryError, ["QDRANT_URL", "QDRANT_COLLECTION", "start the app again"]),
        ({"status": 400, "says": "Wrong input: odd"}, LibraryError, ["400: Wrong input: odd", "QDRANT_COLLECTION"]),
        (
            {"status": 400, "says": "Wrong input: Vector dimension error: expected dim: 1024, got 64"},
            EncoderMismatch,
            ["expected dim: 1024", "Start the app again"],
        ),
        ({"status": 301}, LibraryError, ["301", "QDRANT_URL"]),
        ({"kind": "html"}, LibraryError, ["does not speak like Qdrant", "QDRANT_URL"]),
        ({"kind": "drop"}, Unavailable, ["cannot be reached", "QDRANT_URL"]),
    ],
    ids=["503", "429", "429-after", "401", "403", "404", "400", "400-dimension", "301", "html", "drop"],
)
def test_each_fault_is_one_sentence_whatever_was_asked(
    qdrant: QdrantServer, fault: dict, error: type[AppError], words: list[str]
) -> None:
    index = open_on(qdrant, KEY)
    qdrant.fail(**fault, times=1000)
    asks: dict[str, Callable[[], object]] = {
        "open": lambda: open_on(qdrant, KEY),
        "search": lambda: index.search(random_vectors(1)[0], limit=1),
        "upsert": lambda: index.upsert(make_entries()),
        "scroll": lambda: list(index.scroll()),
        "delete": lambda: index.delete("x"),
        "count": index.count,
    }
    for name, ask in asks.items():
        qdrant.seen.clear()
        with pytest.raises(error) as caught:
            ask()
        assert type(caught.value) is error, name
        says(caught, *words)
        assert len(qdrant.seen) <= connection.WRITE.tries, f"{name}: attempts must be bounded"
    index.close()


def test_a_server_that_repeats_the_key_does_not_make_us_show_it(qdrant: QdrantServer) -> None:
    qdrant.fail("status", status=400, says=f"bad header api-key: {KEY}")
    with pytest.raises(LibraryError) as caught:
        open_on(qdrant, KEY)
    assert "bad header api-key: …" in str(caught.value)
    says(caught)


def test_the_key_is_sent_and_asked_for() -> None:
    with QdrantServer(api_key=KEY) as qdrant:
        index = open_on(qdrant, KEY)
        index.upsert(make_entries())
        assert index.count() == Counts(1, 3)
        index.close()
        with pytest.raises(LibraryError) as caught:
            open_on(qdrant, "wrong")
        says(caught, "refuses the key in QDRANT_API_KEY")
        with pytest.raises(LibraryError) as caught:
            open_on(qdrant)
        says(caught, "QDRANT_API_KEY is unset")


def test_a_server_that_is_down_is_said_at_once_and_found_again(qdrant: QdrantServer) -> None:
    index = open_on(qdrant)
    index.upsert(make_entries("Wolf"))
    qdrant.stop()
    for ask in (lambda: open_on(qdrant), lambda: list(index.scroll()), lambda: index.upsert(make_entries("Bear"))):
        with pytest.raises(Unavailable) as caught:
            ask()
        says(caught, qdrant.url, "cannot be reached", "QDRANT_URL")
    qdrant.start()
    index.upsert(make_entries("Bear"))
    assert index.count() == Counts(2, 6)
    index.close()


def opened_in_a_hurry(qdrant: QdrantServer) -> ServerIndex:
    """Open an index that waits a second for an answer, on a machine that may stand still for longer."""
    for _ in range(30):
        with suppress(Unavailable):
            return open_on(qdrant, timeout_s=1)
    raise AssertionError("it never answers within a second")


def test_a_server_that_says_nothing_is_waited_for_only_so_long(qdrant: QdrantServer) -> None:
    index = opened_in_a_hurry(qdrant)
    qdrant.fail("hang", times=1000)
    qdrant.seen.clear()
    for ask in (lambda: open_on(qdrant, timeout_s=1), lambda: index.search(random_vectors(1)[0], limit=1)):
        with pytest.raises(Unavailable) as caught:
            ask()
        says(caught, "did not answer within 1 s", "QDRANT_URL")
    assert len(qdrant.seen) == 2, "a person does not wait twice"
    qdrant.seen.clear()
    with pytest.raises(Unavailable):
        index.upsert(make_entries())
    assert len(qdrant.seen) == connection.WRITE.tries
    index.close()


def test_closing_ends_the_wait_for_a_broken_server(qdrant: QdrantServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BACKOFF_S", 1000.0)
    monkeypatch.setattr(connection, "MAX_BACKOFF_S", 1000.0)
    index = open_on(qdrant)
    qdrant.fail("status", times=1000)
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(index.upsert, make_entries())
        while not any(path.endswith("/points") for path in qdrant.paths("PUT")):
            threading.Event().wait(0.01)
        index.close()
        with pytest.raises(LibraryError, match="closed"):
            writing.result(timeout=120)


# Addresses and keys


@pytest.mark.parametrize(
    ("url", "key", "warned"),
    [
        ("http://qdrant.example.com:6333", KEY, True),
        ("http://10.0.0.7:6333", KEY, True),
        ("http://127.0.0.1:6333", KEY, False),
        ("http://localhost:6333", KEY, False),
        ("http://[::1]:6333", KEY, False),
        ("https://qdrant.example.com:6333", KEY, False),
        ("http://qdrant.example.com:6333", None, False),
    ],
)
def test_a_key_that_travels_openly_is_warned_of(
    url: str, key: str | None, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The client's own warning, which is an error in these tests, says it for loopback too."""
    with caplog.at_level(logging.WARNING):
        connection.connect(url, key, 20).close()
    assert [record.levelname for record in caplog.records] == ["WARNING"] * warned
    if warned:
        assert "QDRANT_API_KEY" in caplog.text
        assert "https://" in caplog.text
        assert KEY not in caplog.text


@pytest.mark.parametrize("key", [f"{KEY}\n", f"{KEY}\u2026", f"a\r\nHost: b{KEY}"])
def test_a_key_that_cannot_be_sent_is_not_shown(key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        ServerIndex("http://127.0.0.1:1", key, NAME, FAKE_INFO)
    says(caught, "QDRANT_API_KEY")


@pytest.mark.parametrize("url", ["http://[1", "http://host:port", "https://a b"])
def test_an_address_that_is_none_is_said(url: str) -> None:
    with pytest.raises((SettingsError, LibraryError, Unavailable)) as caught:
        ServerIndex(url, None, NAME, FAKE_INFO)
    says(caught, "QDRANT_URL")


def test_a_password_in_the_address_is_not_shown(qdrant: QdrantServer) -> None:
    qdrant.fail("status", times=1000)
    with pytest.raises(Unavailable) as caught:
        ServerIndex(qdrant.url.replace("//", f"//user:{KEY}@"), None, NAME, FAKE_INFO)
    says(caught, qdrant.url)


def test_the_server_can_be_started_by_hand_and_told_to_fail() -> None:
    command = [sys.executable, "-u", "-m", "tests.servers.qdrant", "--port", "0", "--api-key", KEY]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            process.stdout.readline()
            url = process.stdout.readline().split()[0].removeprefix("QDRANT_URL=")
            client = connection.connect(url, KEY, 5)
            assert client.collection_exists(NAME) is False
            order = Request(f"{url}/_fault", data=b'{"status": 403}', method="PUT")
            urlopen(order, timeout=5).close()
            client.close()
            with pytest.raises(LibraryError, match="403"):
                ServerIndex(url, KEY, NAME, FAKE_INFO)
        finally:
            process.terminate()
