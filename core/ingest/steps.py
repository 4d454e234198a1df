"""How much one picture of a video differs from another: what finds the cuts between its shots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SAME_PLACES = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What is kept of a picture to compare others with."""

    luma: np.ndarray
    histogram: np.ndarray
    coarse: np.ndarray


def luma(rgb: np.ndarray) -> np.ndarray:
    """Return the brightness of each pixel of a picture, (height, width, 3) float32 in 0 to 1."""
    return rgb @ np.array([0.299, 0.587, 0.114], np.float32)


def seen(rgb: np.ndarray) -> Seen:
    """Return what is kept of a picture, (height, width, 3) float32 in 0 to 1."""
    bins = np.minimum((rgb * 6).astype(np.uint8), 5).astype(np.int32)
    codes = (bins[..., 0] * 6 + bins[..., 1]) * 6 + bins[..., 2]
    histogram = np.bincount(codes.ravel(), minlength=216).astype(np.float32) / codes.size
    height, width = rgb.shape[0] // 6 * 6, rgb.shape[1] // 6 * 6
    coarse = rgb[:height, :width].reshape(height // 6, 6, width // 6, 6, 3).mean((1, 3)) if height and width else rgb
    return Seen(luma(rgb), histogram, coarse)


def step(now: Seen, before: Seen) -> float:
    """Return how much of the colours and of their places changed, 0 to 1; half at most where only the light did."""
    if now.coarse.shape != before.coarse.shape:
        return 0.0
    places = min(float(np.abs(now.coarse - before.coarse).mean()) / 0.25, 1.0)
    if likeness(now.coarse, before.coarse) > _SAME_PLACES:
        return 0.5 * places
    colours = 0.5 * float(np.abs(now.histogram - before.histogram).sum())
    return 0.5 * (colours + places)


def likeness(left: np.ndarray, right: np.ndarray) -> float:
    """Return the correlation of what was coarsely seen, which a fade leaves at 1; 0 where one of them is plain."""
    left, right = left - left.mean(), right - right.mean()
    lengths = float(np.linalg.norm(left) * np.linalg.norm(right))
    return float((left * right).sum()) / lengths if lengths > 1e-4 * left.size else 0.0
