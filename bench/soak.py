"""Does the app hold out: do memory, open files and threads stay level while people use it for a long time?

    python bench/soak.py [--minutes 20] [--clients 20] [--keep FILE.csv]

The app runs as people run it (`streamlit run`) over a library that it begins with. Clients of five kinds share it, each
with pauses as a person makes them: they press categories and moods on Discover, in Streamlit sessions of their own that
end and begin anew; ask `POST /search`; play videos by ranges of bytes; drop files on Ingest, a new one each time; and
delete, so that the library stays about as large as it is. Sessions speak Streamlit's own
protocol, so that scripts run and state is kept as for a browser.

Every few seconds the resident memory of the server and of its workers, its open files and its threads are noted. The
first third warms up, or 4 minutes of at least 8. Printed are the slopes over the rest, as the median of the slopes of
all pairs (Theil and Sen), so that a worker that begins or ends does not count; and what went wrong. The baseline is the
same run's own middle. Of the memory is also said whose it is: what the server has for itself, what it has mapped of
files (the system takes that back when it likes), and its workers'. `--keep` keeps the readings.

Streamlit keeps a visit that has ended, with the sockets of its event loop, for 2 minutes, so that sockets come and go
in waves. They are counted by themselves: when everybody has left for so long there must be no more than before.

Exit 1 where memory grows by 1 MB a minute or more, files or threads do not stay level, sockets are left, or anything
went wrong.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import random
import re
import struct
import sys
import tempfile
import threading
import time
import traceback
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import numpy as np
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.discover import taxonomy  # noqa: E402
from tests.browser.conftest import Server  # noqa: E402
from tests.ports import free_port  # noqa: E402
from tests.videos import make_video, plain  # noqa: E402

COLUMNS = {
    "MB": 1.0,
    "files": 1.0,
    "threads": 0.5,
    "sockets": None,
    "MB own": None,
    "MB mapped": None,
    "MB workers": None,
}
"""What is read, and by how much it may grow a minute; of the last is only told."""
VISIT_S, SOCKETS_LEFT = 130.0, 3
"""How long Streamlit keeps a visit that has ended, and as many sockets as one has."""
LOOK_EVERY_S = 5.0
WARM_MINUTES = 4.0
VIDEOS = 24
"""About how many the library holds all along."""
PATIENCE_S = 60.0
"""For an answer."""
READY_S = 300.0
"""For a file: it lets pages at the processor first, and where everybody presses it waits."""
PRESSES_A_SESSION = 15
_VARIES = re.compile(r"[0-9a-f]{8}[0-9a-f-]*|\d+")
"""What is different in the name of each of a kind."""
SOCKETS = ("socket:[…]", "anon_inode:[eventpoll]")
COLOURS = ((200, 40, 40), (40, 160, 60), (40, 60, 200), (200, 180, 40), (120, 120, 120), (20, 20, 20))


class WrongError(Exception):
    """Something that should not happen to anybody."""


@dataclass
class Run:
    """What all clients share."""

    port: int
    films: list[bytes]
    until: float
    done: Counter[str] = field(default_factory=Counter)
    opened: list[Counter[str]] = field(default_factory=list)
    """What kinds of files are open, at each reading."""
    awaited: set[str] = field(default_factory=set)
    """Names of files that somebody has dropped and not seen in the library yet."""
    sockets: tuple[int, int] = (0, 0)
    """Of the server, before the clients came and after they had left."""
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def goes_on(self) -> bool:
        return time.monotonic() < self.until

    def count(self, what: str) -> None:
        with self.lock:
            self.done[what] += 1


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        films = [_film(Path(folder), number) for number in range(len(COLOURS))]
        server = Server(Path(folder, "data"), free_port())
        server.start(ENCODER="local")
        try:
            run = Run(server.port, films, float("inf"))
            fill(run)
            run.until = time.monotonic() + options.minutes * 60
            before = sockets_of(server.process.pid)
            readings = soak(run, options.clients, server.process.pid)
            leave(run)
            run.sockets = before, sockets_of(server.process.pid)
            lines = [line for line in _log(server).splitlines() if re.search(r"Traceback|\bERROR\b|\w+Error:", line)]
        finally:
            server.stop()
    if options.keep:
        np.savetxt(
            options.keep, readings, fmt="%.3f", delimiter=",", header=",".join(["minutes", *COLUMNS]), comments=""
        )
    return told(run, readings, lines)


def soak(run: Run, clients: int, pid: int) -> np.ndarray:
    """Let the clients go, and return the readings: minutes, then COLUMNS."""
    kinds = itertools.cycle((press, press, ask, play, add, press, ask, play, remove, press))
    threads = [threading.Thread(target=_client, args=(run, next(kinds), seed)) for seed in range(clients)]
    for thread in threads:
        thread.start()
    began, readings = time.monotonic(), []
    while run.goes_on:
        readings.append(((time.monotonic() - began) / 60, *usage(pid)))
        run.opened.append(opened(family(pid)))
        time.sleep(LOOK_EVERY_S)
    for thread in threads:
        thread.join(READY_S)
        if thread.is_alive():
            run.wrong.append("a client got no answer in five minutes")
    return np.array(readings)


def leave(run: Run) -> None:
    """Wait until the visits of all clients are over, and come by twice: only then Streamlit looks for what is over."""
    time.sleep(VISIT_S)
    for _ in range(2):
        with Session(run) as session:
            session.run("", {})
        time.sleep(LOOK_EVERY_S)


def _client(run: Run, kind: Callable[[Run, random.Random], None], seed: int) -> None:
    chance = random.Random(seed)
    time.sleep(chance.random() * 2)
    while run.goes_on:
        try:
            kind(run, chance)
        except Exception as error:  # noqa: BLE001  whatever it is, it counts
            run.wrong.append(f"{kind.__name__}: {type(error).__name__}: {error}")
            if not isinstance(error, WrongError):
                traceback.print_exc()
            time.sleep(1.0)


# What clients do


def press(run: Run, chance: random.Random) -> None:
    """Open Discover, press some categories and moods, look at the other pages, and go."""
    themes = taxonomy.load()
    with Session(run) as session:
        for _ in range(PRESSES_A_SESSION):
            if not run.goes_on:
                return
            asked = {"category": chance.choice(themes.categories).id}
            if chance.random() < 0.5:
                asked["mood"] = chance.choice(themes.moods).id
            page = "" if chance.random() < 0.8 else chance.choice(("library", "ingest"))
            session.run(page, asked if not page else {})
            run.count("presses")
            time.sleep(chance.uniform(0.5, 2.0))


def ask(run: Run, chance: random.Random) -> None:
    themes = taxonomy.load()
    body = {"category": chance.choice(themes.categories).id, "mood": chance.choice(themes.moods).id, "limit": 12}
    request(run, "POST", "/search", json.dumps(body).encode(), {"Content-Type": "application/json"})
    run.count("searches")
    time.sleep(chance.uniform(0.3, 1.0))


def play(run: Run, chance: random.Random) -> None:
    """Play a video from somewhere in it, a piece after the other, as a browser asks for it."""
    videos = listed(run)
    if not videos:
        time.sleep(1.0)
        return
    address = urlsplit(chance.choice(videos)["url"])
    at, piece = 0, 4096
    for _ in range(4):
        headers = {"Range": f"bytes={at}-{at + piece - 1}"}
        status, _ = request(run, "GET", address.path, None, headers, also=(404, 416))  # it may have been deleted
        if status != 206:
            break
        at += piece
    run.count("plays")
    time.sleep(chance.uniform(0.5, 1.5))


def add(run: Run, chance: random.Random) -> None:
    """Drop a file that nobody has seen on Ingest, and stay until it is in the library."""
    if len(listed(run)) > VIDEOS * 1.5:
        time.sleep(1.0)
        return
    name = f"film {uuid.uuid4().hex[:8]}.mp4"
    run.awaited.add(name)
    try:
        with Session(run) as session:
            session.run("ingest", {})
            session.upload(name, unlike(chance.choice(run.films)))
            deadline = time.monotonic() + READY_S
            while not any(video["filename"] == name for video in listed(run)):
                if time.monotonic() > deadline:
                    raise WrongError(f"{name} did not get ready; Ingest says: {' | '.join(session.words)}")
                time.sleep(0.5)
                session.run("ingest", {})
    finally:
        run.awaited.discard(name)
    run.count("uploads")
    time.sleep(chance.uniform(0.5, 2.0))


def remove(run: Run, chance: random.Random) -> None:
    """Rename a video, and delete one as long as there are enough; none that somebody waits for."""
    videos = [video for video in listed(run) if video["filename"] not in run.awaited]
    if len(videos) > VIDEOS // 2:
        one = chance.choice(videos)["video_id"]
        body = json.dumps({"title": f"Renamed {chance.randrange(100)}"}).encode()
        request(run, "PATCH", f"/api/videos/{one}", body, {"Content-Type": "application/json"}, also=(404,))
    if len(videos) > VIDEOS:
        one = chance.choice(videos)["video_id"]
        request(run, "DELETE", f"/api/videos/{one}", also=(404,))
        run.count("deletes")
    time.sleep(chance.uniform(0.5, 1.5))


def fill(run: Run) -> None:
    """Put some videos into the library."""
    with Session(run) as session:
        for number in range(VIDEOS):
            session.run("ingest", {})
            session.upload(f"first {number}.mp4", unlike(run.films[number % len(run.films)]))
    deadline = time.monotonic() + READY_S
    while len(listed(run)) < VIDEOS:
        if time.monotonic() > deadline:
            raise SystemExit("The library was not filled in time.")
        time.sleep(0.5)


# How they speak to the app


def request(
    run: Run,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    *,
    also: tuple[int, ...] = (),
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", run.port, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        data = answer.read()
    finally:
        connection.close()
    if not 200 <= answer.status < 300 and answer.status not in also:
        raise WrongError(f"{method} {path}: {answer.status} {data[:200]!r}")
    return answer.status, data


def listed(run: Run) -> list[dict]:
    return json.loads(request(run, "GET", "/api/videos?limit=100")[1])["videos"]


class Session:
    """One visit, as Streamlit's own client makes it."""

    def __init__(self, run: Run) -> None:
        self._run, self._id, self._uploader = run, "", ""
        self._origin = f"http://127.0.0.1:{run.port}"
        _, _ = request(run, "GET", "/")
        self._opening = connect(
            f"ws://127.0.0.1:{run.port}/_stcore/stream",
            origin=self._origin,
            subprotocols=["streamlit"],
            max_size=None,
            open_timeout=PATIENCE_S,
        )

    def __enter__(self) -> Session:
        self._socket: ClientConnection = self._opening.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._opening.__exit__(*error)

    def run(self, page: str, asked: dict[str, str], uploaded: tuple[str, int, str, object] | None = None) -> None:
        """Run the script of a page to its end, as a press does. Raises WrongError for what a person would see."""
        message = BackMsg()
        message.rerun_script.query_string = urlencode(asked)
        message.rerun_script.page_name = page
        if uploaded is not None:
            name, size, file_id, urls = uploaded
            widget = message.rerun_script.widget_states.widgets.add(id=self._uploader)
            info = widget.file_uploader_state_value.uploaded_file_info.add(name=name, size=size, file_id=file_id)
            info.file_urls.CopyFrom(urls)
        self._socket.send(message.SerializeToString())
        self.words: list[str] = []
        """What the page says as text."""
        runs = 1
        for told in self._told():
            kind = told.WhichOneof("type")
            if kind == "new_session":
                self._id = told.new_session.initialize.session_id or self._id
            elif kind == "delta":
                self._see(told)
            elif kind == "script_finished":
                # A script that asks to be run again at once says so, and its next run follows.
                runs += told.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN
                runs -= 1
                if runs == 0:
                    return

    def upload(self, name: str, content: bytes) -> None:
        """Drop a file on the uploader that the page last showed."""
        ask_ = BackMsg()
        ask_.file_urls_request.request_id = uuid.uuid4().hex
        ask_.file_urls_request.file_names.append(name)
        ask_.file_urls_request.session_id = self._id
        self._socket.send(ask_.SerializeToString())
        urls = next(told.file_urls_response for told in self._told() if told.WhichOneof("type") == "file_urls_response")
        if urls.error_msg:
            raise WrongError(urls.error_msg)
        [where] = urls.file_urls
        boundary = uuid.uuid4().hex
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Origin": self._origin}
        request(self._run, "PUT", where.upload_url, body, {**headers, **self._xsrf()})
        self.run("ingest", {}, (name, len(content), where.file_id, where))

    def _xsrf(self) -> dict[str, str]:
        """Return the headers that show a request is from a page of this app."""
        connection = http.client.HTTPConnection("127.0.0.1", self._run.port, timeout=PATIENCE_S)
        try:
            connection.request("GET", "/_stcore/health")
            answer = connection.getresponse()
            answer.read()
            found = re.search(r"_streamlit_xsrf=([^;]+)", answer.headers.get("Set-Cookie", ""))
        finally:
            connection.close()
        return {} if found is None else {"Cookie": f"_streamlit_xsrf={found[1]}", "X-Xsrftoken": found[1]}

    def _told(self) -> Iterator[ForwardMsg]:
        while True:
            message = ForwardMsg()
            message.ParseFromString(self._socket.recv(timeout=PATIENCE_S))
            yield message

    def _see(self, told: ForwardMsg) -> None:
        element = told.delta.new_element
        match element.WhichOneof("type"):
            case "file_uploader":
                self._uploader = element.file_uploader.id
            case "text" | "markdown" | "heading" as kind:
                self.words.append(getattr(element, kind).body[:80])
            case "exception":
                raise WrongError(f"a page ended with {element.exception.type}: {element.exception.message}")
            case "alert" if element.alert.format == element.alert.ERROR:
                raise WrongError(f"a page says: {element.alert.body}")


