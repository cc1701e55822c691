"""[encoder] text = "mask": what is read in a picture is filled before it is embedded."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from flows.run.loaded_models import load_open_clip
from flows.run.masked_images import choose_loader
from flows.stages.embed import make_embeddings
from flows.stages.read_text import asks_for_text, make_texts
from flows.stages.samples import make_samples
from pipeline.arrays import Vectors
from pipeline.config.audit import EncoderConfig
from pipeline.embeddings.card import name_masked, read_spec_key, spec_key
from pipeline.images.decode import ImageRejectedError, ImageUnreadableError
from pipeline.images.fill_text import identify_filling
from pipeline.tables import MEASUREMENTS
from pipeline.texts.reader import ReadText
from pipeline.workspace.shards import read_rows, read_vectors
from pipeline.workspace.store import Store
from tests.flows.direct import open_audit
from tests.flows.small_audit import SmallAudit, write_audit


class Fake:
    """Reads a line in the middle of every dark picture."""

    reader_id = "b" * 16

    def read(self, image: Image.Image) -> list[ReadText]:
        dark = float(np.asarray(image).mean()) < 60
        return [ReadText("EXIT", 0.9, 4, 8, 20, 6)] if dark else []


class Fails(Fake):
    """Reads no dark picture."""

    def read(self, image: Image.Image) -> list[ReadText]:
        if super().read(image):
            raise ImageRejectedError("no text can be read in it")
        return []


def embed(audit: SmallAudit) -> Store:
    resolved, store = open_audit(audit.config)
    make_samples(resolved, store)
    if asks_for_text(resolved):
        make_texts(resolved, store, load=Fake)
    make_embeddings(resolved, store, load=load_open_clip)
    return store


def read_all(store: Store, *, masked: bool) -> Vectors:
    names = [path.name for path in store.embeddings.iterdir()]
    (encoder_id,) = [name for name in names if name.startswith("mask") == masked]
    keys = store.read_samples()["content_key"].unique().sort()
    return read_vectors(keys, store.embeddings, encoder_id=encoder_id)


@pytest.mark.slow
def test_masked_pictures_have_vectors_of_their_own_and_measures_stay(tmp_path: Path) -> None:
    audit = write_audit(tmp_path, count=12)
    measures = read_rows(embed(audit).measurements, MEASUREMENTS, table="m")
    audit.edit('model = "local-dir:tiny"', 'model = "local-dir:tiny"\ntext = "mask"')
    store = embed(audit)
    plain, masked = read_all(store, masked=False), read_all(store, masked=True)
    assert masked.keys.equals(plain.keys)
    changed = ~np.isclose(masked.values, plain.values, atol=1e-4).all(axis=1)
    samples = store.read_samples().select("content_key", "path").sort("content_key")
    dark = samples["path"].str.slice(0, 4).cast(pl.Int64) % 4 == 0
    assert changed.tolist() == dark.to_list()
    again = read_rows(store.measurements, MEASUREMENTS, table="m")
    assert again.sort(pl.all()).equals(measures.sort(pl.all()))


def test_a_picture_whose_text_could_not_be_read_is_not_opened_for_the_encoder(
    tmp_path: Path,
) -> None:
    audit = write_audit(tmp_path, count=4)
    audit.edit('model = "local-dir:tiny"', 'model = "local-dir:tiny"\ntext = "mask"')
    resolved, store = open_audit(audit.config)
    make_samples(resolved, store)
    make_texts(resolved, store, load=Fails)
    load = choose_loader(resolved.audit, store)
    assert load(audit.images / "0001.png").size == (32, 24)
    with pytest.raises(ImageUnreadableError, match="could not be read"):
        load(audit.images / "0000.png")


def test_another_version_of_what_reads_text_makes_other_vectors() -> None:
    assert identify_filling(["numpy"]) not in {identify_filling(), identify_filling(["absent-x"])}
    assert identify_filling() in name_masked("fp32-0")
    assert identify_filling() in spec_key(EncoderConfig(model="m", pretrained="x", text="mask"))


def test_the_settings_are_read_from_the_line_that_the_card_keeps() -> None:
    for config in (
        EncoderConfig(model="local-dir:/a|b", text="mask", precision="fp32"),
        EncoderConfig(model="ViT-B-32", pretrained="x"),
    ):
        assert EncoderConfig.model_validate(read_spec_key(spec_key(config))) == config
    assert name_masked("fp32-0").startswith("mask")
