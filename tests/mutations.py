"""Spoil videos in the ways that disks, networks and people who mean harm do; the same ones for the same seed."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from tests.videos import make_video

_CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta", b"dinf", b"mvex", b"moof", b"traf")
"""Atoms of an MP4 that hold others."""


def make_sources(folder: Path, most: int | None = None) -> list[Path]:
    """Make a tiny video of each kind that people have, or of the first so many."""
    folder.mkdir(exist_ok=True)
    kinds: Sequence[tuple[str, dict]] = (
        ("h264.mp4", {"audio": "aac", "tags": {"title": "A title"}}),
        ("late-index.mp4", {"audio": "aac", "faststart": False}),
        ("turned.mov", {"rotation_deg": 90, "audio": "aac"}),
        ("words.mkv", {"audio": "aac", "subtitles": [(0.2, 1.0, "Good day"), (1.0, 1.8, "Good night")]}),
        ("vp9.webm", {"codec": "libvpx-vp9", "audio": "libopus"}),
        ("vp8.webm", {"codec": "libvpx", "audio": "libopus"}),
        ("mpeg4.avi", {"codec": "mpeg4", "audio": "mp3"}),
        ("mjpeg.avi", {"codec": "mjpeg"}),
        ("broadcast.ts", {"audio": "aac"}),
        ("flash.flv", {"codec": "flv"}),
        ("drawn.gif", {"codec": "gif", "pix_fmt": "rgb8"}),
        ("uneven.mp4", {"times_s": [0.0, 0.1, 0.5, 0.6, 1.4, 1.9], "aspect": Fraction(4, 3)}),
    )
    return [make_video(folder / name, seconds=2.0, size=(64, 48), fps=8, **options) for name, options in kinds[:most]]


def mutations(data: bytes, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield names and spoiled copies of a file, endlessly, each way in turn."""
    chance = random.Random(seed)
    ways = list(WAYS.items())
    chance.shuffle(ways)
    while True:
        for name, way in ways:
            yield name, way(data, chance)


def _flipped(data: bytes, chance: random.Random) -> bytes:
    """Flip bits anywhere, from one to one in a hundred bytes."""
    spoiled = bytearray(data)
    for _ in range(chance.choice((1, 8, 64, len(data) // 100 + 1))):
        spoiled[chance.randrange(len(spoiled))] ^= 1 << chance.randrange(8)
    return bytes(spoiled)


def _flipped_ahead(data: bytes, chance: random.Random) -> bytes:
    """Flip bits where a file says what it is."""
    ahead = min(len(data), 2048)
    return _flipped(data[:ahead], chance) + data[ahead:]


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(1, len(data))]


def _zeroed(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    end = min(len(data), start + chance.randrange(1, len(data)))
    return data[:start] + bytes(end - start) + data[end:]


def _torn(data: bytes, chance: random.Random) -> bytes:
    """Take a piece out, or say it twice."""
    start, end = sorted(chance.randrange(len(data)) for _ in range(2))
    return data[:start] + data[end:] if chance.random() < 0.5 else data[:end] + data[start:]


def _lied(data: bytes, chance: random.Random) -> bytes:
    """Put absurd numbers in the places of some: sizes, counts, rates, times."""
    spoiled = bytearray(data)
    for _ in range(chance.choice((1, 3, 10))):
        at = chance.randrange(max(len(spoiled) - 4, 1))
        wild = chance.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, chance.getrandbits(32)))
        spoiled[at : at + 4] = struct.pack(chance.choice((">I", "<I")), wild)[: len(spoiled) - at]
    return bytes(spoiled)


def _atom_lied(data: bytes, chance: random.Random) -> bytes:
    """Lie about the size of an atom of an MP4; of another file, about anything."""
    atoms = list(_atoms(data))
    if not atoms:
        return _lied(data, chance)
    start, end = chance.choice(atoms)
    size = chance.choice((0, 1, 7, 8, end - start - 1, 2 * (end - start), 0x7FFFFFFF, 0xFFFFFFFF))
    return data[:start] + struct.pack(">I", size) + data[start + 4 :]


def _atoms_swapped(data: bytes, chance: random.Random) -> bytes:
    """Let two atoms of an MP4 change places; in another file, two pieces."""
    atoms = list(_atoms(data))
    if len(atoms) > 1:
        (a, b), (c, d) = sorted(chance.sample(atoms, 2))
        if b <= c:
            return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]
    a, b, c, d = sorted(chance.randrange(len(data)) for _ in range(4))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def _atom_spoiled(data: bytes, chance: random.Random) -> bytes:
    """Fill a table of an MP4 (times, sizes, offsets, rates) with one absurd number."""
    tables = [(a, b) for a, b in _atoms(data) if data[a + 4 : a + 8] in _TABLES]
    if not tables:
        return _lied(data, chance)
    start, end = chance.choice(tables)
    wild = struct.pack(">I", chance.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF, chance.getrandbits(32))))
    keep = start + chance.choice((8, 12, 16, 20))
    return data[:keep] + (wild * ((end - keep) // 4 + 1))[: max(end - keep, 0)] + data[max(end, keep) :]


_TABLES = (b"stts", b"ctts", b"stsz", b"stsc", b"stco", b"co64", b"stss", b"mdhd", b"mvhd", b"tkhd", b"elst", b"stsd")


def _crowded(data: bytes, chance: random.Random) -> bytes:
    """Give an MP4 some thousand tracks more; another file, its first tenth a hundred times."""
    tracks = [(a, b) for a, b in _atoms(data) if data[a + 4 : a + 8] == b"trak"]
    index = next(((a, b) for a, b in _atoms(data) if data[a + 4 : a + 8] == b"moov"), None)
    if not tracks or index is None:
        return data[: len(data) // 10] * 100 + data
    (a, b), (start, end) = tracks[0], index
    more = data[a:b] * chance.choice((50, 1000, 3000))
    return data[:start] + struct.pack(">I", end - start + len(more)) + data[start + 4 : b] + more + data[b:]


def _atoms(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Yield where the atoms of an MP4 begin and end, outer ones first; nothing of another file."""
    end = len(data) if end is None else end
    if start == 0 and data[4:8] != b"ftyp":
        return
    while start + 8 <= end:
        size, name = struct.unpack(">I4s", data[start : start + 8])
        if not 8 <= size <= end - start:
            return
        yield start, start + size
        if name in _CONTAINERS:
            yield from _atoms(data, start + 8, start + size)
        start += size


WAYS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "flipped": _flipped,
    "flipped-ahead": _flipped_ahead,
    "cut": _cut,
    "zeroed": _zeroed,
    "torn": _torn,
    "lied": _lied,
    "atom-lied": _atom_lied,
    "atoms-swapped": _atoms_swapped,
    "atom-spoiled": _atom_spoiled,
    "crowded": _crowded,
}
