"""A library whose files are cut, zeroed or half-written at 30 places: it opens or says why not, and loses no video."""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core import doctor
from core.__main__ import main
from core.access.access import Access
from core.access.policy import Policy
from core.errors import AppError
from core.files import ASIDE
from core.models import Query, Stage
from core.services import Services, build
from core.settings import Settings, load
from core.state.calibration import Calibrations
from core.state.spending import SpendingBook
from core.state.texts import CachedText
from tests.environ import clean_environ
from tests.fakes import FakeEncoder
from tests.videos import make_video, plain

PLACES = 30
WHAT_TO_DO = ("move it", "Remove it", "Mend", "Correct", "Delete it")
TITLES = ("Grey wolf in a forest", "Tax office", "Red balloon")
DELETED = "Old film"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder with something of every kind in it, closed as an app closes it."""
    folder = tmp_path_factory.mktemp("whole") / "data"
    settings = of(folder)
    services = build(settings)
    services.jobs.start()
    colours = ((90, 90, 90), (40, 90, 40), (200, 20, 20), (20, 20, 200))
    for title, colour in zip((*TITLES, DELETED), colours, strict=True):
        path = make_video(folder.parent / f"{title}.mp4", pattern=plain(*colour), seconds=1.0, size=(64, 36), fps=6)
        job = services.jobs.submit(path)
        [job] = services.jobs.wait([job.id], timeout_s=120)
        assert job.stage is Stage.READY, job.reason
    ids = {entry.title: entry.video_id for entry in services.index.scroll(scope="video")}
    services.taste.mark("Ada", ids[TITLES[0]], "like")
    services.channels.save("Wolves", [("q", "wolf")])
    services.add_theme("category", "Offices", ["an office"])
    services.correct(ids[TITLES[1]], "category", "nature", False)
    services.library.trash.delete([ids[DELETED]])
    Calibrations(folder / "calibration.json").keep(services.encoder.info.name, services.encoder.info.calibration, 4)
    spending = SpendingBook(services.state.shelf("spending"))
    spending.reserve("2026-11-26", "Ada", 60.0, most_s=None, most_by_one_s=None)
    CachedText(FakeEncoder(), services.state.shelf("texts")).encode_text(["wolf", "forest"])
    (folder / "reembed.json").write_text(json.dumps({"to": "gone-v1", "without": []}))
    access = Access(Policy("password", edit_password="a long word"), folder)
    access.sign_out({"moodreel_session": access.sign_in("a long word", "::1")})
    services.close()
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    # Edge's files are large and nearly empty.
    subprocess.run(["cp", "-a", "--sparse=always", str(whole), str(tmp_path / "data")], check=True)
    return tmp_path / "data"


def of(folder: Path) -> Settings:
    return load(clean_environ() | {"DATA_DIR": str(folder), "ENCODER": "local"}, dotenv_path=None)


def kinds(folder: Path) -> dict[str, list[Path]]:
    """Return the files that may be damaged, by kind."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "media" not in path.parts)
    shard = [path for path in files if "shard" in path.parts]
    return {
        "shard": [path for path in shard if "payload_index" not in path.parts],
        "field index": [path for path in shard if "payload_index" in path.parts],
        "sqlite": [path for path in files if path.suffix == ".sqlite3"],
        "text": [path for path in files if path not in shard and path.suffix in (".json", ".toml", ".key")],
    }


