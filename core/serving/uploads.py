"""Let uploads go to disk as they arrive, before Streamlit would hold them in memory.

Middleware round Streamlit's own upload address. Streamlit's handler checks the session, the token against forged
requests and the length that is claimed, and then asks for the body: at that moment we take the body in, put its file
on disk (core/ingest/arrivals.py), and hand Streamlit a body that is the same but for the file, which is a mark of some
fifty bytes. The page finds the mark where the bytes would be. So nothing of Streamlit's is replaced, and nothing is
stored for who is not let in.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from anyio import fail_after, to_thread
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect

from core.errors import AppError, Sentence
from core.ingest import arrivals as arriving
from core.ingest.arrivals import Arrival, Arrivals, Refused
from core.text import display_name

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_ADDRESS = re.compile(r"/_stcore/upload_file/([^/]+)/([^/]+)/?$")
_BUFFER_BYTES = 1024 * 1024
"""What is gathered of an upload before it goes to disk."""


class UploadsToDisk:
    """ASGI middleware; `arrivals` is called at each upload, in a thread, and may raise AppError."""

    def __init__(self, app: App, arrivals: Callable[[], Arrivals]) -> None:
        self._app = app
        self._arrivals = arrivals

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        found = _ADDRESS.search(scope["path"]) if scope["type"] == "http" else None
        if found is None or scope["method"] not in ("PUT", "DELETE"):
            await self._app(scope, receive, send)
            return
        session, file_id = found[1], found[2]
        statuses: list[int] = []

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            await send(message)

        intake = _Intake(scope, receive, self._arrivals, session, file_id)
        try:
            with contextlib.suppress(ClientDisconnect):  # who sent it is gone: nobody is to be answered
                await self._app(scope, intake.receive if scope["method"] == "PUT" else receive, noting)
        finally:
            went_well = bool(statuses) and statuses[0] < 300
            if scope["method"] == "PUT" and not went_well:
                intake.abandon()
        if scope["method"] == "DELETE" and went_well:
            arrivals = await to_thread.run_sync(self._arrivals)
            await to_thread.run_sync(arrivals.drop, session, file_id)


def uploads_to_disk(arrivals: Callable[[], Arrivals]) -> Middleware:
    """Return the middleware for an app's list of them; what says who may upload comes before it."""
    return Middleware(UploadsToDisk, arrivals=arrivals)


class _Intake:
    """The body of one upload: what comes in, and what Streamlit is given instead."""

    def __init__(
        self,
        scope: MutableMapping[str, Any],
        receive: Receive,
        arrivals: Callable[[], Arrivals],
        session: str,
        file_id: str,
    ) -> None:
        self._headers = {name.lower(): value for name, value in scope["headers"]}
        self._receive = receive
        self._open = arrivals
        self._session, self._file_id = session, file_id
        self._arrival: Arrival | None = None
        self._asked = False
        self._has_part = False
        self._head: list[tuple[bytes, bytes]] = []
        self._name = self._value = b""
        self._buffer = bytearray()

    async def receive(self) -> Message:
        """Return the body with the mark in place of the file, the first time; raises HTTPException."""
        if self._asked:
            return await self._receive()
        self._asked = True
        try:
            arrivals = await to_thread.run_sync(self._open)
            length = self._headers.get(b"content-length", b"")
            total = int(length) if length.isdigit() else None
            self._arrival = await to_thread.run_sync(arrivals.begin, self._session, self._file_id, total)
        except (AppError, OSError) as error:
            raise HTTPException(503, str(error)) from error
        try:
            return await self._take_in(self._arrival)
        except Refused as error:
            arrivals.refuse(self._arrival, error)
            raise HTTPException(error.status, str(error)) from error
        except (FormParserError, KeyError) as error:
            raise HTTPException(400, "This is no upload of a file.") from error

    def abandon(self) -> None:
        """Leave nothing of what came."""
        if self._arrival is not None:
            self._arrival.abandon()

    async def _take_in(self, arrival: Arrival) -> Message:
        """Put the file on disk as it comes, and return what Streamlit is to read instead."""
        _, options = parse_options_header(self._headers[b"content-type"])
        boundary = options[b"boundary"]
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part,
                "on_header_field": self._on_name,
                "on_header_value": self._on_value,
                "on_header_end": self._on_header,
                "on_headers_finished": lambda: self._on_headers(arrival),
                "on_part_data": self._on_data,
            },
        )
        more = True
        while more:
            message = await self._next()
            if message["type"] != "http.request":
                return message  # Who sent it is gone; what came is removed when the app has noticed.
            parser.write(message.get("body", b""))
            more = message.get("more_body", False)
            arrival.check_pace()
            if len(self._buffer) >= _BUFFER_BYTES or not more:
                data, self._buffer = bytes(self._buffer), bytearray()
                await to_thread.run_sync(arrival.write, data)
        parser.finalize()
        if not arrival.filename:
            raise HTTPException(400, "One file is expected, and there is none.")
        await to_thread.run_sync(arrival.finish)
        head = b"".join(b"%s: %s\r\n" % header for header in self._head)
        body = b"--%s\r\n%s\r\n%s\r\n--%s--\r\n" % (boundary, head, arrival.mark, boundary)
        return {"type": "http.request", "body": body, "more_body": False}

    async def _next(self) -> Message:
        try:
            with fail_after(arriving.SILENT_S):
                return await self._receive()
        except TimeoutError as error:
            silent = Sentence("Nothing more came of it. Add it again on a better connection.")
            raise Refused(silent, 408) from error

    def _on_part(self) -> None:
        if self._has_part:  # said at once: parts without contents are held to no limit
            raise HTTPException(400, "One file is expected, and there is more.")
        self._has_part = True

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        self._head.append((self._name, self._value))
        self._name = self._value = b""

    def _on_headers(self, arrival: Arrival) -> None:
        said = {name.lower(): value for name, value in self._head}
        _, options = parse_options_header(said.get(b"content-disposition", b""))
        arrival.filename = display_name(options.get(b"filename", b"").decode("utf-8", "replace"))

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        self._buffer += data[start:end]
