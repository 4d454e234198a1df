"""Videos whose categories and mood a person has given, encoded under their own names and under ones that say nothing.

Shared by the scripts that measure what is found (quality.py, taste.py).
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core import samples  # noqa: E402
from core.discover import taxonomy  # noqa: E402
from core.discover.search import MAX_LIMIT, Discover  # noqa: E402
from core.discover.taxonomy import Theme  # noqa: E402
from core.encoders import local  # noqa: E402
from core.encoders.clip import ClipEncoder  # noqa: E402
from core.encoders.local import LocalEncoder  # noqa: E402
from core.index import base  # noqa: E402
from core.index.edge import EdgeIndex  # noqa: E402
from core.ingest import inspecting, titles  # noqa: E402
from core.models import Entry, MediaInfo, Query, Video, VideoEmbedding, ignore_progress  # noqa: E402
from core.state.sqlite import SqliteShelf  # noqa: E402
from core.state.taste import TasteBook  # noqa: E402
from core.stores.folder import FolderStore  # noqa: E402

CATEGORY_ALONE = 0.3
FIRST_PHONE_NUMBER = 410


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A labelled video: what a person says of it, and what the encoder makes of it with and without names."""

    video: Video
    labels: frozenset[str]
    """Ids or labels of categories and moods, in lower case."""
    named: VideoEmbedding
    neutral: VideoEmbedding

    def fits(self, theme: Theme) -> bool:
        """Tell whether a person gave it this category or mood."""
        return not {theme.id, theme.label.casefold()}.isdisjoint(self.labels)


@dataclass(frozen=True, slots=True, eq=False)
class Library:
    """Labelled videos and Discover over them."""

    name: str
    videos: tuple[Labelled, ...]
    ids: tuple[str, ...]
    """The video ids in the order of the videos."""
    discover: Discover


@dataclass(frozen=True, slots=True)
class Question:
    """A press: a category, a mood or both."""

    category: Theme | None = None
    mood: Theme | None = None

    @property
    def typed(self) -> str:
        return " ".join(theme.label for theme in (self.mood, self.category) if theme)

    @property
    def query(self) -> Query:
        return Query(
            categories=(self.category.id,) if self.category else (),
            moods=(self.mood.id,) if self.mood else (),
            limit=MAX_LIMIT,
        )

    def worth(self, video: Labelled) -> float:
        """Return what a video is worth as an answer, 0 to 1."""
        fits = [video.fits(theme) for theme in (self.category, self.mood) if theme]
        return 1.0 if all(fits) else CATEGORY_ALONE if self.category and fits[0] else 0.0


def load(corpus: Path, encoder: LocalEncoder | ClipEncoder) -> list[Labelled]:
    """Encode every labelled video of a folder, under its own name and under one that says nothing."""
    with (corpus / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if (corpus / row["name"]).is_file()]
    return [
        labelled(corpus / row["name"], number, re.split("[;/]", f"{row['categories']};{row['mood']}"), encoder)
        for number, row in enumerate(rows, start=1)
    ]


def load_samples(folder: Path, encoder: LocalEncoder | ClipEncoder, *, without_genre: bool = False) -> list[Labelled]:
    """Render the scenes that are not in the folder, two at a time, and encode all."""
    missing = [scene.name for scene in samples.SCENES if not (folder / f"{scene.name}.mp4").exists()]
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(samples.render, name, folder / f"{name}.mp4") for name in missing]:
            done.result()
    return [
        labelled(
            folder / f"{scene.name}.mp4", number, (*scene.categories, scene.mood), encoder, without_genre=without_genre
        )
        for number, scene in enumerate(samples.SCENES, start=101)
    ]


