"""How much memory the server takes while people watch and upload large files.

Starts the real app with an empty library and drives it with a real browser:
1. 3 sessions each play a different 200 MB video: resident memory of the server beside what it was before.
   Baseline of the same run: the same 3 sessions on a page that hands Streamlit the file's path instead of a URL.
2. One 300 MB file is uploaded and ingested: resident memory afterwards beside what it was before.

    python bench/memory.py
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import urllib.request
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import FLAGS, Server  # noqa: E402
from tests.ports import free_port  # noqa: E402

MIB = 1024 * 1024
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PLAYING_TARGET_MB, UPLOAD_TARGET_MB = 30, 60
NAMES = ("wolf", "locomotive", "guitar")
BY_PATH = """
import streamlit as st
st.video(st.query_params["path"], autoplay=True, muted=True)
"""


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="bench-memory-") as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        ok = measure(Path(folder), browser)
        browser.close()
    return 0 if ok else 1


def measure(folder: Path, browser: Browser) -> bool:
    films = [make_large_video(folder / f"{name}.mp4", 200 * MIB, seed=n) for n, name in enumerate(NAMES)]
    large = make_large_video(folder / "large.mp4", 300 * MIB, seed=9)

    server = Server(folder / "data", free_port())
    server.start()
    try:
        ingest_all(server, browser, films)
        calm = settled(server.process.pid)
        contexts = [watch(browser, f"{server.url}/?q={name}") for name in NAMES]
        time.sleep(5)
        playing = peak_over(server.process.pid, 5)
        for context in contexts:
            context.close()
        before = settled(server.process.pid)
        ingest_all(server, browser, [large])
        after = settled(server.process.pid)
    finally:
        server.stop()
    baseline_before, baseline_playing = by_path(folder, browser, films)

    growth, baseline = playing - calm, baseline_playing - baseline_before
    print(
        f"3 sessions playing 200 MB videos: {calm / MIB:.0f} -> {playing / MIB:.0f} MiB, growth {growth / MIB:+.0f} MiB"
    )
    print(f"  by path (baseline): growth {baseline / MIB:+.0f} MiB; ours is {max(growth, 0) / baseline:.3f} of it")
    print(
        f"300 MB upload: {before / MIB:.0f} MiB before, {after / MIB:.0f} MiB after, {(after - before) / MIB:+.0f} MiB"
    )
    print(f"  of the file's size: {max(after - before, 0) / large.stat().st_size:.3f}")
    ok = growth < PLAYING_TARGET_MB * MIB and after - before < UPLOAD_TARGET_MB * MIB
    print("within the targets" if ok else f"NOT within +{PLAYING_TARGET_MB} MiB playing, +{UPLOAD_TARGET_MB} MiB after")
    return ok


def make_large_video(path: Path, size_bytes: int, seed: int) -> Path:
    """Write a valid H.264 film of about this size: one second of noise, its packets repeated."""
    random = np.random.default_rng(seed)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as output:
        stream = output.add_stream("libx264", rate=24, options={"preset": "ultrafast", "qp": "12", "g": "1"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        output.start_encoding()
        packets = []
        for _ in range(24):
            noise = random.integers(0, 255, (360, 640, 3), dtype=np.uint8)
            packets += [bytes(packet) for packet in stream.encode(av.VideoFrame.from_ndarray(noise, "rgb24"))]
        packets += [bytes(packet) for packet in stream.encode(None)]
        total = number = 0
        while total < size_bytes:
            packet = av.Packet(packets[number % len(packets)])
            packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, 24), True
            packet.pts = packet.dts = number
            packet.duration = 1
            output.mux(packet)
            total += packet.size
            number += 1
    return path


def ingest_all(server: Server, browser: Browser, files: list[Path]) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server.url}/ingest")
    wanted, deadline = videos(server) + len(files), time.monotonic() + 600
    page.locator("input[type=file]").set_input_files(files)
    while videos(server) < wanted:
        if time.monotonic() > deadline:
            raise SystemExit("the uploads did not get ready in 10 minutes")
        time.sleep(0.5)
    context.close()


def videos(server: Server) -> int:
    with urllib.request.urlopen(f"{server.url}/api/health", timeout=30) as answer:
        return json.load(answer)["videos"]


def watch(browser: Browser, url: str):
    """Open a session and play its first video."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("video", timeout=30_000)
    page.evaluate("() => { const v = document.querySelector('video'); v.muted = true; return v.play() }")
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.5", timeout=30_000)
    return context


def by_path(folder: Path, browser: Browser, films: list[Path]) -> tuple[int, int]:
    """Return resident memory before and while 3 sessions play the same files handed to st.video by path."""
    script, port = folder / "by_path.py", free_port()
    script.write_text(textwrap.dedent(BY_PATH))
    command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}"]
    command += ["--server.address=127.0.0.1", "--server.headless=true", "--browser.gatherUsageStats=false"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(5)
        before = settled(process.pid)
        contexts = [watch(browser, f"http://127.0.0.1:{port}/?path={film}") for film in films]
        time.sleep(5)
        playing = peak_over(process.pid, 5)
        for context in contexts:
            context.close()
        return before, playing
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def resident_bytes(pid: int) -> int:
    """Return the resident memory of one process, from /proc."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no process {pid}")


def settled(pid: int) -> int:
    """Return the resident memory after it has been left alone for some seconds."""
    time.sleep(6)
    return resident_bytes(pid)


def peak_over(pid: int, seconds: float) -> int:
    end, peak = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        peak = max(peak, resident_bytes(pid))
        time.sleep(0.1)
    return peak


if __name__ == "__main__":
    sys.exit(main())
