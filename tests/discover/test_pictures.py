"""core/discover/pictures.py: which dropped pictures are read, how they come out, and what is said of the others."""

from __future__ import annotations

import io
import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, features

from core.discover.pictures import LARGEST_SIDE_PX, decode_image
from core.errors import MediaError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")


def painting(width: int = 64, height: int = 48) -> Image.Image:
    """Return a picture that is red above and blue below, with a bright corner at the top left."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2] = (200, 30, 30)
    pixels[height // 2 :] = (30, 30, 200)
    pixels[: height // 4, : width // 4] = 250
    return Image.fromarray(pixels)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def shape_of(png: bytes, width: int, height: int) -> bytes:
    """Return a PNG that claims another size than it has."""
    header = struct.pack(">II", width, height) + png[24:29]
    return png[:16] + header + struct.pack(">I", zlib.crc32(b"IHDR" + header)) + png[33:]


@pytest.mark.parametrize("kind", FORMATS)
def test_formats_come_out_as_rgb(kind):
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow was built without AVIF")
    pixels = decode_image(saved(painting(), kind))
    assert pixels.shape == (48, 64, 3)
    assert pixels.dtype == np.uint8
    assert np.allclose(pixels, np.asarray(painting()), atol=90)
    assert np.abs(pixels[30:44, 4:60].mean((0, 1)) - (30, 30, 200)).max() < 6


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_modes_come_out_as_rgb(mode):
    grey = painting().convert("L")
    image = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257) if mode == "I;16" else painting().convert(mode)
    pixels = decode_image(saved(image, "PNG"))
    assert pixels.shape == (48, 64, 3)
    assert pixels[:12, :16].mean() > 240
    assert abs(pixels[26:].mean() - np.asarray(grey)[26:].mean()) < (1 if mode in ("L", "LA", "I;16") else 45)


@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (3, (-1, -1)), (6, (0, -1)), (8, (-1, 0))])
def test_a_photograph_comes_out_upright(orientation, corner):
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = decode_image(saved(painting(), "JPEG", exif=exif, quality=95))
    assert pixels.shape == ((64, 48, 3) if orientation in (6, 8) else (48, 64, 3))
    assert pixels[corner].min() > 200


def test_of_an_animation_it_is_the_first_frame():
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    pixels = decode_image(saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100))
    assert tuple(pixels[5, 5]) == (255, 0, 0)


def test_what_is_transparent_turns_grey():
    image = painting().convert("RGBA")
    image.putalpha(Image.fromarray(np.repeat(np.uint8([[0], [255]]), 24, axis=0).repeat(64, axis=1)))
    pixels = decode_image(saved(image, "PNG"))
    assert (pixels[:24] == 128).all()
    assert tuple(pixels[40, 40]) == (30, 30, 200)


def test_a_transparent_palette_turns_grey_too():
    image = Image.new("P", (32, 32), 1)
    image.putpalette([0, 0, 0, 255, 255, 255])
    assert (decode_image(saved(image, "GIF", transparency=1)) == 128).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_large_pictures_come_out_smaller(kind):
    pixels = decode_image(saved(painting(4000, 3000), kind))
    assert pixels.shape == (1440, LARGEST_SIDE_PX, 3)
    assert pixels[10, 10].min() > 200


def test_an_open_file_will_do():
    content = saved(painting(), "PNG")
    assert np.array_equal(decode_image(io.BytesIO(content)), decode_image(content))


def test_the_limit_of_bytes_is_the_last_allowed():
    content = saved(painting(), "PNG")
    assert decode_image(content, max_bytes=len(content)).any()
    for data in (content, io.BytesIO(content)):
        if isinstance(data, io.BytesIO):
            data.seek(0)
        with pytest.raises(MediaError, match="over the limit"):
            decode_image(data, max_bytes=len(content) - 1)


@pytest.mark.parametrize("side", [9_000, 12_000, 60_000, 2_000_000])
def test_a_bomb_is_refused_before_it_is_decoded(side, monkeypatch):
    def refuse(self):
        raise AssertionError("it was decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", refuse)
    with pytest.raises(MediaError, match="million"):
        decode_image(shape_of(saved(painting(), "PNG"), side, side))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"just some text", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (b"%PDF-1.7 ...", "not a picture"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(64), "HEIC"),
        (saved(painting(), "TIFF"), "not a picture"),
        (saved(painting(), "PPM"), "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n", "not a picture"),
        (saved(painting(15, 40), "PNG"), "15×40"),
        (saved(painting(400, 300), "PNG")[:600], "damaged"),
        (saved(painting(400, 300), "JPEG")[:900], "damaged"),
        (saved(painting(400, 300), "WEBP", lossless=True)[:60], "picture"),
    ],
)
def test_what_is_refused_is_told_why(content, says):
    with pytest.raises(MediaError, match=says) as caught:
        decode_image(content)
    assert str(caught.value).endswith(".")


def test_a_closed_file_is_refused():
    file = io.BytesIO(saved(painting(), "PNG"))
    file.close()
    with pytest.raises(MediaError, match="Add it again"):
        decode_image(file)


@pytest.mark.parametrize("kind", FORMATS)
def test_whatever_the_bytes_it_is_a_picture_or_a_sentence(kind):
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow was built without AVIF")
    content = saved(painting(), kind)
    chance = random.Random(kind)
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(chance.randint(1, 12)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        if chance.random() < 0.3:
            del damaged[chance.randrange(1, len(damaged)) :]
        try:
            assert decode_image(bytes(damaged)).ndim == 3
        except MediaError:
            continue
