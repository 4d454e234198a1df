"""Make tiny real videos, and hostile files, for every test that needs bytes to work on."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
from av.container import OutputContainer
from av.stream import Disposition, Stream
from PIL import Image

os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 writes its configuration to stderr otherwise.
av.logging.set_level(None)

Pattern = Callable[[int, int, int], np.ndarray]
"""Draw frame `index` of a given width and height: RGB, uint8 (height, width, 3)."""

_PQ, _BT2020 = 16, 9
_SUBTITLE_CODECS = {".mkv": "subrip", ".webm": "webvtt"}
_FIXED_RATE = frozenset({"mpeg4", "mjpeg", "flv", "mpeg2video"})
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
    subtitle_languages: Sequence[str] = ("",),
    faststart: bool = True,
    hdr: bool = False,
    options: Mapping[str, str] | None = None,
) -> Path:
    """Write a video of `size` (width, height) coded pixels and return its path; the suffix chooses the container.

    `audio` names an encoder (aac, mp3, libopus, pcm_s16le …) for a tone of `tone_hz`, as long as the picture unless
    `audio_seconds` says otherwise, beginning `audio_delay_s` late. `rotation_deg` is what a player turns the picture
    by, clockwise. `times_s` gives every frame its own time (variable frame rate). `subtitles` are (start, end, text),
    written once for each of `subtitle_languages` (ISO 639-2, "" says none). `hdr` marks the picture as PQ in BT.2020.
    """
    suffix = path.suffix.lower()
    movflags = {"movflags": "+faststart"} if faststart and suffix in (".mp4", ".mov", ".m4v") else {}
    with av.open(str(path), "w", options={"strict": "experimental", **movflags, **(options or {})}) as container:
        container.metadata.update(tags or {})
        picture = _picture_stream(container, codec, size, fps, pix_fmt, rotation_deg, aspect)
        if hdr:
            context = picture.codec_context
            context.color_trc, context.color_primaries, context.colorspace = _PQ, _BT2020, _BT2020
        sound = _sound_stream(container, audio) if audio else None
        tracks = [_subtitle_stream(container, suffix, name) for name in subtitle_languages] if subtitles else []
        container.start_encoding()
        times = list(times_s) if times_s is not None else [i / fps for i in range(max(1, round(seconds * fps)))]
        _encode_picture(container, picture, pattern, size, times)
        if sound is not None and audio_seconds != 0:
            length = (times[-1] + 1 / fps) if audio_seconds is None else audio_seconds
            _encode_sound(container, sound, tone_hz, length, audio_delay_s)
        for start_s, end_s, words in subtitles:
            for text in tracks:
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
    stream.codec_context.time_base = Fraction(
        1, 1000 if codec not in ("mpeg4", "mjpeg", "flv", "mpeg1video", "mpeg2video") else fps
    )
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


def _subtitle_stream(container: OutputContainer, suffix: str, language: str) -> Stream:
    stream = container.add_mux_stream(_SUBTITLE_CODECS.get(suffix, "mov_text"))
    if language:
        stream.metadata["language"] = language
    return stream


def _write_subtitle(container: OutputContainer, stream: Stream, start_s: float, end_s: float, text: bytes) -> None:
    mov_text = container.format.name in ("mp4", "mov", "ipod")
    packet = av.Packet(len(text).to_bytes(2, "big") + text if mov_text else text)
    packet.stream, packet.time_base = stream, Fraction(1, 1000)
    packet.pts = packet.dts = round(start_s * 1000)
    packet.duration = round((end_s - start_s) * 1000)
    container.mux(packet)


@dataclass(frozen=True, slots=True)
class HostileFile:
    """A file that a person might drop, by mistake or on purpose."""

    name: str
    """The name it claims to have. Text only: the file itself lies under a safe path."""
    path: Path
    expected: Literal["ready", "failed"]


_HOSTILE_NAMES = (
    "../escape.mp4",
    "../../../../etc/passwd.mp4",
    "..\\..\\windows\\system32.mp4",
    "🎬🔥 dancing 👩‍🚀 cat.mp4",
    "x" * 251 + ".mp4",
    "ü" * 125 + ".mp4",
    "<img src=x onerror=alert(1)>.mp4",
    "'; DROP TABLE jobs; --.mp4",
    'say "cheese" & `run` $(this).mp4',
    "two\nlines\r\nof name.mp4",
    "-rf --help.mp4",
    "\u202egpj.4pm.mp4",
    "bell\x07 escape\x1b[31m red.mp4",
    "%2e%2e%2fescaped%20name.mp4",
    "[link](javascript:alert(1)) **bold**.mp4",
    ".mp4",
    "no suffix at all",
    "   .mp4",
)


def hostile_files(folder: Path) -> list[HostileFile]:
    """Write more than 50 hostile files into `folder` and say how each must end; no two have the same content."""
    makers = [*_not_videos(), *_broken_videos(), *_odd_videos()]
    files = []
    for index, (name, expected, make) in enumerate(makers):
        path = folder / f"{index:02d}{Path(name).suffix}"
        make(path)
        files.append(HostileFile(name, path, expected))
    for index, name in enumerate(_HOSTILE_NAMES):
        path = folder / f"name_{index:02d}.mp4"
        make_video(path, seconds=1.5, pattern=plain(10 * index, 200 - 10 * index, 90))
        files.append(HostileFile(name, path, "ready"))
    return files


_Maker = tuple[str, Literal["ready", "failed"], Callable[[Path], object]]


def _not_videos() -> Iterator[_Maker]:
    def bytes_of(data: bytes) -> Callable[[Path], object]:
        return lambda path: path.write_bytes(data)

    def picture(kind: str) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(moving_bars(0, 64, 48)).save(buffer, kind)
        return buffer.getvalue()

    noise = np.random.default_rng(1)
    ftyp = b"\0\0\0\x18ftypisom\0\0\2\0isommp41"
    yield "empty.mp4", "failed", bytes_of(b"")
    yield "notes.mp4", "failed", bytes_of(b"Dear diary, this is not a video.\n" * 50)
    yield "page.webm", "failed", bytes_of(b"<!DOCTYPE html><html><body><video></video></body></html>")
    yield "drawing.mp4", "failed", bytes_of(b'<svg xmlns="http://www.w3.org/2000/svg" width="99999" height="99999"/>')
    yield "playlist.mp4", "failed", bytes_of(b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")
    yield "concat.mp4", "failed", bytes_of(b"ffconcat version 1.0\nfile /etc/passwd\n")
    yield "random.mp4", "failed", bytes_of(noise.bytes(5000))
    yield (
        "ftyp_random.mp4",
        "failed",
        bytes_of(ftyp + noise.bytes(5000)),
    )
    yield (
        "huge_box.mp4",
        "failed",
        bytes_of(ftyp + b"\xff\xff\xff\xffmoov\xff\xff\xff\xfftrak"),
    )
    yield "ebml.webm", "failed", bytes_of(b"\x1aE\xdf\xa3" + noise.bytes(3000))
    yield "png.mp4", "failed", bytes_of(picture("PNG"))
    yield "jpeg.mov", "failed", bytes_of(picture("JPEG"))
    yield "webp.mp4", "failed", bytes_of(picture("WEBP"))
    yield "still.gif", "failed", bytes_of(picture("GIF"))
    yield "bitmap.avi", "failed", bytes_of(picture("BMP"))
    yield "archive.mp4", "failed", _write_zip
    yield "song.mp3", "failed", lambda path: _write_sound(path, "mp3")
    yield "sound.mp4", "failed", lambda path: _write_sound(path, "pcm_s16le", kind="wav")
    yield "cover.m4a", "failed", lambda path: _write_sound(path, "aac", kind="mp4", cover=picture("JPEG"))


def _broken_videos() -> Iterator[_Maker]:
    yield "cut_no_index.mp4", "failed", lambda path: _cut(make_video(path, faststart=False), 0.7)
    yield "cut_early.mp4", "failed", lambda path: _cut(make_video(path, seconds=6), 0.25)
    yield "cut_late.mp4", "ready", lambda path: _cut(make_video(path, seconds=4, audio="aac"), 0.9)
    yield "cut.mkv", "ready", lambda path: _cut(make_video(path, seconds=6), 0.6)
    yield "cut_header.mkv", "failed", lambda path: _cut(make_video(path), 0.02)
    yield "garbage_tail.mkv", "ready", _with_garbage_tail
    yield "garbage_pictures.mp4", "failed", lambda path: _scramble(make_video(path, seconds=3), 0.0, 1.0)
    yield "garbage_middle.mp4", "ready", lambda path: _scramble(make_video(path, seconds=5), 0.5, 0.55)
    yield "one_frame.mp4", "failed", lambda path: make_video(path, times_s=[0])
    yield "half_second.mp4", "failed", lambda path: make_video(path, seconds=0.5)
    yield "two_pixels.mp4", "failed", lambda path: make_video(path, size=(2, 2))
    yield "flat.mp4", "failed", lambda path: make_video(path, size=(160, 8))
    yield "claims_65535_pixels.mp4", "ready", _with_huge_sample_entry
    yield "huge_jpegs.avi", "failed", _with_huge_jpegs
    yield "claims_hours.mp4", "ready", _with_long_header
    yield "encrypted.mp4", "failed", _encrypted


def _odd_videos() -> Iterator[_Maker]:
    bomb = "<script>alert(1)</script> **bold** [x](javascript:alert(1)) $\\frac{1}{0}$ " * 400
    yield "animated.gif", "ready", lambda path: make_video(path, codec="gif", size=(64, 48))
    yield "odd.avi", "ready", lambda path: make_video(path, codec="mpeg4", size=(161, 91))
    yield "endless.webm", "ready", lambda path: make_video(path, codec="libvpx", options={"live": "1"})
    yield "ten_bit.mkv", "ready", lambda path: make_video(path, codec="libx265", pix_fmt="yuv420p10le")
    yield "full_chroma.mp4", "ready", lambda path: make_video(path, pix_fmt="yuv444p")
    yield "motion_jpeg.avi", "ready", lambda path: make_video(path, codec="mjpeg", audio="pcm_s16le")
    yield "long_sound.mp4", "ready", lambda path: make_video(path, seconds=1.5, audio="aac", audio_seconds=6)
    yield "late_sound.mkv", "ready", lambda path: make_video(path, audio="ac3", audio_delay_s=0.8)
    yield "no_sound_packets.mp4", "ready", lambda path: make_video(path, audio="aac", audio_seconds=0)
    yield "portrait.mp4", "ready", lambda path: make_video(path, rotation_deg=90)
    yield "variable.mp4", "ready", lambda path: make_video(path, times_s=[0, 0.01, 0.5, 0.9, 0.95, 2.2, 2.3])
    yield (
        "late_picture.mkv",
        "ready",
        lambda path: make_video(path, times_s=[5 + i / 12 for i in range(24)], audio="aac"),
    )
    yield "title_bomb.mp4", "ready", lambda path: make_video(path, tags={"title": bomb, "comment": "a\x01b\u202ec"})
    yield "black.mp4", "ready", lambda path: make_video(path, pattern=plain(0, 0, 0))
    yield "stream.ts", "ready", lambda path: make_video(path, audio="aac")
    yield "old.flv", "ready", lambda path: make_video(path, codec="flv", audio="mp3")
    yield "old.wmv", "ready", lambda path: make_video(path, codec="wmv2", audio="wmav2")
    yield "old.mpg", "ready", lambda path: make_video(path, codec="mpeg2video", fps=25)
    yield "raw.h264", "ready", lambda path: make_video(path, seconds=5)


def _write_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("video.mp4", "inside")


def _write_sound(path: Path, codec: str, kind: str | None = None, cover: bytes | None = None) -> None:
    with av.open(str(path), "w", format=kind) as container:
        stream = _sound_stream(container, codec)
        art = container.add_mux_stream("mjpeg", width=64, height=48) if cover else None
        if art is not None:
            art.disposition = Disposition.attached_pic
        container.start_encoding()
        _encode_sound(container, stream, 330.0, 3.0, 0.0)
        if art is not None:
            packet = av.Packet(cover)
            packet.stream, packet.pts, packet.dts, packet.time_base = art, 0, 0, Fraction(1, 1000)
            container.mux(packet)


def _cut(path: Path, fraction: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * fraction)])


def _scramble(path: Path, start: float, end: float) -> None:
    """Overwrite a part of the picture data with noise, leaving the index as it is."""
    data = bytearray(path.read_bytes())
    first = data.index(b"mdat") + 4
    a, b = (first + int((len(data) - first) * part) for part in (start, end))
    data[a:b] = np.random.default_rng(4).bytes(b - a)
    path.write_bytes(data)


def _with_garbage_tail(path: Path) -> None:
    make_video(path, seconds=3)
    path.write_bytes(path.read_bytes() + np.random.default_rng(5).bytes(20_000))


def _with_huge_sample_entry(path: Path) -> None:
    """Declare 65535×65535 where MP4 says how large the picture is; the stream itself says the truth."""
    data = bytearray(make_video(path, seconds=1.7).read_bytes())
    entry = data.index(b"avc1", data.index(b"stsd"))
    data[entry + 28 : entry + 32] = b"\xff\xff\xff\xff"
    path.write_bytes(data)


def _with_huge_jpegs(path: Path) -> None:
    """Declare 65500×65500 in AVI's header and in every JPEG of it."""
    data = bytearray(make_video(path, codec="mjpeg").read_bytes())
    at = data.index(b"strf") + 8
    data[at + 4 : at + 12] = (65500).to_bytes(4, "little") * 2
    at = data.find(b"\xff\xc0")
    while at >= 0:
        data[at + 5 : at + 9] = (65500).to_bytes(2, "big") * 2
        at = data.find(b"\xff\xc0", at + 2)
    path.write_bytes(data)


