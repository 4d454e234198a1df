"""Check every backend that is set for real and say, a line each, whether it works or what to do.

Each check opens what it needs by itself and runs whatever became of the others: one that is broken hides no other.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core import samples, services
from core.access.access import Access
from core.addresses import is_loopback
from core.discover import taxonomy
from core.encoders import clip_download, clip_models, registry
from core.errors import AppError, EncoderError, StoreError
from core.index.base import Space, is_outgrown
from core.ingest import sandbox
from core.library import damage
from core.models import EncoderInfo, ignore_progress
from core.settings import Settings, load

Check = tuple[str, Callable[[], str]]


class Slower(Exception):
    """Say what works, but not as well as it could; doctor still ends well."""


def run(say: Callable[[str], None] = print) -> int:
    """Do a real round trip through each backend; return 0 if all work, else 1."""
    try:
        settings = load()
    except AppError as error:
        say(f"✗ settings: {error}")
        checks: list[Check] = [("video", _check_video)]
        failed = 1
    else:
        checks = list(_checks(settings))
        failed = 0
    for name, check in checks:
        try:
            say(f"✓ {name}: {check()}")
        except Slower as remark:
            say(f"! {name}: {remark}")
        except AppError as error:
            failed += 1
            say(f"✗ {name}: {error}")
    return 1 if failed else 0


def _checks(settings: Settings) -> Iterator[Check]:
    yield "settings", lambda: _check_settings(settings)
    yield "access", lambda: _check_access(settings)
    yield "categories", lambda: _check_taxonomy(settings)
    if settings.database_url:
        yield "database", lambda: _check_database(settings)
    if settings.database_url or settings.calibration_path.exists():
        yield "calibration", lambda: _check_calibration(settings)
    yield "files", lambda: _check_files(settings)
    yield f"store ({'s3' if settings.aws_bucket else 'folder'})", lambda: _check_store(settings)
    if settings.watch_dir:
        yield "watched folder", lambda: _check_watched(settings)
    yield f"index ({'server' if settings.qdrant_url else 'edge'})", lambda: _check_index(settings)
    yield f"encoder ({settings.encoder})", lambda: _check_encoder(settings)
    if _reads_the_store(settings):
        yield "encoder reads the store", lambda: _check_way(settings)
    yield f"model ({settings.clip_model})", lambda: _check_model(settings)
    yield "queue", lambda: _check_queue(settings)
    yield "video", _check_video


def _check_settings(settings: Settings) -> str:
    services.make_data_dir(settings)
    free = shutil.disk_usage(settings.data_dir).free
    return f"read; everything is written under {settings.data_dir.absolute()}, where {free / 1e9:.1f} GB are free"


def _check_access(settings: Settings) -> str:
    """Say who may come in; sessions are signed and read back where anybody is asked."""
    policy = settings.access
    hosts = f"; asked for as {', '.join(policy.allowed_hosts)} only" if policy.allowed_hosts else ""
    if policy.mode == "open":
        address = os.environ.get("STREAMLIT_SERVER_ADDRESS")
        if address is not None and is_loopback(address):
            return f"open, to this machine only{hosts}"
        return (
            "open: whoever reaches the app may do everything, which is for this machine alone or for a demonstration. "
            f"Set ACCESS=password or oidc before others reach it (docs/security.md){hosts}"
        )
    Access(policy, settings.data_dir).sign_media("check")
    known = f"{len(policy.tokens)} tokens for programs{hosts}"
    if policy.mode == "password":
        who = [role for role, word in (("editors", policy.edit_password), ("viewers", policy.view_password)) if word]
        return f"by password, for {' and '.join(who)}; {known}"
    return f"by a provider; {len(policy.editors)} editors and {len(policy.viewers)} viewers or domains; {known}"


def _check_taxonomy(settings: Settings) -> str:
    themes = taxonomy.load(own=services.own_themes(settings))
    return f"{len(themes.categories)} categories and {len(themes.moods)} moods"


def _check_files(settings: Settings) -> str:
    """Read through what people leave behind, and name what was damaged."""
    with closing(services.open_state_of(settings)) as state:
        said, aside = state.damaged(), damage.told_aside(settings.data_dir)
    if said:
        raise StoreError(" ".join([*said, *aside]))
    if aside:
        raise Slower(" ".join(aside))
    return "none is damaged"


def _check_database(settings: Settings) -> str:
    with closing(services.open_state_of(settings)) as state:
        state.check()
        return f"{state} answers; what people and jobs leave behind is kept there"


def _check_calibration(settings: Settings) -> str:
    fitted = services.calibrations(settings).all()
    told = [f"{name} to {kept.videos} videos on {kept.fitted_at[:10]}" for name, kept in fitted.items()]
    return f"fitted: {'; '.join(told) or 'no encoder'}"


def _check_store(settings: Settings) -> str:
    services.open_store(settings).check()
    return "a file was written, read and deleted"


def _check_watched(settings: Settings) -> str:
    folder = settings.watch_dir
    assert folder is not None
    try:
        with os.scandir(folder) as entries:
            there = sum(1 for _ in entries)
    except OSError as error:
        raise StoreError(
            "WATCH_DIR is {folder!r}, which cannot be read: {why}. Make or mount it, or let this user read it.",
            folder=str(folder),
            why=error.strerror,
        ) from error
    return f"{folder} can be read ({there:,} files and folders); what appears there is added while the app runs"


def _check_index(settings: Settings) -> str:
    held, videos, outgrown = [], {}, False
    with closing(services.open_spaces(settings)) as spaces:
        if not spaces.all():  # As the app does at its first start.
            spaces.make(registry.named(settings.encoder).info(settings), complete=True).close()
        there = spaces.all()
        for space in there:
            # Opening and searching takes no encoder, only the size of its vectors.
            with closing(spaces.open(EncoderInfo(space.encoder, space.dimension, (), ()))) as index:
                counts = index.count()
                index.search(np.ones(space.dimension, dtype=np.float32), limit=1)
                outgrown |= is_outgrown(index, space.dimension)
            videos[space.encoder] = counts.videos
            held.append(f"{counts.videos} videos, {counts.clips} clips by {space.encoder}")
    told = f"answers; {'; '.join(held)}{_told_of_spaces(settings, there, videos)}"
    if outgrown:
        raise Slower(
            f"{told}. That is so much that a search of words takes longer than 25 ms here: set QDRANT_URL to a Qdrant "
            "server and run python -m core move --to server (docs/scaling.md)."
        )
    return told


def _told_of_spaces(settings: Settings, there: list[Space], videos: dict[str, int]) -> str:
    """Return what there is to do about the spaces. Raises Slower when the encoder that is set does not answer."""
    row = registry.named(settings.encoder)
    # A library that was begun fused goes on so, unless somebody says otherwise.
    wanted = [row.info(asked).name for asked in (settings, replace(settings, marengo_embeddings="fused"))]
    complete = [space.encoder for space in there if space.complete and videos[space.encoder]]
    if complete and not set(wanted) & set(complete):
        fullest = max(complete, key=lambda name: videos[name])
        raise Slower(
            f"{fullest} answers, for {wanted[0]}, which is set, has {videos.get(wanted[0], 0)} of {videos[fullest]} "
            "videos. Re-embed the others: python -m core reembed"
        )
    others = [name for name in videos if name not in wanted]
    return f". {', '.join(others)} can be freed: python -m core reembed --drop-old" if complete and others else ""


def _check_encoder(settings: Settings) -> str:
    """Do what it can check for nothing, then let it read a text: that shows the plan and the model too."""
    encoder = registry.named(settings.encoder).build(settings, registry.forget)
    if (check := getattr(encoder, "check", None)) is not None:
        check()
    vector = encoder.encode_text(["a calm forest"])[0]
    if not np.any(vector):
        raise EncoderError("The encoder gave nothing for “a calm forest”. Reinstall the app.")
    return f"{encoder.info.name} turned a text into {vector.size} numbers"


def _reads_the_store(settings: Settings) -> bool:
    """Tell whether the encoder can say that its service reads videos from the store."""
    try:
        return hasattr(registry.named(settings.encoder).build(settings, registry.forget), "check_reads")
    except AppError:  # Its own check says so.
        return False


def _check_way(settings: Settings) -> str:
    """Have the encoder's service read a small file by the store's address, as it does with videos."""
    encoder: Any = registry.named(settings.encoder).build(settings, registry.forget)
    store, key = services.open_store(settings), f"{uuid.uuid4()}.jpg"
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / key
        Image.new("RGB", (360, 360), (128, 128, 128)).save(picture)
        store.put(picture, key, ignore_progress)
    try:
        url = store.url(key)
        if not url.startswith(("http://", "https://")):
            return "videos are sent from here; with a bucket (AWS_BUCKET_NAME) it would read them from there"
        try:
            encoder.check_reads(url)
        except EncoderError as error:
            raise Slower(str(error)) from None
    finally:
        store.delete(key)
    return "a file was read by its address"


def _check_model(settings: Settings) -> str:
    """Try out the model that sees, used or not; that there is none is no fault unless it is to be used."""
    model = clip_models.named(settings.clip_model)
    folders = clip_models.find(model, settings.models_dir, settings.clip_model_dir)
    if folders is None:
        lacks = registry.named("clip").lacks(settings) or ""
        if settings.encoder == "clip" or settings.clip_model_dir:
            raise EncoderError(lacks)
        return f"not on this machine, and not used. To let the app see: python -m core model get {model.name}"
    found = clip_download.try_out(model, folders, settings.clip_threads)
    return f"{found}{'' if settings.encoder == 'clip' else f'; not used, for the encoder is {settings.encoder}'}"


def _check_queue(settings: Settings) -> str:
    waiting = services.unfinished(settings)
    if not waiting:
        return "no file waits"
    reason = next((job.reason for job in waiting if job.reason and not job.duplicate), None)
    said = f"; when they last stopped: {reason}" if reason else ""
    return f"files on their way: {len(waiting)}; they go on when the app runs{said}"


def _check_video() -> str:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "check.mp4"
        samples.render(samples.SCENES[0].name, target)
        info = sandbox.inspect(target)
    return f"rendered and read back {info.duration_s:.1f} s of {info.video_codec}"
