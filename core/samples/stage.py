"""The drawing table: one frame, drawn at twice its size and reduced, in logical coordinates of 640 × 360.

Everything a scene draws is flat paper: filled shapes, two-colour gradients, soft glows. `Stage.at` moves, turns
and squashes what is drawn inside it, so a character is written once around (0, 0) and animated by its frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from math import ceil, cos, floor, radians, sin
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from core.samples.colours import Colour, Gradient, Paint, paint_of, rgba
from core.samples.outlines import CIRCLE, HEIGHT, SMALL_CIRCLE, WIDTH, Points, outline, reach, smooth
from core.samples.timing import clamp

FPS = 24
SUPER = 2
"""Drawn this many times larger than shown, which smooths every edge."""


class Piece(NamedTuple):
    """A part of a layer and where its top left corner lies in it, in pixels."""

    left: int
    top: int
    picture: Image.Image
    mask: Image.Image | None
    """None where the part has no holes: pasting without a mask is a dozen times faster."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A picture with holes, ready to be pasted: parallax hills, a moon, a title. What is empty is not kept."""

    width: float
    pieces: tuple[Piece, ...]

    @classmethod
    def of(cls, picture: Image.Image) -> Layer:
        """Cut an RGBA picture, drawn at the stage's scale, into a layer."""
        return cls(picture.width / SUPER, tuple(_pieces(picture)))


_TILE = 128
"""How finely a layer is searched for what is empty and what has no holes, in pixels."""


def _pieces(picture: Image.Image) -> Iterator[Piece]:
    """Cut a picture into pieces that are full and pieces that have holes, as wide as they come."""
    rgb, alpha = picture.convert("RGB"), picture.getchannel("A")
    opacity = np.asarray(alpha)
    for top in range(0, picture.height, _TILE):
        strip = opacity[top : top + _TILE]
        starts = range(0, picture.width, _TILE)
        kinds = [(tile.any(), tile.all() and tile.min() == 255) for tile in (strip[:, x : x + _TILE] for x in starts)]
        for (some, full), run in groupby(zip(kinds, starts, strict=True), key=itemgetter(0)):
            lefts = [x for _, x in run]
            box = (lefts[0], top, min(lefts[-1] + _TILE, picture.width), top + len(strip))
            if full:
                yield Piece(box[0], top, rgb.crop(box), None)
            elif some:
                left, upper, right, lower = alpha.crop(box).getbbox() or (0, 0, 1, 1)
                box = (box[0] + left, top + upper, box[0] + right, top + lower)
                yield Piece(box[0], box[1], rgb.crop(box), alpha.crop(box))


