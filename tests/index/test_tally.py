"""What is counted and ordered by column by column, beside a plain list of the same videos."""

from __future__ import annotations

import random
import uuid

from core.index.base import Order, Place, Where
from core.index.tally import Tally
from core.models import Counts


def test_thousands_of_videos_are_counted_and_ordered_as_a_list_of_them() -> None:
    """Rows grow past what they begin with, and those of removed videos are taken by others."""
    rng, tally, videos = random.Random(8), Tally(), {}
    for step in range(4000):
        video_id = f"video {rng.randrange(3500)}"
        if step % 7 == 6:
            tally.remove(video_id)
            videos.pop(video_id, None)
            continue
        stored = {
            "categories": rng.sample(["nature", "city", "people"], rng.randrange(3)),
            "shape": [rng.choice(["portrait", "landscape"])],
            "labels_version": "new",
            "duration_s": float(rng.randrange(40)),
            "ingested_at": f"2026-11-{1 + rng.randrange(28):02d}T08:00:00.000+00:00",
            "standings": {rng.choice("ab"): rng.randrange(5) / 4},
        }
        entry_id = str(uuid.UUID(int=rng.getrandbits(128)))
        tally.put(video_id, "video", entry_id, stored)
        tally.put_clips(video_id, step % 3)
        videos[video_id] = (entry_id, stored, step % 3)
    assert tally.entries == sum(1 + clips for _, _, clips in videos.values())
    for where in (None, Where({"shape": ["portrait"]}, {"categories": ["city"]})):
        fitting = [
            (entry_id, stored, clips)
            for entry_id, stored, clips in videos.values()
            if where is None or (stored["shape"] == ["portrait"] and "city" not in stored["categories"])
        ]
        assert tally.count(where) == Counts(len(fitting), sum(clips for *_, clips in fitting))
        assert (
            tally.facets("shape", where).items()
            <= {
                "portrait": sum(stored["shape"] == ["portrait"] for _, stored, _ in fitting),
                "landscape": sum(stored["shape"] == ["landscape"] for _, stored, _ in fitting),
            }.items()
        )
        for order in (Order("duration_s"), Order("ingested_at", descending=False), Order("standings.a")):
            values = {
                entry_id: stored["standings"].get("a") if order.field == "standings.a" else stored[order.field]
                for entry_id, stored, _ in fitting
            }
            expected = sorted(entry_id for entry_id, value in values.items() if value is not None)
            expected.sort(key=values.__getitem__, reverse=order.descending)
            assert tally.in_order(order, where, None, 10_000) == expected
            middle = Place(values[expected[200]], expected[200])
            assert tally.in_order(order, where, middle, 50) == expected[201:251]


def test_what_is_no_time_does_not_order() -> None:
    tally = Tally()
    tally.put("one", "video", str(uuid.uuid4()), {"ingested_at": "yesterday"})
    assert tally.in_order(Order("ingested_at"), None, None, 5) == []
    assert tally.count() == Counts(1, 0)
