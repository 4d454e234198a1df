"""The props room: skies and land that several scenes put on their stage. Characters stay with their scenes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from core.samples.colours import Colour, Paint, fade, mix
from core.samples.outlines import HEIGHT, WIDTH, land, outline, ridge
from core.samples.stage import Layer, Stage

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


def sun(s: Stage, x: float, y: float, r: float, paint: Paint, glow: Colour, light: float, strength: float = 1) -> None:
    """Draw a sun whose light reaches as far as `light`."""
    s.glow(x, y, light, glow, strength)
    s.ellipse(x, y, r, paint=paint)


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


def clouds(
    s: Stage,
    spots: str,
    paint: Paint,
    shade: Colour | None = None,
    drift: Sequence[float] = (0, 0),
    loop: tuple[float, float] = (1000, 180),
) -> None:
    """Draw clouds at "x,y,width …": the first has drifted by drift[0], each next one by drift[1] more.

    `loop` is after how many units they come again, and how far out on the left.
    """
    for k, (x, y, width) in enumerate(outline(spots).tolist()):
        cloud(s, (x + drift[0] + k * drift[1] + loop[1]) % loop[0] - loop[1], y, width, paint, shade)


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
            hem = [(half, foot), (half * 0.4, foot + 0.03), (0, foot), (-half * 0.4, foot + 0.03), (-half, foot)]
            s.polygon([(0, top), *hem], paint)
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
    swell = np.sin((x + t * speed) / length * 2 * np.pi)
    chop = np.sin((x - t * speed * 0.7) / length * 4.4 * np.pi)
    line = np.stack([x, top + crest * swell + crest * 0.45 * chop], axis=1)
    s.polygon(np.vstack([line, [[WIDTH + 16, HEIGHT + 10], [-8, HEIGHT + 10]]]), paint)
    if foam is not None:
        s.line(line, 1.6, foam, curved=False, caps=False)


# ---------------------------------------------------------------- streets
