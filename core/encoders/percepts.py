"""Percepts: what can be measured of pictures and sound, as numbers with plain names.

Three steps, all plain numpy on what `core.ingest.sampling` yields:

1. `Measurer` turns each small picture and each second of sound into a row of raw measures, and forgets it.
2. `Measurements.shots` cuts the time into clips where the picture changes.
3. `Measurements.percepts` sums up a span of time as a vector: 0 is a typical video, 1 is one standard deviation above
   it, softly limited to ±2.5. `Measurements.whole` does so for everything.

What cannot be known is 0, which is also what is typical: a silent video has no opinion about loudness.

None of this recognises anything. Sources: colourfulness after Hasler and Süsstrunk 2003, skin colour after Chai and
Ngan 1999, onsets as spectral flux (Dixon 2006), speech by its 4 Hz modulation (Scheirer and Slaney 1997).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.encoders.layout import LAYOUT, layout, steady
from core.ingest.sampling import Picture, Sound
from core.ingest.speech import VOICE_HZ, syllables
from core.ingest.steps import Seen, seen, step
from core.ingest.steps import luma as luma_of

VISUAL: tuple[str, ...] = (
    "brightness",
    "darkness",
    "contrast",
    "colourfulness",
    "warmth",
    "redness",
    "greenery",
    "blueness",
    "pastel",
    "monochrome",
    "night",
    "motion",
    "stillness",
    "cut_rate",
    "flicker",
    "flatness",
    "outlines",
    "texture",
    "skin",
)
SOUND: tuple[str, ...] = (
    "loudness",
    "dynamics",
    "treble",
    "bass",
    "onsets",
    "speech",
    "tonality",
    "silence",
)
PERCEPTS: tuple[str, ...] = VISUAL + SOUND
"""The names of the percepts in the order they have in a vector."""

# -- pictures ------------------------------------------------------------------------------------------------------

LOOK = (
    *("brightness", "darkness", "contrast", "colourfulness", "warmth", "redness", "greenery", "blueness", "pastel"),
    *("monochrome", "night", "flatness", "outlines", "texture", "skin"),
)
"""What one picture shows by itself."""
OF_A_STILL = np.array([name in LOOK for name in PERCEPTS])
"""Which percepts a single picture has: no movement, cuts or sound."""
CHANGE = ("motion", "stillness", "flicker", "step", "step_2")
"""What it shows beside the one before; the steps (colours and places moved, 0 to 1) find cuts."""
_BARS_FROM = 240
"""Pictures looked at (a minute) before it is decided where black bars are."""
_BAR_LUMA = 0.075
_BAR_LIMIT = 0.36
"""Share of the width or height a bar can have on each side: a portrait video in a wide frame has 0.34."""


def look(rgb: np.ndarray) -> np.ndarray:
    """Return the measures named by LOOK for a picture, (height, width, 3) float32 in 0 to 1."""
    red, green, blue = np.ascontiguousarray(rgb.transpose(2, 0, 1))
    luma = luma_of(rgb)
    high = np.maximum(np.maximum(red, green), blue)
    chroma = high - np.minimum(np.minimum(red, green), blue)
    saturation = chroma / (high + 0.02)
    red_green, yellow_blue = red - green, 0.5 * (red + green) - blue
    spread = float(np.hypot(red_green.std(), yellow_blue.std()))
    coloured = (saturation > 0.15) & (high > 0.12)
    edges = _edges(luma)
    lit = luma[:-1, :-1] > 0.06
    lit_count = max(int(lit.sum()), 1)
    lit_edges = edges[lit]
    smooth = max(int((lit_edges <= 8 / 255).sum()), 0.1 * lit_count)
    enough = min(lit_count / (0.15 * lit.size), 1.0)  # Of a picture nearly black, texture cannot be told.
    dark = float((luma < 0.16).mean())
    return np.array(
        [
            luma.mean(),
            dark,
            luma.std(),
            (spread + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean())) / np.sqrt(high.mean() + 0.2),
            (red - blue).mean() / (high.mean() + 0.1),
            (coloured & (saturation > 0.5) & (red - np.maximum(green, blue) > 0.45 * chroma)).mean(),
            (coloured & (green >= 0.97 * red) & (green - blue > 0.35 * chroma)).mean(),
            (coloured & (blue > red) & (blue - red > 0.6 * chroma) & (blue >= 0.95 * green)).mean(),
            ((high > 0.6) & (saturation > 0.07) & (saturation < 0.42)).mean(),
            max(1.0 - spread / 0.045, 0.0) * enough,
            dark * min(max(float(np.percentile(luma, 99)) - 0.25, 0.0) / 0.5, 1.0),
            enough * (lit_edges <= 3 / 255).sum() / smooth,
            enough * lit_edges[lit_edges > 0.16].sum() / (lit_edges.sum() + 0.5),
            enough * ((lit_edges > 0.025) & (lit_edges < 0.16)).sum() / lit_count,
            _skin(red, green, blue, luma).mean(),
        ],
        np.float32,
    )


def _edges(luma: np.ndarray) -> np.ndarray:
    """Return how much each pixel differs from its neighbours to the right and below, one row and column less."""
    here = luma[:-1, :-1]
    return np.maximum(np.abs(luma[:-1, 1:] - here), np.abs(luma[1:, :-1] - here))


def _skin(red: np.ndarray, green: np.ndarray, blue: np.ndarray, luma: np.ndarray) -> np.ndarray:
    """Return where a pixel has the colour of human skin, by the ranges of Cb and Cr of Chai and Ngan."""
    cb = 128 + 144.5 * (blue - luma)
    cr = 128 + 182.0 * (red - luma)
    return (cb > 77) & (cb < 122) & (cr > 137) & (cr < 170) & (luma > 0.2) & (red > green) & (green > blue)


def _change(now: Seen, before: Seen | None, before_that: Seen | None) -> np.ndarray:
    """Return the measures named by CHANGE."""
    if before is None or before.luma.shape != now.luma.shape:
        return np.zeros(len(CHANGE), np.float32)
    difference = now.luma - before.luma
    moved = np.abs(difference)
    flicker = abs(float(difference.mean()))
    return np.array(
        [
            # Divided by the edges a difference becomes a way, in pixels: dark and pale pictures move as well.
            float(moved.mean()) / (float(_edges(now.luma).mean()) + 0.05),
            (moved < 0.012).mean(),
            flicker,
            step(now, before),
            0.0 if before_that is None else step(now, before_that),
        ],
        np.float32,
    )


class _Bars:
    """Find black bars: rows and columns at opposite edges that were never lit."""

    def __init__(self) -> None:
        self._lit: np.ndarray | None = None

    def add(self, luma: np.ndarray) -> None:
        lit = luma > _BAR_LUMA
        self._lit = lit if self._lit is None or self._lit.shape != lit.shape else self._lit | lit

    def crop(self, rgb: np.ndarray) -> np.ndarray:
        """Return the picture without its bars."""
        if self._lit is None or self._lit.shape != rgb.shape[:2]:
            return rgb
        rows, columns = (self._inside(self._lit.mean(axis) > 0.02) for axis in (1, 0))
        return rgb[rows, columns]

    @staticmethod
    def _inside(lit: np.ndarray) -> slice:
        """Return the part between the bars; all of it when they are not alike on both sides."""
        if not lit.any():
            return slice(None)
        before, after = int(lit.argmax()), int(lit[::-1].argmax())
        even = abs(before - after) <= max(2, 0.25 * max(before, after))
        return slice(before, lit.size - after) if even and max(before, after) <= _BAR_LIMIT * lit.size else slice(None)


# -- sound ---------------------------------------------------------------------------------------------------------

HEARD = ("level_db", "treble", "bass", "onsets", "speech", "tonality")
"""What one second of sound holds."""
SILENT_DB = -54.0
"""Below this level (RMS, full scale 0) a second counts as silent."""
_WINDOW, _HOP = 512, 256


def hear(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Return the measures named by HEARD for about a second of mono sound."""
    level_db = 10 * np.log10(float(np.mean(samples**2)) + 1e-9)
    if level_db < SILENT_DB or samples.size < 4 * _WINDOW:
        return np.array([level_db, 0, 0, 0, 0, 0], np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP] * np.hanning(_WINDOW).astype("f4")
    power = np.abs(np.fft.rfft(windows)) ** 2 + 1e-9
    hertz = np.fft.rfftfreq(_WINDOW, 1 / sample_rate)
    total = power.sum()
    return np.array(
        [
            level_db,
            power[:, hertz > 2500].sum() / total,
            power[:, hertz < 220].sum() / total,
            _onsets(power),
            _speech(power, hertz, _HOP / sample_rate),
            _tonality(power[:, (hertz > 150) & (hertz < 4000)]),
        ],
        np.float32,
    )


