"""A real server on loopback with a library of its own, and a real browser before it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.environ import clean_environ
from tests.ports import free_port
from tests.support import copy_library
from tests.videos import make_video, plain

ROOT = Path(__file__).parents[2]
SHELL = "chromium-headless-shell"
"""Chromium without windows to draw: a page costs two thirds of the processor's time. Debian has both."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --autoplay-policy=no-user-gesture-required"
).split()

ANIMALS = ("wolf", "dog", "kitten", "horse", "fox", "bear", "lion", "tiger", "sheep", "goat", "cow", "rabbit", "deer")

PATIENCE_MS = 60_000
"""How long a test waits for what must happen; reached only when it does not."""
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass
class Server:
    """The app as `streamlit run` starts it. `start` and `kill` may be called again and again on the same library."""

    data_dir: Path
    port: int
    process: subprocess.Popen | None = None
    root: Path = ROOT
    """Where streamlit_app.py is."""
    base_path: str = ""
    """Where a proxy shows it: "" or "/name"."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.base_path}"

    def start(self, **environ: str) -> None:
        log = (self.data_dir.parent / f"server-{self.port}.log").open("ab")
        with log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
                + [f"--server.port={self.port}", "--server.address=127.0.0.1"]
                + [f"--server.baseUrlPath={self.base_path}"],
                cwd=self.root,
                env={**clean_environ(), "DATA_DIR": str(self.data_dir), **environ},
                stdout=log,
                stderr=log,
            )
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2):
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                assert self.process.poll() is None, self.log()
                time.sleep(0.1)
        raise AssertionError(f"the server did not come up: {self.log()}")

    def log(self) -> str:
        return (self.data_dir.parent / f"server-{self.port}.log").read_text("utf-8", "replace")[-4000:]

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        """End it as Ctrl-C would."""
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(120)
            except subprocess.TimeoutExpired:
                self.kill()
                raise


SETTLED = """() => {
    if (!window.still) {
        window.still = { frames: 0 };
        const changes = { subtree: true, childList: true, characterData: true, attributes: true };
        new MutationObserver(() => { window.still.frames = 0; }).observe(document, changes);
    }
    const runs = !document.querySelector('[data-testid="stApp"][data-test-script-state="notRunning"]');
    if (runs || document.querySelector('[data-testid="stSkeleton"], [data-stale="true"]')) window.still.frames = 0;
    return ++window.still.frames >= 20;
}"""
"""Nothing runs and nothing was drawn for twenty frames. What is pressed before may be drawn anew under the press."""


def settle(page: Page) -> None:
    """Wait until the page is drawn whole, as a person would before pressing something."""
    page.evaluate("() => { if (window.still) window.still.frames = 0; }")
    page.wait_for_function(SETTLED)


def go(page: Page, url: str) -> None:
    """Open a page and wait until it is drawn whole."""
    page.goto(url)
    settle(page)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "data", free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = next((found for name in (SHELL, *BROWSERS) if (found := shutil.which(name))), None)
    if program is None:
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail("REQUIRE_BROWSER is set and there is no Chromium. Install it: apt-get install chromium")
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        made = browser.new_context

        def new_context(**options: object) -> BrowserContext:
            # What Playwright waits with evaluates text, which our policy of content forbids (test_roles.py).
            context = made(**{"bypass_csp": True, **options})
            context.set_default_timeout(PATIENCE_MS)
            return context

        browser.new_context = new_context
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def nothing_stays_open(request: pytest.FixtureRequest) -> Iterator[None]:
    """Close what a test that failed left open: its pages would go on working beside all tests that follow."""
    browser = request.getfixturevalue("browser") if "browser" in request.fixturenames else None
    yield
    for context in browser.contexts if browser else ():
        context.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with thirteen animals, more than one page, for tests that leave them as they are."""
    library = thirteen_animals(tmp_path_factory)
    server = Server(tmp_path_factory.mktemp("full") / "data", free_port())
    copy_library(library, server.data_dir)
    server.start()
    yield server
    server.stop()


def thirteen_animals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a DATA_DIR that is made once for all processes that run tests; nobody may use it but to copy it."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    library = shared / "thirteen animals"
    with (shared / "thirteen animals.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not library.exists():
            clips, made = shared / "thirteen clips", shared / "thirteen animals being made"
            clips.mkdir()
            for n, name in enumerate(ANIMALS):
                make_video(clips / f"{name} animal.mp4", seconds=4, pattern=plain(19 * n, 240 - 19 * n, 90))
            environ = {**clean_environ(), "DATA_DIR": str(made)}
            subprocess.run([sys.executable, "-m", "core", "ingest", str(clips)], cwd=ROOT, env=environ, check=True)
            made.rename(library)
    return library
