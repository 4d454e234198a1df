"""The one decode pass that encoders share: small pictures a few times a second, and sound as mono samples.

Memory is bounded by one packet, a few decoded pictures and one second of sound, whatever the length. What is
broken in the middle of a file is left out, and the pass goes on; a person would also see the rest of such a video.

Two things make it cheap. Pictures are scaled from the decoder's own format straight to thumbnail size, and only
those that are wanted. And where a file has many more pictures a second than wanted, the decoder is told to leave
out those that no other picture refers to (most B-frames), which it can do without harm to the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from core.errors import EncoderError, MediaError
from core.ingest import decoding
from core.ingest.decoding import decoded, last_packet, packets, picture_of, prepare, sound_of, start_of
from core.models import Progress, ignore_progress

SIZE = (96, 54)
"""Width and height in pixels that small pictures fit inside."""
_SPARE_RATE = 5.0
"""How many times more pictures than wanted a file must have before unreferenced ones are left out."""
_LONGEST_HOLD_S = 600.0
"""A gap between pictures up to this long is a picture that stands (a slide); a longer one is a broken clock."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A small picture and the time at which it is shown, from the start of the file."""

    time_s: float
    rgb: np.ndarray
    """(height, width, 3) uint8, upright, aspect ratio as displayed, inside the size asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """A run of mono sound, as float32 samples in -1 to 1, and the time at which it begins."""

    time_s: float
    samples: np.ndarray


def sample(
    path: Path,
    *,
    fps: float = 4.0,
    size: tuple[int, int] = SIZE,
    sample_rate: int = 16_000,
    on_progress: Progress = ignore_progress,
) -> Iterator[Picture | Sound]:
    """Yield pictures about `fps` times a second and all the sound, each in order of time, in one pass.

    `size` is (width, height) in pixels that pictures fit inside. Where a picture stands for longer than 1/fps it is
    yielded again, so that every picture weighs the same time. Progress is told about once a second of the file;
    what it raises ends the pass. Raises EncoderError when the file cannot be opened or no picture decodes.
    """
    with _opened(path) as container:
        found = False
        for item in _read(container, _Pictures(container, fps, size), _Sounds(container, sample_rate), on_progress):
            found = found or isinstance(item, Picture)
            yield item
    if not found:
        raise EncoderError(f"No picture of {path.name} could be decoded. The file is damaged: export it again.")
    on_progress(1.0)


def shrink(rgb: np.ndarray, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Return a picture, (height, width, 3) uint8, as small as `sample` makes those of a video, by the same scaler."""
    return _fitted(VideoFrame.from_ndarray(rgb, format="rgb24"), size, 1.0, VideoReformatter())


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    """Open a file; what is wrong with it comes out as an EncoderError that names it."""
    try:
        with decoding.opened(path) as container:
            yield container
    except MediaError as error:
        raise EncoderError(f"{path.name} cannot be encoded. {error}") from error


def _fitted(frame: VideoFrame, size: tuple[int, int], pixel_aspect: float, scaler: VideoReformatter) -> np.ndarray:
    scale = min(size[0] / (frame.width * pixel_aspect), size[1] / frame.height)
    width = max(round(frame.width * pixel_aspect * scale), 2)
    height = max(round(frame.height * scale), 2)
    return scaler.reformat(frame, width, height, "rgb24", interpolation=Interpolation.BILINEAR).to_ndarray()


def _read(
    container: InputContainer, pictures: _Pictures, sounds: _Sounds, on_progress: Progress
) -> Iterator[Picture | Sound]:
    total_s = container.duration / av.time_base if container.duration else None
    told_s = 0.0
    for packet in packets(container, [s for s in (pictures.stream, sounds.stream) if s is not None]):
        yield from (pictures if packet.stream is pictures.stream else sounds).take(packet)
        if total_s and pictures.time_s - told_s >= 1.0:
            told_s = pictures.time_s
            on_progress(min(told_s / total_s, 1.0))
    yield from pictures.end()
    yield from sounds.end()


