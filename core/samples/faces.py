"""Faces: what looks, smiles and blushes, on whatever head a scene has."""

from __future__ import annotations

from core.samples.colours import Colour
from core.samples.stage import Stage

Gaze = tuple[float, float]
"""Where eyes look, from (-1, -1), up to the left, to (1, 1)."""
INK = "#1f1a2b"


def eyes(
    s: Stage, x: float, y: float, gap: float, r: float, openness: float = 1, look: Gaze = (0, 0), ink: Colour = INK
) -> None:
    """Draw two dark oval eyes with a light in each; shut they are two arcs. `gap` is between their middles."""
    for side in (-0.5, 0.5):
        ex, ey = x + side * gap, y
        if openness < 0.25:
            s.line([(ex - r, ey), (ex, ey + r * 0.5), (ex + r, ey)], r * 0.5, ink)
            continue
        s.ellipse(ex, ey, r * 0.85, r * 1.1 * openness, ink)
        light = (ex + (0.25 + look[0] * 0.3) * r, ey + (-0.4 + look[1] * 0.3) * r * openness)
        s.ellipse(*light, r * 0.32, paint="#ffffff")


def goggles(
    s: Stage, x: float, y: float, gap: float, r: float, openness: float = 1, look: Gaze = (0, 0), ink: Colour = INK
) -> None:
    """Draw two big cartoon eyes, white with a pupil."""
    for side in (-0.5, 0.5):
        ex = x + side * gap
        s.ellipse(ex, y, r, r * max(openness, 0.12), "#fffdf6")
        if openness > 0.3:
            px, py = ex + look[0] * r * 0.45, y + look[1] * r * 0.45
            s.ellipse(px, py, r * 0.48, r * 0.48 * openness, ink)
            s.ellipse(px + r * 0.14, py - r * 0.16, r * 0.15, paint="#ffffff")


def cheeks(s: Stage, x: float, y: float, gap: float, r: float, ink: Colour = "#ff6f7d90") -> None:
    for side in (-0.5, 0.5):
        s.ellipse(x + side * gap, y, r, r * 0.65, ink)


def smile(s: Stage, x: float, y: float, width: float, deep: float, ink: Colour = INK, thick: float = 2) -> None:
    """Draw a mouth line; deep below 0 is sad."""
    s.line([(x - width / 2, y), (x, y + deep), (x + width / 2, y)], thick, ink)
