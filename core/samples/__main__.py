"""Command line of the sample library.

python -m core.samples list
python -m core.samples render NAME TARGET    prints the fraction done, one a line
python -m core.samples paint                 renders what it is told on its input (painters.py)
python -m core.samples sheet PNG [NAME …]    three frames of every scene
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from core.errors import AppError
from core.samples import SCENES, scene


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m core.samples", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="name every scene")
    render = commands.add_parser("render", help="render one scene to an mp4")
    render.add_argument("name")
    render.add_argument("target", type=Path)
    commands.add_parser("paint", help="render what standard input says, at low priority")
    sheet = commands.add_parser("sheet", help="draw a contact sheet of three frames a scene")
    sheet.add_argument("png", type=Path)
    sheet.add_argument("names", nargs="*")
    arguments = parser.parse_args(argv)
    try:
        if arguments.command == "list":
            _list()
        elif arguments.command == "render":
            _render(arguments.name, arguments.target)
        elif arguments.command == "paint":
            _paint()
        else:
            _sheet(arguments.png, arguments.names)
    except AppError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _list() -> None:
    for card in SCENES:
        print(f"{card.name:22} {card.mood:12} {card.duration_s:4.1f} s  {card.title} ({', '.join(card.categories)})")


def _render(name: str, target: Path) -> None:
    from core.samples.studio import perform  # numpy, Pillow and PyAV load only when something is drawn

    perform(name, target, lambda fraction: print(f"{fraction:.3f}", flush=True))


def _paint() -> None:
    """Render what is ordered, [name, path] a line; say the fraction done, and at last "done" or what is wrong."""
    if hasattr(os, "nice"):
        os.nice(5)
    for line in sys.stdin:
        name, path = json.loads(line)
        try:
            from core.samples.studio import perform

            perform(name, Path(path), lambda fraction: print(f"{fraction:.3f}", flush=True))
            answer = "done"
        except BrokenPipeError:
            return
        except Exception as error:  # noqa: BLE001  # whatever it is, who ordered it is told
            answer = str(error) if isinstance(error, AppError) else f"{type(error).__name__}: {error}"
        print(json.dumps(answer), flush=True)


def _sheet(png: Path, names: Sequence[str], columns: int = 2) -> None:
    """Write a contact sheet: an early, a middle and a late frame of each scene, `columns` scenes side by side."""
    from PIL import Image, ImageDraw

    from core.samples.studio import stills

    cards = [scene(name) for name in names] or list(SCENES)
    wide, high, line = 320, 180, 16
    rows = -(-len(cards) // columns)
    page = Image.new("RGB", (columns * (3 * wide + 12), rows * (high + line)), "#101018")
    pen = ImageDraw.Draw(page)
    for number, card in enumerate(cards):
        left, top = number % columns * (3 * wide + 12), number // columns * (high + line)
        pen.text((left + 4, top + 2), f"{card.name} · {card.mood}", fill="#d8d8e0")
        for column, frame in enumerate(stills(card.name, [card.duration_s * share for share in (0.12, 0.55, 0.9)])):
            page.paste(frame.resize((wide, high)), (left + column * wide, top + line))
    page.save(png)


if __name__ == "__main__":
    sys.exit(main())
