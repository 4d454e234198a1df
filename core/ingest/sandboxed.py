"""The worker process of the sandbox: does what it is told with one file after another (`python -m …sandboxed`).

It lowers its own limits before it is told the first file: memory and core dumps for good, processor time and the size
of what it may write anew for each file. What it is told comes a line of JSON each; what it says is in wire.py.
"""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
    import resource
except ImportError:  # Windows has neither: files are read apart from us there, but without limits.
    resource = fcntl = None  # type: ignore[assignment]

import numpy as np

from core.errors import AppError
from core.ingest import cutting, frames, inspecting, playable, wire
from core.ingest.sampling import Large, Picture, sample
from core.ingest.work import info_from, info_row
from core.models import Progress
from core.priority import BACKGROUND

_TELL_EVERY_S = 0.05
"""Progress is told no more often: some of those who tell it do so at every packet."""


def main(memory_bytes: int) -> None:
    """Do what is ordered until there are no more orders."""
    # Whatever prints must not end up between two messages.
    says = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who ordered; we go when it goes.
    if hasattr(os, "nice"):
        os.nice(max(BACKGROUND - os.nice(0), 0))
    if resource is not None:
        _limit(resource.RLIMIT_CORE, 0)
        _limit(resource.RLIMIT_DATA, memory_bytes, for_good=True)
    with says:
        for line in sys.stdin.buffer:
            try:
                # The last word comes when the guards are down again: the next order may follow on its heels.
                wire.send(says, *_done(json.loads(line), says))
            except BrokenPipeError:
                return


def _done(order: dict, says: BinaryIO) -> tuple[dict, Sequence[np.ndarray]]:
    """Do one order and return what to say of it in the end."""
    try:
        with _bounded(order), _gone_with_who_ordered():
            said, arrays = _TASKS[order["do"]](order, says)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever it is, who ordered it is told
        return _trouble(error), []
    return {"done": said}, arrays


def _trouble(error: Exception) -> dict:
    """Return what went wrong as what can be said of it."""
    causes: list[BaseException | None] = [error, error.__cause__, error.__cause__ and error.__cause__.__cause__]
    if any(isinstance(cause, MemoryError) or getattr(cause, "errno", None) == errno.ENOMEM for cause in causes):
        return {"failed": "memory"}
    if any(getattr(cause, "errno", None) == errno.EFBIG for cause in causes):
        return {"failed": "size"}
    if isinstance(error, AppError):
        return {"failed": type(error).__name__, "text": error.sentence.packed()}
    if isinstance(error, OSError) and error.errno is not None:
        return {"failed": "OSError", "errno": error.errno, "text": error.strerror or ""}
    traceback.print_exception(error)
    return {"failed": "", "text": f"{type(error).__name__}: {error}"}


def _teller(says: BinaryIO) -> Progress:
    last_s = 0.0

    def tell(fraction: float) -> None:
        nonlocal last_s
        now = time.monotonic()
        if fraction >= 1.0 or now - last_s >= _TELL_EVERY_S:
            last_s = now
            wire.send(says, {"progress": fraction})

    return tell


def _inspect(order: dict, says: BinaryIO) -> tuple[object, list[np.ndarray]]:
    return info_row(inspecting.inspect(Path(order["path"]), max_bytes=order["max_bytes"])), []


def _make_playable(order: dict, says: BinaryIO) -> tuple[object, list[np.ndarray]]:
    playable.make_playable(Path(order["path"]), info_from(order["info"]), Path(order["target"]), _teller(says))
    return None, []


def _write_fitted(order: dict, says: BinaryIO) -> tuple[object, list[np.ndarray]]:
    playable.write_fitted(
        Path(order["path"]),
        info_from(order["info"]),
        Path(order["target"]),
        least_s=order["least_s"],
        least_px=order["least_px"],
        most_px=(order["most_px"][0], order["most_px"][1]),
        on_progress=_teller(says),
    )
    return None, []


