"""Everything that can go wrong and that a person should read about.

Every message is a whole sentence that says what happened and what to do next; pages, the command line and
the HTTP routes print it as it is.

AppError
 ├─ SettingsError        a variable is missing or has a value that is not allowed
 ├─ MediaError           a file was refused: not a video, broken, too short, too large
 ├─ EncoderError         an encoder could not turn a video or a text into a vector
 ├─ StoreError           bytes could not be written or read
 ├─ LibraryError         vectors could not be written or searched
 │   ├─ LibraryLocked    another process holds the embedded index
 │   └─ EncoderMismatch  the library was filled by another encoder
 ├─ QueryError           a search that asks for nothing, or for something unknown
 ├─ NotSignedIn          nobody is signed in, or a password was wrong
 ├─ NotAllowed           who asks may not do this
 ├─ TooMany              more was asked than is allowed; it can be asked again later
 └─ Unavailable          a service that is configured does not answer now; trying again can help
     ├─ NotToday         what may be spent in a day is spent; the next day it goes on
     └─ EncoderPaused    the encoder takes nothing from us, whatever it is, until somebody sees to it or it recovers

Cancelled is not an error: it is how a progress callback ends the work that called it.
"""


class AppError(Exception):
    """Carry one sentence for a person."""


class SettingsError(AppError):
    """Name the variable and what it may be."""


class MediaError(AppError):
    """Say why a file was refused."""


class EncoderError(AppError):
    """Say why a video or text could not be encoded."""


class StoreError(AppError):
    """Say why bytes could not be stored or read."""


class LibraryError(AppError):
    """Say why vectors could not be written or searched."""


class LibraryLocked(LibraryError):
    """Say that another process holds the embedded index."""


class EncoderMismatch(LibraryError):
    """Say which encoder filled the library and which one is configured."""


class QueryError(AppError):
    """Say what is wrong with a search; `details` lists the allowed values for programs."""

    def __init__(self, message: str, details: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.details = details or {}


class NotSignedIn(AppError):
    """Say that nobody is signed in, and how to."""


class NotAllowed(AppError):
    """Say what one may not do and who may."""


class TooMany(AppError):
    """Say what there is too much of; `retry_after_s` is when it can be asked again."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(AppError):
    """Say which service does not answer and what to check; `retry_after_s` is how long it asked us to wait."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotToday(Unavailable):
    """Say what is used up, and that it goes on tomorrow: however often, no job fails for it."""


class EncoderPaused(Unavailable):
    """Say why the encoder takes nothing now (its key, its plan, its own state) and what to do.

    No fault of any one video: the queue keeps them all and lets one at a time try whether it works again.
    """


class Cancelled(Exception):
    """Raised by a progress callback to stop the work that reports to it."""
