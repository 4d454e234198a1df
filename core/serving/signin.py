"""The way in where access is by password: a page of its own, outside Streamlit, which can set no cookie."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from core.access.access import COOKIE, Access
from core.errors import AppError, NotSignedIn, TooMany
from core.serving.guard import SIGN_IN
from core.serving.headers import SIGN_IN_POLICY

MAX_FORM_BYTES = 4096
Draw = Callable[[str, str, str], str]
"""Returns the page as HTML, from where it leads, what there is to say, and which languages the browser speaks."""


def sign_in_routes(access: Callable[[], Access], draw: Draw, base_path: str = "") -> list[BaseRoute]:
    """Return the way in, with and without the base path of a proxy."""

    def spoken(request: Request) -> str:
        return request.headers.get("accept-language", "")

    async def show(request: Request) -> Response:
        target = _target(request.query_params.get("next", ""), base_path)
        try:
            door = access()
        except AppError as error:
            return _page(draw(target, error.sentence, spoken(request)), 503)
        if door.policy.mode != "password" or door.identify(request.cookies) is not None:
            return RedirectResponse(base_path + target, status_code=303)
        return _page(draw(target, "", spoken(request)))

    async def enter(request: Request) -> Response:
        form = _fields(await _body(request))
        target, password = _target(form.get("next", [""])[0], base_path), form.get("password", [""])[0]
        address = request.client.host if request.client else ""
        try:
            door = access()
            if door.policy.mode != "password":
                return RedirectResponse(base_path + target, status_code=303)
            cookie = await to_thread.run_sync(door.sign_in, password, address)
        except TooMany as error:
            return _page(
                draw(target, error.sentence, spoken(request)),
                429,
                {"Retry-After": f"{max(1, round(error.retry_after_s))}"},
            )
        except NotSignedIn as error:
            return _page(draw(target, error.sentence, spoken(request)), 401)
        except AppError as error:
            return _page(draw(target, error.sentence, spoken(request)), 503)
        answer = RedirectResponse(base_path + target, status_code=303)
        answer.set_cookie(
            COOKIE,
            cookie,
            max_age=door.session_s,
            path=base_path or "/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )
        return answer

    return [
        route
        for prefix in dict.fromkeys(("", base_path))
        for route in (
            Route(prefix + SIGN_IN, show, methods=["GET"]),
            Route(prefix + SIGN_IN, enter, methods=["POST"]),
        )
    ]


def _fields(body: bytes) -> dict[str, list[str]]:
    """Return the fields of a form; none of one that has more than any of ours."""
    try:
        return parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
    except ValueError:
        return {}


def _target(text: str, base_path: str) -> str:
    """Return where to go from here: a path of this app, without where it is shown, whatever was asked for."""
    text = text.removeprefix(base_path) if text.startswith(f"{base_path}/") else text
    is_path = text.startswith("/") and not text.startswith(("//", SIGN_IN)) and "\\" not in text
    return text if is_path and text.isascii() and text.isprintable() else "/"


def _page(html: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    answer = HTMLResponse(html, status_code=status, headers=headers)
    answer.headers["Content-Security-Policy"] = f"{SIGN_IN_POLICY}; frame-ancestors 'self'"
    answer.headers["Cache-Control"] = "no-store"
    return answer


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            return b""
    return body
