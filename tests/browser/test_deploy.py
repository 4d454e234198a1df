"""The app where docs/deploying.md says it runs: behind nginx under a path, as a plain script, by its image's steps."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Server, settle
from tests.browser.test_app import health, plays, upload, wait_for_ready
from tests.environ import clean_environ
from tests.ports import free_port
from tests.videos import make_video

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def request(url: str, body: dict | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers (names in lower case) and body of an answer, also of one that is an error."""
    data = None if body is None else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, names), timeout=120) as answer:
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {name.lower(): value for name, value in error.headers.items()}, error.read()


def media_url(page: Page) -> str:
    return page.locator("video").first.evaluate("video => video.currentSrc || video.src")


def watch_media(page: Page) -> list[tuple[int, str]]:
    """Return a list that fills with the status and address of what the browser fetches of videos and posters."""
    seen: list[tuple[int, str]] = []
    page.on(
        "response",
        lambda answer: seen.append((answer.status, answer.url)) if "/app/static/media/" in answer.url else None,
    )
    return seen


# Behind a proxy


def nginx_config(app_port: int, port: int, folder: Path) -> str:
    """Return the configuration that docs/deploying.md shows, on these ports, with nothing outside the folder."""
    block = re.search(r"```nginx\n(.*?)```", (ROOT / "docs/deploying.md").read_text("utf-8"), re.DOTALL)[1]
    ours = {"listen 80;": f"listen 127.0.0.1:{port};", "127.0.0.1:8501": f"127.0.0.1:{app_port}"}
    for shown, here in ours.items():
        assert block.count(shown) == 1, f"{shown!r} is not in docs/deploying.md"
        block = block.replace(shown, here)
    temporary = "".join(
        f"{kind}_temp_path {folder / kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    return (
        f"{user}daemon off;\nworker_processes 1;\npid {folder / 'nginx.pid'};\nerror_log stderr;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{temporary}{block}}}\n"
    )


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """The app under /videos as a person reaches it through nginx, and as programs near by do."""
    if NGINX is None:
        pytest.skip("no nginx on this machine: apt-get install nginx-light")
    inside = Server(tmp_path / "data", free_port(), base_path="/videos")
    inside.start()
    outside = replace(inside, port=free_port(), process=None)
    folder = tmp_path / "nginx"
    folder.mkdir()
    config = folder / "nginx.conf"
    config.write_text(nginx_config(inside.port, outside.port, folder))
    with (folder / "log").open("wb") as log:
        nginx = subprocess.Popen([NGINX, "-e", "stderr", "-p", folder, "-c", config], stdout=log, stderr=log)
    try:
        for _ in range(100):
            assert nginx.poll() is None, (folder / "log").read_text()
            try:
                request(f"{outside.url}/_stcore/health")
                break
            except OSError:
                time.sleep(0.1)
        yield outside, inside
    finally:
        nginx.terminate()
        nginx.wait(120)
        inside.stop()


def test_behind_nginx_under_a_path_everything_works(proxied, page, tmp_path):
    outside, inside = proxied
    seen = watch_media(page)
    upload(
        page,
        outside,
        make_video(tmp_path / "wolf portrait.mp4", seconds=3, audio="aac", tone_hz=300),
        make_video(tmp_path / "wolf puppies.mp4", seconds=2, audio="aac", tone_hz=500),
    )
    wait_for_ready(page, 2)
    poster = page.locator("[data-testid=stImage] img").first  # of the video most like the other
    expect(poster).to_be_visible()
    assert poster.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0

    page.goto(f"{outside.url}/?q=wolf+portrait")
    expect(page.locator("[class*=st-key-card-] video").first).to_be_visible()
    assert plays(page)
    assert media_url(page).startswith(f"{outside.url}/app/static/media/")
    poster = page.locator("img.reel-poster").first
    assert poster.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    settle(page)  # a poster that is drawn anew under the mouse is not pointed at
    page.get_by_role("button", name="Play").first.hover()
    page.wait_for_function("() => document.querySelector('video.reel-preview')?.currentTime > 0.1")
    assert {status for status, _ in seen} <= {200, 206, 304}
    assert {url.rsplit(".", 1)[1] for status, url in seen} == {"jpg", "mp4"}
    assert 206 in {status for status, url in seen if url.endswith(".mp4")}

    page.get_by_role("link", name="Ingest").click()
    expect(page).to_have_url(re.compile(f"^{re.escape(outside.url)}/ingest"))

    assert health(outside) == health(inside)
    assert health(outside)["videos"] == 2
    assert health(replace(inside, base_path="")) == health(inside), "a health check need not know the path"


