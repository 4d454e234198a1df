"""The orchestra pit: instruments, noises and rooms, synthesised with numpy at 44.1 kHz.

An instrument is a function of a frequency (Hz) and a length (s) that returns a mono signal around ±1. A `Track`
is the tape they are recorded on. Notes are written as words: "C4 E4 G4:2 - A3+C4" is two notes of a beat, one of
two beats, a rest, and a chord.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np

RATE = 44_100
Voice = Callable[[float, float], np.ndarray]

_SEMITONES = {"C": -9, "D": -7, "E": -5, "F": -4, "G": -2, "A": 0, "B": 2}


def hz(note: str) -> float:
    """Return the frequency of a note such as A4, C#5 or Bb3."""
    steps = _SEMITONES[note[0]] + note.count("#") - note[1:].count("b")
    return 440.0 * 2 ** (steps / 12 + int(note[-1]) - 4)


def _time(length_s: float) -> np.ndarray:
    return np.arange(max(1, round(length_s * RATE))) / RATE


def shape(signal: np.ndarray, attack_s: float = 0.01, release_s: float = 0.05) -> np.ndarray:
    """Fade a signal in and out."""
    count = len(signal)
    rise, fall = min(round(attack_s * RATE) + 1, count), min(round(release_s * RATE) + 1, count)
    out = signal.copy()
    out[:rise] *= np.linspace(0, 1, rise)
    out[count - fall :] *= np.linspace(1, 0, fall)
    return out


Partials = Sequence[tuple[float, float, float]]
"""Sines: multiple of the frequency, loudness, decay per second."""


def _struck(partials: Partials, ring_s: float = 0.0, attack_s: float = 0.003, release_s: float = 0.05) -> Voice:
    """Return an instrument that is struck, plucked or blown evenly, and rings on for a while after its note."""

    def voice(freq: float, length_s: float) -> np.ndarray:
        t = _time(length_s + ring_s)
        heard = [(k, a, d) for k, a, d in partials if freq * k < RATE / 2.2]
        tone = [a * np.sin(2 * np.pi * freq * k * t) * np.exp(-d * t) for k, a, d in heard]
        return shape(np.sum([np.zeros(len(t)), *tone], axis=0), attack_s, release_s)

    return voice


def _bent(freq: float, t: np.ndarray, depth: float, rate_hz: float, come_s: float = 0) -> np.ndarray:
    """Return the phase, in turns, of a tone with a vibrato that comes after a while."""
    return freq * t + depth * freq * np.sin(2 * np.pi * rate_hz * t) / rate_hz * np.minimum(t / max(come_s, 1e-9), 1)


# ---------------------------------------------------------------- instruments


def pad(freq: float, length_s: float) -> np.ndarray:
    """Return a soft, slow chord voice: detuned low partials."""
    t = _time(length_s + 0.8)
    voices = [(k, d) for d in (0.997, 1, 1.004) for k in (1, 2, 3)]
    tone = np.sum([np.sin(2 * np.pi * freq * d * k * t + k + d) * 0.3 / k**1.6 for k, d in voices], axis=0)
    return shape(tone, min(0.7, length_s / 2), min(0.9, length_s / 2))


def flute(freq: float, length_s: float) -> np.ndarray:
    bend = 2 * np.pi * _bent(freq, _time(length_s), 0.006, 5, 1 / 3)
    return shape(0.6 * np.sin(bend) + 0.12 * np.sin(2 * bend), 0.06, 0.09)


def strings(freq: float, length_s: float) -> np.ndarray:
    bend = 2 * np.pi * _bent(freq, _time(length_s + 0.2), 0.004, 5.5)
    heard = [k for k in range(1, 9) if freq * k < 9000]
    return shape(np.sum([np.sin(bend * k) * 0.5 / k for k in heard], axis=0), 0.12, 0.2)


def brass(freq: float, length_s: float) -> np.ndarray:
    """Return a horn or saxophone: the higher partials come late."""
    t = _time(length_s)
    bend, swell = 2 * np.pi * _bent(freq, t, 0.005, 5, 0.5), np.minimum(t / 0.09, 1)
    heard = [k for k in range(1, 9) if freq * k < 9000]
    return shape(np.sum([np.sin(bend * k) * 0.6 / k**1.1 * swell**k for k in heard], axis=0), 0.02, 0.06)


def lead(freq: float, length_s: float) -> np.ndarray:
    """Return a bright synthesizer."""
    t = _time(length_s)
    heard = [(k, d) for d in (0.995, 1.006) for k in range(1, 11) if freq * k < 12000]
    return shape(np.sum([np.sin(2 * np.pi * freq * d * k * t) * 0.3 / k for k, d in heard], axis=0), 0.005, 0.05)


_bell = _struck([(1, 0.5, 2), (2.76, 0.25, 3), (5.4, 0.12, 6), (0.5, 0.15, 1.5)], 1.5, 0.002)


