"""The props room: what several scenes put on their stage. Characters stay with their scenes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.samples.sound import Track
from core.samples.stage import (
    HEIGHT,
    WIDTH,
    Colour,
    Layer,
    Look,
    Paint,
    Stage,
    fade,
    land,
    mix,
    ridge,
    wave,
)

Draw = Callable[[Stage, float], None]
"""Draw the frame at a time, in seconds."""


@dataclass(frozen=True, slots=True)
class Play:
    """A scene as it is made: `prepare` paints what never changes and returns how to draw a frame."""

    prepare: Callable[[np.random.Generator], Draw]
    score: Callable[[Track], None]
    level: float = 0.6
    """Peak of the sound, 0 to 1: calm scenes are quiet."""
    look: Look = field(default_factory=Look)
    hold: int = 1
    """Frames each drawing is held: 2 is twelve drawings a second, the pace of most animation made by hand."""


# ---------------------------------------------------------------- skies


def stars(rng: np.random.Generator, count: int, lowest: float = HEIGHT, colour: Colour = "#fff6dc") -> Layer:
    """Return a sky full of stars of different brightness."""
    s = Stage(colour=None)
    for x, y, size in zip(
        rng.uniform(0, WIDTH, count), rng.uniform(0, lowest, count), rng.pareto(3, count), strict=True
    ):
        s.ellipse(x, y, min(0.5 + size * 0.5, 1.7), paint=fade(colour, rng.uniform(0.35, 1)))
    return s.layer()


def moon(s: Stage, x: float, y: float, r: float, paint: Paint = "#fff3d6", glow: Colour = "#6f86c9") -> None:
    s.glow(x, y, r * 5, glow, 0.6)
    s.glow(x, y, r * 2.2, glow, 0.6)
    s.ellipse(x, y, r, paint=paint)
    for dx, dy, size in ((-0.35, -0.2, 0.2), (0.3, 0.3, 0.26), (0.2, -0.45, 0.12), (-0.2, 0.5, 0.13)):
        s.ellipse(x + dx * r, y + dy * r, size * r, paint="#b9a98c38")


def cloud(s: Stage, x: float, y: float, width: float, paint: Paint, shade: Colour | None = None) -> None:
    """Draw a paper cloud with a flat base whose middle is (x, y)."""
    puffs = ((-0.3, -0.07, 0.15), (-0.12, -0.17, 0.2), (0.12, -0.13, 0.18), (0.31, -0.06, 0.13))
    for lower, ink in ((0.035, shade), (0, paint)):
        if ink is None:
            continue
        with s.at(x, y + lower * width, sx=width):
            for px, py, r in puffs:
                s.ellipse(px, py, r, paint=ink)
            s.rect(-0.46, -0.12, 0.92, 0.13, ink, radius=0.065)


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


# ---------------------------------------------------------------- land


def hills(
    rng: np.random.Generator,
    base: float,
    height: float,
    paint: Paint,
    rough: float = 0.0,
    width: float = WIDTH,
    dress: Callable[[Stage, float, float], None] | None = None,
    every: float = 30,
    shadow: float = 0.25,
) -> Layer:
    """Return a strip of land as wide as asked that can be scrolled for ever.

    `dress(stage, x, y)` plants something on the skyline about every `every` units.
    """
    s = Stage(width, HEIGHT, None)
    line = ridge(rng, width, rough)
    if dress is not None:
        for x in np.arange(every / 2, width - every / 3, every):
            x += rng.uniform(-0.3, 0.3) * every
            dress(s, x, base - line[int(x / 4) % len(line)] * height)
    s.polygon(land(line, base, height), paint)
    return s.layer(0.0 if dress else shadow)


def pine(s: Stage, x: float, y: float, height: float, paint: Colour, snow: Colour | None = None) -> None:
    """Draw a fir of three skirts, its foot at (x, y)."""
    with s.at(x, y + 2, sx=height):
        s.rect(-0.03, -0.2, 0.06, 0.22, mix(paint, "#2a1a1a", 0.3))
        for foot, top, half in ((-0.1, -0.52, 0.26), (-0.32, -0.76, 0.2), (-0.55, -1.0, 0.14)):
            s.polygon(
                [
                    (-half, foot),
                    (0, top),
                    (half, foot),
                    (half * 0.4, foot + 0.03),
                    (0, foot),
                    (-half * 0.4, foot + 0.03),
                ],
                paint,
            )
            if snow is not None:
                s.polygon([(-half * 0.55, foot - 0.18), (0, top), (half * 0.3, foot - 0.26), (0, foot - 0.2)], snow)


def tree(s: Stage, x: float, y: float, height: float, leaves: Sequence[Colour], trunk: Colour = "#4a352f") -> None:
    """Draw a round tree, its foot at (x, y); leaves are dark, middle and light."""
    with s.at(x, y + 2, sx=height):
        s.taper([(0, 0), (0.01, -0.4), (0, -0.6)], 0.11, 0.05, trunk)
        s.line([(0, -0.34), (0.12, -0.5)], 0.03, trunk)
        for (dx, dy, r), ink in zip(
            ((0.03, -0.66, 0.33), (-0.05, -0.7, 0.27), (-0.08, -0.78, 0.16)), leaves, strict=True
        ):
            s.ellipse(dx, dy, r, r * 0.95, ink)


def water(
    s: Stage,
    top: float,
    t: float,
    paint: Paint,
    crest: float = 3,
    length: float = 90,
    speed: float = 20,
    foam: Colour | None = None,
) -> None:
    """Draw a sea from a moving, wavy line down to the frame's edge."""
    x = np.arange(-8, WIDTH + 16, 8)
    y = (
        top
        + crest * np.sin((x + t * speed) / length * 2 * np.pi)
        + crest * 0.45 * np.sin((x - t * speed * 0.7) / length * 4.4 * np.pi)
    )
    line = np.stack([x, y], axis=1)
    s.polygon(np.vstack([line, [[WIDTH + 16, HEIGHT + 10], [-8, HEIGHT + 10]]]), paint)
    if foam is not None:
        s.line(line, 1.6, foam, curved=False, caps=False)


