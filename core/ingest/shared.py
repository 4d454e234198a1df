"""The queue of files on their way into a library that machines share: in one database, worked on wherever workers are.

What is done with a job is the same as on one machine (working.py). Here a worker takes a whole file and takes its steps
one after the other, unless it has to wait; when it is taken up again, and by which machine, is for the engine behind
`Workers`. Each time a worker takes a job it begins a turn, and what it writes is written only while no other turn has
begun since: so a machine that was taken for dead, and lives, does no harm. Only one job at a time has the claim on a
content, for all machines, and what was paid for is noted by content, whichever job asked for it.

Each process holds what it last saw of all jobs, and looks for what has changed when somebody wants to know.
"""

from __future__ import annotations

import contextlib
import logging
import random
import re
import shutil
import tempfile
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import BinaryIO

from core.errors import AppError, EncoderPaused, StoreError, Unavailable
from core.ingest import reasons, scheduling
from core.ingest.arrivals import spool
from core.ingest.pipeline import SUFFIX, Pipeline, Step, Work
from core.ingest.scheduling import BACKOFF_S, PROBE_S, Row
from core.ingest.work import HANDED
from core.ingest.working import Queue
from core.models import EncoderPause, Job, Stage, ToEncode
from core.state.base import Again, SharedJobs, SharedPause, SharedRecord, Taken, TurnLost, Workers
from core.text import display_name, printable

logger = logging.getLogger(__name__)

PATIENCE_S = 24 * 3600.0
LOOK_EVERY_S = 0.5
"""How old what is shown may be."""
UNPRICED_S = 2.0
"""How long a worker waits for others to be checked before it puts a job aside for them."""
PRICED, REEMBEDDED, TWIN = -1, -5, -10
"""Priorities: of a file that a paid encoder waits for, so that all files are checked first and the price is known; of a
video that is re-embedded; of one that waits for another with the same content."""
TWIN_S = 2.0
"""How soon to look again whether the other one is over, where nothing else says so."""
SWEEP_EVERY_S = 600.0
ABANDONED_S = 24 * 3600.0
"""How old an upload without a job must be to be removed: it may be on its way until then."""
_JOB_ID = re.compile(r"[0-9a-f]{32}")


