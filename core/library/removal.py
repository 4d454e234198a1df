"""Delete videos, with a day to undo it, and then for good.

To delete is to move: all entries of a video go from every space into the ledger of deleted videos (state/trash.py), so
nothing that asks an index needs to know of it, and counts, searches and pages are right at once. Its files stay. To
undo is to move the entries back. For good go the entries, media, poster, likes, marks, corrections and jobs.

Each of the three is written down before it begins and can be done again without harm, so after a crash it goes on:
`tend` ends what was begun and then removes what has been deleted for longer than KEEP_S.

A video that the space which answers now never had comes back by being encoded, which may cost money: once for each time
that a person asks for it. When that fails or is cancelled the video is `held` until somebody says what is to become of
it; it neither goes for good by itself, nor is it encoded again by itself.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from core.errors import AppError, LibraryError, Unavailable
from core.index import base
from core.index.base import Index
from core.ingest.work import stored_source
from core.ingest.working import Queue
from core.library.spaces import Serving
from core.models import Entry, Job
from core.rounds import Rounds
from core.state.corrections import Corrections
from core.state.taste import TasteBook
from core.state.trash import KeptEntry, TrashBook, Trashed
from core.stores.base import Store

logger = logging.getLogger(__name__)

KEEP_S = 24 * 3600.0
"""How long a deleted video can be had back."""
TEND_EVERY_S = 600.0
"""How often to look for what is due, and to try again what failed."""
AT_ONCE = 64
"""Videos that are moved while nothing else may write."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What went for good."""

    videos: int = 0
    entries: int = 0
    files: int = 0

    def __add__(self, other: Removed) -> Removed:
        return Removed(self.videos + other.videos, self.entries + other.entries, self.files + other.files)


