"""Percepts: what can be measured of pictures and sound, as numbers with plain names."""

from __future__ import annotations

VISUAL: tuple[str, ...] = (
    "brightness",
    "darkness",
    "contrast",
    "colourfulness",
    "warmth",
    "redness",
    "greenery",
    "blueness",
    "pastel",
    "monochrome",
    "night",
    "motion",
    "stillness",
    "cut_rate",
    "flicker",
    "flatness",
    "outlines",
    "texture",
    "skin",
)
SOUND: tuple[str, ...] = (
    "loudness",
    "dynamics",
    "treble",
    "bass",
    "onsets",
    "speech",
    "tonality",
    "silence",
)
PERCEPTS: tuple[str, ...] = VISUAL + SOUND
"""The names of the percepts in the order they have in a vector."""
