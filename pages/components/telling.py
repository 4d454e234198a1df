"""The sentences of core (core.errors) in the language of who reads: each is looked up by what it was made of."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from core.errors import Sentence
from pages.components.state import Language, state

SENTENCES: Mapping[Language, str] = {"zh": "chinese_sentences.toml"}
"""Files of what core says, by its templates in English."""


@cache
def sentences(language: Language) -> Mapping[str, str]:
    """Return what core says in a language, by its templates in English."""
    if (name := SENTENCES.get(language)) is None:
        return {}
    return tomllib.loads(Path(__file__).with_name(name).read_text("utf-8"))


def tell(sentence: str) -> str:
    """Return a sentence of core in the language of who reads."""
    return tell_in(state.language, sentence)


def tell_in(language: Language, sentence: str) -> str:
    """Return a sentence of core in a language; what its table does not know stays as it is.

    That is what others wrote (a file's name, what a service answered), and what an earlier version kept in other words.
    """
    if not isinstance(sentence, Sentence) or (words := sentences(language).get(sentence.template)) is None:
        return sentence
    if sentence == sentence.template:
        return words
    values = {
        name: tell_in(language, value) if isinstance(value, str) else value for name, value in sentence.values.items()
    }
    try:
        return words.format(**values)
    except (KeyError, ValueError):
        return sentence
