"""From what a person asks for to the videos that answer it. Knows protocols, never a backend.

A query becomes weighted parts (`composition.py`). What labels and properties say of videos is asked of the index as a
condition (`labels.py`, `facets.py`), which then counts and orders by itself; what no label says, typed words, is judged
by what is usual for each video (`candidates.py`, `relevance.py`). The answers come in windows (`streams.py`), in which
taste and variety order and copies are folded (`variety.py`), and each becomes a hit at the moment that matches
(`hits.py`). What does not change from one query to the next is kept (`caches.py`), answers as well.

**Taste** (`state/taste.py`) ranks the fitting videos anew by Qdrant's recommend query; it removes none. **Variety**
(`variety.py`) folds copies and spreads the choice.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar, cast

import numpy as np

from core.discover.caches import SAMPLE, Caches
from core.discover.candidates import Candidates, Fit, conditions
from core.discover.composition import WORDS_OVER_CATEGORY, Part, compose, weighed
from core.discover.facets import facets, facets_of, filtered, passes
from core.discover.hits import Hits
from core.discover.labels import KINDS, Labels
from core.discover.relevance import Background
from core.discover.streams import Asked, Stream, Walk, Window, joined, without
from core.discover.taxonomy import Kind, Taxonomy, Theme
from core.encoders.base import Encoder, ImageEncoder
from core.errors import AppError, EncoderError, QueryError
from core.index.base import Index, Where
from core.models import Entry, Facets, Filters, Hit, Query, Results, Taste
from core.state.taste import Marks, TasteBook
from core.stores.base import Store

logger = logging.getLogger(__name__)

MAX_LIMIT = 100
MAX_TEXT = 500
POOL = 48
"""Videos looked at to tell what a library is strong in, and how many answer a category as long as no label says."""
NEWEST_MARKS = 50
LABELLED_FROM = 0.95
"""Share of the videos that have labels, from which labels answer: the few that wait for theirs (library/relabelling.py)
are found a little later. With less, each search looks at videos itself."""
STRIKING_SHARE = 1 / 3
"""What is seen in more of the library than this tells none of its videos from the others."""
STRIKING_FROM = 8
"""Videos from which there is something usual to compare with."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Labelled:
    """How many videos of a library have labels."""

    videos: int
    any: int
    """With labels of any version: those that are past go on to serve until there are others."""
    now: int
    """With those of today's taxonomy and encoder."""

    @property
    def answer(self) -> bool:
        """Tell whether labels say what fits."""
        return bool(self.any) and self.any >= LABELLED_FROM * self.videos

    @property
    def is_all(self) -> bool:
        return self.now >= self.videos


