"""The drawing table: one frame, drawn at twice its size and reduced, in logical coordinates of 640 × 360.

Everything a scene draws is flat paper: filled shapes, two-colour gradients, soft glows. `Stage.at` moves, turns
and squashes what is drawn inside it, so a character is written once around (0, 0) and animated by its frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, cos, exp, floor, hypot, pi, radians, sin
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

WIDTH, HEIGHT, FPS = 640, 360, 24
SUPER = 2
"""Drawn this many times larger than shown, which smooths every edge."""

Colour = str | tuple[int, ...]
"""'#rrggbb', '#rrggbbaa', or a tuple of 3 or 4 numbers from 0 to 255."""
Points = Sequence[Sequence[float]] | np.ndarray


class Gradient(NamedTuple):
    """A paint that runs from the top of the painted shape to its bottom."""

    top: Colour
    bottom: Colour


Paint = Colour | Gradient


@dataclass(frozen=True, slots=True)
class Layer:
    """A picture with holes, ready to be pasted: parallax hills, a moon, a title.

    Only what is not empty is kept, and what has no holes (ground under a skyline) is kept apart, because pasting
    without a mask is five times faster.
    """

    width: float
    place: tuple[int, int]
    """Where the kept part begins, in pixels."""
    rgb: Image.Image
    mask: Image.Image
    solid: Image.Image | None

    @classmethod
    def of(cls, picture: Image.Image) -> Layer:
        """Cut an RGBA picture, drawn at the stage's scale, into a layer."""
        left, top, right, bottom = picture.getbbox() or (0, 0, 1, 1)
        alpha = np.asarray(picture.getchannel("A"))[top:bottom, left:right]
        holes = np.flatnonzero(alpha.min(axis=1) < 255)
        split = top + (int(holes[-1]) + 1 if len(holes) else 0)
        upper = picture.crop((left, top, right, max(split, top + 1)))
        lower = picture.crop((left, split, right, bottom)).convert("RGB") if split < bottom else None
        return cls(picture.width / SUPER, (left, top), upper.convert("RGB"), upper.getchannel("A"), lower)


@dataclass(frozen=True, slots=True)
class Look:
    """How the camera's film treats every frame of a scene."""

    grain: float = 4.0
    """Standard deviation of the grain, in levels of 255."""
    vignette: float = 0.3
    """How much darker the corners are, 0 to 1."""
    tint: Colour = "#ffffff"
    """Multiplies the whole picture."""


# ---------------------------------------------------------------- colours


@lru_cache(maxsize=4096)
def _hex(colour: str) -> tuple[int, int, int, int]:
    digits = colour.lstrip("#")
    if len(digits) not in (6, 8):
        raise ValueError(f"{colour!r} is not a colour: write #rrggbb or #rrggbbaa.")
    values = tuple(int(digits[i : i + 2], 16) for i in range(0, len(digits), 2))
    return values if len(values) == 4 else (*values, 255)  # type: ignore[return-value]


def rgba(colour: Colour) -> tuple[int, int, int, int]:
    """Return red, green, blue and opacity, 0 to 255."""
    if isinstance(colour, str):
        return _hex(colour)
    return colour if len(colour) == 4 else (*colour, 255)  # type: ignore[return-value]


def fade(colour: Colour, opacity: float) -> tuple[int, int, int, int]:
    """Return the colour at this opacity, 0 to 1."""
    return (*rgba(colour)[:3], round(255 * clamp(opacity)))


def mix(a: Colour, b: Colour, share: float) -> tuple[int, int, int, int]:
    """Return the colour that lies this share of the way from `a` to `b`."""
    share = clamp(share)
    return tuple(round(p + (q - p) * share) for p, q in zip(rgba(a), rgba(b), strict=True))  # type: ignore[return-value]


# ---------------------------------------------------------------- time


def clamp(x: float) -> float:
    return 0.0 if x < 0 else 1.0 if x > 1 else x


def span(t: float, start: float, end: float) -> float:
    """Return how far t is from start to end, 0 to 1."""
    return clamp((t - start) / (end - start))


