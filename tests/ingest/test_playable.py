"""What a browser needs, and what the copies hold."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import av
import numpy as np
import pytest

from core.errors import Cancelled, MediaError
from core.ingest import inspecting, playable
from tests.corpus import CORPUS, needs_corpus
from tests.fakes import make_info
from tests.videos import frame_times, loud_spans, make_video, picture_at, plain


def flash_at(index_of_flash: int):
    """Return a pattern that is black but for one white frame."""

    def draw(index: int, width: int, height: int) -> np.ndarray:
        return np.full((height, width, 3), 255 if index == index_of_flash else 0, np.uint8)

    return draw


def playable_copy(path: Path, tmp_path: Path) -> Path:
    info = inspecting.inspect(path)
    return playable.make_playable(path, info, tmp_path / f"copy{playable.playable_suffix(info)}")


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("h264.mp4", {}, "as-is"),
        ("aac.mp4", {"audio": "aac"}, "as-is"),
        ("mp3.mp4", {"audio": "mp3"}, "as-is"),
        ("late_index.mp4", {"faststart": False}, "remux"),
        ("fragments.mp4", {"faststart": False, "options": {"movflags": "frag_keyframe+empty_moov"}}, "remux"),
        ("ac3.mp4", {"audio": "ac3"}, "remux"),
        ("vp9.mp4", {"codec": "libvpx-vp9"}, "as-is"),
        ("av1.mp4", {"codec": "libsvtav1", "audio": "aac"}, "as-is"),
        ("h264.mov", {"audio": "aac"}, "remux"),
        ("pcm.mov", {"audio": "pcm_s16le"}, "remux"),
        ("h264.mkv", {"audio": "libopus"}, "remux"),
        ("vp8.webm", {"codec": "libvpx", "audio": "libopus"}, "as-is"),
        ("vp9.webm", {"codec": "libvpx-vp9", "audio": "vorbis"}, "as-is"),
        ("live.webm", {"codec": "libvpx", "options": {"live": "1"}}, "remux"),
        ("vp8.mkv", {"codec": "libvpx", "audio": "libopus"}, "remux"),
        ("vp8_aac.mkv", {"codec": "libvpx", "audio": "aac"}, "transcode"),
        ("vp9_aac.mkv", {"codec": "libvpx-vp9", "audio": "aac"}, "remux"),
        ("hevc.mp4", {"codec": "libx265"}, "transcode"),
        ("ten_bit.mp4", {"pix_fmt": "yuv420p10le"}, "transcode"),
        ("full_chroma.mp4", {"pix_fmt": "yuv444p"}, "transcode"),
        ("mpeg4.mp4", {"codec": "mpeg4"}, "transcode"),
        ("mjpeg.mov", {"codec": "mjpeg"}, "transcode"),
        ("prores.mov", {"codec": "prores_ks"}, "transcode"),
        ("h264.avi", {}, "transcode"),
        ("flv.flv", {"codec": "flv", "audio": "mp3"}, "transcode"),
        ("h264.flv", {"audio": "aac"}, "remux"),
        ("wmv.wmv", {"codec": "wmv2", "audio": "wmav2"}, "transcode"),
        ("h264.ts", {"audio": "aac"}, "remux"),
        ("animated.gif", {"codec": "gif"}, "transcode"),
    ],
)
def test_what_a_browser_needs_and_gets(tmp_path, name, options, expected):
    """Every container and codec is judged right, and its copy then plays as it is, whole, and in time."""
    source = make_video(tmp_path / name, **options)
    info = inspecting.inspect(source)
    assert info.playable == expected
    fractions: list[float] = []
    target = tmp_path / f"copy{playable.playable_suffix(info)}"
    copy = playable.make_playable(source, info, target, fractions.append)
    assert copy == (source if expected == "as-is" else target)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert expected == "as-is" or len(fractions) > 10
    made = inspecting.inspect(copy)
    assert made.playable == "as-is"
    assert len(frame_times(copy)) == len(frame_times(source)) == 24
    assert made.duration_s == pytest.approx(info.duration_s, abs=0.05)
    assert made.has_audio == info.has_audio
    assert sorted(tmp_path.iterdir()) == sorted({source, copy})


@pytest.mark.corpus
@needs_corpus
@pytest.mark.parametrize(
    "name",
    [
        "apollo15_hammer_feather_mjpeg.mov",
        "asl_sign_book.mkv",
        "nasa_webb_mirror.mp4",
        "apollo15_hammer_feather_vp9.mp4",
    ],
)
def test_corpus_copies_keep_every_frame_and_the_sound(tmp_path, name):
    source = CORPUS / name
    copy = playable_copy(source, tmp_path)
    before, after = frame_times(source), frame_times(copy)
    assert len(after) == len(before)
    offsets = (np.array(after) - after[0]) - (np.array(before) - before[0])
    assert np.abs(offsets).max() < 0.002
    info, made = inspecting.inspect(source), inspecting.inspect(copy)
    assert made.playable == "as-is"
    assert made.audio_codec == info.audio_codec
    assert made.duration_s == pytest.approx(info.duration_s, abs=0.05)


@pytest.mark.corpus
@needs_corpus
def test_corpus_hevc_is_transcoded_in_step(tmp_path):
    """Cut two seconds out of the real mkv, so that the test stays quick, and follow every frame."""
    source = tmp_path / "cut.mkv"
    with av.open(str(CORPUS / "popeye_sinbad_song.mkv")) as original, av.open(str(source), "w") as cut:
        stream = cut.add_stream_from_template(original.streams.video[0], opaque=True)
        for packet in original.demux(video=0):
            if packet.pts is None or packet.pts * packet.time_base > 2:
                break
            packet.stream = stream
            cut.mux(packet)
    info = inspecting.inspect(source)
    assert (info.video_codec, info.playable) == ("hevc", "transcode")
    copy = playable_copy(source, tmp_path)
    assert np.allclose(frame_times(copy), np.array(frame_times(source)), atol=0.002)
    assert np.abs(picture_at(copy, 20).astype(int) - picture_at(source, 20)).mean() < 6


def test_rotation_and_shape_are_kept(tmp_path):
    source = make_video(tmp_path / "a.mp4", codec="libx265", rotation_deg=270, aspect=Fraction(4, 3))
    info, made = inspecting.inspect(source), inspecting.inspect(playable_copy(source, tmp_path))
    assert (info.width_px, info.height_px, info.rotation_deg) == (90, 213, 270)
    assert (made.width_px, made.height_px, made.rotation_deg) == (90, 212, 270)


def test_rotation_is_kept_when_only_the_container_changes(tmp_path):
    source = make_video(tmp_path / "a.mov", rotation_deg=90)
    made = inspecting.inspect(playable_copy(source, tmp_path))
    assert (made.width_px, made.height_px, made.rotation_deg) == (90, 160, 90)


def test_odd_and_large_pictures_become_even_and_small_enough(tmp_path):
    odd = inspecting.inspect(playable_copy(make_video(tmp_path / "odd.avi", codec="mpeg4", size=(161, 91)), tmp_path))
    assert (odd.width_px, odd.height_px) == (160, 92)
    tall = make_video(tmp_path / "tall.mov", codec="mjpeg", size=(600, 2400), seconds=1, fps=4)
    made = inspecting.inspect(playable_copy(tall, tmp_path))
    assert (made.width_px, made.height_px) == (480, 1920)


def test_variable_frame_times_are_kept(tmp_path):
    times = [0, 0.1, 0.5, 0.55, 1.0, 1.9, 2.0]
    source = make_video(tmp_path / "a.mkv", codec="libx265", times_s=times)
    assert frame_times(playable_copy(source, tmp_path)) == pytest.approx(times, abs=0.002)


def test_more_than_60_frames_a_second_are_thinned(tmp_path):
    source = make_video(tmp_path / "a.mkv", codec="libx265", fps=120, seconds=1, size=(64, 48))
    made = inspecting.inspect(playable_copy(source, tmp_path))
    assert made.fps == pytest.approx(60, abs=1)
    assert made.duration_s == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("options", [{"codec": "libx265", "audio": "ac3"}, {"codec": "libx264", "audio": "libopus"}])
@pytest.mark.parametrize("delay_s", [0.0, 0.8])
def test_sound_and_picture_stay_together(tmp_path, options, delay_s):
    source = make_video(tmp_path / "a.mkv", pattern=flash_at(18), audio_delay_s=delay_s, audio_seconds=1.0, **options)
    copy = playable_copy(source, tmp_path)
    brightness = [picture_at(copy, index).mean() for index in range(24)]
    assert frame_times(copy)[int(np.argmax(brightness))] == pytest.approx(1.5, abs=0.01)
    ((start, end),) = loud_spans(copy)
    assert start == pytest.approx(delay_s, abs=0.04)
    assert end == pytest.approx(delay_s + 1.0, abs=0.04)


def test_gaps_in_the_sound_stay_where_they_are(tmp_path):
    whole, source = make_video(tmp_path / "whole.mkv", codec="libx265", seconds=3, audio="ac3"), tmp_path / "gap.mkv"
    with av.open(str(whole)) as original, av.open(str(source), "w") as output:
        streams = {s.index: output.add_stream_from_template(s, opaque=True) for s in original.streams}
        for packet in original.demux():
            in_gap = packet.stream.type == "audio" and packet.size and 1 < packet.pts * packet.time_base < 2
            if packet.size and not in_gap:
                packet.stream = streams[packet.stream_index]
                output.mux(packet)
    (first, second) = loud_spans(playable_copy(source, tmp_path))
    assert first[1] == pytest.approx(1.0, abs=0.08)
    assert second[0] == pytest.approx(2.0, abs=0.08)
    assert second[1] == pytest.approx(3.0, abs=0.08)


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_late_start_of_everything_is_taken_away(tmp_path, codec):
    times = [5 + i / 12 for i in range(24)]
    source = make_video(tmp_path / "a.mkv", codec=codec, times_s=times, audio="ac3", audio_delay_s=5.5, audio_seconds=1)
    copy = playable_copy(source, tmp_path)
    assert frame_times(copy)[0] == pytest.approx(0, abs=0.01)
    assert loud_spans(copy)[0][0] == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mov", {"codec": "mjpeg"}),
        ("a.mov", {"codec": "prores_ks"}),
        ("a.mkv", {"codec": "libx265", "pix_fmt": "yuv420p10le"}),
        ("a.mp4", {"pix_fmt": "yuv444p"}),
        ("a.avi", {"codec": "mpeg4", "size": (640, 360)}),
    ],
)
def test_colours_survive(tmp_path, name, options):
    source = make_video(tmp_path / name, pattern=plain(200, 100, 50), seconds=1, **options)
    assert picture_at(playable_copy(source, tmp_path), 3).mean(axis=(0, 1)) == pytest.approx([200, 100, 50], abs=8)


def test_high_dynamic_range_becomes_standard(tmp_path):
    """A PQ signal of 58 % is about 200 cd/m², near the white of a standard screen, not a dull grey."""
    source = make_video(
        tmp_path / "a.mkv", codec="libx265", pix_fmt="yuv420p10le", hdr=True, pattern=plain(148, 148, 148), seconds=1
    )
    copy = playable_copy(source, tmp_path)
    assert picture_at(copy, 3).mean() > 200


def test_mp4_copies_have_their_index_in_front(tmp_path):
    source = make_video(tmp_path / "a.mp4", faststart=False)
    data = playable_copy(source, tmp_path).read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_every_whole_frame_of_a_truncated_file_is_copied(tmp_path):
    source = make_video(tmp_path / "a.mp4", codec="libx265", seconds=4)
    source.write_bytes(source.read_bytes()[: int(source.stat().st_size * 0.8)])
    with av.open(str(source)) as container:
        whole = sum(packet.size > 0 and not packet.is_corrupt for packet in container.demux(video=0))
    assert 24 < whole < 48
    assert len(frame_times(playable_copy(source, tmp_path))) == whole


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_cancelling_leaves_nothing_behind(tmp_path, codec):
    source = make_video(tmp_path / "a.mkv", codec=codec, audio="ac3")
    info = inspecting.inspect(source)

    def cancel_halfway(fraction: float) -> None:
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        playable.make_playable(source, info, tmp_path / "copy.mp4", cancel_halfway)
    assert list(tmp_path.iterdir()) == [source]


def test_a_full_disk_is_said_and_leaves_nothing_behind(tmp_path, monkeypatch):
    source = make_video(tmp_path / "a.mkv")
    info = inspecting.inspect(source)

    def full(self, packet):
        raise av.error.OSError(28, "No space left on device")

    monkeypatch.setattr(playable.CopiedTrack, "feed", full)
    with pytest.raises(MediaError, match="No space left on device"):
        playable.make_playable(source, info, tmp_path / "copy.mp4")
    assert list(tmp_path.iterdir()) == [source]


def test_packets_no_muxer_takes_are_transcoded(tmp_path, monkeypatch):
    source = make_video(tmp_path / "a.mkv")
    info = inspecting.inspect(source)

    def refuse(self, packet):
        raise av.error.InvalidDataError(1094995529, "Invalid data found when processing input")

    monkeypatch.setattr(playable.CopiedTrack, "feed", refuse)
    copy = playable.make_playable(source, info, tmp_path / "copy.mp4")
    assert inspecting.inspect(copy).playable == "as-is"
    assert len(frame_times(copy)) == 24


def test_a_run_after_a_crash_replaces_what_it_left(tmp_path):
    source = make_video(tmp_path / "a.mkv")
    (tmp_path / "copy.mp4.part").write_bytes(b"half")
    playable.make_playable(source, inspecting.inspect(source), tmp_path / "copy.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mkv", "copy.mp4"]


class TestFitted:
    """A copy within the limits of a service that encodes."""

    LIMITS: ClassVar = {"least_s": 4.0, "least_px": 360, "most_px": (5184, 2160)}

    @pytest.mark.parametrize(
        ("size", "expected"),
        [((160, 90), (640, 360)), ((90, 160), (360, 640)), ((640, 480), (640, 480)), ((2000, 40), (5184, 360))],
    )
    def test_a_small_picture_is_enlarged(self, tmp_path, size, expected):
        source = make_video(tmp_path / "small.mp4", seconds=5, fps=4, size=size)
        fitted = playable.write_fitted(source, inspecting.inspect(source), tmp_path / "fitted.mp4", **self.LIMITS)
        info = inspecting.inspect(fitted)
        assert (info.width_px, info.height_px) == expected
        assert info.duration_s == pytest.approx(5, abs=0.3)

    def test_a_short_one_stands_still_at_its_end(self, tmp_path):
        source = make_video(tmp_path / "short.mp4", seconds=1.5, size=(640, 360), audio="aac")
        fitted = playable.write_fitted(source, inspecting.inspect(source), tmp_path / "fitted.mp4", **self.LIMITS)
        info = inspecting.inspect(fitted)
        assert 4.0 <= info.duration_s < 4.5
        assert info.has_audio

    def test_a_turned_picture_stays_turned(self, tmp_path):
        source = make_video(tmp_path / "turned.mp4", seconds=4.5, fps=4, size=(160, 90), rotation_deg=90)
        fitted = playable.write_fitted(source, inspecting.inspect(source), tmp_path / "fitted.mp4", **self.LIMITS)
        info = inspecting.inspect(fitted)
        assert (info.width_px, info.height_px) == (360, 640)

    def test_an_enormous_picture_becomes_smaller(self):
        info = replace(make_info(), width_px=8000, height_px=4000)
        assert playable._fitted_size(info, 360, (5184, 2160)) == (4320, 2160)
