"""Is what is only heard, or only said, found with Marengo's embeddings, and are labels true at its narrow cosines?

    python bench/marengo.py [--videos N] [--weights SEEN,HEARD,SAID]

No account: a stand-in (tests/servers/marengo.py) has the ranges that are published of Marengo 3.0. Its videos are made
of words: what is seen is of one category, what is heard of another, what is said of a third, in the words of these
categories' prompts; a third of the videos are silent. Asked are the names of the categories, as in Discover.

1. The stand-in's ranges, to hold beside the published ones: cosines of texts and what fits them at the top match, and
   of what does not fit, for picture and sound; of a frame and its own video.
2. Area under the ROC curve over the videos with sound: how often one that fits by what is seen (heard, said) ranks
   before one that fits by nothing, fused and side by side, by the weights of the service's own example and by ours.
3. Labels of Discover, fused and side by side: what share of what fits is shown and is Related or better, and of what is
   shown fits by nothing.

Exit 1 where, side by side, what is only heard is found less often than TARGET, or what is seen by LOST less than fused.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.discover import calibrating, taxonomy  # noqa: E402
from core.discover.composition import phrases  # noqa: E402
from core.discover.search import Discover  # noqa: E402
from core.encoders.modalities import ASKED, LIKENESS, Form, Fused, SideBySide  # noqa: E402
from core.models import EncoderInfo, Query  # noqa: E402
from tests.fakes import MemoryIndex, MemoryStore, make_entries  # noqa: E402
from tests.servers.marengo import DIMENSION, Content, Ranges  # noqa: E402

OPTIONS = ("visual", "audio", "transcription")
TARGET, LOST = 0.8, 0.03
"""What is only heard must be found so often; so much less often may what is seen be found than where all is fused."""
THEMES = taxonomy.load()
MODEL = Ranges({text: theme.id for theme in (*THEMES.categories, *THEMES.moods) for text in phrases(theme)})


@dataclass(frozen=True)
class Film:
    """A video of the stand-in, and the categories it is of, by what is seen, heard and said in it."""

    title: str
    of: dict[str, str]
    parts: dict[str, np.ndarray]


class Stand:
    """An encoder of texts over the stand-in, in one form or the other."""

    def __init__(self, name: str, form: Form) -> None:
        self.form = form
        self.info = EncoderInfo(
            name, form.dimension, ("what is seen",), ("titles",), images=True, calibration=form.calibration
        )

    def encode_text(self, texts: list[str]) -> np.ndarray:
        rows = [self.form.text(MODEL.text(text).astype(np.float32)) for text in texts]
        return np.array(rows, np.float32).reshape(len(texts), self.info.dimension)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, default=400)
    parser.add_argument("--weights", type=lambda text: tuple(map(float, text.split(","))))
    arguments = parser.parse_args()
    asked = dict(zip(OPTIONS, arguments.weights, strict=True)) if arguments.weights else ASKED
    themes = THEMES
    films = make_films(themes, arguments.videos)
    print_ranges(themes, films)
    forms = {
        "fused": Stand("fused", Fused(DIMENSION)),
        "side by side, .8 .1 .1": Stand("example", SideBySide(DIMENSION, OPTIONS, LIKENESS)),
        "side by side, ours": Stand("ours", SideBySide(DIMENSION, OPTIONS, asked)),
    }
    print(f"\nours: {asked}\n{'found before what does not fit (AUC)':38}" + "".join(f"{o:>15}" for o in OPTIONS))
    areas = {}
    for name, stand in forms.items():
        areas[name] = found(stand, themes, films)
        print(f"  {name:36}" + "".join(f"{areas[name][option]:15.3f}" for option in OPTIONS))
    print(f"\n{'labels: shown / Related or better':38}" + "".join(f"{o:>15}" for o in OPTIONS) + "   shown, fits not")
    for name, stand in forms.items():
        discover = print_labels(name, stand, themes, films)
        stand.info = replace(stand.info, calibration=calibrating.fit(discover).after.calibration)
        print_labels(f"{name}, calibrated", stand, themes, films)
    ours, fused = areas["side by side, ours"], areas["fused"]
    good = ours["audio"] >= TARGET and ours["visual"] >= fused["visual"] - LOST
    print("\n" + ("good" if good else f"below target: {TARGET}"))
    return 0 if good else 1


def make_films(themes: taxonomy.Taxonomy, count: int) -> list[Film]:
    """Make videos of three categories each: one seen, one heard, one said; every third is silent."""
    dice = np.random.default_rng(5)
    films = []
    for number in range(count):
        picks = dice.choice(len(themes.categories), 3, replace=False)
        of = {option: themes.categories[pick] for option, pick in zip(OPTIONS, picks, strict=True)}
        if number % 3 == 2:
            of = {"visual": of["visual"]}
        words = {option: str(dice.choice(theme.prompts)) for option, theme in of.items()}
        picture = dice.random((4, 4, 3))
        content = Content(words["visual"], words.get("audio", ""), words.get("transcription", ""), picture)
        parts = {option: MODEL.span(option, content, str(number)).astype(np.float32) for option in of}
        if len(of) > 1:
            parts["fused"] = MODEL.span("fused", content, str(number)).astype(np.float32)
        films.append(Film(f"film {number}", {option: theme.id for option, theme in of.items()}, parts))
    return films


def span(form: Form, film: Film) -> np.ndarray:
    """Return the vector of a video as the encoder would make it."""
    if isinstance(form, Fused):
        return form.video(film.parts)
    return form.video({option: vector for option, vector in film.parts.items() if option != "fused"})


def print_ranges(themes: taxonomy.Taxonomy, films: list[Film]) -> None:
    print(f"{'cosines of the stand-in':38}{'top match':>15}{'fits, mean':>15}{'fits not':>15}{'spread':>10}")
    for option in OPTIONS:
        fits, rest, top = [], [], []
        for theme in themes.categories:
            text = MODEL.text(theme.label)
            own = [float(text @ film.parts[option]) for film in films if film.of.get(option) == theme.id]
            fits += own
            top += [max(own)] if own else []
            rest += [
                float(text @ film.parts[option]) for film in films if option in film.of and film.of[option] != theme.id
            ]
        print(
            f"  text to {option:28}{np.mean(top):15.3f}{np.mean(fits):15.3f}{np.mean(rest):15.3f}{np.std(rest):10.3f}"
        )


def found(stand: Stand, themes: taxonomy.Taxonomy, films: list[Film]) -> dict[str, float]:
    """Return for each option how often a video that fits by it alone ranks before one that fits by nothing."""
    vectors = np.array([span(stand.form, film) for film in films])
    areas: dict[str, list[float]] = {option: [] for option in OPTIONS}
    texts = stand.encode_text([theme.label for theme in themes.categories])
    for theme, text in zip(themes.categories, texts, strict=True):
        scores = vectors @ text
        sounds = [len(film.of) == 3 for film in films]
        rest = [
            s
            for s, film, sound in zip(scores, films, sounds, strict=True)
            if sound and theme.id not in film.of.values()
        ]
        for option in OPTIONS:
            own = [
                s for s, film, sound in zip(scores, films, sounds, strict=True) if sound and film.of[option] == theme.id
            ]
            if own and rest:
                areas[option].append(float(np.mean(np.array(own)[:, None] > np.array(rest)[None, :])))
    return {option: float(np.mean(values)) for option, values in areas.items()}


def print_labels(name: str, stand: Stand, themes: taxonomy.Taxonomy, films: list[Film]) -> Discover:
    index = MemoryIndex(stand.info)
    titles = {}
    for film in films:
        vector = span(stand.form, film)
        entries = make_entries(film.title, info=stand.info, vectors=[vector, vector])
        titles[entries[0].video_id] = film
        index.upsert(entries)
    discover = Discover(encoder=stand, index=index, store=MemoryStore(), taxonomy=themes)  # type: ignore[arg-type]
    shown = dict.fromkeys(OPTIONS, 0)
    related, fitting, wrong, all_shown = dict(shown), dict(shown), 0, 0
    for theme in themes.categories:
        hits = discover.search(Query(categories=(theme.id,), limit=100)).hits
        by_title = {titles[hit.video_id].title: hit for hit in hits}
        all_shown += len(hits)
        wrong += sum(theme.id not in titles[hit.video_id].of.values() for hit in hits)
        for film in films:
            for option, of in film.of.items():
                if of == theme.id:
                    fitting[option] += 1
                    hit = by_title.get(film.title)
                    shown[option] += hit is not None
                    related[option] += hit is not None and hit.confidence in ("high", "medium")
    cells = [f"{shown[o] / fitting[o]:.2f} / {related[o] / fitting[o]:.2f}" for o in OPTIONS]
    print(f"  {name:36}" + "".join(f"{cell:>15}" for cell in cells) + f"{wrong / max(all_shown, 1):18.2f}")
    return discover


if __name__ == "__main__":
    sys.exit(main())
