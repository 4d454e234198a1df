"""To learn something: the alphabet, the volcano, the planets."""
# The formatter would put every point of every outline on a line of its own.
# fmt: off

from __future__ import annotations

import numpy as np

from core.samples.celluloid import Look
from core.samples.colours import Gradient, fade, mix
from core.samples.figures import figure
from core.samples.outlines import WIDTH
from core.samples.playbill import Frames, play
from core.samples.props import cloud, clouds, hills, stars
from core.samples.stage import Stage
from core.samples.timing import clamp, ease, shot, span, spring, wave
from core.samples.weather import confetti, embers, puffs


def _block(s: Stage, x: float, letter: str, ink: str, dark: str, u: float, lid: float) -> None:
    """Draw a wooden block that falls, bounces twice, and opens (lid above 0)."""
    fall = 400 * (1 - clamp(u / 0.45) ** 2)
    bounce = 46 * abs(np.sin(np.pi * span(u, 0.45, 0.85))) + 12 * abs(np.sin(np.pi * span(u, 0.85, 1.1)))
    squash = 0.28 * max(0, 1 - abs(u - 0.47) * 12) + 0.14 * max(0, 1 - abs(u - 0.87) * 12)
    with s.at(x, 318 - fall - bounce, 0, 1 + squash, 1 - squash):
        side, roof, inside = (mix(*tone) for tone in (
            (dark, "#2b1f3f", 0.25), (ink, "#ffffff", 0.4), (dark, "#1c1430", 0.6)))
        figure("block")(s, 0, lid, side, roof, inside, Gradient(mix(ink, "#ffffff", 0.12), ink))
        s.text(0, -44, letter, 56, dark, bold=2.4)


