"""From what is asked for to one vector: the parts of a query, their weights, their sum.

A text is the direction in which it differs from texts that ask for nothing (`relevance.py`). A category is an ensemble
of prompts, led by its name, a mood another; their directions are averaged. A query is the weighted sum of its parts
(`strength` moves weight from what is asked for to the mood), so one nearest-neighbour search finds the candidates for
all of them together, and products being linear, what each part contributed adds up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.discover import relevance
from core.discover.taxonomy import Taxonomy, Theme
from core.models import PartKind

LABEL_SHARE = 0.8
"""Weight of a theme's own name in its ensemble; the other phrases only colour it (bench/quality.py compares)."""
WORDS_OVER_CATEGORY = 1.2
"""Typed words are the more deliberate of the two."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One part of a query and its weight: the vector of a video or picture, or the direction of a text.

    The vector is zero where the encoder knows nothing of it.
    """

    kind: PartKind
    label: str
    vector: np.ndarray
    weight: float
    theme: str | None = None
    """The id of the category or mood that it is."""


def phrases(theme: Theme) -> tuple[str, ...]:
    """Return what is encoded for a category or mood: its label, then its prompts."""
    return (theme.label, *theme.prompts)


def fixed_texts(taxonomy: Taxonomy) -> list[str]:
    """Return every text that is encoded whatever people type: an encoder that costs money is asked for them once.

    What everything stands on comes first, then what categories need, then moods: with part of them, part works.
    """
    every = (*taxonomy.categories, *taxonomy.moods)
    themes = [text for theme in every for text in phrases(theme)]
    return list(dict.fromkeys([*relevance.NEUTRAL, *(theme.label for theme in every), *themes]))


def compose(parts: Iterable[Part]) -> np.ndarray:
    """Return the unit vector of a whole query: the sum of its parts by their weights."""
    return unit(summed(parts))


def summed(parts: Iterable[Part]) -> np.ndarray:
    """Return the sum of a query's parts by their weights; of shape (1,) and zero where there are none."""
    return sum((part.weight * part.vector for part in parts), start=np.zeros(1, np.float32))


def unit(vector: np.ndarray) -> np.ndarray:
    """Return the vector at length one, float32; a zero vector stays zero."""
    length = float(np.linalg.norm(vector))
    return (vector / length if length else vector).astype(np.float32)


def weights(parts: Sequence[Part]) -> np.ndarray:
    """Return the weights of the parts, (parts,)."""
    return np.array([part.weight for part in parts])


def weighed(parts: Sequence[Part], share: float) -> list[Part]:
    """Return parts with their weights scaled to add up to a share, leaving out those that would have none."""
    total = sum(part.weight for part in parts)
    return [replace(part, weight=share * part.weight / total) for part in parts if share > 0]
