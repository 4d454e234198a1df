"""How long is it from pressing "Add the sample library" to the first scene in the library, and to all of them?

    python bench/samples.py [--runs page alone] [--no-presses]

The app runs as people run it (`streamlit run`) on an empty library; Chromium presses the button on Ingest. Run "page"
keeps that page open, which asks for the jobs once a second and shows what arrives, and meanwhile presses categories on
Discover in a second tab, timing each from the click until the page stands still again. Run "alone" leaves both pages
at once. The clock stops when /api/health counts the videos. The baseline, in the same run, is rendering alone: the same
scenes one after the other in this process, without server, queue, encoder and browser.

Exit 1 when, with the page open, the first takes 6 s or more, all 60 s or more, or a press 1 s or more in the median.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.samples import SCENES  # noqa: E402
from core.samples.studio import perform  # noqa: E402
from tests.browser.conftest import BROWSERS, FLAGS, Server  # noqa: E402
from tests.ports import free_port  # noqa: E402

FIRST_S, ALL_S, PRESS_S = 6.0, 60.0, 1.0
GIVE_UP_S = 900.0
PRESS_EVERY_S = 5.0
STANDS_STILL = ".stApp[data-test-script-state=notRunning]"


@dataclass
class Run:
    """Seconds from the press of the button."""

    first_s: float = 0.0
    all_s: float = 0.0
    presses_s: list[float] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", nargs="*", choices=("page", "alone"), default=("page", "alone"))
    parser.add_argument("--no-presses", action="store_true", help="only watch, press nothing on Discover meanwhile")
    options = parser.parse_args()
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        sys.exit("There is no Chromium on this machine: apt-get install chromium")
    first_s, all_s = rendering_alone()
    print(f"{'':28}{'first':>8}{'all ' + str(len(SCENES)):>9}{'ratio':>8}   presses meanwhile")
    print(f"{'rendering alone (baseline)':28}{first_s:7.1f} s{all_s:7.1f} s{1:8.2f}", flush=True)
    good = True
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        for name in options.runs:
            run = through_the_queue(browser, stay=name == "page", press=not options.no_presses)
            print(
                f"{'queue, page ' + ('open' if name == 'page' else 'left'):28}{run.first_s:7.1f} s{run.all_s:7.1f} s",
                end="",
            )
            print(f"{run.all_s / all_s:8.2f}   {described(run.presses_s)}", flush=True)
            if name == "page":
                good = run.first_s < FIRST_S and run.all_s < ALL_S
                good = good and (not run.presses_s or statistics.median(run.presses_s) < PRESS_S)
        browser.close()
    return 0 if good else 1


def rendering_alone() -> tuple[float, float]:
    """Return the seconds until the first scene and until all are rendered, one after the other in this process."""
    with tempfile.TemporaryDirectory() as folder:
        start, first_s = time.perf_counter(), 0.0
        for scene in SCENES:
            perform(scene.name, Path(folder, f"{scene.name}.mp4"), lambda fraction: None)
            first_s = first_s or time.perf_counter() - start
        return first_s, time.perf_counter() - start


def through_the_queue(browser: Browser, *, stay: bool, press: bool) -> Run:
    """Add the sample library on a server of its own and return how long it took."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder, "data"), free_port())
        server.start()
        try:
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            page, other = context.new_page(), context.new_page()
            other.goto(f"{server.url}/")
            other.wait_for_selector(STANDS_STILL, timeout=60_000)
            page.goto(f"{server.url}/ingest")
            button = page.locator(".st-key-add-samples button").first
            button.wait_for(timeout=60_000)
            page.wait_for_selector(STANDS_STILL, timeout=60_000)
            button.click()
            start, run = time.perf_counter(), Run()
            if not stay:
                page.wait_for_selector("[class*=st-key-row-]", timeout=60_000)
                page.goto("about:blank")
                other.goto("about:blank")
            next_press_s = PRESS_EVERY_S
            while (passed_s := time.perf_counter() - start) < GIVE_UP_S:
                videos = count(server)
                if videos and not run.first_s:
                    run.first_s = time.perf_counter() - start
                if videos >= len(SCENES):
                    run.all_s = time.perf_counter() - start
                    break
                if stay and press and run.first_s and passed_s > next_press_s:
                    seconds = press_a_category(other, len(run.presses_s))
                    if seconds is not None:
                        run.presses_s.append(seconds)
                    next_press_s = time.perf_counter() - start + PRESS_EVERY_S
                page.wait_for_timeout(200)
            else:
                sys.exit(f"Only {count(server)} scenes came in {GIVE_UP_S:.0f} s.\n{server.log()}")
            context.close()
            return run
        finally:
            server.stop()


def press_a_category(page: Page, number: int) -> float | None:
    """Press a category and return the seconds until the page stands still again; None where there is none as yet."""
    pills = page.locator("[class*=st-key-category] button:visible")
    if not pills.count():  # It was opened on an empty library.
        page.reload()
        page.wait_for_selector(STANDS_STILL, timeout=60_000)
        return None
    start = time.perf_counter()
    pills.nth(number % min(pills.count(), 6)).click()
    page.wait_for_timeout(60)  # until the press has reached the server
    page.wait_for_selector(STANDS_STILL, timeout=60_000)
    return time.perf_counter() - start


def count(server: Server) -> int:
    with urllib.request.urlopen(f"{server.url}/api/health", timeout=30) as answer:
        return json.load(answer)["videos"]


def described(presses_s: list[float]) -> str:
    if not presses_s:
        return "–"
    return f"median {statistics.median(presses_s):.2f} s, longest {max(presses_s):.2f} s of {len(presses_s)}"


if __name__ == "__main__":
    sys.exit(main())