def ease(x: float) -> float:
    """Start and stop softly."""
    x = clamp(x)
    return x * x * (3 - 2 * x)


def spring(x: float) -> float:
    """Go from 0 to 1, past it, and settle."""
    x = clamp(x)
    return 1 - exp(-6 * x) * cos(11 * x) * (1 - x)


def wave(t: float, period: float, phase: float = 0.0) -> float:
    """Return a sine of t, -1 to 1; phase in turns."""
    return sin(2 * pi * (t / period + phase))


def hop(t: float, period: float) -> float:
    """Return the height, 0 to 1, of something that bounces once a period."""
    u = (t / period) % 1
    return 4 * u * (1 - u)


def blink(t: float, every: float = 2.6, phase: float = 0.0) -> float:
    """Return how open an eye is, 0 to 1; it closes for a moment now and then."""
    u = (t + phase) % every
    return abs(u - 0.09) / 0.09 if u < 0.18 else 1.0


def shot(t: float, *starts: float) -> tuple[int, float]:
    """Return which shot t is in, and the time since its cut; the first shot starts at 0."""
    number = sum(t >= start for start in starts)
    return number, t - (starts[number - 1] if number else 0.0)


# ---------------------------------------------------------------- shapes as points

_CIRCLE = np.stack([np.cos(np.linspace(0, 2 * pi, 40, False)), np.sin(np.linspace(0, 2 * pi, 40, False))], axis=1)
_SMALL_CIRCLE = _CIRCLE[::3]
_STEPS = np.linspace(0, 1, 8, False)[:, None]
_CATMULL_ROM = 0.5 * np.hstack(
    [
        -_STEPS + 2 * _STEPS**2 - _STEPS**3,
        2 - 5 * _STEPS**2 + 3 * _STEPS**3,
        _STEPS + 4 * _STEPS**2 - 3 * _STEPS**3,
        -(_STEPS**2) + _STEPS**3,
    ]
)


def smooth(points: Points, closed: bool = True) -> np.ndarray:
    """Return the Catmull-Rom curve through these points, float (m, 2)."""
    pts = np.asarray(points, dtype=float)
    curve = (_CATMULL_ROM @ pts[_neighbours(len(pts), closed)]).reshape(-1, 2)
    return curve if closed else np.concatenate([curve, pts[-1:]])


@lru_cache(maxsize=128)
def _neighbours(count: int, closed: bool) -> np.ndarray:
    """Return which four points shape each piece of a curve, int (pieces, 4)."""
    pieces = np.arange(count if closed else count - 1)[:, None] + np.array([-1, 0, 1, 2])
    return pieces % count if closed else pieces.clip(0, count - 1)


def ridge(rng: np.random.Generator, width: float, rough: float = 1.0, octaves: int = 4) -> np.ndarray:
    """Return a skyline that repeats after `width`, one height (-1 to 1) every 4 units; rough 0 is rolling hills."""
    x = np.arange(0, width + 1, 4) / width * 2 * pi
    line = sum(
        np.sin(x * k + rng.uniform(0, 2 * pi)) / k ** (1.7 - 0.7 * rough)
        for octave in range(octaves)
        for k in (2**octave, 2**octave + (octave > 0))
    )
    return line / np.abs(line).max()


def land(line: np.ndarray, base: float, height: float) -> np.ndarray:
    """Return the outline of ground under a `ridge`, from its skyline down past the frame's edge."""
    x = np.arange(len(line)) * 4.0
    top = np.stack([x, base - line * height], axis=1)
    return np.vstack([top, [[x[-1], HEIGHT + 60]], [[0, HEIGHT + 60]]])


# ---------------------------------------------------------------- the stage


