"""The Marengo models that TwelveLabs offers, and what each takes: a table, which settings read too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.errors import SettingsError

RETIRED = ("marengo-retrieval-2.7", "marengo2.7", "marengo-retrieval-2.6", "marengo2.6")


@dataclass(frozen=True, slots=True)
class Marengo:
    """What tells one model's requests from another's."""

    name: str
    dimensions: tuple[int, ...]
    """How many numbers a vector may have, its own choice first; shorter ones are Matryoshka's. The SDK's type for it is
    any whole number, the service takes these."""
    fused: bool
    """One vector for picture, sound and speech together; else they come apart and are combined here."""
    options: tuple[Literal["visual", "audio", "transcription"], ...]
    """What to embed of a video with sound; of a silent one only "visual"."""
    least_clip_s: int
    segmentation: Literal["plain", "temporal"]
    asked_by: Literal["type", "multi_input"]
    """The form in which texts and pictures are asked for."""

    @property
    def dimension(self) -> int:
        return self.dimensions[0]


MODELS = (
    Marengo("marengo3.0", (512,), True, ("visual", "audio", "transcription"), 4, "plain", "type"),
    Marengo("marengo3.5", (512, 256, 128), False, ("visual", "audio"), 2, "temporal", "multi_input"),
)
NAMES = tuple(model.name for model in MODELS)


def named(name: str) -> Marengo:
    """Return a model by its name. Raises SettingsError naming those there are."""
    if name.lower() in RETIRED:
        raise SettingsError(
            "TWELVELABS_MODEL is {name!r}, which is retired. Set it to {newest} and add the videos anew: vectors "
            "of different models cannot be compared.",
            name=name,
            newest=NAMES[0],
        )
    for model in MODELS:
        if model.name == name:
            return model
    raise SettingsError("TWELVELABS_MODEL is {name!r}. Set it to one of: {names}.", name=name, names=", ".join(NAMES))


def dimension(model: Marengo, wanted: int | str | None) -> int:
    """Return how many numbers a vector has. Raises SettingsError for a number that the model does not make."""
    if wanted is None:
        return model.dimension
    text = str(wanted)
    if text.isdecimal() and int(text) in model.dimensions:
        return int(text)
    if len(model.dimensions) == 1:
        freer = next(other.name for other in MODELS if len(other.dimensions) > 1)
        raise SettingsError(
            "TWELVELABS_DIMENSION is {wanted!r} and {name} knows only {dimension}. Unset it, or set "
            "TWELVELABS_MODEL to {freer}.",
            wanted=wanted,
            name=model.name,
            dimension=model.dimension,
            freer=freer,
        )
    allowed = ", ".join(str(number) for number in sorted(model.dimensions))
    raise SettingsError(
        "TWELVELABS_DIMENSION is {wanted!r}. Set it to one of those that {name} makes: {allowed}.",
        wanted=wanted,
        name=model.name,
        allowed=allowed,
    )


def space(model: Marengo, size: int, *, side_by_side: bool) -> str:
    """Return the name of the space of a model's vectors. What they are made of is in it: a name is one space."""
    apart = blocks(model.options) if side_by_side else ""
    shortened = f"/{size}" if size != model.dimension else ""
    return f"twelvelabs/{model.name}{apart}{shortened}"


def blocks(options: tuple[str, ...]) -> str:
    """Return what a space's name ends with where these are kept apart in it."""
    return "-" + "".join(option[0] for option in options)
