"""The decode pass: regular small pictures, mono sound, and what it does with files that are not as they should be."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import Cancelled, EncoderError
from core.ingest.sampling import Large, Picture, Sound, sample
from tests.videos import make_video, moving_bars, plain


def pictures(path: Path, **options) -> list[Picture]:
    return [item for item in sample(path, **options) if isinstance(item, Picture)]


def sounds(path: Path, **options) -> list[Sound]:
    return [item for item in sample(path, **options) if isinstance(item, Sound)]


def test_pictures_come_about_four_a_second_fitted_and_in_order(tmp_path):
    found = pictures(make_video(tmp_path / "a.mp4", seconds=5, fps=24))
    assert len(found) == 20
    assert all(picture.rgb.shape == (54, 96, 3) and picture.rgb.dtype == np.uint8 for picture in found)
    assert all(0.15 <= after.time_s - before.time_s <= 0.35 for before, after in pairwise(found))
    assert found[0].time_s == 0.0


def test_a_slow_file_gives_the_pictures_it_has_and_holds_them(tmp_path):
    found = pictures(make_video(tmp_path / "a.mp4", seconds=6, fps=1))
    assert 20 <= len(found) <= 24
    assert all(after.time_s - before.time_s <= 0.51 for before, after in pairwise(found))


def test_a_slide_that_stands_weighs_as_long_as_it_stands(tmp_path):
    path = make_video(
        tmp_path / "a.mkv",
        fps=10,
        times_s=[0.0, 8.0, 8.5],
        pattern=lambda i, w, h: np.full((h, w, 3), 250 if i else 20, np.uint8),
    )
    dark = sum(picture.rgb.mean() < 100 for picture in pictures(path))
    assert 30 <= dark <= 33


@pytest.mark.parametrize(
    ("size", "shape"), [((90, 160), (54, 30, 3)), ((120, 90), (54, 72, 3)), ((200, 50), (24, 96, 3))]
)
def test_the_aspect_ratio_is_kept(tmp_path, size, shape):
    assert pictures(make_video(tmp_path / "a.mp4", size=size))[0].rgb.shape == shape


def test_pixels_that_are_not_square_are_stretched_as_displayed(tmp_path):
    found = pictures(make_video(tmp_path / "a.mp4", size=(120, 90), aspect=Fraction(4, 3)))
    assert found[0].rgb.shape == (54, 96, 3)


@pytest.mark.parametrize(("rotation", "corner"), [(90, np.s_[:8, -8:]), (180, np.s_[-8:, -8:]), (270, np.s_[-8:, :8])])
def test_rotated_pictures_are_upright(tmp_path, rotation, corner):
    rgb = pictures(make_video(tmp_path / "a.mp4", size=(160, 90), rotation_deg=rotation))[0].rgb
    assert rgb.shape == ((54, 30, 3) if rotation % 180 else (54, 96, 3))
    assert rgb[corner][1:-1, 1:-1].mean() > 180, "the bright top-left corner is not where a player shows it"


def test_sound_is_mono_at_the_rate_asked_for_and_as_long_as_it_was(tmp_path):
    found = sounds(make_video(tmp_path / "a.mp4", seconds=3, audio="aac", tone_hz=1000))
    samples = np.concatenate([sound.samples for sound in found])
    assert samples.dtype == np.float32
    assert samples.size == pytest.approx(3 * 16_000, rel=0.05)
    spectrum = np.abs(np.fft.rfft(samples[8000:24000]))
    assert spectrum.argmax() == pytest.approx(1000, abs=5)
    assert [round(sound.time_s) for sound in found][:2] == [0, 1]


def test_sound_longer_than_the_pictures_is_read_to_its_end(tmp_path):
    found = sounds(make_video(tmp_path / "a.mp4", seconds=1, audio="aac", audio_seconds=4))
    assert sum(sound.samples.size for sound in found) == pytest.approx(4 * 16_000, rel=0.05)


def test_no_sound_is_no_trouble(tmp_path):
    assert not sounds(make_video(tmp_path / "a.mp4"))


def test_broken_bytes_in_the_middle_leave_the_rest(tmp_path):
    path = make_video(tmp_path / "a.mkv", seconds=8, fps=12, options=None)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = bytes(range(200)) * 2
    path.write_bytes(data)
    found = pictures(path)
    assert len(found) >= 16
    assert found[-1].time_s > 6.0


def test_a_truncated_file_gives_what_is_there(tmp_path):
    path = make_video(tmp_path / "a.mkv", seconds=8, fps=12)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 8 <= len(pictures(path)) <= 24


@pytest.mark.parametrize("content", [b"", b"<html>no video</html>" * 50])
def test_what_is_no_video_is_refused_with_a_sentence(tmp_path, content):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(EncoderError, match=r"a\.mp4 .*\."):
        list(sample(path))


def test_sound_alone_is_refused_with_a_sentence(tmp_path):
    import av

    path = tmp_path / "a.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=44100)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 44100, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(EncoderError, match=r"a\.m4a .*no moving picture"):
        list(sample(path))


def test_progress_rises_to_one_and_what_it_raises_ends_the_pass(tmp_path):
    path = make_video(tmp_path / "a.mp4", seconds=6)
    told: list[float] = []
    list(sample(path, on_progress=told.append))
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) >= 4

    def stop(fraction: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        list(sample(path, on_progress=stop))


def test_leaving_out_unreferenced_pictures_keeps_the_rate(tmp_path):
    """At 48 pictures a second with B-frames the decoder may leave some out; four a second must remain."""
    path = make_video(
        tmp_path / "a.mp4", seconds=4, fps=48, pattern=lambda i, w, h: moving_bars(i // 4, w, h), options=None
    )
    found = pictures(path)
    assert 15 <= len(found) <= 17


def test_the_colours_are_those_of_the_file(tmp_path):
    rgb = pictures(make_video(tmp_path / "a.mp4", pattern=plain(200, 60, 40)))[0].rgb
    assert rgb.mean((0, 1)) == pytest.approx([200, 60, 40], abs=14)


def test_a_playlist_under_a_videos_name_opens_no_other_file(tmp_path):
    make_video(tmp_path / "secret.ts", seconds=3)
    path = tmp_path / "a.mp4"
    path.write_text("#EXTM3U\n#EXTINF:3,\nsecret.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(EncoderError, match=r"a\.mp4 cannot be encoded\."):
        list(sample(path))


class TestLargePictures:
    def test_one_comes_at_least_in_every_span_asked_for(self, tmp_path):
        path = make_video(tmp_path / "a.mp4", seconds=12, size=(640, 360), fps=12)
        found = pictures(path, large=Large(96, 2.0))
        times_s = [picture.time_s for picture in found if picture.large is not None]
        assert times_s[0] == 0.0
        assert max(np.diff([*times_s, 12.0])) <= 2.0
        assert len(times_s) <= 8

    def test_they_are_upright_with_the_shorter_side_asked_for_and_show_the_same(self, tmp_path):
        wide = make_video(tmp_path / "wide.mp4", seconds=1, size=(640, 360))
        tall = make_video(tmp_path / "tall.mp4", seconds=1, size=(640, 360), rotation_deg=90)
        for path, shape in ((wide, (96, 171, 3)), (tall, (171, 96, 3))):
            first = pictures(path, large=Large(96, 2.0))[0]
            assert first.large is not None
            assert first.large.shape == shape
            again = np.asarray(Image.fromarray(first.large).resize(first.rgb.shape[1::-1]), float)
            assert abs(again - first.rgb).mean() < 12
            assert abs(again[::-1] - first.rgb).mean() > 12

    def test_a_small_picture_is_not_enlarged(self, tmp_path):
        path = make_video(tmp_path / "small.mp4", seconds=1, size=(64, 48))
        first = pictures(path, large=Large(96, 2.0))[0]
        assert first.large.shape == (48, 64, 3)

    def test_while_a_picture_stands_it_is_the_very_same_one(self, tmp_path):
        path = make_video(tmp_path / "slides.mp4", times_s=[0.0, 0.25, 9.0], seconds=3, fps=1)
        found = pictures(path, large=Large(96, 2.0))
        standing = [picture.large for picture in found if 0.5 < picture.time_s < 8.9 and picture.large is not None]
        assert len(standing) >= 4
        assert len({id(large) for large in standing}) == 1

    def test_none_is_made_that_was_not_asked_for(self, tmp_path):
        path = make_video(tmp_path / "a.mp4", seconds=2)
        assert {item.large is None for item in sample(path) if isinstance(item, Picture)} == {True}
