"""Out of doors: the fox, the thunderstorm, the bee, the sky whale, the lantern fish."""
# The formatter would put every point of every outline on a line of its own.
# fmt: off

from __future__ import annotations

import numpy as np

from core.samples.props import (
    Draw,
    Play,
    cheeks,
    cloud,
    eyes,
    hills,
    moon,
    pine,
    rainfall,
    smile,
    snowfall,
    stars,
    sway,
    tree,
)
from core.samples.sound import (
    RATE,
    Track,
    band,
    bell,
    breathing,
    flute,
    glide,
    music_box,
    pad,
    piano,
    pluck,
    rain,
    shape,
    strings,
    thunder,
)
from core.samples.stage import (
    HEIGHT,
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
    wave,
)

# ---------------------------------------------------------------- the fox

_FUR, _FUR_DARK, _SOCK, _CREAM = "#e2702f", "#b94f22", "#3b2430", "#fff1e0"


def _trotting_fox(s: Stage, x: float, y: float, t: float) -> None:
    """Draw the fox from the side, its feet on y."""
    lift = abs(wave(t, 1.1)) * 3
    with s.at(x, y - lift):
        for hip, phase, ink in ((38, 0.5, _FUR_DARK), (-32, 0.0, _FUR_DARK), (30, 0.0, _FUR), (-40, 0.5, _FUR)):
            swing, up = wave(t, 1.1, phase), max(0.0, wave(t, 1.1, phase + 0.25))
            foot = (hip + 16 * swing, -5 * up + lift)
            s.taper([(hip, -36), (hip + 5 * swing - 2, -18), foot], 16, 7, ink)
            s.taper([(hip + 10 * swing, -13 + lift), foot, (foot[0] + 4, foot[1])], 7, 6, _SOCK)
        w = 5 * wave(t, 1.1, 0.2)
        s.blob(
            [(-40, -52), (-66, -60 + w), (-102, -54 + 2 * w), (-128, -34 + 2 * w), (-98, -30 + w), (-62, -38)],
            Gradient(_FUR, _FUR_DARK),
        )
        s.blob(
            [(-100, -52 + 2 * w), (-116, -45 + 2 * w), (-129, -33 + 2 * w), (-108, -32 + 1.6 * w), (-98, -40 + 2 * w)],
            _CREAM,
        )
        s.blob(
            [(-50, -50), (-24, -60), (16, -58), (46, -62), (56, -44), (40, -26), (0, -26), (-36, -25)],
            Gradient(_FUR, _FUR_DARK),
        )
        s.blob([(40, -56), (56, -50), (50, -30), (34, -26), (34, -40)], _CREAM)
        with s.at(58, -68, sway(t, 1.1, 3)):
            s.polygon([(-14, -8), (-13, -36), (3, -14)], _FUR_DARK)
            s.polygon([(-4, -12), (2, -38), (13, -12)], _FUR)
            s.polygon([(0, -15), (3, -31), (9, -14)], _SOCK)
            s.blob([(-20, -4), (-8, -17), (10, -15), (22, -3), (40, 6), (38, 12), (16, 18), (-10, 16)], _FUR)
            s.blob([(-12, 8), (10, 3), (24, 5), (40, 8), (36, 13), (14, 19), (-8, 17)], _CREAM)
            s.ellipse(40, 7, 4, 3.3, _SOCK)
            s.ellipse(11, -2, 3, 3.6 * blink(t), _SOCK)
            s.ellipse(12, -3.4, 1.1, 1.1, "#ffffff")


