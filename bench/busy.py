"""How much slower is a press while videos are being encoded in the same process, beside the same press at rest?

    python bench/busy.py [CORPUS_DIR] [--encoder clip] [--model-dir DIR]

Half of the videos of CORPUS_DIR (or $CORPUS_DIR, or ../shared/corpus) are put into a library by the real queue, then
every category is pressed at rest, and pressed again while the other half goes in. Printed are the median and the 95th
percentile of both, and their ratio; at most 2.0 for the median is wanted. Without --model-dir, clip runs a network of
the size of ViT-B/32 with random weights (bench/vit.py): it sees nothing and takes as long.

Exit 1 when it is not kept.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.encode import ENDINGS, random_model  # noqa: E402
from core.models import Query  # noqa: E402
from core.services import Services, build  # noqa: E402
from core.settings import load  # noqa: E402

TARGET = 2.0
ROUNDS = 3
PAUSE_S = 0.05
"""Between two presses: a person does not hammer."""


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(os.environ.get("CORPUS_DIR", ROOT / "../shared/corpus"))
    arguments.add_argument("corpus", nargs="?", type=Path, default=default)
    arguments.add_argument("--encoder", choices=("local", "clip"), default="clip")
    arguments.add_argument("--model-dir", type=Path)
    given = arguments.parse_args()
    paths = sorted(path for path in given.corpus.iterdir() if path.suffix.lower() in ENDINGS)
    with tempfile.TemporaryDirectory() as folder:
        model_dir = given.model_dir or random_model(Path(folder) / "model")
        environ = {"DATA_DIR": f"{folder}/data", "ENCODER": given.encoder, "CLIP_MODEL_DIR": str(model_dir)}
        services = build(load(environ, dotenv_path=None))
        try:
            services.jobs.start()
            add(services, paths[::2])
            press(services, rounds=1)  # What is worked out once is not timed.
            idle = press(services, rounds=ROUNDS)
            waiting = [services.jobs.submit(path).id for path in paths[1::2]]
            busy = press(services, until=lambda: all(job.stage.is_over for job in services.jobs.wait(waiting, 0)))
        finally:
            services.close()
    ratio = float(np.median(busy) / np.median(idle))
    for name, times in (("at rest", idle), ("while videos go in", busy)):
        median, high = np.percentile(times, [50, 95]) * 1000
        print(f"{name:20}{len(times):6d} presses   median {median:7.1f} ms   p95 {high:7.1f} ms")
    print(f"ratio of medians {ratio:.2f}   at most {TARGET:.1f}: {'kept' if ratio <= TARGET else 'MISSED'}")
    return 0 if ratio <= TARGET else 1


def add(services: Services, paths: list[Path]) -> None:
    """Put videos into the library and wait until they are there."""
    services.jobs.wait([services.jobs.submit(path).id for path in paths])


def press(services: Services, rounds: int | None = None, until=lambda: False) -> np.ndarray:
    """Press every category in turn, some rounds or until something is true; return the seconds each took."""
    times: list[float] = []
    done = 0
    while done != rounds and not until():
        for theme in services.taxonomy.categories:
            began = time.perf_counter()
            services.discover.search(Query(categories=(theme.id,)))
            times.append(time.perf_counter() - began)
            time.sleep(PAUSE_S)
        done += 1
    return np.array(times)


if __name__ == "__main__":
    sys.exit(main())
