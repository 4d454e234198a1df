"""On the way: the rocket, the lighthouse, the balloons, the night train, the desert road, the morning coffee."""
# The formatter would put every point of every outline on a line of its own.
# fmt: off

from __future__ import annotations

from functools import partial

import numpy as np

from core.samples.celluloid import Look
from core.samples.colours import Gradient, fade, mix
from core.samples.faces import eyes, smile
from core.samples.outlines import HEIGHT, WIDTH
from core.samples.playbill import Frames, play
from core.samples.props import cloud, clouds, hills, moon, pine, stars, sun, water
from core.samples.stage import Layer, Stage, sky
from core.samples.streets import dashes, town, wheel
from core.samples.timing import blink, clamp, ease, shot, span, spring, sway, wave
from core.samples.weather import gull, puffs, rainfall


def _rocket(s: Stage, t: float, flame: float = 0.0) -> None:
    """Draw the rocket, its nozzle at (0, 0), with a flame from 0 to 1 and a pilot at the window."""
    if flame > 0:
        long = flame * (78 + 16 * wave(t, 0.09) + 8 * wave(t, 0.053))
        s.glow(0, long * 0.4, 120, "#ff9a3c", 0.9 * flame)
        for wide, share, ink in ((19, 1.0, "#ff5a2c"), (13, 0.75, "#ffb13d"), (7, 0.48, "#fff5c8")):
            s.placed(0, 0, 0, wide, long * share).blob("-1,-0.02 1,-0.02 0.8,0.5 0,1 -0.8,0.5", ink)
    s.twins.blob("18,-50 44,-16 42,8 20,-8", "#e8453c/#a82338")
    s.rect(-13, -10, 26, 12, "#4a4458", 4)
    s.blob("0,-150 22,-112 29,-64 22,-8 -22,-8 -29,-64 -22,-112", "#fffaf0/#d9cfd6")
    s.blob("10,-130 22,-108 29,-64 22,-8 8,-8 17,-64", "#b9aebf80")
    s.blob("0,-151 15,-126 21,-110 -21,-110 -15,-126", "#ff6250/#d0303c")
    s.rect(-25, -36, 50, 7, "#e8453c")
    s.ellipse(0, -76, 18, paint="#e0a63c")
    s.ellipse(0, -76, 14, paint="#2f5d8c/#6fc0e0")
    s.blob("-12,-66 -10,-80 0,-86 10,-80 12,-66 0,-62", "#f7c9a0")
    eyes(s, 0, -76, 9, 2.3, blink(t, 1.7))
    smile(s, 0, -71, 7, 2.5, "#7a3a2a", 1.5)
    s.line("-8,-85 -3,-88", 2, "#ffffff")


