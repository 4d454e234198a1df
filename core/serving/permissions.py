"""Every route of the app's port and what one must be allowed to for it. What is not here is for nobody."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from core.access.roles import Action


class Special(Enum):
    """What is asked of a route where it is no action."""

    ANYONE = "anyone"
    """Holds nothing of the library: the browser's part of the pages, the way in, whether the process lives."""
    PAGE = "page"
    """The page that a browser opens: an empty shell, which with passwords is shown to who is signed in only."""
    SOCKET = "socket"
    """The connection a page lives on. What is sent on it is decided by the page itself, who is signed in or not."""
    MEDIA = "media"
    """To watch, or an address that was signed."""
    NOBODY = "nobody"
    """A way of Streamlit's into the pages that none of ours asks for."""


Need = Action | Special


@dataclass(frozen=True, slots=True)
class Rule:
    """What a route needs, by method."""

    path: str
    """As Starlette writes it."""
    needs: Mapping[str, Need]


_READ = {"GET": Action.WATCH}
RULES = (
    # Ours
    Rule("/api/live", {"GET": Special.ANYONE}),
    Rule("/api/ready", {"GET": Special.ANYONE}),
    Rule("/api/health", _READ),
    Rule("/api/docs", _READ),
    Rule("/api/metrics", {"GET": Action.MEASURE}),
    Rule("/api/videos", _READ),
    Rule("/api/videos/{id}", {"GET": Action.WATCH, "PATCH": Action.MANAGE, "DELETE": Action.MANAGE}),
    Rule("/api/videos/{id}/file", _READ),
    Rule("/api/videos/{id}/still", _READ),
    Rule("/api/breaks", {"POST": Action.WATCH}),
    Rule("/api/{path:path}", {}),
    Rule("/search", {"POST": Action.WATCH}),
    Rule("/app/static/media/{key}", {"GET": Special.MEDIA}),
    Rule("/signin", {"GET": Special.ANYONE, "POST": Special.ANYONE}),
    # Streamlit's
    Rule("/_stcore/health", {"GET": Special.ANYONE}),
    Rule("/_stcore/host-config", {"GET": Special.ANYONE}),
    Rule("/_stcore/stream", {"WEBSOCKET": Special.SOCKET}),
    Rule("/_stcore/upload_file/{session_id}/{file_id}", {"PUT": Action.ADD, "DELETE": Action.ADD}),
    Rule("/_stcore/metrics", {"GET": Action.MEASURE}),
    Rule("/_stcore/script-health-check", {"GET": Action.MEASURE}),
    Rule("/_stcore/bidi-components/{path:path}", {"GET": Special.ANYONE}),
    Rule("/_stcore/agent/interact", {"GET": Special.NOBODY, "POST": Special.NOBODY}),
    Rule("/_stcore/agent/openapi.json", {"GET": Special.NOBODY, "POST": Special.NOBODY}),
    Rule("/_stcore/agent/mcp", {"GET": Special.NOBODY, "POST": Special.NOBODY}),
    Rule("/_stcore/{path:path}", {}),
    Rule("/media/{file_id:path}", _READ),
    Rule("/component/{path:path}", {"GET": Special.ANYONE}),
    Rule("/app/static/{path:path}", _READ),
    Rule("/auth/login", {"GET": Special.ANYONE}),
    Rule("/auth/logout", {"GET": Special.ANYONE}),
    Rule("/oauth2callback", {"GET": Special.ANYONE}),
    Rule("/static/{path:path}", {"GET": Special.ANYONE}),
    Rule("/favicon.png", {"GET": Special.ANYONE}),
    Rule("/preview.png", {"GET": Special.ANYONE}),
    Rule("/{path:path}", {"GET": Special.PAGE}),
)
SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing."""


def _pattern(path: str) -> re.Pattern[str]:
    pieces = re.split(r"(\{\w+(?::path)?\})", path)
    any_of = {True: ".*", False: "[^/]+"}
    text = "".join(any_of[":" in piece] if piece.startswith("{") else re.escape(piece) for piece in pieces)
    return re.compile(text, re.DOTALL)


_PATTERNS = [(_pattern(rule.path), rule) for rule in RULES]


def rule_of(path: str) -> Rule:
    """Return the rule of a path, without the base path of a proxy."""
    return next(rule for pattern, rule in _PATTERNS if pattern.fullmatch(path) or rule is RULES[-1])


def need_of(path: str, method: str) -> Need:
    """Return what a request needs. A preflight carries nobody's name and gets nothing; HEAD is a short GET."""
    if method == "OPTIONS":
        return Special.ANYONE
    return rule_of(path).needs.get("GET" if method == "HEAD" else method, Special.NOBODY)
