"""For laughs: the pancake, the penguin, the clay monster, the ghost, and the cats who can play."""
# The formatter would put every point of every outline on a line of its own.
# fmt: off

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageChops

from core.samples.celluloid import Look
from core.samples.colours import Gradient, Paint, fade, mix
from core.samples.faces import cheeks, eyes, goggles, smile
from core.samples.outlines import HEIGHT, WIDTH, outline
from core.samples.playbill import Frames, play
from core.samples.props import cloud, clouds, moon, stars
from core.samples.stage import Stage, sky
from core.samples.timing import blink, clamp, ease, hop, shot, span, spring, sway, wave
from core.samples.weather import puffs, snowfall


def _pancake(s: Stage, face: float, t: float) -> None:
    """Draw the pancake from the side, with a worried face from 0 (none) to 1."""
    s.ellipse(0, 4, 52, 17, "#b8702f")
    s.ellipse(0, 0, 52, 16, "#ffdc8a/#eda94e")
    s.ellipse(-6, -3, 36, 9, "#ffe9b060")
    if face > 0:
        goggles(s, 0, -12, 24, 10 * face, 1, (0.6 * wave(t, 0.5), -0.6))
        s.ellipse(0, 5, 6, 5 * face, "#7a3a1c")


def _flat_pancake(s: Stage, t: float) -> None:
    """Draw the pancake as a hat with a piece of butter on it."""
    droop = 26 + 4 * wave(t, 0.6)
    s.blob([(-66, droop), (-60, -8), (-30, -22), (30, -22), (60, -8), (66, droop), (48, droop + 8), (40, 8), (-40, 8),
            (-48, droop + 8)], "#ffdc8a/#e09a45")
    s.rect(-11, -34, 24, 15, "#fff0a0", 4)
    s.blob("-4,-20 18,-20 26,4 22,14 14,2 2,-6", "#c9702bc0")


def _cook(s: Stage, t: float, look: tuple[float, float], pan: tuple[float, float], squash: float) -> None:
    with s.at(0, 0, 0, 1 + 0.25 * squash, 1 - 0.3 * squash):
        s.blob("-64,70 -60,-30 -34,-62 34,-62 60,-30 64,70", "#ffffff/#d9dbe4")
        s.rect(-36, -20, 72, 100, "#e4503f", 16)
        s.row(3, 0, 14).ellipse(0, -44, 3, paint="#8a93a6")
        s.limb((46, -44), pan, 88, -1, 24, "#eceef4")
        s.ellipse(*pan, 14, 14, "#ffc9a3")
        s.limb((-48, -44), (-70, 10), 66, 1, 24, "#eceef4")
        s.ellipse(-70, 12, 13, paint="#ffc9a3")
        s.blob("-26,-56 0,-44 26,-56 18,-66 -18,-66", "#e4503f")
        s.ellipse(0, -100, 46, 44, "#ffd8b5/#ffbe94")
        s.twins.ellipse(46, -98, 9, 11, "#ffbe94")
        goggles(s, 0, -112, 34, 15, blink(t, 2.4), look)
        s.ellipse(0, -92, 12, 10, "#ff9f7d")
        s.blob("0,-84 -14,-78 -36,-88 -30,-70 0,-72 30,-70 36,-88 14,-78", "#5a3326")
        s.ellipse(0, -67, 8, 4 + 5 * abs(look[1]), "#8f3540")
        cheeks(s, 0, -88, 66, 10)
        s.rect(-38, -158, 76, 30, "#f4f5fa", 6)
        s.twins.ellipse(28, -164, 22, 19.8, "#ffffff")
        s.ellipse(0, -164, 27, 24.3, "#ffffff")
        s.line("-34,-134 34,-134", 2, "#d3d7e4")


def _pan(s: Stage) -> None:
    s.line("-110,6 -40,4", 10, "#5a3a2a")
    s.blob("-54,-6 54,-6 42,14 -42,14", "#5a5a6b/#33333f")
    s.ellipse(0, -6, 55, 8, "#45455450")


def _kitchen() -> Image.Image:
    s = Stage(colour="#ffe2b0")
    for row in range(9):
        for col in range(18):
            tile = "#ffd99b" if (row + col) % 3 else "#ffcf87"
            s.rect(col * 38 + (19 if row % 2 else 0) - 19, row * 26, 36, 24, tile, 4)
    s.rect(40, 50, 120, 110, "#fff6e3", 8)
    s.rect(50, 60, 100, 90, "#7fd0f2/#d9f4f7", 4)
    cloud(s, 100, 120, 60, "#ffffff")
    s.rect(98, 60, 5, 90, "#fff6e3")
    s.rect(430, 90, 190, 9, "#b8743f", 3)
    for x, ink, tall in ((450, "#5fb3a8", 42), (496, "#e4644f", 34), (536, "#f2b03d", 46), (582, "#7f6fc0", 36)):
        s.rect(x - 15, 90 - tall, 30, tall, ink, 7)
        s.rect(x - 15, 84 - tall, 30, 9, mix(ink, "#3a2a2a", 0.3), 4)
    s.rect(0, 282, WIDTH, 90, "#c9844f/#965a34")
    s.rect(0, 278, WIDTH, 10, "#e0a468")
    s.rect(380, 250, 170, 32, "#4a4a5a", 6)
    return s.image


