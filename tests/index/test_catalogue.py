"""What every index tells without comparing vectors, and what it filters by: run over each of them, as the contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from core.index import paging
from core.index.base import NEWEST, Index, Order, Where, id_of, place
from core.models import Counts, Entry
from tests.fakes import FAKE_INFO, make_entries
from tests.index.test_contract import OPENERS, random_vectors
from tests.servers.qdrant import QdrantServer

PORTRAIT = Where(any_of={"shape": ["portrait"]})
NATURE = Where(any_of={"categories": ["nature"]})


@pytest.fixture(scope="module")
def qdrant() -> Iterator[QdrantServer]:
    with QdrantServer() as server:
        yield server


@pytest.fixture(params=OPENERS)
def index(request: pytest.FixtureRequest, tmp_path: Path, qdrant: QdrantServer) -> Iterator[Index]:
    opened = OPENERS[request.param](tmp_path, FAKE_INFO, qdrant)
    yield opened
    opened.close()


def make_library(videos: int = 30) -> list[list[Entry]]:
    """Return videos whose durations, days and standings come several times each; every third stands upright, every
    second is nature, every seventh has a mood, every fifth is silent, and labels are missing for the last two."""
    vectors = random_vectors(videos * 3).reshape(videos, 3, -1)
    made = []
    for n in range(videos):
        labels: dict[str, object] = {
            "categories": tuple(kind for step, kind in ((2, "nature"), (3, "city"), (50, "people")) if n % step == 0),
            "moods": ("calm",) if n % 7 == 0 else (),
            "standings": {"nature": (n % 4) / 3, "city": 1.0} if n % 5 else {"city": 1.0},
            "labels_version": "new" if n % 2 else "old",
        }
        made.append(
            make_entries(
                f"Video {n}",
                vectors=vectors[n],
                duration_s=float(n % 4) + 0.1,
                ingested_at=f"2026-11-{1 + n % 6:02d}T08:00:00.{n % 2}00+00:00",
                width_px=90 if n % 3 == 0 else 160,
                height_px=120,
                has_audio=n % 5 > 0,
                subtitle_languages=("pt-br", "en") if n % 4 == 0 else (),
                subtitles="words",
                tags={"title": "t"},
                **(labels if n < videos - 2 else {}),
            )
        )
    return made


@pytest.fixture
def library(index: Index) -> list[Entry]:
    """Return the videos' own entries."""
    return fill(index)


@pytest.fixture(scope="module", params=OPENERS)
def kept(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, qdrant: QdrantServer
) -> Iterator[tuple[Index, list[Entry]]]:
    """Yield a library that tests only read, and the videos' own entries."""
    opened = OPENERS[request.param](tmp_path_factory.mktemp(f"kept-{request.param}"), FAKE_INFO, qdrant)
    yield opened, fill(opened)
    opened.close()


def fill(index: Index) -> list[Entry]:
    made = make_library()
    index.upsert([entry for video in made for entry in video])
    return [video[0] for video in made]


def ids(entries: object) -> list[str]:
    return [id_of(entry) for entry in entries]


