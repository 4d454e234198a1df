"""Whatever fails, each page says its sentence and the rest of it works; defects stay visible."""

from __future__ import annotations

import pytest

from core.errors import LibraryError, StoreError, Unavailable
from tests.pages.support import open_page, press, readable, shown
from tests.videos import make_video

SENTENCE = "The archive does not answer (503). Try again in a moment."
PAGES = {
    "home": ("discover", {}),
    "category": ("discover", {"category": "animals", "mood": "calm"}),
    "words": ("discover", {"q": "wolves"}),
    "feed": ("discover", {"category": "animals", "view": "feed"}),
    "presenting": ("discover", {"category": "animals", "present": "1"}),
    "nothing": ("discover", {"q": "xyzzy plugh"}),
    "ingest": ("ingest", {}),
}
ASKING = {"category", "words", "feed", "presenting", "nothing"}
DISCOVER = set(PAGES) - {"ingest"}


def damaged(name: str):
    def break_it(services, monkeypatch) -> str:
        path = services.settings.data_dir / name
        path.unlink(missing_ok=True)
        path.write_bytes(b"this is no database" * 500)
        return name

    return break_it


def failing(where, method: str, error: type[Exception]):
    def break_it(services, monkeypatch) -> str:
        def fail(*args: object, **kwargs: object) -> None:
            raise error(SENTENCE)

        monkeypatch.setattr(type(where(services)), method, fail)
        return SENTENCE

    return break_it


FAULTS = {
    # what is broken: (how, the pages that must say so, those that show no video then)
    "channels file": (damaged("channels.sqlite3"), {"home", "category", "words", "nothing"}, {"nothing"}),
    "taste file": (damaged("taste.sqlite3"), DISCOVER, {"nothing"}),
    # Totals are exact, so who cannot count answers nothing.
    "index.count": (failing(lambda s: s.index, "count", Unavailable), set(PAGES), DISCOVER),
    # Home and one category alone come in orders that the index keeps; words, and a mood beside, by nearness.
    "index.search": (failing(lambda s: s.index, "search", LibraryError), set(PAGES) - {"home"}, ASKING),
    "index.scroll": (
        failing(lambda s: s.index, "scroll", Unavailable),
        {"home", "feed", "presenting", "ingest"},
        {"home", "feed", "presenting", "ingest", "nothing"},
    ),
    "store.url": (failing(lambda s: s.store, "url", StoreError), set(PAGES) - {"nothing"}, set(PAGES)),
    # What categories and moods are was read when videos came in.
    "encoder.encode_text": (
        failing(lambda s: s.encoder, "encode_text", Unavailable),
        {"words", "nothing"},
        {"words", "nothing"},
    ),
    "jobs.jobs": (failing(lambda s: s.jobs, "jobs", StoreError), {"ingest"}, {"ingest", "nothing"}),
}


@pytest.fixture
def just_filled(library):
    """A library as it is when a video has just come in: all fixed texts are read, and nothing is counted yet."""
    library.relabel.stop(timeout_s=120)  # it counts when it begins
    one = next(library.index.scroll(scope="video"))
    library.index.upsert(library.discover.with_labels([*library.index.scroll(video_id=one.video_id)]))
    return library