def _sitting_fox(s: Stage, x: float, y: float, t: float) -> None:
    """Draw the fox from the front, looking up now and then."""
    breath = 1 + 0.012 * wave(t, 2.4)
    with s.at(x, y):
        w = 6 * wave(t, 3.0)
        s.taper([(40, -12), (92, -14), (116, -50 + w), (96, -88 + w)], 34, 30, _FUR_DARK)
        s.blob([(82, -82 + w), (96, -112 + w), (112, -84 + w), (106, -66 + w), (88, -68 + w)], _CREAM)
        with s.at(sy=breath):
            s.blob(
                [(-30, -118), (30, -118), (54, -60), (58, -6), (0, 2), (-58, -6), (-54, -60)],
                Gradient(_FUR, _FUR_DARK),
            )
            s.blob([(-24, -112), (24, -112), (20, -50), (0, -22), (-20, -50)], _CREAM)
        for side in (-1, 1):
            s.taper([(side * 16, -60), (side * 17, -20), (side * 19, -1)], 20, 17, _FUR)
            s.ellipse(side * 20, -2, 13, 7, _SOCK)
        with s.at(0, -136 - 2 * wave(t, 2.4), sway(t, 5, 4, 0.1)):
            twitch = 8 * max(0.0, wave(t, 2.2)) ** 8
            for side in (-1, 1):
                with s.at(side * 32, -26, side * (8 + twitch)):
                    s.polygon([(-20, 10), (0, -46), (20, 10)], _FUR)
                    s.polygon([(-10, 6), (0, -30), (10, 6)], _SOCK)
            s.blob(
                [(0, -42), (34, -34), (58, 0), (34, 22), (0, 42), (-34, 22), (-58, 0), (-34, -34)],
                Gradient("#ee8440", _FUR),
            )
            for side in (-1, 1):
                s.blob([(side * 3, 40), (side * 12, 8), (side * 40, 4), (side * 60, 2), (side * 34, 25)], _CREAM)
            s.ellipse(0, 38, 7, 5.5, _SOCK)
            eyes(s, 0, 2, 44, 7, blink(t, 2.1, 0.6), (0, -0.6), _SOCK)
            cheeks(s, 0, 20, 66, 8, "#ff8f7a80")


def snow_fox(rng: np.random.Generator) -> Draw:
    far = hills(
        rng, 236, 20, Gradient("#6a6398", "#8f80ab"), 0.7, dress=lambda s, x,
        y: pine(s, x, y, rng.uniform(50, 90), "#565288"), every=15,
    )
    middle = hills(
        rng, 262, 14, Gradient("#a9a2cb", "#c9bfdc"), 0.2, 960, lambda s, x,
        y: pine(s, x, y, rng.uniform(80, 150), "#3d3d6b", "#d9d5ee"), 52,
    )
    near = hills(rng, 300, 6, Gradient("#f3ecf6", "#b9b3d6"), 0, 960, shadow=0.3)
    birches = Stage(1100, HEIGHT, None)
    for x in (60, 300, 470, 820, 1000):
        birches.taper([(x, -20), (x + 6, 160), (x - 2, 352)], 20, 32, Gradient("#d9d2e6", "#f5eff5"))
        for y in range(10, 340, 38):
            shift = rng.uniform(-6, 4)
            birches.line([(x + shift - 3, y), (x + shift + 6, y + 2)], 3, "#4a4463")
    trunks, flakes = birches.layer(0.3), rng.random((90, 3))
    scenery = Stage()
    scenery.backdrop(sky((0, "#2d3561"), (0.45, "#7d6b9e"), (0.7, "#f0a58f"), (1, "#f6d1b0")))
    scenery.paste(stars(rng, 40, 120))
    moon(scenery, 500, 70, 22)

    def draw(s: Stage, t: float) -> None:
        number, u = shot(t, 4.6)
        s.backdrop(scenery.image)
        if number == 0:
            for layer, speed in ((far, 5), (middle, 16), (near, 48)):
                s.scroll(layer, t * speed)
            s.ellipse(330, 322, 74, 7, "#7f78ad70")
            _trotting_fox(s, 322 + 6 * u, 322, t)
            s.scroll(trunks, t * 72)
        else:
            s.paste(far, -60)
            s.scroll(middle, 300 + u * 3)
            s.paste(near, 0, 12)
            s.ellipse(300, 338, 130, 10, "#7f78ad70")
            _sitting_fox(s, 290, 336, u)
            s.camera(1.1 + 0.03 * u, 320, 200)
        snowfall(s, flakes, t)

    return draw


def snow_fox_score(track: Track) -> None:
    track.add(breathing(band(track.rng, 8, 150, 700, 1), 4.5), gain=0.18)
    for at, chord in ((0, "D3+A3+F#4"), (4, "G3+B3+D4")):
        track.play(pad, chord, 4, at, 0.16)
    track.play(music_box, "D5 - A5 F#5 - E5 D5 - B4 - D5 G5 - F#5 D5 -", 0.5, 0.3, 0.2, 0.2)
    track.room(0.35, 2.2)


# ---------------------------------------------------------------- the thunderstorm


