"""One block of samples becomes vectors, measurements and rejects, whatever its images are."""

import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.config.dataset import CropRule
from pipeline.embeddings.batches import Pixels, VectorArray
from pipeline.embeddings.card import EncoderCard
from pipeline.embeddings.embed import CHUNK_ROWS, EmbeddedBlock, embed_block, open_pool
from pipeline.files.core_count import count_cores
from pipeline.images.decode import load_image
from pipeline.images.measure import MEASURES
from pipeline.tables import MEASUREMENTS, REJECTS, check

SAMPLE = {"content_key": pl.String, "path": pl.String} | dict.fromkeys("xywh", pl.Float64)
Row = tuple[str, str, float | None, float | None, float | None, float | None]


class MeanColorEncoder:
    """A stand-in whose vector is the mean color, so that a mix-up of rows shows."""

    encoder_id = "mean-color"
    dim = 3
    logit_scale = 1.0
    card = EncoderCard("mean-color||fp32", None, encoder_id, dim, logit_scale)

    def __init__(self, *, in_workers: bool) -> None:
        self.in_workers = in_workers
        self.batches: list[int] = []
        self.threads: set[str] = set()

    def prepare(self, image: Image.Image) -> Pixels:
        return np.asarray(image.resize((4, 4), Image.Resampling.BOX))

    def encode_pixels(self, pixels: Pixels, *, batch_size: int) -> VectorArray:
        assert len(pixels) <= batch_size or self.in_workers
        self.batches.append(len(pixels))
        self.threads.add(threading.current_thread().name)
        means = pixels.reshape(len(pixels), -1, 3).mean(axis=1, dtype=np.float64)
        with np.errstate(invalid="ignore"):  # black has no direction: not a number, on purpose
            vectors = means / np.linalg.norm(means, axis=1, keepdims=True)
        return np.asarray(vectors, dtype=np.float32)

    def encode_images(self, images: Sequence[Image.Image]) -> VectorArray:
        return self.encode_pixels(np.stack([self.prepare(i) for i in images]), batch_size=99)

    def encode_texts(self, texts: Sequence[str]) -> VectorArray:
        raise NotImplementedError


def color_of(index: int) -> tuple[int, int, int]:
    return (10 + index * 37 % 240, 10 + index * 91 % 240, 10 + index * 53 % 240)


def write_colors(folder: Path, count: int) -> list[Row]:
    """Write images of one color each; the key's number is that of the color."""
    for index in range(count):
        Image.new("RGB", (20, 16), color_of(index)).save(folder / f"{index}.png")
    return [whole(f"{index:04}", f"{index}.png") for index in range(count)]


def whole(key: str, path: str) -> Row:
    return (key, path, None, None, None, None)


