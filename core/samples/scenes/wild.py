"""Out of doors: the fox, the thunderstorm, the bee, the sky whale, the lantern fish."""
# The formatter would put every point of every outline on a line of its own.
# fmt: off

from __future__ import annotations

import numpy as np

from core.samples.celluloid import Look
from core.samples.colours import Gradient, fade, mix
from core.samples.faces import cheeks, eyes, smile
from core.samples.outlines import HEIGHT, WIDTH
from core.samples.playbill import Frames, play
from core.samples.props import clouds, hills, moon, pine, stars, sun, tree
from core.samples.stage import Layer, Stage, sky
from core.samples.timing import blink, clamp, ease, shot, span, sway, wave
from core.samples.weather import embers, flame, rainfall, snowfall

_FUR, _FUR_DARK, _SOCK, _CREAM = "#e2702f", "#b94f22", "#3b2430", "#fff1e0"
_PELT = f"{_FUR}/{_FUR_DARK}"


def _trotting_fox(s: Stage, t: float) -> None:
    """Draw the fox from the side, its feet on y = 0."""
    lift = abs(wave(t, 1.1)) * 3
    with s.at(0, -lift):
        for hip, phase, ink in ((38, 0.5, _FUR_DARK), (-32, 0.0, _FUR_DARK), (30, 0.0, _FUR), (-40, 0.5, _FUR)):
            swing, up = wave(t, 1.1, phase), max(0.0, wave(t, 1.1, phase + 0.25))
            foot = (hip + 16 * swing, -5 * up + lift)
            s.taper([(hip, -36), (hip + 5 * swing - 2, -18), foot], 16, 7, ink)
            s.taper([(hip + 10 * swing, -13 + lift), foot, (foot[0] + 4, foot[1])], 7, 6, _SOCK)
        w = 5 * wave(t, 1.1, 0.2)
        tail = [(-40, -52), (-66, -60 + w), (-102, -54 + 2 * w), (-128, -34 + 2 * w), (-98, -30 + w), (-62, -38)]
        s.blob(tail, _PELT)
        s.blob([(-100, -52 + 2 * w), (-116, -45 + 2 * w), (-129, -33 + 2 * w), (-108, -32 + 1.6 * w),
                (-98, -40 + 2 * w)], _CREAM)
        s.blob("-50,-50 -24,-60 16,-58 46,-62 56,-44 40,-26 0,-26 -36,-25", _PELT)
        s.blob("40,-56 56,-50 50,-30 34,-26 34,-40", _CREAM)
        with s.at(58, -68, sway(t, 1.1, 3)):
            s.polygon("-14,-8 -13,-36 3,-14", _FUR_DARK)
            s.polygon("-4,-12 2,-38 13,-12", _FUR)
            s.polygon("0,-15 3,-31 9,-14", _SOCK)
            s.blob("-20,-4 -8,-17 10,-15 22,-3 40,6 38,12 16,18 -10,16", _FUR)
            s.blob("-12,8 10,3 24,5 40,8 36,13 14,19 -8,17", _CREAM)
            s.ellipse(40, 7, 4, 3.3, _SOCK)
            s.ellipse(11, -2, 3, 3.6 * blink(t), _SOCK)
            s.ellipse(12, -3.4, 1.1, 1.1, "#ffffff")


