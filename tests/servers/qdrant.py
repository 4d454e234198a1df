"""A Qdrant server for tests, and to try the server path by hand: python -m tests.servers.qdrant --port 6333

It answers the handful of REST requests that the app makes, on top of qdrant-client's own in-memory mode, with the
server's rules where that mode is more lenient: grouping gives up after five rounds, a facet wants a payload index, a
collection is not made twice. It can be told to fail: in tests by `server.fail(...)`, by hand through

    curl -X PUT localhost:6333/_fault -d '{"kind": "status", "status": 503, "times": 3}'

What it holds is gone when it stops.
"""

from __future__ import annotations

import argparse
import json
import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ValidationError
from qdrant_client import QdrantClient, models

from tests.servers import LocalServer

GROUPING_ROUNDS = 5
"""After how many rounds a server stops looking for groups, and then for entries to fill them (its group_by.rs)."""
KEY_MISSING = b"Must provide an API key or an Authorization bearer token"
KEY_WRONG = b"Invalid API key or JWT"


class MemoryQdrant:
    """qdrant-client's in-memory mode behind a lock (it is not safe for threads), with the server's manners.

    It has the methods of QdrantClient that the app uses, so it can also be used in place of one.
    """

    def __init__(self) -> None:
        self._client = QdrantClient(":memory:")
        self._lock = threading.RLock()
        self._indexes: dict[str, dict[str, models.PayloadSchemaType]] = {}
        self._sizings: dict[str, dict[str, Any]] = {}
        """Of each collection what in-memory mode forgets: where vectors lie, how they are copied, on how many
        machines."""
        self.upserts: list[int] = []
        """How many points each upsert brought."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def locked(*args: Any, **kwargs: Any) -> Any:
            with self._lock:
                return method(*args, **kwargs)

        return locked

    def create_collection(self, collection_name: str, *, metadata: Any = None, **how: Any) -> bool:
        with self._lock:
            made = self._client.create_collection(
                collection_name, vectors_config=how.pop("vectors_config"), metadata=metadata
            )
            self._sizings[collection_name] = {name: value for name, value in how.items() if value is not None}
            return made

    def update_collection(
        self,
        collection_name: str,
        *,
        metadata: Any = None,
        vectors_config: dict[str, models.VectorParamsDiff] | None = None,
        quantization_config: Any = None,
        collection_params: models.CollectionParamsDiff | None = None,
        optimizers_config: models.OptimizersConfigDiff | None = None,
        **_: Any,
    ) -> bool:
        with self._lock:
            sizing = self._sizings.setdefault(collection_name, {})
            if metadata is not None:
                self._client.update_collection(collection_name, metadata=metadata)
            if vectors_config is not None:
                sizing["on_disk"] = vectors_config[""].on_disk
            if quantization_config is not None:
                sizing["quantization_config"] = (
                    None if quantization_config == models.Disabled.DISABLED else quantization_config
                )
            if collection_params is not None:
                sizing |= collection_params.model_dump(exclude_none=True)
            if optimizers_config is not None:
                sizing["indexing_threshold"] = optimizers_config.indexing_threshold
            return True

    def upsert(self, collection_name: str, points: list[models.PointStruct], **_: Any) -> models.UpdateResult:
        with self._lock:
            self.upserts.append(len(points))
            return self._client.upsert(collection_name, points)

    def create_payload_index(
        self, collection_name: str, field_name: str, field_schema: models.PayloadSchemaType, **_: Any
    ) -> models.UpdateResult:
        with self._lock:
            self._client.get_collection(collection_name)
            self._indexes.setdefault(collection_name, {})[field_name] = field_schema
        return models.UpdateResult(operation_id=0, status=models.UpdateStatus.COMPLETED)

    def get_collection(self, collection_name: str) -> models.CollectionInfo:
        with self._lock:
            described = self._client.get_collection(collection_name)
            described.payload_schema = {
                name: models.PayloadIndexInfo(data_type=schema, points=described.points_count or 0)
                for name, schema in self._indexes.get(collection_name, {}).items()
            }
            sizing = self._sizings.get(collection_name, {})
            config = described.config
            config.quantization_config = sizing.get("quantization_config")
            for name in ("on_disk_payload", "shard_number", "replication_factor", "write_consistency_factor"):
                setattr(config.params, name, sizing.get(name, getattr(config.params, name)))
            if "on_disk" in sizing:
                config.params.vectors = config.params.vectors.model_copy(update={"on_disk": sizing["on_disk"]})
            config.optimizer_config.indexing_threshold = sizing.get("indexing_threshold", 10_000)
            return described

    def facet(
        self, collection_name: str, key: str, facet_filter: models.Filter | None = None, limit: int = 10, **_: Any
    ) -> models.FacetResponse:
        with self._lock:
            if key not in self._indexes.get(collection_name, {}):
                raise ValueError(f'Index required but not found for "{key}" of one of the following types: [keyword]')
            return self._client.facet(collection_name, key=key, facet_filter=facet_filter, limit=limit)

    def scroll(
        self, collection_name: str, order_by: models.OrderBy | None = None, **how: Any
    ) -> tuple[list[models.Record], models.PointId | None]:
        with self._lock:
            if order_by is not None and order_by.key not in self._indexes.get(collection_name, {}):
                raise ValueError(f"No range index for `order_by` key: `{order_by.key}`. Please create one")
            return self._client.scroll(collection_name, order_by=order_by, **how)

    def query_points_groups(
        self,
        collection_name: str,
        group_by: str,
        query: Any,
        *,
        query_filter: models.Filter | None = None,
        limit: int = 10,
        group_size: int = 3,
        with_payload: Any = True,
        with_vectors: Any = False,
        search_params: models.SearchParams | None = None,  # in memory everything is compared with everything
    ) -> models.GroupsResult:
        """Group as the server does: look at limit × group_size points a round, then fill the best groups."""
        if limit < 1 or group_size < 1:
            raise ValueError("limit and group_size must be at least 1")
        groups: dict[str, list[models.ScoredPoint]] = {}

        def best() -> list[str]:
            return sorted(groups, key=lambda key: -groups[key][0].score)[:limit]

        def full(keys: Iterable[str]) -> list[str]:
            return [key for key in keys if len(groups[key]) == group_size]

        def look(**conditions: list[str]) -> bool:
            """Look at the next points; tell whether there were any."""
            seen = [hit.id for hits in groups.values() for hit in hits]
            points = self._client.query_points(
                collection_name,
                query=query,
                query_filter=_narrowed(query_filter, group_by, seen, **conditions),
                limit=limit * group_size,
                with_payload=with_payload,
                with_vectors=with_vectors,
            ).points
            for point in points:
                hits = groups.setdefault(point.payload[group_by], [])
                if len(hits) < group_size:
                    hits.append(point)
            return bool(points)

        with self._lock:
            for _ in range(GROUPING_ROUNDS):
                if not look(but=full(groups)) or len(full(best())) == limit:
                    break
            for _ in range(GROUPING_ROUNDS):
                if len(full(best())) == limit or not look(only=[key for key in best() if key not in full([key])]):
                    break
        return models.GroupsResult(groups=[models.PointGroup(id=key, hits=groups[key]) for key in best()])


def _narrowed(
    given: models.Filter | None, key: str, seen: list[Any], only: list[str] | None = None, but: list[str] | None = None
) -> models.Filter:
    must = list(given.must or []) if given else []
    must_not = list(given.must_not or []) if given else []
    if only:
        must.append(models.FieldCondition(key=key, match=models.MatchAny(any=only)))
    if but:
        must_not.append(models.FieldCondition(key=key, match=models.MatchAny(any=but)))
    if seen:
        must_not.append(models.HasIdCondition(has_id=seen))
    return models.Filter(must=must or None, must_not=must_not or None)


@dataclass
class Fault:
    """One way to fail, for the next `times` requests whose path has `path` in it.

    `status` answers it; `hang` says nothing until the server stops or `release` is called; `drop` closes the
    connection unheard; `lose` does what was asked and closes the connection before it says so; `html` answers 200
    with a page that is not Qdrant's.
    """

    kind: Literal["status", "hang", "drop", "lose", "html"] = "status"
    status: int = 503
    times: int = 1
    path: str = ""
    says: str = "Service is temporarily broken"
    retry_after_s: int | None = None
    method: str = ""


@dataclass
class Seen:
    """A request as it came in."""

    method: str
    path: str
    query: str
    body_bytes: int
    headers: dict[str, str] = field(repr=False)


class QdrantServer(LocalServer):
    """Serve a MemoryQdrant."""

    fault_type = Fault

    def __init__(self, port: int = 0, api_key: str | None = None) -> None:
        super().__init__(port)
        self.memory = MemoryQdrant()
        self.api_key = api_key
        self.seen: list[Seen] = []

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.memory.close()

    def _listen(self, port: int) -> _Listener:
        return _Listener(("127.0.0.1", port), self)

    def fault_for(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.path in path and fault.method in method and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def paths(self, method: str) -> list[str]:
        """Return the paths asked with this method so far."""
        return [seen.path for seen in self.seen if seen.method == method]


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], qdrant: QdrantServer) -> None:
        self.qdrant = qdrant
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: whoever hung up on us does so on purpose here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def handle_any(self) -> None:
        qdrant = self.server.qdrant
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if parts.path == "/_fault":
            qdrant.fail(**json.loads(body))
            return self._answer(200, {"result": True})
        qdrant.seen.append(Seen(self.command, parts.path, parts.query, len(body), dict(self.headers)))
        fault = qdrant.fault_for(self.command, parts.path)
        if fault is not None and fault.kind != "lose":
            return self._fail(fault)
        if qdrant.api_key is not None and self.headers.get("api-key") != qdrant.api_key:
            return self._send(401, "text/plain", KEY_WRONG if "api-key" in self.headers else KEY_MISSING)
        status, answer = _respond(qdrant.memory, self.command, parts.path, body)
        if fault is not None:
            return self._hang_up()
        return self._answer(status, answer)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815

    def _fail(self, fault: Fault) -> None:
        if fault.kind == "status":
            more = {} if fault.retry_after_s is None else {"Retry-After": str(fault.retry_after_s)}
            said = json.dumps({"status": {"error": fault.says}, "time": 0.0}).encode()
            return self._send(fault.status, "application/json", said, more)
        if fault.kind == "html":
            return self._send(200, "text/html", b"<html><title>Welcome to your new web server</title></html>")
        if fault.kind == "hang":
            self.server.qdrant.wait_released()
        return self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True

    def _answer(self, status: int, answer: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(answer).encode())

    def _send(self, status: int, kind: str, content: bytes, more: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def _respond(memory: MemoryQdrant, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """Return the status and the answer of a request, in the server's form."""
    started = time.perf_counter()
    for wanted, pattern, answer in _ROUTES:
        match = re.fullmatch(pattern, path)
        if wanted != method or match is None:
            continue
        try:
            result = answer(memory, *map(unquote, match.groups()), body)
        except ValidationError as error:
            return _error(400, f"Format error in JSON body: {error.errors()[0]['msg']}")
        except (ValueError, AssertionError) as error:
            return _error(*_judged(str(error)))
        return 200, {"result": _dumped(result), "status": "ok", "time": time.perf_counter() - started}
    return _error(404, "Not found")


