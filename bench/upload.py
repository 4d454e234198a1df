"""How much memory does an upload take, beside Streamlit's own way of taking it in?

    python bench/upload.py [--megabytes 2048] [--baseline 512]

A video of that size (a short one, in a file that is mostly empty) is dropped on Ingest of the real app in a real
browser, after a small one by which the app has loaded what it needs for any. Printed is by how much the memory of the
server grew at most until it had arrived, and until it was ready: checked, hashed, stored, embedded. Baseline of the
same run: a page with nothing but st.file_uploader, and a smaller file, because there it is held in memory. The ratio is
of the growth for each megabyte. At most 30 MB are wanted.

Exit 1 when it is not kept, or when something of the file is left in the app's folders of work.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import FLAGS, Server  # noqa: E402
from tests.ports import free_port  # noqa: E402
from tests.videos import make_video  # noqa: E402

MIB = 1024 * 1024
TARGET_MB = 30.0
PATIENCE_MS = 1_200_000
PLAIN = """
import streamlit as st
if st.file_uploader("Drop"):
    st.write("It is here.")
"""


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--megabytes", type=int, default=2048)
    arguments.add_argument("--baseline", type=int, default=512)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-upload-") as name, sync_playwright() as playwright:
        folder = Path(name)
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=FLAGS
        )
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        before_mb = baseline(folder, page, make(folder / "middling.mp4", given.baseline))
        here_mb, ready_mb, left = ours(folder, page, make(folder / "large.mp4", given.megabytes))
        browser.close()
    is_kept = ready_mb <= TARGET_MB
    print(f"Streamlit's way   {given.baseline:5d} MB uploaded   memory grew by {before_mb:7.1f} MB")
    print(f"on disk           {given.megabytes:5d} MB uploaded   memory grew by {here_mb:7.1f} MB", end="   ")
    print(f"until it was ready by {ready_mb:.1f} MB   at most {TARGET_MB:.0f}: {'kept' if is_kept else 'MISSED'}")
    print(f"ratio for a megabyte {ready_mb / given.megabytes / (before_mb / given.baseline):.4f}; left behind: {left}")
    return 0 if is_kept and not left else 1


def make(path: Path, megabytes: int) -> Path:
    """Make a short video, and so many MB of an empty box behind it that players pass over."""
    make_video(path, seconds=2.0, size=(160, 90), fps=10, audio="aac")
    with path.open("ab") as file:
        file.write(struct.pack(">I4sQ", 1, b"free", 16 + megabytes * MIB))  # 1: the length follows, in 64 bits
        for _ in range(megabytes):
            file.write(b"\x07" * MIB)
    return path


def baseline(folder: Path, page: Page, file: Path) -> float:
    script, port = folder / "plain.py", free_port()
    script.write_text(PLAIN, "utf-8")
    options = {"address": "127.0.0.1", "port": port, "maxUploadSize": 4096, "headless": "true"}
    command = [sys.executable, "-m", "streamlit", "run", script]
    command += [f"--server.{name}={value}" for name, value in options.items()]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            visit(page, f"http://127.0.0.1:{port}/")
            calm_mb = settle(server.pid)
            page.locator("input[type=file]").set_input_files(file)
            page.get_by_text("It is here.").wait_for()
            return peak_mb(server.pid) - calm_mb
        finally:
            server.terminate()


def ours(folder: Path, page: Page, file: Path) -> tuple[float, float, list[str]]:
    """Return MB of growth until a file had arrived, and until it was ready; and what is left where it was worked on."""
    data_dir = folder / "data"
    server = Server(data_dir, free_port())
    server.start(MAX_UPLOAD_MB="4096", ENCODER="local")
    try:
        visit(page, f"{server.url}/ingest")
        page.locator("input[type=file]").first.set_input_files(make_video(folder / "small.mp4", seconds=2.0))
        page.get_by_role("heading", name="1 video ready").wait_for()
        visit(page, f"{server.url}/ingest")
        calm_mb = settle(server.process.pid)
        page.locator("input[type=file]").first.set_input_files(file)
        wait_for(data_dir / "spool", file.stat().st_size)
        here_mb = peak_mb(server.process.pid) - calm_mb
        page.get_by_role("heading", name="2 videos ready").wait_for()
        ready_mb = peak_mb(server.process.pid) - calm_mb
    finally:
        server.stop()
    left = {path for name in ("spool", "work") for path in (data_dir / name).rglob("*")}
    return here_mb, ready_mb, sorted(map(str, left - {data_dir / "spool" / "arriving"}))


def wait_for(spool: Path, size: int) -> None:
    """Wait until a file of this size lies there."""
    until = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < until:
        with contextlib.suppress(FileNotFoundError):  # moved at this moment
            if any(path.stat().st_size >= size for path in spool.rglob("*")):
                return
        time.sleep(0.02)
    raise SystemExit("The file did not arrive.")


def visit(page: Page, url: str) -> None:
    """Open a page once its server answers."""
    until = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < until:
        try:
            page.goto(url)
            break
        except Exception:  # noqa: BLE001  # nothing listens yet
            time.sleep(0.5)
    page.locator("input[type=file]").first.wait_for(state="attached")


def settle(pid: int) -> float:
    """Return the resident memory of a process at rest, in MB, and forget its peak."""
    time.sleep(5)
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return field_mb(pid, "VmRSS:")


def peak_mb(pid: int) -> float:
    return field_mb(pid, "VmHWM:")


def field_mb(pid: int, name: str) -> float:
    return int(Path(f"/proc/{pid}/status").read_text().partition(name)[2].split()[0]) / 1024


if __name__ == "__main__":
    sys.exit(main())
