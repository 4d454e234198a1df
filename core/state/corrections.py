"""What people say against an encoder: "this is not Comedy", "this is Sports".

Kept by content, not by a video's id or a space: so it outlives re-embedding and comes along with an export.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import bindparam, delete, insert, select

from core.state.base import Shelf
from core.state.tables import CORRECTIONS

Kind = Literal["category", "mood"]

_OF = CORRECTIONS.c.content_sha256 == bindparam("of")
_THEME = (CORRECTIONS.c.kind == bindparam("which"), CORRECTIONS.c.theme == bindparam("called"))
_SAID = select(CORRECTIONS.c.theme, CORRECTIONS.c.holds).where(_OF, CORRECTIONS.c.kind == bindparam("which"))
_ONE = select(CORRECTIONS.c.holds).where(_OF, *_THEME)
_ALL = select(CORRECTIONS).order_by(CORRECTIONS.c.content_sha256, CORRECTIONS.c.kind, CORRECTIONS.c.theme)


@dataclass(frozen=True, slots=True)
class Correction:
    """One thing that a person said of a content."""

    content_sha256: str
    kind: Kind
    theme: str
    """Id of the category or mood."""
    holds: bool
    """True: it is one, whatever an encoder says. False: it is none."""
    made_at: str
    """UTC, ISO 8601."""


class Corrections:
    """Keep corrections. Safe to use from several threads and processes. Every method raises what its shelf raises."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def say(self, content_sha256: str, kind: Kind, theme: str, holds: bool | None) -> None:
        """Keep whether a category or mood holds of a content; None takes back what was said."""
        values = {"of": content_sha256, "which": kind, "called": theme}
        with self._shelf.change() as db:
            db.execute(delete(CORRECTIONS).where(_OF, *_THEME), values)
            if holds is not None:
                now = datetime.now(UTC).isoformat(timespec="milliseconds")
                row = {"content_sha256": content_sha256, "kind": kind, "theme": theme, "holds": holds, "made_at": now}
                db.execute(insert(CORRECTIONS), row)

    def of(self, content_sha256: str, kind: Kind = "category") -> Mapping[str, bool]:
        """Return what was said of a content's categories, or moods, by their ids."""
        return {theme: bool(holds) for theme, holds in self._shelf.rows(_SAID, {"of": content_sha256, "which": kind})}

    def all(self) -> tuple[Correction, ...]:
        """Return everything that was said."""
        return tuple(Correction(**{**row._mapping, "holds": bool(row.holds)}) for row in self._shelf.rows(_ALL))

    def take(self, said: Iterable[Correction]) -> int:
        """Add what was said in a library that is taken in and return how much was new; what is said here stays."""
        new = 0
        with self._shelf.change() as db:
            for one in said:
                values = {"of": one.content_sha256, "which": one.kind, "called": one.theme}
                if db.execute(_ONE, values).first() is None:
                    db.execute(insert(CORRECTIONS), asdict(one))
                    new += 1
        return new

    def by_content(self, kind: Kind) -> Mapping[str, Mapping[str, bool]]:
        """Return what was said of all categories, or moods: by content, then by id."""
        said: dict[str, dict[str, bool]] = defaultdict(dict)
        for one in self.all():
            if one.kind == kind:
                said[one.content_sha256][one.theme] = one.holds
        return said

    def forget(self, content_sha256: str) -> None:
        """Forget what was said of a content; nothing need be there."""
        with self._shelf.change() as db:
            db.execute(delete(CORRECTIONS).where(_OF), {"of": content_sha256})