# What it takes


def usage(pid: int) -> tuple[float, ...]:
    """Return COLUMNS of a process and of all that it started."""
    memory, threads, own, mapped = 0.0, 0, 0.0, 0.0
    for one in family(pid):
        with _gone_is_nothing():
            status = Path(f"/proc/{one}/status").read_text("ascii", "replace")
            resident, anonymous, threads_here = (
                int(re.search(rf"{name}:\s+(\d+)", status)[1]) for name in ("VmRSS", "RssAnon", "Threads")
            )
            memory += resident / 1024
            threads += threads_here
            if one == pid:
                own, mapped = anonymous / 1024, (resident - anonymous) / 1024
    kinds = opened(family(pid))
    sockets = sum(kinds[kind] for kind in SOCKETS)
    return memory, kinds.total() - sockets, threads, sockets, own, mapped, memory - own - mapped


def sockets_of(pid: int) -> int:
    """Return how many sockets a process has open, those that wake its event loops too."""
    kinds = opened([pid])
    return sum(kinds[kind] for kind in SOCKETS)


def opened(pids: list[int]) -> Counter[str]:
    """Return how many files of each kind are open; sockets, pipes, and paths without what is different in each."""
    kinds: Counter[str] = Counter()
    for one in pids:
        with _gone_is_nothing():
            for number in os.listdir(f"/proc/{one}/fd"):
                with _gone_is_nothing():
                    path = os.readlink(f"/proc/{one}/fd/{number}")
                    kinds[_VARIES.sub("…", path)] += 1
    return kinds


