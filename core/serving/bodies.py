"""What comes and goes over HTTP as pydantic models: they check requests, and OpenAPI is made from them.

What is wrong with a request is said in the words of the contract, made from the same schema that documents it.
`python -m core search` sends its options through `read_query` too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    create_model,
)
from pydantic.json_schema import GenerateJsonSchema

from core import __version__
from core.discover.search import MAX_LIMIT, MAX_TEXT
from core.discover.taxonomy import Taxonomy
from core.errors import QueryError
from core.models import Confidence, Hit, Query, Results, Sort
from core.properties import PROPERTIES, Property
from core.state.taste import NAME_CHARS

MAX_OFFSET = 900
"""Further on there are cursors."""
TOTAL, TOTAL_EXACT, NEXT_CURSOR = "X-Total-Count", "X-Total-Exact", "X-Next-Cursor"
"""Headers of an answer: how many videos fit, whether that is all, and what goes on behind it."""
DEFAULT_LIMIT = 10
_SORTS: tuple[Sort, ...] = get_args(Sort)


class _Refused(ValueError):
    """Carry a sentence of ours through pydantic."""

    def __init__(self, reason: QueryError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _trimmed(value: object) -> object:
    return "" if value is None else value.strip() if isinstance(value, str) else value


def _order(value: object) -> object:
    """Return the first order there is for a blank one."""
    trimmed = _trimmed(value)
    return _SORTS[0] if trimmed == "" else trimmed


def _listed(value: object) -> object:
    """Return one text or several as a list, without blank ones and each once; what is no text stays to be refused."""
    texts: dict[str, None] = {}
    for one in value if isinstance(value, list) else [value]:
        if one is not None and not isinstance(one, str):
            return [one]  # the first is enough to refuse all
        texts[(one or "").strip()] = None
    return [text for text in texts if text]


def _several(schema: Mapping[str, object], description: str = "") -> Any:
    """Return the type of one text or a list of them, each described by a schema."""
    one = {"type": "string", **schema}
    described = {"oneOf": [one, {"type": "array", "items": one}]} | (
        {"description": description} if description else {}
    )
    return Annotated[list[str], BeforeValidator(_listed), WithJsonSchema(described)]


def _choices(ids: Sequence[str]) -> Mapping[str, object]:
    return {"enum": list(ids)} if ids else {}


def _of_property(row: Property) -> Any:
    """Return the type of the values of a property."""

    def read(texts: list[str]) -> list[str]:
        try:
            return list(row.read_all(texts))
        except QueryError as error:
            raise _Refused(error) from None

    schema = {"pattern": row.pattern} if row.pattern else _choices(row.options)
    return Annotated[_several(schema, row.description), AfterValidator(read)]


def _encodable(text: str) -> str:
    """Return a text that can be sent on; JSON can spell half a character, and databases and services refuse it."""
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("half a character")
    return text


_Text = Annotated[str, BeforeValidator(_trimmed), AfterValidator(_encodable)]
_Share = Annotated[float, Field(ge=0, le=1)]


def _place(text: str) -> str:
    """Return a cursor, or nothing for a blank one."""
    if text and not re.fullmatch(r"[0-9]{1,12}", text):
        raise _Refused(QueryError(f"There is no cursor {text[:40]!r}. Send the {NEXT_CURSOR} of an answer as it came."))
    return text


_Cursor = Annotated[_Text, AfterValidator(_place)]


class _Asked(BaseModel):
    """At least one of query, category, mood, like and profile."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    query: _Text = Field(
        "", description="What should happen in it, in words.", json_schema_extra={"maxLength": MAX_TEXT}
    )
    category: list[str] = []
    mood: list[str] = []
    strength: _Share = Field(Query().strength, description="0: the mood does not count, 1: nothing else does.")
    like: _Text = Field("", description="Id of a video to find more like.")
    like_at: Annotated[float, Field(ge=0, le=1e6)] | None = Field(
        None, description="A second of it: more like this moment."
    )
    profile: _Text = Field(
        "", description="Whose likes and dislikes count.", json_schema_extra={"maxLength": NAME_CHARS}
    )
    hide_seen: bool = Field(False, description="Leave out what the profile has seen, unless nothing else fits.")
    variety: _Share = Field(0.0, description="0: the closest, 1: the most varied.")


@lru_cache(maxsize=8)
def _search_body(
    properties: tuple[Property, ...], categories: tuple[str, ...] = (), moods: tuple[str, ...] = ()
) -> type[_Asked]:
    """Return the model of a search in which these properties can be asked for; the ids only document."""
    fields: dict[str, Any] = {row.name: (_of_property(row), []) for row in properties}
    return create_model(
        "Search",
        __base__=_Asked,
        __doc__=_Asked.__doc__,
        category=(_several(_choices(categories)), []),
        mood=(_several(_choices(moods)), []),
        **fields,
        sort=(Annotated[Sort, BeforeValidator(_order)], _SORTS[0]),
        limit=(Annotated[int, Field(ge=1, le=MAX_LIMIT)], DEFAULT_LIMIT),
        offset=(Annotated[int, Field(ge=0, le=MAX_OFFSET)], 0),
        cursor=(_Cursor, Field("", description=f"Go on behind an answer: its {NEXT_CURSOR}. Takes offset's place.")),
    )


