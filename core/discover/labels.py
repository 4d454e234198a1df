"""What a video answers, known when it is embedded: the categories and moods that it stands out to, and how far.

Whether a video answers a category depends on that video, the taxonomy and the encoder alone (relevance.py), so it is
worked out once and kept with the video's entries. The moment that counts for a theme is the one nearest to it, seen
half as itself and half as the whole (CLIP_SHARE), as a press of that theme alone would see it. What labels were worked
out with has a version: where it is another one now, they are worked out anew, from the vectors
(library/relabelling.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from core.discover import relevance
from core.discover.composition import LABEL_SHARE, unit
from core.discover.relevance import Background
from core.discover.taxonomy import Kind, Taxonomy, Theme
from core.models import Calibration, EncoderInfo, Entry

CLIP_SHARE = 0.5
"""A video is judged by its best-matching entry and by itself as a whole: this share is the entry's."""
ALGORITHM = 1
"""To be raised when labels come out otherwise for a reason that no number in `version` tells."""
KINDS: tuple[Kind, ...] = ("category", "mood")


@dataclass(frozen=True, slots=True)
class Labels:
    """What is kept of a video."""

    categories: tuple[str, ...]
    """Ids of those that it answers, in the order of the taxonomy."""
    moods: tuple[str, ...]
    standings: Mapping[str, float]
    """How far it stands out to each category and mood, by `standing_key`."""
    typical_s: tuple[float, float]
    """The span of the clip that is most like the whole: where it is shown when nothing was asked."""
    version: str

    def on(self, entry: Entry) -> Entry:
        """Return an entry of the video with these labels."""
        return replace(
            entry,
            categories=self.categories,
            moods=self.moods,
            standings=self.standings if entry.scope == "video" else None,
            typical_s=self.typical_s if entry.scope == "video" else None,
            labels_version=self.version,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A theme as it is judged: where it lies, and what videos are compared with."""

    kind: Kind
    id: str
    direction: np.ndarray
    background: Background


class Judge:
    """Say which categories and moods a video answers. Safe to use from several threads."""

    def __init__(self, columns: Sequence[Column], calibration: Calibration, version: str) -> None:
        self.version = version
        self._columns = tuple(columns)
        self._fits, self._strong = calibration.fits, calibration.strong
        self._targets = np.array([unit(column.direction) for column in columns], np.float32)

    def labels(self, entries: Sequence[Entry], said: Mapping[Kind, Mapping[str, bool]] | None = None) -> Labels:
        """Return the labels of one video of its entries: its own, with the scope "video", and those of its clips.

        What people said against the encoder, by kind and id, goes before what it says.
        """
        # In one order, for of moments that are equally near the first is taken.
        entries = sorted(entries, key=lambda entry: (entry.scope != "video", entry.start_s))
        video = next(entry for entry in entries if entry.scope == "video")
        moments = at_moments(np.array([entry.vector for entry in entries]), video.vector, self._targets)
        standings = {
            standing_key(column.kind, column.id): round(
                float(column.background.standing(column.direction, moment[None])[0]), 4
            )
            for column, moment in zip(self._columns, moments, strict=True)
        }
        for kind, themes in (said or {}).items():
            for id_, holds in themes.items():
                if (key := standing_key(kind, id_)) in standings:
                    standings[key] = max(standings[key], self._strong) if holds else min(standings[key], 0.0)
        answers = {kind: tuple(self._answered(kind, standings)) for kind in KINDS}
        typical = typical_moment(video, [entry for entry in entries if entry.scope == "clip"])
        return Labels(answers["category"], answers["mood"], standings, (typical.start_s, typical.end_s), self.version)

    def _answered(self, kind: Kind, standings: Mapping[str, float]) -> list[str]:
        ids = [column.id for column in self._columns if column.kind == kind]
        return [id_ for id_ in ids if standings[standing_key(kind, id_)] >= self._fits]


def typical_moment(video: Entry, clips: Sequence[Entry]) -> Entry:
    """Return the clip most like the whole video, or the video where it has none."""
    return max(clips, key=lambda clip: float(clip.vector @ video.vector), default=video)


def standing_key(kind: Kind, id_: str) -> str:
    """Return the name of a theme among standings: a category and a mood may have the same id; none has underscores."""
    return id_ if kind == "category" else f"{kind}_{id_}"


def at_moments(entries: np.ndarray, whole: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return a video as each of several questions sees it, (targets, d), through its entry that is nearest to each.

    Takes the vectors of all its entries, (n, d), of the whole, (d,), and what is asked, (targets, d).
    """
    nearest = np.argmax(np.einsum("nd,td->nt", entries, targets), axis=0)
    return seen_through(entries[nearest], whole)


def seen_through(moments: np.ndarray, wholes: np.ndarray) -> np.ndarray:
    """Return videos seen half as a moment and half as a whole; not of length one. Of any shapes that go together."""
    return CLIP_SHARE * moments + (1 - CLIP_SHARE) * wholes


def judge(
    taxonomy: Taxonomy,
    asked: Taxonomy,
    info: EncoderInfo,
    direction: Callable[[Theme], np.ndarray],
    background: Callable[[Kind], Background],
) -> Judge:
    """Return who judges videos of this encoder by the themes `asked`, those of a taxonomy that it can be asked for.

    Raises what asking the encoder for texts raises.
    """
    columns = [
        Column(kind, theme.id, direction(theme), background(kind)) for kind in KINDS for theme in asked.themes(kind)
    ]
    return Judge(columns, info.calibration, version(taxonomy, info))


def version(taxonomy: Taxonomy, info: EncoderInfo) -> str:
    """Return a text that is another one whenever labels may come out otherwise."""
    said = {
        "algorithm": ALGORITHM,
        "encoder": info.name,
        "calibration": asdict(info.calibration),
        "numbers": [
            CLIP_SHARE, LABEL_SHARE, relevance.LEAST, relevance.FULL, relevance.RIVAL, relevance.SCALE,
            relevance.IMPLYING,
        ],
        "neutral": relevance.NEUTRAL,
        "themes": [
            [kind, theme.id, theme.label, theme.prompts, theme.own, theme.implies]
            for kind in KINDS
            for theme in taxonomy.themes(kind)
        ],
    }  # fmt: skip
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
