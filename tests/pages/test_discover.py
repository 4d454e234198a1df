"""Discover as a person meets it, through AppTest."""

from __future__ import annotations

import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from core.discover.pictures import _FORMATS
from core.errors import LibraryError, Unavailable
from core.properties import PROPERTIES
from core.state.ahead import Reading
from pages.components.ask import PICTURES
from pages.components.video_card import _caption
from tests.environ import clean_environ
from tests.pages.support import ROOT, add, add_entries, open_page, press, readable, shown, texts, urls
from tests.videos import make_video


def test_an_empty_library_offers_a_way_to_begin(services):
    app = open_page("discover")
    assert any("Your library is empty" in element.value for element in app.header)
    assert {button.label for button in app.button} >= {"Add the sample library", "Add my videos"}
    assert not app.get("video")
    assert not app.exception


def test_every_kind_of_picture_that_can_be_read_can_be_dropped():
    assert {kind.lower() for kind in _FORMATS} <= set(PICTURES)


@pytest.mark.parametrize("page", ["discover", "library"])
def test_an_empty_library_says_that_its_first_videos_are_on_their_way(no_workers, services, tmp_path, page):
    job = services.jobs.submit(make_video(tmp_path / "wolf.mp4"))
    app = open_page(page)
    assert any("Your first videos are on their way" in element.value for element in app.header)
    labels = {button.label for button in app.button}
    assert "Watch them arrive" in labels
    assert "Add the sample library" not in labels
    services.jobs.cancel(job.id)
    assert any("Your library is empty" in element.value for element in app.run().header)
    assert not app.exception


def test_before_anything_is_asked_the_library_is_shown(library):
    app = open_page("discover")
    assert len(shown(app)) == 2
    assert not app.exception


def test_a_small_library_is_shown_whole_and_promises_no_more(library):
    app = open_page("discover")
    assert "Show more" not in [button.label for button in app.button]
    feed = open_page("discover", view="feed")
    assert "1 of 2" in [caption.value for caption in feed.caption]
    assert not feed.exception


@pytest.mark.parametrize(("lang", "labels"), [("en", ["English", "Chinese"]), ("zh", ["中文", "英语"])])
def test_a_player_has_the_subtitles_first_those_of_who_reads(services, tmp_path, lang, labels):
    path = make_video(tmp_path / "a.mp4")
    for language in ("en", "zh"):
        path.with_suffix(f".{language}.srt").write_text(f"1\n00:00:00,000 --> 00:00:01,000\nHowl {language}\n")
    id_ = add(services, path, "grey wolf.mp4")
    app = open_page("discover", watch=id_, lang=lang)
    (video,) = app.get("video")
    assert [track.label for track in video.proto.subtitles] == labels
    services.store.delete(f"{id_}_0_en.vtt")
    _caption.clear()
    app = open_page("discover", watch=id_, lang=lang)
    assert any("_0_en.vtt" in caption.value.replace("\\", "") for caption in app.caption)
    assert app.get("video"), "it plays without them"
    assert not app.exception


def test_a_larger_library_is_shown_page_by_page(services):
    add_entries(services, 14, "grey wolf")
    app = open_page("discover", show="newest")
    assert len(shown(app)) == 12
    press(app, "Show more")
    assert len(shown(app)) == 14
    assert "Show more" not in [button.label for button in app.button]
    assert not app.exception


@pytest.mark.parametrize("asked", [{"show": "newest"}, {"q": "wolf"}], ids=["newest", "asked"])
@pytest.mark.parametrize("number", [1, 2, 12, 13])
def test_pages_and_places_fit_the_number_of_videos(number, asked, services):
    add_entries(services, number, "grey wolf")
    grid = open_page("discover", **asked)
    assert len(shown(grid)) == min(number, 12)
    assert ("Show more" in [button.label for button in grid.button]) == (number > 12)
    feed = open_page("discover", view="feed", **asked)
    for place in range(1, number + 1):
        assert f"{place} of {number}" in [caption.value for caption in feed.caption]
        assert feed.button(key="next").disabled == (place == number)
        if place < number:
            feed.button(key="next").click().run()
    assert not feed.exception


def headings(app) -> list[str]:
    return [element.value for element in app.header]


