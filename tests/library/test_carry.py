"""Libraries that are taken elsewhere: the same there, whatever they are kept in, whole or said not to be."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from core.__main__ import main
from core.errors import Cancelled, LibraryError, QueryError, StoreError
from core.index import connection
from core.index.base import Space
from core.index.edge_spaces import EdgeSpaces
from core.library import archive, exporting
from core.library.exporting import Exported
from core.library.importing import Imported
from core.models import ignore_progress
from core.services import Services, build
from core.settings import Settings
from core.state.calibration import Kept
from tests.fakes import FAKE_INFO, make_entries
from tests.library.carried import TITLES, add_ad, answers, fill, id_of, label, labels, remember
from tests.servers.qdrant import QdrantServer
from tests.servers.s3 import ACCESS_KEY, SECRET_KEY, shared_server


def at_home(folder: Path) -> Settings:
    return Settings(data_dir=folder)


def on_services(folder: Path, qdrant: str) -> Settings:
    server = shared_server()
    return Settings(
        data_dir=folder,
        qdrant_url=qdrant,
        aws_bucket=server.make_bucket(),
        aws_endpoint_url=server.url,
        aws_region="us-east-1",
        aws_access_key=ACCESS_KEY,
        aws_secret_key=SECRET_KEY,
    )


@contextmanager
def library(settings: Settings) -> Iterator[Services]:
    services = build(settings)
    try:
        yield services
    finally:
        services.close()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Services]:
    """A small library in folders."""
    with library(at_home(tmp_path / "home")) as services:
        fill(services, tmp_path / "scratch", TITLES[:4])
        yield services


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Services]:
    with library(at_home(tmp_path / "elsewhere")) as services:
        yield services


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export, for tests that spoil a copy of it."""
    folder = tmp_path_factory.mktemp("made")
    with library(at_home(folder / "home")) as services:
        fill(services, folder / "scratch", TITLES[:4])
        export(services, folder / "out")
    return folder / "out"


@pytest.fixture
def out(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "out"))


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """An empty library that nothing comes into."""
    with library(at_home(tmp_path_factory.mktemp("untouched"))) as services:
        yield services


def export(services: Services, folder: Path) -> Exported:
    return services.library.carrying.exporter.run(folder)


def take(services: Services, folder: Path) -> Imported:
    return services.library.carrying.importer.run(folder)