@play("pancake", 0.75, Look(grain=3, vignette=0.1))
def pancake(rng: np.random.Generator, frames: Frames) -> None:
    kitchen, air = _kitchen(), sky((0, "#0a1038"), (0.45, "#3f7fc9"), (1, "#bfe8f7"))
    space = Stage.under((0, "#0a0a2a"), (1, "#2b2360"))
    space.paste(stars(rng, 150))
    moon(space, 500, 96, 44)
    space.ellipse(320, 560, 320, paint="#5fc4e8/#2b6fb0")
    passing = [(rng.uniform(0, WIDTH), rng.uniform(0, 900), rng.uniform(70, 170)) for _ in range(14)]
    steam = rng.random((10, 2))
    for s, t in frames:
        number, u = shot(t, 2.7, 3.9, 5.3)
        if number == 0:
            s.backdrop(kitchen)
            small, big = hop(u - 0.3, 0.75) * (0.3 < u < 1.8), span(u, 2.0, 2.5)
            dip = 36 * ease(span(u, 1.8, 2.02)) - 70 * spring(span(u, 2.02, 2.5))
            if u < 1.8:
                dip = 12 * wave(u, 0.75, 0.55)
            look, squash = (0.4, -0.2 - 0.8 * max(small, big)), 0.5 * ease(span(u, 1.8, 2.0)) * (u < 2.05)
            s.placed(300, 300).draw(_cook, t, look, (74, -60 + dip), squash)
            s.placed(470, 236 + dip, -4 - 10 * (big > 0)).draw(_pan)
            puffs(s, t + 1, 470, 214 + dip, steam, ("#ffffff50",), 22, 60, 12)
            y = 226 - 420 * big if big else 226 - 80 * small if small else 226 + dip
            s.placed(470, y, 360 * (u / 0.75 - 0.4) if small else 0).draw(_pancake, 0, t)
            if big > 0:
                s.streaks([440, 470, 500], [y + 40, y + 60, y + 40], 0, 90, 2, "#ffffffc0")
        elif number == 1:
            s.backdrop(air)
            for x, y, wide in passing:
                cloud(s, x, (y + u * 1100) % 940 - 160, wide, "#ffffff", "#cfe4f4")
            with s.at(480 - 300 * u, 210):
                s.blob("-26,0 0,-16 22,-6 30,2 0,14", "#f2f4fa")
                s.blob([(-8, -2), (-22, -30 * wave(t, 0.3)), (10, -4)], "#cdd6ea")
                goggles(s, -14, -10, 12, 6, 1, (0.9, -0.6))
                s.polygon("-28,-2 -44,3 -27,5", "#f2a03d")
            s.placed(320 + 8 * wave(t, 0.2), 176 + 10 * wave(t, 0.7), 14 * wave(t, 0.5), 1.7).draw(_pancake, 1, t)
            s.streaks([230, 270, 370, 410, 320], [230, 260, 260, 230, 280], 0, 110, 2, "#ffffffb0")
        elif number == 2:
            s.backdrop(space.image)
            hover = ease(u / 0.4) * (1 - ease(span(u, 1.0, 1.4)))
            s.placed(300, 380 - 230 * hover, 16 * wave(u, 1.2), 1.4).draw(_pancake, 1, t)
            with s.at(470 - 12 * u, 240, 12 * wave(t, 2)):
                s.row(2, 78).rect(-56, -10, 34, 20, "#4f7fc9", 2)
                s.rect(-18, -16, 36, 32, "#f4f0e6/#b9b3c0", 6)
                goggles(s, 0, -4, 16, 7, 1, (-0.9, -0.4 + 0.8 * (hover < 0.78)))
            if hover > 0.9:
                s.text(300, 84, "?", 44, "#fff3c9", bold=1)
        else:
            s.backdrop(kitchen)
            landed, fall = u > 0.75, span(u, 0.45, 0.75)
            flat = (1 - spring((u - 0.75) * 1.6)) if landed else 0.0
            s.placed(300, 300).draw(_cook, t, (0.8 * wave(t, 0.6), 0.3) if landed else (0, -0.9), (74, -60), flat)
            s.placed(470, 236, -4).draw(_pan)
            if landed:
                s.placed(300, 150 + 31.5 * flat).draw(_flat_pancake, t)
                for k in range(6):
                    a = t * 3 + k * 1.05
                    with s.at(300 + 86 * np.cos(a), 118 + 18 * np.sin(a), t * 200):
                        s.ring(5).polygon("-3,0 0,-10 3,0", "#ffc93d")
                s.shake(7 * max(0, 1 - (u - 0.75) * 4), t)
            else:
                if fall > 0:
                    s.placed(300, -60 + 208 * fall**2, 0, 1.1).draw(_pancake, 1, t)
                s.ellipse(300, 130, 30 * fall, 4, "#5a3a2a40")


