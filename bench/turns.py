"""How long a queue looks for the job that takes the next step: lines (core/ingest/turns.py) against looking at all.

python -m bench.turns [--open 1000 10000 100000]
"""

from __future__ import annotations

import argparse
import time

from core.ingest.scheduling import Row
from core.ingest.turns import Turns
from core.ingest.work import Work
from tests.ingest.test_turns import encoder_of, runnable

STEPS = 200


def lines(count: int) -> float:
    """Return the seconds a step: find the next job, note that it is worked on, note that it is not any more."""
    turns, rows = Turns(encoder_of), make(count)
    for row in rows:
        turns.note(row, 0.0)
    began = time.perf_counter()
    for _ in range(STEPS):
        row = next(turns.able(0.0, workers=2, pauses={}))
        turns.next_look_s(0.0, {})
        for busy in (True, False):
            row.busy = busy
            turns.note(row, 0.0)
    return (time.perf_counter() - began) / STEPS


def looking(count: int) -> float:
    """Return the seconds a step where all open jobs are looked at, as releases up to 0.2 did."""
    rows = make(count)
    times = 3
    began = time.perf_counter()
    for _ in range(times):
        next(runnable(rows, 0.0, workers=2, encoder_of=encoder_of, pauses={}))
        min((row.not_before for row in rows if row.not_before > 0.0), default=None)
    return (time.perf_counter() - began) / times


def make(count: int) -> list[Row]:
    return [Row(number, "", Work(str(number), f"/{number}.mp4", "a.mp4")) for number in range(count)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--open", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    for count in parser.parse_args().open:
        ours, theirs = lines(count), looking(count)
        print(
            f"{count:>9,} open jobs: {1e3 * ours:8.3f} ms by lines, {1e3 * theirs:8.1f} ms by looking at all: "
            f"ratio {theirs / ours:,.0f}"
        )


if __name__ == "__main__":
    main()
