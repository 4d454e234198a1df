"""What a person does with the library they have: take videos out and have them back, rename them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from core.models import ignore_progress
from core.services import build
from core.settings import Settings
from tests.browser.conftest import Server, go, settle
from tests.browser.support import IN_SIGHT
from tests.browser.test_app import health
from tests.fakes import make_entries
from tests.ports import free_port
from tests.videos import make_video

TITLES = ("Grey wolf animal", "Tax office", "Harbour ship", "Mountain snow")
MOMENTS = 4
"""Of the last of them; the others have one."""


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with four videos that nobody filmed, for tests that take some of them out."""
    folder = tmp_path_factory.mktemp("owned")
    clip = make_video(folder / "clip.mp4", seconds=1.2, size=(64, 36), fps=5)
    services = build(Settings(data_dir=folder / "data"))
    with closing(services):
        for title in TITLES:
            (vector,) = services.encoder.encode_text([title])
            clips = MOMENTS if title == TITLES[-1] else 1
            entries = make_entries(title, info=services.encoder.info, vectors=[vector] * (1 + clips), tags={})
            services.index.upsert(entries)
            for key in (entries[0].media_key, entries[0].poster_key):
                services.store.put(clip, str(key), ignore_progress)
    server = Server(folder / "data", free_port())
    server.start()
    yield server
    server.stop()


def settled(page: Page) -> Page:
    settle(page)
    return page


def press(page: Page, name: str | re.Pattern[str]) -> None:
    settled(page).get_by_role("button", name=name, exact=isinstance(name, str)).first.click()


def select(page: Page, title: str) -> None:
    card = settled(page).locator("[class*=st-key-have-]").filter(has_text=title)
    card.locator("label").click()
    expect(page.get_by_text("1 video selected")).to_be_visible()


def cards(page: Page) -> Locator:
    return page.locator("[class*=st-key-have-]")


def test_what_is_deleted_is_gone_everywhere_back_with_undo_and_gone_for_good_without(owned: Server, page: Page) -> None:
    page.goto(f"{owned.url}/library")
    expect(cards(page)).to_have_count(4)
    select(page, "Tax office")
    press(page, "Delete")
    expect(cards(page)).to_have_count(3)
    assert health(owned)["videos"] == 3
    press(page, "Undo")
    expect(cards(page)).to_have_count(4)
    assert health(owned)["videos"] == 4

    select(page, "Tax office")
    press(page, "Delete")
    expect(cards(page)).to_have_count(3)
    settled(page).get_by_text("Trash", exact=True).click()
    expect(page.get_by_text("goes for good in")).to_be_visible()
    files = len(list((owned.data_dir / "media").iterdir()))
    press(page, "Delete now")
    expect(page.get_by_text("Nothing was deleted within the last day.")).to_be_visible()
    assert len(list((owned.data_dir / "media").iterdir())) == files - 2
    settled(page).get_by_role("link", name="Discover").click()
    expect(page.locator("[class*=st-key-card-]").first).to_be_visible()
    expect(page.get_by_text("Tax office")).to_have_count(0)


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_the_feed_fits_on_the_screen_with_several_moments(
    owned: Server, browser: Browser, width: int, height: int
) -> None:
    size, is_phone = {"width": width, "height": height}, width < 500
    page = browser.new_context(viewport=size, is_mobile=is_phone, has_touch=is_phone).new_page()
    go(page, f"{owned.url}/?q=mountain+snow&view=feed")
    chips = page.locator(".st-key-feed-head button")
    expect(chips).to_have_count(MOMENTS)
    assert len({chip.bounding_box()["y"] for chip in chips.all()}) == 1, "the moments are one line"
    for selector in (".stMain", "html"):
        of = "one => [one.scrollHeight - one.clientHeight, one.scrollWidth - one.clientWidth]"
        assert max(page.locator(selector).evaluate(of)) <= 0, selector
    end = page.locator(".st-key-page-bar").bounding_box()["y"] if is_phone else height
    buttons = page.locator(":is(.st-key-feed, .st-key-views) button:visible")
    boxes = [button.bounding_box() for button in buttons.all()]
    assert len(boxes) >= MOMENTS + 6
    assert all(box["y"] >= 0 and box["y"] + box["height"] <= end for box in boxes), boxes
    if chips.last.get_attribute("data-selected") is None:
        chips.last.evaluate("chip => chip.click()")  # a press by Playwright would move the line itself
    expect(chips.last).to_have_attribute("data-selected", "true")
    if is_phone:
        page.wait_for_function(IN_SIGHT, arg=".st-key-feed-head")
    settle(page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_text("Link copied")).to_be_visible()
    assert page.evaluate("() => navigator.clipboard.readText()").endswith(f"t={2 * (MOMENTS - 1)}")


