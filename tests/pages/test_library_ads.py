"""The tab of ads on Library: what is asked of an ad, and where it belongs."""

from __future__ import annotations

import re
from types import SimpleNamespace

from streamlit.testing.v1 import AppTest

from pages.components.library_ads import _teller
from tests.pages.support import add, add_entries, open_page, press, readable
from tests.pages.test_library import tab
from tests.videos import make_video, plain


def two_shots(index: int, width: int, height: int):
    return plain(200, 60, 40)(index, width, height) if index < 35 else plain(40, 60, 220)(index, width, height)


def ads(services, tmp_path) -> AppTest:
    clip = make_video(tmp_path / "c.mp4", seconds=12, size=(64, 36), fps=5, pattern=two_shots)
    add(services, clip, "grey wolf and dog, animals.mp4")
    add(services, make_video(tmp_path / "d.mp4", seconds=2, size=(64, 36), fps=5), "tax office, law.mp4")
    return tab(open_page("library"), "ads")


def ask(app: AppTest, words: str) -> AppTest:
    app.text_input(key="ads-words").set_value(words).run()
    return app.button(key="ads-find").click().run()


def test_a_sentence_finds_its_places_with_reasons_and_downloads(services, tmp_path):
    app = ads(services, tmp_path)
    app.button(key="ads-find").click().run()
    assert "Say in a sentence what the ad shows." in readable(app)
    assert "place in" not in readable(app)
    ask(app, "a dog and a puppy, animals")
    assert not app.exception
    said = readable(app)
    assert "1 place in 1 video" in said
    assert "Grey wolf and dog, animals" in said
    assert "between two shots · nothing is heard" in said
    (html,) = [one.proto.body for one in app.get("html") if "data-at=" in one.proto.body]
    assert 'data-at="7.000"' in html
    assert re.search(r'data-video="[^"]*media/[^"]+\.mp4"', html)
    assert [one.proto.label for one in app.get("download_button")] == ["VMAP", "Cues (JSON)"]


def test_what_is_avoided_is_left_out_and_said(services, tmp_path):
    app = ads(services, tmp_path)
    app.multiselect(key="ads-avoid-category").set_value(["animals"]).run()
    ask(app, "a dog and a puppy, animals")
    assert "1 video is left out" in readable(app)
    assert "belongs nowhere here" in readable(app)
    app.multiselect(key="ads-avoid-category").set_value([]).run()
    app.text_input(key="ads-avoid-words").set_value("wolf, office").run()
    app.button(key="ads-find").click().run()
    assert "2 videos are left out" in readable(app)


def test_what_is_typed_counts_with_the_first_press_and_an_answer_stands_below_its_own_question_only(services, tmp_path):
    app = ads(services, tmp_path)
    app.text_input(key="ads-words").set_value("a dog and a puppy, animals")
    app.button(key="ads-find").click().run()  # the press leaves the field: both come at once
    assert "1 place in 1 video" in readable(app)
    app.text_input(key="ads-words").set_value("a ship at sea").run()
    assert "place in" not in readable(app)
    app.text_input(key="ads-words").set_value("a dog and a puppy, animals").run()
    assert "1 place in 1 video" in readable(app)
    app.multiselect(key="ads-avoid-category").set_value(["animals"]).run()
    assert "place in" not in readable(app)


def test_what_is_asked_of_an_ad_is_kept_with_its_answer_while_another_tab_is_shown(services, tmp_path):
    app = ads(services, tmp_path)
    app.text_input(key="ads-avoid-words").set_value("office").run()
    app.number_input(key="ads-most").set_value(2).run()
    ask(app, "a dog and a puppy, animals")
    tab(app, "trash")
    tab(app, "ads")
    assert app.text_input(key="ads-words").value == "a dog and a puppy, animals"
    assert app.text_input(key="ads-avoid-words").value == "office"
    assert app.number_input(key="ads-most").value == 2
    assert "1 place in 1 video" in readable(app)
    app.segmented_control(key="ad_source").set_value("video").run()
    assert app.button(key="ads-find").disabled
    assert "place in" not in readable(app)
    assert not app.exception


