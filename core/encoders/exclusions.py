"""Read what a query does not want: "beach -people", "mountains without snow", "a street, no cars".

A model of pictures and text reads past "no" and "without": to it "a street without cars" is a street with cars. So
what is excluded is taken out of the text here, once for every encoder that understands it, and pushes away as a vector.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

PUSH = 0.7
"""How much what is excluded pushes away beside what is asked for pulling; as firmly as the lexicon negates."""

_MINUS = re.compile(r'(?:(?<=\s)|^)[-−–](?:"([^"]+)"|(\w[\w\'’-]*))')
"""A hyphen right before a word and after none: "-snow", not "sci-fi" and not "dogs - cats"."""
_NOT = re.compile(
    r"\b(?:but\s+|and\s+|with\s+)?(?:without|no|not|except(?:\s+for)?|excluding)\s+"
    r"(?:any\s+|a\s+|an\s+|the\s+|of\s+)*(?P<what>[^\s,.;:!?|]+(?:\s+[^\s,.;:!?|]+)?)",
    re.IGNORECASE,
)
_END = re.compile(
    r"\s+(?:and|or|but|with|in|on|at|by|near|from|for|of|to|is|are|without|no|not|except|excluding)\b.*", re.I
)
"""What follows the excluded words and belongs to what is wanted again."""
_OR = re.compile(r"^\s*(?:,\s*)?(?:or|nor|and\s+no|and\s+without)\s+(?P<what>[^\s,.;:!?|]+)", re.IGNORECASE)
_FIXED = re.compile(r"\b(?:no one|not only|no matter|no doubt|no longer|why not|or not|no \d+)\b", re.IGNORECASE)
"""Turns of phrase that exclude nothing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query taken apart."""

    wanted: str
    """What is left of the text; empty when it only excludes."""
    excluded: tuple[str, ...]


def take_apart(text: str) -> Asked:
    """Return what a query wants and what it excludes, each as words."""
    excluded: list[str] = []

    def minus(found: re.Match[str]) -> str:
        excluded.append((found[1] or found[2]).strip())
        return " "

    rest = _MINUS.sub(minus, text)
    wanted, at = "", 0
    while found := _NOT.search(rest, at):
        if _FIXED.match(rest, found.start()) or _FIXED.match(rest, found.start("what") - 3):
            wanted += rest[at : found.end()]
            at = found.end()
            continue
        what = _END.sub("", found["what"])
        excluded.append(what)
        wanted += rest[at : found.start()] + " "
        at = found.start("what") + len(what)
        while more := _OR.match(rest[at:]):
            excluded.append(more["what"])
            at += more.end()
    return Asked(" ".join((wanted + rest[at:]).split()).strip(" ,;"), tuple(excluded))


def vectors(texts: Sequence[str], dimension: int, read: Callable[[Sequence[str]], Iterable[np.ndarray]]) -> np.ndarray:
    """Return one vector a text, of length 1 or zero, float32 (len(texts), dimension), away from what it excludes.

    `read` turns texts into rows and is asked once for every different thing wanted or excluded; it gives zero where
    nothing is known. A text that only excludes points away from that.
    """
    taken = [take_apart(text) for text in texts]
    needed = list(dict.fromkeys(part for asked in taken for part in (asked.wanted, *asked.excluded) if part))
    known = dict(zip(needed, read(needed), strict=True))
    rows = np.zeros((len(texts), dimension), np.float32)
    for row, asked in zip(rows, taken, strict=True):
        wanted = known[asked.wanted] if asked.wanted else np.zeros_like(row)
        excluded = np.array([known[part] for part in asked.excluded], np.float32).reshape(-1, dimension)
        pushed = push_away(wanted, excluded)
        length = float(np.linalg.norm(pushed))
        row[:] = pushed / length if length else pushed
    return rows


def push_away(wanted: np.ndarray, excluded: np.ndarray, push: float = PUSH) -> np.ndarray:
    """Return a vector (d,) that is near to what is wanted (d,) and away from each row excluded (n, d).

    Only what the excluded has beyond the wanted pushes: "mountains without snow" must stay with mountains.
    """
    length = float(np.linalg.norm(wanted))
    along = wanted / length if length else wanted
    away = excluded - np.outer(excluded @ along, along)
    return (wanted - push * away.sum(axis=0)).astype(np.float32)