def test_labels_come_back_as_they_were_written_and_standings_with_the_video_alone(index: Index) -> None:
    video = make_library(3)[0]
    index.upsert(video)
    (whole,), clips = index.scroll(scope="video"), list(index.scroll(scope="clip"))
    assert (whole.categories, whole.moods, whole.labels_version) == (("nature", "city", "people"), ("calm",), "old")
    assert whole.standings == {"city": 1.0}
    assert [(clip.categories, clip.moods, clip.standings) for clip in clips] == [
        (whole.categories, whole.moods, None)
    ] * 2
    index.upsert(make_entries("Nobody said"))
    (unsaid,) = index.scroll(video_id=make_entries("Nobody said")[0].video_id, scope="video")
    assert (unsaid.categories, unsaid.moods, unsaid.standings, unsaid.labels_version) == (None, None, None, None)


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        (PORTRAIT, lambda n: n % 3 == 0),
        (Where(any_of={"categories": ["nature"], "sound": ["silent"]}), lambda n: n % 10 == 0),
        (Where(any_of={"categories": ["nature", "city"]}), lambda n: n % 2 == 0 or n % 3 == 0),
        (Where(any_of={"language": ["pt"]}, none_of={"shape": ["portrait"]}), lambda n: n % 4 == 0 and n % 3 > 0),
        (Where(none_of={"labels_version": ["new"]}), lambda n: n % 2 == 0 or n >= 28),
        (Where(none_of={"video_id": [make_entries(f"Video {n}")[0].video_id for n in range(25)]}), lambda n: n >= 25),
        (Where(any_of={"categories": []}), lambda n: False),
        (Where(none_of={"categories": []}), lambda n: True),
        (Where(), lambda n: True),
    ],
    ids=["one", "two fields", "either", "none of", "missing", "ids", "of nothing", "of nobody", "nothing asked"],
)
def test_where_holds_for_everything_that_is_asked(
    kept: tuple[Index, list[Entry]], where: Where, wanted: Callable[[int], bool]
) -> None:
    index, library = kept
    unlabelled = {entry.video_id for entry in library[28:]}
    fitting = {entry.video_id for n, entry in enumerate(library) if wanted(n)}
    if "categories" in where.any_of:
        fitting -= unlabelled
    assert {entry.video_id for entry in index.scroll(where=where, scope="video")} == fitting
    assert Counter(entry.video_id for entry in index.scroll(where=where)) == dict.fromkeys(fitting, 3)
    assert index.count(where) == Counts(len(fitting), 2 * len(fitting))
    assert index.count() == Counts(30, 60)
    query = random_vectors(1, seed=99)[0]
    for how in ({}, {"scope": "video"}, {"scope": "clip", "per_video": 1}):
        everyone = [match.video_id for match in index.search(query, limit=30, **how)]
        expected = [video_id for video_id in everyone if video_id in fitting]
        assert [match.video_id for match in index.search(query, limit=30, where=where, **how)] == expected
        assert [match.video_id for match in index.search(query, limit=3, where=where, **how)] == expected[:3]


def test_facets_count_all_that_fit_exactly(kept: tuple[Index, list[Entry]]) -> None:
    index, library = kept
    labelled = library[:28]
    assert index.facets("categories") == Counter(kind for entry in labelled for kind in entry.categories)
    assert index.facets("shape") == {"portrait": 10, "landscape": 20}
    assert index.facets("language") == {"pt-br": 8, "pt": 8, "en": 8}
    assert index.facets("labels_version") == {"old": 14, "new": 14}
    assert index.facets("categories", PORTRAIT) == Counter(
        kind for entry in labelled if entry.width_px == 90 for kind in entry.categories
    )
    assert index.facets("moods", Where(none_of={"moods": ["calm"]})) == {}


@pytest.mark.parametrize(
    "order",
    [NEWEST, Order("duration_s", False), Order("standings.nature"), Order("standings.city", False)],
    ids=lambda order: order.field,
)
def test_an_order_is_whole_and_goes_on_from_any_place(kept: tuple[Index, list[Entry]], order: Order) -> None:
    """Equal values come by their ids, whatever the size of a page, so that each comes once."""
    index, library = kept
    having = [entry for entry in library if order.value(entry) is not None]
    expected = sorted(having, key=id_of)
    expected.sort(key=order.value, reverse=order.descending)
    assert ids(index.scroll(scope="video", order=order)) == ids(expected)
    for size in (3, 7):
        pages: list[Entry] = []
        while page := list(
            index.scroll(scope="video", order=order, after=place(pages[-1], order) if pages else None, limit=size)
        ):
            pages += page
        assert ids(pages) == ids(expected)
    some = [entry for entry in expected if entry.width_px == 90]
    after = place(expected[5], order)
    left = [entry for entry in expected[6:] if entry.width_px == 90]
    assert ids(index.scroll(scope="video", where=PORTRAIT, order=order)) == ids(some)
    assert ids(index.scroll(scope="video", where=PORTRAIT, order=order, after=after, limit=4)) == ids(left[:4])


