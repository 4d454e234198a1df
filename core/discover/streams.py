"""All videos that answer a question, a window at a time, in an order that stays while the library does.

A window is WINDOW videos that follow each other in the index; taste, variety and the folding of copies work inside one.
So a page can begin anywhere, and going on from page to page each video comes once, however many there are.

Where labels say what fits (labels.py) the index filters, counts and orders: one category or mood by the standings that
are kept, anything else first by nearness to the whole question, HEAD videos of them, then by the category. Where they
cannot say, for typed words, each window of the nearest is looked at closely and what fits is left, until a whole
window has nothing that fits.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.discover.candidates import Candidates, Fit
from core.discover.composition import Part
from core.discover.facets import passes
from core.discover.labels import standing_key
from core.discover.taxonomy import Kind
from core.discover.variety import diversify, scaled
from core.index.base import NEWEST, Index, Order, Place, Where, place
from core.models import Filters, Sort, Taste

WINDOW = 96
"""Videos of a window: what one page shows at most, and enough to choose a varied one from."""
HEAD = 2
"""Windows in the order of the whole question before the order of its category alone."""
MOST = 16
"""Windows of the nearest that are looked at for words: what is further away is like everything."""
MOST_LIKE = 4
"""Windows of what is most like a video or a picture: where nothing else is asked, likeness has no end of its own."""
TASTE_SHARE = 0.6
"""Weight of taste beside closeness, both scaled to 0..1 over the videos of a window."""
_SORTS: dict[Sort, Order] = {
    "newest": NEWEST,
    "oldest": Order("ingested_at", descending=False),
    "shortest": Order("duration_s", descending=False),
    "longest": Order("duration_s"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A question as the index is asked it."""

    parts: tuple[Part, ...]
    where: Where
    """What labels, properties and who has seen what leave."""
    checked: tuple[str, ...] = ()
    """Kinds of parts that must be present in a video and that no label says."""
    filters: Filters = field(default_factory=dict)
    """What the index cannot leave out, for it does not know all videos by it yet."""
    is_labelled: bool = False
    """Labels say of every video whether it answers a category or mood that must be present."""
    taste: Taste | None = None
    sort: Sort = "match"
    variety: float = 0.0

    @property
    def looks(self) -> bool:
        """Tell whether videos must be looked at to know what fits."""
        return bool(self.checked or self.filters)

    @property
    def theme(self) -> Part | None:
        """The one category or mood that is asked for and nothing else."""
        return self.parts[0] if len(self.parts) == 1 and self.parts[0].theme is not None else None


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Some of the videos that answer, in the order in which they are shown."""

    fit: Fit
    tastes: np.ndarray | None
    """(k,) Qdrant's best score of each for a taste, where there is one beside the question."""
    is_known_by_labels: bool
    """No moment was looked for yet: standings are those of the labels."""


@dataclass(slots=True, eq=False)
class Walk:
    """How far somebody has come in the answers to a question, so that the next page need not begin anew."""

    fitting: list[int] = field(default_factory=list)
    """Of each window from the first, how many of its videos fit."""
    places: dict[int, Place] = field(default_factory=dict)
    """Of windows of the catalogue, where the one before ended."""
    head: frozenset[str] | None = None
    """The videos of the first windows, that come in another order than the rest."""
    arranged: tuple[str, ...] | None = None
    """Where what is near is shown in another order: the ids of all, in that order."""
    ended: bool = False
    """The last window of `fitting` was the last."""
    exhausted: bool = False
    """Nothing is left in the library that was not looked at."""
    lock: threading.RLock = field(default_factory=threading.RLock)


