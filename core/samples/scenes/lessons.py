"""To learn something: the alphabet, the volcano, the planets."""
# The formatter would put every point of every outline on a line of its own.
# fmt: off

from __future__ import annotations

import numpy as np

from core.samples.props import Draw, Play, cheeks, cloud, eyes, hills, puffs, smile, stars
from core.samples.sound import (
    Track,
    band,
    bass,
    bell,
    boing,
    brass,
    breathing,
    kick,
    music_box,
    pad,
    piano,
    pluck,
    pop,
    shape,
    strings,
    tom,
)
from core.samples.stage import (
    WIDTH,
    Gradient,
    Look,
    Stage,
    blink,
    clamp,
    ease,
    fade,
    mix,
    shot,
    sky,
    span,
    spring,
    wave,
)

# ---------------------------------------------------------------- the blocks


def _apple(s: Stage, t: float) -> None:
    s.blob(
        [(0, -26), (18, -34), (36, -20), (34, 12), (14, 32), (0, 28), (-14, 32), (-34, 12), (-36, -20), (-18, -34)],
        Gradient("#ff6a5a", "#d92f3f"),
    )
    s.ellipse(-20, -12, 6, 11, "#ffffff70", 20)
    s.taper([(0, -24), (2, -38), (8, -46)], 5, 4, "#6b3f26")
    s.blob([(6, -40), (22, -54), (36, -46), (22, -36)], "#6fbf4a")
    eyes(s, 0, -4, 26, 5, blink(t, 2.0))
    cheeks(s, 0, 8, 42, 6, "#ffb0a090")
    smile(s, 0, 9, 14, 6)


def _bear(s: Stage, t: float) -> None:
    for side in (-1, 1):
        s.ellipse(side * 27, -28, 14, paint="#9c6236")
        s.ellipse(side * 27, -28, 7, paint="#e0b080")
    s.ellipse(0, 0, 38, 34, Gradient("#c98a50", "#9c6236"))
    s.ellipse(0, 12, 18, 14, "#f2d6ae")
    s.ellipse(0, 6, 6, 4.5, "#3a2218")
    eyes(s, 0, -8, 32, 4.6, blink(t, 1.8, 0.6))
    cheeks(s, 0, 6, 54, 6)
    smile(s, 0, 14, 12, 5, "#3a2218")


def _car(s: Stage, t: float) -> None:
    s.blob([(-30, -2), (-20, -30), (18, -30), (32, -2)], Gradient("#4fc4d9", "#2b93b0"))
    s.blob([(-22, -4), (-15, -23), (-2, -23), (-2, -4)], "#dff7fb")
    s.blob([(4, -4), (4, -23), (15, -23), (23, -4)], "#dff7fb")
    s.rect(-46, -6, 92, 24, Gradient("#ffd04a", "#f2a02b"), 10)
    s.ellipse(41, 3, 4, 5, "#fff9d9")
    smile(s, 30, 8, 10, 4, "#8a4f1c")
    for x in (-24, 24):
        with s.at(x, 19, t * 300):
            s.ellipse(0, 0, 12, paint="#3a3346")
            s.ellipse(0, 0, 5, paint="#e8e2ea")
            s.rect(-1, -11, 2, 8, "#8a8494")


