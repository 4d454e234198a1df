"""On the way: the rocket, the lighthouse, the balloons, the night train, the desert road, the morning coffee."""
# The formatter would put every point of every outline on a line of its own.
# fmt: off

from __future__ import annotations

from functools import partial

import numpy as np

from core.samples.celluloid import Look
from core.samples.colours import Gradient, fade, mix
from core.samples.figures import figure, painted
from core.samples.outlines import HEIGHT, WIDTH
from core.samples.playbill import Frames, play
from core.samples.props import cloud, clouds, hills, moon, pine, stars, sun, water
from core.samples.stage import Stage, sky
from core.samples.streets import dashes, town
from core.samples.timing import clamp, ease, shot, span, spring, sway, wave
from core.samples.weather import gull, puffs, rainfall


@play("rocket-launch", 0.95, hold=1)
def rocket_launch(rng: np.random.Generator, frames: Frames) -> None:
    dawn = Stage.under((0, "#263b74"), (0.45, "#c95f86"), (0.75, "#ffb077"), (1, "#ffe0a3"))
    dawn.paste(stars(rng, 40, 130))
    dawn.glow(470, 290, 220, "#ffd58a", 0.9)
    for base, ink in ((262, "#a85a86"), (286, "#6b3f78"), (312, "#38264f")):
        dawn.paste(hills(rng, base, 13, ink, 0.4))
    figure("launch-pad")(dawn)
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
            s.placed(320, 316).draw(figure("rocket"), t, 0)
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
            s.placed(320 + 1.6 * wave(t, 0.07), 316 - lift).draw(figure("rocket"), t, clamp(u * 2.5))
            puffs(s, u, 250, 330, far, ("#fff0dc", "#f6c9a8", "#c98a92"), 200, 30, 62)
            puffs(s, u, 390, 330, smoke, ("#fff0dc", "#eab79f", "#a97086"), 200, 26, 58)
            s.wash(fade("#fff3d6", 0.8 * clamp(1 - u * 5)))
        elif number == 2:
            s.backdrop(above)
            for x, y, wide in veil:
                cloud(s, x, (y + u * 900) % 960 - 150, wide, "#fff6ef", "#f2b9ad")
            place = (320 + 5 * wave(t, 0.3), 262 - 10 * wave(t, 0.8), 5 * wave(t, 0.5), 1.15)
            s.placed(*place).draw(figure("rocket"), t, 1)
            s.streaks(speed[:, 0] * WIDTH, (speed[:, 1] * 520 + u * 1500) % 520 - 100, 0, 80, 1, "#ffffff90")
            s.shake(3, t)
        else:
            s.backdrop(high.image)
            s.ellipse(250, 660, 460, paint="#7fd6f2/#1b4f94")
            s.glow(250, 420, 300, "#57b8ff", 0.5)
            clouds(s, "120,262,100 260,240,100 380,280,100 210,300,100", "#ffffffb0", None, (6 * u, u))
            x, y = 150 + 190 * ease(u / 2.6), 300 - 130 * ease(u / 2.6)
            puffs(s, u + 3, x - 42, y + 36, smoke[:24], ("#ffffff80", "#cfe8ff60"), 16, -46, 10)
            s.placed(x, y, 52, 0.8).draw(figure("rocket"), t, 0.8)


def _beam(s: Stage, angle: float) -> None:
    """Sweep a beam round: towards the viewer it is short and bright."""
    figure("beam")(s, 0, 560 * np.cos(angle), 26 + 40 * abs(np.cos(angle)), max(0.0, np.sin(angle)) ** 4)


def _storm_sea(s: Stage, t: float, top: float) -> None:
    for k, ink in enumerate(("#1d3350", "#15263f", "#0c1830", "#070f22")):
        if k == 2:
            place = (190 + 30 * wave(t, 2.9), top + 44 + 20 * wave(t, 1.1), 22 * wave(t, 1.1, 0.25), 0.9)
            s.placed(*place).draw(figure("sail-boat"))
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
            s.placed(180 + 9 * t, 268 + 2 * wave(t, 2.4), 2 * wave(t, 2.4), 0.5).draw(figure("sail-boat"))
            s.placed(470, 296).draw(figure("lighthouse"), t, mix("#6b5a4a", "#fff2b0", 0.4))
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
            s.placed(440, 276).draw(figure("lighthouse"), t, "#fff2b0")
            for when, way in spray:
                age = (t * 1.1 + when) % 1
                place = (400 + (way - 0.5) * 190, 300 - 480 * age * (1 - age) * (0.4 + way * 0.5))
                s.placed(*place).ellipse(0, 0, 5 * (1 - age) + 1, paint="#d3e6f0c0")
            _storm_sea(s, t, 250)
        rainfall(s, drops, t, 1000, -0.55, "#c8d8ff70")
        s.wash(fade("#eef1ff", 0.45 * flash**3))
        s.shake(3, t)


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
            s.placed(*place).draw(figure("balloon"), t, x / 300, *inks)
        s.scroll(front, t * 12)
        for k in range(5):
            spot = (90 + 30 * k + 26 * t, 86 - 9 * abs(k - 2) + 4 * wave(t, 3))
            gull(s, *spot, 0.6, 3.5 * wave(t, 0.8, k * 0.17), "#5f4a6b", 1.6)


