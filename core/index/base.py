"""What every index does, and how an entry is written down in Qdrant (the same in both backends)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from core.errors import EncoderMismatch, LibraryError
from core.models import Counts, EncoderInfo, Entry, Match, Scope, Taste

NAMESPACE = uuid.UUID("6f1c0f64-5a2b-4c1e-9a34-2f5f7b0f3d11")
LONG_FIELDS = ("tags", "subtitles")
"""Payload fields that a search leaves out: they are for encoding anew, and long."""
MAX_SUBTITLES, MAX_TAG = 20_000, 2_000
"""Characters of subtitles, and of one container tag, that are kept."""
LABELS = ("categories", "moods", "standings", "typical_s", "labels_version")
"""Fields of an entry and payload fields that hold what its video answers, from when somebody said so."""
FOR_WHOLES = ("standings", "typical_s")
"""Labels that are kept with the video's own entry alone; the others are on its clips too, so that they can filter."""


def entry_id(content_sha256: str, encoder: str, scope: Scope, start_s: float) -> str:
    """Return the UUIDv5 that names an entry: the same content, encoder and span give the same id."""
    return str(uuid.uuid5(NAMESPACE, f"{content_sha256}:{encoder}:{scope}:{start_s:.3f}"))


def video_id(content_sha256: str) -> str:
    """Return the id that a video gets when it is new: of its content alone, so that links, likes and media keys stay
    right whatever encoder reads it.

    Only for new ones: release 0.1.0 made it from content and encoder, and a video keeps the id it has. So whether a
    video is in the library is asked by its content, never by this.
    """
    return str(uuid.uuid5(NAMESPACE, content_sha256))


def id_of(entry: Entry) -> str:
    """Return the point id of an entry."""
    return entry_id(entry.content_sha256, entry.encoder, entry.scope, entry.start_s)


def to_payload(entry: Entry) -> dict[str, object]:
    """Return what is stored beside the vector (docs: the payload contract).

    Tags and subtitles are kept with the video's own entry alone, and cut to what is kept of them.
    """
    kept: dict[str, object] = {}
    if entry.scope == "video" and entry.tags is not None:
        kept["tags"] = {name: text[:MAX_TAG] for name, text in entry.tags.items()}
    if entry.scope == "video" and entry.subtitles is not None:
        kept["subtitles"] = entry.subtitles[:MAX_SUBTITLES]
    return (
        kept
        | labels(entry)
        | {
            "video_id": entry.video_id,
            "scope": entry.scope,
            "start_time": entry.start_s,
            "end_time": entry.end_s,
            "original_filename": entry.filename,
            "title": entry.title,
            "media_key": entry.media_key,
            "poster_key": entry.poster_key,
            "is_url": False,
            "duration_s": entry.duration_s,
            "width_px": entry.width_px,
            "height_px": entry.height_px,
            "has_audio": entry.has_audio,
            "encoder": entry.encoder,
            "content_sha256": entry.content_sha256,
            "ingested_at": entry.ingested_at,
            "seen": list(entry.seen),
            "subtitle_languages": list(entry.subtitle_languages),
            "caption_keys": list(entry.caption_keys),
        }
    )


def labels(entry: Entry) -> dict[str, object]:
    """Return those labels of an entry that are known, as they are stored."""
    kept: dict[str, object] = {}
    for name in LABELS:
        value = getattr(entry, name)
        if value is not None and (entry.scope == "video" or name not in FOR_WHOLES):
            kept[name] = list(value) if isinstance(value, tuple) else dict(value) if name == "standings" else value
    return kept


