"""Nothing on a page moves away from who looks at it or is about to press it, while the page and its answers arrive."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server, go, settle

MOST = 0.05
AT_ONCE = 8
"""Messages a frame: where the machine or the line is slow, each of them is drawn alone for a while."""
SLOWLY = (
    """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const one of list.getEntries().filter((one) => !one.hadRecentInput)) {
    const moved = one.sources.map(({ node, previousRect: from, currentRect: to }) =>
      `${(node?.parentElement ?? node)?.className} (${from.x},${from.y} ${from.width}x${from.height}) ` +
      `(${to.x},${to.y} ${to.width}x${to.height})`);
    window.shifts.push({ value: one.value, moved });
  }
}).observe({ type: "layout-shift", buffered: true });
const come = [];
const hand = () => {
  for (const act of come.splice(0, window.held ? 0 : AT_ONCE)) act();
  if (come.length) requestAnimationFrame(hand);
};
const listen = WebSocket.prototype.addEventListener;
WebSocket.prototype.addEventListener = function (type, act, ...more) {
  listen.call(this, type, type !== "message" ? act : (event) => {
    if (come.push(() => act.call(this, event)) === 1) requestAnimationFrame(hand);
  }, ...more);
};
"""
).replace("AT_ONCE", str(AT_ONCE))
"""Shifts as the browser scores them: what moves within half a second of a press was asked for by it."""


def shifted(page: Page) -> tuple[float, list]:
    """Return by how much the page shifted since it was asked last, and what did."""
    settle(page)
    shifts = page.evaluate("() => window.shifts.splice(0)")
    return sum(one["value"] for one in shifts), shifts


@pytest.fixture(params=[(1280, 900), (390, 844)], ids=["wide", "phone"])
def slow(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page on which everything arrives piece by piece."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, is_mobile=width < 500)
    context.add_init_script(SLOWLY)
    yield context.new_page()
    context.close()


def test_nothing_moves_while_answers_arrive(full: Server, slow: Page) -> None:
    go(slow, full.url)
    assert (found := shifted(slow))[0] < MOST, f"home: {found}"
    slow.locator(".st-key-category button").first.click()
    slow.locator(".st-key-results .stVideo").wait_for()
    assert (found := shifted(slow))[0] < MOST, f"a category: {found}"
    slow.locator(".st-key-mood button").nth(1).click()
    slow.wait_for_url("**mood=**")
    assert (found := shifted(slow))[0] < MOST, f"a mood: {found}"
    slow.locator(".st-key-view button").nth(1).click()
    slow.locator(".st-key-feed .stVideo").wait_for()
    assert (found := shifted(slow))[0] < MOST, f"the feed: {found}"


def test_what_the_feed_does_without_goes_with_the_press(full: Server, slow: Page) -> None:
    go(slow, f"{full.url}/?category=animals")
    search, results = slow.get_by_label("Search in words"), slow.locator(".st-key-results")
    expect(search).to_be_visible()
    slow.evaluate("() => { window.held = true; }")  # the server does not answer for a while
    slow.locator(".st-key-view button").nth(1).click()
    expect(search).to_be_hidden()
    expect(results).to_be_visible()
    slow.evaluate("() => { window.held = false; }")
    slow.locator(".st-key-feed .stVideo").wait_for()


def test_nothing_moves_while_pages_arrive(full: Server, slow: Page) -> None:
    go(slow, f"{full.url}/ingest")
    assert (found := shifted(slow))[0] < MOST, f"ingest: {found}"
    go(slow, f"{full.url}/library")
    assert (found := shifted(slow))[0] < MOST, f"library: {found}"
    slow.locator("[class*=st-key-open-] button").first.click()
    slow.locator(".st-key-library-video .stVideo").wait_for()
    assert (found := shifted(slow))[0] < MOST, f"a video of the library: {found}"


def test_signs_are_no_wider_before_their_font_is_there(full: Server, page: Page) -> None:
    page.route("**/MaterialSymbols*", lambda route: route.abort())
    go(page, f"{full.url}/ingest")
    sign = page.locator(".st-key-get-model [data-testid=stIconMaterial]")
    box = sign.bounding_box()
    assert box["width"] <= box["height"] + 1


def test_a_shift_is_seen(full: Server, page: Page) -> None:
    page.add_init_script(SLOWLY)
    go(page, full.url)
    page.evaluate(
        """() => {
            const one = document.createElement("p");
            one.style.height = "300px";
            document.querySelector(".stMainBlockContainer").prepend(one);
        }"""
    )
    page.wait_for_function("() => window.shifts.some((one) => one.value > 0.05)")
