"""Windows of images are embedded once, kept beside the samples, and searched as parts."""

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from flows.retrieval.encode_query import QueryEncoder
from flows.retrieval.find_hits import find_hits
from flows.retrieval.search_parts import open_parts
from flows.windows.embed_windows import EmbeddedWindows, embed_windows, read_windows
from pipeline.config.dataset import Dataset
from pipeline.config.windows import WindowRule
from pipeline.exceptions import StoreError
from pipeline.files.whole_files import write_text
from pipeline.retrieval.query import make_query
from pipeline.samples.read import read_samples
from pipeline.workspace.manifests import SamplesManifest
from pipeline.workspace.shards import read_broken
from pipeline.workspace.store import Store, open_store
from tests.flows.command import call
from tests.flows.windows.color_encoder import ColorEncoder, load_colors

RULE = WindowRule(scales=(0.5,), aspects=(1.0,), stride=1.0)  # two rows of three squares


def write_images(folder: Path) -> pl.DataFrame:
    """Write a blue image, one with a red square at (40, 20), a copy of it, and one cut off."""
    folder.mkdir()
    Image.new("RGB", (60, 40), "blue").save(folder / "0.png")
    image = Image.new("RGB", (60, 40), "blue")
    image.paste((255, 0, 0), (40, 20, 60, 40))
    image.save(folder / "1.png")
    shutil.copy(folder / "1.png", folder / "2.png")
    shutil.copy(folder / "1.png", folder / "3.png")
    return read_samples(Dataset(format="folder", images=(folder,))).samples


def embed(images: pl.DataFrame, store: Store, encoder: ColorEncoder) -> EmbeddedWindows:
    root = store.folder.parent / "images"
    return embed_windows(images, RULE, root=root, encoder=encoder, store=store, stage="detect")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "workspace")


def test_windows_of_equal_images_are_embedded_once_and_kept(tmp_path: Path, store: Store) -> None:
    images, encoder = write_images(tmp_path / "images"), ColorEncoder()
    first = embed(images, store, encoder)
    assert (first.made, first.windows.height, encoder.seen) == (12, 12, 12)
    again = embed(images.reverse(), store, encoder)
    assert (again.made, encoder.seen) == (0, 12)
    assert again.windows.equals(first.windows)
    np.testing.assert_array_equal(again.vectors, first.vectors)
    assert read_windows(store).height == 12


def test_other_scales_embed_their_own_windows_alone(tmp_path: Path, store: Store) -> None:
    images, encoder = write_images(tmp_path / "images"), ColorEncoder()
    embed(images, store, encoder)
    more = RULE.model_copy(update={"scales": (0.5, 1.0)})
    root = tmp_path / "images"
    both = embed_windows(images, more, root=root, encoder=encoder, store=store, stage="detect")
    assert (both.made, both.windows.height) == (4, 16)
    red = both.vectors[:, 0] > 0.99
    assert both.windows.filter(red)["x", "y", "w", "h"].rows() == [(40, 20, 20, 20)]


def test_an_image_that_cannot_be_decoded_is_rejected_by_every_path(
    tmp_path: Path, store: Store
) -> None:
    images = write_images(tmp_path / "images")
    for name in ("1.png", "2.png", "3.png"):
        (tmp_path / "images" / name).write_bytes(b"no picture")
    found = embed(images, store, ColorEncoder())
    assert found.windows["image_key"].n_unique() == 1
    assert found.rejects["path"].to_list() == ["1.png", "2.png", "3.png"]
    assert found.rejects["stage"].unique().to_list() == ["detect"]
    assert read_broken(store.broken)["content_key"].to_list() == [images["content_key"][1]]


def test_a_search_finds_the_part(tmp_path: Path, store: Store) -> None:
    images, encoder = write_images(tmp_path / "images"), ColorEncoder()
    embed(images, store, encoder)
    write_text(encoder.card.to_json(), store.embeddings / "colors" / "encoder.json")
    store.put_samples(images)
    SamplesManifest(counts={}, root=str(tmp_path / "images")).write(store.folder)
    session = open_parts(store.folder)
    assert session.samples.height == 24  # six of each of four paths
    words = QueryEncoder(session, load_colors)
    query = make_query(
        words.encode_texts(["red"]), np.zeros((0, 3), np.float32), words.encode_texts([])
    )
    found = find_hits(session, words, query, session.samples, texts=["red"], top=3, errors={})
    assert found.table["path"].sort().to_list() == ["1.png", "2.png", "3.png"]
    assert set(found.table.select("x", "y", "w", "h").rows()) == {(40, 20, 20, 20)}


def test_without_windows_a_search_of_parts_says_what_makes_them(store: Store) -> None:
    with pytest.raises(StoreError, match="weakspot detect"):
        open_parts(store.folder)
    told = call("search", store.folder, "red", "--parts")
    assert told.code == 1
    assert "weakspot detect" in told.err


@pytest.mark.parametrize("option", [("--in", "hat = yes"), ("--save", "red"), ("--whole-images",)])
def test_parts_have_no_labels_and_no_errors(store: Store, option: tuple[str, ...]) -> None:
    told = call("search", store.folder, "red", "--parts", *option)
    assert told.code == 2
    assert "--parts" in told.err
