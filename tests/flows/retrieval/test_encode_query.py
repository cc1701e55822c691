"""Words and pictures of a query by a model that counts its calls."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from flows.retrieval.encode_query import QueryEncoder, read_config, read_texts
from flows.retrieval.search_session import SearchSession, open_search
from pipeline.embeddings.card import EncoderCard
from pipeline.exceptions import ConfigError, EncoderMismatchError
from tests.flows.retrieval.planted_workspace import SCALE, WIDTH, write_workspace


@dataclass
class CountingEncoder:
    """Encodes a text by its length and an image by its size; notes what it was asked."""

    encoder_id: str = "enc"
    dim: int = WIDTH
    logit_scale: float = SCALE
    in_workers: bool = True
    asked: list[object] = field(default_factory=list)

    @property
    def card(self) -> EncoderCard:
        return EncoderCard("local-dir:nowhere||auto", None, self.encoder_id, WIDTH, SCALE)

    def prepare(self, image: Image.Image) -> NDArray[np.uint8]:
        return np.asarray(image)

    def encode_pixels(self, pixels: object, *, batch_size: int) -> NDArray[np.float32]:
        raise NotImplementedError

    def encode_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        self.asked += [image.size for image in images]
        return np.eye(WIDTH, dtype=np.float32)[[image.width % WIDTH for image in images]]

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        return np.eye(WIDTH, dtype=np.float32)[[len(text) % WIDTH for text in texts]]


@pytest.fixture
def session(tmp_path: Path) -> SearchSession:
    return open_search(write_workspace(tmp_path).folder)


def test_words_are_encoded_once_and_kept(session: SearchSession) -> None:
    model = CountingEncoder()
    first = QueryEncoder(session, load=lambda _config: model)
    rows = first.encode_texts(["new words", "a hat", "new words"])
    assert model.asked == ["new words"]
    np.testing.assert_array_equal(rows[0], rows[2])
    again = CountingEncoder()
    QueryEncoder(session, load=lambda _config: again).encode_texts(["new words"])
    assert again.asked == []


def test_a_file_and_a_part_of_a_sample_are_encoded(session: SearchSession, tmp_path: Path) -> None:
    model = CountingEncoder()
    encoder = QueryEncoder(session, load=lambda _config: model)
    Image.new("RGB", (21, 9)).save(tmp_path / "other.png")
    encoder.encode_image(str(tmp_path / "other.png"))
    encoder.encode_image(str(tmp_path / "other.png"), box=(2, 1, 7, 5))
    encoder.encode_image("s004", box=(0, 0, 10, 16))
    assert model.asked == [(21, 9), (7, 5), (10, 16)]
    stored = encoder.encode_image("s004")
    assert len(model.asked) == 3  # its vector is there
    assert np.linalg.norm(stored) == pytest.approx(1)


def test_other_weights_are_refused(session: SearchSession) -> None:
    other = CountingEncoder(encoder_id="another")
    encoder = QueryEncoder(session, load=lambda _config: other)
    with pytest.raises(EncoderMismatchError, match="are not those that made the stored vectors"):
        encoder.encode_texts(["new words"])


def test_settings_of_an_encoder_are_read_from_its_card() -> None:
    card = EncoderCard("ViT-B-32|laion2b|fp32", None, "id", 8, 100.0)
    config = read_config(card)
    assert (config.model, config.pretrained, config.precision) == ("ViT-B-32", "laion2b", "fp32")


def test_captions_come_from_lines_or_a_column(tmp_path: Path) -> None:
    lines, table, empty = (tmp_path / name for name in ("a.txt", "b.csv", "c.txt"))
    lines.write_text(" one \n\ntwo\none\n")
    table.write_text("id,caption\n1,one\n2,two\n")
    empty.write_text("\n")
    assert read_texts(lines) == read_texts(table) == ["one", "two"]
    with pytest.raises(ConfigError, match="holds no text"):
        read_texts(empty)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_texts(tmp_path / "nothing.txt")
