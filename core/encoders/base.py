"""What every encoder does."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Protocol

import numpy as np

from core.models import EncoderInfo, Progress, Video, VideoEmbedding


class Encoder(Protocol):
    """Put videos, their clips and text into one space, where cosine means likeness."""

    info: EncoderInfo

    def encode_video(self, video: Video, notes: MutableMapping[str, str], on_progress: Progress) -> VideoEmbedding:
        """Return unit vectors, float32 (info.dimension,), for the whole video and for its clips in order of time.

        `notes` is durable and belongs to this job: what is written there is on disk when the assignment returns,
        and is there again after a crash, so that paid work can be resumed. Raises EncoderError or Unavailable.
        """
        ...

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Return one unit vector a text, float32 (len(texts), info.dimension); a zero row where nothing is known."""
        ...
