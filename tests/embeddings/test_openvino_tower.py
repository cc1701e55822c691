"""OpenVINO computes the same vectors under its own id, tells nobody, and never falls back."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from pipeline.config.audit import EncoderConfig
from pipeline.embeddings.card import spec_key
from pipeline.embeddings.encoder import load_encoder
from pipeline.embeddings.openvino_tower import compile_tower
from pipeline.exceptions import EncoderError
from tests.tiny_clip import write_tiny

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_vectors_are_those_of_torch_and_no_batch_changes_them(tmp_path: Path) -> None:
    name = f"local-dir:{write_tiny(tmp_path / 'tiny')}"
    torch_encoder = load_encoder(EncoderConfig(model=name))
    encoder = load_encoder(EncoderConfig(model=name, runtime="openvino"))
    rng = np.random.default_rng(1)
    images = [Image.fromarray(rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)) for _ in range(9)]
    pixels = np.stack([encoder.prepare(image) for image in images])
    expected = torch_encoder.encode_pixels(pixels, batch_size=9)
    found = encoder.encode_pixels(pixels, batch_size=9)
    assert (expected * found).sum(axis=1).min() > 0.99999
    assert np.array_equal(found, encoder.encode_pixels(pixels, batch_size=2))
    assert encoder.encoder_id != torch_encoder.encoder_id
    assert np.array_equal(encoder.encode_texts(["a"]), torch_encoder.encode_texts(["a"]))


class Wrong(torch.nn.Module):
    """Encodes an image as other numbers each time, as a broken conversion would."""

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1)[:, :4] + 100 * torch.rand(len(images), 4)


def test_a_model_of_which_openvino_makes_other_vectors_is_refused() -> None:
    with pytest.raises(EncoderError, match=r"leave runtime out of \[encoder\]"):
        compile_tower(Wrong(), edges=(4, 4))


def test_known_keys_stay_and_other_precisions_are_refused() -> None:
    config = EncoderConfig(model="local-dir:/weights")
    assert spec_key(config) == "local-dir:/weights||auto"
    assert spec_key(config.model_copy(update={"runtime": "openvino"})).endswith("|auto+openvino")
    with pytest.raises(ValidationError, match="computes with fp32"):
        EncoderConfig(model="local-dir:/weights", runtime="openvino", precision="bf16")


WATCHED = """
import socket, sys, torch
wanted = []
sys.addaudithook(lambda event, _: wanted.append(event) if event.startswith("socket.") else None)
from pipeline.embeddings.openvino_tower import compile_tower
class Tower(torch.nn.Module):
    def encode_image(self, images): return images.flatten(1)[:, :4]
compile_tower(Tower(), edges=(4, 4))
assert "openvino_telemetry" not in sys.modules, "telemetry is imported"
print(wanted)
"""


@pytest.mark.slow
def test_openvino_reaches_for_no_network() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCHED], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
