"""Recordings that were joined into one file, each part with the clock it was recorded with."""

from __future__ import annotations

import av
import numpy as np
import pytest

from core.ingest import cutting, decoding, frames, inspecting, joined, playable
from core.ingest.sampling import Picture, Sound, sample
from tests.videos import frame_times, loud_spans, make_video, plain

RED, BLUE = (200, 30, 30), (30, 30, 200)
PART_S, FPS = 2.0, 25


def is_blue(rgb):
    red, _, blue = np.asarray(rgb).reshape(-1, 3).mean(axis=0)
    return blue > red


def make_joined(path, begins_s, codec="libx264", audio="aac"):
    """Write a red recording and a blue one, each with a clock that begins at its own time, one after the other."""
    parts = []
    for begin_s, colour in zip(begins_s, (RED, BLUE), strict=True):
        times = [begin_s + index / FPS for index in range(round(PART_S * FPS))]
        sound = {"audio": audio, "audio_seconds": PART_S, "audio_delay_s": begin_s} if audio else {}
        part = make_video(
            path.with_name(f"part{path.suffix}"), fps=FPS, codec=codec, pattern=plain(*colour), times_s=times, **sound
        )
        parts.append(part.read_bytes())
        part.unlink()
    path.write_bytes(b"".join(parts))
    return path


@pytest.mark.parametrize(
    ("name", "begins_s", "codec", "audio"),
    [
        ("a.ts", (0, 0), "libx264", "aac"),
        ("a.ts", (1000, 0), "libx264", "aac"),
        ("a.ts", (30, 10), "mpeg2video", "mp2"),
        ("a.ts", (0, 8000), "libx264", None),
        ("a.vob", (0, 0), "mpeg2video", "ac3"),
    ],
)
def test_all_parts_are_seen_heard_and_played_one_after_the_other(tmp_path, name, begins_s, codec, audio):
    source = make_joined(tmp_path / name, begins_s, codec, audio)
    info = inspecting.inspect(source)
    assert info.duration_s == pytest.approx(2 * PART_S, abs=0.25)
    assert info.fps == pytest.approx(FPS, rel=0.1)

    seen = list(sample(source))
    pictures = [item for item in seen if isinstance(item, Picture)]
    assert len(pictures) == pytest.approx(16, abs=1)
    assert np.diff([item.time_s for item in pictures]) == pytest.approx(0.25, abs=0.1)
    blue_s = [item.time_s for item in pictures if is_blue(item.rgb)]
    assert blue_s == [item.time_s for item in pictures[-len(blue_s) :]]
    assert len(blue_s) == pytest.approx(8, abs=1)
    if audio:
        heard = sum(item.samples.size for item in seen if isinstance(item, Sound)) / 16_000
        assert heard == pytest.approx(2 * PART_S, abs=0.3)

    copy = playable.make_playable(source, info, tmp_path / "copy.mp4")
    times = frame_times(copy)
    assert len(times) == pytest.approx(2 * PART_S * FPS, abs=4)
    assert float(np.diff(times).min()) > 0.5 / FPS
    assert float(np.diff(times).max()) < 6 / FPS
    copied = inspecting.inspect(copy)
    assert copied.duration_s == pytest.approx(info.duration_s, abs=0.1)
    assert [is_blue(frames.frame_at(copy, at_s)) for at_s in (0.0, 1.6, 2.4, 3.8)] == [False, False, True, True]
    if audio:
        assert loud_spans(copy, least_gap_s=0.3) == [(pytest.approx(0.1, abs=0.15), pytest.approx(2 * PART_S, abs=0.3))]
    cutting.cut(copy, copied, 2.5, 3.5, tmp_path / "moment.mp4")
    assert is_blue(frames.frame_at(tmp_path / "moment.mp4", 0.5))
    frames.write_poster(source, info, tmp_path / "poster.jpg")


def read_all(path, *kinds):
    with decoding.opened(path) as container:
        streams = [container.streams.best(kind) for kind in kinds]
        return [(packet.stream_index, packet.pts, packet.dts) for packet in decoding.packets(container, *streams)]


def test_the_picture_has_the_same_times_whatever_else_is_read(tmp_path):
    path = make_joined(tmp_path / "a.ts", (0, 0))
    alone, both = read_all(path, "video"), read_all(path, "video", "audio")
    assert alone == [packet for packet in both if packet[0] == alone[0][0]]
    for index in {packet[0] for packet in both}:
        decoded_at = [dts for stream, _, dts in both if stream == index]
        assert decoded_at == sorted(set(decoded_at))


