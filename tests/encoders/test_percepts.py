"""Percepts: that each name measures what it says, and that nothing is said of what cannot be known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from core.encoders.percepts import (
    LONGEST_CLIP_S,
    PERCEPTS,
    SHORTEST_CLIP_S,
    SOUND,
    Measurements,
    Measurer,
    describe,
)
from core.ingest.sampling import Picture, Sound

HEIGHT, WIDTH = 54, 96
RATE = 16_000


def measure(pictures: list[np.ndarray], samples: np.ndarray | None = None) -> Measurements:
    """Measure pictures shown four a second, and samples handed over in uneven pieces."""
    measurer = Measurer()
    for index, picture in enumerate(pictures):
        measurer.add(Picture(index / 4, picture))
    if samples is not None:
        for start in range(0, samples.size, 11_111):
            measurer.add(Sound(start / RATE, samples[start : start + 11_111].astype(np.float32)))
    return measurer.finish()


def percepts(pictures: list[np.ndarray], samples: np.ndarray | None = None) -> dict[str, float]:
    whole = measure(pictures, samples).whole()
    assert whole.shape == (len(PERCEPTS),)
    assert whole.dtype == np.float32
    assert np.isfinite(whole).all()
    assert np.abs(whole).max() <= 2.5
    return dict(zip(PERCEPTS, whole.tolist(), strict=True))


def plain(red: int, green: int, blue: int) -> np.ndarray:
    return np.full((HEIGHT, WIDTH, 3), (red, green, blue), np.uint8)


def scene(seed: int, brightness: float = 0.5) -> np.ndarray:
    """Return a picture with soft shapes in colours of its own, like a photograph."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(0, 1, (6, 9, 3))
    smooth = np.kron(coarse, np.ones((9, 11, 1)))[:HEIGHT, :WIDTH]
    smooth = np.pad(smooth, ((0, HEIGHT - smooth.shape[0]), (0, WIDTH - smooth.shape[1]), (0, 0)), mode="edge")
    grain = random.normal(0, 0.03, smooth.shape)
    return (np.clip((smooth + grain) * 2 * brightness, 0, 1) * 255).astype(np.uint8)


def moved(picture: np.ndarray, count: int, step: int) -> list[np.ndarray]:
    return [np.roll(picture, step * index, axis=1) for index in range(count)]


def noise(seconds: float, level: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, level, int(seconds * RATE)).clip(-1, 1)


def tone(seconds: float, hertz: float, level: float = 0.3) -> np.ndarray:
    return level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)


def test_light_and_dark():
    dark, light = percepts([plain(15, 15, 20)] * 8), percepts([plain(235, 235, 230)] * 8)
    assert dark["darkness"] > 1.5 > light["darkness"]
    assert light["brightness"] > 1.5 > 0 > dark["brightness"]


@pytest.mark.parametrize(
    ("colour", "name"),
    [((200, 20, 20), "redness"), ((60, 140, 40), "greenery"), ((40, 90, 200), "blueness"), ((250, 200, 210), "pastel")],
)
def test_a_colour_raises_its_own_percept_most(colour, name):
    colours = ("redness", "greenery", "blueness", "pastel")
    found = percepts([plain(*colour)] * 8)
    assert found[name] > 1.0
    assert max(colours, key=found.__getitem__) == name


def test_warm_and_cool():
    assert percepts([plain(220, 150, 80)] * 8)["warmth"] > 1 > -1 > percepts([plain(80, 140, 220)] * 8)["warmth"]


def test_grey_is_monochrome_and_not_colourful():
    grey = np.repeat(scene(1).mean(-1, keepdims=True).astype(np.uint8), 3, axis=-1)
    found, colour = percepts([grey] * 8), percepts([scene(1)] * 8)
    assert found["monochrome"] > 1.5 > 0 > colour["monochrome"]
    assert found["colourfulness"] < -1 < 0.5 < colour["colourfulness"]
    assert "black and white" in describe(measure([grey] * 8).whole())


def test_motion_is_more_when_things_move_further():
    still, slow, fast = (percepts(moved(scene(2), 16, step)) for step in (0, 1, 6))
    assert still["motion"] < slow["motion"] < fast["motion"]
    assert still["stillness"] > 0.9 > 0 > fast["stillness"]


