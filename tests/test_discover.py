"""Composition, relevance and moments, over the fakes."""

from dataclasses import replace

import numpy as np
import pytest

from core import taxonomy
from core.discover import WEIGHTS, Discover, Part, compose, ensemble, unit
from core.errors import QueryError
from core.models import Query
from tests.fakes import FAKE_INFO, FakeEncoder, MemoryIndex, MemoryStore, make_entries


@pytest.fixture
def discover():
    # Wide enough that two words do not share a place by chance.
    info = replace(FAKE_INFO, dimension=2048)
    encoder, index = FakeEncoder(info), MemoryIndex(info)
    for title in ("animals joyful", "animals", "joyful", "quarterly report"):
        index.upsert(make_entries(title, clips=3, info=info))
    return Discover(encoder=encoder, index=index, store=MemoryStore(), taxonomy=taxonomy.load())


def titles(hits):
    return [hit.title for hit in hits]


def test_a_category_finds_its_videos_and_nothing_else(discover):
    assert set(titles(discover.search(Query(category="animals")))) == {"animals", "animals joyful"}


def test_a_mood_beside_a_category_orders_but_does_not_let_others_in(discover):
    assert titles(discover.search(Query(category="animals", mood="joyful")))[0] == "animals joyful"
    assert "joyful" not in titles(discover.search(Query(category="animals", mood="joyful")))


def test_a_mood_alone_must_be_present(discover):
    assert set(titles(discover.search(Query(mood="joyful")))) == {"joyful", "animals joyful"}


def test_words_find_titles(discover):
    assert titles(discover.search(Query(text="quarterly"))) == ["quarterly report"]


def test_nothing_is_made_up(discover):
    assert discover.search(Query(text="xylophone")) == []
    assert discover.search(Query(text="!!!")) == []


def test_a_hit_says_why_and_where(discover):
    hit = discover.search(Query(category="animals", mood="joyful", text="animals joyful"))[0]
    assert [reason.kind for reason in hit.reasons] == ["category", "mood", "words"]
    assert all(reason.score > 0 for reason in hit.reasons)
    assert hit.moments
    assert hit.start_s == hit.moments[0].start_s
    assert hit.url
    assert hit.confidence in ("high", "medium", "low")


def test_offset_and_limit_walk_through_the_same_list(discover):
    whole = titles(discover.search(Query(category="animals", limit=2)))
    assert titles(discover.search(Query(category="animals", limit=1))) == whole[:1]
    assert titles(discover.search(Query(category="animals", limit=1, offset=1))) == whole[1:]


def test_an_ensemble_is_computed_once(discover):
    discover.search(Query(category="animals"))
    asked = len(discover.encoder.texts)
    discover.search(Query(category="animals"))
    assert len(discover.encoder.texts) == asked == len(discover.taxonomy.category("animals").prompts)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (Query(), "nothing to search for"),
        (Query(text="   "), "nothing to search for"),
        (Query(category="grumpy"), "animals"),
        (Query(mood="grumpy"), "joyful"),
        (Query(text="x", limit=0), "limit"),
        (Query(text="x", limit=101), "limit"),
        (Query(text="x" * 501), "500"),
    ],
)
def test_a_wrong_query_gets_a_sentence(discover, query, words):
    with pytest.raises(QueryError, match=words):
        discover.search(query)


def test_similar_leaves_the_video_itself_out(discover):
    first = discover.search(Query(text="quarterly"))[0]
    found = discover.similar(first.video_id, limit=2)
    assert len(found) == 2
    assert first.video_id not in {hit.video_id for hit in found}
    assert discover.similar("nobody") == []


def test_show_and_browse_know_the_library(discover):
    hits = discover.browse(2)
    assert len(hits) == 2
    assert discover.show(hits[0].video_id) == hits[0]
    assert discover.show("nobody") is None


def test_composition_is_linear_and_of_length_one():
    first, second = unit(np.array([1.0, 0, 0])), unit(np.array([0, 1.0, 0]))
    whole = compose([Part("category", "a", first), Part("mood", "b", second)])
    assert np.linalg.norm(whole) == pytest.approx(1)
    assert whole[0] / whole[1] == pytest.approx(WEIGHTS["category"] / WEIGHTS["mood"])
    assert not ensemble(np.zeros((2, 3), dtype=np.float32)).any()
