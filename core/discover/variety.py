"""Choose among fitting videos: fold near-duplicates into one, and trade closeness for variety."""

from __future__ import annotations

import numpy as np

SAME_LENGTH = 0.1
"""The durations of copies differ by at most this share."""


def fold(vectors: np.ndarray, durations_s: np.ndarray, nearest: float) -> list[list[int]]:
    """Return groups of near-duplicates by index, each led by its first (best) one, in the order of the leaders.

    Takes unit vectors (n, d), best first, durations (n,) and the distance (1 − cosine) of copies (`Calibration.same`).
    """
    cosines = _products(vectors)
    longest = np.maximum(durations_s[:, None], durations_s[None, :])
    same = (1.0 - cosines <= nearest) & (np.abs(durations_s[:, None] - durations_s[None, :]) <= SAME_LENGTH * longest)
    groups: list[list[int]] = []
    taken = np.zeros(len(vectors), bool)
    for index in range(len(vectors)):
        if not taken[index]:
            group = np.flatnonzero(same[index] & ~taken)
            taken[group] = True
            groups.append([index, *(int(i) for i in group if i != index)])
    return groups


def diversify(scores: np.ndarray, vectors: np.ndarray, variety: float) -> list[int]:
    """Return all indices, the next always the one with the best balance of score and newness.

    Maximal marginal relevance (Carbonell and Goldstein 1998, "The use of MMR, diversity-based reranking"): closeness
    and likeness are both scaled to 0..1 over the candidates, for their cosines live on different scales. `variety` 0
    keeps the order by score; 1 gives newness four times the weight of closeness.
    """
    if variety <= 0 or len(scores) < 3:
        return list(np.argsort(-scores, kind="stable"))
    weight = 0.8 * min(variety, 1.0)
    closeness = scaled(scores)
    likeness = scaled(_products(vectors))
    chosen = [int(np.argmax(scores))]
    left = np.ones(len(scores), bool)
    left[chosen] = False
    nearest = likeness[chosen[0]].copy()
    while left.any():
        balance = np.where(left, (1 - weight) * closeness - weight * nearest, -np.inf)
        chosen.append(int(np.argmax(balance)))
        left[chosen[-1]] = False
        nearest = np.maximum(nearest, likeness[chosen[-1]])
    return chosen


def _products(vectors: np.ndarray) -> np.ndarray:
    """Return the dot products of all pairs. einsum, not @: for so little, BLAS's threads cost more than they save."""
    return np.einsum("id,jd->ij", vectors, vectors)


def scaled(values: np.ndarray) -> np.ndarray:
    """Return the values, at least one, moved and stretched to 0..1."""
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else np.zeros_like(values)
