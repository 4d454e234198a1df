"""For laughs: the pancake, the penguin, the clay monster, the ghost, and the cats who can play."""
# The formatter would put every point of every outline on a line of its own.
# fmt: off

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageChops

from core.samples.celluloid import Look
from core.samples.colours import Gradient, fade, mix
from core.samples.faces import goggles
from core.samples.figures import figure, painted
from core.samples.outlines import HEIGHT, WIDTH, outline
from core.samples.playbill import Frames, play
from core.samples.props import cloud, clouds, moon, stars
from core.samples.stage import Stage, sky
from core.samples.timing import blink, clamp, ease, hop, shot, span, spring, wave
from core.samples.weather import puffs, snowfall


def _cook(s: Stage, t: float, look: tuple[float, float], pan: tuple[float, float], squash: float) -> None:
    figure("cook")(s, t, *look, *pan, squash, abs(look[1]))


def _kitchen() -> Image.Image:
    s = Stage(colour="#ffe2b0")
    for row in range(9):
        for col in range(18):
            tile = "#ffd99b" if (row + col) % 3 else "#ffcf87"
            s.rect(col * 38 + (19 if row % 2 else 0) - 19, row * 26, 36, 24, tile, 4)
    figure("kitchen")(s)
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
            s.placed(470, 236 + dip, -4 - 10 * (big > 0)).draw(figure("pan"))
            puffs(s, t + 1, 470, 214 + dip, steam, ("#ffffff50",), 22, 60, 12)
            y = 226 - 420 * big if big else 226 - 80 * small if small else 226 + dip
            s.placed(470, y, 360 * (u / 0.75 - 0.4) if small else 0).draw(figure("pancake"), t, 0)
            if big > 0:
                s.streaks([440, 470, 500], [y + 40, y + 60, y + 40], 0, 90, 2, "#ffffffc0")
        elif number == 1:
            s.backdrop(air)
            for x, y, wide in passing:
                cloud(s, x, (y + u * 1100) % 940 - 160, wide, "#ffffff", "#cfe4f4")
            s.placed(480 - 300 * u, 210).draw(figure("gull-in-the-way"), t)
            place = (320 + 8 * wave(t, 0.2), 176 + 10 * wave(t, 0.7), 14 * wave(t, 0.5), 1.7)
            s.placed(*place).draw(figure("pancake"), t, 1)
            s.streaks([230, 270, 370, 410, 320], [230, 260, 260, 230, 280], 0, 110, 2, "#ffffffb0")
        elif number == 2:
            s.backdrop(space.image)
            hover = ease(u / 0.4) * (1 - ease(span(u, 1.0, 1.4)))
            s.placed(300, 380 - 230 * hover, 16 * wave(u, 1.2), 1.4).draw(figure("pancake"), t, 1)
            satellite = s.placed(470 - 12 * u, 240, 12 * wave(t, 2))
            satellite.draw(figure("satellite"), t, -0.4 + 0.8 * (hover < 0.78))
            if hover > 0.9:
                s.text(300, 84, "?", 44, "#fff3c9", bold=1)
        else:
            s.backdrop(kitchen)
            landed, fall = u > 0.75, span(u, 0.45, 0.75)
            flat = (1 - spring((u - 0.75) * 1.6)) if landed else 0.0
            s.placed(300, 300).draw(_cook, t, (0.8 * wave(t, 0.6), 0.3) if landed else (0, -0.9), (74, -60), flat)
            s.placed(470, 236, -4).draw(figure("pan"))
            if landed:
                s.placed(300, 150 + 31.5 * flat).draw(figure("flat-pancake"), t)
                for k in range(6):
                    a = t * 3 + k * 1.05
                    s.placed(300 + 86 * np.cos(a), 118 + 18 * np.sin(a), t * 200).draw(figure("seen-star"))
                s.shake(7 * max(0, 1 - (u - 0.75) * 4), t)
            else:
                if fall > 0:
                    s.placed(300, -60 + 208 * fall**2, 0, 1.1).draw(figure("pancake"), t, 1)
                s.ellipse(300, 130, 30 * fall, 4, "#5a3a2a40")


def _penguin(s: Stage, t: float, walk: float, shock: float) -> None:
    """Draw the penguin standing at (0, 0); `shock` opens eyes and beak."""
    step = wave(t, 0.55) * walk
    figure("penguin")(s, t, shock, step, max(0, -step), max(0, step))


def _ice(s: Stage, pan: float) -> None:
    s.rect(0, 266, WIDTH, 100, "#e9f7ff/#9fd3ee")
    for k in range(9):
        s.placed((90 * k - pan) % 810 - 90, 17 * (k % 3)).line("0,292 54,288", 3, "#ffffffb0", caps=False)


