"""The cloud path as a whole, through crashes, storms and outages: every job ready, nobody's help, each video paid once.

Run as a program this file is the nursery of lives that are killed; each goes on with what is in a folder.
"""

from __future__ import annotations

import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from core import doctor, services
from core.discover import taxonomy
from core.discover.search import Discover
from core.encoders.twelvelabs import TwelveLabsEncoder
from core.index.base import Index
from core.index.edge import EdgeIndex
from core.index.edge_spaces import EdgeSpaces
from core.index.server import ServerIndex
from core.ingest.jobs import JobQueue
from core.ingest.lanes import OneLane
from core.ingest.pipeline import Pipeline
from core.ingest.reembed import Reembed
from core.library.spaces import Serving
from core.models import Job, Query, Stage
from core.settings import Settings
from core.state.sqlite import SqliteLedger
from core.stores.base import Store
from core.stores.folder import FolderStore
from core.stores.s3 import S3Store
from tests.fakes import FAKE_INFO, FakeEncoder
from tests.nursery import Nursery, serve
from tests.servers.qdrant import QdrantServer
from tests.servers.s3 import ACCESS_KEY, CLEAN_ENVIRONMENT, REGION, SECRET_KEY, S3Server
from tests.servers.twelvelabs import API_KEY, TwelveLabsServer
from tests.videos import make_video, plain

FILES = 20
KILLS = 10
PATIENCE_S = 200.0
OLD = replace(FAKE_INFO, name="old-v1")
BACKOFF_S = (0.1, 0.2, 0.4)
PROBE_S = (0.3, 0.6)
SETTLE_S = 0.6


def make_files(folder: Path, count: int) -> list[Path]:
    """Make videos within TwelveLabs's limits, each of its own colour and so of its own content."""
    folder.mkdir()
    return [
        make_video(
            folder / f"film {n}.mp4", seconds=4.5, size=(480, 360), fps=2, pattern=plain(11 * n, 99, 250 - 11 * n)
        )
        for n in range(count)
    ]


def make_encoder(folder: Path, url: str, parallel: int = 4) -> TwelveLabsEncoder:
    return TwelveLabsEncoder(
        API_KEY, base_url=url, parallel=parallel, scratch_dir=folder / "work" / "fitted", settle_s=SETTLE_S
    )


@dataclass
class Cloud:
    """One queue over whichever services a test wants."""

    encoder: TwelveLabsEncoder
    store: Store
    index: Index
    queue: JobQueue

    def close(self) -> None:
        self.queue.stop(10)
        self.index.close()


def open_cloud(folder: Path, url: str, *, store: Store | None = None, make_index: Callable | None = None) -> Cloud:
    encoder = make_encoder(folder, url)
    store = store or FolderStore(folder / "media")
    index = make_index(encoder.info) if make_index else EdgeIndex(folder / "index", encoder.info)
    pipeline = Pipeline(OneLane(encoder, index), store, work_dir=folder / "work", max_bytes=10_000_000, sources={})
    queue = JobQueue(
        SqliteLedger(folder / "jobs.sqlite3"),
        pipeline,
        spool_dir=folder / "spool",
        backoff_s=BACKOFF_S,
        probe_s=PROBE_S,
    )
    return Cloud(encoder, store, index, queue)


def check_ready(cloud: Cloud, server: TwelveLabsServer, count: int) -> None:
    """Assert that every video is in the library, once, and was paid for once."""
    jobs = cloud.queue.jobs()
    assert Counter(job.stage for job in jobs) == {Stage.READY: count}, [job.reason for job in jobs]
    assert len({job.video_id for job in jobs}) == count
    assert cloud.index.count().videos == count
    assert len(server.tasks) == count


@pytest.fixture
def server() -> Iterator[TwelveLabsServer]:
    with TwelveLabsServer(seconds_per_task=0.3) as server:
        yield server


