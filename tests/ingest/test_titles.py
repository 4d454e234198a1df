"""The tags that describe a video, and titles for people."""

from __future__ import annotations

import pytest

from core.ingest import inspecting, titles
from tests.videos import make_video


def test_tags_are_cleaned_bounded_and_only_those_that_describe(tmp_path):
    tags = {"title": "One\x07 \u202etwo\n three", "comment": "x" * 9000, "location": "+48.85+002.35/", "artist": "Ann"}
    info = inspecting.inspect(make_video(tmp_path / "a.mp4", tags=tags))
    assert info.tags["title"] == "One two three"
    assert len(info.tags["comment"]) <= titles.MAX_TAG_CHARS
    assert info.tags["artist"] == "Ann"
    assert "location" not in info.tags
    assert "encoder" not in info.tags


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
        ("می‌خواهم.mp4", {}, "می‌خواهم"),
        (".mp4", {}, titles.UNTITLED),
        ("", {}, titles.UNTITLED),
        ("///", {}, titles.UNTITLED),
        ("---.mp4", {}, titles.UNTITLED),
        ("..", {}, titles.UNTITLED),
        ("x.mp4", {"title": "A real title"}, "A real title"),
        ("wolf_pack.mp4", {"title": "My Movie 6"}, "Wolf pack"),
        ("wolf_pack.mp4", {"title": "IMG_1234"}, "Wolf pack"),
        ("wolf_pack.mp4", {"title": " \x00 "}, "Wolf pack"),
        ("x.mp4", {"title": "night_train.mov"}, "Night train"),
    ],
)
def test_titles_are_for_people(filename, tags, title):
    assert titles.title_of(filename, tags) == title


def test_long_titles_end_at_a_word():
    title = titles.title_of("x.mp4", {"title": "many words " * 100})
    assert len(title) <= titles.MAX_TITLE_CHARS
    assert title.endswith(("many…", "words…"))


def test_tags_that_only_name_a_tool_are_no_words_of_the_video(tmp_path):
    tags = {"title": "Clideo", "comment": "Created with Clideo.com", "keywords": "iMovie", "genre": "Film"}
    info = inspecting.inspect(make_video(tmp_path / "wolf_pack.mkv", tags=tags))
    assert dict(info.tags) == {"genre": "Film"}
    assert titles.title_of("wolf_pack.mp4", info.tags) == "Wolf pack"
