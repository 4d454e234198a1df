from __future__ import annotations

import errno
import io
import logging
import os
import threading
import time
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from core.errors import EncoderError, EncoderPaused, LibraryError, NotToday, StoreError, Unavailable
from core.ingest.pipeline import Step, Work
from core.models import Entry, Stage, Video
from core.state.sqlite import SqliteLedger
from tests.fakes import FAKE_INFO, FakeEncoder
from tests.support import PATIENCE_S, Library, fail_with, finish, until


class TestOneFile:
    def test_it_ends_ready_with_all_that_is_known(self, library: Library) -> None:
        path = library.video("Grey wolf.mp4")
        queue = library.open()
        (job,) = finish(queue, queue.submit(path))

        assert (job.stage, job.progress, job.overall) == (Stage.READY, 1.0, 1.0)
        assert (job.filename, job.reason, job.duplicate) == ("Grey wolf.mp4", None, False)
        assert job.seen == ("grey", "wolf")
        assert job.media_key == f"{job.video_id}.mp4"
        assert job.media_key in library.store.blobs
        assert job.elapsed_s > 0
        assert [entry.video_id for entry in library.index.scroll(scope="video")] == [job.video_id]
        assert path.exists()
        assert library.leftovers() == []

    def test_it_goes_through_the_stages_in_order(self, library: Library) -> None:
        queue = library.open(start=False)
        job = queue.submit(library.video("a.mp4"))
        seen: list[Stage] = [job.stage]

        def look(work: Work) -> None:
            seen.append(queue.job(work.job_id).stage)

        library.pipeline.before = look
        queue.start()
        finish(queue)
        assert list(dict.fromkeys(seen)) == [
            Stage.QUEUED,
            Stage.CHECKING,
            Stage.STORING,
            Stage.EMBEDDING,
            Stage.INDEXING,
        ]

    def test_its_progress_shows_and_never_runs_back(self, library: Library) -> None:
        queue = library.open()
        library.pipeline.hold(Step.EMBED)
        job = queue.submit(library.video("a.mp4"))
        until(lambda: queue.job(job.id).stage is Stage.EMBEDDING)
        until(lambda: queue.job(job.id).progress == pytest.approx(0.1))
        assert 0.5 < queue.job(job.id).overall < 0.6
        library.pipeline.release()
        (job,) = finish(queue)
        assert job.overall == 1.0

    def test_a_name_of_a_source_is_made_by_it(self, library: Library) -> None:
        scene = library.video("scene.mp4").read_bytes()

        def render(name: str, target: Path, on_progress: object) -> None:
            target.write_bytes(scene)

        library.make_pipeline(sources={"sample": render})
        queue = library.open()
        (job,) = finish(queue, queue.submit("sample:fox"))
        assert (job.stage, job.filename) == (Stage.READY, "fox.mp4")
        assert library.leftovers() == []

    def test_a_file_that_is_being_made_is_said_to_be_drawn_and_a_persons_is_not(self, library: Library) -> None:
        scene = library.video("scene.mp4").read_bytes()
        seen: list[tuple[Stage, bool]] = []

        def render(name: str, target: Path, on_progress: object) -> None:
            seen.extend((job.stage, job.drawing) for job in queue.jobs())
            target.write_bytes(scene)

        library.make_pipeline(sources={"sample": render})
        queue = library.open(start=False)
        job = queue.submit("sample:fox")
        assert (job.stage, job.drawing) == (Stage.QUEUED, False)
        queue.start()
        (job,) = finish(queue, job)
        assert (seen, job.drawing) == ([(Stage.CHECKING, True)], False)
        assert not Work("1", str(library.root / "with:colon.mp4"), "x").is_made

    def test_a_relative_path_and_any_bytes_in_it_do(self, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
        path = library.video("a.mp4").rename(library.root / "inbox" / "wolf \udcff.mp4")
        monkeypatch.chdir(path.parent)
        queue = library.open(start=False)
        job = queue.submit(path.name)
        queue = library.reopen(queue)
        (job,) = finish(queue, job)
        assert (job.stage, job.filename) == (Stage.READY, "wolf .mp4")

    def test_once_ready_its_subtitles_are_in_the_library_and_no_longer_in_the_queue(self, library: Library) -> None:
        path = library.video("a.mp4")
        path.with_suffix(".srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nA grey wolf howls\n")
        library.encoder.failures = fail_with(EncoderError("No."))
        queue = library.open()
        (failed,) = finish(queue, queue.submit(path))
        library.store.blobs.clear()  # as when what it had stored was removed: a retry stores all of it anew
        path.with_suffix(".srt").unlink()
        queue = library.reopen(queue, start=False)
        queue.retry(failed.id)
        queue.start()
        (job,) = finish(queue)
        (entry,) = library.index.scroll(scope="video")
        (key,) = entry.caption_keys
        assert (job.stage, entry.subtitles) == (Stage.READY, "A grey wolf howls")
        assert b"A grey wolf howls" in library.store.blobs[key]
        assert "howls" not in queue._rows[job.id].work.to_json()
        assert queue.stop(PATIENCE_S)
        with closing(SqliteLedger(library.root / "jobs.sqlite3")) as ledger:
            (record,) = ledger.load()
        assert (record.stage, "howls" in record.work) == (Stage.READY, False)


class TestUploads:
    def test_an_upload_is_copied_used_and_removed(self, library: Library) -> None:
        data = library.video("a.mp4").read_bytes()
        queue = library.open(start=False)
        job = queue.receive(io.BytesIO(data), "Holiday.MP4")
        spooled = library.root / "spool" / job.id / "upload.mp4"
        assert spooled.read_bytes() == data
        queue.start()
        (job,) = finish(queue)
        assert (job.stage, job.filename) == (Stage.READY, "Holiday.MP4")
        assert library.leftovers() == []

    @pytest.mark.parametrize(
        "name",
        [
            "../../../etc/cron.d/evil",
            "/etc/passwd",
            "..\\..\\evil.mp4",
            "n" * 251 + ".mp4",
            "狼" * 300,
            "\x00\n\x1b]0;title\x07.mp4",
            "\u202egnp.mp4",
            "\udc80\udcff.mp4",
            "",
            ".",
            "x.mp4/../../y",
            "clip.mp4; rm -rf ~",
            "<script>alert(1)</script>.mp4",
            "a.\u0661\u0662",
        ],
    )
    def test_a_hostile_name_is_only_text(self, library: Library, name: str) -> None:
        data = library.video("a.mp4").read_bytes()
        queue = library.open(start=False)
        job = queue.receive(io.BytesIO(data), name)
        (spooled,) = (path for path in (library.root / "spool").rglob("*") if path.is_file())
        assert spooled.parent == library.root / "spool" / job.id
        assert spooled.stem == "upload"
        assert job.filename.isprintable() or "\u200d" in job.filename
        assert 0 < len(job.filename.encode()) <= 255
        assert "/" not in job.filename
        queue.start()
        (job,) = finish(queue)
        assert job.stage is Stage.READY

    def test_a_full_disk_is_said_and_leaves_nothing(self, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(descriptor: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        queue = library.open()
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(StoreError, match=r"wolf\.mp4 .* The disk is full\. Free some space"):
                queue.receive(io.BytesIO(b"x" * 100), "wolf.mp4")
        assert library.leftovers() == []
        assert queue.jobs() == []

    def test_an_upload_that_breaks_off_leaves_nothing(self, library: Library) -> None:
        class Broken(io.RawIOBase):
            def readinto(self, buffer: object) -> int:
                raise ValueError("I/O operation on closed file")

        queue = library.open()
        with pytest.raises(ValueError, match="closed file"):
            queue.receive(Broken(), "a.mp4")
        assert library.leftovers() == []

    def test_an_upload_whose_job_cannot_be_written_down_leaves_nothing(self, library: Library) -> None:
        queue = library.open(start=False)
        queue._ledger.close()
        with pytest.raises(StoreError, match="could not be used"):
            queue.receive(io.BytesIO(b"x"), "a.mp4")
        assert library.leftovers() == []
        assert queue.jobs() == []


class TestSubmit:
    def test_a_path_that_is_on_its_way_is_not_queued_again(self, library: Library) -> None:
        path = library.video("a.mp4")
        queue = library.open(start=False)
        first = queue.submit(path)
        assert queue.submit(str(path)).id == first.id
        assert len(queue.jobs()) == 1

    def test_a_path_that_failed_is_tried_again_with_what_was_paid_for(self, library: Library) -> None:
        library.encoder.failures = fail_with(EncoderError("The service said no."))
        queue = library.open()
        path = library.video("a.mp4")
        library.encoder.before_video = lambda video: None
        (failed,) = finish(queue, queue.submit(path))
        assert failed.stage is Stage.FAILED
        (again,) = finish(queue, queue.submit(path))
        assert (again.id, again.stage) == (failed.id, Stage.READY)

    def test_a_path_that_is_ready_is_recognised(self, library: Library) -> None:
        queue = library.open()
        path = library.video("Grey wolf.mp4")
        (first,) = finish(queue, queue.submit(path))
        (again,) = finish(queue, queue.submit(path))
        assert again.id != first.id
        assert again.duplicate

    def test_a_missing_file_fails_with_a_sentence(self, library: Library) -> None:
        queue = library.open()
        (job,) = finish(queue, queue.submit(library.root / "gone.mp4"))
        assert job.stage is Stage.FAILED
        assert "gone.mp4 is not there any more. Put it back and press Retry." in job.reason

    def test_files_are_taken_in_the_order_in_which_they_came(self, library: Library) -> None:
        queue = library.open(start=False, workers=1)
        names = [f"{number}.mp4" for number in range(5)]
        for number, name in enumerate(names):
            queue.submit(library.video(name, number))
        assert [job.filename for job in queue.jobs()] == names[::-1]
        queue.start()
        finish(queue)
        assert library.encoder.finished == names

    def test_a_file_handed_over_is_deleted_when_it_is_in(self, library: Library) -> None:
        path = library.video("a.mp4")
        queue = library.open()
        finish(queue, queue.submit(path, "mine.mp4", owned=True))
        assert not path.exists()


class TestErrors:
    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (EncoderError("The clip is too dark. Light it."), "The clip is too dark. Light it."),
            (OSError(errno.ENOSPC, "No space left on device"), "The disk is full. Free some space"),
            (OSError(errno.EIO, "Input/output error"), "could not be read or written (Input/output error)"),
            (MemoryError(), "There was not enough memory for this file."),
            (ZeroDivisionError("division"), "Something unexpected went wrong (ZeroDivisionError). See the log"),
            (OSError("no number"), "Something unexpected went wrong (OSError)."),
        ],
    )
    def test_an_error_ends_the_job_with_a_sentence_and_the_next_file_goes_on(
        self, library: Library, caplog: pytest.LogCaptureFixture, error: Exception, reason: str
    ) -> None:
        library.encoder.failures = fail_with(error)
        queue = library.open(workers=1)
        failed, other = finish(queue, queue.submit(library.video("a.mp4")), queue.submit(library.video("b.mp4", 1)))
        assert failed.stage is Stage.FAILED
        assert reason in failed.reason
        assert other.stage is Stage.READY
        logged = [record for record in caplog.records if record.exc_info and record.exc_info[1] is error]
        assert bool(logged) == (not isinstance(error, EncoderError))

    def test_a_failed_file_leaves_nothing_in_the_library(self, library: Library) -> None:
        library.encoder.failures = fail_with(EncoderError("No."))
        queue = library.open()
        (job,) = finish(queue, queue.submit(library.video("a.mp4")))
        assert library.store.puts != []
        assert library.store.blobs == {}
        assert library.index.count().clips == 0
        assert job.media_key is None

    def test_retry_goes_on_without_paying_twice(self, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
        upsert = library.index.upsert

        def refuse(entries: list[Entry]) -> None:
            monkeypatch.setattr(library.index, "upsert", upsert)
            raise LibraryError("The library is full.")

        monkeypatch.setattr(library.index, "upsert", refuse)
        queue = library.open()
        (failed,) = finish(queue, queue.submit(library.video("a.mp4")))
        assert (failed.stage, failed.reason) == (Stage.FAILED, "The library is full.")
        queue.retry(failed.id)
        (job,) = finish(queue)
        assert (job.stage, job.reason) == (Stage.READY, None)
        assert library.encoder.encoded == ["a.mp4"]
        assert job.media_key in library.store.blobs
        assert library.leftovers() == []

    def test_retry_of_a_file_that_is_gone_says_so(self, library: Library) -> None:
        library.encoder.failures = fail_with(EncoderError("No."))
        queue = library.open()
        path = library.video("a.mp4")
        (job,) = finish(queue, queue.submit(path))
        path.unlink()
        queue.retry(job.id)
        (job,) = finish(queue)
        assert job.stage is Stage.FAILED
        assert "is not there any more" in job.reason

    def test_retry_leaves_other_jobs_alone(self, library: Library) -> None:
        queue = library.open()
        (job,) = finish(queue, queue.submit(library.video("a.mp4")))
        assert queue.retry(job.id) == job
        assert queue.retry("unknown") is None

    def test_a_service_that_comes_back_is_tried_again(self, library: Library) -> None:
        library.encoder.failures = fail_with(Unavailable("It sleeps."), Unavailable("It sleeps."))
        queue = library.open()
        (job,) = finish(queue, queue.submit(library.video("a.mp4")))
        assert (job.stage, job.reason) == (Stage.READY, None)
        assert len(library.encoder.encoded) == 3

    def test_every_step_has_its_own_tries(self, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
        upsert, away = library.index.upsert, [Unavailable("It sleeps.")] * 3

        def sleepy(entries: list[Entry]) -> None:
            if away:
                raise away.pop()
            upsert(entries)

        monkeypatch.setattr(library.index, "upsert", sleepy)
        library.encoder.failures = fail_with(*(Unavailable("It sleeps.") for _ in range(3)))
        queue = library.open()
        (job,) = finish(queue, queue.submit(library.video("a.mp4")))
        assert job.stage is Stage.READY

    def test_a_service_may_be_away_for_long(self, library: Library) -> None:
        library.encoder.failures = fail_with(*(Unavailable("It sleeps.") for _ in range(50)))
        queue = library.open()
        (job,) = finish(queue, queue.submit(library.video("a.mp4")))
        assert (job.stage, job.reason) == (Stage.READY, None)

    def test_a_service_that_stays_away_ends_the_job(self, library: Library) -> None:
        hours = iter(range(1_000_000))
        library.encoder.failures = fail_with(*(Unavailable("It sleeps. Wake it.") for _ in range(99)))
        queue = library.open(clock=lambda: 3600.0 * next(hours))
        (job,) = finish(queue, queue.submit(library.video("a.mp4")))
        assert (job.stage, job.reason) == (Stage.FAILED, "It sleeps. Wake it.")
        assert 1 < len(library.encoder.encoded) < 99

    def test_what_cannot_be_removed_now_is_removed_with_the_list(
        self, library: Library, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(key: str) -> None:
            raise Unavailable("The store is away.")

        library.encoder.failures = fail_with(EncoderError("No."))
        queue = library.open()
        with monkeypatch.context() as patch:
            patch.setattr(library.store, "delete", refuse)
            (job,) = finish(queue, queue.submit(library.video("a.mp4")))
            assert job.reason == "No."
            queue.clear()
            assert len(queue.jobs()) == 1
        queue = library.reopen(queue)
        assert library.store.blobs != {}
        queue.clear()
        assert library.store.blobs == {}
        assert queue.jobs() == []


class TestCancel:
    @pytest.mark.parametrize("step", [Step.IDENTIFY, Step.INSPECT, Step.STORE, Step.EMBED, Step.INDEX])
    def test_it_stops_in_any_stage_leaves_nothing_and_can_be_taken_up_again(self, library: Library, step: Step) -> None:
        queue = library.open()
        library.pipeline.hold(step)
        job = queue.submit(library.video("a.mp4"))
        assert library.pipeline.held.wait(PATIENCE_S)
        queue.cancel(job.id)
        (job,) = finish(queue)
        assert (job.stage, job.reason) == (Stage.CANCELLED, None)
        assert library.store.blobs == {}
        assert library.index.count().videos == 0

        library.pipeline.release()
        queue.retry(job.id)
        (job,) = finish(queue)
        assert job.stage is Stage.READY
        assert library.encoder.encoded == ["a.mp4"]
        assert set(library.store.blobs) == {f"{job.video_id}.mp4", f"{job.video_id}.jpg"}
        assert library.leftovers() == []

    def test_a_job_that_waits_is_given_up_at_once(self, library: Library) -> None:
        queue = library.open(start=False)
        job = queue.submit(library.video("a.mp4"))
        assert queue.cancel(job.id).stage is Stage.CANCELLED
        queue.start()
        assert library.pipeline.ran == []

    def test_a_job_that_is_over_stays_as_it_is(self, library: Library) -> None:
        queue = library.open()
        (job,) = finish(queue, queue.submit(library.video("a.mp4")))
        assert queue.cancel(job.id) == job
        assert queue.cancel("unknown") is None
        assert library.index.count().videos == 1

    def test_a_video_that_is_in_already_stays_in(self, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
        queue = library.open()
        upsert = library.index.upsert

        def cancel_late(entries: list[Entry]) -> None:
            upsert(entries)
            if entries[0].scope == "video":
                queue.cancel(queue.jobs()[0].id)

        monkeypatch.setattr(library.index, "upsert", cancel_late)
        (job,) = finish(queue, queue.submit(library.video("a.mp4")))
        assert job.stage is Stage.READY
        assert job.media_key in library.store.blobs

    def test_a_cancel_outlives_a_crash(self, library: Library) -> None:
        queue = library.open()
        library.pipeline.hold(Step.EMBED)
        job = queue.submit(library.video("a.mp4"))
        assert library.pipeline.held.wait(PATIENCE_S)
        queue._stopping = True  # As if the process died between the press and the worker's next look at it.
        with queue._state:
            queue._rows[job.id].cancel = True
        queue._save(queue._rows[job.id])
        queue._settle = lambda row, error: None
        queue = library.reopen(queue)
        (job,) = finish(queue)
        assert job.stage is Stage.CANCELLED
        assert library.store.blobs == {}


class TestRestart:
    @pytest.mark.parametrize("step", [Step.IDENTIFY, Step.INSPECT, Step.STORE, Step.EMBED, Step.INDEX])
    def test_what_was_stopped_goes_on_by_itself_from_its_last_finished_step(self, library: Library, step: Step) -> None:
        queue = library.open()
        library.pipeline.hold(step)
        job = queue.submit(library.video("a.mp4"))
        assert library.pipeline.held.wait(PATIENCE_S)
        assert queue.stop(PATIENCE_S)
        before = library.pipeline.steps_of("a.mp4")

        queue = library.open(start=False)
        shown = queue.job(job.id)
        assert (shown.stage, shown.reason) == (Stage.QUEUED, None)
        library.pipeline.release()
        queue.start()
        (job,) = finish(queue)
        assert job.stage is Stage.READY
        assert before + library.pipeline.steps_of("a.mp4")[len(before) :] == list(Step)
        assert len(library.store.puts) == 2
        assert library.encoder.encoded == ["a.mp4"]

    def test_time_worked_is_kept(self, library: Library) -> None:
        now = [100.0]
        library.encoder.before_video = lambda video: now.__setitem__(0, now[0] + 5.0)
        queue = library.open(clock=lambda: now[0])
        library.pipeline.hold(Step.INDEX)
        queue.submit(library.video("a.mp4"))
        assert library.pipeline.held.wait(PATIENCE_S)
        assert queue.stop(PATIENCE_S)

        now[0] = 3.0  # Another boot: the clock begins anew.
        queue = library.open(start=False, clock=lambda: now[0])
        assert queue.jobs()[0].elapsed_s == pytest.approx(5.0)
        library.pipeline.release()
        library.pipeline.before = lambda work: now.__setitem__(0, now[0] + 1.0)
        queue.start()
        (job,) = finish(queue)
        assert job.elapsed_s == pytest.approx(7.0)  # INDEX and TIDY, a second each.

    def test_notes_of_the_encoder_are_there_again(self, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
        queue = library.open()
        reached = threading.Event()
        encode = library.encoder.encode_video

        def pay_then_hang(video: Video, notes: dict[str, str], on_progress: object) -> None:
            notes["task"] = "paid-1"
            notes["draft"] = "x"
            del notes["draft"]
            reached.set()
            while True:
                on_progress(0.5)
                time.sleep(0.002)

        monkeypatch.setattr(library.encoder, "encode_video", pay_then_hang)
        queue.submit(library.video("a.mp4"))
        assert reached.wait(PATIENCE_S)
        assert queue.stop(PATIENCE_S)
        monkeypatch.setattr(library.encoder, "encode_video", encode)
        queue = library.open()
        (job,) = finish(queue)
        assert job.stage is Stage.READY
        assert library.encoder.notes_seen == [{"task": "paid-1"}]

    def test_an_error_while_stopping_is_not_held_against_the_file(self, library: Library) -> None:
        queue = library.open()

        def close_the_library(video: Video) -> None:
            queue._stopping = True
            raise LibraryError("The library is closed.")

        library.encoder.before_video = close_the_library
        job = queue.submit(library.video("a.mp4"))
        until(lambda: bool(library.encoder.encoded))
        library.encoder.before_video = None
        queue = library.reopen(queue)
        (job,) = finish(queue, job)
        assert job.stage is Stage.READY

    def test_other_content_under_the_same_path_starts_over_without_the_old_notes(self, library: Library) -> None:
        queue = library.open()
        path = library.video("a.mp4")
        library.pipeline.hold(Step.INDEX)
        job = queue.submit(path)
        assert library.pipeline.held.wait(PATIENCE_S)
        old = queue.job(job.id).video_id
        assert queue.stop(PATIENCE_S)
        path.write_bytes(library.video("b.mp4", 1).read_bytes())
        library.pipeline.release()
        queue = library.open()
        (job,) = finish(queue)
        assert job.stage is Stage.READY
        assert job.video_id != old
        assert set(library.store.blobs) == {f"{job.video_id}.mp4", f"{job.video_id}.jpg"}
        assert library.encoder.notes_seen == [{}, {}]

    def test_finished_jobs_are_still_listed(self, library: Library) -> None:
        library.encoder.failures = fail_with(EncoderError("No."))
        queue = library.open()
        finish(queue, queue.submit(library.video("a.mp4")), queue.submit(library.video("b.mp4", 1)))
        before = queue.jobs()
        queue = library.reopen(queue)
        assert queue.jobs() == before

    def test_folders_that_no_job_needs_are_swept_and_others_left(self, library: Library) -> None:
        library.encoder.failures = fail_with(EncoderError("No."))
        queue = library.open()
        finish(queue, queue.receive(io.BytesIO(library.video("x.mp4").read_bytes()), "a.mp4"))
        kept = library.leftovers()
        for folder in ("work/" + "0" * 32, "spool/" + "f" * 32, "spool/mine"):
            (library.root / folder).mkdir()
        queue = library.reopen(queue, start=False)
        assert library.leftovers() == sorted([*kept, "spool/mine"])

    def test_a_stop_takes_no_longer_than_asked(self, library: Library) -> None:
        deaf = threading.Event()
        library.encoder.before_video = lambda video: deaf.wait(PATIENCE_S) and None
        queue = library.open()
        queue.submit(library.video("a.mp4"))
        until(lambda: bool(library.encoder.encoded))
        assert not queue.stop(0.01)
        assert {thread.daemon for thread in queue._threads} == {True}
        deaf.set()


class TestTheList:
    def test_counts_and_single_jobs(self, library: Library) -> None:
        queue = library.open(start=False)
        job = queue.submit(library.video("a.mp4"))
        assert queue.counts() == {Stage.QUEUED: 1}
        assert queue.counts()[Stage.READY] == 0
        assert queue.job(job.id) == job
        assert queue.job("unknown") is None

    def test_wait_ends_when_its_time_is_up(self, library: Library) -> None:
        queue = library.open(start=False)
        job = queue.submit(library.video("a.mp4"))
        assert queue.wait([job.id, "unknown"], timeout_s=0.01) == [job]

    def test_clear_forgets_what_is_over_and_keeps_the_rest(self, library: Library) -> None:
        library.encoder.failures = fail_with(EncoderError("No."))
        queue = library.open()
        path = library.video("x.mp4")
        finish(queue, queue.receive(io.BytesIO(path.read_bytes()), "a.mp4"), queue.submit(library.video("b.mp4", 1)))
        assert library.leftovers() != []
        library.pipeline.hold(Step.STORE)
        going = queue.submit(library.video("c.mp4", 2))
        assert library.pipeline.held.wait(PATIENCE_S)
        queue.clear()
        assert [job.id for job in queue.jobs()] == [going.id]
        assert library.index.count().videos == 1
        library.pipeline.release()
        finish(queue)
        assert library.leftovers() == []
        (again,) = finish(queue, queue.submit(path))
        assert (again.stage, again.duplicate) == (Stage.READY, False)
        queue = library.reopen(queue)
        assert {job.id for job in queue.jobs()} == {going.id, again.id}


class TestTheLedger:
    def test_a_worker_outlives_a_jobs_file_that_cannot_be_written(
        self, library: Library, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        queue = library.open(start=False, workers=1)
        one, two = queue.submit(library.video("a.mp4")), queue.submit(library.video("b.mp4", 1))
        save = queue._ledger.save

        def full(columns: object) -> None:
            if queue.job(two.id).stage is Stage.QUEUED:
                raise StoreError("The disk is full. Free some space, then press Retry.")
            save(columns)

        monkeypatch.setattr(queue._ledger, "save", full)
        with caplog.at_level(logging.ERROR):
            queue.start()
            one, two = finish(queue, one, two)
        assert (one.stage, one.reason) == (Stage.FAILED, "The disk is full. Free some space, then press Retry.")
        assert two.stage is Stage.READY
        assert "could not be written down" in caplog.text


class TestAPausedEncoder:
    """The encoder takes nothing from anyone: all wait, nothing is lost, one at a time tries."""

    PROBE_S = (0.05, 0.1)

    def test_every_job_waits_with_the_reason_and_goes_on_by_itself(self, library: Library) -> None:
        paused = threading.Event()
        paused.set()
        asked = refuse_while(library, paused)
        queue = library.open(workers=2, probe_s=self.PROBE_S)
        jobs = [queue.submit(library.video(f"{number}.mp4", number)) for number in range(6)]
        until(lambda: queue.pause() is not None and queue.pause().waiting == 6)
        until(lambda: len(asked) >= 4)
        rows = [queue.job(job.id) for job in jobs]
        assert {row.stage for row in rows} <= {Stage.QUEUED, Stage.EMBEDDING}
        assert all(row.reason == "The key is gone. Mend it." for row in rows if row.stage is Stage.QUEUED)
        assert all(row.media_key in library.store.blobs for row in rows)
        paused.clear()
        assert {job.stage for job in finish(queue, *jobs)} == {Stage.READY}
        assert queue.pause() is None
        assert all(job.reason is None for job in queue.jobs())

    def test_one_at_a_time_tries_and_not_always_the_same(self, library: Library) -> None:
        paused = threading.Event()
        paused.set()
        library.encoder = FakeEncoder(replace(FAKE_INFO, paid=True, parallel=4))
        asked = refuse_while(library, paused)
        library.make_pipeline()
        queue = library.open(workers=2, probe_s=self.PROBE_S)
        jobs = [queue.submit(library.video(f"{number}.mp4", number)) for number in range(4)]
        until(lambda: len(asked) >= 12)
        times = [time_s for time_s, _ in asked[4:]]
        assert all(after - before > 0.03 for before, after in pairwise(times)), "several tried at once"
        assert len({name for _, name in asked[4:9]}) >= 3
        paused.clear()
        assert {job.stage for job in finish(queue, *jobs)} == {Stage.READY}

    def test_the_pauses_grow_and_a_person_need_not_wait(self, library: Library) -> None:
        paused = threading.Event()
        paused.set()
        asked = refuse_while(library, paused)
        queue = library.open(workers=1, probe_s=(0.05, 3600.0))
        job = queue.submit(library.video("a.mp4"))
        until(lambda: len(asked) == 2 and queue.pause().retry_in_s)
        assert 2800 < queue.pause().retry_in_s < 4400
        paused.clear()
        queue.try_now()
        (job,) = finish(queue, job)
        assert job.stage is Stage.READY

    def test_files_are_checked_and_stored_meanwhile(self, library: Library) -> None:
        paused = threading.Event()
        paused.set()
        refuse_while(library, paused)
        queue = library.open(workers=1, probe_s=(3600.0,))
        queue.submit(library.video("a.mp4"))
        until(lambda: queue.pause() is not None)
        late = queue.submit(library.video("late.mp4", 3))
        until(lambda: queue.job(late.id).media_key in library.store.blobs)
        until(lambda: queue.job(late.id).reason == "The key is gone. Mend it.")

    def test_a_video_of_its_own_fault_ends_the_pause(self, library: Library) -> None:
        library.encoder.failures = {"bad.mp4": [EncoderPaused("Not now."), EncoderError("It is refused. Cut it.")]}
        queue = library.open(workers=1, probe_s=self.PROBE_S)
        bad, good = queue.submit(library.video("bad.mp4")), queue.submit(library.video("good.mp4", 3))
        stages = {job.filename: job.stage for job in finish(queue, bad, good)}
        assert stages == {"bad.mp4": Stage.FAILED, "good.mp4": Stage.READY}
        assert queue.pause() is None

    def test_a_cancelled_try_leaves_it_to_the_next(self, library: Library) -> None:
        library.encoder.failures = {"a.mp4": [EncoderPaused("Not now.")]}
        queue = library.open(workers=1, probe_s=(3600.0,))
        first, second = queue.submit(library.video("a.mp4")), queue.submit(library.video("b.mp4", 3))
        until(lambda: queue.pause() is not None and queue.pause().waiting == 2)
        queue.cancel(first.id)
        queue.try_now()
        stages = {job.filename: job.stage for job in finish(queue, first, second)}
        assert stages == {"a.mp4": Stage.CANCELLED, "b.mp4": Stage.READY}

    def test_it_has_no_end(self, library: Library) -> None:
        now = [100.0]
        library.encoder.failures = {"a.mp4": [EncoderPaused("Not now.")] * 3}
        queue = library.open(workers=1, probe_s=(0.01,), patience_s=10.0, clock=lambda: now[0])
        job = queue.submit(library.video("a.mp4"))
        for left in (2, 1, 0):
            until(lambda left=left: len(library.encoder.failures["a.mp4"]) == left and queue.pause() is not None)
            now[0] += 90_000.0
            queue.try_now()
        (job,) = finish(queue, job)
        assert job.stage is Stage.READY


def test_the_days_that_a_job_waits_for_minutes_take_nothing_from_its_patience(library: Library) -> None:
    days = [0.0]

    def next_day(video: Video) -> None:
        days[0] += 90_000.0

    library.encoder.before_video = next_day
    library.encoder.failures = {"a.mp4": [NotToday("Used up.", 0.01), Unavailable("Away."), NotToday("Used up.", 0.01)]}
    queue = library.open(workers=1, patience_s=80_000.0, clock=lambda: time.monotonic() + days[0])
    (job,) = finish(queue, queue.submit(library.video("a.mp4")))
    assert (job.stage, job.reason) == (Stage.READY, None)


def refuse_while(library: Library, paused: threading.Event) -> list[tuple[float, str]]:
    """Let the encoder refuse everything while an event is set; return when it was asked for which file."""
    asked: list[tuple[float, str]] = []

    def refuse(video: Video) -> None:
        asked.append((time.monotonic(), video.filename))
        if paused.is_set():
            raise EncoderPaused("The key is gone. Mend it.")

    library.encoder.before_video = refuse
    return asked
