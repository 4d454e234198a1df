"""Layout: where in a picture it is light, dark and coloured, as coarse as squinting; two of one scene are alike in it.

Percepts sum up and so forget places: they tell moods, but many pictures are "dark and blue". A layout is what is left
of a picture after a strong blur, in luma and the two colour differences: its lowest spatial frequencies, which scaling,
compression and small movements leave as they are. After the Colour Layout Descriptor of MPEG-7 (Kasutani and Yamada
2001, "The MPEG-7 color layout descriptor: a compact image feature description for high-speed image/video segment
retrieval"), with weights where that quantises.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

_LUMA_ORDERS, _COLOUR_ORDERS = 5, 3
"""Frequencies are kept whose waves down and across number fewer than this together: 15 of luma, 6 of each colour."""
_COLOUR_WEIGHT = 2.0
_MIDDLE_GREY = 0.42
"""The mean luma of ordinary videos (as in percepts.py): nothing is alike only for being neither dark nor bright."""
_PLAIN = 0.1
"""A layout shorter than this is nearly a plain middle grey, and its direction is noise."""

_PLACES = tuple(
    (plane, down, across)
    for plane, orders in enumerate((_LUMA_ORDERS, _COLOUR_ORDERS, _COLOUR_ORDERS))
    for down in range(orders)
    for across in range(orders - down)
)
_WEIGHTS = np.array([(1 + down + across) * (_COLOUR_WEIGHT if plane else 1.0) for plane, down, across in _PLACES], "f4")
"""Pictures have ever less of higher frequencies; this makes them count about alike."""
_INDEX = tuple(np.array(_PLACES).T)
_PLANES = np.array([[0.299, 0.587, 0.114], [-0.299, -0.587, 0.886], [0.701, -0.587, -0.114]], "f4")
"""From red, green and blue to luma, blue minus luma, red minus luma."""

LAYOUT = len(_PLACES)
"""Numbers in a layout."""


def layout(rgb: np.ndarray) -> np.ndarray:
    """Return the layout of a picture, (height, width, 3) float32 in 0 to 1: float32 (LAYOUT,), at most of length 1."""
    height, width = rgb.shape[:2]
    planes = _PLANES @ rgb.transpose(0, 2, 1)  # (height, 3, width)
    rows = np.tensordot(_waves(height), planes, 1)  # (down, 3, width)
    waves = (rows @ _waves(width).T).transpose(1, 0, 2)  # (3, down, across)
    waves[0, 0, 0] -= _MIDDLE_GREY
    return steady(_WEIGHTS * waves[_INDEX])


def steady(mean: np.ndarray) -> np.ndarray:
    """Return a layout, or the mean of several, at length 1; shorter where there is next to nothing to tell."""
    return (mean / max(float(np.linalg.norm(mean)), _PLAIN)).astype(np.float32)


@lru_cache(maxsize=64)
def _waves(size: int) -> np.ndarray:
    """Return what takes the mean over `size` pixels of their product with each wave of a cosine transform."""
    places = (2 * np.arange(size) + 1) * np.pi / (2 * size)
    waves = np.cos(np.arange(_LUMA_ORDERS)[:, None] * places)
    waves[1:] *= np.sqrt(2)
    return (waves / size).astype(np.float32)
