"""Libraries to take elsewhere: made without filming or encoding, over whatever store and index the settings name."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.ads.book import Kept, kept_of
from core.index.base import video_id
from core.models import ignore_progress
from core.services import Services
from core.serving.routes import routes
from tests.fakes import make_entries

TITLES = (
    "Grey wolf in a forest",
    "White wolf in the snow",
    "Tax office",
    "Harbour ship at night",
    "Mountain snow and ice",
    "Pasta cooking in a kitchen",
    "Football match in the rain",
    "Rocket to the moon",
    "Calm river and trees",
    "Dancing robots",
)
QUESTIONS = (
    *(
        {"query": words}
        for words in ("wolf", "snow", "kitchen pasta", "rain", "moon rocket", "river", "office", "ship")
    ),
    *({"category": name} for name in ("animals", "nature", "sports", "food", "sci-fi", "comedy")),
    *({"mood": name} for name in ("calm", "tense", "joyful", "dreamy")),
    {"query": "snow", "mood": "calm"},
    {"query": "wolf snow", "profile": "Anna"},
)
"""Twenty."""


def fill(services: Services, scratch: Path, titles: Sequence[str] = TITLES) -> None:
    """Put videos that nobody filmed into a library, with files, subtitles and labels."""
    scratch.mkdir(parents=True, exist_ok=True)
    for number, title in enumerate(titles):
        (vector,) = services.encoder.encode_text([title])
        clips = 1 + number % 3
        vectors = [vector + np.float32(0.2 * n) * np.roll(vector, n) for n in range(clips + 1)]
        entries = make_entries(
            title, info=services.encoder.info, vectors=vectors, tags={"title": title}, subtitles=title
        )
        track = f"{entries[0].video_id}_0_en.vtt"
        services.index.upsert([_with_captions(entry, track) for entry in entries])
        for key, size in ((entries[0].media_key, 30_000 + number), (entries[0].poster_key, 500), (track, 50)):
            path = scratch / "file"
            path.write_bytes(f"{key} ".encode() * (size // 40))
            services.store.put(path, str(key), ignore_progress)
    label(services)


def add_ad(services: Services, scratch: Path, title: str = "A hotel for dogs") -> Kept:
    """Keep an ad that nobody filmed, with its files."""
    content = hashlib.sha256(title.encode()).hexdigest()
    id_ = video_id(content)
    kept = kept_of(
        {
            "id": id_, "title": title, "filename": f"{title}.mp4", "content_sha256": content,
            "media_key": f"ad-{id_}.mp4", "poster_key": f"ad-{id_}.jpg", "duration_s": 5.5, "width_px": 64,
            "height_px": 36, "tags": {"comment": "dogs"}, "added_at": "2026-11-26T05:27:00.000+00:00",
        }
    )  # fmt: skip
    scratch.mkdir(parents=True, exist_ok=True)
    for key in kept.keys:
        (scratch / "file").write_bytes(f"{key} ".encode() * 50)
        services.store.put(scratch / "file", key, ignore_progress)
    assert services.ads.book.take(kept)
    return kept


def label(services: Services) -> None:
    """Work out what the videos answer, as the app does in the background."""
    assert services.relabel is not None
    while services.relabel.one_batch():
        pass


def remember(services: Services) -> None:
    """Leave behind what people leave behind."""
    wolf, office = id_of("Grey wolf in a forest"), id_of("Tax office")
    services.taste.mark("Anna", wolf, "like")
    services.taste.mark("Anna", id_of("Calm river and trees"), "like")
    services.taste.mark("Anna", office, "dislike")
    services.taste.mark("Ben", wolf, "seen")
    services.channels.save("Calm nature", [("category", "nature"), ("mood", "calm")])
    services.add_theme("category", "Bureaucracy", ["tax office"])
    label(services)
    services.correct(wolf, "category", "comedy", True)


def answers(services: Services) -> list[list[tuple[object, ...]]]:
    """Return what the twenty questions find, over HTTP."""
    client = TestClient(Starlette(routes=routes(lambda: services)))
    found = []
    for question in QUESTIONS:
        answer = client.post("/search", json=question)
        assert answer.status_code == 200, answer.text
        hits = answer.json()
        found.append([(hit["video_id"], hit["start_time"], hit["confidence"], round(hit["score"], 4)) for hit in hits])
    return found


def labels(services: Services) -> dict[str, tuple[object, ...]]:
    """Return what each video is said to be."""
    return {
        entry.video_id: (entry.title, entry.categories, entry.moods, entry.tags, entry.subtitles, entry.caption_keys)
        for entry in services.index.scroll(scope="video")
    }


def id_of(title: str) -> str:
    return make_entries(title)[0].video_id


def _with_captions(entry: object, track: str) -> object:
    from dataclasses import replace

    whole = entry.scope == "video"
    return replace(
        entry,
        caption_keys=(track,),
        subtitle_languages=("en",),
        tags=entry.tags if whole else None,
        subtitles=entry.subtitles if whole else None,
    )