def test_home_is_shelves_that_open_what_they_hold(services):
    add_entries(services, 13, "grey wolf")
    app = open_page("discover")
    assert headings(app)[:2] == ["Newest", "Animals"]
    assert len(shown(app)) >= 12 + 4
    assert not app.get("video"), "nothing plays before it is asked for"
    app.button(key="all-animals-None").click().run()
    assert app.query_params["category"] == "animals"
    assert not headings(app)
    app = open_page("discover")
    app.button(key="all-newest").click().run()
    assert app.query_params["show"] == "newest"
    assert len(shown(app)) == 12
    assert not app.exception


def test_who_likes_something_finds_a_shelf_of_it(services):
    ids = add_entries(services, 13, "grey wolf")
    assert "For you" not in headings(open_page("discover"))
    services.taste.mark("Me", ids[3], "like")
    app = open_page("discover")
    assert headings(app)[0] == "For you"
    app.button(key="all-you").click().run()
    assert len(shown(app)) == 12
    assert not app.exception


def test_shelves_that_cannot_be_filled_say_so_and_the_newest_are_there(services, monkeypatch):
    add_entries(services, 13, "grey wolf")

    def fail(*args: object, **kwargs: object) -> None:
        raise LibraryError("It does not answer. Try again.")

    monkeypatch.setattr(type(services.index), "search", fail)
    app = open_page("discover")
    assert not headings(app)
    assert len(shown(app)) == 12
    assert "It does not answer" in readable(app)
    assert not app.exception


def test_a_library_that_is_strong_in_nothing_is_shown_whole(services):
    add_entries(services, 13, "qwertz")
    app = open_page("discover")
    assert not headings(app)
    assert len(shown(app)) == 12
    next(button for button in app.button if button.label == "Show more").click().run()
    assert len(shown(app)) == 13
    assert not app.exception


def test_the_best_answer_plays_and_a_press_opens_another(services):
    add_entries(services, 4, "grey wolf")
    app = open_page("discover", q="wolf")
    (best,) = app.get("video")
    assert best.proto.autoplay
    assert best.proto.muted
    other = next(button for button in app.button if str(button.key).startswith("play-"))
    name = other.label.removeprefix("Play ")
    other.click().run()
    assert [video.proto.alt for video in app.get("video")].count(name) == 1
    assert len(app.get("video")) == 2
    opened = next(video for video in app.get("video") if video.proto.alt == name)
    assert opened.proto.autoplay
    assert not opened.proto.muted
    app.text_input(key="q").set_value("grey").run()
    assert len(app.get("video")) == 1, "another question begins anew"


def test_a_shared_link_opens_the_video_at_its_second(library):
    wolf = next(entry for entry in library.index.scroll(scope="video") if "wolf" in entry.title.casefold())
    app = open_page("discover", watch=wolf.video_id, t="1")
    (video,) = app.get("video")
    assert (video.proto.alt, video.proto.start_time) == (wolf.title, 1)
    assert shown(app) == ["Tax office", wolf.title]
    press(app, "Back to all videos")
    assert "watch" not in app.query_params
    assert not app.get("video")
    gone = open_page("discover", watch="nobody", t="-1")
    assert any("no longer in the library" in text for text in texts(gone))
    assert not gone.exception


def test_categories_that_find_nothing_come_with_more(library):
    app = open_page("discover")
    found = ["Nature · 1", "Animals · 1"]
    assert app.button_group(key="category").options == found
    app.button(key="more-categories").click().run()
    options = app.button_group(key="category").options
    assert options[:2] == found
    assert all(option.startswith(":gray[") for option in options[2:])
    assert len(options) == len(library.taxonomy.categories)
    pressed = open_page("discover", category="food")
    assert len(pressed.button_group(key="category").options) == 3, "what is pressed can be seen"


def test_the_strength_of_a_mood_is_in_its_control(library):
    alone = open_page("discover", mood="calm")
    assert "strength" not in [slider.key for slider in alone.slider]
    app = open_page("discover", category="animals", mood="calm")
    app.slider(key="strength").set_value(0.9).run()
    assert app.query_params["strength"] == "0.9"
    assert not app.exception


def places(feed) -> list[str]:
    return [caption.value for caption in feed.caption if " of " in caption.value]


def test_the_feed_goes_on_to_the_last_video_and_back(services):
    add_entries(services, 50, "grey wolf")
    feed = open_page("discover", view="feed", video="last")
    assert places(feed) == ["48 of 50"]
    there = dict(feed.query_params)
    assert there["video"] != "last", "who shares the address means this video"
    seen = [texts(feed)]
    for place in (49, 50):
        feed.button(key="next").click().run()
        assert places(feed) == [f"{place} of 50"]
        seen.append(texts(feed))
    assert feed.button(key="next").disabled
    for place in (1, 0):
        feed.button(key="previous").click().run()
        assert texts(feed) == seen[place]
    assert places(feed) == ["48 of 50"]
    assert dict(feed.query_params) == there
    assert not feed.exception


