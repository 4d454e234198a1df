"""Stand-ins for the three families: an encoder, an index and a store that keep everything in memory.

They implement the same protocols as the real ones and pass the same contract suites. Hooks are plain attributes that
a test sets: `delay_s` to be slow, `failures` to fail for chosen names, `encoded` and `texts` to see what was asked.
"""

from __future__ import annotations

import hashlib
import math
import re
import threading
import time
import uuid
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np

from core.errors import EncoderMismatch, LibraryError, StoreError
from core.index import base, payload
from core.models import (
    ClipEmbedding,
    Counts,
    EncoderInfo,
    Entry,
    Match,
    MediaInfo,
    Progress,
    Scope,
    Scored,
    Taste,
    Video,
    VideoEmbedding,
)
from core.stores.base import check_key

FAKE_INFO = EncoderInfo(
    name="fake-v1",
    dimension=64,
    sees=("words of the title",),
    blind_to=("pictures", "sound"),
    images=True,
)
_COLOURS = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "red": (230, 30, 30),
    "green": (30, 200, 30),
    "blue": (30, 30, 230),
    "yellow": (240, 220, 30),
    "grey": (128, 128, 128),
}
CLIP_S = 2.0


def word_vector(text: str, dimension: int = FAKE_INFO.dimension) -> np.ndarray:
    """Return a unit vector, float32 (dimension,), in which every word lights two places; zero without words.

    Two places a word, so that two words seldom look alike; texts that share words have a cosine above 0.
    """
    vector = np.zeros(dimension, dtype=np.float32)
    for word in re.findall(r"[^\W_]+", text.casefold()):
        code = zlib.crc32(word.encode())
        vector[code % dimension] += 1.0
        vector[(code >> 12) % dimension] += 1.0
    return _unit(vector)


class FakeEncoder:
    """Encode a video by the words of its title and file name, so that texts that share a word find it.

    `delay_s` is slept at every clip, with progress reported between (so it can be cancelled); `failures` maps a file
    name to the exceptions to raise, one a call, before it works; `before_video` is called first thing.
    """

    def __init__(
        self,
        info: EncoderInfo = FAKE_INFO,
        *,
        delay_s: float = 0.0,
        failures: dict[str, list[Exception]] | None = None,
        before_video: Callable[[Video], None] | None = None,
    ) -> None:
        self.info = info
        self.delay_s = delay_s
        self.failures = failures or {}
        self.before_video = before_video
        self.encoded: list[str] = []
        """File names whose encoding was asked for, in order."""
        self.finished: list[str] = []
        """File names whose encoding ended well, in order."""
        self.notes_seen: list[dict[str, str]] = []
        """What `notes` held at the start of each call."""
        self.texts: list[str] = []

    def encode_video(self, video: Video, notes: MutableMapping[str, str], on_progress: Progress) -> VideoEmbedding:
        self.encoded.append(video.filename)
        self.notes_seen.append(dict(notes))
        if self.before_video is not None:
            self.before_video(video)
        if self.failures.get(video.filename):
            raise self.failures[video.filename].pop(0)
        notes["fake-task"] = video.content_sha256
        words = f"{video.title} {Path(video.filename).stem}"
        whole = word_vector(words, self.info.dimension)
        total = max(1, math.ceil(video.info.duration_s / CLIP_S))
        clips = []
        for number in range(total):
            on_progress(number / total)
            time.sleep(self.delay_s)
            end_s = min((number + 1) * CLIP_S, video.info.duration_s)
            vector = _unit(whole + 0.2 * word_vector(f"clip {number}", self.info.dimension))
            clips.append(ClipEmbedding(number * CLIP_S, end_s, vector, seen=(f"clip {number}",)))
        on_progress(1.0)
        self.finished.append(video.filename)
        return VideoEmbedding(whole, tuple(clips), seen=tuple(video.title.casefold().split()[:3]))

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        self.texts.extend(texts)
        return np.array([word_vector(text, self.info.dimension) for text in texts], dtype=np.float32).reshape(
            len(texts), self.info.dimension
        )

    def encode_image(self, rgb: np.ndarray) -> np.ndarray:
        """Return the vector of the name of a picture's mean colour: a red one finds the videos named red."""
        mean = np.asarray(rgb, np.float32).mean(axis=(0, 1))
        name = min(_COLOURS, key=lambda name: float(np.linalg.norm(mean - _COLOURS[name])))
        return word_vector(name, self.info.dimension)


