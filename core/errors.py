"""Everything that can go wrong and that a person should read about.

Every message is a whole sentence that says what happened and what to do next; pages, the command line and
the HTTP routes print it as it is. Pages in other languages look it up by what it was made of (Sentence).

AppError
 ├─ SettingsError        a variable is missing or has a value that is not allowed
 ├─ MediaError           a file was refused: not a video, broken, too short, too large
 ├─ EncoderError         an encoder could not turn a video or a text into a vector
 ├─ StoreError           bytes could not be written or read
 ├─ LibraryError         vectors could not be written or searched
 │   ├─ LibraryLocked    another process holds the embedded index
 │   ├─ LibraryDamaged   the embedded index and its copy cannot be read
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

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any, Union

Value = Union[str, int, float, "Sentence"]


class Sentence(str):
    """A sentence in English that knows what it was made of, so that a page can say it in another language.

    `template` is text for str.format and what other languages know the sentence by; `values` fill it, and may be
    sentences themselves. It is printed, joined and sent as the text that it is.
    """

    template: str
    values: Mapping[str, Value]

    def __new__(cls, template: str, /, **values: object) -> Sentence:
        """Fill a template; without values it is a whole sentence already, and what is a Sentence stays what it is."""
        if isinstance(template, Sentence) and not values:
            return template
        text = template.format(**values) if values else template
        return cls._made(text, template, {name: _kept(value) for name, value in values.items()})

    @classmethod
    def _made(cls, text: str, template: str, values: Mapping[str, Value]) -> Sentence:
        made = super().__new__(cls, text)
        made.template, made.values = template, values
        return made

    def __str__(self) -> str:
        return self  # so that str(error) is the sentence too

    def __reduce__(self) -> tuple[object, ...]:
        return Sentence.unpacked, (self.packed(),)

    def each(self, change: Callable[[str], str]) -> Sentence:
        """Return the sentence with its text, and the texts that fill it, changed."""
        values: dict[str, Value] = {}
        for name, value in self.values.items():
            values[name] = value.each(change) if isinstance(value, Sentence) else value
            if isinstance(value, str) and not isinstance(value, Sentence):
                values[name] = change(value)
        return self._made(change("".join(self)), self.template, values)

    def packed(self) -> dict[str, Any]:
        """Return what another process or a file can keep of it, as JSON."""
        values = {name: value.packed() if isinstance(value, Sentence) else value for name, value in self.values.items()}
        return {"text": "".join(self), "says": self.template, "with": values}

    @classmethod
    def unpacked(cls, packed: Mapping[str, Any]) -> Sentence:
        """Return the sentence that was packed. Who packed it may be hostile: its template is filled by nobody."""
        values = {name: cls.unpacked(v) if isinstance(v, dict) else _kept(v) for name, v in packed["with"].items()}
        return cls._made(str(packed["text"]), str(packed["says"]), values)


def _kept(value: object) -> Value:
    if isinstance(value, AppError):
        return value.sentence
    if isinstance(value, (str, int, float)):
        return value
    return float(value) if isinstance(value, Real) else str(value)


class AppError(Exception):
    """Carry one sentence for a person: a template of it and what fills it, or the whole."""

    def __init__(self, sentence: str, /, **values: object) -> None:
        self.sentence = Sentence(sentence, **values)
        super().__init__(self.sentence)


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


class LibraryDamaged(LibraryError):
    """Say that the embedded index cannot be read, nor mended, and which command reads the stored videos again."""


class EncoderMismatch(LibraryError):
    """Say which encoder filled the library and which one is configured."""


class QueryError(AppError):
    """Say what is wrong with a search; `details` lists the allowed values for programs."""

    def __init__(self, sentence: str, /, details: dict[str, object] | None = None, **values: object) -> None:
        super().__init__(sentence, **values)
        self.details = details or {}


class NotSignedIn(AppError):
    """Say that nobody is signed in, and how to."""


class NotAllowed(AppError):
    """Say what one may not do and who may."""


class TooMany(AppError):
    """Say what there is too much of; `retry_after_s` is when it can be asked again."""

    def __init__(self, sentence: str, /, retry_after_s: float, **values: object) -> None:
        super().__init__(sentence, **values)
        self.retry_after_s = retry_after_s


class Unavailable(AppError):
    """Say which service does not answer and what to check; `retry_after_s` is how long it asked us to wait."""

    def __init__(self, sentence: str, /, retry_after_s: float | None = None, **values: object) -> None:
        super().__init__(sentence, **values)
        self.retry_after_s = retry_after_s


class NotToday(Unavailable):
    """Say what is used up, and that it goes on tomorrow: however often, no job fails for it."""


class EncoderPaused(Unavailable):
    """Say why the encoder takes nothing now (its key, its plan, its own state) and what to do.

    No fault of any one video: the queue keeps them all and lets one at a time try whether it works again.
    """


class Cancelled(Exception):
    """Raised by a progress callback to stop the work that reports to it."""
