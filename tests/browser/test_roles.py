"""Who may do what, in a real browser before the real server: open, by password, by a provider; and a session's end."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from core.access.access import COOKIE, Access
from core.access.policy import read
from core.services import build
from core.settings import load
from tests.browser.conftest import Server
from tests.ports import free_port
from tests.servers.oidc import OidcProvider
from tests.videos import make_video

PASSWORDS = {"ACCESS": "password", "VIEW_PASSWORD": "look at this", "EDIT_PASSWORD": "change that"}
OIDC = {"ACCESS": "oidc", "EDITORS": "anna@example.org", "VIEWERS": "@school.example"}
TOKENS = {"API_TOKENS": "screen:viewer:fedcba9876543210"}
STREAMLITS_OWN = re.compile(r"/(ingest|library)/_stcore/(health|host-config)|fonts\.gstatic\.com")
"""What Streamlit asks for in vain by itself: whether a page's path is where the app is, and a picture from outside."""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory) -> Path:
    """A library with one animal, that each server of this file serves in turn."""
    folder = tmp_path_factory.mktemp("access")
    services = build(load({"DATA_DIR": str(folder / "data")}, dotenv_path=None))
    services.start()
    job = services.jobs.submit(make_video(folder / "grey wolf in a forest.mp4", seconds=3))
    assert [str(one.stage) for one in services.jobs.wait([job.id], timeout_s=120)] == ["ready"]
    services.close()
    return folder / "data"


@pytest.fixture
def serve(data_dir) -> Iterator:
    running: list[Server] = []

    def start(port: int | None = None, **environ: str) -> Server:
        server = Server(data_dir, port or free_port())
        server.start(**environ)
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, bypass_csp=False)
    yield context
    context.close()


def complaints(page: Page) -> list[str]:
    """Return a list that fills with what the browser complains of from now on."""
    found: list[str] = []

    def heard(message) -> None:
        if message.type == "error" and not STREAMLITS_OWN.search(message.text + str(message.location)):
            found.append(f"{message.text} {message.location}")

    page.on("console", heard)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def plays(page: Page) -> None:
    expect(page.locator("video").first).to_have_js_property("readyState", 4, timeout=60_000)


def sign_in(page: Page, password: str) -> None:
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def statuses(context: BrowserContext, server: Server) -> dict[str, int]:
    """Return what an editor's gestures over HTTP are answered with."""
    asked = {
        "upload": ("PUT", "/_stcore/upload_file/any/any"),
        "drop an upload": ("DELETE", "/_stcore/upload_file/any/any"),
        "change a video": ("PATCH", "/api/videos/any"),
        "delete a video": ("DELETE", "/api/videos/any"),
        "metrics": ("GET", "/api/metrics"),
        "Streamlit's metrics": ("GET", "/_stcore/metrics"),
        "run a page as a program": ("POST", "/_stcore/agent/interact"),
    }
    return {
        name: context.request.fetch(f"{server.url}{path}", method=method, data="x").status
        for name, (method, path) in asked.items()
    }


