"""A library whose videos nobody filmed, each with a rhythm of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from core.ads.rhythm import ALGORITHM, Gap
from core.models import Entry
from core.services import Services, build
from core.settings import Settings
from tests.fakes import make_entries

Add = Callable[..., str]
DURATION_S = 60.0
QUIET = (Gap(20.0, "cut", 12.0, 0.0), Gap(45.0, "black", None, 0.0), Gap(60.0, "end", None, 0.0))


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    services = build(Settings(data_dir=tmp_path / "data"))
    yield services
    services.close()


@pytest.fixture
def add(services: Services) -> Add:
    """Put a video into the index that is about some words, with these gaps; return its id."""

    def add(title: str, gaps: Sequence[Gap] = QUIET, *, clips: Sequence[str] = (), **changes: object) -> str:
        texts = services.encoder.encode_text([title, *(clips or [title] * 3)])
        vectors = [vector / max(float((vector**2).sum()) ** 0.5, 1e-9) for vector in texts]
        entries = make_entries(title, info=services.encoder.info, vectors=vectors, tags={}, **changes)
        entries = [_stretched(entry, len(vectors) - 1) for entry in entries]
        services.index.upsert(services.discover.with_labels(entries))
        keep_rhythm(services, entries[0], gaps)
        return entries[0].video_id

    return add


def _stretched(entry: Entry, clips: int) -> Entry:
    number = round(entry.start_s / 2.0)
    span = (0.0, DURATION_S)
    if entry.scope == "clip":
        span = (number * DURATION_S / clips, (number + 1) * DURATION_S / clips)
    return replace(entry, start_s=span[0], end_s=span[1], duration_s=DURATION_S)


def keep_rhythm(services: Services, entry: Entry, gaps: Sequence[Gap]) -> None:
    """Write down the gaps of a video, so that no file is looked into."""
    folder = services.settings.data_dir / "rhythms"
    folder.mkdir(exist_ok=True)
    row = {"algorithm": ALGORITHM, "duration_s": DURATION_S, "gaps": [asdict(gap) for gap in gaps]}
    (folder / f"{entry.content_sha256}.json").write_text(json.dumps(row))
