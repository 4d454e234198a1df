"""The shared index: a Qdrant server or Qdrant Cloud, so that several machines work on one library.

The collection says in its metadata which encoder filled it (servers before 1.16 forget that; then the entries are
asked). The server groups a search by video. It gives up finding groups after five rounds of its own, so a search that
came back short asks on. Writes wait until the server has them and are tried again for a while when it does not
answer: ids are deterministic, so writing twice is writing once.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import httpx
import numpy as np
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from core.errors import EncoderMismatch, LibraryError
from core.index import base, paging, payload
from core.index.base import Order, Place, Where
from core.index.connection import READ, TIMEOUT_S, WRITE, Answer, Connection, Patience, spoken_as_http
from core.index.sizing import Sizing, graph
from core.models import Counts, EncoderInfo, Entry, Match, Scope, Scored, Taste

BATCH = 256
"""Entries a request, written or scrolled."""
MAX_BATCH_BYTES = 8 * 1024 * 1024
"""Of JSON a request; the server refuses 32 MiB, and a proxy before it often less."""
NUMBER_BYTES = 22
"""The most that one number of a vector takes in JSON."""
SAMPLE = 1000
"""Entries to look at when a collection does not say who filled it. Ids are hashes, so the first are a random sample."""
EXACT_UP_TO = 50_000
"""Entries up to which the server compares all of them, as Edge does; above, it walks its graph."""
GRAPH_EFFORT = 256
"""How many candidates the graph is walked with (hnsw_ef); twice the server's default, for fewer misses."""
MAX_VALUES = 10_000
"""Values of a field that are counted, most frequent first: more than any field has that anybody counts."""
COUNT_TTL_S = 5.0
"""How long a count holds: every page asks, and others may write to the same collection."""

_BRIEF = models.PayloadSelectorExclude(exclude=list(base.LONG_FIELDS))
_KINDS = {
    "keyword": models.PayloadSchemaType.KEYWORD,
    "number": models.PayloadSchemaType.FLOAT,
    "time": models.PayloadSchemaType.DATETIME,
}


