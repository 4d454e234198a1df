"""Read a library in an order, page after page, each entry once.

Qdrant orders by a value and can go on from a value, but not in the midst of entries that share one. So what shares the
last value of a page is read by ids, and the next page begins with the rest of it: a place is a value and an id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import takewhile

from core.index.base import Order, Place, place
from core.models import Entry

Beyond = Callable[[float | str | None, int], list[Entry]]
"""Return the first entries, at most so many, of those beyond a value (None: of all), in order of the value."""
Tied = Callable[[float | str, str | None, int], list[Entry]]
"""Return the first entries, at most so many, that have just this value, in order of their ids: those behind an id."""


Behind = Callable[[str | None, int], list[Entry]]
"""Return the first entries, at most so many, in order of their ids: those behind an id (None: from the first on)."""


def by_id(after: Place | None, limit: int | None, batch: int, behind: Behind) -> Iterator[Entry]:
    """Yield entries by their ids, from behind a place on, at most `limit`."""
    last, left = None if after is None else after.id, limit
    while left is None or left > 0:
        size = batch if left is None else min(batch, left)
        page = behind(last, size)
        yield from page
        if len(page) < size:
            return
        last = place(page[-1]).id
        left = None if left is None else left - len(page)


def in_order(
    order: Order, after: Place | None, limit: int | None, batch: int, beyond: Beyond, tied: Tied
) -> Iterator[Entry]:
    """Yield entries in order, equal ones by their ids, from behind a place on, at most `limit`."""
    left = limit
    while left is None or left > 0:
        size = batch if left is None else min(batch, left)
        page = _page(order, after, size, beyond, tied)
        yield from page
        if len(page) < size:
            return
        after = place(page[-1], order)
        left = None if left is None else left - len(page)


def _page(order: Order, after: Place | None, size: int, beyond: Beyond, tied: Tied) -> list[Entry]:
    start = None if after is None else after.value
    page: list[Entry] = []
    if after is not None and start is not None:
        page = tied(start, after.id, size)
    left = size - len(page)
    if not left:
        return page
    found = beyond(start, left + 1)
    cut = len(found) > left
    found = sorted(found, key=lambda entry: place(entry).id)
    found = sorted(found, key=lambda entry: _comparable(order, entry), reverse=order.descending)
    if not cut:
        return page + found
    last = _comparable(order, found[-1])
    whole = list(takewhile(lambda entry: _comparable(order, entry) != last, found))
    rest = left - len(whole)
    if rest:
        # Of those that share the last value only some came, and not those with the first ids.
        value = order.value(found[-1])
        assert value is not None
        whole += tied(value, None, rest)
    return page + whole


def _comparable(order: Order, entry: Entry) -> float | datetime:
    """Return a value that is equal where Qdrant holds it equal: times are written in several ways."""
    value = order.value(entry)
    if value is None:
        raise ValueError(f"{order.field} of {entry.filename} is not there to order by")
    return datetime.fromisoformat(value) if isinstance(value, str) else value
