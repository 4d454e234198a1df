"""Which job takes its next step: bounded by workers, encoders and disk, and never held up by one that waits."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from core.errors import Unavailable
from core.ingest import scheduling
from core.ingest.pipeline import Step, Work
from core.ingest.scheduling import BACKOFF_S, LOOKAHEAD, Row
from core.ingest.working import FLUSH_EVERY_S
from core.models import MediaInfo, Stage, Video
from tests.fakes import FAKE_INFO, FakeEncoder
from tests.support import PATIENCE_S, Library, fail_with, finish, until


class TestWorkers:
    def test_no_more_videos_are_encoded_together_than_the_encoder_wants(self, library: Library) -> None:
        library.encoder = FakeEncoder(replace(FAKE_INFO, parallel=2))
        together: list[int] = []
        inside, pair = threading.Semaphore(0), threading.Barrier(2)

        def count(video: Video) -> None:
            inside.release()
            together.append(inside._value)
            pair.wait(PATIENCE_S)  # two do come together, however slow the machine is
            time.sleep(0.01)  # for a third to come, if it may
            inside.acquire()

        library.encoder.before_video = count
        library.make_pipeline()
        paths = [library.video(f"{number}.mp4", number) for number in range(6)]  # before any of them is worked on
        queue = library.open(workers=5)
        finish(queue, *map(queue.submit, paths))
        assert max(together) == 2

    def test_a_busy_encoder_keeps_nothing_from_being_checked_and_stored(self, library: Library) -> None:
        library.encoder = FakeEncoder(replace(FAKE_INFO, parallel=1))
        library.make_pipeline()
        library.pipeline.hold(Step.EMBED)
        queue = library.open(workers=2)
        queue.submit(library.video("0.mp4"))
        assert library.pipeline.held.wait(PATIENCE_S)
        others = [queue.submit(library.video(f"{number}.mp4", number)) for number in range(1, LOOKAHEAD + 3)]

        def stages() -> list[tuple[Stage, float]]:
            return [(queue.job(job.id).stage, queue.job(job.id).progress) for job in others]

        until(lambda: stages() == [(Stage.STORING, 1.0)] * LOOKAHEAD + [(Stage.CHECKING, 1.0)] * 2)
        library.pipeline.release()
        assert all(job.stage is Stage.READY for job in finish(queue))

    def test_time_spent_waiting_is_not_counted(self, library: Library) -> None:
        now = [100.0]
        queue = library.open(start=False, clock=lambda: now[0])
        job = queue.submit(library.video("a.mp4"))
        now[0] += 1000.0

        def work(work: Work) -> None:
            now[0] += 7.0 if work.step is Step.EMBED else 0.0

        library.pipeline.before = work
        queue.start()
        (job,) = finish(queue)
        assert job.elapsed_s == pytest.approx(7.0)

    def test_progress_goes_to_disk_seldom(self, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
        now = [100.0]
        queue = library.open(start=False, clock=lambda: now[0])
        queue.submit(library.video("a.mp4"))
        row = next(iter(queue._rows.values()))
        saves: list[object] = []
        monkeypatch.setattr(queue._ledger, "save", lambda columns: saves.append(columns()))
        report = queue._reporter(row)
        for _ in range(100):
            now[0] += FLUSH_EVERY_S / 10
            report(0.5)
        assert len(saves) == pytest.approx(10, abs=1)


class TestAPaidEncoder:
    def test_waiting_for_a_paid_encoder_takes_no_hands_from_other_files(self, library: Library) -> None:
        library.encoder.info = replace(FAKE_INFO, paid=True, parallel=3)
        queue = library.open(workers=1)
        library.pipeline.hold(Step.EMBED)
        for number in range(5):
            queue.submit(library.video(f"{number}.mp4", number))
        until(lambda: sum(row.work.step is Step.EMBED for row in queue._open.values()) == 5)
        until(lambda: [row.busy for row in queue._open.values()] == [True, True, True, False, False])
        waits = queue.to_encode()
        assert (round(waits.seconds, 1), waits.unchecked) == (6.0, 0)
        library.pipeline.release()
        assert {job.stage for job in finish(queue)} == {Stage.READY}
        assert queue.to_encode().seconds == 0

    def test_what_a_batch_costs_is_known_before_a_paid_encoder_begins(self, library: Library) -> None:
        library.encoder.info = replace(FAKE_INFO, paid=True, parallel=3)
        queue = library.open(start=False, workers=2)
        for number in range(4):
            queue.submit(library.video(f"{number}.mp4", number))
        queue.start()
        assert {job.stage for job in finish(queue)} == {Stage.READY}
        steps = [step for step, _ in library.pipeline.ran]
        last_check = max(place for place, step in enumerate(steps) if step is Step.INSPECT)
        assert Step.EMBED not in steps[:last_check]

    def test_a_paid_encoder_brings_no_more_hands(self, library: Library) -> None:
        library.encoder.info = replace(FAKE_INFO, paid=True, parallel=3)
        queue = library.open(start=False, workers=1)
        library.pipeline.hold(Step.INSPECT)
        for number in range(4):
            queue.submit(library.video(f"{number}.mp4", number))
        assert queue.to_encode().unchecked == 4
        queue.start()
        until(library.pipeline.held.is_set)
        assert sum(row.busy for row in queue._open.values()) == 1
        library.pipeline.release()
        finish(queue)


class TestPauses:
    def test_a_service_that_says_when_is_asked_then(self, library: Library) -> None:
        queue = library.open(start=False, backoff_s=BACKOFF_S)
        row = queue._open[queue.submit(library.video("a.mp4")).id]
        before = time.monotonic()
        queue._put_off(row, Unavailable("Too many requests.", retry_after_s=300))
        assert 300 <= row.not_before - before <= 361
        assert row.reason in [f"Too many requests. Trying again in {minutes} min." for minutes in (5, 6)]

    def test_a_store_that_is_away_is_not_asked_for_all_files_at_once(
        self, library: Library, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*args: object) -> None:
            raise Unavailable("The store is away.")

        monkeypatch.setattr(library.store, "put", refuse)
        queue = library.open(backoff_s=(3600.0,))
        for number in range(LOOKAHEAD + 4):
            queue.submit(library.video(f"{number}.mp4", number))
        rows = queue._open.values()
        until(lambda: all(row.work.step is Step.STORE and not row.busy for row in rows))
        until(lambda: sum(row.tries for row in rows) >= LOOKAHEAD)
        assert sum(row.tries for row in rows) <= LOOKAHEAD + 1

    def test_while_a_service_is_away_other_files_go_on(self, library: Library) -> None:
        library.encoder.failures = fail_with(Unavailable("It sleeps."))
        queue = library.open(workers=1, backoff_s=(3600.0,))
        waits, goes = queue.submit(library.video("a.mp4")), queue.submit(library.video("b.mp4", 1))
        finish(queue, goes)
        shown = queue.job(waits.id)
        assert shown.stage is Stage.EMBEDDING
        assert shown.reason.startswith("It sleeps. Trying again in ")
        assert queue.cancel(waits.id).stage is Stage.CANCELLED

    def test_pauses_grow_and_stay_at_the_longest(self, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(scheduling.random, "uniform", lambda low, high: (low + high) / 2)
        queue = library.open(start=False, backoff_s=BACKOFF_S)
        row = queue._open[queue.submit(library.video("a.mp4")).id]
        pauses = []
        for _ in range(8):
            before = time.monotonic()
            queue._put_off(row, Unavailable("It sleeps."))
            pauses.append(round(row.not_before - before))
        assert pauses == [2, 4, 8, 15, 30, 60, 60, 60]
        assert row.reason == "It sleeps. Trying again in 60 s."


class TestWrittenDown:
    @pytest.mark.parametrize(("stage", "kept"), [(Stage.READY, False), (Stage.FAILED, True), (Stage.EMBEDDING, True)])
    def test_what_an_earlier_release_kept_of_a_ready_one_is_cut_and_what_a_retry_needs_is_not(
        self, stage: Stage, kept: bool
    ) -> None:
        info = MediaInfo(9.0, 4096, 64, 36, 0, 5.0, "mp4", "h264", None, "as-is", {"title": "Wolf"})
        said = replace(info, subtitles="Howl", subtitle_languages=("en",), captions=(("en", "WEBVTT"),))
        row = Row(1, "2026-11-26T10:00:00.000+00:00", Work("1", "/a.mp4", "a.mp4", step=Step.TIDY, info=said), stage)
        cut = replace(info, subtitle_languages=("en",))
        assert Row.of(row.record(0.0)).work == replace(row.work, info=said if kept else cut)
