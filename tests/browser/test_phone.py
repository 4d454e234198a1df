"""On a phone: what is pressed is in sight, the feed fills the screen, and a finger that scrolls presses nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server, go, settle


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    yield context.new_page()
    context.close()


def test_a_pressed_pill_is_scrolled_into_sight(full: Server, phone: Page) -> None:
    go(phone, f"{full.url}/?category=animals")
    last = phone.locator(".st-key-mood button").last
    assert last.bounding_box()["x"] > 390, "the moods are longer than the screen"
    last.evaluate("pill => pill.click()")
    phone.wait_for_url("**mood=**")
    in_sight = """() => {
        const pressed = document.querySelector('.st-key-mood button[aria-checked="true"]');
        if (!pressed) return false;
        const pill = pressed.getBoundingClientRect(), line = pressed.parentElement.getBoundingClientRect();
        return pill.left >= line.left - 1 && pill.right <= line.right + 1;
    }"""
    phone.wait_for_function(in_sight)
    go(phone, phone.url)  # and when a link has it pressed
    phone.wait_for_function(in_sight)


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


def test_a_finger_that_scrolls_presses_nothing_and_one_that_taps_plays(full: Server, phone: Page) -> None:
    go(phone, f"{full.url}/?show=newest")
    poster = phone.locator("[class*=st-key-poster-]").first
    box = poster.bounding_box()
    finger = phone.context.new_cdp_session(phone)
    for moved in range(0, 301, 20):
        point = {"x": 195, "y": box["y"] + box["height"] / 2 - moved}
        event = {"type": "touchMove" if moved else "touchStart", "touchPoints": [point]}
        finger.send("Input.dispatchTouchEvent", event)
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    phone.wait_for_function(
        "top => document.querySelector('[class*=st-key-poster-]').getBoundingClientRect().top < top - 100", arg=box["y"]
    )
    settle(phone)
    expect(phone.locator("video")).to_have_count(0)
    phone.locator("[class*=st-key-poster-]").nth(1).tap()
    expect(phone.locator(".st-key-results .stVideo")).to_have_count(1)
