"""What came when, what is missing, what is there twice and what is like nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np

from core.models import Entry
from core.trends.history import added, begins, missing, neighbours
from tests.fakes import make_entries


def video(number: int, vector: np.ndarray | None = None, **changes: object) -> Entry:
    entry = make_entries(f"Video {number}", clips=0)[0]
    return replace(entry, vector=entry.vector if vector is None else vector, **changes)


def test_what_was_added_a_week_or_month_at_a_time() -> None:
    times = ("2026-11-02T10:00:00+00:00", "2026-11-08T23:00:00+00:00", "2026-11-09T00:00:00+00:00")
    labels = (("animals", "nature"), ("animals",), None)
    entries = [video(n, ingested_at=at, categories=of) for n, (at, of) in enumerate(zip(times, labels, strict=True))]
    weeks = [(one.since, one.theme, one.count) for one in added(entries, "category", "week")]
    assert weeks == [
        (date(2026, 11, 2), "animals", 2),
        (date(2026, 11, 2), "nature", 1),
        (date(2026, 11, 9), "", 1),
    ]
    months = {(one.since, one.theme): one.count for one in added(entries, "category", "month")}
    assert months == {(date(2026, 11, 1), "animals"): 2, (date(2026, 11, 1), "nature"): 1, (date(2026, 11, 1), ""): 1}
    assert [one.theme for one in added(entries, "mood", "week")] == ["", ""]
    assert begins(date(2026, 1, 1), "week") == date(2025, 12, 29)


def test_what_one_would_expect_and_is_not_there() -> None:
    entries = [video(n, categories=("sports",), moods=("energetic",)) for n in range(6)]
    entries += [video(10 + n, categories=("nature",), moods=("calm",)) for n in range(6)]
    entries += [video(20, categories=("food",), moods=("calm",))]
    found = [(one.mood, one.category) for one in missing(entries)]
    assert found[:2] == [("calm", "sports"), ("energetic", "nature")]
    assert ("energetic", "food") not in found  # one video of food: nobody expects half of one
    assert missing([]) == []


def test_copies_are_grouped_and_what_is_far_from_all_is_named() -> None:
    rng = np.random.default_rng(3)
    base = np.eye(16, dtype=np.float32)
    near = [base[0] + 0.2 * rng.normal(size=16).astype(np.float32) for _ in range(12)]
    entries = [video(n, vector / np.linalg.norm(vector)) for n, vector in enumerate(near)]
    entries += [video(20 + n, base[5], duration_s=10.0) for n in range(3)]
    entries += [video(30, base[5], duration_s=60.0), video(40, -base[0])]
    copies, alone = neighbours(entries, 0.001)
    assert copies == [tuple(entry.video_id for entry in entries[12:15])]
    assert alone == [entries[-1].video_id]
    assert neighbours(entries[:1], 0.001) == ([], [])
