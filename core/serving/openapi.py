"""What `GET /api/docs` answers: the HTTP contract as OpenAPI 3.1, made from the models of what comes and goes."""

from __future__ import annotations

from typing import Any

from core import __version__
from core.discover.taxonomy import Taxonomy
from core.serving import breaks, videos
from core.serving.bodies import (
    NEXT_CURSOR,
    TOTAL,
    TOTAL_EXACT,
    ErrorBody,
    HealthBody,
    HitBody,
    answer_schema,
    search_schema,
)

_TOTALS = {
    TOTAL: {"description": "How many videos fit.", "schema": {"type": "integer"}},
    TOTAL_EXACT: {
        "description": "false: so many were found so far, of all that was looked at for words that no label knows.",
        "schema": {"type": "boolean"},
    },
    NEXT_CURSOR: {
        "description": "Send it as `cursor` for what comes after these; absent where nothing does.",
        "schema": {"type": "string"},
    },
}


def document(taxonomy: Taxonomy) -> dict[str, Any]:
    """Return the document for a library's taxonomy."""
    error = answer_schema(ErrorBody)
    health = {"200": _answer(answer_schema(HealthBody)), "503": _answer(error, "A backend is down")}
    wrong = {
        "400": _answer(error, "What is wrong with the request"),
        "503": _answer(error, "A backend is down"),
    }
    unknown = {"404": _answer(error, "There is no such video"), "503": wrong["503"]}
    video = _answer(answer_schema(videos.VideoBody))
    video_id = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    key = {"name": "key", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Moodreel", "version": __version__},
        "paths": {
            "/api/health": {"get": {"summary": "What is live", "responses": health}},
            "/api/live": {
                "get": {"summary": "Whether the process lives", "responses": {"200": {"description": "Yes"}}}
            },
            "/api/ready": {
                "get": {
                    "summary": "Whether index, store, encoder and disk can be used",
                    "responses": {
                        "200": {"description": "Yes"},
                        "503": {
                            "description": "No; what is not ok says so. jobs stands in the place of encoder where the "
                            "shared database, which knows how that does, is down"
                        },
                    },
                }
            },
            "/api/metrics": {
                "get": {
                    "summary": "What the server measures of itself, as Prometheus reads it",
                    "responses": {"200": {"description": "Text", "content": {"text/plain": {}}}},
                }
            },
            "/search": {
                "post": {
                    "summary": "Find videos, best first",
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": search_schema(taxonomy)}},
                    },
                    "responses": {
                        "200": _answer({"type": "array", "items": answer_schema(HitBody)}) | {"headers": _TOTALS},
                        "400": _answer(error, "What is wrong with the request"),
                        "503": _answer(error, "A backend is down"),
                    },
                }
            },
            "/api/videos": {
                "get": {
                    "summary": "The videos of the library, a page at a time",
                    "parameters": videos.parameters(),
                    "responses": {"200": _answer(videos.page_schema()), **wrong},
                }
            },
            "/api/videos/{id}": {
                "parameters": [video_id],
                "get": {"summary": "A video", "responses": {"200": video, **unknown}},
                "patch": {
                    "summary": "Give it another title or other tags, or correct what it is",
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": videos.EditBody.model_json_schema()}},
                    },
                    "responses": {"200": video, **wrong, **unknown},
                },
                "delete": {
                    "summary": "Delete it; for a day it can be had back",
                    "responses": {"200": _answer(answer_schema(videos.DeletedBody)), **unknown},
                },
            },
            "/api/videos/{id}/file": {
                "get": {
                    "summary": "Its stored file, or a moment of it as a file of its own",
                    "parameters": [video_id, *(_seconds(name) for name in ("start", "end"))],
                    "responses": {
                        "200": {"description": "The file"},
                        "307": {"description": "Where it is"},
                        **wrong,
                        **unknown,
                    },
                }
            },
            "/api/breaks": {
                "post": {
                    "summary": "Where an ad belongs: videos, and the moments at which they can be interrupted",
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": breaks.BreaksAsked.model_json_schema()}},
                    },
                    "responses": {"200": _places(), **wrong},
                }
            },
            "/api/videos/{id}/still": {
                "get": {
                    "summary": "A picture of the moment that begins nearest to a time",
                    "parameters": [video_id, {**_seconds("at"), "required": True}],
                    "responses": {
                        "200": {"description": "A JPEG", "content": {"image/jpeg": {}}},
                        "307": {"description": "Its poster, where the moment shows nothing"},
                        **wrong,
                        **unknown,
                    },
                }
            },
            "/app/static/media/{key}": {
                "get": {
                    "summary": "A video or poster, with Range support",
                    "parameters": [key],
                    "responses": {"200": {"description": "All of it"}, "206": {"description": "The range asked for"}},
                }
            },
        },
    }


def _places() -> dict[str, Any]:
    """Return the two forms of an answer of `POST /api/breaks`."""
    return {
        "description": "The places",
        "content": {
            "application/json": {"schema": breaks.answer()},
            "application/xml": {"schema": {"type": "string", "description": "VMAP 1.0, with format vmap."}},
        },
    }


def _seconds(name: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": "number", "minimum": 0}, "description": "In seconds."}


def _answer(schema: dict[str, Any], description: str = "The answer") -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
