"""Ads that are kept beside the library: they play and are placed, and no search finds them.

A dropped clip is checked, copied and read as a video of the library is, at once, by who waits for it. What is known of
it is a row in one document; its files lie in the store under names of their own, for the same content may be in the
library too. What an encoder made of it is kept on this machine; where that is another encoder's, or on another machine,
the stored copy is read again.
"""

from __future__ import annotations

import json
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.ads.models import Ad
from core.ads.placing import video_ad
from core.discover.search import Discover
from core.errors import QueryError, StoreError
from core.index.base import video_id
from core.ingest import inspecting, sandbox, stored, titles
from core.ingest.embeddings import entries_of, is_saved, load_embedding, save_embedding
from core.ingest.playable import playable_suffix
from core.ingest.work import Work
from core.models import Entry, MediaInfo, Progress, Video, ignore_progress
from core.state.base import Document
from core.stores.base import CONTENT_TYPES, Store

MOST = 50
PAID = (
    "{encoder} charges for what it reads. Add the ad to the library, where each file is paid for once, and choose it "
    "from there."
)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is written down of an ad."""

    id: str
    title: str
    filename: str
    content_sha256: str
    media_key: str
    poster_key: str
    duration_s: float
    width_px: int
    height_px: int
    tags: dict[str, str]
    added_at: str
    """UTC, ISO 8601."""

    @property
    def keys(self) -> tuple[str, str]:
        """Keys of its files in the store: what plays comes last."""
        return self.poster_key, self.media_key


def kept_of(row: Mapping[str, Any]) -> Kept:
    """Return the ad that a row of an export tells of. Raises ValueError, KeyError or TypeError for what this app does
    not write: ids and keys become names of files, and those of a video must not be taken for an ad's."""
    kept = Kept(**row)
    suffix = Path(kept.media_key).suffix
    numbers = (kept.duration_s, kept.width_px, kept.height_px)
    texts = (kept.title, kept.filename, *dict(kept.tags), *dict(kept.tags).values())
    if (
        len(bytes.fromhex(kept.content_sha256)) != 32
        or kept.id != video_id(kept.content_sha256)
        or suffix not in CONTENT_TYPES
        or kept.keys != (_poster_key(kept.id), _media_key(kept.id, suffix))
        or not all(isinstance(number, int | float) and number > 0 for number in numbers)
        or not all(isinstance(text, str) for text in texts)
    ):
        raise ValueError(f"{kept.id!r} is no ad of this app")
    datetime.fromisoformat(kept.added_at)
    return kept


def _media_key(ad_id: str, suffix: str) -> str:
    return f"ad-{ad_id}{suffix}"


def _poster_key(ad_id: str) -> str:
    return _media_key(ad_id, ".jpg")


