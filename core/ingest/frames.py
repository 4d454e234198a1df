"""Take single frames of a video: its poster, and what it shows at a time, from a file or an address."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from PIL import Image

from core.errors import MediaError
from core.ingest.decoding import (
    BROKEN,
    DEMUXERS,
    MAX_PIXELS,
    NOT_A_VIDEO,
    decode_some,
    decoded,
    displayed_size,
    last_packet,
    opened,
    packets,
    picture_of,
    seek,
    start_of,
    upright,
)
from core.ingest.playable import atomic
from core.models import MediaInfo

POSTER_WIDTH_PX = 640
_SAME_TIME_S = 0.001
"""Times are rounded to the clocks of containers; Matroska's ticks a thousand times a second."""
_STEPS_BACK_S = (0.0, 2.0, 15.0, 120.0, float("inf"))
"""How far before a time to begin decoding: broadcasts are not always sought to a frame that decodes by itself."""
_FRAME_TIMEOUT_S = 15.0
"""To find one frame, wherever the video lies: a person waits for it."""
_NOT_FETCHED = (
    "This video cannot be fetched from where it is kept: nothing answers there, or it is gone. Try again in a moment."
)
_STILL_POINTS = (0.1, 0.35, 0.6)
"""Where in a moment to look for its still, in turn: near its beginning, where a player starts, but past a fade."""
_ENOUGH, _NOTHING = 0.6, 0.1
"""What a frame shows (`_interest`): enough to look no further, and what is as good as black or white."""
_STILL_TIMEOUT_S = 5.0
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
    with atomic(target, "poster") as part:
        _as_displayed(best, info).save(part, "JPEG", quality=85, optimize=True)


def _frames_at_points(source: Path, info: MediaInfo) -> list[VideoFrame]:
    """Return a frame from each of a few points; none where the file cannot be sought in."""
    frames = []
    with opened(source) as container:
        picture = picture_of(container)
        start_s = start_of(container, picture)
        for time_s in (start_s + part * info.duration_s for part in _POSTER_POINTS):
            frame = _frame_towards(container, picture, time_s) if seek(container, time_s) else None
            if frame is not None:
                frames.append(frame)
    return frames


def _frames_at_start(source: Path) -> list[VideoFrame]:
    with opened(source) as container:
        return decode_some(container, picture_of(container), most=_FRAMES_PAST_KEY)[0][::6]


def _frame_towards(container: InputContainer, picture: av.VideoStream, time_s: float) -> VideoFrame | None:
    """Return the frame at a time, or the last one within reach of the key frame before it."""
    latest: VideoFrame | None = None
    count = 0
    for packet in packets(container, picture):
        for frame in decoded(packet, VideoFrame):
            latest, count = frame, count + 1
            if frame.time is None or frame.time >= time_s or count >= _FRAMES_PAST_KEY:
                return latest
    return latest


def _interest(frame: VideoFrame) -> float:
    """Score how much a frame shows, about -0.2 (black, white) to 2, from the entropy and spread of its tones."""
    tones = frame.reformat(64, 36, "gray").to_ndarray().astype(np.uint8, copy=False)
    counts = np.bincount(tones.ravel() >> 3, minlength=32) / tones.size
    entropy = -float(np.sum(counts[counts > 0] * np.log2(counts[counts > 0]))) / 5
    mean, spread = float(tones.mean()) / 255, float(tones.std()) / 128
    return entropy + spread - abs(mean - 0.5) / 2


def _as_displayed(frame: VideoFrame, info: MediaInfo) -> Image.Image:
    scale = min(1.0, POSTER_WIDTH_PX / info.width_px)
    size = max(1, round(info.width_px * scale)), max(1, round(info.height_px * scale))
    return Image.fromarray(upright(frame, size, info.rotation_deg))


def frame_at(source: Path | str, at_s: float) -> np.ndarray:
    """Return what a video shows at a time, RGB as displayed, (height, width, 3) uint8.

    `source` is a path, or an http(s) URL such as a store gives out. It is the frame at the time or the last one before
    it; the first where the time is before the video, the last where it is beyond. Raises MediaError.
    """
    deadline_s = time.monotonic() + _FRAME_TIMEOUT_S
    is_address = isinstance(source, str) and _is_address(source)
    with _fetched(str(source)) if is_address else opened(Path(source)) as container:
        picture = picture_of(container)
        start_s = start_of(container, picture)
        target_s = start_s + max(0.0, _within_length(container, at_s))
        frame = _shown_at(container, picture, start_s, target_s, deadline_s)
        rotation_deg = round(-frame.rotation / 90) * 90 % 360
        size = displayed_size(frame.width, frame.height, picture.sample_aspect_ratio, rotation_deg)
        return upright(frame, size, rotation_deg)


