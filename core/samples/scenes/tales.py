"""Stories: the dragon, the paper boat, the robot, the cherry blossom, the bench, the kite."""
# The formatter would put every point of every outline on a line of its own.
# fmt: off

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageChops

from core.samples.celluloid import Look
from core.samples.colours import Gradient, fade, mix
from core.samples.figures import figure
from core.samples.outlines import HEIGHT, WIDTH, outline
from core.samples.playbill import Frames, play
from core.samples.props import clouds, hills, moon, stars, sun, tree, water
from core.samples.stage import Layer, Stage
from core.samples.timing import blink, clamp, ease, shot, span, spring, sway, wave
from core.samples.weather import embers, flame, gull, heart, hearts, puffs, rainfall

_WINDOWS = "-93,-56 -40,-82 -40,-48 11,-118 11,-84 62,-74 62,-40 99,-44"
"""Where the castle's windows are."""


def _castle(s: Stage, stone: str, lit: str) -> None:
    """Draw a castle on its rock."""
    wall, rock = Gradient(mix(stone, "#8a7aa8", 0.15), stone), Gradient(mix(stone, "#000000", 0.2), "#07060d")
    figure("castle")(s, 0, stone, wall, rock, mix(stone, "#7a2b3f", 0.4), lit)


def _dragon(s: Stage, t: float, fire: float) -> None:
    """Draw the dragon flying to the right, breathing fire down and ahead (0 to 1)."""
    if fire > 0:
        for inner, ink in ((1.0, "#e8331c"), (0.72, "#ff7a24"), (0.46, "#ffb53d"), (0.22, "#fff0a8")):
            for k in range(16):
                age = (k / 16 + t * 2.2) % 1
                place = (136 + 236 * fire * age, -18 + 96 * age**1.5 + 9 * age * wave(t, 0.23, k * 0.37))
                s.placed(*place).ellipse(0, 0, (5 + 36 * age) * inner * (1 - age**5), paint=ink)
        s.glow(150 + 110 * fire, 20, 190, "#ff6a1c", fire)
    figure("dragon")(s, t, fire)


def _dragon_eye(s: Stage, u: float) -> None:
    s.wash("#0c0308")
    for k in range(60):
        row, col = divmod(k, 12)
        x = 30 + 56 * col + 28 * (row % 2)
        s.ellipse(x, 20 + 82 * row, 34, 44, mix("#2b0a14", "#451020", (k * 7 % 10) / 10))
        s.ellipse(x, 12 + 82 * row, 26, 30, mix("#3d0e1c", "#5e1526", (k * 3 % 10) / 10))
    figure("dragon-eye")(s, u, ease(span(u, 0.15, 0.55)))


def _castle_at_night(tones: tuple[str, str, str], burning: bool) -> Stage:
    s, rng = Stage.under((0, tones[0]), (0.6, tones[1]), (1, tones[2])), np.random.default_rng(3)
    s.paste(stars(rng, 110, 220))
    if not burning:
        moon(s, 520, 80, 36, "#f3ead2", "#5a68b8")
    s.paste(hills(rng, 296, 40, mix(tones[2], "#08060f", 0.55), 1.1, shadow=0))
    s.placed(400, 292).draw(_castle, *(("#16080f", "#2a0f14") if burning else ("#1c1730", "#ffcf6b")))
    s.paste(hills(rng, 336, 10, "#07060e", 0.5, shadow=0))
    return s


