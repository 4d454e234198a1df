"""From what a person asks for to the videos that answer it. Knows protocols, never a backend.

A category is an ensemble of prompts, a mood another; the vectors of each ensemble are averaged and normalised
once and kept. A query is the weighted sum of its parts, so one nearest-neighbour search serves category, mood
and words together. Entries come back with their vectors, so that every hit can say how much each part of the
query contributed, and a video that fits only the mood is not passed off as one of the category.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from core.encoders.base import Encoder
from core.errors import QueryError
from core.index.base import Index
from core.models import Confidence, EncoderInfo, Entry, Hit, Match, Moment, Query, Reason, Scored
from core.stores.base import Store
from core.taxonomy import Taxonomy, Theme

MAX_LIMIT = 100
MAX_TEXT = 500
WEIGHTS = {"category": 1.0, "words": 1.2, "mood": 0.75}
"""How much each part counts when they are combined: words are the most deliberate, a mood only tints."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One part of a query as a unit vector, or a zero vector where the encoder knows nothing of it."""

    kind: str
    label: str
    vector: np.ndarray


@dataclass(frozen=True, slots=True)
class Discover:
    """Answer queries over one library."""

    encoder: Encoder
    index: Index
    store: Store
    taxonomy: Taxonomy
    _themes: dict[tuple[str, ...], np.ndarray] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def search(self, query: Query) -> list[Hit]:
        """Return the videos that answer a query, best first; an empty list when nothing does.

        A part that was asked for by category or in words must be present in a video (its cosine above the
        encoder's noise); a mood beside them only orders, alone it must be present too. Raises QueryError.
        """
        parts = self.parts(check(query))
        if any(not part.vector.any() for part in parts):
            return []
        wanted = query.offset + query.limit
        matches = self.index.search(compose(parts), limit=2 * wanted + 12)
        hits = []
        for match in matches:
            reasons = _reasons(parts, match)
            if _present(reasons, self.encoder.info):
                hits.append(self._hit(match, reasons, _confidence(reasons, self.encoder.info)))
        return hits[query.offset : wanted]

    def similar(self, video_id: str, limit: int = 3) -> list[Hit]:
        """Return the videos most like one in the library, best first; empty if it is not there."""
        entry = next(self.index.scroll(video_id=video_id, scope="video"), None)
        if entry is None:
            return []
        matches = self.index.search(entry.vector, limit=limit, per_video=1, scope="video", exclude=[video_id])
        return [self._hit(match, (Reason("similar", f"like {entry.title}", match.score),), None) for match in matches]

    def show(self, video_id: str) -> Hit | None:
        """Return one video as a hit, or None if it is not in the library."""
        entry = next(self.index.scroll(video_id=video_id, scope="video"), None)
        return None if entry is None else self._as_found(entry)

    def browse(self, limit: int) -> list[Hit]:
        """Return some videos of the library, in its own order, for when nothing was asked for."""
        return [self._as_found(entry) for entry in islice(self.index.scroll(scope="video"), limit)]

    def parts(self, query: Query) -> tuple[Part, ...]:
        """Return the vectors of a query's parts. Raises QueryError for an unknown category or mood."""
        parts = []
        if query.category:
            theme = self.taxonomy.category(query.category)
            parts.append(Part("category", theme.label, self.theme_vector(theme)))
        if query.mood:
            theme = self.taxonomy.mood(query.mood)
            parts.append(Part("mood", theme.label, self.theme_vector(theme)))
        if text := query.text.strip():
            parts.append(Part("words", text, self.encoder.encode_text([text])[0]))
        return tuple(parts)

    def theme_vector(self, theme: Theme) -> np.ndarray:
        """Return the unit vector of a category or mood: the normalised mean of its prompts, computed once."""
        with self._lock:
            vector = self._themes.get(theme.prompts)
            if vector is None:
                vector = self._themes[theme.prompts] = ensemble(self.encoder.encode_text(theme.prompts))
            return vector

    def _as_found(self, video: Entry) -> Hit:
        """Return a video nobody asked for at its most typical moment: the clip most like the whole."""
        clips = self.index.scroll(video_id=video.video_id, scope="clip")
        scored = [Scored(clip, float(clip.vector @ video.vector)) for clip in clips] or [Scored(video, 1.0)]
        return self._hit(Match(video.video_id, (max(scored, key=lambda one: one.score),)), (), None, seen=video.seen)

    def _hit(
        self,
        match: Match,
        reasons: Sequence[Reason],
        confidence: Confidence | None,
        seen: tuple[str, ...] | None = None,
    ) -> Hit:
        best = _best_moment(match)
        return Hit(
            video_id=match.video_id,
            title=best.title,
            filename=best.filename,
            url=self.store.url(best.media_key),
            poster_url=self.store.url(best.poster_key) if best.poster_key else None,
            start_s=best.start_s,
            end_s=best.end_s,
            duration_s=best.duration_s,
            width_px=best.width_px,
            height_px=best.height_px,
            has_audio=best.has_audio,
            score=match.score,
            confidence=confidence,
            reasons=tuple(reasons),
            moments=tuple(
                Moment(scored.entry.start_s, scored.entry.end_s, scored.score)
                for scored in match.scored
                if scored.entry.scope == "clip"
            ),
            seen=best.seen if seen is None else seen,
        )


