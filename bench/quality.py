"""Does the local encoder find the right videos, does Discover rank them better than simpler ways, and are labels true?

    python bench/quality.py [CORPUS_DIR] [--samples FOLDER | --no-samples] [--without-genre]

CORPUS_DIR (or $CORPUS_DIR, or ../shared/corpus) holds videos and a labels.csv with the columns name, categories
(labels, separated by ";") and mood. The sample library is rendered to FOLDER, or to one that is thrown away; what is
there already is not rendered again. Its labels are those of its scenes. Every video is decoded and encoded once by the
real encoder; nothing is kept between runs. Mind that a sample names its categories in the tag "genre", as the app
renders it: `--without-genre` takes that away, and they must be read from title, keywords and description.

1. Encoder, over the corpus: the area under the ROC curve, how often a right video ranks before a wrong one, ties half.
   Moods with names that say nothing (clip_01.mp4), no tags, no subtitles; categories with the real names and tags.
   Beside both: chance, and the same with the words alone (percepts taken out of the query).
2. Ranking, over corpus and samples, each and together: the mean nDCG@5 of several ways, ties averaged over their
   orders (McSherry and Najork 2008, "Computing information retrieval performance measures efficiently in the presence
   of tied scores"). A right video is worth 1. To a category with a mood, a video that fits both is worth 1, one that
   fits the category alone 0.3 (who presses Animals and Calm would rather have a lively dog than a calm car), others 0;
   asked are the pairs that some video fits. The ways:
     words     the label, or "mood category", as typed text, without the percepts it asks for; best entry of a video
     single    the same text with percepts
     ensemble  the plain mean of the label and all prompts, category and mood added up by the usual weights
     clips     Discover's own vector, the best clip of a video alone
     whole     Discover's own vector, the whole video alone
     Discover  the product's way: `Discover.candidates`, ranked by standing
3. Labels, over the same: how many of 50 queries that nothing in the libraries answers show a Strong, and how many of
   the right videos of each category and mood are Strong or Related, pressed and typed.

Exit 1 below a target. Those of ranking and labels are for corpus and samples together.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core import samples  # noqa: E402
from core.discover import taxonomy  # noqa: E402
from core.discover.composition import LABEL_SHARE, compose, unit  # noqa: E402
from core.discover.relevance import Origin  # noqa: E402
from core.discover.search import MAX_LIMIT, Discover  # noqa: E402
from core.discover.taxonomy import Theme  # noqa: E402
from core.encoders.local import INFO, LocalEncoder, embed, measure  # noqa: E402
from core.encoders.percepts import PERCEPTS  # noqa: E402
from core.index import base  # noqa: E402
from core.index.edge import EdgeIndex  # noqa: E402
from core.ingest import inspecting, titles  # noqa: E402
from core.models import Entry, MediaInfo, Query, Video, VideoEmbedding  # noqa: E402
from core.state.sqlite import SqliteShelf  # noqa: E402
from core.state.taste import TasteBook  # noqa: E402
from core.stores.folder import FolderStore  # noqa: E402

MOOD_TARGET, CATEGORY_TARGET = 0.68, 0.80
MOOD_LEAST, CATEGORY_LEAST = 2, 3
_SPREAD_DRAWS = 200
RANKED_AT, RANKED_LEAST, TIED = 5, 2, 0.005
CATEGORY_ALONE = 0.3
STRONG_MOST, FOUND_LEAST = 0.10, 0.70
OFF_LIBRARY = (
    "quarterly tax filing", "sql injection", "dental implants", "mortgage refinancing rates",
    "knee replacement surgery", "kubernetes deployment yaml", "patent infringement lawsuit", "payroll spreadsheet",
    "insurance claim form", "cholesterol lowering drugs", "roman law of inheritance", "double entry bookkeeping",
    "sewage treatment plant", "central bank interest rates", "antique stamp collecting",
    "crochet pattern for a scarf", "plumbing a bathroom sink", "wallpaper and paint stripping",
    "fitness membership cancellation", "visa application appointment", "supply chain compliance audit",
    "blood pressure monitor review", "organic chemistry synthesis", "prime factorisation",
    "medieval tapestry restoration", "parliamentary by-election results", "hair transplant", "eyelash extensions",
    "wedding seating plan template", "chess endgame with two rooks", "poker tournament bluff", "tattoo removal",
    "concrete foundation pouring", "asbestos removal regulations", "hydraulic press repair manual",
    "baggage allowance", "printer driver download", "password reset email", "podcast about bitcoin",
    "used office chairs", "yoga for back pain", "opera aria in italian", "sushi knife sharpening",
    "divorce lawyer near me", "warranty terms and conditions", "asdf qwerty zxcv", "xylophrenic bletherings",
    "lorem ipsum dolor", "99 4711 000", "steuererklärung einreichen",
)  # fmt: skip
"""Written down before anything was measured, and never since: what people may type that no library of ours answers."""


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A labelled video: what a person says of it, and what the encoder makes of it with and without names."""

    video: Video
    categories: frozenset[str]
    """Ids or labels, in lower case."""
    mood: str
    named: VideoEmbedding
    neutral: VideoEmbedding

    def fits(self, theme: Theme) -> bool:
        """Tell whether a person gave it this category or mood."""
        return not {theme.id, theme.label.casefold()}.isdisjoint((*self.categories, self.mood))


