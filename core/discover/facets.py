"""What videos are beside what is in them (`core/properties.py`): filtered by and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from core.index.base import Where
from core.models import Entry, Facets, Filters
from core.properties import PROPERTIES, Property


def passes(entry: Entry, filters: Filters) -> bool:
    """Tell whether a video has one of the values asked for of each property."""
    return all(not PROPERTIES[name].of(entry).isdisjoint(wanted) for name, wanted in filters.items() if wanted)


def facets(entries: Sequence[Entry], filters: Filters) -> Facets:
    """Count how many of the videos have each property, of those that the filters for the others leave."""
    return {
        name: _arranged(
            row, Counter(value for entry in _left(entries, others(filters, name)) for value in row.of(entry))
        )
        for name, row in PROPERTIES.items()
    }


def facets_of(
    values: Callable[[str, Where], Mapping[str, int]], where: Where, filters: Filters, *, far: bool = False
) -> Facets:
    """Count the same in an index, exactly, over all that a condition leaves; `values` asks it for those of a field.

    An index that is far is asked for all fields at the same time: what takes long there is the way.
    """

    def count(name: str) -> Mapping[str, int]:
        row = PROPERTIES[name]
        return _arranged(row, values(row.payload_key, filtered(where, others(filters, name))))

    if not far:
        return {name: count(name) for name in PROPERTIES}
    with ThreadPoolExecutor(len(PROPERTIES), thread_name_prefix="facets") as pool:
        return dict(zip(PROPERTIES, pool.map(count, PROPERTIES), strict=True))


def filtered(where: Where, filters: Filters) -> Where:
    """Return a condition that holds where the filters do too."""
    asked = {PROPERTIES[name].payload_key: wanted for name, wanted in filters.items() if wanted}
    return Where({**where.any_of, **asked}, where.none_of) if asked else where


def others(filters: Filters, name: str) -> Filters:
    """Return the filters for all properties but one."""
    return {other: wanted for other, wanted in filters.items() if other != name}


def _left(entries: Sequence[Entry], filters: Filters) -> Sequence[Entry]:
    return [entry for entry in entries if passes(entry, filters)] if filters else entries


def _arranged(row: Property, counts: Mapping[str, int]) -> Mapping[str, int]:
    """Return how many videos a filter for each value would leave: all options, or of an open vocabulary what occurs."""
    if row.options:
        return {value: counts.get(value, 0) for value in row.options}
    return {value: counts[value] for value in sorted(counts, key=lambda value: (-counts[value], value))}
