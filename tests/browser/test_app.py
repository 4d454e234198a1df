"""What a newcomer does, in a real browser against the real server."""

from __future__ import annotations

import json
import os
import re
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Server
from tests.browser.support import plays, upload, wait_for_ready
from tests.videos import make_video

CORPUS = Path(os.environ.get("CORPUS_DIR", Path(__file__).parents[3] / "shared/corpus"))
BAR = "[data-testid=stProgress] [role=progressbar]"


def health(server: Server) -> dict:
    with urllib.request.urlopen(f"{server.url}/api/health", timeout=120) as answer:
        return json.load(answer)


@pytest.mark.corpus
@pytest.mark.timeout(300)
def test_a_newcomer_drops_real_clips_and_finds_them_by_category_and_mood(server, page):
    if not CORPUS.is_dir():
        pytest.skip(f"no real clips at {CORPUS}; set CORPUS_DIR")
    # The second needs a transcode: Chromium plays no MJPEG.
    names = ["squirrel_nibbling.mp4", "apollo15_hammer_feather_mjpeg.mov", "tears_of_steel_battle.webm"]
    upload(page, server, *(CORPUS / name for name in names))
    seen: set[str | None] = set()
    while page.get_by_role("heading", name="3 videos ready").count() == 0:
        seen |= set(page.evaluate("bar => [...document.querySelectorAll(bar)].map(one => one.ariaValueNow)", BAR))
        page.wait_for_timeout(150)
    assert len(seen - {None}) >= 3, f"the bars did not move: {seen}"
    assert health(server)["videos"] == 3

    page.goto(server.url)
    page.get_by_text(re.compile(r"^Animals · 1$")).click()
    expect(page.locator("[class*=st-key-card-] video")).to_have_count(1)
    expect(page.locator("[class*=st-key-card-]").get_by_text("Squirrel nibbling", exact=True)).to_be_visible()
    page.get_by_text("Calm", exact=True).click()
    expect(page).to_have_url(re.compile("mood=calm"))
    expect(page.locator("[class*=st-key-card-] video")).to_have_count(1)
    assert plays(page)


def test_a_link_reproduces_what_was_asked(server, page, tmp_path):
    upload(
        page,
        server,
        make_video(tmp_path / "wolf portrait.mp4"),
        make_video(tmp_path / "tax form.mp4", audio="aac", tone_hz=300),
    )
    wait_for_ready(page, 2)
    page.goto(f"{server.url}/?q=wolves")
    expect(page.get_by_label("Search in words")).to_have_value("wolves")
    expect(page.locator("[class*=st-key-card-] video")).to_have_count(1)
    expect(page.locator("[class*=st-key-card-]").get_by_text("Wolf portrait", exact=True)).to_be_visible()


def test_the_work_goes_on_when_the_tab_is_closed_and_shows_the_truth_on_return(server, browser, page, tmp_path):
    upload(
        page,
        server,
        *(make_video(tmp_path / f"part {n}.mp4", seconds=3, audio="aac", tone_hz=200 + n) for n in range(4)),
    )
    expect(page.locator("[class*=st-key-row-], [class*=st-key-arrived-]").first).to_be_visible()
    page.close()
    context = browser.new_context()
    again = context.new_page()
    again.goto(f"{server.url}/ingest")
    wait_for_ready(again, 4)
    context.close()


def test_a_file_that_is_no_video_gets_its_sentence_and_the_rest_goes_on(server, page, tmp_path):
    fake = tmp_path / "<img src=x onerror=alert(1)>.mp4"
    fake.write_text("this is not a video")
    alerts = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    upload(page, server, fake, make_video(tmp_path / "good.mp4"))
    wait_for_ready(page, 1)
    expect(page.get_by_text("Failed")).to_be_visible()
    expect(page.get_by_text(fake.name)).to_be_visible()
    assert not alerts


def test_the_same_content_twice_is_recognised(server, page, tmp_path):
    first = make_video(tmp_path / "one.mp4")
    second = tmp_path / "two.mp4"
    second.write_bytes(first.read_bytes())
    upload(page, server, first, second)
    wait_for_ready(page, 2)
    expect(page.get_by_text("Already in the library").first).to_be_visible()
    assert health(server)["videos"] == 1


def test_the_first_visit_may_be_to_any_page(server, page):
    page.goto(f"{server.url}/ingest")
    expect(page.get_by_role("heading", name="Ingest")).to_be_visible()
    expect(page.get_by_text("streamlit app")).to_have_count(0)
    page.get_by_test_id("stTopNav").get_by_role("link", name="Discover").click()
    expect(page.get_by_text("Your library is empty")).to_be_visible()


def test_an_empty_library_says_what_to_do_and_shows_what_comes_by_itself(server, browser, page, tmp_path):
    page.goto(server.url)
    expect(page.get_by_text("Your library is empty")).to_be_visible()
    expect(page.get_by_role("button", name="Add the sample library")).to_be_visible()
    other = browser.new_context().new_page()
    upload(other, server, make_video(tmp_path / "grey wolf.mp4"))
    cards = page.locator("[class*=st-key-card-]")
    expect(cards.get_by_text("Grey wolf", exact=True)).to_be_visible()
    upload(other, server, make_video(tmp_path / "red fox.mp4", seconds=3))
    news = page.get_by_role("button", name="1 new video")
    expect(news).to_be_visible()
    assert cards.count() == 1, "nothing moves by itself"
    news.click()
    expect(cards).to_have_count(2)
    expect(news).to_have_count(0)


def test_a_second_process_on_the_same_library_gets_a_sentence(server, page):
    health(server)
    second = Server(server.data_dir, server.port + 1 if server.port < 65_000 else server.port - 1)
    second.start()
    try:
        page.goto(second.url)
        expect(page.get_by_text("The library cannot be opened")).to_be_visible()
        expect(page.get_by_text("DATA_DIR")).to_be_visible()
    finally:
        second.stop()


def test_subtitles_of_a_file_are_shown_by_the_player(server, page, tmp_path):
    upload(page, server, make_video(tmp_path / "wolf.mkv", subtitles=[(0, 2, "A wolf & a dog")]))
    wait_for_ready(page, 1)
    page.goto(f"{server.url}/?q=wolf")
    page.wait_for_function(
        """() => [...document.querySelectorAll(".st-key-results video")].some(video =>
            video.textTracks[0]?.mode === "showing" && video.textTracks[0].cues?.[0]?.text === "A wolf &amp; a dog")"""
    )
