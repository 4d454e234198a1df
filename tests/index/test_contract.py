"""What every index does, run over each of them. The fake is in the list: it is held to the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import QdrantClient, models

from core.errors import EncoderMismatch, LibraryError
from core.index.base import Index, from_payload, id_of, to_payload
from core.index.edge import EdgeIndex
from core.index.server import ServerIndex
from core.models import Counts, EncoderInfo, Entry, Match, Scope, Taste
from tests.fakes import FAKE_INFO, MemoryIndex, make_entries
from tests.servers.qdrant import QdrantServer

OPENERS: dict[str, Callable[[Path, EncoderInfo, QdrantServer], Index]] = {
    "memory": lambda path, info, qdrant: MemoryIndex(info),
    "edge": lambda path, info, qdrant: EdgeIndex(path / "index", info),
    "server": lambda path, info, qdrant: ServerIndex(qdrant.url, None, path.name, info, client=qdrant.memory),
    "server-http": lambda path, info, qdrant: ServerIndex(qdrant.url, None, path.name, info),
}
"""How to open each index on a path of its own. One that forgets when it is closed is not in DURABLE."""
DURABLE = ("edge", "server", "server-http")


@pytest.fixture(scope="module")
def qdrant() -> Iterator[QdrantServer]:
    with QdrantServer() as server:
        yield server


@pytest.fixture(params=OPENERS)
def index(request: pytest.FixtureRequest, tmp_path: Path, qdrant: QdrantServer) -> Iterator[Index]:
    opened = OPENERS[request.param](tmp_path, FAKE_INFO, qdrant)
    yield opened
    opened.close()


@pytest.fixture(params=DURABLE)
def reopen(request: pytest.FixtureRequest, tmp_path: Path, qdrant: QdrantServer) -> Callable[[EncoderInfo], Index]:
    return lambda info: OPENERS[request.param](tmp_path, info, qdrant)


def random_vectors(count: int, seed: int = 7) -> np.ndarray:
    """Return unit vectors, float32 (count, dimension), no two alike."""
    vectors = np.random.default_rng(seed).standard_normal((count, FAKE_INFO.dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def near(vector: np.ndarray, cosine: float, seed: int = 3) -> np.ndarray:
    """Return a unit vector with exactly this cosine to the given unit vector."""
    other = random_vectors(1, seed + 10_000)[0]  # Far from the seeds of queries: nothing is left of the same vector.
    other -= (other @ vector) * vector
    return (cosine * vector + np.sqrt(1 - cosine**2) * other / np.linalg.norm(other)).astype(np.float32)


def titles(matches: list[Match]) -> list[str]:
    return [match.scored[0].entry.title for match in matches]


def spans(match: Match) -> list[tuple[str, float]]:
    return [(scored.entry.scope, scored.entry.start_s) for scored in match.scored]


def fill(index: Index, videos: int = 8, clips: int = 5, seed: int = 7) -> list[Entry]:
    vectors = random_vectors(videos * (clips + 1), seed).reshape(videos, clips + 1, -1)
    entries = [entry for n in range(videos) for entry in make_entries(f"Video {n}", vectors=vectors[n])]
    index.upsert(entries)
    return entries


def test_an_empty_index_answers_everything(index: Index) -> None:
    assert index.count() == Counts(0, 0)
    assert index.search(random_vectors(1)[0], limit=5) == []
    assert list(index.scroll()) == []
    index.delete("nobody")
    index.upsert([])
    assert index.count() == Counts(0, 0)


def test_an_entry_comes_back_as_it_was_written(index: Index) -> None:
    written = make_entries(
        "Волк 🐺 <b>狼</b>",
        clips=1,
        filename="../狼 \u202e'\".mp4",
        poster_key=None,
        has_audio=False,
        seen=("dünkel", "速い"),
        subtitle_languages=("en", "pt-br"),
    )
    index.upsert(written)
    read = sorted(index.scroll(), key=lambda entry: entry.scope, reverse=True)
    for before, after in zip(written, read, strict=True):
        assert to_payload(after) == to_payload(before)
        assert after.subtitle_languages == ("en", "pt-br")
        assert after.vector.dtype == np.float32
        assert after.vector == pytest.approx(before.vector, abs=1e-6)


def test_a_payload_written_before_subtitles_had_languages_is_read() -> None:
    payload = to_payload(make_entries()[0])
    del payload["subtitle_languages"]
    assert from_payload(payload, None).subtitle_languages == ()


def test_a_video_is_found_by_its_content_whatever_its_id(index: Index) -> None:
    index.upsert([*make_entries("Wolf", video_id="an-id-from-before"), *make_entries("Fox")])
    sha = make_entries("Wolf")[0].content_sha256
    assert {entry.video_id for entry in index.scroll(content_sha256=sha)} == {"an-id-from-before"}
    assert [entry.title for entry in index.scroll(content_sha256=sha, scope="video")] == ["Wolf"]
    assert list(index.scroll(content_sha256="0" * 64)) == []
    assert list(index.scroll(video_id="an-id-from-before", content_sha256="0" * 64)) == []


def test_tags_and_subtitles_are_kept_with_the_video_and_left_out_of_searches(index: Index) -> None:
    tags = {"title": "Wolf", "comment": "c" * 3000}
    index.upsert(make_entries("Wolf", clips=1, tags=tags, subtitles="s" * 30_000))
    (whole,), (clip,) = index.scroll(scope="video"), index.scroll(scope="clip")
    assert whole.tags == {"title": "Wolf", "comment": "c" * 2000}
    assert whole.subtitles == "s" * 20_000
    assert (clip.tags, clip.subtitles) == (None, None)
    for per_video in (1, 2):
        (match,) = index.search(whole.vector, limit=1, per_video=per_video)
        assert all(scored.entry.tags is scored.entry.subtitles is None for scored in match.scored)


def test_a_payload_of_release_0_1_0_is_read() -> None:
    payload = to_payload(make_entries(tags={"title": "Wolf"}, subtitles="words")[0])
    del payload["tags"], payload["subtitles"]
    entry = from_payload(payload, None)
    assert (entry.tags, entry.subtitles) == (None, None)
    assert to_payload(entry) == payload


def test_writing_again_changes_nothing(index: Index) -> None:
    entries = fill(index)
    before = sorted(map(id_of, index.scroll()))
    index.upsert(entries)
    assert sorted(map(id_of, index.scroll())) == before
    assert index.count() == Counts(videos=8, clips=40)


def test_writing_again_replaces_what_is_told_of_a_video(index: Index) -> None:
    index.upsert(make_entries("Wolf", filename="old.mp4"))
    index.upsert(make_entries("Wolf", filename="new.mp4"))
    assert {entry.filename for entry in index.scroll()} == {"new.mp4"}


def test_content_that_comes_back_under_another_id_is_found_under_it(index: Index) -> None:
    before, after = make_entries("Wolf", video_id="an-id-from-before"), make_entries("Wolf")
    index.upsert(before)
    assert [match.video_id for match in index.search(before[0].vector, limit=3)] == ["an-id-from-before"]
    index.delete("an-id-from-before")
    index.upsert(after)
    for per_video in (1, 2):
        (match,) = index.search(before[0].vector, limit=3, per_video=per_video)
        assert match.video_id == after[0].video_id


def test_count_follows_every_write(index: Index) -> None:
    assert index.count() == Counts(0, 0)
    index.upsert(make_entries("One", clips=3))
    assert index.count() == Counts(1, 3)
    index.upsert(make_entries("Two", clips=2))
    assert index.count() == Counts(2, 5)
    index.delete(make_entries("One")[0].video_id)
    assert index.count() == Counts(1, 2)


def test_the_version_is_another_one_after_every_write(index: Index) -> None:
    seen = [index.version]
    assert index.version == seen[0]
    for write in (
        lambda: index.upsert(make_entries("One")),
        lambda: index.upsert(make_entries("One", has_audio=False)),
        lambda: index.delete(make_entries("One")[0].video_id),
        lambda: index.upsert(make_entries("Two")),
    ):
        write()
        assert index.version not in seen
        seen.append(index.version)
    index.search(random_vectors(1)[0], limit=5)
    list(index.scroll())
    assert index.version == seen[-1]


def test_more_entries_than_a_batch_are_written_and_scrolled(index: Index) -> None:
    index.upsert(make_entries("Long", vectors=random_vectors(1001)))
    assert index.count() == Counts(1, 1000)
    assert len({id_of(entry) for entry in index.scroll()}) == 1001


def test_scores_and_order_are_those_of_the_cosine(index: Index) -> None:
    entries = fill(index, videos=30, clips=4)
    for query in random_vectors(10, seed=11):
        best: dict[str, float] = {}
        for entry in entries:
            best[entry.video_id] = max(best.get(entry.video_id, -1.0), float(entry.vector @ query))
        expected = sorted(best.items(), key=lambda item: -item[1])[:10]
        matches = index.search(query, limit=10)
        assert [match.video_id for match in matches] == [video_id for video_id, _ in expected]
        assert [match.score for match in matches] == pytest.approx([score for _, score in expected], abs=1e-5)


def test_the_length_of_the_searched_vector_does_not_matter(index: Index) -> None:
    fill(index)
    query = random_vectors(1, seed=5)[0]
    once, thrice = index.search(query, limit=3), index.search(3 * query, limit=3)
    assert titles(once) == titles(thrice)
    assert [match.score for match in once] == pytest.approx([match.score for match in thrice], abs=1e-5)


def test_a_match_has_the_best_entries_of_its_video_with_vectors(index: Index) -> None:
    entries = fill(index, videos=12, clips=6)
    query = random_vectors(1, seed=2)[0]
    matches = index.search(query, limit=12, per_video=4)
    assert len(matches) == 12
    for match in matches:
        own = [entry for entry in entries if entry.video_id == match.video_id]
        best = sorted(own, key=lambda entry: -float(entry.vector @ query))[:4]
        assert spans(match) == [(entry.scope, entry.start_s) for entry in best]
        assert all(scored.entry.video_id == match.video_id for scored in match.scored)
        for scored in match.scored:
            assert float(scored.entry.vector @ query) == pytest.approx(scored.score, abs=1e-5)


def test_one_long_video_does_not_crowd_out_the_others(index: Index) -> None:
    query = random_vectors(1)[0]
    index.upsert(make_entries("Long", vectors=[near(query, 0.9 - n / 10_000, seed=n + 100) for n in range(400)]))
    for n in range(5):
        index.upsert(make_entries(f"Short {n}", vectors=[near(query, 0.5 - n / 20, seed=n + 1000)]))
    matches = index.search(query, limit=6, per_video=3)
    assert titles(matches) == ["Long", "Short 0", "Short 1", "Short 2", "Short 3", "Short 4"]
    assert [len(match.scored) for match in matches] == [3, 1, 1, 1, 1, 1]
    assert titles(index.search(query, limit=3)) == ["Long", "Short 0", "Short 1"]


def test_several_long_videos_do_not_crowd_out_the_others(index: Index) -> None:
    query = random_vectors(1)[0]
    for video in range(3):
        vectors = [near(query, 0.9 - video / 10 - n / 10_000, seed=n + 100) for n in range(150)]
        index.upsert(make_entries(f"Long {video}", vectors=vectors))
    index.upsert(make_entries("Short", vectors=[near(query, 0.2)]))
    assert titles(index.search(query, limit=4)) == ["Long 0", "Long 1", "Long 2", "Short"]


def test_fewer_videos_than_asked_for_come_all(index: Index) -> None:
    fill(index, videos=3)
    assert len(index.search(random_vectors(1)[0], limit=50)) == 3


def test_nothing_is_found_for_a_limit_of_zero(index: Index) -> None:
    fill(index, videos=2)
    assert index.search(random_vectors(1)[0], limit=0) == []


def test_excluded_videos_stay_out(index: Index) -> None:
    fill(index)
    query = random_vectors(1, seed=4)[0]
    everyone = [match.video_id for match in index.search(query, limit=8)]
    left = index.search(query, limit=8, exclude=everyone[:3])
    assert [match.video_id for match in left] == everyone[3:]
    assert index.search(query, limit=8, exclude=set(everyone)) == []


@pytest.mark.parametrize("scope", ["video", "clip"])
def test_a_scope_searches_only_its_entries(index: Index, scope: str) -> None:
    entries = [entry for entry in fill(index) if entry.scope == scope]
    query = random_vectors(1, seed=6)[0]
    matches = index.search(query, limit=8, scope=scope)
    assert {scored.entry.scope for match in matches for scored in match.scored} == {scope}
    assert matches[0].score == pytest.approx(max(float(entry.vector @ query) for entry in entries), abs=1e-5)
    assert [len(match.scored) for match in matches] == [1 if scope == "video" else 3] * 8


@pytest.mark.parametrize("scope", ["video", "clip", None])
def test_one_entry_a_video_is_the_best_of_more(index: Index, scope: Scope | None) -> None:
    fill(index, videos=30, clips=12)
    for query in random_vectors(5, seed=21):
        ones = index.search(query, limit=12, per_video=1, scope=scope)
        more = index.search(query, limit=12, per_video=4, scope=scope)
        assert [match.video_id for match in ones] == [match.video_id for match in more]
        for one, several in zip(ones, more, strict=True):
            assert spans(one) == spans(several)[:1]
            assert to_payload(one.scored[0].entry) == to_payload(several.scored[0].entry)
            assert one.scored[0].entry.vector == pytest.approx(several.scored[0].entry.vector, abs=1e-6)
            assert one.score == pytest.approx(several.score, abs=1e-6)


def test_long_videos_do_not_crowd_out_the_others_of_one_entry_each(index: Index) -> None:
    query = random_vectors(1)[0]
    for video in range(3):
        vectors = [near(query, 0.9 - video / 10 - n / 10_000, seed=n + 100) for n in range(150)]
        index.upsert(make_entries(f"Long {video}", vectors=vectors))
    index.upsert(make_entries("Short", vectors=[near(query, 0.2)]))
    assert titles(index.search(query, limit=4, per_video=1)) == ["Long 0", "Long 1", "Long 2", "Short"]


@pytest.mark.parametrize("per_video", [1, 3])
@pytest.mark.parametrize("scope", ["video", "clip", None])
def test_only_videos_among_the_given_come(index: Index, scope: Scope | None, per_video: int) -> None:
    fill(index, videos=20)
    query = random_vectors(1, seed=4)[0]
    everyone = index.search(query, limit=20, per_video=per_video, scope=scope)
    chosen = {match.video_id for match in everyone[::2]}
    found = index.search(query, limit=20, per_video=per_video, scope=scope, among=chosen)
    assert [match.video_id for match in found] == [match.video_id for match in everyone[::2]]
    assert [spans(match) for match in found] == [spans(match) for match in everyone[::2]]
    first = index.search(query, limit=3, per_video=per_video, scope=scope, among=list(chosen))
    assert [match.video_id for match in first] == [match.video_id for match in found[:3]]


def test_among_none_is_all_and_among_nothing_is_nothing(index: Index) -> None:
    fill(index)
    query = random_vectors(1)[0]
    assert len(index.search(query, limit=8, among=None)) == 8
    assert index.search(query, limit=8, among=[]) == []
    assert index.search(Taste((query,)), limit=8, per_video=1, among=()) == []


def test_among_takes_what_is_not_there_what_is_named_twice_and_what_is_excluded(index: Index) -> None:
    ids = sorted({entry.video_id for entry in fill(index)})
    query = random_vectors(1)[0]
    found = index.search(query, limit=8, among=["nobody", ids[0], ids[0], ids[1], ids[2]], exclude=[ids[2], ids[3]])
    assert {match.video_id for match in found} == set(ids[:2])
    assert index.search(query, limit=8, among=["nobody"]) == []
    assert index.search(query, limit=8, among=ids[:2], exclude=ids[:2]) == []


def test_among_takes_hundreds_of_videos(index: Index) -> None:
    entries = fill(index, videos=400, clips=1)
    ids = sorted({entry.video_id for entry in entries})
    for per_video in (1, 2):
        found = index.search(random_vectors(1)[0], limit=400, per_video=per_video, among=ids[:300])
        assert {match.video_id for match in found} == set(ids[:300])
        assert {len(match.scored) for match in found} == {per_video}


def test_among_finds_a_video_that_is_far_behind_all_others(index: Index) -> None:
    query = random_vectors(1)[0]
    index.upsert(make_entries("Long", vectors=[near(query, 0.9, seed=n + 100) for n in range(200)]))
    last = make_entries("Last", vectors=[near(query, -0.9)])
    index.upsert(last)
    assert titles(index.search(query, limit=1, among=[last[0].video_id])) == ["Last"]


TASTES = {
    "likes": Taste(tuple(random_vectors(3, seed=31)), ()),
    "dislikes": Taste((), tuple(random_vectors(2, seed=32))),
    "both": Taste(tuple(random_vectors(3, seed=33)), tuple(random_vectors(2, seed=34))),
}


@pytest.mark.parametrize("taste", TASTES.values(), ids=TASTES)
@pytest.mark.parametrize("per_video", [1, 3])
def test_a_taste_scores_and_ranks_as_qdrant_says(index: Index, taste: Taste, per_video: int) -> None:
    entries = fill(index, videos=25, clips=4)
    scores = scores_of_qdrant(entries, taste)
    best: dict[str, list[float]] = {}
    for entry in entries:
        best[entry.video_id] = sorted([*best.get(entry.video_id, []), scores[id_of(entry)]], reverse=True)[:per_video]
    expected = sorted(best.items(), key=lambda item: -item[1][0])[:15]
    matches = index.search(taste, limit=15, per_video=per_video)
    assert [match.video_id for match in matches] == [video_id for video_id, _ in expected]
    for match, (_, own) in zip(matches, expected, strict=True):
        assert [scored.score for scored in match.scored] == pytest.approx(own, abs=1e-6)
        assert match.score == pytest.approx(scores[id_of(match.scored[0].entry)], abs=1e-6)


def scores_of_qdrant(entries: list[Entry], taste: Taste) -> dict[str, float]:
    """Return the best score of each entry, by its id, as qdrant-client's own in-memory mode has it."""
    client = QdrantClient(":memory:")
    client.create_collection("a", models.VectorParams(size=FAKE_INFO.dimension, distance=models.Distance.COSINE))
    client.upsert("a", [models.PointStruct(id=id_of(entry), vector=entry.vector.tolist()) for entry in entries])
    wanted = models.RecommendInput(
        positive=[vector.tolist() for vector in taste.likes],
        negative=[vector.tolist() for vector in taste.dislikes],
        strategy=models.RecommendStrategy.BEST_SCORE,
    )
    points = client.query_points("a", query=models.RecommendQuery(recommend=wanted), limit=len(entries)).points
    client.close()
    return {str(point.id): point.score for point in points}


