"""What one space has of what another one has, a page at a time: a library may be larger than memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from core.index import base
from core.index.base import Index, Place
from core.ingest.stored import as_known
from core.models import Entry


def compared(answering: Index, filled: Index | None, after: Place | None = None) -> Iterator[tuple[Entry, bool]]:
    """Yield every video of the space that answers, without vector and texts, and whether the other one has it.

    `after` goes on behind the place of a video that came before; what the other one has under another id is not looked
    for then.
    """
    if filled is not None and not filled.count().videos:
        filled = None
    astray: set[str] = set()
    if filled is not None and after is None:
        astray = {entry.content_sha256 for entry in _astray(answering, filled)}
    for page in _pages(answering, after):
        there = {} if filled is None else _contents(filled, page)
        for entry in page:
            is_there = there.get(entry.video_id) == entry.content_sha256 or entry.content_sha256 in astray
            yield entry, is_there


def take_over(answering: Index, filled: Index) -> None:
    """Make a filled space say of each video what the space that answers says, and drop what has left the library:
    it may have been filled in part long ago."""
    for page in _pages(filled, with_texts=True):
        these = base.Where(any_of={"video_id": [entry.video_id for entry in page]})
        known_here = answering.scroll(scope="video", where=these, with_vectors=False)  # with texts, unlike `retrieve`
        videos = {video.video_id: video for video in known_here}
        for there in page:
            known = videos.get(there.video_id)
            if known is None or known.content_sha256 != there.content_sha256:
                known = next(answering.scroll(content_sha256=there.content_sha256, scope="video"), None)
            if known is None:
                filled.delete(there.video_id)
            elif base.to_payload(as_known([there], known)[0]) != base.to_payload(there):
                entries = list(filled.scroll(content_sha256=there.content_sha256))
                filled.upsert(as_known(entries, known))


def _astray(answering: Index, filled: Index) -> Iterator[Entry]:
    """Yield the videos of a space that the one that answers does not have, or has under another id."""
    for page in _pages(filled):
        there = _contents(answering, page)
        yield from (entry for entry in page if there.get(entry.video_id) != entry.content_sha256)


def _contents(index: Index, page: Sequence[Entry]) -> dict[str, str]:
    """Return the contents of those of some videos that an index has, by id."""
    found = index.retrieve([entry.video_id for entry in page], with_vectors=False)
    return {entry.video_id: entry.content_sha256 for entry in found}


def _pages(index: Index, after: Place | None = None, *, with_texts: bool = False) -> Iterator[list[Entry]]:
    while True:
        entries = index.scroll(
            scope="video", after=after, limit=base.AT_ONCE, with_vectors=False, with_texts=with_texts
        )
        page = list(islice(entries, base.AT_ONCE))
        if page:
            yield page
        if len(page) < base.AT_ONCE:
            return
        after = base.place(page[-1])
