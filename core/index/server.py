"""The shared index: a Qdrant server or Qdrant Cloud, so that several machines work on one library.

The collection says in its metadata which encoder filled it (servers before 1.16 forget that; then the entries are
asked). The server groups a search by video. It gives up finding groups after five rounds of its own, so a search that
came back short asks on. Writes wait until the server has them and are tried again for a while when it does not
answer: ids are deterministic, so writing twice is writing once.
"""

from __future__ import annotations

import ipaddress
import itertools
import json
import logging
import random
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Literal, NamedTuple, TypeVar
from urllib.parse import urlsplit

import httpx
import numpy as np
from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from core.errors import AppError, EncoderMismatch, LibraryError, SettingsError, Unavailable
from core.index import base
from core.models import Counts, EncoderInfo, Entry, Match, Scope, Scored, Taste

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")

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
BACKOFF_S = 0.5
MAX_BACKOFF_S = 8.0


class Patience(NamedTuple):
    """How often to ask in all, whether also after the server took the whole timeout to say nothing, and how long a
    wait the server may ask for."""

    tries: int
    after_timeout: bool
    retry_after_s: float


READ = Patience(tries=2, after_timeout=False, retry_after_s=2.0)
"""A person waits for the answer."""
WRITE = Patience(tries=4, after_timeout=True, retry_after_s=30.0)
"""A job waits, and what it brings was dear."""

CLOSED = "The library is closed. Start the app again."


class ServerIndex:
    """Keep a library in one collection of a Qdrant server.

    Opening makes the collection when there is none, and never makes one anew. Raises EncoderMismatch when another
    encoder filled it, LibraryError when it is not of the kind kept here or the key is refused, SettingsError for an
    address or key that cannot be sent, and Unavailable when the server does not answer within `timeout_s`.
    """

    name: Literal["edge", "server"] = "server"

    def __init__(
        self,
        url: str,
        api_key: str | None,
        collection: str,
        info: EncoderInfo,
        *,
        timeout_s: int = 20,
        client: QdrantClient | None = None,
    ) -> None:
        self.info = info
        self.collection = collection
        self.place = _place(url)
        self._api_key = api_key
        self._timeout_s = timeout_s
        self._closed = threading.Event()
        self._writes_lock = threading.Lock()
        self._opening = uuid.uuid4().hex
        self._writes = 0
        self._counted: tuple[int, float, Counts] | None = None
        self._owns_client = client is None
        self._client = client or _connect(url, api_key, timeout_s)
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
                with_payload=True,
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
        self._write(self._client.delete, points_selector=models.FilterSelector(filter=_where(video_id=video_id)))

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
        self._closed.set()
        if self._owns_client:
            self._client.close()

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
        return {"encoder": self.info.name, "dimension": self.info.dimension}

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
        """Return what a method of the client answers for our collection; try again after what may pass."""
        for attempt in itertools.count(1):
            if self._closed.is_set():
                raise LibraryError(CLOSED)
            try:
                return method(collection_name=self.collection, **arguments)
            except (ApiException, QdrantException, json.JSONDecodeError, UnicodeDecodeError) as error:
                if self._closed.is_set():
                    raise LibraryError(CLOSED) from error
                if attempt == patience.tries or not _may_pass(error, patience):
                    # A traceback shows the cause too: not one in which a server repeated our key.
                    raise self._sentence(error) from (None if self._api_key and self._api_key in str(error) else error)
                self._closed.wait(_pause_s(error, attempt))
        raise AssertionError("unreachable")

    def _sentence(self, error: Exception) -> AppError:
        """Return what a person should read about an error of the client."""
        if isinstance(error, QdrantException):  # what the client makes of 429 with Retry-After
            return self._refusal(httpx.codes.TOO_MANY_REQUESTS, "")
        if isinstance(error, UnexpectedResponse):
            return self._refusal(error.status_code or 0, self._told(error.content))
        source = error.source if isinstance(error, ResponseHandlingException) else error
        if isinstance(source, httpx.TimeoutException):
            return Unavailable(
                f"Qdrant at {self.place} did not answer within {self._timeout_s} s. "
                "Check QDRANT_URL and that the server is well, then try again."
            )
        if isinstance(source, httpx.TransportError):
            return Unavailable(
                f"Qdrant at {self.place} cannot be reached ({self._told(str(source).encode()) or 'no reason given'}). "
                "Check QDRANT_URL, the network, and that the server runs (an unused free cluster of Qdrant Cloud is "
                "stopped after a while), then try again."
            )
        return LibraryError(
            f"What answers at {self.place} does not speak like Qdrant. "
            "Set QDRANT_URL to the address of a Qdrant server, with its port if that is not 6333."
        )

    def _refusal(self, status: int, told: str) -> AppError:
        """Return the sentence for an answer that is not success."""
        because = f" ({status}: {told})" if told else f" ({status})"
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            key = (
                "the key in QDRANT_API_KEY" if self._api_key else "requests without a key, and QDRANT_API_KEY is unset"
            )
            return LibraryError(
                f"Qdrant at {self.place} refuses {key} ({status}). Set QDRANT_API_KEY to a key of this server that may "
                f"read and write the collection {self.collection}."
            )
        if status == httpx.codes.NOT_FOUND:
            return LibraryError(
                f"Qdrant at {self.place} has no collection {self.collection} any more, or is not a Qdrant server"
                f"{because}. Check QDRANT_URL and QDRANT_COLLECTION; if the collection was deleted, start the app "
                "again and ingest the videos again."
            )
        if status == httpx.codes.TOO_MANY_REQUESTS:
            return Unavailable(
                f"Qdrant at {self.place} gets more requests than it takes ({status}). Try again in a minute; if this "
                "stays, give the server more room or set QDRANT_URL to another."
            )
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
            return Unavailable(
                f"Qdrant at {self.place} does not work at the moment{because}. Try again in a minute; if this stays, "
                "look into the server's log, and check QDRANT_URL."
            )
        if "dimension" in told.casefold():
            return EncoderMismatch(
                f"The collection {self.collection} at {self.place} takes vectors of another size{because}: it was "
                f"replaced since the app started. Start the app again, or set QDRANT_COLLECTION to another name."
            )
        return LibraryError(
            f"Qdrant at {self.place} refused a request about the collection {self.collection}{because}. "
            "Check QDRANT_URL and QDRANT_COLLECTION, and that the server's version is near that of qdrant-client."
        )

    def _told(self, content: bytes) -> str:
        """Return what a server said, on one short line and without our key, should it have repeated it."""
        said = content.decode("utf-8", "replace")
        try:
            said = str(json.loads(said)["status"]["error"])
        except (ValueError, KeyError, TypeError):
            pass  # not Qdrant's form: as it is
        if self._api_key:
            said = said.replace(self._api_key, "…")
        said = " ".join(said.split())
        return said if len(said) <= 200 else f"{said[:199]}…"

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


