"""Names that people type: any script, nothing that hides, and ids that go into links."""

from __future__ import annotations

import re

import pytest

from core.errors import QueryError
from core.names import ID_CHARS, clean_name, identity, slug


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Anna ", "Anna"),
        ("Anna\n", "Anna"),
        ("Anna   B", "Anna B"),
        ("Zoë", "Zoë"),
        ("Zoe\u0308", "Zoë"),
        ("日本", "日本"),
        ("می‌خواهم", "می‌خواهم"),
        ("👩‍🚀", "👩‍🚀"),
        ("<b>*x*</b>", "<b>*x*</b>"),
        ("x" * 40, "x" * 40),
        ("7", "7"),
    ],
)
def test_a_name_is_kept_as_typed_without_spare_spaces(typed: str, kept: str) -> None:
    assert clean_name(typed, "A name", 40) == kept


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "is missing"),
        (" \t\n ", "is missing"),
        ("\u200d\u200c", "is missing"),
        ("\u0301", "is missing"),
        ("x" * 41, "at most 40 characters, and this one has 41"),
        ("An\x00na", "U\\+0000"),
        ("An\tna", "U\\+0009"),
        ("An\nna", "U\\+000A"),
        ("\u202eannA", "U\\+202E"),
        ("An\u2028na", "U\\+2028"),
        ("An\u200bna", "U\\+200B"),
        ("An\udc80na", "U\\+DC80"),
    ],
)
def test_what_cannot_be_a_name_gets_a_sentence(typed: str, sentence: str) -> None:
    with pytest.raises(QueryError, match=f"^A name .*{sentence}"):
        clean_name(typed, "A name", 40)


def test_case_and_width_make_no_other_name() -> None:
    assert len({identity(name) for name in ("Straße", "STRASSE", "ｓｔｒａｓｓｅ")}) == 1
    assert identity("Zoë") != identity("Zoe")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Calm nature for the lobby", "calm-nature-for-the-lobby"),
        ("Café Müde", "cafe-mude"),
        ("Smørrebrød & Łódź", "smorrebrod-lodz"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("Children's TV", "childrens-tv"),
        ("../../etc/passwd", "etc-passwd"),
        ("Party 🎉", "party"),
    ],
)
def test_a_name_that_can_be_read_in_ascii_is_its_own_slug(name: str, expected: str) -> None:
    assert slug(name, "mood") == expected


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("Спокойно", "mood-[0-9a-f]{8}"),
        ("🎉", "mood-[0-9a-f]{8}"),
        ("日本 nature", "nature-[0-9a-f]{8}"),
        ("٣", "mood-[0-9a-f]{8}"),
        ("x" * 200, f"x{{{ID_CHARS}}}-[0-9a-f]{{8}}"),
    ],
)
def test_what_is_lost_is_made_up_for_by_a_hash(name: str, shape: str) -> None:
    assert re.fullmatch(shape, slug(name, "mood"))


def test_a_hash_is_of_the_name_whatever_its_case() -> None:
    assert slug("Спокойно", "mood") == slug("СПОКОЙНО", "mood") != slug("Весело", "mood")
