"""The command line: python -m core ingest | search | samples | calibrate | model | reembed | move | doctor, and
what core/library/commands.py and core/ads/commands.py add."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import get_args

from core import __version__, samples
from core.ads import commands as ads
from core.discover import calibrating
from core.encoders import clip_download, clip_models
from core.errors import AppError
from core.ingest import reasons
from core.ingest.folder_watch import SUFFIXES
from core.library import carry_commands, machines
from core.library import commands as library
from core.library.damage import names_of
from core.models import Job, Query, Sort, Stage
from core.properties import PROPERTIES
from core.services import Services, build, calibrations, open_spaces
from core.serving.bodies import read_query
from core.serving.routes import hit_to_json
from core.settings import Settings, load


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the process's exit code."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        code = _run(arguments)
        sys.stdout.flush()  # in here, where it is noticed that nobody reads it
        return code
    except AppError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Who read it wants no more (`| head`). What is left would be written at the very end, and fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        print(_of_os(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again to go on from here.", file=sys.stderr)
        return 130


def _run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code. Raises AppError, OSError."""
    if arguments.command == "doctor":
        from core.doctor import run

        return run()
    if arguments.command == "move":
        from core.library import move

        return move.run(load(), arguments.to, rewrite=arguments.rewrite)
    if arguments.command == "model":
        return _MODEL[arguments.action](load(), arguments.name)
    settings = load()
    if arguments.command == "worker":
        return machines.work(settings, arguments.concurrency)
    if arguments.command == "calibrate" and arguments.reset and _drop_damaged(settings):
        return 0
    if arguments.command == "recover":
        with closing(open_spaces(settings)) as spaces:  # a server looks after its files itself
            for aside in getattr(spaces, "put_damaged_aside", list)():
                print(f"What could not be read is put aside: {aside}", file=sys.stderr)
    enqueues = getattr(arguments, "enqueue", False)
    services = build(settings, workers=0 if enqueues else None)
    try:
        return arguments.run(services, arguments)
    finally:
        services.close()


