"""Run a model over many rows in batches that shrink when memory runs out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.exceptions import EncoderError

Pixels = npt.NDArray[Any]
VectorArray = npt.NDArray[np.float32]

_MEMORY_PHRASES = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an exception means that memory ran out; torch has several messages for it."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(phrase in text for phrase in _MEMORY_PHRASES)


def encode_in_batches(
    forward: Callable[[Pixels], VectorArray],
    pixels: Pixels,
    *,
    batch_size: int,
    dim: int,
    on_halved: Callable[[int], None],
) -> VectorArray:
    """Return `forward` of all rows; a batch that does not fit into memory is halved and repeated.

    pixels: (n, ...). Returns (n, dim) float32. `on_halved` gets each smaller batch size.
    Raises EncoderError if a single row does not fit.
    """
    done: list[VectorArray] = []
    start = 0
    while start < len(pixels):
        part = pixels[start : start + batch_size]
        try:
            done.append(forward(part))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if len(part) == 1:
                raise EncoderError(
                    f"the encoder does not fit into memory even for one image ({error}); "
                    "choose a smaller model or a machine with more memory"
                ) from error
        else:
            start += len(part)
            continue
        # Outside the handler, so that the traceback does not keep the failed batch alive.
        batch_size = max(1, len(part) // 2)
        on_halved(batch_size)
    return np.concatenate(done) if done else np.zeros((0, dim), dtype=np.float32)
