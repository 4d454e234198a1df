"""Check every configured backend for real and say, a line each, whether it works or what to do."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core import samples
from core.errors import AppError, EncoderError
from core.ingest import inspecting
from core.models import Job, ignore_progress
from core.services import Services, build
from core.settings import load

Check = tuple[str, Callable[[], str]]


class Slower(Exception):
    """Say what works, but not as well as it could; doctor still ends well."""


def run(say: Callable[[str], None] = print) -> int:
    """Do a real round trip through each backend; return 0 if all work, else 1."""
    try:
        services = build(load())
    except AppError as error:
        say(f"✗ settings: {error}")
        return 1
    failed = 0
    try:
        for name, check in _checks(services):
            try:
                say(f"✓ {name}: {check()}")
            except Slower as remark:
                say(f"! {name}: {remark}")
            except AppError as error:
                failed += 1
                say(f"✗ {name}: {error}")
    finally:
        services.close()
    return 1 if failed else 0


def _checks(services: Services) -> Iterator[Check]:
    yield "settings", lambda: f"read; everything is written under {services.settings.data_dir.absolute()}"
    yield f"store ({services.store.name})", lambda: _check_store(services)
    yield f"index ({services.index.name})", lambda: _check_index(services)
    yield f"encoder ({services.encoder.info.name})", lambda: _check_encoder(services)
    if hasattr(_bare(services), "check_reads"):
        yield "encoder reads the store", lambda: _check_way(services)
    if waiting := [job for job in services.jobs.jobs() if not job.stage.is_over]:
        yield "queue", lambda: _check_queue(waiting)
    yield "video", lambda: _check_video()


def _check_store(services: Services) -> str:
    services.store.check()
    return "a file was written, read and deleted"


def _check_index(services: Services) -> str:
    counts = services.index.count()
    probe = np.ones(services.encoder.info.dimension, dtype=np.float32)
    services.index.search(probe, limit=1)
    return f"answers; {counts.videos} videos, {counts.clips} clips"


def _check_encoder(services: Services) -> str:
    encoder = _bare(services)
    if (check := getattr(encoder, "check", None)) is not None:
        check()
    vector = encoder.encode_text(["a calm forest"])[0]
    if not np.any(vector):
        raise AppError("the encoder gave nothing for 'a calm forest'. Reinstall the app.")
    return f"turned a text into {vector.size} numbers"


def _bare(services: Services) -> Any:
    """Return the encoder itself, past the texts that are remembered."""
    encoder = services.encoder
    while hasattr(encoder, "encoder"):
        encoder = encoder.encoder
    return encoder


def _check_way(services: Services) -> str:
    """Have the encoder's service read a small file by the store's address, as it does with videos."""
    key = f"{uuid.uuid4()}.jpg"
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / key
        Image.new("RGB", (360, 360), (128, 128, 128)).save(picture)
        services.store.put(picture, key, ignore_progress)
    try:
        url = services.store.url(key)
        if not url.startswith(("http://", "https://")):
            return "videos are sent from here; with a bucket (AWS_BUCKET_NAME) it would read them from there"
        try:
            _bare(services).check_reads(url)
        except EncoderError as error:
            raise Slower(str(error)) from None
    finally:
        services.store.delete(key)
    return "a file was read by its address"


def _check_queue(waiting: Sequence[Job]) -> str:
    reason = next((job.reason for job in waiting if job.reason and not job.duplicate), None)
    said = f"; when they last stopped: {reason}" if reason else ""
    return f"files on their way: {len(waiting)}; they go on when the app runs{said}"


def _check_video() -> str:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "check.mp4"
        samples.render(samples.SCENES[0].name, target)
        info = inspecting.inspect(target)
    return f"rendered and read back {info.duration_s:.1f} s of {info.video_codec}"
