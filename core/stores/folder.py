"""The store in a folder on this machine; the app's own media route serves it."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, Literal

from core.errors import StoreError
from core.files import see_on_disk, whole
from core.models import Progress, ignore_progress
from core.stores.base import KEY, check_key

CHUNK_BYTES = 1024 * 1024
ABANDONED_AFTER_S = 24 * 3600
"""A half-written file this old was left by a killed process; a younger one may be another process's, still at work."""


class FolderStore:
    """Keep each key as a file of that name in one folder.

    Bytes are copied, never linked: a link would share them with the person's own file, which may be edited later.
    """

    name: Literal["folder", "s3"] = "folder"
    s3_root: str | None = None

    def __init__(self, root: Path, *, sign: Callable[[str], str] = lambda key: "") -> None:
        """Keep it at `root`; `sign` returns what follows the address of a key so that it opens for who has it."""
        self.root = root
        self._sign = sign
        self._sweep()

    def put(self, source: Path, key: str, on_progress: Progress) -> None:
        check_key(key)
        try:
            file = source.open("rb")
        except OSError as error:
            raise StoreError(
                "{name} cannot be read any more: {why}. Add the file again.", name=source.name, why=error.strerror
            ) from error
        with file:
            self._write(file, os.fstat(file.fileno()).st_size, key, on_progress)

    def url(self, key: str) -> str:
        return f"/app/static/media/{check_key(key)}{self._sign(key)}"

    def local_path(self, key: str) -> Path:
        return self.root / check_key(key)

    def exists(self, key: str) -> bool:
        return self.local_path(key).is_file()

    def delete(self, key: str) -> None:
        try:
            self.local_path(key).unlink()
            see_on_disk(self.root)  # or it comes back with the next power cut, known to nobody
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._sentence(error) from error

    def sizes(self) -> Mapping[str, int]:
        found: dict[str, int] = {}
        try:
            for file in os.scandir(self.root) if self.root.is_dir() else ():
                with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                    if KEY.fullmatch(file.name):
                        found[file.name] = file.stat().st_size
        except OSError as error:
            raise self._sentence(error) from error
        return found

    def check(self) -> None:
        key, data = f"check-{uuid.uuid4().hex}.txt", b"written to see whether it can be read"
        self._write(io.BytesIO(data), len(data), key, ignore_progress)
        try:
            came_back = self.local_path(key).read_bytes()
        except OSError as error:
            raise self._sentence(error) from error
        self.delete(key)
        if came_back != data:
            raise StoreError("What is written to {root} does not come back. Check the disk it is on.", root=self.root)

    def _write(self, source: BinaryIO, size: int, key: str, on_progress: Progress) -> None:
        """Copy in chunks; leave nothing when it is cancelled."""
        try:
            # The hidden name it is written under is no key.
            with whole(self.local_path(key)) as making, making.open("xb") as target:
                done = 0
                while chunk := source.read(CHUNK_BYTES):
                    target.write(chunk)
                    done += len(chunk)
                    on_progress(min(1.0, done / size) if size else 1.0)
        except OSError as error:
            raise self._sentence(error) from error

    def _sweep(self) -> None:
        """Remove what killed processes left half-written."""
        for part in self.root.glob(".*.part"):
            try:
                is_abandoned = time.time() - part.stat().st_mtime > ABANDONED_AFTER_S
            except FileNotFoundError:
                continue  # finished by another process meanwhile
            if is_abandoned:
                _remove(part)

    def _sentence(self, error: OSError) -> StoreError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return StoreError("The disk that holds {root} is full. Free some space and try again.", root=self.root)
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return StoreError(
                "This user may not write to {root}. Allow it, or set DATA_DIR to another folder.", root=self.root
            )
        return StoreError(
            "{root} cannot be used: {why}. Check it, or set DATA_DIR to another folder.",
            root=self.root,
            why=error.strerror or error,
        )


def _remove(path: Path) -> None:
    """Remove a temporary file if it is there and can be removed; a later sweep gets what stays."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        pass
