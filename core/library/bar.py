"""One line of progress on a terminal."""

from __future__ import annotations

import sys

WIDTH = 30


def draw(doing: str, fraction: float) -> None:
    """Draw it on standard error, and wipe it away at the end; nothing goes into files and pipes."""
    if sys.stderr.isatty():
        filled = int(fraction * WIDTH)
        sys.stderr.write(f"\r\033[K{'█' * filled}{'░' * (WIDTH - filled)} {fraction:4.0%}  {doing}")
        if fraction >= 1:
            sys.stderr.write("\r\033[K")
        sys.stderr.flush()
