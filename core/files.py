"""Write files that are there whole or not at all, also after a kill or a power cut; put aside what is damaged."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

ASIDE = ".damaged-"
"""In the name of what was put aside, between the name it had and the time."""


@contextmanager
def whole(target: Path, part: Path | None = None) -> Iterator[Path]:
    """Give a path to write to; it takes the place of `target` when the block ends well, and goes when it does not.

    The folder is made if need be. `part` must lie on the same disk; a name of its own (hidden, ending in .part) is
    taken without it, so that two writers of one target do not meet. Raises OSError, and what the block raises.
    """
    making = part or target.with_name(f".{uuid.uuid4().hex}.part")
    try:
        make_folder(target.parent)
        yield making
        # The bytes before the name: a disk may keep the two in the other order, and then the name holds nothing.
        with making.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(making, target)
        see_on_disk(target.parent)
    finally:
        # What cannot be removed must not hide why the writing failed.
        with contextlib.suppress(OSError):
            making.unlink(missing_ok=True)


def write_text(target: Path, text: str) -> None:
    """Put a text (UTF-8, line ends as they are) in the place of a file, whole or not at all. Raises OSError."""
    with whole(target) as making:
        making.write_text(text, encoding="utf-8", newline="")


def make_folder(path: Path) -> None:
    """Make a folder and those it lies in, unless they are there, and see their names on the disk. Raises OSError."""
    missing = []
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
    for folder in missing:
        see_on_disk(folder.parent)


def see_on_disk(folder: Path) -> None:
    """Wait until the names in a folder are on the disk: syncing a file does not sync its name. Raises OSError."""
    if os.name == "nt":  # folders cannot be opened there, and names are kept in order
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put_aside(path: Path) -> Path:
    """Give what is damaged another name beside its own, and return it; nothing is deleted. Raises OSError."""
    aside = path.with_name(f"{path.name}{ASIDE}{datetime.now(UTC):%Y%m%d-%H%M%S-%f}")
    path.rename(aside)
    see_on_disk(path.parent)
    return aside
