"""What is known of a file on its way into the library, and which step comes next."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, fields, replace
from enum import IntEnum
from typing import Any, TypeVar

from core.models import MediaInfo, Stage

Known = TypeVar("Known")
STORED = "stored"
"""Scheme of the sources that are videos of the library: "stored:VIDEO_ID:ENCODER"."""
HANDED = "handed"
"""Scheme of the uploads that were handed over through the store, for any machine to take: "handed:KEY"."""
FETCHED = "s3"
"""Scheme of the sources that are fetched as they are, not made: "s3://BUCKET/KEY"."""


class Step(IntEnum):
    """What a job does next. The order is the order of the work."""

    IDENTIFY = 0
    INSPECT = 1
    STORE = 2
    EMBED = 3
    INDEX = 4
    TIDY = 5

    @property
    def stage(self) -> Stage:
        """Return the stage that a person sees while this step runs."""
        return _STAGES[self]


_STAGES = {
    Step.IDENTIFY: Stage.CHECKING,
    Step.INSPECT: Stage.CHECKING,
    Step.STORE: Stage.STORING,
    Step.EMBED: Stage.EMBEDDING,
    Step.INDEX: Stage.INDEXING,
    Step.TIDY: Stage.INDEXING,
}


@dataclass(frozen=True, slots=True)
class Work:
    """What is known of the file of one job, and which step comes next."""

    job_id: str
    source: str
    """An absolute path, or "scheme:NAME" for one of the pipeline's sources or for a video of the library."""
    filename: str
    """The name to show; never used as a path."""
    owned: bool = False
    """The file is our spooled copy of an upload: it goes when the job is done with."""
    step: Step = Step.IDENTIFY
    encoder: str | None = None
    """The encoder that the embedding belongs to."""
    fingerprint: tuple[int, int] | None = None
    """Size and time of change of the file that was hashed, to notice cheaply that it is another one now."""
    sha256: str | None = None
    video_id: str | None = None
    info: MediaInfo | None = None
    title: str | None = None
    media_key: str | None = None
    poster_key: str | None = None
    ingested_at: str | None = None
    caption_keys: tuple[str, ...] = ()
    """Of the tracks that are stored."""
    seen: tuple[str, ...] = ()
    by: str | None = None
    """Who added it, where that is known by name: whose minutes it uses."""

    @property
    def is_made(self) -> bool:
        """Whether one of the pipeline's sources makes the file, here. (A drive's letter is no scheme.)"""
        scheme, colon, _ = self.source.partition(":")
        return bool(colon) and scheme not in (STORED, HANDED, FETCHED) and not os.path.isabs(self.source)

    @property
    def handed(self) -> str | None:
        """The key in the store of an upload that was handed over; None for any other file."""
        scheme, _, key = self.source.partition(":")
        return key if scheme == HANDED else None

    @property
    def target(self) -> str | None:
        """The encoder into whose space a video of the library is put; None for a file that is added."""
        scheme, _, rest = self.source.partition(":")
        return rest.partition(":")[2] if scheme == STORED else None

    @property
    def stored_id(self) -> str:
        """The id of the video of the library that `target` is about."""
        return self.source.split(":")[1]

    @property
    def claim(self) -> str | None:
        """What no other job may be at work on: the content, in each space that it goes into. None as yet unknown."""
        return self.sha256 if self.sha256 is None or self.target is None else f"{self.sha256}:{self.target}"

    def without_texts(self) -> Work:
        """Return it as it is kept once its video is in the library: subtitles, which may be long, are there now."""
        if self.info is None:
            return self
        return replace(self, info=replace(self.info, subtitles="", captions=()))

    def to_json(self) -> str:
        """Return it as ASCII, so that a path of any bytes can be written down."""
        row = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.info is not None:
            row["info"] = info_row(self.info)
        return json.dumps(row)

    @classmethod
    def from_json(cls, text: str) -> Work:
        """Return the work that `to_json` wrote down."""
        row = json.loads(text)
        row["step"] = Step(row["step"])
        row["fingerprint"] = row["fingerprint"] and tuple(row["fingerprint"])
        if row["info"] is not None:
            row["info"] = info_from(row["info"])
        row["seen"] = tuple(row["seen"])
        row["caption_keys"] = tuple(row.get("caption_keys", ()))
        return cls(**row)


def info_row(info: MediaInfo) -> dict[str, Any]:
    """Return what is known of a file as JSON can hold it."""
    return {field.name: getattr(info, field.name) for field in fields(info)} | {"tags": dict(info.tags)}


def info_from(row: dict[str, Any]) -> MediaInfo:
    """Return what `info_row` made a row of; one of an earlier release knows no languages and no captions."""
    languages = tuple(row.get("subtitle_languages", ()))
    captions = tuple((language, text) for language, text in row.get("captions", ()))
    return MediaInfo(**row | {"subtitle_languages": languages, "captions": captions})


def stored_source(video_id: str, encoder: str) -> str:
    """Return the source of a job that puts a video of the library into the space of another encoder."""
    return f"{STORED}:{video_id}:{encoder}"


def known(value: Known | None) -> Known:
    """Return what an earlier step has found out."""
    if value is None:
        raise RuntimeError("A step was taken before the one that it needs.")
    return value