def test_a_taste_scores_by_the_formula_it_states(index: Index) -> None:
    like, dislike = random_vectors(2, seed=41)
    index.upsert(make_entries("Liked", vectors=[like]))
    index.upsert(make_entries("Disliked", vectors=[dislike]))
    index.upsert(make_entries("Opposite", vectors=[-like]))
    only = index.search(Taste((like,)), limit=3)
    assert [titles(only)[0], titles(only)[-1]] == ["Liked", "Opposite"]
    assert [only[0].score, only[-1].score] == pytest.approx([0.75, 0.25], abs=1e-5)
    hidden = index.search(Taste((), (dislike,)), limit=3)
    assert titles(hidden)[-1] == "Disliked"
    assert hidden[-1].score == pytest.approx(-0.75, abs=1e-5)
    both = index.search(Taste((like,), (dislike,)), limit=3)
    assert [titles(both)[0], titles(both)[-1]] == ["Liked", "Disliked"]
    assert [both[0].score, both[-1].score] == pytest.approx([0.75, -0.75], abs=1e-5)


def test_a_taste_keeps_to_scope_among_and_exclude(index: Index) -> None:
    entries = fill(index, videos=12)
    taste = TASTES["both"]
    wholes = {entry.video_id: entry for entry in entries if entry.scope == "video"}
    of_points, ids = scores_of_qdrant([*wholes.values()], taste), [*wholes]
    scores = {video_id: of_points[id_of(entry)] for video_id, entry in wholes.items()}
    among, exclude = set(ids[:8]), ids[6:10]
    expected = sorted(ids[:6], key=lambda video_id: -scores[video_id])
    matches = index.search(taste, limit=8, per_video=1, scope="video", among=among, exclude=exclude)
    assert [match.video_id for match in matches] == expected
    assert {scored.entry.scope for match in matches for scored in match.scored} == {"video"}


