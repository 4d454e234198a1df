"""Posters, and single frames from files and addresses."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import MediaError
from core.ingest import frames, inspecting
from tests.videos import make_video, moving_bars


def poster_of(path: Path) -> np.ndarray:
    target = path.with_suffix(".poster.jpg")
    frames.write_poster(path, inspecting.inspect(path), target)
    with Image.open(target) as image:
        assert image.format == "JPEG"
        return np.asarray(image)


def test_a_poster_is_at_most_640_wide(tmp_path):
    assert poster_of(make_video(tmp_path / "small.mp4")).shape == (90, 160, 3)
    assert poster_of(make_video(tmp_path / "large.mp4", size=(1280, 720), seconds=1)).shape == (360, 640, 3)


@pytest.mark.parametrize("blank", [0, 255])
def test_a_poster_is_not_blank_when_anything_else_is_there(tmp_path, blank):
    def mostly_blank(index: int, width: int, height: int) -> np.ndarray:
        if 40 <= index < 56:
            return moving_bars(index, width, height)
        return np.full((height, width, 3), blank, np.uint8)

    poster = poster_of(make_video(tmp_path / "a.mp4", pattern=mostly_blank, seconds=8))
    assert poster.std() > 30


@pytest.mark.parametrize(("rotation_deg", "corner"), [(0, (0, 0)), (90, (0, -1)), (180, (-1, -1)), (270, (-1, 0))])
def test_a_poster_is_turned_as_displayed(tmp_path, rotation_deg, corner):
    """The pattern's white corner is at the top left as coded, and goes round clockwise."""
    poster = poster_of(make_video(tmp_path / "a.mp4", rotation_deg=rotation_deg))
    assert poster.shape[:2] == ((160, 90) if rotation_deg % 180 else (90, 160))
    assert poster[corner].min() > 230


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("second.mp4", {"seconds": 1.0}),
        ("raw.h264", {"seconds": 5}),
        ("stream.ts", {"seconds": 3}),
        ("endless.webm", {"codec": "libvpx", "options": {"live": "1"}}),
        ("animated.gif", {"codec": "gif"}),
    ],
)
def test_a_poster_comes_from_short_and_unseekable_files_too(tmp_path, name, options):
    assert poster_of(make_video(tmp_path / name, **options)).std() > 30


def test_a_poster_that_cannot_be_written_is_said(tmp_path):
    path = make_video(tmp_path / "a.mp4")
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(MediaError, match="poster cannot be written"):
        frames.write_poster(path, inspecting.inspect(path), tmp_path / "file" / "poster.jpg")


def shades(index: int, width: int, height: int) -> np.ndarray:
    """Draw a plain picture of which the brightness tells the number of the frame, ten levels apart."""
    return np.full((height, width, 3), 10 * (index + 1), np.uint8)


def number_of(pixels: np.ndarray) -> int:
    return round(float(pixels.mean()) / 10) - 1


