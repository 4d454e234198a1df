"""Work out what videos answer, in the background, where nobody did yet or the answer may have changed since.

Categories, their phrases, thresholds or the encoder change; a library of release 0.1.0 or 0.2.0 has no labels; a video
came while an encoder that is paid for had not read all texts yet. Labels come from the vectors in the index: nothing is
decoded and nothing paid. What lacks the version of today is looked for, some videos at a time, so a pass that is killed
goes on where it was, and until it is through the labels of before serve (discover/search.py).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from core.discover.search import Discover
from core.errors import AppError
from core.index.base import Where
from core.models import Entry
from core.rounds import Rounds

logger = logging.getLogger(__name__)

BATCH = 64
"""Videos that are labelled at a time: one change of the library."""
TOGETHER = 8
"""Videos whose clips are in memory together: a film has thousands."""
LOOK_EVERY_S = 2.0
"""How often to look whether anything lacks its labels."""
PAUSES_S = (2.0, 5.0, 15.0, 60.0)
"""How long to wait after something went wrong, from one vain try to the next."""
SHARE = 0.5
"""Of the time, what a pass takes at most: people search meanwhile."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pass is."""

    done: int
    total: int
    problem: str | None = None
    """What it waits for."""


class Relabel:
    """Keep the labels of the library that answers up to date. One pass at a time. Safe to use from several threads.

    `discover` returns what answers now; `alone` says whether no other machine of the library is at it.
    """

    def __init__(
        self,
        discover: Callable[[], Discover],
        *,
        alone: Callable[[], AbstractContextManager[bool]] = lambda: nullcontext(True),
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._discover = discover
        self._alone = alone
        self._rounds = Rounds("labels", self._round, look_every_s)
        self._turn = threading.Lock()
        """Held by whoever works at a batch."""
        self._through: object = None
        """The state of the library in which everything had its labels."""
        self._problem: str | None = None
        self._tries = 0
        """In vain, one after the other."""

    def start(self) -> None:
        """Begin to look after the labels, until `stop`."""
        self._rounds.start()

    def stop(self, timeout_s: float) -> None:
        """End after the batch it is at; the next start goes on."""
        self._rounds.stop(timeout_s)

    def look_again(self) -> None:
        """See what another app has changed of videos, and label it: no count says that it has."""
        self._discover().look_again()
        self._through = None
        self._rounds.wake()

    def soon(self, within_s: float) -> bool:
        """Look at once, and return whether everything has its labels within this time."""
        self._rounds.wake()
        deadline = time.monotonic() + within_s
        try:
            while self.progress() is not None:
                if time.monotonic() > deadline or not self._rounds.is_running:
                    return False
                time.sleep(0.01)
        except AppError:  # whoever asks for something is told
            return False
        return True

    def progress(self) -> Progress | None:
        """Return how far it is; None when every video has the labels of today. Raises AppError."""
        labelled = self._discover().labelled()
        return None if labelled.is_all else Progress(labelled.now, labelled.videos, self._problem)

    def one_batch(self) -> tuple[str, ...]:
        """Label some videos that lack today's labels and return their ids; none when all have them. Raises AppError."""
        discover = self._discover()
        with self._turn:
            index = discover.index
            lacking = Where(none_of={"labels_version": [discover.labels_version()]})
            some = index.scroll(scope="video", where=lacking, limit=BATCH, with_vectors=False, with_texts=False)
            wholes = index.retrieve([entry.video_id for entry in some])
            labelled: list[Entry] = []
            bases = {whole.video_id: discover.basis(whole) for whole in wholes}
            for start in range(0, len(wholes), TOGETHER):
                clips: dict[str, list[Entry]] = defaultdict(list)
                of_these = wholes[start : start + TOGETHER]
                for clip in index.retrieve([whole.video_id for whole in of_these], scope="clip"):
                    clips[clip.video_id].append(clip)
                labelled += [discover.labels([whole, *clips[whole.video_id]]).on(whole) for whole in of_these]
            if labelled:
                index.label(labelled)
            for whole in index.retrieve([entry.video_id for entry in labelled]):
                if discover.basis(whole) != bases[whole.video_id]:  # somebody has changed it meanwhile
                    discover.label_again(whole.video_id)
            return tuple(entry.video_id for entry in labelled)

    def _round(self) -> float | None:
        try:
            self._pass()
        except AppError as error:
            if self._problem != error.sentence:
                logger.warning("Labels are worked out later: %s", error)
            self._problem, self._tries = error.sentence, self._tries + 1
            return PAUSES_S[min(self._tries, len(PAUSES_S)) - 1]
        self._problem, self._tries = None, 0
        return None

    def _pass(self) -> None:
        """Label whatever lacks today's labels; nothing is asked where nothing has changed since all had them."""
        if self._state() == self._through:
            return
        with self._alone() as is_mine:
            if is_mine:
                self._label_all()
        if not self._discover().labelled().is_all:
            self._discover().look_again()  # what another machine does to labels changes nothing that is seen here

    def _label_all(self) -> None:
        before: tuple[str, ...] = ()
        while not self._rounds.is_stopped and (state := self._state()) != self._through:
            began = time.monotonic()
            done = self.one_batch()
            if not done or done == before:  # the same ones again would come for ever
                self._through = state
                return
            before, self._problem = done, None
            self._rounds.rest((time.monotonic() - began) * (1 - SHARE) / SHARE)

    def _state(self) -> object:
        discover = self._discover()
        return id(discover), discover.index.version, discover.labels_version()
