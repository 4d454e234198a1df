"""The map of a library: every video a point near what it is like, and the clusters that they form.

A video is placed by its vector, reduced to what varies most in the library (PCA), and by how far it stands out to each
category and to each mood, a third each: vectors spend most of their numbers on other things than what people call
alike (bench/trends.py). Clusters are k-means of scikit-learn, their number the one with the best
silhouette (Rousseeuw 1987); two more components of a PCA are the plane.

scikit-learn is loaded when a map is worked out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.discover.labels import standing_key
from core.models import Entry
from core.trends.naming import Name, names_of

MOST = 4_000
"""Videos on a map; of more, as many drawn by their ids are shown."""
COMPONENTS = 12
CLUSTERS_MOST = 12
LEAST_EACH = 3
"""Videos that a cluster has on average at least."""
LEAST = 6
"""Videos from which there are clusters."""
FEWEST = 6
"""Clusters of a large library at least, and of a smaller one as many as the root of half its videos: the silhouette
likes two best, and two say nothing."""
MOOD = standing_key("mood", "")
_SILHOUETTE_OF = 1_000
_SEED = 7


@dataclass(frozen=True, slots=True)
class Point:
    """A video on the map."""

    video_id: str
    title: str
    poster_key: str | None
    x: float
    y: float
    cluster: int
    """Place of its cluster among the clusters."""
    category: str
    """Id of the category that it stands out to most of those that it answers; empty for none."""
    mood: str
    added_at: str
    """UTC, ISO 8601."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Videos that are alike."""

    name: Name
    x: float
    y: float
    """The middle of its points."""
    video_ids: tuple[str, ...]
    """The most typical first."""


@dataclass(frozen=True, slots=True)
class Map:
    points: tuple[Point, ...]
    clusters: tuple[Cluster, ...]
    """The largest first."""
    total: int
    """How many videos there are; more than points where a sample is shown."""


def sampled(entries: Sequence[Entry], most: int = MOST) -> list[Entry]:
    """Return at most so many videos: the same ones as long as they are there, whatever is added."""
    if len(entries) <= most:
        return list(entries)
    return sorted(entries, key=lambda entry: hashlib.blake2b(entry.video_id.encode()).digest())[:most]


def map_of(entries: Sequence[Entry], total: int) -> Map:
    """Return the map of videos, whole entries with vectors and labels."""
    from threadpoolctl import threadpool_limits

    if not entries:
        return Map((), (), total)
    with threadpool_limits(1):  # in the background, beside people who search
        features = features_of(entries)
        groups, plane = grouped(features), plane_of(features)
    order = sorted(set(groups.tolist()), key=lambda group: (-int((groups == group).sum()), group))
    groups = np.array([order.index(group) for group in groups.tolist()])
    names = names_of(entries, groups.tolist())
    points = [
        Point(
            entry.video_id,
            entry.title,
            entry.poster_key,
            float(x),
            float(y),
            int(group),
            strongest(entry, entry.categories, ""),
            strongest(entry, entry.moods, MOOD),
            entry.ingested_at,
        )
        for entry, group, (x, y) in zip(entries, groups, plane, strict=True)
    ]
    clusters = []
    for number, name in enumerate(names):
        members = np.flatnonzero(groups == number)
        middle = features[members].mean(axis=0)
        typical = members[np.argsort(np.linalg.norm(features[members] - middle, axis=1), kind="stable")]
        x, y = plane[members].mean(axis=0)
        clusters.append(Cluster(name, float(x), float(y), tuple(entries[i].video_id for i in typical)))
    return Map(tuple(points), tuple(clusters), total)


def features_of(entries: Sequence[Entry]) -> np.ndarray:
    """Return what videos are compared by, (n, d): their vectors' main components, and what they stand out to of the
    categories and of the moods, a third each. What they are not says little: most are not most things."""
    reduced = _components(np.array([entry.vector for entry in entries], float), COMPONENTS)
    keys = sorted({key for entry in entries for key in entry.standings or ()})
    rows = [[max((entry.standings or {}).get(key, 0.0), 0.0) for key in keys] for entry in entries]
    standings = np.array(rows, float).reshape(len(entries), len(keys))
    is_mood = np.array([key.startswith(MOOD) for key in keys], bool)
    return np.hstack([_unit(part) for part in (reduced, standings[:, ~is_mood], standings[:, is_mood])])


def _unit(rows: np.ndarray) -> np.ndarray:
    """Return rows at length one; one of zeros stays."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-9)


def grouped(features: np.ndarray) -> np.ndarray:
    """Return the cluster of each video, (n,); all of one where they are too few or the same."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    count = len(features)
    distinct = len(np.unique(features.round(9), axis=0))
    most = min(CLUSTERS_MOST, count // LEAST_EACH, distinct)
    best, labels = -1.0, np.zeros(count, int)
    if count < LEAST:
        return labels
    fewest = min(max(round((count / 2) ** 0.5), 2), FEWEST, most)
    for number in range(max(fewest, 2), most + 1):
        found = KMeans(number, n_init=8, random_state=_SEED).fit_predict(features)
        some = _SILHOUETTE_OF if count > _SILHOUETTE_OF else None
        score = float(silhouette_score(features, found, sample_size=some, random_state=_SEED))
        if score > best:
            best, labels = score, found
    return labels


def plane_of(features: np.ndarray) -> np.ndarray:
    """Return where videos are on the map, (n, 2)."""
    found = _components(features, 2)
    return np.pad(found, ((0, 0), (0, 2 - found.shape[1])))


def _components(rows: np.ndarray, most: int) -> np.ndarray:
    """Return the main components of rows, (n, at most `most`); of rows that are all the same there is none."""
    from sklearn.decomposition import PCA

    count = min(most, len(rows) - 1, rows.shape[1])
    if count < 1 or not rows.std(axis=0).any():
        return np.zeros((len(rows), 0))
    return PCA(count, random_state=_SEED).fit_transform(rows)


def strongest(entry: Entry, labels: Sequence[str] | None, prefix: str) -> str:
    """Return the label that a video stands out to most; empty where it has none."""
    standings = entry.standings or {}
    return max(labels or (), key=lambda label: standings.get(prefix + label, 0.0), default="")
