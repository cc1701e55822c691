"""The encoder: open_clip's own vectors, which no batch size changes, and plain errors."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from pipeline.config.audit import EncoderConfig
from pipeline.embeddings.card import weights_stamp
from pipeline.embeddings.encoder import OpenClipEncoder, load_encoder
from pipeline.exceptions import EncoderError
from pipeline.images.decode import load_image
from tests.tiny_clip import write_tiny

DATA = Path(__file__).parents[3] / "shared" / "data"
FACE_LITE = DATA / "weights" / "face-lite"
CELEBA = DATA / "celeba" / "images"

needs_faces = pytest.mark.skipif(
    not (FACE_LITE.is_dir() and CELEBA.is_dir()), reason="../shared/data has no face-lite or CelebA"
)


def load(folder: Path, **options: object) -> OpenClipEncoder:
    return load_encoder(EncoderConfig.model_validate({"model": f"local-dir:{folder}", **options}))


def noise(count: int) -> list[Image.Image]:
    rng = np.random.default_rng(3)
    sizes = [(40, 60), (64, 33), (32, 32), (90, 50)]
    return [
        Image.fromarray(rng.integers(0, 256, (*sizes[i % 4], 3), dtype=np.uint8))
        for i in range(count)
    ]


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """A team of kernel threads that waits for a busy core costs more than it brings."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> OpenClipEncoder:
    return load(write_tiny(tmp_path_factory.mktemp("weights") / "tiny"))


@pytest.mark.parametrize("resize_mode", ["shortest", "longest", "squash"])
def test_vectors_equal_those_of_open_clip_itself(tmp_path: Path, resize_mode: str) -> None:
    folder = write_tiny(tmp_path / "m", resize_mode=resize_mode, interpolation="bicubic")
    encoder = load(folder)
    model, _, transform = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    model = model.eval()
    tokens = open_clip.get_tokenizer(f"local-dir:{folder}")(["a dog", "a cat"])
    with torch.inference_mode():
        images = torch.stack([transform(image) for image in noise(9)])
        expected = model.encode_image(images, normalize=True).numpy()
        texts = model.encode_text(tokens, normalize=True).numpy()
        scale = float(model.logit_scale.exp())
    assert np.abs(encoder.encode_images(noise(9)) - expected).max() < 1e-5
    assert np.abs(encoder.encode_texts(["a dog", "a cat"]) - texts).max() < 1e-5
    assert encoder.logit_scale == pytest.approx(scale)


def test_vectors_have_unit_length_and_the_promised_size(tiny: OpenClipEncoder) -> None:
    for vectors in (tiny.encode_images(noise(5)), tiny.encode_texts(["a", "b c", "d"])):
        assert vectors.dtype == np.float32
        assert vectors.shape[1] == tiny.dim == tiny.card.dim == 16
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert tiny.encode_images([]).shape == tiny.encode_texts([]).shape == (0, 16)


def test_batch_size_and_thread_do_not_change_a_vector(tiny: OpenClipEncoder) -> None:
    pixels = np.stack([tiny.prepare(image) for image in noise(37)])
    whole = tiny.encode_pixels(pixels, batch_size=256)
    with ThreadPoolExecutor(1) as pool:
        for size in (1, 5, 36):
            parts = pool.submit(tiny.encode_pixels, pixels, batch_size=size).result()
            assert np.abs(parts - whole).max() < 1e-4


def test_the_id_names_weights_and_preprocessing_but_no_folder(tmp_path: Path) -> None:
    first = load(write_tiny(tmp_path / "a")).encoder_id
    shutil.copytree(tmp_path / "a", tmp_path / "moved")
    assert load(tmp_path / "moved").encoder_id == first
    assert load(tmp_path / "moved", batch_size=1).encoder_id == first
    others = {
        load(write_tiny(tmp_path / "b", seed=1)).encoder_id,
        load(write_tiny(tmp_path / "c", mean=[0.5, 0.5, 0.5])).encoder_id,
        load(tmp_path / "a", precision="bf16").encoder_id,
    }
    assert len(others | {first}) == 4


def test_bf16_is_near_fp32(tmp_path: Path, tiny: OpenClipEncoder) -> None:
    half = load(write_tiny(tmp_path / "m"), precision="bf16")
    cosine = (half.encode_images(noise(4)) * tiny.encode_images(noise(4))).sum(axis=1)
    assert cosine.min() > 0.99


