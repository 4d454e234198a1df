"""What people and jobs leave behind: a shelf for what people do, documents they may write too, a ledger for jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from core.errors import Cancelled
from core.models import Stage

if TYPE_CHECKING:  # annotations only: the queue needs the ledger's words and no database
    from sqlalchemy import Connection, Executable


class Shelf(Protocol):
    """Read and change the tables of one subject (tables.py). Safe to use from several threads and processes.

    Each method raises Unavailable when another is in the way for too long, StoreError when the tables cannot be used.
    """

    def rows(self, query: Executable, values: Mapping[str, object] | None = None) -> Sequence[Any]:
        """Return the rows that a query finds; none where nothing was ever put there."""

    def change(self) -> AbstractContextManager[Connection]:
        """Open a change that happens as a whole or, where the block is left with an error, not at all; one at a time.

        What can be read inside stays as it is until the change has happened.
        """

    def __str__(self) -> str:
        """Return where it lies, for a person to find it."""


class Document(Protocol):
    """A text that is read and replaced as a whole, and that people may write by hand. Safe to use from several threads.

    Each method raises OSError or AppError where it cannot be done; what cannot be read as text is a ValueError.
    """

    def read(self) -> str | None:
        """Return the text; None where there is none."""

    def write(self, text: str) -> None:
        """Put a text in the place of what is there, as a whole or not at all."""

    def remove(self) -> None:
        """Have no text any more; there need not be one."""

    def editing(self) -> AbstractContextManager[None]:
        """Keep others who edit it out from the reading to the writing."""

    def __str__(self) -> str:
        """Return where it lies, for a person to find it."""


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as it is written down: all that must outlive a crash."""

    number: int
    """Its place in the order in which jobs came."""
    id: str
    created_at: str
    """UTC, ISO 8601."""
    stage: Stage
    progress: float
    """Fraction of the stage, 0 to 1."""
    worked_s: float
    """Working time so far, waiting not counted."""
    reason: str | None
    duplicate: bool
    cancel: bool
    """A person asked for its end, which has not come yet."""
    claimed: bool
    """It has the right to add its content to the library."""
    untidy: bool
    """It failed and what it had stored could not be removed then."""
    work: str
    """What is known of its file and which step comes next, as the pipeline wrote it; opaque here."""


class Ledger(Protocol):
    """Keep job records and the encoders' notes. Safe to call from several threads.

    What a call wrote has reached the disk when it returns: a note may be the receipt for paid work. Every call raises
    StoreError when the ledger cannot be used, LibraryLocked when another process has it.
    """

    def load(self) -> list[JobRecord]:
        """Return all records in the order in which the jobs came."""

    def save(self, record: Callable[[], JobRecord]) -> None:
        """Write a record in the place of the one with its id.

        `record` is asked when no other write can come between, so that the last one written is the newest.
        """

    def delete(self, job_ids: Sequence[str]) -> None:
        """Forget these jobs and their notes; they need not be there."""

    def notes(self, job_id: str) -> MutableMapping[str, str]:
        """Return the notes of a job as they are now; each change of the mapping is written down before it returns."""

    def close(self) -> None:
        """Let go of what is held open. Life cycle, not ability: not one of the five methods."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A job as machines that share it write it down."""

    job: JobRecord
    turn: int
    """How often a worker has taken it."""
    tries: int
    """How often its present step found a service away."""
    away_since: float
    held: bool
    """It waits for a paused encoder, or for another one with the same content."""


@dataclass(frozen=True, slots=True)
class Again:
    """When a job that could not be ended is to be taken up again, and after whom."""

    in_s: float = 0.0
    priority: int | None = None
    """Jobs of a higher one go first; None leaves it as it is."""
    lock: str | None = None
    """Of the jobs with the same one, one is worked on at a time, the first first; None leaves it as it is."""


class TurnLost(Cancelled):
    """Another worker has the job by now: whoever hears this leaves it alone."""


class SharedJobs(Protocol):
    """The jobs of all machines. What a call wrote is there for all when it returns. Every call raises AppError."""

    def changes(self, since: int) -> tuple[list[Taken], int, int]:
        """Return the jobs written since a mark (0: all), in their order, how many there are, and the mark of now."""

    def add(self, jobs: Sequence[JobRecord]) -> None:
        """Write new jobs down, numbered in their order, and hand them to whoever works."""

    def take(self, job_id: str) -> Taken | None:
        """Begin a turn at a job; None when it is over, or was forgotten."""

    def save(self, taken: Taken) -> bool:
        """Write down what a turn has come to; return whether its end was asked for. Raises TurnLost."""

    def again(self, taken: Taken, lock: str | None) -> bool:
        """Put a job that is over back into the queue, as it is here; return False where another just did."""

    def ask_to_cancel(self, job_id: str) -> bool:
        """Ask for the end of a job; return whether nobody works on it, nor will: its end is the caller's."""

    def delete(self, job_ids: Sequence[str]) -> None:
        """Forget these jobs; they need not be there."""


class SharedRecord(Protocol):
    """What machines that work on jobs must agree on. Every call raises AppError."""

    def claim(self, content: str, job_id: str) -> str:
        """Claim a content for a job, and return the job that holds it: another one if that had claimed it before and is
        not over."""

    def drop(self, content: str, job_id: str) -> None:
        """Give a content up, if this job holds it."""

    def left(self, scheme: str, for_s: float) -> list[tuple[str, str]]:
        """Return some of the claims (content, job) on what begins so: older ones, of jobs that are ready or unknown."""

    def notes(self, content: str, job_id: str, turn: int) -> MutableMapping[str, str]:
        """Return what an encoder has noted of a content; each change is written down before it returns.

        Whose turn at a job is over changes nothing, and asks no service for anything: a change raises TurnLost.
        """

    def pauses(self) -> dict[str, SharedPause]:
        """Return the encoders that take nothing now."""

    def pause(self, encoder: str, pause: SharedPause | None) -> None:
        """Write a pause down, or end it."""

    def try_soon(self) -> None:
        """Let all paused encoders be tried at once; their pauses begin small anew."""

    def release(self, job_id: str) -> None:
        """Let another one try the encoders that this job was to try."""

    def probe(self, encoder: str, job_id: str) -> bool:
        """Let a job try whether a paused encoder works again; False while another one that is open does, or before it
        is time."""


@dataclass(frozen=True, slots=True)
class SharedPause:
    """A time in which an encoder takes nothing from anyone."""

    reason: str
    next_probe: float
    """Seconds since 1970."""
    probes: int = 0
    probe: str | None = None
    """The id of the job that tries now."""


class Workers(Protocol):
    """What hands jobs to workers, here and elsewhere."""

    def start(self, work: Callable[[str, str | None], Again | None], at_once: int) -> None:
        """Work on jobs in the background: `work` is called with a job's id and its lock, until it returns None."""

    def stop(self, timeout_s: float) -> bool:
        """Take no more, and return whether what is under way has ended in time."""

    def hurry(self) -> None:
        """Let all jobs that wait for their time be taken up now."""
