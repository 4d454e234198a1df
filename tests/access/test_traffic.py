"""How much may be asked: by each visitor and in all."""

import pytest

from core.access import traffic
from core.access.limits import Limits, read
from core.access.traffic import BURST_S, Places, Rate
from core.errors import SettingsError


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def taken(rate: Rate, visitor: str, tries: int) -> int:
    return sum(rate.take(visitor) == 0 for _ in range(tries))


def test_a_visitor_gets_a_burst_and_then_so_many_a_second():
    clock = Clock()
    rate = Rate(2.0, 100.0, clock)
    assert taken(rate, "a", 50) == 2 * BURST_S
    assert rate.take("a") == pytest.approx(0.5)
    assert taken(rate, "b", 1) == 1
    clock.now += 1
    assert taken(rate, "a", 50) == 2
    clock.now += 1000
    assert taken(rate, "a", 50) == 2 * BURST_S


def test_all_together_get_no_more_than_all_may():
    rate = Rate(10.0, 10.0, Clock())
    assert sum(taken(rate, str(n), 1) for n in range(200)) == 10 * BURST_S


def test_less_than_one_a_burst_is_still_one():
    clock = Clock()
    rate = Rate(0.1, 100.0, clock)
    assert taken(rate, "a", 3) == 1
    clock.now += 10
    assert taken(rate, "a", 3) == 1


def test_not_every_visitor_is_remembered(monkeypatch):
    monkeypatch.setattr(traffic, "KEPT", 10)
    rate = Rate(1.0, 1e6, Clock())
    for n in range(100):
        rate.take(str(n))
    assert len(rate._full_until) == 10


def test_places_are_taken_and_left():
    places = Places(2, 3)
    assert [places.enter(one) for one in "aaab"] == [True, True, False, True]
    assert not places.enter("c")
    assert places.taken == 3
    places.leave("a")
    assert places.enter("c")
    for one in "abc":
        places.leave(one)
    assert places.taken == 0
    assert not places._taken


def test_the_limits_are_settings():
    assert read({}.get) == Limits()
    said = {"MAX_QUEUE": "7", "TWELVELABS_MINUTES_A_DAY": "1.5", "MAX_REQUESTS_A_SECOND": "0.5"}
    assert (read(said.get).queue, read(said.get).minutes_a_day, read(said.get).requests_a_second) == (7, 1.5, 0.5)
    for name, text in (
        ("MAX_QUEUE", "1.5"),
        ("MAX_SESSIONS", "0"),
        ("TWELVELABS_MINUTES_A_DAY", "-1"),
        ("TWELVELABS_MINUTES_A_DAY_EACH", "ten"),
        ("MAX_REQUESTS_A_SECOND_IN_ALL", "nan"),
    ):
        with pytest.raises(SettingsError, match=name):
            read({name: text}.get)
