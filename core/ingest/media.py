"""Check video files, make copies a browser can play, take posters and single frames: the home of PyAV.

    inspect ─► MediaInfo (playable: as-is | remux | transcode) ─► make_playable ─► write_poster

Nothing a file says of itself is believed: its kind is read from its bytes, its length from its packets, and a few
frames of it are decoded before it is accepted. Everything that goes wrong in FFmpeg comes out as MediaError.

Only demuxers that read one file are allowed (`_DEMUXERS`): a playlist named .mp4 must not make the server open
addresses or files that its author chose.

`playable`, by what Chromium plays:
- as-is: MP4 with H.264 (8 bit, 4:2:0) and AAC, MP3 or no sound, or VP9 or AV1; WebM with VP8, VP9 or AV1 and Vorbis or
  Opus. Both complete, with their index in front (MP4) or a duration (WebM).
- remux: the same codecs in another container, or with sound that only needs to become AAC, or an MP4 whose index lies
  at the end. Such a file would play, but only after the browser has fetched its end; copying 30 MB takes 0.07 s, once.
- transcode: everything else.
"""

from __future__ import annotations

import hashlib
import html
import os
import re
import time
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from av.stream import Discard, Disposition, Stream
from PIL import Image

from core.errors import MediaError
from core.languages import language_code
from core.models import MediaInfo, Progress, ignore_progress

MIN_DURATION_S = 1.0
MAX_DURATION_S = 24 * 3600.0
MAX_STILL_S = 600.0
"""The longest that one picture may stand: beyond a long slide, it is a broken clock."""
LAST_FRAME_S = 1.0
"""The longest that a last frame is shown which does not say how long."""
MIN_SIDE_PX = 16
MAX_SIDE_PX = 8192
PLAYABLE_SIDE_PX = 1920
PLAYABLE_FPS = 60
POSTER_WIDTH_PX = 640
MAX_SUBTITLE_CHARS = 200_000
MAX_TAG_CHARS = 2_000
MAX_TITLE_CHARS = 120
UNTITLED = "Untitled video"

# PyAV sends FFmpeg's log nowhere by default; say it, because a level set elsewhere would fill stderr and, from FFmpeg's
# own threads, contend for the GIL.
av.logging.set_level(None)

_MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
_VIDEO_DEMUXERS = (
    f"{_MP4},matroska,webm,avi,flv,live_flv,mpegts,mpeg,mpegvideo,asf,ogg,gif,apng,mxf,nut,rm,ivf,h264,hevc,av1,obu,"
    "m4v,dv,gxf,wtv,yuv4mpegpipe,nsv,vc1"
)
_SOUND_DEMUXERS = "mp3,wav,w64,flac,aac,aiff,amr,ac3,eac3,caf,ape,wv"
_DEMUXERS = f"{_VIDEO_DEMUXERS},{_SOUND_DEMUXERS}"
_MAX_PIXELS = str(MAX_SIDE_PX * MAX_SIDE_PX)
_TIMEOUT_S = (20, 30)
"""To open a file, and to read one packet of it. A local file that takes longer is built to hang us."""
_SAME_TIME_S = 0.001
"""Times are rounded to the clocks of containers; Matroska's ticks a thousand times a second."""
_STEPS_BACK_S = (0.0, 2.0, 15.0, 120.0, float("inf"))
"""How far before a time to begin decoding: broadcasts are not always sought to a frame that decodes by itself."""
_FRAME_TIMEOUT_S = 15.0
"""To find one frame, wherever the video lies: a person waits for it."""

_BROKEN = (av.error.FFmpegError, ValueError, OverflowError)
"""What PyAV raises over bad bytes; ValueError includes UnicodeError."""
_DEMUX_ENDS = (*_BROKEN, IndexError)
"""PyAV 18's demux raises IndexError at the end of a file in which new streams turned up on the way."""

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
_HDR_TRANSFERS = frozenset({16, 18})
"""AVCOL_TRC_SMPTE2084 (PQ) and AVCOL_TRC_ARIB_STD_B67 (HLG)."""
_BT709 = 1
_LIMITED_RANGE = 1
_AAC_RATES = frozenset({48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000})
_PICTURE_CLOCK = Fraction(1, 90_000)

_NOT_A_VIDEO = (
    "This file cannot be opened as a video: it is damaged, or something else under a video's name. "
    "Export or download it again."
)
_NOT_FETCHED = (
    "This video cannot be fetched from where it is kept: nothing answers there, or it is gone. Try again in a moment."
)
_BROKEN_FILE = "This file is damaged and cannot be read as a video. Export or download it again."


# Checking ------------------------------------------------------------------------------------------------------------