def check(query: Query) -> Query:
    """Return the query if it can be answered. Raises QueryError saying what to change."""
    if not (query.text.strip() or query.category or query.mood):
        raise QueryError("There is nothing to search for. Give a query, a category or a mood.")
    if len(query.text) > MAX_TEXT:
        raise QueryError(f"The query is {len(query.text)} characters long. Use at most {MAX_TEXT}.")
    if not 1 <= query.limit <= MAX_LIMIT:
        raise QueryError(
            f"limit is {query.limit}. Use a whole number from 1 to {MAX_LIMIT}.", {"limit": [1, MAX_LIMIT]}
        )
    return query


def ensemble(vectors: np.ndarray) -> np.ndarray:
    """Return the normalised mean of prompt vectors, (n, d) to (d,); zero if all are zero."""
    return unit(np.mean(vectors, axis=0))


def compose(parts: Iterable[Part]) -> np.ndarray:
    """Return the unit vector of a whole query: the sum of its parts by WEIGHTS."""
    return unit(sum(WEIGHTS[part.kind] * part.vector for part in parts))


def unit(vector: np.ndarray) -> np.ndarray:
    """Return the vector at length one, float32; a zero vector stays zero."""
    length = float(np.linalg.norm(vector))
    return (vector / length if length else vector).astype(np.float32)


def _reasons(parts: Sequence[Part], match: Match) -> tuple[Reason, ...]:
    """Score each part by the entry of the video that fits it best: cosine is linear, so the parts add up."""
    vectors = np.stack([scored.entry.vector for scored in match.scored])
    return tuple(Reason(part.kind, part.label, float(np.max(vectors @ part.vector))) for part in parts)


def _present(reasons: Sequence[Reason], info: EncoderInfo) -> bool:
    required = [reason for reason in reasons if reason.kind != "mood"] or reasons
    return all(reason.score >= info.noise_at for reason in required)


def _confidence(reasons: Sequence[Reason], info: EncoderInfo) -> Confidence:
    """Label a hit by its parts together, each by its weight in the query."""
    total = sum(WEIGHTS[reason.kind] for reason in reasons)
    relevance = sum(WEIGHTS[reason.kind] * reason.score for reason in reasons) / total
    if relevance >= info.strong_at:
        return "high"
    return "medium" if relevance >= info.related_at else "low"


def _best_moment(match: Match) -> Entry:
    """Return the best clip, or the whole video where no clip came up."""
    return next((scored.entry for scored in match.scored if scored.entry.scope == "clip"), match.scored[0].entry)
