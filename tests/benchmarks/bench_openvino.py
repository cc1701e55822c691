"""Embedding on a CPU: OpenVINO beside PyTorch, the same images in the same workers, in turns.

Each encoder is called as the stage calls it, from one thread a core with batches of its own. Of the
weights at hand: face-lite where ../shared has it, and the demo's encoder.
"""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from pipeline.config.audit import EncoderConfig
from pipeline.embeddings.batches import Pixels, VectorArray
from pipeline.embeddings.embed import CHUNK_ROWS, open_pool
from pipeline.embeddings.encoder import CPU_BATCH, OpenClipEncoder, load_encoder
from pipeline.files.core_count import count_cores
from tests.benchmarks.bench_embed import WEIGHTS

DEMO = Path(__file__).parents[2] / "pipeline" / "demo" / "encoder"
IMAGES, REPEATS = 512, 7


def main() -> None:
    """Print milliseconds an image of both, their ratio, and how near the vectors are."""
    for folder in (WEIGHTS, DEMO):
        if folder.is_dir():
            compare(folder)
        else:
            print(f"openvino: {folder} is not there")


def compare(folder: Path) -> None:
    """Print one row."""
    name = f"local-dir:{folder}"
    encoders = [
        load_encoder(EncoderConfig(model=name)),
        load_encoder(EncoderConfig(model=name, runtime="openvino")),
    ]
    edge = encoders[0]._model.visual.image_size
    height, width = (edge, edge) if isinstance(edge, int) else edge
    pixels = np.random.default_rng(0).integers(0, 256, (IMAGES, height, width, 3), dtype=np.uint8)
    times: list[list[float]] = [[], []]
    with open_pool() as pool:
        made = [encode(one, pixels, pool) for one in encoders]  # warms up
        for _ in range(REPEATS):
            for seconds, encoder in zip(times, encoders, strict=True):
                begin = time.perf_counter()
                encode(encoder, pixels, pool)
                seconds.append((time.perf_counter() - begin) / IMAGES)
    torch_time, openvino_time = (1e3 * statistics.median(seconds) for seconds in times)
    cosine = float((made[0] * made[1]).sum(axis=1).min())
    equal = float((made[0].astype(np.float16) == made[1].astype(np.float16)).mean())
    print(
        f"{folder.name}: PyTorch {torch_time:.2f} ms an image, OpenVINO {openvino_time:.2f}, ratio "
        f"{openvino_time / torch_time:.2f} ({count_cores()} cores, batches of {CPU_BATCH}); least "
        f"cosine {cosine:.7f}, {equal:.1%} of the numbers kept are the same"
    )


def encode(encoder: OpenClipEncoder, pixels: Pixels, pool: ThreadPoolExecutor) -> VectorArray:
    """Encode in the workers, chunk by chunk, as the stage does."""
    chunks = [pixels[at : at + CHUNK_ROWS] for at in range(0, len(pixels), CHUNK_ROWS)]
    return np.concatenate(
        list(pool.map(lambda chunk: encoder.encode_pixels(chunk, batch_size=256), chunks))
    )


if __name__ == "__main__":
    main()
