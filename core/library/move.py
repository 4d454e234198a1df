"""Copy a library between the embedded index and a Qdrant server: python -m core move --to server|edge

Nothing is deleted where it comes from, and nothing is encoded or paid for again: vectors go as they are. What the
target has already is left alone, so a copy that was cut off goes on when it is started again. At the end both sides
are counted and a sample of videos is compared number by number. Video files stay where they are: both libraries name
them by the same keys.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np

from core.errors import AppError, LibraryError, SettingsError
from core.index.base import Index, id_of, to_payload
from core.library.bar import draw
from core.models import Counts, EncoderInfo, Entry, Scope
from core.services import both_libraries
from core.settings import Settings
from core.stores.base import Store

BATCH = 256
SAMPLE = 50
"""Videos that are compared afterwards, with all their clips."""
SAME = 1e-5
"""How far a number of a vector may be from what it was: both sides bring vectors to length 1, in float32."""
SCOPES: tuple[Scope, ...] = ("clip", "video")
"""In this order, as ingest does: where a video's own entry is, its clips are too, also after a copy was cut off."""

Show = Callable[[str, float], None]
"""Told what is being done and the fraction of it that is done."""
Pair = tuple[Entry | None, Entry | None]
"""An entry at the source and at the target."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy did, and what comparing the two sides afterwards found."""

    written: int
    present: int
    """Entries that were at the target already, the same."""
    source: Counts
    target: Counts
    compared_videos: int
    media_keys: tuple[str, ...]
    """Keys of the video files of those that were compared."""
    problems: tuple[str, ...]
    """A sentence for everything that is not as it should be; none of them means the copy is whole."""


def run(
    settings: Settings, to: Literal["server", "edge"], *, rewrite: bool = False, say: Callable[[str], None] = print
) -> int:
    """Copy the library, every space of it, say how it went, and return the exit code: 1 if anything does not match.

    Raises SettingsError when no server is configured, and what opening, reading or writing either library raises.
    """
    if not settings.qdrant_url:
        raise SettingsError(
            "QDRANT_URL is not set, so there is no server to copy to or from. "
            "Set it (and QDRANT_API_KEY, if the server wants one) and run the same command again."
        )
    names = {
        "edge": f"the embedded library in {settings.data_dir}",
        "server": f"the collection {settings.qdrant_collection} on the server",
    }
    problems = 0
    with both_libraries(settings) as (embedded, server, store):
        source, target = (embedded, server) if to == "server" else (server, embedded)
        there = {space.encoder: space for space in target.all()}
        moved = 0
        for space in source.all():
            info = EncoderInfo(space.encoder, space.dimension, (), ())
            with closing(source.open(info)) as one:
                if one.count() == Counts(0, 0):
                    continue
                moved += 1
                with closing(target.make(info, complete=False)) as other, other.loading():
                    copied = copy(one, other, draw, rewrite=rewrite)
            say(f"What {space.encoder} made:")
            for line in _report(copied, names[source.name], names[target.name], store):
                say(line)
            problems += len(copied.problems)
            # Where the target has videos of its own they may not be in here: then the app offers to re-embed them.
            if space.complete and not copied.problems and not there.keys() - {space.encoder}:
                target.mark(space.encoder, complete=True)
        if not moved:
            raise LibraryError(
                f"There is nothing to copy: {names[source.name]} is empty. Check DATA_DIR, QDRANT_URL and "
                "QDRANT_COLLECTION."
            )
    if problems:
        return 1
    say("Set QDRANT_URL to use the server's copy." if to == "server" else "Unset QDRANT_URL to use the embedded copy.")
    return 0


def copy(source: Index, target: Index, show: Show = lambda doing, fraction: None, *, rewrite: bool = False) -> Copied:
    """Write every entry of the source that the target does not have, and compare the two.

    Safe to cut off and to repeat. `rewrite` writes also what the target has, to mend vectors that came out different.
    Both sides are read side by side in the order of their ids, so that nothing is held of a library but a batch.
    """
    counts = source.count()
    sample = _Sample()
    taken, expected = Counter[Scope](), Counter[Scope]()
    written = 0
    for scope in SCOPES:
        for pairs in _batches(
            _side_by_side(source.scroll(scope=scope), target.scroll(scope=scope, with_vectors=False))
        ):
            ours = [(entry, there) for entry, there in pairs if entry is not None]
            new = [entry for entry, there in ours if rewrite or there is None or _told_apart(entry, there)]
            if new:
                target.upsert(new)
            written += len(new)
            taken[scope] += len(ours)
            expected[scope] += len(pairs)
            if scope == "video":
                sample.add(entry for entry, _ in ours)
            show("copying", min(taken.total() / max(counts.videos + counts.clips, 1), 1.0))
    return Copied(
        written=written,
        present=taken.total() - written,
        source=source.count(),
        target=target.count(),
        compared_videos=len(sample.media_keys),
        media_keys=tuple(sample.media_keys.values()),
        problems=(
            *_count_problems(source.count(), taken, "source"),
            *_count_problems(target.count(), expected, "target"),
            *_differences(source, target, list(sample.media_keys), show),
        ),
    )


