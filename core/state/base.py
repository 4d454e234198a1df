"""What people and jobs leave behind: a shelf for what people do, documents they may write too, a ledger for jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

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
