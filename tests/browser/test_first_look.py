"""The first row is seen before the page has drawn itself, and stays where it was when it has."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Route

from tests.browser.conftest import Server, settle

NEAR_PX = 1.5
LOOK = """
(reels) => [...document.querySelectorAll(reels)].slice(0, 5).map((reel) => {
  const { x, y, width, height } = reel.getBoundingClientRect();
  return [reel.querySelector("img").currentSrc, x, y, width, height];
})
"""
SHOWS = """
() => [...document.querySelectorAll(".first-look img")].filter((one) => one.complete && one.naturalWidth).length == 5
"""


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (800, 900), (390, 844)])
def test_the_first_row_is_there_before_the_page_is(full: Server, browser: Browser, width: int, height: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": height}, is_mobile=width < 500)
    page = context.new_page()
    held: list[Route] = []
    page.route(re.compile(r"/static/js/index\.[^/]*\.js"), lambda route: held.append(route))
    page.goto(full.url, wait_until="commit")
    page.wait_for_function(SHOWS)
    assert held, "nothing else can have drawn it"
    early = page.evaluate(LOOK, ".first-look .reel")
    for route in held:
        route.continue_()
    page.locator("[class*=st-key-reel-row-] .reel").nth(4).wait_for(state="attached")
    settle(page)
    late = page.evaluate(LOOK, "[class*=st-key-reel-row-] .reel")
    assert [one[0] for one in late] == [one[0] for one in early]
    assert late == [[one[0], *(pytest.approx(number, abs=NEAR_PX) for number in one[1:])] for one in early]
    assert page.locator(".first-look").count() == 0
    context.close()
