"""Videos of the library on their way into the space of another encoder.

The file is the copy that the store keeps: read in place from a folder, fetched once from elsewhere. What it is called,
when it came and what it looks like to a person is what the space that answers says; so is what the copy has lost,
container tags and subtitles. Nothing is stored anew, and nothing in the space that answers is touched.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path, PurePath

from core.errors import MediaError, Unavailable
from core.files import whole
from core.ingest.work import Step, Work
from core.models import Entry, MediaInfo, Progress
from core.stores.base import Store

CHUNK_BYTES = 1024 * 1024
TIMEOUT_S = 60.0
GONE = "Its stored copy is gone. Put the file back into the store and press Retry, or go on without this video."


def identified(work: Work, entry: Entry) -> Work:
    """Return the work with what the library knows of its video."""
    return replace(
        work,
        step=Step.INSPECT,
        encoder=work.target,
        filename=entry.filename,
        sha256=entry.content_sha256,
        video_id=entry.video_id,
        title=entry.title,
        media_key=entry.media_key,
        poster_key=entry.poster_key,
        ingested_at=entry.ingested_at,
    )


def with_words(info: MediaInfo, entry: Entry) -> MediaInfo:
    """Return what is known of a stored copy with the words of the file that it was made of, where they were kept."""
    return replace(
        info,
        tags=info.tags if entry.tags is None else entry.tags,
        subtitles=info.subtitles if entry.subtitles is None else entry.subtitles,
        subtitle_languages=entry.subtitle_languages or info.subtitle_languages,
    )


def as_known(entries: list[Entry], known: Entry) -> list[Entry]:
    """Return entries that say of the video what the space that answers says, whatever the copy that was read says."""
    return [
        replace(
            entry,
            video_id=known.video_id,
            filename=known.filename,
            title=known.title,
            media_key=known.media_key,
            poster_key=known.poster_key,
            duration_s=known.duration_s,
            width_px=known.width_px,
            height_px=known.height_px,
            has_audio=known.has_audio,
            ingested_at=known.ingested_at,
            subtitle_languages=known.subtitle_languages,
            caption_keys=known.caption_keys,
            tags=known.tags if entry.scope == "video" else None,
            subtitles=known.subtitles if entry.scope == "video" else None,
        )
        for entry in entries
    ]


def copy_path(store: Store, media_key: str, folder: Path) -> Path:
    """Return where the stored copy is on this machine, or is fetched to."""
    return store.local_path(media_key) or folder / f"stored{PurePath(media_key).suffix}"


def fetch(store: Store, media_key: str, target: Path, on_progress: Progress, *, gone: str = GONE) -> Path:
    """Return the stored copy on this machine, fetched if it is kept elsewhere and not here yet.

    Raises MediaError when the store does not have it, Unavailable when it does not answer.
    """
    if target.is_file():
        return target
    if store.local_path(media_key) is not None or not store.exists(media_key):
        raise MediaError(gone)
    try:
        with urllib.request.urlopen(store.url(media_key), timeout=TIMEOUT_S) as source, whole(target) as part:
            size, done = int(source.headers.get("Content-Length") or 0), 0
            with part.open("wb") as file:
                while chunk := source.read(CHUNK_BYTES):
                    file.write(chunk)
                    done += len(chunk)
                    on_progress(min(1.0, done / size) if size else 0.5)
            if done < size:
                raise Unavailable("The store broke off while the stored copy was being fetched.")
    except urllib.error.HTTPError as error:
        if error.code == 404:
            raise MediaError(gone) from error
        raise Unavailable("The store does not give the stored copy now ({code}).", code=error.code) from error
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise Unavailable("The store cannot be reached to fetch the stored copy. Check the network.") from error
    return target


def text_of(store: Store, key: str) -> str:
    """Return a small text that the store keeps.

    Raises MediaError when it is not there or no text, Unavailable when the store does not give it now.
    """
    path = store.local_path(key)
    try:
        if path is not None:
            return path.read_text("utf-8")
        with urllib.request.urlopen(store.url(key), timeout=TIMEOUT_S) as source:
            return str(source.read().decode("utf-8"))
    except UnicodeDecodeError as error:
        raise MediaError("{key} in the store is damaged: it is no text.", key=key) from error
    except FileNotFoundError as error:
        raise MediaError("{key} is no longer in the store.", key=key) from error
    except urllib.error.HTTPError as error:
        # A signed address of what is not there may be answered with 403, so that nobody can try out names.
        if error.code == 404 or (error.code == 403 and not store.exists(key)):
            raise MediaError("{key} is no longer in the store.", key=key) from error
        raise Unavailable("The store does not give {key} now ({code}).", key=key, code=error.code) from error
    except (HTTPException, OSError) as error:
        raise Unavailable("The store cannot be reached to fetch subtitles. Check the network.") from error