class Trash:
    """Delete videos, undo it, and remove what was deleted for good. Safe to use from several threads.

    Methods raise what the ledger, the spaces and the store raise; what was begun goes on with the next `tend`.
    """

    def __init__(
        self,
        book: TrashBook,
        serving: Serving,
        store: Store,
        jobs: Queue,
        taste: TasteBook,
        corrections: Corrections,
        *,
        alone: Callable[[str], AbstractContextManager[bool]] = lambda about: nullcontext(True),
        forget: Callable[[str], object] = lambda content_sha256: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`alone` says whether no other machine of the library is at the same; `forget` is told of each content that is
        gone for good, to drop what was worked out of it."""
        self._alone = alone
        self._book = book
        self._serving = serving
        self._store = store
        self._jobs = jobs
        self._taste = taste
        self._corrections = corrections
        self._forget = forget
        self._now = now
        self._lock = threading.RLock()
        self._rounds = Rounds("trash", self.tend, TEND_EVERY_S)

    def videos(self) -> list[Trashed]:
        """Return the videos that can be had back, the last deleted first."""
        return [video for video in self._book.videos() if video.state == "trashed"]

    def returning(self) -> list[Trashed]:
        """Return the videos that come back as soon as the encoder that answers now has read their stored copies."""
        return [video for video, job in self._unanswered() if job is not None and not job.stage.is_over]

    def held(self) -> list[tuple[Trashed, str | None]]:
        """Return the videos that were to come back by being encoded and do not, each with why, where that is known.

        Nothing is done with them until they are restored once more, or deleted.
        """
        over = [(video, job) for video, job in self._unanswered() if job is None or job.stage.is_over]
        return [(video, job.reason if job else None) for video, job in over]

    def kept(self, video_id: str) -> Entry | None:
        """Return what is known of a video that is coming back; None for any other."""
        if not any(video.video_id == video_id and video.state == "restoring" for video in self._book.videos()):
            return None
        entries = map(_entry, self._book.entries(video_id))
        return next((entry for entry in entries if entry.scope == "video"), None)

    def holds(self, content_sha256: str) -> bool:
        """Tell whether a content is in the trash, or on its way out of it."""
        return self._book.of_content(content_sha256) is not None

    def goes_at(self, video: Trashed) -> datetime:
        """Return when a deleted video goes for good."""
        return datetime.fromisoformat(video.deleted_at) + timedelta(seconds=KEEP_S)

    def delete(self, video_ids: Sequence[str]) -> list[Trashed]:
        """Move videos into the trash; return those that were there."""
        wanted, stopped = list(dict.fromkeys(video_ids)), dict[str, Trashed]()
        with self._lock:
            for video in self._chosen(wanted):
                self._tend(video)  # what was begun with it before
                now = self._now().isoformat(timespec="milliseconds")
                if self._book.call_off(video.video_id, now):
                    stopped[video.video_id] = replace(video, deleted_at=now, state="trashed")
            moved = [one for start in range(0, len(wanted), AT_ONCE) for one in self._move(wanted[start:][:AT_ONCE])]
        there = {video.video_id for video in moved}
        moved += [video for video in stopped.values() if video.video_id not in there]
        self._end_jobs({video.video_id for video in moved})
        return moved

    def restore(self, video_ids: Sequence[str]) -> int:
        """Put videos back where they were; return how many were in the trash.

        One that the space which answers now never had comes back when it has been encoded (`returning`). Asked for once
        more, one that was `held` is tried again.
        """
        with self._lock:
            videos = [video for video in self._chosen(video_ids) if self._book.begin(video.video_id, "restoring")]
            for start in range(0, len(videos), AT_ONCE):
                for video in self._put_back(videos[start : start + AT_ONCE]):
                    self._jobs.submit(stored_source(video.video_id, self._serving.serving.name), video.filename)
        return len(videos)

    def purge(self, video_ids: Sequence[str]) -> Removed:
        """Remove videos that are in the trash for good; return what went."""
        removed = Removed()
        with self._lock:
            videos = [video for video in self._chosen(video_ids) if self._book.begin(video.video_id, "purging")]
            for video in videos:
                removed += self._remove_alone(video)
        return removed

    def revive(self, content_sha256: str, *, may_encode: bool = True) -> bool:
        """Put a content that is added again back where it was, if it is in the trash; return whether it was.

        Raises Unavailable while it is being removed for good, or comes back by being encoded, or would have to and may
        not; LibraryError where that did not succeed: who restores it has it tried again, who adds it does not.
        """
        with self._lock:
            video = self._book.of_content(content_sha256)
            if video is None:
                return False
            if video.state == "purging":
                raise Unavailable(
                    '"{title}" has the same content and is just being removed for good.', title=video.title
                )
            if video.state == "restoring":
                self._tend(video)
            elif may_encode or not self._lacks(video):
                self.restore([video.video_id])
            if self._answers(video):
                return True
            job = self._jobs_now().get(video.video_id)
            if not may_encode and (job is None or job.stage.is_over):
                raise Unavailable(
                    '"{title}" is in the trash here and comes back only by being encoded. Restore it there.',
                    title=video.title,
                )
            if job is not None and job.stage.is_over:
                raise LibraryError(
                    '"{title}" has the same content and could not be read from its stored copy. Restore it in the '
                    "trash to try again.",
                    title=video.title,
                )
            raise Unavailable(
                '"{title}" has the same content and is being read from its stored copy.', title=video.title
            )

    def tend(self) -> None:
        """End what was begun, and remove for good what has been deleted long enough."""
        for video in self._book.videos():
            if self._rounds.is_stopped:
                return
            try:
                with self._lock:
                    self._tend(video)
            except AppError as error:
                logger.warning("%s is still in the trash: %s", video.video_id, error)

    def start(self) -> None:
        """Tend in the background, now and from time to time."""
        self._rounds.start()

    def stop(self, timeout_s: float) -> None:
        self._rounds.stop(timeout_s)

    def _tend(self, video: Trashed) -> None:
        if video.state == "restoring":
            self._put_back([video])
        elif video.state == "purging" or self.goes_at(video) <= self._now():
            if self._book.begin(video.video_id, "purging"):
                self._remove_alone(video)
        else:
            self._move([video.video_id])  # a crash came between the ledger and a space, or a job wrote it meanwhile

    def _chosen(self, video_ids: Collection[str]) -> list[Trashed]:
        wanted = set(video_ids)
        return [video for video in self._book.videos() if video.video_id in wanted]

    def _move(self, video_ids: Sequence[str]) -> list[Trashed]:
        """Move what the spaces hold of these videos into the ledger; return those of which there was anything."""
        moved: list[Trashed] = []
        with self._serving.every() as indexes:
            found = {video_id: list(_entries(indexes, video_id)) for video_id in video_ids}
            for entries in found.values():
                whole = next((entry for entry in entries if entry.scope == "video"), None) or next(iter(entries), None)
                if whole is not None:
                    moved.append(self._trashed(whole))
            self._book.keep(moved, (_kept(entry) for entries in found.values() for entry in entries))
            for video in moved:
                for index in indexes.values():
                    index.delete(video.video_id)
        return moved

    def _trashed(self, entry: Entry) -> Trashed:
        return Trashed(
            video_id=entry.video_id,
            content_sha256=entry.content_sha256,
            title=entry.title,
            filename=entry.filename,
            media_key=entry.media_key,
            poster_key=entry.poster_key,
            duration_s=entry.duration_s,
            deleted_at=self._now().isoformat(timespec="milliseconds"),
        )

    def _end_jobs(self, video_ids: Collection[str]) -> None:
        """Stop what would write deleted videos into another space, and forget what was said of their files."""
        mine = [job for job in self._jobs.jobs() if job.video_id in video_ids]
        for job in mine:
            if job.reembeds and not job.stage.is_over:
                self._jobs.cancel(job.id)
        self._jobs.forget([job.id for job in mine])

    def _put_back(self, videos: Sequence[Trashed]) -> list[Trashed]:
        """Write the entries of videos into those of their spaces that are still there; the video's own come last.

        Return those that are still to be encoded: the space that answers now never had them.
        """
        serving, missing = self._serving.serving.name, []
        with self._serving.every() as indexes:
            for video in videos:
                entries = [_entry(kept) for kept in self._book.entries(video.video_id)]
                there = {entry.encoder for entry in entries} & indexes.keys()
                for space in self._serving.spaces.all():
                    if space.complete and space.encoder not in there | {serving}:
                        self._serving.spaces.mark(space.encoder, complete=False)
                for encoder in there:
                    for scope in ("clip", "video"):
                        if some := [e for e in entries if e.encoder == encoder and e.scope == scope]:
                            indexes[encoder].upsert(some)
                if serving in there or self._answers(video):
                    self._book.drop(video.video_id)
                else:
                    missing.append(video)
        return missing

    def _unanswered(self) -> list[tuple[Trashed, Job | None]]:
        """Return the videos that are to come back and are not yet where searches look, each with its job."""
        videos = [video for video in self._book.videos() if video.state == "restoring"]
        jobs = self._jobs_now() if videos else {}
        return [(video, jobs.get(video.video_id)) for video in videos if not self._answers(video)]

    def _jobs_now(self) -> dict[str, Job]:
        """Return the jobs that encode stored videos for the space that answers now, by video; where one has several,
        the one that is not over."""
        serving = self._serving.serving.name
        mine = [job for job in self._jobs.jobs() if job.reembeds == serving]
        return {job.video_id or "": job for job in sorted(mine, key=lambda job: not job.stage.is_over)}

    def _lacks(self, video: Trashed) -> bool:
        """Tell whether the space that answers now has nothing of a video and never had."""
        serving = self._serving.serving.name
        return not self._answers(video) and all(e.encoder != serving for e in self._book.entries(video.video_id))

    def _answers(self, video: Trashed) -> bool:
        """Tell whether a content is in the space that answers now."""
        index = self._serving.serving.index
        return next(index.scroll(content_sha256=video.content_sha256, scope="video"), None) is not None

    def _remove_alone(self, video: Trashed) -> Removed:
        """Remove all that there is of a video, unless another machine does or has just done: as soon as it is forgotten
        there, the same content may be stored anew."""
        with self._alone(f"remove {video.video_id}") as is_alone:
            if is_alone and self._chosen([video.video_id]):
                return self._remove(video)
        return Removed()

    def _remove(self, video: Trashed) -> Removed:
        """Remove all that there is of a video. What the same content, added again meanwhile, has of it stays."""
        entries = [_entry(kept) for kept in self._book.entries(video.video_id)]
        captions = {key for entry in entries for key in entry.caption_keys}
        with self._serving.every() as indexes:
            again = [e for index in indexes.values() for e in index.scroll(content_sha256=video.content_sha256)]
            if not any(entry.video_id == video.video_id for entry in again if entry.scope == "video"):
                for index in indexes.values():
                    index.delete(video.video_id)
                again = [entry for entry in again if entry.video_id != video.video_id]
        used = {key for entry in again for key in (entry.media_key, entry.poster_key, *entry.caption_keys)}
        files = [key for key in (video.media_key, video.poster_key, *captions) if key and key not in used]
        there = [key for key in files if self._store.exists(key)]
        for key in files:
            self._store.delete(key)
        if not again:
            self._taste.forget_video(video.video_id)
            self._corrections.forget(video.content_sha256)
            self._forget(video.content_sha256)
            self._end_jobs({video.video_id})
        self._book.drop(video.video_id)
        return Removed(1, len(entries), len(there))


def _entries(indexes: Mapping[str, Index], video_id: str) -> Iterator[Entry]:
    for index in indexes.values():
        yield from index.scroll(video_id=video_id)


def _kept(entry: Entry) -> KeptEntry:
    payload = json.dumps(base.to_payload(entry), ensure_ascii=False)
    vector = np.asarray(entry.vector, "<f4").tobytes()
    return KeptEntry(base.id_of(entry), entry.video_id, entry.encoder, payload, vector)


def _entry(kept: KeptEntry) -> Entry:
    return base.from_payload(json.loads(kept.payload), np.frombuffer(kept.vector, "<f4").astype(np.float32))
