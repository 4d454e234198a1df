"""On a phone the feed fills the screen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server, go


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    yield context.new_page()
    context.close()


def test_the_feed_fills_the_screen_and_the_page_does_not_scroll(full: Server, phone: Page) -> None:
    go(phone, f"{full.url}/?category=animals&view=feed")
    expect(phone.locator(".st-key-feed .stVideo")).to_be_visible()
    for selector in (".stMain", "html"):
        high = phone.locator(selector).evaluate("one => [one.scrollHeight, one.clientHeight]")
        assert high[0] <= high[1], selector
    box = phone.locator(".st-key-feed .stVideo").bounding_box()
    assert box["height"] >= 0.5 * 844
    bar = phone.locator(".st-key-page-bar").bounding_box()
    for name in ("Previous", "Next"):
        step = phone.get_by_role("button", name=name).bounding_box()
        assert step["y"] + step["height"] <= bar["y"], "nothing lies under the pages"
