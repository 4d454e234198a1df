"""Which space of a library answers, and how another takes its place.

The space of the encoder that is set answers if all videos are in it. Otherwise a space that another encoder filled goes
on answering through that encoder, until the videos are re-embedded (core/ingest/reembed.py); where that encoder cannot
be had any more, its videos are still there to be browsed, and a search in words says what to do. Nothing points to
the space that answers: it follows from what is set and from what is there, so no two things can disagree.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np

from core.discover.search import Discover
from core.encoders.base import Encoder
from core.errors import AppError, EncoderError, EncoderPaused, Sentence
from core.index.base import Index, Space, Spaces
from core.ingest.lanes import Lane
from core.models import EncoderInfo, Progress, Video, VideoEmbedding

logger = logging.getLogger(__name__)
LOOK_EVERY_S = 30.0
"""How often to look whether another machine has completed a space that all of them share."""


class GoneEncoder:
    """Stand for an encoder that cannot be had: whoever asks it is told what to do, and files wait for it."""

    def __init__(self, space: Space, why: str) -> None:
        self.info = EncoderInfo(space.encoder, space.dimension, (), ("anything new",))
        self.why = why

    def encode_video(self, video: Video, notes: MutableMapping[str, str], on_progress: Progress) -> VideoEmbedding:
        raise EncoderPaused(self.why)

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        raise EncoderError(self.why)


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """What answers: an encoder, its space, and Discover over the two."""

    lane: Lane
    discover: Discover

    @property
    def problem(self) -> str | None:
        """What keeps it from answering in words, as a sentence; None when nothing does."""
        return getattr(self.lane.encoder, "why", None)


class Serving:
    """Hold the spaces that are open and the one that answers (`now`), and swap it in one step.

    `encoder_of` makes the encoder of a space and raises AppError with what to set where it cannot; `discover_over`
    makes what answers. Raises what opening an index raises.
    """

    def __init__(
        self,
        spaces: Spaces,
        configured: Encoder,
        *,
        encoder_of: Callable[[Space], Encoder],
        discover_over: Callable[[Encoder, Index], Discover],
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self.spaces = spaces
        self.configured = configured
        self._encoder_of = encoder_of
        self._discover_over = discover_over
        self._look_every_s = look_every_s
        self._lanes: dict[str, Lane] = {}
        self._turn = _Turn()
        self._filling: Served | None = None
        self._making = threading.Lock()
        self._opening = threading.Lock()
        """Who looks whether a space is open and opens it; many may, and an index on disk is opened by one."""
        self._looking = threading.Lock()
        self._looked_at = time.monotonic()
        try:
            self._now = self._serve(self._chosen())
        except BaseException:
            self.close()
            raise

    @property
    def now(self) -> Served:
        """What answers at this moment; to be asked for anew at each use."""
        if self.spaces.name == "server" and time.monotonic() - self._looked_at > self._look_every_s:
            self._looked_at = time.monotonic()
            threading.Thread(target=self._look_or_wait, name="look-at-spaces", daemon=True).start()
        return self._now

    @property
    def serving(self) -> Lane:
        return self._now.lane

    @property
    def is_behind(self) -> bool:
        """Tell whether another encoder's space answers than that of the encoder which is set."""
        return self.serving.name != self.configured.info.name

    def discover_of(self, lane: Lane) -> Discover:
        """Return Discover over a space that answers or is being filled, going by the categories of today."""
        now = self._now
        if lane.name == now.lane.name:
            return now.discover
        with self._making:
            if self._filling is None or self._filling.lane.index is not lane.index:
                self._filling = self._serve(lane)
            discover = self._filling.discover
            if discover.taxonomy != now.discover.taxonomy:
                discover.taxonomy = now.discover.taxonomy
            return discover

    def named(self, encoder: str) -> Lane | None:
        """Return the lane of an encoder; opened where another machine has begun to fill the space of the one set."""
        lane = self._lanes.get(encoder)
        may_be_there = lane is None and self.spaces.name == "server" and encoder == self.configured.info.name
        if may_be_there and any(space.encoder == encoder for space in self.spaces.all()):
            return self.fill(self.configured)
        return lane

    @contextmanager
    def writing(self, lane: Lane) -> Iterator[None]:
        """Guard the writing of a video, and note first which complete spaces will not have it."""
        if self.spaces.name == "server":
            self.look()
        with self._turn.shared():
            if lane.name == self.serving.name:
                for space in self.spaces.all():
                    if space.complete and space.encoder != lane.name:
                        self.spaces.mark(space.encoder, complete=False)
            yield

    @contextmanager
    def every(self) -> Iterator[Mapping[str, Index]]:
        """Give the index of every space there is by its encoder, while nothing is written or swapped.

        Those of spaces that are not open are opened for as long as the block lasts. Raises what opening one raises.
        """
        with self._turn.alone(), ExitStack() as opened:
            indexes: dict[str, Index] = {}
            for space in self.spaces.all():
                lane = self._lanes.get(space.encoder)
                if lane is None:
                    index = self.spaces.open(EncoderInfo(space.encoder, space.dimension, (), ()))
                    opened.callback(index.close)
                indexes[space.encoder] = lane.index if lane else index
            yield indexes

    def encoder_of(self, name: str) -> Encoder | None:
        """Return the encoder that filled a space; None where it cannot be had."""
        if name == self.configured.info.name:
            return self.configured
        lane = self._lanes.get(name)
        if lane is not None:
            return lane.encoder
        space = next((space for space in self.spaces.all() if space.encoder == name), None)
        return None if space is None else self._encoder_for(space)

    def look(self) -> None:
        """Let the space of the encoder that is set answer, if another machine has completed it meanwhile."""
        if not self.is_behind:
            return
        for space in self.spaces.all():
            if space.encoder == self.configured.info.name and space.complete:
                self.complete(self.fill(self.configured), lambda: True)

    def configure(self, encoder: Encoder) -> None:
        """Take another encoder as the one that is set, and choose anew which space answers. Raises as opening does."""
        with self._turn.alone():
            self.configured = encoder
            self._now = self._serve(self._chosen())

    def fill(self, encoder: Encoder) -> Lane:
        """Open the space of an encoder, made if need be, to be filled beside the one that answers."""
        with self._turn.shared(), self._opening:
            return self._lanes.get(encoder.info.name) or self._open(encoder, complete=False)

    def bring(self, encoder: str, dimension: int) -> Lane:
        """Open the space of an encoder by its name, made if need be, whether that encoder can be had here or not: to
        read all of it, or to fill it with what was made elsewhere. Raises what opening an index raises."""
        known = self.encoder_of(encoder) or self._encoder_for(Space(encoder, dimension, False))
        if known.info.dimension != dimension:
            known = GoneEncoder(
                Space(encoder, dimension, False),
                Sentence("{encoder} makes other vectors here. Set its dimension to what it was.", encoder=encoder),
            )
        return self.fill(known)

    def complete(self, lane: Lane, is_full: Callable[[], bool]) -> bool:
        """Note that all videos are in a space, if they are, asked while nothing can be written; let it answer if its
        encoder is the one that is set. Return whether it is full."""
        with self._turn.alone():
            if not is_full():
                return False
            self.spaces.mark(lane.name, complete=True)
            if lane.name == self.configured.info.name:
                self._now = self._serve(lane)
            return True

    def drop_others(self) -> list[str]:
        """Remove every space but the one that answers, for good; return the encoders that had filled them."""
        with self._turn.alone():
            others = self.others()
            for encoder in others:
                lane = self._lanes.pop(encoder, None)
                if lane is not None:
                    lane.index.close()
                self.spaces.drop(encoder)
            return others

    def others(self) -> list[str]:
        """Return the encoders that filled a space which does not answer."""
        return [space.encoder for space in self.spaces.all() if space.encoder != self.serving.name]

    def close(self) -> None:
        for lane in self._lanes.values():
            lane.index.close()
        self.spaces.close()

    def _chosen(self) -> Lane:
        """Return the lane that is to answer: of the encoder that is set if its space is complete, or if there is
        nothing in any other; else of the space with the most videos."""
        name = self.configured.info.name
        spaces = {space.encoder: space for space in self.spaces.all()}
        mine = spaces.pop(name, None)
        if mine is not None and mine.complete:
            return self._open(self.configured, complete=True)
        others = [space for space in spaces.values() if space.complete]
        if not others and mine is None:
            others = list(spaces.values())  # none is complete: better what there is than nothing
        fullest = self._fullest(others)
        if fullest is not None:
            return self._open(self._encoder_for(fullest), complete=True)
        lane = self._open(self.configured, complete=True)
        if mine is not None:
            self.spaces.mark(name, complete=True)
        return lane

    def _fullest(self, spaces: Sequence[Space]) -> Space | None:
        """Return the space with the most videos; None when there is not one video in any."""
        counted = []
        for space in spaces:
            lane = self._lanes.get(space.encoder)
            index = lane.index if lane else self.spaces.open(EncoderInfo(space.encoder, space.dimension, (), ()))
            try:
                counted.append((index.count().videos, space.encoder, space))
            finally:
                if lane is None:
                    index.close()
        videos, _, fullest = max(counted, default=(0, "", None), key=lambda one: one[:2])
        return fullest if videos else None

    def _encoder_for(self, space: Space) -> Encoder:
        try:
            encoder = self._encoder_of(space)
        except AppError as error:
            return GoneEncoder(space, error.sentence)
        if (encoder.info.name, encoder.info.dimension) != (space.encoder, space.dimension):
            return GoneEncoder(
                space, Sentence("This version of the app has no encoder {encoder} any more.", encoder=space.encoder)
            )
        return encoder

    def _open(self, encoder: Encoder, *, complete: bool) -> Lane:
        """Return the lane of an encoder, its space made if there is none; an index that is open stays the same."""
        before = self._lanes.get(encoder.info.name)
        index = before.index if before else self.spaces.make(encoder.info, complete=complete)
        lane = self._lanes[encoder.info.name] = Lane(encoder, index)
        return lane

    def _serve(self, lane: Lane) -> Served:
        return Served(lane, self._discover_over(lane.encoder, lane.index))

    def _look_or_wait(self) -> None:
        """Look, or leave it for the next time: what answers now goes on answering."""
        if self._looking.acquire(blocking=False):
            try:
                self.look()
            except AppError as error:
                logger.warning("Whether another space is to answer could not be seen: %s", error)
            finally:
                self._looking.release()


class _Turn:
    """Let many write or one swap. Who wants to swap goes before those that come later."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._writers = 0
        self._waiting = 0
        self._alone = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._alone and not self._waiting)
            self._writers += 1
        try:
            yield
        finally:
            with self._changed:
                self._writers -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self._changed:
            self._waiting += 1
            self._changed.wait_for(lambda: not self._alone and not self._writers)
            self._waiting -= 1
            self._alone = True
        try:
            yield
        finally:
            with self._changed:
                self._alone = False
                self._changed.notify_all()
