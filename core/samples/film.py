"""The lab: put frames and sound into an mp4 that plays anywhere (H.264, AAC, index first)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from PIL import Image

from core.samples.outlines import HEIGHT, WIDTH
from core.samples.sound import RATE
from core.samples.stage import FPS

# Grain, not shapes, takes most of the bits: a preset that searches more saves a third of them, for twice the time here
# and twice the time of all who decode it.
_X264 = {"preset": "ultrafast", "crf": "23"}
_AAC = {"aac_coder": "fast"}
_MP4 = {"movflags": "+faststart", "fflags": "+bitexact"}  # bitexact: no dates, so the same scene gives the same bytes


class Reel:
    """An mp4 being written: RGB frames at 24 a second, stereo sound as float32 (samples, 2) at 44.1 kHz, and tags."""

    def __init__(self, path: Path, sound: np.ndarray, tags: Mapping[str, str]) -> None:
        self._file = av.open(str(path), "w", format="mp4", options=_MP4)
        self._file.metadata.update(tags)
        self._picture = self._file.add_stream("libx264", rate=FPS, options=_X264)
        self._picture.width, self._picture.height, self._picture.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        self._picture.thread_count = 1  # two scenes are rendered at once, each on a core of its own
        self._voice = self._file.add_stream("aac", rate=RATE, bit_rate=128_000, options=_AAC)
        self._voice.layout = "stereo"
        self._blocks = ((start, sound[start : start + 1024].T) for start in range(0, len(sound), 1024))
        self._reformatter = VideoReformatter()
        self._count = 0

    def __enter__(self) -> Reel:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            self._file.mux(self._picture.encode())
            self._add_sound(float("inf"))
            self._file.mux(self._voice.encode())
        self._file.close()

    def add(self, frame: Image.Image, times: int) -> None:
        """Show a frame for so many frames."""
        image = self._reformatter.reformat(av.VideoFrame.from_image(frame), format="yuv420p", threads=1)
        for _ in range(times):
            image.pts, image.time_base = self._count, Fraction(1, FPS)
            self._file.mux(self._picture.encode(image))
            self._count += 1
            self._add_sound(self._count / FPS)

    def _add_sound(self, until_s: float) -> None:
        """Encode sound up to a time, so that picture and sound lie side by side in the file."""
        for start, samples in self._blocks:
            block = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="stereo")
            block.sample_rate, block.pts, block.time_base = RATE, start, Fraction(1, RATE)
            self._file.mux(self._voice.encode(block))
            if start / RATE >= until_s:
                return
