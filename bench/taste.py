"""Do a few likes and dislikes move results the right way, and lose none?

    python bench/taste.py [CORPUS_DIR] [--samples FOLDER | --no-samples] [--starts 20] [--seed 1]

Over the corpus and the sample library (see quality.py). A kind is a category that at least 4 videos have. At each
start one kind is liked and another disliked: 3 videos that are of the first alone and 2 of the second alone, drawn at
random. Asked is something at random: a category, a mood, or nothing ("For you"). Compared are the mean ranks of those
videos of either kind that nobody marked, among all that are shown, before and after; before "For you" is the library
in its own order. Rank 1 is best. Kinds of which fewer than 2 such videos are shown say nothing, and others are drawn.

Exit 1 when the mean over all starts moves the wrong way, or a page is empty or loses a video.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.labelled import Library, add_samples_options, load, load_samples, open_library  # noqa: E402
from core.discover.taxonomy import Theme  # noqa: E402
from core.encoders.local import LocalEncoder  # noqa: E402
from core.models import Query  # noqa: E402

LIKES, DISLIKES, KIND_LEAST, JUDGED_LEAST = 3, 2, 4, 2
LIMIT = 100
DRAWS_MOST = 500


@dataclass(frozen=True, slots=True)
class Kinds:
    """A liked and a disliked kind: the ids of the videos that are of one of them alone, and those marked."""

    liked: Theme
    disliked: Theme
    of_liked: frozenset[str]
    of_disliked: frozenset[str]
    likes: tuple[str, ...]
    dislikes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Start:
    """What was asked with which taste, and the mean ranks of both kinds before and after."""

    kinds: Kinds
    asked: str
    shown: int
    liked: tuple[float, float]
    disliked: tuple[float, float]
    is_whole: bool
    """Neither empty nor a video lost."""


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        encoder = LocalEncoder()
        videos = load(options.corpus, encoder)
        if options.with_samples:
            scenes = options.samples or Path(folder, "scenes")
            videos += load_samples(scenes, encoder, without_genre=options.without_genre)
        library = open_library("together", videos, Path(folder), encoder)
        random = np.random.default_rng(options.seed)
        starts: list[Start] = []
        while len(starts) < options.starts:
            start = try_start(library, random, f"person {len(starts)}")
            if start is not None:
                starts.append(start)
        library.discover.index.close()
    return 0 if report(starts, len(videos)) else 1


def try_start(library: Library, random: np.random.Generator, profile: str) -> Start | None:
    """Ask something at random and give a new person a random taste; None when no taste would show in what is found."""
    discover = library.discover
    title, query = draw_query(library, random)
    before = _shown(library, query) if query.asks else [hit.video_id for hit in discover.browse(LIMIT).hits]
    for _ in range(DRAWS_MOST):
        kinds = draw_kinds(library, random)
        if kinds is None:
            continue
        judged = [(of - {*kinds.likes, *kinds.dislikes}) & set(before) for of in (kinds.of_liked, kinds.of_disliked)]
        if min(map(len, judged)) >= JUDGED_LEAST:
            break
    else:
        return None
    for mark, ids in (("like", kinds.likes), ("dislike", kinds.dislikes)):
        for id_ in ids:
            discover.taste.mark(profile, id_, mark)
    after = _shown(library, replace(query, profile=profile))
    liked, disliked = ((mean_rank(ids, before), mean_rank(ids, after)) for ids in judged)
    return Start(kinds, title, len(before), liked, disliked, bool(after) and set(before) <= set(after))


def draw_kinds(library: Library, random: np.random.Generator) -> Kinds | None:
    """Draw two kinds and what is marked of them; None when they have too little apart from each other."""
    of = {
        theme: frozenset(id_ for id_, video in zip(library.ids, library.videos, strict=True) if video.fits(theme))
        for theme in library.discover.taxonomy.categories
    }
    kinds = [theme for theme, ids in of.items() if len(ids) >= KIND_LEAST]
    liked, disliked = (kinds[number] for number in random.choice(len(kinds), 2, replace=False))
    of_liked, of_disliked = of[liked] - of[disliked], of[disliked] - of[liked]
    if len(of_liked) < LIKES + JUDGED_LEAST or len(of_disliked) < DISLIKES + JUDGED_LEAST:
        return None
    likes = tuple(random.choice(sorted(of_liked), LIKES, replace=False).tolist())
    dislikes = tuple(random.choice(sorted(of_disliked), DISLIKES, replace=False).tolist())
    return Kinds(liked, disliked, of_liked, of_disliked, likes, dislikes)


def draw_query(library: Library, random: np.random.Generator) -> tuple[str, Query]:
    """Draw a press: a category, a mood, or nothing, each kind as likely."""
    themes = library.discover.taxonomy
    kind = random.integers(3)
    if kind == 2:
        return "For you", Query(limit=LIMIT)
    theme = random.choice((themes.categories, themes.moods)[kind])
    query = Query(moods=(theme.id,), limit=LIMIT) if kind else Query(categories=(theme.id,), limit=LIMIT)
    return theme.label, query


def mean_rank(ids: Collection[str], shown: Sequence[str]) -> float:
    """Return the mean place of these videos, 1 the best; one that is not shown has the place after the last."""
    places = {id_: place for place, id_ in enumerate(shown, start=1)}
    return float(np.mean([places.get(id_, len(shown) + 1) for id_ in ids]))


def report(starts: Sequence[Start], count: int) -> bool:
    """Print a row a start and the means; return whether likes and dislikes did what they should."""
    print(
        f"{count} videos; mean rank of the unmarked videos of a kind, before → after {LIKES} likes, {DISLIKES} dislikes"
    )
    print(f"  {'asked':22}{'shown':>6}  {'liked kind':24}{'rank':>13}   {'disliked kind':24}{'rank':>13}")
    for one in starts:
        print(
            f"  {one.asked:22}{one.shown:6d}  {one.kinds.liked.label:24}{_moved(one.liked):>13}   "
            f"{one.kinds.disliked.label:24}{_moved(one.disliked):>13}{'' if one.is_whole else '   LOST A VIDEO'}"
        )
    liked = np.array([one.liked for one in starts])
    disliked = np.array([one.disliked for one in starts])
    print(f"  {'mean':30}{'':24}{_moved(liked.mean(axis=0)):>13}   {'':24}{_moved(disliked.mean(axis=0)):>13}\n")
    gained, lost = (int((pairs[:, 1] < pairs[:, 0]).sum()) for pairs in (liked, disliked))
    print(f"the liked kind rose in {gained} of {len(starts)} starts, stayed in {_stayed(liked)}")
    print(f"the disliked kind fell in {len(starts) - lost - _stayed(disliked)}, stayed in {_stayed(disliked)}")
    whole = sum(one.is_whole for one in starts)
    print(f"nothing empty, nothing lost in {whole}")
    met = (
        liked[:, 1].mean() < liked[:, 0].mean()
        and disliked[:, 1].mean() > disliked[:, 0].mean()
        and whole == len(starts)
    )
    print("met" if met else "MISSED")
    return bool(met)


def _shown(library: Library, query: Query) -> list[str]:
    """Return the ids of the videos shown, best first, those folded into another right after it."""
    ids = dict(zip((video.video.title for video in library.videos), library.ids, strict=True))
    return [
        id_
        for hit in library.discover.search(query).hits
        for id_ in (hit.video_id, *(ids[title] for title in hit.copies))
    ]


def _stayed(pairs: np.ndarray) -> int:
    return int((pairs[:, 1] == pairs[:, 0]).sum())


def _moved(ranks: Sequence[float]) -> str:
    return f"{ranks[0]:.1f} → {ranks[1]:.1f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(os.environ.get("CORPUS_DIR", ROOT / "../shared/corpus"))
    parser.add_argument("corpus", nargs="?", type=Path, default=default)
    add_samples_options(parser)
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
