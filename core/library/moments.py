"""The stored file of a video, or one moment of it, to take away."""

from __future__ import annotations

import re
import shutil
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import MediaError, QueryError
from core.index.base import Index
from core.ingest import sandbox, stored
from core.models import Entry, ignore_progress
from core.stores.base import Store

MAX_MOMENT_S = 600.0
_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|\x00-\x1f]+')


@dataclass(frozen=True, slots=True)
class Taken:
    """A file to hand out."""

    path: Path | None
    """Where it is on this machine; None where only `url` has it."""
    url: str
    filename: str
    passing: Path | None = None
    """A folder that was made for it, to be removed when it has been handed out."""


class Moments:
    """Hand out stored files, and cut moments out of them, one at a time. Raises what index and store raise."""

    def __init__(self, index: Callable[[], Index], store: Store, work_dir: Path) -> None:
        self._index = index
        self._store = store
        self._work_dir = work_dir
        self._turn = threading.Lock()
        shutil.rmtree(work_dir, ignore_errors=True)  # what a killed process left

    def whole(self, video_id: str) -> Taken | None:
        """Return the stored file of a video, None if that is not in the library. Raises MediaError."""
        entry = self._entry(video_id)
        if entry is None:
            return None
        key = entry.media_key
        path = self._store.local_path(key)
        if path is not None and not path.is_file():
            raise MediaError("{key} is no longer in the store.", key=key)
        name = filename_of(entry.title, Path(key).suffix)
        return Taken(path, self._store.url(key), name)

    def cut(self, video_id: str, start_s: float, end_s: float) -> Taken | None:
        """Return [start_s, end_s) of a video as a file, None if it is not there. Raises QueryError, MediaError."""
        if not 0 <= start_s < end_s:
            raise QueryError("A moment begins at 0 or later and ends after that.")
        if end_s - start_s > MAX_MOMENT_S:
            raise QueryError(
                "A moment is at most {most:.0f} seconds long. Take the whole file instead.", most=MAX_MOMENT_S
            )
        entry = self._entry(video_id)
        if entry is None:
            return None
        folder = self._work_dir / uuid.uuid4().hex
        try:
            with self._turn:
                copy = stored.copy_path(self._store, entry.media_key, folder)
                source = stored.fetch(self._store, entry.media_key, copy, ignore_progress)
                made = sandbox.cut(source, sandbox.inspect(source), start_s, end_s, folder / "moment")
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        name = filename_of(f"{entry.title} {_clock(start_s)}-{_clock(end_s)}", made.suffix)
        return Taken(folder / "moment", "", name, folder)

    def _entry(self, video_id: str) -> Entry | None:
        return next(self._index().scroll(video_id=video_id, scope="video", with_vectors=False), None)


def filename_of(title: str, suffix: str) -> str:
    """Return a title as the name of a file that every system takes."""
    return f"{_NOT_IN_NAMES.sub(' ', title).strip(' .')[:100] or 'video'}{suffix}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}.{int(seconds) % 60:02d}"
