"""Filling the space of another encoder beside the one that answers: whole, once, resumable, and swapped at the end."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.discover import taxonomy
from core.discover.search import Discover
from core.encoders.base import Encoder
from core.errors import EncoderError, QueryError, SettingsError
from core.index import base
from core.index.base import Space, to_payload
from core.ingest import reembed
from core.ingest.jobs import JobQueue
from core.ingest.reembed import Reembed
from core.ingest.work import Step
from core.library.spaces import Serving
from core.models import EncoderInfo, Entry, Job, Query, Stage
from core.state.sqlite import SqliteLedger
from core.stores.folder import FolderStore
from tests.fakes import FAKE_INFO, FakeEncoder, MemoryIndex, MemorySpaces
from tests.support import PATIENCE_S, GatedPipeline, finish, until
from tests.videos import make_video, plain

OLD = replace(FAKE_INFO, name="old-v1")
NEW = replace(FAKE_INFO, name="new-v2", dimension=48)
TITLES = [f"Film {number}" for number in range(6)]


class Home:
    """A library over fakes and a real store, opened as often as wanted with whichever encoder is set."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.spaces = MemorySpaces()
        self.encoders = {info.name: FakeEncoder(info) for info in (OLD, NEW)}
        self.store = FolderStore(root / "media")
        self._open: list[tuple[Reembed, JobQueue, GatedPipeline]] = []

    def open(self, configured: EncoderInfo) -> Home:
        """Open it as a new process would; what was open before is stopped."""
        self.close()
        self.serving = Serving(
            self.spaces,
            self.encoders[configured.name],
            encoder_of=lambda space: self.encoder(space.encoder),
            discover_over=lambda encoder, index: Discover(
                encoder=encoder, index=index, store=self.store, taxonomy=taxonomy.load()
            ),
        )
        self.pipeline = GatedPipeline(
            self.serving, self.store, work_dir=self.root / "work", max_bytes=10_000_000, sources={}
        )
        self.jobs = JobQueue(
            SqliteLedger(self.root / "jobs.sqlite3"), self.pipeline, spool_dir=self.root / "spool", backoff_s=(0.0,)
        )
        self.reembed = Reembed(self.serving, self.jobs, self.root / "reembed.json", self.encoder)
        self._open.append((self.reembed, self.jobs, self.pipeline))
        self.jobs.start()
        self.reembed.tend()
        return self

    def encoder(self, name: str) -> Encoder:
        if name not in self.encoders:
            raise SettingsError(f"{name} wants a key. Set it.")
        return self.encoders[name]

    def add(self, title: str, **beside: str) -> Job:
        number = sum(map(ord, title))
        path = self.root / f"{title}.mp4"
        make_video(path, seconds=1.2, size=(64, 36), fps=5, pattern=plain(number % 250, 60, number // 3 % 250))
        for ending, text in beside.items():
            path.with_name(f"{title}.{ending}").write_text(text)
        return finish(self.jobs, self.jobs.submit(path))[0]

    def contents(self, info: EncoderInfo) -> dict[str, str]:
        """Return the titles in the space of an encoder, by video id."""
        index = self.spaces.open(info)
        return {entry.video_id: entry.title for entry in index.scroll(scope="video")}

    def found(self, words: str) -> str:
        """Return the title of what answers these words best."""
        return self.serving.now.discover.search(Query(text=words)).hits[0].title

    def close(self) -> None:
        while self._open:
            reembed, jobs, pipeline = self._open.pop()
            pipeline.release()
            reembed.stop(PATIENCE_S)
            assert jobs.stop(PATIENCE_S)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A library that the old encoder filled, open with the new one set."""
    library = Home(tmp_path).open(OLD)
    for title in TITLES:
        assert library.add(title).stage is Stage.READY
    library.jobs.clear()
    yield library.open(NEW)
    library.close()


def test_all_videos_are_put_into_the_other_space_and_then_it_answers(home: Home) -> None:
    before, media = home.contents(OLD), sorted((home.root / "media").iterdir())
    assert home.reembed.status() is None
    plan = home.reembed.plan()
    assert (plan.encoder, plan.videos, plan.present) == (NEW, 6, 0)
    assert plan.seconds == pytest.approx(7.2, abs=0.1)
    assert home.serving.serving.name == "old-v1"

    home.reembed.start()
    until(lambda: not home.serving.is_behind)
    until(lambda: home.reembed.status() is None)
    assert home.contents(NEW) == home.contents(OLD) == before
    assert sorted(home.encoders["new-v2"].encoded) == sorted(f"{title}.mp4" for title in TITLES)
    assert home.found("3") == "Film 3"
    assert home.spaces.all() == [Space("new-v2", 48, True), Space("old-v1", 64, True)]
    assert sorted((home.root / "media").iterdir()) == media, "nothing is stored anew"
    assert home.jobs.jobs() == []
    assert [path for name in ("work", "spool") for path in (home.root / name).rglob("*")] == []
    assert not (home.root / "reembed.json").exists()


def test_never_more_than_some_videos_are_in_memory(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "AT_ONCE", 2)
    monkeypatch.setattr(reembed, "AHEAD", 2)
    monkeypatch.setattr(reembed, "AT_ONCE", 1)
    home.encoders["new-v2"].failures["Film 1.mp4"] = [EncoderError("It is too dark.")]
    scroll, wholes = MemoryIndex.scroll, []

    def counted(index: MemoryIndex, **asked: Any) -> Iterator[Entry]:
        if asked.get("scope") == "video" and not asked.keys() & {"content_sha256", "video_id", "where"}:
            wholes.append(asked.get("limit"))
        return scroll(index, **asked)

    monkeypatch.setattr(MemoryIndex, "scroll", counted)
    assert home.reembed.plan().videos == 6
    home.reembed.start()
    until(lambda: home.reembed.status().waits)
    assert [(s.done, s.total, len(s.failed)) for s in [home.reembed.status()]] == [(5, 6, 1)]
    home.reembed.start()
    until(lambda: home.reembed.status() is None)
    assert wholes, "it looks"
    assert all(limit is not None and limit <= 2 for limit in wholes)
    assert len(home.contents(NEW)) == 6


def test_what_the_library_says_of_a_video_is_taken_over(home: Home) -> None:
    home.open(OLD)
    subtitles = "1\n00:00:00,000 --> 00:00:01,000\nThe wolf sings\n"
    home.add("Mit Untertiteln", **{"de.srt": subtitles})
    (home.root / "Mit Untertiteln.de.srt").unlink()
    index = home.spaces.open(OLD)
    (entry,) = [entry for entry in index.scroll(scope="video") if entry.title == "Mit Untertiteln"]
    assert "The wolf sings" in entry.subtitles
    index.upsert([replace(one, title="An edited title") for one in index.scroll(video_id=entry.video_id)])
    heard: dict[str, tuple[str, str]] = {}
    home.encoders["new-v2"].before_video = lambda video: heard.update(
        {video.filename: (video.title, video.info.subtitles)}
    )
    home.open(NEW).reembed.start()
    until(lambda: not home.serving.is_behind)
    title, words = heard["Mit Untertiteln.mp4"]
    assert title == "An edited title"
    assert "The wolf sings" in words, "what the stored copy has lost is not lost"
    (old,), (new,) = (home.spaces.open(info).scroll(video_id=entry.video_id, scope="video") for info in (OLD, NEW))
    told = [to_payload(replace(one, encoder="", seen=(), end_s=0.0)) for one in (old, new)]
    assert told[0] == told[1]


class TestMeanwhile:
    def test_the_old_space_answers_and_what_is_added_goes_into_both(self, home: Home) -> None:
        home.pipeline.hold(Step.EMBED, "Film 5.mp4")
        home.reembed.start()
        assert home.pipeline.held.wait(PATIENCE_S)
        assert home.found("2") == "Film 2"
        late = home.add("Late arrival")
        assert late.stage is Stage.READY
        assert home.found("arrival") == "Late arrival"
        assert home.encoders["old-v1"].encoded[-1] == "Late arrival.mp4"
        home.pipeline.release()
        until(lambda: not home.serving.is_behind)
        assert home.found("arrival") == "Late arrival"
        assert home.contents(NEW) == home.contents(OLD)
        assert home.encoders["new-v2"].encoded.count("Late arrival.mp4") == 1

    def test_a_file_that_is_on_its_way_when_the_other_space_begins_to_answer_goes_into_both(self, home: Home) -> None:
        path = home.root / "Slow one.mp4"
        make_video(path, seconds=1.2, size=(64, 36), fps=5, pattern=plain(9, 9, 9))
        home.pipeline.hold(Step.INDEX, "Slow one.mp4")
        job = home.jobs.submit(path)
        assert home.pipeline.held.wait(PATIENCE_S)
        home.reembed.start()
        until(lambda: not home.serving.is_behind)
        home.pipeline.release()
        (job,) = finish(home.jobs, job)
        assert job.stage is Stage.READY
        assert home.contents(NEW)[job.video_id] == home.contents(OLD)[job.video_id] == "Slow one"
        for name in ("old-v1", "new-v2"):
            assert home.encoders[name].encoded.count("Slow one.mp4") == 1

    def test_what_is_deleted_meanwhile_does_not_come_back(self, home: Home) -> None:
        home.pipeline.hold(Step.EMBED, "Film 5.mp4")
        home.reembed.start()
        assert home.pipeline.held.wait(PATIENCE_S)
        ids = {title: video_id for video_id, title in home.contents(OLD).items()}
        until(lambda: ids["Film 0"] in home.contents(NEW))
        for title in ("Film 0", "Film 5"):
            home.serving.serving.index.delete(ids[title])
        home.pipeline.release()
        until(lambda: not home.serving.is_behind)
        assert sorted(home.contents(NEW).values()) == TITLES[1:5]
        assert home.jobs.jobs() == []

    def test_another_cannot_be_begun(self, home: Home) -> None:
        with pytest.raises(QueryError, match="answers already"):
            home.reembed.start(home.encoders["old-v1"])
        home.pipeline.hold(Step.EMBED)
        home.reembed.start()
        with pytest.raises(QueryError, match="Cancel that first"):
            home.reembed.start(FakeEncoder(replace(NEW, name="third-v1")))


class TestGoingOn:
    def test_cancelled_it_goes_on_from_there_and_pays_for_nothing_twice(self, home: Home) -> None:
        home.pipeline.hold(Step.INDEX, "Film 5.mp4")
        home.reembed.start()
        assert home.pipeline.held.wait(PATIENCE_S)
        until(lambda: home.reembed.status().done == 5)
        home.reembed.cancel()
        assert home.reembed.status() is None
        home.pipeline.release()
        until(lambda: all(job.stage.is_over for job in home.jobs.jobs()))
        assert (home.serving.serving.name, len(home.contents(NEW))) == ("old-v1", 5)
        assert home.spaces.all()[0] == Space("new-v2", 48, False)
        assert len(home.contents(OLD)) == len(list((home.root / "media").glob("*.mp4"))) == 6

        home.open(NEW)
        assert home.reembed.status() is None, "what was cancelled does not begin by itself"
        assert (home.reembed.plan().videos, home.reembed.plan().present) == (1, 5)
        home.reembed.start()
        until(lambda: not home.serving.is_behind)
        assert Counter(home.encoders["new-v2"].finished) == {f"{title}.mp4": 1 for title in TITLES}

    def test_after_a_restart_it_goes_on_by_itself(self, home: Home) -> None:
        home.pipeline.hold(Step.EMBED, "Film 5.mp4")
        home.reembed.start()
        assert home.pipeline.held.wait(PATIENCE_S)
        home.open(NEW)
        until(lambda: not home.serving.is_behind)
        assert home.contents(NEW) == home.contents(OLD)
        assert set(Counter(home.encoders["new-v2"].finished).values()) == {1}

    def test_a_restart_just_before_the_swap_still_swaps(self, home: Home) -> None:
        home.serving.complete = lambda lane, is_full: False  # the process ends here, again and again
        home.reembed.start()
        until(lambda: len(home.contents(NEW)) == 6 and not home.jobs.jobs())
        assert home.open(NEW).serving.serving.name == "old-v1"
        until(lambda: not home.serving.is_behind)

    def test_without_its_encoder_it_waits_and_says_why(self, home: Home) -> None:
        home.pipeline.hold(Step.EMBED)
        home.reembed.start()
        assert home.pipeline.held.wait(PATIENCE_S)
        new = home.encoders.pop("new-v2")
        home.open(OLD)
        until(lambda: home.reembed.status().problem == "new-v2 wants a key. Set it.")
        assert home.found("2") == "Film 2"
        assert not any(job.stage is Stage.FAILED for job in home.jobs.jobs())
        home.encoders["new-v2"] = new
        home.open(NEW)
        until(lambda: not home.serving.is_behind)

    def test_files_wait_for_an_encoder_that_cannot_be_had_and_go_where_it_is_gone_on_with(self, home: Home) -> None:
        old = home.encoders.pop("old-v1")
        home.open(NEW)
        path = home.root / "Waiting.mp4"
        make_video(path, seconds=1.2, size=(64, 36), fps=5, pattern=plain(1, 2, 3))
        job = home.jobs.submit(path)
        until(lambda: home.jobs.pause() is not None)
        assert home.jobs.job(job.id).reason == "old-v1 wants a key. Set it."
        home.reembed.start()
        until(lambda: not home.serving.is_behind)
        (job,) = finish(home.jobs, job)
        assert job.stage is Stage.READY
        assert home.contents(NEW)[job.video_id] == "Waiting"
        assert "Waiting.mp4" not in old.encoded

    def test_going_back_needs_only_what_is_missing(self, home: Home) -> None:
        home.reembed.start()
        until(lambda: not home.serving.is_behind)
        home.add("Newest film")
        assert home.open(OLD).serving.serving.name == "new-v2", "the old space has been left behind"
        assert (home.reembed.plan().videos, home.reembed.plan().present) == (1, 6)
        home.encoders["old-v1"].encoded.clear()
        home.reembed.start()
        until(lambda: not home.serving.is_behind)
        assert home.encoders["old-v1"].encoded == ["Newest film.mp4"]
        assert home.serving.serving.name == "old-v1"


class TestFailures:
    def test_a_copy_that_is_gone_is_said_and_the_rest_goes_on(self, home: Home) -> None:
        ids = {title: video_id for video_id, title in home.contents(OLD).items()}
        gone = home.root / "media" / f"{ids['Film 2']}.mp4"
        data = gone.read_bytes()
        gone.unlink()
        home.reembed.start()
        until(lambda: home.reembed.status().waits)
        status = home.reembed.status()
        assert (status.done, status.total) == (5, 6)
        assert [(job.filename, job.stage) for job in status.failed] == [("Film 2.mp4", Stage.FAILED)]
        assert "stored copy is gone" in status.failed[0].reason
        assert home.serving.is_behind, "not complete, and nobody said to go on without it"

        gone.write_bytes(data)
        home.jobs.retry(status.failed[0].id)
        until(lambda: not home.serving.is_behind)
        assert home.contents(NEW) == home.contents(OLD)

    def test_a_person_may_go_on_without_it(self, home: Home) -> None:
        home.encoders["new-v2"].failures["Film 2.mp4"] = [EncoderError("It cannot be read.")] * 9
        home.reembed.start()
        until(lambda: home.reembed.status().waits)
        late = home.add("Late arrival")
        home.reembed.go_on_without()
        until(lambda: not home.serving.is_behind)
        assert sorted(home.contents(NEW).values()) == sorted([*TITLES[:2], *TITLES[3:], "Late arrival"])
        assert late.video_id in home.contents(NEW)
        assert "Film 2" in home.contents(OLD).values(), "it stays where it was"
        assert home.jobs.jobs(), "what was added is still listed"
        assert not any(job.reembeds for job in home.jobs.jobs())

    def test_the_store_and_the_old_space_are_left_alone_by_what_fails(self, home: Home) -> None:
        media, before = sorted((home.root / "media").iterdir()), home.contents(OLD)
        home.encoders["new-v2"].failures["Film 2.mp4"] = [EncoderError("It cannot be read.")]
        home.reembed.start()
        until(lambda: home.reembed.status().waits)
        assert sorted((home.root / "media").iterdir()) == media
        assert home.contents(OLD) == before

    def test_starting_again_retries_what_failed(self, home: Home) -> None:
        home.encoders["new-v2"].failures["Film 2.mp4"] = [EncoderError("It cannot be read.")]
        home.reembed.start()
        until(lambda: home.reembed.status().waits)
        home.reembed.start()
        until(lambda: not home.serving.is_behind)


class TestPaid:
    @pytest.fixture
    def home(self, home: Home) -> Home:
        home.encoders["new-v2"].info = replace(NEW, paid=True, parallel=3)
        return home.open(NEW)

    def test_its_own_number_of_videos_waits_for_the_service(self, home: Home) -> None:
        together, most = threading.Semaphore(0), []
        working: set[str] = set()

        def wait(video: object) -> None:
            working.add(threading.current_thread().name)
            most.append(len(working))
            together.acquire(timeout=PATIENCE_S)
            working.discard(threading.current_thread().name)

        home.encoders["new-v2"].before_video = wait
        home.reembed.start()
        until(lambda: len(working) == 3)
        local = home.add("Added meanwhile")
        assert local.stage is Stage.READY, "who waits for a service keeps nobody from work"
        for _ in range(20):
            together.release()
        until(lambda: not home.serving.is_behind)
        assert max(most) == 3


def test_the_speed_is_measured(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.pipeline.hold(Step.EMBED, "Film 5.mp4")
    home.reembed.start()
    assert home.pipeline.held.wait(PATIENCE_S)
    until(lambda: home.reembed.status().done == 5)
    going = home.reembed._going
    monkeypatch.setattr(home.reembed, "_clock", lambda: going.began + 60.0)
    assert home.reembed.status().left_s == pytest.approx(60 / 5, rel=0.05)
