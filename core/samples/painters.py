"""Painters: child processes that render one scene after another (`python -m core.samples paint`).

A painter is kept for a while when its scene is done, because to start one takes as long as to draw half a scene. It
never outlives us, whatever ends us: its orders come through a pipe that ends with us, and it stops when nobody reads
what it says.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from core.errors import MediaError
from core.models import Progress

KEPT_S = 20.0
"""How long painters wait for more work before they are let go."""

_ROOT = Path(__file__).resolve().parents[2]
_idle: list[Painter] = []
_lock = threading.Lock()


class Painter:
    """A child process at low priority, so that pages come before scenes."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "core.samples", "paint"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(),
            text=True,
            creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0),  # elsewhere it lowers its own
        )
        self._orders, self._says = cast(IO[str], self._process.stdin), cast(IO[str], self._process.stdout)

    def render(self, name: str, path: Path, on_progress: Progress) -> None:
        """Render a scene. Raises MediaError when it could not be, and whatever `on_progress` raises."""
        trouble: str | float = ""
        try:
            self._orders.write(json.dumps([name, str(path)]) + "\n")
            self._orders.flush()
            for line in self._says:
                said = json.loads(line)
                if said == "done":
                    return
                if isinstance(said, str):
                    trouble = said
                    break
                on_progress(said)
        except BrokenPipeError:  # It is gone: what it ended with is said below.
            pass
        trouble = trouble or f"it ended with code {self._process.wait()}"
        raise MediaError(
            "The sample {name!r} could not be rendered: {trouble}. Free disk and memory, then try again.",
            name=name,
            trouble=trouble,
        )

    def end(self) -> None:
        """Stop at once, whatever it is doing."""
        self._process.kill()
        with self._process:  # closes the pipes and waits
            pass

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None


@contextmanager
def hired() -> Iterator[Painter]:
    """Give a painter for one scene; one whose work was broken off or came to nothing is not kept."""
    painter = _hire()
    try:
        yield painter
    except BaseException:
        painter.end()
        raise
    with _lock:
        _idle.append(painter)
        count = len(_idle)
    if count == 1:
        _let_go_later()


def dismiss() -> None:
    """Let all go that wait for work."""
    with _lock:
        gone = [_idle.pop() for _ in range(len(_idle))]
    for painter in gone:
        painter.end()


def _hire() -> Painter:
    with _lock:
        waiting = [_idle.pop() for _ in range(min(1, len(_idle)))]
    for painter in waiting:
        if painter.is_alive:
            return painter
        painter.end()
    return Painter()


def _let_go_later() -> None:
    timer = threading.Timer(KEPT_S, dismiss)
    timer.daemon = True
    timer.start()


def _environment() -> dict[str, str]:
    """Return an environment in which the child finds this package, and numpy keeps to one core.

    Each frame takes and gives back the same large pictures: glibc is told to keep their memory.
    """
    path = os.pathsep.join(part for part in (str(_ROOT), os.environ.get("PYTHONPATH", "")) if part)
    keep = dict.fromkeys(("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"), str(512 * 1024**2))
    return os.environ | keep | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}


atexit.register(dismiss)
