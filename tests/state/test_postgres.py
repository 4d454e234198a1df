"""What is PostgreSQL's own: its tables, several processes at once, and a sentence where it cannot be used."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, select, text

from core import doctor
from core.discover import taxonomy
from core.errors import SettingsError, StoreError, Unavailable
from core.library.watching import watch
from core.settings import Settings, load
from core.state.base import Document
from core.state.calibration import Calibrations
from core.state.documents import FileDocument, ShelvedDocument
from core.state.opening import Shared
from core.state.postgres import Database, PostgresShelf
from core.state.tables import METADATA, PROFILES
from tests.fakes import FAKE_INFO
from tests.servers.postgres import PostgresServer
from tests.state.conftest import OpenShelf
from tests.support import until

ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from sqlalchemy import insert
from core.state.postgres import Database, PostgresShelf
from core.state.tables import PROFILES
database = Database(sys.argv[1], busy_s=60.0)
database.prepare()
shelf = PostgresShelf(database, "taste")
for number in range(20):
    with shelf.change() as db:
        db.execute(insert(PROFILES), {"key": f"{sys.argv[2]}-{number}", "name": ""})
database.close()
"""


def keys(shelf: PostgresShelf) -> list[str]:
    return [key for (key,) in shelf.rows(select(PROFILES.c.key).order_by(PROFILES.c.key))]


def is_alone(database: Database) -> bool:
    with database.alone("labels") as is_alone:
        return is_alone


def test_one_is_alone_until_it_ends_or_dies(database_url: str) -> None:
    with closing(Database(database_url)) as one, closing(Database(database_url)) as other:
        with one.alone("labels") as first, other.alone("labels") as second, other.alone("else") as third:
            assert (first, second, third) == (True, False, True)
        with other.alone("labels") as first:
            assert first
            other.close()  # as its process ends
            until(lambda: is_alone(one))  # the server has to see it first


def test_processes_make_the_tables_and_fill_them_together(database_url: str) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, database_url, name], cwd=ROOT, stderr=subprocess.PIPE)
        for name in "ab"
    ]
    for writer in writers:
        _, said = writer.communicate(timeout=120)
        assert writer.returncode == 0, said.decode()
    with closing(Database(database_url)) as database:
        database.prepare()
        assert keys(PostgresShelf(database, "taste")) == sorted(f"{name}-{n}" for name in "ab" for n in range(20))