class Copies:
    """Draws every shape once at each of several places; a place is what `Stage.at` takes."""

    def __init__(self, stage: Stage, places: Sequence[tuple[float, ...]]) -> None:
        self._stage, self._places = stage, places

    def places(self) -> Iterator[AbstractContextManager[None]]:
        """Give each place, to draw there."""
        return (self._stage.at(*place) for place in self._places)

    def __getattr__(self, shape: str) -> Callable[..., None]:
        def draw_shape(*args: object, **more: object) -> None:
            for place in self.places():
                with place:
                    getattr(self._stage, shape)(*args, **more)

        return draw_shape

    def draw(self, figure: Callable[..., None], *more: object) -> None:
        """Draw a figure, a function that draws it around (0, 0) of the stage it is given first."""
        for place in self.places():
            with place:
                figure(self._stage, *more)


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
        self.twins = Copies(self, [(0, 0, 0, -1, 1), (0, 0, 0, 1, 1)])
        """As it is and mirrored at x = 0: ears, wings, feet."""

    # where things are drawn

    @classmethod
    def under(cls, *stops: tuple[float, Colour]) -> Stage:
        """Return a stage with a sky: colours at places from 0 (top) to 1 (bottom)."""
        stage = cls()
        stage.backdrop(sky(*stops))
        return stage

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

    def placed(self, x: float = 0, y: float = 0, angle: float = 0, sx: float = 1, sy: float | None = None) -> Copies:
        """Draw one shape as `at` would."""
        return Copies(self, [(x, y, angle, sx, sx if sy is None else sy)])

    def each(self, places: Points) -> Copies:
        """Draw a shape at every one of these points."""
        return Copies(self, [tuple(place) for place in outline(places).tolist()])

    def row(self, count: int, dx: float, dy: float = 0) -> Copies:
        """Draw a shape again and again, each time (dx, dy) further."""
        return Copies(self, [(k * dx, k * dy) for k in range(count)])

    def ring(self, count: int, angle: float = 0) -> Copies:
        """Draw a shape all the way round (0, 0): petals, spokes, rays."""
        return Copies(self, [(0, 0, angle + k * 360 / count) for k in range(count)])

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
        self._fill(outline(points) @ self._turn.T + self._shift, paint)

    def blob(self, points: Points, paint: Paint) -> None:
        """Fill the smooth closed curve through these points."""
        self.polygon(smooth(points), paint)

    def ellipse(
        self, x: float, y: float, rx: float, ry: float | None = None, paint: Paint = "#000000", angle: float = 0
    ) -> None:
        ry = rx if ry is None else ry
        (a, b), (c, d) = self._turn.tolist()
        ink = paint_of(paint)
        if not (angle or b or c or isinstance(ink, Gradient)) and self._flat(ink):
            px, py = a * x + self._shift[0], d * y + self._shift[1]
            wide, high = abs(a * rx), abs(d * ry)
            self._pen.ellipse((px - wide, py - high, px + wide, py + high), fill=ink)
            return
        # A dozen corners are round enough for what is a few pixels wide.
        points = (CIRCLE if max(rx, ry) * abs(self._turn[0]).max() > 10 else SMALL_CIRCLE) * (rx, ry)
        if angle:
            c, s = cos(radians(angle)), sin(radians(angle))
            points = points @ np.array([[c, s], [-s, c]])
        self.polygon(points + (x, y), paint)

    def discs(self, discs: str, paint: Paint) -> None:
        """Draw discs of one paint, written "x,y,r x,y,r …"."""
        for x, y, r in outline(discs).tolist():
            self.ellipse(x, y, r, paint=paint)

    def rect(self, x: float, y: float, width: float, height: float, paint: Paint, radius: float = 0) -> None:
        """Fill a rectangle from its top left corner, with round corners if asked."""
        if not radius:
            self.polygon([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], paint)
            return
        r = min(radius, width / 2, height / 2)
        corners = [(x + width - r, y + height - r), (x + r, y + height - r), (x + r, y + r), (x + width - r, y + r)]
        quarters = [CIRCLE[q * 10 : q * 10 + 11] if q < 3 else np.vstack([CIRCLE[30:], CIRCLE[:1]]) for q in range(4)]
        self.polygon(np.vstack([q * r + c for q, c in zip(quarters, corners, strict=True)]), paint)

    def line(self, points: Points, width: float, colour: Colour, curved: bool = True, caps: bool = True) -> None:
        """Draw a line of even width, by default a smooth one with round ends."""
        pts = outline(points)
        if curved and len(pts) > 2:
            pts = smooth(points, closed=False)
        pts = pts @ self._turn.T + self._shift
        wide, ink = width * self._scale(), rgba(colour)
        self._pen.line(pts.ravel().tolist(), fill=ink, width=max(1, round(wide)))
        if wide > 3 and ink[3] == 255:
            self._discs(pts[1:-1][_bends(pts) * wide > 1], wide / 2 - 0.5, ink)
            if caps:
                self._discs(pts[[0, -1]], wide / 2 - 0.5, ink)

    def stroke(self, points: Points, width: float, colour: Colour) -> None:
        """Draw straight lines from point to point, with square ends."""
        self.line(points, width, colour, curved=False, caps=False)

    def limb(self, a: Sequence[float], b: Sequence[float], length: float, side: int, width: float, ink: Colour) -> None:
        """Draw an arm or a leg of this length from a to b; it bends to `side` (1 or -1)."""
        self.line(reach(a, b, length, side), width, ink)

    def _discs(self, places: np.ndarray, r: float, ink: tuple[int, int, int, int]) -> None:
        for x, y in places.tolist():
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
            if wide > 1.5 and not isinstance(paint_of(paint), Gradient):
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
        place, scale = self._turn @ (x, y) + self._shift, self._scale()
        mask, left, top = _words(words, round(size * scale), round(bold * scale), anchor)
        red, green, blue, opacity = rgba(colour)
        if opacity < 255:
            mask = mask.point([round(a * opacity / 255) for a in range(256)])
        self.image.paste((red, green, blue), (round(place[0]) + left, round(place[1]) + top), mask)

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
        x_px, y_px = (round(place) for place in self._turn @ (x, y) + self._shift)
        for left, top, picture, mask in layer.pieces:
            if -picture.width < x_px + left < self.image.width:
                self.image.paste(picture, (x_px + left, y_px + top), mask)

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
        ink = paint_of(paint)
        if isinstance(ink, Gradient):
            self._fill_through_mask(pts, ink)
        elif self._flat(ink):
            self._pen.polygon(pts.ravel().tolist(), fill=ink)
        else:
            self._fill_through_mask(pts, Gradient(ink, ink))

    def _flat(self, ink: tuple[int, int, int, int]) -> bool:
        """Tell whether Pillow blends this colour itself: on a picture with holes it would replace what is there."""
        return self.image.mode == "RGB" or ink[3] == 255

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


def _bends(pts: np.ndarray) -> np.ndarray:
    """Return by what part of a line's width it gapes at each inner point when it is drawn piece by piece, (n - 2,)."""
    step = np.diff(pts, axis=0)
    step /= np.hypot(step[:, 0], step[:, 1])[:, None] + 1e-9
    turned = step[1:] - step[:-1]
    return np.hypot(turned[:, 0], turned[:, 1]) / 2


@lru_cache(maxsize=256)
def _words(words: str, size_px: int, bold_px: int, anchor: str) -> tuple[Image.Image, int, int]:
    """Return how much of each pixel words cover, and where that lies from their anchor."""
    font = _font(size_px)
    left, top, right, bottom = (round(edge) for edge in font.getbbox(words, stroke_width=bold_px, anchor=anchor))
    cover = Image.new("L", (max(right - left, 1), max(bottom - top, 1)))
    pen = ImageDraw.Draw(cover)
    pen.text((-left, -top), words, 255, font, anchor=anchor, stroke_width=bold_px)
    return cover, left, top


@lru_cache(maxsize=32)
def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)  # Pillow's own Aileron; nothing to install