def labelled(
    path: Path,
    number: int,
    labels: Collection[str],
    encoder: LocalEncoder | ClipEncoder,
    *,
    without_genre: bool = False,
) -> Labelled:
    """Encode a video under its own name and under one that says nothing."""
    info = inspecting.inspect(path)
    if without_genre:
        info = replace(info, tags={name: text for name, text in info.tags.items() if name != "genre"})
    known = Video(path, path.name, titles.title_of(path.name, info.tags) or path.name, "", info)
    unknown = without_words(known, number)
    # Decoded once for both: what is measured and seen does not know the name.
    if isinstance(encoder, ClipEncoder):
        looked = encoder.look(known, ignore_progress)
        named, neutral = encoder.embed(*looked, known), encoder.embed(*looked, unknown)
    else:
        measured = local.measure(path)
        named, neutral = local.embed(measured, known), local.embed(measured, unknown)
    return Labelled(known, frozenset(label.strip().casefold() for label in labels), named, neutral)


def without_words(video: Video, number: int) -> Video:
    """Return the video under the name a phone would give it, its tags and subtitles taken away."""
    name = f"IMG_{FIRST_PHONE_NUMBER + number:04d}{video.path.suffix}"
    info: MediaInfo = replace(video.info, tags={}, subtitles="")
    return replace(video, filename=name, title=titles.title_of(name, {}) or name, info=info)


def open_library(
    name: str, videos: Sequence[Labelled], folder: Path, encoder: LocalEncoder | ClipEncoder, *, neutral: bool = False
) -> Library:
    """Put videos into an index of their own and open Discover over it; tastes are kept in the same folder."""
    index = EdgeIndex(folder / name, encoder.info)
    entries = [entries_of(video, video.neutral if neutral else video.named, encoder.info.name) for video in videos]
    taste = TasteBook(SqliteShelf(folder / f"{name}.sqlite3", "taste"))
    store = FolderStore(folder / "media")
    discover = Discover(encoder=encoder, index=index, store=store, taxonomy=taxonomy.load(), taste=taste)
    index.upsert([entry for of_one in entries for entry in discover.with_labels(of_one)])
    return Library(name, tuple(videos), tuple(of_one[0].video_id for of_one in entries), discover)


def entries_of(labelled: Labelled, embedding: VideoEmbedding, encoder: str) -> list[Entry]:
    """Return what ingest would put into the index: the whole video first, then its clips."""
    video, info = labelled.video, labelled.video.info
    sha = hashlib.sha256(str(video.path).encode()).hexdigest()
    id_ = base.video_id(sha)
    whole = Entry(
        video_id=id_, scope="video", start_s=0.0, end_s=info.duration_s, vector=embedding.vector,
        filename=video.filename, title=video.title, media_key=f"{id_}.mp4", poster_key=None,
        duration_s=info.duration_s, width_px=info.width_px, height_px=info.height_px, has_audio=info.has_audio,
        encoder=encoder, content_sha256=sha, ingested_at="2026-11-23T08:00:00+00:00", seen=embedding.seen,
    )  # fmt: skip
    return [whole] + [
        replace(whole, scope="clip", start_s=clip.start_s, end_s=clip.end_s, vector=clip.vector, seen=clip.seen)
        for clip in embedding.clips
    ]


def labels(discover: Discover, query: Query) -> Mapping[str, str]:
    """Return the label of each video that is shown, by title; one folded into another has the other's."""
    return {title: str(hit.confidence) for hit in discover.search(query).hits for title in (hit.title, *hit.copies)}


def area(score: np.ndarray, right: np.ndarray) -> float:
    """Return how often a right one scores above a wrong one, ties counted half; nan without one of each."""
    if right.all() or not right.any():
        return float("nan")
    difference = np.round(score[right][:, None] - score[~right][None, :], 6)
    return float((difference > 0).mean() + 0.5 * (difference == 0).mean())


def add_samples_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where the sample library is, for the scripts that use it."""
    parser.add_argument("--samples", type=Path, metavar="FOLDER", help="where the scenes are, or are rendered to")
    parser.add_argument("--no-samples", dest="with_samples", action="store_false", help="the corpus alone")
    parser.add_argument("--without-genre", action="store_true", help="take the categories out of the samples' tags")