def test_open_every_page_is_there_and_no_browser_complains(serve, context):
    server, page = serve(), context.new_page()
    heard = complaints(page)
    page.goto(f"{server.url}/?category=animals")
    plays(page)
    page.get_by_role("button", name="Share").first.wait_for()
    page.goto(f"{server.url}/?view=feed&category=animals")
    plays(page)
    page.get_by_role("link", name="Ingest").first.click()
    expect(page.get_by_test_id("stFileUploaderDropzone")).to_be_visible()
    expect(page.get_by_text("Open to whoever")).to_have_count(0)  # it listens on loopback only
    page.goto(f"{server.url}/library")
    page.locator("[class*=st-key-open-] button").first.wait_for()
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.locator("[class*=st-key-open-] button").first.click()
    expect(page.get_by_label("Title")).to_be_visible()
    page.get_by_role("link", name="Discover").first.click()
    page.get_by_role("button", name="Play").first.wait_for()
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.get_by_text(re.compile("^Sees ")).first.click()
    expect(page.get_by_text("Encoder", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
    assert heard == []


def test_by_password_a_viewer_watches_and_can_do_nothing_else(serve, context):
    server, page = serve(**PASSWORDS, **TOKENS), context.new_page()
    page.goto(f"{server.url}/?category=animals")
    expect(page).to_have_url(re.compile("/signin"))
    assert context.request.post(f"{server.url}/search", data={"category": "animals"}).status == 401
    sign_in(page, "a guess")
    expect(page.get_by_role("alert")).to_have_text("That is not the password.")
    heard = complaints(page)
    sign_in(page, "look at this")
    expect(page).to_have_url(f"{server.url}/?category=animals")
    plays(page)
    address = page.locator("video").first.evaluate("video => video.currentSrc")
    expect(page.get_by_role("link", name="Ingest")).to_have_count(0)
    page.get_by_test_id("stPopover").filter(has_text="Save").get_by_role("button").click()
    expect(page.get_by_text("Channels are saved by editors")).to_be_visible()
    expect(page.get_by_text("Save this search as a channel")).to_have_count(0)

    page.goto(f"{server.url}/ingest")
    expect(page.get_by_text("Only for editors")).to_be_visible()
    expect(page.get_by_text("You are: Viewer.")).to_be_visible()
    expect(page.get_by_test_id("stFileUploaderDropzone")).to_have_count(0)
    assert heard == []
    assert set(statuses(context, server).values()) == {403}
    (hit,) = context.request.post(f"{server.url}/search", data={"category": "animals"}).json()

    # An address of media that was signed opens by itself, for a while; without its signature it does not.
    context.clear_cookies()
    for url in (address, hit["url"]):
        assert context.request.get(url, headers={"range": "bytes=0-9"}).status == 206
        assert context.request.get(url.partition("?")[0]).status == 401
    assert set(statuses(context, server).values()) == {401}
    bearer = {"authorization": "Bearer fedcba9876543210"}
    assert context.request.get(f"{server.url}/api/health", headers=bearer).json()["videos"] == 1


def test_a_session_that_is_over_leads_to_the_way_in(serve, context, data_dir, monkeypatch):
    server, page = serve(**PASSWORDS), context.new_page()
    page.goto(f"{server.url}/ingest")
    sign_in(page, "change that")
    expect(page.get_by_test_id("stFileUploaderDropzone")).to_be_visible()

    # Signed out in another tab: this one, which stands open, does nothing more and shows nothing more.
    other = context.new_page()
    other.goto(f"{server.url}/?category=animals")
    other.get_by_text(re.compile("^Sees ")).first.click()
    expect(other.get_by_text("Editor", exact=True)).to_be_visible()
    other.get_by_role("button", name="Sign out").click()
    expect(other).to_have_url(re.compile("/signin"))
    expect(page).to_have_url(re.compile(r"/signin\?next=%2Fingest"))  # the list of files is drawn anew by itself
    assert context.request.get(f"{server.url}/api/health").status == 401

    # One that ended by time is nobody's.
    issued = time.time() - 13 * 3600
    with monkeypatch.context() as patch:
        patch.setattr("itsdangerous.timed.time.time", lambda: issued)
        old = Access(read(PASSWORDS.get), data_dir).sign_in("change that", "here")
    context.add_cookies([{"name": COOKIE, "value": old, "url": server.url}])
    assert context.request.get(f"{server.url}/api/health").status == 401
    page.goto(f"{server.url}/ingest")
    expect(page).to_have_url(re.compile("/signin"))


def test_by_a_provider_everybody_is_who_they_are(serve, browser, tmp_path):
    port = free_port()
    with OidcProvider() as provider:
        secrets = tmp_path / ".streamlit" / "secrets.toml"
        secrets.parent.mkdir()
        secrets.write_text(provider.secrets_toml(f"http://127.0.0.1:{port}"))
        server = serve(port, HOME=str(tmp_path), **OIDC)

        def enter(address: str) -> tuple[BrowserContext, Page]:
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            page = context.new_page()
            page.goto(server.url)
            expect(page.get_by_text("Sign in with the account")).to_be_visible()
            assert context.request.get(f"{server.url}/api/health").status == 401
            page.get_by_role("button", name="Sign in").click()
            page.get_by_label("Address").fill(address)
            page.get_by_role("button", name="Continue").click()
            return context, page

        context, page = enter("Anna@example.org")
        page.get_by_role("link", name="Ingest").first.click()
        expect(page.get_by_test_id("stFileUploaderDropzone")).to_be_visible()
        page.get_by_text(re.compile("^Sees ")).first.click()
        expect(page.get_by_text("anna@example.org · Editor")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_text("Sign in with the account")).to_be_visible()
        assert context.request.get(f"{server.url}/api/health").status == 401
        context.close()

        context, page = enter("ben@school.example")
        expect(page.locator("[class*=st-key-card-]").first).to_be_visible()
        page.get_by_role("button", name="Filters").click()
        expect(page.get_by_text("Yours, ben@school.example.")).to_be_visible()
        expect(page.get_by_role("link", name="Ingest")).to_have_count(0)
        assert set(statuses(context, server).values()) == {403}
        mine, others = ({"category": "animals", "profile": name} for name in ("ben@school.example", "anna@example.org"))
        assert context.request.post(f"{server.url}/search", data=mine).status == 200
        assert context.request.post(f"{server.url}/search", data=others).status == 403
        page.goto(f"{server.url}/ingest")
        expect(page.get_by_text("Only for editors")).to_be_visible()
        context.close()

        context, page = enter("mallory@example.org")
        expect(page.get_by_text("not among those that may come in")).to_be_visible()
        expect(page.locator("[class*=st-key-card-]")).to_have_count(0)
        assert set(statuses(context, server).values()) == {401}
        context.close()