def test_what_is_renamed_is_found_by_its_new_name(owned: Server, page: Page) -> None:
    page.goto(f"{owned.url}/library")
    press(page, "Harbour ship")
    page.get_by_label("Title", exact=True).fill("Submarine dive")
    press(page, "Save")
    expect(page.get_by_text("It is found by these words now.")).to_be_visible()
    page.goto(f"{owned.url}/?q=submarine")
    expect(page.locator("[class*=st-key-card-]").get_by_text("Submarine dive", exact=True).first).to_be_visible()


def test_a_press_is_answered_where_one_looks(owned: Server, browser: Browser) -> None:
    """On a phone the way into a video, and that to its end, leave the page scrolled down."""
    page = browser.new_context(viewport={"width": 390, "height": 500}, is_mobile=True, has_touch=True).new_page()
    go(page, f"{owned.url}/library")
    settled(page).get_by_role("button", name="Mountain snow", exact=True).click()
    back = page.get_by_role("button", name="Back to the library")
    expect(back).to_be_in_viewport()
    settle(page)
    page.locator(".stMain").evaluate("one => one.scrollTo(0, one.scrollHeight)")
    expect(back).not_to_be_in_viewport()
    page.get_by_role("button", name="Delete", exact=True).click()
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_in_viewport()
    settle(page)
    undo.click()
    expect(cards(page)).to_have_count(health(owned)["videos"])


def test_a_library_is_exported_and_taken_in_elsewhere_by_buttons(owned: Server, page: Page, tmp_path: Path) -> None:
    page.goto(f"{owned.url}/library")
    settled(page).get_by_text("Export and import", exact=True).click()
    press(page, "Export")
    expect(page.get_by_text("exported as “library”, and checked.")).to_be_visible()
    there = Server(tmp_path / "data", free_port())
    there.start(EXPORT_DIR=str(owned.data_dir / "exports"))
    try:
        page.goto(f"{there.url}/library")
        expect(page.get_by_text("Your library is empty")).to_be_visible()
        press(page, "Import")
        expect(page.get_by_text("videos came.")).to_be_visible()
        settled(page).get_by_text("Videos", exact=True).click()
        expect(cards(page)).to_have_count(health(owned)["videos"])
        assert health(there)["clips"] == health(owned)["clips"]
    finally:
        there.stop()


def test_what_is_not_of_a_category_changes_the_count_and_the_results(owned: Server, page: Page) -> None:
    pill = page.locator("[class*=st-key-category] button").filter(has_text="Animals")
    wolf = page.locator("[class*=st-key-card-]").get_by_text("Grey wolf animal", exact=True)

    def found(number: int) -> None:
        page.goto(f"{owned.url}/?category=animals")
        settle(page)
        expect(wolf).to_have_count(number)
        expect(pill.first).to_have_text(re.compile(r"Animals · 1$" if number else r"Animals$"))

    found(1)
    page.goto(f"{owned.url}/library")
    press(page, "Grey wolf animal")
    press(page, "Animals")
    expect(page.get_by_role("button", name="Not Animals (yours)")).to_be_visible()
    found(0)
    page.goto(f"{owned.url}/library")
    press(page, "Grey wolf animal")
    press(page, "Not Animals (yours)")
    expect(page.get_by_role("button", name="Animals", exact=True)).to_be_visible()
    found(1)


HALFWAY = """() => document.getAnimations().find((one) => one.animationName === "undo-leaves").currentTime = 6000"""
"""An offer to undo has been there for six seconds, half of its time."""


def test_an_own_category_is_changed_after_it_is_seen_what_that_does(owned: Server, page: Page) -> None:
    page.goto(f"{owned.url}/library")
    settled(page).get_by_text("Your own", exact=True).click()
    press(page, "New category")
    form = page.get_by_test_id("stPopoverBody")
    form.get_by_label("Name", exact=True).fill("High up")
    form.get_by_label("A few phrases, one a line").fill("wolf")
    form.get_by_role("button", name="Add").click()
    row = page.locator(".st-key-own-row-category-high-up")
    expect(row.get_by_text("High up")).to_be_visible()
    page.keyboard.press("Escape")
    settle(page)
    row.get_by_role("button", name="Edit").click()
    row.get_by_label("A few phrases, one a line").fill("mountain\nsnow")
    settle(page)
    row.get_by_role("button", name="Show what this would change").click()
    expect(row.get_by_text("New: Mountain snow")).to_be_visible()
    settle(page)
    row.get_by_role("button", name="Save").click()
    expect(page.get_by_text("High up is saved.")).to_be_visible()
    expect(row.get_by_text("mountain, snow")).to_be_visible()
    other = page.context.new_page()
    other.goto(f"{owned.url}/?category=high-up")
    expect(other.locator("[class*=st-key-card-]").get_by_text("Mountain snow", exact=True).first).to_be_visible()
    other.close()
    page.evaluate(HALFWAY)
    undo = page.get_by_role("button", name="Undo", exact=True)
    undo.hover()
    page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    expect(undo).to_be_visible()
    undo.click()
    expect(row.get_by_text("wolf", exact=True)).to_be_visible()
