"""The way of one file into the library: identify, inspect, store, embed, index, tidy.

Every step takes a `Work`, does one thing that can be done again without harm, and returns the `Work` with what it
found out and the next step in it. Whoever runs the steps (jobs.py) writes the `Work` down in between, so that
after a crash the file goes on from its last finished step and nothing is paid for twice.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from core.errors import AppError, MediaError, Unavailable
from core.files import whole
from core.index.base import video_id
from core.ingest import inspecting, playable, sandbox, stored, titles
from core.ingest.budget import Budget
from core.ingest.captions import caption_key
from core.ingest.embeddings import entries_of, is_saved, load_embedding, save_embedding
from core.ingest.lanes import Lane, Lanes
from core.ingest.work import HANDED, Step, Work, known
from core.models import EncoderInfo, Entry, MediaInfo, Progress, Video, ignore_progress
from core.stores.base import Store
from core.text import printable

UPLOAD_GONE = "The uploaded copy is gone. Add the file again."
SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")
Labeller = Callable[[Lane, Sequence[Entry]], Sequence[Entry]]
"""Says of the entries of one video what it answers, where that can be said already."""
Source = Callable[[str, Path, Progress], None]
"""Makes the file that a name stands for, at a path: `samples.render` for "sample:NAME"."""


class Deleted(Protocol):
    """The videos that were deleted and can be had back (core/library/removal.py)."""

    def revive(self, content_sha256: str) -> bool:
        """Put a content that is added again back where it was; return whether it was deleted. Raises Unavailable."""
        ...

    def holds(self, content_sha256: str) -> bool:
        """Tell whether a content is among them: what is stored of it is needed then."""
        ...

    def kept(self, video_id: str) -> Entry | None:
        """Return what is known of a video that comes back by being encoded; None for any other."""
        ...


class Pipeline:
    """Take files into a library, a step at a time. Safe to use from several threads, each with its own job.

    A file that is added goes into the space that answers; when another begins to answer meanwhile, into that one too.
    A video of the library (stored.py) goes into the space of the encoder that its job names.
    """

    def __init__(
        self,
        lanes: Lanes,
        store: Store,
        *,
        work_dir: Path,
        max_bytes: int,
        sources: Mapping[str, Source],
        labelled: Labeller = lambda lane, entries: entries,
    ) -> None:
        self.lanes = lanes
        self.store = store
        self.work_dir = work_dir.absolute()
        self.max_bytes = max_bytes
        self.sources = sources
        self.deleted: Deleted | None = None
        self.budget: Budget | None = None
        self._labelled = labelled
        self._steps = {
            Step.IDENTIFY: self._identify,
            Step.INSPECT: self._inspect,
            Step.STORE: self._store,
            Step.EMBED: self._embed,
            Step.INDEX: self._index,
            Step.TIDY: self._tidy,
        }

    def run(self, work: Work, notes: MutableMapping[str, str], on_progress: Progress) -> Work:
        """Do the next step and return the work with the step after it; `notes` is the encoder's (encoders/base.py).

        Raises Cancelled from `on_progress`, AppError with a sentence for a person, or OSError.
        """
        return self._steps[work.step](work, notes, on_progress)

    def makes(self, source: str) -> bool:
        """Say whether a source is "scheme:NAME" for one of the pipeline's sources, a video of the library or an upload
        that was handed over, not a path."""
        work = Work("", source, "")
        return self._maker(source) is not None or work.target is not None or work.handed is not None

    def handed_as(self, path: Path, job_id: str) -> str:
        """Return the source that a file becomes when it is handed over."""
        suffix = path.suffix.lower()
        return f"{HANDED}:upload-{job_id}{suffix if SUFFIX.fullmatch(suffix) else '.bin'}"

    def hand_over(self, path: Path, source: str, on_progress: Progress = ignore_progress) -> None:
        """Put a file where every machine that works on jobs finds it. Raises AppError."""
        self.store.put(path, source.removeprefix(f"{HANDED}:"), on_progress)

    def take_back(self, source: str) -> None:
        """Remove what was handed over, or what a killed process left of it; it need not be there. Raises AppError."""
        self.store.delete(source.removeprefix(f"{HANDED}:"))

    def find(self, work: Work) -> Entry | None:
        """Return the video with the same content that is where this one is to go already, if there is one."""
        lane = self.lanes.serving if work.target is None else self.lanes.named(work.target)
        if work.sha256 is None or lane is None:
            return None
        found = _whole(lane, work.sha256)
        if found is None and work.target is None and self.deleted is not None and self.deleted.revive(work.sha256):
            return _whole(lane, work.sha256)
        return found

    def verify(self, work: Work, on_progress: Progress, roll_back: Callable[[Work], object] | None = None) -> Work:
        """Return work that was put aside (crash, retry) with the step from which it can really go on.

        What was found out is thrown away when the file is another one now, and what was stored of it by `roll_back`.
        Where the encoder is not at hand any more, what was stored stays, and the one that answers now encodes.
        """
        if work.step in (Step.IDENTIFY, Step.TIDY):
            return work
        if work.target is not None:
            return self._step_back(work)
        if self.lanes.named(known(work.encoder)) is None:
            work = replace(work, step=min(work.step, Step.EMBED), encoder=self.lanes.serving.name)
        path = self._path(work)
        if not os.path.isfile(path):
            # A file of a person's may be gone when it is no longer needed; the steps that need it say so.
            back = self._step_back(work)
            if not self._comes_again(work) or back.step is Step.INDEX:
                return back
            path = self._source(work, on_progress)  # on another machine than before, or after a sweep
        if _fingerprint(path) != work.fingerprint:
            if inspecting.sha256(path, on_progress) != work.sha256:
                return self._start_over(work, roll_back or self.roll_back)
            work = replace(work, fingerprint=_fingerprint(path))
        return self._step_back(work)

    def roll_back(self, work: Work) -> None:
        """Remove from store and index what an unfinished job put there. The embedding stays, for a retry.

        A video that is in an index as a whole is left alone, whoever put it there: its entry is written last. What
        is stored stays as long as a video that is left has it, or one that was deleted and can be had back.
        """
        if work.video_id is None or work.media_key is None or work.poster_key is None:
            return
        named = self.lanes.named(known(work.encoder))
        lanes = [lane for lane in (named, self.lanes.serving) if lane is not None]
        if work.target is not None:
            lanes = [lane for lane in lanes if lane.name == work.target]
        kept = [_whole(lane, known(work.sha256)) for lane in lanes]
        for lane, video in zip(lanes, kept, strict=True):
            if video is None or video.video_id != work.video_id:
                lane.index.delete(known(work.video_id))
        is_needed = any(video and video.video_id == work.video_id for video in kept)
        is_needed = is_needed or (self.deleted is not None and self.deleted.holds(known(work.sha256)))
        if work.target is None and not is_needed:
            self.store.delete(work.media_key)
            self.store.delete(work.poster_key)
            for key in work.caption_keys:
                self.store.delete(key)

    def discard(self, work: Work) -> None:
        """Remove the job's folder, and our copy of the upload. A person's own file is never touched."""
        # What cannot be removed now is swept later (jobs.py, shared.py); it must not turn a good job into a bad one.
        shutil.rmtree(self._folder(work), ignore_errors=True)
        if work.handed is not None:
            with contextlib.suppress(AppError):
                self.take_back(work.source)
        elif work.owned:
            upload = Path(work.source)
            with contextlib.suppress(OSError):
                upload.unlink(missing_ok=True)
            if upload.parent.name == work.job_id:
                shutil.rmtree(upload.parent, ignore_errors=True)

    def _identify(self, work: Work, notes: MutableMapping[str, str], on_progress: Progress) -> Work:
        """Find out which content it is, before anything that takes long."""
        if work.target is not None:
            return stored.identified(work, self._known_as(work))
        sandbox.warm()  # While the file is made or hashed, who looks into it gets ready.
        make = self._maker(work.source)
        comes = make is not None or work.handed is not None
        path = self._source(work, _part(on_progress, 0.0, 0.6 if comes else 0.0))
        fingerprint = _fingerprint(path)
        if fingerprint[0] > self.max_bytes:
            raise MediaError(
                "The file is {size} and at most {most} are allowed. Shorten or compress it, or raise MAX_UPLOAD_MB.",
                size=_megabytes(fingerprint[0]),
                most=_megabytes(self.max_bytes),
            )
        sha256 = inspecting.sha256(path, _part(on_progress, 0.6 if comes else 0.0, 0.9))
        return replace(
            work,
            step=Step.INSPECT,
            encoder=self.lanes.serving.name,
            fingerprint=fingerprint,
            sha256=sha256,
            video_id=video_id(sha256),
        )

    def _inspect(self, work: Work, notes: MutableMapping[str, str], on_progress: Progress) -> Work:
        if work.target is not None:
            source = self._source(work, _part(on_progress, 0.0, 0.9))
            info = sandbox.inspect(source, on_progress=_part(on_progress, 0.9, 1.0))
            info = stored.with_words(info, self._known_as(work))
            _check_limits(info, self._lane(work).encoder.info)
            return replace(work, step=Step.EMBED, info=info)
        path = self._source(work)
        info = sandbox.inspect(path, max_bytes=self.max_bytes, on_progress=on_progress)
        _check_limits(info, self._lane(work).encoder.info)
        on_progress(1.0)
        return replace(
            work,
            step=Step.STORE,
            info=info,
            title=titles.title_of(work.filename, info.tags),
            media_key=f"{work.video_id}{playable.playable_suffix(info)}",
            poster_key=f"{work.video_id}.jpg",
            ingested_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        )

    def _store(self, work: Work, notes: MutableMapping[str, str], on_progress: Progress) -> Work:
        info, media_key, poster_key = known(work.info), known(work.media_key), known(work.poster_key)
        if not self.store.exists(media_key):
            makes = 0.0 if info.playable == "as-is" else 0.8
            copy = self._playable(work, info, _part(on_progress, 0.0, makes))
            self.store.put(copy, media_key, _part(on_progress, makes, 0.95))
        if not self.store.exists(poster_key):
            poster = self._own_folder(work) / "poster.jpg"
            sandbox.write_poster(self._source(work), info, poster, _part(on_progress, 0.95, 0.95))
            self.store.put(poster, poster_key, _part(on_progress, 0.95, 1.0))
        return replace(work, step=Step.EMBED, caption_keys=self._store_captions(work, info))

    def _store_captions(self, work: Work, info: MediaInfo) -> tuple[str, ...]:
        """Put each track of subtitles beside the video; return their keys."""
        keys = []
        for number, (language, text) in enumerate(info.captions):
            key = caption_key(known(work.video_id), number, language)
            track = self._own_folder(work) / "captions.vtt"
            track.write_text(text, "utf-8")
            self.store.put(track, key, ignore_progress)
            keys.append(key)
        return tuple(keys)

    def _embed(self, work: Work, notes: MutableMapping[str, str], on_progress: Progress) -> Work:
        saved, info = self._embedding_path(work), known(work.info)
        if is_saved(saved, work.encoder):
            return replace(work, step=Step.INDEX, seen=load_embedding(saved).seen)
        serving = self.lanes.serving.name
        if work.target is None and work.encoder != serving and not notes:
            # Another space answers by now, and nothing has been begun that is paid for.
            work = replace(work, encoder=serving)
        encoder = self._lane(work).encoder
        _check_limits(info, encoder.info)  # it can be another encoder than when the file was inspected
        path = self._source(work)
        key = known(work.media_key)
        url = self.store.url(key)
        video = Video(
            path=path,
            filename=work.filename,
            title=known(work.title),
            content_sha256=known(work.sha256),
            info=info,
            url=url if url.startswith(("http://", "https://")) else None,
            s3_uri=f"{self.store.s3_root}{key}" if self.store.s3_root else None,
        )
        if self.budget is not None:
            self.budget.spend(encoder.info.name, info.duration_s, work.by, notes)
        embedding = encoder.encode_video(video, notes, on_progress)
        # A stored copy never changes: its key is made of its content.
        if work.target is None and _fingerprint(self._source(work)) != work.fingerprint:
            raise MediaError("The file changed while it was being added. Press Retry to read it afresh.")
        self._own_folder(work)
        save_embedding(embedding, saved, work.encoder)
        return replace(work, step=Step.INDEX, seen=embedding.seen)

    def _index(self, work: Work, notes: MutableMapping[str, str], on_progress: Progress) -> Work:
        entries = entries_of(work, load_embedding(self._embedding_path(work)))
        lane = self._lane(work)
        if work.target is None and not self.store.exists(known(work.media_key)):
            # Removed since it was stored, by whoever shares the store: a video that does not play is not ready.
            return replace(work, step=Step.STORE)
        entries = list(self._labelled(lane, entries))
        with self.lanes.writing(lane):
            if work.target is not None:  # asked in here: nobody deletes it between the question and the writing
                entries = stored.as_known(entries, self._known_as(work))
            video, *clips = entries
            if clips:
                lane.index.upsert(clips)
            on_progress(0.5)
            # The video's own entry comes last: where it is, all of the video is (find and roll_back count on it).
            # From here there is no way back, so no progress is told that could cancel.
            lane.index.upsert([video])
            serving = self.lanes.serving.name
        if work.target is None and serving != lane.name:
            # Another space answers since this file was begun. What was made, and paid for, is kept where it belongs.
            notes.clear()
            return replace(work, step=Step.EMBED, encoder=serving)
        return replace(work, step=Step.TIDY)

    def _tidy(self, work: Work, notes: MutableMapping[str, str], on_progress: Progress) -> Work:
        self.discard(work)
        return work

    def _known_as(self, work: Work) -> Entry:
        """Return what is known of the work's video of the library. Raises MediaError when it is not there."""
        entry = next(self.lanes.serving.index.scroll(video_id=work.stored_id, scope="video"), None)
        if entry is None and self.deleted is not None:
            entry = self.deleted.kept(work.stored_id)
        if entry is None:
            raise MediaError("The video is no longer in the library.")
        return entry

    def _lane(self, work: Work) -> Lane:
        """Return the encoder and the space that the work is for. Raises Unavailable when they are not open."""
        lane = self.lanes.named(known(work.encoder))
        if lane is None:
            raise Unavailable("{encoder} cannot be had at the moment.", encoder=work.encoder)
        return lane

    def _comes_again(self, work: Work) -> bool:
        """Tell whether the file can be had on any machine, at any time."""
        return work.handed is not None or self._maker(work.source) is not None

    def _maker(self, source: str) -> Callable[[Path, Progress], None] | None:
        """Return what makes the file, or None for a file that a person made."""
        scheme, colon, name = source.partition(":")
        make = self.sources.get(scheme) if colon else None
        return (lambda target, on_progress: make(name, target, on_progress)) if make else None

    def _made(self, work: Work, make: Callable[[Path, Progress], None], on_progress: Progress) -> Path:
        target = self._path(work)
        if not target.is_file():
            with whole(target, target.with_name("making.mp4")) as part:
                make(part, on_progress)
        return target

    def _path(self, work: Work) -> Path:
        if work.target is not None:
            return stored.copy_path(self.store, known(work.media_key), self._folder(work))
        if work.handed is not None:
            return stored.copy_path(self.store, work.handed, self._folder(work))
        return self._folder(work) / "source.mp4" if self._maker(work.source) else Path(work.source)

    def _source(self, work: Work, on_progress: Progress = ignore_progress) -> Path:
        """Return the path of the original, fetched or made if need be, or of the stored copy."""
        path = self._path(work)
        if work.target is not None:
            return stored.fetch(self.store, known(work.media_key), path, on_progress)
        if work.handed is not None:
            return stored.fetch(self.store, work.handed, path, on_progress, gone=UPLOAD_GONE)
        if os.path.isfile(path):
            return path
        if (make := self._maker(work.source)) is not None:
            return self._made(work, make, on_progress)
        if work.owned:
            raise MediaError(UPLOAD_GONE)
        if os.path.exists(path):
            raise MediaError("{path} is not a file. Choose a video file.", path=printable(str(path)))
        raise MediaError("{path} is not there any more. Put it back and press Retry.", path=printable(str(path)))

    def _playable(self, work: Work, info: MediaInfo, on_progress: Progress) -> Path:
        """Return a file that browsers play: the original, or a copy that is made once and kept until the job ends."""
        source = self._source(work)
        if info.playable == "as-is":
            return source
        copy = self._own_folder(work) / f"playable{playable.playable_suffix(info)}"
        return copy if copy.is_file() else sandbox.make_playable(source, info, copy, on_progress)

    def _step_back(self, work: Work) -> Work:
        """Go back to the step whose result is gone, if one is."""
        if work.target is None and work.step > Step.STORE and not self.store.exists(known(work.media_key)):
            return replace(work, step=Step.STORE)
        if work.step is Step.INDEX and not is_saved(self._embedding_path(work), work.encoder):
            return replace(work, step=Step.EMBED)
        return work

    def _start_over(self, work: Work, roll_back: Callable[[Work], object]) -> Work:
        roll_back(work)
        shutil.rmtree(self._folder(work), ignore_errors=True)
        return Work(work.job_id, work.source, work.filename, work.owned, by=work.by)

    def _folder(self, work: Work) -> Path:
        return self.work_dir / work.job_id

    def _own_folder(self, work: Work) -> Path:
        folder = self._folder(work)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _embedding_path(self, work: Work) -> Path:
        return self._folder(work) / "embedding.npz"


