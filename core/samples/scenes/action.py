"""Fast: the penalty, the skater, the marbles, the corridor."""
# The formatter would put every point of every outline on a line of its own.
# fmt: off

from __future__ import annotations

import numpy as np
from PIL import Image

from core.samples.celluloid import Look
from core.samples.colours import fade, mix, rgba
from core.samples.figures import figure, painted
from core.samples.outlines import HEIGHT, WIDTH, reach
from core.samples.playbill import Frames, play
from core.samples.stage import SUPER, Stage
from core.samples.streets import dashes, town
from core.samples.timing import clamp, ease, hop, shot, span, spring, wave
from core.samples.weather import confetti, puffs

_SKIN, _SKIN_DARK, _BOOT = "#f2b48a", "#d99a76", "#262b3f"


def _runner(s: Stage, t: float, kick: float) -> None:
    """Draw the striker running to the right; `kick` from 0 to 1 swings the leg through."""
    a = 2 * np.pi * t / 0.42
    with s.at(0, -6 * abs(np.sin(a)) * (1 - kick)):
        feet = [(22 * np.cos(a + p), -4 + 26 * min(np.sin(a + p), 0) * 0.7) for p in (0, np.pi)]
        if kick > 0:
            feet = [(-16, 0), (-46 + 116 * ease(kick), -14 - 46 * ease(kick))]
        for foot, ink in zip(feet, (_SKIN_DARK, _SKIN), strict=True):
            hip, knee, ankle = reach((0, -62), foot, 66, -1)
            s.line([hip, knee, ankle], 12, ink)
            s.line([knee, ankle], 11, "#ffffff")
            s.ellipse(foot[0] + 6, foot[1], 12, 6, _BOOT)
        figure("runner")(s, t, kick)


@play("penalty", 0.92, Look(grain=4, vignette=0.2), hold=1)
def penalty(rng: np.random.Generator, frames: Frames) -> None:
    stand = Stage.under((0, "#0f1f4a"), (0.4, "#2b4f9c"), (1, "#2b4f9c"))
    inks = ("#ff5a4a", "#ffd04a", "#ffffff", "#4fb5e8", "#f2b48a", "#2b3563", "#e4405f")
    for row in range(9):
        stand.rect(0, 58 + 17 * row, WIDTH, 17, mix("#1a2a5a", "#25407f", row / 9))
        for x in np.arange(-6 + 7 * (row % 2), WIDTH, 14.0).tolist():
            x += rng.uniform(-2, 2)
            stand.ellipse(x, 68 + 17 * row, 4.6, 5.4, mix(inks[rng.integers(7)], "#16244f", 0.35 - 0.03 * row))
    figure("stadium")(stand)
    net = painted("goal")
    slips, lines, fans = rng.random((80, 4)), rng.random((36, 2)), rng.random((30, 2))

    def crowd(s: Stage, t: float, joy: float) -> None:
        for x, y in fans:
            high = 196 - 120 * y - (4 + 13 * joy) * abs(wave(t, 0.36 + 0.1 * y, x))
            s.placed(x * WIDTH, high).draw(figure("fan"), t, inks[int(x * 7)], joy)

    for s, t in frames:
        number, u = shot(t, 2.0, 3.1, 4.7)
        s.backdrop(stand.image)
        if number == 0:
            crowd(s, t, 0)
            s.rect(0, 224, WIDTH, 140, "#45ae62")
            for k in range(6):
                s.placed((120 * k - t * 520) % 720 - 80).polygon("0,224 60,224 20,370 -70,370", "#3fa45a")
            flown = span(u, 1.78, 2.0)
            place = (max(900 - 260 * min(u, 1.62), 478) + 900 * flown, 326 - 90 * flown)
            s.placed(*place, -t * 300 if flown else 0, 15).draw(figure("ball"))
            s.placed(250 + 80 * u, 338, 0, 1.3).draw(_runner, t, span(u, 1.62, 1.95))
            for k in range(6):
                s.line([(20 + 14 * k, 190 + 24 * k), (130 + 10 * k, 190 + 24 * k)], 2.4, "#ffffff90", caps=False)
            s.shake(2, t)
        elif number == 1:
            s.wash("#ff5a1c30")
            s.streaks(lines[:, 0] * 760 - 60, lines[:, 1] * HEIGHT, -220, 20, 2, "#ffffffb0")
            figure("trail-of-fire")(s)
            s.placed(340 + 10 * wave(t, 0.08), 184 + 8 * wave(t, 0.11), t * 700, 78).draw(figure("ball"))
            s.shake(6, t)
        else:
            won = number == 3
            crowd(s, t, float(won))
            s.rect(0, 224, WIDTH, 140, "#3fa45a/#57c474")
            s.stroke([(0, 254), (WIDTH, 254)], 4, "#ffffff")
            s.paste(net)
            fly, bulge = 1.0 if won else span(u, 0.1, 0.6), 0.0
            if won:
                bulge = 24 * np.exp(-2.2 * u) * abs(np.cos(u * 9)) + 4
            elif fly >= 1:
                bulge = 30 * np.exp(-2.5 * (u - 0.6)) * abs(np.cos((u - 0.6) * 8))
            for k in range(5 if bulge else 0):
                s.ellipse(206, 132, 12 * k + bulge, 10 * k + bulge, fade("#ffffff", 0.16))
            dive = 1.0 if won else ease(span(u, 0.15, 0.75))
            s.placed(322, 252).draw(figure("keeper"), t, dive, np.sin(np.pi * clamp(dive * 0.62)))
            drop = 0 if fly < 1 else 106 * clamp((1.2 + u if won else u - 0.6) * 1.2) ** 2
            high = min(390 - 258 * fly - 40 * np.sin(np.pi * fly) + drop, 246)
            s.placed(560 - 354 * fly, high, t * 500 * (drop < 100), 22 - 10 * fly).draw(figure("ball"))
            if won:
                s.placed(320, 168, -6 + 3 * wave(t, 0.5), spring(u * 1.3)).draw(figure("cry-of-goal"))
                confetti(s, slips, u + 0.35, t, inks[:5])
            s.shake(4 if won else 2.5, t)