@play("penguin-slip", 0.75, Look(grain=3, vignette=0.1))
def penguin_slip(rng: np.random.Generator, frames: Frames) -> None:
    scenery = Stage.under((0, "#69b9ec"), (0.6, "#c9ecf9"), (1, "#eefaff"))
    clouds(scenery, "120,70,130 380,44,100 560,96,130", "#ffffff", "#d5eaf5")
    bergs = painted("icebergs", width=1100)
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
                s.placed(760 - 420 * span(u, 1.1, 2.0), 316).draw(figure("snowman"), t, span(u, 1.2, 1.4))
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
            s.placed(336, 300).draw(figure("twigs-and-scarf"), t)
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




@play("ghost-chase", 0.75, Look(grain=3, vignette=0.25))
def ghost_chase(rng: np.random.Generator, frames: Frames) -> None:
    doors, dust = (120, 320, 520), rng.random((12, 2))
    hall = Stage.under((0, "#3d2a6b"), (1, "#5f3f8f"))
    figure("hall")(hall)

    def chase(s: Stage, x: float, gap: float, first: str, second: str, t: float, back: bool = False) -> None:
        for who, at in ((first, x), (second, x - gap)):
            with s.at(at, 318, 0, -1 if back else 1, 1):
                puffs(s, t + 2, -34, -2, dust, ("#e0c9f0a0", "#c9a8e0a0"), 10, 16, 12, 0.5)
                figure(who)(s, t, 1 if first == "cat" else 0)

    for s, t in frames:
        s.backdrop(hall.image)
        number, u = shot(t, 1.7, 3.2, 4.6, 6.2)
        for x in doors:
            opened = 0.5 + 0.5 * wave(t, 0.5, x / 300) if number == 2 else 0.0
            s.placed(x).draw(figure("door"), t, opened)
            if opened > 0.5:
                with s.at(x - 6, 262, 0, 0.75):
                    who = (int(t * 2.4) + x // 100) % 3
                    if who == 0:
                        figure("ghost")(s, t, 0)
                    elif who == 1:
                        s.placed(0, 10).draw(figure("cat"), t, 1)
                    else:
                        goggles(s, 0, -60, 26, 12, blink(t, 0.9), (wave(t, 0.7), 0))
        if number == 0:
            chase(s, 60 + 460 * u, 180, "ghost", "cat", t)
        elif number == 1:
            chase(s, 600 - 470 * u, -190, "ghost", "cat", t, back=True)
        elif number == 3:
            chase(s, 70 + 450 * u, 180, "cat", "ghost", t)
        elif number == 4:
            near = ease(u / 0.7)
            s.placed(140 + 110 * near, 318).draw(figure("cat"), t if u < 0.7 else 0.07, 1 if u < 0.9 else 0.2)
            s.placed(520 - 120 * near, 318, 0, -1, 1).draw(figure("ghost"), t, 0 if u < 0.9 else 1)
            if 0.9 < u < 1.35:
                s.text(325, 96, "BOO!", 40 * spring((u - 0.9) * 2), "#fff3b0", bold=1)
            elif u >= 1.35:
                s.text(325, 96, "hee hee", 30, "#fff3b0", bold=1)
            s.camera(1.0 + 0.25 * near, 325, 230)
        s.shake(1.6 if number < 4 else 0, t)


@play("jazz-cats", 0.75, Look(grain=4, vignette=0.25))
def jazz_cats(rng: np.random.Generator, frames: Frames) -> None:
    club = Stage.under((0, "#2b1450"), (0.6, "#6b1f5f"), (1, "#a83254"))
    figure("jazz-club")(club)
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
            figure("spotlight")(s, t, lamp, phase, fade(ink, 0.17), fade(ink, 0.3))
        for at, player in (((128, 304), "bassist"), ((504, 304), "drummer"), ((322, 312), "saxman")):
            s.placed(*at).draw(figure(player), t)
        for x, when, kind in notes:
            rise = (t * 0.42 + when) % 1
            place = (250 - 190 * rise * (x - 0.25) * 2 + 10 * wave(t, 1.1, when), 250 - 210 * rise)
            ink = ("#ffd04a", "#ff9fc4", "#8fe4ff")[int(kind * 3)]
            s.placed(*place, 14 * wave(t, 1.2, when), 0.7 + 0.5 * kind).draw(figure("note"), t, fade(ink, 1 - rise))
        for x, y, seat in heads if number != 1 else []:
            s.placed(x, y - 5 * abs(wave(t, 0.75, (seat % 2) * 0.25))).draw(figure("listener"))
        if number:
            s.camera(*((1.9, 312, 210) if number == 1 else (1.0 + 0.06 * u,)))
