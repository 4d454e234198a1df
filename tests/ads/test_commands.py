"""python -m core breaks, and POST /api/breaks: the same places, said and refused in the same words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.__main__ import _parser
from core.errors import AppError
from core.services import Services
from core.serving.routes import routes
from tests.ads.conftest import Add
from tests.ads.vmap_rules import check_vmap
from tests.videos import make_video

Run = Callable[..., int]
DOG = "a dog and a puppy, animals"


@pytest.fixture
def run(services: Services) -> Run:
    def run(*words: str) -> int:
        arguments = _parser().parse_args(("breaks", *words))
        return arguments.run(services, arguments)

    return run


@pytest.fixture
def client(services: Services) -> TestClient:
    return TestClient(Starlette(routes=routes(lambda: services)))


@pytest.fixture
def wolf(add: Add) -> str:
    for title in ("tax office, law", "harbour ship", "football match", "snow on a mountain"):
        add(title)
    return add("grey wolf and dog, animals")


def test_places_are_said_with_their_reasons(run: Run, wolf: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--text", DOG) == 0
    out = capsys.readouterr().out
    assert wolf in out
    assert "45.000 s" in out
    assert "Nothing is heard here." in out


def test_the_command_and_the_address_say_the_same(
    run: Run, client: TestClient, wolf: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--text", DOG, "--json", "--avoid-word", "office", "--apart", "10") == 0
    printed = json.loads(capsys.readouterr().out)
    answer = client.post("/api/breaks", json={"text": DOG, "avoid_words": ["office"], "apart_s": 10})
    assert answer.status_code == 200
    said = answer.json()
    assert [cue["at_s"] for cue in said["videos"][0]["cues"]] == [20.0, 45.0, 60.0]
    assert said["videos"][0]["url"] == f"http://testserver{printed['videos'][0]['url']}"
    assert said["videos"][0]["cues"] == printed["videos"][0]["cues"]
    assert said["avoided"] == printed["avoided"]


def test_vmap_of_a_clip_that_is_kept(
    run: Run, client: TestClient, wolf: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_video(tmp_path / "dog and puppy, animals.mp4", seconds=2, size=(64, 36), fps=5)
    assert run("--file", str(clip), "--video", wolf, "--vmap") == 0
    out, err = capsys.readouterr()
    (one,) = check_vmap(out)
    assert one.get("timeOffset") == "00:00:45.000"
    assert "add --address" in err
    ad = err.split()[3].rstrip(".")
    answer = client.post("/api/breaks", json={"ad": ad, "video": wolf, "format": "vmap"})
    assert answer.headers["content-type"].startswith("application/xml")
    (one,) = check_vmap(answer.text)
    assert one.findtext(".//MediaFile") == f"http://testserver/app/static/media/ad-{ad}.mp4"
    assert client.get(f"/app/static/media/ad-{ad}.mp4").status_code == 200
    assert run("--ad", ad, "--video", wolf, "--vmap", "--address", "https://films.example/reel/") == 0
    out, err = capsys.readouterr()
    (one,) = check_vmap(out)
    assert one.findtext(".//MediaFile") == f"https://films.example/reel/app/static/media/ad-{ad}.mp4"
    assert "--address" not in err
    assert run("--list") == 0
    assert ad in capsys.readouterr().out
    assert run("--remove", ad) == 0
    with pytest.raises(AppError, match="no ad"):
        run("--remove", ad)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "Say which ad"),
        ({"text": DOG, "format": "vmap"}, "VMAP is about one video"),
        ({"text": DOG, "mood": "calm"}, "There is no mood here"),
        ({"text": DOG, "first_s": -1}, "first_s is not right"),
        ({"text": DOG, "avoid_categories": ["weather"]}, "weather"),
        ({"text": DOG, "tag": "ftp://x"}, "ad server"),
        ([], "must be a JSON object"),
    ],
)
def test_what_is_wrong_is_said(client: TestClient, wolf: str, body: object, said: str) -> None:
    answer = client.post("/api/breaks", json=body)
    assert answer.status_code == 400
    assert said in answer.json()["error"]


def test_pages_of_others_may_not_ask(client: TestClient) -> None:
    answer = client.post("/api/breaks", json={"text": DOG}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403


def test_it_is_in_the_document(client: TestClient, wolf: str) -> None:
    paths = client.get("/api/docs").json()["paths"]
    content = paths["/api/breaks"]["post"]["responses"]["200"]["content"]
    assert {*content} == {"application/json", "application/xml"}
    cue = content["application/json"]["schema"]["properties"]["videos"]["items"]["properties"]["cues"]["items"]
    assert {"at_s", "reasons"} <= {*cue["properties"]}
    assert "$ref" not in str(paths)


def test_a_library_where_it_belongs_nowhere(run: Run, wolf: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = [part for word in ("office", "ship", "football", "snow", "wolf") for part in ("--avoid-word", word)]
    assert run("--text", DOG, *words) == 1
    assert "belongs nowhere" in capsys.readouterr().err
