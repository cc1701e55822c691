"""The whole way from images to a report, with a real model and a real database."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from flows.run.summary import Summary
from pipeline.exceptions import ConfigError, EncoderError, StoreError
from pipeline.workspace.store import find_store
from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit

pytestmark = pytest.mark.slow  # whole audits; one in test_tasks_pickle is quick


def run(
    audit: SmallAudit, stages: Sequence[str] | None = None, limit: int | None = None
) -> Summary:
    return run_directly(audit.config, stages, limit)


def labels(audit: SmallAudit) -> pl.DataFrame:
    return find_store(audit.folder / "workspace").read("labels")


def test_the_planted_weakness_is_the_first_finding(small_audit: SmallAudit) -> None:
    summary = run(small_audit)
    first = summary.findings[0]
    assert [p["attribute"] for p in first["predicates"]] == ["brightness"]
    assert first["predicates"][0]["value"].startswith("<= ")
    assert first["error"] == pytest.approx(1.0)
    assert first["state"] == "confirmed"
    assert summary.counts["samples"] == 160
    assert summary.counts["images_embedded"] == 160
    assert summary.counts["prompts_encoded"] == 8
    assert summary.report is not None
    assert "brightness" in Path(summary.report).read_text()


def test_a_second_run_needs_no_weights(small_audit: SmallAudit) -> None:
    first = run(small_audit)
    small_audit.weights.unlink()
    second = run(small_audit)
    made = ("images_embedded", "prompts_encoded", "samples_labelled")
    assert [second.counts[name] for name in made] == [0, 0, 0]
    assert second.findings == first.findings


def test_without_weights_something_new_is_refused_plainly(small_audit: SmallAudit) -> None:
    run(small_audit)
    small_audit.weights.unlink()
    (small_audit.images / "new.png").write_bytes((small_audit.images / "0001.png").read_bytes())
    assert run(small_audit).counts["images_embedded"] == 0  # the same content under a new name
    tone = small_audit.folder / "mine" / "tone.toml"
    tone.write_text(tone.read_text().replace("a dim scene", "a scene at dusk"))
    with pytest.raises(EncoderError):
        run(small_audit)


def test_editing_one_attribute_relabels_it_alone(small_audit: SmallAudit) -> None:
    run(small_audit)
    before = labels(small_audit)
    tone = small_audit.folder / "mine" / "tone.toml"
    tone.write_text("# a comment\n" + tone.read_text())
    assert run(small_audit).counts["samples_labelled"] == 0
    tone.write_text(tone.read_text().replace("a dim scene", "a scene at dusk"))
    summary = run(small_audit)
    assert summary.counts["images_embedded"] == 0
    assert summary.counts["prompts_encoded"] == 1
    assert summary.counts["samples_labelled"] == 160
    new = labels(small_audit).join(before, on=["sample_id", "label_id"], how="anti")
    assert new["attribute"].unique().to_list() == ["tone"]


def test_new_predictions_rescore_without_relabelling(small_audit: SmallAudit) -> None:
    run(small_audit)
    errors = small_audit.folder / "errors.csv"
    errors.write_text(errors.read_text().replace("0001.png,1", "0001.png,0"))
    summary = run(small_audit)
    assert summary.counts["samples_labelled"] == 0
    assert summary.counts["errors"] == 160


def test_a_broken_image_is_rejected_and_the_run_goes_on(small_audit: SmallAudit) -> None:
    good = (small_audit.images / "0002.png").read_bytes()
    (small_audit.images / "0002.png").write_bytes(good[: len(good) // 2])
    (small_audit.images / "0003.png").write_text("no image")
    summary = run(small_audit)
    rejects = find_store(small_audit.folder / "workspace").read("rejects")
    assert rejects.select("path", "stage").rows() == [
        ("0002.png", "embed"),
        ("0003.png", "samples"),
    ]
    assert summary.counts["rejects"] == 2
    assert summary.counts["images_embedded"] == 158
    small_audit.weights.unlink()
    again = run(small_audit)  # what is known to be broken is not tried again
    assert again.counts["rejects"] == 2


def test_limit_takes_the_first_samples_and_a_full_run_adds_the_rest(
    small_audit: SmallAudit,
) -> None:
    assert run(small_audit, limit=40).counts["images_embedded"] == 40
    summary = run(small_audit)
    assert summary.counts["images_embedded"] == 120
    assert summary.counts["errors"] == 160


def test_stages_run_alone_and_say_what_must_come_before(small_audit: SmallAudit) -> None:
    with pytest.raises(StoreError, match="run `weakspot label`"):
        run(small_audit, ["find"])
    assert run(small_audit, ["embed"]).counts["images_embedded"] == 160
    assert run(small_audit, ["label"]).counts["samples_labelled"] == 160
    assert run(small_audit, ["score"]).counts["errors"] == 160
    with pytest.raises(StoreError, match="run `weakspot find`"):
        run(small_audit, ["report"])
    assert run(small_audit, ["find"]).counts["slices"] > 0
    assert run(small_audit, ["report"]).report is not None


def test_prompts_without_an_encoder_are_told(small_audit: SmallAudit) -> None:
    small_audit.edit('[encoder]\nmodel = "local-dir:tiny"\n', "")
    with pytest.raises(ConfigError, match=r"there is no \[encoder\]"):
        run(small_audit)


def test_two_systems_are_searched_apart(small_audit: SmallAudit) -> None:
    text = small_audit.config.read_text()
    second = (
        '[[systems]]\nname = "good"\nformat = "table"\npredictions = "good.csv"\nerror = "loss"\n'
    )
    small_audit.config.write_text(text.replace("[slices]", second + "[slices]"))
    rows = (small_audit.folder / "errors.csv").read_text().replace(",1\n", ",0\n")
    (small_audit.folder / "good.csv").write_text(rows.replace("0001.png,0", "0001.png,1"))
    summary = run(small_audit)
    assert {finding["system"] for finding in summary.findings} == {"system"}
    assert summary.counts["errors"] == 320
