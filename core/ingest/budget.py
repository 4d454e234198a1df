"""What may be given to TwelveLabs in a day: asked before each video, so that it is never passed.

A video is counted when it is about to be given, by its length; the mark in its notes keeps it from being counted again
when its job goes on after a crash. What is given on another day, or anew after it failed there, is counted anew; so is
what was lost there after it was charged: its encoder takes the mark away.
"""

from __future__ import annotations

import math
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.encoders.base import COUNTED
from core.errors import MediaError, NotToday, Sentence
from core.state.spending import SpendingBook


@dataclass(frozen=True, slots=True)
class Today:
    """Minutes of today, in all and of one who is known by name; None is no limit."""

    minutes: float
    most: float | None
    yours: float
    most_each: float | None


class Budget:
    """Hold what is spent in a day (UTC) below what is set. Safe to use from several threads and processes."""

    def __init__(
        self,
        book: SpendingBook,
        *,
        covers: Callable[[str], bool],
        minutes_a_day: float | None,
        minutes_a_day_each: float | None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Keep it in a book; `covers` tells by an encoder's name whether its service's minutes are meant."""
        self._book = book
        self._covers = covers
        self._most, self._most_each = minutes_a_day, minutes_a_day_each
        self._now = now

    def spend(self, encoder: str, seconds: float, by: str | None, notes: MutableMapping[str, str]) -> None:
        """Count a video that is about to be given to an encoder. Raises NotToday, MediaError where it never fits."""
        if not self._covers(encoder) or (self._most is None and self._most_each is None):
            return
        now = self._now()
        mark = f"{now.date().isoformat()}:{notes.get('failures', '0')}"
        if "task" in notes or notes.get(COUNTED) == mark:
            return
        most = min((one for one in (self._most, self._most_each if by else None) if one is not None), default=math.inf)
        if seconds > most * 60:
            raise MediaError(
                "The video lasts {minutes:.1f} minutes, and {most:g} may be given to TwelveLabs in a day "
                "(TWELVELABS_MINUTES_A_DAY). Cut it, or raise that.",
                minutes=seconds / 60,
                most=most,
            )
        spent = self._book.reserve(
            now.date().isoformat(),
            by,
            seconds,
            most_s=None if self._most is None else self._most * 60,
            most_by_one_s=None if self._most_each is None else self._most_each * 60,
        )
        if spent is not None:
            if self._most is not None and spent.in_all_s + seconds > self._most * 60:
                used = Sentence(
                    "{used:.1f} of the {most:g} minutes that may", used=spent.in_all_s / 60, most=self._most
                )
            else:
                used = Sentence(
                    "{used:.1f} of the {most:g} minutes of {by} that may",
                    used=spent.by_one_s / 60,
                    most=self._most_each,
                    by=by,
                )
            raise NotToday(
                "{used} be given to TwelveLabs in a day are used, and this video needs {minutes:.1f}. It waits for "
                "tomorrow (UTC).",
                (_midnight_after(now) - now).total_seconds() + 1,
                used=used,
                minutes=seconds / 60,
            )
        notes[COUNTED] = mark

    def today(self, by: str | None = None) -> Today | None:
        """Return what is used today; None where nothing is limited."""
        if self._most is None and self._most_each is None:
            return None
        spent = self._book.spent(self._now().date().isoformat(), by)
        return Today(spent.in_all_s / 60, self._most, spent.by_one_s / 60, self._most_each if by else None)


def _midnight_after(now: datetime) -> datetime:
    return datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
