"""Where what people and jobs leave behind is kept: files under DATA_DIR, or the database that machines share."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core.errors import AppError, Sentence
from core.state.base import Document, Shelf
from core.state.documents import FileDocument, ShelvedDocument
from core.state.sqlite import SqliteShelf
from core.state.tables import SUBJECTS

if TYPE_CHECKING:
    from core.state.postgres import Database

TEXTS_BUSY_S = 2.0
"""How long to wait for a text that is kept: it can be had afresh."""
_databases: dict[str, Database] = {}
_opening = threading.Lock()


class State(Protocol):
    """Open what is kept of a library."""

    is_shared: bool
    """Other processes change it too."""

    def shelf(self, branch: str) -> Shelf:
        """Return the shelf of a subject of tables.py."""

    def document(self, name: str) -> Document:
        """Return a document by its name."""

    def alone(self, about: str) -> AbstractContextManager[bool]:
        """Say whether nobody else who shares it is in such a block about the same. Raises AppError."""

    def check(self) -> None:
        """Do a real round trip. Raises AppError with what to do."""

    def damaged(self) -> list[Sentence]:
        """Return a sentence for each subject whose file cannot be read to its end, the queue's left out."""

    def close(self) -> None:
        """Let go of what is held open; it is opened again at its next use."""

    def __str__(self) -> str:
        """Return where it is, for a person."""


class Files:
    """A folder with a file a subject and a document: one process's."""

    is_shared = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def shelf(self, branch: str) -> Shelf:
        return SqliteShelf(
            self._folder / f"{branch}.sqlite3", branch, busy_s=TEXTS_BUSY_S if branch == "texts" else None
        )

    def document(self, name: str) -> Document:
        return FileDocument(self._folder / name)

    def alone(self, about: str) -> AbstractContextManager[bool]:
        return nullcontext(True)

    def check(self) -> None:
        """A file that is damaged says so where it is used."""

    def damaged(self) -> list[Sentence]:
        said: list[Sentence] = []
        for branch in SUBJECTS:
            if branch != "jobs":  # it is one process's, and looked through when that opens it
                try:
                    SqliteShelf(self._folder / f"{branch}.sqlite3", branch).check()
                except AppError as error:
                    said.append(error.sentence)
        return said

    def close(self) -> None:
        """Nothing is held open."""

    def __str__(self) -> str:
        return str(self._folder)


class Shared:
    """A PostgreSQL database, which as many processes as want to may use."""

    is_shared = True

    def __init__(self, url: str) -> None:
        self.database = database(url)

    def shelf(self, branch: str) -> Shelf:
        from core.state.postgres import PostgresShelf

        return PostgresShelf(self.database, branch)

    def document(self, name: str) -> Document:
        return ShelvedDocument(self.shelf("documents"), name)

    def alone(self, about: str) -> AbstractContextManager[bool]:
        return self.database.alone(about)

    def check(self) -> None:
        self.database.check()

    def damaged(self) -> list[Sentence]:
        """A server looks after its files itself."""
        return []

    def __str__(self) -> str:
        return str(self.database)

    def close(self) -> None:
        with _opening:
            _databases.pop(self.database.url, None)
        self.database.close()


def open_state(folder: Path, database_url: str | None) -> State:
    """Return where it is kept. Raises AppError with what to do where the database cannot be used."""
    return Shared(database_url) if database_url else Files(folder)


def database(url: str) -> Database:
    """Return the one pool of connections that this process has to a database, with its tables as they must be."""
    from core.state.postgres import Database

    with _opening:
        kept = _databases.get(url)
        if kept is None:
            kept = Database(url)
            try:
                kept.prepare()
            except BaseException:
                kept.close()
                raise
            _databases[url] = kept
        return kept
