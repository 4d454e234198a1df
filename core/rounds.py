"""Do something in the background, now and from time to time, until the app ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from core.errors import AppError
from core.priority import step_back

logger = logging.getLogger(__name__)


class Rounds:
    """A thread that takes a step, rests, and takes the next one. Safe to use from several threads.

    Whatever a step raises is written into the log and the next one is taken in its turn: without the thread nothing of
    its kind would be done any more. A step may return how many seconds to rest, where that is not `every_s`. With
    `yields` it lets pages at the processor first.
    """

    def __init__(self, name: str, step: Callable[[], float | None], every_s: float, *, yields: bool = False) -> None:
        self._name = name
        self._step = step
        self._every_s = every_s
        self._yields = yields
        self._lock = threading.Lock()
        self._awake = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_stopped(self) -> bool:
        return self._stopped.is_set()

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Take the first step now. What has been started or stopped before stays as it is."""
        with self._lock:
            if self._thread is None and not self.is_stopped:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Take no other step, and wait so long for the one that it is at."""
        self._stopped.set()
        self._awake.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def wake(self) -> None:
        """Take the next step at once."""
        self._awake.set()

    def rest(self, seconds: float) -> None:
        """Wait within a step, or until it is stopped."""
        self._stopped.wait(seconds)

    def _run(self) -> None:
        if self._yields:
            step_back()
        while not self.is_stopped:
            rest_s = self._safely()
            self._awake.wait(self._every_s if rest_s is None else rest_s)
            self._awake.clear()  # and then look whether it is stopped: who stops it says so before waking it

    def _safely(self) -> float | None:
        try:
            return self._step()
        except AppError as error:
            logger.warning("%s has to wait: %s", self._name, error)
        except Exception:  # the thread must live
            logger.exception("%s has to wait", self._name)
        return None
