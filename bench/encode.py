"""What does encoding cost beside only decoding, and does its memory grow with the length of a video?

    python bench/encode.py [CORPUS_DIR] [--encoder local|clip] [--model-dir DIR]

1. Every video of CORPUS_DIR (or $CORPUS_DIR, or ../shared/corpus) is encoded by the real encoder, and decoded with
   PyAV, pictures and sound, every frame thrown away; the same decoder threads, in turn, in this run. Printed is the
   ratio of the wall-clock sums (the faster of two rounds each) and of processor time, that of the worker process that
   decodes for the encoder included (bench/sandbox.py tells what that costs). At most 2.0 is wanted of the
   local encoder. Of clip the model alone is timed too, on the same frames in the same batches, and all that is not the
   model is wanted to cost at most 1.5 times decoding.
2. A made video of one minute and one of thirty (the first, thirty times over) are encoded in processes of their own;
   printed is the peak resident memory of each, their worker included. At most 30 MB more is wanted, with clip 50.

Without --model-dir, clip runs a network of the size of ViT-B/32 with random weights (bench/vit.py): it sees nothing and
takes as long as CLIP does.

Exit 1 when either is not kept.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.encoders import clip_models  # noqa: E402
from core.encoders.base import Encoder  # noqa: E402
from core.encoders.clip import BATCH, FRAME_EVERY_S, ClipEncoder, Towers  # noqa: E402
from core.encoders.local import LocalEncoder  # noqa: E402
from core.ingest import sandbox  # noqa: E402
from core.ingest.decoding import prepare  # noqa: E402
from core.ingest.sampling import Large, Picture, sample  # noqa: E402
from core.models import MediaInfo, Video, ignore_progress  # noqa: E402

RATIO_TARGET = 2.0
BESIDE_TARGET = 1.5
GROWTH_TARGET_MB = {"local": 30.0, "clip": 50.0}
ROUNDS = 2
ENDINGS = frozenset((".mp4", ".mkv", ".mov", ".webm", ".avi", ".m4v"))


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(os.environ.get("CORPUS_DIR", ROOT / "../shared/corpus"))
    arguments.add_argument("corpus", nargs="?", type=Path, default=default)
    arguments.add_argument("--encoder", choices=("local", "clip"), default="local")
    arguments.add_argument("--model-dir", type=Path, help="a folder with vision/ and text/ for --encoder clip")
    arguments.add_argument("--model", choices=clip_models.NAMES, default="clip", help="what lies in --model-dir")
    arguments.add_argument("--threads", type=int, default=max((os.cpu_count() or 1) // 2, 1))
    arguments.add_argument("--encode", type=Path, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.encoder == "clip" and given.model_dir is None:
            given.model_dir, given.model = random_model(Path(folder)), "clip"
        encoder = make_encoder(given)
        if given.encode:
            encode(encoder, given.encode)
            print(own_peak_mb())
            return 0
        fast = cost(given.corpus, encoder)
        bounded = memory(given)
    return 0 if fast and bounded else 1


def random_model(folder: Path) -> Path:
    """Write a model of the real size that sees nothing, and return its folder."""
    from bench.vit import write_vision
    from tests.models import write_colour_model

    write_vision(write_colour_model(folder) / "vision" / "model.onnx")
    return folder


def make_encoder(given: argparse.Namespace) -> Encoder:
    if given.encoder == "local":
        return LocalEncoder()
    model = clip_models.named(given.model)
    folders = clip_models.find(model, ROOT / "data" / "models", given.model_dir)
    if folders is None:
        sys.exit(f"{given.model_dir} does not hold the model {model.name}.")
    return ClipEncoder(Towers(model, folders, given.threads))


def cost(corpus: Path, encoder: Encoder) -> bool:
    """Print what encoding and decoding a corpus cost, and return whether their ratio is kept."""
    paths = sorted(path for path in corpus.iterdir() if path.suffix.lower() in ENDINGS)
    if not paths:
        sys.exit(f"There is no video in {corpus}. Name a folder with videos.")
    if isinstance(encoder, ClipEncoder):
        encoder.towers.see([np.zeros((224, 224, 3), np.uint8)])  # Loading it is not timed.
    encode(encoder, min(paths, key=lambda path: path.stat().st_size))  # Nor is starting a worker.
    sums = np.zeros((3, 2))
    print(f"{'video':40}{'decode s':>10}{'encode s':>10}{'model s':>10}{'ratio':>8}")
    for path in paths:
        rounds = []
        frames = frames_of(path, encoder)
        for _ in range(ROUNDS):  # In turn, so that a busy moment of the machine falls on all.
            rounds.append(
                [
                    timed(lambda path=path: decode(path)),
                    timed(lambda path=path: encode(encoder, path)),
                    timed(lambda frames=frames: look(encoder, frames)),
                ]
            )
        least = np.min(rounds, axis=0)
        sums += least
        (decoded, _), (encoded, _), (looked, _) = least
        print(f"{path.name[:39]:40}{decoded:10.2f}{encoded:10.2f}{looked:10.2f}{(encoded - looked) / decoded:8.2f}")
    decoding, encoding, model = sums
    wall, cpu = (encoding - model) / decoding
    target = BESIDE_TARGET if isinstance(encoder, ClipEncoder) else RATIO_TARGET
    print(
        f"{'all':40}{decoding[0]:10.2f}{encoding[0]:10.2f}{model[0]:10.2f}{wall:8.2f}   target {target:.1f}", end="  "
    )
    print(f"{'kept' if wall <= target else 'MISSED'}; {cpu:.2f} in processor time", end="")
    print(f"; encoding is {encoding[0] / model[0]:.2f} times the model alone\n" if model[0] else "\n")
    return bool(wall <= target)


def frames_of(path: Path, encoder: Encoder) -> list[np.ndarray]:
    """Return the frames of a video that the model looks at; none where there is no model."""
    if not isinstance(encoder, ClipEncoder):
        return []
    large = Large(encoder.towers.model.side_px, FRAME_EVERY_S)
    found = [item.large for item in sample(path, large=large) if isinstance(item, Picture) and item.large is not None]
    return [frame for frame, before in zip(found, [None, *found], strict=False) if frame is not before]


def look(encoder: Encoder, frames: list[np.ndarray]) -> None:
    """Let the model alone look at frames, in the batches in which it does when it encodes."""
    if isinstance(encoder, ClipEncoder):
        for start in range(0, len(frames), BATCH):
            encoder.towers.see(frames[start : start + BATCH])


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return the wall-clock and processor seconds of a piece of work."""
    wall, cpu = time.perf_counter(), time.process_time() + worker_s()
    work()
    return time.perf_counter() - wall, time.process_time() + worker_s() - cpu


