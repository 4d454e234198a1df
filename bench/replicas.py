"""Kill app replicas and workers of one library at random, and see that nothing is lost and nothing is paid for twice.

    python -m bench.replicas [--videos 30] [--kills 10] [--workers 3] [--replicas 2] [--only kills|speed]

Everything runs on this machine: PostgreSQL, and the local servers of the tests for S3, Qdrant and TwelveLabs. Half of
the files are handed over as uploads, half are queued from the bucket with `ingest --enqueue`. Then the speed: the same
files with one worker and with three, each with one file at once, where a task takes 3 s; the ratio is told.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from core.ingest.working import Queue
from core.models import Stage
from core.services import Services
from tests.machines import World, hand_over, make_files, wait_until

TASK_S = 3.0
TELL_EVERY_S = 15.0
told = [0.0]


def ready(queue: Queue) -> int:
    return queue.counts()[Stage.READY]


def asked(world: World) -> int:
    """Return how often the service was asked about videos: texts are read whenever a process starts."""
    return sum("/tasks" in seen.path for seen in list(world.encoder.seen))


def all_over(world: World, services: Services) -> bool:
    """Tell whether no job is open, and say now and then how far they are."""
    jobs, now = services.jobs.jobs(), time.monotonic()
    if now - told[0] > TELL_EVERY_S:
        told[0] = now
        stages = dict(Counter(job.stage.value for job in jobs))
        print(f"  {stages}, {len(world.encoder.tasks)} paid tasks", flush=True)
        for job in jobs:
            if not job.stage.is_over and job.reason:
                print(f"    {job.filename}: {job.stage.value}, {job.reason}", flush=True)
    return all(job.stage.is_over for job in jobs)


def kills(world: World, files: list[Path], workers: int, replicas: int, count: int, seed: int) -> bool:
    """Kill processes at random while the files are worked on; return whether all came out right."""
    moments = random.Random(seed)
    world.fresh()
    world.encoder.fail("slow", method="POST", path="/tasks", seconds=0.1, times=100_000)
    services = world.open()
    try:
        hand_over(world, services, files)
        for number in range(workers):
            world.worker(f"worker-{number}")
        for number in range(replicas):
            world.replica(f"replica-{number}")
        for number in range(count):
            seen = asked(world) + moments.randrange(3, 20)
            wait_until(lambda seen=seen: asked(world) >= seen or ready(services.jobs) == len(files), "more work")
            name = moments.choice(sorted(world.processes))
            world.kill(name)
            print(f"  {number + 1:2}. killed {name} with {ready(services.jobs)} of {len(files)} ready", flush=True)
            world.begin(name)
        wait_until(lambda: all_over(world, services), "the end of all files")
        jobs = services.jobs.jobs()
        stages = Counter(job.stage.value for job in jobs)
        stored = [services.store.exists(job.media_key) for job in jobs if job.media_key]
        print(f"  jobs {dict(stages)}, videos {services.index.count().videos}, media {sum(stored)}")
        print(f"  paid tasks {len(world.encoder.tasks)} for {len(files)} files", flush=True)
        for job in jobs:
            if job.stage is not Stage.READY:
                print(f"  {job.filename}: {job.stage.value}, {job.reason}", flush=True)
        if stages != {"ready": len(files)}:
            return False
        wait_until(
            lambda: all(world.health(name).get("videos") == len(files) for name in world.ports), "all on every replica"
        )
        print("  every replica shows them", flush=True)
        counts = {len(world.encoder.tasks), services.index.count().videos, sum(stored)}
        return counts == {len(files)}
    finally:
        world.end()
        services.close()
        world.encoder.heal()


def speed(world: World, files: list[Path], workers: int) -> float:
    """Return how long the files take with so many workers of one file at once, which have started before."""
    world.fresh()
    services = world.open()
    try:
        for number in range(workers):
            world.worker(f"fast-{number}", concurrency=1)
        for number in range(workers):
            log = world.folder / f"fast-{number}.log"
            wait_until(lambda log=log: b"Working on" in log.read_bytes(), "a worker")
        for path in files:
            with path.open("rb") as file:
                services.jobs.receive(file, path.name)
        began, told = time.monotonic(), ""

        def all_ready() -> bool:
            nonlocal told
            stages = Counter(job.stage.value for job in services.jobs.jobs())
            said = ", ".join(f"{count} {stage}" for stage, count in sorted(stages.items()))
            if said != told:
                told = said
                print(f"    {time.monotonic() - began:5.1f} s: {said}", flush=True)
            return stages["ready"] == len(files)

        wait_until(all_ready, "all ready")
        return time.monotonic() - began
    finally:
        world.end()
        services.close()
        for log in world.folder.glob("fast-*.log"):
            log.unlink()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, default=30)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--replicas", type=int, default=2)
    parser.add_argument("--only", choices=("kills", "speed"))
    parser.add_argument("--seed", type=int, default=4)
    options = parser.parse_args()
    good = True
    folder = Path(tempfile.mkdtemp(prefix="moodreel-replicas-"))
    try:
        with ExitStack() as stack:
            world = World(folder, stack, task_s=TASK_S)
            files = make_files(folder / "inbox", options.videos)
            if options.only != "speed":
                print(f"{options.replicas} replicas, {options.workers} workers, {options.kills} kills", flush=True)
                good = kills(world, files, options.workers, options.replicas, options.kills, options.seed)
                print("✓ all ready, each paid for once" if good else "✗ something was lost or paid for twice")
                world.ports.clear()
            if options.only != "kills":
                some = files[:12]
                one = speed(world, some, 1)
                print(f"{len(some)} videos, a task {TASK_S:.0f} s: 1 worker {one:.1f} s", flush=True)
                three = speed(world, some, 3)
                print(f"3 workers {three:.1f} s", flush=True)
                print(f"ratio {one / three:.2f}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
