"""Are the clusters of the map what people would call alike, and what they are called?

    python bench/trends.py [--keep DIR]

The library is the sample library. Adjusted Rand index (1 is the same grouping, 0 what chance gives) of the map's
clusters against the catalogue's own first category and its mood, and how much more often two of a cluster have any of
their categories in common than any two do ("pairs"), beside k-means of scikit-learn, with as many clusters,
on nothing but the words of titles, descriptions and tags (TF-IDF), and on the vectors alone. The last row is what can
be had at most: k-means on the catalogue's own categories and moods themselves. Most videos have a first category that
no other has first, so that no grouping is near it; "pairs" takes all categories of a video. Then how much longer a
map of a larger library takes than one of 250 videos.

Exit 1 when the map is not above k-means on words, for both.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from sklearn.cluster import KMeans  # noqa: E402
from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: E402
from sklearn.metrics import adjusted_rand_score  # noqa: E402

from core import samples  # noqa: E402
from core.models import Stage  # noqa: E402
from core.samples.studio import perform  # noqa: E402
from core.services import build  # noqa: E402
from core.settings import Settings  # noqa: E402
from core.trends.clusters import map_of  # noqa: E402
from core.trends.trends import find  # noqa: E402

SEEDS = range(10)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--keep", type=Path, help="draw scenes into this folder, and take those that are there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scenes = options.keep or Path(folder) / "scenes"
        scenes.mkdir(parents=True, exist_ok=True)
        for scene in samples.SCENES:
            if not (scenes / f"{scene.name}.mp4").is_file():
                perform(scene.name, scenes / f"{scene.name}.mp4", lambda done: None)
        return measure(scenes, Path(folder) / "data")


def measure(scenes: Path, data: Path) -> int:
    with closing(build(Settings(data_dir=data))) as services:
        services.jobs.start()
        jobs = [services.jobs.submit(scenes / f"{one.name}.mp4", f"{one.name}.mp4") for one in samples.SCENES]
        over = services.jobs.wait([job.id for job in jobs], timeout_s=600)
        assert all(job.stage is Stage.READY for job in over)
        by_name = {Path(job.filename).stem: job.video_id for job in over}
        found = find(services.discover)
        entries = {entry.video_id: entry for entry in services.index.scroll(scope="video")}
    cluster_of = {point.video_id: point.cluster for point in found.map.points}
    ours = [cluster_of[by_name[scene.name]] for scene in samples.SCENES]
    titles = {by_name[scene.name]: scene.title for scene in samples.SCENES}
    for cluster in found.map.clusters:
        name = cluster.name
        print(f"{' '.join((*name.moods, *name.categories)) or '–'} ({', '.join(name.words)})")
        print(f"    {', '.join(titles[id_] for id_ in cluster.video_ids)}")
    count = len(found.map.clusters)
    texts = [f"{scene.title} {scene.description} {' '.join(scene.tags)}" for scene in samples.SCENES]
    words = TfidfVectorizer(stop_words="english").fit_transform(texts).toarray()
    vectors = np.array([entries[by_name[scene.name]].vector for scene in samples.SCENES])
    known = np.hstack([_listed([scene.categories for scene in samples.SCENES]),
                       _listed([(scene.mood,) for scene in samples.SCENES])])  # fmt: skip
    rows = {
        "map": [ours],
        "k-means on words only": [KMeans(count, n_init=10, random_state=seed).fit_predict(words) for seed in SEEDS],
        "k-means on vectors": [KMeans(count, n_init=10, random_state=seed).fit_predict(vectors) for seed in SEEDS],
        "k-means on the answers": [KMeans(count, n_init=10, random_state=seed).fit_predict(known) for seed in SEEDS],
    }
    truths = [[scene.categories[0] for scene in samples.SCENES], [scene.mood for scene in samples.SCENES]]
    print(f"\n{len(samples.SCENES)} videos, {count} clusters{'':12}{'category':>10}{'mood':>8}{'pairs':>8}")
    scores = {}
    for name, found_ in rows.items():
        scores[name] = [float(np.mean([adjusted_rand_score(truth, one) for one in found_])) for truth in truths]
        pairs = float(np.mean([in_common(one) for one in found_]))
        print(f"{name:34}{scores[name][0]:10.3f}{scores[name][1]:8.3f}{pairs:8.2f}")
    grow(list(entries.values()))
    better = all(mine > theirs for mine, theirs in zip(scores["map"], scores["k-means on words only"], strict=True))
    return 0 if better else 1


def in_common(groups: list[int]) -> float:
    """Return how much more often two of a cluster have a category in common than any two have: most have several."""
    every = [{*scene.categories} for scene in samples.SCENES]
    common = np.array([[bool(one & other) for other in every] for one in every])
    labels, others = np.array(groups), ~np.eye(len(every), dtype=bool)
    same = (labels[:, None] == labels[None, :]) & others
    return float(common[same].mean() / common[others].mean())


def _listed(labels: list[tuple[str, ...]]) -> np.ndarray:
    """Return who has which of all labels, (videos, labels), each row of length one."""
    every = sorted({label for some in labels for label in some})
    has = np.array([[label in some for label in every] for some in labels], float)
    return has / np.linalg.norm(has, axis=1, keepdims=True)


def grow(entries: list) -> None:
    """Say how long a map of more videos takes: those of the library, each a little different every time."""
    rng = np.random.default_rng(5)
    print()
    base = 0.0
    for count in (250, 1_000, 4_000):
        many = []
        for number in range(count):
            entry = entries[number % len(entries)]
            vector = entry.vector + 0.05 * rng.normal(size=entry.vector.shape).astype(np.float32)
            many.append(replace(entry, video_id=str(number), vector=vector / np.linalg.norm(vector)))
        began = time.perf_counter()
        map_of(many, count)
        took = time.perf_counter() - began
        base = base or took
        print(f"a map of {count:5,} videos {took:6.1f} s, {took / base:5.1f} times one of 250")


if __name__ == "__main__":
    sys.exit(main())