class ServerIndex:
    """Keep a library in one collection of a Qdrant server.

    Opening makes the collection when there is none (as a space that is complete, or to be filled), and never makes one
    anew. Raises EncoderMismatch when another encoder filled it, LibraryError when it is not of the kind kept here or
    the key is refused, SettingsError for an address or key that cannot be sent, and Unavailable when the server does
    not answer within `timeout_s`.
    """

    name: Literal["edge", "server"] = "server"

    def __init__(
        self,
        url: str,
        api_key: str | None,
        collection: str,
        info: EncoderInfo,
        *,
        complete: bool = True,
        timeout_s: int = TIMEOUT_S,
        grpc_port: int | None = None,
        sizing: Sizing | None = None,
        client: QdrantClient | None = None,
    ) -> None:
        self.info = info
        self.sizing = sizing or Sizing()
        self.collection = collection
        self._complete = complete
        self._writes_lock = threading.Lock()
        self._opening = uuid.uuid4().hex
        self._writes = 0
        self._counted: tuple[int, float, Counts] | None = None
        self._connection = Connection(url, api_key, timeout_s=timeout_s, grpc_port=grpc_port, client=client)
        self._client = self._connection.client
        self.place = self._connection.place
        try:
            self._size = self._open()
        except BaseException:
            self.close()
            raise

    @property
    def version(self) -> str:
        counts, writes = self.count(), self._writes
        return f"{self._opening}-{writes}-{counts.videos}-{counts.clips}"

    def upsert(self, entries: Sequence[Entry]) -> None:
        base.check_entries(entries, self.info)
        self._index_standings(entries)
        for batch in _batches(entries):
            self._write(self._client.upsert, points=batch)

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
        query, limit = _query(target), base.videos_wanted(limit, among)
        found: list[Match] = []
        while len(found) < limit:
            groups = self._ask(
                self._client.query_points_groups,
                group_by="video_id",
                query=query,
                query_filter=_where(
                    scope=scope,
                    exclude=[*exclude, *(match.video_id for match in found)],
                    among=among,
                    where=where,
                ),
                search_params=self._search_params(),
                limit=limit - len(found),
                group_size=per_video,
                with_payload=_BRIEF,
                with_vectors=True,
            ).groups
            if not groups:
                break
            found += [self._match(group) for group in groups]
        return sorted(found, key=lambda match: -match.score)

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
        must, must_not = _conditions(video_id=video_id, content_sha256=content_sha256, scope=scope, where=where)

        def page(
            more: list[models.Condition], size: int, behind: str | None = None, by: models.OrderBy | None = None
        ) -> list[Entry]:
            records, _ = self._ask(
                self._client.scroll,
                scroll_filter=_filter([*must, *more], must_not),
                limit=size + (behind is not None),
                offset=behind,
                order_by=by,
                with_payload=True if with_texts else _BRIEF,
                with_vectors=with_vectors,
            )
            # It begins with the entry that it is told to begin with, if that is still there.
            return [self._entry(record) for record in records if behind is None or str(record.id) != behind][:size]

        if order is None:
            yield from paging.by_id(after, limit, BATCH, lambda behind, size: page([], size, behind))
        elif self._has_field(order.field):
            by = models.OrderBy(key=order.field, direction=_direction(order))
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
        fits = _where(scope="video", where=where)
        answer = self._ask(self._client.facet, key=field, facet_filter=fits, limit=MAX_VALUES, exact=True)
        return {str(hit.value): hit.count for hit in answer.hits}

    def label(self, wholes: Sequence[Entry]) -> None:
        self._index_standings(wholes)
        operations = [operation for whole in wholes for operation in _labelling(whole)]
        for start in range(0, len(operations), BATCH):
            self._write(self._client.batch_update_points, update_operations=operations[start : start + BATCH])

    @contextmanager
    def loading(self) -> Iterator[None]:
        self._ask(self._client.update_collection, WRITE, optimizers_config=graph(built=False))
        try:
            yield
        finally:
            # A process that is killed here leaves it off; opening the collection switches it on.
            self._ask(self._client.update_collection, WRITE, optimizers_config=graph(built=True))

    def delete(self, video_id: str) -> None:
        its_own = models.FieldCondition(key="video_id", match=models.MatchValue(value=video_id))
        self._write(self._client.delete, points_selector=models.FilterSelector(filter=models.Filter(must=[its_own])))

    def count(self, where: Where | None = None) -> Counts:
        """Return how many videos and clips there are: exact after every write of ours, at most COUNT_TTL_S old after
        one of somebody else's. Of those that fit it is counted anew each time."""
        if where is not None:
            return self._counts(where)
        writes, now = self._writes, time.monotonic()
        if self._counted is None or self._counted[0] != writes or now - self._counted[1] >= COUNT_TTL_S:
            counts = self._counts(None)
            self._counted = writes, now, counts
            self._size = counts.videos + counts.clips
        return self._counted[2]

    def close(self) -> None:
        self._connection.close()

    def _counts(self, where: Where | None) -> Counts:
        hits = self._ask(self._client.facet, key="scope", facet_filter=_where(where=where), exact=True).hits
        found = {hit.value: hit.count for hit in hits}
        return Counts(videos=found.get("video", 0), clips=found.get("clip", 0))

    def _open(self) -> int:
        """Make the collection if there is none, hold it to what is kept here, and return how many entries it has."""
        if not self._ask(self._client.collection_exists):
            self._ask(self._create)
        described = self._ask(self._client.get_collection)
        self._check_kind(described.config)
        self._check_encoder(described.config.metadata or {})
        if changes := self.sizing.to_update(described.config):
            self._ask(self._client.update_collection, WRITE, **changes)
        self._fields = set(described.payload_schema)
        self._index_fields(payload.FIELDS)
        return described.points_count or 0

    def _index_fields(self, fields: Iterable[str]) -> None:
        """Make the payload indexes of these fields that are missing."""
        for field in fields:
            if field not in self._fields:
                schema = _KINDS[payload.kind(field)]
                self._write(self._client.create_payload_index, field_name=field, field_schema=schema)
                self._fields.add(field)

    def _index_standings(self, entries: Sequence[Entry]) -> None:
        """Make the payload indexes of standings that come for the first time."""
        self._index_fields(sorted(payload.standing_fields(entries) - self._fields))

    def _has_field(self, field: str) -> bool:
        """Tell whether a field can order; one of standings cannot before the first video has it, and another process
        may have brought that."""
        if field not in self._fields:
            self._fields |= set(self._ask(self._client.get_collection).payload_schema)
        return field in self._fields

    def _create(self, collection_name: str) -> None:
        """Create the collection, unless another process just did: it is judged next, like every one that is opened."""
        try:
            with spoken_as_http():
                self._client.create_collection(
                    collection_name,
                    metadata=self._note(),
                    **self.sizing.to_create(self.info.dimension),
                )
        except UnexpectedResponse as error:
            if error.status_code != httpx.codes.CONFLICT:
                raise

    def _check_kind(self, config: models.CollectionConfig) -> None:
        """Raise LibraryError unless the collection has one unnamed cosine vector, EncoderMismatch if of another
        size."""
        vectors = config.params.vectors
        if not isinstance(vectors, models.VectorParams) or vectors.multivector_config is not None:
            kind = f"the named vectors {', '.join(vectors)}" if isinstance(vectors, dict) and vectors else "none"
            raise self._not_ours(f"this app keeps one unnamed vector an entry, and that one has {kind}")
        if vectors.distance != models.Distance.COSINE:
            raise self._not_ours(f"this app compares by cosine, and that one by {vectors.distance.value.lower()}")
        if vectors.size != self.info.dimension:
            filled_by = (config.metadata or {}).get("encoder") or "an encoder it does not name"
            raise self._mismatch(str(filled_by), vectors.size)

    def _check_encoder(self, metadata: dict[str, Any]) -> None:
        """Raise EncoderMismatch unless this encoder filled the collection; note in it that it did, if nobody has."""
        if (filled_by := metadata.get("encoder")) is not None:
            if filled_by != self.info.name:
                raise self._mismatch(str(filled_by), self.info.dimension)
            return
        records, _ = self._ask(
            self._client.scroll, limit=SAMPLE, with_payload=models.PayloadSelectorInclude(include=["encoder"])
        )
        for record in records:
            filled_by = (record.payload or {}).get("encoder")
            if filled_by is None:
                raise self._not_ours("it holds points that this app did not write, and nothing says which encoder did")
            if filled_by != self.info.name:
                raise self._mismatch(str(filled_by), self.info.dimension)
        self._ask(self._client.update_collection, metadata=self._note())

    def _note(self) -> dict[str, object]:
        return base.note(base.Space(self.info.name, self.info.dimension, self._complete))

    def _search_params(self) -> models.SearchParams:
        if self._size <= EXACT_UP_TO:
            return models.SearchParams(exact=True)
        return self.sizing.search_params(GRAPH_EFFORT)

    def _match(self, group: models.PointGroup) -> Match:
        return Match(str(group.id), tuple(Scored(self._entry(hit), hit.score) for hit in group.hits))

    def _entry(self, record: models.Record | models.ScoredPoint) -> Entry:
        try:
            return base.from_payload(record.payload or {}, record.vector)
        except (KeyError, TypeError, ValueError) as error:
            raise LibraryError(
                "The point {id} of the collection {collection} at {place} was not written by this app. Delete it, "
                "or set QDRANT_COLLECTION to a collection that only this app writes to.",
                id=record.id,
                collection=self.collection,
                place=self.place,
            ) from error

    def _write(self, method: Callable[..., object], **arguments: object) -> None:
        try:
            self._ask(method, WRITE, wait=True, **arguments)
        finally:
            with self._writes_lock:
                self._writes += 1  # also when it failed: it may have been done, and the answer lost

    def _ask(self, method: Callable[..., Answer], patience: Patience = READ, **arguments: object) -> Answer:
        """Return what a method of the client answers for our collection."""
        return self._connection.ask(
            method, patience, about=self.collection, collection_name=self.collection, **arguments
        )

    def _mismatch(self, filled_by: str, dimension: int) -> EncoderMismatch:
        return EncoderMismatch(
            "The collection {collection} at {place} was filled by {filled_by} ({dimension} numbers a vector), but "
            "the encoder {configured} ({size}) is configured, and the two cannot be compared. Set ENCODER (and its "
            "model) back to what filled it, or set QDRANT_COLLECTION to another name and ingest the videos again.",
            collection=self.collection,
            place=self.place,
            filled_by=filled_by,
            dimension=dimension,
            configured=self.info.name,
            size=self.info.dimension,
        )

    def _not_ours(self, why: str) -> LibraryError:
        return LibraryError(
            "The collection {collection} at {place} cannot be used: {why}. Nothing in it was changed. Set "
            "QDRANT_COLLECTION to another name.",
            collection=self.collection,
            place=self.place,
            why=why,
        )


