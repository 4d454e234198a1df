"""The HTTP contract other programs rely on: health, search and media, as routes for the app's own port.

Who may have what is the guard's (guard.py), by the table of permissions.py; it stands before every route.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from anyio import CancelScope, CapacityLimiter, to_thread
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from core.access.access import Access
from core.access.hosts import is_own_origin
from core.access.traffic import Traffic
from core.errors import AppError, MediaError, QueryError, StoreError
from core.library.stills import Stills
from core.models import Entry, Hit, Query, Results
from core.names import identity
from core.services import Services
from core.serving import openapi, videos
from core.serving.bodies import ErrorBody, HealthBody, HitBody, read_query, totals
from core.serving.breaks import breaks, read_breaks
from core.serving.guard import Guard, House, identity_of
from core.serving.metrics import Metrics
from core.serving.watch import Watch
from core.stores.base import CONTENT_TYPES

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024
MEDIA_PREFIX = "/app/static/media/"


def routes(services: Callable[[], Services], base_path: str = "") -> list[BaseRoute]:
    """Return the routes; `services` is called at each request and may raise AppError, which becomes a 503.

    `base_path` is where a reverse proxy shows the app. Streamlit puts it before its own routes and leaves custom ones
    alone, so each of ours stands at both: with it for the outside, without it for health checks and programs near by.
    """
    base_path = f"/{base_path.strip('/')}" if base_path.strip("/") else ""
    # Pictures are made one at a time, and so are moments, for seconds or minutes each. Who waits for one holds none of
    # the threads in which everything else is answered.
    drawing, cutting = CapacityLimiter(1), CapacityLimiter(1)

    def base_of(request: Request) -> str:
        # A proxy says the outer scheme and host in X-Forwarded-Proto and Host; uvicorn and the request know them.
        return str(request.base_url).rstrip("/") + base_path

    async def health(request: Request) -> Response:
        return await _answer(lambda: _health(services()))

    async def search(request: Request) -> Response:
        if not _same_origin(request):
            return _error(403, "This address takes searches from its own pages and from programs only.")
        try:
            query = parse_query(await _body(request))
        except QueryError as error:
            return _error(400, str(error), error.details)
        if not _own_taste(request, query):
            return _error(403, "Only one's own likes can be asked for. Leave profile out, or send your own address.")
        base_url = base_of(request)
        return await _answer(lambda: _found(services().discover.search(query), base_url))

    async def listed(request: Request) -> Response:
        try:
            asked = videos.read_page(request.query_params.multi_items())
        except QueryError as error:
            return _error(400, str(error), error.details)
        return await _answer(lambda: videos.page(services(), asked, base_of(request)))

    async def one(request: Request) -> Response:
        video_id = request.path_params["id"]
        if request.method == "GET":
            return await _answer(lambda: videos.show(services(), video_id, base_of(request)))
        if not _same_origin(request):
            return _error(403, "This address takes changes from its own pages and from programs only.")
        if request.method == "DELETE":
            return await _answer(lambda: videos.delete(services(), video_id))
        try:
            asked = videos.read_edit(read_object(await _body(request), '{"title": "Grey wolf"}'))
        except QueryError as error:
            return _error(400, str(error), error.details)
        return await _answer(lambda: videos.edit(services(), video_id, asked, base_of(request)))

    async def file(request: Request) -> Response:
        video_id, asked = request.path_params["id"], request.query_params
        try:
            span = videos.read_span(asked.multi_items())
            taken = await to_thread.run_sync(
                lambda: videos.taken(services(), video_id, span), limiter=cutting if span else None
            )
        except (QueryError, MediaError) as error:
            return _error(400, str(error))
        except AppError as error:
            return _error(503, str(error))
        if taken is None:
            return _error(404, "There is no such video in this library.")
        if taken.path is None:
            return RedirectResponse(taken.url)
        kind = CONTENT_TYPES[Path(taken.filename).suffix]
        return _Handed(taken.path, media_type=kind, filename=taken.filename, passing=taken.passing)

    async def places(request: Request) -> Response:
        if not _same_origin(request):
            return _error(403, "This address takes questions from its own pages and from programs only.")
        try:
            asked = read_breaks(read_object(await _body(request), '{"text": "a quiet mountain hotel"}'))
        except QueryError as error:
            return _error(400, str(error), error.details)

        def answer() -> object:
            found = breaks(services(), asked, base_of(request))
            return Response(found, media_type="application/xml") if isinstance(found, str) else found

        return await _answer(answer)

    async def still(request: Request) -> Response:
        video_id, asked = request.path_params["id"], request.query_params

        def found(at_s: float) -> tuple[Stills, Entry | None, bool]:
            stills = services().library.stills
            clip = stills.clip(video_id, at_s)
            return stills, clip, clip is None or stills.is_made(clip)

        try:
            stills, clip, is_made = await to_thread.run_sync(found, videos.read_time(asked.multi_items()))
            if clip is None:
                return _error(404, "There is no such video in this library.")
            picture = await to_thread.run_sync(stills.picture, clip, limiter=None if is_made else drawing)
            poster = services().store.url(clip.poster_key) if picture is None and clip.poster_key else ""
        except QueryError as error:
            return _error(400, str(error))
        except AppError as error:
            return _error(503, str(error))
        if picture is not None:
            return FileResponse(picture, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400"})
        if not poster:
            return _error(404, "There is no such video in this library.")
        return RedirectResponse(f"{base_path}{poster}" if poster.startswith("/") else poster)

    async def docs(request: Request) -> Response:
        servers = [{"url": base_path or "/"}]
        return await _answer(lambda: {**openapi.document(services().taxonomy), "servers": servers})

    async def media(request: Request) -> Response:
        try:
            path = await to_thread.run_sync(lambda: _media_path(services(), request.path_params["key"]))
        except AppError as error:
            return _error(503, str(error))
        if path is None:
            return _error(404, "There is no such media file in this library.")
        return FileResponse(
            path,
            media_type=CONTENT_TYPES[path.suffix],
            headers={
                # A key is made from the content, so what it names never changes.
                "Cache-Control": "private, max-age=31536000, immutable",
                "X-Content-Type-Options": "nosniff",
            },
        )

    return [
        route
        for prefix in dict.fromkeys(("", base_path))
        for route in (
            Route(prefix + "/api/health", health, methods=["GET"]),
            Route(prefix + "/api/docs", docs, methods=["GET"]),
            Route(prefix + "/api/videos", listed, methods=["GET"]),
            Route(prefix + "/api/videos/{id}", one, methods=["GET", "PATCH", "DELETE"]),
            Route(prefix + "/api/videos/{id}/file", file, methods=["GET"]),
            Route(prefix + "/api/breaks", places, methods=["POST"]),
            Route(prefix + "/api/videos/{id}/still", still, methods=["GET"]),
            Route(prefix + "/search", search, methods=["POST"]),
            Route(prefix + MEDIA_PREFIX + "{key}", media, methods=["GET"]),
        )
    ]


def guarding(
    access: Callable[[], Access], house: Callable[[], House], traffic: Callable[[], Traffic], metrics: Metrics
) -> list[Middleware]:
    """Return what stands before all routes, ours and Streamlit's, and before any other middleware."""
    return [
        Middleware(Watch, metrics=metrics, house=house),
        Middleware(Guard, access=access, house=house, traffic=traffic, metrics=metrics),
    ]