@play("dragon-castle", 0.98, Look(grain=5, vignette=0.5))
def dragon_castle(rng: np.random.Generator, frames: Frames) -> None:
    quiet = _castle_at_night(("#0a0d22", "#1d2147", "#3a3263"), burning=False)
    burning = _castle_at_night(("#0b0410", "#3d0b1c", "#c93a1e"), burning=True)
    sparks, smoke = rng.random((70, 4)), rng.random((22, 2))
    for s, t in frames:
        number, u = shot(t, 2.6, 3.7, 5.5, 6.6)
        if number == 0:
            s.backdrop(quiet.image)
            for k, (x, y) in enumerate(outline(_WINDOWS).tolist()):
                s.glow(400 + x, 292 + y, 16, "#ffb347", 0.6 + 0.3 * wave(t, 1.1, k * 0.21))
            s.row(3, 190, 8).ellipse(120 + 14 * t, 322, 190, 12, "#8f86c024")
            s.wash(fade("#05040c", 0.8 * ease(span(u, 1.5, 2.0)) * (1 - ease(span(u, 2.0, 2.5)))))
            s.camera(1.05 + 0.05 * t, 400, 210)
            continue
        if number == 1:
            _dragon_eye(s, u)
            s.shake(2.5, t)
            continue
        s.backdrop(burning.image)
        fire = clamp((u - 0.2) * 3) if number == 2 else 1.0
        s.glow(420, 300, 240, "#ff5a1c", 0.6 * fire * (0.8 + 0.2 * wave(t, 0.17)))
        for k in range(12):
            tall = (34 + 26 * (k * 5 % 4) / 3 + 12 * wave(t, 0.19 + 0.013 * k, k * 0.3)) * fire
            flame(s, 290 + 20 * k, 296, 15, tall)
        lift = 8 * wave(t, 0.95, 0.25)
        if number == 2:
            s.placed(-60 + 150 * u, 120 + lift, -4).draw(_dragon, t, fire)
        elif number == 3:
            s.placed(510 - 40 * u, 190 + lift, 4, -1.9, 1.9).draw(_dragon, t, 1.0)
        else:
            puffs(s, t, 400, 240, smoke, ("#1a0a10c0", "#2b1016c0"), 130, 190, 44, 1.6)
            s.placed(60 + 260 * u, 100 - 40 * u + lift, -4, 0.8).draw(_dragon, t, 0.0)
        embers(s, sparks, t * 0.55, (0, WIDTH), (360, -20), "#ff8a3d", 1.9)
        s.shake(4, t)


_PENCIL = "#3f3c46"


def _wobbly(points: str | Sequence[Sequence[float]], step: int, amount: float = 1.3) -> np.ndarray:
    """Return the points as a hand would have drawn them anew for this drawing."""
    pts = outline(points)
    return pts + np.random.default_rng(step + 1000).normal(0, amount * 0.5, pts.shape)


def _watercolour_street(rng: np.random.Generator) -> Image.Image:
    s = Stage(colour="#ece5d6")
    for _ in range(70):
        x, y, r = rng.uniform(0, WIDTH), rng.uniform(0, 250), rng.uniform(40, 130)
        s.ellipse(x, y, r, r * 0.6, fade(("#8fa0ac", "#a3a9b5", "#b9b3ad")[rng.integers(3)], 0.10))
    for k in range(9):
        x, wide, tall = -20 + 78 * k, rng.uniform(60, 84), rng.uniform(90, 170)
        wash = ("#9c8f8d", "#8796a1", "#a8998c", "#7f8a92")[k % 4]
        s.rect(x, 226 - tall, wide, tall, fade(wash, 0.5))
        s.rect(x + 3, 228 - tall, wide * 0.6, tall * 0.8, fade(wash, 0.3))
        house = [(x, 226), (x, 226 - tall), (x + wide / 2, 200 - tall), (x + wide, 226 - tall), (x + wide, 226)]
        s.stroke(_wobbly(house, k, 3), 1.5, "#4a4750c0")
        for wx in np.arange(x + 14, x + wide - 12, 22.0).tolist():
            for wy in np.arange(242 - tall, 200, 34.0).tolist():
                with s.at(wx, wy):
                    s.stroke(_wobbly("0,0 9,0 9,15 0,15 0,0", int(wx), 1.5), 1.1, "#5a565ea0")
                    if rng.random() < 0.15:
                        s.rect(0, 0, 9, 15, "#d9b26a90")
    s.rect(0, 226, WIDTH, 22, "#8a8782a0")
    for kerb in range(-10, WIDTH, 46):
        s.stroke(_wobbly([(kerb, 226), (kerb + 8, 247)], kerb + 50, 2), 1.2, "#4a4750a0")
    s.line(_wobbly([(k * 40, 247) for k in range(17)], 7, 2), 2, _PENCIL, caps=False)
    tooth = Image.fromarray(rng.normal(244, 9, (HEIGHT, WIDTH)).clip(0, 255).astype(np.uint8))
    tooth = tooth.resize((WIDTH * 2, HEIGHT * 2))
    return ImageChops.multiply(s.image, Image.merge("RGB", (tooth, tooth, tooth)))


