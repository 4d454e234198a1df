"""Keep the vectors of texts on disk, so that a category pressed again costs no call, in this run or any later one.

It wraps any encoder whose texts cost something. A vector depends on the text and the encoder's name alone, so an entry
never grows stale; the texts used longest ago go when there are too many. Several threads and processes may share the
file. A cache is not worth an error: where its file cannot be used, that is logged and texts are encoded afresh.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import numpy as np

from core.encoders.base import Encoder, ImageEncoder
from core.errors import AppError
from core.models import Progress, Video, VideoEmbedding

logger = logging.getLogger(__name__)

MAX_TEXTS = 5_000
"""Of one encoder: about 10 MB with 512 numbers each, far more than a taxonomy has prompts."""
WARM_BATCH = 8
BUSY_S = 2.0
_LONGEST = 900
"""Texts asked for in one statement; SQLite allows 999 in the oldest version still about."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS texts (
    encoder TEXT NOT NULL,
    text    TEXT NOT NULL,
    used    INTEGER NOT NULL,
    vector  BLOB NOT NULL,
    PRIMARY KEY (encoder, text)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_use ON texts (encoder, used);
"""
Result = TypeVar("Result")


class CachedText:
    """An encoder that remembers texts; videos go straight through to the one it wraps."""

    def __init__(self, encoder: Encoder | ImageEncoder, path: Path, *, max_texts: int = MAX_TEXTS) -> None:
        self.encoder = encoder
        self.info = encoder.info
        self._path = path
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
        return self.encoder.encode_image(rgb)

    def warm(self, texts: Sequence[str]) -> threading.Thread:
        """Begin to encode texts that will be asked for, in the background, and return the thread that does it.

        What is there already costs nothing. It ends at the first error: the same texts are asked for again when needed.
        """
        thread = threading.Thread(target=self._warm, args=(list(texts),), name="warm-texts", daemon=True)
        thread.start()
        return thread

    def _warm(self, texts: list[str]) -> None:
        try:
            for start in range(0, len(texts), WARM_BATCH):
                self.encode_text(texts[start : start + WARM_BATCH])
        except AppError as error:
            logger.warning("The prompts of the taxonomy are not encoded ahead: %s", error)

    def _recall(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        wanted = list(dict.fromkeys(texts))

        def read(db: sqlite3.Connection) -> dict[str, np.ndarray]:
            found: dict[str, np.ndarray] = {}
            for start in range(0, len(wanted), _LONGEST):
                some = wanted[start : start + _LONGEST]
                where = f"encoder = ? AND text IN ({', '.join('?' * len(some))})"
                key = (self.info.name, *some)
                rows = db.execute(f"SELECT text, vector FROM texts WHERE {where}", key).fetchall()
                found |= {text: np.frombuffer(vector, "<f4") for text, vector in rows}
                if rows:
                    db.execute(f"UPDATE texts SET used = ? WHERE {where}", (time.time_ns(), *key))
            return {text: vector for text, vector in found.items() if vector.size == self.info.dimension}

        return self._use_file("read", read) or {}

    def _remember(self, vectors: Mapping[str, np.ndarray]) -> None:
        now = time.time_ns()
        rows = [(self.info.name, text, now, vector.astype("<f4").tobytes()) for text, vector in vectors.items()]

        def write(db: sqlite3.Connection) -> None:
            db.executemany("REPLACE INTO texts (encoder, text, used, vector) VALUES (?, ?, ?, ?)", rows)
            db.execute(
                "DELETE FROM texts WHERE encoder = ?1 AND text IN "
                "(SELECT text FROM texts WHERE encoder = ?1 ORDER BY used DESC LIMIT -1 OFFSET ?2)",
                (self.info.name, self._max_texts),
            )

        self._use_file("written", write)

    def _use_file(self, what: str, work: Callable[[sqlite3.Connection], Result]) -> Result | None:
        """Do something with the file, as a whole or not at all; log what cannot be done and return None."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=BUSY_S)) as db, db:
                db.executescript(_SCHEMA)
                return work(db)
        except (sqlite3.Error, OSError) as error:
            logger.warning("Encoded texts cannot be %s in %s: %s", what, self._path, error)
            return None
