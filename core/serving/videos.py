"""The videos of a library over HTTP: what comes and goes, and what is done with it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from core.errors import QueryError
from core.library.editing import MAX_TAGS, TAG_CHARS
from core.library.listing import ARRANGED, MAX_PAGE, Arrange, Asked, Row, categories_of, moods_of
from core.library.moments import Taken
from core.models import Filters
from core.properties import PROPERTIES
from core.services import Services
from core.serving.bodies import answer_schema

DEFAULT_PAGE = 50
MAX_OFFSET = 10_000_000


class VideoBody(BaseModel):
    """A video of the library."""

    video_id: str = Field(json_schema_extra={"format": "uuid"})
    title: str
    filename: str
    tags: list[str]
    duration_s: float
    width_px: int
    height_px: int
    has_audio: bool
    size_bytes: int | None = Field(description="Of its file.")
    subtitle_languages: list[str]
    categories: list[str] = Field(description="Ids of those that it answers.")
    moods: list[str]
    encoder: str
    content_sha256: str
    ingested_at: str = Field(json_schema_extra={"format": "date-time"})
    url: str = Field(json_schema_extra={"format": "uri"})

    @classmethod
    def of(cls, row: Row, url: str) -> VideoBody:
        """Return a row as programs see it, with the address that its file has."""
        entry = row.entry
        return cls(
            video_id=entry.video_id,
            title=entry.title,
            filename=entry.filename,
            tags=list(row.tags),
            duration_s=round(entry.duration_s, 3),
            width_px=entry.width_px,
            height_px=entry.height_px,
            has_audio=entry.has_audio,
            size_bytes=row.size_bytes,
            subtitle_languages=list(entry.subtitle_languages),
            categories=list(categories_of(entry)),
            moods=list(moods_of(entry)),
            encoder=entry.encoder,
            content_sha256=entry.content_sha256,
            ingested_at=entry.ingested_at,
            url=url,
        )


class EditBody(BaseModel):
    """What is to be changed of a video; what is left out stays."""

    model_config = ConfigDict(strict=True, extra="forbid")

    title: str | None = None
    categories: dict[str, bool | None] = Field(
        {}, description="By id, whether it is one whatever the encoder says; null takes back what was said."
    )
    moods: dict[str, bool | None] = {}
    tags: Annotated[list[Annotated[str, Field(max_length=TAG_CHARS)]], Field(max_length=MAX_TAGS)] | None = Field(
        None, description="All that it is to have."
    )


class DeletedBody(BaseModel):
    """A video that is deleted."""

    video_id: str
    deleted: Literal[True] = True
    undo_until: str = Field(json_schema_extra={"format": "date-time"}, description="Until then it can be had back.")


def _number(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else value


class _PageAsked(BaseModel):
    """The parameters of a page, as they stand in an address."""

    name: str = Field("", max_length=200, description="Words in the title, the file name or the tags.")
    sort: Arrange = ARRANGED[0]
    limit: Annotated[int, BeforeValidator(_number), Field(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE
    offset: Annotated[int, BeforeValidator(_number), Field(ge=0, le=MAX_OFFSET)] = 0


def parameters() -> list[dict[str, Any]]:
    """Return the parameters of `GET /api/videos` for OpenAPI."""
    schema = _PageAsked.model_json_schema()["properties"]
    own = [{"name": name, "in": "query", "schema": _described(one)} for name, one in schema.items()]
    several = {"style": "form", "explode": True, "in": "query"}
    themes = [
        {"name": name, **several, "schema": {"type": "array", "items": {"type": "string"}}}
        for name in ("category", "mood")
    ]
    filters = [
        {
            "name": row.name,
            "description": row.description,
            **several,
            "schema": {
                "type": "array",
                "items": {"type": "string"} | ({"enum": [*row.options]} if row.options else {}),
            },
        }
        for row in PROPERTIES.values()
    ]
    return own + themes + filters


def page_schema() -> dict[str, Any]:
    """Return the JSON schema of what `GET /api/videos` answers."""
    total = {"type": "integer", "description": "How many were asked for, on all pages."}
    properties = {"videos": {"type": "array", "items": answer_schema(VideoBody)}, "total": total}
    return {"type": "object", "properties": properties, "required": list(properties)}


def read_page(pairs: Sequence[tuple[str, str]]) -> Asked:
    """Return the page that an address asks for. Raises QueryError saying what to change."""
    several: dict[str, list[str]] = {}
    for name, value in pairs:
        several.setdefault(name, []).append(value)
    known = {*_PageAsked.model_fields, "category", "mood", *PROPERTIES}
    if unknown := sorted(several.keys() - known):
        raise QueryError(f"There is no parameter {unknown[0]!r}. Use: {', '.join(sorted(known))}.")
    try:
        page = _PageAsked.model_validate(
            {name: several[name][-1] for name in _PageAsked.model_fields if name in several}
        )
    except ValidationError as error:
        raise _refusal(error) from None
    filters: Filters = {name: row.read_all(several[name]) for name, row in PROPERTIES.items() if name in several}
    return Asked(
        name=page.name,
        categories=tuple(several.get("category", ())),
        moods=tuple(several.get("mood", ())),
        filters=filters,
        arrange=page.sort,
        limit=page.limit,
        offset=page.offset,
    )


def read_edit(data: Mapping[str, object]) -> EditBody:
    """Return what a body asks to be changed. Raises QueryError saying what is wrong with it."""
    try:
        return EditBody.model_validate(data)
    except ValidationError as error:
        raise _refusal(error) from None


def page(services: Services, asked: Asked, base_url: str) -> dict[str, object]:
    """Answer `GET /api/videos`. Raises QueryError for a category or mood that there is not."""
    for kind, names in (("category", asked.categories), ("mood", asked.moods)):
        for name in names:
            services.taxonomy.category(name) if kind == "category" else services.taxonomy.mood(name)
    found = services.library.listing.page(asked)
    videos = [VideoBody.of(row, _url(services, row, base_url)).model_dump() for row in found.rows]
    return {"videos": videos, "total": found.total}


def show(services: Services, video_id: str, base_url: str) -> dict[str, object] | None:
    """Answer `GET /api/videos/ID`; None where there is no such video."""
    row = services.library.listing.show(video_id)
    return None if row is None else VideoBody.of(row, _url(services, row, base_url)).model_dump()


def edit(services: Services, video_id: str, asked: EditBody, base_url: str) -> dict[str, object] | None:
    """Answer `PATCH /api/videos/ID`; None where there is no such video. Raises QueryError."""
    for name in asked.categories:
        services.taxonomy.category(name)
    for name in asked.moods:
        services.taxonomy.mood(name)
    if not services.library.editor.edit(video_id, title=asked.title, tags=asked.tags):
        return None
    for name, holds in asked.categories.items():
        services.correct(video_id, "category", name, holds)
    for name, holds in asked.moods.items():
        services.correct(video_id, "mood", name, holds)
    return show(services, video_id, base_url)


def read_span(pairs: Sequence[tuple[str, str]]) -> tuple[float, float] | None:
    """Return the span of a moment that an address asks for; None for the whole video. Raises QueryError."""
    asked = dict(pairs)
    if not asked:
        return None
    try:
        start_s, end_s = float(asked.pop("start")), float(asked.pop("end"))
    except (KeyError, ValueError):
        raise QueryError("Send start and end in seconds, or neither for the whole file.") from None
    if asked or not (math.isfinite(start_s) and math.isfinite(end_s)):
        raise QueryError("Send start and end in seconds, or neither for the whole file.")
    return start_s, end_s


def read_time(pairs: Sequence[tuple[str, str]]) -> float:
    """Return the time in a video that an address asks for. Raises QueryError."""
    try:
        ((name, text),) = pairs
        at_s = float(text)
    except ValueError:
        name, at_s = "", math.nan
    if name != "at" or not math.isfinite(at_s) or at_s < 0:
        raise QueryError("Send at, in seconds.")
    return at_s


def taken(services: Services, video_id: str, span: tuple[float, float] | None) -> Taken | None:
    """Answer `GET /api/videos/ID/file`; None where there is no such video. Raises QueryError, MediaError."""
    moments = services.library.moments
    return moments.whole(video_id) if span is None else moments.cut(video_id, *span)


def delete(services: Services, video_id: str) -> dict[str, object] | None:
    """Answer `DELETE /api/videos/ID`; None where there is no such video."""
    trash = services.library.trash
    deleted = trash.delete([video_id])
    if not deleted:
        return None
    return DeletedBody(
        video_id=video_id, undo_until=trash.goes_at(deleted[0]).isoformat(timespec="seconds")
    ).model_dump()


def _url(services: Services, row: Row, base_url: str) -> str:
    url = services.store.url(row.entry.media_key)
    return base_url.rstrip("/") + url if url.startswith("/") else url


def _described(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != "title"}


def _refusal(error: ValidationError) -> QueryError:
    """Say in a sentence what is wrong first."""
    first = error.errors(include_url=False)[0]
    name, said, limits = str(first["loc"][0]), first["msg"], first.get("ctx", {})
    if first["type"] == "extra_forbidden":
        return QueryError(f"{name} cannot be changed. Send: {', '.join(EditBody.model_fields)}.")
    if first["type"] == "literal_error":
        return QueryError(f"{name} must be {limits['expected']}.", {name: list(ARRANGED)})
    return QueryError(f"{name} is not right: {said[:1].lower()}{said[1:]}.", {name: [*map(str, limits.values())]})
