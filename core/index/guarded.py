"""Open an embedded space whatever became of its files: what is damaged is put aside and made anew from what is not.

A space is a note (`library.json`), a shard, and a spare (spare.py). Any one of them is made anew from the other two;
nothing that is damaged is deleted, it gets another name beside its own (files.py). Only a shard and a spare that are
both damaged take a person: the videos are in the store, and `python -m core recover` reads them again.
"""

from __future__ import annotations

import logging
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from core.errors import LibraryDamaged, LibraryError, LibraryLocked
from core.files import put_aside, see_on_disk
from core.index import base, trial
from core.index.edge import BATCH, SHARD, EdgeIndex, make_shard
from core.index.notes import NOTE, read_note, write_note
from core.index.spare import Spare, SpareDamaged, note_in
from core.models import EncoderInfo, Entry

logger = logging.getLogger(__name__)
T = TypeVar("T")

SPARE = "spare.sqlite3"
TRIAL_S = 300.0
"""How long reading a whole shard may take: 100,000 entries take some 3 s."""
_CRASHES = {-number for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGILL, getattr(signal, "SIGBUS", 0))}
_NOT_ITS_FAULT = ("Permission denied", "Read-only file system", "No space left", "Too many open files")
"""What Edge passes on of the system that says nothing of the file."""
_CLOSE = 1e-3


def open_guarded(folder: Path, info: EncoderInfo, *, complete: bool = True, seen_whole: bool = False) -> EdgeIndex:
    """Open the space in a folder, made if there is none, with its spare; what is damaged is mended first.

    One that was `seen_whole` by this process and was closed well is not looked through again. Raises what EdgeIndex
    raises, and LibraryError saying what to do where nothing is left to mend it from.
    """
    space = base.Space(info.name, info.dimension, complete)
    try:
        if folder.exists() and (found := note_of(folder)) is not None:
            space = found
            if (space.encoder, space.dimension) == (info.name, info.dimension):
                return _mended(folder, info, space, seen_whole)
        index = EdgeIndex(folder, info, complete=complete)  # one that another encoder filled says so
        try:
            index.spare = _spare(folder, space)
            index.spare.mark_whole()
        except BaseException:
            index.close()
            raise
        return index
    except OSError as error:
        raise LibraryError(
            "The library folder {path} cannot be used: {why}. Let this user write to it, or set DATA_DIR to another "
            "folder.",
            path=folder,
            why=error.strerror or error,
        ) from error


def note_of(folder: Path) -> base.Space | None:
    """Return what the folder of a space is, its note written anew from the spare where it says nothing; None for an
    empty folder. Raises LibraryError and OSError."""
    try:
        return read_note(folder)
    except LibraryError:
        kept = note_in(folder / SPARE)
        if kept is None:
            if not (folder / NOTE).exists() and not any(folder.iterdir()):
                return None
            raise LibraryDamaged(
                "{path} does not say which encoder filled the library, and there is no second copy of it. Restore it "
                "from a backup; or stop the app and run python -m core recover, which puts it aside and reads the "
                "stored videos again.",
                path=folder / NOTE,
            ) from None
        aside = put_aside(folder / NOTE) if (folder / NOTE).exists() else None
        write_note(folder, kept)
        logger.warning("%s was damaged and was made anew%s.", folder / NOTE, _told(aside))
        return kept


def _mended(folder: Path, info: EncoderInfo, space: base.Space, seen_whole: bool) -> EdgeIndex:
    shard = folder / SHARD
    wrong = None if seen_whole else _tried(shard)
    spare = _spare(folder, space, seen_whole)
    try:
        if wrong is not None:
            _replace_shard(shard, info, spare, wrong)
        index = EdgeIndex(folder, info, spare=spare)
    except BaseException:
        spare.close(well=False)
        raise
    try:
        if wrong is not None or not spare.is_whole or _looks_through(spare, seen_whole) or _differ(index, spare):
            _reconciled(index, space)
    except BaseException:
        spare.close(well=False)
        index.close()
        raise
    return index


def _reconciled(index: EdgeIndex, space: base.Space) -> None:
    """Reconcile an index with its spare; with a new one where that turns out to be damaged."""
    assert index.spare is not None
    try:
        reconcile(index, index.spare)
    except SpareDamaged as error:
        index.spare.close(well=False)
        index.spare = None
        index.spare = _anew(index.path / SPARE, space, error)
        reconcile(index, index.spare)
    index.spare.mark_whole()


def _tried(shard: Path) -> str | None:
    """Return what is wrong with a shard; None when it can be read. Raises LibraryLocked."""
    if not shard.is_dir():
        return "it is gone"
    command = [sys.executable, "-I", trial.__file__, str(shard)]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=TRIAL_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        logger.warning("Whether %s is whole could not be tried: %s", shard, error)
        return None
    if ended.returncode == trial.LOCKED:
        raise LibraryLocked(
            "The library in {path} is in use by another running app or command. Stop that one first, or set DATA_DIR "
            "to another folder.",
            path=shard.parent,
        )
    if ended.returncode in _CRASHES:
        return f"reading it ends a process with {signal.Signals(-ended.returncode).name}"
    if ended.returncode != trial.DAMAGED or any(said in ended.stdout for said in _NOT_ITS_FAULT):
        return None  # opening it says what it is
    return " ".join(ended.stdout.split())[:200]