def test_an_order_goes_on_when_the_last_one_is_gone_and_others_came(index: Index, library: list[Entry]) -> None:
    first = list(index.scroll(scope="video", order=NEWEST, limit=10))
    index.delete(first[-1].video_id)
    index.upsert(make_entries("Newer", ingested_at="2026-12-01T00:00:00.000+00:00"))
    rest = list(index.scroll(scope="video", order=NEWEST, after=place(first[-1], NEWEST)))
    assert len(rest) == 20
    assert {entry.video_id for entry in first + rest} == {entry.video_id for entry in library}


def test_a_time_that_is_written_in_another_way_is_the_same_time(index: Index) -> None:
    ways = ("2026-11-23T08:00:00+00:00", "2026-11-23T08:00:00.000+00:00", "2026-11-23T09:00:00+01:00")
    for n in range(6):
        index.upsert(make_entries(f"Video {n}", clips=0, ingested_at=ways[n % 3]))
    came: list[Entry] = []
    while page := list(index.scroll(order=NEWEST, after=place(came[-1], NEWEST) if came else None, limit=1)):
        came += page
        assert len(came) <= 6
    assert ids(came) == sorted(ids(came))
    assert len(came) == 6


def test_an_order_by_standings_that_nobody_has_is_empty(kept: tuple[Index, list[Entry]]) -> None:
    index, _ = kept
    assert list(index.scroll(scope="video", order=Order("standings.space"))) == []


def test_scrolling_by_ids_goes_on_from_a_place(kept: tuple[Index, list[Entry]]) -> None:
    index, _ = kept
    everything = ids(index.scroll())
    assert everything == sorted(everything)
    first = list(index.scroll(limit=7))
    assert ids(first) + ids(index.scroll(after=place(first[-1]))) == everything
    assert ids(index.scroll(after=place(first[-1]), limit=90)) == everything[7:]
    assert list(index.scroll(limit=0)) == []


def test_more_than_a_batch_of_one_value_comes_once_each(index: Index) -> None:
    index.upsert(make_entries("Long", vectors=random_vectors(600)))
    order = Order("duration_s")
    assert ids(index.scroll(scope="clip", order=order)) == ids(index.scroll(scope="clip"))
    assert len(list(islice(index.scroll(scope="clip", order=order), 300))) == 300


def test_vectors_and_texts_are_left_out_when_they_are_not_asked_for(kept: tuple[Index, list[Entry]]) -> None:
    index, _ = kept
    for how in ({}, {"order": NEWEST}):
        (whole,) = index.scroll(scope="video", limit=1, **how)
        assert (whole.subtitles, whole.tags, len(whole.vector)) == ("words", {"title": "t"}, 64)
        (brief,) = index.scroll(scope="video", limit=1, with_vectors=False, with_texts=False, **how)
        assert (brief.subtitles, brief.tags, len(brief.vector)) == (None, None, 0)
        assert (brief.title, brief.standings) == (whole.title, whole.standings)


def test_many_videos_are_read_in_the_order_of_their_ids(kept: tuple[Index, list[Entry]]) -> None:
    index, library = kept
    wanted = [library[n].video_id for n in (20, 3, 11, 3)]
    assert [entry.title for entry in index.retrieve([*wanted, "nobody"])] == ["Video 20", "Video 3", "Video 11"]
    assert index.retrieve([]) == []
    clips = index.retrieve(wanted, scope="clip", with_vectors=False)
    assert [(clip.title, clip.start_s) for clip in clips] == [
        (f"Video {n}", start_s) for n in (20, 3, 11) for start_s in (0.0, 2.0)
    ]
    assert {len(clip.vector) for clip in clips} == {0}
    (whole,) = index.retrieve(wanted[:1])
    assert whole.vector == pytest.approx(library[20].vector, abs=1e-6)
    everyone = index.retrieve([entry.video_id for entry in library] * 20)
    assert ids(everyone) == ids(library)


