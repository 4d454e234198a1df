"""What was seen in a watched folder and what became of it: so nothing is added twice, also after a restart."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import bindparam, delete, func, insert, select

from core.state.base import Shelf
from core.state.tables import WATCHED

State = Literal["sent", "added", "failed", "gone"]
"""On its way; in the library; refused, and not tried again as it is; in the library, and not in the folder any more."""

_OF = WATCHED.c.folder == bindparam("of")
_IN_FOLDER = select(WATCHED).where(_OF)
_OPEN = select(WATCHED).where(WATCHED.c.state.in_(["sent", "failed"]))
_FOLDERS = select(WATCHED.c.folder).distinct()
_COUNTS = select(WATCHED.c.state, func.count()).group_by(WATCHED.c.state)
_DROP = delete(WATCHED).where(_OF, WATCHED.c.name == bindparam("called"))


@dataclass(frozen=True, slots=True)
class Watched:
    """A file as it was when something was done about it."""

    folder: str
    """Absolute."""
    name: str
    size_bytes: int
    changed_ns: int
    state: State
    job: str

    @property
    def stamp(self) -> tuple[int, int]:
        """Another one than the file's means that the file has changed since."""
        return self.size_bytes, self.changed_ns


class WatchBook:
    """Keep what was seen. Safe to use from several threads and processes. Methods raise what the shelf raises."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def of(self, folder: str) -> Mapping[str, Watched]:
        """Return what is known of the files of one folder, by name; not of those in folders of it."""
        return {row.name: row for row in self._read(_IN_FOLDER, folder)}

    def open(self) -> list[Watched]:
        """Return the files that were on their way when last was asked, and those that were refused."""
        return list(self._read(_OPEN))

    def folders(self) -> list[str]:
        """Return the folders that anything is known of."""
        return [json.loads(folder) for (folder,) in self._shelf.rows(_FOLDERS)]

    def counts(self) -> Mapping[str, int]:
        """Return how many files are in each state."""
        return {state: int(number) for state, number in self._shelf.rows(_COUNTS)}

    def note(self, rows: Iterable[Watched], forget: Iterable[Watched] = ()) -> None:
        """Keep this of files, in the place of what was kept of them, and nothing more of others; all or none."""
        with self._shelf.change() as db:
            for row in forget:
                db.execute(_DROP, _key(row))
            for row in rows:
                db.execute(_DROP, _key(row))
                db.execute(
                    insert(WATCHED),
                    {
                        "folder": json.dumps(row.folder),
                        "name": json.dumps(row.name),
                        "size_bytes": row.size_bytes,
                        "changed_ns": row.changed_ns,
                        "state": row.state,
                        "job": row.job,
                    },
                )

    def _read(self, query: object, folder: str | None = None) -> Iterator[Watched]:
        values = None if folder is None else {"of": json.dumps(folder)}
        for row in self._shelf.rows(query, values):  # type: ignore[arg-type]
            said = {**row._mapping, "folder": json.loads(row.folder), "name": json.loads(row.name)}
            yield Watched(**said)


def _key(row: Watched) -> dict[str, str]:
    return {"of": json.dumps(row.folder), "called": json.dumps(row.name)}
