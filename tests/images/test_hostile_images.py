"""Images that would do harm: other formats under the names of images, too many pixels at once."""

import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from pipeline.images.decode import (
    PIXEL_BUDGET,
    ImageRejectedError,
    ImageUnreadableError,
    load_image,
    probe_image,
)
from pipeline.images.pixel_budget import PixelBudget

LARGE = 5_000_000  # pixels: enough to be counted


@pytest.mark.parametrize("kind", ["EPS", "PDF", "ICO", "PCX", "SGI", "TGA", "MSP"])
def test_formats_that_are_not_named_are_never_opened(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "image.jpg"
    pixels = Image.new("1" if kind == "MSP" else "RGB", (32, 32))
    pixels.save(path, kind)
    for read in (probe_image, load_image):
        with pytest.raises(ImageRejectedError, match="no image in a known format"):
            read(path)


@pytest.mark.parametrize(
    "kind", ["AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "TIFF", "WEBP"]
)
def test_formats_that_are_named_are_opened_whatever_the_suffix(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "image.bin"
    Image.new("RGB", (32, 24), "red").save(path, kind)
    assert probe_image(path).width == 32
    assert load_image(path).size == (32, 24)


def test_a_device_is_no_image() -> None:
    for read in (probe_image, load_image):
        with pytest.raises(ImageUnreadableError, match="not a regular file"):
            read(Path("/dev/zero"))


def test_pixels_in_memory_stay_within_the_budget() -> None:
    budget, most, lock = PixelBudget(2 * LARGE), [0], threading.Lock()

    def work() -> None:
        reserved = budget.reserve(LARGE)
        image = Image.new("L", (8, 8))
        budget.attach(image, reserved)
        with lock:
            most[0] = max(most[0], budget.held)
        time.sleep(0.02)
        del image

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert most[0] == 2 * LARGE
    assert budget.held == 0


def test_an_image_beyond_the_budget_is_let_in_alone_and_its_thread_never_waits_for_itself() -> None:
    budget = PixelBudget(LARGE)
    images = [Image.new("L", (8, 8)) for _ in range(3)]
    start = time.monotonic()
    for image in images:
        budget.attach(image, budget.reserve(10 * LARGE))
    assert time.monotonic() - start < 5
    assert budget.held == 30 * LARGE
    del image
    images.clear()
    assert budget.held == 0


def test_a_large_image_is_counted_while_it_lives_and_not_after(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("P", (2500, 2000)).save(path)
    before = PIXEL_BUDGET.held
    image = load_image(path)
    assert PIXEL_BUDGET.held == before + LARGE
    del image
    assert PIXEL_BUDGET.held == before
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ImageRejectedError):
        load_image(path)
    assert PIXEL_BUDGET.held == before
