"""Write files that are there whole or not at all, also after a kill or a power cut."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(target: Path, part: Path | None = None) -> Iterator[Path]:
    """Give a path to write to; it takes the place of `target` when the block ends well, and goes when it does not.

    The folder is made if need be. `part` must lie on the same disk; a name of its own (hidden, ending in .part) is
    taken without it, so that two writers of one target do not meet. Raises OSError, and what the block raises.
    """
    making = part or target.with_name(f".{uuid.uuid4().hex}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield making
        # The bytes before the name: a disk may keep the two in the other order, and then the name holds nothing.
        with making.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(making, target)
    finally:
        # What cannot be removed must not hide why the writing failed.
        with contextlib.suppress(OSError):
            making.unlink(missing_ok=True)


def write_text(target: Path, text: str) -> None:
    """Put a text (UTF-8, line ends as they are) in the place of a file, whole or not at all. Raises OSError."""
    with whole(target) as making:
        making.write_text(text, encoding="utf-8", newline="")
