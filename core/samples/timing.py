"""The clock: curves that move things, from seconds or shares of a way to numbers."""

from __future__ import annotations

from math import cos, exp, pi, sin


def clamp(x: float) -> float:
    return 0.0 if x < 0 else 1.0 if x > 1 else x


def span(t: float, start: float, end: float) -> float:
    """Return how far t is from start to end, 0 to 1."""
    return clamp((t - start) / (end - start))


def ease(x: float) -> float:
    """Start and stop softly."""
    x = clamp(x)
    return x * x * (3 - 2 * x)


def spring(x: float) -> float:
    """Go from 0 to 1, past it, and settle."""
    x = clamp(x)
    return 1 - exp(-6 * x) * cos(11 * x) * (1 - x)


def wave(t: float, period: float, phase: float = 0.0) -> float:
    """Return a sine of t, -1 to 1; phase in turns."""
    return sin(2 * pi * (t / period + phase))


def hop(t: float, period: float) -> float:
    """Return the height, 0 to 1, of something that bounces once a period."""
    u = (t / period) % 1
    return 4 * u * (1 - u)


def blink(t: float, every: float = 2.6, phase: float = 0.0) -> float:
    """Return how open an eye is, 0 to 1; it closes for a moment now and then."""
    u = (t + phase) % every
    return abs(u - 0.09) / 0.09 if u < 0.18 else 1.0


def shot(t: float, *starts: float) -> tuple[int, float]:
    """Return which shot t is in, and the time since its cut; the first shot starts at 0."""
    number = sum(t >= start for start in starts)
    return number, t - (starts[number - 1] if number else 0.0)


def sway(t: float, period: float, amount: float, phase: float = 0.0) -> float:
    """Return an angle that rocks to and fro."""
    return amount * wave(t, period, phase)