def test_a_video_of_the_library_as_the_ad(services, tmp_path):
    app = ads(services, tmp_path)
    clip = make_video(tmp_path / "e.mp4", seconds=10, size=(64, 36), fps=5, pattern=two_shots)
    ad = add(services, clip, "dog and puppy, animals.mp4")
    for number in range(3):
        clip = make_video(tmp_path / f"{number}.mp4", seconds=2, size=(64, 36), fps=5, pattern=plain(9, 90, number))
        add(services, clip, ("ship.mp4", "football match.mp4", "snow on a mountain.mp4")[number])
    app.segmented_control(key="ad_source").set_value("video").run()
    app.selectbox(key="ads-video").set_value(ad).run()
    app.button(key="ads-find").click().run()
    assert "Grey wolf and dog, animals" in readable(app)
    assert f'data-ad="app/static/media/{ad}.mp4"' in str([one.proto.body for one in app.get("html")])


def test_of_more_videos_than_can_be_offered_a_name_finds_the_others(services, monkeypatch):
    monkeypatch.setattr("pages.components.library_ads.CHOICES", 3)
    add_entries(services, 4, "grey wolf")
    (office,) = add_entries(services, 1, "tax office")
    app = tab(open_page("library"), "ads")
    app.segmented_control(key="ad_source").set_value("video").run()
    assert len(app.selectbox(key="ads-video").options) == 3
    app.text_input(key="ads-video-name").set_value("office").run()
    assert app.selectbox(key="ads-video").options == ["tax office 0"]
    app.selectbox(key="ads-video").set_value(office).run()
    app.text_input(key="ads-video-name").set_value("wolf").run()
    assert app.selectbox(key="ads-video").value == office, "looking for another keeps what was chosen"
    assert len(app.selectbox(key="ads-video").options) == 4
    app.text_input(key="ads-video-name").set_value("whale").run()
    assert "No video has that name." in readable(app)
    assert not app.exception


def test_an_ad_that_is_kept_is_chosen_and_removed(services, tmp_path):
    app = ads(services, tmp_path)
    clip = make_video(tmp_path / "f.mp4", seconds=3, size=(64, 36), fps=5, pattern=plain(1, 200, 90))
    kept = services.ads.book.add(clip, "dog and puppy, animals.mp4")
    app.segmented_control(key="ad_source").set_value("ours").run()
    assert "Draw 4 sample ads" in [button.label for button in app.button]
    app.pills(key="ads-kept-0").set_value(kept.id).run()
    assert not app.exception
    assert app.get("video")[0].proto.alt == "Dog and puppy, animals"
    press(app, "Remove this ad")
    assert services.ads.book.all() == ()
    assert not app.get("video")


def test_a_dropped_ad_is_kept_from_where_its_upload_arrived(services, tmp_path):
    add(services, make_video(tmp_path / "d.mp4", seconds=2, size=(64, 36), fps=5), "tax office, law.mp4")
    app = tab(open_page("library"), "ads")
    app.segmented_control(key="ad_source").set_value("ours").run()
    arrival = services.arrivals.begin("a session", "a file", None)
    arrival.write(make_video(tmp_path / "ad.mp4", seconds=2, size=(64, 36), fps=5, pattern=plain(1, 2, 3)).read_bytes())
    arrival.finish()
    app.file_uploader(key="ads-drop-0").set_value(("an ad.mp4", arrival.mark, "video/mp4")).run()
    assert not app.exception
    assert [kept.filename for kept in services.ads.book.all()] == ["an ad.mp4"]
    assert not arrival.folder.exists()


def test_a_bar_is_told_no_finer_than_it_shows():
    told = []
    bar = SimpleNamespace(progress=lambda share, text: told.append(share))
    tell = _teller(bar, "ads.looking", 0.5, 0.5)
    for frame in range(1001):
        tell(frame / 1000)
    assert told == [at / 100 for at in range(50, 101)]
