"""A library that several processes share: its services on this machine, and the apps and workers over them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

from core.services import Services, build
from core.settings import load
from tests.environ import clean_environ
from tests.ports import free_port
from tests.servers.postgres import PostgresServer
from tests.servers.qdrant import QdrantServer
from tests.servers.s3 import ACCESS_KEY, CLEAN_ENVIRONMENT, REGION, SECRET_KEY, S3Server
from tests.servers.twelvelabs import API_KEY, TwelveLabsServer
from tests.videos import make_video, plain

ROOT = Path(__file__).parents[1]
PATIENCE_S = 600.0
LOST_S = 20
"""Many processes on a few cores come to say that they live late: who is taken for dead too soon has its files taken."""


class World:
    """The services of a library, and the processes that share it."""

    def __init__(
        self,
        folder: Path,
        stack: ExitStack,
        *,
        task_s: float,
        postgres: PostgresServer | None = None,
        lost_s: int = LOST_S,
    ) -> None:
        self.folder = folder
        self.lost_s = lost_s
        self.postgres = postgres or stack.enter_context(PostgresServer())
        self.s3 = stack.enter_context(S3Server())
        self.qdrant = stack.enter_context(QdrantServer())
        self.encoder = stack.enter_context(TwelveLabsServer(seconds_per_task=task_s))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.commands: dict[str, list[str]] = {}
        self.ports: dict[str, int] = {}
        self.returned: dict[str, int] = {}
        """How those that were ended have ended."""
        self.bucket = ""
        self.url = ""
        stack.callback(self.end)

    def fresh(self) -> None:
        """Begin an empty library."""
        self.bucket = self.s3.make_bucket()
        self.url = self.postgres.make_database()
        self.encoder.tasks.clear()

    def environ(self, name: str) -> dict[str, str]:
        return (
            clean_environ()
            | CLEAN_ENVIRONMENT
            | {
                "DATA_DIR": str(self.folder / name),
                "DATABASE_URL": self.url,
                "WORKER_LOST_S": str(self.lost_s),
                "ENCODER": "twelvelabs",
                "TWELVE_LABS_API_KEY": API_KEY,
                "TWELVELABS_BASE_URL": self.encoder.url,
                "QDRANT_URL": self.qdrant.url,
                "QDRANT_COLLECTION": self.bucket,
                "AWS_BUCKET_NAME": self.bucket,
                "AWS_ENDPOINT_URL": self.s3.url,
                "AWS_REGION": REGION,
                "AWS_ACCESS_KEY_ID": ACCESS_KEY,
                "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            }
        )

    def worker(self, name: str, concurrency: int = 2) -> None:
        self.commands[name] = [sys.executable, "-m", "core", "worker", "--concurrency", str(concurrency)]
        self.begin(name)

    def replica(self, name: str) -> None:
        port = self.ports[name] = free_port()
        serve = ["streamlit", "run", "streamlit_app.py", f"--server.port={port}", "--server.address=127.0.0.1"]
        self.commands[name] = [sys.executable, "-m", *serve, "--server.headless=true"]
        self.begin(name)

    def begin(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.commands[name], cwd=ROOT, env=self.environ(name), stdout=log, stderr=log
            )

    def kill(self, name: str) -> None:
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait(120)

    def end(self, how: int = signal.SIGTERM) -> None:
        for process in self.processes.values():
            process.send_signal(how)
        for name, process in self.processes.items():
            try:
                self.returned[name] = process.wait(120)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(120)
        self.processes.clear()

    def run(self, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "core", *arguments],
            cwd=ROOT,
            env=self.environ("command"),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=True,
        ).stdout

    def open(self) -> Services:
        """Open the library in this process, which works on nothing."""
        with patch.dict(os.environ, self.environ("here"), clear=True):
            return build(load(dotenv_path=None), workers=0)

    def health(self, name: str) -> dict[str, object]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[name]}/api/health", timeout=120) as answer:
                return json.load(answer)
        except (urllib.error.URLError, OSError):
            return {}


def make_files(folder: Path, count: int) -> list[Path]:
    folder.mkdir(exist_ok=True)
    return [
        make_video(
            folder / f"film {n}.mp4", seconds=4.5, size=(480, 360), fps=2, pattern=plain(7 * n % 256, 99, 250 - 8 * n)
        )
        for n in range(count)
    ]


def hand_over(world: World, services: Services, files: list[Path]) -> None:
    """Hand over every other file as an upload; put the others into the bucket and queue them from there."""
    for path in files[::2]:
        with path.open("rb") as file:
            services.jobs.receive(file, path.name)
    for path in files[1::2]:
        world.s3.client.upload_file(str(path), world.bucket, f"inbox/{path.name}")
    world.run("ingest", "--enqueue", f"s3://{world.bucket}/inbox/")


def wait_until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come about")
        time.sleep(0.1)