def test_the_length_of_liked_vectors_does_not_matter(index: Index) -> None:
    fill(index)
    taste = TASTES["both"]
    longer = Taste(tuple(3 * vector for vector in taste.likes), tuple(0.5 * vector for vector in taste.dislikes))
    once, again = index.search(taste, limit=8), index.search(longer, limit=8)
    assert titles(once) == titles(again)
    assert [match.score for match in once] == pytest.approx([match.score for match in again], abs=1e-5)


def test_a_taste_without_anything_is_refused(index: Index) -> None:
    fill(index, videos=1)
    with pytest.raises(LibraryError, match="liked or disliked"):
        index.search(Taste((), ()), limit=1)


@pytest.mark.parametrize("bad", [np.ones(3, np.float32), np.full(64, np.nan, np.float32)], ids=["short", "nan"])
def test_a_taste_with_a_vector_that_no_encoder_makes_is_refused(index: Index, bad: np.ndarray) -> None:
    fill(index, videos=1)
    good = random_vectors(1)[0]
    for taste in (Taste((good, bad)), Taste((good,), (bad,)), Taste((), (bad,))):
        with pytest.raises(LibraryError, match="64 finite numbers"):
            index.search(taste, limit=1)


def test_a_zero_vector_is_like_nothing(index: Index) -> None:
    fill(index, videos=2)
    index.upsert(make_entries("Silent", vectors=[np.zeros(FAKE_INFO.dimension, np.float32)]))
    assert {match.score for match in index.search(np.zeros(FAKE_INFO.dimension, np.float32), limit=3)} == {0.0}
    silent = next(m for m in index.search(random_vectors(1)[0], limit=3) if titles([m]) == ["Silent"])
    assert silent.score == 0.0


