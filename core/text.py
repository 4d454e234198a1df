"""Text that others wrote, made fit to be shown: on one line, without what hides, misleads or cannot be encoded."""

from __future__ import annotations

import unicodedata
from typing import TypeVar, cast

from core.errors import Sentence

T = TypeVar("T", bound=str)
NAME_BYTES = 255
"""The longest a shown file name may be in UTF-8: what file systems allow."""
_JOINERS = "\u200c\u200d"
"""Invisible, and needed to write Persian, the languages of India, and many emoji."""
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories of what cannot be seen, turns the text around it about, or cannot be encoded."""
_LONGEST_ENDING = 8


def is_hidden(char: str) -> bool:
    """Say whether a character cannot be seen: control, bidirectional and other invisible ones, lone surrogates."""
    return unicodedata.category(char) in _HIDDEN and char not in _JOINERS


def printable(text: T) -> T:
    """Return the text on one line, without what is hidden, private or broken; each run of spaces becomes one."""
    return cast(T, text.each(_printable) if isinstance(text, Sentence) else _printable(text))


def _printable(text: str) -> str:
    kept = []
    for char in unicodedata.normalize("NFC", text):
        if char.isspace() or unicodedata.category(char) == "Cc":
            kept.append(" ")
        elif not is_hidden(char) and unicodedata.category(char) != "Co" and char != "\ufffd":
            kept.append(char)
    return " ".join("".join(kept).split())


def display_name(text: str) -> str:
    """Return the last part of a file name as text that is safe to show: at most 255 bytes, never empty, one line."""
    name = printable(text.replace("\\", "/").rstrip("/").rpartition("/")[2]).strip(". ")
    if not name:
        return "video"
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending) > _LONGEST_ENDING:
        stem, dot, ending = name, "", ""
    room = NAME_BYTES - len((dot + ending).encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + ending
