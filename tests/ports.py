"""Ports for servers that a test starts by number, that nothing else takes before the server does."""

from __future__ import annotations

import itertools
import os
import random
import socket

_FIRST, _EACH, _PROCESSES = 12_000, 1_000, 20
"""Below the range that Linux gives to who asks for any port (32768 on): what asks for one meanwhile gets another."""

_process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _PROCESSES
_next = itertools.count(random.SystemRandom().randrange(_EACH))
"""Each process of one run of the tests has a thousand ports of its own; two runs begin at different ones."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on and that this process gives out only once."""
    for _ in range(_EACH):
        port = _FIRST + _process * _EACH + next(_next) % _EACH
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"none of the {_EACH} ports from {_FIRST + _process * _EACH} on is free")
