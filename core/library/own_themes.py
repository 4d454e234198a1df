"""A person's own categories and moods: what a change of them would do, the change, and the way back from it.

What a change does is worked out from the vectors in the index, before anything is written: the videos looked at are
judged by the categories and moods of now and by those that there would be. A shipped one that is reworded is no longer
one of those that all are compared with, so that others may find a little more or less as well; that is told too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice

from core.discover import taxonomy
from core.discover.labels import KINDS
from core.discover.search import Discover
from core.discover.taxonomy import Kind, Theme
from core.errors import QueryError
from core.models import Entry
from core.state.base import Document

MOST = 400
"""Videos that are looked at, in the order of their ids, which is none: a person waits for it."""
TOGETHER = 8
"""Videos whose clips are in memory together."""
TITLES = 5
"""Videos that are named of those that come or go."""

Undo = Callable[[], None]
"""Takes a change back. Raises QueryError when something else was changed since."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change would do to the videos that were looked at."""

    before: int
    """How many answer the category or mood now."""
    after: int
    gained: tuple[str, ...]
    """Titles of some that would answer it from then on."""
    lost: tuple[str, ...]
    others: tuple[tuple[Theme, int, int], ...]
    """What else would find more or fewer of them, with how many now and then."""
    looked_at: int
    videos: int
    """In the library."""

    @property
    def is_all(self) -> bool:
        return self.looked_at >= self.videos


class OwnThemes:
    """Change a person's own categories and moods. `take` makes the app go by what is written down."""

    def __init__(self, kept: Document, discover: Discover, take: Callable[[], None]) -> None:
        self._kept, self._discover, self._take = kept, discover, take

    def effect(self, kind: Kind, id: str, words: tuple[str, Sequence[str]] | None) -> Effect:
        """Return what another label and other phrases of a category or mood would do; None stands for its removal.

        Raises what the change itself would, and what the index and the encoder do.
        """
        draft = _Draft(taxonomy.read_own(self._kept))
        if words is None:
            taxonomy.remove(draft, kind, id)
        else:
            taxonomy.change(draft, kind, id, *words)
        then = self._discover.supposing(taxonomy.load(own=draft))
        now = self._discover.supposing(taxonomy.load(own=self._kept))
        counts: dict[tuple[Kind, str], list[int]] = defaultdict(lambda: [0, 0])
        gained: list[str] = []
        lost: list[str] = []
        looked_at = 0
        for entries in self._videos():
            looked_at += 1
            answered = [_answered(discover, entries) for discover in (now, then)]
            for place, keys in enumerate(answered):
                for key in keys:
                    counts[key][place] += 1
            did, does = ((kind, id) in keys for keys in answered)
            if did != does:
                (lost if did else gained).append(entries[0].title)
        before, after = counts.pop((kind, id), [0, 0])
        others = tuple(
            (theme, had, has)
            for one in KINDS
            for theme in then.taxonomy.themes(one)
            for had, has in [counts.get((one, theme.id), (0, 0))]
            if had != has
        )
        videos = self._discover.index.count().videos
        return Effect(before, after, tuple(gained[:TITLES]), tuple(lost[:TITLES]), others, looked_at, videos)

    def change(self, kind: Kind, id: str, label: str, prompts: Sequence[str]) -> Undo:
        """Rename and reword a category or mood; its id, so links to it, stays. Raises as taxonomy.change does."""
        return self._done(lambda kept: taxonomy.change(kept, kind, id, label, prompts))

    def arrange(self, kind: Kind, ids: Sequence[str]) -> Undo:
        """Put those of a kind in this order. Raises as taxonomy.arrange does."""
        return self._done(lambda kept: taxonomy.arrange(kept, kind, ids))

    def remove(self, kind: Kind, id: str) -> Undo:
        """Forget one; a shipped one that it replaced comes back. Raises as taxonomy.remove does."""
        return self._done(lambda kept: taxonomy.remove(kept, kind, id))

    def _done(self, edit: Callable[[Document], object]) -> Undo:
        kept = self._kept
        with kept.editing():
            before = taxonomy.read_own(kept)
            draft = _Draft(before)
            edit(draft)
            after = draft.text
            if after is not None:
                taxonomy.write_own(kept, after)
        self._take()

        def undo() -> None:
            with kept.editing():
                if taxonomy.read_own(kept) != after:
                    raise QueryError("The categories and moods were changed since then. Look at them anew.")
                taxonomy.write_own(kept, before)
            self._take()

        return undo

    def _videos(self) -> Iterator[list[Entry]]:
        """Yield the entries of some videos, each with its own first."""
        index = self._discover.index
        wholes = index.scroll(scope="video", limit=MOST)
        while some := list(islice(wholes, TOGETHER)):
            clips: dict[str, list[Entry]] = defaultdict(list)
            for clip in index.retrieve([whole.video_id for whole in some], scope="clip"):
                clips[clip.video_id].append(clip)
            for whole in some:
                yield [whole, *clips[whole.video_id]]


def _answered(discover: Discover, entries: Sequence[Entry]) -> set[tuple[Kind, str]]:
    """Return what a video answers, by its labels where they are those of these categories and moods."""
    whole = entries[0]
    labels = whole if whole.labels_version == discover.labels_version() else discover.labels(entries)
    return {("category", id) for id in labels.categories or ()} | {("mood", id) for id in labels.moods or ()}


@dataclass
class _Draft:
    """A document that nobody keeps."""

    text: str | None

    def read(self) -> str | None:
        return self.text

    def write(self, text: str) -> None:
        self.text = text

    def remove(self) -> None:
        self.text = None

    def editing(self) -> AbstractContextManager[None]:
        return nullcontext()