def _onsets(power: np.ndarray) -> float:
    """Return how much of the spectrum sets in at once: its rises above the usual one, which rain and hiss have too."""
    compressed = np.log1p(100 * np.sqrt(power / power.max()))
    rises = np.maximum(np.diff(compressed, axis=0), 0).mean(1)
    return float(np.maximum(rises - 1.5 * np.median(rises), 0).mean())


def _speech(power: np.ndarray, hertz: np.ndarray, hop_s: float) -> float:
    """Return how much the voice band swings at the pace of syllables (2.5 to 8 Hz), times its share of the sound."""
    low, high = VOICE_HZ
    band = power[:, (hertz > low) & (hertz < high)].sum(1)
    return syllables(band, hop_s) * float(band.sum() / power.sum())


def _tonality(power: np.ndarray) -> float:
    """Return how far the spectrum is from flat (0 noise, 1 pure tones) where it stays the same for a while."""
    steady = np.sqrt(power[:-4] * power[4:])
    flatness = np.exp(np.log(steady).mean(1)) / steady.mean(1)
    weight = power[4:].sum(1)
    return float(1 - (flatness * weight).sum() / weight.sum())


# -- measuring -----------------------------------------------------------------------------------------------------


class Measurer:
    """Measure pictures and sound as they come; holds a minute of small pictures and two seconds of sound at most."""

    def __init__(self, sample_rate: int = 16_000) -> None:
        self._rate = sample_rate
        self._times: list[float] = []
        self._rows: list[np.ndarray] = []
        self._layouts: list[np.ndarray] = []
        self._waiting: list[Picture] | None = []
        self._bars = _Bars()
        self._before: tuple[Seen | None, Seen | None] = (None, None)
        self._heard_times: list[float] = []
        self._heard: list[np.ndarray] = []
        self._rest = np.empty(0, np.float32)
        self._rest_s = 0.0

    def add(self, item: Picture | Sound) -> None:
        if isinstance(item, Sound):
            self._add_sound(item)
            return
        self._bars.add(luma_of(item.rgb.astype(np.float32) / 255))
        if self._waiting is None:
            self._add_picture(item)
            return
        self._waiting.append(item)
        if len(self._waiting) >= _BARS_FROM:
            self._add_waiting()

    def finish(self) -> Measurements:
        """Return all rows. Call it once, after the last item."""
        self._add_waiting()
        if self._rest.size >= 0.25 * self._rate or not self._heard:
            self._hear(self._rest)
        return Measurements(
            np.array(self._times, np.float32),
            np.array(self._rows, np.float32).reshape(-1, len(LOOK) + len(CHANGE)),
            np.array(self._heard_times, np.float32),
            np.array(self._heard, np.float32).reshape(-1, len(HEARD)),
            np.array(self._layouts, np.float32).reshape(-1, LAYOUT),
        )

    def _add_waiting(self) -> None:
        waiting, self._waiting = self._waiting or [], None
        for picture in waiting:
            self._add_picture(picture)

    def _add_picture(self, picture: Picture) -> None:
        rgb = self._bars.crop(picture.rgb).astype(np.float32) / 255
        now = seen(rgb)
        self._times.append(picture.time_s)
        self._rows.append(np.concatenate([look(rgb), _change(now, *self._before)]))
        self._layouts.append(layout(rgb))
        self._before = (now, self._before[0])

    def _add_sound(self, sound: Sound) -> None:
        if not self._rest.size:
            self._rest_s = sound.time_s
        self._rest = np.concatenate([self._rest, sound.samples])
        while self._rest.size >= self._rate:
            self._hear(self._rest[: self._rate])
            self._rest = self._rest[self._rate :]
            self._rest_s += 1.0

    def _hear(self, samples: np.ndarray) -> None:
        if samples.size:
            self._heard_times.append(self._rest_s)
            self._heard.append(hear(samples, self._rate))


