"""How long do 20 videos take through the cloud path, and how many bytes travel?

Beside it, in the same run, the tutorial's way does the same for the same files, one after the other: upload to S3,
upload again to TwelveLabs, wait, insert, next. Both talk through the real SDKs to local servers that keep the services'
rules (tests/servers); an embedding task takes as long as --seconds says, however many run. The app is the whole one, as
core/services.py wires it, with checks, posters and a queue on disk.

    python bench/cloud.py [--videos 20] [--seconds 3] [--concurrency 4]

Exit status 1 when the app is less than 3 times as fast, sends more than half the video bytes, or takes more than 1.3
times the ideal (tasks back to back, as many at a time as allowed, all else free).
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from botocore.client import BaseClient
from twelvelabs import TwelveLabs
from twelvelabs.types.async_video_input_request import AsyncVideoInputRequest
from twelvelabs.types.media_source import MediaSource

from core import services
from core.index import base
from core.index.server import ServerIndex
from core.ingest import inspecting
from core.models import EncoderInfo, Entry, Stage
from core.settings import Settings
from tests.servers.qdrant import QdrantServer
from tests.servers.s3 import ACCESS_KEY, CLEAN_ENVIRONMENT, REGION, SECRET_KEY, S3Server
from tests.servers.twelvelabs import API_KEY, TwelveLabsServer
from tests.videos import make_video

LEAST_TIMES_FASTER, MOST_BYTES_SHARE, MOST_TIMES_IDEAL = 3.0, 0.5, 1.3
TUTORIAL_POLL_S = 1.0
"""The tutorial's own is longer; this is in its favour."""
MODEL = "marengo3.0"


def main() -> int:
    options = _options()
    os.environ.update(CLEAN_ENVIRONMENT)
    with (
        tempfile.TemporaryDirectory() as folder,
        S3Server() as s3,
        QdrantServer() as qdrant,
        TwelveLabsServer(seconds_per_task=options.seconds) as service,
    ):
        files = _make_files(Path(folder) / "files", options.videos)
        size = sum(path.stat().st_size for path in files)
        print(
            f"{len(files)} videos, {size / 1e6:.1f} MB, {options.seconds:g} s a task, {options.concurrency} at a time"
        )

        theirs_s, theirs = _sequential(files, s3, service, qdrant)
        print(f"  one after the other   {theirs_s:6.1f} s   {_megabytes(theirs)}")

        ours_s, ours = _app(files, Path(folder) / "data", s3, service, qdrant, options.concurrency)
        print(f"  this app              {ours_s:6.1f} s   {_megabytes(ours)}")
    ideal_s = math.ceil(len(files) / options.concurrency) * options.seconds
    print(f"  ideal                 {ideal_s:6.1f} s")
    return _judge(theirs_s / ours_s, ours["videos"] / theirs["videos"], ours_s / ideal_s)


def _sequential(
    files: list[Path], s3: S3Server, service: TwelveLabsServer, qdrant: QdrantServer
) -> tuple[float, dict[str, int]]:
    """Do it as the tutorial does; return the seconds and the bytes sent."""
    bucket, before = s3.make_bucket(), service.received_bytes
    client = TwelveLabs(api_key=API_KEY, base_url=service.url)
    info = EncoderInfo("tutorial", 512, (), ())
    index = ServerIndex(qdrant.url, None, "tutorial", info)
    start = time.perf_counter()
    for path in files:
        s3.client.upload_file(str(path), bucket, path.name)
        with path.open("rb") as file:
            asset = client.assets.create(method="direct", file=(path.name, file), filename=path.name)
        while client.assets.retrieve(asset.id).status != "ready":
            time.sleep(TUTORIAL_POLL_S)
        origin = MediaSource(asset_id=asset.id)
        task = client.embed.v_2.tasks.create(
            input_type="video", model_name=MODEL, video=AsyncVideoInputRequest(media_source=origin)
        )
        while (answer := client.embed.v_2.tasks.retrieve(task.id)).status != "ready":
            time.sleep(TUTORIAL_POLL_S)
        index.upsert([_entry(path, number, row.embedding, info) for number, row in enumerate(answer.data)])
    seconds = time.perf_counter() - start
    index.close()
    stored = _stored_bytes(s3.client, bucket)
    return seconds, {"videos": stored["videos"] + service.received_bytes - before, "posters": 0}


