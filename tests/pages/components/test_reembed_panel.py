"""Re-embedding as a person meets it: told, asked, shown, and freed of what is old, through AppTest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import services as roof
from core.errors import EncoderError, SettingsError
from core.services import Services
from pages.components.services import close_services, shared_services
from tests.fakes import FAKE_INFO, FakeEncoder
from tests.pages.support import add, open_page, readable
from tests.support import until
from tests.videos import make_video, plain

NEW = replace(FAKE_INFO, name="new-v2", dimension=48)


@pytest.fixture
def new(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEncoder]:
    """The new encoder, set over a library of two videos that the local one filled."""
    for n, title in enumerate(("grey wolf", "red fox")):
        add(services, make_video(tmp_path / f"{title}.mp4", pattern=plain(90 * n, 60, 30)))
    close_services()
    encoder = FakeEncoder(NEW)
    local = services.encoder
    monkeypatch.setattr(roof, "open_encoder", lambda settings: encoder)
    monkeypatch.setattr(roof, "_encoder_of", lambda settings, space: local)
    shared_services.clear()
    return encoder


def press(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


def test_it_is_offered_done_and_what_is_old_is_freed(new: FakeEncoder) -> None:
    hint = open_page("discover").button(key="reembed-hint").label
    assert hint.replace("\\", "") == "Let new-v2 read your library"
    app = open_page("ingest")
    text = readable(app)
    assert "new-v2 is set, but local-v2 has read the videos that are here" in text
    assert "2 videos to read (0 done already)" in text
    press(app, "reembed-start")
    until(lambda: not shared_services().serving.is_behind)
    app.run()
    assert "What local-v2 made of your videos is still here." in readable(app)
    assert not [button for button in app.button if button.key == "reembed-start"]
    press(app, "reembed-free")
    assert shared_services().serving.others() == []
    assert "still here" not in readable(app.run())
    assert not app.exception


def test_minutes_of_a_plan_are_asked_for(new: FakeEncoder) -> None:
    new.info = replace(NEW, paid=True)
    app = open_page("ingest")
    assert app.button(key="reembed-start").disabled
    assert "minutes of my plan" in app.checkbox(key="reembed-agreed").label
    app.checkbox(key="reembed-agreed").check().run()
    assert not app.button(key="reembed-start").disabled
    assert new.encoded == []


def test_what_fails_is_on_its_row_and_a_person_decides(new: FakeEncoder) -> None:
    new.failures["red fox.mp4"] = [EncoderError("It is too dark.")] * 2
    press(open_page("ingest"), "reembed-start")
    until(lambda: shared_services().reembed.status().waits)
    app = open_page("ingest")
    assert "It is too dark." in readable(app)
    (job,) = shared_services().reembed.status().failed
    press(app, f"retry-{job.id}")
    until(lambda: len(new.failures["red fox.mp4"]) == 0 and shared_services().reembed.status().waits)
    press(app.run(), "reembed-without")
    until(lambda: not shared_services().serving.is_behind)
    assert shared_services().index.count().videos == 1


def test_it_can_be_cancelled(new: FakeEncoder) -> None:
    new.delay_s = 30.0
    app = press(open_page("ingest"), "reembed-start")
    press(app.run(), "reembed-cancel")
    assert shared_services().reembed.status() is None
    assert shared_services().encoder.info.name == "local-v2"


def test_an_encoder_that_cannot_be_had_is_said_and_the_videos_are_shown(
    new: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise SettingsError("The library was filled by another, and its key is not set. Set it.")

    monkeypatch.setattr(roof, "_encoder_of", gone)
    app = open_page("discover")
    assert "its key is not set" in readable(app)
    assert {"grey wolf", "red fox"} <= {line.strip("*").lower() for line in readable(app).splitlines()}
    assert not app.exception