def _batches(entries: Sequence[Entry]) -> Iterator[list[models.PointStruct]]:
    """Yield points in requests of bounded number and bytes."""
    batch: list[models.PointStruct] = []
    batch_bytes = 0
    for entry in entries:
        stored = payload.stored(entry)
        point_bytes = len(json.dumps(stored)) + NUMBER_BYTES * len(entry.vector)
        if batch and (len(batch) == BATCH or batch_bytes + point_bytes > MAX_BATCH_BYTES):
            yield batch
            batch, batch_bytes = [], 0
        batch.append(models.PointStruct(id=base.id_of(entry), vector=entry.vector.tolist(), payload=stored))
        batch_bytes += point_bytes
    if batch:
        yield batch


def _query(target: np.ndarray | Taste) -> list[float] | models.RecommendQuery:
    if not isinstance(target, Taste):
        return target.tolist()
    return models.RecommendQuery(
        recommend=models.RecommendInput(
            positive=[vector.tolist() for vector in target.likes],
            negative=[vector.tolist() for vector in target.dislikes],
            strategy=models.RecommendStrategy.BEST_SCORE,
        )
    )


def _where(**conditions: Any) -> models.Filter | None:
    """Return a filter for those conditions that are given, or None when none is."""
    return _filter(*_conditions(**conditions))


