"""Quality of labels in an audit: by truth and by checks, kept, exported; chosen margins."""

import csv
import json
from pathlib import Path

import polars as pl
import pytest

from flows.stages.judging.label_quality import measure_labels
from pipeline.tables import QUALITY_TABLES
from pipeline.workspace.journals.journal_lines import Answer
from pipeline.workspace.kept.kept_checks import Journal
from pipeline.workspace.manifests import LabelManifest, QualityManifest
from pipeline.workspace.store import find_store
from pipeline.workspace.stored_labels import list_unlabelled
from tests.flows.command import call
from tests.flows.direct import open_audit, run_directly
from tests.flows.report_text import read_report
from tests.flows.small_audit import SmallAudit

pytestmark = pytest.mark.slow  # whole audits

TRUTH = '[dataset.truth]\nfile = "truth.csv"\n[dataset.truth.tone]\ncolumn = "tone"\n'
VALUES = 'dark = ["dark"]\nlight = ["light"]\n[encoder]'
WRONG = 40  # of the 160 labels of tone, those of the least margin


def read_tones(audit: SmallAudit) -> pl.DataFrame:
    store = find_store(audit.folder / "workspace")
    label_id = LabelManifest.read(store.folder).by_name["tone"].label_id
    labels = store.read_labels([label_id])
    return labels.join(store.read_samples().select("sample_id", "path"), on="sample_id")


def plant_truth(audit: SmallAudit) -> pl.DataFrame:
    """Label once, and write as truth what the labels say, but of the 40 least certain ones."""
    run_directly(audit.config, ["embed", "label"])
    rows = read_tones(audit).sort("margin", "sample_id").with_row_index("place")
    other = pl.when(pl.col("value") == "dark").then(pl.lit("light")).otherwise(pl.lit("dark"))
    true = rows.with_columns(
        true=pl.when(pl.col("place") < WRONG).then(other).otherwise(pl.col("value"))
    )
    true.select("path", tone="true").write_csv(audit.folder / "truth.csv")
    return true


def add_truth(audit: SmallAudit) -> None:
    audit.edit("[encoder]", TRUTH + VALUES)


def check_all(audit: SmallAudit, true: pl.DataFrame) -> None:
    """Let a person have said of every sample what is true of it."""
    journal = Journal(audit.folder / "workspace")
    journal.append_all(
        [
            Answer(
                sample_id=row["sample_id"], attribute="tone", shown=None, answer="right",
                value=row["true"], checker="me", checked_at="2026-11-27T10:00:00Z", draw="imported",
            )
            for row in true.to_dicts()
            if row["true"] is not None
        ]
    )  # fmt: skip


def test_methods_are_judged_by_truth_without_embedding_and_kept(small_audit: SmallAudit) -> None:
    plant_truth(small_audit)
    add_truth(small_audit)
    run_directly(small_audit.config, ["label"])
    small_audit.weights.unlink()  # nothing is embedded again
    frames = measure_labels(*open_audit(small_audit.config))
    quality = frames["label_quality"].filter(pl.col("attribute") == "tone")
    whole = {row["method"]: row for row in quality.filter(pl.col("value").is_null()).to_dicts()}
    assert {"naive", "mean", "probability", "max", "in use"} <= set(whole)
    assert whole["in use"]["accuracy"] == pytest.approx(1 - WRONG / 160)
    assert whole["mean"] == {**whole["in use"], "method": "mean"}  # the attribute's own, margin 0
    assert set(frames["label_quality"]["judged_by"]) == {"truth"}
    origins = frames["label_thresholds"].filter(pl.col("origin") == "truth")
    assert origins["value"].to_list() == ["dark", "light"]

    store = find_store(small_audit.folder / "workspace")
    kept = store.folder / "quality" / "label_quality.parquet"
    before = kept.stat().st_mtime_ns
    again = measure_labels(*open_audit(small_audit.config))
    assert kept.stat().st_mtime_ns == before
    assert all(again[name].equals(frames[name]) for name in QUALITY_TABLES)