class Stream:
    """The windows of one question. `walk` is kept from page to page; several threads may share it. `count` returns how
    many videos fit a condition."""

    def __init__(
        self, asked: Asked, walk: Walk, index: Index, candidates: Candidates, count: Callable[[Where], int]
    ) -> None:
        self._asked = asked
        self._walk = walk
        self._index = index
        self._candidates = candidates
        self._videos = count

    @property
    def is_counted(self) -> bool:
        """Tell whether the index knows how many videos answer: all that it leaves do."""
        return not self._asked.looks and not self._is_bounded

    @property
    def _is_bounded(self) -> bool:
        """Tell whether only the nearest are looked at: nothing but likeness tells what is an answer."""
        asked = self._asked
        likeness = any(part.kind in ("similar", "picture") for part in asked.parts)
        return likeness and not asked.checked and not asked.is_labelled

    @property
    def _most(self) -> int:
        return MOST_LIKE if self._is_bounded else MOST

    def total(self) -> tuple[int, bool]:
        """Return how many videos answer as far as it is known, and whether that is all of them."""
        if self.is_counted:
            return self._videos(self._asked.where), True
        walk = self._walk
        with walk.lock:
            if self._is_bounded and not self._asked.looks:
                return min(self._videos(self._asked.where), MOST_LIKE * WINDOW), True
            return sum(walk.fitting), walk.exhausted

    def looked_at(self) -> int:
        """Return how many windows of the nearest were looked at to know what fits."""
        with self._walk.lock:
            return len(self._walk.fitting)

    def start_of(self, number: int) -> int:
        """Return how many videos answer before a window, all of which have been looked at or are full."""
        if not self._asked.looks:
            return number * WINDOW
        return sum(self._walk.fitting[:number])

    def at(self, offset: int) -> int:
        """Return the number of the window in which the answer of this number is, or of that after the last one."""
        if not self._asked.looks:
            return offset // WINDOW
        with self._walk.lock:
            number = 0
            while self.start_of(number) + self._count(number) <= offset:
                if self._walk.ended and number + 1 >= len(self._walk.fitting):
                    return len(self._walk.fitting)
                number += 1
            return number

    def window(self, number: int) -> Window | None:
        """Return a window, perhaps with nothing in it; None behind the last one."""
        asked, walk = self._asked, self._walk
        with walk.lock:
            if walk.ended and number >= len(walk.fitting):
                return None
            if self._is_catalogue(number):
                window = self._of_catalogue(number)
            elif asked.sort != "match":
                return self._sorted(number)
            else:
                window = self._nearest(number)
            return window if asked.looks or window.fit.entries else None

    def _count(self, number: int) -> int:
        while len(self._walk.fitting) <= number and not self._walk.ended:
            self.window(len(self._walk.fitting))
        return self._walk.fitting[number] if number < len(self._walk.fitting) else 0

    def _is_catalogue(self, number: int) -> bool:
        """Tell whether a window comes in an order that the index keeps, not by nearness."""
        asked = self._asked
        if asked.looks or self._is_bounded:
            return False
        return asked.sort != "match" or self._is_near_nothing or asked.theme is not None or number >= HEAD

    @property
    def _is_near_nothing(self) -> bool:
        """Tell whether nothing was asked that anything could be near to."""
        return not self._asked.parts and self._asked.taste is None

    def _order(self) -> Order:
        asked = self._asked
        if asked.sort != "match":
            return _SORTS[asked.sort]
        themes = [part for part in asked.parts if part.theme is not None]
        if not themes:
            return NEWEST
        leading = max(themes, key=lambda part: part.weight)
        kind: Kind = "mood" if leading.kind == "mood" else "category"
        return Order(f"standings.{standing_key(kind, leading.theme or '')}")

    def _of_catalogue(self, number: int) -> Window:
        asked, walk, order = self._asked, self._walk, self._order()
        where, first = asked.where, 0
        if asked.sort == "match" and asked.theme is None and not self._is_near_nothing:
            first = HEAD
            if walk.head is None:
                walk.head = frozenset(entry.video_id for near in self._near(range(HEAD)) for entry in near.entries)
            where = without(where, walk.head)
        behind = max((known for known in walk.places if known <= number), default=first)
        after = walk.places.get(behind)
        if behind < number:
            skipped = self._index.scroll(
                scope="video",
                where=where,
                order=order,
                after=after,
                limit=(number - behind) * WINDOW,
                with_vectors=False,
                with_texts=False,
            )
            last = next(iter(deque(skipped, maxlen=1)), None)
            if last is None:
                return Window(self._candidates.known(asked.parts, ()), None, True)
            after = place(last, order)
        wholes = list(
            self._index.scroll(
                scope="video", where=where, order=order, after=after, limit=WINDOW, with_vectors=True, with_texts=False
            )
        )
        if wholes:
            walk.places[number + 1] = place(wholes[-1], order)
        fit = self._candidates.known(asked.parts, wholes)
        if asked.sort != "match":
            return Window(fit, self._tastes(fit), True)
        if asked.theme is None and asked.parts:
            fit = fit.take(np.argsort(-fit.scores, kind="stable"))
        return self._ranked(fit, by_labels=True)

    def _nearest(self, number: int) -> Window:
        return self._ranked(self._fitting(range(number, number + 1))[0], by_labels=False)

    def _fitting(self, numbers: range) -> list[Fit]:
        """Return what fits of some windows of the nearest, and note how many of each do."""
        asked, found = self._asked, []
        for number, near in zip(numbers, self._near(numbers), strict=True):
            fit = self._candidates.answering(asked.parts, near, asked.checked)
            fit = fit.take([i for i, entry in enumerate(fit.entries) if passes(entry, asked.filters)])
            self._note(number, len(near.entries), len(fit.entries))
            found.append(fit)
        return found

    def _near(self, numbers: range) -> list[Fit]:
        asked = self._asked
        if not asked.parts:
            assert asked.taste is not None
            return self._candidates.liked(asked.taste, numbers, WINDOW, asked.where)
        return self._candidates.windows(asked.parts, numbers, WINDOW, where=asked.where)

    def _note(self, number: int, looked: int, fitting: int) -> None:
        """Write down what a window of the nearest had, and whether it is the last that is looked at."""
        walk, asked = self._walk, self._asked
        if number != len(walk.fitting) or walk.ended or not (asked.looks or self._is_bounded):
            return
        walk.fitting.append(fitting)
        walk.exhausted = looked < WINDOW
        walk.ended = looked < WINDOW or (not fitting and bool(asked.checked)) or number + 1 >= self._most

    def _sorted(self, number: int) -> Window | None:
        """Return a window of all that was found by nearness, in another order."""
        walk = self._walk
        if walk.arranged is None:
            walk.arranged = self._arranged()
        if number >= len(walk.fitting):
            return None
        start = sum(walk.fitting[:number])
        wholes = self._index.retrieve(walk.arranged[start : start + walk.fitting[number]])
        fit = self._candidates.known(self._asked.parts, wholes)
        return Window(fit, self._tastes(fit), True)

    def _arranged(self) -> tuple[str, ...]:
        """Return the ids of all videos that fit, as far as is looked, in the order asked for."""
        walk, order = self._walk, _SORTS[self._asked.sort]
        found: list[Fit] = []
        while len(found) < self._most and not (walk.ended and len(found) >= len(walk.fitting)):
            found += self._fitting(range(len(found), max(1, 2 * len(found))))
        entries = [entry for fit in found[: len(walk.fitting)] for entry in fit.entries]
        values: list[Any] = [order.value(entry) for entry in entries]
        places = sorted(range(len(values)), key=values.__getitem__, reverse=order.descending)
        return tuple(entries[place].video_id for place in places)

    def _ranked(self, fit: Fit, *, by_labels: bool) -> Window:
        asked = self._asked
        tastes = self._tastes(fit)
        if tastes is None and asked.variety <= 0:
            return Window(fit, tastes, by_labels)
        scores = fit.scores if tastes is None else scaled(fit.scores) + TASTE_SHARE * scaled(tastes)
        wholes = np.array([entry.vector for entry in fit.entries])
        order = np.array(diversify(scores, wholes, asked.variety) if len(scores) else [], int)
        return Window(fit.take(order), None if tastes is None else tastes[order], by_labels)

    def _tastes(self, fit: Fit) -> np.ndarray | None:
        asked = self._asked
        if asked.taste is None or not asked.parts or not fit.entries:
            return None
        return self._candidates.tastes(asked.taste, fit)


def without(where: Where, video_ids: frozenset[str]) -> Where:
    """Return a condition that leaves these videos out too."""
    if not video_ids:
        return where
    before = frozenset(where.none_of.get("video_id", ()))
    return Where(where.any_of, {**where.none_of, "video_id": before | video_ids})


def joined(fits: list[Fit]) -> Fit:
    """Return the candidates of several windows, at least one, one after the other."""
    return Fit(
        tuple(entry for fit in fits for entry in fit.entries),
        np.concatenate([fit.vectors for fit in fits]),
        np.concatenate([fit.scores for fit in fits]),
        np.concatenate([fit.cosines for fit in fits], axis=1),
        np.concatenate([fit.standings for fit in fits], axis=1),
    )
