"""The way to a Qdrant server: ask again after what may pass, and say in a sentence what will not."""

from __future__ import annotations

import itertools
import json
import logging
import random
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

import grpc
import httpx
from qdrant_client import QdrantClient
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from core.addresses import is_loopback
from core.errors import AppError, EncoderMismatch, LibraryError, Sentence, SettingsError, Unavailable

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")

TIMEOUT_S = 20
GRPC_PORT = 6334
"""Where a server speaks gRPC unless it was told otherwise."""
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


class Connection:
    """Ask one server about a collection. Safe to use from several threads.

    A client that is given is shared and stays open when this is closed. Raises SettingsError for an address or key
    that cannot be sent; nothing is sent yet.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None,
        *,
        timeout_s: int = TIMEOUT_S,
        grpc_port: int | None = None,
        client: QdrantClient | None = None,
    ) -> None:
        self.place = place(url)
        self._api_key = api_key
        self._timeout_s = timeout_s
        self._closed = threading.Event()
        self._owns_client = client is None
        self.client = client or connect(url, api_key, timeout_s, grpc_port)

    def close(self) -> None:
        """End every wait, and let go of the server if the client is ours."""
        self._closed.set()
        if self._owns_client:
            self.client.close()

    def ask(
        self,
        method: Callable[..., Answer],
        patience: Patience = READ,
        *,
        about: str,
        **arguments: object,
    ) -> Answer:
        """Return what a method of the client answers; try again after what may pass. `about` is the collection that a
        sentence names."""
        for attempt in itertools.count(1):
            if self._closed.is_set():
                raise LibraryError(CLOSED)
            try:
                with spoken_as_http():
                    return method(**arguments)
            except (ApiException, QdrantException, json.JSONDecodeError, UnicodeDecodeError) as error:
                if self._closed.is_set():
                    raise LibraryError(CLOSED) from error
                if attempt == patience.tries or not _may_pass(error, patience):
                    # A traceback shows the cause too: not one in which a server repeated our key.
                    raise self._sentence(error, about) from (
                        None if self._api_key and self._api_key in str(error) else error
                    )
                self._closed.wait(_pause_s(error, attempt))
        raise AssertionError("unreachable")

    def _sentence(self, error: Exception, collection: str) -> AppError:
        """Return what a person should read about an error of the client."""
        if isinstance(error, QdrantException):  # what the client makes of 429 with Retry-After
            return self._refusal(httpx.codes.TOO_MANY_REQUESTS, "", collection)
        if isinstance(error, UnexpectedResponse):
            return self._refusal(error.status_code or 0, self._told(error.content), collection)
        source = error.source if isinstance(error, ResponseHandlingException) else error
        if isinstance(source, httpx.TimeoutException):
            return Unavailable(
                "Qdrant at {place} did not answer within {seconds} s. Check QDRANT_URL and that the server is "
                "well, then try again.",
                place=self.place,
                seconds=self._timeout_s,
            )
        if isinstance(source, httpx.TransportError):
            return Unavailable(
                "Qdrant at {place} cannot be reached ({told}). Check QDRANT_URL, the network, and that the server "
                "runs (an unused free cluster of Qdrant Cloud is stopped after a while), then try again.",
                place=self.place,
                told=self._told(str(source).encode()) or Sentence("no reason given"),
            )
        return LibraryError(
            "What answers at {place} does not speak like Qdrant. Set QDRANT_URL to the address of a Qdrant server, "
            "with its port if that is not 6333.",
            place=self.place,
        )

    def _refusal(self, status: int, told: str, collection: str) -> AppError:
        """Return the sentence for an answer that is not success."""
        because = f" ({status}: {told})" if told else f" ({status})"
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            key = (
                "the key in QDRANT_API_KEY" if self._api_key else "requests without a key, and QDRANT_API_KEY is unset"
            )
            return LibraryError(
                "Qdrant at {place} refuses {key} ({status}). Set QDRANT_API_KEY to a key of this server that may "
                "read and write the collection {collection}.",
                place=self.place,
                key=key,
                status=status,
                collection=collection,
            )
        if status == httpx.codes.NOT_FOUND:
            return LibraryError(
                "Qdrant at {place} has no collection {collection} any more, or is not a Qdrant server{because}. "
                "Check QDRANT_URL and QDRANT_COLLECTION; if the collection was deleted, start the app again and "
                "ingest the videos again.",
                place=self.place,
                collection=collection,
                because=because,
            )
        if status == httpx.codes.TOO_MANY_REQUESTS:
            return Unavailable(
                "Qdrant at {place} gets more requests than it takes ({status}). Try again in a minute; if this "
                "stays, give the server more room or set QDRANT_URL to another.",
                place=self.place,
                status=status,
            )
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
            return Unavailable(
                "Qdrant at {place} does not work at the moment{because}. Try again in a minute; if this stays, "
                "look into the server's log, and check QDRANT_URL.",
                place=self.place,
                because=because,
            )
        if "dimension" in told.casefold():
            return EncoderMismatch(
                "The collection {collection} at {place} takes vectors of another size{because}: it was replaced "
                "since the app started. Start the app again, or set QDRANT_COLLECTION to another name.",
                collection=collection,
                place=self.place,
                because=because,
            )
        return LibraryError(
            "Qdrant at {place} refused a request about the collection {collection}{because}. Check QDRANT_URL and "
            "QDRANT_COLLECTION, and that the server's version is near that of qdrant-client.",
            place=self.place,
            collection=collection,
            because=because,
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


_STATUS_OF = {
    grpc.StatusCode.INVALID_ARGUMENT: httpx.codes.BAD_REQUEST,
    grpc.StatusCode.UNAUTHENTICATED: httpx.codes.UNAUTHORIZED,
    grpc.StatusCode.PERMISSION_DENIED: httpx.codes.FORBIDDEN,
    grpc.StatusCode.NOT_FOUND: httpx.codes.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS: httpx.codes.CONFLICT,
    grpc.StatusCode.RESOURCE_EXHAUSTED: httpx.codes.TOO_MANY_REQUESTS,
}
"""What the server says by HTTP where it says this by gRPC; 500 for anything else."""


@contextmanager
def spoken_as_http() -> Iterator[None]:
    """Turn an error of gRPC into what the client raises for the same by HTTP."""
    try:
        yield
    except grpc.RpcError as error:
        code, said = error.code(), error.details() or ""
        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            raise ResponseHandlingException(httpx.ReadTimeout(said)) from error
        if code == grpc.StatusCode.UNAVAILABLE:
            raise ResponseHandlingException(httpx.ConnectError(said)) from error
        status = _STATUS_OF.get(code, httpx.codes.INTERNAL_SERVER_ERROR)
        content = json.dumps({"status": {"error": said}}).encode()
        raise UnexpectedResponse(int(status), code.name, content, httpx.Headers()) from error


def connect(url: str, api_key: str | None, timeout_s: int, grpc_port: int | None = None) -> QdrantClient:
    """Return a client, which speaks gRPC where a port for it is given; nothing is sent yet. Raises SettingsError when
    the address or key can never work."""
    if api_key is not None and not (api_key.isascii() and api_key.isprintable()):
        # httpx would say so too, but with the key in its message.
        raise SettingsError("QDRANT_API_KEY has characters that no key has. Copy the key again, without line breaks.")
    if api_key is not None and urlsplit(url).scheme == "http" and not is_loopback(urlsplit(url).hostname or ""):
        logger.warning(
            "QDRANT_API_KEY is sent to %s without encryption: others on the way can read it. "
            "Let QDRANT_URL begin with https://.",
            place(url),
        )
    with warnings.catch_warnings():
        # Said above, and only where it matters.
        warnings.filterwarnings("ignore", "Api key is used with an insecure connection", UserWarning)
        try:
            return QdrantClient(
                url=url,
                api_key=api_key,
                timeout=timeout_s,
                check_compatibility=False,
                prefer_grpc=grpc_port is not None,
                grpc_port=grpc_port or GRPC_PORT,
            )
        except ValueError as error:
            raise SettingsError(
                "QDRANT_URL ({url}) is not an address. Set it to one like https://example.com:6333.", url=place(url)
            ) from error


def place(url: str) -> str:
    """Return an address as it may be shown: without user name, password and query."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise SettingsError("QDRANT_URL is not an address. Set it to one like https://example.com:6333.") from error
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


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