def killed(what: str, folder: Path, server: TwelveLabsServer) -> int:
    """Kill lives at random moments, one after the other, and let the last come to its end; return how many it was."""
    moments, kills = random.Random(4), 0
    with Nursery("tests.test_cloud") as nursery:
        for _ in range(KILLS):
            requests = len(server.seen) + moments.randrange(1, 16)
            with nursery.life(what, str(folder), server.url) as life:
                while not life.is_over(0.002):
                    if len(server.seen) >= requests and not life.is_over(moments.uniform(0, 0.15)):
                        kills += 1
                        break
        with nursery.life(what, str(folder), server.url) as life:
            assert life.is_over(2 * PATIENCE_S)
    return kills


class TestKills:
    def test_twenty_videos_outlive_kills_at_random_moments(self, server: TwelveLabsServer, tmp_path: Path) -> None:
        make_files(tmp_path / "inbox", FILES)
        server.seconds_per_task = 0.8
        # A task comes about while its request hangs, and its answer hangs again: many kills fall into that window.
        server.fail("slow", method="POST", path="/tasks", seconds=0.1, times=10_000)
        kills = killed("ingest", tmp_path, server)
        assert kills >= KILLS // 3, "most lives came to their end by themselves: kill earlier"
        assert server.count("GET", "/embed-v2/tasks") > 0, "no kill fell between a task and its id"
        cloud = open_cloud(tmp_path, server.url)
        check_ready(cloud, server, FILES)
        cloud.close()
        leftovers = [path for name in ("work", "spool") for path in (tmp_path / name).rglob("*") if path.is_file()]
        assert leftovers == []


class TestReembedding:
    def test_twenty_videos_are_paid_for_once_whatever_is_killed(self, server: TwelveLabsServer, tmp_path: Path) -> None:
        filled_by = FakeEncoder(OLD)
        index = EdgeSpaces(tmp_path).make(OLD, complete=True)
        pipeline = Pipeline(
            OneLane(filled_by, index),
            FolderStore(tmp_path / "media"),
            work_dir=tmp_path / "work",
            max_bytes=10_000_000,
            sources={},
        )
        queue = JobQueue(SqliteLedger(tmp_path / "jobs.sqlite3"), pipeline, spool_dir=tmp_path / "spool")
        jobs = [queue.submit(path) for path in make_files(tmp_path / "inbox", FILES)]
        queue.start()
        queue.wait([job.id for job in jobs], PATIENCE_S)
        queue.clear()
        queue.stop(10)
        index.close()

        server.seconds_per_task = 0.8
        server.fail("slow", method="POST", path="/tasks", seconds=0.1, times=10_000)
        kills = killed("reembed", tmp_path, server)
        assert kills >= KILLS // 3, "most lives came to their end by themselves: kill earlier"
        spaces = EdgeSpaces(tmp_path)
        new = make_encoder(tmp_path, server.url).info
        assert {space.encoder for space in spaces.all() if space.complete} == {OLD.name, new.name}
        videos = []
        for info in (OLD, new):
            index = spaces.open(info)
            videos.append({entry.video_id: entry.filename for entry in index.scroll(scope="video")})
            assert index.count().videos == FILES
            index.close()
        assert videos[0] == videos[1]
        assert len(server.tasks) == FILES, "each was paid for once"


def live(folder: Path, url: str) -> None:
    """One process's worth of work."""
    cloud = open_cloud(folder, url)
    queue = cloud.queue
    taken = {job.filename for job in queue.jobs()}
    for path in sorted((folder / "inbox").iterdir()):
        if path.name not in taken:
            with path.open("rb") as file:
                queue.receive(file, path.name)
    queue.start()
    queue.wait([job.id for job in queue.jobs()], timeout_s=PATIENCE_S)
    cloud.close()


