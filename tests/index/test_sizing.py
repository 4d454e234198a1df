"""Collections are made for their size, and those that are there are changed, never made anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from qdrant_client import models

from core.index import connection
from core.index.base import id_of, to_payload
from core.index.server import ServerIndex
from core.index.sizing import INDEXING_THRESHOLD_KB, Sizing
from core.models import Counts
from tests.fakes import FAKE_INFO, make_entries
from tests.servers.qdrant import QdrantServer

NAME = "films"
INT8 = models.ScalarQuantization(
    scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.99, always_ram=True)
)
BINARY = models.BinaryQuantization(binary=models.BinaryQuantizationConfig(always_ram=True))


@pytest.fixture
def qdrant(monkeypatch: pytest.MonkeyPatch) -> Iterator[QdrantServer]:
    monkeypatch.setattr(connection, "BACKOFF_S", 0.0)
    with QdrantServer() as server:
        yield server


def opened(qdrant: QdrantServer, sizing: Sizing | None = None) -> ServerIndex:
    return ServerIndex(qdrant.url, None, NAME, FAKE_INFO, sizing=sizing)


def configured(qdrant: QdrantServer) -> models.CollectionConfig:
    return qdrant.memory.get_collection(NAME).config


def make_plain(qdrant: QdrantServer, **how: object) -> None:
    """Make a collection as releases before 0.3.0 did, with a video in it."""
    params = models.VectorParams(size=64, distance=models.Distance.COSINE)
    qdrant.memory.create_collection(
        NAME, vectors_config=params, metadata={"encoder": "fake-v1", "dimension": 64}, **how
    )
    points = [
        models.PointStruct(id=id_of(entry), vector=entry.vector.tolist(), payload=to_payload(entry))
        for entry in make_entries("Wolf")
    ]
    qdrant.memory.upsert(NAME, points)


def test_a_new_collection_has_vectors_on_disk_and_small_copies_in_memory(qdrant: QdrantServer) -> None:
    opened(qdrant).close()
    config = configured(qdrant)
    assert config.params.vectors.on_disk
    assert config.params.on_disk_payload
    assert config.quantization_config == INT8
    assert qdrant.paths("PATCH") == []


def test_a_collection_is_spread_as_it_is_asked_for(qdrant: QdrantServer) -> None:
    sizing = Sizing(on_disk=False, quantized=False, shards=6, replicas=2, write_consistency=2)
    opened(qdrant, sizing).close()
    config = configured(qdrant)
    assert not config.params.vectors.on_disk
    assert not config.params.on_disk_payload
    assert config.quantization_config is None
    assert (config.params.shard_number, config.params.replication_factor) == (6, 2)
    assert config.params.write_consistency_factor == 2


def test_a_collection_of_an_earlier_release_is_changed_once_and_keeps_what_it_has(qdrant: QdrantServer) -> None:
    make_plain(qdrant, on_disk_payload=False)
    qdrant.seen.clear()
    index = opened(qdrant, Sizing(replicas=2))
    assert index.count() == Counts(1, 3)
    index.close()
    config = configured(qdrant)
    assert config.params.vectors.on_disk
    assert (config.params.on_disk_payload, config.params.replication_factor) == (True, 2)
    assert config.quantization_config == INT8
    assert qdrant.paths("PATCH") == [f"/collections/{NAME}"]
    assert f"/collections/{NAME}" not in qdrant.paths("PUT") + qdrant.paths("DELETE")
    qdrant.seen.clear()
    opened(qdrant, Sizing(replicas=2)).close()
    assert {seen.method for seen in qdrant.seen} == {"GET"}, "what is as it should be is only looked at"


def test_small_copies_that_somebody_chose_stay(qdrant: QdrantServer) -> None:
    make_plain(qdrant, quantization_config=BINARY)
    opened(qdrant).close()
    opened(qdrant, Sizing(quantized=False)).close()
    assert configured(qdrant).quantization_config == BINARY


def test_small_copies_of_ours_go_when_they_are_switched_off(qdrant: QdrantServer) -> None:
    opened(qdrant).close()
    opened(qdrant, Sizing(quantized=False)).close()
    assert configured(qdrant).quantization_config is None


def test_no_graph_is_built_while_very_much_is_written(qdrant: QdrantServer) -> None:
    index = opened(qdrant)
    with index.loading():
        assert configured(qdrant).optimizer_config.indexing_threshold == 0
    assert configured(qdrant).optimizer_config.indexing_threshold == INDEXING_THRESHOLD_KB
    with pytest.raises(KeyboardInterrupt), index.loading():
        raise KeyboardInterrupt
    assert configured(qdrant).optimizer_config.indexing_threshold == INDEXING_THRESHOLD_KB
    index.close()


def test_a_load_that_was_killed_leaves_no_collection_without_a_graph(qdrant: QdrantServer) -> None:
    index = opened(qdrant)
    index.loading().__enter__()
    index.close()
    opened(qdrant).close()
    assert configured(qdrant).optimizer_config.indexing_threshold == INDEXING_THRESHOLD_KB


def test_search_params_follow_the_small_copies() -> None:
    rescored = models.QuantizationSearchParams(rescore=True, oversampling=2.0)
    assert Sizing().search_params(64) == models.SearchParams(hnsw_ef=64, quantization=rescored)
    assert Sizing(quantized=False).search_params(64) == models.SearchParams(hnsw_ef=64)