def _penguin(s: Stage, t: float, walk: float, shock: float) -> None:
    """Draw the penguin standing at (0, 0); `shock` opens eyes and beak."""
    step = wave(t, 0.55) * walk
    for side in (-1, 1):
        lift = 7 * max(0, side * step)
        s.placed(14 * side).blob([(-12, 2), (-8, -8 - lift), (14, -5 - lift), (18, 2)], "#ff9a3d")
    with s.at(0, -4, 7 * step):
        flap = 60 * shock * abs(wave(t, 0.16)) + 12 + 6 * step
        for side in (-1, 1):
            s.placed(side * 30, -66, -side * flap).blob("-7,-4 7,-4 9,30 0,44 -9,30", "#24304f")
        s.blob("-36,-2 -40,-46 -32,-92 0,-112 32,-92 40,-46 36,-2 0,4", "#3a4a78/#1f2a48")
        s.blob("-24,-4 -28,-42 -20,-68 0,-74 20,-68 28,-42 24,-4 0,0", "#ffffff/#dfe6f4")
        s.blob("-22,-78 -20,-98 0,-90 20,-98 22,-78 0,-66", "#ffffff")
        s.twins.polygon("12,-58 0,-53 12,-47", "#e4403f")
        s.ellipse(0, -53, 3.6, paint="#b82b36")
        if shock > 0.3:
            goggles(s, 2, -87, 22, 11, 1, (0.4 * wave(t, 0.3), 0))
        else:
            eyes(s, 2, -86, 20, 4, blink(t, 2.0))
        s.polygon([(-7, -80), (12, -79), (3, -70 - 2 * shock)], "#ffb03d")
        if shock > 0.3:
            s.polygon("-6,-72 10,-72 3,-60", "#e8862b")
        cheeks(s, 2, -78, 38, 5)
        s.rect(-15, -128, 30, 20, "#1c1c28", 3)
        s.rect(-24, -112, 48, 6, "#1c1c28", 3)
        s.rect(-15, -116, 30, 5, "#e4403f")


def _snowman(s: Stage, t: float, fright: float) -> None:
    with s.at(0, 0, sway(t, 0.14, 5 * fright)):
        for dy, r in ((-26, 34), (-72, 25), (-108, 19)):
            s.ellipse(0, dy, r, r * 0.95, "#ffffff/#cfe0f2")
        s.line([(-22, -76), (-52, -92 - 20 * fright)], 4, "#7a5138", curved=False)
        s.line([(22, -76), (52, -90 - 20 * fright)], 4, "#7a5138", curved=False)
        s.discs("0,-80,3 0,-66,3", "#2b2b3a")
        if fright > 0.3:
            goggles(s, -2, -113, 16, 8, 1, (-0.8, 0))
        else:
            eyes(s, -2, -113, 14, 2.8)
        s.polygon("-4,-107 -28,-102 -4,-101", "#ff8a2b")
        s.ellipse(-4, -96, 5 * fright + 1, 4 * fright + 1, "#2b2b3a")
        s.rect(-22, -96, 44, 9, "#4fa368", 4)


def _ice(s: Stage, pan: float) -> None:
    s.rect(0, 266, WIDTH, 100, "#e9f7ff/#9fd3ee")
    for k in range(9):
        s.placed((90 * k - pan) % 810 - 90, 17 * (k % 3)).line("0,292 54,288", 3, "#ffffffb0", caps=False)


@play("penguin-slip", 0.75, Look(grain=3, vignette=0.1))
def penguin_slip(rng: np.random.Generator, frames: Frames) -> None:
    scenery = Stage.under((0, "#69b9ec"), (0.6, "#c9ecf9"), (1, "#eefaff"))
    clouds(scenery, "120,70,130 380,44,100 560,96,130", "#ffffff", "#d5eaf5")
    sheet = Stage(1100, HEIGHT, None)
    for x, wide, tall in ((20, 150, 90), (230, 110, 60), (420, 190, 120), (700, 120, 66), (880, 170, 100)):
        with sheet.at(x, 270, 0, wide, tall):
            sheet.polygon("0,0 0.2,-0.7 0.45,-1 0.7,-0.6 1,0", "#ffffff/#a9d9f0")
            sheet.polygon("0.45,-1 0.7,-0.6 1,0 0.55,0", "#7fbfe460")
    bergs = sheet.layer()
    flakes, dust = rng.random((40, 3)), rng.random((16, 2))
    for s, t in frames:
        number, u = shot(t, 2.9, 4.9)
        s.backdrop(scenery.image)
        if number == 0:
            s.paste(bergs, -60)
            _ice(s, 0)
            way, slip = -30 + 120 * min(u, 2.1), span(u, 2.1, 2.9)
            s.ellipse(way, 316, 34, 6, "#5f9fc450")
            s.ellipse(280, 318, 56, 9, "#ffffffc0")
            s.ellipse(266, 316, 24, 3, "#ffffff")
            if slip == 0:
                s.placed(way, 314).draw(_penguin, t, 1, 0)
            else:
                place = (way + 40 * slip, 300 - 50 * np.sin(np.pi * clamp(slip * 1.1)))
                s.placed(*place, -20 * wave(u, 0.25) - 100 * ease(slip * 1.2)).draw(_penguin, t * 1.5, 1, 1)
        elif number == 1:
            pan = u * 760
            s.scroll(bergs, 60 + pan * 0.3)
            _ice(s, pan)
            for k in range(7):
                s.line([(30 - 8 * k, 214 + 15 * k), (170 - 9 * k, 214 + 15 * k)], 2.4, "#ffffffd0", caps=False)
            puffs(s, t + 1, 180, 316, dust, ("#ffffff", "#dff1fb"), 14, 40, 22, 0.5)
            place = (190 + 12 * wave(t, 0.4), 306 + 3 * wave(t, 0.12))
            s.placed(*place, 84 + 4 * wave(t, 0.2), 0.96, 1.08).draw(_penguin, t * 2, 0, 1)
            if u > 1.1:
                s.placed(760 - 420 * span(u, 1.1, 2.0), 316).draw(_snowman, t, span(u, 1.2, 1.4))
            s.shake(2, t)
        else:
            s.paste(bergs, -200)
            _ice(s, 80)
            for k in range(9):
                a, far = 0.35 + k * 0.32, 190 * ease(u / 0.8)
                place = (340 - far * np.cos(a), 300 - far * np.sin(a) + 190 * max(0, u - 0.2) ** 2)
                s.ellipse(*place, 13 - k % 4, 13 - k % 4, "#ffffff")
            if u < 0.5:
                puffs(s, u + 0.6, 340, 300, dust, ("#ffffff", "#e4f3fb"), 120, 90, 46, 0.6)
            heap = 262 - 6 * span(u, 0, 0.35)
            s.blob([(250, 320), (268, 282), (320, heap), (384, 270), (424, 320)], "#ffffff/#cfe3f2")
            with s.at(336, 292, 10 * wave(u, 1.3) * (1 - clamp(u / 2.6)), 1, 0.7 + 0.3 * spring(span(u, 0.0, 0.9))):
                _penguin(s, t, 0, 1 if u < 1.2 else 0)
                s.polygon("-6,-76 -6,-66 26,-68", "#ff8a2b")
            for side in (-1, 1):
                twig = [(336 + side * 60, 300), (336 + side * 104, 262 + 10 * wave(t, 0.7, side * 0.2))]
                s.line(twig, 4, "#7a5138", curved=False)
            s.rect(306, 240, 60, 10, "#4fa368", 5)
            if u > 1.1:
                s.text(336, 118, "ta-daa!", 34 * spring((u - 1.1) * 2), "#e4503f", bold=1)
            s.shake(8 * (1 - clamp(u * 2)), t)
        snowfall(s, flakes, t, 40, 14)


