"""How much faster is the sample library rendered two scenes at a time than one after the other?

    python bench/samples.py [NAME …]

Prints wall seconds for both and their ratio; on two idle cores it should be near 2.
"""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.samples import SCENES, render


def seconds(names: list[str], at_once: int) -> float:
    """Return the wall seconds it takes to render these scenes, so many at a time."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(at_once) as pool:
        start = time.perf_counter()
        for done in [pool.submit(render, name, Path(folder, f"{name}.mp4")) for name in names]:
            done.result()
        return time.perf_counter() - start


def main(names: list[str]) -> None:
    names = names or [scene.name for scene in SCENES]
    pairs, one_by_one = seconds(names, 2), seconds(names, 1)
    print(f"scenes            {len(names):6}")
    print(f"two at a time     {pairs:6.1f} s")
    print(f"one at a time     {one_by_one:6.1f} s  (baseline)")
    print(f"ratio             {one_by_one / pairs:6.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
