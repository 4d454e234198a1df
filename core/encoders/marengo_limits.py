"""What Marengo takes of a video, whoever offers it, and how one waits for it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from core.ingest import sandbox
from core.models import MediaInfo, Progress, Video

LEAST_S = 4.0
LEAST_PX, MOST_PX = 360, (5184, 2160)
"""As TwelveLabs documents them; Amazon says nothing else."""
TICK_S = 0.2
"""How often progress is told while waiting, and so how soon a cancel is noticed."""


def fits(info: MediaInfo) -> bool:
    """Say whether it takes a video as it is."""
    sides = sorted((info.width_px, info.height_px))
    return info.duration_s >= LEAST_S and sides[0] >= LEAST_PX and sides[1] <= MOST_PX[0] and sides[0] <= MOST_PX[1]


@contextlib.contextmanager
def sendable(video: Video, scratch_dir: Path, on_progress: Progress) -> Iterator[Path]:
    """Give a file within the limits: the video itself, or a copy in a folder that lasts as long as it is needed."""
    if fits(video.info):
        yield video.path
        return
    copy = scratch_dir / f"{video.content_sha256}.mp4"
    try:
        yield sandbox.write_fitted(
            video.path,
            video.info,
            copy,
            least_s=LEAST_S + 0.2,
            least_px=LEAST_PX,
            most_px=MOST_PX,
            on_progress=on_progress,
        )
    finally:
        copy.unlink(missing_ok=True)


def pause(pause_s: float, tell: Callable[[], None]) -> None:
    """Wait, and tell progress so often that a cancel is noticed soon."""
    end = time.monotonic() + pause_s
    while (left_s := end - time.monotonic()) > 0:
        tell()
        time.sleep(min(TICK_S, left_s))
    tell()
