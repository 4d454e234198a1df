"""A Hugging Face Hub on loopback, as much of it as huggingface_hub asks for: what a repository holds, and its files.

To try the download by hand, with a tiny model that knows colours:

    python -m tests.servers.hub            # prints what to set
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import tempfile
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseServer
from typing import Literal
from urllib.parse import unquote, urlsplit

from core.encoders.clip_models import ClipModel, Folders, named
from tests.models import write_towers
from tests.servers import LocalServer

LARGE = (".onnx", "tokenizer.json")
"""Files that are kept in large-file storage: on another address, with a SHA-256."""


@dataclass
class Fault:
    """One way to fail, for the next `times` requests whose path ends in `path`.

    `status` answers with a status; `cut` closes the connection after `after` bytes of the body; `wrong` changes the
    last byte; `slow` sends a chunk of `after` bytes every tenth of a second; `hang` says nothing until the server is
    released; `whole` takes no notice of Range.
    """

    kind: Literal["status", "cut", "wrong", "slow", "hang", "whole"] = "status"
    path: str = ""
    times: int = 1_000_000
    status: int = 503
    after: int = 0


@dataclass
class Repository:
    revision: str
    files: dict[str, bytes] = field(default_factory=dict)


class HubServer(LocalServer):
    """Hold repositories in memory and hand them out; `seen` is each request as its path and Range."""

    fault_type = Fault

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.repositories: dict[str, Repository] = {}
        self.seen: list[tuple[str, str | None]] = []

    def add(self, repo: str, files: dict[str, bytes]) -> None:
        """Put files into a repository; its revision follows from what is in it."""
        held = self.repositories.setdefault(repo, Repository(""))
        held.files.update(files)
        digest = hashlib.sha1(usedforsecurity=False)
        for name, body in sorted(held.files.items()):
            digest.update(name.encode() + body)
        held.revision = digest.hexdigest()

    def add_model(self, model: ClipModel | None = None) -> ClipModel:
        """Put a model that knows colours where this one is looked for, and return it."""
        model = model or named("clip")
        with tempfile.TemporaryDirectory() as folder:
            folders = Folders(Path(folder) / "vision", Path(folder) / "text")
            write_towers(model, folders)
            for tower, inside in ((model.vision, folders.vision), (model.text, folders.text)):
                found = {str(p.relative_to(inside)): p.read_bytes() for p in inside.rglob("*") if p.is_file()}
                self.add(tower.repo, found)
        return model

    def asked(self, ending: str) -> list[str | None]:
        """Return the Range of each request for a path that ends so; None for one without."""
        return [asked for path, asked in self.seen if path.endswith(ending)]

    def take_fault(self, path: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.times > 0 and path.endswith(fault.path):
                    fault.times -= 1
                    return fault
        return None

    def _listen(self, port: int) -> BaseServer:
        server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
        server.daemon_threads = True
        server.hub = self  # type: ignore[attr-defined]
        return server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, *, body: bool) -> None:
        hub: HubServer = self.server.hub  # type: ignore[attr-defined]
        path = unquote(urlsplit(self.path).path)
        hub.seen.append((path, self.headers.get("Range")))
        fault = hub.take_fault(path)
        if fault and fault.kind == "status":
            self._send(fault.status, b"{}", "application/json")
        elif fault and fault.kind == "hang":
            hub.wait_released()
            self.close_connection = True
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/[^/]+)?", path):
            self._describe(hub.repositories.get(found[1]), found[1])
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._resolve(hub.repositories.get(found[1]), found[1], found[3], fault, body)
        elif found := re.fullmatch(r"/large/([^/]+/[^/]+)/(.+)", path):
            self._hand_out(hub.repositories[found[1]].files[found[2]], fault, body)
        else:
            self._send(404, b"{}", "application/json")

    def _describe(self, repository: Repository | None, name: str) -> None:
        if repository is None:
            self._send(404, b"{}", "application/json", {"X-Error-Code": "RepoNotFound"})
            return
        siblings = []
        for file, body in repository.files.items():
            row: dict[str, object] = {"rfilename": file, "size": len(body), "blobId": git_hash(body)}
            if file.endswith(LARGE):
                row["lfs"] = {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body), "pointerSize": 130}
            siblings.append(row)
        told = {"_id": "1", "id": name, "modelId": name, "sha": repository.revision, "siblings": siblings}
        self._send(200, json.dumps(told | {"private": False, "tags": [], "downloads": 0}).encode(), "application/json")

    def _resolve(self, repository: Repository | None, repo: str, file: str, fault: Fault | None, body: bool) -> None:
        if repository is None or file not in repository.files:
            self._send(404, b"", "text/plain", {"X-Error-Code": "EntryNotFound"})
        elif file.endswith(LARGE) and fault is None:
            self._send(302, b"", "text/plain", {"Location": f"{self.server.hub.url}/large/{repo}/{file}"})  # type: ignore[attr-defined]
        else:
            self._hand_out(repository.files[file], fault, body)

    def _hand_out(self, whole: bytes, fault: Fault | None, body: bool) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        begin = int(asked[1]) if asked and not (fault and fault.kind == "whole") else 0
        sent = whole[begin:]
        if fault and fault.kind == "wrong":
            sent = sent[:-1] + bytes([sent[-1] ^ 1])
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(sent)))
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(whole) - 1}/{len(whole)}")
        self.end_headers()
        if not body:
            return
        if fault and fault.kind == "cut":
            self.wfile.write(sent[: fault.after])
            self.wfile.flush()
            self.connection.close()
            self.close_connection = True
            return
        step = fault.after if fault and fault.kind == "slow" else len(sent) or 1
        for start in range(0, len(sent), step):
            try:
                self.wfile.write(sent[start : start + step])
            except OSError:  # Who asked has gone.
                return
            if fault and fault.kind == "slow":
                time.sleep(0.1)

    def _send(self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def git_hash(body: bytes) -> str:
    """Return what Git calls a file of these bytes."""
    return hashlib.sha1(f"blob {len(body)}\0".encode() + body, usedforsecurity=False).hexdigest()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--port", type=int, default=9300)
    arguments.add_argument("--slow", type=int, metavar="BYTES", help="send this many bytes every tenth of a second")
    given = arguments.parse_args()
    with HubServer(given.port) as server:
        for name in ("clip", "siglip2"):
            server.add_model(named(name))
        if given.slow:
            server.fail("slow", path=".onnx", after=given.slow)
        print(f"HF_ENDPOINT={server.url}\nStop with Ctrl-C.", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