@dataclass(frozen=True, slots=True, eq=False)
class Library:
    """Labelled videos and Discover over them."""

    name: str
    videos: tuple[Labelled, ...]
    ids: tuple[str, ...]
    """The video ids in the order of the videos."""
    discover: Discover


@dataclass(frozen=True, slots=True)
class Question:
    """A press: a category, a mood or both."""

    category: Theme | None = None
    mood: Theme | None = None

    @property
    def typed(self) -> str:
        return " ".join(theme.label for theme in (self.mood, self.category) if theme)

    @property
    def query(self) -> Query:
        return Query(
            categories=(self.category.id,) if self.category else (),
            moods=(self.mood.id,) if self.mood else (),
            limit=MAX_LIMIT,
        )

    def worth(self, video: Labelled) -> float:
        """Return what a video is worth as an answer, 0 to 1."""
        fits = [video.fits(theme) for theme in (self.category, self.mood) if theme]
        return 1.0 if all(fits) else CATEGORY_ALONE if self.category and fits[0] else 0.0


def main() -> int:
    options = _options()
    began = time.perf_counter()
    encoder = LocalEncoder()
    themes = taxonomy.load()
    videos = load(options.corpus)
    print(f"{len(videos)} videos of {options.corpus.resolve()}, encoded by {encoder.info.name}\n")

    mood = report(
        "mood, neutral names",
        encoder,
        [(theme, [video.fits(theme) for video in videos]) for theme in themes.moods],
        [video.neutral for video in videos],
        MOOD_LEAST,
        MOOD_TARGET,
    )
    category = report(
        "category, real names",
        encoder,
        [(theme, [video.fits(theme) for video in videos]) for theme in themes.categories],
        [video.named for video in videos],
        CATEGORY_LEAST,
        CATEGORY_TARGET,
    )
    with tempfile.TemporaryDirectory() as folder:
        libraries = [open_library("corpus", videos, Path(folder))]
        if options.with_samples:
            drawn = load_samples(options.samples or Path(folder, "scenes"), without_genre=options.without_genre)
            libraries += [
                open_library("samples", drawn, Path(folder)),
                open_library("together", [*videos, *drawn], Path(folder)),
            ]
        ranked = [report_ranking(library) for library in libraries][-1]
        told = [report_labels(library) for library in libraries][-1]
        for library in libraries:
            library.discover.index.close()
    print(f"took {time.perf_counter() - began:.0f} s")
    return 0 if mood and category and ranked and told else 1


def load(corpus: Path) -> list[Labelled]:
    """Encode every labelled video of a folder, under its own name and under one that says nothing."""
    with (corpus / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [
        labelled(corpus / row["name"], number, {name.strip() for name in row["categories"].split(";")}, row["mood"])
        for number, row in enumerate(rows, start=1)
    ]


def load_samples(folder: Path, *, without_genre: bool = False) -> list[Labelled]:
    """Render the scenes that are not in the folder, two at a time, and encode all."""
    missing = [scene.name for scene in samples.SCENES if not (folder / f"{scene.name}.mp4").exists()]
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(samples.render, name, folder / f"{name}.mp4") for name in missing]:
            done.result()
    return [
        labelled(folder / f"{scene.name}.mp4", number, scene.categories, scene.mood, without_genre=without_genre)
        for number, scene in enumerate(samples.SCENES, start=101)
    ]