def _clay(s: Stage, points: str | Sequence[Sequence[float]], ink: str, step: float) -> None:
    """Fill a lump that no hand ever shapes twice alike: lit above, dark below."""
    pts = outline(points)
    pts = pts + np.random.default_rng(int(step) * 31 + len(pts) + 9000).normal(0, 0.9, (len(pts), 2))
    s.blob(pts + (0, 3.5), mix(ink, "#2b1430", 0.45))
    s.blob(pts, Gradient(mix(ink, "#ffffff", 0.18), mix(ink, "#4a2040", 0.22)))
    top = pts.mean(axis=0) + (pts - pts.mean(axis=0)) * (0.62, 0.5)
    s.blob(top + (-0.06, -0.16) * (pts.max(axis=0) - pts.min(axis=0)), fade("#ffffff", 0.13))


def _lump(s: Stage, x: float, y: float, rx: float, ry: float, ink: str, step: float) -> None:
    _clay(s, [(x + rx * np.cos(a), y + ry * np.sin(a)) for a in np.linspace(0, 6.283, 9)[:-1]], ink, step)


def _monster(s: Stage, step: int, mouth: float, squash: float, look: tuple[float, float], belly: float) -> None:
    with s.at(0, 0, 0, 1 + 0.16 * squash + 0.25 * belly, 1 - 0.16 * squash + 0.05 * belly):
        for side in (-1, 1):
            _lump(s, side * 34, -4, 24, 12, "#5f9f3f", step + side)
        _clay(s, "-70,-10 -74,-80 -50,-140 0,-158 50,-140 74,-80 70,-10 0,2", "#7fc04f", step)
        _lump(s, 0, -38, 44, 30, "#c9e08a", step + 5)
        for dx, dy, r in ((-46, -104, 9), (52, -86, 11), (44, -120, 7), (-54, -64, 8)):
            _lump(s, dx, dy, r, r * 0.8, "#5f9f3f", step + dx)
        up = 12 * wave(step, 5)
        for side in (-1, 1):
            horn = [(side * 34, -146), (side * 44, -184), (side * 54, -178), (side * 54, -138)]
            _clay(s, horn, "#f2d28a", step + 9 * side)
            arm = [(64, -90), (100, -78 + up), (112, -58 + up), (96, -54), (64, -66)]
            _clay(s, [(side * x, y) for x, y in arm], "#7fc04f", step + 3 * side)
            _lump(s, side * 24, -128, 20, 20, "#fdf8ec", step + 2 * side)
            pupil = (side * 24 + look[0] * 7, -128 + look[1] * 7)
            _lump(s, *pupil, 8, 9, "#33204a", step + 4 * side)
            s.ellipse(pupil[0] + 3, pupil[1] - 4, 2.6, paint="#ffffff")
        high = 4 + 44 * mouth
        lips = [(-40, -92), (0, -98 - 4 * mouth), (40, -92), (34, -92 + high * 0.8), (0, -90 + high)]
        _clay(s, [*lips, (-34, -92 + high * 0.8)], "#8f2f4a", step + 7)
        if mouth > 0.2:
            _lump(s, 0, -94 + high * 0.75, 22, high * 0.22 + 2, "#ff7f8f", step + 8)
        for dx in (-24, -8, 8, 24):
            tip = -84 + 3 * mouth
            _clay(s, [(dx - 6, -95), (dx + 6, -95), (dx + 1, tip), (dx - 1, tip)], "#fdf8ec", step + dx)


