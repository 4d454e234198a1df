"""How long do many who ask at once wait, and does anybody get an error?

    python bench/load.py [--clients 50] [--seconds 30] [--questions 100] [--library FOLDER]

The app runs as people run it (`streamlit run`) over the sample library, ingested first; `--library` is a DATA_DIR to
use, or to fill and keep. Clients on connections that stay open ask `POST /search` as fast as they are answered, each
time one of the questions at random: a category, mostly a mood, mostly a filter, an order. The baseline, in the same
run, is one client alone; so is each question's first answer, which nobody has asked before. Clients and app share the
machine, so the clients' own work is in the times.

Exit 1 where anything but a 200 came back, or the 95th percentile of the many is above 250 ms.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.discover import taxonomy  # noqa: E402
from core.properties import PROPERTIES  # noqa: E402
from tests.browser.conftest import Server, free_port  # noqa: E402
from tests.environ import clean_environ  # noqa: E402

TARGET_S = 0.25
HEADERS = {"Content-Type": "application/json"}


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        data_dir = (options.library or Path(folder, "data")).resolve()
        fill(data_dir)
        server = Server(data_dir, free_port())
        server.start()
        try:
            bodies = questions(options.questions)
            wait_for_labels(server, bodies[0])
            first, wrong_first = ask(server, [bodies])
            alone, wrong_alone = together(server, bodies, 1, options.seconds / 3)
            many, wrong_many = together(server, bodies, options.clients, options.seconds)
        finally:
            server.stop()
    print(f"{len(bodies)} questions, milliseconds{'':12}{'median':>9}{'95th':>9}{'answers a second':>18}{'errors':>8}")
    row("each for the first time, one client", first, sum(first), wrong_first)
    row("one client", alone, options.seconds / 3, wrong_alone)
    row(f"{options.clients} clients", many, options.seconds, wrong_many)
    ratio = len(many) / options.seconds / max(len(alone) / (options.seconds / 3), 1e-9)
    print(f"{options.clients} clients get {ratio:.2f} times the answers a second that one client gets")
    met = not (wrong_first or wrong_alone or wrong_many) and float(np.quantile(many, 0.95)) <= TARGET_S
    print(f"no error, 95th at most {TARGET_S * 1000:.0f} ms: {'met' if met else 'MISSED'}")
    return 0 if met else 1


def fill(data_dir: Path) -> None:
    """Ingest the samples, unless the library has something already."""
    if not any((data_dir / name).exists() for name in ("index", "spaces")):
        environ = {**clean_environ(), "DATA_DIR": str(data_dir)}
        command = [sys.executable, "-m", "core", "samples"]
        subprocess.run(command, cwd=ROOT, env=environ, check=True, stdout=sys.stderr)


def questions(count: int) -> list[bytes]:
    """Return different questions, the same in every run."""
    themes, chance = taxonomy.load(), random.Random(1)
    found: dict[bytes, None] = {}
    while len(found) < count:
        asked: dict[str, object] = {"category": chance.choice(themes.categories).id, "limit": 12}
        if chance.random() < 0.7:
            asked["mood"] = chance.choice(themes.moods).id
        if chance.random() < 0.7:
            row_ = chance.choice([one for one in PROPERTIES.values() if one.options])
            asked[row_.name] = chance.choice(row_.options)
        if chance.random() < 0.3:
            asked["sort"] = chance.choice(("newest", "longest"))
        found[json.dumps(asked).encode()] = None
    return list(found)


def wait_for_labels(server: Server, body: bytes) -> None:
    """Wait until the library says that its totals are exact: a library from before has to be labelled first."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("POST", "/search", body, HEADERS)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.headers.get("x-total-exact") == "true":
            return
        time.sleep(0.2)
    raise SystemExit("The library was not labelled within two minutes.")


def together(server: Server, bodies: Sequence[bytes], clients: int, seconds: float) -> tuple[list[float], int]:
    """Return the times of all answers that so many clients got in so many seconds, and how many were errors."""
    until = time.monotonic() + seconds

    def drawn(seed: int):
        chance = random.Random(seed)
        while time.monotonic() < until:
            yield chance.choice(bodies)

    return ask(server, [drawn(seed) for seed in range(clients)])


def ask(server: Server, streams) -> tuple[list[float], int]:
    """Let a client a stream of questions ask them one after the other; return the times and the number of errors."""
    times: list[list[float]] = [[] for _ in streams]
    wrong = itertools.count()

    def run(own: list[float], stream) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        for body in stream:
            began = time.perf_counter()
            try:
                connection.request("POST", "/search", body, HEADERS)
                answer = connection.getresponse()
                answer.read()
                failed = answer.status != 200
            except (http.client.HTTPException, OSError):
                connection.close()
                failed = True
            own.append(time.perf_counter() - began)
            if failed:
                next(wrong)
        connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in zip(times, streams, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [one for own in times for one in own], next(wrong)


def row(title: str, times: Sequence[float], seconds: float, wrong: int) -> None:
    median, late = np.quantile(times, [0.5, 0.95]) * 1000
    print(f"  {title:38}{median:9.1f}{late:9.1f}{len(times) / seconds:18.0f}{wrong:8d}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--library", type=Path, metavar="FOLDER")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
