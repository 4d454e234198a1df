"""What was worked out once and holds until something changes, worked out by one for all who ask at the same moment."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Work:
    """What is being worked out by one thread while others wait for it."""

    state: object
    by: int = field(default_factory=threading.get_ident)
    done: threading.Event = field(default_factory=threading.Event)
    value: Any = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    state: object
    value: Any
    at: float


class Kept:
    """Keep at most `most` values by name, those used longest ago go first; each for `for_s` seconds at most.

    Nothing is locked while something is worked out. Safe to use from several threads.
    """

    def __init__(self, most: int, *, for_s: float = float("inf"), clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._for_s = for_s
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._works: dict[Hashable, _Work] = {}

    def get(self, name: Hashable, state: object, compute: Callable[[], T], *, old_will_do: bool = False) -> T:
        """Return the value of this name in this state, computed if it is not kept.

        Who asks while another computes it waits for that, or gets the one of an earlier state where `old_will_do` and
        there is one. Raises what `compute` raised, to all who waited for it; that is not kept. Raises RuntimeError
        where `compute` asks for what it is computing.
        """
        with self._lock:
            kept = self._kept.get(name)
            if kept is not None and kept.state == state and self._clock() - kept.at < self._for_s:
                self._kept.move_to_end(name)
                return cast(T, kept.value)
            work = self._works.get(name)
            if work is not None and work.state != state:
                if old_will_do and kept is not None:
                    return cast(T, kept.value)
                work = None  # of a state that is past: whoever computes it is not waited for
            elif work is not None and old_will_do and kept is not None:
                return cast(T, kept.value)
            mine = work is None
            if work is None:
                work = self._works[name] = _Work(state)
        if mine:
            self._compute(name, work, compute)
        else:
            if work.by == threading.get_ident():
                raise RuntimeError("What is being worked out waits for itself.")
            work.done.wait()
            if work.error is not None:
                raise work.error
        return cast(T, work.value)

    def _compute(self, name: Hashable, work: _Work, compute: Callable[[], object]) -> None:
        try:
            work.value = compute()
        except BaseException as error:
            work.error = error
            raise
        finally:
            with self._lock:
                if self._works.get(name) is work:
                    del self._works[name]
                    if work.error is None:
                        self._kept[name] = _Kept(work.state, work.value, self._clock())
                        self._kept.move_to_end(name)
                        while len(self._kept) > self._most:
                            self._kept.popitem(last=False)
            work.done.set()
