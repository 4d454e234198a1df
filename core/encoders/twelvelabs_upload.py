"""The way of a file's bytes to TwelveLabs, where it cannot read them by an address: each travels once.

What exists at the service is in the job's notes the moment it is known (`asset`, `upload`), and an asset is named by
the content of the file, so that whoever takes the job up again, or adds the file again, finds it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, cast
from urllib.parse import urlsplit

import httpx
from twelvelabs import TwelveLabs
from twelvelabs.types.completed_chunk import CompletedChunk
from twelvelabs.types.presigned_url_chunk import PresignedUrlChunk

from core.encoders.marengo_limits import pause, sendable
from core.encoders.twelvelabs_errors import CannotFetch, NotThere, Sentences
from core.errors import EncoderError, Unavailable
from core.models import Progress, Video

MOST_S = 4 * 3600.0
MOST_BYTES = 4 * 1000**3
DIRECT_BYTES = 200 * 1000**2
"""Larger files go up in parts."""
LEAST_DEADLINE_S = 1800.0
CHECK_DEADLINE_S = 60.0
POLL_S, MOST_POLL_S, POLL_SHARE = 0.3, 10.0, 0.1
"""The first pause between two looks, the longest, and the share of the time waited so far that a pause may add."""
SEND_TIMEOUT_S = 120
FIT_PART, SENT = 0.1, 0.5
"""Fractions of the progress: the copy that fits the limits is made, the bytes have arrived."""


class Uploader:
    """Bring files to the account. Safe to use from several threads."""

    def __init__(
        self, client: TwelveLabs, http: httpx.Client, sentences: Sentences, *, scratch_dir: Path, direct_bytes: int
    ) -> None:
        """Copies that fit the limits are made in `scratch_dir`; files above `direct_bytes` go up in parts."""
        self._client, self._http, self._sentences = client, http, sentences
        self._scratch_dir = scratch_dir
        self._direct_bytes = direct_bytes

    def check_reads(self, url: str) -> None:
        """Have the service read a small file by its address and throw it away again; costs nothing.

        Raises CannotFetch where it cannot, Unavailable or EncoderError where it cannot be asked.
        """
        with self._sentences.translated("this address"):
            asset = self._client.assets.create(
                method="url", url=url, filename="check.jpg", enable_hls=False, enable_thumbnail=False
            )
        if asset.id is None:
            raise Unavailable("TwelveLabs took the address and did not say under which name.")
        notes: dict[str, str] = {}
        try:
            self._await_asset(asset.id, notes, lambda fraction: None, deadline_s=CHECK_DEADLINE_S)
        except EncoderError:
            raise CannotFetch(
                f"TwelveLabs cannot read the store at {urlsplit(url).netloc}, so every video is sent to it from here. "
                "That works and is paid for once; to save the time of an upload, let the bucket be read from anywhere "
                "by signed URLs."
            ) from None
        finally:
            with self._sentences.translated("this address"):
                self._client.assets.delete(asset.id)

    def asset(self, video: Video, filename: str, notes: MutableMapping[str, str], on_progress: Progress) -> str:
        """Return the id of an asset with this video's bytes, ready for use: one that is there, or newly sent."""
        known = notes.get("asset")
        if known is None and "upload" not in notes:
            known = self._sent_before(filename)
        if known is not None:
            try:
                self._await_asset(known, notes, on_progress)
            except NotThere:
                notes.pop("asset", None)
            else:
                notes["asset"] = known
                return known
        with sendable(video, self._scratch_dir, lambda fraction: on_progress(FIT_PART * fraction)) as path:
            on_progress(FIT_PART)

            def report(fraction: float) -> None:
                on_progress(FIT_PART + (SENT - FIT_PART) * fraction)

            if path.stat().st_size <= self._direct_bytes:
                asset_id = self._send(path, filename, report)
            else:
                try:
                    asset_id = self._send_in_parts(path, filename, notes, report)
                except EncoderError:  # The upload has expired or is refused: the next try begins a new one.
                    notes.pop("upload", None)
                    raise
        notes["asset"] = asset_id
        self._await_asset(asset_id, notes, on_progress)
        return asset_id

    def _sent_before(self, filename: str) -> str | None:
        """Return the id of an asset of this very name that is whole."""
        with self._sentences.translated():
            for asset in self._client.assets.list(filename=filename, page_limit=50):
                whole = asset.status == "ready" or (asset.status == "processing" and asset.method == "direct")
                if asset.filename == filename and whole:
                    return asset.id
        return None

    def _await_asset(
        self,
        asset_id: str,
        notes: MutableMapping[str, str],
        on_progress: Progress,
        deadline_s: float = LEAST_DEADLINE_S,
    ) -> None:
        started = time.monotonic()
        while True:
            with self._sentences.translated():
                asset = self._client.assets.retrieve(asset_id)
            if asset.status == "ready":
                return
            waited_s = time.monotonic() - started
            if asset.status == "failed":
                notes.pop("asset", None)
                said = self._sentences.clean(asset.error.message) if asset.error else "no reason given"
                raise EncoderError(
                    "TwelveLabs could not read this file: {said} Export it again, or press Retry.", said=said
                )
            if waited_s > deadline_s:
                raise EncoderError(
                    "TwelveLabs has not taken the file in within {minutes:.0f} minutes. Press Retry.",
                    minutes=deadline_s / 60,
                )
            pause_s = min(max(POLL_S, POLL_SHARE * waited_s), MOST_POLL_S)
            pause(pause_s, lambda: on_progress(SENT))

    def _send(self, path: Path, filename: str, on_progress: Progress) -> str:
        with path.open("rb") as file, self._sentences.translated("this file"):
            asset = self._client.assets.create(
                method="direct",
                # httpx asks no more of a file than what this one has.
                file=(filename, cast(IO[bytes], _Watched(file, path.stat().st_size, on_progress)), "video/mp4"),
                filename=filename,
                enable_hls=False,
                enable_thumbnail=False,
                request_options={"timeout_in_seconds": SEND_TIMEOUT_S},
            )
        if asset.id is None:
            raise Unavailable("TwelveLabs took the file and did not say under which name.")
        return asset.id

    def _send_in_parts(self, path: Path, filename: str, notes: MutableMapping[str, str], on_progress: Progress) -> str:
        """Send a large file part by part, straight from where it lies; parts that are there are not sent again.

        The SDK's own helper copies the whole file into parts beside it first, and cannot go on where it was cut off.
        """
        total_bytes = path.stat().st_size
        upload = self._open_upload(filename, total_bytes, notes)
        done = upload.done
        for index in range(1, upload.parts + 1):
            if index in done:
                continue
            start = (index - 1) * upload.part_bytes
            size = min(upload.part_bytes, total_bytes - start)

            def report(sent: int, before: int = start) -> None:
                on_progress((before + sent) / total_bytes)

            with path.open("rb") as file:
                file.seek(start)
                etag = self._put_part(upload, index, file, size, report)
            proof = CompletedChunk(chunk_index=index, proof=etag, proof_type="etag", chunk_size=size)
            with self._sentences.translated("this file"):
                self._client.multipart_upload.report_chunk_batch(upload.id, completed_chunks=[proof])
        notes["asset"] = upload.asset_id
        notes.pop("upload", None)
        return upload.asset_id

    def _open_upload(self, filename: str, total_bytes: int, notes: MutableMapping[str, str]) -> _Upload:
        """Return the upload in the notes with the parts that arrived, or a new one where that has ended."""
        if "upload" in notes:
            upload = _Upload(**json.loads(notes["upload"]))
            try:
                with self._sentences.translated():
                    chunks = list(self._client.multipart_upload.get_status(upload.id, page_limit=50))
                upload.done = {chunk.index for chunk in chunks if chunk.index and chunk.status == "completed"}
                return upload
            except NotThere:
                del notes["upload"]
        with self._sentences.translated("this file"):
            made = self._client.multipart_upload.create(filename=filename, type="video", total_size=total_bytes)
        if not (made.upload_id and made.asset_id and made.chunk_size and made.total_chunks):
            raise Unavailable("TwelveLabs began to take the file and did not say how.")
        upload = _Upload(made.upload_id, made.asset_id, made.chunk_size, made.total_chunks, made.upload_headers or {})
        notes["upload"] = json.dumps(upload.kept())
        upload.urls = _addresses(made.upload_urls)
        return upload

    def _put_part(self, upload: _Upload, index: int, file: BinaryIO, size: int, on_bytes: Callable[[int], None]) -> str:
        if index not in upload.urls:
            with self._sentences.translated("this file"):
                count = min(50, upload.parts - index + 1)
                more = self._client.multipart_upload.get_additional_presigned_urls(upload.id, start=index, count=count)
            upload.urls |= _addresses(more.upload_urls)

        def pieces() -> Iterator[bytes]:
            left = size
            while left and (piece := file.read(min(left, 256 * 1024))):
                yield piece
                left -= len(piece)
                on_bytes(size - left)

        headers = {"Content-Type": "application/octet-stream", **upload.headers, "Content-Length": str(size)}
        try:
            answer = self._http.put(upload.urls[index], content=pieces(), headers=headers, timeout=SEND_TIMEOUT_S)
        except httpx.HTTPError as error:
            raise self._sentences.of(error, "this file") from None
        if answer.status_code >= 400 or "ETag" not in answer.headers:
            # Also where its address has grown old: the next try gets a new one.
            raise Unavailable("A part of this file was not taken ({status}).", status=answer.status_code)
        return answer.headers["ETag"].strip('"')


@dataclass(slots=True)
class _Upload:
    """A file on its way in parts. Parts count from 1."""

    id: str
    asset_id: str
    part_bytes: int
    parts: int
    headers: dict[str, str]
    urls: dict[int, str] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)

    def kept(self) -> dict[str, object]:
        """Return what is worth writing down: addresses are secrets and soon too old."""
        return {name: getattr(self, name) for name in ("id", "asset_id", "part_bytes", "parts", "headers")}


class _Watched:
    """A file that tells how much of it was read: httpx reads it piece by piece as it sends."""

    def __init__(self, file: BinaryIO, total_bytes: int, on_progress: Progress) -> None:
        self._file, self._total_bytes, self._on_progress = file, total_bytes, on_progress

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._on_progress(min(1.0, self._file.tell() / max(1, self._total_bytes)))
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def fileno(self) -> int:
        return self._file.fileno()


def _addresses(chunks: Sequence[PresignedUrlChunk] | None) -> dict[int, str]:
    """Return where parts go, by their numbers."""
    return {chunk.chunk_index: chunk.url for chunk in chunks or () if chunk.chunk_index and chunk.url}