class AdBook:
    """Keep ads. Safe to use from several threads; raises what document, store and encoder raise."""

    def __init__(self, document: Document, store: Store, folder: Path, discover: Callable[[], Discover]) -> None:
        self._document = document
        self._store = store
        self._folder = folder
        self._discover = discover
        self._turn = threading.Lock()
        """Held while a clip is read: one at a time is enough."""

    def all(self) -> tuple[Kept, ...]:
        """Return the ads that there are, those added first before the others."""
        try:
            text = self._document.read()
            return tuple(Kept(**row) for row in json.loads(text)["ads"]) if text else ()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(
                "{path} cannot be read ({why}). Mend or remove it.", path=self._document, why=error
            ) from error

    def add(self, path: Path, filename: str, on_progress: Progress = ignore_progress) -> Kept:
        """Keep a clip as an ad and return it; one that is there already stays as it is.

        Raises MediaError for what is no video that plays, QueryError where it cannot be kept.
        """
        encoder = self._discover().encoder.info
        if encoder.paid:
            raise QueryError(PAID, encoder=encoder.name)
        sha256 = inspecting.sha256(path, ignore_progress)
        id_ = video_id(sha256)
        with self._turn, self._workshop() as workshop:
            there = self.all()
            if found := next((one for one in there if one.id == id_), None):
                return found
            _check_room(there)
            info = sandbox.inspect(path)
            suffix = playable_suffix(info)
            copy, poster = workshop / f"copy{suffix}", workshop / "poster.jpg"
            made = sandbox.make_playable(path, info, copy, lambda done: on_progress(0.4 * done))
            sandbox.write_poster(made, info, poster)
            kept = Kept(
                id=id_,
                title=titles.title_of(filename, info.tags),
                filename=filename,
                content_sha256=sha256,
                media_key=_media_key(id_, suffix),
                poster_key=_poster_key(id_),
                duration_s=info.duration_s,
                width_px=info.width_px,
                height_px=info.height_px,
                tags=dict(info.tags),
                added_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            )
            self._encode(kept, made, info, lambda done: on_progress(0.4 + 0.5 * done))
            self._store.put(made, kept.media_key, ignore_progress)
            self._store.put(poster, kept.poster_key, ignore_progress)
            with self._document.editing():
                self._write((*(one for one in self.all() if one.id != id_), kept))
        on_progress(1.0)
        return kept

    def take(self, kept: Kept) -> bool:
        """Keep an ad whose files are in the store already; return whether it is new. Raises QueryError where there is
        no room. What an encoder makes of it is made when it is asked for."""
        with self._document.editing():
            there = self.all()
            if any(one.id == kept.id for one in there):
                return False
            _check_room(there)
            self._write((*there, kept))
        return True

    def remove(self, ad_id: str) -> bool:
        """Remove an ad and its files; return whether it was there."""
        with self._document.editing():
            there = self.all()
            gone = [one for one in there if one.id == ad_id]
            self._write(tuple(one for one in there if one.id != ad_id))
        for one in gone:
            for key in one.keys:
                self._store.delete(key)
            for file in self._folder.glob(f"{one.id}.*"):
                file.unlink(missing_ok=True)
        return bool(gone)

    def ad(self, ad_id: str) -> Ad | None:
        """Return an ad as what can be placed, in the space that answers; None where there is none of this id."""
        kept = next((one for one in self.all() if one.id == ad_id), None)
        if kept is None:
            return None
        return video_ad(self._entries(kept), self._discover())

    def _entries(self, kept: Kept) -> list[Entry]:
        encoder = self._discover().encoder.info
        saved = self._saved(kept, encoder.name)
        if not is_saved(saved, encoder.name):
            if encoder.paid:
                raise QueryError(PAID, encoder=encoder.name)
            with self._turn, self._workshop() as workshop:
                path = stored.copy_path(self._store, kept.media_key, workshop)
                stored.fetch(self._store, kept.media_key, path, ignore_progress)
                self._encode(kept, path, sandbox.inspect(path), ignore_progress)
        work = Work(
            "",
            "",
            kept.filename,
            encoder=encoder.name,
            sha256=kept.content_sha256,
            video_id=kept.id,
            info=_info_of(kept),
            title=kept.title,
            media_key=kept.media_key,
            poster_key=kept.poster_key,
            ingested_at=kept.added_at,
        )
        return entries_of(work, load_embedding(saved))

    def _encode(self, kept: Kept, path: Path, info: MediaInfo, on_progress: Progress) -> None:
        encoder = self._discover().encoder
        # A copy may have lost the words of the file that it was made of.
        video = Video(path, kept.filename, kept.title, kept.content_sha256, replace(info, tags=kept.tags))
        save_embedding(
            encoder.encode_video(video, {}, on_progress), self._saved(kept, encoder.info.name), encoder.info.name
        )

    def _saved(self, kept: Kept, encoder: str) -> Path:
        return self._folder / f"{kept.id}.{uuid.uuid5(uuid.NAMESPACE_OID, encoder).hex[:12]}.npz"

    def _write(self, ads: tuple[Kept, ...]) -> None:
        try:
            self._document.write(json.dumps({"ads": [asdict(one) for one in ads]}, ensure_ascii=False, indent=1))
        except OSError as error:
            raise StoreError("{path} cannot be written ({why}).", path=self._document, why=error.strerror) from error

    @contextmanager
    def _workshop(self) -> Iterator[Path]:
        folder = self._folder / uuid.uuid4().hex
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _check_room(there: Sequence[Kept]) -> None:
    if len(there) >= MOST:
        raise QueryError("There are {most} ads already. Remove one first.", most=MOST)


def _info_of(kept: Kept) -> MediaInfo:
    """Return what an index must know of an ad's file."""
    return MediaInfo(kept.duration_s, 0, kept.width_px, kept.height_px, 0, 0.0, "", "", None, "as-is", tags=kept.tags)