def _cut(order: dict, says: BinaryIO) -> tuple[object, list[np.ndarray]]:
    made = cutting.cut(
        Path(order["path"]),
        info_from(order["info"]),
        order["start_s"],
        order["end_s"],
        Path(order["target"]),
        _teller(says),
    )
    return asdict(made), []


def _write_poster(order: dict, says: BinaryIO) -> tuple[object, list[np.ndarray]]:
    frames.write_poster(Path(order["path"]), info_from(order["info"]), Path(order["target"]))
    return None, []


def _frame_at(order: dict, says: BinaryIO) -> tuple[object, list[np.ndarray]]:
    source = order["path"] if "path" in order else order["address"]
    return None, [frames.frame_at(Path(source) if "path" in order else source, order["at_s"])]


def _still_of(order: dict, says: BinaryIO) -> tuple[object, list[np.ndarray]]:
    source = Path(order["path"]) if "path" in order else order["address"]
    still = frames.still_of(source, order["start_s"], order["end_s"])
    return None, [] if still is None else [still]


def _sample(order: dict, says: BinaryIO) -> tuple[object, list[np.ndarray]]:
    """Say every picture and every run of sound; pixels that were said just before are not said again."""
    rgb = large = None
    wanted = order["large"]
    found = sample(
        Path(order["path"]),
        fps=order["fps"],
        size=(order["size"][0], order["size"][1]),
        sample_rate=order["sample_rate"],
        large=Large(**wanted) if wanted else None,
        on_progress=_teller(says),
    )
    for item in found:
        if not isinstance(item, Picture):
            wire.send(says, {"sound": item.time_s}, [item.samples])
            continue
        new = [item.rgb] if item.rgb is not rgb else []
        shown = None
        if item.large is not None:
            shown = "same" if item.large is large else "new"
            new += [item.large] if shown == "new" else []
            large = item.large
        wire.send(says, {"picture": item.time_s, "same": item.rgb is rgb, "large": shown}, new)
        rgb = item.rgb
    return None, []


_TASKS: dict[str, Callable[[dict, BinaryIO], tuple[object, list[np.ndarray]]]] = {
    "inspect": _inspect,
    "make_playable": _make_playable,
    "write_fitted": _write_fitted,
    "write_poster": _write_poster,
    "cut": _cut,
    "frame_at": _frame_at,
    "still_of": _still_of,
    "sample": _sample,
}


@contextmanager
def _bounded(order: dict) -> Iterator[None]:
    """Let what is done now take no more processor time, and write no larger a file, than the order says.

    Who ordered ends us by the clock; this is for when that one is too busy, or gone.
    """
    if resource is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + order["cpu_s"]) + 1)
        _limit(resource.RLIMIT_FSIZE, order["file_bytes"])
    yield


def _limit(what: int, most: int, *, for_good: bool = False) -> None:
    """Lower a limit, or raise it again as far as the system lets us."""
    assert resource is not None
    _, hardest = resource.getrlimit(what)
    if hardest != resource.RLIM_INFINITY:
        most = min(most, hardest)
    resource.setrlimit(what, (most, most if for_good else hardest))


@contextmanager
def _gone_with_who_ordered() -> Iterator[None]:
    """End at once when the one who ordered is gone, even in the middle of a decoder.

    The pipe of orders is silent while one is done, so anything that happens to it is its end: the kernel then sends
    SIGIO, which ends a process that does not handle it.
    """
    if fcntl is None or not hasattr(os, "O_ASYNC"):
        yield
        return
    orders = sys.stdin.fileno()
    flags = fcntl.fcntl(orders, fcntl.F_GETFL)
    fcntl.fcntl(orders, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(orders, fcntl.F_SETFL, flags | os.O_ASYNC)
    if select.select([orders], [], [], 0)[0]:  # It went just before.
        os._exit(1)
    try:
        yield
    finally:
        fcntl.fcntl(orders, fcntl.F_SETFL, flags)


if __name__ == "__main__":
    main(int(sys.argv[1]))
