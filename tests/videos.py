"""Make tiny real videos, and hostile files, for every test that needs bytes to work on."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.stream import Stream

os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 writes its configuration to stderr otherwise.
av.logging.set_level(None)

Pattern = Callable[[int, int, int], np.ndarray]
"""Draw frame `index` of a given width and height: RGB, uint8 (height, width, 3)."""

_SUBTITLE_CODECS = {".mkv": "subrip", ".webm": "webvtt"}
_EVEN_CHROMA = {"yuv420p": 2, "yuv420p10le": 2, "yuvj420p": 2, "yuv422p10le": 2}


def moving_bars(index: int, width: int, height: int) -> np.ndarray:
    """Draw coloured bars that move to the right, with a bright top-left corner that tells rotations apart."""
    x = (np.arange(width) + 5 * index) * 8 // max(width, 1)
    picture = np.empty((height, width, 3), np.uint8)
    picture[...] = np.stack([x * 37 % 200, x * 91 % 200, x * 53 % 200], axis=-1)[None].astype(np.uint8)
    picture[: height // 4, : width // 4] = 255
    return picture


def plain(red: int, green: int, blue: int) -> Pattern:
    """Return a pattern of one colour that never changes."""

    def draw(index: int, width: int, height: int) -> np.ndarray:
        return np.full((height, width, 3), (red, green, blue), np.uint8)

    return draw


def make_video(
    path: Path,
    *,
    seconds: float = 2.0,
    size: tuple[int, int] = (160, 90),
    fps: int = 12,
    codec: str = "libx264",
    pix_fmt: str | None = None,
    pattern: Pattern = moving_bars,
    audio: str | None = None,
    tone_hz: float = 440.0,
    audio_seconds: float | None = None,
    audio_delay_s: float = 0.0,
    tags: Mapping[str, str] | None = None,
    rotation_deg: int = 0,
    aspect: Fraction | None = None,
    times_s: Sequence[float] | None = None,
    subtitles: Sequence[tuple[float, float, str]] = (),
    faststart: bool = True,
    options: Mapping[str, str] | None = None,
) -> Path:
    """Write a video of `size` (width, height) coded pixels and return its path; the suffix chooses the container.

    `audio` names an encoder (aac, mp3, libopus, pcm_s16le …) for a tone of `tone_hz`, as long as the picture unless
    `audio_seconds` says otherwise, beginning `audio_delay_s` late. `rotation_deg` is what a player turns the picture
    by, clockwise. `times_s` gives every frame its own time (variable frame rate). `subtitles` are (start, end, text).
    """
    suffix = path.suffix.lower()
    movflags = {"movflags": "+faststart"} if faststart and suffix in (".mp4", ".mov", ".m4v") else {}
    with av.open(str(path), "w", options={"strict": "experimental", **movflags, **(options or {})}) as container:
        container.metadata.update(tags or {})
        picture = _picture_stream(container, codec, size, fps, pix_fmt, rotation_deg, aspect)
        sound = _sound_stream(container, audio) if audio else None
        text = container.add_mux_stream(_SUBTITLE_CODECS.get(suffix, "mov_text")) if subtitles else None
        container.start_encoding()
        times = list(times_s) if times_s is not None else [i / fps for i in range(max(1, round(seconds * fps)))]
        _encode_picture(container, picture, pattern, size, times)
        if sound is not None:
            length = (times[-1] + 1 / fps) if audio_seconds is None else audio_seconds
            _encode_sound(container, sound, tone_hz, length, audio_delay_s)
        for start_s, end_s, words in subtitles:
            _write_subtitle(container, text, start_s, end_s, words.encode())
    return path


def _picture_stream(
    container: OutputContainer,
    codec: str,
    size: tuple[int, int],
    fps: int,
    pix_fmt: str | None,
    rotation_deg: int,
    aspect: Fraction | None,
) -> av.VideoStream:
    stream = container.add_stream(codec, rate=fps)
    stream.width, stream.height = size
    wanted = pix_fmt or {"mjpeg": "yuvj420p", "gif": "rgb8", "prores_ks": "yuv422p10le"}.get(codec, "yuv420p")
    odd = any(side % _EVEN_CHROMA.get(wanted, 1) for side in size) and codec.startswith("libx26")
    stream.pix_fmt = "yuv444p" if odd else wanted
    stream.codec_context.time_base = Fraction(1, 1000 if codec not in ("mpeg4", "mjpeg", "flv", "mpeg1video", "mpeg2video") else fps)
    stream.codec_context.thread_count = 1
    if codec == "libx264":
        stream.options = {"preset": "ultrafast", "crf": "28"}
    if codec == "libx265":
        stream.options = {"preset": "ultrafast", "x265-params": "log-level=none:pools=1"}
    if codec in ("libvpx", "libvpx-vp9"):
        stream.options = {"deadline": "realtime", "cpu-used": "8"}
    if codec == "libsvtav1":
        stream.options = {"preset": "12", "svtav1-params": "lp=1"}
    if aspect is not None:
        stream.codec_context.sample_aspect_ratio = aspect
    if rotation_deg:
        stream.set_display_rotation(-rotation_deg)
    return stream


def _sound_stream(container: OutputContainer, codec: str) -> av.AudioStream:
    rate = 48000 if codec in ("libopus", "opus") else 44100
    stream = container.add_stream(codec, rate=rate)
    stream.layout = "stereo"
    stream.bit_rate = 96_000
    return stream


def _encode_picture(
    container: OutputContainer,
    stream: av.VideoStream,
    pattern: Pattern,
    size: tuple[int, int],
    times_s: Sequence[float],
) -> None:
    for index, time_s in enumerate(times_s):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pattern(index, *size)), format="rgb24")
        frame.time_base = stream.codec_context.time_base
        frame.pts = round(time_s / frame.time_base)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _encode_sound(
    container: OutputContainer, stream: av.AudioStream, tone_hz: float, seconds: float, delay_s: float
) -> None:
    rate = stream.rate
    wave = 0.4 * np.sin(2 * np.pi * tone_hz * np.arange(round(seconds * rate)) / rate)
    samples = np.ascontiguousarray(np.stack([wave, wave]).astype(np.float32))
    tone = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
    tone.sample_rate = rate
    tone.pts = 0
    size = stream.codec_context.frame_size or 1024
    resampler = av.AudioResampler(format=stream.format, layout="stereo", rate=rate, frame_size=size)
    pts = round(delay_s * rate)
    for frame in [*resampler.resample(tone), *resampler.resample(None)]:
        frame.pts, frame.time_base = pts, Fraction(1, rate)
        pts += frame.samples
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _write_subtitle(container: OutputContainer, stream: Stream, start_s: float, end_s: float, text: bytes) -> None:
    mov_text = container.format.name in ("mp4", "mov", "ipod")
    packet = av.Packet(len(text).to_bytes(2, "big") + text if mov_text else text)
    packet.stream, packet.time_base = stream, Fraction(1, 1000)
    packet.pts = packet.dts = round(start_s * 1000)
    packet.duration = round((end_s - start_s) * 1000)
    container.mux(packet)
