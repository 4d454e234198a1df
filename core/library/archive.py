"""What an export is: a folder that says what is in it, so that it can be checked, gone on with and taken in again.

    manifest.json            what is there, and whether all of it is: the last thing that is written
    media/KEY                videos, posters, subtitles and ads under the names that they have in the store
    20261126T045501Z/        everything else as it was at that time (UTC)
        checksums.txt        of every file, as `sha256sum -c` reads it
        vectors/SPACE/*.parquet    what each encoder made of the videos (vectors.py)
        likes.jsonl, channels.jsonl, corrections.jsonl, taxonomy.toml, calibration.json, ads.jsonl    (keepsakes.py)

An export into a folder that holds one already writes a new folder of the second kind and the media that are missing;
then the manifest names the new one and the old one goes. So at every moment the manifest tells the truth: a kill
leaves an export that says that it is not complete, or the complete one that was there before.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.errors import StoreError
from core.files import write_text
from core.stores.base import KEY

FORMAT = 1
MANIFEST, MEDIA, JOURNAL = "manifest.json", "media", "checksums.part"
CHECKSUMS = "checksums.txt"
CHUNK_BYTES = 1024 * 1024
RUN = re.compile(r"\d{8}T\d{6}Z")
_INSIDE = re.compile(rf"{RUN.pattern}/(?:[a-z]+\.(?:txt|jsonl|json|toml)|vectors/[a-z0-9-]{{1,80}}/\d{{5}}\.parquet)")
_SUM = re.compile(r"([0-9a-f]{64})  (.+)")


@dataclass(frozen=True, slots=True)
class Part:
    """A file of vectors."""

    path: str
    videos: int
    entries: int


@dataclass(frozen=True, slots=True)
class SpaceThere:
    """What one encoder made, as it is in an export."""

    encoder: str
    dimension: int
    complete: bool
    """Every video of the library was in it."""
    videos: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an export says of itself."""

    app: str
    """Version of the app that made it."""
    made_at: str
    """UTC, ISO 8601."""
    complete: bool
    run: str = ""
    """Name of the folder that everything but the media is in."""
    answers: str = ""
    """The encoder whose space answered."""
    videos: int = 0
    files: int = 0
    size_bytes: int = 0
    """Of the media."""
    spaces: tuple[SpaceThere, ...] = ()
    checksums_sha256: str = ""
    missing: tuple[str, ...] = ()
    """Keys of media that the store did not have any more."""


def new_run(now: datetime | None = None) -> str:
    """Return the name of the folder of an export that begins now."""
    return (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")


def write(folder: Path, manifest: Manifest) -> None:
    """Put a manifest in the place of the one that is there. Raises OSError."""
    said = {"format": FORMAT, "left_out": ["deleted videos", "jobs"], **asdict(manifest)}
    write_text(folder / MANIFEST, json.dumps(said, ensure_ascii=False, indent=1) + "\n")


def read(folder: Path) -> Manifest:
    """Return the manifest of an export, complete or not. Raises StoreError where there is none that can be used."""
    try:
        said = json.loads((folder / MANIFEST).read_text("utf-8"))
        made_by = int(said["format"])
        if made_by > FORMAT:
            raise StoreError(
                "The export in {folder} was made by version {version} of the app, whose exports this version cannot "
                "read. Update the app and import it again.",
                folder=folder,
                version=said.get("app"),
            )
        spaces = tuple(
            SpaceThere(
                str(space["encoder"]),
                int(space["dimension"]),
                bool(space["complete"]),
                int(space["videos"]),
                tuple(Part(str(part["path"]), int(part["videos"]), int(part["entries"])) for part in space["parts"]),
            )
            for space in said["spaces"]
        )
        manifest = Manifest(
            app=str(said["app"]),
            made_at=str(said["made_at"]),
            complete=said["complete"] is True,
            run=str(said["run"]),
            answers=str(said["answers"]),
            videos=int(said["videos"]),
            files=int(said["files"]),
            size_bytes=int(said["size_bytes"]),
            spaces=spaces,
            checksums_sha256=str(said["checksums_sha256"]),
            missing=tuple(map(str, said["missing"])),
        )
    except FileNotFoundError:
        raise StoreError(
            "{folder} holds no export: it has no {name}. Name the folder of one.", folder=folder, name=MANIFEST
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(folder, MANIFEST) from error
    for name in (f"{manifest.run}/{CHECKSUMS}", *(part.path for space in spaces for part in space.parts)):
        if manifest.complete:
            inside(folder, name)
    return manifest


def read_whole(folder: Path) -> Manifest:
    """Return the manifest of an export that can be taken in. Raises StoreError saying why one cannot."""
    manifest = read(folder)
    if not manifest.complete:
        raise StoreError(
            "The export in {folder} is not complete: it was interrupted. Run python -m core export {folder} again "
            "where it was made; it goes on where it was.",
            folder=folder,
        )
    return manifest


def inside(folder: Path, name: str) -> Path:
    """Return where a file of an export is. Raises StoreError for a name that is none of an export's, or leads out."""
    media, slash, key = name.partition("/")
    known = (media == MEDIA and slash and KEY.fullmatch(key)) or _INSIDE.fullmatch(name)
    path = folder / name
    if not known or not path.resolve().is_relative_to(folder.resolve()):
        raise StoreError(
            "The export in {folder} names the file {name!r}, which is none of an export's own. It was not made by this "
            "app, or somebody changed it: export again where it was made.",
            folder=folder,
            name=name,
        )
    return path


def damaged(folder: Path, name: str) -> StoreError:
    """Return the error of a file without which an export cannot be read."""
    return StoreError(
        "{name} of the export in {folder} is damaged. Run python -m core export {folder} again where it was made: "
        "media that are there are not copied again.",
        name=name,
        folder=folder,
    )


def checksums(folder: Path, manifest: Manifest) -> Mapping[str, str]:
    """Return the SHA-256 of each file of an export, in hexadecimal. Raises StoreError where they are damaged."""
    name = f"{manifest.run}/{CHECKSUMS}"
    path = inside(folder, name)
    try:
        if sha256(path) != manifest.checksums_sha256:
            raise damaged(folder, name)
        return dict(_sums(path))
    except OSError as error:
        raise damaged(folder, name) from error


def known_media(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of the media that exports into a folder have written, by key, also those cut off."""
    known: dict[str, str] = {}
    places = [folder / JOURNAL]
    try:
        places.insert(0, folder / read(folder).run / CHECKSUMS)
    except StoreError:
        pass  # none was ever completed; what was copied is in the journal
    for place in places:
        try:
            known |= {name.partition("/")[2]: said for name, said in _sums(place) if name.startswith(f"{MEDIA}/")}
        except OSError:
            continue
    return known


def sha256(path: Path, on_bytes: Callable[[int], None] = lambda size: None) -> str:
    """Return the SHA-256 of a file in hexadecimal, read a piece at a time; each piece is told. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            on_bytes(len(chunk))
    return digest.hexdigest()


def _sums(path: Path) -> Iterator[tuple[str, str]]:
    """Yield names and checksums; a last line that was cut off is none."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.endswith("\n") and (found := _SUM.fullmatch(line[:-1])):
                yield found[2], found[1]


@contextmanager
def as_sentences(folder: Path) -> Iterator[None]:
    """Turn what the disk of an export says into a sentence."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            "{folder} cannot be used for an export: {why}. Make room there, or name another folder; what was written "
            "stays, and the same command goes on.",
            folder=folder,
            why=error.strerror or str(error),
        ) from error
