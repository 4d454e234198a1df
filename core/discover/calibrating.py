"""Fit to a library what is far and near in it: `Calibration.spread`, and where fitting begins.

An encoder comes with numbers that were found with other videos, or with none: nobody knows beforehand how near a
service's texts come to its videos, nor how noisy that is over *these* videos. Both show in the library itself, with
nobody's labels. What a video is to the shipped categories spreads so and so much; the middle video says what is usual.
And of the standings of all videos to all categories, in which most are of what a video is not, no claim comes from the
lower half. What strays below the middle is noise, and noise strays above it as far: mirrored, it says what a standing
is worth nothing (an estimate of the null from the part that holds no signal; Efron 2004, "Large-scale simultaneous
hypothesis testing: the choice of a null hypothesis").

It makes less of an encoder than was thought, never more: what is near to a category and not of it is no noise, and the
numbers that an encoder begins with were found with that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from core.discover.labels import at_moments
from core.discover.relevance import FULL, Background
from core.discover.search import Discover
from core.errors import AppError
from core.models import Calibration

FEWEST = 20
"""Videos; of fewer, one more may change everything."""
MOST = 400
"""Videos that are looked at: with more the numbers move no more."""
TAIL = 0.05
"""Quantile of all standings that tells how far noise strays: some twenty of them at FEWEST videos lie below it."""
CLAIMS = 2.326 / 1.645
"""How much further than the quantile noise must stray to be claimed. Of normal noise 1 standing in 100 does; of what a
video is not, 1 in 700 over a stand-in for Marengo, for its lower tail is the longer one (what is plainly one thing is
pushed from the others). With 1 in 200, a fifth of what is only heard or said is lost besides."""
MOST_NOISE = 4.0
"""No threshold rises above so many times its default: beyond, the encoder is no use and the labels say so."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a calibration makes of the videos that were looked at."""

    calibration: Calibration
    claims: int
    """How many times a category is claimed of a video."""
    unclaimed: int
    """Videos of which none is."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was fitted, and what it changes."""

    videos: int
    before: Said
    after: Said


def check(videos: int) -> None:
    """Raise AppError where a library has too few videos to fit anything to."""
    if videos < FEWEST:
        raise AppError(
            f"The library has {videos} video{'' if videos == 1 else 's'}, too few to tell what is usual in it. Add "
            f"videos until there are {FEWEST}, then run this again."
        )


def fit(discover: Discover) -> Fitted:
    """Return the calibration that fits the library, beside what its encoder goes by now.

    It reads the vectors in the index and the shipped categories. Raises AppError where there is too little to go by,
    and what encoding those texts and reading the library raise.
    """
    check(discover.index.count().videos)
    background = discover.background("category")
    directions = _directions(discover, background)
    if not len(directions):
        raise AppError(f"{discover.encoder.info.name} knows no category, so there is nothing to calibrate by.")
    moments = _moments(discover, directions)
    now = discover.encoder.info.calibration
    fitted = _fitted(now, background, directions, moments)
    return Fitted(len(moments), *(_said(one, background, directions, moments) for one in (now, fitted)))


def _directions(discover: Discover, background: Background) -> np.ndarray:
    """Return what the shipped categories ask for, (n, dimension), without those of which the encoder knows nothing."""
    themes = [theme for theme in discover.taxonomy.categories if not theme.own]
    directions = [discover.theme_vector(theme) for theme in themes]
    least = FULL * background.origin.reach
    return np.array([direction for direction in directions if np.linalg.norm(direction) > least])


def _moments(discover: Discover, directions: np.ndarray) -> np.ndarray:
    """Return each video as a search for each category sees it (candidates.py), (videos, categories, dimension)."""
    seen = []
    for whole in islice(discover.index.scroll(scope="video"), MOST):
        entries = np.array([entry.vector for entry in discover.index.scroll(video_id=whole.video_id)])
        seen.append(at_moments(entries, whole.vector, directions))
    return np.array(seen)


def _fitted(now: Calibration, background: Background, directions: np.ndarray, moments: np.ndarray) -> Calibration:
    spread = float(np.median((moments @ background.directions.T).std(axis=-1))) / background.origin.reach**2
    if not spread > 0:
        raise AppError("Every video of the library is the same to every category, so there is nothing to calibrate by.")
    begun = Calibration()
    standings = _standings(replace(now, spread=spread), background, directions, moments)
    middle, low = np.median(standings), np.quantile(standings, TAIL)
    reached = float(middle + CLAIMS * (middle - low))
    times = float(np.clip(reached / begun.fits, 1.0, MOST_NOISE))
    return replace(
        now, spread=spread, fits=times * begun.fits, related=times * begun.related, strong=times * begun.strong
    )


def _standings(
    calibration: Calibration, background: Background, directions: np.ndarray, moments: np.ndarray
) -> np.ndarray:
    """Return how far each video stands out to each category, (videos, categories)."""
    calibrated = replace(background, calibration=calibration)
    columns = [calibrated.standing(direction, moments[:, row]) for row, direction in enumerate(directions)]
    return np.array(columns).T


def _said(calibration: Calibration, background: Background, directions: np.ndarray, moments: np.ndarray) -> Said:
    claimed = _standings(calibration, background, directions, moments) >= calibration.fits
    return Said(calibration, int(claimed.sum()), int((~claimed.any(axis=1)).sum()))
