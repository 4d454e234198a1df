"""What a person does with the library they have: take videos out and have them back, rename them, correct them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server, free_port
from tests.browser.test_access import SETTLED
from tests.browser.test_app import health, upload, wait_for_ready
from tests.videos import make_video, plain

NAMES = ("grey wolf animal", "tax office", "harbour ship", "mountain snow")


@pytest.fixture(scope="module")
def owned(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with four tiny videos, for tests that take some of them out."""
    folder = tmp_path_factory.mktemp("owned")
    server = Server(folder / "data", free_port())
    server.start()
    files = [
        make_video(folder / f"{name}.mp4", seconds=1.2, size=(64, 36), fps=5, pattern=plain(40 * n, 200 - 40 * n, 90))
        for n, name in enumerate(NAMES)
    ]
    context = browser.new_context()
    page = context.new_page()
    upload(page, server, *files)
    wait_for_ready(page, len(files))
    context.close()
    yield server
    server.stop()


def settled(page: Page) -> Page:
    page.wait_for_function(SETTLED)
    return page


def press(page: Page, name: str | re.Pattern[str]) -> None:
    settled(page).get_by_role("button", name=name, exact=isinstance(name, str)).first.click()


def select(page: Page, title: str) -> None:
    card = settled(page).locator("[class*=st-key-have-]").filter(has_text=title)
    card.locator("label").click()
    expect(page.get_by_text("1 video selected")).to_be_visible()


def cards(page: Page):
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


def test_what_is_renamed_is_found_by_its_new_name(owned: Server, page: Page) -> None:
    page.goto(f"{owned.url}/library")
    press(page, "Harbour ship")
    page.get_by_label("Title", exact=True).fill("Submarine dive")
    press(page, "Save")
    expect(page.get_by_text("It is found by these words now.")).to_be_visible()
    page.goto(f"{owned.url}/?q=submarine")
    expect(page.locator("[class*=st-key-card-]").get_by_text("Submarine dive", exact=True).first).to_be_visible()