def test_scroll_is_stable_and_filters(index: Index) -> None:
    entries = fill(index, videos=4, clips=3)
    order = [id_of(entry) for entry in index.scroll()]
    assert order == [id_of(entry) for entry in index.scroll()]
    assert sorted(order) == sorted(map(id_of, entries))
    video_id = entries[0].video_id
    assert {entry.video_id for entry in index.scroll(video_id=video_id)} == {video_id}
    assert len(list(index.scroll(video_id=video_id))) == 4
    assert [entry.scope for entry in index.scroll(scope="video")] == ["video"] * 4
    assert len(list(index.scroll(video_id=video_id, scope="clip"))) == 3
    assert list(index.scroll(video_id="nobody")) == []


def test_delete_removes_a_video_and_nothing_else(index: Index) -> None:
    entries = fill(index)
    gone = entries[0].video_id
    index.delete(gone)
    index.delete(gone)
    assert gone not in {entry.video_id for entry in index.scroll()}
    assert gone not in {match.video_id for match in index.search(entries[0].vector, limit=8)}
    assert index.count() == Counts(videos=7, clips=35)


def test_a_deleted_video_can_come_again(index: Index) -> None:
    entries = make_entries("Wolf")
    index.upsert(entries)
    index.delete(entries[0].video_id)
    index.upsert(entries)
    assert index.count() == Counts(1, 3)
    assert titles(index.search(entries[0].vector, limit=1)) == ["Wolf"]


