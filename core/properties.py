"""What a video is beside what is in it: one row a property.

Filters, facets, `POST /search`, its OpenAPI, the command line and the page are made from this table. A new property
is one row here and its words in pages/.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from core.errors import QueryError
from core.languages import language_code, with_primary
from core.models import Entry

LENGTHS: Mapping[str, tuple[float, float]] = {
    "under-10s": (0.0, 10.0),
    "10s-1min": (10.0, 60.0),
    "1-10min": (60.0, 600.0),
    "over-10min": (600.0, float("inf")),
}
"""Bands of duration, [from, to) seconds."""
_SQUARE = (0.9, 1.1)
"""Width over height, [from, to], that passes for square."""


@dataclass(frozen=True, slots=True)
class Property:
    """One property: its values are short texts, of a fixed list or of an open vocabulary."""

    name: str
    """In requests, links, options of the command line, filters and facets."""
    description: str
    """A sentence for programs and the command line; the page has words of its own."""
    values: Callable[[Entry], Iterable[str]]
    """Read the values of a video from its entry; none, one or several."""
    payload_key: str
    """Under which an index keeps what `of` returns, as keywords."""
    options: tuple[str, ...] = ()
    """All values there are, in the order they are shown in; empty where the vocabulary is open."""
    wider: Callable[[str], Collection[str]] = lambda value: ()
    """What a video with this value has too: one in pt-br is in pt."""
    parse: Callable[[str], str | None] | None = None
    """Turn what somebody wrote into a value, None where it is none; without it a text is the value."""
    pattern: str | None = None
    """Regular expression of texts in an open vocabulary, for OpenAPI."""
    examples: tuple[str, ...] = ()
    """Of an open vocabulary, as people write them."""

    def of(self, entry: Entry) -> frozenset[str]:
        """Return all that a video can be found by."""
        own = frozenset(self.values(entry))
        return own.union(*map(self.wider, own))

    def read(self, text: str) -> str:
        """Return the value that a text stands for. Raises QueryError naming the allowed ones."""
        value = text if self.parse is None else self.parse(text)
        if self.options and value not in self.options:
            allowed = ", ".join(self.options)
            raise QueryError(
                "There is no {name} {text!r}. Choose of: {allowed}.",
                {self.name: [*self.options]},
                name=self.name,
                text=text,
                allowed=allowed,
            )
        if value is None:
            such = " or ".join(self.examples)
            raise QueryError(
                "{name} is {text!r}. Send a code such as {such}.",
                {self.name: [*self.examples]},
                name=self.name,
                text=text,
                such=such,
            )
        return value

    def read_all(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return the values of several texts, each once. Raises QueryError at the first that is none."""
        return tuple(dict.fromkeys(map(self.read, texts)))


def _length(entry: Entry) -> Iterable[str]:
    return [name for name, (least, most) in LENGTHS.items() if least <= entry.duration_s < most]


def _shape(entry: Entry) -> Iterable[str]:
    ratio = entry.width_px / max(entry.height_px, 1)
    return ["landscape" if ratio > _SQUARE[1] else "portrait" if ratio < _SQUARE[0] else "square"]


def _sound(entry: Entry) -> Iterable[str]:
    return ["with-sound" if entry.has_audio else "silent"]


PROPERTIES: dict[str, Property] = {
    row.name: row
    for row in (
        Property("length", "How long it is.", _length, "length", tuple(LENGTHS)),
        Property("shape", "Wider than high, or not.", _shape, "shape", ("landscape", "portrait", "square")),
        Property("sound", "Whether there is anything to hear.", _sound, "sound", ("with-sound", "silent")),
        Property(
            "language",
            "Of subtitles: en, pt-BR … A language takes its variants too.",
            lambda entry: entry.subtitle_languages,
            "language",
            wider=lambda code: with_primary((code,)),
            parse=language_code,
            pattern="^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?$",
            examples=("en", "pt-BR"),
        ),
    )
}
"""By name, in the order in which they are shown."""
