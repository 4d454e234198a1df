"""The table of what a page remembers: how rows come from the address and go there, and that resets agree."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from core.discover import taxonomy
from pages.components.state import ADDRESSED, ANY, ME, ROWS, Part
from tests.pages.support import add_entries, open_page, press, readable, shown, texts

KEPT = {"sort": "newest", "variety": "0.5", "who": "Ada", "unseen": "1"}
"""How one looks at whatever is asked: no question takes it away."""
OLD = {"category": "animals", "mood": "calm", "strength": "0.3", "length": "under-10s", "sound": "with-sound"}
IN_ADDRESS = {
    "q": "wolves & dogs",
    "category": "animals,nature",
    "mood": "calm,tense",
    "strength": "0.75",
    "like": "3f2a91c4",
    "at": "12.50",
    "of_map": "57",
    "length": "under-10s,1-10min",
    "shape": "portrait",
    "sound": "silent",
    "language": "de,pt-br",
    "variety": "0.3",
    "sort": "longest",
    "who": "Ada",
    "unseen": "1",
    "view": "feed",
    "play": "1",
    "present": "1",
    "video": "3f2a91c4",
    "starts": "48,96",
    "watch": "3f2a91c4",
    "t": "12",
    "show": "newest",
}


def picture() -> tuple[str, bytes, str]:
    data = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 30)).save(data, "PNG")
    return "red.png", data.getvalue(), "image/png"


def test_every_row_of_the_address_is_tested_here():
    assert {row.name for row in ADDRESSED} == set(IN_ADDRESS)


@pytest.mark.parametrize("name", IN_ADDRESS)
def test_a_row_comes_back_from_the_address_as_it_was_written(name):
    row, themes = ROWS[name], taxonomy.load()
    value = row.read(IN_ADDRESS[name], themes)
    assert value != row.default
    assert row.write(value) in (IN_ADDRESS[name], IN_ADDRESS[name].rstrip("0"))
    assert row.read(row.write(value), themes) == value
    assert row.write(row.default) == ""
    assert row.read("", themes) == row.default


@pytest.mark.parametrize(
    "name", sorted(set(IN_ADDRESS) - {"q", "like", "at", "who", "video", "watch", "t", "unseen", "play", "present"})
)
def test_nonsense_in_the_address_is_the_default(name):
    assert ROWS[name].read("<script>,-7e9", taxonomy.load()) == ROWS[name].default


@pytest.mark.parametrize(
    ("text", "number"), [("0.5", 0.5), ("7", 1.0), ("nan", 0.4), ("-1", 0.4), ("1e-3", 0.4), ("", 0.4)]
)
def test_a_number_in_the_address_is_between_none_and_all(text, number):
    assert ROWS["strength"].read(text, taxonomy.load()) == number


def test_more_like_a_video_drops_all_that_was_asked_before(library):
    app = open_page("discover", **OLD, **KEPT)
    key = next(button.key for button in app.button if button.label == "More like this")
    app.button(key=key).click().run()
    assert dict(app.query_params) == {"like": key.removeprefix("more-"), **KEPT}


def test_more_like_a_frame_drops_all_that_was_asked_before(library):
    app = open_page("discover", **OLD, **KEPT)
    press(app, "More like this frame")
    assert dict(app.query_params) == KEPT
    assert app.session_state["picture"] is not None
    assert app.session_state["mood"] == [ANY]
    press(app, "More like this")
    assert set(app.query_params) == {"like", *KEPT}
    assert app.session_state["picture"] is None


def test_a_category_offered_instead_drops_all_that_was_asked_before(library):
    app = open_page("discover", **{**OLD, **KEPT, "category": "", "q": "xyzzy plugh"})
    offered = next(button for button in app.button if (button.key or "").startswith("instead-"))
    offered.click().run()
    assert dict(app.query_params) == {"category": offered.key.removeprefix("instead-"), **KEPT}


def test_a_channel_drops_all_that_was_asked_before_but_not_who_looks(library):
    library.channels.save("Wolves", [("q", "wolves")])
    app = open_page("discover", **OLD, **KEPT)
    app.file_uploader(key="picture-0").set_value([picture()]).run()
    assert app.session_state["picture"] is not None
    press(app, "Wolves")
    assert dict(app.query_params) == {"q": "wolves", "view": "feed", "play": "1", "who": "Ada", "unseen": "1"}
    assert app.session_state["picture"] is None
    assert "Grey wolf in a forest" in texts(app)


def test_a_channel_that_names_whose_taste_counts_is_theirs(library):
    library.channels.save("Eve's wolves", [("q", "wolves"), ("who", "Eve")])
    app = open_page("discover", who="Ada")
    press(app, "Eve\\'s wolves" if any(b.label == "Eve\\'s wolves" for b in app.button) else "Eve's wolves")
    assert app.query_params["who"] == "Eve"


def test_a_channel_keeps_what_is_asked_now_and_no_view(library):
    app = open_page("discover", **OLD, **KEPT)
    app.button_group(key="category").set_value(["animals", "nature"])
    app.text_input(key="q").set_value("wolves")
    next(field for field in app.text_input if field.label == "Save this search as a channel").set_value("Mine")
    press(app, "Save channel")
    (channel,) = library.channels.channels()
    assert dict(channel.link) == {**OLD, **KEPT, "category": "nature", "q": "wolves"}


def test_a_picture_that_is_dropped_is_searched_by_and_can_be_let_go(library):
    app = open_page("discover", **OLD)
    app.file_uploader(key="picture-0").set_value([picture()]).run()
    assert not app.exception
    assert app.button(key="drop-picture")
    assert app.session_state["category"] == []
    assert app.file_uploader(key="picture-1").value is None
    app.button(key="drop-picture").click().run()
    assert app.session_state["picture"] is None
    assert not app.exception


def test_a_file_that_is_no_picture_is_a_sentence_and_the_results_stay(library):
    app = open_page("discover", category="animals")
    app.file_uploader(key="picture-0").set_value([("not.png", b"not a picture", "image/png")]).run()
    assert not app.exception
    assert any(error.value for error in app.error)
    assert app.session_state["category"] == ["animals"]
    assert shown(app)


def test_what_no_link_holds_is_not_saved_as_a_channel_and_says_so(services):
    ids = add_entries(services, 3, "grey wolf")
    app = open_page("discover", like=ids[0])
    assert "Save channel" in [button.label for button in app.button]
    app.file_uploader(key="picture-0").set_value([picture()]).run()
    assert "Save channel" not in [button.label for button in app.button]
    assert "A search by a picture cannot be kept as a channel" in readable(app)
    app.button(key="drop-picture").click().run()
    assert "Save channel" in [button.label for button in app.button]
    app.session_state["like"], app.session_state["among"], app.session_state["of_map"] = ids[0], ids, 3
    app.run()
    assert dict(app.query_params) == {"like": ids[0], "of_map": "3"}
    assert "Save channel" not in [button.label for button in app.button]
    assert "These videos of the map cannot be kept as a channel" in readable(app)
    assert "This link does not hold" not in readable(app)


def test_a_link_says_that_it_does_not_hold_the_videos_of_a_map(services):
    ids = add_entries(services, 3, "grey wolf")
    app = open_page("discover", like=ids[0], of_map="2")
    assert "This link does not hold the 2 videos of the map" in readable(app.run())
    press(app, "More like this video")
    assert not app.query_params
    assert "This link does not hold" not in readable(app)


def test_another_address_lets_a_picture_go(library):
    app = open_page("discover")
    app.file_uploader(key="picture-0").set_value([picture()]).run()
    app.query_params["category"] = "animals"
    app.run()
    assert app.session_state["category"] == ["animals"]
    assert app.session_state["picture"] is None


@pytest.mark.parametrize("change", ["category", "filter", "words", "strength"])
def test_another_question_begins_with_one_page_and_the_first_video(change, services):
    ids = add_entries(services, 16, "grey wolf")
    app = open_page("discover", q="wolf", mood="calm", view="feed", video=ids[5])
    app.session_state["shown"] = 24
    if change == "category":
        app.button_group(key="mood").set_value(["tense"]).run()
    else:
        app.session_state[{"filter": "length", "words": "q", "strength": "strength"}[change]] = {
            "filter": ["under-10s"],
            "words": "grey",
            "strength": 0.1,
        }[change]
        app.run()
    assert app.session_state["shown"] == 12
    assert app.session_state["video"] == ""
    assert "video" not in app.query_params


def test_a_search_is_as_long_as_core_takes_it_and_a_longer_one_is_said_and_stays(library):
    app = open_page("discover")
    app.text_input(key="q").set_value("grey wolf " * 40).run()
    assert not app.error
    assert open_page("discover", q=app.query_params["q"]).text_input(key="q").value == "grey wolf " * 40
    app.text_input(key="q").set_value("grey wolf " * 70).run()
    assert not app.exception
    assert "The query is 699 characters long. Use at most 500." in readable(app)
    assert not app.text_input(key="q").proto.max_chars
    assert "Use at most 500." in readable(open_page("discover", q=app.query_params["q"]))


def test_a_name_that_is_too_long_is_nobody_elses_after_a_reload(library):
    app = open_page("discover", category="animals")
    app.text_input(key="who").set_value("a" * 50).run()
    assert "A profile name has at most 40 characters" in readable(app)
    assert "A profile name has at most 40 characters" in readable(open_page("discover", who=app.query_params["who"]))


def test_another_view_order_or_person_keeps_the_place(services):
    ids = add_entries(services, 16, "grey wolf")
    app = open_page("discover", q="wolf", view="feed", video=ids[5])
    app.session_state["shown"] = 24
    for name, value in {"view": "grid", "sort": "newest", "who": "Ada"}.items():
        app.session_state[name] = value
        app.run()
    assert app.session_state["shown"] == 24
    assert app.session_state["video"] == ids[5]


def test_rows_that_are_asked_are_reset_together():
    parts = {part: {name for name, row in ROWS.items() if row.part is part} for part in Part}
    asked = {"q", "category", "mood", "strength", "like", "at", "among", "of_map", "picture", "watch", "t", "show"}
    assert parts[Part.QUESTION] == asked
    assert parts[Part.FILTERS] >= {"length", "shape", "sound", "language"}
    assert all(parts.values())


@pytest.mark.parametrize("name", ["", "   "])
def test_an_empty_name_is_the_usual_one_again(name, library):
    app = open_page("discover", category="animals", who="Ada")
    app.text_input(key="who").set_value(name).run()
    assert not app.exception
    assert not app.error
    assert "Grey wolf in a forest" in texts(app)
    press(app, "More of this kind")
    assert library.taste.marks(ME).likes
    press(app, "Forget this taste")
    assert not app.exception
    assert not app.error
    assert not library.taste.marks(ME).likes
    assert shown(app)


@pytest.mark.parametrize("name", ["\u200b", "\u200d\u200c", "two\u2028lines"])
def test_a_name_that_cannot_be_seen_is_a_sentence_beside_its_field(name, library):
    app = open_page("discover", category="animals")
    app.text_input(key="who").set_value(name).run()
    assert "A profile name" in readable(app)
    assert len(app.error) == 1
    assert "Grey wolf in a forest" in texts(app)
    press(app, "Forget this taste")
    assert not app.exception
    assert shown(app)
