"""What a cosine means: how far a video stands out to a prompt from what it is to others of its kind.

Raw cosines differ by model, by prompt and by video: with one encoder 0.3 is a lot, with another it is noise, and some
videos are near everything. So each cosine is compared with those of the same video to a fixed background: a category
with all shipped categories, a mood with all moods, anything else with both and some neutral phrases.

    standing = (cosine − mean of the background) / sqrt(SPREAD_USUAL · max(its spread, SPREAD_LEAST))

This is the z-norm of speaker verification (Auckenthaler et al. 2000, "Score normalization for text-independent
speaker verification systems"), taken over prompts and damped: dividing by the whole spread makes much of videos about
which little is known (bench/quality.py compares). It needs no other video, so labels do not move when the library
grows; the library's own distribution would make the best of ten cat videos a "stretch" for "cats".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.models import Confidence

NEUTRAL = (
    "a video",
    "a short clip",
    "something happens",
    "people and things",
    "a recording of a place",
    "an ordinary day",
    "footage",
    "untitled",
)
SPREAD_USUAL, SPREAD_LEAST = 0.1, 0.03
SCALE = {"words": 0.75, "mood": 1.2}
"""A video that has the very words typed stands out further than one of a category, and moods lie nearer to each other
than categories do; this evens it out."""
NOISE, RELATED, STRONG = 0.6, 0.9, 1.9
"""Standings from which a video fits at all, is related, and is a strong match. Of the right videos of the corpus and
the sample library, three in four are related or better to their category; of the wrong ones one in ten is."""


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """The prompts every video is compared with, unit vectors (n, dimension)."""

    prompts: np.ndarray

    def standing(self, cosines: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """Return the standings (k,) of a prompt's cosines (k,) to videos, given the videos' vectors (k, dimension)."""
        # einsum, not @: for so little, BLAS's threads cost more than they save (bench/search.py).
        usual = np.einsum("kd,nd->kn", vectors, self.prompts)
        spread = np.maximum(usual.std(axis=1), SPREAD_LEAST)
        return (cosines - usual.mean(axis=1)) / np.sqrt(SPREAD_USUAL * spread)


def confidence(standing: float) -> Confidence:
    """Return the label of a standing that is not noise."""
    if standing >= STRONG:
        return "high"
    return "medium" if standing >= RELATED else "low"


def score(standing: float) -> float:
    """Return a standing as a number from 0 to 1 for programs; 0.5 is where "related" begins."""
    return 1.0 / (1.0 + math.exp(-(standing - RELATED)))
