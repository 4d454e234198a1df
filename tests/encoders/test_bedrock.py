"""The Bedrock encoder against servers that keep the documented rules: the real boto3, real HTTP, no account."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from core import doctor, services
from core.encoders import bedrock, registry
from core.encoders.bedrock import BedrockEncoder
from core.encoders.bedrock_aws import KEPT, PREFIX, Bucket
from core.errors import Cancelled, EncoderError, EncoderPaused, SettingsError, Unavailable
from core.ingest import inspecting
from core.ingest.jobs import JobQueue
from core.models import Stage, Video, VideoEmbedding, ignore_progress
from core.settings import Settings, load
from core.state.sqlite import SqliteShelf
from core.state.texts import CachedText
from core.stores.s3 import S3Store
from tests.servers.bedrock import ACCOUNT, MODEL, BedrockServer
from tests.servers.s3 import ACCESS_KEY, CLEAN_ENVIRONMENT, REGION, SECRET_KEY, S3Server
from tests.videos import make_video

MakeEncoder = Callable[..., BedrockEncoder]


@pytest.fixture(autouse=True)
def no_credentials_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in CLEAN_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def asks_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bedrock, "POLL_S", 0.05)


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with S3Server() as server:
        yield server


@pytest.fixture
def server(s3: S3Server) -> Iterator[BedrockServer]:
    s3.seen.clear()
    with BedrockServer(s3) as server:
        yield server
    s3.heal()


@pytest.fixture
def bucket(s3: S3Server) -> str:
    return s3.make_bucket()


@pytest.fixture
def make_encoder(server: BedrockServer, bucket: str, tmp_path: Path) -> MakeEncoder:
    def make(**options: object) -> BedrockEncoder:
        given = options_for(server, tmp_path) | options
        return BedrockEncoder(given.pop("bucket", bucket), **given)

    return make


def options_for(server: BedrockServer, folder: Path) -> dict[str, object]:
    return {
        "access_key": ACCESS_KEY,
        "secret_key": SECRET_KEY,
        "bucket_region": REGION,
        "bucket_owner": ACCOUNT,
        "endpoint_url": server.url,
        "bucket_endpoint_url": server.s3.url,
        "scratch_dir": folder / "fitted",
    }


@pytest.fixture
def encoder(make_encoder: MakeEncoder) -> BedrockEncoder:
    return make_encoder()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video within all limits."""
    folder = tmp_path_factory.mktemp("bedrock")
    return make_video(folder / "wolf.mp4", seconds=8, size=(640, 360), fps=4, audio="aac", tags={"title": "Grey wolf"})


@pytest.fixture
def video(path: Path, s3: S3Server, bucket: str) -> Video:
    """The video as it comes from the store: it lies in the bucket."""
    s3.client.upload_file(str(path), bucket, "media/wolf.mp4")
    return described(path, f"s3://{bucket}/media/wolf.mp4")


def described(path: Path, s3_uri: str | None = None) -> Video:
    return Video(path, path.name, "Wolf", inspecting.sha256(path), inspecting.inspect(path), s3_uri=s3_uri)


def encode(encoder: BedrockEncoder, video: Video, notes: MutableMapping[str, str] | None = None) -> VideoEmbedding:
    return encoder.encode_video(video, {} if notes is None else notes, ignore_progress)


def kept(s3: S3Server, bucket: str) -> list[str]:
    """Return what lies in the bucket of the encoder's own."""
    return [item["Key"] for item in s3.client.list_objects_v2(Bucket=bucket, Prefix=PREFIX).get("Contents", ())]


class Diary(dict):
    """Notes that say in which order they were written."""

    def __init__(self, *given: object) -> None:
        super().__init__(*given)
        self.written: list[str] = []

    def __setitem__(self, name: str, value: str) -> None:
        self.written.append(name)
        super().__setitem__(name, value)


class Killed(BaseException):
    """The process ends here."""


