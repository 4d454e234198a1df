"""The poster of a video: addresses that hold wherever the app is shown, and a name for who cannot see it."""

from __future__ import annotations

import re

import pytest
from streamlit import config

from pages.components.doors import page_url, routes_are_served
from tests.fakes import make_entries
from tests.pages.support import add_entries, open_page


@pytest.mark.parametrize(
    ("base", "url", "named"),
    [
        ("", "/app/static/media/a.jpg", "app/static/media/a.jpg"),
        ("films", "/app/static/media/a.jpg", "/films/app/static/media/a.jpg"),
        ("/films/new/", "/app/static/media/a.jpg", "/films/new/app/static/media/a.jpg"),
        ("films", "https://bucket.example/a.jpg?signed=1", "https://bucket.example/a.jpg?signed=1"),
        ("", "", ""),
    ],
)
def test_an_address_on_the_page_holds_under_any_base_path(base, url, named):
    before = config.get_option("server.baseUrlPath")
    config.set_option("server.baseUrlPath", base)
    try:
        assert page_url(url) == named
    finally:
        config.set_option("server.baseUrlPath", before)


def test_a_poster_is_a_button_with_a_name_and_fetches_its_picture_when_near(services):
    add_entries(services, 2, "grey wolf")
    app = open_page("discover")
    posters = [element.value for element in app.get("html") if str(element.value).startswith('<div class="reel"')]
    assert len(posters) == 2
    for poster in posters:
        assert 'loading="lazy"' in poster
        assert re.search(r'data-video="app/static/media/\S+" data-start="\d+"', poster)
        assert "grey wolf" not in poster, "a title is never HTML"
    assert {button.label for button in app.button} >= {"Play grey wolf 0", "Play grey wolf 1"}


def test_an_answer_shows_its_moment_over_the_poster_and_what_nobody_asked_for_its_poster(services, monkeypatch):
    monkeypatch.setattr(routes_are_served, "is_set", lambda: True)
    (vector,) = services.encoder.encode_text(["grey wolf"])
    for n in range(2):
        own = vector.copy()
        own[n] += 0.6
        vectors = [own, vector * 0.1, own, vector * 0.1]
        services.index.upsert(make_entries(f"grey wolf {n}", info=services.encoder.info, vectors=vectors))
    for query, pictures in (({"q": "grey wolf"}, 2), ({"show": "newest"}, 1)):
        app = open_page("discover", **query)
        posters = [element.value for element in app.get("html") if str(element.value).startswith('<div class="reel"')]
        assert posters
        for poster in posters:
            assert poster.count("<img") == pictures, query
            assert len(re.findall(r'src="api/videos/[\w-]+/still\?at=\d\.000"', poster)) == pictures - 1
