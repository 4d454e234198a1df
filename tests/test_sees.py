"""With a model the app finds videos by what is in their pictures: through the command line and over HTTP.

The pages are in tests/pages/components/test_model_panel.py.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core import services, settings
from core.encoders.clip import Towers
from core.serving.routes import routes
from tests.models import COLOURS, write_colour_model
from tests.test_cli import run
from tests.videos import make_video, plain

SHOWN = ("red", "green", "blue", "purple", "yellow")


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> tuple[Path, Path]:
    """Fill a library on the command line with videos whose names say nothing; return its folder and the model's."""
    root = tmp_path_factory.mktemp("sees")
    model = write_colour_model(root / "model")
    (root / "clips").mkdir()
    for number, colour in enumerate(SHOWN):
        make_video(root / "clips" / f"IMG_{number:04}.mp4", pattern=plain(*COLOURS[colour]))
    done = run(root / "data", "ingest", root / "clips", CLIP_MODEL_DIR=str(model))
    assert done.returncode == 0, done.stderr
    return root / "data", model


def name_of(colour: str) -> str:
    return f"IMG_{SHOWN.index(colour):04}.mp4"


@pytest.mark.parametrize(("words", "colour"), [("amethyst", "purple"), ("a banana", "yellow")])
def test_the_command_line_finds_what_a_video_shows(library, words, colour):
    data, model = library
    found = run(data, "search", words, "--json", CLIP_MODEL_DIR=str(model))
    assert [row["filename"] for row in json.loads(found.stdout)][:1] == [name_of(colour)]


def test_without_the_model_the_same_words_find_nothing(library, tmp_path):
    done = run(tmp_path / "data", "ingest", library[1].parent / "clips", ENCODER="local")
    assert done.returncode == 0
    found = run(tmp_path / "data", "search", "amethyst", "--json", ENCODER="local")
    assert not json.loads(found.stdout)


def test_search_over_http_finds_it_and_stays_away_from_what_is_excluded(library):
    data, model = library
    opened = services.build(settings.load({"DATA_DIR": str(data), "CLIP_MODEL_DIR": str(model)}, dotenv_path=None))
    try:
        client = TestClient(Starlette(routes=routes(lambda: opened)))
        assert client.get("/api/health").json()["encoder"].startswith("clip-vit-b-32+local-")
        rows = client.post("/search", json={"query": "amethyst", "limit": 5}).json()
        assert rows[0]["filename"] == name_of("purple")
        assert rows[0]["confidence"] in ("high", "medium")
        away = client.post("/search", json={"query": "amethyst -blood", "limit": 5}).json()
        assert name_of("red") not in [row["filename"] for row in away]
    finally:
        opened.close()


def test_texts_are_remembered_so_that_the_next_start_asks_the_model_for_nothing(library, monkeypatch):
    data, model = library
    found = settings.load({"DATA_DIR": str(data), "CLIP_MODEL_DIR": str(model)}, dotenv_path=None)
    first = services.build(found)
    first.discover.counts()
    first.close()
    monkeypatch.setattr(Towers, "read", lambda *_: pytest.fail("a text was read again"))
    monkeypatch.setattr(Towers, "see", lambda *_: pytest.fail("pictures were seen again"))
    again = services.build(found)
    assert again.discover.counts()
    again.close()
