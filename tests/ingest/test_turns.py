"""Who is next: the lines say what looking at all jobs would say, after any changes, and do not look at all of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace

import pytest

from core.ingest.scheduling import LOOKAHEAD, Pause, Row, waiters
from core.ingest.turns import Turns
from core.ingest.work import Step, Work, stored_source
from core.models import EncoderInfo
from tests.fakes import FAKE_INFO

INFOS = {
    info.name: info
    for info in (FAKE_INFO, replace(FAKE_INFO, name="paid", paid=True, parallel=2), replace(FAKE_INFO, name="slow"))
}


def runnable(
    rows: Collection[Row],
    now: float,
    *,
    workers: int,
    encoder_of: Callable[[Row], EncoderInfo],
    pauses: Mapping[str, Pause],
) -> Iterator[Row]:
    """Yield the open jobs that can take a step now, first come first served; what is re-embedded comes after all that
    is added.

    Where encoding costs money all files are checked first: what a batch is going to cost is known before it begins.
    While an encoder is paused (`pauses`, by its name) one job at a time tries it, when it is time to; all other steps
    go on.
    """
    encoders = {row.id: encoder_of(row) for row in rows}
    embedding = [row for row in rows if row.busy and row.work.step is Step.EMBED]
    at_work = Counter(encoders[row.id].name for row in embedding)
    working = sum(row.busy for row in rows) - sum(waiters(encoders[row.id]) > 0 for row in embedding)
    hands_free = workers > working
    room_ahead = _stored_ahead(rows) < LOOKAHEAD
    is_priced = not _is_priced_soon(rows, now)

    def is_free(encoder: EncoderInfo) -> bool:
        pause = pauses.get(encoder.name)
        may_try = pause is None or (pause.probe is None and pause.next_probe <= now)
        return encoder.parallel > at_work[encoder.name] and may_try and (is_priced or not encoder.paid)

    free = {encoder.name: is_free(encoder) for encoder in encoders.values()}
    ordered = sorted(rows, key=lambda row: row.work.target is not None)
    if pauses:  # Another one tries each time: what is wrong with one video must not keep all waiting.
        ordered.sort(key=lambda row: row.probes)
    ordered.sort(key=lambda row: encoders[row.id].paid and row.work.step >= Step.STORE)
    for row in ordered:
        if row.busy or row.waits_for or row.not_before > now:
            continue
        embeds, encoder = row.work.step is Step.EMBED, encoders[row.id]
        if embeds and not free[encoder.name]:
            continue
        if not (embeds and waiters(encoder)) and not hands_free:
            continue
        if row.work.step is Step.STORE and not room_ahead and not row.tries:
            continue
        yield row


def _stored_ahead(rows: Iterable[Row]) -> int:
    """Return how many files are stored, or about to be, and wait for an encoder."""
    added = [row for row in rows if row.work.target is None]
    waiting = sum(row.work.step is Step.EMBED and not row.busy for row in added)
    return waiting + sum(row.work.step is Step.STORE and (row.busy or row.tries > 0) for row in added)


def _is_priced_soon(rows: Iterable[Row], now: float) -> bool:
    """Tell whether a file is about to be checked: not one that waits for its twin or for a service, and not one that
    is re-embedded, for what that costs was said before it began."""
    return any(
        row.work.step < Step.STORE and not row.waits_for and row.not_before <= now and row.work.target is None
        for row in rows
    )


def encoder_of(row: Row) -> EncoderInfo:
    return INFOS[row.work.encoder or "fake-v1"]


class Queue:
    """Open jobs, changed at random as a queue changes them, and their lines beside them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 100.0
        self.rows: dict[str, Row] = {}
        self.pauses: dict[str, Pause] = {}
        self.turns = Turns(encoder_of)

    def change(self) -> None:
        rand, rows = self.random, list(self.rows.values())
        what = rand.randrange(8)
        if what < 2 or not rows:
            number = len(self.rows) + rand.randrange(10**6)
            source = stored_source(str(number), "slow") if rand.random() < 0.2 else f"/{number}.mp4"
            row = Row(number, "", Work(f"{number}", source, "a.mp4", encoder=rand.choice(list(INFOS))))
            self.rows[row.id] = row
        else:
            row = rand.choice(rows)
            if what == 2:
                row.busy = not row.busy
            elif what == 3:
                row.work = replace(row.work, step=Step(rand.randrange(6)))
            elif what == 4:
                row.not_before, row.tries = self.now + rand.uniform(0, 3), row.tries + 1
            elif what == 5:
                row.waits_for = None if row.waits_for else "another"
            elif what == 6:
                row.tries = 0
                if self.pauses:
                    row.probes += 1
            elif rand.random() < 0.3:
                del self.rows[row.id]
                self.turns.drop(row)
                return
        self.turns.note(row, self.now)
        if rand.random() < 0.1:
            name = rand.choice(list(INFOS))
            probe = rand.choice([None, "x"])
            self.pauses[name] = Pause("why", self.now + rand.uniform(-1, 1), probe=probe)
        elif rand.random() < 0.1 and self.pauses:
            self.pauses.popitem()
            for row in () if self.pauses else self.rows.values():
                if row.probes:
                    row.probes = 0
                    self.turns.note(row, self.now)
        self.now += rand.uniform(0, 0.3)


@pytest.mark.parametrize("seed", range(12))
def test_they_say_what_looking_at_all_of_them_says(seed: int) -> None:
    queue = Queue(seed)
    for _ in range(250):
        queue.change()
        workers = queue.random.randrange(1, 12)
        expected = list(
            runnable(queue.rows.values(), queue.now, workers=workers, encoder_of=encoder_of, pauses=queue.pauses)
        )
        found = list(queue.turns.able(queue.now, workers=workers, pauses=queue.pauses))
        assert [row.id for row in found] == [row.id for row in expected]
        assert len(queue.turns) == len(queue.rows)


def test_a_step_looks_at_few_jobs_however_many_there_are() -> None:
    looked: list[int] = []
    for count in (100, 10_000):
        queue, asked = Queue(1), 0

        def counting(row: Row) -> EncoderInfo:
            nonlocal asked
            asked += 1
            return encoder_of(row)

        queue.turns = Turns(counting)
        rows = [Row(n, "", Work(f"{n}", f"/{n}.mp4", "a.mp4")) for n in range(count)]
        for row in rows:
            queue.turns.note(row, queue.now)
        asked = 0
        for _ in range(20):
            row = next(queue.turns.able(queue.now, workers=50, pauses={}))
            row.busy = True
            queue.turns.note(row, queue.now)
            assert queue.turns.next_look_s(queue.now, {}) is None
        looked.append(asked)
    assert looked == [20, 20]


def test_who_rests_is_looked_at_when_the_pause_is_over() -> None:
    queue = Queue(1)
    row = Row(1, "", Work("1", "/1.mp4", "a.mp4"), not_before=105.0)
    queue.turns.note(row, 100.0)
    assert list(queue.turns.able(100.0, workers=1, pauses={})) == []
    assert queue.turns.next_look_s(100.0, {}) == 5.0
    assert queue.turns.next_look_s(100.0, {"paid": Pause("why", 102.0)}) == 2.0
    assert list(queue.turns.able(105.0, workers=1, pauses={})) == [row]