class MemoryIndex:
    """Compare every entry with the query: slow, exact, and the measure of the real indexes."""

    name: Literal["edge", "server"] = "edge"

    def __init__(self, info: EncoderInfo = FAKE_INFO) -> None:
        self.info = info
        self._opening = uuid.uuid4().hex
        self._writes = 0
        self._entries: dict[str, Entry] = {}
        self._lock = threading.Lock()
        self._open = True

    @property
    def version(self) -> str:
        return f"{self._opening}-{self._writes}"

    def upsert(self, entries: Sequence[Entry]) -> None:
        self._check_open()
        base.check_entries(entries, self.info)
        with self._lock:
            self._entries |= {
                base.id_of(entry): base.from_payload(base.to_payload(entry), entry.vector) for entry in entries
            }
            self._writes += 1

    def search(
        self,
        target: np.ndarray | Taste,
        *,
        limit: int,
        per_video: int = 3,
        scope: Scope | None = None,
        exclude: Collection[str] = (),
        among: Collection[str] | None = None,
        where: base.Where | None = None,
    ) -> list[Match]:
        self._check_open()
        base.check_target(target, self.info)
        groups: dict[str, list[Scored]] = {}
        for entry in self._snapshot():
            wanted = among is None or entry.video_id in among
            if wanted and entry.video_id not in exclude and scope in (None, entry.scope) and _fits(entry, where):
                score = (
                    _best_score(entry.vector, target) if isinstance(target, Taste) else _cosine(entry.vector, target)
                )
                brief = replace(entry, tags=None, subtitles=None)
                groups.setdefault(entry.video_id, []).append(Scored(brief, score))
        matches = [
            Match(video_id, tuple(sorted(scored, key=lambda one: -one.score)[:per_video]))
            for video_id, scored in groups.items()
        ]
        return sorted(matches, key=lambda match: -match.score)[:limit]

    def scroll(
        self,
        *,
        video_id: str | None = None,
        content_sha256: str | None = None,
        scope: Scope | None = None,
        where: base.Where | None = None,
        order: base.Order | None = None,
        after: base.Place | None = None,
        limit: int | None = None,
        with_vectors: bool = True,
        with_texts: bool = True,
    ) -> Iterator[Entry]:
        self._check_open()
        wanted = [
            entry
            for entry in self._snapshot()
            if video_id in (None, entry.video_id)
            and content_sha256 in (None, entry.content_sha256)
            and scope in (None, entry.scope)
            and _fits(entry, where)
        ]
        if order is not None:
            wanted = [entry for entry in wanted if order.value(entry) is not None]
            wanted.sort(key=lambda entry: _rank(base.place(entry, order)), reverse=order.descending)
        if after is not None:
            wanted = [entry for entry in wanted if _is_behind(base.place(entry, order), after, order)]
        for entry in wanted[:limit]:
            kept = entry if with_vectors else replace(entry, vector=np.zeros(0, np.float32))
            yield kept if with_texts else replace(kept, tags=None, subtitles=None)

    def retrieve(self, video_ids: Sequence[str], *, scope: Scope = "video", with_vectors: bool = True) -> list[Entry]:
        among = base.Where(any_of={"video_id": video_ids})
        found = self.scroll(scope=scope, where=among, with_vectors=with_vectors, with_texts=False)
        return base.arranged(found, video_ids)

    def facets(self, field: str, where: base.Where | None = None) -> Mapping[str, int]:
        wholes = self.scroll(scope="video", where=where)
        return Counter(value for entry in wholes for value in _values(entry, field))

    def label(self, wholes: Sequence[Entry]) -> None:
        self._check_open()
        with self._lock:
            for whole in wholes:
                said = {name: value for name in base.LABELS if (value := getattr(whole, name)) is not None}
                for key, entry in self._entries.items():
                    if entry.video_id == whole.video_id:
                        labelled = replace(entry, **said)
                        self._entries[key] = base.from_payload(base.to_payload(labelled), entry.vector)
            self._writes += 1

    @contextmanager
    def loading(self) -> Iterator[None]:
        yield

    def delete(self, video_id: str) -> None:
        self._check_open()
        with self._lock:
            self._entries = {key: entry for key, entry in self._entries.items() if entry.video_id != video_id}
            self._writes += 1

    def count(self, where: base.Where | None = None) -> Counts:
        self._check_open()
        scopes = [entry.scope for entry in self._snapshot() if _fits(entry, where)]
        return Counts(videos=scopes.count("video"), clips=scopes.count("clip"))

    def close(self) -> None:
        self._open = False

    def reopened(self, info: EncoderInfo) -> MemoryIndex:
        """Return an open index over the same entries. Raises EncoderMismatch for another encoder, as the real ones."""
        if (info.name, info.dimension) != (self.info.name, self.info.dimension):
            raise EncoderMismatch(f"The library was filled by {self.info.name} ({self.info.dimension}).")
        self._open = True
        return self

    def _snapshot(self) -> list[Entry]:
        with self._lock:
            return [self._entries[key] for key in sorted(self._entries)]

    def _check_open(self) -> None:
        if not self._open:
            raise LibraryError("The library is closed. Start the app again.")