class _Pictures:
    """Pick pictures at regular times, upright and small, out of the packets of the main video stream."""

    def __init__(self, container: InputContainer, fps: float, size: tuple[int, int]) -> None:
        self.stream = picture_of(container)
        self.time_s = 0.0
        self._step_s = 1.0 / fps
        self._size = size
        self._due_s = 0.0
        self._last: Picture | None = None
        self._scaler = VideoReformatter()  # Kept, for setting one up costs more than using it.
        self._start_s = start_of(container, self.stream)
        rate = float(self.stream.average_rate or 0)
        self._frame_s = 1.0 / rate if rate else self._step_s
        prepare(self.stream.codec_context)
        if rate >= _SPARE_RATE * fps:
            self.stream.codec_context.skip_frame = "NONREF"

    def take(self, packet: av.Packet) -> Iterator[Picture]:
        for frame in decoded(packet, VideoFrame):
            self.time_s = self.time_s + self._frame_s if frame.time is None else frame.time - self._start_s
            # Half a frame of tolerance: 0.2499 is the picture of 0.25.
            if self.time_s + self._frame_s / 2 >= self._due_s:
                yield from self._hold(self.time_s)
                self._last = Picture(max(self.time_s, 0.0), self._small(frame))
                self._due_s = max(self._due_s, self.time_s - self._step_s) + self._step_s
                yield self._last

    def end(self) -> Iterator[Picture]:
        """Yield what the decoder holds back, and the last picture for as long as the stream says that it stands."""
        yield from self.take(last_packet(self.stream))
        if self.stream.duration and self.stream.time_base:
            yield from self._hold(float(self.stream.duration * self.stream.time_base))

    def _small(self, frame: VideoFrame) -> np.ndarray:
        """Return the picture as displayed (pixel aspect, rotation), inside the size asked for, RGB."""
        pixel_aspect = float(self.stream.sample_aspect_ratio or 1) or 1.0
        turned = frame.rotation % 180 != 0
        box = self._size[::-1] if turned else self._size
        small = _fitted(frame, box, pixel_aspect, self._scaler)
        return np.ascontiguousarray(np.rot90(small, round(frame.rotation / 90) % 4))

    def _hold(self, until_s: float) -> Iterator[Picture]:
        """Yield the last picture again at each time that was due well before `until_s`."""
        if self._last is None or until_s - self._last.time_s > _LONGEST_HOLD_S:
            return
        while self._due_s + self._step_s < until_s:
            yield Picture(self._due_s, self._last.rgb)
            self._due_s += self._step_s


class _Sounds:
    """Turn the packets of the main audio stream, if there is one, into mono samples at one rate."""

    def __init__(self, container: InputContainer, sample_rate: int) -> None:
        self.stream = sound_of(container)
        self._rate = sample_rate
        self._start_s = start_of(container, picture_of(container))
        self._time_s: float | None = None
        self._resampler = AudioResampler(format="fltp", layout="mono", rate=sample_rate)
        self._waiting: list[np.ndarray] = []
        self._waiting_count = 0

    def take(self, packet: av.Packet) -> Iterator[Sound]:
        for frame in decoded(packet, AudioFrame):
            if self._time_s is None:
                self._time_s = max((frame.time or self._start_s) - self._start_s, 0.0)
            frame.pts = None  # The resampler is to join samples, not to answer gaps in the clock.
            yield from self._collect(frame)

    def end(self) -> Iterator[Sound]:
        if self.stream is not None:
            yield from self.take(last_packet(self.stream))
        if self._time_s is not None:
            yield from self._collect(None)
            if self._waiting:
                yield self._join()

    def _collect(self, frame: AudioFrame | None) -> Iterator[Sound]:
        try:
            resampled = self._resampler.resample(frame)
        except (av.FFmpegError, ValueError):
            # The format changed in the middle of the stream: begin again with a resampler for the new one.
            self._resampler = AudioResampler(format="fltp", layout="mono", rate=self._rate)
            resampled = self._resampler.resample(frame) if frame is not None else []
        for part in resampled:
            samples = np.nan_to_num(part.to_ndarray().reshape(-1)).clip(-1.0, 1.0)
            self._waiting.append(samples)
            self._waiting_count += samples.size
        if self._waiting_count >= self._rate:
            yield self._join()

    def _join(self) -> Sound:
        sound = Sound(self._time_s or 0.0, np.concatenate(self._waiting).astype(np.float32, copy=False))
        self._time_s = sound.time_s + sound.samples.size / self._rate
        self._waiting, self._waiting_count = [], 0
        return sound