def labelled(
    path: Path, number: int, categories: Collection[str], mood: str, *, without_genre: bool = False
) -> Labelled:
    """Encode a video under its own name and under one that says nothing."""
    info = inspecting.inspect(path)
    if without_genre:
        info = replace(info, tags={name: text for name, text in info.tags.items() if name != "genre"})
    known = Video(path, path.name, titles.title_of(path.name, info.tags) or path.name, "", info)
    measured = measure(path)  # Once for both: what is measured does not know the name.
    named, neutral = embed(measured, known), embed(measured, without_words(known, number))
    return Labelled(known, frozenset(map(str.casefold, categories)), mood.strip().casefold(), named, neutral)


def open_library(name: str, videos: Sequence[Labelled], folder: Path) -> Library:
    """Put videos into an index of their own and open Discover over it; tastes are kept in the same folder."""
    index = EdgeIndex(folder / name, INFO)
    entries = [entries_of(video) for video in videos]
    index.upsert([entry for of_one in entries for entry in of_one])
    taste = TasteBook(SqliteShelf(folder / f"{name}.sqlite3", "taste"))
    store = FolderStore(folder / "media")
    discover = Discover(encoder=LocalEncoder(), index=index, store=store, taxonomy=taxonomy.load(), taste=taste)
    return Library(name, tuple(videos), tuple(of_one[0].video_id for of_one in entries), discover)


def entries_of(labelled: Labelled) -> list[Entry]:
    """Return what ingest would put into the index: the whole video first, then its clips."""
    video, info, embedding = labelled.video, labelled.video.info, labelled.named
    sha = hashlib.sha256(str(video.path).encode()).hexdigest()
    id_ = base.video_id(sha)
    whole = Entry(
        video_id=id_, scope="video", start_s=0.0, end_s=info.duration_s, vector=embedding.vector,
        filename=video.filename, title=video.title, media_key=f"{id_}.mp4", poster_key=None,
        duration_s=info.duration_s, width_px=info.width_px, height_px=info.height_px, has_audio=info.has_audio,
        encoder=INFO.name, content_sha256=sha, ingested_at="2026-11-23T08:00:00+00:00", seen=embedding.seen,
    )  # fmt: skip
    return [whole] + [
        replace(whole, scope="clip", start_s=clip.start_s, end_s=clip.end_s, vector=clip.vector, seen=clip.seen)
        for clip in embedding.clips
    ]


def without_words(video: Video, number: int) -> Video:
    """Return the video under a neutral name, its tags and subtitles taken away."""
    name = f"clip_{number:02d}{video.path.suffix}"
    info: MediaInfo = replace(video.info, tags={}, subtitles="")
    return replace(video, filename=name, title=name.rpartition(".")[0], info=info)


def report(
    title: str,
    encoder: LocalEncoder,
    questions: Sequence[tuple[Theme, list[bool]]],
    videos: Sequence[VideoEmbedding],
    least: int,
    target: float,
) -> bool:
    """Print a table of areas, one row a question with enough right answers, and return whether the mean is enough."""
    asked = [(theme, np.array(right)) for theme, right in questions if least <= sum(right) < len(right)]
    print(f"{title:28}{'videos':>7}{'chance':>8}{'words':>8}{'local':>8}")
    if not asked:
        print(f"no {title.split(',')[0]} has at least {least} videos\n")
        return False
    rows, columns = [], []
    for theme, right in asked:
        query = Origin(np.zeros(INFO.dimension), 1.0).ensemble(encoder.encode_text(theme.prompts), LABEL_SHARE)
        score = scores(query, videos)
        columns.append((score, right))
        rows.append((area(scores(only_words(query), videos), right), area(score, right)))
        print(f"  {theme.label:26}{right.sum():7d}{0.5:8.2f}{rows[-1][0]:8.2f}{rows[-1][1]:8.2f}")
    words, local = np.mean(rows, axis=0)
    low, high = spread(columns, len(videos))
    print(f"  {'mean':26}{'':7}{0.5:8.2f}{words:8.2f}{local:8.2f}   target {target:.2f}", end="  ")
    print(f"{'reached' if local >= target else 'MISSED'}; {low:.2f} to {high:.2f} with any fifth left out\n")
    return bool(local >= target)


