"""What is fitted to a library: fewer wrong claims, right ones kept, and the same whatever range the cosines lie in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from core.discover import calibrating, taxonomy
from core.discover.composition import phrases
from core.discover.search import Discover
from core.encoders.modalities import SideBySide
from core.errors import AppError
from core.models import Calibration, EncoderInfo, Query
from tests.discover.test_relevance import Shifted, library
from tests.fakes import FakeEncoder, MemoryIndex, MemoryStore, make_entries
from tests.servers.marengo import DIMENSION, Content, Ranges

THEMES = taxonomy.load()
MODEL = Ranges({text: theme.id for theme in (*THEMES.categories, *THEMES.moods) for text in phrases(theme)})
FORM = SideBySide(DIMENSION, ("visual", "audio", "transcription"))
DEFAULT = Calibration()


class Marengo:
    """Texts as the stand-in for Marengo reads them, side by side."""

    def __init__(self, calibration: Calibration = FORM.calibration) -> None:
        self.info = EncoderInfo("marengo", FORM.dimension, (), (), calibration=calibration)

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([FORM.text(MODEL.text(text).astype(np.float32)) for text in texts], np.float32)


class Scaled:
    """An encoder to whose texts all videos are less near, as where its model keeps the two apart more."""

    def __init__(self, encoder: Marengo, share: float) -> None:
        self.info = replace(encoder.info, dimension=encoder.info.dimension + 1)
        self._encoder = encoder
        self._share = share

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        rows = self._encoder.encode_text(texts)
        return np.column_stack([rows, np.zeros(len(rows))]).astype(np.float32)

    def video(self, vector: np.ndarray) -> np.ndarray:
        return np.append(self._share * vector, np.sqrt(1 - self._share**2)).astype(np.float32)


def films(count: int) -> dict[str, list[np.ndarray]]:
    """Return vectors of videos of one category each by what is seen, named after it, with other sound and speech."""
    dice = np.random.default_rng(8)
    made = {}
    for number in range(count):
        seen, heard, said = (THEMES.categories[pick] for pick in dice.choice(len(THEMES.categories), 3, replace=False))
        content = Content(seen.prompts[0], heard.prompts[0], said.prompts[0], dice.random((4, 4, 3)))
        moments = [
            FORM.video({option: MODEL.span(option, content, f"{number} {moment}") for option in FORM.names})
            for moment in range(3)
        ]
        made[f"{seen.id} {heard.id} {said.id} {number}"] = moments
    return made


FILMS = films(120)


@pytest.fixture(scope="module")
def plain() -> Discover:
    """FILMS in the space of their encoder, for tests that leave it as it is."""
    return library(Marengo(), FILMS)


@pytest.fixture(scope="module")
def plainly_claimed(plain: Discover) -> set[tuple[str, str]]:
    return claims(plain)


@pytest.fixture(scope="module")
def fitted(plain: Discover) -> calibrating.Fitted:
    return calibrating.fit(plain)


@pytest.fixture(scope="module")
def claimed_when_fitted(plain: Discover, fitted: calibrating.Fitted) -> set[tuple[str, str]]:
    return claims(calibrated(library(Marengo(), FILMS), fitted.after.calibration))


def calibrated(discover: Discover, calibration: Calibration) -> Discover:
    """Return the same library and encoder with another calibration, as the next start of the app has it."""
    encoder = discover.encoder
    encoder.info = replace(encoder.info, calibration=calibration)
    return Discover(encoder=encoder, index=discover.index, store=MemoryStore(), taxonomy=discover.taxonomy)


def claims(discover: Discover) -> set[tuple[str, str]]:
    """Return every video with every category that a search claims of it."""
    return {
        (hit.title, theme.id)
        for theme in THEMES.categories
        for hit in discover.search(Query(categories=(theme.id,), limit=100)).hits
    }


def wrong(claimed: set[tuple[str, str]]) -> int:
    return sum(category not in title.split() for title, category in claimed)


def seen(claimed: set[tuple[str, str]]) -> int:
    return sum(category == title.split()[0] for title, category in claimed)


def test_over_marengo_s_ranges_wrong_claims_fall_and_right_ones_stay(fitted, plainly_claimed, claimed_when_fitted):
    before, after = plainly_claimed, claimed_when_fitted
    assert wrong(before) >= 10
    assert wrong(after) <= wrong(before) / 3
    assert len(after) - wrong(after) >= 0.8 * (len(before) - wrong(before))
    assert seen(after) >= 0.95 * seen(before) > 0.9 * len(FILMS)
    assert (fitted.videos, fitted.before.claims, fitted.after.claims) == (len(FILMS), len(before), len(after))
    assert fitted.after.unclaimed == len(FILMS) - len({title for title, _ in after})


@pytest.mark.parametrize("factor", [0.2, 5.0])
def test_an_encoder_of_which_nobody_knew_how_near_it_comes_is_put_right(fitted, factor: float):
    """Its own spread is wrong by far, so it claims next to nothing, or everything: what is fitted is the same."""
    off = Marengo(replace(FORM.calibration, spread=factor * FORM.calibration.spread))
    other = calibrating.fit(library(off, FILMS))
    assert other.after == fitted.after
    assert abs(other.before.claims - fitted.after.claims) > 0.2 * fitted.after.claims


@pytest.mark.parametrize("gap", [0.3, 0.9])
def test_a_shifted_encoder_is_fitted_to_the_same_claims(fitted, claimed_when_fitted, gap: float):
    shifted = Shifted(Marengo(), gap)
    moved = library(shifted, {title: [shifted.shift(vector) for vector in vectors] for title, vectors in FILMS.items()})
    other = calibrating.fit(moved).after
    assert other.calibration.spread == pytest.approx(fitted.after.calibration.spread, rel=1e-3)
    assert claims(calibrated(moved, other.calibration)) == claimed_when_fitted


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_videos_less_near_to_all_texts_are_fitted_to_the_same_claims(
    fitted, plainly_claimed, claimed_when_fitted, share: float
):
    scaled = Scaled(Marengo(), share)
    moved = library(scaled, {title: [scaled.video(vector) for vector in vectors] for title, vectors in FILMS.items()})
    assert claims(moved) != plainly_claimed
    other = calibrating.fit(moved).after
    assert other.calibration.spread == pytest.approx(share * fitted.after.calibration.spread, rel=1e-3)
    assert claims(calibrated(moved, other.calibration)) == claimed_when_fitted


def test_fitting_again_changes_nothing(fitted):
    once = fitted.after
    again = calibrating.fit(calibrated(library(Marengo(), FILMS), once.calibration))
    assert again.before == again.after == once


def test_thresholds_stay_in_order_and_never_fall_below_those_an_encoder_begins_with():
    """Nothing but noise in one library, hardly any in the other."""
    dice = np.random.default_rng(2)
    noise = {f"noise {number}": [dice.normal(size=FORM.dimension) for _ in range(2)] for number in range(60)}
    noise = {title: [vector / np.linalg.norm(vector) for vector in vectors] for title, vectors in noise.items()}
    pure = {f"pure {number}": [vectors[0]] * 2 for number, vectors in enumerate(list(FILMS.values())[:2] * 15)}
    for videos in (noise, pure):
        found = calibrating.fit(library(Marengo(), videos)).after.calibration
        assert DEFAULT.fits <= found.fits < found.related < found.strong <= calibrating.MOST_NOISE * DEFAULT.strong
        assert (found.least_spread, found.same) == (DEFAULT.least_spread, DEFAULT.same)
    loud = calibrating.fit(library(Marengo(), noise))
    assert loud.after.calibration.fits > 1.5 * DEFAULT.fits
    assert loud.after.claims <= loud.before.claims / 10


def test_too_few_videos_are_refused_before_a_text_is_asked_for():
    encoder = FakeEncoder()
    index = MemoryIndex()
    for number in range(calibrating.FEWEST - 1):
        index.upsert(make_entries(f"Video {number}"))
    discover = Discover(encoder=encoder, index=index, store=MemoryStore(), taxonomy=THEMES)
    with pytest.raises(AppError, match=r"The library has 19 videos, too few .* until there are 20"):
        calibrating.fit(discover)
    assert not encoder.texts


def test_an_encoder_that_knows_nothing_is_refused():
    knows_nothing = Marengo()
    knows_nothing.encode_text = lambda texts: np.zeros((len(texts), FORM.dimension), np.float32)  # type: ignore[method-assign]
    with pytest.raises(AppError, match="nothing to calibrate by"):
        calibrating.fit(library(knows_nothing, FILMS))