@play("abc-blocks", 0.65, Look(grain=3, vignette=0.08))
def abc_blocks(rng: np.random.Generator, frames: Frames) -> None:
    nursery = Stage.under((0, "#bfe9f2"), (1, "#e2f6ee"))
    for x in range(30, WIDTH, 80):
        for y in range(30, 260, 64):
            cloud(nursery, x + (40 if (y // 64) % 2 else 0), y, 40, "#ffffff90")
    figure("nursery")(nursery)
    slips = rng.random((46, 4))
    blocks = (
        (150, "A", "apple", "#ff7b6b", "#d94f4a", 0.3), (320, "B", "bear", "#4fb5e8", "#2b86c4", 1.0),
        (490, "C", "car", "#6fca6b", "#3f9a52", 1.7),
    )
    for s, t in frames:
        s.backdrop(nursery.image)
        for x, letter, word, ink, dark, start in blocks:
            u, opens = t - start, 2.9 + start * 1.1
            lid = spring(span(t, opens, opens + 0.8)) if t > opens else 0
            s.ellipse(x + 8, 320, 60 * clamp(u / 0.45), 7, "#b85f5f60")
            if u > 0:
                _block(s, x, letter, ink, dark, u, lid)
            if t > opens:
                size, high = 0.5 + 0.55 * lid, 238 - 76 * lid - 5 * abs(wave(t, 0.7, x / 300))
                turn = 6 * wave(t, 1.4, x / 300)
                s.placed(x + 8, high, turn, size, size * (1 + 0.05 * wave(t, 0.7))).draw(figure(word), t)
                s.text(x, 340, word, 22 * lid, dark, bold=0.5)
        if t > 5.9:
            confetti(s, slips, t - 5.9, t, ("#ff7b6b", "#ffd04a", "#4fb5e8", "#6fca6b", "#c98ae8"))


def _cut_through(rng: np.random.Generator) -> Stage:
    """Return the earth under a volcano, cut open."""
    s = Stage.under((0, "#4a86a8"), (0.4, "#cfe0c9"), (0.5, "#f3e6c0"), (1, "#f3e6c0"))
    clouds(s, "90,60,110 540,50,130", "#fdf7e6")
    s.paste(hills(rng, 176, 16, "#8fb08c/#7d9e80", 0.6))
    for top, ink in ((186, "#7a9a5a"), (194, "#a8784a"), (224, "#8f5f42"), (258, "#74483b"), (296, "#5a3634"),
                     (334, "#42282e")):
        x = np.arange(-10, WIDTH + 20, 10.0)
        y = top + 4 * np.sin(x / 57 + top) + 2 * np.sin(x / 23 + top * 2)
        if top < 240:
            y -= 16 * np.exp(-(((x - 320) / 150) ** 2))
        s.polygon(np.vstack([np.stack([x, y], 1), [[WIDTH + 20, 380], [-10, 380]]]), ink)
        for rx, ry, r in rng.uniform((0, top + 8, 1.5), (WIDTH, top + 30, 4), (26, 3)):
            s.ellipse(rx, ry, r * 1.5, r, mix(ink, "#2b1a1f", 0.18))
    figure("volcano")(s)
    return s


def _label(s: Stage, x: float, y: float, tx: float, ty: float, words: str, u: float) -> None:
    """Point from (tx, ty) to words at (x, y); `u` from 0 to 1 lets them come."""
    if u <= 0:
        return
    go, wide = ease(u), 8.6 * len(words) + 18
    s.ellipse(tx, ty, 4.5, paint="#fff8e4")
    s.stroke([(tx, ty), (tx + (x - tx) * go, ty + (y - ty) * go)], 1.8, "#fff8e4")
    if go > 0.7:
        left = x if x > tx else x - wide
        s.rect(left, y - 13, wide, 26, "#fff8e4", 6)
        s.text(left + wide / 2, y, words, 15, "#5a2b2f", bold=0.3)


def _magma(s: Stage, t: float, rise: float, bubbles: np.ndarray) -> None:
    beat, full = 1 + 0.03 * wave(t, 1.1), ease(span(t, 0.2, 2.6))
    with s.at(320, 312, 0, beat, beat):
        figure("magma-chamber")(s, t, full)
    for x, y, when in bubbles:
        up = (t * 0.5 + when) % 1
        s.ellipse(240 + 160 * x, 338 - 44 * up, 2 + 4 * y, paint=fade("#fff0a8", 1 - up))
    s.glow(320, 310, 170, "#ff6a1c", 0.55 + 0.1 * wave(t, 0.7))
    if rise > 0:
        top = 276 - 216 * rise
        left = [(308 + 5 * np.sin(y / 17), y) for y in np.linspace(282, top, 14)]
        right = [(332 + 5 * np.sin(y / 17 + 0.6) + 2 * wave(t, 0.5, y / 90), y) for y in np.linspace(top, 282, 14)]
        s.polygon(left + right, "#ffd35a/#f2501c")
        s.ellipse(320, top, 12, 6, "#ffe58a")
        s.glow(320, top, 70, "#ff8a2b", 0.8)


def _eruption(s: Stage, t: float, u: float, ash: np.ndarray, bombs: np.ndarray) -> None:
    puffs(s, u + 0.6, 320, 50, ash, ("#3a2a35", "#5a3f48", "#2b1f2b", "#7a4a48"), 190, 120, 66, 1.5)
    for wide, tall, ink in ((34, 130, "#e8331c"), (22, 110, "#ff8a2b"), (11, 84, "#ffe27a")):
        h = tall * clamp(u * 3) * (0.85 + 0.15 * wave(t, 0.13))
        tongue = [(-wide * 0.5, 0), (-wide, -h * 0.6), (6 * wave(t, 0.17), -h), (wide, -h * 0.55), (wide * 0.5, 0)]
        s.placed(320, 58).blob(tongue, ink)
    for x, y, when in bombs:
        age = (u * 0.8 + when) % 1
        with s.at(320 + (x - 0.5) * 620 * age, 56 - (300 + 160 * y) * age * (1 - age) * 1.5 + 150 * age**2):
            s.glow(0, 0, 18, "#ff5a1c", 0.9)
            s.ellipse(0, 0, 3 + 3 * y, paint="#ffd96a")
    go = ease(span(u, 0.4, 3.4))
    for way in (-150, 170, -80):
        path = [(320 + (10 if way > 0 else -10) + way * go * k / 6,
                 54 + 128 * go * (k / 6) ** 0.75 + 3 * wave(t, 0.6, k * 0.2)) for k in range(7)]
        s.taper(path, 16, 12, "#e8331c")
        s.taper(path, 8, 5, "#ffb03d")
    s.glow(320, 60, 220, "#ff5a1c", 0.8 + 0.15 * wave(t, 0.21))


@play("inside-a-volcano", 0.95, Look(grain=4, vignette=0.3))
def inside_a_volcano(rng: np.random.Generator, frames: Frames) -> None:
    world = _cut_through(rng)
    ash, bombs, sparks, bubbles = rng.random((30, 2)), rng.random((26, 3)), rng.random((40, 3)), rng.random((16, 3))
    for s, t in frames:
        number, u = shot(t, 5.2)
        s.backdrop(world.image)
        if number == 1:
            s.wash(fade("#3a1428", 0.62 * clamp(u * 1.5)))
        s.line("320,280 312,200 322,120 320,52", 32, "#3a1e26")
        _magma(s, t, ease(span(t, 2.4, 5.3)), bubbles)
        if number == 0:
            _label(s, 470, 316, 390, 308, "magma chamber", span(t, 0.7, 1.4))
            _label(s, 450, 236, 328, 236, "conduit", span(t, 2.5, 3.1))
            _label(s, 430, 82, 336, 56, "crater", span(t, 3.9, 4.5))
            _label(s, 190, 100, 262, 126, "ash and lava layers", span(t, 1.6, 2.3))
            figure("caption-of-the-volcano")(s)
            s.shake(2.2 * span(t, 3.6, 5.2), t)
        else:
            _eruption(s, t, u, ash, bombs)
            embers(s, sparks, t * 0.5, (0, WIDTH), (370, -20), "#ff9a3c", 1.5)
            _label(s, 470, 120, 400, 128, "lava flow", span(u, 1.4, 2.0))
            s.shake(7 * (1 - 0.5 * clamp(u / 3)), t)


_PLANETS = (
    ("Mercury", 52, 5, "#c9b5a3", 1.9), ("Venus", 76, 8, "#f2cf8a", 2.6), ("Earth", 104, 9, "#5fa8f0", 3.4),
    ("Mars", 132, 7, "#e4704a", 4.4), ("Jupiter", 180, 20, "#e0b08a", 7.0), ("Saturn", 228, 16, "#f2d9a0", 9.5),
    ("Uranus", 270, 12, "#8fe0e4", 13.0), ("Neptune", 306, 12, "#5f7ff0", 17.0),
)
"""Name, distance from the sun, radius, colour, and seconds a turn."""


def _planet(s: Stage, r: float, name: str, ink: str, t: float) -> None:
    def half_ring(start: float, colour: str) -> None:
        arc = np.linspace(start, start + np.pi, 16)
        s.line(np.stack([2.1 * r * np.cos(arc), 0.62 * r * np.sin(arc)], 1), r * 0.24, colour, caps=False)

    s.glow(0, 0, r * 3, ink, 0.4)
    if name == "Saturn":
        half_ring(np.pi, "#d9b98a")
    s.ellipse(0, 0, r, paint=Gradient(mix(ink, "#ffffff", 0.25), mix(ink, "#140a30", 0.4)))
    if name in ("Jupiter", "Earth"):
        s.placed(0, 0, 0, r).draw(figure(name.lower()))
    if name == "Saturn":
        half_ring(0, "#f2dcae")
    if r > 30:
        s.placed(0, 0, 0, r).draw(figure("planet-face"), t)


@play("eight-planets", 0.38, Look(grain=4, vignette=0.3))
def eight_planets(rng: np.random.Generator, frames: Frames) -> None:
    space = Stage.under((0, "#0d0a2e"), (0.5, "#1a1050"), (1, "#2e1466"))
    figure("nebulae")(space)
    space.paste(stars(rng, 260))
    orbits = Stage(colour=None)
    turn = np.linspace(0, 2 * np.pi, 120)
    for _, far, *_rest in _PLANETS:
        orbits.stroke(np.stack([320 + far * np.cos(turn), 190 + far * 0.42 * np.sin(turn)], 1), 0.8, "#b9a8ff60")
    rings = orbits.layer()
    belt = np.column_stack([rng.uniform(0, 2 * np.pi, 90), rng.uniform(148, 158, 90), rng.uniform(0.5, 1.3, 90)])
    for s, t in frames:
        number, u = shot(t, 4.4)
        s.backdrop(space.image)
        if number == 0:
            s.paste(rings)
            a = belt[:, 0] + t * 0.12
            s.dots(320 + belt[:, 1] * np.cos(a), 190 + belt[:, 1] * 0.42 * np.sin(a), belt[:, 2] * 0.6, "#c9b5a3")
            angles = [1.9 * k + t * 2 * np.pi / (planet[4] * 1.6) for k, planet in enumerate(_PLANETS)]
            heights = [*np.sin(angles), 0.0]
            for k in np.argsort(heights).tolist():  # the sun, the last of them, stands at height 0
                if k == len(_PLANETS):
                    s.placed(320, 190).draw(figure("sun"), t)
                    continue
                name, far, r, ink, _ = _PLANETS[k]
                place = (320 + far * np.cos(angles[k]), 190 + far * 0.42 * heights[k])
                s.placed(*place).draw(_planet, r * (1.05 if heights[k] > 0 else 0.9), name, ink, t)
            s.text(320, 34, "Eight planets, one star", 25 * ease(t * 1.4) + 1, fade("#fff3d6", clamp(t)), bold=0.4)
        else:
            s.glow(-40, 180, 260, "#ff9a3c", 0.9)
            s.ellipse(-120, 180, 170, paint="#fff0a0/#ffa02b")
            for k, (name, _, r, ink, _) in enumerate(_PLANETS):
                left = 130 + 205 * k - 1250 * ease(u / 4.6)
                if -120 < left < WIDTH + 120:
                    s.placed(left, 176 + 9 * wave(t, 3.2, k * 0.23)).draw(_planet, 22 + r * 2.1, name, ink, t + k * 0.4)
                    s.text(left, 286, name, 22, "#fff3d6", bold=0.4)
                    s.text(left, 312, f"number {k + 1}", 14, "#c9b8f0")
