"""Does an encoder find the right videos, does Discover rank them better than simpler ways, and is what is shown true?

    python bench/quality.py [CORPUS_DIR] [--samples FOLDER | --no-samples] [--without-genre]
    python bench/quality.py [CORPUS_DIR] --encoder clip [--model-dir DIR] [--model NAME] [--samples FOLDER]

CORPUS_DIR (or $CORPUS_DIR, or ../shared/corpus) holds videos and a labels.csv with the columns name, categories
(labels, separated by ";") and mood. The sample library is rendered to FOLDER, or to one that is thrown away; what is
there already is not rendered again. Its labels are those of its scenes. Every video is decoded and encoded once by the
real encoder; nothing is kept between runs. Mind that a sample names its categories in the tag "genre", as the app
renders it: `--without-genre` takes that away, and they must be read from title, keywords and description.

With the local encoder, over corpus and samples:

1. Encoder, over the corpus: the area under the ROC curve, how often a right video ranks before a wrong one, ties half.
   Moods with names that say nothing (IMG_0411.mp4), no tags, no subtitles; categories with the real names and tags.
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
4. Claims, over the same: what pressing each category, or each mood, alone shows, how much of that is right, how much of
   what is right is shown; under names that say nothing, wrong claims a video.

With the clip encoder (a model in DIR, else where the app keeps it), over CORPUS_DIR, or over the samples where there is
none or `--samples` is given: areas in Discover's order and claims under names that say nothing, claims under real
names, and the off-library queries; a row for the model and the local encoder fused, and one for each of them alone.

Exit 1 below a target. Those of ranking, labels and claims are for all videos together.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.labelled import (  # noqa: E402
    Library,
    Question,
    add_samples_options,
    area,
    labels,
    load,
    load_samples,
    open_library,
)
from core import settings  # noqa: E402
from core.discover import taxonomy  # noqa: E402
from core.discover.composition import compose, unit  # noqa: E402
from core.discover.search import MAX_LIMIT, Discover  # noqa: E402
from core.discover.taxonomy import Theme  # noqa: E402
from core.encoders import clip_models  # noqa: E402
from core.encoders.clip import FUSED, LOCAL_ALONE, MODEL_ALONE, ClipEncoder, Towers  # noqa: E402
from core.encoders.local import LocalEncoder  # noqa: E402
from core.encoders.percepts import PERCEPTS  # noqa: E402
from core.models import Query, VideoEmbedding  # noqa: E402

MOOD_TARGET, CATEGORY_TARGET = 0.68, 0.80
MOOD_LEAST, CATEGORY_LEAST = 2, 3
_SPREAD_DRAWS = 200
RANKED_AT, RANKED_LEAST, TIED = 5, 2, 0.005
STRONG_MOST, FOUND_LEAST = 0.10, 0.70
WRONG_MOST = 0.2
"""Wrong claims a video under names that say nothing, all categories together."""
PRECISION_LEAST, RECALL_LEAST = 0.75, 0.70
"""Of the claims of categories under real names."""
MOOD_PRECISION_LEAST = 0.4
"""Of the claims of moods under names that say nothing: light, motion and sound only hint at them."""
FUSED_CATEGORY, FUSED_MOOD, FUSED_PRECISION = 0.90, 0.80, 0.80
"""Areas, and how much of what categories show is right, with a model under names that say nothing."""
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


@dataclass(frozen=True, slots=True)
class Claims:
    """What pressing every category, or every mood, alone shows."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / max(self.right + self.wrong, 1)

    @property
    def recall(self) -> float:
        return self.right / max(self.right + self.missed, 1)

    def __str__(self) -> str:
        shown = self.right + self.wrong
        return f"{shown:4d} shown, {self.right:3d} right ({self.precision:4.0%}), {self.recall:4.0%} of the right shown"


def main() -> int:
    options = _options()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        met = _with_model(options, Path(folder)) if options.encoder == "clip" else _local(options, Path(folder))
    print(f"took {time.perf_counter() - began:.0f} s")
    return 0 if met else 1