def still_of(source: Path | str, start_s: float, end_s: float) -> np.ndarray | None:
    """Return what a moment shows, RGB as displayed, at most 640 px wide; None where it shows nothing to speak of.

    `source` is as for `frame_at`. Raises MediaError.
    """
    deadline_s = time.monotonic() + _STILL_TIMEOUT_S
    is_address = isinstance(source, str) and _is_address(source)
    with _fetched(str(source)) if is_address else opened(Path(source)) as container:
        picture = picture_of(container)
        points = [start_of(container, picture) + start_s + part * (end_s - start_s) for part in _STILL_POINTS]
        best: VideoFrame | None = None
        if seek(container, points[0]):
            for frame in _frames(container, picture):
                if frame.time is not None and frame.time < points[0] and time.monotonic() < deadline_s:
                    continue
                best = frame if best is None or _interest(frame) > _interest(best) else best
                points = [point for point in points if frame.time is not None and point > frame.time]
                if not points or _interest(best) >= _ENOUGH or time.monotonic() >= deadline_s:
                    break
        if best is None or _interest(best) < _NOTHING:
            return None
        rotation_deg = round(-best.rotation / 90) * 90 % 360
        width, height = displayed_size(best.width, best.height, picture.sample_aspect_ratio, rotation_deg)
        scale = min(1.0, POSTER_WIDTH_PX / width)
        return upright(best, (max(1, round(width * scale)), max(1, round(height * scale))), rotation_deg)


def _is_address(source: str) -> bool:
    return source.lower().startswith(("http://", "https://"))


@contextmanager
def _fetched(url: str) -> Iterator[InputContainer]:
    """Open a video at an address, read no more of it than is needed. The address may be signed: no error repeats it."""
    waiting_us = str(round(_FRAME_TIMEOUT_S * 1e6))
    options = {
        "format_whitelist": DEMUXERS,
        "protocol_whitelist": "http,https,tcp,tls,httpproxy",
        "max_pixels": MAX_PIXELS,
        "rw_timeout": waiting_us,
        "timeout": waiting_us,
    }
    try:
        container = av.open(url, options=options, metadata_errors="ignore", timeout=_FRAME_TIMEOUT_S)
    except av.error.InvalidDataError as error:
        raise MediaError(NOT_A_VIDEO) from error
    except BROKEN as error:
        raise MediaError(_NOT_FETCHED) from error
    try:
        with container:
            yield container
    except BROKEN as error:
        raise MediaError(_NOT_FETCHED) from error


def _within_length(container: InputContainer, at_s: float) -> float:
    """Return the time, or the end of the video where that is known and earlier."""
    length_s = container.duration / av.time_base if container.duration else at_s
    return min(at_s, length_s)


def _shown_at(
    container: InputContainer, picture: av.VideoStream, start_s: float, target_s: float, deadline_s: float
) -> VideoFrame:
    """Return the last frame that is not after the target, or the first if all are."""
    shown: VideoFrame | None = None
    for back_s in _STEPS_BACK_S:
        from_s = max(start_s, target_s - back_s)
        if not seek(container, from_s):
            continue
        found = _last_until(_frames(container, picture), target_s, deadline_s)
        shown = found or shown
        if from_s == start_s or (found is not None and _not_after(found, target_s)):
            break
    if shown is None:
        raise MediaError("No picture decodes at this moment of the video. Try another one.")
    return shown


def _last_until(frames: Iterator[VideoFrame], target_s: float, deadline_s: float) -> VideoFrame | None:
    """Return the last of the frames that is not after the target, the first if all are, None without any."""
    last: VideoFrame | None = None
    for frame in frames:
        if last is not None and not _not_after(frame, target_s):
            return last
        last = frame
        if time.monotonic() > deadline_s:
            raise MediaError("Finding this frame takes too long. Try another moment of the video.")
    return last


def _not_after(frame: VideoFrame, target_s: float) -> bool:
    return frame.time is not None and frame.time <= target_s + _SAME_TIME_S


def _frames(container: InputContainer, picture: av.VideoStream) -> Iterator[VideoFrame]:
    """Yield all frames from here to the end, those the decoder holds back included."""
    for packet in packets(container, picture):
        yield from decoded(packet, VideoFrame)
    yield from decoded(last_packet(picture), VideoFrame)
