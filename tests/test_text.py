"""Text of others is shown on one line, and what hides or misleads is gone."""

from __future__ import annotations

import pytest

from core.text import display_name, is_hidden, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("One\x07 \u202etwo\n three", "One two three"),
        ("a\x00b", "a b"),
        ("a\u200bb\ufeffc", "abc"),
        ("a\u2028b\u2029c\u00a0d", "a b c d"),
        ("caf\u0065\u0301", "café"),
        ("\ud800 \ufffd \ue000", ""),
        ("👩‍🚀 می‌خواهم", "👩‍🚀 می‌خواهم"),
        ("  one   two ", "one two"),
        ("<b>*x*</b> $1 [a](b)", "<b>*x*</b> $1 [a](b)"),
    ],
)
def test_text_is_one_harmless_line(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown
    assert not any(is_hidden(char) for char in shown)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("wolf.mp4", "wolf.mp4"),
        ("../../etc/passwd", "passwd"),
        ("C:\\films\\wolf.mp4", "wolf.mp4"),
        ("films/wolf.mp4/", "wolf.mp4"),
        ("wolf\n\r\x00\x1b[31m.mp4", "wolf [31m.mp4"),
        ("\u202egpj.exe\u2066.mp4", "gpj.exe.mp4"),
        ("\udcff\udcfewolf.mp4", "wolf.mp4"),
        ("👩‍👩‍👧 家族.mp4", "👩‍👩‍👧 家族.mp4"),
        ("<b>wolf</b>.mp4", "b>.mp4"),
        ("<img src=x onerror=alert(1)>.mp4", "<img src=x onerror=alert(1)>.mp4"),
        ("Wo\u0308lfe.mp4", "Wölfe.mp4"),
        ("..", "video"),
        ("", "video"),
        ("\u200b\u202e", "video"),
        (" . ", "video"),
        (".mp4", "mp4"),
        ("می‌خواهم.mp4", "می‌خواهم.mp4"),
    ],
)
def test_a_name_is_shown_as_one_harmless_line(given: str, shown: str) -> None:
    assert display_name(given) == shown


@pytest.mark.parametrize("name", ["n" * 300 + ".mp4", "狼" * 200 + ".mp4", "n" * 300, "a." + "x" * 300])
def test_a_long_name_is_cut_to_255_bytes_and_keeps_its_ending(name: str) -> None:
    shown = display_name(name)
    assert 250 <= len(shown.encode()) <= 255
    assert shown.endswith(".mp4") == name.endswith(".mp4")
