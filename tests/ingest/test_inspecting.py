"""What is accepted, what is refused, and what is said of it."""

from __future__ import annotations

import csv
import hashlib
import random
from fractions import Fraction
from pathlib import Path

import pytest

from core.errors import MediaError
from core.ingest import frames, inspecting, playable, titles
from core.models import MediaInfo
from tests.corpus import CORPUS, needs_corpus
from tests.videos import HostileFile, frame_times, hostile_files, make_video


def test_inspect_says_what_is_in_a_file(tmp_path):
    path = make_video(tmp_path / "a.mp4", seconds=2.5, fps=24, audio="aac", tags={"title": "A day", "genre": "Nature"})
    info = inspecting.inspect(path)
    assert info.duration_s == pytest.approx(2.5, abs=0.02)
    assert (info.width_px, info.height_px, info.rotation_deg) == (160, 90, 0)
    assert info.fps == pytest.approx(24, abs=0.1)
    assert (info.container, info.video_codec, info.audio_codec) == ("mp4", "h264", "aac")
    assert info.size_bytes == path.stat().st_size
    assert info.has_audio
    assert info.playable == "as-is"
    assert dict(info.tags) == {"title": "A day", "genre": "Nature"}


@pytest.mark.parametrize("rotation_deg", [0, 90, 180, 270])
def test_size_is_as_displayed(tmp_path, rotation_deg):
    info = inspecting.inspect(make_video(tmp_path / "a.mp4", rotation_deg=rotation_deg))
    assert info.rotation_deg == rotation_deg
    assert (info.width_px, info.height_px) == ((90, 160) if rotation_deg % 180 else (160, 90))


def test_pixels_that_are_not_square_count_in_the_size(tmp_path):
    info = inspecting.inspect(make_video(tmp_path / "a.mp4", aspect=Fraction(2, 1)))
    assert (info.width_px, info.height_px) == (320, 90)


def test_duration_comes_from_the_packets(tmp_path):
    files = {file.name: file.path for file in hostile_files(tmp_path)}
    assert inspecting.inspect(files["claims_hours.mp4"]).duration_s == pytest.approx(2.1, abs=0.1)
    assert inspecting.inspect(files["endless.webm"]).duration_s == pytest.approx(2.0, abs=0.1)
    assert inspecting.inspect(files["cut.mkv"]).duration_s < 4


def test_a_slow_start_counts_in_the_duration(tmp_path):
    """A player shows the first sound at 0:00 and the picture that begins at 1 s after it."""
    path = make_video(tmp_path / "a.mkv", times_s=[1 + i / 12 for i in range(24)], audio="ac3")
    assert inspecting.inspect(path).duration_s == pytest.approx(3.0, abs=0.05)


def test_a_broken_clock_is_said(tmp_path):
    with pytest.raises(MediaError, match="No new picture comes for 67 minutes"):
        inspecting.inspect(make_video(tmp_path / "a.mkv", times_s=[0, 0.1, 0.2, 4000, 4000.1]))
    with pytest.raises(MediaError, match="28 hours"):
        inspecting.inspect(make_video(tmp_path / "b.mkv", times_s=[0, 0.1, 100_000]))


def test_a_long_slide_is_no_broken_clock(tmp_path):
    info = inspecting.inspect(make_video(tmp_path / "a.mkv", times_s=[0, 100, 300]))
    assert 300 <= info.duration_s <= 301


@pytest.mark.corpus
@needs_corpus
def test_corpus_is_judged_as_its_labels_say():
    for row in csv.DictReader((CORPUS / "labels.csv").read_text(encoding="utf-8").splitlines()):
        info = inspecting.inspect(CORPUS / row["name"])
        # Chromium plays "remux" files too, only later: it must fetch their end first, or has no duration.
        assert (info.playable == "transcode") == (row["chrome_native"] == "no"), row["name"]
        assert info.duration_s == pytest.approx(float(row["duration_s"]), abs=0.1), row["name"]
        assert (info.video_codec, info.container) == (row["vcodec"], row["container"]), row["name"]
        assert info.audio_codec == (row["acodec"] or None), row["name"]
        assert info.height_px == pytest.approx(int(row["height"]), abs=1), row["name"]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> list[HostileFile]:
    return hostile_files(tmp_path_factory.mktemp("hostile"))


def outcome(file: HostileFile, folder: Path) -> tuple[str, str]:
    """Take a file all the way; return how it ended, and the sentence or the title."""
    try:
        info = inspecting.inspect(file.path)
        copy = playable.make_playable(file.path, info, folder / f"{file.path.stem}{playable.playable_suffix(info)}")
        frames.write_poster(file.path, info, folder / "poster.jpg")
    except MediaError as error:
        return "failed", str(error)
    assert inspecting.inspect(copy).playable == "as-is", file.name
    assert info.duration_s >= 1, file.name
    return "ready", titles.title_of(file.name, info.tags)


