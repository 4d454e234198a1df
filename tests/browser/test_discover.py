"""What Discover can do beyond a press, in a real browser: feed, channels, taste, likeness, links, keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from core.discover import taxonomy
from tests.browser.conftest import Server, go, settle
from tests.browser.support import plays, upload, wait_for_ready
from tests.ports import free_port
from tests.videos import make_video, plain

TITLES = ("grey wolf in the forest", "dog on a meadow", "kitten asleep", "horse gallop")


@pytest.fixture(scope="module")
def library(browser, tmp_path_factory) -> Iterator[Server]:
    """A server with four animals and a train."""
    folder = tmp_path_factory.mktemp("discover")
    server = Server(folder / "data", free_port())
    server.start()
    files = [
        make_video(folder / f"{title}.mp4", seconds=3 + n, pattern=plain(40 * n, 200 - 40 * n, 90))
        for n, title in enumerate((*TITLES, "steam train"))
    ]
    context = browser.new_context()
    page = context.new_page()
    upload(page, server, *files)
    wait_for_ready(page, len(files))
    context.close()
    yield server
    server.stop()


def cards(page: Page):
    return page.locator("[class*=st-key-card-]")


def videos_asked_for(page: Page) -> list[str]:
    """Return a list that fills with the videos the page asks the server for from now on."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if ".mp4" in request.url else None)
    return asked


PICTURES_SHARE = """() => {
    const cell = 4, wide = Math.ceil(innerWidth / cell), high = Math.ceil(innerHeight / cell);
    const covered = new Set();
    for (const one of document.querySelectorAll("video, img.reel-poster")) {
        const { left, right, top, bottom } = one.getBoundingClientRect();
        for (let y = Math.max(0, Math.ceil(top / cell)); y < Math.min(high, bottom / cell); y++)
            for (let x = Math.max(0, Math.ceil(left / cell)); x < Math.min(wide, right / cell); x++)
                covered.add(y * wide + x);
    }
    return covered.size / (wide * high);
}"""
"""What share of the first screen is pictures of videos."""


def titles(page: Page) -> list[str]:
    return page.locator("[class*=st-key-card-] [class*=st-key-title-]").all_inner_texts()


def ask(page: Page, server: Server, query: str, hits: int) -> None:
    go(page, f"{server.url}/?{query}")
    expect(cards(page)).to_have_count(hits)


def test_a_press_replaces_the_one_before_and_back_brings_it_again(library, page):
    go(page, library.url)
    page.get_by_text(re.compile(r"^Animals · 4$")).click()
    expect(cards(page)).to_have_count(4)
    page.get_by_text(re.compile(r"^Nature")).first.click()
    expect(page).to_have_url(re.compile("category=nature$"))
    page.go_back()
    expect(page).to_have_url(re.compile("category=animals$"))
    expect(cards(page)).to_have_count(4)


def test_the_feed_plays_one_at_a_time_and_goes_on_by_key(library, page):
    go(page, f"{library.url}/?category=animals&view=feed")
    expect(page.get_by_text("1 of 4")).to_be_visible()
    video = page.locator(".st-key-feed video")
    page.wait_for_function("() => document.querySelector('.st-key-feed video')?.currentTime > 0.2")
    assert video.evaluate("video => video.muted")
    page.wait_for_function("() => window.moodreelGestures")
    video.click()
    page.wait_for_function("() => document.querySelector('.st-key-feed video')?.muted === false")
    first = video.get_attribute("src")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("2 of 4")).to_be_visible()
    expect(page).to_have_url(re.compile("video="))
    assert page.locator(".st-key-feed video").get_attribute("src") != first
    page.get_by_role("button", name="Previous").click()
    expect(page.get_by_text("1 of 4")).to_be_visible()


def test_a_swipe_goes_on(library, browser):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    go(page, f"{library.url}/?category=animals&view=feed")
    expect(page.get_by_text("1 of 4")).to_be_visible()
    page.wait_for_function("() => window.moodreelGestures")
    expect(page.get_by_role("button", name="Next")).to_be_enabled()
    page.locator(".st-key-feed video").evaluate(
        """video => {
            const touch = (x) => new Touch({ identifier: 1, target: video, clientX: x, clientY: 300 });
            const fire = (type, x) => video.dispatchEvent(new TouchEvent(type, {
                bubbles: true, touches: type == "touchend" ? [] : [touch(x)], changedTouches: [touch(x)] }));
            fire("touchstart", 300); fire("touchend", 100);
        }"""
    )
    expect(page.get_by_text("2 of 4")).to_be_visible()
    context.close()


def test_a_channel_is_kept_and_plays_on_by_itself(library, page):
    ask(page, library, "category=animals", 4)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_label("Save this search as a channel").fill("Animals for the *lobby*")
    page.get_by_role("button", name="Save channel").click()
    channel = page.locator("[class*=st-key-channel-]").get_by_role("button", name="Animals for the *lobby*")
    expect(channel).to_be_visible()
    page.keyboard.press("Escape")
    channel.click()
    expect(page.get_by_text("1 of 4")).to_be_visible()
    expect(page.get_by_text("2 of 4")).to_be_visible(timeout=30_000)


