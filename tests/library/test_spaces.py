"""Which space answers, and how another takes its place, over fakes and over a server that two apps share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from core.discover import taxonomy
from core.discover.search import Discover
from core.encoders.base import Encoder
from core.errors import AppError, EncoderError, EncoderMismatch, SettingsError
from core.index.base import Index, Space, Spaces
from core.index.server_spaces import ServerSpaces
from core.library.spaces import Serving
from core.models import EncoderInfo, Query
from tests.fakes import FAKE_INFO, FakeEncoder, MemorySpaces, MemoryStore, make_entries
from tests.servers.qdrant import QdrantServer
from tests.support import until

OLD, NEW = replace(FAKE_INFO, name="old-v1"), replace(FAKE_INFO, name="new-v2", dimension=48)


def serve(spaces: Spaces, configured: EncoderInfo, gone: str | None = None, **options: float) -> Serving:
    """Return what serves the spaces with this encoder set; every other can be had, but for one that is gone."""

    def encoder_of(space: Space) -> Encoder:
        if space.encoder == gone:
            raise SettingsError(f"{gone} wants a key. Set it.")
        return FakeEncoder(replace(FAKE_INFO, name=space.encoder, dimension=space.dimension))

    def discover_over(encoder: Encoder, index: Index) -> Discover:
        return Discover(encoder=encoder, index=index, store=MemoryStore(), taxonomy=taxonomy.load())

    return Serving(spaces, FakeEncoder(configured), encoder_of=encoder_of, discover_over=discover_over, **options)


def filled(spaces: Spaces, info: EncoderInfo, *titles: str, complete: bool = True) -> None:
    index = spaces.make(info, complete=complete)
    for title in titles:
        index.upsert(make_entries(title, info=info))
    index.close()


class Met(MemorySpaces):
    """Spaces in which who opens one waits a moment for another who does the same."""

    def __init__(self) -> None:
        super().__init__()
        self.meeting = threading.Barrier(2)
        self.opened: list[str] = []

    def make(self, info: EncoderInfo, *, complete: bool) -> Index:
        self.opened.append(info.name)
        if info.name == NEW.name:
            with suppress(threading.BrokenBarrierError):
                self.meeting.wait(0.5)
        return super().make(info, complete=complete)


def found(serving: Serving, text: str) -> list[str]:
    return [hit.title for hit in serving.now.discover.search(Query(text=text)).hits]


@pytest.fixture
def spaces() -> MemorySpaces:
    return MemorySpaces()


class TestWhichAnswers:
    def test_a_new_library_is_of_the_encoder_that_is_set(self, spaces: MemorySpaces) -> None:
        serving = serve(spaces, NEW)
        assert spaces.all() == [Space("new-v2", 48, True)]
        assert (serving.serving.name, serving.is_behind) == ("new-v2", False)

    def test_a_library_that_another_encoder_filled_goes_on_answering(self, spaces: MemorySpaces) -> None:
        filled(spaces, OLD, "Grey wolf", "Red fox")
        serving = serve(spaces, NEW)
        assert (serving.serving.name, serving.is_behind) == ("old-v1", True)
        assert found(serving, "wolf") == ["Grey wolf"]
        assert spaces.all() == [Space("old-v1", 64, True)], "nothing is made before somebody wants it"

    def test_a_library_without_videos_is_taken_at_once(self, spaces: MemorySpaces) -> None:
        filled(spaces, OLD)
        serving = serve(spaces, NEW)
        assert (serving.serving.name, serving.is_behind) == ("new-v2", False)

    def test_a_space_that_is_being_filled_does_not_answer(self, spaces: MemorySpaces) -> None:
        filled(spaces, OLD, "Grey wolf", "Red fox")
        filled(spaces, NEW, "Grey wolf", complete=False)
        assert serve(spaces, NEW).serving.name == "old-v1"

    def test_the_set_one_answers_when_it_is_complete_however_full_others_are(self, spaces: MemorySpaces) -> None:
        filled(spaces, OLD, "Grey wolf", "Red fox")
        filled(spaces, NEW, "Grey wolf")
        assert serve(spaces, NEW).serving.name == "new-v2"
        assert serve(spaces, OLD).serving.name == "old-v1"

    def test_of_several_others_the_fullest_answers(self, spaces: MemorySpaces) -> None:
        filled(spaces, OLD, "Grey wolf")
        filled(spaces, replace(OLD, name="a"), "Grey wolf", "Red fox")
        filled(spaces, replace(OLD, name="z"))
        assert serve(spaces, NEW).serving.name == "a"

    def test_a_half_filled_space_is_better_than_none(self, spaces: MemorySpaces) -> None:
        filled(spaces, OLD, "Grey wolf", complete=False)
        assert serve(spaces, NEW).serving.name == "old-v1"

    def test_a_name_that_means_another_space_is_refused(self, spaces: MemorySpaces) -> None:
        filled(spaces, OLD, "Grey wolf")
        with pytest.raises(EncoderMismatch):
            serve(spaces, replace(OLD, dimension=16))

    def test_videos_of_an_encoder_that_cannot_be_had_can_be_seen_and_it_is_said_why(self, spaces: MemorySpaces) -> None:
        filled(spaces, OLD, "Grey wolf", "Red fox")
        serving = serve(spaces, NEW, gone="old-v1")
        assert serving.now.problem == "old-v1 wants a key. Set it."
        assert {hit.title for hit in serving.now.discover.browse(5).hits} == {"Grey wolf", "Red fox"}
        wolf = make_entries("Grey wolf")[0].video_id
        assert [hit.title for hit in serving.now.discover.similar(wolf)] == ["Red fox"]
        with pytest.raises(EncoderError, match="wants a key"):
            found(serving, "wolf")
        assert serve(spaces, NEW).now.problem is None

    def test_an_encoder_that_is_another_version_now_is_gone(self, spaces: MemorySpaces) -> None:
        filled(spaces, OLD, "Grey wolf")
        serving = Serving(
            spaces,
            FakeEncoder(NEW),
            encoder_of=lambda space: FakeEncoder(replace(OLD, name="old-v2")),
            discover_over=lambda encoder, index: None,
        )
        assert "no encoder old-v1 any more" in serving.now.problem


class TestFilling:
    def test_two_who_want_a_space_at_the_same_time_have_the_same(self) -> None:
        spaces = Met()
        filled(spaces, OLD, "Grey wolf")
        serving = serve(spaces, NEW)
        spaces.opened.clear()
        with ThreadPoolExecutor(2) as pool:
            one, other = pool.map(serving.fill, [serving.configured] * 2)
        assert spaces.opened == [NEW.name], "an index on disk is opened once, or it is another program's"
        assert one.index is other.index

    def test_the_other_space_answers_once_it_is_full_and_not_before(self, spaces: MemorySpaces) -> None:
        filled(spaces, OLD, "Grey wolf")
        serving = serve(spaces, NEW)
        before = serving.now
        lane = serving.fill(serving.configured)
        assert spaces.all()[0] == Space("new-v2", 48, False)
        assert serving.fill(serving.configured) is lane
        assert serving.complete(lane, lambda: False) is False
        assert serving.now is before
        lane.index.upsert(make_entries("Grey wolf", info=NEW))
        assert serving.complete(lane, lambda: lane.index.count().videos == 1) is True
        assert (serving.serving, serving.is_behind) == (lane, False)
        assert found(serving, "wolf") == ["Grey wolf"]
        assert spaces.all() == [Space("new-v2", 48, True), Space("old-v1", 64, True)]
        assert [hit.title for hit in before.discover.browse(1).hits] == ["Grey wolf"], (
            "who is still asking gets an answer"
        )

    def test_a_space_of_an_encoder_that_is_not_set_is_completed_and_waits(self, spaces: MemorySpaces) -> None:
        filled(spaces, OLD, "Grey wolf")
        serving = serve(spaces, OLD)
        lane = serving.fill(FakeEncoder(NEW))
        lane.index.upsert(make_entries("Grey wolf", info=NEW))
        assert serving.complete(lane, lambda: True)
        assert serving.serving.name == "old-v1"
        assert serve(spaces, NEW).serving.name == "new-v2"

    def test_what_is_added_to_one_space_leaves_the_others_behind(self, spaces: MemorySpaces) -> None:
        filled(spaces, OLD, "Grey wolf")
        filled(spaces, NEW, "Grey wolf")
        serving = serve(spaces, NEW)
        with serving.writing(serving.serving):
            assert spaces.all() == [Space("new-v2", 48, True), Space("old-v1", 64, False)], "noted before it is so"
            serving.serving.index.upsert(make_entries("Red fox", info=NEW))
        assert serve(spaces, OLD).serving.name == "new-v2"

    def test_what_is_put_into_a_space_that_is_filled_leaves_none_behind(self, spaces: MemorySpaces) -> None:
        filled(spaces, OLD, "Grey wolf")
        serving = serve(spaces, NEW)
        lane = serving.fill(serving.configured)
        with serving.writing(lane):
            pass
        assert spaces.marked == []

    def test_nothing_is_swapped_while_something_is_written(self, spaces: MemorySpaces) -> None:
        filled(spaces, OLD, "Grey wolf")
        serving = serve(spaces, NEW)
        lane, asked = serving.fill(serving.configured), threading.Event()

        def is_full() -> bool:
            asked.set()
            return True

        with serving.writing(serving.serving):
            swap = threading.Thread(target=serving.complete, args=(lane, is_full))
            swap.start()
            assert not asked.wait(0.1)
            assert serving.serving.name == "old-v1"
        swap.join(120)
        assert serving.serving.name == "new-v2"

    def test_another_encoder_can_be_set_while_the_app_runs(self, spaces: MemorySpaces) -> None:
        serving = serve(spaces, OLD)
        serving.configure(FakeEncoder(NEW))
        assert (serving.serving.name, serving.is_behind) == ("new-v2", False), "an empty library switches at once"
        serving.serving.index.upsert(make_entries("Grey wolf", info=NEW))
        serving.configure(FakeEncoder(replace(OLD, name="third-v1")))
        assert (serving.serving.name, serving.is_behind) == ("new-v2", True)
        assert found(serving, "wolf") == ["Grey wolf"]


class TestDropping:
    def test_only_what_does_not_answer_goes(self, spaces: MemorySpaces) -> None:
        for info in (OLD, NEW, replace(OLD, name="third-v1")):
            filled(spaces, info, "Grey wolf")
        serving = serve(spaces, NEW)
        old = serving.fill(FakeEncoder(OLD))
        assert serving.drop_others() == ["old-v1", "third-v1"]
        assert spaces.all() == [Space("new-v2", 48, True)]
        assert serving.named("old-v1") is None
        assert found(serving, "wolf") == ["Grey wolf"]
        with pytest.raises(AppError):
            old.index.count()


class TestSharedByTwoApps:
    @pytest.fixture
    def qdrant(self) -> Iterator[QdrantServer]:
        with QdrantServer() as server:
            yield server

    @pytest.fixture
    def opened(self, qdrant: QdrantServer) -> Iterator[Callable[[EncoderInfo], Serving]]:
        apps: list[Serving] = []

        def open_app(configured: EncoderInfo) -> Serving:
            spaces = ServerSpaces(qdrant.url, None, "films")
            apps.append(serve(spaces, configured, look_every_s=0.0))
            return apps[-1]

        filler = ServerSpaces(qdrant.url, None, "films")
        filled(filler, OLD, "Grey wolf")
        filler.close()
        yield open_app
        for app in apps:
            app.close()

    def test_the_other_app_follows(self, opened: Callable[[EncoderInfo], Serving]) -> None:
        one, two = opened(NEW), opened(NEW)
        lane = one.fill(one.configured)
        lane.index.upsert(make_entries("Grey wolf", info=NEW))
        assert two.now.lane.name == "old-v1"
        one.complete(lane, lambda: True)
        until(lambda: two.now.lane.name == "new-v2")
        assert found(two, "wolf") == ["Grey wolf"]

    def test_what_one_app_has_begun_to_fill_the_other_can_fill_too(
        self, opened: Callable[[EncoderInfo], Serving]
    ) -> None:
        one, two = opened(NEW), opened(NEW)
        assert two.named("new-v2") is None, "nobody has made it yet"
        one.fill(one.configured)
        lane = two.named("new-v2")
        assert lane is not None
        lane.index.upsert(make_entries("Grey wolf", info=NEW))
        assert one.named("new-v2").index.count().videos == 1
        assert two.serving.name == "old-v1"

    def test_the_other_app_writes_nothing_into_what_answers_no_more(
        self, opened: Callable[[EncoderInfo], Serving]
    ) -> None:
        one, two = opened(NEW), opened(NEW)
        lane = one.fill(one.configured)
        lane.index.upsert(make_entries("Grey wolf", info=NEW))
        old = two.serving
        one.complete(lane, lambda: True)
        with two.writing(old):
            assert two.serving.name == "new-v2", "the job that writes here learns that it must go on"
        assert [space.complete for space in one.spaces.all()] == [True, True]
