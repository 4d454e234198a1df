"""Encoders and the spaces they fill: which of them are open, and which one answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from core.encoders.base import Encoder
from core.index.base import Index


@dataclass(frozen=True, slots=True, eq=False)
class Lane:
    """An encoder, and the index over the space that it fills."""

    encoder: Encoder
    index: Index

    @property
    def name(self) -> str:
        return self.encoder.info.name


class Lanes(Protocol):
    """The lanes that are open. Safe to call from several threads."""

    @property
    def serving(self) -> Lane:
        """The lane whose space answers now: what is added must be in it."""
        ...

    def named(self, encoder: str) -> Lane | None:
        """Return the lane of an encoder; None when it is not open."""
        ...

    def writing(self, lane: Lane) -> AbstractContextManager[None]:
        """Guard the writing of a video: another lane begins to serve before it or after it, never amid."""
        ...


class OneLane:
    """A library with one space only."""

    def __init__(self, encoder: Encoder, index: Index) -> None:
        self.serving = Lane(encoder, index)

    def named(self, encoder: str) -> Lane | None:
        return self.serving if encoder == self.serving.name else None

    @contextmanager
    def writing(self, lane: Lane) -> Iterator[None]:
        yield
