"""The studio: draw a scene's frames, play its score, and put both into a file."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from core.discover import taxonomy
from core.files import whole
from core.models import Progress
from core.samples import Scene, film, scene, score
from core.samples.celluloid import Film
from core.samples.playbill import Frames
from core.samples.scenes import PLAYS
from core.samples.sound import Track
from core.samples.stage import FPS, Stage


def perform(name: str, target: Path, on_progress: Progress) -> None:
    """Render a scene in this process; the file appears when it is whole. Raises MediaError for an unknown name."""
    card, play = scene(name), PLAYS[name]
    track = Track(card.duration_s, dice(name, "score"))
    score.play(name, track)
    with whole(target) as part, film.Reel(part, track.master(play.level), tags(card)) as reel:
        count = round(card.duration_s * FPS)

        def shoot(frame: Image.Image, number: int) -> None:
            reel.add(frame, min(play.hold, count - number))
            on_progress(number / count)

        _shoot(name, range(0, count, play.hold), shoot)
    on_progress(1.0)


def stills(name: str, times: list[float]) -> list[Image.Image]:
    """Return the frames of a scene at some times, as shown."""
    frames: list[Image.Image] = []
    _shoot(name, [t * FPS for t in times], lambda frame, number: frames.append(frame))
    return frames


def _shoot(name: str, numbers: Iterable[float], take: Callable[[Image.Image, int], None]) -> None:
    """Have the frames with these numbers drawn, and hand on each as it is filmed."""
    play = PLAYS[name]
    developer = Film(play.look, dice(name, "film"))

    def frames() -> Frames:
        for number in numbers:
            stage = Stage()
            yield stage, number / FPS
            take(developer.develop(stage.shown(), round(number)), round(number))

    play.act(dice(name, "picture"), frames())


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
