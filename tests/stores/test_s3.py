"""The S3 store against moto's server, with the real boto3, over real HTTP: what the contract does not cover."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit

import pytest

from core.errors import AppError, Cancelled, SettingsError, StoreError, Unavailable
from core.models import Stage, ignore_progress
from core.services import build
from core.settings import Settings
from core.stores import s3
from core.stores.s3 import PART_BYTES, S3Store
from tests.servers.s3 import ACCESS_KEY, CLEAN_ENVIRONMENT, SECRET_KEY, S3Server
from tests.support import Library, finish, until

KEY = "0b1c2d3e-0000-5000-8000-123456789abc.mp4"
NAME = f"media/{KEY}"
Open = Callable[..., S3Store]


@pytest.fixture(scope="module")
def running() -> Iterator[S3Server]:
    with S3Server() as server:
        yield server


@pytest.fixture
def server(running: S3Server) -> Iterator[S3Server]:
    running.seen.clear()
    yield running
    running.heal()


@pytest.fixture
def bucket(server: S3Server) -> str:
    return server.make_bucket()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in CLEAN_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def open_store(server: S3Server, bucket: str) -> Open:
    def open_store(**changes: object) -> S3Store:
        fields = {"endpoint_url": server.url, "access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
        return S3Store(str(changes.pop("bucket", bucket)), **(fields | changes))

    return open_store


@pytest.fixture
def role(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], Path]:
    """A role's credentials that end so many seconds after they are asked for, from a program, as AWS's own tools take
    them; returns the file that says how often it was asked."""
    asked, lasts = tmp_path / "asked", tmp_path / "lasts"
    asked.touch()
    program = tmp_path / "role.py"
    program.write_text(
        "import json, datetime, pathlib\n"
        f"asked, lasts = pathlib.Path({str(asked)!r}), pathlib.Path({str(lasts)!r})\n"
        "asked.write_text(asked.read_text() + 'x')\n"
        "ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=float(lasts.read_text()))\n"
        f"print(json.dumps(dict(Version=1, AccessKeyId={ACCESS_KEY!r}, SecretAccessKey={SECRET_KEY!r},\n"
        "    SessionToken='token', Expiration=ends.isoformat())))\n"
    )
    config = tmp_path / "config"
    config.write_text(f"[default]\ncredential_process = {sys.executable} {program}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))

    def last(seconds: float) -> Path:
        lasts.write_text(str(seconds))
        return asked

    return last


@pytest.fixture
def store(open_store: Open) -> S3Store:
    return open_store()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, open_store: Open) -> S3Store:
    """A store that tries each request once."""
    monkeypatch.setattr(s3, "ATTEMPTS", 1)
    return open_store()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.mp4"
    path.write_bytes(os.urandom(50_000))
    return path


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file of four parts."""
    path = tmp_path / "large.mp4"
    path.write_bytes(os.urandom(3 * PART_BYTES + 1000))
    return path


