"""Who is next: open jobs kept so that it is found without looking at all of them, with a hundred thousand as with ten.

Jobs that wait for the same thing (a hand, a free encoder, room in the store) stand in one line, in the order in which
they take turns; only the heads of the lines are compared. Whatever changes in a job that matters here is told by
`note`, and costs the logarithm of how many there are.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from core.ingest.scheduling import LOOKAHEAD, Pause, Row, waiters
from core.ingest.work import Step
from core.models import EncoderInfo

Line = tuple[str, str]
"""What its jobs wait for, and which encoder they are for."""
Place = tuple[bool, int, bool, int]
"""Who goes before whom: what a paid encoder waits for comes after what can be checked; who has tried a paused encoder
after who has not; what is re-embedded after all that is added; then first come, first served."""


@dataclass(slots=True)
class _Known:
    """What was counted of a job when it was last noted."""

    row: Row
    place: Place
    line: Line | None = None
    """None for one that is worked on, rests, or waits for another with the same content."""
    counted: list[str] = field(default_factory=list)


class Turns:
    """The open jobs of a queue. Not safe by itself: the queue's lock guards it."""

    def __init__(self, encoder_of: Callable[[Row], EncoderInfo]) -> None:
        self._encoder_of = encoder_of
        self._numbers = itertools.count()
        self._known: dict[str, _Known] = {}
        self._lines: dict[Line, list[tuple[Place, str]]] = {}
        self._resting: list[tuple[float, int, str]] = []
        self._counts: Counter[str] = Counter()
        self.encoders: dict[str, EncoderInfo] = {}
        """Those that jobs are for, or were."""

    def __len__(self) -> int:
        return len(self._known)

    def note(self, row: Row, now: float) -> None:
        """See what a job waits for now; a new one comes last."""
        before = self._known.get(row.id)
        number = next(self._numbers) if before is None else before.place[3]
        if before is not None:
            self._counts.subtract(before.counted)
        info, step = self._encoder_of(row), row.work.step
        self.encoders[info.name] = info
        place = (info.paid and step >= Step.STORE, row.probes, row.work.target is not None, number)
        known = self._known[row.id] = _Known(row, place)
        adds, rests = row.work.target is None, row.not_before > now
        if row.busy:
            known.counted.append("busy")
            if step is Step.EMBED:
                known.counted.append(f"at {info.name}")
                if waiters(info):
                    known.counted.append("waits for a service")
        elif rests and not row.waits_for:
            heapq.heappush(self._resting, (row.not_before, next(self._numbers), row.id))
        elif not row.waits_for:
            known.line = (_kind(row), info.name)
            heapq.heappush(self._lines.setdefault(known.line, []), (place, row.id))
        if adds and ((step is Step.EMBED and not row.busy) or (step is Step.STORE and (row.busy or row.tries > 0))):
            known.counted.append("stored ahead")
        if adds and step < Step.STORE and not row.waits_for and not rests:
            known.counted.append("unchecked")
        self._counts.update(known.counted)

    def drop(self, row: Row) -> None:
        """Forget a job that is over; it need not be there."""
        known = self._known.pop(row.id, None)
        if known is not None:
            self._counts.subtract(known.counted)

    def able(self, now: float, *, workers: int, pauses: Mapping[str, Pause]) -> Iterator[Row]:
        """Yield the jobs that can take a step now, in their order; only the first is found at no cost.

        Where encoding costs money all files are checked first: what a batch is going to cost is known before it begins.
        While an encoder is paused (`pauses`, by its name) one job at a time tries it, when it is time to; all other
        steps go on.
        """
        self._wake(now)
        hands_free = workers > self._counts["busy"] - self._counts["waits for a service"]
        room_ahead = self._counts["stored ahead"] < LOOKAHEAD
        is_priced = not self._counts["unchecked"]

        def moves(line: Line) -> bool:
            kind, name = line
            info = self.encoders[name]
            if kind != "embed":
                return hands_free and (kind != "store" or room_ahead)
            pause = pauses.get(name)
            may_try = pause is None or (pause.probe is None and pause.next_probe <= now)
            is_free = info.parallel > self._counts[f"at {name}"] and may_try and (is_priced or not info.paid)
            return is_free and (hands_free or waiters(info) > 0)

        for _, job_id in heapq.merge(*(self._in_order(line) for line in list(self._lines) if moves(line))):
            yield self._known[job_id].row

    def next_look_s(self, now: float, pauses: Mapping[str, Pause]) -> float | None:
        """Return in how many seconds the first pause ends; None when nothing pauses."""
        ends = [pause.next_probe for pause in pauses.values() if pause.probe is None]
        while self._resting and not self._rests(*self._resting[0][::2]):
            heapq.heappop(self._resting)
        if self._resting:
            ends.append(self._resting[0][0])
        return min((end - now for end in ends if end > now), default=None)

    def _wake(self, now: float) -> None:
        """Let those whose pause is over stand in line again."""
        while self._resting and self._resting[0][0] <= now:
            until, _, job_id = heapq.heappop(self._resting)
            if self._rests(until, job_id):
                self.note(self._known[job_id].row, now)

    def _rests(self, until: float, job_id: str) -> bool:
        known = self._known.get(job_id)
        return known is not None and known.line is None and not known.row.busy and known.row.not_before == until

    def _in_order(self, line: Line) -> Iterator[tuple[Place, str]]:
        """Yield those in a line; who has left it since is taken out when he comes to its head."""
        heap = self._lines[line]
        while heap and not self._stands(line, *heap[0]):
            heapq.heappop(heap)
        if not heap:
            del self._lines[line]
            return
        yield heap[0]
        yield from sorted({one for one in heap if self._stands(line, *one)})[1:]

    def _stands(self, line: Line, place: Place, job_id: str) -> bool:
        known = self._known.get(job_id)
        return known is not None and known.line == line and known.place == place


def _kind(row: Row) -> str:
    step = row.work.step
    if step is Step.EMBED:
        return "embed"
    # What a store did not take has its room there already.
    return "store" if step is Step.STORE and not row.tries else "other"
