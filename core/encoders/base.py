"""What every encoder does."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Protocol

import numpy as np

from core.models import EncoderInfo, Progress, Video, VideoEmbedding

COUNTED = "counted"
"""The note that says that what is begun next was counted among the minutes of the day."""


class Encoder(Protocol):
    """Put videos, their clips and text into one space, where cosine means likeness."""

    info: EncoderInfo

    def encode_video(self, video: Video, notes: MutableMapping[str, str], on_progress: Progress) -> VideoEmbedding:
        """Return unit vectors, float32 (info.dimension,), for the whole video and for its clips in order of time.

        `notes` is durable and belongs to this job: what is written there is on disk when the assignment returns,
        and is there again after a crash, so that paid work can be resumed. Who gives up what was charged takes COUNTED
        away before that, and begins no other in the same call: it is counted first. Raises EncoderError or Unavailable.
        """
        ...

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Return one unit vector a text, float32 (len(texts), info.dimension); a zero row where nothing is known."""
        ...


class ImageEncoder(Encoder, Protocol):
    """An encoder that also puts still pictures into its space; one does if `info.images` says so."""

    def encode_image(self, rgb: np.ndarray) -> np.ndarray:
        """Return the unit vector of a picture, (height, width, 3) uint8, as float32 (info.dimension,).

        Like a text's it is a query: its cosine ranks the videos, its own first. It is zero where a picture shows
        nothing that could be searched for. Raises EncoderError or Unavailable.
        """
        ...


class NameReader(Encoder, Protocol):
    """An encoder in whose vectors the words that came with a video are; one is if `info.reads_names` says so."""

    def reword(self, vectors: np.ndarray, video: Video) -> np.ndarray:
        """Return the vectors of a video and its clips, (n, info.dimension), as if it had been encoded with the title,
        file name, tags and subtitles that `video` has now. What was seen and heard stays; no file is opened."""
        ...
