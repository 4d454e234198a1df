"""The TwelveLabs encoder: Marengo sees and hears what happens in a video, and charges by the minute of it.

One video takes one paid task, whatever happens on the way:

    source ─► task ─► poll ─► embedding
    a URL that TwelveLabs reads itself, or an asset: the bytes travel to it once

What exists at the service is written into the job's notes the moment it is known (`asset`, `upload`, `task`), so that
whoever takes the job up again finds it. Between the task's creation there and its id's arrival here lies a window that
no client can close: the API has no idempotency key. So `asked` is written down before the request leaves, and where it
is found without a `task`, nothing is created before the account's tasks were listed: a task whose `input_url` or
`input_filename` is this very video's is adopted. A request that was on its way when we were cut off may still be taken
after that, so the list is looked at again `SETTLE_S` after the request; only then is a new task created. An answer
that surely means "no task" (a 4xx, a connection that never came about) takes `asked` back at once. What is left: where
the service tells neither URL nor file name of a task, it cannot be recognised, and a second one is paid for rather
than taking a stranger's vectors for ours.

Nothing is tried again in here except texts, for which a person waits: whatever may pass raises Unavailable, and the
job queue, the one place that tries again, comes back with the same notes. The SDK's own retries stay off: they sleep
where no cancel is noticed, and would create a task twice.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import logging
import random
import re
import time
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Literal
from urllib.parse import urlsplit

import httpx
import numpy as np
from pydantic import ValidationError
from twelvelabs import TwelveLabs
from twelvelabs.core.api_error import ApiError
from twelvelabs.types.async_temporal_segmentation import AsyncTemporalSegmentation
from twelvelabs.types.async_video_input_request import AsyncVideoInputRequest
from twelvelabs.types.completed_chunk import CompletedChunk
from twelvelabs.types.embedding_data import EmbeddingData
from twelvelabs.types.embedding_task_response import EmbeddingTaskResponse
from twelvelabs.types.media_source import MediaSource
from twelvelabs.types.multi_input_request import MultiInputRequest
from twelvelabs.types.temporal_segmentation import TemporalSegmentation_Dynamic
from twelvelabs.types.temporal_segmentation_dynamic_dynamic import TemporalSegmentationDynamicDynamic
from twelvelabs.types.text_input_request import TextInputRequest
from twelvelabs.types.video_segmentation import VideoSegmentation_Dynamic
from twelvelabs.types.video_segmentation_dynamic_dynamic import VideoSegmentationDynamicDynamic

from core.errors import AppError, EncoderError, EncoderPaused, SettingsError, Unavailable
from core.ingest import playable
from core.models import ClipEmbedding, EncoderInfo, MediaInfo, Progress, Video, VideoEmbedding


@dataclass(frozen=True, slots=True)
class Marengo:
    """What tells one model's requests from another's."""

    name: str
    dimension: int
    any_dimension: bool
    """Shorter vectors can be asked for (Matryoshka)."""
    fused: bool
    """One vector for picture, sound and speech together; else they come apart and are combined here."""
    options: tuple[str, ...]
    """What to embed of a video with sound; of a silent one only "visual"."""
    least_clip_s: int
    segmentation: Literal["plain", "temporal"]
    text: Literal["text", "multi_input"]


MODELS = {
    model.name: model
    for model in (
        Marengo("marengo3.0", 512, False, True, ("visual", "audio", "transcription"), 4, "plain", "text"),
        Marengo("marengo3.5", 512, True, False, ("visual", "audio"), 2, "temporal", "multi_input"),
    )
}

LEAST_S, MOST_S = 4.0, 4 * 3600.0
LEAST_PX, MOST_PX = 360, (5184, 2160)
MOST_BYTES = 4 * 1000**3
DIRECT_BYTES = 200 * 1000**2
"""Larger files go up in parts."""
ASSET_GOOD_UNTIL_S = 30.0
"""The service's own vector of a whole video is good up to here; beyond it the clips carry the meaning."""
SETTLE_S = 20.0
"""After this long a request whose answer was lost has been taken, or never will be."""
CLOCK_MARGIN = timedelta(hours=1)
"""By which the service's clock and ours may differ. Tasks are recognised by what they are of, not by their time."""
NEW_TASK_S = 600.0
"""A task that the service does not know this soon is not expired: it has not heard of it everywhere yet."""
LEAST_DEADLINE_S = 1800.0
TICK_S = 0.2
"""How often progress is told while waiting, and so how soon a cancel is noticed."""
POLL_S, MOST_POLL_S, POLL_SHARE = 0.3, 10.0, 0.1
"""The first pause between two looks, the longest, and the share of the time waited so far that a pause may add."""
TIMEOUT_S = 30
SEND_TIMEOUT_S = 120
TEXT_TRIES = 3
TEXT_PATIENCE_S = 3.0
"""How long a person who searches is made to wait for another try."""
FAILED_TASKS = 3
"""How many tasks of one video may fail of the service's own troubles while others end well, before a person is asked.
"""
MOST_FAILED_TASKS = 12
"""How many may where there is no other to tell by."""
_PRIVATE_SUFFIXES = (".local", ".internal", ".localhost")
_FIT_PART, _SENT = 0.1, 0.5
"""Fractions of the progress: the copy that fits the limits is made, the bytes have arrived."""
_EXPIRED = "no longer available"
_PASSING = "try again later"
"""In all that the service says of troubles of its own."""
_EXHAUSTED = re.compile(r"usage limit|quota|\bcredits?\b|billing|payment|(paid|free) plan|plan limit", re.IGNORECASE)
"""In what it says where the plan is used up, whatever the status: 402, 403, 400 and 429 all occur."""
_KEYS_PAGE = "https://playground.twelvelabs.io/dashboard/api-keys"
_SDK_ERRORS = (ApiError, httpx.HTTPError, ValidationError)

