"""`weakspot tune` as a user calls it: what it writes is the encoder that it judged."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from pipeline.config.audit import EncoderConfig
from pipeline.embeddings.encoder import load_encoder
from tests.flows.command import call
from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit, write_audit

pytestmark = pytest.mark.slow
TRUTH = """\
[dataset.truth]
file = "truth.csv"
key = "path"
[dataset.truth.tone]
column = "tone"
dark = ["dark"]
light = ["light"]
[encoder]
"""


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> SmallAudit:
    audit = write_audit(tmp_path_factory.mktemp("tuned"), count=200)
    rows = [f"{n:04}.png,{'dark' if n % 4 < 2 else 'light'}" for n in range(200)]
    (audit.folder / "truth.csv").write_text("path,tone\n" + "\n".join(rows) + "\n")
    audit.edit("[encoder]\n", TRUTH)
    run_directly(audit.config, ["embed", "label"])
    return audit


def tune_json(audit: SmallAudit, out: Path, *options: object, code: int = 0) -> dict[str, Any]:
    told = call("tune", audit.config, "--out", out, "--target", "tone", "--json", *options)
    assert told.code == code, told.err
    content: dict[str, Any] = json.loads(told.out)
    return content


def test_what_is_written_is_what_was_judged(audit: SmallAudit, tmp_path: Path) -> None:
    out = tmp_path / "encoder"
    found = tune_json(audit, out, "--keep", 1, "--steps", 80)
    ways = {row["way"]: row["accuracy"] for row in found["judged"]}
    assert ways["tuned"] > ways["untuned"] + 0.2
    assert found["gain"][1] > 0
    assert set(pl.read_csv(out / "judged.csv")["way"]) == {"untuned", "tuned", "plain",
                                                           "linear probe"}  # fmt: skip
    tuned, untuned = (
        load_encoder(EncoderConfig(model=f"local-dir:{folder}", precision="fp32"))
        for folder in (out, audit.folder / "tiny")
    )
    names = [audit.images / f"{n:04}.png" for n in range(40)]
    vectors = tuned.encode_images([Image.open(name).convert("RGB") for name in names])
    texts = [f"a photo of {what} scene." for what in ("a dark", "a dim", "a light", "a bright")]
    captions = tuned.encode_texts(texts)
    assert captions == pytest.approx(untuned.encode_texts(texts), abs=1e-5)
    dark = np.arange(40) % 4 < 2
    margins = (vectors @ captions.T)[:, :2].sum(axis=1) - (vectors @ captions.T)[:, 2:].sum(axis=1)
    assert margins[dark].mean() > margins[~dark].mean()
    card = (out / "README.md").read_text()
    assert "linear probe" in card


def test_where_nothing_may_be_forgotten_it_is_refused(audit: SmallAudit, tmp_path: Path) -> None:
    out = tmp_path / "encoder"
    told = call("tune", audit.config, "--out", out, "--target", "tone", "--keep", 0, "--steps", 9)
    assert told.code == 3
    assert not out.exists()
    assert "the linear probe is better" in told.out
    assert "proves nothing" in told.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target", "hat"], "no attribute of images with prompts"),
        (["--target", "brightness"], "no attribute of images with prompts"),
        (["--target", "tone", "--out", "IMAGES"], "is there already"),
        (["--target", "tone", "--keep", "2"], "keep"),
        ([], "target"),
    ],
)
def test_wrong_arguments_are_named(
    audit: SmallAudit, tmp_path: Path, options: list[str], message: str
) -> None:
    words = [str(audit.images) if one == "IMAGES" else one for one in options]
    if "--out" not in words:
        words += ["--out", str(tmp_path / "new")]
    told = call("tune", audit.config, *words)
    assert told.code == 2
    assert message in told.err
    assert not (tmp_path / "new").exists()