def _dumped(result: Any) -> Any:
    if isinstance(result, list):
        return [_dumped(one) for one in result]
    return result.model_dump(mode="json", exclude_none=True) if isinstance(result, BaseModel) else result


def _judged(said: str) -> tuple[int, str]:
    """Return the status and words the server has for what the in-memory mode says."""
    if "already exists" in said:
        return 409, f"Wrong input: {said}"
    if "not found" in said and said.startswith("Collection"):
        return 404, f"Not found: {said}"
    if "could not be broadcast" in said or "dim" in said:
        return 400, f"Wrong input: Vector dimension error: {said}"
    return 400, f"Wrong input: {said}"


def _error(status: int, said: str) -> tuple[int, dict[str, Any]]:
    return status, {"status": {"error": said}, "time": 0.0}


def _exists(memory: MemoryQdrant, name: str, _: bytes) -> dict[str, bool]:
    return {"exists": memory.collection_exists(name)}


def _list(memory: MemoryQdrant, _: bytes) -> models.CollectionsResponse:
    return memory.get_collections()


def _drop(memory: MemoryQdrant, name: str, _: bytes) -> bool:
    return memory.delete_collection(name)


def _create(memory: MemoryQdrant, name: str, body: bytes) -> bool:
    asked = models.CreateCollection.model_validate_json(body)
    return memory.create_collection(
        name,
        vectors_config=asked.vectors,
        metadata=asked.metadata,
        on_disk_payload=asked.on_disk_payload,
        quantization_config=asked.quantization_config,
        shard_number=asked.shard_number,
        replication_factor=asked.replication_factor,
        write_consistency_factor=asked.write_consistency_factor,
    )


