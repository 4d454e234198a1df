"""The shape box: outlines as points, curves through them, skylines and limbs.

An outline that never changes is best written as text, "x,y x,y …" as in SVG: its curve is then worked out only once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import hypot, pi

import numpy as np

WIDTH, HEIGHT = 640, 360
"""The logical size of a frame."""

Points = str | Sequence[Sequence[float]] | np.ndarray

CIRCLE = np.stack([np.cos(np.linspace(0, 2 * pi, 40, False)), np.sin(np.linspace(0, 2 * pi, 40, False))], axis=1)
SMALL_CIRCLE = CIRCLE[::3]
_STEPS = np.linspace(0, 1, 8, False)[:, None]
_CATMULL_ROM = 0.5 * np.hstack(
    [
        -_STEPS + 2 * _STEPS**2 - _STEPS**3,
        2 - 5 * _STEPS**2 + 3 * _STEPS**3,
        _STEPS + 4 * _STEPS**2 - 3 * _STEPS**3,
        -(_STEPS**2) + _STEPS**3,
    ]
)


def outline(points: Points) -> np.ndarray:
    """Return points as float (n, 2)."""
    return _written(points) if isinstance(points, str) else np.asarray(points, dtype=float)


@lru_cache(maxsize=4096)
def _written(points: str) -> np.ndarray:
    return np.array([pair.split(",") for pair in points.split()], dtype=float)


def smooth(points: Points, closed: bool = True) -> np.ndarray:
    """Return the Catmull-Rom curve through these points, float (m, 2)."""
    return _written_curve(points, closed) if isinstance(points, str) else _curve(outline(points), closed)


@lru_cache(maxsize=4096)
def _written_curve(points: str, closed: bool) -> np.ndarray:
    return _curve(_written(points), closed)


def _curve(pts: np.ndarray, closed: bool) -> np.ndarray:
    curve = (_CATMULL_ROM @ pts[_neighbours(len(pts), closed)]).reshape(-1, 2)
    return curve if closed else np.concatenate([curve, pts[-1:]])


@lru_cache(maxsize=128)
def _neighbours(count: int, closed: bool) -> np.ndarray:
    """Return which four points shape each piece of a curve, int (pieces, 4)."""
    pieces = np.arange(count if closed else count - 1)[:, None] + np.array([-1, 0, 1, 2])
    return pieces % count if closed else pieces.clip(0, count - 1)


def ridge(rng: np.random.Generator, width: float, rough: float = 1.0, octaves: int = 4) -> np.ndarray:
    """Return a skyline that repeats after `width`, one height (-1 to 1) every 4 units; rough 0 is rolling hills."""
    x = np.arange(0, width + 1, 4) / width * 2 * pi
    line = sum(
        np.sin(x * k + rng.uniform(0, 2 * pi)) / k ** (1.7 - 0.7 * rough)
        for octave in range(octaves)
        for k in (2**octave, 2**octave + (octave > 0))
    )
    return line / np.abs(line).max()


def land(line: np.ndarray, base: float, height: float) -> np.ndarray:
    """Return the outline of ground under a `ridge`, from its skyline down past the frame's edge."""
    x = np.arange(len(line)) * 4.0
    top = np.stack([x, base - line * height], axis=1)
    return np.vstack([top, [[x[-1], HEIGHT + 60]], [[0, HEIGHT + 60]]])


def reach(a: Sequence[float], b: Sequence[float], length: float, side: int = 1) -> list[tuple[float, float]]:
    """Return the three joints of a limb of two equal parts from a to b; it bends to `side` (1 or -1)."""
    (ax, ay), (bx, by) = a, b
    gap = max(hypot(bx - ax, by - ay), 1e-6)
    out = max((length / 2) ** 2 - (gap / 2) ** 2, 0) ** 0.5 * side
    return [(ax, ay), ((ax + bx) / 2 - (by - ay) / gap * out, (ay + by) / 2 + (bx - ax) / gap * out), (bx, by)]
