"""A TwelveLabs server for tests, and to try the cloud path by hand: python -m tests.servers.twelvelabs --port 8790

It answers the requests of API v1.3 that the app makes, in the documented shapes, and holds to the documented rules:
each model's own form of request, assets that must be ready, the limits of video and text, results for seven days. Its
vectors are no model's (marengo.py): they come from the words of a video's title (container tags, file name) and of a
text, so that searching finds what was named, and from the colours of frames and pictures. A video by URL is really
fetched. It can be told to fail: in tests by `server.fail(...)` and `server.fate(...)`, by hand through

    curl -X PUT localhost:8790/_fault -d '{"kind": "status", "status": 503, "times": 3, "path": "/tasks"}'

What it holds is gone when it stops.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import functools
import hashlib
import io
import json
import re
import tempfile
import threading
import time
import urllib.request
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import av
import numpy as np
from PIL import Image

from tests.servers import LocalServer
from tests.servers.marengo import DIMENSION, Content, Model, Words, colours, shortened

API_KEY = "tlk_ONLY_FOR_TESTS"
MODELS = ("marengo3.0", "marengo3.5")
DIMENSIONS = (128, 256, 512)
DIRECT_BYTES = 200_000_000
IMAGE_BYTES, LEAST_IMAGE_PX, IMAGE_FORMATS = 32_000_000, 128, ("JPEG", "PNG", "WEBP", "GIF", "BMP")
TEXT_TOKENS = {"marengo3.0": 500, "marengo3.5": 2000}
KEPT = timedelta(days=7)
_HASHED = re.compile(r"-[0-9a-f]{16}(-fitted)?$")
_TAGS = ("title", "genre", "keywords", "description")


class Refusal(Exception):
    """An answer that is an error: status, code and message."""


@dataclass
class Fault:
    """One way to fail, for the next `times` requests of a `method` whose path has `path` in it.

    `status` answers it; `hang` says nothing until the server stops or `release` is called; `drop` closes the connection
    unheard; `lose` does what was asked and closes the connection before it says so; `html` answers 200 with a page that
    is not TwelveLabs's; `slow` waits for `seconds` before it does what was asked, and as long again before it says so.
    """

    kind: Literal["status", "hang", "drop", "lose", "html", "slow"] = "status"
    status: int = 503
    times: int = 1
    skip: int = 0
    """How many such requests go well before."""
    path: str = ""
    method: str = ""
    says: str = "Service is temporarily broken"
    retry_after_s: float | None = None
    seconds: float = 0.0


@dataclass
class Seen:
    """A request as it came in."""

    method: str
    path: str
    body_bytes: int
    body: Any = field(repr=False, default=None)


@dataclass
class _Asset:
    id: str
    filename: str
    method: str
    data: bytes = field(repr=False, default=b"")
    ready_at: float = float("inf")
    error: str | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def described(self) -> dict[str, Any]:
        ready = time.monotonic() >= self.ready_at
        status = "failed" if ready and self.error else "ready" if ready else "processing"
        error = {"error": {"message": self.error}} if status == "failed" else {}
        return {
            "_id": self.id,
            "method": self.method,
            "status": status,
            "filename": self.filename,
            "file_type": "video/mp4",
            "created_at": _stamp(self.created_at),
            **error,
        }


@dataclass
class _Upload:
    id: str
    asset: _Asset
    total_size: int
    chunk_size: int
    chunks: dict[int, bytes] = field(default_factory=dict, repr=False)
    reported: set[int] = field(default_factory=set)

    @property
    def total_chunks(self) -> int:
        return -(-self.total_size // self.chunk_size)


@dataclass
class Task:
    """A paid task."""

    id: str
    request: dict[str, Any] = field(repr=False)
    ready_at: float
    input_url: str | None
    input_filename: str | None
    created_at: datetime
    message: str | None = None
    """Why it fails, when it is time."""
    data: list[dict[str, Any]] | None = field(default=None, repr=False)
    duration_s: float = 0.0

    @property
    def status(self) -> str:
        if time.monotonic() < self.ready_at or (self.data is None and self.message is None):
            return "processing"
        return "failed" if self.message else "ready"


class TwelveLabsServer(LocalServer):
    """Serve the API."""

    fault_type = Fault

    def __init__(
        self,
        port: int = 0,
        *,
        api_key: str = API_KEY,
        seconds_per_task: float = 0.0,
        seconds_per_asset: float = 0.0,
        chunk_bytes: int = 5_000_000,
        model: Model | None = None,
    ) -> None:
        super().__init__(port)
        self.model = model or Words()
        self.api_key = api_key
        self.seconds_per_task = seconds_per_task
        self.seconds_per_asset = seconds_per_asset
        self.chunk_bytes = chunk_bytes
        self.tells_source: Literal["list", "task", "nowhere"] = "list"
        """Where it says what a task was made of: with the list, with the task alone, or not at all."""
        self.tasks: dict[str, Task] = {}
        self.assets: dict[str, _Asset] = {}
        self.seen: list[Seen] = []
        self.received_bytes = 0
        """Bodies of files sent to it, form overhead included."""
        self.fetched_bytes = 0
        """Bytes it read from URLs."""
        self.texts: list[str] = []
        self.images: list[tuple[int, int]] = []
        """Sizes of the pictures that were embedded."""
        self.unreachable: tuple[str, ...] = ()
        """Beginnings of URLs that it cannot read, as with split DNS."""
        self._refusal: tuple[int, str, str] | None = None
        self._uploads: dict[str, _Upload] = {}
        self._fates: deque[tuple[str, str]] = deque()

    @property
    def url(self) -> str:
        """The value for TWELVELABS_BASE_URL."""
        return f"{super().url}/v1.3"

    def _listen(self, port: int) -> _Listener:
        return _Listener(("127.0.0.1", port), self)

    # Knobs

    def fate(self, kind: Literal["fail", "never", "empty"], message: str = "", times: int = 1) -> None:
        """Decide how the next tasks end: failed with a message, never, or ready without any embedding."""
        with self._lock:
            self._fates.extend([(kind, message)] * times)

    def heal(self) -> None:
        """Forget the faults and fates that were not used up, and let go of what hangs."""
        super().heal()
        with self._lock:
            self._fates.clear()
        self.release()
        self._released = threading.Event()

    def refuse(self, status: int | None) -> None:
        """Refuse every request from now on: a key that is revoked (401), a plan that is used up (403); None: none."""
        says = {
            401: ("api_key_invalid", "API Key is either invalid or expired."),
            403: ("usage_limit", "No minutes left"),
        }
        self._refusal = None if status is None else (status, *says[status])

    def expire(self, task_id: str) -> None:
        """Make a task older than results are kept."""
        self.tasks[task_id].created_at -= KEPT + timedelta(hours=1)

    def count(self, method: str, path: str) -> int:
        """Return how many requests came whose path ends so."""
        return sum(seen.method == method and seen.path.endswith(path) for seen in self.seen)

    # Answers

    def embed(self, _: Mapping[str, str], body: dict[str, Any]) -> dict[str, Any]:
        model, kind = _model(body), body.get("input_type")
        dimension = _dimension(body)
        if model == "marengo3.5" and kind != "multi_input":
            raise _invalid("input_type", "marengo3.5 accepts only the multi_input input type")
        if model == "marengo3.0" and kind not in ("text", "image"):
            raise _invalid("input_type", "this server embeds texts and images here")
        if model == "marengo3.0" and "auto_truncate" in body:
            raise _invalid("auto_truncate", "requires marengo3.5")
        if set(body) & {"text", "image", "multi_input"} != {kind}:
            raise _invalid("input_type", f"exactly the field {kind} is required")
        sources = (body["multi_input"].get("media_sources") or ()) if kind == "multi_input" else ()
        text = body[kind].get("input_text")
        if kind == "image" or sources:
            if text is not None or len(sources) > 1 or any(source.get("media_type") != "image" for source in sources):
                raise _invalid("media_sources", "this server embeds one image at a time")
            vector = self._image(sources[0] if sources else body["image"].get("media_source") or {})
            answer: dict[str, Any] = {"data": [{"embedding": shortened(vector, dimension).tolist()}]}
        else:
            if not isinstance(text, str) or not text:
                raise _invalid("input_text", "is required")
            if len(text.split()) > TEXT_TOKENS[model] and not body.get("auto_truncate"):
                raise _invalid("input_text", f"exceeds the limit of {TEXT_TOKENS[model]} tokens")
            with self._lock:
                self.texts.append(text)
            answer = {"data": [{"embedding": shortened(self.model.text(text), dimension).tolist()}]}
        if model == "marengo3.5":
            answer["usage"] = {"input_tokens": {"text": len((text or "").split())}, "truncated": False}
            answer["metadata"] = {"input_type": "multi_input", "embedding_dimension": dimension}
        return answer

    def _image(self, source: Mapping[str, Any]) -> np.ndarray:
        if sum(source.get(name) is not None for name in ("url", "asset_id", "base64_string")) != 1:
            raise _invalid("media_source", "exactly one of url, base64_string and asset_id is required")
        if source.get("base64_string") is None:
            raise _invalid("media_source", "this server takes images as base64 only")
        try:
            data = base64.b64decode(source["base64_string"], validate=True)
        except binascii.Error:
            raise _invalid("base64_string", "is not base64") from None
        if len(data) > IMAGE_BYTES:
            raise Refusal(413, "payload_too_large", "The decoded file can be up to 32 MB.")
        try:
            with Image.open(io.BytesIO(data), formats=IMAGE_FORMATS) as image:
                size, rgb = image.size, np.asarray(image.convert("RGB"))
        except OSError:
            raise _invalid("image", "is corrupted or of a format that is not supported") from None
        if min(size) < LEAST_IMAGE_PX:
            raise _invalid("image", f"must be at least {LEAST_IMAGE_PX}x{LEAST_IMAGE_PX} pixels")
        self.images.append(size)
        return self.model.picture(colours(rgb))

    def create_task(self, _: Mapping[str, str], body: dict[str, Any]) -> dict[str, Any]:
        _check_task(body)
        origin = body["video"]["media_source"]
        if (asset_id := origin.get("asset_id")) is not None:
            asset = self.assets.get(asset_id)
            if asset is None or asset.described()["status"] != "ready":
                raise Refusal(400, "asset_not_ready", "The asset does not exist or is not ready.")
            _check_video(asset.data)
            filename, data = asset.filename, asset.data
        else:
            filename, data = None, None
        with self._lock:
            kind, message = self._fates.popleft() if self._fates else ("", "")
            task = Task(
                id=uuid.uuid4().hex[:24],
                request=body,
                ready_at=float("inf") if kind == "never" else time.monotonic() + self.seconds_per_task,
                input_url=origin.get("url"),
                input_filename=filename,
                created_at=datetime.now(UTC),
                message=message if kind == "fail" else None,
                data=[] if kind == "empty" else None,
            )
            self.tasks[task.id] = task
        if task.data is None and task.message is None:
            threading.Thread(target=self._work, args=(task, data), daemon=True).start()
        dimension = (
            {"metadata": {"embedding_dimension": _dimension(body)}} if body["model_name"] != "marengo3.0" else {}
        )
        return {"_id": task.id, "status": "processing", "data": None, **dimension}

    def _work(self, task: Task, data: bytes | None) -> None:
        if data is None:
            try:
                data = self._fetch(task.input_url or "")
            except OSError:
                task.message = "failed to fetch or materialize source media"
                return
        try:
            found = _check_video(data)
        except Refusal as refusal:
            task.message = refusal.args[2]
            return
        task.duration_s = found.duration_s
        name = Path(task.input_filename or urlsplit(task.input_url or "").path).stem
        task.data = _embeddings(self.model, task.request, found, data, _words(name, found, data))

    def _fetch(self, url: str) -> bytes:
        """Read an address as the service does. Raises OSError."""
        if url.startswith(self.unreachable):
            raise OSError("no route to it")
        with urllib.request.urlopen(url, timeout=120) as answer:
            data: bytes = answer.read()
        with self._lock:
            self.fetched_bytes += len(data)
        return data

    def task(self, _: Mapping[str, str], __: Any, task_id: str) -> dict[str, Any]:
        task = self.tasks.get(task_id)
        if task is None or datetime.now(UTC) - task.created_at > KEPT:
            raise Refusal(404, "resource_not_exists", f"Resource with id {task_id} does not exist")
        status = task.status
        answer = {"_id": task.id, "status": status, "created_at": _stamp(task.created_at)}
        if status == "failed":
            return {**answer, "data": None, "error": {"message": task.message}}
        video = task.request["video"]
        source = {} if self.tells_source == "nowhere" else _source(task)
        answer["metadata"] = {
            "input_type": "video",
            "embedding_options": video.get("embedding_option") or [],
            "embedding_scopes": video.get("embedding_scope") or ["clip", "asset"],
            "duration": task.duration_s,
            **source,
        }
        return {**answer, "data": task.data if status == "ready" else None}

    def list_tasks(self, query: Mapping[str, str], _: Any) -> dict[str, Any]:
        since = query.get("started_at")
        after = datetime.fromisoformat(since) if since else datetime.now(UTC) - KEPT
        tasks = [task for task in list(self.tasks.values())[::-1] if task.created_at >= after]
        source = _source if self.tells_source == "list" else lambda task: {}
        rows = [
            {
                "_id": task.id,
                "model_name": task.request["model_name"],
                "status": task.status,
                "created_at": _stamp(task.created_at),
                "updated_at": _stamp(task.created_at),
                "video_embedding": {"metadata": {"duration": task.duration_s, **source(task)}},
            }
            for task in tasks
        ]
        return _page(rows, query)

    def create_asset(self, _: Mapping[str, str], form: dict[str, Any]) -> dict[str, Any]:
        if form.get("method") == "url" and form.get("url"):
            asset = _Asset(uuid.uuid4().hex[:24], form.get("filename") or "from url", "url")
            self.assets[asset.id] = asset
            threading.Thread(target=self._take_from, args=(asset, form["url"]), daemon=True).start()
            return {**asset.described(), "status": "processing"}
        if form.get("method") != "direct" or "file" not in form:
            raise _invalid("method", "must be direct with a file, or url with an address")
        name, data = form["file"]
        if len(data) > DIRECT_BYTES:
            raise Refusal(413, "payload_too_large", "The file exceeds 200 MB. Use multipart upload.")
        asset = _Asset(uuid.uuid4().hex[:24], form.get("filename") or name, "direct", data)
        self._take_in(asset)
        return {**asset.described(), "status": "processing"}

    def _take_from(self, asset: _Asset, url: str) -> None:
        try:
            asset.data = self._fetch(url)
        except OSError:
            asset.error = "The file could not be accessed."
        asset.ready_at = time.monotonic() + self.seconds_per_asset

    def delete_asset(self, _: Mapping[str, str], __: Any, asset_id: str) -> dict[str, Any]:
        if self.assets.pop(asset_id, None) is None:
            raise Refusal(404, "resource_not_exists", f"Resource with id {asset_id} does not exist")
        return {}

    def _take_in(self, asset: _Asset) -> None:
        asset.error = None if _probe(asset.data) else "The file is corrupted or not supported."
        asset.ready_at = time.monotonic() + self.seconds_per_asset
        self.assets[asset.id] = asset

    def asset(self, _: Mapping[str, str], __: Any, asset_id: str) -> dict[str, Any]:
        if asset_id not in self.assets:
            raise Refusal(404, "resource_not_exists", f"Resource with id {asset_id} does not exist")
        return self.assets[asset_id].described()

    def list_assets(self, query: Mapping[str, str], _: Any) -> dict[str, Any]:
        part = query.get("filename", "").casefold()
        assets = [asset for asset in list(self.assets.values())[::-1] if part in asset.filename.casefold()]
        return _page([asset.described() for asset in assets], query)

    def create_upload(self, _: Mapping[str, str], body: dict[str, Any]) -> dict[str, Any]:
        if body.get("type") != "video" or not body.get("filename") or not body.get("total_size"):
            raise _invalid("type", "filename, type and total_size are required")
        asset = _Asset(uuid.uuid4().hex[:24], body["filename"], "multipart")
        upload = _Upload(uuid.uuid4().hex[:24], asset, body["total_size"], self.chunk_bytes)
        self.assets[asset.id] = asset
        self._uploads[upload.id] = upload
        return {
            "upload_id": upload.id,
            "asset_id": asset.id,
            "upload_urls": self._chunk_urls(upload, 1, min(2, upload.total_chunks)),
            "upload_headers": {"x-upload": "yes"},
            "chunk_size": upload.chunk_size,
            "total_chunks": upload.total_chunks,
            "expires_at": _stamp(datetime.now(UTC) + timedelta(hours=24)),
        }

    def _chunk_urls(self, upload: _Upload, start: int, count: int) -> list[dict[str, Any]]:
        expires_at = _stamp(datetime.now(UTC) + timedelta(hours=1))
        where = f"http://127.0.0.1:{self._port}/_chunks/{upload.id}"
        return [
            {"chunk_index": n, "url": f"{where}/{n}?signature=s3cr3t-{n}", "expires_at": expires_at}
            for n in range(start, min(start + count, upload.total_chunks + 1))
        ]

    def more_urls(self, _: Mapping[str, str], body: dict[str, Any], upload_id: str) -> dict[str, Any]:
        upload = self._upload(upload_id)
        if not 1 <= body["count"] <= 50:
            raise _invalid("count", "must be from 1 to 50")
        urls = self._chunk_urls(upload, body["start"], body["count"])
        return {"upload_id": upload.id, "start_index": body["start"], "count": len(urls), "upload_urls": urls}

    def upload_status(self, query: Mapping[str, str], _: Any, upload_id: str) -> dict[str, Any]:
        upload = self._upload(upload_id)
        rows = [
            {"index": n, "status": "completed" if n in upload.reported else "pending"}
            for n in range(1, upload.total_chunks + 1)
        ]
        page = _page(rows, query)
        status = "completed" if len(upload.reported) == upload.total_chunks else "active"
        return {
            "upload_id": upload.id,
            "status": status,
            "uploaded_chunks": page["data"],
            "chunks_completed": len(upload.reported),
            "total_size": upload.total_size,
            "page_info": page["page_info"],
        }

    def report_chunks(self, _: Mapping[str, str], body: dict[str, Any], upload_id: str) -> dict[str, Any]:
        upload = self._upload(upload_id)
        for chunk in body["completed_chunks"]:
            data = upload.chunks.get(chunk["chunk_index"])
            if data is None or chunk["proof"] != hashlib.md5(data).hexdigest() or chunk["chunk_size"] != len(data):
                raise _invalid("completed_chunks", f"chunk {chunk['chunk_index']} was not uploaded or differs")
            upload.reported.add(chunk["chunk_index"])
        answer = {"asset_id": upload.asset.id, "total_completed": len(upload.reported)}
        if len(upload.reported) == upload.total_chunks and not upload.asset.data:
            upload.asset.data = b"".join(upload.chunks[n] for n in range(1, upload.total_chunks + 1))
            self._take_in(upload.asset)
            answer["url"] = f"http://127.0.0.1:{self._port}/files/{upload.asset.id}"
        return answer

    def take_chunk(self, upload_id: str, index: int, data: bytes) -> str:
        upload = self._upload(upload_id)
        upload.chunks[index] = data
        return hashlib.md5(data).hexdigest()

    def _upload(self, upload_id: str) -> _Upload:
        if upload_id not in self._uploads:
            raise Refusal(404, "resource_not_exists", f"Resource with id {upload_id} does not exist")
        return self._uploads[upload_id]

    def forget_uploads(self) -> None:
        """Let all uploads expire."""
        self._uploads.clear()

    def fault_for(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.path not in path or fault.method not in method or fault.times < 1:
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault
        return None


@functools.cache
def shared_server() -> TwelveLabsServer:
    """Return a server for all tests of this process that do not make it fail; it ends with the process."""
    server = TwelveLabsServer()
    server.start()
    return server


# Videos --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Found:
    duration_s: float
    width_px: int
    height_px: int
    has_audio: bool
    words: str
    heard: str
    """What its sound is of, and what is said in it, where its tags tell: else what it is about."""
    said: str


def _probe(data: bytes) -> _Found | None:
    """Return what a file says of itself, or None when it is no video."""
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.write(data)
        file.flush()
        try:
            with av.open(file.name, metadata_errors="ignore") as container:
                picture = container.streams.video[0]
                duration_s = (container.duration or 0) / 1e6
                tags = {name.lower(): value for name, value in container.metadata.items()}
                words = " ".join(tags.get(name, "") for name in _TAGS)
                has_audio = len(container.streams.audio) > 0
                heard, said = tags.get("comment", ""), tags.get("lyrics", "")
                return _Found(duration_s, picture.width, picture.height, has_audio, words.strip(), heard, said)
        except (av.error.FFmpegError, IndexError):
            return None


def _check_video(data: bytes) -> _Found:
    found = _probe(data)
    if found is None:
        raise Refusal(400, "video_file_broken", "Cannot read the video file.")
    sides = sorted((found.width_px, found.height_px))
    if not 4.0 <= found.duration_s <= 4 * 3600:
        raise Refusal(400, "video_duration_invalid", f"Duration ({found.duration_s:.1f} seconds) must be 4 s to 4 h")
    if sides[0] < 360 or sides[1] > 5184 or sides[0] > 2160:
        raise Refusal(400, "video_resolution_invalid", "The resolution must be from 360x360 to 5184x2160")
    return found


def _words(name: str, found: _Found, data: bytes) -> str:
    name = _HASHED.sub("", name)
    named = "" if re.fullmatch(r"[0-9a-f-]{16,}", name) else name
    return f"{found.words} {named}".strip() or hashlib.sha256(data).hexdigest()


def _embeddings(
    model: Model, request: Mapping[str, Any], found: _Found, data: bytes, words: str
) -> list[dict[str, Any]]:
    video, dimension = request["video"], _dimension(request)
    options = video.get("embedding_option") or ["visual", "audio"]
    kinds = video.get("embedding_type") or ["separate_embedding"]
    heard = [option for option in options if option == "visual" or found.has_audio]
    names = ["fused"] * ("fused_embedding" in kinds) + heard * ("separate_embedding" in kinds)
    scopes = video.get("embedding_scope") or ["clip", "asset"]
    rows: list[dict[str, Any]] = []

    def add(scope: str, start_s: float, end_s: float, extra: str) -> None:
        picture = _frame(data, (start_s + end_s) / 2)
        content = Content(words, found.heard or words, found.said or words, picture)
        for name in names:
            vector = shortened(model.span(name, content, extra), dimension).tolist()
            row = {"embedding": vector, "embedding_option": name, "embedding_scope": scope}
            rows.append({**row, "start_sec": start_s, "end_sec": end_s})

    if "clip" in scopes or "local" in scopes:
        edges = list(np.arange(0.0, max(found.duration_s - 2.0, 1.0), 5.0)) + [found.duration_s]
        for number, (start_s, end_s) in enumerate(pairwise(edges)):
            add("clip", float(start_s), float(end_s), f"clip{number}")
    if "asset" in scopes:
        add("asset", 0.0, found.duration_s, "whole")
    return rows


def _frame(data: bytes, at_s: float) -> np.ndarray | None:
    """Return the colours of the frame at a time."""
    with av.open(io.BytesIO(data), metadata_errors="ignore") as container:
        picture = None
        for frame in container.decode(video=0):
            picture = frame
            if frame.time is not None and frame.time >= at_s:
                break
        return None if picture is None else colours(picture.to_ndarray(format="rgb24"))


# Rules ---------------------------------------------------------------------------------------------------------------


def _invalid(name: str, why: str) -> Refusal:
    return Refusal(400, "parameter_invalid", f"The {name} parameter is invalid: {why}")


def _model(body: Mapping[str, Any]) -> str:
    model = body.get("model_name")
    if model not in MODELS:
        raise _invalid("model_name", f"{model} is not supported. Supported: {', '.join(MODELS)}")
    if model == "marengo3.0" and "embedding_dimension" in body:
        raise _invalid("embedding_dimension", "requires marengo3.5")
    return model


def _is_new(body: Mapping[str, Any]) -> bool:
    return body["model_name"] == "marengo3.5"


def _dimension(body: Mapping[str, Any]) -> int:
    dimension = body.get("embedding_dimension", DIMENSION)
    if dimension not in DIMENSIONS:
        raise _invalid("embedding_dimension", f"must be one of {', '.join(map(str, DIMENSIONS))}")
    return dimension


def _check_task(body: Mapping[str, Any]) -> None:
    """Raise Refusal for a request that the documentation rules out."""
    model = _model(body)
    video = body.get("video")
    if body.get("input_type") != "video" or not isinstance(video, dict):
        raise _invalid("input_type", "this server embeds video only, and needs the video field")
    _dimension(body)
    origin = video.get("media_source") or {}
    if sum(origin.get(name) is not None for name in ("url", "asset_id", "base64_string")) != 1:
        raise _invalid("media_source", "exactly one of url, base64_string and asset_id is required")
    options = video.get("embedding_option")
    allowed = {"visual", "audio"} | ({"transcription"} if model == "marengo3.0" else set())
    if options is not None and (not options or not set(options) <= allowed):
        raise _invalid("embedding_option", f"allowed with {model}: {', '.join(sorted(allowed))}")
    kinds = video.get("embedding_type")
    if kinds is not None and len(options or allowed) < 2:
        raise _invalid("embedding_type", "needs at least two embedding options")
    if "fused_embedding" in (kinds or ()) and model == "marengo3.5" and not video.get("time_based_metadata"):
        raise _invalid("embedding_type", "fused_embedding requires time_based_metadata with marengo3.5")
    if not set(video.get("embedding_scope") or ["clip"]) <= {"clip", "local", "asset"}:
        raise _invalid("embedding_scope", "allowed: clip, local, asset")
    if (segmentation := video.get("segmentation")) is not None:
        _check_segmentation(segmentation, model)


def _check_segmentation(given: Mapping[str, Any], model: str) -> None:
    if ("temporal" in given) != (model == "marengo3.5"):
        raise _invalid("segmentation", "settings sit in temporal with marengo3.5, and directly with marengo3.0")
    settings = given.get("temporal", given)
    strategy = settings.get("strategy")
    bounds = {"dynamic": ("min_duration_sec", 2, 5), "fixed": ("duration_sec", 2, 10)}
    if strategy not in bounds or set(settings) != {"strategy", strategy}:
        raise _invalid("segmentation", "strategy must be dynamic or fixed, with its own object")
    name, least, most = bounds[strategy]
    if not least <= settings[strategy].get(name, 0) <= most:
        raise _invalid("segmentation", f"{name} must be from {least} to {most}")


def _source(task: Task) -> dict[str, str]:
    named = {"input_url": task.input_url, "input_filename": task.input_filename}
    return {name: value for name, value in named.items() if value}


def _page(rows: Sequence[dict[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    page, limit = int(query.get("page", 1)), int(query.get("page_limit", 10))
    if not 1 <= limit <= 50:
        raise _invalid("page_limit", "must be from 1 to 50")
    pages = -(-len(rows) // limit)
    info = {"limit_per_page": limit, "page": page, "total_page": pages, "total_results": len(rows)}
    return {"data": list(rows[(page - 1) * limit : page * limit]), "page_info": info}


def _stamp(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


# HTTP ----------------------------------------------------------------------------------------------------------------

_ID = "([0-9a-zA-Z]+)"
_ROUTES: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("POST", "/v1.3/embed-v2", TwelveLabsServer.embed),
    ("POST", "/v1.3/embed-v2/tasks", TwelveLabsServer.create_task),
    ("GET", "/v1.3/embed-v2/tasks", TwelveLabsServer.list_tasks),
    ("GET", f"/v1.3/embed-v2/tasks/{_ID}", TwelveLabsServer.task),
    ("POST", "/v1.3/assets", TwelveLabsServer.create_asset),
    ("GET", "/v1.3/assets", TwelveLabsServer.list_assets),
    ("POST", "/v1.3/assets/multipart-uploads", TwelveLabsServer.create_upload),
    ("GET", f"/v1.3/assets/multipart-uploads/{_ID}", TwelveLabsServer.upload_status),
    ("POST", f"/v1.3/assets/multipart-uploads/{_ID}", TwelveLabsServer.report_chunks),
    ("POST", f"/v1.3/assets/multipart-uploads/{_ID}/presigned-urls", TwelveLabsServer.more_urls),
    ("GET", f"/v1.3/assets/{_ID}", TwelveLabsServer.asset),
    ("DELETE", f"/v1.3/assets/{_ID}", TwelveLabsServer.delete_asset),
)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], service: TwelveLabsServer) -> None:
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
        if service._http is not self.server:  # It was stopped, and this connection is left over.
            return self._hang_up()
        body = self._body()
        if parts.path == "/_fault":
            service.fail(**json.loads(body))
            return self._send(200, {})
        is_file = parts.path.startswith("/_chunks/") or parts.path == "/v1.3/assets"
        service.received_bytes += len(body) if is_file else 0
        parsed = None if is_file or not body else json.loads(body)
        service.seen.append(Seen(self.command, parts.path, len(body), parsed))
        fault = service.fault_for(self.command, parts.path)
        if fault is not None and self._is_failed(fault):
            return None
        try:
            status, answer, headers = self._answer(parts.path, parts.query, body, parsed)
        except Refusal as refusal:
            status, code, message = refusal.args
            answer, headers = {"code": code, "message": message}, {}
        if fault is not None and fault.kind == "lose":
            return self._hang_up()
        if fault is not None:
            time.sleep(fault.seconds)
        return self._send(status, answer, headers)

    do_GET = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815

    def _body(self) -> bytes:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # The client was killed, or hung up: half a request is none.
            raise ConnectionAbortedError
        return body

    def _answer(self, path: str, query: str, body: bytes, parsed: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
        service = self.server.service
        if chunk := re.fullmatch(f"/_chunks/{_ID}/([0-9]+)", path):
            if f"signature=s3cr3t-{chunk[2]}" not in query or self.headers.get("x-upload") != "yes":
                raise Refusal(403, "AccessDenied", "The signature does not match.")
            return 200, {}, {"ETag": f'"{service.take_chunk(chunk[1], int(chunk[2]), body)}"'}
        if self.headers.get("x-api-key") != service.api_key:
            raise Refusal(401, "api_key_invalid", f"The API key {self.headers.get('x-api-key')} is invalid.")
        if service._refusal is not None:
            raise Refusal(*service._refusal)
        if path == "/v1.3/assets" and self.command == "POST":
            parsed = _form(self.headers.get("Content-Type", ""), body)
        for method, pattern, answer in _ROUTES:
            if method == self.command and (match := re.fullmatch(pattern, path)):
                asked = {name: values[-1] for name, values in parse_qs(query).items()}
                created = self.command == "POST" and path.endswith(("/assets", "/multipart-uploads", "/tasks"))
                return 201 if created else 200, answer(service, asked, parsed, *match.groups()), {}
        raise Refusal(404, "endpoint_not_exists", f"{path} does not exist")

    def _is_failed(self, fault: Fault) -> bool:
        """Do what a fault says instead of answering; False where the request is answered all the same."""
        if fault.kind == "slow":
            time.sleep(fault.seconds)
        if fault.kind in ("slow", "lose"):
            return False
        if fault.kind == "hang":
            self.server.service.wait_released()
        if fault.kind in ("hang", "drop"):
            self._hang_up()
        elif fault.kind == "html":
            self._write(200, "text/html", b"<html><title>Welcome to your new web server</title></html>", {})
        else:
            more = {} if fault.retry_after_s is None else {"Retry-After": f"{fault.retry_after_s:g}"}
            self._send(fault.status, {"code": "fault", "message": fault.says}, more)
        return True

    def _hang_up(self) -> None:
        self.close_connection = True

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


def _form(content_type: str, body: bytes) -> dict[str, Any]:
    """Return the fields of multipart/form-data; a file as (name, bytes)."""
    match = re.search(r'boundary="?([^";]+)', content_type)
    if match is None:
        raise Refusal(400, "parameter_invalid", "multipart/form-data is required")
    fields: dict[str, Any] = {}
    for part in body.split(b"--" + match[1].encode())[1:-1]:
        head, _, value = part.partition(b"\r\n\r\n")
        value = value.removesuffix(b"\r\n")
        name = re.search(rb'name="([^"]*)"', head)
        filename = re.search(rb'filename="([^"]*)"', head)
        if name is not None:
            fields[name[1].decode()] = (filename[1].decode(), value) if filename else value.decode()
    return fields


def main() -> None:
    """Serve until interrupted, and say which variables to set."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers.twelvelabs", description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8790)
    parser.add_argument("--seconds-per-task", type=float, default=3.0)
    arguments = parser.parse_args()
    with TwelveLabsServer(arguments.port, seconds_per_task=arguments.seconds_per_task) as server:
        print("TwelveLabs for trying out; in memory only. Ctrl+C stops it. Start the app with", flush=True)
        print(
            f"TWELVELABS_BASE_URL={server.url} TWELVE_LABS_API_KEY={API_KEY} streamlit run streamlit_app.py", flush=True
        )
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
