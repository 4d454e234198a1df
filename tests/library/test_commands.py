"""The library on the command line: what it says, and what it ends with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.__main__ import _parser
from core.errors import AppError, QueryError
from core.services import Services, build
from core.settings import Settings
from tests.fakes import make_entries

Run = Callable[..., int]


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    services = build(Settings(data_dir=tmp_path))
    for title in ("Grey wolf", "Tax office"):
        (vector,) = services.encoder.encode_text([title])
        entries = make_entries(title, info=services.encoder.info, clips=1, vectors=[vector, vector])
        services.index.upsert(entries)
        (tmp_path / "media").mkdir(exist_ok=True)
        for key in (entries[0].media_key, entries[0].poster_key):
            (tmp_path / "media" / str(key)).write_bytes(bytes(2_000_000))
    yield services
    services.close()


@pytest.fixture
def run(services: Services) -> Run:
    def run(*words: str) -> int:
        arguments = _parser().parse_args(words)
        return arguments.run(services, arguments)

    return run


def id_of(title: str) -> str:
    return make_entries(title)[0].video_id


def test_list_and_show(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    out, err = capsys.readouterr()
    assert {line.split("  ")[-1] for line in out.splitlines()} == {"Grey wolf", "Tax office"}
    assert err == "2 of 2 videos.\n"
    assert run("list", "wolf", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert (listed["total"], listed["videos"][0]["size_bytes"]) == (1, 2_000_000)
    assert run("show", id_of("Grey wolf")) == 0
    assert "size        2.0 MB" in capsys.readouterr().out
    with pytest.raises(AppError, match="no video nobody"):
        run("show", "nobody")


def test_edit(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("edit", id_of("Grey wolf"), "--title", "Cooking pasta", "--tags", "kitchen,food", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["title"], shown["tags"]) == ("Cooking pasta", ["kitchen", "food"])
    with pytest.raises(AppError, match="Nothing is to be changed"):
        run("edit", id_of("Grey wolf"))


@pytest.mark.parametrize("option", ["--category", "--not-mood", "--forget-category"])
def test_a_theme_that_there_is_not_changes_nothing(run: Run, services: Services, option: str) -> None:
    known = services.taxonomy.categories[0].id
    with pytest.raises(QueryError, match="nonsense"):
        run("edit", id_of("Grey wolf"), "--title", "New", "--tags", "new", "--category", known, option, "nonsense")
    row = services.library.listing.show(id_of("Grey wolf"))
    assert (row.entry.title, "new" in row.tags) == ("Grey wolf", False)
    assert services.library.corrections.all() == ()


def test_delete_asks_and_can_be_undone(run: Run, services: Services, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AppError, match="Nobody is here to agree"):
        run("delete", id_of("Grey wolf"))
    assert services.index.count().videos == 2
    assert run("delete", id_of("Grey wolf"), "--yes") == 0
    assert "1 deleted: 2 videos before, 1 now; 2 entries fewer." in capsys.readouterr().out
    assert run("list", "--trash", "--json") == 0
    assert [video["title"] for video in json.loads(capsys.readouterr().out)["videos"]] == ["Grey wolf"]
    assert run("delete", id_of("Grey wolf"), "--undo") == 0
    assert services.index.count().videos == 2


def test_delete_for_good(run: Run, services: Services, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("delete", id_of("Grey wolf"), "nobody", "--yes", "--now", "--json") == 1
    out, err = capsys.readouterr()
    assert json.loads(out) == {"deleted": [id_of("Grey wolf")], "entries": 2, "files": 2}
    assert err == "nobody was not in the library.\n"
    assert len(services.store.sizes()) == 2
    assert services.library.trash.videos() == []
