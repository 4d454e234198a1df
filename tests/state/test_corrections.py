"""What people say against an encoder, by content."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.state.corrections import Correction, Corrections
from core.state.sqlite import SqliteShelf


@pytest.fixture
def corrections(tmp_path: Path) -> Corrections:
    return Corrections(SqliteShelf(tmp_path / "corrections.sqlite3", "corrections"))


def test_nothing_is_said_at_first(corrections: Corrections) -> None:
    assert corrections.of("a" * 64) == {}
    assert corrections.all() == ()


def test_the_last_word_counts_and_can_be_taken_back(corrections: Corrections) -> None:
    corrections.say("aa", "category", "comedy", False)
    corrections.say("aa", "category", "sports", True)
    corrections.say("aa", "category", "comedy", True)
    assert corrections.of("aa") == {"comedy": True, "sports": True}
    corrections.say("aa", "category", "comedy", None)
    assert corrections.of("aa") == {"sports": True}


def test_a_category_and_a_mood_of_one_name_are_two(corrections: Corrections) -> None:
    corrections.say("aa", "category", "calm", False)
    corrections.say("aa", "mood", "calm", True)
    corrections.say("bb", "mood", "calm", False)
    assert corrections.of("aa") == {"calm": False}
    assert corrections.of("aa", "mood") == {"calm": True}
    assert corrections.by_content("mood") == {"aa": {"calm": True}, "bb": {"calm": False}}
    assert [(one.content_sha256, one.kind, one.holds) for one in corrections.all()] == [
        ("aa", "category", False),
        ("aa", "mood", True),
        ("bb", "mood", False),
    ]


def test_a_content_can_be_forgotten(corrections: Corrections) -> None:
    corrections.say("aa", "category", "comedy", False)
    corrections.say("bb", "category", "comedy", False)
    corrections.forget("aa")
    assert [one.content_sha256 for one in corrections.all()] == ["bb"]


def test_what_was_said_in_another_library_is_added_and_what_is_said_here_stays(corrections: Corrections) -> None:
    corrections.say("aa", "category", "comedy", False)
    theirs = [Correction("aa", "category", "comedy", True, "2026"), Correction("aa", "mood", "calm", True, "2026")]
    assert corrections.take(theirs) == 1
    assert corrections.take(theirs) == 0
    assert corrections.of("aa") == {"comedy": False}
    assert corrections.all()[1] == theirs[1]