def test_every_hostile_file_is_ready_or_refused_in_a_sentence(hostile, tmp_path):
    assert len(hostile) >= 50
    assert len({file.path.read_bytes() for file in hostile}) == len(hostile)
    for file in hostile:
        ending, words = outcome(file, tmp_path)
        assert ending == file.expected, f"{file.name}: {words}"
        assert not any(ord(char) < 32 or char == "\u202e" for char in words), file.name
        if ending == "ready":
            assert 0 < len(words) <= titles.MAX_TITLE_CHARS, file.name
        else:
            assert words[0].isupper(), file.name
            assert words.endswith("."), file.name
            assert str(file.path) not in words, file.name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("empty.mp4", "zero bytes"),
        ("notes.mp4", "a text file, not a video"),
        ("page.webm", "a web page"),
        ("drawing.mp4", "an SVG drawing"),
        ("playlist.mp4", "a playlist"),
        ("png.mp4", "a PNG picture"),
        ("jpeg.mov", "a JPEG picture"),
        ("webp.mp4", "a WebP picture"),
        ("still.gif", "single still picture"),
        ("archive.mp4", "a ZIP archive"),
        ("song.mp3", "sound but no moving picture"),
        ("sound.mp4", "sound but no moving picture"),
        ("cover.m4a", "sound but no moving picture"),
        ("cut_early.mp4", "cut off: only"),
        ("garbage_pictures.mp4", "do not decode"),
        ("one_frame.mp4", "single still picture"),
        ("half_second.mp4", "lasts 0.50 seconds"),
        ("two_pixels.mp4", "2×2 pixels"),
        ("encrypted.mp4", "encrypted"),
        ("random.mp4", "cannot be opened as a video"),
    ],
)
def test_refusals_say_what_is_wrong(hostile, name, words):
    path = next(file.path for file in hostile if file.name == name)
    with pytest.raises(MediaError, match=words):
        inspecting.inspect(path)


def test_an_index_of_more_frames_than_the_file_has_bytes_is_made_anew(tmp_path):
    path = make_video(tmp_path / "lied.mp4")
    data = bytearray(path.read_bytes())
    count_of_times = data.index(b"stts") + 12
    data[count_of_times : count_of_times + 4] = b"\x7f\xff\xff\xff"
    path.write_bytes(data)
    info = inspecting.inspect(path)
    assert info.playable == "remux"
    copy = playable.make_playable(path, info, tmp_path / "copy.mp4")
    assert inspecting.inspect(copy).playable == "as-is"
    assert len(frame_times(copy)) == 24


def test_missing_folder_and_too_large(tmp_path):
    with pytest.raises(MediaError, match="does not exist"):
        inspecting.inspect(tmp_path / "nothing.mp4")
    with pytest.raises(MediaError, match="a folder"):
        inspecting.inspect(tmp_path)
    path = make_video(tmp_path / "a.mp4")
    with pytest.raises(MediaError, match=r"over the limit .* MAX_UPLOAD_MB"):
        inspecting.inspect(path, max_bytes=path.stat().st_size - 1)
    assert inspecting.inspect(path, max_bytes=path.stat().st_size).duration_s == pytest.approx(2.0, abs=0.01)


def test_huge_dimensions_are_refused_before_anything_is_decoded(tmp_path):
    path = make_video(tmp_path / "a.mp4", size=(8448, 64), seconds=1, fps=4)
    with pytest.raises(MediaError, match="8448×64"):
        inspecting.inspect(path)


def test_bytes_changed_at_random_never_get_through(tmp_path):
    """Flip bytes all over small files: the answer is MediaInfo or MediaError, nothing else."""
    chance = random.Random(7)
    sources = [
        make_video(tmp_path / name, audio=audio, codec=codec)
        for name, audio, codec in [
            ("a.mp4", "aac", "libx264"),
            ("b.webm", "libopus", "libvpx"),
            ("c.avi", "mp3", "mpeg4"),
        ]
    ]
    outcomes = set()
    for source in sources:
        data = source.read_bytes()
        for _ in range(25):
            broken = bytearray(data)
            for _ in range(40):
                broken[chance.randrange(min(len(broken), 4000))] = chance.randrange(256)
            path = tmp_path / f"broken{source.suffix}"
            path.write_bytes(broken)
            try:
                outcomes.add(type(inspecting.inspect(path)))
            except MediaError as error:
                outcomes.add(type(error))
    assert outcomes <= {MediaInfo, MediaError}
    assert MediaError in outcomes


def test_sha256_is_that_of_the_bytes(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"x" * 3_000_000)
    fractions: list[float] = []
    assert inspecting.sha256(path, fractions.append) == hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    with pytest.raises(MediaError):
        inspecting.sha256(tmp_path / "nothing")
