"""Get a model for the clip encoder from the Hugging Face Hub, once; list and remove what is here.

huggingface_hub says what the files of a repository are: their sizes, checksums and addresses. The bytes are fetched
here, because it (1.33) keeps nothing of a file that was cut off and over plain HTTP compares sizes only. What has
arrived stays as a `.part` and is gone on from, and each file is compared with the checksum the Hub states (SHA-256
where it is kept in large-file storage, Git's SHA-1 elsewhere) before it gets its name.

A model counts as here (`clip_models.find`) from the last thing that is written: `refs/main` of its repositories. That
is done when it was loaded and has seen a picture and read a text, so until then nothing changes.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from core import files
from core.encoders import clip_models
from core.encoders.clip_models import ClipModel, Folders
from core.errors import AppError, Cancelled, EncoderError, Sentence, StoreError, Unavailable

ASK_S = 8.0
"""How long the Hub may take to answer, and to send the next bytes."""
TRIES = 4
"""How often a file that is cut off is gone on from without a single byte arriving in between."""
PAUSES_S = (0.5, 2.0, 5.0)
SPARE_BYTES = 200_000_000
"""What must stay free on the disk beside the model."""

OnBytes = Callable[[int, int], None]
"""Told the bytes that are here and all there are. It may raise Cancelled, which ends the work; what came stays."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file of a repository as the Hub describes it."""

    repo: str
    revision: str
    name: str
    size_bytes: int
    checksum: str
    kind: Literal["sha256", "git"]

    def target(self, cache_dir: Path) -> Path:
        return repo_dir(cache_dir, self.repo) / "snapshots" / self.revision / self.name

    def part(self, cache_dir: Path) -> Path:
        """Return where it is kept while it arrives: by its checksum, so that another version is not gone on from."""
        return repo_dir(cache_dir, self.repo) / "parts" / f"{self.checksum}.part"


@dataclass(frozen=True, slots=True)
class Listed:
    """A model of the table, and what of it is on this machine."""

    model: ClipModel
    here: bool
    bytes_here: int


def repo_dir(cache_dir: Path, repo: str) -> Path:
    return cache_dir / f"models--{repo.replace('/', '--')}"


def get(
    model: ClipModel, cache_dir: Path, on_bytes: OnBytes, *, threads: int = 1, endpoint: str | None = None
) -> Folders:
    """Download a model, or what is missing or damaged of it, try it out, and return where it lies.

    Raises Unavailable without network, StoreError where there is no room, EncoderError for what does not work, and
    what `on_bytes` raises. What has arrived by then stays and is gone on from the next time.
    """
    wanted = [file for repo in _repos(model) for file in _described(model, repo, endpoint)]
    arriving = Arriving(cache_dir, wanted, on_bytes)
    arriving.check_room()
    for file in wanted:
        arriving.fetch(file, endpoint)
    revisions = {file.repo: file.revision for file in wanted}
    folders = Folders(
        *(repo_dir(cache_dir, tower.repo) / "snapshots" / revisions[tower.repo] for tower in model.towers)
    )
    try_out(model, folders, threads)
    for repo, revision in revisions.items():
        with _on_disk():
            files.write_text(repo_dir(cache_dir, repo) / "refs" / "main", revision)
    _tidy(cache_dir, revisions)
    return folders


def try_out(model: ClipModel, folders: Folders, threads: int = 1) -> str:
    """Load a model, let it see two pictures and read two texts, and return what was found; a sentence without its end.

    Raises EncoderError when it cannot be loaded, or makes the same of unlike pictures, or something else each time.
    """
    from core.encoders.clip import Towers

    towers = Towers(model, folders, threads)
    side = model.side_px
    red, blue = (np.full((side, side, 3), colour, np.uint8) for colour in ((220, 30, 30), (30, 30, 220)))
    texts = towers.read(["a red picture", "a blue picture"])
    towers.see([red])
    begun = time.perf_counter()
    pictures = towers.see([red, blue])
    each_ms = 500 * (time.perf_counter() - begun)
    again = towers.see([red])
    if float(np.abs(again[0] - pictures[0]).max()) > 1e-3 or float(pictures[0] @ pictures[1]) > 0.9999:
        raise EncoderError(
            "The model {name} was loaded and does not work: it cannot tell a red picture from a blue one. Get it "
            "again: python -m core model remove {name}, then python -m core model get {name}.",
            name=model.name,
        )
    matched = float((texts * pictures).sum() - (texts * pictures[::-1]).sum())
    tells = "which is which" if matched > 0 else "that they differ"
    return f"saw a red and a blue picture and could tell {tells}; {each_ms:.0f} ms a picture"


