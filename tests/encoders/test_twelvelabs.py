"""The TwelveLabs encoder against a server that keeps the service's rules: the real SDK, real HTTP, no account."""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import get_args

import numpy as np
import pytest
from twelvelabs.types.embedding_data import EmbeddingData
from twelvelabs.types.embedding_dimension import EmbeddingDimension

from core.encoders import marengo_limits, marengo_models, pictures, twelvelabs
from core.encoders.twelvelabs import TwelveLabsEncoder
from core.errors import AppError, Cancelled, EncoderError, EncoderPaused, NotToday, SettingsError, Unavailable
from core.ingest import inspecting
from core.ingest.budget import Budget
from core.models import MediaInfo, Video, VideoEmbedding, ignore_progress
from core.state.spending import SpendingBook
from core.state.sqlite import SqliteShelf
from tests.servers.twelvelabs import API_KEY, TwelveLabsServer
from tests.videos import make_video, plain

MakeEncoder = Callable[..., TwelveLabsEncoder]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video within all limits."""
    folder = tmp_path_factory.mktemp("twelvelabs")
    return make_video(folder / "wolf.mp4", seconds=8, size=(640, 360), fps=4, audio="aac", tags={"title": "Grey wolf"})


@pytest.fixture
def server() -> Iterator[TwelveLabsServer]:
    with TwelveLabsServer(chunk_bytes=20_000) as server:
        yield server


@pytest.fixture
def make_encoder(server: TwelveLabsServer, tmp_path: Path) -> MakeEncoder:
    def make(**options: object) -> TwelveLabsEncoder:
        given = {"base_url": server.url, "scratch_dir": tmp_path / "fitted", "settle_s": 0.3} | options
        return TwelveLabsEncoder(given.pop("api_key", API_KEY), **given)

    return make


@pytest.fixture
def encoder(make_encoder: MakeEncoder) -> TwelveLabsEncoder:
    return make_encoder()


@pytest.fixture
def video(path: Path) -> Video:
    return described(path)


def described(path: Path, title: str = "Grey wolf", url: str | None = None) -> Video:
    return Video(path, path.name, title, inspecting.sha256(path), inspecting.inspect(path), url)


def encode(encoder: TwelveLabsEncoder, video: Video, notes: MutableMapping[str, str] | None = None) -> VideoEmbedding:
    return encoder.encode_video(video, {} if notes is None else notes, ignore_progress)


def persist(encoder: TwelveLabsEncoder, video: Video, notes: MutableMapping[str, str]) -> None:
    """Encode a video as the queue does: when it is put off, come back when it is time."""
    try:
        encode(encoder, video, notes)
    except Unavailable as error:
        time.sleep(error.retry_after_s or 0.0)
        encode(encoder, video, notes)


class Diary(dict):
    """Notes that say in which order they were written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    def __setitem__(self, name: str, value: str) -> None:
        self.written.append(name)
        super().__setitem__(name, value)


@pytest.fixture
def web(path: Path) -> Iterator[str]:
    """The address of a web server that has the video."""

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(path.parent))

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{http.server_address[1]}/{path.name}"
    http.shutdown()
    http.server_close()


class TestModels:
    def test_a_name_says_the_space(self, make_encoder: MakeEncoder) -> None:
        names = [
            make_encoder().info.name,
            make_encoder(model="marengo3.5").info.name,
            make_encoder(model="marengo3.5", dimension=256).info.name,
        ]
        apart = [
            make_encoder(side_by_side=True).info.name,
            make_encoder(model="marengo3.5", dimension=128, side_by_side=True).info.name,
        ]
        assert names == ["twelvelabs/marengo3.0", "twelvelabs/marengo3.5", "twelvelabs/marengo3.5/256"]
        assert apart == ["twelvelabs/marengo3.0-vat", "twelvelabs/marengo3.5-va/128"]

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"model": "Marengo-retrieval-2.7"}, r"TWELVELABS_MODEL is 'Marengo-retrieval-2\.7'.*marengo3\.0"),
            ({"dimension": 256}, "TWELVELABS_DIMENSION is 256 and marengo3.0 knows only 512"),
            ({"model": "marengo3.5", "dimension": 1024}, "that marengo3.5 makes: 128, 256, 512"),
            ({"model": "marengo3.5", "dimension": 32}, "that marengo3.5 makes: 128, 256, 512"),
            ({"api_key": "tlk_ключ"}, "TWELVE_LABS_API_KEY holds characters"),
        ],
    )
    def test_what_cannot_be_is_refused_at_start(self, make_encoder: MakeEncoder, options: dict, said: str) -> None:
        with pytest.raises(SettingsError, match=said):
            make_encoder(**options)

    @pytest.mark.parametrize(("model", "dimension"), [("marengo3.0", 512), ("marengo3.5", 512), ("marengo3.5", 256)])
    def test_each_is_asked_in_its_own_form(
        self, make_encoder: MakeEncoder, server: TwelveLabsServer, video: Video, model: str, dimension: int
    ) -> None:
        encoder = make_encoder(model=model, dimension=dimension)
        found = encode(encoder, video)
        query, other = encoder.encode_text(["a wolf", "a race"])
        assert query @ found.vector > 0.3 > other @ found.vector
        assert found.vector.shape == query.shape == (dimension,)
        (task,) = server.tasks.values()
        asked = task.request["video"]
        assert ("temporal" in asked["segmentation"]) == (model == "marengo3.5")
        assert asked.get("embedding_type") == (["fused_embedding"] if model == "marengo3.0" else None)

    def test_a_silent_video_is_only_looked_at(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, tmp_path: Path
    ) -> None:
        silent = described(make_video(tmp_path / "silent.mp4", seconds=5, size=(640, 360), fps=4))
        encode(encoder, silent)
        (task,) = server.tasks.values()
        assert task.request["video"]["embedding_option"] == ["visual"]
        assert "embedding_type" not in task.request["video"]

    def test_the_sizes_are_those_that_the_sdk_knows_of(self) -> None:
        told = get_args(EmbeddingDimension)
        assert not told or set(told) == set(marengo_models.named("marengo3.5").dimensions), "the SDK has a list now"

    def test_a_check_costs_nothing(self, encoder: TwelveLabsEncoder, server: TwelveLabsServer) -> None:
        encoder.check()
        assert [(seen.method, seen.path) for seen in server.seen] == [("GET", "/v1.3/embed-v2/tasks")]


