"""How much is asked at a time, by each visitor and in all: requests a second, by leaky buckets, and places to take."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable

from core.access.limits import Limits

BURST_S = 5.0
"""What comes at once may be as much as so many seconds allow."""
KEPT = 10_000
"""How many visitors are remembered; the one that was quiet longest goes first."""


class Rate:
    """So many a second, in the long run. Safe to use from several threads."""

    def __init__(self, each: float, in_all: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._each, self._in_all = each, in_all
        self._clock = clock
        self._lock = threading.Lock()
        self._full_until: OrderedDict[str, float] = OrderedDict()
        self._all_until = 0.0

    def take(self, visitor: str) -> float:
        """Count one and return 0; or, where it is one too many, return in how many seconds it is not."""
        with self._lock:
            now = self._clock()
            # A bucket is the time until which what was taken fills it: empty when that is past.
            own = max(self._full_until.get(visitor, 0.0), now) + 1 / self._each
            all_ = max(self._all_until, now) + 1 / self._in_all
            wait_s = max(own - now - max(BURST_S, 1 / self._each), all_ - now - max(BURST_S, 1 / self._in_all))
            if wait_s > 1e-9:
                return wait_s
            self._full_until[visitor], self._all_until = own, all_
            self._full_until.move_to_end(visitor)
            while len(self._full_until) > KEPT:
                self._full_until.popitem(last=False)
            return 0.0


class Places:
    """So many at the same time. Safe to use from several threads."""

    def __init__(self, each: int, in_all: int) -> None:
        self._each, self._in_all = each, in_all
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    def enter(self, visitor: str) -> bool:
        """Take a place; return whether there was one. Each that was taken is to be left."""
        with self._lock:
            if not self._is_free(visitor):
                return False
            self._taken[visitor] += 1
            return True

    def leave(self, visitor: str) -> None:
        """Give a place back."""
        with self._lock:
            self._taken[visitor] -= 1
            if not self._taken[visitor]:
                del self._taken[visitor]

    def is_free(self, visitor: str) -> bool:
        """Tell whether there is a place now."""
        with self._lock:
            return self._is_free(visitor)

    @property
    def taken(self) -> int:
        with self._lock:
            return self._taken.total()

    def _is_free(self, visitor: str) -> bool:
        return self._taken[visitor] < self._each and self._taken.total() < self._in_all


class Traffic:
    """All that is counted of an app's visitors."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.requests = Rate(limits.requests_a_second, limits.requests_a_second_in_all, clock)
        self.uploads = Places(limits.uploads_at_once, limits.uploads_at_once_in_all)
        self.sessions = Places(limits.sessions, limits.sessions_in_all)
