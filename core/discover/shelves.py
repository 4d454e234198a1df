"""What a library is really strong in: pairs of a category and a mood that many of its videos answer well.

Bounded: the most frequent categories are looked at; labels say which moods their videos have, and where there are none
yet the candidates of one search. Only the best pairs are searched for. Where a library has few such pairs, its
strongest categories fill the places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.discover.search import POOL, Discover
from core.models import Hit, Query

CATEGORIES = 8
"""How many of the most frequent categories are looked at."""
SHELVES = 4
LEAST = 4
"""Videos that answer both parts well, from which a pair is a shelf."""
TRIED = 40
"""Pairs that are looked at closely at most."""
LENGTH = 12
"""Videos on a shelf at most."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """A category and perhaps a mood, by their ids, and the videos that answer well, best first."""

    category: str
    mood: str | None
    hits: tuple[Hit, ...]


def shelves(discover: Discover, *, profile: str | None = None) -> tuple[Shelf, ...]:
    """Return what the library is strong in, at most SHELVES, each in the order of one person's taste.

    Raises what a search raises.
    """
    return tuple(shelf(discover, category, mood, profile=profile) for category, mood in strengths(discover))


def strengths(discover: Discover) -> tuple[tuple[str, str | None], ...]:
    """Return the categories, each perhaps with a mood, that the shelves are of: kept until the library changes."""
    return discover.kept("shelves", lambda: _chosen(discover))


def yours(discover: Discover, profile: str | None) -> Sequence[Hit]:
    """Return the shelf of one person's taste; nothing where there is none to go by. Raises what a search raises."""
    if not profile or not discover.knows_taste(profile):
        return ()
    return discover.search(Query(profile=profile, limit=LENGTH)).hits


def shelf(discover: Discover, category: str, mood: str | None, *, profile: str | None = None) -> Shelf:
    """Return one shelf; what is on it is asked anew each time, for addresses may be good for hours only."""
    return Shelf(category, mood, _hits(discover, category, mood, profile))


def _chosen(discover: Discover) -> tuple[tuple[str, str | None], ...]:
    """Return pairs with at least LEAST good answers, those with most of them first, then categories; none twice."""
    counts = discover.counts()
    frequent = sorted((id_ for id_, count in counts.items() if count >= LEAST), key=lambda id_: -counts[id_])
    frequent = frequent[:CATEGORIES]
    chosen: list[tuple[str, str | None]] = []
    for category, mood in [*_pairs(discover, frequent)[:TRIED], *((category, None) for category in frequent)]:
        if len(chosen) == SHELVES:
            break
        taken = any(category == other or (mood and mood == another) for other, another in chosen)
        if not taken and len(_hits(discover, category, mood, None)) >= LEAST:
            chosen.append((category, mood))
    return tuple(chosen)


def _hits(discover: Discover, category: str, mood: str | None, profile: str | None) -> tuple[Hit, ...]:
    query = Query(categories=(category,), moods=(mood,) if mood else (), limit=POOL, profile=profile)
    return tuple(hit for hit in discover.search(query).hits if _answers_well(hit, discover))[:LENGTH]


def _pairs(discover: Discover, categories: Sequence[str]) -> list[tuple[str, str]]:
    """Return the pairs that at least LEAST videos may answer, those with most first."""
    found = [
        (number, category, mood)
        for category in categories
        for mood, number in _moods_in(discover, category).items()
        if number >= LEAST
    ]
    return [(category, mood) for _, category, mood in sorted(found, key=lambda one: -one[0])]


def _moods_in(discover: Discover, category: str) -> Mapping[str, int]:
    """Return by mood how many of the videos that answer a category it stands out in."""
    known = discover.moods_in(category)
    if known is not None:
        return known
    fits = discover.encoder.info.calibration.fits
    fit = discover.candidates(discover.parts(Query(categories=(category,))), POOL)
    vectors = fit.vectors[np.flatnonzero(fit.scores >= fits)]
    if len(vectors) < LEAST:
        return {}
    return {
        mood.id: int((discover.standing("mood", discover.theme_vector(mood), vectors) >= fits).sum())
        for mood in discover.taxonomy.moods
    }


def _answers_well(hit: Hit, discover: Discover) -> bool:
    """Tell whether a video is a good match on the whole, and everything that was asked stands out in it."""
    fits = discover.encoder.info.calibration.fits
    asked = [reason.standing for reason in hit.reasons if reason.kind in ("category", "mood")]
    return hit.confidence in ("high", "medium") and min(asked) >= fits
