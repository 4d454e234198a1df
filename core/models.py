"""The nouns of the domain: frozen dataclasses with raw numbers; formatting is the page's work.

Units are in the names: `_s` seconds, `_bytes`, `_px`. Vectors are float32 arrays of shape (dimension,).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # annotations only: the command line and the sample catalogue start without numpy
    import numpy as np

Progress = Callable[[float], None]
"""Told the fraction done, 0 to 1. It may raise `Cancelled`, which ends the work that called it."""

Scope = Literal["video", "clip"]
Confidence = Literal["high", "medium", "low"]
PartKind = Literal["category", "mood", "words", "similar", "picture"]
"""What a part of a query is."""


def ignore_progress(fraction: float) -> None:
    """Take progress and do nothing with it."""


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a video file says of itself after it was opened and decoded. Sizes are as displayed (rotated)."""

    duration_s: float
    size_bytes: int
    width_px: int
    height_px: int
    rotation_deg: int
    """How far a player turns the coded picture, clockwise: 0, 90, 180 or 270."""
    fps: float
    container: str
    video_codec: str
    audio_codec: str | None
    playable: Literal["as-is", "remux", "transcode"]
    """What a browser needs to play it."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Container tags, keys in lower case: title, description, genre, comment, keywords …"""
    subtitles: str = ""
    """Plain text of embedded and sidecar subtitles, without times."""
    subtitle_languages: tuple[str, ...] = ()
    """Codes as of core/languages.py: en, pt-br …; empty where no subtitles say."""
    captions: tuple[tuple[str, str], ...] = ()
    """The tracks of subtitles with their times: each its language and its WebVTT (core/ingest/captions.py)."""

    @property
    def has_audio(self) -> bool:
        return self.audio_codec is not None


@dataclass(frozen=True, slots=True)
class Video:
    """A source asset on its way into the library: the bytes on this machine and what is known of them."""

    path: Path
    filename: str
    """The name the person gave it. Text only; never used as a path."""
    title: str
    content_sha256: str
    info: MediaInfo
    url: str | None = None
    """Where a remote encoder can read the stored copy, if the store can say."""
    s3_uri: str | None = None
    """Where Amazon's own services can, as s3://bucket/key; None where it is not kept in S3."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is far and near in an encoder's space, in units that no scaling or shifting of its cosines changes.

    See core/discover/relevance.py: the *reach* is how far names of categories lie from texts that ask for nothing. The
    defaults were found with the local encoder, and with a model fused with it that is as unsure as CLIP
    (bench/quality.py); they hold for one that nothing is known of.
    """

    spread: float = 0.1
    """How much what a video is to one text usually differs from what it is to others, in reaches squared."""
    fits: float = 1.0
    """Standing from which a video answers at all. Under names that say nothing the local encoder claims next
    to no category from here on, and under names that tell them it finds four in five."""
    related: float = 1.1
    strong: float = 1.7
    """Standings from which a video is related, and a strong match. Of the right videos of the corpus and the sample
    library, three in four are related or better to their category, half are strong."""
    least_spread: float = 0.03
    """The least by which likenesses of videos differ in a library, in reaches squared: in one of two videos or of many
    copies they do not tell."""
    same: float = 0.03
    """Distance (1 − cosine) of two videos, in reaches squared, below which they are copies of one: re-encoded, scaled,
    slightly trimmed."""


@dataclass(frozen=True, slots=True)
class EncoderInfo:
    """Describe an encoder before it is used."""

    name: str
    """Names the vector space: two encoders with the same name make comparable vectors."""
    dimension: int
    sees: tuple[str, ...]
    """What it can perceive, as short phrases for the screen."""
    blind_to: tuple[str, ...]
    """What it cannot perceive, as short phrases for the screen."""
    parallel: int = 2
    """How many videos it is worth encoding at the same time."""
    paid: bool = False
    """A service encodes and charges by the minute of video: whoever encodes waits for it rather than works."""
    max_duration_s: float | None = None
    max_bytes: int | None = None
    """What it takes at most, checked before anything is stored or paid for; None where it does not mind."""
    images: bool = False
    """Whether it can put a still picture into the same space: it has `encode_image` (see encoders/base.py)."""
    recognises: bool = False
    """Whether it tells what is in a picture: things, places, actions."""
    reads_names: bool = False
    """Whether titles, file names and tags are in its vectors: it has `reword` (see encoders/base.py)."""
    calibration: Calibration = Calibration()