def samples_of(rows: Sequence[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SAMPLE, orient="row")


def embed(
    rows: Sequence[Row],
    root: Path,
    encoder: MeanColorEncoder | None,
    *,
    batch_size: int = 256,
    measures: bool = True,
) -> EmbeddedBlock:
    with open_pool(3) as pool:
        return embed_block(
            samples_of(rows),
            root=root,
            crop=CropRule(margin=0, min_size=2),
            encoder=encoder,
            pool=pool,
            batch_size=batch_size,
            measures=measures,
        )


def unit(index: int) -> VectorArray:
    color = np.array(color_of(index), dtype=np.float64)
    return (color / np.linalg.norm(color)).astype(np.float32)


@pytest.mark.parametrize("in_workers", [True, False])
def test_each_key_gets_the_vector_of_its_own_image(tmp_path: Path, *, in_workers: bool) -> None:
    rows = write_colors(tmp_path, 75)
    encoder = MeanColorEncoder(in_workers=in_workers)
    block = embed(rows[::-1], tmp_path, encoder, batch_size=20)
    assert block.vectors.keys.to_list() == [f"{index:04}" for index in range(75)]
    assert block.vectors.encoder_id == "mean-color"
    assert np.allclose(block.vectors.values, [unit(i) for i in range(75)], atol=1e-6)
    assert block.vectors.values.dtype == np.float32
    assert block.rejects.is_empty()
    check(block.measurements, MEASUREMENTS, table="measurements")
    assert block.measurements.height == 75 * len(MEASURES)
    assert block.measurements.equals(block.measurements.sort("content_key", "measure"))
    main = threading.main_thread().name
    assert (main in encoder.threads) is not in_workers
    if not in_workers:
        assert encoder.batches == [20, 20, 20, 15]


def test_overlapping_boxes_of_an_image_share_one_decode(tmp_path: Path) -> None:
    rows = write_colors(tmp_path, 3)
    opened: Counter[str] = Counter()

    def load(path: Path) -> Image.Image:
        opened[path.name] += 1
        return load_image(path)

    boxes: list[Row] = [
        (f"b{key}{n}", f"{key}.png", n, n, 8.0, 8.0) for key in range(3) for n in range(5)
    ]
    with open_pool(2) as pool:
        block = embed_block(
            samples_of([*rows, *boxes]),
            root=tmp_path,
            crop=CropRule(margin=0.1, min_size=2),
            encoder=MeanColorEncoder(in_workers=True),
            pool=pool,
            load=load,
        )
    assert opened == {"0.png": 1, "1.png": 1, "2.png": 1}
    assert len(block.vectors.keys) == 18
    assert np.allclose(block.vectors.values[-1], unit(2), atol=1e-6)


def test_more_boxes_than_a_chunk_holds_are_all_encoded(tmp_path: Path) -> None:
    write_colors(tmp_path, 1)
    boxes: list[Row] = [(f"{n:04}", "0.png", 1.0, 1.0, 9.0, 9.0) for n in range(300)]
    for in_workers in (True, False):
        block = embed(boxes, tmp_path, MeanColorEncoder(in_workers=in_workers), batch_size=7)
        assert np.allclose(block.vectors.values, np.tile(unit(0), (300, 1)), atol=1e-6)


def test_the_same_content_is_embedded_once(tmp_path: Path) -> None:
    rows = write_colors(tmp_path, 4)
    encoder = MeanColorEncoder(in_workers=True)
    copies = [whole("0001", "0.png"), whole("0001", "1.png")]
    block = embed([*rows, *copies], tmp_path, encoder)
    assert sum(encoder.batches) == len(block.vectors.keys) == 4


@pytest.mark.parametrize("in_workers", [True, False])
def test_bad_images_are_rejected_and_the_rest_goes_on(tmp_path: Path, *, in_workers: bool) -> None:
    rows = write_colors(tmp_path, 30)
    (tmp_path / "text.jpg").write_text("no image at all")
    (tmp_path / "empty.jpg").touch()
    black = tmp_path / "black.png"
    Image.new("RGB", (9, 9)).save(black)
    bad: list[Row] = [
        whole("0003a", "text.jpg"),
        whole("0003b", "empty.jpg"),
        whole("0003c", "missing.jpg"),
        whole("0003d", "black.png"),
        ("0003e", "5.png", 500.0, 0.0, 9.0, 9.0),
    ]
    counted: list[int] = []
    with open_pool(2) as pool:
        block = embed_block(
            samples_of([*rows, *bad]),
            root=tmp_path,
            crop=CropRule(),
            encoder=MeanColorEncoder(in_workers=in_workers),
            pool=pool,
            batch_size=8,
            progress=counted.append,
        )
    good = [row[0] for row in rows]
    assert block.vectors.keys.to_list() == good
    assert np.allclose(block.vectors.values, [unit(i) for i in range(30)], atol=1e-6)
    assert sorted(set(block.measurements["content_key"])) == good
    check(block.rejects, REJECTS, table="rejects")
    assert block.rejects["stage"].unique().to_list() == ["embed"]
    reasons = dict(block.rejects.select("path", "reason").iter_rows())
    assert sorted(reasons) == ["5.png", "black.png", "empty.jpg", "missing.jpg", "text.jpg"]
    assert "not exist" in reasons["missing.jpg"]
    assert "not finite" in reasons["black.png"]
    assert sum(counted) == 35
    # A missing file may come back, and another encoder may do better with a black image.
    assert block.broken["content_key"].to_list() == ["0003a", "0003b", "0003e"]


def test_a_reject_names_every_path_of_its_content(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_text("no image")
    rows = [whole("k", "a.jpg"), whole("k", "b.jpg")]
    block = embed(rows, tmp_path, MeanColorEncoder(in_workers=True))
    assert block.rejects["path"].to_list() == ["a.jpg", "b.jpg"]


def test_without_an_encoder_only_measures_are_taken(tmp_path: Path) -> None:
    block = embed(write_colors(tmp_path, 5), tmp_path, None)
    assert block.vectors.values.shape == (0, 0)
    assert block.measurements["content_key"].n_unique() == 5


def test_measures_may_be_left_out(tmp_path: Path) -> None:
    rows = write_colors(tmp_path, 5)
    block = embed(rows, tmp_path, MeanColorEncoder(in_workers=True), measures=False)
    assert (block.measurements.height, len(block.vectors.keys)) == (0, 5)


@pytest.mark.parametrize("in_workers", [True, False])
def test_an_empty_block_gives_empty_tables(tmp_path: Path, *, in_workers: bool) -> None:
    block = embed([], tmp_path, MeanColorEncoder(in_workers=in_workers))
    assert block.vectors.values.shape == (0, 3)
    assert block.measurements.is_empty()
    assert block.rejects.is_empty()


def test_a_failing_encoder_is_no_reject_and_stops_the_block(tmp_path: Path) -> None:
    class Failing(MeanColorEncoder):
        def encode_pixels(self, pixels: Pixels, *, batch_size: int) -> VectorArray:
            raise ValueError(f"kernel lost at {len(pixels)} of {batch_size}")

    for in_workers in (True, False):
        with pytest.raises(ValueError, match="kernel lost"):
            embed(write_colors(tmp_path, 40), tmp_path, Failing(in_workers=in_workers))


def test_a_bounded_number_of_images_is_held(tmp_path: Path) -> None:
    """While the encoder is busy, the workers must not decode the whole block into memory."""
    write_colors(tmp_path, 1)
    shown = load_image(tmp_path / "0.png")
    loaded: list[Path] = []

    def load(path: Path) -> Image.Image:
        loaded.append(path)
        return shown

    class Busy(MeanColorEncoder):
        def encode_pixels(self, pixels: Pixels, *, batch_size: int) -> VectorArray:
            # The pool works in order: what was submitted before this is decoded by now.
            pool.submit(int).result()
            raise ValueError(f"{len(pixels)} of {batch_size}")

    bound = CHUNK_ROWS * (4 * count_cores() + 2)
    many = [whole(f"{index:06}", f"{index}.png") for index in range(2 * bound)]
    with ThreadPoolExecutor(1) as pool, pytest.raises(ValueError, match="32 of 32"):
        embed_block(
            samples_of(many),
            root=tmp_path,
            crop=CropRule(),
            encoder=Busy(in_workers=False),
            pool=pool,
            batch_size=32,
            load=load,
        )
    assert len(loaded) <= bound


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=15,
)
@given(order=st.permutations(list(range(24))), batch=st.integers(1, 40), in_workers=st.booleans())
def test_row_order_and_batch_size_do_not_matter(
    tmp_path: Path, *, order: list[int], batch: int, in_workers: bool
) -> None:
    rows = write_colors(tmp_path, 24)
    first = embed(rows, tmp_path, MeanColorEncoder(in_workers=True))
    encoder = MeanColorEncoder(in_workers=in_workers)
    second = embed([rows[i] for i in order], tmp_path, encoder, batch_size=batch)
    assert first.vectors.keys.equals(second.vectors.keys)
    assert np.array_equal(first.vectors.values, second.vectors.values)
    assert first.measurements.equals(second.measurements)
