"""Doctor: every backend broken in turn; it is named, it says what to do, and all others are checked all the same."""

from __future__ import annotations

import socket

import pytest

from core import doctor, samples
from core.encoders import clip_models
from core.errors import MediaError, StoreError
from core.index import base
from core.settings import load
from tests.models import write_colour_model

CHECKED = ("settings", "access", "categories", "files", "store", "index", "encoder", "model", "queue", "video")


@pytest.fixture
def examine(tmp_path, monkeypatch):
    def run(**environ: str) -> dict[str, tuple[str, str]]:
        """Return by each check's short name its mark and what it said."""
        environ = {"DATA_DIR": str(tmp_path / "data"), **environ}
        monkeypatch.setattr(doctor, "load", lambda: load(environ, dotenv_path=None))
        lines: list[str] = []
        code = doctor.run(lines.append)
        found = {}
        for line in lines:
            name, _, said = line[2:].partition(": ")
            found[name.partition(" (")[0]] = (line[0], said)
        assert code == any(mark == "✗" for mark, _ in found.values())
        return found

    return run


def nobody() -> str:
    """Return an address on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def check_only(found: dict[str, tuple[str, str]], broken: str, words: str) -> None:
    assert tuple(found) == CHECKED
    assert [name for name, (mark, _) in found.items() if mark == "✗"] == [broken]
    said = found[broken][1]
    assert words in said
    assert said.endswith(".")


def test_all_is_well(examine):
    found = examine()
    assert tuple(found) == CHECKED
    assert {mark for mark, _ in found.values()} == {"✓"}


def test_the_settings(examine):
    found = examine(MAX_UPLOAD_MB="much")
    assert found["settings"][0] == "✗"
    assert found["video"][0] == "✓"


def test_the_categories(examine, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "taxonomy.toml").write_text("[[category]\n")
    check_only(examine(), "categories", "taxonomy.toml")


def test_the_store(examine, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "media").write_text("a file where a folder must be")
    check_only(examine(), "store", "media")


def test_a_bucket_far_away(examine):
    found = examine(AWS_BUCKET_NAME="b", AWS_ENDPOINT_URL=nobody(), AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="s")
    check_only(found, "store", "AWS_ENDPOINT_URL")


def test_the_index(examine, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "spaces").write_text("a file where a folder must be")
    found = examine()
    assert [name for name, (mark, _) in found.items() if mark == "✗"] == ["index"]


def test_a_library_that_outgrew_the_embedded_index_is_offered_a_server(examine, monkeypatch):
    monkeypatch.setattr(base, "COMPARED_IN_TIME", -1)
    found = examine()
    assert [name for name, (mark, _) in found.items() if mark == "!"] == ["index"]
    assert "move --to server" in found["index"][1]


def test_a_server_far_away(examine):
    check_only(examine(QDRANT_URL=nobody()), "index", "QDRANT_URL")


def test_an_encoder_far_away(examine):
    found = examine(TWELVE_LABS_API_KEY="tlk_none", TWELVELABS_BASE_URL=nobody())
    assert [name for name, (mark, _) in found.items() if mark == "✗"] == ["encoder"]


def test_a_model_that_is_not_there(examine):
    found = examine(ENCODER="clip")
    assert [name for name, (mark, _) in found.items() if mark == "✗"] == ["encoder", "model"]
    assert all("model get clip" in found[name][1] for name in ("encoder", "model"))


def test_a_model_that_is_damaged(examine, tmp_path):
    folder = write_colour_model(tmp_path / "model")
    (folder / "vision" / "model.onnx").write_bytes(b"damaged")
    check_only(examine(CLIP_MODEL_DIR=str(folder), ENCODER="local"), "model", "model get clip")


def test_a_model_that_is_there_and_not_used_is_tried_all_the_same(examine, tmp_path):
    folder = write_colour_model(tmp_path / "model")
    found = examine(CLIP_MODEL_DIR=str(folder), ENCODER="local")
    assert found["model"][0] == "✓"
    assert "not used" in found["model"][1]
    assert clip_models.find(clip_models.named("clip"), tmp_path) is None


def test_the_queue(examine, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "jobs.sqlite3").write_bytes(b"this is no database, and long enough to be seen as none" * 9)
    check_only(examine(), "queue", "jobs.sqlite3")


def test_rendering(examine, monkeypatch):
    def broken(*_: object) -> None:
        raise MediaError("It cannot be written. Do something.")

    monkeypatch.setattr(samples, "render", broken)
    check_only(examine(), "video", "cannot be written")


def test_a_watched_folder(tmp_path):
    def check(folder: str) -> str:
        settings = load({"DATA_DIR": str(tmp_path / "data"), "WATCH_DIR": str(tmp_path / folder)}, dotenv_path=None)
        return dict(doctor._checks(settings))["watched folder"]()

    (tmp_path / "films").mkdir()
    (tmp_path / "films/a.mp4").write_bytes(b"")
    assert "(1 files and folders)" in check("films")
    with pytest.raises(StoreError, match=r"Make or mount it, or let this user read it\.$"):
        check("away")
