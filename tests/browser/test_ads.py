"""An ad where it belongs, as a person sees it: found by a sentence, previewed, and taken away as VMAP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from core.models import Stage
from core.services import build
from core.settings import Settings
from tests.ads.vmap_rules import check_vmap
from tests.browser.conftest import Server, go, settle
from tests.ports import free_port
from tests.videos import make_video, plain


def two_shots(index: int, width: int, height: int) -> np.ndarray:
    return plain(200, 60, 40)(index, width, height) if index < 35 else plain(40, 60, 220)(index, width, height)


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a video of two shots, one of another kind, and an ad of a second."""
    folder = tmp_path_factory.mktemp("ads")
    clips = {"grey wolf and dog, animals": (12.0, two_shots), "tax office, law": (2.0, plain(9, 9, 90))}
    with closing(build(Settings(data_dir=folder / "data"))) as services:
        services.jobs.start()
        jobs = [
            services.jobs.submit(_clip(folder / f"{name}.mp4", *made), f"{name}.mp4") for name, made in clips.items()
        ]
        done = services.jobs.wait([job.id for job in jobs], timeout_s=120)
        assert all(job.stage is Stage.READY for job in done), done
        services.ads.book.add(
            _clip(folder / "dog and puppy, animals.mp4", 1.0, plain(20, 200, 20)), "a dog, animals.mp4"
        )
    server = Server(folder / "data", free_port())
    server.start()
    yield server
    server.stop()


def _clip(path: Path, seconds: float, pattern) -> Path:
    return make_video(path, seconds=seconds, size=(64, 36), fps=5, pattern=pattern)


def test_a_place_is_found_previewed_and_taken_away(placed: Server, page: Page) -> None:
    go(page, f"{placed.url}/library")
    page.get_by_text("Ads", exact=True).click()
    page.get_by_text("An ad", exact=True).click()
    page.get_by_role("radio", name="A dog, animals").click()
    settle(page)
    page.get_by_role("button", name="Find places").click()
    place = page.locator("[class*=st-key-place-]:not([class*=place-head])")
    expect(place).to_have_count(1)
    expect(place).to_contain_text("0:07")
    expect(place).to_contain_text("between two shots · nothing is heard")
    settle(page)
    place.get_by_role("button", name="Preview").click()
    box = place.locator(".reel-break")
    # The last seconds before, the ad, and on from where it was interrupted.
    expect(box).to_have_attribute("data-phase", "before")
    expect(box).to_have_attribute("data-phase", "during")
    stopped = box.locator("video").nth(0).evaluate("video => [video.paused, video.currentTime]")
    assert stopped[0]
    assert 6.9 <= stopped[1] < 7.6
    expect(box).to_have_attribute("data-phase", "after")
    page.wait_for_function("() => document.querySelector('.reel-break video').currentTime > 7.3")
    place.get_by_role("button", name="Preview").click()
    expect(box).to_be_hidden()

    with page.expect_download() as got:
        page.get_by_role("button", name="VMAP").click()
    (one,) = check_vmap(got.value.path().read_text("utf-8"))
    assert one.get("timeOffset") == "00:00:07.000"
    assert (one.findtext(".//MediaFile") or "").startswith(f"{placed.url}/app/static/media/ad-")
