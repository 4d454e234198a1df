"""Keys on Discover: they are told at "?", and reach the search."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, go


def test_keys_are_told_and_reach_the_search(full: Server, page: Page) -> None:
    go(page, f"{full.url}/?show=newest")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog").get_by_text("Previous and next video in the feed")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("/")
    expect(page.get_by_label("Search in words")).to_be_focused()
    page.keyboard.type("/?")
    expect(page.get_by_label("Search in words")).to_have_value("/?")


def test_the_button_for_files_speaks_the_language_of_the_page(full: Server, page: Page) -> None:
    for language, says in (("zh", "选择文件"), ("en", "Choose files")):
        go(page, f"{full.url}/ingest?lang={language}")
        expect(page.get_by_role("button", name=says)).to_be_visible()
        expect(page.get_by_test_id("stFileUploaderDropzone")).not_to_have_text(
            re.compile("[A-Z]B per file"), use_inner_text=True
        )
        button = page.get_by_role("button", name=says).bounding_box()
        box = page.get_by_test_id("stFileUploaderDropzone").bounding_box()
        assert abs(button["x"] + button["width"] / 2 - box["x"] - box["width"] / 2) <= 1, "in the middle of its box"
