"""What every store does, run over each of them. The fake is in the list: it is held to the same."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import StoreError
from core.models import ignore_progress
from core.stores.base import Store
from core.stores.folder import FolderStore
from core.stores.s3 import S3Store
from core.stores.static import StaticFolderStore
from tests.fakes import MemoryStore
from tests.servers.s3 import ACCESS_KEY, SECRET_KEY, shared_server


def open_s3(public_read: bool = False) -> S3Store:
    server = shared_server()
    return S3Store(
        server.make_bucket(),
        endpoint_url=server.url,
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
        public_read=public_read,
    )


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=120) as answer:
        return answer.read()


OPENERS: dict[str, Callable[[Path], Store]] = {
    "memory": lambda path: MemoryStore(),
    "folder": lambda path: FolderStore(path / "media"),
    "static": lambda path: StaticFolderStore(path / "media", path / "static/media", max_bytes=2**30),
    "s3": lambda path: open_s3(),
    "s3-public": lambda path: open_s3(public_read=True),
}
READERS: dict[str, Callable[[Store, str], bytes]] = {
    "memory": lambda store, key: store.blobs[key],
    "folder": lambda store, key: store.local_path(key).read_bytes(),
    "static": lambda store, key: store.local_path(key).read_bytes(),
    "s3": lambda store, key: fetch(store.url(key)),
    "s3-public": lambda store, key: fetch(store.url(key)),
}
"""How a test gets the bytes back: in the app the browser does, by URL."""
BAD_KEYS = ["", "wolf", ".mp4", "../wolf.mp4", "a/b.mp4", "a\\b.mp4", "/etc/passwd", "wolf.mp4\n", "wölf.mp4", "a.MP4"]


@pytest.fixture(params=OPENERS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def store(kind: str, tmp_path: Path) -> Store:
    return OPENERS[kind](tmp_path)


@pytest.fixture
def read(kind: str, store: Store) -> Callable[[str], bytes]:
    return lambda key: READERS[kind](store, key)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.mp4"
    path.write_bytes(os.urandom(3_000_001))
    return path


def test_what_is_put_is_there_whole(store: Store, source: Path, read: Callable[[str], bytes]) -> None:
    assert not store.exists("wolf.mp4")
    store.put(source, "wolf.mp4", ignore_progress)
    assert store.exists("wolf.mp4")
    assert read("wolf.mp4") == source.read_bytes()
    assert source.exists(), "the source belongs to the caller"


def test_putting_again_replaces(store: Store, source: Path, read: Callable[[str], bytes]) -> None:
    store.put(source, "wolf.mp4", ignore_progress)
    source.write_bytes(b"second")
    assert read("wolf.mp4") != b"second", "the store keeps a copy, not the person's own file"
    store.put(source, "wolf.mp4", ignore_progress)
    assert read("wolf.mp4") == b"second"


def test_progress_rises_to_one(store: Store, source: Path) -> None:
    told: list[float] = []
    store.put(source, "wolf.mp4", told.append)
    assert told == sorted(told)
    assert len(told) >= 2
    assert told[-1] == 1.0
    assert all(0 <= fraction <= 1 for fraction in told)


def test_a_source_that_is_gone_is_said(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"gone\.mp4"):
        store.put(tmp_path / "gone.mp4", "wolf.mp4", ignore_progress)
    assert not store.exists("wolf.mp4")


def test_an_empty_file_can_be_kept(store: Store, tmp_path: Path, read: Callable[[str], bytes]) -> None:
    (tmp_path / "empty.mp4").touch()
    store.put(tmp_path / "empty.mp4", "empty.mp4", ignore_progress)
    assert read("empty.mp4") == b""


def test_delete_removes_and_does_not_mind_twice(store: Store, source: Path) -> None:
    store.put(source, "wolf.mp4", ignore_progress)
    store.put(source, "owl.mp4", ignore_progress)
    store.delete("wolf.mp4")
    store.delete("wolf.mp4")
    assert not store.exists("wolf.mp4")
    assert store.exists("owl.mp4")


def test_the_url_is_one_that_a_browser_can_open(store: Store, source: Path) -> None:
    store.put(source, "wolf.mp4", ignore_progress)
    assert store.url("wolf.mp4").startswith(("/app/static/", "http://", "https://"))
    assert "wolf.mp4" in store.url("wolf.mp4")


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_key_that_is_not_ours_is_refused_everywhere(store: Store, source: Path, key: str) -> None:
    for call in (lambda: store.put(source, key, ignore_progress), lambda: store.url(key)):
        with pytest.raises(StoreError, match="not a media key"):
            call()
    for call in (lambda: store.exists(key), lambda: store.delete(key), lambda: store.local_path(key)):
        with pytest.raises(StoreError, match="not a media key"):
            call()
    assert source.exists()


def test_a_local_path_holds_the_bytes_or_there_is_none(kind: str, store: Store, source: Path) -> None:
    before = store.local_path("wolf.mp4")
    assert before is None or not before.exists()
    store.put(source, "wolf.mp4", ignore_progress)
    path = store.local_path("wolf.mp4")
    assert path == before
    assert (path is not None) == (kind in ("folder", "static")), "only what is kept on this machine has a path"
    assert path is None or path.read_bytes() == source.read_bytes()


def test_a_store_has_at_most_five_methods_besides_its_check() -> None:
    assert len([name for name in vars(Store) if not name.startswith("_")]) <= 5 + len(["check"])


def test_check_passes_and_leaves_what_is_there(store: Store, source: Path, read: Callable[[str], bytes]) -> None:
    store.check()
    store.put(source, "wolf.mp4", ignore_progress)
    store.check()
    assert read("wolf.mp4") == source.read_bytes()


def test_several_put_the_same_key_at_once(store: Store, tmp_path: Path, read: Callable[[str], bytes]) -> None:
    contents = [bytes([number]) * 2_000_000 for number in range(6)]
    for number, content in enumerate(contents):
        (tmp_path / f"{number}.mp4").write_bytes(content)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: store.put(tmp_path / f"{n}.mp4", "wolf.mp4", ignore_progress), range(6)))
    assert read("wolf.mp4") in contents, "the key holds one of them whole, never a mixture"


def test_it_says_how_much_each_file_takes(store: Store, tmp_path: Path) -> None:
    assert store.sizes() == {}
    for key, size in (("wolf.mp4", 300), ("wolf.jpg", 20)):
        path = tmp_path / key
        path.write_bytes(bytes(size))
        store.put(path, key, ignore_progress)
    assert store.sizes() == {"wolf.mp4": 300, "wolf.jpg": 20}
    store.delete("wolf.mp4")
    assert store.sizes() == {"wolf.jpg": 20}
