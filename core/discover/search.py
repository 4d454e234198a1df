"""From what a person asks for to the videos that answer it. Knows protocols, never a backend.

A query becomes weighted parts (`composition.py`); the nearest videos are compared with what is usual for them and
those in which what was asked for is present are left (`candidates.py`, `relevance.py`); copies are folded, filters
applied and counted (`facets.py`), taste and variety order what is left, and each becomes a hit at the moment that
matches (`hits.py`). What does not change from one query to the next is kept (`caches.py`).

**Taste** (`state/taste.py`) ranks the fitting videos anew by Qdrant's recommend query; it removes none. **Variety**
(`variety.py`) folds copies and spreads the choice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar, cast

import numpy as np

from core.discover.caches import SAMPLE, Caches
from core.discover.candidates import Candidates, Fit
from core.discover.composition import WORDS_OVER_CATEGORY, Part, compose, weighed
from core.discover.facets import facets, passes
from core.discover.hits import Hits
from core.discover.relevance import Background
from core.discover.taxonomy import Taxonomy, Theme
from core.discover.variety import diversify, scaled
from core.encoders.base import Encoder, ImageEncoder
from core.errors import AppError, EncoderError, QueryError
from core.index.base import Index
from core.models import Entry, Hit, Query, Results, Scope, Taste
from core.state.taste import Marks, TasteBook
from core.stores.base import Store

MAX_LIMIT = 100
MAX_TEXT = 500
POOL = 48
"""Videos looked at closely for one page of results; more when more are asked for. It is also as far as is counted."""
TASTE_SHARE = 0.6
"""Weight of taste beside closeness, both scaled to 0..1 over the fitting videos."""
NEWEST_MARKS = 50
SORTED = 10_000
"""Videos up to which a library is shown newest first; of a larger one the order would cost seconds at each change."""
STRIKING_SHARE = 1 / 3
"""What is seen in more of the library than this tells none of its videos from the others."""
STRIKING_FROM = 8
"""Videos from which there is something usual to compare with."""

T = TypeVar("T")


class Discover:
    """Answer queries over one library. Safe to call from several threads."""

    def __init__(
        self, *, encoder: Encoder, index: Index, store: Store, taxonomy: Taxonomy, taste: TasteBook | None = None
    ) -> None:
        self.encoder = encoder
        self.index = index
        self.store = store
        self.taste = taste
        self._caches = Caches(encoder, index, taxonomy)
        self._candidates = Candidates(index, self._caches, encoder.info.dimension)
        self._hits = Hits(index, store, encoder.info.calibration)

    @property
    def taxonomy(self) -> Taxonomy:
        return self._caches.taxonomy

    @taxonomy.setter
    def taxonomy(self, taxonomy: Taxonomy) -> None:
        self._caches.taxonomy = taxonomy

    def search(self, query: Query) -> Results:
        """Return the videos that answer a query, best first, or none and what is close to it. Raises QueryError."""
        check(query)
        marks = self._marks(query.profile)
        taste = self._taste_of(marks)
        parts = self.parts(query)
        if not parts:
            if taste is None:
                raise QueryError("There is nothing to search for. Give a query, a category or a mood.")
            fit = self._candidates.liked(taste, _pool(query))
        else:
            fit = self._candidates.fitting(parts, _pool(query), exclude=[query.like] if query.like else ())
        if not fit.entries:
            return Results((), 0, facets(()), self._alternatives(parts))
        fit, copies = self._candidates.folded(fit)
        counted = facets(fit.entries)
        keep = [i for i, entry in enumerate(fit.entries) if passes(entry, query.filters)]
        unseen = [i for i in keep if not (query.hide_seen and fit.entries[i].video_id in marks.seen)]
        all_seen = bool(keep) and not unseen
        keep = unseen or keep
        if not keep:
            return Results((), 0, counted)
        fit, copies = fit.take(keep), [copies[i] for i in keep]
        tastes = self._candidates.tastes(taste, fit) if taste and parts else None
        order = _order(fit, tastes, query)[query.offset : query.offset + query.limit]
        hits = self._hits.answering(
            fit.take(order), parts, [copies[i] for i in order], None if tastes is None else tastes[order]
        )
        return Results(hits, len(keep), counted, (), all_seen)

    def knows_taste(self, profile: str | None) -> bool:
        """Tell whether there is anything to go by for "For you": marks on videos that are still in the library."""
        return self._taste_of(self._marks(profile)) is not None

    def similar(self, video_id: str, limit: int = 3) -> list[Hit]:
        """Return the videos most like one in the library, best first; empty if it is not there."""
        entry = next(self.index.scroll(video_id=video_id, scope="video"), None)
        if entry is None:
            return []
        matches = self.index.search(entry.vector, limit=limit, per_video=1, scope="video", exclude=[video_id])
        return [self._hits.found(match.scored[0].entry) for match in matches]

    def show(self, video_id: str) -> Hit | None:
        """Return one video as a hit at its most typical moment, or None if it is not in the library."""
        entry = next(self.index.scroll(video_id=video_id, scope="video"), None)
        return None if entry is None else self._hits.found(entry)

    def browse(self, limit: int) -> Results:
        """Return videos nobody asked for; all count. Newest first, or in the library's own order where it has more than
        SORTED or cannot tell whether it changed."""
        total = self.index.count().videos
        newest = self._newest_ids() if total <= SORTED else None
        if newest is None:
            some = tuple(islice(self.index.scroll(scope="video"), limit))
            return Results(tuple(map(self._hits.found, some)), total, {})
        shown = (self.show(video_id) for video_id in newest[:limit])
        return Results(tuple(hit for hit in shown if hit is not None), total, {})

    def _newest_ids(self) -> tuple[str, ...] | None:
        try:
            return self.kept("newest", self._newest)
        except AppError:  # pages say so where it is what they ask for; here it is only the order
            return None

    def _newest(self) -> tuple[str, ...]:
        """Return the ids of all videos, newest first; what came at the same time stays in the library's order."""
        times = {entry.video_id: entry.ingested_at for entry in self.index.scroll(scope="video")}
        return tuple(sorted(times, key=times.__getitem__, reverse=True))

    def striking(self, seen: Sequence[str]) -> tuple[str, ...]:
        """Return of what was seen in a video that which few others of the library have, in the same order."""
        videos, having = self.kept("seen", self._usually_seen)
        if videos < STRIKING_FROM:
            return tuple(seen)
        return tuple(word for word in seen if having[word] <= STRIKING_SHARE * videos)

    def _usually_seen(self) -> tuple[int, Counter[str]]:
        """Return the number of videos in a sample of the library, and in how many each word was seen."""
        some = [entry.seen for entry in islice(self.index.scroll(scope="video"), SAMPLE)]
        return len(some), Counter(word for seen in some for word in set(seen))

    def kept(self, name: str, compute: Callable[[], T]) -> T:
        """Return what is computed under a name; kept until the library or the taxonomy changes."""
        return self._caches.kept(name, compute)

    def counts(self) -> Mapping[str, int]:
        """Return how many videos answer each category alone (POOL at most), by id; kept until the library changes."""

        def found(theme: Theme) -> int:
            fit = self._candidates.fitting(self.parts(Query(categories=(theme.id,))), POOL)
            return len(self._candidates.folded(fit)[0].entries) if fit.entries else 0

        return self._caches.counts(found)

    def parts(self, query: Query) -> tuple[Part, ...]:
        """Return the parts of a query with their weights, which add up to one. Raises QueryError."""
        content: list[Part] = []
        for name in query.categories:
            theme = self.taxonomy.category(name)
            content.append(Part("category", theme.label, self.theme_vector(theme), 1.0))
        if text := query.text.strip():
            content.append(Part("words", text, self._caches.direction(text), WORDS_OVER_CATEGORY))
        if query.like:
            entry = self._entry_at(query.like, query.like_at_s)
            content.append(Part("similar", entry.title, entry.vector, 1.0))
        if query.picture is not None:
            content.append(Part("picture", "your picture", self._encode_image(query.picture), 1.0))
        moods = [
            Part("mood", mood.label, self.theme_vector(mood), 1.0) for mood in map(self.taxonomy.mood, query.moods)
        ]
        strength = query.strength if content and moods else float(bool(moods))
        return (*weighed(content, 1.0 - strength), *weighed(moods, strength))

    def theme_vector(self, theme: Theme) -> np.ndarray:
        """Return what a category or mood asks for."""
        return self._caches.theme_vector(theme)

    def standing(self, kind: str, direction: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """Return how far videos, (k, dimension), stand out to a category or mood, as its search would say: (k,)."""
        return self.background(kind).standing(direction, vectors)

    def background(self, kind: str) -> Background:
        """Return what videos are compared with for a part of this kind."""
        return self._caches.background(kind)

    def candidates(self, parts: Sequence[Part], pool: int, exclude: Collection[str] = ()) -> Fit:
        """Return the nearest videos to a query with all that is known of them, best first, fitting or not."""
        return self._candidates.nearest(parts, pool, exclude)

    def _marks(self, profile: str | None) -> Marks:
        return self.taste.marks(profile) if self.taste and profile else Marks()

    def _taste_of(self, marks: Marks) -> Taste | None:
        """Return the vectors of the newest marks whose videos are still there; None when there are none."""

        def vectors(ids: Sequence[str]) -> tuple[np.ndarray, ...]:
            found = (next(self.index.scroll(video_id=id_, scope="video"), None) for id_ in ids[:NEWEST_MARKS])
            return tuple(entry.vector for entry in found if entry is not None)

        taste = Taste(vectors(marks.likes), vectors(marks.dislikes))
        return taste if taste.likes or taste.dislikes else None

    def _alternatives(self, parts: Sequence[Part]) -> tuple[str, ...]:
        """Return the ids of the categories nearest to a query, of those that would find something."""
        target, counts = compose(parts), self.counts()
        asked = {part.label for part in parts}
        near = [
            (float(self.theme_vector(theme) @ target), theme.id)
            for theme in self.taxonomy.categories
            if counts.get(theme.id) and theme.label not in asked
        ]
        return tuple(id_ for _, id_ in sorted(near, reverse=True)[:4])

    def _entry_at(self, video_id: str, at_s: float | None) -> Entry:
        """Return a video's entry, or that of the clip at a time. Raises QueryError when it is not there."""
        scope: Scope = "video" if at_s is None else "clip"
        for entry in self.index.scroll(video_id=video_id, scope=scope):
            if at_s is None or entry.start_s <= at_s < entry.end_s:
                return entry
        raise QueryError("The video to compare with is no longer in the library.")

    def _encode_image(self, rgb: np.ndarray) -> np.ndarray:
        if not self.encoder.info.images:
            raise EncoderError(f"The encoder {self.encoder.info.name} cannot read pictures. Search in words instead.")
        return cast(ImageEncoder, self.encoder).encode_image(rgb)


def check(query: Query) -> Query:
    """Return the query if it can be answered. Raises QueryError saying what to change."""
    if not query.asks and not query.profile:
        raise QueryError("There is nothing to search for. Give a query, a category or a mood.")
    if len(query.text) > MAX_TEXT:
        raise QueryError(f"The query is {len(query.text)} characters long. Use at most {MAX_TEXT}.")
    if not 1 <= query.limit <= MAX_LIMIT:
        raise QueryError(
            f"limit is {query.limit}. Use a whole number from 1 to {MAX_LIMIT}.", {"limit": [1, MAX_LIMIT]}
        )
    for name, value in (("strength", query.strength), ("variety", query.variety)):
        if not 0 <= value <= 1:
            raise QueryError(f"{name} is {value}. Use a number from 0 to 1.", {name: [0, 1]})
    return query


def _pool(query: Query) -> int:
    return max(POOL, 2 * (query.offset + query.limit))


def _order(fit: Fit, tastes: np.ndarray | None, query: Query) -> np.ndarray:
    """Return the order in which the candidates are shown, as indices."""
    if query.sort in ("newest", "oldest"):
        return _sorted([entry.ingested_at for entry in fit.entries], backwards=query.sort == "newest")
    if query.sort in ("shortest", "longest"):
        return _sorted([entry.duration_s for entry in fit.entries], backwards=query.sort == "longest")
    scores = fit.scores
    if tastes is not None:
        scores = scaled(scores) + TASTE_SHARE * scaled(tastes)
    wholes = np.array([entry.vector for entry in fit.entries])
    return np.array(diversify(scores, wholes, query.variety), int)


def _sorted(values: Sequence[Any], *, backwards: bool) -> np.ndarray:
    return np.array(sorted(range(len(values)), key=values.__getitem__, reverse=backwards), int)
