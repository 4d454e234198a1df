"""The stored copy of a video of the library, as a file on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import MediaError, Unavailable
from core.ingest import stored
from core.models import ignore_progress
from core.stores.folder import FolderStore
from core.stores.s3 import S3Store
from tests.servers.s3 import ACCESS_KEY, CLEAN_ENVIRONMENT, REGION, SECRET_KEY, S3Server

KEY = "film-1.mp4"
DATA = b"0123456789" * 300_000


@pytest.fixture
def server() -> Iterator[S3Server]:
    with S3Server() as server:
        yield server


@pytest.fixture
def bucket(server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    for name, value in CLEAN_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    store = S3Store(
        server.make_bucket(), region=REGION, endpoint_url=server.url, access_key=ACCESS_KEY, secret_key=SECRET_KEY
    )
    (tmp_path / "film.mp4").write_bytes(DATA)
    store.put(tmp_path / "film.mp4", KEY, ignore_progress)
    return store


def test_a_folder_is_read_in_place(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "media")
    path = stored.copy_path(store, KEY, tmp_path / "work")
    assert path == tmp_path / "media" / KEY
    with pytest.raises(MediaError, match="stored copy is gone"):
        stored.fetch(store, KEY, path, ignore_progress)
    (tmp_path / "media").mkdir()
    path.write_bytes(DATA)
    assert stored.fetch(store, KEY, path, ignore_progress) == path


def test_from_elsewhere_it_is_fetched_once_into_the_jobs_folder(
    bucket: S3Store, server: S3Server, tmp_path: Path
) -> None:
    path, told = stored.copy_path(bucket, KEY, tmp_path / "work"), []
    assert path == tmp_path / "work" / "stored.mp4"
    assert stored.fetch(bucket, KEY, path, told.append).read_bytes() == DATA
    assert told == sorted(told)
    assert told[-1] == 1.0
    seen = len(server.seen)
    assert stored.fetch(bucket, KEY, path, ignore_progress) == path
    assert len(server.seen) == seen, "what is here is not fetched again"
    assert [file.name for file in path.parent.iterdir()] == ["stored.mp4"]


def test_what_the_bucket_does_not_have_is_gone(bucket: S3Store, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="stored copy is gone"):
        stored.fetch(bucket, "another.mp4", tmp_path / "work" / "stored.mp4", ignore_progress)


def test_a_text_that_is_gone_or_none_is_refused_and_one_that_is_not_given_now_is_waited_for(
    bucket: S3Store, server: S3Server, tmp_path: Path
) -> None:
    for key, data in (("words.vtt", "WEBVTT Grüße".encode()), ("broken.vtt", b"\xff\xfe WEBVTT")):
        (tmp_path / key).write_bytes(data)
        bucket.put(tmp_path / key, key, ignore_progress)
    assert stored.text_of(bucket, "words.vtt") == "WEBVTT Grüße"
    with pytest.raises(MediaError, match="is damaged: it is no text"):
        stored.text_of(bucket, "broken.vtt")
    with pytest.raises(MediaError, match="no longer in the store"):
        stored.text_of(bucket, "gone.vtt")
    server.fail(code="SlowDown", operation="GetObject", times=1)
    with pytest.raises(Unavailable, match=r"words.vtt now \(\d+\)"):
        stored.text_of(bucket, "words.vtt")


def test_a_bucket_that_gives_nothing_now_is_waited_for(bucket: S3Store, server: S3Server, tmp_path: Path) -> None:
    target = tmp_path / "work" / "stored.mp4"
    server.fail(code="SlowDown", operation="GetObject", times=100)
    with pytest.raises(Unavailable):
        stored.fetch(bucket, KEY, target, ignore_progress)
    assert not target.exists()