def inspect(path: Path, *, max_bytes: int | None = None, sidecars: Sequence[Path] = ()) -> MediaInfo:
    """Return what a file really holds, or raise MediaError with a sentence that says why it is refused.

    Reads every packet once and decodes a handful of frames at the start, middle and end. `sidecars` are subtitle files
    (.srt, .vtt, .ass); those lying beside `path` under the same stem are found without being named.
    """
    size_bytes, head = _checked_bytes(path, max_bytes)
    with _opened(path) as container:
        picture = _picture_of(container)
        tags = _tags_of(container, picture)
        tracks = [stream.metadata.get("language", "") for stream in container.streams.subtitles]
        survey = _survey(container, picture)
    _check_length(survey)
    with _opened(path) as container:
        picture, sound = _picture_of(container), _sound_of(container)
        look = _look(container, picture, survey)
        kind = _container_name(container, head)
        sound_codec = sound.codec_context.codec.canonical_name if sound is not None else None
        sound_is_broken = len(container.streams.audio) > 0 and sound is None
        sized = kind != "webm" or container.duration is not None
    width_px, height_px = _displayed_size(look.width_px, look.height_px, look.aspect, look.rotation_deg)
    ready = survey.complete and not sound_is_broken and sized and (kind != "mp4" or _starts_fast(path))
    return MediaInfo(
        duration_s=survey.duration_s,
        size_bytes=size_bytes,
        width_px=width_px,
        height_px=height_px,
        rotation_deg=look.rotation_deg,
        fps=survey.fps,
        container=kind,
        video_codec=look.codec,
        audio_codec=sound_codec,
        playable=_playable(kind, look.codec, look.pixels, sound_codec, ready=ready),
        tags=tags,
        subtitles=_subtitle_text(survey.cues, _sidecars_of(path, sidecars)),
        subtitle_languages=_languages_of([*tracks, *_sidecar_languages(path, sidecars)]),
    )


def sha256(path: Path, on_progress: Progress = ignore_progress) -> str:
    """Return the SHA-256 of a file's bytes in hex. Raises MediaError when it cannot be read."""
    digest, done = hashlib.sha256(), 0
    try:
        total = max(1, path.stat().st_size)
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
                done += len(chunk)
                on_progress(min(1.0, done / total))
    except OSError as error:
        raise MediaError(_unreadable(error)) from error
    return digest.hexdigest()


def _checked_bytes(path: Path, max_bytes: int | None) -> tuple[int, bytes]:
    """Return a file's size and first 4 kB, once it is sure that they may be a video's."""
    try:
        if path.is_dir():
            raise MediaError("This is a folder, not a video file. Add the files in it.")
        size_bytes = path.stat().st_size
        if size_bytes == 0:
            raise MediaError("This file is empty (zero bytes). Export or download it again.")
        if max_bytes is not None and size_bytes > max_bytes:
            raise MediaError(
                f"This file is {size_bytes / 1e6:,.1f} MB, over the limit of {max_bytes / 1e6:,.1f} MB. "
                "Shorten or compress it, or raise MAX_UPLOAD_MB."
            )
        with path.open("rb") as file:
            head = file.read(4096)
    except FileNotFoundError as error:
        raise MediaError("This file does not exist any more. Add it again.") from error
    except (OSError, ValueError) as error:
        raise MediaError(_unreadable(error)) from error
    if kind := _other_kind(head):
        raise MediaError(f"This is {kind}, not a video, whatever its name says. Add a video file.")
    return size_bytes, head


def _unreadable(error: OSError | ValueError) -> str:
    return f"This file cannot be read ({getattr(error, 'strerror', None) or error}). Check its permissions."


_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"8BPS", "a Photoshop picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or office document"),
    (b"\x1f\x8b", "a compressed archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3", "a database"),
)
_STILL_BRANDS = frozenset({b"heic", b"heix", b"mif1", b"avif"})


def _other_kind(head: bytes) -> str | None:
    """Name what a file is by its first bytes, if that is certainly not a video."""
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            # An animated PNG is a film of PNG pictures; its control chunk comes before the first of them.
            return None if kind == "a PNG picture" and b"acTL" in head[:1024] else kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "a WebP picture"
    if head[4:8] == b"ftyp" and head[8:12] in _STILL_BRANDS:
        return "a HEIC or AVIF picture"
    return _text_kind(head)


def _text_kind(head: bytes) -> str | None:
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    text = head.decode(encoding, errors="replace").removesuffix("�").lstrip("\ufeff \t\r\n").lower()
    if (
        text.startswith("yuv4mpeg2")
        or "�" in text
        or any(ord(char) < 32 and char not in "\t\r\n\f\x1b" for char in text)
    ):
        return None
    if "<svg" in text:
        return "an SVG drawing"
    if text.startswith(("<!doctype html", "<html")):
        return "a web page"
    return "a playlist" if text.startswith("#extm3u") else "a text file"


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    """Open a file for reading; whatever FFmpeg raises while it is open comes out as MediaError."""
    options = {"format_whitelist": _DEMUXERS, "protocol_whitelist": "file", "max_pixels": _MAX_PIXELS}
    try:
        container = av.open(str(path.absolute()), options=options, metadata_errors="ignore", timeout=_TIMEOUT_S)
    except _BROKEN as error:
        raise MediaError(_NOT_A_VIDEO) from error
    try:
        with container:
            yield container
    except av.error.TimeoutError as error:
        raise MediaError("Reading this file takes far too long; it seems damaged. Export it again.") from error
    except _BROKEN as error:
        raise MediaError(_BROKEN_FILE) from error


def _picture_of(container: InputContainer) -> av.VideoStream:
    """Return the stream with the moving picture, ready to decode. Raises MediaError when there is none."""
    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not moving:
        if container.streams.video or container.streams.audio:
            raise MediaError("This file has sound but no moving picture. Add a video file.")
        raise MediaError("There is no video in this file. Add a video file.")
    best = container.streams.best("video")
    picture = best if best in moving else moving[0]
    if picture.codec_context is None:
        raise MediaError("This video's format cannot be decoded here. Convert it to MP4 (H.264) and try again.")
    _check_sides(picture.codec_context.width, picture.codec_context.height)
    picture.codec_context.options = {"max_pixels": _MAX_PIXELS}
    picture.thread_type = "AUTO"
    return picture


