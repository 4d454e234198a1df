"""Composition, relevance, moments, taste and variety, over the fakes."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from core.discover import taxonomy
from core.discover.composition import Part, compose, fixed_texts, unit
from core.discover.search import Discover
from core.discover.streams import WINDOW
from core.errors import QueryError
from core.models import Query
from core.state.sqlite import SqliteShelf
from core.state.taste import TasteBook
from tests.fakes import FAKE_INFO, FakeEncoder, MemoryIndex, MemoryStore, make_entries

# Wide enough that two words do not share a place by chance.
INFO = replace(FAKE_INFO, dimension=2048)
TITLES = ("animals joyful", "animals", "joyful", "quarterly report")


class Labelling(MemoryIndex):
    """An index into which videos come with their labels, as ingest writes them, once `discover` is set."""

    discover: Discover | None = None

    def upsert(self, entries):
        entries = list(entries)
        if self.discover is not None and entries[0].scope == "video":
            entries = self.discover.with_labels(entries)
        super().upsert(entries)


labels = {"said": False}


@pytest.fixture(autouse=True, params=[False, True], ids=["looked-at", "labelled"])
def with_labels(request):
    """Run each test over a library without labels, as releases before left it, and over one with them."""
    labels["said"] = request.param
    yield
    labels["said"] = False


def build(tmp_path, titles=TITLES, **changes):
    index = Labelling(INFO)
    discover = Discover(
        encoder=FakeEncoder(INFO),
        index=index,
        store=MemoryStore(),
        taxonomy=taxonomy.load(),
        taste=TasteBook(SqliteShelf(tmp_path / "taste.sqlite3", "taste")),
    )
    index.discover = discover if labels["said"] else None
    for title in titles:
        index.upsert(make_entries(title, clips=3, info=INFO, **changes))
    return discover


@pytest.fixture
def discover(tmp_path):
    return build(tmp_path)


def titles(results):
    return [hit.title for hit in results.hits]


def id_of(discover, title):
    return next(entry.video_id for entry in discover.index.scroll(scope="video") if entry.title == title)


# Composition


def test_a_category_finds_its_videos_and_nothing_else(discover):
    assert set(titles(discover.search(Query(categories=("animals",))))) == {"animals", "animals joyful"}


def test_a_mood_beside_a_category_orders_but_does_not_let_others_in(discover):
    found = titles(discover.search(Query(categories=("animals",), moods=("joyful",))))
    assert found[0] == "animals joyful"
    assert "joyful" not in found


def test_strength_moves_from_category_only_to_mood_only(discover):
    def found(strength):
        return titles(discover.search(Query(categories=("animals",), moods=("joyful",), strength=strength)))

    assert found(0.0) == titles(discover.search(Query(categories=("animals",))))
    assert found(1.0) == titles(discover.search(Query(moods=("joyful",))))


def test_strength_moves_a_score_without_jumps(discover):
    scores = []
    for strength in np.linspace(0, 0.7, 29):
        hits = discover.search(Query(categories=("animals",), moods=("joyful",), strength=float(strength))).hits
        scores.append(next(hit.score for hit in hits if hit.title == "animals joyful"))
    assert np.abs(np.diff(scores)).max() < 0.05


def test_several_categories_are_alternatives(tmp_path):
    discover = build(tmp_path, ("animals", "food", "quarterly report"))
    assert set(titles(discover.search(Query(categories=("animals", "food"))))) == {"animals", "food"}


def test_words_find_titles(discover):
    assert titles(discover.search(Query(text="quarterly"))) == ["quarterly report"]


def test_a_theme_is_encoded_once(discover):
    discover.search(Query(categories=("animals",)))
    asked = len(discover.encoder.texts)
    discover.search(Query(categories=("animals",)))
    assert len(discover.encoder.texts) == asked


def test_what_is_encoded_for_buttons_is_known_beforehand(discover):
    discover.counts()
    discover.search(Query(moods=("calm",)))
    asked = set(discover.encoder.texts)
    assert {"Animals", "Calm"} <= asked <= set(fixed_texts(discover.taxonomy))


def test_composition_is_linear_and_of_length_one():
    first, second = unit(np.array([1.0, 0, 0])), unit(np.array([0, 1.0, 0]))
    whole = compose([Part("category", "a", first, 0.75), Part("mood", "b", second, 0.25)])
    assert np.linalg.norm(whole) == pytest.approx(1)
    assert whole[0] / whole[1] == pytest.approx(3)


# Relevance


def test_nothing_is_made_up(discover):
    for text in ("xylophone", "!!!"):
        results = discover.search(Query(text=text))
        assert (results.hits, results.total) == ((), 0)


def test_when_nothing_fits_the_nearest_categories_with_something_are_named(tmp_path):
    discover = build(tmp_path, ("nature", "food"))
    for words, nearest in (("nature", ("nature", "food")), ("food", ("food", "nature"))):
        results = discover.search(Query(categories=("sci-fi",), text=words))
        assert (results.hits, results.alternatives) == ((), nearest)
    results = discover.search(Query(categories=("sci-fi",)))
    assert not results.hits
    assert set(results.alternatives) == {"nature", "food"}


def test_a_filter_that_asks_for_nothing_is_none(discover):
    asked = Query(text="xylophone", filters={"language": ()}, limit=1)
    found = []
    asking = threading.Thread(target=lambda: found.append(discover.search(asked)), daemon=True)
    asking.start()
    asking.join(120)
    assert [results.hits for results in found] == [()]
    assert found[0].alternatives == discover.search(replace(asked, filters={})).alternatives


def test_counts_are_what_a_press_finds(discover):
    counts = discover.counts()
    assert counts["animals"] == len(discover.search(Query(categories=("animals",))).hits) == 2
    assert counts["sci-fi"] == 0


def test_counts_follow_the_library(discover):
    discover.counts()
    discover.index.upsert(make_entries("food", info=INFO))
    assert discover.counts()["food"] == 1


def test_counts_follow_a_library_that_stays_as_large(discover):
    assert discover.counts()["animals"] == 2
    discover.index.delete(id_of(discover, "animals"))
    discover.index.upsert(make_entries("food", info=INFO))
    counts = discover.counts()
    assert (counts["animals"], counts["food"]) == (1, 1)


def test_what_is_usual_follows_a_library_that_stays_as_large(discover):
    query = Query(like=id_of(discover, "animals"))
    discover.search(query)
    for title in ("joyful", "quarterly report"):
        discover.index.delete(id_of(discover, title))
        discover.index.upsert(make_entries(f"animals and {title}", info=INFO))
    fresh = Discover(encoder=discover.encoder, index=discover.index, store=MemoryStore(), taxonomy=discover.taxonomy)
    assert [hit.score for hit in discover.search(query).hits] == [hit.score for hit in fresh.search(query).hits]


def test_labels_stay_when_the_library_grows(discover):
    before = {hit.title: hit.confidence for hit in discover.search(Query(categories=("animals",))).hits}
    for number in range(40):
        discover.index.upsert(make_entries(f"animals number {number}", info=INFO))
    after = {hit.title: hit.confidence for hit in discover.search(Query(categories=("animals",), limit=100)).hits}
    assert before.keys() == {"animals", "animals joyful"}
    assert before.items() <= after.items()


def test_a_hit_says_why_and_where(discover):
    query = Query(categories=("animals",), moods=("joyful",), text="animals joyful")
    hit = discover.search(query).hits[0]
    assert [reason.kind for reason in hit.reasons] == ["category", "words", "mood"]
    assert all(reason.score > 0 and reason.share > 0 for reason in hit.reasons)
    assert hit.moments
    assert hit.start_s == hit.moments[0].start_s
    assert hit.confidence in ("high", "medium", "low")


def test_shares_add_up_to_the_cosine(discover):
    query = Query(categories=("animals",), moods=("joyful",))
    parts = discover.parts(query)
    fit = discover.candidates(parts, pool=10)
    hit = discover.search(query).hits[0]
    column = next(i for i, entry in enumerate(fit.entries) if entry.video_id == hit.video_id)
    assert sum(reason.share for reason in hit.reasons) == pytest.approx(float(fit.vectors[column] @ compose(parts)))


# Likeness


def test_more_like_this_leaves_the_video_itself_out(discover):
    results = discover.search(Query(like=id_of(discover, "animals")))
    assert titles(results)[0] == "animals joyful"
    assert "animals" not in titles(results)


def test_more_like_a_moment_starts_from_its_clip(discover):
    video = id_of(discover, "animals")
    assert "animals" not in titles(discover.search(Query(like=video, like_at_s=3.0)))
    end_s = max(entry.end_s for entry in discover.index.scroll(video_id=video))
    assert titles(discover.search(Query(like=video, like_at_s=end_s))), "the last moment is its last clip's"
    with pytest.raises(QueryError, match=f"ends after {end_s:.0f} s"):
        discover.search(Query(like=video, like_at_s=999.0))
    with pytest.raises(QueryError, match="no longer"):
        discover.search(Query(like="nobody", like_at_s=3.0))


def test_likeness_can_be_tinted_by_a_mood(discover):
    results = discover.search(Query(like=id_of(discover, "animals"), moods=("joyful",)))
    assert titles(results)[0] == "animals joyful"


def test_what_is_similar_is_worked_out_once_for_each_state_of_the_library(discover, monkeypatch):
    search, asked = discover.index.search, []
    monkeypatch.setattr(discover.index, "search", lambda *what, **how: (asked.append(what), search(*what, **how))[1])
    animals = id_of(discover, "animals")
    first = discover.similar(animals)
    first.clear()  # what one does with an answer is nothing to the next
    assert len(discover.similar(animals)) == 3
    assert len(asked) == 1
    discover.index.delete(discover.similar(animals)[0].video_id)
    discover.similar(animals)
    assert len(asked) == 2


def test_similar_show_and_browse_know_the_library(discover):
    found = discover.similar(id_of(discover, "animals"), limit=2)
    assert len(found) == 2
    assert found[0].title == "animals joyful"
    assert discover.similar("nobody") == []
    some = discover.browse(2)
    assert (len(some.hits), some.total) == (2, len(TITLES))
    assert discover.show(some.hits[0].video_id) == some.hits[0]
    assert discover.show("nobody") is None


def test_the_library_is_browsed_newest_first_and_again_after_a_change(tmp_path):
    discover = build(tmp_path, ())
    for day, title in enumerate(("monday", "wednesday", "tuesday")):
        at = f"2026-01-0{(0, 2, 1)[day] + 1}T00:00:00+00:00"
        discover.index.upsert([replace(entry, ingested_at=at) for entry in make_entries(title, info=INFO)])
    assert titles(discover.browse(10)) == ["wednesday", "tuesday", "monday"]
    assert titles(discover.browse(1)) == ["wednesday"]
    discover.index.delete(id_of(discover, "wednesday"))
    assert titles(discover.browse(10)) == ["tuesday", "monday"]


def test_a_large_library_is_browsed_newest_first_to_its_end(tmp_path):
    discover = build(tmp_path, ())
    for number in range(WINDOW + 30):
        at = f"2026-01-01T00:{number // 60:02d}:{number % 60:02d}+00:00"
        discover.index.upsert(make_entries(f"video {number}", clips=1, info=INFO, ingested_at=at))
    found, offset = [], 0
    while offset is not None:
        some = discover.browse(50, offset)
        assert some.total == WINDOW + 30
        found += titles(some)
        offset = some.next_offset
    assert found == [f"video {number}" for number in reversed(range(WINDOW + 30))]


def test_what_most_of_a_library_shows_strikes_in_none_of_its_videos(tmp_path):
    discover = build(tmp_path, ())
    seen = ("loud", "dark", "green")
    assert discover.striking(seen) == seen, "nothing to compare with"
    for n in range(12):
        words = ("loud", "dark") if n < 4 else ("loud", "green") if n == 5 else ("loud",)
        discover.index.upsert([replace(entry, seen=words) for entry in make_entries(f"video {n}", info=INFO)])
    assert discover.striking(seen) == ("dark", "green")
    assert discover.striking(("never seen", "loud")) == ("never seen",)


# Taste


def test_likes_lift_their_kind_and_dislikes_sink_theirs(tmp_path):
    kinds = [f"animals {kind} {n}" for kind in ("meadow", "harbour") for n in range(5)]
    discover = build(tmp_path, kinds)
    query = Query(categories=("animals",), profile="Ada", limit=20)
    before = titles(discover.search(query))
    assert sorted(before) == sorted(kinds)

    def mean_rank(found, kind):
        return np.mean([rank for rank, title in enumerate(found) if kind in title])

    # Like the kind that comes later without a taste, so that there is somewhere to rise to.
    leading, trailing = sorted(("meadow", "harbour"), key=lambda kind: mean_rank(before, kind))
    for number in range(3):
        discover.taste.mark("Ada", id_of(discover, f"animals {trailing} {number}"), "like")
    for number in range(2):
        discover.taste.mark("Ada", id_of(discover, f"animals {leading} {number}"), "dislike")
    results = discover.search(query)
    after = titles(results)
    assert set(after) == set(before)
    assert mean_rank(after, trailing) < mean_rank(before, trailing)
    assert mean_rank(after, trailing) < mean_rank(after, leading)
    assert any(reason.kind == "taste" for reason in results.hits[0].reasons)
    assert titles(discover.search(replace(query, profile="Bob"))) == before


def test_for_you_when_nothing_else_is_asked(discover):
    with pytest.raises(QueryError, match="nothing to search for"):
        discover.search(Query(profile="Ada"))
    discover.taste.mark("Ada", id_of(discover, "animals"), "like")
    results = discover.search(Query(profile="Ada"))
    assert {"animals", "animals joyful"} <= set(titles(results)[:2])
    assert results.hits[0].confidence is None


def test_hiding_what_was_seen_never_empties_the_page(discover):
    query = Query(categories=("animals",), profile="Ada", hide_seen=True)
    discover.taste.mark("Ada", id_of(discover, "animals"), "seen")
    assert titles(discover.search(query)) == ["animals joyful"]
    discover.taste.mark("Ada", id_of(discover, "animals joyful"), "seen")
    results = discover.search(query)
    assert len(results.hits) == 2
    assert results.all_seen


def test_marks_of_videos_that_left_are_no_trouble(discover):
    discover.taste.mark("Ada", "11111111-1111-5111-8111-111111111111", "like")
    assert not discover.knows_taste("Ada")
    assert titles(discover.search(Query(categories=("animals",), profile="Ada")))


# Filters, order, variety


def test_filters_and_facets(tmp_path):
    discover = build(tmp_path, ("animals one", "animals two"), has_audio=False)
    discover.index.upsert(make_entries("animals three", clips=8, info=INFO, width_px=180, height_px=320))
    results = discover.search(Query(categories=("animals",)))
    assert results.facets["length"] == {"under-10s": 2, "10s-1min": 1, "1-10min": 0, "over-10min": 0}
    assert results.facets["shape"] == {"landscape": 2, "portrait": 1, "square": 0}
    assert results.facets["sound"] == {"with-sound": 1, "silent": 2}
    for filters in ({"sound": ("with-sound",)}, {"shape": ("portrait",)}, {"length": ("10s-1min",), "shape": ()}):
        filtered = discover.search(Query(categories=("animals",), filters=filters))
        assert titles(filtered) == ["animals three"]
        assert filtered.total == 1
        # Each with the filters for the others: what would be left by pressing it beside them.
        for name, counts in filtered.facets.items():
            others = {other: values for other, values in filters.items() if other != name and values}
            assert counts == discover.search(Query(categories=("animals",), filters=others)).facets[name]
    filtered = discover.search(Query(categories=("animals",), filters={"sound": ("with-sound",)}))
    assert filtered.facets["sound"] == results.facets["sound"]
    assert filtered.facets["shape"] == {"landscape": 0, "portrait": 1, "square": 0}


def test_languages_of_subtitles_are_counted_and_filter(tmp_path):
    discover = build(tmp_path, ("animals none", "quarterly report"))
    assert discover.search(Query(categories=("animals",))).facets["language"] == {}
    for number, languages in enumerate((("de",), ("en", "pt-br"), ("pt", "en"), ("en",))):
        discover.index.upsert(make_entries(f"animals {number}", info=INFO, subtitle_languages=languages))
    results = discover.search(Query(categories=("animals",)))
    assert list(results.facets["language"].items()) == [("en", 3), ("pt", 2), ("de", 1), ("pt-br", 1)]
    for wanted, expected in {("de",): "0", ("pt",): "12", ("pt-br",): "1", ("de", "pt-br"): "01", ("ja",): ""}.items():
        filtered = discover.search(Query(categories=("animals",), filters={"language": wanted}))
        assert sorted(titles(filtered)) == [f"animals {number}" for number in expected]
        assert filtered.facets["language"] == results.facets["language"]


@pytest.mark.parametrize("variety", [0.0, 1.0])
def test_filters_that_leave_nothing_are_no_trouble_for_taste_and_variety(discover, variety):
    discover.taste.mark("Ada", id_of(discover, "animals"), "like")
    nothing = {"length": ("over-10min",)}
    query = Query(categories=("animals",), profile="Ada", filters=nothing, variety=variety)
    results = discover.search(query)
    assert (results.hits, results.total) == ((), 0)
    assert results.facets["length"]["under-10s"] == 2


def test_sorting_keeps_what_fits(tmp_path):
    discover = build(tmp_path, ("quarterly report",))
    for number in (3, 1, 2):
        time = f"2026-11-0{number}T08:00:00+00:00"
        discover.index.upsert(make_entries(f"animals {number}", clips=number, info=INFO, ingested_at=time))
    for sort, expected in {"newest": "321", "oldest": "123", "shortest": "123", "longest": "321"}.items():
        found = titles(discover.search(Query(categories=("animals",), sort=sort)))
        assert found == [f"animals {number}" for number in expected]


def test_copies_are_folded_into_one_card(discover):
    vectors = [entry.vector for entry in make_entries("animals", info=INFO)]
    discover.index.upsert(make_entries("animals again", vectors=vectors, info=INFO))
    hits = discover.search(Query(categories=("animals",))).hits
    assert {(hit.title, hit.copies) for hit in hits if hit.copies} & {
        ("animals", ("animals again",)),
        ("animals again", ("animals",)),
    }
    assert len(hits) == 2


def test_offset_and_limit_walk_through_the_same_list(discover):
    whole = titles(discover.search(Query(categories=("animals",), limit=2)))
    assert titles(discover.search(Query(categories=("animals",), limit=1))) == whole[:1]
    assert titles(discover.search(Query(categories=("animals",), limit=1, offset=1))) == whole[1:]
    assert discover.search(Query(categories=("animals",), limit=1)).total == 2


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (Query(), "nothing to search for"),
        (Query(text="   "), "nothing to search for"),
        (Query(categories=("grumpy",)), "animals"),
        (Query(moods=("grumpy",)), "joyful"),
        (Query(text="x", limit=0), "limit"),
        (Query(text="x", limit=101), "limit"),
        (Query(text="x" * 501), "500"),
        (Query(text="x", strength=1.5), "strength"),
        (Query(text="x", variety=-1), "variety"),
        (Query(like="nobody"), "no longer in the library"),
    ],
)
def test_a_wrong_query_gets_a_sentence(discover, query, words):
    with pytest.raises(QueryError, match=words):
        discover.search(query)