def _update(memory: MemoryQdrant, name: str, body: bytes) -> bool:
    asked = models.UpdateCollection.model_validate_json(body)
    return memory.update_collection(
        name,
        metadata=asked.metadata,
        vectors_config=asked.vectors,
        quantization_config=asked.quantization_config,
        collection_params=asked.params,
        optimizers_config=asked.optimizers_config,
    )


def _describe(memory: MemoryQdrant, name: str, _: bytes) -> models.CollectionInfo:
    return memory.get_collection(name)


def _index_field(memory: MemoryQdrant, name: str, body: bytes) -> models.UpdateResult:
    asked = models.CreateFieldIndex.model_validate_json(body)
    return memory.create_payload_index(name, asked.field_name, asked.field_schema)


def _upsert(memory: MemoryQdrant, name: str, body: bytes) -> models.UpdateResult:
    points = models.PointsList.model_validate_json(body).points
    size = memory.get_collection(name).config.params.vectors.size
    for point in points:
        if len(point.vector) != size:
            raise ValueError(f"expected dim: {size}, got {len(point.vector)}")
    return memory.upsert(name, points)


def _delete(memory: MemoryQdrant, name: str, body: bytes) -> models.UpdateResult:
    return memory.delete(name, points_selector=models.FilterSelector.model_validate_json(body))


