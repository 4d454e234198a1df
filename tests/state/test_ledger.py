"""The ledger in SQLite: one process has it, what it wrote is there again, and a file it cannot use is not touched."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import LibraryLocked, StoreError
from core.models import Stage
from core.state.base import JobRecord
from core.state.sqlite import SqliteLedger

RECORD = JobRecord(
    number=1,
    id="a" * 32,
    created_at="2026-11-23T10:00:00.000+00:00",
    stage=Stage.EMBEDDING,
    progress=0.25,
    worked_s=1.5,
    reason="It sleeps.",
    duplicate=False,
    cancel=True,
    claimed=False,
    untidy=True,
    work='{"opaque": "\\udcff"}',
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "jobs.sqlite3"


@pytest.fixture
def ledger(path: Path) -> Iterator[SqliteLedger]:
    with closing(SqliteLedger(path)) as ledger:
        yield ledger


class TestRecords:
    def test_they_come_back_in_their_order(self, path: Path) -> None:
        later = replace(RECORD, number=2, id="b" * 32, reason=None, stage=Stage.READY, cancel=False, claimed=True)
        with closing(SqliteLedger(path)) as ledger:
            ledger.save(lambda: later)
            ledger.save(lambda: RECORD)
        with closing(SqliteLedger(path)) as ledger:
            assert ledger.load() == [RECORD, later]

    def test_the_last_saved_is_the_one_that_stays(self, ledger: SqliteLedger) -> None:
        ledger.save(lambda: RECORD)
        ledger.save(lambda: replace(RECORD, stage=Stage.READY))
        assert ledger.load() == [replace(RECORD, stage=Stage.READY)]

    def test_a_deleted_job_takes_its_notes_along(self, ledger: SqliteLedger) -> None:
        ledger.save(lambda: RECORD)
        ledger.notes(RECORD.id)["task"] = "paid"
        ledger.notes("other")["task"] = "kept"
        ledger.delete([RECORD.id, "unknown"])
        assert ledger.load() == []
        assert (dict(ledger.notes(RECORD.id)), dict(ledger.notes("other"))) == ({}, {"task": "kept"})


class TestNotes:
    def test_each_change_is_on_disk_at_once(self, path: Path) -> None:
        with closing(SqliteLedger(path)) as ledger:
            notes = ledger.notes("job")
            notes["task"] = "one"
            notes["task"] = "two"
            notes["draft"] = "x"
            del notes["draft"]
        with closing(SqliteLedger(path)) as ledger:
            assert dict(ledger.notes("job")) == {"task": "two"}
            ledger.notes("job").clear()
            assert dict(ledger.notes("job")) == {}

    def test_what_is_not_there_is_a_key_error(self, ledger: SqliteLedger) -> None:
        with pytest.raises(KeyError):
            del ledger.notes("job")["task"]


class TestTheFile:
    def test_a_second_ledger_in_the_process_is_refused(self, path: Path, ledger: SqliteLedger) -> None:
        with pytest.raises(LibraryLocked, match="Another program is working on this library"):
            SqliteLedger(path)

    def test_a_second_process_is_refused_until_the_first_ends(self, path: Path) -> None:
        code = (
            "from pathlib import Path; from core.state.sqlite import SqliteLedger; "
            f"SqliteLedger(Path({str(path)!r})); print('open')"
        )

        def open_elsewhere() -> subprocess.CompletedProcess[str]:
            return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)

        with closing(SqliteLedger(path)):
            assert "LibraryLocked: Another program" in open_elsewhere().stderr
        assert open_elsewhere().stdout == "open\n"

    def test_a_damaged_file_is_said_and_not_touched(self, path: Path) -> None:
        path.parent.mkdir()
        path.write_bytes(b"not a database " * 100)
        with pytest.raises(StoreError, match="move it away and start again"):
            SqliteLedger(path)
        assert path.read_bytes() == b"not a database " * 100

    def test_a_file_of_a_later_version_is_refused(self, path: Path) -> None:
        SqliteLedger(path).close()
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("UPDATE alembic_version SET version_num = 'jobs_0099'")
        with pytest.raises(StoreError, match="newer version"):
            SqliteLedger(path)

    def test_a_folder_that_cannot_be_made_is_said(self, path: Path) -> None:
        path.parent.write_text("")
        with pytest.raises(StoreError, match="could not be used"):
            SqliteLedger(path)
