"""How long is it from pressing a category or mood to its videos, and from opening the page to its first picture?

    python bench/press.py [--presses 20] [--visits 5] [--corpus [FOLDER]] [--library FOLDER]

The app runs as people run it (`streamlit run`), on the sample library, or on the corpus, ingested first; `--library`
is a DATA_DIR to use, or to fill and keep. All in a real browser, Chromium, by the page's own clock.

Visits: a browser that was never here opens Discover; from the first byte of the server's answer until the first
poster is drawn, which comes with the page, and until one that can be pressed is, which the page draws itself. The
baseline is a bare page with nothing but the posters that were on the first screen.

Presses: categories and moods in turn, each time where the first video becomes another one. Measured from the click
until that video is on the page; until the cards are there (nothing is drawn any more, and every poster on the screen
has its picture); until it can be played at its moment (readyState 3 or more, no longer seeking); and until it plays:
play() is called as soon as it is there, and the time in the video must move on. The baseline is a bare page with
nothing but a <video> of the same URL at the same moment. A fresh browser context has neither in its cache.

Exit 1 when a median is over its target.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.discover import taxonomy  # noqa: E402
from tests.browser.conftest import BROWSERS, FLAGS, Server  # noqa: E402
from tests.environ import clean_environ  # noqa: E402
from tests.ports import free_port  # noqa: E402

TARGETS_S = {"first poster": 1.0, "poster to press": 1.0, "cards": 0.3, "playing": 0.6}
TIMEOUT_MS = 20_000
PAUSE_MS = 1500
"""Between presses: a person looks at what came before pressing on."""
THEMES = taxonomy.load()
WATCH = """
(act, path, start, timeoutMs) => new Promise((resolve, reject) => {
  const began = performance.now();
  const times = {};
  const app = document.querySelector("[data-testid=stApp]");
  const drawn = (one) => {
    const { top, bottom } = one.getBoundingClientRect();
    return one.complete || bottom < 0 || top > innerHeight;
  };
  let video = null, from = null;
  const look = () => {
    const now = performance.now() - began;
    if (now > timeoutMs) return reject(new Error(`not playing: ${JSON.stringify(times)}`));
    const first = document.querySelector(".st-key-results video, .st-key-feed video, body > video");
    if (first && first !== video && first.src && new URL(first.src).pathname === path) {
      video = first;
      times.there ??= now;
      video.muted = true;
      video.play().catch(() => {});
    }
    if (video && !times.cards && app?.dataset.testScriptState === "notRunning" &&
        [...document.querySelectorAll("img.reel-poster")].every(drawn)) times.cards ??= now;
    if (video && video.readyState >= 3 && !video.seeking && video.currentTime >= start - 0.1) {
      times.ready ??= now;
      from ??= video.currentTime;
      if (video.currentTime > from) times.playing ??= now;
    }
    if (times.playing && (times.cards || !app)) {
      video.pause();
      return resolve(times);
    }
    setTimeout(look, 4);
  };
  act();
  look();
})
"""
FIRST = """
const drawn = (posters) => new Promise((resolve) => {
  const look = () => {
    const first = [...document.querySelectorAll(posters)].find(
      (one) => one.complete && one.naturalWidth && one.getBoundingClientRect().top < innerHeight);
    if (!first) return requestAnimationFrame(look);
    // Two frames on, the one in which it stands has been painted.
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(
      performance.now() - performance.getEntriesByType("navigation")[0].responseStart)));
  };
  requestAnimationFrame(look);
});
window.firstPoster = (async () => {
  const first = await drawn("img.reel-poster");
  const whole = location.pathname.endsWith("/bare") ? first : await drawn("[class*=st-key-answer-] img.reel-poster");
  return { first, whole, urls: [...document.querySelectorAll("img.reel-poster")].filter(
    (one) => one.getBoundingClientRect().top < innerHeight).map((one) => one.src) };
})();
"""
POSTERS = "urls => { document.body.innerHTML = urls.map(url => `<img class='reel-poster' src='${url}'>`).join(''); }"
PRESS = f"(button, [path, start, timeout]) => ({WATCH})(() => button.click(), path, start, timeout)"
BARE = f"""
([url, path, start, timeout]) => ({WATCH})(() => {{
  const video = document.createElement("video");
  video.src = url;
  video.addEventListener("loadedmetadata", () => {{ video.currentTime = start; }}, {{ once: true }});
  document.body.replaceChildren(video);
}}, path, start, timeout)
"""


@dataclass(frozen=True, slots=True)
class Press:
    """One step of a person: which pill, and the first video that must come."""

    group: str
    icon: str
    label: str
    url: str
    start_s: int

    @property
    def pattern(self) -> re.Pattern[str]:
        """What is written on its pill: an icon's name, the label, and perhaps a number."""
        return re.compile(rf"^\s*({self.icon})?\s*{re.escape(self.label)}( · \d+)?\s*$")


