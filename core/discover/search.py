"""From what a person asks for to the videos that answer it. Knows protocols, never a backend.

**Composition.** A category is an ensemble of prompts, led by its name, a mood another; their vectors are averaged,
normalised and kept. A query is the weighted sum of its parts (`strength` moves weight from what is asked for to the
mood), so one nearest-neighbour search finds the candidates for all of them together, and cosine being linear, what
each part contributed adds up.

**Moments.** A video is judged by its best-matching entry and by itself as a whole, half each (CLIP_SHARE): a moment
alone lets a chance shot win, the whole alone misses the scene that was asked for. The best clip says where to start.

**Relevance.** Each part's cosine is compared with what the video is to a fixed background of prompts
(`relevance.py`), and candidates are ranked by how far they stand out. Category, words: a video must stand out to one
of each to be an answer. A mood beside them only orders; alone it must stand out. What is left is labelled, and
when nothing is left, that is the answer.

**Taste** (`state/taste.py`) ranks the fitting videos anew by Qdrant's recommend query; it removes none. **Variety**
(`variety.py`) folds copies and spreads the choice.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from core.discover import relevance
from core.discover.relevance import Background
from core.discover.taxonomy import Taxonomy, Theme
from core.discover.variety import diversify, fold, scaled
from core.encoders.base import Encoder
from core.errors import EncoderError, QueryError
from core.index.base import Index
from core.languages import with_primary
from core.models import (
    LENGTHS,
    SHAPES,
    SOUNDS,
    Entry,
    Facets,
    Filters,
    Hit,
    Moment,
    Query,
    Reason,
    Results,
    Scored,
    Taste,
)
from core.state.taste import Marks, TasteBook
from core.stores.base import Store

MAX_LIMIT = 100
MAX_TEXT = 500
POOL = 48
"""Videos looked at closely for one page of results; more when more are asked for. It is also as far as is counted."""
CLIP_SHARE = 0.5
MOMENTS = 4
LABEL_SHARE = 0.8
"""Weight of a theme's own name in its ensemble; the other phrases only colour it (bench/quality.py compares)."""
WORDS_OVER_CATEGORY = 1.2
"""Typed words are the more deliberate of the two."""
TASTE_SHARE = 0.6
"""Weight of taste beside closeness, both scaled to 0..1 over the fitting videos."""
REQUIRED_FROM = 0.25
"""A part must be present in a video when at least this share of the query is its."""
NEWEST_MARKS = 50
SAMPLE = 256
"""Videos of the library that tell what likeness between videos is usual."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One part of a query: a unit vector (zero where the encoder knows nothing of it) and its weight."""

    kind: str
    label: str
    vector: np.ndarray
    weight: float


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
    """(parts, k)"""
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


