"""Where a video can be interrupted: the gaps between its shots, and how quiet it is there.

Worked out from the stored copy, in the sandbox, for the videos that an ad suits best, and kept. One pass: every picture
is compared with the one before, all sound becomes two numbers every 16 ms, its power and that in the voice's band.

A **cut** is a picture that differs from the one before far more than pictures near it do, and stays different: after a
flash the picture is again as it was. Between shots that end in **black** the gap is in the middle of the black. The
**end** of a video is a gap as well.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from core.files import write_text
from core.ingest import sandbox, stored
from core.ingest.sampling import Picture, Sound
from core.ingest.speech import VOICE_HZ, syllables
from core.ingest.steps import Seen, likeness, seen, step
from core.models import Entry, Progress, ignore_progress
from core.stores.base import Store

Kind = Literal["cut", "black", "end"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ALGORITHM = 1
"""To be raised when the same video would come out otherwise."""
FPS, SIZE, RATE = 30.0, (64, 36), 16_000
"""Pictures a second at most: a gap is where a player can stop, so it is as exact as that."""
_WINDOW, _HOP = 512, 256
HOP_S = _HOP / RATE
CUT_LEAST, CUT_ABOVE_USUAL = 0.2, 2.5
"""A cut is a step of this size at least, and this many times what is usual within half a second of it."""
LASTS_S = 0.4
"""What is as before this long after it changed was a flash."""
SAME_PLACES = 0.85
"""Likeness from which a picture shows the same things in another light: lightning dies away slowly."""
_USUAL_S = 0.5
SETTLED_S = 0.5
"""Cuts nearer to each other than this are lightning or a storm of shots: no place to stop."""
BLACK, BLACK_LEAST = 0.05, 3
"""Mean brightness below which a picture is black, and how many of them in a row are no accident."""
BLACK_MOST_S = 2.0
"""What is black for longer is a shot of the night."""
AROUND_S = 0.3
"""How far to both sides of a gap it must be quiet."""
SPOKEN_S = 1.0
"""How far to both sides it is listened for syllables."""
SILENT_DB = -54.0
"""Level (RMS, full scale 0) below which nothing is heard."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A place between two shots."""

    at_s: float
    """From the start of the video: when the first picture of the next shot is shown."""
    kind: Kind
    quiet_db: float | None
    """How far the sound around it lies below what is usual in this video; None where nothing is heard at all."""
    speech: float
    """How much it sounds like speech on the side where it does more, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The gaps of a video in order of time."""

    duration_s: float
    gaps: tuple[Gap, ...]


def measure(items: Iterable[Picture | Sound]) -> Rhythm:
    """Return the gaps of a video from its pictures and sound, each in order of time."""
    pictures, sound = _Pictures(), _Heard()
    for item in items:
        if isinstance(item, Sound):
            sound.add(item)
        else:
            pictures.add(item)
    found = [(at_s, kind) for at_s, kind in pictures.gaps()]
    found.append((pictures.end_s, "end"))
    hear = sound.finish()
    gaps = (Gap(round(at_s, 3), kind, *hear.around(at_s)) for at_s, kind in sorted(found))
    return Rhythm(round(pictures.end_s, 3), tuple(gaps))


