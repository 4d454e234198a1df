"""The store in an S3 bucket, Amazon's or any that speaks its language (MinIO, R2, B2); browsers fetch from it directly.

An object is named `media/` and the media key, nothing else: no title, no file name. The key is made from the SHA-256 of
the content, so it cannot be guessed or counted through; only who has the very same file can work it out, and a private
bucket gives nothing for a name without a signature. A random part would hide that too, but it would have to be kept
somewhere: in DATA_DIR it goes with the disk of a free host, in the bucket it is one object whose loss takes all the
others along. As it is, a job that goes on after a crash finds the object it had stored, and two machines agree.

URLs are signed when they are shown, offline, and never stored. With `public_read` objects are readable by everyone who
has the name, and URLs carry no signature.
"""

from __future__ import annotations

import bisect
import contextlib
import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import boto3
from boto3.s3.transfer import TransferConfig, create_transfer_manager
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    InvalidRegionError,
    NoCredentialsError,
    ParamValidationError,
)
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.httpsession import URLLib3Session
from botocore.parsers import ResponseParserError
from s3transfer.subscribers import BaseSubscriber

from core.errors import AppError, Sentence, SettingsError, StoreError, Unavailable
from core.models import Progress
from core.stores.base import CONTENT_TYPES, KEY, check_key

logger = logging.getLogger(__name__)

PREFIX = "media/"
DEFAULT_REGION = "us-east-1"
PART_BYTES = 8 * 1024 * 1024
"""Files at least this large go up in parts of this size; 10,000 parts are allowed, s3transfer enlarges them then."""
CHUNK_BYTES = 1024 * 1024
PART_THREADS = 4
"""Parts of one file on the way at the same time."""
ATTEMPTS = 4
"""Of one request, by botocore, seconds apart. What fails longer is for the job queue, which waits minutes."""
CONNECT_TIMEOUT_S = 10
READ_TIMEOUT_S = 30
TICK_S = 0.1
"""How often progress is told, and so how soon a cancel is noticed, also while nothing moves."""
URL_LIFE_S = 12 * 3600
URL_REUSE_S = URL_LIFE_S // 2
"""A new signature is a new address to a browser, and reloads the player: the same one is given for a while."""
MAX_URLS = 10_000