def test_presenting_hides_all_but_the_videos(library, page):
    ask(page, library, "category=animals", 4)
    page.get_by_role("button", name="Present").click()
    expect(page.get_by_label("Search in words")).to_have_count(0)
    expect(page.locator("header")).to_be_hidden()
    expect(page.locator(".st-key-language-switch")).to_be_hidden()
    expect(cards(page)).to_have_count(4)
    page.keyboard.press("Escape")
    expect(page.get_by_label("Search in words")).to_be_visible()


def test_thumbs_move_results_for_one_person_only(library, page):
    ask(page, library, "category=animals&who=Ada", 4)
    before = titles(page)
    last = before[-1]
    cards(page).last.get_by_role("button", name="More of this kind").click()
    expect(page.locator("[class*=st-key-card-] [class*=st-key-title-]").last).not_to_have_text(last)
    assert sorted(titles(page)) == sorted(before)
    assert plays(page)
    ask(page, library, "category=animals&who=Bob", 4)
    assert titles(page) == before


def test_more_like_this_and_why(library, page):
    ask(page, library, "category=animals", 4)
    first = titles(page)[0]
    cards(page).first.get_by_role("button", name="Why this?").click()
    expect(page.get_by_text("Moment", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    cards(page).first.get_by_role("button", name="More like this", exact=True).click()
    expect(page).to_have_url(re.compile("like="))
    expect(page.get_by_role("button", name="More like this video")).to_be_visible()
    settle(page)  # until then the cards of the search before are still there
    assert titles(page)
    assert first not in titles(page)


def test_a_frame_of_a_video_finds_it(library, page):
    ask(page, library, "q=train", 1)
    cards(page).first.get_by_role("button", name="Why this?").click()
    page.get_by_role("button", name="More like this frame").click()
    expect(page.get_by_role("button", name="Like this picture")).to_be_visible()
    expect(page.locator("[class*=st-key-title-]").first).to_have_text("Steam train")


def test_the_keyboard_alone_reaches_a_category(library, page):
    go(page, library.url)
    expect(page.get_by_text(re.compile(r"^Animals · 4$"))).to_be_visible()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.closest('.st-key-category') !== null"):
            break
    else:
        pytest.fail("no category can be reached by Tab")
    for _ in range(30):
        if "Animals" in page.evaluate("() => document.activeElement.innerText"):
            break
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page).to_have_url(re.compile("category=animals"))


def test_pictures_fill_the_first_screen_and_no_video_is_fetched_before_it_is_asked_for(full, page):
    asked = videos_asked_for(page)
    go(page, full.url)
    expect(page.get_by_role("heading", name="Newest")).to_be_visible()
    expect(page.get_by_role("heading", name="Animals")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert page.evaluate(PICTURES_SHARE) >= 0.45
    go(page, f"{full.url}/?show=newest")
    expect(cards(page)).to_have_count(12)
    page.wait_for_load_state("networkidle")
    assert not asked
    go(page, f"{full.url}/?category=animals")
    expect(cards(page)).to_have_count(12)
    page.wait_for_function("() => document.querySelector('.st-key-results video')?.currentTime > 0.2")
    assert page.evaluate(PICTURES_SHARE) >= 0.45
    assert len(set(asked)) == 1, "the best answer, and no other"


def test_more_shows_all_categories_at_once(full, page):
    go(page, full.url)
    page.get_by_role("button", name="More", exact=True).click()
    pills = page.locator(".st-key-categories-all .st-key-category button")
    expect(pills).to_have_count(len(taxonomy.load().categories))
    settle(page)
    line = page.locator(".stMain").bounding_box()
    assert all(pill["x"] >= 0 and pill["x"] + pill["width"] <= line["width"] for pill in map(box_of, pills.all()))


def box_of(one: Locator) -> dict:
    return one.bounding_box()


NO_AUTOPLAY = """() => {
    const set = Element.prototype.setAttribute;
    Element.prototype.setAttribute = function (name, value) { if (name !== "autoplay") set.call(this, name, value); };
    Object.defineProperty(HTMLMediaElement.prototype, "autoplay", { get: () => false, set: () => {} });
}"""
"""What happens where React draws a player twice before it shows it: Streamlit gives autoplay to the first alone."""


def test_a_player_begins_where_the_page_lost_its_autoplay_and_stays_paused_where_a_person_pauses_it(full, page):
    page.add_init_script(f"({NO_AUTOPLAY})()")
    go(page, f"{full.url}/?category=animals")
    best = page.locator(".st-key-results video")
    page.wait_for_function("() => document.querySelector('.st-key-results video')?.currentTime > 0.1")
    best.evaluate("video => video.pause()")
    cards(page).first.get_by_role("button", name="More of this kind").click()
    expect(cards(page).first.get_by_role("button", name="More of this kind, undo")).to_be_visible()
    settle(page)
    assert best.evaluate("video => video.paused")


def test_the_first_video_is_whole_on_a_phone(full, browser):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    for query in ("", "?category=animals"):
        go(page, f"{full.url}/{query}")
        first = page.locator("img.reel-poster, video").first
        expect(first).to_be_visible()
        box = first.bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 844
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    context.close()


def test_a_poster_plays_when_pointed_at_and_opens_when_pressed(full, page):
    asked = videos_asked_for(page)
    go(page, f"{full.url}/?show=newest")
    button = page.get_by_role("button", name="Play Fox animal")
    button.hover()
    preview = page.locator("video.reel-preview")
    expect(preview).to_have_count(1)
    page.wait_for_function("() => document.querySelector('video.reel-preview')?.currentTime > 0.1")
    assert preview.evaluate("video => video.muted")
    page.mouse.move(640, 30)
    expect(preview).to_have_count(0)
    assert len(set(asked)) == 1
    before = page.locator("[class*=st-key-poster-]", has=button).bounding_box()
    button.click()
    video = page.locator(".st-key-results video:not(.reel-preview)")
    expect(video).to_have_count(1)
    page.wait_for_function("() => document.querySelector('.st-key-results .stVideo')?.currentTime > 0.2")
    assert not video.evaluate("video => video.muted")
    after = video.bounding_box()
    assert all(abs(before[side] - after[side]) <= 1 for side in ("x", "y", "width", "height")), "nothing moves"
    page.get_by_role("button", name="Play Lion animal").click()
    expect(video).to_have_count(2)
    page.wait_for_function("() => [...document.querySelectorAll('.stVideo')].filter(one => !one.paused).length === 1")


def test_the_keyboard_reaches_a_poster_and_opens_it(full, page):
    go(page, f"{full.url}/?show=newest")
    button = page.get_by_role("button", name="Play Fox animal")
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('.st-key-results .stVideo')?.currentTime > 0.2")


def test_share_copies_a_link_that_opens_the_video_at_its_moment(full, page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    go(page, f"{full.url}/?show=newest")
    expect(cards(page)).to_have_count(12)
    card = page.locator("[class*=st-key-card-]", has=page.get_by_role("button", name="Play Fox animal"))
    card.get_by_role("button", name="Share").click()
    expect(card.get_by_text("Link copied")).to_be_visible()
    link = page.evaluate("() => navigator.clipboard.readText()")
    assert link.startswith(f"{full.url}/?watch=")
    go(page, link)
    expect(page.locator(".st-key-results video")).to_have_attribute("aria-label", "Fox animal")
    assert plays(page)


def test_a_video_goes_on_where_one_stopped(library, page):
    ask(page, library, "q=train", 1)
    page.wait_for_function("() => document.querySelector('.st-key-results .stVideo')?.currentTime > 0.1")
    page.locator(".st-key-results .stVideo").evaluate(
        """async video => {
            const heard = (name) => new Promise(done => video.addEventListener(name, done, { once: true }));
            video.muted = false;
            video.currentTime = 3.4;
            await heard("seeked");
            await video.play();
            video.pause();
            await heard("pause");
        }"""
    )
    go(page, f"{library.url}/?show=newest")
    card = page.locator("[class*=st-key-card-]", has=page.get_by_role("button", name="Play Steam train"))
    card.get_by_role("button", name="Continue at 0:03").click()
    page.wait_for_function("() => document.querySelector('.stVideo')?.played.length > 0")
    played = "() => { const all = document.querySelector('.stVideo').played; return all.start(all.length - 1); }"
    page.wait_for_function(f"() => ({played})() >= 3")
    other = page.locator("[class*=st-key-card-]", has=page.get_by_role("button", name="Play Horse gallop"))
    expect(other.locator(".reel-go-on")).to_be_hidden()


def test_the_next_card_plays_by_key_by_button_and_when_a_video_ends(full, page):
    go(page, f"{full.url}/?show=newest")
    players = page.locator(".st-key-results .stVideo")
    playing = "number => [...document.querySelectorAll('.stVideo')].map(one => !one.paused).indexOf(true) === number"
    page.locator("[class*=st-key-play-] button").first.click()
    expect(players).to_have_count(1)
    page.wait_for_function(playing, arg=0)
    settle(page)
    page.keyboard.press("n")
    expect(players).to_have_count(2)
    page.wait_for_function(playing, arg=1)
    cards(page).nth(1).get_by_role("button", name="Next").click()
    expect(players).to_have_count(3)
    page.wait_for_function(playing, arg=2)
    players.nth(2).evaluate("video => { video.muted = false; video.currentTime = video.duration - 0.2; }")
    expect(players).to_have_count(4)
    page.wait_for_function(playing, arg=3)