@play("sunset-skater", 0.92, Look(grain=4, vignette=0.2), hold=1)
def sunset_skater(rng: np.random.Generator, frames: Frames) -> None:
    evening = Stage.under((0, "#2b1b6b"), (0.4, "#c9309c"), (0.65, "#ff7a5a"), (1, "#ffd35a"))
    figure("striped-sun")(evening)
    far = town(rng, 960, 270, 130, "#8f2a86", ("#ffb45a",), lit=0.4)
    near = town(rng, 960, 296, 170, "#4f1f6f", ("#5fe4f0",), lit=0.4)
    palms = Stage(1200, HEIGHT, None)
    palms.each("80,0 420,0 700,0 1010,0").draw(figure("palm"))
    trees = palms.layer()
    lines, sparks = rng.random((26, 2)), rng.random((14, 2))
    jumps = (1.3, 3.3, 5.9)
    for s, t in frames:
        number, _ = shot(t, 2.9, 4.3)
        jump = min(jumps, key=lambda at: abs(t - at - 0.35))
        air = hop(clamp((t - jump) / 0.75), 1.0)
        crouch = clamp(1 - abs(t - jump + 0.08) * 6) + clamp(1 - abs(t - jump - 0.83) * 6)
        s.backdrop(evening.image)
        for layer, speed in ((far, 90), (near, 190), (trees, 420)):
            s.scroll(layer, t * speed)
        s.rect(0, 306, WIDTH, 60, "#5f2f7f/#3a1a5a")
        s.rect(0, 306, WIDTH, 4, "#ff7ac4")
        dashes(s, 336, 100, t * 900, "#ffd35a")
        for kind, at in enumerate(jumps):
            ahead = 270 + (at + 0.36 - t) * 620
            if -120 < ahead < WIDTH + 120:
                s.placed(ahead).draw(figure("obstacle"), t, kind)
        s.streaks(lines[:, 0] * 900 - 200, 30 + lines[:, 1] * 320, 130, 0, 1, "#ffffff70")
        s.ellipse(270, 324, 56 * (1 - 0.5 * air), 6, "#1c0a3090")
        for when, way in sparks if air == 0 else ():
            age = (t * 3 + when) % 1
            s.ellipse(228 - 70 * age, 320 - 26 * way * age, 2.4 * (1 - age) + 0.4, paint="#ffe06a")
        flip = ease(clamp((t - jump - 0.12) / 0.5)) * (air > 0)
        s.placed(270, 320).draw(figure("skater"), t, air, flip, flip > 0, crouch)
        if number:
            s.camera(*((1.7, 300, 230 - 50 * air) if number == 1 else (1.05, 320, 190)))
        s.shake(2 + 5 * clamp(1 - abs(t - jump - 0.8) * 8), t)