def _paper_boat(s: Stage, step: int) -> None:
    s.blob("-44,14 0,20 44,14 30,26 -30,26", "#5f6f7c60")
    for part, fill in (("-60,-14 0,-6 60,-14 34,16 -34,16", "#fbf7ee"), ("-22,-8 0,-52 22,-8 0,-4", "#f3ede0"),
                       ("0,-52 22,-8 0,-4", "#d5d2cd"), ("-60,-14 -20,-8 -34,16", "#e4dfd5")):
        pts = _wobbly(part, step)
        s.polygon(pts, fill)
        s.stroke(np.vstack([pts, pts[:1]]), 1.8, _PENCIL)
    heart(s, 8, 4, 11, "#b8575a")


@play("paper-boat", 0.34, Look(grain=5, vignette=0.45, tint="#c4cbd6"))
def paper_boat(rng: np.random.Generator, frames: Frames) -> None:
    ground = _watercolour_street(rng)
    drops, rings, leaves = rng.random((70, 3)), rng.random((9, 3)), rng.random((7, 4))
    for s, t in frames:
        number, u = shot(t, 3.4, 6.3)
        step, bob = int(t * 8), wave(t, 1.8)
        s.backdrop(ground)
        s.rect(0, 248, WIDTH, 120, "#8ea0ab/#5f707e")
        for k in range(7):
            shift = -(t * (30 + 8 * k)) % 160
            for j in range(-1, 5):
                ripple = _wobbly("0,0 22,-3 46,0 66,-2", step + k * 9 + j, 1.6)
                s.placed(shift + 160 * j + 37 * k % 90, 262 + 15 * k).line(ripple, 1.3, "#e3e9ea90", caps=False)
        for x, y, when in rings:
            age = (t * 0.9 + when) % 1
            r, a = 3 + 13 * age, np.linspace(0, 6.283, 14)
            ring = np.stack([x * WIDTH + r * np.cos(a), 262 + y * 90 + r * 0.32 * np.sin(a)], 1)
            s.line(ring, 1, fade("#eef3f4", 0.8 * (1 - age)), caps=False)
        for x, y, when, turn in leaves:
            place = ((x * 700 + 40 * wave(t, 3, when) - t * 22) % 700 - 30, (y * 300 + t * 26) % 300 - 10)
            leaf, ink = s.placed(*place, 360 * turn + 60 * wave(t, 2, when)), ("#b8743a", "#a8503a", "#c99a4a")
            leaf.blob("-8,0 0,-4 9,0 0,4", ink[int(turn * 3)])
        if number == 0:
            s.rect(470, 130, 74, 122, "#6b6a72")
            s.line(_wobbly("470,252 470,130 544,130 544,252", 4), 2, _PENCIL, curved=False)
            figure("shadow-at-the-window")(s)
            drift = 420 - 90 * ease(span(u, 0.8, 1.6)) - 26 * u
            s.placed(drift, 290 + 3 * bob, 5 * bob, 0.9).draw(_paper_boat, step)
        elif number == 1:
            s.placed(380 - 34 * u, 282 + 5 * bob, 7 * wave(t, 1.8, 0.2), 1.7).draw(_paper_boat, step)
            s.camera(1.25, 350, 250)
        else:
            s.placed(300 - 50 * u, 272 + 2 * bob, 5 * bob, 0.6 - 0.13 * u).draw(_paper_boat, step)
            s.wash(fade("#ece5d6", ease(span(u, 1.3, 2.2)) * 0.9))
        rainfall(s, drops, t, 330, -0.12, "#56647070")