def _entry(path: Path, number: int, vector: list[float], info: EncoderInfo) -> Entry:
    sha256 = inspecting.sha256(path)
    return Entry(
        video_id=base.video_id(sha256),
        scope="clip",
        start_s=float(number),
        end_s=number + 1.0,
        vector=np.asarray(vector, np.float32) / np.float32(np.linalg.norm(vector)),
        filename=path.name,
        title=path.stem,
        media_key=f"{sha256[:32]}.mp4",
        poster_key=None,
        duration_s=8.0,
        width_px=640,
        height_px=360,
        has_audio=True,
        encoder=info.name,
        content_sha256=sha256,
        ingested_at="2026-11-23T08:00:00+00:00",
    )


def _app(
    files: list[Path], data_dir: Path, s3: S3Server, service: TwelveLabsServer, qdrant: QdrantServer, concurrency: int
) -> tuple[float, dict[str, int]]:
    """Give the files to the app; return the seconds until all are ready, and the bytes sent."""
    bucket, before, tasks_before = s3.make_bucket(), service.received_bytes, len(service.tasks)
    settings = Settings(
        data_dir=data_dir,
        encoder="twelvelabs",
        twelvelabs_api_key=API_KEY,
        twelvelabs_base_url=service.url,
        twelvelabs_concurrency=concurrency,
        qdrant_url=qdrant.url,
        aws_bucket=bucket,
        aws_region=REGION,
        aws_endpoint_url=s3.url,
        aws_access_key=ACCESS_KEY,
        aws_secret_key=SECRET_KEY,
    )
    app = services.build(settings)
    try:
        app.jobs.start()
        start = time.perf_counter()
        jobs = app.jobs.wait([app.jobs.submit(path).id for path in files])
        seconds = time.perf_counter() - start
    finally:
        app.close()
    assert Counter(job.stage for job in jobs) == {Stage.READY: len(files)}, [job.reason for job in jobs]
    assert len(service.tasks) - tasks_before == len(files)
    sent = _stored_bytes(s3.client, bucket)
    return seconds, {**sent, "videos": sent["videos"] + service.received_bytes - before}


def _stored_bytes(client: BaseClient, bucket: str) -> dict[str, int]:
    """Return the bytes that lie in a bucket, each sent there once."""
    objects = client.list_objects_v2(Bucket=bucket)["Contents"]
    posters = sum(row["Size"] for row in objects if row["Key"].endswith(".jpg"))
    return {"videos": sum(row["Size"] for row in objects) - posters, "posters": posters}


def _make_files(folder: Path, count: int) -> list[Path]:
    """Make videos of about a megabyte: coarse noise, so that each is other content."""
    folder.mkdir()

    def make(number: int) -> Path:
        noise = np.random.default_rng(number).integers(0, 256, (32, 12, 20, 3), np.uint8)

        def draw(index: int, width: int, height: int) -> np.ndarray:
            return noise[index % 32].repeat(height // 12, axis=0).repeat(width // 20, axis=1)

        target = folder / f"film {number}.mp4"
        return make_video(target, seconds=8, size=(640, 360), fps=12, pattern=draw, audio="aac")

    return [make(number) for number in range(count)]


def _judge(times_faster: float, bytes_share: float, times_ideal: float) -> int:
    rows = (
        ("times faster", times_faster, times_faster >= LEAST_TIMES_FASTER, f"at least {LEAST_TIMES_FASTER}"),
        ("video bytes, share", bytes_share, bytes_share <= MOST_BYTES_SHARE, f"at most {MOST_BYTES_SHARE}"),
        ("times the ideal", times_ideal, times_ideal <= MOST_TIMES_IDEAL, f"at most {MOST_TIMES_IDEAL}"),
    )
    for name, value, good, wanted in rows:
        print(f"{name:20} {value:6.2f}   {'met' if good else 'MISSED'} ({wanted})")
    return 0 if all(good for _, _, good, _ in rows) else 1


def _megabytes(sent: dict[str, int]) -> str:
    posters = f" and {sent['posters'] / 1e6:.1f} MB of posters" if sent["posters"] else ""
    return f"{sent['videos'] / 1e6:6.1f} MB of video sent{posters}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long a task takes")
    parser.add_argument("--concurrency", type=int, default=4)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
