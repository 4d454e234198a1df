"""The queue of files on their way into the library: on disk, worked on by daemon threads, alive through any crash.

What a job has come to is in the ledger before the next step begins, so a job that a crash or a restart cut off goes on
by itself from its last finished step. Rows are also held in memory: pages ask for all of them every second.

A worker takes one step of one job at a time, of the oldest job that can take one (scheduling.py). A job that has to
wait (for a free encoder, for a service that is down, for another copy of the same content: claims.py) so never keeps a
worker from other files. Where a paid service encodes, workers that wait for it come on top of those that work here.

This is the one place where something is tried again that failed because a service was away: whoever talks to a service
says Unavailable, and the job takes the same step again after a pause, for hours, with the reason on its row.

Where the encoder takes nothing at all (a revoked key, an exhausted plan, trouble of its own) it says EncoderPaused, and
the encoder is paused for all: every job waits where it is and keeps what it has stored, files are checked and stored
all the same, and one job at a time tries whether it works again, by itself or when a person presses "Try now". That
has no end: no job fails because its owner did not see to the key within a day.
"""

from __future__ import annotations

import contextlib
import logging
import re
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import BinaryIO

from core.errors import EncoderPaused, StoreError, Unavailable
from core.files import make_folder
from core.ingest import reasons, scheduling
from core.ingest.arrivals import spool
from core.ingest.claims import Claims
from core.ingest.pipeline import Pipeline, Step, Work
from core.ingest.scheduling import BACKOFF_S, PROBE_S, Pause, Row
from core.ingest.turns import Turns
from core.ingest.working import Queue
from core.models import EncoderPause, Job, Stage
from core.priority import step_back
from core.state.base import JobRecord, Ledger
from core.text import display_name, printable

logger = logging.getLogger(__name__)

PATIENCE_S = 24 * 3600.0
"""How long a service may be away before a job that needs it fails."""

_JOB_ID = re.compile(r"[0-9a-f]{32}")
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")