class TestText:
    def test_a_text_without_words_costs_no_call(self, encoder: TwelveLabsEncoder, server: TwelveLabsServer) -> None:
        rows = encoder.encode_text(["...", "a wolf", ""])
        assert server.texts == ["a wolf"]
        assert [bool(row.any()) for row in rows] == [False, True, False]

    def test_many_keep_their_order(self, encoder: TwelveLabsEncoder) -> None:
        texts = [f"word{number}" for number in range(9)]
        rows = encoder.encode_text(texts)
        assert np.array_equal(rows, np.concatenate([encoder.encode_text([text]) for text in texts]))

    def test_a_hiccup_is_tried_again(self, encoder: TwelveLabsEncoder, server: TwelveLabsServer) -> None:
        server.fail("drop", path="/embed-v2")
        server.fail(status=429, retry_after_s=0.1, path="/embed-v2")
        assert encoder.encode_text(["a wolf"]).any()

    def test_a_person_is_not_made_to_wait_long(self, encoder: TwelveLabsEncoder, server: TwelveLabsServer) -> None:
        server.fail(status=429, retry_after_s=60, path="/embed-v2")
        with pytest.raises(Unavailable, match="asks for fewer requests") as caught:
            encoder.encode_text(["a wolf"])
        assert caught.value.retry_after_s == 60

    def test_a_refused_key_is_not_tried_again(self, encoder: TwelveLabsEncoder, server: TwelveLabsServer) -> None:
        server.api_key = "another"
        with pytest.raises(EncoderPaused, match="does not know the key"):
            encoder.encode_text(["a wolf"])
        assert len(server.seen) == 1

    def test_tries_come_to_an_end(self, encoder: TwelveLabsEncoder, server: TwelveLabsServer) -> None:
        server.fail(status=503, times=99)
        with pytest.raises(Unavailable, match="trouble of its own"):
            encoder.encode_text(["a wolf"])
        assert len(server.seen) == twelvelabs.TEXT_TRIES

    def test_too_long_a_text_is_refused_with_the_reason(self, encoder: TwelveLabsEncoder) -> None:
        with pytest.raises(EncoderError, match=r"TwelveLabs refuses this text: .*limit of 500 tokens"):
            encoder.encode_text(["wolf " * 501])


class TestPictures:
    @pytest.mark.parametrize("model", ["marengo3.0", "marengo3.5"])
    @pytest.mark.parametrize("shape", [(1080, 1920, 3), (16, 16, 3), (4000, 40, 3), (16, 1920, 3)])
    def test_whatever_its_shape_it_is_made_to_fit(
        self, make_encoder: MakeEncoder, server: TwelveLabsServer, model: str, shape: tuple[int, int, int]
    ) -> None:
        rgb = np.random.default_rng(1).integers(0, 255, shape, np.uint8)
        assert np.linalg.norm(make_encoder(model=model).encode_image(rgb)) == pytest.approx(1, abs=1e-4)
        ((width, height),) = server.images
        assert 128 <= min(width, height) <= max(width, height) <= pictures.MOST_PX
        assert (width > height) == (shape[1] > shape[0])
        assert server.seen[-1].body_bytes < 2_000_000

    @pytest.mark.parametrize("side_by_side", [False, True])
    def test_a_frame_finds_its_video(self, make_encoder: MakeEncoder, tmp_path: Path, side_by_side: bool) -> None:
        encoder = make_encoder(side_by_side=side_by_side)
        red, blue = (
            described(
                make_video(tmp_path / f"{name}.mp4", seconds=5, size=(640, 360), fps=2, pattern=plain(*rgb)), name
            )
            for name, rgb in (("red", (200, 20, 20)), ("blue", (20, 20, 200)))
        )
        vectors = [encode(encoder, video).vector for video in (red, blue)]
        asked = encoder.encode_image(np.full((90, 160, 3), (200, 20, 20), np.uint8))
        assert asked @ vectors[0] > asked @ vectors[1] + 0.05

    def test_why_one_is_refused_is_said(self, encoder: TwelveLabsEncoder, server: TwelveLabsServer) -> None:
        server.fail(status=400, says="The picture is not allowed")
        with pytest.raises(EncoderError, match="TwelveLabs refuses this picture: The picture is not allowed"):
            encoder.encode_image(np.zeros((200, 200, 3), np.uint8))


