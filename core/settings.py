"""Settings: from the environment, then .env, then Streamlit's secrets; checked once, at start."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from dotenv import dotenv_values

from core import logs
from core.access import limits, policy
from core.access.limits import Limits
from core.access.policy import Policy
from core.encoders import clip_models, marengo_models, registry
from core.errors import SettingsError
from core.logs import LogPolicy

ENCODERS = (registry.AUTO, *registry.NAMES)
STATIC_FILE_MB = 200
"""The largest file Streamlit's static serving hands out; it answers 404 to larger ones."""
_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off", "")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be configured, checked. Secrets do not show in its repr."""

    data_dir: Path = Path("data")
    encoder: str = "local"
    """Name of the one that runs, of encoders/registry.py."""
    encoder_wanted: str = "auto"
    """What ENCODER says: that name, or auto."""
    max_upload_mb: int = 500
    watch_dir: Path | None = None
    """A folder whose videos go into the library by themselves; None for none."""
    export_dir: Path | None = None
    """Where the buttons of Library export to and import from; None for a folder under `data_dir`."""

    twelvelabs_api_key: str | None = field(default=None, repr=False)
    twelvelabs_model: str = "marengo3.0"
    twelvelabs_base_url: str | None = None
    twelvelabs_dimension: int | None = None
    """Numbers a vector, where the model leaves the choice; None for the model's own."""
    twelvelabs_concurrency: int = 4
    """How many videos TwelveLabs works on for us at the same time."""

    marengo_embeddings: str = "auto"
    """side-by-side keeps what is seen, heard and said apart; auto: it is, except in a library that was begun fused."""
    bedrock_region: str | None = None
    """None for the bucket's."""
    bedrock_model: str | None = None
    """The model's id, or an inference profile's; None for the encoder's choice."""
    bedrock_bucket_owner: str | None = None
    """Number of the AWS account that owns the bucket; None for that of the credentials."""
    bedrock_endpoint_url: str | None = None

    clip_model: str = clip_models.NAMES[0]
    clip_model_dir: Path | None = None
    """A folder with vision/ and text/ for a machine without network; None for our own cache."""
    clip_threads: int = 1

    qdrant_url: str | None = None
    qdrant_api_key: str | None = field(default=None, repr=False)
    qdrant_collection: str = "content_collection"
    qdrant_grpc_port: int | None = None
    """Port on which the server speaks gRPC; None: everything goes by HTTP."""
    qdrant_on_disk: bool = True
    qdrant_quantize: bool = True
    qdrant_shards: int | None = None
    """None: what the server is configured to, as with the next two (docs/scaling.md)."""
    qdrant_replicas: int | None = None
    qdrant_write_consistency: int | None = None

    aws_bucket: str | None = None
    aws_region: str | None = None
    aws_endpoint_url: str | None = None
    aws_access_key: str | None = field(default=None, repr=False)
    aws_secret_key: str | None = field(default=None, repr=False)
    aws_session_token: str | None = field(default=None, repr=False)
    s3_public_read: bool = False

    database_url: str | None = field(default=None, repr=False)
    """PostgreSQL for what people and jobs leave behind; None for SQLite under `data_dir`. It may hold a password."""

    access: Policy = field(default_factory=Policy)
    """Who may come in, and as what."""
    work_in_app: bool = True
    """The app works on jobs too where machines share them; False leaves them to `python -m core worker`."""
    worker_lost_s: int = 30
    """After how long without a sign of life a worker is taken for dead, and its files are taken up by others."""

    limits: Limits = field(default_factory=Limits)
    """How much may be asked of the app."""

    logs: LogPolicy = field(default_factory=LogPolicy)
    """What is written down while the app runs."""

    served_dir: Path | None = None
    """Folder the host itself serves under /app/static/media/; None where our own route does. No variable sets it."""

    @property
    def max_upload_bytes(self) -> int:
        return self.max_upload_mb * 1024 * 1024

    @property
    def media_dir(self) -> Path:
        """Folder of the folder store."""
        return self.data_dir / "media"

    @property
    def exports_dir(self) -> Path:
        """Folder of the exports that the buttons of Library make and find."""
        return self.export_dir or self.data_dir / "exports"

    @property
    def leaves_the_encoder_open(self) -> bool:
        """Tell whether the app chose its encoder, and would choose one that sees if its model were here."""
        return self.encoder_wanted == registry.AUTO and self.encoder == "local"

    @property
    def models_dir(self) -> Path:
        """Folder of the models that were got, laid out as huggingface_hub's cache."""
        return self.data_dir / "models"

    @property
    def spool_dir(self) -> Path:
        """Folder where uploads wait until they are in the library."""
        return self.data_dir / "spool"

    @property
    def arriving_dir(self) -> Path:
        """Folder where uploads are put as they come in."""
        return self.spool_dir / "arriving"

    @property
    def taxonomy_path(self) -> Path:
        """A person's own categories and moods, beside the shipped ones."""
        return self.data_dir / "taxonomy.toml"

    @property
    def calibration_path(self) -> Path:
        """What was fitted to the library, an encoder each."""
        return self.data_dir / "calibration.json"

    @property
    def jobs_path(self) -> Path:
        """SQLite file of the jobs."""
        return self.data_dir / "jobs.sqlite3"

    def for_static_host(self, served_dir: Path) -> Settings:
        """Return these settings for a host that serves a folder of static files and none of our routes."""
        return replace(self, served_dir=served_dir, max_upload_mb=min(self.max_upload_mb, STATIC_FILE_MB))


