"""The Library page: what one has, and what can be done with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.fakes import make_entries
from tests.pages.support import add_entries, open_page, press, readable, texts
from tests.support import until


def listed(app: AppTest) -> list[str]:
    """Return the titles on the cards."""
    return [button.label.replace("\\", "") for button in app.button if str(button.key).startswith("open-")]


def select(app: AppTest, video_id: str) -> AppTest:
    return next(box for box in app.checkbox if str(box.key).endswith(video_id)).check().run()


def tab(app: AppTest, name: str) -> AppTest:
    return app.segmented_control(key="library_tab").set_value(name).run()


def test_an_empty_library_says_what_to_do(services):
    assert "Your library is empty" in readable(open_page("library"))


def test_everything_is_listed_with_its_facts_and_found_by_name(library):
    app = open_page("library")
    assert not app.exception
    assert sorted(listed(app)) == ["Grey wolf in a forest", "Tax office"]
    assert "2 videos" in readable(app)
    assert "KB ·" in readable(app)
    app.text_input(key="library-name").set_value("tax").run()
    assert listed(app) == ["Tax office"]
    app.text_input(key="library-name").set_value("nothing like it").run()
    assert "No video has that name" in readable(app)


def test_a_deleted_video_is_gone_and_back_with_undo(library):
    app = open_page("library")
    wolf = next(str(b.key).removeprefix("open-") for b in app.button if "wolf" in b.label)
    select(app, wolf)
    assert "1 video selected" in readable(app)
    press(app, "Delete")
    assert listed(app) == ["Tax office"]
    assert "Grey wolf" not in str([hit.title for hit in library.discover.browse(10).hits])
    assert "Deleted: Grey wolf in a forest" in readable(app)
    press(app, "Undo")
    assert sorted(listed(app)) == ["Grey wolf in a forest", "Tax office"]
    assert library.index.count().videos == 2


def test_the_trash_gives_back_or_removes_for_good(library):
    app = open_page("library")
    press(app, "Select all on this page")
    press(app, "Delete")
    assert "No video" in readable(app)
    tab(app, "trash")
    assert texts(app).count("Tax office") == 1
    assert "goes for good in 23 h 59 min" in readable(app)
    wolf = next(video for video in library.library.trash.videos() if "wolf" in video.title)
    app.button(key=f"restore-{wolf.video_id}").click().run()
    press(app, "Delete for good")
    assert "Nothing was deleted" in readable(app)
    assert len(library.store.sizes()) == 2
    tab(app, "videos")
    assert listed(app) == ["Grey wolf in a forest"]


def test_what_could_not_be_read_again_says_so_and_can_be_tried_again_or_deleted(library):
    lane = library.serving.bring("old-v1", 32)
    entries = make_entries("Brown owl", info=lane.encoder.info, clips=1, vectors=[np.ones(32, np.float32)] * 2)
    owl = entries[0].video_id
    lane.index.upsert([replace(entry, poster_key=None) for entry in entries])
    trash = library.library.trash
    trash.delete([owl])
    trash.restore([owl])
    until(lambda: trash.held() and not trash.returning())
    app = open_page("library")
    tab(app, "trash")
    assert "Brown owl" in texts(app)
    assert "Did not come back" in readable(app)
    assert "stored copy is gone" in readable(app)
    assert "Nothing was deleted" not in readable(app)
    app.button(key=f"restore-{owl}").click().run()
    assert not app.exception
    until(lambda: trash.held())
    app.run()
    app.button(key=f"delete-held-{owl}").click().run()
    assert "Did not come back" not in readable(app)
    assert "goes for good in 23 h 59 min" in readable(app)
    assert [video.video_id for video in trash.videos()] == [owl]


def test_a_video_is_renamed_and_found_by_its_new_name(library):
    app = open_page("library")
    press(app, "Tax office")
    assert "tax office.mp4" in readable(app)
    app.text_input(key=next(one.key for one in app.text_input if one.label == "Title")).set_value("Submarine dive")
    press(app, "Save")
    assert not app.exception
    press(app, "Back to the library")
    assert sorted(listed(app)) == ["Grey wolf in a forest", "Submarine dive"]
    from core.models import Query

    assert [hit.title for hit in library.discover.search(Query(text="submarine")).hits] == ["Submarine dive"]


def test_a_title_that_is_none_is_said_and_changes_nothing(library):
    app = open_page("library")
    press(app, "Tax office")
    app.text_input(key=next(one.key for one in app.text_input if one.label == "Title")).set_value(" ")
    press(app, "Save")
    assert "A title is missing" in readable(app)
    press(app, "Back to the library")
    assert "Tax office" in listed(app)


def test_a_title_that_is_too_long_stays_in_its_field_and_is_said(library):
    app = open_page("library")
    press(app, "Tax office")
    field = next(one.key for one in app.text_input if one.label == "Title")
    app.text_input(key=field).set_value("ledger " * 20)
    press(app, "Save")
    assert "A title has at most 120 characters, and this one has 139. Shorten it." in readable(app)
    assert app.text_input(key=field).value == "ledger " * 20
    assert not app.text_input(key=field).proto.max_chars


def test_a_page_at_a_time_and_as_a_table(services):
    add_entries(services, 30, "forest")
    app = open_page("library")
    assert len(listed(app)) == 24
    app.segmented_control(key="library_view").set_value("table").run()
    assert len(app.dataframe[0].value) == 30
    assert not app.exception


def test_what_is_asked_of_the_list_is_kept_while_a_video_or_another_tab_is_shown(services):
    ids = add_entries(services, 60, "grey wolf")
    assert services.relabel.soon(20.0)
    app = open_page("library")
    app.text_input(key="library-name").set_value("wolf").run()
    app.selectbox(key="library-arrange").set_value("title").run()
    app.pills(key="library-category").set_value(["animals"]).run()
    (pages,) = app.get("pagination")
    pages.set_value(2).run()

    def assert_is_kept() -> None:
        assert not app.exception
        assert app.text_input(key="library-name").value == "wolf"
        assert app.selectbox(key="library-arrange").value == "title"
        assert app.pills(key="library-category").value == ["animals"]
        assert app.get("pagination")[0].value == 2
        assert listed(app) == second

    second = listed(app)
    assert 0 < len(second) <= 24
    press(app, second[0])
    assert not listed(app)
    press(app, "Back to the library")
    assert_is_kept()
    tab(app, "trash")
    tab(app, "videos")
    assert_is_kept()
    press(app, second[0])
    press(app, "Delete")
    assert app.text_input(key="library-name").value == "wolf"
    assert app.get("pagination")[0].value == 2
    assert "59 videos" in readable(app)
    assert services.index.count().videos == len(ids) - 1


def test_a_label_that_no_video_has_any_more_can_be_dropped(library):
    app = open_page("library")
    app.pills(key="library-category").set_value(["animals"]).run()
    press(app, "Grey wolf in a forest")
    press(app, "Delete")
    assert not app.exception
    assert listed(app) == []
    app.pills(key="library-category").set_value([]).run()
    assert listed(app) == ["Tax office"]


def test_an_own_category_that_is_gone_is_asked_for_no_more(library):
    library.add_theme("category", "Beasts", ["wolf"])
    assert library.relabel.soon(20.0)
    app = open_page("library")
    app.pills(key="library-category").set_value(["beasts"]).run()
    assert listed(app) == ["Grey wolf in a forest"]
    wolf = next(entry.video_id for entry in library.index.scroll(scope="video") if "wolf" in entry.title)
    tab(app, "own")
    library.own_themes.remove("category", "beasts")
    library.library.trash.delete([wolf])
    tab(app, "videos")
    assert not app.exception
    assert listed(app) == ["Tax office"]


def test_a_library_is_exported_and_what_is_there_is_not_imported_again(library):
    app = tab(open_page("library"), "carry")
    assert "Deleted videos and jobs stay behind" in readable(app)
    app.text_input(key="carry-name").set_value("My films").run()
    app.button(key="carry-export").click().run()
    library.library.carrying.wait(120)
    app.run()
    assert "2 videos" in readable(app)
    assert "exported as “my-films”, and checked." in readable(app)
    app.button(key="carry-hide").click().run()
    app.button(key="carry-import-my-films").click().run()
    library.library.carrying.wait(120)
    app.run()
    assert not app.exception
    assert "0 videos came." in readable(app)
    assert "2 were here already." in readable(app)
    film = next((library.settings.exports_dir / "my-films/media").glob("*.mp4"))
    library.library.trash.delete([film.stem])
    library.library.trash.purge([film.stem])
    film.write_bytes(b"damaged")
    app.button(key="carry-import-my-films").click().run()
    library.library.carrying.wait(120)
    app.run()
    assert "1 thing was left out" in readable(app)
    assert f"media/{film.name} is damaged. Remove it" in readable(app)


def test_an_export_that_is_not_complete_says_so_and_can_not_be_imported(library):
    folder = library.settings.exports_dir / "half"
    folder.mkdir(parents=True)
    from core.library import archive

    archive.write(folder, archive.Manifest("1.0", "2026-11-26T00:00:00+00:00", complete=False))
    app = tab(open_page("library"), "carry")
    assert "Not complete: it was interrupted." in readable(app)
    assert app.button(key="carry-import-half").disabled


def test_what_is_behind_a_video_opens_from_it(library):
    app = open_page("library")
    press(app, "Grey wolf in a forest")
    assert not app.exception
    assert any(one.proto.text.startswith("Animals · ") for one in app.get("progress"))
    assert "From 1.0 on it counts." in readable(app)
    assert "grey wolf in a forest.mp4" in readable(app)
    assert "ready after" in readable(app)
    press(app, "Tax office")
    assert "tax office.mp4" in readable(app)
    library.jobs.clear()
    app.run()
    assert "No job of it is kept any more." in readable(app)


def test_what_a_video_is_can_be_corrected_and_taken_back(library):
    from core.models import Query

    def animals() -> list[str]:
        return [hit.title for hit in library.discover.search(Query(categories=("animals",))).hits]

    assert animals() == ["Grey wolf in a forest"]
    app = open_page("library")
    press(app, "Grey wolf in a forest")
    app.button(key="label-category-animals").click().run()
    assert not app.exception
    assert "Not Animals (yours)" in [button.label for button in app.button]
    assert animals() == []
    assert library.discover.counts()["animals"] == 0
    app.button(key="label-category-animals").click().run()
    assert animals() == ["Grey wolf in a forest"]
    assert library.library.corrections.all() == ()


def test_what_a_person_says_outlives_an_edit(library):
    from core.models import Query

    wolf = next(library.index.scroll(scope="video"))
    other = "food" if "food" not in (wolf.categories or ()) else "sports"
    assert library.correct(wolf.video_id, "category", other, True)
    library.library.editor.edit(wolf.video_id, title="Cooking pasta")
    library.relabel.soon(20.0)
    found = [hit.video_id for hit in library.discover.search(Query(categories=(other,))).hits]
    assert wolf.video_id in found
    assert library.library.listing.show(wolf.video_id).entry.categories.count(other) == 1


class TestYourOwn:
    @pytest.fixture
    def app(self, library) -> AppTest:
        library.add_theme("category", "Beasts", ["wolf"])
        library.add_theme("category", "Papers", ["tax"])
        library.channels.save("Wolves", [("category", "beasts")])
        library.channels.save("Taxes", [("q", "tax")])
        return tab(open_page("library"), "own")

    @staticmethod
    def own(library) -> list[str]:
        return [theme.label for theme in library.taxonomy.categories if theme.own]

    def test_a_change_is_shown_first_then_kept_and_undone(self, app, library):
        app.button(key="own-edit-category-beasts").click().run()
        app.text_input(key="own-label-category-beasts").set_value("Offices")
        app.text_area(key="own-phrases-category-beasts").set_value("tax\noffice")
        app.button(key="own-try-category-beasts").click().run()
        assert not app.exception
        (said,) = [element.value for element in app.info]
        assert "would find" in said
        assert "New: Tax office" in said.replace("\\", "")
        assert "No longer: Grey wolf in a forest" in said.replace("\\", "")
        assert "Channels that ask for it: Wolves" in said
        assert self.own(library) == ["Beasts", "Papers"], "nothing is kept yet"
        app.button(key="own-do-category-beasts").click().run()
        assert self.own(library) == ["Offices", "Papers"]
        assert library.taxonomy.category("beasts").prompts == ("tax", "office")
        press(app, "Undo")
        assert self.own(library) == ["Beasts", "Papers"]

    def test_one_goes_after_it_was_said_what_goes_with_it(self, app, library):
        app.button(key="own-delete-category-beasts").click().run()
        assert "Without it" in app.info[0].value
        app.button(key="own-cancel-category-beasts").click().run()
        assert not app.info
        app.button(key="own-delete-category-beasts").click().run()
        app.button(key="own-do-category-beasts").click().run()
        assert self.own(library) == ["Papers"]
        press(app, "Undo")
        assert self.own(library) == ["Beasts", "Papers"]

    def test_they_change_places(self, app, library):
        app.button(key="own-down-category-beasts").click().run()
        assert self.own(library) == ["Papers", "Beasts"]
        assert app.button(key="own-down-category-beasts").disabled
        app.button(key="own-down-channel-wolves").click().run()
        assert [one.name for one in library.channels.channels()] == ["Taxes", "Wolves"]

    def test_one_of_the_app_is_reworded(self, app, library):
        app.selectbox(key="own-shipped-mood-0").set_value("calm").run()
        app.text_input(key="own-label-mood-calm").set_value("Serene")
        app.button(key="own-try-mood-calm").click().run()
        app.button(key="own-do-mood-calm").click().run()
        assert library.taxonomy.mood("calm").label == "Serene"
        assert not app.exception

    def test_what_is_wrong_with_the_words_is_said(self, app, library):
        app.button(key="own-edit-category-beasts").click().run()
        app.text_input(key="own-label-category-beasts").set_value("Papers")
        app.button(key="own-try-category-beasts").click().run()
        assert "already" in readable(app)
        assert "own-do-category-beasts" not in [button.key for button in app.button], "nothing to save"
        assert self.own(library) == ["Beasts", "Papers"]

    def test_a_channel_is_renamed_and_deleted_with_a_way_back(self, app, library):
        app.text_input(key="own-name-channel-wolves").set_value("Packs")
        app.button(key="own-rename-wolves").click().run()
        assert [(one.name, one.slug) for one in library.channels.channels()] == [
            ("Packs", "wolves"),
            ("Taxes", "taxes"),
        ]
        app.button(key="own-delete-channel-wolves").click().run()
        assert [one.slug for one in library.channels.channels()] == ["taxes"]
        press(app, "Undo")
        assert [one.slug for one in library.channels.channels()] == ["wolves", "taxes"]