class TestFrameAt:
    @pytest.mark.parametrize("name", ["a.mp4", "a.webm", "a.mkv", "a.avi", "a.ts"])
    @pytest.mark.parametrize(
        ("at_s", "number"),
        [(-3.0, 0), (0.0, 0), (0.5, 5), (0.55, 5), (1.2, 12), (1.9, 19), (1.95, 19), (2.0, 19), (1e6, 19)],
    )
    def test_it_is_the_frame_at_or_just_before_the_time(self, tmp_path, name, at_s, number):
        codec = "libvpx" if name.endswith("webm") else "mpeg4" if name.endswith("avi") else "libx264"
        video = make_video(tmp_path / name, codec=codec, fps=10, pattern=shades)
        frame = frames.frame_at(video, at_s)
        assert frame.shape == (90, 160, 3)
        assert frame.dtype == np.uint8
        assert number_of(frame) == number

    def test_times_count_from_where_a_player_begins(self, tmp_path):
        video = make_video(tmp_path / "a.mkv", times_s=[5 + i / 10 for i in range(20)], pattern=shades)
        assert number_of(frames.frame_at(video, 1.2)) == 12

    def test_a_frame_stands_until_the_next(self, tmp_path):
        video = make_video(tmp_path / "a.mp4", times_s=[0, 0.1, 3.0, 3.1], pattern=shades)
        assert [number_of(frames.frame_at(video, at_s)) for at_s in (0.05, 2.9, 3.0)] == [0, 1, 2]

    @pytest.mark.parametrize(("degrees", "corner"), [(0, (0, 0)), (90, (0, -1)), (180, (-1, -1)), (270, (-1, 0))])
    def test_it_is_turned_as_a_player_turns_it(self, tmp_path, degrees, corner):
        frame = frames.frame_at(make_video(tmp_path / "a.mp4", rotation_deg=degrees), 1.0)
        assert frame.shape == ((160, 90, 3) if degrees % 180 else (90, 160, 3))
        assert [place for place in ((0, 0), (0, -1), (-1, 0), (-1, -1)) if frame[place].min() > 230] == [corner]

    def test_wide_pixels_are_made_square(self, tmp_path):
        video = make_video(tmp_path / "a.mp4", size=(120, 90), aspect=Fraction(4, 3))
        assert frames.frame_at(video, 1.0).shape == (90, 160, 3)

    def test_what_is_damaged_around_a_time_leaves_the_last_good_frame(self, tmp_path):
        video = make_video(tmp_path / "a.mkv", seconds=6)
        video.write_bytes(video.read_bytes()[: int(video.stat().st_size * 0.6)])
        assert frames.frame_at(video, 5.9).shape == (90, 160, 3)

    @pytest.mark.parametrize("content", [b"", b"no video" * 100, b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"])
    def test_what_is_no_video_is_refused(self, tmp_path, content):
        path = tmp_path / "a.mp4"
        path.write_bytes(content)
        with pytest.raises(MediaError, match=r"\.$"):
            frames.frame_at(path, 1.0)

    @pytest.mark.parametrize("source", ["nowhere/a.mp4", "ftp://127.0.0.1/a.mp4", "concat:/etc/passwd"])
    def test_what_is_not_there_is_refused(self, source):
        with pytest.raises(MediaError, match=r"\.$"):
            frames.frame_at(source, 1.0)

    def test_it_comes_from_an_address_too(self, tmp_path):
        make_video(tmp_path / "a.mp4", fps=10, pattern=shades)
        with served(tmp_path) as url:
            assert number_of(frames.frame_at(f"{url}/a.mp4?X-Signature=secret", 1.2)) == 12

    @pytest.mark.parametrize("path", ["gone.mp4", "text.mp4", "list.m3u8"])
    def test_no_error_repeats_a_signed_address(self, tmp_path, path):
        (tmp_path / "text.mp4").write_bytes(b"no video" * 100)
        (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")
        with served(tmp_path) as url, pytest.raises(MediaError, match=r"\.$") as caught:
            frames.frame_at(f"{url}/{path}?X-Signature=secret", 1.0)
        assert "secret" not in str(caught.value)

    def test_who_never_answers_is_not_waited_for(self, monkeypatch):
        monkeypatch.setattr(frames, "_FRAME_TIMEOUT_S", 0.3)
        with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(MediaError, match="fetched"):
            frames.frame_at(f"http://127.0.0.1:{silent.getsockname()[1]}/a.mp4", 1.0)

    def test_a_search_without_end_is_given_up(self, tmp_path, monkeypatch):
        video = make_video(tmp_path / "a.mp4")
        clock = iter(range(0, 10_000, 10))
        monkeypatch.setattr(frames.time, "monotonic", lambda: float(next(clock)))
        with pytest.raises(MediaError, match="too long"):
            frames.frame_at(video, 1.9)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the files of a folder on a free port of this machine."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
