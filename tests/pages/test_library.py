"""The Library page: what one has, and what can be done with it."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.pages.support import add_entries, open_page, press, readable, texts


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


def test_a_page_at_a_time_and_as_a_table(services):
    add_entries(services, 30, "forest")
    app = open_page("library")
    assert len(listed(app)) == 24
    app.segmented_control(key="library_view").set_value("table").run()
    assert len(app.dataframe[0].value) == 30
    assert not app.exception


def test_a_library_is_exported_and_what_is_there_is_not_imported_again(library):
    app = tab(open_page("library"), "carry")
    assert "Deleted videos, jobs and ads stay behind" in readable(app)
    app.text_input(key="carry-name").set_value("My films").run()
    app.button(key="carry-export").click().run()
    library.library.carrying.wait(60)
    app.run()
    assert "2 videos" in readable(app)
    assert "exported as “my-films”, and checked." in readable(app)
    app.button(key="carry-hide").click().run()
    app.button(key="carry-import-my-films").click().run()
    library.library.carrying.wait(60)
    app.run()
    assert not app.exception
    assert "0 videos came." in readable(app)
    assert "2 were here already." in readable(app)
    film = next((library.settings.exports_dir / "my-films/media").glob("*.mp4"))
    library.library.trash.delete([film.stem])
    library.library.trash.purge([film.stem])
    film.write_bytes(b"damaged")
    app.button(key="carry-import-my-films").click().run()
    library.library.carrying.wait(60)
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