_LIGHT = np.array([-0.45, 0.75, -0.48]) / np.linalg.norm([-0.45, 0.75, -0.48])


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


class _Marble:
    """A marble, its mirror image in the floor, its shadow, and its dance."""

    def __init__(self, number: int, lane: float, depth: float, size: float, ink: str) -> None:
        self.number, self.lane, self.depth, self.r = number, lane, depth, size * (0.8 + 0.5 * depth)
        pixels = round(2 * self.r * SUPER)
        colour, cover = _sphere(pixels, ink, 0.85)
        self.ball = Image.fromarray(np.dstack([colour, cover * 255]).astype(np.uint8))
        fading = np.linspace(0.42, 0.0, pixels)[:, None]
        self.mirror = Image.fromarray(np.dstack([colour[::-1], cover[::-1] * 255 * fading]).astype(np.uint8))
        shade = Stage(self.r * 4, self.r * 1.6, None)
        shade.ellipse(self.r * 2, self.r * 0.8, self.r, self.r * 0.3, "#3a1a5fb0")
        self.shade = shade.layer(soften=size * 0.13)

    def place(self, t: float) -> tuple[float, float, float]:
        """Return its floor point and its height: they bounce in canon, then orbit, then leap at once."""
        number, u = shot(t, 3.0, 5.0)
        turn = 0.9 * ease(span(t, 2.6, 5.2)) * 2 * np.pi
        c, d = np.cos(turn), np.sin(turn)
        deep = self.depth * c + self.lane * d * 0.28 + (1 - c) * 0.25
        late = (0.0, 0.5, 0.25, 0.75, 0.125, 0.625, 0.375)[self.number]
        high = 118 * hop(t + late * 0.75, 0.75) if number != 2 else 168 * hop(u, 1.0) * (1 - 0.1 * (self.number % 3))
        return 320 + 150 * (self.lane * c - (self.depth - 0.5) * d), 252 + 56 * deep, high


@play("marble-dance", 0.88, Look(grain=2, vignette=0.2), hold=1)
def marble_dance(rng: np.random.Generator, frames: Frames) -> None:
    studio = Stage.under((0, "#ff9ac4"), (0.35, "#ffc9b0"), (0.58, "#ffe6c9"), (0.6, "#e0a8d9"), (1, "#7a4fb8"))
    studio.glow(320, 212, 330, "#fff3d6", 0.7)
    marbles = [_Marble(*marble) for marble in (
        (0, -1.5, 0.2, 34, "#ff3f5f"), (1, -0.75, 0.75, 44, "#ffb01f"), (2, 0.0, 0.1, 38, "#2fc48f"),
        (3, 0.75, 0.7, 46, "#2f8fff"), (4, 1.5, 0.25, 34, "#9c4fff"), (5, -1.1, 1.0, 24, "#ffffff"),
        (6, 1.15, 1.0, 24, "#ff7ad0"))]
    for s, t in frames:
        s.backdrop(studio.image)
        pulse = max(0.0, 1 - (t % 0.375) * 5)
        s.glow(320, 236, 200 + 40 * pulse, "#ffffff", 0.25 * pulse)
        placed = sorted(((marble, *marble.place(t)) for marble in marbles), key=lambda m: m[2])
        for m, x, y, high in placed:
            s.paste(m.shade, x - 2 * m.r, y - m.r * 0.8)
            corner = (round((x - m.r) * SUPER), round((y + high * 0.5 - m.r * 0.1) * SUPER))
            s.image.paste(m.mirror, corner, m.mirror)
        for m, x, y, high in placed:
            squash = 0.2 * max(0.0, 1 - high / 14)
            wide, tall = round(2 * m.r * (1 + squash) * SUPER), round(2 * m.r * (1 - squash) * SUPER)
            shown = m.ball if squash == 0 else m.ball.resize((wide, tall))
            s.image.paste(shown, (round(x * SUPER - wide / 2), round((y - high) * SUPER - tall)), shown)
            if squash > 0.12:
                with s.at(x, y):
                    s.twins.line([(m.r * 1.1, -3), (m.r * 1.5, -9)], 2.4, "#ffffffd0", caps=False)
        s.camera(1.03 + 0.03 * pulse, 320, 180)