class _Sample:
    """A random choice of SAMPLE videos from a stream of unknown length, each as likely as any other (Vitter's
    algorithm R); the same for the same library."""

    def __init__(self) -> None:
        self.media_keys: dict[str, str] = {}
        """Of the chosen ones, by video id."""
        self._places: list[str] = []
        self._random = random.Random(SAMPLE)
        self._seen = 0

    def add(self, videos: Iterable[Entry]) -> None:
        for video in videos:
            self._seen += 1
            if len(self._places) < SAMPLE:
                self._places.append(video.video_id)
            elif (place := self._random.randrange(self._seen)) < SAMPLE:
                del self.media_keys[self._places[place]]
                self._places[place] = video.video_id
            else:
                continue
            self.media_keys[video.video_id] = video.media_key


def _side_by_side(source: Iterator[Entry], target: Iterator[Entry]) -> Iterator[Pair]:
    """Pair the entries of two streams that are in the order of their ids; None stands where one side has none.

    The target may be written to meanwhile: it is always read to behind what is handed out.
    """
    theirs = next(target, None)
    for ours in source:
        id_ = id_of(ours)
        while theirs is not None and id_of(theirs) < id_:
            yield None, theirs
            theirs = next(target, None)
        if theirs is not None and id_of(theirs) == id_:
            same, theirs = theirs, next(target, None)
            yield ours, same
        else:
            yield ours, None
    while theirs is not None:
        yield None, theirs
        theirs = next(target, None)


def _told_apart(one: Entry, other: Entry) -> bool:
    """Tell whether two entries of one id differ in anything but the vector: that is the same for the same content,
    encoder and span, which make the id."""
    return to_payload(one) != to_payload(other)


def _count_problems(
    counted: Counts, per_scope: Mapping[Scope, int], side: Literal["source", "target"]
) -> Iterator[str]:
    expected = Counts(videos=per_scope["video"], clips=per_scope["clip"])
    if counted != expected:
        yield (
            f"The {side} has {_told(counted)}, but should have {_told(expected)}: somebody else wrote to it meanwhile. "
            "Stop the apps that use it and run the same command again."
        )


def _differences(source: Index, target: Index, sample: list[str], show: Show) -> Iterator[str]:
    """Yield a sentence for each sampled video that is not the same on both sides."""
    for number, video_id in enumerate(sample, 1):
        wanted = {id_of(entry): entry for entry in source.scroll(video_id=video_id)}
        found = {id_of(entry): entry for entry in target.scroll(video_id=video_id)}
        missing = wanted.keys() - found.keys()
        different = sum(not _same(entry, found[key]) for key, entry in wanted.items() if key in found)
        if missing or different:
            name = next(iter(wanted.values())).filename
            yield (
                f"{name} did not arrive whole: {len(missing)} of its {len(wanted)} entries are missing and "
                f"{different} differ. Run the same command again with --rewrite."
            )
        show("comparing", number / len(sample))


def _same(one: Entry, other: Entry) -> bool:
    return to_payload(one) == to_payload(other) and bool(np.allclose(one.vector, other.vector, rtol=0, atol=SAME))


def _report(copied: Copied, source: str, target: str, store: Store) -> Iterator[str]:
    yield f"{copied.written:,} entries written from {source} to {target}; {copied.present:,} were there already."
    yield f"The source has {_told(copied.source)}, the target {_told(copied.target)}."
    if copied.problems:
        yield from copied.problems[:10]
        if len(copied.problems) > 10:
            yield f"… and {len(copied.problems) - 10} more."
    else:
        yield f"{copied.compared_videos:,} videos were compared, vectors and all: the same on both sides."
    yield "Nothing was deleted at the source, and video files stay where they are."
    yield _media(copied.media_keys, store)


def _media(keys: tuple[str, ...], store: Store) -> str:
    """Say whether the videos will play: the configured store must have their files under the same keys."""
    try:
        missing = sum(not store.exists(key) for key in keys)
    except AppError as error:
        return f"Whether the video files are in the store ({store.name}) could not be checked: {error}"
    if missing:
        return (
            f"Of {len(keys):,} video files looked for, the configured store ({store.name}) does not have {missing:,}: "
            "copy them there under the same names, or set AWS_BUCKET_NAME and DATA_DIR to where they are; "
            "otherwise they are found but do not play."
        )
    return f"The configured store ({store.name}) has all {len(keys):,} video files looked for."


def _told(counts: Counts) -> str:
    return f"{counts.videos:,} videos with {counts.clips:,} clips"


def _batches(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    rest = iter(pairs)
    while batch := list(islice(rest, BATCH)):
        yield batch
