"""Keep what was fitted to a library, an encoder each, in a document that people can read.

`DATA_DIR/calibration.json`, or the document of that name in the database, says for each space by its name the numbers
of models.py's Calibration that were fitted (discover/calibrating.py), on how many videos and when. Who has none goes by
the encoder's own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import SettingsError, StoreError
from core.models import Calibration, EncoderInfo
from core.state.base import Document
from core.state.documents import document


@dataclass(frozen=True, slots=True)
class Kept:
    """What is written down of one space."""

    spread: float
    fits: float
    related: float
    strong: float
    videos: int
    fitted_at: str

    def __post_init__(self) -> None:
        """Raise ValueError or TypeError for what no fit writes down."""
        numbers = (self.spread, self.fits, self.related, self.strong)
        if not all(isinstance(number, (int, float)) and math.isfinite(number) and number > 0 for number in numbers):
            raise ValueError("not numbers above 0")
        if not self.fits <= self.related <= self.strong:
            raise ValueError("not in order")
        if not (isinstance(self.videos, int) and isinstance(self.fitted_at, str)):
            raise TypeError("not a number of videos and a time")


class Calibrations:
    """Keep the calibration of each space of a library. Safe to use from several threads.

    Every method but `drop` raises SettingsError where the file is damaged, and says how to do without it.
    """

    def __init__(self, place: Path | Document) -> None:
        self.path = place
        self._document = document(place)

    def all(self) -> Mapping[str, Kept]:
        """Return what was fitted, by the names of the spaces."""
        try:
            text = self._document.read()
            said: Any = {} if text is None else json.loads(text)
            return {name: Kept(**kept) for name, kept in said.items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise SettingsError(
                "{path} cannot be used: it is not what python -m core calibrate writes. Remove it with python -m "
                "core calibrate --reset; the encoders then go by their own numbers.",
                path=self.path,
            ) from error

    def of(self, info: EncoderInfo) -> Calibration:
        """Return the calibration that was fitted for an encoder; its own where none was."""
        kept = self.all().get(info.name)
        if kept is None:
            return info.calibration
        return replace(info.calibration, spread=kept.spread, fits=kept.fits, related=kept.related, strong=kept.strong)

    def keep(self, name: str, calibration: Calibration, videos: int) -> None:
        """Write down what was fitted for the encoder of this name. Raises StoreError too."""
        kept = Kept(
            round(calibration.spread, 5),
            round(calibration.fits, 5),
            round(calibration.related, 5),
            round(calibration.strong, 5),
            videos,
            datetime.now(UTC).isoformat(timespec="seconds"),
        )
        with self._document.editing():
            self._write({**self.all(), name: kept})

    def take(self, kept: Mapping[str, Mapping[str, Any]]) -> int:
        """Add what was fitted in a library that is taken in, for encoders for which nothing was here; return how many.
        Raises ValueError or TypeError for what no fit writes down, and StoreError."""
        with self._document.editing():
            here = self.all()
            new = {name: Kept(**said) for name, said in kept.items() if name not in here}
            if new:
                self._write({**here, **new})
        return len(new)

    def forget(self, name: str) -> bool:
        """Go by the encoder's own from now on; return whether anything else was kept. Raises StoreError too."""
        with self._document.editing():
            kept = dict(self.all())
            if kept.pop(name, None) is None:
                return False
            self._write(kept)
            return True

    def is_damaged(self) -> bool:
        """Tell whether nothing can be read from the file, though it is there."""
        try:
            self.all()
        except SettingsError:
            return True
        return False

    def drop(self) -> None:
        """Remove the file, and with it what was fitted for any encoder. Raises StoreError."""
        try:
            self._document.remove()
        except OSError as error:
            raise StoreError(
                "{path} cannot be removed ({why}). Remove it by hand.", path=self.path, why=error.strerror
            ) from error

    def _write(self, kept: Mapping[str, Kept]) -> None:
        text = json.dumps({name: asdict(kept[name]) for name in sorted(kept)}, ensure_ascii=False, indent=2)
        try:
            self._document.write(f"{text}\n")
        except OSError as error:
            raise StoreError(
                "{path} cannot be written ({why}). Make room there, or let this user write to it.",
                path=self.path,
                why=error.strerror,
            ) from error