def _of_os(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{reasons.of_os(error)}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core", description="Fill and search the video library.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    ingest = commands.add_parser("ingest", help="add video files or folders of them")
    ingest.add_argument("paths", nargs="+", metavar="PATH")
    ingest.add_argument(
        "--enqueue", action="store_true", help="leave them to workers; a PATH may be s3://BUCKET/PREFIX, or all see it"
    )
    ingest.add_argument("--json", action="store_true", help="a line of JSON a video on standard output")
    ingest.set_defaults(run=_ingest)

    worker = commands.add_parser("worker", help="work on the files of a library that machines share")
    worker.add_argument("--concurrency", type=_at_least_one, metavar="N", help="files at once")

    search = commands.add_parser("search", help="find videos by words, category and mood")
    search.add_argument("words", nargs="?", default="")
    search.add_argument("--category", action="append", default=[], help="an id or label; may be given several times")
    search.add_argument("--mood", action="append", default=[], help="an id or label; may be given several times")
    search.add_argument("--strength", type=float, default=Query().strength, help="0: no mood, 1: nothing but the mood")
    search.add_argument("--variety", type=float, default=0.0, help="0: the closest, 1: the most varied")
    search.add_argument("--like", metavar="VIDEO_ID", help="more like this video")
    search.add_argument("--like-at", type=float, metavar="SECOND", help="more like this moment of it")
    search.add_argument("--profile", help="whose taste counts")
    search.add_argument("--hide-seen", action="store_true", help="leave out what the profile has seen")
    for row in PROPERTIES.values():
        values = f" One of {', '.join(row.options)}." if row.options else ""
        search.add_argument(
            f"--{row.name}", action="append", default=[], help=f"{row.description}{values} May be given several times."
        )
    search.add_argument("--sort", default="match", help=f"one of {', '.join(get_args(Sort))}")
    search.add_argument("--limit", type=int, default=10, help="how many to show")
    search.add_argument("--offset", type=int, default=0, help="how many of the best to pass over")
    search.add_argument("--json", action="store_true", help="the same array as POST /search")
    search.set_defaults(run=_search)

    library.add_to(commands)
    ads.add_to(commands)
    carry_commands.add_to(commands)

    sample = commands.add_parser("samples", help="render and add the sample library")
    sample.add_argument("--json", action="store_true", help="a line of JSON a video on standard output")
    sample.set_defaults(run=_samples)

    reembed = commands.add_parser("reembed", help="let another encoder read the videos that are in the library")
    reembed.add_argument("--to", metavar="ENCODER", help="which one; the one that is set unless said")
    reembed.add_argument("--yes", action="store_true", help="do not ask before it begins")
    reembed.add_argument("--drop-old", action="store_true", help="free what other encoders made, once it is done")
    reembed.add_argument("--skip-failed", action="store_true", help="go on without videos that cannot be read")
    reembed.set_defaults(run=_reembed)

    calibrate = commands.add_parser("calibrate", help="fit what counts as a match to the videos of this library")
    calibrate.add_argument("--reset", action="store_true", help="go by the encoder's own numbers again")
    calibrate.set_defaults(run=_calibrate)

    move = commands.add_parser("move", help="copy the library between the embedded index and a Qdrant server")
    move.add_argument("--to", required=True, choices=("server", "edge"), help="where to copy it")
    move.add_argument("--rewrite", action="store_true", help="write also what is there already")

    model = commands.add_parser("model", help="get, list or remove the model that lets the app see")
    model.add_argument("action", choices=tuple(_MODEL))
    model.add_argument("name", nargs="?", choices=clip_models.NAMES, help="CLIP_MODEL when not given")

    recover = commands.add_parser("recover", help="read stored videos again that a damaged library lost")
    recover.add_argument("--json", action="store_true", help="a line of JSON a video on standard output")
    recover.set_defaults(run=_recover)

    commands.add_parser("doctor", help="check every configured backend and say what to do")
    return parser


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 256:
        raise argparse.ArgumentTypeError("a whole number from 1 to 256")
    return int(text)


def _ingest(services: Services, arguments: argparse.Namespace) -> int:
    far = [path for path in arguments.paths if path.startswith("s3://")]
    files = _files([Path(path) for path in arguments.paths if path not in far])
    if arguments.enqueue:
        return machines.enqueue(services, far, SUFFIXES, (str(path) for path in files))
    if far:
        raise AppError(f"{far[0]} is left to workers: add --enqueue, with DATABASE_URL set.")
    return _run_jobs(services, [(path, path.name) for path in files], arguments.json)


def _samples(services: Services, arguments: argparse.Namespace) -> int:
    sources = [(f"sample:{scene.name}", f"{scene.name}.mp4") for scene in samples.SCENES]
    return _run_jobs(services, sources, arguments.json)


def _recover(services: Services, arguments: argparse.Namespace) -> int:
    """Read the stored copies that nothing in the library knows of, under the names they had where these are known."""
    names, store = names_of(services.jobs.jobs()), services.store
    lost = services.damage.lost() if services.damage else ()
    paths = [(path, names.get(key, key)) for key in lost if (path := store.local_path(key)) is not None]
    if not paths:
        print("Every stored video is in the library.", file=sys.stderr)
        return 0
    return _run_jobs(services, paths, arguments.json)


def _reembed(services: Services, arguments: argparse.Namespace) -> int:
    from core.library import reembedding

    return reembedding.run(
        services,
        to=arguments.to,
        yes=arguments.yes,
        drop_old=arguments.drop_old,
        skip_failed=arguments.skip_failed,
        ask=reembedding.terminal(),
    )


def _search(services: Services, arguments: argparse.Namespace) -> int:
    asked = {name: value for name, value in vars(arguments).items() if name not in ("command", "run", "json", "words")}
    _wait_for_texts(services)
    hits = services.discover.search(read_query({**asked, "query": arguments.words})).hits
    if arguments.json:
        print(json.dumps([hit_to_json(hit) for hit in hits], ensure_ascii=False, indent=2))
        return 0
    if not hits:
        print("Nothing in the library matches that.")
    for hit in hits:
        moment = f"{_clock(hit.start_s)}–{_clock(hit.end_s)}"
        print(f"{hit.score:5.2f}  {hit.confidence or '':<6}  {moment:>11}  {hit.title}  ({hit.filename})")
    return 0


def _wait_for_texts(services: Services) -> None:
    while (reading := services.reading()) and reading.problem is None:
        time.sleep(0.1)  # Here nobody is kept from anything else; what keeps it from going on ends the waiting.


def _calibrate(services: Services, arguments: argparse.Namespace) -> int:
    name, kept = services.encoder.info.name, calibrations(services.settings)
    if arguments.reset:
        was = kept.forget(name)
        print(
            f"{name} goes by its own numbers again; a running app from its next start on."
            if was
            else f"{name} was not calibrated."
        )
        return 0
    calibrating.check(services.index.count().videos)
    if reading := services.reading():
        print(f"{name} is asked for {reading.total - reading.known} texts of categories and moods; the rest is kept.")
    _wait_for_texts(services)
    fitted = calibrating.fit(services.discover)
    before, after = fitted.before.calibration, fitted.after.calibration
    kept.keep(name, after, fitted.videos)
    print(f"{name}: {fitted.videos} videos looked at.")
    print(f"  {'':44}{'before':>8}{'now':>8}")
    for said, *numbers in (
        ("how much closeness usually differs (spread)", f"{before.spread:.3f}", f"{after.spread:.3f}"),
        ("a video is shown from", f"{before.fits:.2f}", f"{after.fits:.2f}"),
        ("is related from", f"{before.related:.2f}", f"{after.related:.2f}"),
        ("is a strong match from", f"{before.strong:.2f}", f"{after.strong:.2f}"),
        ("categories claimed of these videos, in all", fitted.before.claims, fitted.after.claims),
        ("videos of which none is claimed", fitted.before.unclaimed, fitted.after.unclaimed),
    ):
        print(f"  {said:<44}" + "".join(f"{number:>8}" for number in numbers))
    print(
        f"Kept in {kept.path}; a running app takes it at its next start. To undo it: python -m core calibrate --reset"
    )
    return 0


def _drop_damaged(settings: Settings) -> bool:
    """Remove the file of calibrations where it is damaged, and so keeps the app from opening; tell whether it was."""
    kept = calibrations(settings)
    if not kept.is_damaged():
        return False
    kept.drop()
    print(f"{kept.path} was damaged and is removed: every encoder goes by its own numbers again.")
    return True


def _get_model(settings: Settings, name: str | None) -> int:
    model = clip_models.named(name or settings.clip_model)
    print(f"{model.name}: {model.size_bytes / 1e9:.1f} GB, {model.languages}, {model.licence}")
    folders = clip_download.get(model, settings.models_dir, _print_bytes, threads=settings.clip_threads)
    _clear_bar()
    print(f"It is in {folders.vision.parent.parent.parent} and works.")
    if name and name != settings.clip_model:
        print(f"Set CLIP_MODEL={name} to use it.")
    elif settings.encoder_wanted not in ("auto", "clip"):
        print(f"ENCODER is {settings.encoder_wanted}: set it to clip, or unset it, to use the model.")
    else:
        print("The app uses it from its next start on.")
    return 0


def _list_models(settings: Settings, name: str | None) -> int:
    for row in clip_download.listed(settings.models_dir):
        if name and row.model.name != name:
            continue
        held = f"{row.bytes_here / 1e9:.2f} GB on this machine"
        state = held if row.here else f"{held}, not whole: get it again" if row.bytes_here else "not on this machine"
        size = f"{row.model.size_bytes / 1e9:.1f} GB"
        print(f"{row.model.name:<10} {size:>7}  {row.model.licence:<11} {row.model.languages:<15} {state}")
    if settings.clip_model_dir:
        print(f"CLIP_MODEL_DIR is set: {settings.clip_model} is taken from {settings.clip_model_dir}.")
    return 0


def _remove_model(settings: Settings, name: str | None) -> int:
    model = clip_models.named(name or settings.clip_model)
    freed = clip_download.remove(model, settings.models_dir)
    print(f"Removed {model.name}: {freed / 1e9:.2f} GB." if freed else f"{model.name} was not on this machine.")
    return 0


_MODEL = {"get": _get_model, "list": _list_models, "remove": _remove_model}


def _print_bytes(done: int, total: int) -> None:
    """Draw one line of progress on a terminal's standard error; nothing into files and pipes."""
    if sys.stderr.isatty():
        share = done / (total or 1)
        text = f"{_bar(share)} {share:4.0%}  {done / 1e6:,.0f} of {total / 1e6:,.0f} MB"
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def _clear_bar() -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def _bar(share: float) -> str:
    filled = int(share * 30)
    return "█" * filled + "░" * (30 - filled)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the files named, and the video files in the folders named, in order."""
    for path in paths:
        if not os.path.exists(path):  # a name that no disk takes is not there either
            raise AppError(f"{path} does not exist. Name a video file or a folder.")
        if not path.is_dir():
            yield path.absolute()
            continue
        for inner in sorted(path.rglob("*")):
            hidden = any(part.startswith(".") for part in inner.relative_to(path).parts)
            if inner.suffix.lower() in SUFFIXES and not hidden and inner.is_file():
                yield inner.absolute()


def _run_jobs(services: Services, sources: Sequence[tuple[str | Path, str]], as_json: bool) -> int:
    """Submit, watch until all are over, print each as it ends; 1 if any did not get ready."""
    if not sources:
        print("There is no video file there.", file=sys.stderr)
        return 1
    jobs = services.jobs
    open_ids = list(dict.fromkeys(jobs.submit(source, filename).id for source, filename in sources))
    total, failed = len(open_ids), 0
    jobs.start()
    while open_ids:
        jobs.wait(open_ids, timeout_s=0.3)
        present = [job for job_id in open_ids if (job := jobs.job(job_id)) is not None]
        failed += len(open_ids) - len(present)
        for job in present:
            if job.stage.is_over:
                failed += job.stage is not Stage.READY
                _print_job(job, as_json)
        open_ids = [job.id for job in present if not job.stage.is_over]
        _print_bar([job for job in present if not job.stage.is_over], total)
        time.sleep(0.05)
    _print_bar([], total)
    if not as_json:
        print(f"{total - failed} of {total} in the library.")
    return 1 if failed else 0


def _print_job(job: Job, as_json: bool) -> None:
    if as_json:
        row = {
            "filename": job.filename,
            "video_id": job.video_id,
            "stage": job.stage.value,
            "reason": job.reason,
            "seconds": round(job.elapsed_s, 3),
        }
        print(json.dumps(row, ensure_ascii=False), flush=True)
        return
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    text = f" – {job.reason}" if job.reason else f" – {', '.join(job.seen)}" if job.seen else ""
    print(f"{job.stage.value:<9} {job.elapsed_s:6.1f} s  {job.filename}{text}", flush=True)


def _print_bar(present: Sequence[Job], total: int) -> None:
    """Draw one line of progress on a terminal's standard error; nothing into files and pipes."""
    if not sys.stderr.isatty():
        return
    if not present:
        print("\r\033[K", end="", file=sys.stderr)
        return
    done = (total - len(present) + sum(job.overall for job in present)) / total
    busy = next((job for job in present if job.stage is not Stage.QUEUED), present[0])
    print(
        f"\r\033[K{_bar(done)} {done:4.0%}  {busy.stage.value}: {busy.filename[:50]}",
        end="",
        file=sys.stderr,
        flush=True,
    )


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


if __name__ == "__main__":
    sys.exit(main())
