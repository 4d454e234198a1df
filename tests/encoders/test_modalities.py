"""What is seen, heard and said, side by side in one vector: one cosine is their weighted sum, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from core.encoders.modalities import ASKED, LIKENESS, Fused, SideBySide, unit
from core.errors import EncoderError

NAMES = ("visual", "audio", "transcription")
FORM = SideBySide(32, NAMES)


def parts(seed: int, *names: str) -> dict[str, np.ndarray]:
    dice = np.random.default_rng(seed)
    return {name: unit(dice.standard_normal(32)) for name in names or NAMES}


def test_the_cosine_of_a_text_is_the_weighted_sum_of_its_cosines() -> None:
    text = unit(np.random.default_rng(9).standard_normal(32))
    asked = FORM.text(text)
    assert np.linalg.norm(asked) == pytest.approx(1, abs=1e-5)
    found, wanted = [], []
    for seed in range(6):
        own = parts(seed)
        found.append(float(asked @ FORM.video(own)))
        wanted.append(sum(ASKED[name] * float(text @ own[name]) for name in NAMES))
    assert np.array(found) / np.array(wanted) == pytest.approx([found[0] / wanted[0]] * 6, rel=1e-3)


def test_a_silent_video_is_neither_raised_nor_lowered_for_it() -> None:
    text, own = unit(np.random.default_rng(9).standard_normal(32)), parts(1)
    silent = {"visual": own["visual"]}
    deaf = dict(own, audio=own["audio"] - (own["audio"] @ text) * text)
    deaf = {name: unit(vector) for name, vector in deaf.items()}
    deaf["transcription"] = unit(own["transcription"] - (own["transcription"] @ text) * text)
    assert np.linalg.norm(FORM.video(silent)) == pytest.approx(1, abs=1e-5)
    assert FORM.text(text) @ FORM.video(silent) == pytest.approx(FORM.text(text) @ FORM.video(deaf), abs=1e-5)


def test_two_videos_are_as_alike_as_the_service_says() -> None:
    one, two = parts(1), parts(2)
    wanted = sum(LIKENESS[name] * float(one[name] @ two[name]) for name in NAMES)
    assert FORM.video(one) @ FORM.video(two) == pytest.approx(wanted, abs=1e-5)


def test_a_picture_asks_only_for_what_is_seen() -> None:
    own = parts(1)
    asked = FORM.picture(own["visual"])
    assert asked @ FORM.video(own) == pytest.approx(LIKENESS["visual"] ** 0.5, abs=1e-5)
    assert asked @ FORM.video(dict(parts(2), visual=own["visual"])) == pytest.approx(asked @ FORM.video(own), abs=1e-5)


def test_without_speech_a_space_has_two_blocks() -> None:
    form = SideBySide(32, ("visual", "audio"))
    assert form.dimension == 65
    assert np.linalg.norm(form.video(parts(1, "visual", "audio"))) == pytest.approx(1, abs=1e-5)


def test_what_is_usual_shrinks_as_a_text_is_spread() -> None:
    fused, spread = Fused(32).calibration.spread, FORM.calibration.spread
    assert spread < fused / 2
    assert SideBySide(32, NAMES, LIKENESS).calibration.spread > fused


def test_vectors_that_cancel_each_other_out_are_an_error() -> None:
    own = parts(1, "visual")["visual"]
    with pytest.raises(EncoderError, match="cancel each other out"):
        Fused(32).video({"visual": own, "audio": -own})
