"""The nouns of ads: what is to be placed, what its brand avoids, and where it would go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from core.ads.rhythm import Kind
from core.errors import Sentence
from core.models import Entry

Why = Literal["cut", "black", "end", "silent", "quiet", "near", "mood", "category"]
"""What speaks for a place: how the shots meet, how quiet it is, what the ad and what was seen have in common."""


@dataclass(frozen=True, slots=True, eq=False)
class Ad:
    """What is to be placed: a video, or a sentence about one that there is not yet."""

    id: str
    title: str
    vector: np.ndarray
    """In the space that answers: of the video, or the direction of the sentence."""
    is_words: bool
    categories: tuple[str, ...]
    """Ids of those that it answers itself."""
    moods: tuple[str, ...]
    standings: Mapping[str, float]
    """How far it stands out to each category and mood (core/discover/labels.py)."""
    media_key: str | None = None
    poster_key: str | None = None
    duration_s: float = 0.0
    width_px: int = 0
    height_px: int = 0


@dataclass(frozen=True, slots=True)
class Avoid:
    """What a brand does not want to be seen beside."""

    categories: tuple[str, ...] = ()
    """Ids."""
    moods: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """How often, and how soon, a video may be interrupted."""

    first_s: float = 5.0
    """Nothing before that."""
    apart_s: float = 30.0
    most: int = 3
    """Places in one video."""
    videos: int = 6
    """Videos with places."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked: places for one ad."""

    ad: str = ""
    """Id of an ad that is kept, or of a video of the library."""
    text: str = ""
    """Or a sentence about it."""
    video: str = ""
    """Id of the only video to look at; any of the library unless said."""
    avoid: Avoid = field(default_factory=Avoid)
    rules: Rules = field(default_factory=Rules)


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for a place."""

    why: Why
    value: float = 0.0
    """Decibels for "quiet", seconds for "end"; for "near" 0 to 1."""
    label: str = ""
    """Id of the mood or category in common."""


@dataclass(frozen=True, slots=True)
class Break:
    """A place for the ad."""

    at_s: float
    kind: Kind
    score: float
    """0 to 1: how well the ad goes with what was just seen, and how little it interrupts there."""
    match: float
    """0 to 1: how well the ad goes with what was just seen, in meaning and mood."""
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A video with places for the ad, best first."""

    entry: Entry
    """Its own entry, without tags and subtitles."""
    breaks: tuple[Break, ...]

    @property
    def score(self) -> float:
        return self.breaks[0].score


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """Where an ad belongs."""

    ad: Ad
    placed: tuple[Placed, ...]
    """Best first."""
    avoided: int
    """How many videos that would have suited are left out for what the brand avoids."""
    unreadable: tuple[Sentence, ...] = ()
    """Why videos that would have suited could not be looked at, a sentence each."""


def sentence(reason: Reason, labels: Mapping[str, str]) -> str:
    """Return a reason in plain English; `labels` names categories and moods by their ids."""
    name = labels.get(reason.label, reason.label)
    return {
        "cut": "One shot ends here and another begins.",
        "black": "The picture is black here, between two shots.",
        "end": "The video is over here.",
        "silent": "Nothing is heard here.",
        "quiet": f"The sound is {reason.value:.0f} dB quieter than usual, and nobody speaks.",
        "near": "What was just seen is close to the ad.",
        "mood": f"What was just seen feels like the ad: {name}.",
        "category": f"Both are about {name}.",
    }[reason.why]