def from_payload(payload: Mapping[str, Any] | None, vector: object) -> Entry:
    """Return the entry a payload describes; the vector (numbers in a sequence) is empty when it was not asked for.

    Raises KeyError, TypeError or ValueError for a payload that this app did not write.
    """
    payload = payload or {}
    return Entry(
        video_id=payload["video_id"],
        scope=payload["scope"],
        start_s=float(payload["start_time"]),
        end_s=float(payload["end_time"]),
        vector=np.asarray([] if vector is None else vector, dtype=np.float32),
        filename=payload["original_filename"],
        title=payload["title"],
        media_key=payload["media_key"],
        poster_key=payload.get("poster_key"),
        duration_s=float(payload["duration_s"]),
        width_px=int(payload.get("width_px", 0)),
        height_px=int(payload.get("height_px", 0)),
        has_audio=bool(payload.get("has_audio", False)),
        encoder=payload["encoder"],
        content_sha256=payload["content_sha256"],
        ingested_at=payload["ingested_at"],
        seen=tuple(payload.get("seen") or ()),
        subtitle_languages=tuple(payload.get("subtitle_languages") or ()),
        caption_keys=tuple(payload.get("caption_keys") or ()),
        tags=payload.get("tags"),
        subtitles=payload.get("subtitles"),
        categories=_texts(payload.get("categories")),
        moods=_texts(payload.get("moods")),
        standings=payload.get("standings"),
        typical_s=_span(payload.get("typical_s")),
        labels_version=payload.get("labels_version"),
    )


def _span(kept: Sequence[float] | None) -> tuple[float, float] | None:
    return None if kept is None else (float(kept[0]), float(kept[1]))


def _texts(kept: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if kept is None else tuple(kept)


def check_entries(entries: Sequence[Entry], info: EncoderInfo) -> None:
    """Raise EncoderMismatch or LibraryError unless every entry holds a vector that this encoder can have made.

    Cosines of vectors from two encoders mean nothing, and one NaN spoils every search it takes part in.
    """
    for entry in entries:
        if entry.encoder != info.name:
            raise EncoderMismatch(
                "{filename} was encoded by {encoder}, and this library holds {name}. Ingest the video again with "
                "the encoder that is configured.",
                filename=entry.filename,
                encoder=entry.encoder,
                name=info.name,
            )
        check_vector(entry.vector, info)


def check_target(target: np.ndarray | Taste, info: EncoderInfo) -> None:
    """Raise LibraryError unless a search can be for this: vectors of this encoder, at least one."""
    vectors = (*target.likes, *target.dislikes) if isinstance(target, Taste) else (target,)
    if not vectors:
        raise LibraryError("A search by taste needs something liked or disliked. Rate a video first.")
    for vector in vectors:
        check_vector(vector, info)


def videos_wanted(limit: int, among: Collection[str] | None) -> int:
    """Return how many videos a search can find at most: with this many at hand it need not ask on."""
    return limit if among is None else min(limit, len(set(among)))


def check_vector(vector: np.ndarray, info: EncoderInfo) -> None:
    """Raise LibraryError unless the vector has this encoder's dimension and finite numbers."""
    if vector.shape != (info.dimension,) or not np.isfinite(vector).all():
        raise LibraryError(
            "{name} makes vectors of {dimension} finite numbers and this one, of shape {shape}, is not one of "
            "them. Ingest the video again; if this stays, report it as a fault of the encoder.",
            name=info.name,
            dimension=info.dimension,
            shape=vector.shape,
        )


@dataclass(frozen=True, slots=True)
class Space:
    """One vector space of a library: what one encoder made of its videos."""

    encoder: str
    """The name in the EncoderInfo of the encoder that fills it."""
    dimension: int
    complete: bool
    """Every video of the library is in it, so it may answer; otherwise it is being filled, or was left behind."""


def note(space: Space) -> dict[str, object]:
    """Return what is written down beside a space's vectors. Complete is not said: release 0.1.0 knew nothing else."""
    said = {"encoder": space.encoder, "dimension": space.dimension}
    return said if space.complete else said | {"complete": False}


def from_note(said: Mapping[str, Any]) -> Space:
    """Return the space that a note describes. Raises KeyError, TypeError or ValueError for what is none."""
    return Space(str(said["encoder"]), int(said["dimension"]), bool(said.get("complete", True)))


@dataclass(frozen=True, slots=True)
class Where:
    """Conditions on what is stored of videos; all must hold. Hashable, and equal whatever the order of values.

    Fields are those of core/index/payload.py with kind "keyword", but scope and content_sha256: labels, video_id, and
    the payload keys of core/properties.py. Clips have all of them as their video does. Entries that were written before
    a field was (releases 0.1.0 and 0.2.0 knew no labels and no properties) have no value of it until `Index.label`
    wrote one: `any_of` leaves them out, `none_of` lets them pass.
    """

    any_of: Mapping[str, Collection[str]] = field(default_factory=dict)
    """By field, at least one of these values must be there; of an empty collection none can be."""
    none_of: Mapping[str, Collection[str]] = field(default_factory=dict)
    """By field, none of these may be there."""

    def __post_init__(self) -> None:
        for name in ("any_of", "none_of"):
            conditions = {key: frozenset(values) for key, values in getattr(self, name).items()}
            object.__setattr__(self, name, conditions)

    def __hash__(self) -> int:
        return hash((frozenset(self.any_of.items()), frozenset(self.none_of.items())))


@dataclass(frozen=True, slots=True)
class Order:
    """An order that an index brings entries into by itself; what has no value of the field does not come at all."""

    field: str
    """"ingested_at", "duration_s", or "standings." and the id of a category or mood."""
    descending: bool = True

    def value(self, entry: Entry) -> float | str | None:
        """Return what places an entry, None if nothing does. A time is the text it is stored as."""
        if self.field.startswith(STANDINGS):
            return (entry.standings or {}).get(self.field.removeprefix(STANDINGS))
        return entry.duration_s if self.field == "duration_s" else entry.ingested_at


STANDINGS = "standings."
NEWEST = Order("ingested_at")


class Place(NamedTuple):
    """Where an entry stands in an order, to go on after it; good also after other entries came and went."""

    value: float | str | None
    """Of the order's field; None where there is no order."""
    id: str


def place(entry: Entry, order: Order | None = None) -> Place:
    """Return where an entry stands."""
    return Place(None if order is None else order.value(entry), id_of(entry))


AT_ONCE = 256
"""Videos that are asked for by their ids in one question."""


def portions(video_ids: Sequence[str]) -> Iterator[list[str]]:
    """Yield the ids, each once, in portions of AT_ONCE."""
    ids = list(dict.fromkeys(video_ids))
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]


