"""What the library has, for whoever looks after it: every video with its facts, searched by name, a page at a time."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from core.discover.facets import filtered, passes
from core.errors import QueryError
from core.index.base import NEWEST, Index, Order, Where, arranged
from core.models import Entry, Filters
from core.names import identity
from core.stores.base import CountedStore

Arrange = Literal["newest", "oldest", "title", "longest", "shortest", "largest"]
ARRANGED: tuple[Arrange, ...] = get_args(Arrange)
MAX_PAGE = 200
SIZES_HOLD_S = 60.0
"""How long sizes of files hold while the library does not change; listing a bucket takes a request a thousand."""
LARGE, LARGE_HOLDS_S = 5_000, 10.0
"""From so many videos on none of them is held, only the ids that a question found; and these hold at least so long:
while videos are added they would be found all the time."""
AHEAD = 1_000
"""As far as this a page of a large library is read in the index's own order, without finding all ids first."""
QUESTIONS = 4
"""Whose ids are held."""
_ORDERS: Mapping[str, Order] = {
    "newest": NEWEST,
    "oldest": replace(NEWEST, descending=False),
    "longest": Order("duration_s"),
    "shortest": Order("duration_s", descending=False),
}
"""Those that an index brings videos into."""
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

    Those of a small library are held in memory without vectors, some 1 KB each, and read anew when it has changed. Of a
    large one the index brings the page that is shown; what it cannot order or search is read through, and the ids of
    what was found are held.
    """

    def __init__(self, index: Callable[[], Index], store: CountedStore, disk: Path) -> None:
        """`disk` is a folder on the disk whose free space counts."""
        self._index = index
        self._store = store
        self._disk = disk
        self._lock = threading.Lock()
        self._known: _Known | None = None
        self._sizes: tuple[str, float, Mapping[str, int]] | None = None
        self._found: list[tuple[Asked, tuple[str, float, list[str]]]] = []
        """The last questions, and the ids that each found at a version of the library and a time."""

    def page(self, asked: Asked) -> Page:
        """Return the videos that are asked for, and how many there are. Raises QueryError."""
        if not 1 <= asked.limit <= MAX_PAGE:
            raise QueryError("limit is {limit}. Use a whole number from 1 to {most}.", limit=asked.limit, most=MAX_PAGE)
        index, sizes = self._index(), self.sizes()
        if index.count().videos >= LARGE:
            return self._page_of_many(index, asked, sizes)
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
        index = self._index()
        return {"category": index.facets("categories"), "mood": index.facets("moods")}

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

    def _page_of_many(self, index: Index, asked: Asked, sizes: Mapping[str, int]) -> Page:
        """Return a page of a library that is too large to be held."""
        with self._lock:
            self._known = None
        where, order, end = _where(asked), _ORDERS.get(asked.arrange), asked.offset + asked.limit
        if order is not None and not asked.name.strip() and end <= AHEAD:
            first = index.scroll(
                scope="video", where=where, order=order, limit=end, with_vectors=False, with_texts=False
            )
            ids, total = [entry.video_id for entry in first][asked.offset :], index.count(where).videos
        else:
            every = self._ids(index, asked, where, order, sizes)
            ids, total = every[asked.offset : end], len(every)
        among = Where(any_of={"video_id": ids})
        shown = index.scroll(scope="video", where=among, with_vectors=False) if ids else ()
        return Page(tuple(_row(entry, sizes) for entry in arranged(shown, ids)), total)

    def _ids(
        self, index: Index, asked: Asked, where: Where | None, order: Order | None, sizes: Mapping[str, int]
    ) -> list[str]:
        """Return the ids of all videos that are asked for, in order; those of the last questions are held."""
        question, version, now = replace(asked, limit=0, offset=0), index.version, time.monotonic()
        with self._lock:  # who comes meanwhile waits: reading twice would take twice as long
            kept = next((found for other, found in self._found if other == question), None)
            if kept is not None and (kept[0] == version or now - kept[1] < LARGE_HOLDS_S):
                return kept[2]
            words = identity(asked.name).split()
            entries = index.scroll(scope="video", where=where, order=order, with_vectors=False, with_texts=bool(words))
            fitting = (entry for entry in entries if not words or _is_named(_text(entry), words))
            if order is not None:
                ids = [entry.video_id for entry in fitting]
            else:
                ids = [id_ for _, id_ in sorted(_place(entry, asked.arrange, sizes) for entry in fitting)]
            others = [(other, found) for other, found in self._found if other != question]
            self._found = [*others[1 - QUESTIONS :], (question, (version, now, ids))]
            return ids

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


def _where(asked: Asked) -> Where | None:
    """Return what an index can hold of a question."""
    labels = {name: some for name, some in (("categories", asked.categories), ("moods", asked.moods)) if some}
    return filtered(Where(any_of=labels), asked.filters) if labels or asked.filters else None


def _row(entry: Entry, sizes: Mapping[str, int]) -> Row:
    return Row(_brief(entry), tags_of(entry), sizes.get(entry.media_key))


def _brief(entry: Entry) -> Entry:
    return replace(entry, vector=_NO_VECTOR, tags=None, subtitles=None, standings=None)


def _text(entry: Entry) -> str:
    """Return what a video is found by when its name is searched for."""
    return identity(" ".join((entry.title, entry.filename, *tags_of(entry))))


def _is_named(text: str, words: Sequence[str]) -> bool:
    return all(word in text for word in words)


def _read(index: Index) -> Iterator[tuple[Entry, tuple[str, ...], str]]:
    for entry in index.scroll(scope="video", with_vectors=False):
        yield _brief(entry), tags_of(entry), _text(entry)


def _fits(known: tuple[Entry, tuple[str, ...], str], asked: Asked) -> bool:
    entry, _, text = known
    return (
        _is_named(text, identity(asked.name).split())
        and (not asked.categories or not set(asked.categories).isdisjoint(categories_of(entry)))
        and (not asked.moods or not set(asked.moods).isdisjoint(moods_of(entry)))
        and passes(entry, asked.filters)
    )


def _place(entry: Entry, arrange: Arrange, sizes: Mapping[str, int]) -> tuple[Any, str]:
    """Return what a video is sorted by; equal ones by their ids, so that pages do not overlap."""
    match arrange:
        case "title":
            first: Any = identity(entry.title)
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
