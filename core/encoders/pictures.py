"""Pictures on their way to a service: JPEGs within its limits."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

LEAST_PX, MOST_PX = 128, 1280
"""Marengo takes pictures from 128 pixels a side (TwelveLabs' model page); no model looks closer than at so many."""
QUALITY = 90
"""At this size well under 1 MB, where TwelveLabs takes 32 and Amazon Bedrock 5."""


def jpeg(rgb: np.ndarray) -> bytes:
    """Return a picture, (height, width, 3) uint8, as a JPEG of which neither side is too long or too short.

    A narrow one is set on a ground of its mean colour, which says nothing that is not in it; stretching it would.
    """
    picture = Image.fromarray(np.ascontiguousarray(rgb, np.uint8))
    scale = min(MOST_PX / max(picture.size), max(1.0, LEAST_PX / min(picture.size)))
    if scale != 1.0:
        width, height = (max(1, round(side * scale)) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    if min(picture.size) < LEAST_PX:
        red, green, blue = (int(level) for level in rgb.reshape(-1, 3).mean(axis=0))
        width, height = (max(LEAST_PX, side) for side in picture.size)
        ground = Image.new("RGB", (width, height), (red, green, blue))
        ground.paste(picture, ((width - picture.width) // 2, (height - picture.height) // 2))
        picture = ground
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
