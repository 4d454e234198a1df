"""Read the texts that every page needs before they are asked for, once, however long a service takes for it.

A service takes one text a request and so many requests a minute; at the first start there are some 170. They are read
in the background, each kept the moment it is known. Asked to wait, it waits as long as it was told to; where the
service is away or takes nothing, it comes back after pauses that grow; after a restart it goes on with what is left.
Meanwhile nobody waits: who asks for a text that is still to come is told so at once, with how far it is.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from core.errors import AppError, EncoderPaused, Sentence, Unavailable
from core.models import Progress, Video, VideoEmbedding
from core.state.texts import CachedText

logger = logging.getLogger(__name__)

PAUSES_S = (2.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0)
"""How long to wait from one vain try to the next where the service does not say; the last is for all that follow."""
TOGETHER = 4
"""Texts asked for at the same time."""
FEW, GRACE_S = 16, 2.0
"""For so few, those of a category that somebody has just added, one waits so long; for more nobody is kept waiting."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How far the texts are that are read ahead."""

    known: int
    total: int
    problem: str | None = None
    """What the service last said, where it keeps us waiting."""

    @property
    def sentence(self) -> Sentence:
        if self.problem is None:
            return Sentence(
                "The categories and moods are being read for the first time: {known} of {total} are known. It goes on "
                "by itself.",
                known=self.known,
                total=self.total,
            )
        return Sentence(
            "The categories and moods are being read for the first time: {known} of {total} are known. Just now: "
            "{problem} It goes on by itself.",
            known=self.known,
            total=self.total,
            problem=self.problem,
        )


class ReadAhead:
    """An encoder whose fixed texts are read in the background; everything else goes straight through."""

    def __init__(self, cached: CachedText, *, pauses_s: Sequence[float] = PAUSES_S) -> None:
        self.encoder = cached
        self.info = cached.info
        self._pauses_s = tuple(pauses_s)
        self._changed = threading.Condition()
        self._left: dict[str, None] = {}
        self._all: set[str] = set()
        self._problem: str | None = None
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def encode_video(self, video: Video, notes: MutableMapping[str, str], on_progress: Progress) -> VideoEmbedding:
        return self.encoder.encode_video(video, notes, on_progress)

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Return one vector a text. Raises Unavailable at once where one of them is still to be read."""

        def is_known() -> bool:
            return not any(text in self._left for text in texts)

        with self._changed:
            soon = len(self._left) <= FEW and self._problem is None
            if not (is_known() or (soon and self._changed.wait_for(is_known, GRACE_S))):
                raise Unavailable(self._reading().sentence)
        return self.encoder.encode_text(texts)

    def encode_image(self, rgb: np.ndarray) -> np.ndarray:
        return self.encoder.encode_image(rgb)

    def read(self, texts: Sequence[str]) -> None:
        """Begin to read these texts too, in the background; what is kept already costs nothing."""
        missing = self.encoder.unknown(texts)
        with self._changed:
            self._left |= dict.fromkeys(missing)
            self._all |= set(texts)
            if not self._left or self._stopped.is_set() or (self._thread is not None and self._thread.is_alive()):
                return
            self._thread = threading.Thread(target=self._run, name="read-ahead", daemon=True)
            self._thread.start()

    def reading(self) -> Reading | None:
        """Return how far it is; None when all is known."""
        with self._changed:
            return self._reading() if self._left else None

    def _reading(self) -> Reading:
        return Reading(len(self._all) - len(self._left), len(self._all), self._problem)

    def stop(self) -> None:
        """End the reading after the texts it is at; what is left is read after the next start."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _run(self) -> None:
        tries = 0
        with ThreadPoolExecutor(min(TOGETHER, self.info.parallel), "read-ahead") as pool:
            while not self._stopped.is_set():
                with self._changed:
                    some = list(self._left)[: 1 if tries else TOGETHER]
                    if not some:
                        self._thread = None  # Under the lock: who adds a text now starts another.
                        return
                try:
                    errors = [error for error in pool.map(self._read, some) if error is not None]
                except RuntimeError as error:  # This machine gives no thread now.
                    errors = [_unforeseen(error)] * len(some)
                tries = tries + 1 if len(errors) == len(some) else 0
                if errors:
                    self._wait(errors, tries)

    def _read(self, text: str) -> Unavailable | None:
        """Read a text and let those who want it have it; return why it has to be tried again."""
        try:
            self.encoder.encode_text([text])
        except Unavailable as error:
            return error
        except AppError as error:  # A fault of the text: whoever needs it is told so when they ask.
            logger.warning("The text %r is not read ahead: %s", text, error)
        except Exception as error:  # noqa: BLE001
            # Whatever an SDK or the disk does: without this thread the texts would never be known.
            return _unforeseen(error)
        with self._changed:
            self._left.pop(text, None)
            self._problem = None
            self._changed.notify_all()
        return None

    def _wait(self, errors: Sequence[Unavailable], tries: int) -> None:
        told = [error.retry_after_s for error in errors if error.retry_after_s is not None]
        pause_s = max(told) if told else self._pauses_s[min(tries, len(self._pauses_s) - 1)]
        said = next((error for error in errors if isinstance(error, EncoderPaused)), errors[0])
        with self._changed:
            if self._problem != str(said):
                logger.warning("Texts are read on in %.0f s: %s", pause_s, said)
            self._problem = str(said)
        self._stopped.wait(pause_s)


def _unforeseen(error: Exception) -> Unavailable:
    logger.error("Texts could not be read", exc_info=error)
    return Unavailable("Something unexpected went wrong ({kind}). See the log.", kind=type(error).__name__)
