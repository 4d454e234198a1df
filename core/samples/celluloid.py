"""The film stock: grain, vignette and tint, which every frame of a scene gets alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops

from core.samples.colours import Colour, rgba
from core.samples.outlines import HEIGHT, WIDTH


@dataclass(frozen=True, slots=True)
class Look:
    """How the camera's film treats every frame of a scene."""

    grain: float = 4.0
    """Standard deviation of the grain, in levels of 255."""
    vignette: float = 0.3
    """How much darker the corners are, 0 to 1."""
    tint: Colour = "#ffffff"
    """Multiplies the whole picture."""


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