def _cake(s: Stage, step: int) -> None:
    _clay(s, "-46,0 -46,-44 46,-44 46,0 0,6", "#f6d9a0", step)
    _clay(s, "-50,-36 -48,-56 48,-56 50,-36 30,-28 12,-38 -10,-26 -30,-38", "#ff8fb0", step + 1)
    for k in range(3):
        _lump(s, -28 + 28 * k, -62, 8, 8, "#e4303f", step + k)


def _plate(s: Stage, step: int) -> None:
    _clay(s, "-64,-4 0,-9 64,-4 40,7 -40,7", "#7fc4e8", step)


def _table(s: Stage, step: int) -> None:
    for dx in (-84, 84):
        _clay(s, [(dx - 8, 4), (dx + 8, 4), (dx + 6, 70), (dx - 6, 70)], "#c9783f", step)
    _clay(s, "-120,-6 0,-10 120,-6 122,8 0,11 -122,8", "#e09a5a", step + 2)


def _gulp(s: Stage, flight: float, thing: Callable[[Stage, int], None], y: float, step: int) -> None:
    """Let a thing fly from the table into the mouth."""
    if flight < 1:
        place = (470 - 220 * flight, y + (206 - y) * flight - 70 * np.sin(np.pi * flight))
        s.placed(*place, -200 * flight, 1 - 0.8 * flight).draw(thing, step)


