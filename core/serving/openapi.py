"""What `GET /api/docs` answers: the HTTP contract as OpenAPI 3.1, its choices taken from where they are defined."""

from __future__ import annotations

from typing import Any, get_args

from core import __version__
from core.discover.taxonomy import Taxonomy
from core.models import LENGTHS, SHAPES, SOUNDS, Confidence, Query, Sort


def document(taxonomy: Taxonomy, max_limit: int, max_offset: int) -> dict[str, Any]:
    """Return the document for a library's taxonomy."""

    def several(names: Any) -> dict[str, Any]:
        one = {"type": "string", "enum": list(names)}
        return {"oneOf": [one, {"type": "array", "items": one}]}

    def number(default: float, description: str) -> dict[str, Any]:
        return {"type": "number", "minimum": 0, "maximum": 1, "default": default, "description": description}

    text = {"type": "string"}
    language = {**text, "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?$"}
    query = {
        "type": "object",
        "description": "At least one of query, category, mood, like and profile.",
        "properties": {
            "query": {**text, "maxLength": 500, "description": "What should happen in it, in words."},
            "category": several(theme.id for theme in taxonomy.categories),
            "mood": several(theme.id for theme in taxonomy.moods),
            "strength": number(Query().strength, "0: the mood does not count, 1: nothing else does."),
            "like": {**text, "description": "Id of a video to find more like."},
            "like_at": {"type": "number", "minimum": 0, "description": "A second of it: more like this moment."},
            "profile": {**text, "maxLength": 40, "description": "Whose likes and dislikes count."},
            "hide_seen": {"type": "boolean", "default": False},
            "variety": number(0.0, "0: the closest, 1: the most varied."),
            "length": several(LENGTHS),
            "shape": several(SHAPES),
            "sound": several(SOUNDS),
            "language": {
                "oneOf": [language, {"type": "array", "items": language}],
                "description": "Of subtitles: en, pt-BR … A language takes its variants too.",
            },
            "sort": {"type": "string", "enum": list(get_args(Sort)), "default": "match"},
            "limit": {"type": "integer", "minimum": 1, "maximum": max_limit, "default": 10},
            "offset": {"type": "integer", "minimum": 0, "maximum": max_offset, "default": 0},
        },
    }
    hit = {
        "type": "object",
        "properties": {
            "video_id": {"type": "string", "format": "uuid"},
            "filename": text,
            "start_time": {"type": "number"},
            "end_time": {"type": "number"},
            "score": {"type": "number"},
            "confidence": {"type": ["string", "null"], "enum": [*get_args(Confidence), None]},
            "url": {"type": "string", "format": "uri"},
        },
    }
    error = {"type": "object", "properties": {"error": text, "details": {"type": "object"}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Moodreel", "version": __version__},
        "paths": {
            "/api/health": {"get": {"summary": "What is live", "responses": {"200": _answer({"type": "object"})}}},
            "/search": {
                "post": {
                    "summary": "Find videos, best first",
                    "requestBody": {"required": True, "content": {"application/json": {"schema": query}}},
                    "responses": {
                        "200": _answer({"type": "array", "items": hit}),
                        "400": _answer(error, "What is wrong with the request"),
                        "503": _answer(error, "A backend is down"),
                    },
                }
            },
            "/app/static/media/{key}": {
                "get": {
                    "summary": "A video or poster, with Range support",
                    "parameters": [{"name": "key", "in": "path", "required": True, "schema": text}],
                    "responses": {"200": {"description": "All of it"}, "206": {"description": "The range asked for"}},
                }
            },
        },
    }


def _answer(schema: dict[str, Any], description: str = "The answer") -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
