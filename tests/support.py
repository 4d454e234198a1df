"""A whole library in a folder for the tests of the queue: fakes behind a real pipeline, and as many lives as wanted."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path

from core.ingest.jobs import JobQueue
from core.ingest.lanes import OneLane
from core.ingest.pipeline import Pipeline, Source, Step, Work
from core.models import Job, Progress
from core.state.sqlite import SqliteLedger
from tests.fakes import FakeEncoder, MemoryIndex, MemoryStore
from tests.videos import make_video, plain

PATIENCE_S = 120.0
"""How long a test waits for what must happen; reached only when it does not."""


def copy_library(source: Path, target: Path) -> Path:
    """Copy a DATA_DIR that nobody uses, and return where: what is a hole in it stays one. Edge's files are mostly
    holes, a library of two videos has 200 MB of them, and `shutil` writes them all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
    return target


class GatedPipeline(Pipeline):
    """A real pipeline that writes down what it is asked to do and can be held up before a step.

    `hold(step)` makes jobs stop there, reporting progress, until `release()`; `held` is set when one has got there.
    """

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self.ran: list[tuple[Step, str]] = []
        self.held = threading.Event()
        self.before: Callable[[Work], None] = lambda work: None
        self._closed: tuple[Step, str | None] | None = None

    def hold(self, step: Step, filename: str | None = None) -> None:
        """Hold up the jobs of this name (None: of any) that come to this step."""
        self.held.clear()
        self._closed = (step, filename)

    def release(self) -> None:
        self._closed = None

    def run(self, work: Work, notes: MutableMapping[str, str], on_progress: Progress) -> Work:
        self.before(work)
        while self._closed in ((work.step, None), (work.step, work.filename)):
            self.held.set()
            on_progress(0.1)
            time.sleep(0.002)
        self.ran.append((work.step, work.filename))
        return super().run(work, notes, on_progress)

    def steps_of(self, filename: str) -> list[Step]:
        return [step for step, name in self.ran if name == filename]


class Library:
    """The parts of a library, and queues over them. `close` stops what a test left running."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.encoder = FakeEncoder()
        self.store = MemoryStore()
        self.index = MemoryIndex()
        self.pipeline = self.make_pipeline()
        self._queues: list[JobQueue] = []

    def make_pipeline(
        self, *, max_bytes: int = 10_000_000, sources: Mapping[str, Source] | None = None
    ) -> GatedPipeline:
        self.pipeline = GatedPipeline(
            OneLane(self.encoder, self.index),
            self.store,
            work_dir=self.root / "work",
            max_bytes=max_bytes,
            sources=sources or {},
        )
        return self.pipeline

    def open(self, *, start: bool = True, **options: object) -> JobQueue:
        """Open the queue as a new process would; the pauses between tries are none unless said."""
        queue = JobQueue(
            SqliteLedger(self.root / "jobs.sqlite3"),
            self.pipeline,
            spool_dir=self.root / "spool",
            **{"backoff_s": (0.0,)} | options,
        )
        self._queues.append(queue)
        if start:
            queue.start()
        return queue

    def reopen(self, queue: JobQueue, **options: object) -> JobQueue:
        """Stop a queue and open the next one on the same files."""
        assert queue.stop(PATIENCE_S)
        return self.open(**options)

    def video(self, filename: str, number: int = 0, *, suffix: str = ".mp4") -> Path:
        """Make a tiny video outside the library's own folders; another number is other content."""
        folder = self.root / "inbox"
        folder.mkdir(exist_ok=True)
        colour = plain(20 + 30 * (number % 7), 20 + 30 * (number // 7 % 7), 90)
        made = make_video(folder / f"making{suffix}", seconds=1.2, size=(64, 36), fps=5, pattern=colour)
        return made.rename(folder / filename)

    def leftovers(self) -> list[str]:
        """Return what lies in the folders that must be empty once everything is ready."""
        return sorted(
            str(path.relative_to(self.root)) for name in ("work", "spool") for path in (self.root / name).rglob("*")
        )

    def close(self) -> None:
        self.pipeline.release()
        for queue in self._queues:
            assert queue.stop(PATIENCE_S)


def fail_with(*errors: Exception) -> dict[str, list[Exception]]:
    """Return what makes the fake encoder fail so often for a.mp4, with these errors."""
    return {"a.mp4": list(errors)}


def finish(queue: JobQueue, *jobs: Job) -> list[Job]:
    """Wait until these jobs, or all, are over and return them."""
    over = queue.wait([job.id for job in jobs or queue.jobs()], timeout_s=PATIENCE_S)
    assert all(job.stage.is_over for job in over), over
    return over


def until(true: Callable[[], bool]) -> None:
    """Wait until something has come true that nobody signals."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.002)
