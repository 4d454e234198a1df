"""What a host serves of the library: what is shown, while it is there, and nothing else."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from core.errors import StoreError
from core.models import ignore_progress
from core.stores.static import StaticFolderStore

MAX_BYTES = 1000


@pytest.fixture
def store(tmp_path: Path) -> StaticFolderStore:
    return open_store(tmp_path)


def open_store(tmp_path: Path) -> StaticFolderStore:
    return StaticFolderStore(tmp_path / "media", tmp_path / "static/media", MAX_BYTES)


def put(store: StaticFolderStore, tmp_path: Path, key: str, data: bytes) -> None:
    source = tmp_path / "source"
    source.write_bytes(data)
    store.put(source, key, ignore_progress)


def served(tmp_path: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (tmp_path / "static/media").iterdir()}


def test_only_what_is_shown_is_served_and_takes_no_disk_of_its_own(store, tmp_path):
    put(store, tmp_path, "a.mp4", b"one")
    put(store, tmp_path, "b.mp4", b"two")
    assert served(tmp_path) == {}
    assert store.url("a.mp4") == store.url("a.mp4") == "/app/static/media/a.mp4"
    assert served(tmp_path) == {"a.mp4": b"one"}
    assert store.local_path("a.mp4").samefile(tmp_path / "static/media/a.mp4")


def test_what_is_replaced_or_deleted_is_served_no_more(store, tmp_path):
    put(store, tmp_path, "a.mp4", b"one")
    store.url("a.mp4")
    put(store, tmp_path, "a.mp4", b"other")
    store.url("a.mp4")
    assert served(tmp_path) == {"a.mp4": b"other"}
    store.delete("a.mp4")
    assert served(tmp_path) == {}
    store.url("a.mp4")
    assert served(tmp_path) == {}


def test_what_was_left_behind_is_withdrawn_at_the_next_start(store, tmp_path):
    for key in ("kept.mp4", "gone.mp4"):
        put(store, tmp_path, key, b"film")
        store.url(key)
    (tmp_path / "static/media/.gitkeep").touch()  # not ours
    store.local_path("gone.mp4").unlink()  # as if killed between the two
    open_store(tmp_path)
    assert served(tmp_path).keys() == {"kept.mp4", ".gitkeep"}


def test_the_served_folder_can_be_thrown_away(store, tmp_path):
    put(store, tmp_path, "a.mp4", b"one")
    store.url("a.mp4")
    (tmp_path / "static/media/a.mp4").unlink()
    assert open_store(tmp_path).url("a.mp4")
    assert served(tmp_path) == {"a.mp4": b"one"}


def test_a_file_the_host_would_not_serve_is_refused_before_it_is_stored(store, tmp_path):
    put(store, tmp_path, "fits.mp4", bytes(MAX_BYTES))
    with pytest.raises(StoreError, match=r"larger than the 0 MB this host can show.*AWS_BUCKET_NAME"):
        put(store, tmp_path, "large.mp4", bytes(MAX_BYTES + 1))
    assert not store.exists("large.mp4")


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM])
def test_a_disk_that_cannot_lend_is_found_out_at_the_start(tmp_path, monkeypatch, number):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(StoreError, match=r"DATA_DIR must be on the same disk.*AWS_BUCKET_NAME"):
        open_store(tmp_path)
    assert [*(tmp_path / "media").iterdir(), *(tmp_path / "static/media").iterdir()] == []