@pytest.mark.parametrize("bad", [np.ones(3, np.float32), np.full(64, np.nan, np.float32)], ids=["short", "nan"])
def test_a_vector_that_no_encoder_makes_is_refused(index: Index, bad: np.ndarray) -> None:
    fill(index, videos=1)
    with pytest.raises(LibraryError, match="64 finite numbers"):
        index.search(bad, limit=1)
    with pytest.raises(LibraryError, match="64 finite numbers"):
        index.upsert(make_entries("Bad", vectors=[random_vectors(1)[0], bad]))
    assert index.count().videos == 1, "nothing of a refused video may stay"


def test_an_entry_of_another_encoder_is_refused(index: Index) -> None:
    with pytest.raises(EncoderMismatch, match="other-v2"):
        index.upsert(make_entries(info=replace(FAKE_INFO, name="other-v2")))
    assert index.count() == Counts(0, 0)


def test_a_closed_index_says_so(index: Index) -> None:
    fill(index, videos=1)
    index.close()
    index.close()
    with pytest.raises(LibraryError, match="closed"):
        index.search(random_vectors(1)[0], limit=1)
    with pytest.raises(LibraryError, match="closed"):
        index.upsert(make_entries())
    with pytest.raises(LibraryError, match="closed"):
        list(index.scroll())


