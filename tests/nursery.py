"""Lives that a test kills, each a fork of a process that has loaded the app once and opened nothing."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ENDED = "ended"


class Life:
    """A process that a test has begun; iterating gives the lines it says, until it has ended."""

    def __init__(self, nursery: Nursery) -> None:
        self._nursery = nursery
        self._has_ended = False
        self._pid = int(next(self))

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._has_ended:
            raise StopIteration
        line = self._nursery.hear()
        if line == ENDED:
            self._has_ended = True
            raise StopIteration
        return line

    def is_over(self, within_s: float) -> bool:
        """Wait so long for the end of a life that says nothing; tell whether it came."""
        return self._has_ended or (self._nursery.says_something(within_s) and next(self, None) is None)

    def kill(self) -> None:
        """End it as a power cut would, if it has not ended by itself."""
        if not self._has_ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)


class Nursery:
    """What lives are forked from: `module` is run as a program, and calls `serve` there."""

    def __init__(self, module: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            cwd=Path(__file__).parents[1],
        )

    def __enter__(self) -> Nursery:
        return self

    def __exit__(self, *error: object) -> None:
        with self._process:  # it ends when nothing more can be asked of it
            pass

    @contextmanager
    def life(self, *arguments: object) -> Iterator[Life]:
        """Begin a life with these arguments; when this is left it is killed, and gone."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps(arguments)}\n".encode())
        life = Life(self)
        try:
            yield life
        finally:
            life.kill()
            for _ in life:
                pass

    def hear(self) -> str:
        """Return the next line that is said."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the nursery is gone"
        return line.decode().rstrip("\n")

    def says_something(self, within_s: float) -> bool:
        return bool(select.select([self._process.stdout], [], [], within_s)[0])


def serve(live: Callable[..., None]) -> None:
    """Fork a life for each line of arguments that comes in, one after the other, and say when it has ended."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            status = 1
            try:
                print(os.getpid(), flush=True)
                live(*json.loads(line))
                status = 0
            except BaseException:  # noqa: BLE001 - a fork must not go on as the nursery
                traceback.print_exc()
            sys.stdout.flush()
            os._exit(status)
        os.waitpid(child, 0)
        print(ENDED, flush=True)
