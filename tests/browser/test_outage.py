"""Each service goes away in turn while 24 videos go in and somebody watches: nothing breaks, nothing is paid twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.test_app import upload, wait_for_ready
from tests.ports import free_port
from tests.servers import LocalServer
from tests.servers.qdrant import QdrantServer
from tests.servers.s3 import ACCESS_KEY, CLEAN_ENVIRONMENT, REGION, SECRET_KEY, S3Server
from tests.servers.twelvelabs import API_KEY, TwelveLabsServer
from tests.videos import make_video, plain

FILES = 24
BROKEN = "[data-testid=stException], [data-testid=stAppViewContainer] >> text=/encountered an error|Traceback/"


@pytest.fixture
def cloud() -> Iterator[tuple[TwelveLabsServer, S3Server, QdrantServer]]:
    with TwelveLabsServer(seconds_per_task=1.5) as twelvelabs, S3Server() as s3, QdrantServer() as qdrant:
        yield twelvelabs, s3, qdrant


def test_each_service_goes_away_in_turn_while_somebody_watches(
    cloud: tuple[TwelveLabsServer, S3Server, QdrantServer], page: Page, tmp_path: Path
) -> None:
    twelvelabs, s3, qdrant = cloud
    bucket = s3.make_bucket()
    (tmp_path / "inbox").mkdir()
    files = []
    for n in range(FILES):
        look = {"seconds": 4.5, "size": (480, 360), "fps": 2, "pattern": plain(10 * n, 99, 250 - 10 * n)}
        files.append(make_video(tmp_path / "inbox" / f"film {n}.mp4", **look))
    server = Server(tmp_path / "data", free_port())
    server.start(
        **CLEAN_ENVIRONMENT,
        TWELVE_LABS_API_KEY=API_KEY,
        TWELVELABS_BASE_URL=twelvelabs.url,
        QDRANT_URL=qdrant.url,
        AWS_BUCKET_NAME=bucket,
        AWS_ENDPOINT_URL=s3.url,
        AWS_REGION=REGION,
        AWS_ACCESS_KEY_ID=ACCESS_KEY,
        AWS_SECRET_ACCESS_KEY=SECRET_KEY,
    )
    try:
        upload(page, server, *files)
        expect(page.get_by_text(f"of {FILES} files ready")).to_be_visible(timeout=60_000)
        for away in (twelvelabs, s3, qdrant):
            watch_without(away, page, server)
        page.goto(f"{server.url}/ingest")
        wait_for_ready(page, FILES, timeout_s=240)
        expect(page.locator(BROKEN)).to_have_count(0)
    finally:
        server.stop()
    paid = [task for task in twelvelabs.tasks.values() if task.status == "ready"]
    assert len(paid) == FILES, "something was paid for twice, or not at all"
    # How long the store is away depends on how fast pages are drawn. After three tries videos are sent, each once.
    sent = [asset.filename for asset in twelvelabs.assets.values()]
    assert len(sent) == len(set(sent)), "the same bytes were sent twice"
    assert len(s3.client.list_objects_v2(Bucket=bucket)["Contents"]) == 2 * FILES
    assert "Traceback" not in server.log()


def watch_without(away: LocalServer, page: Page, server: Server) -> None:
    """Look at every page while a service is away: each says what it cannot do and shows the rest."""
    away.stop()
    for path in ("ingest", "", "?category=animals", "?q=a+grey+wolf", "ingest"):
        page.goto(f"{server.url}/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=60_000)
        page.wait_for_timeout(1_500)
        expect(page.locator(BROKEN)).to_have_count(0)
    away.start()