def test_an_ordinary_broadcast_keeps_its_times(tmp_path):
    path = make_video(tmp_path / "a.ts", audio="aac")
    with av.open(str(path)) as container:
        raw = [(packet.stream_index, packet.pts, packet.dts) for packet in container.demux() if packet.size]
    assert read_all(path, "video", "audio") == raw


PICTURE, SOUND = "picture", "sound"
FRAME = 3600


@pytest.fixture
def one_clock(tmp_path):
    """Return what becomes of packets, (which stream, time in frames), in the same form."""
    with av.open(str(make_video(tmp_path / "a.ts", fps=FPS, codec="mpeg2video", audio="aac"))) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]

        def packet(kind, at):
            made = av.Packet(b"0")
            made.stream = picture if kind == PICTURE else sound
            made.dts = made.pts = at * FRAME
            made.duration = FRAME
            return made

        def passed(packets, ends=(IndexError,)):
            read = (item if isinstance(item, Exception) else packet(*item) for item in packets)
            for item in joined.on_one_clock(container, raising(read), picture, ends):
                yield (PICTURE if item.stream is picture else SOUND), item.dts / FRAME

        yield passed


def raising(read):
    for item in read:
        if isinstance(item, Exception):
            raise item
        yield item


def together(start, end):
    return [(kind, at) for at in range(start, end) for kind in (SOUND, PICTURE)]


def test_sound_may_come_to_the_next_part_before_the_picture(one_clock):
    joint = [(SOUND, 3), (PICTURE, 100), (SOUND, 4), (PICTURE, 3), (SOUND, 5), (PICTURE, 4)]
    assert list(one_clock(together(0, 100) + joint)) == [
        *together(0, 100),
        *[(SOUND, 101), (PICTURE, 100), (SOUND, 102), (PICTURE, 101), (SOUND, 103), (PICTURE, 102)],
    ]


def test_the_picture_may_come_to_the_next_part_before_the_sound(one_clock):
    joint = [(PICTURE, 3), (SOUND, 100), (PICTURE, 4), (SOUND, 101), (PICTURE, 5), (SOUND, 5), (PICTURE, 6)]
    assert list(one_clock(together(0, 100) + joint)) == [
        *together(0, 100),
        *[(PICTURE, 100), (SOUND, 100), (PICTURE, 101), (SOUND, 101), (PICTURE, 102), (SOUND, 102), (PICTURE, 103)],
    ]


def test_sound_of_a_part_that_overlaps_the_part_before_is_left_out(one_clock):
    longer = [(SOUND, at) for at in range(100, 110)]
    passed = list(one_clock(together(0, 100) + longer + together(3, 23)))
    assert [at for kind, at in passed if kind == PICTURE] == list(range(120))
    assert [at for kind, at in passed if kind == SOUND] == list(range(120))


@pytest.mark.parametrize("parts", [1, 3])
def test_sound_that_was_missing_comes_in_with_its_part(one_clock, parts):
    silent = [(PICTURE, at) for at in range(100)] * parts
    passed = list(one_clock([(SOUND, 0), *silent, (PICTURE, 2), *together(3, 43), *together(2, 43)]))
    assert [at for kind, at in passed if kind == PICTURE] == list(range(100 * parts + 82))
    assert [at for kind, at in passed if kind == SOUND] == [0, *range(100 * parts + 1, 100 * parts + 82)]


@pytest.mark.parametrize("damaged", [20, 200_000])
def test_a_damaged_time_by_itself_is_no_other_clock(one_clock, damaged):
    packets = [*together(0, 100), (PICTURE, damaged), *together(101, 200), (SOUND, damaged), *together(201, 300)]
    assert list(one_clock(packets)) == packets


def test_sound_that_begins_anew_by_itself_is_not_waited_for_without_end(one_clock):
    packets = [*together(0, 100), *[(kind, at - 60 * (kind == SOUND)) for kind, at in together(100, 1000)]]
    reading = one_clock(iter(packets))
    given = [next(reading) for _ in range(201)]
    assert [*given, *reading] == packets


@pytest.mark.parametrize("waiting", [(SOUND, 3), (PICTURE, 3)])
def test_what_waits_where_a_file_breaks_off_is_given_before_the_error(one_clock, waiting):
    reading = one_clock([*together(0, 100), waiting, IndexError("list index out of range")])
    given = [next(reading) for _ in range(201)]
    assert given == [*together(0, 100), waiting]
    with pytest.raises(IndexError):
        next(reading)