def test_a_place_in_the_feed_is_kept_by_its_address(services):
    add_entries(services, 50, "grey wolf")
    feed = open_page("discover", q="wolf", view="feed", video="last")
    before = dict(feed.query_params)
    feed.button(key="next").click().run()
    feed.button(key="next").click().run()
    there = dict(feed.query_params)
    anew = open_page("discover", **there)
    assert (places(anew), texts(anew)) == (["50 of 50"], texts(feed))
    assert dict(anew.query_params) == there
    moved = open_page("discover", **{name: value for name, value in there.items() if name != "starts"})
    assert (places(moved), texts(moved)) == (["50 of 50"], texts(feed)), "a link from when it was on the first page"
    moved.button(key="previous").click().run()
    assert places(moved) == ["49 of 50"]
    gone = open_page("discover", **{**there, "starts": "960", "video": "nobody"})
    assert places(gone) == ["1 of 50"]
    feed.query_params.clear()
    for name, value in before.items():
        feed.query_params[name] = value
    assert places(feed.run()) == ["48 of 50"], "Back goes over the border of the pages"
    assert not any(page.exception for page in (feed, anew, moved, gone))


def test_cards_go_on_page_by_page_to_the_last_and_back(services, monkeypatch):
    monkeypatch.setattr("pages.components.views.MOST_SHOWN", 24)
    ids = add_entries(services, 30, "grey wolf")
    app = open_page("discover", show="newest")
    press(app, "Show more")
    first = shown(app)
    assert len(first) == 24
    press(app, "Show more")
    rest = shown(app)
    assert len(rest) == 6
    assert len({*first, *rest}) == len(ids)
    assert "Show more" not in [button.label for button in app.button]
    press(app, "Back to those before")
    assert shown(app) == first, "the last of them are those before"
    assert app.button(key="next-page")
    assert not app.exception


def test_a_category_shows_its_videos_by_url_and_is_in_the_address(library):
    app = open_page("discover")
    app.button_group(key="category").set_value(["animals"]).run()
    assert "Grey wolf in a forest" in texts(app)
    assert "Tax office" not in texts(app)
    assert all(url.startswith("/app/static/media/") for url in urls(app))
    assert app.query_params["category"] == "animals"
    assert "mood" not in app.query_params
    assert not app.exception


def test_subtitles_can_be_chosen_by_language_where_there_are_some(library, tmp_path):
    assert "language" not in {pills.key for pills in open_page("discover", category="animals").button_group}
    cues = {"subtitles": [(0, 1, "Hallo")], "subtitle_languages": ["ger"]}
    add(library, make_video(tmp_path / "c.mp4", **cues), "cat in a garden.mp4")
    app = open_page("discover", category="animals").run()
    assert app.button_group(key="language").options == ["German · 1"]
    app.button_group(key="language").set_value(["de"]).run()
    assert app.query_params["language"] == "de"
    assert "Cat in a garden" in texts(app)
    assert "Grey wolf in a forest" not in texts(app)
    assert not app.exception


def test_a_language_that_no_video_has_can_be_dropped(library):
    app = open_page("discover", category="animals", language="JPN,<b>")
    assert not shown(app)
    app.button_group(key="language").set_value([]).run()
    assert "Grey wolf in a forest" in texts(app)
    assert "language" not in app.query_params


def test_every_property_has_its_pills_and_words(library):
    app = open_page("discover", category="animals", length="under-10s,nonsense", shape="portrait,landscape")
    pills = {group.key: group for group in app.button_group}
    for row in PROPERTIES.values():
        if row.options:
            assert len(pills[row.name].options) == len(row.options)
    assert pills["length"].options == ["under 10 s · 1", "to 1 min · 0", "to 10 min · 0", "over 10 min · 0"]
    assert (pills["length"].value, pills["shape"].value) == (["under-10s"], ["portrait", "landscape"])
    assert "Grey wolf in a forest" in texts(app)
    pills["sound"].set_value(["silent"]).run()
    assert not shown(app)
    assert app.query_params["sound"] == "silent"
    assert not app.exception