def abc_blocks(rng: np.random.Generator) -> Draw:
    nursery = Stage()
    nursery.backdrop(sky((0, "#bfe9f2"), (1, "#e2f6ee")))
    for x in range(30, WIDTH, 80):
        for y in range(30, 260, 64):
            cloud(nursery, x + (40 if (y // 64) % 2 else 0), y, 40, "#ffffff90")
    nursery.rect(0, 276, WIDTH, 90, Gradient("#ffd79a", "#f2b06b"))
    nursery.rect(0, 270, WIDTH, 8, "#ffffff")
    nursery.ellipse(320, 326, 270, 26, "#ff9fae")
    nursery.ellipse(320, 324, 236, 20, "#ffc2c4")
    for k in range(9):
        x = 30 + 72 * k
        nursery.line([(x - 36, 6), (x, 14), (x + 36, 6)], 1.4, "#8a6f8f")
        nursery.polygon(
            [(x - 17, 11), (x + 17, 11), (x, 40)], ("#ff7b6b", "#ffd04a", "#5fc49a", "#5fa8f0", "#c98ae8")[k % 5],
        )
    confetti = rng.random((46, 4))
    blocks = (
        (150, "A", "apple", "#ff7b6b", "#d94f4a", _apple, 0.3), (320, "B", "bear", "#4fb5e8", "#2b86c4", _bear, 1.0),
        (490, "C", "car", "#6fca6b", "#3f9a52", _car, 1.7),
    )

    def block(s: Stage, x: float, letter: str, ink: str, dark: str, u: float, lid: float) -> None:
        fall = clamp(u / 0.45)
        y = 318 - 400 * (1 - fall**2) - 46 * abs(
            np.sin(np.pi * span(u, 0.45, 0.85)),
        ) - 12 * abs(np.sin(np.pi * span(u, 0.85, 1.1)))
        squash = 0.28 * max(0, 1 - abs(u - 0.47) * 12) + 0.14 * max(0, 1 - abs(u - 0.87) * 12)
        with s.at(x, y, 0, 1 + squash, 1 - squash):
            s.polygon([(44, -88), (64, -102), (64, -14), (44, 0)], mix(dark, "#2b1f3f", 0.25))
            s.polygon([(-44, -88), (-24, -102), (64, -102), (44, -88)], mix(ink, "#ffffff", 0.4))
            if lid > 0:
                s.polygon([(-36, -89), (-20, -99), (56, -99), (40, -89)], mix(dark, "#1c1430", 0.6))
            s.rect(-44, -88, 88, 88, Gradient(mix(ink, "#ffffff", 0.12), ink), 9)
            s.rect(-35, -79, 70, 70, "#fff8ea", 7)
            s.text(0, -44, letter, 56, dark, bold=2.4)

    def draw(s: Stage, t: float) -> None:
        s.backdrop(nursery.image)
        for x, letter, word, ink, dark, toy, start in blocks:
            u = t - start
            lid = spring(span(t, 2.9 + start * 1.1, 3.7 + start * 1.1))
            opened = t > 2.9 + start * 1.1
            s.ellipse(x + 8, 320, 60 * clamp(u / 0.45), 7, "#b85f5f60")
            if u > 0:
                block(s, x, letter, ink, dark, u, lid if opened else 0)
            if opened:
                rise = 76 * lid + 5 * abs(wave(t, 0.7, x / 300))
                with s.at(
                    x + 8, 238 - rise, 6 * wave(t, 1.4, x / 300), 0.5 + 0.55 * lid,
                    (0.5 + 0.55 * lid) * (1 + 0.05 * wave(t, 0.7)),
                ):
                    toy(s, t)
                s.text(x, 340, word, 22 * lid, dark, bold=0.5)
        if t > 5.9:
            for x, y, when, turn in confetti:
                fall = (t - 5.9) * (130 + 90 * when)
                with s.at(
                    x * WIDTH + 14 * wave(t, 1, turn), fall - 220 * y, 360 * turn + t * 200, 1,
                    abs(wave(t, 0.8, when)) + 0.15,
                ):
                    s.rect(-5, -3, 10, 6, ("#ff7b6b", "#ffd04a", "#4fb5e8", "#6fca6b", "#c98ae8")[int(turn * 5)])

    return draw


def abc_blocks_score(track: Track) -> None:
    for start, note in ((0.3, "C4"), (1.0, "E4"), (1.7, "G4")):
        track.add(tom(140), start + 0.45, 0.6)
        track.add(tom(170), start + 0.86, 0.35)
        track.play(music_box, note, 0.4, start + 0.45, 0.4)
        track.add(boing(), 2.9 + start * 1.1, 0.3)
        track.add(pop(), 2.9 + start * 1.1, 0.5)
    track.play(music_box, "C5 C5 G5 G5 A5 A5 G5:2 F5 F5 E5 E5 D5 D5 C5:2 G5 G5 F5 F5 E5 E5 D5:2 C6:3", 0.28, 0.2, 0.28)
    track.play(
        pluck,
        "C3 E4+G4 C3 E4+G4 F3 A4+C5 C3 E4+G4 F3 A4+C5 C3 E4+G4 G3 B4+D5 C3 E4+G4 C3 E4+G4 F3 A4 G3 B4 C3 E4+G4:2", 0.28,
        0.2, 0.16,
    )
    for k in range(6):
        track.play(bell, "C7 E7 G7".split()[k % 3], 0.1, 5.9 + 0.22 * k, 0.09)


# ---------------------------------------------------------------- the volcano


def inside_a_volcano(rng: np.random.Generator) -> Draw:
    world = Stage()
    world.backdrop(sky((0, "#4a86a8"), (0.4, "#cfe0c9"), (0.5, "#f3e6c0"), (1, "#f3e6c0")))
    for x, y, wide in ((90, 60, 110), (540, 50, 130)):
        cloud(world, x, y, wide, "#fdf7e6")
    world.paste(hills(rng, 176, 16, Gradient("#8fb08c", "#7d9e80"), 0.6))
    layers = (
        (186, "#7a9a5a"), (194, "#a8784a"), (224, "#8f5f42"), (258, "#74483b"), (296, "#5a3634"), (334, "#42282e"),
    )
    for top, ink in layers:
        x = np.arange(-10, WIDTH + 20, 10.0)
        y = top + 4 * np.sin(x / 57 + top) + 2 * np.sin(x / 23 + top * 2) - 16 * np.exp(
            -(((x - 320) / 150) ** 2),
        ) * (top < 240)
        world.polygon(np.vstack([np.stack([x, y], 1), [[WIDTH + 20, 380], [-10, 380]]]), ink)
        for rx, ry, r in rng.uniform((0, top + 8, 1.5), (WIDTH, top + 30, 4), (26, 3)):
            world.ellipse(rx, ry, r * 1.5, r, mix(ink, "#2b1a1f", 0.18))
    for k, ink in enumerate(("#6b5560", "#84686a", "#9c7c70", "#b5917c")):
        inset = 26 * k
        world.blob(
            [(130 + inset, 190), (210 + inset * 0.7, 142 + 3 * k), (284 + inset * 0.2, 56 + 6 * k), (320, 50 + 12 * k),
            (356 - inset * 0.2, 56 + 6 * k), (430 - inset * 0.7, 142 + 3 * k), (510 - inset, 190), (320, 200)], ink,
        )
    world.polygon([(292, 46), (348, 46), (336, 66), (304, 66)], "#2b1a24")
    for x in (58, 78, 560, 590, 612):
        world.polygon([(x - 9, 186), (x, 156), (x + 9, 186)], "#4a7a52")
    ash, bombs, embers, bubbles = rng.random((30, 2)), rng.random((26, 3)), rng.random((40, 3)), rng.random((16, 3))

    def label(s: Stage, x: float, y: float, tx: float, ty: float, words: str, u: float) -> None:
        if u <= 0:
            return
        go, side = ease(u), 1 if x > tx else -1
        s.ellipse(tx, ty, 4.5, paint="#fff8e4")
        s.line([(tx, ty), (tx + (x - tx) * go, ty + (y - ty) * go)], 1.8, "#fff8e4", curved=False, caps=False)
        if go > 0.7:
            wide = 8.6 * len(words) + 18
            left = x if side > 0 else x - wide
            s.rect(left, y - 13, wide, 26, "#fff8e4", 6)
            s.text(left + wide / 2, y, words, 15, "#5a2b2f", bold=0.3)

    def magma(s: Stage, t: float, rise: float) -> None:
        beat = 1 + 0.03 * wave(t, 1.1)
        with s.at(320, 312, 0, beat, beat):
            s.blob(
                [(-120, 4), (-90, -30), (-20, -42), (50, -36), (118, -14), (108, 22), (30, 40), (-80, 34)], "#3a1420",
            )
            full = ease(span(t, 0.2, 2.6))
            s.blob(
                [(-112, 6), (-84, -24 * full), (-18, -36 * full), (48, -30 * full), (110, -10 * full), (100, 20),
                (28, 36), (-76, 30)], Gradient("#ffb03d", "#e8331c"),
            )
            s.blob([(-70, 10), (-40, -12 * full), (20, -16 * full), (70, 0), (30, 20), (-40, 18)], "#ffd96a90")
        for x, y, when in bubbles:
            up = (t * 0.5 + when) % 1
            s.ellipse(240 + 160 * x, 338 - 44 * up, 2 + 4 * y, paint=fade("#fff0a8", 1 - up))
        s.glow(320, 310, 170, "#ff6a1c", 0.55 + 0.1 * wave(t, 0.7))
        top = 276 - 216 * rise
        if rise > 0:
            left = [(308 + 5 * np.sin(y / 17), y) for y in np.linspace(282, top, 14)]
            right = [(332 + 5 * np.sin(y / 17 + 0.6) + 2 * wave(t, 0.5, y / 90), y) for y in np.linspace(top, 282, 14)]
            s.polygon(left + right, Gradient("#ffd35a", "#f2501c"))
            s.ellipse(320, top, 12, 6, "#ffe58a")
            s.glow(320, top, 70, "#ff8a2b", 0.8)

    def draw(s: Stage, t: float) -> None:
        number, u = shot(t, 5.2)
        s.backdrop(world.image)
        rise = ease(span(t, 2.4, 5.3))
        if number == 1:
            s.wash(fade("#3a1428", 0.62 * clamp(u * 1.5)))
        s.line([(320, 280), (312, 200), (322, 120), (320, 52)], 32, "#3a1e26")
        magma(s, t, rise)
        if number == 0:
            label(s, 470, 316, 390, 308, "magma chamber", span(t, 0.7, 1.4))
            label(s, 450, 236, 328, 236, "conduit", span(t, 2.5, 3.1))
            label(s, 430, 82, 336, 56, "crater", span(t, 3.9, 4.5))
            label(s, 190, 100, 262, 126, "ash and lava layers", span(t, 1.6, 2.3))
            s.rect(22, 318, 178, 28, "#2b1a24b0", 6)
            s.text(111, 332, "INSIDE A VOLCANO", 15, "#fff3d6", bold=0.3)
            s.shake(2.2 * span(t, 3.6, 5.2), t)
            return
        puffs(s, u + 0.6, 320, 50, ash, ("#3a2a35", "#5a3f48", "#2b1f2b", "#7a4a48"), 190, 120, 66, 1.5)
        for wide, tall, ink in ((34, 130, "#e8331c"), (22, 110, "#ff8a2b"), (11, 84, "#ffe27a")):
            h = tall * clamp(u * 3) * (0.85 + 0.15 * wave(t, 0.13))
            s.blob(
                [(320 - wide * 0.5, 58), (320 - wide, 58 - h * 0.6), (320 + 6 * wave(t, 0.17), 58 - h),
                (320 + wide, 58 - h * 0.55), (320 + wide * 0.5, 58)], ink,
            )
        for x, y, when in bombs:
            age = (u * 0.8 + when) % 1
            bx, by = 320 + (x - 0.5) * 620 * age, 56 - (300 + 160 * y) * age * (1 - age) * 1.5 + 150 * age**2
            s.glow(bx, by, 18, "#ff5a1c", 0.9)
            s.ellipse(bx, by, 3 + 3 * y, paint="#ffd96a")
        for side, far in ((-1, 150), (1, 170), (-1, 80)):
            go = ease(span(u, 0.4, 3.4))
            path = [
                (320 + side * (10 + far * go * k / 6),
                54 + 128 * go * (k / 6) ** 0.75 + 3 * wave(t, 0.6, k * 0.2)) for k in range(7)
            ]
            s.taper(path, 16, 12, "#e8331c")
            s.taper(path, 8, 5, "#ffb03d")
        s.glow(320, 60, 220, "#ff5a1c", 0.8 + 0.15 * wave(t, 0.21))
        for x, y, when in embers:
            age = (t * 0.5 + when) % 1
            s.ellipse((x * WIDTH + 30 * wave(t, 1.6, y)) % WIDTH, 370 - 390 * age, 1.5, paint=fade("#ff9a3c", 1 - age))
        label(s, 470, 120, 400, 128, "lava flow", span(u, 1.4, 2.0))
        s.shake(7 * (1 - 0.5 * clamp(u / 3)), t)

    return draw


def inside_a_volcano_score(track: Track) -> None:
    rng = track.rng
    track.add(breathing(band(rng, 9, 25, 110, 1.5), 1.1, 0.5), gain=0.8)
    for k in range(7):
        track.play(piano, "D2+A2", 0.6, 0.1 + 0.72 * k, 0.2 + 0.03 * k)
        track.play(pluck, "D5 F5 A5 F5".split()[k % 4], 0.3, 0.46 + 0.72 * k, 0.12)
    for at in (0.9, 1.8, 2.8, 4.2):
        track.play(bell, "A6", 0.1, at, 0.12)
    track.play(strings, "D3+F3:2 Eb3+G3:2 E3+G#3:2 F3+A3:2", 0.62, 0.3, 0.14)
    track.add(shape(band(rng, 3.8, 25, 1800, 1.3) * 2, 0.02, 1.5), 5.2, 1.9)
    for at in rng.uniform(5.2, 8.7, 11):
        track.add(kick(), at, 1.3)
    for k in range(12):
        track.add(tom(58), 5.2 + 0.31 * k, 0.9)
    track.play(brass, "D3+A3+D4:2 C3+G3+C4:2 Bb2+F3+Bb3:2 D3+A3+D4:4", 0.37, 5.2, 0.5)


# ---------------------------------------------------------------- the planets

_PLANETS = (
    (
        "Mercury", 52, 5, "#c9b5a3", 1.9,
    ), ("Venus", 76, 8, "#f2cf8a", 2.6), ("Earth", 104, 9, "#5fa8f0", 3.4), ("Mars", 132, 7, "#e4704a", 4.4),
    (
        "Jupiter", 180, 20, "#e0b08a", 7.0,
    ), ("Saturn", 228, 16, "#f2d9a0", 9.5), ("Uranus", 270, 12, "#8fe0e4", 13), ("Neptune", 306, 12, "#5f7ff0", 17),
)  # fmt: skip


def eight_planets(rng: np.random.Generator) -> Draw:
    space = Stage()
    space.backdrop(sky((0, "#0d0a2e"), (0.5, "#1a1050"), (1, "#2e1466")))
    for x, y, r, ink in ((120, 80, 190, "#5f1f8f"), (560, 290, 230, "#8f1f6f"), (420, 60, 140, "#1f4fa8")):
        space.glow(x, y, r, ink, 0.55)
    space.paste(stars(rng, 260))
    orbits = Stage(colour=None)
    for _, far, *_rest in _PLANETS:
        a = np.linspace(0, 2 * np.pi, 120)
        orbits.line(
            np.stack([320 + far * np.cos(a), 190 + far * 0.42 * np.sin(a)], 1), 0.8, "#b9a8ff60", curved=False,
            caps=False,
        )
    rings = orbits.layer()
    belt = np.column_stack([rng.uniform(0, 2 * np.pi, 90), rng.uniform(148, 158, 90), rng.uniform(0.5, 1.3, 90)])

    def planet(s: Stage, x: float, y: float, r: float, name: str, ink: str, t: float) -> None:
        s.glow(x, y, r * 3, ink, 0.4)
        if name == "Saturn":
            s.line(
                [(x + 2.1 * r * np.cos(a), y + 0.62 * r * np.sin(a)) for a in np.linspace(np.pi, 2 * np.pi, 16)],
                r * 0.24, "#d9b98a", caps=False,
            )
        s.ellipse(x, y, r, paint=Gradient(mix(ink, "#ffffff", 0.25), mix(ink, "#140a30", 0.4)))
        if name == "Jupiter":
            for dy, wide in ((-0.45, 0.85), (-0.05, 0.98), (0.38, 0.9)):
                s.rect(x - r * wide, y + dy * r, 2 * r * wide, r * 0.17, "#a8684a90", r * 0.08)
            s.ellipse(x + r * 0.35, y + r * 0.3, r * 0.22, r * 0.13, "#d9503f")
        if name == "Earth":
            for dx, dy, rx, ry in ((-0.25, -0.3, 0.42, 0.3), (0.35, 0.2, 0.3, 0.42), (-0.3, 0.5, 0.25, 0.18)):
                s.ellipse(x + dx * r, y + dy * r, rx * r, ry * r, "#5fbf6a")
        if name == "Saturn":
            s.line(
                [(x + 2.1 * r * np.cos(a), y + 0.62 * r * np.sin(a)) for a in np.linspace(0, np.pi, 16)], r * 0.24,
                "#f2dcae", caps=False,
            )
        if r > 30:
            eyes(s, x, y - r * 0.05, r * 0.6, r * 0.1, blink(t, 2.3), (0, 0))
            smile(s, x, y + r * 0.22, r * 0.34, r * 0.13, thick=r * 0.05)
            cheeks(s, x, y + r * 0.16, r * 0.95, r * 0.12, "#ff7f9f70")

    def sun(s: Stage, t: float) -> None:
        s.glow(320, 190, 120 + 6 * wave(t, 2.4), "#ff9a3c", 0.9)
        for k in range(12):
            with s.at(320, 190, k * 30 + t * 9):
                s.polygon([(-5, -29), (0, -39 - 3 * wave(t, 1.4, k * 0.2)), (5, -29)], "#ffb03d")
        s.ellipse(320, 190, 29, paint=Gradient("#fff0a0", "#ffb02b"))
        eyes(s, 320, 186, 18, 3.4, blink(t, 2.9))
        smile(s, 320, 194, 12, 5)
        cheeks(s, 320, 194, 32, 4)

    def draw(s: Stage, t: float) -> None:
        number, u = shot(t, 4.4)
        s.backdrop(space.image)
        if number == 0:
            s.paste(rings)
            a = belt[:, 0] + t * 0.12
            s.dots(320 + belt[:, 1] * np.cos(a), 190 + belt[:, 1] * 0.42 * np.sin(a), belt[:, 2] * 0.6, "#c9b5a3")
            places = [(*p, 1.9 * k + t * 2 * np.pi / (p[4] * 1.6)) for k, p in enumerate(_PLANETS)]
            shown = sorted(places, key=lambda p: np.sin(p[-1]))
            for name, far, r, ink, _, angle in [p for p in shown if np.sin(p[-1]) < 0]:
                planet(s, 320 + far * np.cos(angle), 190 + far * 0.42 * np.sin(angle), r * 0.9, name, ink, t)
            sun(s, t)
            for name, far, r, ink, _, angle in [p for p in shown if np.sin(p[-1]) >= 0]:
                planet(s, 320 + far * np.cos(angle), 190 + far * 0.42 * np.sin(angle), r * 1.05, name, ink, t)
            s.text(320, 34, "Eight planets, one star", 25 * ease(t * 1.4) + 1, fade("#fff3d6", clamp(t)), bold=0.4)
        else:
            s.glow(-40, 180, 260, "#ff9a3c", 0.9)
            s.ellipse(-120, 180, 170, paint=Gradient("#fff0a0", "#ffa02b"))
            travel = 1250 * ease(u / 4.6) * 1.0
            for k, (name, _, r, ink, _) in enumerate(_PLANETS):
                x, size = 130 + 205 * k - travel, 22 + r * 2.1
                if -120 < x < WIDTH + 120:
                    y = 176 + 9 * wave(t, 3.2, k * 0.23)
                    planet(s, x, y, size, name, ink, t + k * 0.4)
                    s.text(x, 286, name, 22, "#fff3d6", bold=0.4)
                    s.text(x, 312, f"number {k + 1}", 14, "#c9b8f0")

    return draw


def eight_planets_score(track: Track) -> None:
    for at, chord in ((0, "C3+G3+B3+E4"), (3, "A2+E3+G3+C4"), (6, "F2+C3+E3+A3")):
        track.play(pad, chord, 3, at, 0.2)
    track.play(bell, "C5 E5 G5 B5 D6 - C6:2 - A5 E5 C5 G5 - E6 - D6 B5 G5 - C6:2", 0.4, 0.2, 0.1, 0.3)
    for k in range(8):
        track.play(music_box, "C5 D5 E5 F5 G5 A5 B5 C6".split()[k], 0.4, 4.7 + 0.46 * k, 0.16, -0.3)
    track.play(bass, "C2:4 A1:4 F1:4", 0.75, 0, 0.25)
    track.room(0.6, 2.8)


PLAYS = {
    "abc-blocks": Play(abc_blocks, abc_blocks_score, 0.65, Look(grain=3, vignette=0.08)),
    "inside-a-volcano": Play(inside_a_volcano, inside_a_volcano_score, 0.95, Look(grain=4, vignette=0.3), hold=2),
    "eight-planets": Play(eight_planets, eight_planets_score, 0.38, Look(grain=4, vignette=0.3)),
}