def scores(query: np.ndarray, videos: Sequence[VideoEmbedding]) -> np.ndarray:
    """Return the score of each video as the index ranks it: its best entry, the whole or one of its clips."""
    return np.array([max(query @ v for v in (video.vector, *(c.vector for c in video.clips))) for video in videos])


def only_words(query: np.ndarray) -> np.ndarray:
    """Return the query without the percepts it asks for."""
    words = query.copy()
    words[: len(PERCEPTS)] = 0
    return unit(words)


def area(score: np.ndarray, right: np.ndarray) -> float:
    """Return how often a right one scores above a wrong one, ties counted half; nan without one of each."""
    if right.all() or not right.any():
        return float("nan")
    difference = np.round(score[right][:, None] - score[~right][None, :], 6)
    return float((difference > 0).mean() + 0.5 * (difference == 0).mean())


def report_ranking(library: Library) -> bool:
    """Print the mean nDCG of each way, a row a kind of question; return whether Discover is best or tied in each."""
    print(f"{f'nDCG@{RANKED_AT}, {library.name}, {len(library.videos)} videos':34}{'asked':>6}", end="")
    best = True
    for number, (title, questions) in enumerate(questions_of(library).items()):
        rows = [
            {way: ndcg(score, _worths(question, library)) for way, score in ways(question, library).items()}
            for question in questions
        ]
        if number == 0:
            print("".join(f"{way:>10}" for way in rows[0]))
        means = {way: float(np.mean([row[way] for row in rows])) for way in rows[0]}
        print(f"  {title:32}{len(rows):6d}" + "".join(f"{mean:10.3f}" for mean in means.values()), end="   ")
        better = [way for way in means if means[way] > means["Discover"] + TIED]
        print(f"NOT best: {', '.join(better)}" if better else "best or tied")
        best &= not better
    print()
    return best


def questions_of(library: Library) -> dict[str, list[Question]]:
    """Return what can be asked of a library, by kind: themes with enough right answers, pairs that some video fits."""
    themes = library.discover.taxonomy
    questions = {
        "category": [Question(category=theme) for theme in themes.categories],
        "mood": [Question(mood=theme) for theme in themes.moods],
        "category + mood": [Question(category, mood) for category in themes.categories for mood in themes.moods],
    }
    least = {"category + mood": 1}
    return {
        kind: [one for one in asked if (_worths(one, library) == 1).sum() >= least.get(kind, RANKED_LEAST)]
        for kind, asked in questions.items()
    }


def ways(question: Question, library: Library) -> Mapping[str, np.ndarray]:
    """Return the scores of all videos in each way of ranking, (videos,)."""
    discover, embeddings = library.discover, [video.named for video in library.videos]
    parts = discover.parts(question.query)
    typed = discover.encoder.encode_text([question.typed])[0]
    themes = [theme for theme in (question.category, question.mood) if theme]
    means = [unit(discover.encoder.encode_text((theme.label, *theme.prompts)).mean(axis=0)) for theme in themes]
    plain = unit(sum(part.weight * mean for part, mean in zip(parts, means, strict=True)))
    target = compose(parts)
    fit = discover.candidates(parts, len(embeddings))
    standing = {entry.video_id: score for entry, score in zip(fit.entries, fit.scores, strict=True)}
    return {
        "words": scores(only_words(typed), embeddings),
        "single": scores(typed, embeddings),
        "ensemble": scores(plain, embeddings),
        "clips": np.array([max(target @ clip.vector for clip in one.clips) for one in embeddings]),
        "whole": np.array([target @ one.vector for one in embeddings]),
        "Discover": np.array([standing.get(id_, -np.inf) for id_ in library.ids]),
    }


def ndcg(score: np.ndarray, worth: np.ndarray, at: int = RANKED_AT) -> float:
    """Return the normalised discounted cumulative gain of the first few, the mean over all orders of ties."""
    discount = np.where(np.arange(len(score)) < at, 1 / np.log2(np.arange(len(score)) + 2), 0.0)
    _, group = np.unique(-np.round(score, 6), return_inverse=True)  # 0 is the best score
    sizes = np.bincount(group)
    ends = np.cumsum(sizes)
    gained = sum(
        worth[group == number].mean() * discount[end - size : end].sum()
        for number, (size, end) in enumerate(zip(sizes, ends, strict=True))
    )
    return float(gained / (np.sort(worth)[::-1] @ discount))


