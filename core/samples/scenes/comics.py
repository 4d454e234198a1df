"""For laughs: the pancake, the penguin, the clay monster, the ghost, and the cats who can play."""
# The formatter would put every point of every outline on a line of its own.
# fmt: off

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops

from core.samples.props import (
    Draw,
    Play,
    cheeks,
    cloud,
    eyes,
    goggles,
    moon,
    puffs,
    smile,
    snowfall,
    stars,
    sway,
)
from core.samples.sound import (
    Track,
    band,
    bass,
    bell,
    boing,
    brass,
    clarinet,
    glide,
    hat,
    kick,
    pluck,
    pop,
    shape,
    snare,
    strings,
    tom,
    whoosh,
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
    hop,
    mix,
    reach,
    shot,
    sky,
    span,
    spring,
    wave,
)

# ---------------------------------------------------------------- the pancake


def _pancake(s: Stage, x: float, y: float, size: float, tilt: float, face: float, t: float) -> None:
    """Draw the pancake from the side, with a worried face from 0 (none) to 1."""
    with s.at(x, y, tilt, size):
        s.ellipse(0, 4, 52, 17, "#b8702f")
        s.ellipse(0, 0, 52, 16, Gradient("#ffdc8a", "#eda94e"))
        s.ellipse(-6, -3, 36, 9, "#ffe9b060")
        if face > 0:
            goggles(s, 0, -12, 24, 10 * face, 1, (0.6 * wave(t, 0.5), -0.6))
            s.ellipse(0, 5, 6, 5 * face, "#7a3a1c")


def _cook(
    s: Stage, x: float, y: float, t: float, look: tuple[float, float], pan: tuple[float, float], squash: float,
) -> None:
    with s.at(x, y, 0, 1 + 0.25 * squash, 1 - 0.3 * squash):
        s.blob([(-64, 70), (-60, -30), (-34, -62), (34, -62), (60, -30), (64, 70)], Gradient("#ffffff", "#d9dbe4"))
        s.rect(-36, -20, 72, 100, "#e4503f", 16)
        for k in range(3):
            s.ellipse(0, -44 + 14 * k, 3, paint="#8a93a6")
        s.line(reach((46, -44), pan, 88, -1), 24, "#eceef4")
        s.ellipse(pan[0], pan[1], 14, paint="#ffc9a3")
        s.line(reach((-48, -44), (-70, 10), 66, 1), 24, "#eceef4")
        s.ellipse(-70, 12, 13, paint="#ffc9a3")
        s.blob([(-26, -56), (0, -44), (26, -56), (18, -66), (-18, -66)], "#e4503f")
        s.ellipse(0, -100, 46, 44, Gradient("#ffd8b5", "#ffbe94"))
        for side in (-1, 1):
            s.ellipse(side * 46, -98, 9, 11, "#ffbe94")
        goggles(s, 0, -112, 34, 15, blink(t, 2.4), look)
        s.ellipse(0, -92, 12, 10, "#ff9f7d")
        s.blob([(0, -84), (-14, -78), (-36, -88), (-30, -70), (0, -72), (30, -70), (36, -88), (14, -78)], "#5a3326")
        s.ellipse(0, -67, 8, 4 + 5 * abs(look[1]), "#8f3540")
        cheeks(s, 0, -88, 66, 10)
        s.rect(-38, -158, 76, 30, "#f4f5fa", 6)
        for dx, r in ((-28, 22), (0, 27), (28, 22)):
            s.ellipse(dx, -164, r, r * 0.9, "#ffffff")
        s.line([(-34, -134), (34, -134)], 2, "#d3d7e4")