def _corridor(light: str, dark: str) -> Image.Image:
    s = Stage(colour=dark)
    for k in range(10):
        shade = mix(light, "#000000", 0.25 + 0.075 * k)
        wall, edge, floor = mix(shade, "#000000", 0.45), mix(shade, "#ffffff", 0.09), mix(shade, "#000000", 0.3)
        arch = s.placed(320, 180, 0, 340 * 0.84**k, 196 * 0.84**k)
        arch.draw(figure("arch"), 0, shade, wall, edge, floor, mix(light, "#ffffff", 0.1 if k % 3 else 0.55))
    s.rect(284, 142, 72, 80, "#040207")
    return s.image


def _monitor(s: Stage, t: float, dead: bool) -> None:
    figure("monitor")(s)
    ink, sweep = "#ff3b3b" if dead else "#3dff9c", (t * 420) % 484
    xs = np.arange(0, 484, 4.0)
    beat = (xs / 150) % 1
    bumps = ((74, 0.5, 0.025), (-30, 0.57, 0.03), (12, 0.3, 0.05))
    pulse = sum(high * np.exp(-(((beat - at) / wide) ** 2)) for high, at, wide in bumps)
    ys = 190 - (0 if dead else pulse) + np.sin(xs * 1.7 + t * 9)
    for part in (xs <= sweep, xs > sweep + 40):
        if part.sum() > 2:
            line = np.stack([xs[part] + 78, ys[part]], 1)
            s.stroke(line, 6, fade(ink, 0.25))
            s.stroke(line, 2.4, ink)
    s.glow(78 + sweep, 190, 46, ink, 0.9)
    s.text(520, 88, "---" if dead else str(118 + int(14 * t)), 34, ink, bold=0.6)
    s.ellipse(468, 88, 7 + 3 * max(0, wave(t, 0.4)), paint=ink)


@play("the-corridor", 0.98, Look(grain=7, vignette=0.6))
def the_corridor(rng: np.random.Generator, frames: Frames) -> None:
    red, dim, cold = _corridor("#a81f2b", "#070205"), _corridor("#2b0d16", "#020103"), _corridor("#33404f", "#030508")
    smoke = rng.random((14, 2))
    for s, t in frames:
        number, u = shot(t, 1.4, 3.1, 3.7, 5.0, 5.4, 6.0, 6.5, 7.1)
        if number in (0, 2, 5):
            _monitor(s, t, number == 5)
            s.shake(1 + 3 * (number == 5), t)
            continue
        flicker = (wave(t, 0.17) + wave(t, 0.071) + wave(t, 0.39)) > (0.4 if number > 3 else -0.6)
        if number == 1:
            s.backdrop(cold if flicker else dim)
            s.camera(1.03 + 0.12 * u)
        elif number == 3:
            s.backdrop(red if wave(t, 0.65) > 0 else dim)
            s.glow(320, 180, 240, "#ff1f1f", 0.6 * max(0, wave(t, 0.65)))
            s.placed(320, 216 + 9 * u, 0, 1.0 + 0.25 * u).draw(figure("thing"), t)
            s.camera(1.15 + 0.25 * u)
            s.shake(2, t)
        elif number in (4, 6, 7):
            s.backdrop(red if flicker else dim)
            size = {4: 1.9, 6: 3.2, 7: 5.4}[number] * (1 + 0.15 * u)
            s.placed(320, 180 + 36 * size, 0, size).draw(figure("thing"), t)
            puffs(s, t + 1, 320, 330, smoke, ("#00000090",), 240, 50, 60)
            s.shake(7, t)
        else:
            s.wash("#020001")
            s.placed(320).draw(figure("wide-eyes"), t, spring(u * 3))
            s.shake(9, t)
            s.wash(fade("#000000", span(u, 0.55, 0.75)))
        s.wash(fade("#ff0f1f", 0.4 * clamp(1 - u * 7) * (number > 2)))