def _scroll(memory: MemoryQdrant, name: str, body: bytes) -> models.ScrollResult:
    asked = models.ScrollRequest.model_validate_json(body)
    points, offset = memory.scroll(
        name,
        scroll_filter=asked.filter,
        limit=asked.limit,
        offset=asked.offset,
        order_by=asked.order_by,
        with_payload=asked.with_payload,
        with_vectors=asked.with_vector,
    )
    return models.ScrollResult(points=points, next_page_offset=offset)


def _groups(memory: MemoryQdrant, name: str, body: bytes) -> models.GroupsResult:
    asked = models.QueryGroupsRequest.model_validate_json(body)
    return memory.query_points_groups(
        name,
        asked.group_by,
        asked.query,
        query_filter=asked.filter,
        limit=asked.limit,
        group_size=asked.group_size,
        with_payload=asked.with_payload,
        with_vectors=asked.with_vector,
    )


def _facet(memory: MemoryQdrant, name: str, body: bytes) -> models.FacetResponse:
    asked = models.FacetRequest.model_validate_json(body)
    return memory.facet(name, asked.key, facet_filter=asked.filter, limit=asked.limit or 10, exact=asked.exact)


def _batch(memory: MemoryQdrant, name: str, body: bytes) -> list[models.UpdateResult]:
    return memory.batch_update_points(name, models.UpdateOperations.model_validate_json(body).operations)


_NAME = "/collections/([^/]+)"
_ROUTES: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("GET", f"{_NAME}/exists", _exists),
    ("GET", "/collections", _list),
    ("PUT", _NAME, _create),
    ("DELETE", _NAME, _drop),
    ("PATCH", _NAME, _update),
    ("GET", _NAME, _describe),
    ("PUT", f"{_NAME}/index", _index_field),
    ("PUT", f"{_NAME}/points", _upsert),
    ("POST", f"{_NAME}/points/batch", _batch),
    ("POST", f"{_NAME}/points/delete", _delete),
    ("POST", f"{_NAME}/points/scroll", _scroll),
    ("POST", f"{_NAME}/points/query/groups", _groups),
    ("POST", f"{_NAME}/facet", _facet),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.servers.qdrant", description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=6333)
    parser.add_argument("--api-key", help="refuse requests without this key")
    arguments = parser.parse_args()
    with QdrantServer(arguments.port, arguments.api_key) as server:
        print(f"Qdrant for trying out at {server.url}; in memory only. Ctrl+C stops it. Start the app with", flush=True)
        key = f" QDRANT_API_KEY={arguments.api_key}" if arguments.api_key else ""
        print(f"QDRANT_URL={server.url}{key} streamlit run streamlit_app.py", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
