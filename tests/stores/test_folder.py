"""What only the folder store does: atomic files, no leftovers, and sentences for full and read-only disks."""

from __future__ import annotations

import errno
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import Cancelled, StoreError
from core.models import ignore_progress
from core.stores.folder import ABANDONED_AFTER_S, FolderStore


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.mp4"
    path.write_bytes(os.urandom(5_000_000))
    return path


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "deep" / "media")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 2 MB, where that is allowed."""
    path = tmp_path / "tiny"
    path.mkdir()
    try:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(path)], capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if mounted.returncode:
        pytest.skip("mounting a small disk is not allowed here")
    yield path
    subprocess.run(["umount", str(path)], check=True)


def files_of(store: FolderStore) -> list[str]:
    return sorted(path.name for path in store.root.iterdir())


def test_a_file_is_not_there_until_all_of_it_is(store: FolderStore, source: Path) -> None:
    seen: list[bool] = []
    store.put(source, "wolf.mp4", lambda _: seen.append(store.exists("wolf.mp4")))
    assert len(seen) >= 4
    assert not any(seen)
    assert files_of(store) == ["wolf.mp4"]


def test_cancelling_leaves_nothing_new(store: FolderStore, source: Path) -> None:
    def cancel(fraction: float) -> None:
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        store.put(source, "wolf.mp4", cancel)
    assert files_of(store) == []
    store.put(source, "wolf.mp4", ignore_progress)
    source.write_bytes(b"x" * 5_000_000)
    with pytest.raises(Cancelled):
        store.put(source, "wolf.mp4", cancel)
    assert store.local_path("wolf.mp4").read_bytes() != source.read_bytes()
    assert files_of(store) == ["wolf.mp4"]


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "is full. Free some space"),
        (errno.EDQUOT, "is full. Free some space"),
        (errno.EROFS, "may not write"),
        (errno.EACCES, "may not write"),
        (errno.EIO, "cannot be used: Input/output error"),
    ],
)
def test_trouble_with_the_disk_becomes_a_sentence(
    store: FolderStore, source: Path, monkeypatch: pytest.MonkeyPatch, number: int, sentence: str
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(StoreError, match=sentence) as caught:
        store.put(source, "wolf.mp4", ignore_progress)
    assert str(store.root) in str(caught.value)
    assert files_of(store) == []
    with pytest.raises(StoreError, match=sentence):
        store.check()


def test_a_disk_that_is_really_full(tiny_disk: Path, source: Path) -> None:
    store = FolderStore(tiny_disk / "media")
    store.check()
    with pytest.raises(StoreError, match="is full"):
        store.put(source, "wolf.mp4", ignore_progress)
    assert files_of(store) == []
    source.write_bytes(b"small")
    store.put(source, "wolf.mp4", ignore_progress)
    assert store.local_path("wolf.mp4").read_bytes() == b"small"


def test_a_file_where_the_folder_should_be_is_said(tmp_path: Path, source: Path) -> None:
    (tmp_path / "media").write_text("not a folder")
    store = FolderStore(tmp_path / "media")
    with pytest.raises(StoreError, match="DATA_DIR"):
        store.put(source, "wolf.mp4", ignore_progress)
    with pytest.raises(StoreError, match="DATA_DIR"):
        store.check()


def test_check_notices_bytes_that_do_not_come_back(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_bytes", lambda path: b"something else")
    with pytest.raises(StoreError, match="does not come back"):
        store.check()
    assert files_of(store) == []


def test_what_a_killed_process_left_is_swept(store: FolderStore, source: Path) -> None:
    store.put(source, "wolf.mp4", ignore_progress)
    old, young = store.root / ".old.part", store.root / ".young.part"
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    long_ago = time.time() - ABANDONED_AFTER_S - 60
    os.utime(old, (long_ago, long_ago))
    FolderStore(store.root)
    assert files_of(store) == [".young.part", "wolf.mp4"]


def test_a_half_written_file_can_never_be_asked_for(store: FolderStore) -> None:
    with pytest.raises(StoreError, match="not a media key"):
        store.local_path(".young.part")


def test_the_path_of_a_key_is_in_the_folder(store: FolderStore) -> None:
    assert store.local_path("wolf.mp4") == store.root / "wolf.mp4"
    assert store.url("wolf.mp4") == "/app/static/media/wolf.mp4"
