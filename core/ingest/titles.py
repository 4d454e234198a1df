"""Tell what a video is called: the tags in its container that describe it, and a title for people."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import unquote

from av.container import InputContainer
from av.stream import Stream

from core.ingest.meaning import EXTENSION, names_a_tool, says_nothing
from core.text import printable

MAX_TAG_CHARS = 2_000
MAX_TITLE_CHARS = 120
UNTITLED = "Untitled video"
_TAG_KEYS = frozenset(
    "title description synopsis summary comment genre keywords subject artist album album_artist performer director "
    "composer author show network episode_id category date copyright lyrics".split()
)
"""Tags that describe. Others are technical, or private (where it was filmed)."""
_LANGUAGE = re.compile(r"-[a-z]{3}$")


def tags_of(container: InputContainer, picture: Stream) -> dict[str, str]:
    """Return the tags that describe the video, keys in lower case, values on one line.

    What only names a tool, and a title that is none, describes nothing: "keywords: iMovie" is no word of the video.
    """
    found: dict[str, str] = {}
    # Ogg keeps its tags in the stream.
    tags = {**picture.metadata, **container.metadata} if container.format.name == "ogg" else container.metadata
    for key, value in tags.items():
        name = _LANGUAGE.sub("", key.lower().rpartition("apple.quicktime.")[2])
        text = printable(value[: 2 * MAX_TAG_CHARS])[:MAX_TAG_CHARS].rstrip()
        if name in _TAG_KEYS and text and not (says_nothing(text) if name == "title" else names_a_tool(text)):
            found.setdefault(name, text)
    return found


_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def title_of(filename: str, tags: Mapping[str, str]) -> str:
    """Return the container's title if it means something, else a title made from the file's name. Never empty."""
    tagged = printable(tags.get("title", "")[: 4 * MAX_TITLE_CHARS])
    if _says_something(tagged) and not says_nothing(tagged):
        return _shortened(tagged if " " in tagged or not EXTENSION.search(tagged) else _title_from_name(tagged))
    return _shortened(_title_from_name(filename))


def _title_from_name(filename: str) -> str:
    name = re.split(r"[/\\]", unquote(filename, errors="ignore").rstrip("/\\"))[-1]
    name = EXTENSION.sub("", printable(name))
    if " " not in name:  # With spaces, a person wrote it: dashes and dots are theirs.
        name = re.sub(r"[-.+]+", " ", name)
    words = [part for word in name.replace("_", " ").split() for part in _camel_words(word)]
    text = " ".join(words).strip(" -–—._·,")
    return text[:1].upper() + text[1:] if _says_something(text) else UNTITLED


def _camel_words(word: str) -> list[str]:
    """Split bigBuckBunny into big, buck, bunny; capitals of their own (NASA) stay."""
    parts = _CAMEL.split(word)
    return parts if len(parts) == 1 else [part if part.isupper() and len(part) > 1 else part.lower() for part in parts]


def _says_something(text: str) -> bool:
    return any(char.isalnum() or unicodedata.category(char) == "So" for char in text)


def _shortened(text: str) -> str:
    if len(text) <= MAX_TITLE_CHARS:
        return text
    cut = text[: MAX_TITLE_CHARS - 1]
    return (cut.rpartition(" ")[0] if " " in cut[MAX_TITLE_CHARS // 2 :] else cut).rstrip() + "…"