class KilledAt(Diary):
    """Notes of a process that is killed where one of them would be written."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def __setitem__(self, name: str, value: str) -> None:
        if name == self._name:
            raise Killed
        super().__setitem__(name, value)


class TestStart:
    def test_the_space_has_a_name_of_its_own(self, make_encoder: MakeEncoder) -> None:
        names = {make_encoder().info.name, make_encoder(model=f"us.{MODEL}").info.name}
        assert names == {"bedrock/marengo-embed-3-0-v1"}
        assert make_encoder(side_by_side=True).info.name == "bedrock/marengo-embed-3-0-v1-vat"

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"model": "twelvelabs.marengo-embed-2-7-v1:0"}, r"BEDROCK_MODEL is .*Set it to one of: twelvelabs\.mar"),
            ({"region": "eu-west-1"}, r"BEDROCK_REGION is eu-west-1 and AWS_REGION.*is, us-east-1\. .*own region"),
            ({"secret_key": None}, "AWS_SECRET_ACCESS_KEY is not set"),
            ({"access_key": None, "secret_key": None}, "ENCODER is bedrock, but there are no AWS credentials"),
            (
                {"endpoint_url": None, "bucket_endpoint_url": "http://minio.lan:9000"},
                r"AWS_ENDPOINT_URL is minio\.lan, and Bedrock reads videos from Amazon's own S3 only",
            ),
        ],
    )
    def test_what_cannot_be_is_refused(self, make_encoder: MakeEncoder, options: dict, said: str) -> None:
        with pytest.raises(SettingsError, match=said):
            make_encoder(**options)

    def test_the_store_s_endpoint_is_not_bedrock_s(
        self, make_encoder: MakeEncoder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "https://bucket.vpce-1.s3.us-east-1.vpce.amazonaws.com")
        client = make_encoder(endpoint_url=None, bucket_endpoint_url=None)._client
        assert client.meta.endpoint_url == "https://bedrock-runtime.us-east-1.amazonaws.com"

    def test_a_registered_one_needs_a_bucket_and_is_taken_by_name_only(self, tmp_path: Path) -> None:
        keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "DATA_DIR": str(tmp_path)}
        assert load({**keys, "AWS_BUCKET_NAME": "b"}, None).encoder == "local"
        assert load({**keys, "AWS_BUCKET_NAME": "b", "ENCODER": "bedrock"}, None).encoder == "bedrock"
        settings = load({**keys, "ENCODER": "bedrock"}, None)
        with pytest.raises(SettingsError, match="ENCODER is bedrock but AWS_BUCKET_NAME is not set"):
            registry.named("bedrock").build(settings, lambda *_: None)
        with pytest.raises(SettingsError, match="BEDROCK_BUCKET_OWNER is '123'"):
            load({"BEDROCK_BUCKET_OWNER": "123"}, None)

    def test_the_account_is_asked_for_where_it_is_not_set(
        self, make_encoder: MakeEncoder, server: BedrockServer, s3: S3Server, video: Video
    ) -> None:
        encode(make_encoder(bucket_owner=None, sts_endpoint_url=s3.url), video)
        (invocation,) = server.invocations.values()
        location = invocation.body["modelInput"]["video"]["mediaSource"]["s3Location"]
        assert location == {"uri": video.s3_uri, "bucketOwner": ACCOUNT}

    def test_an_account_that_is_not_told_can_be_set(self, make_encoder: MakeEncoder, video: Video) -> None:
        with pytest.raises(Unavailable, match="set BEDROCK_BUCKET_OWNER to its number"):
            encode(make_encoder(bucket_owner=None, sts_endpoint_url="http://127.0.0.1:1"), video)


class TestTextsAndPictures:
    def test_many_keep_their_order(self, encoder: BedrockEncoder) -> None:
        texts = [f"word{number}" for number in range(9)]
        rows = encoder.encode_text(texts)
        assert np.array_equal(rows, np.concatenate([encoder.encode_text([text]) for text in texts]))

    def test_a_text_without_words_costs_no_call(self, encoder: BedrockEncoder, server: BedrockServer) -> None:
        assert [bool(row.any()) for row in encoder.encode_text(["...", "a wolf", ""])] == [False, True, False]
        assert server.texts == ["a wolf"]

    def test_one_told_as_an_object_is_understood(self, encoder: BedrockEncoder, server: BedrockServer) -> None:
        told = encoder.encode_text(["a wolf"])
        server.form = "object"
        assert np.array_equal(encoder.encode_text(["a wolf"]), told)

    def test_a_text_too_long_is_refused_before(self, encoder: BedrockEncoder, server: BedrockServer) -> None:
        with pytest.raises(EncoderError, match="at most 500 words"):
            encoder.encode_text(["wolf " * 501])
        assert server.seen == []
        assert encoder.encode_text(["wolf " * 500]).any()

    def test_fixed_texts_are_kept(self, encoder: BedrockEncoder, server: BedrockServer, tmp_path: Path) -> None:
        settings = Settings(data_dir=tmp_path)
        shelf = SqliteShelf(settings.data_dir / "texts.sqlite3", "texts")
        for _ in range(2):
            CachedText(encoder, shelf).encode_text(["calm", "tense"])
        assert sorted(server.texts) == ["calm", "tense"]

    @pytest.mark.parametrize(("shape", "size"), [((2000, 4000, 3), (1280, 640)), ((9, 300, 3), (1280, 128))])
    def test_a_picture_is_sent_within_the_limits(
        self, encoder: BedrockEncoder, server: BedrockServer, shape: tuple[int, int, int], size: tuple[int, int]
    ) -> None:
        encoder.encode_image(np.random.default_rng(0).integers(0, 255, shape, np.uint8))
        assert server.images == [size]

    def test_alike_pictures_are_alike(self, encoder: BedrockEncoder) -> None:
        red, other_red, blue = (
            encoder.encode_image(np.full((99, 99, 3), colour, np.uint8))
            for colour in ((240, 8, 8), (236, 8, 8), (8, 8, 240))
        )
        assert red @ other_red > 0.9 > red @ blue

    def test_a_hiccup_is_tried_again(self, encoder: BedrockEncoder, server: BedrockServer) -> None:
        server.fail("drop")
        server.fail(status=429, code="ThrottlingException", retry_after_s=0.1)
        assert encoder.encode_text(["a wolf"]).any()

    def test_a_person_is_not_made_to_wait_long(self, encoder: BedrockEncoder, server: BedrockServer) -> None:
        server.fail(status=429, code="ThrottlingException", retry_after_s=60)
        with pytest.raises(Unavailable, match="asks for fewer requests") as caught:
            encoder.encode_text(["a wolf"])
        assert caught.value.retry_after_s == 60

    def test_tries_come_to_an_end(self, encoder: BedrockEncoder, server: BedrockServer) -> None:
        server.fail(times=99)
        with pytest.raises(Unavailable, match="trouble of its own"):
            encoder.encode_text(["a wolf"])
        assert len(server.seen) == bedrock.TEXT_TRIES

    def test_each_region_is_asked_under_the_name_it_takes(
        self, make_encoder: MakeEncoder, server: BedrockServer
    ) -> None:
        for region in ("us-east-1", "eu-west-1", "ap-northeast-2"):
            make_encoder(bucket_region=region).encode_text(["a wolf"])
        make_encoder(model=f"us.{MODEL}").encode_text(["a wolf"])
        assert server.invoked == [MODEL, f"eu.{MODEL}", MODEL, f"us.{MODEL}"]

    def test_a_profile_that_is_asked_for_is_named(
        self, make_encoder: MakeEncoder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bedrock, "PROFILES_ONLY", {})
        with pytest.raises(EncoderPaused, match=r"by an inference profile only\. Set BEDROCK_MODEL"):
            make_encoder(bucket_region="eu-west-1").encode_text(["a wolf"])

    def test_a_region_without_the_model_is_said(self, make_encoder: MakeEncoder) -> None:
        with pytest.raises(EncoderPaused, match=r"no twelvelabs.* in sa-east-1.*Set BEDROCK_REGION.*us-east-1"):
            make_encoder(bucket_region="sa-east-1").encode_text(["a wolf"])


class TestVideo:
    def test_what_lies_in_the_bucket_is_not_sent_again(
        self, encoder: BedrockEncoder, server: BedrockServer, s3: S3Server, bucket: str, video: Video
    ) -> None:
        s3.seen.clear()
        found = encode(encoder, video)
        query, other = encoder.encode_text(["a wolf", "a race"])
        assert query @ found.vector > 0.3 > other @ found.vector
        (invocation,) = server.invocations.values()
        asked = invocation.body["modelInput"]["video"]
        assert asked["embeddingOption"] == ["visual", "audio", "transcription"]
        assert asked["embeddingType"] == ["fused_embedding"]
        puts = [seen.path for seen in s3.seen if seen.operation == "PutObject"]
        assert [path.rpartition("/")[2] for path in puts] == ["output.json"]

    def test_a_silent_video_is_only_looked_at(
        self, encoder: BedrockEncoder, server: BedrockServer, tmp_path: Path
    ) -> None:
        encode(encoder, described(make_video(tmp_path / "silent.mp4", seconds=5, size=(640, 360), fps=4)))
        (invocation,) = server.invocations.values()
        asked = invocation.body["modelInput"]["video"]
        assert (asked["embeddingOption"], asked["embeddingType"]) == (["visual"], ["separate_embedding"])

    def test_side_by_side_finds_what_is_only_heard(
        self, make_encoder: MakeEncoder, server: BedrockServer, tmp_path: Path
    ) -> None:
        encoder = make_encoder(side_by_side=True)
        rain, train = (
            encode(encoder, described(make_video(tmp_path / f"{heard}.mp4", seconds=5, size=(640, 360), fps=4,
                                                 audio="aac", tags={"title": "A window", "comment": heard})))
            for heard in ("rain", "train")
        )  # fmt: skip
        query = encoder.encode_text(["rain"])[0]
        assert query @ rain.vector > query @ train.vector + 0.1
        kinds = [one.body["modelInput"]["video"]["embeddingType"] for one in server.invocations.values()]
        assert kinds == [["separate_embedding"]] * 2

    @pytest.mark.parametrize(("seconds", "size"), [(1.5, (640, 360)), (5, (160, 90))])
    def test_short_and_small_ones_are_sent_as_copies_that_fit(
        self,
        encoder: BedrockEncoder,
        s3: S3Server,
        bucket: str,
        tmp_path: Path,
        seconds: float,
        size: tuple[int, int],
    ) -> None:
        odd = make_video(tmp_path / "odd.mp4", seconds=seconds, size=size, audio="aac")
        s3.client.upload_file(str(odd), bucket, "media/odd.mp4")
        video = described(odd, f"s3://{bucket}/media/odd.mp4")
        found = encode(encoder, video)
        assert found.clips[-1].end_s <= video.info.duration_s + 1e-6
        assert [key for key in kept(s3, bucket) if not key.endswith("/output.json")] == []
        assert list((tmp_path / "fitted").iterdir()) == []

    def test_notes_have_an_intent_before_and_the_invocation_after(
        self, encoder: BedrockEncoder, server: BedrockServer, video: Video
    ) -> None:
        notes = Diary()
        encode(encoder, video, notes)
        assert notes.written == ["asked", "invocation"]
        assert list(server.invocations) == [notes["invocation"]]

    def test_progress_goes_on_while_waiting_and_a_cancel_is_noticed(
        self, encoder: BedrockEncoder, server: BedrockServer, video: Video
    ) -> None:
        server.fate("never")
        told: list[float] = []

        def stop(fraction: float) -> None:
            told.append(fraction)
            if len(told) > 5:
                raise Cancelled

        with pytest.raises(Cancelled):
            encoder.encode_video(video, {}, stop)
        assert told == sorted(told)

    def test_waiting_has_an_end_and_the_same_invocation_is_waited_for_then(
        self, encoder: BedrockEncoder, server: BedrockServer, video: Video, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bedrock, "LEAST_DEADLINE_S", 0.2)
        monkeypatch.setattr(bedrock, "DEADLINE_SHARE", 0.0)
        server.seconds_per_video = 2.0
        notes: dict[str, str] = {}
        with pytest.raises(EncoderError, match=r"has not finished within 0 minutes\. Press Retry to go on waiting"):
            encode(encoder, video, notes)
        monkeypatch.undo()
        encode(encoder, video, notes)
        assert len(server.invocations) == 1


class TestPaidOnce:
    @pytest.mark.parametrize("on_repeat", ["same", "conflict", "forgotten"])
    def test_a_kill_between_start_and_note_starts_nothing_anew(
        self, encoder: BedrockEncoder, server: BedrockServer, video: Video, on_repeat: str
    ) -> None:
        server.seconds_per_video = 0.5
        server.on_repeat = on_repeat
        notes = KilledAt("invocation")
        with pytest.raises(Killed):
            encode(encoder, video, notes)
        assert dict(notes).keys() == {"asked"}
        found = encode(encoder, video, dict(notes))
        assert len(server.invocations) == 1
        assert found.clips

    def test_an_answer_that_is_lost_starts_nothing_anew(
        self, encoder: BedrockEncoder, server: BedrockServer, video: Video
    ) -> None:
        server.fail("lose", operation="StartAsyncInvoke")
        notes: dict[str, str] = {}
        with pytest.raises(Unavailable, match="does not answer"):
            encode(encoder, video, notes)
        encode(encoder, video, notes)
        assert len(server.invocations) == 1

    @pytest.mark.parametrize("on_repeat", ["same", "conflict"])
    def test_two_machines_at_the_same_time_pay_once(
        self, make_encoder: MakeEncoder, server: BedrockServer, video: Video, on_repeat: str
    ) -> None:
        server.seconds_per_video = 1.0
        server.on_repeat = on_repeat
        one, other = make_encoder(), make_encoder()
        both = threading.Barrier(2)

        def work(encoder: BedrockEncoder) -> VideoEmbedding:
            both.wait(120)
            return encode(encoder, video)

        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(work, (one, other)))
        assert len(server.invocations) == 1
        assert np.array_equal(found[0].vector, found[1].vector)

    def test_two_processes_pay_once(self, server: BedrockServer, bucket: str, video: Video, tmp_path: Path) -> None:
        server.seconds_per_video = 1.0
        fresh = multiprocessing.get_context("spawn")
        answers = fresh.Queue()
        options = options_for(server, tmp_path)
        processes = [fresh.Process(target=encode_elsewhere, args=(bucket, options, video, answers)) for _ in range(2)]
        for process in processes:
            process.start()
        found = [answers.get(timeout=120) for _ in processes]
        for process in processes:
            process.join(timeout=120)
        assert len(server.invocations) == 1
        assert np.array_equal(found[0], found[1])

    def test_another_machine_later_pays_nothing(
        self, make_encoder: MakeEncoder, server: BedrockServer, video: Video
    ) -> None:
        first = encode(make_encoder(), video)
        server.invocations.clear()
        second = encode(make_encoder(), video)
        assert server.invocations == {}
        assert np.array_equal(first.vector, second.vector)

    def test_results_that_were_swept_are_made_anew_though_amazon_remembers_the_token(
        self, encoder: BedrockEncoder, server: BedrockServer, s3: S3Server, bucket: str, video: Video
    ) -> None:
        encode(encoder, video)
        server.age(timedelta(days=8))
        for key in kept(s3, bucket):
            s3.client.delete_object(Bucket=bucket, Key=key)
        assert encode(encoder, video).clips
        assert len(server.invocations) == 2

    def test_another_content_under_the_same_name_is_another_invocation(
        self, encoder: BedrockEncoder, server: BedrockServer, s3: S3Server, bucket: str, video: Video, tmp_path: Path
    ) -> None:
        encode(encoder, video)
        other = make_video(tmp_path / "other.mp4", seconds=6, size=(640, 360), fps=4)
        s3.client.upload_file(str(other), bucket, "media/wolf.mp4")
        encode(encoder, described(other, video.s3_uri))
        assert len(server.invocations) == 2


def encode_elsewhere(bucket: str, options: dict, video: Video, answers: multiprocessing.Queue) -> None:
    answers.put(BedrockEncoder(bucket, **options).encode_video(video, {}, ignore_progress).vector)


class TestFaults:
    @pytest.mark.parametrize("operation", ["StartAsyncInvoke", "GetAsyncInvoke"])
    @pytest.mark.parametrize(
        ("status", "code", "said"),
        [
            (429, "ThrottlingException", "Bedrock asks for fewer requests"),
            (503, "ServiceUnavailableException", r"Bedrock has trouble of its own \(ServiceUnavailableException\)"),
            (500, "InternalServerException", "Bedrock has trouble of its own"),
        ],
    )
    def test_what_passes_is_waited_for_and_costs_nothing(
        self,
        encoder: BedrockEncoder,
        server: BedrockServer,
        video: Video,
        operation: str,
        status: int,
        code: str,
        said: str,
    ) -> None:
        server.fail(status=status, code=code, operation=operation)
        notes: dict[str, str] = {}
        with pytest.raises(Unavailable, match=said) as caught:
            encode(encoder, video, notes)
        assert not isinstance(caught.value, EncoderPaused)
        encode(encoder, video, notes)
        assert len(server.invocations) == 1

    @pytest.mark.parametrize(
        ("status", "code", "says", "said"),
        [
            (403, "UnrecognizedClientException", "invalid", "does not know AWS_ACCESS_KEY_ID"),
            (403, "InvalidSignatureException", "mismatch", "is not the secret of AWS_ACCESS_KEY_ID"),
            (403, "ExpiredTokenException", "expired", "were for a time that is over"),
            (403, "AccessDeniedException", "You don't have access to the model with the specified ID", "Model access"),
            (
                400,
                "ServiceQuotaExceededException",
                "Too many concurrent jobs",
                "quota for Bedrock is used up: Too many",
            ),
            (404, "ResourceNotFoundException", "The model is not found", "has no twelvelabs.marengo"),
            (400, "ValidationException", "Operation not allowed", "does not let your AWS account use"),
            (400, "ValidationException", "Unable to access the S3 bucket", "cannot use the bucket"),
        ],
    )
    def test_what_concerns_every_video_pauses_the_encoder(
        self, encoder: BedrockEncoder, server: BedrockServer, video: Video, status: int, code: str, says: str, said: str
    ) -> None:
        server.fail(status=status, code=code, says=says, operation="StartAsyncInvoke")
        notes: dict[str, str] = {}
        with pytest.raises(EncoderPaused, match=said):
            encode(encoder, video, notes)
        encode(encoder, video, notes)
        assert len(server.invocations) == 1

    @pytest.mark.parametrize("action", ["InvokeModel", "GetAsyncInvoke"])
    def test_a_permission_that_is_missing_is_named(
        self, encoder: BedrockEncoder, server: BedrockServer, video: Video, action: str
    ) -> None:
        server.denied = f"bedrock:{action}"
        with pytest.raises(EncoderPaused, match=rf"may not do bedrock:{action}\. Allow them .*s3:PutObject") as caught:
            encode(encoder, video)
        assert ACCOUNT not in str(caught.value)

    def test_a_bucket_it_may_not_list_is_said(self, encoder: BedrockEncoder, s3: S3Server, video: Video) -> None:
        s3.fail(code="AccessDenied", status=403, operation="ListObjectsV2", times=1)
        with pytest.raises(EncoderPaused, match=r"may not do ListObjectsV2 in the bucket .*Allow them bedrock:Inv"):
            encode(encoder, video)

    @pytest.mark.parametrize(
        ("owner", "region", "said"),
        [("999999999999", REGION, "cannot use the bucket"), (ACCOUNT, "eu-west-1", "must be in the same region")],
    )
    def test_a_bucket_that_bedrock_may_not_use_is_said(
        self, make_encoder: MakeEncoder, server: BedrockServer, video: Video, owner: str, region: str, said: str
    ) -> None:
        encoder = make_encoder(bucket_owner=owner, bucket_region=region)
        with pytest.raises(EncoderPaused, match=said):
            encode(encoder, video)
        assert server.invocations == {}

    def test_a_video_of_which_the_bytes_are_gone_is_refused_alone(
        self, encoder: BedrockEncoder, s3: S3Server, bucket: str, video: Video
    ) -> None:
        s3.client.delete_object(Bucket=bucket, Key="media/wolf.mp4")
        with pytest.raises(EncoderError, match="Bedrock refuses this video: The S3 object"):
            encode(encoder, video)

    def test_a_failure_is_said_with_its_reason_and_retry_tries_anew(
        self, encoder: BedrockEncoder, server: BedrockServer, video: Video
    ) -> None:
        server.fate("fail", "The video could not be decoded")
        notes: dict[str, str] = {}
        with pytest.raises(EncoderError, match=r"could not embed this video: The video could not be decoded\. Press"):
            encode(encoder, video, notes)
        encode(encoder, video, notes)
        assert [one.token[-2:] for one in server.invocations.values()] == ["-0", "-1"]

    def test_a_failure_of_amazon_s_own_is_tried_anew_but_not_for_ever(
        self, encoder: BedrockEncoder, server: BedrockServer, video: Video
    ) -> None:
        server.fate("fail", "Internal error, try again later", times=9)
        notes: dict[str, str] = {}
        for _ in range(bedrock.FAILED_TRIES - 1):
            with pytest.raises(Unavailable):
                encode(encoder, video, notes)
        with pytest.raises(EncoderError, match="Internal error"):
            encode(encoder, video, notes)
        assert len(server.invocations) == bedrock.FAILED_TRIES

    def test_a_failure_of_the_bucket_s_pauses_the_encoder(
        self, encoder: BedrockEncoder, server: BedrockServer, video: Video
    ) -> None:
        server.fate("fail", f"Access denied writing to the S3 bucket of {ACCOUNT}")
        notes: dict[str, str] = {}
        with pytest.raises(EncoderPaused, match="cannot use the bucket") as caught:
            encode(encoder, video, notes)
        assert ACCOUNT not in str(caught.value)
        encode(encoder, video, notes)

    def test_an_old_failure_of_another_machine_is_left_behind(
        self, make_encoder: MakeEncoder, server: BedrockServer, video: Video
    ) -> None:
        server.fate("fail", "The video could not be decoded")
        with pytest.raises(EncoderError):
            encode(make_encoder(), video)
        server.age(timedelta(hours=2))
        assert encode(make_encoder(), video).clips

    def test_a_result_that_is_missing_is_said_before_it_is_paid_for_again(
        self, encoder: BedrockEncoder, server: BedrockServer, bucket: str, video: Video
    ) -> None:
        server.fate("unwritten")
        notes: dict[str, str] = {}
        with pytest.raises(
            EncoderError, match=f"its result is not in the bucket '{bucket}' under bedrock/.*costs again"
        ):
            encode(encoder, video, notes)
        assert len(server.invocations) == 1
        encode(encoder, video, notes)
        assert len(server.invocations) == 2

    def test_a_result_without_embeddings_is_said(
        self, encoder: BedrockEncoder, server: BedrockServer, video: Video
    ) -> None:
        server.fate("empty")
        notes: dict[str, str] = {}
        with pytest.raises(EncoderError, match=r"gave no embeddings for this video\. Press Retry"):
            encode(encoder, video, notes)
        assert encode(encoder, video, notes).clips

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"<html>", "in a form that this app does not know"),
            (b'{"data": 7}', "in a form that this app does not know"),
            (json.dumps({"data": [{"embedding": [1.0] * 5}]}).encode(), "gave 5 numbers where twelvelabs.* has 512"),
        ],
    )
    def test_a_result_that_cannot_be_read_is_said_and_not_paid_for_again(
        self,
        encoder: BedrockEncoder,
        server: BedrockServer,
        s3: S3Server,
        bucket: str,
        video: Video,
        content: bytes,
        said: str,
    ) -> None:
        encode(encoder, video)
        (key,) = kept(s3, bucket)
        s3.client.put_object(Bucket=bucket, Key=key, Body=content)
        for _ in range(2):
            with pytest.raises(EncoderError, match=said):
                encode(encoder, video)
        assert len(server.invocations) == 1

    def test_what_is_not_bedrock_is_said(self, encoder: BedrockEncoder, server: BedrockServer, video: Video) -> None:
        server.fail("html", operation="StartAsyncInvoke")
        with pytest.raises(EncoderError, match=r"is not Bedrock\. Check BEDROCK_ENDPOINT_URL"):
            encode(encoder, video)

    def test_an_invocation_that_bedrock_forgot_is_found_again(
        self, encoder: BedrockEncoder, server: BedrockServer, video: Video
    ) -> None:
        server.fail(status=400, code="ValidationException", says="ARN does not exist", operation="GetAsyncInvoke")
        notes: dict[str, str] = {}
        with pytest.raises(Unavailable, match="does not know the invocation"):
            encode(encoder, video, notes)
        encode(encoder, video, notes)
        assert len(server.invocations) == 1


class TestBucket:
    def test_results_stay_for_a_week_and_go_then(
        self, make_encoder: MakeEncoder, s3: S3Server, bucket: str, video: Video, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        encode(make_encoder(), video)
        make_encoder()._bucket.sweep()
        assert len(kept(s3, bucket)) == 1
        monkeypatch.setattr("core.encoders.bedrock_aws.datetime", SimpleNamespace(now=later))
        make_encoder()._bucket.sweep()
        assert kept(s3, bucket) == []

    def test_a_video_of_the_store_is_never_swept(
        self, make_encoder: MakeEncoder, s3: S3Server, bucket: str, video: Video, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("core.encoders.bedrock_aws.datetime", SimpleNamespace(now=later))
        make_encoder()._bucket.sweep()
        assert s3.client.head_object(Bucket=bucket, Key="media/wolf.mp4")

    def test_a_sweep_that_fails_harms_no_video(
        self, encoder: BedrockEncoder, video: Video, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def refuse(self: Bucket, *keys: str) -> None:
            raise EncoderPaused("The AWS credentials may not do DeleteObject.")

        monkeypatch.setattr(Bucket, "delete", refuse)
        assert encode(encoder, video).clips
        assert "Old results of Bedrock" in caplog.text

    def test_a_copy_is_sent_in_parts_with_its_progress(
        self, encoder: BedrockEncoder, s3: S3Server, bucket: str, tmp_path: Path
    ) -> None:
        large = tmp_path / "large.bin"
        large.write_bytes(os.urandom(9_000_000))
        told: list[float] = []
        encoder._bucket.put(large, f"{PREFIX}large.mp4", told.append)
        assert s3.client.get_object(Bucket=bucket, Key=f"{PREFIX}large.mp4")["ContentLength"] == 9_000_000
        assert told == sorted(told)

    def test_a_cancel_ends_an_upload(self, encoder: BedrockEncoder, s3: S3Server, bucket: str, tmp_path: Path) -> None:
        large = tmp_path / "large.bin"
        large.write_bytes(os.urandom(9_000_000))
        s3.fail("hang", operation="UploadPart")

        def stop(fraction: float) -> None:
            raise Cancelled

        threading.Timer(0.5, s3.heal).start()
        with pytest.raises(Cancelled):
            encoder._bucket.put(large, f"{PREFIX}large.mp4", stop)
        assert kept(s3, bucket) == []


def later(zone: object) -> datetime:
    return datetime.now(UTC) + KEPT + timedelta(hours=1)


def settings_for(server: BedrockServer, bucket: str, folder: Path) -> Settings:
    return load(
        {
            "DATA_DIR": str(folder),
            "ENCODER": "bedrock",
            "BEDROCK_ENDPOINT_URL": server.url,
            "BEDROCK_BUCKET_OWNER": ACCOUNT,
            "AWS_BUCKET_NAME": bucket,
            "AWS_ENDPOINT_URL": server.s3.url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        },
        None,
    )


class TestApp:
    def test_videos_go_in_by_the_store_s_own_object_and_are_found(
        self, server: BedrockServer, s3: S3Server, bucket: str, path: Path, tmp_path: Path
    ) -> None:
        with_services = services.build(settings_for(server, bucket, tmp_path / "data"))
        try:
            with_services.jobs.start()
            with_services.jobs.submit(path)
            wait_for_end(with_services.jobs)
            (job,) = with_services.jobs.jobs()
            assert (job.stage, job.reason) == (Stage.READY, None)
            (invocation,) = server.invocations.values()
            location = invocation.body["modelInput"]["video"]["mediaSource"]["s3Location"]
            assert location["uri"] == f"s3://{bucket}/media/{job.media_key}"
            picture = np.zeros((128, 128, 3), np.uint8)
            assert with_services.encoder.encode_image(picture).any()
        finally:
            with_services.close()

    def test_the_store_says_where_its_bytes_are_in_s3(self, s3: S3Server, bucket: str) -> None:
        store = S3Store(bucket, region=REGION, endpoint_url=s3.url, access_key=ACCESS_KEY, secret_key=SECRET_KEY)
        assert store.s3_root == f"s3://{bucket}/media/"

    def test_doctor_tries_it(
        self, server: BedrockServer, s3: S3Server, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        said: list[str] = []
        monkeypatch.setattr(doctor, "load", lambda: settings_for(server, bucket, tmp_path / "data"))
        assert doctor.run(said.append) == 0, said
        assert any("bedrock/marengo-embed-3-0-v1-vat turned a text into 1537 numbers" in line for line in said), said
        assert kept(s3, bucket) == []
        assert server.count("StartAsyncInvoke") == 0

    def test_a_check_names_what_is_not_allowed(self, encoder: BedrockEncoder, server: BedrockServer) -> None:
        server.denied = "bedrock:ListAsyncInvokes"
        with pytest.raises(
            EncoderPaused, match=r"may not do bedrock:ListAsyncInvokes\. Allow them bedrock:InvokeModel"
        ):
            encoder.check()


def wait_for_end(jobs: JobQueue, patience_s: float = 30.0) -> None:
    end = time.monotonic() + patience_s
    while not all(job.stage.is_over for job in jobs.jobs()):
        assert time.monotonic() < end, [(job.stage, job.reason) for job in jobs.jobs()]
        time.sleep(0.05)