def arranged(entries: Iterable[Entry], video_ids: Sequence[str]) -> list[Entry]:
    """Return entries in the order of their videos' ids, those of one video by time."""
    rank = {video_id: number for number, video_id in enumerate(dict.fromkeys(video_ids))}
    return sorted(entries, key=lambda entry: (rank[entry.video_id], entry.start_s))


COMPARED_IN_TIME = 100_000_000
"""Numbers of vectors that the embedded index compares within 25 ms, for a search of words or likeness compares them
all: 100,000 entries of 384 numbers take 7 to 9 ms (bench/search.py). Filters, orders and counts stay quick beyond."""


def is_outgrown(index: Catalogue, dimension: int) -> bool:
    """Tell whether an embedded library is so large that a Qdrant server would search it quicker."""
    counts = index.count()
    return index.name == "edge" and (counts.videos + counts.clips) * dimension > COMPARED_IN_TIME


class Catalogue(Protocol):
    """Tell what a library has, without comparing vectors. Safe to call from several threads."""

    name: Literal["edge", "server"]

    def scroll(
        self,
        *,
        video_id: str | None = None,
        content_sha256: str | None = None,
        scope: Scope | None = None,
        where: Where | None = None,
        order: Order | None = None,
        after: Place | None = None,
        limit: int | None = None,
        with_vectors: bool = True,
        with_texts: bool = True,
    ) -> Iterator[Entry]:
        """Yield entries, all or those that fit, at most `limit`: in an order, equal ones by their ids, or without one
        by their ids. `after` goes on behind the place of the last entry that came: nothing comes twice and nothing is
        left out that was there all the time. Without `with_vectors` vectors are empty, without `with_texts` tags and
        subtitles are None; both make it quicker."""
        ...

    def retrieve(self, video_ids: Sequence[str], *, scope: Scope = "video", with_vectors: bool = True) -> list[Entry]:
        """Return the entries of many videos in the order of their ids as given, those that are there, clips by time;
        without tags and subtitles. One question for hundreds."""
        ...

    def facets(self, field: str, where: Where | None = None) -> Mapping[str, int]:
        """Return how many videos have each value of a keyword field, exactly; of those that fit."""
        ...

    def count(self, where: Where | None = None) -> Counts:
        """Return how many videos and clips there are, or how many fit, exactly."""
        ...


