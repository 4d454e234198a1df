"""What is computed once and kept: directions of themes, backgrounds of them, a sample of the library, answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from itertools import islice
from typing import TypeVar

import numpy as np

from core.discover import labels, relevance
from core.discover.composition import LABEL_SHARE, phrases
from core.discover.kept import Kept
from core.discover.labels import Judge
from core.discover.relevance import Background, Origin
from core.discover.taxonomy import Taxonomy, Theme, implied
from core.encoders.base import Encoder
from core.errors import AppError, Unavailable
from core.index.base import Index

T = TypeVar("T")

SAMPLE = 256
"""Videos of the library that tell what is usual in it."""
ANSWERS = 500
"""Answers that are kept, those asked for longest ago go first: some 40 KB each with a page of hits."""
ANSWERS_FOR_S = 600.0
"""An answer holds addresses of media, and those that are signed are good for hours only."""


class Caches:
    """Keep what does not change from one query to the next. Safe to use from several threads."""

    def __init__(self, encoder: Encoder, index: Index, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        self.calibration = encoder.info.calibration
        self._encoder = encoder
        self._index = index
        self._lock = threading.RLock()
        """Held while the encoder is asked for fixed texts, by nobody who works anything out of the library."""
        self._origin: Origin | None = None
        self._themes: dict[tuple[str, ...], np.ndarray] = {}
        self._backgrounds: dict[Hashable, Background] = {}
        self._kept = Kept(64)
        self._looks = 0
        self._answers = Kept(ANSWERS, for_s=ANSWERS_FOR_S)
        self._similar = Kept(ANSWERS, for_s=ANSWERS_FOR_S)
        """Apart from the answers: a page of hits asks for as many, and would push those out."""

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
            shipped = self._shipped()
            themes = shipped.get(kind, [theme for themes in shipped.values() for theme in themes])
            key = (kind, tuple((phrases(theme), theme.implies) for theme in themes))
            if key not in self._backgrounds:
                directions = [self.theme_vector(theme) for theme in themes]
                self._backgrounds[key] = Background.of(
                    kind, directions, self.origin(), self.calibration, implied(themes)
                )
            return self._backgrounds[key]

    def labels_version(self) -> str:
        """Return the version of what labels are worked out with now."""
        return labels.version(self.taxonomy, self._encoder.info)

    def judge(self) -> Judge:
        """Return who says what videos answer, by the taxonomy as it is now.

        A theme whose text is at fault is left out, as it is in a search. Raises Unavailable while the encoder cannot be
        asked for one yet, and what it says where it can be asked for none.
        """
        taxonomy = self.taxonomy

        def known(theme: Theme) -> bool:
            try:
                self.theme_vector(theme)
            except Unavailable:
                raise
            except AppError:
                return False
            return True

        def make() -> Judge:
            self.origin()
            asked = Taxonomy(*(tuple(filter(known, taxonomy.themes(kind))) for kind in labels.KINDS))
            return labels.judge(taxonomy, asked, self._encoder.info, self.theme_vector, self.background)

        return self._kept.get("judge", taxonomy, make)

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

    def kept(self, name: str, compute: Callable[[], T]) -> T:
        """Return what is computed from the library and the taxonomy under a name; kept until one of them changes.

        It is worked out by who asks first; who asks meanwhile gets what there was before.
        """
        return self._kept.get(name, self.state(), compute, old_will_do=True)

    def answer(self, question: Hashable, compute: Callable[[], T], *, must_keep: bool = False) -> T:
        """Return the answer to a question, worked out once for all who ask it; kept until the library changes.

        Where nobody can tell whether it changed, it is worked out and not kept; or that is raised, with `must_keep`,
        for what costs too much to work out at each view.
        """
        try:
            state = self.state()
        except AppError:
            if must_keep:
                raise
            return compute()
        return self._answers.get(question, state, compute)

    def similar(self, question: Hashable, compute: Callable[[], T]) -> T:
        """Return what is like a video; kept as answers are. Raises AppError."""
        return self._similar.get(question, self.state(), compute)

    def look_again(self) -> None:
        """Take the library for another one than before."""
        self._looks += 1

    def state(self) -> Hashable:
        """Return what everything that is kept was worked out from: another one after every change."""
        return self._index.version, self.taxonomy, self._looks
