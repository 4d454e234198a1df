"""What is computed once and kept: vectors of themes, backgrounds of prompts, a sample of the library, counts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from itertools import islice

import numpy as np

from core.discover import relevance
from core.discover.composition import ensemble, phrases
from core.discover.relevance import Background
from core.discover.taxonomy import Taxonomy, Theme
from core.encoders.base import Encoder
from core.index.base import Index

SAMPLE = 256
"""Videos of the library that tell what likeness between videos is usual."""


class Caches:
    """Keep what does not change from one query to the next. Safe to use from several threads."""

    def __init__(self, encoder: Encoder, index: Index, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        self._encoder = encoder
        self._index = index
        self._lock = threading.RLock()
        self._themes: dict[tuple[str, ...], np.ndarray] = {}
        self._backgrounds: dict[str, Background] = {}
        self._counted: tuple[object, dict[str, int]] | None = None
        self._sampled: tuple[object, np.ndarray] | None = None

    def theme_vector(self, theme: Theme) -> np.ndarray:
        """Return the unit vector of a category or mood, computed once: its label and its prompts, the label leading."""
        with self._lock:
            key = phrases(theme)
            if key not in self._themes:
                self._themes[key] = ensemble(self._encoder.encode_text(key))
            return self._themes[key]

    def background(self, kind: str) -> Background:
        """Return the prompts a part of this kind is compared with: those of its own kind, or all."""
        with self._lock:
            if kind not in self._backgrounds:
                shipped = {
                    "category": [theme for theme in self.taxonomy.categories if not theme.own],
                    "mood": [theme for theme in self.taxonomy.moods if not theme.own],
                }
                themes = shipped.get(kind, [theme for themes in shipped.values() for theme in themes])
                vectors = [self.theme_vector(theme) for theme in themes]
                if kind not in shipped:
                    vectors += [*self._encoder.encode_text(relevance.NEUTRAL)]
                self._backgrounds[kind] = Background(np.array([vector for vector in vectors if vector.any()]))
            return self._backgrounds[kind]

    def sample(self) -> np.ndarray:
        """Return the vectors of some whole videos of the library, (n, dimension); kept until the library changes."""
        with self._lock:
            key = self._index.version
            if self._sampled is None or self._sampled[0] != key:
                entries = islice(self._index.scroll(scope="video"), SAMPLE)
                self._sampled = key, np.array([entry.vector for entry in entries])
            return self._sampled[1]

    def counts(self, find: Callable[[Theme], int]) -> Mapping[str, int]:
        """Return what `find` counts for each category, by id; kept until the library or the taxonomy changes."""
        with self._lock:
            key = (self._index.version, self.taxonomy)
            if self._counted is None or self._counted[0] != key:
                self._counted = key, {theme.id: find(theme) for theme in self.taxonomy.categories}
            return self._counted[1]
