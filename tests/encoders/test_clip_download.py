"""Getting a model: from a Hub on loopback, with everything that goes wrong on the way."""

from __future__ import annotations

import errno
import shutil
import socket
import time
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from core.encoders import clip_download, clip_models
from core.encoders.clip import Towers
from core.encoders.clip_download import Getter, get, listed, remove, try_out
from core.errors import AppError, Cancelled, EncoderError, StoreError, Unavailable
from tests.models import write_colour_model
from tests.servers.hub import HubServer

MODEL = clip_models.named("clip")
WEIGHTS = "clip-ViT-B-32-text/model.onnx"
"""How the path of the larger file ends, on both addresses it is asked for at."""
FOR_EVER_S = 1000.0
"""Longer than a test may take: a pause where there should be none is found, however slow the machine is."""


@pytest.fixture(scope="module")
def shared_hub():
    with HubServer() as server:
        for model in clip_models.MODELS:
            server.add_model(model)
        yield server


@pytest.fixture
def hub(shared_hub):
    shared_hub.heal()
    shared_hub.seen.clear()
    return shared_hub


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(clip_download, "PAUSES_S", (0.0,))


class Told:
    """What progress was told; `stop_at` cancels when so many bytes are here."""

    def __init__(self, stop_at: float = float("inf")) -> None:
        self.bytes: list[int] = []
        self.total = 0
        self.stop_at = stop_at

    def __call__(self, done: int, total: int) -> None:
        self.bytes.append(done)
        self.total = total
        if done >= self.stop_at:
            raise Cancelled


def fetch(
    hub: HubServer, cache: Path, told: Told | None = None, model: clip_models.ClipModel = MODEL
) -> clip_models.Folders:
    return get(model, cache, told or Told(), endpoint=hub.url)


@pytest.mark.parametrize("name", clip_models.NAMES)
def test_a_model_comes_whole_and_is_found_and_works(hub, tmp_path, name):
    model = clip_models.named(name)
    assert clip_models.find(model, tmp_path) is None
    folders = fetch(hub, tmp_path, model=model)
    assert clip_models.find(model, tmp_path) == folders
    assert Towers(model, folders, 1).read(["red"]).any()
    for tower, folder in ((model.vision, folders.vision), (model.text, folders.text)):
        held = hub.repositories[tower.repo].files
        assert all((folder / file).read_bytes() == held[file] for file in (tower.weights, *tower.beside))


def test_only_the_files_it_needs_come(hub, tmp_path):
    hub.add(MODEL.text.repo, {"onnx/model_fp16.onnx": b"x" * 1000, "README.md": b"read me"})
    folders = fetch(hub, tmp_path)
    assert not (folders.text / "README.md").exists()
    assert not hub.asked("model_fp16.onnx")


def test_progress_rises_in_bytes_to_all_of_them(hub, tmp_path):
    told = Told()
    fetch(hub, tmp_path, told)
    assert told.bytes == sorted(told.bytes)
    assert len(set(told.bytes)) > 5
    assert told.bytes[-1] == told.total > 10_000


def test_again_it_asks_for_nothing_that_is_here(hub, tmp_path):
    fetch(hub, tmp_path)
    hub.seen.clear()
    fetch(hub, tmp_path)
    assert not hub.asked("model.onnx")


def test_what_is_damaged_is_got_again_and_nothing_else(hub, tmp_path):
    folders = fetch(hub, tmp_path)
    weights = folders.text / MODEL.text.weights
    good = weights.read_bytes()
    weights.write_bytes(good[:-1] + b"?")
    hub.seen.clear()
    fetch(hub, tmp_path)
    assert weights.read_bytes() == good
    assert not hub.asked("vision/model.onnx")