def _deer(s: Stage, x: float, y: float, alarm: float, t: float) -> None:
    """Draw a deer that grazes, and looks up when alarmed (0 to 1)."""
    coat, pale = "#a8683c", "#f0d3a8"
    with s.at(x, y, sx=-1, sy=1):
        for hip in (-24, -17, 18, 25):
            s.taper([(hip, -44), (hip + 1, -22), (hip, 0)], 9, 4, "#7e4a2c" if hip in (-17, 18) else coat)
        s.blob(
            [(-34, -58), (-10, -64), (18, -62), (34, -52), (26, -38), (-8, -36), (-32, -42)], Gradient("#c17e4c", coat),
        )
        s.ellipse(-35, -54, 5, 8, pale, 20)
        for dx, dy in ((-16, -56), (-6, -59), (5, -57), (-12, -49), (0, -51)):
            s.ellipse(dx, dy, 1.8, paint=pale)
        head = (36 + 14 * (1 - alarm), -40 - 56 * alarm + 12 * (1 - alarm) + wave(t, 1.2) * 2 * (1 - alarm))
        s.taper([(24, -52), ((24 + head[0]) / 2 + 4, (head[1] - 52) / 2), head], 18, 11, coat)
        with s.at(*head, 50 * (1 - alarm)):
            for side in (-1, 1):
                s.ellipse(-4 + side * 5, -12, 3.4, 8, coat, side * 32)
                s.line([(-2 + side * 3, -8), (side * 9, -24), (side * 7, -38)], 2.4, "#6b4630")
                s.line([(side * 8, -22), (side * 16, -31)], 2, "#6b4630")
            s.blob([(-9, -7), (6, -9), (22, 1), (20, 7), (2, 8), (-9, 4)], "#c17e4c")
            s.ellipse(21, 3, 3, 2.6, "#2b1d1d")
            s.ellipse(4, -2, 2.2, 2.6, "#2b1d1d")


def _bolt(s: Stage, rng_points: np.ndarray, flash: float) -> None:
    s.line(rng_points, 9, fade("#9db8ff", 0.35 * flash), curved=False, caps=False)
    s.line(rng_points, 3.2, mix("#b9c8ff", "#ffffff", flash), curved=False, caps=False)


def before_the_thunder(rng: np.random.Generator) -> Draw:
    fair, foul = Stage(), sky((0, "#05060f"), (0.55, "#1b2038"), (1, "#33304a"))
    fair.backdrop(sky((0, "#8cc7c4"), (0.6, "#f6e3ae"), (1, "#f9efc9")))
    fair.glow(500, 70, 170, "#fff2b0", 0.8)
    fair.ellipse(500, 70, 26, paint="#fff8d8")
    sunny, stormy = [], []
    for base, light, dark in ((214, "#8dbf9c", "#161b2e"), (252, "#5a9a74", "#0f1424"), (292, "#3c7a56", "#0a0d1a")):
        seed = int(rng.integers(1 << 30))
        for inks, lift, kept in (((light, "#f0e6a8"), 0.08, sunny), ((dark, dark), 0.02, stormy)):
            own = np.random.default_rng(seed)

            def plant(s: Stage, x: float, y: float, own: np.random.Generator = own, ink: str = inks[0],
                      lift: float = lift) -> None:
                kind, size = own.random(), own.uniform(55, 105)
                if kind < 0.6:
                    pine(s, x, y, size, ink)
                else:
                    tree(s, x, y, size, (ink, mix(ink, "#ffffff", lift), mix(ink, "#ffffff", 2 * lift)), "#2b2530")

            kept.append(hills(own, base, 10, Gradient(inks[0], mix(*inks, 0.25)), 0, 700, plant, 34, 0.0))
    drops = rng.random((160, 3))
    bolts = [
        np.stack([x + np.cumsum(rng.normal(0, 16, 12)), np.linspace(-5, 255, 12)], axis=1) for x in (170, 420, 300)
    ]

    def draw(s: Stage, t: float) -> None:
        number, u = shot(t, 3.6, 5.4, 6.9)
        if number == 0:
            dusk = ease(span(t, 2.6, 3.6))
            s.backdrop(fair.image)
            for layer, speed in zip(sunny, (2, 5, 9), strict=True):
                s.paste(layer, -20 - t * speed)
            for k in range(4):
                s.polygon([(500 - k * 60, 40), (470 - k * 120, 360), (430 - k * 120, 360)], "#fff6c418")
            _deer(s, 330, 318, ease(span(t, 2.5, 2.8)), t)
            s.wash(fade("#0b1028", 0.55 * dusk))
            s.camera(1.05 + 0.02 * t, 320, 200)
            return
        flash = max((clamp(1 - abs(u - at) * 9) for at in ((0.15, 1.1), (0.5,), (0.1, 0.8))[number - 1]), default=0)
        s.backdrop(foul)
        s.wash(fade("#8a9cff", 0.55 * flash))
        gust = 9 * wave(t, 0.35)
        if flash > 0.15 and number != 2:
            _bolt(s, bolts[number - 1], flash)
        for k, layer in enumerate(stormy):
            s.paste(layer, -30 + gust * (k + 1) * 0.3, 0)
        if number == 2:
            s.rect(0, 0, WIDTH, HEIGHT, fade("#070912", 0.6))
            with s.at(430, 420, sx=3.1):
                _deer(s, 0, 0, 1, t)
            s.wash(fade("#0a1030", 0.5 * (1 - flash)))
        s.wash(fade("#dfe6ff", 0.5 * flash**3))
        rainfall(s, drops, t, 900, -0.35, "#c8d4ff80")
        s.ellipse(320, 372, 400, 34, "#04050c90")
        if number == 3:
            s.glow(300, 230, 200 + 16 * wave(t, 0.13), "#ff5a1c", 0.9)
            s.taper([(300, 330), (296, 250), (302, 176)], 20, 9, "#120a10")
            s.taper([(298, 250), (334, 214), (344, 184)], 9, 3, "#120a10")
            s.taper([(298, 268), (266, 236), (258, 210)], 9, 3, "#120a10")
            for wide, tall, ink in ((1.0, 1.0, "#e8331c"), (0.68, 0.72, "#ff8a2b"), (0.36, 0.44, "#ffe27a")):
                for k, (x, y, size) in enumerate(
                    ((300, 196, 62), (344, 194, 36), (258, 218, 34), (318, 244, 30), (284, 262, 28)),
                ):
                    high = size * tall * (1 + 0.2 * wave(t, 0.17 + 0.02 * k, k * 0.3))
                    half = size * 0.34 * wide
                    s.blob(
                        [(x - half, y), (x - half * 0.7, y - high * 0.4), (x + 3, y - high),
                        (x + half * 0.8, y - high * 0.35), (x + half, y), (x, y + half * 0.6)], ink,
                    )
            for x, y, when in drops[:24]:
                age = (t * 0.7 + when) % 1
                s.ellipse(250 + 110 * x + 30 * wave(t, 1.1, y), 260 - 230 * age, 1.6, paint=fade("#ffb03d", 1 - age))
        s.shake(3.5 * (0.3 + flash), t)

    return draw


