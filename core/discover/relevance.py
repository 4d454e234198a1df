"""What closeness means: how far a video stands out to a prompt from what it is to others of its kind.

Raw cosines differ by model, by prompt and by video: with one encoder 0.3 is a lot, with another it is noise, and some
videos are near everything. Two steps make numbers of them that mean the same for every encoder.

**Directions.** A model's texts lie in a narrow cone, far from its pictures ("Mind the gap", Liang et al. 2022), so most
of a text's vector is what all texts have. What a text asks for is how it differs from texts that ask for nothing
(NEUTRAL), and the unit of that is how far the names of the shipped categories differ from them, the encoder's *reach*
(`Origin`). A text that hardly differs, a word that the model does not know, asks for little and finds nothing.

**Standings.** What a video is to a direction is compared with what the same video is to a fixed background: a category
with all shipped categories, a mood with all moods, anything else with both.

    usual = Calibration.spread · reach²
    standing = (video · direction − mean of video · background) / sqrt(usual · max(its spread, LEAST · usual))

This is the z-norm of speaker verification (Auckenthaler et al. 2000, "Score normalization for text-independent
speaker verification systems"), damped: dividing by the spread of a video about which little is known makes much of
nothing (bench/quality.py counts what is shown wrongly). It needs no other video, so labels do not move when the
library grows; the library's own distribution would make the best of ten cat videos a "stretch" for "cats".

**Kin.** Some categories imply another: an anime is animation. How far a video stands out to such a one is a second look
at whether it is of the category that is implied; the strongest counts beside the category's own (IMPLYING).

Add the same to all cosines of an encoder, or shrink them all, and every standing stays what it is: differences of texts
lose what is added, and what shrinks their products with videos shrinks the square of the reach as much.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.models import Calibration, Confidence

NEUTRAL = (
    "a video",
    "a short clip",
    "something happens",
    "people and things",
    "a recording of a place",
    "an ordinary day",
    "footage",
    "untitled",
)
LEAST = 0.6
"""With less, a video of which nothing is known claims what it looks like; with more, one whose name says one thing
ranks behind one whose name says many (bench/quality.py: wrong claims, nDCG of categories)."""
TINT = 0.45
"""Weight of a mood's standing beside what else is asked for: it is stretched, as SCALE says, for when a mood is alone.
With more, what feels right goes before what is right (bench/quality.py, category + mood)."""
FULL = 0.5
"""A text this far from the neutral ones, in reaches, says all it says; what is nearer counts for less."""
RIVAL = {"category": 0.3, "mood": 0.5}
"""This share of a standing is what a video has before its strongest category, or mood, rather than before the mean of
all: what is plainly one thing is seldom another as well, of moods still less than of categories. At the same recall
more is right, with names, with percepts and with a model alike."""
IMPLYING = 0.6
"""Weight of the strongest of the categories that imply one, beside its own standing. At the same share of right claims
of a model with names that say nothing, a tenth more of what is right is claimed; with 1 as with 0.3 it is less."""
SCALE = {"category": 1.6, "mood": 2.7, "words": 0.85}
"""Evens out what RIVAL takes away, that moods lie nearer to each other than categories do, and that a video that has
the very words typed stands out further than one of a category."""


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """Where an encoder's texts begin to ask for something, and the unit of how much they do."""

    neutral: np.ndarray
    """(dimension,) A text that asks for nothing: the median of NEUTRAL, number by number."""
    reach: float

    @classmethod
    def of(cls, neutral: np.ndarray, usual: np.ndarray) -> Origin:
        """Return the origin of an encoder from its vectors of neutral texts and of usual ones, (n, dimension) each.

        A median and not a mean: one of the neutral texts may mean something to one of the encoders. A row of zeros is a
        text of which nothing is known: it stands for what all texts have.
        """
        every = np.concatenate([neutral, usual])
        every = every[every.any(axis=1)]
        common = np.median(every, axis=0) if len(every) else np.zeros(neutral.shape[1])
        middle = np.median(np.where(neutral.any(axis=1, keepdims=True), neutral, common), axis=0)
        lengths = np.linalg.norm(usual - middle, axis=1)
        telling = lengths[lengths > 1e-6]
        return cls(middle, float(np.median(telling)) if telling.size else 1.0)

    def directions(self, texts: np.ndarray) -> np.ndarray:
        """Return what texts ask for, (n, dimension) to (n, dimension): at most of the length of the reach.

        Zero where the encoder knows nothing of a text.
        """
        return np.array([self._whole(text - self.neutral) if text.any() else text for text in texts], np.float32)

    def ensemble(self, directions: np.ndarray, lead: float) -> np.ndarray:
        """Return one direction for several, (n, dimension) to (dimension,): the first leads, the others colour it."""
        if len(directions) == 1:
            return directions[0]
        others = self._whole(np.mean(directions[1:], axis=0))
        return self._whole(lead * directions[0] + (1 - lead) * others).astype(np.float32)

    def _whole(self, direction: np.ndarray) -> np.ndarray:
        return direction * (self.reach / max(float(np.linalg.norm(direction)), FULL * self.reach))


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """The directions that every video is compared with."""

    directions: np.ndarray
    """(n, dimension)"""
    origin: Origin
    calibration: Calibration
    scale: float = 1.0
    rival: float = 0.0
    """See SCALE and RIVAL."""
    kin: tuple[tuple[np.ndarray, tuple[np.ndarray, ...]], ...] = ()
    """What is implied, and by what: a direction, (dimension,), and those that each imply it."""

    @classmethod
    def of(
        cls,
        kind: str,
        directions: Sequence[np.ndarray],
        origin: Origin,
        calibration: Calibration,
        implied: Sequence[int | None] = (),
    ) -> Background:
        """Return the background for a kind of part, of some directions; those the encoder knows nothing of left out.

        `implied` says of each direction which other one, by its place, it implies; None where it implies none.
        """
        known = [direction for direction in directions if np.linalg.norm(direction) > FULL * origin.reach]
        known = known or [np.zeros_like(origin.neutral)]
        implying: dict[int, list[np.ndarray]] = defaultdict(list)
        for direction, place in zip(directions, implied, strict=False):
            if place is not None:
                implying[place].append(direction)
        kin = tuple((directions[place], tuple(found)) for place, found in implying.items())
        return cls(np.array(known), origin, calibration, SCALE.get(kind, 1.0), RIVAL.get(kind, 0.0), kin)

    def standing(self, direction: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """Return how far videos, (k, dimension), stand out to a direction, (dimension,): (k,).

        What implies it counts as well, where the direction is that of a category of the background.
        """
        own = self._alone(direction, vectors)
        for implied, implying in self.kin:
            if np.array_equal(implied, direction):
                strongest = np.max([self._alone(one, vectors) for one in implying], axis=0)
                return own + IMPLYING * np.maximum(strongest, 0.0)
        return own

    def _alone(self, direction: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        usual = self.calibration.spread * self.origin.reach**2
        # einsum, not @: for so little, BLAS's threads cost more than they save (bench/search.py).
        others = np.einsum("kd,nd->kn", vectors, self.directions)
        # What asks for little is compared with little: else what all videos are to everything would be its standing.
        share = float(np.linalg.norm(direction)) / self.origin.reach
        usually = (1.0 - self.rival) * others.mean(axis=1) + self.rival * others.max(axis=1)
        above = np.einsum("kd,d->k", vectors, direction) - share * usually
        return self.scale * above / np.sqrt(usual * np.maximum(others.std(axis=1), LEAST * usual))


def saturated(standings: np.ndarray, calibration: Calibration) -> np.ndarray:
    """Return standings that beyond a strong match grow ever less: what is plainly right is hardly more so.

    Else a video with nothing but an animal in it would go before a calm one with an animal, for who wants both.
    """
    return np.where(
        standings > calibration.strong,
        calibration.strong + np.log1p(np.maximum(standings - calibration.strong, 0.0)),
        standings,
    )


def likeness(cosines: np.ndarray, usual: np.ndarray, origin: Origin, calibration: Calibration) -> np.ndarray:
    """Return the standings of videos, (k,), to a picture or another video.

    Pictures and videos are nearer to videos than texts are, so their cosines are compared with what is usual among the
    videos of the library, (n,).
    """
    return (cosines - usual.mean()) / max(float(usual.std()), calibration.least_spread * origin.reach**2)


def confidence(standing: float, calibration: Calibration) -> Confidence:
    """Return the label of a standing that is not noise."""
    if standing >= calibration.strong:
        return "high"
    return "medium" if standing >= calibration.related else "low"


def score(standing: float, calibration: Calibration) -> float:
    """Return a standing as a number from 0 to 1 for programs; 0.5 is where "related" begins."""
    return 1.0 / (1.0 + math.exp(-(standing - calibration.related)))
