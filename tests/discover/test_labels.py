"""Labels say at ingest what a press of a category or mood alone would find."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.discover import taxonomy
from core.discover.labels import standing_key
from core.discover.search import Discover
from core.discover.taxonomy import Taxonomy, Theme
from core.encoders.local import LocalEncoder
from core.errors import EncoderError, Unavailable
from core.models import Query
from tests.discover.test_search import INFO, build, id_of, titles
from tests.fakes import FakeEncoder, MemoryIndex, MemoryStore, make_entries

TITLES = ("animals joyful", "animals", "joyful", "nature calm", "food", "quarterly report")


def labelled(discover: Discover, entries):
    return discover.labels(entries)


def test_a_video_is_labelled_as_a_press_would_find_it(tmp_path):
    discover = build(tmp_path, TITLES)
    videos = {title: make_entries(title, clips=3, info=INFO) for title in TITLES}
    for kind, asked in (("category", "categories"), ("mood", "moods")):
        for theme in discover.taxonomy.themes(kind):
            hits = discover.search(Query(**{asked: (theme.id,)})).hits
            found = {hit.title: hit.reasons[0].standing for hit in hits}
            said = {title: labelled(discover, entries) for title, entries in videos.items()}
            assert {title for title, labels in said.items() if theme.id in getattr(labels, asked)} == set(found)
            for title, standing in found.items():
                assert said[title].standings[standing_key(kind, theme.id)] == pytest.approx(standing, abs=1e-3)


def test_labels_do_not_depend_on_other_videos_nor_on_the_order_of_entries(tmp_path):
    alone, among = build(tmp_path, ("animals",)), build(tmp_path, TITLES)
    entries = make_entries("animals joyful", clips=3, info=INFO)
    assert labelled(alone, entries) == labelled(among, entries) == labelled(among, entries[::-1])


def test_a_chance_moment_is_no_label_and_the_moment_that_counts_is_the_nearest(tmp_path):
    discover = build(tmp_path, ())
    entries = make_entries("animals", clips=3, info=INFO)
    whole, other = entries[0].vector, make_entries("quarterly report", info=INFO)[0].vector
    spread = [replace(entries[0], vector=other), *(replace(clip, vector=other) for clip in entries[1:])]
    assert "animals" not in labelled(discover, spread).categories
    standings = []
    for place in range(1, 4):
        shown = [replace(entry, vector=whole) if n == place else entry for n, entry in enumerate(spread)]
        standings.append(labelled(discover, shown).standings["animals"])
    assert len(set(standings)) == 1
    assert standings[0] > labelled(discover, spread).standings["animals"]


def test_the_typical_moment_is_the_clip_most_like_the_whole(tmp_path):
    discover = build(tmp_path, ())
    entries = make_entries("animals", clips=3, info=INFO)
    entries[2] = replace(entries[2], vector=entries[0].vector)
    assert labelled(discover, entries).typical_s == (2.0, 4.0)
    assert labelled(discover, entries[:1]).typical_s == (entries[0].start_s, entries[0].end_s)


def test_labels_go_onto_all_entries_and_what_is_long_onto_the_whole_alone(tmp_path):
    discover = build(tmp_path, ())
    whole, *clips = discover.with_labels(make_entries("animals joyful", clips=2, info=INFO))
    assert {"animals"} <= set(whole.categories)
    assert {entry.categories for entry in (whole, *clips)} == {whole.categories}
    assert {entry.labels_version for entry in (whole, *clips)} == {discover.labels_version()}
    assert whole.standings
    assert whole.typical_s
    assert all(clip.standings is None and clip.typical_s is None for clip in clips)


def own(*themes: Theme) -> Taxonomy:
    shipped = taxonomy.load()
    return Taxonomy((*shipped.categories, *themes), shipped.moods)


def test_the_version_tells_whether_labels_may_come_out_otherwise(tmp_path):
    discover = build(tmp_path, ())

    def version(info=INFO, themes=None):
        return Discover(
            encoder=FakeEncoder(info), index=MemoryIndex(info), store=MemoryStore(), taxonomy=themes or taxonomy.load()
        ).labels_version()

    assert version() == version() == discover.labels_version()
    cosy, shipped = Theme("cosy", "Cosy", "label", ("warm light",), own=True), taxonomy.load()
    others = [
        version(replace(INFO, name="another")),
        version(replace(INFO, calibration=replace(INFO.calibration, fits=1.2))),
        version(themes=own(cosy)),
        version(themes=own(replace(cosy, prompts=("rain",)))),
        version(themes=replace(shipped, categories=tuple(replace(one, implies=None) for one in shipped.categories))),
    ]
    assert len({version(), *others}) == 6


def test_a_category_and_a_mood_of_one_id_are_kept_apart(tmp_path):
    discover = build(tmp_path, ())
    discover.taxonomy = own(Theme("joyful", "Quarterly", "label", ("quarterly",), own=True))
    labels = labelled(discover, make_entries("quarterly report", clips=2, info=INFO))
    assert "joyful" in labels.categories
    assert "joyful" not in labels.moods


def test_what_people_said_goes_before_what_the_encoder_says(tmp_path):
    discover = build(tmp_path, ("animals", "food", "quarterly report"))
    for title in ("animals", "food", "quarterly report"):
        discover.label_again(id_of(discover, title))
    assert titles(discover.search(Query(categories=("animals",)))) == ["animals"]
    sha = {entry.title: entry.content_sha256 for entry in discover.index.scroll(scope="video")}
    said = {(sha["animals"], "category"): {"animals": False}, (sha["quarterly report"], "category"): {"animals": True}}
    discover._said = lambda content, kind: said.get((content, kind), {})
    for title in ("animals", "quarterly report"):
        discover.label_again(id_of(discover, title))
    results = discover.search(Query(categories=("animals",)))
    assert (titles(results), results.total, discover.counts()["animals"]) == (["quarterly report"], 1, 1)
    assert titles(discover.search(Query(categories=("food",)))) == ["food"]
    discover.label_again("nobody")


def test_of_two_that_say_something_at_once_neither_is_lost(tmp_path):
    discover = build(tmp_path, ("animals", "food"))
    said: dict[str, bool] = {}
    discover._said = lambda content, kind: dict(said) if kind == "category" else {}
    label, id_ = discover.index.label, id_of(discover, "animals")

    def late(wholes):
        discover.index.label = label
        said["food"] = True
        discover.label_again(id_)
        label(wholes)

    discover.index.label = late
    said["animals"] = False
    discover.label_again(id_)
    (whole,) = discover.index.retrieve([id_])
    assert whole.categories == ("food",)


def test_what_cannot_be_told_yet_is_left_open(tmp_path):
    discover = build(tmp_path, ())

    def wait(texts):
        raise Unavailable("The categories and moods are being read.")

    discover.encoder.encode_text = wait
    entries = make_entries("animals", info=INFO)
    assert [entry.labels_version for entry in discover.with_labels(entries)] == [None] * len(entries)


def test_a_text_at_fault_costs_the_other_categories_nothing(tmp_path):
    discover = build(tmp_path, ())
    encode = discover.encoder.encode_text

    def refuse(texts):
        if "Cosy" in texts:
            raise EncoderError("It takes no such text.")
        return encode(texts)

    discover.encoder.encode_text = refuse
    discover.taxonomy = own(Theme("cosy", "Cosy", "label", ("warm light",), own=True))
    assert "animals" in labelled(discover, make_entries("animals", info=INFO)).categories


def test_labels_of_the_real_encoder_are_what_its_search_says():
    encoder = LocalEncoder()
    index = MemoryIndex(encoder.info)
    random = np.random.default_rng(5)
    words = ("wolf in a forest", "calm sea at night", "robots in space", "cooking pasta", "tax office")
    for number, vector in enumerate(encoder.encode_text(words)):
        clips = [vector + 0.3 * random.normal(size=vector.shape) / np.sqrt(len(vector)) for _ in range(3)]
        vectors = [one / np.linalg.norm(one) for one in (vector, *clips)]
        index.upsert(make_entries(words[number], vectors=vectors, info=encoder.info))
    discover = Discover(encoder=encoder, index=index, store=MemoryStore(), taxonomy=taxonomy.load())
    claimed = 0
    for theme in discover.taxonomy.categories:
        found = set(titles(discover.search(Query(categories=(theme.id,), fold=False))))
        assert found == {
            whole.title
            for whole in index.scroll(scope="video")
            if theme.id in discover.labels(list(index.scroll(video_id=whole.video_id))).categories
        }
        claimed += len(found)
    assert claimed >= 3