def before_the_thunder_score(track: Track) -> None:
    rng = track.rng
    for at in (0.2, 0.9, 1.3, 2.1):
        for k in range(3):
            track.add(glide(2600 + 300 * k, 3300, 0.08), at + 0.1 * k, 0.12, rng.uniform(-0.8, 0.8))
    track.play(flute, "G4 B4 D5:2", 0.6, 0.2, 0.14)
    track.add(breathing(band(rng, 5.4, 80, 1500, 1), 0.9, 0.5), 3.1, 0.9)
    track.add(rain(rng, 4.9, 1), 3.6, 0.8)
    for at in (3.65, 4.6, 5.9, 7.0, 7.7):
        track.add(thunder(rng, 2.5), at, 1.3, rng.uniform(-0.6, 0.6))
    track.play(strings, "C3+F#3+C4 C3+F#3+C#4 C3+G3+D4 C3+G#3+D#4", 1.2, 3.6, 0.4)
    for k in range(16):
        track.play(strings, "C2", 0.16, 3.6 + 0.3 * k, 0.5)


# ---------------------------------------------------------------- the bee


def _flower(s: Stage, x: float, y: float, size: float, petal: str, t: float, bent: float) -> None:
    with s.at(x, y):
        s.taper([(0, 130), (4 + bent, 60), (bent, 0)], 6, 4, "#3f8f4e")
        s.blob([(2, 80), (24, 58), (40, 62), (22, 82)], "#56a95b")
        s.blob([(2, 100), (-22, 84), (-38, 90), (-20, 106)], "#4a9a55")
        with s.at(bent, 0, sway(t, 2.6, 5, x / 300), size):
            for k in range(8):
                with s.at(0, 0, k * 45):
                    s.blob(
                        [(0, -0.25), (0.3, -0.7), (0, -1.12), (-0.3, -0.7)],
                        Gradient(mix(petal, "#ffffff", 0.25), petal),
                    )
            s.ellipse(0, 0, 0.42, paint="#e9a21f")
            s.ellipse(-0.05, -0.06, 0.32, paint="#ffc83d")


