"""Ads on the command line: python -m core breaks"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from core.ads.models import Avoid, Proposals, Rules, Wanted, sentence
from core.errors import AppError
from core.services import Services

Commands = argparse._SubParsersAction
RULES = Rules()


def add_to(commands: Commands) -> None:
    """Add the command to the parser of the command line."""
    breaks = commands.add_parser("breaks", help="say where an ad belongs: videos, and moments of them")
    which = breaks.add_mutually_exclusive_group()
    which.add_argument("--ad", default="", metavar="ID", help="an ad that is kept, or a video of the library")
    which.add_argument("--text", default="", metavar="WORDS", help="a sentence about the ad")
    which.add_argument("--file", type=Path, metavar="PATH", help="a clip; it is kept as an ad")
    which.add_argument("--list", action="store_true", help="only list the ads that are kept")
    which.add_argument("--remove", metavar="ID", help="only remove an ad that is kept")
    breaks.add_argument("--video", default="", metavar="ID", help="only places in this video")
    for what in ("category", "mood", "word"):
        breaks.add_argument(f"--avoid-{what}", action="append", default=[], help="may be given several times")
    breaks.add_argument("--first", type=float, default=RULES.first_s, metavar="S", help="nothing before this second")
    breaks.add_argument("--apart", type=float, default=RULES.apart_s, metavar="S", help="seconds between two places")
    breaks.add_argument("--most", type=int, default=RULES.most, help="places in one video")
    breaks.add_argument("--videos", type=int, default=RULES.videos, help="videos with places")
    breaks.add_argument("--vmap", action="store_true", help="VMAP of the best video")
    breaks.add_argument("--tag", default="", metavar="URL", help="an ad server's address, for VMAP")
    breaks.add_argument(
        "--address", default="", metavar="URL", help="where the app is reached: files are named below it"
    )
    breaks.add_argument("--json", action="store_true", help="the same as POST /api/breaks")
    breaks.set_defaults(run=_breaks)


def _breaks(services: Services, arguments: argparse.Namespace) -> int:
    from core.serving.breaks import breaks_to_json, playlist

    book = services.ads.book
    if arguments.list:
        return _list(services, arguments.json)
    if arguments.remove:
        if not book.remove(arguments.remove):
            raise AppError(f"There is no ad {arguments.remove}. python -m core breaks --list says which there are.")
        return 0
    ad = arguments.ad
    if arguments.file:
        if not arguments.file.is_file():
            raise AppError(f"{arguments.file} is not a file. Name a video.")
        ad = book.add(arguments.file.absolute(), arguments.file.name).id
        print(f"Kept as ad {ad}.", file=sys.stderr)
    avoid = Avoid(tuple(arguments.avoid_category), tuple(arguments.avoid_mood), tuple(arguments.avoid_word))
    rules = Rules(arguments.first, arguments.apart, arguments.most, arguments.videos)
    found = services.ads.placing.propose(Wanted(ad, arguments.text, arguments.video, avoid, rules))
    if arguments.vmap:
        print(playlist(services, found, arguments.tag, arguments.address))
        key = None if arguments.tag or arguments.address else found.ad.media_key
        if key and services.store.url(key).startswith("/"):
            print("Players elsewhere find no files: add --address with where the app is reached.", file=sys.stderr)
    elif arguments.json:
        print(json.dumps(breaks_to_json(services, found, arguments.address), ensure_ascii=False, indent=2))
    else:
        _print(services, found)
    return 0 if found.placed else 1


def _list(services: Services, as_json: bool) -> int:
    kept = services.ads.book.all()
    if as_json:
        rows = [{"id": one.id, "title": one.title, "duration_s": one.duration_s, "added_at": one.added_at}
                for one in kept]  # fmt: skip
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return 0
    for one in kept:
        print(f"{one.id}  {one.duration_s:6.1f} s  {one.title}")
    return 0


def _print(services: Services, found: Proposals) -> None:
    from core.serving.breaks import labels_of

    labels = labels_of(services.taxonomy)
    for placed in found.placed:
        print(f"{placed.entry.video_id}  {placed.entry.title}")
        for one in sorted(placed.breaks, key=lambda one: one.at_s):
            why = " ".join(sentence(reason, labels) for reason in one.reasons)
            print(f"  {one.at_s:8.3f} s  {one.score:.2f}  {why}")
    for problem in found.unreadable:
        print(problem, file=sys.stderr)
    if found.avoided:
        print(f"{found.avoided:,} left out for what the brand avoids.", file=sys.stderr)
    if not found.placed:
        print("The ad belongs nowhere in this library.", file=sys.stderr)