def _sitting_fox(s: Stage, t: float) -> None:
    """Draw the fox from the front, looking up now and then."""
    w = 6 * wave(t, 3.0)
    s.taper([(40, -12), (92, -14), (116, -50 + w), (96, -88 + w)], 34, 30, _FUR_DARK)
    s.placed(0, w).blob("82,-82 96,-112 112,-84 106,-66 88,-68", _CREAM)
    with s.at(sy=1 + 0.012 * wave(t, 2.4)):
        s.blob("-30,-118 30,-118 54,-60 58,-6 0,2 -58,-6 -54,-60", _PELT)
        s.blob("-24,-112 24,-112 20,-50 0,-22 -20,-50", _CREAM)
    s.twins.taper("16,-60 17,-20 19,-1", 20, 17, _FUR)
    s.twins.ellipse(20, -2, 13, 7, _SOCK)
    with s.at(0, -136 - 2 * wave(t, 2.4), sway(t, 5, 4, 0.1)):
        twitch = 8 * max(0.0, wave(t, 2.2)) ** 8
        for side in (-1, 1):
            with s.at(side * 32, -26, side * (8 + twitch)):
                s.polygon("-20,10 0,-46 20,10", _FUR)
                s.polygon("-10,6 0,-30 10,6", _SOCK)
        s.blob("0,-42 34,-34 58,0 34,22 0,42 -34,22 -58,0 -34,-34", f"#ee8440/{_FUR}")
        s.twins.blob("3,40 12,8 40,4 60,2 34,25", _CREAM)
        s.ellipse(0, 38, 7, 5.5, _SOCK)
        eyes(s, 0, 2, 44, 7, blink(t, 2.1, 0.6), (0, -0.6), _SOCK)
        cheeks(s, 0, 20, 66, 8, "#ff8f7a80")


@play("snow-fox", 0.3, Look(grain=6))
def snow_fox(rng: np.random.Generator, frames: Frames) -> None:
    far = hills(rng, 236, 20, "#6a6398/#8f80ab", 0.7,
                dress=lambda s, x, y: pine(s, x, y, rng.uniform(50, 90), "#565288"), every=15)
    middle = hills(rng, 262, 14, "#a9a2cb/#c9bfdc", 0.2, 960,
                   lambda s, x, y: pine(s, x, y, rng.uniform(80, 150), "#3d3d6b", "#d9d5ee"), 52)
    near = hills(rng, 300, 6, "#f3ecf6/#b9b3d6", 0, 960, shadow=0.3)
    birches = Stage(1100, HEIGHT, None)
    for x in (60, 300, 470, 820, 1000):
        birches.taper([(x, -20), (x + 6, 160), (x - 2, 352)], 20, 32, "#d9d2e6/#f5eff5")
        for y in range(10, 340, 38):
            shift = rng.uniform(-6, 4)
            birches.line([(x + shift - 3, y), (x + shift + 6, y + 2)], 3, "#4a4463")
    trunks, flakes = birches.layer(0.3), rng.random((90, 3))
    scenery = Stage.under((0, "#2d3561"), (0.45, "#7d6b9e"), (0.7, "#f0a58f"), (1, "#f6d1b0"))
    scenery.paste(stars(rng, 40, 120))
    moon(scenery, 500, 70, 22)
    for s, t in frames:
        number, u = shot(t, 4.6)
        s.backdrop(scenery.image)
        if number == 0:
            for layer, speed in ((far, 5), (middle, 16), (near, 48)):
                s.scroll(layer, t * speed)
            s.ellipse(330, 322, 74, 7, "#7f78ad70")
            s.placed(322 + 6 * u, 322).draw(_trotting_fox, t)
            s.scroll(trunks, t * 72)
        else:
            s.paste(far, -60)
            s.scroll(middle, 300 + u * 3)
            s.paste(near, 0, 12)
            s.ellipse(300, 338, 130, 10, "#7f78ad70")
            s.placed(290, 336).draw(_sitting_fox, u)
            s.camera(1.1 + 0.03 * u, 320, 200)
        snowfall(s, flakes, t)


