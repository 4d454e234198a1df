"""The playbill: how a scene is drawn, filmed and how loud it is, entered by the scenes themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from core.samples.celluloid import Look
from core.samples.stage import Stage

Frames = Iterator[tuple[Stage, float]]
"""Empty stages, each with the time in seconds of the frame that is to be drawn on it."""
Act = Callable[[np.random.Generator, Frames], None]
"""Paints what never changes, then draws each frame."""


@dataclass(frozen=True, slots=True)
class Play:
    """A scene as it is made."""

    act: Act
    level: float
    """Peak of the sound, 0 to 1: calm scenes are quiet."""
    look: Look
    hold: int
    """Frames each drawing is held: 2 is twelve drawings a second, the pace of most animation made by hand; what goes by
    fast is drawn for every frame."""


PLAYS: dict[str, Play] = {}
"""The plays behind the catalogue, by name; whole once core.samples.scenes is loaded."""


def play(name: str, level: float, look: Look | None = None, hold: int = 2) -> Callable[[Act], Act]:
    """Enter a scene's act under the name it has in the catalogue."""

    def enter(act: Act) -> Act:
        PLAYS[name] = Play(act, level, look or Look(), hold)
        return act

    return enter
