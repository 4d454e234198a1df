"""Vectors for servers that stand in for Marengo: no model's, but with what matters of one to those who search by them.

`Words` makes the words of a video and of a text nearly all there is: what was named is found. `Ranges` has the
geometry that is published of Marengo 3.0 (text to visual 0.12 to 0.20 at the top match, text to sound 0.08 and less,
picture to visual 0.7): texts, pictures and sounds lie in narrow cones far from each other, and what they are about is
a small part of each vector, under noise of its own.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

DIMENSION = 512
LEAST_DIMENSION = 128
PLACES = 4
"""A picture is known by its mean colours in so many rows and columns."""


@dataclass(frozen=True)
class Content:
    """What a span of video is about."""

    seen: str
    heard: str
    said: str
    picture: np.ndarray | None
    """Colours of its middle frame, (PLACES, PLACES, 3) from 0 to 1."""


class Model(Protocol):
    """Makes unit vectors of length DIMENSION; shorter ones are cut off it."""

    def text(self, text: str) -> np.ndarray: ...

    def picture(self, colours: np.ndarray) -> np.ndarray: ...

    def span(self, option: str, content: Content, extra: str) -> np.ndarray: ...


def words_of(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold()) or [text]


def text_vector(text: str, dimension: int = DIMENSION) -> np.ndarray:
    """Return a unit vector in which each word lights two places, shortened as Matryoshka embeddings are."""
    vector = np.zeros(DIMENSION)
    for word in words_of(text):
        code = zlib.crc32(word.encode())
        vector[code % LEAST_DIMENSION] += 1.0  # So that the shortest vectors still say something.
        vector[(code >> 12) % DIMENSION] += 1.0
    return shortened(vector, dimension)


def shortened(vector: np.ndarray, dimension: int) -> np.ndarray:
    vector = vector[:dimension]
    return vector / np.linalg.norm(vector)


def colours(rgb: np.ndarray) -> np.ndarray:
    """Return the mean colours of a picture, (height, width, 3) uint8, in PLACES rows and columns: 0 to 1."""
    rows = np.array_split(np.arange(rgb.shape[0]), PLACES)
    columns = np.array_split(np.arange(rgb.shape[1]), PLACES)
    return np.array([[rgb[row][:, column].mean(axis=(0, 1)) for column in columns] for row in rows]) / 255.0


def _direction(name: str) -> np.ndarray:
    """Return a unit vector that a name always stands for, nearly at right angles to all others."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    vector = np.random.default_rng(seed).standard_normal(DIMENSION)
    return vector / np.linalg.norm(vector)


_LOOKS = np.random.default_rng(3).standard_normal((DIMENSION, PLACES * PLACES * 3))


def _looks(picture: np.ndarray) -> np.ndarray:
    """Return the direction of what a picture looks like: those of like colours in like places are near."""
    vector = _LOOKS @ (picture - 0.5).ravel()
    return vector / max(np.linalg.norm(vector), 1e-6)


class Words:
    """What was named is found, and a frame finds its video."""

    def text(self, text: str) -> np.ndarray:
        return text_vector(text)

    def picture(self, colours: np.ndarray) -> np.ndarray:
        return _looks(colours)

    def span(self, option: str, content: Content, extra: str) -> np.ndarray:
        words = {"audio": content.heard, "transcription": content.said}.get(option, content.seen)
        vector = text_vector(words) + 0.2 * text_vector(f"{extra} {option}")
        if option in ("visual", "fused") and content.picture is not None:
            vector = vector + 0.2 * _looks(content.picture)
        return shortened(vector, DIMENSION)


class Ranges:
    """As near and as far as Marengo 3.0 is said to be."""

    ABOUT_TEXT = 0.40
    """The part of a text's vector that says what it is about; the cone of all texts is most of the rest."""
    ABOUT: ClassVar = {"visual": 0.46, "audio": 0.17, "transcription": 0.24}
    LOOKS, PICTURE_LOOKS = 0.45, 0.62
    CONE, NOISE = 0.62, 0.35

    def __init__(self, meanings: Mapping[str, str] | None = None) -> None:
        """`meanings` names what some texts have in common though they share no word, as a model knows it."""
        self.meanings = meanings or {}

    def text(self, text: str) -> np.ndarray:
        return self._made(self.ABOUT_TEXT * self._about(text), "cone of texts", f"text {text}")

    def picture(self, colours: np.ndarray) -> np.ndarray:
        seed = colours.round(1).tobytes().hex()
        cone = 0.7 * _direction("cone of visual") + 0.5 * _direction("cone of pictures")
        return shortened(
            self.PICTURE_LOOKS * _looks(colours) + self.CONE * cone + 0.25 * _direction(f"picture {seed}"), DIMENSION
        )

    def span(self, option: str, content: Content, extra: str) -> np.ndarray:
        words = {"audio": content.heard, "transcription": content.said, "visual": content.seen}
        if option == "fused":  # What is heard and said drowns in what is seen.
            parts = {name: self.span(name, content, extra) for name in words}
            return shortened(0.8 * parts["visual"] + 0.1 * parts["audio"] + 0.1 * parts["transcription"], DIMENSION)
        vector = self.ABOUT[option] * self._about(words[option])
        if option == "visual" and content.picture is not None:
            vector = vector + self.LOOKS * _looks(content.picture)
        return self._made(vector, f"cone of {option}", f"{option} {words[option]} {extra}")

    def _about(self, text: str) -> np.ndarray:
        words = [word for word in words_of(text) if word not in _EMPTY]
        vector = np.sum([_direction(f"word {word}") for word in words], axis=0) if words else np.zeros(DIMENSION)
        vector = vector / max(np.linalg.norm(vector), 1.0)
        if meaning := self.meanings.get(text):
            vector = 0.85 * _direction(f"meaning {meaning}") + 0.53 * vector
        return vector

    def _made(self, about: np.ndarray, cone: str, own: str) -> np.ndarray:
        rest = self.CONE * _direction(cone) + self.NOISE * _direction(own)
        rest *= np.sqrt(max(0.0, 1.0 - float(about @ about))) / np.linalg.norm(rest)
        return shortened(about + rest, DIMENSION)


_EMPTY = frozenset("a an and at in into of on or the to with".split())
