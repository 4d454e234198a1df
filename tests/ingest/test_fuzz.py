"""Spoiled videos, a few of those that bench/fuzz.py tries a thousand of: each is ready, or refused with a sentence."""

from __future__ import annotations

from pathlib import Path

from core.encoders.local import LocalEncoder
from core.ingest import sandbox
from core.models import Stage
from tests.fakes import MemoryIndex
from tests.mutations import WAYS, make_sources, mutations
from tests.support import Library


def test_no_spoiled_video_hurts(library: Library, tmp_path: Path) -> None:
    library.encoder, library.index = LocalEncoder(), MemoryIndex(LocalEncoder.info)
    library.make_pipeline()
    sources = make_sources(tmp_path / "inbox", most=2)
    spoiled = []
    for number, source in enumerate(sources):
        ways = mutations(source.read_bytes(), seed=7 + number)
        for _ in range(len(WAYS) // len(sources)):
            way, data = next(ways)
            path = source.with_name(f"{len(spoiled):02}-{way}-{source.name}")
            path.write_bytes(data)
            spoiled.append(path)
    queue = library.open()
    ids = [queue.submit(path).id for path in [*sources, *spoiled]]
    jobs = queue.wait(ids, timeout_s=sandbox.SILENT_S)
    assert all(job.stage in (Stage.READY, Stage.FAILED) for job in jobs), jobs
    assert {job.stage for job in jobs[: len(sources)]} == {Stage.READY}
    assert {job.stage for job in jobs[len(sources) :]} == {Stage.READY, Stage.FAILED}
    for job in jobs:
        assert (job.stage is Stage.FAILED) == (job.reason is not None and not job.duplicate)
        assert "unexpected" not in (job.reason or ""), job
    queue.clear()
    assert library.leftovers() == []
    assert not sandbox._busy