# -- summing up ----------------------------------------------------------------------------------------------------

SHORTEST_CLIP_S, LONGEST_CLIP_S = 2.0, 10.0
_CUT_LEAST = 0.28
"""A step smaller than this is no cut, however still the rest is."""
_CUT_ABOVE_USUAL = 2.2
"""A cut stands out this many times from the steps around it; running and shaking do not."""
_BLACK = 0.05
_CUT_WINDOW_S = 10.0
"""A clip's cut rate is counted over at least this long, for a clip is often one shot."""

_TYPICAL: dict[str, tuple[float, float]] = {
    "brightness": (0.42, 0.14),
    "darkness": (0.32, 0.22),
    "contrast": (0.18, 0.06),
    "colourfulness": (0.16, 0.09),
    "warmth": (0.12, 0.14),
    "redness": (0.18, 0.18),
    "greenery": (0.30, 0.25),
    "blueness": (0.18, 0.17),
    "pastel": (0.30, 0.20),
    "monochrome": (0.12, 0.28),
    "night": (0.27, 0.19),
    "motion": (-1.60, 0.80),
    "stillness": (0.65, 0.22),
    "cut_rate": (2.00, 1.80),
    "flicker": (0.07, 0.04),
    "flatness": (0.38, 0.19),
    "outlines": (0.38, 0.16),
    "texture": (0.48, 0.17),
    "skin": (0.33, 0.22),
    "loudness": (-23.0, 8.0),
    "dynamics": (4.0, 2.5),
    "treble": (0.20, 0.11),
    "bass": (0.50, 0.27),
    "onsets": (0.10, 0.045),
    "speech": (0.17, 0.13),
    "tonality": (0.86, 0.09),
    "silence": (0.15, 0.40),
}
"""Mean and standard deviation over ordinary videos, rounded, of each percept on the scale `_raw` gives it."""
_SHARES = frozenset({"darkness", "redness", "greenery", "blueness", "pastel", "night", "skin"})
"""Measures that are mostly near 0 and sometimes large: their square root is nearer to a bell curve."""
_SHARE_ROWS = np.array([name in _SHARES for name in LOOK])
_LIMIT = 2.5