@play("rocket-launch", 0.95, hold=1)
def rocket_launch(rng: np.random.Generator, frames: Frames) -> None:
    dawn = Stage.under((0, "#263b74"), (0.45, "#c95f86"), (0.75, "#ffb077"), (1, "#ffe0a3"))
    dawn.paste(stars(rng, 40, 130))
    dawn.glow(470, 290, 220, "#ffd58a", 0.9)
    for base, ink in ((262, "#a85a86"), (286, "#6b3f78"), (312, "#38264f")):
        dawn.paste(hills(rng, base, 13, ink, 0.4))
    dawn.row(9, 0, 26).line("392,110 424,136", 2.5, "#30223f", curved=False)
    dawn.row(9, 0, 26).line("424,110 392,136", 2.5, "#30223f", curved=False)
    dawn.row(2, 33).rect(388, 96, 7, 240, "#30223f")
    dawn.rect(220, 318, 240, 50, "#241a35", 6)
    above = sky((0, "#1d3f86"), (0.5, "#6fb2dd"), (1, "#ffd3a8"))
    high = Stage.under((0, "#060a24"), (0.6, "#14265c"), (1, "#2f6fa8"))
    high.paste(stars(rng, 160))
    moon(high, 540, 80, 34)
    far, smoke = rng.random((40, 2)), rng.random((60, 2))
    veil = [(rng.uniform(0, WIDTH), rng.uniform(0, 900), rng.uniform(90, 220)) for _ in range(22)]
    speed = rng.random((44, 2))
    for s, t in frames:
        number, u = shot(t, 3.0, 4.7, 6.2)
        if number == 0:
            s.backdrop(dawn.image)
            s.line("394,210 348,210", 6, "#4a3458")
            s.placed(320, 316).draw(_rocket, t)
            puffs(s, t + 2, 290, 316, far[:14], ("#f4dfe2", "#d9b9c6"), 50, 18, 13)
            k = min(int(t), 2)
            s.ellipse(130, 150, 62 * spring((t - k) * 1.6), paint="#fff2dc")
            s.ellipse(130, 150, 54 * spring((t - k) * 1.6), paint=("#f2a541", "#ee7b3e", "#e23d44")[k])
            s.text(130, 150, str(3 - k), 78 * (0.4 + 0.6 * spring((t - k) * 1.8)), "#fff7ea", bold=1.5)
        elif number == 1:
            s.backdrop(dawn.image)
            s.glow(320, 320, 200, "#ff8a3c", clamp(u * 3) * 0.9)
            s.shake(2 + 5 * clamp(u * 2), t)
            s.placed(40 * ease(u * 2)).line("394,210 348,210", 6, "#4a3458")
            lift = 240 * max(0.0, u - 0.45) ** 2.1
            s.placed(320 + 1.6 * wave(t, 0.07), 316 - lift).draw(_rocket, t, clamp(u * 2.5))
            puffs(s, u, 250, 330, far, ("#fff0dc", "#f6c9a8", "#c98a92"), 200, 30, 62)
            puffs(s, u, 390, 330, smoke, ("#fff0dc", "#eab79f", "#a97086"), 200, 26, 58)
            s.wash(fade("#fff3d6", 0.8 * clamp(1 - u * 5)))
        elif number == 2:
            s.backdrop(above)
            for x, y, wide in veil:
                cloud(s, x, (y + u * 900) % 960 - 150, wide, "#fff6ef", "#f2b9ad")
            place = (320 + 5 * wave(t, 0.3), 262 - 10 * wave(t, 0.8), 5 * wave(t, 0.5), 1.15)
            s.placed(*place).draw(_rocket, t, 1)
            s.streaks(speed[:, 0] * WIDTH, (speed[:, 1] * 520 + u * 1500) % 520 - 100, 0, 80, 1, "#ffffff90")
            s.shake(3, t)
        else:
            s.backdrop(high.image)
            s.ellipse(250, 660, 460, paint="#7fd6f2/#1b4f94")
            s.glow(250, 420, 300, "#57b8ff", 0.5)
            clouds(s, "120,262,100 260,240,100 380,280,100 210,300,100", "#ffffffb0", None, (6 * u, u))
            x, y = 150 + 190 * ease(u / 2.6), 300 - 130 * ease(u / 2.6)
            puffs(s, u + 3, x - 42, y + 36, smoke[:24], ("#ffffff80", "#cfe8ff60"), 16, -46, 10)
            s.placed(x, y, 52, 0.8).draw(_rocket, t, 0.8)


def _lighthouse(s: Stage, lit: float) -> None:
    s.blob("-96,60 -80,14 -44,-6 0,-12 46,-4 84,20 104,60", "#3c3852/#15131f")
    s.blob("-60,20 -30,2 4,0 -20,14", "#57526e60")
    s.polygon("-30,-4 -19,-150 19,-150 30,-4", "#fff3e4/#cbb9bd")
    for low, up in ((0.05, 0.25), (0.45, 0.65), (0.85, 0.98)):
        a, b = 30 - 11 * low, 30 - 11 * up
        ring = [(-a, -4 - 146 * low), (-b, -4 - 146 * up), (b, -4 - 146 * up), (a, -4 - 146 * low)]
        s.polygon(ring, "#d9423f/#a32a3a")
    s.polygon("6,-4 5,-150 19,-150 30,-4", "#1a142840")
    s.rect(-8, -30, 16, 26, "#3a2633", 7)
    s.rect(-5, -104, 9, 14, "#ffd98a", 4)
    s.rect(-26, -156, 52, 7, "#2b2333", 2)
    s.rect(-15, -184, 30, 28, mix("#6b5a4a", "#fff2b0", lit), 3)
    s.each("-15,0 -5,0 5,0 13,0").rect(0, -184, 2, 28, "#2b2333")
    s.blob("-20,-184 0,-208 20,-184", "#d9423f")
    s.ellipse(0, -206, 3, paint="#2b2333")