MADE_UP = """
from core.errors import LibraryError
from core.properties import PROPERTIES, Property
PROPERTIES["initial"] = Property("initial", "", lambda entry: [entry.title[0]], "initial", ("g", "w"))
from pages.components.wording import ENGLISH
ENGLISH |= {"initial": "Begins with", "initial.g": "a G", "initial.w": "a W"}
from pages.components.services import close_services, shared_services
from tests.pages.support import ROOT, add, add_entries, open_page, press, readable, shown, texts, urls
for words in ("grey wolf", "wolf"):
    add_entries(shared_services(), 1, words)
app = open_page("discover", q="wolf")
print(app.button_group(key="initial").options)
app.button_group(key="initial").set_value(["w"]).run()
print([text for text in texts(app) if text.endswith("wolf 0")], app.query_params["initial"])
close_services()
"""


def test_a_property_more_is_a_row_and_its_words(tmp_path):
    result = subprocess.run(
        [sys.executable, "-c", MADE_UP],
        cwd=ROOT,
        env={**clean_environ(), "DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.stdout.splitlines() == ["['a G · 1', 'a W · 1']", "['wolf 0'] w"], result.stderr


def test_a_link_brings_back_what_was_asked(library):
    app = open_page("discover", q="wolves", mood="calm")
    assert app.text_input(key="q").value == "wolves"
    assert "Grey wolf in a forest" in texts(app)
    assert app.session_state["mood"] == ["calm"]


def test_an_own_category_and_mood_can_be_added_and_removed_again(services):
    add_entries(services, 1, "grey wolf")
    assert not [button for button in open_page("discover").button if button.label.startswith("Remove")]
    shipped = services.taxonomy
    services.add_theme("category", "Pack animals", ["a grey wolf"])
    services.add_theme("mood", "Lonely", ["alone in the snow"])
    app = open_page("discover", category="pack-animals,animals", mood="lonely")
    other = open_page("discover", category="pack-animals")
    assert [button.label for button in app.button if button.label.startswith("Remove")] == [
        "Remove Pack animals",
        "Remove Lonely",
    ]
    press(app, "Remove Pack animals")
    press(app, "Remove Lonely")
    assert not app.exception
    assert not app.error
    assert not [button for button in app.button if button.label.startswith("Remove")]
    assert (app.session_state["category"], app.session_state["mood"]) == (["animals"], ["any"])
    assert services.taxonomy == shipped
    other.run()
    assert not other.exception
    assert not other.error
    assert other.session_state["category"] == []


def test_a_link_with_nonsense_is_a_page_without_it(library):
    app = open_page("discover", category="<script>", mood="grumpy")
    assert not app.exception
    assert app.session_state["category"] == []
    assert app.session_state["mood"] == ["any"]


def test_nothing_found_says_so_and_shows_nothing(library):
    app = open_page("discover", q="xyzzy plugh")
    assert any("Nothing here matches" in element.value for element in app.header)
    assert not shown(app)


def test_filters_that_leave_nothing_can_be_taken_off_where_there_is_no_menu_of_them(library):
    app = open_page("discover", category="animals", length="over-10min", view="feed")
    assert not shown(app)
    assert "Some do without the filters." in readable(app)
    press(app, "Take the filters off")
    assert dict(app.query_params) == {"category": "animals", "view": "feed"}
    assert shown(app)
    assert not app.exception


def test_what_is_most_like_a_video_follows_a_library_that_stays_as_large(library, two_videos, tmp_path):
    assert "tax office" in " ".join(texts(open_page("ingest"))).casefold()
    office = next(entry for entry in library.index.scroll(scope="video") if "office" in entry.title.casefold())
    library.index.delete(office.video_id)
    library.jobs.clear()
    add(library, make_video(tmp_path / "c.mp4", audio="aac", tone_hz=500), "harbour at night.mp4")
    wolf = library.jobs.submit(two_videos / "a.mp4", "grey wolf in a forest.mp4")
    library.jobs.wait([wolf.id], timeout_s=60)
    app = open_page("ingest")
    assert not app.exception
    assert len([text for text in texts(app) if "harbour" in text.casefold()]) == 2
    assert not [text for text in texts(app) if "office" in text.casefold()]


def test_a_page_opens_while_the_texts_are_being_read_and_goes_on_by_itself(library, monkeypatch):
    states = [Reading(12, 172), Reading(40, 172, "It asks for fewer *requests*."), None]

    def unread(*_):
        if states[0] is not None:
            raise Unavailable(states[0].sentence)
        return counts()

    counts = library.discover.counts
    monkeypatch.setattr(type(library), "reading", lambda services: states[0])
    monkeypatch.setattr(type(library.discover), "counts", unread)
    app = open_page("discover")
    assert not app.exception
    assert shown(app), "what needs no texts is not shown"
    assert "12 of 172 are known. Until then they find nothing" in readable(app)
    states.pop(0)
    app.run()
    assert "It is waiting: It asks for fewer *requests*." in readable(app)
    states.pop(0)
    app.run()
    assert "of 172" not in readable(app)


def test_less_of_this_kind_and_a_removed_channel_can_be_undone(library):
    app = open_page("discover", q="wolf", who="Ada")
    press(app, "Less of this kind")
    assert library.taste.marks("Ada").dislikes
    assert "Less of this kind from now on" in readable(app)
    app.button(key="undo-it").click().run()
    assert not library.taste.marks("Ada").dislikes
    assert "undo-it" not in [button.key for button in app.button]
    channel = library.channels.save("Wolves", [("q", "wolf")])
    other = library.channels.save("Dogs", [("q", "dog")])
    app.run()
    app.button(key=f"remove-{channel.slug}").click().run()
    assert library.channels.channels() == [other]
    app.button(key="undo-it").click().run()
    assert library.channels.channels() == [channel, other], "where it was"
    assert not app.exception


def test_a_taste_that_is_forgotten_is_said_and_can_be_had_back(library):
    app = open_page("discover", q="wolf", who="Ada")
    press(app, "More of this kind")
    before = library.taste.marks("Ada")
    press(app, "Forget this taste")
    assert not library.taste.marks("Ada").likes
    assert "The taste of Ada is forgotten." in readable(app)
    app.button(key="undo-it").click().run()
    assert library.taste.marks("Ada") == before
    press(app, "Forget this taste")
    press(app, "Forget this taste")
    assert not app.exception


def test_what_has_faded_is_not_offered_again(library, monkeypatch):
    app = press(open_page("discover", q="wolf"), "Less of this kind")
    assert "undo-it" in [button.key for button in app.button]
    later = time.monotonic() + 13
    monkeypatch.setattr("pages.components.undo.time", SimpleNamespace(monotonic=lambda: later))
    assert "undo-it" not in [button.key for button in app.run().button]
    monkeypatch.undo()
    assert "undo-it" not in [button.key for button in app.run().button], "it is over for good"


def save_channel(app, name: str):
    next(field for field in app.text_input if field.label == "Save this search as a channel").set_value(name)
    return press(app, "Save channel")


def test_a_channel_in_the_place_of_another_is_said_and_can_be_undone(library):
    wolf = library.channels.save("WOLF", [("q", "wolf")])
    app = save_channel(open_page("discover", q="grey wolf"), "wolf")
    assert "The channel WOLF is replaced by this search." in readable(app)
    (now,) = library.channels.channels()
    assert (now.name, dict(now.link), now.slug) == ("wolf", {"q": "grey wolf"}, wolf.slug)
    app.button(key="undo-it").click().run()
    assert library.channels.channels() == [wolf]
    save_channel(app, "Other")
    assert "undo-it" not in [button.key for button in app.button]
    assert len(library.channels.channels()) == 2
    assert not app.exception


def test_what_is_typed_stays_until_it_is_taken(library):
    def field(label: str):
        return next(field for field in [*app.text_input, *app.text_area] if field.label == label)

    app = open_page("discover")
    assert not any(form.proto.form.clear_on_submit for form in app.get("form")), "the browser would empty it itself"
    save_channel(app, "\u200b")
    assert app.error
    assert field("Save this search as a channel").value == "\u200b"
    save_channel(app, "Lobby")
    assert field("Save this search as a channel").value == ""
    field("Name").set_value("Animals")
    field("A few phrases, one a line").set_value("a herd of cows\na flock of sheep")
    press(app, "Add")
    assert "'Animals' already" in readable(app)
    assert field("Name").value == "Animals"
    field("Name").set_value("Herds")
    press(app, "Add")
    assert "Herds is added." in readable(app)
    assert library.taxonomy.category("herds").prompts == ("a herd of cows", "a flock of sheep")
    assert (field("Name").value, field("A few phrases, one a line").value) == ("", "")
    assert not app.exception


def test_an_own_category_that_finds_nothing_is_in_the_line_all_the_same(library, monkeypatch):
    library.add_theme("category", "Herds", ["a herd of cows"])
    counts = {theme.id: int(theme.id == "animals") for theme in library.taxonomy.categories}
    monkeypatch.setattr(type(library.discover), "counts", lambda *_: counts)
    line = open_page("discover").button_group(key="category").options
    assert line == ["Animals · 1", ":gray[:material/label: Herds]"]