def _local(options: argparse.Namespace, folder: Path) -> bool:
    encoder = LocalEncoder()
    themes = taxonomy.load()
    videos = load(options.corpus, encoder)
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
    sets = {"corpus": videos}
    if options.with_samples:
        drawn = load_samples(options.samples or folder / "scenes", encoder, without_genre=options.without_genre)
        sets |= {"samples": drawn, "together": [*videos, *drawn]}
    libraries = [open_library(name, some, folder, encoder) for name, some in sets.items()]
    nameless = [open_library(f"{name} nameless", some, folder, encoder, neutral=True) for name, some in sets.items()]
    ranked = [report_ranking(library) for library in libraries][-1]
    told = [report_labels(library) for library in libraries][-1]
    true = [report_claims(*pair) for pair in zip(libraries, nameless, strict=True)][-1]
    for library in (*libraries, *nameless):
        library.discover.index.close()
    return mood and category and ranked and told and true


def _with_model(options: argparse.Namespace, folder: Path) -> bool:
    """Print the rows of a model fused with the local encoder and of each alone; return whether the targets are met."""
    towers = _towers(options)
    encoders = {
        name: ClipEncoder(towers, weights=weights)
        for name, weights in (("fused", FUSED), ("model alone", MODEL_ALONE), ("local alone", LOCAL_ALONE))
    }
    encoder = encoders["fused"]  # Videos have both halves whatever the weights: those are the queries'.
    if options.samples or not (options.corpus / "labels.csv").is_file():
        videos = load_samples(options.samples or folder / "scenes", encoder, without_genre=options.without_genre)
    else:
        videos = load(options.corpus, encoder)
    print(f"{len(videos)} videos, encoded by {encoder.info.name}\n")
    named = {name: open_library(name, videos, folder, one) for name, one in encoders.items()}
    nameless = {
        name: open_library(f"{name} nameless", videos, folder, one, neutral=True) for name, one in encoders.items()
    }
    areas = {
        name: tuple(areas_of(library, kind) for kind in ("category", "mood")) for name, library in nameless.items()
    }
    print(f"{'areas in the order of Discover, names that say nothing':56}{'categories':>11}{'moods':>8}")
    for name, (category, mood) in areas.items():
        print(f"  {name:54}{category:11.3f}{mood:8.3f}")
    print()
    for title, libraries in (("names that say nothing", nameless), ("real names", named)):
        for kind in ("category", "mood"):
            for name, library in libraries.items():
                print(f"  {f'{kind} claims, {title}, {name}':54}{claims_of(library, kind)}")
    print()
    strong = {name: off_library(library.discover)[0] for name, library in named.items()}
    for name, shown in strong.items():
        print(f"  {f'off-library queries that show a Strong, {name}':54}{len(shown) / len(OFF_LIBRARY):11.0%}")
    print()
    best = np.maximum(areas["model alone"], areas["local alone"])
    claims = claims_of(nameless["fused"], "category")
    met = [
        _target("areas of categories, fused", areas["fused"][0], FUSED_CATEGORY),
        _target("areas of moods, fused", areas["fused"][1], FUSED_MOOD),
        _target("areas of categories, fused beside the better half", areas["fused"][0] - best[0], -TIED),
        _target("areas of moods, fused beside the better half", areas["fused"][1] - best[1], -TIED),
        _target("precision of categories, names that say nothing", claims.precision, FUSED_PRECISION),
        _target(
            "off-library queries that show a Strong", len(strong["fused"]) / len(OFF_LIBRARY), STRONG_MOST, most=True
        ),
    ]
    for library in (*named.values(), *nameless.values()):
        library.discover.index.close()
    return all(met)


def _towers(options: argparse.Namespace) -> Towers:
    """Return the model that was asked for. Exits where it is not on this machine."""
    chosen = settings.load()
    model = clip_models.named(options.model)
    folders = clip_models.find(model, chosen.models_dir, options.model_dir or chosen.clip_model_dir)
    if folders is None:
        where = options.model_dir or chosen.clip_model_dir or chosen.models_dir
        raise SystemExit(f"The model {model.name} is not in {where}. Get it: python -m core model get {model.name}.")
    return Towers(model, folders, chosen.clip_threads)


def _target(what: str, value: float, target: float, *, most: bool = False) -> bool:
    met = bool(value <= target if most else value >= target)
    print(f"  {what:62}{value:11.3f}   at {'most' if most else 'least'} {target:.3f}: {'kept' if met else 'MISSED'}")
    return met