def _check_limits(info: MediaInfo, encoder: EncoderInfo) -> None:
    """Raise MediaError for a video that the encoder would refuse, before it is stored and before anything is paid."""
    if encoder.max_duration_s is not None and info.duration_s > encoder.max_duration_s:
        raise MediaError(
            "The video lasts {hours:.1f} hours and {name} takes at most {most:.0f}. Cut it into shorter ones.",
            hours=info.duration_s / 3600,
            name=encoder.name,
            most=encoder.max_duration_s / 3600,
        )
    if encoder.max_bytes is not None and info.size_bytes > encoder.max_bytes:
        raise MediaError(
            "The file is {size} and {name} takes at most {most}. Shorten or compress it.",
            size=_megabytes(info.size_bytes),
            name=encoder.name,
            most=_megabytes(encoder.max_bytes),
        )


def _whole(lane: Lane, content_sha256: str) -> Entry | None:
    """Return the video with this content that is in a space as a whole."""
    return next(lane.index.scroll(content_sha256=content_sha256, scope="video"), None)


def _part(on_progress: Progress, start: float, end: float) -> Progress:
    """Return a progress callback for a piece of the work that goes from `start` to `end` of the whole."""
    return lambda fraction: on_progress(start + (end - start) * fraction)


def _fingerprint(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1024**2:,.1f} MB"
