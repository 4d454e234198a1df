"""A real library in a folder of its own behind the pages."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from functools import lru_cache
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner

from core.ingest.jobs import JobQueue
from core.services import build
from core.settings import Settings
from pages.components import early
from pages.components.doors import shared_access
from pages.components.services import close_services, shared_services
from tests.environ import clean_environ
from tests.pages.support import ROOT, add
from tests.support import copy_library
from tests.videos import make_video

# AppTest puts a page's folder into sys.path while it runs, unless it is there, and what another thread imports then
# may not be found: it goes through the same list. `streamlit run` has its folder there from the start.
sys.path.append(str(ROOT / "pages"))


@pytest.fixture(autouse=True, scope="session")
def _packages_are_read_once():
    """Streamlit looks for components through the metadata of all installed packages, anew for each AppTest."""
    read_once = lru_cache(manifest_scanner.scan_component_manifests)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", read_once)
        yield


@pytest.fixture(autouse=True)
def _no_rests(monkeypatch):
    """No browser waits to draw what has come."""
    for rest in ("PARTS_S", "FIRST_S"):
        monkeypatch.setattr(early, rest, 0.0)


@pytest.fixture(scope="session")
def two_videos(tmp_path_factory) -> Path:
    """A DATA_DIR with an animal and none, and the clips they came from; made once, to be copied."""
    folder = tmp_path_factory.mktemp("two")
    clips = {"a": "grey wolf in a forest.mp4", "b": "tax office.mp4"}
    with closing(build(Settings(data_dir=folder / "data"))) as services:
        services.jobs.start()
        for number, (name, filename) in enumerate(clips.items()):
            add(services, make_video(folder / f"{name}.mp4", audio="aac", tone_hz=300 + 100 * number), filename)
    return folder


@pytest.fixture
def services(request, tmp_path, monkeypatch):
    for name in set(os.environ) - set(clean_environ()):
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    # A page that is opened outside of a server takes the host for one without routes: its folder is a test's own too.
    monkeypatch.setattr("pages.components.services.STATIC_DIR", tmp_path / "static")
    monkeypatch.chdir(ROOT)
    if "library" in request.fixturenames:
        copy_library(request.getfixturevalue("two_videos") / "data", tmp_path / "data")
    shared_services.clear()
    shared_access.clear()
    yield shared_services()
    close_services()


@pytest.fixture
def library(services):
    """Two videos: an animal and none."""
    return services


@pytest.fixture
def no_workers(monkeypatch):
    monkeypatch.setattr(JobQueue, "start", lambda queue: None)
