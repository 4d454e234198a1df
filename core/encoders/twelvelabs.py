"""The TwelveLabs encoder: Marengo sees and hears what happens in a video, and charges by the minute of it.

One video takes one paid task, whatever happens on the way:

    source ─► task ─► poll ─► embedding
    a URL that TwelveLabs reads itself, or an asset: the bytes travel to it once (twelvelabs_upload.py)

What exists at the service is written into the job's notes the moment it is known (`asset`, `upload`, `task`), so that
whoever takes the job up again finds it. Between the task's creation there and its id's arrival here lies a window that
no client can close: the API has no idempotency key. So `asked` is written down before the request leaves, and where it
is found without a `task`, nothing is created before the account's tasks were listed: a task whose `input_url` or
`input_filename` is this very video's is adopted. A request that was on its way when we were cut off may still be taken
after that, so the list is looked at again `SETTLE_S` after the request; only then is a new task created. An answer
that surely means "no task" (a 4xx, a connection that never came about) takes `asked` back at once. What is left: where
the service tells neither URL nor file name of a task, it cannot be recognised, and a second one is paid for rather
than taking a stranger's vectors for ours.

A task that was charged and is of no use any more is forgotten together with COUNTED, and no other is begun in the same
call: whoever called counts it first.

Whether TwelveLabs can read a URL only shows when it tries (split DNS, a bucket open to some addresses only): where it
says that it could not, the bytes are sent, and so are those of all files that lie in the same place.

Nothing is tried again in here except texts, for which a person waits: whatever may pass raises Unavailable, and the
job queue, the one place that tries again, comes back with the same notes. The SDK's own retries stay off: they sleep
where no cancel is noticed, and would create a task twice.
"""

from __future__ import annotations

import base64
import ipaddress
import logging
import random
import re
import time
import weakref
from collections.abc import Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
from twelvelabs import TwelveLabs
from twelvelabs.types.async_temporal_segmentation import AsyncTemporalSegmentation
from twelvelabs.types.async_video_input_request import AsyncVideoInputRequest
from twelvelabs.types.embedding_data import EmbeddingData
from twelvelabs.types.embedding_success_response import EmbeddingSuccessResponse
from twelvelabs.types.embedding_task_response import EmbeddingTaskResponse
from twelvelabs.types.image_input_request import ImageInputRequest
from twelvelabs.types.media_source import MediaSource
from twelvelabs.types.multi_input_media_source import MultiInputMediaSource
from twelvelabs.types.multi_input_request import MultiInputRequest
from twelvelabs.types.temporal_segmentation import TemporalSegmentation_Dynamic
from twelvelabs.types.temporal_segmentation_dynamic_dynamic import TemporalSegmentationDynamicDynamic
from twelvelabs.types.text_input_request import TextInputRequest
from twelvelabs.types.video_segmentation import VideoSegmentation_Dynamic
from twelvelabs.types.video_segmentation_dynamic_dynamic import VideoSegmentationDynamicDynamic

from core.encoders import marengo_models, pictures
from core.encoders.base import COUNTED
from core.encoders.marengo_limits import fits
from core.encoders.modalities import WHOLE_GOOD_UNTIL_S, Form, Fused, Part, SideBySide, assembled, unit
from core.encoders.twelvelabs_errors import SDK_ERRORS, CannotFetch, NotThere, Sentences, is_surely_refused
from core.encoders.twelvelabs_upload import (
    DIRECT_BYTES,
    MOST_BYTES,
    MOST_S,
    POLL_SHARE,
    SEND_TIMEOUT_S,
    SENT,
    Uploader,
    pause,
)
from core.errors import EncoderError, EncoderPaused, Sentence, SettingsError, Unavailable
from core.models import EncoderInfo, MediaInfo, Progress, Video, VideoEmbedding

logger = logging.getLogger(__name__)

SETTLE_S = 20.0
"""After this long a request whose answer was lost has been taken, or never will be."""
CLOCK_MARGIN = timedelta(hours=1)
"""By which the service's clock and ours may differ. Tasks are recognised by what they are of, not by their time."""
NEW_TASK_S = 600.0
"""A task that the service does not know this soon is not expired: it has not heard of it everywhere yet."""
LEAST_DEADLINE_S = 1800.0
POLL_S, MOST_POLL_S = 0.3, 10.0
"""The first pause between two looks, and the longest."""
TIMEOUT_S = 30
TEXT_TRIES = 3
TEXT_PATIENCE_S = 3.0
"""How long a person who searches is made to wait for another try."""
FAILED_TASKS = 3
"""How many tasks of one video may fail of the service's own troubles while others end well, before a person is asked.
"""
MOST_FAILED_TASKS = 12
"""How many may where there is no other to tell by."""
_PRIVATE_SUFFIXES = (".local", ".internal", ".localhost")
_EXPIRED = "no longer available"
_NOT_FETCHED = re.compile(r"fetch|materiali[sz]e|source media|download|inaccessible|\burl\b", re.IGNORECASE)
"""In what is said of a task whose address the service could not read."""
_PASSING = "try again later"
"""In all that the service says of troubles of its own."""