class Stage:
    """A picture being drawn, in logical coordinates; y grows downwards."""

    def __init__(self, width: float = WIDTH, height: float = HEIGHT, colour: Colour | None = "#000000") -> None:
        """Start from a plain colour, or from nothing (None) when it is to become a Layer."""
        mode, ground = ("RGBA", (0, 0, 0, 0)) if colour is None else ("RGB", rgba(colour)[:3])
        self.image = Image.new(mode, (round(width * SUPER), round(height * SUPER)), ground)
        self._pen = ImageDraw.Draw(self.image, "RGBA")
        self._turn = np.eye(2) * SUPER
        self._shift = np.zeros(2)
        self._camera: tuple[float, float, float] | None = None
        self._lens = Image.Resampling.BILINEAR

    # where things are drawn

    @contextmanager
    def at(
        self, x: float = 0, y: float = 0, angle: float = 0, sx: float = 1, sy: float | None = None
    ) -> Iterator[None]:
        """Draw around (x, y), turned by `angle` degrees clockwise and scaled by sx and sy (sx when not given)."""
        turn, shift = self._turn, self._shift
        c, s = cos(radians(angle)), sin(radians(angle))
        self._shift = shift + turn @ (x, y)
        sy = sx if sy is None else sy
        self._turn = turn @ np.array([[c * sx, -s * sy], [s * sx, c * sy]])
        try:
            yield
        finally:
            self._turn, self._shift = turn, shift

    def camera(self, zoom: float = 1.0, x: float = WIDTH / 2, y: float = HEIGHT / 2) -> None:
        """Look closer, with (x, y) in the middle of the frame; the frame never leaves the picture."""
        self._camera = (max(zoom, 1.0), x, y)

    def shake(self, amount: float, t: float) -> None:
        """Shake the camera by up to `amount` units."""
        zoom, x, y = self._camera or (1.0, WIDTH / 2, HEIGHT / 2)
        zoom = max(zoom, 1 + 2.5 * amount / HEIGHT)
        self._camera = (zoom, x + amount * sin(t * 71), y + amount * sin(t * 93 + 1))
        self._lens = Image.Resampling.BOX  # half the work, and a shaking picture hides that it is coarser

    # shapes

    def polygon(self, points: Points, paint: Paint) -> None:
        self._fill(np.asarray(points, dtype=float) @ self._turn.T + self._shift, paint)

    def blob(self, points: Points, paint: Paint) -> None:
        """Fill the smooth closed curve through these points."""
        self.polygon(smooth(points), paint)

    def ellipse(
        self, x: float, y: float, rx: float, ry: float | None = None, paint: Paint = "#000000", angle: float = 0
    ) -> None:
        ry = rx if ry is None else ry
        # A dozen corners are round enough for what is a few pixels wide.
        points = (_CIRCLE if max(rx, ry) * abs(self._turn[0]).max() > 10 else _SMALL_CIRCLE) * (rx, ry)
        if angle:
            c, s = cos(radians(angle)), sin(radians(angle))
            points = points @ np.array([[c, s], [-s, c]])
        self.polygon(points + (x, y), paint)

    def rect(self, x: float, y: float, width: float, height: float, paint: Paint, radius: float = 0) -> None:
        """Fill a rectangle from its top left corner, with round corners if asked."""
        if not radius:
            self.polygon([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], paint)
            return
        r = min(radius, width / 2, height / 2)
        corners = [(x + width - r, y + height - r), (x + r, y + height - r), (x + r, y + r), (x + width - r, y + r)]
        quarters = [
            _CIRCLE[q * 10 : q * 10 + 11] if q < 3 else np.vstack([_CIRCLE[30:], _CIRCLE[:1]]) for q in range(4)
        ]
        self.polygon(np.vstack([q * r + c for q, c in zip(quarters, corners, strict=True)]), paint)

    def line(self, points: Points, width: float, colour: Colour, curved: bool = True, caps: bool = True) -> None:
        """Draw a line of even width, by default a smooth one with round ends."""
        pts = np.asarray(points, dtype=float)
        if curved and len(pts) > 2:
            pts = smooth(pts, closed=False)
        pts = pts @ self._turn.T + self._shift
        wide = width * self._scale()
        ink = rgba(colour)
        self._pen.line(pts.ravel().tolist(), fill=ink, width=max(1, round(wide)), joint="curve")
        if caps and wide > 3 and ink[3] == 255:
            for x, y in (pts[0], pts[-1]):
                r = wide / 2 - 0.5
                self._pen.ellipse((x - r, y - r, x + r, y + r), fill=ink)

    def taper(self, points: Points, start: float, end: float, paint: Paint) -> None:
        """Draw a smooth line whose width goes from `start` to `end`: tails, horns, stems."""
        pts = smooth(points, closed=False)
        along = np.empty_like(pts)
        along[1:-1], along[0], along[-1] = pts[2:] - pts[:-2], pts[1] - pts[0], pts[-1] - pts[-2]
        half = np.linspace(start, end, len(pts)) / 2 / (np.hypot(along[:, 0], along[:, 1]) + 1e-9)
        aside = along[:, ::-1] * (-1, 1) * half[:, None]
        self.polygon(np.concatenate([pts + aside, (pts - aside)[::-1]]), paint)
        for (x, y), wide in ((pts[0], start), (pts[-1], end)):
            if wide > 1.5 and not isinstance(paint, Gradient):
                self.ellipse(x, y, wide / 2, paint=paint)

    def dots(self, xs: Iterable[float], ys: Iterable[float], radii: Iterable[float], colour: Colour) -> None:
        """Draw many small discs: snow, stars, sparks."""
        ink = rgba(colour)
        places = np.column_stack([np.asarray(xs), np.asarray(ys)]) @ self._turn.T + self._shift
        for (x, y), r in zip(places.tolist(), radii, strict=True):
            r *= SUPER
            self._pen.ellipse((x - r, y - r, x + r, y + r), fill=ink)

    def streaks(
        self, xs: Iterable[float], ys: Iterable[float], dx: float, dy: float, width: float, colour: Colour
    ) -> None:
        """Draw many straight strokes from (x, y) to (x + dx, y + dy): rain, speed lines."""
        ink, wide = rgba(colour), max(1, round(width * SUPER))
        for x, y in zip(xs, ys, strict=True):
            self._pen.line((x * SUPER, y * SUPER, (x + dx) * SUPER, (y + dy) * SUPER), fill=ink, width=wide)

    def text(
        self, x: float, y: float, words: str, size: float, colour: Colour, anchor: str = "mm", bold: float = 0
    ) -> None:
        """Write words; `anchor` is Pillow's, middle by default, `bold` a stroke width."""
        place = tuple(self._turn @ (x, y) + self._shift)
        scale = self._scale()
        self._pen.text(
            place, words, rgba(colour), _font(round(size * scale)), anchor=anchor, stroke_width=round(bold * scale)
        )

    # light

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float = 1.0) -> None:
        """Add light that falls off softly to nothing at `radius`."""
        (px, py) = self._turn @ (x, y) + self._shift
        size = max(4, round(2 * _LIT * radius * self._scale() / 8) * 8)
        left, top = round(px - size / 2), round(py - size / 2)
        box = (max(left, 0), max(top, 0), min(left + size, self.image.width), min(top + size, self.image.height))
        if box[0] >= box[2] or box[1] >= box[3] or strength <= 0:
            return
        light = _glow(size, rgba(colour)[:3], round(clamp(strength) * 24))
        part = light.crop((box[0] - left, box[1] - top, box[2] - left, box[3] - top))
        self.image.paste(ImageChops.screen(self.image.crop(box), part), box[:2])

    def wash(self, colour: Colour) -> None:
        """Lay a see-through colour over the whole frame."""
        if rgba(colour)[3]:
            self._pen.rectangle((0, 0, self.image.width, self.image.height), fill=rgba(colour))

    # layers

    def layer(self, shadow: float = 0.0, soften: float = 0.0) -> Layer:
        """Return what was drawn as a Layer; `shadow` is the strength of a soft paper shadow under it."""
        picture = self.image.filter(ImageFilter.GaussianBlur(soften * SUPER)) if soften else self.image
        if not shadow:
            return Layer.of(picture)
        dark = ImageChops.offset(picture.getchannel("A"), 0, -5 * SUPER).filter(ImageFilter.GaussianBlur(6 * SUPER))
        under = Image.new("RGBA", picture.size, (8, 8, 24, 0))
        under.putalpha(dark.point(lambda a: a * shadow))
        under.alpha_composite(picture)
        return Layer.of(under)

    def paste(self, layer: Layer, x: float = 0, y: float = 0) -> None:
        """Paste a layer with its top left corner at (x, y); of `at`, only the move counts."""
        place = self._turn @ (x, y) + self._shift
        left, top = round(place[0]) + layer.place[0], round(place[1]) + layer.place[1]
        self.image.paste(layer.rgb, (left, top), layer.mask)
        if layer.solid is not None:
            self.image.paste(layer.solid, (left, top + layer.rgb.height))

    def scroll(self, layer: Layer, x: float, y: float = 0) -> None:
        """Paste a layer again and again to the right and left, moved by x: parallax without an end."""
        left = -(x % layer.width)
        while left < WIDTH:
            self.paste(layer, left, y)
            left += layer.width

    def backdrop(self, picture: Image.Image) -> None:
        """Cover everything with a picture of the stage's size."""
        self.image.paste(picture, (0, 0))

    def shown(self) -> Image.Image:
        """Return the frame as shown, RGB 640 × 360, through the camera."""
        if self._camera is None:
            return self.image.reduce(SUPER)
        zoom, x, y = self._camera
        w, h = WIDTH * SUPER / zoom, HEIGHT * SUPER / zoom
        left = min(max(x * SUPER - w / 2, 0), WIDTH * SUPER - w)
        top = min(max(y * SUPER - h / 2, 0), HEIGHT * SUPER - h)
        return self.image.resize((WIDTH, HEIGHT), self._lens, box=(left, top, left + w, top + h))

    # paint

    def _scale(self) -> float:
        """Return how many pixels a unit is here, for what is drawn the same in all directions."""
        (a, b), (c, d) = self._turn
        return abs(a * d - b * c) ** 0.5

    def _fill(self, pts: np.ndarray, paint: Paint) -> None:
        if isinstance(paint, Gradient):
            self._fill_through_mask(pts, paint)
        elif self.image.mode == "RGBA" and rgba(paint)[3] < 255:
            # On a picture with holes Pillow replaces instead of blending, so blend through a mask.
            self._fill_through_mask(pts, Gradient(paint, paint))
        else:
            self._pen.polygon(pts.ravel().tolist(), fill=rgba(paint))

    def _fill_through_mask(self, pts: np.ndarray, paint: Gradient) -> None:
        (first_x, first_y), (last_x, last_y) = pts.min(axis=0).tolist(), pts.max(axis=0).tolist()
        left, top = max(floor(first_x), 0), max(floor(first_y), 0)
        right, bottom = min(ceil(last_x) + 1, self.image.width), min(ceil(last_y) + 1, self.image.height)
        if right <= left or bottom <= top:
            return
        size, above = (right - left, bottom - top), top - floor(first_y)
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).polygon((pts - (left, top)).ravel().tolist(), fill=255)
        column = _column(ceil(last_y) + 1 - floor(first_y), paint)
        colours = column.resize(size, Image.Resampling.NEAREST, box=(0, above, 1, above + size[1]))
        if rgba(paint.top)[3] < 255 or rgba(paint.bottom)[3] < 255:
            mask = ImageChops.multiply(mask, colours.getchannel("A"))
        if self.image.mode == "RGBA":
            colours.putalpha(mask)
            self.image.alpha_composite(colours, (left, top))
        else:
            self.image.paste(colours.convert("RGB") if colours.mode == "RGBA" else colours, (left, top), mask)


