"""Deleted videos: gone at once, back whole, or gone for good with all that was of them, whatever comes between."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.discover import taxonomy
from core.discover.search import Discover
from core.encoders.base import Encoder
from core.errors import LibraryError, Unavailable
from core.index.base import Index, Spaces, id_of
from core.index.edge_spaces import EdgeSpaces
from core.ingest.jobs import JobQueue
from core.ingest.pipeline import Pipeline, Step, Work
from core.ingest.shared import SharedQueue
from core.ingest.working import Queue
from core.library.removal import KEEP_S, Removed, Trash
from core.library.spaces import Serving
from core.models import Query, Stage
from core.state.corrections import Corrections
from core.state.engine import Engine
from core.state.postgres import Database
from core.state.postgres_jobs import PostgresJobs
from core.state.sqlite import SqliteLedger, SqliteShelf
from core.state.taste import Marks, TasteBook
from core.state.trash import TrashBook
from core.stores.base import Store
from core.stores.folder import FolderStore
from tests.fakes import FAKE_INFO, FakeEncoder, MemorySpaces, MemoryStore, make_entries
from tests.support import PATIENCE_S, until
from tests.videos import make_video, plain

OLD, NEW = replace(FAKE_INFO, name="old-v1"), replace(FAKE_INFO, name="new-v2", dimension=48)
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
TITLES = ("Grey wolf", "Tax office", "Red fox")


class Crash(BaseException):
    """The process is gone."""


class Desk:
    """One process's worth of a library on disk. `crash_at` ends it at so many writes from now, after what was written
    or, if negative, before."""

    def __init__(
        self, folder: Path, spaces: Spaces | None = None, store: Store | None = None, *, url: str | None = None
    ) -> None:
        """Open what is in a folder, or these spaces and this store, which outlive a process as a disk does; the jobs of
        machines that share are in the database at `url`."""
        self.folder = folder
        self.now = NOW
        self.writes = 0
        self.crash_at: int | None = None
        self.encoders = {info.name: FakeEncoder(info) for info in (OLD, NEW)}
        self.store = store or FolderStore(folder / "media")
        self.taste = TasteBook(SqliteShelf(folder / "taste.sqlite3", "taste"))
        self.corrections = Corrections(SqliteShelf(folder / "corrections.sqlite3", "corrections"))
        self.book = TrashBook(SqliteShelf(folder / "trash.sqlite3", "trash"))

        def discover_over(encoder: Encoder, index: Index) -> Discover:
            return Discover(encoder=encoder, index=index, store=self.store, taxonomy=taxonomy.load())

        self.serving = Serving(
            spaces or EdgeSpaces(folder),
            self.encoders[OLD.name],
            encoder_of=lambda space: self.encoders[space.encoder],
            discover_over=discover_over,
        )
        self.pipeline = Pipeline(self.serving, self.store, work_dir=folder / "work", max_bytes=10**7, sources={})
        self.database = Database(url) if url else None
        self.jobs: Queue
        if self.database is None:
            ledger = SqliteLedger(folder / "jobs.sqlite3")
            self.jobs = JobQueue(ledger, self.pipeline, spool_dir=folder / "spool", backoff_s=(0.05,))
        else:
            self.database.prepare()
            engine = Engine(self.database)
            engine.prepare()
            jobs = PostgresJobs(self.database, engine)
            self.jobs = SharedQueue(jobs, jobs, engine, self.pipeline, workers=1, backoff_s=(0.05,))
        self.trash = self.pipeline.deleted = Trash(
            self.book, self.serving, self.store, self.jobs, self.taste, self.corrections, now=lambda: self.now
        )

    @property
    def index(self) -> Index:
        return self.serving.serving.index

    def fill(self) -> list[str]:
        """Put three videos with their files into the library; return their ids."""
        ids = []
        for title in TITLES:
            entries = make_entries(title, info=OLD)
            self.index.upsert(entries)
            for key in (entries[0].media_key, entries[0].poster_key):
                (self.folder / "bytes").write_bytes(title.encode())
                self.store.put(self.folder / "bytes", key, lambda fraction: None)
            ids.append(entries[0].video_id)
        return ids

    def count(self, thing: object, *names: str) -> None:
        """Let these methods count as writes."""
        for name in names:
            real = getattr(thing, name)

            def counted(*args: object, real=real, **options: object) -> object:
                self.writes += 1
                if self.crash_at == -self.writes:
                    raise Crash
                result = real(*args, **options)
                if self.crash_at == self.writes:
                    raise Crash
                return result

            setattr(thing, name, counted)

    def state(self, video_id: str) -> tuple[int, int, int]:
        """Return how many entries of a video are in the library, in the trash, and how many files there are."""
        entries = sum(1 for _ in self.index.scroll(video_id=video_id))
        return entries, len(self.book.entries(video_id)), sum(key.startswith(video_id) for key in self.store.sizes())

    def close(self) -> None:
        self.trash.stop(PATIENCE_S)
        assert self.jobs.stop(PATIENCE_S)
        self.serving.close()
        if self.database is not None:
            self.database.close()


HERE, DELETED, GONE = (4, 0, 2), (0, 4, 2), (0, 0, 0)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with closing(Desk(tmp_path, MemorySpaces(), MemoryStore())) as desk:
        yield desk


def test_a_deleted_video_is_gone_at_once_and_comes_back_as_it_was(desk: Desk) -> None:
    wolf, tax, fox = desk.fill()
    before = {id_of(entry): entry for entry in desk.index.scroll()}
    assert [video.title for video in desk.trash.delete([wolf, wolf, "nobody"])] == ["Grey wolf"]
    assert [desk.state(one) for one in (wolf, tax, fox)] == [DELETED, HERE, HERE]
    assert desk.index.count().videos == 2
    discover = desk.serving.now.discover
    assert discover.search(Query(text="grey wolf")).hits == ()
    assert wolf not in [hit.video_id for hit in discover.browse(10).hits]
    assert desk.trash.restore([wolf]) == 1
    assert desk.trash.videos() == []
    assert desk.state(wolf) == HERE
    assert [hit.video_id for hit in discover.search(Query(text="grey wolf")).hits] == [wolf]
    for entry in desk.index.scroll():
        was = before[id_of(entry)]
        assert entry.vector.tolist() == was.vector.tolist()
        assert replace(entry, vector=was.vector).__repr__() == was.__repr__()


def test_for_good_go_entries_files_likes_and_corrections_and_nothing_of_others(desk: Desk) -> None:
    wolf, tax, _ = desk.fill()
    content = next(desk.index.scroll(video_id=wolf)).content_sha256
    desk.corrections.say(content, "category", "animals", True)
    desk.taste.mark("anna", wolf, "like")
    desk.taste.mark("anna", tax, "like")
    desk.trash.delete([wolf])
    assert desk.taste.marks("anna") == Marks((tax, wolf))
    assert desk.trash.purge([wolf, tax]) == Removed(videos=1, entries=4, files=2)
    assert (desk.state(wolf), desk.state(tax)) == (GONE, HERE)
    assert desk.trash.videos() == []
    assert desk.taste.marks("anna") == Marks((tax,))
    assert desk.corrections.all() == ()
    assert desk.trash.restore([wolf]) == 0


def test_its_subtitles_go_with_a_video(desk: Desk) -> None:
    key = "captions_0_en.vtt"
    entries = make_entries("Owl", info=OLD, caption_keys=(key,))
    desk.index.upsert(entries)
    (desk.folder / "bytes").write_text("WEBVTT")
    desk.store.put(desk.folder / "bytes", key, lambda fraction: None)
    desk.trash.delete([entries[0].video_id])
    assert desk.store.exists(key)
    desk.trash.purge([entries[0].video_id])
    assert not desk.store.exists(key)


def test_what_has_been_deleted_for_a_day_goes_by_itself(desk: Desk) -> None:
    wolf, tax, _ = desk.fill()
    desk.trash.delete([wolf])
    desk.now += timedelta(seconds=KEEP_S - 1)
    desk.trash.delete([tax])
    desk.trash.tend()
    assert [desk.state(one) for one in (wolf, tax)] == [DELETED, DELETED]
    desk.now += timedelta(seconds=1)
    desk.trash.start()
    until(lambda: desk.state(wolf) == GONE)
    assert desk.state(tax) == DELETED


def test_a_video_goes_from_every_space_and_comes_back_into_each(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    wolf, *_ = desk.fill()
    entries = [replace(e, encoder=NEW.name, vector=e.vector[:48]) for e in desk.index.scroll(video_id=wolf)]
    desk.serving.fill(desk.encoders[NEW.name]).index.upsert(entries)
    desk.close()
    with closing(Desk(tmp_path)) as again:  # the other space is not open now
        again.trash.delete([wolf])
        with again.serving.every() as indexes:
            assert [sum(1 for _ in index.scroll(video_id=wolf)) for index in indexes.values()] == [0, 0]
        again.trash.restore([wolf])
        with again.serving.every() as indexes:
            assert [sum(1 for _ in index.scroll(video_id=wolf)) for index in indexes.values()] == [4, 4]


def test_adding_a_deleted_content_again_brings_it_back_without_encoding(desk: Desk) -> None:
    desk.jobs.start()
    path = make_video(desk.folder / "wolf.mp4", seconds=1.2, size=(64, 36), fps=5, pattern=plain(20, 20, 90))
    (first,) = desk.jobs.wait([desk.jobs.submit(path).id], PATIENCE_S)
    desk.trash.delete([first.video_id])
    assert desk.jobs.jobs() == [], "its finished job is gone from Ingest too"
    copy = desk.folder / "copy.mp4"
    copy.write_bytes(path.read_bytes())
    (second,) = desk.jobs.wait([desk.jobs.submit(copy).id], PATIENCE_S)
    assert (second.stage, second.video_id, second.duplicate) == (Stage.READY, first.video_id, True)
    assert desk.encoders[OLD.name].encoded == ["wolf.mp4"]
    assert desk.trash.videos() == []
    assert desk.index.count().videos == 1


def test_a_content_added_again_while_it_goes_for_good_comes_in_anew_afterwards(desk: Desk) -> None:
    path = make_video(desk.folder / "wolf.mp4", seconds=1.2, size=(64, 36), fps=5, pattern=plain(20, 20, 90))
    desk.jobs.start()
    (first,) = desk.jobs.wait([desk.jobs.submit(path).id], PATIENCE_S)
    desk.trash.delete([first.video_id])
    desk.book.begin(first.video_id, "purging")
    again = desk.jobs.submit(path)
    until(lambda: "removed for good" in (desk.jobs.job(again.id).reason or ""))
    desk.trash.tend()
    (second,) = desk.jobs.wait([again.id], PATIENCE_S)
    assert (second.stage, second.duplicate) == (Stage.READY, False)
    assert desk.index.count().videos == 1
    assert len(desk.store.sizes()) == 2


def test_one_machine_removes_and_nothing_is_removed_after_it(desk: Desk) -> None:
    (first, *_) = desk.fill()
    (video,) = desk.trash.delete([first])
    elsewhere = [True]

    @contextmanager
    def alone(about: str) -> Iterator[bool]:
        assert first in about
        if len(elsewhere) > 1:
            desk.book.drop(first)  # the other one has just ended, and somebody has added the content again
        yield not elsewhere.pop()

    desk.trash._alone = alone
    assert desk.trash.purge([first]) == Removed()
    assert desk.state(first) == DELETED
    elsewhere += [True, False]
    assert desk.trash.purge([first]) == Removed()
    assert desk.store.exists(video.media_key)


def test_a_video_deleted_before_another_encoder_took_over_comes_back_by_being_encoded(tmp_path: Path) -> None:
    desk = Desk(tmp_path, MemorySpaces())
    desk.jobs.start()
    paths = [
        make_video(tmp_path / f"{n}.mp4", seconds=1.2, size=(64, 36), fps=5, pattern=plain(60 * n, 20, 90))
        for n in range(2)
    ]
    kept, deleted = (job.video_id for job in desk.jobs.wait([desk.jobs.submit(p).id for p in paths], PATIENCE_S))
    desk.trash.delete([deleted])
    entries = [replace(e, encoder=NEW.name, vector=e.vector[:48]) for e in desk.index.scroll(video_id=kept)]
    lane = desk.serving.fill(desk.encoders[NEW.name])
    lane.index.upsert(entries)
    desk.serving.configured = desk.encoders[NEW.name]
    assert desk.serving.complete(lane, lambda: True)
    assert desk.trash.restore([deleted]) == 1
    assert [video.video_id for video in desk.trash.returning()] == [deleted]
    until(lambda: desk.index.count().videos == 2)
    desk.trash.tend()
    assert desk.book.videos() == []
    titles = {entry.video_id: entry.title for entry in desk.index.scroll(scope="video")}
    assert titles.keys() == {kept, deleted}
    assert desk.encoders[NEW.name].encoded == ["1.mp4"]
    desk.trash.delete([deleted])
    assert desk.index.count().videos == 1, "what has come back can be deleted again"
    desk.close()


@pytest.fixture(params=["one process", "machines that share"])
def behind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """A library whose first video was deleted before another encoder took over, and that has lost its stored copy."""
    is_shared = request.param != "one process"
    url = request.getfixturevalue("database_url") if is_shared else None
    desk = Desk(tmp_path, MemorySpaces(), FolderStore(tmp_path / "media"), url=url)
    wolf, *_ = desk.fill()
    desk.trash.delete([wolf])
    lane = desk.serving.fill(desk.encoders[NEW.name])
    for title in TITLES[1:]:
        lane.index.upsert(make_entries(title, info=NEW))
    desk.serving.configured = desk.encoders[NEW.name]
    assert desk.serving.complete(lane, lambda: True)
    desk.store.delete(desk.book.videos()[0].media_key)
    with closing(desk):
        yield desk


def stages(desk: Desk) -> list[Stage]:
    return [job.stage for job in desk.jobs.jobs()]


def test_what_could_not_be_encoded_is_held_and_tried_again_only_when_it_is_restored_again(behind: Desk) -> None:
    (video,) = behind.trash.videos()
    behind.count(behind.jobs, "submit")
    behind.jobs.start()
    behind.trash.restore([video.video_id])
    until(lambda: stages(behind) == [Stage.FAILED])
    behind.now += timedelta(seconds=3 * KEEP_S)
    for _ in range(3):
        behind.trash.tend()
    assert (behind.writes, stages(behind)) == (1, [Stage.FAILED])
    assert (behind.trash.returning(), behind.trash.videos()) == ([], [])
    ((held, why),) = behind.trash.held()
    assert held.video_id == video.video_id
    assert "stored copy is gone" in str(why)
    with pytest.raises(LibraryError, match="Restore it in the trash"):
        behind.trash.revive(video.content_sha256)  # the same file was added, and is tried again and again
    with pytest.raises(Unavailable, match="only by being encoded"):
        behind.trash.revive(video.content_sha256, may_encode=False)
    assert behind.writes == 1
    behind.trash.restore([video.video_id])
    assert behind.writes == 2
    until(lambda: stages(behind) == [Stage.FAILED])


def test_what_was_to_be_encoded_stays_cancelled_and_forgotten_until_it_is_restored_again(behind: Desk) -> None:
    (video,) = behind.trash.videos()
    behind.trash.restore([video.video_id])
    assert [one.video_id for one in behind.trash.returning()] == [video.video_id]
    assert behind.trash.held() == []
    with pytest.raises(Unavailable, match="is being read"):
        behind.trash.revive(video.content_sha256)
    (job,) = behind.jobs.jobs()
    behind.jobs.cancel(job.id)
    behind.trash.tend()
    assert stages(behind) == [Stage.CANCELLED]
    behind.jobs.forget([job.id])
    behind.trash.tend()
    assert behind.jobs.jobs() == []
    assert [(one.video_id, why) for one, why in behind.trash.held()] == [(video.video_id, None)]
    behind.trash.restore([video.video_id])
    assert stages(behind) == [Stage.QUEUED]
    assert behind.trash.held() == []


@pytest.mark.parametrize("is_anywhere", [True, False])
def test_a_video_that_is_coming_back_can_be_deleted(behind: Desk, is_anywhere: bool) -> None:
    (video,) = behind.trash.videos()
    behind.trash.restore([video.video_id])
    if not is_anywhere:
        behind.serving.drop_others()
    behind.now += timedelta(seconds=KEEP_S - 60)
    (deleted,) = behind.trash.delete([video.video_id])
    assert (deleted.video_id, deleted.state) == (video.video_id, "trashed")
    assert [one.video_id for one in behind.trash.videos()] == [video.video_id]
    assert (behind.jobs.jobs(), behind.trash.returning(), behind.trash.held()) == ([], [], [])
    behind.now += timedelta(seconds=120)
    behind.trash.tend()
    assert len(behind.trash.videos()) == 1, "its day begins anew"
    assert len(behind.book.entries(video.video_id)) == 4
    with behind.serving.every() as indexes:
        assert not any(list(index.scroll(video_id=video.video_id)) for index in indexes.values())
    behind.now += timedelta(seconds=KEEP_S)
    behind.trash.tend()
    assert behind.state(video.video_id) == GONE


def test_what_would_have_to_be_encoded_to_be_taken_in_is_not(behind: Desk) -> None:
    (video,) = behind.trash.videos()
    with pytest.raises(Unavailable, match="only by being encoded"):
        behind.trash.revive(video.content_sha256, may_encode=False)
    assert (behind.jobs.jobs(), len(behind.trash.videos())) == ([], 1)


def test_a_job_that_fails_leaves_what_a_deleted_video_needs(desk: Desk) -> None:
    wolf, *_ = desk.fill()
    whole = next(desk.index.scroll(video_id=wolf, scope="video"))
    desk.trash.delete([wolf])
    work = Work("1" * 32, "/wolf.mp4", "wolf.mp4", step=Step.STORE, encoder=OLD.name, sha256=whole.content_sha256)
    desk.pipeline.roll_back(
        replace(work, video_id=wolf, media_key=whole.media_key, poster_key=whole.poster_key, caption_keys=())
    )
    assert desk.state(wolf) == DELETED


@pytest.mark.parametrize("what", ["delete", "restore", "purge"])
def test_a_crash_at_any_write_leaves_nothing_half_and_nothing_lost(tmp_path: Path, what: str) -> None:
    aim = {"delete": DELETED, "restore": HERE, "purge": GONE}[what]
    step, ended = 1, False
    with closing(Desk(tmp_path / "empty", MemorySpaces(), MemoryStore())) as empty:  # its files are made once
        empty.taste.mark("anna", "v", "like")
        empty.corrections.say("aa", "mood", "calm", True)
        empty.book.drop("nobody")
    while not ended:
        for at in (-step, step):
            folder = shutil.copytree(tmp_path / "empty", tmp_path / f"{what}{at}")
            disk = MemorySpaces(), MemoryStore()
            desk = Desk(folder, *disk)
            ids = desk.fill()[:2]
            if what != "delete":
                desk.trash.delete(ids)
            for thing, names in (
                (desk.book, ("keep", "begin", "drop")),
                (desk.index, ("upsert", "delete")),
                (desk.store, ("delete",)),
                (desk.taste, ("forget_video",)),
            ):
                desk.count(thing, *names)
            desk.crash_at, crashed = at, False
            try:
                getattr(desk.trash, what)(ids)
            except Crash:
                crashed = True
            ended = not crashed
            desk.close()
            with closing(Desk(folder, *disk)) as after:
                after.trash.tend()
                states = [after.state(one) for one in ids]
                begun = {"delete": HERE, "restore": DELETED, "purge": DELETED}[what]
                assert set(states) <= {aim, begun}, (at, states)
                assert crashed or set(states) == {aim}
        step += 1
    assert step > 4, "hardly anything was written"


@pytest.mark.parametrize(("what", "aim"), [("delete", DELETED), ("purge", GONE)])
def test_after_kill_9_amid_three_all_end_as_was_asked(tmp_path: Path, what: str, aim: tuple[int, int, int]) -> None:
    with closing(Desk(tmp_path)) as desk:
        ids = desk.fill()
        if what == "purge":
            desk.trash.delete(ids)
    life = subprocess.run(
        [sys.executable, "-m", "tests.library.test_removal", str(tmp_path), what, *ids],
        cwd=Path(__file__).parents[2],
        timeout=120,
    )
    assert life.returncode == -signal.SIGKILL
    with closing(Desk(tmp_path)) as after:
        after.trash.tend()
        assert [after.state(one) for one in ids] == [aim] * 3


if __name__ == "__main__":
    import os

    life = Desk(Path(sys.argv[1]))
    delete = life.index.delete

    def killed(video_id: str) -> None:
        delete(video_id)
        os.kill(os.getpid(), signal.SIGKILL)

    life.index.delete = killed
    getattr(life.trash, sys.argv[2])(sys.argv[3:])
