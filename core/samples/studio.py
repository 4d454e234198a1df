"""The studio: draw a scene's frames, play its score, and put both into a file."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from core.discover import taxonomy
from core.files import whole
from core.models import Progress
from core.samples import Scene, film, scene
from core.samples.props import Play
from core.samples.scenes import PLAYS
from core.samples.sound import Track
from core.samples.stage import FPS, Film, Stage


def perform(name: str, target: Path, on_progress: Progress) -> None:
    """Render a scene in this process; the file appears when it is whole. Raises MediaError for an unknown name."""
    card, play = scene(name), PLAYS[name]
    track = Track(card.duration_s, dice(name, "score"))
    play.score(track)
    with whole(target) as part:
        film.write(part, _frames(card, play, on_progress), track.master(play.level), tags(card))
    on_progress(1.0)


def stills(name: str, times: list[float]) -> list[Image.Image]:
    """Return the frames of a scene at some times, as shown."""
    play = PLAYS[name]
    draw, developer = play.prepare(dice(name, "picture")), Film(play.look, dice(name, "film"))
    frames = []
    for t in times:
        stage = Stage()
        draw(stage, t)
        frames.append(developer.develop(stage.shown(), round(t * FPS)))
    return frames


def tags(card: Scene) -> dict[str, str]:
    """Return what the container says of a scene."""
    labels = {theme.id: theme.label for theme in taxonomy.load().categories}
    return {
        "title": card.title,
        "description": card.description,
        "genre": ", ".join(labels.get(category, category) for category in card.categories),
        "keywords": ", ".join(card.tags),
        "comment": "Rendered by the sample library; CC0",
    }


def dice(name: str, use: str) -> np.random.Generator:
    """Return a random generator that gives the same scene the same numbers every time."""
    return np.random.default_rng(zlib.crc32(f"{name}/{use}".encode()))


def _frames(card: Scene, play: Play, on_progress: Progress) -> Iterator[Image.Image]:
    draw, developer = play.prepare(dice(card.name, "picture")), Film(play.look, dice(card.name, "film"))
    count = round(card.duration_s * FPS)
    for number in range(count):
        if number % play.hold == 0:
            stage = Stage()
            draw(stage, number / FPS)
            frame = developer.develop(stage.shown(), number)
        yield frame
        if number % 4 == 0:
            on_progress(number / count)
