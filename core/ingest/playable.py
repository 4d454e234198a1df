"""Make copies: one that a browser plays, and one within the limits of a service that encodes.

What a browser needs, by what Chromium plays:
- as-is: MP4 with H.264 (8 bit, 4:2:0) and AAC, MP3 or no sound, or VP9 or AV1; WebM with VP8, VP9 or AV1 and Vorbis or
  Opus. Both complete, with their index in front (MP4) or a duration (WebM).
- remux: the same codecs in another container, or with sound that only needs to become AAC, or an MP4 whose index lies
  at the end. Such a file would play, but only after the browser has fetched its end; copying 30 MB takes 0.07 s, once.
- transcode: everything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer, OutputContainer
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter

from core.errors import MediaError, Sentence
from core.files import whole
from core.ingest.decoding import (
    BROKEN,
    BT709,
    LAST_FRAME_S,
    clock_of,
    decoded,
    dynamic_range,
    last_packet,
    opened,
    packets,
    picture_of,
    sound_of,
    start_of,
)
from core.models import MediaInfo, Progress, ignore_progress

PLAYABLE_SIDE_PX = 1920
PLAYABLE_FPS = 60
_COPYABLE = frozenset({"mp4", "mov", "matroska", "webm", "mpegts", "flv"})
"""Containers whose packets carry both timestamps. AVI and raw streams have none for reordered frames: decode those."""
_WEBM_VIDEO = frozenset({"vp8", "vp9", "av1"})
_WEBM_SOUND = frozenset({None, "vorbis", "opus"})
_MP4_SOUND: Mapping[str, frozenset[str | None]] = {
    "h264": frozenset({None, "aac", "mp3"}),
    "vp9": frozenset({None, "aac", "mp3", "opus"}),
    "av1": frozenset({None, "aac", "mp3", "opus"}),
}
_PLAIN_PIXELS = frozenset({"yuv420p", "yuvj420p"})
_LIMITED_RANGE = 1
_AAC_RATES = frozenset({48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000})
_PICTURE_CLOCK = Fraction(1, 90_000)


def needed(
    container: str, video: str, pixels: str, audio: str | None, *, ready: bool
) -> Literal["as-is", "remux", "transcode"]:
    """Decide what a browser needs; `ready` says that the file is whole and laid out for streaming."""
    if pixels not in _PLAIN_PIXELS:
        return "transcode"
    if container == "webm" and video in _WEBM_VIDEO and audio in _WEBM_SOUND:
        return "as-is" if ready else "remux"
    if container == "mp4" and video in _MP4_SOUND and audio in _MP4_SOUND[video]:
        return "as-is" if ready else "remux"
    if container in _COPYABLE and (video in _MP4_SOUND or (video == "vp8" and audio in _WEBM_SOUND)):
        return "remux"
    return "transcode"


def playable_suffix(info: MediaInfo) -> str:
    """Return the ending of the playable copy: ".webm" where the streams stay in WebM, else ".mp4"."""
    from_webm = info.container in ("webm", "matroska") or info.video_codec == "vp8"
    fits_webm = info.video_codec in _WEBM_VIDEO and info.audio_codec in _WEBM_SOUND
    return ".webm" if info.playable != "transcode" and from_webm and fits_webm else ".mp4"


def make_playable(source: Path, info: MediaInfo, target: Path, on_progress: Progress = ignore_progress) -> Path:
    """Return a file that Chromium plays: `source` itself when it already does, else `target`, newly written.

    `target` appears whole or not at all. Rotation is kept as the display matrix, pixels become square, frames keep
    their times; picture and sound keep their distance. Raises MediaError, and lets `Cancelled` through.
    """
    if info.playable == "as-is":
        on_progress(1.0)
        return source
    try:
        _write_copy(source, info, target, on_progress)
    except _NotCopied:
        _write_copy(source, replace(info, playable="transcode"), target, on_progress)
    on_progress(1.0)
    return target


class _NotCopied(Exception):
    """A muxer refuses packets as they are."""


def _write_copy(source: Path, info: MediaInfo, target: Path, on_progress: Progress) -> None:
    """Write `target` atomically. Raises _NotCopied when transcoding may succeed where copying did not."""
    suffix = playable_suffix(info)
    with atomic(target, "playable copy") as part, opened(source) as container:
        try:
            with created(part, suffix) as output:
                _convert(container, output, info, on_progress)
        except BROKEN as error:  # Reading forgives; what comes through is the encoder's or the muxer's.
            if info.playable == "remux" and suffix == ".mp4" and not isinstance(error, OSError):
                raise _NotCopied from error
            raise MediaError(not_made("playable copy", error)) from error


@contextmanager
def atomic(target: Path, what: str) -> Iterator[Path]:
    """Give a path to write to, which becomes `target` when all went well and disappears when not."""
    try:
        # The same name each time: a run after a crash replaces what that left.
        with whole(target, part_of(target)) as part:
            yield part
    except OSError as error:
        raise MediaError(not_made(what, error)) from error


def part_of(target: Path) -> Path:
    """Return where a file is written until it is whole."""
    return target.with_name(f"{target.name}.part")


def not_made(what: str, error: Exception) -> Sentence:
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return Sentence(
        "The {what} cannot be written ({why}). Check that the disk has room, then try again.",
        what=Sentence(what),
        why=why,
    )


@contextmanager
def created(path: Path, suffix: str) -> Iterator[OutputContainer]:
    kind, options = ("webm", {}) if suffix == ".webm" else ("mp4", {"movflags": "+faststart"})
    with av.open(str(path.absolute()), "w", format=kind, options=options) as output:
        yield output


def write_fitted(
    source: Path,
    info: MediaInfo,
    target: Path,
    *,
    least_s: float,
    least_px: int,
    most_px: tuple[int, int],
    on_progress: Progress = ignore_progress,
) -> Path:
    """Write an H.264/AAC copy within the limits of a service: long enough, and neither too small nor too large.

    The last picture stands until `least_s`. Both sides become at least `least_px`, the longer and the shorter one at
    most `most_px`; the shape is kept as far as that allows. `target` appears whole or not at all. Raises MediaError.
    """
    size = _fitted_size(info, least_px, most_px)
    with atomic(target, "copy for the encoder") as part, opened(source) as container:
        try:
            with created(part, ".mp4") as output:
                _convert(container, output, replace(info, playable="transcode"), on_progress, size, least_s)
        except BROKEN as error:
            raise MediaError(not_made("copy for the encoder", error)) from error
    on_progress(1.0)
    return target


def _fitted_size(info: MediaInfo, least_px: int, most_px: tuple[int, int]) -> tuple[int, int]:
    """Return width and height to encode at, not yet turned, even."""
    sides = (info.height_px, info.width_px) if info.rotation_deg % 180 else (info.width_px, info.height_px)
    longest, shortest = max(sides), min(sides)
    scale = max(1.0, least_px / shortest)
    scale = min(scale, most_px[0] / longest, most_px[1] / shortest)
    width, height = (max(least_px, round(side * scale / 2) * 2) for side in sides)
    return width, height


def _convert(
    container: InputContainer,
    output: OutputContainer,
    info: MediaInfo,
    on_progress: Progress,
    size: tuple[int, int] | None = None,
    least_s: float = 0.0,
) -> None:
    """Send every packet of picture and sound through its track, and report how far the picture has come."""
    picture, sound = picture_of(container), sound_of(container)
    zero_s = start_of(container, picture)
    copied = info.playable == "remux"
    tracks: dict[int, CopiedTrack | PictureTrack | SoundTrack] = {
        picture.index: CopiedTrack(output, picture, zero_s, info)
        if copied
        else PictureTrack(output, picture, zero_s, info, size, least_s)
    }
    if sound is not None:
        as_it_is = copied and _sound_fits(info, output)
        tracks[sound.index] = (CopiedTrack if as_it_is else SoundTrack)(output, sound, zero_s, info)
    furthest = 0.0  # Packets come in the order of decoding; a bar only ever grows.
    for packet in packets(container, picture, sound):
        if packet.stream is picture and packet.pts is not None:
            done = (float(packet.pts * packet.time_base) - zero_s) / info.duration_s
            furthest = max(furthest, min(1.0, done))
            on_progress(furthest)
        tracks[packet.stream_index].feed(packet)
    for track in tracks.values():
        track.close()


def _sound_fits(info: MediaInfo, output: OutputContainer) -> bool:
    fitting = _WEBM_SOUND if output.format.name == "webm" else _MP4_SOUND[info.video_codec]
    return info.audio_codec in fitting


class CopiedTrack:
    """Copy packets as they are, on a clock that starts at zero."""

    def __init__(self, output: OutputContainer, source: Stream, zero_s: float, info: MediaInfo) -> None:
        self._output = output
        self._stream = output.add_stream_from_template(source, opaque=True)
        clock = clock_of(source)
        self._zero = round(zero_s / clock)
        self._last_dts: int | None = None
        frame_s = min(LAST_FRAME_S, 1 / info.fps) if source.type == "video" else 0.0
        self._frame = round(frame_s / clock)
        self._waiting: list[av.Packet] = []
        """Packets before the first that says when to decode it; Matroska leaves that open at the start."""

    def feed(self, packet: av.Packet) -> None:
        if packet.dts is None and self._last_dts is None:
            self._waiting.append(packet)
            return
        self._release(packet.dts)
        self._mux(packet)

    def _release(self, next_dts: int | None) -> None:
        """Send the waiting packets, to be decoded a frame apart before the one that follows them."""
        waiting, self._waiting = self._waiting, []
        step = max(1, self._frame)
        for packet, back in zip(waiting, range(len(waiting), 0, -1), strict=True):
            packet.dts = packet.pts if next_dts is None else next_dts - back * step
            self._mux(packet)

    def _mux(self, packet: av.Packet) -> None:
        dts = packet.dts if packet.dts is not None else packet.pts
        if dts is None:
            return
        pts = packet.pts if packet.pts is not None else dts
        dts -= self._zero
        if self._last_dts is not None:
            dts = max(dts, self._last_dts + 1)  # Muxers refuse times that stand still.
        self._last_dts = dts
        packet.dts, packet.pts = dts, max(dts, pts - self._zero)
        packet.duration = packet.duration or self._frame  # Without it the last frame would show for no time.
        packet.stream = self._stream
        self._output.mux(packet)

    def close(self) -> None:
        self._release(None)


class PictureTrack:
    """Re-encode the picture as H.264, 8 bit 4:2:0, BT.709, square pixels."""

    def __init__(
        self,
        output: OutputContainer,
        source: av.VideoStream,
        zero_s: float,
        info: MediaInfo,
        size: tuple[int, int] | None = None,
        least_s: float = 0.0,
    ) -> None:
        self._output, self._source, self._zero_s = output, source, zero_s
        self._least = round(least_s / _PICTURE_CLOCK)
        self._shown: VideoFrame | None = None
        self._reformatter = VideoReformatter()
        self._last_pts = -1
        self._step = round(min(LAST_FRAME_S, 1 / info.fps) / _PICTURE_CLOCK)
        self._slot = round(1 / PLAYABLE_FPS / _PICTURE_CLOCK) if info.fps > PLAYABLE_FPS * 1.02 else 0
        self._due = 0
        self._size = size or _even_size(info)
        # The encoder takes a frame rate only as a hint; every frame keeps its own time.
        stream = output.add_stream("libx264", rate=Fraction(min(info.fps, PLAYABLE_FPS)).limit_denominator(1001))
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = _PICTURE_CLOCK
        stream.codec_context.colorspace = BT709
        stream.codec_context.color_range = _LIMITED_RANGE
        stream.options = {"preset": "veryfast", "crf": "23"}
        if info.rotation_deg:
            stream.set_display_rotation(-info.rotation_deg)
        self._stream = stream

    def feed(self, packet: av.Packet) -> None:
        for frame in decoded(packet, VideoFrame):
            self._encode(frame)

    def _encode(self, frame: VideoFrame) -> None:
        pts = self._pts_of(frame)
        if pts <= self._last_pts:  # Two frames at one time, as AVI has them: the second comes half a frame later.
            pts = self._last_pts + max(1, self._step // 2)
        if pts < self._due - self._slot // 4:
            return
        self._due = max(self._due + self._slot, pts - self._slot)
        lasts = frame.duration and frame.time_base and round(frame.duration * frame.time_base / _PICTURE_CLOCK)
        self._show(self._reformatted(frame), pts, lasts or self._step)

    def _show(self, frame: VideoFrame, pts: int, duration: int) -> None:
        self._last_pts, self._shown = pts, frame
        frame.pts, frame.time_base, frame.duration = pts, _PICTURE_CLOCK, duration
        frame.pict_type = 0  # Let the encoder choose its own key frames.
        self._output.mux(self._stream.encode(frame))

    def _pts_of(self, frame: VideoFrame) -> int:
        if frame.time is None:
            return max(0, self._last_pts + self._step)
        return max(0, round((frame.time - self._zero_s) / _PICTURE_CLOCK))

    def _reformatted(self, frame: VideoFrame) -> VideoFrame:
        width, height = self._size
        return self._reformatter.reformat(
            frame,
            width,
            height,
            "yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=_LIMITED_RANGE,
            threads=1,
            **dynamic_range(frame),
        )

    def close(self) -> None:
        self.feed(last_packet(self._source))
        if self._shown is None:
            raise MediaError("No picture in this file decodes. Export it again.")
        while self._last_pts + self._step < self._least:
            self._show(self._shown, self._last_pts + self._step, self._step)
        self._output.mux(self._stream.encode(None))


def _even_size(info: MediaInfo) -> tuple[int, int]:
    """Return width and height to encode at: as displayed but not yet turned, at most 1920 a side, even."""
    width, height = info.width_px, info.height_px
    if info.rotation_deg % 180:
        width, height = height, width
    scale = min(1.0, PLAYABLE_SIDE_PX / max(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


class SoundTrack:
    """Re-encode sound as AAC stereo, in step with the picture.

    Samples are counted rather than timed, so that frames of any codec come out in AAC's 1,024; where the source's times
    run ahead of the count by more than `SLACK_S` there is a gap, which is filled with silence; where they lag, samples
    overlap and are dropped.
    """

    SLACK_S = 0.05
    LONGEST_GAP_S = 600.0

    def __init__(self, output: OutputContainer, source: av.AudioStream, zero_s: float, info: MediaInfo) -> None:
        self._output, self._source, self._zero_s = output, source, zero_s
        rate = source.rate if source.rate in _AAC_RATES else 48_000
        self._stream = output.add_stream("aac", rate=rate)
        self._stream.layout = "stereo"
        self._stream.bit_rate = 128_000
        self._rate = rate
        self._resampler: av.AudioResampler | None = None
        self._shape: tuple[str, str, int] | None = None
        self._heard_s = 0.0
        """Seconds of sound passed on so far, silence included."""
        self._fed = 0
        self._written = 0

    def feed(self, packet: av.Packet) -> None:
        for frame in decoded(packet, AudioFrame):
            self._take(frame)

    def _take(self, frame: AudioFrame) -> None:
        if not frame.samples or not frame.sample_rate:
            return
        if frame.time is not None:
            ahead_s = frame.time - self._zero_s - self._heard_s
            if ahead_s < -self.SLACK_S:
                return
            if self.SLACK_S < ahead_s <= self.LONGEST_GAP_S:
                self._resample(_silence_like(frame, round(ahead_s * frame.sample_rate)))
        self._resample(frame)

    def _resample(self, frame: AudioFrame) -> None:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._resampler is None or shape != self._shape:  # Broadcasts change it mid-stream.
            self._flush()
            self._shape, self._fed = shape, 0
            self._resampler = av.AudioResampler(format="fltp", layout="stereo", rate=self._rate, frame_size=1024)
        frame.pts, frame.time_base = self._fed, Fraction(1, frame.sample_rate)
        self._fed += frame.samples
        self._heard_s += frame.samples / frame.sample_rate
        self._write(self._resampler.resample(frame))

    def _flush(self) -> None:
        if self._resampler is not None:
            self._write(self._resampler.resample(None))

    def _write(self, frames: Sequence[AudioFrame]) -> None:
        for frame in frames:
            frame.pts, frame.time_base = self._written, Fraction(1, self._rate)
            self._written += frame.samples
            self._output.mux(self._stream.encode(frame))

    def close(self) -> None:
        self.feed(last_packet(self._source))
        self._flush()
        self._output.mux(self._stream.encode(None))


def _silence_like(frame: AudioFrame, samples: int) -> AudioFrame:
    silence = AudioFrame(format=frame.format.name, layout=frame.layout.name, samples=samples)
    silence.sample_rate = frame.sample_rate
    zero = b"\x80" if frame.format.name.startswith("u8") else b"\x00"
    for plane in silence.planes:
        plane.update(zero * plane.buffer_size)
    return silence
