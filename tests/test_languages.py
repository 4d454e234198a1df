"""Codes of languages: one spelling for each, and names for the screen."""

from __future__ import annotations

import pytest

from core.languages import language_code, language_name, with_primary


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("eng", "en"),
        ("deu", "de"),
        ("ger", "de"),
        ("fra", "fr"),
        ("fre", "fr"),
        ("EN", "en"),
        ("pt-BR", "pt-br"),
        ("zho-Hans", "zh-hans"),
        ("fil", "fil"),
    ],
)
def test_a_language_has_one_code_however_it_is_written(text, code):
    assert language_code(text) == code


@pytest.mark.parametrize("text", ["", "und", "mul", "zxx", "e", "english", "en-", "en-a", "en_US", "e1", "en\n", "дe"])
def test_what_names_no_language_has_none(text):
    assert language_code(text) is None


def test_names_are_for_people_and_unknown_codes_stay():
    assert [language_name(code) for code in ("de", "pt-br", "zh-hans", "fil")] == [
        "German",
        "Portuguese (BR)",
        "Chinese (Hans)",
        "fil",
    ]


def test_a_variant_counts_for_its_language_and_not_the_other_way():
    assert with_primary(("pt-br", "en")) == {"pt-br", "pt", "en"}
    assert with_primary(("pt",)) == {"pt"}