def _robot(s: Stage, t: float, lean: float, pour: float, joy: float) -> None:
    lamp = mix("#d9782d", "#ffe27a", 0.5 + 0.5 * wave(t, 1))
    figure("robot")(s, t, lean, pour, joy, "#ff5f6d" if joy > 0.2 else "#8f5a66", lamp)


def _sprout(s: Stage, grow: float, t: float) -> None:
    """Draw a dry sprout (0) that becomes a flower (1)."""
    inks = (mix("#a89a5a", ink, grow) for ink in ("#4fa35a", "#5fb86a", "#f2577f"))
    figure("sprout")(s, t, grow, *inks, spring(span(grow, 0.55, 1.0)) if grow > 0.55 else 0)


def _scrapyard(rng: np.random.Generator) -> Layer:
    s = Stage(colour=None)
    for base, ink in ((270, "#d8ab86"), (296, "#b98a76")):
        for x in range(-20, WIDTH, 30):
            with s.at(x, base - rng.uniform(0, 26), rng.uniform(-30, 30)):
                wide, high = rng.uniform(26, 54), rng.uniform(20, 44)
                s.rect(-22, -18, wide, high, mix(ink, "#8a6f78", rng.random() * 0.4), 4)
        for tyre in rng.uniform(0, WIDTH, 5):
            s.ellipse(tyre, base - 16, 20, paint=mix(ink, "#5d4a58", 0.3))
            s.ellipse(tyre, base - 16, 11, paint=ink)
        s.rect(0, base, WIDTH, 120, ink)
    return s.layer()


@play("robot-flower", 0.6, Look(grain=4, vignette=0.15))
def robot_flower(rng: np.random.Generator, frames: Frames) -> None:
    scenery = Stage.under((0, "#f3c98b"), (0.6, "#fbe6bd"), (1, "#fbe6bd"))
    sun(scenery, 480, 100, 40, "#fff8e0", "#fff3c9", 200)
    clouds(scenery, "110,70,130 330,50,90", "#fdf3dd")
    scenery.paste(_scrapyard(rng))
    scenery.paste(hills(rng, 312, 5, "#9a6b5b/#6f4a4c", 0.2))
    meadow = [(x, rng.uniform(318, 352), rng.random(), ("#ff8fa8", "#ffd35a", "#ffffff", "#9fd0ff")[k % 4])
              for k, x in enumerate(rng.uniform(20, 620, 46))]
    drops = rng.random((22, 2))
    for s, t in frames:
        number, u = shot(t, 2.6, 5.4)
        s.backdrop(scenery.image)
        if number == 0:
            x = -60 + 330 * ease(u / 2.1)
            s.placed(420, 330).draw(_sprout, 0.0, t)
            s.placed(x, 334).draw(_robot, t, 5 * wave(t, 0.6) * (1 - ease(u / 2.2)), 0, 0)
            if u > 1.9:
                s.text(x + 4, 168 - 8 * spring((u - 1.9) * 2), "!", 40, "#e4573d", bold=1.5)
        elif number == 1:
            pour, grow = ease(span(u, 0.1, 0.6)), ease(span(u, 0.8, 2.7))
            s.placed(420, 330).draw(_sprout, grow * 0.55, t)
            s.placed(300, 334).draw(_robot, t, 5 * pour, pour, 0)
            for when, way in drops if pour > 0.8 else ():
                age = (u * 1.6 + when) % 1
                s.ellipse(404 + 22 * way + 8 * age, 276 + 52 * age**2, 2.2, 3.4, "#5fc4e8")
            s.camera(1.35 + 0.05 * u, 370, 250)
        else:
            for x, y, when, ink in meadow:
                size = spring(clamp(u * 1.5 - abs(x - 420) / 260 - when * 0.2))
                if size > 0:
                    s.line([(x, y + 12), (x, y)], 2, "#4fa35a")
                    s.placed(x, y, 0, size).draw(figure("meadow-flower"), t, ink)
            s.placed(420, 330).draw(_sprout, clamp(0.55 + u * 0.8), t)
            s.placed(300, 334).draw(_robot, t, 0, 0, clamp(u * 1.6 - 0.4))
            hearts(s, 300, 190, (u - 0.7) * 0.55 + 0.3 if u > 0.7 else 0, 6, 60, 12)


