"""The library on the command line: python -m core list | show | edit | delete"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import get_args

from core.discover.taxonomy import Kind
from core.errors import AppError
from core.library.listing import ARRANGED, Asked, Row, categories_of, moods_of
from core.library.removal import KEEP_S
from core.services import Services

Commands = argparse._SubParsersAction
KINDS: tuple[Kind, ...] = get_args(Kind)


def add_to(commands: Commands) -> None:
    """Add the commands to the parser of the command line."""
    listed = commands.add_parser("list", help="list the videos in the library")
    listed.add_argument("name", nargs="?", default="", help="words in the title, file name or tags")
    listed.add_argument("--sort", choices=ARRANGED, default=ARRANGED[0], help="the order")
    listed.add_argument("--limit", type=int, default=50, help="how many to show")
    listed.add_argument("--offset", type=int, default=0, help="how many to pass over")
    listed.add_argument("--trash", action="store_true", help="those that were deleted and can be had back")
    listed.add_argument("--json", action="store_true", help="the same as GET /api/videos")
    listed.set_defaults(run=_list)

    show = commands.add_parser("show", help="say all that is known of a video")
    show.add_argument("id")
    show.add_argument("--json", action="store_true", help="the same as GET /api/videos/ID")
    show.set_defaults(run=_show)

    edit = commands.add_parser("edit", help="give a video another title or other tags, or correct what it is")
    edit.add_argument("id")
    edit.add_argument("--title")
    edit.add_argument("--tags", metavar="WORDS", help="separated by commas; all that it is to have")
    for kind in KINDS:
        edit.add_argument(f"--{kind}", action="append", default=[], metavar="ID", help=f"it is of this {kind}")
        edit.add_argument(f"--not-{kind}", action="append", default=[], metavar="ID", help=f"it is not of this {kind}")
        edit.add_argument(
            f"--forget-{kind}", action="append", default=[], metavar="ID", help="go by what the encoder says again"
        )
    edit.add_argument("--json", action="store_true", help="the same as GET /api/videos/ID afterwards")
    edit.set_defaults(run=_edit)

    delete = commands.add_parser("delete", help="delete videos; for a day they can be had back")
    delete.add_argument("ids", nargs="+", metavar="ID")
    delete.add_argument("--yes", action="store_true", help="do not ask")
    delete.add_argument("--now", action="store_true", help="for good, with no way back")
    delete.add_argument("--undo", action="store_true", help="have deleted ones back")
    delete.add_argument("--json", action="store_true", help="a line of JSON on standard output")
    delete.set_defaults(run=_delete)


def row_to_json(row: Row, url: str = "") -> dict[str, object]:
    """Return a video as `GET /api/videos` shows it."""
    from core.serving.videos import VideoBody

    return VideoBody.of(row, url).model_dump()


def _list(services: Services, arguments: argparse.Namespace) -> int:
    if arguments.trash:
        return _list_trash(services, arguments.json)
    asked = Asked(name=arguments.name, arrange=arguments.sort, limit=arguments.limit, offset=arguments.offset)
    page = services.library.listing.page(asked)
    if arguments.json:
        _print_json({"videos": [row_to_json(row) for row in page.rows], "total": page.total})
        return 0
    for row in page.rows:
        entry = row.entry
        size = "–" if row.size_bytes is None else f"{row.size_bytes / 1e6:,.1f} MB"
        print(f"{entry.video_id}  {entry.duration_s:8.1f} s {size:>12}  {entry.ingested_at[:10]}  {entry.title}")
    print(f"{len(page.rows):,} of {page.total:,} videos.", file=sys.stderr)
    return 0


def _list_trash(services: Services, as_json: bool) -> int:
    trash = services.library.trash
    videos = [(video, trash.goes_at(video).isoformat(timespec="seconds")) for video in trash.videos()]
    held = trash.held()
    if as_json:
        rows: list[dict[str, object]]
        rows = [{"video_id": one.video_id, "title": one.title, "deleted_at": one.deleted_at, "goes_at": goes}
                for one, goes in videos]  # fmt: skip
        rows += [{"video_id": one.video_id, "title": one.title, "deleted_at": one.deleted_at, "goes_at": None,
                  "problem": why} for one, why in held]  # fmt: skip
        _print_json({"videos": rows, "total": len(rows)})
        return 0
    for video, why in held:
        print(f"{video.video_id}  did not come back: {why or 'it is still to be encoded.'}  {video.title}")
    for video, goes in videos:
        print(f"{video.video_id}  until {goes}  {video.title}")
    return 0


def _show(services: Services, arguments: argparse.Namespace) -> int:
    row = services.library.listing.show(arguments.id)
    if row is None:
        raise AppError(f"There is no video {arguments.id} in the library. python -m core list says which there are.")
    if arguments.json:
        _print_json(row_to_json(row))
        return 0
    entry = row.entry
    facts = {
        "title": entry.title,
        "file": entry.filename,
        "tags": ", ".join(row.tags),
        "length": f"{entry.duration_s:.1f} s",
        "picture": f"{entry.width_px} × {entry.height_px}",
        "sound": "yes" if entry.has_audio else "no",
        "subtitles": ", ".join(entry.subtitle_languages),
        "size": "" if row.size_bytes is None else f"{row.size_bytes / 1e6:,.1f} MB",
        "added": entry.ingested_at,
        "encoder": entry.encoder,
        "seen": ", ".join(entry.seen),
        "categories": ", ".join(categories_of(entry)),
        "moods": ", ".join(moods_of(entry)),
        "stored as": entry.media_key,
        "content": entry.content_sha256,
    }
    for name, value in facts.items():
        if value:
            print(f"{name:<11} {value}")
    return 0


def _edit(services: Services, arguments: argparse.Namespace) -> int:
    said = [
        (kind, theme, holds)
        for kind in KINDS
        for option, holds in ((kind, True), (f"not_{kind}", False), (f"forget_{kind}", None))
        for theme in getattr(arguments, option)
    ]
    if arguments.title is None and arguments.tags is None and not said:
        raise AppError("Nothing is to be changed. Add --title, --tags, --category or --not-category …")
    for kind, theme, _ in said:  # All before the first change: one that there is not leaves the video as it was.
        services.taxonomy.category(theme) if kind == "category" else services.taxonomy.mood(theme)
    tags = None if arguments.tags is None else arguments.tags.split(",")
    if not services.library.editor.edit(arguments.id, title=arguments.title, tags=tags):
        raise AppError(f"There is no video {arguments.id} in the library. python -m core list says which there are.")
    for kind, theme, holds in said:
        services.correct(arguments.id, kind, theme, holds)
    return _show(services, arguments)


def _delete(services: Services, arguments: argparse.Namespace, ask: Callable[[str], str] | None = None) -> int:
    trash, ids = services.library.trash, list(dict.fromkeys(arguments.ids))
    if arguments.undo:
        back = trash.restore(ids)
        _say(arguments.json, f"{back:,} of {len(ids):,} are back.", restored=back)
        return 0 if back == len(ids) else 1
    before = services.index.count()
    titles = [row.entry.title for id_ in ids if (row := services.library.listing.show(id_)) is not None]
    if not arguments.yes and not _agreed(titles, arguments.now, ask):
        return 1
    deleted = trash.delete(ids)
    removed = trash.purge(ids) if arguments.now else None
    after = services.index.count()
    gone = before.videos + before.clips - after.videos - after.clips
    known = {video.video_id for video in deleted} | ({*ids} if removed and removed.videos == len(ids) else set())
    for id_ in ids:
        if id_ not in known:
            print(f"{id_} was not in the library.", file=sys.stderr)
    hours = round(KEEP_S / 3600)
    text = f"{len(deleted):,} deleted: {before.videos:,} videos before, {after.videos:,} now; {gone:,} entries fewer."
    if removed is None:
        text += f" For {hours} hours: python -m core delete --undo ID"
        _say(arguments.json, text, deleted=[video.video_id for video in deleted], entries=gone)
    else:
        text += f" For good, with {removed.files:,} files."
        _say(arguments.json, text, deleted=[video.video_id for video in deleted], entries=gone, files=removed.files)
    return 0 if known >= {*ids} else 1


def _agreed(titles: Sequence[str], for_good: bool, ask: Callable[[str], str] | None) -> bool:
    ask = ask or (input if sys.stdin is not None and sys.stdin.isatty() else None)
    if ask is None:
        raise AppError("Nobody is here to agree to that. Run the command in a terminal, or add --yes.")
    for title in titles:
        print(title)
    question = "Delete these for good?" if for_good else "Delete these?"
    return ask(f"{question} [y/N] ").strip().casefold() in ("y", "yes")


def _say(as_json: bool, text: str, **facts: object) -> None:
    print(json.dumps(facts, ensure_ascii=False) if as_json else text)


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))
