"""Cut one moment out of a stored video as a file of its own.

Where a key frame lies close before the moment, packets are copied as they are from that frame on: at once, and without
loss. Elsewhere a copy could only begin with pictures nobody asked for, so the moment is encoded anew, to the frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer, OutputContainer
from av.video.frame import VideoFrame

from core.errors import MediaError
from core.ingest.decoding import BROKEN, clock_of, opened, packets, picture_of, sound_of, start_of
from core.ingest.playable import CopiedTrack, PictureTrack, SoundTrack, atomic, created, not_made
from core.models import MediaInfo, Progress, ignore_progress

NEAR_S = 0.5
"""How much earlier than asked a copy may begin."""
LEAST_S = 0.1


@dataclass(frozen=True, slots=True)
class Cut:
    """A moment as a file."""

    begins_s: float
    """Where in the video it begins: up to NEAR_S earlier than asked where it was copied."""
    suffix: str
    """What the file is: ".mp4" or ".webm"."""
    copied: bool
    """Nothing was encoded anew."""


def cut(
    source: Path, info: MediaInfo, start_s: float, end_s: float, target: Path, on_progress: Progress = ignore_progress
) -> Cut:
    """Write [start_s, end_s) of a video that browsers play, as `target`, whole or not at all, and say what it became.

    Raises MediaError, and lets `Cancelled` through.
    """
    end_s = min(end_s, info.duration_s)
    if end_s - start_s < LEAST_S:
        raise MediaError("The moment is too short, or lies behind the end of the video. Choose another.")
    with atomic(target, "moment") as part, opened(source) as container:
        picture = picture_of(container)
        zero_s = start_of(container, picture)
        key_s = _key_before(container, picture, zero_s + start_s) - zero_s
        copied = info.container in ("mp4", "webm") and 0 <= start_s - key_s <= NEAR_S
        begins_s = key_s if copied else start_s
        suffix = ".webm" if copied and info.container == "webm" else ".mp4"
        try:
            with created(part, suffix) as output:
                moment = _Moment(zero_s + begins_s, zero_s + end_s, copied)
                moment.write(container, picture, output, info, on_progress)
        except BROKEN as error:
            raise MediaError(not_made("moment", error)) from error
    on_progress(1.0)
    return Cut(begins_s, suffix, copied)


class _Moment:
    """A span of a file's own clock on its way into another file."""

    def __init__(self, begins_s: float, ends_s: float, copied: bool) -> None:
        self.begins_s, self.ends_s, self.copied = begins_s, ends_s, copied

    def write(
        self,
        container: InputContainer,
        picture: av.VideoStream,
        output: OutputContainer,
        info: MediaInfo,
        on_progress: Progress,
    ) -> None:
        sound = sound_of(container)
        tracks: dict[int, CopiedTrack | PictureTrack | SoundTrack] = {}
        for stream in (picture, sound):
            if stream is None:
                continue
            if self.copied:
                tracks[stream.index] = CopiedTrack(output, stream, self.begins_s, info)
            elif isinstance(stream, av.VideoStream):
                tracks[stream.index] = _PictureWithin(self, output, stream, info)
            else:
                tracks[stream.index] = _SoundWithin(self, output, stream, info)
        open_streams = set(tracks)
        _seek(container, picture, self.begins_s)
        for packet in packets(container, picture, sound):
            if packet.stream_index not in open_streams:
                continue
            decoded_s = _time_of(packet)
            if decoded_s is not None and decoded_s >= self.ends_s:
                open_streams.discard(packet.stream_index)
                if not open_streams:
                    break
                continue
            if self.copied and self._is_before(packet, picture):
                continue
            if packet.stream is picture and decoded_s is not None:
                done = (decoded_s - self.begins_s) / (self.ends_s - self.begins_s)
                on_progress(min(max(done, 0.0), 1.0))
            tracks[packet.stream_index].feed(packet)
        for track in tracks.values():
            track.close()

    def _is_before(self, packet: av.Packet, picture: av.VideoStream) -> bool:
        """Tell whether a packet lies before the moment; a picture's that is to be shown before the key frame too."""
        shown = packet.pts if packet.pts is not None else packet.dts
        return shown is not None and float(shown * clock_of(packet.stream)) < self.begins_s - 1e-4


class _PictureWithin(PictureTrack):
    """Encode the pictures of a moment."""

    def __init__(self, moment: _Moment, output: OutputContainer, source: av.VideoStream, info: MediaInfo) -> None:
        super().__init__(output, source, moment.begins_s, info)
        self._moment = moment
        self._before: VideoFrame | None = None

    def _encode(self, frame: VideoFrame) -> None:
        time_s = frame.time
        if time_s is not None and time_s < self._moment.begins_s - 1e-4:
            self._before = frame
            return
        if time_s is not None and time_s >= self._moment.ends_s:
            return
        if self._before is not None and (time_s or 0.0) > self._moment.begins_s + 1e-3:
            super()._encode(self._before)  # it is what is shown when the moment begins
        self._before = None
        super()._encode(frame)

    def close(self) -> None:
        if self._shown is None and self._before is not None:
            super()._encode(self._before)
        super().close()


class _SoundWithin(SoundTrack):
    """Encode the sound of a moment."""

    def __init__(self, moment: _Moment, output: OutputContainer, source: av.AudioStream, info: MediaInfo) -> None:
        super().__init__(output, source, moment.begins_s, info)
        self._moment = moment

    def _take(self, frame: AudioFrame) -> None:
        if frame.time is not None and not self._moment.begins_s <= frame.time < self._moment.ends_s:
            return
        super()._take(frame)


def _key_before(container: InputContainer, picture: av.VideoStream, time_s: float) -> float:
    """Return when the picture is shown that decoding must begin with to show a time; far before where none is."""
    _seek(container, picture, time_s)
    for packet in packets(container, picture):
        if packet.is_keyframe and packet.pts is not None:
            return float(packet.pts * clock_of(picture))
        break
    return float("-inf")


def _seek(container: InputContainer, picture: av.VideoStream, time_s: float) -> None:
    container.seek(round(time_s / clock_of(picture)), stream=picture, backward=True)


def _time_of(packet: av.Packet) -> float | None:
    ticks = packet.dts if packet.dts is not None else packet.pts
    return None if ticks is None else float(ticks * clock_of(packet.stream))
