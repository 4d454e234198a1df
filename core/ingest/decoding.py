"""Open files with PyAV and decode them: what everything that looks into a video shares.

Only demuxers that read one file are allowed (`DEMUXERS`): a playlist named .mp4 must not make the server open
addresses or files that its author chose. Everything that goes wrong in FFmpeg comes out as MediaError.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.codec.context import CodecContext
from av.container import InputContainer
from av.stream import Discard, Disposition, Stream
from av.video.frame import VideoFrame

from core.errors import MediaError
from core.ingest.joined import on_one_clock

Decoded = TypeVar("Decoded", bound=VideoFrame | AudioFrame)

THREADS = 2
"""Decoder threads of a pass over a whole file. Each holds a few decoded pictures, so more would cost memory."""
LAST_FRAME_S = 1.0
"""The longest that a last frame is shown which does not say how long."""
MIN_SIDE_PX = 16
MAX_SIDE_PX = 8192
# PyAV sends FFmpeg's log nowhere by default; say it, because a level set elsewhere would fill stderr and, from FFmpeg's
# own threads, contend for the GIL.
av.logging.set_level(None)
MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
_VIDEO_DEMUXERS = (
    f"{MP4},matroska,webm,avi,flv,live_flv,mpegts,mpeg,mpegvideo,asf,ogg,gif,apng,mxf,nut,rm,ivf,h264,hevc,av1,obu,"
    "m4v,dv,gxf,wtv,yuv4mpegpipe,nsv,vc1"
)
_SOUND_DEMUXERS = "mp3,wav,w64,flac,aac,aiff,amr,ac3,eac3,caf,ape,wv"
DEMUXERS = f"{_VIDEO_DEMUXERS},{_SOUND_DEMUXERS}"
MAX_PIXELS = str(MAX_SIDE_PX * MAX_SIDE_PX)
_TIMEOUT_S = (20, 30)
"""To open a file, and to read one packet of it. A local file that takes longer is built to hang us."""
BROKEN = (av.error.FFmpegError, ValueError, OverflowError)
"""What PyAV raises over bad bytes; ValueError includes UnicodeError."""
DEMUX_ENDS = (*BROKEN, IndexError)
"""PyAV 18's demux raises IndexError at the end of a file in which new streams turned up on the way."""
_HDR_TRANSFERS = frozenset({16, 18})
"""AVCOL_TRC_SMPTE2084 (PQ) and AVCOL_TRC_ARIB_STD_B67 (HLG)."""
BT709 = 1
NOT_A_VIDEO = (
    "This file cannot be opened as a video: it is damaged, or something else under a video's name. "
    "Export or download it again."
)
_BROKEN_FILE = "This file is damaged and cannot be read as a video. Export or download it again."


@contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """Open a file for reading; whatever FFmpeg raises while it is open comes out as MediaError."""
    options = {"format_whitelist": DEMUXERS, "protocol_whitelist": "file", "max_pixels": MAX_PIXELS}
    try:
        container = av.open(str(path.absolute()), options=options, metadata_errors="ignore", timeout=_TIMEOUT_S)
    except BROKEN as error:
        raise MediaError(NOT_A_VIDEO) from error
    try:
        with container:
            yield container
    except av.error.TimeoutError as error:
        raise MediaError("Reading this file takes far too long; it seems damaged. Export it again.") from error
    except BROKEN as error:
        raise MediaError(_BROKEN_FILE) from error


def picture_of(container: InputContainer) -> av.VideoStream:
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
    check_sides(picture.codec_context.width, picture.codec_context.height)
    picture.codec_context.options = {"max_pixels": MAX_PIXELS}
    picture.thread_type = "AUTO"
    return picture


def check_sides(width_px: int, height_px: int) -> None:
    if width_px == 0 or height_px == 0:
        raise MediaError(_BROKEN_FILE)
    if min(width_px, height_px) < MIN_SIDE_PX:
        raise MediaError(
            "The picture is {width_px}×{height_px} pixels; at least {least} a side are needed. Add a larger version.",
            width_px=width_px,
            height_px=height_px,
            least=MIN_SIDE_PX,
        )
    if max(width_px, height_px) > MAX_SIDE_PX:
        raise MediaError(
            "The picture claims to be {width_px}×{height_px} pixels; at most {most} a side are allowed. Add a "
            "smaller version.",
            width_px=width_px,
            height_px=height_px,
            most=MAX_SIDE_PX,
        )


def sound_of(container: InputContainer) -> av.AudioStream | None:
    """Return the sound stream to play, or None when there is none that decodes."""
    best = container.streams.best("audio")
    for stream in sorted(container.streams.audio, key=lambda stream: stream is not best):
        context = stream.codec_context
        if context is not None and stream.rate and context.channels:
            return stream
    return None