def clarion(freq: float, length_s: float) -> np.ndarray:
    """Return a whistling voice: a flute with a little bell in it."""
    tone = flute(freq, length_s)
    return tone + 0.5 * _bell(freq, length_s)[: len(tone)]


VOICES: Mapping[str, Voice] = {
    "pluck": _struck([(k, 0.6 / k, 2.0 + 1.6 * k) for k in range(1, 8)], 0.5),
    "piano": _struck([(k * (1 + 0.0004 * k * k), 0.7 / k**1.3, 1.2 + 0.7 * k) for k in range(1, 8)], 0.6, 0.004, 0.3),
    "bell": _bell,
    "music_box": _struck([(1, 0.6, 4), (4.02, 0.2, 9), (8.1, 0.05, 14)], 0.9, 0.001),
    "bass": _struck([(1, 0.8, 2.5), (2, 0.4, 4), (3, 0.2, 7), (4, 0.1, 9)], 0.1, 0.006),
    "clarinet": _struck([(1, 0.6, 0.2), (3, 0.28, 0.3), (5, 0.12, 0.5), (7, 0.06, 0.7)], 0, 0.015, 0.04),
    "pad": pad,
    "flute": flute,
    "strings": strings,
    "brass": brass,
    "lead": lead,
    "clarion": clarion,
}


# ---------------------------------------------------------------- percussion and effects


def glide(start_hz: float, end_hz: float, length_s: float, wobble_hz: float = 0, wobble: float = 0.0) -> np.ndarray:
    """Return a tone that slides: whistles, falls, boings."""
    t = _time(length_s)
    freq = start_hz * (end_hz / start_hz) ** (t / length_s) * (1 + wobble * np.sin(2 * np.pi * wobble_hz * t))
    phase = 2 * np.pi * np.cumsum(freq) / RATE
    return shape(np.sin(phase) + 0.25 * np.sin(2 * phase), 0.01, 0.05)


def boing() -> np.ndarray:
    spring = glide(240, 130, 0.6, 14, 0.25)
    return spring * np.exp(-4 * _time(0.6))


def pop() -> np.ndarray:
    return glide(320, 1100, 0.07) * np.exp(-30 * _time(0.07))


def kick() -> np.ndarray:
    return glide(150, 42, 0.22) * np.exp(-14 * _time(0.22))


def tom(freq: float = 110) -> np.ndarray:
    return glide(freq * 1.5, freq, 0.3) * np.exp(-9 * _time(0.3))


def heartbeat() -> np.ndarray:
    """Return the two beats of a heart, 0.5 s."""
    out = np.zeros(round(0.5 * RATE))
    for at, gain in ((0.0, 1.0), (0.2, 0.7)):
        beat = glide(85, 38, 0.2) * np.exp(-12 * _time(0.2)) * gain
        out[round(at * RATE) : round(at * RATE) + len(beat)] += beat
    return out


def band(rng: np.random.Generator, length_s: float, low_hz: float, high_hz: float, slope: float = 0.0) -> np.ndarray:
    """Return noise between two frequencies, RMS about 0.3; slope 1 is pink, 2 is brown."""
    count = max(2, round(length_s * RATE))
    freqs = np.fft.rfftfreq(count, 1 / RATE)
    passed = 1 / (1 + (low_hz / np.maximum(freqs, 1)) ** 4) / (1 + (freqs / high_hz) ** 4)
    gain = passed / np.maximum(freqs, 20) ** (slope / 2)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(count)) * gain, count)
    return 0.3 * noise / (noise.std() + 1e-12)


def snare(rng: np.random.Generator) -> np.ndarray:
    rattle = 0.8 * band(rng, 0.18, 900, 8000) * np.exp(-22 * _time(0.18)) * 3
    return rattle + glide(220, 160, 0.18) * np.exp(-30 * _time(0.18)) * 0.4


def hat(rng: np.random.Generator, length_s: float = 0.05) -> np.ndarray:
    return shape(band(rng, length_s, 7000, 15000) * 2 * np.exp(-3 / length_s * _time(length_s)), 0.001, 0.01)


def whoosh(rng: np.random.Generator, length_s: float, low_hz: float = 300, high_hz: float = 4000) -> np.ndarray:
    """Return air rushing past, loudest in the middle."""
    noise = band(rng, length_s, low_hz, high_hz)
    return noise * np.sin(np.pi * np.linspace(0, 1, len(noise))) ** 2 * 2


def breathing(noise: np.ndarray, period_s: float, depth: float = 0.7, phase: float = 0.0) -> np.ndarray:
    """Let a noise swell and fall: waves, wind."""
    t = np.arange(len(noise)) / RATE
    return noise * (1 - depth * (0.5 + 0.5 * np.cos(2 * np.pi * (t / period_s + phase))))


