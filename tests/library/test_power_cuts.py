"""The power goes at any sync while videos are added, deleted, had back and re-embedded: none that was ready is lost."""

from __future__ import annotations

import os
import random
import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from core.discover import taxonomy
from core.discover.search import Discover
from core.encoders.base import Encoder
from core.index.base import Index
from core.index.edge_spaces import EdgeSpaces
from core.ingest.jobs import JobQueue
from core.ingest.pipeline import Pipeline
from core.ingest.reembed import Reembed
from core.library.removal import Trash
from core.library.spaces import Serving
from core.models import EncoderInfo, Stage
from core.state.corrections import Corrections
from core.state.sqlite import SqliteLedger, SqliteShelf
from core.state.taste import TasteBook
from core.state.trash import TrashBook
from core.stores.folder import FolderStore
from tests.fakes import FAKE_INFO, FakeEncoder
from tests.power import Disk, Image
from tests.support import PATIENCE_S
from tests.videos import make_video, plain

OLD, NEW = replace(FAKE_INFO, name="old-v1"), replace(FAKE_INFO, name="new-v2", dimension=48)
TRIED = int(os.environ.get("POWER_CUTS", "8"))
"""At how many of the syncs the power goes. There are some 70; POWER_CUTS=1000 tries all."""


class Life:
    """One process's worth of a library with this encoder set; `ready` is which titles were ever said to be ready."""

    def __init__(self, folder: Path, configured: EncoderInfo) -> None:
        encoders = {info.name: FakeEncoder(info) for info in (OLD, NEW)}
        store = FolderStore(folder / "media")

        def discover_over(encoder: Encoder, index: Index) -> Discover:
            return Discover(encoder=encoder, index=index, store=store, taxonomy=taxonomy.load())

        self.folder, self.store = folder, store
        self.serving = Serving(
            EdgeSpaces(folder),
            encoders[configured.name],
            encoder_of=lambda space: encoders[space.encoder],
            discover_over=discover_over,
        )
        self.pipeline = Pipeline(self.serving, store, work_dir=folder / "work", max_bytes=10**7, sources={})
        self.jobs = JobQueue(
            SqliteLedger(folder / "jobs.sqlite3"), self.pipeline, spool_dir=folder / "spool", workers=1
        )
        taste = TasteBook(SqliteShelf(folder / "taste.sqlite3", "taste"))
        corrections = Corrections(SqliteShelf(folder / "corrections.sqlite3", "corrections"))
        book = TrashBook(SqliteShelf(folder / "trash.sqlite3", "trash"))
        self.trash = self.pipeline.deleted = Trash(book, self.serving, store, self.jobs, taste, corrections)
        self.reembed = Reembed(self.serving, self.jobs, folder / "reembed.json", lambda name: encoders[name])
        self.jobs.start()
        self.reembed.tend()

    def add(self, path: Path) -> str:
        """Add a file as an upload that was dropped; return its id."""
        with path.open("rb") as stream:
            job = self.jobs.receive(stream, path.name)
        [job] = self.jobs.wait([job.id], PATIENCE_S)
        assert job.stage is Stage.READY, job.reason
        return job.video_id

    def titles(self) -> set[str]:
        """Return the titles that are here or can be had back, with a stored file that is whole."""
        here = {entry.title: entry.media_key for entry in self.serving.serving.index.scroll(scope="video")}
        here |= {video.title: video.media_key for video in self.trash.videos() + self.trash.returning()}
        return {title for title, key in here.items() if self.store.local_path(key).stat().st_size}

    def close(self) -> None:
        self.reembed.stop(PATIENCE_S)
        self.trash.stop(PATIENCE_S)
        assert self.jobs.stop(PATIENCE_S)
        self.serving.close()


@pytest.fixture(scope="module")
def power(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Image]]:
    """Return a library's folder, and what would be there after a power cut at every sync of its life."""
    base = tmp_path_factory.mktemp("power")
    folder, keep = base / "data", base / "flushes"
    folder.mkdir()
    keep.mkdir()
    films = [
        make_video(base / f"Film {n}.mp4", seconds=1.0, size=(64, 36), fps=5, pattern=plain(90 * n, 99, 200))
        for n in range(3)
    ]
    ready: set[str] = set()
    with pytest.MonkeyPatch.context() as patch:
        disk = Disk(folder, keep, patch, lambda: frozenset(ready))

        def done(*titles: str) -> None:
            ready.update(titles)
            disk.take()

        with closing(Life(folder, OLD)) as life:
            first = life.add(films[0])
            done("Film 0")
            second = life.add(films[1])
            done("Film 1")
            life.trash.delete([first])
            disk.take()
            life.trash.restore([first])
            disk.take()
            ready.discard("Film 1")  # from here on it may be gone
            life.trash.delete([second])
            life.trash.purge([second])
            disk.take()
        with closing(Life(folder, NEW)) as life:
            life.reembed.start()
            assert life.reembed.wait(PATIENCE_S)
            assert not life.serving.is_behind
            disk.take()
            life.add(films[2])
            done("Film 2")
    return folder, disk.images


def chosen(images: list[Image]) -> list[int]:
    numbers = range(len(images))
    return sorted(random.Random(7).sample(numbers, min(TRIED, len(numbers) - 1))) + [len(images) - 1]


@pytest.mark.parametrize("is_torn", [False, True], ids=["dropped", "torn"])
def test_what_was_ready_is_there_after_a_power_cut(power: tuple[Path, list[Image]], is_torn: bool) -> None:
    folder, images = power
    assert len(images) > 60
    for number in chosen(images)[is_torn::2] if TRIED < 100 else chosen(images):
        image = images[number]
        shutil.rmtree(folder)
        image.write(folder, random.Random(number) if is_torn else None)
        with closing(Life(folder, OLD)) as life:
            there = life.titles()
            unfinished = life.jobs.wait([job.id for job in life.jobs.jobs()], PATIENCE_S)
            whole = life.titles()
        assert there >= image.known, f"a power cut at sync {number} lost {image.known - there}"
        assert whole >= image.known
        assert {job.stage for job in unfinished} <= {Stage.READY}, [job.reason for job in unfinished]