def _petals(s: Stage, seeds: np.ndarray, t: float, wind: float, size: float = 1.0) -> None:
    for x, y, when, turn in seeds:
        place = ((x * 720 - t * wind * (0.5 + when) + 16 * wave(t, 2.2, turn)) % 720 - 40,
                 (y * 400 + t * 44 * (0.5 + turn)) % 400 - 20)
        angle, flat = 360 * turn + 140 * t * (turn - 0.5), 0.3 + 0.7 * abs(wave(t, 1.6, when))
        petal = s.placed(*place, angle, size * (0.6 + when), size * flat)
        petal.polygon("-5,0 -1,-4 5,-2 3.4,0 5,2 -1,4", ("#ffd9e6", "#ffb7cf", "#fff0f5")[int(turn * 3)])


def _student(s: Stage, t: float, boy: bool, gust: float) -> None:
    """Draw a student from the waist up with big eyes; gust (0 to 1) blows hair and scarf."""
    hair, shine = ("#2b2f4f", "#5a66a0") if boy else ("#6b3a3f", "#b8705f")
    coat, iris = ("#2f3f6f/#1f2a52", "#2b2348/#5b8fe0") if boy else ("#fbfbff/#cfd6ee", "#3d1f2e/#d9744f")
    flow, opened = gust * (20 + 6 * wave(t, 0.3)) + 5 * wave(t, 2.6), max(blink(t, 2.4, 0.5 if boy else 0.0), 0.12)
    dark, shade = Gradient(hair, mix(hair, "#1a1020", 0.3)), Gradient(mix(hair, shine, 0.35), hair)
    lit = mix(hair, shine, 0.3)
    figure("student")(s, t, boy, flow, opened, hair, dark, shade, lit, fade(shine, 0.8), coat, iris)


def _crossing(rng: np.random.Generator) -> Layer:
    s = Stage(colour=None)
    figure("crossing")(s)
    for ink, shift in (("#f08fb0", 8), ("#ffb7cf", 0), ("#ffd9e6", -9)):
        for x, y in ((40, 70), (150, 10), (600, 50), (500, -10), (-10, 150), (660, 150), (90, -10), (560, 110)):
            for _ in range(9):
                s.ellipse(x + rng.normal(0, 34), y + rng.normal(0, 26) + shift, rng.uniform(12, 24), paint=ink)
    return s.layer()


@play("blossom-crossing", 0.5, Look(grain=3, vignette=0.15))
def blossom_crossing(rng: np.random.Generator, frames: Frames) -> None:
    spring_sky = Stage.under((0, "#5f9fe8"), (0.45, "#a9d3f5"), (0.75, "#ffdfe0"), (1, "#ffcfae"))
    clouds(spring_sky, "140,110,220 430,80,280 620,150,200", "#ffffff", "#cfd9f2")
    blossom, petals, lines = _crossing(rng), rng.random((60, 4)), rng.random((46, 2))
    soft = Stage.under((0, "#ffd3dc"), (0.5, "#ffe6d3"), (1, "#ffc9a0"))
    for x, y, r in rng.uniform((0, 0, 14), (WIDTH, HEIGHT, 52), (26, 3)):
        soft.ellipse(x, y, r, paint="#ffffff2c")
    soft.glow(500, 80, 300, "#fff0b8", 0.9)
    for s, t in frames:
        number, u = shot(t, 2.4, 3.5, 5.1, 6.5)
        if number in (0, 2):
            rushing = number == 2
            s.backdrop(spring_sky.image)
            s.paste(blossom)
            if rushing:
                for k in range(-1, 4):
                    s.placed(230 * k - (t * 1500) % 230).draw(figure("carriage"))
                s.streaks(lines[:, 0] * 800 - 80, 90 + lines[:, 1] * 180, 170, 0, 1.2, "#ffffffb0")
                s.shake(2.5, t)
            s.placed(300, 344, 0, 0.5).draw(figure("small-girl"), t, float(rushing))
            left, arm = int(t * 2.6) % 2, 0 if rushing else 84 * (1 - ease(span(u, 0.5, 1.6)))
            s.placed(420).draw(figure("signal"), t, left, 1 - left, arm)
            _petals(s, petals, t, 420 if rushing else 40)
            if not rushing:
                s.camera(1.04 + 0.03 * u, 310, 190)
        elif number in (1, 3):
            boy = number == 3
            s.backdrop(soft.image)
            for y in (40, 90, 300, 330) if boy else ():
                s.streaks(lines[:, 0] * 900 - 100, y + lines[:, 1] * 30, 240, 0, 1, "#ffffff90")
            s.placed(340 if boy else 300, 214, 0, 1.5).draw(_student, t, boy, 0.8 if boy else 0.3)
            _petals(s, petals[:34], t, 260 if boy else 90, 1.7)
            s.camera(1.03 + 0.05 * u)
        else:
            s.backdrop(soft.image)
            s.glow(320, 190, 260, "#fff3d6", 0.8)
            s.placed(170 + 16 * ease(u), 250, 0, 1.15).draw(_student, t, False, 0.2)
            s.placed(470 - 16 * ease(u), 244, 0, 1.2).draw(_student, t + 1, True, 0.2)
            hearts(s, 320, 220, u * 0.5 + 0.5, 5, 26, 10)
            _petals(s, petals, t, 60, 1.4)