def vertical(height_px: int, stops: Sequence[tuple[float, Colour]]) -> Image.Image:
    """Return a column, RGBA 1 × height_px, that runs through colours at places from 0 (top) to 1 (bottom)."""
    places = [place for place, _ in stops]
    table = np.array([rgba(colour) for _, colour in stops], dtype=float)
    at = (np.arange(height_px) + 0.5) / height_px
    column = np.stack([np.interp(at, places, table[:, c]) for c in range(4)], axis=1)
    return Image.fromarray(np.round(column).astype(np.uint8)[:, None, :])


def sky(*stops: tuple[float, Colour]) -> Image.Image:
    """Return a full frame of sky: colours at places from 0 (top) to 1 (bottom)."""
    size = (WIDTH * SUPER, HEIGHT * SUPER)
    return vertical(size[1], stops).convert("RGB").resize(size)


@lru_cache(maxsize=4096)
def _column(height_px: int, paint: Gradient) -> Image.Image:
    return vertical(height_px, [(0, paint.top), (1, paint.bottom)])


_LIT = 0.86
"""Share of a glow's radius that is drawn; beyond it the light would be under three levels of 255."""


@lru_cache(maxsize=1)
def _falloff() -> Image.Image:
    axis = np.linspace(-1, 1, 512)
    away = np.hypot(axis[:, None], axis[None, :])
    return Image.fromarray(np.round(255 * np.clip(1 - away, 0, 1) ** 1.9).astype(np.uint8))


