"""Each page as a person meets it, through AppTest, over a real library in a folder of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import samples
from core.ingest.jobs import JobQueue
from core.models import Stage
from pages.components.services import close_services, shared_services
from tests.browser.conftest import clean_environ
from tests.videos import make_video

ROOT = Path(__file__).parents[2]
NASTY = "<b>bold</b> **stars** :material/home: $x$ wolf"


@pytest.fixture
def services(tmp_path, monkeypatch):
    for name in set(os.environ) - set(clean_environ()):
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(ROOT)
    shared_services.clear()
    yield shared_services()
    close_services()


def open_page(name: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=30)
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def add(services, path: Path, filename: str | None = None) -> str:
    job = services.jobs.submit(path, filename)
    services.jobs.wait([job.id], timeout_s=60)
    job = services.jobs.job(job.id)
    assert job.stage is Stage.READY, job.reason
    return job.video_id


@pytest.fixture
def library(services, tmp_path):
    add(services, make_video(tmp_path / "a.mp4", audio="aac", tone_hz=300), "grey wolf in a forest.mp4")
    add(services, make_video(tmp_path / "b.mp4", audio="aac", tone_hz=400), "tax office.mp4")
    return services


def texts(app: AppTest) -> list[str]:
    return [element.value for element in app.text]


def urls(app: AppTest) -> list[str]:
    return [element.proto.url for element in app.get("video")]


def test_an_empty_library_offers_a_way_to_begin(services):
    app = open_page("discover")
    assert any("Your library is empty" in element.value for element in app.subheader)
    assert {button.label for button in app.button} >= {"Add the sample library", "Add my videos"}
    assert not app.get("video")
    assert not app.exception


def test_before_anything_is_asked_the_library_is_shown(library):
    app = open_page("discover")
    assert len(urls(app)) == 2
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
    assert not urls(app)
    app.button_group(key="language").set_value([]).run()
    assert "Grey wolf in a forest" in texts(app)
    assert "language" not in app.query_params


def test_a_link_brings_back_what_was_asked(library):
    app = open_page("discover", q="wolves", mood="calm")
    assert app.text_input(key="q").value == "wolves"
    assert "Grey wolf in a forest" in texts(app)
    assert app.session_state["mood"] == ["calm"]


def test_a_link_with_nonsense_is_a_page_without_it(library):
    app = open_page("discover", category="<script>", mood="grumpy")
    assert not app.exception
    assert app.session_state["category"] == []
    assert app.session_state["mood"] == ["any"]


def test_nothing_found_says_so_and_shows_nothing(library):
    app = open_page("discover", q="xyzzy plugh")
    assert any("Nothing here matches" in element.value for element in app.subheader)
    assert not urls(app)


def test_text_from_a_file_is_never_interpreted(services, tmp_path):
    add(services, make_video(tmp_path / "a.mp4", tags={"title": NASTY}), f"{NASTY}.mp4".replace("/", ""))
    for app in (open_page("discover", q="wolf"), open_page("ingest")):
        assert any("<b>bold</b>" in text for text in texts(app))
        for kind in ("markdown", "caption", "subheader", "html"):
            assert not any("bold" in str(element.value) for element in app.get(kind) if hasattr(element, "value"))


def test_uploads_go_to_the_queue_and_the_uploader_is_empty_again(services, tmp_path):
    app = open_page("ingest")
    good = make_video(tmp_path / "good.mp4").read_bytes()
    files = [("good.mp4", good, "video/mp4"), ("fake.mp4", b"not a video", "video/mp4")]
    app.file_uploader(key="upload-0").set_value(files).run()
    assert app.file_uploader(key="upload-1").value == []
    services.jobs.wait([job.id for job in services.jobs.jobs()], timeout_s=60)
    app.run()
    assert {job.filename: job.stage for job in services.jobs.jobs()} == {
        "good.mp4": Stage.READY,
        "fake.mp4": Stage.FAILED,
    }
    assert any("1 video ready" in element.value for element in app.subheader)
    assert "fake.mp4" in texts(app)
    assert urls(app)
    assert not app.exception


def test_what_is_most_like_a_video_follows_a_library_that_stays_as_large(library, tmp_path):
    assert "tax office" in " ".join(texts(open_page("ingest"))).casefold()
    office = next(entry for entry in library.index.scroll(scope="video") if "office" in entry.title.casefold())
    library.index.delete(office.video_id)
    library.jobs.clear()
    add(library, make_video(tmp_path / "c.mp4", audio="aac", tone_hz=500), "harbour at night.mp4")
    wolf = library.jobs.submit(tmp_path / "a.mp4", "grey wolf in a forest.mp4")
    library.jobs.wait([wolf.id], timeout_s=60)
    app = open_page("ingest")
    assert not app.exception
    assert len([text for text in texts(app) if "harbour" in text.casefold()]) == 2
    assert not [text for text in texts(app) if "office" in text.casefold()]


def test_a_failed_file_can_be_tried_again_and_the_list_cleared(services, tmp_path):
    (tmp_path / "fake.mp4").write_text("not a video")
    job = services.jobs.submit(tmp_path / "fake.mp4")
    services.jobs.wait([job.id], timeout_s=30)
    app = open_page("ingest")
    make_video(tmp_path / "fake.mp4")
    app.button(key=f"retry-{job.id}").click().run()
    services.jobs.wait([job.id], timeout_s=60)
    assert services.jobs.job(job.id).stage is Stage.READY
    app.run()
    next(button for button in app.button if button.label == "Clear this list").click().run()
    assert not services.jobs.jobs()
    assert services.index.count().videos == 1


@pytest.fixture
def no_workers(monkeypatch):
    monkeypatch.setattr(JobQueue, "start", lambda queue: None)


def test_the_sample_button_puts_every_scene_on_its_way(no_workers, services):
    app = open_page("ingest")
    app.button(key="add-samples").click().run()
    assert len(services.jobs.jobs()) == len(samples.SCENES)
    cancel = [button for button in app.button if button.label == "Cancel"]
    assert len(cancel) == len(samples.SCENES)
    cancel[0].click().run()
    assert sum(job.stage is Stage.CANCELLED for job in services.jobs.jobs()) == 1


def test_the_badge_says_what_is_live(library):
    for name in ("discover", "ingest"):
        app = open_page(name)
        assert library.encoder.info.name in texts(app)
        assert any(text.startswith("Qdrant Edge") for text in texts(app))


@pytest.mark.parametrize("page", ["discover", "ingest"])
def test_a_library_that_cannot_be_opened_is_a_sentence(page, tmp_path, monkeypatch):
    monkeypatch.setenv("MAX_UPLOAD_MB", "much")
    shared_services.clear()
    app = open_page(page)
    assert any("MAX_UPLOAD_MB" in text for text in texts(app))
    assert not app.exception
