"""Export a library: everything that it takes to have it elsewhere without encoding or paying again (archive.py).

Deleted videos and jobs stay behind. Nothing is held of a library but some videos' entries and its files' names.
What is added, edited or deleted meanwhile may be in the export or not; each video is in it whole or not at all.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from core import __version__
from core.errors import MediaError, Sentence, StoreError
from core.files import whole
from core.index.base import Index
from core.ingest import stored
from core.library import archive
from core.library.archive import MEDIA, Manifest, Part, SpaceThere
from core.library.keepsakes import Keepsakes
from core.library.spaces import Serving
from core.library.vectors import Writer
from core.models import Entry
from core.names import slug
from core.stores.base import CountedStore

TOGETHER = 16
"""Videos whose clips are in memory together: a film has thousands."""
PART_ENTRIES = 20_000
"""Entries from which on a new file of vectors begins: one that is damaged takes no others with it."""

Show = Callable[[str, float], None]
"""Told what is being done and the fraction of it that is done. It may raise Cancelled, which ends it."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export holds now."""

    manifest: Manifest
    copied: int
    """Media that were written by this run."""
    kept: int
    """Media that an earlier one had written."""

    @property
    def problems(self) -> tuple[Sentence, ...]:
        return tuple(
            Sentence("{key} is not in the store any more, and so not in the export.", key=key)
            for key in self.manifest.missing
        )


Wanted = dict[str, None]
"""Keys of the media that the entries of all spaces and the ads name, in the order in which they came."""


class Exporter:
    """Export what a library has. Safe to use while it is used; one at a time into a folder.

    Raises StoreError, LibraryError or Unavailable, and what is written stays for the next run to go on with.
    """

    def __init__(self, serving: Serving, store: CountedStore, keepsakes: Keepsakes) -> None:
        self._serving = serving
        self._store = store
        self._keepsakes = keepsakes

    def run(self, folder: Path, show: Show = lambda doing, fraction: None) -> Exported:
        """Write the library into a folder, or what of it is not there yet."""
        with archive.as_sentences(folder):
            return self._run(folder, show)

    def _run(self, folder: Path, show: Show) -> Exported:
        folder.mkdir(parents=True, exist_ok=True)
        _check_ours(folder)
        known = archive.known_media(folder)
        now = datetime.now(UTC)
        manifest = Manifest(__version__, now.isoformat(timespec="seconds"), complete=False, run=archive.new_run(now))
        if not (folder / archive.MANIFEST).exists():
            archive.write(folder, manifest)
        run = folder / manifest.run
        shutil.rmtree(run, ignore_errors=True)  # of a run that was cut off within this second
        run.mkdir()
        sums: dict[str, str] = {}
        wanted: Wanted = {}
        spaces = self._write_spaces(run, sums, wanted, show)
        ads = self._keepsakes.ads.all()
        wanted.update(dict.fromkeys(key for ad in ads for key in ad.keys))
        media, copied, size_bytes = self._copy_media(folder, known, wanted, show)
        for name in self._keepsakes.write(run, ads):
            sums[f"{run.name}/{name}"] = archive.sha256(run / name)
        checksums = run / archive.CHECKSUMS
        with whole(checksums) as making, making.open("w", encoding="utf-8") as file:
            for name, said in [*sums.items(), *((f"{MEDIA}/{key}", said) for key, said in media.items())]:
                file.write(f"{said}  {name}\n")
        manifest = replace(
            manifest,
            complete=True,
            answers=self._serving.serving.name,
            videos=max((space.videos for space in spaces), default=0),
            files=len(media),
            size_bytes=size_bytes,
            spaces=tuple(spaces),
            checksums_sha256=archive.sha256(checksums),
            missing=tuple(key for key in wanted if key not in media),
        )
        archive.write(folder, manifest)
        _sweep(folder, manifest, media.keys())
        return Exported(manifest, copied, len(media) - copied)

    def _write_spaces(self, run: Path, sums: dict[str, str], wanted: Wanted, show: Show) -> list[SpaceThere]:
        written = []
        for space in self._serving.spaces.all():
            index = self._serving.bring(space.encoder, space.dimension).index
            total = index.count().videos
            if not total:
                continue
            parts: list[Part] = []
            name = f"{slug(space.encoder, 'space')}-{hashlib.sha256(space.encoder.encode()).hexdigest()[:8]}"
            folder = run / "vectors" / name
            videos = _videos(index)
            noted = 0

            def note(whole: Entry, total: int = total) -> None:
                nonlocal noted
                noted += 1
                wanted.update(dict.fromkeys(files_of(whole)))
                show("vectors", min(1.0, noted / total))

            while part := _write_part(folder / f"{len(parts):05d}.parquet", space.dimension, videos, note):
                parts.append(replace(part, path=f"{run.name}/vectors/{name}/{part.path}"))
                sums[parts[-1].path] = archive.sha256(folder / part.path)
            written.append(SpaceThere(space.encoder, space.dimension, space.complete, noted, tuple(parts)))
        return written

    def _copy_media(
        self, folder: Path, known: dict[str, str], wanted: Wanted, show: Show
    ) -> tuple[dict[str, str], int, int]:
        """Copy the media that are not there yet; return the checksums of all, how many were copied, and their bytes."""
        sizes = self._store.sizes()
        total = sum(sizes.get(key, 0) for key in wanted) or 1
        media: dict[str, str] = {}
        copied = done = size_bytes = 0
        target = folder / MEDIA
        target.mkdir(exist_ok=True)

        def is_there(key: str) -> bool:
            path = target / key
            return key in known and path.is_file() and path.stat().st_size == sizes.get(key)

        _check_room(folder, sum(sizes.get(key, 0) for key in wanted if not is_there(key)))
        for part in target.glob(".*.part"):
            part.unlink(missing_ok=True)
        with (folder / archive.JOURNAL).open("a", encoding="utf-8") as journal:
            for key in wanted:
                path = target / key

                def read(size: int) -> None:
                    nonlocal done
                    done += size
                    show("media", min(1.0, done / total))

                if is_there(key):
                    media[key] = known[key]
                    read(sizes[key])
                else:
                    with suppress(MediaError):  # it is among the missing ones then
                        media[key] = self._copy(key, path, read)
                        copied += 1
                        journal.write(f"{media[key]}  {MEDIA}/{key}\n")
                        journal.flush()
                if key in media:
                    size_bytes += path.stat().st_size
        return media, copied, size_bytes

    def _copy(self, key: str, target: Path, on_bytes: Callable[[int], None]) -> str:
        """Copy a file of the store, and return its checksum. Raises MediaError when the store does not have it."""
        source = self._store.local_path(key)
        if source is None:
            target.unlink(missing_ok=True)
            stored.fetch(self._store, key, target, lambda fraction: on_bytes(0))
            return archive.sha256(target, on_bytes)
        digest = hashlib.sha256()
        try:
            file = source.open("rb")
        except FileNotFoundError as error:
            raise MediaError("{key} is no longer in the store.", key=key) from error
        with file, whole(target) as making, making.open("xb") as copy:
            while chunk := file.read(archive.CHUNK_BYTES):
                copy.write(chunk)
                digest.update(chunk)
                on_bytes(len(chunk))
        return digest.hexdigest()