def _with_long_header(path: Path) -> None:
    """Declare a hundred hours in the movie header of a video of two seconds."""
    data = bytearray(make_video(path, seconds=2.1).read_bytes())
    at = data.index(b"mvhd") + 4
    timescale = int.from_bytes(data[at + 12 : at + 16], "big")
    data[at + 16 : at + 20] = (timescale * 360_000).to_bytes(4, "big")
    path.write_bytes(data)


def _encrypted(path: Path) -> None:
    key = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "0123456789abcdef" * 2, "encryption_kid": "ab" * 16}
    make_video(path, options=key)


def frame_times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(container.streams.best("video"))]


def picture_at(path: Path, index: int) -> np.ndarray:
    """Return frame `index` as RGB, as coded."""
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number == index:
                return frame.to_ndarray(format="rgb24")
    raise AssertionError(f"{path} has no frame {index}")


def loud_spans(path: Path, least_gap_s: float = 0.1) -> list[tuple[float, float]]:
    """Return the spans in seconds in which a file's sound is heard."""
    times, levels = [], []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            samples = frame.to_ndarray().astype(np.float64)
            wave = samples[0] if frame.format.is_planar else samples[0][:: frame.layout.nb_channels]
            wave = wave / 32768 if frame.format.name.startswith("s16") else wave
            for start in range(0, len(wave) - 127, 128):
                times.append(frame.time + start / frame.sample_rate)
                levels.append(float(np.abs(wave[start : start + 128]).max()))
    loud = [time for time, level in zip(times, levels, strict=True) if level > 0.1]
    spans: list[list[float]] = []
    for time in loud:
        if spans and time - spans[-1][1] < least_gap_s:
            spans[-1][1] = time
        else:
            spans.append([time, time])
    return [(start, end) for start, end in spans]
