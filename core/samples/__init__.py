"""The sample library: short animated scenes that our own code draws, scores and films.

This module is the catalogue and the way in; it is cheap to import. The work is done by a child process
(`python -m core.samples render`), so that two scenes really render at once and a web server stays awake.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from core.errors import MediaError
from core.models import Progress, ignore_progress

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known of a scene before it is rendered. Categories and mood are ids of core/discover/taxonomy.toml."""

    name: str
    title: str
    description: str
    tags: tuple[str, ...]
    categories: tuple[str, ...]
    mood: str
    duration_s: float


def scene(name: str) -> Scene:
    """Return the scene with this name. Raises MediaError naming those there are."""
    for candidate in SCENES:
        if candidate.name == name:
            return candidate
    names = ", ".join(candidate.name for candidate in SCENES)
    raise MediaError(f"There is no sample {name!r}. Choose one of: {names}.")


def render(name: str, target: Path, on_progress: Progress = ignore_progress) -> None:
    """Render a scene to an mp4 in a child process; `target` appears when it is whole.

    Raises MediaError when it could not be rendered, and whatever `on_progress` raises (Cancelled); then the child
    is gone and nothing is left on disk.
    """
    scene(name)
    target = Path(target).resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        workshop = Path(tempfile.mkdtemp(prefix=".sample-", dir=target.parent))
    except OSError as error:
        raise MediaError(f"{target.parent} cannot be written to ({error.strerror}). Choose another folder.") from error
    try:
        _render_in_child(name, workshop / target.name, on_progress)
        os.replace(workshop / target.name, target)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    on_progress(1.0)


def _render_in_child(name: str, path: Path, on_progress: Progress) -> None:
    """Run `python -m core.samples render` and pass on the fractions it prints, one a line."""
    with (path.parent / "stderr.txt").open("w+", encoding="utf-8", errors="replace") as complaints:
        child = subprocess.Popen(
            [sys.executable, "-m", "core.samples", "render", name, str(path)],
            stdout=subprocess.PIPE,
            stderr=complaints,
            stdin=subprocess.DEVNULL,
            env=_child_environment(),
            text=True,
        )
        with child:
            try:
                for line in child.stdout or ():
                    on_progress(float(line))
                code = child.wait()
            except BaseException:
                child.kill()
                raise
        if code != 0:
            complaints.seek(0)
            last = (complaints.read().strip().splitlines() or [f"it ended with code {code}"])[-1]
            raise MediaError(
                f"The sample {name!r} could not be rendered: {last}. Free disk and memory, then try again."
            )


def _child_environment() -> dict[str, str]:
    """Return an environment in which the child finds this package, and numpy keeps to one core."""
    path = os.pathsep.join(part for part in (str(_ROOT), os.environ.get("PYTHONPATH", "")) if part)
    return os.environ | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}


