"""A library to take elsewhere, on the command line: python -m core export DIR | import DIR"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.library.bar import draw
from core.library.exporting import Exported
from core.library.importing import Imported
from core.services import Services

SHOWN = 20
"""Problems that are told one by one."""
KEPT = {
    "likes.jsonl": "likes and other marks",
    "channels.jsonl": "channels",
    "corrections.jsonl": "corrections",
    "taxonomy.toml": "own categories and moods",
    "calibration.json": "fitted encoders (from the next start on)",
    "ads.jsonl": "ads",
}


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add the commands to the parser of the command line."""
    for name, run, says, where in (
        (
            "export",
            _export,
            "write the whole library into a folder; run again, it goes on",
            "a new folder, or an export",
        ),
        ("import", _import, "take an export in, without encoding or paying again", "the folder of an export"),
    ):
        parser = commands.add_parser(name, help=says)
        parser.add_argument("folder", type=Path, metavar="DIR", help=where)
        parser.add_argument("--json", action="store_true", help="a line of JSON on standard output")
        parser.set_defaults(run=run)


def _export(services: Services, arguments: argparse.Namespace) -> int:
    done = services.library.carrying.exporter.run(arguments.folder, draw)
    draw("", 1.0)
    manifest = done.manifest
    if arguments.json:
        facts = {
            "videos": manifest.videos,
            "files": manifest.files,
            "copied": done.copied,
            "bytes": manifest.size_bytes,
        }
        print(json.dumps(facts | {"problems": done.problems}, ensure_ascii=False))
    else:
        for line in _exported(arguments.folder, done):
            print(line)
    return 1 if done.problems else 0


def _exported(folder: Path, done: Exported) -> Iterator[str]:
    manifest = done.manifest
    size = f"{manifest.size_bytes / 1e6:,.1f} MB"
    yield (
        f"{manifest.videos:,} videos are in {folder}, with {manifest.files:,} files of {size}: "
        f"{done.copied:,} were copied, {done.kept:,} were there."
    )
    for space in manifest.spaces:
        yield f"  {space.videos:,} as {space.encoder} reads them{'' if space.complete else ', which is not all'}"
    yield "Deleted videos and jobs are not in it. Everything else is: python -m core import takes it in elsewhere."
    yield from _told(done.problems)


def _import(services: Services, arguments: argparse.Namespace) -> int:
    came = services.library.carrying.importer.run(arguments.folder, draw)
    draw("", 1.0)
    if arguments.json:
        facts = {"videos": came.videos, "present": came.present, "restored": came.restored, "files": came.files}
        print(json.dumps(facts | {"kept": came.kept, "problems": came.problems}, ensure_ascii=False))
    else:
        for line in _imported(came, services.serving.serving.name):
            print(line)
    return 1 if came.problems else 0


def _imported(came: Imported, answers: str) -> Iterator[str]:
    yield f"{came.videos:,} videos came, with {came.files:,} files; {came.present:,} were here already."
    if came.restored:
        yield f"{came.restored:,} were in the trash here, and are back."
    for name, number in came.kept.items():
        if number:
            yield f"  {number:,} {KEPT[name]}"
    yield f"Nothing was encoded. {answers} answers."
    yield from _told(came.problems)


def _told(problems: Sequence[str]) -> Iterator[str]:
    yield from problems[:SHOWN]
    if len(problems) > SHOWN:
        yield f"… and {len(problems) - SHOWN:,} more."
