"""core/ingest/media.py: what is accepted, refused and said; what the playable copy and the poster hold."""

from __future__ import annotations

import csv
import hashlib
import os
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import av
import numpy as np
import pytest
from PIL import Image

from core.errors import Cancelled, MediaError
from core.ingest import media
from core.models import MediaInfo
from tests.fakes import make_info
from tests.videos import HostileFile, hostile_files, make_video, moving_bars, plain

CORPUS = Path(os.environ.get("CORPUS_DIR", Path(__file__).parents[3] / "shared" / "corpus"))
needs_corpus = pytest.mark.skipif(
    not (CORPUS / "labels.csv").is_file(), reason=f"no corpus at {CORPUS}; set CORPUS_DIR"
)


def frame_times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(container.streams.best("video"))]


def picture_at(path: Path, index: int) -> np.ndarray:
    """Return frame `index` as RGB, as coded."""
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number == index:
                return frame.to_ndarray(format="rgb24")
    raise AssertionError(f"{path} has no frame {index}")


def loud_spans(path: Path, least_gap_s: float = 0.1) -> list[tuple[float, float]]:
    """Return the spans in seconds in which a file's sound is heard."""
    times, levels = [], []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            samples = frame.to_ndarray().astype(np.float64)
            wave = samples[0] if frame.format.is_planar else samples[0][:: frame.layout.nb_channels]
            wave = wave / 32768 if frame.format.name.startswith("s16") else wave
            for start in range(0, len(wave) - 127, 128):
                times.append(frame.time + start / frame.sample_rate)
                levels.append(float(np.abs(wave[start : start + 128]).max()))
    loud = [time for time, level in zip(times, levels, strict=True) if level > 0.1]
    spans: list[list[float]] = []
    for time in loud:
        if spans and time - spans[-1][1] < least_gap_s:
            spans[-1][1] = time
        else:
            spans.append([time, time])
    return [(start, end) for start, end in spans]


def flash_at(index_of_flash: int):
    """Return a pattern that is black but for one white frame."""

    def draw(index: int, width: int, height: int) -> np.ndarray:
        return np.full((height, width, 3), 255 if index == index_of_flash else 0, np.uint8)

    return draw


def playable_copy(path: Path, tmp_path: Path) -> Path:
    info = media.inspect(path)
    return media.make_playable(path, info, tmp_path / f"copy{media.playable_suffix(info)}")


# inspect


def test_inspect_says_what_is_in_a_file(tmp_path):
    path = make_video(tmp_path / "a.mp4", seconds=2.5, fps=24, audio="aac", tags={"title": "A day", "genre": "Nature"})
    info = media.inspect(path)
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
    info = media.inspect(make_video(tmp_path / "a.mp4", rotation_deg=rotation_deg))
    assert info.rotation_deg == rotation_deg
    assert (info.width_px, info.height_px) == ((90, 160) if rotation_deg % 180 else (160, 90))


def test_pixels_that_are_not_square_count_in_the_size(tmp_path):
    info = media.inspect(make_video(tmp_path / "a.mp4", aspect=Fraction(2, 1)))
    assert (info.width_px, info.height_px) == (320, 90)


def test_duration_comes_from_the_packets(tmp_path):
    files = {file.name: file.path for file in hostile_files(tmp_path)}
    assert media.inspect(files["claims_hours.mp4"]).duration_s == pytest.approx(2.1, abs=0.1)
    assert media.inspect(files["endless.webm"]).duration_s == pytest.approx(2.0, abs=0.1)
    assert media.inspect(files["cut.mkv"]).duration_s < 4


def test_a_slow_start_counts_in_the_duration(tmp_path):
    """A player shows the first sound at 0:00 and the picture that begins at 1 s after it."""
    path = make_video(tmp_path / "a.mkv", times_s=[1 + i / 12 for i in range(24)], audio="ac3")
    assert media.inspect(path).duration_s == pytest.approx(3.0, abs=0.05)


def test_a_broken_clock_is_said(tmp_path):
    with pytest.raises(MediaError, match="No new picture comes for 67 minutes"):
        media.inspect(make_video(tmp_path / "a.mkv", times_s=[0, 0.1, 0.2, 4000, 4000.1]))
    with pytest.raises(MediaError, match="28 hours"):
        media.inspect(make_video(tmp_path / "b.mkv", times_s=[0, 0.1, 100_000]))


