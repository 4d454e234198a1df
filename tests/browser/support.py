"""What tests in a browser do again and again: bring videos in, wait for them, see one play."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.browser.conftest import Server


FIRST_PAGE_MS = 60_000
"""A server that has just started loads all it is made of before its first page: half a minute on a crowded machine."""

IN_SIGHT = """selector => {
    const pill = document.querySelector(`${selector} button[data-selected="true"]`);
    if (!pill || !pill.parentElement.scrollLeft) return false;
    const { left, right } = pill.getBoundingClientRect(), line = pill.parentElement.getBoundingClientRect();
    return left >= Math.max(0, line.left) && right <= Math.min(innerWidth, line.right);
}"""
"""The pill that is pressed is whole on the screen, and the line was moved for that."""


def upload(page: Page, server: Server, *paths: Path) -> None:
    page.goto(f"{server.url}/ingest")
    page.locator("input[type=file]").set_input_files(list(paths), timeout=FIRST_PAGE_MS)


def wait_for_ready(page: Page, number: int, timeout_s: float = 120) -> None:
    noun = "video" if number == 1 else "videos"
    expect(page.get_by_role("heading", name=f"{number} {noun} ready")).to_be_visible(timeout=timeout_s * 1000)


def plays(page: Page, number: int = 0) -> bool:
    """Play a video and tell whether its time moves on. The page may draw it anew meanwhile; then that one must."""
    page.wait_for_function(
        """number => {
            const video = document.querySelectorAll("video")[number];
            if (!video) return false;
            video.scrollIntoView();
            video.muted = true;
            if (video.paused) video.play();
            video.firstSeen ??= video.currentTime;
            return video.currentTime > video.firstSeen + 0.2;
        }""",
        arg=number,
    )
    return True
