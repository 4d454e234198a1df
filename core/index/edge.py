"""The embedded index: Qdrant Edge, the Qdrant engine inside this process, in one folder on this machine.

The folder holds `library.json`, which says which encoder filled the library and whether all of its videos are there,
`shard/`, which is Edge's own, and mostly a second copy (spare.py). One process has it open at a time.

Edge's `optimize()` is never called: it would build a graph for quicker searches, but it stops every thread of the
process until it is done (71 s at 100,000 clips), and comparing all of them takes 7 ms (at 384 numbers a vector; a whole
search 9 ms). So searches are exact. Storing float16 would take 5 ms and cost exactness; int8 copies are only made by
`optimize()`. Measured with bench/search.py.
"""

from __future__ import annotations

import errno
import itertools
import shutil
import sys
import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import qdrant_edge as edge

from core.errors import EncoderMismatch, LibraryError, LibraryLocked
from core.files import make_folder, see_on_disk
from core.index import base, paging, payload
from core.index.base import Order, Place, Where, place
from core.index.notes import NOTE, read_note, write_note
from core.index.spare import Spare
from core.index.tally import READ, Tally
from core.models import Counts, EncoderInfo, Entry, Match, Scope, Scored, Taste

SHARD = "shard"
BATCH = 256
"""Entries a call to Edge, written or scrolled: a call keeps the other threads waiting, and 256 take about 10 ms."""
FETCH_PER_VIDEO = 8
"""Nearest entries to look at for every video wanted: 100 more cost 0.5 ms, one more look 8 ms (100,000 clips)."""
MIN_FREE_BYTES = 128 * 1024 * 1024
"""Edge grows its files by 32 MiB and writes them through memory maps: on a full disk SIGBUS kills us. Stop before."""

PointId = int | uuid.UUID | str
_BRIEF = edge.PayloadSelector.Exclude(list(base.LONG_FIELDS))
_KINDS = {
    "keyword": edge.PayloadSchemaType.Keyword,
    "number": edge.PayloadSchemaType.Float,
    "time": edge.PayloadSchemaType.Datetime,
}
_Condition = (
    edge.FieldCondition
    | edge.IsEmptyCondition
    | edge.IsNullCondition
    | edge.HasIdCondition
    | edge.HasVectorCondition
    | edge.NestedCondition
    | edge.Filter
)


