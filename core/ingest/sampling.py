"""The one decode pass that encoders share: small pictures a few times a second, and sound as mono samples.

Memory is bounded by one packet, a few decoded pictures and one second of sound, whatever the length. What is
broken in the middle of a file is left out, and the pass goes on; a person would also see the rest of such a video.

Two things make it cheap. Pictures are scaled from the decoder's own format straight to thumbnail size, and only
those that are wanted; the few that are also wanted larger (for a model that looks at them) likewise. And where a file
has many more pictures a second than wanted, the decoder is told to leave out those that no other picture refers to
(most B-frames), which it can do without harm to the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
    large: np.ndarray | None = None
    """The same picture larger, where one was due; the very same array again while a picture stands."""


@dataclass(frozen=True, slots=True)
class Large:
    """Which pictures are wanted larger as well."""

    side_px: int
    """Length of the shorter side; smaller pictures stay as they are."""
    every_s: float
    """No span of this length is without one."""


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
    large: Large | None = None,
    on_progress: Progress = ignore_progress,
) -> Iterator[Picture | Sound]:
    """Yield pictures about `fps` times a second and all the sound, each in order of time, in one pass.

    `size` is (width, height) in pixels that pictures fit inside. Where a picture stands for longer than 1/fps it is
    yielded again, so that every picture weighs the same time. With `large` the first picture, and then those that are
    due, also come larger. Progress is told about once a second of the file;
    what it raises ends the pass. Raises EncoderError when the file cannot be opened or no picture decodes.
    """
    with _opened(path) as container:
        found = False
        pictures = _Pictures(container, fps, size, large)
        for item in _read(container, pictures, _Sounds(container, sample_rate), on_progress):
            found = found or isinstance(item, Picture)
            yield item
    if not found:
        raise EncoderError(
            "No picture of {name} could be decoded. The file is damaged: export it again.", name=path.name
        )
    on_progress(1.0)


def shrink(rgb: np.ndarray, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Return a picture, (height, width, 3) uint8, as small as `sample` makes those of a video, by the same scaler."""
    return _fitted(VideoFrame.from_ndarray(rgb, format="rgb24"), size, 1.0, VideoReformatter())


def shrink_to_side(rgb: np.ndarray, side_px: int) -> np.ndarray:
    """Return a picture, (height, width, 3) uint8, as `sample` makes the large ones, by the same scaler."""
    return _covering(VideoFrame.from_ndarray(rgb, format="rgb24"), side_px, 1.0, VideoReformatter())


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    """Open a file; what is wrong with it comes out as an EncoderError that names it."""
    try:
        with decoding.opened(path) as container:
            yield container
    except MediaError as error:
        raise EncoderError("{name} cannot be encoded. {error}", name=path.name, error=error) from error


def _fitted(frame: VideoFrame, size: tuple[int, int], pixel_aspect: float, scaler: VideoReformatter) -> np.ndarray:
    """Return a frame as large as it can be inside a size."""
    scale = min(size[0] / (frame.width * pixel_aspect), size[1] / frame.height)
    return _scaled(frame, scale, pixel_aspect, scaler)


def _covering(frame: VideoFrame, side_px: int, pixel_aspect: float, scaler: VideoReformatter) -> np.ndarray:
    """Return a frame with a shorter side of this length; never enlarged, for that adds nothing to see."""
    scale = min(side_px / min(frame.width * pixel_aspect, frame.height), 1.0)
    return _scaled(frame, scale, pixel_aspect, scaler)


def _scaled(frame: VideoFrame, scale: float, pixel_aspect: float, scaler: VideoReformatter) -> np.ndarray:
    width = max(round(frame.width * pixel_aspect * scale), 2)
    height = max(round(frame.height * scale), 2)
    return scaler.reformat(frame, width, height, "rgb24", interpolation=Interpolation.BILINEAR).to_ndarray()


def _read(
    container: InputContainer, pictures: _Pictures, sounds: _Sounds, on_progress: Progress
) -> Iterator[Picture | Sound]:
    total_s = container.duration / av.time_base if container.duration else None
    told_s = 0.0
    for packet in packets(container, pictures.stream, sounds.stream):
        yield from (pictures if packet.stream is pictures.stream else sounds).take(packet)
        if total_s and pictures.time_s - told_s >= 1.0:
            told_s = pictures.time_s
            on_progress(min(told_s / total_s, 1.0))
    yield from pictures.end()
    yield from sounds.end()


class _Pictures:
    """Pick pictures at regular times, upright and small, out of the packets of the main video stream."""

    def __init__(self, container: InputContainer, fps: float, size: tuple[int, int], large: Large | None) -> None:
        self.stream = picture_of(container)
        self.time_s = 0.0
        self._step_s = 1.0 / fps
        self._size = size
        self._due_s = 0.0
        self._last: Picture | None = None
        self._last_frame: VideoFrame | None = None
        self._large = large
        self._large_due_s = 0.0
        self._scaler = VideoReformatter()  # Kept, for setting one up costs more than using it.
        self._large_scaler = VideoReformatter()
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
                self._last_frame = frame
                self._last = self._picture(max(self.time_s, 0.0), None)
                self._due_s = max(self._due_s, self.time_s - self._step_s) + self._step_s
                yield self._last

    def end(self) -> Iterator[Picture]:
        """Yield what the decoder holds back, and the last picture for as long as the stream says that it stands."""
        yield from self.take(last_packet(self.stream))
        if self.stream.duration and self.stream.time_base:
            yield from self._hold(float(self.stream.duration * self.stream.time_base))

    def _picture(self, time_s: float, standing: Picture | None) -> Picture:
        """Return the last frame as a picture, larger too if that is due; `standing` is what was made of it before."""
        frame, large = self._last_frame, self._large
        assert frame is not None
        turned = frame.rotation % 180 != 0
        size = self._size[::-1] if turned else self._size
        rgb = standing.rgb if standing else self._upright(frame, _fitted(frame, size, self._aspect(), self._scaler))
        if large is None or time_s < self._large_due_s:
            return Picture(time_s, rgb)
        # The next one comes a step early rather than late: a span between two dues must not go without.
        self._large_due_s = time_s + large.every_s - self._step_s
        if standing is not None and standing.large is not None:
            return Picture(time_s, rgb, standing.large)
        seen = _covering(frame, large.side_px, self._aspect(), self._large_scaler)
        return Picture(time_s, rgb, self._upright(frame, seen))

    def _aspect(self) -> float:
        return float(self.stream.sample_aspect_ratio or 1) or 1.0

    @staticmethod
    def _upright(frame: VideoFrame, rgb: np.ndarray) -> np.ndarray:
        """Return the picture turned as it is displayed."""
        return np.ascontiguousarray(np.rot90(rgb, round(frame.rotation / 90) % 4))

    def _hold(self, until_s: float) -> Iterator[Picture]:
        """Yield the last picture again at each time that was due well before `until_s`."""
        if self._last is None or until_s - self._last.time_s > _LONGEST_HOLD_S:
            return
        while self._due_s + self._step_s < until_s:
            again = self._picture(self._due_s, self._last)
            if again.large is not None:
                self._last = replace(self._last, large=again.large)
            yield again
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
