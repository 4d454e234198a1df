"""The server's index by gRPC says and does what it does by HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import numpy as np
import pytest

from core.errors import AppError, LibraryError, Unavailable
from core.index import connection
from core.index.base import NEWEST, Order, Where, id_of, place
from core.index.server import ServerIndex
from core.index.sizing import INDEXING_THRESHOLD_KB
from core.models import Counts
from tests.fakes import FAKE_INFO, make_entries
from tests.index.test_catalogue import fill, ids
from tests.servers.qdrant import MemoryQdrant
from tests.servers.qdrant_grpc import QdrantGrpcServer

NAME = "films"


@pytest.fixture
def qdrant(monkeypatch: pytest.MonkeyPatch) -> Iterator[QdrantGrpcServer]:
    monkeypatch.setattr(connection, "BACKOFF_S", 0.0)
    with QdrantGrpcServer(MemoryQdrant()) as server:
        yield server


def opened(qdrant: QdrantGrpcServer) -> ServerIndex:
    """Open by gRPC alone: by HTTP nothing answers at this address."""
    return ServerIndex("http://127.0.0.1:9", None, NAME, FAKE_INFO, grpc_port=qdrant.port, timeout_s=120)


def test_everything_goes_by_grpc(qdrant: QdrantGrpcServer) -> None:
    index = opened(qdrant)
    library = fill(index)
    assert index.count() == Counts(30, 60)
    upright = Where(any_of={"shape": ["portrait"]})
    assert index.count(upright) == Counts(10, 20)
    assert index.facets("shape") == {"portrait": 10, "landscape": 20}
    for order in (NEWEST, Order("standings.city"), Order("duration_s", descending=False)):
        first = list(index.scroll(scope="video", order=order, limit=7))
        rest = index.scroll(scope="video", order=order, after=place(first[-1], order))
        having = [entry for entry in library if order.value(entry) is not None]
        expected = sorted(sorted(having, key=id_of), key=order.value, reverse=order.descending)
        assert ids(first) + ids(rest) == ids(expected)
    (match,) = index.search(library[4].vector, limit=1, scope="video", where=Where(none_of={"video_id": []}))
    assert match.video_id == library[4].video_id
    assert match.scored[0].entry.vector == pytest.approx(library[4].vector, abs=1e-6)
    assert match.scored[0].entry.standings == library[4].standings
    index.label([library[29]])
    index.delete(library[0].video_id)
    assert index.count() == Counts(29, 58)
    with index.loading():
        assert qdrant.memory.get_collection(NAME).config.optimizer_config.indexing_threshold == 0
    assert qdrant.memory.get_collection(NAME).config.optimizer_config.indexing_threshold == INDEXING_THRESHOLD_KB
    index.close()
    again = opened(qdrant)
    assert again.count() == Counts(29, 58)
    assert qdrant.asked.count("Create") == 1, "a collection that is there is opened as it is"
    again.close()


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, LibraryError, "QDRANT_API_KEY"),
        (grpc.StatusCode.PERMISSION_DENIED, LibraryError, "QDRANT_API_KEY"),
        (grpc.StatusCode.NOT_FOUND, LibraryError, "has no collection films"),
        (grpc.StatusCode.UNAVAILABLE, Unavailable, "cannot be reached"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, Unavailable, "did not answer within"),
        (grpc.StatusCode.INTERNAL, Unavailable, "does not work at the moment"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, Unavailable, "more requests than it takes"),
        (grpc.StatusCode.INVALID_ARGUMENT, LibraryError, "refused a request"),
    ],
)
def test_each_fault_is_one_sentence(
    qdrant: QdrantGrpcServer, code: grpc.StatusCode, kind: type[AppError], says: str
) -> None:
    index = opened(qdrant)
    qdrant.failing = code, "as told"
    for ask in (
        lambda: index.search(np.ones(64, np.float32), limit=1),
        lambda: index.upsert(make_entries("Wolf")),
    ):
        with pytest.raises(kind, match=says):
            ask()
    index.close()