@lru_cache(maxsize=256)
def _glow(size_px: int, colour: tuple[int, int, int], strength: int) -> Image.Image:
    """Return a light on black, RGB; strength in 24ths."""
    light = _falloff().resize((size_px, size_px), Image.Resampling.BILINEAR)
    return Image.merge("RGB", [light.point([round(a * c / 255 * strength / 24) for a in range(256)]) for c in colour])


@lru_cache(maxsize=32)
def _font(size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size_px)  # Pillow's own Aileron; nothing to install


# ---------------------------------------------------------------- film


class Film:
    """Give frames the same grain, vignette and tint: what makes flat shapes look printed on paper."""

    _ROLLS = 6

    def __init__(self, look: Look, rng: np.random.Generator) -> None:
        x, y = np.linspace(-1, 1, WIDTH), np.linspace(-1, 1, HEIGHT)
        away = np.hypot(x[None, :] * 0.8, y[:, None] * 0.8)
        lens = 1 - look.vignette * np.clip(away - 0.35, 0, 1)[:, :, None] ** 1.5
        fibre = Image.fromarray(rng.normal(128, 40, (HEIGHT // 2, WIDTH // 2)).clip(0, 255).astype(np.uint8))
        paper = np.asarray(fibre.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), dtype=float)[:, :, None]
        paper = 1 + (paper - 128) / 128 * 0.004 * look.grain
        self._lens = Image.fromarray((lens * paper * rgba(look.tint)[:3]).clip(0, 255).astype(np.uint8))
        self._grain = [self._roll(look.grain, rng) for _ in range(self._ROLLS)] if look.grain else []

    @staticmethod
    def _roll(amount: float, rng: np.random.Generator) -> Image.Image:
        noise = rng.normal(128, amount * 0.6, (HEIGHT, WIDTH, 1)).clip(0, 255).astype(np.uint8)
        return Image.fromarray(np.repeat(noise, 3, axis=2))

    def develop(self, frame: Image.Image, number: int) -> Image.Image:
        """Return the frame as filmed; the grain changes every other frame, which is livelier than noise."""
        frame = ImageChops.multiply(frame, self._lens)
        if not self._grain:
            return frame
        return ImageChops.add(frame, self._grain[number // 2 % self._ROLLS], 1, -128)


def reach(a: Sequence[float], b: Sequence[float], length: float, side: int = 1) -> list[tuple[float, float]]:
    """Return the three joints of a limb of two equal parts from a to b; it bends to `side` (1 or -1)."""
    (ax, ay), (bx, by) = a, b
    gap = max(hypot(bx - ax, by - ay), 1e-6)
    out = max((length / 2) ** 2 - (gap / 2) ** 2, 0) ** 0.5 * side
    return [(ax, ay), ((ax + bx) / 2 - (by - ay) / gap * out, (ay + by) / 2 + (bx - ax) / gap * out), (bx, by)]
