"""What closeness means: the same whatever range an encoder's cosines lie in, and nothing where nothing is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from core.discover import relevance, taxonomy
from core.discover.relevance import Background, Origin
from core.discover.search import Discover
from core.encoders.base import ImageEncoder
from core.encoders.layout import LAYOUT
from core.encoders.local import LocalEncoder, video_vector, video_words
from core.encoders.percepts import PERCEPTS
from core.models import Calibration, MediaInfo, Query, Video
from tests.fakes import FAKE_INFO, FakeEncoder, MemoryIndex, MemoryStore, make_entries, make_video

GAPS = (0.0, 0.3, 0.6, 0.9)
TITLES = (
    "Puppy on the grass", "Two dogs play", "Rocket launch at night", "How to bake bread", "A robot city",
    "Football match", "Sad rainy street", "Guitar concert", "clip_07", "IMG_0411", "Dinosaur cartoon for kids",
    "Snowy mountains by drone", "A funny cat", "Wizard and dragon", "Office meeting",
)  # fmt: skip
TYPED = (
    "dog", "robot", "a calm beach", "cartoon", "quarterly tax filing", "asdf qwerty", "puppy grass", "IMG_0411", "dark",
    "fast and loud", "xylophone", "the",
)  # fmt: skip


class Shifted:
    """An encoder whose every vector has a part that all have: cosines shrink by 1 - g² and rise by g².

    `zeros` says whether a text of which nothing is known stays a row of zeros.
    """

    def __init__(self, encoder: ImageEncoder, gap: float, *, zeros: bool = True) -> None:
        self.info = replace(encoder.info, dimension=encoder.info.dimension + 1)
        self._encoder = encoder
        self._gap = gap
        self._zeros = zeros

    def shift(self, vectors: np.ndarray) -> np.ndarray:
        rows = np.atleast_2d(vectors)
        shifted = np.column_stack([np.sqrt(1 - self._gap**2) * rows, np.full(len(rows), self._gap)])
        if self._zeros:
            shifted[~rows.any(axis=1)] = 0
        return shifted.astype(np.float32).reshape(*vectors.shape[:-1], -1)

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        return self.shift(self._encoder.encode_text(texts))

    def encode_image(self, rgb: np.ndarray) -> np.ndarray:
        return self.shift(self._encoder.encode_image(rgb))


def of_the_local_encoder() -> tuple[ImageEncoder, dict[str, list[np.ndarray]]]:
    """Return the encoder and vectors of videos that were never filmed: their words are read, their looks drawn."""
    random = np.random.default_rng(3)
    videos = {}
    for title in TITLES:
        looks = random.normal(0, 0.9, len(PERCEPTS))
        words = video_words(make_video(title))
        layout = random.normal(0, 0.2, LAYOUT)
        moments = [looks, *(looks + random.normal(0, 0.4, len(PERCEPTS)) for _ in range(2))]
        videos[title] = [video_vector(one, *words, layout) for one in moments]
    videos["Puppy on the grass, again"] = [
        video_vector(np.zeros(len(PERCEPTS)), *video_words(make_video("Puppy on the grass")), np.zeros(LAYOUT))
    ] * 3
    return LocalEncoder(), videos


def of_the_fake() -> tuple[ImageEncoder, dict[str, list[np.ndarray]]]:
    info = replace(FAKE_INFO, dimension=1024)
    titles = ("animals joyful", "animals", "joyful", "food music", "quarterly report", "robot city", "red", "calm food")
    return FakeEncoder(info), {title: [entry.vector for entry in make_entries(title, info=info)] for title in titles}


class Narrow(FakeEncoder):
    """As CLIP is: texts and pictures in two narrow cones, noise, and a word it does not know near to everything."""

    def __init__(self) -> None:
        super().__init__(replace(FAKE_INFO, dimension=512))
        random = np.random.default_rng(11)
        self.texts_cone, self.pictures_cone, self.unknown = (unit(random.normal(size=512)) for _ in range(3))
        self.words = {word: unit(random.normal(size=512)) for word in KNOWN}

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        rows = []
        for text in texts:
            said = sum((self.words.get(word, 0.02 * self.unknown) for word in text.casefold().split()), np.zeros(512))
            said = said / max(float(np.linalg.norm(said)), 0.5)
            rows.append(unit(0.6 * said + 0.6 * self.texts_cone + 0.22 * self.pictures_cone))
        return np.array(rows, np.float32)

    def video(self, random: np.random.Generator, *words: str) -> np.ndarray:
        shows = unit(sum((self.words[word] for word in words), np.zeros(512)))
        wrong = unit(sum((random.normal() * word for word in self.words.values()), np.zeros(512)))
        return unit(0.8 * self.pictures_cone + 0.3 * shows + 0.25 * wrong + 0.25 * unit(random.normal(size=512)))


KNOWN = (
    "animation", "3d", "cartoon", "kids", "family", "adventure", "comedy", "fantasy", "sci-fi", "nature", "animals",
    "sports", "food", "music", "travel", "technology", "education", "documentary", "joyful", "calm", "energetic",
    "tense", "melancholic", "dreamy", "funny", "romantic", "robot", "beach",
)  # fmt: skip


def of_a_model() -> tuple[ImageEncoder, dict[str, list[np.ndarray]]]:
    encoder, random = Narrow(), np.random.default_rng(4)
    shown = [("animals", "nature", "calm"), ("animals", "family", "joyful"), ("food", "calm"), ("sci-fi", "tense")]
    shown += [("cartoon", "kids", "funny"), ("sports", "energetic"), ("documentary", "technology", "calm"), ("beach",)]
    return encoder, {" ".join(words): [encoder.video(random, *words) for _ in range(3)] for words in shown}


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def library(encoder: ImageEncoder, videos: dict[str, list[np.ndarray]]) -> Discover:
    index = MemoryIndex(encoder.info)
    for title, vectors in videos.items():
        index.upsert(make_entries(title, vectors=vectors, info=encoder.info))
    return Discover(encoder=encoder, index=index, store=MemoryStore(), taxonomy=taxonomy.load())


def answers(discover: Discover) -> dict[str, object]:
    """Return every label, count and cut-off that a person can see."""
    picture = np.full((90, 160, 3), (230, 30, 30), np.uint8)
    first = min(entry.video_id for entry in discover.index.scroll(scope="video"))
    queries = {f"category {theme.id}": Query(categories=(theme.id,)) for theme in discover.taxonomy.categories}
    queries |= {f"mood {theme.id}": Query(moods=(theme.id,)) for theme in discover.taxonomy.moods}
    queries |= {f"words {text}": Query(text=text) for text in TYPED}
    queries |= {
        "both": Query(categories=("animals",), moods=("joyful",)),
        "mostly mood": Query(categories=("animals",), moods=("calm",), strength=0.8),
        "words in a category": Query(text="dog", categories=("family",)),
        "like": Query(like=first),
        "like, in a mood": Query(like=first, moods=("calm",)),
        "picture": Query(picture=picture),
        "varied": Query(moods=("calm",), variety=1.0),
        "filtered": Query(categories=("animals",), filters={"sound": ("with-sound",)}),
    }
    told: dict[str, object] = {"counts": dict(discover.counts())}
    for name, query in queries.items():
        results = discover.search(replace(query, limit=100))
        hits = {(hit.title, hit.confidence, hit.copies) for hit in results.hits}  # Ties come in any order.
        told[name] = (hits, results.total, results.alternatives)
    return told


@pytest.mark.parametrize("made", [of_the_local_encoder, of_the_fake, of_a_model])
def test_labels_counts_and_cut_offs_do_not_depend_on_the_range_of_cosines(
    made: Callable[[], tuple[ImageEncoder, dict[str, list[np.ndarray]]]],
):
    encoder, videos = made()
    told = answers(library(encoder, videos))
    assert sum(bool(hits) for hits, *_ in (told[name] for name in told if name != "counts")) > 8
    for gap in GAPS:
        for zeros in (True, False):
            shifted = Shifted(encoder, gap, zeros=zeros)
            vectors = {title: [shifted.shift(vector) for vector in of_one] for title, of_one in videos.items()}
            again = answers(library(shifted, vectors))
            assert {name for name in told if again[name] != told[name]} == set(), (gap, zeros)


def test_what_a_model_sees_is_shown_and_what_it_does_not_know_finds_nothing():
    encoder, videos = of_a_model()
    discover = library(encoder, videos)
    for text in ("asdf", "quarterly tax filing", "xylophrenic bletherings", "the of and"):
        assert not discover.search(Query(text=text)).hits, text
    found = {hit.title for hit in discover.search(Query(categories=("animals",))).hits}
    assert found == {"animals nature calm", "animals family joyful"}
    assert {hit.title for hit in discover.search(Query(text="beach")).hits} == {"beach"}


def test_a_word_a_model_does_not_know_stays_unknown_beside_everything_it_is_near_to():
    encoder, videos = of_a_model()
    wholes = np.array([vectors[0] for vectors in videos.values()])
    near = wholes @ encoder.encode_text(["asdf"])[0]
    matched = wholes[0] @ encoder.encode_text(["animals"])[0]
    assert near.min() > 0.15  # The trap is set: with everything it has what only a match should have.
    assert near.max() > 0.8 * matched


def test_an_origin_is_the_same_whatever_is_added_to_all_texts():
    random = np.random.default_rng(0)
    neutral, usual = random.normal(size=(8, 16)), random.normal(size=(5, 16))
    origin, moved = Origin.of(neutral, usual), Origin.of(neutral + 3.0, usual + 3.0)
    assert moved.reach == pytest.approx(origin.reach)
    assert np.allclose(moved.directions(usual + 3.0), origin.directions(usual), atol=1e-5)
    assert np.linalg.norm(origin.directions(usual), axis=1).max() <= origin.reach * (1 + 1e-5)


def test_an_encoder_that_knows_no_category_still_has_a_reach():
    nothing = np.zeros((3, 8), np.float32)
    origin = Origin.of(nothing, nothing)
    assert origin.reach == 1.0
    background = Background.of("category", list(nothing), origin, Calibration())
    same, other = background.standing(np.eye(8, dtype=np.float32)[0], np.eye(8, dtype=np.float32)[:2])
    assert same > Calibration().strong
    assert other == 0


def test_a_phrase_the_encoder_does_not_know_takes_nothing_from_an_ensemble():
    known = np.eye(4, dtype=np.float32)[:2]
    origin = Origin(np.zeros(4, np.float32), 1.0)
    alone = origin.ensemble(origin.directions(known), 0.8)
    diluted = origin.ensemble(origin.directions(np.vstack([known, 1e-3 * np.ones((1, 4), np.float32)])), 0.8)
    assert alone @ diluted / np.linalg.norm(alone) / np.linalg.norm(diluted) > 0.999


def test_labels_rise_with_the_standing_and_follow_the_encoder():
    strict = Calibration(fits=2.0, related=3.0, strong=4.0)
    assert [relevance.confidence(standing, strict) for standing in (2.5, 3.5, 4.5)] == ["low", "medium", "high"]
    assert relevance.score(3.0, strict) == 0.5
    encoder, videos = of_a_model()
    encoder.info = replace(encoder.info, calibration=Calibration(fits=1e6))
    assert not any(library(encoder, videos).counts().values())


def test_what_is_plainly_right_is_hardly_more_so():
    kept = relevance.saturated(np.array([-1.0, 1.5, 1.7, 3.0, 9.0]), Calibration())
    assert kept[:3].tolist() == [-1.0, 1.5, 1.7]
    assert (np.diff(kept) > 0).all()
    assert kept[-1] - kept[2] < 2.5


def test_a_mood_beside_a_stronger_one_is_not_claimed():
    directions = np.eye(3, dtype=np.float32)
    background = Background.of("mood", list(directions), Origin(np.zeros(3, np.float32), 1.0), Calibration())
    torn, alone = np.array([[0.2, 0.3, 0.0]], np.float32), np.array([[0.2, 0.0, 0.0]], np.float32)
    assert background.standing(directions[0], alone)[0] > background.standing(directions[0], torn)[0]


@pytest.mark.parametrize("name", ["IMG_0411.mp4", "clip_07.mp4", "VID-20260101-WA0003.mp4", "20260101_101500.mp4"])
def test_of_a_name_that_says_nothing_the_local_encoder_claims_no_category(name):
    """Whatever a video looks and sounds like: of 300 of all kinds, at most one claim a hundred."""
    random = np.random.default_rng(9)
    info = MediaInfo(10.0, 1, 160, 90, 0, 25.0, "mp4", "h264", None, "as-is", {}, "")
    video = Video(make_video().path, name, name.rpartition(".")[0], "0" * 64, info)
    words = video_words(video)
    vectors = [
        video_vector(np.clip(random.normal(0, 1, len(PERCEPTS)), -2.5, 2.5), *words, np.zeros(LAYOUT))
        for _ in range(300)
    ]
    discover = library(LocalEncoder(), {f"{number}": [vector] * 2 for number, vector in enumerate(vectors)})
    least, claims = discover.encoder.info.calibration.fits, 0
    for theme in discover.taxonomy.categories:
        fit = discover.candidates(discover.parts(Query(categories=(theme.id,))), len(vectors))
        claims += int((fit.standings[0] >= least).sum())
    assert claims <= 3


def test_what_implies_a_category_is_evidence_of_it_and_not_the_other_way_round():
    origin, axes = Origin(np.zeros(6, np.float32), 1.0), list(np.eye(6, dtype=np.float32))
    kin = Background.of("category", axes, origin, Calibration(), implied=[None, 0, 0, None, None, None])
    strangers = Background.of("category", axes, origin, Calibration())
    parent, child, sibling, other = axes[:4]
    videos = np.array([0.3 * parent + 0.5 * child, 0.3 * parent, 0.3 * parent + 0.5 * other], np.float32)
    with_kin, alone = kin.standing(parent, videos), strangers.standing(parent, videos)
    assert with_kin[0] == pytest.approx(alone[0] + relevance.IMPLYING * strangers.standing(child, videos)[0])
    assert with_kin[1:] == pytest.approx(alone[1:])  # what tells against the children tells nothing against it
    for direction in (child, sibling, other):
        assert kin.standing(direction, videos) == pytest.approx(strangers.standing(direction, videos))


def test_an_anime_seen_by_a_model_is_claimed_as_animation_sooner_than_the_same_without_implications():
    videos = {"anime": make_entries("anime"), "music": make_entries("music")}
    vectors = {name: [entry.vector for entry in entries] for name, entries in videos.items()}
    discover = library(FakeEncoder(), vectors)
    plain = library(FakeEncoder(), vectors)
    free = tuple(replace(theme, implies=None) for theme in plain.taxonomy.categories)
    plain.taxonomy = replace(plain.taxonomy, categories=free)
    wholes = np.array([entries[0].vector for entries in videos.values()])
    theme = discover.taxonomy.category("animation")
    implied, alone = (one.standing("category", one.theme_vector(theme), wholes) for one in (discover, plain))
    assert implied[0] > alone[0]
    assert implied[1] == pytest.approx(alone[1])
