"""Out of doors: the fox, the thunderstorm, the bee, the sky whale, the lantern fish."""
# The formatter would put every point of every outline on a line of its own.
# fmt: off

from __future__ import annotations

import numpy as np

from core.samples.celluloid import Look
from core.samples.colours import Gradient, fade, mix
from core.samples.figures import figure
from core.samples.outlines import HEIGHT, WIDTH
from core.samples.playbill import Frames, play
from core.samples.props import clouds, hills, moon, pine, stars, sun, tree
from core.samples.stage import Layer, Stage, sky
from core.samples.timing import blink, clamp, ease, shot, span, wave
from core.samples.weather import embers, flame, rainfall, snowfall


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
            s.placed(322 + 6 * u, 322).draw(figure("trotting-fox"), t)
            s.scroll(trunks, t * 72)
        else:
            s.paste(far, -60)
            s.scroll(middle, 300 + u * 3)
            s.paste(near, 0, 12)
            s.ellipse(300, 338, 130, 10, "#7f78ad70")
            s.placed(290, 336).draw(figure("sitting-fox"), u, 8 * max(0.0, wave(u, 2.2)) ** 8)
            s.camera(1.1 + 0.03 * u, 320, 200)
        snowfall(s, flakes, t)


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
            figure("sunbeams")(s)
            s.placed(330, 318, 0, -1, 1).draw(figure("deer"), t, ease(span(t, 2.5, 2.8)))
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
            s.placed(430, 420, 0, -3.1, 3.1).draw(figure("deer"), t, 1)
            s.wash(fade("#0a1030", 0.5 * (1 - flash)))
        s.wash(fade("#dfe6ff", 0.5 * flash**3))
        rainfall(s, drops, t, 900, -0.35, "#c8d4ff80")
        s.ellipse(320, 372, 400, 34, "#04050c90")
        if number == 3:
            s.glow(300, 230, 200 + 16 * wave(t, 0.13), "#ff5a1c", 0.9)
            figure("burnt-tree")(s)
            for k, (x, y, size) in enumerate(((300, 196, 62), (344, 194, 36), (258, 218, 34), (318, 244, 30),
                                              (284, 262, 28))):
                flame(s, x, y, size * 0.34, size * (1 + 0.2 * wave(t, 0.17 + 0.02 * k, k * 0.3)))
            embers(s, drops[:24], t * 0.7, (230, 380), (260, 30), "#ffb03d")
        s.shake(3.5 * (0.3 + flash), t)


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
            bloom = Gradient(mix(petal, "#ffffff", 0.25), petal)
            s.placed(x, high).draw(figure("flower"), t, size, bloom, 6 * wave(t, 2.3, left / 500), x / 300)
        for k in range(1, 9):
            x, y = flight(t - 0.09 * k)
            s.ellipse(x - 9 * k - 30, y, 2.2, paint=fade("#ffffff", 0.75 - 0.08 * k))
        s.placed(*flight(t), 10 * wave(t, 1.55, 0.25)).draw(figure("bee"), t)
        s.scroll(grass, pan * 1.5, 292)


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
        for place, size, phase in (((x, 150), 1.0, 0.0), ((x - 128, 226), 0.42, 0.3)):
            s.placed(*place).draw(figure("whale"), t, size, phase, max(blink(t, 3.1, phase), 0.15))


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
        figure("rays-under-water")(s, t)
        s.scroll(rocks, t * 10)
        for x, y, when, size in plankton:
            place = ((x * 700 - t * 12 * (0.5 + size)) % 660 - 10, (y * 360 + 6 * wave(t, 4, when)) % 360)
            light = 0.3 + 0.5 * when * (0.5 + 0.5 * wave(t, 2, when))
            s.ellipse(*place, 0.5 + size, 0.5 + size, fade("#9fe8ff", light))
        for x, y, size, ink, phase in jellies:
            glass = Gradient(mix(ink, "#ffffff", 0.5), mix(ink, "#0a1030", 0.35))
            s.placed(x - t * 5, y, 0, size).draw(figure("jelly"), t, ink, mix(ink, "#ffffff", 0.25), glass, phase)
        if number == 0:
            s.placed(700 - 150 * u, 190 + 10 * wave(t, 2.3)).draw(figure("far-lantern"), t)
        else:
            s.placed(250 + 20 * u, 196 + 10 * wave(t, 3.2)).draw(figure("lantern-fish"), t, max(0.15, blink(t, 2.7)))
        for x, y, size in bubbles:
            s.ellipse(x * WIDTH + 6 * wave(t, 2, x), (y * 400 - t * 40) % 400 - 20, 1 + 3 * size, paint="#bff4ff38")