def _spare(folder: Path, space: base.Space, seen_whole: bool = False) -> Spare:
    """Return the spare of a space; an empty one where there was none, or where it was damaged and is put aside."""
    path = folder / SPARE
    try:
        spare = Spare(path, space)
        try:
            if _looks_through(spare, seen_whole):
                spare.check()
        except BaseException:
            spare.close(well=False)
            raise
        return spare
    except SpareDamaged as error:
        return _anew(path, space, error)


def _anew(path: Path, space: base.Space, error: SpareDamaged) -> Spare:
    """Put a damaged spare aside and return an empty one."""
    aside = put_aside(path)
    for extra in ("-wal", "-shm"):
        path.with_name(path.name + extra).unlink(missing_ok=True)  # of no use without the file
    logger.warning("%s It is made anew%s.", error, _told(aside))
    return Spare(path, space)


def _looks_through(spare: Spare, seen_whole: bool) -> bool:
    """Tell whether every entry is looked at: after it was cut off always, else of what is not large."""
    return not spare.closed_well or (not seen_whole and spare.count() <= trial.MANY)


def _differ(index: EdgeIndex, spare: Spare) -> bool:
    return index.size() != spare.count()


def _replace_shard(shard: Path, info: EncoderInfo, spare: Spare, wrong: str) -> None:
    """Put a damaged shard aside, and an empty one in its place. Raises LibraryDamaged when the spare has not all."""
    try:
        spare.check()
        is_whole = spare.is_whole
    except SpareDamaged:
        is_whole = False
    if not is_whole:
        raise LibraryDamaged(
            "The library in {path} is damaged ({wrong}), and there is no second copy of it. Restore it from a backup; "
            "or stop the app and run python -m core recover, which puts it aside and reads the stored videos again.",
            path=shard.parent,
            wrong=wrong,
        )
    aside = put_aside(shard) if shard.exists() else None
    for left in shard.parent.glob(".making-*"):  # a kill came while this was done before
        shutil.rmtree(left, ignore_errors=True)
    making = shard.with_name(f".making-{uuid.uuid4().hex}")
    try:
        make_shard(making, info.dimension)
    except Exception as error:  # Edge knows no other
        raise LibraryError(
            "{path} could not be made. Check the disk. (Qdrant Edge: {said})", path=making, said=error
        ) from error
    making.rename(shard)
    see_on_disk(shard.parent)
    logger.error(
        "The index in %s was damaged (%s) and is made anew from its copy%s.", shard.parent, wrong, _told(aside)
    )


def reconcile(index: EdgeIndex, spare: Spare) -> int:
    """Make index and spare hold the same entries, those of both; return how many had to be written.

    What both have and is not the same is taken from the spare, whose rows have checksums. Nothing is removed: a
    deletion that was cut off between the two is begun again by who wrote it down (library/removal.py).
    """
    seen: set[str] = set()
    written = unread = 0
    for records in _portions(index.records()):
        kept = spare.get([id_ for id_, _, _ in records])
        seen.update(id_ for id_, _, _ in records)
        read = [
            (id_, entry) for id_, payload, vector in records if id_ not in kept if (entry := _read(payload, vector))
        ]
        missing = [entry for id_, entry in read if base.id_of(entry) == id_]  # or it would be there twice
        wrong = [kept[id_] for id_, payload, vector in records if id_ in kept and not _same(kept[id_], payload, vector)]
        if missing:
            spare.put(missing)
        if wrong:
            index.upsert(wrong)
        written += len(missing) + len(wrong)
    for ids in _portions(sorted(spare.ids() - seen)):
        entries = list(spare.get(ids).values())
        index.upsert(entries)
        written += len(entries)
        unread += len(ids) - len(entries)
    if unread:
        logger.error("%d entries of %s are damaged in both copies and are lost.", unread, index.path)
    if written:
        logger.warning("%s and its copy did not agree in %d entries, and do now.", index.path, written)
    return written


def _same(kept: Entry, payload: Mapping[str, Any], vector: np.ndarray) -> bool:
    """Tell whether what lies in the shard is what was written: Edge keeps vectors at length 1."""
    expected = base.to_payload(kept)
    if any(payload.get(name) != value for name, value in expected.items()) or vector.shape != kept.vector.shape:
        return False
    length = float(np.linalg.norm(kept.vector))
    return bool(np.allclose(vector, kept.vector / length if length else kept.vector, atol=_CLOSE))


def _read(payload: Mapping[str, Any], vector: np.ndarray) -> Entry | None:
    try:
        entry = base.from_payload(payload, vector)
    except (KeyError, TypeError, ValueError):
        return None
    return entry if entry.vector.size and np.isfinite(entry.vector).all() else None


def _told(aside: Path | None) -> str:
    return "" if aside is None else f"; what it was is in {aside}"


def _portions(things: Iterable[T]) -> Iterator[list[T]]:
    """Yield the things in lists of BATCH."""
    left = iter(things)
    while some := list(islice(left, BATCH)):
        yield some
