"""Reading ahead: once, one by one, as slowly as it is told to, on after a restart, and in nobody's way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.errors import EncoderError, EncoderPaused, Unavailable
from core.state import ahead
from core.state.ahead import ReadAhead
from core.state.sqlite import SqliteShelf
from core.state.texts import CachedText
from tests.fakes import FakeEncoder, word_vector
from tests.support import until

TEXTS = [f"prompt {number}" for number in range(20)]
FOR_EVER_S = 1000.0
"""Longer than a test may take: who waits so long by mistake is found, however slow the machine is."""


class Slow(FakeEncoder):
    """An encoder that can be held up before it reads, and made to say something instead."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.go.set()
        self.says: list[Exception] = []
        self.asked_at: list[float] = []

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        self.asked_at.append(time.monotonic())
        assert self.go.wait(FOR_EVER_S)
        if self.says:
            raise self.says.pop(0)
        return super().encode_text(texts)


@pytest.fixture
def encoder() -> Slow:
    return Slow()


@pytest.fixture
def opened(encoder: Slow, tmp_path: Path) -> Callable[[], ReadAhead]:
    return lambda: ReadAhead(CachedText(encoder, SqliteShelf(tmp_path / "texts.sqlite3", "texts")), pauses_s=(0.05,))


def test_all_are_read_once_and_in_the_next_run_not_at_all(opened: Callable[[], ReadAhead], encoder: Slow) -> None:
    reader = opened()
    reader.read(TEXTS)
    until(lambda: reader.reading() is None)
    assert sorted(encoder.texts) == sorted(TEXTS)
    again = opened()
    again.read(TEXTS)
    assert again.reading() is None
    assert np.array_equal(again.encode_text(TEXTS[:2])[1], word_vector(TEXTS[1]))
    assert len(encoder.texts) == len(TEXTS)


def test_nobody_waits_for_what_is_still_to_come(
    opened: Callable[[], ReadAhead], encoder: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "GRACE_S", FOR_EVER_S)
    encoder.go.clear()
    reader = opened()
    reader.read(TEXTS)
    with pytest.raises(Unavailable, match=r"0 of 20 are known\. It goes on by itself"):
        reader.encode_text([TEXTS[7]])
    encoder.go.set()
    until(lambda: reader.reading() is None)
    assert reader.encode_text([TEXTS[7]]).any()


def test_other_words_go_straight_through(opened: Callable[[], ReadAhead], encoder: Slow) -> None:
    encoder.says = [Unavailable("Slow down.", retry_after_s=3600.0)] * ahead.TOGETHER
    reader = opened()
    reader.read(TEXTS)
    until(lambda: reader.reading().problem is not None)
    assert np.array_equal(reader.encode_text(["a wolf"])[0], word_vector("a wolf"))
    with pytest.raises(Unavailable, match=r"0 of 20 are known\. Just now: Slow down\."):
        reader.encode_text(["a wolf", TEXTS[0]])
    reader.stop()


def test_it_waits_as_long_as_it_is_told_to_and_loses_nothing(opened: Callable[[], ReadAhead], encoder: Slow) -> None:
    encoder.says = [Unavailable("Slow down.", retry_after_s=0.4)]
    reader = opened()
    reader.read(TEXTS)
    until(lambda: reader.reading() is None)
    assert sorted(encoder.texts) == sorted(TEXTS), "what came meanwhile was thrown away and asked for again"
    gaps = np.diff(sorted(encoder.asked_at))
    assert gaps.max() > 0.35


def test_it_outlives_an_outage_and_a_refused_key(opened: Callable[[], ReadAhead], encoder: Slow) -> None:
    encoder.says = [Unavailable("Away.")] * 9 + [EncoderPaused("The key is gone.")] * 9
    reader = opened()
    reader.read(TEXTS)
    until(lambda: reader.reading() is None)
    assert sorted(encoder.texts) == sorted(TEXTS)


def test_it_outlives_what_nobody_foresaw(
    opened: Callable[[], ReadAhead], encoder: Slow, caplog: pytest.LogCaptureFixture
) -> None:
    encoder.says = [RuntimeError("some fault"), *[KeyError("another")] * ahead.TOGETHER]
    reader = opened()
    reader.read(TEXTS)
    until(lambda: reader.reading() is None)
    assert sorted(encoder.texts) == sorted(TEXTS)
    assert "some fault" in caplog.text


def test_it_outlives_a_machine_that_gives_no_thread(
    opened: Callable[[], ReadAhead], encoder: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit, refusals = ThreadPoolExecutor.submit, iter(range(3))

    def refuse(*given: object, **named: object) -> Future:
        if next(refusals, None) is not None:
            raise RuntimeError("can't start new thread")
        return submit(*given, **named)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", refuse)
    reader = opened()
    reader.read(TEXTS)
    until(lambda: reader.reading() is None)
    assert sorted(encoder.texts) == sorted(TEXTS)


def test_a_restart_goes_on_with_what_is_left(opened: Callable[[], ReadAhead], encoder: Slow) -> None:
    reader = opened()
    reader.read(TEXTS[:8])
    until(lambda: reader.reading() is None)
    encoder.says = [EncoderPaused("The key is gone.", retry_after_s=3600.0)] * 99
    reader.read(TEXTS)
    until(lambda: reader.reading().problem is not None)
    assert (reader.reading().known, reader.reading().total) == (8, 20)
    reader.stop()
    encoder.says = []
    again = opened()
    again.read(TEXTS)
    until(lambda: again.reading() is None)
    assert sorted(encoder.texts) == sorted(TEXTS)


def test_a_text_of_its_own_fault_keeps_no_other(opened: Callable[[], ReadAhead], encoder: Slow) -> None:
    encoder.says = [EncoderError("Too long.")]
    reader = opened()
    reader.read(TEXTS)
    until(lambda: reader.reading() is None)
    assert len(encoder.texts) == len(TEXTS) - 1


def test_for_a_few_one_waits_a_moment(
    opened: Callable[[], ReadAhead], encoder: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "GRACE_S", FOR_EVER_S)
    encoder.go.clear()
    reader = opened()
    reader.read(TEXTS[:3])
    threading.Timer(0.2, encoder.go.set).start()
    assert reader.encode_text(TEXTS[:3]).any()
