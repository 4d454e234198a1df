"""Let work that nobody looks at take what the processor has left, so that pages stay quick beside it."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

BACKGROUND = 10
"""Niceness. A tenth of the weight of a thread that serves pages: it yields at once to a press, and where nothing else
wants the processor it has all of it. With more, who holds a lock that a page needs might not run for long."""


def step_back() -> None:
    """Lower the priority of the calling thread, and of every thread and process that it starts from now on.

    It also lets pages at Python's interpreter lock: what steps back takes it again only when they have had it. There is
    no way back without privileges. Only Linux has priorities of single threads that a program may set by a number of
    the thread; elsewhere nothing happens.
    """
    if sys.platform != "linux":
        return
    thread = threading.get_native_id()
    with contextlib.suppress(
        PermissionError
    ):  # a sandbox that forbids it: work goes on, and pages are slower beside it
        os.setpriority(os.PRIO_PROCESS, thread, max(os.getpriority(os.PRIO_PROCESS, thread), BACKGROUND))
