"""Pages over a library with damaged files: each part says its sentence, and no page ends in a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.models import Stage
from pages.components.services import close_services, shared_services
from tests.pages.support import add, open_page, readable
from tests.videos import make_video

PAGES = ("discover", "library", "ingest")


@pytest.fixture
def damaged(services, tmp_path: Path):
    """Return what damages a file of a library of one video and opens the library again."""
    video_id = add(services, make_video(tmp_path / "a.mp4", seconds=1.0, size=(64, 36), fps=6), "grey wolf.mp4")
    services.taste.mark("Ada", video_id, "like")
    services.channels.save("Wolves", [("q", "wolf")])
    services.correct(video_id, "category", "nature", False)
    folder = services.settings.data_dir

    def damage(*names: str) -> None:
        close_services()
        for name in names:
            data = bytearray((folder / name).read_bytes())
            data[100:] = bytes(len(data) - 100)
            (folder / name).write_bytes(data)

    return damage


def test_what_people_left_behind_is_damaged_and_every_page_goes_on(damaged) -> None:
    damaged("taste.sqlite3", "channels.sqlite3", "corrections.sqlite3")
    shared_services().damage.wait(120)
    said = {name: open_page(name, profile="Ada", q="wolf") for name in PAGES}
    assert not any(app.exception for app in said.values())
    for name in ("library", "ingest"):
        assert "3 files were damaged" in readable(said[name])
        assert "likes and dislikes" in readable(said[name])
    assert "move it away" in readable(said["discover"])


def test_a_damaged_queue_is_said_on_every_page_and_moving_it_away_helps(damaged, tmp_path: Path) -> None:
    damaged("jobs.sqlite3")
    for name in PAGES:
        app = open_page(name)
        assert not app.exception
        assert "jobs.sqlite3" in readable(app)
        assert "move it away" in readable(app)
    (tmp_path / "data" / "jobs.sqlite3").rename(tmp_path / "jobs.sqlite3")
    assert not open_page("library").exception
    assert shared_services().index.count().videos == 1
    assert not shared_services().jobs.counts()[Stage.FAILED]


def test_a_shard_that_was_made_anew_is_said_where_the_library_is_looked_after(damaged, tmp_path: Path) -> None:
    [config] = (tmp_path / "data").glob("spaces/*/shard/edge_config.json")
    damaged(str(config.relative_to(tmp_path / "data")))
    config.write_bytes(b"")
    shared_services().damage.wait(120)
    text = readable(open_page("library"))
    assert "A file was damaged" in text
    assert "shard was damaged. What is in its place was made anew" in text
    assert shared_services().index.count().videos == 1