@play("bench-at-sunset", 0.4, Look(grain=5, vignette=0.3))
def bench(rng: np.random.Generator, frames: Frames) -> None:
    scenery = Stage.under((0, "#6b2f6b"), (0.35, "#d9536a"), (0.58, "#ff9a5a"), (0.68, "#ffd38a"), (1, "#ffd38a"))
    for spot, ink in (("110,70,190", "#b84a72"), ("520,96,220", "#e87568"), ("330,46,130", "#a8406f"),
                      ("60,150,120", "#ff9f70")):
        clouds(scenery, spot, ink)
    front = Stage(colour=None)
    figure("old-tree")(front)
    for _ in range(80):
        x, y, r = 530 + rng.normal(0, 62), 36 + rng.normal(0, 30), rng.uniform(10, 22)
        front.ellipse(x, y, r, paint=("#4f1f45", "#6b2a4a", "#8a3a4f")[rng.integers(3)])
    for x in rng.uniform(0, WIDTH, 70):
        front.line([(x, 312), (x + rng.uniform(-8, 8), rng.uniform(282, 300))], 1.6, "#331533")
    near = front.layer()
    leaves, sparks = rng.random((14, 4)), rng.random((40, 3))
    for s, t in frames:
        s.backdrop(scenery.image)
        sun(s, 320, 196 + 5.5 * t, 54, "#fff3b8/#ffb05a", "#ffe08a", 230, 0.75)
        water(s, 242, t, "#f28a5a/#6b2450", 1.2, 100, 8)
        for k in range(11):
            wide = 92 - 5 * k + 26 * wave(t, 2.1 + 0.2 * k, k * 0.37)
            left, shine = 320 - wide / 2 + 5 * wave(t, 3, k * 0.2), fade("#ffe9a8", 0.75 - 0.05 * k)
            s.rect(left, 246 + 5.4 * k, wide, 2.4, shine, 1)
        for k in range(2):
            place = (470 - 30 * t + 34 * k, 130 + 14 * k + 5 * wave(t, 2.4))
            gull(s, *place, 1, 6 * wave(t, 0.9, k * 0.3), "#4a1f47")
        s.paste(near)
        figure("lovers")(s, t, ease(span(t, 1.5, 4)))
        for x, _, when, turn in leaves:
            age = (t * 0.13 + when) % 1
            place = (480 + 90 * x - 200 * age + 20 * wave(t, 2.6, turn), 40 + 300 * age)
            leaf = s.placed(*place, 360 * turn + 120 * t * (turn - 0.5), 1, abs(wave(t, 1.7, x)) + 0.2)
            leaf.blob("-6,0 0,-3.4 7,0 0,3.4", "#d9536a")
        hearts(s, 316, 186, (t - 4.0) * 0.28, 5, 22, 10)
        for x, y, when in sparks:
            place = (x * WIDTH, 290 + 60 * y - 30 * ((t * 0.15 + when) % 1))
            s.glow(*place, 7, "#ffd98a", max(0.0, wave(t, 2.6, when)) * 0.9)
        s.camera(1.03 + 0.035 * t, 318, 220)


