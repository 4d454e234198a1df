"""What is stored of an entry beyond its own fields, and which stored fields an index can filter, order and count by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from core.index import base
from core.models import Entry
from core.properties import PROPERTIES

Kind = Literal["keyword", "number", "time"]

FIELDS: Mapping[str, Kind] = {
    "scope": "keyword",
    "video_id": "keyword",
    "content_sha256": "keyword",
    **{row.payload_key: "keyword" for row in PROPERTIES.values()},
    "categories": "keyword",
    "moods": "keyword",
    "labels_version": "keyword",
    "ingested_at": "time",
    "duration_s": "number",
}
"""Payload fields that get an index, and of what kind: keywords filter and are counted, numbers and times order. A
library from before one of them gets it when it is opened. Standings get theirs, one a theme, when they first come."""


def stored(entry: Entry) -> dict[str, object]:
    """Return all that is stored beside the vector: the payload contract, and what a video can be found by."""
    return base.to_payload(entry) | properties(entry)


def properties(entry: Entry) -> dict[str, object]:
    """Return the values of the properties of a video, or of the video of a clip, under their payload keys."""
    return {row.payload_key: sorted(row.of(entry)) for row in PROPERTIES.values()}


def labelled(whole: Entry) -> tuple[dict[str, object], dict[str, object]]:
    """Return what `label` writes: on all entries of a video, and on its own entry alone."""
    known = base.labels(whole)
    own = {name: known.pop(name) for name in base.FOR_WHOLES if name in known}
    return properties(whole) | known, own


def standing_fields(entries: Iterable[Entry]) -> set[str]:
    """Return the fields of the standings that these entries have."""
    return {
        f"{base.STANDINGS}{theme}" for entry in entries for theme in entry.standings or () if entry.scope == "video"
    }


def kind(field: str) -> Kind:
    """Return how a field is indexed. Raises KeyError for one that is not."""
    return "number" if field.startswith(base.STANDINGS) else FIELDS[field]
