"""Limits on guessing: after some wrong passwords one must wait, longer from one to the next; each address, and all."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FREE, FREE_IN_ALL = 5, 50
FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 900.0
WAIT_IN_ALL_S = 10.0
FORGOTTEN_AFTER_S = 1800.0
KEPT = 10_000
"""How many addresses are remembered; the one that was quiet longest goes first."""


@dataclass(slots=True)
class _Count:
    wrong: int = 0
    last: float = 0.0
    until: float = 0.0


class Tries:
    """Count wrong passwords. Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._by_address: OrderedDict[str, _Count] = OrderedDict()
        self._all = _Count()

    def wait_s(self, address: str) -> float:
        """Return for how long this address must wait; 0 when it may try."""
        with self._lock:
            now = self._clock()
            return max(0.0, self._all.until - now, self._of(address, now).until - now)

    def wrong(self, address: str) -> None:
        """Count a wrong password of this address."""
        with self._lock:
            now = self._clock()
            own = self._of(address, now)
            own.wrong, own.last = own.wrong + 1, now
            if own.wrong >= FREE:
                own.until = now + min(FIRST_WAIT_S * 2 ** min(own.wrong - FREE, 20), LONGEST_WAIT_S)
            self._by_address[address] = own
            self._by_address.move_to_end(address)
            while len(self._by_address) > KEPT:
                self._by_address.popitem(last=False)
            if now - self._all.last > FORGOTTEN_AFTER_S:
                self._all = _Count()
            self._all.wrong, self._all.last = self._all.wrong + 1, now
            if self._all.wrong >= FREE_IN_ALL:
                self._all.until = now + WAIT_IN_ALL_S

    def right(self, address: str) -> None:
        """Forget what this address got wrong."""
        with self._lock:
            self._by_address.pop(address, None)

    def _of(self, address: str, now: float) -> _Count:
        own = self._by_address.get(address)
        return _Count() if own is None or now - max(own.last, own.until) > FORGOTTEN_AFTER_S else own