def fetch(url: str, **headers: str) -> SimpleNamespace:
    """Get a URL as a browser would: no SDK, no credentials."""
    request = urllib.request.Request(url, headers={name.title(): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return SimpleNamespace(status=answer.status, headers=answer.headers, body=answer.read())
    except HTTPError as error:
        with error:
            return SimpleNamespace(status=error.code, headers=error.headers, body=error.read())


def objects(server: S3Server, bucket: str) -> list[str]:
    return [item["Key"] for item in server.client.list_objects_v2(Bucket=bucket).get("Contents", ())]


def unfinished(server: S3Server, bucket: str) -> list[str]:
    return [item["Key"] for item in server.client.list_multipart_uploads(Bucket=bucket).get("Uploads", ())]


def leave_half_an_upload(server: S3Server, bucket: str, name: str = NAME) -> None:
    """Do what a process does that is killed while it uploads."""
    client = server.client
    begun = client.create_multipart_upload(Bucket=bucket, Key=name)
    client.upload_part(Bucket=bucket, Key=name, UploadId=begun["UploadId"], PartNumber=1, Body=b"half")


class TestUpload:
    def test_the_object_has_the_key_the_type_and_may_be_cached(
        self, store: S3Store, server: S3Server, bucket: str, small: Path
    ) -> None:
        for ending, content_type in {"mp4": "video/mp4", "webm": "video/webm", "jpg": "image/jpeg"}.items():
            store.put(small, f"wolf.{ending}", ignore_progress)
            head = server.client.head_object(Bucket=bucket, Key=f"media/wolf.{ending}")
            assert head["ContentType"] == content_type
            assert head["CacheControl"] == "max-age=31536000, immutable"

    def test_a_small_file_is_one_request_and_a_large_one_goes_in_parts(
        self, store: S3Store, server: S3Server, bucket: str, small: Path, large: Path
    ) -> None:
        store.put(small, "small.mp4", ignore_progress)
        assert [seen.operation for seen in server.seen if seen.operation != "Bucket"] == ["PutObject"]
        store.put(large, KEY, ignore_progress)
        assert server.count("UploadPart") == 4
        assert fetch(store.url(KEY)).body == large.read_bytes()
        head = server.client.head_object(Bucket=bucket, Key=NAME)
        assert (head["ContentType"], head["CacheControl"]) == ("video/mp4", "max-age=31536000, immutable")

    def test_progress_comes_in_the_callers_thread_while_the_parts_travel(
        self, store: S3Store, server: S3Server, large: Path
    ) -> None:
        threads, told = set(), []
        server.fail("hang", operation="UploadPart", times=1)

        def on_progress(fraction: float) -> None:
            threads.add(threading.current_thread())
            told.append(fraction)
            if len(told) == 8:
                server.release()

        store.put(large, KEY, on_progress)
        assert threads == {threading.current_thread()}
        assert told == sorted(told)
        assert told[-1] == 1.0
        assert len(told) >= 8, "also while nothing moves"

    def test_a_part_that_fails_is_sent_again(self, store: S3Store, server: S3Server, bucket: str, large: Path) -> None:
        server.fail(operation="UploadPart", times=1, skip=1)
        server.fail("drop", operation="UploadPart", times=1, skip=1)
        told: list[float] = []
        store.put(large, KEY, told.append)
        assert server.count("UploadPart") == 6
        assert told == sorted(told)
        assert fetch(store.url(KEY)).body == large.read_bytes()
        assert unfinished(server, bucket) == []

    def test_progress_does_not_go_back_with_a_part_that_is_sent_again(
        self, store: S3Store, server: S3Server, tmp_path: Path
    ) -> None:
        source = tmp_path / "two parts.mp4"
        source.write_bytes(bytes(2 * PART_BYTES))
        server.fail(operation="UploadPart", skip=1, times=1)
        server.fail("hang", operation="UploadPart", skip=1, times=1)  # the one that is sent again
        told: list[float] = []

        def on_progress(fraction: float) -> None:
            told.append(fraction)
            if server.count("UploadPart") == 3 and told[-3:] == [told[-1]] * 3:
                server.release()

        store.put(source, KEY, on_progress)
        assert server.count("UploadPart") == 4
        assert told == sorted(told)

    def test_one_that_fails_for_good_leaves_nothing_and_may_be_tried_again(
        self, impatient: S3Store, server: S3Server, bucket: str, large: Path
    ) -> None:
        server.fail(operation="UploadPart", skip=2)
        with pytest.raises(Unavailable, match="AWS_ENDPOINT_URL"):
            impatient.put(large, KEY, ignore_progress)
        assert objects(server, bucket) == unfinished(server, bucket) == []
        server.heal()
        impatient.put(large, KEY, ignore_progress)
        assert fetch(impatient.url(KEY)).body == large.read_bytes()

    def test_what_was_there_stays_when_replacing_fails(
        self, impatient: S3Store, server: S3Server, bucket: str, small: Path, large: Path
    ) -> None:
        impatient.put(small, KEY, ignore_progress)
        server.fail(operation="CompleteMultipartUpload")
        with pytest.raises(Unavailable):
            impatient.put(large, KEY, ignore_progress)
        assert fetch(impatient.url(KEY)).body == small.read_bytes()
        assert unfinished(server, bucket) == []

    def test_when_the_last_answer_is_lost_the_upload_counts(
        self, store: S3Store, server: S3Server, bucket: str, large: Path
    ) -> None:
        server.fail("lose", operation="CompleteMultipartUpload", times=1)
        store.put(large, KEY, ignore_progress)
        assert fetch(store.url(KEY)).body == large.read_bytes()
        assert unfinished(server, bucket) == []

    def test_where_a_second_completion_is_refused_looking_finds_the_object(
        self, store: S3Store, server: S3Server, bucket: str, large: Path
    ) -> None:
        server.fail("lose", operation="CompleteMultipartUpload", times=1)
        server.fail(operation="CompleteMultipartUpload", status=404, code="NoSuchUpload")
        with pytest.raises(Unavailable):  # so the job tries again, and looks first
            store.put(large, KEY, ignore_progress)
        assert store.exists(KEY)
        assert unfinished(server, bucket) == []

    def test_a_source_that_goes_while_it_is_read_is_said(
        self, store: S3Store, server: S3Server, bucket: str, large: Path
    ) -> None:
        with pytest.raises(StoreError, match=r"large\.mp4 cannot be read any more"):
            store.put(large, KEY, lambda fraction: large.unlink(missing_ok=True))
        assert objects(server, bucket) == unfinished(server, bucket) == []


class TestFetch:
    def test_one_that_is_cut_short_can_be_tried_again(
        self, store: S3Store, server: S3Server, bucket: str, small: Path, tmp_path: Path
    ) -> None:
        store.put(small, KEY, ignore_progress)
        server.fail("cut", operation="GetObject", times=1)
        told: list[float] = []
        name, target = f"//{bucket}/{NAME}", tmp_path / "fetched.mp4"
        with pytest.raises(Unavailable, match="S3 broke off while s3://bucket-"):
            store.fetch(name, target, told.append)
        assert told == [0.5]
        store.fetch(name, target, ignore_progress)
        assert target.read_bytes() == small.read_bytes()


class TestCancel:
    @pytest.mark.parametrize("at_call", [1, 3])
    @pytest.mark.parametrize("size", ["small", "large"])
    def test_a_cancelled_upload_leaves_nothing(
        self, store: S3Store, server: S3Server, bucket: str, request: pytest.FixtureRequest, size: str, at_call: int
    ) -> None:
        calls = []

        def on_progress(fraction: float) -> None:
            calls.append(fraction)
            if len(calls) == at_call:
                server.release()
                raise Cancelled

        server.fail("hang", operation="UploadPart" if size == "large" else "PutObject")
        with pytest.raises(Cancelled):
            store.put(request.getfixturevalue(size), KEY, on_progress)
        assert len(calls) == at_call, "not called again"
        assert objects(server, bucket) == unfinished(server, bucket) == []
        assert not [thread for thread in threading.enumerate() if "ThreadPoolExecutor" in thread.name]

    def test_any_error_of_the_callback_comes_through_as_it_is(
        self, store: S3Store, server: S3Server, bucket: str, large: Path
    ) -> None:
        error = ValueError("a mistake of ours")

        def on_progress(fraction: float) -> None:
            raise error

        with pytest.raises(ValueError, match="a mistake of ours") as caught:
            store.put(large, KEY, on_progress)
        assert caught.value is error
        assert objects(server, bucket) == unfinished(server, bucket) == []

    def test_a_cancel_is_not_taken_for_a_broken_connection(self, store: S3Store, server: S3Server, large: Path) -> None:
        server.fail("hang", operation="UploadPart")

        def on_progress(fraction: float) -> None:
            if server.count("UploadPart") == 4:
                server.release()
                raise Cancelled

        with pytest.raises(Cancelled):
            store.put(large, KEY, on_progress)
        assert server.count("UploadPart") == 4, "sent again"
        assert server.count("AbortMultipartUpload") == 1


class TestLeftOver:
    def test_the_next_upload_of_the_key_removes_what_a_killed_one_left(
        self, store: S3Store, server: S3Server, bucket: str, large: Path
    ) -> None:
        leave_half_an_upload(server, bucket)
        leave_half_an_upload(server, bucket)
        leave_half_an_upload(server, bucket, NAME + "x")
        store.put(large, KEY, ignore_progress)
        assert unfinished(server, bucket) == [NAME + "x"], "another key's is not touched"
        assert fetch(store.url(KEY)).body == large.read_bytes()

    def test_so_it_is_after_a_real_kill(self, store: S3Store, server: S3Server, bucket: str, large: Path) -> None:
        server.fail("hang", operation="UploadPart", skip=2)
        program = (
            "import sys; from pathlib import Path; from core.stores.s3 import S3Store; from core.models import *; "
            "bucket, url, key, secret, source, name = sys.argv[1:]; "
            "store = S3Store(bucket, endpoint_url=url, access_key=key, secret_key=secret); "
            "store.put(Path(source), name, ignore_progress)"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program, bucket, server.url, ACCESS_KEY, SECRET_KEY, str(large), KEY]
        ) as process:
            until(lambda: server.count("UploadPart") > 2)
            process.kill()
        server.heal()
        assert unfinished(server, bucket) == [NAME]
        assert not store.exists(KEY), "half an upload is no object"
        store.put(large, KEY, ignore_progress)
        assert unfinished(server, bucket) == []
        assert fetch(store.url(KEY)).body == large.read_bytes()

    def test_deleting_the_key_removes_it_too(self, store: S3Store, server: S3Server, bucket: str) -> None:
        leave_half_an_upload(server, bucket)
        store.delete(KEY)
        assert unfinished(server, bucket) == []

    def test_one_that_is_gone_meanwhile_does_not_keep_the_others(
        self, store: S3Store, server: S3Server, bucket: str
    ) -> None:
        leave_half_an_upload(server, bucket)
        leave_half_an_upload(server, bucket)
        server.fail("lose", operation="AbortMultipartUpload", times=1)  # done, but sent again
        store.delete(KEY)
        assert server.count("AbortMultipartUpload") == 3
        assert unfinished(server, bucket) == []

    def test_uploads_of_the_same_key_at_once_do_not_abort_each_other(
        self, store: S3Store, server: S3Server, bucket: str, large: Path
    ) -> None:
        server.fail("hang", operation="UploadPart", times=1)
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(store.put, large, KEY, ignore_progress)
            until(lambda: server.count("UploadPart") == 4)
            store.put(large, KEY, ignore_progress)
            store.delete(KEY)
            assert unfinished(server, bucket) == [NAME]
            server.release()
            first.result(timeout=120)
        assert server.count("AbortMultipartUpload") == 0
        assert unfinished(server, bucket) == []
        assert fetch(store.url(KEY)).body == large.read_bytes()

    def test_where_it_may_not_look_for_it_the_log_says_so_and_the_work_goes_on(
        self, store: S3Store, server: S3Server, large: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        server.fail(operation="ListMultipartUploads", status=403, code="AccessDenied")
        store.put(large, KEY, ignore_progress)
        assert store.exists(KEY)
        assert "s3:ListBucketMultipartUploads" in caplog.text
        store.delete(KEY)
        assert not store.exists(KEY)


class TestUrl:
    def test_a_browser_gets_any_part_of_the_video_from_s3_itself(self, store: S3Store, small: Path) -> None:
        store.put(small, KEY, ignore_progress)
        answer = fetch(store.url(KEY), range="bytes=100-199")
        assert answer.status == 206
        assert answer.body == small.read_bytes()[100:200]
        assert answer.headers["content-type"] == "video/mp4"
        assert answer.headers["content-range"] == "bytes 100-199/50000"
        assert fetch(store.url(KEY), range="bytes=49990-").body == small.read_bytes()[49990:]
        assert fetch(store.url(KEY), range="bytes=50000-").status == 416

    def test_the_type_is_right_also_where_a_copying_tool_lost_it(
        self, store: S3Store, server: S3Server, bucket: str
    ) -> None:
        server.client.put_object(Bucket=bucket, Key=NAME, Body=b"copied by another tool")
        assert fetch(store.url(KEY)).headers["content-type"] == "video/mp4"

    def test_without_the_signature_the_bucket_gives_nothing(self, store: S3Store, small: Path) -> None:
        store.put(small, KEY, ignore_progress)
        assert fetch(store.url(KEY).partition("?")[0]).status == 403

    def test_it_is_made_offline_and_holds_for_twelve_hours(self, store: S3Store, server: S3Server) -> None:
        query = parse_qs(urlsplit(store.url(KEY)).query)
        assert query["X-Amz-Expires"] == ["43200"]
        assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
        assert SECRET_KEY not in store.url(KEY)
        assert not [seen for seen in server.seen if seen.operation != "Bucket"]

    def test_it_stays_the_same_for_half_its_life(self, open_store: Open, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = SimpleNamespace(now=1_000_000.0)
        store = open_store(clock=lambda: clock.now)
        signed = iter(range(100))
        monkeypatch.setattr(store, "_sign", lambda name, life_s: f"https://s3/{name}?{next(signed)}")
        first = store.url(KEY)
        clock.now += 6 * 3600 - 1
        assert store.url(KEY) == first
        clock.now += 1
        second = store.url(KEY)
        assert second != first
        clock.now -= 60  # the machine's clock was set back
        assert store.url(KEY) != second
        assert store.url("owl.mp4") != store.url(KEY)

    def test_it_is_signed_anew_when_the_credentials_are_others(self, store: S3Store) -> None:
        first = store.url(KEY)
        store._credentials.access_key = "ASIAROLE2"  # as botocore does when a role's credentials run out
        assert "ASIAROLE2%2F" in store.url(KEY)
        assert store.url(KEY) != first

    @pytest.mark.parametrize("minutes", [20, 60, 36 * 60])
    def test_one_signed_by_a_role_says_no_more_than_the_role_has_left(
        self, open_store: Open, role: Callable[[float], Path], minutes: int
    ) -> None:
        role(60.0 * minutes)
        store = open_store(access_key=None, secret_key=None)
        query = parse_qs(urlsplit(store.url(KEY)).query)
        (expires,) = (int(seconds) for seconds in query["X-Amz-Expires"])
        assert expires <= min(60 * minutes, s3.URL_LIFE_S)
        assert expires > min(60 * minutes, s3.URL_LIFE_S) - 30
        assert "X-Amz-Security-Token" in query

    def test_one_signed_by_a_role_is_replaced_before_the_role_ends(
        self, open_store: Open, role: Callable[[float], Path], small: Path
    ) -> None:
        asked = role(30 * 60.0)
        clock = SimpleNamespace(now=time.time())
        store = open_store(access_key=None, secret_key=None, clock=lambda: clock.now)
        store.put(small, KEY, ignore_progress)
        first = store.url(KEY)
        assert fetch(first).status == 200
        made_at = store._urls[NAME].made_at
        clock.now += 10 * 60
        store.url(KEY)
        assert store._urls[NAME].made_at == made_at, "a new address reloads the player"
        clock.now += 6 * 60
        store.url(KEY)
        assert store._urls[NAME].made_at > made_at, "it is given out until the role has ended"
        role(600.0)  # within 15 minutes of its end botocore asks for new ones
        store._credentials._expiry_time = datetime.now(UTC) + timedelta(minutes=5)
        before = asked.read_text().count("x")
        renewed = store.url(KEY)
        assert asked.read_text().count("x") == before + 1
        assert int(parse_qs(urlsplit(renewed).query)["X-Amz-Expires"][0]) > 9 * 60

    def test_only_so_many_are_kept(self, store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(s3, "MAX_URLS", 3)
        for number in range(3):
            store.url(f"{number}.mp4")
        store.url("0.mp4")
        store.url("3.mp4")
        assert list(store._urls) == ["media/2.mp4", "media/0.mp4", "media/3.mp4"]

    def test_many_threads_are_given_the_same_one(self, store: S3Store) -> None:
        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(lambda _: store.url(KEY), range(200)))) == 1

    @pytest.mark.parametrize(
        ("bucket", "changes", "begins"),
        [
            ("films", {"region": "eu-west-1"}, f"https://films.s3.eu-west-1.amazonaws.com/{NAME}?"),
            ("films", {}, f"https://films.s3.amazonaws.com/{NAME}?"),
            ("my.films", {"region": "eu-west-1"}, f"https://s3.eu-west-1.amazonaws.com/my.films/{NAME}?"),
            ("films", {"endpoint_url": "https://minio.example:9000"}, f"https://minio.example:9000/films/{NAME}?"),
            ("films", {"region": "eu-west-1", "public_read": True}, f"https://films.s3.eu-west-1.amazonaws.com/{NAME}"),
            ("films", {"endpoint_url": "http://10.0.0.2", "public_read": True}, f"http://10.0.0.2/films/{NAME}"),
        ],
    )
    def test_it_leads_to_the_host_that_answers_without_a_redirect(
        self, bucket: str, changes: dict[str, object], begins: str
    ) -> None:
        url = S3Store(bucket, access_key=ACCESS_KEY, secret_key=SECRET_KEY, **changes).url(KEY)
        assert url.startswith(begins)
        assert not changes.get("public_read") or url == begins


class TestPublic:
    def test_objects_are_public_and_the_url_never_runs_out(
        self, open_store: Open, server: S3Server, bucket: str, large: Path
    ) -> None:
        store = open_store(public_read=True)
        store.put(large, KEY, ignore_progress)
        assert store.url(KEY) == f"{server.url}/{bucket}/{NAME}"
        assert fetch(store.url(KEY), range="bytes=0-9").body == large.read_bytes()[:10]
        assert objects(server, bucket) == [NAME], "the object that was tried is gone"

    def test_it_is_tried_once(self, open_store: Open, server: S3Server, small: Path) -> None:
        store = open_store(public_read=True)
        store.put(small, "a.mp4", ignore_progress)
        store.put(small, "b.mp4", ignore_progress)
        assert server.count("PutObject") == 3

    @pytest.mark.parametrize(("status", "code"), [(400, "AccessControlListNotSupported"), (403, "AccessDenied")])
    def test_a_bucket_that_blocks_acls_may_be_public_by_policy(
        self, open_store: Open, server: S3Server, bucket: str, small: Path, status: int, code: str
    ) -> None:
        allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        server.client.put_bucket_policy(Bucket=bucket, Policy=policy)
        server.fail(operation="PutObject", with_header="x-amz-acl", status=status, code=code)
        store = open_store(public_read=True)
        store.put(small, KEY, ignore_progress)
        assert fetch(store.url(KEY)).body == small.read_bytes()
        store.check()

    @pytest.mark.parametrize(("status", "code"), [(400, "AccessControlListNotSupported"), (403, "AccessDenied")])
    def test_a_bucket_that_cannot_be_public_is_explained_before_anything_is_uploaded(
        self, open_store: Open, server: S3Server, bucket: str, large: Path, status: int, code: str
    ) -> None:
        server.fail(operation="PutObject", with_header="x-amz-acl", status=status, code=code)
        store = open_store(public_read=True)
        for call in (lambda: store.put(large, KEY, ignore_progress), store.check):
            with pytest.raises(StoreError, match=r"S3_PUBLIC_READ=false .* bucket policy"):
                call()
        assert server.count("CreateMultipartUpload") == 0
        assert objects(server, bucket) == []

    def test_a_service_that_takes_the_acl_and_ignores_it_is_found_out(
        self, open_store: Open, server: S3Server, bucket: str
    ) -> None:
        server.fail(operation="GetObject", status=403, code="AccessDenied")
        with pytest.raises(StoreError, match="S3_PUBLIC_READ=false"):
            open_store(public_read=True).check()
        assert objects(server, bucket) == []


class TestCheck:
    @pytest.mark.parametrize("public_read", [False, True])
    def test_it_writes_looks_reads_a_part_and_deletes(
        self, open_store: Open, server: S3Server, bucket: str, public_read: bool
    ) -> None:
        open_store(public_read=public_read).check()
        for operation in ("PutObject", "ListObjectsV2", "GetObject", "DeleteObject"):
            assert server.count(operation) >= 1
        assert all(seen.headers["range"] for seen in server.seen if seen.operation == "GetObject")
        assert objects(server, bucket) == []

    def test_a_server_without_range_requests_is_refused(self, store: S3Store, server: S3Server, bucket: str) -> None:
        server.fail("html", operation="GetObject")
        with pytest.raises(StoreError, match="Range"):
            store.check()
        assert objects(server, bucket) == []

    def test_what_may_be_written_but_not_read_is_said(self, store: S3Store, server: S3Server, bucket: str) -> None:
        server.fail(operation="GetObject", status=403, code="AccessDenied")
        with pytest.raises(StoreError, match=r"403.*s3:GetObject"):
            store.check()
        assert objects(server, bucket) == []


REFUSALS = [
    (404, "NoSuchBucket", StoreError, "AWS_BUCKET_NAME"),
    (403, "InvalidAccessKeyId", StoreError, "AWS_ACCESS_KEY_ID"),
    (403, "SignatureDoesNotMatch", StoreError, "AWS_SECRET_ACCESS_KEY"),
    (403, "AccessDenied", StoreError, "s3:PutObject"),
    (400, "ExpiredToken", StoreError, "AWS_ACCESS_KEY_ID"),
    (403, "RequestTimeTooSkewed", StoreError, "clock"),
    (507, "XMinioStorageFull", StoreError, "full"),
    (418, "SomethingNew", StoreError, "SomethingNew"),
    (301, "PermanentRedirect", StoreError, "AWS_REGION"),
    (503, "SlowDown", Unavailable, "AWS_ENDPOINT_URL"),
    (500, "InternalError", Unavailable, "AWS_ENDPOINT_URL"),
    (429, "TooManyRequests", Unavailable, "AWS_ENDPOINT_URL"),
]


class TestSentences:
    @pytest.mark.parametrize(("status", "code", "error", "names"), REFUSALS)
    def test_what_the_service_refuses_is_said_once_and_no_secret(
        self,
        impatient: S3Store,
        server: S3Server,
        small: Path,
        large: Path,
        caplog: pytest.LogCaptureFixture,
        status: int,
        code: str,
        error: type[AppError],
        names: str,
    ) -> None:
        caplog.set_level(logging.INFO)
        server.fail(status=status, code=code)
        calls: list[Callable[[], object]] = [
            lambda: impatient.put(small, KEY, ignore_progress),
            lambda: impatient.put(large, KEY, ignore_progress),
            lambda: impatient.exists(KEY),
            lambda: impatient.delete(KEY),
            impatient.check,
        ]
        for call in calls:
            with pytest.raises(AppError, match=re.escape(names)) as caught:
                call()
            assert type(caught.value) is error
            assert str(caught.value).endswith(".")
            assert SECRET_KEY not in str(caught.value) + caplog.text

    def test_a_missing_bucket_is_named_at_the_first_question(self, open_store: Open) -> None:
        with pytest.raises(StoreError, match="no bucket 'no-such-films'"):
            open_store(bucket="no-such-films").exists(KEY)

    @pytest.mark.parametrize(
        "fault",
        [
            {"status": 301, "code": "PermanentRedirect", "headers": {"x-amz-bucket-region": "eu-west-1"}},
            {"status": 307, "code": "TemporaryRedirect", "headers": {"x-amz-bucket-region": "eu-west-1"}},
            {"status": 400, "code": "AuthorizationHeaderMalformed", "body": "<Region>eu-west-1</Region>"},
        ],
    )
    def test_the_right_region_is_said_and_not_followed_to(
        self, store: S3Store, server: S3Server, small: Path, large: Path, fault: dict[str, object]
    ) -> None:
        server.fail(**fault)
        calls: list[Callable[[], object]] = [
            lambda: store.put(small, KEY, ignore_progress),
            lambda: store.put(large, KEY, ignore_progress),
            lambda: store.exists(KEY),
        ]
        for call in calls:
            with pytest.raises(StoreError, match=r"AWS_REGION is us-east-1, .* Set AWS_REGION=eu-west-1"):
                call()

    @pytest.mark.parametrize(("kind", "patience_s"), [("hang", 0.3), ("drop", 30)])
    @pytest.mark.usefixtures("impatient")
    def test_a_network_that_is_gone_can_be_waited_for(
        self,
        open_store: Open,
        server: S3Server,
        small: Path,
        monkeypatch: pytest.MonkeyPatch,
        kind: str,
        patience_s: float,
    ) -> None:
        monkeypatch.setattr(s3, "READ_TIMEOUT_S", patience_s)
        store = open_store()
        server.fail(kind)
        for call in (lambda: store.put(small, KEY, ignore_progress), lambda: store.exists(KEY)):
            with pytest.raises(Unavailable, match=r"127\.0\.0\.1 \(AWS_ENDPOINT_URL\)"):
                call()

    def test_a_refused_connection_too_and_then_it_goes_on(
        self, impatient: S3Store, server: S3Server, small: Path, bucket: str
    ) -> None:
        server.stop()
        try:
            for call in (lambda: impatient.put(small, KEY, ignore_progress), impatient.check):
                with pytest.raises(Unavailable):
                    call()
            assert impatient.url(KEY)
        finally:
            server.start()
        impatient.put(small, KEY, ignore_progress)
        assert objects(server, bucket) == [NAME]

    def test_an_address_that_is_not_s3_is_said(self, impatient: S3Store, server: S3Server, large: Path) -> None:
        server.fail("html")
        calls = (lambda: impatient.exists(KEY), lambda: impatient.put(large, KEY, ignore_progress), impatient.check)
        for call in calls:
            with pytest.raises(StoreError, match=r"not S3\. Set AWS_ENDPOINT_URL"):
                call()

    @pytest.mark.parametrize(
        ("changes", "names"),
        [
            ({"access_key": None, "secret_key": None}, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
            ({"secret_key": None}, "AWS_SECRET_ACCESS_KEY is not set"),
            ({"access_key": None}, "AWS_ACCESS_KEY_ID is not set"),
            ({"bucket": "films of mine"}, "AWS_BUCKET_NAME is 'films of mine'"),
            ({"region": "eu west 1"}, "AWS_REGION"),
            ({"endpoint_url": "http://a b"}, "AWS_ENDPOINT_URL"),
        ],
    )
    def test_what_can_be_seen_without_asking_is_said_at_start(
        self, open_store: Open, changes: dict[str, object], names: str
    ) -> None:
        with pytest.raises(SettingsError, match=names) as caught:
            open_store(**changes)
        assert SECRET_KEY not in str(caught.value)

    def test_secrets_do_not_show(self, open_store: Open, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG, logger="core")
        store = open_store(endpoint_url="http://user:pass-word@127.0.0.1:9")
        assert SECRET_KEY not in repr(store) + str(vars(store)) + caplog.text
        assert "pass-word" not in repr(store)


class TestJobs:
    """The queue, the pipeline and this store together; the encoder and the index are fakes."""

    @pytest.fixture
    def library(self, tmp_path: Path, impatient: S3Store) -> Iterator[Library]:
        library = Library(tmp_path)
        library.store = impatient
        library.make_pipeline(max_bytes=10 * PART_BYTES)
        yield library
        library.close()

    def test_an_outage_of_s3_ends_with_every_job_ready_and_nothing_left_over(
        self, library: Library, server: S3Server, bucket: str
    ) -> None:
        queue = library.open(backoff_s=(0.05,))
        server.fail(operation="UploadPart", skip=3)
        jobs = [queue.submit(path, path.name) for path in (enlarged(library.video(f"{n}.mp4", n)) for n in range(3))]
        until(lambda: any(job.reason and "S3" in job.reason for job in queue.jobs()))
        server.stop()
        until(lambda: any(job.reason and "does not answer" in job.reason for job in queue.jobs()))
        server.heal()
        server.start()
        done = finish(queue, *jobs)
        assert [job.stage for job in done] == [Stage.READY] * 3
        keys = {entry.media_key for entry in library.index.scroll()} | {e.poster_key for e in library.index.scroll()}
        assert sorted(objects(server, bucket)) == sorted(f"media/{key}" for key in keys)
        assert unfinished(server, bucket) == []

    def test_a_cancelled_job_leaves_no_object_and_no_part(
        self, library: Library, server: S3Server, bucket: str
    ) -> None:
        queue = library.open()
        server.fail("hang", operation="UploadPart", skip=1)
        job = queue.submit(enlarged(library.video("wolf.mp4")), "wolf.mp4")
        until(lambda: server.count("UploadPart") > 1)
        queue.cancel(job.id)
        server.release()
        assert [job.stage for job in finish(queue, job)] == [Stage.CANCELLED]
        assert objects(server, bucket) == unfinished(server, bucket) == []


def enlarged(path: Path) -> Path:
    """Make a video large enough to go in parts, with a box that players skip."""
    filler = 2 * PART_BYTES
    with path.open("ab") as file:
        file.write((filler + 8).to_bytes(4, "big") + b"free" + bytes(filler))
    return path


def test_setting_a_bucket_is_all_that_choosing_s3_takes(tmp_path: Path, server: S3Server, bucket: str) -> None:
    settings = Settings(
        data_dir=tmp_path,
        aws_bucket=bucket,
        aws_endpoint_url=server.url,
        aws_access_key=ACCESS_KEY,
        aws_secret_key=SECRET_KEY,
    )
    services = build(settings)
    try:
        assert services.store.name == "s3"
        services.store.check()
    finally:
        services.close()


def test_the_server_can_be_started_by_hand_and_says_what_to_set(small: Path) -> None:
    command = [sys.executable, "-m", "tests.servers.s3", "--port", "0", "--bucket", "demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines = [process.stdout.readline() for _ in range(5)]
            told = dict(line.removeprefix("export ").strip().split("=", 1) for line in lines)
            store = S3Store(
                told["AWS_BUCKET_NAME"],
                region=told["AWS_REGION"],
                endpoint_url=told["AWS_ENDPOINT_URL"],
                access_key=told["AWS_ACCESS_KEY_ID"],
                secret_key=told["AWS_SECRET_ACCESS_KEY"],
            )
            store.put(small, KEY, ignore_progress)
            assert fetch(store.url(KEY), range="bytes=0-3").body == small.read_bytes()[:4]
            fault = json.dumps({"status": 403, "code": "AccessDenied"}).encode()
            request = urllib.request.Request(f"{told['AWS_ENDPOINT_URL']}/_fault", data=fault, method="PUT")
            urllib.request.urlopen(request, timeout=120).close()
            with pytest.raises(StoreError, match="s3:ListBucket"):
                store.exists(KEY)
        finally:
            process.terminate()