_SEES = ("who and what is in the picture", "what happens", "sounds and music", "speech")
_BLIND_TO = ("titles, file names and tags",)


@dataclass(frozen=True, slots=True)
class _Source:
    """What the task is to be made of, and by what it can be recognised in a list of tasks."""

    url: str | None
    """Where the service reads it itself; None where the bytes have to be sent."""
    stored_at: str | None
    filename: str

    def is_of(self, input_url: str | None, input_filename: str | None) -> bool:
        """Say whether a task made of this is ours, by whichever way. A signed URL is another one each time; its path
        stays, and the name of a file that was sent has the hash of its content."""
        if input_url is None or self.stored_at is None:
            return input_filename == self.filename
        return urlsplit(input_url)[1:3] == urlsplit(self.stored_at)[1:3]


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
        side_by_side: bool = False,
        settle_s: float = SETTLE_S,
        direct_bytes: int = DIRECT_BYTES,
    ) -> None:
        """Prepare a client; nothing is sent. Copies that fit the limits are made in `scratch_dir`, one at a time a job.

        `side_by_side` keeps what is seen, heard and said apart (modalities.py): a space of its own, by another name.
        Raises SettingsError for a model that is unknown or retired, or a dimension that it does not make.
        """
        if not (api_key.isascii() and api_key.isprintable()):
            raise SettingsError("TWELVE_LABS_API_KEY holds characters that no key has. Copy it afresh.")
        self._model = marengo_models.named(model)
        self._size = marengo_models.dimension(self._model, dimension)
        self._form: Form = SideBySide(self._size, self._model.options) if side_by_side else Fused(self._size)
        self._fused = self._model.fused and not side_by_side
        self.info = EncoderInfo(
            name=marengo_models.space(self._model, self._size, side_by_side=side_by_side),
            dimension=self._form.dimension,
            sees=_SEES,
            blind_to=_BLIND_TO,
            parallel=parallel,
            paid=True,
            max_duration_s=MOST_S,
            max_bytes=MOST_BYTES,
            images=True,
            recognises=True,
            calibration=self._form.calibration,
        )
        self._finished_tasks = 0
        """Of this process. Only whether it has grown is of interest, so a lost count between threads does no harm."""
        self._unreadable: set[str] = set()
        """Where stored files lie that the service could not read: those that follow are sent at once."""
        self._elsewhere = base_url is not None
        self._settle_s = settle_s
        http = self._http = httpx.Client(follow_redirects=True)
        weakref.finalize(self, http.close)  # An encoder has no close: its connections go with it.
        where: dict[str, Any] = {"base_url": base_url} if base_url else {}
        self._client = TwelveLabs(api_key=api_key, timeout=TIMEOUT_S, httpx_client=http, **where)
        self._sentences = Sentences(api_key, self._elsewhere)
        self._uploader = Uploader(
            self._client, http, self._sentences, scratch_dir=scratch_dir, direct_bytes=direct_bytes
        )
        # httpx logs every address at INFO, and a signed address is a secret.
        logging.getLogger("httpx").setLevel(logging.WARNING)

    def __repr__(self) -> str:
        return f"TwelveLabsEncoder({self.info.name!r})"

    def check(self) -> None:
        """Do a round trip that costs nothing. Raises EncoderError or Unavailable, saying what to do."""
        with self._sentences.translated():
            self._client.embed.v_2.tasks.list(page_limit=1)

    def check_reads(self, url: str) -> None:
        """Have the service read a small file by its address, for nothing. Raises EncoderError saying what follows."""
        if not self._can_be_read(url):
            raise CannotFetch(
                f"The store's address {urlsplit(url).netloc} is of this network only, so every video is sent to "
                "TwelveLabs from here. That works; it takes the time of an upload."
            )
        self._uploader.check_reads(url)

    # Texts and pictures

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Return one unit vector a text, float32 (len(texts), dimension); a zero row for a text without words."""
        rows = np.zeros((len(texts), self.info.dimension), dtype=np.float32)
        worded = [number for number, text in enumerate(texts) if re.search(r"\w", text)]
        if len(worded) == 1:
            rows[worded[0]] = self._text_vector(texts[worded[0]])
        elif worded:
            with ThreadPoolExecutor(min(self.info.parallel, len(worded)), "twelvelabs-text") as pool:
                rows[worded] = list(pool.map(self._text_vector, [texts[number] for number in worded]))
        return rows

    def encode_image(self, rgb: np.ndarray) -> np.ndarray:
        """Return the unit vector of a picture, (height, width, 3) uint8, as float32 (dimension,)."""
        picture = base64.b64encode(pictures.jpeg(rgb)).decode("ascii")
        if self._model.asked_by == "type":
            media = MediaSource(base_64_string=picture)
            asked: dict[str, Any] = {"input_type": "image", "image": ImageInputRequest(media_source=media)}
        else:
            source = MultiInputMediaSource(media_type="image", base_64_string=picture)
            asked = {"input_type": "multi_input", "multi_input": MultiInputRequest(media_sources=[source])}
        return self._form.picture(self._asked("this picture", "Try another one.", asked))

    def _text_vector(self, text: str) -> np.ndarray:
        if self._model.asked_by == "type":
            asked: dict[str, Any] = {"input_type": "text", "text": TextInputRequest(input_text=text)}
        else:
            request = MultiInputRequest(input_text=text)
            asked = {"input_type": "multi_input", "multi_input": request, "auto_truncate": True}
        return self._form.text(self._asked("this text", "Try other words.", asked))

    def _asked(self, what: str, instead: str, asked: Mapping[str, Any]) -> np.ndarray:
        """Return the vector of a text or a picture, for which a person waits: tried again a little."""
        pause_s = 0.5
        for tries_left in reversed(range(TEXT_TRIES)):
            try:
                with self._sentences.translated(what):
                    answer: EmbeddingSuccessResponse = self._client.embed.v_2.create(
                        model_name=self._model.name, **self._wanted_size(), **asked
                    )
                break
            except EncoderPaused:
                raise
            except Unavailable as error:
                wait_s = error.retry_after_s or pause_s * random.uniform(0.5, 1)
                if not tries_left or wait_s > TEXT_PATIENCE_S:
                    raise
            time.sleep(wait_s)
            pause_s *= 2
        if not answer.data:
            raise EncoderError(
                "TwelveLabs gave no embedding for {what}. {instead}", what=Sentence(what), instead=Sentence(instead)
            )
        return self._vector(answer.data[0])

    def _wanted_size(self) -> dict[str, Any]:
        """Return the wanted dimension where a model leaves the choice; naming it to another is an error."""
        return {"embedding_dimension": self._size} if len(self._model.dimensions) > 1 else {}

    # Video

    def encode_video(self, video: Video, notes: MutableMapping[str, str], on_progress: Progress) -> VideoEmbedding:
        """Return the vectors of a video from its task: the one in the notes, or a new one that is paid for."""
        on_progress(0.0)
        answer, was_begun = None, "task" in notes
        while answer is None:
            if "task" not in notes:
                self._begin(video, notes, on_progress)
            on_progress(SENT)
            answer = self._finished(video, notes, on_progress)
            if answer is None and was_begun:  # on another day, perhaps: the next one was not counted today
                raise Unavailable("TwelveLabs cannot read the stored file, so it is sent from here.", retry_after_s=0.0)
        try:
            embedding = self._embedding(answer.data or (), video.info)
        except EncoderError:
            _forget_task(notes)
            raise
        on_progress(1.0)
        return embedding

    def _begin(self, video: Video, notes: MutableMapping[str, str], on_progress: Progress) -> None:
        """Leave the id of this video's task in the notes: of one that was created unnoticed, or of a new one."""
        source = self._source(video, notes)
        if "asked" in notes and (orphan := self._orphan(source, notes["asked"])):
            notes["task"] = orphan
            return
        if source.url is not None:
            origin = MediaSource(url=source.url)
        else:
            origin = MediaSource(asset_id=self._uploader.asset(video, source.filename, notes, on_progress))
        notes["asked"] = datetime.now(UTC).isoformat()
        try:
            task = self._client.embed.v_2.tasks.create(
                input_type="video",
                model_name=self._model.name,
                video=self._request(origin, video.info),
                request_options={"timeout_in_seconds": SEND_TIMEOUT_S},
                **self._wanted_size(),
            )
        except SDK_ERRORS as error:
            if is_surely_refused(error):
                del notes["asked"]
            sentence = self._sentences.of(error, "this video")
            if source.url is None or not isinstance(sentence, EncoderError) or not _NOT_FETCHED.search(str(sentence)):
                raise sentence from None
            self._send_from_now_on(source.url, notes, str(sentence))
            self._begin(video, notes, on_progress)
            return
        notes["task"] = task.id

    def _send_from_now_on(self, url: str, notes: MutableMapping[str, str], said: str) -> None:
        """Remember that the service cannot read where the store keeps its files: of this job, and for those to come.

        Raises Unavailable where the store does not answer here either: then it is away, and can be read again soon.
        """
        unfetched = int(notes.get("unfetched", "0")) + 1
        notes["unfetched"] = str(unfetched)
        if unfetched < FAILED_TASKS and not self._answers_here(url):
            raise Unavailable("The store did not answer when TwelveLabs was to read the video there.")
        notes["unreadable"] = "yes"
        place = _place(url)
        if place not in self._unreadable:
            self._unreadable.add(place)
            logger.warning("TwelveLabs cannot read %s, so videos are sent to it from here. %s", place, said)

    def _request(self, origin: MediaSource, info: MediaInfo) -> AsyncVideoInputRequest:
        least_s = self._model.least_clip_s
        segmentation: VideoSegmentation_Dynamic | AsyncTemporalSegmentation
        if self._model.segmentation == "plain":
            segmentation = VideoSegmentation_Dynamic(dynamic=VideoSegmentationDynamicDynamic(min_duration_sec=least_s))
        else:
            clips = TemporalSegmentationDynamicDynamic(min_duration_sec=least_s)
            segmentation = AsyncTemporalSegmentation(temporal=TemporalSegmentation_Dynamic(dynamic=clips))
        options = self._model.options if info.has_audio else ("visual",)
        whole = ["asset"] if info.duration_s <= WHOLE_GOOD_UNTIL_S else []
        # How to structure it is for several options only, and naming it with one is an error.
        kind = "fused_embedding" if self._fused else "separate_embedding"
        structure: dict[str, Any] = {"embedding_type": [kind]} if self._model.fused and len(options) > 1 else {}
        return AsyncVideoInputRequest(
            media_source=origin,
            segmentation=segmentation,
            embedding_option=list(options),
            embedding_scope=["clip", *whole],
            **structure,
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
        with self._sentences.translated():
            for task in self._client.embed.v_2.tasks.list(started_at=since, page_limit=50):
                if task.id is None or task.status == "failed" or task.model_name != self._model.name:
                    continue
                told: object = task.video_embedding.metadata if task.video_embedding else None
                url, name = getattr(told, "input_url", None), getattr(told, "input_filename", None)
                if not (url or name):
                    told = self._client.embed.v_2.tasks.retrieve(task.id).metadata
                    url, name = getattr(told, "input_url", None), getattr(told, "input_filename", None)
                if source.is_of(url, name):
                    return task.id
        return None

    def _finished(
        self, video: Video, notes: MutableMapping[str, str], on_progress: Progress
    ) -> EmbeddingTaskResponse | None:
        """Wait for the task in the notes and return what came of it; None where it could not read the address, which
        costs nothing, and the bytes have to be sent. Raises Unavailable when it has expired, and is forgotten."""
        started = time.monotonic()
        deadline_s = max(LEAST_DEADLINE_S, 3 * video.info.duration_s)
        while True:
            try:
                with self._sentences.translated():
                    answer = self._client.embed.v_2.tasks.retrieve(notes["task"])
            except NotThere:
                if _age_s(notes) < NEW_TASK_S:
                    raise Unavailable("TwelveLabs does not know the task yet that it has just begun.") from None
                _forget_task(notes)
                raise _expired() from None
            if answer.status == "ready":
                self._finished_tasks += 1
                return answer
            if answer.status == "failed":
                self._failed(answer, video, notes)
                return None
            waited_s = time.monotonic() - started
            if waited_s > deadline_s:
                raise EncoderError(
                    "TwelveLabs has not finished within {minutes:.0f} minutes. Press Retry to go on waiting for "
                    "the same task; it is not paid for again.",
                    minutes=deadline_s / 60,
                )
            pause_s = min(max(POLL_S, POLL_SHARE * waited_s), MOST_POLL_S) * random.uniform(0.85, 1.15)
            pause(pause_s, lambda: on_progress(SENT))

    def _failed(self, answer: EmbeddingTaskResponse, video: Video, notes: MutableMapping[str, str]) -> None:
        """Forget a task that failed, and say why; return where the service could not read the address, and the bytes
        have to be sent."""
        said = self._sentences.clean(answer.error.message) if answer.error else "no reason given"
        if _EXPIRED in said:
            _forget_task(notes)
            raise _expired()
        if video.url is not None and "unreadable" not in notes and _NOT_FETCHED.search(said):
            _forget_task(notes, was_charged=False)
            self._send_from_now_on(video.url, notes, said)
            return
        _forget_task(notes)
        failures = int(notes.get("failures", "0")) + 1
        notes["failures"] = str(failures)
        finished = self._finished_tasks
        others_since = finished - int(notes.setdefault("others", str(finished)))
        if _PASSING in said.lower() and failures < (FAILED_TASKS if others_since > 0 else MOST_FAILED_TASKS):
            raise EncoderPaused("TwelveLabs cannot embed videos now: {said}", said=said)
        raise EncoderError(
            "TwelveLabs could not embed this video: {said} Press Retry to try with a new task.", said=said
        )

    def _embedding(self, data: Sequence[EmbeddingData], info: MediaInfo) -> VideoEmbedding:
        """Return the vectors in an answer."""
        parts: list[Part] = []
        for item in data:
            option = item.embedding_option or "fused"
            if item.embedding_scope == "asset":
                parts.append(Part(option, None, self._vector(item)))
            elif item.start_sec is not None and item.end_sec is not None:
                parts.append(Part(option, (item.start_sec, item.end_sec), self._vector(item)))
        embedding = assembled(parts, self._form, info.duration_s)
        if embedding is None:
            raise EncoderError("TwelveLabs gave no embeddings for this video. Press Retry to try with a new task.")
        return embedding

    def _vector(self, item: EmbeddingData) -> np.ndarray:
        vector = np.asarray(item.embedding, dtype=np.float32)
        if vector.shape != (self._size,) or not np.isfinite(vector).all() or not vector.any():
            raise EncoderError(
                "TwelveLabs gave {count} numbers where {name} has {size} that are not all zero. Press Retry; if it "
                "stays so, set TWELVELABS_MODEL and TWELVELABS_DIMENSION anew.",
                count=vector.size,
                name=self._model.name,
                size=self._size,
            )
        return unit(vector)

    # Ways

    def _source(self, video: Video, notes: Mapping[str, str]) -> _Source:
        """Choose how the bytes get there: by the address of the stored copy where TwelveLabs can read and take it."""
        fitting = fits(video.info)
        readable = video.url is not None and fitting and "unreadable" not in notes and self._can_be_read(video.url)
        # The title is for who looks at the account; the hash says which content it is.
        title = re.sub(r"\W+", "_", video.title)[:60].strip("_") or "video"
        copy = "" if fitting else "-fitted"
        suffix = video.path.suffix if fitting and video.path.suffix else ".mp4"
        name = f"{title}-{video.content_sha256[:16]}{copy}{suffix}"
        return _Source(video.url if readable else None, video.url, name)

    def _answers_here(self, url: str) -> bool:
        try:
            with self._http.stream("GET", url, headers={"Range": "bytes=0-0"}, timeout=TIMEOUT_S) as answer:
                return answer.status_code < 500
        except httpx.HTTPError:
            return False

    def _can_be_read(self, url: str) -> bool:
        """Say whether the service can reach an address: one of this network only where the service is in it too."""
        if _place(url) in self._unreadable:
            return False
        host = urlsplit(url).hostname or ""
        try:
            return self._elsewhere or ipaddress.ip_address(host).is_global
        except ValueError:
            return "." in host and not host.endswith(_PRIVATE_SUFFIXES)


def _place(url: str) -> str:
    """Return where a store keeps its files: host and bucket, as far as an address tells."""
    parts = urlsplit(url)
    return parts.netloc + parts.path.rpartition("/")[0]


def _expired() -> Unavailable:
    """Return what is said of results that are gone; it names no time, so pauses grow where that happens again."""
    return Unavailable("TwelveLabs no longer has what it found in this video.")


def _forget_task(notes: MutableMapping[str, str], *, was_charged: bool = True) -> None:
    if was_charged:  # First: cut off after it, what is begun next is counted once more rather than not at all.
        notes.pop(COUNTED, None)
    notes.pop("asked", None)
    notes.pop("task", None)


def _age_s(notes: MutableMapping[str, str]) -> float:
    """Return how long ago the task in the notes was asked for."""
    if "asked" not in notes:
        return float("inf")
    return (datetime.now(UTC) - datetime.fromisoformat(notes["asked"])).total_seconds()
