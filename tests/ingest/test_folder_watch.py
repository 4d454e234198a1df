"""A watched folder: what appears goes in once, what goes is kept, what is broken is tried once, no link is followed."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from core.errors import EncoderError
from core.ingest import folder_watch
from core.ingest.folder_watch import FolderWatch, Looked
from core.ingest.jobs import JobQueue
from core.ingest.work import Step
from core.models import Job, Stage
from core.state.sqlite import SqliteShelf
from core.state.watched import WatchBook
from tests.ingest.conftest import Library
from tests.support import finish

SETTLED_S = 10.0


class Watched:
    """A library that watches a folder, by a clock that tests turn."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.folder = library.root / "inbox"
        self.folder.mkdir()
        self.now = 100.0
        self.jobs = library.open()
        self.watch = self.open()

    def open(self, **options: object) -> FolderWatch:
        book = WatchBook(SqliteShelf(self.library.root / "watch.sqlite3", "watch"))
        self.watch = FolderWatch(
            self.folder, self.jobs, book, **{"most": 100, "settled_s": SETTLED_S, "clock": lambda: self.now} | options
        )
        return self.watch

    def restart(self) -> None:
        """Open both anew on the same files, as the next process does."""
        self.jobs = self.library.reopen(self.jobs)
        self.open()

    def look(self, after_s: float = SETTLED_S) -> Looked:
        self.now += after_s
        return self.watch.look()

    def settle(self) -> Looked:
        """Look until all that can be is in the library."""
        self.look()
        self.look()
        finish(self.jobs)
        return self.look()

    @property
    def sent(self) -> list[Job]:
        return self.jobs.jobs()

    @property
    def titles(self) -> list[str]:
        return sorted(entry.filename for entry in self.library.index.scroll(scope="video"))


@pytest.fixture
def watched(library: Library) -> Watched:
    return Watched(library)


def test_what_appears_anywhere_in_the_folder_goes_in_once(watched: Watched) -> None:
    watched.library.video("a.mp4", 1)
    (watched.folder / "summer/2026").mkdir(parents=True)
    watched.library.video("b.mp4", 2).rename(watched.folder / "summer/2026/b.mp4")
    (watched.folder / "notes.txt").write_text("no video")
    watched.library.video("hidden.mp4", 3).rename(watched.folder / ".hidden.mp4")
    assert watched.look() == Looked(watched.folder, waiting=2, looked=True)
    assert watched.sent == [], "it may still grow"
    assert watched.settle() == Looked(watched.folder, looked=True)
    assert watched.titles == ["a.mp4", "b.mp4"]
    assert watched.look() == Looked(watched.folder, looked=True)
    assert len(watched.sent) == 2
    assert (watched.folder / "a.mp4").exists(), "a person's own file is never touched"


def test_what_still_grows_waits(watched: Watched) -> None:
    path = watched.library.video("a.mp4", 1)
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])
    watched.look()
    for size in (2000, 3000):
        path.write_bytes(whole[:size])
        watched.look()
        assert watched.sent == []
    path.write_bytes(whole)
    watched.look()
    watched.look(after_s=SETTLED_S - 1)
    assert watched.sent == []
    watched.look(after_s=1)
    (job,) = finish(watched.jobs)
    assert job.stage is Stage.READY


def test_a_restart_adds_nothing_again_and_reads_nothing_again(watched: Watched) -> None:
    watched.library.video("a.mp4", 1)
    watched.settle()
    watched.jobs.clear()
    watched.restart()
    assert watched.settle() == Looked(watched.folder, looked=True)
    assert watched.sent == []


def test_a_restart_amid_goes_on(watched: Watched) -> None:
    watched.library.video("a.mp4", 1)
    watched.library.pipeline.hold(Step.EMBED)
    watched.look()
    watched.look()
    assert watched.look().waiting == 1
    watched.library.pipeline.held.wait(120)
    watched.restart()
    assert watched.look().waiting == 1
    watched.library.pipeline.release()
    finish(watched.jobs)
    assert watched.look() == Looked(watched.folder, looked=True)
    assert len(watched.sent) == 1


def test_the_same_content_is_added_once_under_whatever_name(watched: Watched) -> None:
    path = watched.library.video("a.mp4", 1)
    watched.settle()
    path.rename(watched.folder / "moved.mp4")
    assert watched.settle().gone == 1
    assert watched.titles == ["a.mp4"]
    assert watched.library.encoder.encoded == ["a.mp4"]


