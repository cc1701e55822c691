"""`weakspot captions` as a user calls it."""

import json
from pathlib import Path

import polars as pl
import pytest

from pipeline.retrieval.neutral_texts import NEUTRAL_TEXTS
from tests.flows.command import call
from tests.flows.small_audit import SmallAudit, write_audit


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> SmallAudit:
    return write_audit(tmp_path_factory.mktemp("captioned"), count=12)


def choose(audit: SmallAudit, texts: str, *options: object) -> list[object]:
    file = audit.folder / "candidates.txt"
    file.write_text(texts)
    model = f"local-dir:{audit.folder / 'tiny'}"
    return ["captions", audit.images, "--candidates", file, "--encoder", model, *options]


def test_each_image_has_its_best_caption_and_a_margin(audit: SmallAudit, tmp_path: Path) -> None:
    out = tmp_path / "captions.parquet"
    long = "A very dark night it was. Nothing could be seen for miles and miles around the house."
    told = call(*choose(audit, f"a dark scene\nwhite\n{long}\n", "--out", out, "--json"))
    assert told.code == 0, told.err
    result = json.loads(told.out)
    assert len(result["images"]) == sum(result["counts"].values()) == 12
    assert (result["long"], result["cut"]) == (1, 0)
    for row in result["images"]:
        assert row["caption"] in {"a dark scene", "white", long, "none of these"}
        assert row["caption"] != row["second"]
        assert 0 <= row["margin"] <= row["probability"] <= 1
    assert pl.read_parquet(out).to_dicts() == result["images"]


def test_a_neutral_text_wins_over_a_caption_that_fits_less(audit: SmallAudit) -> None:
    """With the neutral texts themselves as candidates "none of these" is a tie at best."""
    shown = json.loads(call(*choose(audit, "\n".join(NEUTRAL_TEXTS), "--json")).out)
    best = {row["path"]: row for row in shown["images"]}
    one = json.loads(call(*choose(audit, "a photo in color", "--json")).out)
    beaten = [
        row["caption"] for row in one["images"]
        if best[row["path"]]["cosine"] > row["cosine"] + 1e-6
    ]  # fmt: skip
    assert beaten == []  # what is shown fits as well as the best of all neutral texts
    assert "none of these" in one["counts"]


def test_candidates_without_text_are_refused(audit: SmallAudit) -> None:
    told = call(*choose(audit, "\n"))
    assert told.code == 2
    assert "holds no text" in told.err
