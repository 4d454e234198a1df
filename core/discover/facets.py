"""What videos are beside what is in them (`core/properties.py`): filtered by and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from core.models import Entry, Facets, Filters
from core.properties import PROPERTIES, Property


def passes(entry: Entry, filters: Filters) -> bool:
    """Tell whether a video has one of the values asked for of each property."""
    return all(not PROPERTIES[name].of(entry).isdisjoint(wanted) for name, wanted in filters.items() if wanted)


def facets(entries: Sequence[Entry]) -> Facets:
    """Count how many of the videos have each property."""
    return {name: _counted(row, entries) for name, row in PROPERTIES.items()}


def _counted(row: Property, entries: Sequence[Entry]) -> Mapping[str, int]:
    """Return how many videos a filter for each value would leave: all options, or of an open vocabulary what occurs."""
    counts = Counter(value for entry in entries for value in row.of(entry))
    if row.options:
        return {value: counts[value] for value in row.options}
    occurring = {value for entry in entries for value in row.values(entry)}
    return {value: counts[value] for value in sorted(occurring, key=lambda value: (-counts[value], value))}
