"""Kill an export, and an import, with SIGKILL at one step after another: the export says that it is not complete, the
library never holds a video by halves, and both go on to their end.

Run as a program (`python -m tests.library.test_carry_kill FOLDER`), this file is a nursery: each life is a fork of it,
so that the app is loaded once.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import StoreError
from core.index.edge import EdgeIndex
from core.library import archive, importing
from core.services import Services, build
from core.settings import Settings
from core.stores.folder import FolderStore
from tests.library.carried import TITLES, add_ad, fill, labels
from tests.library.test_carry import export, halves, take

STRIDE = 4
"""How many steps further each life comes than the one before."""
FILMS = TITLES[:3]


class Steps:
    """Count what reaches the disk, and end this process as a power cut would at one of them."""

    def __init__(self, last: int) -> None:
        self.left = last

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner: object, name: str) -> None:
        """Take a step before and after each call."""
        call = getattr(owner, name)

        def counted(*args: object, **options: object) -> object:
            self.step()
            made = call(*args, **options)
            self.step()
            return made

        setattr(owner, name, counted)


def life(body: Callable[[], None], last: int | None = None) -> bool:
    """Run this in a process of its own, which is killed at its step `last`; return whether it came to its end."""
    child = os.fork()
    if not child:
        try:
            if last is not None:
                steps = Steps(last)
                steps.around(os, "replace")
                steps.around(EdgeIndex, "upsert")
                steps.around(FolderStore, "put")
            body()
        except BaseException:  # noqa: BLE001 - a fork must not go on as the nursery
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status):
        assert os.WEXITSTATUS(status) == 0
        return True
    return False


def opened(folder: Path, use: Callable[[Services], None]) -> Callable[[], None]:
    def body() -> None:
        services = build(Settings(data_dir=folder))
        use(services)
        services.close()

    return body


def exports(root: Path) -> int:
    """Export with one kill after another; return how many there were."""
    kills = 0
    while not life(opened(root / "home", lambda services: _export(services, root / "out")), 1 + kills * STRIDE):
        kills += 1
        whole = _is_whole(root / "out")
        # The manifest is the last thing that counts: what follows only tidies up.
        assert not whole or archive.read(root / "out").videos == len(FILMS)
    return kills


def _is_whole(out: Path) -> bool:
    """Tell whether an export says that it is complete; if not it must say so."""
    try:
        archive.read_whole(out)
    except StoreError as error:
        said = str(error)
    else:
        return True
    assert "not complete" in said or "holds no export" in said, said
    return False


def _export(services: Services, out: Path) -> None:
    assert export(services, out).problems == ()


def imports(root: Path) -> int:
    """Import with one kill after another; return how many there were."""
    importing.TOGETHER = 1
    kills = 0
    while not life(opened(root / "there", lambda services: _import(services, root / "out")), 2 + kills * STRIDE):
        kills += 1
    return kills


def _import(services: Services, out: Path) -> None:
    assert halves(services) == [], "what a kill left by halves is gone when the library is opened"
    assert take(services, out).problems == []


def made(services: Services, scratch: Path) -> None:
    fill(services, scratch, FILMS)
    add_ad(services, scratch)


def same(root: Path) -> None:
    known: dict[str, object] = {}
    services = build(Settings(data_dir=root / "home"))
    known.update(labels(services))
    sizes, ads = services.store.sizes(), services.ads.book.all()
    assert len(ads) == 1
    services.close()
    services = build(Settings(data_dir=root / "there"))
    assert labels(services) == known
    assert len(known) == len(FILMS)
    assert (services.store.sizes(), services.ads.book.all()) == (sizes, ads)
    assert halves(services) == []
    services.close()
    assert not (root / "there/import.json").exists()
    assert list((root / "out").rglob("*.part")) == []


def test_an_export_and_an_import_outlive_kills_at_every_few_steps(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.library.test_carry_kill", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert run.returncode == 0, run.stdout
    exported, imported = map(int, run.stdout.split()[-2:])
    assert exported >= 3, "kill earlier"
    assert imported >= 3, "kill earlier"


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATA_DIR", "ENCODER", "QDRANT_URL", "AWS_BUCKET_NAME", "DATABASE_URL"):
            patch.delenv(name, raising=False)
        life(opened(folder / "home", lambda services: made(services, folder / "scratch")))
        counts = exports(folder), imports(folder)
        life(lambda: same(folder))
    print(*counts)
