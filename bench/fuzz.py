"""Does any spoiled video hurt the app?

    python bench/fuzz.py [--count 1000] [--first 0] [--seed 1] [--real DIR] [--keep DIR]

Tiny videos of twelve kinds, and the smallest eight of DIR (or $CORPUS_DIR, or ../shared/corpus) that play as they are,
are spoiled in ten ways in turn (tests/mutations.py) and put into a library by the real queue and the local encoder.
Each must end ready or failed with a sentence that was written for it; none may take longer than its workers may be
silent, nothing may stay in the folders of work, and this process may have no more open files in the end. Beside them,
in the same run, the same videos unspoiled: printed is what became of both, the longest, and the ratio of the times.
`--keep` keeps the files that did not end so; `--first` leaves out those before a number, for a run in parts.

Exit 1 when one did not.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.encode import ENDINGS  # noqa: E402
from core.ingest import sandbox  # noqa: E402
from core.models import Job, Stage  # noqa: E402
from core.services import Services, build  # noqa: E402
from core.settings import load  # noqa: E402
from tests.mutations import make_sources, mutations  # noqa: E402

REAL = 8
BATCH = 50
LONGEST_S = 4 * sandbox.SILENT_S
"""A file is looked into four times, and each time a worker may be silent for so long."""


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(os.environ.get("CORPUS_DIR", ROOT / "../shared/corpus"))
    arguments.add_argument("--count", type=int, default=1000)
    arguments.add_argument("--first", type=int, default=0)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--real", type=Path, default=default)
    arguments.add_argument("--keep", type=Path)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        services = build(load({"DATA_DIR": str(folder / "data"), "ENCODER": "local"}, dotenv_path=None))
        services.jobs.start()
        try:
            sources = make_sources(folder) + smallest(given.real)
            whole = add(services, sources)
            files_before = open_files()
            bad, jobs = [], []
            for paths in spoiled(sources, folder / "spoiled", range(given.first, given.count), given.seed):
                done = add(services, paths)
                bad += [describe(job) for job in done if not is_right(job)]
                bad += keep([job for job in done if not is_right(job)], folder / "spoiled", given.keep)
                jobs += done
                bad += leftovers(folder / "data", services, [job.id for job in done])
                shutil.rmtree(folder / "spoiled")
                print(f"{given.first + len(jobs)} of {given.count}, {len(bad)} wrong", file=sys.stderr, flush=True)
        finally:
            services.close()
        sandbox.dismiss()
        if (more := open_files() - files_before) > 0:
            bad.append(f"{more} more open files than before")
    report(whole, jobs)
    print("\n".join(bad) or "nothing went wrong")
    return 1 if bad else 0


def smallest(folder: Path) -> list[Path]:
    """Return the smallest videos of a folder that need no converting, which would take most of the time."""
    found = [path for path in folder.iterdir() if path.suffix.lower() in ENDINGS] if folder.is_dir() else []
    plays = (path for path in sorted(found, key=lambda path: path.stat().st_size) if needs_nothing(path))
    return list(islice(plays, REAL))


def needs_nothing(path: Path) -> bool:
    return sandbox.inspect(path).playable == "as-is"


def spoiled(sources: list[Path], folder: Path, wanted: range, seed: int) -> Iterator[list[Path]]:
    """Yield batches of spoiled files, those of these numbers; the same one has the same number in each run."""
    ways = [(path, mutations(path.read_bytes(), seed + number)) for number, path in enumerate(sources)]
    batch: list[Path] = []
    for number in range(wanted.stop):
        source, endless = ways[number % len(ways)]
        way, data = next(endless)
        if number not in wanted:
            continue
        folder.mkdir(exist_ok=True)
        path = folder / f"{number:05}-{way}-{source.name}"
        path.write_bytes(data)
        batch.append(path)
        if len(batch) == BATCH or number == wanted[-1]:
            yield batch
            batch = []


def add(services: Services, paths: list[Path]) -> list[Job]:
    return services.jobs.wait([services.jobs.submit(path).id for path in paths])


def is_right(job: Job) -> bool:
    ended = job.stage is Stage.READY or (job.stage is Stage.FAILED and bool(job.reason))
    return ended and "unexpected" not in (job.reason or "") and job.elapsed_s < LONGEST_S


def describe(job: Job) -> str:
    return f"{job.filename}: {job.stage}, {job.elapsed_s:.1f} s, {job.reason}"


def keep(jobs: list[Job], folder: Path, kept: Path | None) -> list[str]:
    if kept is not None and jobs:
        kept.mkdir(parents=True, exist_ok=True)
        for job in jobs:
            shutil.copy(folder / job.filename, kept)
    return []


def leftovers(data_dir: Path, services: Services, job_ids: list[str]) -> list[str]:
    """Return what lies in the folders of work when nothing of it is waited for any more."""
    services.jobs.forget(job_ids)
    until = time.monotonic() + 5
    while (left := sorted(data_dir.glob("work/**/*")) + sorted(data_dir.glob("spool/**/*"))) and (
        time.monotonic() < until
    ):
        time.sleep(0.05)
    return [f"left behind: {path}" for path in left]


def open_files() -> int:
    return len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0


def report(whole: list[Job], jobs: list[Job]) -> None:
    for name, some in (("whole", whole), ("spoiled", jobs)):
        stages = Counter(str(job.stage) for job in some)
        longest = max(some, key=lambda job: job.elapsed_s)
        print(f"{name:10}{len(some):6d} files   {dict(stages)}   longest {longest.elapsed_s:.1f} s {longest.filename}")
    crashed = [job for job in jobs if job.reason and "crashed the video decoder" in job.reason]
    print(f"workers that crashed: {len(crashed)} {[job.filename for job in crashed]}")
    for sentence, count in Counter(job.reason for job in jobs if job.stage is Stage.FAILED).most_common(40):
        print(f"{count:6d}  {sentence}")
    times = [sum(job.elapsed_s for job in some) / len(some) for some in (whole, jobs)]
    print(f"seconds a file, spoiled : whole   {times[1] / times[0]:.2f}")


if __name__ == "__main__":
    sys.exit(main())