def retrieved(catalogue: Catalogue, video_ids: Sequence[str], scope: Scope, with_vectors: bool) -> list[Entry]:
    """Return what `Catalogue.retrieve` does, by asking for portions of the ids."""
    found: list[Entry] = []
    for some in portions(video_ids):
        among = Where(any_of={"video_id": some})
        found += catalogue.scroll(scope=scope, where=among, with_vectors=with_vectors, with_texts=False)
    return arranged(found, video_ids)


class Index(Catalogue, Protocol):
    """Keep the entries of a library and find those nearest to a vector.

    Opening one for an encoder that did not fill it raises EncoderMismatch; opening a library of an earlier release adds
    the payload indexes that it lacks. Safe to call from several threads.
    """

    @property
    def version(self) -> str:
        """Another text after every change to the library, and another for every opening: what was computed from the
        library holds as long as its version. A server that others write to tells it within a few seconds, and from
        the counts; it may raise what `count` raises."""
        ...

    def upsert(self, entries: Sequence[Entry]) -> None:
        """Write entries under their deterministic ids; when it returns they survive a kill. Writing again changes
        nothing."""
        ...

    def label(self, wholes: Sequence[Entry]) -> None:
        """Write down the labels of videos, and their properties, on what is stored of them and of their clips; nothing
        else changes, vectors least of all. Takes videos' own entries, their vectors may be empty; a label that is None
        stays as it is, and a video that is gone stays gone. One call is one change of version: bring hundreds."""
        ...

    def search(
        self,
        target: np.ndarray | Taste,
        *,
        limit: int,
        per_video: int = 3,
        scope: Scope | None = None,
        exclude: Collection[str] = (),
        among: Collection[str] | None = None,
        where: Where | None = None,
    ) -> list[Match]:
        """Return at most `limit` videos, best first, each with its at most `per_video` best entries and their
        vectors, without tags and subtitles. `exclude` names videos to leave out, `among` the only ones to look at (up
        to some hundreds; None is all, empty is none), `where` holds while it searches: the best of all that fit come.
        `scope` None searches videos and clips alike.

        Searching for a vector scores by its cosine, for a Taste as told there. Raises LibraryError for a vector that
        this encoder cannot have made and for a Taste without any."""
        ...

    def delete(self, video_id: str) -> None:
        """Remove a video and its clips; no error when it is not there."""
        ...

    def loading(self) -> AbstractContextManager[None]:
        """Say that very much is written within this: it may come quicker, and searches slower until a while after."""
        ...

    def close(self) -> None:
        """Release files and connections. The index cannot be used afterwards."""
        ...


class Spaces(Protocol):
    """Keep the spaces of one library side by side, one an encoder. Safe to call from several threads."""

    name: Literal["edge", "server"]

    def all(self) -> list[Space]:
        """Return the spaces there are, by the names of their encoders in order."""
        ...

    def open(self, info: EncoderInfo) -> Index:
        """Return the index over this encoder's space. Raises LibraryError when there is none, and what opening an
        index raises."""
        ...

    def make(self, info: EncoderInfo, *, complete: bool) -> Index:
        """Make this encoder's space, empty, and return the index over it; one that is there is opened as it is."""
        ...

    def mark(self, encoder: str, *, complete: bool) -> None:
        """Write down whether all videos are in a space; when it returns that survives a kill. Raises LibraryError
        when there is none of this encoder."""
        ...

    def drop(self, encoder: str) -> None:
        """Remove a space for good; no error when it is not there. Its index must be closed before."""
        ...

    def close(self) -> None:
        """Release connections; indexes that were opened are closed on their own. Life cycle, not ability."""
        ...
