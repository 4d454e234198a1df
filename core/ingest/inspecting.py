"""Find out what a file really holds, or say in a sentence why it is refused.

    inspect ─► MediaInfo (playable: as-is | remux | transcode) ─► playable.make_playable ─► frames.write_poster

Nothing a file says of itself is believed: its kind is read from its bytes, its length from its packets, and a few
frames of it are decoded before it is accepted.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer

from core.errors import MediaError, Sentence
from core.ingest import playable
from core.ingest.captions import Cue, captions_of, cue_at
from core.ingest.decoding import (
    DEMUX_ENDS,
    LAST_FRAME_S,
    MP4,
    check_sides,
    decode_some,
    demuxed,
    displayed_size,
    opened,
    picture_of,
    seek,
    sound_of,
    start_of,
)
from core.ingest.subtitles import (
    MAX_SUBTITLE_CHARS,
    cue_of,
    languages_of,
    sidecars_of,
    subtitle_text,
)
from core.ingest.titles import tags_of
from core.models import MediaInfo, Progress, ignore_progress

MIN_DURATION_S = 1.0
MAX_DURATION_S = 24 * 3600.0
MAX_STILL_S = 600.0
"""The longest that one picture may stand: beyond a long slide, it is a broken clock."""


def inspect(path: Path, *, max_bytes: int | None = None) -> MediaInfo:
    """Return what a file really holds, or raise MediaError with a sentence that says why it is refused.

    Reads every packet once and decodes a handful of frames at the start, middle and end. Subtitle files that lie beside
    `path` under its stem count as its own.
    """
    size_bytes, head = _checked_bytes(path, max_bytes)
    sidecars = sidecars_of(path)
    with opened(path) as container:
        picture = picture_of(container)
        tags = tags_of(container, picture)
        tracks = {stream.index: stream.metadata.get("language", "") for stream in container.streams.subtitles}
        survey = _survey(container, picture)
    _check_length(survey)
    with opened(path) as container:
        picture, sound = picture_of(container), sound_of(container)
        look = _look(container, picture, survey)
        kind = _container_name(container, head)
        sound_codec = sound.codec_context.codec.canonical_name if sound is not None else None
        sound_is_broken = len(container.streams.audio) > 0 and sound is None
        sized = kind != "webm" or container.duration is not None
    width_px, height_px = displayed_size(look.width_px, look.height_px, look.aspect, look.rotation_deg)
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
        playable=playable.needed(kind, look.codec, look.pixels, sound_codec, ready=ready),
        tags=tags,
        subtitles=subtitle_text(survey.cues, sidecars),
        subtitle_languages=languages_of([*tracks.values(), *(sidecar.language for sidecar in sidecars)]),
        captions=captions_of(
            ((tracks.get(index, ""), cues) for index, cues in survey.captions.items()), survey.start_s, sidecars
        ),
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
                "This file is {size:,.1f} MB, over the limit of {most:,.1f} MB. Shorten or compress it, or raise "
                "MAX_UPLOAD_MB.",
                size=size_bytes / 1e6,
                most=max_bytes / 1e6,
            )
        with path.open("rb") as file:
            head = file.read(4096)
    except FileNotFoundError as error:
        raise MediaError("This file does not exist any more. Add it again.") from error
    except (OSError, ValueError) as error:
        raise MediaError(_unreadable(error)) from error
    if kind := _other_kind(head):
        raise MediaError("This is {kind}, not a video, whatever its name says. Add a video file.", kind=Sentence(kind))
    return size_bytes, head


def _unreadable(error: OSError | ValueError) -> Sentence:
    why = getattr(error, "strerror", None) or error
    return Sentence("This file cannot be read ({why}). Check its permissions.", why=why)


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
    """Packets or the index were broken, or reading ended in an error instead of at the end."""
    cues: list[str] = field(default_factory=list)
    captions: dict[int, list[Cue]] = field(default_factory=dict)
    """Cues with their times in the file, by the index of their stream."""

    @property
    def complete(self) -> bool:
        return not self.failed and self.packets >= self.promised


def _survey(container: InputContainer, picture: av.VideoStream) -> _Survey:
    """Read all packets of the picture and the text, decoding text only."""
    texts = [s for s in container.streams.subtitles if s.codec_context is not None]
    # Only MP4's index is to be trusted: AVI's also counts the frames that were left out.
    survey = _Survey(promised=picture.frames if container.format.name == MP4 else 0)
    if survey.promised > container.size:  # more frames than bytes: the index lies, all frames may be there
        survey.promised, survey.failed = 0, True
    survey.start_s = start_of(container, picture)
    first, last, end = float("inf"), float("-inf"), float("-inf")
    cue_chars = 0
    try:
        for packet in demuxed(container, picture, *texts):
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
                words = cue_of(packet)
                cue_chars += len(words)
                survey.cues.append(words)
                if (cue := cue_at(packet, words)) is not None:
                    survey.captions.setdefault(packet.stream.index, []).append(cue)
    except DEMUX_ENDS:
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


def _check_length(survey: _Survey) -> None:
    if survey.packets == 0:
        raise MediaError("There is no picture data in this file; it seems cut off. Export or download it again.")
    if survey.promised > 1 and survey.packets < survey.promised / 2:
        raise MediaError(
            "This file is cut off: only {count} of its {promised} frames are there. Export or download it again.",
            count=survey.packets,
            promised=survey.promised,
        )
    if survey.packets == 1:
        raise MediaError("This file holds a single still picture, not a video. Add a video file.")
    if survey.duration_s < MIN_DURATION_S - 0.01:
        raise MediaError(
            "This video lasts {seconds:.2f} seconds; at least 1 second is needed. Add a longer one.",
            seconds=survey.duration_s,
        )
    if survey.duration_s > MAX_DURATION_S:
        raise MediaError(
            "This video claims to last {hours:,.0f} hours; at most 24 are allowed. Cut it into parts.",
            hours=survey.duration_s / 3600,
        )
    if survey.longest_gap_s > MAX_STILL_S:
        raise MediaError(
            "No new picture comes for {minutes:,.0f} minutes in this video; its times are damaged. Export it again.",
            minutes=survey.longest_gap_s / 60,
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
    frames, _ = decode_some(container, picture, most=2)
    later = [_decodes_at(container, picture, survey.start_s + part * survey.duration_s) for part in (0.5, 0.9)]
    if len(frames) < 2 or (False in later and True not in later):
        raise MediaError("The pictures in this file do not decode; it is damaged or encrypted. Export it again.")
    frame = frames[0]
    check_sides(frame.width, frame.height)
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
    if not seek(container, time_s):
        return None
    frames, keys = decode_some(container, picture, most=1)
    return True if frames else (False if keys else None)


def _container_name(container: InputContainer, head: bytes) -> str:
    """Return a container's usual name; FFmpeg reads MP4 and MOV, and Matroska and WebM, with one demuxer each."""
    name = container.format.name
    if name == MP4:
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