def _filter(must: list[models.Condition], must_not: list[models.Condition]) -> models.Filter | None:
    return models.Filter(must=must or None, must_not=must_not or None) if must or must_not else None


def _conditions(
    *,
    video_id: str | None = None,
    content_sha256: str | None = None,
    scope: Scope | None = None,
    exclude: Collection[str] = (),
    among: Collection[str] | None = None,
    where: Where | None = None,
) -> tuple[list[models.Condition], list[models.Condition]]:
    """Return what must hold and what must not."""
    must: list[models.Condition] = [
        models.FieldCondition(key=key, match=models.MatchValue(value=value))
        for key, value in (("video_id", video_id), ("content_sha256", content_sha256), ("scope", scope))
        if value is not None
    ]
    if among is not None:
        must.append(_any("video_id", among))
    must_not: list[models.Condition] = [_any("video_id", exclude)] if exclude else []
    if where is not None:
        must += [_any(key, values) for key, values in where.any_of.items()]
        must_not += [_any(key, values) for key, values in where.none_of.items() if values]
    return must, must_not


def _any(key: str, values: Collection[str]) -> models.FieldCondition:
    return models.FieldCondition(key=key, match=models.MatchAny(any=list(values)))


def _direction(order: Order) -> models.Direction:
    return models.Direction.DESC if order.descending else models.Direction.ASC


def _beyond(order: Order, value: float | str) -> models.FieldCondition:
    """Return the condition of what comes behind a value, without the value itself."""
    behind: dict[str, Any] = {"lt" if order.descending else "gt": value}
    return _ranged(order.field, value, behind)


def _equal(field: str, value: float | str) -> models.FieldCondition:
    return _ranged(field, value, {"gte": value, "lte": value})


def _ranged(field: str, value: float | str, bounds: dict[str, Any]) -> models.FieldCondition:
    range_ = models.DatetimeRange(**bounds) if isinstance(value, str) else models.Range(**bounds)
    return models.FieldCondition(key=field, range=range_)


def _labelling(whole: Entry) -> Iterator[models.SetPayloadOperation]:
    """Yield what writes the labels of a video."""
    everywhere, own = payload.labelled(whole)
    for said, scope in ((everywhere, None), (own, "video")):
        if said:
            to = _where(video_id=whole.video_id, scope=scope)
            yield models.SetPayloadOperation(set_payload=models.SetPayload(payload=said, filter=to))
