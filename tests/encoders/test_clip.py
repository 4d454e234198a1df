"""The clip encoder, through fastembed and real (tiny) networks that know colours."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.encoders import clip, clip_models, local
from core.encoders.clip import LOCAL_ALONE, MODEL_ALONE, ClipEncoder, Frames, Scale, Towers, neutral_pictures
from core.encoders.percepts import PERCEPTS
from core.errors import Cancelled, EncoderError
from core.ingest.sampling import Picture
from core.models import MediaInfo, Video, VideoEmbedding, ignore_progress
from tests.models import COLOURS, write_colour_model
from tests.videos import make_video, plain

ROOT = Path(__file__).parents[2]
MODEL = clip_models.named("clip")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_colour_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def towers(folder) -> Towers:
    return open_towers(folder)


def open_towers(folder: Path, name: str = "clip", threads: int = 1) -> Towers:
    return Towers(clip_models.named(name), clip_models.in_folder(folder), threads)


@pytest.fixture
def encoder(towers) -> ClipEncoder:
    return ClipEncoder(towers)


def filmed(path: Path, *colours: str, each_s: float = 2.0, fps: int = 12, title: str = "") -> Video:
    """Make a video that shows one colour after the other."""

    def draw(index: int, width: int, height: int) -> np.ndarray:
        return plain(*COLOURS[colours[min(int(index / fps / each_s), len(colours) - 1)]])(index, width, height)

    seconds = each_s * len(colours)
    make_video(path, seconds=seconds, fps=fps, pattern=draw)
    info = MediaInfo(seconds, path.stat().st_size, 160, 90, 0, fps, "mp4", "h264", None, "as-is")
    return Video(path, path.name, title or path.stem, "0" * 64, info)


def encode(encoder: ClipEncoder, video: Video) -> VideoEmbedding:
    return encoder.encode_video(video, {}, ignore_progress)


def best(encoder: ClipEncoder, text: str, vectors: dict[str, np.ndarray]) -> str:
    query = encoder.encode_text([text])[0]
    return max(vectors, key=lambda name: float(vectors[name] @ query))


def test_another_name_changes_the_local_half_as_encoding_it_afresh_would(encoder, tmp_path):
    video = filmed(tmp_path / "a.mp4", "red", "blue", title="Grey wolf")
    renamed = replace(video, title="Cooking pasta")
    before, fresh = encode(encoder, video), encode(encoder, renamed)
    rows = [np.array([one.vector, *(clip.vector for clip in one.clips)]) for one in (before, fresh)]
    assert encoder.info.reads_names
    np.testing.assert_allclose(encoder.reword(rows[0], renamed), rows[1], atol=1e-4)
    assert not np.allclose(rows[0], rows[1], atol=1e-2)


@pytest.fixture(scope="module")
def videos(towers, tmp_path_factory) -> dict[str, np.ndarray]:
    """Return a video of one colour each, under names that say nothing."""
    folder = tmp_path_factory.mktemp("videos")
    names = ("red", "green", "blue", "yellow")
    encoder = ClipEncoder(towers)
    return {
        colour: encode(encoder, filmed(folder / f"IMG_{number:04}.mp4", colour)).vector
        for number, colour in enumerate(names)
    }


@pytest.mark.parametrize(
    ("text", "colour"), [("red", "red"), ("grass", "green"), ("a banana", "yellow"), ("sea", "blue")]
)
def test_a_text_finds_the_video_that_shows_it(encoder, videos, text, colour):
    assert best(encoder, text, videos) == colour


def test_a_picture_finds_the_video_that_looks_like_it(encoder, videos):
    for colour, vector in videos.items():
        query = encoder.encode_image(np.full((300, 500, 3), COLOURS[colour], np.uint8))
        assert all(query @ vector >= query @ other for other in videos.values())


def test_the_name_of_the_space_says_both_halves_and_their_versions(encoder):
    assert encoder.info.name == f"clip-vit-b-32+{local.INFO.name}"
    assert not set(encoder.info.name) & set('<>:"/\\|?* ')
    assert encoder.info.dimension == 512 + local.INFO.dimension


@pytest.mark.parametrize("name", clip_models.NAMES)
def test_each_model_of_the_table_is_loaded_from_a_folder_and_sees(tmp_path, name):
    towers = open_towers(write_colour_model(tmp_path, clip_models.named(name)), name)
    seen = towers.see([np.full((90, 160, 3), COLOURS[colour], np.uint8) for colour in ("red", "blue")])
    read = towers.read(["RED", "the blue sea"])
    assert seen.shape == read.shape == (2, towers.model.dimension)
    assert np.linalg.norm(np.concatenate([seen, read]), axis=1) == pytest.approx([1] * 4, abs=1e-5)
    assert (read @ seen.T).argmax(axis=1).tolist() == [0, 1]


def test_the_table_says_what_fastembed_says():
    from fastembed import ImageEmbedding, TextEmbedding

    pictures = {row["model"]: row for row in ImageEmbedding.list_supported_models()}
    texts = {row["model"]: row for row in TextEmbedding.list_supported_models()}
    for model in clip_models.MODELS:
        for tower, row in ((model.vision, pictures[model.vision.name]), (model.text, texts[model.text.name])):
            assert (tower.repo, tower.weights, model.dimension) == (row["sources"]["hf"], row["model_file"], row["dim"])
            assert row["license"] == model.licence.lower()
        total = 1e9 * (pictures[model.vision.name]["size_in_GB"] + texts[model.text.name]["size_in_GB"])
        assert total <= model.size_bytes <= 1.1 * total


def test_nothing_is_looked_up_on_a_network(folder, tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    encoder = ClipEncoder(open_towers(folder))
    assert encode(encoder, filmed(tmp_path / "a.mp4", "red")).vector.any()
    assert encoder.encode_text(["red"]).any()


def test_fastembed_is_loaded_only_when_chosen(folder, tmp_path):
    code = (
        "import sys; from pathlib import Path; from core import services, settings; "
        "services.build(settings.load({'DATA_DIR': %r, 'ENCODER': %r, 'CLIP_MODEL_DIR': %r}, None)).close(); "
        "print('fastembed' in sys.modules)"
    )
    for encoder, loaded in (("local", "False"), ("clip", "True")):
        command = [sys.executable, "-c", code % (str(tmp_path / encoder), encoder, str(folder))]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
        assert done.stdout.strip() == loaded


class TestTheTwoHalves:
    def test_a_text_is_answered_by_what_is_seen_and_by_what_is_said(self, towers, tmp_path):
        video = filmed(tmp_path / "IMG_0001.mp4", "purple", title="A wolf")
        vector = encode(ClipEncoder(towers), video).vector
        other = encode(ClipEncoder(towers), filmed(tmp_path / "IMG_0002.mp4", "red")).vector
        for weights, sees, reads in ((clip.FUSED, True, True), (MODEL_ALONE, True, False), (LOCAL_ALONE, False, True)):
            purple, wolf = ClipEncoder(towers, weights=weights).encode_text(["amethyst", "wolf"])
            assert (purple @ vector > purple @ other + 0.05) == sees
            assert (wolf @ vector > wolf @ other + 0.05) == reads

    def test_the_halves_of_a_video_weigh_the_same(self, encoder, videos):
        for vector in videos.values():
            assert np.linalg.norm(vector[:512]) == pytest.approx(np.sqrt(0.5), abs=1e-4)

    def test_the_local_half_alone_needs_no_network(self, towers, monkeypatch):
        monkeypatch.setattr(towers, "read", lambda texts: pytest.fail("the model was asked"))
        assert ClipEncoder(towers, weights=LOCAL_ALONE).encode_text(["wolf"]).any()

    def test_a_word_that_the_model_does_not_know_claims_nothing(self, encoder, videos):
        known, unknown = encoder.encode_text(["blue", "qwertzuiop"])
        assert np.linalg.norm(unknown[:512]) < 0.1
        assert np.linalg.norm(known[:512]) > 0.5


class TestWordsThatExclude:
    def test_they_push_away(self, encoder, videos):
        for text in ("-red", "without red", "no blood"):
            query = encoder.encode_text([text])[0]
            assert min(videos, key=lambda name: float(videos[name] @ query)) == "red", text

    def test_what_is_wanted_beside_them_stays(self, encoder, tmp_path):
        """A yellow picture is as near to red as to green: so what is not red goes to the green."""
        vectors = {
            colours: encode(encoder, filmed(tmp_path / f"IMG_{number}.mp4", *colours.split())).vector
            for number, colours in enumerate(("yellow red", "yellow green", "blue"))
        }
        assert best(encoder, "banana -blood", vectors) == "yellow green"
        assert best(encoder, "banana -grass", vectors) == "yellow red"

    def test_a_title_that_has_the_word_is_pushed_away_too(self, encoder, tmp_path):
        dogs, cats = (
            encode(encoder, filmed(tmp_path / f"{number}.mp4", "blue", title=title)).vector
            for number, title in enumerate(("Pets: a dog", "Pets: a cat"))
        )
        query = encoder.encode_text(["pets without dogs"])[0]
        assert query @ cats > query @ dogs


class TestFrames:
    def test_each_clip_is_seen_by_frames_of_its_own(self, encoder, tmp_path):
        colours = ("red", "green", "blue", "yellow", "purple", "white", "red")
        clips = encode(encoder, filmed(tmp_path / "IMG_1.mp4", *colours, each_s=2.0)).clips
        assert len(clips) == len(colours)
        for row, colour in zip(clips, colours, strict=True):
            shown = encode(encoder, filmed(tmp_path / f"{colour}.mp4", colour)).vector
            assert row.vector[:512] @ shown[:512] == pytest.approx(0.5, abs=0.01), colour

    def test_clips_are_those_of_the_local_encoder(self, encoder, tmp_path):
        video = filmed(tmp_path / "IMG_1.mp4", "red", "green", "blue", each_s=3.0)
        ours, theirs = encode(encoder, video), local.LocalEncoder().encode_video(video, {}, ignore_progress)
        assert [(c.start_s, c.end_s, c.seen) for c in ours.clips] == [
            (c.start_s, c.end_s, c.seen) for c in theirs.clips
        ]
        assert ours.seen == theirs.seen
        assert ours.vector[512:] @ theirs.vector == pytest.approx(np.sqrt(0.5), abs=1e-4)

    def test_a_picture_that_stands_is_looked_at_once(self, towers, tmp_path, monkeypatch):
        looked: list[int] = []
        see = towers.see_frames
        monkeypatch.setattr(towers, "see_frames", lambda pictures: looked.append(len(pictures)) or see(pictures))
        slides = make_video(tmp_path / "slides.mp4", times_s=[0.0, 20.0], seconds=2, fps=1)
        info = MediaInfo(40.0, 1, 160, 90, 0, 1, "mp4", "h264", None, "as-is")
        encode(ClipEncoder(towers), Video(slides, "slides.mp4", "slides", "", info))
        assert sum(looked) <= 3

    def test_a_few_are_held_at_a_time_however_long_the_video(self, towers, tmp_path, monkeypatch):
        looked: list[int] = []
        see = towers.see_frames
        monkeypatch.setattr(towers, "see_frames", lambda pictures: looked.append(len(pictures)) or see(pictures))
        encode(ClipEncoder(towers), filmed(tmp_path / "long.mp4", "red", "blue", each_s=30.0, fps=4))
        assert max(looked) == clip.BATCH
        assert 30 <= sum(looked) <= 40

    def test_cancelling_ends_it_between_two_batches(self, towers, tmp_path, monkeypatch):
        looked: list[int] = []
        see = towers.see_frames
        monkeypatch.setattr(towers, "see_frames", lambda pictures: looked.append(len(pictures)) or see(pictures))

        def stop(fraction: float) -> None:
            if looked:
                raise Cancelled

        with pytest.raises(Cancelled):
            ClipEncoder(towers).encode_video(filmed(tmp_path / "long.mp4", "red", each_s=60.0, fps=4), {}, stop)
        assert len(looked) == 1

    def test_black_frames_count_only_where_there_are_no_others(self):
        frames = Frames()
        black, scene = np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8)
        scene[:2] = 200
        views = np.eye(3, dtype=np.float32)
        for time_s, rgb in ((0.0, black), (1.0, scene), (5.0, black)):
            assert frames.add(Picture(time_s, rgb, rgb.copy()))
        frames.saw(views)
        assert frames.view(0.0, 4.0) == pytest.approx(views[1])
        assert frames.view(4.0, 8.0) == pytest.approx(views[2])

    def test_a_span_without_a_frame_is_seen_by_the_one_that_stands(self):
        frames = Frames()
        for time_s in (0.0, 10.0):
            frames.add(Picture(time_s, np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 3), np.uint8)))
        frames.saw(np.eye(2, dtype=np.float32))
        assert frames.view(4.0, 6.0) == pytest.approx([1, 0])


class TestScale:
    def test_what_all_texts_and_all_pictures_have_in_common_says_nothing(self):
        random = np.random.default_rng(1)
        texts, query = unit(random.normal(size=(24, 64))), unit(random.normal(size=64))
        picture = unit(random.normal(size=64))
        for gap in (1.0, 3.0):
            band = gap * unit(np.arange(64.0) - 30) + 0.5 * picture
            scale = Scale.of(unit(texts + band), picture, unit(unit(random.normal(size=(29, 64))) + band))
            weighed = scale.weigh(unit(query + band))
            assert abs(weighed @ picture) < 1e-5
            assert unit(weighed) @ query > 0.9
            assert 0.7 < np.linalg.norm(weighed) <= 1 + 1e-5  # It says about as much as telling texts do.

    def test_a_word_that_says_a_tenth_of_what_telling_texts_do_counts_a_tenth(self):
        random = np.random.default_rng(2)
        band, picture = 3.0 * unit(random.normal(size=64)), unit(random.normal(size=64))
        telling = unit(random.normal(size=(29, 64)))
        telling[:15] *= 0.02  # A model need not know most of them.
        scale = Scale.of(unit(0.02 * unit(random.normal(size=(24, 64))) + band), picture, unit(telling + band))
        assert np.linalg.norm(scale.weigh(unit(0.1 * unit(random.normal(size=64)) + band))) < 0.2

    def test_neutral_pictures_are_always_the_same_and_unlike_each_other(self):
        first, again = neutral_pictures(4, 64), neutral_pictures(4, 64)
        assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
        assert all(picture.shape == (64, 64, 3) and picture.std() > 20 for picture in first)
        assert abs(np.corrcoef(first[0].ravel(), first[1].ravel())[0, 1]) < 0.9


def test_a_text_of_which_neither_half_knows_anything_is_zero(encoder):
    assert not encoder.encode_text(["of the and a"]).any()
    assert encoder.encode_text(["zanzibarian"]).any()  # The words of a title are found by the local half.


def test_of_a_subject_no_looks_are_asked(encoder):
    percepts = slice(512, 512 + len(PERCEPTS))
    cartoon, tense = encoder.encode_text(["cartoon", "tense"])
    assert not cartoon[percepts].any()
    assert tense[percepts].any()


class TestWhatIsWrongWithAModel:
    def test_one_of_another_size_says_which_setting_is_wrong(self, tmp_path):
        towers = open_towers(write_colour_model(tmp_path, dimension=256))
        with pytest.raises(EncoderError, match="CLIP_MODEL"):
            towers.read(["red"])

    @pytest.mark.parametrize(
        ("half", "file"), [("text", "model.onnx"), ("text", "tokenizer.json"), ("vision", "model.onnx")]
    )
    def test_one_that_is_damaged_says_how_to_get_it_again(self, tmp_path, half, file):
        folder = write_colour_model(tmp_path)
        (folder / half / file).write_bytes(b"damaged")
        towers = open_towers(folder)
        with pytest.raises(EncoderError, match="model get clip") as caught:
            towers.read(["red"]) if half == "text" else towers.see([np.zeros((9, 9, 3), np.uint8)])
        assert str(caught.value).endswith(".")

    def test_numbers_that_are_none_are_refused(self, towers, monkeypatch):
        monkeypatch.setattr(towers, "_load", lambda which: Broken())
        with pytest.raises(EncoderError):
            towers.read(["red"])


class Broken:
    def embed(self, texts: list[str], batch_size: int) -> Iterator[np.ndarray]:
        return (np.full(512, np.nan, np.float32) for _ in texts)


def test_the_networks_take_no_more_threads_than_they_are_given(folder):
    towers = open_towers(folder, threads=3)
    towers.read(["red"])
    assert towers._text.model.model.get_session_options().intra_op_num_threads == 3


def test_the_memory_of_texts_is_of_these_weights_alone(folder, tmp_path):
    same = write_colour_model(tmp_path / "same")
    other = write_colour_model(tmp_path / "other", dimension=256)
    assert open_towers(folder).fingerprint == open_towers(same).fingerprint
    assert open_towers(folder).fingerprint != open_towers(other).fingerprint


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)
