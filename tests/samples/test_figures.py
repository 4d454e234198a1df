"""The figure sheets: what a line draws, how its numbers move, and that scenes and sheets fit together."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from core.samples import figures
from core.samples.stage import Stage
from core.samples.timing import wave

SCENES = Path(figures.__file__).with_name("scenes")


def drawn(sheet: str, t: float = 0.0, **told: object) -> np.ndarray:
    """Return the frame with a figure in the middle, drawn as a sheet of these lines says."""
    stage = Stage(colour="#000000")
    steps = figures._steps(sheet.splitlines(), ("t", *told))
    with stage.at(320, 180):
        figures._draw(stage, steps, {"t": t, **told})
    return np.asarray(stage.shown())


def number(text: str, t: float = 0.0, **told: float) -> float:
    value = figures._number(text, ("t", *told))
    return value({"t": t, **told}) if callable(value) else value


def test_a_line_is_a_shape_and_may_be_drawn_at_several_places():
    frame = drawn("twins | rect 50 0 10 10 #ff0000\nat 0 -100 90\n  rect 0 0 20 10 #00ff00")
    assert tuple(frame[185, 375]) == tuple(frame[185, 265]) == (255, 0, 0)
    assert tuple(frame[90, 315]) == (0, 255, 0)
    assert frame[85, 335].sum() == 0


def test_a_figure_is_told_its_paints_and_conditions():
    sheet = "when open > 0.5\n  rect 0 0 10 10 $ink\nwhen open <= 0.5\n  rect 0 50 10 10 $ink"
    opened, shut = (drawn(sheet, ink="#0000ff", open=number) for number in (1, 0.5))
    assert [frame[185, 325, 2] for frame in (opened, shut)] == [255, 0]
    assert [frame[235, 325, 2] for frame in (opened, shut)] == [0, 255]


def test_points_move_and_keep_their_order():
    early, late = (drawn('polygon "0,0 10*t,0 10*t,10 0,10" #ffffff', t) for t in (1.0, 4.0))
    assert 80 <= (early[..., 0] > 128).sum() <= 130
    assert 380 <= (late[..., 0] > 128).sum() <= 460


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-12.5", -12.5),
        ("3-joy", 1.0),
        ("-10+12*wave:1.5:0.2", -10 + 12 * wave(0.7, 1.5, 0.2)),
        ("2*joy*t", 2 * 2 * 0.7),
        ("bounce:1:0.3*4", 4 * abs(wave(0.7, 1, 0.3))),
        ("rise:1", 0.0),
        ("wave:2:joy:-0.1", wave(0.7, 2, 1.9)),
        ("blink:2.6", 1.0),
    ],
)
def test_a_number_is_a_sum_of_products(text: str, value: float):
    assert number(text, 0.7, joy=2) == pytest.approx(value)


@pytest.mark.parametrize(("text", "says"), [("3*hope", "Nobody tells the figure 'hope'"), ("3+", "neither a number")])
def test_what_is_no_number_is_refused(text: str, says: str):
    with pytest.raises(ValueError, match=re.escape(says)):
        number(text)


def test_every_figure_can_be_read_and_is_drawn_by_a_scene():
    code = "".join(path.read_text() for path in SCENES.glob("*.py"))
    sheets = "".join(path.read_text() for path in SCENES.glob("*.txt"))
    assert len(figures._sheets()) == len(re.findall(r"^\[", sheets, re.MULTILINE)), "two figures have one name"
    named = set(re.findall(r'figure\("([\w-]+)"\)', code)) | set(re.findall(r"figure ([\w-]+)", sheets))
    named |= {word.lower() for word in re.findall(r'"(\w+)"', code)}  # those a scene picks by a word
    for name in figures._sheets():
        assert figures.figure(name)
        assert name in named, f"nobody draws {name!r}"
    with pytest.raises(KeyError):
        figures.figure("no-such-figure")
