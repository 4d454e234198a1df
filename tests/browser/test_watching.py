"""Watching and moving about: what plays next, where one goes on, keys, undo, and the pages on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server
from tests.browser.test_access import SETTLED

PLAYING = "() => [...document.querySelectorAll('.stVideo')].find(one => !one.paused && one.currentTime > 0.2)"


def opened(page: Page, title: str) -> str:
    """Return the way to the player of a video."""
    return f'.stVideo[aria-label="{title}"]'


def test_what_ends_plays_on_with_the_next_and_what_was_left_goes_on(full: Server, page: Page) -> None:
    page.goto(f"{full.url}/?show=newest")
    page.wait_for_function(SETTLED)
    titles = page.locator("[class*=st-key-card-] [class*=st-key-title-]").all_inner_texts()
    first, second = (page.locator(opened(page, title)) for title in titles[:2])
    page.get_by_role("button", name=f"Play {titles[0]}").click()
    page.wait_for_function(PLAYING)
    first.evaluate("video => { video.muted = false; video.currentTime = 2.5; }")
    page.wait_for_function("() => Object.values(sessionStorage).some(one => Number(one) >= 2.5)")
    page.reload()
    page.wait_for_function(SETTLED)
    page.get_by_role("button", name=f"Play {titles[0]}").click()
    page.wait_for_function(
        "title => document.querySelector(`.stVideo[aria-label='${title}']`)?.currentTime >= 2.4", arg=titles[0]
    )
    expect(second).to_have_count(1, timeout=30_000)  # the first one ends, and the next card opens
    page.wait_for_function(
        "title => document.querySelector(`.stVideo[aria-label='${title}']`)?.currentTime > 0.2", arg=titles[1]
    )


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


def test_less_of_this_kind_can_be_undone(full: Server, page: Page) -> None:
    page.goto(f"{full.url}/?show=newest&who=Undecided")
    page.wait_for_function(SETTLED)
    card = page.locator("[class*=st-key-card-]", has=page.get_by_role("button", name="Play Fox animal"))
    card.get_by_role("button", name="Less of this kind").click()
    expect(card.get_by_role("button", name="Less of this kind, undo")).to_be_visible()
    offer = page.locator("[class*=st-key-undo-offer]")
    expect(offer.get_by_text("Less of this kind from now on.")).to_be_visible()
    page.wait_for_function(SETTLED)
    offer.get_by_role("button", name="Undo").click()
    expect(offer).to_have_count(0)
    expect(card.get_by_role("button", name="Less of this kind, undo")).to_have_count(0)


def test_the_pages_stand_at_the_bottom_of_a_phone_and_the_feed_fits_above(full: Server, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{full.url}/?category=animals&view=feed")
    page.wait_for_function(SETTLED)
    expect(page.locator(".st-key-feed video")).to_be_visible()
    bar = page.locator(".st-key-page-bar")
    box = bar.bounding_box()
    assert box
    assert box["y"] + box["height"] == pytest.approx(844, abs=1)
    last = page.locator(".st-key-views").bounding_box()
    assert last
    assert last["y"] + last["height"] <= box["y"], "nothing lies under the bar"
    assert (
        page.evaluate(
            "() => { const main = document.querySelector('.stMain'); return main.scrollHeight - main.clientHeight }"
        )
        <= 0
    )
    bar.get_by_role("link", name="Ingest").click()
    expect(page).to_have_url(re.compile("/ingest"))
    expect(page.get_by_role("heading", name="Ingest")).to_be_visible()
    context.close()
