"""Put the videos of a library into the space of another encoder, beside the one that answers, and swap the two.

Each video is a job of the queue whose source is its stored copy (stored.py), so it is resumed after a crash, paid for
once, tried again and cancelled like a file that is added. This is what feeds the queue with them, some at a time, looks
what is missing until nothing is, also of what was added meanwhile, and then lets the other space answer. What is under
way is in one small file beside the library: after a restart it goes on.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from core.encoders.base import Encoder
from core.errors import AppError, QueryError, StoreError
from core.files import write_text
from core.index.base import Place, place
from core.ingest.comparing import compared, take_over
from core.ingest.lanes import Lane
from core.ingest.work import stored_source
from core.ingest.working import Queue
from core.library.spaces import Serving
from core.models import EncoderInfo, Entry, Job, Stage

logger = logging.getLogger(__name__)

AT_ONCE = 32
"""Videos in the queue at a time: enough for every worker, and no more than a person's list of jobs can bear."""
AHEAD = 256
"""Videos that are found missing before they are put there: a library has more than fit into memory."""
LOOK_EVERY_S, LOOK_AGAIN_S = 0.25, 5.0
"""How often to look how far it is; and after something went wrong."""
GUESSED_SPEED = 20.0
GUESSED_SPEED_PAID = 2.0
"""Seconds of video a second, as long as none was measured; of a paid encoder for each that it works on at once."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What it takes to put all videos into the space of an encoder."""

    encoder: EncoderInfo
    videos: int
    """That are missing there."""
    present: int
    seconds: float
    """Of the missing videos: what a paid encoder charges for."""
    takes_s: float
    """About how long it takes."""


@dataclass(frozen=True, slots=True)
class Status:
    """How far it is."""

    encoder: str
    done: int
    total: int
    left_s: float
    """About how long it still takes."""
    failed: tuple[Job, ...] = ()
    """Videos that could not be put there, each with its reason."""
    problem: str | None = None
    """Why it does not go on at all."""

    @property
    def waits(self) -> bool:
        """Tell whether nothing is left to do but what failed: a person must retry it or go on without it."""
        return bool(self.failed) and self.done + len(self.failed) >= self.total


@dataclass(slots=True)
class _Going:
    """What is under way."""

    lane: Lane | None
    encoder: str
    without: set[str] = field(default_factory=set)
    """Contents that a person goes on without."""
    present: int = 0
    missing: int = 0
    """Videos, counted when the spaces were last compared, without what was put there since and what is gone on
    without; `missing_s` is how long they last."""
    missing_s: float = 0.0
    ahead: dict[str, Entry] = field(default_factory=dict)
    """The next of them, by id: in the queue, or to be put there."""
    after: Place | None = None
    """Where to go on looking for more of them; None when there are none after those."""
    failed: dict[str, Entry] = field(default_factory=dict)
    """Those of them that failed, by id."""
    seen: str = ""
    """The versions of both spaces when they were last compared."""
    began: float = 0.0
    done_s: float = 0.0
    """Seconds of video that were put there in this run."""
    problem: str | None = None