def pancake(rng: np.random.Generator) -> Draw:
    kitchen = Stage(colour="#ffe2b0")
    for row in range(9):
        for col in range(18):
            kitchen.rect(
                col * 38 + (19 if row % 2 else 0) - 19, row * 26, 36, 24, "#ffd99b" if (row + col) % 3 else "#ffcf87",
                4,
            )
    kitchen.rect(40, 50, 120, 110, "#fff6e3", 8)
    kitchen.rect(50, 60, 100, 90, Gradient("#7fd0f2", "#d9f4f7"), 4)
    cloud(kitchen, 100, 120, 60, "#ffffff")
    kitchen.rect(98, 60, 5, 90, "#fff6e3")
    kitchen.rect(430, 90, 190, 9, "#b8743f", 3)
    for x, ink, tall in ((450, "#5fb3a8", 42), (496, "#e4644f", 34), (536, "#f2b03d", 46), (582, "#7f6fc0", 36)):
        kitchen.rect(x - 15, 90 - tall, 30, tall, ink, 7)
        kitchen.rect(x - 15, 84 - tall, 30, 9, mix(ink, "#3a2a2a", 0.3), 4)
    kitchen.rect(0, 282, WIDTH, 90, Gradient("#c9844f", "#965a34"))
    kitchen.rect(0, 278, WIDTH, 10, "#e0a468")
    kitchen.rect(380, 250, 170, 32, "#4a4a5a", 6)
    air = sky((0, "#0a1038"), (0.45, "#3f7fc9"), (1, "#bfe8f7"))
    space = Stage()
    space.backdrop(sky((0, "#0a0a2a"), (1, "#2b2360")))
    space.paste(stars(rng, 150))
    moon(space, 500, 96, 44)
    space.ellipse(320, 560, 320, paint=Gradient("#5fc4e8", "#2b6fb0"))
    clouds = [(rng.uniform(0, WIDTH), rng.uniform(0, 900), rng.uniform(70, 170)) for _ in range(14)]
    steam = rng.random((10, 2))

    def pan(s: Stage, x: float, y: float, tilt: float) -> None:
        with s.at(x, y, tilt):
            s.line([(-110, 6), (-40, 4)], 10, "#5a3a2a")
            s.blob([(-54, -6), (54, -6), (42, 14), (-42, 14)], Gradient("#5a5a6b", "#33333f"))
            s.ellipse(0, -6, 55, 8, "#45455450")

    def draw(s: Stage, t: float) -> None:
        number, u = shot(t, 2.7, 3.9, 5.3)
        if number == 0:
            s.backdrop(kitchen.image)
            small, big = hop(u - 0.3, 0.75) * (0.3 < u < 1.8), span(u, 2.0, 2.5)
            dip = 12 * wave(u, 0.75, 0.55) if u < 1.8 else 36 * ease(
                span(u, 1.8, 2.02),
            ) - 70 * spring(span(u, 2.02, 2.5))
            _cook(
                s, 300, 300, t, (0.4, -0.2 - 0.8 * max(small, big)), (74, -60 + dip),
                0.5 * ease(span(u, 1.8, 2.0)) * (u < 2.05),
            )
            pan(s, 470, 236 + dip, -4 - 10 * (big > 0))
            y = 226 + dip if big == 0 and small == 0 else 226 - 80 * small if big == 0 else 226 - 420 * big
            puffs(s, t + 1, 470, 214 + dip, steam, ("#ffffff50",), 22, 60, 12)
            _pancake(s, 470, y, 1, 360 * (small > 0) * (u / 0.75 - 0.4) if small else 0, 0, t)
            if big > 0:
                s.streaks([440, 470, 500], [y + 40, y + 60, y + 40], 0, 90, 2, "#ffffffc0")
        elif number == 1:
            s.backdrop(air)
            for x, y, wide in clouds:
                cloud(s, x, (y + u * 1100) % 940 - 160, wide, "#ffffff", "#cfe4f4")
            bird = 420 - 300 * u
            with s.at(bird + 60, 210):
                s.blob([(-26, 0), (0, -16), (22, -6), (30, 2), (0, 14)], "#f2f4fa")
                s.blob([(-8, -2), (-22, -30 * wave(t, 0.3)), (10, -4)], "#cdd6ea")
                goggles(s, -14, -10, 12, 6, 1, (0.9, -0.6))
                s.polygon([(-28, -2), (-44, 3), (-27, 5)], "#f2a03d")
            _pancake(s, 320 + 8 * wave(t, 0.2), 176 + 10 * wave(t, 0.7), 1.7, 14 * wave(t, 0.5), 1, t)
            s.streaks([230, 270, 370, 410, 320], [230, 260, 260, 230, 280], 0, 110, 2, "#ffffffb0")
        elif number == 2:
            s.backdrop(space.image)
            hover = ease(u / 0.4) * (1 - ease(span(u, 1.0, 1.4)))
            y = 380 - 230 * hover
            _pancake(s, 300, y, 1.4, 16 * wave(u, 1.2), 1, t)
            with s.at(470 - 12 * u, 240, 12 * wave(t, 2)):
                s.rect(-56, -10, 34, 20, "#4f7fc9", 2)
                s.rect(22, -10, 34, 20, "#4f7fc9", 2)
                s.rect(-18, -16, 36, 32, Gradient("#f4f0e6", "#b9b3c0"), 6)
                goggles(s, 0, -4, 16, 7, 1, (-0.9, -0.4 + 0.8 * (y > 200)))
            if hover > 0.9:
                s.text(300, 84, "?", 44, "#fff3c9", bold=1)
        else:
            s.backdrop(kitchen.image)
            landed, fall = u > 0.75, span(u, 0.45, 0.75)
            flat = (1 - spring((u - 0.75) * 1.6)) if landed else 0
            _cook(s, 300, 300, t, (0, -0.9) if not landed else (0.8 * wave(t, 0.6), 0.3), (74, -60), flat)
            pan(s, 470, 236, -4)
            if not landed:
                if fall > 0:
                    _pancake(s, 300, -60 + 208 * fall**2, 1.1, 0, 1, t)
                s.ellipse(300, 130, 30 * fall, 4, "#5a3a2a40")
            else:
                with s.at(300, 150 + 70 * 0.45 * flat):
                    droop = 26 + 4 * wave(t, 0.6)
                    s.blob(
                        [(-66, droop), (-60, -8), (-30, -22), (30, -22), (60, -8), (66, droop), (48, droop + 8),
                        (40, 8), (-40, 8), (-48, droop + 8)], Gradient("#ffdc8a", "#e09a45"),
                    )
                    s.rect(-11, -34, 24, 15, "#fff0a0", 4)
                    s.blob([(-4, -20), (18, -20), (26, 4), (22, 14), (14, 2), (2, -6)], "#c9702bc0")
                for k in range(6):
                    with s.at(300 + 86 * np.cos(t * 3 + k * 1.05), 118 + 18 * np.sin(t * 3 + k * 1.05), t * 200):
                        for a in (0, 72, 144, 216, 288):
                            with s.at(0, 0, a):
                                s.polygon([(-3, 0), (0, -10), (3, 0)], "#ffc93d")
            s.shake(7 * max(0, 1 - (u - 0.75) * 4) if landed else 0, t)

    return draw


def pancake_score(track: Track) -> None:
    rng = track.rng
    track.play(clarinet, "C4 E4 G4 E4 A4 G4 E4 C4 D4 F4", 0.21, 0, 0.25)
    track.play(bass, "C3 G2 C3 G2 D3", 0.42, 0, 0.4)
    track.add(band(rng, 2.7, 3000, 9000), 0, 0.04)
    for at in (0.35, 1.05):
        track.add(glide(400, 900, 0.3), at, 0.2)
        track.add(tom(180), at + 0.68, 0.4)
    track.add(glide(260, 2400, 2.0), 2.1, 0.3)
    track.add(whoosh(rng, 1.2), 2.6, 0.5)
    track.play(bell, "E6 - C6 - G6", 0.22, 4.0, 0.2)
    track.add(glide(2300, 260, 1.1), 5.0, 0.3)
    track.add(boing(), 6.05, 0.9)
    track.add(kick(), 6.05, 1.0)
    track.add(shape(band(rng, 0.25, 300, 3000), 0.005, 0.2), 6.05, 0.9)
    for k in range(5):
        track.play(bell, "A6", 0.05, 6.3 + 0.18 * k, 0.08)
    track.play(brass, "Bb3 A3 Ab3:3", 0.2, 6.4, 0.25)


# ---------------------------------------------------------------- the penguin


def _penguin(
    s: Stage, x: float, y: float, angle: float, t: float, walk: float, shock: float, stretch: float = 0.0,
) -> None:
    """Draw the penguin standing at (x, y); `shock` opens eyes and beak, `stretch` squashes (-) or lengthens (+)."""
    with s.at(x, y, angle, 1 - 0.5 * stretch, 1 + stretch):
        step = wave(t, 0.55) * walk
        for side in (-1, 1):
            s.blob(
                [(side * 14 - 12, 2), (side * 14 - 8, -8 - 7 * max(0, side * step)),
                (side * 14 + 14, -5 - 7 * max(0, side * step)), (side * 14 + 18, 2)], "#ff9a3d",
            )
        with s.at(0, -4, 7 * step):
            flap = 60 * shock * abs(wave(t, 0.16)) + 12 + 6 * step
            for side in (-1, 1):
                with s.at(side * 30, -66, -side * flap):
                    s.blob([(-7, -4), (7, -4), (9, 30), (0, 44), (-9, 30)], "#24304f")
            s.blob(
                [(-36, -2), (-40, -46), (-32, -92), (0, -112), (32, -92), (40, -46), (36, -2), (0, 4)],
                Gradient("#3a4a78", "#1f2a48"),
            )
            s.blob(
                [(-24, -4), (-28, -42), (-20, -68), (0, -74), (20, -68), (28, -42), (24, -4), (0, 0)],
                Gradient("#ffffff", "#dfe6f4"),
            )
            s.blob([(-22, -78), (-20, -98), (0, -90), (20, -98), (22, -78), (0, -66)], "#ffffff")
            s.polygon([(-12, -58), (0, -53), (-12, -47)], "#e4403f")
            s.polygon([(12, -58), (0, -53), (12, -47)], "#e4403f")
            s.ellipse(0, -53, 3.6, paint="#b82b36")
            if shock > 0.3:
                goggles(s, 2, -87, 22, 11, 1, (0.4 * wave(t, 0.3), 0))
            else:
                eyes(s, 2, -86, 20, 4, blink(t, 2.0))
            s.polygon([(-7, -80), (12, -79), (3, -70 - 2 * shock)], "#ffb03d")
            if shock > 0.3:
                s.polygon([(-6, -72), (10, -72), (3, -60)], "#e8862b")
            cheeks(s, 2, -78, 38, 5)
            s.rect(-15, -128, 30, 20, "#1c1c28", 3)
            s.rect(-24, -112, 48, 6, "#1c1c28", 3)
            s.rect(-15, -116, 30, 5, "#e4403f")


