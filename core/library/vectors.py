"""Entries of an index as Parquet: a row an entry, the video's own first and its clips behind it.

`payload` is what an index keeps beside the vector (core/index/base.py), as JSON; the other columns say the same for
whoever looks at the file with other tools. Both ways hold some hundreds of rows in memory, whatever the file's size.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from core.index import base
from core.models import EncoderInfo, Entry

ROWS = 512
"""Rows that are written or read at a time."""


class Unreadable(Exception):
    """The file does not hold what this app writes; it says what it does."""


class Writer:
    """Append videos to a file of vectors."""

    def __init__(self, path: Path, dimension: int) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._schema = pa.schema(
            [
                ("id", pa.string()),
                ("video_id", pa.string()),
                ("content_sha256", pa.string()),
                ("scope", pa.string()),
                ("payload", pa.string()),
                ("vector", pa.list_(pa.float32(), dimension)),
            ]
        )
        self._file = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._entries: list[Entry] = []
        self.videos = 0
        self.entries = 0

    def add(self, entries: Sequence[Entry]) -> None:
        """Append the entries of one video, its own first."""
        self._entries += entries
        self.videos += 1
        self.entries += len(entries)
        if len(self._entries) >= ROWS:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        import pyarrow as pa

        some, self._entries = self._entries, []
        if not some:
            return
        vectors = np.concatenate([entry.vector for entry in some]).astype(np.float32)
        columns = [
            pa.array([base.id_of(entry) for entry in some]),
            pa.array([entry.video_id for entry in some]),
            pa.array([entry.content_sha256 for entry in some]),
            pa.array([entry.scope for entry in some]),
            pa.array([json.dumps(base.to_payload(entry), ensure_ascii=False) for entry in some]),
            pa.FixedSizeListArray.from_arrays(pa.array(vectors), type=self._schema.field("vector").type),
        ]
        self._file.write_table(pa.Table.from_arrays(columns, schema=self._schema))


def videos(path: Path, info: EncoderInfo) -> Iterator[list[Entry]]:
    """Yield the entries of each video in a file, its own first. Raises Unreadable for what this app did not write."""
    import pyarrow.parquet as pq

    one: list[Entry] = []
    with _said(), pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS, columns=["payload", "vector"]):
            numbers = batch.column("vector").flatten().to_numpy().reshape(batch.num_rows, info.dimension)
            for text, vector in zip(batch.column("payload").to_pylist(), numbers, strict=True):
                entry = base.from_payload(json.loads(text), vector.copy())
                base.check_entries([entry], info)
                if entry.scope == "video":
                    if one:
                        yield one
                    one = [entry]
                elif one and entry.video_id == one[0].video_id and entry.content_sha256 == one[0].content_sha256:
                    one.append(entry)
                else:
                    raise Unreadable("a clip stands without its video")
    if one:
        yield one


@contextmanager
def _said() -> Iterator[None]:
    import pyarrow as pa

    from core.errors import LibraryError

    try:
        yield
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError, AttributeError, LibraryError) as error:
        raise Unreadable(str(error)) from error