def test_weights_are_stamped_on_the_card(tmp_path: Path) -> None:
    folder = write_tiny(tmp_path / "m")
    config = EncoderConfig(model=f"local-dir:{folder}")
    assert load_encoder(config).card.stamp == weights_stamp(config)


def test_out_of_memory_halves_the_batch_for_good(
    tiny: OpenClipEncoder, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[int] = []

    class Crowded(torch.nn.Module):
        logit_scale = torch.zeros(())

        def encode_image(self, images: torch.Tensor) -> torch.Tensor:
            seen.append(len(images))
            if len(images) > 3:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return images.mean(dim=(2, 3))

    crowded = OpenClipEncoder(
        Crowded(),
        open_clip.image_transform(32, is_train=False),
        None,
        card=tiny.card,
        batch_size=8,
        device=torch.device("cpu"),
        dtype=torch.float32,
    )
    pixels = np.stack([crowded.prepare(image) for image in noise(10)])
    crowded.encode_pixels(pixels, batch_size=256)
    assert seen == [8, 4, 2, 2, 2, 2, 2]
    crowded.encode_pixels(pixels, batch_size=256)
    assert max(seen[7:]) == 2
    assert "halved to 2 images" in caplog.text


def test_an_unknown_model_names_the_nearest() -> None:
    with pytest.raises(EncoderError, match="ViT-B-32"):
        load_encoder(EncoderConfig(model="ViT-B32", pretrained="openai"))


def test_unknown_weights_name_the_nearest() -> None:
    with pytest.raises(EncoderError, match=r"nearest: laion2b_s34b_b79k"):
        load_encoder(EncoderConfig(model="ViT-B-32", pretrained="laion2b_s34b_b79"))


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="not found"):
        load(tmp_path / "nothing")


def test_a_folder_without_weights_is_never_a_random_model(tmp_path: Path) -> None:
    (write_tiny(tmp_path / "m") / "open_clip_model.safetensors").unlink()
    with pytest.raises(EncoderError, match=r"open_clip_model\.safetensors"):
        load(tmp_path / "m")


@pytest.mark.parametrize("damage", ["truncated", "text", "other shape", "bad config"])
def test_broken_weights_are_reported(tmp_path: Path, damage: str) -> None:
    folder = write_tiny(tmp_path / "m")
    weights, config = folder / "open_clip_model.safetensors", folder / "open_clip_config.json"
    if damage == "truncated":
        weights.write_bytes(weights.read_bytes()[:-1000])
    elif damage == "text":
        weights.write_text("these are no weights")
    elif damage == "bad config":
        config.write_text("{")
    else:
        config.write_text(config.read_text().replace('"embed_dim": 16', '"embed_dim": 24'))
    with pytest.raises(EncoderError, match="cannot be loaded"):
        load(folder)


def test_hub_weights_that_cannot_be_had_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)  # a test asks no network
    with pytest.raises(EncoderError, match="local-dir:FOLDER"):
        load_encoder(EncoderConfig(model="hf-hub:nobody/has-this"))


@pytest.mark.slow
@needs_faces
def test_real_vectors_do_not_depend_on_the_batch_size() -> None:
    encoder = load(FACE_LITE)
    paths = sorted(CELEBA.rglob("*.jpg"))[:24]
    pixels = np.stack([encoder.prepare(load_image(path)) for path in paths])
    with ThreadPoolExecutor(1) as pool:  # as the stage does: one thread of kernels
        whole = pool.submit(encoder.encode_pixels, pixels, batch_size=24).result()
        for size in (1, 7, 16):
            parts = pool.submit(encoder.encode_pixels, pixels, batch_size=size).result()
            assert np.abs(parts - whole).max() < 1e-3


@needs_faces
def test_real_vectors_equal_those_of_open_clip_itself() -> None:
    encoder = load(FACE_LITE)
    model, _, transform = open_clip.create_model_and_transforms(f"local-dir:{FACE_LITE}")
    images = [Image.open(path).convert("RGB") for path in sorted(CELEBA.rglob("*.jpg"))[:16]]
    with torch.inference_mode():
        batch = torch.stack([transform(image) for image in images])
        expected = model.eval().encode_image(batch, normalize=True).numpy()
    assert np.abs(encoder.encode_images(images) - expected).max() < 1e-3
