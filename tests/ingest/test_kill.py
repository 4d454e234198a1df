"""Kill a real ingest with SIGKILL at every step in turn, over the real index and the real store, and start it again.

Run as a program this file is the nursery of the lives that are killed: each goes on with what it finds in a folder,
says what it does line by line, and at the step `hold` stands still until it is killed.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from collections.abc import MutableMapping
from pathlib import Path

import pytest

from core.index.edge import EdgeIndex
from core.ingest.jobs import JobQueue
from core.ingest.lanes import OneLane
from core.ingest.pipeline import Pipeline, Step, Work
from core.models import Progress, Stage
from core.state.sqlite import SqliteLedger
from core.stores.base import KEY
from core.stores.folder import FolderStore
from tests.fakes import FAKE_INFO, FakeEncoder
from tests.nursery import Nursery, serve
from tests.videos import make_video, plain

FILES = 10
MOMENTS = ("before", "amid", "after")
HOLDS = [f"{moment} {step.name}" for step in Step for moment in MOMENTS if (step, moment) != (Step.TIDY, "amid")]
"""Before a step, at its first progress call, and when its result is there but not yet written down. Tidying up tells
no progress: there is nothing left to cancel."""


class Life:
    """One process's worth of ingest."""

    def __init__(self, folder: Path, hold: str | None) -> None:
        self.hold = hold
        self.folder = folder
        self._frozen = threading.Event()
        encoder = FakeEncoder(before_video=lambda video: self.write_down("asked", video.filename))
        self.index = EdgeIndex(folder / "index", FAKE_INFO)
        self.store = FolderStore(folder / "media")
        pipeline = HoldingPipeline(
            OneLane(encoder, self.index), self.store, work_dir=folder / "work", max_bytes=10_000_000, sources={}
        )
        pipeline.life = self
        self.queue = JobQueue(SqliteLedger(folder / "jobs.sqlite3"), pipeline, spool_dir=folder / "spool")

    def run(self) -> None:
        """Take in the uploads on the first day; then work until all is over or the hold is reached."""
        if not self.queue.jobs():
            for path in sorted((self.folder / "inbox").iterdir()):
                with path.open("rb") as file:
                    self.queue.receive(file, path.name)
        self.queue.start()
        jobs = self.queue.wait([job.id for job in self.queue.jobs()])
        print(json.dumps([[job.filename, job.stage, job.video_id, job.elapsed_s] for job in jobs]), flush=True)
        self.queue.stop(10)
        self.index.close()

    def reach(self, moment: str, work: Work) -> None:
        """Stand still, and all other workers with it, if this is where this life is to end."""
        if f"{moment} {work.step.name}" == self.hold and not self._frozen.is_set():
            self._frozen.set()
            print("HELD", flush=True)
        while self._frozen.is_set():
            time.sleep(60)

    def write_down(self, what: str, filename: str) -> None:
        """Append to the diary that all lives share; the line is in the kernel's hands when this returns."""
        with open(self.folder / "diary", "ab", buffering=0) as diary:
            diary.write(f"{what} {filename}\n".encode())


class HoldingPipeline(Pipeline):
    life: Life

    def run(self, work: Work, notes: MutableMapping[str, str], on_progress: Progress) -> Work:
        def report(fraction: float) -> None:
            self.life.reach("amid", work)
            on_progress(fraction)

        self.life.reach("before", work)
        done = super().run(work, notes, report)
        if work.step is Step.EMBED:
            self.life.write_down("embedded", work.filename)
        self.life.reach("after", work)
        return done


def live(nursery: Nursery, folder: Path, hold: str | None) -> list[list[object]] | None:
    """Run one life; kill it where it holds. Returns what it said at its end, None when it was killed."""
    with nursery.life(str(folder), hold) as life:
        last = next(life)
    return None if last == "HELD" else json.loads(last)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    for number in range(FILES):
        colour = plain(20 * number, 200 - 20 * number, 90)
        suffix = ".mkv" if number % 3 == 2 else ".mp4"
        make_video(tmp_path / "inbox" / f"film {number}{suffix}", seconds=1.2, size=(64, 36), fps=5, pattern=colour)
    return tmp_path


def check_library(folder: Path, jobs: list[list[object]]) -> None:
    """Assert that all files are in the library, each once, that nothing is left over and nothing was paid twice."""
    assert [stage for _, stage, *_ in jobs] == [Stage.READY] * FILES
    assert len({video_id for _, _, video_id, _ in jobs}) == FILES
    index = EdgeIndex(folder / "index", FAKE_INFO)
    try:
        entries = list(index.scroll())
    finally:
        index.close()
    assert Counter(entry.scope for entry in entries) == {"video": FILES, "clip": FILES}
    assert {entry.video_id for entry in entries} == {video_id for _, _, video_id, _ in jobs}
    assert len({entry.filename for entry in entries}) == FILES
    keys = [name for name in os.listdir(folder / "media") if KEY.fullmatch(name)]
    assert sorted(keys) == sorted({key for entry in entries for key in (entry.media_key, entry.poster_key)})
    assert len(keys) == 2 * FILES
    assert [path for name in ("work", "spool") for path in (folder / name).rglob("*")] == []
    diary = (folder / "diary").read_text().splitlines()
    for name in {entry.filename for entry in entries}:
        assert f"asked {name}" in diary
        embedded = diary.index(f"embedded {name}")
        assert f"asked {name}" not in diary[embedded:]


def test_ten_files_outlive_a_kill_at_every_step(folder: Path) -> None:
    with Nursery("tests.ingest.test_kill") as nursery:
        for hold in HOLDS:
            assert live(nursery, folder, hold) is None, f"it was over before it came to {hold}"
        jobs = live(nursery, folder, None)
        check_library(folder, jobs)
        assert live(nursery, folder, None) == jobs, "one more start changed something"
        check_library(folder, jobs)


if __name__ == "__main__":
    serve(lambda folder, hold: Life(Path(folder), hold).run())
