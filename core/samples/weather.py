"""What falls, rises and flies about, for ever: snow and rain, smoke and fire, confetti, hearts, birds.

Seeds are floats from 0 to 1, a row for each flake, drop or puff, which give it its place and its ways.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.samples.colours import Colour, Paint, fade
from core.samples.outlines import HEIGHT, WIDTH
from core.samples.stage import Stage
from core.samples.timing import wave


def snowfall(
    s: Stage, flakes: np.ndarray, t: float, speed: float = 28, drift: float = 10, colour: Colour = "#ffffff"
) -> None:
    """Let flakes, float (n, 3) of x, y and depth from 0 to 1, fall for ever."""
    x, y, depth = flakes.T
    xs = (x * WIDTH + np.sin(t * 0.9 + y * 40) * 8 + t * drift * (0.4 + depth)) % WIDTH
    ys = (y * HEIGHT + t * speed * (0.4 + depth)) % (HEIGHT + 8) - 4
    s.dots(xs, ys, 0.7 + 2.1 * depth**2, colour)


def rainfall(
    s: Stage, drops: np.ndarray, t: float, speed: float = 520, slant: float = -0.2, colour: Colour = "#cfe0ff60"
) -> None:
    """Let drops, float (n, 3) of x, y and depth, fall as streaks."""
    x, y, depth = drops.T
    fall = t * speed * (0.6 + 0.6 * depth)
    ys = (y * 420 + fall) % 420 - 40
    xs = (x * 800 + fall * slant) % 800 - 80
    near = depth > 0.5
    s.streaks(xs[~near], ys[~near], 13 * slant, 13, 0.5, colour)
    s.streaks(xs[near], ys[near], 22 * slant, 22, 1, colour)


def puffs(
    s: Stage,
    t: float,
    x: float,
    y: float,
    seeds: np.ndarray,
    paint: Sequence[Colour],
    spread: float,
    rise: float,
    size: float,
    life: float = 1.2,
) -> None:
    """Let smoke pour from (x, y): seeds, float (n, 2) from 0 to 1, give each puff its start and its way."""
    for when, way in seeds:
        age = ((t / life + when) % 1.0) if t / life + when >= 1 or t > life else t / life - when
        if age < 0:
            continue
        grow = size * (0.35 + 0.9 * age**0.6)
        ink = paint[int(way * 997) % len(paint)]
        s.ellipse(x + (way - 0.5) * 2 * spread * age**0.7, y - rise * age + grow * 0.2, grow * (1 - age**4), paint=ink)


def gull(s: Stage, x: float, y: float, size: float, flap: float, ink: Colour, thick: float = 2) -> None:
    """Draw a far bird, its wings up (flap above 0) or down, in units of its size."""
    points = [(x - 13 * size, y - flap), (x - 4.5 * size, y - 2.5 * size), (x, y)]
    s.line([*points, (x + 4.5 * size, y - 2.5 * size), (x + 13 * size, y - flap)], thick, ink)


def heart(s: Stage, x: float, y: float, size: float, paint: Paint, angle: float = 0) -> None:
    with s.at(x, y, angle, size):
        s.blob("0,0.42 -0.36,0.1 -0.5,-0.18 -0.28,-0.42 0,-0.2 0.28,-0.42 0.5,-0.18 0.36,0.1", paint)


def hearts(s: Stage, x: float, y: float, age: float, count: int, spread: float, size: float = 10) -> None:
    """Let hearts rise from (x, y) one after the other, for ever; `age` 1 is the life of one."""
    for k in range(count):
        rise = age - k / count
        if rise > 0:
            rise %= 1
            across = x + spread * wave(k, 2.7) + 10 * wave(rise + k * 0.3, 0.8)
            paint = fade("#ff5f80", 0.95 * (1 - rise))
            heart(s, across, y - 130 * rise, size * (1 + 1.4 * rise), paint, 13 * wave(rise, 0.7, k * 0.3))


def embers(
    s: Stage, seeds: np.ndarray, t: float, x: tuple[float, float], y: tuple[float, float], ink: Colour, r: float = 1.6
) -> None:
    """Let embers rise for ever: seeds, float (n, 3) from 0 to 1; from y[0] to y[1], between x[0] and x[1]."""
    for across, size, when in seeds[:, :3].tolist():
        age = (t + when) % 1
        place = (across * (x[1] - x[0]) + 30 * wave(t, 0.8, size)) % (x[1] - x[0]) + x[0]
        s.ellipse(place, y[0] + (y[1] - y[0]) * age, r * (0.7 + 0.6 * size), paint=fade(ink, 1 - age))


def confetti(s: Stage, seeds: np.ndarray, fall: float, t: float, inks: Sequence[Colour]) -> None:
    """Let paper slips, float (n, 4) from 0 to 1, fall from above the frame; they have fallen for `fall` seconds."""
    for x, y, when, turn in seeds.tolist():
        across = (x * WIDTH + 18 * wave(t, 1, turn)) % WIDTH
        with s.at(across, fall * (140 + 110 * when) - 300 * y, 360 * turn + t * 230, 1, abs(wave(t, 0.7, when)) + 0.15):
            s.rect(-5, -3, 10, 6, inks[int(turn * len(inks))])


def flame(s: Stage, x: float, y: float, wide: float, tall: float, lean: float = 3) -> None:
    """Draw a tongue of fire in three colours, its foot at (x, y)."""
    for share, height, ink in ((1, 1, "#e8331c"), (0.66, 0.74, "#ff8a2b"), (0.34, 0.46, "#ffe27a")):
        w, h = wide * share, tall * height
        tongue = [(x - w, y), (x - w * 0.7, y - h * 0.4), (x + lean, y - h), (x + w * 0.75, y - h * 0.35), (x + w, y)]
        s.blob(tongue, ink)
