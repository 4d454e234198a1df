"""Four ads, to try where ads belong: boots, popcorn, tea, lemonade. Each ends with what it wants to say."""
# The formatter would put every point of every outline on a line of its own.
# fmt: off

from __future__ import annotations

import numpy as np

from core.samples.celluloid import Look
from core.samples.colours import fade
from core.samples.figures import figure
from core.samples.outlines import HEIGHT, WIDTH
from core.samples.playbill import Frames, play
from core.samples.props import cloud, hills, moon, stars, sun
from core.samples.stage import Stage
from core.samples.timing import clamp, ease, hop, span, spring, wave


def _slogan(s: Stage, words: str, t: float, ink: str, y: float = 62) -> None:
    """Write what the ad wants to say, from its third second on."""
    come = ease(span(t, 2.8, 3.4))
    if come > 0:
        s.text(WIDTH / 2, y + 12 * (1 - come), words, 34, fade(ink, come), bold=1.2)


@play("ad-boots", 0.45, Look(grain=3, vignette=0.2))
def boots(rng: np.random.Generator, frames: Frames) -> None:
    far, near = hills(rng, 210, 34, "#8fa6c4/#a9b6c8", 0.8), hills(rng, 262, 26, "#5f8f6a/#47735a", 1.0)
    for s, t in frames:
        s.backdrop(Stage.under((0, "#f6b98f"), (0.6, "#fde7c2"), (1, "#fdf3dc")).image)
        sun(s, 470, 190 - 14 * t, 34, "#fff2c9", "#ffcf8f", 190)
        s.scroll(far, -12 * t)
        s.scroll(near, -70 * t)
        for number, x in enumerate((250, 330)):
            u = wave(t, 1.3, number / 2)
            high = 318 - 34 * clamp(wave(t, 1.3, number / 2 + 0.25))
            s.placed(x + 46 * u, high, -14 * u, 0.9).draw(figure("boot"))
        _slogan(s, "Boots for the long way", t, "#5a3422")


@play("ad-popcorn", 0.7, Look(grain=3, vignette=0.1))
def popcorn(rng: np.random.Generator, frames: Frames) -> None:
    seeds = rng.random((26, 3))
    for s, t in frames:
        s.backdrop(Stage.under((0, "#ffd84f"), (1, "#ff9f43")).image)
        for a, b, c in seeds:
            u = (t * (0.7 + 0.5 * b) + c) % 1.4
            if u < 1:
                x, y = 320 + (a - 0.5) * 520 * u, 210 - 190 * (1 - (2 * u - 1) ** 2) * (0.5 + 0.6 * b)
                s.placed(x, y).draw(figure("popped-corn"))
        s.placed(320, 330, 4 * wave(t, 0.4), 1, 1 + 0.05 * hop(t, 0.4)).draw(figure("bucket"))
        _slogan(s, "Pop first, laugh later", t, "#a3271f", 52)


@play("ad-tea", 0.3, Look(grain=4, vignette=0.35))
def tea(rng: np.random.Generator, frames: Frames) -> None:
    sky, seeds = stars(rng, 160, 250), rng.random((22, 2))
    for s, t in frames:
        s.backdrop(Stage.under((0, "#141a44"), (0.7, "#3c3f7d"), (1, "#6b5b95")).image)
        s.paste(sky)
        moon(s, 572, 96, 28)
        s.rect(0, 300, WIDTH, 60, "#2b2450/#1d1838")
        for a, b in seeds:
            u = (t * 0.22 + a) % 1
            x = 320 + 70 * (b - 0.5) + 34 * u * wave(t, 3.1, b)
            s.ellipse(x, 214 - 170 * u, 2 + 7 * (1 - u), paint=fade("#e9e6ff", 0.3 * (1 - u)))
            if u > 0.6:
                s.glow(x, 214 - 170 * u, 16, "#fff1c4", 0.6)
        s.placed(320, 300).draw(figure("tea-cup"))
        _slogan(s, "Nothing has to happen", t, "#f6efff", 60)


@play("ad-fizz", 0.85, Look(grain=3, vignette=0.15), hold=1)
def fizz(rng: np.random.Generator, frames: Frames) -> None:
    lines, drops = rng.random((60, 2)), rng.random((40, 2))
    for s, t in frames:
        s.backdrop(Stage.under((0, "#1fb6ff"), (1, "#0b63ce")).image)
        go = clamp((t - 1.2) / 0.5)
        s.streaks((lines[:, 0] * 900 - t * 1500 * go) % 800 - 80, lines[:, 1] * HEIGHT, -90 * go - 4, 0, 2, "#ffffff70")
        shake = 5 * wave(t, 0.06) * (1 - go)
        for a, b in drops:
            u = (t * 2.2 + a) % 1
            s.ellipse(300 - 330 * u * go, 190 + 120 * (b - 0.5) * (0.4 + u), 4 * (1 - u) + 1, paint="#eaf8ff")
        place = (330 + shake + 40 * spring(go), 190 + 6 * wave(t, 0.21), 78 * ease(go), 1.15)
        s.placed(*place).draw(figure("can"))
        cloud(s, 90 - 220 * go, 300, 90, "#ffffffb0")
        _slogan(s, "Ready, steady, fizz", t, "#ffffff", 56)