def test_labels_are_written_without_touching_anything_else(index: Index, library: list[Entry]) -> None:
    before = {id_of(entry): entry for entry in index.scroll()}
    version = index.version
    relabelled = [
        replace(
            entry,
            vector=np.zeros(0, np.float32),
            subtitles=None,
            tags=None,
            categories=("space",),
            moods=(),
            standings={"space": 1.5},
            labels_version="newer",
        )
        for entry in library[:10]
    ]
    index.label(relabelled)
    assert index.version != version
    assert index.facets("labels_version") == {"newer": 10, "old": 9, "new": 9}
    assert index.facets("categories", Where(any_of={"labels_version": ["newer"]})) == {"space": 10}
    assert index.count(Where(any_of={"categories": ["space"]})) == Counts(10, 20)
    labelled = {entry.video_id for entry in relabelled}
    for entry in index.scroll():
        was = before[id_of(entry)]
        assert entry.vector == pytest.approx(was.vector, abs=1e-7)
        if entry.video_id in labelled:
            assert (entry.categories, entry.moods, entry.labels_version) == (("space",), (), "newer")
            assert entry.standings == ({"space": 1.5} if entry.scope == "video" else None), "old ones are gone"
        else:
            assert (entry.categories, entry.standings) == (was.categories, was.standings)
        assert (entry.subtitles, entry.tags, entry.title) == (was.subtitles, was.tags, was.title)
    assert len(list(index.scroll(order=Order("standings.space")))) == 10


def test_a_video_that_is_gone_is_not_labelled_back(index: Index, library: list[Entry]) -> None:
    index.delete(library[0].video_id)
    index.label(library[:2])
    index.label([])
    assert index.count() == Counts(29, 58)
    assert list(index.scroll(video_id=library[0].video_id)) == []


def test_a_label_that_is_not_given_stays(index: Index, library: list[Entry]) -> None:
    index.label([replace(library[1], categories=None, moods=("calm",), standings=None, labels_version=None)])
    (whole,) = index.retrieve([library[1].video_id])
    assert (whole.categories, whole.moods) == (library[1].categories, ("calm",))
    assert (whole.standings, whole.labels_version) == (library[1].standings, "new")


def test_where_can_be_kept_by() -> None:
    one, other = (Where(any_of={"shape": values}) for values in (["a", "b"], ("b", "a", "a")))
    assert one == other
    assert len({one, other, Where(), Where(none_of={"shape": ["a"]})}) == 3


def test_a_page_asks_once_more_only_where_it_cuts_equal_ones() -> None:
    entries = [make_entries(f"Video {n}", clips=0, duration_s=float(n // 3))[0] for n in range(12)]
    order = Order("duration_s", descending=False)
    entries.sort(key=lambda entry: (entry.duration_s, id_of(entry)))
    asked: list[str] = []

    def beyond(value: float | str | None, size: int) -> list[Entry]:
        asked.append("beyond")
        return [entry for entry in entries if value is None or entry.duration_s > float(value)][:size]

    def tied(value: float | str, behind: str | None, size: int) -> list[Entry]:
        asked.append("tied")
        same = [entry for entry in entries if entry.duration_s == value]
        return [entry for entry in same if behind is None or id_of(entry) > behind][:size]

    def page(after: Entry | None, size: int) -> list[str]:
        asked.clear()
        return ids(paging.in_order(order, after and place(after, order), size, size, beyond, tied))

    assert page(None, 6) == ids(entries[:6])
    assert asked == ["beyond"]
    assert page(None, 5) == ids(entries[:5])
    assert asked == ["beyond", "tied"]
    assert page(entries[4], 4) == ids(entries[5:9])
    assert asked == ["tied", "beyond"]
