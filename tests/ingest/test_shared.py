"""The queue that machines share: one library, several queues over one database, each as a process of its own has it."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import EncoderError, EncoderPaused, StoreError, Unavailable
from core.ingest.budget import Budget
from core.ingest.folder_watch import FolderWatch
from core.ingest.lanes import OneLane
from core.ingest.pipeline import Step, Work
from core.ingest.scheduling import Row
from core.ingest.shared import SharedQueue
from core.models import Job, MediaInfo, Stage, ignore_progress
from core.state import engine
from core.state.base import JobRecord, SharedPause, TurnLost
from core.state.engine import Engine
from core.state.postgres import Database, PostgresShelf
from core.state.postgres_jobs import PostgresJobs
from core.state.spending import SpendingBook
from core.state.sqlite import SqliteShelf
from core.state.watched import WatchBook, Watched
from core.stores.folder import FolderStore
from tests.servers.postgres import PostgresServer
from tests.support import GatedPipeline, Library

LOST_S = 3.0
PATIENCE_S = 100.0
"""How long a test waits for what must happen: pools, heartbeats and looks at a database take their time."""


def finish(queue: SharedQueue, *jobs: Job) -> list[Job]:
    """Wait until these jobs are over and return them."""
    over = queue.wait([job.id for job in jobs], timeout_s=PATIENCE_S)
    assert all(job.stage.is_over for job in over), over
    return over


def until(true: Callable[[], bool]) -> None:
    """Wait until something has come true that nobody signals."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


class Machine:
    """One process's worth: a pool, an engine, a folder and a queue of its own over the library's store and index."""

    def __init__(self, url: str, library: Library, name: str, *, lost_s: float = LOST_S, **options: object) -> None:
        self.database = Database(url)
        self.database.prepare()
        self.engine = Engine(self.database, lost_s=lost_s)
        self.engine.prepare()
        self.jobs = PostgresJobs(self.database, self.engine)
        self.pipeline = GatedPipeline(
            OneLane(library.encoder, library.index),
            library.store,
            work_dir=library.root / name / "work",
            max_bytes=10_000_000,
            sources={"slow": lambda scene, target, on_progress: target.write_bytes(b"no film")},
        )
        self.queue = SharedQueue(
            self.jobs, self.jobs, self.engine, self.pipeline, **{"workers": 2, "backoff_s": (0.0,)} | options
        )

    def close(self) -> None:
        self.pipeline.release()
        assert self.queue.stop(PATIENCE_S)
        self.database.close()


class Machines:
    def __init__(self, url: str, library: Library) -> None:
        self.url = url
        self.library = library
        library.store = FolderStore(library.root / "media")  # that all of them see
        self.all: list[Machine] = []

    def add(self, *, start: bool = True, **options: object) -> Machine:
        machine = Machine(self.url, self.library, f"machine-{len(self.all)}", **options)
        self.all.append(machine)
        if start:
            machine.queue.start()
        return machine


@pytest.fixture(scope="module")
def _url(postgres: PostgresServer) -> Iterator[str]:
    url = postgres.make_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture
def machines(_url: str, library: Library) -> Iterator[Machines]:
    with closing(Database(_url)) as database, database.engine.begin() as db:
        there = db.exec_driver_sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").scalars().all()
        tables = [name for name in there if name != "alembic_version"]
        if tables:
            db.exec_driver_sql(f"TRUNCATE {', '.join(tables)}")
    found = Machines(_url, library)
    yield found
    for machine in found.all:
        machine.close()


def upload(machine: Machine, path: Path) -> Job:
    with path.open("rb") as file:
        return machine.queue.receive(file, path.name)


def stored(library: Library) -> set[str]:
    return {path.name for path in (library.root / "media").glob("*") if not path.name.startswith(".")}