def _check_sides(width_px: int, height_px: int) -> None:
    if width_px == 0 or height_px == 0:
        raise MediaError(_BROKEN_FILE)
    if min(width_px, height_px) < MIN_SIDE_PX:
        raise MediaError(
            f"The picture is {width_px}×{height_px} pixels; at least {MIN_SIDE_PX} a side are needed. "
            "Add a larger version."
        )
    if max(width_px, height_px) > MAX_SIDE_PX:
        raise MediaError(
            f"The picture claims to be {width_px}×{height_px} pixels; at most {MAX_SIDE_PX} a side are allowed. "
            "Add a smaller version."
        )


def _sound_of(container: InputContainer) -> av.AudioStream | None:
    """Return the sound stream to play, or None when there is none that decodes."""
    best = container.streams.best("audio")
    streams = [best] if best is not None else []
    streams += [stream for stream in container.streams.audio if stream is not best]
    for stream in streams:
        context = stream.codec_context
        if context is not None and stream.rate and context.channels:
            return stream
    return None


@dataclass(slots=True)
class _Survey:
    """What the packets of a file add up to. Times count from the first packet of picture or sound."""

    packets: int = 0
    unstamped: int = 0
    """Packets without a time of their own, as in raw streams and some broadcasts."""
    start_s: float = 0.0
    duration_s: float = 0.0
    longest_gap_s: float = 0.0
    fps: float = 0.0
    promised: int = 0
    """Frames the container's index lists; 0 where it has none."""
    failed: bool = False
    """Packets were broken, or reading ended in an error instead of at the end."""
    cues: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return not self.failed and self.packets >= self.promised


def _survey(container: InputContainer, picture: av.VideoStream) -> _Survey:
    """Read all packets of the picture and the text, decoding text only."""
    texts = [s for s in container.streams.subtitles if s.codec_context is not None]
    wanted = {picture.index, *(stream.index for stream in texts)}
    for stream in container.streams:
        stream.discard = Discard.default if stream.index in wanted else Discard.all
    # Only MP4's index is to be trusted: AVI's also counts the frames that were left out.
    survey = _Survey(promised=picture.frames if container.format.name == _MP4 else 0)
    survey.start_s = _start_of(container, picture)
    first, last, end = float("inf"), float("-inf"), float("-inf")
    cue_chars = 0
    try:
        for packet in container.demux(picture, *texts):
            if packet.stream is picture:
                stamp = packet.pts if packet.pts is not None else packet.dts
                if not packet.size:
                    continue
                if packet.is_corrupt:
                    survey.failed = True
                    continue
                if packet.has_sidedata("encryption_info"):
                    raise MediaError("This video is encrypted (copy-protected). Add a copy without protection.")
                survey.packets += 1
                if stamp is None:
                    survey.unstamped += 1
                else:
                    time_s = float(stamp * packet.time_base)
                    survey.longest_gap_s = max(survey.longest_gap_s, time_s - last if survey.packets > 1 else 0.0)
                    first, last = min(first, time_s), max(last, time_s)
                    end = max(end, time_s + float((packet.duration or 0) * packet.time_base))
            elif cue_chars < MAX_SUBTITLE_CHARS:
                words = _cue_of(packet)
                cue_chars += len(words)
                survey.cues.append(words)
    except _DEMUX_ENDS:
        survey.failed = True  # A truncated file ends like this; what came before it counts.
    _measure(survey, float(picture.average_rate or picture.guessed_rate or 25), first, last, end)
    return survey


def _measure(survey: _Survey, rate: float, first: float, last: float, end: float) -> None:
    """Work out duration and frame rate from the times seen, in seconds, and the rate that the container claims."""
    if last <= first:  # No times at all: what is known is how many frames there are.
        survey.fps, survey.duration_s = rate, survey.packets / rate
        return
    step = min(LAST_FRAME_S, (last - first) / max(1, survey.packets - 1))
    span = (end if end > last else last + step) - first
    if survey.unstamped:
        span = max(span, survey.packets / rate)
    survey.start_s = min(first, survey.start_s)
    survey.longest_gap_s = max(survey.longest_gap_s, first - survey.start_s)
    survey.duration_s = first + span - survey.start_s
    measured = survey.packets / span
    survey.fps = rate if abs(rate / measured - 1) < 0.1 else measured


def _start_of(container: InputContainer, picture: av.VideoStream) -> float:
    """Return the time in seconds at which the first of picture and sound begins, which a player shows as 0:00."""
    starts = [
        float(stream.start_time * stream.time_base)
        for stream in (picture, _sound_of(container))
        if stream is not None and stream.start_time is not None
    ]
    return min(starts, default=0.0)


def _check_length(survey: _Survey) -> None:
    if survey.packets == 0:
        raise MediaError("There is no picture data in this file; it seems cut off. Export or download it again.")
    if survey.promised > 1 and survey.packets < survey.promised / 2:
        raise MediaError(
            f"This file is cut off: only {survey.packets} of its {survey.promised} frames are there. "
            "Export or download it again."
        )
    if survey.packets == 1:
        raise MediaError("This file holds a single still picture, not a video. Add a video file.")
    if survey.duration_s < MIN_DURATION_S - 0.01:
        raise MediaError(
            f"This video lasts {survey.duration_s:.2f} seconds; at least 1 second is needed. Add a longer one."
        )
    if survey.duration_s > MAX_DURATION_S:
        raise MediaError(
            f"This video claims to last {survey.duration_s / 3600:,.0f} hours; at most 24 are allowed. "
            "Cut it into parts."
        )
    if survey.longest_gap_s > MAX_STILL_S:
        raise MediaError(
            f"No new picture comes for {survey.longest_gap_s / 60:,.0f} minutes in this video; its times are damaged. "
            "Export it again."
        )


