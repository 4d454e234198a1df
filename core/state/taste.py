"""What each person likes, dislikes and has seen, kept under a name they type: no account, no cookie, no password."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from core.errors import QueryError
from core.names import clean_name, identity
from core.state.shelf import Shelf

Mark = Literal["like", "dislike", "seen"]
MARKS: tuple[str, ...] = get_args(Mark)
NAME_CHARS = 40
_REPLACES = {"like": ("like", "dislike"), "dislike": ("like", "dislike"), "seen": ("seen", "seen")}
"""The marks that a mark takes the place of: a video is liked or disliked, the later wins; seen goes with either."""
_VIDEO_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_SCHEMA = (
    "CREATE TABLE profiles (key TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID",
    # A new row gets the highest number yet: their order is the order of time, whatever the clock does.
    """CREATE TABLE marks (
        number   INTEGER PRIMARY KEY,
        profile  TEXT NOT NULL,
        video_id TEXT NOT NULL,
        mark     TEXT NOT NULL CHECK (mark IN ('like', 'dislike', 'seen')),
        UNIQUE (profile, video_id, mark)
    )""",
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
    """Keep the marks of each profile in one SQLite file. Safe to use from several threads and processes.

    A profile begins with its first mark. Case makes no difference between profiles; the name is shown as it was first
    typed. Every method raises QueryError for a name that cannot be one, and what `Shelf` raises.
    """

    def __init__(self, path: Path) -> None:
        self._shelf = Shelf(path, _SCHEMA, holds="likes and dislikes")

    def mark(self, profile: str, video_id: str, mark: Mark) -> None:
        """Put a mark on a video. The same mark again makes it the newest."""
        name = profile_name(profile)
        values = (identity(name), _video_id(video_id))
        _check_mark(mark)
        with self._shelf.change() as db:
            db.execute("INSERT OR IGNORE INTO profiles (key, name) VALUES (?, ?)", (values[0], name))
            db.execute(
                "DELETE FROM marks WHERE profile = ? AND video_id = ? AND mark IN (?, ?)", (*values, *_REPLACES[mark])
            )
            db.execute("INSERT INTO marks (profile, video_id, mark) VALUES (?, ?, ?)", (*values, mark))

    def unmark(self, profile: str, video_id: str, mark: Mark) -> None:
        """Take a mark off a video; it need not be there."""
        values = (identity(profile_name(profile)), _video_id(video_id), _check_mark(mark))
        with self._shelf.change() as db:
            db.execute("DELETE FROM marks WHERE profile = ? AND video_id = ? AND mark = ?", values)

    def marks(self, profile: str) -> Marks:
        """Return all marks of a profile; none for one that nobody used yet."""
        key = identity(profile_name(profile))
        found: dict[str, list[str]] = {mark: [] for mark in MARKS}
        for video_id, mark in self._shelf.rows(
            "SELECT video_id, mark FROM marks WHERE profile = ? ORDER BY number DESC", (key,)
        ):
            found[mark].append(video_id)
        return Marks(tuple(found["like"]), tuple(found["dislike"]), frozenset(found["seen"]))

    def reset(self, profile: str) -> None:
        """Forget a profile: its marks and its name."""
        key = identity(profile_name(profile))
        with self._shelf.change() as db:
            db.execute("DELETE FROM marks WHERE profile = ?", (key,))
            db.execute("DELETE FROM profiles WHERE key = ?", (key,))

    def profiles(self) -> list[str]:
        """Return the names of the profiles as they were first typed, in the order of the alphabet."""
        return [name for (name,) in self._shelf.rows("SELECT name FROM profiles ORDER BY key")]


def profile_name(text: str) -> str:
    """Return the name of a profile as it is kept. Raises QueryError for what cannot be one."""
    return clean_name(text, "A profile name", NAME_CHARS)


def _video_id(text: str) -> str:
    if not _VIDEO_ID.fullmatch(text):
        raise QueryError("That is not the id of a video. Choose a video of the library.")
    return text


def _check_mark(mark: str) -> str:
    if mark not in MARKS:
        raise QueryError(f"There is no mark {mark!r}. Use one of: {', '.join(MARKS)}.", {"mark": list(MARKS)})
    return mark