def test_a_long_slide_is_no_broken_clock(tmp_path):
    info = media.inspect(make_video(tmp_path / "a.mkv", times_s=[0, 100, 300]))
    assert 300 <= info.duration_s <= 301


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
    info = media.inspect(source)
    assert info.playable == expected
    fractions: list[float] = []
    target = tmp_path / f"copy{media.playable_suffix(info)}"
    copy = media.make_playable(source, info, target, fractions.append)
    assert copy == (source if expected == "as-is" else target)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert expected == "as-is" or len(fractions) > 10
    made = media.inspect(copy)
    assert made.playable == "as-is"
    assert len(frame_times(copy)) == len(frame_times(source)) == 24
    assert made.duration_s == pytest.approx(info.duration_s, abs=0.05)
    assert made.has_audio == info.has_audio
    assert sorted(tmp_path.iterdir()) == sorted({source, copy})


@pytest.mark.corpus
@needs_corpus
def test_corpus_is_judged_as_its_labels_say():
    for row in csv.DictReader((CORPUS / "labels.csv").read_text(encoding="utf-8").splitlines()):
        info = media.inspect(CORPUS / row["name"])
        # Chromium plays "remux" files too, only later: it must fetch their end first, or has no duration.
        assert (info.playable == "transcode") == (row["chrome_native"] == "no"), row["name"]
        assert info.duration_s == pytest.approx(float(row["duration_s"]), abs=0.1), row["name"]
        assert (info.video_codec, info.container) == (row["vcodec"], row["container"]), row["name"]
        assert info.audio_codec == (row["acodec"] or None), row["name"]
        assert info.height_px == pytest.approx(int(row["height"]), abs=1), row["name"]


@pytest.mark.corpus
@needs_corpus
def test_corpus_embedded_subtitles_are_read():
    assert "optical and science segment" in media.inspect(CORPUS / "nasa_webb_mirror.mp4").subtitles


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
    info, made = media.inspect(source), media.inspect(copy)
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
    info = media.inspect(source)
    assert (info.video_codec, info.playable) == ("hevc", "transcode")
    copy = playable_copy(source, tmp_path)
    assert np.allclose(frame_times(copy), np.array(frame_times(source)), atol=0.002)
    assert np.abs(picture_at(copy, 20).astype(int) - picture_at(source, 20)).mean() < 6


# refusals


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> list[HostileFile]:
    return hostile_files(tmp_path_factory.mktemp("hostile"))


def outcome(file: HostileFile, folder: Path) -> tuple[str, str]:
    """Take a file all the way; return how it ended, and the sentence or the title."""
    try:
        info = media.inspect(file.path)
        copy = media.make_playable(file.path, info, folder / f"{file.path.stem}{media.playable_suffix(info)}")
        media.write_poster(file.path, info, folder / "poster.jpg")
    except MediaError as error:
        return "failed", str(error)
    assert media.inspect(copy).playable == "as-is", file.name
    assert info.duration_s >= 1, file.name
    return "ready", media.title_of(file.name, info.tags)


def test_every_hostile_file_is_ready_or_refused_in_a_sentence(hostile, tmp_path):
    assert len(hostile) >= 50
    assert len({file.path.read_bytes() for file in hostile}) == len(hostile)
    for file in hostile:
        ending, words = outcome(file, tmp_path)
        assert ending == file.expected, f"{file.name}: {words}"
        assert not any(ord(char) < 32 or char == "\u202e" for char in words), file.name
        if ending == "ready":
            assert 0 < len(words) <= media.MAX_TITLE_CHARS, file.name
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
        media.inspect(path)


def test_missing_folder_and_too_large(tmp_path):
    with pytest.raises(MediaError, match="does not exist"):
        media.inspect(tmp_path / "nothing.mp4")
    with pytest.raises(MediaError, match="a folder"):
        media.inspect(tmp_path)
    path = make_video(tmp_path / "a.mp4")
    with pytest.raises(MediaError, match=r"over the limit .* MAX_UPLOAD_MB"):
        media.inspect(path, max_bytes=path.stat().st_size - 1)
    assert media.inspect(path, max_bytes=path.stat().st_size).duration_s == pytest.approx(2.0, abs=0.01)


def test_huge_dimensions_are_refused_before_anything_is_decoded(tmp_path):
    path = make_video(tmp_path / "a.mp4", size=(8448, 64), seconds=1, fps=4)
    with pytest.raises(MediaError, match="8448×64"):
        media.inspect(path)


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
            media.inspect(tmp_path / name)
        with pytest.raises(MediaError), media._opened(tmp_path / name):
            pass


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
                outcomes.add(type(media.inspect(path)))
            except MediaError as error:
                outcomes.add(type(error))
    assert outcomes <= {MediaInfo, MediaError}
    assert MediaError in outcomes