def damage(path: Path, how: str, rng: random.Random) -> None:
    """Cut a file, zero a part of it, or leave it half-written: its end is of something else."""
    data = bytearray(path.read_bytes())
    used = max(len(bytes(data).rstrip(b"\0")), 1)
    at = rng.randrange(used)
    if how == "cut":
        del data[at:]
    elif how == "zeroed":
        end = min(at + max(used // 3, 1), len(data))
        data[at:end] = bytes(end - at)
    else:
        data[at:used] = rng.randbytes(used - at)
    path.write_bytes(data)


def places() -> Iterator[tuple[int, str, str]]:
    rng = random.Random(int(os.environ.get("DAMAGE_SEED", "10")))
    of_each = {"shard": 10, "field index": 3, "sqlite": 10, "text": 7}
    assert sum(of_each.values()) == PLACES
    for kind, times in of_each.items():
        for number in range(times):
            yield rng.randrange(2**32), kind, ("cut", "zeroed", "half-written")[number % 3]


def opened(settings: Settings) -> tuple[Services, list[str]]:
    """Open a library as a person does who follows what the sentences say; return what had to be moved away."""
    moved: list[str] = []
    while True:
        try:
            return build(settings), moved
        except AppError as error:
            said = str(error)
        named = [path for path in settings.data_dir.rglob("*") if path.is_file() and str(path) in said]
        assert named, f"{said} names no file"
        assert any(word in said for word in WHAT_TO_DO), said
        for path in named:
            path.rename(path.with_name(f"{path.name}.moved"))
            moved.append(path.name)


@pytest.mark.parametrize(
    ("seed", "kind", "how"), [pytest.param(*place, id=f"{place[1]}-{n}") for n, place in enumerate(places())]
)
def test_it_opens_or_says_why_not_and_loses_no_video(
    copy: Path, seed: int, kind: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    rng = random.Random(seed)
    files = kinds(copy)[kind]
    names = sorted({path.name for path in files})
    name = rng.choice(names)  # of the hundred files of a shard each kind once
    path = rng.choice([path for path in files if path.name == name])
    before = path.read_bytes()
    damage(path, how, rng)
    caplog.set_level(logging.WARNING)
    services, moved = opened(of(copy))
    services.damage.start()
    services.damage.wait(120)
    try:
        found = {entry.title: entry for entry in services.index.scroll(scope="video")}
        nearest = {title: services.index.search(entry.vector, limit=1)[0].video_id for title, entry in found.items()}
        used = used_of(services)
    finally:
        services.close()
    assert found.keys() >= set(TITLES), f"{how} {path} lost a video"
    for title in TITLES:
        assert (copy / "media" / found[title].media_key).is_file()
        assert nearest[title] == found[title].video_id, f"{how} {path} lost what {title} looks like"
    if path.exists() and path.read_bytes() == before:
        return  # it was put right, and what was wrong with it is put aside or in the log
    said = " ".join([*caplog.messages, *services.damage.told, *moved])
    lost = [what for what, kept in KEPT.items() if used[what] != kept]
    assert not lost or said, f"{how} {path} lost {lost} in silence"


def used_of(services: Services) -> dict[str, object]:
    """Use all that a library does; what does not work is a sentence and counts as nothing."""

    def tried(use: Callable[[], object]) -> object:
        try:
            return use()
        except AppError as error:
            said = str(error)
        assert said.endswith("."), said
        return None

    trash = services.library.trash
    return {
        "search": tried(lambda: [hit.title for hit in services.discover.search(Query(text="wolf")).hits]),
        "likes": tried(lambda: len(services.taste.marks("Ada").likes)),
        "channels": tried(lambda: [channel.name for channel in services.channels.channels()]),
        "own": tried(lambda: any(theme.label == "Offices" for theme in services.taxonomy.categories)),
        "deleted": tried(lambda: [video.title for video in trash.videos()]),
        "jobs": tried(lambda: len(services.jobs.jobs())),
        "listed": tried(lambda: services.library.listing.counts() and None),
        "reembed": tried(lambda: services.reembed.status() and None),
    }


KEPT = {"search": [TITLES[0]], "likes": 1, "channels": ["Wolves"], "own": True, "deleted": [DELETED], "jobs": 3}


def test_what_is_whole_says_nothing(copy: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    services, moved = opened(of(copy))
    services.damage.start()
    services.damage.wait(120)
    used = used_of(services)
    services.close()
    assert (services.damage.told, moved) == ((), [])
    assert [line for line in caplog.messages if "gone-v1" not in line] == []  # which re-embedding waits for
    assert {what: used[what] for what in KEPT} == KEPT


def test_what_edge_loses_without_a_word_comes_back_from_the_copy(copy: Path) -> None:
    """A shard whose ids are cut short opens well, with fewer entries."""
    [ids] = copy.glob("spaces/*/shard/segments/*/mutable_id_tracker.mappings")
    ids.write_bytes(b"")
    services, _ = opened(of(copy))
    titles = {entry.title for entry in services.index.scroll(scope="video")}
    services.close()
    assert titles == set(TITLES)


@pytest.mark.parametrize("file", ["spare.sqlite3", "shard", "library.json"])
def test_each_part_of_a_space_is_made_anew_from_the_others(copy: Path, file: str) -> None:
    [part] = copy.glob(f"spaces/*/{file}")
    shutil.rmtree(part) if part.is_dir() else part.unlink()
    services, _ = opened(of(copy))
    services.close()
    services, _ = opened(of(copy))
    vectors = {entry.title: entry.vector.any() for entry in services.index.scroll(scope="video")}
    services.close()
    assert vectors == dict.fromkeys(TITLES, True)


def test_stored_videos_that_no_index_knows_are_said_and_read_again(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [spare], [config] = copy.glob("spaces/*/spare.sqlite3"), copy.glob("spaces/*/shard/edge_config.json")
    spare.write_bytes(b"not a database at all, whoever asks" * 99)
    config.write_bytes(b"{")
    with pytest.raises(AppError, match=r"python -m core recover"):
        build(of(copy))
    for name, value in {"DATA_DIR": str(copy), "ENCODER": "local"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("core.__main__.load", lambda: of(copy))
    assert main(["recover"]) == 0
    assert f"put aside: {copy / 'spaces'}" in capsys.readouterr().err
    services, _ = opened(of(copy))
    services.damage.start()
    services.damage.wait(120)
    titles = {entry.title for entry in services.index.scroll(scope="video")}
    services.close()
    assert titles == set(TITLES)
    assert [ASIDE in sentence for sentence in services.damage.told] == [True, True]


def test_a_copy_that_is_not_whole_is_found_out_whatever_it_lets_be_read(copy: Path) -> None:
    """Of a row that was changed SQLite knows nothing; of an index of it that was, only when it is used."""
    [path] = copy.glob("spaces/*/spare.sqlite3")
    data = path.read_bytes()
    at = data.index(TITLES[0].encode())
    path.write_bytes(data[:at] + b"X" + data[at + 1 :])
    services, _ = opened(of(copy))
    services.close()
    [shard] = copy.glob("spaces/*/shard")
    shutil.rmtree(shard)
    services, _ = opened(of(copy))
    titles = {entry.title for entry in services.index.scroll(scope="video")}
    services.close()
    assert titles == set(TITLES)


def test_doctor_names_what_is_damaged(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (copy / "channels.sqlite3").write_bytes(b"")
    taste = bytearray((copy / "taste.sqlite3").read_bytes())
    taste[4096:8192] = bytes(4096)
    (copy / "taste.sqlite3").write_bytes(taste)
    monkeypatch.setattr(doctor, "load", lambda: of(copy))
    monkeypatch.setattr(doctor, "_check_video", lambda: "rendered")
    lines: list[str] = []
    assert doctor.run(lines.append) == 1
    [said] = [line for line in lines if " files: " in line]
    assert said.startswith("✗")
    assert "channels.sqlite3 is empty" in said
    assert "taste.sqlite3" in said
    assert "move it away" in said


def test_a_damaged_embedding_is_made_again(copy: Path, tmp_path: Path) -> None:
    from core.ingest.embeddings import is_saved, save_embedding
    from core.models import VideoEmbedding

    path = tmp_path / "embedding.npz"
    vector = FakeEncoder().encode_text(["wolf"])[0]
    save_embedding(VideoEmbedding(vector, (), ("wolf",)), path, "fake-v1")
    assert is_saved(path, "fake-v1")
    data = path.read_bytes()
    at = data.index(vector.tobytes())
    for damaged in (data[:at] + b"\xff" * 40 + data[at + 40 :], data[:100], b""):
        path.write_bytes(damaged)
        assert not is_saved(path, "fake-v1")
