from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.errors import Cancelled, EncoderError, MediaError
from core.ingest import frames, inspecting, playable, sampling, sandbox, wire
from core.ingest.sampling import Large, Picture
from core.models import Stage
from core.priority import BACKGROUND
from tests.support import Library, finish, until
from tests.videos import make_video, plain

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def own_workers() -> Iterator[None]:
    """Let no test have the workers of another one, whose limits may be other ones."""
    sandbox.dismiss()
    yield
    sandbox.dismiss()


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return make_video(tmp_path / "film.mp4", audio="aac", fps=10)


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A video that no browser plays."""
    return make_video(tmp_path / "film.avi", codec="mpeg4", fps=10)


def hurting(monkeypatch: pytest.MonkeyPatch, name: str, task: str = "write_poster") -> None:
    """Let every worker that is told to do this with a file of this name end as a decoder does that it crashes."""
    order = sandbox.Worker.order

    def crash(worker: sandbox.Worker, line: str) -> bool:
        said = json.loads(line)
        hurts = Path(said.get("path", "")).name == name and said["do"] == task
        if hurts:  # Held until the signal waits for it, or it could be done before that comes.
            os.kill(worker.pid, signal.SIGSTOP)
        told = order(worker, line)
        if hurts:
            os.kill(worker.pid, signal.SIGSEGV)
            os.kill(worker.pid, signal.SIGCONT)
        return told

    monkeypatch.setattr(sandbox.Worker, "order", crash)


class TestItDoesWhatTheModulesDo:
    def test_checking(self, film: Path, foreign: Path) -> None:
        (film.parent / "film.en.srt").write_text(
            "1\n00:00:00,000 --> 00:00:01,000\nGood \ud83d\ude00 day\n".encode("utf-16", "surrogatepass").decode(
                "utf-16"
            ),
            "utf-8",
        )
        for path in (film, foreign):
            assert sandbox.inspect(path) == inspecting.inspect(path)

    def test_copying(self, foreign: Path, tmp_path: Path) -> None:
        info = inspecting.inspect(foreign)
        told: list[float] = []
        here = playable.make_playable(foreign, info, tmp_path / "here.mp4")
        there = sandbox.make_playable(foreign, info, tmp_path / "there.mp4", told.append)
        assert there.read_bytes() == here.read_bytes()
        assert told == sorted(told)
        assert told[-1] == 1.0
        fitted = sandbox.write_fitted(
            foreign, info, tmp_path / "fitted.mp4", least_s=4.0, least_px=100, most_px=(640, 360)
        )
        assert inspecting.inspect(fitted).duration_s == pytest.approx(4.0, abs=0.2)

    def test_what_plays_as_it_is_needs_no_worker(self, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        info = inspecting.inspect(film)
        monkeypatch.setattr(sandbox, "_hired", lambda *args: pytest.fail("a worker was called"))
        assert sandbox.make_playable(film, info, film.with_name("copy.mp4")) == film

    def test_poster_and_frame(self, film: Path, tmp_path: Path) -> None:
        info = inspecting.inspect(film)
        frames.write_poster(film, info, tmp_path / "here.jpg")
        sandbox.write_poster(film, info, tmp_path / "there.jpg")
        assert (tmp_path / "there.jpg").read_bytes() == (tmp_path / "here.jpg").read_bytes()
        assert np.array_equal(sandbox.frame_at(film, 1.0), frames.frame_at(film, 1.0))

    def test_the_decode_pass(self, film: Path, tmp_path: Path) -> None:
        slide = make_video(tmp_path / "slide.mp4", times_s=[0.0, 3.0, 6.0], pattern=plain(200, 30, 30))
        for path in (film, slide):
            here = list(sampling.sample(path, large=Large(64, 2.0)))
            there = list(sandbox.sample(path, large=Large(64, 2.0)))
            assert [type(item) for item in there] == [type(item) for item in here]
            for mine, theirs in zip(here, there, strict=True):
                assert mine.time_s == theirs.time_s
                if isinstance(mine, Picture):
                    assert np.array_equal(mine.rgb, theirs.rgb)
                    assert (mine.large is None) == (theirs.large is None)
                    assert mine.large is None or np.array_equal(mine.large, theirs.large)
                else:
                    assert np.array_equal(mine.samples, theirs.samples)
        larges = [
            [item.large for item in items if isinstance(item, Picture) and item.large is not None]
            for items in (here, there)
        ]
        same = [[before is after for before, after in itertools.pairwise(some)] for some in larges]
        assert same[0] == same[1]
        assert any(same[0])

    def test_a_path_that_is_no_text(self, film: Path) -> None:
        odd = Path(os.fsdecode(os.fsencode(film.parent) + b"/caf\xe9 \xf0\x9f\x8e\xac.mp4"))
        film.rename(odd)
        assert sandbox.inspect(odd).duration_s == pytest.approx(2.0, abs=0.1)

    def test_what_is_wrong_with_a_file_is_said_in_the_same_words(self, tmp_path: Path) -> None:
        bad = tmp_path / "bad.mp4"
        bad.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(4000))
        for one, other in ((inspecting.inspect, sandbox.inspect), (frames.frame_at, sandbox.frame_at)):
            more = (1.0,) if one is frames.frame_at else ()
            with pytest.raises(MediaError) as here:
                one(bad, *more)
            with pytest.raises(MediaError) as there:
                other(bad, *more)
            assert str(there.value) == str(here.value)
        with pytest.raises(EncoderError, match=r"^bad\.mp4 cannot be encoded\. This file cannot be opened"):
            list(sandbox.sample(bad))


class TestAFileThatHurts:
    def test_a_crash_is_that_files_alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        library = Library(tmp_path)
        try:
            paths = [library.video(f"{name}.mp4", n) for n, name in enumerate(("first", "hurts", "last"))]
            hurting(monkeypatch, "hurts.mp4")
            queue = library.open()
            jobs = finish(queue, *(queue.submit(path) for path in paths))
            assert {job.filename: job.stage for job in jobs} == {
                "first.mp4": Stage.READY,
                "hurts.mp4": Stage.FAILED,
                "last.mp4": Stage.READY,
            }
            (hurt,) = [job for job in jobs if job.stage is Stage.FAILED]
            assert hurt.reason is not None
            assert "crashed the video decoder" in hurt.reason
            assert "Something unexpected" not in hurt.reason
            monkeypatch.undo()
            (again,) = finish(queue, queue.retry(hurt.id))
            assert again.stage is Stage.READY
            assert library.leftovers() == []
        finally:
            library.close()

    def test_a_crash_in_the_middle_of_writing_leaves_nothing(
        self, foreign: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        info = inspecting.inspect(foreign)
        before = set(tmp_path.iterdir())
        playable.part_of(tmp_path / "copy.mp4").write_bytes(b"half of it")
        hurting(monkeypatch, foreign.name, "make_playable")
        with pytest.raises(MediaError, match="crashed the video decoder"):
            sandbox.make_playable(foreign, info, tmp_path / "copy.mp4")
        assert set(tmp_path.iterdir()) == before

    def test_a_crash_amid_the_decode_pass(self, film: Path) -> None:
        items = sandbox.sample(film, size=(1280, 720))  # More than a pipe holds: it waits until we have read.
        next(items)
        os.kill(sandbox._busy[0].pid, signal.SIGSEGV)
        with pytest.raises(EncoderError, match=r"^film\.mp4 cannot be encoded\. Reading this file crashed"):
            list(items)

    def test_one_that_never_ends(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        os.mkfifo(tmp_path / "endless.mp4")  # To open it for reading takes until somebody opens it for writing.
        monkeypatch.setattr(sandbox, "SILENT_S", 0.3)
        with pytest.raises(EncoderError, match="takes far too long"):
            list(sandbox.sample(tmp_path / "endless.mp4"))
        assert not sandbox._busy
        assert not sandbox._idle

    def test_cancel_comes_through_while_it_says_nothing(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "endless.mp4")

        def cancel(fraction: float) -> None:
            raise Cancelled

        with pytest.raises(Cancelled):
            list(sandbox.sample(tmp_path / "endless.mp4", on_progress=cancel))
        assert not sandbox._busy
        assert not sandbox._idle

    def test_cancel_amid_a_copy_leaves_nothing_unfinished(self, foreign: Path, tmp_path: Path) -> None:
        info = inspecting.inspect(foreign)

        def cancel(fraction: float) -> None:
            raise Cancelled

        with pytest.raises(Cancelled):
            sandbox.make_playable(foreign, info, tmp_path / "copy.mp4", cancel)
        assert not list(tmp_path.glob("*.part"))
        assert not sandbox._busy

    def test_one_that_takes_all_memory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        large = make_video(tmp_path / "large.mkv", size=(3000, 3000), codec="mjpeg", fps=1, pattern=plain(9, 9, 9))
        monkeypatch.setattr(sandbox, "_memory_bytes", lambda: 96 * 1024**2)
        with pytest.raises(MediaError, match=r"more memory than one file may have \(0\.1 GB\)"):
            sandbox.inspect(large)

    def test_one_whose_copy_would_fill_the_disk(
        self, foreign: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        info = inspecting.inspect(foreign)
        before = set(tmp_path.iterdir())
        monkeypatch.setattr(sandbox, "_SMALL_BYTES", 1000 - 3 * foreign.stat().st_size)
        monkeypatch.setattr(sandbox, "_COPY_BYTES_A_S", 0)
        with pytest.raises(MediaError, match="far larger than the file"):
            sandbox.make_playable(foreign, info, tmp_path / "copy.mp4")
        assert set(tmp_path.iterdir()) == before


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_worker_has_limits_no_secrets_and_a_low_priority(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TWELVE_LABS_API_KEY", "AWS_SECRET_ACCESS_KEY", "EDIT_PASSWORD", "QDRANT_API_KEY"):
        monkeypatch.setenv(name, "s3cret")
    items = sandbox.sample(film)
    next(items)
    process = Path(f"/proc/{sandbox._busy[0].pid}")
    lines = (process / "limits").read_text("ascii").splitlines()
    limits = {line[:25].strip(): line[25:].split()[0] for line in lines}
    assert int(limits["Max data size"]) == sandbox._memory_bytes()
    assert int(limits["Max file size"]) == 1024**2
    assert int(limits["Max core file size"]) == 0
    assert limits["Max cpu time"] != "unlimited"
    assert b"s3cret" not in (process / "environ").read_bytes()
    assert int((process / "stat").read_text("ascii").rpartition(")")[2].split()[16]) >= BACKGROUND
    items.close()


class TestWorkers:
    def test_one_is_kept_for_the_next_file(self, film: Path) -> None:
        sandbox.inspect(film)
        (worker,) = sandbox._idle
        sandbox.frame_at(film, 0.5)
        assert sandbox._idle == [worker]
        assert worker.orders == 2

    def test_after_so_many_orders_it_is_another(self, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sandbox, "ORDERS_EACH", 2)
        sandbox.inspect(film)
        (worker,) = sandbox._idle
        sandbox.inspect(film)
        assert not sandbox._idle
        assert not worker.is_alive

    def test_one_that_met_a_broken_file_is_not_used_again(self, tmp_path: Path) -> None:
        (tmp_path / "bad.mp4").write_bytes(bytes(2000))
        with pytest.raises(MediaError):
            sandbox.inspect(tmp_path / "bad.mp4")
        assert not sandbox._idle

    def test_one_that_died_waiting_costs_no_file(self, film: Path) -> None:
        sandbox.warm()
        (worker,) = sandbox._idle
        os.kill(worker.pid, signal.SIGKILL)
        until(lambda: not worker.is_alive)
        assert sandbox.inspect(film).duration_s == pytest.approx(2.0, abs=0.1)

    def test_one_that_waits_is_let_go(self) -> None:
        sandbox.warm()
        sandbox.warm()
        (worker,) = sandbox._idle
        sandbox._let_go(sandbox.KEPT_S)
        assert worker.is_alive
        worker.idle_since_s -= sandbox.KEPT_S
        sandbox._let_go(sandbox.KEPT_S)
        assert not worker.is_alive
        assert not sandbox._idle

    @pytest.mark.parametrize("at_work", [False, True])
    def test_it_ends_when_we_are_killed(self, at_work: bool, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "endless.mp4")
        code = (
            "import sys, threading; from pathlib import Path; from core.ingest import sandbox\n"
            "def look(fraction):\n"
            "    print(sandbox._busy[0].pid, flush=True); threading.Event().wait()\n"
            "if sys.argv[2] == 'True': list(sandbox.sample(Path(sys.argv[1]), on_progress=look))\n"
            "sandbox.warm(); print(sandbox._idle[0].pid, flush=True); threading.Event().wait()\n"
        )
        command = [sys.executable, "-c", code, str(tmp_path / "endless.mp4"), str(at_work)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as life:
            pid = int(life.stdout.readline())
            life.kill()
        until(lambda: not alive(pid))


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


class TestWhatAWorkerSays:
    def test_numbers_texts_and_pixels_come_through(self) -> None:
        picture = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
        samples = np.linspace(-1, 1, 5, dtype=np.float32)
        said, arrays = wire.receive(reader(packed({"a": "ü\ud800"}, [picture, samples])))
        assert said == {"a": "ü\ud800"}
        assert np.array_equal(arrays[0], picture)
        assert np.array_equal(arrays[1], samples)

    @pytest.mark.parametrize(
        "text",
        [b"no JSON", b"[1]", b'{"arrays": [["O", [1]]]}', b'{"arrays": [["|u1", [9]]]}', b'{"arrays": 3}'],
    )
    def test_what_makes_no_sense_is_refused(self, text: bytes) -> None:
        with pytest.raises(wire.Garbled):
            wire.receive(reader(wire._HEAD.pack(len(text), 4) + text + b"abcd"))

    def test_nothing_is_read_that_claims_to_be_endless(self) -> None:
        with pytest.raises(wire.Garbled):
            wire.receive(reader(wire._HEAD.pack(10, 2**32 - 1)))


def packed(said: dict, arrays: list[np.ndarray]) -> bytes:
    import io

    stream = io.BytesIO()
    wire.send(stream, said, arrays)
    return stream.getvalue()


def reader(data: bytes):
    rest = bytearray(data)

    def read(count: int) -> bytearray:
        assert len(rest) >= count, "it wants more than there is"
        taken = rest[:count]
        del rest[:count]
        return taken

    return read