@dataclass(frozen=True)
class Measurements:
    """Rows of raw measures over time: of pictures (LOOK + CHANGE, layouts) and of seconds of sound (HEARD)."""

    times_s: np.ndarray
    rows: np.ndarray
    heard_times_s: np.ndarray
    heard: np.ndarray
    layouts: np.ndarray

    @cached_property
    def end_s(self) -> float:
        """When the last picture or sound ends, whichever is later."""
        period_s = float(np.median(np.diff(self.times_s))) if self.times_s.size > 1 else 0.25
        ends = [float(self.times_s[-1]) + period_s]
        if self.heard_times_s.size:
            ends.append(float(self.heard_times_s[-1]) + 0.25)
        return max(ends)

    @cached_property
    def cuts(self) -> np.ndarray:
        """Indices of the pictures that begin a shot, the first one left out; flashes and swift motion are none."""
        step, step_2 = self._change("step"), self._change("step_2")
        if step.size < 3:
            return np.empty(0, int)
        # After a flash the picture is again as it was two pictures ago; after a cut it stays different.
        lasting = np.minimum(step, np.append(step_2[1:], np.inf))
        lasting[2:] = np.minimum(lasting[2:], step_2[2:])
        lasting[0] = 0
        usual = _running_median(step, 8)
        found = lasting > np.maximum(_CUT_LEAST, _CUT_ABOVE_USUAL * usual)
        return _first_of_runs(found | self._out_of_black())

    def shots(self, duration_s: float | None = None) -> list[tuple[float, float]]:
        """Return the clips as spans in order, without gaps, from 0 to the end, each 2 to 10 s long where it can be.

        They begin at cuts. Cuts nearer than 2 s to the one before are passed over, longer spans are split evenly.
        """
        end_s = max(duration_s or self.end_s, 0.1)
        starts = [0.0]
        for cut_s in self.times_s[self.cuts]:
            if cut_s - starts[-1] >= SHORTEST_CLIP_S and end_s - cut_s >= SHORTEST_CLIP_S:
                starts.append(float(cut_s))
        spans: list[tuple[float, float]] = []
        for start_s, stop_s in zip(starts, [*starts[1:], end_s], strict=True):
            parts = max(int(np.ceil((stop_s - start_s) / LONGEST_CLIP_S - 1e-6)), 1)
            edges = [round(float(edge), 3) for edge in np.linspace(start_s, stop_s, parts + 1)]
            spans.extend(itertools.pairwise(edges))
        return spans

    def whole(self) -> np.ndarray:
        """Return the percepts of all of it."""
        return self.percepts(0.0, np.inf)

    def percepts(self, start_s: float, end_s: float) -> np.ndarray:
        """Return the percepts of a span, float32 (len(PERCEPTS),), in about -2.5 to 2.5."""
        raw = self._raw(start_s, end_s)
        scores = {name: (value - _TYPICAL[name][0]) / _TYPICAL[name][1] for name, value in raw.items()}
        heard = self._audible(start_s, end_s)
        for name in SOUND[:-1]:  # As much silence as there is, so little is known of the sound.
            scores[name] = scores.get(name, 0.0) * heard
        return _LIMIT * np.tanh(np.array([scores[name] for name in PERCEPTS], np.float32) / _LIMIT)

    def layout(self, start_s: float, end_s: float) -> np.ndarray:
        """Return the usual layout of a span, float32 (LAYOUT,), of length 1 at most."""
        return steady(self.layouts[_span(self.times_s, start_s, end_s)].mean(0))

    def _raw(self, start_s: float, end_s: float) -> dict[str, float]:
        """Return the percepts on their natural scales; those of sound only when there is some."""
        inside = _span(self.times_s, start_s, end_s)
        looks = self.rows[inside, : len(LOOK)].mean(0)
        looks[_SHARE_ROWS] = np.sqrt(looks[_SHARE_ROWS])
        raw = dict(zip(LOOK, looks.tolist(), strict=True))
        within = self._within_shots(inside)
        raw["motion"] = float(np.log(np.median(self._change("motion")[within]) + 0.02)) if within.any() else -2.4
        raw["stillness"] = float(self._change("stillness")[within].mean()) if within.any() else 0.65
        raw["flicker"] = float(np.sqrt(self._change("flicker")[within].mean())) if within.any() else 0.07
        raw["cut_rate"] = self._cut_rate(start_s, end_s)
        raw["silence"] = 1.0 - self._audible(start_s, end_s)
        raw.update(self._raw_sound(start_s, end_s))
        return raw

    def _raw_sound(self, start_s: float, end_s: float) -> dict[str, float]:
        if not self.heard.size:
            return {}
        heard = self.heard[_span(self.heard_times_s, start_s, end_s)]
        heard = heard[heard[:, 0] > SILENT_DB]
        if not heard.size:
            return {}
        level, treble, bass, onsets, speech, tonality = heard.mean(0).tolist()
        dynamics = float(heard[:, 0].std()) if len(heard) > 2 else _TYPICAL["dynamics"][0]
        raw = {"loudness": level, "dynamics": dynamics, "treble": float(np.sqrt(treble)), "bass": bass}
        return raw | {"onsets": float(np.sqrt(onsets)), "speech": speech, "tonality": tonality}

    def _audible(self, start_s: float, end_s: float) -> float:
        """Return the share of the span in which there is any sound."""
        if not self.heard.size:
            return 0.0
        return float((self.heard[_span(self.heard_times_s, start_s, end_s), 0] > SILENT_DB).mean())

    def _change(self, name: str) -> np.ndarray:
        return self.rows[:, len(LOOK) + CHANGE.index(name)]

    def _within_shots(self, inside: np.ndarray) -> np.ndarray:
        """Return which pictures of the span show a change that is not a cut and not the beginning."""
        chosen = np.zeros(len(self.times_s), bool)
        chosen[inside] = True
        chosen[0] = False
        chosen[self.cuts] = False
        return chosen

    def _cut_rate(self, start_s: float, end_s: float) -> float:
        """Return the square root of cuts a minute, around a span that is short."""
        total_s = self.end_s
        end_s = min(end_s, total_s)
        missing_s = max(_CUT_WINDOW_S - (end_s - start_s), 0.0)
        start_s, end_s = max(start_s - missing_s / 2, 0.0), min(end_s + missing_s / 2, total_s)
        cuts_s = self.times_s[self.cuts]
        count = int(((cuts_s >= start_s) & (cuts_s < end_s)).sum())
        # At least the window counts as watched: one cut in a two-second video is no thirty a minute.
        return float(np.sqrt(60.0 * count / max(end_s - start_s, _CUT_WINDOW_S)))

    def _out_of_black(self) -> np.ndarray:
        """Return where pictures come back from black: the shot begins there, however slow the fade."""
        luma = self.rows[:, LOOK.index("brightness")]
        found = np.zeros(luma.size, bool)
        black = luma < _BLACK
        lit_before = np.maximum.accumulate(np.append(False, luma[:-1] > 2 * _BLACK))
        found[1:] = black[:-1] & ~black[1:]
        return found & lit_before


