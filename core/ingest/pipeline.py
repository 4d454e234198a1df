"""The way of one file into the library: identify, inspect, store, embed, index, tidy.

Every step takes a `Work`, does one thing that can be done again without harm, and returns the `Work` with what it
found out and the next step in it. Whoever runs the steps (jobs.py) writes the `Work` down in between, so that
after a crash the file goes on from its last finished step and nothing is paid for twice.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import TypeVar

import numpy as np

from core.encoders.base import Encoder
from core.errors import MediaError
from core.files import whole
from core.index.base import Index, video_id
from core.ingest import frames, inspecting, playable, titles
from core.models import ClipEmbedding, EncoderInfo, Entry, MediaInfo, Progress, Stage, Video, VideoEmbedding
from core.stores.base import Store
from core.text import printable

Found = TypeVar("Found")
Source = Callable[[str, Path, Progress], None]
"""Makes the file that a name stands for, at a path: `samples.render` for "sample:NAME"."""


class Step(IntEnum):
    """What a job does next. The order is the order of the work."""

    IDENTIFY = 0
    INSPECT = 1
    STORE = 2
    EMBED = 3
    INDEX = 4
    TIDY = 5

    @property
    def stage(self) -> Stage:
        """Return the stage that a person sees while this step runs."""
        return _STAGES[self]


_STAGES = {
    Step.IDENTIFY: Stage.CHECKING,
    Step.INSPECT: Stage.CHECKING,
    Step.STORE: Stage.STORING,
    Step.EMBED: Stage.EMBEDDING,
    Step.INDEX: Stage.INDEXING,
    Step.TIDY: Stage.INDEXING,
}


@dataclass(frozen=True, slots=True)
class Work:
    """What is known of the file of one job, and which step comes next."""

    job_id: str
    source: str
    """An absolute path, or "scheme:NAME" for one of the pipeline's sources."""
    filename: str
    """The name to show; never used as a path."""
    owned: bool = False
    """The file is our spooled copy of an upload: it goes when the job is done with."""
    step: Step = Step.IDENTIFY
    encoder: str | None = None
    """The encoder that the embedding belongs to."""
    fingerprint: tuple[int, int] | None = None
    """Size and time of change of the file that was hashed, to notice cheaply that it is another one now."""
    sha256: str | None = None
    video_id: str | None = None
    info: MediaInfo | None = None
    title: str | None = None
    media_key: str | None = None
    poster_key: str | None = None
    ingested_at: str | None = None
    seen: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return it as ASCII, so that a path of any bytes can be written down."""
        row = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.info is not None:
            info = {field.name: getattr(self.info, field.name) for field in fields(self.info)}
            row["info"] = info | {"tags": dict(self.info.tags)}
        return json.dumps(row)

    @classmethod
    def from_json(cls, text: str) -> Work:
        """Return the work that `to_json` wrote down."""
        row = json.loads(text)
        row["step"] = Step(row["step"])
        row["fingerprint"] = row["fingerprint"] and tuple(row["fingerprint"])
        if row["info"] is not None:
            languages = tuple(row["info"].pop("subtitle_languages", ()))
            row["info"] = MediaInfo(**row["info"], subtitle_languages=languages)
        row["seen"] = tuple(row["seen"])
        return cls(**row)


class Pipeline:
    """Take files into a library, a step at a time. Safe to use from several threads, each with its own job."""

    def __init__(
        self,
        encoder: Encoder,
        store: Store,
        index: Index,
        *,
        work_dir: Path,
        max_bytes: int,
        sources: Mapping[str, Source],
    ) -> None:
        self.encoder = encoder
        self.store = store
        self.index = index
        self.work_dir = work_dir.absolute()
        self.max_bytes = max_bytes
        self.sources = sources
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
        """Say whether a source is "scheme:NAME" for one of the pipeline's sources, not a path."""
        return self._maker(source) is not None

    def find(self, work: Work) -> Entry | None:
        """Return the video that is in the library already with the same content, if there is one."""
        if work.sha256 is None:
            return None
        return next(self.index.scroll(content_sha256=work.sha256, scope="video"), None)

    def verify(self, work: Work, on_progress: Progress) -> Work:
        """Return work that was put aside (crash, retry) with the step from which it can really go on.

        What was found out is thrown away when the file or the encoder is another one now.
        """
        if work.step in (Step.IDENTIFY, Step.TIDY):
            return work
        if work.encoder != self.encoder.info.name:
            return self._start_over(work)
        path = self._path(work)
        if not os.path.isfile(path):
            # A file of a person's may be gone when it is no longer needed; the steps that need it say so.
            return self._start_over(work) if self._maker(work.source) else self._step_back(work)
        if _fingerprint(path) != work.fingerprint:
            if inspecting.sha256(path, on_progress) != work.sha256:
                return self._start_over(work)
            work = replace(work, fingerprint=_fingerprint(path))
        return self._step_back(work)

    def roll_back(self, work: Work) -> None:
        """Remove from store and index what an unfinished job put there. The embedding stays, for a retry.

        A video that is in the index as a whole is left alone, whoever put it there: its entry is written last.
        """
        if work.video_id is None or work.media_key is None or work.poster_key is None:
            return
        known = self.find(work)
        if known is not None and known.video_id == work.video_id:
            return
        self.index.delete(work.video_id)
        self.store.delete(work.media_key)
        self.store.delete(work.poster_key)

    def discard(self, work: Work) -> None:
        """Remove the job's folder, and our copy of the upload. A person's own file is never touched."""
        # A file that cannot be removed now is swept at the next start; it must not turn a good job into a bad one.
        shutil.rmtree(self._folder(work), ignore_errors=True)
        if work.owned:
            upload = Path(work.source)
            with contextlib.suppress(OSError):
                upload.unlink(missing_ok=True)
            if upload.parent.name == work.job_id:
                shutil.rmtree(upload.parent, ignore_errors=True)

    def _identify(self, work: Work, notes: MutableMapping[str, str], on_progress: Progress) -> Work:
        """Find out which content it is, before anything that takes long."""
        make = self._maker(work.source)
        path = self._made(work, make, _part(on_progress, 0.0, 0.6)) if make else self._source(work)
        fingerprint = _fingerprint(path)
        if fingerprint[0] > self.max_bytes:
            raise MediaError(
                f"The file is {_megabytes(fingerprint[0])} and at most {_megabytes(self.max_bytes)} are allowed. "
                "Shorten or compress it, or raise MAX_UPLOAD_MB."
            )
        sha256 = inspecting.sha256(path, _part(on_progress, 0.6 if make else 0.0, 0.9))
        return replace(
            work,
            step=Step.INSPECT,
            encoder=self.encoder.info.name,
            fingerprint=fingerprint,
            sha256=sha256,
            video_id=video_id(sha256),
        )

    def _inspect(self, work: Work, notes: MutableMapping[str, str], on_progress: Progress) -> Work:
        path = self._source(work)
        info = inspecting.inspect(path, max_bytes=self.max_bytes)
        _check_limits(info, self.encoder.info)
        on_progress(1.0)
        return replace(
            work,
            step=Step.STORE,
            info=info,
            title=titles.title_of(work.filename, info.tags),
            media_key=f"{work.video_id}{playable.playable_suffix(info)}",
            poster_key=f"{work.video_id}.jpg",
            ingested_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def _store(self, work: Work, notes: MutableMapping[str, str], on_progress: Progress) -> Work:
        info, media_key, poster_key = _known(work.info), _known(work.media_key), _known(work.poster_key)
        if not self.store.exists(media_key):
            makes = 0.0 if info.playable == "as-is" else 0.8
            copy = self._playable(work, info, _part(on_progress, 0.0, makes))
            self.store.put(copy, media_key, _part(on_progress, makes, 0.95))
        if not self.store.exists(poster_key):
            poster = self._own_folder(work) / "poster.jpg"
            frames.write_poster(self._source(work), info, poster)
            self.store.put(poster, poster_key, _part(on_progress, 0.95, 1.0))
        return replace(work, step=Step.EMBED)

    def _embed(self, work: Work, notes: MutableMapping[str, str], on_progress: Progress) -> Work:
        saved = self._embedding_path(work)
        if saved.is_file():
            return replace(work, step=Step.INDEX, seen=load_embedding(saved).seen)
        path = self._source(work)
        url = self.store.url(_known(work.media_key))
        video = Video(
            path=path,
            filename=work.filename,
            title=_known(work.title),
            content_sha256=_known(work.sha256),
            info=_known(work.info),
            url=url if url.startswith(("http://", "https://")) else None,
        )
        embedding = self.encoder.encode_video(video, notes, on_progress)
        if _fingerprint(self._source(work)) != work.fingerprint:
            raise MediaError("The file changed while it was being added. Press Retry to read it afresh.")
        self._own_folder(work)
        save_embedding(embedding, saved)
        return replace(work, step=Step.INDEX, seen=embedding.seen)

    def _index(self, work: Work, notes: MutableMapping[str, str], on_progress: Progress) -> Work:
        whole, *clips = _entries(work, load_embedding(self._embedding_path(work)))
        if clips:
            self.index.upsert(clips)
        on_progress(0.5)
        # The video's own entry comes last: where it is, all of the video is (find and roll_back count on it).
        # From here there is no way back, so no progress is told that could cancel.
        self.index.upsert([whole])
        return replace(work, step=Step.TIDY)

    def _tidy(self, work: Work, notes: MutableMapping[str, str], on_progress: Progress) -> Work:
        self.discard(work)
        return work

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
        return self._folder(work) / "source.mp4" if self._maker(work.source) else Path(work.source)

    def _source(self, work: Work) -> Path:
        """Return the path of the original, which must be there."""
        path = self._path(work)
        if os.path.isfile(path):
            return path
        if work.owned:
            raise MediaError("The uploaded copy is gone. Add the file again.")
        if os.path.exists(path):
            raise MediaError(f"{printable(str(path))} is not a file. Choose a video file.")
        raise MediaError(f"{printable(str(path))} is not there any more. Put it back and press Retry.")

    def _playable(self, work: Work, info: MediaInfo, on_progress: Progress) -> Path:
        """Return a file that browsers play: the original, or a copy that is made once and kept until the job ends."""
        source = self._source(work)
        if info.playable == "as-is":
            return source
        copy = self._own_folder(work) / f"playable{playable.playable_suffix(info)}"
        return copy if copy.is_file() else playable.make_playable(source, info, copy, on_progress)

    def _step_back(self, work: Work) -> Work:
        """Go back to the step whose result is gone, if one is."""
        if work.step > Step.STORE and not self.store.exists(_known(work.media_key)):
            return replace(work, step=Step.STORE)
        if work.step is Step.INDEX and not self._embedding_path(work).is_file():
            return replace(work, step=Step.EMBED)
        return work

    def _start_over(self, work: Work) -> Work:
        self.roll_back(work)
        shutil.rmtree(self._folder(work), ignore_errors=True)
        return Work(work.job_id, work.source, work.filename, work.owned)

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
            f"The video lasts {info.duration_s / 3600:.1f} hours and {encoder.name} takes at most "
            f"{encoder.max_duration_s / 3600:.0f}. Cut it into shorter ones."
        )
    if encoder.max_bytes is not None and info.size_bytes > encoder.max_bytes:
        raise MediaError(
            f"The file is {_megabytes(info.size_bytes)} and {encoder.name} takes at most "
            f"{_megabytes(encoder.max_bytes)}. Shorten or compress it."
        )


