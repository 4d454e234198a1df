"""The map of the library, as a person uses it: a point plays, a frame or a cluster opens in Discover."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ANIMALS, Server, go, settle


def trends(page: Page, server: Server) -> Locator:
    """Open the tab and return the points of its map, once nothing is being worked out any more."""
    go(page, f"{server.url}/library")
    page.get_by_text("Trends", exact=True).click()
    expect(page.locator("[class*=st-key-open-cluster-]").first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("The map is being drawn")).to_have_count(0, timeout=60_000)
    # A map of up to 2,000 points is drawn as SVG, and each is named by what it shows.
    points = page.get_by_test_id("stVegaLiteChart").first.locator("path[aria-roledescription=circle]")
    expect(points).to_have_count(len(ANIMALS))
    settle(page)
    return points


def test_a_point_plays_and_a_frame_a_number_and_a_cluster_open(full: Server, page: Page) -> None:
    points = trends(page, full)
    wolf = points.and_(page.locator("[aria-label='Wolf animal']"))
    wolf.hover()
    said = page.locator("#vg-tooltip-element")
    expect(said.get_by_role("heading", name="Wolf animal")).to_be_visible()
    expect(said.locator("img")).to_have_js_property("complete", True)
    expect(said.locator("img")).not_to_have_js_property("naturalWidth", 0)
    wolf.click()
    playing, chosen = page.locator(".st-key-trends-plays"), page.locator(".st-key-open-selected")
    expect(playing.get_by_text("Wolf animal", exact=True)).to_be_visible()
    expect(playing.locator("video")).to_be_visible()
    settle(page)

    chart = page.get_by_test_id("stVegaLiteChart").first
    chart.evaluate("node => node.scrollIntoView({ block: 'center' })")
    box = chart.locator("svg .background").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] - 2, steps=4)
    page.mouse.up()
    expect(chosen).to_contain_text(f"{len(ANIMALS)} videos")
    settle(page)

    cluster = page.locator("[class*=st-key-cluster-]").last
    number = re.search(r"(\d+) · ", cluster.inner_text())
    size = re.search(r"(\d+) videos", cluster.inner_text())
    assert number is not None
    assert size is not None
    page.mouse.dblclick(box["x"] + 1, box["y"] + 1)  # takes the frame away
    expect(chosen).to_have_count(0)
    settle(page)
    # A point may lie over the middle of a number: then the press is the point's.
    chart.locator("text[aria-roledescription='text mark']").get_by_text(number[1], exact=True).dispatch_event("click")
    expect(chosen).to_contain_text(f"{size[1]} videos")
    expect(points.and_(page.locator("[opacity='0.95']"))).to_have_count(int(size[1]))
    settle(page)
    cluster.get_by_role("button").first.click()
    expect(page.get_by_role("button", name=f"{size[1]} videos of the map")).to_be_visible()
    expect(page.locator("[class*=st-key-card-]")).to_have_count(int(size[1]))
