"""Routes for who looks after the server: whether it lives, whether it can be used, what it measures of itself."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core.errors import AppError
from core.services import Services
from core.serving.metrics import CONTENT_TYPE, Metrics

log = logging.getLogger(__name__)
LEAST_FREE_BYTES = 200_000_000
"""With less nothing can be added any more."""
KEPT_S = 5.0
"""How long an answer stands for all who ask: each is a look at services that may cost money."""


def probe_routes(services: Callable[[], Services], metrics: Metrics, base_path: str = "") -> list[BaseRoute]:
    """Return the routes, with and without the base path of a proxy. What they say names no detail of the library."""
    ready = Readiness(services)

    async def live(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def is_ready(request: Request) -> Response:
        parts = await to_thread.run_sync(ready.look)
        is_up = all(state in ("ok", "paused") for state in parts.values())
        status = "ready" if is_up else "not ready"
        return JSONResponse({"status": status, **parts}, status_code=200 if is_up else 503)

    async def measured(request: Request) -> Response:
        return Response(await to_thread.run_sync(metrics.text), headers={"Content-Type": CONTENT_TYPE})

    return [
        route
        for prefix in dict.fromkeys(("", base_path))
        for route in (
            Route(prefix + "/api/live", live, methods=["GET"]),
            Route(prefix + "/api/ready", is_ready, methods=["GET"]),
            Route(prefix + "/api/metrics", measured, methods=["GET"]),
        )
    ]


class Readiness:
    """Look whether index, store, encoder and disk can be used, at most every few seconds."""

    def __init__(self, services: Callable[[], Services], clock: Callable[[], float] = time.monotonic) -> None:
        self._services = services
        self._clock = clock
        self._lock = threading.Lock()
        self._looked: tuple[float, Mapping[str, str]] | None = None

    def look(self) -> Mapping[str, str]:
        """Return the state of each part: ok, down, full (a disk), paused (an encoder: searching goes on).

        Where the jobs are down, which say how the encoder does, they stand in its place.
        """
        with self._lock:
            if self._looked is None or self._clock() - self._looked[0] > KEPT_S:
                self._looked = (self._clock(), self._look())
            return self._looked[1]

    def _look(self) -> Mapping[str, str]:
        try:
            services = self._services()
        except AppError as error:
            log.warning("Not ready: %s", error)
            return {"index": "down", "store": "down", "encoder": "down", "disk": "ok"}
        return {
            "index": _state(services.index.count),
            "store": _state(lambda: services.store.exists("readiness.jpg")),
            **_encoder(services),
            "disk": _disk(services.settings.data_dir),
        }


def _encoder(services: Services) -> Mapping[str, str]:
    """Return the state of the encoder, or of the jobs where these cannot be asked, for they know it."""
    try:
        return {"encoder": "paused" if services.jobs.pause() is not None else "ok"}
    except AppError as error:
        log.warning("Not ready: %s", error)
        return {"jobs": "down"}


def _disk(folder: Path) -> str:
    try:
        is_full = shutil.disk_usage(folder).free < LEAST_FREE_BYTES
    except OSError as error:
        log.warning("Not ready: %s", error)
        return "down"
    return "full" if is_full else "ok" if os.access(folder, os.W_OK) else "down"


def _state(look: Callable[[], object]) -> str:
    try:
        look()
    except AppError as error:
        log.warning("Not ready: %s", error)
        return "down"
    return "ok"