class JobQueue(Queue):
    """Take files in, work on them in the background, and say at any time how far each is.

    The ledger is this queue's from now on; `stop` closes it. The workers begin with `start`; what was not over goes on
    then. `workers` is how many files are worked on here at the same time; a paid encoder has its own number of videos
    on top. Raises StoreError when the ledger cannot be read.
    """

    def __init__(
        self,
        ledger: Ledger,
        pipeline: Pipeline,
        *,
        spool_dir: Path,
        workers: int = 2,
        backoff_s: Sequence[float] = BACKOFF_S,
        patience_s: float = PATIENCE_S,
        probe_s: Sequence[float] = PROBE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pipeline = pipeline
        self._spool_dir = spool_dir.absolute()
        self._workers = workers
        self._backoff_s = tuple(backoff_s)
        self._patience_s = patience_s
        self._probe_s = tuple(probe_s)
        self._clock = clock
        self._pauses: dict[str, Pause] = {}
        # Held for moments only, never during input or output. Where both are needed, the ledger's lock comes first.
        self._state = threading.Condition()
        self._stopping = False
        self._started = False
        self._threads: list[threading.Thread] = []
        self._ledger = ledger
        self._unread: set[str] = set()
        """Jobs whose record is damaged: it and what they have on disk are left as they are."""
        self._rows = {row.id: row for row in map(self._read, ledger.load()) if row is not None}
        self._latest = {row.work.source: row for row in self._rows.values()}
        self._open = {row.id: row for row in self._rows.values() if not row.stage.is_over}
        self._last_number = max((row.number for row in self._rows.values()), default=0)
        for row in self._open.values():
            row.stage, row.progress, row.verified = Stage.QUEUED, 0.0, False
        self._claims = Claims(
            (row.work.claim, row.id) for row in self._open.values() if row.claimed and row.work.claim is not None
        )
        self._turns = Turns(self._encoder_of)
        self._twins: dict[str, set[str]] = {}
        """By the id of a job, those that wait for it because they have the same content."""
        self._serves = pipeline.lanes.serving.name
        for row in self._open.values():
            self._turns.note(row, self._clock())
        self._sweep()

    def start(self) -> None:
        """Start the workers: daemon threads, which never keep the process from ending."""
        with self._state:
            if self._started or self._stopping:
                return
            self._started = True
            for row in self._open.values():
                if not row.duplicate:
                    row.reason, row.shown = None, None  # It was about the run before.
        self._hire()

    def _hire(self) -> None:
        """Start the workers that are missing: those that work here, and those that wait for each paid encoder."""
        with self._state:
            if not self._started or self._stopping:
                return
            serving = self._pipeline.lanes.serving.encoder.info
            encoders = self._turns.encoders | {serving.name: serving}
            wanted = self._workers + sum(map(scheduling.waiters, encoders.values()))
            new = [
                threading.Thread(target=self._work, name=f"ingest-{number + 1}", daemon=True)
                for number in range(len(self._threads), wanted)
            ]
            self._threads += new
        for thread in new:
            thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Ask running work to stop at its next progress call, and return whether all of it did in time.

        Nothing is cancelled: every unfinished job goes on when its file is opened again. This queue takes no more.
        """
        with self._state:
            self._stopping = True
            self._state.notify_all()
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            return False
        self._ledger.close()
        return True

    def submit(
        self, source: str | Path, filename: str | None = None, *, owned: bool = False, by: str | None = None
    ) -> Job:
        """Queue a file by its path (read where it lies) or "scheme:NAME", and return its job.

        A source that is on its way already is not queued again, and one that failed or was cancelled is retried: what
        was done and paid for counts. `owned` hands the file over: it is deleted once it is in the library. `by` is who
        adds it, where that is known by name.
        """
        text = str(source)
        made = isinstance(source, str) and self._pipeline.makes(text)
        if not made:
            text = str(Path(source).absolute())
        name = filename or (f"{text.partition(':')[2]}.mp4" if made else PurePath(text).name)
        with self._state:
            known = self._latest.get(text)
        if known is not None and known.stage is not Stage.READY:
            return self._requeue(known)
        return self._add(Work(uuid.uuid4().hex, text, display_name(name), owned, by=by))

    def enqueue(self, sources: Iterable[tuple[str, str | None]]) -> list[Job]:
        jobs = []
        for source, filename in sources:
            with self._state:
                known = self._latest.get(source)
            is_ready = known is not None and known.stage is Stage.READY
            jobs.append(known.job(self._clock()) if known and is_ready else self.submit(source, filename))
        return jobs

    def receive(self, stream: BinaryIO, filename: str, *, by: str | None = None) -> Job:
        """Copy an upload to disk, in chunks, and queue the copy.

        Raises StoreError, and leaves nothing behind, when it cannot be written.
        """
        job_id = uuid.uuid4().hex
        folder = self._spool_dir / job_id
        suffix = PurePath(display_name(filename)).suffix.lower()
        path = folder / f"upload{suffix if _SUFFIX.fullmatch(suffix) else ''}"
        with contextlib.ExitStack() as undo:
            undo.callback(shutil.rmtree, folder, ignore_errors=True)
            try:
                make_folder(folder)
                spool(stream, path)
            except OSError as error:
                raise StoreError(
                    "{name} could not be taken in. {why}", name=display_name(filename), why=reasons.of_os(error)
                ) from error
            job = self._add(Work(job_id, str(path), display_name(filename), owned=True, by=by))
            undo.pop_all()
        return job

    def pause(self) -> EncoderPause | None:
        """Return why the encoder takes nothing now (of two that do not, the first); None while it works."""
        with self._state:
            for encoder, pause in self._pauses.items():
                # One that has just been stored is in a worker's hands yet, and does not show that it waits.
                stored = [row for row in self._open.values() if row.work.step is Step.EMBED]
                waiting = [row for row in stored if row.stage is not Stage.STORING]
                return EncoderPause(
                    reason=pause.reason,
                    waiting=sum(self._encoder_of(row).name == encoder for row in waiting),
                    retry_in_s=None if pause.probe else max(0.0, pause.next_probe - self._clock()),
                )
            return None

    def try_now(self) -> None:
        """Let a job try at once whether a paused encoder works again; the pauses begin small anew."""
        with self._state:
            for pause in self._pauses.values():
                pause.next_probe, pause.probes = self._clock(), 0
            self._state.notify_all()

    def cancel(self, job_id: str) -> Job | None:
        """Give a job up: at once when it waits, at its next progress call when it is worked on.

        What it had put into the library is removed. A job that is over, or in the library already, is left as it is.
        """
        with self._state:
            row = self._open.get(job_id)
            if row is None or row.cancel or row.work.step is Step.TIDY:
                return self.job(job_id)
            row.cancel, row.shown = True, None
            waits = not row.busy
            if waits:
                self._occupy(row)
        self._save_or_log(row)
        if waits:
            self._give_up(row, Stage.CANCELLED, None)
            self._release(row)
        return self.job(job_id)

    def retry(self, job_id: str) -> Job | None:
        """Queue a failed or cancelled job again; it goes on from the last step whose result is still there."""
        with self._state:
            row = self._rows.get(job_id)
        return None if row is None else self._requeue(row)

    def clear(self) -> None:
        """Forget the jobs that are over, and what was kept for a retry. Videos in the library stay."""
        with self._state:
            ids = [row.id for row in self._rows.values() if row.work.target is None]
        self.forget(ids)

    def forget(self, job_ids: Iterable[str]) -> None:
        """Forget those of these jobs that are over, and what was kept for a retry."""
        with self._state:
            rows = [row for job_id in job_ids if (row := self._rows.get(job_id)) is not None]
            over = [row for row in rows if row.stage.is_over and row.id not in self._open]
        if not over:
            return
        gone = [row for row in over if not row.untidy or self._cleared(row)]
        with self._state:
            gone = [row for row in gone if row.id not in self._open]
            for row in gone:
                del self._rows[row.id]
                if self._latest.get(row.work.source) is row:
                    del self._latest[row.work.source]
        self._ledger.delete([row.id for row in gone])
        for row in gone:
            self._pipeline.discard(row.work)

    # Queue: which job takes its next step

    def _add(self, work: Work) -> Job:
        with self._state:
            self._last_number += 1
            row = Row(self._last_number, datetime.now(UTC).isoformat(timespec="milliseconds"), work)
            self._rows[row.id] = self._latest[work.source] = row
        try:
            self._save(row)
        except StoreError:
            with self._state:
                del self._rows[row.id], self._latest[work.source]
            raise
        with self._state:
            self._open[row.id] = row
            self._stand_in_line(row)
            self._state.notify_all()
        self._hire()
        with self._state:
            return row.job(self._clock())

    def _requeue(self, row: Row) -> Job:
        """Put a failed or cancelled job back at the end of the queue; leave any other as it is."""
        with self._state:
            again = row.stage in (Stage.FAILED, Stage.CANCELLED) and row.id not in self._open
            if again:
                row.stage, row.progress, row.reason, row.since = Stage.QUEUED, 0.0, None, self._clock()
                row.verified, row.tries, row.not_before, row.shown = False, 0, 0.0, None
                self._open[row.id] = row
                self._stand_in_line(row)
                self._state.notify_all()
        if again:
            self._save_or_log(row)
        with self._state:
            return row.job(self._clock())

    def _take(self) -> Row | None:
        """Wait for a job that can take a step and occupy it; None when the queue stops."""
        with self._state:
            while not self._stopping:
                now = self._clock()
                if self._serves != self._pipeline.lanes.serving.name:
                    # Another space answers: what is not for a space that is named is for that one now.
                    self._serves = self._pipeline.lanes.serving.name
                    for each in self._open.values():
                        self._turns.note(each, now)
                able = self._turns.able(now, workers=self._workers, pauses=self._pauses)
                row = next(able, None)
                if row is not None:
                    self._occupy(row)
                    pause = self._pause_of(row)
                    if pause is not None and row.work.step is Step.EMBED:
                        pause.probe = row.id
                    return row
                self._state.wait(self._turns.next_look_s(now, self._pauses))
            return None

    def _pause_of(self, row: Row) -> Pause | None:
        return self._pauses.get(self._encoder_of(row).name)

    def _occupy(self, row: Row) -> None:
        row.busy, row.since, row.shown = True, self._clock(), None
        self._turns.note(row, self._clock())

    def _release(self, row: Row) -> None:
        with self._state:
            for pause in self._pauses.values():
                if pause.probe == row.id:
                    pause.probe = None  # It came to nothing, neither good nor bad: the next one tries.
            if row.busy:
                row.worked_s = row.worked_until(self._clock())
                row.busy, row.shown = False, None
            self._stand_in_line(row)
            self._state.notify_all()

    def _stand_in_line(self, row: Row) -> None:
        """Let a job be found when it can take a step; the caller holds the lock."""
        if row.id in self._open:
            self._turns.note(row, self._clock())
            self._hold(row)

    def _closed(self, row: Row) -> None:
        self._turns.drop(row)

    # Work: what a worker does with it

    def _work(self) -> None:
        step_back()
        while (row := self._take()) is not None:
            try:
                self._advance(row)
            except Exception as error:  # noqa: BLE001
                # The one place for a broad except: whatever a file does to a decoder or an SDK, its job ends with a
                # sentence, and the worker goes on to the next file.
                self._settle(row, error)
            finally:
                self._release(row)

    # Ends

    def _put_off(self, row: Row, error: Unavailable) -> None:
        """Let a job wait for a service: as long as that asked for, else longer from one try to the next."""
        pause_s = scheduling.pause_s(row.tries, error.retry_after_s, self._backoff_s)
        with self._state:
            now = self._clock()
            row.note_away(error, now)
            row.not_before = now + pause_s
            row.reason = reasons.again(error, pause_s)

    def _pause_encoder(self, row: Row, error: EncoderPaused) -> None:
        """Let all jobs wait for the encoder, and one of them try again after a pause that grows from try to try."""
        with self._state:
            encoder, now, reason = self._encoder_of(row).name, self._clock(), printable(error.sentence)
            pause = self._pauses.get(encoder)
            row.probes += 1
            if pause is None:
                self._pauses[encoder] = Pause(reason, now + scheduling.pause_s(0, error.retry_after_s, self._probe_s))
            elif pause.probe == row.id:
                pause.probes, pause.probe, pause.reason = pause.probes + 1, None, reason
                pause.next_probe = now + scheduling.pause_s(pause.probes, error.retry_after_s, self._probe_s)
            # Else it had begun before the pause, and says what is known.
            for each in self._open.values():
                self._hold(each, refused=each is row)
        self._save_or_log(row)

    def _hold(self, row: Row, *, refused: bool = False) -> None:
        """Show on a job that waits for a paused encoder why it does; the caller holds the lock."""
        pause = self._pause_of(row) if self._pauses else None
        waits = row.work.step is Step.EMBED and not row.busy and not row.waits_for
        if pause is not None and (refused or waits):
            row.held, row.stage, row.progress, row.shown = True, Stage.QUEUED, 0.0, None
            row.reason = pause.reason

    def _resume(self, probe: Row) -> None:
        """End the pause if this is the job that has tried the encoder and had an answer."""
        with self._state:
            ended = [encoder for encoder, pause in self._pauses.items() if pause.probe == probe.id]
            for encoder in ended:
                del self._pauses[encoder]
            for row in self._open.values() if ended else ():
                if row.held and self._pause_of(row) is None:
                    row.held, row.reason, row.shown = False, None, None
                if row.probes and not self._pauses:
                    row.probes = 0  # From here on it is first come, first served again.
                    self._turns.note(row, self._clock())
            self._state.notify_all()

    def _cleared(self, row: Row) -> bool:
        """Remove what a job that is over had left; return whether nothing of it is left."""
        gone = self._roll_back(row)
        with self._state:
            self._drop_claim(row)
        return gone

    def _claim(self, row: Row) -> str | None:
        content = row.work.claim
        assert content is not None, "a job that is past IDENTIFY knows its content"
        with self._state:
            holder = self._claims.take(content, row.id)
            return None if holder == row.id else self._rows[holder].work.filename

    def _wait_for_twin(self, row: Row) -> None:
        assert row.work.claim is not None
        with self._state:
            holder = self._claims.take(row.work.claim, row.id)
            if holder == row.id:  # it has ended since
                row.reason = None
            else:
                row.waits_for = holder
                self._twins.setdefault(holder, set()).add(row.id)

    def _drop_claim(self, row: Row) -> None:
        """Let those that wait for this job go on; the caller holds the lock."""
        row.claimed = False
        self._claims.drop(row.work.claim, row.id)
        for twin in self._twins.pop(row.id, ()):
            other = self._open.get(twin)
            if other is not None and other.waits_for == row.id:
                other.waits_for, other.reason, other.shown = None, None, None
                self._stand_in_line(other)

    # Disk

    def _read(self, record: JobRecord) -> Row | None:
        try:
            return Row.of(record)
        except (ValueError, KeyError, TypeError) as error:
            logger.error("Job %s is damaged and is left out (%r). Add its file again.", record.id, error)
            self._unread.add(record.id)
            return None

    def _notes(self, row: Row) -> MutableMapping[str, str]:
        return self._ledger.notes(row.id)

    def _begin_notes(self, row: Row) -> None:
        self._ledger.notes(row.id).clear()

    def _save(self, row: Row) -> None:
        def record() -> JobRecord:
            with self._state:
                now = row.saved_at = self._clock()
                return row.record(now)

        self._ledger.save(record)

    def _sweep(self) -> None:
        """Remove the folders of jobs that are ready or unknown: a crash came between the job and its tidying up."""
        kept = {row.id for row in self._rows.values() if row.stage is not Stage.READY} | self._unread
        for parent in (self._pipeline.work_dir, self._spool_dir):
            for folder in parent.iterdir() if parent.is_dir() else ():
                if _JOB_ID.fullmatch(folder.name) and folder.name not in kept:
                    shutil.rmtree(folder, ignore_errors=True)
