"""What Marengo takes of a video, whoever offers it, and how one waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable

from core.models import MediaInfo

LEAST_S = 4.0
LEAST_PX, MOST_PX = 360, (5184, 2160)
"""As TwelveLabs documents them; Amazon says nothing else."""
TICK_S = 0.2
"""How often progress is told while waiting, and so how soon a cancel is noticed."""


def fits(info: MediaInfo) -> bool:
    """Say whether it takes a video as it is."""
    sides = sorted((info.width_px, info.height_px))
    return info.duration_s >= LEAST_S and sides[0] >= LEAST_PX and sides[1] <= MOST_PX[0] and sides[0] <= MOST_PX[1]


def pause(pause_s: float, tell: Callable[[], None]) -> None:
    """Wait, and tell progress so often that a cancel is noticed soon."""
    end = time.monotonic() + pause_s
    while (left_s := end - time.monotonic()) > 0:
        tell()
        time.sleep(min(TICK_S, left_s))
    tell()
