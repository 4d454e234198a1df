"""What each person likes, dislikes and has seen, kept under a name they type: no account, no cookie, no password."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast, get_args

from sqlalchemy import bindparam, delete, insert, select

from core.errors import QueryError
from core.names import clean_name, identity
from core.state.base import Shelf
from core.state.tables import MARKS as MARKS_TABLE
from core.state.tables import PROFILES

Mark = Literal["like", "dislike", "seen"]
MARKS: tuple[str, ...] = get_args(Mark)
NAME_CHARS = 40
_REPLACES: dict[str, tuple[Mark, ...]] = {
    "like": ("like", "dislike"),
    "dislike": ("like", "dislike"),
    "seen": ("seen",),
}
"""The marks that a mark takes the place of: a video is liked or disliked, the later wins; seen goes with either."""
_VIDEO_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")

_OF_PROFILE = MARKS_TABLE.c.profile == bindparam("of")
_OF_VIDEO = MARKS_TABLE.c.video_id == bindparam("video")
_ALL = select(MARKS_TABLE.c.video_id, MARKS_TABLE.c.mark).where(_OF_PROFILE).order_by(MARKS_TABLE.c.number.desc())
_EVERY = (
    select(PROFILES.c.name, MARKS_TABLE.c.video_id, MARKS_TABLE.c.mark)
    .where(MARKS_TABLE.c.profile == PROFILES.c.key)
    .order_by(MARKS_TABLE.c.number)
)
_MARKED = select(MARKS_TABLE.c.number).where(
    _OF_PROFILE, _OF_VIDEO, MARKS_TABLE.c.mark.in_(bindparam("marks", expanding=True))
)
_NAME = select(PROFILES.c.name).where(PROFILES.c.key == bindparam("of"))
_TAKE_OFF = delete(MARKS_TABLE).where(
    _OF_PROFILE, _OF_VIDEO, MARKS_TABLE.c.mark.in_(bindparam("marks", expanding=True))
)


@dataclass(frozen=True, slots=True)
class Marks:
    """The video ids that one person marked. Videos that have left the library since may be among them."""

    likes: tuple[str, ...] = ()
    """Newest first."""
    dislikes: tuple[str, ...] = ()
    """Newest first."""
    seen: frozenset[str] = frozenset()


class TasteBook:
    """Keep the marks of each profile. Safe to use from several threads and processes.

    A profile begins with its first mark. Case makes no difference between profiles; the name is kept as it was first
    typed. Every method raises QueryError for a name that cannot be one, and what its shelf raises.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def mark(self, profile: str, video_id: str, mark: Mark) -> None:
        """Put a mark on a video. The same mark again makes it the newest."""
        name = profile_name(profile)
        key, video_id = identity(name), _video_id(video_id)
        _check_mark(mark)
        with self._shelf.change() as db:
            if db.execute(_NAME, {"of": key}).first() is None:
                db.execute(insert(PROFILES), {"key": key, "name": name})
            db.execute(_TAKE_OFF, {"of": key, "video": video_id, "marks": _REPLACES[mark]})
            db.execute(insert(MARKS_TABLE), {"profile": key, "video_id": video_id, "mark": mark})

    def unmark(self, profile: str, video_id: str, mark: Mark) -> None:
        """Take a mark off a video; it need not be there."""
        values = {"of": identity(profile_name(profile)), "video": _video_id(video_id), "marks": [_check_mark(mark)]}
        with self._shelf.change() as db:
            db.execute(_TAKE_OFF, values)

    def marks(self, profile: str) -> Marks:
        """Return all marks of a profile; none for one that nobody used yet."""
        key = identity(profile_name(profile))
        found: dict[str, list[str]] = {mark: [] for mark in MARKS}
        for video_id, mark in self._shelf.rows(_ALL, {"of": key}):
            found[mark].append(video_id)
        return Marks(tuple(found["like"]), tuple(found["dislike"]), frozenset(found["seen"]))

    def all(self) -> list[tuple[str, str, Mark]]:
        """Return the marks of everybody, the oldest first: whose, on which video, and what."""
        return [(name, video_id, mark) for name, video_id, mark in self._shelf.rows(_EVERY)]

    def take(self, marks: Iterable[tuple[str, str, Mark]]) -> int:
        """Add marks of a library that is taken in, the oldest first, and return how many were new; what somebody said
        of a video here stays. Raises QueryError for what can be none, and takes nothing then."""
        new = 0
        with self._shelf.change() as db:
            for profile, video_id, mark in marks:
                name, video_id, mark = profile_name(profile), _video_id(video_id), _check_mark(mark)
                values = {"of": identity(name), "video": video_id}
                if db.execute(_MARKED, {**values, "marks": _REPLACES[mark]}).first() is None:
                    if db.execute(_NAME, {"of": values["of"]}).first() is None:
                        db.execute(insert(PROFILES), {"key": values["of"], "name": name})
                    db.execute(insert(MARKS_TABLE), {"profile": values["of"], "video_id": video_id, "mark": mark})
                    new += 1
        return new

    def reset(self, profile: str) -> list[tuple[str, str, Mark]]:
        """Forget a profile, its marks and its name; return what was forgotten as `take` has it back."""
        key = identity(profile_name(profile))
        with self._shelf.change() as db:
            forgotten = [tuple(row) for row in db.execute(_EVERY.where(_OF_PROFILE), {"of": key})]
            db.execute(delete(MARKS_TABLE).where(_OF_PROFILE), {"of": key})
            db.execute(delete(PROFILES).where(PROFILES.c.key == bindparam("of")), {"of": key})
        return forgotten

    def forget_video(self, video_id: str) -> None:
        """Take all marks of everybody off a video that is gone for good."""
        with self._shelf.change() as db:
            db.execute(delete(MARKS_TABLE).where(_OF_VIDEO), {"video": video_id})


def profile_name(text: str) -> str:
    """Return the name of a profile as it is kept. Raises QueryError for what cannot be one."""
    return clean_name(text, "A profile name", NAME_CHARS)


def _video_id(text: str) -> str:
    if not _VIDEO_ID.fullmatch(text):
        raise QueryError("That is not the id of a video. Choose a video of the library.")
    return text


def _check_mark(mark: str) -> Mark:
    if mark not in MARKS:
        raise QueryError(
            "There is no mark {mark!r}. Use one of: {marks}.", {"mark": list(MARKS)}, mark=mark, marks=", ".join(MARKS)
        )
    return cast(Mark, mark)
