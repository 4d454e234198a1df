"""What stands around every page."""

from __future__ import annotations

import pytest

from core.index import base
from pages.components.services import shared_services
from tests.pages.support import add, open_page, texts
from tests.videos import make_video

NASTY = "<b>bold</b> **stars** :material/home: $x$ wolf"


def test_text_from_a_file_is_never_interpreted(services, tmp_path):
    add(services, make_video(tmp_path / "a.mp4", tags={"title": NASTY}), f"{NASTY}.mp4".replace("/", ""))
    for app in (open_page("discover", q="wolf"), open_page("ingest")):
        assert any("<b>bold</b>" in text for text in texts(app))
        for kind in ("markdown", "caption", "header", "subheader", "html"):
            assert not any("bold" in str(element.value) for element in app.get(kind) if hasattr(element, "value"))


def test_the_badge_says_what_is_live(library):
    for name in ("discover", "ingest"):
        app = open_page(name)
        assert library.encoder.info.name in texts(app)
        assert any(text.startswith("Qdrant Edge") for text in texts(app))


def test_the_badge_says_from_when_another_index_is_quicker(library, monkeypatch):
    offers = "python -m core move --to server"
    assert not any(offers in text for text in texts(open_page("discover")))
    monkeypatch.setattr(base, "COMPARED_IN_TIME", 100)
    assert any(offers in text for text in texts(open_page("discover")))


@pytest.mark.parametrize("page", ["discover", "ingest"])
def test_a_library_that_cannot_be_opened_is_a_sentence(page, tmp_path, monkeypatch):
    monkeypatch.setenv("MAX_UPLOAD_MB", "much")
    shared_services.clear()
    app = open_page(page)
    assert any("MAX_UPLOAD_MB" in text for text in texts(app))
    assert not app.exception