SCENES: tuple[Scene, ...] = (
    Scene(
        "snow-fox",
        "The Fox in the Snowy Wood",
        "At dusk a fox trots through a birch wood while the first snow falls, then sits down to watch it.",
        ("fox", "snow", "winter", "forest", "dusk", "quiet", "wildlife"),
        ("nature", "animals", "animation"),
        "calm",
        7.5,
    ),
    Scene(
        "before-the-thunder",
        "Before the Thunder",
        "A still summer forest with a deer, until the sky goes black and a thunderstorm breaks over it.",
        ("forest", "deer", "thunderstorm", "lightning", "rain", "danger", "weather"),
        ("nature", "animals", "adventure"),
        "tense",
        8.0,
    ),
    Scene(
        "bee-morning",
        "A Bee's Busy Morning",
        "A round bee hums from flower to flower in a bright summer meadow.",
        ("bee", "flowers", "garden", "summer", "meadow", "honey", "insects"),
        ("nature", "animals", "kids"),
        "joyful",
        7.5,
    ),
    Scene(
        "sky-whale",
        "The Whale That Swam the Night",
        "A whale and her calf float among the stars over a sleeping village.",
        ("whale", "calf", "night", "stars", "moon", "dream", "magic"),
        ("fantasy", "animals", "animation"),
        "dreamy",
        8.0,
    ),
    Scene(
        "lantern-fish",
        "The Lantern Fish",
        "Far below the waves a lantern fish lights up jellyfish and drifting plankton.",
        ("deep sea", "fish", "ocean", "jellyfish", "bioluminescence", "underwater"),
        ("documentary", "animals", "nature"),
        "dreamy",
        7.5,
    ),
    Scene(
        "rocket-launch",
        "Three, Two, One",
        "A countdown at dawn, ignition, and a small red rocket tears up into the stars.",
        ("rocket", "launch", "countdown", "space", "spaceship", "fire", "astronaut"),
        ("sci-fi", "technology", "adventure"),
        "energetic",
        8.5,
    ),
    Scene(
        "lighthouse-storm",
        "The Lighthouse in the Storm",
        "A quiet evening at the lighthouse; then the sea rises, lightning strikes and a boat fights the waves.",
        ("lighthouse", "storm", "sea", "waves", "lightning", "boat", "danger", "night"),
        ("adventure", "nature", "animation"),
        "tense",
        8.0,
    ),
    Scene(
        "balloons-at-sunrise",
        "Balloons at Sunrise",
        "Hot-air balloons drift over misty hills as the sun comes up.",
        ("hot-air balloon", "sunrise", "mountains", "mist", "flight", "journey"),
        ("travel", "adventure", "nature"),
        "calm",
        7.5,
    ),
    Scene(
        "last-train-rain",
        "Last Train in the Rain",
        "Alone by the window of a night train, rain on the glass and the city's lights going by.",
        ("train", "rain", "night", "city", "window", "lonely", "farewell"),
        ("travel", "animation"),
        "melancholic",
        8.0,
    ),
    Scene(
        "desert-road",
        "Desert Road",
        "A little turquoise car with luggage on its roof bounces along a desert road, dog in the window.",
        ("road trip", "car", "desert", "cactus", "dog", "holiday", "sunshine"),
        ("travel", "adventure", "cartoon"),
        "joyful",
        7.5,
    ),
    Scene(
        "dragon-castle",
        "The Dragon over the Castle",
        "A sleeping castle at night; a dragon's eye opens, and fire comes over the walls.",
        ("dragon", "castle", "fire", "knight", "attack", "night", "legend"),
        ("fantasy", "adventure", "animation"),
        "tense",
        8.0,
    ),
    Scene(
        "paper-boat",
        "The Paper Boat",
        "Pencil and watercolour: a paper boat drifts down a rainy street, and nobody comes after it.",
        ("paper boat", "origami", "rain", "autumn", "street", "hand-drawn", "alone", "goodbye"),
        ("traditional-animation", "animation"),
        "melancholic",
        8.5,
    ),
    Scene(
        "robot-flower",
        "The Robot Who Watered a Flower",
        "A small robot finds the last dry sprout in a scrapyard, waters it, and is given a flower.",
        ("robot", "flower", "watering can", "friendship", "spring", "hope"),
        ("family", "sci-fi", "technology", "animation"),
        "joyful",
        8.5,
    ),
    Scene(
        "blossom-crossing",
        "Train under the Cherry Blossom",
        "A girl waits at a level crossing in a shower of petals; a train rushes by, and he is there.",
        ("cherry blossom", "sakura", "train", "school", "spring", "first love", "japan", "speed lines"),
        ("anime", "animation"),
        "romantic",
        8.5,
    ),
    Scene(
        "bench-at-sunset",
        "The Bench at Sunset",
        "Two old lovers lean together on a bench while the sun sinks into the sea.",
        ("love", "couple", "sunset", "sea", "bench", "kiss", "evening"),
        ("animation", "nature"),
        "romantic",
        8.0,
    ),
    Scene(
        "kite-day",
        "Kite Day",
        "Mother, father and child fly a red kite on a green hill, and the dog flies it too.",
        ("family", "kite", "parents", "child", "dog", "wind", "weekend", "hill"),
        ("family", "kids", "cartoon"),
        "joyful",
        7.0,
    ),
    Scene(
        "pancake",
        "The Pancake That Flew Too High",
        "A cook flips a pancake into space. It comes back.",
        ("pancake", "cook", "kitchen", "breakfast", "slapstick", "frying pan"),
        ("food", "comedy", "cartoon"),
        "funny",
        7.5,
    ),
    Scene(
        "penguin-slip",
        "Penguin on Thin Ice",
        "A very dignified penguin walks, slips, slides and takes the snowman along.",
        ("penguin", "ice", "slip", "slapstick", "snowman", "clumsy"),
        ("comedy", "animals", "cartoon", "family"),
        "funny",
        7.5,
    ),
    Scene(
        "clay-monster",
        "The Clay Monster's Lunch",
        "Modelled in clay, twelve pictures a second: a green monster eats a cake, the plate, and the table.",
        ("clay", "claymation", "plasticine", "monster", "cake", "lunch", "puppet"),
        ("stop-motion", "animation", "comedy"),
        "funny",
        8.0,
    ),
    Scene(
        "ghost-chase",
        "Ghost House Chase",
        "In at one door and out at another: a cat chases a ghost, then the ghost chases the cat.",
        ("ghost", "haunted house", "chase", "cat", "doors", "halloween", "silly"),
        ("cartoon", "comedy", "animation"),
        "funny",
        8.0,
    ),
    Scene(
        "jazz-cats",
        "The Midnight Cat Trio",
        "Double bass, saxophone and drums: three cats swing in a cellar club.",
        ("jazz", "cats", "band", "saxophone", "double bass", "drums", "concert", "swing"),
        ("music", "cartoon", "animals"),
        "joyful",
        7.5,
    ),
    Scene(
        "abc-blocks",
        "A, B, C Blocks",
        "Three wooden blocks drop, bounce and open: A for apple, B for bear, C for car.",
        ("alphabet", "letters", "toys", "blocks", "apple", "bear", "learning", "toddler"),
        ("kids", "education", "family"),
        "joyful",
        8.0,
    ),
    Scene(
        "inside-a-volcano",
        "Inside a Volcano",
        "A labelled cross-section shows magma filling the chamber, climbing the conduit, and breaking out.",
        ("volcano", "magma", "lava", "eruption", "geology", "earth", "science", "explained"),
        ("documentary", "education", "nature"),
        "tense",
        8.5,
    ),
    Scene(
        "eight-planets",
        "Eight Planets, One Star",
        "A short lesson: the planets go round the sun, each named as it passes.",
        ("solar system", "planets", "astronomy", "sun", "orbit", "lesson", "space"),
        ("education", "documentary", "sci-fi"),
        "dreamy",
        8.5,
    ),
    Scene(
        "penalty",
        "Penalty in the Last Minute",
        "Run-up, strike, the keeper flies, and the net bulges: a penalty decides the cup final.",
        ("football", "soccer", "penalty", "goal", "goalkeeper", "stadium", "match"),
        ("sports", "animation"),
        "energetic",
        7.5,
    ),
    Scene(
        "sunset-skater",
        "Kickflip down Sunset Street",
        "A skateboarder races downhill through a neon evening and jumps everything in the way.",
        ("skateboard", "skater", "trick", "city", "speed", "neon", "street"),
        ("sports", "cartoon"),
        "energetic",
        7.5,
    ),
    Scene(
        "marble-dance",
        "Marble Dance",
        "Computer-generated marbles, shaded and mirrored in the floor, bounce to a fast beat.",
        ("cgi", "rendered", "spheres", "marbles", "reflection", "beat", "dance"),
        ("3d-animation", "animation", "music"),
        "energetic",
        7.0,
    ),
    Scene(
        "the-corridor",
        "The Corridor",
        "A heart monitor, a red corridor, a light that fails, and something at the far end.",
        ("thriller", "corridor", "heartbeat", "alarm", "spaceship", "monster", "fear", "suspense"),
        ("sci-fi", "animation"),
        "tense",
        8.0,
    ),
    Scene(
        "rainy-morning-coffee",
        "Rainy Morning Coffee",
        "Steam curls from a cup on the window sill, a cat sleeps, and rain runs down the pane.",
        ("coffee", "breakfast", "cup", "steam", "cat", "window", "cosy", "croissant"),
        ("food", "animation"),
        "calm",
        7.0,
    ),
)
"""Every scene, in the order in which it is best shown."""
