"""What was added when, what is missing, what is there twice, and what is like nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, get_args

import numpy as np

from core.discover.taxonomy import Kind
from core.models import Entry

Period = Literal["week", "month"]
PERIODS: tuple[Period, ...] = get_args(Period)
MISSING_MOST, ALONE_MOST, COPIES_MOST = 8, 8, 50
EXPECTED = 1.0
"""So many videos of a mood and a category there would be by chance for their absence to be worth saying."""
NEIGHBOURS = 3
FAR = 2.0
"""Standard deviations from which a video is far from all others."""
SAME_LENGTH = 0.1
"""The durations of copies differ by at most this share."""


@dataclass(frozen=True, slots=True)
class Added:
    """How many videos of a category or mood came in a week or month."""

    since: date
    """Its first day."""
    theme: str
    """Id; empty for those that have none."""
    count: int


@dataclass(frozen=True, slots=True)
class Missing:
    """A mood and a category that are both there, never together."""

    mood: str
    category: str


def added(entries: Sequence[Entry], kind: Kind, period: Period) -> list[Added]:
    """Return what was added, a period after the other; a video counts for each of its categories or moods."""
    counted: Counter[tuple[date, str]] = Counter()
    for entry in entries:
        labels = (entry.categories if kind == "category" else entry.moods) or ("",)
        since = begins(datetime.fromisoformat(entry.ingested_at).date(), period)
        counted.update((since, label) for label in labels)
    return [Added(since, theme, count) for (since, theme), count in sorted(counted.items())]


def begins(day: date, period: Period) -> date:
    """Return the first day of the week (Monday) or month of a day."""
    return day.replace(day=1) if period == "month" else day - timedelta(days=day.weekday())


def missing(entries: Sequence[Entry]) -> list[Missing]:
    """Return which moods of which categories there are not though one would expect some, the most missed first."""
    moods = Counter(mood for entry in entries for mood in entry.moods or ())
    categories = Counter(category for entry in entries for category in entry.categories or ())
    together = {
        (mood, category) for entry in entries for mood in entry.moods or () for category in entry.categories or ()
    }
    expected = [
        (moods[mood] * categories[category] / len(entries), mood, category)
        for mood in moods
        for category in categories
        if (mood, category) not in together
    ]
    expected.sort(key=lambda one: (-one[0], one[1], one[2]))
    return [Missing(mood, category) for often, mood, category in expected if often >= EXPECTED][:MISSING_MOST]


def neighbours(entries: Sequence[Entry], same: float) -> tuple[list[tuple[str, ...]], list[str]]:
    """Return groups of copies, and the videos that are far from all others, the farthest first; by their ids.

    `same` is the distance (1 − cosine) below which two are copies. Compared are the nearest of each.
    """
    from sklearn.neighbors import NearestNeighbors
    from threadpoolctl import threadpool_limits

    if len(entries) < 2:
        return [], []
    vectors = np.array([entry.vector for entry in entries], float)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    near = NearestNeighbors(n_neighbors=min(NEIGHBOURS + 1, len(entries)), metric="cosine", algorithm="brute")
    with threadpool_limits(1):  # in the background, beside people who search
        distances, places = near.fit(vectors).kneighbors(vectors)
    copies = _joined(
        (one, int(other))
        for one, (row, others) in enumerate(zip(distances, places, strict=True))
        for distance, other in zip(row, others, strict=True)
        if other != one and distance <= same and _as_long(entries[one], entries[int(other)])
    )
    usual = distances[:, 1:].mean(axis=1)
    far = usual > usual.mean() + FAR * usual.std()
    alone = [entries[i].video_id for i in np.argsort(-usual, kind="stable") if far[i]]
    groups = [tuple(entries[i].video_id for i in group) for group in copies]
    return groups[:COPIES_MOST], alone[:ALONE_MOST]


def _as_long(one: Entry, other: Entry) -> bool:
    longest = max(one.duration_s, other.duration_s)
    return abs(one.duration_s - other.duration_s) <= SAME_LENGTH * longest


def _joined(pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Return the groups that pairs join, each and all in order."""
    group: dict[int, set[int]] = {}
    for one, other in pairs:
        joined = group.get(one, {one}) | group.get(other, {other})
        for member in joined:
            group[member] = joined
    return [list(members) for members in sorted({tuple(sorted(members)) for members in group.values()})]
