"""What a moment of a video looks like, as a picture: made when it is first asked for, kept for the next time."""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from core.errors import MediaError, StoreError
from core.files import whole
from core.index.base import Index
from core.ingest import sandbox
from core.models import Entry
from core.stores.base import Store

MOST = 4000
"""Pictures that are kept; about 40 KB each. Those that nobody has looked at for longest go first."""
SPARE = 200
"""How many more may come before those go: not each picture looks through the folder."""
AGAIN_S = 60.0
"""When a picture is tried again that could not be made: its video may be out of reach for a moment, or for good."""


class Stills:
    """Show moments. Safe to use from several threads; one picture is made at a time, for pages come first."""

    def __init__(
        self,
        index: Callable[[], Index],
        store: Store,
        folder: Path,
        most: int = MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._index = index
        self._store = store
        self._folder = folder
        self._most = most
        self._made = SPARE  # what is there already is counted with the first
        self._clock = clock
        self._failed: dict[str, float] = {}
        self._turn = threading.Lock()

    def clip(self, video_id: str, at_s: float) -> Entry | None:
        """Return the clip of a video that begins nearest to a time; None where the video is not in the library."""
        clips = self._index().retrieve([video_id], scope="clip", with_vectors=False)
        return min(clips, key=lambda one: abs(one.start_s - at_s)) if clips else None

    def is_made(self, clip: Entry) -> bool:
        """Tell whether nothing is to be made for a clip now, so that asking for its picture waits for no other's."""
        picture = self._place(clip)
        return picture.is_file() or self._clock() < self._failed.get(picture.name, -math.inf) + AGAIN_S

    def picture(self, clip: Entry) -> Path | None:
        """Return a JPEG of what a clip shows, made now if it is not there.

        None where the clip shows nothing, or nothing of it can be had now. Raises what the store raises.
        """
        picture = self._place(clip)
        if not self.is_made(clip):
            with self._turn:
                if not self.is_made(clip):
                    self._make(clip, picture)
        with contextlib.suppress(OSError):
            os.utime(picture)
            if picture.stat().st_size:
                return picture
        return None

    def forget(self, content_sha256: str) -> None:
        """Remove all pictures of a content."""
        with self._turn:
            for picture in self._folder.glob(f"{content_sha256}-*.jpg"):
                picture.unlink(missing_ok=True)

    def _place(self, clip: Entry) -> Path:
        return self._folder / f"{clip.content_sha256}-{round(1000 * clip.start_s)}.jpg"

    def _make(self, clip: Entry, picture: Path) -> None:
        source = self._store.local_path(clip.media_key) or self._store.url(clip.media_key)
        try:
            still = sandbox.still_of(source, clip.start_s, clip.end_s)
        except MediaError:  # the poster stands for it until then
            self._failed.pop(picture.name, None)
            self._failed[picture.name] = self._clock()
            while len(self._failed) > SPARE:
                del self._failed[next(iter(self._failed))]
            return
        self._failed.pop(picture.name, None)
        try:
            with whole(picture) as part:
                if still is None:
                    part.touch()  # so that nobody looks again
                else:
                    Image.fromarray(still).save(part, "JPEG", quality=82)
        except OSError as error:
            raise StoreError("A picture of a moment cannot be kept: {reason}.", reason=error.strerror) from error
        self._made += 1
        if self._made > SPARE:
            self._made = 0
            self._tidy()

    def _tidy(self) -> None:
        """Remove the pictures that nobody has looked at for longest, beyond those that are kept."""
        with contextlib.suppress(OSError):
            kept = sorted(self._folder.glob("*.jpg"), key=lambda one: one.stat().st_mtime, reverse=True)
            for picture in kept[self._most :]:
                picture.unlink(missing_ok=True)
