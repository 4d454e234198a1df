"""Subtitles with their times: made into WebVTT from what is in a file and beside it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.ingest import inspecting
from core.ingest.captions import caption_key, caption_language, captions_of, webvtt
from core.ingest.subtitles import Sidecar
from core.ingest.work import Work
from core.stores.base import check_key
from tests.videos import make_video


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.webm", "libvpx")])
def test_embedded_subtitles_keep_their_times(tmp_path, name, codec):
    cues = [(0, 1, "<i>Hello</i> there"), (1.25, 2, "A wolf &amp; a dog")]
    languages = ("ger",) if name != "a.mp4" else ("ger", "eng")  # the same words twice are one track
    info = inspecting.inspect(make_video(tmp_path / name, codec=codec, subtitles=cues, subtitle_languages=languages))
    ((language, text),) = info.captions
    assert language == "de"
    assert text.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nHello there\n\n00:00:01.2")
    assert text.endswith(" --> 00:00:02.000\nA wolf &amp; a dog\n")


SRT = (
    "1\n00:00:01,500 --> 00:01:02,5 X1:1\n<b>One</b>\nmore & <more\n\n"
    "2\nno time\n\n3\n00:00:00,5 --> 00:00:01,0\nzero\n"
)
VTT = "WEBVTT\n\nNOTE a --> b\n\nSTYLE\n::cue {}\n\n00:01.500 --> 00:02.000 align:start\n<v Ann>One\n\n"
ASS = "[Events]\nDialogue: 0,0:00:01.50,1:00:02.00,Def,,0,0,0,,{\\i1}One{\\i0}, two\\Nthree\nComment: 0,0:00:00.00\n"


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        (
            "a.srt",
            SRT,
            "00:00:00.500 --> 00:00:01.000\nzero\n\n00:00:01.500 --> 00:01:02.500\nOne\nmore &amp; &lt;more\n",
        ),
        ("a.vtt", VTT, "00:00:01.500 --> 00:00:02.000\nOne\n"),
        ("a.ass", ASS, "00:00:01.500 --> 01:00:02.000\nOne, two\nthree\n"),
    ],
)
def test_files_beside_a_video_keep_their_times(tmp_path, name, text, wanted):
    (tmp_path / name).write_text(text)
    tracks = captions_of([], 0.0, [Sidecar(tmp_path / name, "pt-br")])
    assert tracks == (("pt-br", f"WEBVTT\n\n{wanted}"),)


def test_words_cannot_become_markup_or_another_cue():
    text = webvtt([(0.0, 1.0, "a &lt;script&gt; --> b\\N\\N00:00:05.000 --> 00:00:06.000\\Nc")])
    assert text == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\na &lt;script&gt; --&gt; b\n00:00:05.000 --&gt; 00:00:06.000\nc\n"
    )


def test_a_cue_that_does_not_say_how_long_stands_until_the_next():
    text = webvtt([(0.0, 0.0, "a"), (2.0, 2.0, "b"), (-1.0, 5.0, "before the beginning")])
    assert "00:00:00.000 --> 00:00:02.000\na" in text
    assert "00:00:02.000 --> 00:00:09.000\nb" in text
    assert "before" not in text
    assert webvtt([(0.0, 1.0, "{\\an8}")]) == ""


def test_a_key_says_its_language():
    for language, said in (("pt-br", "pt-br"), ("und", "")):
        key = check_key(caption_key("0b5f3c1e-8a6e-5b4f-9d59-0f3a4f2f7a10", 3, language))
        assert caption_language(key) == said


def test_work_is_written_down_with_its_captions(tmp_path):
    info = replace(inspecting.inspect(make_video(tmp_path / "a.mp4")), captions=(("en", "WEBVTT\n"),))
    work = Work("1", "a", "a.mp4", info=info, caption_keys=("a_0_en.vtt",))
    assert Work.from_json(work.to_json()) == work
    row = json.loads(work.to_json())
    del row["caption_keys"], row["info"]["captions"]  # as an earlier release wrote it
    assert Work.from_json(json.dumps(row)).caption_keys == ()
