"""Which job takes its next step, and how long one waits for a service that is away: decisions only, nothing is done."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import NotToday, Unavailable
from core.ingest import reasons
from core.ingest.work import Step, Work
from core.models import EncoderInfo, Job, Stage
from core.state.base import JobRecord

BACKOFF_S = (2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""How long to wait before a step is tried again when a service does not answer; the last one is for all that follow."""
PROBE_S = (15.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""How long to wait before one job tries whether a paused encoder works again; the last one is for all that follow."""
JITTER = 0.2
"""By which part of itself a pause is drawn longer or shorter, so that jobs do not knock all at once."""
LONGEST_JITTER_S = 60.0
"""What waits for the next day does not wait for the afternoon."""
LOOKAHEAD = 8
"""How many files may be stored and wait for a free encoder before no more are stored ahead: each costs disk."""


@dataclass(slots=True, eq=False)
class Row:
    """A job with all that the queue must know to run it. The queue's lock guards it."""

    number: int
    created_at: str
    work: Work
    stage: Stage = Stage.QUEUED
    progress: float = 0.0
    worked_s: float = 0.0
    reason: str | None = None
    duplicate: bool = False
    cancel: bool = False
    """A person pressed Cancel; the worker that has it notices at its next progress call."""
    claimed: bool = False
    """It has the right to add this content, which is not in the library: others with the same content wait for it."""
    untidy: bool = False
    """It failed and what it had stored could not be removed then."""

    # Not on disk:
    verified: bool = True
    """What is known of the file was found out in this run, or was checked in it."""
    busy: bool = False
    since: float = 0.0
    """When the time being worked now began, by the queue's clock."""
    saved_at: float = 0.0
    turn: int = -1
    """Which turn at it this is, where machines share it."""
    tries: int = 0
    """How often the present step found a service away."""
    away_since: float = 0.0
    """When it did for the first time."""
    not_before: float = 0.0
    probes: int = 0
    """How often it found the encoder paused."""
    held: bool = False
    """It waits for a paused encoder, with the reason on it."""
    waits_for: str | None = None
    """The id of the job that adds the same content."""
    shown: Job | None = None
    """The job as it was last shown, while it rests."""

    @property
    def id(self) -> str:
        return self.work.job_id

    def worked_until(self, now: float) -> float:
        return self.worked_s + (now - self.since if self.busy and not self.stage.is_over else 0.0)

    def job(self, now: float) -> Job:
        if self.busy or self.shown is None:
            self.shown = Job(
                id=self.id,
                filename=self.work.filename,
                stage=self.stage,
                progress=self.progress,
                elapsed_s=self.worked_until(now),
                created_at=self.created_at,
                reason=self.reason,
                video_id=self.work.video_id if self.work.target is None else self.work.stored_id,
                duplicate=self.duplicate,
                seen=self.work.seen,
                media_key=self.work.media_key if self.work.step > Step.STORE else None,
                reembeds=self.work.target,
                drawing=self.stage is Stage.CHECKING and self.work.step is Step.IDENTIFY and self.work.is_made,
            )
        return self.shown

    def note_away(self, error: Unavailable, now: float) -> None:
        """Count a try in vain; a day whose minutes are used up is none, and takes nothing from a job's patience."""
        if isinstance(error, NotToday):
            self.tries = 0
            return
        self.away_since = self.away_since if self.tries else now
        self.tries += 1

    def record(self, now: float) -> JobRecord:
        """Return the job as it is written down now."""
        return JobRecord(
            number=self.number,
            id=self.id,
            created_at=self.created_at,
            stage=self.stage,
            progress=self.progress,
            worked_s=self.worked_until(now),
            reason=self.reason and reasons.written(self.reason),
            duplicate=self.duplicate,
            cancel=self.cancel,
            claimed=self.claimed,
            untidy=self.untidy,
            work=self.work.to_json(),
        )

    @classmethod
    def of(cls, record: JobRecord) -> Row:
        """Return the job that was written down; of one that is ready, also where a release kept more, no long texts."""
        work = Work.from_json(record.work)
        return cls(
            number=record.number,
            created_at=record.created_at,
            work=work.without_texts() if record.stage is Stage.READY else work,
            stage=record.stage,
            progress=record.progress,
            worked_s=record.worked_s,
            reason=record.reason and reasons.read(record.reason),
            duplicate=record.duplicate,
            cancel=record.cancel,
            claimed=record.claimed,
            untidy=record.untidy,
        )


@dataclass(slots=True)
class Pause:
    """A time in which the encoder takes nothing from anyone."""

    reason: str
    next_probe: float
    """When one job may try whether it works again, by the queue's clock."""
    probes: int = 0
    """How many jobs have tried in vain."""
    probe: str | None = None
    """The id of the job that tries now."""


def waiters(encoder: EncoderInfo) -> int:
    """Return how many workers may do nothing but wait for a service that encodes."""
    return encoder.parallel if encoder.paid else 0


def pause_s(tries: int, retry_after_s: float | None, backoff_s: Sequence[float]) -> float:
    """Return how long to wait for a service: as long as it asked for, else longer from one try to the next."""
    if retry_after_s is not None:
        return retry_after_s + random.uniform(0, min(JITTER * retry_after_s, LONGEST_JITTER_S))
    return backoff_s[min(tries, len(backoff_s) - 1)] * random.uniform(1 - JITTER, 1 + JITTER)