class MemorySpaces:
    """Keep spaces in a dict; an index that was closed can be opened again and holds what it held."""

    name: Literal["edge", "server"] = "edge"

    def __init__(self) -> None:
        self._spaces: dict[str, base.Space] = {}
        self._indexes: dict[str, MemoryIndex] = {}
        self.marked: list[tuple[str, bool]] = []
        """Every encoder that was marked, and as what, in order."""

    def all(self) -> list[base.Space]:
        return [self._spaces[encoder] for encoder in sorted(self._spaces)]

    def open(self, info: EncoderInfo) -> MemoryIndex:
        if info.name not in self._spaces:
            raise LibraryError(f"The library has nothing that {info.name} made.")
        return self._indexes[info.name].reopened(info)

    def make(self, info: EncoderInfo, *, complete: bool) -> MemoryIndex:
        self._spaces.setdefault(info.name, base.Space(info.name, info.dimension, complete))
        self._indexes.setdefault(info.name, MemoryIndex(info))
        return self.open(info)

    def mark(self, encoder: str, *, complete: bool) -> None:
        if encoder not in self._spaces:
            raise LibraryError(f"The library has nothing that {encoder} made.")
        self.marked.append((encoder, complete))
        self._spaces[encoder] = replace(self._spaces[encoder], complete=complete)

    def drop(self, encoder: str) -> None:
        self._spaces.pop(encoder, None)
        self._indexes.pop(encoder, None)

    def close(self) -> None:
        pass


class MemoryStore:
    """Keep bytes in a dict. `failures` maps a key to the exceptions to raise, one a `put`, before it works."""

    name: Literal["folder", "s3"] = "folder"
    s3_root: str | None = None

    def __init__(self, *, delay_s: float = 0.0, failures: dict[str, list[Exception]] | None = None) -> None:
        self.delay_s = delay_s
        self.failures = failures or {}
        self.blobs: dict[str, bytes] = {}
        self.puts: list[str] = []
        """Keys whose storing was asked for, in order."""

    def put(self, source: Path, key: str, on_progress: Progress) -> None:
        check_key(key)
        self.puts.append(key)
        if self.failures.get(key):
            raise self.failures[key].pop(0)
        on_progress(0.0)
        try:
            data = source.read_bytes()
        except OSError as error:
            raise StoreError(f"{source.name} cannot be read any more: {error.strerror}. Add the file again.") from error
        time.sleep(self.delay_s)
        on_progress(1.0)
        self.blobs[key] = data

    def url(self, key: str) -> str:
        return f"/app/static/media/{check_key(key)}"

    def local_path(self, key: str) -> None:
        check_key(key)

    def exists(self, key: str) -> bool:
        return check_key(key) in self.blobs

    def delete(self, key: str) -> None:
        self.blobs.pop(check_key(key), None)

    def sizes(self) -> dict[str, int]:
        return {key: len(data) for key, data in self.blobs.items()}

    def check(self) -> None:
        pass


