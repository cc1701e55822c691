"""How near the embedding stage comes to what the machine could do, on the CelebA images.

The bound on a CPU is 1 / (f + d / cores) images a second: f is the wall time of the bare model
forward for an image in the faster memory layout, d the CPU time of decoding and resizing one. Each
is given its best case: f may use one team of threads or one thread a core, and the batch that suits
it; d leaves out the measures, which the stage takes too. On a GPU the bound is the lower rate of
the two. The stage is timed in blocks of the flow's size, with its shards written; loading the model
and the first block are start-up and printed apart.
"""

import hashlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import open_clip
import polars as pl
import torch

from pipeline.config.audit import EncoderConfig
from pipeline.config.dataset import CropRule
from pipeline.embeddings.embed import embed_block, open_pool
from pipeline.embeddings.encoder import OpenClipEncoder, load_encoder
from pipeline.files.core_count import count_cores
from pipeline.images.decode import load_image
from pipeline.images.measure import measure_image
from pipeline.workspace.shards import write_shard, write_vectors

DATA = Path(__file__).parents[3] / "shared" / "data"
WEIGHTS = DATA / "weights" / "face-lite"
IMAGES = DATA / "celeba" / "images"
REPEATS = 5
BLOCK = 2_048  # as flows.stages.plan cuts
FORWARD_IMAGES = 128  # of a timed bare forward
DECODE_IMAGES = 500


@dataclass(frozen=True)
class Way:
    """One way to run the bare model forward."""

    layout: str  # channels first | channels last
    threads: str  # team: all cores on one batch; each: one batch a core
    batch: int

    def __str__(self) -> str:
        return f"{self.layout}, {self.threads}, batch {self.batch}"


def list_ways() -> list[Way]:
    """Return the ways worth timing: a GPU is given full batches, a CPU small and middling ones."""
    layouts = ("channels first", "channels last")
    if torch.cuda.is_available():
        return [Way(layout, "team", FORWARD_IMAGES) for layout in layouts]
    return [Way(*way) for way in product(layouts, ("team", "each"), (16, 64))]


def main() -> None:
    """Print the table of criterion 3 of the audit issue, or why it cannot be made."""
    if not (WEIGHTS.is_dir() and IMAGES.is_dir()):
        print(f"embed: skipped, {DATA} has no face-lite weights or no CelebA images")
        return
    samples = list_samples(sorted(IMAGES.rglob("*.jpg")))
    started = time.perf_counter()
    encoder = load_encoder(EncoderConfig(model=f"local-dir:{WEIGHTS}"))
    loading = time.perf_counter() - started
    forward = Forward()
    times: dict[str, list[float]] = {}
    with open_pool() as pool:
        first = time_stage(samples.head(256), encoder, pool)
        for way in list_ways():
            forward.time(way, pool)  # warms up
        for _ in range(REPEATS):  # interleaved, so that a busy minute meets all of them
            for way in list_ways():
                times.setdefault(str(way), []).append(forward.time(way, pool))
            for name, seconds in time_decoding(encoder).items():
                times.setdefault(name, []).append(seconds)
            times.setdefault("stage", []).append(time_stage(samples, encoder, pool))
    print_table(times, samples=samples.height, loading=loading, first=first)


def list_samples(paths: list[Path]) -> pl.DataFrame:
    """Return whole-image samples, ordered by path as the flow orders them."""
    names = [path.relative_to(IMAGES).as_posix() for path in paths]
    keys = [hashlib.sha256(name.encode()).hexdigest()[:32] for name in names]
    boxes = dict.fromkeys("xywh", pl.lit(None, pl.Float64))
    return pl.DataFrame({"content_key": keys, "path": names}).with_columns(**boxes)


