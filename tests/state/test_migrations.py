"""Files of every released version open without loss, and go on to later revisions as a whole or not at all."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from core.errors import StoreError
from core.models import Stage
from core.state import migrate
from core.state.base import JobRecord
from core.state.channels import Channel, ChannelBook
from core.state.sqlite import SqliteLedger, SqliteShelf
from core.state.tables import METADATA, SHARED, SUBJECTS
from core.state.taste import Marks, TasteBook
from core.state.texts import CachedText
from tests.fakes import FAKE_INFO, FakeEncoder
from tests.state.releases import FILES_0_1_0, write_0_1_0

ROOT = Path(__file__).parents[2]
BRANCHES = sorted(FILES_0_1_0)
NEWER = sorted(SUBJECTS.keys() - FILES_0_1_0.keys())
"""Subjects that release 0.1.0 did not keep."""
TABLE = {"jobs": "notes", "taste": "marks", "channels": "channels", "texts": "texts"}
ADD_COLUMN = 'op.add_column("{table}", sa.Column("colour", sa.Text, nullable=False, server_default="blue"))'
READY = JobRecord(
    number=1,
    id="a1",
    created_at="2026-11-23T10:00:00.000+00:00",
    stage=Stage.READY,
    progress=1.0,
    worked_s=2.5,
    reason="Already here.",
    duplicate=True,
    cancel=False,
    claimed=False,
    untidy=False,
    work='{"step": 5}',
)
GOING = JobRecord(
    number=3,
    id="b2",
    created_at="2026-11-23T10:00:01.000+00:00",
    stage=Stage.EMBEDDING,
    progress=0.25,
    worked_s=1.5,
    reason=None,
    duplicate=False,
    cancel=True,
    claimed=True,
    untidy=True,
    work='{"step": 3}',
)
LIFE = """
import sys
from dataclasses import replace
from pathlib import Path
from core.state.sqlite import SqliteLedger, SqliteShelf
from core.state.tables import SUBJECTS
path, branch = Path(sys.argv[1]), sys.argv[2]
# later
from core.state import migrate
migrate.SCRIPTS = sys.argv[3]
SUBJECTS[branch] = replace(SUBJECTS[branch], head=f"{branch}_0002")
# use
SqliteLedger(path).close() if branch == "jobs" else SqliteShelf(path, branch).rows(SUBJECTS[branch].table.select())
"""
SAME = {"BOOLEAN": "INTEGER", "FLOAT": "REAL"}
"""Names of types that are one to SQLite."""
CHANNEL = Channel("Lobby", "lobby", (("category", "nature"), ("mood", "calm")), "2026-11-23T10:00:00+00:00")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite3"


@contextmanager
def later(folder: Path, branch: str, body: str = ADD_COLUMN) -> Iterator[Path]:
    """Be the app of one revision further in a branch, with this body of its upgrade; yields its scripts."""
    scripts = Path(tempfile.mkdtemp(dir=folder)) / "migrations"
    shutil.copytree(ROOT / "core/state/migrations", scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / f"{branch}_0002_colours.py").write_text(
        f'"""Give it a colour."""\n\nimport time\n\nimport sqlalchemy as sa\nfrom alembic import op\n\n'
        f'revision = "{branch}_0002"\ndown_revision = "{branch}_0001"\nbranch_labels = None\ndepends_on = None\n\n\n'
        f"def upgrade():\n    {body.format(table=TABLE[branch])}\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "SCRIPTS", str(scripts))
        patch.setitem(SUBJECTS, branch, replace(SUBJECTS[branch], head=f"{branch}_0002"))
        yield scripts


def make(path: Path, branch: str) -> None:
    """Make a new file of a subject with the code as it is."""
    if branch == "jobs":
        SqliteLedger(path).close()
    else:
        with SqliteShelf(path, branch).change():
            pass


def touch(path: Path, branch: str) -> None:
    """Use a file as the app does first."""
    if branch == "jobs":
        SqliteLedger(path).close()
    else:
        SqliteShelf(path, branch).rows(SUBJECTS[branch].table.select())


def check_contents(path: Path, branch: str) -> None:
    """Assert that all that `write_0_1_0` put into a file is read from it."""
    if branch == "jobs":
        with closing(SqliteLedger(path)) as ledger:
            assert ledger.load() == [READY, GOING]
            assert dict(ledger.notes("b2")) == {"task": "paid-1"}
    elif branch == "taste":
        assert TasteBook(SqliteShelf(path, branch)).marks("ANNA") == Marks(("v3", "v1"), ("v2",), frozenset({"v2"}))
    elif branch == "channels":
        assert ChannelBook(SqliteShelf(path, branch)).channels() == [CHANNEL]
    else:
        encoder = FakeEncoder()
        vector = CachedText(encoder, SqliteShelf(path, branch)).encode_text(["a wolf"])[0]
        assert (encoder.texts, vector.tolist()) == ([], np.arange(FAKE_INFO.dimension).tolist())


def use(path: Path, branch: str) -> None:
    """Change something in a file as the app does, and see the change."""
    if branch == "jobs":
        with closing(SqliteLedger(path)) as ledger:
            ledger.save(lambda: replace(GOING, progress=0.5))
            ledger.save(lambda: replace(GOING, number=4, id="c3"))
            ledger.notes("b2")["poll"] = "1"
            assert [(job.id, job.progress) for job in ledger.load()] == [("a1", 1.0), ("b2", 0.5), ("c3", 0.25)]
            assert dict(ledger.notes("b2")) == {"task": "paid-1", "poll": "1"}
    elif branch == "taste":
        book = TasteBook(SqliteShelf(path, branch))
        book.mark("anna", "v2", "like")
        book.unmark("Anna", "v1", "like")
        assert book.marks("anna") == Marks(("v2", "v3"), (), frozenset({"v2"}))
    elif branch == "channels":
        book = ChannelBook(SqliteShelf(path, branch))
        book.save("LOBBY", ())
        book.save("Kitchen", ())
        assert [channel.slug for channel in book.channels()] == ["lobby", "kitchen"]
        assert book.channels()[0].created_at == CHANNEL.created_at
    else:
        encoder = FakeEncoder()
        CachedText(encoder, SqliteShelf(path, branch)).encode_text(["a wolf", "a dog"])
        CachedText(encoder, SqliteShelf(path, branch)).encode_text(["a wolf", "a dog"])
        assert encoder.texts == ["a dog"]


def write_release(path: Path, branch: str) -> Path:
    write_0_1_0(path, branch)
    if branch == "texts":
        vector = np.arange(FAKE_INFO.dimension, dtype="<f4").tobytes()
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("INSERT INTO texts VALUES (?, 'a wolf', 7, ?)", (FAKE_INFO.name, vector))
    return path


def check_tables(path: Path, branch: str) -> None:
    """Assert that a new file has the tables that queries are written for."""
    make(path, branch)
    there = shape(path).keys()

    def concerned(thing: object, name: str, kind: str, *_: object) -> bool:
        return kind != "table" or name in there

    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as db:
        context = MigrationContext.configure(db, opts={"include_object": concerned})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def ask(path: Path, sql: str) -> list[tuple]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


def shape(path: Path) -> dict[str, tuple[object, ...]]:
    """Return what is the same in two files that the same queries fit: columns, keys, uniqueness, with rowids or not.

    SQLite knows no booleans, and a column INTEGER PRIMARY KEY is never null, said or not.
    """
    tables = {}
    for name, sql in ask(
        path, "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name != 'alembic_version'"
    ):
        columns = [
            (column, SAME.get(kind, kind), bool(not_null or key), key)
            for _, column, kind, not_null, _, key in ask(path, f"PRAGMA table_info({name})")
        ]
        indexes = {
            (tuple(column for *_, column in ask(path, f"PRAGMA index_info({index})")), bool(unique))
            for _, index, unique, *_ in ask(path, f"PRAGMA index_list({name})")
        }
        tables[name] = (columns, indexes, "WITHOUT ROWID" in sql, sql.count("CHECK"))
    return tables


@pytest.mark.parametrize("branch", BRANCHES)
class TestAFileOf010:
    def test_all_in_it_is_there_and_looking_changes_nothing(self, path: Path, branch: str) -> None:
        write_release(path, branch)
        schema = ask(path, "SELECT sql FROM sqlite_master")
        check_contents(path, branch)
        assert ask(path, "SELECT sql FROM sqlite_master") == schema

    def test_it_is_used_further_and_0_1_0_can_still_open_it(self, path: Path, branch: str) -> None:
        write_release(path, branch)
        use(path, branch)
        assert ask(path, "PRAGMA user_version") == [(0 if branch == "texts" else 1,)]

    def test_it_is_brought_to_a_later_revision_where_it_lies(self, path: Path, branch: str) -> None:
        write_release(path, branch)
        with later(path.parent, branch):
            check_contents(path, branch)
            assert ask(path, f"SELECT DISTINCT colour FROM {TABLE[branch]}") == [("blue",)]
            assert ask(path, "SELECT version_num FROM alembic_version") == [(f"{branch}_0002",)]
            assert ask(path, "PRAGMA user_version") == [(2,)], "release 0.1.0 must see that it is not its own any more"
            use(path, branch)

    def test_its_change_alone_brings_it_to_a_later_revision_too(self, path: Path, branch: str) -> None:
        write_release(path, branch)
        with later(path.parent, branch):
            use(path, branch)
            assert ask(path, f"SELECT DISTINCT colour FROM {TABLE[branch]}") == [("blue",)]


@pytest.mark.parametrize("branch", BRANCHES)
class TestAFileOfThisVersion:
    def test_its_tables_are_those_that_queries_are_written_for(self, path: Path, branch: str) -> None:
        check_tables(path, branch)

    def test_its_tables_are_those_of_release_0_1_0(self, path: Path, branch: str) -> None:
        old = write_release(path.with_name("old.sqlite3"), branch)
        make(path, branch)
        assert shape(path) == shape(old)

    def test_it_is_brought_to_a_later_revision(self, path: Path, branch: str) -> None:
        make(path, branch)
        assert ask(path, "SELECT version_num FROM alembic_version") == [(f"{branch}_0001",)]
        with later(path.parent, branch):
            touch(path, branch)
            assert ask(path, "SELECT version_num FROM alembic_version") == [(f"{branch}_0002",)]
            assert ask(path, f"SELECT colour FROM {TABLE[branch]}") == []

    def test_one_of_a_later_version_is_left_to_a_later_app(self, path: Path, branch: str) -> None:
        write_release(path, branch)
        with later(path.parent, branch):
            touch(path, branch)
        before = path.read_bytes()
        with pytest.raises(StoreError, match="newer version of this app"):
            touch(path, branch)
        with pytest.raises(StoreError, match="newer version of this app"):
            make(path, branch)
        assert path.read_bytes() == before

    def test_one_of_a_later_version_without_revisions_is_left_too(self, path: Path, branch: str) -> None:
        write_release(path, branch)
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("PRAGMA user_version = 99")
        with pytest.raises(StoreError, match="newer version of this app"):
            touch(path, branch)

    def test_a_migration_that_fails_changes_nothing_and_calls_nothing_damaged(self, path: Path, branch: str) -> None:
        write_release(path, branch)
        before = ask(path, "SELECT sql FROM sqlite_master")
        failing = ADD_COLUMN + '; op.execute("UPDATE nowhere SET colour = 1")'
        with (
            later(path.parent, branch, failing),
            pytest.raises(StoreError, match=r"earlier version .*no such table: nowhere.* Nothing .* changed") as caught,
        ):
            touch(path, branch)
        assert "move it away" not in str(caught.value)
        assert ask(path, "SELECT sql FROM sqlite_master") == before
        assert ask(path, "PRAGMA user_version") == [(0 if branch == "texts" else 1,)]
        check_contents(path, branch)

    def test_a_kill_in_the_middle_of_a_migration_loses_nothing(self, path: Path, branch: str) -> None:
        write_release(path, branch)
        held = ADD_COLUMN + '; print("HELD", flush=True); time.sleep(60)'
        with later(path.parent, branch, held) as scripts:
            life = subprocess.Popen(
                [sys.executable, "-c", LIFE, str(path), branch, str(scripts)], cwd=ROOT, stdout=PIPE, text=True
            )
            with life:
                try:
                    assert life.stdout.readline() == "HELD\n"
                finally:
                    life.kill()
        check_contents(path, branch)
        with later(path.parent, branch):
            check_contents(path, branch)
            assert ask(path, f"SELECT DISTINCT colour FROM {TABLE[branch]}") == [("blue",)]


@pytest.mark.parametrize("branch", NEWER)
def test_the_tables_of_a_subject_that_came_later_are_those_that_queries_are_written_for(
    path: Path, branch: str
) -> None:
    check_tables(path, branch)
    assert SUBJECTS[branch].table.name in shape(path)
    assert ask(path, "SELECT version_num FROM alembic_version") == [(SUBJECTS[branch].head,)]


def test_threads_that_come_together_migrate_once(path: Path) -> None:
    write_release(path, "taste")
    found: list[Marks] = []
    with later(path.parent, "taste"):
        threads = [
            threading.Thread(target=lambda: found.append(TasteBook(SqliteShelf(path, "taste")).marks("Anna")))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
    assert found == [Marks(("v3", "v1"), ("v2",), frozenset({"v2"}))] * 8


def test_two_subjects_made_by_two_threads_at_once_do_not_mix(path: Path) -> None:
    """Alembic finds the connection of a migration in a module-wide variable."""
    files = [(path.with_name(f"{branch}-{number}"), branch) for number in range(3) for branch in SUBJECTS]
    threads = [threading.Thread(target=make, args=file) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for file, branch in files:
        assert ask(file, "SELECT version_num FROM alembic_version") == [(f"{branch}_0001",)]


def test_the_heads_that_subjects_name_are_those_of_the_scripts() -> None:
    config = Config()
    config.set_main_option("script_location", migrate.SCRIPTS)
    scripts = ScriptDirectory.from_config(config)
    assert sorted(scripts.get_heads()) == sorted(subject.head for subject in (SUBJECTS | SHARED).values())
    assert sorted(scripts.get_bases()) == sorted(subject.first for subject in (SUBJECTS | SHARED).values())


@pytest.mark.parametrize("branch", sorted(SUBJECTS))
def test_a_file_that_is_at_its_head_loads_no_alembic(path: Path, branch: str) -> None:
    make(path, branch)
    code = LIFE.split("# later")[0] + LIFE.split("# use")[1] + "print('alembic' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", code, str(path), branch],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert said.stdout == "False\n"
