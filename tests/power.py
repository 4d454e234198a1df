"""A disk that loses what was not synced: what of a folder would be there had the power gone at each sync.

Strict POSIX: of a file, what it held when it was last synced; of a folder, the names it had when it was last synced.
File systems keep more than that. Python's syncs are seen as they come. SQLite and Qdrant Edge sync by themselves: a
database is taken as it is (it keeps its own barriers), a shard as it was when its last flush was over, or torn, some of
its files as they were a flush before.
"""

from __future__ import annotations

import os
import random
import shutil
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from core.index import edge, guarded

T = TypeVar("T")


@dataclass(frozen=True)
class Image:
    """What would be there after a power cut; `known` is what was said to be done by then."""

    files: dict[Path, bytes]
    folders: tuple[Path, ...]
    shards: dict[Path, tuple[Path, ...]]
    """By where each lies, copies of it after its last flush and after the one before."""
    known: object

    def write(self, root: Path, torn: random.Random | None = None) -> None:
        """Make it a folder; `torn` chooses which files of a shard are a flush behind."""
        for folder in self.folders:
            (root / folder).mkdir(parents=True, exist_ok=True)
        for path, content in self.files.items():
            (root / path).write_bytes(content)
        for path, copies in self.shards.items():
            _copy(copies[-1], root / path)
            for file in sorted(copies[0].rglob("*")) if torn and len(copies) > 1 else ():
                target = root / path / file.relative_to(copies[0])
                if file.is_file() and target.exists() and torn.random() < 0.5:
                    shutil.copyfile(file, target)


class Disk:
    """Watch a folder; `images` are what it would be at each sync, `known` says what is done."""

    def __init__(self, root: Path, keep: Path, patch: pytest.MonkeyPatch, known: Callable[[], object]) -> None:
        self.images: list[Image] = []
        self._root, self._keep, self._known = root, keep, known
        self._contents: dict[int, bytes] = {}
        self._names: dict[int, dict[str, tuple[int, bool]]] = {}
        self._shards: dict[int, list[Path]] = {}
        self._copies = 0
        sync, apply, make = os.fsync, edge.EdgeIndex._apply, edge.make_shard

        def fsync(descriptor: int) -> None:
            sync(descriptor)
            self._synced(descriptor)

        def flushed(index: edge.EdgeIndex, *arguments: object) -> None:
            apply(index, *arguments)
            self._flushed(index.path / edge.SHARD)

        def made(path: Path, dimension: int) -> None:
            make(path, dimension)
            self._flushed(path)

        patch.setattr(os, "fsync", fsync)
        patch.setattr(edge.EdgeIndex, "_apply", flushed)
        patch.setattr(edge, "make_shard", made)
        patch.setattr(guarded, "make_shard", made)

    def take(self) -> None:
        """Note what would be there if the power went now."""
        files: dict[Path, bytes] = {}
        folders: list[Path] = []
        shards: dict[Path, tuple[Path, ...]] = {}

        def walk(number: int, path: Path) -> None:
            if number in self._shards:
                shards[path] = tuple(self._shards[number][-2:])
                return
            folders.append(path)
            for name, (inner, is_folder) in self._names.get(number, {}).items():
                if is_folder:
                    walk(inner, path / name)
                elif ".sqlite3" not in name:
                    files[path / name] = self._contents.get(inner, b"")
            for database in (self._root / path).glob("*.sqlite3*"):
                if not database.name.endswith("-shm"):
                    files[path / database.name] = database.read_bytes()

        walk(self._root.stat().st_ino, Path())
        self.images.append(Image(files, tuple(folders), shards, self._known()))

    def _synced(self, descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        if not path.is_relative_to(self._root):
            return
        what = os.fstat(descriptor)
        if stat.S_ISDIR(what.st_mode):
            # The number of a file that is gone is given to another: what was a folder is kept with the name.
            self._names[what.st_ino] = {entry.name: (entry.inode(), entry.is_dir()) for entry in os.scandir(path)}
        else:
            self._contents[what.st_ino] = path.read_bytes()
        self.take()

    def _flushed(self, shard: Path) -> None:
        self._copies += 1
        copy = self._keep / str(self._copies)
        _copy(shard, copy)
        self._shards.setdefault(shard.stat().st_ino, []).append(copy)
        self.take()


def _copy(source: Path, target: Path) -> None:
    # A shard is 100 MB of holes.
    subprocess.run(["cp", "-a", "--sparse=always", str(source), str(target)], check=True)
