"""What every encoder must do, run over each: add a backend to ENCODERS and it is held to the same."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.encoders import clip_models
from core.encoders.base import Encoder
from core.encoders.bedrock import BedrockEncoder
from core.encoders.clip import ClipEncoder, Towers
from core.encoders.local import LocalEncoder
from core.encoders.twelvelabs import TwelveLabsEncoder
from core.errors import Cancelled
from core.models import MediaInfo, Video, VideoEmbedding, ignore_progress
from tests.fakes import FakeEncoder
from tests.models import write_colour_model
from tests.servers import bedrock, twelvelabs
from tests.videos import make_video


def make_twelvelabs(model: str, **options: Any) -> Encoder:
    return TwelveLabsEncoder(
        twelvelabs.API_KEY,
        model=model,
        base_url=twelvelabs.shared_server().url,
        scratch_dir=Path(tempfile.mkdtemp(prefix="fitted-")),
        **options,
    )


@cache
def make_bedrock(side_by_side: bool = False) -> Encoder:
    server, bucket = bedrock.shared_server()
    return BedrockEncoder(
        bucket,
        access_key=bedrock.ACCESS_KEY,
        secret_key=bedrock.SECRET_KEY,
        bucket_region=bedrock.REGION,
        bucket_owner=bedrock.ACCOUNT,
        endpoint_url=server.url,
        bucket_endpoint_url=server.s3.url,
        side_by_side=side_by_side,
        scratch_dir=Path(tempfile.mkdtemp(prefix="fitted-")),
    )


@cache
def colour_model() -> Path:
    return write_colour_model(Path(tempfile.mkdtemp(prefix="model-")))


def make_clip() -> Encoder:
    model = clip_models.named("clip")
    return ClipEncoder(Towers(model, clip_models.in_folder(colour_model()), threads=1))


ENCODERS: dict[str, Callable[[], Encoder]] = {
    "local": LocalEncoder,
    "clip": make_clip,
    "fake": FakeEncoder,
    "twelvelabs 3.0": lambda: make_twelvelabs("marengo3.0"),
    "twelvelabs 3.5": lambda: make_twelvelabs("marengo3.5"),
    "twelvelabs 3.5 short": lambda: make_twelvelabs("marengo3.5", dimension=128),
    "twelvelabs 3.0 side by side": lambda: make_twelvelabs("marengo3.0", side_by_side=True),
    "twelvelabs 3.5 side by side": lambda: make_twelvelabs("marengo3.5", side_by_side=True),
    "bedrock": make_bedrock,
    "bedrock side by side": lambda: make_bedrock(side_by_side=True),
}


@pytest.fixture(params=ENCODERS)
def encoder(request) -> Encoder:
    return ENCODERS[request.param]()


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return make_video(tmp_path_factory.mktemp("contract") / "take_one.mp4", seconds=12, audio="aac")


@pytest.fixture
def video(path) -> Video:
    return described(path, "Happy dog on a beach")


def described(path: Path, title: str, duration_s: float = 12.0, size: tuple[int, int] = (160, 90)) -> Video:
    info = MediaInfo(duration_s, path.stat().st_size, *size, 0, 12.0, "mp4", "h264", "aac", "as-is", {"title": title})
    return Video(path, path.name, title, hashlib.sha256(path.read_bytes()).hexdigest(), info)


def encode(encoder: Encoder, video: Video) -> VideoEmbedding:
    return encoder.encode_video(video, {}, ignore_progress)


def test_the_info_describes_it(encoder):
    info = encoder.info
    assert info.name
    assert info.sees
    assert info.blind_to
    assert info.parallel >= 1


def test_vectors_are_unit_and_of_the_dimension(encoder, video):
    embedding = encode(encoder, video)
    for vector in (embedding.vector, *(clip.vector for clip in embedding.clips)):
        assert vector.shape == (encoder.info.dimension,)
        assert vector.dtype == np.float32
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)


def test_clips_follow_each_other_within_the_video(encoder, video):
    clips = encode(encoder, video).clips
    assert clips
    assert all(clip.start_s < clip.end_s for clip in clips)
    assert all(before.end_s <= after.start_s + 1e-6 for before, after in pairwise(clips))
    assert clips[0].start_s >= 0
    assert clips[-1].end_s <= video.info.duration_s + 1e-6


def test_what_was_seen_is_a_few_words(encoder, video):
    embedding = encode(encoder, video)
    for seen in (embedding.seen, *(clip.seen for clip in embedding.clips)):
        assert isinstance(seen, tuple)
        assert all(isinstance(word, str) and word for word in seen)


def test_the_same_video_gives_the_same_vectors(encoder, video):
    first, second = encode(encoder, video), encode(encoder, video)
    assert np.array_equal(first.vector, second.vector)
    assert all(np.array_equal(a.vector, b.vector) for a, b in zip(first.clips, second.clips, strict=True))


def test_progress_rises_and_ends_at_one(encoder, video):
    told: list[float] = []
    encoder.encode_video(video, {}, told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert all(0 <= fraction <= 1 for fraction in told)


def test_cancelled_passes_through(encoder, video):
    def stop(fraction: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        encoder.encode_video(video, {}, stop)


def test_texts_become_unit_rows(encoder):
    rows = encoder.encode_text(["a happy dog", "a beach", "qwertzuiop"])
    assert rows.shape == (3, encoder.info.dimension)
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 1, 1], abs=1e-4)


@pytest.mark.parametrize("text", ["", "   ", "...!"])
def test_a_text_without_words_is_a_zero_row(encoder, text):
    assert not encoder.encode_text([text]).any()


def test_no_texts_are_no_rows(encoder):
    assert encoder.encode_text([]).shape == (0, encoder.info.dimension)


def test_the_words_of_a_title_find_it_before_others(encoder, titled):
    dog, car = (encode(encoder, video).vector for video in titled)
    query = encoder.encode_text(["dog"])[0]
    assert query @ dog > query @ car


@pytest.fixture(scope="module")
def titled(tmp_path_factory) -> list[Video]:
    """Two videos whose title is in the file as well, for encoders that are sent nothing else."""
    folder = tmp_path_factory.mktemp("titled")
    size = (480, 360)
    made = {
        title: make_video(folder / f"{n}.mp4", seconds=5, size=size, fps=4, audio="aac", tags={"title": title})
        for n, title in enumerate(("a happy dog", "a motor race"))
    }
    return [described(path, title, 5.0, size) for title, path in made.items()]


@pytest.mark.parametrize("shape", [(90, 160, 3), (1080, 607, 3), (16, 16, 3)])
def test_an_image_becomes_a_unit_vector(encoder, shape):
    if not encoder.info.images:
        pytest.skip(f"{encoder.info.name} does not say that it reads images")
    rgb = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    vector = encoder.encode_image(rgb)
    assert vector.shape == (encoder.info.dimension,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)
    assert np.array_equal(vector, encoder.encode_image(rgb))


def test_an_encoder_reads_images_exactly_if_it_says_so(encoder):
    assert hasattr(encoder, "encode_image") == encoder.info.images
