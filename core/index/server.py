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
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Literal

import httpx
import numpy as np
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from core.errors import EncoderMismatch, LibraryError
from core.index import base
from core.index.connection import READ, TIMEOUT_S, WRITE, Answer, Connection, Patience
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
COUNT_TTL_S = 5.0
"""How long a count holds: every page asks, and others may write to the same collection."""


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
        client: QdrantClient | None = None,
    ) -> None:
        self.info = info
        self.collection = collection
        self._complete = complete
        self._writes_lock = threading.Lock()
        self._opening = uuid.uuid4().hex
        self._writes = 0
        self._counted: tuple[int, float, Counts] | None = None
        self._connection = Connection(url, api_key, timeout_s=timeout_s, client=client)
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
    ) -> list[Match]:
        base.check_target(target, self.info)
        query, limit = _query(target), base.videos_wanted(limit, among)
        found: list[Match] = []
        while len(found) < limit:
            groups = self._ask(
                self._client.query_points_groups,
                group_by="video_id",
                query=query,
                query_filter=_where(scope=scope, exclude=[*exclude, *(match.video_id for match in found)], among=among),
                search_params=self._search_params(),
                limit=limit - len(found),
                group_size=per_video,
                with_payload=models.PayloadSelectorExclude(exclude=list(base.LONG_FIELDS)),
                with_vectors=True,
            ).groups
            if not groups:
                break
            found += [self._match(group) for group in groups]
        return sorted(found, key=lambda match: -match.score)

    def scroll(
        self, *, video_id: str | None = None, content_sha256: str | None = None, scope: Scope | None = None
    ) -> Iterator[Entry]:
        offset = None
        while True:
            records, offset = self._ask(
                self._client.scroll,
                scroll_filter=_where(video_id=video_id, content_sha256=content_sha256, scope=scope),
                limit=BATCH,
                offset=offset,
                with_payload=True,
                with_vectors=True,
            )
            for record in records:
                yield self._entry(record)
            if offset is None:
                return

    def delete(self, video_id: str) -> None:
        its_own = models.FieldCondition(key="video_id", match=models.MatchValue(value=video_id))
        self._write(self._client.delete, points_selector=models.FilterSelector(filter=models.Filter(must=[its_own])))

    def count(self) -> Counts:
        """Return how many videos and clips there are: exact after every write of ours, at most COUNT_TTL_S old after
        one of somebody else's."""
        writes, now = self._writes, time.monotonic()
        if self._counted is None or self._counted[0] != writes or now - self._counted[1] >= COUNT_TTL_S:
            hits = self._ask(self._client.facet, key="scope", exact=True).hits
            found = {hit.value: hit.count for hit in hits}
            counts = Counts(videos=found.get("video", 0), clips=found.get("clip", 0))
            self._counted = writes, now, counts
            self._size = counts.videos + counts.clips
        return self._counted[2]

    def close(self) -> None:
        self._connection.close()

    def _open(self) -> int:
        """Make the collection if there is none, hold it to what is kept here, and return how many entries it has."""
        if not self._ask(self._client.collection_exists):
            self._ask(self._create)
        described = self._ask(self._client.get_collection)
        self._check_kind(described.config)
        self._check_encoder(described.config.metadata or {})
        for field in base.KEYWORD_FIELDS:
            if field not in described.payload_schema:
                self._write(
                    self._client.create_payload_index,
                    field_name=field,
                    field_schema=models.PayloadSchemaType.KEYWORD,
                )
        return described.points_count or 0

    def _create(self, collection_name: str) -> None:
        """Create the collection, unless another process just did: it is judged next, like every one that is opened."""
        try:
            self._client.create_collection(
                collection_name,
                vectors_config=models.VectorParams(size=self.info.dimension, distance=models.Distance.COSINE),
                metadata=self._note(),
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
        return models.SearchParams(hnsw_ef=GRAPH_EFFORT)

    def _match(self, group: models.PointGroup) -> Match:
        return Match(str(group.id), tuple(Scored(self._entry(hit), hit.score) for hit in group.hits))

    def _entry(self, record: models.Record | models.ScoredPoint) -> Entry:
        try:
            return base.from_payload(record.payload or {}, record.vector)
        except (KeyError, TypeError, ValueError) as error:
            raise LibraryError(
                f"The point {record.id} of the collection {self.collection} at {self.place} was not written by this "
                "app. Delete it, or set QDRANT_COLLECTION to a collection that only this app writes to."
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
            f"The collection {self.collection} at {self.place} was filled by {filled_by} ({dimension} numbers a "
            f"vector), but the encoder {self.info.name} ({self.info.dimension}) is configured, and the two cannot be "
            "compared. Set ENCODER (and its model) back to what filled it, or set QDRANT_COLLECTION to another name "
            "and ingest the videos again."
        )

    def _not_ours(self, why: str) -> LibraryError:
        return LibraryError(
            f"The collection {self.collection} at {self.place} cannot be used: {why}. "
            "Nothing in it was changed. Set QDRANT_COLLECTION to another name."
        )


def _batches(entries: Sequence[Entry]) -> Iterator[list[models.PointStruct]]:
    """Yield points in requests of bounded number and bytes."""
    batch: list[models.PointStruct] = []
    batch_bytes = 0
    for entry in entries:
        payload = base.to_payload(entry)
        point_bytes = len(json.dumps(payload)) + NUMBER_BYTES * len(entry.vector)
        if batch and (len(batch) == BATCH or batch_bytes + point_bytes > MAX_BATCH_BYTES):
            yield batch
            batch, batch_bytes = [], 0
        batch.append(models.PointStruct(id=base.id_of(entry), vector=entry.vector.tolist(), payload=payload))
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


def _where(
    *,
    video_id: str | None = None,
    content_sha256: str | None = None,
    scope: Scope | None = None,
    exclude: Collection[str] = (),
    among: Collection[str] | None = None,
) -> models.Filter | None:
    """Return a filter for those conditions that are given, or None when none is."""
    must: list[models.Condition] = [
        models.FieldCondition(key=key, match=models.MatchValue(value=value))
        for key, value in (("video_id", video_id), ("content_sha256", content_sha256), ("scope", scope))
        if value is not None
    ]
    if among is not None:
        must.append(models.FieldCondition(key="video_id", match=models.MatchAny(any=list(among))))
    must_not: list[models.Condition] = []
    if exclude:
        must_not.append(models.FieldCondition(key="video_id", match=models.MatchAny(any=list(exclude))))
    return models.Filter(must=must or None, must_not=must_not or None) if must or must_not else None
