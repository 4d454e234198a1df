"""What the videos of an embedded library have, column by column, to count by.

Edge counts the values of a field exactly by reading every entry that fits: 15 ms at 48,000 entries, and a page counts
eight fields. So they are kept here as one array of truth values a value, and counting is what numpy does in
microseconds (bench/scale.py). It takes 100 bytes a video; a library is read through once for it, then kept up with.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping

import numpy as np

from core.index.base import Where
from core.index.payload import FIELDS
from core.models import Counts, Scope

COUNTED = tuple(
    field for field, kind in FIELDS.items() if kind == "keyword" and field not in ("scope", "content_sha256")
)
"""Fields that are counted and filtered by here; video_id among them, one value a video."""
_VALUED = tuple(field for field in COUNTED if field != "video_id")
_FIRST_ROWS = 1024

Payload = Mapping[str, object]


class Tally:
    """Count videos and clips by what is stored of them. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, int] = {}
        """By video id; a clip makes one too, for it can come before its video."""
        self._free: list[int] = []
        self._used = 0
        self._wholes = np.zeros(_FIRST_ROWS, bool)
        self._clips = np.zeros(_FIRST_ROWS, np.int32)
        self._columns: dict[str, dict[str, np.ndarray]] = {field: {} for field in _VALUED}

    @staticmethod
    def knows(where: Where) -> bool:
        """Tell whether it can say what fits: all fields asked for are COUNTED."""
        return all(field in COUNTED for field in (*where.any_of, *where.none_of))

    @property
    def entries(self) -> int:
        """How many entries were taken note of."""
        with self._lock:
            return int(self._wholes.sum()) + int(self._clips.sum())

    def put(self, video_id: str, scope: Scope, stored: Payload) -> None:
        """Take note of an entry that was not there; of a video's own, also where it was."""
        with self._lock:
            row = self._row(video_id)
            if scope == "clip":
                self._clips[row] += 1
                return
            self._wholes[row] = True
            self._set(row, {field: stored.get(field) for field in _VALUED})

    def label(self, video_id: str, said: Payload) -> None:
        """Take note of what was written on a video, if it is there; fields that are not named stay."""
        with self._lock:
            row = self._rows.get(video_id)
            if row is not None and self._wholes[row]:
                self._set(row, {field: value for field, value in said.items() if field in _VALUED})

    def put_clips(self, video_id: str, clips: int) -> None:
        """Take note of how many clips a video has."""
        with self._lock:
            self._clips[self._row(video_id)] = clips

    def remove(self, video_id: str) -> None:
        with self._lock:
            row = self._rows.pop(video_id, None)
            if row is not None:
                self._set(row, dict.fromkeys(_VALUED))
                self._wholes[row], self._clips[row] = False, 0
                self._free.append(row)

    def count(self, where: Where | None = None) -> Counts:
        """Return how many videos fit, and how many clips they have; without conditions all, also clips whose video is
        not there yet."""
        with self._lock:
            if where is None:
                return Counts(int(self._wholes.sum()), int(self._clips.sum()))
            fits = self._fits(where)
            return Counts(int(np.count_nonzero(fits)), int(self._clips[fits].sum()))

    def facets(self, field: str, where: Where | None = None) -> dict[str, int]:
        """Return how many of the fitting videos have each value, most frequent first."""
        with self._lock:
            fits = self._fits(where or Where())
            if field == "video_id":
                return {video_id: 1 for video_id, row in self._rows.items() if fits[row]}
            counted = {value: int(np.count_nonzero(has & fits)) for value, has in self._columns[field].items()}
        return dict(sorted(((value, n) for value, n in counted.items() if n), key=lambda pair: (-pair[1], pair[0])))

    def _fits(self, where: Where) -> np.ndarray:
        fits = self._wholes.copy()
        for field, values in where.any_of.items():
            fits &= self._has(field, values)
        for field, values in where.none_of.items():
            fits &= ~self._has(field, values)
        return fits

    def _has(self, field: str, values: Collection[str]) -> np.ndarray:
        """Return which rows have one of these values."""
        has = np.zeros(len(self._wholes), bool)
        if field == "video_id":
            has[[row for value in values if (row := self._rows.get(value)) is not None]] = True
            return has
        for value in values:
            if (column := self._columns[field].get(value)) is not None:
                has |= column
        return has

    def _row(self, video_id: str) -> int:
        row = self._rows.get(video_id)
        if row is None:
            if self._free:
                row = self._free.pop()
            else:
                row = self._used
                self._used += 1
                if row == len(self._wholes):
                    self._grow()
            self._rows[video_id] = row
        return row

    def _grow(self) -> None:
        more = len(self._wholes)
        self._wholes, self._clips = np.pad(self._wholes, (0, more)), np.pad(self._clips, (0, more))
        for columns in self._columns.values():
            for value, column in columns.items():
                columns[value] = np.pad(column, (0, more))

    def _set(self, row: int, said: Payload) -> None:
        """Let a row have just these values of the named fields."""
        for field, value in said.items():
            columns = self._columns[field]
            for column in columns.values():
                column[row] = False
            for one in _texts(value):
                if one not in columns:
                    columns[one] = np.zeros(len(self._wholes), bool)
                columns[one][row] = True


def _texts(value: object) -> Iterable[str]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else [str(one) for one in value] if isinstance(value, Iterable) else ()