def _bee(s: Stage, x: float, y: float, t: float, tilt: float) -> None:
    flap = wave(t, 0.085)
    with s.at(x, y, tilt):
        for lean in (-28, 8):
            with s.at(-2, -22, lean + 16 * flap):
                s.ellipse(0, -22, 13, 24, "#eef8ffc8")
                s.ellipse(2, -20, 8, 17, "#ffffff90")
        s.polygon([(-40, -3), (-54, 2), (-38, 8)], "#352a35")
        s.ellipse(0, 0, 41, 30, Gradient("#ffd84a", "#f3a41f"))
        for dx, half in ((-22, 24), (-3, 29)):
            s.blob(
                [(dx - 6, -half), (dx + 6, -half), (dx + 10, 0), (dx + 6, half), (dx - 6, half), (dx - 1, 0)],
                "#352a35",
            )
        s.ellipse(-10, -17, 20, 6, "#ffffff40", -8)
        for side in (0, 13):
            s.line([(20 + side, -24), (30 + side, -40), (38 + side, -41)], 2.6, "#352a35")
            s.ellipse(39 + side, -41, 3.6, paint="#352a35")
        eyes(s, 27, -4, 15, 4.6, blink(t, 1.9))
        cheeks(s, 26, 6, 26, 5)
        smile(s, 27, 5, 11, 6, "#352a35", 2.4)


def bee_morning(rng: np.random.Generator) -> Draw:
    scenery = Stage()
    scenery.backdrop(sky((0, "#5cc6ee"), (0.5, "#a9e6f2"), (0.75, "#fdf3c0"), (1, "#fdf3c0")))
    scenery.glow(110, 60, 200, "#fff3a0", 0.9)
    scenery.ellipse(110, 60, 30, paint="#fffbe0")
    far = hills(
        rng, 236, 18, Gradient("#9ed58b", "#8ccc7b"), 0, 800, lambda s, x,
        y: tree(s, x, y, rng.uniform(36, 60), ("#5fae6a", "#74c077", "#93d487")), 60,
    )
    near = hills(rng, 286, 10, Gradient("#6cc067", "#3f9a58"), 0, 800)
    colours = ("#ff6f91", "#ffffff", "#b07cf0", "#ff9248", "#ff5a5f")
    blooms = [(70 + k * 150, 232 + 24 * (k % 2), 34 + 5 * (k % 3), colours[k % 5]) for k in range(9)]
    stalks = rng.uniform((0, 0.5), (WIDTH + 40, 1), (90, 2))
    blades = Stage(WIDTH + 40, 80, None)
    for x, tall in stalks:
        blades.polygon(
            [(x - 4, 82), (x + rng.uniform(-9, 9), 80 - 62 * tall), (x + 4, 82)],
            mix("#2f8a4c", "#83cf5e", rng.random()),
        )
    grass = blades.layer()

    def draw(s: Stage, t: float) -> None:
        pan = 70 * t
        s.backdrop(scenery.image)
        for k, (x, y, wide) in enumerate(((120, 90, 120), (420, 60, 150), (680, 110, 110))):
            cloud(s, (x - t * (8 + 3 * k) + 80) % 860 - 80, y, wide, "#ffffff", "#d5eef5")
        s.scroll(far, pan * 0.2)
        s.scroll(near, pan * 0.5)
        for x, y, size, petal in blooms:
            _flower(s, (x - pan + 140) % 1350 - 140, y, size, petal, t, 6 * wave(t, 2.3, x / 500))
        bx, by = 300 + 60 * wave(t, 3.1), 160 + 34 * wave(t, 1.55) - 10 * wave(t, 0.7)
        for k in range(1, 9):
            back = t - 0.09 * k
            s.ellipse(
                300 + 60 * wave(back, 3.1) - 9 * k - 30, 160 + 34 * wave(back, 1.55) - 10 * wave(back, 0.7), 2.2,
                paint=fade("#ffffff", 0.75 - 0.08 * k),
            )
        _bee(s, bx, by, t, 10 * wave(t, 1.55, 0.25))
        s.scroll(grass, pan * 1.5, 292)

    return draw


