"""Shelves: what a library is strong in, found with few searches and only when the library changed."""

from __future__ import annotations

from core.discover.shelves import CATEGORIES, LEAST, LENGTH, SHELVES, TRIED, shelves
from core.models import Query
from tests.discover.test_search import INFO, build, id_of
from tests.fakes import make_entries

CALM_NATURE = tuple(f"nature calm {n}" for n in range(LEAST))
TENSE_FOOD = tuple(f"food tense {n}" for n in range(LEAST + 1))


def counted(discover, monkeypatch):
    """Return a list to which every search of the index is noted from now on."""
    asked, search = [], discover.index.search
    monkeypatch.setattr(discover.index, "search", lambda *args, **more: (asked.append(1), search(*args, **more))[1])
    return asked


def test_pairs_that_many_videos_answer_are_shelves_the_fullest_first(tmp_path):
    discover = build(tmp_path, (*CALM_NATURE, *TENSE_FOOD, "quarterly report"))
    found = shelves(discover)
    assert [(shelf.category, shelf.mood) for shelf in found[:2]] == [("food", "tense"), ("nature", "calm")]
    assert {hit.title for hit in found[0].hits} == set(TENSE_FOOD)
    assert {hit.title for hit in found[1].hits} == set(CALM_NATURE)


def test_what_few_videos_answer_is_no_shelf(tmp_path):
    assert shelves(build(tmp_path, CALM_NATURE[: LEAST - 1])) == ()
    assert shelves(build(tmp_path, ("quarterly report",))) == ()
    assert shelves(build(tmp_path, ())) == ()


def test_a_category_in_which_no_mood_stands_out_is_a_shelf_of_its_own(tmp_path):
    discover = build(tmp_path, tuple(f"nature {n}" for n in range(LEAST)))
    assert [(shelf.category, shelf.mood) for shelf in shelves(discover)] == [("nature", None)]


def test_a_mood_that_only_some_of_a_category_have_shows_only_those(tmp_path):
    discover = build(tmp_path, (*CALM_NATURE, "nature tense", "nature 1", "nature 2"))
    (shelf,) = [shelf for shelf in shelves(discover) if shelf.mood == "calm"]
    assert {hit.title for hit in shelf.hits} == set(CALM_NATURE)


def test_no_category_and_no_mood_comes_twice(tmp_path):
    moods = ("calm", "tense", "joyful")
    kinds = ("nature", "food", "animals", "music", "sports", "travel")
    titles = [f"{kind} {mood} {n}" for kind in kinds for mood in moods for n in range(LEAST)]
    found = shelves(build(tmp_path, titles))
    assert len(found) == SHELVES
    assert len({shelf.category for shelf in found}) == SHELVES
    named = [shelf.mood for shelf in found if shelf.mood]
    assert len(named) == len(set(named)) == len(moods)
    assert all(LEAST <= len(shelf.hits) <= LENGTH for shelf in found)


def test_they_are_worked_out_once_for_each_state_of_the_library(tmp_path, monkeypatch):
    discover = build(tmp_path, CALM_NATURE)
    asked = counted(discover, monkeypatch)
    first = shelves(discover)
    full = len(asked)
    # Two searches and one for the moments for each pair looked at, two for each category's count and for its moods.
    assert full <= 3 * TRIED + 2 * (CATEGORIES + len(discover.taxonomy.categories))
    assert shelves(discover) == first
    assert len(asked) - full <= 3 * len(first)
    for n in range(LEAST + 1):
        discover.index.upsert(make_entries(f"food tense {n}", clips=3, info=INFO))
    assert shelves(discover)[0].category == "food"
    discover.index.delete(id_of(discover, "food tense 0"))
    discover.index.delete(id_of(discover, "food tense 1"))
    assert all(shelf.category != "food" for shelf in shelves(discover))


def test_a_shelf_is_in_the_order_of_who_looks(tmp_path):
    discover = build(tmp_path, CALM_NATURE)
    (shelf,) = shelves(discover)
    assert not any(reason.kind == "taste" for hit in shelf.hits for reason in hit.reasons)
    discover.taste.mark("Ada", shelf.hits[-1].video_id, "like")
    (hers,) = shelves(discover, profile="Ada")
    asked = discover.search(Query(categories=("nature",), moods=("calm",), profile="Ada"))
    assert hers.hits == asked.hits
    assert all(hit.reasons[-1].kind == "taste" for hit in hers.hits)
