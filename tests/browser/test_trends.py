"""The map of the library, as a person uses it: a point plays, a cluster opens in Discover."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from core.models import ignore_progress
from core.services import build
from core.settings import Settings
from tests.browser.conftest import Server, free_port, go, settle
from tests.fakes import make_entries
from tests.videos import make_video

TITLES = [*(f"grey wolf and dog {n}, animals" for n in range(4)), *(f"football match {n}, sports" for n in range(4))]
A_POINT = """() => {
    const canvas = document.querySelector('[data-testid="stVegaLiteChart"] canvas');
    if (!canvas || !canvas.width) return null;
    const { width, height } = canvas, box = canvas.getBoundingClientRect();
    const pixels = canvas.getContext('2d').getImageData(0, 0, width, height).data;
    const strong = (x, y) => {
        const at = 4 * (y * width + x), three = [pixels[at], pixels[at + 1], pixels[at + 2]];
        return pixels[at + 3] > 200 && Math.max(...three) - Math.min(...three) > 60;
    };
    // A point is a disc: its middle has the same all around. The legend lies below the map.
    for (let y = 8; y < 0.75 * height; y++)
        for (let x = 8; x < width - 8; x++)
            if ([[0, 0], [3, 0], [-3, 0], [0, 3], [0, -3]].every(([dx, dy]) => strong(x + dx, y + dy)))
                return { x: (x * box.width) / width, y: (y * box.height) / height };
    return null;
}"""


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with eight videos of two kinds that nobody filmed."""
    folder = tmp_path_factory.mktemp("mapped")
    clip = make_video(folder / "clip.mp4", seconds=1.2, size=(64, 36), fps=5)
    with closing(build(Settings(data_dir=folder / "data"))) as services:
        for number, title in enumerate(TITLES):
            (vector,) = services.encoder.encode_text([title])
            vector[number] += 0.4  # none is quite like another, so that each has a place of its own on the map
            entries = make_entries(title, info=services.encoder.info, clips=1, vectors=[vector, vector], tags={})
            services.index.upsert(services.discover.with_labels(entries))
            for key in (entries[0].media_key, entries[0].poster_key):
                services.store.put(clip, str(key), ignore_progress)
    server = Server(folder / "data", free_port())
    server.start()
    yield server
    server.stop()


def test_a_point_plays_and_a_cluster_opens_in_discover(mapped: Server, page: Page) -> None:
    go(page, f"{mapped.url}/library")
    page.get_by_text("Trends", exact=True).click()
    clusters = page.locator("[class*=st-key-open-cluster-]")
    expect(clusters).to_have_count(2, timeout=60_000)  # it is worked out meanwhile
    settle(page)
    chart = page.get_by_test_id("stVegaLiteChart").first
    chart.scroll_into_view_if_needed()
    point = page.wait_for_function(A_POINT).json_value()
    chart.locator("canvas").click(position=point)
    expect(page.locator(".st-key-trends-plays video")).to_be_visible()
    settle(page)
    clusters.first.get_by_role("button").first.click()
    expect(page.get_by_text("4 videos for")).to_be_visible()
    cards = page.locator("[class*=st-key-card-]")
    expect(cards).to_have_count(4)
    expect(page.get_by_role("button", name="4 videos of the map")).to_be_visible()