def test_ffmpeg_stays_silent(tmp_path):
    """FFmpeg's complaints about a broken file do not reach the terminal."""
    path = make_video(tmp_path / "a.mp4", seconds=4)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 3000] = bytes(3000)
    path.write_bytes(data)
    code = (
        "import sys; from pathlib import Path; from core.ingest import media; p = Path(sys.argv[1]); "
        "i = media.inspect(p); "
        "media.write_poster(p, i, p.with_suffix('.jpg'))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert (run.stdout, run.stderr) == ("", "")


# tags and subtitles


def test_tags_are_cleaned_bounded_and_only_those_that_describe(tmp_path):
    tags = {"title": "One\x07 \u202etwo\n three", "comment": "x" * 9000, "location": "+48.85+002.35/", "artist": "Ann"}
    info = media.inspect(make_video(tmp_path / "a.mp4", tags=tags))
    assert info.tags["title"] == "One two three"
    assert len(info.tags["comment"]) <= media.MAX_TAG_CHARS
    assert info.tags["artist"] == "Ann"
    assert "location" not in info.tags
    assert "encoder" not in info.tags


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.webm", "libvpx")])
def test_embedded_subtitles_are_plain_text(tmp_path, name, codec):
    cues = [(0, 1, "<i>Hello</i> there"), (1, 1.5, "A wolf &amp; a dog"), (1.5, 2, "A wolf &amp; a dog")]
    info = media.inspect(make_video(tmp_path / name, codec=codec, subtitles=cues))
    assert info.subtitles == "Hello there\nA wolf & a dog"


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_languages_of_embedded_subtitles_are_told_once_and_unknown_ones_not(tmp_path, name):
    languages = ("eng", "ger", "und", "fre", "eng")
    info = media.inspect(make_video(tmp_path / name, subtitles=[(0, 1, "Hello")], subtitle_languages=languages))
    assert info.subtitle_languages == ("en", "de", "fr")


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_subtitles_that_do_not_say_their_language_have_none(tmp_path, name):
    assert media.inspect(make_video(tmp_path / name, subtitles=[(0, 1, "Hello")])).subtitle_languages == ()


def test_names_of_sidecars_tell_their_language(tmp_path):
    path = make_video(tmp_path / "my.trip.mp4", subtitles=[(0, 1, "Hello")], subtitle_languages=["eng"])
    beside = ("de.srt", "pt-BR.vtt", "fr.forced.srt", "eng.ass", "sdh.srt", "cc.vtt", "srt", "it.txt", "german.srt")
    for ending in beside:
        (tmp_path / f"my.trip.{ending}").touch()
    for other in ("my.es.srt", "other.nl.srt", "my.tripper.sv.srt"):
        (tmp_path / other).touch()
    (tmp_path / "elsewhere").mkdir()
    given = tmp_path / "elsewhere" / "b.ja.srt"
    given.touch()
    info = media.inspect(path, sidecars=[given])
    assert info.subtitle_languages == ("en", "ja", "de", "fr", "pt-br")


SIDECARS = {
    ".srt": """1
00:00:00,000 --> 00:00:01,000
<b>The</b> wolf
howls

2
00:00:01,000 --> 00:00:02,000
again
""",
    ".vtt": """WEBVTT

NOTE not this

STYLE
::cue {}

intro
00:00.000 --> 00:01.000
<v Ann>The wolf
howls

00:01.000 --> 00:02.000
again""",
    ".ass": """[Script Info]
Title: not this
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,{\\b1}The wolf\\Nhowls
Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,again
""",
}


@pytest.mark.parametrize(("suffix", "text"), SIDECARS.items(), ids=SIDECARS)
def test_sidecar_subtitles_are_read(tmp_path, suffix, text):
    path = make_video(tmp_path / "a.mp4")
    assert media.inspect(path).subtitles == ""
    elsewhere = tmp_path / "other" / f"b{suffix}"
    elsewhere.parent.mkdir()
    elsewhere.write_text(text, encoding="utf-8")
    assert media.inspect(path, sidecars=[elsewhere]).subtitles == "The wolf howls\nagain"
    path.with_suffix(suffix).write_text(text, encoding="utf-16")
    assert media.inspect(path).subtitles == "The wolf howls\nagain"


def test_subtitles_are_bounded_and_a_missing_sidecar_is_said(tmp_path):
    path = make_video(tmp_path / "a.mp4")
    cue = "00:00:00,000 --> 00:00:01,000\n" + "word " * 200
    path.with_suffix(".srt").write_text("\n\n".join(f"{cue}{i}" for i in range(1000)), encoding="utf-8")
    assert len(media.inspect(path).subtitles) == media.MAX_SUBTITLE_CHARS
    with pytest.raises(MediaError, match="subtitle file cannot be read"):
        media.inspect(path, sidecars=[tmp_path / "nothing.srt"])


@pytest.mark.parametrize(
    ("filename", "tags", "title"),
    [
        ("big_buck_bunny_intro.webm", {}, "Big buck bunny intro"),
        ("bigBuckBunny.mp4", {}, "Big buck bunny"),
        ("stop-motion-film.mp4", {}, "Stop motion film"),
        ("NASAWebbMirror.mp4", {}, "NASA webb mirror"),
        ("Spider-Man - the trailer.mp4", {}, "Spider-Man - the trailer"),
        ("my%20holiday.mp4", {}, "My holiday"),
        ("../../etc/passwd.mp4", {}, "Passwd"),
        ("C:\\films\\cat.avi", {}, "Cat"),
        ("🎬 party 👩‍🚀.mp4", {}, "🎬 party 👩‍🚀"),
        ("a\x00b\u202ec\n.mp4", {}, "A bc"),
        ("clip.final.v2.mp4", {}, "Clip final v2"),
        ("東京の夜.mp4", {}, "東京の夜"),
        (".mp4", {}, media.UNTITLED),
        ("", {}, media.UNTITLED),
        ("///", {}, media.UNTITLED),
        ("---.mp4", {}, media.UNTITLED),
        ("..", {}, media.UNTITLED),
        ("x.mp4", {"title": "A real title"}, "A real title"),
        ("wolf_pack.mp4", {"title": "My Movie 6"}, "Wolf pack"),
        ("wolf_pack.mp4", {"title": "IMG_1234"}, "Wolf pack"),
        ("wolf_pack.mp4", {"title": " \x00 "}, "Wolf pack"),
        ("x.mp4", {"title": "night_train.mov"}, "Night train"),
    ],
)
def test_titles_are_for_people(filename, tags, title):
    assert media.title_of(filename, tags) == title


def test_long_titles_end_at_a_word():
    title = media.title_of("x.mp4", {"title": "many words " * 100})
    assert len(title) <= media.MAX_TITLE_CHARS
    assert title.endswith(("many…", "words…"))


def test_sha256_is_that_of_the_bytes(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"x" * 3_000_000)
    fractions: list[float] = []
    assert media.sha256(path, fractions.append) == hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    with pytest.raises(MediaError):
        media.sha256(tmp_path / "nothing")


# the playable copy


def test_rotation_and_shape_are_kept(tmp_path):
    source = make_video(tmp_path / "a.mp4", codec="libx265", rotation_deg=270, aspect=Fraction(4, 3))
    info, made = media.inspect(source), media.inspect(playable_copy(source, tmp_path))
    assert (info.width_px, info.height_px, info.rotation_deg) == (90, 213, 270)
    assert (made.width_px, made.height_px, made.rotation_deg) == (90, 212, 270)


def test_rotation_is_kept_when_only_the_container_changes(tmp_path):
    source = make_video(tmp_path / "a.mov", rotation_deg=90)
    made = media.inspect(playable_copy(source, tmp_path))
    assert (made.width_px, made.height_px, made.rotation_deg) == (90, 160, 90)


def test_odd_and_large_pictures_become_even_and_small_enough(tmp_path):
    odd = media.inspect(playable_copy(make_video(tmp_path / "odd.avi", codec="mpeg4", size=(161, 91)), tmp_path))
    assert (odd.width_px, odd.height_px) == (160, 92)
    tall = make_video(tmp_path / "tall.mov", codec="mjpeg", size=(600, 2400), seconds=1, fps=4)
    made = media.inspect(playable_copy(tall, tmp_path))
    assert (made.width_px, made.height_px) == (480, 1920)


def test_variable_frame_times_are_kept(tmp_path):
    times = [0, 0.1, 0.5, 0.55, 1.0, 1.9, 2.0]
    source = make_video(tmp_path / "a.mkv", codec="libx265", times_s=times)
    assert frame_times(playable_copy(source, tmp_path)) == pytest.approx(times, abs=0.002)


def test_more_than_60_frames_a_second_are_thinned(tmp_path):
    source = make_video(tmp_path / "a.mkv", codec="libx265", fps=120, seconds=1, size=(64, 48))
    made = media.inspect(playable_copy(source, tmp_path))
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


@pytest.mark.parametrize(
    "error", [IndexError("list index out of range"), av.error.InvalidDataError(1, "bad"), ValueError()]
)
def test_reading_ends_where_the_demuxer_breaks_off(tmp_path, error):
    """PyAV raises these in the middle of a file that is cut off, or whose streams change."""

    class BreaksOff:
        def __init__(self, container):
            self.streams, self._container = container.streams, container

        def demux(self, *streams):
            for index, packet in enumerate(self._container.demux(*streams)):
                if index == 5:
                    raise error
                yield packet

    with av.open(str(make_video(tmp_path / "a.mp4"))) as container:
        assert len(list(media._packets(BreaksOff(container), [container.streams.video[0]]))) == 5


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_cancelling_leaves_nothing_behind(tmp_path, codec):
    source = make_video(tmp_path / "a.mkv", codec=codec, audio="ac3")
    info = media.inspect(source)

    def cancel_halfway(fraction: float) -> None:
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        media.make_playable(source, info, tmp_path / "copy.mp4", cancel_halfway)
    assert list(tmp_path.iterdir()) == [source]


def test_a_full_disk_is_said_and_leaves_nothing_behind(tmp_path, monkeypatch):
    source = make_video(tmp_path / "a.mkv")
    info = media.inspect(source)

    def full(self, packet):
        raise av.error.OSError(28, "No space left on device")

    monkeypatch.setattr(media._CopiedTrack, "feed", full)
    with pytest.raises(MediaError, match="No space left on device"):
        media.make_playable(source, info, tmp_path / "copy.mp4")
    assert list(tmp_path.iterdir()) == [source]


def test_packets_no_muxer_takes_are_transcoded(tmp_path, monkeypatch):
    source = make_video(tmp_path / "a.mkv")
    info = media.inspect(source)

    def refuse(self, packet):
        raise av.error.InvalidDataError(1094995529, "Invalid data found when processing input")

    monkeypatch.setattr(media._CopiedTrack, "feed", refuse)
    copy = media.make_playable(source, info, tmp_path / "copy.mp4")
    assert media.inspect(copy).playable == "as-is"
    assert len(frame_times(copy)) == 24


def test_a_run_after_a_crash_replaces_what_it_left(tmp_path):
    source = make_video(tmp_path / "a.mkv")
    (tmp_path / "copy.mp4.part").write_bytes(b"half")
    media.make_playable(source, media.inspect(source), tmp_path / "copy.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mkv", "copy.mp4"]


# posters


def poster_of(path: Path) -> np.ndarray:
    target = path.with_suffix(".poster.jpg")
    media.write_poster(path, media.inspect(path), target)
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
        media.write_poster(path, media.inspect(path), tmp_path / "file" / "poster.jpg")


class TestFitted:
    """A copy within the limits of a service that encodes."""

    LIMITS: ClassVar = {"least_s": 4.0, "least_px": 360, "most_px": (5184, 2160)}

    @pytest.mark.parametrize(
        ("size", "expected"),
        [((160, 90), (640, 360)), ((90, 160), (360, 640)), ((640, 480), (640, 480)), ((2000, 40), (5184, 360))],
    )
    def test_a_small_picture_is_enlarged(self, tmp_path, size, expected):
        source = make_video(tmp_path / "small.mp4", seconds=5, fps=4, size=size)
        fitted = media.write_fitted(source, media.inspect(source), tmp_path / "fitted.mp4", **self.LIMITS)
        info = media.inspect(fitted)
        assert (info.width_px, info.height_px) == expected
        assert info.duration_s == pytest.approx(5, abs=0.3)

    def test_a_short_one_stands_still_at_its_end(self, tmp_path):
        source = make_video(tmp_path / "short.mp4", seconds=1.5, size=(640, 360), audio="aac")
        fitted = media.write_fitted(source, media.inspect(source), tmp_path / "fitted.mp4", **self.LIMITS)
        info = media.inspect(fitted)
        assert 4.0 <= info.duration_s < 4.5
        assert info.has_audio

    def test_a_turned_picture_stays_turned(self, tmp_path):
        source = make_video(tmp_path / "turned.mp4", seconds=4.5, fps=4, size=(160, 90), rotation_deg=90)
        fitted = media.write_fitted(source, media.inspect(source), tmp_path / "fitted.mp4", **self.LIMITS)
        info = media.inspect(fitted)
        assert (info.width_px, info.height_px) == (360, 640)

    def test_an_enormous_picture_becomes_smaller(self):
        info = replace(make_info(), width_px=8000, height_px=4000)
        assert media._fitted_size(info, 360, (5184, 2160)) == (4320, 2160)


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
        frame = media.frame_at(video, at_s)
        assert frame.shape == (90, 160, 3)
        assert frame.dtype == np.uint8
        assert number_of(frame) == number

    def test_times_count_from_where_a_player_begins(self, tmp_path):
        video = make_video(tmp_path / "a.mkv", times_s=[5 + i / 10 for i in range(20)], pattern=shades)
        assert number_of(media.frame_at(video, 1.2)) == 12

    def test_a_frame_stands_until_the_next(self, tmp_path):
        video = make_video(tmp_path / "a.mp4", times_s=[0, 0.1, 3.0, 3.1], pattern=shades)
        assert [number_of(media.frame_at(video, at_s)) for at_s in (0.05, 2.9, 3.0)] == [0, 1, 2]

    @pytest.mark.parametrize(("degrees", "corner"), [(0, (0, 0)), (90, (0, -1)), (180, (-1, -1)), (270, (-1, 0))])
    def test_it_is_turned_as_a_player_turns_it(self, tmp_path, degrees, corner):
        frame = media.frame_at(make_video(tmp_path / "a.mp4", rotation_deg=degrees), 1.0)
        assert frame.shape == ((160, 90, 3) if degrees % 180 else (90, 160, 3))
        assert [place for place in ((0, 0), (0, -1), (-1, 0), (-1, -1)) if frame[place].min() > 230] == [corner]

    def test_wide_pixels_are_made_square(self, tmp_path):
        video = make_video(tmp_path / "a.mp4", size=(120, 90), aspect=Fraction(4, 3))
        assert media.frame_at(video, 1.0).shape == (90, 160, 3)

    def test_what_is_damaged_around_a_time_leaves_the_last_good_frame(self, tmp_path):
        video = make_video(tmp_path / "a.mkv", seconds=6)
        video.write_bytes(video.read_bytes()[: int(video.stat().st_size * 0.6)])
        assert media.frame_at(video, 5.9).shape == (90, 160, 3)

    @pytest.mark.parametrize("content", [b"", b"no video" * 100, b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"])
    def test_what_is_no_video_is_refused(self, tmp_path, content):
        path = tmp_path / "a.mp4"
        path.write_bytes(content)
        with pytest.raises(MediaError, match=r"\.$"):
            media.frame_at(path, 1.0)

    @pytest.mark.parametrize("source", ["nowhere/a.mp4", "ftp://127.0.0.1/a.mp4", "concat:/etc/passwd"])
    def test_what_is_not_there_is_refused(self, source):
        with pytest.raises(MediaError, match=r"\.$"):
            media.frame_at(source, 1.0)

    def test_it_comes_from_an_address_too(self, tmp_path):
        make_video(tmp_path / "a.mp4", fps=10, pattern=shades)
        with served(tmp_path) as url:
            assert number_of(media.frame_at(f"{url}/a.mp4?X-Signature=secret", 1.2)) == 12

    @pytest.mark.parametrize("path", ["gone.mp4", "text.mp4", "list.m3u8"])
    def test_no_error_repeats_a_signed_address(self, tmp_path, path):
        (tmp_path / "text.mp4").write_bytes(b"no video" * 100)
        (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")
        with served(tmp_path) as url, pytest.raises(MediaError, match=r"\.$") as caught:
            media.frame_at(f"{url}/{path}?X-Signature=secret", 1.0)
        assert "secret" not in str(caught.value)

    def test_who_never_answers_is_not_waited_for(self, monkeypatch):
        monkeypatch.setattr(media, "_FRAME_TIMEOUT_S", 0.3)
        with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(MediaError, match="fetched"):
            media.frame_at(f"http://127.0.0.1:{silent.getsockname()[1]}/a.mp4", 1.0)

    def test_a_search_without_end_is_given_up(self, tmp_path, monkeypatch):
        video = make_video(tmp_path / "a.mp4")
        clock = iter(range(0, 10_000, 10))
        monkeypatch.setattr(media.time, "monotonic", lambda: float(next(clock)))
        with pytest.raises(MediaError, match="too long"):
            media.frame_at(video, 1.9)


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