# ---------------------------------------------------------------- faces


def eyes(
    s: Stage,
    x: float,
    y: float,
    gap: float,
    r: float,
    openness: float = 1.0,
    look: tuple[float, float] = (0, 0),
    ink: Colour = "#1f1a2b",
) -> None:
    """Draw two dark oval eyes with a light in each; shut they are two arcs. `gap` is between their middles."""
    for side in (-0.5, 0.5):
        ex, ey = x + side * gap, y
        if openness < 0.25:
            s.line([(ex - r, ey), (ex, ey + r * 0.5), (ex + r, ey)], r * 0.5, ink)
            continue
        s.ellipse(ex, ey, r * 0.85, r * 1.1 * openness, ink)
        s.ellipse(
            ex + (0.25 + look[0] * 0.3) * r, ey + (-0.4 + look[1] * 0.3) * r * openness, r * 0.32, paint="#ffffff"
        )


def goggles(
    s: Stage,
    x: float,
    y: float,
    gap: float,
    r: float,
    openness: float = 1.0,
    look: tuple[float, float] = (0, 0),
    ink: Colour = "#1f1a2b",
) -> None:
    """Draw two big cartoon eyes, white with a pupil that looks from (-1, -1) to (1, 1)."""
    for side in (-0.5, 0.5):
        ex = x + side * gap
        s.ellipse(ex, y, r, r * max(openness, 0.12), "#fffdf6")
        if openness > 0.3:
            px, py = ex + look[0] * r * 0.45, y + look[1] * r * 0.45
            s.ellipse(px, py, r * 0.48, r * 0.48 * openness, ink)
            s.ellipse(px + r * 0.14, py - r * 0.16, r * 0.15, paint="#ffffff")


def cheeks(s: Stage, x: float, y: float, gap: float, r: float, ink: Colour = "#ff6f7d90") -> None:
    for side in (-0.5, 0.5):
        s.ellipse(x + side * gap, y, r, r * 0.65, ink)


def smile(s: Stage, x: float, y: float, width: float, deep: float, ink: Colour = "#1f1a2b", thick: float = 2) -> None:
    """Draw a mouth line; deep below 0 is sad."""
    s.line([(x - width / 2, y), (x, y + deep), (x + width / 2, y)], thick, ink)


def heart(s: Stage, x: float, y: float, size: float, paint: Paint, angle: float = 0) -> None:
    with s.at(x, y, angle, size):
        s.blob(
            [
                (0, 0.42),
                (-0.36, 0.1),
                (-0.5, -0.18),
                (-0.28, -0.42),
                (0, -0.2),
                (0.28, -0.42),
                (0.5, -0.18),
                (0.36, 0.1),
            ],
            paint,
        )


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


def sway(t: float, period: float, amount: float, phase: float = 0.0) -> float:
    """Return an angle that rocks to and fro."""
    return amount * wave(t, period, phase)
