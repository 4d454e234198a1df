"""The figure reader: draw characters and things as the sheets (*.txt) beside the scenes describe them.

A figure begins with "[its-name what it is told]", and every line is a shape, with what Stage or faces.py wants to know
of it, in that order; "-" leaves one out and "word=…" gives one by name. It is drawn around (0, 0), in order.
    twins | ellipse 27 -28 14 - #9c6236      draws the shape at several places: twins, row, ring, each (stage.py), at
    at 0 -96 3*wave:3                        moves, turns and scales all that is indented under it, as Stage.at does
    when joy > 0.5                           draws what is indented under it only then
    figure cat-face #f4ece0/#cfc0b8 1        draws another figure, told these
A number may move: it is a sum of products of numbers, of what the figure is told, of the time t in seconds, and of
wave:PERIOD:PHASE, bounce:PERIOD:PHASE (a wave without its sign), rise:PERIOD:PHASE (0 where it is below 0) and
blink:EVERY:PHASE, whose phases add up and may be told too. "$ink" is a paint the figure is told.
"""

from __future__ import annotations

import operator
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from core.samples import faces, props, weather
from core.samples.outlines import WIDTH
from core.samples.stage import Layer, Stage
from core.samples.streets import wheel
from core.samples.timing import blink, wave

Told = Mapping[str, Any]
"""What a figure is told, and the time as t."""
Figure = Callable[..., None]
"""Draws on the stage it is given first, at a time, with what it is told in the order of its sheet."""

_MOVES: dict[str, Callable[..., float]] = {
    "wave": wave,
    "bounce": lambda t, period, phase=0.0: abs(wave(t, period, phase)),
    "rise": lambda t, period, phase=0.0: max(0.0, wave(t, period, phase)),
    "blink": blink,
}
_ODDS = {"==": operator.eq, ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le}
_SHAPES: dict[str, Callable[..., None]] = {
    shape.__name__: shape
    for shape in (faces.eyes, faces.goggles, faces.cheeks, faces.smile, props.cloud, weather.heart, wheel)
}
_FACTOR = r"(?:[\d.]+|[a-z]\w*(?::-?[\w.]+)*)"
_TERM = re.compile(rf"([+-]?)({_FACTOR}(?:\*{_FACTOR})*)")


@cache
def figure(name: str) -> Figure:
    """Return what draws a figure. Raises KeyError for a name that no sheet has."""
    told, lines = _sheets()[name]
    steps = _steps(lines, ("t", *told))

    def draw_figure(s: Stage, t: float = 0.0, *given: Any) -> None:
        _draw(s, steps, dict(zip(told, given, strict=True), t=t))

    return draw_figure


def painted(name: str, shadow: float = 0.0, width: float = WIDTH) -> Layer:
    """Return a figure that keeps still as a layer, with a paper shadow of this strength under it."""
    s = Stage(width, colour=None)
    figure(name)(s)
    return s.layer(shadow)


