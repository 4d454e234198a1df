"""An S3 server for tests, and to try the cloud path by hand: python -m tests.servers.s3 --port 9000 --bucket demo

It is moto's, over real HTTP on loopback, so that the real boto3 and a real browser talk to it. It believes every
signature. It can be told to fail: in tests by `server.fail(...)`, by hand through

    curl -X PUT localhost:9000/_fault -d '{"code": "SlowDown", "operation": "UploadPart", "times": 3}'

What it holds is gone when its process ends.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import re
import socket
import threading
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from socketserver import BaseServer
from typing import Literal
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from tests.servers import LocalServer

ACCESS_KEY, SECRET_KEY, REGION = "AKIATESTONLY", "only-for-tests/Zx9+s3cr3t", "us-east-1"
CLEAN_ENVIRONMENT = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
"""Keeps boto3 from reading the credentials of whoever runs the tests."""


@dataclass
class Fault:
    """One way to fail, for the next `times` requests of an `operation` ("" for any) with this header.

    `status` answers with a status and S3's XML with `code`; `hang` says nothing until `release` is called or the server
    stops; `drop` closes the connection unheard; `lose` does what was asked and closes it before it says so; `cut`
    closes it in the middle of the answer; `html` answers 200 with a page that is not S3's.
    """

    kind: Literal["status", "hang", "drop", "lose", "cut", "html"] = "status"
    code: str = "InternalError"
    status: int = 503
    operation: str = ""
    times: int = 1_000_000
    skip: int = 0
    """How many such requests go well before."""
    with_header: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    """More XML for the error's body."""


@dataclass(frozen=True)
class Seen:
    """A request as it came in; header names in lower case."""

    operation: str
    path: str
    query: str
    headers: dict[str, str] = field(repr=False)


class S3Server(LocalServer):
    """Serve S3. All servers of a process hold the same buckets."""

    fault_type = Fault

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.seen: list[Seen] = []
        self._moto = DomainDispatcherApplication(create_backend_app)

    def _listen(self, port: int) -> BaseServer:
        return make_server("127.0.0.1", port, self._serve, threaded=True, request_handler=_QuietHandler)

    @functools.cached_property
    def client(self) -> BaseClient:
        """A plain boto3 client, to look behind the store's back."""
        session = boto3.Session(ACCESS_KEY, SECRET_KEY, region_name=REGION)
        config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
        return session.client("s3", endpoint_url=self.url, config=config)

    def make_bucket(self, name: str | None = None) -> str:
        """Make an empty bucket and return its name."""
        name = name or f"bucket-{uuid.uuid4().hex[:12]}"
        self.client.create_bucket(Bucket=name)
        return name

    def heal(self) -> None:
        """Forget all faults, and let go of what hangs."""
        super().heal()
        self.release()
        self._released = threading.Event()

    def count(self, operation: str) -> int:
        """Return how many requests of an operation came in."""
        return sum(seen.operation == operation for seen in self.seen)

    def _serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/_fault":
            self.fail(**json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))))
            start_response("200 OK", [])
            return [b"\n"]
        seen = _seen(environ)
        self.seen.append(seen)
        fault = self._fault_for(seen)
        if fault is None:
            return self._moto(environ, start_response)
        if fault.kind == "cut":
            return self._half(environ, start_response)
        if fault.kind == "hang":
            self.wait_released()
        if fault.kind == "lose":
            b"".join(self._moto(environ, lambda *_: lambda _: None))
        if fault.kind in ("hang", "lose", "drop"):
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError  # werkzeug has nothing more to say then
        return _answer(fault, environ, start_response)

    def _half(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        whole = b"".join(self._moto(environ, start_response))
        yield whole[: len(whole) // 2]
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        raise ConnectionAbortedError

    def _fault_for(self, seen: Seen) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.operation not in ("", seen.operation) or not fault.times:
                    continue
                if fault.with_header and fault.with_header not in seen.headers:
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault
        return None


@functools.cache
def shared_server() -> S3Server:
    """Return a server for all tests of this process that do not make it fail; it ends with the process."""
    server = S3Server()
    server.start()
    return server


class _QuietHandler(MotoRequestHandler):
    def log_request(self, *_: object) -> None:
        """Keep quiet."""


_OPERATIONS: tuple[tuple[str, str, str], ...] = (
    ("POST", "uploads", "CreateMultipartUpload"),
    ("PUT", "partNumber", "UploadPart"),
    ("POST", "uploadId", "CompleteMultipartUpload"),
    ("DELETE", "uploadId", "AbortMultipartUpload"),
    ("GET", "uploads", "ListMultipartUploads"),
    ("GET", "list-type", "ListObjectsV2"),
    ("PUT", "", "PutObject"),
    ("GET", "", "GetObject"),
    ("HEAD", "", "HeadObject"),
    ("DELETE", "", "DeleteObject"),
)


def _seen(environ: WSGIEnvironment) -> Seen:
    """Return the request as S3's documentation names it; a request for a bucket itself is "Bucket"."""
    method, path, query = environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"]
    names = parse_qs(query, keep_blank_values=True)
    operation = "Bucket"
    for wanted, name, known in _OPERATIONS:
        if wanted == method and (name in names or (not name and re.fullmatch("/[^/]+/.+", path))):
            operation = known
            break
    headers = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    return Seen(operation, path, query, headers | {"content-type": environ.get("CONTENT_TYPE", "")})


def _answer(fault: Fault, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    # The body is read first, as S3 does for small ones: closing on unread bytes would be a broken connection.
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    if fault.kind == "html":
        start_response("200 OK", [("Content-Type", "text/html")])
        return [b"<html><title>Welcome to your new web server</title>"]
    said = f"<Message>said by the service: {SECRET_KEY}</Message>"
    xml = f'<?xml version="1.0"?><Error><Code>{fault.code}</Code>{said}{fault.body}</Error>'
    start_response(f"{fault.status} {HTTPStatus(fault.status).phrase}", list(fault.headers.items()))
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [xml.encode()]


def main(argv: list[str] | None = None) -> None:
    """Serve until interrupted, and say which variables to set."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers.s3", description="An S3 server on this machine.")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--bucket", default="demo")
    arguments = parser.parse_args(argv)
    with S3Server(arguments.port) as server:
        server.make_bucket(arguments.bucket)
        print(f"export AWS_BUCKET_NAME={arguments.bucket}")
        print(f"export AWS_ENDPOINT_URL={server.url}")
        print(f"export AWS_REGION={REGION}")
        print(f"export AWS_ACCESS_KEY_ID={ACCESS_KEY}")
        print(f"export AWS_SECRET_ACCESS_KEY={SECRET_KEY}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
