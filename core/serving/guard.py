"""What stands before every route, ours and Streamlit's: names, origins, who asks and what that one may, headers.

Plain ASGI, outermost, so that nothing is read of a body, and no websocket opened, before it is known who asks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, quote

import anyio
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.access.access import Access
from core.access.hosts import is_allowed_host, is_own_origin
from core.access.limits import Limits
from core.access.roles import Action, Identity, may
from core.access.traffic import Places, Traffic
from core.addresses import is_loopback
from core.errors import AppError
from core.serving import headers
from core.serving.metrics import Metrics
from core.serving.permissions import SAFE, Need, Special, need_of

SIGN_IN = "/signin"
UPLOADS = "/_stcore/upload_file/"
UPLOAD_PATIENCE_S = 30
FULL_RETRY_S = 30
_WHY_NOT = {
    Action.ADD: "Only editors add videos.",
    Action.MANAGE: "Only editors change the library.",
    Action.MEASURE: "Only editors read what the server measures of itself.",
}


@dataclass(frozen=True, slots=True)
class House:
    """What the guard must know of the app, beside who may do what."""

    base_path: str = ""
    """Where a proxy shows the app: "" or "/name"."""
    scripts: Sequence[str] = ()
    """Hashes of the scripts in pages."""
    media: Sequence[str] = ()
    """Other origins that hand out videos and posters."""
    full: Callable[[str], str] = lambda languages: "Too many visitors."
    """Returns the page that says so, as HTML, from which languages the browser speaks."""


class Guard:
    """Let through what who asks may have; answer the rest with a sentence."""

    def __init__(
        self,
        app: ASGIApp,
        access: Callable[[], Access],
        house: Callable[[], House],
        traffic: Callable[[], Traffic] | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._app = app
        self._access = access
        self._house = house
        usual = Traffic(Limits())
        self._traffic = traffic or (lambda: usual)
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        asked, house = HTTPConnection(scope), self._house()
        method = scope["method"] if scope["type"] == "http" else "WEBSOCKET"
        path = path_of(scope, house.base_path)
        need = need_of(path, method)
        try:
            access = self._access()
        except AppError as error:
            # What is set is wrong, so that nobody is let in; the pages themselves say the sentence.
            refusal = None if need in (Special.ANYONE, Special.PAGE, Special.SOCKET) else _error(503, str(error))
            answer, frame_ancestors = refusal, "'self'"
        else:
            frame_ancestors = access.policy.frame_ancestors
            answer = self._refusal(asked, access, need, method, path, house)
        visitor, traffic = _visitor(asked), self._traffic()
        answer = answer or _too_much(traffic, visitor, need, method, path, house, asked)
        if scope["type"] == "websocket":
            if answer is None and not traffic.sessions.enter(visitor):
                answer = _busy("Too many pages are open. Close some, or come back later.", FULL_RETRY_S)
            if answer is not None:
                await _refuse_socket(answer, scope, receive, send)
            else:
                await self._placed(traffic.sessions, visitor, "sessions", scope, receive, send)
            return
        dressed = _dressed(send, asked, house, frame_ancestors)
        if answer is None and path.startswith(UPLOADS) and method == "PUT":
            # Browsers send many at once; who comes too early waits a little before a byte is read.
            deadline = anyio.current_time() + UPLOAD_PATIENCE_S
            while not traffic.uploads.enter(visitor):
                if anyio.current_time() > deadline:
                    answer = _busy("Too many files are being sent. Try again in a moment.", UPLOAD_PATIENCE_S)
                    break
                await anyio.sleep(0.2)
            else:
                await self._placed(traffic.uploads, visitor, "uploads", scope, receive, dressed)
                return
        await (answer or self._app)(scope, receive, dressed)

    async def _placed(
        self, places: Places, visitor: str, name: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Go on with a place that was taken, and leave it."""
        gauge = getattr(self._metrics, name) if self._metrics else None
        try:
            if gauge:
                gauge.set(places.taken)
            await self._app(scope, receive, send)
        finally:
            places.leave(visitor)
            if gauge:
                gauge.set(places.taken)

    def _refusal(
        self, asked: HTTPConnection, access: Access, need: Need, method: str, path: str, house: House
    ) -> Response | None:
        """Return the answer to a request that is not let through; None for one that is."""
        host = asked.headers.get("host")
        if not is_allowed_host(host, access.policy.allowed_hosts):
            return _error(400, "The app is not known under this name. Ask for it by one of ALLOWED_HOSTS.")
        hosts = {host, asked.headers.get("x-forwarded-host")}
        if method not in SAFE and not is_own_origin(asked.headers.get("origin"), hosts):
            return _error(403, "This address takes requests from its own pages and from programs only.")
        who = access.identify(asked.cookies, asked.headers.get("authorization"))
        asked.scope.setdefault("state", {})["identity"] = who
        if need is Special.ANYONE or (need is Special.NOBODY and access.is_open and not path.startswith("/_stcore/")):
            return None
        if need is Special.NOBODY:
            return _error(403 if who else 401, "This is not open to anybody.")
        if need in (Special.PAGE, Special.SOCKET):
            if who is not None or access.policy.mode == "oidc":
                return None  # who has not signed in gets the way in from the page itself
            if need is Special.PAGE:
                query = asked.url.query
                target = quote(f"{path}{f'?{query}' if query else ''}", safe="")
                return RedirectResponse(f"{house.base_path}{SIGN_IN}?next={target}", status_code=303)
            return _error(401, "Nobody is signed in.")
        if need is Special.MEDIA:
            if may(who, Action.WATCH) or _is_signed(asked, access, path):
                return None
            return _unknown(who)
        return None if may(who, need) else _unknown(who, need)


