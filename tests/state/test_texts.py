"""The texts that were encoded before: asked for once, kept across runs, bounded, and never the cause of an error."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.models import ignore_progress
from core.state.sqlite import SqliteShelf
from core.state.texts import CachedText
from tests.fakes import FAKE_INFO, FakeEncoder, make_video, word_vector
from tests.state.conftest import OpenShelf


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "texts.sqlite3"


def test_a_text_is_asked_for_once_and_in_the_next_run_not_at_all(open_shelf: OpenShelf) -> None:
    encoder = FakeEncoder()
    first = CachedText(encoder, open_shelf("texts")).encode_text(["a wolf", "", "a wolf", "snow"])
    assert encoder.texts == ["a wolf", "", "snow"]
    again = CachedText(encoder, open_shelf("texts")).encode_text(["snow", "a wolf", ""])
    assert encoder.texts == ["a wolf", "", "snow"]
    assert np.array_equal(again, first[[3, 0, 1]])
    assert np.array_equal(first[0], word_vector("a wolf"))


def test_only_what_is_new_is_asked_for(open_shelf: OpenShelf) -> None:
    encoder = FakeEncoder()
    cached = CachedText(encoder, open_shelf("texts"))
    cached.encode_text(["a wolf"])
    cached.encode_text(["a wolf", "a dog"])
    assert encoder.texts == ["a wolf", "a dog"]


def test_each_encoder_has_its_own(open_shelf: OpenShelf) -> None:
    CachedText(FakeEncoder(), open_shelf("texts")).encode_text(["a wolf"])
    other = FakeEncoder(replace(FAKE_INFO, name="other", dimension=32))
    assert CachedText(other, open_shelf("texts")).encode_text(["a wolf"]).shape == (1, 32)
    assert other.texts == ["a wolf"]


def test_what_was_used_longest_ago_goes_first(open_shelf: OpenShelf) -> None:
    encoder = FakeEncoder()
    cached = CachedText(encoder, open_shelf("texts"), max_texts=3)
    for text in ("one", "two", "three", "one", "four"):
        cached.encode_text([text])
    encoder.texts.clear()
    cached.encode_text(["one", "three", "four"])
    assert encoder.texts == []
    cached.encode_text(["two"])
    assert encoder.texts == ["two"]


def test_a_thousand_texts_at_once_do(open_shelf: OpenShelf) -> None:
    texts = [f"text {number}" for number in range(1001)]
    cached = CachedText(FakeEncoder(), open_shelf("texts"))
    assert np.array_equal(cached.encode_text(texts), cached.encode_text(texts))
    assert len(cached.encoder.texts) == 1001


def test_threads_share_it(open_shelf: OpenShelf) -> None:
    cached = CachedText(FakeEncoder(), open_shelf("texts"))
    wrong: list[str] = []

    def ask(start: int) -> None:
        for number in range(start, start + 20):
            if not np.array_equal(cached.encode_text([f"text {number}"])[0], word_vector(f"text {number}")):
                wrong.append(f"text {number}")

    threads = [threading.Thread(target=ask, args=(5 * number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert wrong == []
    assert set(cached.encoder.texts) == {f"text {number}" for number in range(45)}


def test_a_file_that_cannot_be_used_is_logged_and_texts_are_encoded(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is not a database" * 99)
    rows = CachedText(FakeEncoder(), SqliteShelf(path, "texts")).encode_text(["a wolf"])
    assert np.array_equal(rows[0], word_vector("a wolf"))
    assert "Encoded texts cannot be read" in caplog.text


def test_a_vector_of_another_length_is_encoded_afresh(open_shelf: OpenShelf) -> None:
    CachedText(FakeEncoder(replace(FAKE_INFO, dimension=32)), open_shelf("texts")).encode_text(["a wolf"])
    assert CachedText(FakeEncoder(), open_shelf("texts")).encode_text(["a wolf"]).shape == (
        1,
        FAKE_INFO.dimension,
    )


def test_what_is_unknown_can_be_told_without_asking(open_shelf: OpenShelf) -> None:
    encoder = FakeEncoder()
    cached = CachedText(encoder, open_shelf("texts"))
    cached.encode_text(["a wolf"])
    assert cached.unknown(["snow", "a wolf", "snow", "rain"]) == ["snow", "rain"]
    assert encoder.texts == ["a wolf"]


def test_videos_go_straight_through(open_shelf: OpenShelf) -> None:
    cached = CachedText(FakeEncoder(), open_shelf("texts"))
    cached.encode_video(make_video("Grey wolf"), {}, ignore_progress)
    assert cached.encoder.finished == ["grey_wolf.mp4"]
    assert cached.info is cached.encoder.info
