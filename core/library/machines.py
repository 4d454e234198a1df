"""A library on more than one machine: python -m core worker, and ingest --enqueue."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import PurePosixPath

from core.errors import SettingsError
from core.ingest.work import FETCHED
from core.services import Services, build
from core.settings import Settings

AT_ONCE = 1000
"""Files that are written down in one go."""


def work(settings: Settings, concurrency: int | None) -> int:
    """Work on the jobs that machines share until a signal comes; return the exit code. Raises AppError."""
    if not settings.database_url:
        raise SettingsError(
            "A worker takes the jobs of a database that it shares with the app. Set DATABASE_URL for both; without "
            "it the app itself works on them."
        )
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    services = build(settings, workers=concurrency)
    try:
        services.start()
        print(f"Working on what comes from {services.state}. Ctrl-C ends it.", flush=True)
        while not ended.wait(1.0):
            pass
    finally:
        services.close()
    return 0


def enqueue(services: Services, found: Sequence[str], suffixes: frozenset[str], files: Iterator[str]) -> int:
    """Queue all videos under some folders, files and s3://BUCKET/PREFIX without opening one; return the exit code."""
    if not services.settings.database_url:
        raise SettingsError("--enqueue leaves files to workers, which take them from a database. Set DATABASE_URL.")
    sources, known = _sources(services, found, suffixes, files), {job.id for job in services.jobs.jobs()}
    count = 0
    while some := list(islice(sources, AT_ONCE)):
        count += sum(job.id not in known for job in services.jobs.enqueue(some))
        if sys.stderr.isatty():
            print(f"\r{count:,} queued", end="", file=sys.stderr, flush=True)
    print(f"{count:,} files are queued." if count else "There is no new video file there.")
    return 0


def _sources(
    services: Services, found: Sequence[str], suffixes: frozenset[str], files: Iterator[str]
) -> Iterator[tuple[str, str | None]]:
    for path in files:
        yield path, None
    listed = getattr(services.store, "listed", None)
    for prefix in found:
        if listed is None:
            raise SettingsError(f"{prefix} cannot be looked through: set AWS_BUCKET_NAME and the credentials.")
        for name in listed(prefix.removeprefix(f"{FETCHED}:")):
            if PurePosixPath(name).suffix.lower() in suffixes:
                yield f"{FETCHED}:{name}", PurePosixPath(name).name
