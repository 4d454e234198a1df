"""Where an ad belongs, over HTTP: what is asked, and the answer as JSON cues or as VMAP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from core.ads.models import Avoid, Proposals, Rules, Wanted
from core.ads.playlists import check_tag, cues, vmap
from core.discover.search import MAX_TEXT
from core.discover.taxonomy import Taxonomy
from core.errors import QueryError
from core.services import Services

MAX_WORDS, MAX_VIDEOS, MAX_PLACES = 20, 20, 20
_Ids = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=100)]
_Seconds = Annotated[float, BeforeValidator(lambda value: float(value) if isinstance(value, int) else value)]
_RULES = Rules()


class BreaksAsked(BaseModel):
    """Places for one ad: either `ad` or `text` says which."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    ad: str = Field("", max_length=64, description="Id of an ad that is kept, or of a video of the library.")
    text: str = Field("", max_length=MAX_TEXT, description="Or a sentence about it.")
    video: str = Field("", max_length=64, description="Id of the only video to look at. VMAP needs one.")
    avoid_categories: _Ids = Field([], description="Ids: never beside these.")
    avoid_moods: _Ids = []
    avoid_words: Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=MAX_WORDS)] = Field(
        [], description="Never in a video that has one of these in its words, or is about it."
    )
    first_s: Annotated[_Seconds, Field(ge=0, le=3600)] = Field(_RULES.first_s, description="Nothing before that.")
    apart_s: Annotated[_Seconds, Field(ge=0, le=3600)] = _RULES.apart_s
    most: Annotated[int, Field(ge=1, le=MAX_PLACES)] = Field(_RULES.most, description="Places in one video.")
    videos: Annotated[int, Field(ge=1, le=MAX_VIDEOS)] = Field(_RULES.videos, description="Videos with places.")
    format: Literal["json", "vmap"] = "json"
    tag: str = Field("", description="An ad server's address, for VMAP: what is played is asked for there.")

    def wanted(self) -> Wanted:
        """Return what is asked, as core knows it."""
        avoid = Avoid(tuple(self.avoid_categories), tuple(self.avoid_moods), tuple(self.avoid_words))
        rules = Rules(self.first_s, self.apart_s, self.most, self.videos)
        return Wanted(self.ad, self.text, self.video, avoid, rules)


class AdBody(BaseModel):
    """What is placed."""

    id: str | None = Field(description="null where it is a sentence.")
    title: str
    url: str | None
    duration_s: float | None


class CueBody(BaseModel):
    """A place for the ad."""

    at_s: float
    kind: Literal["cut", "black", "end"]
    score: float = Field(description="0 to 1, with how little it interrupts.")
    match: float = Field(description="0 to 1: how well the ad goes with what was just seen.")
    reasons: list[str]


class CuesBody(BaseModel):
    """The places in one video, in order of time."""

    video_id: str
    title: str
    url: str
    duration_s: float
    ad: AdBody
    cues: list[CueBody]


class BreaksBody(BaseModel):
    """Videos with places, best first."""

    videos: list[CuesBody]
    avoided: int = Field(description="Videos that would have suited, left out for what the brand avoids.")
    unreadable: list[str] = Field(description="Why videos that would have suited could not be looked at.")


def answer() -> dict[str, Any]:
    """Return the JSON schema of an answer, each part where it stands."""
    schema = BreaksBody.model_json_schema(mode="serialization")
    parts = schema.pop("$defs")

    def whole(one: Any) -> Any:
        if isinstance(one, list):
            return [*map(whole, one)]
        if not isinstance(one, dict):
            return one
        if "$ref" in one:
            return whole(parts[one["$ref"].rpartition("/")[2]])
        return {name: whole(value) for name, value in one.items()}

    return dict(whole(schema))


def read_breaks(data: Mapping[str, object]) -> BreaksAsked:
    """Return what a body asks. Raises QueryError saying what to change."""
    try:
        asked = BreaksAsked.model_validate(data)
    except ValidationError as error:
        raise _refusal(error) from None
    if asked.format == "vmap" and not asked.video:
        raise QueryError("VMAP is about one video: send its id as video.")
    check_tag(asked.tag)
    return asked


def breaks(services: Services, asked: BreaksAsked, base_url: str) -> dict[str, Any] | str:
    """Answer `POST /api/breaks`: JSON, or a VMAP document. Raises QueryError."""
    found = services.ads.placing.propose(asked.wanted())
    if asked.format == "vmap":
        return playlist(services, found, asked.tag, base_url)
    return breaks_to_json(services, found, base_url)


def playlist(services: Services, found: Proposals, tag: str, base_url: str) -> str:
    """Return the VMAP document of the best video. Raises QueryError where there is no place."""
    if not found.placed:
        raise QueryError("The ad belongs nowhere in this video. Ask without format for the reasons, or for others.")
    return vmap(found.ad, found.placed[0], addresses(services, base_url), tag)


def breaks_to_json(services: Services, found: Proposals, base_url: str) -> dict[str, Any]:
    """Return places as `POST /api/breaks` and `breaks --json` show them."""
    address, labels = addresses(services, base_url), labels_of(services.taxonomy)
    videos = [CuesBody.model_validate(cues(found.ad, one, address, labels)) for one in found.placed]
    return BreaksBody(videos=videos, avoided=found.avoided, unreadable=list(found.unreadable)).model_dump()


def addresses(services: Services, base_url: str) -> Callable[[str], str]:
    """Return what tells where a program finds the file of a key."""

    def address(key: str) -> str:
        url = services.store.url(key)
        return base_url.rstrip("/") + url if url.startswith("/") else url

    return address


def labels_of(taxonomy: Taxonomy) -> dict[str, str]:
    """Return the English names of categories and moods by their ids."""
    return {theme.id: theme.label for theme in (*taxonomy.categories, *taxonomy.moods)}


def _refusal(error: ValidationError) -> QueryError:
    """Say in a sentence what is wrong first."""
    first = error.errors(include_url=False)[0]
    name, said = str(first["loc"][0]), first["msg"]
    if first["type"] == "extra_forbidden":
        return QueryError(f"There is no {name} here. Send: {', '.join(BreaksAsked.model_fields)}.")
    return QueryError(f"{name} is not right: {said[:1].lower()}{said[1:]}.", {name: [said]})
