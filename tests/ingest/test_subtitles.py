"""Words and languages of subtitles, in a file and beside it."""

from __future__ import annotations

import pytest

from core.errors import MediaError
from core.ingest import inspecting, subtitles
from tests.corpus import CORPUS, needs_corpus
from tests.videos import make_video


@pytest.mark.corpus
@needs_corpus
def test_corpus_embedded_subtitles_are_read():
    assert "optical and science segment" in inspecting.inspect(CORPUS / "nasa_webb_mirror.mp4").subtitles


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.webm", "libvpx")])
def test_embedded_subtitles_are_plain_text(tmp_path, name, codec):
    cues = [(0, 1, "<i>Hello</i> there"), (1, 1.5, "A wolf &amp; a dog"), (1.5, 2, "A wolf &amp; a dog")]
    info = inspecting.inspect(make_video(tmp_path / name, codec=codec, subtitles=cues))
    assert info.subtitles == "Hello there\nA wolf & a dog"


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_languages_of_embedded_subtitles_are_told_once_and_unknown_ones_not(tmp_path, name):
    languages = ("eng", "ger", "und", "fre", "eng")
    info = inspecting.inspect(make_video(tmp_path / name, subtitles=[(0, 1, "Hello")], subtitle_languages=languages))
    assert info.subtitle_languages == ("en", "de", "fr")


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_subtitles_that_do_not_say_their_language_have_none(tmp_path, name):
    assert inspecting.inspect(make_video(tmp_path / name, subtitles=[(0, 1, "Hello")])).subtitle_languages == ()


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
    info = inspecting.inspect(path, sidecars=[given])
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
    assert inspecting.inspect(path).subtitles == ""
    elsewhere = tmp_path / "other" / f"b{suffix}"
    elsewhere.parent.mkdir()
    elsewhere.write_text(text, encoding="utf-8")
    assert inspecting.inspect(path, sidecars=[elsewhere]).subtitles == "The wolf howls\nagain"
    path.with_suffix(suffix).write_text(text, encoding="utf-16")
    assert inspecting.inspect(path).subtitles == "The wolf howls\nagain"


def test_subtitles_are_bounded_and_a_missing_sidecar_is_said(tmp_path):
    path = make_video(tmp_path / "a.mp4")
    cue = "00:00:00,000 --> 00:00:01,000\n" + "word " * 200
    path.with_suffix(".srt").write_text("\n\n".join(f"{cue}{i}" for i in range(1000)), encoding="utf-8")
    assert len(inspecting.inspect(path).subtitles) == subtitles.MAX_SUBTITLE_CHARS
    with pytest.raises(MediaError, match="subtitle file cannot be read"):
        inspecting.inspect(path, sidecars=[tmp_path / "nothing.srt"])