def family(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        with _gone_is_nothing():
            for task in os.listdir(f"/proc/{one}/task"):
                found += map(int, Path(f"/proc/{one}/task/{task}/children").read_text("ascii").split())
    return found


@contextmanager
def _gone_is_nothing() -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, ProcessLookupError, TypeError):
        pass


def told(run: Run, readings: np.ndarray, lines: list[str]) -> int:
    """Print what came of it; return the exit code."""
    in_all = readings[-1, 0]
    later = readings[readings[:, 0] >= max(in_all / 3, min(WARM_MINUTES, in_all / 2))]
    minutes = later[-1, 0] - later[0, 0]
    print(f"{', '.join(f'{n:,} {what}' for what, n in sorted(run.done.items()))} in {readings[-1, 0]:.1f} minutes")
    print(f"{'':10}{'start':>9}{'warm':>9}{'end':>9}{'highest':>9}{f'a minute, over {minutes:.1f}':>22}")
    met = True
    for column, (name, most) in enumerate(COLUMNS.items(), start=1):
        values, slope = readings[:, column], theil_sen(later[:, 0], later[:, column])
        met &= most is None or slope < most
        print(
            f"{name:10}{values[0]:9.0f}{np.median(later[: len(later) // 5 + 1, column]):9.0f}"
            f"{np.median(later[-(len(later) // 5 + 1) :, column]):9.0f}{values.max():9.0f}{slope:+22.2f}"
        )
    grown = run.opened[-1] - run.opened[len(run.opened) // 3]
    for kind in SOCKETS:
        del grown[kind]
    if grown.total() > COLUMNS["files"]:
        print(f"files that were not open before: {', '.join(f'{n} {what}' for what, n in grown.most_common(5))}")
    print(f"sockets of the server: {run.sockets[0]} before, {run.sockets[1]} when everybody had left")
    met &= run.sockets[1] <= run.sockets[0] + SOCKETS_LEFT
    print(f"went wrong: {len(run.wrong)}; lines of errors in the log: {len(lines)}")
    for what, times in Counter(_VARIES.sub("…", one) for one in (*run.wrong, *lines)).most_common(10):
        print(f"{times} times: {what[:600]}")
    met &= not run.wrong and not lines
    said = "met" if met else "MISSED"
    print(f"memory under {COLUMNS['MB']:g} MB a minute, files and threads level, nothing left, no error: {said}")
    return 0 if met else 1


def theil_sen(x: np.ndarray, y: np.ndarray) -> float:
    """Return the median slope of all pairs of readings."""
    one, other = np.triu_indices(len(x), k=1)
    return float(np.median((y[other] - y[one]) / (x[other] - x[one])))


def unlike(film: bytes) -> bytes:
    """Return a film with an empty box at its end that no other has: another content that looks the same."""
    return film + struct.pack(">I4s", 24, b"free") + uuid.uuid4().bytes


def _film(folder: Path, number: int) -> bytes:
    path = folder / f"{number}.mp4"
    make_video(path, seconds=2.0, size=(160, 90), fps=10, pattern=plain(*COLOURS[number]), audio="aac")
    return path.read_bytes()


def _log(server: Server) -> str:
    return (server.data_dir.parent / f"server-{server.port}.log").read_text("utf-8", "replace")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--keep", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