def _deer(s: Stage, alarm: float, t: float) -> None:
    """Draw a deer that grazes, and looks up when alarmed (0 to 1)."""
    coat, pale, dark = "#a8683c", "#f0d3a8", "#2b1d1d"
    for hip, leg in ((-24, coat), (-17, "#7e4a2c"), (18, "#7e4a2c"), (25, coat)):
        s.placed(hip).taper("0,-44 1,-22 0,0", 9, 4, leg)
    s.blob("-34,-58 -10,-64 18,-62 34,-52 26,-38 -8,-36 -32,-42", f"#c17e4c/{coat}")
    s.ellipse(-35, -54, 5, 8, pale, 20)
    s.discs("-16,-56,1.8 -6,-59,1.8 5,-57,1.8 -12,-49,1.8 0,-51,1.8", pale)
    head = (36 + 14 * (1 - alarm), -40 - 56 * alarm + 12 * (1 - alarm) + wave(t, 1.2) * 2 * (1 - alarm))
    s.taper([(24, -52), ((24 + head[0]) / 2 + 4, (head[1] - 52) / 2), head], 18, 11, coat)
    with s.at(*head, 50 * (1 - alarm)):
        for side in (-1, 1):
            s.ellipse(-4 + side * 5, -12, 3.4, 8, coat, side * 32)
            s.line([(-2 + side * 3, -8), (side * 9, -24), (side * 7, -38)], 2.4, "#6b4630")
            s.line([(side * 8, -22), (side * 16, -31)], 2, "#6b4630")
        s.blob("-9,-7 6,-9 22,1 20,7 2,8 -9,4", "#c17e4c")
        s.ellipse(21, 3, 3, 2.6, dark)
        s.ellipse(4, -2, 2.2, 2.6, dark)


def _wood(seed: int, base: float, inks: tuple[str, str], lift: float) -> Layer:
    """Return a strip of wood; the same seed gives the same trees in other colours."""
    rng, ink = np.random.default_rng(seed), inks[0]

    def plant(s: Stage, x: float, y: float) -> None:
        kind, size = rng.random(), rng.uniform(55, 105)
        if kind < 0.6:
            pine(s, x, y, size, ink)
        else:
            tree(s, x, y, size, (ink, mix(ink, "#ffffff", lift), mix(ink, "#ffffff", 2 * lift)), "#2b2530")

    return hills(rng, base, 10, Gradient(ink, mix(*inks, 0.25)), 0, 700, plant, 34, 0.0)


@play("before-the-thunder", 0.97, Look(grain=6, vignette=0.5))
def before_the_thunder(rng: np.random.Generator, frames: Frames) -> None:
    fair, foul = Stage.under((0, "#8cc7c4"), (0.6, "#f6e3ae"), (1, "#f9efc9")), sky(
        (0, "#05060f"), (0.55, "#1b2038"), (1, "#33304a"))
    sun(fair, 500, 70, 26, "#fff8d8", "#fff2b0", 170, 0.8)
    sunny: list[Layer] = []
    stormy: list[Layer] = []
    for base, light, dark in ((214, "#8dbf9c", "#161b2e"), (252, "#5a9a74", "#0f1424"), (292, "#3c7a56", "#0a0d1a")):
        seed = int(rng.integers(1 << 30))
        sunny.append(_wood(seed, base, (light, "#f0e6a8"), 0.08))
        stormy.append(_wood(seed, base, (dark, dark), 0.02))
    drops = rng.random((160, 3))
    bolts = [np.stack([x + np.cumsum(rng.normal(0, 16, 12)), np.linspace(-5, 255, 12)], 1) for x in (170, 420, 300)]
    for s, t in frames:
        number, u = shot(t, 3.6, 5.4, 6.9)
        if number == 0:
            s.backdrop(fair.image)
            for layer, speed in zip(sunny, (2, 5, 9), strict=True):
                s.paste(layer, -20 - t * speed)
            for k in range(4):
                s.polygon([(500 - k * 60, 40), (470 - k * 120, 360), (430 - k * 120, 360)], "#fff6c418")
            s.placed(330, 318, 0, -1, 1).draw(_deer, ease(span(t, 2.5, 2.8)), t)
            s.wash(fade("#0b1028", 0.55 * ease(span(t, 2.6, 3.6))))
            s.camera(1.05 + 0.02 * t, 320, 200)
            continue
        flash = max(clamp(1 - abs(u - at) * 9) for at in ((0.15, 1.1), (0.5,), (0.1, 0.8))[number - 1])
        s.backdrop(foul)
        s.wash(fade("#8a9cff", 0.55 * flash))
        if flash > 0.15 and number != 2:
            s.stroke(bolts[number - 1], 9, fade("#9db8ff", 0.35 * flash))
            s.stroke(bolts[number - 1], 3.2, mix("#b9c8ff", "#ffffff", flash))
        for k, layer in enumerate(stormy):
            s.paste(layer, -30 + 2.7 * wave(t, 0.35) * (k + 1), 0)
        if number == 2:
            s.rect(0, 0, WIDTH, HEIGHT, fade("#070912", 0.6))
            s.placed(430, 420, 0, -3.1, 3.1).draw(_deer, 1, t)
            s.wash(fade("#0a1030", 0.5 * (1 - flash)))
        s.wash(fade("#dfe6ff", 0.5 * flash**3))
        rainfall(s, drops, t, 900, -0.35, "#c8d4ff80")
        s.ellipse(320, 372, 400, 34, "#04050c90")
        if number == 3:
            s.glow(300, 230, 200 + 16 * wave(t, 0.13), "#ff5a1c", 0.9)
            s.taper("300,330 296,250 302,176", 20, 9, "#120a10")
            s.taper("298,250 334,214 344,184", 9, 3, "#120a10")
            s.taper("298,268 266,236 258,210", 9, 3, "#120a10")
            for k, (x, y, size) in enumerate(((300, 196, 62), (344, 194, 36), (258, 218, 34), (318, 244, 30),
                                              (284, 262, 28))):
                flame(s, x, y, size * 0.34, size * (1 + 0.2 * wave(t, 0.17 + 0.02 * k, k * 0.3)))
            embers(s, drops[:24], t * 0.7, (230, 380), (260, 30), "#ffb03d")
        s.shake(3.5 * (0.3 + flash), t)


