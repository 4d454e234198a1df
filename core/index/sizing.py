"""How a collection is made for its size: where vectors lie, how they are copied small, and on how many machines.

What each choice costs at ten thousand, a million and a hundred million videos is in docs/scaling.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qdrant_client import models

INDEXING_THRESHOLD_KB = 10_000
"""Kilobytes of vectors in a segment from which the server builds its graph, as it does unless told otherwise."""
OVERSAMPLING = 2.0
"""How many times the wanted are found by their small copies, and then compared by the vectors themselves."""


@dataclass(frozen=True, slots=True)
class Sizing:
    """What is asked of a server; None leaves it to the server's own configuration."""

    on_disk: bool = True
    """Vectors and payloads lie on the disk and are read through the page cache; in memory are small copies, links and
    the payload indexes."""
    quantized: bool = True
    """Keep copies of the vectors in one byte a number, in memory, to search by; the best are compared exactly."""
    shards: int | None = None
    """Parts of a collection that can lie on different machines. Of one that is there it cannot be changed."""
    replicas: int | None = None
    """Machines that have the same shard."""
    write_consistency: int | None = None
    """Replicas that must have a write before it counts as done."""

    def to_create(self, dimension: int) -> dict[str, Any]:
        """Return what a collection is created with."""
        return {
            "vectors_config": models.VectorParams(
                size=dimension, distance=models.Distance.COSINE, on_disk=self.on_disk
            ),
            "on_disk_payload": self.on_disk,
            "quantization_config": _SMALL_COPIES if self.quantized else None,
            "shard_number": self.shards,
            "replication_factor": self.replicas,
            "write_consistency_factor": self.write_consistency,
        }

    def to_update(self, config: models.CollectionConfig) -> dict[str, Any]:
        """Return what to change of a collection that is there, nothing where it is as it should be.

        Small copies of another kind than ours are somebody's choice and stay; a graph that is switched off was left so
        by a load that was cut off.
        """
        changes: dict[str, Any] = {}
        params = config.params
        assert isinstance(params.vectors, models.VectorParams)
        if bool(params.vectors.on_disk) != self.on_disk:
            changes["vectors_config"] = {"": models.VectorParamsDiff(on_disk=self.on_disk)}
        if self.quantized and config.quantization_config is None:
            changes["quantization_config"] = _SMALL_COPIES
        if not self.quantized and config.quantization_config == _SMALL_COPIES:
            changes["quantization_config"] = models.Disabled.DISABLED
        about = {
            "on_disk_payload": (params.on_disk_payload, self.on_disk),
            "replication_factor": (params.replication_factor, self.replicas),
            "write_consistency_factor": (params.write_consistency_factor, self.write_consistency),
        }
        wrong: dict[str, Any] = {
            name: wanted for name, (has, wanted) in about.items() if wanted is not None and has != wanted
        }
        if wrong:
            changes["collection_params"] = models.CollectionParamsDiff(**wrong)
        if config.optimizer_config.indexing_threshold == 0:
            changes["optimizers_config"] = graph(built=True)
        return changes

    def search_params(self, effort: int) -> models.SearchParams:
        """Return how a graph is walked: by the small copies, and what they find compared by the vectors themselves."""
        if not self.quantized:
            return models.SearchParams(hnsw_ef=effort)
        exactly = models.QuantizationSearchParams(rescore=True, oversampling=OVERSAMPLING)
        return models.SearchParams(hnsw_ef=effort, quantization=exactly)


_SMALL_COPIES = models.ScalarQuantization(
    scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.99, always_ram=True)
)


def graph(*, built: bool) -> models.OptimizersConfigDiff:
    """Return what lets the server build its graph, or keeps it from that while very much is written."""
    return models.OptimizersConfigDiff(indexing_threshold=INDEXING_THRESHOLD_KB if built else 0)
