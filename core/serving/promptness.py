"""Small answers go out at once.

TCP holds a small piece back until the one before is acknowledged (Nagle's algorithm, RFC 896), and the other side waits
up to 40 ms before it acknowledges (RFC 1122, 4.2.3.2). Head and body of an answer are two such pieces, and so are the
messages in which Streamlit draws a page. asyncio turns this off for sockets made with the protocol IPPROTO_TCP; the one
that Streamlit 1.67 listens on is made without.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

OPEN_FILES = Path("/dev/fd")
"""The numbers of this process's open files, on Linux and macOS."""


def send_at_once() -> int:
    """Let whatever connects from now on be answered without waiting; return how many listening sockets were told.

    A connection takes TCP_NODELAY from the socket that accepts it. Nothing happens where open files cannot be listed.
    """
    told = 0
    for listening in _listening():
        with listening:
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            told += 1
    return told


def _listening() -> Iterator[socket.socket]:
    """Give a second handle of each TCP socket of this process that listens."""
    with suppress(OSError):
        numbers = [int(name) for name in os.listdir(OPEN_FILES)]
        for number in numbers:
            with suppress(OSError):  # A file may be closed meanwhile, as the folder's own is.
                if not stat.S_ISSOCK(os.fstat(number).st_mode):
                    continue
                handle = socket.socket(fileno=os.dup(number))
                is_tcp = handle.family in (socket.AF_INET, socket.AF_INET6) and handle.type == socket.SOCK_STREAM
                if is_tcp and handle.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    yield handle
                else:
                    handle.close()