@cache
def _sheets() -> dict[str, tuple[list[str], list[str]]]:
    """Return what each figure is told, and its lines."""
    sheets: dict[str, tuple[list[str], list[str]]] = {}
    for path in sorted(Path(__file__).with_name("scenes").glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("["):
                name, *told = line.strip("[]").split()
                lines: list[str] = []
                sheets[name] = told, lines
            elif line and not line.startswith("#"):
                lines.append(line)
    return sheets


# ---------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class _Given:
    """What stands behind a word: fixed values, and those that are to be worked out anew for each drawing."""

    values: tuple[Any, ...]
    moving: tuple[tuple[int, Callable[[Told], Any]], ...]
    words: Mapping[str, Any]

    def now(self, told: Told) -> Sequence[Any]:
        if not self.moving:
            return self.values
        values = list(self.values)
        for place, value in self.moving:
            values[place] = value(told)
        return values


@dataclass(frozen=True, slots=True)
class _Step:
    """A line of a sheet: a place, a condition or a shape, and for the first two what is indented under it."""

    word: str
    given: _Given
    under: tuple[_Step, ...] = ()


def _steps(lines: Sequence[str], known: Sequence[str]) -> tuple[_Step, ...]:
    """Return lines of one depth, each with the deeper ones under it."""
    steps, number = [], 0
    while number < len(lines):
        line, number = lines[number], number + 1
        depth, start = _depth(line), number
        while number < len(lines) and _depth(lines[number]) > depth:
            number += 1
        steps.append(_step(line.split(" | "), lines[start:number], known))
    return tuple(steps)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _step(parts: Sequence[str], under: Sequence[str], known: Sequence[str]) -> _Step:
    (word, *given), rest = shlex.split(parts[0]), parts[1:]
    raw = {"when": (1,), "figure": (0,), "text": (2,)}.get(word, ())
    return _Step(word, _given(given, raw, known), (_step(rest, under, known),) if rest else _steps(under, known))


def _given(texts: Sequence[str], raw: Sequence[int], known: Sequence[str]) -> _Given:
    values: list[Any] = []
    moving: list[tuple[int, Callable[[Told], Any]]] = []
    words: dict[str, Any] = {}
    for place, text in enumerate(texts):
        word, equals, said = text.partition("=")
        value = text if place in raw else _value(said if equals and word.isalpha() else text, known)
        if equals and word.isalpha() and place not in raw:
            words[word] = value
        elif callable(value):
            moving.append((len(values), value))
            values.append(None)
        else:
            values.append(value)
    return _Given(tuple(values), tuple(moving), words)


def _value(text: str, known: Sequence[str]) -> Any:
    """Return a paint, points as text when they keep still, a number, or a function that works it out."""
    if text == "-":
        return None
    if text.startswith("#"):
        return text
    if text.startswith("$"):
        return operator.itemgetter(text[1:])
    if "," not in text:
        return _number(text, known)
    points = [[_number(part, known) for part in pair.split(",")] for pair in text.split()]
    if any(callable(part) for pair in points for part in pair):
        return lambda told: _one_or_all([[_now(part, told) for part in pair] for pair in points])
    return text if len(points) > 1 else tuple(points[0])


def _one_or_all(points: list[list[float]]) -> Any:
    return points[0] if len(points) == 1 else points


def _now(value: Any, told: Told) -> Any:
    return value(told) if callable(value) else value


def _number(text: str, known: Sequence[str]) -> Any:
    """Return a number, or a function that works it out. Raises ValueError for what is neither."""
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    terms, end = [], 0
    while end < len(text) and (term := _TERM.match(text, end)):
        factors = [_factor(factor, known) for factor in term[2].split("*")]
        fixed = -1.0 if term[1] == "-" else 1.0
        for factor in factors:
            fixed *= 1 if callable(factor) else factor
        terms.append((fixed, [factor for factor in factors if callable(factor)]))
        end = term.end()
    if end < len(text) or not terms:
        raise ValueError(f"{text!r} is neither a number nor what makes one.")
    if not any(moving for _, moving in terms):
        return sum(fixed for fixed, _ in terms)

    def work_out(told: Told) -> float:
        total = 0.0
        for part, moving in terms:
            for factor in moving:
                part *= factor(told)
            total += part
        return total

    return work_out


@lru_cache(maxsize=4096)
def _factor(text: str, known: Sequence[str]) -> Any:
    if not text[0].isalpha():
        return float(text)
    word, *numbers = text.split(":")
    if move := _MOVES.get(word):
        period, *phases = [_factor(number, known) for number in numbers]
        fixed = sum(phase for phase in phases if not callable(phase))
        told_phases = [phase for phase in phases if callable(phase)]
        return lambda told: move(told["t"], period, sum((phase(told) for phase in told_phases), fixed))
    if word not in known:
        raise ValueError(f"Nobody tells the figure {word!r}: name it behind the figure's own name.")
    return operator.itemgetter(word)


# ---------------------------------------------------------------- drawing


def _draw(s: Stage, steps: Sequence[_Step], told: Told) -> None:
    for step in steps:
        given, words = step.given.now(told), {word: _now(value, told) for word, value in step.given.words.items()}
        if step.under:
            for place in _places(s, step.word, given, words):
                with place:
                    _draw(s, step.under, told)
        elif step.word == "figure":
            figure(given[0])(s, told["t"], *given[1:])
        elif shape := _SHAPES.get(step.word):
            shape(s, *given, **words)
        else:
            getattr(s, step.word)(*given, **words)


def _places(s: Stage, word: str, given: Sequence[Any], words: Told) -> Iterator[AbstractContextManager[None]]:
    """Give the places at which to draw what stands under a word."""
    if word == "at":
        yield s.at(*given, **words)
    elif word == "when":
        if _ODDS[given[1]](given[0], given[2]):
            yield nullcontext()
    else:
        copies = s.twins if word == "twins" else getattr(s, word)(*given, **words)
        yield from copies.places()
