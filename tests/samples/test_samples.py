"""The sample library: the catalogue, the drawings, and the files that come out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest

from core import samples
from core.discover import taxonomy
from core.errors import Cancelled, MediaError
from core.samples import ADS, SCENES, painters, render, score
from core.samples.colours import Gradient, mix, rgba
from core.samples.outlines import HEIGHT, WIDTH, outline, smooth
from core.samples.scenes import PLAYS
from core.samples.sound import Track, pop
from core.samples.stage import Stage
from core.samples.studio import dice, stills
from core.samples.timing import shot, span, spring
from tests.support import until

CHEAP = "abc-blocks"
ROOT = Path(samples.__file__).parents[2]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene rendered in a child process, with the fractions it reported beside it."""
    target = tmp_path_factory.mktemp("samples") / "film.mp4"
    fractions: list[float] = []
    render(CHEAP, target, fractions.append)
    target.with_suffix(".txt").write_text("\n".join(map(str, fractions)))
    return target


def watched(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen]:
    """Return a list into which every child comes that is started from now on; none waits already."""
    painters.dismiss()
    children: list[subprocess.Popen] = []
    popen = subprocess.Popen

    def spy(*args, **kwargs):
        children.append(popen(*args, **kwargs))
        return children[-1]

    monkeypatch.setattr(painters.subprocess, "Popen", spy)
    return children