def test_readers_and_writers_do_not_disturb_each_other(index: Index) -> None:
    """Four writers add and delete videos of their own while four readers search, scroll and count."""
    staying = {entry.video_id for entry in fill(index, videos=20)}
    writing = threading.Event()
    writing.set()

    def write(writer: int) -> None:
        for n in range(15):
            entries = make_entries(f"Writer {writer} video {n}", vectors=random_vectors(5, seed=100 * writer + n))
            index.upsert(entries)
            if n % 3 == 0:
                index.delete(entries[0].video_id)

    def read(reader: int) -> None:
        query = random_vectors(1, seed=reader)[0]
        while writing.is_set():
            matches = index.search(query, limit=80, per_video=2)
            assert staying <= {match.video_id for match in matches}
            scores = [match.score for match in matches]
            assert scores == sorted(scores, reverse=True)
            assert index.count().videos >= 20
            assert sum(entry.video_id in staying for entry in index.scroll()) == 120

    with ThreadPoolExecutor(8) as pool:
        readers = [pool.submit(read, n) for n in range(4)]
        writers = [pool.submit(write, n) for n in range(4)]
        wait(writers)
        writing.clear()
    for done in writers + readers:
        done.result()
    assert index.count() == Counts(videos=20 + 4 * 10, clips=100 + 4 * 10 * 4)