def test_the_command_prints_exports_and_refuses(small_audit: SmallAudit, tmp_path: Path) -> None:
    config, workspace = small_audit.config, small_audit.folder / "workspace"
    early = call("label-quality", config)
    assert early.code == 1
    assert "not a workspace" in early.err
    plant_truth(small_audit)
    unjudged = call("label-quality", config)
    assert "No label is judged: give true values in [dataset.truth]" in unjudged.out
    add_truth(small_audit)
    run_directly(config, ["label"])
    told = call("label-quality", config, "--csv", tmp_path / "quality.csv")
    assert told.code == 0, told.err
    assert "Accuracy of the labels" in told.out
    assert "0.750" in told.out
    with (tmp_path / "quality.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["method"] for row in rows} >= {"naive", "mean", "probability", "max", "in use"}
    one = json.loads(call("label-quality", config, "--attribute", "tone", "--json").out)
    assert set(one) == set(QUALITY_TABLES)
    assert {row["attribute"] for row in one["label_quality"]} == {"tone"}
    assert (
        "Labels in use of each true value"
        in call("label-quality", config, "--attribute", "tone").out
    )
    wrong = call("label-quality", config, "--attribute", "ton")
    assert wrong.code == 2
    assert "did you mean 'tone'?" in wrong.err
    nowhere = call("label-quality", config, "--csv", tmp_path / "no" / "q.csv")
    assert nowhere.code == 2
    assert "make it first" in nowhere.err

    assert call("export", workspace, "label_quality", tmp_path / "q.csv").code == 0
    assert len((tmp_path / "q.csv").read_text().splitlines()) == len(rows) + 1
    mine = small_audit.folder / "mine" / "tone.toml"
    mine.write_text(mine.read_text().replace('"a dark scene"', '"a very dark scene"'))
    changed = call("label-quality", config)
    assert changed.code == 1
    assert "attributes tone changed since they were labelled" in changed.err
    run_directly(config, ["label"])
    stale = call("export", workspace, "label_quality", tmp_path / "q.csv")
    assert stale.code == 1
    assert "run `weakspot label-quality` first" in stale.err


def test_a_table_that_was_never_measured_is_not_exported(small_audit: SmallAudit) -> None:
    run_directly(small_audit.config, ["embed", "label"])
    told = call("export", small_audit.folder / "workspace", "label_quality", "q.csv")
    assert told.code == 1
    assert "weakspot label-quality" in told.err


def test_checks_judge_labels_and_new_ones_are_measured_again(small_audit: SmallAudit) -> None:
    true = plant_truth(small_audit)
    resolved, store = open_audit(small_audit.config)
    assert measure_labels(resolved, store)["label_quality"].is_empty()
    before = QualityManifest.read(store.folder).made_from
    check_all(small_audit, true)
    quality = measure_labels(resolved, store)["label_quality"]
    assert QualityManifest.read(store.folder).made_from != before
    assert set(quality["judged_by"]) == {"checks"}
    own = (pl.col("method") == "in use") & pl.col("value").is_null()
    assert quality.filter(own)["accuracy"].item() == pytest.approx(1 - WRONG / 160)


def choose(audit: SmallAudit, precision: float) -> None:
    tone = audit.folder / "mine" / "tone.toml"
    asked = f'min_margin = "auto"\nprecision = {precision}'
    tone.write_text(tone.read_text().replace("min_margin = 0.0", asked))


def read_label_id(audit: SmallAudit) -> str:
    return LabelManifest.read(audit.folder / "workspace").by_name["tone"].label_id


def test_a_chosen_margin_makes_labels_right_and_others_unknown(small_audit: SmallAudit) -> None:
    true = plant_truth(small_audit)
    add_truth(small_audit)
    choose(small_audit, 0.8)
    run_directly(small_audit.config)
    tones = read_tones(small_audit).join(true.select("sample_id", "true"), on="sample_id")
    known = tones.filter(pl.col("value") != "unknown")
    assert 40 < known.height < 130
    for value in known["value"].unique():
        own = known.filter(pl.col("value") == value)
        assert (own["value"] == own["true"]).sum() >= 0.8 * own.height
    first = read_label_id(small_audit)
    run_directly(small_audit.config)
    assert read_label_id(small_audit) == first
    store = find_store(small_audit.folder / "workspace")
    table = measure_labels(*open_audit(small_audit.config))["label_thresholds"]
    truth = table.filter(pl.col("origin") == "truth")
    assert truth["wanted"].to_list() == [0.8, 0.8]
    assert list_unlabelled(store, tones["sample_id"], first).is_empty()


def test_margins_chosen_by_checks_change_the_labels_when_checks_do(
    small_audit: SmallAudit,
) -> None:
    true = plant_truth(small_audit)
    choose(small_audit, 0.8)
    small_audit.edit("[attributes]", '[attributes]\nprobe = "never"')  # it would label instead
    run_directly(small_audit.config)
    notes = LabelManifest.read(small_audit.folder / "workspace").by_name["tone"].notes
    assert "there are none, so no label is left unknown" in notes[0]
    page = read_report(small_audit.folder / "report" / "index.html")
    assert "min_margin = &#34;auto&#34; needs true values or checks" in page
    assert read_tones(small_audit).filter(pl.col("value") == "unknown").is_empty()
    without = read_label_id(small_audit)
    check_all(small_audit, true)
    run_directly(small_audit.config)
    assert read_label_id(small_audit) != without
    unknown = read_tones(small_audit).filter(pl.col("value") == "unknown")
    assert unknown.height > 20
    by_checks = read_label_id(small_audit)
    run_directly(small_audit.config)  # the labels changed, and with them what checks are drawn of
    assert read_label_id(small_audit) == by_checks


def test_a_probe_leaves_unknown_what_is_not_sure_enough(small_audit: SmallAudit) -> None:
    true = plant_truth(small_audit)
    choose(small_audit, 0.7)
    small_audit.edit("[attributes]", '[attributes]\nprobe = "always"')
    check_all(small_audit, true)
    run_directly(small_audit.config, ["label"])
    tone = LabelManifest.read(small_audit.folder / "workspace").by_name["tone"]
    assert tone.source == "probe"
    tones = read_tones(small_audit).join(true.select("sample_id", "true"), on="sample_id")
    known = tones.filter(pl.col("value") != "unknown")
    assert 20 < known.height < 160
    assert (known["value"] == known["true"]).sum() >= 0.7 * known.height
    run_directly(small_audit.config, ["label"])
    assert read_label_id(small_audit) == tone.label_id


def test_what_a_probe_never_says_for_lack_of_precision_is_named(small_audit: SmallAudit) -> None:
    true = plant_truth(small_audit)
    choose(small_audit, 0.999)
    small_audit.edit("[attributes]", '[attributes]\nprobe = "always"')
    check_all(small_audit, true)
    run_directly(small_audit.config, ["label"])
    tone = LabelManifest.read(small_audit.folder / "workspace").by_name["tone"]
    assert tone.source == "probe"
    assert "tone: no sample is labelled 'dark': no margin is shown to give 99.9 %" in tone.notes[0]
    assert set(read_tones(small_audit)["value"]) == {"unknown"}


def test_a_value_that_no_margin_makes_right_is_never_given_and_it_is_said(
    small_audit: SmallAudit,
) -> None:
    plant_truth(small_audit)
    add_truth(small_audit)
    choose(small_audit, 0.999)
    run_directly(small_audit.config)
    assert set(read_tones(small_audit)["value"]) == {"unknown"}
    notes = LabelManifest.read(small_audit.folder / "workspace").by_name["tone"].notes
    assert len(notes) == 2
    assert "no sample is labelled 'dark': no margin is shown to give 99.9 %" in notes[0]
