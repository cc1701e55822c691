"""Pixels of one image, from its header or its bytes; a bad one is rejected with a reason."""

import io
import stat
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, UnidentifiedImageError

from pipeline.exceptions import ConfigError, StorageError, WeakspotError
from pipeline.files.remote_path import is_remote
from pipeline.images.pixel_budget import PixelBudget

# Twice Pillow's own default: photographs of 100 and 150 megapixels are real.
MAX_PIXELS = 178_956_970
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
# No others are tried, whatever a file holds: an EPS called .jpg would start Ghostscript.
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
PIXEL_BUDGET = PixelBudget(2**28)  # of one process: some 0.8 GB of RGB pixels
# Pillow warns about odd metadata and large images. What matters is rejected below with a reason;
# the filter is set once, because `warnings.catch_warnings` is not safe in decoding threads.
warnings.filterwarnings("ignore", module=r"PIL\.")

_ORIENTATION_TAG = 0x0112
_BITS_PER_SAMPLE_TAG = 258
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class ImageRejectedError(WeakspotError):
    """An image cannot be used; `reason` says why."""

    def __init__(self, reason: str, *, path: Path | None = None) -> None:
        super().__init__(reason if path is None else f"{path}: {reason}")
        self.reason = reason


class ImageUnreadableError(ImageRejectedError):
    """The bytes of an image could not be read: missing, forbidden or a failing disk."""


@dataclass(frozen=True)
class ImageInfo:
    """Width and height in pixels of the upright image."""

    width: int
    height: int


def probe_image(path: Path) -> ImageInfo:
    """Return the upright size of an image from its header, without decoding its pixels.

    Raises ImageRejectedError if the file is missing, empty, no image, or too large to decode.
    """
    with _reject_with_reason(path), _open_file(path) as file:
        return _probe(file)


def probe_bytes(data: bytes, *, path: Path | None = None) -> ImageInfo:
    """Return the same from the bytes of an image; `path` is for the message only."""
    with _reject_with_reason(path):
        return _probe(io.BytesIO(data))


def _probe(file: IO[bytes]) -> ImageInfo:
    with _open_image(file) as image:
        _check_size(image)
        width, height = image.size
        swapped = _orientation(image) >= 5
        return ImageInfo(height, width) if swapped else ImageInfo(width, height)


def load_image(path: Path) -> Image.Image:
    """Return an image as 8-bit RGB, upright, its first frame, with transparency on white.

    Raises ImageUnreadableError if the bytes cannot be read and ImageRejectedError if they are no
    whole image.
    """
    return decode_image(read_image_bytes(path), path=path)


def read_image_bytes(path: Path) -> bytes:
    """Return the bytes of a regular, non-empty file. Raises ImageUnreadableError if it cannot.

    Of other storage also StorageError, where no image can be read.
    """
    with _reject_with_reason(path), _open_file(path) as file:
        try:
            return file.read()
        except OSError as error:
            reason = f"the file cannot be read: {error.strerror or error}"
            raise ImageUnreadableError(reason, path=path) from error


def decode_image(data: bytes, *, path: Path | None = None) -> Image.Image:
    """Decode the bytes of one image as `load_image` does; `path` is for the message only."""
    with _reject_with_reason(path), _open_image(io.BytesIO(data)) as image:
        _check_size(image)
        reserved = PIXEL_BUDGET.reserve(image.width * image.height)
        try:
            turn = _UPRIGHT.get(_orientation(image))
            image.load()
            rgb = _to_rgb(image)
            upright = rgb if turn is None else rgb.transpose(turn)
        except BaseException:
            PIXEL_BUDGET.release(reserved)
            raise
        PIXEL_BUDGET.attach(upright, reserved)
    return upright


def _open_image(file: IO[bytes]) -> Image.Image:
    return Image.open(file, formats=FORMATS)