def penguin_slip(rng: np.random.Generator) -> Draw:
    scenery = Stage()
    scenery.backdrop(sky((0, "#69b9ec"), (0.6, "#c9ecf9"), (1, "#eefaff")))
    for x, y, wide in ((120, 70, 130), (380, 44, 100), (560, 96, 130)):
        cloud(scenery, x, y, wide, "#ffffff", "#d5eaf5")
    bergs = Stage(1100, HEIGHT, None)
    for x, wide, tall in ((20, 150, 90), (230, 110, 60), (420, 190, 120), (700, 120, 66), (880, 170, 100)):
        bergs.polygon(
            [(x, 270), (x + wide * 0.2, 270 - tall * 0.7), (x + wide * 0.45, 270 - tall),
            (x + wide * 0.7, 270 - tall * 0.6), (x + wide, 270)], Gradient("#ffffff", "#a9d9f0"),
        )
        bergs.polygon(
            [(x + wide * 0.45, 270 - tall), (x + wide * 0.7, 270 - tall * 0.6), (x + wide, 270),
            (x + wide * 0.55, 270)], "#7fbfe460",
        )
    ice = bergs.layer()
    flakes, dust = rng.random((40, 3)), rng.random((16, 2))

    def snowman(s: Stage, x: float, y: float, t: float, fright: float) -> None:
        with s.at(x, y, sway(t, 0.14, 5 * fright)):
            for dy, r in ((-26, 34), (-72, 25), (-108, 19)):
                s.ellipse(0, dy, r, r * 0.95, Gradient("#ffffff", "#cfe0f2"))
            s.line([(-22, -76), (-52, -92 - 20 * fright)], 4, "#7a5138", curved=False)
            s.line([(22, -76), (52, -90 - 20 * fright)], 4, "#7a5138", curved=False)
            for dy in (-80, -66):
                s.ellipse(0, dy, 3, paint="#2b2b3a")
            if fright > 0.3:
                goggles(s, -2, -113, 16, 8, 1, (-0.8, 0))
            else:
                eyes(s, -2, -113, 14, 2.8)
            s.polygon([(-4, -107), (-28, -102), (-4, -101)], "#ff8a2b")
            s.ellipse(-4, -96, 5 * fright + 1, 4 * fright + 1, "#2b2b3a")
            s.rect(-22, -96, 44, 9, "#4fa368", 4)

    def ground(s: Stage, pan: float) -> None:
        s.rect(0, 266, WIDTH, 100, Gradient("#e9f7ff", "#9fd3ee"))
        for k in range(9):
            x = (90 * k - pan) % 810 - 90
            s.line([(x, 292 + 17 * (k % 3)), (x + 54, 288 + 17 * (k % 3))], 3, "#ffffffb0", caps=False)

    def draw(s: Stage, t: float) -> None:
        number, u = shot(t, 2.9, 4.9)
        s.backdrop(scenery.image)
        if number == 0:
            s.paste(ice, -60)
            ground(s, 0)
            x = -30 + 120 * min(u, 2.1)
            slip = span(u, 2.1, 2.9)
            s.ellipse(x, 316, 34, 6, "#5f9fc450")
            s.ellipse(280, 318, 56, 9, "#ffffffc0")
            s.ellipse(266, 316, 24, 3, "#ffffff")
            if slip == 0:
                _penguin(s, x, 314, 0, t, 1, 0)
            else:
                _penguin(
                    s, x + 40 * slip, 300 - 50 * np.sin(np.pi * clamp(slip * 1.1)),
                    -20 * wave(u, 0.25) - 100 * ease(slip * 1.2), t * 1.5, 1, 1,
                )
        elif number == 1:
            pan = u * 760
            s.scroll(ice, 60 + pan * 0.3)
            ground(s, pan)
            for k in range(7):
                s.line([(30 - 8 * k, 214 + 15 * k), (170 - 9 * k, 214 + 15 * k)], 2.4, "#ffffffd0", caps=False)
            puffs(s, t + 1, 180, 316, dust, ("#ffffff", "#dff1fb"), 14, 40, 22, 0.5)
            with s.at(sx=1):
                _penguin(s, 190 + 12 * wave(t, 0.4), 306 + 3 * wave(t, 0.12), 84 + 4 * wave(t, 0.2), t * 2, 0, 1, 0.08)
            arrive = 760 - 420 * span(u, 1.1, 2.0)
            if u > 1.1:
                snowman(s, arrive, 316, t, span(u, 1.2, 1.4))
            s.shake(2, t)
        else:
            s.paste(ice, -200)
            ground(s, 80)
            crash = span(u, 0, 0.35)
            ball = spring(span(u, 0.0, 0.9))
            for k in range(9):
                a, far = 0.35 + k * 0.32, 190 * ease(u / 0.8)
                s.ellipse(
                    340 - far * np.cos(a), 300 - far * np.sin(a) + 190 * max(0, u - 0.2) ** 2, 13 - k % 4,
                    paint="#ffffff",
                )
            if u < 0.5:
                puffs(s, u + 0.6, 340, 300, dust, ("#ffffff", "#e4f3fb"), 120, 90, 46, 0.6)
            s.blob(
                [(250, 320), (268, 282), (320, 262 - 6 * crash), (384, 270), (424, 320)],
                Gradient("#ffffff", "#cfe3f2"),
            )
            with s.at(336, 292, 10 * wave(u, 1.3) * (1 - clamp(u / 2.6)), 1, 0.7 + 0.3 * ball):
                _penguin(s, 0, 0, 0, t, 0, 1 if u < 1.2 else 0)
                s.polygon([(-6, -76), (-6, -66), (26, -68)], "#ff8a2b")
            for side in (-1, 1):
                s.line(
                    [(336 + side * 60, 300), (336 + side * 104, 262 + 10 * wave(t, 0.7, side * 0.2))], 4, "#7a5138",
                    curved=False,
                )
            s.rect(306, 240, 60, 10, "#4fa368", 5)
            if u > 1.1:
                pop_in = spring((u - 1.1) * 2)
                s.text(336, 118, "ta-daa!", 34 * pop_in, "#e4503f", bold=1)
            s.shake(8 * (1 - clamp(u * 2)), t)
        snowfall(s, flakes, t, 40, 14)

    return draw


