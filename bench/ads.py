"""Are ads put where they belong: between shots, after what is like them, and never beside what a brand avoids?

    python bench/ads.py [--keep DIR]

The library is the sample library, each scene alone, and programmes of three scenes each, joined by hard cuts. What is
in them is known from the catalogue, and where their shots begin from the scenes' own source (`shot(t, …)`), so nothing
here asks the code under test what is right. Four sample ads are placed, with nothing to avoid and for four brands that
each avoid something. Baselines in the same run: places drawn at random among all true shot boundaries; and those of
videos that have a category of the ad by their labels, drawn at random ("category alone").

Exit 1 when less than 95 % of the places are at shot boundaries, when any is beside what is avoided, or when the match
is not above both baselines.
"""

from __future__ import annotations

import argparse
import inspect
import itertools
import re
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core import samples  # noqa: E402
from core.ads.models import Avoid, Placed, Rules, Wanted  # noqa: E402
from core.models import Stage  # noqa: E402
from core.samples import Scene  # noqa: E402
from core.samples.film import Reel  # noqa: E402
from core.samples.scenes import PLAYS  # noqa: E402
from core.samples.sound import RATE  # noqa: E402
from core.samples.studio import perform  # noqa: E402
from core.services import Services, build  # noqa: E402
from core.settings import Settings  # noqa: E402

AT_BOUNDARY = 0.95
NEAR_S = 0.1
"""A drawing is held for a twelfth of a second: a shot begins with the next one."""
RULES = Rules(first_s=3.0, apart_s=5.0, most=3, videos=8)
BRANDS = (
    Avoid(moods=("tense", "melancholic")),
    Avoid(categories=("kids", "family")),
    Avoid(words=("storm", "ghost", "rain")),
    Avoid(categories=("comedy",), moods=("energetic",), words=("fire",)),
)
DRAWS = 4_000


@dataclass(frozen=True)
class Known:
    """A video of the library, as it is in truth."""

    path: Path
    parts: tuple[tuple[float, Scene], ...]
    """When each scene begins."""
    boundaries: tuple[float, ...]
    """When shots begin, and the end."""

    def scene_at(self, at_s: float) -> Scene:
        return next(scene for start_s, scene in reversed(self.parts) if at_s >= start_s or start_s == 0)

    def is_boundary(self, at_s: float) -> bool:
        return any(abs(at_s - one) <= NEAR_S for one in self.boundaries)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--keep", type=Path, help="draw scenes into this folder, and take those that are there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return measure(options.keep or Path(folder) / "scenes", Path(folder))


def measure(scenes: Path, folder: Path) -> int:
    scenes.mkdir(parents=True, exist_ok=True)
    for scene in (*samples.SCENES, *samples.ADS):
        if not (scenes / f"{scene.name}.mp4").is_file():
            perform(scene.name, scenes / f"{scene.name}.mp4", lambda done: None)
    known = [alone(scenes, scene) for scene in samples.SCENES] + programmes(scenes)
    with closing(build(Settings(data_dir=folder / "data"))) as services:
        services.start()
        by_id = added(services, known)
        ads = {services.ads.book.add(scenes / f"{ad.name}.mp4", f"{ad.name}.mp4").id: ad for ad in samples.ADS}
        began = time.perf_counter()
        found = {id_: placed(services, id_, Avoid()) for id_ in ads}
        print(f"{len(known)} videos, {len(ads)} ads; first answers {time.perf_counter() - began:.1f} s\n")
        places = [
            (by_id[one.entry.video_id], at_s, ads[id_]) for id_, rows in found.items() for one, at_s in flat(rows)
        ]
        right = sum(video.is_boundary(at_s) for video, at_s, _ in places)
        inside = sum(abs(at_s - video.boundaries[-1]) > NEAR_S for video, at_s, _ in places)
        print(f"places {len(places)}, {inside} of them inside a video")
        print(f"at shot boundaries    {right / len(places):6.1%}   (at least {AT_BOUNDARY:.0%})")
        ours = np.mean([match(ad, video.scene_at(at_s - NEAR_S)) for video, at_s, ad in places], axis=0)
        best = np.mean([match(ads[id_], first(by_id, rows)) for id_, rows in found.items() if rows], axis=0)
        chance = baseline(list(ads.values()), lambda ad: known)
        alone_ = baseline(list(ads.values()), lambda ad: labelled(services, by_id, ad))
        print(f"\n{'match of ad and what was just seen':38}{'mood':>8}{'category':>10}{'both':>8}{'ratio':>8}")
        for name, row in (
            ("placed", ours),
            ("placed, the first", best),
            ("category alone", alone_),
            ("random", chance),
        ):
            print(f"{name:38}{row[0]:8.1%}{row[1]:10.1%}{row.mean():8.3f}{ours.mean() / row.mean():8.2f}")
        wrong, brand_places, by_chance = violations(services, by_id, ads, known)
        print(f"\nbeside what a brand avoids: {wrong} of {brand_places} places; at random {by_chance:.1%}")
    good = right / len(places) >= AT_BOUNDARY and wrong == 0 and ours.mean() > max(chance.mean(), alone_.mean())
    return 0 if good else 1


def alone(scenes: Path, scene: Scene) -> Known:
    path = scenes / f"{scene.name}.mp4"
    return Known(path, ((0.0, scene),), (*shots_of(scene), scene.duration_s))


def shots_of(scene: Scene) -> list[float]:
    """Return when the shots of a scene begin after its first, as its source says."""
    found = re.search(r"shot\(t, ([\d., ]+)\)", inspect.getsource(PLAYS[scene.name].act))
    return [float(text) for text in found[1].split(",")] if found else []