def areas_of(library: Library, kind: str) -> float:
    """Return the mean area of the categories, or of the moods, that enough videos have, in the order of Discover."""
    discover, found = library.discover, []
    for question in asked_alone(library, kind):
        right = _worths(question, library) == 1
        if RANKED_LEAST <= right.sum() < len(right):
            fit = discover.candidates(discover.parts(question.query), len(library.videos))
            standing = {entry.video_id: score for entry, score in zip(fit.entries, fit.scores, strict=True)}
            found.append(area(np.array([standing.get(id_, -1e9) for id_ in library.ids]), right))
    return float(np.mean(found)) if found else float("nan")


def claims_of(library: Library, kind: str) -> Claims:
    """Return what every category, or every mood, pressed alone shows."""
    right = wrong = missed = 0
    for question in asked_alone(library, kind):
        hits = library.discover.search(question.query).hits
        shown = {hit.video_id for hit in hits}
        copies = {title for hit in hits for title in hit.copies}
        for id_, video, worth in zip(library.ids, library.videos, _worths(question, library), strict=True):
            is_shown = id_ in shown or video.video.title in copies
            right += is_shown and worth == 1
            wrong += is_shown and worth < 1
            missed += not is_shown and worth == 1
    return Claims(int(right), int(wrong), int(missed))


def asked_alone(library: Library, kind: str) -> list[Question]:
    themes = library.discover.taxonomy
    if kind == "category":
        return [Question(category=theme) for theme in themes.categories]
    return [Question(mood=theme) for theme in themes.moods]


def report_claims(named: Library, nameless: Library) -> bool:
    """Print what is shown and how much of it is right; return whether little is wrong and much is found."""
    print(f"claims, {named.name}, {len(named.videos)} videos")
    for kind in ("category", "mood"):
        for title, library in (("names that say nothing", nameless), ("real names", named)):
            print(f"  {f'{kind}, {title}':54}{claims_of(library, kind)}")
    untold, told = claims_of(nameless, "category"), claims_of(named, "category")
    met = [
        _target("wrong a video, names that say nothing", untold.wrong / len(nameless.videos), WRONG_MOST, most=True),
        _target("how much of what categories show is right", told.precision, PRECISION_LEAST),
        _target("how much of what is right they show", told.recall, RECALL_LEAST),
        _target(
            "how much of what moods show is right, names that say nothing",
            claims_of(nameless, "mood").precision,
            MOOD_PRECISION_LEAST,
        ),
    ]
    print()
    return all(met)


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
        query = unit(encoder.encode_text((theme.label, *theme.prompts)).mean(axis=0))
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
    strong, related, anything = off_library(discover)
    print(f"labels, {library.name}")
    share = len(strong) / len(OFF_LIBRARY)
    print(f"  {len(OFF_LIBRARY)} off-library queries: {share:.0%} show a Strong (at most {STRONG_MOST:.0%}), ", end="")
    print(f"{len(related) / len(OFF_LIBRARY):.0%} a Related, {len(anything) / len(OFF_LIBRARY):.0%} anything")
    for text, titles in strong.items():
        print(f"    Strong for “{text}”: {', '.join(titles)}")
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
                f"   at least {FOUND_LEAST:.0%}: {'met' if good >= FOUND_LEAST else 'MISSED'}"
                if (kind, way) == ("category", "pressed")
                else ""
            )
            met &= (kind, way) != ("category", "pressed") or good >= FOUND_LEAST
    print()
    return met


def off_library(discover: Discover) -> tuple[Mapping[str, list[str]], Collection[str], Collection[str]]:
    """Return the off-library queries that show a Strong with what they show so, a Related or better, anything."""
    shown = {text: labels(discover, Query(text=text, limit=MAX_LIMIT)) for text in OFF_LIBRARY}
    strong = {text: [title for title, one in found.items() if one == "high"] for text, found in shown.items()}
    return (
        {text: titles for text, titles in strong.items() if titles},
        [text for text, found in shown.items() if {"high", "medium"} & set(found.values())],
        [text for text, found in shown.items() if found],
    )


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
    parser.add_argument("--encoder", choices=("local", "clip"), default="local")
    parser.add_argument("--model", choices=clip_models.NAMES, default="clip", help="which model (clip)")
    parser.add_argument("--model-dir", type=Path, metavar="DIR", help="a folder with vision/ and text/ (clip)")
    add_samples_options(parser)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