_SEES = ("who and what is in the picture", "what happens", "sounds and music", "speech")
_BLIND_TO = ("titles, file names and tags",)


class _NotThere(EncoderError):
    """The service does not know what was asked for (404)."""


@dataclass(frozen=True, slots=True)
class _Source:
    """What the task is to be made of, and by what it can be recognised in a list of tasks."""

    url: str | None
    filename: str

    def is_of(self, input_url: str | None, input_filename: str | None) -> bool:
        """Say whether a task made of this is ours. A signed URL is another one each time; its path stays."""
        if self.url is None:
            return input_filename == self.filename
        return input_url is not None and urlsplit(input_url)[1:3] == urlsplit(self.url)[1:3]


class TwelveLabsEncoder:
    """Have TwelveLabs embed videos and texts. Safe to use from several threads."""

    def __init__(
        self,
        api_key: str,
        *,
        model: str = "marengo3.0",
        dimension: int | None = None,
        base_url: str | None = None,
        parallel: int = 4,
        scratch_dir: Path,
        settle_s: float = SETTLE_S,
        direct_bytes: int = DIRECT_BYTES,
    ) -> None:
        """Prepare a client; nothing is sent. Copies that fit the limits are made in `scratch_dir`, one at a time a job.

        Raises SettingsError for a model that is unknown or retired, or a dimension that it does not make.
        """
        if model not in MODELS:
            raise SettingsError(f"TWELVELABS_MODEL is {model!r}. Set it to one of: {', '.join(MODELS)}.")
        if not (api_key.isascii() and api_key.isprintable()):
            raise SettingsError("TWELVE_LABS_API_KEY holds characters that no key has. Copy it afresh.")
        self._model = MODELS[model]
        self._dimension = dimension or self._model.dimension
        if self._dimension != self._model.dimension and not self._model.any_dimension:
            raise SettingsError(f"TWELVELABS_DIMENSION is {dimension}, and {model} knows only {self._model.dimension}.")
        shortened = f"/{self._dimension}" if self._dimension != self._model.dimension else ""
        self.info = EncoderInfo(
            name=f"twelvelabs/{model}{shortened}",
            dimension=self._dimension,
            sees=_SEES,
            blind_to=_BLIND_TO,
            parallel=parallel,
            paid=True,
            max_duration_s=MOST_S,
            max_bytes=MOST_BYTES,
        )
        self._key = api_key
        self._finished_tasks = 0
        """Of this process. Only whether it has grown is of interest, so a lost count between threads does no harm."""
        self._elsewhere = base_url is not None
        self._scratch_dir = scratch_dir
        self._settle_s = settle_s
        self._direct_bytes = direct_bytes
        self._http = httpx.Client(follow_redirects=True)
        weakref.finalize(self, self._http.close)  # An encoder has no close: its connections go with it.
        where = {"base_url": base_url} if base_url else {}
        self._client = TwelveLabs(api_key=api_key, timeout=TIMEOUT_S, httpx_client=self._http, **where)
        # httpx logs every address at INFO, and a signed address is a secret.
        logging.getLogger("httpx").setLevel(logging.WARNING)

    def __repr__(self) -> str:
        return f"TwelveLabsEncoder({self.info.name!r})"

    def check(self) -> None:
        """Do a round trip that costs nothing. Raises EncoderError or Unavailable, saying what to do."""
        with self._translated():
            self._client.embed.v_2.tasks.list(page_limit=1)

    # Text

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Return one unit vector a text, float32 (len(texts), dimension); a zero row for a text without words."""
        rows = np.zeros((len(texts), self._dimension), dtype=np.float32)
        worded = [number for number, text in enumerate(texts) if re.search(r"\w", text)]
        if len(worded) == 1:
            rows[worded[0]] = self._text_vector(texts[worded[0]])
        elif worded:
            with ThreadPoolExecutor(min(self.info.parallel, len(worded)), "twelvelabs-text") as pool:
                rows[worded] = list(pool.map(self._text_vector, [texts[number] for number in worded]))
        return rows

    def _text_vector(self, text: str) -> np.ndarray:
        pause_s = 0.5
        for tries_left in reversed(range(TEXT_TRIES)):
            try:
                return self._ask_for_text(text)
            except EncoderPaused:
                raise
            except Unavailable as error:
                wait_s = error.retry_after_s or pause_s * random.uniform(0.5, 1)
                if not tries_left or wait_s > TEXT_PATIENCE_S:
                    raise
            time.sleep(wait_s)
            pause_s *= 2
        raise AssertionError("unreachable")

    def _ask_for_text(self, text: str) -> np.ndarray:
        asked: dict[str, object] = {"text": TextInputRequest(input_text=text)}
        if self._model.text == "multi_input":
            asked = {"multi_input": MultiInputRequest(input_text=text), "auto_truncate": True}
        with self._translated("this text"):
            answer = self._client.embed.v_2.create(
                input_type=self._model.text, model_name=self._model.name, **self._size(), **asked
            )
        if not answer.data:
            raise EncoderError("TwelveLabs gave no embedding for this text. Try other words.")
        return self._vector(answer.data[0])

    def _size(self) -> dict[str, int]:
        """Return the wanted dimension where a model leaves the choice; naming it to another is an error."""
        return {"embedding_dimension": self._dimension} if self._model.any_dimension else {}

    # Video

    def encode_video(self, video: Video, notes: MutableMapping[str, str], on_progress: Progress) -> VideoEmbedding:
        """Return the vectors of a video from its task: the one in the notes, or a new one that is paid for."""
        on_progress(0.0)
        answer = None
        while answer is None:
            if "task" not in notes:
                self._begin(video, notes, on_progress)
            on_progress(_SENT)
            answer = self._finished(video, notes, on_progress)
        try:
            embedding = self._embedding(answer.data or (), video.info)
        except EncoderError:
            _forget_task(notes)
            raise
        on_progress(1.0)
        return embedding

    def _begin(self, video: Video, notes: MutableMapping[str, str], on_progress: Progress) -> None:
        """Leave the id of this video's task in the notes: of one that was created unnoticed, or of a new one."""
        source = self._source(video)
        if "asked" in notes and (orphan := self._orphan(source, notes["asked"])):
            notes["task"] = orphan
            return
        if source.url is not None:
            origin = MediaSource(url=source.url)
        else:
            origin = MediaSource(asset_id=self._asset(video, source.filename, notes, on_progress))
        notes["asked"] = datetime.now(UTC).isoformat()
        try:
            task = self._client.embed.v_2.tasks.create(
                input_type="video",
                model_name=self._model.name,
                video=self._request(origin, video.info),
                request_options={"timeout_in_seconds": SEND_TIMEOUT_S},
                **self._size(),
            )
        except _SDK_ERRORS as error:
            if _is_surely_refused(error):
                del notes["asked"]
            raise self._sentence(error, "this video") from None
        notes["task"] = task.id

    def _request(self, origin: MediaSource, info: MediaInfo) -> AsyncVideoInputRequest:
        least_s = self._model.least_clip_s
        if self._model.segmentation == "plain":
            segmentation = VideoSegmentation_Dynamic(dynamic=VideoSegmentationDynamicDynamic(min_duration_sec=least_s))
        else:
            clips = TemporalSegmentationDynamicDynamic(min_duration_sec=least_s)
            segmentation = AsyncTemporalSegmentation(temporal=TemporalSegmentation_Dynamic(dynamic=clips))
        options = self._model.options if info.has_audio else ("visual",)
        whole = ["asset"] if info.duration_s <= ASSET_GOOD_UNTIL_S else []
        return AsyncVideoInputRequest(
            media_source=origin,
            segmentation=segmentation,
            embedding_option=list(options),
            embedding_scope=["clip", *whole],
            # Fusing is for several options only, and naming it with one is an error.
            **({"embedding_type": ["fused_embedding"]} if self._model.fused and len(options) > 1 else {}),
        )

    def _orphan(self, source: _Source, asked: str) -> str | None:
        """Return the id of a task that was created for this source without our hearing of it.

        Raises Unavailable while the request for it may still be on its way.
        """
        asked_at = datetime.fromisoformat(asked)
        if found := self._listed(source, asked_at):
            return found
        left_s = self._settle_s - (datetime.now(UTC) - asked_at).total_seconds()
        if left_s > 0:
            raise Unavailable(
                "TwelveLabs may have begun this video without our hearing of it.",
                retry_after_s=min(left_s, self._settle_s),
            )
        return None

    def _listed(self, source: _Source, asked_at: datetime) -> str | None:
        since = (asked_at - CLOCK_MARGIN).strftime("%Y-%m-%dT%H:%M:%SZ")
        with self._translated():
            for task in self._client.embed.v_2.tasks.list(started_at=since, page_limit=50):
                if task.id is None or task.status == "failed" or task.model_name != self._model.name:
                    continue
                told = task.video_embedding.metadata if task.video_embedding else None
                if told is None or not (told.input_url or told.input_filename):
                    told = self._client.embed.v_2.tasks.retrieve(task.id).metadata
                url, name = getattr(told, "input_url", None), getattr(told, "input_filename", None)
                if source.is_of(url, name):
                    return task.id
        return None

    def _finished(
        self, video: Video, notes: MutableMapping[str, str], on_progress: Progress
    ) -> EmbeddingTaskResponse | None:
        """Wait for the task in the notes and return what came of it; None when it has expired, and is forgotten."""
        started = time.monotonic()
        deadline_s = max(LEAST_DEADLINE_S, 3 * video.info.duration_s)
        while True:
            try:
                with self._translated():
                    answer = self._client.embed.v_2.tasks.retrieve(notes["task"])
            except _NotThere:
                if _age_s(notes) < NEW_TASK_S:
                    raise Unavailable("TwelveLabs does not know the task yet that it has just begun.") from None
                _forget_task(notes)
                return None
            if answer.status == "ready":
                self._finished_tasks += 1
                return answer
            if answer.status == "failed":
                return self._failed(answer, notes)
            waited_s = time.monotonic() - started
            if waited_s > deadline_s:
                raise EncoderError(
                    f"TwelveLabs has not finished within {deadline_s / 60:.0f} minutes. Press Retry to go on waiting "
                    "for the same task; it is not paid for again."
                )
            pause_s = min(max(POLL_S, POLL_SHARE * waited_s), MOST_POLL_S) * random.uniform(0.85, 1.15)
            self._pause(pause_s, lambda: on_progress(_SENT))

    def _failed(self, answer: EmbeddingTaskResponse, notes: MutableMapping[str, str]) -> None:
        """Forget a task that failed, and say why; return where its results have merely expired."""
        said = self._clean(answer.error.message) if answer.error else "no reason given"
        _forget_task(notes)
        if _EXPIRED in said:
            return
        failures = int(notes.get("failures", "0")) + 1
        notes["failures"] = str(failures)
        finished = self._finished_tasks
        others_since = finished - int(notes.setdefault("others", str(finished)))
        if _PASSING in said.lower() and failures < (FAILED_TASKS if others_since > 0 else MOST_FAILED_TASKS):
            raise EncoderPaused(f"TwelveLabs cannot embed videos now: {said}")
        raise EncoderError(f"TwelveLabs could not embed this video: {said} Press Retry to try with a new task.")

    def _embedding(self, data: Sequence[EmbeddingData], info: MediaInfo) -> VideoEmbedding:
        """Return the vectors in an answer; the copy that was embedded may have been longer than the video."""
        spans: dict[tuple[float, float], list[EmbeddingData]] = defaultdict(list)
        for item in data:
            if item.embedding_scope in ("clip", "local") and None not in (item.start_sec, item.end_sec):
                spans[item.start_sec, item.end_sec].append(item)
        clips: list[ClipEmbedding] = []
        for (start_s, end_s), items in sorted(spans.items()):
            start_s = max(start_s, clips[-1].end_s if clips else 0.0)
            end_s = min(end_s, info.duration_s)
            if end_s > start_s:
                clips.append(ClipEmbedding(start_s, end_s, self._combined(items)))
        whole = [item for item in data if item.embedding_scope == "asset"]
        if whole and (info.duration_s <= ASSET_GOOD_UNTIL_S or not clips):
            vector = self._combined(whole)
        elif clips:
            vector = _unit(sum((clip.end_s - clip.start_s) * clip.vector for clip in clips))
        else:
            raise EncoderError("TwelveLabs gave no embeddings for this video. Press Retry to try with a new task.")
        return VideoEmbedding(vector, tuple(clips) or (ClipEmbedding(0.0, info.duration_s, vector),))

    def _combined(self, items: Sequence[EmbeddingData]) -> np.ndarray:
        """Return the fused vector if there is one, else the middle of what was seen and what was heard."""
        fused = [item for item in items if item.embedding_option == "fused"]
        return _unit(sum(self._vector(item) for item in fused or items))

    def _vector(self, item: EmbeddingData) -> np.ndarray:
        vector = np.asarray(item.embedding, dtype=np.float32)
        if vector.shape != (self._dimension,) or not np.isfinite(vector).all() or not vector.any():
            raise EncoderError(
                f"TwelveLabs gave {vector.size} numbers where {self.info.name} has {self._dimension} that are not all "
                "zero. Press Retry; if it stays so, set TWELVELABS_MODEL and TWELVELABS_DIMENSION anew."
            )
        return _unit(vector)

    # Bytes

    def _source(self, video: Video) -> _Source:
        """Choose how the bytes get there: by the address of the stored copy where TwelveLabs can read and take it."""
        url = video.url if video.url and self._fits(video.info) and self._can_be_read(video.url) else None
        # The title is for who looks at the account; the hash says which content it is.
        title = re.sub(r"\W+", "_", video.title)[:60].strip("_") or "video"
        copy = "" if self._fits(video.info) else "-fitted"
        suffix = video.path.suffix if self._fits(video.info) and video.path.suffix else ".mp4"
        return _Source(url, f"{title}-{video.content_sha256[:16]}{copy}{suffix}")

    def _can_be_read(self, url: str) -> bool:
        """Say whether the service can reach an address: one of this network only where the service is in it too."""
        host = urlsplit(url).hostname or ""
        try:
            return self._elsewhere or ipaddress.ip_address(host).is_global
        except ValueError:
            return "." in host and not host.endswith(_PRIVATE_SUFFIXES)

    def _fits(self, info: MediaInfo) -> bool:
        sides = sorted((info.width_px, info.height_px))
        return info.duration_s >= LEAST_S and sides[0] >= LEAST_PX and sides[1] <= MOST_PX[0] and sides[0] <= MOST_PX[1]

    def _asset(self, video: Video, filename: str, notes: MutableMapping[str, str], on_progress: Progress) -> str:
        """Return the id of an asset with this video's bytes, ready for use: one that is there, or newly sent."""
        known = notes.get("asset")
        if known is None and "upload" not in notes:
            known = self._sent_before(filename)
        if known is not None:
            try:
                self._await_asset(known, notes, on_progress)
            except _NotThere:
                notes.pop("asset", None)
            else:
                notes["asset"] = known
                return known
        with self._sendable(video, on_progress) as path:
            on_progress(_FIT_PART)

            def report(fraction: float) -> None:
                on_progress(_FIT_PART + (_SENT - _FIT_PART) * fraction)

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

    @contextlib.contextmanager
    def _sendable(self, video: Video, on_progress: Progress) -> Iterator[Path]:
        """Give a file within the limits: the video itself, or a copy that lasts as long as it is needed."""
        if self._fits(video.info):
            yield video.path
            return
        copy = self._scratch_dir / f"{video.content_sha256}.mp4"
        try:
            yield playable.write_fitted(
                video.path,
                video.info,
                copy,
                least_s=LEAST_S + 0.2,
                least_px=LEAST_PX,
                most_px=MOST_PX,
                on_progress=lambda fraction: on_progress(_FIT_PART * fraction),
            )
        finally:
            copy.unlink(missing_ok=True)

    def _sent_before(self, filename: str) -> str | None:
        """Return the id of an asset of this very name that is whole."""
        with self._translated():
            for asset in self._client.assets.list(filename=filename, page_limit=50):
                whole = asset.status == "ready" or (asset.status == "processing" and asset.method == "direct")
                if asset.filename == filename and whole:
                    return asset.id
        return None

    def _await_asset(self, asset_id: str, notes: MutableMapping[str, str], on_progress: Progress) -> None:
        started = time.monotonic()
        while True:
            with self._translated():
                asset = self._client.assets.retrieve(asset_id)
            if asset.status == "ready":
                return
            waited_s = time.monotonic() - started
            if asset.status == "failed":
                notes.pop("asset", None)
                said = self._clean(asset.error.message) if asset.error else "no reason given"
                raise EncoderError(f"TwelveLabs could not read this file: {said} Export it again, or press Retry.")
            if waited_s > LEAST_DEADLINE_S:
                raise EncoderError("TwelveLabs has not taken the file in within 30 minutes. Press Retry.")
            pause_s = min(max(POLL_S, POLL_SHARE * waited_s), MOST_POLL_S)
            self._pause(pause_s, lambda: on_progress(_SENT))

    def _send(self, path: Path, filename: str, on_progress: Progress) -> str:
        with path.open("rb") as file, self._translated("this file"):
            asset = self._client.assets.create(
                method="direct",
                file=(filename, _Watched(file, path.stat().st_size, on_progress), "video/mp4"),
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
            with path.open("rb") as file:
                file.seek(start)
                etag = self._put_part(
                    upload, index, file, size, lambda n, at=start: on_progress((at + n) / total_bytes)
                )
            proof = CompletedChunk(chunk_index=index, proof=etag, proof_type="etag", chunk_size=size)
            with self._translated("this file"):
                self._client.multipart_upload.report_chunk_batch(upload.id, completed_chunks=[proof])
        notes["asset"] = upload.asset_id
        notes.pop("upload", None)
        return upload.asset_id

    def _open_upload(self, filename: str, total_bytes: int, notes: MutableMapping[str, str]) -> _Upload:
        """Return the upload in the notes with the parts that arrived, or a new one where that has ended."""
        if "upload" in notes:
            upload = _Upload(**json.loads(notes["upload"]))
            try:
                with self._translated():
                    chunks = list(self._client.multipart_upload.get_status(upload.id, page_limit=50))
                upload.done = {chunk.index for chunk in chunks if chunk.status == "completed"}
                return upload
            except _NotThere:
                del notes["upload"]
        with self._translated("this file"):
            made = self._client.multipart_upload.create(filename=filename, type="video", total_size=total_bytes)
        if not (made.upload_id and made.asset_id and made.chunk_size and made.total_chunks):
            raise Unavailable("TwelveLabs began to take the file and did not say how.")
        upload = _Upload(made.upload_id, made.asset_id, made.chunk_size, made.total_chunks, made.upload_headers or {})
        notes["upload"] = json.dumps(upload.kept())
        upload.urls = {chunk.chunk_index: chunk.url for chunk in made.upload_urls or ()}
        return upload

    def _put_part(self, upload: _Upload, index: int, file: BinaryIO, size: int, on_bytes: Callable[[int], None]) -> str:
        if index not in upload.urls:
            with self._translated("this file"):
                count = min(50, upload.parts - index + 1)
                more = self._client.multipart_upload.get_additional_presigned_urls(upload.id, start=index, count=count)
            upload.urls |= {chunk.chunk_index: chunk.url for chunk in more.upload_urls or ()}

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
            raise self._sentence(error, "this file") from None
        if answer.status_code >= 400 or "ETag" not in answer.headers:
            # Also where its address has grown old: the next try gets a new one.
            raise Unavailable(f"A part of this file was not taken ({answer.status_code}).")
        return answer.headers["ETag"].strip('"')

    # Manners

    def _pause(self, pause_s: float, tell: Callable[[], None]) -> None:
        """Wait, and tell progress so often that a cancel is noticed soon."""
        end = time.monotonic() + pause_s
        while (left_s := end - time.monotonic()) > 0:
            tell()
            time.sleep(min(TICK_S, left_s))
        tell()

    @contextlib.contextmanager
    def _translated(self, what: str = "this") -> Iterator[None]:
        """Turn what the SDK raises into a sentence.

        The cause is left off on purpose: the SDK prints the whole answer, which may quote a signed address.
        """
        try:
            yield
        except _SDK_ERRORS as error:
            raise self._sentence(error, what) from None

    def _sentence(self, error: Exception, what: str) -> AppError:
        if isinstance(error, ValidationError):
            return EncoderError(
                "TwelveLabs answered in a form that this app does not know. Update the twelvelabs package"
                + (", or check TWELVELABS_BASE_URL." if self._elsewhere else ".")
            )
        if not isinstance(error, ApiError):
            kind = "in time" if isinstance(error, httpx.TimeoutException) else ""
            check = "TWELVELABS_BASE_URL" if self._elsewhere else "the network"
            return Unavailable(f"TwelveLabs does not answer{' ' * bool(kind)}{kind}. Check {check}.")
        return self._answer_sentence(error, what)

    def _answer_sentence(self, error: ApiError, what: str) -> AppError:
        status, said = error.status_code or 0, self._clean(_message(error.body))
        if status == 401:
            return EncoderPaused(
                f"TwelveLabs does not know the key in TWELVE_LABS_API_KEY. Copy a valid one from {_KEYS_PAGE} and "
                "start the app again, or have this one allowed again."
            )
        if status in (402, 403) or (status in (400, 429) and _EXHAUSTED.search(f"{_code(error.body)} {said}")):
            return EncoderPaused(
                f"TwelveLabs does not allow {what}: {said} Check the plan behind the key in TWELVE_LABS_API_KEY.",
                retry_after_s=_retry_after_s(error.headers or {}),
            )
        if status == 429:
            return Unavailable("TwelveLabs asks for fewer requests.", retry_after_s=_retry_after_s(error.headers or {}))
        if status in (408, 409) or status >= 500:
            return Unavailable(f"TwelveLabs has trouble of its own ({status}).")
        if status == 404:
            return _NotThere(f"TwelveLabs does not know {what} any more: {said}")
        if status < 400:
            return EncoderError(
                "What answers is not TwelveLabs. Check "
                + ("TWELVELABS_BASE_URL." if self._elsewhere else "for a proxy on the way to it.")
            )
        return EncoderError(f"TwelveLabs refuses {what}: {said}")

    def _clean(self, text: str) -> str:
        """Return what the service said, on one line, without the key and without the signatures of addresses."""
        text = re.sub(r"(https?://[^\s?\"']+)\?[^\s\"']*", r"\1", text).replace(self._key, "…")
        text = " ".join(text.split())[:300] or "no reason given"
        return text if text[-1] in ".!?" else f"{text}."


@dataclass(slots=True)
class _Upload:
    """A file on its way in parts. Parts count from 1."""

    id: str
    asset_id: str
    part_bytes: int
    parts: int
    headers: dict[str, str]
    urls: dict[int, str] | None = None
    done: set[int] | None = None

    def __post_init__(self) -> None:
        self.urls, self.done = self.urls or {}, self.done or set()

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


def _forget_task(notes: MutableMapping[str, str]) -> None:
    notes.pop("asked", None)
    notes.pop("task", None)


def _age_s(notes: MutableMapping[str, str]) -> float:
    """Return how long ago the task in the notes was asked for."""
    if "asked" not in notes:
        return float("inf")
    return (datetime.now(UTC) - datetime.fromisoformat(notes["asked"])).total_seconds()


def _is_surely_refused(error: Exception) -> bool:
    """Say whether a request that failed so has certainly created nothing."""
    if isinstance(error, ApiError):
        return 400 <= (error.status_code or 0) < 500 and error.status_code not in (408, 409)
    return isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))


def _retry_after_s(headers: dict[str, str]) -> float | None:
    told = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return float(told) if re.fullmatch(r"\s*\d+(\.\d+)?\s*", told) else None


def _message(body: object) -> str:
    """Return the reason in the body of an error, which comes in two forms."""
    if isinstance(body, dict):
        inner = body.get("error")
        return str((inner if isinstance(inner, dict) else body).get("message", ""))
    return ""


def _code(body: object) -> str:
    """Return the name of the reason in the body of an error, its words apart: "usage_limit" has two."""
    inner = body.get("error", body) if isinstance(body, dict) else None
    return str(inner.get("code", "")).replace("_", " ") if isinstance(inner, dict) else ""


def _unit(vector: np.ndarray) -> np.ndarray:
    length = float(np.linalg.norm(vector))
    if not length:
        raise EncoderError("TwelveLabs gave vectors that cancel each other out. Press Retry to try with a new task.")
    return (vector / length).astype(np.float32)
