"""Look into files that anyone may have made, in worker processes with limits, so that none can hurt the app.

Everything that FFmpeg reads goes through here: check, copies, poster, frame and the one decode pass. The functions are
those of the modules that do it (inspecting.py, playable.py, frames.py, sampling.py), with the same errors, progress and
way to cancel; a worker (sandboxed.py) calls them there. What a file does to its worker, a crash, an endless loop or
more memory than is allowed, ends as the MediaError of that one file. What stays here of FFmpeg is the scaler, on
pixels that are decoded already.

A worker is kept for more files because to start one takes 0.2 s, but not for ever, and never after a file that gave
trouble. It starts with an environment without secrets, at low priority, and ends when we end, whatever ends us. It is
not trusted: it says JSON and pixels (wire.py), never pickles.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import numpy as np

from core.errors import EncoderError, MediaError, Sentence
from core.ingest import wire
from core.ingest.cutting import Cut
from core.ingest.playable import part_of
from core.ingest.sampling import SIZE, Large, Picture, Sound
from core.ingest.work import info_from, info_row
from core.models import MediaInfo, Progress, ignore_progress

logger = logging.getLogger(__name__)

ORDERS_EACH = 200
"""How many orders a worker is kept for, four a file: what a decoder leaks or breaks in its memory goes with it."""
KEPT_S = 60.0
"""How long a worker waits for more files before it is let go."""
SILENT_S = 180.0
"""How long a worker may say nothing. The slowest there is, 8K on a slow machine, decodes 200 packets in a third."""
FRAME_S = 30.0
"""To find one frame: a person waits for it, and frames.py gives up after half of that."""
READ_BYTES_A_S = 4e6
"""The slowest disk that a whole file is read from."""
WORK_A_S = 60.0
"""Seconds of work that a second of video may take at most."""
_LONGEST_S = 24 * 3600.0
MEMORY_BYTES = 4 * 1024**3
"""What a worker may use at most, if half the machine is not less: 8K needs 16 pictures of 100 MB and more."""
LEAST_MEMORY_BYTES = 1024**3
_SMALL_BYTES = 64 * 1024**2
_COPY_BYTES_A_S = 3e6
"""The most that a copy needs for a second of video, at 1920 pixels a side; three times what comes up."""
_LOOK_EVERY_S = 0.25
"""How often a person's Cancel is looked for while a worker says nothing."""
_PIPE_BYTES = 1 << 20
"""Lets a worker decode some seconds ahead of who looks at the pictures. Where the system gives less, it is less."""
_ROOT = Path(__file__).resolve().parents[2]
_PASSED_ON = (
    *("PATH", "HOME", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy", "no_proxy"),
)
"""What a worker needs of our environment: to start, and to fetch a frame of a video from where it is kept."""
_CRASHED = (
    "Reading this file crashed the video decoder, as damaged files and files made to do harm can. "
    "Nothing else was touched. Export it again."
)
_TOO_LONG = "Reading this file takes far too long; it seems damaged. Export it again."
_TOO_MUCH = (
    "Reading this file takes more memory than one file may have ({most:,.1f} GB). Convert it to MP4 and try again."
)
_TOO_LARGE = "A copy of this file that plays here would be far larger than the file; it seems damaged. Export it again."


def inspect(path: Path, *, max_bytes: int | None = None, on_progress: Progress = ignore_progress) -> MediaInfo:
    """Return what a file really holds (inspecting.inspect). `on_progress` is only asked whether to go on."""
    allowed_s = SILENT_S + _size(path) / READ_BYTES_A_S
    said, _ = _result("inspect", {"path": path, "max_bytes": max_bytes}, on_progress, silent_s=allowed_s)
    return info_from(cast(dict, said["done"]))


def make_playable(source: Path, info: MediaInfo, target: Path, on_progress: Progress = ignore_progress) -> Path:
    """Return a file that browsers play: the source, or a copy that is made (playable.make_playable)."""
    if info.playable == "as-is":
        on_progress(1.0)
        return source
    _copy("make_playable", source, info, target, {}, on_progress)
    return target


def write_fitted(
    source: Path,
    info: MediaInfo,
    target: Path,
    *,
    least_s: float,
    least_px: int,
    most_px: tuple[int, int],
    on_progress: Progress = ignore_progress,
) -> Path:
    """Write a copy within the limits of a service (playable.write_fitted)."""
    limits = {"least_s": least_s, "least_px": least_px, "most_px": most_px}
    _copy("write_fitted", source, info, target, limits, on_progress)
    return target


def cut(source: Path, info: MediaInfo, start_s: float, end_s: float, target: Path) -> Cut:
    """Write a moment of a video as a file of its own (cutting.cut)."""
    span = {"start_s": start_s, "end_s": end_s}
    return Cut(**cast(dict, _copy("cut", source, info, target, span, ignore_progress)))


def write_poster(source: Path, info: MediaInfo, target: Path, on_progress: Progress = ignore_progress) -> None:
    """Write a JPEG of a frame that shows something (frames.write_poster). `on_progress` is only asked to go on."""
    with _written(target):
        order = {"path": source, "info": info_row(info), "target": target}
        _result("write_poster", order, on_progress, file_bytes=_SMALL_BYTES)


def frame_at(source: Path | str, at_s: float) -> np.ndarray:
    """Return what a video shows at a time, (height, width, 3) uint8 (frames.frame_at)."""
    _, arrays = _result("frame_at", {**_where(source), "at_s": at_s}, ignore_progress, silent_s=FRAME_S)
    return arrays[0]


def still_of(source: Path | str, start_s: float, end_s: float) -> np.ndarray | None:
    """Return what a moment shows, (height, width, 3) uint8; None where that is nothing (frames.still_of)."""
    order = {**_where(source), "start_s": start_s, "end_s": end_s}
    _, arrays = _result("still_of", order, ignore_progress, silent_s=FRAME_S)
    return arrays[0] if arrays else None


def _where(source: Path | str) -> dict[str, object]:
    return {"address": source} if isinstance(source, str) and "://" in source else {"path": Path(source)}


def sample(
    path: Path,
    *,
    fps: float = 4.0,
    size: tuple[int, int] = SIZE,
    sample_rate: int = 16_000,
    large: Large | None = None,
    on_progress: Progress = ignore_progress,
) -> Iterator[Picture | Sound]:
    """Yield pictures and sound of a file in one pass (sampling.sample), as they come: memory stays flat."""
    order = {"path": path, "fps": fps, "size": size, "sample_rate": sample_rate}
    order["large"] = large and {"side_px": large.side_px, "every_s": large.every_s}
    rgb = shown = None
    try:
        for said, arrays in _orders("sample", order, on_progress):
            if "sound" in said:
                yield Sound(said["sound"], arrays[0])
            elif "picture" in said:
                rgb = rgb if said["same"] else arrays.pop(0)
                shown = arrays.pop(0) if said["large"] == "new" else shown
                assert rgb is not None
                yield Picture(said["picture"], rgb, shown if said["large"] else None)
    except MediaError as error:
        raise EncoderError("{name} cannot be encoded. {error}", name=path.name, error=error) from error


def warm() -> None:
    """Have a worker ready for the next file; returns at once."""
    with _lock:
        if _idle or _busy:
            return
        _idle.append(Worker())
    _let_go_later()


def dismiss() -> None:
    """Let all workers go that wait for a file."""
    _let_go(kept_s=0.0)


def _copy(what: str, source: Path, info: MediaInfo, target: Path, more: dict, on_progress: Progress) -> object:
    with _written(target):
        said, _ = _result(
            what,
            {"path": source, "info": info_row(info), "target": target, **more},
            on_progress,
            whole_s=SILENT_S + WORK_A_S * info.duration_s,
            file_bytes=_SMALL_BYTES + 3 * _size(source) + _COPY_BYTES_A_S * info.duration_s,
        )
    return said["done"]


@contextmanager
def _written(target: Path) -> Iterator[None]:
    """Leave nothing of a file behind that a worker was ended in the middle of writing."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            part_of(target).unlink(missing_ok=True)
        raise


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0  # What is wrong with it, the worker says.


def _result(what: str, order: Mapping[str, object], on_progress: Progress, **limits: float) -> tuple[dict, list]:
    """Have something done and return what came of it."""
    *_, last = _orders(what, order, on_progress, **limits)
    return last


def _orders(
    what: str,
    order: Mapping[str, object],
    on_progress: Progress,
    *,
    silent_s: float | None = None,
    whole_s: float | None = None,
    file_bytes: float = 1024**2,
) -> Iterator[tuple[dict, list[np.ndarray]]]:
    """Give an order to a worker and yield what it says, the result last.

    Time counts only while we wait for the worker. Without `whole_s` the whole is bounded by the times of the pictures
    that come. Raises MediaError, the error that the work ended with, and what `on_progress` raises.
    """
    silent_s = silent_s or SILENT_S
    paths = {name: str(path.absolute()) for name, path in order.items() if isinstance(path, Path)}
    longest_s = whole_s or (_LONGEST_S if what == "sample" else silent_s)
    limits = {"cpu_s": longest_s * (os.cpu_count() or 1), "file_bytes": round(file_bytes)}
    fraction = come_s = 0.0

    def look() -> None:
        on_progress(fraction)

    with _hired(json.dumps({**order, **paths, **limits, "do": what}), on_progress) as worker:
        begun_s = worker.waited_s
        while True:
            said, arrays = worker.said(silent_s, look)
            if "failed" in said:
                raise _error(said)
            if "progress" in said:
                fraction = float(said["progress"])
                on_progress(fraction)
            else:
                look()  # what is made of pictures takes longer than they do: ask between two of them too
                yield said, arrays
            if "done" in said:
                return
            come_s = max(come_s, said.get("picture", 0.0), said.get("sound", 0.0))
            allowed_s = silent_s + WORK_A_S * come_s if whole_s is None else whole_s
            if worker.waited_s - begun_s > allowed_s:
                raise MediaError(_TOO_LONG)


def _error(said: dict) -> Exception:
    """Return what a worker said that went wrong, as the error that it was there."""
    kind, text = said["failed"], said.get("text", "")
    if kind == "memory":
        return MediaError(_TOO_MUCH, most=_memory_bytes() / 1e9)
    if kind == "size":
        return MediaError(_TOO_LARGE)
    if kind in ("MediaError", "EncoderError"):
        return (MediaError if kind == "MediaError" else EncoderError)(Sentence.unpacked(text))
    if kind == "OSError":
        return OSError(int(said["errno"]), str(text))
    return RuntimeError(str(text))


class Worker:
    """A process that looks into one file after another."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "core.ingest.sandboxed", str(_memory_bytes())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(),
            cwd=_ROOT,
            bufsize=0,
            creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0),  # elsewhere it lowers its own
        )
        self._told, self._says = cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout)
        with contextlib.suppress(ImportError, AttributeError, OSError):
            import fcntl

            fcntl.fcntl(self._says, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._come = bytearray()
        self.orders = 0
        self.waited_s = 0.0
        """How long we have waited for it to say something, in all."""
        self.idle_since_s = time.monotonic()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def order(self, line: str) -> bool:
        """Give an order; False when it is gone."""
        self.orders += 1
        try:
            self._told.write(line.encode("ascii") + b"\n")
        except BrokenPipeError:
            return False
        return True

    def said(self, silent_s: float, look: Callable[[], None]) -> tuple[dict, list[np.ndarray]]:
        """Wait for what it says next and return it; `look` is called now and then meanwhile, to raise Cancelled.

        Raises MediaError when it ends, or says nothing for too long, or nothing that makes sense.
        """
        deadline_s = time.monotonic() + silent_s
        try:
            return wire.receive(lambda count: self._read(count, deadline_s, look))
        except wire.Garbled as error:
            raise MediaError(_CRASHED) from error

    def _read(self, count: int, deadline_s: float, look: Callable[[], None]) -> bytearray:
        """Return exactly so many bytes."""
        come = self._come
        begun_s = time.monotonic()
        while len(come) < count:
            if not _readable(self._says, _LOOK_EVERY_S):
                self.waited_s += time.monotonic() - begun_s
                if time.monotonic() > deadline_s:
                    raise MediaError(_TOO_LONG)
                look()
                begun_s = time.monotonic()
                continue
            part = os.read(self._says.fileno(), max(count - len(come), 1 << 16))
            if not part:
                raise self._ended()
            come += part
        self.waited_s += time.monotonic() - begun_s
        taken = come[:count]
        del come[:count]
        return taken

    def _ended(self) -> MediaError:
        """Return why it is gone."""
        code = self._process.wait()
        logger.warning("A process that reads videos ended by itself: %s", _ending(code))
        if code == -getattr(signal, "SIGXCPU", 0):
            return MediaError(_TOO_LONG)
        if code == -getattr(signal, "SIGKILL", 0):  # Not by us: the system does it when memory runs out.
            return MediaError(_TOO_MUCH, most=_memory_bytes() / 1e9)
        return MediaError(_CRASHED)

    def end(self) -> None:
        """Stop at once, whatever it is doing."""
        self._process.kill()
        with self._process:  # closes the pipes and waits
            pass


_idle: list[Worker] = []
_busy: list[Worker] = []
_lock = threading.Lock()
_places = threading.BoundedSemaphore(max(4, 2 * (os.cpu_count() or 1)))
"""How many files are looked into at the same time: each may take memory."""


@contextmanager
def _hired(line: str, on_progress: Progress) -> Iterator[Worker]:
    """Give a worker that has got this order; one whose work was broken off or came to nothing is not kept."""
    while not _places.acquire(timeout=_LOOK_EVERY_S):
        on_progress(0.0)
    try:
        worker = _ordered(line)
        keep = False
        try:
            yield worker
            keep = worker.orders < ORDERS_EACH
        finally:
            _release(worker, keep)
    finally:
        _places.release()


def _ordered(line: str) -> Worker:
    """Return a worker at work: one that waits, or a new one."""
    while True:
        with _lock:
            waits = bool(_idle)
            worker = _idle.pop() if waits else Worker()
            _busy.append(worker)
        if worker.is_alive and worker.order(line):
            return worker
        _release(worker, keep=False)
        if not waits:
            raise MediaError("The process that reads videos cannot be started. Free some memory, then press Retry.")


def _release(worker: Worker, keep: bool) -> None:
    """Let a worker wait for the next file, or end it."""
    with _lock:
        _busy.remove(worker)
        if keep:
            worker.idle_since_s = time.monotonic()
            _idle.append(worker)
    if keep:
        _let_go_later()
    else:
        worker.end()


def _let_go(kept_s: float) -> None:
    """Let the workers go that have waited so long."""
    now = time.monotonic()
    with _lock:
        gone = [worker for worker in _idle if now - worker.idle_since_s >= kept_s]
        _idle[:] = [worker for worker in _idle if worker not in gone]
    for worker in gone:
        worker.end()


_timer: threading.Timer | None = None


def _let_go_later() -> None:
    """Look once more when the worker that waits now has waited for long enough."""
    global _timer
    with _lock:
        if _timer is not None and _timer.is_alive():
            return
        _timer = threading.Timer(KEPT_S, _look_again)
        _timer.daemon = True
        _timer.start()


def _look_again() -> None:
    global _timer
    _let_go(KEPT_S)
    with _lock:
        _timer = None
        waiting = bool(_idle)
    if waiting:
        _let_go_later()


def _readable(stream: IO[bytes], timeout_s: float) -> bool:
    if not hasattr(select, "poll"):  # On Windows pipes cannot be waited for; reading waits.
        return True
    poll = select.poll()  # select.select takes no more than 1,024 open files.
    poll.register(stream, select.POLLIN)
    return bool(poll.poll(timeout_s * 1000))


def _ending(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"code {code}"


def _memory_bytes() -> int:
    """Return what one worker may use: a given amount, or half of what this machine or container has."""
    machine = [MEMORY_BYTES * 2]
    with contextlib.suppress(ValueError, OSError, AttributeError):
        machine.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with contextlib.suppress(ValueError, OSError):
        machine.append(int(Path("/sys/fs/cgroup/memory.max").read_text("ascii")))
    return max(min(machine) // 2, LEAST_MEMORY_BYTES)


def _environment() -> dict[str, str]:
    """Return an environment without secrets, in which numpy keeps to one core."""
    passed = {name: value for name, value in os.environ.items() if name in _PASSED_ON}
    return passed | {"OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"}


atexit.register(dismiss)
