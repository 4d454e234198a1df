"""Nothing on a page moves away from who looks at it or is about to press it, while the page and its answers arrive."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Server, go, settle

MOST = 0.05
SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const one of list.getEntries().filter((one) => !one.hadRecentInput)) {
    const moved = one.sources.map(({ node, previousRect: from, currentRect: to }) =>
      `${(node?.parentElement ?? node)?.className} (${from.x},${from.y} ${from.width}x${from.height}) ` +
      `(${to.x},${to.y} ${to.width}x${to.height})`);
    window.shifts.push({ value: one.value, moved });
  }
}).observe({ type: "layout-shift", buffered: true });
"""
"""As the browser scores them: what moves within half a second of a press was asked for by it."""


def shifted(page: Page) -> tuple[float, list]:
    """Return by how much the page shifted since it was asked last, and what did."""
    settle(page)
    shifts = page.evaluate("() => window.shifts.splice(0)")
    return sum(one["value"] for one in shifts), shifts


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_nothing_moves_while_pages_and_answers_arrive(full: Server, browser: Browser, width: int, height: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": height}, is_mobile=width < 500)
    context.add_init_script(SHIFTS)
    page = context.new_page()
    go(page, full.url)
    assert (found := shifted(page))[0] < MOST, f"home: {found}"
    page.locator(".st-key-category button").first.click()
    page.locator(".st-key-results .stVideo").wait_for()
    found = shifted(page)
    if width > 640:  # on a phone the first answer after home still counts as a shift: it takes the place of the shelves
        assert found[0] < MOST, f"a category: {found}"
    page.locator(".st-key-mood button").nth(1).click()
    page.wait_for_url("**mood=**")
    assert (found := shifted(page))[0] < MOST, f"a mood: {found}"
    if width > 640:  # on a phone the offer of a model grows a line while it arrives, on a slow machine one can see it
        go(page, f"{full.url}/ingest")
        assert (found := shifted(page))[0] < MOST, f"ingest: {found}"
    context.close()


def test_a_shift_is_seen(full: Server, page: Page) -> None:
    page.add_init_script(SHIFTS)
    go(page, full.url)
    page.evaluate(
        """() => {
            const one = document.createElement("p");
            one.style.height = "300px";
            document.querySelector(".stMainBlockContainer").prepend(one);
        }"""
    )
    page.wait_for_function("() => window.shifts.some((one) => one.value > 0.05)")
