"""Change what a video is called and tagged, in every space, and say what an encoder got wrong.

An encoder that reads names has the words of a video in its vectors, so they are made anew, from the vectors that are
there: nothing is decoded and nothing paid. Vectors of one that only sees and hears stay as they are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import cast

import numpy as np

from core.encoders.base import NameReader
from core.errors import MediaError, QueryError
from core.index.base import Index
from core.ingest import sandbox
from core.ingest.titles import MAX_TITLE_CHARS
from core.library.spaces import Serving
from core.models import Entry, MediaInfo, Video
from core.names import clean_name
from core.stores.base import Store

MAX_TAGS, TAG_CHARS = 40, 40
PAST = ""
"""The version of labels that are to be worked out anew."""


class Editor:
    """Edit videos. Safe to use from several threads; raises what the spaces raise."""

    def __init__(self, serving: Serving, store: Store, changed: Callable[[], None] = lambda: None) -> None:
        """`changed` is told of every change."""
        self._changed = changed
        self._serving = serving
        self._store = store
        self._lock = threading.Lock()

    def edit(self, video_id: str, *, title: str | None = None, tags: Sequence[str] | None = None) -> bool:
        """Give a video another title, other tags, or both; return whether it is in the library. Raises QueryError."""
        title = None if title is None else clean_name(title, "A title", MAX_TITLE_CHARS)
        tags = None if tags is None else clean_tags(tags)
        with self._lock, self._serving.every() as indexes:
            known = next(self._serving.serving.index.scroll(video_id=video_id, scope="video"), None)
            if known is None:
                return False
            if title is None and tags is None:
                return True
            words = dict(self._words(known))
            if title is not None and "title" in words:
                words["title"] = title  # the file's own would go on being found
            if tags is not None:
                words["keywords"] = ", ".join(tags)
            for encoder, index in indexes.items():
                self._rewrite(index, encoder, video_id, title or known.title, words)
        self._changed()
        return True

    def unlabel(self, contents: Collection[str]) -> None:
        """Have what contents answer worked out anew in every space: in one that does not answer now, when it does."""
        with self._lock, self._serving.every() as indexes:
            for index, content in product(indexes.values(), contents):
                wholes = index.scroll(content_sha256=content, scope="video", with_vectors=False)
                # Of the labels the version alone: what else there is goes on serving until there are others.
                past = [
                    replace(whole, categories=None, moods=None, standings=None, typical_s=None, labels_version=PAST)
                    for whole in wholes
                    if whole.labels_version is not None
                ]
                if past:
                    index.label(past)

    def _rewrite(self, index: Index, encoder: str, video_id: str, title: str, words: dict[str, str]) -> None:
        """Write all entries of a video in one space anew, its own last."""
        entries = sorted(index.scroll(video_id=video_id), key=lambda entry: entry.scope == "video")
        if not entries:
            return
        whole = replace(entries[-1], title=title, tags=words)
        vectors = np.array([entry.vector for entry in entries])
        reader = self._serving.encoder_of(encoder)
        if reader is not None and reader.info.reads_names:
            vectors = cast(NameReader, reader).reword(vectors, _video(whole))
        index.upsert(
            [
                replace(
                    entry,
                    vector=vector,
                    title=title,
                    tags=words if entry.scope == "video" else None,
                    labels_version=None,  # what it answers may be another thing now: it is worked out anew
                )
                for entry, vector in zip(entries, vectors, strict=True)
            ]
        )

    def _words(self, entry: Entry) -> dict[str, str]:
        """Return the tags of the file that was added; release 0.1.0 kept none, so its stored copy is asked."""
        if entry.tags is not None:
            return dict(entry.tags)
        path = self._store.local_path(entry.media_key)
        try:
            return dict(sandbox.inspect(path).tags) if path is not None and path.is_file() else {}
        except MediaError:
            return {}


def clean_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Return tags as they are kept, each once. Raises QueryError for what cannot be one."""
    parts = [part for tag in tags for part in tag.replace(";", ",").replace("|", ",").split(",") if part.strip()]
    clean = tuple(dict.fromkeys(clean_name(part, "A tag", TAG_CHARS) for part in parts))
    if len(clean) > MAX_TAGS:
        raise QueryError(
            "A video has at most {most} tags, and these are {count}. Leave some out.", most=MAX_TAGS, count=len(clean)
        )
    return clean


def _video(entry: Entry) -> Video:
    """Return a video as an encoder reads its words."""
    info = MediaInfo(
        duration_s=entry.duration_s,
        size_bytes=0,
        width_px=entry.width_px,
        height_px=entry.height_px,
        rotation_deg=0,
        fps=0.0,
        container="",
        video_codec="",
        audio_codec=None,
        playable="as-is",
        tags=entry.tags or {},
        subtitles=entry.subtitles or "",
        subtitle_languages=entry.subtitle_languages,
    )
    return Video(Path(entry.media_key), entry.filename, entry.title, entry.content_sha256, info)
