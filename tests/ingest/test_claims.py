"""One job a content: copies wait for the one that adds it, and take over when it is given up."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import MutableMapping
from dataclasses import replace

import pytest

from core.errors import EncoderError
from core.ingest.claims import Claims
from core.ingest.jobs import JobQueue
from core.ingest.pipeline import Step, Work
from core.models import Job, Progress, Stage
from tests.support import PATIENCE_S, Library, finish, until


def test_the_first_to_come_holds_a_content_until_it_drops_it() -> None:
    claims = Claims([("old", "a")])
    assert [claims.take("old", "b"), claims.take("new", "b"), claims.take("new", "a")] == ["a", "b", "b"]
    claims.drop("old", "b")
    assert claims.take("old", "b") == "a"
    claims.drop("old", "a")
    claims.drop(None, "a")
    assert claims.take("old", "b") == "b"


class TestSameContentTwice:
    def test_a_second_upload_is_recognised_before_any_work(self, library: Library) -> None:
        data = library.video("a.mp4").read_bytes()
        queue = library.open()
        (first,) = finish(queue, queue.receive(io.BytesIO(data), "Grey wolf.mp4"))
        (second,) = finish(queue, queue.receive(io.BytesIO(data), "copy.mp4"))
        assert (second.stage, second.duplicate) == (Stage.READY, True)
        assert second.reason == 'Already in the library as "Grey wolf".'
        assert (second.video_id, second.media_key, second.seen) == (first.video_id, first.media_key, first.seen)
        assert library.pipeline.steps_of("copy.mp4") == [Step.IDENTIFY, Step.TIDY]
        assert library.index.count().videos == 1
        assert library.leftovers() == []

    def together(self, library: Library) -> tuple[JobQueue, Job, Job, Job]:
        """Drop two copies and another file with the first copy held up before its encoder, and the second waiting."""
        queue = library.open(workers=2)
        first = library.video("first.mp4")
        second = first.with_name("second.mp4")
        second.write_bytes(first.read_bytes())
        library.pipeline.hold(Step.EMBED, "first.mp4")
        one = queue.submit(first)
        assert library.pipeline.held.wait(PATIENCE_S)
        two = queue.submit(second)
        other = queue.submit(library.video("other.mp4", 1))
        until(lambda: queue.job(two.id).reason is not None)
        return queue, one, two, other

    def test_two_copies_dropped_together_are_worked_on_once(self, library: Library) -> None:
        queue, one, two, other = self.together(library)
        assert queue.job(two.id).stage is Stage.QUEUED
        assert queue.job(two.id).reason == 'Waiting for "first.mp4", which has the same content.'
        finish(queue, other)  # The one that waits keeps no worker from it.
        library.pipeline.release()
        one, two, _ = finish(queue, one, two, other)
        assert (one.duplicate, two.duplicate) == (False, True)
        assert two.reason == 'Already in the library as "First".'
        assert library.encoder.encoded.count("second.mp4") == 0
        assert library.index.count().videos == 2

    def test_the_second_copy_takes_over_when_the_first_is_cancelled(self, library: Library) -> None:
        queue, one, two, _ = self.together(library)
        queue.cancel(one.id)
        one, two = finish(queue, one, two)
        assert (one.stage, two.stage, two.duplicate) == (Stage.CANCELLED, Stage.READY, False)
        assert two.media_key in library.store.blobs

        library.pipeline.release()
        queue.retry(one.id)
        (one,) = finish(queue, one)
        assert (one.stage, one.duplicate) == (Stage.READY, True)
        assert library.encoder.encoded.count("first.mp4") == 0
        assert two.media_key in library.store.blobs

    def test_the_second_copy_takes_over_when_the_first_fails(self, library: Library) -> None:
        queue, one, two, _ = self.together(library)
        library.encoder.failures = {"first.mp4": [EncoderError("No.")]}
        library.pipeline.release()
        one, two = finish(queue, one, two)
        assert (one.stage, two.stage, two.duplicate) == (Stage.FAILED, Stage.READY, False)
        assert set(library.store.blobs) >= {f"{two.video_id}.mp4", f"{two.video_id}.jpg"}

    def test_a_copy_that_waits_can_be_cancelled(self, library: Library) -> None:
        queue, one, two, _ = self.together(library)
        assert queue.cancel(two.id).stage is Stage.CANCELLED
        library.pipeline.release()
        (one,) = finish(queue, one)
        assert one.stage is Stage.READY
        assert one.media_key in library.store.blobs

    def test_after_a_restart_the_copy_that_was_further_goes_on(self, library: Library) -> None:
        queue, one, two, _ = self.together(library)
        assert queue.stop(PATIENCE_S)
        # The later copy's row comes first now, and must wait all the same.
        with sqlite3.connect(library.root / "jobs.sqlite3") as db:
            db.execute("UPDATE jobs SET number = 0 WHERE id = ?", (two.id,))
        db.close()
        library.pipeline.release()
        queue = library.open()
        one, two = finish(queue, one, two)
        assert (one.duplicate, two.duplicate) == (False, True)

    def test_many_copies_give_one_video(self, library: Library) -> None:
        data = library.video("a.mp4").read_bytes()
        queue = library.open(workers=4)
        over = finish(queue, *(queue.receive(io.BytesIO(data), f"{number}.mp4") for number in range(8)))
        assert [job.stage for job in over] == [Stage.READY] * 8
        assert sum(job.duplicate for job in over) == 7
        assert len(library.encoder.encoded) == 1
        assert library.leftovers() == []

    def test_copies_whose_ids_differ_are_still_one_content(
        self, library: Library, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = library.pipeline.run

        def name_by_job(work: Work, notes: MutableMapping[str, str], on_progress: Progress) -> Work:
            done = run(work, notes, on_progress)
            return replace(done, video_id=done.job_id) if work.step is Step.IDENTIFY else done

        monkeypatch.setattr(library.pipeline, "run", name_by_job)
        queue, one, two, _ = self.together(library)
        assert queue.job(two.id).reason == 'Waiting for "first.mp4", which has the same content.'
        assert queue.job(one.id).video_id != queue.job(two.id).video_id
        assert queue.cancel(two.id).stage is Stage.CANCELLED
        library.pipeline.release()
        finish(queue)

    def test_a_copy_that_is_given_up_removes_nothing_that_the_other_has_stored(self, library: Library) -> None:
        library.encoder.failures = {"first.mp4": [EncoderError("No.")]}
        queue, first = library.open(workers=2), library.video("first.mp4")
        (one,) = finish(queue, queue.submit(first))
        assert one.stage is Stage.FAILED
        second = first.with_name("second.mp4")
        second.write_bytes(first.read_bytes())
        library.pipeline.hold(Step.EMBED, "second.mp4")
        two = queue.submit(second)
        assert library.pipeline.held.wait(PATIENCE_S)
        queue.retry(one.id)
        until(lambda: queue.job(one.id).reason is not None)
        assert queue.cancel(one.id).stage is Stage.CANCELLED
        queue.forget([one.id])
        assert f"{two.video_id or queue.job(two.id).video_id}.mp4" in library.store.blobs
        library.pipeline.release()
        (two,) = finish(queue, two)
        assert (two.stage, two.media_key in library.store.blobs) == (Stage.READY, True)

    def test_what_another_process_removed_meanwhile_is_stored_again_before_it_is_ready(self, library: Library) -> None:
        queue = library.open()
        library.pipeline.hold(Step.EMBED)
        one = queue.submit(library.video("a.mp4"))
        assert library.pipeline.held.wait(PATIENCE_S)
        library.store.blobs.clear()  # as one without our claims does that gives the same content up
        library.pipeline.release()
        (one,) = finish(queue, one)
        assert one.stage is Stage.READY
        assert set(library.store.blobs) == {f"{one.video_id}.mp4", f"{one.video_id}.jpg"}
        assert library.encoder.encoded == ["a.mp4"], "what was paid for counts"
