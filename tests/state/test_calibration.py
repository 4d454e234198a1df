"""What was fitted is kept, an encoder each, in a file that people read; a damaged one is said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import SettingsError, StoreError
from core.models import Calibration
from core.state.calibration import Calibrations
from tests.fakes import FAKE_INFO

FITTED = Calibration(spread=0.0256, fits=1.61, related=1.77, strong=2.74)


def test_each_encoder_has_its_own_and_one_without_goes_by_what_it_says(tmp_path: Path) -> None:
    book = Calibrations(tmp_path / "data" / "calibration.json")
    other = replace(FAKE_INFO, name="other/v2", calibration=Calibration(spread=0.5, same=0.01))
    assert book.of(FAKE_INFO) == FAKE_INFO.calibration
    book.keep("fake-v1", FITTED, 120)
    assert Calibrations(book.path).of(FAKE_INFO) == FITTED
    assert book.of(other) == other.calibration
    book.keep("other/v2", FITTED, 30)
    assert book.of(other) == replace(FITTED, same=0.01), "what was not fitted stays the encoder's"
    said = json.loads(book.path.read_text("utf-8"))
    assert said["fake-v1"]["videos"] == 120
    assert "\n" in book.path.read_text("utf-8").strip()
    assert book.forget("fake-v1")
    assert not book.forget("fake-v1")
    assert (book.of(FAKE_INFO), book.of(other).spread) == (FAKE_INFO.calibration, FITTED.spread)


@pytest.mark.parametrize(
    "damage",
    [
        "", "{", "[]", "7", '{"fake-v1": 3}', '{"fake-v1": {"spread": 0.1}}',
        '{"fake-v1": {"spread": "a", "fits": 1, "related": 2, "strong": 3, "videos": 20, "fitted_at": "now"}}',
        '{"fake-v1": {"spread": NaN, "fits": 1, "related": 2, "strong": 3, "videos": 20, "fitted_at": "now"}}',
        '{"fake-v1": {"spread": 0, "fits": 1, "related": 2, "strong": 3, "videos": 20, "fitted_at": "now"}}',
        '{"fake-v1": {"spread": 0.1, "fits": 3, "related": 2, "strong": 1, "videos": 20, "fitted_at": "now"}}',
        '{"fake-v1": {"spread": 0.1, "fits": 1, "related": 2, "strong": 3, "videos": "20", "fitted_at": "now"}}',
        '{"fake-v1": {"spread": 0.1, "fits": 1, "related": 2, "strong": 3, "videos": 20, "fitted_at": 7}}',
    ],
)  # fmt: skip
def test_a_damaged_file_is_a_sentence_and_is_not_written_over(tmp_path: Path, damage: str) -> None:
    book = Calibrations(tmp_path / "calibration.json")
    book.path.write_text(damage)
    for use in (
        lambda: book.of(FAKE_INFO),
        lambda: book.keep("fake-v1", FITTED, 20),
        lambda: book.forget("fake-v1"),
    ):
        with pytest.raises(SettingsError, match=r"calibration\.json cannot be used.*calibrate --reset"):
            use()
    assert book.is_damaged()
    assert book.path.read_text() == damage
    book.drop()
    assert (book.is_damaged(), book.of(FAKE_INFO)) == (False, FAKE_INFO.calibration)


def test_bytes_that_are_no_text_are_damage_too(tmp_path: Path) -> None:
    book = Calibrations(tmp_path / "calibration.json")
    book.path.write_bytes(b"\xff\xfe\x00")
    assert book.is_damaged()


def test_a_file_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises((StoreError, SettingsError), match=r"calibration\.json cannot be"):
        Calibrations(tmp_path / "data" / "calibration.json").keep("fake-v1", FITTED, 20)
