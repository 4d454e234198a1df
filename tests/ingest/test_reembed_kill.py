"""Kill a re-embed of twenty videos with SIGKILL at ten random moments: the old space answers all along, and in the end
all twenty are in the new one, none twice.

Run as a program this file is the nursery of the lives: each goes on with what it finds in a folder, searches all the
time, and writes down what answered.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from core.discover import taxonomy
from core.discover.search import Discover
from core.encoders.base import Encoder
from core.index.base import Index, Space
from core.index.edge_spaces import EdgeSpaces
from core.ingest.jobs import JobQueue
from core.ingest.pipeline import Pipeline
from core.ingest.reembed import Reembed
from core.library.spaces import Serving
from core.models import EncoderInfo, Query, Stage
from core.state.sqlite import SqliteLedger
from core.stores.folder import FolderStore
from tests.fakes import FAKE_INFO, FakeEncoder
from tests.nursery import Nursery, serve
from tests.videos import make_video, plain

FILES, KILLS = 20, 10
OLD = replace(FAKE_INFO, name="old-v1")
NEW = replace(FAKE_INFO, name="new-v2", dimension=48, parallel=4)
PATIENCE_S = 120.0


class Life:
    """One process's worth of a library with this encoder set."""

    def __init__(self, folder: Path, configured: EncoderInfo) -> None:
        self.folder = folder
        encoders = {
            OLD.name: FakeEncoder(OLD),
            NEW.name: FakeEncoder(
                NEW, delay_s=0.08, before_video=lambda video: self.write_down(f"asked {video.filename}")
            ),
        }
        store = FolderStore(folder / "media")

        def discover_over(encoder: Encoder, index: Index) -> Discover:
            return Discover(encoder=encoder, index=index, store=store, taxonomy=taxonomy.load())

        self.serving = Serving(
            EdgeSpaces(folder),
            encoders[configured.name],
            encoder_of=lambda space: encoders[space.encoder],
            discover_over=discover_over,
        )
        pipeline = Pipeline(self.serving, store, work_dir=folder / "work", max_bytes=10_000_000, sources={})
        self.jobs = JobQueue(SqliteLedger(folder / "jobs.sqlite3"), pipeline, spool_dir=folder / "spool", workers=4)
        self.reembed = Reembed(self.serving, self.jobs, folder / "reembed.json", lambda name: encoders[name])
        self.jobs.start()
        self.reembed.tend()

    def run(self) -> None:
        """Re-embed until it is done, searching all the while."""
        if self.serving.is_behind:
            self.reembed.start()
        print("open", flush=True)
        deadline = time.monotonic() + PATIENCE_S
        while self.serving.is_behind and time.monotonic() < deadline:
            self.search()
            time.sleep(0.02)
        self.search()
        while self.reembed.status() is not None:
            time.sleep(0.02)
        self.close()
        print("over", flush=True)

    def search(self) -> None:
        served = self.serving.now
        hits = served.discover.search(Query(text="film")).hits
        self.write_down(f"answered {served.lane.name} {len(hits)}")

    def write_down(self, line: str) -> None:
        """Append to the diary that all lives share; the line is in the kernel's hands when this returns."""
        with open(self.folder / "diary", "ab", buffering=0) as diary:
            diary.write(f"{line}\n".encode())

    def close(self) -> None:
        self.reembed.stop(10)
        self.jobs.stop(10)
        self.serving.close()


def live(nursery: Nursery, folder: Path, kill_after_s: float | None) -> bool:
    """Run one life and kill it so long after it has opened; return whether it came to its end by itself."""
    with nursery.life(str(folder)) as life:
        assert next(life) == "open"
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            life.kill()
        return "over" in list(life)


def test_twenty_videos_outlive_ten_kills(tmp_path: Path) -> None:
    filler = Life(tmp_path, OLD)
    (tmp_path / "inbox").mkdir()
    for n in range(FILES):
        colour = plain(11 * n, 99, 250 - 11 * n)
        path = make_video(tmp_path / "inbox" / f"film {n}.mp4", seconds=1.2, size=(64, 36), fps=5, pattern=colour)
        filler.jobs.submit(path)
    jobs = filler.jobs.wait([job.id for job in filler.jobs.jobs()], PATIENCE_S)
    assert {job.stage for job in jobs} == {Stage.READY}
    videos = {job.video_id: job.filename for job in jobs}
    filler.jobs.clear()
    filler.close()
    media = sorted(path.name for path in (tmp_path / "media").iterdir())

    moments, kills = random.Random(11), 0
    with Nursery("tests.ingest.test_reembed_kill") as nursery:
        for _ in range(KILLS):
            kills += not live(nursery, tmp_path, moments.uniform(0.0, 0.5))
        assert kills >= KILLS // 2, "most lives came to their end by themselves: kill earlier"
        assert live(nursery, tmp_path, None)

    spaces = EdgeSpaces(tmp_path)
    assert spaces.all() == [Space(NEW.name, 48, True), Space(OLD.name, 64, True)]
    for info in (OLD, NEW):
        index = spaces.open(info)
        entries = list(index.scroll())
        index.close()
        assert Counter(entry.scope for entry in entries) == {"video": FILES, "clip": FILES}
        assert {entry.video_id: entry.filename for entry in entries} == videos
    assert sorted(path.name for path in (tmp_path / "media").iterdir()) == media
    assert [path for name in ("work", "spool") for path in (tmp_path / name).rglob("*")] == []
    assert not (tmp_path / "reembed.json").exists()
    diary = (tmp_path / "diary").read_text().splitlines()
    answers = [line.split() for line in diary if line.startswith("answered")]
    assert [name for _, name, _ in answers] == sorted((name for _, name, _ in answers), reverse=True), "old, then new"
    assert {name for _, name, _ in answers} == {OLD.name, NEW.name}
    assert all(int(hits) > 0 for _, _, hits in answers)
    asked = Counter(line for line in diary if line.startswith("asked"))
    assert len(asked) == FILES
    assert sum(asked.values()) <= FILES + kills * NEW.parallel, "what was finished was done again"


if __name__ == "__main__":
    serve(lambda folder: Life(Path(folder), NEW).run())