class TestBytes:
    def test_they_go_up_once_with_their_progress(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video
    ) -> None:
        told: list[float] = []
        encoder.encode_video(video, {}, told.append)
        size = video.info.size_bytes
        assert size < server.received_bytes < size + 2000
        assert len({fraction for fraction in told if 0.1 < fraction < 0.5}) >= min(3, size // 70_000)
        (asset,) = server.assets.values()
        assert asset.filename == f"Grey_wolf-{video.content_sha256[:16]}.mp4"
        assert asset.data == video.path.read_bytes()

    def test_an_asset_that_is_there_is_used_again(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video
    ) -> None:
        encode(encoder, video)
        before = server.received_bytes
        encode(encoder, video)
        assert (server.received_bytes, len(server.assets)) == (before, 1)

    def test_an_address_is_read_by_the_service(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, path: Path, web: str
    ) -> None:
        encode(encoder, described(path, url=f"{web}?signature=s3cr3t"))
        assert (server.received_bytes, server.fetched_bytes) == (0, path.stat().st_size)
        assert server.assets == {}

    @pytest.mark.parametrize(
        ("url", "readable"),
        [
            ("https://bucket.s3.amazonaws.com/media/a.mp4", True),
            ("http://8.8.8.8/a.mp4", True),
            ("http://localhost:9000/b/a.mp4", False),
            ("http://192.168.1.5:9000/b/a.mp4", False),
            ("http://[::1]/a.mp4", False),
            ("http://minio.local/a.mp4", False),
        ],
    )
    def test_the_real_service_is_given_no_address_of_this_network(
        self, make_encoder: MakeEncoder, url: str, readable: bool
    ) -> None:
        assert make_encoder(base_url=None)._can_be_read(url) is readable
        assert make_encoder()._can_be_read(url)

    def test_what_cannot_be_read_at_its_address_is_sent_and_so_is_what_lies_beside_it(
        self,
        encoder: TwelveLabsEncoder,
        server: TwelveLabsServer,
        path: Path,
        tmp_path: Path,
        web: str,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        server.unreachable = (web.rpartition("/")[0],)
        notes: dict[str, str] = {}
        encode(encoder, described(path, url=f"{web}?signature=s3cr3t"), notes)
        assert [task.status for task in server.tasks.values()] == ["failed", "ready"]
        assert (server.fetched_bytes, len(server.assets)) == (0, 1)
        beside = make_video(tmp_path / "beside.mp4", seconds=5, size=(640, 360), fps=2)
        encode(encoder, described(beside, url=f"{web.rpartition('/')[0]}/beside.mp4?signature=s3cr3t"))
        assert (len(server.tasks), len(server.assets)) == (3, 2)
        assert "TwelveLabs cannot read 127.0.0.1" in caplog.text
        assert "s3cr3t" not in caplog.text

    def test_that_an_address_cannot_be_read_outlives_the_process(
        self, make_encoder: MakeEncoder, server: TwelveLabsServer, path: Path, web: str
    ) -> None:
        server.unreachable = (web,)
        notes: dict[str, str] = {}
        server.fail("drop", method="POST", path="/assets")
        with pytest.raises(Unavailable):
            encode(make_encoder(), described(path, url=web), notes)
        encode(make_encoder(), described(path, url=web), notes)
        assert len(server.tasks) == 2

    def test_a_store_that_is_away_is_read_again_later(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, path: Path, web: str
    ) -> None:
        notes: dict[str, str] = {}
        with pytest.raises(Unavailable, match="The store did not answer"):
            encode(encoder, described(path, url="http://127.0.0.1:9/wolf.mp4"), notes)
        encode(encoder, described(path, url=web), notes)
        assert (len(server.tasks), len(server.assets)) == (2, 0)

    def test_a_store_that_is_never_reached_from_here_is_not_waited_for_for_ever(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, path: Path
    ) -> None:
        notes: dict[str, str] = {}
        for _ in range(twelvelabs.FAILED_TASKS - 1):
            with pytest.raises(Unavailable):
                encode(encoder, described(path, url="http://127.0.0.1:9/wolf.mp4"), notes)
        encode(encoder, described(path, url="http://127.0.0.1:9/wolf.mp4"), notes)
        assert len(server.assets) == 1

    def test_an_address_that_is_refused_at_once_is_sent(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, path: Path, web: str
    ) -> None:
        server.fail(status=400, says="The url is inaccessible", method="POST", path="/tasks")
        encode(encoder, described(path, url=web))
        assert (len(server.tasks), len(server.assets)) == (1, 1)

    def test_a_task_that_was_asked_for_by_address_is_found_when_files_are_sent_now(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, path: Path, web: str
    ) -> None:
        server.fail("lose", method="POST", path="/tasks")
        notes: dict[str, str] = {}
        with pytest.raises(Unavailable):
            encode(encoder, described(path, url=web), notes)
        encoder._unreadable.add(twelvelabs._place(web))
        encode(encoder, described(path, url=web), notes)
        assert (len(server.tasks), len(server.assets)) == (1, 0)

    def test_bytes_that_were_sent_and_fail_are_not_sent_for_ever(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, path: Path, web: str
    ) -> None:
        server.fate("fail", "failed to fetch or materialize source media", times=9)
        with pytest.raises(EncoderError, match="failed to fetch"):
            encode(encoder, described(path, url=web))
        assert len(server.tasks) == 2

    def test_whether_an_address_is_read_is_found_out_for_nothing(
        self, encoder: TwelveLabsEncoder, make_encoder: MakeEncoder, server: TwelveLabsServer, web: str
    ) -> None:
        encoder.check_reads(web)
        server.unreachable = (web,)
        with pytest.raises(EncoderError, match=r"cannot read the store at 127\.0\.0\.1.*every video is sent"):
            encoder.check_reads(web)
        with pytest.raises(EncoderError, match="of this network only"):
            make_encoder(base_url=None).check_reads("http://minio.local/b/a.jpg")
        assert (server.assets, server.tasks) == ({}, {})

    def test_a_large_file_goes_in_parts_from_where_it_lies(
        self, make_encoder: MakeEncoder, server: TwelveLabsServer, video: Video
    ) -> None:
        before = set(video.path.parent.iterdir())
        notes = Diary()
        told: list[float] = []
        make_encoder(direct_bytes=1000).encode_video(video, notes, told.append)
        (asset,) = server.assets.values()
        assert (asset.method, asset.data == video.path.read_bytes()) == ("multipart", True)
        assert server.received_bytes == video.info.size_bytes
        assert told == sorted(told)
        assert set(video.path.parent.iterdir()) == before
        assert notes.written[:2] == ["upload", "asset"]
        assert "upload" not in notes

    def test_parts_that_arrived_are_not_sent_again(
        self, make_encoder: MakeEncoder, server: TwelveLabsServer, video: Video
    ) -> None:
        encoder, notes = make_encoder(direct_bytes=1000), {}
        server.fail("drop", path="/_chunks/", skip=2)
        with pytest.raises(Unavailable):
            encode(encoder, video, notes)
        assert "s3cr3t" not in json.dumps(notes)
        encode(encoder, video, notes)
        assert server.received_bytes - 20_000 <= video.info.size_bytes
        assert len(server.assets) == 1

    def test_an_upload_that_has_expired_is_begun_anew(
        self, make_encoder: MakeEncoder, server: TwelveLabsServer, video: Video
    ) -> None:
        encoder, notes = make_encoder(direct_bytes=1000), {}
        server.fail("drop", path="/_chunks/", skip=1)
        with pytest.raises(Unavailable):
            encode(encoder, video, notes)
        server.forget_uploads()
        encode(encoder, video, notes)
        assert len(server.tasks) == 1

    def test_a_file_the_service_cannot_read_is_said(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video, tmp_path: Path
    ) -> None:
        broken = tmp_path / "broken.mp4"
        broken.write_bytes(b"no video" * 99)
        notes: dict[str, str] = {}
        with pytest.raises(EncoderError, match="could not read this file: The file is corrupted or not supported"):
            encode(encoder, replace(video, path=broken), notes)
        assert "asset" not in notes
        assert server.tasks == {}

    def test_a_cancel_ends_an_upload(self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video) -> None:
        def stop(fraction: float) -> None:
            if fraction > 0.1:
                raise Cancelled

        with pytest.raises(Cancelled):
            encoder.encode_video(video, {}, stop)
        assert server.assets == {}


class TestLimits:
    @pytest.mark.parametrize(("seconds", "size"), [(1.5, (640, 360)), (5, (160, 90)), (2, (90, 160))])
    def test_short_and_small_ones_are_made_to_fit(
        self,
        encoder: TwelveLabsEncoder,
        server: TwelveLabsServer,
        tmp_path: Path,
        seconds: float,
        size: tuple[int, int],
    ) -> None:
        video = described(make_video(tmp_path / "odd.mp4", seconds=seconds, size=size, audio="aac"))
        found = encode(encoder, video)
        assert found.clips[-1].end_s <= video.info.duration_s + 1e-6
        assert all(clip.start_s < clip.end_s for clip in found.clips)
        (asset,) = server.assets.values()
        assert asset.filename.endswith("-fitted.mp4")
        assert list((tmp_path / "fitted").iterdir()) == []

    def test_a_copy_that_fits_is_sent_even_where_there_is_an_address(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, tmp_path: Path, web: str
    ) -> None:
        short = make_video(tmp_path / "short.mp4", seconds=2, size=(640, 360))
        encode(encoder, described(short, url=web))
        assert server.fetched_bytes == 0

    def test_what_it_takes_at_most_is_told(self, encoder: TwelveLabsEncoder) -> None:
        assert (encoder.info.max_duration_s, encoder.info.max_bytes) == (4 * 3600, 4_000_000_000)
        assert encoder.info.paid


class TestOneTask:
    """A second task is paid for only when the first really failed or has expired."""

    def test_what_exists_is_written_down_at_once(self, encoder: TwelveLabsEncoder, video: Video) -> None:
        notes = Diary()
        encode(encoder, video, notes)
        assert notes.written == ["asset", "asked", "task"]

    @pytest.mark.parametrize("kind", ["drop", "hang", "html", "status"])
    def test_a_task_is_resumed_when_looking_at_it_fails(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video, kind: str, monkeypatch
    ) -> None:
        monkeypatch.setattr(encoder._client._client_wrapper, "_timeout", 0.5)
        server.seconds_per_task = 0.5
        server.fail(kind, method="GET", path="/embed-v2/tasks/")
        notes: dict[str, str] = {}
        with pytest.raises((Unavailable, EncoderError)):
            encode(encoder, video, notes)
        encode(encoder, video, notes)
        assert len(server.tasks) == 1

    @pytest.mark.parametrize("tells", ["list", "task"])
    @pytest.mark.parametrize("by_url", [False, True])
    def test_one_whose_answer_was_lost_is_found_again(
        self,
        encoder: TwelveLabsEncoder,
        server: TwelveLabsServer,
        path: Path,
        web: str,
        tells: str,
        by_url: bool,
    ) -> None:
        server.tells_source = tells
        encode(encoder, described(path, "Another"))
        server.fail("lose", method="POST", path="/tasks")
        notes: dict[str, str] = {}
        url = f"{web}?signature=" if by_url else None
        with pytest.raises(Unavailable):
            encode(encoder, described(path, url=url and f"{url}one"), notes)
        assert "task" not in notes
        encode(encoder, described(path, url=url and f"{url}two"), notes)
        assert len(server.tasks) == 2

    def test_a_request_that_is_still_on_its_way_is_waited_for(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video
    ) -> None:
        notes = {"asked": datetime.now(UTC).isoformat()}
        late = Thread(target=encode, args=(encoder, video, {}))
        late.start()  # It arrives after the first look at the list.
        persist(encoder, video, notes)
        late.join(120)
        assert len(server.tasks) == 1

    def test_what_is_waited_for_is_said(self, encoder: TwelveLabsEncoder, video: Video) -> None:
        with pytest.raises(Unavailable, match="may have begun this video without our hearing of it") as caught:
            encode(encoder, video, {"asked": datetime.now(UTC).isoformat()})
        assert 0 < caught.value.retry_after_s <= 0.3

    def test_one_that_nobody_took_is_asked_for_again(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video
    ) -> None:
        server.fail("drop", method="POST", path="/tasks")
        notes: dict[str, str] = {}
        with pytest.raises(Unavailable):
            encode(encoder, video, notes)
        assert "asked" in notes
        persist(encoder, video, notes)
        assert len(server.tasks) == 1

    @pytest.mark.parametrize("status", [400, 401, 403, 429])
    def test_a_refusal_leaves_nothing_to_look_for(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video, status: int
    ) -> None:
        server.fail(status=status, method="POST", path="/tasks")
        notes: dict[str, str] = {}
        with pytest.raises(AppError):
            encode(encoder, video, notes)
        assert "asked" not in notes
        encode(encoder, video, notes)
        assert server.count("GET", "/embed-v2/tasks") == 0

    def test_nobody_there_leaves_nothing_to_look_for(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, path: Path
    ) -> None:
        server.stop()
        notes: dict[str, str] = {}
        with pytest.raises(Unavailable, match="does not answer"):
            encode(encoder, described(path, url="http://127.0.0.1:9/a.mp4"), notes)
        assert notes == {}
        server.start()

    def test_where_the_service_tells_no_source_none_is_taken_for_ours(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video
    ) -> None:
        server.tells_source = "nowhere"
        encode(encoder, video)
        persist(encoder, video, {"asked": datetime.now(UTC).isoformat()})
        assert len(server.tasks) == 2

    def test_a_failed_one_is_not_adopted(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video
    ) -> None:
        server.fate("fail", "The embedding request was invalid.")
        server.fail("lose", method="POST", path="/tasks")
        notes: dict[str, str] = {}
        with pytest.raises(Unavailable):
            encode(encoder, video, notes)
        persist(encoder, video, notes)
        assert len(server.tasks) == 2

    def test_expired_results_are_paid_for_again(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video
    ) -> None:
        notes: dict[str, str] = {}
        encode(encoder, video, notes)
        server.expire(notes["task"])
        notes["asked"] = (datetime.now(UTC) - timedelta(days=8)).isoformat()
        persist(encoder, video, notes)
        assert len(server.tasks) == 2
        assert notes["task"] in server.tasks

    def test_results_that_are_no_longer_available_are_paid_for_again(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video
    ) -> None:
        server.fate("fail", "The embedding result is no longer available and cannot be retrieved.")
        persist(encoder, video, {})
        assert len(server.tasks) == 2

    def test_a_new_task_that_is_not_known_yet_is_no_expired_one(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video
    ) -> None:
        server.fail(status=404, method="GET", path="/embed-v2/tasks/")
        notes: dict[str, str] = {}
        with pytest.raises(Unavailable, match="does not know the task yet"):
            encode(encoder, video, notes)
        encode(encoder, video, notes)
        assert len(server.tasks) == 1

    def test_why_it_failed_reaches_the_person_and_a_retry_pays_again(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video
    ) -> None:
        server.fate("fail", "Content exceeds the model's context window.")
        notes: dict[str, str] = {}
        with pytest.raises(EncoderError, match=r"Content exceeds the model's context window\. Press Retry"):
            encode(encoder, video, notes)
        encode(encoder, video, notes)
        assert len(server.tasks) == 2

    def test_the_services_own_troubles_are_tried_again_but_not_for_ever(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video
    ) -> None:
        server.fate("fail", "The embedding service is temporarily unstable. Please try again later.", times=9)
        notes: dict[str, str] = {}
        kinds = []
        for _ in range(3):
            with pytest.raises(AppError, match="temporarily unstable") as caught:
                encode(encoder, video, notes)
            kinds.append(caught.type)
        assert set(kinds) == {EncoderPaused}, "nothing tells that it is this video's fault"

    def test_one_that_fails_while_others_end_well_is_given_up(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video, path: Path
    ) -> None:
        kinds = []
        notes: dict[str, str] = {}
        for _ in range(twelvelabs.FAILED_TASKS):
            server.fate("fail", "The embedding task failed. Please try again later.")
            with pytest.raises(AppError, match="try again later") as caught:
                encode(encoder, video, notes)
            kinds.append(caught.type)
            encode(encoder, described(path, "Another"))
        assert kinds == [EncoderPaused, EncoderPaused, EncoderError]

    def test_one_that_fails_alone_is_given_up_at_last(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video
    ) -> None:
        server.fate("fail", "The embedding task failed. Please try again later.", times=99)
        notes: dict[str, str] = {}
        kinds = []
        for _ in range(twelvelabs.MOST_FAILED_TASKS):
            with pytest.raises(AppError) as caught:
                encode(encoder, video, notes)
            kinds.append(caught.type)
        assert kinds == [EncoderPaused] * (twelvelabs.MOST_FAILED_TASKS - 1) + [EncoderError]

    def test_no_result_is_an_error_and_a_retry_pays_again(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video
    ) -> None:
        server.fate("empty")
        notes: dict[str, str] = {}
        with pytest.raises(EncoderError, match="gave no embeddings"):
            encode(encoder, video, notes)
        encode(encoder, video, notes)
        assert len(server.tasks) == 2

    def test_waiting_has_an_end_and_a_retry_goes_on_with_the_same_task(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(twelvelabs, "LEAST_DEADLINE_S", 0.1)
        short = replace(video, info=replace(video.info, duration_s=0.02, width_px=640))
        monkeypatch.setattr(marengo_limits, "fits", lambda info: True)
        monkeypatch.setattr(twelvelabs, "fits", lambda info: True)
        server.fate("never")
        notes: dict[str, str] = {}
        for _ in range(2):
            with pytest.raises(EncoderError, match="Press Retry to go on waiting for the same task"):
                encode(encoder, short, notes)
        assert len(server.tasks) == 1

    def test_a_cancel_is_noticed_while_waiting(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video
    ) -> None:
        server.fate("never")
        told: list[float] = []

        def stop(fraction: float) -> None:
            told.append(fraction)
            if told.count(0.5) > 4:
                raise Cancelled

        notes: dict[str, str] = {}
        with pytest.raises(Cancelled):
            encoder.encode_video(video, notes, stop)
        assert "task" in notes


class TestCounted:
    """Each task that is charged is counted among the minutes of its day before it is begun."""

    @pytest.fixture
    def day(self) -> list[datetime]:
        return [datetime(2026, 11, 18, 12, tzinfo=UTC)]

    @pytest.fixture
    def budget(self, tmp_path: Path, day: list[datetime]) -> Budget:
        book = SpendingBook(SqliteShelf(tmp_path / "spending.sqlite3", "spending"))
        return Budget(
            book, covers=lambda name: True, minutes_a_day=0.3, minutes_a_day_each=None, now=lambda: day[0]
        )  # two of 8 s fit

    def tasks_counted(self, budget: Budget) -> int:
        return round(budget.today().minutes * 60 / 8)

    def give(self, budget: Budget, encoder: TwelveLabsEncoder, video: Video, notes: dict[str, str]) -> None:
        """Encode a video as a job does: counted first, each time."""
        budget.spend(encoder.info.name, video.info.duration_s, None, notes)
        encode(encoder, video, notes)

    def test_a_retry_after_no_result(
        self, budget: Budget, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video
    ) -> None:
        server.fate("empty", times=9)
        notes: dict[str, str] = {}
        for _ in range(2):
            with pytest.raises(EncoderError, match="gave no embeddings"):
                self.give(budget, encoder, video, notes)
        with pytest.raises(NotToday):
            self.give(budget, encoder, video, notes)
        assert (len(server.tasks), self.tasks_counted(budget)) == (2, 2)

    @pytest.mark.parametrize("how", ["unknown", "said"])
    def test_one_in_place_of_an_expired_one(
        self,
        budget: Budget,
        encoder: TwelveLabsEncoder,
        server: TwelveLabsServer,
        video: Video,
        day: list[datetime],
        how: str,
    ) -> None:
        notes: dict[str, str] = {}
        if how == "said":
            server.fate("fail", "The embedding result is no longer available and cannot be retrieved.")
        else:
            self.give(budget, encoder, video, notes)
            server.expire(notes["task"])
            notes["asked"] = (datetime.now(UTC) - timedelta(days=8)).isoformat()
            day[0] += timedelta(days=8)
        with pytest.raises(Unavailable, match="no longer has what it found"):
            self.give(budget, encoder, video, notes)
        assert len(server.tasks) == 1, "another was begun before it was counted"
        self.give(budget, encoder, video, notes)
        assert (len(server.tasks), self.tasks_counted(budget)) == (2, 2 if how == "said" else 1)

    @pytest.mark.parametrize("days_later", [0, 1])
    def test_one_that_could_not_read_an_address_costs_nothing(
        self,
        budget: Budget,
        encoder: TwelveLabsEncoder,
        server: TwelveLabsServer,
        path: Path,
        web: str,
        day: list[datetime],
        days_later: int,
    ) -> None:
        server.unreachable = (web,)
        video, notes = described(path, url=web), {}
        server.fail(status=503, method="GET", path="/embed-v2/tasks/")
        with pytest.raises(Unavailable, match="trouble of its own"):
            self.give(budget, encoder, video, notes)
        day[0] += timedelta(days=days_later)
        with pytest.raises(Unavailable, match="so it is sent from here"):
            self.give(budget, encoder, video, notes)
        self.give(budget, encoder, video, notes)
        assert (len(server.tasks), self.tasks_counted(budget)) == (2, 1)


class TestErrors:
    @pytest.mark.parametrize(
        ("fault", "kind", "said"),
        [
            ({"status": 401}, EncoderPaused, "does not know the key in TWELVE_LABS_API_KEY"),
            ({"status": 402, "says": "Add a card"}, EncoderPaused, r"Add a card\. Check the plan"),
            ({"status": 403, "says": "Usage limit reached"}, EncoderPaused, r"Usage limit reached\. .*TWELVE_LABS_API"),
            ({"status": 400, "says": "Not enough free credits"}, EncoderPaused, r"free credits\. Check the plan"),
            ({"status": 429, "says": "You exceeded your free plan"}, EncoderPaused, r"free plan\. Check the plan"),
            ({"status": 429, "says": "You have exceeded the rate limit (8 a minute)"}, Unavailable, "fewer requests"),
            ({"status": 429, "retry_after_s": 17}, Unavailable, "asks for fewer requests"),
            ({"status": 500}, Unavailable, r"trouble of its own \(500\)"),
            ({"status": 502}, Unavailable, r"trouble of its own \(502\)"),
            ({"status": 400, "says": "Nope"}, EncoderError, "refuses this file: Nope."),
            ({"kind": "html"}, EncoderError, "What answers is not TwelveLabs. Check TWELVELABS_BASE_URL"),
            ({"kind": "drop"}, Unavailable, "does not answer. Check TWELVELABS_BASE_URL"),
        ],
    )
    def test_each_is_one_sentence(
        self,
        encoder: TwelveLabsEncoder,
        server: TwelveLabsServer,
        video: Video,
        fault: dict[str, object],
        kind: type[AppError],
        said: str,
    ) -> None:
        server.fail(fault.pop("kind", "status"), method="POST", path="/assets", **fault)
        with pytest.raises(kind, match=said) as caught:
            encode(encoder, video)
        assert str(caught.value).endswith(".")
        if kind is Unavailable:
            assert caught.value.retry_after_s == fault.get("retry_after_s")

    def test_an_answer_in_another_form_is_said(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video
    ) -> None:
        server.fail(status=200, method="POST", path="/tasks")
        notes: dict[str, str] = {}
        with pytest.raises(EncoderError, match="in a form that this app does not know"):
            encode(encoder, video, notes)
        assert "asked" in notes

    def test_a_slow_service_is_said(
        self, encoder: TwelveLabsEncoder, server: TwelveLabsServer, video: Video, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(encoder._client._client_wrapper, "_timeout", 0.2)
        server.fail("hang", method="GET", path="/assets")
        with pytest.raises(Unavailable, match="does not answer in time"):
            encode(encoder, video)

    def test_no_secret_shows(
        self,
        make_encoder: MakeEncoder,
        server: TwelveLabsServer,
        path: Path,
        web: str,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        url = f"{web}?X-Amz-Signature=s3cr3t"
        said = f"cannot read {url} with {API_KEY}"
        with caplog.at_level(logging.DEBUG):
            encoder = make_encoder()
            for status in (400, 401, 403, 404, 429, 500):
                server.fail(status=status, says=said, method="POST", path="/tasks")
                with pytest.raises(AppError) as caught:
                    encode(encoder, described(path, url=url))
                shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
                assert API_KEY not in shown
                assert "s3cr3t" not in shown
            server.fate("fail", said)
            with pytest.raises(EncoderError) as caught:
                encode(encoder, described(path, url=url))
            assert "s3cr3t" not in str(caught.value)
            encode(make_encoder(direct_bytes=1000), described(path))
        assert API_KEY not in caplog.text
        assert "s3cr3t" not in caplog.text
        assert API_KEY not in repr(encoder)


class TestResults:
    INFO = MediaInfo(50.0, 1000, 640, 360, 0, 25.0, "mp4", "h264", "aac", "as-is")

    def row(self, start_s: float, end_s: float, at: int, scope: str = "clip", option: str = "fused") -> EmbeddingData:
        return EmbeddingData(
            embedding=[float(2 * (n == at)) for n in range(512)],
            embedding_option=option,
            embedding_scope=scope,
            start_sec=start_s,
            end_sec=end_s,
        )

    def test_a_long_video_is_the_mean_of_its_clips_by_their_length(self, encoder: TwelveLabsEncoder) -> None:
        rows = [self.row(30, 50, 1), self.row(0, 50, 2, "asset"), self.row(0, 30, 0)]
        found = encoder._embedding(rows, self.INFO)
        assert found.vector[:3] == pytest.approx(np.array([3, 2, 0]) / np.sqrt(13))
        assert [(clip.start_s, clip.end_s) for clip in found.clips] == [(0, 30), (30, 50)]

    def test_a_short_video_is_its_own_vector(self, encoder: TwelveLabsEncoder) -> None:
        rows = [self.row(0, 20, 0), self.row(0, 20, 2, "asset")]
        found = encoder._embedding(rows, replace(self.INFO, duration_s=20.0))
        assert found.vector[2] == 1
        assert found.clips[0].vector[0] == 1

    def test_what_was_seen_and_heard_is_brought_together(self, encoder: TwelveLabsEncoder) -> None:
        rows = [self.row(0, 50, 0, option="visual"), self.row(0, 50, 1, option="audio")]
        (clip,) = encoder._embedding(rows, self.INFO).clips
        assert clip.vector[:2] == pytest.approx([0.5**0.5, 0.5**0.5])

    def test_without_clips_the_whole_is_one(self, encoder: TwelveLabsEncoder) -> None:
        (clip,) = encoder._embedding([self.row(0, 50, 2, "asset")], self.INFO).clips
        assert (clip.start_s, clip.end_s) == (0.0, 50.0)

    def test_clips_that_overlap_or_reach_beyond_the_end_are_cut(self, encoder: TwelveLabsEncoder) -> None:
        rows = [self.row(0, 30, 0), self.row(29, 51, 1), self.row(51, 55, 2)]
        found = encoder._embedding(rows, self.INFO)
        assert [(clip.start_s, clip.end_s) for clip in found.clips] == [(0, 30), (30, 50)]

    @pytest.mark.parametrize("numbers", [[1.0] * 100, [0.0] * 512, [float("nan")] * 512])
    def test_what_is_no_vector_of_this_space_is_an_error(
        self, encoder: TwelveLabsEncoder, numbers: list[float]
    ) -> None:
        row = EmbeddingData(embedding=numbers, embedding_scope="clip", start_sec=0, end_sec=5)
        with pytest.raises(EncoderError, match=r"numbers where marengo3\.0 has 512"):
            encoder._embedding([row], self.INFO)
