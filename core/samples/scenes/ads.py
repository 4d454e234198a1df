"""Four ads, to try where ads belong: boots, popcorn, tea, lemonade. Each ends with what it wants to say."""
# The formatter would put every point of every outline on a line of its own.
# fmt: off

from __future__ import annotations

import numpy as np

from core.samples.celluloid import Look
from core.samples.colours import fade
from core.samples.faces import eyes, smile
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


def _boot(s: Stage) -> None:
    s.blob("-26,-92 22,-92 24,-34 62,-20 70,2 -30,2", "#a5643a/#7d4526")
    s.rect(-32, 0, 104, 12, "#3b2a22", 5)
    s.line("-26,-80 22,-80", 5, "#5f3420")
    for k in range(4):
        s.line([(-4 + 6 * k, -62 + 12 * k), (20 + 6 * k, -66 + 12 * k)], 3, "#ffd9a0")


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
            with s.at(x + 46 * u, 318 - 34 * clamp(wave(t, 1.3, number / 2 + 0.25)), -14 * u, 0.9):
                _boot(s)
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
                for dx, dy in ((-6, 2), (5, 3), (0, -5)):
                    s.ellipse(x + dx, y + dy, 8, paint="#fff8e2")
                s.ellipse(x, y + 2, 3, paint="#f0c060")
        with s.at(320, 330, 4 * wave(t, 0.4), 1, 1 + 0.05 * hop(t, 0.4)):
            s.polygon("-78,-132 78,-132 56,0 -56,0", "#f4f0ea")
            for k in range(-2, 3, 2):
                s.polygon([(k * 31 - 16, -132), (k * 31 + 16, -132), (k * 22 + 12, 0), (k * 22 - 12, 0)], "#e0413a")
            eyes(s, 0, -82, 46, 9)
            smile(s, 0, -52, 32, 18)
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
        with s.at(320, 300):
            s.ellipse(0, 6, 112, 12, "#d8d2f0")
            s.blob("-70,-84 70,-84 58,-20 30,4 -30,4 -58,-20", "#f5f1ff/#b9b0dc")
            s.ellipse(0, -84, 70, 12, "#7a4b2c")
            s.line("68,-70 100,-66 92,-34 60,-32", 9, "#d6cfee")
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
        with s.at(330 + shake + 40 * spring(go), 190 + 6 * wave(t, 0.21), 78 * ease(go), 1.15):
            s.rect(-40, -84, 80, 168, "#ffe24a/#ffb300", 14)
            s.rect(-34, -92, 68, 12, "#d5dce4", 5)
            s.polygon("8,-52 -24,10 -4,10 -12,54 26,-14 4,-14 18,-52", "#e6352b")
        cloud(s, 90 - 220 * go, 300, 90, "#ffffffb0")
        _slogan(s, "Ready, steady, fizz", t, "#ffffff", 56)
