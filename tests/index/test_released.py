"""A library of release 0.1.0 goes on working: its videos are known by their content and keep the ids they have."""

from __future__ import annotations

from pathlib import Path

import qdrant_edge

from core.index.base import video_id
from core.index.edge import EdgeIndex
from core.index.payload import FIELDS
from core.ingest.jobs import JobQueue
from core.ingest.lanes import OneLane
from core.ingest.pipeline import Pipeline
from core.models import Counts, Stage
from core.state.sqlite import SqliteLedger
from core.stores.folder import FolderStore
from tests.fakes import FakeEncoder
from tests.index.released import FILLED_BY, SEA, TRAIN, WOLF, unpack
from tests.support import PATIENCE_S


def test_it_opens_and_its_videos_are_found_by_their_content(tmp_path: Path) -> None:
    data_dir = unpack(tmp_path)
    before = qdrant_edge.EdgeShard.load(str(data_dir / "index" / "shard"))
    assert "content_sha256" not in before.info().payload_schema
    before.close()

    index = EdgeIndex(data_dir / "index", FILLED_BY)
    assert index.count() == Counts(videos=2, clips=2)
    for entry in index.scroll(scope="video"):
        assert [found.video_id for found in index.scroll(content_sha256=entry.content_sha256, scope="video")] == [
            entry.video_id
        ]
        assert entry.video_id in (WOLF, SEA)
        assert entry.video_id != video_id(entry.content_sha256)
    index.close()
    after = qdrant_edge.EdgeShard.load(str(data_dir / "index" / "shard"))
    had = dict.fromkeys(("scope", "video_id", "content_sha256", "ingested_at", "duration_s"), 4)
    indexed = {name: field.points for name, field in after.info().payload_schema.items()}
    assert indexed == dict.fromkeys(FIELDS, 0) | had, "labels and properties come when it is labelled"
    after.close()


def test_what_is_added_again_is_known_and_what_was_cut_off_goes_on_under_its_id(tmp_path: Path) -> None:
    data_dir = unpack(tmp_path)
    index, store = EdgeIndex(data_dir / "index", FILLED_BY), FolderStore(data_dir / "media")
    pipeline = Pipeline(
        OneLane(FakeEncoder(FILLED_BY), index), store, work_dir=data_dir / "work", max_bytes=10_000_000, sources={}
    )
    queue = JobQueue(SqliteLedger(data_dir / "jobs.sqlite3"), pipeline, spool_dir=data_dir / "spool")
    # What a browser plays is kept as it is: the stored copy is the file itself, under another name.
    again = queue.submit(store.local_path(f"{WOLF}.mp4"), "Wolf again.mp4")
    queue.start()
    jobs = {job.filename: job for job in queue.wait([job.id for job in queue.jobs()], PATIENCE_S)}
    assert {job.stage for job in jobs.values()} == {Stage.READY}
    assert (jobs["Wolf again.mp4"].video_id, jobs["Wolf again.mp4"].duplicate) == (WOLF, True)
    assert jobs["Wolf again.mp4"].id == again.id
    assert (jobs["Night train.mp4"].video_id, jobs["Night train.mp4"].duplicate) == (TRAIN, False)
    assert index.count() == Counts(videos=3, clips=3)
    queue.stop(PATIENCE_S)
    index.close()
