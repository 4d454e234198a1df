"""Why a job ended or waits, in sentences for a person."""

from __future__ import annotations

import errno

from core.errors import AppError
from core.text import printable


def soon(pause_s: float) -> str:
    """Return when something is tried again, for the end of a sentence."""
    if pause_s < 1:
        return "now"
    if pause_s < 120:
        return f"in {pause_s:.0f} s"
    return f"in {pause_s / 60:.0f} min" if pause_s < 7200 else f"in {pause_s / 3600:.0f} h"


def of_end(error: Exception) -> str:
    """Return the sentence for a person about what ended a job."""
    if isinstance(error, AppError):
        return printable(str(error))
    if isinstance(error, MemoryError):
        return "There was not enough memory for this file. Close other programs, then press Retry."
    if isinstance(error, OSError) and error.errno is not None:
        return of_os(error)
    return (
        f"Something unexpected went wrong ({type(error).__name__}). "
        "See the log; Retry starts from the last finished stage."
    )


def of_os(error: OSError) -> str:
    """Return the sentence for what a disk said."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full. Free some space, then try again."
    return f"It could not be read or written ({error.strerror}). Check that this user may do so, then try again."