def bee_morning_score(track: Track) -> None:
    track.play(pluck, "C3 G3 E3 G3 " * 2 + "F3 A3 C4 A3 G3 B3 D4 B3", 0.22, 0, 0.3)
    track.play(pluck, "C3 G3 E3 G3 " * 2 + "F3 A3 C4 A3 C3:2 C4", 0.22, 3.52, 0.3)
    track.play(flute, "E5 G5 E5 C5 D5 E5 G5:2 A5 F5 A5 C6 B5:2 G5:2", 0.22, 0, 0.3)
    track.play(flute, "E5 G5 E5 C5 D5 E5 G5:2 A5 F5 D5 B4 C5:2 C6:2", 0.22, 3.52, 0.3)
    t = np.arange(round(7.5 * RATE)) / RATE
    hum = sum(np.sin(2 * np.pi * 190 * k * t + 3 * np.sin(2 * np.pi * 0.65 * t)) / k for k in (1, 2, 3, 4))
    track.add(shape(hum * (0.6 + 0.4 * np.sin(2 * np.pi * 0.32 * t)), 0.3, 0.5), gain=0.05)
    for at in np.arange(0, 7, 0.44):
        track.play(bell, "C7", 0.1, at + 0.22, 0.04, 0.5)
    track.room(0.15, 0.9)


# ---------------------------------------------------------------- the sky whale


def _whale(s: Stage, x: float, y: float, size: float, t: float, phase: float = 0.0) -> None:
    beat = wave(t, 3.4, phase)
    with s.at(x, y + 8 * size * wave(t, 3.4, phase + 0.2), -4 + 3 * wave(t, 3.4, phase + 0.1), size):
        with s.at(-112, -4, 12 * beat):
            s.blob(
                [(8, -8), (-22, -8 - 5 * beat), (-56, -34 - 12 * beat), (-72, -26 - 12 * beat), (-50, -2 - 6 * beat),
                (-70, 22 - 10 * beat), (-54, 28 - 10 * beat), (-20, 8), (8, 10)], "#4a5fb5",
            )
        s.blob(
            [(-124, -8), (-70, -34), (10, -56), (84, -50), (122, -18), (118, 14), (76, 40), (0, 40), (-70, 16),
            (-122, 6)], Gradient("#7d95e6", "#3c4ea3"),
        )
        s.blob([(121, 2), (112, 22), (74, 42), (0, 42), (-44, 27), (10, 22), (70, 22)], "#dfe4ff")
        for k in range(6):
            s.line([(104 - k * 15, 17 + k * 1.5), (86 - k * 17, 27), (62 - k * 18, 31)], 1.2, "#9aa8e0")
        with s.at(34, 26, 24 + 16 * beat):
            s.blob([(-14, -8), (10, -6), (4, 24), (-20, 52), (-28, 42), (-20, 12)], Gradient("#5469c4", "#2f3f8f"))
        s.ellipse(84, -6, 5.2, 6.4 * max(blink(t, 3.1, phase), 0.15), "#141a3d")
        s.ellipse(86, -8, 1.8, paint="#ffffff")
        s.ellipse(74, 8, 8, 5, "#ff9ac270")
        s.line([(118, 6), (104, 12), (90, 11)], 2.4, "#27347c")
        for dx, dy, r in ((20, -38, 3), (34, -44, 2), (2, -36, 2), (-30, -26, 2.5), (-50, -18, 1.6), (52, -42, 1.6)):
            s.ellipse(dx, dy, r, paint="#c4d2ff90")


def sky_whale(rng: np.random.Generator) -> Draw:
    scenery = Stage()
    scenery.backdrop(sky((0, "#0b0a33"), (0.5, "#33207a"), (0.8, "#7a35a0"), (1, "#c2569f")))
    scenery.paste(stars(rng, 190, 300))
    scenery.paste(stars(rng, 60, 260, "#ffd0f0"))
    moon(scenery, 126, 92, 40, Gradient("#fff8e0", "#ffdca8"), "#b06fd8")
    village = Stage(WIDTH, HEIGHT, None)
    lit = []
    village.polygon([(0, 330), (160, 316), (360, 326), (640, 312), (640, 370), (0, 370)], "#160f3d")
    for x in range(20, 620, 34):
        x, wide, tall = x + rng.uniform(-6, 6), rng.uniform(18, 26), rng.uniform(14, 26)
        village.rect(x, 322 - tall, wide, tall + 20, "#160f3d")
        village.polygon([(x - 4, 323 - tall), (x + wide / 2, 306 - tall), (x + wide + 4, 323 - tall)], "#21154f")
        if rng.random() < 0.7:
            lit.append((x + wide / 2, 331 - tall))
    scenery.paste(hills(rng, 300, 18, Gradient("#43207a", "#5a2a8a"), 0.3))
    scenery.paste(village.layer())
    sparks = rng.random((46, 4))

    def draw(s: Stage, t: float) -> None:
        s.backdrop(scenery.image)
        for k, (x, y) in enumerate(lit):
            s.rect(x - 3, y, 6, 7, "#ffd77a")
            s.glow(x, y + 3, 17, "#ffb347", 0.5 + 0.25 * wave(t, 2.2, k * 0.37))
        x = 180 + 34 * t
        s.glow(x + 10, 160, 170, "#5a6bff", 0.6)
        for px, py, when, size in sparks:
            u = (t * 0.22 + when) % 1
            s.glow(
                x - 120 - 260 * u * px + 40, 130 + 90 * py + 20 * wave(t, 4, px), 5 + 9 * size, "#9fd8ff",
                (1 - u) * 0.9,
            )
        _whale(s, x, 150, 1.0, t)
        _whale(s, x - 128, 226, 0.42, t, 0.3)

    return draw


