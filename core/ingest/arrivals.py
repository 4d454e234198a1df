"""Uploads as they arrive: bytes go to disk as they come, and a handle stands for them until the queue takes the file.

Each arrives in a folder of its own, beside those where the queue keeps uploads, in a file that is locked as long as
this process lives: what a crash left goes at the next start, and what another process takes in here stays. What is cut
off, too large, too slow or finds no room is removed at once; what arrived and was never taken goes when the session
that sent it is over.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.errors import Sentence, StoreError
from core.files import see_on_disk
from core.ingest import reasons

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

SILENT_S = 60.0
"""How long a sender may send nothing."""
GRACE_S = 60.0
LEAST_BYTES_A_S = 4096
"""The least that a sender must manage over the whole, after the grace; a modem manages more."""
RESERVED_BYTES = 256 * 1024**2
"""What an upload leaves free on the disk, for the library itself to go on."""
CHUNK_BYTES = 1024 * 1024
PRUNE_EVERY_S = 60.0
"""How often to look whether who sent what nobody took is still there."""
_MARK = b"moodreel-arrived:"
LONGEST_MARK = len(_MARK) + 32
"""Bytes of what stands for an upload."""


class Refused(StoreError):
    """Say why an upload is not taken in; `status` is that of HTTP."""

    def __init__(self, sentence: Sentence, status: int) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class UnderWay:
    """An upload that is arriving now."""

    filename: str
    come_bytes: int
    total_bytes: int | None
    """As the sender says; None where it does not."""


class Arrived(io.FileIO):
    """An upload that has arrived, to be read, or to be moved to where it is wanted."""

    def __init__(self, arrival: Arrival) -> None:
        super().__init__(arrival.path, "rb")
        self._arrival = arrival

    def move_to(self, target: Path) -> None:
        """Put it at a path, at no cost on the same disk; there is nothing more to read then. Raises OSError."""
        super().close()
        self._arrival.close()  # an open file cannot be moved everywhere
        shutil.move(self._arrival.path, target)

    def close(self) -> None:
        """Close it; what was not moved away goes."""
        super().close()
        self._arrival.abandon()


class Arrival:
    """An upload on its way to disk. Used by one task at a time."""

    def __init__(self, arrivals: Arrivals, session: str, file_id: str, total_bytes: int | None) -> None:
        self._arrivals = arrivals
        self.session, self.file_id = session, file_id
        self.filename = ""
        self.come_bytes = 0
        self.total_bytes = total_bytes
        self._began_s = arrivals.clock()
        self.folder = arrivals.folder / uuid.uuid4().hex
        self.path = self.folder / "upload"
        self._file: BinaryIO | None = None

    @property
    def mark(self) -> bytes:
        """What stands for the upload from now on."""
        return _MARK + self.folder.name.encode("ascii")

    def write(self, data: bytes) -> None:
        """Put bytes on disk. Raises Refused."""
        self._arrivals.check(self, len(data))
        self.come_bytes += len(data)
        try:
            if self._file is None:
                self.folder.mkdir(parents=True)
                self._file = self.path.open("xb")
                _lock(self._file)
            self._file.write(data)
        except OSError as error:
            raise Refused(reasons.of_os(error), 507) from error

    def check_pace(self) -> None:
        """Raise Refused when the sender is slower than anyone who means it."""
        came_s = self._arrivals.clock() - self._began_s - GRACE_S
        if came_s > 0 and self.come_bytes < LEAST_BYTES_A_S * came_s:
            raise Refused(Sentence("The upload is too slow to come to an end. Try again on a better connection."), 408)

    def finish(self) -> None:
        """See all of it on disk, and keep it until it is taken. Raises Refused."""
        self.write(b"")
        assert self._file is not None
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise Refused(reasons.of_os(error), 507) from error
        self._arrivals.keep(self)

    def close(self) -> None:
        """Let go of the file, so that it may be moved."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # what it still holds finds no room either
                self._file.close()

    def abandon(self) -> None:
        """Leave nothing of it."""
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._arrivals.forget(self)


