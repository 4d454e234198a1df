"""The spaces of a library on a Qdrant server: a collection each, under one name and its suffixes.

The first space has the collection of the given name itself, as release 0.1.0 had; others add a suffix made of the
encoder's name. Which encoder filled a collection, and whether all videos are in it, is in its metadata.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import httpx
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from core.errors import LibraryError
from core.index import base
from core.index.connection import TIMEOUT_S, WRITE, Connection, spoken_as_http
from core.index.server import ServerIndex
from core.index.sizing import Sizing
from core.models import EncoderInfo
from core.names import slug

BETWEEN = "--"
"""Stands between the library's name and a space's suffix."""


class ServerSpaces:
    """Keep the spaces of a library as collections of one server. Raises what opening a ServerIndex raises."""

    name: Literal["edge", "server"] = "server"

    def __init__(
        self,
        url: str,
        api_key: str | None,
        collection: str,
        *,
        timeout_s: int = TIMEOUT_S,
        grpc_port: int | None = None,
        sizing: Sizing | None = None,
        client: QdrantClient | None = None,
    ) -> None:
        self.collection = collection
        self._sizing = sizing
        self._url = url
        self._api_key = api_key
        self._timeout_s = timeout_s
        self._connection = Connection(url, api_key, timeout_s=timeout_s, grpc_port=grpc_port, client=client)

    def all(self) -> list[base.Space]:
        return sorted((space for _, space in self._found()), key=lambda space: space.encoder)

    def open(self, info: EncoderInfo) -> ServerIndex:
        return self._index(self._collection_of(info.name), info, complete=True)

    def make(self, info: EncoderInfo, *, complete: bool) -> ServerIndex:
        found = self._found()
        collections = {space.encoder: collection for collection, space in found}
        if info.name in collections:
            return self._index(collections[info.name], info, complete=complete)
        if not found:
            first = self._index(self.collection, info, complete=complete)
            if not complete:
                self._check_remembers(info, self.collection)
            return first
        collection = f"{self.collection}{BETWEEN}{suffix(info.name)}"
        made = self._index(collection, info, complete=complete)
        self._check_remembers(info, collection)
        return made

    def mark(self, encoder: str, *, complete: bool) -> None:
        for collection, space in self._found():
            if space.encoder == encoder:
                # Said whatever it is: a server keeps what a new note does not mention.
                said = base.note(space) | {"complete": complete}
                self._connection.ask(
                    self._connection.client.update_collection,
                    WRITE,
                    about=collection,
                    collection_name=collection,
                    metadata=said,
                )
                return
        raise self._nothing_of(encoder)

    def drop(self, encoder: str) -> None:
        for collection, space in self._found():
            if space.encoder == encoder:
                self._connection.ask(
                    self._connection.client.delete_collection, WRITE, about=collection, collection_name=collection
                )

    def close(self) -> None:
        self._connection.close()

    def _found(self) -> list[tuple[str, base.Space]]:
        """Return the collections of this library and what they say of themselves."""
        ask, client = self._connection.ask, self._connection.client
        there = ask(client.get_collections, about=self.collection).collections
        names = sorted(one.name for one in there)
        found = []
        for name in names:
            if name == self.collection or name.startswith(f"{self.collection}{BETWEEN}"):
                space = self._space(name)
                if space is not None:
                    found.append((name, space))
        return found

    def _space(self, collection: str) -> base.Space | None:
        """Return what a collection holds; None for one that holds nothing yet, or that goes at this moment."""
        ask, client = self._connection.ask, self._connection.client
        try:
            described = ask(_described(client), about=collection, collection_name=collection)
        except _Gone:
            return None
        vectors = described.config.params.vectors
        dimension = vectors.size if isinstance(vectors, models.VectorParams) else 0
        metadata = described.config.metadata or {}
        if (filled_by := metadata.get("encoder")) is None:
            # Servers before 1.16 forget metadata, and then there is one space only: what its first entry says.
            records, _ = ask(
                client.scroll,
                about=collection,
                collection_name=collection,
                limit=1,
                with_payload=models.PayloadSelectorInclude(include=["encoder"]),
            )
            filled_by = (records[0].payload or {}).get("encoder") if records else None
        return None if filled_by is None else base.Space(str(filled_by), dimension, metadata.get("complete", True))

    def _collection_of(self, encoder: str) -> str:
        for collection, space in self._found():
            if space.encoder == encoder:
                return collection
        raise self._nothing_of(encoder)

    def _nothing_of(self, encoder: str) -> LibraryError:
        return LibraryError(
            "The library {collection} at {place} has nothing that {encoder} made. Re-embed it first.",
            collection=self.collection,
            place=self._connection.place,
            encoder=encoder,
        )

    def _index(self, collection: str, info: EncoderInfo, *, complete: bool) -> ServerIndex:
        return ServerIndex(
            self._url,
            self._api_key,
            collection,
            info,
            complete=complete,
            timeout_s=self._timeout_s,
            sizing=self._sizing,
            client=self._connection.client,
        )

    def _check_remembers(self, info: EncoderInfo, collection: str) -> None:
        """Raise LibraryError, and leave nothing behind, unless the server keeps the note of a collection just made."""
        client = self._connection.client
        described = self._connection.ask(client.get_collection, about=collection, collection_name=collection)
        if (described.config.metadata or {}).get("encoder") == info.name:
            return
        if not described.points_count:
            self._connection.ask(client.delete_collection, WRITE, about=collection, collection_name=collection)
        raise LibraryError(
            "Qdrant at {place} forgets which encoder fills a collection, so it cannot hold the library of two "
            "encoders. Update the server to 1.16 or later, or set QDRANT_COLLECTION to another name.",
            place=self._connection.place,
        )


class _Gone(Exception):
    """The collection was there a moment ago."""


def _described(client: QdrantClient):
    def describe(collection_name: str) -> models.CollectionInfo:
        try:
            with spoken_as_http():
                return client.get_collection(collection_name)
        except UnexpectedResponse as error:
            if error.status_code == httpx.codes.NOT_FOUND:
                raise _Gone from error
            raise

    return describe


def suffix(encoder: str) -> str:
    """Return what tells the collection of an encoder's space from others: readable, and never another encoder's."""
    return f"{slug(encoder, 'space')}-{hashlib.sha256(encoder.encode()).hexdigest()[:8]}"
