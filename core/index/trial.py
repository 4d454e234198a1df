"""Look whether a shard of Qdrant Edge can be read to its end, in a process of its own: `python trial.py SHARD`.

A file that was cut short is a memory map that ends too early, and touching it kills a process (SIGBUS), as some other
damage does. Imports nothing of ours. Exit code 0: it can; 3: another process has it; 4: it cannot, and what Edge said
is on standard output.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

import qdrant_edge as edge

READ, LOCKED, DAMAGED = 0, 3, 4
BATCH = 256
MANY = 20_000
"""Entries up to which each value is also counted by the index of its field: beyond it that takes seconds."""
_LEAST = {edge.PayloadSchemaType.Float: -1e300, edge.PayloadSchemaType.Datetime: "0001-01-01T00:00:00Z"}


def main(arguments: Sequence[str]) -> int:
    """Read all that is in a shard; return what became of it."""
    try:
        shard = edge.EdgeShard.load(arguments[0])
        wrong = _read(shard)
        shard.close()
    except BaseException as error:  # noqa: BLE001  Rust's panics are not even an Exception
        wrong = str(error) or type(error).__name__
        if "WouldBlock" in wrong:
            return LOCKED
    if wrong is None:
        return READ
    sys.stdout.write(wrong)
    return DAMAGED


def _read(shard: edge.EdgeShard) -> str | None:
    """Read every entry, then ask the indexes of the fields for what was read; return what does not agree."""
    values: Counter[tuple[str, Any]] = Counter()
    entries, offset = 0, None
    kinds = {name: field.data_type for name, field in shard.info().payload_schema.items()}
    while True:
        request = edge.ScrollRequest(offset=offset, limit=BATCH, with_payload=True, with_vector=True)
        records, offset = shard.scroll(request)
        entries += len(records)
        if entries <= MANY:
            for record in records:
                values.update(_values(record.payload or {}, kinds))
        if offset is None:
            break
    if entries != shard.info().points_count:
        return f"{entries} entries of {shard.info().points_count} can be read"
    for (field, value), times in values.items() if entries <= MANY else ():
        found = shard.count(edge.CountRequest(exact=True, filter=edge.Filter(must=[_asks(field, value)])))
        if found != times:
            return f"the index of {field} finds {found} entries of {times}"
    return None


def _values(payload: dict[str, Any], kinds: dict[str, Any]) -> set[tuple[str, Any]]:
    """Return the fields of an entry that are indexed, each with its keyword or what every value is above."""
    found = set()
    for field, kind in kinds.items():
        value = payload.get(field)
        if value is None:
            continue
        if kind == edge.PayloadSchemaType.Keyword:
            found |= {(field, one) for one in (value if isinstance(value, list) else [value])}
        elif kind in _LEAST:
            found.add((field, _LEAST[kind]))
    return found


def _asks(field: str, value: Any) -> edge.FieldCondition:
    if value == _LEAST[edge.PayloadSchemaType.Float]:
        return edge.FieldCondition(key=field, range=edge.RangeFloat(gte=value))
    if value == _LEAST[edge.PayloadSchemaType.Datetime]:
        return edge.FieldCondition(key=field, range=edge.RangeDateTime(gte=value))
    return edge.FieldCondition(key=field, match=edge.MatchValue(value))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