def _beam(s: Stage, angle: float) -> None:
    """Sweep a beam round: towards the viewer it is short and bright."""
    long, wide = 560 * np.cos(angle), 26 + 40 * abs(np.cos(angle))
    for share in (1.0, 0.6, 0.3):
        s.polygon([(0, -3), (long, -wide * share), (long, wide * share), (0, 3)], fade("#fff0b8", 0.16))
    s.glow(0, 0, 60 + 90 * max(0.0, np.sin(angle)) ** 4, "#fff0b8", 1)


def _sail_boat(s: Stage) -> None:
    s.rect(-3, -66, 5, 60, "#2a1c22")
    s.polygon("4,-64 44,-18 4,-14", "#f2e5d5")
    s.polygon("-6,-58 -30,-18 -6,-14", "#cdb9b0")
    s.polygon("-3,-66 -22,-60 -3,-54", "#e23d44")
    s.blob("-48,-10 50,-12 36,12 -30,12", "#a8353f/#5f1c2c")
    s.line("-44,-6 46,-8", 3, "#f2e5d5")


def _storm_sea(s: Stage, t: float, top: float) -> None:
    for k, ink in enumerate(("#1d3350", "#15263f", "#0c1830", "#070f22")):
        if k == 2:
            place = (190 + 30 * wave(t, 2.9), top + 44 + 20 * wave(t, 1.1), 22 * wave(t, 1.1, 0.25), 0.9)
            s.placed(*place).draw(_sail_boat)
        foam = "#9fc4d8" if k < 3 else "#5f86a8"
        water(s, top + 26 * k, t + k * 1.7, ink, 15 + 4 * k, 190 + 40 * k, 190 + 50 * k, foam)


