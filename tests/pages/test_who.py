"""What pages show to whom, as AppTest runs them: who looks is set by hand; in test_roles.py a browser signs in."""

from __future__ import annotations

import pytest
from streamlit import runtime

from core.access.roles import Identity
from core.errors import SettingsError
from pages.components import doors, who
from pages.components import services as shared
from tests.pages.support import ROOT, open_page, readable

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("[a-z]*.py"))


@pytest.fixture
def looks(monkeypatch):
    """Return a way to say who looks."""

    def set_who(known: Identity | None) -> None:
        monkeypatch.setattr(who.shared_access(), "identify", lambda cookies, authorization=None: known)

    return set_who


@pytest.mark.parametrize("name", PAGES)
def test_nobody_gets_no_page(services, looks, name):
    looks(None)
    app = open_page(name)
    assert not app.exception
    assert "Sign in to Moodreel" in readable(app)
    assert not app.get("file_uploader")
    assert [button.label for button in app.button if button.key != "other-language"] == ["Sign in"]


@pytest.mark.parametrize("name", [name for name in PAGES if name != "discover"])
def test_a_viewer_is_told_why_not(services, looks, name):
    looks(Identity("viewer", "oidc", "ben@school.example"))
    app = open_page(name)
    assert "Only for editors" in readable(app)
    assert "ben@school.example · Viewer" in readable(app)
    assert not app.get("file_uploader")


def test_a_viewer_discovers_and_likes_under_their_own_name(library, looks):
    looks(Identity("viewer", "oidc", "ben@school.example"))
    app = open_page("discover", category="animals", who="somebody else")
    like = next(button for button in app.button if str(button.key).startswith("like-"))
    like.click().run()
    assert library.taste.marks("ben@school.example").likes
    assert not library.taste.marks("somebody else").likes
    assert "Channels are saved by editors" in readable(app)
    assert not [one for one in app.text_input if one.label == "Whose taste counts"]


def test_what_is_pressed_after_the_session_ended_is_not_done(library, looks):
    looks(Identity("viewer", "oidc", "ben@school.example"))
    app = open_page("discover", category="animals")
    looks(None)
    next(button for button in app.button if str(button.key).startswith("like-")).click().run()
    assert "Sign in to Moodreel" in readable(app)
    assert not library.taste.marks("ben@school.example").likes


def test_a_host_without_our_routes_is_refused_where_somebody_must_be_asked(monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("ACCESS", "password")
    monkeypatch.setenv("EDIT_PASSWORD", "change that")
    monkeypatch.setattr(shared.routes_are_served, "is_set", lambda: False)
    monkeypatch.setattr(runtime, "exists", lambda: True)
    with pytest.raises(SettingsError, match="ACCESS is password"):
        shared._fit_host(doors.app_settings())


def test_a_provider_that_is_not_set_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("ACCESS", "oidc")
    monkeypatch.setenv("EDITORS", "anna@example.org")
    with pytest.raises(SettingsError, match=r"\[auth\]"):
        doors.app_settings()


def test_open_access_is_said_where_others_reach_the_app(services, monkeypatch):
    known = doors.config.get_option
    monkeypatch.setattr(doors.config, "get_option", lambda n: "0.0.0.0" if n == "server.address" else known(n))
    assert "Open to whoever reaches this machine" in readable(open_page("ingest"))
    monkeypatch.setattr(doors.config, "get_option", lambda n: "127.0.0.1" if n == "server.address" else known(n))
    assert "Open to whoever reaches this machine" not in readable(open_page("ingest"))