def penguin_slip_score(track: Track) -> None:
    rng = track.rng
    track.play(clarinet, "C4 - G4 - C4 - G4 - E4", 0.27, 0, 0.3)
    track.play(strings, "- C5+E5 - C5+E5 - C5+E5 -", 0.275, 0, 0.05, hold=0.4)
    for k in range(8):
        track.add(pop(), 0.05 + 0.275 * k, 0.25, -0.5 + 0.1 * k)
    for k in range(6):
        track.add(glide(500 + 60 * k, 900, 0.09), 2.1 + 0.11 * k, 0.25)
    track.add(glide(1500, 300, 0.9, 9, 0.08), 2.2, 0.28)
    track.add(whoosh(rng, 2.0, 500, 6000), 2.9, 0.6)
    track.play(pluck, "C5 B4 Bb4 A4 Ab4 G4 F#4 F4 E4 Eb4 D4 C#4 C4 B3 Bb3 A3", 0.12, 2.95, 0.3)
    track.add(glide(300, 1400, 1.9), 3.0, 0.12)
    for at in (4.9, 4.96, 5.05):
        track.add(shape(band(rng, 0.5, 80, 2500), 0.004, 0.4), at, 1.0)
    track.add(kick(), 4.9, 1.2)
    track.add(boing(), 5.3, 0.7)
    track.play(brass, "C4+E4+G4 - C4+E4+G4 E4+G4+C5:3", 0.16, 6.0, 0.25)
    track.add(hat(rng, 0.6), 6.5, 0.5)


# ---------------------------------------------------------------- the clay monster


