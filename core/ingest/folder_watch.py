"""Watch a folder: what appears in it, and has stopped growing, goes into the library by itself, once.

By looking, not by being told: network drives tell nothing. It rests ten times as long as it worked, every few hundred
files, so that 100,000 files on a slow drive cost a tenth of a processor and of the drive at most; in memory are
one folder's files at a time, and those that may still grow or wait for their turn, so many at most. What was done about
a file is in the state (state/watched.py) beside its size and time of change: after a restart nothing is read again but
names and sizes, and a file that was refused is tried again when it has changed. Files go through the ordinary queue,
some at a time. Links are not followed: they could lead out of the folder, or in circles.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from core.errors import AppError, Sentence
from core.ingest.working import Queue
from core.models import Stage
from core.rounds import Rounds
from core.state.watched import WatchBook, Watched

SUFFIXES = frozenset(
    ".3gp .asf .avi .f4v .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .mxf .ogg .ogv .ts .vob .webm .wmv".split()
)
"""Endings of names of video files."""
LOOK_EVERY_S = 10.0
FEED_EVERY_S = 1.0
"""How often to send on, between two looks, what waits for its turn."""
REST = 10.0
"""How many times as long as it worked it rests."""
SETTLED_S = 10.0
"""How long a file must have stayed as it is to be taken for whole: a copy over a network pauses now and then."""
AT_ONCE = 32
"""Files of the folder that are in the queue at a time: a person's own wait behind no more."""
HELD = 2_000
"""Files that are watched for whether they still grow, or wait to be sent on; others are found by a later look."""
BREATHE_AFTER = 500
"""Files that are looked at before others have the processor and the drive."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What the folder is like, as of the last look."""

    folder: Path
    waiting: int = 0
    """Files that are on their way or wait for their turn."""
    failed: int = 0
    """Refused, and not tried again until they change."""
    gone: int = 0
    """Not in the folder any more; their videos stay."""
    looked: bool = False
    """The folder has been looked through since the start."""
    problem: Sentence | None = None
    """Why it cannot be looked at."""


Stamp = tuple[int, int]
"""Size in bytes and time of change in nanoseconds."""


@dataclass(slots=True)
class _Seen:
    """What one look has found."""

    folders: set[str] = field(default_factory=set)
    unreadable: list[str] = field(default_factory=list)
    waiting: int = 0


