"""What is done with one job: its steps, what becomes of it when one fails, and its end.

Whose turn it is, who else has the same content, and where all of it is written down is for the queue that mixes this
in: jobs.py, where one process has all jobs, and shared.py, where many machines take them from one database.
"""

from __future__ import annotations

import logging
import threading
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from core.errors import AppError, Cancelled, EncoderError, EncoderPaused, NotToday, Sentence, StoreError, Unavailable
from core.ingest import reasons
from core.ingest.pipeline import Pipeline, Step
from core.ingest.scheduling import Row
from core.models import EncoderInfo, EncoderPause, Job, Progress, Stage, ToEncode
from core.text import printable

logger = logging.getLogger(__name__)

FLUSH_EVERY_S = 0.5
"""How often the progress of a job goes to disk. Only its working time is worth something after a crash."""


class Queue:
    """Take files in and jobs a step further, and say how far they are. Safe to use from several threads.

    `_state` guards the rows, and is held for moments only.
    """

    _pipeline: Pipeline
    _clock: Callable[[], float]
    _patience_s: float
    _state: threading.Condition
    _stopping: bool
    _rows: dict[str, Row]
    _open: dict[str, Row]
    """Those that are not over."""

    @abstractmethod
    def start(self) -> None:
        """Start to work on jobs."""

    @abstractmethod
    def stop(self, timeout_s: float) -> bool:
        """Ask running work to stop at its next progress call, and return whether all of it did in time.

        Nothing is cancelled: every unfinished job goes on later. This queue takes no more.
        """

    @abstractmethod
    def submit(
        self, source: str | Path, filename: str | None = None, *, owned: bool = False, by: str | None = None
    ) -> Job:
        """Queue a file by its path or "scheme:NAME", and return its job.

        `owned` hands the file over; `by` is who adds it, where that is known by name.

        A source that is on its way already is not queued again, and one that failed or was cancelled is retried.
        """

    @abstractmethod
    def receive(self, stream: BinaryIO, filename: str, *, by: str | None = None) -> Job:
        """Take an upload in, and queue it. Raises AppError, and leaves nothing behind, when that cannot be done."""

    @abstractmethod
    def enqueue(self, sources: Iterable[tuple[str, str | None]]) -> list[Job]:
        """Queue many (source, name) by what every worker knows them by: "scheme:NAME", or a path that all of them see.

        Nothing is opened. What is on its way, or ready, already is not queued again; what failed is retried.
        """

    @abstractmethod
    def pause(self) -> EncoderPause | None:
        """Return why the encoder takes nothing now (of two that do not, the first); None while it works."""

    @abstractmethod
    def try_now(self) -> None:
        """Let a job try at once whether a paused encoder works again; the pauses begin small anew."""

    @abstractmethod
    def cancel(self, job_id: str) -> Job | None:
        """Give a job up: at once when it waits, at its next progress call when it is worked on.

        What it had put into the library is removed. A job that is over, or in the library already, is left as it is.
        """

    @abstractmethod
    def retry(self, job_id: str) -> Job | None:
        """Queue a failed or cancelled job again; it goes on from the last step whose result is still there."""

    @abstractmethod
    def clear(self) -> None:
        """Forget the jobs that are over, and what was kept for a retry. Videos in the library stay."""

    @abstractmethod
    def forget(self, job_ids: Iterable[str]) -> None:
        """Forget those of these jobs that are over, and what was kept for a retry."""

    # What those that mix this in do

    @abstractmethod
    def _save(self, row: Row) -> None:
        """Write a job down. Raises AppError."""

    @abstractmethod
    def _notes(self, row: Row) -> MutableMapping[str, str]:
        """Return what the encoder has noted of this job's content."""

    @abstractmethod
    def _begin_notes(self, row: Row) -> None:
        """Have no notes: what they were about is another content, or another encoder's."""

    @abstractmethod
    def _claim(self, row: Row) -> str | None:
        """Claim the job's content for it. Return None when it has the claim, else the name of who has."""

    @abstractmethod
    def _wait_for_twin(self, row: Row) -> None:
        """Let a job rest until the one with the same content is over."""

    @abstractmethod
    def _drop_claim(self, row: Row) -> None:
        """Let those that wait for this job go on; the caller holds the lock."""

    @abstractmethod
    def _put_off(self, row: Row, error: Unavailable) -> None:
        """Let a job wait for a service: as long as that asked for, else longer from one try to the next."""

    @abstractmethod
    def _pause_encoder(self, row: Row, error: EncoderPaused) -> None:
        """Let all jobs wait for the encoder, and one of them try again after a pause that grows from try to try."""

    @abstractmethod
    def _resume(self, probe: Row) -> None:
        """End the pause if this is the job that has tried the encoder and had an answer."""

    def _closed(self, row: Row) -> None:
        """See that a job is over; the caller holds the lock."""

    # How far all are

    def jobs(self) -> list[Job]:
        """Return all jobs, newest first."""
        now = self._clock()
        with self._state:
            return [row.job(now) for row in reversed(self._rows.values())]

    def job(self, job_id: str) -> Job | None:
        """Return a job as it is now; None when it was cleared."""
        with self._state:
            row = self._rows.get(job_id)
            return None if row is None else row.job(self._clock())

    def counts(self) -> Counter[Stage]:
        """Return how many jobs are in each stage; 0 for a stage without any."""
        with self._state:
            return Counter(row.stage for row in self._rows.values())

    def to_encode(self) -> ToEncode:
        """Return how much video waits to be encoded: what a paid encoder is going to charge for."""
        with self._state:
            works = [row.work for row in self._open.values() if row.work.step <= Step.EMBED and not row.waits_for]
            works = [work for work in works if work.target is None]  # what that costs was said before it began
        known = [work.info.duration_s for work in works if work.info is not None]
        return ToEncode(seconds=sum(known), unchecked=len(works) - len(known))

    def wait(self, job_ids: Iterable[str], timeout_s: float | None = None) -> list[Job]:
        """Wait until these jobs are over, or for `timeout_s`, and return them as they are then."""
        ids = list(job_ids)
        with self._state:
            self._state.wait_for(lambda: not any(job_id in self._open for job_id in ids), timeout_s)
            return [job for job_id in ids if (job := self.job(job_id))]

    def _encoder_of(self, row: Row) -> EncoderInfo:
        """Return the encoder that a job is for, or is going to be for."""
        lanes = self._pipeline.lanes
        lane = lanes.named(row.work.target or row.work.encoder or "") or lanes.serving
        return lane.encoder.info

    # Work: what a worker does with a job

    def _advance(self, row: Row) -> None:
        if row.cancel and row.work.step is not Step.TIDY:
            raise Cancelled
        if not row.verified:
            self._verify(row)
        elif row.work.step not in (Step.IDENTIFY, Step.TIDY) and not row.claimed:
            self._recognise(row)
        else:
            self._step(row)

    def _step(self, row: Row) -> None:
        """Do the next step of a job and write down what came of it."""
        step = row.work.step
        with self._state:
            if row.stage is not step.stage:
                row.stage, row.progress = step.stage, 0.0
            row.held = False
            if not row.duplicate:
                row.reason = None
        work = self._pipeline.run(row.work, self._notes(row), self._reporter(row))
        if step is Step.TIDY:
            self._end(row, Stage.READY, row.reason)
            return
        with self._state:
            row.work, row.tries = work, 0
            row.progress = 1.0 if work.step.stage is not step.stage else row.progress
            if step is Step.EMBED:
                row.probes = 0
                self._resume(row)
        self._save(row)

    def _verify(self, row: Row) -> None:
        """Check that a job that was put aside can go on from where it was."""
        work = self._pipeline.verify(row.work, self._reporter(row), lambda _: self._roll_back(row))
        if work.step is Step.IDENTIFY or work.encoder != row.work.encoder:
            self._begin_notes(row)
        with self._state:
            row.verified = True
            if work.claim != row.work.claim:
                self._drop_claim(row)
            row.work = work
        self._save(row)

    def _recognise(self, row: Row) -> None:
        """Claim the content for this job, so that no other adds it too; a duplicate waits, or is ready at once."""
        holder = self._claim(row)
        if holder is not None:
            with self._state:
                row.stage, row.progress = Stage.QUEUED, 0.0
                row.reason = Sentence('Waiting for "{holder}", which has the same content.', holder=holder)
            self._wait_for_twin(row)
            return
        known = self._pipeline.find(row.work)
        with self._state:
            if known is None:
                row.claimed = True
            else:
                row.duplicate = True
                if row.work.target is None:
                    row.reason = Sentence('Already in the library as "{title}".', title=printable(known.title))
                row.work = replace(
                    row.work,
                    step=Step.TIDY,
                    video_id=known.video_id,
                    media_key=known.media_key,
                    seen=known.seen,
                )
        self._save(row)

    def _reporter(self, row: Row) -> Progress:
        """Return the callback that takes the progress of a job, and stops its work when a person or the app wants."""

        def report(fraction: float) -> None:
            with self._state:
                if row.cancel or self._stopping:
                    raise Cancelled
                row.progress = max(row.progress, min(fraction, 1.0))
                due = self._clock() - row.saved_at >= FLUSH_EVERY_S
            if due:
                self._save(row)

        return report

    # Ends

    def _settle(self, row: Row, error: Exception) -> None:
        """Decide what becomes of a job whose step ended with an error."""
        if row.cancel:
            self._give_up(row, Stage.CANCELLED, None)
        elif self._stopping:
            # Cut off by us, or by what is being closed around it: not its fault, it goes on at the next start.
            self._save_or_log(row)
        elif isinstance(error, EncoderPaused):
            self._pause_encoder(row, error)
        elif isinstance(error, NotToday) or (isinstance(error, Unavailable) and self._has_patience(row)):
            self._put_off(row, error)
        else:
            if isinstance(error, EncoderError):
                self._resume(row)
            if not isinstance(error, AppError):
                logger.error("%s: step %s failed", row.id, row.work.step.name.lower(), exc_info=error)
            self._give_up(row, Stage.FAILED, reasons.of_end(error))

    def _has_patience(self, row: Row) -> bool:
        return not row.tries or self._clock() - row.away_since < self._patience_s

    def _give_up(self, row: Row, stage: Stage, reason: str | None) -> None:
        """End a job that did not get ready and remove what it left in store and index."""
        with self._state:
            row.work = replace(row.work, step=min(row.work.step, Step.STORE))
        self._save_or_log(row)  # First, so that no later step is taken on the word of what is removed now.
        row.untidy = not self._roll_back(row)
        self._end(row, stage, reason)

    def _roll_back(self, row: Row) -> bool:
        """Remove what a job left in store and index; return whether nothing of it is left.

        Nothing is removed without the claim: who holds that has stored the same objects, and counts on them.
        """
        work = row.work
        try:
            if work.claim is not None and self._claim(row) is not None:
                return True
            self._pipeline.roll_back(work)
        except Exception:
            # Nothing that goes wrong while cleaning up may hide why the job failed, or end the worker.
            logger.exception("%s: what it had stored could not be removed; clearing the list tries again", work.job_id)
            return False
        return True

    def _end(self, row: Row, stage: Stage, reason: str | None) -> None:
        with self._state:
            row.worked_s = row.worked_until(self._clock())
            row.stage, row.reason = stage, reason
            if stage is Stage.READY:
                # No step is taken any more. What failed or was cancelled keeps the texts: a retry may store them anew.
                row.progress, row.work = 1.0, row.work.without_texts()
            row.cancel = False
            self._drop_claim(row)
        self._save_or_log(row)
        with self._state:
            self._open.pop(row.id, None)
            self._closed(row)
            self._state.notify_all()

    def _save_or_log(self, row: Row) -> None:
        """Save where a failure to save must not change what happens: memory is right until the next start."""
        try:
            self._save(row)
        except StoreError:
            logger.exception("%s: its state could not be written down", row.id)