@dataclass(frozen=True, slots=True, eq=False)
class ClipEmbedding:
    """A span [start_s, end_s) of a video as a vector, and what was seen in it in words."""

    start_s: float
    end_s: float
    vector: np.ndarray
    seen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class VideoEmbedding:
    """A whole video as one vector, and its clips in order of time."""

    vector: np.ndarray
    clips: tuple[ClipEmbedding, ...]
    seen: tuple[str, ...] = ()
    """What the encoder saw, most telling first: ("dark", "fast cuts", "loud"). Empty if it cannot say."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One searchable thing in the index: a whole video (scope "video") or one of its clips."""

    video_id: str
    scope: Scope
    start_s: float
    end_s: float
    vector: np.ndarray
    filename: str
    title: str
    media_key: str
    poster_key: str | None
    duration_s: float
    width_px: int
    height_px: int
    has_audio: bool
    encoder: str
    content_sha256: str
    ingested_at: str
    """UTC, ISO 8601."""
    seen: tuple[str, ...] = ()
    subtitle_languages: tuple[str, ...] = ()
    caption_keys: tuple[str, ...] = ()
    """Where the store has its subtitles as WebVTT, a key a track."""
    tags: Mapping[str, str] | None = None
    """Container tags of the file that was added, for encoding anew; None on clips, where a search left them out, and on
    what release 0.1.0 wrote."""
    subtitles: str | None = None
    """Their plain text, at most 20,000 characters; None as with tags."""
    categories: tuple[str, ...] | None = None
    """Ids of the categories that its video answers; None where nobody has said yet (all of the labels)."""
    moods: tuple[str, ...] | None = None
    standings: Mapping[str, float] | None = None
    """By the ids of categories and moods, how far the video stands out to each; None on clips."""
    typical_s: tuple[float, float] | None = None
    """From when to when the clip is that is most like the whole; None on clips."""
    labels_version: str | None = None
    """What the labels were made with. Another one than today's means that they are to be made again."""


@dataclass(frozen=True, slots=True, eq=False)
class Taste:
    """What a person likes and dislikes, as unit vectors, to search by: at least one of either.

    An entry is scored as Qdrant's recommend query does with the strategy best-score. With p its highest cosine to a
    like, n that to a dislike (minus infinity where there is none) and s(x) = (1 + x / (1 + |x|)) / 2, the score is
    s(p) if p > n, else -s(n). So it is no cosine: 0.25 to 0.75 for what is nearer to a like, -0.75 to -0.25 for what
    is nearer to a dislike. Source: qdrant, lib/segment/src/vector_storage/query/reco_query.rs, RecoBestScoreQuery.
    """

    likes: tuple[np.ndarray, ...] = ()
    dislikes: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """An entry and its cosine to the vector that was searched for, -1 to 1, or what a Taste gives it."""

    entry: Entry
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """The entries of one video that came up in a search, best first."""

    video_id: str
    scored: tuple[Scored, ...]

    @property
    def score(self) -> float:
        return self.scored[0].score


@dataclass(frozen=True, slots=True)
class Counts:
    videos: int
    clips: int


Sort = Literal["match", "newest", "oldest", "shortest", "longest"]


Filters = Mapping[str, tuple[str, ...]]
"""What a video must be like beside what is in it: by property (`core/properties.py`) the values that will do; none ask
for nothing."""
Facets = Mapping[str, Mapping[str, int]]
"""By property, how many of the fitting videos have each value, with the filters for other properties: all values of a
fixed list; of an open vocabulary those that occur, most frequent first. A video counts for each of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """What a person asks for. With nothing asked and a profile that likes something, it is "For you"."""

    text: str = ""
    categories: tuple[str, ...] = ()
    """Ids or labels; several are mixed."""
    moods: tuple[str, ...] = ()
    strength: float = 0.4
    """How much the mood counts beside the rest: 0 leaves it out, 1 leaves nothing but it."""
    like: str | None = None
    """Id of a video to find more like."""
    like_at_s: float | None = None
    """A time in that video: more like this very moment."""
    among: tuple[str, ...] = ()
    """Ids of the only videos to look at, that of `like` too; all where none are named."""
    picture: np.ndarray | None = None
    """A picture to find the like of, (height, width, 3) uint8 RGB."""
    profile: str | None = None
    """Whose taste counts."""
    hide_seen: bool = False
    variety: float = 0.0
    """0 is the closest videos, 1 the most varied of the fitting ones."""
    filters: Filters = field(default_factory=dict)
    sort: Sort = "match"
    limit: int = 12
    offset: int = 0
    fold: bool = True
    """Show near-duplicates as one, with the titles of the others; programs get each by itself."""
    facets: bool = True
    """Count by properties what fits; programs get no numbers."""

    @property
    def asks(self) -> bool:
        """Tell whether anything is asked for by content."""
        return bool(self.text.strip() or self.categories or self.moods or self.like or self.picture is not None)


@dataclass(frozen=True, slots=True)
class Reason:
    """One part of a query, what it contributed to a hit, and how it stands out."""

    kind: PartKind | Literal["taste"]
    label: str
    score: float
    """Product of this part and the video; for taste Qdrant's best score."""
    share: float
    """What it added to the hit's score."""
    standing: float
    """How far it is above what is usual for this video (see core/discover/relevance.py)."""


