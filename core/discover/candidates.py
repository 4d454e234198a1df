"""From the parts of a query to the videos that fit, each with how far it stands out to each part.

**Moments.** A video is judged by its best-matching entry and by itself as a whole, half each (CLIP_SHARE): a moment
alone lets a chance shot win, the whole alone misses the scene that was asked for. The best clip says where to start.

**Relevance.** What a video is to each part is compared with what it is to a fixed background (`relevance.py`), and
candidates are ranked by how far they stand out. Category, words: a video must stand out to one of each to be an
answer. A mood beside them only orders; alone it must stand out. What is left is labelled, and when nothing is left,
that is the answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.discover import relevance
from core.discover.caches import Caches
from core.discover.composition import Part, compose, weights
from core.discover.variety import fold
from core.index.base import Index
from core.models import Calibration, Confidence, Entry, Taste

CLIP_SHARE = 0.5
REQUIRED_FROM = 0.25
"""A part must be present in a video when at least this share of the query is its."""


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """The candidates for a query, column by column, best first; k of them."""

    entries: tuple[Entry, ...]
    """Their entries with scope "video"."""
    vectors: np.ndarray
    """(k, d) Each video seen through its best-matching moment; not of length one."""
    scores: np.ndarray
    """(k,) What they are ranked by: the standing to the whole query, or best score for taste alone."""
    cosines: np.ndarray
    """(parts, k) Products of parts and videos."""
    standings: np.ndarray
    """(parts, k)"""

    def take(self, order: Sequence[int] | np.ndarray) -> Fit:
        """Return these candidates in this order."""
        index = np.asarray(order, int)
        return Fit(
            tuple(self.entries[i] for i in index),
            self.vectors[index],
            self.scores[index],
            self.cosines[:, index],
            self.standings[:, index],
        )


class Candidates:
    """Find the videos of one library that come into question. Safe to use from several threads."""

    def __init__(self, index: Index, caches: Caches, dimension: int) -> None:
        self._index = index
        self._caches = caches
        self._dimension = dimension

    def nearest(self, parts: Sequence[Part], pool: int, exclude: Collection[str] = ()) -> Fit:
        """Return the nearest videos to a query with all that is known of them, best first, fitting or not."""
        target = compose(parts)
        if not target.any():
            return self._columns(parts, (), self._no_vectors())
        best = self._index.search(target, limit=pool, per_video=1, exclude=exclude)
        moments = {match.video_id: match.scored[0].entry.vector for match in best}
        wholes = self._index.search(target, limit=len(best), per_video=1, scope="video", among=list(moments))
        entries = [match.scored[0].entry for match in wholes]
        mixed = [CLIP_SHARE * moments[entry.video_id] + (1 - CLIP_SHARE) * entry.vector for entry in entries]
        fit = self._columns(parts, entries, np.array(mixed) if mixed else self._no_vectors())
        return fit.take(np.argsort(-fit.scores, kind="stable"))

    def fitting(self, parts: Sequence[Part], pool: int, exclude: Collection[str] = ()) -> Fit:
        """Return those candidates in which what was asked for is present."""
        fit = self.nearest(parts, pool, exclude)
        return fit.take(np.flatnonzero(_present(parts, fit, self._caches.calibration.fits)))

    def folded(self, fit: Fit) -> tuple[Fit, list[tuple[str, ...]]]:
        """Return the candidates with near-duplicates folded, and of each the titles of those folded into it."""
        wholes = np.array([entry.vector for entry in fit.entries])
        nearest = self._caches.calibration.same * self._caches.origin().reach ** 2
        groups = fold(wholes, np.array([entry.duration_s for entry in fit.entries]), nearest)
        copies = [tuple(fit.entries[i].title for i in group[1:]) for group in groups]
        return fit.take([group[0] for group in groups]), copies

    def liked(self, taste: Taste, pool: int) -> Fit:
        """Return the videos nearest to a taste, for when nothing else was asked."""
        matches = self._index.search(taste, limit=pool, per_video=1, scope="video")
        entries = [match.scored[0].entry for match in matches]
        vectors = np.array([entry.vector for entry in entries]) if entries else self._no_vectors()
        return replace(self._columns((), entries, vectors), scores=np.array([match.score for match in matches]))

    def tastes(self, taste: Taste, fit: Fit) -> np.ndarray:
        """Return Qdrant's best score of each candidate for a taste, (k,)."""
        ids = [entry.video_id for entry in fit.entries]
        matches = self._index.search(taste, limit=len(ids), per_video=1, scope="video", among=ids)
        scores = {match.video_id: match.score for match in matches}
        return np.array([scores.get(video_id, 0.0) for video_id in ids])

    def _columns(self, parts: Sequence[Part], entries: Sequence[Entry], vectors: np.ndarray) -> Fit:
        shape = (len(parts), len(entries))
        cosines = np.array([vectors @ part.vector for part in parts]).reshape(shape)
        standings = np.array(
            [self._standing(part, row, vectors) for part, row in zip(parts, cosines, strict=True)]
        ).reshape(shape)
        scores = _tinted(parts) @ relevance.saturated(standings, self._caches.calibration)
        return Fit(tuple(entries), vectors, scores, cosines, standings)

    def _no_vectors(self) -> np.ndarray:
        return np.zeros((0, self._dimension), np.float32)

    def _standing(self, part: Part, cosines: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        if not len(cosines):
            return cosines
        if part.kind in ("similar", "picture"):
            usual = self._caches.sample() @ part.vector
            return relevance.likeness(cosines, usual, self._caches.origin(), self._caches.calibration)
        return self._caches.background(part.kind).standing(part.vector, vectors)


def _tinted(parts: Sequence[Part]) -> np.ndarray:
    """Return how much each part counts in the ranking, (parts,); they add up to what the weights do."""
    counted = weights(parts)
    if len({part.kind for part in parts}) > 1:
        tinted = counted * [relevance.TINT if part.kind == "mood" else 1.0 for part in parts]
        counted = tinted * (counted.sum() / tinted.sum())
    return counted


def _present(parts: Sequence[Part], fit: Fit, least: float) -> np.ndarray:
    """Return which candidates answer a query, bool (k,): every kind of thing asked for stands out in one way or other.

    Several categories are alternatives, so one of them is enough; so are several moods. A mood beside something else
    is a tint, not a condition, and likeness has no condition at all: there is always something most like it.
    """
    fits = np.ones(len(fit.entries), bool)
    shares: dict[str, float] = defaultdict(float)
    for part in parts:
        shares[part.kind] += part.weight
    for kind in shares:
        rows = [row for row, part in enumerate(parts) if part.kind == kind]
        tint = kind == "mood" and len(shares) > 1 and shares[kind] <= 1 - REQUIRED_FROM
        if kind in ("similar", "picture") or tint or shares[kind] < REQUIRED_FROM:
            continue
        fits &= (fit.standings[rows] >= least).any(axis=0)
    return fits


def label(parts: Sequence[Part], fit: Fit, column: int, calibration: Calibration) -> Confidence:
    """Return the label of a hit: strong only where no part that was asked for is a stretch."""
    found = relevance.confidence(float(fit.scores[column]), calibration)
    asked = [row for row, part in enumerate(parts) if part.kind in ("category", "words")]
    if found == "high" and asked and float(fit.standings[asked, column].max()) < calibration.strong:
        return "medium"
    return found
