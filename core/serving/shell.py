"""The page that a browser opens, with a head of ours: what a link to it shows elsewhere, before any script runs.

Streamlit answers every page with the same file, whose title is its own. Plain ASGI, behind the guard, so that nothing
is said of a library to whom the guard has not let through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import parse_qsl

from anyio import to_thread
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.access.roles import Identity
from core.serving.guard import House, identity_of, path_of
from core.serving.permissions import Special, need_of

TITLE, LANGUAGE, HEAD_END, END = b"<title>Streamlit</title>", b'<html lang="en">', b"</head>", b"</body>"
"""What stands in Streamlit's page where our head comes, the language, and before what our links and our foot go."""
MAX_PARAMETERS = 50
_CONDITIONS = (b"accept-encoding", b"if-none-match", b"if-modified-since", b"range")
"""Headers that ask for less than the whole file as it is."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A page that somebody opens."""

    path: str
    """Without where a proxy shows the app."""
    query: Mapping[str, str]
    languages: str
    """What the browser speaks (Accept-Language), the preferred one first."""
    base_url: str
    """Where the app is, from outside: scheme, name and path, without a slash at its end."""
    who: Identity | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a link shows where it is posted."""

    title: str
    text: str
    picture: str
    """An address, absolute."""
    language: str
    site: str
    pictures: Sequence[str] = ()
    """Addresses of what is seen first, to be fetched before all else."""
    first: str = ""
    """What is seen until the page has drawn itself, as HTML."""


class Shell:
    """Put a head of ours into the pages that Streamlit answers, with `links` in it, and `foot` at their end (HTML)."""

    def __init__(
        self,
        app: ASGIApp,
        preview: Callable[[Opened], Preview],
        house: Callable[[], House],
        links: str = "",
        foot: str = "",
    ) -> None:
        self._app = app
        self._links = links
        self._foot = foot
        self._preview = preview
        self._house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        base_path = self._house().base_path
        path = path_of(scope, base_path)
        if need_of(path, "GET") is not Special.PAGE:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        opened = Opened(
            path,
            dict(parse_qsl(request.url.query, max_num_fields=None)[:MAX_PARAMETERS]),
            request.headers.get("accept-language", ""),
            str(request.base_url).rstrip("/") + base_path,
            identity_of(request),
        )
        whole = [(name, value) for name, value in scope["headers"] if name not in _CONDITIONS]

        def changed(page: bytes) -> bytes:
            shown = self._preview(opened)
            page = page.replace(TITLE, head(shown).encode(), 1)
            # After Streamlit's own, so that what all else waits for is fetched first.
            page = page.replace(HEAD_END, self._links.encode() + HEAD_END, 1)
            page = page.replace(LANGUAGE, f'<html lang="{escape(shown.language)}">'.encode(), 1)
            return page.replace(END, f"{self._foot}{shown.first}".encode() + END, 1)

        await self._app({**scope, "headers": whole}, receive, _with(changed, send))


def _with(change: Callable[[bytes], bytes], send: Send) -> Send:
    """Return a `send` that holds an answer back until it is whole, if it is a page, and changes it."""
    held: Message | None = None
    body = b""

    async def changed(message: Message) -> None:
        nonlocal held, body
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if message["status"] == 200 and headers.get("content-type", "").startswith("text/html"):
                held = message
                return
        if held is None or message["type"] != "http.response.body":
            await send(message)
            return
        body += message.get("body", b"")
        if message.get("more_body"):
            return
        body = await to_thread.run_sync(change, body)
        headers = MutableHeaders(scope=held)
        headers["Content-Length"] = str(len(body))
        headers["Vary"] = "Cookie, Accept-Language"
        for one in ("ETag", "Last-Modified", "Accept-Ranges"):  # they are those of the file
            del headers[one]
        await send(held)
        await send({"type": "http.response.body", "body": body})

    return changed


def head(preview: Preview) -> str:
    """Return what stands in the head of a page. Sources: The Open Graph protocol; X, Cards markup."""
    said = {
        "og:type": "website",
        "og:site_name": preview.site,
        "og:title": preview.title,
        "og:description": preview.text,
        "og:image": preview.picture,
        "og:locale": preview.language,
    }
    lines = [f"<title>{escape(preview.title)}</title>"]
    lines += [f'<meta name="description" content="{escape(preview.text)}">']
    lines += [f'<meta property="{name}" content="{escape(value)}">' for name, value in said.items()]
    lines += ['<meta name="twitter:card" content="summary_large_image">']
    lines += [
        f'<link rel="preload" as="image" fetchpriority="high" href="{escape(address)}">' for address in preview.pictures
    ]
    return "\n    ".join(lines)


def dressing(
    preview: Callable[[Opened], Preview], house: Callable[[], House], *, links: str, foot: str
) -> list[Middleware]:
    """Return what stands behind the guard, before Streamlit."""
    return [Middleware(Shell, preview=preview, house=house, links=links, foot=foot)]


def picture_routes(pictures: Mapping[str, Path], base_path: str = "") -> list[BaseRoute]:
    """Return routes for pictures of the app itself, by path, with and without the base path of a proxy."""

    def giving(file: Path) -> Callable[[Request], Response]:
        return lambda request: FileResponse(file, headers={"Cache-Control": "public, max-age=86400"})

    return [
        Route(prefix + path, giving(file), methods=["GET"])
        for prefix in dict.fromkeys(("", base_path))
        for path, file in pictures.items()
    ]