def _connect(url: str, api_key: str | None, timeout_s: int) -> QdrantClient:
    """Return a client; nothing is sent yet. Raises SettingsError when the address or key can never work."""
    if api_key is not None and not (api_key.isascii() and api_key.isprintable()):
        # httpx would say so too, but with the key in its message.
        raise SettingsError("QDRANT_API_KEY has characters that no key has. Copy the key again, without line breaks.")
    if api_key is not None and urlsplit(url).scheme == "http" and not _is_loopback(urlsplit(url).hostname or ""):
        logger.warning(
            "QDRANT_API_KEY is sent to %s without encryption: others on the way can read it. "
            "Let QDRANT_URL begin with https://.",
            _place(url),
        )
    with warnings.catch_warnings():
        # Said above, and only where it matters.
        warnings.filterwarnings("ignore", "Api key is used with an insecure connection", UserWarning)
        try:
            return QdrantClient(url=url, api_key=api_key, timeout=timeout_s, check_compatibility=False)
        except ValueError as error:
            raise SettingsError(
                f"QDRANT_URL ({_place(url)}) is not an address. Set it to one like https://example.com:6333."
            ) from error


def _place(url: str) -> str:
    """Return an address as it may be shown: without user name, password and query."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise SettingsError("QDRANT_URL is not an address. Set it to one like https://example.com:6333.") from error
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _may_pass(error: Exception, patience: Patience) -> bool:
    """Tell whether the same request can succeed a moment later."""
    if isinstance(error, UnexpectedResponse):
        status = error.status_code or 0
        return status >= 500 or status in (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS)
    if isinstance(error, ResponseHandlingException):
        if isinstance(error.source, httpx.TimeoutException):
            return patience.after_timeout
        return isinstance(error.source, httpx.TransportError)
    if isinstance(error, ResourceExhaustedResponse):
        return error.retry_after_s <= patience.retry_after_s
    return isinstance(error, QdrantException)


def _pause_s(error: Exception, attempt: int) -> float:
    """Return how long to wait: what the server asks for, else twice as long each time, spread so that many clients
    do not come back at the same moment."""
    if isinstance(error, ResourceExhaustedResponse):
        return error.retry_after_s
    return random.uniform(0.5, 1.0) * min(BACKOFF_S * 2 ** (attempt - 1), MAX_BACKOFF_S)


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
    must = [
        models.FieldCondition(key=key, match=models.MatchValue(value=value))
        for key, value in (("video_id", video_id), ("content_sha256", content_sha256), ("scope", scope))
        if value is not None
    ]
    if among is not None:
        must.append(models.FieldCondition(key="video_id", match=models.MatchAny(any=list(among))))
    must_not = [models.FieldCondition(key="video_id", match=models.MatchAny(any=list(exclude)))] if exclude else []
    return models.Filter(must=must or None, must_not=must_not or None) if must or must_not else None
