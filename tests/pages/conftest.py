"""A real library in a folder of its own behind the pages."""

from __future__ import annotations

import os
import sys

import pytest

from core.ingest.jobs import JobQueue
from pages.components.doors import shared_access
from pages.components.services import close_services, shared_services
from tests.environ import clean_environ
from tests.pages.support import ROOT, add
from tests.videos import make_video

# AppTest puts a page's folder into sys.path while it runs, unless it is there, and what another thread imports then
# may not be found: it goes through the same list. `streamlit run` has its folder there from the start.
sys.path.append(str(ROOT / "pages"))


@pytest.fixture
def services(tmp_path, monkeypatch):
    for name in set(os.environ) - set(clean_environ()):
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(ROOT)
    shared_services.clear()
    shared_access.clear()
    yield shared_services()
    close_services()


@pytest.fixture
def library(services, tmp_path):
    """Two videos: an animal and none."""
    add(services, make_video(tmp_path / "a.mp4", audio="aac", tone_hz=300), "grey wolf in a forest.mp4")
    add(services, make_video(tmp_path / "b.mp4", audio="aac", tone_hz=400), "tax office.mp4")
    return services


@pytest.fixture
def no_workers(monkeypatch):
    monkeypatch.setattr(JobQueue, "start", lambda queue: None)