@pytest.mark.parametrize("view", PAGES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_a_sentence_where_it_is_and_the_rest_of_the_page_works(fault, view, just_filled, monkeypatch):
    break_it, said_on, without_videos = FAULTS[fault]
    sentence = break_it(just_filled, monkeypatch)
    page, query = PAGES[view]
    app = open_page(page, **query)
    assert not app.exception
    if view in said_on:
        assert sentence in readable(app)
    assert bool(shown(app)) == (view not in without_videos)
    if page == "discover" and view not in ("feed", "presenting"):
        assert app.button_group(key="category").options
        assert app.text_input(key="who").value == "Me"


def test_categories_are_offered_without_numbers_where_they_cannot_be_counted(library, monkeypatch):
    counted = press(open_page("discover"), "More").button_group(key="category").options
    assert any("· 1" in option for option in counted)
    assert any(":gray[" in option for option in counted)
    failing(lambda services: services.index, "version", Unavailable)(library, monkeypatch)
    monkeypatch.setattr(
        type(library.index), "version", property(lambda index: (_ for _ in ()).throw(Unavailable(SENTENCE)))
    )
    app = open_page("discover")
    assert SENTENCE in readable(app)
    options = app.button_group(key="category").options
    assert not any("·" in option or ":gray[" in option for option in options)
    assert shown(app)


@pytest.mark.parametrize(
    ("label", "method", "error"),
    [
        ("More of this kind", "taste.mark", StoreError),
        ("Seen it", "taste.mark", Unavailable),
        ("Forget this taste", "taste.reset", StoreError),
        ("More like this frame", "frame", StoreError),
        ("Remove Wolves", "channels.delete", StoreError),
        ("Save channel", "channels.save", StoreError),
        ("Add", "add_theme", StoreError),
    ],
)
def test_what_a_press_could_not_do_is_said_on_the_page_that_follows(label, method, error, library, monkeypatch):
    library.channels.save("Wolves", [("q", "wolves")])
    owner, _, name = method.rpartition(".")
    failing(lambda services: getattr(services, owner) if owner else services, name, error)(library, monkeypatch)
    app = open_page("discover", category="animals")
    assert SENTENCE not in readable(app)
    press(app, label)
    assert not app.exception
    assert SENTENCE in readable(app)
    assert shown(app)
    monkeypatch.undo()
    app.button_group(key="mood").set_value(["calm"]).run()
    assert SENTENCE not in readable(app)


@pytest.mark.parametrize(("label", "method"), [("Retry", "retry"), ("Cancel", "cancel")])
def test_what_a_press_on_a_job_could_not_do_is_said(label, method, no_workers, services, monkeypatch, tmp_path):
    job = services.jobs.submit(make_video(tmp_path / "a.mp4"))
    if label == "Retry":
        services.jobs.cancel(job.id)
    failing(lambda services: services.jobs, method, StoreError)(services, monkeypatch)
    app = press(open_page("ingest"), label)
    assert not app.exception
    assert SENTENCE in readable(app)


def test_a_list_that_cannot_be_cleared_is_a_sentence_and_stays(library, monkeypatch):
    failing(lambda services: services.jobs, "forget", StoreError)(library, monkeypatch)
    app = press(open_page("ingest"), "Clear this list")
    assert not app.exception
    assert SENTENCE in readable(app)
    assert shown(app)


@pytest.mark.parametrize("page", ["discover", "ingest"])
def test_samples_that_cannot_be_added_are_a_sentence(page, services, monkeypatch):
    app = open_page(page)
    failing(lambda services: services.jobs, "submit", StoreError)(services, monkeypatch)
    app.button(key="add-samples").click().run()
    assert not app.exception
    assert SENTENCE in readable(app)


def test_one_upload_that_is_refused_keeps_no_other_out(no_workers, services, monkeypatch):
    receive = type(services.jobs).receive

    def choosy(queue, stream, filename, **more):
        if filename == "first.mp4":
            raise StoreError(SENTENCE)
        return receive(queue, stream, filename, **more)

    monkeypatch.setattr(type(services.jobs), "receive", choosy)
    app = open_page("ingest")
    files = [("first.mp4", b"1", "video/mp4"), ("second.mp4", b"2", "video/mp4")]
    app.file_uploader(key="upload-0").set_value(files).run()
    assert f"“first.mp4”: {SENTENCE}" in readable(app)
    assert [job.filename for job in services.jobs.jobs()] == ["second.mp4"]


@pytest.mark.parametrize("page", ["discover", "ingest"])
def test_a_defect_is_not_hidden(page, library, monkeypatch):
    failing(lambda services: services.index, "count", TypeError)(library, monkeypatch)
    assert open_page(page).exception
