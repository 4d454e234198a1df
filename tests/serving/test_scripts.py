"""Streamlit's files come from memory as Streamlit itself gives them."""

from __future__ import annotations

import gzip
import shutil
import time
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient
from streamlit import file_util
from streamlit.web.server.starlette.starlette_static_routes import create_streamlit_static_handler

from core.serving.guard import House
from core.serving.scripts import FromMemory, Scripts

STREAMLITS = Path(file_util.get_static_dir())
PLAIN = {"Accept-Encoding": "identity"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A few of Streamlit's files, as they lie in its folder."""
    for pattern in ("static/js/Button.*.js", "static/js/Html.*.js", "static/css/index.*.css", "static/media/Source*"):
        for path in STREAMLITS.glob(pattern):
            there = tmp_path / path.relative_to(STREAMLITS)
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, there)
    (tmp_path / "index.html").write_text("<html>page</html>")
    (tmp_path / "static" / "manifest.json").write_text("{}")
    (tmp_path / "static" / "Map.abcdefgh.js.map").write_text("{}")
    return tmp_path


@pytest.fixture
def streamlits(folder: Path) -> Starlette:
    return Starlette(routes=[Mount("/", create_streamlit_static_handler(str(folder), None))])


@pytest.fixture
def scripts(folder: Path) -> Scripts:
    return Scripts(folder / "static")


@pytest.fixture
def client(streamlits: Starlette, scripts: Scripts) -> TestClient:
    return TestClient(FromMemory(streamlits, scripts, lambda: House("/reel")))


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.glob("static/*/*"))


def test_each_file_is_as_streamlit_gives_it(client, streamlits, folder):
    kinds = set()
    for name in names(folder):
        theirs = TestClient(streamlits).get(f"/{name}")
        for asked in ({}, PLAIN):
            ours = client.get(f"/{name}", headers=asked)
            assert ours.content == theirs.content
            assert (ours.status_code, ours.headers["content-type"]) == (200, theirs.headers["content-type"]), name
            assert ours.headers["cache-control"] == theirs.headers["cache-control"]
            assert "etag" not in ours.headers, "it came from Streamlit"
        kinds.add(Path(name).suffix)
    assert kinds == {".js", ".css", ".woff2"}


def test_text_is_compressed_for_who_can_read_that(client, folder):
    (name,) = (name for name in names(folder) if name.endswith(".css"))
    size = (folder / name).stat().st_size
    packed = client.get(f"/{name}")
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < size / 2
    plain = client.get(f"/{name}", headers=PLAIN)
    assert "content-encoding" not in plain.headers
    assert int(plain.headers["content-length"]) == size
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    font = next(name for name in names(folder) if name.endswith(".woff2"))
    assert "content-encoding" not in client.get(f"/{font}").headers


def test_a_file_is_read_once(client, folder):
    name = names(folder)[0]
    before = client.get(f"/{name}").content
    shutil.rmtree(folder / "static")
    assert client.get(f"/{name}").content == before


def test_head_has_no_body(client, folder):
    name = names(folder)[0]
    answer = client.head(f"/{name}")
    assert (answer.content, answer.headers["content-length"]) == (b"", client.get(f"/{name}").headers["content-length"])


def test_below_the_path_of_a_proxy_it_is_the_same(client, folder):
    name = names(folder)[0]
    assert client.get(f"/reel/{name}").content == client.get(f"/{name}").content


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/static/manifest.json",
        "/static/Map.abcdefgh.js.map",
        "/static/js/none.abcdefgh.js",
        "/static/../index.html",
    ],
)
def test_the_rest_is_streamlits(client, path):
    assert "etag" in client.get(path).headers


def test_a_part_of_a_file_is_streamlits(client, folder):
    name = names(folder)[0]
    answer = client.get(f"/{name}", headers={"Range": "bytes=0-9"})
    assert (answer.status_code, len(answer.content)) == (206, 10)


def test_what_a_first_visitor_asks_for_is_there_before(scripts, folder):
    wanted = [name.removeprefix("static/") for name in names(folder)]
    scripts.warm([*wanted, "js/none.abcdefgh.js"])
    deadline = time.monotonic() + 30
    while not all(scripts.kept(name, compressed=True) for name in wanted):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    (name,) = (name for name in wanted if name.endswith(".css"))
    assert gzip.decompress(scripts.kept(name, compressed=True).body) == (folder / "static" / name).read_bytes()


def test_what_is_not_of_the_folder_is_no_name(scripts):
    with pytest.raises(KeyError):
        scripts.get("../index.html", compressed=False)