@play("clay-monster", 0.75, Look(grain=4, vignette=0.25))
def clay_monster(rng: np.random.Generator, frames: Frames) -> None:
    room = Stage.under((0, "#f7cfae"), (0.7, "#ec9f8a"), (1, "#ec9f8a"))
    for x in range(20, WIDTH, 76):
        for y in range(20, 230, 62):
            room.ellipse(x + (38 if (y // 62) % 2 else 0), y, 8, paint="#f9e0c4")
    room.rect(0, 270, WIDTH, 100, "#8f5a78/#6b3f60")
    thumbs, bites = _thumbprints(rng), (1.5, 3.2, 4.9)
    for s, t in frames:
        step = int(t * 12 + 1e-6) * 17 % 997
        s.backdrop(room.image)
        since = min((t - at for at in bites if t >= at), default=9.0)
        mouth = 1.0 if since < 0.5 else 0.5 + 0.5 * wave(t, 0.34) if since < 1.3 else 0.0
        mouth = max(mouth, span(t, 0.9, 1.4) * (t < 1.5), 1.0 * (6.4 < t < 7.0))
        belly = sum(0.33 * ease(span(t, at + 0.3, at + 0.7)) for at in bites) * (1 - ease(span(t, 6.4, 6.9)))
        look = (0.9, 0.6) if t < 5.3 else (0.2 * wave(t, 1.2), 0.2) if t < 6.4 else (0.0, -0.7)
        s.ellipse(250, 318, 116, 12, "#3f204070")
        s.placed(250, 318).draw(_monster, step, mouth, wave(t, 0.5) * 0.3 + 0.9 * (since < 0.17), look, belly)
        for at, thing, high in ((4.9, _table, 262), (3.2, _plate, 246), (1.5, _cake, 240)):
            _gulp(s, ease(span(t, at, at + 0.45)), thing, high, step)
        if 6.4 < t < 7.5:
            grow = spring((t - 6.4) * 1.6)
            for k in range(5):
                place = (330 + (34 + 22 * k) * grow, 200 - 26 * k * grow)
                _lump(s, *place, (7 + 5 * k) * grow + 1, (6 + 4 * k) * grow + 1, "#fdf3d9", step + k)
            s.text(450, 74, "BURP", 46 * grow + 1, "#c93a4f", bold=2)
            s.shake(5 * (1 - clamp((t - 6.4) * 2)), t)
        s.image.paste(ImageChops.multiply(s.image, thumbs[step % len(thumbs)]))


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


def _cat(s: Stage, t: float, scared: float) -> None:
    """Draw the orange cat running to the right on two legs."""
    with s.at(0, -6 * abs(wave(t, 0.28)), 6):
        for phase in (0.0, 0.5):
            a = 2 * np.pi * (t / 0.28 + phase)
            s.limb((0, -34), (18 * np.cos(a), -4 + 10 * min(np.sin(a), 0)), 40, -1, 10, "#d9702b")
        s.taper([(-16, -40), (-44, -50), (-56, -82 - 10 * wave(t, 0.4))], 10, 6 + 9 * scared, "#f08a3d")
        s.blob("-20,-28 -22,-66 0,-78 22,-66 20,-28", "#f99a4a/#e07a30")
        s.ellipse(4, -44, 12, 14, "#ffe6c4")
        arm = (26, -58 + 14 * wave(t, 0.28)) if scared < 0.5 else (10, -96 + 5 * wave(t, 0.1))
        s.limb((8, -64), arm, 40, -1, 9, "#e07a30")
        with s.at(4, -94, -6 * scared):
            s.twins.polygon("8,-18 24,-42 28,-8", "#f08a3d")
            s.twins.polygon("13,-18 22,-34 24,-12", "#ffb9a0")
            s.blob("-32,4 -26,-20 0,-26 26,-20 32,4 20,20 -20,20", "#f99a4a/#ee8438")
            goggles(s, 4, -6, 24, 11 + 3 * scared, 1, (0.7 if scared < 0.5 else -0.8, 0))
            s.ellipse(6, 5, 3.4, 2.6, "#c94f4f")
            s.ellipse(6, 13, 7, 2.5 + 6 * scared, "#7a2b33")
            for x in (-10, 18):
                s.line([(x, 8), (38 if x > 0 else -38, 4 - 5 * scared)], 1.2, "#ffe6c4", caps=False)


def _ghost(s: Stage, t: float, happy: float) -> None:
    with s.at(0, -34 + 7 * wave(t, 0.6), 8):
        hem = [(36 - 14.7 * k, 34 + (9 if k % 2 else -3) + 5 * wave(t, 0.4, k * 0.2)) for k in range(7)]
        s.glow(0, -20, 100, "#8fd8ff", 0.5)
        s.blob([(-34, 10), (-36, -40), (0, -78), (36, -40), (38, 10), *hem], "#ffffff/#bfe0ff")
        for side in (-1, 1):
            hand = [(32, -20), (54, -32 + 10 * wave(t, 0.35, side * 0.2)), (52, -18), (34, -4)]
            s.blob([(side * x, y) for x, y in hand], "#e4f2ff")
        goggles(s, 6, -40, 26, 10, 1, (-0.8, 0.1) if happy < 0.5 else (0.8, 0.1))
        s.ellipse(7, -17, 9, 5 + 5 * (1 - happy) + 3 * abs(wave(t, 0.3)), "#3a3f70")
        if happy > 0.5:
            s.blob("0,-14 14,-14 10,-2 4,-2", "#ff7f9f")
        cheeks(s, 6, -26, 44, 6, "#8fa8ff90")


def _hall(doors: tuple[int, ...]) -> Image.Image:
    s = Stage.under((0, "#3d2a6b"), (1, "#5f3f8f"))
    s.row(10, 64).rect(0, 0, 32, 290, "#48327a")
    for x in range(0, WIDTH, 64):
        s.row(4, 0, 70).ellipse(x + 48, 30, 7, 10, "#6b4a9c")
    s.rect(0, 250, WIDTH, 34, "#2f2052")
    s.rect(0, 282, WIDTH, 90, "#a8483f/#7a2b3a")
    s.rect(0, 296, WIDTH, 5, "#f2b03d")
    for x in doors:
        s.rect(x - 52, 116, 104, 172, "#26183f", 8)
        s.rect(x - 44, 124, 88, 164, "#120a24", 5)
    for x in (220, 420):
        s.rect(x - 26, 66, 52, 64, "#d9a441", 4)
        s.rect(x - 20, 72, 40, 52, "#2f4a4a")
        s.ellipse(x, 92, 11, 13, "#a8c4a0")
        s.rect(x - 14, 104, 28, 20, "#3a2a3f", 8)
        s.glow(x, 40, 70, "#ffb347", 0.5)
    for x, way in ((0, 1), (WIDTH, -1)):
        for a in np.arange(7) * 0.26:
            s.stroke([(x, 0), (x + way * 120 * np.cos(a), 120 * np.sin(a))], 1, "#ffffff50")
    return s.image


def _door(s: Stage, opened: float) -> None:
    wide = 88 * (1 - 0.82 * opened)
    leaf = [(-44, 124), (-44 + wide, 124 - 8 * opened), (-44 + wide, 288 + 10 * opened), (-44, 288)]
    s.polygon(leaf, "#b8743f/#8a4f2b")
    s.row(2, 0, 76).rect(-44 + wide * 0.16, 136, wide * 0.68, 60, "#9c5f34", 4)
    s.ellipse(-44 + wide * 0.86, 208, 4.5 * (1 - 0.5 * opened), 4.5, "#ffd23d")


@play("ghost-chase", 0.75, Look(grain=3, vignette=0.25))
def ghost_chase(rng: np.random.Generator, frames: Frames) -> None:
    doors = (120, 320, 520)
    hall, dust = _hall(doors), rng.random((12, 2))

    def chase(s: Stage, x: float, gap: float, first: Callable, second: Callable, t: float, back: bool = False) -> None:
        for figure, at in ((first, x), (second, x - gap)):
            with s.at(at, 318, 0, -1 if back else 1, 1):
                puffs(s, t + 2, -34, -2, dust, ("#e0c9f0a0", "#c9a8e0a0"), 10, 16, 12, 0.5)
                figure(s, t, 1 if first is _cat else 0)

    for s, t in frames:
        s.backdrop(hall)
        number, u = shot(t, 1.7, 3.2, 4.6, 6.2)
        for x in doors:
            opened = 0.5 + 0.5 * wave(t, 0.5, x / 300) if number == 2 else 0.0
            s.placed(x).draw(_door, opened)
            if opened > 0.5:
                with s.at(x - 6, 262, 0, 0.75):
                    who = (int(t * 2.4) + x // 100) % 3
                    if who == 0:
                        _ghost(s, t, 0)
                    elif who == 1:
                        s.placed(0, 10).draw(_cat, t, 1)
                    else:
                        goggles(s, 0, -60, 26, 12, blink(t, 0.9), (wave(t, 0.7), 0))
        if number == 0:
            chase(s, 60 + 460 * u, 180, _ghost, _cat, t)
        elif number == 1:
            chase(s, 600 - 470 * u, -190, _ghost, _cat, t, back=True)
        elif number == 3:
            chase(s, 70 + 450 * u, 180, _cat, _ghost, t)
        elif number == 4:
            near = ease(u / 0.7)
            s.placed(140 + 110 * near, 318).draw(_cat, t if u < 0.7 else 0.07, 1 if u < 0.9 else 0.2)
            s.placed(520 - 120 * near, 318, 0, -1, 1).draw(_ghost, t, 0 if u < 0.9 else 1)
            if 0.9 < u < 1.35:
                s.text(325, 96, "BOO!", 40 * spring((u - 0.9) * 2), "#fff3b0", bold=1)
            elif u >= 1.35:
                s.text(325, 96, "hee hee", 30, "#fff3b0", bold=1)
            s.camera(1.0 + 0.25 * near, 325, 230)
        s.shake(1.6 if number < 4 else 0, t)


def _cat_face(s: Stage, fur: tuple[str, str], shut: bool, hat: str | None = None) -> None:
    s.twins.polygon("8,-20 27,-44 31,-6", fur[0])
    s.twins.polygon("14,-20 25,-36 27,-12", "#ff9fa8")
    s.blob("-37,4 -29,-22 0,-28 29,-22 37,4 22,22 -22,22", Gradient(*fur))
    s.blob("-16,6 0,1 16,6 11,19 -11,19", "#fff3e0")
    if shut:
        s.twins.line("9,-4 16,-9 23,-4", 2.6, "#1f1428")
    else:
        s.twins.rect(3, -14, 26, 15, "#14101f", 5)
        s.line("-4,-9 4,-9", 2.5, "#14101f")
        s.row(2, 32).line("-24,-10 -16,-10", 2, "#ffffff90")
    s.polygon("-3.5,4 3.5,4 0,8", "#e4607a")
    smile(s, 0, 11, 12, 5, "#1f1428", 1.8)
    s.twins.line("16,9 42,5", 1.1, "#fff3e0", caps=False)
    s.twins.line("16,12 41,14", 1.1, "#fff3e0", caps=False)
    if hat:
        s.ellipse(0, -25, 34, 6, hat)
        s.rect(-21, -46, 42, 23, hat, 8)
        s.rect(-21, -32, 42, 6, "#f2b03d")


def _bassist(s: Stage, t: float) -> None:
    with s.at(0, -4 * abs(wave(t, 0.75)), sway(t, 1.5, 4)):
        s.taper([(-26, -14), (-66, -10), (-72, -50 + 12 * wave(t, 1.5))], 12, 9, "#6f7fb8")
        s.blob("-34,0 -36,-70 -14,-96 14,-96 34,-70 34,0", "#3f4f8f/#2b3563")
        s.placed(0, -118, sway(t, 0.75, 6)).draw(_cat_face, ("#8f9fd8", "#6577b8"), False, "#1f1a38")
        with s.at(40, 0, 8):
            s.rect(-4, -186, 9, 96, "#3a1c14", 3)
            s.ellipse(0, -192, 7, 10, "#3a1c14")
            s.blob("-30,-90 -18,-104 18,-104 30,-90 20,-66 38,-30 24,0 -24,0 -38,-30 -20,-66", "#d9692f/#8f3420")
            s.twins.ellipse(14, -46, 3, 12, "#4a1c12", -12)
            for k in range(4):
                string = [(-3 + 2.4 * k, -186), (-4 + 3 * k + wave(t, 0.09, k * 0.3), -96), (-4 + 3 * k, -16)]
                s.line(string, 0.8, "#ffe9c4", caps=False)
        s.limb((22, -78), (46, -70 + 14 * wave(t, 0.375)), 46, -1, 13, "#8f9fd8")
        s.limb((-10, -84), (50, -150 + 18 * wave(t, 1.5)), 80, 1, 12, "#8f9fd8")


def _saxman(s: Stage, t: float) -> None:
    lean = 9 * wave(t, 1.5, 0.25)
    with s.at(0, -6 * abs(wave(t, 0.75)), lean):
        s.taper([(24, -14), (64, -16), (76, -58 + 12 * wave(t, 1.5))], 13, 9, "#f0a04a")
        s.blob("-36,0 -38,-72 -14,-98 14,-98 36,-72 36,0", "#e4503f/#a82f3a")
        s.polygon("-10,-92 10,-92 0,-60", "#fff3e0")
        s.twins.polygon("9,-88 0,-83 9,-78", "#1f1428")
        s.placed(0, -122, -lean * 1.3).draw(_cat_face, ("#ffb45e", "#e88a3a"), True)
        for width, ink in ((9, "#b8791f"), (5.5, "#ffd04a")):
            s.line("-4,-110 -20,-104 -22,-60 -22,-24 -34,-8 -52,-14 -58,-46", width, ink)
        s.ellipse(-59, -52, 19, 11, "#ffd04a", -12)
        s.ellipse(-59, -53, 14, 7, "#a8641c", -12)
        s.row(4, 0, 14).ellipse(-22, -76, 4, paint="#fff3b0")
        s.limb((26, -76), (-24, -66 + 3 * wave(t, 0.19)), 56, 1, 12, "#f0a04a")
        s.limb((-20, -76), (-24, -34 + 3 * wave(t, 0.19, 0.4)), 56, -1, 12, "#f0a04a")


def _drummer(s: Stage, t: float) -> None:
    with s.at(0, -18 - 3 * abs(wave(t, 0.375)), sway(t, 1.5, 3, 0.5)):
        s.blob("-34,0 -34,-62 -12,-86 12,-86 34,-62 34,0", "#3fa08f/#246b68")
        s.placed(0, -110, sway(t, 0.75, 8, 0.3)).draw(_cat_face, ("#f4ece0", "#cfc0b8"), True)
        for side in (-1, 1):
            hand = (side * 48, -52 - 22 * abs(wave(t, 0.375, 0.25 * (side > 0))))
            s.limb((side * 24, -66), hand, 46, side, 12, "#e4d8cc")
            s.line([hand, (hand[0] - side * 22, hand[1] + 20)], 3.4, "#ffdf9c", curved=False)
    s.ellipse(0, -32, 42, paint="#f2e5d0")
    s.ellipse(0, -32, 36, paint="#fff8ea/#e0cdb4")
    s.text(0, -32, "MEOW", 17, "#c93a4f", bold=0.6)
    s.twins.rect(32, -58, 40, 28, "#e4503f/#8f2436", 4)
    s.twins.ellipse(52, -58, 20, 5, "#fff3e0")
    s.twins.line("84,0 84,-104", 2.5, "#d9cfc4", curved=False)
    for side, phase in ((-1, 0.0), (1, 0.5)):
        s.ellipse(side * 84, -106, 30, 5, "#ffd04a", 8 * wave(t, 0.375, phase) * side)


def _note(s: Stage, ink: Paint) -> None:
    s.ellipse(0, 0, 7, 5, ink, -20)
    s.rect(5, -26, 2.6, 26, ink)
    s.polygon("6,-26 17,-20 16,-13 6,-18", ink)


@play("jazz-cats", 0.75, Look(grain=4, vignette=0.25))
def jazz_cats(rng: np.random.Generator, frames: Frames) -> None:
    club = Stage.under((0, "#2b1450"), (0.6, "#6b1f5f"), (1, "#a83254"))
    club.row(16, 42).polygon("0,0 21,0 25,280 -4,280", "#00000026")
    club.rect(0, 276, WIDTH, 90, "#f2a541/#b8603a")
    club.rect(0, 276, WIDTH, 5, "#ffd98a")
    for plank in range(-300, 940, 60):
        club.stroke([(320 + (plank - 320) * 0.6, 281), (plank, 366)], 1.6, "#8a3f2f70")
    bulbs = [(20.0 + 40 * k, 22 + 14 * np.sin(k * 0.78) ** 2) for k in range(16)]
    club.line([(x, y - 6) for x, y in bulbs], 1.6, "#1a0d2b")
    notes = rng.random((9, 3))
    heads = [(-10 + 82 * k + rng.uniform(-12, 12), rng.uniform(348, 360), k) for k in range(9)]
    for s, t in frames:
        number, u = shot(t, 4.5, 6.0)
        s.backdrop(club.image)
        for k, (x, y) in enumerate(bulbs):
            on = 0.5 + 0.5 * wave(t, 0.75, (k % 2) * 0.5)
            s.ellipse(x, y, 4, paint=mix("#c9783f", "#fff3b0", on))
            s.glow(x, y, 18, "#ffc04a", 0.3 + 0.5 * on)
        for lamp, ink, phase in ((150, "#ff5fa8", 0.0), (330, "#ffd04a", 0.3), (510, "#5fc4ff", 0.6)):
            aim = lamp + 36 * wave(t, 3, phase)
            s.polygon([(lamp + 30, -10), (lamp + 44, -10), (aim + 76, 300), (aim - 76, 300)], fade(ink, 0.17))
            s.ellipse(aim, 300, 78, 15, fade(ink, 0.3))
        for at, player in (((128, 304), _bassist), ((504, 304), _drummer), ((322, 312), _saxman)):
            s.placed(*at).draw(player, t)
        for x, when, kind in notes:
            rise = (t * 0.42 + when) % 1
            place = (250 - 190 * rise * (x - 0.25) * 2 + 10 * wave(t, 1.1, when), 250 - 210 * rise)
            ink = ("#ffd04a", "#ff9fc4", "#8fe4ff")[int(kind * 3)]
            s.placed(*place, 14 * wave(t, 1.2, when), 0.7 + 0.5 * kind).draw(_note, fade(ink, 1 - rise))
        for x, y, seat in heads if number != 1 else []:
            with s.at(x, y - 5 * abs(wave(t, 0.75, (seat % 2) * 0.25))):
                s.ellipse(0, 12, 31, 27, "#170a26")
                s.twins.polygon("6,-10 22,-26 28,2", "#170a26")
        if number:
            s.camera(*((1.9, 312, 210) if number == 1 else (1.0 + 0.06 * u,)))