def test_each_opening_has_versions_of_its_own(reopen: Callable[[EncoderInfo], Index]) -> None:
    first = reopen(FAKE_INFO)
    version = first.version
    first.close()
    again = reopen(FAKE_INFO)
    assert again.version != version
    again.close()


def test_a_reopened_library_has_everything(reopen: Callable[[EncoderInfo], Index]) -> None:
    first = reopen(FAKE_INFO)
    entries = fill(first)
    first.delete(entries[0].video_id)
    query = random_vectors(1, seed=8)[0]
    before = [(match.video_id, spans(match)) for match in first.search(query, limit=8)]
    first.close()
    second = reopen(FAKE_INFO)
    assert second.count() == Counts(videos=7, clips=35)
    assert [(match.video_id, spans(match)) for match in second.search(query, limit=8)] == before
    second.close()


@pytest.mark.parametrize(
    "other", [replace(FAKE_INFO, name="other-v2"), replace(FAKE_INFO, dimension=32)], ids=["name", "dimension"]
)
def test_a_library_refuses_an_encoder_that_did_not_fill_it(
    reopen: Callable[[EncoderInfo], Index], other: EncoderInfo
) -> None:
    first = reopen(FAKE_INFO)
    first.upsert(make_entries("Wolf"))
    first.close()
    with pytest.raises(EncoderMismatch) as caught:
        reopen(other)
    for word in ("fake-v1", "64", other.name, "ENCODER"):
        assert word in str(caught.value)
    again = reopen(FAKE_INFO)
    assert again.count() == Counts(1, 3), "a refusal must leave the library as it was"
    again.close()
