"""The map of a library: what is alike is near, clusters are those that were put there, and are called by what sets
them apart."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from core.models import Entry
from core.trends.clusters import LEAST, Map, features_of, grouped, map_of, sampled
from core.trends.naming import chance, names_of, words_of
from tests.fakes import FAKE_INFO, make_entries

DIMENSION = FAKE_INFO.dimension


def video(title: str, kind: int, number: int, **changes: object) -> Entry:
    """Return a video near the others of its kind."""
    vector = np.zeros(DIMENSION, np.float32)
    vector[kind] = 1.0
    vector += 0.03 * np.random.default_rng(100 * kind + number).normal(size=DIMENSION).astype(np.float32)
    vector /= np.linalg.norm(vector)
    entry = make_entries(f"{title} {number}", clips=0, vectors=[vector])[0]
    return replace(entry, title=title, **changes)


def library() -> list[Entry]:
    labels = {"standings": {"animals": 2.0, "mood_calm": 1.5}, "categories": ("animals",), "moods": ("calm",)}
    other = {"standings": {"sports": 2.2, "mood_energetic": 1.9}, "categories": ("sports",), "moods": ("energetic",)}
    wolves = [video("Grey wolf in snow", 0, n, tags={"keywords": "wolf, forest"}, **labels) for n in range(7)]
    games = [video("Football match", 1, n, tags={"keywords": "stadium"}, **other) for n in range(5)]
    plain = [video("Untold", 2, n, categories=(), moods=(), standings={}) for n in range(4)]
    return [*games, *wolves, *plain]


@pytest.fixture(scope="module")
def told() -> Map:
    return map_of(library(), 16)


def test_clusters_are_those_that_were_put_there_the_largest_first(told: Map) -> None:
    entries = library()
    assert [len(cluster.video_ids) for cluster in told.clusters] == [7, 5, 4]
    ids = [{entry.video_id for entry in entries if entry.title == title} for title in
           ("Grey wolf in snow", "Football match", "Untold")]  # fmt: skip
    assert [{*cluster.video_ids} for cluster in told.clusters] == ids
    assert {point.video_id for point in told.points} == {entry.video_id for entry in entries}
    for point in told.points:
        assert point.video_id in told.clusters[point.cluster].video_ids


def test_they_are_called_by_what_sets_them_apart(told: Map) -> None:
    wolves, games, untold = (cluster.name for cluster in told.clusters)
    assert (wolves.categories, wolves.moods) == (("animals",), ("calm",))
    assert set(wolves.words) <= {"grey", "wolf", "snow", "forest"}
    assert (games.categories, games.moods) == (("sports",), ("energetic",))
    assert {"football", "match"} <= set(games.words)
    assert (untold.categories, untold.moods, untold.words) == ((), (), ("untold",))


def test_what_is_alike_is_near(told: Map) -> None:
    places = np.array([(point.x, point.y) for point in told.points])
    groups = np.array([point.cluster for point in told.points])
    apart = np.linalg.norm(places[:, None] - places[None, :], axis=2)
    same = groups[:, None] == groups[None, :]
    assert apart[same].max() < apart[~same].min()


def test_it_is_the_same_every_time(told: Map) -> None:
    assert map_of(library(), 16) == told


@pytest.mark.parametrize("count", [0, 1, 2, LEAST - 1])
def test_a_few_videos_are_one_cluster(count: int) -> None:
    told = map_of(library()[:count], count)
    assert isinstance(told, Map)
    assert len(told.points) == count
    assert len(told.clusters) == min(count, 1)


def test_videos_that_are_all_the_same_are_one_cluster() -> None:
    one = video("Copy", 0, 1)
    same = [replace(one, video_id=str(n)) for n in range(9)]
    assert set(grouped(features_of(same)).tolist()) == {0}
    assert len(map_of(same, 9).clusters) == 1


def test_of_many_the_same_ones_are_shown_whatever_is_added() -> None:
    entries = [replace(video("x", 0, 1), video_id=str(n)) for n in range(60)]
    before = {entry.video_id for entry in sampled(entries[:50], 20)}
    after = {entry.video_id for entry in sampled(entries, 20)}
    assert len(before) == len(after) == 20
    assert len(before & after) >= 12
    assert sampled(entries, 100) == entries


def test_words_that_say_nothing_are_none() -> None:
    assert words_of(video("The Fox and a video", 0, 1, tags={"keywords": "red, 2026"})) == {"fox", "red"}


def test_a_name_says_only_what_most_have_and_hardly_would_by_chance() -> None:
    def some(count: int, kind: int, categories: tuple[str, ...], moods: tuple[str, ...]) -> list[Entry]:
        return [video(f"{kind} {categories}", kind, n, categories=categories, moods=moods) for n in range(count)]

    calm = [*some(1, 0, ("food", "film"), ("calm",)), *some(1, 0, ("nature", "film"), ("calm",))]
    loud = [*some(2, 1, ("sports", "film"), ("loud",)), *some(2, 1, ("music", "film"), ("loud",))]
    rest = [*some(6, 2, ("film",), ()), *some(4, 2, (), ())]
    first, second, third = names_of([*calm, *loud, *rest], [0] * 2 + [1] * 4 + [2] * 10)
    assert (first.moods, first.categories) == (("calm",), ()), "half of it is food, and film is nearly everything"
    assert (second.moods, second.categories) == (("loud",), ()), "half of it is sports"
    assert (third.moods, third.categories) == ((), ())


def test_of_two_clusters_of_six_the_smaller_gets_a_name() -> None:
    entries = [video("Wolf", 0, n, categories=("animals",), moods=()) for n in range(2)]
    entries += [video("Match", 1, n, categories=("sports",), moods=()) for n in range(4)]
    assert [name.categories for name in names_of(entries, [0] * 2 + [1] * 4)] == [("animals",), ("sports",)]


def test_a_word_of_a_few_of_many_names_nothing() -> None:
    entries = [video("Wolf" if n < 2 else f"x{n}", 0, n, categories=(), moods=()) for n in range(20)]
    entries += [video(f"y{n}", 1, n, categories=(), moods=()) for n in range(20)]
    assert [name.words for name in names_of(entries, [0] * 20 + [1] * 20)] == [(), ()]


def test_how_likely_a_draw_is_by_chance() -> None:
    drawn = list(combinations(range(9), 4))
    for count in range(6):
        often = sum(sum(one < 5 for one in draw) >= count for draw in drawn)
        assert chance(count, 4, 5, 9) == pytest.approx(often / len(drawn))
    assert 0 < chance(900, 1_000, 3_000, 4_000) < 1e-9