def _span(times_s: np.ndarray, start_s: float, end_s: float) -> np.ndarray:
    """Return the indices of the times within [start_s, end_s); that of the last before it when there is none."""
    first, last = np.searchsorted(times_s, [start_s - 1e-3, end_s - 1e-3])
    return np.arange(first, last) if last > first else np.array([max(first - 1, 0)])


def _running_median(values: np.ndarray, reach: int) -> np.ndarray:
    """Return the median of the values up to `reach` places before and after each."""
    padded = np.pad(values, reach, mode="reflect" if values.size > reach else "edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=1)


def _first_of_runs(found: np.ndarray) -> np.ndarray:
    """Return the index of the first of each run of neighbours that are true."""
    return np.flatnonzero(found & ~np.append(False, found[:-1]))


# -- saying it -----------------------------------------------------------------------------------------------------

_WORDS: tuple[tuple[tuple[str, str, float], ...], ...] = (
    (("dark", "darkness", 0.9), ("bright", "brightness", 0.9)),
    (("black and white", "monochrome", 1.8), ("colourful", "colourfulness", 0.8), ("pale", "colourfulness", -1.35)),
    (("green", "greenery", 0.9), ("red", "redness", 1.2), ("blue", "blueness", 1.1), ("pastel", "pastel", 1.0)),
    (("warm", "warmth", 1.1), ("cool", "warmth", -1.1)),
    (("fast cuts", "cut_rate", 0.8),),
    (("much motion", "motion", 0.9), ("still", "stillness", 1.0), ("slow", "motion", -0.8)),
    (("flat colours", "flatness", 1.2), ("rich in detail", "texture", 1.2)),
    (("high contrast", "contrast", 1.2),),
    (("flickering", "flicker", 1.5),),
    (("silent", "silence", 1.4), ("loud", "loudness", 0.8), ("quiet", "loudness", -0.9)),
    (("speech-like", "speech", 0.8), ("music-like", "tonality", 0.6), ("noisy", "tonality", -1.0)),
    (("rhythmic", "onsets", 1.0),),
    (("deep sound", "bass", 1.2), ("shrill", "treble", 1.2)),
)
"""Groups of words of which one can be said: the word, its percept, and from which value on (below it if negative)."""


def describe(percepts: np.ndarray, most: int = 5) -> tuple[str, ...]:
    """Return at most `most` words for what is clearly not typical, the most telling first; often fewer."""
    value = dict(zip(PERCEPTS, percepts.tolist(), strict=True))
    said = []
    for group in _WORDS:
        strengths = [(value[name] / bar, word) for word, name, bar in group if value[name] / bar >= 1.0]
        if strengths:
            said.append(max(strengths))
    return tuple(word for _, word in sorted(said, key=lambda pair: -pair[0])[:most])