def save_embedding(embedding: VideoEmbedding, path: Path) -> None:
    """Write an embedding so that the path holds all of it, also after a power cut, or is not there."""
    clips = embedding.clips
    words = {"seen": embedding.seen, "clips": [clip.seen for clip in clips]}
    with whole(path) as part, part.open("wb") as file:
        np.savez(
            file,
            vector=embedding.vector,
            clip_vectors=np.array([clip.vector for clip in clips]).reshape(len(clips), len(embedding.vector)),
            spans_s=np.array([(clip.start_s, clip.end_s) for clip in clips]).reshape(len(clips), 2),
            words=np.array(json.dumps(words)),
        )


def load_embedding(path: Path) -> VideoEmbedding:
    """Read what `save_embedding` wrote."""
    with np.load(path, allow_pickle=False) as saved:
        words = json.loads(str(saved["words"]))
        rows = zip(saved["spans_s"].tolist(), saved["clip_vectors"], words["clips"], strict=True)
        clips = tuple(ClipEmbedding(start_s, end_s, vector, tuple(seen)) for (start_s, end_s), vector, seen in rows)
        return VideoEmbedding(saved["vector"], clips, tuple(words["seen"]))


def _entries(work: Work, embedding: VideoEmbedding) -> list[Entry]:
    """Return what goes into the index: the whole video first, then its clips."""
    info = _known(work.info)
    whole = Entry(
        video_id=_known(work.video_id),
        scope="video",
        start_s=0.0,
        end_s=info.duration_s,
        vector=embedding.vector,
        filename=work.filename,
        title=_known(work.title),
        media_key=_known(work.media_key),
        poster_key=_known(work.poster_key),
        duration_s=info.duration_s,
        width_px=info.width_px,
        height_px=info.height_px,
        has_audio=info.has_audio,
        encoder=_known(work.encoder),
        content_sha256=_known(work.sha256),
        ingested_at=_known(work.ingested_at),
        seen=embedding.seen,
        subtitle_languages=info.subtitle_languages,
        tags=info.tags,
        subtitles=info.subtitles,
    )
    return [whole] + [
        replace(
            whole,
            scope="clip",
            start_s=clip.start_s,
            end_s=clip.end_s,
            vector=clip.vector,
            seen=clip.seen,
            tags=None,
            subtitles=None,
        )
        for clip in embedding.clips
    ]


def _known(found: Found | None) -> Found:
    """Return what an earlier step has found out."""
    if found is None:
        raise RuntimeError("A step was taken before the one that it needs.")
    return found


def _part(on_progress: Progress, start: float, end: float) -> Progress:
    """Return a progress callback for a piece of the work that goes from `start` to `end` of the whole."""
    return lambda fraction: on_progress(start + (end - start) * fraction)


def _fingerprint(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1024**2:,.1f} MB"
