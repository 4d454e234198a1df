"""Embeddings of jobs on disk, and as the entries of an index."""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.files import whole
from core.ingest.work import Work, known
from core.models import ClipEmbedding, Entry, VideoEmbedding


def save_embedding(embedding: VideoEmbedding, path: Path, encoder: str | None = None) -> None:
    """Write an embedding, and whose it is, so that the path holds all of it, also after a power cut, or is not
    there."""
    clips = embedding.clips
    words = {"seen": embedding.seen, "clips": [clip.seen for clip in clips], "encoder": encoder}
    with whole(path) as part, part.open("wb") as file:
        np.savez(
            file,
            vector=embedding.vector,
            clip_vectors=np.array([clip.vector for clip in clips]).reshape(len(clips), len(embedding.vector)),
            spans_s=np.array([(clip.start_s, clip.end_s) for clip in clips]).reshape(len(clips), 2),
            words=np.array(json.dumps(words)),
        )


def load_embedding(path: Path) -> VideoEmbedding:
    """Read the embedding that `save_embedding` wrote."""
    with np.load(path, allow_pickle=False) as saved:
        words = json.loads(str(saved["words"]))
        rows = zip(saved["spans_s"].tolist(), saved["clip_vectors"], words["clips"], strict=True)
        clips = tuple(ClipEmbedding(start_s, end_s, vector, tuple(seen)) for (start_s, end_s), vector, seen in rows)
        return VideoEmbedding(saved["vector"], clips, tuple(words["seen"]))


def is_saved(path: Path, encoder: str | None) -> bool:
    """Tell whether the embedding that an encoder made is there; release 0.1.0 did not say whose it is.

    One that is damaged is not: it is made again, and what is paid for is asked for by the job's notes.
    """
    if not path.is_file():
        return False
    try:
        with zipfile.ZipFile(path) as parts:
            if parts.testzip() is not None:
                return False
        load_embedding(path)
        with np.load(path, allow_pickle=False) as saved:
            return json.loads(str(saved["words"])).get("encoder") in (None, encoder)
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error):
        return False


def entries_of(work: Work, embedding: VideoEmbedding) -> list[Entry]:
    """Return what goes into the index: the whole video first, then its clips."""
    info = known(work.info)
    whole = Entry(
        video_id=known(work.video_id),
        scope="video",
        start_s=0.0,
        end_s=info.duration_s,
        vector=embedding.vector,
        filename=work.filename,
        title=known(work.title),
        media_key=known(work.media_key),
        poster_key=known(work.poster_key),
        duration_s=info.duration_s,
        width_px=info.width_px,
        height_px=info.height_px,
        has_audio=info.has_audio,
        encoder=known(work.encoder),
        content_sha256=known(work.sha256),
        ingested_at=known(work.ingested_at),
        seen=embedding.seen,
        subtitle_languages=info.subtitle_languages,
        caption_keys=work.caption_keys,
        tags=info.tags,
        subtitles=info.subtitles,
    )
    return [whole] + [
        replace(
            whole,
            scope="clip",
            start_s=clip.start_s,
            end_s=clip.end_s,
            vector=clip.vector,
            seen=clip.seen,
            tags=None,
            subtitles=None,
        )
        for clip in embedding.clips
    ]
