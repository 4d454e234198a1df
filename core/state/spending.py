"""What was given to a service that charges by the minute: written down before it is given, a day at a time."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, delete, func, insert, select

from core.state.base import Shelf
from core.state.tables import SPENDING

KEPT = 400
"""How many days are kept."""
_OF_DAY = SPENDING.c.day == bindparam("on")
_SUM = select(func.coalesce(func.sum(SPENDING.c.seconds), 0.0)).where(_OF_DAY)
_SUM_BY = _SUM.where(SPENDING.c.by == bindparam("who"))


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of video in a day."""

    in_all_s: float
    by_one_s: float


class SpendingBook:
    """Keep what was spent. Safe to use from several threads and processes. Methods raise what the shelf raises."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def reserve(
        self, day: str, by: str | None, seconds: float, *, most_s: float | None, most_by_one_s: float | None
    ) -> Spent | None:
        """Write down that so much is spent and return None; or where that would pass a limit, what was spent before.

        `day` is ISO 8601, UTC. Nobody else can spend between the look and the writing.
        """
        with self._shelf.change() as db:
            spent = Spent(
                float(db.execute(_SUM, {"on": day}).scalar_one()),
                float(db.execute(_SUM_BY, {"on": day, "who": by}).scalar_one()) if by else 0.0,
            )
            if most_s is not None and spent.in_all_s + seconds > most_s:
                return spent
            if by and most_by_one_s is not None and spent.by_one_s + seconds > most_by_one_s:
                return spent
            db.execute(insert(SPENDING), {"day": day, "by": by, "seconds": seconds})
            old = select(SPENDING.c.day).distinct().order_by(SPENDING.c.day.desc()).offset(KEPT).limit(1)
            oldest = db.execute(old).scalar()
            if oldest is not None:
                db.execute(delete(SPENDING).where(SPENDING.c.day <= bindparam("old")), {"old": oldest})
        return None

    def spent(self, day: str, by: str | None = None) -> Spent:
        """Return what was spent in a day, in all and by one."""
        in_all = self._shelf.rows(_SUM, {"on": day})
        by_one = self._shelf.rows(_SUM_BY, {"on": day, "who": by}) if by else []
        return Spent(float(in_all[0][0]) if in_all else 0.0, float(by_one[0][0]) if by_one else 0.0)