_NEEDED = (
    "s3:PutObject, s3:GetObject, s3:DeleteObject and s3:AbortMultipartUpload on its objects, "
    "s3:ListBucket and s3:ListBucketMultipartUploads on the bucket itself"
)
_REFUSALS = {
    "NoSuchBucket": "There is no bucket {bucket!r} {where}. Make it, or set AWS_BUCKET_NAME to one that is there.",
    "InvalidBucketName": "AWS_BUCKET_NAME is {bucket!r}, which cannot be the name of a bucket. Set it to yours.",
    "InvalidAccessKeyId": "AWS_ACCESS_KEY_ID is not known {where}. Set it and AWS_SECRET_ACCESS_KEY to a key in use.",
    "SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY is not the secret of AWS_ACCESS_KEY_ID. Copy both afresh.",
    "ExpiredToken": "The AWS credentials were for a time that is over. Get new ones for AWS_ACCESS_KEY_ID.",
    "InvalidToken": "The AWS credentials are for a time and not whole. Get new ones for AWS_ACCESS_KEY_ID.",
    "AccessDenied": "AWS_ACCESS_KEY_ID may not do {operation} in the bucket {bucket!r}. Allow it {needed}.",
    "RequestTimeTooSkewed": "This machine's clock is wrong by more than 15 minutes, so S3 refuses it. Set the clock.",
    "EntityTooLarge": "The file is larger than the service allows {where}. Shorten or compress it.",
    "QuotaExceeded": "The bucket {bucket!r} is full. Make room in it, or set AWS_BUCKET_NAME to another.",
    "XMinioStorageFull": "The disk behind AWS_ENDPOINT_URL is full. Make room on it and try again.",
}
_ALIASES = {
    "403": "AccessDenied",
    "Forbidden": "AccessDenied",
    "AllAccessDisabled": "AccessDenied",
    "InvalidSecurity": "InvalidAccessKeyId",
    "TokenRefreshRequired": "ExpiredToken",
    "RequestExpired": "RequestTimeTooSkewed",
}
_PASSING = {"SlowDown", "RequestTimeout", "Throttling", "TooManyRequests", "OperationAborted", "NoSuchUpload"}
"""No fault of anyone's, over soon. NoSuchUpload: another process stored the same key meanwhile and tidied up."""
_GATEWAYS = (502, 503, 504)
"""Said by a proxy on the way, in HTML; the same from the service itself means that it is no S3 (MinIO's console …)."""
_WRONG_REGION = {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
_NO_ACLS = {"AccessControlListNotSupported", "AccessDenied", "NotImplemented", "InvalidArgument"}
_NOT_FOR_US = {"AccessDenied", "NotImplemented", "MethodNotAllowed"}


@dataclass(frozen=True, slots=True)
class _Signed:
    """A URL that was given out, and what it depends on."""

    url: str
    made_at: float
    access_key: str
    reuse_s: float
    """How long it is given out."""


class S3Store:
    """Keep each key as an object of one bucket. Safe to use from several threads."""

    name: Literal["folder", "s3"] = "s3"

    def __init__(
        self,
        bucket: str,
        *,
        region: str | None = None,
        endpoint_url: str | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
        session_token: str | None = None,
        public_read: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare a client; nothing is sent yet. Without keys, boto3 looks where it always does (profile, role …).

        Raises SettingsError, naming the variable, for what can be seen to be wrong without asking the service.
        """
        self.bucket = bucket
        self.s3_root: str | None = f"s3://{bucket}/{PREFIX}"
        self._endpoint_url = endpoint_url
        self._public_read = public_read
        self._clock = clock
        self._lock = threading.Lock()
        self._urls: dict[str, _Signed] = {}
        self._sending: Counter[str] = Counter()
        self._region = region or DEFAULT_REGION
        self._public_by: Mapping[str, str] | None = None
        if bool(access_key) != bool(secret_key):
            missing = "AWS_SECRET_ACCESS_KEY" if access_key else "AWS_ACCESS_KEY_ID"
            raise SettingsError(
                "{missing} is not set, but the other half of the credentials is. Set both.", missing=missing
            )
        with self._translated():
            session = boto3.Session(access_key, secret_key, session_token, region_name=region)
            self._credentials = session.get_credentials()
            if self._credentials is None:
                raise NoCredentialsError
            self._region = session.region_name or DEFAULT_REGION
            self._client = _client(session, self._region, bucket, endpoint_url)
            self._client.meta.events.register_first("needs-retry.s3", self._refuse_other_region)
            self._sign(PREFIX)  # says now what is wrong with the bucket's name, not at the first video

    def __repr__(self) -> str:
        return f"S3Store({self.bucket!r}, {self._where})"

    def put(self, source: Path, key: str, on_progress: Progress) -> None:
        """Upload in parts of which several are on the way at once; `on_progress` is called in the caller's thread."""
        name = self._name(key)
        try:
            with source.open("rb"):
                size = source.stat().st_size
        except OSError as error:
            raise _unreadable(source, error) from error
        with self._translated():
            headers = {**_headers(key), **self._openness()}
            with self._counted(name):
                self._upload(source, size, name, headers, on_progress)
                if size >= PART_BYTES:
                    self._abort_left_over(name, unless_sending=1)
        on_progress(1.0)

    def url(self, key: str) -> str:
        """Return a signed URL that is good for 6 to 12 hours, the same one for 6 of them; public ones are for ever.

        A URL ends with the credentials that signed it, whatever it says. So one signed by a role's passing ones says no
        more than these have left, and is given out for half of that; then they have been refreshed, or soon are.
        """
        name = self._name(key)
        with self._translated(), self._lock:
            # Asking for them refreshes those that soon end.
            now, access_key = self._clock(), self._credentials.get_frozen_credentials().access_key
            kept = self._urls.pop(name, None)
            if kept is None or kept.access_key != access_key or not 0 <= now - kept.made_at < kept.reuse_s:
                life_s = self._life_s()
                kept = _Signed(self._sign(name, life_s), now, access_key, min(URL_REUSE_S, life_s / 2))
            self._urls[name] = kept  # to the end: the front is what was not asked for the longest
            if len(self._urls) > MAX_URLS:
                del self._urls[next(iter(self._urls))]
            return kept.url

    def fetch(self, name: str, target: Path, on_progress: Progress) -> None:
        """Write any object that the credentials may read, named //BUCKET/KEY, to a file."""
        bucket, _, key = name.removeprefix("//").partition("/")
        with self._translated():
            answer = self._client.get_object(Bucket=bucket, Key=key)
            size, done = int(answer["ContentLength"]), 0
            try:
                with contextlib.closing(answer["Body"]) as body, target.open("wb") as file:
                    for chunk in body.iter_chunks(CHUNK_BYTES):
                        file.write(chunk)
                        done += len(chunk)
                        on_progress(min(1.0, done / size))
            except IncompleteReadError as error:  # botocore compares what came with what was promised
                raise Unavailable("S3 broke off while s3:{name} was being fetched.", name=name) from error

    def listed(self, name: str) -> Iterator[str]:
        """Yield the names (//BUCKET/KEY) of all objects whose names begin so."""
        bucket, _, prefix = name.removeprefix("//").partition("/")
        with self._translated():
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for found in page.get("Contents", ()):
                    yield f"//{bucket}/{found['Key']}"

    def local_path(self, key: str) -> None:
        check_key(key)

    def exists(self, key: str) -> bool:
        name = self._name(key)
        with self._translated():
            # Not HEAD: its answers have no body, so a wrong key, a missing bucket and a missing object look alike.
            found = self._client.list_objects_v2(Bucket=self.bucket, Prefix=name, MaxKeys=1)
        return any(item["Key"] == name for item in found.get("Contents", ()))

    def delete(self, key: str) -> None:
        """Remove the object, and what a killed process left of an unfinished upload of it."""
        name = self._name(key)
        with self._translated():
            self._client.delete_object(Bucket=self.bucket, Key=name)
            self._abort_left_over(name, unless_sending=0)

    def sizes(self) -> Mapping[str, int]:
        """List the bucket, 1,000 objects a request."""
        with self._translated():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=PREFIX)
            found = {
                item["Key"].removeprefix(PREFIX): item["Size"] for page in pages for item in page.get("Contents", ())
            }
        return {key: size for key, size in found.items() if KEY.fullmatch(key)}

    def check(self) -> None:
        """Write, look, read a piece by the URL a browser would use, delete."""
        with self._translated():
            answer = self._try_out(self._openness())
        if answer.status_code == 200:
            raise StoreError(
                "What answers for the bucket {bucket!r} sends whole files when asked for a part, so no video can "
                "start at its moment. Set AWS_ENDPOINT_URL to a server that knows Range requests.",
                bucket=self.bucket,
            )
        if answer.status_code != 206 or answer.content != _PROBE[2:7]:
            raise StoreError(
                "A file could be written to the bucket {bucket!r} but not read by its URL (HTTP status {status}). "
                "Allow AWS_ACCESS_KEY_ID s3:GetObject, and check AWS_ENDPOINT_URL.",
                bucket=self.bucket,
                status=answer.status_code,
            )

    # Uploading

    def _upload(self, source: Path, size: int, name: str, headers: Mapping[str, str], on_progress: Progress) -> None:
        """Let worker threads send the file while this one tells how far they are.

        Leaving the manager with an exception, `Cancelled` above all, stops the workers and aborts the upload. Raised
        in a worker, by boto3's own callback, it would be taken for a broken connection and tried again.
        """
        watch = _Watch()
        with create_transfer_manager(self._client, _TRANSFER) as manager:
            future = manager.upload(str(source), self.bucket, name, dict(headers), [watch])
            on_progress(0.0)
            while not watch.over.wait(TICK_S):
                on_progress(min(1.0, watch.sent_bytes / max(size, 1)))
            try:
                future.result()
            except BotoCoreError:
                raise  # some of these are OSErrors too, but not the file's
            except OSError as error:
                raise _unreadable(source, error) from error

    @contextlib.contextmanager
    def _counted(self, name: str) -> Iterator[None]:
        """Count the uploads of one object that are on the way in this process."""
        with self._lock:
            self._sending[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._sending[name] -= 1
                self._sending += Counter()  # drops what is at zero

    def _abort_left_over(self, name: str, unless_sending: int) -> None:
        """Abort unfinished uploads of an object: nobody sees their parts, but they are paid for.

        They were left by a killed process, or by a connection that broke before the abort got through. Another process
        that is sending the same content now finds its upload gone, tries again, and sees that the object is there.
        Nothing is done while more than `unless_sending` uploads of it are on the way here.
        """
        try:
            pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=name)
            ids = [item["UploadId"] for page in pages for item in page.get("Uploads", ()) if item["Key"] == name]
            # Counted after listing: what begins from here on is not in the list.
            with self._lock:
                busy = self._sending[name] > unless_sending
            for upload_id in () if busy else ids:
                with contextlib.suppress(self._client.exceptions.NoSuchUpload):  # ended by itself meanwhile
                    self._client.abort_multipart_upload(Bucket=self.bucket, Key=name, UploadId=upload_id)
        except ClientError as error:
            if _code(error) not in _NOT_FOR_US:
                raise
            logger.warning(
                "Unfinished uploads in bucket %r cannot be found and removed (%s). Allow "
                "s3:ListBucketMultipartUploads, or have the bucket's life cycle rules remove them.",
                self.bucket,
                _code(error),
            )

    # URLs and who may read

    def _life_s(self) -> int:
        """Return for how long a URL may be signed: the usual, or what the credentials have left, to the second."""
        needed = getattr(self._credentials, "refresh_needed", None)
        if needed is None:  # They are for ever, or nobody told us their end.
            return URL_LIFE_S
        # botocore only answers whether there is less left than so many seconds.
        return max(1, bisect.bisect_left(range(URL_LIFE_S), True, key=lambda second: bool(needed(second + 1))))

    def _sign(self, name: str, life_s: int = URL_LIFE_S) -> str:
        """Return the URL of an object as of now; offline."""
        wanted = {"Bucket": self.bucket, "Key": name}
        if self._public_read:
            return urlsplit(self._client.generate_presigned_url("get_object", wanted))._replace(query="").geturl()
        wanted["ResponseContentType"] = _headers(name)["ContentType"]  # also where a copying tool lost it
        return self._client.generate_presigned_url("get_object", wanted, ExpiresIn=life_s)

    def _openness(self) -> Mapping[str, str]:
        """Return what makes an object public: an ACL, or nothing where the bucket's policy does. Asked once a process.

        Tried with a small object and fetched without a signature, because some services take the ACL and ignore it.
        """
        if not self._public_read:
            return {}
        if self._public_by is None:
            self._public_by = self._find_openness()
        return self._public_by

    def _find_openness(self) -> Mapping[str, str]:
        for headers in ({"ACL": "public-read"}, {}):
            try:
                answer = self._try_out(headers)
            except ClientError as error:
                if not headers or _code(error) not in _NO_ACLS:
                    raise
                continue
            if answer.status_code in (200, 206):
                return headers
        raise StoreError(
            "S3_PUBLIC_READ is true, but the bucket {bucket!r} takes no public ACLs and no policy of its makes "
            'objects public. Set S3_PUBLIC_READ=false (videos then play by signed URLs), or switch its "Block '
            'public access" off and allow everyone s3:GetObject on {bucket}/{prefix}* in its bucket policy.',
            bucket=self.bucket,
            prefix=PREFIX,
        )

    def _try_out(self, headers: Mapping[str, str]) -> AWSResponse:
        """Write a small object, find it, fetch a piece by its URL and delete it; return what a browser would get."""
        key = f"check-{uuid.uuid4().hex}.txt"
        name = self._name(key)
        self._client.put_object(Bucket=self.bucket, Key=name, Body=_PROBE, **_headers(key), **headers)
        try:
            if not self.exists(key):
                raise StoreError(
                    "What is written to the bucket {bucket!r} is not found in it. Check it.", bucket=self.bucket
                )
            request = AWSRequest("GET", self._sign(name), headers={"Range": "bytes=2-6"})
            with contextlib.closing(URLLib3Session(timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S))) as plain:
                return plain.send(request.prepare())
        finally:
            self._client.delete_object(Bucket=self.bucket, Key=name)

    def _name(self, key: str) -> str:
        return PREFIX + check_key(key)

    # Errors

    @property
    def _where(self) -> Sentence:
        if self._endpoint_url:
            return Sentence("at {host} (AWS_ENDPOINT_URL)", host=urlsplit(self._endpoint_url).hostname)
        return Sentence("at Amazon in {region} (AWS_REGION)", region=self._region)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what boto3 says into a sentence, without the service's own text: it may quote the request."""
        try:
            yield
        except ClientError as error:
            raise self._refusal(error) from error
        except (BotoCoreError, ResponseParserError) as error:
            raise self._failure(error) from error

    def _refusal(self, error: ClientError) -> AppError:
        """Return the sentence for an answer that says no."""
        code = _code(error)
        if code in _REFUSALS:
            return StoreError(
                _REFUSALS[code],
                bucket=self.bucket,
                where=self._where,
                operation=error.operation_name,
                needed=_NEEDED,
            )
        answered = error.response.get("ResponseMetadata", {})
        status = answered.get("HTTPStatusCode", 0)
        if "html" in answered.get("HTTPHeaders", {}).get("content-type", "") and status not in _GATEWAYS:
            return self._not_s3()
        if code in _PASSING or status == 429 or status >= 500:
            return Unavailable(
                "S3 cannot take requests {where} now ({code}). It usually can soon.", where=self._where, code=code
            )
        return StoreError(
            "The bucket {bucket!r} {where} refused {action} ({code}). Check AWS_BUCKET_NAME, AWS_REGION and "
            "AWS_ENDPOINT_URL.",
            bucket=self.bucket,
            where=self._where,
            action=error.operation_name,
            code=code,
        )

    def _failure(self, error: Exception) -> AppError:
        """Return the sentence for a request that had no answer, or could not be made."""
        if isinstance(error, NoCredentialsError):
            return SettingsError(
                "AWS_BUCKET_NAME is set, but there are no AWS credentials. Set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or unset AWS_BUCKET_NAME to keep videos in DATA_DIR."
            )
        if isinstance(error, ParamValidationError):
            return SettingsError(_REFUSALS["InvalidBucketName"], bucket=self.bucket)
        if isinstance(error, InvalidRegionError):
            return SettingsError("AWS_REGION is not the name of a region. Set it to one like eu-west-1.")
        if isinstance(error, CredentialRetrievalError):
            return Unavailable("The AWS credentials cannot be renewed now. Log in again, or set AWS_ACCESS_KEY_ID.")
        if isinstance(error, NoConnectionError | HTTPClientError):
            return Unavailable(
                "S3 does not answer {where}. Check the network, and whether the address is right.", where=self._where
            )
        if isinstance(error, ResponseParserError):
            return self._not_s3()
        return StoreError(
            "S3 cannot be used ({kind}). Check AWS_BUCKET_NAME, AWS_REGION, AWS_ENDPOINT_URL and the AWS credentials.",
            kind=type(error).__name__,
        )

    def _not_s3(self) -> AppError:
        return StoreError("What answers {where} is not S3. Set AWS_ENDPOINT_URL to an S3 service.", where=self._where)

    def _refuse_other_region(self, response: tuple[object, dict] | None = None, **_: object) -> None:
        """Stop a request that went to the wrong region. Raises StoreError.

        botocore would follow to the right one, and uploads would seem fine, but the URLs we sign for browsers would
        still be for the wrong one, and no video would play.
        """
        parsed = response[1] if response else {}
        error, answered = parsed.get("Error", {}), parsed.get("ResponseMetadata", {})
        theirs = answered.get("HTTPHeaders", {}).get("x-amz-bucket-region") or error.get("Region")
        if error and (error.get("Code") in _WRONG_REGION or (theirs and theirs != self._region)):
            known = f"in {theirs}. Set AWS_REGION={theirs}" if theirs else "elsewhere. Set AWS_REGION to its region"
            raise StoreError(
                "AWS_REGION is {region}, but the bucket {bucket!r} is {known}.",
                region=self._region,
                bucket=self.bucket,
                known=known,
            )