def test_the_tables_are_those_of_the_code(database: Database) -> None:
    def is_ours(_object: object, name: str | None, kind: str, *_: object) -> bool:
        return kind != "table" or not str(name).startswith("procrastinate_")

    with database.engine.connect() as db:
        context = MigrationContext.configure(db, opts={"include_object": is_ours, "compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_a_database_of_a_newer_app_is_not_touched(database_url: str) -> None:
    with closing(Database(database_url)) as database:
        database.prepare()
        with database.engine.begin() as db:
            db.execute(text("UPDATE alembic_version SET version_num = 'taste_0099' WHERE version_num = 'taste_0001'"))
        with pytest.raises(StoreError, match="newer version"):
            database.prepare()


class TestChanges:
    def test_a_change_that_fails_leaves_all_as_it_was(self, database: Database) -> None:
        shelf = PostgresShelf(database, "taste")
        with shelf.change() as db:
            db.execute(insert(PROFILES), {"key": "wolf", "name": ""})
        with pytest.raises(StoreError, match="likes and dislikes"), shelf.change() as db:
            db.execute(insert(PROFILES), [{"key": "dog", "name": ""}, {"key": "wolf", "name": ""}])
        with pytest.raises(RuntimeError):
            self.put_and_fail(shelf)
        assert keys(shelf) == ["wolf"]

    def put_and_fail(self, shelf: PostgresShelf) -> None:
        with shelf.change() as db:
            db.execute(insert(PROFILES), {"key": "cat", "name": ""})
            raise RuntimeError("of the caller's own")

    def test_it_reads_while_another_changes_and_a_change_inside_is_part_of_it(self, database: Database) -> None:
        shelf = PostgresShelf(database, "taste")
        with shelf.change() as outer:
            outer.execute(insert(PROFILES), {"key": "dog", "name": ""})
            with shelf.change() as inner:
                assert inner is outer
            assert keys(PostgresShelf(database, "taste")) == []
        assert keys(shelf) == ["dog"]

    def test_who_waits_too_long_for_another_gets_a_sentence(self, database: Database) -> None:
        with (
            closing(Database(database.url, busy_s=0.05)) as hasty,
            PostgresShelf(database, "taste").change(),
            pytest.raises(Unavailable, match=r"changing the likes and dislikes .*Try again"),
            PostgresShelf(hasty, "taste").change(),
        ):
            pass

    def test_the_subjects_are_in_nobodys_way(self, database: Database) -> None:
        with (
            closing(Database(database.url, busy_s=0.05)) as hasty,
            PostgresShelf(database, "taste").change(),
            PostgresShelf(hasty, "channels").change(),
        ):
            pass


class TestWhereItCannotBeUsed:
    @pytest.mark.parametrize("url", ["postgresql://me:s3cret@[h/x", "postgresql://me:s3cret@h/x?nonsense=1"])
    def test_an_address_that_is_none(self, url: str) -> None:
        with pytest.raises(SettingsError, match="DATABASE_URL is no address") as said:
            Database(url)
        assert "s3cret" not in str(said.value)

    def test_what_is_no_postgresql_is_refused_by_the_settings_without_the_password(self) -> None:
        with pytest.raises(SettingsError, match="does not begin with postgresql://") as said:
            load({"DATABASE_URL": "mysql://me:s3cret@host/x"}, dotenv_path=None)
        assert "s3cret" not in str(said.value)
        assert "s3cret" not in repr(load({"DATABASE_URL": "postgresql://me:s3cret@host/x"}, dotenv_path=None))

    def test_one_that_is_not_there(self, postgres: PostgresServer) -> None:
        database = Database(postgres.url("nobody_made_it"))
        with pytest.raises(Unavailable, match=r"nobody_made_it.*does not exist.*DATABASE_URL"):
            database.prepare()

    def test_one_that_goes_and_comes_back(self) -> None:
        with PostgresServer() as server, closing(Database(server.url())) as database:
            database.prepare()
            shelf = PostgresShelf(database, "taste")
            assert keys(shelf) == []
            server.stop()
            for _ in range(2):
                with pytest.raises(Unavailable, match=r"PostgreSQL at 127\.0\.0\.1:\d+/postgres does not answer"):
                    keys(shelf)
            server.start()
            assert keys(shelf) == []

    def test_the_doctor_says_so(self, database_url: str, tmp_path: Path) -> None:
        settings = Settings(data_dir=tmp_path, database_url=database_url)
        assert "answers" in dict(doctor._checks(settings))["database"]()
        with pytest.raises(Unavailable, match="DATABASE_URL"):
            dict(doctor._checks(replace(settings, database_url=f"{database_url}_none")))["database"]()


@pytest.fixture(params=["file", "shelf"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Document]:
    if request.param == "file":
        yield FileDocument(tmp_path / "deep" / "taxonomy.toml")
    else:
        yield ShelvedDocument(PostgresShelf(request.getfixturevalue("database"), "documents"), "taxonomy.toml")


class TestDocuments:
    def test_a_text_is_replaced_as_a_whole_and_goes(self, kept: Document) -> None:
        assert kept.read() is None
        kept.remove()
        kept.write("one\r\n🎉")
        kept.write("two\r\n静か")
        assert kept.read() == "two\r\n静か"
        kept.remove()
        assert kept.read() is None

    def test_themes_are_added_and_removed_together(self, kept: Document) -> None:
        def add(name: str) -> None:
            for number in range(4):
                taxonomy.add(kept, "mood", f"{name} {number}", ["x"])

        threads = [threading.Thread(target=add, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        added = {theme.id for theme in taxonomy.load(own=kept).moods if theme.own}
        assert added == {f"{name}-{number}" for name in "abc" for number in range(4)}
        taxonomy.remove(kept, "mood", "a-0")
        assert "a-0" not in {theme.id for theme in taxonomy.load(own=kept).moods}

    def test_a_broken_one_is_said_and_not_touched(self, kept: Document) -> None:
        kept.write("[[mood]\n")
        with pytest.raises(SettingsError, match=r"taxonomy\.toml"):
            taxonomy.add(kept, "mood", "Cosy", ["x"])
        assert kept.read() == "[[mood]\n"

    def test_what_was_fitted_is_kept(self, kept: Document) -> None:
        Calibrations(kept).keep(FAKE_INFO.name, FAKE_INFO.calibration, 30)
        assert Calibrations(kept).all()[FAKE_INFO.name].videos == 30
        assert Calibrations(kept).forget(FAKE_INFO.name)
        kept.write("{")
        assert Calibrations(kept).is_damaged()


def test_another_apps_own_categories_are_noticed(database: Database) -> None:
    mine, other = (ShelvedDocument(PostgresShelf(database, "documents"), "taxonomy.toml") for _ in range(2))
    seen: list[set[str]] = []
    noticed = threading.Event()

    def look() -> None:
        seen.append({theme.id for theme in taxonomy.load(own=mine).moods if theme.own})
        if seen[-1]:
            noticed.set()

    rounds = watch(mine, look, every_s=0.01)
    rounds.start()
    taxonomy.add(other, "mood", "Cosy", ["by the fire"])
    assert noticed.wait(120)
    rounds.stop(60)
    assert seen[-1] == {"cosy"}


def test_a_process_has_one_pool_a_database(database_url: str) -> None:
    with closing(Shared(database_url)) as one, closing(Shared(database_url)) as other:
        assert one.database is other.database


def test_both_shelves_are_empty_at_first(open_shelf: OpenShelf) -> None:
    assert list(open_shelf("taste").rows(select(PROFILES))) == []