def listed(cache_dir: Path) -> list[Listed]:
    """Return every model there is, with what of it is in our cache."""
    return [
        Listed(
            model,
            clip_models.find(model, cache_dir) is not None,
            sum(_bytes_in(repo_dir(cache_dir, repo)) for repo in _repos(model)),
        )
        for model in clip_models.MODELS
    ]


def remove(model: ClipModel, cache_dir: Path) -> int:
    """Delete a model from our cache and return the bytes that this gave back; 0 where it was not here."""
    freed = 0
    for repo in _repos(model):
        folder = repo_dir(cache_dir, repo)
        freed += _bytes_in(folder)
        # First what says that it is here, so that a half-removed one does not count.
        with _on_disk():
            (folder / "refs" / "main").unlink(missing_ok=True)
            if folder.is_dir():
                shutil.rmtree(folder)
    return freed


class Arriving:
    """The files of one download: which are here already, and how many bytes of all."""

    def __init__(self, cache_dir: Path, wanted: list[Wanted], on_bytes: OnBytes) -> None:
        self._cache_dir = cache_dir
        self._wanted = wanted
        self._on_bytes = on_bytes
        self._total = sum(file.size_bytes for file in wanted)
        self._here = {file: self._bytes_of(file) for file in wanted}
        self._tell()

    def check_room(self) -> None:
        """Raise StoreError unless what is missing fits on the disk."""
        missing = self._total - sum(self._here.values())
        self._cache_dir.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self._cache_dir).free
        if missing and free < missing + SPARE_BYTES:
            raise StoreError(
                "The model needs {needed} of free disk under {folder}, and {free} are free. Make room, or point "
                "DATA_DIR at a larger disk.",
                needed=_gb(missing + SPARE_BYTES),
                folder=self._cache_dir.absolute(),
                free=_gb(free),
            )

    def fetch(self, file: Wanted, endpoint: str | None) -> None:
        """Bring one file here whole, or leave it where it is if it is."""
        target, part = file.target(self._cache_dir), file.part(self._cache_dir)
        if target.is_file() and self._is_right(target, file):
            self._note(file, file.size_bytes)
            return
        part.parent.mkdir(parents=True, exist_ok=True)
        tries = 0
        while (begun := _size(part)) < file.size_bytes:
            try:
                self._stream(file, part, endpoint)
            except Unavailable:
                tries = 1 if _size(part) > begun else tries + 1
                if tries >= TRIES:
                    raise
                self._pause(PAUSES_S[min(tries, len(PAUSES_S)) - 1])
        if not self._is_right(part, file):
            part.unlink(missing_ok=True)
            raise EncoderError(
                "{name} of {repo} did not arrive as the Hub describes it (its checksum differs) and was thrown "
                "away. Try again; if it stays so, something on the way changes what is downloaded.",
                name=file.name,
                repo=file.repo,
            )

        with _on_disk():
            target.parent.mkdir(parents=True, exist_ok=True)
            part.replace(target)

    def _stream(self, file: Wanted, part: Path, endpoint: str | None) -> None:
        """Add to a part what is missing of it. Raises Unavailable when it is cut off."""
        with _hub_errors(file.repo), part.open("ab") as sink:
            begun = sink.tell()
            for chunk in _chunks(file, begun, endpoint):
                if chunk is None:  # All of it comes again: the server does not go on from where we are.
                    sink.truncate(0)
                    begun = 0
                    continue
                with _on_disk():
                    sink.write(chunk)
                begun += len(chunk)
                self._note(file, begun)

    def _is_right(self, path: Path, file: Wanted) -> bool:
        if _size(path) != file.size_bytes:
            return False
        digest = hashlib.sha256() if file.kind == "sha256" else hashlib.sha1(usedforsecurity=False)
        if file.kind == "git":
            digest.update(f"blob {file.size_bytes}\0".encode())
        with path.open("rb") as source:
            while chunk := source.read(4 * 1024 * 1024):
                digest.update(chunk)
                self._tell()
        return digest.hexdigest() == file.checksum

    def _bytes_of(self, file: Wanted) -> int:
        size = _size(file.target(self._cache_dir))
        return size if size == file.size_bytes else min(_size(file.part(self._cache_dir)), file.size_bytes)

    def _note(self, file: Wanted, size_bytes: int) -> None:
        self._here[file] = size_bytes
        self._tell()

    def _tell(self) -> None:
        self._on_bytes(sum(self._here.values()), self._total)

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._tell()  # Cancelled comes from here.
            time.sleep(0.05)