class Forward:
    """The bare model, nothing of ours around it, in both memory layouts."""

    def __init__(self) -> None:
        name = f"local-dir:{WEIGHTS}"
        device = "cuda" if torch.cuda.is_available() else "cpu"
        half = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        self._dtype = torch.bfloat16 if half else torch.float32
        self._formats = {
            "channels first": torch.contiguous_format,
            "channels last": torch.channels_last,
        }
        self._models: dict[str, Any] = {
            layout: open_clip.create_model(name, device=device).eval().to(memory_format=form)
            for layout, form in self._formats.items()
        }
        size = self._models["channels last"].visual.preprocess_cfg["size"]
        edge = size if isinstance(size, int) else size[0]
        self._images = torch.randn(FORWARD_IMAGES, 3, edge, edge, device=device)

    def time(self, way: Way, pool: ThreadPoolExecutor) -> float:
        """Return the wall seconds of one image."""
        images = self._images.to(memory_format=self._formats[way.layout])
        model = self._models[way.layout]

        def run(batch: torch.Tensor) -> None:
            if way.threads == "each":
                torch.set_num_threads(1)
            with (
                torch.inference_mode(),
                torch.autocast(
                    batch.device.type, self._dtype, enabled=self._dtype != torch.float32
                ),
            ):
                model.encode_image(batch)

        def run_all() -> None:
            batches = [images[i : i + way.batch] for i in range(0, len(images), way.batch)]
            list(pool.map(run, batches) if way.threads == "each" else map(run, batches))
            if images.is_cuda:
                torch.cuda.synchronize()

        return time_call(run_all) / FORWARD_IMAGES


def time_decoding(encoder: OpenClipEncoder) -> dict[str, float]:
    """Return CPU seconds an image of decoding with resizing, and of the measures."""
    paths = sorted(IMAGES.rglob("*.jpg"))[:DECODE_IMAGES]
    with ThreadPoolExecutor(1) as pool:  # one thread: CPU time is its own
        started = time.process_time()
        images = pool.submit(lambda: [load_image(path) for path in paths]).result()
        pool.submit(lambda: [encoder.prepare(image) for image in images]).result()
        decoded = time.process_time()
        pool.submit(lambda: [measure_image(image) for image in images]).result()
        measured = time.process_time()
    return {
        "decode": (decoded - started) / len(paths),
        "measure": (measured - decoded) / len(paths),
    }


def time_stage(samples: pl.DataFrame, encoder: OpenClipEncoder, pool: ThreadPoolExecutor) -> float:
    """Return the wall seconds of one image in the whole stage, its shards written."""
    with fresh_folder() as folder:

        def run() -> None:
            for block in samples.iter_slices(BLOCK):
                made = embed_block(block, root=IMAGES, crop=CropRule(), encoder=encoder, pool=pool)
                write_shard(made.measurements, folder / "measurements")
                write_vectors(made.vectors, folder / "embeddings")

        return time_call(run) / samples.height


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """Yield a folder with places for the shards, removed afterwards."""
    with tempfile.TemporaryDirectory() as name:
        for place in ("measurements", "embeddings"):
            (Path(name) / place).mkdir()
        yield Path(name)


def time_call(call: Callable[[], None]) -> float:
    """Return the wall seconds of one call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def print_table(
    times: dict[str, list[float]], *, samples: int, loading: float, first: float
) -> None:
    """Print each time's median and the share of the bound that the stage reaches."""
    medians = {name: statistics.median(values) for name, values in times.items()}
    ways = {str(way): medians[str(way)] for way in list_ways()}
    best = min(ways, key=lambda name: ways[name])
    forward, decode, cores = ways[best], medians["decode"], count_cores()
    if torch.cuda.is_available():
        bound, formula = min(1 / forward, cores / decode), "min(1 / f, cores / d)"
    else:
        bound, formula = 1 / (forward + decode / cores), "1 / (f + d / cores)"
    reached = 1 / medians["stage"]
    print(f"embed: {samples:,} CelebA images, face-lite, {cores} cores, {REPEATS} repeats, medians")
    print(f"  start-up: model loaded in {loading:.2f} s; first 256 images {first * 256:.2f} s")
    for name, seconds in ways.items():
        mark = "  <- f" if name == best else ""
        print(f"  bare forward, {name:32} {seconds * 1e3:7.2f} ms an image{mark}")
    print(f"  decode and resize, CPU time (d)                {decode * 1e3:7.2f} ms an image")
    print(f"  measures, CPU time (not in the bound)          {medians['measure'] * 1e3:7.2f} ms")
    print(f"  the stage                                      {medians['stage'] * 1e3:7.2f} ms")
    print(f"  bound {formula} = {bound:.0f} images/s; the stage {reached:.0f} images/s")
    print(f"  share of the bound: {reached / bound:.2f} (asked: 0.90)")


if __name__ == "__main__":
    main()