def test_what_is_broken_says_so_once_and_is_tried_again_when_it_has_changed(watched: Watched) -> None:
    path = watched.folder / "broken.mp4"
    path.write_bytes(b"no video at all")
    assert watched.settle().failed == 1
    (job,) = watched.sent
    assert job.reason
    watched.jobs.clear()
    watched.restart()
    assert watched.settle() == Looked(watched.folder, failed=1, looked=True)
    assert watched.sent == []
    watched.library.video("whole.mp4", 4).replace(path)
    assert watched.settle() == Looked(watched.folder, looked=True)
    assert watched.titles == ["broken.mp4"]


def test_what_a_person_tries_again_with_success_has_not_failed(watched: Watched) -> None:
    watched.library.video("a.mp4", 1)
    watched.library.encoder.failures = {"a.mp4": [EncoderError("Not today.")]}
    assert watched.settle().failed == 1
    watched.jobs.retry(watched.sent[0].id)
    finish(watched.jobs)
    assert watched.look().failed == 0


def test_what_disappears_is_kept_and_said(watched: Watched) -> None:
    first = watched.library.video("a.mp4", 1)
    (watched.folder / "deep").mkdir()
    second = watched.library.video("b.mp4", 2).rename(watched.folder / "deep/b.mp4")
    watched.settle()
    first.rename(watched.library.root / "away.mp4")
    second.unlink()
    (watched.folder / "deep").rmdir()
    assert watched.look().gone == 2
    assert watched.titles == ["a.mp4", "b.mp4"]
    (watched.library.root / "away.mp4").rename(first)
    assert watched.settle().gone == 1
    assert len(watched.sent) == 2, "back as it was: nothing is added again"


def test_a_drive_that_is_away_takes_nothing_with_it(watched: Watched) -> None:
    watched.library.video("a.mp4", 1)
    watched.settle()
    watched.folder.rename(watched.library.root / "unmounted")
    looked = watched.look()
    assert looked.gone == 0
    assert looked.problem is not None
    assert "Mount it, or set WATCH_DIR" in looked.problem
    (watched.library.root / "unmounted").rename(watched.folder)
    assert watched.look() == Looked(watched.folder, looked=True)


def test_links_are_not_followed(watched: Watched) -> None:
    outside = watched.library.root / "outside"
    outside.mkdir()
    watched.library.video("secret.mp4", 1).rename(outside / "secret.mp4")
    (watched.folder / "link.mp4").symlink_to(outside / "secret.mp4")
    (watched.folder / "folder").symlink_to(outside)
    (watched.folder / "round").symlink_to(watched.folder)
    assert watched.settle() == Looked(watched.folder, looked=True)
    assert watched.sent == []


def test_a_name_that_is_no_text_is_a_name(watched: Watched) -> None:
    video = watched.library.video("a.mp4", 1)
    os.rename(os.fsencode(video), os.fsencode(watched.folder) + b"/caf\xe9.mp4")
    watched.settle()
    watched.restart()
    assert watched.settle() == Looked(watched.folder, looked=True)
    assert len(watched.sent) == 1


def test_only_some_are_in_the_queue_at_a_time_and_never_more_than_may_wait(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(5):
        (watched.folder / f"{n}.mp4").write_bytes(bytes(n + 1))
    sent = counted(watched.jobs, monkeypatch)
    watched.library.pipeline.hold(Step.IDENTIFY)
    watched.open(most=2)
    watched.look()
    watched.look()
    assert len(sent) == 2
    monkeypatch.setattr(folder_watch, "AT_ONCE", 3)
    watched.open(most=100)
    watched.look()
    watched.look()
    watched.watch.feed()
    assert len(sent) == 3
    watched.library.pipeline.release()
    finish(watched.jobs)
    watched.watch.feed()
    assert len(sent) == 5, "without another look"
    finish(watched.jobs)
    watched.watch.feed()
    assert watched.watch.status() == watched.look() == Looked(watched.folder, failed=5, looked=True)


def counted(jobs: JobQueue, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    sent: list[object] = []
    submit: Callable[..., Job] = jobs.submit

    def count(source: object, *more: object, **options: object) -> Job:
        sent.append(source)
        return submit(source, *more, **options)

    monkeypatch.setattr(jobs, "submit", count)
    return sent


def test_many_files_are_held_a_folder_at_a_time_and_watched_a_few_at_a_time(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_watch, "HELD", 10)
    monkeypatch.setattr(folder_watch, "BREATHE_AFTER", 20)
    pauses: list[float] = []
    monkeypatch.setattr(watched.watch._rounds, "rest", pauses.append)
    for folder in range(4):
        (watched.folder / str(folder)).mkdir()
        for n in range(20):
            (watched.folder / str(folder) / f"{n}.mp4").write_bytes(b"x")
    assert watched.look().waiting == 80
    assert len(watched.watch._unsettled) == 10
    assert len(pauses) == 8, "a folder is listed, and then compared: others have the drive and the processor between"