# -- the Hub -------------------------------------------------------------------------------------------------------


def _repos(model: ClipModel) -> list[str]:
    return list(dict.fromkeys(tower.repo for tower in model.towers))


def _described(model: ClipModel, repo: str, endpoint: str | None) -> Iterator[Wanted]:
    """Yield the files of a repository that a model needs. Raises Unavailable at once where there is no network."""
    with _hub_errors(repo):
        there = _files(repo, endpoint)
    for tower in (tower for tower in model.towers if tower.repo == repo):
        for name in (*tower.beside, tower.weights):
            if name in there:
                yield there[name]
            elif name not in clip_models.SPARE_FILES:
                raise EncoderError(
                    "{repo} has no file {name} any more, so {name2} cannot be got. Choose another CLIP_MODEL.",
                    repo=repo,
                    name=name,
                    name2=model.name,
                )


def _files(repo: str, endpoint: str | None) -> dict[str, Wanted]:
    """Return the files of the newest revision of a repository by name."""
    from huggingface_hub import HfApi

    # No token: these models are public, and a wrong one would be refused.
    info = HfApi(endpoint=endpoint, token=False).model_info(repo, files_metadata=True, timeout=ASK_S, token=False)
    found = {}
    for file in info.siblings or []:
        if info.sha is None or file.size is None or file.blob_id is None:
            raise Unavailable(
                "The Hub does not say what {name} of {repo} is. Try again later.", name=file.rfilename, repo=repo
            )
        kind: Literal["sha256", "git"] = "sha256" if file.lfs else "git"
        checksum = file.lfs.sha256 if file.lfs else file.blob_id
        found[file.rfilename] = Wanted(repo, info.sha, file.rfilename, file.size, checksum, kind)
    return found


def _chunks(file: Wanted, begun: int, endpoint: str | None) -> Iterator[bytes | None]:
    """Yield the bytes of a file from a place on; None first where the server sends it from the beginning.

    Through huggingface_hub's own session, so that proxies and certificates are as it has them.
    """
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import get_session, hf_raise_for_status, httpx

    url = hf_hub_url(file.repo, file.name, revision=file.revision, endpoint=endpoint)
    # As it is: compressed on the way, sizes and places would mean nothing.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={begun}-"} if begun else {})
    with get_session().stream(
        "GET", url, headers=headers, follow_redirects=True, timeout=httpx.Timeout(ASK_S)
    ) as answer:
        hf_raise_for_status(answer)
        if begun and answer.status_code != 206:
            yield None
            begun = 0
        for chunk in answer.iter_raw():
            begun += len(chunk)
            if begun > file.size_bytes:
                raise EncoderError(
                    "{name} of {repo} is longer than the Hub says. Try again later.", name=file.name, repo=file.repo
                )
            yield chunk
    if begun < file.size_bytes:
        raise httpx.RemoteProtocolError("The connection was closed before the end.")


