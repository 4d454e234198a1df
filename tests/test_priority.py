"""What works in the background yields to pages: by the priorities that the system says its threads have."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

import numpy as np
import pytest

from core import priority
from core.encoders import clip_models
from core.encoders.clip import Towers
from tests.models import write_colour_model
from tests.support import Library, finish

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities of single threads")


def own() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def threads() -> dict[int, int]:
    """Return the threads of this process with their priorities."""
    found = {}
    for thread in map(int, os.listdir("/proc/self/task")):
        with contextlib.suppress(ProcessLookupError):  # over by now
            found[thread] = os.getpriority(os.PRIO_PROCESS, thread)
    return found


def test_a_thread_steps_back_with_all_that_it_starts_and_no_other_does():
    before, found = own(), {}

    def start_another() -> None:
        priority.step_back()
        priority.step_back()  # once is enough
        found["own"] = own()
        other = threading.Thread(target=lambda: found.update(started=own()))
        other.start()
        other.join()

    thread = threading.Thread(target=start_another)
    thread.start()
    thread.join()
    expected = max(before, priority.BACKGROUND)
    assert found == {"own": expected, "started": expected}
    assert own() == before


def test_the_workers_of_the_queue_step_back_from_those_who_ask(tmp_path):
    library, found = Library(tmp_path), []
    library.pipeline.before = lambda work: found.append(own())
    before = own()
    try:
        queue = library.open()
        finish(queue, queue.submit(library.video("a.mp4")))
    finally:
        library.close()
    assert set(found) == {max(before, priority.BACKGROUND)}
    assert own() == before


def test_the_threads_of_a_model_that_looks_at_frames_step_back_whoever_loads_it(tmp_path):
    model, before = clip_models.named("clip"), threads()
    towers = Towers(model, clip_models.in_folder(write_colour_model(tmp_path)), threads=3)
    towers.see([np.zeros((90, 160, 3), np.uint8)])
    new = [niceness for thread, niceness in threads().items() if thread not in before]
    assert len(new) >= 2
    assert set(new) == {max(own(), priority.BACKGROUND)}
