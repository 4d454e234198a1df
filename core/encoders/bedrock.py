"""The Bedrock encoder: TwelveLabs' Marengo in your own AWS account. Amazon charges by the minute of video.

    the store's object in S3 ─► StartAsyncInvoke ─► poll ─► output.json in the same bucket ─► embedding
    texts and pictures ─► InvokeModel ─► vector

One video takes one paid invocation, whatever happens on the way, on however many machines. Everything about it follows
from the content and the request: `id` is the hash of the request, which names the object, which is named by its
content. Results lie under `bedrock/ID/TRY/` in the bucket and stay there for a week, so who wants the same looks there
first. `clientRequestToken` is `ID-TRY`: starting again gives the invocation that there is. `asked` is noted before the
request leaves and `invocation` when its answer came; where the one is found without the other, the account's
invocations are looked through for the token before another start, should Amazon have forgotten the token but not the
invocation. TRY counts those that failed, since a token for ever stands for the one that it started.

The space is not assumed to be that of the TwelveLabs API's own marengo3.0: neither says so. It has another name.

What the documents say (read in stored copies, 2026; nothing here was tried against Amazon itself):
- The user guide, "TwelveLabs Marengo Embed 3.0" (model-parameters-marengo-3): the form of requests and results; 500
  tokens of text, 5 MB a picture, 6 GB and 4 hours of video; segments of at least 1 to 5 s; fused needs two options;
  which names may be invoked where: StartAsyncInvoke takes the model's own id everywhere, InvokeModel takes it in
  us-east-1 and ap-northeast-2, and in eu-west-1 an inference profile only. Its example of a result has `data` as one
  object, its text speaks of a list, and programs that use it read a list: both are understood here.
- The API reference: `clientRequestToken` "to ensure that requests are not duplicated", up to 256 printable characters;
  StartAsyncInvoke is allowed by bedrock:InvokeModel; states InProgress, Completed, Failed; ListAsyncInvokes gives the
  tokens.
- TwelveLabs' page "Create embeddings" for Bedrock: buckets must be in the model's region, else ValidationException.
- Programs that use it: the result is `output.json` in a folder named by the invocation, below the prefix given;
  `bucketOwner` is asked for, and is the account's number.
What could not be found out: whether a token that is used again returns its invocation or a ConflictException (both are
handled), and how long it is remembered; whether the model's least sizes (4 s, 360 pixels), which TwelveLabs documents
for the same model, hold here (copies that keep to them are sent, so that nothing hangs on it); whether a failed
invocation is charged; how many tokens a text has (only a text of over 500 words surely has too many).

As in twelvelabs.py, nothing is tried again in here except texts and pictures, for which a person waits.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import threading
import time
from collections.abc import Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from core.encoders import marengo_models, pictures
from core.encoders.bedrock_aws import (
    DEFAULT_REGION,
    ERRORS,
    PREFIX,
    Bucket,
    Place,
    code_of,
    is_of_the_bucket,
    make_client,
    make_session,
    one_line,
)
from core.encoders.marengo_limits import fits, pause, sendable
from core.encoders.modalities import WHOLE_GOOD_UNTIL_S, Form, Fused, Part, SideBySide, assembled, unit
from core.errors import AppError, EncoderError, EncoderPaused, Sentence, SettingsError, Unavailable
from core.models import EncoderInfo, Progress, Video, VideoEmbedding

MODELS: Mapping[str, int] = {"twelvelabs.marengo-embed-3-0-v1:0": 512}
"""Those there are, by their own ids, with the numbers of a vector."""
DEFAULT_MODEL = "twelvelabs.marengo-embed-3-0-v1:0"
PROFILES_ONLY = {"eu-": "eu."}
"""Where InvokeModel takes an inference profile alone, by the beginning of the region: what comes before the id."""
OPTIONS = ("visual", "audio", "transcription")
LEAST_CLIP_S = 4
MOST_S, MOST_BYTES = 4 * 3600.0, 6 * 1000**3
MOST_WORDS = 500
"""A word is at least a token, of which a text may have so many."""
PARALLEL = 8
LEAST_DEADLINE_S, DEADLINE_SHARE = 1800.0, 3.0
"""How long an invocation is waited for: at least, and in lengths of the video."""
POLL_S, MOST_POLL_S, POLL_SHARE = 0.5, 15.0, 0.1
TEXT_TRIES, TEXT_PATIENCE_S = 3, 3.0
FAILED_TRIES = 3
"""How often an invocation may fail of Amazon's own troubles before a person is asked."""
OLD = timedelta(hours=1)
"""An invocation begun so long before we asked is none of this job's, by whichever of two clocks."""
MOST_OLD = 20
_SENT = 0.4
"""Fraction of the progress at which the bytes are where they must be."""
_PASSING = re.compile(r"internal|try again|time[d -]*out|throttl|unavailable|capacity", re.I)