class TestACutConnection:
    def test_the_file_goes_on_from_where_it_was(self, hub, tmp_path):
        hub.fail("cut", path=f"large/Qdrant/{WEIGHTS}", after=9000, times=2)
        fetch(hub, tmp_path)
        ranges = hub.asked(f"large/Qdrant/{WEIGHTS}")
        assert ranges == [None, "bytes=9000-", "bytes=18000-"]

    def test_after_giving_up_the_next_try_goes_on(self, hub, tmp_path):
        hub.fail("cut", path=f"large/Qdrant/{WEIGHTS}", after=9000, times=1)
        hub.fail("status", path=f"large/Qdrant/{WEIGHTS}", status=503, times=clip_download.TRIES)
        with pytest.raises(Unavailable, match="503"):
            fetch(hub, tmp_path)
        assert clip_models.find(MODEL, tmp_path) is None
        hub.heal()
        hub.seen.clear()
        fetch(hub, tmp_path)
        assert hub.asked(f"large/Qdrant/{WEIGHTS}") == ["bytes=9000-"]
        assert clip_models.find(MODEL, tmp_path)

    def test_it_is_tried_a_few_times_and_no_more(self, hub, tmp_path):
        hub.fail("cut", path=f"large/Qdrant/{WEIGHTS}", after=0)
        with pytest.raises(Unavailable, match="try again"):
            fetch(hub, tmp_path)
        assert len(hub.asked(f"large/Qdrant/{WEIGHTS}")) == clip_download.TRIES

    def test_a_server_that_knows_no_range_sends_it_all_again(self, hub, tmp_path):
        hub.fail("cut", path=f"large/Qdrant/{WEIGHTS}", after=9000, times=1)
        hub.fail("whole", path=f"large/Qdrant/{WEIGHTS}", times=1)
        folders = fetch(hub, tmp_path)
        assert (folders.text / MODEL.text.weights).read_bytes() == hub.repositories[MODEL.text.repo].files["model.onnx"]

    def test_another_version_is_not_gone_on_from(self, hub, tmp_path):
        with pytest.raises(Cancelled):
            fetch(hub, tmp_path, Told(stop_at=30_000))
        hub.add(MODEL.text.repo, {"README.md": b"another revision"})
        folders = fetch(hub, tmp_path)
        assert folders.text.name == hub.repositories[MODEL.text.repo].revision
        assert [path.name for path in folders.text.parent.iterdir()] == [folders.text.name]


@pytest.mark.parametrize("path", [f"large/Qdrant/{WEIGHTS}", "clip-ViT-B-32-text/resolve/{}/tokenizer_config.json"])
def test_a_wrong_checksum_is_refused_and_thrown_away(hub, tmp_path, path):
    hub.fail("wrong", path=path.format(hub.repositories[MODEL.text.repo].revision))
    with pytest.raises(EncoderError, match="checksum"):
        fetch(hub, tmp_path)
    assert clip_models.find(MODEL, tmp_path) is None
    hub.heal()
    assert fetch(hub, tmp_path)


@pytest.fixture
def nobody_may_pause(monkeypatch):
    """Neither we between two tries nor the hub's own client."""
    monkeypatch.setattr(clip_download, "PAUSES_S", (FOR_EVER_S,))
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail(f"it paused for {seconds} s"))


class TestNoNetwork:
    def test_it_says_so_at_once(self, nobody_may_pause, tmp_path):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
            with pytest.raises(Unavailable, match="network") as caught:
                get(MODEL, tmp_path, Told(), endpoint=endpoint)
        assert "CLIP_MODEL_DIR" in str(caught.value)

    def test_a_name_that_is_not_known_too(self, nobody_may_pause, tmp_path):
        with pytest.raises(Unavailable):
            get(MODEL, tmp_path, Told(), endpoint="http://hub.invalid")

    def test_a_hub_that_says_nothing_is_not_waited_for_long(self, hub, tmp_path, monkeypatch):
        monkeypatch.setattr(clip_download, "ASK_S", 0.3)
        hub.fail("hang", path="clip-ViT-B-32-vision")
        with pytest.raises(Unavailable):
            fetch(hub, tmp_path)
        assert len(hub.asked("clip-ViT-B-32-vision")) == 1, "a person does not wait twice"
        hub.release()  # until now it has said nothing

    def test_when_it_is_said_to_be_offline_nothing_is_asked(self, hub, tmp_path, monkeypatch):
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        with pytest.raises(Unavailable, match="HF_HUB_OFFLINE"):
            fetch(hub, tmp_path)
        assert not hub.seen

    @pytest.mark.parametrize(
        ("status", "kind"), [(404, EncoderError), (403, EncoderError), (500, Unavailable), (429, Unavailable)]
    )
    def test_what_the_hub_answers_is_said(self, hub, tmp_path, status, kind):
        hub.fail("status", path="Qdrant/clip-ViT-B-32-vision", status=status)
        with pytest.raises(kind, match=str(status)):
            fetch(hub, tmp_path)


class TestTheDisk:
    def test_it_is_looked_at_before_anything_comes(self, hub, tmp_path, monkeypatch):
        Usage = namedtuple("Usage", "total used free")
        monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 10**9, 1000))
        with pytest.raises(StoreError, match="Make room"):
            fetch(hub, tmp_path)
        assert not hub.asked("model.onnx")

    def test_what_fills_up_on_the_way_is_said_and_gone_on_from(self, hub, tmp_path, monkeypatch):
        monkeypatch.setattr(Path, "open", full_after(12_000))
        with pytest.raises(StoreError, match="disk is full"):
            fetch(hub, tmp_path)
        monkeypatch.undo()
        hub.seen.clear()
        fetch(hub, tmp_path)
        assert any(asked for _, asked in hub.seen)


