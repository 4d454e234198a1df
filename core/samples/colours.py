"""The paint box: colours, and what is done with them."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from core.samples.timing import clamp

Colour = str | tuple[int, ...]
"""'#rrggbb', '#rrggbbaa', or a tuple of 3 or 4 numbers from 0 to 255."""


class Gradient(NamedTuple):
    """A paint that runs from the top of the painted shape to its bottom."""

    top: Colour
    bottom: Colour


Paint = Colour | Gradient
"""Written as text, a gradient is "#top/#bottom"."""


@lru_cache(maxsize=1024)
def _read(text: str) -> Paint:
    top, slash, bottom = text.partition("/")
    return Gradient(top, bottom) if slash else rgba(top)


def paint_of(paint: Paint) -> Gradient | tuple[int, int, int, int]:
    """Return a paint as a gradient or as red, green, blue and opacity."""
    read = _read(paint) if isinstance(paint, str) else paint
    return read if isinstance(read, Gradient) else rgba(read)


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
