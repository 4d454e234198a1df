"""Does a library of real files find all that fits, say how many that are, and give each once on the way to the end?

    python bench/acceptance.py [--videos 400] [--library FOLDER]

Files are written (1 in 20 stands upright, four subjects by their names) and ingested by the command line with the local
encoder; `--library` is a folder to keep them in, or to use again. Then the app is started and `POST /search` is asked
for each subject's category, alone and with shape=portrait, page by page. What is right is known from the files and
from the whole category: a portrait of it that the filter does not bring, one that comes twice, a total that is not how
many came, or that says it is not exact, is a fault. Exit 1 where there is one.
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.load import HEADERS, wait_for_labels  # noqa: E402
from tests.browser.conftest import Server, free_port  # noqa: E402
from tests.environ import clean_environ  # noqa: E402
from tests.videos import make_video, plain  # noqa: E402

SUBJECTS = {
    "animals": "Lion and elephant",
    "food": "Cooking soup in the kitchen",
    "sports": "Football match",
    "nature": "Mountain lake and forest",
}
UPRIGHT = 20
"""Of so many files one stands upright."""
PAGE = 7


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, default=400)
    parser.add_argument("--library", type=Path, metavar="FOLDER")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = (asked.library or Path(folder)).resolve()
        names = make_files(root / "inbox", asked.videos)
        began = time.monotonic()
        environ = {**clean_environ(), "DATA_DIR": str(root / "data"), "ENCODER": "local"}
        command = [sys.executable, "-m", "core", "ingest", str(root / "inbox"), "--json"]
        lines = subprocess.run(command, cwd=ROOT, env=environ, check=True, capture_output=True, text=True).stdout
        stages = [json.loads(line)["stage"] for line in lines.splitlines()]
        took_s = time.monotonic() - began
        print(f"{stages.count('ready')} of {len(names)} files are in after {took_s:.0f} s", flush=True)
        server = Server(root / "data", free_port())
        server.start(ENCODER="local")
        try:
            faults = [] if stages.count("ready") == len(names) else ["not all files are in"]
            wait_for_labels(server, json.dumps({"category": "animals"}).encode())
            for category, subject in SUBJECTS.items():
                faults += of_category(server, category, subject, names)
        finally:
            server.stop()
    for fault in faults:
        print(f"✗ {fault}")
    print("✓ all right" if not faults else f"{len(faults)} faults")
    return 1 if faults else 0


def make_files(folder: Path, count: int) -> dict[str, bool]:
    """Write the files that are missing; return whether each stands upright, by name."""
    folder.mkdir(parents=True, exist_ok=True)
    names = {}
    for number in range(count):
        subject = list(SUBJECTS.values())[number // UPRIGHT % len(SUBJECTS)]
        name, is_upright = f"{subject} {number}.mp4", number % UPRIGHT == 0
        names[name] = is_upright
        if not (folder / name).is_file():
            size = (36, 64) if is_upright else (64, 36)
            colour = plain(number % 16 * 16, number // 16 % 16 * 16, number // 256 * 64 + 30)
            make_video(folder / name, seconds=1.2, size=size, fps=4, pattern=colour)
    return names


def of_category(server: Server, category: str, subject: str, names: dict[str, bool]) -> list[str]:
    """Return what is wrong with the answers for a category."""
    whole, faults = to_the_end(server, {"category": category})
    portraits, more = to_the_end(server, {"category": category, "shape": ["portrait"]})
    faults += more
    wanted = {name for name in whole if names[name]}
    by_name = {name for name, is_upright in names.items() if is_upright and name.startswith(subject)}
    print(f"{category}: {len(whole)} videos, {len(portraits)} of {len(wanted)} portrait ones", flush=True)
    if set(portraits) != wanted:
        faults.append(
            f"{category}: with shape=portrait {len(set(portraits) ^ wanted)} are missing or should not be there"
        )
    if not by_name <= set(portraits):
        faults.append(f"{category}: {len(by_name - set(portraits))} portrait ones that are named so do not come")
    return faults


def to_the_end(server: Server, question: dict[str, object]) -> tuple[list[str], list[str]]:
    """Return the names of all videos that come, page by page, and what is wrong with that."""
    names: list[str] = []
    totals: set[tuple[str | None, str | None]] = set()
    cursor: str | None = ""
    while cursor is not None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("POST", "/search", json.dumps({**question, "limit": PAGE, "cursor": cursor}), HEADERS)
        answer = connection.getresponse()
        hits = json.loads(answer.read())
        connection.close()
        if answer.status != 200:
            return names, [f"{question}: {answer.status} {hits}"]
        names += [hit["filename"] for hit in hits]
        totals.add((answer.headers.get("x-total-count"), answer.headers.get("x-total-exact")))
        cursor = answer.headers.get("x-next-cursor")
    faults = [] if len(names) == len(set(names)) else [f"{question}: {len(names) - len(set(names))} come twice"]
    if totals != {(str(len(names)), "true")}:
        faults.append(f"{question}: {len(names)} came, and the totals say {sorted(map(str, totals))}")
    return names, faults


if __name__ == "__main__":
    sys.exit(main())
