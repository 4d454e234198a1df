"""Words and languages of subtitles, in a file and beside it."""

from __future__ import annotations

import pytest

from core.errors import MediaError
from core.ingest import captions, inspecting, subtitles
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


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("my.trip.srt", ""),
        ("my.trip.VTT", ""),
        ("my.trip.de.srt", "de"),
        ("my.trip.pt-BR.vtt", "pt-br"),
        ("my.trip.zh_Hant.ass", "zh-hant"),
        ("my.trip.fr.forced.srt", "fr"),
        ("my.trip.eng.sdh.ssa", "eng"),
        ("my.trip.sdh.srt", ""),
        ("my.trip.cc.vtt", ""),
        ("my.trip.forced.srt", ""),
    ],
)
def test_a_file_beside_a_video_is_its_subtitles_and_its_name_tells_the_language(tmp_path, name, language):
    """Whatever counts as a language is read for its words as well."""
    (tmp_path / name).write_text(
        "00:00:00,000 --> 00:00:01,000\nThe wolf\n"
        if name.casefold().endswith(("srt", "vtt"))
        else "Dialogue: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,The wolf\n"
    )
    path = tmp_path / "my.trip.mp4"
    assert subtitles.sidecars_of(path) == [subtitles.Sidecar(tmp_path / name, language)]
    info = inspecting.inspect(make_video(path))
    assert info.subtitles == "The wolf"
    assert info.subtitle_languages == subtitles.languages_of([language])


@pytest.mark.parametrize(
    "name",
    ["my.es.srt", "other.nl.srt", "my.tripper.sv.srt", "my.trip.it.txt", "my.trip.german.srt", "my.trip", "a.srt"],
)
def test_other_files_are_not(tmp_path, name):
    (tmp_path / name).touch()
    (tmp_path / "my.trip.fr.srt").mkdir()
    assert subtitles.sidecars_of(tmp_path / "my.trip.mp4") == []


def test_languages_of_tracks_come_before_those_of_sidecars(tmp_path):
    path = make_video(tmp_path / "a.mp4", subtitles=[(0, 1, "Hello")], subtitle_languages=["eng"])
    for ending in ("fr.srt", "de.srt", "en.srt"):
        (tmp_path / f"a.{ending}").touch()
    assert inspecting.inspect(path).subtitle_languages == ("en", "de", "fr")


def test_a_folder_that_cannot_be_listed_still_gives_its_plain_subtitles(tmp_path, monkeypatch):
    def closed(_):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.srt").touch()
    monkeypatch.setattr(subtitles.os, "listdir", closed)
    assert subtitles.sidecars_of(tmp_path / "a.mp4") == [subtitles.Sidecar(tmp_path / "a.srt", "")]


def test_a_name_as_long_as_names_can_be_has_no_subtitles(tmp_path, monkeypatch):
    assert subtitles.sidecars_of(tmp_path / ("n" * 251 + ".mp4")) == []
    monkeypatch.setattr(subtitles.os, "listdir", lambda _: (_ for _ in ()).throw(PermissionError()))
    assert subtitles.sidecars_of(tmp_path / ("n" * 300 + ".mp4")) == []


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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(("suffix", "text"), SIDECARS.items(), ids=SIDECARS)
def test_sidecar_subtitles_are_plain_text(tmp_path, suffix, text, encoding):
    path = tmp_path / "a.mp4"
    path.with_suffix(suffix).write_text(text, encoding=encoding)
    assert subtitles.subtitle_text([], subtitles.sidecars_of(path)) == "The wolf howls\nagain"


def write_long(path, word, cues=1000):
    """Write a file of subtitles of about a thousand characters a cue."""
    cue = "00:00:00,000 --> 00:00:01,000\n" + f"{word} " * 200
    path.write_text("\n\n".join(f"{cue}{number}" for number in range(cues)), encoding="utf-8")