class EdgeIndex:
    """Keep a library in a folder, with nothing to install or start.

    Opening creates the library when there is none, complete or to be filled. Raises EncoderMismatch when another
    encoder filled it, LibraryLocked when another process has it open, and LibraryError when the folder cannot be read
    or written.
    """

    name: Literal["edge", "server"] = "edge"

    def __init__(self, path: Path, info: EncoderInfo, *, complete: bool = True, spare: Spare | None = None) -> None:
        """Open it; what is written goes to `spare` too, from when there is one, and it is closed with the index."""
        self.path = path
        self.info = info
        self.spare = spare
        self._complete = complete
        self._write_lock = threading.Lock()
        self._opening = uuid.uuid4().hex
        self._writes = 0
        self._tally: Tally | None = None
        """What counting goes by, once something was counted; None again where it may be wrong."""
        self._video_of: dict[PointId, str] = {}
        """Which video an entry is of, for those that came up since the last time one was deleted: content that comes
        back can come under another id. Reading it from the payloads of 800 entries takes half as long as finding
        them."""
        with self._folder_errors():
            self._shard = self._open()

    @property
    def version(self) -> str:
        return f"{self._opening}-{self._writes}"

    def upsert(self, entries: Sequence[Entry]) -> None:
        base.check_entries(entries, self.info)
        self._check_disk()
        batches = (entries[start : start + BATCH] for start in range(0, len(entries), BATCH))
        written = (edge.UpdateOperation.upsert_points([_point(entry) for entry in batch]) for batch in batches)
        self._write(written, lambda tally: self._note_written(tally, entries), spare=lambda spare: spare.put(entries))
        for entry in entries:  # a search may have looked one up while it was being deleted
            self._video_of.pop(uuid.UUID(base.id_of(entry)), None)

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
        base.check_target(target, self.info)
        query = _query(target)
        best = self._best_points(query, base.videos_wanted(limit, among), scope, exclude, among, where)
        if not best:
            return []
        matches = self._retrieved(best) if per_video == 1 else self._asked_each(best, query, per_video, scope)
        return sorted(matches, key=lambda match: -match.score)

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
        if order is not None and (scope == "video" or order.field.startswith(base.STANDINGS)):
            if scope == "clip":
                return
            for entry in self._in_order(order, where or Where(), after, limit, with_vectors, with_texts):
                if video_id in (None, entry.video_id) and content_sha256 in (None, entry.content_sha256):
                    yield entry
            return
        must, must_not = _conditions(video_id=video_id, content_sha256=content_sha256, scope=scope, where=where)

        def page(more: list[_Condition], size: int, behind: str | None = None, by: edge.OrderBy | None = None):
            request = edge.ScrollRequest(
                offset=behind,
                limit=size + (behind is not None),
                filter=_filter([*must, *more], must_not),
                with_payload=True if with_texts else _BRIEF,
                with_vector=with_vectors,
                order_by=by,
            )
            with self._translated():
                records, _ = self._shard.scroll(request)
            # It begins with the entry that it is told to begin with, if that is still there.
            found = [record for record in records if behind is None or str(record.id) != behind][:size]
            return [base.from_payload(record.payload, record.vector) for record in found]

        if order is None:
            yield from paging.by_id(after, limit, BATCH, lambda behind, size: page([], size, behind))
        else:
            direction = edge.Direction.Desc if order.descending else edge.Direction.Asc
            by = edge.OrderBy(order.field, direction)
            yield from paging.in_order(
                order,
                after,
                limit,
                BATCH,
                lambda value, size: page([] if value is None else [_beyond(order, value)], size, by=by),
                lambda value, behind, size: page([_equal(order.field, value)], size, behind),
            )

    def retrieve(self, video_ids: Sequence[str], *, scope: Scope = "video", with_vectors: bool = True) -> list[Entry]:
        return base.retrieved(self, video_ids, scope, with_vectors)

    def facets(self, field: str, where: Where | None = None) -> Mapping[str, int]:
        return self._tallied().facets(field, where)

    def label(self, wholes: Sequence[Entry]) -> None:
        def note(tally: Tally) -> None:
            for whole in wholes:
                everywhere, own = payload.labelled(whole)
                tally.label(whole.video_id, everywhere | own)

        self._write(itertools.chain.from_iterable(map(_labelling, wholes)), note)

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Do nothing: there is no graph to build."""
        yield

    def delete(self, video_id: str) -> None:
        conditions = edge.Filter(must=[edge.FieldCondition(key="video_id", match=edge.MatchValue(video_id))])
        self._write(
            [edge.UpdateOperation.delete_points_by_filter(conditions)],
            lambda tally: tally.remove(video_id),
            spare=lambda spare: spare.remove(video_id),
        )
        self._video_of.clear()

    def count(self, where: Where | None = None) -> Counts:
        return self._tallied().count(where)

    def close(self) -> None:
        with self._write_lock, self._translated():
            self._shard.close()
            if self.spare is not None:
                self.spare.close()

    def size(self) -> int:
        """Return how many entries there are, whatever they are."""
        with self._translated():
            return int(self._shard.info().points_count)

    def records(self) -> Iterator[tuple[str, Mapping[str, Any], np.ndarray]]:
        """Yield the id, payload and vector of every entry as they lie there, whatever they are; a vector that is gone
        is empty."""
        for record in self._scrolled(None, True, with_vector=True):
            vector = record.vector if isinstance(record.vector, list) else []
            yield str(record.id), record.payload or {}, np.asarray(vector, np.float32)

    def _tallied(self) -> Tally:
        """Return what counting and ordering go by; reads all videos where nothing was asked of the library yet."""
        tally = self._tally
        if tally is not None:
            return tally
        with self._write_lock:  # what is written meanwhile would be missing
            if self._tally is None:
                tally = Tally()
                for record in self._scrolled(_where(scope="video"), list(READ), with_vector=False):
                    said = record.payload or {}
                    tally.put(said["video_id"], "video", str(record.id), said)
                for video_id, clips in self._clips().items():
                    tally.put_clips(video_id, clips)
                self._tally = tally
            return self._tally

    def _in_order(
        self,
        order: Order,
        where: Where,
        after: Place | None,
        limit: int | None,
        with_vectors: bool,
        with_texts: bool,
    ) -> Iterator[Entry]:
        """Yield videos' own entries as the tally has them in order."""
        left = limit
        while left is None or left > 0:
            size = BATCH if left is None else min(BATCH, left)
            ids = self._tallied().in_order(order, where, after, size)
            with self._translated():
                found = self._shard.retrieve(
                    list(ids), with_payload=True if with_texts else _BRIEF, with_vector=with_vectors
                )
            records = {str(record.id): record for record in found}
            for id_ in ids:
                if id_ in records:  # a video can be deleted between the two questions
                    entry = base.from_payload(records[id_].payload, records[id_].vector)
                    after, left = place(entry, order), None if left is None else left - 1
                    yield entry
            if len(ids) < size or not records:
                return

    def _scrolled(
        self, where: edge.Filter | None, with_payload: bool | list[str], *, with_vector: bool
    ) -> Iterator[edge.Record]:
        """Yield every entry that fits as it lies there, a batch at a time."""
        offset = None
        while True:
            request = edge.ScrollRequest(
                offset=offset, limit=BATCH, filter=where, with_payload=with_payload, with_vector=with_vector
            )
            with self._translated():
                records, offset = self._shard.scroll(request)
            yield from records
            if offset is None:
                return

    def _clips(self) -> dict[str, int]:
        """Return how many clips each video has. Edge counts them: of three entries in four nothing else is asked."""
        request = edge.FacetRequest("video_id", limit=2**31, exact=True, filter=_where(scope="clip"))
        with self._translated():
            return {str(hit.value): hit.count for hit in self._shard.facet(request).hits}

    def _note_written(self, tally: Tally, entries: Sequence[Entry]) -> None:
        """Bring the tally up to what was written. Which clips were there before only the shard can tell."""
        for entry in entries:
            if entry.scope == "video":
                tally.put(entry.video_id, "video", base.id_of(entry), payload.stored(entry))
        for video_id in {entry.video_id for entry in entries if entry.scope == "clip"}:
            clips = self._shard.count(edge.CountRequest(exact=True, filter=_where(video_id=video_id, scope="clip")))
            tally.put_clips(video_id, clips)

    def _best_points(
        self,
        query: edge.Query,
        limit: int,
        scope: Scope | None,
        exclude: Collection[str],
        among: Collection[str] | None,
        where: Where | None,
    ) -> dict[str, edge.ScoredPoint]:
        """Return the best entry of each of the `limit` best videos, best first, by video id; without its payload.

        Edge cannot group. So the nearest entries are looked at, whatever video they are of, and as long as videos are
        missing the next nearest of all others: one video of 1,000 clips takes one more round, not all the places.
        """
        found: dict[str, edge.ScoredPoint] = {}
        size = limit if scope == "video" else limit * FETCH_PER_VIDEO  # a video has one entry for the whole of it
        while len(found) < limit:
            request = edge.QueryRequest(
                limit=size,
                query=query,
                filter=_where(scope=scope, exclude=[*exclude, *found], among=among, where=where),
            )
            with self._translated():
                points = self._shard.query(request)
            for point, video in zip(points, self._videos_of([point.id for point in points]), strict=True):
                if video is not None:
                    found.setdefault(video, point)
            if len(points) < size:
                break
        return dict(itertools.islice(found.items(), limit))

    def _videos_of(self, ids: Sequence[PointId]) -> list[str | None]:
        """Return the video of each entry; None for one that was deleted since it was found."""
        known = {entry: video for entry in ids if (video := self._video_of.get(entry)) is not None}
        unknown = [entry for entry in ids if entry not in known]
        if unknown:
            with self._translated():
                records = self._shard.retrieve(unknown, with_payload=["video_id"], with_vector=False)
            known |= {record.id: sys.intern(record.payload["video_id"]) for record in records if record.payload}
            self._video_of.update(known)
        return [known.get(entry) for entry in ids]

    def _retrieved(self, best: dict[str, edge.ScoredPoint]) -> list[Match]:
        """Return matches of these entries alone, all read at once: asking for each video takes twice as long."""
        with self._translated():
            records = self._shard.retrieve([point.id for point in best.values()], with_payload=_BRIEF, with_vector=True)
        entries = {record.id: base.from_payload(record.payload, record.vector) for record in records}
        return [
            Match(video, (Scored(entries[point.id], point.score),))
            for video, point in best.items()
            if point.id in entries  # a video can be deleted between the two questions
        ]

    def _asked_each(self, videos: Iterable[str], query: edge.Query, per_video: int, scope: Scope | None) -> list[Match]:
        """Return matches of these videos, each with its `per_video` best entries."""
        requests = [
            edge.QueryRequest(
                limit=per_video,
                query=query,
                filter=_where(video_id=video, scope=scope),
                with_payload=_BRIEF,
                with_vector=True,
            )
            for video in videos
        ]
        with self._translated():
            answers = self._shard.query_batch(edge.QueryBatchRequest(requests))
        return [
            Match(video, tuple(Scored(base.from_payload(point.payload, point.vector), point.score) for point in points))
            for video, points in zip(videos, answers, strict=True)
            if points  # as above
        ]

    def _write(
        self,
        operations: Iterable[edge.UpdateOperation],
        note: Callable[[Tally], None] | None = None,
        *,
        spare: Callable[[Spare], None] | None = None,
    ) -> None:
        """Apply operations and see them on the disk: Edge's log alone outlives a kill, but not a power cut. `note`
        brings the tally up to them, `spare` the second copy."""
        with self._write_lock:
            self._apply(operations, note)
            if self.spare is not None and spare is not None:
                spare(self.spare)

    def _apply(self, operations: Iterable[edge.UpdateOperation], note: Callable[[Tally], None] | None) -> None:
        with self._translated():
            try:
                for operation in operations:
                    self._shard.update(operation)
                self._shard.flush()
                if self._tally is not None and note is not None:
                    note(self._tally)
                    if self._tally.entries != self._shard.info().points_count:
                        self._tally = None  # content came under another id, say
            except BaseException:
                self._tally = None  # nobody knows how much of it was done
                raise
            finally:
                self._writes += 1  # also when it failed half-way: what was computed may be wrong

    def _open(self) -> edge.EdgeShard:
        if not (self.path / NOTE).exists():
            self._create()
        self._check_encoder()
        with self._translated():
            shard = edge.EdgeShard.load(str(self.path / SHARD))
            _index_fields(shard)
        return shard

    def _create(self) -> None:
        """Make an empty library beside and move it into place whole: a kill, or another process that does the same
        at this moment, cannot leave half of one."""
        make_folder(self.path.parent)
        making = self.path.with_name(f".making-{uuid.uuid4().hex}")
        try:
            making.mkdir()
            write_note(making, base.Space(self.info.name, self.info.dimension, self._complete))
            with self._translated():
                make_shard(making / SHARD, self.info.dimension)
            see_on_disk(making)
            making.rename(self.path)
            see_on_disk(self.path.parent)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            # Something is there already: it is judged next, like every library that is opened.
        finally:
            shutil.rmtree(making, ignore_errors=True)

    def _check_encoder(self) -> None:
        """Raise EncoderMismatch unless this encoder filled the library."""
        space = read_note(self.path)
        filled_by, dimension = space.encoder, space.dimension
        if (filled_by, dimension) != (self.info.name, self.info.dimension):
            raise EncoderMismatch(
                "The library in {path} was filled by the encoder {filled_by} ({dimension} numbers a vector), but "
                "{configured} ({size}) is configured, and the two cannot be compared. Set ENCODER (and its model) "
                "back to {filled_by}, or set DATA_DIR to another folder and ingest the videos again.",
                path=self.path,
                filled_by=filled_by,
                dimension=dimension,
                configured=self.info.name,
                size=self.info.dimension,
            )

    def _check_disk(self) -> None:
        with self._folder_errors():
            free_bytes = shutil.disk_usage(self.path).free
        if free_bytes < MIN_FREE_BYTES:
            raise LibraryError(
                "The disk that holds the library ({path}) is almost full. Free at least {megabytes} MB and try again.",
                path=self.path,
                megabytes=MIN_FREE_BYTES // 1024**2,
            )

    @contextmanager
    def _folder_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LibraryError(
                "The library folder {path} cannot be used: {why}. Let this user write to it, or set DATA_DIR to "
                "another folder.",
                path=self.path,
                why=error.strerror or error,
            ) from error

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what Edge raises into sentences; only calls of Edge belong inside.

        Edge raises bare Exception, and for a damaged file sometimes Rust's panic, which is not even that.
        """
        try:
            yield
        except BaseException as error:
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            raise self._sentence(str(error)) from error

    def _sentence(self, said: str) -> LibraryError:
        if "WouldBlock" in said:
            return LibraryLocked(
                "The library in {path} is in use by another running app or command. Stop that one first, or set "
                "DATA_DIR to another folder.",
                path=self.path,
            )
        if "not initialized" in said:
            return LibraryError("The library is closed. Start the app again.")
        return LibraryError(
            "The library in {path} could not be read or written. Check the disk; if the folder is damaged, restore "
            "it from a backup, or set DATA_DIR to another folder and ingest again. (Qdrant Edge: {said})",
            path=self.path,
            said=said,
        )


def make_shard(path: Path, dimension: int) -> None:
    """Make an empty shard. Raises what Edge raises."""
    params = edge.EdgeVectorParams(size=dimension, distance=edge.Distance.Cosine)
    shard = edge.EdgeShard.create(str(path), edge.EdgeConfig(vectors=params))
    _index_fields(shard)
    shard.close()


def _index_fields(shard: edge.EdgeShard) -> None:
    """Make the payload indexes that are missing."""
    there = set(shard.info().payload_schema)
    missing = [field for field in payload.FIELDS if field not in there]
    for field in missing:
        shard.update(edge.UpdateOperation.create_field_index(field, _KINDS[payload.FIELDS[field]]))
    if missing:
        shard.flush()


def _point(entry: Entry) -> edge.Point:
    return edge.Point(base.id_of(entry), entry.vector.tolist(), payload.stored(entry))


def _labelling(whole: Entry) -> Iterator[edge.UpdateOperation]:
    """Yield what writes the labels of a video."""
    everywhere, own = payload.labelled(whole)
    mine = edge.FieldCondition(key="video_id", match=edge.MatchValue(whole.video_id))
    yield edge.UpdateOperation.set_payload_by_filter(edge.Filter(must=[mine]), everywhere)
    if own:
        video = edge.FieldCondition(key="scope", match=edge.MatchValue("video"))
        yield edge.UpdateOperation.set_payload_by_filter(edge.Filter(must=[mine, video]), own)


def _query(target: np.ndarray | Taste) -> edge.Query:
    if isinstance(target, Taste):
        likes, dislikes = ([vector.tolist() for vector in vectors] for vectors in (target.likes, target.dislikes))
        return edge.Query.RecommendBestScore(edge.RecommendQuery(likes, dislikes))
    return edge.Query.Nearest(target.tolist())


def _where(**conditions: Any) -> edge.Filter | None:
    """Return a filter for those conditions that are given, or None when none is."""
    return _filter(*_conditions(**conditions))


def _filter(must: list[_Condition], must_not: list[_Condition]) -> edge.Filter | None:
    return edge.Filter(must=must, must_not=must_not) if must or must_not else None


def _conditions(
    *,
    video_id: str | None = None,
    content_sha256: str | None = None,
    scope: Scope | None = None,
    exclude: Collection[str] = (),
    among: Collection[str] | None = None,
    where: Where | None = None,
) -> tuple[list[_Condition], list[_Condition]]:
    """Return what must hold and what must not."""
    must: list[_Condition] = [
        edge.FieldCondition(key=key, match=edge.MatchValue(value))
        for key, value in (("video_id", video_id), ("content_sha256", content_sha256), ("scope", scope))
        if value is not None
    ]
    if among is not None:
        must.append(_any("video_id", among))
    must_not: list[_Condition] = [_any("video_id", exclude)] if exclude else []
    if where is not None:
        must += [_any(key, values) for key, values in where.any_of.items()]
        must_not += [_any(key, values) for key, values in where.none_of.items() if values]
    return must, must_not


def _any(key: str, values: Collection[str]) -> edge.FieldCondition:
    return edge.FieldCondition(key=key, match=edge.MatchAny(list(values)))


def _beyond(order: Order, value: float | str) -> edge.FieldCondition:
    """Return the condition of what comes behind a value, without the value itself."""
    behind: dict[str, Any] = {"lt" if order.descending else "gt": value}
    return _ranged(order.field, value, behind)


def _equal(field: str, value: float | str) -> edge.FieldCondition:
    return _ranged(field, value, {"gte": value, "lte": value})


def _ranged(field: str, value: float | str, bounds: dict[str, Any]) -> edge.FieldCondition:
    range_ = edge.RangeDateTime(**bounds) if isinstance(value, str) else edge.RangeFloat(**bounds)
    return edge.FieldCondition(key=field, range=range_)
