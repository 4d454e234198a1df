"""What stands outermost: every request gets an id, is timed, counted and written down; never its query or its body."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.logs import request_id
from core.serving.guard import House, path_of
from core.serving.metrics import Metrics
from core.serving.permissions import Special, need_of, rule_of

log = logging.getLogger(__name__)
HEADER = "X-Request-ID"
_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_UNLOGGED = (Special.ANYONE, Special.MEDIA)
"""What comes by the dozen with each page, and says little."""


class Watch:
    """Give each request an id, or take over the one a proxy gave it, and say how it went."""

    def __init__(self, app: ASGIApp, metrics: Metrics, house: Callable[[], House]) -> None:
        self._app = app
        self._metrics = metrics
        self._house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        token = request_id.set(given if _ID.fullmatch(given) else secrets.token_hex(8))
        path, began = path_of(scope, self._house().base_path), time.monotonic()
        method = scope["method"] if scope["type"] == "http" else "WEBSOCKET"

        async def watched(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                MutableHeaders(scope=message).setdefault(HEADER, request_id.get())
                self._say(scope, method, path, message["status"], time.monotonic() - began)
            elif message["type"] == "websocket.accept":
                self._say(scope, method, path, 101, time.monotonic() - began)
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            request_id.reset(token)

    def _say(self, scope: Scope, method: str, path: str, status: int, seconds: float) -> None:
        route = rule_of(path).path
        self._metrics.answered(route, method, status, seconds)
        if need_of(path, method) in _UNLOGGED and status < 400:
            return
        who = scope.get("state", {}).get("identity")
        named = (who.name or who.role) if who is not None else "nobody"
        facts = {"method": method, "route": route, "status": status, "seconds": round(seconds, 3), "who": named}
        log.log(logging.WARNING if status >= 500 else logging.INFO, "answered", extra=facts)