def worker_s() -> float:
    """Return the processor seconds that the worker that waits for the next file has had, 0.0 without one."""
    fields = [Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split() for worker in sandbox._idle]
    return sum(int(ticks) for field in fields for ticks in field[11:13]) / os.sysconf("SC_CLK_TCK")


def decode(path: Path) -> None:
    """Decode all pictures and sound of a file and throw them away."""
    with av.open(str(path)) as container:
        streams = [s for s in (container.streams.best("video"), container.streams.best("audio")) if s is not None]
        prepare(streams[0].codec_context)
        for packet in container.demux(streams):
            packet.decode()


def encode(encoder: Encoder, path: Path) -> None:
    """Encode a file as the product does."""
    info = MediaInfo(0.0, path.stat().st_size, 0, 0, 0, 0.0, "", "", None, "as-is")
    encoder.encode_video(Video(path, path.name, path.stem, "", info), {}, ignore_progress)


def memory(given: argparse.Namespace) -> bool:
    """Print the peak memory of encoding a short and a long video, and return whether the growth is kept."""
    with tempfile.TemporaryDirectory() as folder:
        short = make_minute(Path(folder) / "1.mp4")
        long = repeat(short, Path(folder) / "30.mp4", times=30)
        peaks = [peak_mb(short, given), peak_mb(long, given)]
    growth, target = peaks[1] - peaks[0], GROWTH_TARGET_MB[given.encoder]
    print(f"peak resident memory: 1 minute {peaks[0]:.0f} MB, 30 minutes {peaks[1]:.0f} MB", end="; ")
    print(f"growth {growth:.1f} MB   target {target:.0f}  {'kept' if growth <= target else 'MISSED'}")
    return growth <= target


def peak_mb(path: Path, given: argparse.Namespace) -> float:
    """Return the peak resident memory of a new process that encodes a file."""
    command = [sys.executable, __file__, "--encode", str(path), "--encoder", given.encoder, "--model", given.model]
    command += ["--threads", str(given.threads), *(["--model-dir", str(given.model_dir)] if given.model_dir else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def own_peak_mb() -> float:
    """Return the peak resident memory of this process and the worker that decoded for it.

    getrusage would count that of the parent they were forked from.
    """
    statuses = [Path(f"/proc/{pid}/status").read_text() for pid in (os.getpid(), *(w.pid for w in sandbox._idle))]
    return sum(int(status.partition("VmHWM:")[2].split()[0]) for status in statuses) / 1024


def make_minute(path: Path, fps: int = 12, seconds: int = 60, rate: int = 44_100) -> Path:
    """Write a minute of moving pictures with a cut every four seconds, and a tone that swells and fades."""
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast"})
        pictures.width, pictures.height, pictures.pix_fmt = 160, 90, "yuv420p"
        sound = container.add_stream("aac", rate=rate, layout="mono")
        random = np.random.default_rng(0)
        for index in range(fps * seconds):
            if index % (4 * fps) == 0:
                scene = np.kron(random.integers(0, 255, (9, 16, 3)), np.ones((10, 10, 1))).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.roll(scene, 3 * index, axis=1)), format="rgb24")
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        for start in range(0, rate * seconds, 1024):
            at = (start + np.arange(1024)) / rate
            wave = 0.4 * np.sin(2 * np.pi * 300 * at) * np.sin(2 * np.pi * 0.5 * at) ** 2
            frame = av.AudioFrame.from_ndarray(wave[None].astype(np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return path


def repeat(source: Path, path: Path, times: int) -> Path:
    """Write a file that holds another several times over, its packets copied."""
    with av.open(str(path), "w") as target:
        streams: dict[int, av.stream.Stream] = {}
        for turn in range(times):
            with av.open(str(source)) as container:
                if not streams:
                    streams = {s.index: target.add_stream_from_template(s) for s in container.streams}
                length_s = Fraction(container.duration, av.time_base) + Fraction(1, 10)
                for packet in container.demux():
                    if packet.dts is None:
                        continue
                    shift = round(turn * length_s / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = streams[packet.stream.index]
                    target.mux(packet)
    return path


if __name__ == "__main__":
    sys.exit(main())
