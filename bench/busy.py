"""How much slower is a press while videos are being encoded in the same process, beside the same press at rest?

    python bench/busy.py [CORPUS_DIR] [--encoder clip] [--model-dir DIR]

Half of the videos of CORPUS_DIR (or $CORPUS_DIR, or ../shared/corpus) are put into a library by the real queue. Then
the other half goes in, a few at a time, and every category is pressed before, meanwhile and after, so that what else
the machine does falls on both. Each press is a question nobody has asked before: answers that are kept cost nothing.
Printed are the median and the 95th percentile of all presses at rest and of all meanwhile, and the ratio of the medians
of each few videos beside its own rest, as median and range; at most 2.0 for that median is wanted. Without --model-dir,
clip runs a network of the size of ViT-B/32 with random weights (bench/vit.py): it sees nothing and takes as long.

Exit 1 when it is not kept.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.encode import ENDINGS, random_model  # noqa: E402
from core.models import Query  # noqa: E402
from core.services import Services, build  # noqa: E402
from core.settings import load  # noqa: E402

TARGET = 2.0
LOT = 2
"""Videos that go in together: as many as the queue works on at the same time."""
PAUSE_S = 0.05
"""Between two presses: a person does not hammer."""
STRENGTHS = (number / 1_000_000 for number in itertools.count())


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
            rest, busy, ratios = compare(services, paths[1::2])
        finally:
            services.close()
    for name, times in (("at rest", rest), ("while videos go in", busy)):
        median, high = np.percentile(times, [50, 95]) * 1000
        print(f"{name:20}{len(times):6d} presses   median {median:7.1f} ms   p95 {high:7.1f} ms")
    ratio = float(np.median(ratios))
    print(f"ratio {ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f} over {len(ratios)} lots)", end="   ")
    print(f"at most {TARGET:.1f}: {'kept' if ratio <= TARGET else 'MISSED'}")
    return 0 if ratio <= TARGET else 1


def compare(services: Services, paths: list[Path]) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """Return the seconds of the presses at rest, of those while videos go in, and the ratio of these for each lot."""
    resting, working, ratios = [press(services, rounds=1)], [], []
    for start in range(0, len(paths), LOT):
        waiting = [services.jobs.submit(path).id for path in paths[start : start + LOT]]
        over = partial(lambda ids: all(job.stage.is_over for job in services.jobs.wait(ids, 0)), waiting)
        working.append(press(services, until=over))
        services.jobs.wait(waiting)
        resting.append(press(services, rounds=1))
        ratios.append(float(np.median(working[-1]) / np.median(np.concatenate(resting[-2:]))))
    return np.concatenate(resting), np.concatenate(working), ratios


def add(services: Services, paths: list[Path]) -> None:
    """Put videos into the library and wait until they are there."""
    services.jobs.wait([services.jobs.submit(path).id for path in paths])


def press(services: Services, rounds: int | None = None, until=lambda: False) -> np.ndarray:
    """Press every category in turn, some rounds or until something is true; return the seconds each took."""
    # Another strength is another question; where no mood is asked for, it changes nothing.
    times: list[float] = []
    done = 0
    while done != rounds:
        for theme in services.taxonomy.categories:
            if times and until():
                return np.array(times)
            began = time.perf_counter()
            services.discover.search(Query(categories=(theme.id,), strength=next(STRENGTHS)))
            times.append(time.perf_counter() - began)
            time.sleep(PAUSE_S)
        done += 1
    return np.array(times)


if __name__ == "__main__":
    sys.exit(main())
