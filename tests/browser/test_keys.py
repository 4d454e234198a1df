"""Keys on Discover: they are told at "?", and reach the search."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.test_access import SETTLED


def test_keys_are_told_and_reach_the_search(full: Server, page: Page) -> None:
    page.goto(f"{full.url}/?show=newest")
    page.wait_for_function(SETTLED)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog").get_by_text("Previous and next video in the feed")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("/")
    expect(page.get_by_label("Search in words")).to_be_focused()
    page.keyboard.type("/?")
    expect(page.get_by_label("Search in words")).to_have_value("/?")
