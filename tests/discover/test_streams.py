"""All that answers comes, each once, in the order asked for, with exact totals: against going through the library."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.discover import taxonomy
from core.discover.search import Discover
from core.discover.streams import WINDOW
from core.models import Query
from core.properties import PROPERTIES
from core.serving.routes import routes
from core.state.sqlite import SqliteShelf
from core.state.taste import TasteBook
from tests.fakes import FAKE_INFO, FakeEncoder, MemoryIndex, MemoryStore, make_entries

INFO = replace(FAKE_INFO, dimension=1024)
KINDS = ("nature", "food", "animals", "quarterly")
MOODS = ("calm", "tense", "")
VIDEOS = 400
SORTED_BY = {
    "newest": lambda hit: hit.ingested_at,
    "oldest": lambda hit: hit.ingested_at,
    "shortest": lambda hit: hit.duration_s,
    "longest": lambda hit: hit.duration_s,
}


class Counting(MemoryIndex):
    """An index that tells how often it was asked."""

    def __init__(self, info) -> None:
        super().__init__(info)
        self.asked: list[str] = []

    def search(self, *args, **more):
        self.asked.append("search")
        return super().search(*args, **more)

    def scroll(self, **more):
        self.asked.append("scroll")
        return super().scroll(**more)


def filled(tmp_path, *, labelled: bool, videos: int = VIDEOS) -> Discover:
    """Return Discover over videos without files, half of them nature, one in twenty portrait."""
    index = Counting(INFO)
    discover = Discover(
        encoder=FakeEncoder(INFO),
        index=index,
        store=MemoryStore(),
        taxonomy=taxonomy.load(),
        taste=TasteBook(SqliteShelf(tmp_path / "taste.sqlite3", "taste")),
    )
    chance = random.Random(3)
    entries = []
    for number in range(videos):
        kind = "nature" if number % 2 else chance.choice(KINDS)
        shape = {"width_px": 90, "height_px": 160} if number % 20 == 1 else {}
        own = make_entries(
            f"{kind} {chance.choice(MOODS)} clip{number} take{number}",
            clips=1,
            info=INFO,
            has_audio=number % 3 > 0,
            ingested_at=f"2026-01-{1 + number % 28:02d}T00:00:00+00:00",
            subtitle_languages=(("de",), ("pt-br", "en"), ())[number % 3],
            **shape,
        )
        # Lengths of a few seconds to many minutes, some of them the same.
        own = [replace(entry, duration_s=float(1 + number * 7 % 700)) for entry in own]
        entries += discover.with_labels(own) if labelled else own
    index.upsert(entries)
    return discover


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return filled(tmp_path_factory.mktemp("labelled"), labelled=True)


@pytest.fixture(scope="module")
def unlabelled(tmp_path_factory):
    return filled(tmp_path_factory.mktemp("looked-at"), labelled=False)


def pages(discover, query):
    """Return the results of all pages of a question, to the end."""
    found, offset = [], query.offset
    while offset is not None:
        found.append(discover.search(replace(query, offset=offset)))
        offset = found[-1].next_offset
        assert len(found) <= VIDEOS
    return found


def ids(results):
    return [hit.video_id for page in results for hit in page.hits]


def wholes(discover):
    return list(discover.index.scroll(scope="video"))


def answering(discover, query, marks=frozenset()):
    """Return the videos that answer, by going through all of them."""
    return [
        entry
        for entry in wholes(discover)
        if (not query.categories or set(query.categories) & set(entry.categories))
        and (query.categories or not query.moods or set(query.moods) & set(entry.moods))
        and all(PROPERTIES[name].of(entry) & set(values) for name, values in query.filters.items())
        and entry.video_id not in marks
    ]


def looked_at(discover, query):
    """Return the videos that answer when the whole library is looked at."""
    parts = discover.parts(query)
    near = discover.candidates(parts, VIDEOS)
    assert len(near.entries) == VIDEOS
    standings = near.standings.max(axis=0)
    return [entry for entry, one in zip(near.entries, standings, strict=True) if one >= INFO.calibration.fits]


def test_a_category_with_a_filter_finds_all_of_the_library_over_http(library):
    class Services:
        discover = library

    client = TestClient(Starlette(routes=routes(Services)))
    wanted = {e.video_id for e in wholes(library) if e.height_px > e.width_px and "nature" in e.categories}
    assert len(wanted) == VIDEOS // 20
    asked = {"category": "nature", "shape": "portrait", "limit": 7}
    found, cursor = [], ""
    for _ in range(VIDEOS):
        answer = client.post("/search", json={**asked, "cursor": cursor})
        assert answer.headers["x-total-count"] == str(len(wanted))
        assert answer.headers["x-total-exact"] == "true"
        found += [hit["video_id"] for hit in answer.json()]
        cursor = answer.headers.get("x-next-cursor")
        if cursor is None:
            break
    assert sorted(found) == sorted(wanted)
    by_offset = [client.post("/search", json={**asked, "offset": start}).json() for start in range(0, 28, 7)]
    assert [hit["video_id"] for page in by_offset for hit in page] == found
    assert client.post("/search", json={**asked, "cursor": "behind"}).status_code == 400


def test_what_is_asked_is_answered_as_by_going_through_the_library(library):
    chance = random.Random(11)
    filters = {"shape": ("portrait",), "sound": ("silent",), "length": ("under-10s", "1-10min"), "language": ("pt",)}
    seen = frozenset(chance.sample([entry.video_id for entry in wholes(library)], 60))
    for id_ in seen:
        library.taste.mark("Ada", id_, "seen")
    for _ in range(20):
        categories = tuple(chance.sample(("nature", "food", "animals"), chance.randrange(3)))
        moods = tuple(chance.sample(("calm", "tense"), chance.randrange(2))) if categories else ("calm",)
        query = Query(
            categories=categories,
            moods=moods,
            filters={name: filters[name] for name in chance.sample(list(filters), chance.randrange(3))},
            sort=chance.choice(("match", *SORTED_BY)),
            profile="Ada",
            hide_seen=chance.random() < 0.3,
            variety=chance.choice((0.0, 0.0, 0.6)),
            limit=chance.choice((23, 60, 100)),
            fold=False,
        )
        hidden = seen if query.hide_seen else frozenset()
        expected = answering(library, query, hidden)
        results = pages(library, query)
        assert sorted(ids(results)) == sorted(entry.video_id for entry in expected), query
        if results[0].all_seen:
            continue
        assert {(page.total, page.exact) for page in results} == {(len(expected), True)}
        assert all(len(page.hits) == query.limit for page in results[:-1])
        hits = [hit for page in results for hit in page.hits]
        if query.sort in SORTED_BY:
            values = [SORTED_BY[query.sort](hit) for hit in hits]
            assert values == sorted(values, reverse=query.sort in ("newest", "longest"))
        elif len(query.categories + query.moods) == 1 and not query.variety:
            standings = [hit.reasons[0].standing for hit in hits]
            assert all(one >= other - 2e-3 for one, other in pairwise(standings))
        for name, row in PROPERTIES.items():
            others = {other: values for other, values in query.filters.items() if other != name}
            left = answering(library, replace(query, filters=others), hidden)
            counted = Counter(value for entry in left for value in row.of(entry))
            assert {value: n for value, n in results[0].facets[name].items() if n} == dict(counted), (query, name)


def test_the_numbers_on_buttons_are_what_a_press_finds_with_the_filters_there_are(library):
    for filters in ({}, {"shape": ("portrait",)}, {"sound": ("silent",), "language": ("en",)}):
        counts = library.counts(filters)
        assert counts.keys() == {theme.id for theme in library.taxonomy.categories}
        for id_ in ("nature", "food", "animals", "sci-fi"):
            query = Query(categories=(id_,), filters=filters)
            assert counts[id_] == library.search(query).total == len(answering(library, query))


@pytest.mark.parametrize("variety", [0.0, 0.8])
def test_a_page_may_begin_anywhere(library, variety):
    query = Query(categories=("nature",), moods=("calm",), variety=variety, limit=50, fold=False)
    whole = ids(pages(library, query))
    assert len(whole) > 2 * WINDOW
    for offset in (1, WINDOW - 3, 2 * WINDOW + 5):
        fresh = Discover(encoder=library.encoder, index=library.index, store=library.store, taxonomy=library.taxonomy)
        found = [hit.video_id for hit in fresh.search(replace(query, offset=offset, limit=20)).hits]
        assert found == whole[offset : offset + 20]
    assert library.search(replace(query, offset=len(whole))).hits == ()


def test_copies_are_folded_page_by_page_and_none_is_lost(tmp_path):
    discover = filled(tmp_path, labelled=True, videos=250)
    first = [entry for entry in wholes(discover) if "nature" in entry.categories][:40]
    for whole in first:
        vectors = [entry.vector for entry in discover.index.scroll(video_id=whole.video_id)]
        copy = make_entries(f"again {whole.title}", vectors=sorted(vectors, key=str), info=INFO)
        copy = [replace(entry, duration_s=whole.duration_s) for entry in copy]
        discover.index.upsert(discover.with_labels(copy))
    for variety in (0.0, 0.7):
        query = Query(categories=("nature",), limit=30, variety=variety)
        results = pages(discover, query)
        hits = [hit for page in results for hit in page.hits]
        titles = Counter(title for hit in hits for title in (hit.title, *hit.copies))
        assert set(titles.values()) == {1}
        assert titles.keys() == {entry.title for entry in answering(discover, query)}
        assert {page.total for page in results} == {len(titles)}
        assert sum(bool(hit.copies) for hit in hits) >= 30


def test_a_taste_orders_and_loses_nothing(library):
    some = [entry.video_id for entry in wholes(library) if "nature" in entry.categories]
    for id_ in some[:3]:
        library.taste.mark("Bob", id_, "like")
    query = Query(categories=("nature",), profile="Bob", limit=60, fold=False)
    assert sorted(ids(pages(library, query))) == sorted(some)
    assert ids(pages(library, query)) != ids(pages(library, replace(query, profile=None)))
    yours = pages(library, Query(profile="Bob", limit=100, fold=False, filters={"shape": ("portrait",)}))
    assert sorted(ids(yours)) == sorted(e.video_id for e in wholes(library) if e.height_px > e.width_px)


@pytest.mark.parametrize("labelled", [True, False])
def test_typed_words_go_on_to_the_last_that_fits_with_the_filter_inside(library, unlabelled, labelled):
    discover = library if labelled else unlabelled
    at_once = looked_at(discover, Query(text="nature"))
    assert len(at_once) > 2 * WINDOW
    for filters in ({}, {"shape": ("portrait",)}):
        wanted = [entry.video_id for entry in at_once if not filters or entry.height_px > entry.width_px]
        results = pages(discover, Query(text="nature", filters=filters, limit=80, fold=False))
        assert sorted(ids(results)) == sorted(wanted)
        assert results[-1].total == len(wanted)
        newest = pages(discover, Query(text="nature", filters=filters, sort="newest", limit=80, fold=False))
        times = [hit.ingested_at for page in newest for hit in page.hits]
        assert len(times) == len(wanted)
        assert times == sorted(times, reverse=True)


def test_a_library_without_labels_answers_to_the_last_as_well(unlabelled):
    query = Query(categories=("nature",), limit=80, fold=False)
    wanted = looked_at(unlabelled, query)
    assert sorted(ids(pages(unlabelled, query))) == sorted(entry.video_id for entry in wanted)
    portrait = ids(pages(unlabelled, replace(query, filters={"shape": ("portrait",)})))
    assert sorted(portrait) == sorted(e.video_id for e in wanted if e.height_px > e.width_px)


def test_everything_comes_newest_first_when_nothing_is_asked(library):
    found, offset = [], 0
    while offset is not None:
        some = library.browse(90, offset)
        found += some.hits
        offset = some.next_offset
    assert len({hit.video_id for hit in found}) == len(found) == some.total == VIDEOS
    assert [hit.ingested_at for hit in found] == sorted((hit.ingested_at for hit in found), reverse=True)


# What an answer costs


def test_a_question_asked_again_costs_the_index_nothing_until_the_library_changes(tmp_path):
    discover = filled(tmp_path, labelled=True, videos=130)
    index, query = discover.index, Query(categories=("food",), filters={"sound": ("silent",)}, profile="Ada")
    first = discover.search(query)
    index.asked.clear()
    assert discover.search(query) is first
    assert discover.search(replace(query, profile="Bob")) is first, "without a taste all ask the same"
    assert index.asked == []
    index.upsert(discover.with_labels(make_entries("food", info=INFO, has_audio=False)))
    assert discover.search(query).total == first.total + 1


def test_a_hundred_who_ask_at_once_are_answered_by_one_search(tmp_path, monkeypatch):
    discover = filled(tmp_path, labelled=True, videos=130)
    query = Query(categories=("food",), moods=("calm",))
    discover.search(query)
    alone = len(discover.index.asked)
    discover.index.asked.clear()
    discover.index.upsert(discover.with_labels(make_entries("food calm", info=INFO)))
    discover.search(query)
    once = len(discover.index.asked)
    discover.index.upsert(discover.with_labels(make_entries("food calm again", info=INFO)))
    discover.index.asked.clear()
    begin, answers = threading.Barrier(100), []

    def ask():
        begin.wait()
        answers.append(discover.search(query))

    threads = [threading.Thread(target=ask) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 100
    assert len({id(answer) for answer in answers}) == 1
    assert len(discover.index.asked) == once <= alone


def test_a_taste_of_many_marks_is_read_at_once(tmp_path, monkeypatch):
    discover = filled(tmp_path, labelled=True, videos=130)
    for number, entry in enumerate(wholes(discover)[:120]):
        discover.taste.mark("Ada", entry.video_id, "like" if number % 2 else "dislike")
    asked, retrieve = [], discover.index.retrieve
    monkeypatch.setattr(
        discover.index, "retrieve", lambda ids, **more: (asked.append(len(ids)), retrieve(ids, **more))[1]
    )
    assert discover.knows_taste("Ada")
    assert asked == [100]
    assert discover.search(Query(profile="Ada")).hits
    assert len(asked) == 1


def test_a_card_reads_no_clips_where_the_typical_moment_is_known(library, monkeypatch):
    expected = {hit.video_id: (hit.start_s, hit.end_s) for hit in library.browse(20).hits}
    fresh = Discover(encoder=library.encoder, index=library.index, store=library.store, taxonomy=library.taxonomy)

    def refuse(*args, **more):
        raise AssertionError("clips were asked for")

    monkeypatch.setattr(library.index, "retrieve", refuse)
    monkeypatch.setattr(library.index, "search", refuse)
    assert {hit.video_id: (hit.start_s, hit.end_s) for hit in fresh.browse(20).hits} == expected


def test_searches_go_on_while_numbers_are_worked_out(unlabelled, monkeypatch):
    discover = Discover(
        encoder=unlabelled.encoder, index=unlabelled.index, store=unlabelled.store, taxonomy=unlabelled.taxonomy
    )
    before = discover.counts()
    discover.index.upsert(make_entries("food anew", info=INFO))
    inside, go_on, nearest = threading.Event(), threading.Event(), discover._candidates.nearest

    def slow(*args, **more):
        inside.set()
        assert go_on.wait(120)
        return nearest(*args, **more)

    monkeypatch.setattr(discover._candidates, "nearest", slow)
    counting = threading.Thread(target=discover.counts)
    counting.start()
    assert inside.wait(120)
    assert discover.search(Query(text="nature")).hits
    assert discover.counts() == before, "the numbers of before, until there are new ones"
    go_on.set()
    counting.join()
    assert discover.counts()["food"] == min(before["food"] + 1, 48)