class Discover:
    """Answer queries over one library. Safe to call from several threads."""

    def __init__(
        self,
        *,
        encoder: Encoder,
        index: Index,
        store: Store,
        taxonomy: Taxonomy,
        taste: TasteBook | None = None,
        said: Callable[[str, Kind], Mapping[str, bool]] = lambda content_sha256, kind: {},
    ) -> None:
        """`said` returns by the ids of categories, or moods, whether people said that they hold of a content."""
        self.encoder = encoder
        self.index = index
        self.store = store
        self.taste = taste
        self._said = said
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
        """Return the videos that answer a query, best first, or none and what is close to it. Raises QueryError.

        The same question is worked out once for all who ask it, until the library changes.
        """
        check(query)
        marks = self._marks(query.profile)
        if not query.asks and not self._has_taste(marks):
            raise QueryError("There is nothing to search for. Give a query, a category or a mood.")
        return self._caches.answer(_question(query, marks), lambda: self._answer(query, marks))

    def browse(self, limit: int, offset: int = 0) -> Results:
        """Return videos nobody asked for, newest first; all count."""
        query = Query(limit=limit, offset=offset, sort="newest", fold=False, facets=False)
        return self._caches.answer(("browse", limit, offset), lambda: self._answer(query, Marks()))

    def _answer(self, query: Query, marks: Marks) -> Results:
        taste = self._taste_of(marks)
        parts = self.parts(query)
        if not parts and query.asks:
            raise QueryError("There is nothing to search for. Give a query, a category or a mood.")
        state = self.labelled()
        asked, hidden = self._asked(query, parts, taste, state), frozenset[str]()
        if query.hide_seen and marks.seen:
            hidden = marks.seen
        results = self._page(query, replace(asked, where=without(asked.where, hidden)), state)
        if hidden and not results.hits and not query.offset:
            whole = self._page(query, asked, state)
            results = replace(whole, all_seen=True) if whole.hits else results
        if not results.hits and not query.offset and parts and self._finds_nothing(query):
            results = replace(results, alternatives=self._alternatives(parts))
        return results

    def _finds_nothing(self, query: Query) -> bool:
        """Tell whether a question that has no answer has none without its filters either."""
        if not any(query.filters.values()):
            return True  # to ask without them would be the same question, which would wait for itself
        return not self.search(replace(query, filters={}, hide_seen=False, limit=1)).hits

    def _asked(self, query: Query, parts: tuple[Part, ...], taste: Taste | None, state: Labelled) -> Asked:
        """Return a question as the index is asked it: of what labels know, the rest is looked at closely."""
        wanted = conditions(parts)
        by_label = [kind for kind in wanted if kind in _FIELDS] if state.answer else []
        any_of = {_FIELDS[kind]: [str(part.theme) for part in parts if part.kind == kind] for kind in by_label}
        where = Where(any_of, {"video_id": [query.like]} if query.like else {})
        if query.among:
            where = Where({**any_of, "video_id": query.among})
        return Asked(
            parts,
            filtered(where, query.filters) if state.answer else where,
            checked=tuple(kind for kind in wanted if kind not in by_label),
            filters={} if state.answer else {name: values for name, values in query.filters.items() if values},
            is_labelled=bool(by_label),
            taste=taste,
            sort=query.sort,
            variety=query.variety,
        )

    def _page(self, query: Query, asked: Asked, state: Labelled) -> Results:
        stream = self._stream(asked)
        windows, copies, next_offset = self._windows(stream, query)
        counted = self._facets(asked, query, stream)
        total, is_exact = stream.total()
        is_exact = is_exact and (state.is_all or not asked.is_labelled)
        if not windows:
            return Results((), total, counted, exact=is_exact)
        fit = joined([window.fit for window in windows])
        tastes = [window.tastes for window in windows if window.tastes is not None]
        moments = self._hits.moments(asked.parts, fit.entries)
        if asked.parts and any(window.is_known_by_labels for window in windows):
            fit = self._candidates.through(asked.parts, fit, moments)
        if not asked.parts and asked.taste is None:
            return Results(
                tuple(self._hits.found(fit.entries)), total, counted, exact=is_exact, next_offset=next_offset
            )
        hits = self._hits.answering(fit, asked.parts, copies, np.concatenate(tastes) if tastes else None, moments)
        return Results(hits, total, counted, exact=is_exact, next_offset=next_offset)

    def _stream(self, asked: Asked) -> Stream:
        key = ("walk", asked.where, asked.sort, asked.checked, _key(asked.filters), *map(_part_key, asked.parts))
        walk = Walk() if asked.taste is not None else self._caches.answer(key, Walk)
        return Stream(asked, walk, self.index, self._candidates, self._count)

    def _count(self, where: Where) -> int:
        """Return how many videos fit, asked once for all questions that leave the same."""
        return self._caches.answer(("count", where), lambda: self.index.count(where).videos)

    def _windows(self, stream: Stream, query: Query) -> tuple[list[Window], list[tuple[str, ...]], int | None]:
        """Return a page of answers as pieces of windows, the copies folded into each answer, and where to go on.

        Where copies are folded, the places of those at the end of a window belong to nobody: what comes after the last
        card of a window is the first of the next.
        """
        number, place = stream.at(query.offset), query.offset
        pieces: list[Window] = []
        copies: list[tuple[str, ...]] = []
        while len(copies) < query.limit:
            window = stream.window(number)
            if window is None:
                return pieces, copies, None
            window, folded = self._folded(window) if query.fold else (window, [()] * len(window.fit.entries))
            begin = place - stream.start_of(number)
            end = min(len(folded), begin + query.limit - len(copies))
            if begin < end:
                pieces.append(_taken(window, range(begin, end)))
                copies += folded[begin:end]
            if end < len(folded):
                return pieces, copies, stream.start_of(number) + end
            number += 1
            place = stream.start_of(number)
        return pieces, copies, place if self._goes_on(stream, number) else None

    def _goes_on(self, stream: Stream, number: int) -> bool:
        """Tell whether anything comes in a window or after it."""
        if stream.is_counted:
            return stream.start_of(number) < stream.total()[0]
        while (window := stream.window(number)) is not None:
            if window.fit.entries:
                return True
            number += 1
        return False

    def _folded(self, window: Window) -> tuple[Window, list[tuple[str, ...]]]:
        groups = self._candidates.copies(window.fit)
        titles = [tuple(window.fit.entries[i].title for i in group[1:]) for group in groups]
        return _taken(window, [group[0] for group in groups]), titles

    def _facets(self, asked: Asked, query: Query, stream: Stream) -> Facets:
        """Return how many videos each value of a property would leave, each with the filters for the others."""
        if not query.facets or not (asked.parts or asked.taste):
            return {}
        if stream.is_counted:
            where = self._asked(replace(query, filters={}), asked.parts, asked.taste, self.labelled()).where
            hidden = frozenset(asked.where.none_of.get("video_id", ()))
            is_far = self.index.name == "server"
            return facets_of(self._values, without(where, hidden), query.filters, far=is_far)
        if query.filters:
            bare = self._asked(replace(query, filters={}, sort="match"), asked.parts, None, self.labelled())
            where = without(bare.where, frozenset(asked.where.none_of.get("video_id", ())))
            stream = self._stream(replace(bare, where=where, variety=0.0))
        entries: list[Entry] = []
        for number in range(stream.looked_at() or 1):
            window = stream.window(number)
            entries += window.fit.entries if window else ()
        return facets(entries, query.filters)

    def _values(self, field: str, where: Where) -> Mapping[str, int]:
        """Return how many videos have each value of a field, asked once for all questions that leave the same."""
        return self._caches.answer(("values", field, where), lambda: self.index.facets(field, where))

    def labelled(self) -> Labelled:
        """Return how many videos have labels, asked once for each state of the library."""

        def count() -> Labelled:
            versions = self.index.facets("labels_version")
            videos = self.index.count().videos
            return Labelled(videos, sum(versions.values()), versions.get(self._caches.labels_version(), 0))

        return self._caches.answer("labelled", count)

    def labels(self, entries: Sequence[Entry]) -> Labels:
        """Return what one video answers, of its own entry and those of its clips; what people said of it goes first.

        Raises AppError while the encoder cannot be asked for the texts of all categories and moods.
        """
        content = entries[0].content_sha256
        return self._caches.judge().labels(entries, {kind: self._said(content, kind) for kind in KINDS})

    def supposing(self, taxonomy: Taxonomy) -> Discover:
        """Return what would answer if these were the categories and moods. Nothing of this library changes."""
        return Discover(
            encoder=self.encoder,
            index=self.index,
            store=self.store,
            taxonomy=taxonomy,
            taste=self.taste,
            said=self._said,
        )

    def said(self, content_sha256: str, kind: Kind) -> Mapping[str, bool]:
        """Return by the ids of categories, or moods, whether people said that they hold of a content."""
        return self._said(content_sha256, kind)

    def label_again(self, video_id: str) -> None:
        """Write down what a video answers anew, as after somebody said something against the encoder. Raises as
        `labels` and the index do; nothing where the video is gone.

        Whoever writes looks afterwards whether that is still what it was worked out from, and if not writes once more:
        so what a person did last holds, whichever app or machine of the library writes last.
        """
        written_for: object = None
        while (whole := next(iter(self.index.retrieve([video_id])), None)) is not None:
            if (basis := self.basis(whole)) == written_for:
                return
            clips = self.index.retrieve([video_id], scope="clip")  # after the whole, which is written after them
            self.index.label([self.labels([whole, *clips]).on(whole)])
            written_for = basis

    def basis(self, whole: Entry) -> object:
        """Return what people can change of that which labels of a video are worked out from, to be compared."""
        said = [dict(self._said(whole.content_sha256, kind)) for kind in KINDS]
        return whole.title, whole.vector.tobytes(), said

    def look_again(self) -> None:
        """Keep no answer any longer: another machine has written labels, which changes no count."""
        self._caches.look_again()

    def labels_version(self) -> str:
        """Return the version of what labels are worked out with now."""
        return self._caches.labels_version()

    def with_labels(self, entries: Sequence[Entry]) -> list[Entry]:
        """Return the entries of one video with its labels; without, where they cannot be told yet: they follow."""
        try:
            labels = self.labels(entries)
        except AppError as error:
            logger.info("What %s answers is worked out later: %s", entries[0].filename, error)
            return list(entries)
        return [labels.on(entry) for entry in entries]

    def knows_taste(self, profile: str | None) -> bool:
        """Tell whether there is anything to go by for "For you": marks on videos that are still in the library."""
        return self._has_taste(self._marks(profile))

    def similar(self, video_id: str, limit: int = 3) -> list[Hit]:
        """Return the videos most like one in the library, best first; empty if it is not there.

        Worked out once for each state of the library: each card asks for it, each time it is drawn.
        """
        return list(self._caches.similar((video_id, limit), lambda: self._similar(video_id, limit)))

    def _similar(self, video_id: str, limit: int) -> Sequence[Hit]:
        entry = next(self.index.scroll(video_id=video_id, scope="video"), None)
        if entry is None:
            return []
        matches = self.index.search(entry.vector, limit=limit, per_video=1, scope="video", exclude=[video_id])
        return self._hits.found([match.scored[0].entry for match in matches])

    def show(self, video_id: str) -> Hit | None:
        """Return one video as a hit at its most typical moment, or None if it is not in the library."""
        hits = self._hits.found(self.index.retrieve([video_id]))
        return hits[0] if hits else None

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

    def counts(self, filters: Filters | None = None, profile: str | None = None) -> Mapping[str, int]:
        """Return how many videos answer each category alone, by id, of those that filters leave, and without what a
        profile has seen.

        A category of which nothing is known yet is left out: the encoder cannot be asked for it now, or no video was
        looked at for it. Raises what the encoder said where that are all.
        """
        filters = {name: values for name, values in (filters or {}).items() if values}
        hidden = self._marks(profile).seen if profile else frozenset()
        if not self.labelled().answer:
            return self._counted_closely(filters, hidden)

        def count() -> Mapping[str, int]:
            found = self._values("categories", without(filtered(Where(), filters), hidden))
            is_all = self.labelled().is_all
            themes = self.taxonomy.categories
            return {
                theme.id: found.get(theme.id, 0) for theme in themes if theme.id in found or is_all or not theme.own
            }

        return self._caches.answer(("counts", _key(filters), hidden), count, must_keep=True)

    def _counted_closely(self, filters: Filters, hidden: frozenset[str]) -> Mapping[str, int]:
        """Count as long as labels are not there, POOL at most; who asks while it is counted gets the numbers before."""
        where = without(Where(), hidden)

        def count() -> Mapping[str, int]:
            counted: dict[str, int] = {}
            unasked: AppError | None = None
            for theme in self.taxonomy.categories:
                try:
                    counted[theme.id] = self._answering(theme, filters, where)
                except AppError as error:
                    unasked = error
            if unasked is not None:
                raise _Partly(counted, unasked)
            return counted

        try:
            if filters or hidden:
                return self._caches.answer(("counts", _key(filters), hidden), count, must_keep=True)
            return self.kept("counts", count)
        except _Partly as partly:  # not kept: what is missing is asked for again
            if not partly.counted:
                raise partly.problem from None
            return partly.counted

    def _answering(self, theme: Theme, filters: Filters, where: Where) -> int:
        parts = self.parts(Query(categories=(theme.id,)))
        fit = self._candidates.nearest(parts, POOL, where=where)
        fit = self._candidates.answering(parts, fit, conditions(parts))
        return sum(passes(entry, filters) for entry in fit.entries)

    def moods_in(self, category: str) -> Mapping[str, int] | None:
        """Return by mood how many videos that answer a category have it too; None as long as no label says."""
        if not self.labelled().answer:
            return None
        return self._values("moods", Where({"categories": [category]}))

    def parts(self, query: Query) -> tuple[Part, ...]:
        """Return the parts of a query with their weights, which add up to one. Raises QueryError."""
        content: list[Part] = []
        for name in query.categories:
            theme = self.taxonomy.category(name)
            content.append(Part("category", theme.label, self.theme_vector(theme), 1.0, theme.id))
        if text := query.text.strip():
            content.append(Part("words", text, self._caches.direction(text), WORDS_OVER_CATEGORY))
        if query.like:
            entry = self._entry_at(query.like, query.like_at_s)
            content.append(Part("similar", entry.title, entry.vector, 1.0))
        if query.picture is not None:
            content.append(Part("picture", "your picture", self._encode_image(query.picture), 1.0))
        moods = [
            Part("mood", mood.label, self.theme_vector(mood), 1.0, mood.id)
            for mood in map(self.taxonomy.mood, query.moods)
        ]
        strength = query.strength if content and moods else float(bool(moods))
        return (*weighed(content, 1.0 - strength), *weighed(moods, strength))

    def theme_vector(self, theme: Theme) -> np.ndarray:
        """Return what a category or mood asks for."""
        return self._caches.theme_vector(theme)

    def standing(self, kind: str, direction: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """Return how far videos, (k, dimension), stand out to a category or mood, as its search would say: (k,)."""
        return self.background(kind).standing(direction, vectors)

    def standings(self, part: Part, vectors: np.ndarray) -> np.ndarray:
        """Return how far videos or moments, (k, dimension), stand out to a part of a query: (k,)."""
        return self._candidates.standing(part, vectors)

    def copy_distance(self) -> float:
        """Return the distance (1 − cosine) below which two videos are copies of one."""
        return self._caches.calibration.same * self._caches.origin().reach ** 2

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
        ids = [*marks.likes[:NEWEST_MARKS], *marks.dislikes[:NEWEST_MARKS]]
        if not ids:
            return None
        there = self._caches.answer(("marked", tuple(ids)), lambda: _by_id(self.index.retrieve(ids)))

        def vectors(marked: Sequence[str]) -> tuple[np.ndarray, ...]:
            return tuple(there[id_].vector for id_ in marked[:NEWEST_MARKS] if id_ in there)

        taste = Taste(vectors(marks.likes), vectors(marks.dislikes))
        return taste if taste.likes or taste.dislikes else None

    def _has_taste(self, marks: Marks) -> bool:
        return self._taste_of(marks) is not None

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
        """Return a video's entry, or that of the clip at a time; between two clips, of the nearer one.

        Raises QueryError when the video is gone, or shorter.
        """
        entries = list(self.index.scroll(video_id=video_id, scope="video" if at_s is None else "clip"))
        if not entries:
            raise QueryError("The video to compare with is no longer in the library.")
        if at_s is None:
            return entries[0]
        end_s = max(entry.end_s for entry in entries)
        if at_s > end_s:
            raise QueryError("The video to compare with ends after {end:.0f} s. Choose a time before.", end=end_s)
        return min(entries, key=lambda clip: _away_s(clip, at_s))

    def _encode_image(self, rgb: np.ndarray) -> np.ndarray:
        if not self.encoder.info.images:
            raise EncoderError(
                "The encoder {name} cannot read pictures. Search in words instead.", name=self.encoder.info.name
            )
        return cast(ImageEncoder, self.encoder).encode_image(rgb)


def _away_s(clip: Entry, at_s: float) -> float:
    """Return how far a clip is from a time: 0 where it plays then."""
    return 0.0 if clip.start_s <= at_s < clip.end_s else max(clip.start_s - at_s, at_s - clip.end_s, 1e-9)


def check(query: Query) -> Query:
    """Return the query if it can be answered. Raises QueryError saying what to change."""
    if not query.asks and not query.profile:
        raise QueryError("There is nothing to search for. Give a query, a category or a mood.")
    if len(query.text) > MAX_TEXT:
        raise QueryError(
            "The query is {count} characters long. Use at most {most}.", count=len(query.text), most=MAX_TEXT
        )
    if not 1 <= query.limit <= MAX_LIMIT:
        raise QueryError(
            "limit is {limit}. Use a whole number from 1 to {most}.",
            {"limit": [1, MAX_LIMIT]},
            limit=query.limit,
            most=MAX_LIMIT,
        )
    for name, value in (("strength", query.strength), ("variety", query.variety)):
        if not 0 <= value <= 1:
            raise QueryError("{name} is {value}. Use a number from 0 to 1.", {name: [0, 1]}, name=name, value=value)
    return query


_FIELDS: Mapping[str, str] = {"category": "categories", "mood": "moods"}
"""What labels say of videos, by the kind of part that asks for it."""


class _Partly(Exception):
    """What could be counted while an encoder cannot be asked for everything, and what it said."""

    def __init__(self, counted: Mapping[str, int], problem: AppError) -> None:
        super().__init__(problem.sentence)
        self.counted, self.problem = counted, problem


def _question(query: Query, marks: Marks) -> Hashable:
    """Return what tells one question from another. A profile is none of it, only what it marked: without a taste all
    ask the same."""
    picture = None if query.picture is None else hashlib.blake2b(query.picture.tobytes()).digest()
    return (
        query.text.strip(), query.categories, query.moods, query.strength, query.like, query.like_at_s, picture,
        marks.likes[:NEWEST_MARKS], marks.dislikes[:NEWEST_MARKS], marks.seen if query.hide_seen else None,
        query.among, query.variety, _key(query.filters), query.sort, query.limit, query.offset, query.fold,
        query.facets,
    )  # fmt: skip


def _key(filters: Filters) -> Hashable:
    return frozenset((name, frozenset(values)) for name, values in filters.items() if values)


def _part_key(part: Part) -> Hashable:
    return part.kind, part.theme, part.weight, part.vector.tobytes()


def _by_id(entries: Sequence[Entry]) -> Mapping[str, Entry]:
    return {entry.video_id: entry for entry in entries}


def _taken(window: Window, order: Sequence[int] | range) -> Window:
    places = np.asarray(order, int)
    tastes = None if window.tastes is None else window.tastes[places]
    return replace(window, fit=window.fit.take(places), tastes=tastes)
