"""What is written down beside the shard of a space: which encoder filled it, and whether all videos are in it."""

from __future__ import annotations

import json
from pathlib import Path

from core.errors import LibraryError
from core.files import write_text
from core.index import base

NOTE = "library.json"


def read_note(folder: Path) -> base.Space:
    """Return what the note in a library's folder says. Raises LibraryError for one that says nothing, and OSError."""
    try:
        return base.from_note(json.loads((folder / NOTE).read_text("utf-8")))
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise LibraryError(
            "{path} does not say which encoder filled the library. Restore it from a backup, or set DATA_DIR to "
            "another folder and ingest the videos again.",
            path=folder / NOTE,
        ) from error


def write_note(folder: Path, space: base.Space) -> None:
    """Put a note in the place of the one in a library's folder, whole or not at all. Raises OSError."""
    write_text(folder / NOTE, json.dumps(base.note(space)))
