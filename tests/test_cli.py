"""The command line, as a program: what is on standard output, and the exit code."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from core.__main__ import main
from core.services import build
from core.settings import load
from tests.environ import clean_environ
from tests.servers.hub import HubServer
from tests.videos import make_video

ROOT = Path(__file__).parents[1]


def run(data_dir: Path, *arguments: object, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "core", *map(str, arguments)],
        cwd=ROOT,
        env={**clean_environ(), "DATA_DIR": str(data_dir), "PYTHONIOENCODING": "utf-8", **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def rows(result: subprocess.CompletedProcess[str]) -> list[dict]:
    """Return what `ingest --json` printed; every line must be JSON."""
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def folder(tmp_path):
    inner = tmp_path / "clips" / "inner"
    inner.mkdir(parents=True)
    make_video(tmp_path / "clips" / "grey wolf portrait.mp4", audio="aac", tone_hz=300)
    make_video(inner / "tax form.mp4", audio="aac", tone_hz=400)
    (inner / "notes.txt").write_text("not a video, and not named like one")
    (inner / ".hidden.mp4").write_text("left alone")
    return tmp_path / "clips"


def test_a_folder_goes_in_and_can_be_searched_and_again_costs_nothing(folder, tmp_path):
    data = tmp_path / "data"
    first = run(data, "ingest", folder, "--json")
    assert first.returncode == 0, first.stderr
    assert {row["filename"] for row in rows(first)} == {"grey wolf portrait.mp4", "tax form.mp4"}
    assert len({row["video_id"] for row in rows(first)}) == 2
    for row in rows(first):
        assert set(row) == {"filename", "video_id", "stage", "reason", "seconds"}
        assert row["stage"] == "ready"

    again = run(data, "ingest", folder, "--json")
    assert again.returncode == 0
    assert {row["video_id"] for row in rows(again)} == {row["video_id"] for row in rows(first)}
    assert all("Already in the library" in row["reason"] for row in rows(again))

    found = run(data, "search", "wolves", "--json", "--limit", "3")
    hits = json.loads(found.stdout)
    assert [hit["filename"] for hit in hits] == ["grey wolf portrait.mp4"]
    assert set(hits[0]) == {"video_id", "filename", "start_time", "end_time", "score", "confidence", "url"}
    assert "Grey wolf portrait" in run(data, "search", "wolves").stdout


def test_one_bad_file_fails_the_run_and_not_the_others(folder, tmp_path):
    (folder / "fake.mp4").write_text("not a video at all")
    result = run(tmp_path / "data", "ingest", folder, "--json")
    assert result.returncode == 1
    stages = {row["filename"]: (row["stage"], row["reason"]) for row in rows(result)}
    assert stages["tax form.mp4"][0] == "ready"
    assert stages["fake.mp4"][0] == "failed"
    assert stages["fake.mp4"][1].endswith(".")


@pytest.mark.parametrize(
    ("arguments", "environ", "words"),
    [
        (["ingest", "/nowhere/at/all.mp4"], {}, "does not exist"),
        (["search", "x", "--category", "grumpy"], {}, "animals"),
        (["search", "x", "--mood", "grumpy"], {}, "joyful"),
        (["search"], {}, "nothing to search for"),
        (["search", "x", "--limit", "0"], {}, "limit"),
        (["search", "x", "--length", "huge"], {}, "under-10s"),
        (["search", "x", "--language", "English"], {}, "pt-BR"),
        (["search", "x", "--sort", "random"], {}, "newest"),
        (["search", "x", "--offset", "-1"], {}, "offset"),
        (["search", "x"], {"ENCODER": "gpt"}, "ENCODER"),
        (["search", "x"], {"DATA_DIR": "/proc/nowhere"}, "DATA_DIR"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_exit_code_1(tmp_path, arguments, environ, words):
    result = run(tmp_path / "data", *arguments, **environ)
    assert result.returncode == 1
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert not result.stdout


def test_a_name_that_no_disk_takes_is_one_sentence(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert main(["ingest", f"{'a' * 300}.mp4"]) == 1
    assert capsys.readouterr().err.endswith("aaa.mp4 does not exist. Name a video file or a folder.\n")


def test_what_a_disk_says_is_one_sentence(tmp_path, capsys, monkeypatch):
    def refuse(settings, **options):
        raise PermissionError(errno.EACCES, "Permission denied", "/srv/library")

    monkeypatch.setattr("core.__main__.build", refuse)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert main(["list"]) == 1
    assert capsys.readouterr().err.startswith("/srv/library: It could not be read or written (Permission denied).")


def test_a_reader_that_goes_away_ends_it_without_a_word(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        listed = subprocess.run(
            [sys.executable, "-m", "core", "list", "--json"],
            cwd=ROOT,
            env={**clean_environ(), "DATA_DIR": str(tmp_path)},
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    assert (listed.returncode, listed.stderr) == (141, "")


def test_what_can_be_asked_over_http_can_be_asked_here(folder, tmp_path, monkeypatch, capsys):
    data = tmp_path / "data"
    for name in set(os.environ) - set(clean_environ()):
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATA_DIR", str(data))
    make_video(folder / "white wolf.mp4", audio="aac", tone_hz=500)
    assert run(data, "ingest", folder).returncode == 0

    def found(*arguments):
        assert main(["search", "wolves", "--json", *arguments]) == 0
        return [hit["filename"] for hit in json.loads(capsys.readouterr().out)]

    everything = found("--sort", "oldest")
    assert len(everything) == 2
    assert found("--sort", "newest") == everything[::-1]
    assert found("--sort", "oldest", "--offset", "1") == everything[1:]
    assert sorted(found("--length", "under-10s", "--length", "1-10min", "--shape", "landscape")) == sorted(everything)
    for nothing in (["--length", "1-10min"], ["--shape", "portrait"], ["--sound", "silent"], ["--language", "de"]):
        assert found(*nothing) == []
    with closing(build(load({"DATA_DIR": str(data)}, None))) as services:
        first = next(entry for entry in services.index.scroll(scope="video") if entry.filename == everything[0])
        services.taste.mark("Ada", first.video_id, "seen")
    assert found("--profile", "Ada", "--hide-seen") == everything[1:]
    assert sorted(found("--profile", "Ada")) == sorted(everything)


def test_a_hit_by_taste_alone_has_no_label_and_is_printed(folder, tmp_path):
    data = tmp_path / "data"
    assert run(data, "ingest", folder).returncode == 0
    wolf = json.loads(run(data, "search", "wolves", "--json").stdout)[0]
    with closing(build(load({"DATA_DIR": str(data)}, None))) as services:
        services.taste.mark("Ada", wolf["video_id"], "like")
    found = run(data, "search", "--profile", "Ada")
    assert (found.returncode, found.stderr) == (0, "")
    first = found.stdout.splitlines()[0]
    assert "Grey wolf portrait" in first
    assert not any(label in first for label in ("high", "medium", "low"))
    assert json.loads(run(data, "search", "--profile", "Ada", "--json").stdout)[0]["confidence"] is None


def test_doctor_checks_every_backend(tmp_path):
    result = run(tmp_path / "data", "doctor")
    assert result.returncode == 0, result.stdout
    lines = result.stdout.splitlines()
    assert all(line.startswith("✓") for line in lines)
    names = [line[2:].partition(":")[0] for line in lines]
    assert names == [
        *("settings", "access", "categories", "files", "store (folder)", "index (edge)", "encoder (local)"),
        *("model (clip)", "queue", "video"),
    ]


def test_a_model_is_got_listed_used_and_removed(tmp_path):
    with HubServer() as hub:
        model = hub.add_model()
        assert "not on this machine" in run(tmp_path, "model", "list", "clip").stdout
        got = run(tmp_path, "model", "get", HF_ENDPOINT=hub.url)
        assert got.returncode == 0, got.stderr
        assert "works" in got.stdout
    assert "GB on this machine" in run(tmp_path, "model", "list", "clip").stdout
    doctor = run(tmp_path, "doctor").stdout
    assert "✓ encoder (clip): clip-vit-b-32+local" in doctor
    assert "✓ model (clip): saw" in doctor
    assert "Removed clip" in run(tmp_path, "model", "remove", model.name).stdout
    assert "✓ encoder (local)" in run(tmp_path, "doctor").stdout


def test_a_model_without_network_is_one_sentence_at_once(tmp_path):
    result = run(tmp_path, "model", "get", HF_ENDPOINT="http://127.0.0.1:9")
    assert result.returncode == 1
    assert "Check the network" in result.stderr
    assert "Traceback" not in result.stderr


def test_doctor_says_what_is_wrong(tmp_path):
    result = run(tmp_path / "data", "doctor", MAX_UPLOAD_MB="much")
    assert result.returncode == 1
    assert result.stdout.startswith("✗ settings: MAX_UPLOAD_MB")
