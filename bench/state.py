"""What do SQLAlchemy and a look at the revision cost over plain sqlite3, for what pages and the queue do all the time?

    python bench/state.py [--rounds 300] [--folder DIR]

Each row does the same to files of its own in both ways, in turn, so that both meet the same disk: a person's marks and
all channels are read (a page does both on every rerun), a mark is put, a job is saved (the queue does so at every step,
and waits for the disk). Printed are medians in milliseconds and their ratio.

Exit 1 when a page's two questions take 5 ms together.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import astuple, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.models import Stage  # noqa: E402
from core.state.base import JobRecord  # noqa: E402
from core.state.channels import ChannelBook  # noqa: E402
from core.state.sqlite import SqliteLedger, SqliteShelf  # noqa: E402
from core.state.taste import TasteBook  # noqa: E402

MARKS, CHANNELS = 120, 12
PAGE_MOST_MS = 5.0
Row = tuple[str, Callable[[int], object], Callable[[int], object]]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=300)
    options.add_argument("--folder", type=Path, help="on the disk that is asked about; a temporary one if not given")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        times = run(Path(folder), chosen.rounds)
    print(f"{'':24}{'plain':>9}{'ours':>9}  ratio   (ms, median of {chosen.rounds})")
    for name, (plain, ours) in times.items():
        print(f"{name:24}{plain:9.2f}{ours:9.2f}{ours / plain:7.1f}")
    page = times["marks of a person"][1] + times["all channels"][1]
    print(f"{'a page asks for both':24}{'':9}{page:9.2f}")
    return 0 if page < PAGE_MOST_MS else 1


def run(folder: Path, rounds: int) -> dict[str, tuple[float, float]]:
    """Return the medians, in milliseconds, of plain sqlite3 and of ours."""
    book = TasteBook(SqliteShelf(folder / "taste.sqlite3", "taste"))
    channels = ChannelBook(SqliteShelf(folder / "channels.sqlite3", "channels"))
    for number in range(MARKS):
        book.mark("Anna", f"video-{number}", "like" if number % 3 else "seen")
    for number in range(CHANNELS):
        channels.save(f"Channel {number}", [("category", "nature"), ("q", f"words {number}")])
    plain_marks = copy(folder / "taste.sqlite3")
    plain_channels = copy(folder / "channels.sqlite3")
    record = JobRecord(
        1,
        "a" * 32,
        "2026-11-23",
        Stage.EMBEDDING,
        0.5,
        1.5,
        None,
        False,
        False,
        True,
        False,
        json.dumps({"x": "y" * 900}),
    )
    with closing(SqliteLedger(folder / "jobs.sqlite3")) as ledger:
        ledger.save(lambda: record)
    plain_jobs = sqlite3.connect(copy(folder / "jobs.sqlite3"), isolation_level=None)
    for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL"):
        plain_jobs.execute(f"PRAGMA {pragma}")
    places = ", ".join("?" * len(astuple(record)))

    def read(path: Path, sql: str, *values: object) -> list[tuple]:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("PRAGMA user_version").fetchone()
            return db.execute(sql, values).fetchall()

    def put(number: int) -> None:
        video = f"video-{number % MARKS}"
        with closing(sqlite3.connect(plain_marks, isolation_level=None)) as db:
            db.execute("PRAGMA user_version").fetchone()
            db.execute("BEGIN IMMEDIATE")
            with db:
                db.execute("INSERT OR IGNORE INTO profiles (key, name) VALUES ('anna', 'Anna')")
                db.execute("DELETE FROM marks WHERE profile = 'anna' AND video_id = ? AND mark = 'like'", (video,))
                db.execute("INSERT INTO marks (profile, video_id, mark) VALUES ('anna', ?, 'like')", (video,))

    with closing(SqliteLedger(folder / "jobs.sqlite3")) as ledger, closing(plain_jobs):
        rows: list[Row] = [
            (
                "marks of a person",
                lambda _: read(
                    plain_marks, "SELECT video_id, mark FROM marks WHERE profile = ? ORDER BY number DESC", "anna"
                ),
                lambda _: book.marks("Anna"),
            ),
            (
                "all channels",
                lambda _: [
                    json.loads(link)
                    for (*_, link) in read(
                        plain_channels, "SELECT name, slug, created_at, link FROM channels ORDER BY number"
                    )
                ],
                lambda _: channels.channels(),
            ),
            ("a mark", put, lambda number: book.mark("Anna", f"video-{number % MARKS}", "like")),
            (
                "a job saved",
                lambda number: plain_jobs.execute(
                    f"REPLACE INTO jobs VALUES ({places})", astuple(replace(record, progress=number / rounds))
                ),
                lambda number: ledger.save(lambda: replace(record, progress=number / rounds)),
            ),
        ]
        return {name: compare(plain, ours, rounds) for name, plain, ours in rows}


def compare(plain: Callable[[int], object], ours: Callable[[int], object], rounds: int) -> tuple[float, float]:
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        for way, times in ((plain, taken[0]), (ours, taken[1])):
            start = time.perf_counter()
            way(number)
            times.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken[0]), statistics.median(taken[1])


def copy(path: Path) -> Path:
    """Copy a file as a whole, whatever is still in its log."""
    target = path.with_name(f"plain-{path.name}")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as db:
        source.backup(db)
        db.execute("PRAGMA journal_mode = WAL")
    return target


if __name__ == "__main__":
    sys.exit(main())