def test_a_drawing_is_flatter_than_a_photograph():
    drawing = np.kron(np.random.default_rng(0).integers(0, 2, (9, 16, 3)) * 200 + 30, np.ones((6, 6, 1))).astype(
        np.uint8
    )
    drawn, photographed = percepts([drawing] * 8), percepts([scene(3)] * 8)
    assert drawn["flatness"] > 1 > photographed["flatness"]
    assert drawn["outlines"] > photographed["outlines"]
    assert drawn["texture"] < photographed["texture"]


def test_skin_is_seen_in_skin_and_not_in_grass():
    assert percepts([plain(210, 160, 135)] * 8)["skin"] > 1.5
    assert percepts([plain(70, 140, 50)] * 8)["skin"] < -1


def test_a_lit_night_is_night_and_a_black_screen_is_less():
    lit = plain(8, 8, 14)
    lit[20:26, 30:60] = (255, 220, 120)
    assert percepts([lit] * 8)["night"] > 1 > percepts([plain(0, 0, 0)] * 8)["night"]


@pytest.mark.parametrize("bars", [np.s_[:9], np.s_[:, :14], np.s_[:, :32]])
def test_black_bars_do_not_count_as_dark(bars):
    def with_bars(picture: np.ndarray) -> np.ndarray:
        barred = picture.copy()
        barred[bars] = 0
        barred[::-1, ::-1][bars] = 0
        return barred

    pictures = moved(scene(4, brightness=0.7), 12, 2)
    plainly, barred = percepts(pictures), percepts([with_bars(picture) for picture in pictures])
    assert barred["darkness"] == pytest.approx(plainly["darkness"], abs=0.35)
    assert barred["brightness"] == pytest.approx(plainly["brightness"], abs=0.35)


def test_a_fade_in_from_black_does_not_make_bars_of_what_is_lit_later():
    title = plain(0, 0, 0)
    title[24:30, 30:66] = 255
    full = scene(5)
    assert percepts([title] * 8 + [full] * 8)["brightness"] < percepts([full] * 16)["brightness"]


def test_a_silent_video_has_no_opinion_about_sound():
    for samples in (None, np.zeros(4 * RATE)):
        found = percepts([scene(6)] * 16, samples)
        assert [found[name] for name in SOUND if name != "silence"] == [0.0] * 7
        assert found["silence"] > 1.4
    assert percepts([scene(6)] * 16, noise(4, 0.1))["silence"] < 0


def test_half_silent_counts_half():
    loud = percepts([scene(6)] * 32, noise(8, 0.3))
    half = percepts([scene(6)] * 32, np.concatenate([noise(4, 0.3), np.zeros(4 * RATE)]))
    assert 0 < half["loudness"] < loud["loudness"]


def test_loud_and_quiet():
    assert percepts([scene(6)] * 16, noise(4, 0.4))["loudness"] > 1
    assert percepts([scene(6)] * 16, noise(4, 0.01))["loudness"] < -1


def test_high_low_and_pure_tones():
    high, low = percepts([scene(6)] * 16, tone(4, 4000)), percepts([scene(6)] * 16, tone(4, 90))
    assert high["treble"] > 1 > low["treble"]
    assert low["bass"] > 1 > high["bass"]
    assert percepts([scene(6)] * 16, tone(4, 440))["tonality"] > percepts([scene(6)] * 16, noise(4, 0.2))["tonality"]


def test_beats_are_onsets():
    beats = noise(4, 0.4) * (np.arange(4 * RATE) % 4000 < 600) + noise(4, 0.001)
    assert percepts([scene(6)] * 16, beats)["onsets"] > percepts([scene(6)] * 16, tone(4, 440))["onsets"]


def test_voice_like_swings_at_the_pace_of_syllables_are_speech():
    seconds = np.arange(6 * RATE) / RATE
    voice = sum(np.sin(2 * np.pi * 140 * k * seconds) / k for k in range(2, 20)) * 0.1
    talking = voice * np.clip(np.sin(2 * np.pi * 4 * seconds), 0, 1)
    assert percepts([scene(6)] * 24, talking)["speech"] > 0.8
    assert percepts([scene(6)] * 24, tone(6, 440))["speech"] < 0
    assert "speech-like" in describe(measure([scene(6)] * 24, talking).whole())