@dataclass(frozen=True, slots=True)
class Moment:
    start_s: float
    end_s: float
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A video that answers a query, with the moment at which it does."""

    video_id: str
    title: str
    filename: str
    url: str
    poster_url: str | None
    start_s: float
    end_s: float
    duration_s: float
    width_px: int
    height_px: int
    has_audio: bool
    ingested_at: str
    score: float
    confidence: Confidence | None
    """How well it answers what was asked; None where nothing was asked."""
    reasons: tuple[Reason, ...] = ()
    moments: tuple[Moment, ...] = ()
    """Matching clips, best first."""
    seen: tuple[str, ...] = ()
    caption_keys: tuple[str, ...] = ()
    """Where the store has its subtitles as WebVTT, a key a track."""
    copies: tuple[str, ...] = ()
    """Titles of near-duplicates folded into this hit."""


@dataclass(frozen=True, slots=True)
class Results:
    """The answer to a query."""

    hits: tuple[Hit, ...]
    total: int
    """How many videos fit, copies that are folded into another counted."""
    facets: Facets
    alternatives: tuple[str, ...] = ()
    """Ids of categories close to what was asked that would find something; filled when nothing fits."""
    all_seen: bool = False
    """Everything that fits has been seen by this profile: so it is shown after all."""
    exact: bool = True
    """The total is that of the whole library; otherwise it is what was found so far."""
    next_offset: int | None = None
    """Where to go on; None where nothing comes after these hits."""


class Stage(StrEnum):
    """Where a job is. The order is the order of the work."""

    QUEUED = "queued"
    CHECKING = "checking"
    STORING = "storing"
    EMBEDDING = "embedding"
    INDEXING = "indexing"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        return self in (Stage.READY, Stage.FAILED, Stage.CANCELLED)


@dataclass(frozen=True, slots=True)
class Job:
    """One file on its way into the library."""

    id: str
    filename: str
    stage: Stage
    progress: float
    """Fraction of the present stage, 0 to 1."""
    elapsed_s: float
    """Working time so far, waiting in the queue not counted."""
    created_at: str
    """UTC, ISO 8601."""
    reason: str | None = None
    """Why it failed, or what a person should know of a ready one."""
    video_id: str | None = None
    duplicate: bool = False
    """Ready without work: the same content was in the library already."""
    seen: tuple[str, ...] = ()
    """What the encoder saw, once embedded."""
    media_key: str | None = None
    """Store key of the playable copy, once stored."""
    reembeds: str | None = None
    """The encoder into whose space it puts a video of the library; None for a file that is added."""
    drawing: bool = False
    """While it is checked: the file is not there yet, it is being made here."""

    @property
    def overall(self) -> float:
        """Return the fraction of the whole way done, 0 to 1, each stage weighted by its usual share of the time."""
        done = 0.0
        for stage, weight in STAGE_WEIGHTS.items():
            if stage == self.stage:
                return done + weight * self.progress
            done += weight
        return 1.0 if self.stage.is_over else 0.0


@dataclass(frozen=True, slots=True)
class ToEncode:
    """How much video of the open jobs has no embedding yet."""

    seconds: float
    """Of the files that were checked."""
    unchecked: int
    """Files whose length is not known yet."""


@dataclass(frozen=True, slots=True)
class EncoderPause:
    """What a person should know while the encoder takes nothing."""

    reason: str
    """What is wrong and what to do."""
    waiting: int
    """How many files wait for the encoder."""
    retry_in_s: float | None
    """When it is tried again; None while it is being tried."""


STAGE_WEIGHTS: Mapping[Stage, float] = {
    Stage.CHECKING: 0.1,
    Stage.STORING: 0.4,
    Stage.EMBEDDING: 0.45,
    Stage.INDEXING: 0.05,
}
