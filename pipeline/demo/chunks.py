"""Images drawn in chunks of their numbers, here or by worker processes."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

CHUNK = 64  # images drawn by one task of a worker
Drawn = TypeVar("Drawn")


def map_chunks(draw: Callable[[range], Drawn], *, images: int, workers: int) -> Iterator[Drawn]:
    """Yield what `draw` returns for each chunk of the image numbers, in their order.

    draw: a function that pickles, where there are several workers.
    """
    chunks = [range(start, min(start + CHUNK, images)) for start in range(0, images, CHUNK)]
    if workers <= 1:
        yield from map(draw, chunks)
        return
    # Spawned, not forked: the caller may have started threads. Workers import no torch.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(draw, chunks)