def live_reembedding(folder: Path, url: str) -> None:
    """One process's worth of re-embedding a library that another encoder filled."""
    encoder, store = make_encoder(folder, url), FolderStore(folder / "media")
    serving = Serving(
        EdgeSpaces(folder),
        encoder,
        encoder_of=lambda space: FakeEncoder(OLD),
        discover_over=lambda encoder, index: Discover(
            encoder=encoder, index=index, store=store, taxonomy=taxonomy.load()
        ),
    )
    pipeline = Pipeline(serving, store, work_dir=folder / "work", max_bytes=10_000_000, sources={})
    queue = JobQueue(SqliteLedger(folder / "jobs.sqlite3"), pipeline, spool_dir=folder / "spool", backoff_s=BACKOFF_S)
    reembed = Reembed(serving, queue, folder / "reembed.json", lambda name: encoder)
    queue.start()
    reembed.tend()
    if serving.is_behind:
        reembed.start()
    deadline = time.monotonic() + PATIENCE_S
    while reembed.status() is not None and time.monotonic() < deadline:
        next(serving.serving.index.scroll(scope="video"))
        time.sleep(0.02)
    reembed.stop(10)
    queue.stop(10)
    serving.close()


class TestStormsAndOutages:
    def test_a_storm_of_429_is_sat_out(self, server: TwelveLabsServer, tmp_path: Path) -> None:
        server.fail(status=429, retry_after_s=0.2, times=80)
        cloud = open_cloud(tmp_path, server.url)
        jobs = [cloud.queue.submit(path) for path in make_files(tmp_path / "inbox", 8)]
        cloud.queue.start()
        reasons = watch(cloud.queue, jobs)
        assert "TwelveLabs asks for fewer requests. Trying again now." in reasons
        check_ready(cloud, server, 8)
        cloud.close()

    def test_the_service_itself_may_break_at_every_call(self, server: TwelveLabsServer, tmp_path: Path) -> None:
        dice = random.Random(7)
        for _ in range(60):
            kind = dice.choice(["status", "drop", "lose"])
            server.fail(kind, status=dice.choice([500, 502, 503]), skip=dice.randrange(6))
        cloud = open_cloud(tmp_path, server.url)
        jobs = [cloud.queue.submit(path) for path in make_files(tmp_path / "inbox", 8)]
        cloud.queue.start()
        watch(cloud.queue, jobs)
        check_ready(cloud, server, 8)
        cloud.close()

    def test_each_service_may_be_away_in_turn(
        self, server: TwelveLabsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in CLEAN_ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        with S3Server() as s3, QdrantServer() as qdrant:
            bucket = s3.make_bucket()
            store = S3Store(bucket, region=REGION, endpoint_url=s3.url, access_key=ACCESS_KEY, secret_key=SECRET_KEY)

            def make_index(info: object) -> ServerIndex:
                return ServerIndex(qdrant.url, None, "content_collection", info)

            cloud = open_cloud(tmp_path, server.url, store=store, make_index=make_index)
            files = iter(make_files(tmp_path / "inbox", 12))
            cloud.queue.start()
            reasons: set[str] = set()
            jobs: list[Job] = []
            for away in (server, s3, qdrant):
                jobs += [cloud.queue.submit(next(files)) for _ in range(2)]
                reasons |= watch(cloud.queue, jobs, until_s=0.3)
                away.stop()
                jobs += [cloud.queue.submit(next(files)) for _ in range(2)]
                reasons |= watch(cloud.queue, jobs, until_s=1.5)
                assert Counter(job.stage for job in cloud.queue.jobs())[Stage.READY] < len(jobs), "nobody missed it"
                away.start()
                reasons |= watch(cloud.queue, jobs)
            check_ready(cloud, server, 12)
            assert any(reason.startswith("TwelveLabs does not answer.") for reason in reasons), reasons
            assert all("Trying again" in reason for reason in reasons), reasons
            assert (server.received_bytes, server.assets) == (0, {}), "the bytes travelled to TwelveLabs a second time"
            assert len(s3.client.list_objects_v2(Bucket=bucket)["Contents"]) == 2 * 12
            cloud.close()

    def test_s3_may_fail_in_the_middle_of_an_upload(
        self, server: TwelveLabsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in CLEAN_ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        with S3Server() as s3:
            s3.fail("drop", operation="PutObject", times=12)
            s3.fail(code="SlowDown", operation="PutObject", skip=2, times=6)
            bucket = s3.make_bucket()
            store = S3Store(bucket, region=REGION, endpoint_url=s3.url, access_key=ACCESS_KEY, secret_key=SECRET_KEY)
            cloud = open_cloud(tmp_path, server.url, store=store)
            jobs = [cloud.queue.submit(path) for path in make_files(tmp_path / "inbox", 4)]
            cloud.queue.start()
            watch(cloud.queue, jobs)
            check_ready(cloud, server, 4)
            cloud.close()


class TestAPausedEncoder:
    """A key that is revoked, a plan that is used up: nobody's video is at fault, and none may fail of it."""

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_key_revoked_in_the_middle_of_a_batch(
        self, server: TwelveLabsServer, tmp_path: Path, status: int
    ) -> None:
        cloud = open_cloud(tmp_path, server.url)
        jobs = [cloud.queue.submit(path) for path in make_files(tmp_path / "inbox", 20)]
        cloud.queue.start()
        until(lambda: cloud.queue.counts()[Stage.READY] >= 4)
        server.refuse(status)
        until(lambda: cloud.queue.pause() is not None and cloud.queue.counts()[Stage.EMBEDDING] == 0)
        refused = len(server.seen)
        time.sleep(1.0)
        assert len(server.seen) - refused <= 3, "each job knocks by itself"
        counts = cloud.queue.counts()
        assert (counts[Stage.FAILED], counts[Stage.CANCELLED]) == (0, 0)
        waiting = [job for job in cloud.queue.jobs() if job.stage is Stage.QUEUED]
        assert len(waiting) >= 4
        assert all("Check" in job.reason or "Copy" in job.reason for job in waiting)
        stored = [job for job in waiting if job.media_key and cloud.store.exists(job.media_key)]
        assert len(stored) == len(waiting), "what was stored was thrown away"
        server.refuse(None)
        watch(cloud.queue, jobs)
        assert cloud.queue.pause() is None
        check_ready(cloud, server, 20)
        cloud.close()

    def test_a_pause_outlives_a_restart(self, server: TwelveLabsServer, tmp_path: Path) -> None:
        server.refuse(401)
        cloud = open_cloud(tmp_path, server.url)
        jobs = [cloud.queue.submit(path) for path in make_files(tmp_path / "inbox", 3)]
        cloud.queue.start()
        until(lambda: cloud.queue.pause() is not None and cloud.queue.pause().waiting == 3)
        cloud.close()
        again = open_cloud(tmp_path, server.url)
        assert any("does not know the key" in (job.reason or "") for job in again.queue.jobs()), "doctor cannot say it"
        server.refuse(None)
        again.queue.start()
        watch(again.queue, jobs)
        check_ready(again, server, 3)
        again.close()


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def watch(queue: JobQueue, jobs: list[Job], until_s: float = PATIENCE_S) -> set[str]:
    """Wait until these jobs are over, or for so long, and return the reasons that showed on their rows meanwhile."""
    reasons: set[str] = set()
    deadline = time.monotonic() + until_s
    while time.monotonic() < deadline:
        shown = queue.wait([job.id for job in jobs], timeout_s=0.03)
        reasons |= {job.reason for job in shown if job.reason}
        if all(job.stage.is_over for job in shown):
            break
    return reasons


class TestWired:
    """What core.services makes of the settings."""

    def test_doctor_says_what_waits_and_why(
        self, server: TwelveLabsServer, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(doctor, "load", lambda: settings)
        server.refuse(403)
        built = services.build(settings)
        for path in make_files(tmp_path / "inbox", 2):
            built.jobs.submit(path)
        built.jobs.start()
        until(lambda: built.jobs.pause() is not None and built.jobs.pause().waiting == 2)
        built.close()
        lines: list[str] = []
        assert doctor.run(lines.append) == 1
        assert any(line.startswith("✗ encoder") and "No minutes left. Check the plan" in line for line in lines), lines
        assert any(line.startswith("✓ queue: files on their way: 2;") and "No minutes" in line for line in lines), lines
        server.refuse(None)
        assert doctor.run(lines.append) == 0
        join_reading()

    @pytest.fixture
    def settings(self, server: TwelveLabsServer, tmp_path: Path) -> Settings:
        return Settings(
            data_dir=tmp_path / "data",
            encoder="twelvelabs",
            twelvelabs_api_key=API_KEY,
            twelvelabs_base_url=server.url,
            twelvelabs_concurrency=3,
        )

    def test_doctor_says_whether_twelvelabs_reads_the_store(
        self, server: TwelveLabsServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in CLEAN_ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        with S3Server() as s3:
            bucket = s3.make_bucket()
            keys = {"aws_access_key": ACCESS_KEY, "aws_secret_key": SECRET_KEY, "aws_region": REGION}
            there = replace(settings, aws_bucket=bucket, aws_endpoint_url=s3.url, **keys)
            monkeypatch.setattr(doctor, "load", lambda: there)
            lines: list[str] = []
            assert doctor.run(lines.append) == 0
            assert "✓ encoder reads the store: a file was read by its address" in lines
            server.unreachable = (s3.url,)
            lines.clear()
            assert doctor.run(lines.append) == 0
            assert any(line.startswith("! encoder reads the store: TwelveLabs cannot read") for line in lines), lines
            assert server.assets == {}
            assert "Contents" not in s3.client.list_objects_v2(Bucket=bucket)
        join_reading()

    def test_pressing_a_category_or_a_mood_costs_no_call(self, server: TwelveLabsServer, settings: Settings) -> None:
        first = services.build(settings)
        join_reading()
        first.close()
        asked = sorted(server.texts)
        assert len(asked) == len(set(asked)) > 50
        again = services.build(settings)
        for category in again.taxonomy.categories:
            again.discover.search(Query(categories=(category.id,)))
        for mood in again.taxonomy.moods:
            again.discover.search(Query(moods=(mood.id,)))
        again.discover.search(Query(text="a grey wolf"))
        again.discover.search(Query(text="a grey wolf"))
        again.close()
        assert sorted(server.texts) == sorted([*asked, "a grey wolf"])

    def test_a_library_that_was_begun_fused_goes_on_so(self, settings: Settings, server: TwelveLabsServer) -> None:
        def opened(marengo_embeddings: str) -> str:
            built = services.build(replace(settings, marengo_embeddings=marengo_embeddings))
            name = built.encoder.info.name
            built.close()
            join_reading()
            return name

        assert opened("fused") == opened("auto") == "twelvelabs/marengo3.0"
        shutil.rmtree(settings.data_dir)
        assert opened("auto") == opened("auto") == "twelvelabs/marengo3.0-vat"

    def test_the_settings_reach_the_encoder(self, settings: Settings) -> None:
        built = services.build(settings)
        assert (built.encoder.info.name, built.encoder.info.parallel) == ("twelvelabs/marengo3.0-vat", 3)
        assert API_KEY not in repr(built)
        join_reading()
        built.close()


def join_reading() -> None:
    for thread in threading.enumerate():
        if thread.name == "read-ahead":
            thread.join(PATIENCE_S)


if __name__ == "__main__":
    lives = {"ingest": live, "reembed": live_reembedding}
    serve(lambda what, folder, url: lives[what](Path(folder), url))
