"""`python -m core calibrate` over a library: what it prints, keeps and takes back, and what it asks a service for."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from core import doctor, services
from core.__main__ import main
from core.discover import taxonomy
from core.discover.composition import fixed_texts
from core.encoders.layout import LAYOUT
from core.encoders.local import LocalEncoder, video_vector, video_words
from core.encoders.percepts import PERCEPTS
from core.settings import load
from tests.environ import clean_environ
from tests.fakes import make_entries, make_video
from tests.servers.twelvelabs import API_KEY, TwelveLabsServer

TITLES = ("Puppy on the grass", "Rocket launch at night", "How to bake bread", "Football match", "Guitar concert")
OWN = {"spread": 0.05, "fits": 1.5, "related": 1.6, "strong": 2.5, "videos": 30, "fitted_at": "2026-11-20T08:00:00"}


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in set(os.environ) - set(clean_environ()):
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("ENCODER", "local")
    return tmp_path / "data"


def fill(count: int, vector: Callable[[str], np.ndarray]) -> None:
    """Put so many videos into the library that is set."""
    opened = services.build(load())
    info = opened.encoder.info
    for number in range(count):
        title = f"{TITLES[number % len(TITLES)]} {number}"
        opened.index.upsert(make_entries(title, vectors=[vector(title)] * 2, info=info))
    opened.close()


def looked_at(title: str) -> np.ndarray:
    dice = np.random.default_rng(len(title))
    return video_vector(dice.normal(0, 0.9, len(PERCEPTS)), *video_words(make_video(title)), np.zeros(LAYOUT))


def numbers_in_use() -> tuple[float, float]:
    opened = services.build(load())
    calibration = opened.discover.encoder.info.calibration
    assert opened.discover.background("category").calibration is calibration
    opened.close()
    return calibration.spread, calibration.fits


def test_what_is_fitted_is_printed_kept_used_and_taken_back(
    data_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(25, looked_at)
    data_dir.joinpath("calibration.json").write_text(json.dumps({"other/v2": OWN}))
    before = numbers_in_use()
    assert main(["calibrate"]) == 0
    told = capsys.readouterr().out
    name = LocalEncoder.info.name
    kept = json.loads(data_dir.joinpath("calibration.json").read_text("utf-8"))
    assert kept["other/v2"] == OWN
    assert f"{name}: 25 videos looked at." in told
    rows = {line[:46].strip(): line[46:].split() for line in told.splitlines() if line.startswith("  ")}
    assert rows["how much closeness usually differs (spread)"] == [f"{before[0]:.3f}", f"{kept[name]['spread']:.3f}"]
    assert rows["a video is shown from"] == [f"{before[1]:.2f}", f"{kept[name]['fits']:.2f}"]
    assert int(rows["categories claimed of these videos, in all"][0]) > 10
    assert "a running app takes it at its next start" in told
    assert numbers_in_use() == (kept[name]["spread"], kept[name]["fits"]) != before
    lines: list[str] = []
    monkeypatch.setattr(doctor, "_check_video", lambda: "made")
    doctor.run(lines.append)
    assert any(line.startswith("✓ calibration: fitted: ") and f"{name} to 25 videos" in line for line in lines), lines

    assert main(["calibrate", "--reset"]) == 0
    assert f"{name} goes by its own numbers again" in capsys.readouterr().out
    assert numbers_in_use() == before
    assert json.loads(data_dir.joinpath("calibration.json").read_text("utf-8")) == {"other/v2": OWN}
    assert main(["calibrate", "--reset"]) == 0
    assert "was not calibrated" in capsys.readouterr().out


def test_too_few_videos_are_a_sentence_and_nothing_is_kept(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(3, looked_at)
    assert main(["calibrate"]) == 1
    told = capsys.readouterr()
    assert "The library has 3 videos, too few" in told.err
    assert not told.out
    assert not data_dir.joinpath("calibration.json").exists()


def test_a_damaged_file_is_a_sentence_until_it_is_reset(
    data_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(1, looked_at)
    data_dir.joinpath("calibration.json").write_text("{")
    for command in (["search", "dog"], ["calibrate"]):
        assert main(command) == 1
        assert "calibration.json cannot be used" in capsys.readouterr().err
    lines: list[str] = []
    monkeypatch.setattr(doctor, "_check_video", lambda: "made")
    assert doctor.run(lines.append) == 1
    assert any(line.startswith("✗ calibration: ") and "calibrate --reset" in line for line in lines), lines
    assert main(["calibrate", "--reset"]) == 0
    assert "was damaged and is removed" in capsys.readouterr().out
    assert main(["search", "dog"]) == 0


class TestPaid:
    @pytest.fixture
    def server(self) -> Iterator[TwelveLabsServer]:
        with TwelveLabsServer() as server:
            yield server

    def test_a_service_is_asked_for_what_is_not_kept_and_once(
        self,
        data_dir: Path,
        server: TwelveLabsServer,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        for name, value in {
            "ENCODER": "twelvelabs",
            "TWELVE_LABS_API_KEY": API_KEY,
            "TWELVELABS_BASE_URL": server.url,
        }.items():
            monkeypatch.setenv(name, value)
        dice = np.random.default_rng(1)

        def drawn(_: str) -> np.ndarray:
            vector = dice.normal(size=3 * 512 + 1)
            return (vector / np.linalg.norm(vector)).astype(np.float32)

        fill(20, drawn)
        data_dir.joinpath("texts.sqlite3").unlink()
        server.texts.clear()
        texts = fixed_texts(taxonomy.load())
        assert main(["calibrate"]) == 0
        told = capsys.readouterr().out
        assert told.startswith("twelvelabs/marengo3.0-vat is asked for ")
        assert "twelvelabs/marengo3.0-vat: 20 videos looked at." in told
        assert sorted(server.texts) == sorted(texts), "each once, and nothing else"
        assert main(["calibrate"]) == 0
        assert "is asked for" not in capsys.readouterr().out
        assert len(server.texts) == len(texts)
        assert not server.tasks
        assert set(json.loads(data_dir.joinpath("calibration.json").read_text("utf-8"))) == {
            "twelvelabs/marengo3.0-vat"
        }
