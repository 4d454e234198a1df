"""Every route there is stands in the table of permissions, and who may have it is said there."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from streamlit import config
from streamlit.web.server.starlette.starlette_app import create_streamlit_routes

from core.access.roles import Action
from core.serving.permissions import RULES, Special, need_of, rule_of
from core.serving.probes import probe_routes
from core.serving.routes import routes
from core.serving.shell import picture_routes
from core.serving.signin import sign_in_routes
from pages.components.preview import PICTURES


def ours() -> list[BaseRoute]:
    pictures = picture_routes(PICTURES)
    return [*sign_in_routes(Mock(), Mock()), *probe_routes(Mock(), Mock()), *routes(Mock()), *pictures]


@pytest.fixture
def streamlits(monkeypatch):
    options = {"server.scriptHealthCheckEnabled": True, "server.enableStaticServing": True}
    known = config.get_option
    monkeypatch.setattr(config, "get_option", lambda name: options.get(name, known(name)))
    return create_streamlit_routes(Mock(_main_script_path="streamlit_app.py"))


def asked_of(route: BaseRoute) -> list[tuple[str, str]]:
    """Return the methods and path of a route."""
    if isinstance(route, WebSocketRoute):
        return [(route.path, "WEBSOCKET")]
    assert isinstance(route, Route)
    return [(route.path, method) for method in route.methods or ()]


def test_every_route_of_ours_is_in_the_table():
    table = {rule.path: rule for rule in RULES}
    for route in ours():
        for path, method in asked_of(route):
            assert method in table[path].needs or method in ("HEAD", "OPTIONS"), f"{method} {path}"
            assert need_of(path, method) is not Special.NOBODY, f"{method} {path}"


def test_every_route_of_streamlits_is_in_the_table(streamlits):
    table = {rule.path: rule for rule in RULES}
    seen = 0
    for route in streamlits:
        if isinstance(route, Mount):
            assert route.path == ""  # its files, and the page for every other path
            continue
        for path, method in asked_of(route):
            seen += 1
            assert path in table, path
            if method not in ("HEAD", "OPTIONS") and not path.startswith("/_stcore/agent/"):
                assert method in table[path].needs, f"{method} {path}"
    assert seen > 20


@pytest.mark.parametrize(
    ("method", "path", "need"),
    [
        ("GET", "/", Special.PAGE),
        ("GET", "/ingest", Special.PAGE),
        ("POST", "/ingest", Special.NOBODY),
        ("GET", "/api/live", Special.ANYONE),
        ("GET", "/api/health", Action.WATCH),
        ("HEAD", "/api/health", Action.WATCH),
        ("DELETE", "/api/videos/abc", Action.MANAGE),
        ("PATCH", "/api/videos/abc", Action.MANAGE),
        ("GET", "/api/whatever/comes", Special.NOBODY),
        ("POST", "/search", Action.WATCH),
        ("GET", "/app/static/media/a.mp4", Special.MEDIA),
        ("GET", "/app/static/media/a/../b.mp4", Action.WATCH),
        ("PUT", "/_stcore/upload_file/s/f", Action.ADD),
        ("DELETE", "/_stcore/upload_file/s/f", Action.ADD),
        ("POST", "/_stcore/upload_file/s/f", Special.NOBODY),
        ("GET", "/_stcore/upload_file/s/f/g", Special.NOBODY),
        ("WEBSOCKET", "/_stcore/stream", Special.SOCKET),
        ("WEBSOCKET", "/elsewhere", Special.NOBODY),
        ("POST", "/_stcore/agent/mcp", Special.NOBODY),
        ("GET", "/_stcore/new\nthing", Special.NOBODY),
        ("GET", "/media/abc.jpg", Action.WATCH),
    ],
)
def test_what_is_needed(method, path, need):
    assert need_of(path, method) is need


def test_the_last_rule_is_for_pages_alone():
    assert rule_of("/anything/at/all") is RULES[-1]