def make_info(duration_s: float = 6.0, **changes: object) -> MediaInfo:
    """Return what an ordinary small file would say of itself, with `changes`."""
    fields: dict[str, object] = {
        "duration_s": duration_s,
        "size_bytes": 1000,
        "width_px": 320,
        "height_px": 180,
        "rotation_deg": 0,
        "fps": 25.0,
        "container": "mp4",
        "video_codec": "h264",
        "audio_codec": "aac",
        "playable": "as-is",
    }
    return MediaInfo(**(fields | changes))  # type: ignore[arg-type]


def make_video(title: str = "Grey wolf", *, path: Path = Path("wolf.mp4"), duration_s: float = 6.0) -> Video:
    """Return a video that was never filmed: enough for FakeEncoder, which opens no file."""
    filename = f"{title.casefold().replace(' ', '_')}.mp4"
    return Video(path, filename, title, hashlib.sha256(title.encode()).hexdigest(), make_info(duration_s))


def make_entries(
    title: str = "Grey wolf",
    *,
    clips: int = 3,
    vectors: Sequence[np.ndarray] | None = None,
    info: EncoderInfo = FAKE_INFO,
    **changes: object,
) -> list[Entry]:
    """Return the entries of one video: its own first, then its clips, two seconds each.

    The title makes the content hash, so one title is one video. `vectors` gives one vector an entry (the video's
    first); without it they come from the words of the title. `changes` sets any other field on all of them.
    """
    sha = hashlib.sha256(title.encode()).hexdigest()
    if vectors is None:
        whole = word_vector(title, info.dimension)
        vectors = [whole] + [
            _unit(whole + 0.2 * word_vector(f"clip {number}", info.dimension)) for number in range(clips)
        ]
    duration_s = max(1, len(vectors) - 1) * CLIP_S
    spans = [(0.0, duration_s), *((n * CLIP_S, (n + 1) * CLIP_S) for n in range(len(vectors) - 1))]
    video_id = base.video_id(sha)
    fields: dict[str, object] = {
        "video_id": video_id,
        "filename": f"{title}.mp4",
        "title": title,
        "media_key": f"{video_id}.mp4",
        "poster_key": f"{video_id}.jpg",
        "duration_s": duration_s,
        "width_px": 320,
        "height_px": 180,
        "has_audio": True,
        "encoder": info.name,
        "content_sha256": sha,
        "ingested_at": "2026-11-23T08:00:00+00:00",
    }
    return [
        Entry(
            scope="clip" if number else "video",
            start_s=start_s,
            end_s=end_s,
            vector=np.asarray(vector, dtype=np.float32),
            **(fields | changes),  # type: ignore[arg-type]
        )
        for number, ((start_s, end_s), vector) in enumerate(zip(spans, vectors, strict=True))
    ]


def _values(entry: Entry, field: str) -> Collection[str]:
    """Return what an index keeps of an entry in a keyword field."""
    value = payload.stored(entry).get(field, ())
    return [value] if isinstance(value, str) else value


def _fits(entry: Entry, where: base.Where | None) -> bool:
    if where is None:
        return True
    has = all(values.intersection(_values(entry, field)) for field, values in where.any_of.items())
    return has and not any(values.intersection(_values(entry, field)) for field, values in where.none_of.items())


def _rank(place: base.Place) -> float | datetime:
    """Return what an order compares; Python's sorting leaves equal ones as they are, by their ids."""
    return datetime.fromisoformat(place.value) if isinstance(place.value, str) else float(place.value)


def _is_behind(one: base.Place, other: base.Place, order: base.Order | None) -> bool:
    if order is None or _rank(one) == _rank(other):
        return one.id > other.id
    return (_rank(one) < _rank(other)) == order.descending


def _best_score(vector: np.ndarray, taste: Taste) -> float:
    """Return what Taste says of itself: Qdrant's best score."""
    like, dislike = (
        max((_cosine(vector, example) for example in examples), default=-math.inf)
        for examples in (taste.likes, taste.dislikes)
    )
    best = max(like, dislike)
    squashed = 0.5 * (1 + best / (1 + abs(best)))
    return squashed if like > dislike else -squashed


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(_unit(one) @ _unit(other))


def _unit(vector: np.ndarray) -> np.ndarray:
    """Return the vector at length 1; a zero vector stays zero."""
    length = float(np.linalg.norm(vector))
    return (vector / length if length else vector).astype(np.float32)