def test_subtitles_are_bounded_and_each_language_has_its_share(tmp_path):
    path = make_video(tmp_path / "a.mp4")
    write_long(path.with_suffix(".de.srt"), "wort")
    assert len(inspecting.inspect(path).subtitles) == subtitles.MAX_SUBTITLE_CHARS
    write_long(path.with_suffix(".en.srt"), "word")
    write_long(path.with_suffix(".fr.srt"), "mots", cues=10)
    text = inspecting.inspect(path).subtitles
    assert 0 <= subtitles.MAX_SUBTITLE_CHARS - len(text) <= 3
    assert text.count("mots") == 2000
    assert text.count("wort") == pytest.approx(text.count("word"), abs=2)


def test_the_same_words_twice_are_read_once(tmp_path):
    for name in ("a.srt", "a.en.srt", "a.de.srt"):
        write_long(tmp_path / name, "wort" if ".de" in name else "word", cues=1)
    text = subtitles.subtitle_text([], subtitles.sidecars_of(tmp_path / "a.mp4"))
    assert text.splitlines() == ["wort " * 200 + "0", "word " * 200 + "0"]


def test_a_sidecar_that_cannot_be_read_is_said(tmp_path):
    with pytest.raises(MediaError, match="subtitle file cannot be read"):
        subtitles.subtitle_text([], [subtitles.Sidecar(tmp_path / "gone.srt", "")])


@pytest.mark.parametrize("padding", range(3))
def test_long_subtitles_are_read_as_what_they_are_wherever_reading_them_is_cut(tmp_path, padding):
    """Two of three places to cut are inside a character of three bytes."""
    path = tmp_path / "a.zh.srt"
    path.write_text("\n" * padding + "00:00:00,000 --> 00:00:01,000\n" + "狼" * 600_000, encoding="utf-8")
    text = subtitles.subtitle_text([], [subtitles.Sidecar(path, "zh")])
    assert text == "狼" * subtitles.MAX_SUBTITLE_CHARS


def test_a_damaged_byte_spoils_no_other_character(tmp_path):
    path = tmp_path / "a.zh.srt"
    path.write_bytes("00:00:00,000 --> 00:00:01,000\n我们在森\n狼".encode() + b"\xff\n\n")
    assert subtitles.subtitle_text([], [subtitles.Sidecar(path, "zh")]) == "我们在森 狼"


def test_subtitles_of_an_older_machine_are_read_though_a_pair_of_letters_looks_like_utf_8(tmp_path):
    path = tmp_path / "a.fr.srt"
    text = "00:00:00,000 --> 00:00:01,000\nL’été déjà passé… “Ã©”\n"
    path.write_bytes(text.encode("cp1252"))
    assert subtitles.subtitle_text([], [subtitles.Sidecar(path, "fr")]) == "L’été déjà passé… “Ã©”"


@pytest.mark.parametrize(
    "ends", [("\n", "\n"), ("\r\n", "\r\n"), ("\r\r\n", "\r\r\n\r\r\n"), ("\n", "\n\n\n")], ids=repr
)
@pytest.mark.parametrize("numbers", [("1", "2"), (" 1 ", " 2 "), None], ids=repr)
def test_no_cue_is_lost_whatever_lies_between_them(tmp_path, ends, numbers):
    """The empty line between cues may be missing, and a line may end in CR CR LF after a second conversion."""
    end, between = ends
    cues = [
        ["00:00:01,000 --> 00:00:02,000", "The wolf", "runs 2 miles"],
        ["00:00:03,000 --> 00:00:04,000", "In"],
    ]
    if numbers is not None:
        cues = [[number, *cue] for number, cue in zip(numbers, cues, strict=True)]
    path = tmp_path / "a.srt"
    path.write_bytes(between.join(end.join(cue) for cue in cues).encode())
    beside = [subtitles.Sidecar(path, "en")]
    assert subtitles.subtitle_text([], beside) == "The wolf runs 2 miles\nIn"
    ((_, track),) = captions.captions_of([], 0.0, beside)
    assert track == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nThe wolf\nruns 2 miles\n\n00:00:03.000 --> 00:00:04.000\nIn\n"
    )
