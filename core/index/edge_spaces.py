"""The spaces of an embedded library: a folder each under `spaces/`, all of one data folder.

Release 0.1.0 knew one space, in `index/`. Its folder is moved into its place among the spaces by one rename when the
library is opened: at every moment it lies whole in the one place or in the other.
"""

from __future__ import annotations

import hashlib
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from core.errors import LibraryDamaged, LibraryError
from core.files import ASIDE, make_folder, put_aside, see_on_disk
from core.index import base
from core.index.edge import EdgeIndex
from core.index.guarded import SPARE, note_of, open_guarded
from core.index.notes import NOTE, read_note, write_note
from core.models import EncoderInfo
from core.names import slug

SPACES, BEFORE = "spaces", "index"
"""Folders under the data folder: of all spaces, and of the one that release 0.1.0 kept."""
MAKING, DROPPING = ".making-", ".dropping-"
"""Names of folders that are no spaces: not yet (as in edge.py), and not any more."""
ABANDONED_AFTER_S = 3600.0


class EdgeSpaces:
    """Keep the spaces of a library in a folder.

    Raises LibraryError when the folder cannot be read or written, LibraryLocked when a library of release 0.1.0 is
    still open in another process.
    """

    name: Literal["edge", "server"] = "edge"

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / SPACES
        self._seen_whole: set[Path] = set()
        with self._folder_errors():
            self._take_over(data_dir / BEFORE)
            self._sweep()

    def all(self) -> list[base.Space]:
        with self._folder_errors():
            spaces = [space for folder in self._folders() if (space := note_of(folder)) is not None]
        return sorted(spaces, key=lambda space: space.encoder)

    def open(self, info: EncoderInfo) -> EdgeIndex:
        return self._opened(self._folder(info.name), info)

    def make(self, info: EncoderInfo, *, complete: bool) -> EdgeIndex:
        return self._opened(self._root / folder_name(info.name), info, complete)

    def mark(self, encoder: str, *, complete: bool) -> None:
        with self._folder_errors():
            folder = self._folder(encoder)
            space = note_of(folder)
            if space is not None and space.complete != complete:
                write_note(folder, base.Space(space.encoder, space.dimension, complete))

    def put_damaged_aside(self) -> list[Path]:
        """Put aside each space that can neither be read nor mended, and return what they are called now. Raises
        LibraryLocked and LibraryError."""
        aside = []
        with self._folder_errors():
            for folder in self._folders():
                try:
                    space = note_of(folder)
                    if space is not None:
                        open_guarded(folder, EncoderInfo(space.encoder, space.dimension, (), ())).close()
                except LibraryDamaged:
                    aside.append(put_aside(folder))
        return aside

    def drop(self, encoder: str) -> None:
        with self._folder_errors():
            folder = self._root / folder_name(encoder)
            if not folder.exists():
                return
            # Out of sight by one rename: a kill while its files go leaves no half of a space.
            dropping = self._root / f"{DROPPING}{uuid.uuid4().hex}"
            folder.rename(dropping)
            see_on_disk(self._root)
            shutil.rmtree(dropping)

    def close(self) -> None:
        """Do nothing: only indexes hold anything."""

    def _opened(self, folder: Path, info: EncoderInfo, complete: bool = True) -> EdgeIndex:
        index = open_guarded(folder, info, complete=complete, seen_whole=folder in self._seen_whole)
        self._seen_whole.add(folder)
        return index

    def _folder(self, encoder: str) -> Path:
        folder = self._root / folder_name(encoder)
        if not (folder / NOTE).exists() and not (folder / SPARE).exists():
            raise LibraryError(
                "The library in {root} has nothing that {encoder} made. Re-embed it first.",
                root=self._root,
                encoder=encoder,
            )
        return folder

    def _folders(self) -> list[Path]:
        """Return the folders of the spaces, those in the making or put aside left out."""
        if not self._root.is_dir():
            return []
        folders = (path for path in self._root.iterdir() if path.is_dir())
        return sorted(path for path in folders if not path.name.startswith(".") and ASIDE not in path.name)

    def _take_over(self, before: Path) -> None:
        """Give a library of release 0.1.0 its place among the spaces."""
        if not (before / NOTE).exists():
            return
        space = read_note(before)
        # Opening says so while another process, of that release, has it open.
        EdgeIndex(before, EncoderInfo(space.encoder, space.dimension, (), ())).close()
        make_folder(self._root)
        target = self._root / folder_name(space.encoder)
        try:
            before.rename(target)
        except FileNotFoundError:
            pass  # another process took it over at the same moment
        except OSError as error:
            if not target.exists():
                raise
            raise LibraryError(
                "There are two libraries that {encoder} filled, {before} (as release 0.1.0 keeps it) and {target}. "
                "Move the one that you do not want out of the way and start again.",
                encoder=space.encoder,
                before=before,
                target=target,
            ) from error
        see_on_disk(self._root)
        see_on_disk(before.parent)

    def _sweep(self) -> None:
        """Remove what killed processes left: a space on its way out, and one that was never done."""
        for folder in self._root.glob(".*-*"):
            old = folder.stat().st_mtime < time.time() - ABANDONED_AFTER_S
            if folder.name.startswith(DROPPING) or (folder.name.startswith(MAKING) and old):
                shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _folder_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LibraryError(
                "The library folder {root} cannot be used: {why}. Let this user write to it, or set DATA_DIR to "
                "another folder.",
                root=self._root,
                why=error.strerror or error,
            ) from error


def folder_name(encoder: str) -> str:
    """Return the name of the folder of an encoder's space: readable, and never that of another encoder's."""
    return f"{slug(encoder, 'space')}-{hashlib.sha256(encoder.encode()).hexdigest()[:8]}"
