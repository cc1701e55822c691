"""Every kind of image a user may have: it becomes upright 8-bit RGB, or a reason in plain words."""

import errno
import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.images.decode import (
    ImageInfo,
    ImageRejectedError,
    ImageUnreadableError,
    load_image,
    probe_image,
)
from tests.drawn_images import RED, WHITE, left_red_right_blue, noise


def png_claiming(width: int, height: int) -> bytes:
    """Make the header of a PNG without the pixels that it claims."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def jpeg_bytes(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


BROKEN: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty.jpg": (lambda: b"", "empty"),
    "text.jpg": (lambda: b"this is a text file, not a photograph\n" * 20, "no image"),
    "truncated.jpg": (lambda: jpeg_bytes(noise())[:-900], "truncated"),
    "header_only.png": (lambda: png_claiming(64, 64), "truncated|broken"),
    "zero_sized.png": (lambda: png_claiming(0, 10), "broken|no pixels|no image"),
    "bomb.png": (lambda: png_claiming(40_000, 40_000), "bomb"),
    "large.png": (lambda: png_claiming(15_000, 15_000), "bomb"),
    "garbage.png": (lambda: png_claiming(8, 8)[:20] + os.urandom(64), "broken|no image|truncated"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_rejected_with_its_reason(tmp_path: Path, name: str) -> None:
    make, reason = BROKEN[name]
    (tmp_path / name).write_bytes(make())
    with pytest.raises(ImageRejectedError, match=reason) as caught:
        load_image(tmp_path / name)
    assert name in str(caught.value)
    assert str(tmp_path) not in caught.value.reason


@pytest.mark.parametrize("name", ["empty.jpg", "text.jpg", "zero_sized.png", "bomb.png"])
def test_the_probe_rejects_what_its_header_shows(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(BROKEN[name][0]())
    with pytest.raises(ImageRejectedError):
        probe_image(tmp_path / name)


def test_missing_files_folders_and_pipes_are_unreadable(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    for name, reason in [("none.jpg", "not exist"), (".", "folder"), ("pipe.jpg", "regular")]:
        for use in (load_image, probe_image):
            with pytest.raises(ImageUnreadableError, match=reason):
                use(tmp_path / name)


def test_a_failing_disk_is_distinguished_from_broken_content() -> None:
    class FailingPath(type(Path())):  # type: ignore[misc]  # Path's class depends on the system
        def open(self, *_: object, **__: object) -> io.BytesIO:
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(ImageUnreadableError, match="Input/output error"):
        load_image(FailingPath(__file__))


def test_every_truncation_of_a_file_is_rejected_or_loaded(tmp_path: Path) -> None:
    for kind in ("JPEG", "PNG", "TIFF", "GIF", "BMP", "WEBP"):
        buffer = io.BytesIO()
        noise(size=(24, 24)).save(buffer, kind)
        data = buffer.getvalue()
        rejected = 0
        for end in range(0, len(data), max(1, len(data) // 40)):
            (tmp_path / "cut").write_bytes(data[:end])
            try:
                load_image(tmp_path / "cut")
            except ImageRejectedError:
                rejected += 1
        assert rejected > 30, kind


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_undone_and_probed(tmp_path: Path, orientation: int) -> None:
    upright = left_red_right_blue()
    stored = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    turned = upright.transpose(stored[orientation]) if orientation in stored else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "rotated.png"
    turned.save(path, exif=exif)
    assert probe_image(path) == ImageInfo(40, 20)
    assert np.array_equal(np.asarray(load_image(path)), np.asarray(upright))


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "YCbCr"])
def test_color_modes_become_rgb_of_the_same_appearance(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "image.tiff"
    image = left_red_right_blue().convert(mode)
    image.save(path)
    loaded = load_image(path)
    assert loaded.mode == "RGB"
    expected = np.asarray(image.convert("RGB"), dtype=int)
    assert np.abs(np.asarray(loaded, dtype=int) - expected).max() <= 2


def test_a_cmyk_jpeg_keeps_its_colors(tmp_path: Path) -> None:
    path = tmp_path / "cmyk.jpg"
    left_red_right_blue().convert("CMYK").save(path, quality=95)
    red = load_image(path).getpixel((5, 10))
    assert isinstance(red, tuple)
    assert red[0] > 230
    assert max(red[1:]) < 25


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_16_bits_are_scaled_not_clipped(tmp_path: Path, suffix: str) -> None:
    values = np.array([[0, 257 * 100, 257 * 200, 65535]], dtype=np.uint16)
    path = tmp_path / f"deep.{suffix}"
    Image.fromarray(values).save(path)
    assert np.asarray(load_image(path))[0, :, 0].tolist() == [0, 100, 200, 255]


def test_floats_from_0_to_1_fill_the_range_and_nan_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "float.tiff"
    Image.fromarray(np.array([[0, 0.5, 1]], dtype=np.float32)).save(path)
    assert np.asarray(load_image(path))[0, :, 0].tolist() == [0, 128, 255]
    Image.fromarray(np.array([[0, np.nan]], dtype=np.float32)).save(path)
    with pytest.raises(ImageRejectedError, match="finite"):
        load_image(path)


def test_wide_integers_of_one_value_do_not_divide_by_zero(tmp_path: Path) -> None:
    path = tmp_path / "flat.tiff"
    Image.fromarray(np.full((4, 4), 70_000, dtype=np.int32)).save(path)
    assert np.asarray(load_image(path)).max() == 255


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_are_white(tmp_path: Path, mode: str) -> None:
    rgba = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    path = tmp_path / "clear.png"
    if mode == "P":
        Image.new("P", (8, 8), 0).save(path, transparency=0)
    else:
        rgba.convert(mode).save(path)
    assert load_image(path).getpixel((4, 4)) == WHITE


def test_a_transparent_palette_of_bytes_loads(tmp_path: Path) -> None:
    image = left_red_right_blue().quantize(4)
    image.save(tmp_path / "p.png", transparency=bytes([0, 255, 255, 255]))
    assert load_image(tmp_path / "p.png").mode == "RGB"


def test_an_animation_shows_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (9, 9), color) for color in ("red", "blue", "lime")]
    for kind in ("gif", "png", "webp", "tiff"):
        path = tmp_path / f"animation.{kind}"
        frames[0].save(path, save_all=True, append_images=frames[1:], lossless=True)
        assert load_image(path).getpixel((4, 4)) == RED


def test_corrupt_exif_neither_warns_nor_rejects(tmp_path: Path) -> None:
    data = jpeg_bytes(left_red_right_blue(), exif=b"Exif\0\0II*\0\xff\xff\xff\x7f" + b"\1" * 30)
    (tmp_path / "odd.jpg").write_bytes(data)
    code = "import sys; from pathlib import Path"
    code += "; from pipeline.images.decode import load_image, probe_image"
    code += "; p = Path(sys.argv[1]); print(load_image(p).size, probe_image(p).width)"
    command = [sys.executable, "-c", code, str(tmp_path / "odd.jpg")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("(40, 20) 40\n", "")