def programmes(scenes: Path) -> list[Known]:
    """Join the scenes of a mood, three at a time, and return what is known of each programme."""
    made = []
    ordered = sorted(samples.SCENES, key=lambda scene: scene.mood)
    for number, some in enumerate(threes(ordered)):
        path = scenes / f"programme-{number}.mp4"
        starts = [0.0, *itertools.accumulate(scene.duration_s for scene in some)]
        if not path.is_file():
            join([scenes / f"{scene.name}.mp4" for scene in some], path, some)
        inner = [start + shot for start, scene in zip(starts, some, strict=False) for shot in shots_of(scene)]
        made.append(Known(path, tuple(zip(starts, some, strict=False)), (*sorted([*inner, *starts[1:-1]]), starts[-1])))
    return made


def threes(scenes: list[Scene]) -> list[tuple[Scene, ...]]:
    return [tuple(scenes[start : start + 3]) for start in range(0, len(scenes), 3)]


def join(files: list[Path], target: Path, scenes: tuple[Scene, ...]) -> None:
    """Write files of the sample library one behind the other into one."""
    sound, images = [], []
    for file, scene in zip(files, scenes, strict=True):
        with av.open(str(file)) as container:
            heard = [frame.to_ndarray() for frame in container.decode(audio=0)]
        with av.open(str(file)) as container:
            images += [frame.to_image() for frame in container.decode(video=0)]
        samples_ = np.concatenate(heard, axis=1).T.astype(np.float32)
        length = round(scene.duration_s * RATE)
        sound.append(np.pad(samples_[:length], ((0, max(length - len(samples_), 0)), (0, 0))))
    tags = {
        "title": " · ".join(scene.title for scene in scenes),
        "description": " ".join(scene.description for scene in scenes),
        "genre": ", ".join(dict.fromkeys(category for scene in scenes for category in scene.categories)),
        "keywords": ", ".join(dict.fromkeys(tag for scene in scenes for tag in scene.tags)),
    }
    with Reel(target, np.concatenate(sound), tags) as reel:
        for image in images:
            reel.add(image, 1)


def added(services: Services, known: list[Known]) -> dict[str, Known]:
    jobs = [services.jobs.submit(one.path, one.path.name) for one in known]
    services.jobs.wait([job.id for job in jobs], timeout_s=600)
    over = [services.jobs.job(job.id) for job in jobs]
    assert all(job.stage is Stage.READY for job in over), [job.reason for job in over]
    return {job.video_id: one for job, one in zip(over, known, strict=True)}


def placed(services: Services, ad_id: str, avoid: Avoid) -> tuple[Placed, ...]:
    return services.ads.placing.propose(Wanted(ad=ad_id, avoid=avoid, rules=RULES)).placed


def flat(rows: tuple[Placed, ...]) -> list[tuple[Placed, float]]:
    return [(one, place.at_s) for one in rows for place in one.breaks]


def first(by_id: dict[str, Known], rows: tuple[Placed, ...]) -> Scene:
    return by_id[rows[0].entry.video_id].scene_at(rows[0].breaks[0].at_s - NEAR_S)


def match(ad: Scene, seen: Scene) -> tuple[float, float]:
    """Return whether the two have their mood in common, and a category."""
    return float(ad.mood == seen.mood), float(bool({*ad.categories} & {*seen.categories}))


def baseline(ads: list[Scene], among) -> np.ndarray:
    """Return the match of places drawn at random among the true boundaries of some videos."""
    rng, rows = np.random.default_rng(7), []
    for ad in ads:
        pool = [(video, at_s) for video in among(ad) for at_s in video.boundaries if at_s >= RULES.first_s]
        for number in rng.integers(0, len(pool), DRAWS // len(ads)):
            video, at_s = pool[number]
            rows.append(match(ad, video.scene_at(at_s - NEAR_S)))
    return np.mean(rows, axis=0)


def labelled(services: Services, by_id: dict[str, Known], ad: Scene) -> list[Known]:
    """Return the videos that have a category of the ad by their labels."""
    entries = services.index.scroll(scope="video", with_vectors=False)
    return [by_id[entry.video_id] for entry in entries if {*(entry.categories or ())} & {*ad.categories}]


def violations(
    services: Services, by_id: dict[str, Known], ads: dict[str, Scene], known: list[Known]
) -> tuple[int, int, float]:
    """Count places beside what a brand avoids, in truth; all of them, and the share at random."""
    wrong = count = 0
    for avoid in BRANDS:
        for id_ in ads:
            for one, at_s in flat(placed(services, id_, avoid)):
                video = by_id[one.entry.video_id]
                beside = {video.scene_at(at_s - NEAR_S).name, video.scene_at(at_s + NEAR_S).name}
                bad = [name for name in beside if offends(samples.scene(name), avoid)]
                wrong += bool(bad)
                count += 1
                if bad:
                    print(f"  beside {bad[0]}: {avoid}")
    pool = [(video, at_s, avoid) for video in known for at_s in video.boundaries for avoid in BRANDS]
    by_chance = np.mean([offends(video.scene_at(at_s - NEAR_S), avoid) for video, at_s, avoid in pool])
    return wrong, count, float(by_chance)


def offends(scene: Scene, avoid: Avoid) -> bool:
    """Tell whether a scene is what a brand avoids, by the catalogue."""
    text = " ".join((scene.title, scene.description, *scene.tags)).casefold()
    return bool(
        {*scene.categories} & {*avoid.categories}
        or scene.mood in avoid.moods
        or any(re.search(rf"\b{word}", text) for word in avoid.words)
    )


if __name__ == "__main__":
    sys.exit(main())