def _flower(s: Stage, size: float, petal: str, t: float, bent: float, phase: float) -> None:
    s.taper([(0, 130), (4 + bent, 60), (bent, 0)], 6, 4, "#3f8f4e")
    s.blob("2,80 24,58 40,62 22,82", "#56a95b")
    s.blob("2,100 -22,84 -38,90 -20,106", "#4a9a55")
    with s.at(bent, 0, sway(t, 2.6, 5, phase), size):
        s.ring(8).blob("0,-0.25 0.3,-0.7 0,-1.12 -0.3,-0.7", Gradient(mix(petal, "#ffffff", 0.25), petal))
        s.ellipse(0, 0, 0.42, paint="#e9a21f")
        s.ellipse(-0.05, -0.06, 0.32, paint="#ffc83d")


def _bee(s: Stage, t: float) -> None:
    dark = "#352a35"
    for lean in (-28, 8):
        with s.at(-2, -22, lean + 16 * wave(t, 0.085)):
            s.ellipse(0, -22, 13, 24, "#eef8ffc8")
            s.ellipse(2, -20, 8, 17, "#ffffff90")
    s.polygon("-40,-3 -54,2 -38,8", dark)
    s.ellipse(0, 0, 41, 30, "#ffd84a/#f3a41f")
    for dx, half in ((-22, 24), (-3, 29)):
        s.placed(dx, 0, 0, 1, half).blob("-6,-1 6,-1 10,0 6,1 -6,1 -1,0", dark)
    s.ellipse(-10, -17, 20, 6, "#ffffff40", -8)
    s.row(2, 13).line("20,-24 30,-40 38,-41", 2.6, dark)
    s.row(2, 13).ellipse(39, -41, 3.6, paint=dark)
    eyes(s, 27, -4, 15, 4.6, blink(t, 1.9))
    cheeks(s, 26, 6, 26, 5)
    smile(s, 27, 5, 11, 6, dark, 2.4)


