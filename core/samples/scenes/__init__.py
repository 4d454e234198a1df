"""The plays behind the catalogue, by name."""

from __future__ import annotations

from collections.abc import Mapping

from core.samples.props import Play
from core.samples.scenes import action, comics, journeys, lessons, tales, wild

PLAYS: Mapping[str, Play] = wild.PLAYS | journeys.PLAYS | tales.PLAYS | comics.PLAYS | lessons.PLAYS | action.PLAYS
