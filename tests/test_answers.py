"""From files to answers with the real parts: labelled when they are added, filtered and counted by the index."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.models import Query, Stage
from core.services import build
from core.serving.routes import routes
from core.settings import load
from tests.environ import clean_environ
from tests.videos import make_video, plain

PATIENCE_S = 300.0
"""How long to wait for what must happen; reached only when it does not, or on a machine with a crowd on it."""
FILES = {
    "grey wolf in a forest.mp4": (64, 36),
    "white wolf in the snow.mp4": (36, 64),
    "lion and zebra.mp4": (36, 64),
    "tax office.mp4": (36, 64),
}


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


@pytest.fixture
def services(tmp_path, monkeypatch):
    for name in set(os.environ) - set(clean_environ()):
        monkeypatch.delenv(name)
    opened = build(load({"DATA_DIR": str(tmp_path / "data"), "ENCODER": "local"}, None))
    opened.start()
    yield opened
    opened.close()


def test_files_that_are_added_are_found_by_category_and_shape_with_exact_totals(services, tmp_path):
    jobs = [
        services.jobs.submit(make_video(tmp_path / name, seconds=1.2, size=size, fps=5, pattern=plain(30 * n, 90, 60)))
        for n, (name, size) in enumerate(FILES.items())
    ]
    done = services.jobs.wait([job.id for job in jobs], timeout_s=PATIENCE_S)
    assert [job.stage for job in done] == [Stage.READY] * len(FILES)
    assert services.discover.labelled().is_all, "known when it is embedded, without a pass"

    client = TestClient(Starlette(routes=routes(lambda: services)))

    def found(**asked):
        answer = client.post("/search", json=asked)
        return {hit["filename"] for hit in answer.json()}, answer.headers

    animals, headers = found(category="animals")
    assert animals == set(FILES) - {"tax office.mp4"}
    assert (headers["x-total-count"], headers["x-total-exact"]) == ("3", "true")
    portrait, headers = found(category="animals", shape="portrait", limit=1)
    more, last = found(category="animals", shape="portrait", limit=1, cursor=headers["x-next-cursor"])
    assert portrait | more == {"white wolf in the snow.mp4", "lion and zebra.mp4"}
    assert headers["x-total-count"] == "2"
    assert "x-next-cursor" not in last
    assert services.discover.counts()["animals"] == 3
    assert services.discover.counts({"shape": ("portrait",)})["animals"] == 2

    services.add_theme("category", "Bureaucracy", ["tax office"])
    until(lambda: services.discover.counts().get("bureaucracy") == 1)
    assert [hit.filename for hit in services.discover.search(Query(categories=("bureaucracy",))).hits] == [
        "tax office.mp4"
    ]

    office = next(entry for entry in services.index.scroll(scope="video") if entry.filename == "tax office.mp4")
    assert services.library.editor.edit(office.video_id, title="Grey wolf at the tax office")
    until(lambda: services.discover.counts()["animals"] == 4)
