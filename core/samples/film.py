"""The lab: put frames and sound into an mp4 that plays anywhere (H.264, AAC, index first)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from PIL import Image

from core.samples.sound import RATE
from core.samples.stage import FPS, HEIGHT, WIDTH

# Flat shapes need little searching for motion; a short look ahead gives back the size that the preset costs.
_X264 = {"preset": "superfast", "crf": "21", "x264-params": "rc-lookahead=8:mbtree=1"}
_MP4 = {"movflags": "+faststart", "fflags": "+bitexact"}  # bitexact: no dates, so the same scene gives the same bytes


def write(path: Path, frames: Iterable[Image.Image], sound: np.ndarray, tags: Mapping[str, str]) -> None:
    """Write an mp4 with RGB frames at 24 a second, stereo sound as float32 (samples, 2) at 44.1 kHz, and tags."""
    with av.open(str(path), "w", format="mp4", options=_MP4) as file:
        file.metadata.update(tags)
        picture = file.add_stream("libx264", rate=FPS, options=_X264)
        picture.width, picture.height, picture.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        picture.thread_count = 1  # two scenes are rendered at once, each on a core of its own
        voice = file.add_stream("aac", rate=RATE, layout="stereo", bit_rate=128_000)
        blocks, reformatter = _blocks(sound, 1024), VideoReformatter()
        held: Image.Image | None = None
        for number, frame in enumerate(frames):
            if frame is not held:
                held = frame
                image = reformatter.reformat(av.VideoFrame.from_image(frame), format="yuv420p", threads=1)
            image.pts, image.time_base = number, Fraction(1, FPS)
            file.mux(picture.encode(image))
            _mux_until(file, voice, blocks, (number + 1) / FPS)
        file.mux(picture.encode())
        _mux_until(file, voice, blocks, float("inf"))
        file.mux(voice.encode())


def _blocks(sound: np.ndarray, size: int) -> Iterator[tuple[int, np.ndarray]]:
    for start in range(0, len(sound), size):
        yield start, np.ascontiguousarray(sound[start : start + size].T)


def _mux_until(file, voice, blocks: Iterator[tuple[int, np.ndarray]], until_s: float) -> None:
    """Encode sound up to a time, so that picture and sound lie side by side in the file."""
    for start, samples in blocks:
        block = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        block.sample_rate, block.pts, block.time_base = RATE, start, Fraction(1, RATE)
        file.mux(voice.encode(block))
        if start / RATE >= until_s:
            return
