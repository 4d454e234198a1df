"""Letting the app see from a page, with a Hub on loopback: the button, the bytes, Cancel, and what is new after."""

from __future__ import annotations

import pytest

from core.encoders import clip_download
from core.models import Query
from pages.components.services import close_services, shared_services
from tests.models import COLOURS
from tests.pages.support import add, open_page, readable
from tests.servers.hub import HubServer
from tests.support import until
from tests.videos import make_video, plain

LABEL = "Let it see: downloads 0.6 GB once, stays on this machine"


@pytest.fixture
def hub(services, monkeypatch):
    monkeypatch.setattr(clip_download, "PAUSES_S", (0.0,))
    with HubServer() as server:
        server.add_model()
        services.getter._endpoint = server.url
        yield server


def button(app, key: str):
    return next((found for found in app.button if found.key == key), None)


def test_the_empty_app_offers_it_and_sees_at_once_when_it_is_here(services, hub, tmp_path):
    app = open_page("discover")
    assert button(app, "get-model").label == LABEL
    button(app, "get-model").click().run()
    assert services.getter.wait(120).stage == "ready"
    app.run()
    assert "from now on the app sees" in readable(app)
    assert services.encoder.info.name.startswith("clip-")
    for number, colour in enumerate(("red", "green", "blue", "purple")):
        picture = make_video(tmp_path / f"{colour}.mp4", pattern=plain(*COLOURS[colour]))
        add(services, picture, f"IMG_{number:04}.mp4")
    app = open_page("discover", q="amethyst")
    assert [hit.title for hit in services.discover.search(asked("amethyst")).hits][:1] == ["IMG 0003"]
    assert "IMG 0003" in readable(app)
    assert not app.exception


def asked(words: str) -> Query:
    return Query(text=words)


def test_progress_is_in_bytes_and_it_can_be_cancelled_and_gone_on_with(services, hub):
    hub.fail("slow", path="model.onnx", after=400)
    app = open_page("ingest")
    button(app, "get-model").click().run()
    until(lambda: services.getter.state.stage == "downloading")
    app.run()
    assert "MB" in app.get("progress")[0].proto.text
    button(app, "cancel-model").click().run()
    assert services.getter.wait(120).stage == "cancelled"
    hub.heal()
    app.run()
    assert "kept" in button(app, "get-model").label
    button(app, "get-model").click().run()
    assert services.getter.wait(120).stage == "ready"


def test_what_went_wrong_is_said_and_nothing_has_changed(services, hub):
    hub.fail("status", status=500)
    app = open_page("ingest")
    button(app, "get-model").click().run()
    services.getter.wait(120)
    app.run()
    assert "The Hub answered 500" in readable(app)
    assert services.encoder.info.name.startswith("local-")


def test_a_library_that_has_videos_goes_on_as_it_was_and_says_so(library, hub):
    app = open_page("ingest")
    button(app, "get-model").click().run()
    assert library.getter.wait(120).stage == "ready"
    app.run()
    assert library.encoder.info.name.startswith("local-")
    assert library.serving.configured.info.name.startswith("clip-")
    assert "re-embed" in readable(app)
    assert library.discover.search(asked("wolf")).hits


def test_it_is_not_offered_where_a_person_chose_the_encoder(services, monkeypatch):
    close_services()
    monkeypatch.setenv("ENCODER", "local")
    assert button(open_page("ingest"), "get-model") is None
    assert shared_services().encoder.info.name.startswith("local-")