def full_after(total_bytes: int):
    """Return a Path.open whose files raise "no space left" when so many bytes were added to them all together."""
    real, written = Path.open, [0]

    def opened(path: Path, mode: str = "r", *rest, **options):
        file = real(path, mode, *rest, **options)
        if mode != "ab":
            return file
        write = file.write

        class Full:
            def __enter__(self):
                return self

            def __exit__(self, *_: object) -> None:
                file.close()

            def write(self, chunk: bytes) -> int:
                fits = chunk[: max(total_bytes - written[0], 0)]
                written[0] += write(fits)
                if len(fits) < len(chunk):
                    raise OSError(errno.ENOSPC, "No space left on device")
                return len(chunk)

            def tell(self) -> int:
                return file.tell()

        return Full()

    return opened


def test_cancelling_stops_it_and_what_came_stays(hub, tmp_path):
    told = Told(stop_at=20_000)
    with pytest.raises(Cancelled):
        fetch(hub, tmp_path, told)
    assert clip_models.find(MODEL, tmp_path) is None
    assert next(row.bytes_here for row in listed(tmp_path) if row.model is MODEL) >= 15_000
    hub.seen.clear()
    again = Told()
    fetch(hub, tmp_path, again)
    assert again.bytes[0] >= 15_000


def test_nothing_changes_until_it_has_been_tried_out(hub, tmp_path, monkeypatch):
    def broken(*_: object) -> str:
        assert clip_models.find(MODEL, tmp_path) is None
        raise EncoderError("It does not work.")

    monkeypatch.setattr(clip_download, "try_out", broken)
    with pytest.raises(EncoderError, match="does not work"):
        fetch(hub, tmp_path)
    assert clip_models.find(MODEL, tmp_path) is None


def test_trying_out_finds_one_that_sees_nothing(tmp_path, monkeypatch):
    folders = clip_models.in_folder(write_colour_model(tmp_path))
    assert "could tell which is which" in try_out(MODEL, folders)
    monkeypatch.setattr(Towers, "see", lambda towers, pictures: np.ones((len(pictures), 512), np.float32) / 512**0.5)
    with pytest.raises(EncoderError, match="cannot tell"):
        try_out(MODEL, folders)


def test_listing_and_removing(hub, tmp_path):
    fetch(hub, tmp_path)
    rows = {row.model.name: row for row in listed(tmp_path)}
    assert [name for name, row in rows.items() if row.here] == ["clip"]
    assert remove(MODEL, tmp_path) == rows["clip"].bytes_here > 10_000
    assert clip_models.find(MODEL, tmp_path) is None
    assert remove(MODEL, tmp_path) == 0


class TestInTheBackground:
    def test_it_is_polled_until_ready(self, hub, tmp_path):
        getter = Getter(tmp_path, endpoint=hub.url)
        assert getter.state.stage == "idle"
        getter.start(MODEL)
        state = getter.wait(120)
        assert (state.stage, state.model) == ("ready", MODEL)
        assert state.done_bytes == state.total_bytes > 0

    def test_it_can_be_cancelled(self, hub, tmp_path):
        hub.fail("slow", path="model.onnx", after=512)
        getter = Getter(tmp_path, endpoint=hub.url)
        getter.start(MODEL)
        deadline = time.monotonic() + 120
        while getter.state.stage != "downloading" and time.monotonic() < deadline:
            time.sleep(0.01)
        getter.cancel()
        assert getter.wait(120).stage == "cancelled"

    def test_what_failed_says_why_and_can_be_begun_again(self, hub, tmp_path):
        hub.fail("status", status=500, path="vision")
        getter = Getter(tmp_path, endpoint=hub.url)
        getter.start(MODEL)
        state = getter.wait(120)
        assert state.stage == "failed"
        assert "500" in (state.reason or "")
        hub.heal()
        getter.start(MODEL)
        assert getter.wait(120).stage == "ready"

    def test_one_at_a_time(self, hub, tmp_path):
        hub.fail("slow", path="model.onnx", after=512)
        getter = Getter(tmp_path, endpoint=hub.url)
        getter.start(MODEL)
        getter.start(clip_models.named("siglip2"))
        assert getter.state.model is MODEL
        getter.stop()
        assert getter.state.is_over


def test_every_refusal_is_a_sentence(hub, tmp_path):
    hub.fail("status", status=500, path="vision")
    with pytest.raises(AppError) as caught:
        fetch(hub, tmp_path)
    assert str(caught.value).endswith(".")
