from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from core.errors import Unavailable
from core.rounds import Rounds
from tests.support import PATIENCE_S, until

NEVER_S = 1e6


@pytest.fixture
def begin() -> Iterator[Callable[..., Rounds]]:
    begun: list[Rounds] = []

    def begin(step: Callable[[], float | None], every_s: float) -> Rounds:
        begun.append(Rounds("tide", step, every_s))
        begun[-1].start()
        return begun[-1]

    yield begin
    for rounds in begun:
        rounds.stop(PATIENCE_S)
        assert not rounds.is_running


@pytest.mark.parametrize("error", [Unavailable("The moon is away."), KeyError("moon")])
def test_what_a_step_raises_is_written_down_and_the_next_is_taken(
    begin: Callable[..., Rounds], caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    taken: list[int] = []

    def step() -> None:
        taken.append(1)
        if len(taken) == 1:
            raise error

    with caplog.at_level(logging.WARNING, "core.rounds"):
        begin(step, 0.001)
        until(lambda: len(taken) > 2)
    [record] = [record for record in caplog.records if record.name == "core.rounds"]
    assert record.getMessage().startswith("tide has to wait")
    assert ("moon" in (record.exc_text or "")) == (not isinstance(error, Unavailable))


def test_it_rests_until_it_is_woken_or_as_long_as_the_step_says(begin: Callable[..., Rounds]) -> None:
    rests: list[float | None] = [0.0, 0.0, None]
    taken = threading.Semaphore(0)

    def step() -> float | None:
        taken.release()
        return rests.pop(0) if rests else None

    rounds = begin(step, NEVER_S)
    for _ in range(3):
        assert taken.acquire(timeout=PATIENCE_S)
    rounds.wake()
    assert taken.acquire(timeout=PATIENCE_S)


def test_what_is_stopped_ends_its_rest_and_does_not_begin_again(begin: Callable[..., Rounds]) -> None:
    taken: list[int] = []
    rounds = begin(lambda: taken.append(1), NEVER_S)
    until(lambda: taken == [1])
    rounds.start()
    rounds.stop(PATIENCE_S)
    assert not rounds.is_running
    rounds.rest(NEVER_S)
    rounds.start()
    assert not rounds.is_running
    assert taken == [1]