def report_labels(library: Library) -> bool:
    """Print how true labels are; return whether nonsense seldom and right videos mostly get a good one."""
    discover, names = library.discover, [video.video.title for video in library.videos]
    shown = {text: labels(discover, Query(text=text, limit=MAX_LIMIT)) for text in OFF_LIBRARY}
    strong = [text for text, found in shown.items() if "high" in found.values()]
    related = [text for text, found in shown.items() if {"high", "medium"} & set(found.values())]
    print(f"labels, {library.name}")
    share = len(strong) / len(shown)
    print(f"  {len(shown)} off-library queries: {share:.0%} show a Strong (at most {STRONG_MOST:.0%}), ", end="")
    print(f"{len(related) / len(shown):.0%} a Related, {sum(map(bool, shown.values())) / len(shown):.0%} anything")
    for text in strong:
        print(f"    Strong for “{text}”: {', '.join(name for name, one in shown[text].items() if one == 'high')}")
    met = share <= STRONG_MOST
    kinds = {kind: asked for kind, asked in questions_of(library).items() if kind != "category + mood"}
    print(f"  {'':26}{'asked':>6}{'right':>7}{'Strong':>8}{'or Related':>12}{'shown':>8}   of the wrong: or Related")
    for kind, asked in kinds.items():
        for way in ("pressed", "typed"):
            rows = []
            for one in asked:
                query = one.query if way == "pressed" else Query(text=one.typed, limit=MAX_LIMIT)
                found = labels(discover, query)
                rows += [
                    (found.get(name), worth == 1) for name, worth in zip(names, _worths(one, library), strict=True)
                ]
            right = [label for label, is_right in rows if is_right]
            wrong = [label for label, is_right in rows if not is_right]
            good = _share(right, ("high", "medium"))
            print(
                f"  {f'{kind}, {way}':26}{len(asked):6d}{len(right):7d}{_share(right, ('high',)):8.0%}{good:12.0%}"
                f"{_share(right, ('high', 'medium', 'low')):8.0%}{_share(wrong, ('high', 'medium')):18.0%}",
                end="",
            )
            print(
                "" if way == "typed" else f"   at least {FOUND_LEAST:.0%}: {'met' if good >= FOUND_LEAST else 'MISSED'}"
            )
            met &= way == "typed" or good >= FOUND_LEAST
    print()
    return met


def labels(discover: Discover, query: Query) -> dict[str, str]:
    """Return the label of each video that is shown, by title; one folded into another has the other's."""
    return {title: str(hit.confidence) for hit in discover.search(query).hits for title in (hit.title, *hit.copies)}


def _worths(question: Question, library: Library) -> np.ndarray:
    return np.array([question.worth(video) for video in library.videos])


def _share(found: Sequence[str | None], wanted: Collection[str]) -> float:
    return sum(label in wanted for label in found) / max(len(found), 1)


def spread(columns: Sequence[tuple[np.ndarray, np.ndarray]], count: int) -> tuple[float, float]:
    """Return the 5th and 95th percentile of the mean area when a random fifth of the videos is left out."""
    random = np.random.default_rng(0)
    means = []
    for _ in range(_SPREAD_DRAWS):
        keep = random.permutation(count)[count // 5 :]
        areas = np.array([area(score[keep], right[keep]) for score, right in columns])
        if not np.isnan(areas).all():
            means.append(np.nanmean(areas))
    low, high = np.percentile(means, [5, 95])
    return float(low), float(high)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(os.environ.get("CORPUS_DIR", ROOT / "../shared/corpus"))
    parser.add_argument("corpus", nargs="?", type=Path, default=default)
    add_samples_options(parser)
    return parser.parse_args()


def add_samples_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where the sample library is, for the scripts that use it."""
    parser.add_argument("--samples", type=Path, metavar="FOLDER", help="where the scenes are, or are rendered to")
    parser.add_argument("--no-samples", dest="with_samples", action="store_false", help="the corpus alone")
    parser.add_argument("--without-genre", action="store_true", help="take the categories out of the samples' tags")


if __name__ == "__main__":
    sys.exit(main())
