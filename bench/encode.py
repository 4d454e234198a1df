"""What does local encoding cost beside only decoding, and does its memory grow with the length of a video?

    python bench/encode.py [CORPUS_DIR]

1. Every video of CORPUS_DIR (or $CORPUS_DIR, or ../shared/corpus) is encoded by the real encoder, and decoded with
   PyAV, pictures and sound, every frame thrown away; the same decoder threads, in turn, in this run. Printed is the
   ratio of the wall-clock sums (the faster of two rounds each) and of processor time. At most 2.0 is wanted.
2. A made video of one minute and one of thirty (the first, thirty times over) are encoded in processes of their own;
   printed is the peak resident memory of each. At most 30 MB more is wanted.

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

from core.encoders.local import LocalEncoder  # noqa: E402
from core.ingest.decoding import prepare  # noqa: E402
from core.models import MediaInfo, Video, ignore_progress  # noqa: E402

RATIO_TARGET = 2.0
GROWTH_TARGET_MB = 30.0
ROUNDS = 2
ENDINGS = frozenset((".mp4", ".mkv", ".mov", ".webm", ".avi", ".m4v"))


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(os.environ.get("CORPUS_DIR", ROOT / "../shared/corpus"))
    arguments.add_argument("corpus", nargs="?", type=Path, default=default)
    arguments.add_argument("--encode", type=Path, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.encode:
        encode(given.encode)
        print(own_peak_mb())
        return 0
    fast = cost(given.corpus)
    bounded = memory()
    return 0 if fast and bounded else 1


def cost(corpus: Path) -> bool:
    """Print what encoding and decoding a corpus cost, and return whether their ratio is kept."""
    paths = sorted(path for path in corpus.iterdir() if path.suffix.lower() in ENDINGS)
    if not paths:
        sys.exit(f"There is no video in {corpus}. Name a folder with videos.")
    encoding, decoding = np.zeros(2), np.zeros(2)
    print(f"{'video':40}{'decode s':>10}{'encode s':>10}{'ratio':>8}")
    for path in paths:
        decoded, encoded = [], []
        for _ in range(ROUNDS):  # In turn, so that a busy moment of the machine falls on both.
            decoded.append(timed(decode, path))
            encoded.append(timed(encode, path))
        least, most = np.min(decoded, axis=0), np.min(encoded, axis=0)
        decoding, encoding = decoding + least, encoding + most
        print(f"{path.name[:39]:40}{least[0]:10.2f}{most[0]:10.2f}{most[0] / least[0]:8.2f}")
    wall, cpu = encoding / decoding
    print(f"{'all':40}{decoding[0]:10.2f}{encoding[0]:10.2f}{wall:8.2f}   target {RATIO_TARGET:.1f}", end="  ")
    print(f"{'kept' if wall <= RATIO_TARGET else 'MISSED'}; {cpu:.2f} in processor time\n")
    return bool(wall <= RATIO_TARGET)


def timed(work: Callable[[Path], object], path: Path) -> tuple[float, float]:
    """Return the wall-clock and processor seconds of a piece of work."""
    wall, cpu = time.perf_counter(), time.process_time()
    work(path)
    return time.perf_counter() - wall, time.process_time() - cpu


def decode(path: Path) -> None:
    """Decode all pictures and sound of a file and throw them away."""
    with av.open(str(path)) as container:
        streams = [s for s in (container.streams.best("video"), container.streams.best("audio")) if s is not None]
        prepare(streams[0].codec_context)
        for packet in container.demux(streams):
            packet.decode()


def encode(path: Path) -> None:
    """Encode a file as the product does."""
    info = MediaInfo(0.0, path.stat().st_size, 0, 0, 0, 0.0, "", "", None, "as-is")
    LocalEncoder().encode_video(Video(path, path.name, path.stem, "", info), {}, ignore_progress)


def memory() -> bool:
    """Print the peak memory of encoding a short and a long video, and return whether the growth is kept."""
    with tempfile.TemporaryDirectory() as folder:
        short = make_minute(Path(folder) / "1.mp4")
        long = repeat(short, Path(folder) / "30.mp4", times=30)
        peaks = [peak_mb(short), peak_mb(long)]
    growth = peaks[1] - peaks[0]
    print(f"peak resident memory: 1 minute {peaks[0]:.0f} MB, 30 minutes {peaks[1]:.0f} MB", end="; ")
    print(
        f"growth {growth:.1f} MB   target {GROWTH_TARGET_MB:.0f}  {'kept' if growth <= GROWTH_TARGET_MB else 'MISSED'}"
    )
    return growth <= GROWTH_TARGET_MB


def peak_mb(path: Path) -> float:
    """Return the peak resident memory of a new process that encodes a file."""
    done = subprocess.run([sys.executable, __file__, "--encode", str(path)], capture_output=True, text=True, check=True)
    return float(done.stdout)


def own_peak_mb() -> float:
    """Return the peak resident memory of this process; getrusage would count that of the parent it was forked from."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


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