def load(
    environ: Mapping[str, str] | None = None,
    dotenv_path: Path | None = Path(".env"),
    secrets: Mapping[str, object] | None = None,
) -> Settings:
    """Return checked settings; the first of environment, .env file and secrets that has a variable wins.

    A variable that is set but blank counts as unset. Raises SettingsError naming the variable and what is allowed.
    """
    environ = os.environ if environ is None else environ
    layers: list[Mapping[str, object]] = [environ]
    if dotenv_path is not None and dotenv_path.is_file():
        layers.append(dotenv_values(dotenv_path))
    if secrets:
        layers.append(secrets)

    def get(*names: str) -> str | None:
        for layer in layers:
            for name in names:
                value = layer.get(name)
                if value is not None and str(value).strip():
                    return str(value).strip()
        return None

    key = get("TWELVE_LABS_API_KEY", "API_KEY")
    wanted = (get("ENCODER") or registry.AUTO).lower()
    if wanted not in ENCODERS:
        raise SettingsError(
            "ENCODER is {wanted!r}. Set it to one of: {encoders}.", wanted=wanted, encoders=", ".join(ENCODERS)
        )
    if wanted == "twelvelabs" and not key:
        raise SettingsError("ENCODER is twelvelabs but TWELVE_LABS_API_KEY is not set. Set it, or ENCODER=local.")
    clip_model = (get("CLIP_MODEL") or clip_models.NAMES[0]).lower()
    if clip_model not in clip_models.NAMES:
        raise SettingsError(
            "CLIP_MODEL is {clip_model!r}. Set it to one of: {names}.",
            clip_model=clip_model,
            names=", ".join(clip_models.NAMES),
        )
    clip_model_dir = get("CLIP_MODEL_DIR")
    export_dir, watch_dir = get("EXPORT_DIR"), get("WATCH_DIR")
    half = max((os.cpu_count() or 1) // 2, 1)
    model = marengo_models.named(get("TWELVELABS_MODEL") or marengo_models.NAMES[0])
    dimension = get("TWELVELABS_DIMENSION")

    settings = Settings(
        data_dir=Path(get("DATA_DIR") or "data").expanduser(),
        encoder_wanted=wanted,
        watch_dir=Path(watch_dir).expanduser() if watch_dir else None,
        export_dir=Path(export_dir).expanduser() if export_dir else None,
        max_upload_mb=_whole_number("MAX_UPLOAD_MB", get("MAX_UPLOAD_MB") or "500", least=1, most=1_000_000),
        twelvelabs_api_key=key,
        twelvelabs_model=model.name,
        twelvelabs_base_url=_url("TWELVELABS_BASE_URL", get("TWELVELABS_BASE_URL")),
        twelvelabs_dimension=marengo_models.dimension(model, dimension) if dimension else None,
        twelvelabs_concurrency=_whole_number(
            "TWELVELABS_CONCURRENCY", get("TWELVELABS_CONCURRENCY") or "4", least=1, most=64
        ),
        marengo_embeddings=_form(get("MARENGO_EMBEDDINGS") or "auto"),
        bedrock_region=get("BEDROCK_REGION"),
        bedrock_model=get("BEDROCK_MODEL"),
        bedrock_bucket_owner=_account("BEDROCK_BUCKET_OWNER", get("BEDROCK_BUCKET_OWNER")),
        bedrock_endpoint_url=_url("BEDROCK_ENDPOINT_URL", get("BEDROCK_ENDPOINT_URL")),
        clip_model=clip_model,
        clip_model_dir=Path(clip_model_dir).expanduser() if clip_model_dir else None,
        clip_threads=_whole_number("CLIP_THREADS", get("CLIP_THREADS") or str(half), least=1, most=256),
        qdrant_url=_url("QDRANT_URL", get("QDRANT_URL", "QDRANT_HOST"), default_scheme="https"),
        qdrant_api_key=get("QDRANT_API_KEY"),
        qdrant_collection=get("QDRANT_COLLECTION") or "content_collection",
        qdrant_grpc_port=_number_or_none("QDRANT_GRPC_PORT", get("QDRANT_GRPC_PORT"), most=65_535),
        qdrant_on_disk=_switch("QDRANT_ON_DISK", get("QDRANT_ON_DISK") or "true"),
        qdrant_quantize=_switch("QDRANT_QUANTIZE", get("QDRANT_QUANTIZE") or "true"),
        qdrant_shards=_number_or_none("QDRANT_SHARDS", get("QDRANT_SHARDS"), most=1000),
        qdrant_replicas=_number_or_none("QDRANT_REPLICAS", get("QDRANT_REPLICAS"), most=100),
        qdrant_write_consistency=_number_or_none("QDRANT_WRITE_CONSISTENCY", get("QDRANT_WRITE_CONSISTENCY"), most=100),
        aws_bucket=get("AWS_BUCKET_NAME"),
        aws_region=get("AWS_REGION", "AWS_DEFAULT_REGION"),
        aws_endpoint_url=_url("AWS_ENDPOINT_URL", get("AWS_ENDPOINT_URL")),
        aws_access_key=get("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"),
        aws_secret_key=get("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY"),
        aws_session_token=get("AWS_SESSION_TOKEN"),
        s3_public_read=_switch("S3_PUBLIC_READ", get("S3_PUBLIC_READ") or "false"),
        database_url=_database(get("DATABASE_URL")),
        access=policy.read(get),
        limits=limits.read(get),
        logs=logs.read(get),
        work_in_app=_switch("WORK_IN_APP", get("WORK_IN_APP") or "true"),
        worker_lost_s=_whole_number("WORKER_LOST_S", get("WORKER_LOST_S") or "30", least=3, most=3600),
    )
    _check_watched(settings)
    return replace(settings, encoder=registry.chosen(wanted, settings))


def _check_watched(settings: Settings) -> None:
    """Raise SettingsError where the app would take its own files for new ones."""
    if settings.watch_dir is None:
        return
    watched = settings.watch_dir.resolve()
    for name, folder in (("DATA_DIR", settings.data_dir), ("EXPORT_DIR", settings.exports_dir)):
        ours = folder.resolve()
        if ours.is_relative_to(watched) or watched.is_relative_to(ours):
            raise SettingsError(
                "WATCH_DIR is {folder!r} and one of it and {name} is in the other: what the app writes would be added "
                "again and again. Set WATCH_DIR to a folder apart.",
                folder=str(settings.watch_dir),
                name=name,
            )


def _form(text: str) -> str:
    if text in ("auto", "side-by-side", "fused"):
        return text
    raise SettingsError("MARENGO_EMBEDDINGS is {text!r}. Set it to auto, side-by-side or fused.", text=text)


def _whole_number(name: str, text: str, least: int, most: int) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        raise SettingsError(
            "{name} is {text!r}. Set it to a whole number from {least} to {most}.",
            name=name,
            text=text,
            least=least,
            most=most,
        )
    return int(text)


def _number_or_none(name: str, text: str | None, most: int) -> int | None:
    return None if text is None else _whole_number(name, text, least=1, most=most)


def _account(name: str, text: str | None) -> str | None:
    if text is None or (len(text) == 12 and text.isascii() and text.isdecimal()):
        return text
    raise SettingsError(
        "{name} is {text!r}. Set it to the number of an AWS account, which has 12 digits.", name=name, text=text
    )


def _switch(name: str, text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise SettingsError("{name} is {text!r}. Set it to true or false.", name=name, text=text)


def _database(text: str | None) -> str | None:
    if text is None or text.startswith(("postgresql://", "postgres://")):
        return text
    raise SettingsError(  # without the value, which may hold a password
        "DATABASE_URL does not begin with postgresql://. Set it to postgresql://USER:PASSWORD@HOST:5432/DATABASE, or "
        "unset it to keep everything in SQLite under DATA_DIR."
    )


def _url(name: str, text: str | None, default_scheme: str | None = None) -> str | None:
    if text is None:
        return None
    if "://" not in text and default_scheme:
        text = f"{default_scheme}://{text}"
    scheme, _, rest = text.partition("://")
    if scheme not in ("http", "https") or not rest or rest.startswith("/"):
        raise SettingsError(
            "{name} is {text!r}. Set it to an address that begins with http:// or https://.", name=name, text=text
        )
    return text.rstrip("/")