def sky_whale_score(track: Track) -> None:
    for at, chord in ((0, "F2+C4+E4+A4"), (3, "D3+A3+F4+C5"), (6, "A#2+F4+A4+D5")):
        track.play(pad, chord, 3, at, 0.2)
    track.play(bell, "C6 A5 E6 - G5 - C6 A5 F5 - E6 D6 - A5 - F6", 0.55, 0.2, 0.1, 0.4)
    for at, low, high in ((1.0, 130, 330), (4.4, 190, 260), (6.6, 330, 160)):
        track.add(shape(glide(low, high, 1.8, 4, 0.02), 0.5, 0.7), at, 0.2, -0.3)
    track.room(0.7, 3.0)


# ---------------------------------------------------------------- the lantern fish


def lantern_fish(rng: np.random.Generator) -> Draw:
    deep = sky((0, "#06304a"), (0.35, "#03182f"), (1, "#01040f"))
    rocks = hills(rng, 326, 22, Gradient("#04131f", "#02070f"), 1.2, 900, shadow=0)
    plankton, bubbles = rng.random((120, 4)), rng.random((12, 3))
    jellies = [
        (120, 130, 0.9, "#ff5fd0", 0.0), (520, 90, 0.65, "#6f8cff", 0.4), (580, 230, 1.0, "#42e6d2", 0.7),
        (40, 260, 0.6, "#b06cff", 0.2),
    ]

    def jelly(s: Stage, x: float, y: float, size: float, ink: str, phase: float, t: float) -> None:
        pulse = wave(t, 2.2, phase)
        with s.at(x + 10 * wave(t, 6, phase), y - 10 * wave(t, 2.2, phase - 0.15), 5 * wave(t, 5, phase), size):
            s.glow(0, 0, 96, ink, 0.5 + 0.15 * pulse)
            for k in range(7):
                dx = -21 + 7 * k
                s.line(
                    [(dx, 6), (dx * 0.8 + 6 * wave(t, 2.2, phase + k * 0.13), 36),
                    (dx * 0.9 + 9 * wave(t, 2.2, phase + k * 0.13 - 0.2), 68)], 1.6, mix(ink, "#ffffff", 0.25),
                )
            wide = 32 - 4 * pulse
            s.blob(
                [(-wide, 8), (-wide * 0.85, -16), (0, -34 - 3 * pulse), (wide * 0.85, -16), (wide, 8), (wide * 0.5, 3),
                (0, 9), (-wide * 0.5, 3)], Gradient(mix(ink, "#ffffff", 0.5), mix(ink, "#0a1030", 0.35)),
            )
            s.ellipse(-8, -17, 9, 5, "#ffffff60", -20)

    def fish(s: Stage, x: float, y: float, t: float) -> None:
        tail, glow = wave(t, 1.1), 0.85 + 0.15 * wave(t, 1.7)
        lamp = (96 + 3 * wave(t, 2), -62 + 5 * wave(t, 2.3))
        with s.at(x, y, 3 * wave(t, 3.4)):
            s.glow(*lamp, 190, "#37d6ff", 0.55 * glow)
            s.blob(
                [(-66, -4), (-104, -36 + 8 * tail), (-92, 0), (-104, 34 + 8 * tail), (-64, 10)],
                Gradient("#7a3a66", "#3a1c48"),
            )
            s.blob([(-28, -40), (-10, -68), (18, -60), (28, -44)], "#6b3160")
            s.blob(
                [(-74, 0), (-46, -38), (10, -56), (62, -34), (80, -4), (66, 30), (14, 48), (-44, 32)],
                Gradient("#b65a7d", "#4a2354"),
            )
            s.blob([(82, -2), (44, 6), (40, 24), (66, 32), (78, 16)], "#1c0c22")
            for k in range(4):
                s.polygon([(48 + k * 9, 5 - k), (53 + k * 9, 15), (57 + k * 9, 3 - k)], "#fff3d9")
                s.polygon([(47 + k * 8, 26 + k), (51 + k * 8, 17), (55 + k * 8, 29 + k)], "#fff3d9")
            with s.at(-6, 14, 14 * wave(t, 0.9)):
                s.blob([(4, -6), (-26, -4), (-38, 14), (-12, 14)], "#8f4570")
            s.ellipse(38, -16, 15, paint="#fff3c9")
            s.ellipse(43, -16, 7, 7 * max(0.15, blink(t, 2.7)), "#1c0c22")
            s.ellipse(45, -19, 2.4, paint="#ffffff")
            s.taper([(20, -52), (44, -86), (84, -86), lamp], 5, 2.4, "#6b3160")
            s.glow(*lamp, 74, "#a8f4ff", glow)
            s.ellipse(*lamp, 9, paint="#eaffff")
            for k in range(5):
                s.glow(-40 + k * 16, 26 + 3 * wave(k, 5), 9, "#37d6ff", 0.5 + 0.4 * wave(t, 1.3, k * 0.2))

    def draw(s: Stage, t: float) -> None:
        number, u = shot(t, 3.0)
        s.backdrop(deep)
        for k in range(4):
            s.polygon(
                [(190 + 80 * k, -10), (120 + 110 * k + 20 * wave(t, 8), 250), (170 + 110 * k + 20 * wave(t, 8), 250),
                (215 + 80 * k, -10)], "#8fe0ff0a",
            )
        s.scroll(rocks, t * 10)
        for x, y, when, size in plankton:
            s.ellipse(
                (x * 700 - t * 12 * (0.5 + size)) % 660 - 10, (y * 360 + 6 * wave(t, 4, when)) % 360, 0.5 + size,
                paint=fade("#9fe8ff", 0.3 + 0.5 * when * (0.5 + 0.5 * wave(t, 2, when))),
            )
        for x, y, size, ink, phase in jellies:
            jelly(s, x - t * 5, y, size, ink, phase, t)
        if number == 0:
            for k in range(3):
                s.glow(700 - 150 * u + 3 * wave(t, 2), 190 + 10 * wave(t, 2.3), 40 + 50 * k, "#37d6ff", 0.55)
            s.ellipse(700 - 150 * u, 190 + 10 * wave(t, 2.3), 5, paint="#eaffff")
        else:
            fish(s, 250 + 20 * u, 196 + 10 * wave(t, 3.2), t)
        for x, y, size in bubbles:
            s.ellipse(x * WIDTH + 6 * wave(t, 2, x), (y * 400 - t * 40) % 400 - 20, 1 + 3 * size, paint="#bff4ff38")

    return draw


