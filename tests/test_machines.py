"""Workers of one library as processes of their own, over the services' local servers, and one of them killed.

`bench/replicas.py` does the same with more of everything, app replicas among them, and kills at random.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from core.__main__ import main
from core.ingest.folder_watch import SUFFIXES
from core.library.machines import enqueue
from core.models import Stage
from tests.machines import World, hand_over, make_files, wait_until
from tests.servers.postgres import PostgresServer

FILES = 2


@pytest.mark.timeout(400)
def test_a_worker_is_killed_and_all_is_ready_and_paid_for_once(
    postgres: PostgresServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ExitStack() as stack:
        # Soon, for one worker at a time lives: nobody else would take its files.
        world = World(tmp_path, stack, task_s=0.5, postgres=postgres, lost_s=5)
        world.fresh()
        services = world.open()
        stack.callback(services.close)
        files = make_files(tmp_path / "inbox", FILES)
        hand_over(world, services, files)
        enqueue(services, [f"s3://{world.bucket}/inbox/"], SUFFIXES, iter(()))
        assert "no new video" in capsys.readouterr().out
        assert {job.stage for job in services.jobs.jobs()} == {Stage.QUEUED}
        world.encoder.fail("slow", method="POST", path="/tasks", seconds=0.5, times=10_000)
        world.worker("first", concurrency=2)
        wait_until(lambda: world.encoder.tasks or world.encoder.count("POST", "/tasks") > 0, "a task")
        world.kill("first")
        world.worker("second", concurrency=2)
        wait_until(lambda: all(job.stage.is_over for job in services.jobs.jobs()), "the end of all files")
        jobs = services.jobs.jobs()
        assert Counter(job.stage for job in jobs) == {Stage.READY: FILES}, [job.reason for job in jobs]
        assert len({job.video_id for job in jobs}) == FILES == services.index.count().videos
        assert all(services.store.exists(str(job.media_key)) for job in jobs)
        assert len(world.encoder.tasks) == FILES
        world.end()
        assert world.returned["second"] == 0, "a worker that is asked to end does"


def test_without_a_database_a_worker_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert main(["worker"]) == 1
    assert "Set DATABASE_URL" in capsys.readouterr().err
