"""What the videos of an embedded library have, column by column, to count and to order by.

Edge counts the values of a field exactly, and orders what fits, by reading every entry that fits: at 40,000 entries all
counts of a page take 19 ms and an ordered page 5, and each number to order by would need an index of its own, 40 for
the standings. So what filters, orders and is counted is kept here as one array a value or number, and numpy does the
same in microseconds (bench/scale.py). It takes some 400 bytes a video; a library is read through once for it, then it
is kept up with.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta

import numpy as np

from core.index.base import STANDINGS, Order, Place, Where
from core.index.payload import FIELDS
from core.models import Counts, Scope

COUNTED = tuple(
    field for field, kind in FIELDS.items() if kind == "keyword" and field not in ("scope", "content_sha256")
)
"""Fields that are counted and filtered by here; video_id among them, one value a video."""
ORDERED = tuple(field for field, kind in FIELDS.items() if kind != "keyword")
"""Fields that order here, beside the standings."""
READ = ("scope", *COUNTED, *ORDERED, STANDINGS.rstrip("."))
"""Payload fields that it is made of."""
_VALUED = tuple(field for field in COUNTED if field != "video_id")
_FIRST_ROWS = 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

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
        self._high, self._low = np.zeros(_FIRST_ROWS, np.uint64), np.zeros(_FIRST_ROWS, np.uint64)
        """Halves of the ids of videos' own entries."""
        self._numbers: dict[str, np.ndarray] = {field: np.full(_FIRST_ROWS, np.nan) for field in ORDERED}
        """By field; not a number where there is none. Times are microseconds since 1970: float64 holds them exactly."""
        self._columns: dict[str, dict[str, np.ndarray]] = {field: {} for field in _VALUED}

    @property
    def entries(self) -> int:
        """How many entries were taken note of."""
        with self._lock:
            return int(self._wholes.sum()) + int(self._clips.sum())

    def put(self, video_id: str, scope: Scope, entry_id: str, stored: Payload) -> None:
        """Take note of an entry that was not there; of a video's own, also where it was."""
        with self._lock:
            row = self._row(video_id)
            if scope == "clip":
                self._clips[row] += 1
                return
            was_there, self._wholes[row] = bool(self._wholes[row]), True
            number = uuid.UUID(entry_id).int
            self._high[row], self._low[row] = number >> 64, number & (2**64 - 1)
            self._set(row, {field: stored.get(field) for field in _VALUED}, clear=was_there)
            self._number(row, {field: stored.get(field) for field in ORDERED})
            self._stand(row, stored.get("standings"), clear=was_there)

    def label(self, video_id: str, said: Payload) -> None:
        """Take note of what was written on a video, if it is there; fields that are not named stay."""
        with self._lock:
            row = self._rows.get(video_id)
            if row is not None and self._wholes[row]:
                self._set(row, {field: value for field, value in said.items() if field in _VALUED})
                if "standings" in said:
                    self._stand(row, said["standings"])

    def put_clips(self, video_id: str, clips: int) -> None:
        """Take note of how many clips a video has."""
        with self._lock:
            self._clips[self._row(video_id)] = clips

    def remove(self, video_id: str) -> None:
        with self._lock:
            row = self._rows.pop(video_id, None)
            if row is not None:
                self._set(row, dict.fromkeys(_VALUED))
                self._number(row, dict.fromkeys(ORDERED))
                self._stand(row, None)
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

    def in_order(self, order: Order, where: Where | None, after: Place | None, limit: int) -> list[str]:
        """Return the ids of the own entries of the first videos that fit, behind a place, equal ones by their ids."""
        with self._lock:
            values = self._numbers.get(order.field)
            if values is None or limit < 1:
                return []
            rows = np.flatnonzero(self._fits(where or Where()) & ~np.isnan(values))
            keys = -values[rows] if order.descending else values[rows]
            if after is not None:
                rows, keys = self._behind(rows, keys, order, after)
            if len(rows) > limit:
                last = np.partition(keys, limit - 1)[limit - 1]
                rows, keys = rows[keys <= last], keys[keys <= last]
            first = rows[np.lexsort((self._low[rows], self._high[rows], keys))[:limit]]
            halves = zip(self._high[first].tolist(), self._low[first].tolist(), strict=True)
        return [str(uuid.UUID(int=high << 64 | low)) for high, low in halves]

    def _behind(self, rows: np.ndarray, keys: np.ndarray, order: Order, after: Place) -> tuple[np.ndarray, np.ndarray]:
        """Return of rows and what they are ordered by those behind a place."""
        value = _number_of(after.value)
        start = -value if order.descending else value
        number = uuid.UUID(after.id).int
        high, low = np.uint64(number >> 64), np.uint64(number & (2**64 - 1))
        highs, lows = self._high[rows], self._low[rows]
        behind = (keys > start) | ((keys == start) & ((highs > high) | ((highs == high) & (lows > low))))
        return rows[behind], keys[behind]

    def _fits(self, where: Where) -> np.ndarray:
        fits = self._wholes.copy()
        for field, values in where.any_of.items():
            fits &= self._has(field, values)
        for field, values in where.none_of.items():
            fits &= ~self._has(field, values)
        return fits

    def _has(self, field: str, values: Collection[str]) -> np.ndarray:
        """Return which rows have one of these values. Raises KeyError for a field that is not COUNTED."""
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
        self._high, self._low = np.pad(self._high, (0, more)), np.pad(self._low, (0, more))
        for field, numbers in self._numbers.items():
            self._numbers[field] = np.pad(numbers, (0, more), constant_values=np.nan)
        for columns in self._columns.values():
            for value, column in columns.items():
                columns[value] = np.pad(column, (0, more))

    def _set(self, row: int, said: Payload, *, clear: bool = True) -> None:
        """Let a row have just these values of the named fields; one that had none before needs no clearing."""
        for field, value in said.items():
            columns = self._columns[field]
            for column in columns.values() if clear else ():
                column[row] = False
            for one in _texts(value):
                if one not in columns:
                    columns[one] = np.zeros(len(self._wholes), bool)
                columns[one][row] = True

    def _number(self, row: int, said: Payload) -> None:
        for field, value in said.items():
            self._numbers[field][row] = _number_of(value)

    def _stand(self, row: int, standings: object, *, clear: bool = True) -> None:
        """Let a row have just these standings."""
        for field, numbers in self._numbers.items() if clear else ():
            if field.startswith(STANDINGS):
                numbers[row] = np.nan
        for theme, standing in standings.items() if isinstance(standings, Mapping) else ():
            field = f"{STANDINGS}{theme}"
            if field not in self._numbers:
                self._numbers[field] = np.full(len(self._wholes), np.nan)
            self._numbers[field][row] = _number_of(standing)


def _number_of(value: object) -> float:
    """Return what a value is ordered by; not a number for what is none, nor a time."""
    if isinstance(value, int | float):
        return float(value)
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        return float("nan")
    return float(((time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH) // timedelta(microseconds=1))


def _texts(value: object) -> Iterable[str]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else [str(one) for one in value] if isinstance(value, Iterable) else ()
