"""The ledger of deleted videos: what an index held of each, until it comes back or goes for good."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import bindparam, delete, insert, select, update

from core.state.base import Shelf
from core.state.tables import TRASH, TRASHED_ENTRIES

State = Literal["trashed", "restoring", "purging"]
"""What is to become of it: nothing as yet, or what was begun and goes on after a crash."""

_OF = TRASH.c.video_id == bindparam("of")
_ALL = select(TRASH).order_by(TRASH.c.deleted_at.desc(), TRASH.c.video_id)
_OF_CONTENT = select(TRASH).where(TRASH.c.content_sha256 == bindparam("of")).limit(1)
_ENTRIES = select(TRASHED_ENTRIES).where(TRASHED_ENTRIES.c.video_id == bindparam("of")).order_by(TRASHED_ENTRIES.c.id)
_IS_THERE = select(TRASH.c.video_id).where(_OF)
_DROP_ENTRY = delete(TRASHED_ENTRIES).where(TRASHED_ENTRIES.c.id == bindparam("entry"))


@dataclass(frozen=True, slots=True)
class Trashed:
    """A deleted video."""

    video_id: str
    content_sha256: str
    title: str
    filename: str
    media_key: str
    poster_key: str | None
    duration_s: float
    deleted_at: str
    """UTC, ISO 8601."""
    state: State = "trashed"


@dataclass(frozen=True, slots=True, eq=False)
class KeptEntry:
    """One entry of an index, as the index writes it down."""

    id: str
    video_id: str
    encoder: str
    """Whose space it was in."""
    payload: str
    """JSON."""
    vector: bytes
    """float32, little-endian."""


class TrashBook:
    """Keep deleted videos. Safe to use from several threads and processes. Methods raise what the shelf raises."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def keep(self, videos: Iterable[Trashed], entries: Iterable[KeptEntry]) -> None:
        """Write videos down, and entries of them, all or none; one that is there stays as it is."""
        with self._shelf.change() as db:
            for video in videos:
                if db.execute(_IS_THERE, {"of": video.video_id}).first() is None:
                    db.execute(insert(TRASH), {name: getattr(video, name) for name in Trashed.__slots__})
            for entry in entries:
                db.execute(_DROP_ENTRY, {"entry": entry.id})
                db.execute(insert(TRASHED_ENTRIES), {name: getattr(entry, name) for name in KeptEntry.__slots__})

    def videos(self) -> list[Trashed]:
        """Return all deleted videos, the last deleted first."""
        return [Trashed(**row._mapping) for row in self._shelf.rows(_ALL)]

    def of_content(self, content_sha256: str) -> Trashed | None:
        """Return the deleted video of a content; None where there is none."""
        found = self._shelf.rows(_OF_CONTENT, {"of": content_sha256})
        return Trashed(**found[0]._mapping) if found else None

    def entries(self, video_id: str) -> Sequence[KeptEntry]:
        """Return all that the spaces held of a deleted video."""
        return [KeptEntry(**row._mapping) for row in self._shelf.rows(_ENTRIES, {"of": video_id})]

    def begin(self, video_id: str, state: State) -> bool:
        """Note what is begun with a deleted video; return whether it is so now. What was begun before stays."""
        change = update(TRASH).where(_OF, TRASH.c.state.in_(["trashed", state])).values(state=state)
        with self._shelf.change() as db:
            return bool(db.execute(change, {"of": video_id}).rowcount)

    def call_off(self, video_id: str, deleted_at: str) -> bool:
        """Note that a video which was to come back is deleted after all, at a time; return whether it was to."""
        change = update(TRASH).where(_OF, TRASH.c.state == "restoring").values(state="trashed", deleted_at=deleted_at)
        with self._shelf.change() as db:
            return bool(db.execute(change, {"of": video_id}).rowcount)

    def drop(self, video_id: str) -> None:
        """Forget a deleted video: it is back, or gone for good."""
        with self._shelf.change() as db:
            db.execute(delete(TRASHED_ENTRIES).where(TRASHED_ENTRIES.c.video_id == bindparam("of")), {"of": video_id})
            db.execute(delete(TRASH).where(_OF), {"of": video_id})
