"""The sample library: short animated scenes that our own code draws, scores and films.

This module is the catalogue and the way in; it is cheap to import. The work is done by child processes (painters.py),
so that two scenes really render at once and a web server stays awake.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from core.errors import MediaError
from core.models import Progress, ignore_progress
from core.samples import painters


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known of a scene before it is rendered. Categories and mood are ids of core/discover/taxonomy.toml."""

    name: str
    title: str
    description: str
    tags: tuple[str, ...]
    categories: tuple[str, ...]
    mood: str
    duration_s: float


def scene(name: str) -> Scene:
    """Return the scene with this name. Raises MediaError naming those there are."""
    for candidate in (*SCENES, *ADS):
        if candidate.name == name:
            return candidate
    names = ", ".join(candidate.name for candidate in (*SCENES, *ADS))
    raise MediaError(f"There is no sample {name!r}. Choose one of: {names}.")


def render(name: str, target: Path, on_progress: Progress = ignore_progress) -> None:
    """Render a scene to an mp4 in a child process; `target` appears when it is whole.

    Raises MediaError when it could not be rendered, and whatever `on_progress` raises (Cancelled); then the child
    is gone and nothing is left on disk.
    """
    scene(name)
    target = Path(target).resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        workshop = Path(tempfile.mkdtemp(prefix=".sample-", dir=target.parent))
    except OSError as error:
        raise MediaError(f"{target.parent} cannot be written to ({error.strerror}). Choose another folder.") from error
    try:
        with painters.hired() as painter:
            painter.render(name, workshop / target.name, on_progress)
        os.replace(workshop / target.name, target)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    on_progress(1.0)


def _catalogue(name: str) -> tuple[Scene, ...]:
    """Read a catalogue that lies beside this file."""
    rows = tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return tuple(
        Scene(name, **row | {"tags": tuple(row["tags"]), "categories": tuple(row["categories"])})
        for name, row in rows.items()
    )


SCENES: tuple[Scene, ...] = _catalogue("catalogue.toml")
"""Every scene, in the order in which it is best shown."""
ADS: tuple[Scene, ...] = _catalogue("ads.toml")
"""Ads to try places with: drawn like scenes, and no part of the sample library."""
