"""What of a library is damaged, was mended, or is in no index any more, said in sentences; and how it comes back.

Files that are not whole say so where they are used. Here all are looked at, so that nobody has to come by first: when
the app has started, and by doctor. Stored videos are the truth of a library: one that no index, no deletion and no job
knows of is found here, and `python -m core recover` reads it again.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path, PurePath

from core.errors import Sentence
from core.files import ASIDE
from core.index.base import Index
from core.ingest.working import Queue
from core.library.spaces import Serving
from core.models import Job, Stage
from core.rounds import Rounds
from core.state.opening import State
from core.state.trash import TrashBook
from core.stores.base import CountedStore

logger = logging.getLogger(__name__)
_VIDEO = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.(mp4|webm)")
"""Keys of playable copies (core/ingest/pipeline.py)."""
LOOK_EVERY_S = 24 * 3600.0
_DEPTHS = ("*", "spaces/*", "spaces/*/*")
"""Where under DATA_DIR something is put aside."""


class Damage:
    """Look in the background what is damaged: when the app has started, and once a day."""

    def __init__(self, data_dir: Path, state: State, lost: Callable[[], Sequence[str]]) -> None:
        """`lost` returns the keys of stored videos that nothing knows of. What was put aside is looked for each time
        somebody asks."""
        self.lost = lost
        self._data_dir = data_dir
        self._state = state
        self._rounds = Rounds("look-for-damage", self._look, LOOK_EVERY_S, yields=True)
        self._looked = threading.Event()
        self._found: tuple[Sentence, ...] = ()

    @property
    def told(self) -> tuple[Sentence, ...]:
        """What a person should know, a sentence each; of what was put aside until that is deleted."""
        return *self._found, *told_aside(self._data_dir)

    def start(self) -> None:
        self._rounds.start()

    def wait(self, timeout_s: float) -> bool:
        """Wait until it has looked, or so long; tell whether it has."""
        return self._looked.wait(timeout_s)

    def stop(self, timeout_s: float) -> None:
        self._rounds.stop(timeout_s)

    def _look(self) -> None:
        try:
            _warn(told_aside(self._data_dir))  # also where the rest cannot be looked at
            self._found = tuple(told_of(self._state, self.lost()))
            _warn(self._found)
        finally:
            self._looked.set()


def _warn(sentences: Iterable[Sentence]) -> None:
    for sentence in sentences:
        logger.warning("%s", sentence)


def told_of(state: State, lost: Sequence[str]) -> list[Sentence]:
    """Return what there is to say of what people leave behind, and of stored videos that nobody knows."""
    said = state.damaged()
    if lost:
        said.append(
            Sentence(
                "Stored videos that are in no index: {count} ({keys}). Stop the app and run python -m core recover to "
                "read them again.",
                count=len(lost),
                keys=", ".join(lost[:3]) + (", …" if len(lost) > 3 else ""),
            )
        )
    return said


def told_aside(data_dir: Path) -> list[Sentence]:
    """Return what there is to say of what was damaged and got another name (core/files.py)."""
    return [_told_aside(path) for path in sorted(one for depth in _DEPTHS for one in data_dir.glob(f"{depth}{ASIDE}*"))]


def lost_from(serving: Serving, jobs: Queue, store: CountedStore, trash: TrashBook) -> list[str]:
    """Return the keys of stored videos that are in no space, not deleted, and not on their way; of a folder only: what
    lies in a bucket may be another library's too."""
    if store.s3_root is not None:
        return []
    keys = [key for key in store.sizes() if _VIDEO.fullmatch(key)]
    # In this order: a file that is on its way now has left the queue only when it is in the index.
    waiting = {job.video_id for job in jobs.jobs() if job.stage is not Stage.READY}
    lost = unknown(keys, waiting, trash, {serving.serving.name: serving.serving.index})
    if lost and serving.others():
        with serving.every() as indexes:
            lost = unknown(lost, waiting, trash, indexes)
    return lost


def unknown(
    keys: Iterable[str], waiting: Collection[str | None], trash: TrashBook, indexes: Mapping[str, Index]
) -> list[str]:
    """Return those keys that no index, no deleted video and no job has."""
    left = {key for key in keys if PurePath(key).stem not in waiting}
    left -= {video.media_key for video in trash.videos()}
    for index in indexes.values() if left else ():
        left -= {entry.media_key for entry in index.scroll(scope="video", with_vectors=False, with_texts=False)}
    return sorted(left)


def names_of(jobs: Iterable[Job]) -> Mapping[str, str]:
    """Return what the files of finished jobs were called, by the keys of their playable copies."""
    return {job.media_key: job.filename for job in jobs if job.media_key and job.stage is Stage.READY}


def _told_aside(path: Path) -> Sentence:
    files = [one.stat() for one in (path, *path.rglob("*"))]
    size = sum(getattr(one, "st_blocks", one.st_size // 512) * 512 for one in files)  # a shard is mostly holes
    return Sentence(
        "{name} was damaged. What is in its place was made anew; what it was is kept as {path} ({megabytes:,.0f} MB). "
        "When nothing is missing, delete that.",
        name=path.name.partition(ASIDE)[0],
        path=path,
        megabytes=size / 1e6,
    )