def is_running(pid: int) -> bool:
    """Tell whether a process runs; Linux only, elsewhere the test above is left out."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"  # whoever inherits it has not looked yet


def brightness(frames: list) -> float:
    return float(np.mean([np.asarray(frame.convert("L")).mean() for frame in frames]))


# ---------------------------------------------------------------- the catalogue


def test_the_catalogue_is_large_and_its_names_are_slugs():
    names = [scene.name for scene in SCENES]
    assert len(names) >= 24
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalnum() and name == name.lower() for name in names)
    assert {*names, *(ad.name for ad in ADS)} == set(PLAYS)
    assert not {*names} & {ad.name for ad in ADS}


def test_every_category_has_a_scene_and_every_mood_two():
    known = taxonomy.load()
    categories = Counter(category for scene in SCENES for category in scene.categories)
    moods = Counter(scene.mood for scene in SCENES)
    assert set(categories) == {theme.id for theme in known.categories}
    assert set(moods) == {theme.id for theme in known.moods}
    assert min(moods.values()) >= 2


def test_every_scene_says_what_it_is():
    for scene in SCENES:
        assert 6 <= scene.duration_s <= 9
        assert len(scene.tags) >= 5
        assert scene.title
        assert scene.description.endswith(".")
    assert len(ADS) == 4
    for ad in ADS:
        assert len(ad.tags) >= 5
        assert ad.description.endswith(".")


def test_the_catalogue_loads_no_drawing_or_video_package():
    code = "import sys, core.samples; print([m for m in ('PIL', 'av', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ---------------------------------------------------------------- the drawings


@pytest.mark.parametrize("name", sorted(PLAYS))
def test_every_scene_draws_and_moves(name: str):
    length = samples.scene(name).duration_s
    frames = [np.asarray(frame, dtype=int) for frame in stills(name, [0.0, length / 2, length - 1 / 24])]
    assert frames[0].shape == (HEIGHT, WIDTH, 3)
    for later in frames[1:]:
        assert (np.abs(later - frames[0]).max(axis=2) > 25).mean() > 0.005, f"{name} hardly moves"


def test_tense_scenes_are_darker_than_joyful_ones():
    by_mood = {
        mood: [
            brightness(stills(scene.name, [scene.duration_s * share for share in (0.5, 0.7, 0.9)]))
            for scene in SCENES
            if scene.mood == mood
        ]
        for mood in ("tense", "joyful")
    }
    assert np.mean(by_mood["tense"]) < 0.6 * np.mean(by_mood["joyful"])


def test_tense_and_energetic_sound_is_louder_than_calm_and_dreamy():
    loud = [PLAYS[scene.name].level for scene in SCENES if scene.mood in ("tense", "energetic")]
    soft = [PLAYS[scene.name].level for scene in SCENES if scene.mood in ("calm", "dreamy")]
    assert min(loud) > 2 * max(soft)


def test_shapes_land_where_they_are_put():
    stage = Stage(colour="#000000")
    with stage.at(100, 100, sx=2):
        stage.rect(0, 0, 10, 10, "#ff0000")
    frame = np.asarray(stage.shown())
    assert tuple(frame[110, 110]) == (255, 0, 0)
    assert frame[95, 110].sum() == 0
    assert frame[125, 110].sum() == 0


def test_gradients_and_see_through_paint_blend_on_layers():
    sheet = Stage(100, 100, None)
    sheet.rect(0, 0, 100, 100, "#0000ff")
    sheet.rect(0, 0, 100, 100, "#ff000080")
    stage = Stage(colour="#00ff00")
    stage.paste(sheet.layer())
    stage.rect(200, 0, 50, 100, Gradient("#000000", "#ffffff"))
    frame = np.asarray(stage.shown())
    assert frame[50, 50, 1] == 0  # opaque: the green below does not shine through
    assert 120 < frame[50, 50, 0] < 136
    assert frame[5, 220, 0] < 30 < 220 < frame[95, 220, 0]


def test_copies_are_drawn_at_each_place():
    stage = Stage(colour="#000000")
    stage.row(3, 100).rect(20, 20, 10, 10, "#ff0000")
    with stage.at(320, 200):
        stage.twins.rect(50, 0, 10, 10, "#00ff00")
        stage.ring(4).rect(100, -5, 10, 10, "#0000ff")
    frame = np.asarray(stage.shown())
    assert [tuple(frame[25, x]) for x in (25, 125, 225, 325)] == [(255, 0, 0)] * 3 + [(0, 0, 0)]
    assert frame[205, 375, 1] == frame[205, 265, 1] == 255
    assert [frame[y, x, 2] for x, y in ((425, 200), (320, 305), (215, 200), (320, 95))] == [255] * 4


def test_a_layer_is_what_was_drawn_wherever_it_is_pasted():
    drawn, pasted = Stage(colour="#203040"), Stage(colour="#203040")
    sheet = Stage(colour=None)
    for stage in (drawn, sheet):
        stage.rect(3, 5, 301, 200, "#ff0000")  # a part without holes
        stage.ellipse(500, 300, 40, paint="#00ff00")  # one with, far away
        stage.rect(10, 10, 20, 20, "#0000ff80")
    pasted.paste(sheet.layer())
    assert np.array_equal(np.asarray(pasted.image), np.asarray(drawn.image))
    assert any(piece.mask is None for piece in sheet.layer().pieces)


def test_outlines_are_read_from_text():
    points = [(1, 2), (3.5, -4), (-5, 6), (0, 0)]
    assert outline("1,2 3.5,-4 -5,6 0,0").tolist() == outline(points).tolist()
    assert np.array_equal(smooth("1,2 3.5,-4 -5,6 0,0"), smooth(points))


def test_every_scene_has_a_score_that_can_be_played():
    assert set(score._scores()) == set(PLAYS)
    for scene in (*SCENES, *ADS):
        track = Track(scene.duration_s, dice(scene.name, "score"))
        score.play(scene.name, track)
        sound = track.master(PLAYS[scene.name].level)
        assert np.sqrt((sound**2).mean()) > 0.02, scene.name


def test_a_cue_says_when_how_often_and_how_loud():
    def played(cue: str) -> np.ndarray:
        track = Track(2.0, np.random.default_rng(1))
        score._play(cue, track)
        return track._tape

    twice = Track(2.0, np.random.default_rng(1))
    for start in (0.5, 0.75):
        twice.add(np.asarray(pop()), start, 0.2, -1)
    assert np.allclose(played("pop  at 0.5  every 0.25  times 2  gain 0.2  pan -1"), twice._tape)
    assert np.allclose(played("pop  at 0.5 0.75  gain 0.2  pan -1"), twice._tape)
    louder = played("pop  every 1  times 2  gain 0.2+0.2")
    assert np.abs(louder[44_100:]).max() == pytest.approx(2 * np.abs(louder[:44_100]).max(), rel=0.01)
    starts = {int(np.flatnonzero(played("pop  at 0~1")[:, 0])[0]), int(np.flatnonzero(played("pop")[:, 0])[0])}
    assert len(starts) == 2


def test_time_helpers():
    assert shot(0.5, 1.0, 2.0) == (0, 0.5)
    assert shot(2.25, 1.0, 2.0) == (2, 0.25)
    assert span(1.5, 1, 2) == 0.5
    assert spring(0) == 0
    assert spring(1) == 1
    assert mix("#000000", "#ffffff", 0.5)[:3] == (128, 128, 128)
    with pytest.raises(ValueError, match="not a colour"):
        rgba("red")


# ---------------------------------------------------------------- the files


def test_a_film_has_the_right_length_size_and_codecs(film: Path):
    with av.open(str(film)) as file:
        picture, voice = file.streams.video[0], file.streams.audio[0]
        assert (picture.codec_context.name, voice.codec_context.name) == ("h264", "aac")
        assert (picture.width, picture.height) == (WIDTH, HEIGHT)
        assert picture.frames == 24 * samples.scene(CHEAP).duration_s
        assert file.duration / av.time_base == pytest.approx(samples.scene(CHEAP).duration_s, abs=0.1)
    head = film.read_bytes()[:4096]
    assert b"moov" in head, "the index must come first, so that a browser can start at once"


def test_a_film_is_not_silent(film: Path):
    with av.open(str(film)) as file:
        sound = np.concatenate([frame.to_ndarray() for frame in file.decode(audio=0)], axis=1)
    assert 0.02 < np.sqrt((sound**2).mean()) < 0.9
    assert np.abs(sound).max() <= 1.05


def test_a_film_carries_its_title_and_tags(film: Path):
    scene = samples.scene(CHEAP)
    with av.open(str(film)) as file:
        tags = {key.lower(): value for key, value in file.metadata.items()}
    assert tags["title"] == scene.title
    assert tags["description"] == scene.description
    assert tags["keywords"] == ", ".join(scene.tags)
    assert tags["genre"] == "Kids, Education, Family"
    assert tags["comment"] == "Rendered by the sample library; CC0"


def test_progress_rises_to_one(film: Path):
    fractions = [float(line) for line in film.with_suffix(".txt").read_text().split()]
    assert fractions == sorted(fractions)
    assert len(fractions) > 20
    assert fractions[-1] == 1.0


def test_only_the_film_is_left(film: Path):
    assert sorted(path.name for path in film.parent.iterdir()) == ["film.mp4", "film.txt"]


def test_two_render_at_once_from_anywhere_and_the_same_scene_gives_the_same_bytes(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)  # the child must find the package all the same
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(render, (CHEAP, "pancake"), (Path("again.mp4"), Path("new", "pancake.mp4"))))
    assert (tmp_path / "again.mp4").read_bytes() == film.read_bytes()
    with av.open(str(tmp_path / "new" / "pancake.mp4")) as file:
        assert file.metadata["title"] == "The Pancake That Flew Too High"
        assert file.streams.video[0].frames == 24 * samples.scene("pancake").duration_s


def test_dice_differ_by_scene():
    assert dice("snow-fox", "picture").random() == dice("snow-fox", "picture").random()
    assert dice("snow-fox", "picture").random() != dice("bee-morning", "picture").random()


def test_cancel_stops_the_child_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    children = watched(monkeypatch)

    def cancel(fraction: float) -> None:
        if fraction > 0.05:
            raise Cancelled

    with pytest.raises(Cancelled):
        render(CHEAP, tmp_path / "never.mp4", cancel)
    assert list(tmp_path.iterdir()) == []
    assert children[0].poll() is not None


def test_a_painter_is_kept_for_the_next_scene_and_replaced_when_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    children = watched(monkeypatch)
    render(CHEAP, tmp_path / "one.mp4")
    render(CHEAP, tmp_path / "two.mp4")
    assert len(children) == 1
    children[0].kill()
    children[0].wait()
    render(CHEAP, tmp_path / "three.mp4")
    assert len(children) == 2
    painters.dismiss()
    assert [child.poll() is None for child in children] == [False, False]


def test_painters_without_work_are_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    children = watched(monkeypatch)
    monkeypatch.setattr(painters, "KEPT_S", 0.2)
    render(CHEAP, tmp_path / "one.mp4")
    assert children[0].wait(timeout=120) is not None


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="reads /proc")
@pytest.mark.parametrize("when", ["drawing", "idle"])
def test_a_killed_server_leaves_no_painter(tmp_path: Path, when: str):
    """Ended as by kill -9, so that nothing can be tidied up, its painter ends by itself."""
    code = f"""
