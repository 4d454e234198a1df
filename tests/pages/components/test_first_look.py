"""What comes with the page of Discover is the first row of it, for who may see it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from core.access.roles import ANYBODY, Identity
from core.errors import LibraryError
from core.serving.shell import Opened, Preview
from pages.components.preview import preview
from tests.pages.support import add_entries, open_page, shown

POSTER = re.compile(r'<img class="reel-poster" alt="" src="app/static/media/([^"]+)\.jpg">')
OPENED = Opened("/", {}, "en", "https://reel.example", ANYBODY)


@pytest.fixture
def wolves(services, no_workers) -> list[str]:
    return add_entries(services, 13, "grey wolf")


def come(services, opened: Opened = OPENED) -> Preview:
    return preview(lambda: services, opened)


def seen(services, opened: Opened = OPENED) -> list[str]:
    """Return the ids of the videos whose posters come with a page."""
    return re.findall(
        r'<img class="reel-poster" alt="" src="app/static/media/([^"]+)\.jpg">', come(services, opened).first
    )


def test_the_posters_of_the_first_row_come_with_the_page(services, wolves):
    row = seen(services)
    titles = {video_id: f"grey wolf {n}" for n, video_id in enumerate(wolves)}
    assert [titles[video_id] for video_id in row] == shown(open_page("discover"))[:5]
    assert come(services).pictures == [f"app/static/media/{video_id}.jpg" for video_id in row[:3]]


def test_who_likes_something_sees_what_is_like_it(services, wolves):
    before = seen(services)
    services.taste.mark("Me", wolves[3], "like")
    titles = {video_id: f"grey wolf {n}" for n, video_id in enumerate(wolves)}
    assert [titles[video_id] for video_id in seen(services)] == shown(open_page("discover"))[:5]
    assert seen(services) != before
    ann = replace(OPENED, who=Identity("viewer", "oidc", "ann@example.org"))
    assert seen(services, ann) == before, "another person's taste"


def test_only_who_is_let_in_sees_anything(services, wolves):
    assert not seen(services, replace(OPENED, who=None))
    assert seen(services, replace(OPENED, who=Identity("viewer", "password")))


def test_only_the_page_that_begins_with_rows_has_it(services, wolves):
    for query in ({"category": "animals"}, {"watch": wolves[0]}, {"view": "feed"}, {"who": "Ann"}, {"present": "1"}):
        assert not come(services, replace(OPENED, query=query)).first, query
    assert not come(services, replace(OPENED, path="/library")).first
    assert seen(services, replace(OPENED, query={"lang": "zh"}))


def test_no_library_is_opened_for_a_page_that_has_none():
    def closed() -> None:
        raise AssertionError("nobody asked for it")

    for opened in (replace(OPENED, path="/library"), replace(OPENED, who=None)):
        assert not preview(closed, opened).first


@pytest.mark.parametrize(("number", "words"), [(12, "grey wolf"), (13, "qwertz")])
def test_a_library_that_is_shown_whole_has_none(services, no_workers, number, words):
    add_entries(services, number, words)
    assert not come(services).first


def test_it_stands_below_the_channels(services, wolves):
    assert "first-look-below-channels" not in come(services).first
    services.channels.save("Calm", [("mood", "calm")])
    assert "first-look-below-channels" in come(services).first


def test_a_library_that_does_not_answer_has_none_and_the_page_comes(services, wolves, monkeypatch):
    def fail(*args: object, **kwargs: object) -> None:
        raise LibraryError("It does not answer.")

    monkeypatch.setattr(type(services.discover), "browse", fail)
    found = come(services)
    assert (found.first, found.pictures) == ("", [])
    assert found.title == "Discover · Moodreel"
