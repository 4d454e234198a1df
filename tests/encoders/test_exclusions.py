"""What a query does not want, and where its vector goes for it."""

import numpy as np
import pytest

from core.encoders.exclusions import Asked, push_away, take_apart


@pytest.mark.parametrize(
    ("text", "wanted", "excluded"),
    [
        ("beach -people", "beach", ("people",)),
        ("-snow", "", ("snow",)),
        ('city -"traffic jam" night', "city night", ("traffic jam",)),
        ("mountains without snow", "mountains", ("snow",)),
        ("Mountains WITHOUT any Snow", "Mountains", ("Snow",)),
        ("a street, no cars", "a street", ("cars",)),
        ("no cars", "", ("cars",)),
        ("without people, no cars, night", "night", ("people", "cars")),
        ("street without cars or people at night", "street at night", ("cars", "people")),
        ("walking with no umbrella in the rain", "walking in the rain", ("umbrella",)),
        ("a dog, not a cat", "a dog", ("cat",)),
        ("videos except for cartoons", "videos", ("cartoons",)),
    ],
)
def test_what_is_excluded_is_taken_out(text, wanted, excluded):
    assert take_apart(text) == Asked(wanted, excluded)


@pytest.mark.parametrize(
    "text",
    [
        "sci-fi city",
        "black-and-white",
        "dogs - cats",
        "sunset -- sea",
        "no one is there",
        "nothing",
        "knot",
        "",
        "7 - 3",
    ],
)
def test_what_only_looks_so_is_left_alone(text):
    assert take_apart(text) == Asked(text, ())


def test_the_vector_goes_away_from_what_is_excluded_and_stays_with_what_is_wanted():
    mountain, snow = np.eye(3, dtype=np.float32)[:2]
    snowy = (mountain + snow) / np.sqrt(2)
    pushed = push_away(mountain, snowy[None])
    assert pushed @ mountain == pytest.approx(1.0)
    assert pushed @ snow < -0.3


def test_only_excluding_points_away():
    snow = np.array([0.0, 1.0], np.float32)
    assert push_away(np.zeros(2, np.float32), snow[None]) @ snow < 0