class _Pictures:
    """Compare each picture with the one before; a second of them is held."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._steps: list[float] = []
        self._lasting: list[float] = []
        self._dark: list[bool] = []
        self._lit: Seen | None = None
        self._differs: dict[int, bool] = {}
        """By the number of the last black picture of a run, whether what follows is another shot."""
        self._held: deque[tuple[float, Seen]] = deque()
        self._first = 0
        """The number of the picture that has been held longest."""
        self._open: deque[int] = deque()
        self._rgb: np.ndarray | None = None

    def add(self, picture: Picture) -> None:
        stands = picture.rgb is self._rgb
        now = self._held[-1][1] if stands else seen(picture.rgb.astype(np.float32) / 255)
        self._steps.append(0.0 if stands or not self._held else step(now, self._held[-1][1]))
        self._lasting.append(0.0)
        self._dark.append(float(now.luma.mean()) < BLACK)
        self._around_black(now)
        self._times.append(picture.time_s)
        self._rgb = picture.rgb
        self._held.append((picture.time_s, now))
        if self._steps[-1] >= CUT_LEAST:
            self._open.append(len(self._steps) - 1)
        # Whether a change lasts is seen when its time has passed: what was before it, just now and a while ago, is
        # compared with this picture. So neither the beginning of a flash is a cut, nor its end.
        while self._open and picture.time_s - self._times[self._open[0]] >= LASTS_S:
            number = self._open.popleft()
            before = self._held[number - 1 - self._first][1]
            earlier = next(one for at_s, one in self._held if at_s >= self._times[number] - LASTS_S)
            self._lasting[number] = min(_lasting(now, before), _lasting(now, earlier))
        while picture.time_s - self._held[0][0] > 2 * LASTS_S + 0.1 and len(self._held) > 2:
            self._held.popleft()
            self._first += 1

    def _around_black(self, now: Seen) -> None:
        """Compare what is shown before and after a run of black pictures: a light that flickers leaves it the same."""
        if self._dark[-1]:
            return
        if self._lit is not None and len(self._dark) > 1 and self._dark[-2]:
            self._differs[len(self._dark) - 2] = _lasting(now, self._lit) >= CUT_LEAST
        self._lit = now

    @property
    def end_s(self) -> float:
        """Return when the last picture ends."""
        period_s = float(np.median(np.diff(self._times))) if len(self._times) > 1 else 1 / FPS
        return self._times[-1] + period_s

    def gaps(self) -> list[tuple[float, Kind]]:
        times, dark = np.array(self._times), np.array(self._dark)
        black = [(float(times[first] + times[last]) / 2, first, last) for first, last in _runs(self._dark)]
        found: list[tuple[float, Kind]] = [
            (at_s, "black")
            for at_s, first, last in black
            if times[last] - times[first] <= BLACK_MOST_S and self._differs.get(last)
        ]
        for number in np.flatnonzero(np.minimum(self._steps, self._lasting) >= CUT_LEAST):
            near = (np.abs(times - times[number]) <= _USUAL_S) & (np.arange(times.size) != number)
            usual = float(np.percentile(np.array(self._steps)[near], 80)) if near.any() else 0.0
            if self._steps[number] >= CUT_ABOVE_USUAL * usual and not dark[number - 1 : number + 1].any():
                found.append((float(times[number]), "cut"))
        return [one for one in found if not any(0 < abs(one[0] - other[0]) < SETTLED_S for other in found)]


def _lasting(now: Seen, before: Seen) -> float:
    """Return how much a picture differs from an earlier one; not at all where only the light does."""
    same = now.coarse.shape == before.coarse.shape and likeness(now.coarse, before.coarse) > SAME_PLACES
    return 0.0 if same else step(now, before)


def _runs(dark: Sequence[bool]) -> list[tuple[int, int]]:
    """Return the first and last pictures of each run of black ones that is long enough, those at the end left out."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(dark, int), [0]])))
    spans = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(first, after - 1) for first, after in spans if after - first >= BLACK_LEAST and after < len(dark)]


class _Heard:
    """Turn sound into its power, and that in the voice's band, every HOP_S."""

    def __init__(self) -> None:
        self._rest = np.empty(0, np.float32)
        self._starts_s: float | None = None
        self._power: list[np.ndarray] = []
        self._band: list[np.ndarray] = []
        hertz = np.fft.rfftfreq(_WINDOW, 1 / RATE)
        self._voice = (hertz > VOICE_HZ[0]) & (hertz < VOICE_HZ[1])
        self._shape = np.hanning(_WINDOW).astype(np.float32)

    def add(self, sound: Sound) -> None:
        if self._starts_s is None:
            self._starts_s = sound.time_s
        samples = np.concatenate([self._rest, sound.samples])
        count = (samples.size - _WINDOW) // _HOP + 1 if samples.size >= _WINDOW else 0
        if count:
            windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[: count * _HOP : _HOP]
            spectrum = np.abs(np.fft.rfft(windows * self._shape)) ** 2
            self._power.append((windows**2).mean(1))
            self._band.append((spectrum[:, self._voice].sum(1) / (spectrum.sum(1) + 1e-12)) * self._power[-1])
        self._rest = samples[count * _HOP :]

    def finish(self) -> _Sounds:
        empty = [np.empty(0, np.float32)]
        return _Sounds(self._starts_s or 0.0, np.concatenate(self._power or empty), np.concatenate(self._band or empty))


