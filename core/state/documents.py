"""Documents: a person's own categories, what was fitted to the library; in files, or on a shelf that machines share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import bindparam, delete, insert, select

from core.files import write_text
from core.state.base import Document, Shelf
from core.state.tables import DOCUMENTS

_editing = threading.RLock()
"""Held from reading a document of this process to writing it."""
_THIS = DOCUMENTS.c.name == bindparam("of")
_TEXT = select(DOCUMENTS.c.text).where(_THIS)
_DROP = delete(DOCUMENTS).where(_THIS)


class FileDocument:
    """A document in a file. It is one app's: other processes only read it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def read(self) -> str | None:
        try:
            return self.path.read_bytes().decode("utf-8")  # line ends as they are
        except FileNotFoundError:
            return None

    def write(self, text: str) -> None:
        write_text(self.path, text)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)

    @contextmanager
    def editing(self) -> Iterator[None]:
        with _editing:
            yield


class ShelvedDocument:
    """A document on a shelf, under a name."""

    def __init__(self, shelf: Shelf, name: str) -> None:
        self._shelf = shelf
        self._name = name

    def __str__(self) -> str:
        return f"{self._name} in {self._shelf}"

    def read(self) -> str | None:
        rows = self._shelf.rows(_TEXT, {"of": self._name})
        return rows[0][0] if rows else None

    def write(self, text: str) -> None:
        with self._shelf.change() as db:
            db.execute(_DROP, {"of": self._name})
            db.execute(insert(DOCUMENTS), {"name": self._name, "text": text})

    def remove(self) -> None:
        with self._shelf.change() as db:
            db.execute(_DROP, {"of": self._name})

    @contextmanager
    def editing(self) -> Iterator[None]:
        # Another change waits until this one is over, on whichever machine; one inside is of this thread, and joins it.
        with _editing, self._shelf.change():
            yield


def document(place: Path | Document) -> Document:
    """Return a document; a path stands for the one in its file."""
    return FileDocument(place) if isinstance(place, Path) else place
