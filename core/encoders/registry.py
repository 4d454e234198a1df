"""Every encoder there is, a row each: what it needs, whether it is ready on this machine, and how it is built.

To add an encoder, write its file and a row here. Nothing is loaded until a row is asked to build; asking whether it is
ready looks at settings and at files on this machine, never at a network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from core.errors import Sentence, SettingsError

if TYPE_CHECKING:
    import numpy as np

    from core.encoders.base import Encoder
    from core.models import EncoderInfo
    from core.settings import Settings

    Reads = Callable[[Sequence[str]], np.ndarray]
    Remember = Callable[[str, int, Reads], Reads]

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Registered:
    """One encoder that ENCODER can name."""

    name: str
    variables: tuple[str, ...]
    """Those that it reads, the one that it cannot do without first."""
    paid: bool
    lacks: Callable[[Settings], str | None]
    """Says what is missing for it to run here and what to do; None when it is ready."""
    info: Callable[[Settings], EncoderInfo]
    """Describes it without making it ready: its space is known also where its model is not."""
    build: Callable[[Settings, Remember], Encoder]
    """Makes it ready for use, without a network. Raises SettingsError or EncoderError."""
    of_space: Callable[[str], Mapping[str, Any] | None]
    """Reads from the name of a space the settings with which this encoder fills it; None for a space of another."""
    by_name_only: bool = False
    """"auto" never takes it: what it needs is there for other things, and it costs."""
    slow_texts: bool = False
    """Whether the texts that will be asked for are better encoded ahead, in the background."""


def _lacks_key(settings: Settings) -> str | None:
    if settings.twelvelabs_api_key:
        return None
    return Sentence("ENCODER is twelvelabs but TWELVE_LABS_API_KEY is not set. Set it, or ENCODER=local.")


def _build_twelvelabs(settings: Settings, remember: Remember) -> Encoder:
    from core.encoders.twelvelabs import TwelveLabsEncoder

    return TwelveLabsEncoder(
        settings.twelvelabs_api_key or "",
        model=settings.twelvelabs_model,
        dimension=settings.twelvelabs_dimension,
        base_url=settings.twelvelabs_base_url,
        parallel=settings.twelvelabs_concurrency,
        side_by_side=settings.marengo_embeddings != "fused",
        scratch_dir=settings.data_dir / "work" / "fitted",
    )


def _of_twelvelabs(space: str) -> Mapping[str, Any] | None:
    from core.encoders import marengo_models

    for model in marengo_models.MODELS:
        for size in model.dimensions:
            for embeddings in ("fused", "side-by-side"):
                if marengo_models.space(model, size, side_by_side=embeddings != "fused") == space:
                    return {
                        "twelvelabs_model": model.name,
                        "twelvelabs_dimension": size,
                        "marengo_embeddings": embeddings,
                    }
    return None


def _lacks_bucket(settings: Settings) -> str | None:
    if settings.aws_bucket:
        return None
    return Sentence(
        "ENCODER is bedrock but AWS_BUCKET_NAME is not set, and Bedrock reads videos from a bucket and writes there. "
        "Set it, or ENCODER=local."
    )


def _build_bedrock(settings: Settings, remember: Remember) -> Encoder:
    from core.encoders.bedrock import DEFAULT_MODEL, BedrockEncoder

    if settings.aws_bucket is None:
        raise SettingsError(_lacks_bucket(settings) or "")
    return BedrockEncoder(
        settings.aws_bucket,
        model=settings.bedrock_model or DEFAULT_MODEL,
        region=settings.bedrock_region,
        bucket_region=settings.aws_region,
        bucket_owner=settings.bedrock_bucket_owner,
        access_key=settings.aws_access_key,
        secret_key=settings.aws_secret_key,
        session_token=settings.aws_session_token,
        endpoint_url=settings.bedrock_endpoint_url,
        bucket_endpoint_url=settings.aws_endpoint_url,
        side_by_side=settings.marengo_embeddings != "fused",
        scratch_dir=settings.data_dir / "work" / "fitted",
    )


def _info_of_twelvelabs(settings: Settings) -> EncoderInfo:
    return _build_twelvelabs(replace(settings, twelvelabs_api_key="-"), forget).info


def _info_of_bedrock(settings: Settings) -> EncoderInfo:
    bucket, key = settings.aws_bucket or "-", settings.aws_access_key or "-"
    secret = settings.aws_secret_key or "-"
    named = replace(settings, aws_bucket=bucket, aws_access_key=key, aws_secret_key=secret)
    return _build_bedrock(named, forget).info


def _of_bedrock(space: str) -> Mapping[str, Any] | None:
    from core.encoders import marengo_models

    if not space.startswith("bedrock/"):
        return None
    apart = any(space.endswith(marengo_models.blocks(model.options)) for model in marengo_models.MODELS)
    return {"marengo_embeddings": "side-by-side" if apart else "fused"}


def _lacks_model(settings: Settings) -> str | None:
    from core.encoders import clip_models

    model, folder = clip_models.named(settings.clip_model), settings.clip_model_dir
    if clip_models.find(model, settings.models_dir, folder):
        return None
    if folder is None:
        return Sentence(
            "The model {name} is not on this machine. Get it with: python -m core model get {name} ({gigabytes:.1f} "
            "GB, once), or set CLIP_MODEL_DIR to a folder that has it, or ENCODER=local.",
            name=model.name,
            gigabytes=model.size_bytes / 1e9,
        )
    lost = ", ".join(str(path) for path in clip_models.missing(model, clip_models.in_folder(folder)))
    return Sentence(
        "CLIP_MODEL_DIR is {folder!r}, which does not hold the model {name}. Missing: {lost}. Put the files there, or "
        "unset it.",
        folder=str(folder),
        name=model.name,
        lost=lost,
    )


def _build_clip(settings: Settings, remember: Remember) -> Encoder:
    from core.encoders import clip, clip_models

    model = clip_models.named(settings.clip_model)
    folders = clip_models.find(model, settings.models_dir, settings.clip_model_dir)
    if folders is None:
        raise SettingsError(_lacks_model(settings) or "")
    return clip.ClipEncoder(clip.Towers(model, folders, settings.clip_threads), remember=remember)


def _info_of_clip(settings: Settings) -> EncoderInfo:
    from core.encoders import clip, clip_models

    return clip.info_of(clip_models.named(settings.clip_model))


def _of_clip(space: str) -> Mapping[str, Any] | None:
    from core.encoders import clip_models

    return next(
        ({"clip_model": model.name} for model in clip_models.MODELS if space.startswith(f"{model.space}+")), None
    )


def _lacks_nothing(settings: Settings) -> str | None:
    return None


def _build_local(settings: Settings, remember: Remember) -> Encoder:
    from core.encoders.local import LocalEncoder

    return LocalEncoder()


def _info_of_local(settings: Settings) -> EncoderInfo:
    return _build_local(settings, forget).info


def forget(name: str, dimension: int, read: Reads) -> Reads:
    """Remember nothing."""
    return read


def _of_local(space: str) -> Mapping[str, Any] | None:
    return {} if space.startswith("local-") else None


ENCODERS: tuple[Registered, ...] = (
    Registered(
        name="twelvelabs",
        variables=(
            "TWELVE_LABS_API_KEY",
            "TWELVELABS_MODEL",
            "TWELVELABS_DIMENSION",
            "TWELVELABS_CONCURRENCY",
            "TWELVELABS_BASE_URL",
            "MARENGO_EMBEDDINGS",
        ),
        paid=True,
        lacks=_lacks_key,
        info=_info_of_twelvelabs,
        build=_build_twelvelabs,
        of_space=_of_twelvelabs,
    ),
    Registered(
        name="bedrock",
        variables=(
            "AWS_BUCKET_NAME",
            "BEDROCK_REGION",
            "BEDROCK_MODEL",
            "BEDROCK_BUCKET_OWNER",
            "BEDROCK_ENDPOINT_URL",
        ),
        paid=True,
        lacks=_lacks_bucket,
        info=_info_of_bedrock,
        build=_build_bedrock,
        of_space=_of_bedrock,
        by_name_only=True,
    ),
    Registered(
        name="clip",
        variables=("CLIP_MODEL", "CLIP_MODEL_DIR", "CLIP_THREADS"),
        paid=False,
        lacks=_lacks_model,
        info=_info_of_clip,
        build=_build_clip,
        of_space=_of_clip,
        slow_texts=True,
    ),
    Registered(
        name="local",
        variables=(),
        paid=False,
        lacks=_lacks_nothing,
        info=_info_of_local,
        build=_build_local,
        of_space=_of_local,
    ),
)
"""In the order in which "auto" prefers them: the first that is ready is taken."""
NAMES = tuple(encoder.name for encoder in ENCODERS)


def named(name: str) -> Registered:
    """Return the row of an encoder. Raises SettingsError naming those there are."""
    for encoder in ENCODERS:
        if encoder.name == name:
            return encoder
    raise SettingsError("ENCODER is {name!r}. Set it to one of: {names}.", name=name, names=", ".join((AUTO, *NAMES)))


def filler(space: str) -> tuple[Registered, Mapping[str, Any]] | None:
    """Return the encoder that fills a space of this name, and the settings with which it does; None for no one's."""
    for encoder in ENCODERS:
        settings = encoder.of_space(space)
        if settings is not None:
            return encoder, settings
    return None


def chosen(wanted: str, settings: Settings) -> str:
    """Return the encoder that a value of ENCODER stands for on this machine. Raises SettingsError for an unknown one.

    One that is named is taken whether it is ready or not: nothing falls back in silence.
    """
    if wanted != AUTO:
        return named(wanted).name
    return next(row.name for row in ENCODERS if not row.by_name_only and row.lacks(settings) is None)
