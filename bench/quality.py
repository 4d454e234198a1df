"""Does the local encoder find the right mood without names, and the right category with them?

    python bench/quality.py [CORPUS_DIR]

CORPUS_DIR (or $CORPUS_DIR, or ../shared/corpus) holds videos and a labels.csv with the columns name, categories
(labels, separated by ";") and mood. Every video is decoded and encoded once by the real encoder; nothing is kept
between runs. Printed is the area under the ROC curve: how often a right video ranks before a wrong one, ties half.

1. Moods, with names that say nothing (clip_01.mp4), no tags, no subtitles: moods with at least 2 videos.
2. Categories, with the real names and tags: categories with at least 3 videos.

Beside both: chance, and the same with the words alone (percepts taken out of the query). Exit 1 below the targets.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core import media, taxonomy  # noqa: E402
from core.discover import ensemble, unit  # noqa: E402
from core.encoders.local import LocalEncoder, embed, measure  # noqa: E402
from core.encoders.percepts import PERCEPTS  # noqa: E402
from core.models import MediaInfo, Video, VideoEmbedding  # noqa: E402
from core.taxonomy import Theme  # noqa: E402

MOOD_TARGET, CATEGORY_TARGET = 0.68, 0.80
MOOD_LEAST, CATEGORY_LEAST = 2, 3
_SPREAD_DRAWS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A video of the corpus: what a person says of it, and what the encoder makes of it with and without names."""

    name: str
    categories: frozenset[str]
    mood: str
    named: VideoEmbedding
    neutral: VideoEmbedding


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(os.environ.get("CORPUS_DIR", ROOT / "../shared/corpus"))
    arguments.add_argument("corpus", nargs="?", type=Path, default=default)
    corpus = arguments.parse_args().corpus
    began = time.perf_counter()
    encoder = LocalEncoder()
    themes = taxonomy.load()
    videos = load(corpus)
    print(f"{len(videos)} videos of {corpus.resolve()}, encoded by {encoder.info.name}\n")

    mood = report(
        "mood, neutral names",
        encoder,
        [(theme, [video.mood in (theme.id, theme.label.casefold()) for video in videos]) for theme in themes.moods],
        [video.neutral for video in videos],
        MOOD_LEAST,
        MOOD_TARGET,
    )
    category = report(
        "category, real names",
        encoder,
        [
            (theme, [not video.categories.isdisjoint((theme.id, theme.label.casefold())) for video in videos])
            for theme in themes.categories
        ],
        [video.named for video in videos],
        CATEGORY_LEAST,
        CATEGORY_TARGET,
    )
    print(f"took {time.perf_counter() - began:.0f} s")
    return 0 if mood and category else 1


def load(corpus: Path) -> list[Labelled]:
    """Encode every labelled video of a folder, under its own name and under one that says nothing."""
    with (corpus / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    videos = []
    for number, row in enumerate(rows, start=1):
        path = corpus / row["name"]
        info = media.inspect(path)
        known = Video(path, path.name, media.title_of(path.name, info.tags) or path.name, "", info)
        measured = measure(path)  # Once for both: what is measured does not know the name.
        named, neutral = embed(measured, known), embed(measured, without_words(known, number))
        categories = frozenset(label.strip().casefold() for label in row["categories"].split(";"))
        videos.append(Labelled(path.name, categories, row["mood"].strip().casefold(), named, neutral))
    return videos


def without_words(video: Video, number: int) -> Video:
    """Return the video under a neutral name, its tags and subtitles taken away."""
    name = f"clip_{number:02d}{video.path.suffix}"
    info: MediaInfo = replace(video.info, tags={}, subtitles="")
    return replace(video, filename=name, title=name.rpartition(".")[0], info=info)


def report(
    title: str,
    encoder: LocalEncoder,
    questions: Sequence[tuple[Theme, list[bool]]],
    videos: Sequence[VideoEmbedding],
    least: int,
    target: float,
) -> bool:
    """Print a table of areas, one row a question with enough right answers, and return whether the mean is enough."""
    asked = [(theme, np.array(right)) for theme, right in questions if least <= sum(right) < len(right)]
    print(f"{title:28}{'videos':>7}{'chance':>8}{'words':>8}{'local':>8}")
    if not asked:
        print(f"no {title.split(',')[0]} has at least {least} videos\n")
        return False
    rows, columns = [], []
    for theme, right in asked:
        query = ensemble(encoder.encode_text(theme.prompts))
        score = scores(query, videos)
        columns.append((score, right))
        rows.append((area(scores(only_words(query), videos), right), area(score, right)))
        print(f"  {theme.label:26}{right.sum():7d}{0.5:8.2f}{rows[-1][0]:8.2f}{rows[-1][1]:8.2f}")
    words, local = np.mean(rows, axis=0)
    low, high = spread(columns, len(videos))
    print(f"  {'mean':26}{'':7}{0.5:8.2f}{words:8.2f}{local:8.2f}   target {target:.2f}", end="  ")
    print(f"{'reached' if local >= target else 'MISSED'}; {low:.2f} to {high:.2f} with any fifth left out\n")
    return bool(local >= target)


def scores(query: np.ndarray, videos: Sequence[VideoEmbedding]) -> np.ndarray:
    """Return the score of each video as the index ranks it: its best entry, the whole or one of its clips."""
    return np.array([max(query @ v for v in (video.vector, *(c.vector for c in video.clips))) for video in videos])


def only_words(query: np.ndarray) -> np.ndarray:
    """Return the query without the percepts it asks for."""
    words = query.copy()
    words[: len(PERCEPTS)] = 0
    return unit(words)


def area(score: np.ndarray, right: np.ndarray) -> float:
    """Return how often a right one scores above a wrong one, ties counted half; nan without one of each."""
    if right.all() or not right.any():
        return float("nan")
    difference = np.round(score[right][:, None] - score[~right][None, :], 6)
    return float((difference > 0).mean() + 0.5 * (difference == 0).mean())


def spread(columns: Sequence[tuple[np.ndarray, np.ndarray]], count: int) -> tuple[float, float]:
    """Return the 5th and 95th percentile of the mean area when a random fifth of the videos is left out."""
    random = np.random.default_rng(0)
    means = []
    for _ in range(_SPREAD_DRAWS):
        keep = random.permutation(count)[count // 5 :]
        areas = np.array([area(score[keep], right[keep]) for score, right in columns])
        if not np.isnan(areas).all():
            means.append(np.nanmean(areas))
    low, high = np.percentile(means, [5, 95])
    return float(low), float(high)


if __name__ == "__main__":
    sys.exit(main())