import os, signal, sys
from pathlib import Path
from core import samples
from core.samples import painters
popen = painters.subprocess.Popen
def spy(*args, **kwargs):
    child = popen(*args, **kwargs)
    print(child.pid, flush=True)
    return child
painters.subprocess.Popen = spy
def die(fraction=1.0):
    if fraction > 0.05:
        os.kill(os.getpid(), signal.SIGKILL)
samples.render({CHEAP!r}, Path({str(tmp_path / "film.mp4")!r}), die if {when!r} == "drawing" else lambda fraction: None)
die()
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == -9, done.stderr
    painter = int(done.stdout.split()[0])
    until(lambda: not is_running(painter))


def test_an_unknown_name_is_refused_with_the_known_ones(tmp_path: Path):
    with pytest.raises(MediaError, match="snow-fox"):
        render("no-such-scene", tmp_path / "x.mp4")


def test_a_child_that_fails_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    broken = tmp_path / "broken"
    (broken / "av").mkdir(parents=True)
    (broken / "av" / "__init__.py").write_text("raise OSError('the disk is full')")
    environment = os.environ | {"PYTHONPATH": f"{broken}{os.pathsep}{ROOT}"}
    painters.dismiss()
    monkeypatch.setattr(painters, "_environment", lambda: environment)
    with pytest.raises(MediaError, match=r"could not be rendered: OSError: the disk is full"):
        render(CHEAP, tmp_path / "x.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["broken"]


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MediaError, match="Choose another folder"):
        render(CHEAP, tmp_path / "file" / "x.mp4")


def test_the_command_line_lists_every_scene():
    done = subprocess.run(
        [sys.executable, "-m", "core.samples", "list"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert [line.split()[0] for line in done.stdout.splitlines()] == [scene.name for scene in SCENES]