def parse_query(body: bytes) -> Query:
    """Return the query a JSON body asks for. Raises QueryError saying what to change."""
    return read_query(read_object(body, '{"category": "nature", "mood": "calm"}', "with query, category or mood"))


def read_object(body: bytes, example: str, having: str = "") -> dict[str, object]:
    """Return the JSON object that a body holds. Raises QueryError saying what to send."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise QueryError(f"The body is not JSON. Send for example {example}.") from None
    if not isinstance(data, dict):
        raise QueryError(f"The body must be a JSON object {having}".rstrip() + ".")
    return data


def hit_to_json(hit: Hit, base_url: str = "") -> dict[str, object]:
    """Return a hit as `POST /search` and `search --json` show it."""
    return HitBody.of(hit, base_url).model_dump()


def _found(results: Results, base_url: str) -> JSONResponse:
    return JSONResponse([hit_to_json(hit, base_url) for hit in results.hits], headers=totals(results))


def _health(services: Services) -> dict[str, object]:
    counts = services.index.count()
    return HealthBody(
        encoder=services.encoder.info.name,
        index=services.index.name,
        store=services.store.name,
        videos=counts.videos,
        clips=counts.clips,
    ).model_dump()


def _media_path(services: Services, key: str) -> Path | None:
    """Return the file of a key, or None where this store has none to serve."""
    try:
        path = services.store.local_path(key)
    except StoreError:
        return None
    is_served = path is not None and path.suffix in CONTENT_TYPES and path.is_file()
    return path if is_served else None


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise QueryError(f"The body is larger than {MAX_BODY_BYTES} bytes.")
    return body


class _Handed(FileResponse):
    """A file whose folder, if it was made for this answer, goes with it, however it ends.

    A background task is not enough: none runs where the range is refused or who asked goes away.
    """

    def __init__(self, path: Path, *, media_type: str, filename: str, passing: Path | None) -> None:
        super().__init__(path, media_type=media_type, filename=filename)
        self._passing = passing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self._passing is not None:
                with CancelScope(shield=True):
                    await to_thread.run_sync(partial(shutil.rmtree, self._passing, ignore_errors=True))


async def _answer(work: Callable[[], object]) -> Response:
    """Run blocking work off the event loop and turn its outcome into JSON, never into a stack trace."""
    try:
        answer = await to_thread.run_sync(work)
        if answer is None:
            return _error(404, "There is no such video in this library.")
        return answer if isinstance(answer, Response) else JSONResponse(answer)
    except QueryError as error:
        return _error(400, str(error), error.details)
    except AppError as error:
        return _error(503, str(error))
    except Exception:  # the boundary to the network: log it whole, tell the caller nothing of the inside
        log.exception("A request failed")
        return _error(503, "Something unexpected went wrong. The server's log says more.")


def _error(status: int, message: str, details: dict[str, object] | None = None) -> JSONResponse:
    return JSONResponse(ErrorBody(error=message, details=details or {}).model_dump(), status_code=status)


def _same_origin(request: Request) -> bool:
    """Tell whether a request comes from our own pages or from a program; the guard asks it too, of every route."""
    hosts = {request.headers.get("host"), request.headers.get("x-forwarded-host")}
    return is_own_origin(request.headers.get("origin"), hosts)


def _own_taste(request: Request, query: Query) -> bool:
    """Tell whether a search leaves the taste of others alone, where likes belong to people a provider knows."""
    who = identity_of(request)
    return query.profile is None or who is None or who.person is None or identity(query.profile) == identity(who.person)
