"""What is computed once and kept: directions of themes, backgrounds of them, a sample of the library, counts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, TypeVar, cast

import numpy as np

from core.discover import relevance
from core.discover.composition import LABEL_SHARE, phrases
from core.discover.relevance import Background, Origin
from core.discover.taxonomy import Taxonomy, Theme
from core.encoders.base import Encoder
from core.errors import AppError
from core.index.base import Index

T = TypeVar("T")

SAMPLE = 256
"""Videos of the library that tell what is usual in it."""


class Caches:
    """Keep what does not change from one query to the next. Safe to use from several threads."""

    def __init__(self, encoder: Encoder, index: Index, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        self.calibration = encoder.info.calibration
        self._encoder = encoder
        self._index = index
        self._lock = threading.RLock()
        self._origin: Origin | None = None
        self._themes: dict[tuple[str, ...], np.ndarray] = {}
        self._backgrounds: dict[str, Background] = {}
        self._kept: dict[str, tuple[object, Any]] = {}

    def origin(self) -> Origin:
        """Return where the encoder's texts begin to ask for something; computed once."""
        with self._lock:
            if self._origin is None:
                names = [theme.label for themes in self._shipped().values() for theme in themes]
                encode = self._encoder.encode_text
                self._origin = Origin.of(encode(relevance.NEUTRAL), encode(names))
            return self._origin

    def direction(self, text: str) -> np.ndarray:
        """Return what a text asks for."""
        return self.origin().directions(self._encoder.encode_text([text]))[0]

    def theme_vector(self, theme: Theme) -> np.ndarray:
        """Return what a category or mood asks for, computed once: its label and its prompts, the label leading."""
        with self._lock:
            key = phrases(theme)
            if key not in self._themes:
                directions = self.origin().directions(self._encoder.encode_text(key))
                self._themes[key] = self.origin().ensemble(directions, LABEL_SHARE)
            return self._themes[key]

    def background(self, kind: str) -> Background:
        """Return what a part of this kind is compared with: all shipped themes of its own kind, or all of both."""
        with self._lock:
            if kind not in self._backgrounds:
                shipped = self._shipped()
                themes = shipped.get(kind, [theme for themes in shipped.values() for theme in themes])
                directions = [self.theme_vector(theme) for theme in themes]
                self._backgrounds[kind] = Background.of(kind, directions, self.origin(), self.calibration)
            return self._backgrounds[kind]

    def _shipped(self) -> dict[str, list[Theme]]:
        return {
            "category": [theme for theme in self.taxonomy.categories if not theme.own],
            "mood": [theme for theme in self.taxonomy.moods if not theme.own],
        }

    def sample(self) -> np.ndarray:
        """Return the vectors of some whole videos of the library, (n, dimension); kept until the library changes."""

        def vectors() -> np.ndarray:
            return np.array([entry.vector for entry in islice(self._index.scroll(scope="video"), SAMPLE)])

        return self.kept("sample", vectors)

    def counts(self, find: Callable[[Theme], int]) -> Mapping[str, int]:
        """Return what `find` counts for each category, by id; kept until the library or the taxonomy changes.

        A category of which the encoder cannot be asked now is left out; raises what it said where that are all.
        """
        with self._lock:
            unasked: list[AppError] = []

            def count() -> dict[str, int]:
                counted: dict[str, int] = {}
                for theme in self.taxonomy.categories:
                    try:
                        self.theme_vector(theme)
                    except AppError as error:
                        unasked.append(error)
                    else:
                        counted[theme.id] = find(theme)
                return counted

            counted = self.kept("counts", count)
            if unasked:
                del self._kept["counts"]
                if not counted:
                    raise unasked[-1]
            return counted

    def kept(self, name: str, compute: Callable[[], T]) -> T:
        """Return what is computed from the library and the taxonomy under a name; kept until one of them changes."""
        with self._lock:
            key = (self._index.version, self.taxonomy)
            if name not in self._kept or self._kept[name][0] != key:
                self._kept[name] = key, compute()
            return cast(T, self._kept[name][1])
