"""What every store does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

from core.errors import StoreError
from core.models import Progress

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}\.[a-z0-9]{1,8}")
CONTENT_TYPES = {
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".jpg": "image/jpeg",
    ".vtt": "text/vtt",
}


def check_key(key: str) -> str:
    """Return the key if it is one of ours: a name and an ending, never a path. Raises StoreError."""
    if not KEY.fullmatch(key):
        raise StoreError("{key!r} is not a media key.", key=key)
    return key


class Store(Protocol):
    """Keep bytes under keys and say under which URL a browser can fetch them."""

    name: Literal["folder", "s3"]
    s3_root: str | None
    """What stands before a key where Amazon's own services find it, s3://bucket/…/; None where it is not in S3."""

    def put(self, source: Path, key: str, on_progress: Progress) -> None:
        """Copy a file in under this key, atomically: the key holds all of it or is not there. Replaces."""
        ...

    def url(self, key: str) -> str:
        """Return a URL a browser can play now, with Range support. Absolute, or beginning with /app/static/."""
        ...

    def local_path(self, key: str) -> Path | None:
        """Return where the bytes of this key are on this machine, or would be; None where they are kept elsewhere."""
        ...

    def exists(self, key: str) -> bool: ...

    def delete(self, key: str) -> None:
        """Remove the key; no error when it is not there."""
        ...

    def check(self) -> None:
        """Do a real round trip (write, read, delete). Raises StoreError or Unavailable, saying what to do."""
        ...


class Inventory(Protocol):
    """Say what a store holds."""

    def sizes(self) -> Mapping[str, int]:
        """Return the bytes that each key takes, of all that there are. Raises what a store raises."""
        ...


class CountedStore(Store, Inventory, Protocol):
    """A store that says what it holds, as all of ours do."""