@play("bee-morning", 0.65, Look(grain=4, vignette=0.15))
def bee_morning(rng: np.random.Generator, frames: Frames) -> None:
    scenery = Stage.under((0, "#5cc6ee"), (0.5, "#a9e6f2"), (0.75, "#fdf3c0"), (1, "#fdf3c0"))
    sun(scenery, 110, 60, 30, "#fffbe0", "#fff3a0", 200, 0.9)
    far = hills(rng, 236, 18, "#9ed58b/#8ccc7b", 0, 800,
                lambda s, x, y: tree(s, x, y, rng.uniform(36, 60), ("#5fae6a", "#74c077", "#93d487")), 60)
    near = hills(rng, 286, 10, "#6cc067/#3f9a58", 0, 800)
    colours = ("#ff6f91", "#ffffff", "#b07cf0", "#ff9248", "#ff5a5f")
    blooms = [(70 + k * 150, 232 + 24 * (k % 2), 34 + 5 * (k % 3), colours[k % 5]) for k in range(9)]
    stalks = rng.uniform((0, 0.5), (WIDTH + 40, 1), (90, 2))
    blades = Stage(WIDTH + 40, 80, None)
    for x, tall in stalks:
        stalk = [(x - 4, 82), (x + rng.uniform(-9, 9), 80 - 62 * tall), (x + 4, 82)]
        blades.polygon(stalk, mix("#2f8a4c", "#83cf5e", rng.random()))
    grass = blades.layer()

    def flight(t: float) -> tuple[float, float]:
        return 300 + 60 * wave(t, 3.1), 160 + 34 * wave(t, 1.55) - 10 * wave(t, 0.7)

    for s, t in frames:
        pan = 70 * t
        s.backdrop(scenery.image)
        clouds(s, "120,90,120 420,60,150 680,110,110", "#ffffff", "#d5eef5", (-8 * t, -3 * t), (860, 80))
        s.scroll(far, pan * 0.2)
        s.scroll(near, pan * 0.5)
        for left, high, size, petal in blooms:
            x = (left - pan + 140) % 1350 - 140
            s.placed(x, high).draw(_flower, size, petal, t, 6 * wave(t, 2.3, left / 500), x / 300)
        for k in range(1, 9):
            x, y = flight(t - 0.09 * k)
            s.ellipse(x - 9 * k - 30, y, 2.2, paint=fade("#ffffff", 0.75 - 0.08 * k))
        s.placed(*flight(t), 10 * wave(t, 1.55, 0.25)).draw(_bee, t)
        s.scroll(grass, pan * 1.5, 292)


def _whale(s: Stage, t: float, size: float, phase: float = 0.0) -> None:
    beat = wave(t, 3.4, phase)
    with s.at(0, 8 * size * wave(t, 3.4, phase + 0.2), -4 + 3 * wave(t, 3.4, phase + 0.1), size):
        with s.at(-112, -4, 12 * beat):
            fluke = [(8, -8), (-22, -8 - 5 * beat), (-56, -34 - 12 * beat), (-72, -26 - 12 * beat)]
            s.blob([*fluke, (-50, -2 - 6 * beat), (-70, 22 - 10 * beat), (-54, 28 - 10 * beat), (-20, 8), (8, 10)],
                   "#4a5fb5")
        s.blob("-124,-8 -70,-34 10,-56 84,-50 122,-18 118,14 76,40 0,40 -70,16 -122,6", "#7d95e6/#3c4ea3")
        s.blob("121,2 112,22 74,42 0,42 -44,27 10,22 70,22", "#dfe4ff")
        for k in range(6):
            s.line([(104 - k * 15, 17 + k * 1.5), (86 - k * 17, 27), (62 - k * 18, 31)], 1.2, "#9aa8e0")
        s.placed(34, 26, 24 + 16 * beat).blob("-14,-8 10,-6 4,24 -20,52 -28,42 -20,12", "#5469c4/#2f3f8f")
        s.ellipse(84, -6, 5.2, 6.4 * max(blink(t, 3.1, phase), 0.15), "#141a3d")
        s.ellipse(86, -8, 1.8, paint="#ffffff")
        s.ellipse(74, 8, 8, 5, "#ff9ac270")
        s.line("118,6 104,12 90,11", 2.4, "#27347c")
        s.discs("20,-38,3 34,-44,2 2,-36,2 -30,-26,2.5 -50,-18,1.6 52,-42,1.6", "#c4d2ff90")


