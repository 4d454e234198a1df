"""Notice what another app has written into a document that all of them share."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from core.errors import AppError
from core.state.base import Document

logger = logging.getLogger(__name__)
EVERY_S = 3.0


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