def identity_of(connection: HTTPConnection) -> Identity | None:
    """Return on whose behalf a request comes that was let through."""
    return connection.scope.get("state", {}).get("identity")


def path_of(scope: Scope, base_path: str) -> str:
    """Return the path that is asked for, without where the app is shown."""
    path: str = scope["path"].removeprefix(scope.get("root_path", "")) or "/"
    if base_path and (path == base_path or path.startswith(f"{base_path}/")):
        return path.removeprefix(base_path) or "/"
    return path


def _visitor(asked: HTTPConnection) -> str:
    """Return who is counted as one: a person or program known by name, else an address."""
    who = identity_of(asked)
    if who is not None and who.name:
        return f"{who.kind}:{who.name}"
    return asked.client.host if asked.client else ""


def _too_much(
    traffic: Traffic, visitor: str, need: Need, method: str, path: str, house: House, asked: HTTPConnection
) -> Response | None:
    """Return the answer to one request too many, or to a page for which there is no place.

    Programs on this machine may ask as fast as they are answered: they could sink it anyway. Who comes through a proxy
    on it has an address of his own.
    """
    works = path.startswith(("/api/", "/search")) and need is not Special.ANYONE and not is_loopback(visitor)
    if works or (path == SIGN_IN and method == "POST"):
        wait_s = traffic.requests.take(visitor)
        return _busy("Too many requests. Ask again later.", wait_s) if wait_s else None
    if need is Special.PAGE and method == "GET" and not traffic.sessions.is_free(visitor):
        page = HTMLResponse(house.full(asked.headers.get("accept-language", "")), status_code=429)
        page.headers.update({"Retry-After": str(FULL_RETRY_S), "Content-Security-Policy": headers.SIGN_IN_POLICY})
        return page
    return None


def _busy(sentence: str, wait_s: float) -> Response:
    answer = _error(429, sentence)
    answer.headers["Retry-After"] = str(max(1, math.ceil(wait_s)))
    return answer


def _is_signed(asked: HTTPConnection, access: Access, path: str) -> bool:
    try:
        query = parse_qs(asked.url.query, max_num_fields=10)
    except ValueError:  # no address of ours has so many
        return False
    return access.opens_media(path.rpartition("/")[2], query.get("until", [""])[0], query.get("by", [""])[0])


def _unknown(who: Identity | None, need: Need = Action.WATCH) -> Response:
    if who is None:
        answer = _error(401, "Sign in, or send a token: Authorization: Bearer TOKEN.")
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    return _error(403, _WHY_NOT.get(need, "Only editors may do this.") if isinstance(need, Action) else "Not allowed.")


def _error(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence, "details": {}}, status_code=status)


async def _refuse_socket(answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a websocket before it is opened: by an answer where the server can send one, else by its end."""
    if "websocket.http.response" in scope.get("extensions", {}):
        await answer(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": 1008})


def _dressed(send: Send, asked: HTTPConnection, house: House, frame_ancestors: str) -> Send:
    """Return a `send` that adds what browsers are to hold this answer to."""

    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            found = MutableHeaders(scope=message)
            found.setdefault("X-Content-Type-Options", "nosniff")
            found.setdefault("Referrer-Policy", "same-origin")
            if (older := headers.frame_options(frame_ancestors)) is not None:
                found.setdefault("X-Frame-Options", older)
            policy = headers.content_policy(
                asked.headers.get("host", ""),
                scripts=house.scripts,
                media=house.media,
                frame_ancestors=frame_ancestors,
            )
            found.setdefault("Content-Security-Policy", policy)
        await send(message)

    return dressed
