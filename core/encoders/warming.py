"""Texts that will be asked for, encoded before anybody asks."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.errors import AppError

if TYPE_CHECKING:
    from core.encoders.base import Encoder

logger = logging.getLogger(__name__)
_WARM_BATCH = 8


class Warming:
    """Encode the texts that will be asked for, in the background, unless it is stopped; the first error ends it."""

    def __init__(self, encoder: Encoder, texts: Sequence[str]) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(encoder, texts), name="warm-texts", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it after the texts it is at: a process must not end in the middle of a network's work."""
        self._stopped.set()
        self._thread.join(timeout=10)

    def _run(self, encoder: Encoder, texts: Sequence[str]) -> None:
        try:
            for start in range(0, len(texts), _WARM_BATCH):
                if self._stopped.is_set():
                    return
                encoder.encode_text(texts[start : start + _WARM_BATCH])
        except AppError as error:
            logger.warning("The prompts of the taxonomy are not encoded ahead: %s", error)
