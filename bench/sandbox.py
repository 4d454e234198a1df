"""What does it cost to look into files in processes of their own, and what does the app gain?

    python bench/sandbox.py [CORPUS_DIR] [--rounds 2]

Every video of CORPUS_DIR (or $CORPUS_DIR, or ../shared/corpus) is put into an empty library by the real queue and the
local encoder, with the workers of core/ingest/sandbox.py and, in turn, with the same modules called in the app's own
process, as it was before. Printed of each (the better of so many rounds):
1. wall-clock and processor seconds, with those of the workers, which are started before, and their ratios. A batch is
   wanted to take at most 1.1 times.
2. how late a thread of the app wakes up that asks for a hundredth of a second meanwhile, as a page's does that has
   something to draw: what is more than in the calm app is the wait for the interpreter's lock and for a core.
3. the time from a dropped file to its end, with no worker started yet, and with one that waits.

Exit 1 when the batch takes longer than that.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.encode import ENDINGS, worker_s  # noqa: E402
from core.encoders import local  # noqa: E402
from core.ingest import frames, inspecting, pipeline, playable, sampling, sandbox  # noqa: E402
from core.models import Stage  # noqa: E402
from core.services import build  # noqa: E402
from core.settings import load  # noqa: E402

TARGET = 1.1
PAUSE_S = 0.01
HERE = SimpleNamespace(
    inspect=lambda path, *, max_bytes=None, on_progress=None: inspecting.inspect(path, max_bytes=max_bytes),
    write_poster=lambda source, info, target, on_progress=None: frames.write_poster(source, info, target),
    make_playable=playable.make_playable,
    warm=lambda: None,
)
"""The modules as they are called without workers."""


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(os.environ.get("CORPUS_DIR", ROOT / "../shared/corpus"))
    arguments.add_argument("corpus", nargs="?", type=Path, default=default)
    arguments.add_argument("--rounds", type=int, default=2)
    given = arguments.parse_args()
    paths = sorted(path for path in given.corpus.iterdir() if path.suffix.lower() in ENDINGS)
    with lateness() as calm:
        time.sleep(2.0)
    rounds: dict[str, list[tuple[float, float]]] = {"here": [], "workers": []}
    late: dict[str, list[float]] = {"calm": calm, "here": [], "workers": []}
    for _ in range(given.rounds):  # In turn, so that a busy moment of the machine falls on both.
        with here(), lateness() as times:
            rounds["here"].append(batch(paths))
        late["here"] += times
        ready(paths[0])
        with lateness() as times:
            rounds["workers"].append(batch(paths))
        late["workers"] += times
    best = {name: np.min(some, axis=0) for name, some in rounds.items()}
    for name, (wall_s, cpu_s) in best.items():
        print(f"{name:10}{len(paths)} files   {wall_s:7.2f} s   {cpu_s:7.2f} s of processor time")
    wall, cpu = best["workers"] / best["here"]
    print(f"workers : here   {wall:.2f}   at most {TARGET}: {'kept' if wall <= TARGET else 'MISSED'}", end="; ")
    print(f"{cpu:.2f} in processor time")
    for name, times in late.items():
        median, high = np.percentile(times, [50, 99]) * 1000
        print(f"a thread wakes up late, {name:10} median {median:6.2f} ms   p99 {high:7.2f} ms")
    smallest = min(paths, key=lambda path: path.stat().st_size)
    cold, warm = first(smallest, warm=False), first(smallest, warm=True)
    with here():
        print(f"one file: here {batch([smallest])[0]:.2f} s, without a worker {cold:.2f} s, with one {warm:.2f} s")
    return 0 if wall <= TARGET else 1


@contextmanager
def here() -> Iterator[None]:
    """Call the modules in this process."""
    before = pipeline.sandbox, local.sample
    pipeline.sandbox, local.sample = HERE, sampling.sample
    try:
        yield
    finally:
        pipeline.sandbox, local.sample = before


@contextmanager
def lateness() -> Iterator[list[float]]:
    """Collect how late a thread wakes up, in seconds."""
    times: list[float] = []
    over = threading.Event()

    def wake() -> None:
        while not over.is_set():
            began = time.perf_counter()
            time.sleep(PAUSE_S)
            times.append(time.perf_counter() - began - PAUSE_S)

    thread = threading.Thread(target=wake)
    thread.start()
    try:
        yield times
    finally:
        over.set()
        thread.join()


def first(path: Path, *, warm: bool) -> float:
    sandbox.dismiss()
    if warm:
        sandbox.warm()
        time.sleep(3.0)
    return batch([path])[0]


def batch(paths: list[Path]) -> tuple[float, float]:
    """Put videos into an empty library; return wall-clock and processor seconds, the workers' included."""
    with tempfile.TemporaryDirectory() as folder:
        services = build(load({"DATA_DIR": folder, "ENCODER": "local"}, dotenv_path=None))
        try:
            began, used = time.perf_counter(), processor_s()
            services.jobs.start()
            done = services.jobs.wait([services.jobs.submit(path).id for path in paths])
            wall = time.perf_counter() - began
        finally:
            services.close()
        if bad := [f"{job.filename}: {job.reason}" for job in done if job.stage is not Stage.READY]:
            sys.exit("\n".join(bad))
        return wall, processor_s() - used


def ready(path: Path) -> None:
    """Have as many workers wait as there are files looked into at the same time."""
    passes = [sandbox.sample(path) for _ in range(2)]
    for items in passes:
        next(items)
    for items in passes:
        for _ in items:
            pass


def processor_s() -> float:
    return time.process_time() + worker_s()


if __name__ == "__main__":
    sys.exit(main())
