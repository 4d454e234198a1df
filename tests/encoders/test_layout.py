"""The layout of a picture: where it is light and coloured, and nothing finer."""

from __future__ import annotations

import numpy as np
import pytest

from core.encoders.layout import LAYOUT, layout, steady


def half(
    side: str, colour: tuple[float, float, float] = (0.9, 0.9, 0.9), size: tuple[int, int] = (54, 96)
) -> np.ndarray:
    """Return a grey picture with one half in a colour."""
    picture = np.full((*size, 3), 0.42, np.float32)
    rows, columns = size[0] // 2, size[1] // 2
    part = {"top": np.s_[:rows], "bottom": np.s_[rows:], "left": np.s_[:, :columns], "right": np.s_[:, columns:]}[side]
    picture[part] = colour
    return picture


def test_a_layout_has_length_one():
    vector = layout(half("top"))
    assert vector.shape == (LAYOUT,) == (27,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_places_count():
    top = layout(half("top"))
    assert all(top @ layout(half(side)) < 0.6 for side in ("bottom", "left", "right"))


def test_colours_count():
    red, blue = (layout(half("left", colour)) for colour in ((0.8, 0.3, 0.3), (0.3, 0.4, 0.9)))
    assert red @ blue < 0.3


@pytest.mark.parametrize("size", [(27, 48), (108, 192), (53, 97)])
def test_sizes_do_not_count(size):
    assert layout(half("left")) @ layout(half("left", size=size)) > 0.995


def test_grain_does_not_count():
    grain = np.random.default_rng(0).normal(0, 0.05, (54, 96, 3))
    picture = half("right", (0.3, 0.7, 0.4))
    assert layout(picture) @ layout((picture + grain).clip(0, 1).astype(np.float32)) > 0.99


def test_a_plain_middle_grey_has_next_to_none():
    assert np.linalg.norm(layout(np.full((54, 96, 3), 0.42, np.float32))) < 0.01


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 2)])
def test_the_smallest_pictures_are_finite(size):
    assert np.isfinite(layout(np.ones((*size, 3), np.float32))).all()


def test_means_are_brought_back_to_length_one_unless_next_to_nothing_is_left():
    parts = np.stack([layout(half(side)) for side in ("top", "bottom", "left", "right")])
    assert np.linalg.norm(steady(parts.mean(0))) == pytest.approx(1, abs=1e-5)
    assert np.linalg.norm(steady(parts[0] * 0.01)) == pytest.approx(0.1, abs=1e-3)
