"""A moment as a file of its own: copied where a key frame allows, else encoded, and always what was asked for."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from core.errors import MediaError
from core.ingest import sandbox
from core.ingest.cutting import NEAR_S, cut
from core.ingest.inspecting import inspect
from tests.videos import make_video

LENGTH_S = 4.0


def brightening(index: int, width: int, height: int) -> np.ndarray:
    """Draw a grey that tells the time: 10 levels more a frame, five frames a second."""
    return np.full((height, width, 3), min(20 + 10 * index, 255), np.uint8)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video with a key frame every two seconds."""
    return make_video(
        tmp_path_factory.mktemp("cutting") / "grey.mp4",
        seconds=LENGTH_S,
        size=(64, 36),
        fps=5,
        pattern=brightening,
        audio="aac",
        options={"g": "10", "keyint_min": "10", "sc_threshold": "0"},
    )


def shown(path: Path) -> list[tuple[float, float]]:
    """Return when each frame is shown, and how bright it is."""
    with av.open(str(path)) as container:
        return [
            (round(float(frame.time), 2), float(frame.to_ndarray(format="gray").mean()))
            for frame in container.decode(video=0)
        ]


def heard_s(path: Path) -> float:
    with av.open(str(path)) as container:
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


def packet_bytes(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


@pytest.mark.parametrize(("start_s", "begins_s", "copied"), [(2.0, 2.0, True), (2.3, 2.0, True), (2.7, 2.7, False)])
def test_it_is_copied_where_a_key_frame_is_near_and_encoded_elsewhere(
    source: Path, tmp_path: Path, start_s: float, begins_s: float, copied: bool
) -> None:
    made = cut(source, inspect(source), start_s, 3.9, tmp_path / "moment")
    assert (made.copied, made.suffix) == (copied, ".mp4")
    assert made.begins_s == pytest.approx(begins_s, abs=0.01)
    assert start_s - made.begins_s <= NEAR_S
    frames = shown(tmp_path / "moment")
    assert frames[0][0] == 0.0
    whole = dict(shown(source))
    at = max(time for time in whole if time <= begins_s + 1e-6)
    assert frames[0][1] == pytest.approx(whole[at], abs=6), "it begins with what is shown there"
    length = frames[-1][0] + 0.2
    assert length == pytest.approx(3.9 - begins_s, abs=0.25)
    assert heard_s(tmp_path / "moment") == pytest.approx(3.9 - begins_s, abs=0.15)
    assert inspect(tmp_path / "moment").playable == "as-is"
    if copied:
        assert set(packet_bytes(tmp_path / "moment")) <= set(packet_bytes(source))


@pytest.mark.parametrize(("start_s", "end_s"), [(3.99, 9.0), (5.0, 6.0), (1.0, 1.05)])
def test_a_moment_that_is_none_is_refused(source: Path, tmp_path: Path, start_s: float, end_s: float) -> None:
    with pytest.raises(MediaError, match="too short"):
        cut(source, inspect(source), start_s, end_s, tmp_path / "moment")
    assert list(tmp_path.iterdir()) == []


def test_webm_stays_webm_where_it_is_copied(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.webm", seconds=2.0, size=(64, 36), fps=5, codec="libvpx", audio="libopus")
    made = cut(source, inspect(source), 0.0, 1.0, tmp_path / "moment")
    assert (made.suffix, made.copied) == (".webm", True)
    assert inspect(tmp_path / "moment").container == "webm"
    made = cut(source, inspect(source), 0.8, 1.8, tmp_path / "later")
    assert (made.suffix, made.copied) == (".mp4", False)


def test_it_is_cut_in_a_process_apart(source: Path, tmp_path: Path) -> None:
    made = sandbox.cut(source, sandbox.inspect(source), 2.0, 3.0, tmp_path / "moment")
    assert made.copied
    with pytest.raises(MediaError, match="too short"):
        sandbox.cut(source, sandbox.inspect(source), 9.0, 10.0, tmp_path / "no moment")
