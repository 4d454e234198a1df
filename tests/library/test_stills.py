"""Pictures of moments: of the right one, never blank, made once, and gone with their video."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.ingest import frames, sandbox
from core.library.stills import AGAIN_S, SPARE, Stills
from core.models import Entry
from core.services import Services, build
from core.serving.routes import routes
from core.settings import Settings
from core.stores.folder import FolderStore
from tests.fakes import FAKE_INFO, MemorySpaces, make_entries
from tests.videos import make_video

RED, BLUE = (200, 40, 40), (40, 60, 200)


def shown(stills: Stills, video_id: str, at_s: float) -> tuple[Entry, Path | None] | None:
    """Return the clip of a moment and its picture, as the route answers; None where there is no such video."""
    clip = stills.clip(video_id, at_s)
    return None if clip is None else (clip, stills.picture(clip))


def coloured(index: int, width: int, height: int) -> np.ndarray:
    """Red with a pattern for two seconds, black for two, blue with a pattern for two, at 5 pictures a second."""
    picture = np.zeros((height, width, 3), np.uint8)
    if not 10 <= index < 20:
        picture[:] = RED if index < 10 else BLUE
        picture[::4] //= 3
        picture[:, ::6] = 230
    return picture


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    return make_video(tmp_path_factory.mktemp("still") / "a.mp4", seconds=6, size=(64, 36), fps=5, pattern=coloured)


@pytest.fixture
def index():
    index = MemorySpaces().make(FAKE_INFO, complete=True)
    index.upsert(make_entries("wolf"))
    return index


@pytest.fixture
def stills(tmp_path, index, video) -> Stills:
    store = FolderStore(tmp_path / "media")
    (entry, *_) = index.scroll(scope="video")
    store.put(video, entry.media_key, lambda fraction: None)
    return Stills(lambda: index, store, tmp_path / "stills", most=2)


@pytest.fixture
def wolf(index) -> str:
    return next(index.scroll(scope="video")).video_id


def is_more(picture: np.ndarray, channel: int) -> bool:
    means = picture.reshape(-1, 3).mean(axis=0)
    return int(means.argmax()) == channel


def test_a_still_is_of_its_moment_and_none_is_blank(video):
    assert is_more(sandbox.still_of(video, 0.0, 2.0), 0)
    assert is_more(sandbox.still_of(video, 4.0, 6.0), 2)
    assert frames.still_of(video, 2.2, 3.6) is None
    half_black = frames.still_of(video, 3.0, 6.0)  # a fade at its beginning
    assert half_black is not None
    assert is_more(half_black, 2)


def test_a_still_is_turned_as_displayed_and_at_most_640_wide(tmp_path):
    turned = frames.still_of(make_video(tmp_path / "a.mp4", rotation_deg=90, seconds=1), 0.0, 1.0)
    assert turned.shape[:2] == (160, 90)
    large = frames.still_of(make_video(tmp_path / "b.mp4", size=(1280, 720), seconds=0.5, fps=4), 0.0, 0.5)
    assert large.shape == (360, 640, 3)


def test_the_clip_nearest_to_a_time_is_shown_and_made_once(stills, wolf, monkeypatch):
    clip, picture = shown(stills, wolf, 3.9)
    assert clip.start_s == 4.0
    with Image.open(picture) as image:
        assert is_more(np.asarray(image), 2)
    assert shown(stills, wolf, 2.1)[1] is None
    monkeypatch.setattr(sandbox, "still_of", lambda *args: pytest.fail("made before"))
    assert shown(stills, wolf, 4.0)[1] == picture
    assert shown(stills, wolf, 2.0)[1] is None
    assert shown(stills, "nobody", 0.0) is None


def test_what_does_not_decode_has_no_still(stills, wolf, tmp_path):
    next((tmp_path / "media").glob("*.mp4")).write_bytes(b"no video")
    assert shown(stills, wolf, 0.0)[1] is None


def test_what_cannot_be_had_for_a_moment_is_tried_again_after_a_while(stills, index, wolf, tmp_path):
    now = [1000.0]
    stills = Stills(lambda: index, FolderStore(tmp_path / "media"), tmp_path / "stills", clock=lambda: now[0])
    (stored,) = (tmp_path / "media").glob("*.mp4")
    stored.rename(tmp_path / "away")
    clip, picture = shown(stills, wolf, 0.0)
    assert picture is None
    assert stills.is_made(clip)  # not by each who looks
    (tmp_path / "away").rename(stored)
    assert shown(stills, wolf, 0.0)[1] is None
    now[0] += AGAIN_S
    assert not stills.is_made(clip)
    assert shown(stills, wolf, 0.0)[1].stat().st_size > 0


def test_those_looked_at_longest_ago_go_first(stills, wolf, tmp_path):
    folder = tmp_path / "stills"
    folder.mkdir()
    for age in range(5):
        (folder / f"other-{age}.jpg").write_bytes(b"x")
        os.utime(folder / f"other-{age}.jpg", (10**9 - age, 10**9 - age))
    stills._made = SPARE
    _, picture = shown(stills, wolf, 0.0)
    assert {one.name for one in folder.iterdir()} == {picture.name, "other-0.jpg"}


def test_forgetting_a_video_removes_its_stills_alone(stills, wolf, tmp_path):
    clip, picture = shown(stills, wolf, 0.0)
    other = picture.with_name("other-0.jpg")
    other.write_bytes(b"x")
    stills.forget(clip.content_sha256)
    assert not picture.exists()
    assert other.exists()


@pytest.fixture
def services(tmp_path, video):
    services = build(Settings(data_dir=tmp_path / "data"))
    (vector,) = services.encoder.encode_text(["wolf"])
    entries = make_entries("wolf", info=services.encoder.info, vectors=[vector] * 4)
    services.index.upsert(entries)
    services.store.put(video, entries[0].media_key, lambda fraction: None)
    yield services
    services.close()


def test_the_route_gives_the_picture_or_the_poster_and_deleting_for_good_removes_it(services: Services):
    client = TestClient(Starlette(routes=routes(lambda: services, "/reel")), follow_redirects=False)
    video = next(services.index.scroll(scope="video"))
    here = f"/api/videos/{video.video_id}/still"
    answer = client.get(f"{here}?at=4.000")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    blank = client.get(f"{here}?at=2")
    assert (blank.status_code, blank.headers["location"]) == (307, f"/reel/app/static/media/{video.poster_key}")
    for wrong in ("", "?at=x", "?at=-1", "?at=nan", "?at=1&at=2", "?start=1"):
        assert client.get(here + wrong).status_code == 400, wrong
    assert client.get("/api/videos/nobody/still?at=1").status_code == 404
    folder = services.settings.data_dir / "stills"
    assert len(list(folder.iterdir())) == 2
    services.library.trash.delete([video.video_id])
    assert client.get(f"{here}?at=4").status_code == 404
    services.library.trash.purge([video.video_id])
    assert list(folder.iterdir()) == []