def main() -> int:
    options = _options()
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        sys.exit("There is no Chromium on this machine: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        data_dir = (options.library or Path(folder, "data")).resolve()
        fill(data_dir, options.corpus)
        server = Server(data_dir, free_port())
        server.start()
        try:
            presses = plan(server, options.presses, np.random.default_rng(options.seed))
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
                visits = [visit(browser, server) for _ in range(options.visits)]
                pressed = press_all(browser, server, presses)
                bare = [bare_page(browser, server, press) for press in presses]
                browser.close()
        finally:
            server.stop()
    met = [report_visits(visits), report(presses, pressed, bare)]
    return 0 if all(met) else 1


def fill(data_dir: Path, corpus: Path | None) -> None:
    """Ingest the samples or the corpus, unless the library has something already."""
    if (data_dir / "spaces").exists():
        return
    ask = ["samples"] if corpus is None else ["ingest", str(corpus)]
    environ = {**clean_environ(), "DATA_DIR": str(data_dir)}
    # Files of the corpus that are no videos are refused, and so the command ends with 1: the library tells the rest.
    subprocess.run([sys.executable, "-m", "core", *ask], cwd=ROOT, env=environ, check=False, stdout=sys.stderr)


def plan(server: Server, count: int, random: np.random.Generator) -> list[Press]:
    """Return presses, each of which shows another first video than the one before, by asking `/search` the same."""
    presses: list[Press] = []
    category = mood = None
    while len(presses) < count:
        group = ("mood", "category")[int(random.integers(2))]  # drawn anew: a lone video stays first in every mood
        themes = THEMES.moods if group == "mood" else THEMES.categories
        number = int(random.integers(len(themes)))
        theme = themes[number]
        if theme.id in (category, mood):
            continue
        asked = {"category": category, "mood": mood} | {group: theme.id}
        hits = search(server, {name: id_ for name, id_ in asked.items() if id_})
        if not hits or (presses and hits[0]["url"] == presses[-1].url):
            continue
        category, mood = asked["category"], asked["mood"]
        start_s, end_s = hits[0]["start_time"], hits[0]["end_time"]
        whole_s = math.ceil(start_s) if math.ceil(start_s) < end_s else int(start_s)
        presses.append(Press(group, theme.icon, theme.label, hits[0]["url"], whole_s))
    return presses


def search(server: Server, asked: dict[str, str]) -> list[dict]:
    request = urllib.request.Request(
        f"{server.url}/search",
        json.dumps({**asked, "limit": 12}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def visit(browser: Browser, server: Server) -> tuple[float, float, float]:
    """Return the seconds to the first poster of Discover, to the first that can be pressed, and to the first of a page
    with the posters alone."""
    times: list[float] = []
    urls: list[str] = []
    for bare in (False, True):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.goto(f"{server.url}/api/live")  # the connection is open, as after any other page of the app
        page.add_init_script(FIRST)
        if bare:
            page.route("**/bare", lambda route: route.fulfill(body="<body></body>", content_type="text/html"))
            page.goto(f"{server.url}/bare")
            page.evaluate(POSTERS, urls)
        else:
            page.goto(server.url, wait_until="commit")
        found = page.evaluate("() => window.firstPoster")
        times += [found["first"] / 1000] if bare else [found["first"] / 1000, found["whole"] / 1000]
        urls = found["urls"]
        context.close()
    return times[0], times[1], times[2]


def press_all(browser: Browser, server: Server, presses: Sequence[Press]) -> list[dict[str, float]]:
    """Press one after the other on one page, and return what each took."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(server.url)
    page.locator("img.reel-poster, .st-key-results video").first.wait_for(timeout=TIMEOUT_MS)
    page.locator(".st-key-more-categories button").click()  # all, in whichever order
    page.locator(".st-key-categories-all").wait_for(timeout=TIMEOUT_MS)
    times = []
    for press in presses:
        page.wait_for_timeout(PAUSE_MS)
        pill = page.locator(f".st-key-{press.group} button").filter(has_text=press.pattern)
        path = urlsplit(press.url).path
        times.append(pill.evaluate(PRESS, [path, press.start_s, TIMEOUT_MS]))
    context.close()
    return times


def bare_page(browser: Browser, server: Server, press: Press) -> dict[str, float]:
    """Return what a page with nothing but the video takes."""
    context = browser.new_context()
    page: Page = context.new_page()
    page.goto(f"{server.url}/api/health")  # of the same origin, and with nothing on it
    url = urljoin(server.url, press.url)
    times = page.evaluate(BARE, [url, urlsplit(url).path, press.start_s, TIMEOUT_MS])
    context.close()
    return times


def report_visits(visits: Sequence[tuple[float, float, float]]) -> bool:
    """Print how long the first posters take beside the baseline; return whether the targets are met."""
    first, pressed, bare = (float(np.median(times)) for times in zip(*visits, strict=True))
    print(
        f"first poster, median of {len(visits)} visits: {first:.2f} s, to be pressed {pressed:.2f} s; a bare page "
        f"{bare:.2f} s; {first / bare:.1f} and {pressed / bare:.1f} times"
    )
    met = [_met("first poster", first), _met("poster to press", pressed)]
    return all(met)


def report(presses: Sequence[Press], pressed: Sequence[dict], bare: Sequence[dict]) -> bool:
    """Print the presses and their medians beside the baseline's; return whether the targets are met."""
    names = ("there", "cards", "ready", "playing")
    print(f"{'seconds':32}{''.join(f'{name:>9}' for name in names)}{'bare page':>11}")
    for press, one, other in zip(presses, pressed, bare, strict=True):
        row = "".join(f"{one[name] / 1000:9.2f}" for name in names)
        print(f"  {press.group + ' ' + press.label:30}{row}{other['playing'] / 1000:11.2f}")
    medians = {name: float(np.median([one[name] for one in pressed])) / 1000 for name in names}
    plain = float(np.median([one["playing"] for one in bare])) / 1000
    print(f"  {'median':30}{''.join(f'{medians[name]:9.2f}' for name in names)}{plain:11.2f}")
    worst = float(np.percentile([one["playing"] for one in pressed], 95)) / 1000
    print(f"\np95 {worst:.2f} s; ratio of the medians, press to bare page: {medians['playing'] / plain:.1f}")
    met = [_met(name, medians[name]) for name in ("cards", "playing")]
    return all(met)


def _met(name: str, median_s: float) -> bool:
    met = median_s <= TARGETS_S[name]
    print(f"{name}: at most {TARGETS_S[name]:.1f} s in the median: {'met' if met else 'MISSED'} ({median_s:.2f} s)")
    return met


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(os.environ.get("CORPUS_DIR", ROOT / "../shared/corpus"))
    parser.add_argument("--presses", type=int, default=20)
    parser.add_argument("--visits", type=int, default=5)
    parser.add_argument("--corpus", nargs="?", type=Path, const=default, help="the corpus instead of the samples")
    parser.add_argument("--library", type=Path, metavar="FOLDER", help="a DATA_DIR to use, or to fill and keep")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