def clay_monster(rng: np.random.Generator) -> Draw:
    backdrop = Stage(colour="#f0b9a0")
    backdrop.backdrop(sky((0, "#f7cfae"), (0.7, "#ec9f8a"), (1, "#ec9f8a")))
    for x in range(20, WIDTH, 76):
        for y in range(20, 230, 62):
            backdrop.ellipse(x + (38 if (y // 62) % 2 else 0), y, 8, paint="#f9e0c4")
    backdrop.rect(0, 270, WIDTH, 100, Gradient("#8f5a78", "#6b3f60"))
    thumb = _thumbprints(rng)

    def clay(s: Stage, points: list[tuple[float, float]], ink: str, step: int) -> None:
        """Fill a lump that no hand ever shapes twice alike: lit above, dark below."""
        pts = np.array(points) + np.random.default_rng(step * 31 + len(points) + 9000).normal(0, 0.9, (len(points), 2))
        s.blob(pts + (0, 3.5), mix(ink, "#2b1430", 0.45))
        s.blob(pts, Gradient(mix(ink, "#ffffff", 0.18), mix(ink, "#4a2040", 0.22)))
        top = pts.mean(axis=0) + (pts - pts.mean(axis=0)) * (0.62, 0.5)
        s.blob(top + (-0.06, -0.16) * (pts.max(axis=0) - pts.min(axis=0)), fade("#ffffff", 0.13))

    def ball(s: Stage, x: float, y: float, rx: float, ry: float, ink: str, step: int) -> None:
        clay(s, [(x + rx * np.cos(a), y + ry * np.sin(a)) for a in np.linspace(0, 6.283, 9)[:-1]], ink, step)

    def monster(
        s: Stage, x: float, y: float, step: int, mouth: float, squash: float, look: tuple[float, float], belly: float,
    ) -> None:
        with s.at(x, y, 0, 1 + 0.16 * squash + 0.25 * belly, 1 - 0.16 * squash + 0.05 * belly):
            for side in (-1, 1):
                ball(s, side * 34, -4, 24, 12, "#5f9f3f", step + side)
            clay(
                s, [(-70, -10), (-74, -80), (-50, -140), (0, -158), (50, -140), (74, -80), (70, -10), (0, 2)],
                "#7fc04f", step,
            )
            ball(s, 0, -38, 44, 30, "#c9e08a", step + 5)
            for dx, dy, r in ((-46, -104, 9), (52, -86, 11), (44, -120, 7), (-54, -64, 8)):
                ball(s, dx, dy, r, r * 0.8, "#5f9f3f", step + int(dx))
            for side in (-1, 1):
                clay(
                    s, [(side * 34, -146), (side * 44, -184), (side * 54, -178), (side * 54, -138)], "#f2d28a",
                    step + 9 * side,
                )
                clay(
                    s, [(side * 64, -90), (side * 100, -78 + 12 * wave(step, 5)),
                    (side * 112, -58 + 12 * wave(step, 5)), (side * 96, -54), (side * 64, -66)], "#7fc04f",
                    step + 3 * side,
                )
                ball(s, side * 24, -128, 20, 20, "#fdf8ec", step + 2 * side)
                ball(s, side * 24 + look[0] * 7, -128 + look[1] * 7, 8, 9, "#33204a", step + 4 * side)
                s.ellipse(side * 24 + look[0] * 7 + 3, -132 + look[1] * 7, 2.6, paint="#ffffff")
            high = 4 + 44 * mouth
            clay(
                s, [(-40, -92), (0, -98 - 4 * mouth), (40, -92), (34, -92 + high * 0.8), (0, -90 + high),
                (-34, -92 + high * 0.8)], "#8f2f4a", step + 7,
            )
            if mouth > 0.2:
                ball(s, 0, -94 + high * 0.75, 22, high * 0.22 + 2, "#ff7f8f", step + 8)
            for dx in (-24, -8, 8, 24):
                clay(
                    s, [(dx - 6, -95), (dx + 6, -95), (dx + 1, -84 + 3 * mouth), (dx - 1, -84 + 3 * mouth)], "#fdf8ec",
                    step + dx,
                )

    def cake(s: Stage, x: float, y: float, step: int) -> None:
        clay(s, [(x - 46, y), (x - 46, y - 44), (x + 46, y - 44), (x + 46, y), (x, y + 6)], "#f6d9a0", step)
        clay(
            s, [(x - 50, y - 36), (x - 48, y - 56), (x + 48, y - 56), (x + 50, y - 36), (x + 30, y - 28),
            (x + 12, y - 38), (x - 10, y - 26), (x - 30, y - 38)], "#ff8fb0", step + 1,
        )
        for k in range(3):
            ball(s, x - 28 + 28 * k, y - 62, 8, 8, "#e4303f", step + k)

    def table(s: Stage, x: float, y: float, step: int, tilt: float = 0) -> None:
        with s.at(x, y, tilt):
            for dx in (-84, 84):
                clay(s, [(dx - 8, 4), (dx + 8, 4), (dx + 6, 70), (dx - 6, 70)], "#c9783f", step)
            clay(s, [(-120, -6), (0, -10), (120, -6), (122, 8), (0, 11), (-122, 8)], "#e09a5a", step + 2)

    def plate(s: Stage, x: float, y: float, step: int, tilt: float = 0) -> None:
        with s.at(x, y, tilt):
            clay(s, [(-64, -4), (0, -9), (64, -4), (40, 7), (-40, 7)], "#7fc4e8", step)

    def gulp(s: Stage, u: float, at: float, thing, x: float, y: float, step: int) -> None:
        """Let a thing fly into the mouth after `at`."""
        flight = ease(span(u, at, at + 0.45))
        if flight < 1:
            with s.at(
                x + (250 - x) * flight, y + (206 - y) * flight - 70 * np.sin(np.pi * flight), -200 * flight,
                1 - 0.8 * flight,
            ):
                thing(s, 0, 0, step)

    def draw(s: Stage, t: float) -> None:
        step = int(t * 12 + 1e-6) * 17 % 997
        s.backdrop(backdrop.image)
        bites = (1.5, 3.2, 4.9)
        since = min((t - at for at in bites if t >= at), default=9.0)
        mouth = 1.0 if since < 0.5 else 0.5 + 0.5 * wave(t, 0.34) if since < 1.3 else 0.0
        mouth = max(mouth, span(t, 0.9, 1.4) * (t < 1.5), 1.0 * (6.4 < t < 7.0))
        belly = sum(0.33 * ease(span(t, at + 0.3, at + 0.7)) for at in bites) * (1 - ease(span(t, 6.4, 6.9)))
        look = (0.9, 0.6) if t < 5.3 else (0.2 * wave(t, 1.2), 0.2) if t < 6.4 else (0.0, -0.7)
        s.ellipse(250, 318, 116, 12, "#3f204070")
        monster(s, 250, 318, step, mouth, wave(t, 0.5) * 0.3 + 0.9 * (since < 0.17), look, belly)
        gulp(s, t, bites[2], table, 470, 262, step)
        gulp(s, t, bites[1], plate, 470, 246, step)
        gulp(s, t, bites[0], cake, 470, 240, step)
        if 6.4 < t < 7.5:
            grow = spring((t - 6.4) * 1.6)
            for k in range(5):
                ball(
                    s, 330 + (34 + 22 * k) * grow, 200 - 26 * k * grow, (7 + 5 * k) * grow + 1, (6 + 4 * k) * grow + 1,
                    "#fdf3d9", step + k,
                )
            s.text(450, 74, "BURP", 46 * grow + 1, "#c93a4f", bold=2)
            s.shake(5 * (1 - clamp((t - 6.4) * 2)), t)
        s.image.paste(ImageChops.multiply(s.image, thumb[step % len(thumb)]))

    return draw


def _thumbprints(rng: np.random.Generator) -> list[Image.Image]:
    """Return two sheets of fingerprint whorls to multiply the picture with, as clay keeps them."""
    sheets = []
    y, x = np.mgrid[0 : HEIGHT * 2 : 2, 0 : WIDTH * 2 : 2].astype(np.float32)
    for _ in range(2):
        light = np.full(x.shape, 250.0, np.float32)
        for cx, cy in rng.uniform((0, 0), (WIDTH * 2, HEIGHT * 2), (46, 2)):
            box = np.s_[max(int(cy / 2) - 26, 0) : int(cy / 2) + 26, max(int(cx / 2) - 26, 0) : int(cx / 2) + 26]
            dx, dy = x[box] - cx, (y[box] - cy) * 0.75
            far = np.hypot(dx, dy)
            light[box] += 7 * np.sin(far / 2.6 + 0.02 * dx) * np.clip(1 - far / 46, 0, 1) ** 0.7
        sheet = Image.fromarray(light.clip(0, 255).astype(np.uint8)).resize((WIDTH * 2, HEIGHT * 2))
        sheets.append(Image.merge("RGB", (sheet, sheet, sheet)))
    return sheets


def clay_monster_score(track: Track) -> None:
    rng = track.rng
    track.play(bass, "F2 - C3 - F2 - C3 - " * 3 + "F2 - C3 -", 0.2, 0, 0.5)
    track.play(clarinet, "F4 - G#4 - C5 B4 Bb4 - F4 - Eb4 - F4 - - - " * 2, 0.2, 0, 0.22)
    for at in (1.5, 3.2, 4.9):
        track.add(glide(300, 900, 0.4), at, 0.25)
        track.add(pop(), at + 0.45, 0.9)
        for k in range(5):
            track.add(shape(band(rng, 0.12, 300, 3500), 0.004, 0.08), at + 0.6 + 0.17 * k, 0.6)
            track.add(tom(150 + 20 * (k % 2)), at + 0.6 + 0.17 * k, 0.3)
    track.add(
        shape(glide(120, 70, 0.8, 26, 0.35), 0.03, 0.2) + 0.6 * shape(glide(61, 48, 0.8, 19, 0.3), 0.03, 0.2), 6.4, 1.1,
    )
    track.add(boing(), 7.3, 0.4)


# ---------------------------------------------------------------- the ghost


def _cat(s: Stage, x: float, y: float, t: float, scared: float) -> None:
    """Draw the orange cat running to the right on two legs."""
    with s.at(x, y - 6 * abs(wave(t, 0.28)), 6):
        for phase in (0.0, 0.5):
            a = 2 * np.pi * (t / 0.28 + phase)
            s.line(reach((0, -34), (18 * np.cos(a), -4 + 10 * min(np.sin(a), 0)), 40, -1), 10, "#d9702b")
        s.taper([(-16, -40), (-44, -50), (-56, -82 - 10 * wave(t, 0.4))], 10, 6 + 9 * scared, "#f08a3d")
        s.blob([(-20, -28), (-22, -66), (0, -78), (22, -66), (20, -28)], Gradient("#f99a4a", "#e07a30"))
        s.ellipse(4, -44, 12, 14, "#ffe6c4")
        arm = (26, -58 + 14 * wave(t, 0.28)) if scared < 0.5 else (10, -96 + 5 * wave(t, 0.1))
        s.line(reach((8, -64), arm, 40, -1), 9, "#e07a30")
        with s.at(4, -94, -6 * scared):
            for side in (-1, 1):
                s.polygon([(side * 8, -18), (side * 24, -42), (side * 28, -8)], "#f08a3d")
                s.polygon([(side * 13, -18), (side * 22, -34), (side * 24, -12)], "#ffb9a0")
            s.blob(
                [(-32, 4), (-26, -20), (0, -26), (26, -20), (32, 4), (20, 20), (-20, 20)],
                Gradient("#f99a4a", "#ee8438"),
            )
            goggles(s, 4, -6, 24, 11 + 3 * scared, 1, (0.7 if scared < 0.5 else -0.8, 0))
            s.ellipse(6, 5, 3.4, 2.6, "#c94f4f")
            s.ellipse(6, 13, 7, 2.5 + 6 * scared, "#7a2b33")
            for side in (-1, 1):
                s.line([(side * 14 + 4, 8), (side * 38, 4 - 5 * scared)], 1.2, "#ffe6c4", caps=False)


def _ghost(s: Stage, x: float, y: float, t: float, happy: float) -> None:
    with s.at(x, y - 34 + 7 * wave(t, 0.6), 8):
        hem = [(44 - 14.7 * k - 8, 34 + (9 if k % 2 else -3) + 5 * wave(t, 0.4, k * 0.2)) for k in range(7)]
        s.glow(0, -20, 100, "#8fd8ff", 0.5)
        s.blob([(-34, 10), (-36, -40), (0, -78), (36, -40), (38, 10), *hem], Gradient("#ffffff", "#bfe0ff"))
        for side in (-1, 1):
            s.blob(
                [(side * 32, -20), (side * 54, -32 + 10 * wave(t, 0.35, side * 0.2)), (side * 52, -18),
                (side * 34, -4)], "#e4f2ff",
            )
        goggles(s, 6, -40, 26, 10, 1, (-0.8, 0.1) if happy < 0.5 else (0.8, 0.1))
        s.ellipse(7, -17, 9, 5 + 5 * (1 - happy) + 3 * abs(wave(t, 0.3)), "#3a3f70")
        if happy > 0.5:
            s.blob([(0, -14), (14, -14), (10, -2), (4, -2)], "#ff7f9f")
        cheeks(s, 6, -26, 44, 6, "#8fa8ff90")


def ghost_chase(rng: np.random.Generator) -> Draw:
    hall = Stage()
    hall.backdrop(sky((0, "#3d2a6b"), (1, "#5f3f8f")))
    for x in range(0, WIDTH, 64):
        hall.rect(x, 0, 32, 290, "#48327a")
        for y in range(30, 280, 70):
            hall.ellipse(x + 48, y, 7, 10, "#6b4a9c")
    hall.rect(0, 250, WIDTH, 34, "#2f2052")
    hall.rect(0, 282, WIDTH, 90, Gradient("#a8483f", "#7a2b3a"))
    hall.rect(0, 296, WIDTH, 5, "#f2b03d")
    doors = (120, 320, 520)
    for x in doors:
        hall.rect(x - 52, 116, 104, 172, "#26183f", 8)
        hall.rect(x - 44, 124, 88, 164, "#120a24", 5)
    for x in (220, 420):
        hall.rect(x - 26, 66, 52, 64, "#d9a441", 4)
        hall.rect(x - 20, 72, 40, 52, "#2f4a4a")
        hall.ellipse(x, 92, 11, 13, "#a8c4a0")
        hall.rect(x - 14, 104, 28, 20, "#3a2a3f", 8)
        hall.glow(x, 40, 70, "#ffb347", 0.5)
    for x, y in ((0, 0), (640, 0)):
        for k in range(7):
            a = k * 0.26 * (1 if x == 0 else -1) + (0 if x == 0 else np.pi)
            hall.line(
                [(x, y), (x + 120 * np.cos(a), y + 120 * abs(np.sin(a)))], 1, "#ffffff50", curved=False, caps=False,
            )
    dust = rng.random((12, 2))

    def door(s: Stage, x: float, opened: float) -> None:
        wide = 88 * (1 - 0.82 * opened)
        s.polygon(
            [(x - 44, 124), (x - 44 + wide, 124 - 8 * opened), (x - 44 + wide, 288 + 10 * opened), (x - 44, 288)],
            Gradient("#b8743f", "#8a4f2b"),
        )
        for top in (136, 212):
            s.rect(x - 44 + wide * 0.16, top, wide * 0.68, 60, "#9c5f34", 4)
        s.ellipse(x - 44 + wide * 0.86, 208, 4.5 * (1 - 0.5 * opened), 4.5, "#ffd23d")

    def runner(s: Stage, who: str, x: float, t: float, mirrored: bool, chased: float) -> None:
        with s.at(x, 318, sx=-1 if mirrored else 1, sy=1):
            puffs(s, t + 2, -34, -2, dust, ("#e0c9f0a0", "#c9a8e0a0"), 10, 16, 12, 0.5)
            (_cat if who == "cat" else _ghost)(s, 0, 0, t, chased)

    def draw(s: Stage, t: float) -> None:
        s.backdrop(hall.image)
        number, u = shot(t, 1.7, 3.2, 4.6, 6.2)
        opened = {x: 0.5 + 0.5 * wave(t, 0.5, x / 300) if number == 2 else 0.0 for x in doors}
        for x in doors:
            door(s, x, opened[x])
            if number == 2 and opened[x] > 0.5:
                k = (int(t * 2.4) + x // 100) % 3
                with s.at(x - 6, 262, 0, 0.75):
                    if k == 0:
                        _ghost(s, 0, 0, t, 0)
                    elif k == 1:
                        _cat(s, 0, 10, t, 1)
                    else:
                        goggles(s, 0, -60, 26, 12, blink(t, 0.9), (wave(t, 0.7), 0))
        if number == 0:
            runner(s, "ghost", 60 + 460 * u, t, False, 0)
            runner(s, "cat", -120 + 460 * u, t, False, 0)
        elif number == 1:
            runner(s, "ghost", 600 - 470 * u, t, True, 0)
            runner(s, "cat", 790 - 470 * u, t, True, 0)
        elif number == 3:
            runner(s, "cat", 70 + 450 * u, t, False, 1)
            runner(s, "ghost", -110 + 450 * u, t, False, 1)
        elif number == 4:
            near = ease(u / 0.7)
            _cat(s, 140 + 110 * near, 318, t if u < 0.7 else 0.07, 1 if u < 0.9 else 0.2)
            with s.at(520 - 120 * near, 318, sx=-1, sy=1):
                _ghost(s, 0, 0, t, 0 if u < 0.9 else 1)
            if u > 0.9:
                s.text(
                    325, 96, "BOO!" if u < 1.35 else "hee hee", 40 * spring((u - 0.9) * 2) if u < 1.35 else 30,
                    "#fff3b0", bold=1,
                )
            s.camera(1.0 + 0.25 * near, 325, 230)
        s.shake(1.6 if number < 4 else 0, t)

    return draw


def ghost_chase_score(track: Track) -> None:
    rng = track.rng
    track.play(clarinet, "A4 C5 E5 C5 B4 D5 F5 D5 C5 E5 A5 E5 G#5 E5 B4 E5 " * 3 + "A4 B4 C5 D5", 0.12, 0, 0.24)
    track.play(bass, "A2 E3 " * 13, 0.24, 0, 0.5)
    for k in range(26):
        track.add(hat(rng), 0.12 + 0.24 * k, 0.3)
        if k % 2:
            track.add(snare(rng), 0.24 * k, 0.25)
    for k in range(6):
        track.add(tom(200) + 0.5 * tom(130), 3.2 + 0.24 * k, 0.8)
        track.add(glide(900, 400, 0.1), 3.3 + 0.24 * k, 0.2)
    for at in (0.1, 1.7, 4.7):
        track.add(glide(500, 900, 0.8, 6, 0.06), at, 0.18)
    track.add(shape(glide(300, 180, 0.7, 5, 0.1), 0.02, 0.2), 7.1, 0.6)
    track.add(boing(), 7.2, 0.6)
    for k in range(3):
        track.add(glide(600, 800, 0.09), 7.5 + 0.14 * k, 0.25)


# ---------------------------------------------------------------- the cats


def jazz_cats(rng: np.random.Generator) -> Draw:
    club = Stage()
    club.backdrop(sky((0, "#2b1450"), (0.6, "#6b1f5f"), (1, "#a83254")))
    for x in range(0, WIDTH, 42):
        club.polygon([(x, 0), (x + 21, 0), (x + 25, 280), (x - 4, 280)], "#00000026")
    club.rect(0, 276, WIDTH, 90, Gradient("#f2a541", "#b8603a"))
    club.rect(0, 276, WIDTH, 5, "#ffd98a")
    for x in range(-300, 940, 60):
        club.line([(320 + (x - 320) * 0.6, 281), (x, 366)], 1.6, "#8a3f2f70", curved=False, caps=False)
    bulbs = [(20 + 40 * k, 22 + 14 * np.sin(k * 0.78) ** 2) for k in range(16)]
    club.line([(x, y - 6) for x, y in bulbs], 1.6, "#1a0d2b")
    notes = rng.random((9, 3))
    heads = [(-10 + 82 * k + rng.uniform(-12, 12), rng.uniform(348, 360), k) for k in range(9)]

    def face(
        s: Stage, x: float, y: float, angle: float, ink: str, dark: str, t: float, shut: bool,
        hat_ink: str | None = None,
    ) -> None:
        with s.at(x, y, angle):
            for side in (-1, 1):
                s.polygon([(side * 8, -20), (side * 27, -44), (side * 31, -6)], ink)
                s.polygon([(side * 14, -20), (side * 25, -36), (side * 27, -12)], "#ff9fa8")
            s.blob([(-37, 4), (-29, -22), (0, -28), (29, -22), (37, 4), (22, 22), (-22, 22)], Gradient(ink, dark))
            s.blob([(-16, 6), (0, 1), (16, 6), (11, 19), (-11, 19)], "#fff3e0")
            if shut:
                for side in (-1, 1):
                    s.line([(side * 16 - 7, -4), (side * 16, -9), (side * 16 + 7, -4)], 2.6, "#1f1428")
            else:
                s.rect(-29, -14, 26, 15, "#14101f", 5)
                s.rect(3, -14, 26, 15, "#14101f", 5)
                s.line([(-4, -9), (4, -9)], 2.5, "#14101f")
                s.line([(-24, -10), (-16, -10)], 2, "#ffffff90")
                s.line([(8, -10), (16, -10)], 2, "#ffffff90")
            s.polygon([(-3.5, 4), (3.5, 4), (0, 8)], "#e4607a")
            smile(s, 0, 11, 12, 5, "#1f1428", 1.8)
            for side in (-1, 1):
                s.line([(side * 16, 9), (side * 42, 5)], 1.1, "#fff3e0", caps=False)
                s.line([(side * 16, 12), (side * 41, 14)], 1.1, "#fff3e0", caps=False)
            if hat_ink:
                s.ellipse(0, -25, 34, 6, hat_ink)
                s.rect(-21, -46, 42, 23, hat_ink, 8)
                s.rect(-21, -32, 42, 6, "#f2b03d")

    def bassist(s: Stage, x: float, y: float, t: float) -> None:
        with s.at(x, y - 4 * abs(wave(t, 0.75)), sway(t, 1.5, 4)):
            s.taper([(-26, -14), (-66, -10), (-72, -50 + 12 * wave(t, 1.5))], 12, 9, "#6f7fb8")
            s.blob([(-34, 0), (-36, -70), (-14, -96), (14, -96), (34, -70), (34, 0)], Gradient("#3f4f8f", "#2b3563"))
            face(s, 0, -118, sway(t, 0.75, 6), "#8f9fd8", "#6577b8", t, False, "#1f1a38")
            with s.at(40, 0, 8):
                s.rect(-4, -186, 9, 96, "#3a1c14", 3)
                s.ellipse(0, -192, 7, 10, "#3a1c14")
                s.blob(
                    [(-30, -90), (-18, -104), (18, -104), (30, -90), (20, -66), (38, -30), (24, 0), (-24, 0),
                    (-38, -30), (-20, -66)], Gradient("#d9692f", "#8f3420"),
                )
                s.ellipse(-14, -46, 3, 12, "#4a1c12", 12)
                s.ellipse(14, -46, 3, 12, "#4a1c12", -12)
                for k in range(4):
                    s.line(
                        [(-3 + 2.4 * k, -186), (-4 + 3 * k + wave(t, 0.09, k * 0.3), -96), (-4 + 3 * k, -16)], 0.8,
                        "#ffe9c4", caps=False,
                    )
            s.line(reach((22, -78), (46, -70 + 14 * wave(t, 0.375)), 46, -1), 13, "#8f9fd8")
            s.line(reach((-10, -84), (50, -150 + 18 * wave(t, 1.5)), 80, 1), 12, "#8f9fd8")

    def saxman(s: Stage, x: float, y: float, t: float) -> None:
        lean = 9 * wave(t, 1.5, 0.25)
        with s.at(x, y - 6 * abs(wave(t, 0.75)), lean):
            s.taper([(24, -14), (64, -16), (76, -58 + 12 * wave(t, 1.5))], 13, 9, "#f0a04a")
            s.blob([(-36, 0), (-38, -72), (-14, -98), (14, -98), (36, -72), (36, 0)], Gradient("#e4503f", "#a82f3a"))
            s.polygon([(-10, -92), (10, -92), (0, -60)], "#fff3e0")
            s.polygon([(-9, -88), (0, -83), (-9, -78)], "#1f1428")
            s.polygon([(9, -88), (0, -83), (9, -78)], "#1f1428")
            face(s, 0, -122, -lean * 1.3, "#ffb45e", "#e88a3a", t, True)
            s.line([(-4, -110), (-20, -104), (-22, -60), (-22, -24), (-34, -8), (-52, -14), (-58, -46)], 9, "#b8791f")
            s.line([(-4, -110), (-20, -104), (-22, -60), (-22, -24), (-34, -8), (-52, -14), (-58, -46)], 5.5, "#ffd04a")
            s.ellipse(-59, -52, 19, 11, "#ffd04a", -12)
            s.ellipse(-59, -53, 14, 7, "#a8641c", -12)
            for k in range(4):
                s.ellipse(-22, -76 + 14 * k, 4, paint="#fff3b0")
            for hx, hy, k in ((-24, -66, 0), (-24, -34, 1)):
                s.line(
                    reach((26 - 46 * k, -76), (hx, hy + 3 * wave(t, 0.19, k * 0.4)), 56, 1 if k == 0 else -1), 12,
                    "#f0a04a",
                )

    def drummer(s: Stage, x: float, y: float, t: float) -> None:
        with s.at(x, y):
            with s.at(0, -18 - 3 * abs(wave(t, 0.375)), sway(t, 1.5, 3, 0.5)):
                s.blob(
                    [(-34, 0), (-34, -62), (-12, -86), (12, -86), (34, -62), (34, 0)], Gradient("#3fa08f", "#246b68"),
                )
                face(s, 0, -110, sway(t, 0.75, 8, 0.3), "#f4ece0", "#cfc0b8", t, True)
                for side in (-1, 1):
                    hand = (side * 48, -52 - 22 * abs(wave(t, 0.375, 0.25 * (side > 0))))
                    s.line(reach((side * 24, -66), hand, 46, side), 12, "#e4d8cc")
                    s.line([hand, (hand[0] + side * 14 - side * 36, hand[1] + 20)], 3.4, "#ffdf9c", curved=False)
            s.ellipse(0, -32, 42, paint="#f2e5d0")
            s.ellipse(0, -32, 36, paint=Gradient("#fff8ea", "#e0cdb4"))
            s.text(0, -32, "MEOW", 17, "#c93a4f", bold=0.6)
            for dx, ink in ((-52, "#e4503f"), (52, "#e4503f")):
                s.rect(dx - 20, -58, 40, 28, Gradient(ink, "#8f2436"), 4)
                s.ellipse(dx, -58, 20, 5, "#fff3e0")
            for side, phase in ((-1, 0.0), (1, 0.5)):
                s.line([(side * 84, 0), (side * 84, -104)], 2.5, "#d9cfc4", curved=False)
                s.ellipse(side * 84, -106, 30, 5, "#ffd04a", 8 * wave(t, 0.375, phase) * side)

    def draw(s: Stage, t: float) -> None:
        number, u = shot(t, 4.5, 6.0)
        s.backdrop(club.image)
        for k, (x, y) in enumerate(bulbs):
            on = 0.5 + 0.5 * wave(t, 0.75, (k % 2) * 0.5)
            s.ellipse(x, y, 4, paint=mix("#c9783f", "#fff3b0", on))
            s.glow(x, y, 18, "#ffc04a", 0.3 + 0.5 * on)
        for x, ink, phase in ((150, "#ff5fa8", 0.0), (330, "#ffd04a", 0.3), (510, "#5fc4ff", 0.6)):
            aim = x + 36 * wave(t, 3, phase)
            s.polygon([(x + 30, -10), (x + 44, -10), (aim + 76, 300), (aim - 76, 300)], fade(ink, 0.17))
            s.ellipse(aim, 300, 78, 15, fade(ink, 0.3))
        bassist(s, 128, 304, t)
        drummer(s, 504, 304, t)
        saxman(s, 322, 312, t)
        for x, when, kind in notes:
            rise = (t * 0.42 + when) % 1
            nx, ny = 250 - 190 * rise * (x - 0.25) * 2 + 10 * wave(t, 1.1, when), 250 - 210 * rise
            with s.at(nx, ny, 14 * wave(t, 1.2, when), 0.7 + 0.5 * kind):
                ink = fade(("#ffd04a", "#ff9fc4", "#8fe4ff")[int(kind * 3)], 1 - rise)
                s.ellipse(0, 0, 7, 5, ink, -20)
                s.rect(5, -26, 2.6, 26, ink)
                s.polygon([(6, -26), (17, -20), (16, -13), (6, -18)], ink)
        if number != 1:
            for x, y, k in heads:
                bob = 5 * abs(wave(t, 0.75, (k % 2) * 0.25))
                with s.at(x, y - bob):
                    s.ellipse(0, 12, 31, 27, "#170a26")
                    for side in (-1, 1):
                        s.polygon([(side * 6, -10), (side * 22, -26), (side * 28, 2)], "#170a26")
        if number == 1:
            s.camera(1.9, 312, 210)
        elif number == 2:
            s.camera(1.0 + 0.06 * u)

    return draw


def jazz_cats_score(track: Track) -> None:
    rng, beat = track.rng, 0.375
    track.play(bass, "C3 E3 G3 A3 Bb3 A3 G3 E3 F3 A3 C4 D4 C3 G3 A3 B3 C3 E3 G3 A3 C3:2", beat, 0, 0.65, -0.5)
    for k in range(21):
        track.add(hat(rng, 0.12), k * beat, 0.3, 0.5)
        if k % 2:
            track.add(hat(rng, 0.06), (k + 0.66) * beat, 0.22, 0.5)
            track.add(snare(rng), k * beat, 0.3, 0.4)
        if k % 4 == 0:
            track.add(kick(), k * beat, 0.55, 0.4)
    solo = "- - G4:0.67 A4:0.33 C5:0.67 D#5:0.33 E5:1.5 C5:0.5 A4 G4:0.67 A4:0.33 C5:1.67 A4:0.33 G4:2 "
    solo += "F4:0.67 A4:0.33 C5:0.67 D5:0.33 F5 D#5:0.5 D5:0.5 C5:0.67 A4:0.33 C5:2 G5:3"
    track.play(brass, solo, beat, 0, 0.24)
    track.play(pluck, "- E4+Bb4+D5:0.5 - - E4+Bb4+D5:0.5 - " * 3, beat, 0, 0.1, -0.2)
    track.room(0.22, 1.0)


PLAYS = {
    "pancake": Play(pancake, pancake_score, 0.75, Look(grain=3, vignette=0.1)),
    "penguin-slip": Play(penguin_slip, penguin_slip_score, 0.75, Look(grain=3, vignette=0.1)),
    "clay-monster": Play(clay_monster, clay_monster_score, 0.75, Look(grain=4, vignette=0.25), hold=2),
    "ghost-chase": Play(ghost_chase, ghost_chase_score, 0.75, Look(grain=3, vignette=0.25), hold=2),
    "jazz-cats": Play(jazz_cats, jazz_cats_score, 0.75, Look(grain=4, vignette=0.25), hold=2),
}
