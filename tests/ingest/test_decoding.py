"""Opening files and reading packets, those of broken and hostile files too."""

from __future__ import annotations

import subprocess
import sys

import av
import pytest

from core.errors import MediaError
from core.ingest import decoding, inspecting
from tests.videos import make_video


def test_a_playlist_opens_no_other_file(tmp_path):
    """A file cannot name others to be read; FFmpeg itself would follow both of these."""
    make_video(tmp_path / "secret.ts", seconds=3)
    playlists = {
        "a.m3u8": "#EXTM3U\n#EXTINF:3,\nsecret.ts\n#EXT-X-ENDLIST\n",
        "b.ffconcat": "ffconcat version 1.0\nfile secret.ts\n",
    }
    for name, text in playlists.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(MediaError):
            inspecting.inspect(tmp_path / name)
        with pytest.raises(MediaError), decoding.opened(tmp_path / name):
            pass


def test_ffmpeg_stays_silent(tmp_path):
    """FFmpeg's complaints about a broken file do not reach the terminal."""
    path = make_video(tmp_path / "a.mp4", seconds=4)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 3000] = bytes(3000)
    path.write_bytes(data)
    code = (
        "import sys; from pathlib import Path; from core.ingest import frames, inspecting; p = Path(sys.argv[1]); "
        "i = inspecting.inspect(p); "
        "frames.write_poster(p, i, p.with_suffix('.jpg'))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert (run.stdout, run.stderr) == ("", "")


@pytest.mark.parametrize(
    "error", [IndexError("list index out of range"), av.error.InvalidDataError(1, "bad"), ValueError()]
)
def test_reading_ends_where_the_demuxer_breaks_off(tmp_path, error):
    """PyAV raises these in the middle of a file that is cut off, or whose streams change."""

    class BreaksOff:
        def __init__(self, container):
            self.streams, self.format, self._container = container.streams, container.format, container

        def demux(self, *streams):
            for index, packet in enumerate(self._container.demux(*streams)):
                if index == 5:
                    raise error
                yield packet

    with av.open(str(make_video(tmp_path / "a.mp4"))) as container:
        assert len(list(decoding.packets(BreaksOff(container), container.streams.video[0]))) == 5