def test_cuts_are_found_where_they_are():
    pictures = [picture for seed in range(4) for picture in moved(scene(10 + seed), 16, 1)]
    assert measure(pictures).cuts.tolist() == [16, 32, 48]


def test_a_flash_is_no_cut():
    pictures = moved(scene(10), 40, 1)
    pictures[20] = plain(255, 255, 255)
    assert measure(pictures).cuts.size == 0


def test_swift_motion_is_no_cut():
    assert measure(moved(scene(10), 40, 17)).cuts.size == 0


def test_a_fade_through_black_is_one_cut():
    out = [(scene(10) * share).astype(np.uint8) for share in np.linspace(1, 0, 8)]
    back = [(scene(11) * share).astype(np.uint8) for share in np.linspace(0, 1, 8)]
    cuts = measure([scene(10)] * 12 + out + back + [scene(11)] * 12).cuts
    assert cuts.size == 1
    assert 19 <= cuts[0] <= 23


def test_fast_cutting_raises_the_cut_rate():
    fast = [scene(20 + index // 4) for index in range(64)]
    assert percepts(fast)["cut_rate"] > 1 > 0 > percepts([scene(20)] * 64)["cut_rate"]
    assert "fast cuts" in describe(measure(fast).whole())


@pytest.mark.parametrize("shots", [[4], [40], [20, 1, 1, 20], [100], [9, 60, 3, 3, 3, 10], [1] * 30])
def test_clips_follow_each_other_and_have_fair_lengths(shots):
    pictures = [scene(30 + number) for number, length in enumerate(shots) for _ in range(length)]
    measured = measure(pictures)
    spans = measured.shots()
    assert spans[0][0] == 0.0
    assert spans[-1][1] == pytest.approx(len(pictures) / 4, abs=0.01)
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    for start_s, end_s in spans:
        assert end_s - start_s <= LONGEST_CLIP_S + 0.01
        assert end_s - start_s >= min(SHORTEST_CLIP_S, len(pictures) / 4) - 0.01


def test_clips_reach_to_the_end_of_sound_that_outlasts_the_pictures():
    measured = measure([scene(1)], tone(30, 440))
    spans = measured.shots()
    assert spans[-1][1] == pytest.approx(30, abs=1)
    assert all(np.isfinite(measured.percepts(*span)).all() for span in spans)


def test_a_clip_has_percepts_of_its_own():
    measured = measure([plain(10, 10, 10)] * 16 + [scene(8, 0.8)] * 16)
    first, second = (measured.percepts(*span) for span in measured.shots())
    at = PERCEPTS.index("darkness")
    assert first[at] > 1 > 0 > second[at]


@pytest.mark.parametrize(
    "pictures",
    [
        [plain(0, 0, 0)] * 8,
        [plain(255, 255, 255)] * 8,
        [np.random.default_rng(i).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8) for i in range(8)],
        [scene(1)],
        [np.zeros((2, 2, 3), np.uint8)] * 3,
        [scene(1), scene(1)[:, :40], scene(1)],
    ],
    ids=["black", "white", "noise", "one picture", "tiny", "size changes"],
)
def test_strange_pictures_give_finite_percepts_and_few_words(pictures):
    percepts(pictures)
    measured = measure(pictures)
    assert len(describe(measured.whole())) <= 5
    assert measured.shots()


def test_nothing_is_said_of_what_is_typical():
    assert describe(np.zeros(len(PERCEPTS), np.float32)) == ()


def test_the_most_telling_comes_first():
    vector = np.zeros(len(PERCEPTS), np.float32)
    vector[PERCEPTS.index("darkness")] = 2.4
    vector[PERCEPTS.index("loudness")] = 1.0
    assert describe(vector) == ("dark", "loud")
    vector[PERCEPTS.index("loudness")] = 2.4
    assert describe(vector)[0] == "loud"


def test_the_same_gives_the_same():
    first, second = (measure(moved(scene(7), 30, 2), noise(7, 0.2)).whole() for _ in range(2))
    assert np.array_equal(first, second)
