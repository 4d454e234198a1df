"""Minutes of a service in a day: stopped before they are passed, in all and for each; what does not fit waits."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.errors import MediaError, NotToday
from core.ingest.budget import Budget
from core.models import Stage
from core.state.spending import SpendingBook
from core.state.sqlite import SqliteShelf
from tests.support import Library, finish, until


class Day:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 26, 22, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def day():
    return Day()


@pytest.fixture
def budget(tmp_path, day):
    """Return a way to open it, as a new process would."""

    def build(most: float | None, each: float | None = None) -> Budget:
        book = SpendingBook(SqliteShelf(tmp_path / "spending.sqlite3", "spending"))
        covers = {"marengo", "fake-v1"}.__contains__
        return Budget(book, covers=covers, minutes_a_day=most, minutes_a_day_each=each, now=day)

    return build


def test_it_stops_before_it_is_passed_and_goes_on_the_next_day(budget, day):
    spend = budget(10.0).spend
    spend("marengo", 300, None, {})
    with pytest.raises(NotToday, match=r"5\.0 of the 10 minutes .* needs 5\.0") as caught:
        spend("marengo", 301, None, {})
    assert caught.value.retry_after_s == 90 * 60 + 1
    spend("marengo", 300, None, {})
    with pytest.raises(NotToday):
        budget(10.0).spend("marengo", 1, None, {})  # a restart forgets nothing
    day.now = day.now.replace(day=27, hour=0)
    spend("marengo", 301, None, {})
    assert budget(10.0).today().minutes == pytest.approx(301 / 60)


def test_each_who_is_known_has_a_share(budget):
    book = budget(10.0, each=4.0)
    book.spend("marengo", 240, "anna@example.org", {})
    with pytest.raises(NotToday, match=r"anna@example\.org"):
        book.spend("marengo", 60, "anna@example.org", {})
    book.spend("marengo", 240, "ben@example.org", {})
    book.spend("marengo", 120, None, {})
    with pytest.raises(NotToday, match=r"10\.0 of the 10 minutes that may"):
        book.spend("marengo", 1, "cleo@example.org", {})
    today = book.today("anna@example.org")
    assert (today.minutes, today.yours, today.most_each) == (10, 4, 4)
    assert book.today().most_each is None


def test_what_goes_on_is_counted_once_and_what_is_given_anew_again(budget, day):
    book, notes = budget(100.0), {}
    for _ in range(3):
        book.spend("marengo", 60, None, notes)
    assert book.today().minutes == 1
    book.spend("marengo", 60, None, {**notes, "task": "t1"})
    assert book.today().minutes == 1
    book.spend("marengo", 60, None, {**notes, "failures": "1"})
    assert book.today().minutes == 2
    day.now = day.now.replace(day=27)
    book.spend("marengo", 60, None, notes)  # it was counted, but is given only today
    assert book.today().minutes == 1


def test_a_video_that_never_fits_is_said_at_once(budget):
    with pytest.raises(MediaError, match="TWELVELABS_MINUTES_A_DAY"):
        budget(10.0).spend("marengo", 601, None, {})
    with pytest.raises(MediaError):
        budget(None, each=5.0).spend("marengo", 301, "anna@example.org", {})


def test_without_a_limit_or_at_another_encoder_nothing_is_counted(budget, tmp_path):
    budget(None).spend("marengo", 1e6, None, {})
    budget(1.0).spend("local-v2", 1e6, None, {})
    assert budget(None).today() is None
    assert budget(1.0).today().minutes == 0


def test_files_wait_with_the_reason_and_come_in_the_next_day(budget, day, tmp_path):
    library = Library(tmp_path)
    try:
        library.pipeline.budget = budget(2.5 / 60)  # each video lasts 1.2 s: two fit
        queue = library.open()
        jobs = [queue.submit(library.video(f"{n}.mp4", n), by="anna@example.org") for n in range(3)]
        until(lambda: sum(queue.job(job.id).stage is Stage.READY for job in jobs) == 2)
        until(lambda: any("tomorrow" in (queue.job(job.id).reason or "") for job in jobs))
        (waiting,) = [queue.job(job.id) for job in jobs if queue.job(job.id).stage is not Stage.READY]
        assert not waiting.stage.is_over
        assert "2.4" not in (waiting.reason or "")
        assert "0.0 of the" in (waiting.reason or "")
        day.now = day.now.replace(day=27)
        queue = library.reopen(queue)  # it tries at once at a new start, and is counted to the new day
        finish(queue, waiting)
        assert queue.job(waiting.id).stage is Stage.READY
    finally:
        library.close()
