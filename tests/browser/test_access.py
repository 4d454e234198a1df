"""Everybody can use every page: axe-core finds no serious or critical barrier, in either theme, wide or narrow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Server

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text("utf-8")
BARS = ("serious", "critical")
STATES = {"discover": ("", "?category=animals", "?category=animals&view=feed", "?q=zzzz", "?show=newest&lang=zh")}
"""The addresses at which a page looks different; of a page that is not named here, its own."""
SETTLED = """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-testid=stSkeleton], [data-stale=true]')
    && document.querySelector('.stMainBlockContainer button')"""


def addresses() -> Iterator[str]:
    for page in sorted((ROOT / "pages").glob("[!_]*.py")):
        path = "" if page.stem == "discover" else page.stem
        yield from (path + state for state in STATES.get(page.stem, ("",)))


def barriers(page: Page) -> list[str]:
    """Return what axe-core finds on the page as it is drawn now."""
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{rule['impact']} {rule['id']}: {node['html'][:200]}"
        for rule in found["violations"]
        if rule["impact"] in BARS
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("address", tuple(addresses()))
def test_no_barrier_is_serious(full: Server, page: Page, address: str) -> None:
    page.goto(f"{full.url}/{address}")
    page.wait_for_function(SETTLED)
    page.evaluate(AXE)
    found = {}
    for theme, width in (("light", 1280), ("dark", 1280), ("dark", 390)):
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=theme)
        page.wait_for_function(
            """dark => {
                const colour = getComputedStyle(document.querySelector('.stApp')).backgroundColor;
                const [red, green, blue] = colour.match(/\\d+/g).map(Number);
                return (red + green + blue < 384) === dark;
            }""",
            arg=theme == "dark",
        )
        page.wait_for_function(SETTLED)
        found[theme, width] = barriers(page)
    assert not any(found.values()), found


def test_axe_is_at_work(full: Server, page: Page) -> None:
    page.goto(full.url)
    page.wait_for_function(SETTLED)
    page.evaluate(AXE)
    page.evaluate("() => { document.querySelector('.stMainBlockContainer').append(document.createElement('button')) }")
    assert any("button-name" in one for one in barriers(page))


def test_the_menus_have_no_serious_barrier(full: Server, page: Page) -> None:
    page.goto(f"{full.url}/?category=animals")
    page.wait_for_function(SETTLED)
    page.evaluate(AXE)
    for name in ("Filters", "Save", "Why this?"):
        page.get_by_role("button", name=name, exact=name != "Filters").first.click()
        expect(page.locator("[data-testid=stPopoverBody]")).to_be_visible()
        page.wait_for_function(SETTLED)
        assert not barriers(page), name
        page.keyboard.press("Escape")
        expect(page.locator("[data-testid=stPopoverBody]")).to_have_count(0)