@dataclass(frozen=True, slots=True)
class _Look:
    """What the decoded frames say. Sizes are as coded, before rotation."""

    width_px: int
    height_px: int
    aspect: Fraction | None
    rotation_deg: int
    """How far a player turns the picture, clockwise: 0, 90, 180 or 270."""
    codec: str
    pixels: str


def _look(container: InputContainer, picture: av.VideoStream, survey: _Survey) -> _Look:
    """Decode a few frames at the start, middle and end. Raises MediaError when they do not decode."""
    frames, _ = _decode_some(container, picture, most=2)
    later = [_decodes_at(container, picture, survey.start_s + part * survey.duration_s) for part in (0.5, 0.9)]
    if len(frames) < 2 or (False in later and True not in later):
        raise MediaError("The pictures in this file do not decode; it is damaged or encrypted. Export it again.")
    frame = frames[0]
    _check_sides(frame.width, frame.height)
    return _Look(
        width_px=frame.width,
        height_px=frame.height,
        aspect=picture.sample_aspect_ratio,
        rotation_deg=round(-frame.rotation / 90) * 90 % 360,
        codec=picture.codec_context.codec.canonical_name,
        pixels=frame.format.name,
    )


def _decodes_at(container: InputContainer, picture: av.VideoStream, time_s: float) -> bool | None:
    """Say whether a frame decodes after a time; None where no key frame follows that it could start from."""
    if not _seek(container, time_s):
        return None
    frames, keys = _decode_some(container, picture, most=1)
    return True if frames else (False if keys else None)


def _decode_some(
    container: InputContainer, picture: av.VideoStream, most: int, packets: int = 200
) -> tuple[list[av.VideoFrame], int]:
    """Return up to `most` frames from here on, and how many key frames were met; gives up after so many packets."""
    frames: list[av.VideoFrame] = []
    keys = 0
    try:
        for index, packet in enumerate(container.demux(picture)):
            keys += packet.is_keyframe
            frames += _decoded(packet)
            if len(frames) >= most or index >= packets:
                break
    except _DEMUX_ENDS:
        return frames, keys  # The file ends here; what was decoded before counts.
    return frames[:most], keys


def _decoded(packet: av.Packet) -> list[av.VideoFrame]:
    """Return the frames of a packet, none when it is damaged: decoders recover at the next key frame."""
    try:
        return packet.decode()
    except _BROKEN:
        return []


def _seek(container: InputContainer, time_s: float) -> bool:
    """Go to the key frame at or before a time; False where the file cannot be sought in."""
    try:
        container.seek(int(time_s * av.time_base))
    except _BROKEN:
        return False
    return True


def _displayed_size(width_px: int, height_px: int, aspect: Fraction | None, rotation_deg: int) -> tuple[int, int]:
    """Return width and height on screen: pixels made square by enlarging, then turned."""
    # A hundredth is a rounded display size, not a shape; beyond four times it is a broken header.
    if aspect is not None and Fraction(1, 4) <= aspect <= 4 and abs(aspect - 1) > Fraction(1, 100):
        if aspect > 1:
            width_px = round(width_px * aspect)
        else:
            height_px = round(height_px / aspect)
    return (height_px, width_px) if rotation_deg % 180 else (width_px, height_px)


def _container_name(container: InputContainer, head: bytes) -> str:
    """Return a container's usual name; FFmpeg reads MP4 and MOV, and Matroska and WebM, with one demuxer each."""
    name = container.format.name
    if name == _MP4:
        return "mov" if container.metadata.get("major_brand", "qt").strip() == "qt" else "mp4"
    if name == "matroska,webm":
        return "webm" if b"webm" in head[:64] else "matroska"
    return name.partition(",")[0]


def _starts_fast(path: Path) -> bool:
    """Say whether an MP4 has its index (moov) before its data (mdat), and is not cut in fragments (moof)."""
    with path.open("rb") as file:
        for _ in range(64):
            header = file.read(16)
            if len(header) < 8:
                return False
            size, name = int.from_bytes(header[:4], "big"), header[4:8]
            if name in (b"mdat", b"moof"):
                return False
            if name == b"moov":
                return b"mvex" not in file.read(min(size, 1 << 20))
            size = int.from_bytes(header[8:16], "big") if size == 1 else size
            if not 8 <= size < 1 << 62:
                return False
            file.seek(size - len(header), os.SEEK_CUR)
    return False