def _open_file(path: Path) -> IO[bytes]:
    """Open a regular, non-empty file; a pipe would block a worker forever."""
    try:
        if is_remote(path):
            return _fetch(path)
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise ImageUnreadableError(kind, path=path)
        if status.st_size == 0:
            raise ImageRejectedError("the file is empty (0 bytes)", path=path)
        return path.open("rb")
    except StorageError:
        raise
    except FileNotFoundError as error:
        raise ImageUnreadableError("the file does not exist", path=path) from error
    except OSError as error:
        reason = f"the file cannot be read: {error.strerror or error}"
        raise ImageUnreadableError(reason, path=path) from error


def _fetch(path: Path) -> IO[bytes]:
    """Return an object of other storage as an open file: one request, where a status is another."""
    data = path.read_bytes()
    if not data:
        raise ImageRejectedError("the file is empty (0 bytes)", path=path)
    return io.BytesIO(data)


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width < 1 or height < 1:
        raise ImageRejectedError(f"the image has no pixels ({width} x {height})")
    if width * height > MAX_PIXELS:
        raise ImageRejectedError(
            f"the image has {width} x {height} pixels, more than {MAX_PIXELS:,}: "
            "a decompression bomb or far too large; scale it down"
        )


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 where there is none or it cannot be read."""
    if image.format == "PNG" and not {"exif", "Raw profile type exif"} & set(image.info):
        return 1  # Pillow would decode the whole file to read metadata behind the pixels
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001 - Pillow raises any kind on corrupt EXIF; the pixels are fine
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image.copy() if image.readonly else image
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        return _scale_to_8_bits(image).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    if image.mode == "LAB":
        raise ImageRejectedError("its LAB colors are not supported; convert it to RGB")
    return image.convert("RGB")


def _scale_to_8_bits(image: Image.Image) -> Image.Image:
    """Scale gray values wider than 8 bits by the range of their type, where Pillow would clip."""
    values = np.asarray(image, dtype=np.float64)  # (h, w)
    if not np.isfinite(values).all():
        raise ImageRejectedError("its pixels are not finite numbers")
    low, high = float(values.min()), float(values.max())
    if image.mode == "F":
        bottom, top = (0.0, 1.0) if low >= 0 and high <= 1 else (min(low, 0.0), max(high, 255.0))
    elif low >= 0 and high <= 65535:
        tags = getattr(image, "tag_v2", {})  # TIFF: 12-bit values come in 16-bit pixels
        bits = min(tags.get(_BITS_PER_SAMPLE_TAG, (16,))[0], 16)
        bottom, top = 0.0, float(2**bits - 1)
    else:
        bottom, top = min(low, 0.0), max(high, 1.0)
    scaled = np.rint((values - bottom) * (255 / (top - bottom)))
    return Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8))


@contextmanager
def _reject_with_reason(path: Path | None) -> Iterator[None]:
    """Turn any exception of Pillow on a bad file into ImageRejectedError with a reason."""
    try:
        yield
    except (ImageUnreadableError, StorageError, ConfigError):  # the last two are of all images
        raise
    except ImageRejectedError as error:
        raise ImageRejectedError(error.reason, path=path) from error
    except UnidentifiedImageError as error:
        reason = "its content is no image in a known format, whatever its name says"
        raise ImageRejectedError(reason, path=path) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        reason = f"it has more than {MAX_PIXELS:,} pixels: a decompression bomb or far too large"
        raise ImageRejectedError(reason, path=path) from error
    except MemoryError as error:
        raise ImageRejectedError("it does not fit into memory", path=path) from error
    except (EOFError, OSError, SyntaxError, struct.error) as error:
        reason = _explain_broken(error)
        raise ImageRejectedError(reason, path=path) from error
    except Exception as error:  # decoders raise any kind on broken data
        reason = f"it cannot be decoded: {error or type(error).__name__}"
        raise ImageRejectedError(reason, path=path) from error


def _explain_broken(error: Exception) -> str:
    text = str(error).lower()
    if "truncated" in text or "not enough" in text or isinstance(error, EOFError):
        return f"it is truncated or broken: {error}"
    return f"it is broken: {error or type(error).__name__}"
