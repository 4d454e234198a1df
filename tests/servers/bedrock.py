"""Marengo on Amazon Bedrock for tests, and to try it by hand: python -m tests.servers.bedrock --port 8791

It answers the four operations of bedrock-runtime that the app uses as their documents say (the user guide's page on
TwelveLabs Marengo Embed 3.0, the API reference, TwelveLabs' guide for Bedrock) and refuses what they rule out: a model
under a name that an operation does not take in a region, forms of request, values and limits, buckets of other regions
or owners, tokens. Videos are really read from the S3 server it is given (moto's, tests/servers/s3.py), and results
written there. A token stands for one invocation; `on_repeat` says what a second start with it gets, since the documents
do not. Vectors are no model's (marengo.py): they come from the words of a video's container tags and of a text.

It can be told to fail: in tests by `server.fail(...)` and `server.fate(...)`, by hand through

    curl -X PUT localhost:8791/_fault -d '{"status": 503, "code": "ServiceUnavailableException", "times": 3}'
"""

from __future__ import annotations

import argparse
import base64
import functools
import hashlib
import io
import json
import random
import re
import string
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

import av
import numpy as np
from botocore.exceptions import ClientError
from PIL import Image

from tests.servers import LocalServer
from tests.servers.marengo import Content, Model, Words, colours
from tests.servers.s3 import ACCESS_KEY, REGION, SECRET_KEY, S3Server

ACCOUNT = "123456789012"
"""Moto's."""
MODEL = "twelvelabs.marengo-embed-3-0-v1:0"
INVOKED = {
    "us-east-1": (MODEL, f"us.{MODEL}"),
    "eu-west-1": (f"eu.{MODEL}",),
    "ap-northeast-2": (MODEL,),
}
"""Names that InvokeModel takes, by region; StartAsyncInvoke takes the model's own in each of these."""
TEXT_TOKENS, IMAGE_BYTES, MOST_S = 500, 5 * 1024 * 1024, 4 * 3600
OPTIONS = {"visual", "audio", "transcription"}


class Refusal(Exception):
    """An answer that is an error: status, code and message."""


def _invalid(why: str) -> Refusal:
    return Refusal(400, "ValidationException", why)


@dataclass
class Fault:
    """One way to fail, for the next `times` requests of an `operation` ("" for any).

    `status` answers with a status and code; `drop` closes the connection unheard; `lose` does what was asked and closes
    it before it says so; `hang` says nothing until the server stops; `html` answers 200 with a page that is not
    Amazon's.
    """

    kind: Literal["status", "drop", "lose", "hang", "html"] = "status"
    status: int = 503
    code: str = "ServiceUnavailableException"
    says: str = "Service is temporarily broken"
    operation: str = ""
    times: int = 1
    skip: int = 0
    retry_after_s: float | None = None


@dataclass
class Invocation:
    """A paid one."""

    arn: str
    token: str
    body: dict[str, Any] = field(repr=False)
    ready_at: float
    submitted: datetime
    message: str | None = None
    """Why it fails, when it is time."""
    written: bool = False
    ended: datetime | None = None

    @property
    def status(self) -> str:
        if time.monotonic() < self.ready_at or not (self.message or self.written):
            return "InProgress"
        return "Failed" if self.message else "Completed"

    @property
    def uri(self) -> str:
        return self.body["outputDataConfig"]["s3OutputDataConfig"]["s3Uri"]

    def described(self) -> dict[str, Any]:
        ended = {"endTime": _stamp(self.submitted)} if self.status != "InProgress" else {}
        return {
            "invocationArn": self.arn,
            "modelArn": f"arn:aws:bedrock:{REGION}::foundation-model/{MODEL}",
            "clientRequestToken": self.token,
            "status": self.status,
            "submitTime": _stamp(self.submitted),
            "lastModifiedTime": _stamp(self.submitted),
            "outputDataConfig": self.body["outputDataConfig"],
            **ended,
            **({"failureMessage": self.message} if self.status == "Failed" else {}),
        }


