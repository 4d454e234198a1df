"""What the library has, for whoever looks after it: every video with its facts, searched by name, a page at a time."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from core.discover.facets import passes
from core.errors import QueryError
from core.index.base import Index
from core.models import Entry, Filters
from core.names import identity
from core.stores.base import CountedStore

Arrange = Literal["newest", "oldest", "title", "longest", "shortest", "largest"]
ARRANGED: tuple[Arrange, ...] = get_args(Arrange)
MAX_PAGE = 200
SIZES_HOLD_S = 60.0
"""How long sizes of files hold while the library does not change; listing a bucket takes a request a thousand."""
LARGE, LARGE_HOLDS_S = 5_000, 10.0
"""From so many videos on, a list of them holds at least so long: while some are added it would be made all the time."""
_NO_VECTOR = np.zeros(0, np.float32)
_BETWEEN_TAGS = re.compile(r"[,;|]")


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One video as it is listed."""

    entry: Entry
    """Its own entry, without vector, subtitles and tags."""
    tags: tuple[str, ...]
    """Words that somebody gave it."""
    size_bytes: int | None
    """Of its file; None where the store has none."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which videos, in which order, and which of them."""

    name: str = ""
    """Words that all stand in the title, the file name or the tags; parts of words will do."""
    categories: tuple[str, ...] = ()
    """Ids: at least one of them is a label of the video."""
    moods: tuple[str, ...] = ()
    filters: Filters = field(default_factory=dict)
    arrange: Arrange = "newest"
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    rows: tuple[Row, ...]
    total: int
    """How many videos were asked for, on all pages."""


@dataclass(frozen=True, slots=True)
class Storage:
    """What the files of the library take."""

    used_bytes: int
    files: int
    free_bytes: int | None
    """On the disk that they are on; None where they are elsewhere."""


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """All videos as they were at one version of the library."""

    version: str
    made_at: float
    rows: tuple[tuple[Entry, tuple[str, ...], str], ...]
    """Each entry with its tags and what it is found by."""


class Listing:
    """List the videos of the space that answers. Safe to use from several threads; raises what index and store raise.

    All of them are held in memory without vectors, some 1 KB each, and read anew when the library has changed.
    """

    def __init__(self, index: Callable[[], Index], store: CountedStore, disk: Path) -> None:
        """`disk` is a folder on the disk whose free space counts."""
        self._index = index
        self._store = store
        self._disk = disk
        self._lock = threading.Lock()
        self._known: _Known | None = None
        self._sizes: tuple[str, float, Mapping[str, int]] | None = None

    def page(self, asked: Asked) -> Page:
        """Return the videos that are asked for, and how many there are. Raises QueryError."""
        if not 1 <= asked.limit <= MAX_PAGE:
            raise QueryError("limit is {limit}. Use a whole number from 1 to {most}.", limit=asked.limit, most=MAX_PAGE)
        sizes = self.sizes()
        found = [known for known in self._all().rows if _fits(known, asked)]
        found.sort(key=lambda known: _place(known[0], asked.arrange, sizes))
        shown = found[asked.offset : asked.offset + asked.limit]
        rows = tuple(Row(entry, tags, sizes.get(entry.media_key)) for entry, tags, _ in shown)
        return Page(rows, len(found))

    def show(self, video_id: str) -> Row | None:
        """Return one video with all that is known of it, or None if it is not in the library."""
        entry = next(self._index().scroll(video_id=video_id, scope="video"), None)
        if entry is None:
            return None
        return Row(replace(entry, vector=_NO_VECTOR), tags_of(entry), self.sizes().get(entry.media_key))

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Return by "category" and "mood" how many videos have each label."""
        entries = [entry for entry, _, _ in self._all().rows]
        return {
            "category": Counter(label for entry in entries for label in categories_of(entry)),
            "mood": Counter(label for entry in entries for label in moods_of(entry)),
        }

    def storage(self) -> Storage:
        """Return what the files take, those of deleted videos too, and what is free."""
        sizes = self.sizes()
        elsewhere = self._store.s3_root is not None
        return Storage(sum(sizes.values()), len(sizes), None if elsewhere else shutil.disk_usage(self._disk).free)

    def sizes(self) -> Mapping[str, int]:
        """Return the bytes of each file in the store, by its key."""
        version, now = self._index().version, time.monotonic()
        with self._lock:
            kept = self._sizes
        if kept is None or kept[0] != version or now - kept[1] > SIZES_HOLD_S:
            kept = version, now, self._store.sizes()
            with self._lock:
                self._sizes = kept
        return kept[2]

    def _all(self) -> _Known:
        index = self._index()
        version, now = index.version, time.monotonic()
        with self._lock:  # who comes meanwhile waits: reading twice would take twice as long
            known = self._known
            young = known is not None and len(known.rows) >= LARGE and now - known.made_at < LARGE_HOLDS_S
            if known is None or (known.version != version and not young):
                known = self._known = _Known(version, now, tuple(_read(index)))
            return known


def tags_of(entry: Entry) -> tuple[str, ...]:
    """Return the words that somebody gave a video, from the tags of its file."""
    text = (entry.tags or {}).get("keywords", "")
    return tuple(dict.fromkeys(word.strip() for word in _BETWEEN_TAGS.split(text) if word.strip()))


def categories_of(entry: Entry) -> tuple[str, ...]:
    """Return the ids of the categories that a video answers; none where nobody said so yet."""
    return entry.categories or ()


def moods_of(entry: Entry) -> tuple[str, ...]:
    """Return the ids of the moods that a video answers; none where nobody said so yet."""
    return entry.moods or ()


def _read(index: Index) -> Iterator[tuple[Entry, tuple[str, ...], str]]:
    for entry in index.scroll(scope="video", with_vectors=False):
        tags = tags_of(entry)
        brief = replace(entry, vector=_NO_VECTOR, tags=None, subtitles=None, standings=None)
        yield brief, tags, identity(" ".join((entry.title, entry.filename, *tags)))


def _fits(known: tuple[Entry, tuple[str, ...], str], asked: Asked) -> bool:
    entry, _, text = known
    return (
        all(word in text for word in identity(asked.name).split())
        and (not asked.categories or not set(asked.categories).isdisjoint(categories_of(entry)))
        and (not asked.moods or not set(asked.moods).isdisjoint(moods_of(entry)))
        and passes(entry, asked.filters)
    )


def _place(entry: Entry, arrange: Arrange, sizes: Mapping[str, int]) -> tuple[object, ...]:
    """Return what a video is sorted by; equal ones by their ids, so that pages do not overlap."""
    match arrange:
        case "title":
            first: object = identity(entry.title)
        case "longest":
            first = -entry.duration_s
        case "shortest":
            first = entry.duration_s
        case "largest":
            first = -sizes.get(entry.media_key, 0)
        case "oldest":
            first = entry.ingested_at
        case _:
            first = _Later(entry.ingested_at)
    return first, entry.video_id


@dataclass(frozen=True, slots=True)
class _Later:
    """A time as text, the later before the earlier."""

    text: str

    def __lt__(self, other: _Later) -> bool:
        return self.text > other.text
