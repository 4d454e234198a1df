"""Read the pictures that people drop, to search by them. Whatever Pillow raises over one comes out as MediaError."""

from __future__ import annotations

import io
import struct
import zlib
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError, features

from core.errors import MediaError, Sentence

MAX_BYTES = 20_000_000
MIN_SIDE_PX = 16
MAX_PIXELS = 64_000_000
"""Beyond any phone's usual photographs; decoded, these take a quarter of a gigabyte."""
LARGEST_SIDE_PX = 1920
"""Larger pictures come out smaller: no encoder looks closer."""

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")
_NAMES = "JPEG, PNG, WebP, GIF, BMP or AVIF"
_BEHIND = (128, 128, 128)
"""What shows through where a picture is transparent: neither dark nor bright."""
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, RuntimeError, struct.error, zlib.error)
"""What Pillow's readers raise over bad bytes."""
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"mif1", b"msf1"})


def decode_image(data: bytes | BinaryIO, max_bytes: int = MAX_BYTES) -> np.ndarray:
    """Return a picture upright, RGB, (height, width, 3) uint8, its sides at most LARGEST_SIDE_PX.

    Of an animation it is the first frame; what is transparent turns grey. Size is checked before anything is decoded.
    Raises MediaError with a sentence that says why a picture is refused.
    """
    content = _checked_bytes(data, max_bytes)
    try:
        with Image.open(io.BytesIO(content), formats=_readable()) as image:
            _check_sides(*image.size)
            return np.array(_plain(image))
    except _BOMBS as error:
        raise MediaError(
            "This picture claims more than {millions} million pixels. {smaller}",
            millions=MAX_PIXELS // 10**6,
            smaller=_SMALLER,
        ) from error
    except UnidentifiedImageError as error:
        raise _not_a_picture(content) from error
    except _BROKEN as error:
        raise MediaError("This picture is damaged and cannot be read. Export or download it again.") from error


_SMALLER = Sentence("Use a smaller version.")


def _readable() -> tuple[str, ...]:
    """Return the formats that this Pillow was built to read."""
    return tuple(name for name in _FORMATS if name not in ("WEBP", "AVIF") or features.check(name.lower()))


def _checked_bytes(data: bytes | BinaryIO, max_bytes: int) -> bytes:
    try:
        content = data if isinstance(data, bytes) else data.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        raise MediaError("This picture cannot be read any more. Add it again.") from error
    if not content:
        raise MediaError("This picture is empty (zero bytes). Export or download it again.")
    if len(content) > max_bytes:
        raise MediaError(
            "This picture is over the limit of {most:,.1f} MB. {smaller}", most=max_bytes / 1e6, smaller=_SMALLER
        )
    return content


def _check_sides(width_px: int, height_px: int) -> None:
    if min(width_px, height_px) < MIN_SIDE_PX:
        raise MediaError(
            "The picture is {width_px}×{height_px} pixels; at least {least} a side are needed. Use a larger version.",
            width_px=width_px,
            height_px=height_px,
            least=MIN_SIDE_PX,
        )
    if width_px * height_px > MAX_PIXELS:
        raise MediaError(
            "The picture claims to be {width_px}×{height_px} pixels; at most {millions} million in all are "
            "allowed. {smaller}",
            width_px=width_px,
            height_px=height_px,
            millions=MAX_PIXELS // 10**6,
            smaller=_SMALLER,
        )


def _plain(image: Image.Image) -> Image.Image:
    """Return the picture upright, in RGB, over grey, not too large."""
    image.draft(
        "RGB", (LARGEST_SIDE_PX, LARGEST_SIDE_PX)
    )  # A JPEG is decoded no larger than needed; others as they are.
    image = _in_colour(image)
    image.thumbnail((LARGEST_SIDE_PX, LARGEST_SIDE_PX))
    image = ImageOps.exif_transpose(image)
    if image.mode != "RGBA":
        return image
    behind = Image.new("RGBA", image.size, (*_BEHIND, 255))
    return Image.alpha_composite(behind, image).convert("RGB")


def _in_colour(image: Image.Image) -> Image.Image:
    """Return the picture as RGB, or as RGBA where something of it may be transparent."""
    if image.mode.startswith("I"):  # 16 bits of grey, which convert() would cut off at 255.
        grey = np.asarray(image, np.float32) / 257
        return Image.fromarray(grey.clip(0, 255).astype(np.uint8)).convert("RGB")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _not_a_picture(content: bytes) -> MediaError:
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS:
        return MediaError("HEIC photographs cannot be read here. Export it as JPEG and try again.")
    return MediaError("This is not a picture that can be read here, whatever its name says. Use {names}.", names=_NAMES)