def _person(
    s: Stage, x: float, y: float, size: float, t: float, inks: tuple[str, str, str, str], hand: tuple[float, float],
    long_hair: bool,
) -> tuple[float, float]:
    """Draw one of the family, with skin, hair, top and legs of these inks; return where the raised hand is."""
    jump, near = 5 * abs(wave(t, 0.8, x / 700)), 1 if hand[0] > 0 else -1
    who = s.placed(x, y - jump * size, sway(t, 1.6, 2, x / 300), size)
    who.draw(figure("person"), t, x / 100, *inks, long_hair, near, *hand)
    return x + hand[0] * size, y + (hand[1] - jump) * size


@play("kite-day", 0.65, Look(grain=4, vignette=0.1))
def kite_day(rng: np.random.Generator, frames: Frames) -> None:
    scenery = Stage.under((0, "#3fa7e8"), (0.6, "#a8e0f7"), (1, "#e8f9f0"))
    sun(scenery, 90, 70, 32, "#fffbe0", "#fff3b0", 180)
    leaves = ("#4fa868", "#62bb74", "#86d08a")
    back = hills(rng, 250, 22, "#a3dc8f/#82c97d", 0, 800,
                 lambda s, x, y: tree(s, x, y, rng.uniform(30, 56), leaves), 64)
    hill = Stage(colour=None)
    hill.blob("-60,420 -60,320 140,278 330,268 520,292 700,330 700,420", "#7cd069/#3d9a55")
    for x in rng.uniform(0, WIDTH, 60):
        y = 300 + 50 * rng.random()
        hill.ellipse(x, y, 2.4, paint=("#ffffff", "#ffd23d", "#ff8fb0")[rng.integers(3)])
    for x in rng.uniform(0, WIDTH, 90):
        hill.placed(x, rng.uniform(298, 350)).line("0,0 3,-7", 1.4, "#2f874a80")
    ground = hill.layer(0.2)
    for s, t in frames:
        s.backdrop(scenery.image)
        clouds(s, "90,96,140 330,60,110 570,130,150", "#ffffff", "#d3ecf5", (9 * t, 4 * t), (820, 90))
        s.paste(back, -40 - 2 * t)
        s.paste(ground)
        _person(s, 170, 306, 1.0, t, ("#f2b48a", "#5a3426", "#ffcf4a", "#3f5f9c"), (30, -96), True)
        grip = _person(s, 262, 300, 0.7, t + 0.3, ("#f2b48a", "#8a4a2b", "#ff6f5f", "#3f7f8c"), (26, -110), False)
        _person(s, 352, 298, 1.1, t + 0.7, ("#e0a078", "#3a2a2a", "#4f8fd0", "#6b5344"), (-30, -92), False)
        s.placed(470, 318).draw(figure("dog"), t)
        kx, ky = 470 + 40 * wave(t, 3.4) + 10 * wave(t, 1.3), 96 + 26 * wave(t, 2.3, 0.2)
        s.line([grip, ((grip[0] + kx) / 2, (grip[1] + ky) / 2 + 26), (kx, ky + 8)], 1.3, "#5a4a5a")
        tail = [(kx - 8 * k + 10 * wave(t, 1.0, -k * 0.17), ky + 40 + 15 * k) for k in range(7)]
        s.line(tail, 2, "#e4403f")
        for k, (x, y) in enumerate(tail[1:]):
            with s.at(x, y, 30 * wave(t, 0.8, k * 0.2)):
                s.twins.polygon("9,-5 0,0 9,5", ("#ffd23d", "#4fc3c9", "#ff8fb0")[k % 3])
        s.placed(kx, ky, 24 + 14 * wave(t, 1.9)).draw(figure("kite"), t)