def test_search_behind_nginx_gives_addresses_that_work_from_outside(proxied, tmp_path, page):
    outside, inside = proxied
    upload(page, outside, make_video(tmp_path / "wolf portrait.mp4"))
    wait_for_ready(page, 1)
    origin = outside.url.removesuffix("/videos")
    status, _, body = request(f"{outside.url}/search", {"query": "wolves"}, Origin=origin)
    assert status == 200
    url = json.loads(body)[0]["url"]
    assert url.startswith(f"{outside.url}/app/static/media/")
    status, headers, body = request(url, Range="bytes=10-19")
    assert (status, len(body)) == (206, 10)
    assert headers["content-range"].startswith("bytes 10-19/")
    assert request(f"{outside.url}/search", {"query": "wolves"}, Origin="https://elsewhere.example")[0] == 403

    # What a proxy that speaks TLS would say, from this machine.
    told = {"Host": "films.example", "X_Forwarded_Proto": "https"}
    status, _, body = request(f"{inside.url}/search", {"query": "wolves"}, **told)
    assert status == 200
    assert json.loads(body)[0]["url"].startswith("https://films.example/videos/app/static/media/")


# On a host that runs streamlit_app.py as a plain script


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A copy of the app in which the runner does not discover st.App, configured by secrets.toml alone."""
    site = tmp_path / "site"
    (site / ".streamlit").mkdir(parents=True)
    for name in ("core", "pages"):
        (site / name).symlink_to(ROOT / name)
    source = (ROOT / "streamlit_app.py").read_text("utf-8")
    assert source.count("app = st.App(") == 1
    (site / "streamlit_app.py").write_text(source.replace("app = st.App(", 'app = getattr(st, "App")('), "utf-8")
    shutil.copy(ROOT / ".streamlit/config.toml", site / ".streamlit/config.toml")
    (site / ".streamlit/secrets.toml").write_text(
        f"DATA_DIR = {json.dumps(str(tmp_path / 'data'))}\nMAX_UPLOAD_MB = 321\n", "utf-8"
    )
    return site


@pytest.fixture
def plain(site: Path, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "data", free_port(), root=site)
    server.start(DATA_DIR="")
    yield server
    server.stop()


def test_a_plain_host_takes_its_secrets_and_plays_by_range(plain, site, page, tmp_path):
    status, headers, _ = request(f"{plain.url}/api/health")
    assert "json" not in headers["content-type"], f"this host serves routes ({status}); the test tests nothing"

    seen = watch_media(page)
    upload(page, plain, make_video(tmp_path / "wolf portrait.mp4", seconds=3, audio="aac", tone_hz=300))
    expect(page.get_by_text("up to 200 MB each")).to_be_visible()  # 321 asked for; the host serves no more
    wait_for_ready(page, 1)
    page.goto(f"{plain.url}/?q=wolves")
    expect(page.locator("[class*=st-key-card-] video")).to_have_count(1)
    assert plays(page)
    assert {status for status, _ in seen} <= {200, 206, 304}

    key = media_url(page).rsplit("/", 1)[1]
    assert (plain.data_dir / "media" / key).samefile(site / "static/media" / key), "one file, two names"
    status, headers, body = request(media_url(page), Range="bytes=10-19")
    assert (status, len(body), headers["content-type"]) == (206, 10, "video/mp4")
    for private in ("jobs.sqlite3", "../../streamlit_app.py", "../../.streamlit/secrets.toml"):
        status, headers, _ = request(f"{plain.url}/app/static/media/{private}")
        assert status in (400, 404) or headers["content-type"].startswith("text/html"), private


def test_secrets_below_the_hosts_own_limit_are_taken_as_they_are(plain, site, page):
    plain.stop()
    secrets = site / ".streamlit/secrets.toml"
    secrets.write_text(secrets.read_text("utf-8").replace("321", "7"), "utf-8")
    plain.start(DATA_DIR="")
    page.goto(f"{plain.url}/ingest")
    expect(page.get_by_text("up to 7 MB each")).to_be_visible()


def test_a_plain_host_without_static_serving_says_what_to_do(plain, page):
    plain.stop()
    plain.start(DATA_DIR="", STREAMLIT_SERVER_ENABLE_STATIC_SERVING="false")
    page.goto(plain.url)
    expect(page.get_by_text("The library cannot be opened")).to_be_visible()
    expect(page.get_by_text("enableStaticServing = true")).to_be_visible()
    expect(page.get_by_text("AWS_BUCKET_NAME")).to_be_visible()


def test_where_routes_are_served_no_static_folder_is_made_or_asked_for(site, tmp_path, page):
    shutil.copy(ROOT / "streamlit_app.py", site / "streamlit_app.py")
    server = Server(tmp_path / "data", free_port(), root=site)
    server.start()
    try:
        upload(page, server, make_video(tmp_path / "wolf portrait.mp4"))
        wait_for_ready(page, 1)
        page.goto(f"{server.url}/?q=wolves")
        assert plays(page)
        assert not (site / "static").exists()
        assert "static folder" not in server.log()
    finally:
        server.stop()


# The image: there may be no engine to build it with, so its steps are held to what they name


def instructions(name: str) -> list[str]:
    lines = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ").splitlines()
    return [line.removeprefix(name).strip() for line in lines if line.startswith(name + " ")]


def test_the_image_starts_as_its_command_says_is_healthy_and_ends_on_sigterm(tmp_path):
    """Copy what the Dockerfile copies and nothing else; run its command, on a port of ours, and its health check."""
    app = tmp_path / "app"
    for line in instructions("COPY"):
        source, target = line.split()
        target = app / (source if target == "./" else target)
        target.parent.mkdir(parents=True, exist_ok=True)
        ignored = shutil.ignore_patterns("__pycache__")
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target, ignore=ignored)
        else:
            shutil.copy(ROOT / source, target)
    port = str(free_port())
    command = [part.replace("8501", port) for part in json.loads(instructions("CMD")[0])]
    check = [part.replace("8501", port) for part in json.loads(instructions("HEALTHCHECK")[0].split("CMD", 1)[1])]
    environ = {**clean_environ(), "DATA_DIR": str(tmp_path / "data")}
    command = [argument.replace("0.0.0.0", "127.0.0.1") for argument in command]
    path = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"

    def is_healthy() -> bool:
        return subprocess.run([sys.executable, *check[1:]], capture_output=True, timeout=120).returncode == 0

    assert not is_healthy()
    program = shutil.which(command[0], path=path)
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([program, *command[1:]], cwd=app, env=environ, stdout=log, stderr=log)
    try:
        for _ in range(300):
            if is_healthy():
                break
            assert process.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.1)
        assert is_healthy(), (tmp_path / "log").read_text()
    finally:
        process.terminate()
        assert process.wait(120) in (0, -15)


def test_nothing_private_gets_into_the_image():
    """An allow list: all is ignored but what the Dockerfile copies."""
    rules = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and line[0] != "#"]
    assert rules[0] == "*"
    allowed = {rule[1:].rstrip("/") for rule in rules if rule[0] == "!"}
    assert allowed == {line.split()[0] for line in instructions("COPY")}
    assert "USER app" in (ROOT / "Dockerfile").read_text("utf-8")
