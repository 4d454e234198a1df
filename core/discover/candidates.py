"""From the parts of a query to the videos that fit, each with how far it stands out to each part.

**Moments.** A video is judged by its best-matching entry and by itself as a whole, half each (labels.py): a moment
alone lets a chance shot win, the whole alone misses the scene that was asked for. The best clip says where to start.

**Relevance.** What a video is to each part is compared with what it is to a fixed background (`relevance.py`), and
candidates are ranked by how far they stand out. Category, words: a video must stand out to one of each to be an
answer. A mood beside them only orders; alone it must stand out. What is left is labelled, and when nothing is left,
that is the answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.discover import relevance
from core.discover.caches import Caches
from core.discover.composition import Part, compose, weights
from core.discover.labels import seen_through, standing_key
from core.discover.taxonomy import Kind
from core.discover.variety import fold
from core.index.base import Index, Where
from core.models import Calibration, Confidence, Entry, Scored, Taste

REQUIRED_FROM = 0.25
"""A part must be present in a video when at least this share of the query is its."""
SELF = 0.9999
"""Cosine from which a video is the very one that others are compared with."""
EVERYWHERE = Where()


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

    def nearest(
        self, parts: Sequence[Part], pool: int, exclude: Collection[str] = (), where: Where = EVERYWHERE
    ) -> Fit:
        """Return the nearest videos to a query with all that is known of them, best first, fitting or not."""
        return self.windows(parts, range(1), pool, where=where, exclude=exclude)[0]

    def windows(
        self, parts: Sequence[Part], numbers: range, size: int, *, where: Where, exclude: Collection[str] = ()
    ) -> list[Fit]:
        """Return the nearest videos to a query in windows of a size, those of these numbers, each best first."""
        target = compose(parts)
        best = []
        if target.any():
            best = self._index.search(target, limit=numbers.stop * size, per_video=1, exclude=exclude, where=where)
        moments = {match.video_id: match.scored[0].entry for match in best[numbers.start * size :]}
        # One that was found as a whole need not be asked for again.
        there = {id_: entry for id_, entry in moments.items() if entry.scope == "video"}
        missing = [id_ for id_ in moments if id_ not in there]
        there |= {entry.video_id: entry for entry in (self._index.retrieve(missing) if missing else ())}
        ids, found = list(moments), []
        for first in range(0, len(numbers) * size, size):
            entries = [there[id_] for id_ in ids[first : first + size] if id_ in there]
            mixed = [seen_through(moments[entry.video_id].vector, entry.vector) for entry in entries]
            fit = self._columns(parts, entries, np.array(mixed) if mixed else self._no_vectors())
            found.append(fit.take(np.argsort(-fit.scores, kind="stable")))
        return found

    def answering(self, parts: Sequence[Part], fit: Fit, kinds: Collection[str]) -> Fit:
        """Return those candidates in which what was asked for is present, of these kinds of parts."""
        return fit.take(np.flatnonzero(_present(parts, fit, kinds, self._caches.calibration.fits)))

    def known(self, parts: Sequence[Part], wholes: Sequence[Entry]) -> Fit:
        """Return videos as their labels say that they stand out, in the order in which they come; no moment is looked
        for."""
        vectors = np.array([entry.vector for entry in wholes]) if wholes else self._no_vectors()
        rows = [
            [_kept(entry, part) for entry in wholes]
            if part.theme is not None
            else self._standing(part, vectors @ part.vector, vectors)
            for part in parts
        ]
        standings = np.array(rows, float).reshape(len(parts), len(wholes))
        scores = self._scores(parts, standings)
        return Fit(tuple(wholes), vectors, scores, np.zeros_like(standings), standings)

    def through(self, parts: Sequence[Part], fit: Fit, moments: Mapping[str, Sequence[Scored]]) -> Fit:
        """Return candidates, as they are in order, through those of their clips that are nearest to the query."""
        target = compose(parts)
        mixed = []
        for entry in fit.entries:
            found = moments.get(entry.video_id)
            best = found[0].entry.vector if found else entry.vector
            best = best if float(best @ target) > float(entry.vector @ target) else entry.vector
            mixed.append(seen_through(best, entry.vector))
        return self._columns(parts, fit.entries, np.array(mixed) if mixed else self._no_vectors())

    def copies(self, fit: Fit) -> list[list[int]]:
        """Return the candidates by their places, near-duplicates in one group, each led by the one that comes first."""
        wholes = np.array([entry.vector for entry in fit.entries]) if fit.entries else self._no_vectors()
        nearest = self._caches.calibration.same * self._caches.origin().reach ** 2
        return fold(wholes, np.array([entry.duration_s for entry in fit.entries]), nearest)

    def liked(self, taste: Taste, numbers: range, size: int, where: Where = EVERYWHERE) -> list[Fit]:
        """Return the videos nearest to a taste in windows, for when nothing else was asked."""
        matches = self._index.search(taste, limit=numbers.stop * size, per_video=1, scope="video", where=where)
        found = []
        for first in range(numbers.start * size, numbers.stop * size, size):
            some = matches[first : first + size]
            entries = [match.scored[0].entry for match in some]
            vectors = np.array([entry.vector for entry in entries]) if entries else self._no_vectors()
            fit = self._columns((), entries, vectors)
            found.append(replace(fit, scores=np.array([match.score for match in some])))
        return found

    def tastes(self, taste: Taste, fit: Fit) -> np.ndarray:
        """Return Qdrant's best score of each candidate for a taste, (k,)."""
        ids = [entry.video_id for entry in fit.entries]
        matches = self._index.search(taste, limit=len(ids), per_video=1, scope="video", among=ids)
        scores = {match.video_id: match.score for match in matches}
        return np.array([scores.get(video_id, 0.0) for video_id in ids])

    def standing(self, part: Part, vectors: np.ndarray) -> np.ndarray:
        """Return how far videos or moments, (k, d), stand out to a part: (k,)."""
        cosines = vectors @ part.vector
        if part.kind not in ("similar", "picture"):
            return self._standing(part, cosines, vectors)
        # The video itself is in the sample: in a small library it alone would be what is usual.
        usual = self._caches.sample() @ part.vector
        others = usual[usual < SELF]
        return relevance.likeness(
            cosines, others if others.size else usual, self._caches.origin(), self._caches.calibration
        )

    def _columns(self, parts: Sequence[Part], entries: Sequence[Entry], vectors: np.ndarray) -> Fit:
        shape = (len(parts), len(entries))
        cosines = np.array([vectors @ part.vector for part in parts]).reshape(shape)
        standings = np.array(
            [self._standing(part, row, vectors) for part, row in zip(parts, cosines, strict=True)]
        ).reshape(shape)
        return Fit(tuple(entries), vectors, self._scores(parts, standings), cosines, standings)

    def _scores(self, parts: Sequence[Part], standings: np.ndarray) -> np.ndarray:
        return _tinted(parts) @ relevance.saturated(standings, self._caches.calibration)

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


