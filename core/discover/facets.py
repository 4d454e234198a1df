"""What videos are beside what is in them: length, shape, sound, languages of subtitles; counted and filtered by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from core.languages import with_primary
from core.models import LENGTHS, SHAPES, SOUNDS, Entry, Facets, Filters


def passes(entry: Entry, filters: Filters) -> bool:
    """Tell whether a video is what the filters ask for."""
    return (
        (not filters.lengths or _length(entry) in filters.lengths)
        and (not filters.shapes or _shape(entry) in filters.shapes)
        and (not filters.sounds or _sound(entry) in filters.sounds)
        and (not filters.languages or not with_primary(entry.subtitle_languages).isdisjoint(filters.languages))
    )


def facets(entries: Sequence[Entry]) -> Facets:
    """Count how many of the videos have each property."""

    def counted(names: Iterable[str], property_of: Callable[[Entry], str]) -> dict[str, int]:
        counts = Counter(map(property_of, entries))
        return {name: counts[name] for name in names}

    return Facets(counted(LENGTHS, _length), counted(SHAPES, _shape), counted(SOUNDS, _sound), _languages(entries))


def _shape(entry: Entry) -> str:
    ratio = entry.width_px / max(entry.height_px, 1)
    return "landscape" if ratio > 1.1 else "portrait" if ratio < 0.9 else "square"


def _length(entry: Entry) -> str:
    return next(name for name, (least, most) in LENGTHS.items() if least <= entry.duration_s < most)


def _sound(entry: Entry) -> str:
    return SOUNDS[0] if entry.has_audio else SOUNDS[1]


def _languages(entries: Sequence[Entry]) -> dict[str, int]:
    """Return the subtitle languages that occur and how many videos the filter for each would leave."""
    occurring = {code for entry in entries for code in entry.subtitle_languages}
    counts = Counter(code for entry in entries for code in with_primary(entry.subtitle_languages))
    return {code: counts[code] for code in sorted(occurring, key=lambda code: (-counts[code], code))}