@dataclass(frozen=True, slots=True, eq=False)
class _Sounds:
    starts_s: float
    power: np.ndarray
    band: np.ndarray

    def around(self, at_s: float) -> tuple[float | None, float]:
        """Return how far below the usual it is around a time, None for silence, and how much of it is speech."""
        near = self._between(at_s - AROUND_S, at_s + AROUND_S)
        audible = self.power[self.power > 10 ** (SILENT_DB / 10)]
        here = float(self.power[near].mean()) if self.power[near].size else 0.0
        if not audible.size or here < 10 ** (SILENT_DB / 10):
            return None, 0.0
        quiet_db = 10 * float(np.log10(np.median(audible) / here))
        return round(quiet_db, 1), round(
            max(self._speech(at_s - SPOKEN_S, at_s), self._speech(at_s, at_s + SPOKEN_S)), 2
        )

    def _speech(self, start_s: float, end_s: float) -> float:
        within = self._between(start_s, end_s)
        band, power = self.band[within], self.power[within]
        if band.size < 0.4 * SPOKEN_S / HOP_S or band.max() < 10 ** (SILENT_DB / 10):
            return 0.0
        return syllables(band, HOP_S) * float(band.sum() / power.sum())

    def _between(self, start_s: float, end_s: float) -> slice:
        first = max(round((start_s - self.starts_s) / HOP_S), 0)
        return slice(first, max(round((end_s - self.starts_s) / HOP_S), first))


class Rhythms:
    """Keep the rhythms of the library's videos in a folder, worked out when they are first asked for."""

    def __init__(self, store: Store, folder: Path, sample: Callable[..., Iterable[Picture | Sound]] = sandbox.sample):
        self._store = store
        self._folder = folder
        self._sample = sample
        self._turn = threading.Lock()

    def of(self, entry: Entry, on_progress: Progress = ignore_progress) -> Rhythm:
        """Return the rhythm of a video. Raises MediaError or EncoderError when its copy cannot be read, Unavailable."""
        kept = self._folder / f"{entry.content_sha256}.json"
        if (rhythm := _read(kept)) is not None:
            return rhythm
        with self._turn:  # one decoder: this is no reason to slow down what is added
            if (rhythm := _read(kept)) is not None:
                return rhythm
            fetched = self._folder / f"fetched{Path(entry.media_key).suffix}"
            try:
                path = stored.copy_path(self._store, entry.media_key, self._folder)
                path = path if self._store.local_path(entry.media_key) else fetched
                stored.fetch(self._store, entry.media_key, path, ignore_progress)
                rhythm = measure(self._sample(path, fps=FPS, size=SIZE, sample_rate=RATE, on_progress=on_progress))
            finally:
                fetched.unlink(missing_ok=True)
            write_text(kept, json.dumps({"algorithm": ALGORITHM, **asdict(rhythm)}))
            return rhythm

    def forget(self, content_sha256: str) -> None:
        """Forget the rhythm of a content; there need be none."""
        (self._folder / f"{content_sha256}.json").unlink(missing_ok=True)


def _read(path: Path) -> Rhythm | None:
    """Return a rhythm that was kept; None where it was not, or came of another algorithm, or is damaged."""
    try:
        row = json.loads(path.read_text("utf-8"))
        if row["algorithm"] != ALGORITHM:
            return None
        return Rhythm(float(row["duration_s"]), tuple(Gap(**gap) for gap in row["gaps"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
