"""What is worked out once is worked out once, and never longer than it holds."""

from __future__ import annotations

import threading

import pytest

from core.discover.kept import Kept


def test_a_value_holds_as_long_as_its_state_and_its_time():
    now, made = [0.0], []

    def make():
        made.append(len(made))
        return made[-1]

    kept = Kept(10, for_s=60.0, clock=lambda: now[0])
    assert [kept.get("a", 1, make), kept.get("a", 1, make), kept.get("a", 2, make)] == [0, 0, 1]
    now[0] = 61.0
    assert kept.get("a", 2, make) == 2


def test_the_values_used_longest_ago_go_first():
    kept, made = Kept(2), []
    for name in "abacabc":
        kept.get(name, 0, lambda name=name: made.append(name))
    assert made == ["a", "b", "c", "b", "c"]


def test_what_fails_is_said_to_all_who_wait_and_tried_again():
    kept, inside, go_on, said = Kept(2), threading.Event(), threading.Event(), []

    def fail():
        inside.set()
        assert go_on.wait(120)
        raise ValueError("no")

    def ask():
        try:
            kept.get("a", 0, fail)
        except ValueError as error:
            said.append(str(error))

    threads = [threading.Thread(target=ask) for _ in range(5)]
    threads[0].start()
    assert inside.wait(120)
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join()
    assert said == ["no"] * 5
    assert kept.get("a", 0, lambda: 7) == 7


def test_what_asks_for_itself_fails_instead_of_waiting_for_ever():
    kept, raised = Kept(2), []

    def ask():
        with pytest.raises(RuntimeError, match="waits for itself"):
            kept.get("a", 0, lambda: kept.get("a", 0, lambda: 1))
        raised.append(True)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(120)
    assert raised
    assert kept.get("a", 0, lambda: 7) == 7


def test_the_old_serves_while_the_new_is_worked_out_where_it_will_do():
    kept, inside, go_on = Kept(2), threading.Event(), threading.Event()
    kept.get("a", 0, lambda: "old")

    def slow():
        inside.set()
        assert go_on.wait(120)
        return "new"

    working = threading.Thread(target=lambda: kept.get("a", 1, slow, old_will_do=True))
    working.start()
    assert inside.wait(120)
    assert kept.get("a", 1, lambda: pytest.fail("one is enough"), old_will_do=True) == "old"
    assert kept.get("a", 2, lambda: "newer") == "newer", "of another state nobody waits"
    go_on.set()
    working.join()
    assert kept.get("a", 2, lambda: pytest.fail("it is kept")) == "newer"
