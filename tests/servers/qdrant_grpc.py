# ruff: noqa: N802 - gRPC names its methods so
"""A Qdrant server's gRPC side for tests: the calls that the app makes, over the same in-memory mode as qdrant.py."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from qdrant_client import grpc as spoken
from qdrant_client import models
from qdrant_client.conversions.conversion import GrpcToRest, RestToGrpc
from qdrant_client.grpc.collections_service_pb2_grpc import CollectionsServicer, add_CollectionsServicer_to_server
from qdrant_client.grpc.points_service_pb2_grpc import PointsServicer, add_PointsServicer_to_server

from tests.servers.qdrant import MemoryQdrant

_DONE = spoken.PointsOperationResponse(result=spoken.UpdateResult(status=spoken.UpdateStatus.Completed))
_KEYWORD, _FLOAT, _DATETIME = (
    models.PayloadSchemaType.KEYWORD, models.PayloadSchemaType.FLOAT, models.PayloadSchemaType.DATETIME,
)  # fmt: skip
_FIELD_TYPES = {
    spoken.FieldType.FieldTypeKeyword: _KEYWORD,
    spoken.FieldType.FieldTypeFloat: _FLOAT,
    spoken.FieldType.FieldTypeDatetime: _DATETIME,
}


class QdrantGrpcServer:
    """Serve a MemoryQdrant on a port of loopback. `failing` is the status of every answer, if there is one."""

    def __init__(self, memory: MemoryQdrant) -> None:
        self.memory = memory
        self.failing: tuple[grpc.StatusCode, str] | None = None
        self.asked: list[str] = []
        self._server = grpc.server(ThreadPoolExecutor(4), interceptors=[_Watch(self)])
        add_CollectionsServicer_to_server(_Collections(memory), self._server)
        add_PointsServicer_to_server(_Points(memory), self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")

    def __enter__(self) -> QdrantGrpcServer:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(None).wait()


class _Watch(grpc.ServerInterceptor):
    def __init__(self, server: QdrantGrpcServer) -> None:
        self._server = server

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        self._server.asked.append(details.method.rpartition("/")[2])
        if self._server.failing is None:
            return continuation(details)
        code, said = self._server.failing
        return grpc.unary_unary_rpc_method_handler(lambda request, context: context.abort(code, said))


class _Collections(CollectionsServicer):
    def __init__(self, memory: MemoryQdrant) -> None:
        self._memory = memory

    def CollectionExists(self, request: Any, context: Any) -> Any:
        exists = self._memory.collection_exists(request.collection_name)
        return spoken.CollectionExistsResponse(result=spoken.CollectionExists(exists=exists))

    def Create(self, request: Any, context: Any) -> Any:
        self._memory.create_collection(
            request.collection_name,
            vectors_config=GrpcToRest.convert_vectors_config(request.vectors_config),
            metadata=GrpcToRest.convert_payload(request.metadata),
            on_disk_payload=request.on_disk_payload,
            quantization_config=GrpcToRest.convert_quantization_config(request.quantization_config),
        )
        return spoken.CollectionOperationResponse(result=True)

    def Get(self, request: Any, context: Any) -> Any:
        if not self._memory.collection_exists(request.collection_name):
            context.abort(grpc.StatusCode.NOT_FOUND, f"Collection {request.collection_name} not found")
        described = self._memory.get_collection(request.collection_name)
        return spoken.GetCollectionInfoResponse(result=RestToGrpc.convert_collection_info(described))

    def Update(self, request: Any, context: Any) -> Any:
        optimizers = GrpcToRest.convert_optimizers_config_diff(request.optimizers_config)
        self._memory.update_collection(request.collection_name, optimizers_config=optimizers)
        return spoken.CollectionOperationResponse(result=True)


class _Points(PointsServicer):
    def __init__(self, memory: MemoryQdrant) -> None:
        self._memory = memory

    def CreateFieldIndex(self, request: Any, context: Any) -> Any:
        schema = _FIELD_TYPES[request.field_type]
        self._memory.create_payload_index(request.collection_name, request.field_name, schema)
        return _DONE

    def Upsert(self, request: Any, context: Any) -> Any:
        points = [GrpcToRest.convert_point_struct(point) for point in request.points]
        self._memory.upsert(request.collection_name, points)
        return _DONE

    def Delete(self, request: Any, context: Any) -> Any:
        selector = models.FilterSelector(filter=GrpcToRest.convert_filter(request.points.filter))
        self._memory.delete(request.collection_name, points_selector=selector)
        return _DONE

    def UpdateBatch(self, request: Any, context: Any) -> Any:
        operations = [GrpcToRest.convert_points_update_operation(one) for one in request.operations]
        self._memory.batch_update_points(request.collection_name, operations)
        return spoken.UpdateBatchResponse(result=[_DONE.result for _ in operations])

    def Scroll(self, request: Any, context: Any) -> Any:
        points, _ = self._memory.scroll(
            request.collection_name,
            scroll_filter=_filter(request, "filter"),
            limit=request.limit,
            offset=GrpcToRest.convert_point_id(request.offset) if request.HasField("offset") else None,
            order_by=GrpcToRest.convert_order_by(request.order_by) if request.HasField("order_by") else None,
            with_payload=GrpcToRest.convert_with_payload_interface(request.with_payload),
            with_vectors=GrpcToRest.convert_with_vectors_selector(request.with_vectors),
        )
        return spoken.ScrollResponse(result=[RestToGrpc.convert_retrieved_point(point) for point in points])

    def QueryGroups(self, request: Any, context: Any) -> Any:
        found = self._memory.query_points_groups(
            request.collection_name,
            request.group_by,
            GrpcToRest.convert_query(request.query),
            query_filter=_filter(request, "filter"),
            limit=request.limit,
            group_size=request.group_size,
            with_payload=GrpcToRest.convert_with_payload_interface(request.with_payload),
            with_vectors=GrpcToRest.convert_with_vectors_selector(request.with_vectors),
        )
        groups = [RestToGrpc.convert_point_group(group) for group in found.groups]
        return spoken.QueryGroupsResponse(result=spoken.GroupsResult(groups=groups))

    def Facet(self, request: Any, context: Any) -> Any:
        counted = self._memory.facet(
            request.collection_name, request.key, facet_filter=_filter(request, "filter"), limit=request.limit or 10
        )
        return spoken.FacetResponse(hits=[RestToGrpc.convert_facet_value_hit(hit) for hit in counted.hits])


def _filter(request: Any, field: str) -> models.Filter | None:
    return GrpcToRest.convert_filter(getattr(request, field)) if request.HasField(field) else None