class Reembed:
    """Fill the space of another encoder. One at a time. Safe to use from several threads.

    `encoder_named` makes an encoder by its name and raises AppError with what to set where it cannot.
    """

    def __init__(
        self,
        serving: Serving,
        jobs: Queue,
        note: Path,
        encoder_named: Callable[[str], Encoder],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._serving = serving
        self._jobs = jobs
        self._note = note
        self._encoder_named = encoder_named
        self._clock = clock
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._planned: tuple[tuple[str, str, str], Plan] | None = None
        self._going = self._resumed()

    def plan(self, encoder: Encoder | None = None) -> Plan:
        """Return what there is to do for an encoder, by default the one that is set.

        It makes nothing, and pages may ask often: all videos are read only when something has changed.
        """
        encoder, answering = encoder or self._serving.configured, self._serving.serving.index
        name, lane = encoder.info.name, self._serving.named(encoder.info.name)
        if lane is None and any(space.encoder == name for space in self._serving.spaces.all()):
            lane = self._serving.fill(encoder)
        key = (name, answering.version, lane.index.version if lane else "")
        planned = self._planned
        if planned is not None and planned[0] == key:
            return planned[1]
        present, missing, seconds = 0, 0, 0.0
        for entry, is_there in compared(answering, lane.index if lane else None):
            present += is_there
            missing += not is_there
            seconds += 0.0 if is_there else entry.duration_s
        plan = Plan(encoder.info, missing, present, seconds, seconds / _guess(encoder.info))
        self._planned = key, plan
        return plan

    def start(self, encoder: Encoder | None = None) -> None:
        """Begin, or go on with what was cancelled or failed before. Raises QueryError while another is under way, and
        what opening a space raises."""
        encoder = encoder or self._serving.configured
        name = encoder.info.name
        if name == self._serving.serving.name:
            raise QueryError("{name} is what answers already: there is nothing to re-embed.", name=name)
        self._check_alone(name)
        lane = self._serving.fill(encoder)  # not with our lock held: it may have to wait for a swap that wants it
        with self._lock:
            self._check_alone(name)
            for job in self._mine(name, Stage.FAILED):
                self._jobs.retry(job.id)
            if self._going is None:
                self._going = _Going(lane, name, began=self._clock())
                self._write_down()
        self.tend()

    def _check_alone(self, name: str) -> None:
        going = self._going
        if going is not None and going.encoder != name:
            raise QueryError(
                "The library is being re-embedded with {encoder}. Cancel that first.", encoder=going.encoder
            )

    def tend(self) -> None:
        """Go on with what is under way, if anything is, in the background."""
        with self._lock:
            if self._going is None or self._stopped or self._thread is not None:
                return
            self._thread = threading.Thread(target=self._run, name="reembed", daemon=True)
            self._thread.start()

    def cancel(self) -> None:
        """Stop. What has been put into the other space stays there, and what was paid for counts when it goes on."""
        with self._lock:
            going, self._going = self._going, None
            if going is None:
                return
            self._note.unlink(missing_ok=True)
            for job in self._mine(going.encoder):
                if not job.stage.is_over:
                    self._jobs.cancel(job.id)

    def go_on_without(self) -> None:
        """Complete the space without the videos that failed. They stay in the space that answers now."""
        with self._lock:
            if self._going is None:
                return
            for job in self._mine(self._going.encoder, Stage.FAILED):
                if (entry := self._going.failed.pop(job.video_id or "", None)) is not None:
                    self._going.without.add(entry.content_sha256)
                    self._going.missing -= 1
                    self._going.missing_s -= entry.duration_s
            self._write_down()
            self._wake.set()

    def free_old(self) -> list[str]:
        """Remove for good what other encoders made than the one that answers; return their names. Raises QueryError
        while one of them is being filled."""
        with self._lock:
            if self._going is not None:
                raise QueryError(
                    "The library is being re-embedded with {encoder}. Cancel that first.", encoder=self._going.encoder
                )
        return self._serving.drop_others()

    def status(self) -> Status | None:
        """Return how far it is; None while nothing is under way."""
        with self._lock:
            going = self._going
            if going is None:
                return None
            failed = self._mine(going.encoder, Stage.FAILED)
            return Status(
                encoder=going.encoder,
                done=going.present,
                total=going.present + going.missing,
                left_s=going.missing_s / self._speed(going),
                failed=tuple(job for job in failed if job.video_id in going.failed),
                problem=going.problem,
            )

    def wait(self, timeout_s: float) -> bool:
        """Wait until nothing is under way, or only what a person must decide; return whether it is so."""
        deadline = self._clock() + timeout_s
        while True:
            status = self.status()
            if status is None or status.waits or status.problem is not None:
                return True
            if self._clock() >= deadline:
                return False
            time.sleep(0.05)

    def stop(self, timeout_s: float) -> None:
        """Let go of everything; what is under way goes on at the next start."""
        self._stopped = True
        self._wake.set()
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            pause_s = LOOK_EVERY_S
            try:
                self._round()
            except AppError as error:
                logger.warning("Re-embedding has to wait: %s", error)
                pause_s = LOOK_AGAIN_S
                with self._lock:
                    if self._going is not None:
                        self._going.problem = error.sentence
            except Exception:  # the thread must live: what it holds up is a person's library
                logger.exception("Re-embedding has to wait")
                pause_s = LOOK_AGAIN_S
            with self._lock:
                if self._stopped or self._going is None:
                    self._thread = None
                    return
            self._wake.wait(pause_s)
            self._wake.clear()

    def _round(self) -> None:
        """Keep the queue supplied with what is missing, and complete the space when nothing is missing any more."""
        going = self._going
        if going is None:
            return
        if going.lane is None:  # its encoder could not be had at the start
            going.lane = self._serving.fill(self._encoder_named(going.encoder))
            going.began = self._clock()
        going.problem = None
        if not self._supply(going):
            return
        lane = going.lane
        if not self._compare(going, lane) and not going.missing:
            take_over(self._serving.serving.index, lane.index)
            self._compare(going, lane)
            if self._serving.complete(lane, lambda: self._is_full(going, lane)):
                self._end(going)

    def _supply(self, going: _Going) -> bool:
        """Put missing videos into the queue, some at a time; return whether there is none left to be put there."""
        with self._lock:
            if self._going is not going:
                return False
            mine = self._mine(going.encoder)
            self._note_over(going, mine)
            # Of others the video was deleted meanwhile, or is gone on without: what is said of it is of no use.
            over = [job for job in mine if job.stage.is_over]
            wanted = going.ahead.keys() | going.failed.keys()
            self._jobs.forget(
                [job.id for job in over if job.stage is Stage.READY or (going.seen and job.video_id not in wanted)]
            )
            working = {job.video_id for job in mine if not job.stage.is_over}
        if going.after is not None and len(going.ahead) <= AT_ONCE:
            self._look_ahead(going)
        with self._lock:
            if self._going is not going:
                return False
            for video_id, entry in going.ahead.items():
                if len(working) >= AT_ONCE:
                    break
                if video_id not in working:
                    self._jobs.submit(stored_source(video_id, going.encoder), entry.filename)
                    working.add(video_id)
            return not working

    @staticmethod
    def _note_over(going: _Going, mine: list[Job]) -> None:
        """Count what was put there or failed: to compare the spaces after each video would read all of them."""
        for video_id in going.failed.keys() - {job.video_id for job in mine}:
            going.ahead[video_id] = going.failed.pop(video_id)  # its job was forgotten
        for job in mine:
            video_id = job.video_id or ""
            if job.stage is Stage.FAILED and video_id in going.ahead:
                going.failed[video_id] = going.ahead.pop(video_id)
            if job.stage is Stage.READY:
                entry = going.ahead.pop(video_id, None) or going.failed.pop(video_id, None)
                if entry is not None:
                    going.done_s += entry.duration_s
                    going.missing -= 1
                    going.missing_s -= entry.duration_s
                    going.present += 1

    def _look_ahead(self, going: _Going) -> None:
        """Find more of what is missing, behind what was found before."""
        assert going.lane is not None, "a space is compared only when it is open"
        found, after = {}, None
        for entry, is_there in compared(self._serving.serving.index, going.lane.index, going.after):
            if is_there or entry.content_sha256 in going.without or entry.video_id in going.failed:
                continue
            found[entry.video_id] = entry
            if len(found) >= AHEAD:
                after = place(entry)
                break
        with self._lock:
            going.ahead |= {video_id: entry for video_id, entry in found.items() if video_id not in going.ahead}
            going.after = after

    def _compare(self, going: _Going, lane: Lane) -> bool:
        """Find out what is missing, if anything has changed since the last time; return whether it has."""
        answering = self._serving.serving.index
        seen = f"{answering.version} {lane.index.version}"
        if seen == going.seen:
            return False
        failing = {job.video_id for job in self._mine(going.encoder, Stage.FAILED)}
        present, missing, missing_s, after = 0, 0, 0.0, None
        ahead: dict[str, Entry] = {}
        failed: dict[str, Entry] = {}
        for entry, is_there in compared(answering, lane.index):
            if is_there:
                present += 1
            elif entry.content_sha256 not in going.without:
                missing, missing_s = missing + 1, missing_s + entry.duration_s
                if entry.video_id in failing:
                    failed[entry.video_id] = entry
                elif after is None:
                    ahead[entry.video_id] = entry
                    after = place(entry) if len(ahead) >= AHEAD else None
        with self._lock:
            going.present, going.missing, going.missing_s = present, missing, missing_s
            going.ahead, going.after, going.failed, going.seen = ahead, after, failed, seen
        return True

    def _is_full(self, going: _Going, lane: Lane) -> bool:
        if self._going is not going:
            return False
        self._compare(going, lane)
        return not going.missing

    def _end(self, going: _Going) -> None:
        with self._lock:
            if self._going is going:
                self._going = None
                self._note.unlink(missing_ok=True)
            self._jobs.forget([job.id for job in self._mine(going.encoder) if job.stage.is_over])
        self._jobs.try_now()  # files may have waited for an encoder that could not be had

    def _mine(self, encoder: str, stage: Stage | None = None) -> list[Job]:
        """Return the jobs that put videos into the space of an encoder."""
        return [job for job in self._jobs.jobs() if job.reembeds == encoder and stage in (None, job.stage)]

    def _speed(self, going: _Going) -> float:
        """Return seconds of video a second: measured, as soon as something was done in this run."""
        elapsed = self._clock() - going.began
        if going.done_s and elapsed > 1:
            return going.done_s / elapsed
        lane = going.lane or self._serving.serving
        return _guess(lane.encoder.info)

    def _resumed(self) -> _Going | None:
        """Return what was under way when the app ended; its space is opened at once if its encoder can be had."""
        try:
            said = json.loads(self._note.read_text("utf-8"))
            going = _Going(None, str(said["to"]), set(said.get("without", ())))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("%s does not say what was being re-embedded (%s). Start it again.", self._note, error)
            return None
        if going.encoder == self._serving.serving.name:
            # It had been completed, or the encoder was set back: nothing is left to do.
            self._note.unlink(missing_ok=True)
            return None
        try:
            going.lane = self._serving.fill(self._encoder_named(going.encoder))
        except AppError as error:
            going.problem = error.sentence
        going.began = self._clock()
        return going

    def _write_down(self) -> None:
        assert self._going is not None
        said = {"to": self._going.encoder, "without": sorted(self._going.without)}
        try:
            write_text(self._note, json.dumps(said))
        except OSError as error:
            self._going = None
            raise StoreError(
                "{path} cannot be written ({why}). Free some space and try again.", path=self._note, why=error.strerror
            ) from error


def _guess(encoder: EncoderInfo) -> float:
    return GUESSED_SPEED_PAID * encoder.parallel if encoder.paid else GUESSED_SPEED