def _playable(
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


# Words ---------------------------------------------------------------------------------------------------------------

_TAG_KEYS = frozenset(
    "title description synopsis summary comment genre keywords subject artist album album_artist performer director "
    "composer author show network episode_id category date copyright lyrics".split()
)
"""Tags that describe. Others are technical, or private (where it was filmed)."""

_LANGUAGE = re.compile(r"-[a-z]{3}$")


def _tags_of(container: InputContainer, picture: Stream) -> dict[str, str]:
    """Return the describing tags, keys in lower case, values on one line. Ogg keeps its tags in the stream."""
    found: dict[str, str] = {}
    tags = {**picture.metadata, **container.metadata} if container.format.name == "ogg" else container.metadata
    for key, value in tags.items():
        name = _LANGUAGE.sub("", key.lower().rpartition("apple.quicktime.")[2])
        text = _clean(value[: 2 * MAX_TAG_CHARS])[:MAX_TAG_CHARS].rstrip()
        if name in _TAG_KEYS and text:
            found.setdefault(name, text)
    return found


def _clean(text: str) -> str:
    """Return text on one line without control characters, direction overrides and broken bytes; emoji stay."""
    kept = []
    for char in unicodedata.normalize("NFC", text):
        kind = unicodedata.category(char)
        if char.isspace() or kind == "Cc":
            kept.append(" ")
        elif kind not in ("Cs", "Co", "Cn") and char != "�" and (kind != "Cf" or char == "\u200d"):
            kept.append(char)
    return " ".join("".join(kept).split())


_EXTENSION = re.compile(r"\.(?=[a-z0-9]*[a-z])[a-z0-9]{2,5}$", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NO_TITLE = re.compile(
    r"(untitled|unnamed|no ?title|video|movie|film|clip|output|out|export|render|sequence|timeline|project|composition|"
    r"comp|new project|my movie|my video|core media video|default|test|title|undefined|null|none|n/a|"
    r"(img|mov|vid|dsc|dscn|dscf|gopr|mvi|pxl|dji|wp|screen recording)[ _-]?[\d _-]+)[ _-]*\d*",
    re.IGNORECASE,
)


def title_of(filename: str, tags: Mapping[str, str]) -> str:
    """Return the container's title if it means something, else a title made from the file's name. Never empty."""
    tagged = _clean(tags.get("title", "")[: 4 * MAX_TITLE_CHARS])
    if _says_something(tagged) and not _NO_TITLE.fullmatch(tagged):
        return _shortened(tagged if " " in tagged or not _EXTENSION.search(tagged) else _title_from_name(tagged))
    return _shortened(_title_from_name(filename))


def _title_from_name(filename: str) -> str:
    name = re.split(r"[/\\]", unquote(filename, errors="ignore").rstrip("/\\"))[-1]
    name = _EXTENSION.sub("", _clean(name))
    if " " not in name:  # With spaces, a person wrote it: dashes and dots are theirs.
        name = re.sub(r"[-.+]+", " ", name)
    words = [part for word in name.replace("_", " ").split() for part in _camel_words(word)]
    text = " ".join(words).strip(" -–—._·,")
    return text[:1].upper() + text[1:] if _says_something(text) else UNTITLED


def _camel_words(word: str) -> list[str]:
    """Split bigBuckBunny into big, buck, bunny; capitals of their own (NASA) stay."""
    parts = _CAMEL.split(word)
    return parts if len(parts) == 1 else [part if part.isupper() and len(part) > 1 else part.lower() for part in parts]


def _says_something(text: str) -> bool:
    return any(char.isalnum() or unicodedata.category(char) == "So" for char in text)


def _shortened(text: str) -> str:
    if len(text) <= MAX_TITLE_CHARS:
        return text
    cut = text[: MAX_TITLE_CHARS - 1]
    return (cut.rpartition(" ")[0] if " " in cut[MAX_TITLE_CHARS // 2 :] else cut).rstrip() + "…"


_SIDECAR_SUFFIXES = (".srt", ".vtt", ".ass", ".ssa")
_SIDECAR_LANGUAGE = re.compile(
    r"\.([a-z]{2,3}(?:[-_][a-z0-9]{2,8})?)(?:\.(?:cc|forced|sdh))?\.(?:srt|vtt|ass|ssa)\Z", re.IGNORECASE
)
"""How players name them: film.en.srt, film.pt-BR.vtt, film.en.forced.srt."""
_NO_SIDECAR_LANGUAGES = frozenset({"cc", "sdh"})
_MARKUP = re.compile(r"\{[^{}]{0,400}\}|<[^<>]{0,400}>")
_ASS_FIELDS_BEFORE_TEXT = 9


def _cue_of(packet: av.Packet) -> str:
    """Return the words of one embedded subtitle, "" for a picture or a damaged one."""
    try:
        shown = packet.decode() if packet.size else []
    except _BROKEN:
        return ""
    return " ".join(
        sub.dialogue.decode("utf-8", errors="ignore")
        for sub in shown
        if isinstance(sub, av.subtitles.subtitle.AssSubtitle)
    )


def _sidecars_of(path: Path, given: Sequence[Path]) -> list[Path]:
    beside = [path.with_suffix(suffix) for suffix in _SIDECAR_SUFFIXES]
    return list(dict.fromkeys([*given, *(file for file in beside if file.is_file())]))


def _sidecar_languages(path: Path, given: Sequence[Path]) -> list[str]:
    """Return the languages that the names of subtitle files claim, those beside a video under its stem included."""
    try:
        beside = sorted(name for name in os.listdir(path.parent) if name.startswith(path.stem + "."))
    except OSError:
        beside = []  # A folder may be closed to listing and its videos still be read.
    names = [
        *(_SIDECAR_LANGUAGE.search(file.name) for file in given),
        *(_SIDECAR_LANGUAGE.match(name, len(path.stem)) for name in beside),
    ]
    codes = [found[1].lower().replace("_", "-") for found in names if found]
    return [code for code in codes if code not in _NO_SIDECAR_LANGUAGES]


def _languages_of(claims: Sequence[str]) -> tuple[str, ...]:
    """Return the languages that tracks and files claim, each once; what is no code, or says "unknown", is left out."""
    return tuple(dict.fromkeys(code for code in map(language_code, claims) if code))


def _subtitle_text(cues: Sequence[str], sidecars: Sequence[Path]) -> str:
    """Return all subtitles as plain text, a line a cue, repeated lines once."""
    lines: list[str] = []
    for line in [*cues, *(cue for file in sidecars for cue in _sidecar_cues(file))]:
        text = _clean(html.unescape(_MARKUP.sub(" ", line.replace("\\N", " ").replace("\\n", " ").replace("\\h", " "))))
        if text and (not lines or lines[-1] != text):
            lines.append(text)
    return "\n".join(lines)[:MAX_SUBTITLE_CHARS]


def _sidecar_cues(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            data = file.read(8 * MAX_SUBTITLE_CHARS)
    except OSError as error:
        raise MediaError(f"The subtitle file cannot be read ({error.strerror}). Remove it or add it again.") from error
    lines = _decoded_text(data).splitlines()
    if path.suffix.lower() in (".ass", ".ssa"):
        spoken = (line for line in lines if line.startswith("Dialogue:"))
        return [line.split(",", _ASS_FIELDS_BEFORE_TEXT)[-1] for line in spoken]
    return [" ".join(block[1:]) for block in _timed_blocks(lines)]


def _timed_blocks(lines: Sequence[str]) -> Iterator[list[str]]:
    """Yield the blocks of an SRT or VTT file from their timing line on; headers, notes and styles have none."""
    block: list[str] = []
    for line in [*lines, ""]:
        if "-->" in line:
            block = [line]
        elif not line.strip():
            if block:
                yield block
            block = []
        elif block:
            block.append(line)


def _decoded_text(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="ignore")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="ignore")


# Playing -------------------------------------------------------------------------------------------------------------


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
    with _atomic(target, "playable copy") as part, _opened(source) as container:
        try:
            with _created(part, suffix) as output:
                _convert(container, output, info, on_progress)
        except _BROKEN as error:  # Reading forgives; what comes through is the encoder's or the muxer's.
            if info.playable == "remux" and suffix == ".mp4" and not isinstance(error, OSError):
                raise _NotCopied from error
            raise MediaError(_not_made("playable copy", error)) from error


@contextmanager
def _atomic(target: Path, what: str) -> Iterator[Path]:
    """Give a path to write to, which becomes `target` when all went well and disappears when not."""
    part = target.with_name(f"{target.name}.part")  # The same name each time: a run after a crash replaces it.
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MediaError(_not_made(what, error)) from error
    try:
        yield part
        os.replace(part, target)
    except OSError as error:
        raise MediaError(_not_made(what, error)) from error
    finally:
        part.unlink(missing_ok=True)


def _not_made(what: str, error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"The {what} cannot be written ({reason}). Check that the disk has room, then try again."


@contextmanager
def _created(path: Path, suffix: str) -> Iterator[OutputContainer]:
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
    with _atomic(target, "copy for the encoder") as part, _opened(source) as container:
        try:
            with _created(part, ".mp4") as output:
                _convert(container, output, replace(info, playable="transcode"), on_progress, size, least_s)
        except _BROKEN as error:
            raise MediaError(_not_made("copy for the encoder", error)) from error
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
    picture, sound = _picture_of(container), _sound_of(container)
    zero_s = _start_of(container, picture)
    copied = info.playable == "remux"
    tracks: dict[int, _CopiedTrack | _PictureTrack | _SoundTrack] = {
        picture.index: _CopiedTrack(output, picture, zero_s, info)
        if copied
        else _PictureTrack(output, picture, zero_s, info, size, least_s)
    }
    if sound is not None:
        as_it_is = copied and _sound_fits(info, output)
        tracks[sound.index] = (_CopiedTrack if as_it_is else _SoundTrack)(output, sound, zero_s, info)
    furthest = 0.0  # Packets come in the order of decoding; a bar only ever grows.
    for packet in _packets(container, [picture, *([sound] if sound is not None else [])]):
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


def _packets(container: InputContainer, streams: Sequence[Stream]) -> Iterator[av.Packet]:
    """Yield packets to the end, or to where a truncated file breaks off."""
    for stream in container.streams:
        stream.discard = Discard.default if stream in streams else Discard.all
    try:
        for packet in container.demux(*streams):
            if packet.size and not packet.is_corrupt:  # Decoders lose good frames over half a packet.
                yield packet
    except _DEMUX_ENDS:
        return


def _last_packet(stream: Stream) -> av.Packet:
    """Return the empty packet that makes a decoder hand out the frames it holds back."""
    packet = av.Packet()
    packet.stream, packet.time_base = stream, stream.time_base
    return packet


class _CopiedTrack:
    """Copy packets as they are, on a clock that starts at zero."""

    def __init__(self, output: OutputContainer, source: Stream, zero_s: float, info: MediaInfo) -> None:
        self._output = output
        self._stream = output.add_stream_from_template(source, opaque=True)
        self._zero = round(zero_s / source.time_base)
        self._last_dts: int | None = None
        frame_s = min(LAST_FRAME_S, 1 / info.fps) if source.type == "video" else 0.0
        self._frame = round(frame_s / source.time_base)
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


class _PictureTrack:
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
        self._shown: av.VideoFrame | None = None
        self._reformatter = av.video.reformatter.VideoReformatter()
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
        stream.codec_context.colorspace = _BT709
        stream.codec_context.color_range = _LIMITED_RANGE
        stream.options = {"preset": "veryfast", "crf": "23"}
        if info.rotation_deg:
            stream.set_display_rotation(-info.rotation_deg)
        self._stream = stream

    def feed(self, packet: av.Packet) -> None:
        for frame in _decoded(packet):
            self._encode(frame)

    def _encode(self, frame: av.VideoFrame) -> None:
        pts = self._pts_of(frame)
        if pts <= self._last_pts:  # Two frames at one time, as AVI has them: the second comes half a frame later.
            pts = self._last_pts + max(1, self._step // 2)
        if pts < self._due - self._slot // 4:
            return
        self._due = max(self._due + self._slot, pts - self._slot)
        duration = round(frame.duration * frame.time_base / _PICTURE_CLOCK) if frame.duration else self._step
        self._show(self._reformatted(frame), pts, duration)

    def _show(self, frame: av.VideoFrame, pts: int, duration: int) -> None:
        self._last_pts, self._shown = pts, frame
        frame.pts, frame.time_base, frame.duration = pts, _PICTURE_CLOCK, duration
        frame.pict_type = 0  # Let the encoder choose its own key frames.
        self._output.mux(self._stream.encode(frame))

    def _pts_of(self, frame: av.VideoFrame) -> int:
        if frame.pts is None:
            return max(0, self._last_pts + self._step)
        return max(0, round((float(frame.pts * frame.time_base) - self._zero_s) / _PICTURE_CLOCK))

    def _reformatted(self, frame: av.VideoFrame) -> av.VideoFrame:
        width, height = self._size
        return self._reformatter.reformat(
            frame,
            width,
            height,
            "yuv420p",
            dst_colorspace="ITU709",
            dst_color_range=_LIMITED_RANGE,
            threads=1,
            **_dynamic_range(frame),
        )

    def close(self) -> None:
        self.feed(_last_packet(self._source))
        if self._shown is None:
            raise MediaError("No picture in this file decodes. Export it again.")
        while self._last_pts + self._step < self._least:
            self._show(self._shown, self._last_pts + self._step, self._step)
        self._output.mux(self._stream.encode(None))


def _dynamic_range(frame: av.VideoFrame) -> dict[str, int]:
    """Return the reformatting that brings a high dynamic range down to a standard one; nothing for other frames."""
    if frame.color_trc in _HDR_TRANSFERS:
        return {"dst_color_trc": _BT709, "dst_color_primaries": _BT709}
    return {}


def _even_size(info: MediaInfo) -> tuple[int, int]:
    """Return width and height to encode at: as displayed but not yet turned, at most 1920 a side, even."""
    width, height = info.width_px, info.height_px
    if info.rotation_deg % 180:
        width, height = height, width
    scale = min(1.0, PLAYABLE_SIDE_PX / max(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


class _SoundTrack:
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
        for frame in _decoded(packet):
            self._take(frame)

    def _take(self, frame: av.AudioFrame) -> None:
        if not frame.samples or not frame.sample_rate:
            return
        if frame.pts is not None:
            ahead_s = float(frame.pts * frame.time_base) - self._zero_s - self._heard_s
            if ahead_s < -self.SLACK_S:
                return
            if self.SLACK_S < ahead_s <= self.LONGEST_GAP_S:
                self._resample(_silence_like(frame, round(ahead_s * frame.sample_rate)))
        self._resample(frame)

    def _resample(self, frame: av.AudioFrame) -> None:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape:  # Broadcasts change it mid-stream.
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

    def _write(self, frames: Sequence[av.AudioFrame]) -> None:
        for frame in frames:
            frame.pts, frame.time_base = self._written, Fraction(1, self._rate)
            self._written += frame.samples
            self._output.mux(self._stream.encode(frame))

    def close(self) -> None:
        self.feed(_last_packet(self._source))
        self._flush()
        self._output.mux(self._stream.encode(None))


def _silence_like(frame: av.AudioFrame, samples: int) -> av.AudioFrame:
    silence = av.AudioFrame(format=frame.format.name, layout=frame.layout.name, samples=samples)
    silence.sample_rate = frame.sample_rate
    zero = b"\x80" if frame.format.name.startswith("u8") else b"\x00"
    for plane in silence.planes:
        plane.update(zero * plane.buffer_size)
    return silence


# Poster --------------------------------------------------------------------------------------------------------------

_POSTER_POINTS = (0.3, 0.5, 0.15, 0.7, 0.85, 0.03)
_FRAMES_PAST_KEY = 48
"""How far to decode past a key frame towards a point: two seconds, where key frames are rare."""


def write_poster(source: Path, info: MediaInfo, target: Path) -> None:
    """Write a JPEG at most 640 px wide of a frame that shows something, turned as displayed.

    Looks at a few points and takes the frame with most to see: neither black nor white, rich in different tones.
    Raises MediaError when nothing decodes.
    """
    frames = _frames_at_points(source, info) or _frames_at_start(source)
    if not frames:
        raise MediaError("No picture in this file decodes. Export it again.")
    best = max(frames, key=_interest)
    with _atomic(target, "poster") as part:
        _as_displayed(best, info).save(part, "JPEG", quality=85, optimize=True)


def _frames_at_points(source: Path, info: MediaInfo) -> list[av.VideoFrame]:
    """Return a frame from each of a few points; none where the file cannot be sought in."""
    frames = []
    with _opened(source) as container:
        picture = _picture_of(container)
        start_s = _start_of(container, picture)
        for time_s in (start_s + part * info.duration_s for part in _POSTER_POINTS):
            frame = _frame_towards(container, picture, time_s) if _seek(container, time_s) else None
            if frame is not None:
                frames.append(frame)
    return frames


def _frames_at_start(source: Path) -> list[av.VideoFrame]:
    with _opened(source) as container:
        return _decode_some(container, _picture_of(container), most=_FRAMES_PAST_KEY)[0][::6]


def _frame_towards(container: InputContainer, picture: av.VideoStream, time_s: float) -> av.VideoFrame | None:
    """Return the frame at a time, or the last one within reach of the key frame before it."""
    latest: av.VideoFrame | None = None
    count = 0
    for packet in _packets(container, [picture]):
        for frame in _decoded(packet):
            latest, count = frame, count + 1
            if frame.time is None or frame.time >= time_s or count >= _FRAMES_PAST_KEY:
                return latest
    return latest


def _interest(frame: av.VideoFrame) -> float:
    """Score how much a frame shows, about -0.2 (black, white) to 2, from the entropy and spread of its tones."""
    tones = frame.reformat(64, 36, "gray").to_ndarray()
    counts = np.bincount(tones.ravel() >> 3, minlength=32) / tones.size
    entropy = -float(np.sum(counts[counts > 0] * np.log2(counts[counts > 0]))) / 5
    mean, spread = float(tones.mean()) / 255, float(tones.std()) / 128
    return entropy + spread - abs(mean - 0.5) / 2


def _as_displayed(frame: av.VideoFrame, info: MediaInfo) -> Image.Image:
    scale = min(1.0, POSTER_WIDTH_PX / info.width_px)
    size = max(1, round(info.width_px * scale)), max(1, round(info.height_px * scale))
    return Image.fromarray(_upright(frame, size, info.rotation_deg))


def _upright(frame: av.VideoFrame, size: tuple[int, int], rotation_deg: int) -> np.ndarray:
    """Return the pixels of a frame, RGB, turned clockwise, with this width and height afterwards."""
    width, height = size[::-1] if rotation_deg % 180 else size
    pixels = frame.reformat(width, height, "rgb24", interpolation="AREA", **_dynamic_range(frame)).to_ndarray()
    return np.ascontiguousarray(np.rot90(pixels, k=-rotation_deg // 90))


# One frame -----------------------------------------------------------------------------------------------------------


def frame_at(source: Path | str, at_s: float) -> np.ndarray:
    """Return what a video shows at a time, RGB as displayed, (height, width, 3) uint8.

    `source` is a path, or an http(s) URL such as a store gives out. It is the frame at the time or the last one before
    it; the first where the time is before the video, the last where it is beyond. Raises MediaError.
    """
    deadline_s = time.monotonic() + _FRAME_TIMEOUT_S
    opened = _fetched(source) if isinstance(source, str) and _is_address(source) else _opened(Path(source))
    with opened as container:
        picture = _picture_of(container)
        start_s = _start_of(container, picture)
        target_s = start_s + max(0.0, _within_length(container, at_s))
        frame = _shown_at(container, picture, start_s, target_s, deadline_s)
        rotation_deg = round(-frame.rotation / 90) * 90 % 360
        size = _displayed_size(frame.width, frame.height, picture.sample_aspect_ratio, rotation_deg)
        return _upright(frame, size, rotation_deg)


def _is_address(source: str) -> bool:
    return source.lower().startswith(("http://", "https://"))


@contextmanager
def _fetched(url: str) -> Iterator[InputContainer]:
    """Open a video at an address, read no more of it than is needed. The address may be signed: no error repeats it."""
    waiting_us = str(round(_FRAME_TIMEOUT_S * 1e6))
    options = {
        "format_whitelist": _DEMUXERS,
        "protocol_whitelist": "http,https,tcp,tls,httpproxy",
        "max_pixels": _MAX_PIXELS,
        "rw_timeout": waiting_us,
        "timeout": waiting_us,
    }
    try:
        container = av.open(url, options=options, metadata_errors="ignore", timeout=_FRAME_TIMEOUT_S)
    except av.error.InvalidDataError as error:
        raise MediaError(_NOT_A_VIDEO) from error
    except _BROKEN as error:
        raise MediaError(_NOT_FETCHED) from error
    try:
        with container:
            yield container
    except _BROKEN as error:
        raise MediaError(_NOT_FETCHED) from error


def _within_length(container: InputContainer, at_s: float) -> float:
    """Return the time, or the end of the video where that is known and earlier."""
    length_s = container.duration / av.time_base if container.duration else at_s
    return min(at_s, length_s)


def _shown_at(
    container: InputContainer, picture: av.VideoStream, start_s: float, target_s: float, deadline_s: float
) -> av.VideoFrame:
    """Return the last frame that is not after the target, or the first if all are."""
    shown: av.VideoFrame | None = None
    for back_s in _STEPS_BACK_S:
        from_s = max(start_s, target_s - back_s)
        if not _seek(container, from_s):
            continue
        found = _last_until(_frames(container, picture), target_s, deadline_s)
        shown = found or shown
        if from_s == start_s or (found is not None and _not_after(found, target_s)):
            break
    if shown is None:
        raise MediaError("No picture decodes at this moment of the video. Try another one.")
    return shown


def _last_until(frames: Iterator[av.VideoFrame], target_s: float, deadline_s: float) -> av.VideoFrame | None:
    """Return the last of the frames that is not after the target, the first if all are, None without any."""
    last: av.VideoFrame | None = None
    for frame in frames:
        if last is not None and not _not_after(frame, target_s):
            return last
        last = frame
        if time.monotonic() > deadline_s:
            raise MediaError("Finding this frame takes too long. Try another moment of the video.")
    return last


def _not_after(frame: av.VideoFrame, target_s: float) -> bool:
    return frame.time is not None and frame.time <= target_s + _SAME_TIME_S


def _frames(container: InputContainer, picture: av.VideoStream) -> Iterator[av.VideoFrame]:
    """Yield all frames from here to the end, those the decoder holds back included."""
    for packet in _packets(container, [picture]):
        yield from _decoded(packet)
    yield from _decoded(_last_packet(picture))