def start_of(container: InputContainer, picture: av.VideoStream) -> float:
    """Return the time in seconds at which the first of picture and sound begins, which a player shows as 0:00."""
    starts = [
        float(stream.start_time * clock_of(stream))
        for stream in (picture, sound_of(container))
        if stream is not None and stream.start_time is not None
    ]
    return min(starts, default=0.0)


def decode_some(
    container: InputContainer, picture: av.VideoStream, most: int, most_packets: int = 200
) -> tuple[list[VideoFrame], int]:
    """Return up to `most` frames from here on, and how many key frames were met; gives up after so many packets."""
    frames: list[VideoFrame] = []
    keys = 0
    try:
        for index, packet in enumerate(container.demux(picture)):
            keys += packet.is_keyframe
            frames += decoded(packet, VideoFrame)
            if len(frames) >= most or index >= most_packets:
                break
    except DEMUX_ENDS:
        return frames, keys  # The file ends here; what was decoded before counts.
    return frames[:most], keys


def decoded(packet: av.Packet, kind: type[Decoded]) -> list[Decoded]:
    """Return the frames of a packet, none when it is damaged: decoders recover at the next key frame."""
    try:
        return [frame for frame in packet.decode() if isinstance(frame, kind)]
    except av.error.MemoryError as error:  # No damage, and no key frame mends it.
        raise MemoryError from error
    except BROKEN:
        return []


def seek(container: InputContainer, time_s: float) -> bool:
    """Go to the key frame at or before a time; False where the file cannot be sought in."""
    try:
        container.seek(int(time_s * av.time_base))
    except BROKEN:
        return False
    return True


def displayed_size(width_px: int, height_px: int, aspect: Fraction | None, rotation_deg: int) -> tuple[int, int]:
    """Return width and height on screen: pixels made square by enlarging, then turned."""
    # A hundredth is a rounded display size, not a shape; beyond four times it is a broken header.
    if aspect is not None and Fraction(1, 4) <= aspect <= 4 and abs(aspect - 1) > Fraction(1, 100):
        if aspect > 1:
            width_px = round(width_px * aspect)
        else:
            height_px = round(height_px / aspect)
    return (height_px, width_px) if rotation_deg % 180 else (width_px, height_px)


def demuxed(container: InputContainer, picture: av.VideoStream, *others: Stream) -> Iterable[av.Packet]:
    """Return all packets of the picture and other streams, on one clock. Reading them raises one of DEMUX_ENDS."""
    wanted = {picture.index, *(stream.index for stream in others)}
    for stream in container.streams:
        stream.discard = Discard.default if stream.index in wanted else Discard.all
    return on_one_clock(container, container.demux(picture, *others), picture, DEMUX_ENDS)


def packets(container: InputContainer, picture: av.VideoStream, *others: Stream | None) -> Iterator[av.Packet]:
    """Yield packets to the end, or to where a truncated file breaks off; None for another stream is none."""
    try:
        for packet in demuxed(container, picture, *(stream for stream in others if stream is not None)):
            if packet.size and not packet.is_corrupt:  # Decoders lose good frames over half a packet.
                yield packet
    except DEMUX_ENDS:
        return


def last_packet(stream: Stream) -> av.Packet:
    """Return the empty packet that makes a decoder hand out the frames it holds back."""
    packet = av.Packet()
    packet.stream, packet.time_base = stream, clock_of(stream)
    return packet


def clock_of(stream: Stream) -> Fraction:
    """Return how long a tick of a stream's clock is, in seconds. Raises ValueError where it has none."""
    if stream.time_base is None:
        raise ValueError("a stream without a clock")
    return stream.time_base


def prepare(context: CodecContext) -> None:
    """Let a decoder use its few threads in whichever way it can."""
    context.thread_type = "AUTO"
    context.thread_count = THREADS


def dynamic_range(frame: VideoFrame) -> dict[str, int]:
    """Return the reformatting that brings a high dynamic range down to a standard one; nothing for other frames."""
    if frame.color_trc in _HDR_TRANSFERS:
        return {"dst_color_trc": BT709, "dst_color_primaries": BT709}
    return {}


def upright(frame: VideoFrame, size: tuple[int, int], rotation_deg: int) -> np.ndarray:
    """Return the pixels of a frame, RGB, turned clockwise, with this width and height afterwards."""
    width, height = size[::-1] if rotation_deg % 180 else size
    pixels = frame.reformat(width, height, "rgb24", interpolation="AREA", **dynamic_range(frame)).to_ndarray()
    return np.ascontiguousarray(np.rot90(pixels, k=-rotation_deg // 90))
