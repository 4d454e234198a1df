"""What the Bedrock encoder needs of Amazon beside the model: clients, the bucket it works in, errors as sentences.

What may be said of any video (a key, a permission, a quota, a model that is not enabled, a bucket that Bedrock may not
use) pauses the encoder; what passes is Unavailable; what is wrong with one video alone is an EncoderError. Where the
documents do not tell them apart by code, the service's own words do: both come as ValidationException.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from boto3.s3.transfer import TransferConfig, create_transfer_manager
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    InvalidRegionError,
    NoCredentialsError,
)
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError
from s3transfer.subscribers import BaseSubscriber

from core.errors import AppError, EncoderError, EncoderPaused, Sentence, SettingsError, Unavailable
from core.models import Progress

logger = logging.getLogger(__name__)

DEFAULT_REGION = "us-east-1"
PREFIX = "bedrock/"
"""Of all that this encoder keeps in the bucket."""
KEPT = timedelta(days=7)
"""How long results stay: for whoever adds the same video meanwhile, on this machine or another, and for a crash."""
SWEEP_EVERY_S = 3600.0
TICK_S = 0.1
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 10, 60
QUOTA_PAUSE_S = 60.0
ALLOW = (
    "bedrock:InvokeModel on the model and its inference profiles, bedrock:GetAsyncInvoke and bedrock:ListAsyncInvokes, "
    "and on the bucket s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket"
)
"""What IAM must allow. StartAsyncInvoke asks for bedrock:InvokeModel (its API reference)."""
ERRORS = (ClientError, BotoCoreError, ResponseParserError)

_KEYS = {
    "UnrecognizedClientException": "Amazon does not know AWS_ACCESS_KEY_ID. Set it and AWS_SECRET_ACCESS_KEY to a key "
    "in use, and start the app again.",
    "InvalidSignatureException": "AWS_SECRET_ACCESS_KEY is not the secret of AWS_ACCESS_KEY_ID, or this machine's "
    "clock is wrong. Copy both keys afresh, and start the app again.",
    "ExpiredTokenException": "The AWS credentials were for a time that is over. Get new ones, and start the app again.",
    "MissingAuthenticationToken": "Amazon takes no request without AWS credentials. Set AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY, and start the app again.",
}
_ALIASES = {
    "InvalidClientTokenId": "UnrecognizedClientException",
    "InvalidAccessKeyId": "UnrecognizedClientException",
    "IncompleteSignature": "InvalidSignatureException",
    "IncompleteSignatureException": "InvalidSignatureException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
    "RequestTimeTooSkewed": "InvalidSignatureException",
    "RequestExpired": "InvalidSignatureException",
    "ExpiredToken": "ExpiredTokenException",
    "InvalidToken": "ExpiredTokenException",
    "MissingAuthenticationTokenException": "MissingAuthenticationToken",
    "AccessDenied": "AccessDeniedException",
    "NotAuthorized": "AccessDeniedException",
    "403": "AccessDeniedException",
}
_FEWER = {"ThrottlingException", "Throttling", "SlowDown", "TooManyRequestsException", "RequestLimitExceeded"}
_PASSING = {
    "InternalServerException",
    "InternalFailure",
    "ServiceUnavailableException",
    "ServiceUnavailable",
    "ModelErrorException",
    "ModelNotReadyException",
    "ModelTimeoutException",
    "RequestTimeout",
    "OperationAborted",
}
_NO_PERMISSION = re.compile(r"not authorized to perform: *([\w:]+)")
_NO_MODEL = re.compile(r"model identifier is invalid|(could not|can't) (resolve|find).*model", re.I)
_NO_ACCOUNT = re.compile(r"operation not allowed|not authorized to invoke", re.I)
_NO_BASE_MODEL = re.compile(r"on-demand throughput isn.?t supported|inference profile", re.I)
_NO_ASYNC = re.compile(r"doesn.?t support async", re.I)
_NO_BUCKET = re.compile(
    r"(?=.*\b(s3|bucket)\b)(?=.*(region|access|permission|credential|owner|denied|authori[sz]ed))", re.I
)
"""The reason lies in the bucket, so no other video would fare better."""


def is_of_the_bucket(said: str) -> bool:
    """Say whether a failure that Bedrock tells so is the bucket's, not the video's."""
    return bool(_NO_BUCKET.search(said))


def code_of(error: Exception) -> str:
    """Return the name of what the service answered with; empty where it did not answer."""
    if not isinstance(error, ClientError):
        return ""
    code = str(error.response.get("Error", {}).get("Code", ""))
    return _ALIASES.get(code, code)


def one_line(text: str) -> str:
    """Return what the service said as one sentence of a line, without account numbers: who reads it may be anyone."""
    text = re.sub(r"\b\d{12}\b", "…", " ".join(text.split()))[:300] or "no reason given"
    return text if text[-1] in ".!?" else f"{text}."


@dataclass(frozen=True, slots=True)
class Place:
    """Where it all happens, for sentences."""

    region: str
    bucket: str
    model: str
    elsewhere: bool
    """BEDROCK_ENDPOINT_URL is set."""

    def sentence(self, error: Exception, what: str) -> AppError:
        """Return what to tell a person of an error that boto3 raised when Bedrock was asked for something."""
        if isinstance(error, ClientError):
            return self._answer(error, what)
        if isinstance(error, NoCredentialsError):
            return EncoderPaused(_KEYS["MissingAuthenticationToken"])
        if isinstance(error, CredentialRetrievalError):
            return EncoderPaused("The AWS credentials cannot be renewed now. Log in again, or set AWS_ACCESS_KEY_ID.")
        if isinstance(error, NoConnectionError | HTTPClientError):
            return Unavailable(
                "Amazon does not answer in {region}. Check {check}.",
                region=self.region,
                check=Sentence("BEDROCK_ENDPOINT_URL" if self.elsewhere else "the network, and BEDROCK_REGION"),
            )
        if isinstance(error, ResponseParserError):
            return self._not_bedrock()
        return EncoderError(
            "Bedrock cannot be used ({kind}). Check the settings that begin BEDROCK_.", kind=type(error).__name__
        )

    def _answer(self, error: ClientError, what: str) -> AppError:
        code, answered = code_of(error), error.response.get("ResponseMetadata", {})
        said = one_line(str(error.response.get("Error", {}).get("Message", "")))
        status = answered.get("HTTPStatusCode", 0)
        headers = answered.get("HTTPHeaders", {})
        service = "S3" if error.operation_name in _OF_S3 else "Bedrock"
        if code in _KEYS:
            return EncoderPaused(_KEYS[code])
        if code == "AccessDeniedException":
            return self._denied(said, error.operation_name)
        if code == "ServiceQuotaExceededException":
            return EncoderPaused(
                "Your AWS account's quota for Bedrock is used up: {said} It may be raised under Service Quotas.",
                retry_after_s=_retry_after_s(headers) or QUOTA_PAUSE_S,
                said=said,
            )
        if code in _FEWER or (status == 429 and code != "ModelNotReadyException"):
            return Unavailable(
                "{service} asks for fewer requests.", retry_after_s=_retry_after_s(headers), service=service
            )
        if code == "NoSuchBucket":
            return EncoderPaused(
                "There is no bucket {bucket!r}. Make it, or set AWS_BUCKET_NAME to yours.", bucket=self.bucket
            )
        if "html" in headers.get("content-type", "") and status < 500:
            return self._not_bedrock()
        if code in _PASSING or status >= 500 or status in (408, 409):
            return Unavailable("{service} has trouble of its own ({code}).", service=service, code=code or status)
        return self._refusal(code, said, what)

    def _refusal(self, code: str, said: str, what: str) -> AppError:
        if code == "ResourceNotFoundException" or _NO_MODEL.search(said):
            return EncoderPaused(
                "Bedrock has no {model} in {region}: {said} Set BEDROCK_REGION to a region that has it (us-east-1, "
                "eu-west-1, ap-northeast-2), with the bucket there too.",
                model=self.model,
                region=self.region,
                said=said,
            )
        if _NO_ASYNC.search(said):
            return EncoderPaused(
                "Bedrock takes no videos for this model in {region}: {said} Set BEDROCK_MODEL.",
                region=self.region,
                said=said,
            )
        if _NO_BASE_MODEL.search(said):
            return EncoderPaused(
                "In {region} Bedrock takes texts and pictures for {model} by an inference profile only. Set "
                "BEDROCK_MODEL to the profile's id, which is the model's with us., eu. or apac. before it.",
                region=self.region,
                model=self.model,
            )
        if _NO_ACCOUNT.search(said):
            return self._denied(said, "")
        if is_of_the_bucket(said):
            return self.bucket_trouble(said)
        return EncoderError("Bedrock refuses {what}: {said}", what=Sentence(what), said=said)

    def bucket_trouble(self, said: str) -> EncoderPaused:
        """Return the sentence for a bucket that Bedrock cannot read or write."""
        return EncoderPaused(
            "Bedrock cannot use the bucket {bucket!r}: {said} It must lie in {region}, and the AWS credentials "
            "need {actions}.",
            bucket=self.bucket,
            said=said,
            region=self.region,
            actions=ALLOW,
        )

    def _denied(self, said: str, operation: str) -> EncoderPaused:
        if missing := _NO_PERMISSION.search(said):
            return EncoderPaused(
                "The AWS credentials may not do {action}. Allow them {actions}.", action=missing[1], actions=ALLOW
            )
        if operation in _OF_S3:
            return EncoderPaused(
                "The AWS credentials may not do {action} in the bucket {bucket!r}. Allow them {actions}.",
                action=operation,
                bucket=self.bucket,
                actions=ALLOW,
            )
        return EncoderPaused(
            "Bedrock does not let your AWS account use {model} in {region}: {said} Ask for access to it under "
            "Model access in the Bedrock console, and allow the AWS credentials {actions}.",
            model=self.model,
            region=self.region,
            said=said,
            actions=ALLOW,
        )

    def told(self, answer: Mapping[str, Any], name: str) -> Any:
        """Return a part of an answer that is always there. boto3 takes a page of HTML for an empty answer."""
        if name not in answer:
            raise self._not_bedrock()
        return answer[name]

    def _not_bedrock(self) -> EncoderError:
        return EncoderError(
            "What answers is not Bedrock. Check {check}.",
            check=Sentence("BEDROCK_ENDPOINT_URL" if self.elsewhere else "for a proxy on the way to it"),
        )

    @contextlib.contextmanager
    def translated(self, what: str = "this") -> Iterator[None]:
        """Turn what boto3 raises into a sentence. The cause is left off: it may quote an address or an account."""
        try:
            yield
        except ERRORS as error:
            raise self.sentence(error, what) from None


_OF_S3 = {"ListObjectsV2", "GetObject", "PutObject", "DeleteObject", "HeadObject", "CreateMultipartUpload"}


def _retry_after_s(headers: dict[str, str]) -> float | None:
    told = headers.get("retry-after", "")
    return float(told) if re.fullmatch(r"\s*\d+(\.\d+)?\s*", told) else None


def make_session(
    access_key: str | None, secret_key: str | None, session_token: str | None, region: str | None
) -> boto3.Session:
    """Return a session with these keys, or where boto3 always looks. Raises SettingsError where there are none."""
    if bool(access_key) != bool(secret_key):
        missing = "AWS_SECRET_ACCESS_KEY" if access_key else "AWS_ACCESS_KEY_ID"
        raise SettingsError(
            "{missing} is not set, but the other half of the credentials is. Set both.", missing=missing
        )
    try:
        session = boto3.Session(access_key, secret_key, session_token, region_name=region)
        found = session.get_credentials()
    except BotoCoreError as error:
        raise SettingsError(
            "The AWS credentials cannot be read ({kind}). Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
            kind=type(error).__name__,
        ) from error
    if found is None:
        raise SettingsError(
            "ENCODER is bedrock, but there are no AWS credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    return session


def make_client(
    session: boto3.Session, service: str, region: str, endpoint_url: str | None, variable: str
) -> BaseClient:
    """Return a client that tries once: who calls tries again. Raises SettingsError naming the variable at fault."""
    config = Config(
        retries={"total_max_attempts": 1},
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        max_pool_connections=32,
        # AWS_ENDPOINT_URL is the store's; boto3 would take it from the environment for every service.
        ignore_configured_endpoint_urls=True,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path" if endpoint_url else "auto"},
    )
    try:
        return session.client(service, region_name=region, endpoint_url=endpoint_url, config=config)
    except InvalidRegionError:
        raise SettingsError("BEDROCK_REGION is not the name of a region. Set it to one like us-east-1.") from None
    except ValueError:
        raise SettingsError(
            "{variable} is not an address. Set it to one that begins with https://.", variable=variable
        ) from None


class Bucket:
    """The part of the bucket where this encoder works, under PREFIX. Safe to use from several threads."""

    def __init__(self, client: BaseClient, place: Place) -> None:
        self._client = client
        self._place = place
        self._lock = threading.Lock()
        self._swept_at = -SWEEP_EVERY_S

    def uri(self, key: str) -> str:
        return f"s3://{self._place.bucket}/{key}"

    def has(self, key: str) -> bool:
        return any(item["Key"] == key for item in self._items(key))

    def result(self, folder: str) -> bytes | None:
        """Return what Bedrock wrote below a folder, the latest if twice; None where there is nothing yet."""
        found = [item for item in self._items(folder) if item["Key"].endswith("output.json")]
        if not found:
            return None
        latest = max(found, key=lambda item: item["LastModified"])
        with self._place.translated():
            try:
                return self._client.get_object(Bucket=self._place.bucket, Key=latest["Key"])["Body"].read()
            except ClientError as error:
                if code_of(error) != "NoSuchKey":  # swept in between
                    raise
                return None

    def put(self, path: Path, key: str, on_progress: Progress) -> None:
        """Send a file in parts, telling progress in the caller's thread, which may cancel."""
        size, watch = path.stat().st_size, _Watch()
        with self._place.translated(), create_transfer_manager(self._client, _TRANSFER) as manager:
            future = manager.upload(str(path), self._place.bucket, key, {"ContentType": "video/mp4"}, [watch])
            while not watch.over.wait(TICK_S):
                on_progress(min(1.0, watch.sent_bytes / max(size, 1)))
            future.result()

    def delete(self, *keys: str) -> None:
        with self._place.translated():
            for key in keys:
                self._client.delete_object(Bucket=self._place.bucket, Key=key)

    def sweep(self) -> None:
        """Remove what is older than KEPT, at most once an hour; what cannot be removed is logged, no more."""
        with self._lock:
            if time.monotonic() - self._swept_at < SWEEP_EVERY_S:
                return
            self._swept_at = time.monotonic()
        try:
            self.delete(*[item["Key"] for item in self._items(PREFIX) if _age(item) > KEPT])
        except AppError as error:
            logger.warning("Old results of Bedrock in bucket %r are not removed: %s", self._place.bucket, error)

    def check(self) -> None:
        """Write, find, read and delete a small object. Raises AppError saying what to allow."""
        key = f"{PREFIX}check/output.json"
        with self._place.translated():
            self._client.put_object(Bucket=self._place.bucket, Key=key, Body=b"{}")
        if self.result(f"{PREFIX}check/") is None:
            raise EncoderError(
                "What is written to the bucket {bucket!r} is not found in it. Check it.", bucket=self._place.bucket
            )
        self.delete(key)

    def _items(self, prefix: str) -> list[dict[str, Any]]:
        with self._place.translated():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._place.bucket, Prefix=prefix)
            return [item for page in pages for item in page.get("Contents", ())]


def _age(item: dict[str, Any]) -> timedelta:
    return datetime.now(UTC) - item["LastModified"]


class _Watch(BaseSubscriber):
    """What the worker threads of an upload report, for the thread that waits for them."""

    def __init__(self) -> None:
        self.sent_bytes = 0
        self.over = threading.Event()
        self._lock = threading.Lock()

    def on_progress(self, bytes_transferred: int, **_: object) -> None:
        with self._lock:
            self.sent_bytes += bytes_transferred

    def on_done(self, **_: object) -> None:
        self.over.set()


_TRANSFER = TransferConfig(preferred_transfer_client="classic")
"""The other client, where it is installed, tells no progress and cannot be stopped."""