class TestOneFile:
    def test_it_is_taken_in_here_and_worked_on_there(self, machines: Machines, library: Library) -> None:
        here, there = machines.add(start=False), machines.add()
        job = upload(here, library.video("Grey wolf.mp4"))
        (job,) = finish(here.queue, job)
        assert (job.stage, job.reason, job.duplicate) == (Stage.READY, None, False)
        assert there.pipeline.steps_of("Grey wolf.mp4") == list(Step)
        assert stored(library) == {f"{job.video_id}.mp4", f"{job.video_id}.jpg"}, "the upload is gone"
        assert (library.index.count().videos, library.encoder.encoded) == (1, ["Grey wolf.mp4"])
        assert there.queue.job(job.id).stage is Stage.READY
        assert not list((library.root / "machine-1" / "work").glob("*/*"))
        assert here.queue.counts()[Stage.READY] == 1

    def test_where_encoding_costs_money_all_are_checked_first(self, machines: Machines, library: Library) -> None:
        library.encoder.info = replace(library.encoder.info, paid=True)
        here = machines.add(start=False)
        jobs = [upload(here, library.video(f"{n}.mp4", n)) for n in (0, 1, 1)]  # one of them is a copy
        here.queue.start()
        until(lambda: all(here.queue.job(job.id).stage.is_over for job in jobs))
        assert [here.queue.job(job.id).stage for job in jobs] == [Stage.READY] * 3
        ran = [step for step, _ in here.pipeline.ran]
        checked = max(number for number, step in enumerate(ran) if step is Step.INSPECT)
        assert checked < ran.index(Step.EMBED)

    def test_its_progress_is_seen_everywhere(self, machines: Machines, library: Library) -> None:
        here, there = machines.add(start=False), machines.add()
        there.pipeline.hold(Step.EMBED)
        job = upload(here, library.video("a.mp4"))
        until(lambda: here.queue.job(job.id).stage is Stage.EMBEDDING)
        until(lambda: here.queue.job(job.id).progress > 0)
        there.pipeline.release()
        finish(here.queue, job)

    def test_what_is_no_video_fails_with_its_sentence_and_leaves_nothing(
        self, machines: Machines, library: Library
    ) -> None:
        here = machines.add()
        job = here.queue.receive(io.BytesIO(b"no film"), "notes.txt")
        (job,) = finish(here.queue, job)
        assert (job.stage, job.reason is not None) == (Stage.FAILED, True)
        here.queue.clear()
        assert (here.queue.jobs(), stored(library)) == ([], set())

    def test_a_file_that_cannot_be_handed_over_leaves_nothing(self, machines: Machines, library: Library) -> None:
        here = machines.add(start=False)
        with pytest.raises(StoreError, match="is not there"):
            here.queue.submit(library.root / "none.mp4")
        assert (here.queue.jobs(), stored(library)) == ([], set())

    def test_once_ready_its_subtitles_are_no_longer_written_down(self, machines: Machines, library: Library) -> None:
        here, there = machines.add(start=False), machines.add(start=False)
        info = MediaInfo(9.0, 4096, 64, 36, 0, 5.0, "mp4", "h264", None, "as-is", captions=(("en", "WEBVTT Howl"),))
        work = Work("1" * 32, "slow:1", "a.mp4", step=Step.TIDY, info=replace(info, subtitles="Howl"))
        here.jobs.add([Row(0, "2026-11-26T10:00:00.000+00:00", work, Stage.INDEXING).record(0.0)])
        here.queue._turn(work.job_id, None)
        assert there.queue.job(work.job_id).stage is Stage.READY
        ((taken,), _, _) = there.jobs.changes(0)
        held = [machine.queue._rows[work.job_id].work for machine in (here, there)]
        assert [*held, Work.from_json(taken.job.work)] == [replace(work, info=replace(info, captions=()))] * 3

    def test_what_is_queued_keeps_its_upload_when_the_database_goes_away_right_after(
        self, machines: Machines, library: Library, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here, there = machines.add(start=False), machines.add(start=False)

        def go_away(*_: object) -> None:
            raise Unavailable("PostgreSQL does not answer.")

        with monkeypatch.context() as away:
            add = here.jobs.add
            away.setattr(here.jobs, "add", lambda jobs: (add(jobs), away.setattr(here.jobs, "changes", go_away)))
            job = upload(here, library.video("a.mp4"))
            with pytest.raises(Unavailable):
                here.queue._look(again=True)
        assert job.stage is Stage.QUEUED
        assert stored(library) == {f"upload-{job.id}.mp4"}
        there.queue.start()
        (job,) = finish(here.queue, job)
        assert (job.stage, job.reason) == (Stage.READY, None)

    def test_what_cannot_be_queued_leaves_no_upload(
        self, machines: Machines, library: Library, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here = machines.add(start=False)

        def refuse(jobs: object) -> None:
            raise Unavailable("PostgreSQL does not answer.")

        monkeypatch.setattr(here.jobs, "add", refuse)
        with pytest.raises(Unavailable):
            upload(here, library.video("a.mp4"))
        assert (here.queue.jobs(), stored(library)) == ([], set())

    def test_where_only_the_answer_was_lost_it_is_queued_all_the_same(
        self, machines: Machines, library: Library, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here = machines.add(start=False)
        add = here.jobs.add

        def lose(jobs: Sequence[JobRecord]) -> None:
            add(jobs)
            raise Unavailable("PostgreSQL does not answer.")

        monkeypatch.setattr(here.jobs, "add", lose)
        job = upload(here, library.video("a.mp4"))
        assert [known.id for known in here.queue.jobs()] == [job.id]
        assert stored(library) == {f"upload-{job.id}.mp4"}


class TestLeftOverUploads:
    def test_those_of_who_died_before_there_was_a_job_go_after_a_day_and_no_others(
        self, machines: Machines, library: Library, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here, there = machines.add(start=False), machines.add(start=False)
        path = library.video("a.mp4")
        failed = here.queue.receive(io.BytesIO(b"no film"), "notes.txt")
        here.queue._turn(failed.id, None)
        waits = upload(here, path)
        library.store.put(path, f"upload-{'f' * 32}.mp4", ignore_progress)  # another library's, in the same store
        kept = stored(library)
        assert len(self.die_before_there_is_a_job(here, library, monkeypatch)) == 1
        self.a_day_passes(here)
        kept |= self.die_before_there_is_a_job(here, library, monkeypatch)  # it may still be on its way
        there.pipeline.hold(Step.IDENTIFY, "a.mp4")
        here.queue.enqueue([("slow:1", None)])
        there.queue.start()
        until(lambda: stored(library) == kept)
        assert {f"upload-{failed.id}.txt", f"upload-{waits.id}.mp4"} < kept
        there.pipeline.release()
        assert [job.stage for job in finish(here.queue, waits)] == [Stage.READY]

    def test_those_that_could_not_be_removed_when_their_job_was_over_go_later(
        self, machines: Machines, library: Library, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here, there = machines.add(start=False), machines.add(start=False, workers=1)
        job = upload(here, library.video("a.mp4"))

        def refuse(key: str) -> None:
            raise Unavailable("S3 does not answer.")

        with monkeypatch.context() as away:
            away.setattr(library.store, "delete", refuse)
            here.queue._turn(job.id, None)
            self.a_day_passes(here)
            here.queue._work("unknown", None)  # the store is away yet
        assert (here.queue.job(job.id).stage, f"upload-{job.id}.mp4" in stored(library)) == (Stage.READY, True)
        there.queue._work("unknown", None)
        assert f"upload-{job.id}.mp4" not in stored(library)
        assert here.jobs.left("handed:", 0.0) == []

    def die_before_there_is_a_job(
        self, machine: Machine, library: Library, monkeypatch: pytest.MonkeyPatch
    ) -> set[str]:
        """Hand an upload over as a process does that is killed then; return its key in the store."""

        class Killed(BaseException):
            pass

        def die(jobs: object) -> None:
            raise Killed

        before = stored(library)
        with monkeypatch.context() as dying:
            dying.setattr(machine.jobs, "add", die)
            with pytest.raises(Killed):
                upload(machine, library.root / "inbox/a.mp4")
        return stored(library) - before

    def a_day_passes(self, machine: Machine) -> None:
        with machine.database.engine.begin() as db:
            db.exec_driver_sql("UPDATE claims SET since = since - 90000")


class TestSameContentTwice:
    def test_on_two_machines_at_once_it_is_encoded_once(self, machines: Machines, library: Library) -> None:
        one, other = machines.add(), machines.add()
        path = library.video("a.mp4")
        one.pipeline.hold(Step.EMBED)
        other.pipeline.hold(Step.EMBED)
        jobs = [upload(machine, path) for machine in (one, other, one, other)]
        until(lambda: sum((job.reason or "").startswith('Waiting for "a.mp4"') for job in one.queue.jobs()) == 3)
        one.pipeline.release()
        other.pipeline.release()
        jobs = finish(one.queue, *jobs)
        assert [job.stage for job in jobs] == [Stage.READY] * 4
        assert sorted(job.duplicate for job in jobs) == [False, True, True, True]
        assert library.encoder.encoded == ["a.mp4"]

    def test_what_one_has_stored_is_not_removed_when_its_twin_is_given_up(
        self, machines: Machines, library: Library
    ) -> None:
        one, other = machines.add(), machines.add(start=False)
        path = library.video("a.mp4")
        one.pipeline.hold(Step.EMBED)
        first = upload(one, path)
        until(lambda: one.pipeline.held.is_set())
        second = upload(other, path)
        until(lambda: other.queue.job(second.id).reason is not None)
        until(lambda: other.queue.cancel(second.id).stage is Stage.CANCELLED)
        other.queue.forget([second.id])
        one.pipeline.release()
        (first,) = finish(one.queue, first)
        assert (first.stage, first.media_key in stored(library)) == (Stage.READY, True)

    def test_its_twin_takes_over_what_was_paid_for_when_it_is_cancelled(
        self, machines: Machines, library: Library
    ) -> None:
        one, other = machines.add(), machines.add(start=False)
        library.encoder.before_video = lambda video: one.jobs.write_note(
            f"{video.content_sha256}:{library.encoder.info.name}", "task", "paid", *next(iter(one.queue._turns.items()))
        )
        library.encoder.failures = {"a.mp4": [EncoderError("No.")]}
        (first,) = finish(one.queue, upload(one, library.video("a.mp4")))
        assert first.stage is Stage.FAILED
        (second,) = finish(other.queue, upload(other, library.video("b.mp4")))
        assert second.stage is Stage.READY
        assert library.encoder.notes_seen[-1]["task"] == "paid"


class TestCancelAndRetry:
    def test_cancel_reaches_the_machine_that_works_on_it(self, machines: Machines, library: Library) -> None:
        here, there = machines.add(start=False), machines.add()
        there.pipeline.hold(Step.EMBED)
        job = upload(here, library.video("a.mp4"))
        until(lambda: there.pipeline.held.is_set())
        here.queue.cancel(job.id)
        (job,) = finish(here.queue, job)
        assert job.stage is Stage.CANCELLED
        assert not [key for key in stored(library) if not key.startswith("upload-")]
        there.pipeline.release()
        here.queue.retry(job.id)
        (job,) = finish(here.queue, job)
        assert job.stage is Stage.READY

    def test_one_that_waits_is_cancelled_at_once_with_no_worker_anywhere(
        self, machines: Machines, library: Library
    ) -> None:
        here = machines.add(start=False)
        job = upload(here, library.video("a.mp4"))
        assert here.queue.cancel(job.id).stage is Stage.CANCELLED
        here.queue.clear()
        assert stored(library) == set()


class TestServicesAway:
    def test_it_is_tried_again_with_the_reason_on_it(self, machines: Machines, library: Library) -> None:
        here = machines.add(backoff_s=(0.0, 600.0))
        library.encoder.failures = {"a.mp4": [Unavailable("It sleeps."), Unavailable("It sleeps.")]}
        job = upload(here, library.video("a.mp4"))
        until(lambda: len(library.encoder.encoded) == 2)
        until(lambda: "It sleeps. Trying again in" in (here.queue.job(job.id).reason or ""))

    def test_a_paused_encoder_is_tried_by_one_and_the_pause_is_seen_everywhere(
        self, machines: Machines, library: Library
    ) -> None:
        here, there = machines.add(start=False), machines.add(probe_s=(600.0,))
        library.encoder.failures = {f"{n}.mp4": [EncoderPaused("The key is refused.")] for n in range(3)}
        jobs = [upload(here, library.video(f"{n}.mp4", n)) for n in range(3)]
        until(lambda: here.queue.pause() is not None and here.queue.pause().waiting == 3)
        assert here.queue.pause().reason == "The key is refused."
        until(lambda: all(job.reason == "The key is refused." for job in here.queue.jobs()))
        library.encoder.failures = {}
        here.queue.try_now()
        jobs = finish(here.queue, *jobs)
        assert [job.stage for job in jobs] == [Stage.READY] * 3
        until(lambda: here.queue.pause() is None)  # each looks twice a second
        until(lambda: there.queue.pause() is None)  # each looks twice a second

    @pytest.mark.parametrize("how", ["ended", "cleared"])
    def test_a_job_that_is_over_keeps_no_other_from_trying_a_paused_encoder(
        self, machines: Machines, library: Library, how: str
    ) -> None:
        here = machines.add(start=False)
        first, second = (upload(here, library.video(f"{n}.mp4", n)) for n in range(2))
        here.jobs.pause("fake-v1", SharedPause("The key is refused.", 0.0))
        taken = here.jobs.take(first.id)
        assert here.jobs.probe("fake-v1", first.id)
        assert not here.jobs.probe("fake-v1", second.id), "two try at once"
        # Its end is written down, and its process is gone before it let go.
        here.jobs.save(replace(taken, job=replace(taken.job, stage=Stage.CANCELLED)))
        if how == "cleared":
            here.jobs.delete([first.id])
        assert here.jobs.probe("fake-v1", second.id)
        assert here.jobs.pauses()["fake-v1"].probe == second.id

    @pytest.mark.parametrize("meanwhile", ["released", "over"])
    def test_to_try_now_brings_back_nothing_that_ended_meanwhile(
        self, machines: Machines, library: Library, monkeypatch: pytest.MonkeyPatch, meanwhile: str
    ) -> None:
        here, there = machines.add(start=False), machines.add(start=False)
        job = upload(here, library.video("a.mp4"))
        there.jobs.pause("fake-v1", SharedPause("The key is refused.", 0.0))
        assert there.jobs.probe("fake-v1", job.id)
        look = here.jobs.pauses

        def pauses() -> dict[str, SharedPause]:
            found = look()
            monkeypatch.setattr(here.jobs, "pauses", look)
            there.jobs.release(job.id) if meanwhile == "released" else there.jobs.pause("fake-v1", None)
            return found

        monkeypatch.setattr(here.jobs, "pauses", pauses)
        here.queue.try_now()
        assert [pause.probe for pause in look().values()] == ([None] if meanwhile == "released" else [])

    def test_what_does_not_fit_into_today_waits_for_tomorrow_counted_as_whose_it_is(
        self, machines: Machines, library: Library
    ) -> None:
        here, there = machines.add(start=False), machines.add()
        there.pipeline.budget = budget = Budget(
            SpendingBook(PostgresShelf(there.database, "spending")),
            covers=lambda encoder: True,
            minutes_a_day=None,
            minutes_a_day_each=2.0 / 60,  # each video lasts 1.2 s
            now=lambda: datetime(2026, 11, 26, 22, 30, tzinfo=UTC),
        )
        for number in range(2):
            with library.video(f"{number}.mp4", number).open("rb") as file:
                here.queue.receive(file, f"{number}.mp4", by="anna")
        until(lambda: any("waits for tomorrow" in (job.reason or "") for job in here.queue.jobs()))
        until(lambda: here.queue.counts()[Stage.READY] == 1)
        (waiting,) = (job for job in here.queue.jobs() if not job.stage.is_over)
        assert "minutes of anna" in str(waiting.reason)
        assert budget.today("anna").yours == pytest.approx(1.2 / 60, rel=0.2)


class TestDeath:
    def test_what_a_dead_worker_had_goes_on_elsewhere_from_its_last_finished_step(
        self, machines: Machines, library: Library
    ) -> None:
        here, other = machines.add(), machines.add(start=False)
        here.pipeline.hold(Step.EMBED)
        job = upload(here, library.video("a.mp4"))
        until(lambda: here.pipeline.held.is_set())
        with here.database.engine.begin() as db:  # as if it had said nothing for a minute
            db.exec_driver_sql("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'")
            db.exec_driver_sql("UPDATE procrastinate_jobs SET worker_id = NULL WHERE queue_name = 'files'")
        other.queue.start()
        (job,) = finish(other.queue, job)
        assert job.stage is Stage.READY
        assert other.pipeline.steps_of("a.mp4") == [Step.EMBED, Step.INDEX, Step.TIDY]
        here.pipeline.release()  # it lives after all, and finds that it has lost its turn
        until(lambda: not here.queue._turns)
        until(lambda: not list((library.root / "machine-0" / "work").iterdir()))
        assert library.encoder.encoded == ["a.mp4"]
        assert library.index.count().videos == 1

    def test_one_that_lives_and_is_late_to_say_so_keeps_its_file(
        self, machines: Machines, library: Library, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(engine, "PATIENCE", 1000)
        late, other = machines.add(lost_s=3000.0, workers=1), machines.add(start=False)
        late.pipeline.hold(Step.EMBED)
        job = upload(late, library.video("a.mp4"))
        until(lambda: late.pipeline.held.is_set())
        with late.database.engine.begin() as db:
            db.exec_driver_sql("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'")
        looks: list[float] = []
        tend = other.engine.tend
        other.engine.tend = lambda quiet_s: (looks.append(quiet_s), tend(quiet_s))
        other.queue.start()
        until(lambda: len(looks) > 1)
        assert other.pipeline.ran == []
        late.engine.signs.close()  # as when its process ends
        until(lambda: other.pipeline.ran)
        late.pipeline.release()
        (job,) = finish(other.queue, job)
        assert job.stage is Stage.READY

    def test_what_was_asked_for_again_before_its_worker_was_found_dead_is_worked_on(
        self, machines: Machines, library: Library
    ) -> None:
        here = machines.add(start=False)
        job = upload(here, library.video("a.mp4"))
        with here.database.engine.begin() as db:  # killed between the end of the file and that of its turn
            db.exec_driver_sql("UPDATE procrastinate_jobs SET status = 'doing', lock = 'content'")
            db.exec_driver_sql("UPDATE queue SET stage = 'failed', mark = pg_current_xact_id()::text::bigint")
        here.queue._look(again=True)
        here.queue.retry(job.id)
        with here.database.engine.begin() as db:
            db.exec_driver_sql("UPDATE procrastinate_jobs SET lock = 'content' WHERE status = 'todo'")
        here.queue.start()
        (job,) = finish(here.queue, job)
        assert job.stage is Stage.READY

    def test_whose_turn_is_over_asks_a_service_for_nothing(self, machines: Machines, library: Library) -> None:
        here = machines.add(start=False)
        job = upload(here, library.video("a.mp4"))
        first = here.jobs.take(job.id)
        notes = here.jobs.notes("content", job.id, first.turn)
        second = here.jobs.take(job.id)
        with pytest.raises(TurnLost):
            notes["asked"] = "now"
        assert dict(here.jobs.notes("content", job.id, second.turn)) == {}

    def test_a_turn_is_lost_to_another_of_the_same_process_too(self, machines: Machines, library: Library) -> None:
        here = machines.add(start=False)
        here.pipeline.hold(Step.EMBED)
        job = upload(here, library.video("a.mp4"))
        threads = [threading.Thread(target=here.queue._turn, args=(job.id, None)) for _ in range(2)]
        threads[0].start()
        until(lambda: here.pipeline.held.is_set())
        threads[1].start()  # as when the database was away for a while
        until(lambda: here.queue._turns.get(job.id) == 2)
        here.pipeline.release()
        for thread in threads:
            thread.join(PATIENCE_S)
        assert here.pipeline.steps_of("a.mp4").count(Step.INDEX) == 1
        assert here.queue.job(job.id).stage is Stage.READY

    def test_one_that_nobody_has_is_taken_up(self, machines: Machines, library: Library) -> None:
        here = machines.add(start=False)
        job = upload(here, library.video("a.mp4"))
        with here.database.engine.begin() as db:
            db.exec_driver_sql("DELETE FROM procrastinate_jobs")
            db.exec_driver_sql("UPDATE queue SET changed = changed - 60")
        here.queue.start()
        (job,) = finish(here.queue, job)
        assert job.stage is Stage.READY

    def test_what_is_written_by_who_lost_the_turn_is_not(self, machines: Machines, library: Library) -> None:
        here = machines.add(start=False)
        job = upload(here, library.video("a.mp4"))
        first, second = here.jobs.take(job.id), here.jobs.take(job.id)
        here.jobs.save(second)
        with pytest.raises(TurnLost):
            here.jobs.save(first)

    def test_a_stopped_worker_puts_its_file_back(self, machines: Machines, library: Library) -> None:
        here, other = machines.add(), machines.add(start=False)
        here.pipeline.hold(Step.EMBED)
        job = upload(here, library.video("a.mp4"))
        until(lambda: here.pipeline.held.is_set())
        assert here.queue.stop(PATIENCE_S)
        assert other.queue.job(job.id).stage is not Stage.FAILED
        other.queue.start()
        (job,) = finish(other.queue, job)
        assert job.stage is Stage.READY


def test_an_archive_is_queued_without_opening_it_and_once(machines: Machines, library: Library) -> None:
    here = machines.add(start=False)
    names = [(f"slow:{number}", f"{number}.mp4") for number in range(50)]
    assert [job.filename for job in here.queue.enqueue(names)] == [name for _, name in names]
    here.queue.enqueue(names)
    assert [job.filename for job in here.queue.jobs()] == [name for _, name in reversed(names)]
    assert here.pipeline.ran == []


def test_threads_claim_a_content_for_one(machines: Machines, library: Library) -> None:
    here = machines.add(start=False)
    ids = [job.id for job in here.queue.enqueue((f"slow:{n}", None) for n in range(8))]
    got: list[str] = []
    threads = [threading.Thread(target=lambda own=own: got.append(here.jobs.claim("content", own))) for own in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert (len(got), len(set(got))) == (8, 1)
    here.jobs.drop("content", got[0])
    assert here.jobs.claim("content", ids[0]) == ids[0]


def test_what_is_written_down_late_is_seen_all_the_same(machines: Machines, library: Library) -> None:
    here = machines.add(start=False)
    slow, quick = here.queue.enqueue([("slow:1", None), ("slow:2", None)])
    _, _, mark = here.jobs.changes(0)
    with here.database.engine.begin() as db:
        db.exec_driver_sql(
            "UPDATE queue SET progress = 0.5, mark = pg_current_xact_id()::text::bigint WHERE id = %s", (slow.id,)
        )
        here.jobs.take(quick.id)
        changed, count, mark = here.jobs.changes(mark)
        assert ([taken.job.id for taken in changed], count) == ([quick.id], 2)
    changed, _, mark = here.jobs.changes(mark)
    assert {taken.job.id: taken.job.progress for taken in changed}[slow.id] == 0.5
    assert here.jobs.changes(mark)[0] == []


def test_whether_others_are_still_to_be_checked_is_known_without_looking_at_all(
    machines: Machines, library: Library
) -> None:
    class Untouched(dict):
        def values(self) -> None:
            raise AssertionError("all of them were looked at")

    library.encoder.info = replace(library.encoder.info, paid=True)
    here = machines.add(start=False)
    first, second = (here.queue._rows[job.id] for job in here.queue.enqueue([("slow:1", None), ("slow:2", None)]))
    here.queue._open = Untouched(here.queue._open)
    assert here.queue._is_unpriced(first)
    here.queue.cancel(second.id)
    assert not here.queue._is_unpriced(first)


class TestWatchedFolder:
    @pytest.fixture
    def book(self, tmp_path: Path) -> WatchBook:
        return WatchBook(SqliteShelf(tmp_path / "watch.sqlite3", "watch"))

    def test_refused_files_whose_jobs_were_cleared_are_not_asked_for_one_by_one(
        self, machines: Machines, library: Library, book: WatchBook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here = machines.add(start=False)
        book.note([Watched(str(library.root), f"{n}.mp4", 1, 1, "failed", f"{n:032x}") for n in range(40)])
        watch = FolderWatch(library.root, here.queue, book, most=100)
        asked: list[int] = []
        changes = here.jobs.changes
        monkeypatch.setattr(here.jobs, "changes", lambda since: (asked.append(since), changes(since))[1])
        watch.feed()
        assert len(asked) <= 1
        assert len(book.open()) == 40

    def test_a_file_on_its_way_that_was_not_seen_yet_is_not_forgotten(
        self, machines: Machines, library: Library, book: WatchBook
    ) -> None:
        here, there = machines.add(start=False), machines.add(start=False)
        (job,) = there.queue.enqueue([("slow:1", None)])
        here.queue._looked_at = time.monotonic() + PATIENCE_S  # as when it has just looked
        sent = Watched(str(library.root), "1.mp4", 1, 1, "sent", job.id)
        book.note([sent])
        FolderWatch(library.root, here.queue, book, most=100).feed()
        assert book.open() == [sent]
        there.queue.cancel(job.id)
        there.queue.forget([job.id])
        here.queue._look(again=True)
        FolderWatch(library.root, here.queue, book, most=100).feed()
        assert book.open() == [], "cleared"
