"""What a link shows where it is posted, and that it says nothing of a library that is not open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.access.roles import ANYBODY, Identity
from core.errors import LibraryLocked
from core.serving.shell import Opened
from pages.components.preview import PICTURES, preview
from tests.pages.support import add_entries

OPENED = Opened("/", {}, "en-GB,en", "https://reel.example/all", ANYBODY)
GENERIC = ("Discover · Moodreel", "Find videos by what happens in them and how they feel.")


@pytest.fixture
def wolf(services, no_workers) -> str:
    return add_entries(services, 1, "grey wolf")[0]


def shown(services, opened: Opened, **query: str) -> tuple[str, str, str]:
    found = preview(lambda: services, replace(opened, query=query))
    return found.title, found.text, found.picture


def test_a_link_to_a_video_shows_its_title_moment_and_poster(services, wolf):
    title, text, picture = shown(services, OPENED, watch=wolf, t="1")
    video = services.index.retrieve([wolf])[0]
    assert title == f"{video.title} · Moodreel"
    assert text.startswith("From 0:01 of ")
    assert picture == f"https://reel.example/all/app/static/media/{video.poster_key}"
    assert shown(services, OPENED, watch=wolf, t="999999")[1] != text


def test_a_link_to_a_search_names_it_in_the_language_of_who_asks(services, wolf):
    assert shown(services, OPENED, category="nature", mood="calm")[0] == "Nature · Calm · Moodreel"
    chinese = preview(lambda: services, replace(OPENED, query={"category": "nature", "lang": "zh"}))
    assert chinese.title == "自然 · Moodreel"
    assert chinese.language == "zh-Hans"
    assert preview(lambda: services, replace(OPENED, languages="zh-TW")).title == "发现 · Moodreel"


def test_what_is_not_there_is_shown_as_the_app(services, wolf):
    for query in ({}, {"watch": "no such video"}, {"watch": ""}, {"category": "<script>"}, {"q": "wolf"}):
        title, text, picture = shown(services, OPENED, **query)
        assert (title, text) == GENERIC
        assert picture == "https://reel.example/all/preview.png"
    assert shown(services, replace(OPENED, path="/library"), watch=wolf)[0] == "Library · Moodreel"
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in PICTURES.values())


def test_a_library_that_is_not_open_says_nothing(services, wolf):
    for who in (None, Identity("viewer", "password"), Identity("editor", "oidc", "a@example.org")):
        title, text, picture = shown(services, replace(OPENED, who=who), watch=wolf, category="nature")
        assert (title, text) == GENERIC
        assert picture.endswith("/preview.png")


def test_a_library_that_cannot_be_opened_leaves_the_saying_to_the_page():
    def broken():
        raise LibraryLocked("Another process has it.")

    found = preview(broken, replace(OPENED, query={"watch": "x"}))
    assert (found.title, found.text) == GENERIC