class HitBody(BaseModel):
    """A video that answers, at the moment where it does."""

    video_id: str = Field(json_schema_extra={"format": "uuid"})
    filename: str
    start_time: float
    end_time: float
    score: float
    confidence: Confidence | None = Field(description="null where nothing was asked but a profile's taste.")
    url: str = Field(json_schema_extra={"format": "uri"})

    @classmethod
    def of(cls, hit: Hit, base_url: str) -> HitBody:
        """Return a hit as programs see it, with its address as seen from `base_url`."""
        return cls(
            video_id=hit.video_id,
            filename=hit.filename,
            start_time=round(hit.start_s, 3),
            end_time=round(hit.end_s, 3),
            score=round(hit.score, 6),
            confidence=hit.confidence,
            url=base_url.rstrip("/") + hit.url if hit.url.startswith("/") else hit.url,
        )


def totals(results: Results) -> dict[str, str]:
    """Return what an array cannot say, as headers."""
    said = {TOTAL: str(results.total), TOTAL_EXACT: str(results.exact).lower()}
    return said if results.next_offset is None else {**said, NEXT_CURSOR: str(results.next_offset)}


class HealthBody(BaseModel):
    """Which backends are live, and how much the library holds."""

    status: Literal["ok"] = "ok"
    version: str = __version__
    encoder: str
    index: str
    store: str
    videos: int
    clips: int


class ErrorBody(BaseModel):
    """Why there is no answer."""

    error: str = Field(description="What is wrong and what to do, as a sentence.")
    details: dict[str, Any] = Field({}, description="The allowed values, by the name of what was wrong.")


def read_query(data: Mapping[str, object]) -> Query:
    """Return the query that a body asks for. Raises QueryError saying what to change."""
    model = _search_body(tuple(PROPERTIES.values()))
    try:
        asked = model.model_validate(data).model_dump()
    except ValidationError as error:
        raise _refusal(error, model) from None
    return Query(
        text=asked["query"],
        categories=tuple(asked["category"]),
        moods=tuple(asked["mood"]),
        strength=asked["strength"],
        like=asked["like"] or None,
        like_at_s=asked["like_at"],
        profile=asked["profile"] or None,
        hide_seen=asked["hide_seen"],
        variety=asked["variety"],
        filters={name: tuple(asked[name]) for name in PROPERTIES if asked[name]},
        sort=asked["sort"],
        limit=asked["limit"],
        offset=int(asked["cursor"] or asked["offset"]),
        fold=False,
        facets=False,
    )


def search_schema(taxonomy: Taxonomy) -> dict[str, Any]:
    """Return the JSON schema of a search with the categories and moods there are now."""
    ids = (tuple(theme.id for theme in taxonomy.themes(kind)) for kind in ("category", "mood"))
    return _schema(_search_body(tuple(PROPERTIES.values()), *ids), "validation")


def answer_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of what we send."""
    return _schema(model, "serialization")


def _schema(model: type[BaseModel], mode: Literal["validation", "serialization"]) -> dict[str, Any]:
    schema = model.model_json_schema(schema_generator=_Generator, mode=mode)
    del schema["title"]
    return schema


class _Generator(GenerateJsonSchema):
    """Leave out titles, which repeat the names, and defaults that only say that nothing is asked."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: Any) -> dict[str, Any]:
        made = super().default_schema(schema)
        if made.get("default") in ("", [], None):
            made.pop("default", None)
        return made


def _refusal(error: ValidationError, model: type[BaseModel]) -> QueryError:
    """Say in the words of the contract what is wrong first, from the schema of what was expected."""
    first = error.errors(include_url=False)[0]
    reason = first.get("ctx", {}).get("error")
    if isinstance(reason, _Refused):
        return reason.reason
    name, value = str(first["loc"][0]), first["input"]
    schema = _schema(model, "validation")["properties"][name]
    if reason is not None:
        return QueryError(f"{name} has characters that are no text. Send it without them.")
    if "oneOf" in schema:
        return QueryError(f"{name} must be a string or a list of strings.")
    number = next((one for one in schema.get("anyOf", [schema]) if "minimum" in one), None)
    if number:
        what = "a whole number" if number["type"] == "integer" else "a number"
        least, most = number["minimum"], number["maximum"]
        return QueryError(f"{name} must be {what} from {least:g} to {most:g}.", {name: [least, most]})
    if schema["type"] == "boolean":
        return QueryError(f"{name} must be true or false.", {name: [True, False]})
    if "enum" in schema and isinstance(value, str):
        allowed = schema["enum"]
        return QueryError(f"{name} is {value!r}. Choose one of: {', '.join(allowed)}.", {name: [*allowed]})
    return QueryError(f"{name} must be a string.")