def rain(rng: np.random.Generator, length_s: float, heavy: float = 0.5) -> np.ndarray:
    """Return a hiss and single drops; heavy 0 to 1."""
    out = band(rng, length_s, 1200, 9000, 0.6) * (0.25 + 0.6 * heavy)
    for at in rng.uniform(0, max(length_s - 0.05, 0.01), round(length_s * 25)):
        drop = glide(rng.uniform(1400, 4200), rng.uniform(900, 1500), 0.02) * rng.uniform(0.02, 0.2)
        start = round(at * RATE)
        out[start : start + len(drop)] += drop[: len(out) - start]
    return out


def thunder(rng: np.random.Generator, length_s: float = 3.0) -> np.ndarray:
    t = _time(length_s)
    crack = band(rng, length_s, 200, 5000) * np.exp(-9 * t) * 2.2
    roll = band(rng, length_s, 25, 160, 1.5) * np.exp(-1.3 * t) * (1 + 0.6 * np.sin(17 * t) * np.sin(5 * t)) * 3
    return shape(crack + roll, 0.005, 0.5)


def engine(rng: np.random.Generator, freq: float, length_s: float) -> np.ndarray:
    t = _time(length_s)
    phase = 2 * np.pi * freq * t + 0.4 * np.sin(2 * np.pi * 3.1 * t)
    tone = np.sum([np.sin(k * phase) / k for k in (0.5, 1, 2, 3, 4)], axis=0)
    return tone * 0.4 + band(rng, length_s, 60, 500, 1) * 0.5


def buzz(freq: float, length_s: float) -> np.ndarray:
    """Return wings that come and go."""
    t = _time(length_s)
    sway = 3 * np.sin(2 * np.pi * 0.65 * t)
    hum = np.sum([np.sin(2 * np.pi * freq * k * t + sway) / k for k in (1, 2, 3, 4)], axis=0)
    return hum * (0.6 + 0.4 * np.sin(2 * np.pi * 0.32 * t))


_TONES = {tone.__name__: tone for tone in (glide, boing, pop, kick, tom, heartbeat, buzz)}
_NOISES = {noise.__name__: noise for noise in (band, snare, hat, whoosh, rain, thunder, engine)}


def effect(name: str, rng: np.random.Generator, *numbers: float) -> np.ndarray:
    """Return a percussion sound or effect by its name. Raises KeyError for one that is not here."""
    return _NOISES[name](rng, *numbers) if name in _NOISES else _TONES[name](*numbers)


# ---------------------------------------------------------------- the tape


@lru_cache(maxsize=256)
def _note(voice: Voice, freq: float, length_s: float) -> np.ndarray:
    """Return a note, which a tune often has more than once."""
    return voice(freq, length_s)


class Track:
    """A stereo tape of fixed length that sounds are mixed onto."""

    def __init__(self, length_s: float, rng: np.random.Generator) -> None:
        self.length_s, self.rng = length_s, rng
        self._tape = np.zeros((round(length_s * RATE), 2))

    def add(self, signal: np.ndarray, at: float = 0.0, gain: float = 1.0, pan: float = 0.0) -> None:
        """Mix a mono signal in at a time; pan -1 (left) to 1 (right). What sticks out of the tape is cut off."""
        start = round(at * RATE)
        if start < 0:
            signal, start = signal[-start:], 0
        part = signal[: max(len(self._tape) - start, 0)]
        sides = np.array([np.cos((pan + 1) * np.pi / 4), np.sin((pan + 1) * np.pi / 4)]) * 1.414 * gain
        self._tape[start : start + len(part)] += part[:, None] * sides

    def play(self, voice: Voice, notes: str, beat: float, at: float, gain: float, pan: float, hold: float) -> None:
        """Play notes with a voice, `beat` seconds a beat, each held for a share of its length."""
        for word in notes.split():
            names, _, beats = word.partition(":")
            length = beat * float(beats or 1)
            if names != "-":
                for name in names.split("+"):
                    self.add(_note(voice, hz(name), length * hold), at, gain, pan)
            at += length

    def room(self, wet: float, decay_s: float = 1.6) -> None:
        """Put everything recorded so far into a room with an echo."""
        t = _time(decay_s)
        size = 1 << (len(self._tape) + len(t)).bit_length()
        for side in (0, 1):
            echo = self.rng.standard_normal(len(t)) * np.exp(-5 * t / decay_s) * np.minimum(t / 0.015, 1)
            echo /= np.sqrt((echo**2).sum())
            sent = np.fft.irfft(np.fft.rfft(self._tape[:, side], size) * np.fft.rfft(echo, size), size)
            self._tape[:, side] += wet * sent[: len(self._tape)]

    def master(self, level: float) -> np.ndarray:
        """Return the finished sound, float32 (samples, 2), its peak at `level` (0 to 1), faded at both ends."""
        loud = self._tape / (np.abs(self._tape).max() + 1e-9)
        loud = np.tanh(loud * 1.6) / np.tanh(1.6) * level
        ends = np.minimum(np.minimum(np.arange(len(loud)) / 1500, np.arange(len(loud))[::-1] / 12000), 1)
        return (loud * ends[:, None]).astype(np.float32)
