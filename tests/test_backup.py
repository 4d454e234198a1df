"""What docs/backup.md says of saving a library and bringing it back, done as it stands there."""

from __future__ import annotations

import re
import subprocess
from contextlib import closing
from pathlib import Path

from core.models import Stage
from core.services import build
from core.settings import load
from tests.environ import clean_environ
from tests.videos import make_video

DOC = Path(__file__).parents[1] / "docs" / "backup.md"


def blocks() -> list[str]:
    return re.findall(r"<!-- tests/test_backup\.py runs this block -->\n```sh\n(.*?)```", DOC.read_text("utf-8"), re.S)


def run(block: str, data_dir: Path, backup: Path) -> None:
    environ = clean_environ() | {"DATA_DIR": str(data_dir), "BACKUP": str(backup)}
    subprocess.run(["sh", "-euc", block], env=environ, check=True)


def opened(data_dir: Path):
    return closing(build(load(clean_environ() | {"DATA_DIR": str(data_dir), "ENCODER": "local"}, dotenv_path=None)))


def test_a_library_comes_back_from_its_backup(tmp_path: Path) -> None:
    saves, brings_back = blocks()
    video = make_video(tmp_path / "Grey wolf.mp4", seconds=1.0, size=(64, 36), fps=6)
    with opened(tmp_path / "data") as services:
        services.jobs.start()
        [job] = services.jobs.wait([services.jobs.submit(video).id], timeout_s=120)
        assert job.stage is Stage.READY, job.reason
        services.taste.mark("Ada", job.video_id, "like")
        services.channels.save("Wolves", [("q", "wolf")])
        services.add_theme("category", "Offices", ["an office"])
        [before] = services.index.scroll(scope="video")
    run(saves, tmp_path / "data", tmp_path / "backup.tar")
    assert (tmp_path / "backup.tar").stat().st_size < 2_000_000, "the index was to be left out"
    run(brings_back, tmp_path / "elsewhere", tmp_path / "backup.tar")
    assert not list((tmp_path / "elsewhere").glob("spaces/*/shard"))
    with opened(tmp_path / "elsewhere") as services:
        [after] = services.index.scroll(scope="video")
        assert (after.video_id, after.title, after.vector.tolist()) == (
            before.video_id,
            before.title,
            before.vector.tolist(),
        )
        assert services.store.exists(after.media_key)
        assert services.taste.marks("Ada").likes == (after.video_id,)
        assert [channel.name for channel in services.channels.channels()] == ["Wolves"]
        assert any(theme.label == "Offices" for theme in services.taxonomy.categories)
        assert [job.stage for job in services.jobs.jobs()] == [Stage.READY]
