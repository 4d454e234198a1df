"""What a video is to the eye, to the ear and in its words, as one vector: fused, or side by side.

A service that gives one embedding of what is seen, one of what is heard and one of what is said leaves the choice how
to search them. Fused into one, what is only heard drowns in what is seen. *Side by side* keeps each in a block of its
own, scaled by the square root of its weight:

    video  = [ √.8 · seen | √.1 · heard | √.1 · said | slack ]
    text   = [ w₁/√.8 · text | w₂/√.1 · text | w₃/√.1 · text | 0 ], scaled to length 1
    cosine = w₁ · cos(text, seen) + w₂ · cos(text, heard) + w₃ · cos(text, said), divided by a constant

so that one cosine over one vector is any weighted sum, in whatever index, and how much each counts is said by the
query: weights can change and nothing is encoded anew. Two videos are alike by .8, .1 and .1 of theirs, the service's
own example. The slack makes up for what a video lacks (silence, nobody speaking), so that all have the same length and
a silent video is neither raised nor lowered for it. A picture asks only for what is seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from core.errors import EncoderError
from core.models import Calibration, ClipEmbedding, VideoEmbedding

WHOLE_GOOD_UNTIL_S = 30.0
"""Marengo's own vector of a whole video is good up to here; beyond it the clips carry the meaning."""

LIKENESS = {"visual": 0.8, "audio": 0.1, "transcription": 0.1}
"""How much each counts in how alike two videos are."""
ASKED = {"visual": 1.0, "audio": 1.2, "transcription": 1.0}
"""How much each counts for a text. By .8, .1 and .1 what is only heard cannot be told from what is not there: over a
stand-in with the ranges published of Marengo 3.0 (bench/marengo.py) it is found before that 57 times in 100, and by
these weights 83 times, for which what is seen is found 97 times where it was 99. They are in the texts that are kept
(state/texts.py): another choice needs another name of the space, or those texts dropped."""
USUAL = 0.15
"""`Calibration.spread` for a cosine in which what is seen counts in full. It shrinks as that does: products of texts
and videos are smaller where a text is spread over blocks, and differences of texts, by which standings are told, are
not."""


class Form(Protocol):
    """How the embeddings of one span become one vector of a space."""

    dimension: int
    calibration: Calibration

    def video(self, parts: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the unit vector of a span, float32, of its unit embeddings by their names."""
        ...

    def text(self, vector: np.ndarray) -> np.ndarray:
        """Return the query of a text."""
        ...

    def picture(self, vector: np.ndarray) -> np.ndarray:
        """Return the query of a picture."""
        ...


class Fused:
    """One vector for all: the service's own fused one, or the middle of what there is."""

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self.calibration = Calibration()

    def video(self, parts: Mapping[str, np.ndarray]) -> np.ndarray:
        return unit(parts["fused"] if "fused" in parts else np.sum(list(parts.values()), axis=0))

    def text(self, vector: np.ndarray) -> np.ndarray:
        return vector

    def picture(self, vector: np.ndarray) -> np.ndarray:
        return vector


class SideBySide:
    """A block for each, and the slack."""

    def __init__(self, dimension: int, names: tuple[str, ...], asked: Mapping[str, float] = ASKED) -> None:
        """`dimension` is that of one embedding; `names` are the blocks in order, "visual" among them."""
        self.names = names
        self.dimension = len(names) * dimension + 1
        shares = np.array([LIKENESS[name] for name in names])
        self._roots = np.sqrt(shares / shares.sum()).astype(np.float32)
        weights = np.array([asked[name] for name in names]) / self._roots
        self._asked = (weights / np.linalg.norm(weights)).astype(np.float32)
        seen = names.index("visual")
        self.calibration = Calibration(spread=USUAL * float(self._asked[seen] * self._roots[seen]))

    def video(self, parts: Mapping[str, np.ndarray]) -> np.ndarray:
        nothing = np.zeros((self.dimension - 1) // len(self.names), np.float32)
        blocks = [root * parts.get(name, nothing) for name, root in zip(self.names, self._roots, strict=True)]
        vector = np.concatenate([*blocks, [0.0]]).astype(np.float32)
        vector[-1] = np.sqrt(max(0.0, 1.0 - float(vector @ vector)))
        return unit(vector)

    def text(self, vector: np.ndarray) -> np.ndarray:
        return np.append(np.outer(self._asked, vector).ravel(), 0.0).astype(np.float32)

    def picture(self, vector: np.ndarray) -> np.ndarray:
        blocks = [vector if name == "visual" else np.zeros_like(vector) for name in self.names]
        return np.append(np.concatenate(blocks), 0.0).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One embedding of a service's answer."""

    option: str
    """"visual", "audio", "transcription" or "fused"."""
    span: tuple[float, float] | None
    """From when to when; None for the whole video."""
    vector: np.ndarray
    """Of length 1."""


def assembled(parts: Iterable[Part], form: Form, duration_s: float) -> VideoEmbedding | None:
    """Return a video's vectors out of an answer; None where it holds nothing of it.

    What was embedded may have been longer than the video: spans are cut, and follow each other without overlap.
    """
    spans: dict[tuple[float, float], dict[str, np.ndarray]] = defaultdict(dict)
    whole: dict[str, np.ndarray] = {}
    for part in parts:
        (whole if part.span is None else spans[part.span])[part.option] = part.vector
    clips: list[ClipEmbedding] = []
    sums: dict[str, np.ndarray] = {}
    for (start_s, end_s), options in sorted(spans.items()):
        start_s, end_s = max(start_s, clips[-1].end_s if clips else 0.0), min(end_s, duration_s)
        if end_s > start_s:
            clips.append(ClipEmbedding(start_s, end_s, form.video(options)))
            for option, vector in options.items():
                sums[option] = sums.get(option, 0.0) + (end_s - start_s) * vector
    if whole and (duration_s <= WHOLE_GOOD_UNTIL_S or not clips):
        vector = form.video(whole)
    elif clips:
        vector = form.video({option: unit(total) for option, total in sums.items()})
    else:
        return None
    return VideoEmbedding(vector, tuple(clips) or (ClipEmbedding(0.0, duration_s, vector),))


def unit(vector: np.ndarray) -> np.ndarray:
    """Return a vector at length 1, float32. Raises EncoderError where it has none."""
    length = float(np.linalg.norm(vector))
    if not length:
        raise EncoderError("The vectors of this video cancel each other out. Press Retry to have it encoded anew.")
    return (vector / length).astype(np.float32)