def spoil(path: Path) -> None:
    """Turn one bit of a file over."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def manifest_of(folder: Path) -> dict:
    return json.loads((folder / archive.MANIFEST).read_text())


def says(folder: Path, **changes: object) -> None:
    (folder / archive.MANIFEST).write_text(json.dumps(manifest_of(folder) | changes))


def halves(services: Services) -> list[str]:
    """Return the videos that are there without all of their entries or files."""
    entries = list(services.index.scroll(with_vectors=False))
    wholes = {entry.video_id: entry for entry in entries if entry.scope == "video"}
    lonely = [entry.video_id for entry in entries if entry.video_id not in wholes]
    files = {key for whole in wholes.values() for key in exporting.files_of(whole)}
    files |= {key for ad in services.ads.book.all() for key in ad.keys}
    return [*lonely, *(files ^ services.store.sizes().keys())]


def test_a_library_is_the_same_on_services_and_back_in_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BACKOFF_S", 0.0)
    with library(at_home(tmp_path / "home")) as services:
        fill(services, tmp_path / "scratch")
        remember(services)
        wanted, known, sizes = answers(services), labels(services), dict(services.store.sizes())
        assert sum(map(bool, wanted)) >= 15, "questions that find nothing tell nothing"
        done = export(services, tmp_path / "out")
        assert (done.manifest.videos, done.copied, done.problems) == (len(TITLES), len(sizes), ())
        assert done.manifest.size_bytes == sum(sizes.values())

    with QdrantServer() as qdrant, library(on_services(tmp_path / "cloud", qdrant.url)) as services:
        came = take(services, tmp_path / "out")
        assert (came.videos, came.files, came.problems) == (len(TITLES), len(sizes), [])
        assert answers(services) == wanted
        assert labels(services) == known
        assert services.store.sizes() == sizes
        back = export(services, tmp_path / "back")
        assert back.problems == ()
    assert {p.name: p.read_bytes() for p in (tmp_path / "out/media").iterdir()} == {
        p.name: p.read_bytes() for p in (tmp_path / "back/media").iterdir()
    }

    with library(at_home(tmp_path / "again")) as services:
        assert take(services, tmp_path / "back").problems == []
        assert answers(services) == wanted
        assert labels(services) == known
        assert halves(services) == []
        assert services.taste.marks("anna").likes == (id_of("Calm river and trees"), id_of("Grey wolf in a forest"))
        assert services.taste.marks("Ben").seen == {id_of("Grey wolf in a forest")}
        assert [channel.slug for channel in services.channels.channels()] == ["calm-nature"]
        assert services.taxonomy.category("bureaucracy").own
        assert [(one.theme, one.holds) for one in services.library.corrections.all()] == [("comedy", True)]
        assert services.discover.labelled().is_all, "labels come along: nothing is worked out anew"


def test_what_is_there_is_not_doubled_and_stays_as_it_is(home: Services, empty: Services, tmp_path: Path) -> None:
    home.taste.mark("Anna", id_of("Tax office"), "like")
    home.channels.save("Mine", [("q", "wolf")])
    export(home, tmp_path / "out")
    take(empty, tmp_path / "out")
    empty.library.editor.edit(id_of("Tax office"), title="My own title")
    empty.taste.mark("Anna", id_of("Tax office"), "dislike")
    empty.channels.save("mine", [("q", "tax")])
    before = empty.index.count()
    came = take(empty, tmp_path / "out")
    assert (came.videos, came.present, came.entries, came.files, came.problems) == (0, 4, 0, 0, [])
    assert set(came.kept.values()) == {0}
    assert empty.index.count() == before
    shown = empty.library.listing.show(id_of("Tax office"))
    assert shown is not None
    assert shown.entry.title == "My own title"
    assert empty.taste.marks("Anna").dislikes == (id_of("Tax office"),)
    assert [dict(channel.link)["q"] for channel in empty.channels.channels()] == ["tax"]


def test_a_content_that_is_here_under_another_id_keeps_it(home: Services, empty: Services, tmp_path: Path) -> None:
    """Release 0.1.0 made ids of content and encoder."""
    old = "11111111-2222-5333-8444-555555555555"
    (vector,) = empty.encoder.encode_text(["Tax office"])
    empty.index.upsert(
        make_entries("Tax office", info=empty.encoder.info, vectors=[vector, vector], video_id=old, tags={})
    )
    home.taste.mark("Anna", id_of("Tax office"), "like")
    export(home, tmp_path / "out")
    came = take(empty, tmp_path / "out")
    assert (came.videos, came.present) == (3, 1)
    assert empty.taste.marks("Anna").likes == (old,)


def test_what_is_in_the_trash_stays_behind_and_comes_back_where_it_is_taken_in(
    home: Services, empty: Services, tmp_path: Path
) -> None:
    export(home, tmp_path / "out")
    take(empty, tmp_path / "out")
    empty.library.trash.delete([id_of("Tax office")])
    came = take(empty, tmp_path / "out")
    assert (came.restored, came.present, came.problems) == (1, 3, [])
    empty.library.trash.tend()
    assert empty.index.count().videos == 4
    home.library.trash.delete([id_of("Tax office")])
    assert export(home, tmp_path / "out").manifest.videos == 3
    assert not (tmp_path / "out/media" / f"{id_of('Tax office')}.mp4").exists()


def test_what_was_said_there_of_a_video_that_is_here_holds_here_too(
    home: Services, empty: Services, tmp_path: Path
) -> None:
    export(home, tmp_path / "out")
    take(empty, tmp_path / "out")
    label(empty)
    assert "comedy" not in labels(empty)[id_of("Tax office")][1]
    assert home.correct(id_of("Tax office"), "category", "comedy", True)
    export(home, tmp_path / "out")
    assert take(empty, tmp_path / "out").kept["corrections.jsonl"] == 1
    label(empty)
    assert "comedy" in labels(empty)[id_of("Tax office")][1]
    assert labels(empty) == labels(home)


def test_an_import_encodes_nothing_that_is_in_the_trash(home: Services, empty: Services, tmp_path: Path) -> None:
    export(home, tmp_path / "out")
    lane = empty.serving.bring("old-v1", 32)
    lane.index.upsert(make_entries("Tax office", info=lane.encoder.info, vectors=[np.ones(32, np.float32)] * 2))
    assert [video.video_id for video in empty.library.trash.delete([id_of("Tax office")])] == [id_of("Tax office")]
    came = take(empty, tmp_path / "out")
    assert (came.videos, came.restored) == (3, 0)
    (problem,) = came.problems
    assert "comes back only by being encoded" in problem
    assert "Tax office" in problem
    assert empty.jobs.jobs() == []
    assert [video.video_id for video in empty.library.trash.videos()] == [id_of("Tax office")]


def test_an_export_into_an_export_writes_only_what_is_new(home: Services, empty: Services, tmp_path: Path) -> None:
    export(home, tmp_path / "out")
    first = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out/media").iterdir()}
    fill(home, tmp_path / "scratch", ("A new one",))
    home.library.editor.edit(id_of("Tax office"), title="Another title")
    done = export(home, tmp_path / "out")
    assert (done.manifest.videos, done.copied, done.kept) == (5, 3, 12)
    now = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out/media").iterdir()}
    assert now.items() >= first.items()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        done.manifest.run,
        archive.MANIFEST,
        archive.MEDIA,
    ]
    take(empty, tmp_path / "out")
    assert {"Another title", "A new one"} < {entry.title for entry in empty.index.scroll(scope="video")}


def test_every_file_is_in_checksums_as_sha256sum_reads_them(out: Path) -> None:
    manifest = archive.read_whole(out)
    lines = (out / manifest.run / archive.CHECKSUMS).read_text().splitlines()
    said = {name: digest for digest, name in (line.split("  ") for line in lines)}
    there = {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in out.rglob("*")
        if path.is_file() and path.name not in (archive.MANIFEST, archive.CHECKSUMS)
    }
    assert said == there


def test_a_damaged_file_costs_its_video_a_poster_itself_and_nothing_else(
    home: Services, empty: Services, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    export(home, out)
    film, poster = f"{id_of('Tax office')}.mp4", f"{id_of('Harbour ship at night')}.jpg"
    spoil(out / "media" / film)
    (out / "media" / poster).unlink()
    came = take(empty, out)
    assert (came.videos, len(came.problems)) == (3, 2)
    said = "\n".join(came.problems)
    assert f"media/{film} is damaged. Remove it, run python -m core export {out} again" in said
    assert '"Tax office" is left out.' in said
    assert f"media/{poster} cannot be read" in said
    assert '"Harbour ship at night" comes without it.' in said
    assert halves(empty) == []
    (out / "media" / film).unlink()
    assert export(home, out).copied == 2
    assert take(empty, out).videos == 1
    assert answers(empty) == answers(home)


def test_damaged_vectors_cost_their_part_and_nothing_else(
    home: Services, empty: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PART_ENTRIES", 3)
    monkeypatch.setattr("core.library.vectors.ROWS", 2)
    home.taste.mark("Anna", id_of("Tax office"), "like")
    manifest = export(home, tmp_path / "out").manifest
    parts = manifest.spaces[0].parts
    assert len(parts) > 1
    spoil(tmp_path / "out" / parts[0].path)
    spoil(tmp_path / "out" / manifest.run / "likes.jsonl")
    came = take(empty, tmp_path / "out")
    assert came.videos == 4 - parts[0].videos
    assert any(said.startswith(f"{manifest.run}/likes.jsonl is damaged") for said in came.problems)
    assert any(said.startswith(f"{parts[0].path} is damaged") for said in came.problems)
    assert halves(empty) == []


def test_what_the_store_has_lost_is_said(home: Services, empty: Services, tmp_path: Path) -> None:
    key = f"{id_of('Tax office')}.mp4"
    home.store.delete(key)
    done = export(home, tmp_path / "out")
    assert [said.split(" is ")[0] for said in done.problems] == [key]
    came = take(empty, tmp_path / "out")
    assert (came.videos, came.problems) == (
        3,
        [f'media/{key} is not in the export. "Tax office" is left out.'],
    )


def test_a_disk_that_is_too_small_is_said_before_hours_are_spent(
    home: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting.shutil, "disk_usage", lambda folder: SimpleNamespace(free=50_000))
    with pytest.raises(StoreError, match=r"has 0.1 MB free and the export still needs 0.1 MB. Make room there"):
        export(home, tmp_path / "out")
    assert list((tmp_path / "out/media").iterdir()) == []
    monkeypatch.undo()
    assert export(home, tmp_path / "out").copied == 12


def test_an_export_that_was_cut_off_says_so_and_goes_on(home: Services, empty: Services, tmp_path: Path) -> None:
    def stop(doing: str, fraction: float) -> None:
        if doing == "media" and fraction > 0.4:
            raise Cancelled

    with pytest.raises(Cancelled):
        home.library.carrying.exporter.run(tmp_path / "out", stop)
    assert manifest_of(tmp_path / "out")["complete"] is False
    with pytest.raises(StoreError, match=r"not complete: it was interrupted. Run python -m core export .* again"):
        take(empty, tmp_path / "out")
    done = export(home, tmp_path / "out")
    assert done.kept > 0
    assert done.copied + done.kept == 12
    assert take(empty, tmp_path / "out").videos == 4


def test_an_import_that_was_cut_off_leaves_nothing_by_halves_and_goes_on(
    home: Services, empty: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.library.importing.TOGETHER", 2)
    export(home, tmp_path / "out")

    def stop(doing: str, fraction: float) -> None:
        if fraction > 0.6:
            raise Cancelled

    with pytest.raises(Cancelled):
        empty.library.carrying.importer.run(tmp_path / "out", stop)
    assert empty.index.count().videos == 2
    assert halves(empty) == []
    came = take(empty, tmp_path / "out")
    assert (came.videos, came.present) == (2, 2)


def test_ads_come_along_with_their_files(home: Services, empty: Services, tmp_path: Path) -> None:
    ad = add_ad(home, tmp_path / "scratch")
    done = export(home, tmp_path / "out")
    assert (done.copied, done.problems) == (14, ())
    assert done.manifest.size_bytes == sum(home.store.sizes().values())
    came = take(empty, tmp_path / "out")
    assert (came.kept["ads.jsonl"], came.files, came.problems) == (1, 14, [])
    assert empty.ads.book.all() == (ad,)
    assert empty.store.sizes() == home.store.sizes()
    again = take(empty, tmp_path / "out")
    assert (again.kept["ads.jsonl"], again.files, again.problems) == (0, 0, [])


def test_an_ad_comes_whole_or_not_at_all(
    home: Services, empty: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, ad = tmp_path / "out", add_ad(home, tmp_path / "scratch")
    export(home, out)
    spoil(out / "media" / ad.media_key)
    came = take(empty, out)
    assert came.videos == 4
    assert [said.partition(" Remove it,")[0] for said in came.problems] == [f"media/{ad.media_key} is damaged."]
    assert came.problems[0].endswith('"A hotel for dogs" is left out.')
    assert (empty.ads.book.all(), halves(empty)) == ((), [])
    (out / "media" / ad.media_key).unlink()
    export(home, out)
    with monkeypatch.context() as patch:
        patch.setattr("core.ads.book.MOST", 0)
        (said,) = take(empty, out).problems
    assert said == 'There are 0 ads already. Remove one first. "A hotel for dogs" is left out.'
    assert halves(empty) == []
    assert take(empty, out).problems == []
    assert (empty.ads.book.all(), halves(empty)) == ((ad,), [])


def test_what_names_files_of_others_as_an_ads_is_not_taken(home: Services, empty: Services, tmp_path: Path) -> None:
    out, ad = tmp_path / "out", add_ad(home, tmp_path / "scratch")
    run = export(home, out).manifest.run
    rows, sums = out / run / "ads.jsonl", out / run / archive.CHECKSUMS
    old = archive.sha256(rows)
    rows.write_text(rows.read_text().replace(ad.media_key, f"{id_of('Tax office')}.mp4"))
    sums.write_text(sums.read_text().replace(old, archive.sha256(rows)))
    says(out, checksums_sha256=archive.sha256(sums))
    came = take(empty, out)
    assert came.problems == [f"{run}/ads.jsonl cannot be taken in: it was not written by this app."]
    assert (came.videos, empty.ads.book.all(), halves(empty)) == (4, (), [])


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        (lambda out: (out / archive.MANIFEST).unlink(), "holds no export"),
        (lambda out: (out / archive.MANIFEST).write_text("{"), r"manifest\.json of the export .* is damaged"),
        (lambda out: says(out, spaces=[{}]), r"manifest\.json of the export .* is damaged"),
        (lambda out: says(out, format=99, app="9.0"), r"made by version 9\.0"),
        (lambda out: says(out, run="../../etc"), "is none of an export's own"),
        (lambda out: lead_out(out, "../../../secret.parquet"), "is none of an export's own"),
        (lambda out: lead_out(out, "/etc/passwd"), "is none of an export's own"),
        (lambda out: spoil(out / manifest_of(out)["run"] / archive.CHECKSUMS), r"checksums\.txt of the export"),
    ],
    ids=["none", "broken", "strange", "newer", "run-leads-out", "part-leads-out", "part-is-absolute", "checksums"],
)
def test_an_export_that_cannot_be_trusted_is_refused(
    out: Path, untouched: Services, spoilt: Callable[[Path], object], said: str
) -> None:
    spoilt(out)
    with pytest.raises(StoreError, match=said):
        take(untouched, out)
    assert untouched.index.count().videos == 0
    assert untouched.store.sizes() == {}


def lead_out(out: Path, path: str) -> None:
    """Let the manifest name a file outside."""
    spaces = manifest_of(out)["spaces"]
    spaces[0]["parts"][0]["path"] = path
    says(out, spaces=spaces)


def test_links_that_lead_out_of_an_export_are_not_followed(out: Path, untouched: Services, tmp_path: Path) -> None:
    for film in (out / "media").iterdir():
        film.rename(tmp_path / film.name)
        film.symlink_to(tmp_path / film.name)
    with pytest.raises(StoreError, match="is none of an export's own"):
        take(untouched, out)
    assert untouched.store.sizes() == {}


def forge(services: Services, folder: Path, **changes: object) -> None:
    """Write an export whose checksums are right and whose entries say this."""
    for entry in list(services.index.scroll(video_id=id_of("Tax office"))):
        services.index.delete(entry.video_id)
        services.index.upsert([replace(entry, **changes)])
    export(services, folder)


def test_an_entry_that_names_a_path_or_the_id_of_another_video_is_left_out(
    home: Services, empty: Services, tmp_path: Path
) -> None:
    fill(empty, tmp_path / "scratch", (TITLES[9],))
    victim = id_of(TITLES[9])
    forge(home, tmp_path / "out", video_id=victim)
    came = take(empty, tmp_path / "out")
    assert any("has the id of another video that is here" in said for said in came.problems)
    entry = empty.library.listing.show(victim)
    assert entry is not None
    assert entry.entry.title == TITLES[9]


def test_a_folder_of_other_things_is_not_exported_into(untouched: Services, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/dear.txt").write_text("…")
    with pytest.raises(StoreError, match="is not empty and holds no export"):
        export(untouched, tmp_path / "letters")
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["dear.txt"]


def other_library(folder: Path, *titles: str) -> None:
    """Fill a library as an encoder did that this app does not have."""
    index = EdgeSpaces(folder).make(FAKE_INFO, complete=True)
    for title in titles:
        entries = make_entries(title, tags={})
        index.upsert(entries)
        for key in (entries[0].media_key, entries[0].poster_key):
            path = folder / "media" / str(key)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"film")
    index.close()


def test_another_encoders_vectors_come_into_an_empty_library_as_its_space(empty: Services, tmp_path: Path) -> None:
    other_library(tmp_path / "theirs", "Grey wolf", "Tax office")
    with library(at_home(tmp_path / "theirs")) as theirs:
        vectors = {e.video_id: e.vector for e in theirs.index.scroll(scope="video")}
        export(theirs, tmp_path / "out")
    assert take(empty, tmp_path / "out").problems == []
    local = empty.serving.configured.info
    assert empty.serving.serving.name == FAKE_INFO.name
    assert empty.serving.is_behind, "so that Ingest offers to re-embed"
    assert empty.serving.spaces.all() == [
        Space(FAKE_INFO.name, FAKE_INFO.dimension, True),
        Space(local.name, local.dimension, False),
    ]
    for entry in empty.index.scroll(scope="video"):
        assert np.allclose(entry.vector, vectors[entry.video_id], atol=1e-6)
    assert empty.reembed.plan().videos == 2


def test_where_no_encoder_is_common_nothing_is_taken(home: Services, tmp_path: Path) -> None:
    other_library(tmp_path / "theirs", "Another film")
    with library(at_home(tmp_path / "theirs")) as theirs:
        export(theirs, tmp_path / "out")
    with pytest.raises(LibraryError, match=r"answered by .*, and the export holds what fake-v1 made"):
        take(home, tmp_path / "out")
    assert home.index.count().videos == 4
    assert f"{id_of('Another film')}.mp4" not in home.store.sizes()


def test_all_spaces_come_along_and_stay_what_they_were(home: Services, empty: Services, tmp_path: Path) -> None:
    beside = home.serving.bring(FAKE_INFO.name, FAKE_INFO.dimension)
    for title in TITLES[:3]:
        beside.index.upsert(make_entries(title, tags={}))
    export(home, tmp_path / "out")
    take(empty, tmp_path / "out")
    assert empty.serving.spaces.all() == home.serving.spaces.all()
    assert empty.serving.serving.name == home.serving.serving.name
    assert empty.serving.bring(FAKE_INFO.name, FAKE_INFO.dimension).index.count().videos == 3


def test_what_was_fitted_comes_along_where_nothing_is(home: Services, empty: Services, tmp_path: Path) -> None:
    name = home.encoder.info.name
    kept = home.library.carrying.exporter._keepsakes.calibrations
    kept.keep(name, replace(home.encoder.info.calibration, fits=0.9), 30)
    export(home, tmp_path / "out")
    assert take(empty, tmp_path / "out").kept["calibration.json"] == 1
    fitted = empty.library.carrying.exporter._keepsakes.calibrations.all()[name]
    assert isinstance(fitted, Kept)
    assert (fitted.fits, fitted.videos) == (0.9, 30)


def test_in_the_background_one_at_a_time_by_name(home: Services, tmp_path: Path) -> None:
    carrying = home.library.carrying
    assert carrying.found() == []
    carrying.start("export", "My films!")
    carrying.wait(120)
    status = carrying.status()
    assert status is not None
    assert (status.over, status.error, status.problems) == (True, None, ())
    assert [one.name for one in carrying.found()] == ["my-films"]
    with pytest.raises(QueryError, match="no longer there"):
        carrying.start("import", "../../home")
    carrying.start("import", "my-films")
    carrying.wait(120)
    status = carrying.status()
    assert status is not None
    assert status.imported is not None
    assert status.imported.present == 4
    carrying.put_away()
    assert carrying.status() is None
    (home.settings.exports_dir / "my-films/manifest.json").write_text("{")
    carrying.start("export", "my-films")
    carrying.wait(120)
    assert home.store.sizes().keys() == {path.name for path in (home.settings.exports_dir / "my-films/media").iterdir()}


def test_the_command_line(
    home: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home.close()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENCODER", "local")
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "home"))
    assert main(["export", "out"]) == 0
    said = capsys.readouterr().out
    assert "4 videos are in out, with 12 files" in said
    assert "Deleted videos and jobs are not in it" in said
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "there"))
    assert main(["import", "out", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["videos"] == 4
    assert main(["import", "out"]) == 0
    assert "0 videos came, with 0 files; 4 were here already." in capsys.readouterr().out
    assert main(["import", "nowhere"]) == 1
    assert "holds no export" in capsys.readouterr().err


def test_a_bucket_file_is_fetched_again_when_it_is_another(home: Services, tmp_path: Path) -> None:
    export(home, tmp_path / "out")
    key = f"{id_of('Tax office')}.jpg"
    (tmp_path / "new").write_bytes(b"another poster")
    home.store.put(tmp_path / "new", key, ignore_progress)
    assert export(home, tmp_path / "out").copied == 1
    assert (tmp_path / "out/media" / key).read_bytes() == b"another poster"
