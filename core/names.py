"""Names that people type (a profile, a channel, a category): what is allowed, when two are the same, and as an id."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from core.errors import QueryError, Sentence
from core.text import is_hidden

ID_CHARS = 48
"""The longest id made of a name, the hash that may follow not counted."""
_HASH_CHARS = 8
_LATIN = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
"""Latin letters that Unicode does not take apart into a letter and its accent, after case folding."""


def clean_name(text: str, what: str, most: int) -> str:
    """Return the name trimmed, each run of spaces in it as one.

    `what` begins the sentence when it cannot be kept ("A profile name"). Raises QueryError when it is blank, longer
    than `most` characters, or has characters that cannot be seen.
    """
    name, what = unicodedata.normalize("NFC", text.strip()), Sentence(what)
    for char in name:
        if is_hidden(char):
            raise QueryError(
                "{what} must be one line of text that shows. Remove the character U+{code:04X}.",
                what=what,
                code=ord(char),
            )
    name = " ".join(name.split())
    if not any(unicodedata.category(char)[0] in "LNPS" for char in name):
        raise QueryError("{what} is missing. Type 1 to {most} characters.", what=what, most=most)
    if len(name) > most:
        raise QueryError(
            "{what} has at most {most} characters, and this one has {count}. Shorten it.",
            what=what,
            most=most,
            count=len(name),
        )
    return name


def identity(name: str) -> str:
    """Return what two spellings of the same name share: case and width of letters make no difference."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def slug(name: str, otherwise: str) -> str:
    """Return a name as an id of lower-case ASCII letters, digits and dashes; the same name gives the same id always.

    Accents go. Where letters of other scripts would go too, or the name is very long, a hash of the name makes up for
    what is missing, after what can be read of it, or after `otherwise` where nothing can: "mood-3f2a91c4".
    """
    folded = unicodedata.normalize("NFKD", identity(name).translate(_LATIN)).replace("'", "").replace("’", "")
    readable = "-".join(re.findall("[a-z0-9]+", "".join(c for c in folded if not unicodedata.combining(c))))
    lost = any(char.isalnum() and not char.isascii() for char in folded)
    short = readable[:ID_CHARS].strip("-")
    if short == readable and readable and not lost:
        return readable
    digest = hashlib.sha256(identity(name).encode()).hexdigest()[:_HASH_CHARS]
    return f"{short or otherwise}-{digest}"
