"""Keep the vectors of texts on disk, so that a category pressed again costs no call, in this run or any later one.

It wraps any encoder whose texts cost something. A vector depends on the text and the encoder's name alone, so an entry
never grows stale; the texts used longest ago go when there are too many. Several threads and processes may share
them. A cache is not worth an error: where its shelf cannot be used, that is logged and texts are encoded afresh.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import TypeVar, cast

import numpy as np
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from core.encoders.base import Encoder, ImageEncoder
from core.errors import AppError
from core.models import Progress, Video, VideoEmbedding
from core.state.base import Shelf
from core.state.tables import TEXTS

logger = logging.getLogger(__name__)

MAX_TEXTS = 5_000
"""Of one encoder: about 10 MB with 512 numbers each, far more than a taxonomy has prompts."""
_LONGEST = 900
"""Texts asked for in one statement; SQLite allows 999 in the oldest version still about."""
_OF_ENCODER = TEXTS.c.encoder == bindparam("of")
_THESE = TEXTS.c.text.in_(bindparam("texts", expanding=True))
_VECTORS = select(TEXTS.c.text, TEXTS.c.vector).where(_OF_ENCODER, _THESE)
_TOUCH = update(TEXTS).where(_OF_ENCODER, _THESE).values(used=bindparam("now"))
_DROP = delete(TEXTS).where(_OF_ENCODER, TEXTS.c.text == bindparam("called"))
_COUNT = select(func.count()).select_from(TEXTS).where(_OF_ENCODER)
_OLDEST = select(TEXTS.c.text).where(_OF_ENCODER).order_by(TEXTS.c.used).limit(bindparam("most"))
Result = TypeVar("Result")


class CachedText:
    """An encoder that remembers texts; videos go straight through to the one it wraps."""

    def __init__(self, encoder: Encoder, shelf: Shelf, *, max_texts: int = MAX_TEXTS) -> None:
        self.encoder = encoder
        self.info = encoder.info
        self._shelf = shelf
        self._max_texts = max_texts

    def encode_video(self, video: Video, notes: MutableMapping[str, str], on_progress: Progress) -> VideoEmbedding:
        return self.encoder.encode_video(video, notes, on_progress)

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Return one vector a text, asking the encoder only for those that were never asked before."""
        known = self._recall(texts)
        missing = list(dict.fromkeys(text for text in texts if text not in known))
        if missing:
            fresh = dict(zip(missing, self.encoder.encode_text(missing), strict=True))
            self._remember(fresh)
            known = {**known, **fresh}
        rows = [known[text] for text in texts]
        return np.array(rows, dtype=np.float32).reshape(len(texts), self.info.dimension)

    def encode_image(self, rgb: np.ndarray) -> np.ndarray:
        """Return what the encoder makes of a picture, if `info.images` says that it can; not remembered."""
        return cast(ImageEncoder, self.encoder).encode_image(rgb)

    def unknown(self, texts: Sequence[str]) -> list[str]:
        """Return those that the encoder would have to be asked for, in order."""
        known = self._recall(texts)
        return list(dict.fromkeys(text for text in texts if text not in known))

    def _recall(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        wanted = list(dict.fromkeys(texts))

        def read(db: Connection) -> dict[str, np.ndarray]:
            found: dict[str, np.ndarray] = {}
            for start in range(0, len(wanted), _LONGEST):
                key = {"of": self.info.name, "texts": wanted[start : start + _LONGEST]}
                rows = db.execute(_VECTORS, key).all()
                found |= {text: np.frombuffer(vector, "<f4") for text, vector in rows}
                if rows:
                    db.execute(_TOUCH, {**key, "now": time.time_ns()})
            return {text: vector for text, vector in found.items() if vector.size == self.info.dimension}

        return self._use_shelf("read", read) or {}

    def _remember(self, vectors: Mapping[str, np.ndarray]) -> None:
        name, now = self.info.name, time.time_ns()
        rows = [
            {"encoder": name, "text": text, "used": now, "vector": vector.astype("<f4").tobytes()}
            for text, vector in vectors.items()
        ]

        def write(db: Connection) -> None:
            db.execute(_DROP, [{"of": name, "called": text} for text in vectors])
            db.execute(insert(TEXTS), rows)
            too_many = db.execute(_COUNT, {"of": name}).scalar_one() - self._max_texts
            if too_many > 0:
                oldest = db.execute(_OLDEST, {"of": name, "most": too_many}).scalars().all()
                db.execute(_DROP, [{"of": name, "called": text} for text in oldest])

        self._use_shelf("written", write)

    def _use_shelf(self, what: str, work: Callable[[Connection], Result]) -> Result | None:
        """Do something with the texts, as a whole or not at all; log what cannot be done and return None."""
        try:
            with self._shelf.change() as db:
                return work(db)
        except AppError as error:
            logger.warning("Encoded texts cannot be %s: %s", what, error)
            return None
