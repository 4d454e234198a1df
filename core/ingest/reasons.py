"""Why a job ended or waits, in sentences for a person."""

from __future__ import annotations

import errno
import json

from core.errors import AppError, Sentence, Unavailable
from core.text import printable

_PACKED = '{"text": '


def written(reason: str) -> str:
    """Return a reason as a ledger keeps it: the words, or what a sentence with values was made of, as JSON."""
    if isinstance(reason, Sentence) and reason.values:
        return json.dumps(reason.packed(), ensure_ascii=False)
    return "".join(reason)


def read(kept: str) -> Sentence:
    """Return a reason that a ledger kept; earlier versions kept only words."""
    return Sentence.unpacked(json.loads(kept)) if kept.startswith(_PACKED) else Sentence(kept)


def again(error: Unavailable, pause_s: float) -> Sentence:
    """Return what a service said, and when it is tried again."""
    return Sentence("{problem} Trying again {soon}.", problem=printable(error.sentence), soon=_soon(pause_s))


def _soon(pause_s: float) -> Sentence:
    if pause_s < 1:
        return Sentence("now")
    if pause_s < 120:
        return Sentence("in {seconds:.0f} s", seconds=pause_s)
    if pause_s < 7200:
        return Sentence("in {minutes:.0f} min", minutes=pause_s / 60)
    return Sentence("in {hours:.0f} h", hours=pause_s / 3600)


def of_end(error: Exception) -> Sentence:
    """Return the sentence for a person about what ended a job."""
    if isinstance(error, AppError):
        return printable(error.sentence)
    if isinstance(error, MemoryError):
        return Sentence("There was not enough memory for this file. Close other programs, then press Retry.")
    if isinstance(error, OSError) and error.errno is not None:
        return of_os(error)
    return Sentence(
        "Something unexpected went wrong ({kind}). See the log; Retry starts from the last finished stage.",
        kind=type(error).__name__,
    )


def of_os(error: OSError) -> Sentence:
    """Return the sentence for what a disk said."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Sentence("The disk is full. Free some space, then try again.")
    return Sentence(
        "It could not be read or written ({why}). Check that this user may do so, then try again.", why=error.strerror
    )
