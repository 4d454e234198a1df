"""Fast: the penalty, the skater, the marbles, the corridor."""
# The formatter would put every point of every outline on a line of its own.
# fmt: off

from __future__ import annotations

import numpy as np
from PIL import Image

from core.samples.props import Draw, Play, puffs
from core.samples.sound import (
    Track,
    band,
    bass,
    bell,
    brass,
    glide,
    hat,
    heartbeat,
    kick,
    lead,
    shape,
    snare,
    strings,
    tom,
    whoosh,
)
from core.samples.stage import (
    HEIGHT,
    SUPER,
    WIDTH,
    Gradient,
    Look,
    Stage,
    clamp,
    ease,
    fade,
    hop,
    mix,
    reach,
    rgba,
    shot,
    sky,
    span,
    spring,
    wave,
)

# ---------------------------------------------------------------- the penalty


def _ball(s: Stage, x: float, y: float, r: float, turn: float) -> None:
    with s.at(x, y, turn, r):
        s.ellipse(0, 0, 1, paint=Gradient("#ffffff", "#c9cfdd"))
        s.polygon([(0.36 * np.cos(a), 0.36 * np.sin(a)) for a in np.arange(5) * 1.2566 - 1.57], "#262b3f")
        for k in range(5):
            a = k * 1.2566 - 1.57
            s.line(
                [(0.36 * np.cos(a), 0.36 * np.sin(a)), (0.7 * np.cos(a), 0.7 * np.sin(a))], 0.08, "#262b3f", caps=False,
            )
            s.polygon(
                [(0.97 * np.cos(a - 0.28), 0.97 * np.sin(a - 0.28)), (0.68 * np.cos(a), 0.68 * np.sin(a)),
                (0.97 * np.cos(a + 0.28), 0.97 * np.sin(a + 0.28))], "#262b3f",
            )


def _runner(s: Stage, x: float, y: float, t: float, kick_at: float, size: float = 1.0) -> None:
    """Draw the striker running to the right; `kick_at` from 0 to 1 swings the leg through."""
    a = 2 * np.pi * t / 0.42
    with s.at(x, y - 6 * abs(np.sin(a)) * (1 - kick_at), 0, size):
        hip, shoulder = (0, -62), (10 - 14 * kick_at, -112)
        feet = [(22 * np.cos(a + p), -4 + 26 * min(np.sin(a + p), 0) * 0.7) for p in (0, np.pi)]
        if kick_at > 0:
            feet = [(-16, 0), (-46 + 116 * ease(kick_at), -14 - 46 * ease(kick_at))]
        for foot, ink in ((feet[0], "#d99a76"), (feet[1], "#f2b48a")):
            knee = reach(hip, foot, 66, -1)
            s.line(knee, 12, ink)
            s.line([knee[1], knee[2]], 11, "#ffffff")
            s.ellipse(foot[0] + 6, foot[1], 12, 6, "#262b3f")
        s.blob([(-18, -66), (16, -68), (22, -46), (2, -42), (-20, -46)], "#ffffff")
        swing = wave(t, 0.42)
        s.line(reach(shoulder, (shoulder[0] - 28 * swing - 20 * kick_at, -76), 52, 1), 10, "#d99a76")
        s.blob([(-16, -62), (-12, -110), (8, -120), (26, -108), (20, -62)], Gradient("#ff5a4a", "#d92f3f"))
        s.text(5, -88, "9", 26, "#ffffff", bold=0.8)
        s.line(reach(shoulder, (shoulder[0] + 28 * swing + 34 * kick_at, -80 - 20 * kick_at), 52, 1), 10, "#f2b48a")
        s.ellipse(16 - 14 * kick_at, -134, 17, 18, "#f2b48a")
        s.blob(
            [(-4 - 14 * kick_at, -134), (-2 - 14 * kick_at, -154), (20 - 14 * kick_at, -158), (34 - 14 * kick_at, -144),
            (14 - 14 * kick_at, -142)], "#3a2226",
        )
        s.ellipse(24 - 14 * kick_at, -134, 2.4, 3, "#262b3f")
        s.line([(22 - 14 * kick_at, -125), (29 - 14 * kick_at, -126)], 2, "#8f3540")