def conditions(parts: Sequence[Part]) -> tuple[str, ...]:
    """Return the kinds of parts that a video must answer to be an answer.

    A mood beside something else is a tint, not a condition, and likeness has no condition at all: there is always
    something most like it.
    """
    shares: dict[str, float] = defaultdict(float)
    for part in parts:
        shares[part.kind] += part.weight
    return tuple(
        kind
        for kind, share in shares.items()
        if kind not in ("similar", "picture")
        and share >= REQUIRED_FROM
        and not (kind == "mood" and len(shares) > 1 and share <= 1 - REQUIRED_FROM)
    )


def _present(parts: Sequence[Part], fit: Fit, kinds: Collection[str], least: float) -> np.ndarray:
    """Return which candidates answer a query, bool (k,): each of these kinds of parts stands out in one way or other.

    Several categories are alternatives, so one of them is enough; so are several moods.
    """
    fits = np.ones(len(fit.entries), bool)
    for kind in kinds:
        rows = [row for row, part in enumerate(parts) if part.kind == kind]
        fits &= (fit.standings[rows] >= least).any(axis=0)
    return fits


def _kept(entry: Entry, part: Part) -> float:
    """Return how far a video stands out to a category or mood by its labels; as nothing where they do not say."""
    kind: Kind = "mood" if part.kind == "mood" else "category"
    return (entry.standings or {}).get(standing_key(kind, part.theme or ""), 0.0)


def label(parts: Sequence[Part], fit: Fit, column: int, calibration: Calibration) -> Confidence:
    """Return the label of a hit: strong only where no part that was asked for is a stretch."""
    found = relevance.confidence(float(fit.scores[column]), calibration)
    asked = [row for row, part in enumerate(parts) if part.kind in ("category", "words")]
    if found == "high" and asked and float(fit.standings[asked, column].max()) < calibration.strong:
        return "medium"
    return found
