"""On a phone the feed fills the screen, lines of choices are moved sideways, and fingers find what they press."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server, go, settle
from tests.browser.support import IN_SIGHT


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    yield context.new_page()
    context.close()


def swiped(page: Page, selector: str, by: int) -> None:
    """Move a finger up over the middle of something by so many pixels, as the screen reports it to the browser."""
    box = page.locator(selector).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    finger = page.context.new_cdp_session(page)
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 11):
        moved = {"type": "touchMove", "touchPoints": [{"x": x, "y": y - by * step / 10}]}
        finger.send("Input.dispatchTouchEvent", moved)
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


LOW = """() => [...document.querySelectorAll(".stMainBlockContainer button, .stMainBlockContainer label:has(input)")]
    .map((one) => [one, one.getBoundingClientRect().height])
    .filter(([one, height]) => height && height < 38 && !one.closest('[data-testid="stElementToolbar"]'))
    .map(([one, height]) => `${height} ${one.innerText || one.ariaLabel || one.outerHTML}`)"""
"""What a finger would miss: buttons and boxes that are lower than 40 pixels, less the frame that some stand in."""


@pytest.mark.parametrize("line", ["category", "mood"])
def test_what_is_pressed_is_scrolled_into_sight(full: Server, phone: Page, line: str) -> None:
    go(phone, f"{full.url}/?category=documentary&mood=romantic")
    phone.wait_for_function(IN_SIGHT, arg=f".st-key-{line}")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_tabs_of_the_library_are_one_line_with_the_pressed_one_in_sight(
    full: Server, phone: Page, language: str
) -> None:
    go(phone, f"{full.url}/library?lang={language}")
    assert phone.evaluate(LOW) == []
    tabs = phone.locator(".st-key-library_tab button")
    tops = tabs.evaluate_all("all => all.map((one) => one.getBoundingClientRect().top)")
    assert len(tops) == 6
    assert len(set(tops)) == 1
    tabs.last.evaluate("tab => tab.click()")  # a press by Playwright would move the line itself
    expect(tabs.last).to_have_attribute("data-selected", "true")
    phone.wait_for_function(IN_SIGHT, arg=".st-key-library_tab")
    wide = phone.locator(".stMain").evaluate("one => [one.scrollWidth, one.clientWidth]")
    assert wide[0] <= wide[1], "the page does not move sideways"


def test_a_finger_scrolls_over_a_video_and_goes_on_in_the_feed(full: Server, phone: Page) -> None:
    go(phone, f"{full.url}/?category=animals")
    expect(phone.locator(".st-key-results .stVideo")).to_be_visible()
    assert phone.evaluate(LOW) == []
    wide = phone.locator(".stMain").evaluate("one => [one.scrollWidth, one.clientWidth]")
    assert wide[0] <= wide[1], "the page does not move sideways"
    swiped(phone, ".st-key-results .stVideo", 200)
    phone.wait_for_function("() => document.querySelector('.stMain').scrollTop > 100")
    go(phone, f"{full.url}/?category=animals&view=feed")
    expect(phone.get_by_text("1 of 13")).to_be_visible()
    phone.wait_for_function("() => window.moodreelGestures")
    swiped(phone, ".st-key-feed .stVideo", 200)
    expect(phone.get_by_text("2 of 13")).to_be_visible()
    assert phone.locator(".stMain").evaluate("one => one.scrollTop") == 0


def test_the_feed_fills_the_screen_and_the_page_does_not_scroll(full: Server, phone: Page) -> None:
    go(phone, f"{full.url}/?category=animals&view=feed")
    expect(phone.locator(".st-key-feed .stVideo")).to_be_visible()
    for selector in (".stMain", "html"):
        high = phone.locator(selector).evaluate("one => [one.scrollHeight, one.clientHeight]")
        assert high[0] <= high[1], selector
    box = phone.locator(".st-key-feed .stVideo").bounding_box()
    assert box["height"] >= 0.5 * 844
    assert phone.evaluate(LOW) == []
    bar = phone.locator(".st-key-page-bar").bounding_box()
    assert bar["y"] + bar["height"] <= 844, "the pages are whole on the screen"
    for name in ("Previous", "Next"):
        step = phone.get_by_role("button", name=name).bounding_box()
        assert step["y"] + step["height"] <= bar["y"], "nothing lies under the pages"
    views = phone.locator(".st-key-views").bounding_box()
    phone.locator(".st-key-feed").get_by_role("button", name="More like this", exact=True).click()
    expect(phone.get_by_role("button", name="More like this video")).to_be_visible()
    settle(phone)
    phone.locator(".st-key-view").get_by_text("Feed").click()
    expect(phone.locator(".st-key-feed .stVideo")).to_be_visible()
    settle(phone)
    assert phone.locator(".st-key-views").bounding_box() == views, "what is asked besides takes its room of the video"
