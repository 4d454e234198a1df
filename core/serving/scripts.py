"""The browser's part of Streamlit, some ninety files that never change, handed out from memory.

Streamlit reads each from disk, in pieces, by threads, and gives none compressed, for it would compress anew each time.
A browser that was never here waits for all of them. Here a file is read and compressed once. Plain ASGI, behind the
guard.
"""

from __future__ import annotations

import gzip
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from core.priority import step_back
from core.serving.guard import House, path_of

STATIC = "/static/"
_FOR_EVER = re.compile(r"\.[\w\-]{8}\.(js|css|woff2)$")
"""How the name of a file ends that has a hash of its content in it."""
_KINDS = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".woff2": "font/woff2"}
_COMPRESSED = (".js", ".css")
_LEVEL = 6
"""Of zlib: the 2.2 MB of a first visit become 0.55; 9 takes a third longer for a quarter of a percent less."""
_YEAR_S = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Kept:
    """A file as it goes to browsers."""

    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]


class Scripts:
    """The files of a folder by name, kept from the first time that somebody asks. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names = {
            path.relative_to(folder).as_posix()
            for path in folder.rglob("*")
            if _FOR_EVER.search(path.name) and path.is_file()
        }
        self._kept: dict[tuple[str, bool], Kept] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def kept(self, name: str, *, compressed: bool) -> Kept | None:
        """Return a file if it is in memory."""
        return self._kept.get((name, compressed))

    def get(self, name: str, *, compressed: bool) -> Kept:
        """Return a file, read if it is not in memory. Raises OSError, or KeyError where there is none of this name."""
        if name not in self:
            raise KeyError(name)
        if (name, compressed) not in self._kept:
            self._kept[name, compressed] = _read(self._folder / name, compressed and name.endswith(_COMPRESSED))
        return self._kept[name, compressed]

    def warm(self, names: Iterable[str]) -> None:
        """Read what a first visitor is going to ask for, in the background."""

        def read() -> None:
            step_back()
            for name in names:
                if name in self:
                    self.get(name, compressed=True)

        threading.Thread(target=read, name="warm-scripts", daemon=True).start()


def _read(path: Path, compressed: bool) -> Kept:
    body = path.read_bytes()
    headers = {
        "Content-Type": _KINDS[path.suffix],
        "Cache-Control": f"public, immutable, max-age={_YEAR_S}",
        "Vary": "Accept-Encoding",
    }
    if compressed:
        body = gzip.compress(body, _LEVEL)
        headers["Content-Encoding"] = "gzip"
    headers["Content-Length"] = str(len(body))
    return Kept(body, tuple((name.lower().encode(), value.encode()) for name, value in headers.items()))


class FromMemory:
    """Answer for what `scripts` has; the rest, and parts of files, is Streamlit's to answer."""

    def __init__(self, app: ASGIApp, scripts: Scripts, house: Callable[[], House]) -> None:
        self._app = app
        self._scripts = scripts
        self._house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = self._name_asked(scope)
        if name is None:
            await self._app(scope, receive, send)
            return
        compressed = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        kept = self._scripts.kept(name, compressed=compressed)
        if kept is None:
            kept = await to_thread.run_sync(lambda: self._scripts.get(name, compressed=compressed))
        await send({"type": "http.response.start", "status": 200, "headers": list(kept.headers)})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else kept.body})

    def _name_asked(self, scope: Scope) -> str | None:
        """Return the name of the file that is asked for whole, if it is one of ours to give."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or "range" in Headers(scope=scope):
            return None
        path = path_of(scope, self._house().base_path)
        name = path.removeprefix(STATIC)
        return name if path.startswith(STATIC) and name in self._scripts else None


def from_memory(scripts: Scripts, house: Callable[[], House]) -> Middleware:
    """Return what hands out Streamlit's files, to stand behind the guard."""
    return Middleware(FromMemory, scripts=scripts, house=house)