@play("sky-whale", 0.38, Look(grain=5))
def sky_whale(rng: np.random.Generator, frames: Frames) -> None:
    scenery = Stage.under((0, "#0b0a33"), (0.5, "#33207a"), (0.8, "#7a35a0"), (1, "#c2569f"))
    scenery.paste(stars(rng, 190, 300))
    scenery.paste(stars(rng, 60, 260, "#ffd0f0"))
    moon(scenery, 126, 92, 40, "#fff8e0/#ffdca8", "#b06fd8")
    village = Stage(WIDTH, HEIGHT, None)
    lit = []
    village.polygon("0,330 160,316 360,326 640,312 640,370 0,370", "#160f3d")
    for lot in range(20, 620, 34):
        x, wide, tall = lot + rng.uniform(-6, 6), rng.uniform(18, 26), rng.uniform(14, 26)
        village.rect(x, 322 - tall, wide, tall + 20, "#160f3d")
        village.polygon([(x - 4, 323 - tall), (x + wide / 2, 306 - tall), (x + wide + 4, 323 - tall)], "#21154f")
        if rng.random() < 0.7:
            lit.append((x + wide / 2, 331 - tall))
    scenery.paste(hills(rng, 300, 18, "#43207a/#5a2a8a", 0.3))
    scenery.paste(village.layer())
    sparks = rng.random((46, 4))
    for s, t in frames:
        s.backdrop(scenery.image)
        for k, (x, y) in enumerate(lit):
            s.rect(x - 3, y, 6, 7, "#ffd77a")
            s.glow(x, y + 3, 17, "#ffb347", 0.5 + 0.25 * wave(t, 2.2, k * 0.37))
        x = 180 + 34 * t
        s.glow(x + 10, 160, 170, "#5a6bff", 0.6)
        for px, py, when, size in sparks:
            u = (t * 0.22 + when) % 1
            place = (x - 80 - 260 * u * px, 130 + 90 * py + 20 * wave(t, 4, px))
            s.glow(*place, 5 + 9 * size, "#9fd8ff", (1 - u) * 0.9)
        s.placed(x, 150).draw(_whale, t, 1.0)
        s.placed(x - 128, 226).draw(_whale, t, 0.42, 0.3)


def _jelly(s: Stage, ink: str, phase: float, t: float) -> None:
    pulse = wave(t, 2.2, phase)
    with s.at(10 * wave(t, 6, phase), -10 * wave(t, 2.2, phase - 0.15), 5 * wave(t, 5, phase)):
        s.glow(0, 0, 96, ink, 0.5 + 0.15 * pulse)
        for k in range(7):
            dx, late = -21 + 7 * k, phase + k * 0.13
            arm = [(dx, 6), (dx * 0.8 + 6 * wave(t, 2.2, late), 36), (dx * 0.9 + 9 * wave(t, 2.2, late - 0.2), 68)]
            s.line(arm, 1.6, mix(ink, "#ffffff", 0.25))
        wide, top = 32 - 4 * pulse, -34 - 3 * pulse
        bell = [(-wide, 8), (-wide * 0.85, -16), (0, top), (wide * 0.85, -16), (wide, 8), (wide * 0.5, 3), (0, 9)]
        s.blob([*bell, (-wide * 0.5, 3)], Gradient(mix(ink, "#ffffff", 0.5), mix(ink, "#0a1030", 0.35)))
        s.ellipse(-8, -17, 9, 5, "#ffffff60", -20)


