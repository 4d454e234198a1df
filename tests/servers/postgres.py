"""A PostgreSQL server for tests, and to try several machines by hand: python -m tests.servers.postgres --port 5433

It is Debian's own (apt-get install postgresql), in a folder that goes with it, on a loopback port. It trusts everyone
who reaches it and writes nothing through to the disk: what it holds is gone when it stops. PostgreSQL does not run as
root, so where root starts it, it runs as the user postgres, whom the package makes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from typing import Self

import psycopg

from tests.ports import free_port

ROOT = Path("/usr/lib/postgresql")
USER = "moodreel"
_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_connections": "200",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
}


def programs() -> Path | None:
    """Return the folder of the newest PostgreSQL's programs; None where none is installed."""
    found = [path.parent for path in ROOT.glob("*/bin/initdb")]
    return max(found, key=lambda path: int(path.parent.name), default=None)


class PostgresServer:
    """Run one cluster; use as a context manager. `stop` and `start` keep what it holds, and the port."""

    def __init__(self, port: int = 0) -> None:
        found = programs()
        if found is None:
            raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql")
        self._bin = found
        self._port = port or free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="moodreel-postgres-"))
        self._data = self._folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._as: dict[str, str | int] = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self._folder, user.pw_uid, user.pw_gid)
            self._as = {"user": user.pw_uid, "group": user.pw_gid}
        made = [str(self._bin / "initdb"), "-D", str(self._data), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run([*made, "--locale=C.UTF-8"], check=True, capture_output=True, timeout=120, cwd="/", **self._as)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{USER}@127.0.0.1:{self._port}/{database}"

    def start(self) -> None:
        options = [part for name, value in _FAST.items() for part in ("-c", f"{name}={value}")]
        command = [str(self._bin / "postgres"), "-D", str(self._data), "-h", "127.0.0.1", "-p", str(self._port)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "-k", str(self._folder), *options],
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # Ctrl-C is for whoever started it, who then stops it
                **self._as,
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=5).close()
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((self._folder / "log").read_text("utf-8", "replace")) from None
            time.sleep(0.02)

    def stop(self) -> None:
        """End it at once; its connections break."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # "fast": whoever is connected is cut off
            try:
                self._process.wait(120)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(120)
            self._process = None

    def make_database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        self.ask(f'CREATE DATABASE "{name}" STRATEGY file_copy')
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop a database, whoever is connected to it."""
        self.ask(f'DROP DATABASE IF EXISTS "{url.rpartition("/")[2]}" WITH (FORCE)')

    def ask(self, statement: str) -> None:
        with contextlib.closing(psycopg.connect(self.url(), autocommit=True)) as db:
            db.execute(statement.encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=5433)
    with PostgresServer(parser.parse_args().port) as server:
        print(f"Listening. To use it:\n\n  DATABASE_URL={server.url()}\n\nCtrl-C ends it.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
