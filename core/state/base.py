"""What keeps jobs across crashes and restarts: the ledger."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.models import Stage


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