class SharedQueue(Queue):
    """Take files in, work on them if `workers` is not 0, and say at any time how far each is, whoever works on it.

    Safe to use from several threads, and from as many processes as want to. Raises AppError where the database cannot
    be used; what can be seen then is what was seen last, and is not shown.
    """

    def __init__(
        self,
        jobs: SharedJobs,
        record: SharedRecord,
        engine: Workers,
        pipeline: Pipeline,
        *,
        workers: int | None = None,
        backoff_s: Sequence[float] = BACKOFF_S,
        patience_s: float = PATIENCE_S,
        probe_s: Sequence[float] = PROBE_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`workers` is how many files this process works on at once; None: two, and those that wait for a service."""
        self._jobs = jobs
        self._record = record
        self._engine = engine
        self._pipeline = pipeline
        self._workers = workers
        self._backoff_s = tuple(backoff_s)
        self._patience_s = patience_s
        self._probe_s = tuple(probe_s)
        self._clock = clock
        self._state = threading.Condition()
        self._stopping = False
        self._started = False
        self._rows: dict[str, Row] = {}
        self._open: dict[str, Row] = {}
        self._latest: dict[str, Row] = {}
        self._unchecked: set[str] = set()
        """Those whose length, and so their price, is not known yet and will be soon."""
        self._turns: dict[str, int] = {}
        """Of the jobs that are worked on here."""
        self._begun: set[str] = set()
        """Jobs that may have a folder here."""
        self._again: dict[str, Again] = {}
        """Of those, the ones that have to wait, and how."""
        self._answered: set[str] = set()
        """Of those, the ones that had an answer from their encoder."""
        self._dropped: deque[tuple[str, str]] = deque()
        """Claims (content, job) that are given up."""
        self._pauses: dict[str, SharedPause] = {}
        self._looking = threading.Lock()
        self._looked_at = self._swept_at = -1e9
        self._mark = 0
        self._look()
        self._sweep()

    def start(self) -> None:
        """Start to work on jobs, if this process does."""
        with self._state:
            if self._started or self._stopping or self._workers == 0:
                return
            self._started = True
        serving = self._pipeline.lanes.serving.encoder.info
        self._engine.start(self._work, self._workers or 2 + scheduling.waiters(serving))

    def stop(self, timeout_s: float) -> bool:
        """Put aside what is worked on here, for any worker to go on with; return whether all of it was in time."""
        with self._state:
            self._stopping = True
            self._state.notify_all()
        return self._engine.stop(timeout_s)

    # Taking in

    def submit(
        self, source: str | Path, filename: str | None = None, *, owned: bool = False, by: str | None = None
    ) -> Job:
        """Queue a file by its path or "scheme:NAME", and return its job. A file of this machine is handed over first.

        A source that is on its way already is not queued again, and one that failed or was cancelled is retried.
        """
        text = str(source)
        if not (isinstance(source, str) and self._pipeline.makes(text)):
            return self._hand_over(Path(source), filename or PurePath(text).name, owned=owned, by=by)
        return self._enqueue([(text, filename)], ready_too=True, by=by)[0]

    def enqueue(self, sources: Iterable[tuple[str, str | None]]) -> list[Job]:
        return self._enqueue(sources, ready_too=False)

    def _enqueue(
        self, sources: Iterable[tuple[str, str | None]], *, ready_too: bool, by: str | None = None
    ) -> list[Job]:
        self._look(again=True)
        found: dict[str, Job | None] = {}
        fresh = []
        for text, filename in sources:
            if text in found:
                continue
            with self._state:
                row = self._latest.get(text)
            if row is not None and not (ready_too and row.stage is Stage.READY):
                found[text] = self.retry(row.id)
                continue
            found[text] = None
            name = filename or PurePath(text.partition(":")[2] or text).name
            if not PurePath(name).suffix:
                name += ".mp4"
            fresh.append(Work(uuid.uuid4().hex, text, display_name(name), by=by))
        found |= {row.work.source: row.job(self._clock()) for row in self._add(fresh)}
        return [job for job in found.values() if job is not None]

    def receive(self, stream: BinaryIO, filename: str, *, by: str | None = None) -> Job:
        """Hand an upload over, and queue it. Raises AppError, and leaves nothing behind, when that cannot be done."""
        suffix = PurePath(display_name(filename)).suffix.lower()
        try:
            with tempfile.TemporaryDirectory(dir=self._own_folder()) as folder:
                path = Path(folder) / f"upload{suffix if SUFFIX.fullmatch(suffix) else ''}"
                spool(stream, path)
                return self._hand_over(path, filename, by=by)
        except OSError as error:
            raise StoreError(
                "{name} could not be taken in. {why}", name=display_name(filename), why=reasons.of_os(error)
            ) from error

    def _hand_over(self, path: Path, filename: str, *, owned: bool = False, by: str | None = None) -> Job:
        if not path.is_file():
            raise StoreError("{path} is not there. Choose a video file.", path=printable(str(path)))
        job_id = uuid.uuid4().hex
        source = self._pipeline.handed_as(path, job_id)
        # Written down first: should this process die before there is a job, others know whose upload that was.
        self._record.claim(source, job_id)
        self._pipeline.hand_over(path, source)
        work = Work(job_id, source, display_name(filename), owned=True, by=by)
        try:
            (row,) = self._add([work])
        except AppError:
            if (known := self._queued_after_all(work)) is None:
                raise
            row = known
        if owned:
            path.unlink(missing_ok=True)
        return row.job(self._clock())

    def _queued_after_all(self, work: Work) -> Row | None:
        """Return the job if it was written down and only the answer was lost; take the upload back if it was not."""
        try:
            self._look(again=True)
        except AppError:
            return None  # nobody knows; if there is no job, the upload is swept
        with self._state:
            row = self._rows.get(work.job_id)
        if row is None:
            self._pipeline.discard(work)
        return row

    def _add(self, works: Sequence[Work]) -> list[Row]:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        rows = [Row(0, now, work) for work in works]
        if rows:
            self._jobs.add([row.record(self._clock()) for row in rows])
            # From here on they are in the queue, also where the database goes away before it is looked at again:
            # who would hear of an error then, would take back what a worker is about to read.
            with contextlib.suppress(AppError):
                self._look(again=True)
        return [self._rows.get(row.id, row) for row in rows]

    # What a person asks for

    def pause(self) -> EncoderPause | None:
        """Return why the encoder takes nothing now (of two that do not, the first); None while it works."""
        self._look()
        with self._state:
            for encoder, pause in self._pauses.items():
                waiting = [row for row in self._open.values() if row.work.step is Step.EMBED]
                return EncoderPause(
                    reason=reasons.read(pause.reason),
                    waiting=sum(self._encoder_of(row).name == encoder for row in waiting),
                    retry_in_s=None if pause.probe else max(0.0, pause.next_probe - self._clock()),
                )
            return None

    def try_now(self) -> None:
        """Let a job try at once whether a paused encoder works again; the pauses begin small anew."""
        self._record.try_soon()
        self._engine.hurry()
        self._look(again=True)

    def cancel(self, job_id: str) -> Job | None:
        """Give a job up: at once when it waits, within a second when it is worked on, wherever that is."""
        if self._jobs.ask_to_cancel(job_id):
            self._turn(job_id, None)
        self._look(again=True)
        return self.job(job_id)

    def retry(self, job_id: str) -> Job | None:
        """Queue a failed or cancelled job again; it goes on from the last step whose result is still there."""
        self._look()
        with self._state:
            row = self._rows.get(job_id)
        if row is None:
            return None
        if row.stage in (Stage.FAILED, Stage.CANCELLED):
            again = Row.of(row.record(self._clock()))
            again.stage, again.progress, again.reason, again.cancel = Stage.QUEUED, 0.0, None, False
            self._jobs.again(Taken(again.record(self._clock()), 0, 0, 0.0, False), again.work.claim)
            self._look(again=True)
        return self.job(job_id)

    def clear(self) -> None:
        """Forget the jobs that are over, and what was kept for a retry. Videos in the library stay."""
        self._look()
        with self._state:
            ids = [row.id for row in self._rows.values() if row.work.target is None]
        self.forget(ids)

    def forget(self, job_ids: Iterable[str]) -> None:
        """Forget those of these jobs that are over, and what was kept for a retry."""
        self._look()
        with self._state:
            rows = [row for job_id in job_ids if (row := self._rows.get(job_id)) is not None and row.stage.is_over]
        gone = []
        for row in rows:
            if row.untidy:
                tidy = self._roll_back(row)
                self._drop_claim(row)
                self._give_up_claims()
                if not tidy:
                    continue
            gone.append(row)
        self._jobs.delete([row.id for row in gone])
        for row in gone:
            self._pipeline.discard(row.work)
        self._look(again=True)

    # How far all are

    def jobs(self) -> list[Job]:
        self._look()
        return super().jobs()

    def job(self, job_id: str) -> Job | None:
        self._look(again=job_id not in self._rows)  # another one may have taken it in a moment ago
        return super().job(job_id)

    def counts(self) -> Counter[Stage]:
        self._look()
        return super().counts()

    def to_encode(self) -> ToEncode:
        self._look()
        return super().to_encode()

    def wait(self, job_ids: Iterable[str], timeout_s: float | None = None) -> list[Job]:
        ids, deadline = list(job_ids), None if timeout_s is None else time.monotonic() + timeout_s
        self._look(again=True)
        while True:
            self._look()
            with self._state:
                is_over = not any(job_id in self._open for job_id in ids)
                if is_over or (deadline is not None and time.monotonic() >= deadline):
                    return [row.job(self._clock()) for job_id in ids if (row := self._rows.get(job_id))]
                self._state.wait(LOOK_EVERY_S)

    def _look(self, *, again: bool = False) -> None:
        """See what has changed, unless that was just done. Raises AppError."""
        with self._looking:
            if not again and time.monotonic() - self._looked_at < LOOK_EVERY_S:
                return
            changed, total, mark = self._jobs.changes(self._mark)
            pauses = self._record.pauses()
            with self._state:
                self._take_in(changed)
                is_whole = len(self._rows) == total
            if not is_whole:  # some were forgotten elsewhere
                changed, _, mark = self._jobs.changes(0)
                with self._state:
                    there = {taken.job.id for taken in changed}
                    for rows in (self._rows, self._open):
                        for job_id in rows.keys() - there:
                            del rows[job_id]
                    self._unchecked &= there
                    self._latest = {}
                    self._take_in(changed)
            with self._state:
                self._pauses, self._mark = pauses, mark
                self._state.notify_all()
            self._looked_at = time.monotonic()

    def _take_in(self, changed: Sequence[Taken]) -> None:
        """Hold what is written down of jobs; of those worked on here more is known. The caller has the lock."""
        for taken in changed:
            job_id = taken.job.id
            row = self._rows[job_id] if self._turns.get(job_id, -1) >= taken.turn else _row(taken)
            self._rows[job_id] = row
            if row.stage.is_over:
                self._open.pop(job_id, None)
            else:
                self._open[job_id] = row
            if row.stage.is_over or row.work.step >= Step.STORE or row.work.target or row.tries or row.held:
                self._unchecked.discard(job_id)
            else:
                self._unchecked.add(job_id)
            latest = self._latest.get(row.work.source)
            if latest is None or latest.number <= row.number:
                self._latest[row.work.source] = row

    # A turn at one job

    def _work(self, job_id: str, lock: str | None) -> Again | None:
        again = self._turn(job_id, lock)
        self._sweep_uploads()
        return again

    def _turn(self, job_id: str, lock: str | None) -> Again | None:
        """Take a job's steps one after the other until it is over, or has to wait."""
        taken = self._jobs.take(job_id)
        if taken is None:
            return None
        row = _row(taken)
        row.verified, row.busy, row.since = row.work.step is Step.IDENTIFY, True, self._clock()
        with self._state:
            self._turns[job_id] = taken.turn
            self._begun.add(job_id)
            self._rows[job_id] = self._open[job_id] = row
        try:
            if row.work.step in (Step.STORE, Step.EMBED) and not row.cancel and not self._gets_priced(row):
                return self._later(row, 0.0)
            while not row.stage.is_over:
                if (again := self._next(row)) is not None:
                    return again
        except TurnLost:
            logger.warning("%s was taken up by another worker meanwhile", job_id)
        finally:
            self._let_go(row)
            self._clear_away()
        return None

    def _next(self, row: Row) -> Again | None:
        """Take one step; return how the job is to be taken up again where it cannot take the next one now."""
        step = row.work.step
        try:
            if step is Step.EMBED and row.verified and row.claimed and not row.cancel and self._is_held(row):
                return self._later(row, self._pause_left_s(row))
            self._advance(row)
        except TurnLost:
            raise
        except Exception as error:  # noqa: BLE001
            # As in jobs.py: whatever a file does to a decoder or an SDK, its job ends with a sentence.
            self._settle(row, error)
        self._give_up_claims()
        if row.id in self._answered:
            self._answered.discard(row.id)
            self._end_pause(row)
        if row.stage.is_over:
            return None
        if self._stopping:
            return self._later(row, 0.0)
        if (again := self._again.pop(row.id, None)) is not None:
            return again
        if step is Step.INSPECT and row.work.step is Step.STORE and self._is_unpriced(row):
            return self._later(row, 0.0)
        return None

    def _let_go(self, row: Row) -> None:
        with self._state:
            row.worked_s = row.worked_until(self._clock())
            row.busy, row.shown = False, None
            self._state.notify_all()
            if self._turns.get(row.id) != row.turn:
                return  # another thread of this process has the job by now
            del self._turns[row.id]
            self._again.pop(row.id, None)
        with contextlib.suppress(AppError):  # a try that came to nothing; it is another one's when this job ends
            self._record.release(row.id)

    def _later(self, row: Row, in_s: float) -> Again:
        """Return when a job is taken up again: by its lock, of those with the same content one at a time."""
        is_priced = row.work.step >= Step.STORE and self._encoder_of(row).paid
        priority = REEMBEDDED if row.work.target is not None else PRICED if is_priced else 0
        return Again(in_s, priority, row.work.claim)

    def _gets_priced(self, row: Row) -> bool:
        """Wait a moment, if need be, for the others that are checked now; return whether they are.

        All that waits to be checked goes first by its priority, so here only what is in a worker's hands is missing. To
        look is cheap, and to put a job aside and take it up again is not.
        """
        ends = time.monotonic() + UNPRICED_S
        while self._is_unpriced(row, again=False) or self._is_unpriced(row):
            with self._state:
                if self._state.wait_for(lambda: self._stopping, LOOK_EVERY_S) or time.monotonic() >= ends:
                    return False
        return True

    def _is_unpriced(self, row: Row, *, again: bool = True) -> bool:
        """Tell whether a job must wait until others are checked: what a batch costs is known before it begins."""
        if not self._encoder_of(row).paid or row.work.target is not None:
            return False
        self._look(again=again)
        with self._state:
            return len(self._unchecked) > (row.id in self._unchecked)

    # What working.py asks of a queue

    def _save(self, row: Row) -> None:
        with self._state:
            now = row.saved_at = self._clock()
            taken = Taken(row.record(now), row.turn, row.tries, row.away_since, row.held)
        if self._jobs.save(taken):
            row.cancel = not row.stage.is_over

    def _notes(self, row: Row) -> MutableMapping[str, str]:
        if row.work.sha256 is None:
            return {}
        return self._record.notes(f"{row.work.sha256}:{row.work.encoder}", row.id, row.turn)

    def _begin_notes(self, row: Row) -> None:
        """They are kept by content and encoder: those of another one are others."""

    def _claim(self, row: Row) -> str | None:
        content = row.work.claim
        assert content is not None, "a job that is past IDENTIFY knows its content"
        holder = self._record.claim(content, row.id)
        if holder == row.id:
            return None
        with self._state:
            other = self._rows.get(holder)
        return other.work.filename if other else "another file"

    def _wait_for_twin(self, row: Row) -> None:
        row.held = True
        self._save(row)
        self._again[row.id] = Again(TWIN_S, TWIN, row.work.claim)

    def _drop_claim(self, row: Row) -> None:
        row.claimed = False
        if row.work.claim is not None:
            self._dropped.append((row.work.claim, row.id))  # with the lock held is no time to ask a database

    def _give_up_claims(self) -> None:
        while self._dropped:
            self._record.drop(*self._dropped.pop())

    def _put_off(self, row: Row, error: Unavailable) -> None:
        pause_s = scheduling.pause_s(row.tries, error.retry_after_s, self._backoff_s)
        with self._state:
            row.note_away(error, self._clock())
            row.reason = reasons.again(error, pause_s)
        self._save(row)
        self._again[row.id] = self._later(row, pause_s)

    def _pause_encoder(self, row: Row, error: EncoderPaused) -> None:
        encoder, now, reason = self._encoder_of(row).name, self._clock(), printable(error.sentence)
        pause = self._record.pauses().get(encoder)
        if pause is None or pause.probe == row.id:
            probes = 0 if pause is None else pause.probes + 1
            wait_s = scheduling.pause_s(probes, error.retry_after_s, self._probe_s)
            pause = SharedPause(reasons.written(reason), now + wait_s, probes)
            self._record.pause(encoder, pause)
        # Else it had begun before the pause, and says what is known.
        self._hold(row, reason)
        self._again[row.id] = self._later(row, max(0.0, pause.next_probe - now))

    def _resume(self, probe: Row) -> None:
        self._answered.add(probe.id)

    def _end_pause(self, row: Row) -> None:
        for encoder, pause in self._record.pauses().items():
            if pause.probe == row.id:
                self._record.pause(encoder, None)
                self._engine.hurry()

    def _is_held(self, row: Row) -> bool:
        """Tell whether the job must wait for a paused encoder; else it is the one that tries it, if it is paused."""
        encoder = self._encoder_of(row).name
        if self._record.probe(encoder, row.id):
            return False
        pause = self._record.pauses().get(encoder)
        if pause is not None:
            self._hold(row, reasons.read(pause.reason))
        return True

    def _hold(self, row: Row, reason: str) -> None:
        with self._state:
            row.held, row.stage, row.progress, row.reason = True, Stage.QUEUED, 0.0, reason
        self._save(row)

    def _pause_left_s(self, row: Row) -> float:
        pause = self._record.pauses().get(self._encoder_of(row).name)
        left_s = 0.0 if pause is None else max(TWIN_S, pause.next_probe - self._clock())
        return left_s * random.uniform(1.0, 1.0 + scheduling.JITTER)

    # Disk

    def _clear_away(self) -> None:
        """Remove the folders of jobs that were begun here and ended elsewhere."""
        try:
            self._look()
        except AppError as error:
            logger.info("What is left of jobs that ended elsewhere is removed later: %s", error)
            return
        with self._state:
            resting = self._begun - self._turns.keys()
            over = {i for i in resting if (row := self._rows.get(i)) is None or row.stage is Stage.READY}
            self._begun -= over
        for job_id in over:
            shutil.rmtree(self._pipeline.work_dir / job_id, ignore_errors=True)

    def _sweep_uploads(self) -> None:
        """Now and then, remove uploads that no job needs: of who died before there was one, and what could not be
        removed when the job was over. Only what was claimed: others may keep their uploads in the same store."""
        with self._state:
            if self._stopping or time.monotonic() - self._swept_at < SWEEP_EVERY_S:
                return
            self._swept_at = time.monotonic()
        try:
            for source, job_id in self._record.left(f"{HANDED}:", ABANDONED_S):
                if self._stopping:
                    return
                self._pipeline.take_back(source)
                self._record.drop(source, job_id)
        except AppError as error:
            logger.warning("Uploads that no job needs are removed later: %s", error)

    def _own_folder(self) -> Path:
        self._pipeline.work_dir.mkdir(parents=True, exist_ok=True)
        return self._pipeline.work_dir

    def _sweep(self) -> None:
        """Remove this machine's folders of jobs that are ready or unknown."""
        kept = {row.id for row in self._rows.values() if row.stage is not Stage.READY}
        folder = self._pipeline.work_dir
        for inner in folder.iterdir() if folder.is_dir() else ():
            if _JOB_ID.fullmatch(inner.name) and inner.name not in kept:
                shutil.rmtree(inner, ignore_errors=True)


def _row(taken: Taken) -> Row:
    row = Row.of(taken.job)
    row.tries, row.away_since, row.held, row.turn = taken.tries, taken.away_since, taken.held, taken.turn
    return row
