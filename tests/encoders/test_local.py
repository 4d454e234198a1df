"""The local encoder: one space of percepts and words, in which cosine ranks as the plain score does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.discover import taxonomy
from core.discover.composition import LABEL_SHARE
from core.discover.relevance import Background, Origin
from core.encoders.layout import LAYOUT
from core.encoders.local import INFO, LocalEncoder, image_vector, text_vector, video_vector, video_words
from core.encoders.percepts import LOOK, PERCEPTS
from core.encoders.words import CONCEPTS, HASHED, read
from core.errors import EncoderError
from core.ingest.frames import frame_at
from core.models import MediaInfo, Video, VideoEmbedding, ignore_progress
from tests.videos import make_video, plain

ENCODER = LocalEncoder()
ORIGIN = Origin(np.zeros(INFO.dimension, np.float32), 1.0)
NOISE, RELATED = 0.095, 0.143
"""Cosines below which nothing is said, and from which a video plainly fits."""
NO_PERCEPTS = np.zeros(len(PERCEPTS), np.float32)
NO_CONCEPTS = np.zeros(len(CONCEPTS), np.float32)
NO_WORDS = np.zeros(HASHED, np.float32)
NO_LAYOUT = np.zeros(LAYOUT, np.float32)


def described(
    path: Path,
    title: str = "clip_01",
    *,
    tags: Mapping[str, str] | None = None,
    subtitles: str = "",
    seconds: float = 4,
) -> Video:
    size = path.stat().st_size if path.exists() else 0
    info = MediaInfo(seconds, size, 160, 90, 0, 12.0, "mp4", "h264", None, "as-is", tags or {}, subtitles)
    return Video(path, "clip_01.mp4", title, "0" * 64, info)


def encode(video: Video) -> VideoEmbedding:
    return ENCODER.encode_video(video, {}, ignore_progress)


def query(text: str) -> np.ndarray:
    return ENCODER.encode_text([text])[0]


def percepts(**values: float) -> np.ndarray:
    vector = NO_PERCEPTS.copy()
    for name, value in values.items():
        vector[PERCEPTS.index(name)] = value
    return vector


def mood(name: str) -> np.ndarray:
    return ORIGIN.ensemble(ENCODER.encode_text(taxonomy.load().mood(name).prompts), LABEL_SHARE)


def category(name: str) -> np.ndarray:
    return ORIGIN.ensemble(ENCODER.encode_text(taxonomy.load().category(name).prompts), LABEL_SHARE)


def test_the_blocks_fill_the_dimension():
    assert INFO.dimension == len(PERCEPTS) + len(CONCEPTS) + HASHED + LAYOUT + 1 == 384


def test_cosine_ranks_as_the_plain_score_does():
    random = np.random.default_rng(0)
    asked = text_vector(read("a tense chase at night"))
    blocks = [
        (
            random.normal(0, 1, len(PERCEPTS)),
            random.uniform(0, 0.3, len(CONCEPTS)),
            random.normal(0, 0.04, HASHED),
            random.normal(0, 0.2, LAYOUT),
        )
        for _ in range(50)
    ]
    cosines = np.array([asked @ video_vector(*block) for block in blocks])
    scores = np.array([asked[:-1] @ (video_vector(*block)[:-1]) for block in blocks])
    assert np.allclose(cosines, scores, atol=1e-6)
    norms = [np.linalg.norm(video_vector(*block)) for block in blocks]
    assert np.allclose(norms, 1, atol=1e-5)


def test_full_blocks_still_fit_the_length():
    vector = video_vector(percepts(**dict.fromkeys(PERCEPTS, 2.5)), NO_CONCEPTS + 1, NO_WORDS + 1, NO_LAYOUT + 1)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert vector[-1] == pytest.approx(0, abs=1e-3)


def test_less_known_is_a_smaller_score_not_a_larger_one():
    """Plain cosine would make a video with one weak percept as dark as one that is dark through and through."""
    asked = query("dark")
    faint = video_vector(percepts(darkness=0.2), NO_CONCEPTS, NO_WORDS, NO_LAYOUT)
    clear = video_vector(percepts(darkness=2.2, loudness=1.0), NO_CONCEPTS, NO_WORDS, NO_LAYOUT)
    assert asked @ clear > 3 * (asked @ faint) > 0


def test_a_text_with_nothing_known_is_its_words_only():
    vector = query("zanzibarian")
    assert not vector[: len(PERCEPTS) + len(CONCEPTS)].any()
    assert vector[-1] == 0


def test_an_unknown_name_finds_its_title(tmp_path):
    words = video_words(described(tmp_path / "a.mp4", "Quokka at Rottnest"))
    others = video_words(described(tmp_path / "a.mp4", "Harbour lights"))
    asked = query("quokka")
    assert asked @ video_vector(NO_PERCEPTS, *words, NO_LAYOUT) > RELATED
    assert asked @ video_vector(NO_PERCEPTS, *others, NO_LAYOUT) < NOISE


def test_what_nothing_is_about_stays_noise(tmp_path):
    asked = query("quarterly tax filing")
    for title in ("Dog on the beach", "Guitar lesson for beginners", "Rocket launch", "How to bake bread"):
        assert asked @ video_vector(NO_PERCEPTS, *video_words(described(tmp_path / "a.mp4", title)), NO_LAYOUT) < NOISE


def test_synonyms_meet_in_the_concepts(tmp_path):
    dog = video_vector(NO_PERCEPTS, *video_words(described(tmp_path / "a.mp4", "Spaniel fetches a ball")), NO_LAYOUT)
    assert category("animals") @ dog > RELATED > NOISE > category("technology") @ dog


def test_a_title_counts_more_than_tags_and_tags_more_than_subtitles(tmp_path):
    path = tmp_path / "a.mp4"
    scores = [
        category("music") @ video_vector(NO_PERCEPTS, *video_words(video), NO_LAYOUT)
        for video in (
            described(path, "a concert"),
            described(path, tags={"genre": "concert"}),
            described(path, tags={"description": "concert"}),
            described(path, subtitles="concert"),
            described(path),
        )
    ]
    assert scores == sorted(scores, reverse=True)
    assert len({round(float(score), 4) for score in scores}) == 5


def test_long_subtitles_do_not_drown_the_title(tmp_path):
    video = described(tmp_path / "a.mp4", "Guitar lesson", subtitles="dog cat robot cake rocket castle " * 500)
    vector = video_vector(NO_PERCEPTS, *video_words(video), NO_LAYOUT)
    assert category("music") @ vector > category("animals") @ vector


def test_tags_that_say_nothing_of_the_content_are_not_read(tmp_path):
    plainly = video_words(described(tmp_path / "a.mp4"))
    tagged = video_words(described(tmp_path / "a.mp4", tags={"encoder": "dog robot", "handler_name": "castle"}))
    assert all(np.array_equal(a, b) for a, b in zip(plainly, tagged, strict=True))


def test_neutral_names_know_no_concept(tmp_path):
    concepts, _ = video_words(described(tmp_path / "clip_07.mp4", "clip_07"))
    assert not concepts.any()


def test_a_dark_video_is_found_by_dark_and_a_bright_one_by_bright(tmp_path):
    dark = encode(described(make_video(tmp_path / "d.mp4", seconds=4, pattern=plain(12, 12, 18)))).vector
    bright = encode(described(make_video(tmp_path / "b.mp4", seconds=4, pattern=plain(240, 220, 150)))).vector
    assert query("dark") @ dark > NOISE > 0 > query("dark") @ bright
    assert query("bright") @ bright > NOISE > 0 > query("bright") @ dark


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("tense", {"darkness": 1.5, "cut_rate": 1.5, "loudness": 1.2, "motion": 0.8, "brightness": -1}),
        ("calm", {"motion": -1.3, "stillness": 1.0, "cut_rate": -1.0, "loudness": -0.8, "onsets": -0.8}),
        ("energetic", {"motion": 1.6, "onsets": 1.2, "cut_rate": 0.8, "loudness": 0.8, "stillness": -1.4}),
        ("joyful", {"brightness": 1.4, "darkness": -0.9, "colourfulness": 1.2, "warmth": 0.6, "onsets": 0.5}),
        (
            "melancholic",
            {"colourfulness": -1.4, "monochrome": 1.4, "motion": -0.8, "darkness": 0.8},
        ),
        (
            "dreamy",
            {"night": 1.0, "colourfulness": 1.0, "blueness": 1.0, "motion": -0.8, "cut_rate": -1.0, "outlines": -0.8},
        ),
        ("romantic", {"warmth": 1.5, "skin": 1.3, "redness": 1.0, "motion": -0.7, "cut_rate": -0.5}),
    ],
)
def test_a_mood_prefers_what_looks_and_sounds_like_it(name, seen):
    vector = video_vector(percepts(**seen), NO_CONCEPTS, NO_WORDS, NO_LAYOUT)
    moods = {theme.id: float(mood(theme.id) @ vector) for theme in taxonomy.load().moods}
    assert max(moods, key=moods.__getitem__) == name
    others = Background.of("mood", [mood(theme.id) for theme in taxonomy.load().moods], ORIGIN, INFO.calibration)
    assert others.standing(mood(name), vector[None])[0] > INFO.calibration.fits


def test_silence_alone_is_only_mildly_calm():
    silent = video_vector(percepts(silence=1.7), NO_CONCEPTS, NO_WORDS, NO_LAYOUT)
    assert abs(float(mood("calm") @ silent)) < NOISE


def test_clips_have_the_words_of_their_video_and_percepts_of_their_own(tmp_path):
    path = make_video(
        tmp_path / "a.mp4",
        seconds=8,
        pattern=lambda i, w, h: np.full((h, w, 3), 12 if i < 48 else 240, np.uint8),
    )
    embedding = encode(described(path, "a robot", seconds=8))
    dark, bright = (clip.vector for clip in embedding.clips)
    assert query("dark") @ dark > query("dark") @ bright
    words = slice(len(PERCEPTS), -1 - LAYOUT)
    assert np.allclose(dark[words], bright[words])
    assert embedding.clips[0].seen != embedding.clips[1].seen


@pytest.mark.parametrize("seconds", [0.3, 1.0, 25.0])
def test_short_and_long_videos(tmp_path, seconds):
    path = make_video(tmp_path / "a.mp4", seconds=seconds, fps=10, pattern=plain(90, 90, 90))
    clips = encode(described(path, seconds=seconds)).clips
    assert len(clips) == (3 if seconds == 25 else 1)
    assert clips[-1].end_s == pytest.approx(seconds)


def test_a_file_of_no_known_duration_is_encoded_to_its_end(tmp_path):
    path = make_video(tmp_path / "a.mp4", seconds=5, fps=10)
    assert encode(described(path, seconds=0.0)).clips[-1].end_s == pytest.approx(5, abs=0.5)


def test_a_broken_file_is_refused_with_a_sentence(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"not a video" * 100)
    with pytest.raises(EncoderError, match=r"a\.mp4"):
        encode(described(path))


def corpus_folder() -> Path:
    return Path(os.environ.get("CORPUS_DIR", Path(__file__).parents[2] / "../shared/corpus"))


@pytest.fixture(scope="module")
def corpus() -> dict[str, VideoEmbedding]:
    folder = corpus_folder()
    names = ("cartoon_kids_bake_cake.mp4", "pour_over_coffee.mp4", "puppy_chewing.mp4", "nasa_webb_mirror.mp4")
    if not all((folder / name).is_file() for name in names):
        pytest.skip(f"the real clips are not in {folder}; set CORPUS_DIR")
    return {
        name: encode(replace(described(folder / name, Path(name).stem.replace("_", " ")), filename=name))
        for name in names
    }


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("kids baking", "cartoon_kids_bake_cake.mp4"),
        ("coffee", "pour_over_coffee.mp4"),
        ("puppies", "puppy_chewing.mp4"),
        ("nasa", "nasa_webb_mirror.mp4"),
    ],
)
def test_real_clips_are_found_by_their_names(corpus, text, name):
    scores = {other: float(query(text) @ embedding.vector) for other, embedding in corpus.items()}
    assert max(scores, key=scores.__getitem__) == name
    assert scores[name] > RELATED


@pytest.mark.corpus
def test_nonsense_finds_no_real_clip(corpus):
    asked = query("quarterly tax filing")
    for embedding in corpus.values():
        assert all(asked @ vector < NOISE for vector in (embedding.vector, *(c.vector for c in embedding.clips)))


def shapes(seed: int) -> np.ndarray:
    """Return a picture, (90, 160, 3), of soft shapes in colours of its own."""
    coarse = np.random.default_rng(seed).integers(0, 255, (3, 5, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((160, 90), Image.Resampling.BICUBIC))


def showing(path: Path, *seeds: int) -> Video:
    """Return a video in which each of the pictures stands for three seconds."""
    return described(
        make_video(path, seconds=3 * len(seeds), pattern=lambda i, w, h: shapes(seeds[i // 36])), seconds=3 * len(seeds)
    )


def test_an_image_asks_for_what_a_still_can_show_and_for_no_words():
    vector = ENCODER.encode_image(shapes(1))
    assert vector.shape == (INFO.dimension,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    unseen = [name not in LOOK for name in PERCEPTS]
    assert not vector[: len(PERCEPTS)][unseen].any()
    assert not vector[len(PERCEPTS) : -1 - LAYOUT].any()
    assert vector[-1] == 0


def test_a_frame_finds_its_own_video_and_its_own_moment(tmp_path):
    own, other = (encode(showing(tmp_path / f"{name}.mp4", *seeds)) for name, *seeds in (("a", 1, 2), ("b", 3, 4)))
    frame = ENCODER.encode_image(shapes(2))
    first, second = (clip.vector for clip in own.clips)
    assert frame @ second > 1.5 * max(frame @ first, *(frame @ clip.vector for clip in other.clips))
    assert frame @ second > RELATED


@pytest.mark.parametrize("size", [(1280, 720), (480, 270), (81, 45)])
def test_the_size_of_a_picture_hardly_counts(size):
    frame = shapes(5)
    scaled = np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BICUBIC))
    assert ENCODER.encode_image(frame) @ ENCODER.encode_image(scaled) > 0.99


@pytest.mark.parametrize("shade", [0, 107, 255])
@pytest.mark.parametrize("size", [(1, 1), (2, 500), (500, 2), (54, 96)])
def test_plain_and_tiny_pictures_are_finite(shade, size):
    vector = ENCODER.encode_image(np.full((*size, 3), shade, np.uint8))
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_what_shows_nothing_asks_for_nothing():
    assert not image_vector(NO_PERCEPTS, NO_LAYOUT).any()


def test_a_copy_is_more_alike_than_another_video_of_the_same_colours(tmp_path):
    original = showing(tmp_path / "a.mp4", 1)
    copy = described(
        make_video(
            tmp_path / "copy.mkv",
            seconds=2,
            size=(96, 54),
            codec="mpeg4",
            pattern=lambda i, w, h: np.asarray(Image.fromarray(shapes(1)).resize((w, h))),
        ),
        seconds=2,
    )
    turned = described(
        make_video(tmp_path / "b.mp4", seconds=3, pattern=lambda i, w, h: shapes(1)[::-1, ::-1]), seconds=3
    )
    vector, same, other = (encode(video).vector for video in (original, copy, turned))
    assert vector @ same > 0.995 > 0.985 > vector @ other


@pytest.mark.corpus
def test_real_frames_find_their_clips(corpus):
    folder = corpus_folder()
    for name in corpus:
        frame = ENCODER.encode_image(frame_at(folder / name, 4.0))
        scores = {
            other: max(frame @ vector for vector in (found.vector, *(clip.vector for clip in found.clips)))
            for other, found in corpus.items()
        }
        assert max(scores, key=scores.__getitem__) == name


@pytest.mark.parametrize("query", ["pets -dog", "pets without dogs", "pets, no dogs"])
def test_a_title_that_has_what_a_query_excludes_comes_last(tmp_path, query):
    path = make_video(tmp_path / "a.mp4", seconds=2)
    info = MediaInfo(2.0, 1, 160, 90, 0, 12.0, "mp4", "h264", None, "as-is")
    dog, cat = (
        LocalEncoder().encode_video(Video(path, "a.mp4", title, "0" * 64, info), {}, ignore_progress).vector
        for title in ("Pets: a dog", "Pets: a cat")
    )
    asked = LocalEncoder().encode_text([query])[0]
    assert asked @ cat > asked @ dog + 0.05