class Discover:
    """Answer queries over one library. Safe to call from several threads."""

    def __init__(
        self, *, encoder: Encoder, index: Index, store: Store, taxonomy: Taxonomy, taste: TasteBook | None = None
    ) -> None:
        self.encoder = encoder
        self.index = index
        self.store = store
        self.taxonomy = taxonomy
        self.taste = taste
        self._lock = threading.RLock()
        self._themes: dict[tuple[str, ...], np.ndarray] = {}
        self._backgrounds: dict[str, Background] = {}
        self._counted: tuple[object, dict[str, int]] | None = None
        self._sampled: tuple[object, np.ndarray] | None = None

    def search(self, query: Query) -> Results:
        """Return the videos that answer a query, best first, or none and what is close to it. Raises QueryError."""
        check(query)
        marks = self._marks(query.profile)
        taste = self._taste_of(marks)
        parts = self.parts(query)
        if not parts:
            if taste is None:
                raise QueryError("There is nothing to search for. Give a query, a category or a mood.")
            fit = self._liked(taste, _pool(query))
        else:
            fit = self._fitting(parts, _pool(query), exclude=[query.like] if query.like else ())
        if not fit.entries:
            return Results((), 0, _facets(()), self._alternatives(parts))
        fit, copies = _folded(fit)
        facets = _facets(fit.entries)
        keep = [i for i, entry in enumerate(fit.entries) if _passes(entry, query.filters)]
        unseen = [i for i in keep if not (query.hide_seen and fit.entries[i].video_id in marks.seen)]
        all_seen = bool(keep) and not unseen
        keep = unseen or keep
        if not keep:
            return Results((), 0, facets)
        fit, copies = fit.take(keep), [copies[i] for i in keep]
        tastes = self._tastes(taste, fit) if taste and parts else None
        order = _order(fit, tastes, query)[query.offset : query.offset + query.limit]
        shown = fit.take(order)
        hits = self._hits(shown, parts, [copies[i] for i in order], None if tastes is None else tastes[order])
        return Results(hits, len(keep), facets, (), all_seen)

    def knows_taste(self, profile: str) -> bool:
        """Tell whether there is anything to go by for "For you": marks on videos that are still in the library."""
        return self._taste_of(self._marks(profile)) is not None

    def similar(self, video_id: str, limit: int = 3) -> list[Hit]:
        """Return the videos most like one in the library, best first; empty if it is not there."""
        entry = next(self.index.scroll(video_id=video_id, scope="video"), None)
        if entry is None:
            return []
        matches = self.index.search(entry.vector, limit=limit, per_video=1, scope="video", exclude=[video_id])
        return [self._found(match.scored[0].entry) for match in matches]

    def show(self, video_id: str) -> Hit | None:
        """Return one video as a hit at its most typical moment, or None if it is not in the library."""
        entry = next(self.index.scroll(video_id=video_id, scope="video"), None)
        return None if entry is None else self._found(entry)

    def browse(self, limit: int) -> list[Hit]:
        """Return some videos of the library, in its own order, for when nothing was asked for."""
        return [self._found(entry) for entry in islice(self.index.scroll(scope="video"), limit)]

    def counts(self) -> dict[str, int]:
        """Return how many videos answer each category alone (POOL at most), by id; kept until the library changes."""
        with self._lock:
            key = (self.index.count(), self.taxonomy)
            if self._counted is None or self._counted[0] != key:
                counts = {}
                for theme in self.taxonomy.categories:
                    fit = self._fitting(self.parts(Query(categories=(theme.id,))), POOL)
                    counts[theme.id] = len(_folded(fit)[0].entries) if fit.entries else 0
                self._counted = key, counts
            return self._counted[1]

    def parts(self, query: Query) -> tuple[Part, ...]:
        """Return the parts of a query with their weights, which add up to one. Raises QueryError."""
        content: list[tuple[str, str, np.ndarray, float]] = []
        for name in query.categories:
            theme = self.taxonomy.category(name)
            content.append(("category", theme.label, self.theme_vector(theme), 1.0))
        if text := query.text.strip():
            content.append(("words", text, self.encoder.encode_text([text])[0], WORDS_OVER_CATEGORY))
        if query.like:
            entry = self._entry_at(query.like, query.like_at_s)
            content.append(("similar", entry.title, entry.vector, 1.0))
        if query.picture is not None:
            content.append(("picture", "your picture", self._encode_image(query.picture), 1.0))
        moods = [("mood", theme.label, self.theme_vector(theme), 1.0) for theme in map(self.taxonomy.mood, query.moods)]
        strength = query.strength if content and moods else float(bool(moods))
        return (*_weighed(content, 1.0 - strength), *_weighed(moods, strength))

    def theme_vector(self, theme: Theme) -> np.ndarray:
        """Return the unit vector of a category or mood, computed once: its label and its prompts, the label leading."""
        with self._lock:
            key = _phrases(theme)
            if key not in self._themes:
                self._themes[key] = ensemble(self.encoder.encode_text(key))
            return self._themes[key]

    # Candidates

    def candidates(self, parts: Sequence[Part], pool: int, exclude: Collection[str] = ()) -> Fit:
        """Return the nearest videos to a query with all that is known of them, best first, fitting or not."""
        target = compose(parts)
        if not target.any():
            return self._columns(parts, (), self._no_vectors())
        best = self.index.search(target, limit=pool, per_video=1, exclude=exclude)
        moments = {match.video_id: match.scored[0].entry.vector for match in best}
        wholes = self.index.search(target, limit=len(best), per_video=1, scope="video", among=list(moments))
        entries = [match.scored[0].entry for match in wholes]
        mixed = [CLIP_SHARE * moments[entry.video_id] + (1 - CLIP_SHARE) * entry.vector for entry in entries]
        fit = self._columns(parts, entries, np.array(mixed) if mixed else self._no_vectors())
        return fit.take(np.argsort(-fit.scores, kind="stable"))

    def _columns(self, parts: Sequence[Part], entries: Sequence[Entry], vectors: np.ndarray) -> Fit:
        shape = (len(parts), len(entries))
        cosines = np.array([vectors @ part.vector for part in parts]).reshape(shape)
        standings = np.array(
            [self._standing(part, row, vectors) for part, row in zip(parts, cosines, strict=True)]
        ).reshape(shape)
        return Fit(tuple(entries), vectors, _weights(parts) @ standings, cosines, standings)

    def _no_vectors(self) -> np.ndarray:
        return np.zeros((0, self.encoder.info.dimension), np.float32)

    def _standing(self, part: Part, cosines: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        if not len(cosines):
            return cosines
        if part.kind in ("similar", "picture"):
            # Pictures and videos are nearer to videos than texts are: compare with what is usual among videos.
            usual = self._sample() @ part.vector
            return (cosines - usual.mean()) / max(float(usual.std()), relevance.SPREAD_LEAST)
        return relevance.SCALE.get(part.kind, 1.0) * self._background(part.kind).standing(cosines, vectors)

    def _fitting(self, parts: Sequence[Part], pool: int, exclude: Collection[str] = ()) -> Fit:
        """Return those candidates in which what was asked for is present."""
        fit = self.candidates(parts, pool, exclude)
        return fit.take(np.flatnonzero(_present(parts, fit)))

    def _liked(self, taste: Taste, pool: int) -> Fit:
        """Return the videos nearest to a taste, for when nothing else was asked."""
        matches = self.index.search(taste, limit=pool, per_video=1, scope="video")
        entries = [match.scored[0].entry for match in matches]
        vectors = np.array([entry.vector for entry in entries]) if entries else self._no_vectors()
        return replace(self._columns((), entries, vectors), scores=np.array([match.score for match in matches]))

    def _tastes(self, taste: Taste, fit: Fit) -> np.ndarray:
        """Return Qdrant's best score of each candidate for a taste, (k,)."""
        ids = [entry.video_id for entry in fit.entries]
        matches = self.index.search(taste, limit=len(ids), per_video=1, scope="video", among=ids)
        scores = {match.video_id: match.score for match in matches}
        return np.array([scores.get(video_id, 0.0) for video_id in ids])

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

    # Hits

    def _hits(
        self, fit: Fit, parts: Sequence[Part], copies: Sequence[tuple[str, ...]], tastes: np.ndarray | None
    ) -> tuple[Hit, ...]:
        target, moments = compose(parts), {}
        if fit.entries and target.any():
            ids = [entry.video_id for entry in fit.entries]
            found = self.index.search(target, limit=len(ids), per_video=MOMENTS, scope="clip", among=ids)
            moments = {match.video_id: match.scored for match in found}
        length = float(np.linalg.norm(sum(part.weight * part.vector for part in parts))) if parts else 1.0
        hits = []
        for column, entry in enumerate(fit.entries):
            reasons = [
                Reason(
                    part.kind,
                    part.label,
                    float(fit.cosines[row, column]),
                    part.weight * float(fit.cosines[row, column]) / (length or 1.0),
                    float(fit.standings[row, column]),
                )
                for row, part in enumerate(parts)
            ]
            if tastes is not None:
                reasons.append(Reason("taste", "your taste", float(tastes[column]), 0.0, 0.0))
            clips = moments.get(entry.video_id)
            hit = self._hit(entry, clips) if clips else self._found(entry)
            standing = float(fit.scores[column])
            hits.append(
                replace(
                    hit,
                    score=relevance.score(standing) if parts else standing,
                    confidence=_label(parts, fit, column) if parts else None,
                    reasons=tuple(reasons),
                    copies=copies[column],
                )
            )
        return tuple(hits)

    def _found(self, video: Entry) -> Hit:
        """Return a video nobody asked for at its most typical moment: the clip most like the whole."""
        clips = self.index.scroll(video_id=video.video_id, scope="clip")
        scored = [Scored(clip, float(clip.vector @ video.vector)) for clip in clips] or [Scored(video, 1.0)]
        best = max(scored, key=lambda one: one.score)
        return replace(self._hit(video, (best,)), seen=video.seen, moments=())

    def _hit(self, video: Entry, clips: Sequence[Scored]) -> Hit:
        best = clips[0].entry
        return Hit(
            video_id=video.video_id,
            title=video.title,
            filename=video.filename,
            url=self.store.url(video.media_key),
            poster_url=self.store.url(video.poster_key) if video.poster_key else None,
            start_s=best.start_s,
            end_s=best.end_s,
            duration_s=video.duration_s,
            width_px=video.width_px,
            height_px=video.height_px,
            has_audio=video.has_audio,
            ingested_at=video.ingested_at,
            score=clips[0].score,
            confidence=None,
            moments=tuple(Moment(clip.entry.start_s, clip.entry.end_s, clip.score) for clip in clips),
            seen=best.seen,
        )

    # What is kept

    def _background(self, kind: str) -> Background:
        """Return the prompts a part of this kind is compared with: those of its own kind, or all."""
        with self._lock:
            if kind not in self._backgrounds:
                shipped = {
                    "category": [theme for theme in self.taxonomy.categories if not theme.own],
                    "mood": [theme for theme in self.taxonomy.moods if not theme.own],
                }
                themes = shipped.get(kind, [theme for themes in shipped.values() for theme in themes])
                vectors = [self.theme_vector(theme) for theme in themes]
                if kind not in shipped:
                    vectors += [*self.encoder.encode_text(relevance.NEUTRAL)]
                self._backgrounds[kind] = Background(np.array([vector for vector in vectors if vector.any()]))
            return self._backgrounds[kind]

    def _sample(self) -> np.ndarray:
        with self._lock:
            key = self.index.count()
            if self._sampled is None or self._sampled[0] != key:
                entries = islice(self.index.scroll(scope="video"), SAMPLE)
                self._sampled = key, np.array([entry.vector for entry in entries])
            return self._sampled[1]

    def _entry_at(self, video_id: str, at_s: float | None) -> Entry:
        """Return a video's entry, or that of the clip at a time. Raises QueryError when it is not there."""
        scope = "video" if at_s is None else "clip"
        for entry in self.index.scroll(video_id=video_id, scope=scope):
            if at_s is None or entry.start_s <= at_s < entry.end_s:
                return entry
        raise QueryError("The video to compare with is no longer in the library.")

    def _encode_image(self, rgb: np.ndarray) -> np.ndarray:
        if not self.encoder.info.images:
            raise EncoderError(f"The encoder {self.encoder.info.name} cannot read pictures. Search in words instead.")
        return self.encoder.encode_image(rgb)


def fixed_texts(taxonomy: Taxonomy) -> list[str]:
    """Return every text that is encoded whatever people type: an encoder that costs money is asked for them once."""
    themes = [text for theme in (*taxonomy.categories, *taxonomy.moods) for text in _phrases(theme)]
    return list(dict.fromkeys([*themes, *relevance.NEUTRAL]))


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


def _phrases(theme: Theme) -> tuple[str, ...]:
    return (theme.label, *theme.prompts)


def ensemble(vectors: np.ndarray) -> np.ndarray:
    """Return one unit vector for a theme's phrases, (n, d) to (d,): the first leads, the mean of the others colours."""
    if len(vectors) == 1:
        return unit(vectors[0])
    return unit(LABEL_SHARE * vectors[0] + (1 - LABEL_SHARE) * unit(np.mean(vectors[1:], axis=0)))


def compose(parts: Iterable[Part]) -> np.ndarray:
    """Return the unit vector of a whole query: the sum of its parts by their weights."""
    return unit(sum((part.weight * part.vector for part in parts), start=np.zeros(1, np.float32)))


def unit(vector: np.ndarray) -> np.ndarray:
    """Return the vector at length one, float32; a zero vector stays zero."""
    length = float(np.linalg.norm(vector))
    return (vector / length if length else vector).astype(np.float32)


def _weights(parts: Sequence[Part]) -> np.ndarray:
    return np.array([part.weight for part in parts])


def _weighed(parts: Sequence[tuple[str, str, np.ndarray, float]], share: float) -> list[Part]:
    """Return parts whose weights add up to a share, leaving out those that would have none."""
    total = sum(part[3] for part in parts)
    return [Part(*part[:3], share * part[3] / total) for part in parts] if share > 0 else []


def _present(parts: Sequence[Part], fit: Fit) -> np.ndarray:
    """Return which candidates answer a query, bool (k,): every kind of thing asked for stands out in one way or other.

    Several categories are alternatives, so one of them is enough; so are several moods. A mood beside something else
    is a tint, not a condition, and likeness has no condition at all: there is always something most like it.
    """
    fits = np.ones(len(fit.entries), bool)
    weights = Counter()
    for part in parts:
        weights[part.kind] += part.weight
    for kind in weights:
        rows = [row for row, part in enumerate(parts) if part.kind == kind]
        tint = kind == "mood" and len(weights) > 1 and weights[kind] <= 1 - REQUIRED_FROM
        if kind in ("similar", "picture") or tint or weights[kind] < REQUIRED_FROM:
            continue
        fits &= (fit.standings[rows] >= relevance.NOISE).any(axis=0)
    return fits


def _label(parts: Sequence[Part], fit: Fit, column: int) -> str:
    """Return the label of a hit: strong only where no part that was asked for is a stretch."""
    label = relevance.confidence(float(fit.scores[column]))
    asked = [row for row, part in enumerate(parts) if part.kind in ("category", "words")]
    if label == "high" and asked and float(fit.standings[asked, column].max()) < relevance.STRONG:
        return "medium"
    return label


def _pool(query: Query) -> int:
    return max(POOL, 2 * (query.offset + query.limit))


def _folded(fit: Fit) -> tuple[Fit, list[tuple[str, ...]]]:
    """Return the candidates with near-duplicates folded, and of each the titles of those folded into it."""
    wholes = np.array([entry.vector for entry in fit.entries])
    groups = fold(wholes, np.array([entry.duration_s for entry in fit.entries]))
    copies = [tuple(fit.entries[i].title for i in group[1:]) for group in groups]
    return fit.take([group[0] for group in groups]), copies


def _order(fit: Fit, tastes: np.ndarray | None, query: Query) -> np.ndarray:
    """Return the order in which the candidates are shown, as indices."""
    if query.sort != "match":
        values = {
            "newest": [entry.ingested_at for entry in fit.entries],
            "oldest": [entry.ingested_at for entry in fit.entries],
            "shortest": [entry.duration_s for entry in fit.entries],
            "longest": [entry.duration_s for entry in fit.entries],
        }[query.sort]
        backwards = query.sort in ("newest", "longest")
        return np.array(sorted(range(len(values)), key=values.__getitem__, reverse=backwards), int)
    scores = fit.scores
    if tastes is not None:
        scores = scaled(scores) + TASTE_SHARE * scaled(tastes)
    wholes = np.array([entry.vector for entry in fit.entries])
    return np.array(diversify(scores, wholes, query.variety), int)


def _shape(entry: Entry) -> str:
    ratio = entry.width_px / max(entry.height_px, 1)
    return "landscape" if ratio > 1.1 else "portrait" if ratio < 0.9 else "square"


def _length(entry: Entry) -> str:
    return next(name for name, (least, most) in LENGTHS.items() if least <= entry.duration_s < most)


def _sound(entry: Entry) -> str:
    return SOUNDS[0] if entry.has_audio else SOUNDS[1]


def _passes(entry: Entry, filters: Filters) -> bool:
    return (
        (not filters.lengths or _length(entry) in filters.lengths)
        and (not filters.shapes or _shape(entry) in filters.shapes)
        and (not filters.sounds or _sound(entry) in filters.sounds)
        and (not filters.languages or not with_primary(entry.subtitle_languages).isdisjoint(filters.languages))
    )


def _facets(entries: Sequence[Entry]) -> Facets:
    def counted(names: Iterable[str], property_of) -> dict[str, int]:
        counts = Counter(map(property_of, entries))
        return {name: counts[name] for name in names}

    return Facets(counted(LENGTHS, _length), counted(SHAPES, _shape), counted(SOUNDS, _sound), _languages(entries))


def _languages(entries: Sequence[Entry]) -> dict[str, int]:
    """Return the subtitle languages that occur and how many videos the filter for each would leave."""
    occurring = {code for entry in entries for code in entry.subtitle_languages}
    counts = Counter(code for entry in entries for code in with_primary(entry.subtitle_languages))
    return {code: counts[code] for code in sorted(occurring, key=lambda code: (-counts[code], code))}
