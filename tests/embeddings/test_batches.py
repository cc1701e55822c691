"""A batch that does not fit into memory is halved; nothing else is swallowed."""

import platform
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.embeddings.batches import Pixels, VectorArray, encode_in_batches
from pipeline.exceptions import EncoderError


class OutOfMemoryError(RuntimeError):
    """Named as torch names its own."""


class LimitedModel:
    """A model that holds `limit` rows at most and fails beyond as a device does."""

    def __init__(self, limit: int, error: Exception) -> None:
        self.limit, self.error = limit, error
        self.batches: list[int] = []

    def __call__(self, pixels: Pixels) -> VectorArray:
        if len(pixels) > self.limit:
            raise self.error
        self.batches.append(len(pixels))
        return pixels.astype(np.float32)[:, None] * 2


ERRORS = [
    OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("MPS backend out of memory"),
    MemoryError(),
]


@pytest.mark.parametrize("error", ERRORS)
def test_the_batch_is_halved_until_it_fits(error: Exception) -> None:
    model, shown = LimitedModel(10, error), list[int]()
    vectors = encode_in_batches(model, np.arange(100), batch_size=64, dim=1, on_halved=shown.append)
    assert shown == [32, 16, 8]
    assert max(model.batches) == 8
    assert vectors[:, 0].tolist() == list(range(0, 200, 2))


@given(rows=st.integers(0, 70), batch=st.integers(1, 80), limit=st.integers(1, 80))
def test_every_row_comes_once_and_in_order(rows: int, batch: int, limit: int) -> None:
    model = LimitedModel(limit, MemoryError())
    vectors = encode_in_batches(
        model, np.arange(rows), batch_size=batch, dim=1, on_halved=lambda _: None
    )
    assert vectors.shape == (rows, 1)
    assert vectors[:, 0].tolist() == list(range(0, 2 * rows, 2))


def test_one_row_that_does_not_fit_is_an_encoder_error() -> None:
    model = LimitedModel(0, ERRORS[0])
    with pytest.raises(EncoderError, match="smaller model"):
        encode_in_batches(model, np.arange(4), batch_size=4, dim=1, on_halved=lambda _: None)


def test_other_errors_are_not_taken_for_memory() -> None:
    model = LimitedModel(0, RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes"):
        encode_in_batches(model, np.arange(4), batch_size=4, dim=1, on_halved=lambda _: None)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these settings")
def test_freed_memory_stays_in_the_process() -> None:
    """A buffer that is freed and taken again is not faulted in a second time."""
    code = (
        "import resource, numpy as np\n"
        "from pipeline.embeddings.allocator import keep_freed_memory\n"
        "assert keep_freed_memory()\n"
        "faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "for _ in range(3): np.ones(50_000_000, dtype=np.uint8)\n"
        "before = faults()\n"
        "for _ in range(5): np.ones(50_000_000, dtype=np.uint8)\n"
        "print(faults() - before)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 1_000  # 12,000 pages a buffer otherwise, or 24 huge ones
