"""What a library is made of, worked out in the background and kept as long as the library stays as it is."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.discover.labels import KINDS
from core.discover.search import Discover
from core.discover.taxonomy import Kind
from core.errors import AppError, Sentence
from core.index.base import Index
from core.models import Entry
from core.trends import clusters, history
from core.trends.clusters import Map
from core.trends.history import Added, Missing, Period

logger = logging.getLogger(__name__)
_NO_VECTOR = np.zeros(0, np.float32)

REST = 5.0
"""How many times as long as it took it waits before it is worked out anew, while the library changes all the time."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What was found in a library."""

    map: Map
    entries: tuple[Entry, ...]
    """All videos, with titles and labels and little else: there may be very many."""
    added: Mapping[tuple[Kind, Period], tuple[Added, ...]]
    missing: tuple[Missing, ...]
    copies: tuple[tuple[str, ...], ...]
    alone: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What is known now."""

    found: Found | None
    """None before anything was worked out."""
    is_old: bool
    """The library has changed since; another is on its way."""
    problem: Sentence | None = None


class Trends:
    """Work out trends in the background. Safe to use from several threads; nothing is done unless somebody asks."""

    def __init__(self, discover: Callable[[], Discover]) -> None:
        self._discover = discover
        self._lock = threading.Lock()
        self._found: Found | None = None
        self._of: Hashable = None
        self._problem: Sentence | None = None
        self._thread: threading.Thread | None = None
        self._not_before_s = 0.0

    def now(self) -> State:
        """Return what is known, and begin to work it out where it is of another library. Raises AppError."""
        discover = self._discover()
        version = (id(discover), discover.index.version, discover.labels_version())
        with self._lock:
            is_old = self._of != version
            working = self._thread is not None and self._thread.is_alive()
            if is_old and not working and time.monotonic() >= self._not_before_s:
                self._thread = threading.Thread(target=self._work, args=(discover, version), name="trends", daemon=True)
                self._thread.start()
            return State(self._found, is_old, self._problem)

    def wait(self, timeout_s: float) -> bool:
        """Wait until what is being worked out is there; False where that takes longer."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return thread is None or not thread.is_alive()

    def _work(self, discover: Discover, version: Hashable) -> None:
        began = time.monotonic()
        found: Found | None = None
        problem: Sentence | None = None
        try:
            found = find(discover)
        except AppError as error:
            problem = error.sentence
        except Exception:  # the page must hear that there is none, whatever went wrong
            logger.exception("Trends could not be worked out")
            problem = Sentence("Something unexpected went wrong. The server's log says more.")
        with self._lock:
            self._problem = problem
            if found is not None:
                self._found, self._of = found, version
            self._not_before_s = time.monotonic() + REST * (time.monotonic() - began)


def find(discover: Discover) -> Found:
    """Work out what a library is made of. Raises what the index raises."""
    index: Index = discover.index
    entries = tuple(
        replace(entry, standings=None, seen=(), vector=_NO_VECTOR)
        for entry in index.scroll(scope="video", with_vectors=False, with_texts=False)
    )
    some = clusters.sampled(entries)
    if len(entries) > len(some):
        wholes = list(index.retrieve([entry.video_id for entry in some]))
    else:  # with the words that somebody gave them
        wholes = [replace(entry, subtitles=None) for entry in index.scroll(scope="video")]
    copies, alone = history.neighbours(wholes, discover.copy_distance())
    return Found(
        clusters.map_of(wholes, len(entries)),
        entries,
        {(kind, period): tuple(history.added(entries, kind, period)) for kind in KINDS for period in history.PERIODS},
        tuple(history.missing(entries)),
        tuple(copies),
        tuple(alone),
    )
