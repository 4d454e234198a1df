"""Put recordings that were joined into one file on one clock.

Broadcasts (MPEG-TS) and the files of a DVD (MPEG-PS) may be joined by writing one after the other; each part then keeps
the clock it was recorded with. The picture says where a part begins: it is shifted to follow the last picture before
it, and all other streams with it, so that every pass over a file finds the same times, whichever streams it reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import av
from av.container import InputContainer

_JOINABLE = frozenset({"mpegts", "mpeg"})
_TICKS_S = 90_000
"""Ticks a second of every stream in these containers."""
_BACK = 1 * _TICKS_S
"""How far back a clock must go to be another one; less is disorder in the stream."""
_AHEAD = 3600 * _TICKS_S
"""How far ahead. FFmpeg takes a clock that begins anew for one that ran over, and adds 26.5 hours."""
_MOST_WAITING = 500
"""How many packets, some seconds, are held back until the picture too has come to the next part."""


def on_one_clock(
    container: InputContainer,
    read: Iterable[av.Packet],
    picture: av.VideoStream,
    ends: tuple[type[Exception], ...],
) -> Iterable[av.Packet]:
    """Return the packets read from a container, the picture's among them, with times that go on from part to part.

    `ends` are the errors that reading ends with where a file is cut off; they are raised after the last packet.
    """
    if container.format.name not in _JOINABLE:
        return read
    return _Joined(picture).of(read, ends)


class _Joined:
    """The clocks of a file's parts. Times are in ticks: "raw" as in the file, others on the one clock."""

    def __init__(self, picture: av.VideoStream) -> None:
        self._picture = picture.index
        rate = float(picture.average_rate or picture.guessed_rate or 25)
        self._frame = round(_TICKS_S / rate)
        self._shifts = [0]
        """What each part's raw times are shifted by."""
        self._part_of: dict[int, int] = {}
        """The part that a stream has come to, by its index: at a joint, some come to the next one before others."""
        self._last_raw: dict[int, int] = {}
        self._heard_until: dict[int, int] = {}
        """The time of a stream's last packet in the part before: sound of the next that is earlier overlaps it."""
        self._now = 0
        self._picture_end = 0
        self._waiting: list[av.Packet] = []
        self._first: av.Packet | None = None
        """The packet that may be the next part's first of the picture; the one after it tells."""

    def of(self, read: Iterable[av.Packet], ends: tuple[type[Exception], ...]) -> Iterator[av.Packet]:
        broken: Exception | None = None
        try:
            for packet in read:
                yield from self._take(packet)
        except ends as error:
            broken = error
        yield from self._release()
        if broken is not None:
            raise broken

    def _take(self, packet: av.Packet) -> Iterator[av.Packet]:
        """Hold a packet back while it is not known which part it belongs to, else yield it."""
        raw = _raw(packet)
        another = raw is not None and self._is_on_another_clock(packet, raw)
        known = not self._waiting and not another
        self._waiting.append(packet)
        if raw is not None and packet.stream_index == self._picture:
            first = self._first
            if another and first is not None and not _apart(_raw(first) or 0, raw):
                yield from self._begin_part(first)
                another, known = False, True
            elif first is not None and not another:
                known = True  # The one before has a damaged time, all by itself.
            if another:
                self._first = packet
            else:
                self._last_raw[self._picture] = raw
                self._picture_end = max(self._picture_end, self._shown(packet, raw) + (packet.duration or self._frame))
        if known or len(self._waiting) > _MOST_WAITING:
            yield from self._release()

    def _is_on_another_clock(self, packet: av.Packet, raw: int) -> bool:
        last = self._last_raw.get(packet.stream_index)
        return last is not None and _apart(last, raw)

    def _begin_part(self, first: av.Packet) -> Iterator[av.Packet]:
        """Let the picture's next part begin with a packet that waits; others of that part may wait before it."""
        self._shifts.append(0)
        self._shifts[-1] = self._picture_end - self._shown(first, _raw(first) or 0)
        at = next(number for number, packet in enumerate(self._waiting) if packet is first)
        rest, self._waiting = self._waiting[at:], self._waiting[:at]
        yield from self._release()
        self._part_of[self._picture] = len(self._shifts) - 1
        self._waiting = rest

    def _shown(self, packet: av.Packet, raw: int) -> int:
        return (raw if packet.pts is None else packet.pts) + self._shifts[-1]

    def _release(self) -> Iterator[av.Packet]:
        waiting, self._waiting, self._first = self._waiting, [], None
        for packet in waiting:
            if self._place(packet):
                yield packet

    def _place(self, packet: av.Packet) -> bool:
        """Shift a packet as its part is; return whether it is of use."""
        raw, index = _raw(packet), packet.stream_index
        if raw is None:
            return True
        before, part = self._part_of.get(index, 0), len(self._shifts) - 1
        if index == self._picture:
            part = before
        elif before != part:  # The end of the part before may still come, after the beginning of this one.
            near = range(max(before, part - 1), part + 1)
            part = min(near, key=lambda number: abs(raw + self._shifts[number] - self._now))
        if before != part:
            self._part_of[index] = part
            if index in self._last_raw:
                self._heard_until[index] = self._last_raw[index] + self._shifts[before]
        shift = self._shifts[part]
        if index == self._picture:
            self._now = raw + shift
        else:
            self._last_raw[index] = raw
        if shift:
            packet.dts = None if packet.dts is None else packet.dts + shift
            packet.pts = None if packet.pts is None else packet.pts + shift
        heard_until = self._heard_until.get(index) if packet.stream.type == "audio" else None
        return heard_until is None or raw + shift > heard_until


def _raw(packet: av.Packet) -> int | None:
    """Return when a packet is to be decoded, None for one without a time, or with one that is not to be relied on."""
    if not packet.size or packet.is_corrupt:
        return None
    return packet.dts if packet.dts is not None else packet.pts


def _apart(earlier: int, later: int) -> bool:
    """Say whether two times that follow each other in a stream cannot be of the same clock."""
    return not -_BACK <= later - earlier <= _AHEAD
