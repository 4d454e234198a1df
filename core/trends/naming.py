"""What a cluster is called: the categories, moods and words that its videos have and others do not.

A name is read as if it held for all that is in there. So it says only what most of them have, more of them than of the
library, and so many more that a cluster drawn by chance would hardly have them (hypergeometric test). Words stand
beside the name and need not hold for most."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from core.library.listing import tags_of
from core.models import Entry

COMMON, COMMON_WORD = 0.5, 0.2
"""Share of a cluster's videos that must be passed by a label, and by a word, for it to be called by it."""
TELLING = 1.25
"""How much more often than in the whole library."""
CHANCE = 0.1
"""How likely it may be by chance: of six videos in two clusters the smaller one must be able to get a name."""
CATEGORIES, MOODS, WORDS = 2, 1, 3
_WORD = re.compile(r"[^\W\d_]{3,}")
_SAY_NOTHING = frozenset(
    "the and for with from into over under that this these those its his her our your their you are was were who not "
    "one two all out off has had have been where when what which while before after video clip film movie too down up "
    "first last new old".split()
)


@dataclass(frozen=True, slots=True)
class Name:
    """What sets a cluster apart, most telling first. Ids of categories and moods; words as they are written."""

    categories: tuple[str, ...]
    moods: tuple[str, ...]
    words: tuple[str, ...]


def names_of(entries: Sequence[Entry], groups: Sequence[int]) -> list[Name]:
    """Return the name of each group, in the order of their numbers."""
    found = []
    for number in range(max(groups, default=-1) + 1):
        inside = [entry for entry, group in zip(entries, groups, strict=True) if group == number]
        everywhere = len(inside) == len(entries)

        def telling(
            of: Callable[[Entry], Iterable[str]],
            most: int,
            least: float,
            inside: list[Entry] = inside,
            everywhere: bool = everywhere,
        ) -> tuple[str, ...]:
            return _telling(inside, entries, of, most, least, everywhere)

        found.append(
            Name(
                telling(lambda entry: entry.categories or (), CATEGORIES, COMMON),
                telling(lambda entry: entry.moods or (), MOODS, COMMON),
                telling(words_of, WORDS, COMMON_WORD),
            )
        )
    return found


def _telling(
    inside: Sequence[Entry],
    every: Sequence[Entry],
    of: Callable[[Entry], Iterable[str]],
    most: int,
    least: float,
    everywhere: bool,
) -> tuple[str, ...]:
    """Return what is more frequent inside than everywhere, by its share times how much more frequent it is."""
    here = Counter(value for entry in inside for value in {*of(entry)})
    there = Counter(value for entry in every for value in {*of(entry)})
    scored = []
    for value, count in here.items():
        share, usual = count / len(inside), there[value] / len(every)
        is_common = share > least and (count > 1 or len(inside) == 1)
        is_telling = share >= TELLING * usual and chance(count, len(inside), there[value], len(every)) <= CHANCE
        if is_common and (everywhere or is_telling):
            scored.append((-share * (1.0 if everywhere else math.log(share / usual)), value))
    return tuple(value for _, value in sorted(scored)[:most])


def chance(count: int, drawn: int, having: int, every: int) -> float:
    """Return how likely it is that of so many drawn from all, of whom so many have something, as many or more do."""

    def ways(some: int, of: int) -> float:
        return math.lgamma(of + 1) - math.lgamma(some + 1) - math.lgamma(of - some + 1)

    possible = range(max(count, drawn - (every - having)), min(drawn, having) + 1)
    all_ways = ways(drawn, every)
    return sum(math.exp(ways(n, having) + ways(drawn - n, every - having) - all_ways) for n in possible)


def words_of(entry: Entry) -> set[str]:
    """Return the words of a video's title and tags, each once."""
    text = " ".join((entry.title, *tags_of(entry))).casefold()
    return {word for word in _WORD.findall(text) if word not in _SAY_NOTHING}
