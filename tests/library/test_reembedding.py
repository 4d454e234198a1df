"""Re-embedding from the command line: what it says, what it asks, and what it ends with."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from core import __main__, doctor, services
from core.encoders import registry
from core.encoders.base import Encoder
from core.errors import AppError, EncoderError, SettingsError
from core.index.base import Space
from core.library import reembedding
from core.models import EncoderInfo, Stage
from core.services import Services
from core.settings import Settings
from tests.fakes import FAKE_INFO, FakeEncoder
from tests.support import PATIENCE_S, copy_library
from tests.videos import make_video, plain

OLD = replace(FAKE_INFO, name="local-v0")
NEW = replace(FAKE_INFO, name="new-v2", dimension=48, paid=True, parallel=3)


class Desk:
    """A library of three videos that the old encoder filled, and what a command said of it."""

    def __init__(self, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.settings = Settings(data_dir=data_dir)
        self.encoders = {info.name: FakeEncoder(info) for info in (OLD, NEW)}
        self.configured = OLD.name
        self.said: list[str] = []
        self.asked: list[str] = []
        self._open: list[Services] = []
        monkeypatch.setattr(services, "open_encoder", lambda settings: self.encoders[self.configured])
        monkeypatch.setattr(services, "_encoder_of", lambda settings, space: self._encoder(space.encoder))

    def _encoder(self, name: str) -> Encoder:
        if name not in self.encoders:
            raise SettingsError(f"{name} wants a key. Set it.")
        return self.encoders[name]

    def open(self, configured: EncoderInfo = NEW) -> Services:
        self.close()
        self.configured = configured.name
        self._open.append(services.build(self.settings))
        return self._open[0]

    def run(self, answer: str | None = None, **options: bool) -> int:
        def ask(question: str) -> str:
            self.asked.append(question)
            return answer or ""

        return reembedding.run(self.open(), say=self.said.append, ask=None if answer is None else ask, **options)

    @property
    def text(self) -> str:
        return "\n".join(self.said)

    def close(self) -> None:
        while self._open:
            self._open.pop().close()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The DATA_DIR of a library that the old encoder filled, to be copied."""
    folder = tmp_path_factory.mktemp("filled")
    with pytest.MonkeyPatch.context() as patch, closing(Desk(folder / "data", patch)) as desk:
        opened = desk.open(OLD)
        opened.start()
        paths = [
            make_video(folder / f"Film {n}.mp4", seconds=1.2, size=(64, 36), fps=5, pattern=plain(60 * n, 50, 90))
            for n in range(3)
        ]
        jobs = opened.jobs.wait([opened.jobs.submit(path).id for path in paths], PATIENCE_S)
        assert {job.stage for job in jobs} == {Stage.READY}
    return folder / "data"


@pytest.fixture
def desk(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with closing(Desk(copy_library(filled, tmp_path / "data"), monkeypatch)) as desk:
        yield desk


def test_it_says_what_it_takes_and_costs_and_asks(desk: Desk) -> None:
    assert desk.run(answer="n") == 1
    assert desk.said == [
        "3 videos with 0.1 minutes are to be re-embedded with new-v2. That takes about 1 s; local-v0 answers until "
        "then.",
        "new-v2 will use 0.1 minutes of your plan.",
    ]
    assert desk.asked == ["Begin? [y/N] "]
    assert desk.encoders["new-v2"].encoded == []
    assert desk.run(answer="y") == 0
    assert desk.said[-1] == "All videos are re-embedded: new-v2 answers now."
    assert desk.open().encoder.info == NEW


def test_what_is_filled_has_its_labels_when_it_begins_to_answer(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.Relabel, "start", lambda relabel: None)
    assert desk.run(yes=True) == 0
    opened = desk.open()
    assert opened.encoder.info == NEW
    assert opened.discover.labelled().is_all


def test_with_nobody_to_ask_it_is_refused(desk: Desk) -> None:
    with pytest.raises(AppError, match="add --yes"):
        desk.run()
    assert desk.encoders["new-v2"].encoded == []


def test_what_is_old_is_freed_only_when_that_is_said(desk: Desk) -> None:
    assert desk.run(yes=True) == 0
    spaces = desk.open().serving.spaces
    assert spaces.all() == [Space("local-v0", 64, True), Space("new-v2", 48, True)]
    assert desk.run(drop_old=True) == 0
    assert "new-v2 answers already" in desk.text
    assert desk.said[-1] == "Freed what was made by: local-v0."
    assert spaces.all() == [Space("new-v2", 48, True)]
    assert desk.run(drop_old=True) == 0
    assert desk.said[-1] == "There is nothing old to free."


def test_a_failure_ends_with_1_and_the_next_run_goes_on(desk: Desk) -> None:
    new = desk.encoders["new-v2"]
    new.failures["Film 1.mp4"] = [EncoderError("It is too dark.")]
    assert desk.run(yes=True, drop_old=True) == 1
    assert "failed    Film 1.mp4 – It is too dark." in desk.said
    assert "1 could not be re-embedded, so local-v0 goes on answering." in desk.text
    assert desk.open().serving.serving.name == "local-v0"
    assert desk.run(yes=True) == 0
    assert "(2 are there already)" in desk.text
    assert sorted(new.finished) == ["Film 0.mp4", "Film 1.mp4", "Film 2.mp4"]


def test_it_can_go_on_without_what_fails(desk: Desk) -> None:
    desk.encoders["new-v2"].failures["Film 1.mp4"] = [EncoderError("It is too dark.")] * 5
    assert desk.run(yes=True, skip_failed=True) == 0
    assert desk.open().index.count().videos == 2


def test_an_encoder_that_is_not_set_is_filled_and_waits(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reembedding, "encoder_to", lambda settings, serving, to: desk.encoders[to])
    opened = desk.open(OLD)
    with pytest.raises(AppError, match="Set ENCODER first"):
        reembedding.run(opened, to="new-v2", yes=True, drop_old=True, say=desk.said.append)
    assert reembedding.run(opened, to="new-v2", yes=True, say=desk.said.append) == 0
    assert desk.said[-1] == "All videos are re-embedded with new-v2. Set ENCODER to it, and it answers."
    assert opened.encoder.info == OLD
    assert desk.open(NEW).encoder.info == NEW


def test_an_encoder_that_cannot_run_here_says_what_to_set(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with pytest.raises(SettingsError, match="TWELVE_LABS_API_KEY is not set"):
        services.encoder_to(settings, None, "twelvelabs")
    with pytest.raises(SettingsError, match="Set it to one of"):
        services.encoder_to(settings, None, "nobodys")


@pytest.fixture
def command(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    desk.close()
    desk.configured = NEW.name
    for module in (__main__, doctor):
        monkeypatch.setattr(module, "load", lambda: desk.settings)
    local = registry.named("local")
    described = replace(local, info=lambda settings: NEW, build=lambda *_: desk.encoders[NEW.name])
    monkeypatch.setattr(registry, "named", lambda name: described)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return lambda *arguments: __main__.main(arguments)


def test_the_command_line_does_it(command: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert command("doctor") == 0
    assert "local-v0 answers, for new-v2, which is set, has 0 of 3 videos. Re-embed" in capsys.readouterr().out
    assert command("reembed") == 1
    assert "add --yes" in capsys.readouterr().err
    assert command("reembed", "--yes") == 0
    assert command("doctor") == 0
    assert "local-v0 can be freed: python -m core reembed --drop-old" in capsys.readouterr().out
    assert command("reembed", "--drop-old") == 0
    assert "Freed what was made by: local-v0." in capsys.readouterr().out