class Arrivals:
    """All uploads that are arriving, or have arrived and wait to be taken. Safe to use from several threads."""

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int,
        clock: Callable[[], float] = time.monotonic,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self.folder = folder.absolute()
        self.max_bytes = max_bytes
        self.clock = clock
        self.is_open: Callable[[str], bool] = lambda session: True
        """Says whether a session still is; who knows sessions sets it."""
        self._free_bytes = free_bytes
        self._lock = threading.Lock()
        self._coming: list[Arrival] = []
        self._here: dict[bytes, Arrival] = {}
        self._refused: dict[str, list[tuple[str, Sentence]]] = {}
        self._timer: threading.Timer | None = None
        self._sweep()

    def begin(self, session: str, file_id: str, total_bytes: int | None) -> Arrival:
        """Expect an upload. Raises OSError."""
        self.prune()
        self.folder.mkdir(parents=True, exist_ok=True)
        arrival = Arrival(self, session, file_id, total_bytes)
        with self._lock:
            self._coming.append(arrival)
        return arrival

    def check(self, arrival: Arrival, more_bytes: int) -> None:
        """Raise Refused when an upload gets larger than allowed, or the disk cannot hold what is still to come."""
        come = arrival.come_bytes + more_bytes
        if come > self.max_bytes:
            raise Refused(
                Sentence(
                    "It is larger than the {most:,.0f} MB that are allowed. "
                    "Shorten or compress it, or raise MAX_UPLOAD_MB.",
                    most=self.max_bytes / 1024**2,
                ),
                413,
            )
        with self._lock:
            others = sum(max((one.total_bytes or 0) - one.come_bytes, 0) for one in self._coming if one is not arrival)
        rest = max(come, arrival.total_bytes or 0) - arrival.come_bytes
        missing = rest + others + RESERVED_BYTES - self._free_bytes(self.folder)
        if missing > 0:
            raise Refused(
                Sentence(
                    "The disk has no room for it: {missing:,.0f} MB more are needed. "
                    "Free some space, then add it again.",
                    missing=missing / 1024**2,
                ),
                507,
            )

    def under_way(self, session: str) -> list[UnderWay]:
        """Return what a session is sending now."""
        with self._lock:
            return [
                UnderWay(one.filename, one.come_bytes, one.total_bytes)
                for one in self._coming
                if one.session == session and one.filename
            ]

    def refuse(self, arrival: Arrival, error: Refused) -> None:
        """Keep why an upload was not taken in, to be said to who sent it."""
        with self._lock:
            self._refused.setdefault(arrival.session, []).append((arrival.filename, error.sentence))

    def refused(self, session: str) -> list[tuple[str, Sentence]]:
        """Return names and reasons of uploads that were not taken in since this was asked last."""
        with self._lock:
            return self._refused.pop(session, [])

    def take(self, mark: bytes) -> Arrived | None:
        """Return the upload that a mark stands for, once; None for bytes that are no mark.

        Raises StoreError for the mark of one that is gone.
        """
        if not mark.startswith(_MARK):
            return None
        with self._lock:
            arrival = self._here.pop(mark, None)
        if arrival is None or not arrival.path.is_file():
            raise StoreError("The upload is gone. Add the file again.")
        return Arrived(arrival)

    def drop(self, session: str, file_id: str) -> None:
        """Remove an upload that the person who sent it has taken back."""
        self._remove(lambda arrival: (arrival.session, arrival.file_id) == (session, file_id))

    def prune(self) -> None:
        """Remove what was sent by sessions that are over."""
        self._remove(lambda arrival: not self.is_open(arrival.session))

    def close(self) -> None:
        """Remove everything that nobody took."""
        self._remove(lambda arrival: True)
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()

    def keep(self, arrival: Arrival) -> None:
        """Note that an upload has arrived."""
        self.forget(arrival)
        with self._lock:
            self._here[arrival.mark] = arrival
            self._look_later()

    def forget(self, arrival: Arrival) -> None:
        """Note that an upload comes no more."""
        with self._lock:
            self._coming = [one for one in self._coming if one is not arrival]
            self._here.pop(arrival.mark, None)

    def _look_later(self) -> None:
        """Look after a while whether what is here is still wanted; the caller holds the lock."""
        if self._timer is None and self._here:
            self._timer = threading.Timer(PRUNE_EVERY_S, self._look)
            self._timer.daemon = True
            self._timer.start()

    def _look(self) -> None:
        self.prune()
        with self._lock:
            self._timer = None
            self._look_later()

    def _sweep(self) -> None:
        """Remove what processes left that ended in the middle."""
        for folder in self.folder.iterdir() if self.folder.is_dir() else ():
            if not _is_held(folder / "upload"):
                shutil.rmtree(folder, ignore_errors=True)

    def _remove(self, is_over: Callable[[Arrival], bool]) -> None:
        with self._lock:
            waiting = list(self._here.values())
            self._refused = {session: some for session, some in self._refused.items() if self.is_open(session)}
        for arrival in waiting:
            if is_over(arrival):
                arrival.abandon()


def spool(stream: BinaryIO, path: Path) -> None:
    """Copy a stream to a new file and see it on disk; what arrived there is moved. Raises OSError."""
    if isinstance(stream, Arrived):
        stream.move_to(path)
    else:
        with path.open("xb") as file:
            shutil.copyfileobj(stream, file, CHUNK_BYTES)
            file.flush()
            os.fsync(file.fileno())
    see_on_disk(path.parent)


def _lock(file: BinaryIO) -> None:
    """Hold a file for as long as it is open and this process lives."""
    if fcntl is not None:
        with contextlib.suppress(OSError):  # a disk without locks; _is_held finds it so too
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_held(path: Path) -> bool:
    """Tell whether a process that lives holds a file, or may."""
    if fcntl is None:
        return False
    try:
        with path.open("rb") as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
