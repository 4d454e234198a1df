"""Answers with a model that sees: here an oracle of labelled clips, as unsure and as narrow as a real one."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from bench.labelled import Labelled, Library, area, labelled, open_library
from bench.quality import Claims, areas_of, claims_of, off_library
from core.encoders import clip_models
from core.encoders.clip import LOCAL_ALONE, MODEL_ALONE, ClipEncoder, Towers
from core.models import Query
from tests.corpus import CORPUS, needs_corpus
from tests.models import Blur, write_oracle
from tests.videos import make_video

SHOWN = (
    "Animals;Nature;Calm", "Animals;Family;Joyful", "Food;Calm", "Sci-Fi;Tense", "Cartoon;Kids;Funny",
    "Sports;Energetic", "Documentary;Technology;Calm", "Music;Joyful", "Travel;Nature;Dreamy", "Fantasy;Tense",
    "Education;Kids;Calm", "Comedy;Family;Funny", "Sports;Nature;Energetic", "Food;Documentary;Calm",
)  # fmt: skip
RANGES = {
    "as CLIP's": Blur(),
    "unsure": Blur(noise=0.8, seed=1),
    "near zero, as SigLIP's": Blur(seed=2, shared=0.0),
    "narrow": Blur(seed=3, gap_of_pictures=1.2, gap_of_texts=0.9),
}


def drawn(folder: Path) -> dict[Path, list[str]]:
    """Film clips under the names a phone gives, each of its own looks."""
    clips = {}
    for number, labels in enumerate(SHOWN):
        coarse = np.random.default_rng(number).integers(0, 255, (6, 8, 3), np.uint8)

        def draw(index: int, width: int, height: int, coarse: np.ndarray = coarse) -> np.ndarray:
            rows = (np.arange(height) * 6 // height)[:, None]
            columns = ((np.arange(width) + index) * 8 // width % 8)[None]
            return coarse[rows, columns]

        path = make_video(folder / f"IMG_{411 + number:04}.mp4", seconds=4, fps=4, pattern=draw)
        clips[path] = labels.split(";")
    return clips


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> dict[Path, list[str]]:
    return drawn(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module", params=RANGES)
def opened(request, clips, tmp_path_factory) -> tuple[Towers, list[Labelled]]:
    folder = write_oracle(tmp_path_factory.mktemp("oracle"), clips, RANGES[request.param])
    towers = Towers(clip_models.named("clip"), clip_models.in_folder(folder), 1)
    encoder = ClipEncoder(towers)
    return towers, [labelled(path, number, labels, encoder) for number, (path, labels) in enumerate(clips.items())]


@pytest.fixture(scope="module")
def library(opened, tmp_path_factory) -> Library:
    towers, videos = opened
    return open_library("fused", videos, tmp_path_factory.mktemp("fused"), ClipEncoder(towers))


def test_it_finds_what_is_in_the_pictures_under_names_that_say_nothing(library):
    assert areas_of(library, "category") > 0.9
    assert areas_of(library, "mood") > 0.8


def test_most_of_what_a_category_shows_is_right(library):
    """A narrower model says less, not more that is wrong: its pictures stand out by less."""
    claims = claims_of(library, "category")
    assert claims.precision >= 0.7
    assert claims.recall >= 0.15


@pytest.mark.parametrize("text", ["asdf", "quarterly tax filing", "xylophrenic bletherings", "a video of something"])
def test_a_word_the_model_does_not_know_finds_nothing(library, text):
    assert not library.discover.search(Query(text=text)).hits


def test_a_known_word_typed_finds_what_shows_it(library):
    discover = library.discover
    for word in ("food", "sports", "music"):
        fit = discover.candidates(discover.parts(Query(text=word)), len(library.videos))
        standing = {entry.video_id: score for entry, score in zip(fit.entries, fit.scores, strict=True)}
        right = np.array([word in video.labels for video in library.videos])
        assert area(np.array([standing[id_] for id_ in library.ids]), right) > 0.8, word


@pytest.mark.corpus
@needs_corpus
@pytest.mark.timeout(600)
def test_over_real_clips_the_two_halves_together_are_better_than_each(tmp_path):
    """Held loosely; bench/quality.py --encoder clip prints the figures."""
    with (CORPUS / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["name"]: re.split("[;/]", f"{row['categories']};{row['mood']}") for row in csv.DictReader(file)}
    clips = {CORPUS / name: labels for name, labels in rows.items()}
    towers = Towers(
        clip_models.named("clip"), clip_models.in_folder(write_oracle(tmp_path / "oracle", clips, Blur(seed=7))), 1
    )
    fused = ClipEncoder(towers)
    videos = [labelled(path, number, labels, fused) for number, (path, labels) in enumerate(clips.items())]
    libraries = {
        name: open_library(name, videos, tmp_path, encoder, neutral=True)
        for name, encoder in {
            "fused": fused,
            "model": ClipEncoder(towers, weights=MODEL_ALONE),
            "local": ClipEncoder(towers, weights=LOCAL_ALONE),
        }.items()
    }
    areas = {kind: {name: areas_of(one, kind) for name, one in libraries.items()} for kind in ("category", "mood")}
    assert areas["category"]["fused"] > 0.9
    assert areas["mood"]["fused"] > 0.8
    for of_one in areas.values():
        assert of_one["fused"] >= max(of_one["model"], of_one["local"]) - 0.01
    claims = claims_of(libraries["fused"], "category")
    assert claims.precision >= 0.75
    assert claims.recall >= 0.25
    assert claims_of(libraries["local"], "category").wrong <= 0.2 * len(videos)
    assert len(off_library(libraries["fused"].discover)[0]) <= 5


def test_claims_are_counted_as_shares_of_what_is_shown_and_of_what_is_right():
    assert (Claims(3, 1, 2).precision, Claims(3, 1, 2).recall) == (0.75, 0.6)
    assert (Claims(0, 0, 0).precision, Claims(0, 0, 0).recall) == (0.0, 0.0)