@play("lighthouse-storm", 0.97, Look(grain=5, vignette=0.45))
def lighthouse_storm(rng: np.random.Generator, frames: Frames) -> None:
    calm = Stage.under((0, "#35477d"), (0.5, "#d98b86"), (0.7, "#ffc98f"), (1, "#ffc98f"))
    calm.glow(150, 236, 190, "#ffe6a8", 0.9)
    calm.ellipse(150, 226, 26, paint="#fff2cf")
    clouds(calm, "120,80,150 330,50,120 560,110,140", "#f2b7a8", "#c98a94")
    wild = Stage.under((0, "#04050d"), (0.6, "#151a33"), (1, "#272b48"))
    for _ in range(26):
        x, y, r = rng.uniform(-20, WIDTH + 20), rng.uniform(-10, 96), rng.uniform(40, 86)
        wild.ellipse(x, y, r, r * 0.5, mix("#0b0e1e", "#242a47", rng.random()))
    drops, spray = rng.random((170, 3)), rng.random((26, 2))
    bolts = [np.stack([x + np.cumsum(rng.normal(0, 15, 12)), np.linspace(40, 240, 12)], axis=1) for x in (150, 520)]
    for s, t in frames:
        number, u = shot(t, 3.0, 4.9, 6.3)
        if number == 0:
            s.backdrop(calm.image)
            water(s, 246, t, "#e39a86/#35406f", 1.5, 110, 10)
            for k in range(9):
                s.rect(150 - 5 * k + 8 * wave(t, 2.4, k * 0.3), 252 + 9 * k, 9 * k + 12, 2, "#ffe6b870", 1)
            s.placed(180 + 9 * t, 268 + 2 * wave(t, 2.4), 2 * wave(t, 2.4), 0.5).draw(_sail_boat)
            s.placed(470, 296).draw(_lighthouse, 0.4)
            for k in range(3):
                place = (250 + 40 * k + 22 * t, 120 + 16 * k + 6 * wave(t, 3, k * 0.3))
                gull(s, *place, 1, 6 * wave(t, 0.7, k * 0.3), "#3c2f4d", 2.2)
            s.camera(1.04 + 0.01 * t)
            continue
        flash = max(clamp(1 - abs(u - at) * 8) for at in ((0.12, 1.2), (0.6,), (0.1, 1.4))[number - 1])
        s.backdrop(wild.image)
        s.wash(fade("#93a5ff", 0.5 * flash))
        if flash > 0.1 and number != 2:
            s.stroke(bolts[number // 2], 10, fade("#8ea8ff", 0.4 * flash))
            s.stroke(bolts[number // 2], 3, "#f2f5ff")
        if number == 2:
            _storm_sea(s, t, 196)
            s.camera(1.75, 230, 232)
        else:
            s.placed(440, 106).draw(_beam, t * 3.3)
            s.placed(440, 276).draw(_lighthouse, 1)
            for when, way in spray:
                age = (t * 1.1 + when) % 1
                place = (400 + (way - 0.5) * 190, 300 - 480 * age * (1 - age) * (0.4 + way * 0.5))
                s.placed(*place).ellipse(0, 0, 5 * (1 - age) + 1, paint="#d3e6f0c0")
            _storm_sea(s, t, 250)
        rainfall(s, drops, t, 1000, -0.55, "#c8d8ff70")
        s.wash(fade("#eef1ff", 0.45 * flash**3))
        s.shake(3, t)


def _balloon(s: Stage, x: float, inks: tuple[str, str, str], t: float) -> None:
    for dx in (-14, 14):
        s.line([(dx * 1.3, 34), (dx * 0.7, 66)], 1.3, "#5a3d3a", curved=False)
    s.ellipse(0, -14, 52, 54, inks[0])
    for wide, ink in ((44, inks[1]), (29, inks[0]), (13, inks[1])):
        s.placed(sx=wide, sy=1).blob("-1,-18 -0.75,-52 0,-68 0.75,-52 1,-18 0.7,22 0.35,42 -0.35,42 -0.7,22", ink)
    s.blob("-51,-8 51,-8 50,3 0,10 -50,3", inks[2])
    s.blob("10,-66 40,-46 51,-14 40,20 20,40 34,0 30,-40", "#5b2a4a38")
    s.ellipse(-22, -42, 7, 15, "#ffffff50", 30)
    s.rect(-14, 36, 28, 7, inks[2], 3)
    s.glow(0, 50, 22, "#ffb347", 0.5 + 0.5 * max(0.0, wave(t, 2.4, x / 300)) ** 3)
    s.rect(-11, 65, 22, 16, "#b8794a/#7c4a30", 3)
    s.rect(-12, 64, 24, 4, "#5f3828", 2)
    s.discs("-4,60,3.6 5,61,3.2", "#3a2a33")


@play("balloons-at-sunrise", 0.28, Look(grain=5, vignette=0.2))
def balloons(rng: np.random.Generator, frames: Frames) -> None:
    scenery = Stage.under((0, "#6e83b7"), (0.35, "#d7a6b8"), (0.62, "#ffd1a3"), (1, "#fff0cf"))
    ranges = [
        hills(rng, base, tall, f"{ink}/#fbe3c8", rough, 800, shadow=0)
        for base, tall, ink, rough in ((226, 34, "#c79bb0", 0.8), (262, 28, "#9f7f9f", 0.6), (300, 20, "#7b688d", 0.3))
    ]
    front = hills(rng, 330, 10, "#4a4468/#3a3658", 0.2, 800,
                  lambda s, x, y: pine(s, x, y, rng.uniform(22, 46), "#4a4468"), 18)
    mist = Stage(900, 90, None)
    for _ in range(16):
        mist.ellipse(rng.uniform(80, 820), rng.uniform(35, 60), rng.uniform(60, 130), rng.uniform(5, 12), "#fff4e080")
    fog = mist.layer(soften=6)
    fleet = (
        (610, 90, 0.2, ("#e4573d", "#ffffff", "#a83245")), (80, 236, 0.22, ("#5d7fc4", "#ffffff", "#3d568f")),
        (330, 210, 0.3, ("#8f5aa8", "#f5c6d2", "#5f3a7d")), (540, 190, 0.42, ("#f2b03d", "#fff3d8", "#c9722f")),
        (430, 110, 0.62, ("#3f8f8c", "#f6d68a", "#2a5f6b")), (190, 150, 1.05, ("#e4573d", "#fbe6c8", "#a83245")),
    )
    for s, t in frames:
        s.backdrop(scenery.image)
        sun(s, 330, 250 - 11 * t, 27, "#fff7dc", "#ffe7a0", 150, 0.85)
        clouds(s, "30,60,130 440,44,110 240,90,80", "#ffe9dccc", None, (3 * t, t), (760, 60))
        for layer, speed in zip(ranges, (1.5, 3.5, 6), strict=True):
            s.scroll(layer, 40 + t * speed)
            if speed < 6:
                s.paste(fog, -150 + 40 * speed - t * speed * 2, 232 + 8 * speed)
        for left, high, size, inks in fleet:
            x = left + t * 9 * size
            place = (x, high + (7 * wave(t, 6.5, left / 100) - t * 4) * size, sway(t, 5.5, 3, x / 200), size)
            s.placed(*place).draw(_balloon, x, inks, t)
        s.scroll(front, t * 12)
        for k in range(5):
            spot = (90 + 30 * k + 26 * t, 86 - 9 * abs(k - 2) + 4 * wave(t, 3))
            gull(s, *spot, 0.6, 3.5 * wave(t, 0.8, k * 0.17), "#5f4a6b", 1.6)


def _woman(s: Stage, t: float) -> None:
    s.blob("-70,90 -64,10 -34,-22 30,-24 62,8 74,90", "#56657f/#303a4f")
    s.blob("-30,-10 -22,-40 24,-40 32,-10 2,2", "#a8545a/#7c3c48")
    s.taper("34,10 30,48 62,56", 30, 22, "#44526b")
    with s.at(8, -66, 8 + 2 * wave(t, 3.8)):
        s.blob("-44,34 -46,-16 -20,-48 18,-46 36,-18 30,6 6,-20 -18,10 -22,44", "#2c2129")
        s.blob("-24,-18 8,-34 32,-16 36,4 42,12 34,16 34,26 20,36 -8,34 -26,14", "#e0ad93/#c28a7d")
        s.blob("-34,26 -40,-20 -16,-46 20,-44 37,-18 14,-24 -6,-6 -14,26 -26,38", "#3a2a33")
        s.ellipse(-13, 8, 5, 7, "#cf9a88")
        s.line("20,2 26,4 32,2", 2, "#3a2329")
        s.line("19,-7 26,-9 32,-6", 1.6, "#3a2329")
        s.line("27,25 32,24 35,26", 1.7, "#8f4a4a")
        s.ellipse(20, 16, 6, 4, "#d9807a60")
        tear = span(t % 4.5, 1.6, 3.6)
        if 0 < tear < 1:
            s.ellipse(26 - 2 * tear, 7 + 18 * tear, 1.8, 2.6, "#d8ecff")


def _compartment() -> Layer:
    s = Stage(colour=None)
    s.rect(0, 0, WIDTH, 34, "#2b2a33")
    s.rect(0, 268, WIDTH, 100, "#3a3640/#211f28")
    s.row(2, 590).rect(0, 0, 60, HEIGHT, "#2f2d36")
    s.rect(52, 26, 546, 10, "#4c4853", 4)
    s.rect(52, 260, 546, 12, "#57525e", 4)
    s.rect(340, 30, 9, 236, "#3d3a45")
    return s.layer(0.5)


@play("last-train-rain", 0.4, Look(grain=5, vignette=0.5, tint="#eef0f6"))
def last_train(rng: np.random.Generator, frames: Frames) -> None:
    night = Stage.under((0, "#1a2233"), (0.6, "#2e3d52"), (1, "#46546a"))
    lights = ("#c9a86a", "#8f9db0", "#b88a5a")
    far = town(rng, 1100, 250, 100, "#2a364a", lights, (34, 70), 0.3, 1.2)
    near = town(rng, 1100, 270, 140, "#1f2939", lights, (34, 70), 0.3, 1.2)
    frame = _compartment()
    beads = np.column_stack([rng.uniform(70, 585, 60), rng.uniform(40, 258, 60), rng.random((60, 2))])
    drops, lamps = rng.random((70, 3)), rng.uniform(0, 1, 7)
    for s, t in frames:
        s.backdrop(night.image)
        s.scroll(far, t * 26)
        s.scroll(near, t * 60)
        for k, seed in enumerate(lamps):
            with s.at(740 - (t * 95 + 130 * k + 40 * seed) % 910, 128):
                s.glow(0, 0, 46, "#d9a860", 0.8)
                s.ellipse(0, 0, 4, paint="#ffe9c0")
                s.rect(-1.5, 4, 3, 150, "#1b2230")
        rainfall(s, drops, t, 420, -0.75, "#b9cbe050")
        for x, y, speed, size in beads:
            fall = max(0.0, wave(t, 5 + 3 * speed, size)) * 26 * speed
            s.ellipse(x - fall * 0.5, y + fall, 1.3 + 1.9 * size, 1.6 + 2.4 * size, "#c4d6e890")
            s.ellipse(x - fall * 0.5 - 0.6, y + fall - 0.8, 0.8, paint="#ffffffa0")
            if fall > 3:
                s.line([(x, y), (x - fall * 0.5, y + fall)], 1, "#c4d6e840", caps=False)
        s.ellipse(246, 226, 30 + 3 * wave(t, 3.8), 22, fade("#d8e4ee", 0.09 + 0.06 * wave(t, 3.8)))
        s.paste(frame)
        s.placed(190, 300 + 1.5 * wave(t, 3.8)).draw(_woman, t)
        s.rect(420, 292, 150, 9, "#57525e", 4)
        s.rect(470, 270, 24, 23, "#d9d2c8/#a89f9a", 3)
        s.line("494,275 502,280 495,287", 3, "#bdb4ae")
        for x in (478, 486):
            steam = [(x + 4 * wave(t, 2.2, j * 0.2 + x * 0.0625) * (j > 0), 264 - 8 * j) for j in range(4)]
            s.line(steam, 1.6, "#d9dde430", caps=False)
        s.camera(1.08 + 0.015 * t, 310 - 6 * t, 190 + 0.6 * wave(t, 0.43))


def _cactus(s: Stage, ink: str = "#3f8f62") -> None:
    s.line("0,4 0,-62", 17, ink)
    s.line("0,-22 22,-24 24,-48", 10, ink)
    s.line("0,-32 -20,-34 -22,-54", 10, ink)
    s.row(2, 6).line("-3,-4 -3,-58", 1.2, "#2c6e4a")
    s.ellipse(0, -71, 5, paint="#ff6f91")


def _car(s: Stage, t: float) -> None:
    bounce = abs(wave(t, 0.5)) * 5
    with s.at(0, -bounce, 1.8 * wave(t, 0.5, 0.1)):
        for x, y, wide, tall, ink in ((-50, -112, 44, 24, "#b85c38"), (-4, -108, 34, 20, "#e8b84a"),
                                      (-42, -130, 34, 18, "#6b8f5a")):
            s.rect(x, y - bounce * 0.8, wide, tall, ink, 5)
            s.rect(x + wide / 2 - 3, y - bounce * 0.8, 5, tall, "#5a3426")
        s.line("-62,-86 44,-86", 3, "#5a4a4a")
        s.blob("-70,-46 -54,-82 -10,-88 34,-84 62,-48", "#38c2b8/#25a39f")
        s.blob("-56,-50 -46,-75 -10,-79 -8,-50", "#d9f6f2")
        s.blob("2,-50 0,-79 28,-76 48,-50", "#d9f6f2")
        s.ellipse(18, -58, 12, 13, "#f2b48a")
        s.blob("4,-60 8,-76 24,-77 31,-64 20,-68", "#5a2f26")
        eyes(s, 22, -58, 8, 2, blink(t, 2.1))
        s.line("18,-52 23,-50 27,-53", 1.6, "#8a3f33")
        with s.at(-38, -60, 8 * wave(t, 0.5, 0.2)):
            ear = 9 * wave(t, 0.33)
            s.blob("-16,14 -14,-10 6,-14 22,-4 20,6 2,14", "#c98a4b")
            s.blob([(-12, -8), (-34, -16 + ear), (-38, -6 + ear), (-12, 4)], "#8a552c")
            s.ellipse(21, -3, 4, 3.4, "#2b1d22")
            s.ellipse(6, -5, 2.2, 2.6, "#2b1d22")
            s.blob([(12, 6), (18, 6), (9, 19 + 3 * wave(t, 0.3)), (4, 15)], "#ff7b8a")
        s.blob("-96,-20 -92,-46 -60,-52 60,-52 98,-42 106,-20 98,-10 -92,-10", "#4bd6c8/#1d8f92")
        s.rect(-94, -30, 198, 5, "#fff3d9", 2)
        s.ellipse(100, -34, 6, 8, "#fff6c4")
        s.rect(-102, -18, 14, 7, "#d9dde0", 3)
        s.rect(94, -18, 16, 7, "#d9dde0", 3)
        s.line("-3,-48 -2,-14", 1.4, "#1b7f80")
        s.rect(-18, -42, 11, 3, "#fff3d9", 1)
    for axle in (-58, 62):
        wheel(s, axle, -10, 20, t * 700)


@play("desert-road", 0.7, Look(grain=4, vignette=0.12), hold=1)
def desert_road(rng: np.random.Generator, frames: Frames) -> None:
    scenery = Stage.under((0, "#2fb3c9"), (0.4, "#8fdcd6"), (0.68, "#ffe9a8"), (1, "#ffe9a8"))
    sun(scenery, 500, 90, 36, "#fffbe2", "#fff3b8", 190)
    mesas = Stage(1000, HEIGHT, None)
    for x, wide, tall in ((40, 150, 90), (260, 90, 60), (420, 180, 110), (690, 100, 70), (830, 130, 95)):
        with mesas.at(x, 262):
            mesas.polygon([(-24, 0), (0, -tall), (wide, -tall), (wide + 24, 0)], "#ef8a5a/#f6b079")
            mesas.polygon([(wide * 0.62, -tall), (wide, -tall), (wide + 24, 0), (wide * 0.7, 0)], "#c9624a70")
            for y in (0.25, 0.5):
                edge = [(4 - 24 * y, -tall * (1 - y)), (wide * 0.6, -tall * (1 - y))]
                mesas.line(edge, 2.5, "#d9724c", caps=False)
    rocks = mesas.layer()
    dunes = hills(rng, 268, 8, "#ffcf7d/#f4a95c", 0, 900, shadow=0)
    garden = Stage(1000, HEIGHT, None)
    for x in (60, 250, 330, 560, 720, 880):
        garden.placed(x, 290, 0, rng.uniform(0.5, 1.0)).draw(_cactus)
    for stone in rng.uniform(20, 980, 18):
        garden.ellipse(stone, 294, rng.uniform(4, 12), 4, "#c97b45")
    cacti, dust = garden.layer(), rng.random((16, 2))
    for s, t in frames:
        s.backdrop(scenery.image)
        clouds(s, "50,60,110 340,46,90 560,110,120", "#fffdf3", "#cdeee6", (-10 * t, -4 * t), (800, 80))
        s.scroll(rocks, t * 30)
        s.scroll(dunes, t * 80)
        s.scroll(cacti, t * 170)
        with s.at(760 - (t * 210) % 1500):
            s.rect(0, 206, 6, 86, "#8a5a3c")
            s.rect(-34, 192, 74, 32, "#fff3d9", 5)
            s.text(3, 208, "SEA 99", 15, "#c9503c", bold=0.3)
        s.rect(0, 290, WIDTH, 80, "#6d5f73/#4c4257")
        s.rect(0, 290, WIDTH, 4, "#fff0c9")
        dashes(s, 326, 110, t * 420 + 20, "#ffe08a", (54, 6))
        puffs(s, t + 2, 196, 322, dust, ("#f6d9a8d0", "#e8c08ad0"), 8, 22, 15, 0.7)
        s.ellipse(300, 326, 112, 8, "#2b243880")
        s.placed(300 + 10 * wave(t, 3.1), 322).draw(_car, t)


def _sill() -> Layer:
    """Return the wall round a window, its curtains, and the sill."""
    s = Stage(colour=None)
    for x in (*range(-20, 150, 40), *range(500, WIDTH, 40)):
        s.rect(x, 0, 20, HEIGHT, "#d2a97d")
        s.rect(x + 20, 0, 20, HEIGHT, "#c9a078")
    s.rect(320, 10, 10, 250, "#7d543c")
    s.rect(150, 130, 350, 8, "#7d543c")
    s.polygon("120,0 200,0 186,120 150,270 112,270", "#f3e2c9/#e0c3a0")
    s.polygon("530,0 450,0 464,120 500,270 540,270", "#f3e2c9/#e0c3a0")
    for x, lean in ((134, 4), (156, 9), (176, 14), (474, -12), (496, -8), (516, -3)):
        s.line([(x, 0), (x - lean * 0.4, 130), (x - lean, 268)], 2, "#d1ad85")
    s.rect(0, 262, WIDTH, 110, "#a8714b/#7d4d35")
    s.rect(0, 262, WIDTH, 8, "#c48d62")
    s.each("40,300 260,330 480,306").line("0,0 70,-2 130,2", 1.6, "#8a5a3d")
    return s.layer(0.35)


def _sleeping_cat(s: Stage, t: float) -> None:
    breath = 1 + 0.03 * wave(t, 3.2)
    s.ellipse(0, 2, 78, 8, "#4f2f2470")
    back = [(-74, 0), (-70, -30 * breath), (-30, -58 * breath), (24, -54 * breath), (66, -28), (72, 0)]
    s.blob(back, "#f0a35a/#d07c3c")
    for k in range(4):
        stripe = [(-34 + 20 * k, -56 * breath + 4 * abs(k - 1.3)), (-30 + 20 * k, -38), (-34 + 20 * k, -26)]
        s.line(stripe, 5, "#b9622b")
    s.taper([(66, -8), (50, 2), (10, 2), (-20, -4 + 3 * wave(t, 2.7))], 17, 12, "#d98a48")
    with s.at(-54, -16, 2 * wave(t, 3.2)):
        s.polygon("-28,-8 -26,-36 -6,-22", "#d98a48")
        s.polygon([(28, -8), (24, -36 - 3 * max(0, wave(t, 2.3)) ** 9), (5, -22)], "#d98a48")
        s.blob("-34,2 -24,-20 0,-26 24,-20 34,2 20,18 -20,18", "#f6b36e/#e4924a")
        s.blob("-14,4 0,0 14,4 10,16 -10,16", "#fff0dc")
        s.twins.line("14,-2 19,2 25,-2", 2, "#5a2f22")
        s.twins.line("14,8 36,5", 1, "#fff0dc")
        s.twins.line("14,10 35,12", 1, "#fff0dc")
        s.polygon("-3,3 3,3 0,6.5", "#c9574f")


def _cup(s: Stage, t: float) -> None:
    s.ellipse(240, 318, 74, 11, "#fff4e4")
    s.ellipse(240, 316, 52, 7, "#d9c2aa")
    s.line("276,276 304,272 300,298 272,300", 8, "#e4644f")
    s.blob("196,258 284,258 278,292 262,313 218,313 202,292", "#ef7559/#c9473f")
    s.ellipse(240, 258, 44, 9, "#fff0e0")
    s.ellipse(240, 259, 39, 7, "#5a3020")
    s.ellipse(238, 259, 22, 3.6, "#c98f5e")
    s.line("206,268 208,284 216,300", 4, "#ff9f85")
    for k in range(3):
        lean = 0.3 * k + t / 3.6
        curl = [(224 + 16 * k + (2 + 1.2 * j) * wave(lean, 1, -0.09 * j), 252 - 11 * j) for j in range(11)]
        s.taper(curl, 4, 17, Gradient(fade("#fffaf0", 0), fade("#fffaf0", 0.5 + 0.1 * wave(t, 2.3, k * 0.3))))


def _croissant(s: Stage) -> None:
    s.blob("-40,8 -26,-14 0,-22 26,-14 40,8 20,3 0,-1 -20,3", "#f2b461/#b9692b")
    s.line("-18,-12.5 -13,0", 2, "#9a5424")
    s.line("-3,-17 2,0", 2, "#9a5424")
    s.line("12,-12.5 17,0", 2, "#9a5424")


@play("rainy-morning-coffee", 0.25, Look(grain=4, vignette=0.3))
def morning_coffee(rng: np.random.Generator, frames: Frames) -> None:
    room = Stage.under((0, "#d9b48a"), (1, "#b98a68"))
    room.rect(150, 10, 350, 256, "#7d543c", 8)
    pane = Stage.under((0, "#9fb4b8"), (0.7, "#c9d4cc"), (1, "#dfe0d0"))
    for base, ink in ((190, "#a3b8ae"), (220, "#86a396"), (244, "#6a8a7d")):
        pane.paste(hills(rng, base, 16, ink, 0.3, dress=partial(pine, height=46, paint=ink), every=44))
    view, sill = pane.image.crop((320, 40, 980, 512)), _sill()
    runs, drops = np.column_stack([rng.uniform(165, 490, 34), rng.random((34, 3))]), rng.random((80, 3))
    for s, t in frames:
        s.backdrop(room.image)
        s.image.paste(view, (320, 40))
        rainfall(s, drops, t, 260, -0.08, "#f4faff58")
        for x, when, speed, size in runs:
            y = 24 + (when * 236 + t * 14 * (0.3 + speed)) % 236
            s.line([(x, max(y - 30 * speed, 20)), (x, y)], 1, "#ffffff3c", caps=False)
            s.ellipse(x, y, 1.4 + 1.6 * size, 1.9 + 2.1 * size, "#f6fbffa8")
        s.paste(sill)
        s.placed(430, 300).draw(_sleeping_cat, t)
        _cup(s, t)
        s.placed(118, 318, -8).draw(_croissant)
        s.placed(146, 326, 14).draw(_croissant)
        s.camera(1.04 + 0.008 * t, 320, 210)