def _write_part(
    path: Path, dimension: int, videos: Iterator[Sequence[Entry]], note: Callable[[Entry], None]
) -> Part | None:
    """Write the next videos into a file of vectors; None when there are none left."""
    one = next(videos, None)
    if one is None:
        return None
    with whole(path) as making:
        writer = Writer(making, dimension)
        try:
            while one is not None:
                writer.add(one)
                note(one[0])
                one = next(videos, None) if writer.entries < PART_ENTRIES else None
        finally:
            writer.close()
    return Part(path.name, writer.videos, writer.entries)


def files_of(whole: Entry) -> list[str]:
    """Return the keys of the files of a video: what plays comes last."""
    return [key for key in (whole.poster_key, *whole.caption_keys, whole.media_key) if key]


def _videos(index: Index) -> Iterator[list[Entry]]:
    """Yield the entries of each video of an index, its own first; of one that is being deleted all or nothing."""
    wholes = index.scroll(scope="video")
    while batch := list(islice(wholes, TOGETHER)):
        ids = [entry.video_id for entry in batch]
        clips: dict[str, list[Entry]] = defaultdict(list)
        for clip in index.retrieve(ids, scope="clip"):
            clips[clip.video_id].append(clip)
        there = {entry.video_id for entry in index.retrieve(ids, with_vectors=False)}
        for entry in batch:
            if entry.video_id in there:
                yield [entry, *clips[entry.video_id]]


def _check_room(folder: Path, needed: int) -> None:
    """Raise StoreError where the disk cannot take what is to be copied: better now than after hours."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StoreError(
            "{folder} has {free:,.1f} MB free and the export still needs {needed:,.1f} MB. Make room there, or name a "
            "folder on another disk.",
            folder=folder,
            free=free / 1e6,
            needed=needed / 1e6,
        )


def _check_ours(folder: Path) -> None:
    """Raise StoreError for a folder that holds anything but an export: what is in it would be among strangers."""
    if not (folder / archive.MANIFEST).exists() and any(not path.name.startswith(".") for path in folder.iterdir()):
        raise StoreError(
            "{folder} is not empty and holds no export. Name a new folder, or an empty one.", folder=folder
        )


def _sweep(folder: Path, manifest: Manifest, media: Collection[str]) -> None:
    """Remove what an earlier export had and this one does not name: it is complete, and no other needs it."""
    for path in folder.iterdir():
        if archive.RUN.fullmatch(path.name) and path.name != manifest.run:
            shutil.rmtree(path, ignore_errors=True)
    for path in folder.glob(".*.part"):
        path.unlink(missing_ok=True)
    for path in (folder / MEDIA).iterdir():
        if archive.KEY.fullmatch(path.name) and path.name not in media:
            path.unlink(missing_ok=True)
    (folder / archive.JOURNAL).unlink(missing_ok=True)
