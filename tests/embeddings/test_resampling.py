"""Crops are brought to the encoder's size by the interpolation that the crop rule names."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from pipeline.config.audit import EncoderConfig
from pipeline.config.dataset import CropRule
from pipeline.embeddings.embed import embed_block
from pipeline.embeddings.encoder import OpenClipEncoder, load_encoder
from pipeline.embeddings.resampling import choose_prepare, replace_interpolation
from pipeline.exceptions import EncoderError
from tests.embeddings.test_embed_block import MeanColorEncoder
from tests.tiny_clip import write_tiny


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> OpenClipEncoder:
    folder = write_tiny(tmp_path_factory.mktemp("weights") / "tiny")
    return load_encoder(EncoderConfig(model=f"local-dir:{folder}", precision="fp32"))


def noise() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (90, 90, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def test_model_means_the_encoders_own_way(tiny: OpenClipEncoder) -> None:
    assert choose_prepare(tiny, "model")(noise()).tolist() == tiny.prepare(noise()).tolist()


@pytest.mark.parametrize("name", ["nearest", "bilinear", "bicubic", "lanczos"])
def test_pixels_are_those_of_pillow_with_that_interpolation(
    tiny: OpenClipEncoder, name: str
) -> None:
    side = tiny.prepare(noise()).shape[0]
    resized = noise().resize((side, side), Image.Resampling[name.upper()])
    assert np.array_equal(choose_prepare(tiny, name)(noise()), np.asarray(resized))


def test_only_crops_are_resampled(tmp_path: Path, tiny: OpenClipEncoder) -> None:
    noise().save(tmp_path / "a.png")
    rows = [("whole", "a.png", None, None, None, None), ("crop", "a.png", 0.0, 0.0, 90.0, 90.0)]
    names = ["content_key", "path", "x", "y", "w", "h"]
    samples = pl.DataFrame(rows, schema=names, orient="row")
    vectors = {}
    for name in ("model", "nearest"):
        crop = CropRule.model_validate({"margin": 0, "interpolation": name})
        with ThreadPoolExecutor(1) as pool:
            block = embed_block(samples, root=tmp_path, crop=crop, encoder=tiny, pool=pool)
        vectors[name] = dict(zip(block.vectors.keys, block.vectors.values, strict=True))
    assert np.allclose(vectors["model"]["whole"], vectors["nearest"]["whole"], atol=1e-6)
    assert np.allclose(vectors["model"]["crop"], vectors["model"]["whole"], atol=1e-6)
    assert not np.allclose(vectors["nearest"]["crop"], vectors["model"]["crop"], atol=1e-4)


def test_an_encoder_without_a_choice_is_reported() -> None:
    with pytest.raises(EncoderError, match="cannot resize by 'lanczos'"):
        choose_prepare(MeanColorEncoder(in_workers=True), "lanczos")
    with pytest.raises(EncoderError, match="resizes nothing"):
        replace_interpolation([str], "lanczos")