class FolderWatch:
    """Put what appears in a folder into the queue. `most` is how many files may wait there in all.

    `alone` says whether no other machine looks at the same moment, where several share a library.
    """

    def __init__(
        self,
        folder: Path,
        jobs: Queue,
        book: WatchBook,
        *,
        most: int,
        look_every_s: float = LOOK_EVERY_S,
        settled_s: float = SETTLED_S,
        alone: Callable[[str], AbstractContextManager[bool]] = lambda about: nullcontext(True),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._alone = alone
        self.folder = folder
        self._root = os.path.realpath(folder)
        self._jobs = jobs
        self._book = book
        self._most = most
        self._look_every_s = look_every_s
        self._settled_s = settled_s
        self._clock = clock
        self._unsettled: dict[str, tuple[Stamp, float]] = {}
        """By path, what a file was like, and since when."""
        self._ready: dict[str, Watched] = {}
        """By path, files that have stopped growing and wait for their turn."""
        self._looked = Looked(folder)
        self._look_at = clock()
        """When to look next."""
        self._rounds = Rounds("watched folder", self._round, FEED_EVERY_S, yields=True)

    def status(self) -> Looked:
        """Return what the last look has found."""
        return self._looked

    def start(self) -> None:
        """Look from time to time, in the background."""
        self._rounds.start()

    def stop(self, timeout_s: float) -> None:
        self._rounds.stop(timeout_s)

    def look(self) -> Looked:
        """Look the folder through once, and send on what is ready. Raises what the queue and the book raise."""
        with self._alone(f"watching {self._root}") as is_alone:
            return self._look() if is_alone else self._looked

    def _look(self) -> Looked:
        try:
            os.scandir(self._root).close()
        except OSError as error:
            # An empty look would say that everything is gone.
            said = Sentence(
                "{folder} cannot be looked at: {why}. Mount it, or set WATCH_DIR to another folder.",
                folder=self.folder,
                why=error.strerror,
            )
            self._looked = replace(self._looked, problem=said)
            return self._looked
        self._end_sent()
        seen = _Seen()
        unsettled: dict[str, tuple[Stamp, float]] = {}
        for folder, files in self._walk(seen):
            began = time.monotonic()
            self._compare(folder, files, seen, unsettled)
            if len(files) >= BREATHE_AFTER:
                self._rest(time.monotonic() - began)
            self._feed()
            if self._rounds.is_stopped:
                return self._looked
        self._unsettled = unsettled
        self._note_lost_folders(seen)
        counts = self._book.counts()
        unreadable = None
        if seen.unreadable:
            unreadable = Sentence("{folder} cannot be read. Let this user read it.", folder=seen.unreadable[0])
        self._looked = Looked(
            self.folder, seen.waiting, counts.get("failed", 0), counts.get("gone", 0), looked=True, problem=unreadable
        )
        return self._looked

    def feed(self) -> None:
        """Between two looks: note what became of files, and send on what waits for its turn."""
        if over := self._end_sent():
            counts = self._book.counts()
            left = max(self._looked.waiting - over, 0)
            self._looked = replace(self._looked, waiting=left, failed=counts.get("failed", 0))
        self._feed()

    def _round(self) -> None:
        """Look when it is time to, and feed between; say on the page what goes wrong."""
        looks = self._clock() >= self._look_at
        try:
            if looks:
                self.look()
            else:
                self.feed()
        except AppError as error:
            self._looked = replace(self._looked, problem=error.sentence)
            raise
        except Exception as error:
            said = Sentence("{folder} cannot be looked at: {why}", folder=self.folder, why=str(error))
            self._looked = replace(self._looked, problem=said)
            raise
        finally:
            if looks:
                self._look_at = self._clock() + self._look_every_s

    def _rest(self, worked_s: float) -> None:
        """Leave the processor and the drive to others."""
        self._rounds.rest(worked_s * REST)

    def _walk(self, seen: _Seen) -> Iterator[tuple[str, Mapping[str, Stamp]]]:
        """Yield each folder with its video files, with pauses between."""
        left, since, began = [self._root], 0, time.monotonic()
        while left:
            folder, files = left.pop(), {}
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        since += 1
                        if since >= BREATHE_AFTER:
                            self._rest(time.monotonic() - began)
                            if self._rounds.is_stopped:
                                return
                            since, began = 0, time.monotonic()
                        if entry.name.startswith(".") or entry.is_symlink():
                            continue
                        if entry.is_dir(follow_symlinks=False):
                            left.append(entry.path)
                        elif PurePath(entry.name).suffix.lower() in SUFFIXES and entry.is_file(follow_symlinks=False):
                            said = entry.stat(follow_symlinks=False)
                            files[entry.name] = (said.st_size, said.st_mtime_ns)
            except FileNotFoundError:
                continue  # it went at this moment
            except OSError:
                seen.unreadable.append(folder)
                continue
            seen.folders.add(folder)
            yield folder, files

    def _compare(
        self, folder: str, files: Mapping[str, Stamp], seen: _Seen, unsettled: dict[str, tuple[Stamp, float]]
    ) -> None:
        """Find what is new in a folder and has stopped growing, and note what has gone."""
        known = self._book.of(folder)
        changed: list[Watched] = []
        for name, stamp in files.items():
            row = known.get(name)
            if row is not None and row.stamp == stamp:
                if row.state == "gone":
                    changed.append(replace(row, state="added"))
                seen.waiting += row.state == "sent"
                continue
            seen.waiting += 1
            path = os.path.join(folder, name)
            ready = self._ready.get(path)
            if row is not None and row.state == "sent":
                continue  # what was begun with it comes to its end first
            if ready is not None and ready.stamp == stamp:
                continue
            self._ready.pop(path, None)
            if self._is_settled(path, stamp, unsettled):
                unsettled.pop(path, None)
                self._ready[path] = Watched(folder, name, *stamp, "sent", "")
        lost = [row for name, row in known.items() if name not in files]
        changed += [replace(row, state="gone") for row in lost if row.state == "added"]
        forgotten = [row for row in lost if row.state == "failed"]
        if changed or forgotten:
            self._book.note(changed, forgotten)

    def _feed(self) -> None:
        """Send on what waits for its turn, as far as there is room in the queue."""
        room = self._room() if self._ready else 0
        while room > 0 and self._ready:
            path = next(iter(self._ready))
            row = self._ready.pop(path)
            try:
                said = os.stat(path, follow_symlinks=False)
            except OSError:
                continue
            if (said.st_size, said.st_mtime_ns) == row.stamp:  # else a later look finds it again
                self._book.note([replace(row, job=self._jobs.submit(Path(path)).id)])
                room -= 1

    def _is_settled(self, path: str, stamp: Stamp, unsettled: dict[str, tuple[Stamp, float]]) -> bool:
        """Tell whether a file has stayed as it is for long enough; if not it is watched on."""
        before, now = self._unsettled.get(path), self._clock()
        since = before[1] if before is not None and before[0] == stamp else now
        if len(unsettled) + len(self._ready) < HELD:
            unsettled[path] = stamp, since
        return now - since >= self._settled_s

    def _note_lost_folders(self, seen: _Seen) -> None:
        """Note that the files of folders which are not there any more are gone."""
        closed = tuple(f"{folder}{os.sep}" for folder in seen.unreadable)
        for folder in self._book.folders():
            if folder in seen.folders or f"{folder}{os.sep}".startswith(closed):
                continue
            if folder == self._root or folder.startswith(f"{self._root}{os.sep}"):
                self._compare(folder, {}, seen, {})

    def _end_sent(self) -> int:
        """Note what became of the files that were on their way, and of refused ones that a person tried again; return
        of how many."""
        over, forgotten = [], []
        rows = self._book.open()
        # All at once: of a job that it does not know, a shared queue asks its database afresh, and each refused file
        # whose job was cleared is such a one for good.
        jobs = {job.id: job for job in self._jobs.jobs()} if rows else {}
        for row in rows:
            job = jobs.get(row.job)
            if row.state == "failed":
                if job is not None and job.stage is Stage.READY:
                    over.append(replace(row, state="added"))
            elif job is None and (job := self._jobs.job(row.job)) is None:
                forgotten.append(row)  # cleared before it was looked at: the content tells whether it is there
            elif job.stage.is_over:
                over.append(replace(row, state="added" if job.stage is Stage.READY else "failed"))
        if over or forgotten:
            self._book.note(over, forgotten)
        return len(over)

    def _room(self) -> int:
        """Return how many files may be sent into the queue now."""
        waiting = sum(not job.stage.is_over for job in self._jobs.jobs())
        mine = self._book.counts().get("sent", 0)
        return min(AT_ONCE - mine, self._most - waiting)