def _lantern_fish(s: Stage, t: float) -> None:
    tail, glow = 8 * wave(t, 1.1), 0.85 + 0.15 * wave(t, 1.7)
    lamp = (96 + 3 * wave(t, 2), -62 + 5 * wave(t, 2.3))
    with s.at(0, 0, 3 * wave(t, 3.4)):
        s.glow(*lamp, 190, "#37d6ff", 0.55 * glow)
        s.blob([(-66, -4), (-104, -36 + tail), (-92, 0), (-104, 34 + tail), (-64, 10)], "#7a3a66/#3a1c48")
        s.blob("-28,-40 -10,-68 18,-60 28,-44", "#6b3160")
        s.blob("-74,0 -46,-38 10,-56 62,-34 80,-4 66,30 14,48 -44,32", "#b65a7d/#4a2354")
        s.blob("82,-2 44,6 40,24 66,32 78,16", "#1c0c22")
        s.row(4, 9, -1).polygon("48,5 53,15 57,3", "#fff3d9")
        s.row(4, 8, 1).polygon("47,26 51,17 55,29", "#fff3d9")
        s.placed(-6, 14, 14 * wave(t, 0.9)).blob("4,-6 -26,-4 -38,14 -12,14", "#8f4570")
        s.ellipse(38, -16, 15, paint="#fff3c9")
        s.ellipse(43, -16, 7, 7 * max(0.15, blink(t, 2.7)), "#1c0c22")
        s.ellipse(45, -19, 2.4, paint="#ffffff")
        s.taper([(20, -52), (44, -86), (84, -86), lamp], 5, 2.4, "#6b3160")
        s.glow(*lamp, 74, "#a8f4ff", glow)
        s.ellipse(*lamp, 9, 9, "#eaffff")
        for k in range(5):
            s.glow(-40 + k * 16, 26 + 3 * wave(k, 5), 9, "#37d6ff", 0.5 + 0.4 * wave(t, 1.3, k * 0.2))


@play("lantern-fish", 0.35, Look(grain=4, vignette=0.45))
def lantern_fish(rng: np.random.Generator, frames: Frames) -> None:
    deep = sky((0, "#06304a"), (0.35, "#03182f"), (1, "#01040f"))
    rocks = hills(rng, 326, 22, "#04131f/#02070f", 1.2, 900, shadow=0)
    plankton, bubbles = rng.random((120, 4)), rng.random((12, 3))
    jellies = ((120, 130, 0.9, "#ff5fd0", 0.0), (520, 90, 0.65, "#6f8cff", 0.4), (580, 230, 1.0, "#42e6d2", 0.7),
               (40, 260, 0.6, "#b06cff", 0.2))
    for s, t in frames:
        number, u = shot(t, 3.0)
        s.backdrop(deep)
        drift = 20 * wave(t, 8)
        for k in range(4):
            ray = [(190 + 80 * k, -10), (120 + 110 * k + drift, 250), (170 + 110 * k + drift, 250), (215 + 80 * k, -10)]
            s.polygon(ray, "#8fe0ff0a")
        s.scroll(rocks, t * 10)
        for x, y, when, size in plankton:
            place = ((x * 700 - t * 12 * (0.5 + size)) % 660 - 10, (y * 360 + 6 * wave(t, 4, when)) % 360)
            light = 0.3 + 0.5 * when * (0.5 + 0.5 * wave(t, 2, when))
            s.ellipse(*place, 0.5 + size, 0.5 + size, fade("#9fe8ff", light))
        for x, y, size, ink, phase in jellies:
            s.placed(x - t * 5, y, 0, size).draw(_jelly, ink, phase, t)
        if number == 0:
            x, y = 700 - 150 * u, 190 + 10 * wave(t, 2.3)
            for radius in (40, 90, 140):
                s.glow(x + 3 * wave(t, 2), y, radius, "#37d6ff", 0.55)
            s.ellipse(x, y, 5, paint="#eaffff")
        else:
            s.placed(250 + 20 * u, 196 + 10 * wave(t, 3.2)).draw(_lantern_fish, t)
        for x, y, size in bubbles:
            s.ellipse(x * WIDTH + 6 * wave(t, 2, x), (y * 400 - t * 40) % 400 - 20, 1 + 3 * size, paint="#bff4ff38")
