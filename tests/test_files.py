"""A file that is written is there whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from core.files import whole, write_text


def test_it_appears_when_it_is_whole_and_makes_its_folder(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.bin"
    with whole(target) as part:
        part.write_bytes(b"one")
        assert not target.exists()
    assert target.read_bytes() == b"one"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_goes_wrong_leaves_what_was_there_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    target = tmp_path / "a.txt"
    target.write_text("before")

    def half() -> None:
        with whole(target) as part:
            part.write_text("half")
            raise error

    with pytest.raises(type(error)):
        half()
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_the_bytes_are_on_the_disk_before_the_name_and_the_name_at_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, steps = tmp_path / "a.txt", []
    sync, move = os.fsync, os.replace

    def noted_sync(number: int) -> None:
        what = os.fstat(number)
        steps.append(("sync", what.st_size) if stat.S_ISREG(what.st_mode) else ("sync names", what.st_ino))
        sync(number)

    def noted_move(*names: Path) -> None:
        steps.append(("move", names[1]))
        move(*names)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(os, "replace", noted_move)
    write_text(target, "four")
    assert steps == [("sync", 4), ("move", target), ("sync names", tmp_path.stat().st_ino)]


def test_two_writers_do_not_meet(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with whole(target) as one, whole(target) as other:
        one.write_text("one")
        other.write_text("other")
    assert target.read_text() == "one"
    assert list(tmp_path.iterdir()) == [target]


def test_what_a_killed_run_left_is_replaced_under_a_name_that_is_given(tmp_path: Path) -> None:
    part = tmp_path / "a.part"
    part.write_text("half of the last run, which was longer")
    with whole(tmp_path / "a.txt", part) as making:
        assert making == part
        making.write_text("all")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["all"]


def test_text_keeps_its_letters_and_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "Wölfe\r\n日本\n")
    assert (tmp_path / "a.txt").read_bytes() == "Wölfe\r\n日本\n".encode()


def test_a_place_that_cannot_be_written_is_said_by_the_system(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError, match="file"):
        write_text(tmp_path / "file" / "a.txt", "one")