class _Watch(BaseSubscriber):
    """What the worker threads of one upload report, for the thread that waits for them."""

    def __init__(self) -> None:
        self.sent_bytes = 0
        self.over = threading.Event()
        self._lock = threading.Lock()

    def on_progress(self, bytes_transferred: int, **_: object) -> None:
        with self._lock:  # a part that is sent again is not reported twice
            self.sent_bytes += bytes_transferred

    def on_done(self, **_: object) -> None:
        """Called last, after an upload that failed was aborted."""
        self.over.set()


_PROBE = b"written to see whether it can be read"
_TRANSFER = TransferConfig(
    multipart_threshold=PART_BYTES,
    multipart_chunksize=PART_BYTES,
    max_concurrency=PART_THREADS,
    preferred_transfer_client="classic",  # the other one, where it is installed, has no such progress and cancel
)


def _client(session: boto3.Session, region: str, bucket: str, endpoint_url: str | None) -> BaseClient:
    """Return an S3 client with bounded patience. Raises BotoCoreError, or SettingsError for an endpoint."""
    config = Config(
        signature_version="s3v4",
        # "virtual" said aloud, because only then are signed URLs for the region's own host: the global one answers
        # for other regions with a redirect that breaks the signature. A dot in the name does not fit the certificate.
        s3={"addressing_style": "path" if endpoint_url or "." in bucket else "virtual"},
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        max_pool_connections=4 * PART_THREADS,
        # The newer defaults send trailers that many services other than Amazon's do not know.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    try:
        return session.client("s3", region_name=region, endpoint_url=endpoint_url, config=config)
    except InvalidRegionError:
        raise  # a ValueError as well
    except ValueError as error:
        raise SettingsError("AWS_ENDPOINT_URL is not an address. Set it to one like https://s3.example.com.") from error


def _headers(key: str) -> dict[str, str]:
    """Return what a browser is told with the bytes. A key is made from the content, so what it names never changes."""
    content_type = CONTENT_TYPES.get(Path(key).suffix, "application/octet-stream")
    return {"ContentType": content_type, "CacheControl": "max-age=31536000, immutable"}


def _code(error: ClientError) -> str:
    code = str(error.response.get("Error", {}).get("Code", "unknown"))
    return _ALIASES.get(code, code)


def _unreadable(source: Path, error: OSError) -> StoreError:
    return StoreError(
        "{name} cannot be read any more: {why}. Add the file again.", name=source.name, why=error.strerror
    )