@contextmanager
def _hub_errors(repo: str) -> Iterator[None]:
    """Turn what goes wrong with the Hub into a sentence."""
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
    from huggingface_hub.utils import httpx

    try:
        yield
    except OfflineModeIsEnabled as error:
        raise Unavailable(
            "HF_HUB_OFFLINE is set, so nothing is downloaded. Unset it to get the model, or set CLIP_MODEL_DIR to a "
            "folder with it."
        ) from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status in (401, 403, 404):
            raise EncoderError(
                "The Hub does not give out {repo} (it answered {status}). Choose another CLIP_MODEL.",
                repo=repo,
                status=status,
            ) from error
        raise Unavailable(
            "The Hub answered {status} for {repo}. Try again in a few minutes.", status=status, repo=repo
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise Unavailable(
            "The Hugging Face Hub cannot be reached, or stopped answering ({kind}). Check the network and try "
            "again: what is here already is kept. Without network, set CLIP_MODEL_DIR to a folder with the model.",
            kind=type(error).__name__,
        ) from error


# -- the disk ------------------------------------------------------------------------------------------------------


@contextmanager
def _on_disk() -> Iterator[None]:
    """Turn what goes wrong with the disk into a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreError(
                "The disk is full. Make room and try again: the download goes on from where it was."
            ) from error
        raise StoreError(
            "The model cannot be written ({why}). Check the folder that DATA_DIR names.", why=error.strerror or error
        ) from error


def _tidy(cache_dir: Path, revisions: dict[str, str]) -> None:
    """Delete parts and older snapshots of repositories, which nothing uses from now on."""
    for repo, revision in revisions.items():
        folder = repo_dir(cache_dir, repo)
        shutil.rmtree(folder / "parts", ignore_errors=True)
        for snapshot in (folder / "snapshots").iterdir():
            if snapshot.name != revision:
                shutil.rmtree(snapshot, ignore_errors=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _bytes_in(folder: Path) -> int:
    return sum(_size(path) for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0


def _gb(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB"


# -- in the background ---------------------------------------------------------------------------------------------

Stage = Literal["idle", "asking", "downloading", "trying", "ready", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Getting:
    """How far a model has been got."""

    stage: Stage = "idle"
    model: ClipModel | None = None
    done_bytes: int = 0
    total_bytes: int = 0
    reason: str | None = None
    """Why it failed."""

    @property
    def is_over(self) -> bool:
        return self.stage in ("idle", "ready", "failed", "cancelled")


class Getter:
    """Get one model at a time in the background; what pages poll. Safe to call from several threads."""

    def __init__(
        self,
        cache_dir: Path,
        *,
        threads: int = 1,
        endpoint: str | None = None,
        on_ready: Callable[[ClipModel], None] = lambda model: None,
    ) -> None:
        """`on_ready` is called in the background with a model that has been got; it may raise AppError."""
        self.cache_dir = cache_dir
        self._threads = threads
        self._endpoint = endpoint
        self._on_ready = on_ready
        self._lock = threading.Lock()
        self._state = Getting()
        self._cancelled = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> Getting:
        with self._lock:
            return self._state

    def start(self, model: ClipModel) -> None:
        """Begin to get a model; nothing happens while one is being got."""
        with self._lock:
            if not self._state.is_over:
                return
            self._state = Getting("asking", model)
            self._cancelled.clear()
            self._thread = threading.Thread(target=self._run, args=(model,), name="get-model", daemon=True)
            self._thread.start()

    def cancel(self) -> None:
        """End it soon; what has arrived stays."""
        self._cancelled.set()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Cancel, and wait until it has ended."""
        self.cancel()
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)

    def wait(self, timeout_s: float) -> Getting:
        """Return the state when it is over, or after a time."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return self.state

    def _run(self, model: ClipModel) -> None:
        try:
            get(model, self.cache_dir, self._told, threads=self._threads, endpoint=self._endpoint)
            self._on_ready(model)
        except Cancelled:
            self._set(stage="cancelled")
        except AppError as error:
            self._set(stage="failed", reason=error.sentence)
        except BaseException as error:
            self._set(
                stage="failed",
                reason=Sentence("Something unforeseen went wrong ({kind}). See the log.", kind=type(error).__name__),
            )
            raise
        else:
            self._set(stage="ready")

    def _told(self, done_bytes: int, total_bytes: int) -> None:
        if self._cancelled.is_set():
            raise Cancelled
        self._set(
            stage="trying" if done_bytes >= total_bytes else "downloading",
            done_bytes=done_bytes,
            total_bytes=total_bytes,
        )

    def _set(self, **changes: Any) -> None:
        with self._lock:
            self._state = replace(self._state, **changes)
