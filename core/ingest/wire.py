"""What goes between us and the worker processes of the sandbox: JSON with bytes behind it, never pickles.

A worker has read a file that somebody made to hurt, so nothing that it says is trusted further than a file is: it can
tell numbers, texts and pixels, and no more than a given amount of them.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from typing import BinaryIO

import numpy as np

_HEAD = struct.Struct("!II")
"""Lengths in bytes of the JSON and of what follows it."""
MAX_SAID_BYTES = 8 * 1024 * 1024
MAX_PAYLOAD_BYTES = 512 * 1024 * 1024
"""Room for the largest picture there is: a frame of 8192 by 8192 pixels."""


class Garbled(Exception):
    """What came is no message."""


def send(stream: BinaryIO, said: dict, arrays: Sequence[np.ndarray] = ()) -> None:
    """Write a message. Raises OSError when nobody reads it."""
    parts = [np.ascontiguousarray(array) for array in arrays]
    shapes = {"arrays": [[part.dtype.str, list(part.shape)] for part in parts]} if parts else {}
    text = json.dumps(said | shapes).encode("ascii")
    stream.write(_HEAD.pack(len(text), sum(part.nbytes for part in parts)))
    stream.write(text)
    for part in parts:
        stream.write(part.reshape(-1).view(np.uint8).data)
    stream.flush()


def receive(read: Callable[[int], bytearray]) -> tuple[dict, list[np.ndarray]]:
    """Return a message; `read` gives exactly so many bytes. Raises Garbled, and what `read` raises at the end."""
    said_bytes, payload_bytes = _HEAD.unpack(read(_HEAD.size))
    if said_bytes > MAX_SAID_BYTES or payload_bytes > MAX_PAYLOAD_BYTES:
        raise Garbled
    try:
        said = json.loads(read(said_bytes))
        arrays = _arrays(said.pop("arrays", []), read(payload_bytes))
    except (ValueError, TypeError, AttributeError) as error:
        raise Garbled from error
    return said, arrays


def _arrays(shapes: Sequence[tuple[str, list[int]]], payload: bytearray) -> list[np.ndarray]:
    arrays, start = [], 0
    for kind, shape in shapes:
        if kind not in ("|u1", "<f4", ">f4"):
            raise ValueError(kind)
        count = int(np.prod(shape, dtype=np.int64))
        array = np.frombuffer(payload, np.dtype(kind), count, start).reshape(shape)
        arrays.append(array)
        start += array.nbytes
    return arrays