_SEES = ("who and what is in the picture", "what happens", "sounds and music", "speech")
_BLIND_TO = ("titles, file names and tags",)


@dataclass(frozen=True, slots=True)
class _Request:
    """What is asked of Bedrock for a video, and what follows from it."""

    id: str
    input: Mapping[str, Any]
    copy: str | None
    """Key under which the bytes must be sent first; None where the store's object is read."""

    def token(self, attempt: int) -> str:
        return f"{self.id}-{attempt}"

    def folder(self, attempt: int) -> str:
        return f"{PREFIX}{self.id}/{attempt}/"


class BedrockEncoder:
    """Have Marengo on Amazon Bedrock embed videos, texts and pictures. Safe to use from several threads."""

    def __init__(
        self,
        bucket: str,
        *,
        model: str = DEFAULT_MODEL,
        region: str | None = None,
        bucket_region: str | None = None,
        bucket_owner: str | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
        session_token: str | None = None,
        endpoint_url: str | None = None,
        bucket_endpoint_url: str | None = None,
        sts_endpoint_url: str | None = None,
        parallel: int = PARALLEL,
        side_by_side: bool = False,
        scratch_dir: Path,
    ) -> None:
        """Prepare clients; nothing is sent. Copies that fit the limits are made in `scratch_dir`, one at a time a job.

        `side_by_side` keeps what is seen, heard and said apart (modalities.py): a space of its own, by another name.
        `bucket_owner` is the AWS account that owns the bucket, the credentials' own when None: that is asked once.
        Raises SettingsError for what can be seen to be wrong without asking Amazon.
        """
        self._model = _known(model)
        self._size = MODELS[self._model]
        self._form: Form = SideBySide(self._size, OPTIONS) if side_by_side else Fused(self._size)
        self._fused = not side_by_side
        session = make_session(access_key, secret_key, session_token, bucket_region)
        bucket_region = session.region_name or DEFAULT_REGION
        region = region or bucket_region
        if region != bucket_region:
            raise SettingsError(
                "BEDROCK_REGION is {region} and AWS_REGION, where the bucket {bucket!r} is, {bucket_region}. "
                "Bedrock reads and writes only buckets of its own region. Set both to the same one.",
                region=region,
                bucket=bucket,
                bucket_region=bucket_region,
            )
        if _is_of_amazon(endpoint_url) and not _is_of_amazon(bucket_endpoint_url):
            raise SettingsError(
                "AWS_ENDPOINT_URL is {hostname}, and Bedrock reads videos from Amazon's own S3 only. Unset it, or "
                "set ENCODER to another one.",
                hostname=urlsplit(bucket_endpoint_url or "").hostname,
            )
        name = self._model.removeprefix("twelvelabs.").partition(":")[0]
        self.info = EncoderInfo(
            name=f"bedrock/{name}{marengo_models.blocks(OPTIONS) if side_by_side else ''}",
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
        self._invoked = model if model != self._model else _profile(self._model, region)
        self._place = Place(region, bucket, self._model, elsewhere=endpoint_url is not None)
        self._client = make_client(session, "bedrock-runtime", region, endpoint_url, "BEDROCK_ENDPOINT_URL")
        self._bucket = Bucket(make_client(session, "s3", region, bucket_endpoint_url, "AWS_ENDPOINT_URL"), self._place)
        self._make_sts = partial(make_client, session, "sts", region, sts_endpoint_url, "AWS_ENDPOINT_URL_STS")
        self._known_owner = bucket_owner
        self._owner_lock = threading.Lock()
        self._scratch_dir = scratch_dir

    def __repr__(self) -> str:
        return f"BedrockEncoder({self.info.name!r}, {self._place.region!r})"

    def check(self) -> None:
        """Look whether what a video needs is allowed, as far as that can be seen for nothing. Raises AppError."""
        self._owner()
        self._bucket.check()
        with self._place.translated():
            self._client.list_async_invokes(maxResults=1)

    # Texts and pictures

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Return one unit vector a text, float32 (len(texts), dimension); a zero row for a text without words."""
        rows = np.zeros((len(texts), self.info.dimension), dtype=np.float32)
        worded = [number for number, text in enumerate(texts) if re.search(r"\w", text)]
        if any(len(texts[number].split()) > MOST_WORDS for number in worded):
            raise EncoderError("Bedrock takes texts of at most {most} words. Shorten it.", most=MOST_WORDS)
        if len(worded) == 1:
            rows[worded[0]] = self._text_vector(texts[worded[0]])
        elif worded:
            with ThreadPoolExecutor(min(self.info.parallel, len(worded)), "bedrock-text") as pool:
                rows[worded] = list(pool.map(self._text_vector, [texts[number] for number in worded]))
        return rows

    def encode_image(self, rgb: np.ndarray) -> np.ndarray:
        """Return the unit vector of a picture, (height, width, 3) uint8, as float32 (dimension,)."""
        picture = base64.b64encode(pictures.jpeg(rgb)).decode("ascii")
        asked = {"inputType": "image", "image": {"mediaSource": {"base64String": picture}}}
        return self._form.picture(self._invoke(asked, "this picture", "Try another one."))

    def _text_vector(self, text: str) -> np.ndarray:
        asked = {"inputType": "text", "text": {"inputText": text}}
        return self._form.text(self._invoke(asked, "this text", "Try other words."))

    def _invoke(self, asked: Mapping[str, Any], what: str, instead: str) -> np.ndarray:
        """Return the vector of what a person waits for: tried again a little."""
        body, pause_s = json.dumps(asked), 0.5
        for tries_left in reversed(range(TEXT_TRIES)):
            try:
                with self._place.translated(what):
                    answer = self._client.invoke_model(
                        modelId=self._invoked, body=body, contentType="application/json", accept="application/json"
                    )
                    content = answer["body"].read()
                break
            except EncoderPaused:
                raise
            except Unavailable as error:
                wait_s = error.retry_after_s or pause_s * random.uniform(0.5, 1)
                if not tries_left or wait_s > TEXT_PATIENCE_S:
                    raise
            time.sleep(wait_s)
            pause_s *= 2
        parts = self._parts(content)
        if not parts:
            raise EncoderError(
                "Bedrock gave no embedding for {what}. {instead}", what=Sentence(what), instead=Sentence(instead)
            )
        return parts[0].vector

    # Video

    def encode_video(self, video: Video, notes: MutableMapping[str, str], on_progress: Progress) -> VideoEmbedding:
        """Return the vectors of a video: of results that lie in the bucket, or of an invocation that is paid for."""
        on_progress(0.0)
        request = self._request(video)
        for _ in range(MOST_OLD):
            data = self._bucket.result(request.folder(_attempt(notes)))
            if data is None:
                data = self._awaited(request, video, notes, on_progress)
            if data is not None:
                break
        else:
            raise EncoderError("Bedrock gives only old results for this video that are gone. Press Retry to go on.")
        parts = self._parts(data)  # A result that cannot be read stays: another version of this app may know it.
        embedding = assembled(parts, self._form, video.info.duration_s)
        if embedding is None:
            _next_attempt(notes)
            raise EncoderError("Bedrock gave no embeddings for this video. Press Retry to try anew.")
        if request.copy is not None:
            self._bucket.delete(request.copy)
        self._bucket.sweep()
        on_progress(1.0)
        return embedding

    def _request(self, video: Video) -> _Request:
        """Return what to ask for: the same on every machine for the same content."""
        copy = None
        if video.s3_uri is not None and fits(video.info):
            uri = video.s3_uri
        else:
            copy = f"{PREFIX}source/{video.content_sha256}{'' if fits(video.info) else '-fitted'}.mp4"
            uri = self._bucket.uri(copy)
        options = OPTIONS if video.info.has_audio else ("visual",)
        whole = ["asset"] if video.info.duration_s <= WHOLE_GOOD_UNTIL_S else []
        asked = {
            "inputType": "video",
            "video": {
                "mediaSource": {"s3Location": {"uri": uri, "bucketOwner": self._owner()}},
                "segmentation": {"method": "dynamic", "dynamic": {"minDurationSec": LEAST_CLIP_S}},
                "embeddingOption": list(options),
                # Fusing needs two options at least.
                "embeddingType": ["fused_embedding" if self._fused and len(options) > 1 else "separate_embedding"],
                "embeddingScope": ["clip", *whole],
            },
        }
        # The content is in it as well, for a bucket whose objects are not named by it.
        told = json.dumps([self._model, video.content_sha256, asked], sort_keys=True)
        return _Request(hashlib.sha256(told.encode()).hexdigest()[:40], asked, copy)

    def _awaited(
        self, request: _Request, video: Video, notes: MutableMapping[str, str], on_progress: Progress
    ) -> bytes | None:
        """Return the result of the invocation in the notes or of a new one; None where it was one of long ago."""
        if "invocation" not in notes:
            self._begin(request, video, notes, on_progress)
        on_progress(_SENT)
        answer = self._finished(video, notes, on_progress)
        is_old = answer["submitTime"] < datetime.fromisoformat(notes["asked"]) - OLD
        if answer["status"] == "Failed":
            self._failed(one_line(answer.get("failureMessage", "")), is_old, notes)
            return None
        data = self._bucket.result(request.folder(_attempt(notes)))
        if data is None:
            _next_attempt(notes)
            if not is_old:
                raise EncoderError(
                    "Bedrock says that it has finished this video, but its result is not in the bucket {bucket!r} "
                    "under {prefix}. Press Retry to have it encoded anew, which costs again.",
                    bucket=self._place.bucket,
                    prefix=PREFIX,
                )
        return data

    def _begin(self, request: _Request, video: Video, notes: MutableMapping[str, str], on_progress: Progress) -> None:
        """Leave an invocation in the notes: the one that this request has started already, or a new one."""
        attempt = _attempt(notes)
        token = request.token(attempt)
        if "asked" in notes and (known := self._listed(token, notes["asked"])):
            notes["invocation"] = known
            return
        if request.copy is not None and not self._bucket.has(request.copy):
            self._send(request.copy, video, on_progress)
        if "asked" not in notes:
            notes["asked"] = datetime.now(UTC).isoformat()
        try:
            answer = self._client.start_async_invoke(
                clientRequestToken=token,
                modelId=self._model,
                modelInput=request.input,
                outputDataConfig={"s3OutputDataConfig": {"s3Uri": self._bucket.uri(request.folder(attempt))}},
            )
            notes["invocation"] = self._place.told(answer, "invocationArn")
        except ERRORS as error:
            if code_of(error) != "ConflictException":
                raise self._place.sentence(error, "this video") from None
            known = self._listed(token, notes["asked"])
            if known is None:
                raise Unavailable("Bedrock is at this video already and does not say where yet.") from None
            notes["invocation"] = known

    def _listed(self, token: str, asked: str) -> str | None:
        """Return the account's invocation with a token; those of the last week are looked through, newest first."""
        with self._place.translated():
            pages = self._client.get_paginator("list_async_invokes").paginate(
                submitTimeAfter=datetime.fromisoformat(asked) - timedelta(days=7),
                sortOrder="Descending",
                maxResults=1000,
            )
            for page in pages:
                for row in self._place.told(page, "asyncInvokeSummaries"):
                    if row.get("clientRequestToken") == token:
                        return row["invocationArn"]
        return None

    def _finished(self, video: Video, notes: MutableMapping[str, str], on_progress: Progress) -> Mapping[str, Any]:
        """Wait for the invocation in the notes and return how it ended."""
        started = time.monotonic()
        deadline_s = max(LEAST_DEADLINE_S, DEADLINE_SHARE * video.info.duration_s)
        while True:
            try:
                answer = self._client.get_async_invoke(invocationArn=notes["invocation"])
            except ERRORS as error:
                if code_of(error) not in ("ResourceNotFoundException", "ValidationException"):
                    raise self._place.sentence(error, "this video") from None
                # Not there, or not yet everywhere: the token finds it again, and the list before that.
                del notes["invocation"]
                raise Unavailable("Bedrock does not know the invocation that it has begun.") from None
            if self._place.told(answer, "status") != "InProgress":
                return answer
            waited_s = time.monotonic() - started
            if waited_s > deadline_s:
                raise EncoderError(
                    "Bedrock has not finished within {minutes:.0f} minutes. Press Retry to go on waiting for the "
                    "same invocation; it is not paid for again.",
                    minutes=deadline_s / 60,
                )
            pause_s = min(max(POLL_S, POLL_SHARE * waited_s), MOST_POLL_S) * random.uniform(0.85, 1.15)
            pause(pause_s, lambda: on_progress(_SENT))

    def _failed(self, said: str, is_old: bool, notes: MutableMapping[str, str]) -> None:
        """Leave an invocation that failed behind, and say why; return where it was not of this job."""
        _next_attempt(notes)
        if is_old:
            return
        if is_of_the_bucket(said):
            raise self._place.bucket_trouble(said)
        failures = int(notes.get("failures", "0")) + 1
        notes["failures"] = str(failures)
        if _PASSING.search(said) and failures < FAILED_TRIES:
            raise Unavailable("Bedrock could not embed this video now: {said}", said=said)
        raise EncoderError("Bedrock could not embed this video: {said} Press Retry to try anew.", said=said)

    # Results

    def _parts(self, content: bytes) -> list[Part]:
        """Return the vectors of a result. Raises EncoderError for what is none."""
        try:
            data = json.loads(content)["data"]
            parts = [_part(item) for item in (data if isinstance(data, list) else [data])]
        except (ValueError, TypeError, KeyError, AttributeError):
            raise EncoderError("Bedrock answered in a form that this app does not know. Update the app.") from None
        for part in parts:
            vector = part.vector
            if vector.shape != (self._size,) or not np.isfinite(vector).all() or not vector.any():
                raise EncoderError(
                    "Bedrock gave {count} numbers where {model} has {size} that are not all zero. Press Retry; if "
                    "it stays so, set BEDROCK_MODEL anew.",
                    count=vector.size,
                    model=self._model,
                    size=self._size,
                )
        return [replace(part, vector=unit(part.vector)) for part in parts]

    # Bytes and account

    def _send(self, key: str, video: Video, on_progress: Progress) -> None:
        with sendable(video, self._scratch_dir, lambda fraction: on_progress(_SENT / 2 * fraction)) as path:
            self._bucket.put(path, key, lambda fraction: on_progress(_SENT / 2 * (1 + fraction)))

    def _owner(self) -> str:
        """Return the number of the account that owns the bucket: the one set, or that of the credentials."""
        with self._owner_lock:
            if self._known_owner is None:
                try:
                    with self._place.translated():
                        self._known_owner = str(self._make_sts().get_caller_identity()["Account"])
                except EncoderPaused:
                    raise
                except AppError as error:
                    raise Unavailable(
                        "Amazon does not say which account this is: {error} Or set BEDROCK_BUCKET_OWNER to its number.",
                        error=error,
                    ) from None
            return self._known_owner


def _part(item: Mapping[str, Any]) -> Part:
    """Return a vector as Bedrock tells it. One of a text or a picture is of the whole of it."""
    option, scope = _one(item.get("embeddingOption")), _one(item.get("embeddingScope"))
    is_whole = scope == "asset" or item.get("endSec") is None
    span = None if is_whole else (float(item.get("startSec") or 0.0), float(item["endSec"]))
    return Part(option or "fused", span, np.asarray(item["embedding"], dtype=np.float32))


def _one(told: Any) -> str:
    """Return a value that the guide's example has in a list and its text as a string."""
    return str((told[0] if isinstance(told, list) else told) or "")


def _known(model: str) -> str:
    """Return the model's own id, of which an inference profile's id or ARN ends with. Raises SettingsError."""
    for known in MODELS:
        if model == known or model.endswith((f".{known}", f"/{known}")):
            return known
    raise SettingsError(
        "BEDROCK_MODEL is {model!r}. Set it to one of: {models}; or to an inference profile of it, such as us.{usual}.",
        model=model,
        models=", ".join(MODELS),
        usual=DEFAULT_MODEL,
    )


def _profile(model: str, region: str) -> str:
    """Return the name under which texts and pictures are asked for where no profile is set."""
    return next((before for start, before in PROFILES_ONLY.items() if region.startswith(start)), "") + model


def _is_of_amazon(endpoint_url: str | None) -> bool:
    host = urlsplit(endpoint_url or "").hostname
    return host is None or host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws"))


def _attempt(notes: Mapping[str, str]) -> int:
    return int(notes.get("attempt", "0"))


def _next_attempt(notes: MutableMapping[str, str]) -> None:
    """Let go of an invocation of which nothing comes. `attempt` first: a crash between the two only looks once more."""
    notes["attempt"] = str(_attempt(notes) + 1)
    notes.pop("invocation", None)
