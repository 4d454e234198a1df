"""What came since a page was drawn is offered, and moves nothing by itself."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import LibraryError
from core.services import Services
from pages.components import news
from tests.pages.support import add_entries, open_page, press, shown


def page() -> None:
    from core.access.roles import Action
    from pages.components.news import offer
    from pages.components.services import page_services

    offer(page_services("Discover", Action.WATCH), 1)


@pytest.mark.parametrize(("number", "said"), [(0, []), (1, []), (2, ["1 new video"]), (3, ["2 new videos"])])
def test_what_is_beyond_the_known_is_offered(
    services: Services, no_workers: None, number: int, said: list[str]
) -> None:
    add_entries(services, number, "wolf")
    app = AppTest.from_function(page).run()
    assert [button.label for button in app.button] == said
    assert not app.exception


def test_nothing_is_said_where_nobody_answers(
    services: Services, no_workers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down() -> None:
        raise LibraryError("It does not answer.")

    monkeypatch.setattr(services.index, "count", down)
    app = AppTest.from_function(page).run()
    assert not app.button
    assert not app.error
    assert not app.exception


def test_a_press_draws_the_page_with_what_came(
    services: Services, no_workers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_entries(services, 1, "wolf")
    offer = news.offer
    monkeypatch.setattr(news, "offer", lambda of, known: offer(of, known - (len(came) > 0)))  # one came just now
    came = [1]
    app = open_page("discover")
    assert len(shown(app)) == 1
    add_entries(services, 2, "wolf")
    came.clear()
    press(app, "1 new video")
    assert len(shown(app)) == 2
    assert "1 new video" not in [button.label for button in app.button]
    assert not app.exception
