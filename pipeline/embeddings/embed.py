"""Samples -> embeddings, measurements and rejects: each image is decoded once for all of them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from pipeline.arrays import Vectors
from pipeline.config.dataset import CropRule
from pipeline.embeddings.batches import Pixels, VectorArray
from pipeline.embeddings.card import Encoder
from pipeline.embeddings.resampling import Prepare, choose_prepare
from pipeline.files.core_count import count_cores
from pipeline.images.crop import Box, crop_image
from pipeline.images.decode import ImageRejectedError, ImageUnreadableError, load_image
from pipeline.images.image_pass import list_rejects
from pipeline.images.measure import MEASURE_VERSION, MEASURES, measure_image
from pipeline.tables import BROKEN, MEASUREMENTS

CHUNK_ROWS = 64  # rows that a worker takes at a time; fewer cost a twentieth more on two cores
MAX_BOXES = 128  # of one image in a chunk: bounds what a crowded image holds in memory

Loader = Callable[[Path], Image.Image]


@dataclass(frozen=True)
class EmbeddedBlock:
    """Vectors, `measurements` and `rejects` of one block of samples, each sorted by key.

    broken: content_key and reason of rejects that will never be usable. Files that could not be
    read are not among them, nor what this encoder alone could not encode.
    """

    vectors: Vectors
    measurements: pl.DataFrame
    rejects: pl.DataFrame
    broken: pl.DataFrame


@dataclass(frozen=True)
class _Job:
    """What every chunk is done with."""

    root: Path
    crop: CropRule
    encoder: Encoder | None
    batch_size: int
    measures: bool
    load: Loader
    prepare_crop: Prepare | None


@dataclass
class _Part:
    """What came of one chunk; the lists of used rows run in parallel."""

    rows: list[int] = field(default_factory=list)
    pixels: list[Pixels] = field(default_factory=list)
    vectors: VectorArray | None = None
    measured: list[dict[str, float]] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)
    may_pass: set[int] = field(default_factory=set)  # of `failed`: perhaps usable next time


_Chunk = list[tuple[str, list[tuple[int, Box | None]]]]  # path, then row and box of each sample


def open_pool(workers: int | None = None) -> ThreadPoolExecutor:
    """Return the pool that serves a whole embedding stage, one thread a core; close it after.

    Decoding, resizing and kernels leave the interpreter lock, so threads keep all cores busy
    without copying pixels between processes or forking after kernels ran.
    """
    return ThreadPoolExecutor(workers or count_cores(), thread_name_prefix="embed")


def embed_block(
    samples: pl.DataFrame,
    *,
    root: Path,
    crop: CropRule,
    encoder: Encoder | None,
    pool: ThreadPoolExecutor,
    batch_size: int = 256,
    measures: bool = True,
    progress: Callable[[int], None] | None = None,
    load: Loader = load_image,
) -> EmbeddedBlock:
    """Decode, crop, measure and encode the samples of one block.

    samples: columns content_key, path (relative to `root`) and x, y, w, h in pixels, null for whole
    images; other columns are ignored. A content key is used once; the boxes of an image share one
    decode. Without an encoder only measures are taken. `progress` gets the number of content keys
    done since its last call. A sample that cannot be used becomes rows of `rejects`, one for each
    path that has its content, and the rest goes on. Raises EncoderError if one image does not fit
    into memory, or if the encoder cannot resize as `crop` asks.
    """
    unique = samples.sort("content_key", "path").unique("content_key", maintain_order=True)
    prepare_crop = None if encoder is None else choose_prepare(encoder, crop.interpolation)
    job = _Job(root, crop, encoder, batch_size, measures, load, prepare_crop)
    dim = encoder.dim if encoder is not None else 0
    vectors = np.full((unique.height, dim), np.nan, dtype=np.float32)
    measured: dict[int, dict[str, float]] = {}
    failed: dict[int, str] = {}
    may_pass: set[int] = set()
    for part in _encode_parts(_run_chunks(_cut_chunks(unique), job=job, pool=pool), job=job):
        failed.update(part.failed)
        may_pass |= part.may_pass
        measured.update(zip(part.rows, part.measured, strict=False))
        if part.vectors is not None:
            vectors[part.rows] = part.vectors
        if progress is not None:
            progress(len(part.rows) + len(part.failed))
    for row in np.flatnonzero(~np.isfinite(vectors).all(axis=1)).tolist():
        if row not in failed:  # of this encoder alone; another may do better
            failed[row] = "the encoder gave a vector that is not finite"
            may_pass.add(row)
    return _collect(
        samples, unique, vectors=vectors, measured=measured,
        failed=failed, may_pass=may_pass, job=job,
    )  # fmt: skip


def _cut_chunks(unique: pl.DataFrame) -> Iterator[_Chunk]:
    """Group rows by image, in the order of their first content key, and cut about CHUNK_ROWS."""
    groups: dict[str, list[tuple[int, Box | None]]] = {}
    columns = unique.select("path", "x", "y", "w", "h").iter_rows()
    for row, (path, x, y, w, h) in enumerate(columns):
        box = None if x is None else (x, y, w, h)
        groups.setdefault(path, []).append((row, box))
    chunk: _Chunk = []
    held = 0
    for path, rows in groups.items():
        for start in range(0, len(rows), MAX_BOXES):
            part = rows[start : start + MAX_BOXES]
            chunk.append((path, part))
            held += len(part)
            if held >= CHUNK_ROWS:
                yield chunk
                chunk, held = [], 0
    if chunk:
        yield chunk


def _run_chunks(
    chunks: Iterable[_Chunk], *, job: _Job, pool: ThreadPoolExecutor
) -> Iterator[_Part]:
    """Yield what came of each chunk, in order, with a bounded number of them under way."""
    left = iter(chunks)
    # Deep enough that one huge image does not stop the others, and for two batches of a GPU.
    window = 4 * count_cores() + 2 * job.batch_size // CHUNK_ROWS
    waiting: deque[Future[_Part]] = deque(
        pool.submit(_run_chunk, chunk, job) for chunk in islice(left, window)
    )
    try:
        while waiting:
            part = waiting.popleft().result()
            waiting.extend(pool.submit(_run_chunk, chunk, job) for chunk in islice(left, 1))
            yield part
    finally:
        for future in waiting:
            future.cancel()


def _run_chunk(chunk: _Chunk, job: _Job) -> _Part:
    """Decode each image of a chunk once and take all that is wanted of it; runs in a worker."""
    part = _Part()
    for path, rows in chunk:
        try:
            image = job.load(job.root / path)
        except ImageRejectedError as error:
            part.failed.update((row, error.reason) for row, _ in rows)
            if isinstance(error, ImageUnreadableError):
                part.may_pass.update(row for row, _ in rows)
            continue
        for row, box in rows:
            try:
                shown = image if box is None else crop_image(image, box, job.crop)
            except ImageRejectedError as error:
                part.failed[row] = error.reason
                continue
            part.rows.append(row)
            if job.measures:
                part.measured.append(measure_image(shown))
            if job.encoder is not None and job.prepare_crop is not None:
                prepare = job.encoder.prepare if box is None else job.prepare_crop
                part.pixels.append(prepare(shown))
    if job.encoder is not None and job.encoder.in_workers:
        part.vectors = _encode(part.pixels, job)
        part.pixels = []
    return part


def _encode_parts(parts: Iterable[_Part], *, job: _Job) -> Iterator[_Part]:
    """Encode in this thread what the workers left, in full batches; pass on the rest as it is."""
    if job.encoder is None or job.encoder.in_workers:
        yield from parts
        return
    held = _Part()
    for part in parts:
        held.rows += part.rows
        held.pixels += part.pixels
        held.measured += part.measured
        held.failed.update(part.failed)
        held.may_pass |= part.may_pass
        while len(held.rows) >= job.batch_size:
            yield _encode_first(held, job)
    yield _encode_first(held, job)


def _encode_first(held: _Part, job: _Job) -> _Part:
    """Take the first batch from `held`, encoded."""
    size = job.batch_size
    ready = _Part(held.rows[:size], [], None, held.measured[:size], held.failed, held.may_pass)
    ready.vectors = _encode(held.pixels[:size], job)
    del held.rows[:size], held.pixels[:size], held.measured[:size]
    held.failed, held.may_pass = {}, set()
    return ready


def _encode(pixels: Sequence[Pixels], job: _Job) -> VectorArray | None:
    if job.encoder is None or not pixels:
        return None
    return job.encoder.encode_pixels(np.stack(pixels), batch_size=job.batch_size)


def _collect(
    samples: pl.DataFrame,
    unique: pl.DataFrame,
    *,
    vectors: VectorArray,
    measured: dict[int, dict[str, float]],
    failed: dict[int, str],
    may_pass: set[int],
    job: _Job,
) -> EmbeddedBlock:
    keys = unique["content_key"]
    good = [row for row in range(unique.height) if row not in failed]
    taken = [row for row in good if row in measured]
    names = sorted(MEASURES)
    measurements = pl.DataFrame(
        {
            "content_key": [key for key in keys.gather(taken) for _ in names],
            "measure": names * len(taken),
            "measure_version": [MEASURE_VERSION] * (len(taken) * len(names)),
            "value": [measured[row][name] for row in taken for name in names],
        },
        schema=dict(MEASUREMENTS),
    )
    reasons = {keys[row]: reason for row, reason in failed.items()}
    broken = sorted((keys[row], failed[row]) for row in failed if row not in may_pass)
    encoded = good if job.encoder is not None else []
    encoder_id = job.encoder.encoder_id if job.encoder is not None else ""
    return EmbeddedBlock(
        Vectors(keys.gather(encoded), vectors[encoded], encoder_id),
        measurements,
        list_rejects(samples, reasons, stage="embed"),
        pl.DataFrame(broken, schema=dict(BROKEN), orient="row"),
    )
