"""Where a video can be interrupted: cuts and black, not flashes and swift motion; how quiet it is, and who speaks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from core.ads.rhythm import FPS, RATE, SIZE, Rhythm, Rhythms, measure
from core.ingest.sampling import Picture, Sound
from tests.fakes import MemoryStore, make_entries
from tests.videos import make_video, plain

Frame = Callable[[float], np.ndarray]
WIDTH, HEIGHT = SIZE


def scene(seed: int, moves: float = 0.0) -> Frame:
    """Return a shot of blocks of colour that move so many pixels a second to the side."""
    blocks = np.random.default_rng(seed).integers(40, 220, (6, 8, 3), np.uint8)
    picture = np.kron(blocks, np.ones((6, 8, 1), np.uint8))
    return lambda t: np.roll(picture, round(moves * t), axis=1)


def dark(t: float) -> np.ndarray:
    return np.zeros((HEIGHT, WIDTH, 3), np.uint8)


def film(*shots: tuple[float, Frame], fps: float = FPS) -> Iterator[Picture]:
    """Show shots one after the other, each for so many seconds."""
    start = 0.0
    for seconds, frame in shots:
        for number in range(round(seconds * fps)):
            yield Picture(start + number / fps, frame(number / fps))
        start += seconds


def sound(*parts: tuple[float, np.ndarray | float]) -> Iterator[Sound]:
    """Sound a tone of each loudness for so many seconds, or samples."""
    samples = [
        level * np.sin(np.arange(round(seconds * RATE)) * 440 * 2 * np.pi / RATE)
        if isinstance(level, float)
        else level[: round(seconds * RATE)]
        for seconds, level in parts
    ]
    joined = np.concatenate(samples).astype(np.float32)
    for start in range(0, joined.size, 7_000):
        yield Sound(start / RATE, joined[start : start + 7_000])


def found(items: Iterable[Picture | Sound]) -> list[tuple[float, str]]:
    return [(round(gap.at_s, 2), gap.kind) for gap in measure(items).gaps]


def test_a_cut_is_found_where_it_is_and_so_is_the_end() -> None:
    assert found(film((2, scene(1)), (3, scene(2)))) == [(2.0, "cut"), (5.0, "end")]
    # Drawings that are held for two pictures change as much each time.
    assert found(film((2, scene(1, 5)), (2, scene(2, 5)), (1, scene(3)))) == [(2.0, "cut"), (4.0, "cut"), (5.0, "end")]


def test_what_moves_fast_is_one_shot() -> None:
    assert found(film((3, scene(1, 60)))) == [(3.0, "end")]


def test_a_flash_is_no_cut() -> None:
    lit = np.full((HEIGHT, WIDTH, 3), 250, np.uint8)
    assert found(film((2, scene(1)), (0.1, lambda t: lit), (2, scene(1)))) == [(4.1, "end")]


def test_light_that_dies_away_is_no_cut() -> None:
    def lightning(t: float) -> np.ndarray:
        return np.minimum(scene(1)(t) * (1 + 1.2 * np.exp(-2 * t)), 255).astype(np.uint8)

    assert found(film((2, scene(1)), (2, lightning))) == [(4.0, "end")]


def test_a_storm_of_shots_is_no_place_to_stop() -> None:
    shots = [(0.2, scene(seed)) for seed in range(2, 8)]
    assert found(film((2, scene(1)), *shots, (2, scene(9)))) == [(5.2, "end")]


def test_between_two_shots_the_middle_of_black() -> None:
    assert found(film((2, scene(1)), (1, dark), (2, scene(2)))) == [(2.48, "black"), (5.0, "end")]


def test_a_light_that_goes_off_and_on_again_is_one_shot_and_black_at_either_end_is_none() -> None:
    assert found(film((2, scene(1)), (1, dark), (2, scene(1)))) == [(5.0, "end")]
    assert found(film((1, dark), (2, scene(1)), (1, dark))) == [(4.0, "end")]
    assert found(film((2, scene(1)), (4, dark), (2, scene(2)))) == [(8.0, "end")]


def test_how_quiet_it_is_around_a_cut() -> None:
    pictures = list(film((2, scene(1)), (3, scene(2))))
    lull = measure(chain(pictures, sound((1.5, 0.5), (1.0, 0.05), (2.5, 0.5)))).gaps[0]
    assert lull.quiet_db == pytest.approx(20, abs=1)
    loud = measure(chain(pictures, sound((5.0, 0.5)))).gaps[0]
    assert loud.quiet_db == pytest.approx(0, abs=0.5)
    silent = measure(chain(pictures, sound((1.5, 0.5), (1.0, 0.0), (2.5, 0.5)))).gaps[0]
    assert (silent.quiet_db, silent.speech) == (None, 0.0)
    assert measure(pictures).gaps[0].quiet_db is None


def test_speech_is_told_from_a_tone_and_from_noise() -> None:
    pictures = list(film((2, scene(1)), (3, scene(2))))
    t = np.arange(5 * RATE) / RATE
    noise = np.random.default_rng(1).normal(0, 0.1, t.size)
    voice = np.sin(2 * np.pi * 600 * t) * np.clip(np.sin(2 * np.pi * 4.5 * t), 0, 1) ** 2
    heard = {
        name: measure(chain(pictures, sound((5.0, samples)))).gaps[0].speech
        for name, samples in (("noise", noise), ("tone", 0.3 * np.sin(2 * np.pi * 600 * t)), ("voice", 0.5 * voice))
    }
    assert heard["voice"] > 0.5
    assert max(heard["noise"], heard["tone"]) < 0.1


def test_a_rhythm_is_worked_out_once_and_kept(tmp_path: Path) -> None:
    entry, asked = make_entries("Wolf")[0], []
    clip = make_video(tmp_path / "wolf.mp4", seconds=2, size=(64, 36), fps=5, pattern=plain(200, 30, 30))
    rhythms = Rhythms(_Folder(clip), tmp_path / "rhythms", lambda *_, **__: asked.append(1) or film((2, scene(1))))
    first = rhythms.of(entry)
    assert isinstance(first, Rhythm)
    assert rhythms.of(entry) == first
    assert len(asked) == 1
    kept = tmp_path / "rhythms" / f"{entry.content_sha256}.json"
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"algorithm": 0}))
    rhythms.of(entry)
    kept.write_text("{")
    assert rhythms.of(entry) == first
    assert len(asked) == 3
    rhythms.forget(entry.content_sha256)
    assert not kept.exists()


class _Folder(MemoryStore):
    """A store in which every key is one file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def local_path(self, key: str) -> Path:
        return self._path


def test_a_real_file_goes_through_the_sandbox(tmp_path: Path) -> None:
    def pattern(index: int, width: int, height: int) -> np.ndarray:
        return plain(200, 40, 40)(index, width, height) if index < 15 else plain(30, 60, 220)(index, width, height)

    clip = make_video(tmp_path / "two.mp4", seconds=5, size=(64, 36), fps=5, pattern=pattern)
    rhythm = Rhythms(_Folder(clip), tmp_path / "rhythms").of(make_entries("Two")[0])
    assert [(gap.at_s, gap.kind) for gap in rhythm.gaps] == [(3.0, "cut"), (pytest.approx(5.0, abs=0.3), "end")]
