"""Notice what another app has written into a document that all of them share."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable

from core.errors import AppError
from core.state.base import Document
from core.state.opening import State

logger = logging.getLogger(__name__)
EVERY_S = 3.0
CHANGES = "changes"
"""The document whose text is another one after a video was renamed or corrected."""


def tell(state: State) -> None:
    """Let the other apps of a library, if there may be any, know that something was changed of its videos."""
    if state.is_shared:
        try:
            state.document(CHANGES).write(uuid.uuid4().hex)
        except AppError as error:  # it is changed all the same; they see it when they look for themselves
            logger.warning("Other apps are not told of a change: %s", error)


def started(*watched: tuple[Document, Callable[[], None]]) -> list[Watch]:
    """Look at documents now and then from now on, and say which is another one."""
    watches = [Watch(document, on_change) for document, on_change in watched]
    for watch in watches:
        watch.start()
    return watches


class Watch:
    """Look at a document now and then, in the background, and say when it is another one."""

    def __init__(self, document: Document, on_change: Callable[[], None], *, every_s: float = EVERY_S) -> None:
        self._document = document
        self._on_change = on_change
        self._every_s = every_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        seen: str | None = None
        is_first = True
        while not self._stopped.is_set():
            try:
                text = self._document.read()
                if is_first or text != seen:
                    self._on_change()
                    seen, is_first = text, False
            except (AppError, ValueError) as error:  # what is known goes on; the next look may do
                logger.warning("%s could not be looked at: %s", self._document, error)
            self._stopped.wait(self._every_s)