def penalty(rng: np.random.Generator) -> Draw:
    stand = Stage()
    stand.backdrop(sky((0, "#0f1f4a"), (0.4, "#2b4f9c"), (1, "#2b4f9c")))
    inks = ("#ff5a4a", "#ffd04a", "#ffffff", "#4fb5e8", "#f2b48a", "#2b3563", "#e4405f")
    for row in range(9):
        stand.rect(0, 58 + 17 * row, WIDTH, 17, mix("#1a2a5a", "#25407f", row / 9))
        for x in np.arange(-6 + 7 * (row % 2), WIDTH, 14):
            stand.ellipse(
                x + rng.uniform(-2, 2), 68 + 17 * row, 4.6, 5.4, mix(inks[rng.integers(7)],
                "#16244f", 0.35 - 0.03 * row),
            )
    for x in (60, 580):
        stand.glow(x, 26, 190, "#dff0ff", 0.8)
        for k in range(8):
            stand.ellipse(x - 24 + 16 * (k % 4), 16 + 15 * (k // 4), 6, paint="#ffffff")
    stand.rect(0, 206, WIDTH, 18, "#14224a")
    for k, words in enumerate(("CUP FINAL", "90:00", "CUP FINAL", "90:00")):
        stand.text(80 + 160 * k, 215, words, 13, "#ffd04a")
    for k in range(10):
        stand.polygon(
            [(320 + (k - 5) * 70, 224), (320 + (k - 4) * 70, 224), (320 + (k - 4) * 190, 370),
            (320 + (k - 5) * 190, 370)], "#3fa45a" if k % 2 else "#4ab868",
        )
    goal = Stage(colour=None)
    for x in range(150, 500, 14):
        goal.line([(x, 96), (x, 250)], 0.9, "#ffffff90", curved=False, caps=False)
    for y in range(96, 252, 14):
        goal.line([(146, y), (494, y)], 0.9, "#ffffff90", curved=False, caps=False)
    for pts in ([(146, 252), (146, 94), (494, 94), (494, 252)],):
        goal.line(pts, 8, "#ffffff", curved=False)
    net = goal.layer()
    confetti, lines, fans = rng.random((80, 4)), rng.random((36, 2)), rng.random((30, 2))

    def keeper(s: Stage, x: float, y: float, dive: float, t: float) -> None:
        with s.at(x + 74 * dive, y - 70 * np.sin(np.pi * clamp(dive * 0.62)), 74 * dive):
            for side in (-1, 1):
                s.line(reach((side * 7, -36), (side * (14 + 12 * dive), 0), 42, side), 11, "#262b3f")
                reach_to = (side * 34, -66 - 8 * wave(t, 0.3)) if dive == 0 else (8 + side * 10, -124)
                s.line(reach((side * 14, -76), reach_to, 46, side), 11, "#ffd04a")
                s.ellipse(*reach_to, 9, paint="#ffffff")
            s.blob([(-18, -34), (-19, -78), (0, -86), (19, -78), (18, -34)], Gradient("#ffe06a", "#f2a02b"))
            s.ellipse(0, -99, 14, 15, "#e8a884")
            s.blob([(-15, -99), (-12, -116), (12, -116), (15, -99), (0, -106)], "#5a3326")
            for side in (-1, 1):
                s.ellipse(side * 5, -98, 2, 2.6, "#262b3f")
            s.ellipse(0, -90, 3, 1.5 + 3 * dive, "#8f3540")

    def crowd(s: Stage, t: float, joy: float) -> None:
        for x, y in fans:
            up = (4 + 13 * joy) * abs(wave(t, 0.36 + 0.1 * y, x))
            s.ellipse(x * WIDTH, 196 - 120 * y - up, 6, 7, inks[int(x * 7)])
            if joy:
                for side in (-1, 1):
                    s.line(
                        [(x * WIDTH + side * 5, 200 - 120 * y - up), (x * WIDTH + side * 10, 184 - 120 * y - up)], 3,
                        "#f2b48a",
                    )

    def draw(s: Stage, t: float) -> None:
        number, u = shot(t, 2.0, 3.1, 4.7)
        s.backdrop(stand.image)
        if number == 0:
            crowd(s, t, 0)
            s.rect(0, 224, WIDTH, 140, "#45ae62")
            for k in range(6):
                x = (120 * k - t * 520) % 720 - 80
                s.polygon([(x, 224), (x + 60, 224), (x + 20, 370), (x - 70, 370)], "#3fa45a")
            kick_now = span(u, 1.62, 1.95)
            bx = 900 - 260 * min(u, 1.62) - 0.0 if u < 1.62 else 478 + 900 * span(u, 1.78, 2.0)
            _ball(s, max(bx, 478) if u < 1.78 else bx, 326 - 90 * span(u, 1.78, 2.0), 15, -t * 300 if u > 1.78 else 0)
            _runner(s, 250 + 80 * u, 338, t, kick_now, 1.3)
            for k in range(6):
                s.line([(20 + 14 * k, 190 + 24 * k), (130 + 10 * k, 190 + 24 * k)], 2.4, "#ffffff90", caps=False)
            s.shake(2, t)
        elif number == 1:
            s.wash("#ff5a1c30")
            s.streaks(lines[:, 0] * 760 - 60, lines[:, 1] * HEIGHT, -220, 20, 2, "#ffffffb0")
            for k in range(6):
                s.ellipse(
                    330 - 46 * k, 190 + 6 * k, 74 - 11 * k, 70 - 11 * k,
                    fade(("#ff5a2c", "#ffb03d")[k % 2], 0.5 - 0.06 * k),
                )
            _ball(s, 340 + 10 * wave(t, 0.08), 184 + 8 * wave(t, 0.11), 78, t * 700)
            s.shake(6, t)
        else:
            crowd(s, t, float(number == 3))
            s.rect(0, 224, WIDTH, 140, Gradient("#3fa45a", "#57c474"))
            s.line([(0, 254), (WIDTH, 254)], 4, "#ffffff", curved=False, caps=False)
            fly, bulge = span(u, 0.1, 0.6), 0.0
            if number == 3:
                fly, bulge = 1.0, 24 * np.exp(-2.2 * u) * abs(np.cos(u * 9)) + 4
            s.paste(net)
            if number == 2 and fly >= 1:
                bulge = 30 * np.exp(-2.5 * (u - 0.6)) * abs(np.cos((u - 0.6) * 8))
            if bulge:
                for k in range(5):
                    s.ellipse(206, 132, 12 * k + bulge, 10 * k + bulge, fade("#ffffff", 0.16))
            dive = ease(span(u, 0.15, 0.75)) if number == 2 else 1.0
            keeper(s, 322, 252, dive, t)
            bx, by = 560 - 354 * fly, 390 - 258 * fly - 40 * np.sin(np.pi * fly)
            drop = 0 if fly < 1 else 106 * clamp((u - 0.6 if number == 2 else 1.2 + u) * 1.2) ** 2
            _ball(s, bx, min(by + drop, 246), 22 - 10 * fly, t * 500 * (drop < 100))
            if number == 3:
                pop = spring(u * 1.3)
                with s.at(320, 168, -6 + 3 * wave(t, 0.5), pop):
                    s.text(4, 5, "GOAL!", 108, "#16244f", bold=5)
                    s.text(0, 0, "GOAL!", 108, "#ffd04a", bold=3)
                for x, y, when, turn in confetti:
                    with s.at(
                        (x * WIDTH + 20 * wave(t, 1, turn)) % WIDTH, (y * 420 - 300 + u * (170 + 130 * when)),
                        360 * turn + t * 260, 1, abs(wave(t, 0.6, when)) + 0.15,
                    ):
                        s.rect(-5, -3, 10, 6, inks[int(turn * 5)])
            s.shake(4 if number == 3 else 2.5, t)

    return draw


def penalty_score(track: Track) -> None:
    rng = track.rng
    track.add(shape(band(rng, 7.5, 350, 2600, 0.6), 0.3, 0.3), gain=0.35)
    for k in range(15):
        track.add(kick(), 0.125 * k + 0.05, 0.4 + 0.03 * k)
        track.add(tom(95), 0.125 * k + 0.11, 0.3)
    track.add(shape(band(rng, 0.12, 80, 3000), 0.002, 0.1), 1.78, 2.0)
    track.add(whoosh(rng, 1.1, 400, 5000), 2.0, 1.0)
    track.add(glide(200, 1300, 1.2), 2.1, 0.12)
    track.add(shape(band(rng, 0.5, 1500, 7000), 0.01, 0.4), 3.7, 0.8)
    track.add(shape(band(rng, 3.6, 400, 3200, 0.4), 0.15, 0.6), 3.8, 1.5)
    for k in range(15):
        track.add(kick(), 3.75 + 0.25 * k, 0.9)
        track.add(snare(rng), 3.875 + 0.25 * k, 0.4)
        track.add(hat(rng), 3.8 + 0.25 * k, 0.3)
    track.play(brass, "G4 G4 G4 C5:3 E5:2 D5 C5 D5 E5:4 G5:4", 0.2, 3.75, 0.4)
    track.play(bass, "C3 C3 G2 C3 F2 F2 G2 G2 C3 C3 G2 C3 C3", 0.25, 3.75, 0.6)


# ---------------------------------------------------------------- the skater


def sunset_skater(rng: np.random.Generator) -> Draw:
    evening = Stage()
    evening.backdrop(sky((0, "#2b1b6b"), (0.4, "#c9309c"), (0.65, "#ff7a5a"), (1, "#ffd35a")))
    evening.glow(440, 190, 220, "#ffe06a", 0.8)
    evening.ellipse(440, 176, 84, paint=Gradient("#fff06a", "#ff5fa0"))
    for k in range(6):
        evening.rect(350, 182 + 13 * k, 180, 2 + 1.3 * k, "#f2578a")
    towns = []
    for base, tall, ink, lit in ((270, 130, "#8f2a86", "#ffb45a"), (296, 170, "#4f1f6f", "#5fe4f0")):
        town = Stage(960, HEIGHT, None)
        x = 0.0
        while x < 950:
            wide, high = rng.uniform(40, 84), rng.uniform(0.35, 1) * tall
            wide = min(wide, 960 - x)
            town.rect(x, base - high, wide, 200, ink)
            for wx in np.arange(x + 8, x + wide - 8, 13):
                for wy in np.arange(base - high + 10, base, 17):
                    if rng.random() < 0.4:
                        town.rect(wx, wy, 6, 8, fade(lit, rng.uniform(0.5, 1)))
            x += wide + 4
        towns.append(town.layer())
    palms = Stage(1200, HEIGHT, None)
    for x in (80, 420, 700, 1010):
        palms.taper([(x, 316), (x + 12, 200), (x + 4, 90)], 13, 7, "#260f3f")
        for a in (-165, -140, -105, -60, -30, 0, 190):
            c, d = np.cos(np.radians(a)), np.sin(np.radians(a))
            palms.taper([(x + 4, 90), (x + 4 + 34 * c, 82 + 26 * d), (x + 4 + 62 * c, 104 + 22 * d)], 11, 1, "#260f3f")
    trees = palms.layer()
    lines, sparks = rng.random((26, 2)), rng.random((14, 2))
    jumps = (1.3, 3.3, 5.9)

    def skater(s: Stage, x: float, y: float, t: float, air: float, flip: float, crouch: float) -> None:
        with s.at(x, y - 104 * air, -8 * air):
            with s.at(0, -9 + 12 * air * (flip > 0), 360 * flip):
                s.blob([(-58, -9), (-44, -2), (44, -2), (60, -10), (58, -3), (44, 4), (-44, 4), (-56, -3)], "#ff4f8a")
                for wx in (-32, 32):
                    with s.at(wx, 8, t * 900):
                        s.ellipse(0, 0, 6, paint="#fff3d6")
                        s.rect(-1, -5, 2, 5, "#3a2a4a")
            lift = 14 * air
            hip = (-4, -64 + 22 * crouch - lift)
            for foot, ink in (((30, -18 - lift), "#2b3f8f"), ((-32, -18 - lift), "#3a54b8")):
                s.line(reach(hip, foot, 74, -1), 16, ink)
                s.rect(foot[0] - 10, foot[1] - 2, 26, 11, "#fff3d6", 5)
            chest = (10, hip[1] - 46)
            s.line(reach(chest, (-44 - 10 * air, chest[1] - 4 - 26 * air), 58, 1), 12, "#e0a078")
            s.blob(
                [(hip[0] - 18, hip[1] + 6), (chest[0] - 22, chest[1] - 6), (chest[0] + 16, chest[1] - 10),
                (hip[0] + 18, hip[1] + 6)], Gradient("#ffd23d", "#f2902b"),
            )
            s.line(reach(chest, (60, chest[1] + 18 - 50 * air), 60, -1), 12, "#f2b48a")
            with s.at(chest[0] + 10, chest[1] - 28, 6):
                s.ellipse(0, 0, 18, 19, "#f2b48a")
                s.blob([(-18, -2), (-44 - 6 * wave(t, 0.2), 6 + 5 * wave(t, 0.24)), (-30, 14), (-12, 12)], "#5fe4f0")
                s.blob([(-19, 0), (-18, -16), (0, -24), (18, -14), (20, -4)], "#22b8d9")
                s.rect(4, -9, 28, 6, "#1b93b0", 3)
                s.ellipse(9, -1, 2.6, 3.2, "#2b1a3a")
                s.line([(4, 9), (10, 12), (15, 8)], 2, "#8f3540")

    def obstacle(s: Stage, x: float, kind: int, t: float) -> None:
        if kind == 0:
            s.rect(x - 26, 282, 52, 40, "#e4405f", 4)
            s.rect(x - 32, 276, 64, 10, "#ff7a8f", 4)
            s.rect(x - 6, 296, 12, 26, "#8f1f3f")
        elif kind == 1:
            for k in range(3):
                s.polygon([(x - 44 + 34 * k, 322), (x - 34 + 34 * k, 284), (x - 24 + 34 * k, 322)], "#ff8a2b")
                s.rect(x - 40 + 34 * k, 300, 12, 6, "#ffffff")
        else:
            s.blob(
                [(x - 34, 320), (x - 30, 296), (x + 8, 292), (x + 24, 280), (x + 40, 288), (x + 34, 306),
                (x + 28, 320)], "#3a1f4f",
            )
            s.polygon([(x + 14, 284), (x + 16, 268), (x + 24, 280)], "#3a1f4f")
            s.ellipse(x + 30, 290, 3.4, paint="#fff06a")
            s.line([(x - 34, 314), (x - 54, 300 + 6 * wave(t, 0.3))], 6, "#3a1f4f")

    def draw(s: Stage, t: float) -> None:
        number, _ = shot(t, 2.9, 4.3)
        near = min(jumps, key=lambda at: abs(t - at - 0.35))
        air = hop(clamp((t - near) / 0.75), 1.0)
        crouch = clamp(1 - abs(t - near + 0.08) * 6) + clamp(1 - abs(t - near - 0.83) * 6)
        s.backdrop(evening.image)
        s.scroll(towns[0], t * 90)
        s.scroll(towns[1], t * 190)
        s.scroll(trees, t * 420)
        s.rect(0, 306, WIDTH, 60, Gradient("#5f2f7f", "#3a1a5a"))
        s.rect(0, 306, WIDTH, 4, "#ff7ac4")
        for k in range(9):
            x = (100 * k - t * 900) % 900 - 120
            s.polygon([(x, 336), (x + 60, 336), (x + 48, 342), (x - 14, 342)], "#ffd35a")
        for kind, at in enumerate(jumps):
            x = 270 + (at + 0.36 - t) * 620
            if -120 < x < WIDTH + 120:
                obstacle(s, x, kind, t)
        s.streaks(lines[:, 0] * 900 - 200, 30 + lines[:, 1] * 320, 130, 0, 1, "#ffffff70")
        s.ellipse(270, 324, 56 * (1 - 0.5 * air), 6, "#1c0a3090")
        if air == 0:
            for when, way in sparks:
                age = (t * 3 + when) % 1
                s.ellipse(228 - 70 * age, 320 - 26 * way * age, 2.4 * (1 - age) + 0.4, paint="#ffe06a")
        skater(s, 270, 320, t, air, ease(clamp((t - near - 0.12) / 0.5)) * (air > 0), crouch)
        if number == 1:
            s.camera(1.7, 300, 230 - 50 * air)
        elif number == 2:
            s.camera(1.05, 320, 190)
        s.shake(2 + 5 * clamp(1 - abs(t - near - 0.8) * 8), t)

    return draw


def sunset_skater_score(track: Track) -> None:
    rng, beat = track.rng, 0.2
    for k in range(37):
        at = k * beat
        track.add(hat(rng, 0.04), at, 0.35, 0.3)
        if k % 4 in (0, 3):
            track.add(kick(), at, 1.0)
        if k % 4 == 2:
            track.add(snare(rng), at, 0.7)
    track.play(bass, "A1 A1 A2 A1 A1 A2 G1 G2 F1 F1 F2 F1 G1 G2 G1 G2 " * 2 + "A1 A2 A1 A2 A1", beat, 0, 0.8)
    track.play(
        lead, "A4 C5 E5 A5 - G5 E5 C5 A4 C5 F5 A5 G5:2 B5:2 A5 E5 C6 A5 - E5 G5 A5 F5 A5 C6 F6 E6:2 D6:2 A5:4", beat, 0,
        0.26, -0.2,
    )
    track.add(band(rng, 7.5, 200, 1400, 1), gain=0.2)
    for at in (1.3, 3.3, 5.9):
        track.add(tom(230), at, 0.7)
        track.add(whoosh(rng, 0.8, 500, 5000), at, 0.7)
        track.add(shape(band(rng, 0.2, 100, 2500), 0.003, 0.15), at + 0.76, 1.3)


# ---------------------------------------------------------------- the marbles

_LIGHT = np.array([-0.45, 0.75, -0.48])
_LIGHT = _LIGHT / np.linalg.norm(_LIGHT)


def _sphere(size_px: int, ink: str, glassy: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a lit sphere's colours, float (n, n, 3) of 0 to 255, and its coverage (n, n).

    Lambert's law for the light and a fill from the floor, Blinn's highlight, Schlick's Fresnel for the rim; the
    sky that a polished ball mirrors is a gradient with a window in it.
    """
    axis = (np.arange(size_px) + 0.5) / size_px * 2 - 1
    x, y = axis[None, :], -axis[:, None]
    square = x * x + y * y
    z = -np.sqrt(np.clip(1 - square, 0, 1))
    normal = np.stack(np.broadcast_arrays(x, y, z), axis=-1)
    lambert = np.clip(normal @ _LIGHT, 0, 1)
    half = _LIGHT + (0, 0, -1)
    gleam = np.clip(normal @ (half / np.linalg.norm(half)), 0, 1) ** 70
    fresnel = 0.05 + 0.95 * (1 - np.clip(-z, 0, 1)) ** 4
    mirrored = 2 * -z[..., None] * normal + (0, 0, 1)
    heaven = np.clip(0.5 + 0.5 * mirrored[..., 1], 0, 1)[..., None]
    room = heaven * (255, 240, 250) + (1 - heaven) * (120, 60, 130)
    window = (np.abs(mirrored[..., 0] + 0.62) < 0.22) & (np.abs(mirrored[..., 1] - 0.45) < 0.25)
    base = np.array(rgba(ink)[:3], float)
    floor = np.clip(-normal[..., 1], 0, 1)[..., None] * base * 0.35
    swirl = 0.86 + 0.14 * np.sin(7 * normal[..., 1] + 5 * normal[..., 0] ** 2 + 3 * normal[..., 0])[..., None]
    colour = base * swirl * (0.22 + 0.85 * lambert[..., None]) + floor
    colour = colour * (1 - fresnel[..., None] * glassy) + room * fresnel[..., None] * glassy
    colour += 255 * gleam[..., None] + 70 * window[..., None] * glassy
    cover = np.clip((1 - np.sqrt(square)) * size_px / 2 + 0.5, 0, 1)
    return colour.clip(0, 255), cover


def marble_dance(rng: np.random.Generator) -> Draw:
    studio = Stage()
    studio.backdrop(sky((0, "#ff9ac4"), (0.35, "#ffc9b0"), (0.58, "#ffe6c9"), (0.6, "#e0a8d9"), (1, "#7a4fb8")))
    studio.glow(320, 212, 330, "#fff3d6", 0.7)
    marbles = []
    for k, (lane, depth, size, ink) in enumerate(
        (
            (-1.5, 0.2, 34, "#ff3f5f"), (-0.75, 0.75, 44, "#ffb01f"), (0.0, 0.1, 38, "#2fc48f"),
            (0.75, 0.7, 46, "#2f8fff"), (1.5, 0.25, 34, "#9c4fff"), (-1.1, 1.0, 24, "#ffffff"),
            (1.15, 1.0, 24, "#ff7ad0"),
        )
    ):
        scale = 0.8 + 0.5 * depth
        pixels = round(2 * size * scale * SUPER)
        colour, cover = _sphere(pixels, ink, 0.85)
        ball = Image.fromarray(np.dstack([colour, cover * 255]).astype(np.uint8))
        fading = np.linspace(0.42, 0.0, pixels)[:, None]
        mirror = Image.fromarray(np.dstack([colour[::-1], cover[::-1] * 255 * fading]).astype(np.uint8))
        shade = Stage(size * scale * 4, size * scale * 1.6, None)
        shade.ellipse(size * scale * 2, size * scale * 0.8, size * scale * 1.0, size * scale * 0.3, "#3a1a5fb0")
        marbles.append((depth, lane, size * scale, k, ball, mirror, shade.layer(soften=size * 0.13)))
    marbles.sort(key=lambda m: m[0])
    tall = (0.0, 0.5, 0.25, 0.75, 0.125, 0.625, 0.375)

    def place(t: float, k: int, lane: float, depth: float) -> tuple[float, float, float]:
        """Return the floor point and the height of a marble: they bounce in canon, then orbit, then leap at once."""
        number, u = shot(t, 3.0, 5.0)
        turn = 0.9 * ease(span(t, 2.6, 5.2)) * 2 * np.pi
        x = lane * np.cos(turn) * 150 - (depth - 0.5) * np.sin(turn) * 150
        deep = depth * np.cos(turn) + lane * np.sin(turn) * 0.28 + (1 - np.cos(turn)) * 0.25
        high = 118 * hop(t + tall[k] * 0.75, 0.75) if number != 2 else 168 * hop(u, 1.0) * (1 - 0.1 * (k % 3))
        return 320 + x, 252 + 56 * deep, high

    def draw(s: Stage, t: float) -> None:
        s.backdrop(studio.image)
        pulse = max(0.0, 1 - (t % 0.375) * 5)
        s.glow(320, 236, 200 + 40 * pulse, "#ffffff", 0.25 * pulse)
        placed = sorted(((*place(t, m[3], m[1], m[0]), m) for m in marbles), key=lambda p: p[1])
        for x, y, high, (_, _, r, _, _, mirror, shade) in placed:
            s.paste(shade, x - 2 * r, y - r * 0.8)
            s.image.paste(mirror, (round((x - r) * SUPER), round((y + high * 0.5 - r * 0.1) * SUPER)), mirror)
        for x, y, high, (_, _, r, _, ball, _, _) in placed:
            squash = 0.2 * max(0.0, 1 - high / 14)
            wide, tall_px = round(2 * r * (1 + squash) * SUPER), round(2 * r * (1 - squash) * SUPER)
            shown = ball if squash == 0 else ball.resize((wide, tall_px))
            s.image.paste(shown, (round(x * SUPER - wide / 2), round((y - high) * SUPER - tall_px)), shown)
            if squash > 0.12:
                for side in (-1, 1):
                    s.line([(x + side * r * 1.1, y - 3), (x + side * r * 1.5, y - 9)], 2.4, "#ffffffd0", caps=False)
        s.camera(1.03 + 0.03 * pulse, 320, 180)

    return draw


def marble_dance_score(track: Track) -> None:
    rng = track.rng
    for k in range(19):
        at = k * 0.375
        track.add(kick(), at, 1.0)
        track.add(hat(rng, 0.05), at + 0.1875, 0.45)
        track.add(hat(rng, 0.03), at + 0.09, 0.2)
        if k % 2:
            track.add(snare(rng), at, 0.6)
    track.play(
        lead, "C5 G5 E5 C6 G5 E5 B5 G5 A4 E5 C5 A5 E5 C5 G5 E5 F4 C5 A4 F5 C5 A4 E5 C5 G4 D5 B4 G5 D5 B4 F5 D5 " * 2,
        0.1875 / 1.5, 0, 0.22,
    )
    track.play(bass, "C2 C2 C3 C2 A1 A1 A2 A1 F1 F1 F2 F1 G1 G1 G2 B1 " * 3, 0.1875, 0, 0.7)
    for k in range(9):
        track.play(bell, "C6 E6 G6 C7".split()[k % 4], 0.1, 0.75 * k + 0.19, 0.14, 0.5 - 0.25 * (k % 5))


# ---------------------------------------------------------------- the corridor


def the_corridor(rng: np.random.Generator) -> Draw:
    def corridor(light: str, dark: str) -> Image.Image:
        s = Stage(colour=dark)
        for k in range(10):
            near = 0.84**k
            x, y = 340 * near, 196 * near
            shade = mix(light, "#000000", 0.25 + 0.075 * k)
            s.polygon([(320 - x, 180 - y), (320 + x, 180 - y), (320 + x, 180 + y), (320 - x, 180 + y)], shade)
            for side in (-1, 1):
                s.polygon(
                    [(320 + side * x, 180 - y), (320 + side * x * 0.93, 180 - y * 0.86),
                    (320 + side * x * 0.93, 180 + y * 0.86), (320 + side * x, 180 + y)], mix(shade, "#000000", 0.45),
                )
                s.line(
                    [(320 + side * x * 0.965, 180 - y * 0.3), (320 + side * x * 0.965, 180 + y * 0.4)], 5 * near,
                    mix(shade, "#ffffff", 0.09), caps=False,
                )
            s.polygon(
                [(320 - x, 180 + y), (320 + x, 180 + y), (320 + x * 0.93, 180 + y * 0.86),
                (320 - x * 0.93, 180 + y * 0.86)], mix(shade, "#000000", 0.3),
            )
            s.rect(320 - x * 0.2, 180 - y * 0.98, x * 0.4, y * 0.05, mix(light, "#ffffff", 0.55 if k % 3 == 0 else 0.1))
        s.rect(284, 142, 72, 80, "#040207")
        return s.image

    red, dim, cold = corridor("#a81f2b", "#070205"), corridor("#2b0d16", "#020103"), corridor("#33404f", "#030508")
    smoke = rng.random((14, 2))

    def monitor(s: Stage, t: float, dead: bool) -> None:
        s.wash("#040806")
        s.rect(60, 40, 520, 280, "#1a2320", 18)
        s.rect(78, 58, 484, 244, "#04110b", 8)
        for x in range(90, 560, 26):
            s.line([(x, 58), (x, 302)], 0.6, "#0f3a28", caps=False)
        for y in range(70, 300, 26):
            s.line([(78, y), (562, y)], 0.6, "#0f3a28", caps=False)
        ink = "#ff3b3b" if dead else "#3dff9c"
        sweep = (t * 420) % 484
        xs = np.arange(0, 484, 4.0)
        beat = (xs / 150) % 1
        pulse = 74 * np.exp(
            -(((beat - 0.5) / 0.025) ** 2),
        ) - 30 * np.exp(-(((beat - 0.57) / 0.03) ** 2)) + 12 * np.exp(-(((beat - 0.3) / 0.05) ** 2))
        ys = 190 - (0 if dead else pulse) + np.sin(xs * 1.7 + t * 9)
        for part in (xs <= sweep, xs > sweep + 40):
            if part.sum() > 2:
                line = np.stack([xs[part] + 78, ys[part]], 1)
                s.line(line, 6, fade(ink, 0.25), curved=False, caps=False)
                s.line(line, 2.4, ink, curved=False, caps=False)
        s.glow(78 + sweep, 190, 46, ink, 0.9)
        s.text(520, 88, "---" if dead else str(118 + int(14 * t)), 34, ink, bold=0.6)
        s.ellipse(468, 88, 7 + 3 * max(0, wave(t, 0.4)), paint=ink)

    def figure(s: Stage, size: float, t: float, eyes_on: float) -> None:
        with s.at(320, 180 + 40 * size * 0.9, 0, size):
            s.blob([(-10, 6), (-13, -34), (-7, -58), (0, -66), (7, -58), (13, -34), (10, 6)], "#000000")
            for side in (-1, 1):
                s.taper([(side * 9, -46), (side * 19, -22), (side * 15 + wave(t, 0.3), 6)], 5, 1.5, "#000000")
                s.ellipse(side * 3.2, -56, 1.7, 1.1 * eyes_on, "#ff2b2b", side * 18)
                s.glow(320 * 0 + side * 3.2, -56, 9, "#ff2b2b", 0.9 * eyes_on)

    def draw(s: Stage, t: float) -> None:
        number, u = shot(t, 1.4, 3.1, 3.7, 5.0, 5.4, 6.0, 6.5, 7.1)
        if number in (0, 2, 5):
            monitor(s, t, number == 5)
            s.shake(1 + 3 * (number == 5), t)
            return
        flicker = (wave(t, 0.17) + wave(t, 0.071) + wave(t, 0.39)) > (0.4 if number > 3 else -0.6)
        if number == 1:
            s.backdrop(cold if flicker else dim)
            s.camera(1.03 + 0.12 * u)
        elif number == 3:
            s.backdrop(red if wave(t, 0.65) > 0 else dim)
            s.glow(320, 180, 240, "#ff1f1f", 0.6 * max(0, wave(t, 0.65)))
            figure(s, 1.0 + 0.25 * u, t, 1)
            s.camera(1.15 + 0.25 * u)
            s.shake(2, t)
        elif number in (4, 6, 7):
            s.backdrop(red if flicker else dim)
            size = {4: 1.9, 6: 3.2, 7: 5.4}[number]
            figure(s, size * (1 + 0.15 * u), t, 1)
            puffs(s, t + 1, 320, 330, smoke, ("#00000090",), 240, 50, 60)
            s.shake(7, t)
        else:
            s.wash("#020001")
            opened = spring(u * 3)
            for side in (-1, 1):
                s.glow(320 + side * 120, 150, 200, "#ff1010", 0.8)
                s.blob(
                    [(320 + side * 50, 172), (320 + side * 120, 150 - 44 * opened), (320 + side * 210, 110),
                    (320 + side * 130, 150 + 30 * opened)], Gradient("#ffdf5a", "#ff1f1f"),
                )
                s.ellipse(320 + side * 126, 146, 7, 36 * opened, "#100003")
            for k in range(12):
                for up in (-1, 1):
                    x = 100 + 40 * k
                    s.polygon(
                        [(x - 19, 296 + up * 70 * opened), (x + 19, 296 + up * 70 * opened),
                        (x, 296 + up * (6 + 9 * (k % 2)))], "#e8dcd0",
                    )
            s.shake(9, t)
            s.wash(fade("#000000", span(u, 0.55, 0.75)))
        s.wash(fade("#ff0f1f", 0.4 * clamp(1 - u * 7) * (number > 2)))

    return draw


def the_corridor_score(track: Track) -> None:
    rng = track.rng
    track.add(band(rng, 8, 30, 160, 1.5), gain=0.7)
    at, gap = 0.1, 0.85
    while at < 7:
        track.add(heartbeat(), at, 1.2)
        if at < 5.4:
            track.play(bell, "B5", 0.06, at, 0.12)
        at, gap = at + gap, max(gap * 0.9, 0.34)
    for cut in (1.4, 3.7, 5.0, 6.0, 6.5):
        track.add(shape(band(rng, 0.7, 60, 4000), 0.003, 0.6), cut, 0.9)
        track.add(kick(), cut, 1.4)
        track.play(strings, "B5+C6+F6", 0.4, cut, 0.3)
    for k in range(4):
        track.add(glide(520, 780, 0.6), 3.7 + 0.65 * k, 0.2)
    track.add(glide(988, 988, 0.6), 5.4, 0.35)
    track.play(strings, "E2+F2:5 E2+Bb2:3", 0.6, 2.2, 0.4)
    track.add(glide(180, 1900, 0.65, 23, 0.2), 6.5, 0.5)
    track.add(
        shape(band(rng, 0.8, 100, 7000) * 2, 0.004, 0.3) + shape(glide(210, 90, 0.8, 31, 0.5), 0.01, 0.2), 7.1, 1.3,
    )


PLAYS = {
    "penalty": Play(penalty, penalty_score, 0.92, Look(grain=4, vignette=0.2)),
    "sunset-skater": Play(sunset_skater, sunset_skater_score, 0.92, Look(grain=4, vignette=0.2)),
    "marble-dance": Play(marble_dance, marble_dance_score, 0.88, Look(grain=2, vignette=0.2)),
    "the-corridor": Play(the_corridor, the_corridor_score, 0.98, Look(grain=7, vignette=0.6)),
}