class BedrockServer(LocalServer):
    """Serve bedrock-runtime for one account, over the buckets of an S3 server."""

    fault_type = Fault

    def __init__(
        self, s3: S3Server, port: int = 0, *, seconds_per_video: float = 0.0, model: Model | None = None
    ) -> None:
        super().__init__(port)
        self.s3 = s3
        self.model = model or Words()
        self.seconds_per_video = seconds_per_video
        self.on_repeat: Literal["same", "conflict", "forgotten"] = "same"
        """What a start with a token that is known gets: its invocation, a ConflictException, or a new invocation."""
        self.form: Literal["list", "object"] = "list"
        """Whether one vector is told as a list of one, as programs read it, or as the guide's example has it."""
        self.invocations: dict[str, Invocation] = {}
        self.seen: list[str] = []
        """Operations, in the order in which they came."""
        self.texts: list[str] = []
        self.images: list[tuple[int, int]] = []
        """Sizes of the pictures that were embedded, in pixels."""
        self.invoked: list[str] = []
        """The names under which InvokeModel was asked."""
        self.denied: str | None = None
        """An action that IAM does not allow."""
        self._fates: deque[tuple[str, str]] = deque()
        self._workers: list[threading.Thread] = []

    def __exit__(self, *_: object) -> None:
        """End, what is under way with it: nothing is written when the bucket's server is gone."""
        super().__exit__()
        for worker in self._workers:
            worker.join(timeout=120)

    def _listen(self, port: int) -> _Listener:
        return _Listener(("127.0.0.1", port), self)

    # Knobs

    def fate(self, kind: Literal["fail", "never", "empty", "unwritten"], message: str = "", times: int = 1) -> None:
        """Decide how the next invocations end: failed, never, with no embedding, or with no output at all."""
        with self._lock:
            self._fates.extend([(kind, message)] * times)

    def count(self, operation: str) -> int:
        return self.seen.count(operation)

    def age(self, by: timedelta) -> None:
        """Let time go by for all invocations."""
        for invocation in self.invocations.values():
            invocation.submitted -= by

    # Operations

    def invoke_model(self, region: str, model: str, body: dict[str, Any]) -> dict[str, Any]:
        if region not in INVOKED or MODEL not in model:
            raise _invalid("The provided model identifier is invalid.")
        if model not in INVOKED[region]:
            raise _invalid(
                f"Invocation of model ID {model} with on-demand throughput isn't supported. Retry your request with "
                "the ID or ARN of an inference profile that contains this model."
            )
        self.invoked.append(model)
        kind = body.get("inputType")
        if kind == "text":
            _only(body, {"inputType", "text"})
            text = _only(body.get("text"), {"inputText"}).get("inputText")
            if not isinstance(text, str) or not text:
                raise _invalid("text.inputText is required.")
            if len(text.split()) > TEXT_TOKENS:
                raise _invalid(f"The text exceeds the maximum of {TEXT_TOKENS} tokens.")
            self.texts.append(text)
            vector = self.model.text(text)
        elif kind == "image":
            _only(body, {"inputType", "image"})
            source = _only(_only(body.get("image"), {"mediaSource"}).get("mediaSource"), {"base64String"})
            vector = self._picture(source.get("base64String"))
        else:
            raise _invalid(f"inputType {kind!r} is not supported by InvokeModel.")
        row = {"embedding": vector.tolist()}
        return {"data": [row] if self.form == "list" else row}

    def _picture(self, encoded: object) -> np.ndarray:
        try:
            data = base64.b64decode(str(encoded), validate=True)
            picture = Image.open(io.BytesIO(data)).convert("RGB")
        except (ValueError, OSError):
            raise _invalid("The image cannot be read.") from None
        if len(data) > IMAGE_BYTES:
            raise _invalid("The image exceeds 5 MB.")
        if min(picture.size) < 128:
            raise _invalid("The image is smaller than 128x128.")
        self.images.append(picture.size)
        return self.model.picture(colours(np.asarray(picture)))

    def start_invoke(self, region: str, body: dict[str, Any]) -> dict[str, Any]:
        token = body.get("clientRequestToken", "")
        if not re.fullmatch(r"[!-~]{1,256}", token):
            raise _invalid("clientRequestToken does not match [!-~]*")
        if region not in INVOKED:
            raise _invalid("The provided model identifier is invalid.")
        if body.get("modelId") != MODEL:
            raise _invalid("The provided model doesn't support async inference.")
        self._check_video(region, body.get("modelInput"))
        self._check_output(region, body.get("outputDataConfig"))
        with self._lock:
            known = next((one for one in self.invocations.values() if one.token == token), None)
            if known is not None and self.on_repeat != "forgotten":
                if known.body != body or self.on_repeat == "conflict":
                    raise Refusal(400, "ConflictException", "An invocation with this clientRequestToken exists.")
                return {"invocationArn": known.arn}
            kind, message = self._fates.popleft() if self._fates else ("", "")
            name = "".join(random.choices(string.ascii_lowercase + string.digits, k=12))
            invocation = Invocation(
                arn=f"arn:aws:bedrock:{region}:{ACCOUNT}:async-invoke/{name}",
                token=token,
                body=body,
                ready_at=float("inf") if kind == "never" else time.monotonic() + self.seconds_per_video,
                submitted=datetime.now(UTC),
                message=message if kind == "fail" else None,
            )
            self.invocations[invocation.arn] = invocation
        if kind not in ("fail", "never"):
            worker = threading.Thread(target=self._work, args=(invocation, kind), daemon=True)
            self._workers.append(worker)
            worker.start()
        return {"invocationArn": invocation.arn}

    def _check_video(self, region: str, asked: Any) -> None:
        if _only(asked, {"inputType", "video"}).get("inputType") != "video":
            raise _invalid("This server takes video only here.")
        video = _only(
            asked.get("video"),
            {"mediaSource", "segmentation", "embeddingOption", "embeddingType", "embeddingScope", "startSec", "endSec"},
        )
        location = _only(_only(video.get("mediaSource"), {"s3Location"}).get("s3Location"), {"uri", "bucketOwner"})
        if not re.fullmatch(r"\d{12}", str(location.get("bucketOwner"))):
            raise _invalid("s3Location.bucketOwner is required.")
        if location["bucketOwner"] != ACCOUNT:
            raise _invalid("Access denied: the bucketOwner does not own the S3 bucket.")
        bucket, key = _located(location.get("uri"))
        self._check_bucket(region, bucket)
        try:
            self.s3.client.head_object(Bucket=bucket, Key=key)
        except ClientError:
            raise _invalid("The S3 object at the provided URI does not exist.") from None
        options = video.get("embeddingOption", sorted(OPTIONS))
        if not options or not set(options) <= OPTIONS:
            raise _invalid("embeddingOption must be of visual, audio, transcription.")
        kinds = video.get("embeddingType", ["separate_embedding"])
        if not kinds or not set(kinds) <= {"separate_embedding", "fused_embedding"}:
            raise _invalid("embeddingType must be of separate_embedding, fused_embedding.")
        if "fused_embedding" in kinds and len(options) < 2:
            raise _invalid("fused_embedding requires at least 2 embedding types in embeddingOption.")
        if not set(video.get("embeddingScope", ["clip"])) <= {"clip", "asset"}:
            raise _invalid("embeddingScope must be of clip, asset.")
        _check_segmentation(video.get("segmentation"))

    def _check_output(self, region: str, config: Any) -> None:
        uri = (config or {}).get("s3OutputDataConfig", {}).get("s3Uri", "")
        if not re.fullmatch(r"s3://[a-z0-9][.\-a-z0-9]{1,61}[a-z0-9](/.*)?", uri) or len(uri) > 1024:
            raise _invalid("outputDataConfig.s3OutputDataConfig.s3Uri is required.")
        self._check_bucket(region, _located(uri)[0])

    def _check_bucket(self, region: str, bucket: str) -> None:
        try:
            lies_in = self.s3.client.get_bucket_location(Bucket=bucket)["LocationConstraint"] or "us-east-1"
        except ClientError:
            raise _invalid("Access denied: the S3 bucket cannot be read with the caller's credentials.") from None
        if lies_in != region:
            raise _invalid("The S3 bucket must be in the same region as the model.")

    def _work(self, invocation: Invocation, kind: str) -> None:
        bucket, key = _located(invocation.body["modelInput"]["video"]["mediaSource"]["s3Location"]["uri"])
        data = self.s3.client.get_object(Bucket=bucket, Key=key)["Body"].read()
        video = invocation.body["modelInput"]["video"]
        try:
            rows = [] if kind == "empty" else _embeddings(self.model, video, data)
        except Refusal as refusal:
            invocation.message = refusal.args[2]
            return
        time.sleep(max(0.0, min(invocation.ready_at - time.monotonic(), 60.0)))
        if kind != "unwritten":
            bucket, prefix = _located(invocation.uri)
            name = invocation.arn.rpartition("/")[2]
            where = f"{prefix.rstrip('/')}/{name}/output.json".lstrip("/")
            self.s3.client.put_object(Bucket=bucket, Key=where, Body=json.dumps({"data": rows}).encode())
        invocation.written = True

    def get_invoke(self, arn: str) -> dict[str, Any]:
        if arn not in self.invocations:
            raise _invalid("The provided invocation ARN does not exist.")
        return self.invocations[arn].described()

    def list_invokes(self, query: Mapping[str, str]) -> dict[str, Any]:
        after = datetime.fromisoformat(query.get("submitTimeAfter", "2000-01-01T00:00:00+00:00"))
        most, start = int(query.get("maxResults", 2)), int(query.get("nextToken", 0))
        if not 1 <= most <= 1000:
            raise _invalid("maxResults must be from 1 to 1000.")
        most = min(most, 2)  # A service may give fewer than asked for: whoever lists has to turn pages.
        rows = [one.described() for one in reversed(self.invocations.values()) if one.submitted >= after]
        more = {"nextToken": str(start + most)} if start + most < len(rows) else {}
        return {"asyncInvokeSummaries": rows[start : start + most], **more}

    def fault_for(self, operation: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.operation not in ("", operation) or fault.times < 1:
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault
        return None


@functools.cache
def shared_server() -> tuple[BedrockServer, str]:
    """Return a server and a bucket for all tests of this process that do not make it fail."""
    from tests.servers.s3 import shared_server as shared_s3

    server = BedrockServer(shared_s3())
    server.start()
    return server, server.s3.make_bucket()


def _only(given: Any, names: set[str]) -> dict[str, Any]:
    if not isinstance(given, dict) or not given or not set(given) <= names:
        raise _invalid(f"Malformed input request: extraneous key or missing object, expected {sorted(names)}.")
    return given


def _located(uri: object) -> tuple[str, str]:
    parts = urlsplit(str(uri))
    if parts.scheme != "s3" or not parts.netloc:
        raise _invalid("The S3 URI is not valid.")
    return parts.netloc, parts.path.lstrip("/")


def _check_segmentation(given: Any) -> None:
    if given is None:
        return
    bounds = {"dynamic": ("minDurationSec", 1, 5), "fixed": ("durationSec", 1, 10)}
    method = given.get("method")
    if method not in bounds or set(given) != {"method", method}:
        raise _invalid("segmentation.method must be dynamic or fixed, with its own object.")
    name, least, most = bounds[method]
    value = given[method].get(name)
    if not isinstance(value, int) or not least <= value <= most:
        raise _invalid(f"{name} must be an integer from {least} to {most}.")


def _embeddings(model: Model, video: Mapping[str, Any], data: bytes) -> list[dict[str, Any]]:
    try:
        with av.open(io.BytesIO(data), metadata_errors="ignore") as container:
            picture, has_audio = container.streams.video[0], len(container.streams.audio) > 0
            duration_s = (container.duration or 0) / 1e6
            sides = sorted((picture.width, picture.height))
            tags = {name.lower(): value for name, value in container.metadata.items()}
    except (av.error.FFmpegError, IndexError):
        raise _invalid("The video could not be decoded.") from None
    if not 4.0 <= duration_s <= MOST_S or sides[0] < 360:
        raise _invalid("The video must last from 4 s to 4 h and have 360x360 pixels.")
    words = tags.get("title") or hashlib.sha256(data).hexdigest()
    names = [name for name in video["embeddingOption"] if name == "visual" or has_audio]
    kinds = video.get("embeddingType", ["separate_embedding"])
    names = ["fused"] * ("fused_embedding" in kinds) + names * ("separate_embedding" in kinds)
    edges = [*np.arange(0.0, max(duration_s - 2.0, 1.0), 5.0), duration_s]
    spans = [("clip", float(a), float(b)) for a, b in pairwise(edges)] + [("asset", 0.0, duration_s)]
    rows = []
    for scope, start_s, end_s in spans:
        content = Content(words, tags.get("comment") or words, tags.get("lyrics") or words, None)
        for name in names if scope in video["embeddingScope"] else ():
            vector = model.span(name, content, f"{scope}{start_s}")
            row = {"embedding": vector.tolist(), "embeddingOption": name, "embeddingScope": scope}
            rows.append({**row, "startSec": start_s, "endSec": end_s})
    return rows


def _stamp(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


# HTTP ----------------------------------------------------------------------------------------------------------------


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], service: BedrockServer) -> None:
        self.service = service
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: whoever hangs up on us here does so on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def handle_any(self) -> None:
        service, parts = self.server.service, urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if parts.path == "/_fault":
            service.fail(**json.loads(content))
            return self._send(200, {})
        operation = _operation(self.command, parts.path)
        service.seen.append(operation)
        fault = service.fault_for(operation)
        if fault is not None and fault.kind == "hang":
            service.wait_released()
        if fault is not None and fault.kind in ("drop", "hang"):
            self.close_connection = True
            return None
        try:
            if fault is not None and fault.kind == "status":
                raise Refusal(fault.status, fault.code, fault.says)
            answer = self._answer(operation, parts.path, parts.query, content)
        except Refusal as refusal:
            status, code, message = refusal.args
            more = {"x-amzn-ErrorType": f"{code}:http://internal.amazon.com/coral/"}
            if fault is not None and fault.retry_after_s is not None:
                more["Retry-After"] = f"{fault.retry_after_s:g}"
            return self._send(status, {"message": message}, more)
        if fault is not None and fault.kind == "lose":
            self.close_connection = True
            return None
        if fault is not None:
            return self._write(200, "text/html", b"<html><title>Welcome to your new web server</title></html>", {})
        return self._send(200, answer)

    do_GET = do_PUT = do_POST = handle_any  # noqa: N815

    def _answer(self, operation: str, path: str, query: str, content: bytes) -> dict[str, Any]:
        service = self.server.service
        signed = re.search(r"Credential=([^/]+)/\d+/([^/]+)/bedrock/", self.headers.get("Authorization", ""))
        if signed is None or signed[1] != ACCESS_KEY:
            raise Refusal(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
        region = signed[2]
        allowed_by = "bedrock:InvokeModel" if operation == "StartAsyncInvoke" else f"bedrock:{operation}"
        if allowed_by == service.denied:
            said = f"User: arn:aws:iam::{ACCOUNT}:user/app is not authorized to perform: {allowed_by} on resource: x"
            raise Refusal(403, "AccessDeniedException", said)
        if operation == "InvokeModel":
            return service.invoke_model(region, unquote(path.split("/")[2]), json.loads(content))
        if operation == "StartAsyncInvoke":
            return service.start_invoke(region, json.loads(content))
        if operation == "GetAsyncInvoke":
            return service.get_invoke(unquote(path.removeprefix("/async-invoke/")))
        if operation == "ListAsyncInvokes":
            return service.list_invokes({name: values[-1] for name, values in parse_qs(query).items()})
        raise Refusal(404, "UnknownOperationException", f"{path} is not an operation")

    def _send(self, status: int, answer: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self._write(status, "application/json", json.dumps(answer).encode(), headers or {})

    def _write(self, status: int, kind: str, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def _operation(method: str, path: str) -> str:
    if method == "POST" and re.fullmatch("/model/[^/]+/invoke", path):
        return "InvokeModel"
    if path == "/async-invoke":
        return "StartAsyncInvoke" if method == "POST" else "ListAsyncInvokes"
    return "GetAsyncInvoke" if method == "GET" and path.startswith("/async-invoke/") else path


def main() -> None:
    """Serve until interrupted, and say which variables to set."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers.bedrock", description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8791)
    parser.add_argument("--s3-port", type=int, default=9000)
    parser.add_argument("--seconds-per-video", type=float, default=3.0)
    given = parser.parse_args()
    with (
        S3Server(given.s3_port) as s3,
        BedrockServer(s3, given.port, seconds_per_video=given.seconds_per_video) as server,
    ):
        variables = {
            "ENCODER": "bedrock",
            "AWS_BUCKET_NAME": s3.make_bucket("demo"),
            "AWS_ENDPOINT_URL": s3.url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "BEDROCK_ENDPOINT_URL": server.url,
            "BEDROCK_BUCKET_OWNER": ACCOUNT,
        }
        for name, value in variables.items():
            print(f"export {name}={value}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
