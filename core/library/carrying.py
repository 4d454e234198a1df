"""Exports and imports from the pages: in the background, one at a time, in one folder that the settings name.

Whoever uses a browser names no paths of the server: what is exported gets a name of its own in that folder, and what
can be imported is what lies there.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.errors import AppError, Cancelled, QueryError, Sentence, StoreError
from core.library import archive
from core.library.archive import Manifest
from core.library.exporting import Exporter
from core.library.importing import Imported, Importer
from core.names import slug
from core.priority import step_back

logger = logging.getLogger(__name__)

Kind = Literal["export", "import"]


@dataclass(frozen=True, slots=True)
class Found:
    """An export that lies in the folder."""

    name: str
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Status:
    """How far it is, or how it ended."""

    kind: Kind
    name: str
    fraction: float = 0.0
    over: bool = False
    cancelled: bool = False
    error: Sentence | None = None
    """Why it does not go on; the same again does."""
    problems: tuple[Sentence, ...] = ()
    """What is not as it should be, a sentence each."""
    imported: Imported | None = None
    exported: Manifest | None = None


class Carrying:
    """Export and import in the background. Safe to use from several threads."""

    def __init__(self, exporter: Exporter, importer: Importer, folder: Path) -> None:
        self.exporter = exporter
        self.importer = importer
        self.folder = folder
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._status: Status | None = None
        self._cancel = threading.Event()

    def found(self) -> list[Found]:
        """Return the exports that lie in the folder, the last made first, those that are not complete too."""
        there = []
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            try:
                there.append(Found(path.name, archive.read(path)))
            except StoreError:
                continue  # something else lies there
        return sorted(there, key=lambda one: one.manifest.made_at, reverse=True)

    def status(self) -> Status | None:
        """Return what is under way, or how the last one ended; None where there was none or it was put away."""
        return self._status

    def start(self, kind: Kind, name: str) -> None:
        """Begin, or go on with what was cut off. Raises QueryError while another is under way, and for no name."""
        name = slug(name, "export") if kind == "export" else name
        if kind == "import" and name not in {one.name for one in self.found()}:
            raise QueryError("That export is no longer there.")
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                raise QueryError("Another export or import is under way. Wait for it, or cancel it.")
            self._cancel.clear()
            self._status = Status(kind, name)
            self._thread = threading.Thread(target=self._run, args=(kind, name), name=kind, daemon=True)
            self._thread.start()

    def cancel(self) -> None:
        """Stop soon; what was done stays, and the same again goes on."""
        self._cancel.set()

    def put_away(self) -> None:
        """Say no more about one that is over."""
        with self._lock:
            if self._status is not None and self._status.over:
                self._status = None

    def wait(self, timeout_s: float) -> None:
        """Wait until nothing is under way."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def stop(self, timeout_s: float) -> None:
        """Stop for good."""
        self.cancel()
        self.wait(timeout_s)

    def _run(self, kind: Kind, name: str) -> None:
        step_back()

        def show(doing: str, fraction: float) -> None:
            if self._cancel.is_set():
                raise Cancelled
            overall = 0.1 * fraction if doing == "vectors" else 0.1 + 0.9 * fraction if kind == "export" else fraction
            self._status = Status(kind, name, overall)

        try:
            ended = self._ended(kind, name, show)
        except Cancelled:
            ended = Status(kind, name, over=True, cancelled=True)
        except AppError as error:
            ended = Status(kind, name, over=True, error=error.sentence)
        except Exception as error:  # the page must not wait for ever for a thread that is gone
            logger.exception("The %s has ended", kind)
            ended = Status(
                kind,
                name,
                over=True,
                error=Sentence("It ended with a fault of the app: {why}. The log has more.", why=str(error)),
            )
        self._status = ended

    def _ended(self, kind: Kind, name: str, show: Callable[[str, float], None]) -> Status:
        if kind == "export":
            done = self.exporter.run(self.folder / name, show)
            return Status(kind, name, 1.0, over=True, problems=done.problems, exported=done.manifest)
        came = self.importer.run(self.folder / name, show)
        return Status(kind, name, 1.0, over=True, problems=tuple(came.problems), imported=came)