def lantern_fish_score(track: Track) -> None:
    track.add(breathing(band(track.rng, 8.5, 40, 240, 1.5), 5), gain=0.35)
    for at, chord in ((0, "D3+A3+C#4"), (4.2, "B2+F#3+D4+A4")):
        track.play(pad, chord, 4.2, at, 0.2)
    track.play(piano, "F#5 - C#6:2 - A5 - E5:2 - F#5 D6 -", 0.6, 0.6, 0.1, 0.3)
    for at in track.rng.uniform(0, 8, 14):
        track.add(
            glide(track.rng.uniform(300, 600), track.rng.uniform(900, 1500), 0.09), at, 0.05, track.rng.uniform(-1, 1),
        )
    track.room(0.8, 3.2)


PLAYS = {
    "snow-fox": Play(snow_fox, snow_fox_score, 0.3, Look(grain=6)),
    "before-the-thunder": Play(before_the_thunder, before_the_thunder_score, 0.97, Look(grain=6, vignette=0.5)),
    "bee-morning": Play(bee_morning, bee_morning_score, 0.65, Look(grain=4, vignette=0.15)),
    "sky-whale": Play(sky_whale, sky_whale_score, 0.38, Look(grain=5)),
    "lantern-fish": Play(lantern_fish, lantern_fish_score, 0.35, Look(grain=4, vignette=0.45)),
}