@play("last-train-rain", 0.4, Look(grain=5, vignette=0.5, tint="#eef0f6"))
def last_train(rng: np.random.Generator, frames: Frames) -> None:
    night = Stage.under((0, "#1a2233"), (0.6, "#2e3d52"), (1, "#46546a"))
    lights = ("#c9a86a", "#8f9db0", "#b88a5a")
    far = town(rng, 1100, 250, 100, "#2a364a", lights, (34, 70), 0.3, 1.2)
    near = town(rng, 1100, 270, 140, "#1f2939", lights, (34, 70), 0.3, 1.2)
    frame = painted("compartment", 0.5)
    beads = np.column_stack([rng.uniform(70, 585, 60), rng.uniform(40, 258, 60), rng.random((60, 2))])
    drops, lamps = rng.random((70, 3)), rng.uniform(0, 1, 7)
    for s, t in frames:
        s.backdrop(night.image)
        s.scroll(far, t * 26)
        s.scroll(near, t * 60)
        for k, seed in enumerate(lamps):
            s.placed(740 - (t * 95 + 130 * k + 40 * seed) % 910, 128).draw(figure("street-lamp"))
        rainfall(s, drops, t, 420, -0.75, "#b9cbe050")
        for x, y, speed, size in beads:
            fall = max(0.0, wave(t, 5 + 3 * speed, size)) * 26 * speed
            s.ellipse(x - fall * 0.5, y + fall, 1.3 + 1.9 * size, 1.6 + 2.4 * size, "#c4d6e890")
            s.ellipse(x - fall * 0.5 - 0.6, y + fall - 0.8, 0.8, paint="#ffffffa0")
            if fall > 3:
                s.line([(x, y), (x - fall * 0.5, y + fall)], 1, "#c4d6e840", caps=False)
        s.ellipse(246, 226, 30 + 3 * wave(t, 3.8), 22, fade("#d8e4ee", 0.09 + 0.06 * wave(t, 3.8)))
        s.paste(frame)
        s.placed(190, 300 + 1.5 * wave(t, 3.8)).draw(figure("woman"), t, span(t % 4.5, 1.6, 3.6) % 1)
        figure("train-table")(s, t)
        s.camera(1.08 + 0.015 * t, 310 - 6 * t, 190 + 0.6 * wave(t, 0.43))


@play("desert-road", 0.7, Look(grain=4, vignette=0.12), hold=1)
def desert_road(rng: np.random.Generator, frames: Frames) -> None:
    scenery = Stage.under((0, "#2fb3c9"), (0.4, "#8fdcd6"), (0.68, "#ffe9a8"), (1, "#ffe9a8"))
    sun(scenery, 500, 90, 36, "#fffbe2", "#fff3b8", 190)
    rocks = painted("mesas", width=1000)
    dunes = hills(rng, 268, 8, "#ffcf7d/#f4a95c", 0, 900, shadow=0)
    garden = Stage(1000, HEIGHT, None)
    for x in (60, 250, 330, 560, 720, 880):
        garden.placed(x, 290, 0, rng.uniform(0.5, 1.0)).draw(figure("cactus"))
    for stone in rng.uniform(20, 980, 18):
        garden.ellipse(stone, 294, rng.uniform(4, 12), 4, "#c97b45")
    cacti, dust = garden.layer(), rng.random((16, 2))
    for s, t in frames:
        s.backdrop(scenery.image)
        clouds(s, "50,60,110 340,46,90 560,110,120", "#fffdf3", "#cdeee6", (-10 * t, -4 * t), (800, 80))
        s.scroll(rocks, t * 30)
        s.scroll(dunes, t * 80)
        s.scroll(cacti, t * 170)
        s.placed(760 - (t * 210) % 1500).draw(figure("sea-sign"))
        s.rect(0, 290, WIDTH, 80, "#6d5f73/#4c4257")
        s.rect(0, 290, WIDTH, 4, "#fff0c9")
        dashes(s, 326, 110, t * 420 + 20, "#ffe08a", (54, 6))
        puffs(s, t + 2, 196, 322, dust, ("#f6d9a8d0", "#e8c08ad0"), 8, 22, 15, 0.7)
        s.ellipse(300, 326, 112, 8, "#2b243880")
        s.placed(300 + 10 * wave(t, 3.1), 322).draw(figure("travellers"), t)


def _cup(s: Stage, t: float) -> None:
    figure("cup")(s)
    for k in range(3):
        lean = 0.3 * k + t / 3.6
        curl = [(224 + 16 * k + (2 + 1.2 * j) * wave(lean, 1, -0.09 * j), 252 - 11 * j) for j in range(11)]
        s.taper(curl, 4, 17, Gradient(fade("#fffaf0", 0), fade("#fffaf0", 0.5 + 0.1 * wave(t, 2.3, k * 0.3))))


@play("rainy-morning-coffee", 0.25, Look(grain=4, vignette=0.3))
def morning_coffee(rng: np.random.Generator, frames: Frames) -> None:
    room = Stage.under((0, "#d9b48a"), (1, "#b98a68"))
    room.rect(150, 10, 350, 256, "#7d543c", 8)
    pane = Stage.under((0, "#9fb4b8"), (0.7, "#c9d4cc"), (1, "#dfe0d0"))
    for base, ink in ((190, "#a3b8ae"), (220, "#86a396"), (244, "#6a8a7d")):
        pane.paste(hills(rng, base, 16, ink, 0.3, dress=partial(pine, height=46, paint=ink), every=44))
    view, sill = pane.image.crop((320, 40, 980, 512)), painted("sill", 0.35)
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
        s.placed(430, 300).draw(figure("sleeping-cat"), t, max(0.0, wave(t, 2.3)) ** 9)
        _cup(s, t)
        s.placed(118, 318, -8).draw(figure("croissant"))
        s.placed(146, 326, 14).draw(figure("croissant"))
        s.camera(1.04 + 0.008 * t, 320, 210)
