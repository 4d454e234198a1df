"""Streets: houses, roads and wheels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.samples.colours import Colour, Paint, fade
from core.samples.outlines import HEIGHT, WIDTH
from core.samples.stage import Layer, Stage


def town(
    rng: np.random.Generator,
    width: float,
    base: float,
    tall: float,
    ink: Colour,
    lights: Sequence[Colour],
    block: tuple[float, float] = (40, 84),
    lit: float = 0.35,
    soften: float = 0,
) -> Layer:
    """Return a row of houses with windows, some of them lit, that can be scrolled for ever."""
    s, x = Stage(width, HEIGHT, None), 0.0
    while x < width - 10:
        wide, high = min(rng.uniform(*block), width - x), rng.uniform(0.38, 1) * tall
        s.rect(x, base - high, wide, 220, ink)
        for wx in np.arange(x + 7, x + wide - 8, 12).tolist():
            for wy in np.arange(base - high + 9, base + 12, 15).tolist():
                if rng.random() < lit:
                    s.rect(wx, wy, 5.5, 7.5, fade(lights[int(rng.integers(len(lights)))], rng.uniform(0.6, 1)))
        x += wide + rng.uniform(0, 8)
    return s.layer(soften=soften)


def dashes(s: Stage, y: float, every: float, shift: float, paint: Paint, size: tuple[float, float] = (60, 6)) -> None:
    """Paint the middle line of a road that goes by."""
    wide, high = size
    for k in range(int((WIDTH + 260) // every)):
        x = (every * k - shift) % ((WIDTH + 260) // every * every) - 120
        s.polygon([(x, y), (x + wide, y), (x + wide - high * 1.5, y + high), (x - high * 2, y + high)], paint)


def wheel(
    s: Stage, x: float, y: float, r: float, turn: float, tyre: Colour = "#2f2733", hub: Colour = "#e8e2dc"
) -> None:
    """Draw a wheel with spokes, turned by so many degrees."""
    with s.at(x, y, turn, r):
        s.ellipse(0, 0, 1, paint=tyre)
        s.ellipse(0, 0, 0.55, paint=hub)
        s.ring(5).rect(-0.08, -0.5, 0.16, 0.4, "#8a8490")
