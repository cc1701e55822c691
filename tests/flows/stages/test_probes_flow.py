"""`weakspot label` with checks: a probe takes the place of poor prompts, and says so."""

import json
from pathlib import Path

import polars as pl
import pytest

from flows.checks.probe_offer import propose_probe
from flows.run.staleness import refuse_stale
from flows.stages.judging.label_quality import measure_labels
from pipeline.exceptions import ConfigError, SearchError
from pipeline.workspace.journals.journal_lines import Answer
from pipeline.workspace.kept.kept_checks import Journal
from pipeline.workspace.manifests import LabelledAttribute, LabelManifest
from pipeline.workspace.store import Store
from tests.flows.direct import open_audit, run_directly
from tests.flows.small_audit import SmallAudit


def name_tone(number: int) -> str:
    return "dark" if number % 4 < 2 else "light"


def check_labels(audit: SmallAudit, numbers: range, *, attribute: str = "tone") -> None:
    """Answer with the true tone: the two darker quarters are dark."""
    _, store = open_audit(audit.config)
    manifest = LabelManifest.read(store.folder)
    labels = store.read_labels([manifest.by_name[attribute].label_id])
    shown = dict(labels.select("sample_id", "value").iter_rows())
    samples = store.read_samples()
    answers = []
    for sample_id, path in samples.select("sample_id", "path").iter_rows():
        number = int(Path(path).stem)
        if number not in numbers:
            continue
        value, label = name_tone(number), shown[sample_id]
        answers.append(
            Answer(sample_id=sample_id, attribute=attribute, shown=label, value=value,
                   answer="right" if value == label else "wrong", checker="me",
                   checked_at="2026-01-01T00:00:00Z", draw="imported")
        )  # fmt: skip
    Journal(store.folder).append_all(answers)


def read_tone(audit: SmallAudit) -> tuple[Store, LabelledAttribute, LabelManifest]:
    _, store = open_audit(audit.config)
    manifest = LabelManifest.read(store.folder)
    return store, manifest.by_name["tone"], manifest


def measure_right(store: Store, tone: LabelledAttribute) -> float:
    labels = store.read_labels([tone.label_id]).join(
        store.read_samples().select("sample_id", "path"), on="sample_id"
    )
    truth = [name_tone(int(Path(path).stem)) for path in labels["path"]]
    return float((labels["value"] == pl.Series(truth)).to_numpy().mean())


def test_checks_make_a_probe_that_labels_better_and_is_noted(small_audit: SmallAudit) -> None:
    run_directly(small_audit.config, ["embed", "label"])
    store, before, manifest = read_tone(small_audit)
    assert (before.source, before.notes) == ("zero-shot", ())
    check_labels(small_audit, range(60))
    summary = run_directly(small_audit.config, ["label"])
    store, tone, after = read_tone(small_audit)
    assert tone.source == "probe"
    assert tone.label_id != before.label_id
    assert tone.notes[0].startswith("probe from 60 checks, ")
    assert measure_right(store, tone) > 0.95 > 0.9 > measure_right(store, before)
    # The other attributes are as they were.
    others = {one.name: one.label_id for one in after.attributes if one.name != "tone"}
    assert others == {one.name: one.label_id for one in manifest.attributes if one.name != "tone"}
    assert summary.counts["samples_labelled"] == 160
    assert summary.counts.get("images_embedded", 0) == 0
    [kept] = (store.folder / "probes").glob("*/*.json")
    assert kept.name == f"tone-{tone.label_id}.json"


def test_an_unchanged_rerun_labels_nothing_and_new_checks_relabel(small_audit: SmallAudit) -> None:
    run_directly(small_audit.config, ["embed", "label"])
    check_labels(small_audit, range(60))
    run_directly(small_audit.config, ["label"])
    _, first, _ = read_tone(small_audit)
    assert run_directly(small_audit.config, ["label"]).counts["samples_labelled"] == 0
    check_labels(small_audit, range(60, 80))
    assert run_directly(small_audit.config, ["label"]).counts["samples_labelled"] == 160
    _, second, _ = read_tone(small_audit)
    assert second.label_id != first.label_id
    assert second.notes[0].startswith("probe from 80 checks, ")


def test_checked_samples_get_labels_of_probes_that_did_not_see_them(
    small_audit: SmallAudit,
) -> None:
    run_directly(small_audit.config, ["embed", "label"])
    check_labels(small_audit, range(60))
    run_directly(small_audit.config, ["label"])
    store, tone, _ = read_tone(small_audit)
    [kept] = (store.folder / "probes").glob("*/*.json")
    held_out = json.loads(kept.read_text())["held_out"]
    labels = store.read_labels([tone.label_id])
    assert len(held_out) == 60
    own = labels.filter(pl.col("sample_id").is_in(list(held_out)))
    for sample_id, value, score in own.select("sample_id", "value", "score").iter_rows():
        known = dict(zip(("dark", "light"), held_out[sample_id], strict=True))
        assert score == pytest.approx(known[value], abs=1e-9)


def test_few_checks_leave_the_prompts_and_say_so(small_audit: SmallAudit) -> None:
    run_directly(small_audit.config, ["embed", "label"])
    check_labels(small_audit, range(8))
    run_directly(small_audit.config, ["label"])
    _, tone, _ = read_tone(small_audit)
    assert tone.source == "zero-shot"
    assert tone.notes == (
        "zero-shot: 8 checks are too few for a probe, which needs 5 of each of two values",
    )


def test_never_leaves_the_prompts(small_audit: SmallAudit) -> None:
    run_directly(small_audit.config, ["embed", "label"])
    check_labels(small_audit, range(60))
    small_audit.edit("[attributes]\n", '[attributes]\nprobe = "never"\n')
    run_directly(small_audit.config, ["label"])
    _, tone, _ = read_tone(small_audit)
    assert (tone.source, tone.notes) == ("zero-shot", ())


def test_another_rule_for_probes_makes_labels_stale(small_audit: SmallAudit) -> None:
    run_directly(small_audit.config)
    small_audit.edit("[attributes]\n", '[attributes]\nprobe = "never"\n')
    resolved, store = open_audit(small_audit.config)
    with pytest.raises(SearchError, match=r"probe of \[attributes\] changed; run `weakspot label`"):
        refuse_stale(resolved, store)


def add_truth(audit: SmallAudit) -> None:
    rows = [f"{number:04}.png,{name_tone(number)}" for number in range(160)]
    (audit.folder / "truth.csv").write_text("path,tone\n" + "\n".join(rows) + "\n")
    audit.edit(
        "[encoder]\n",
        '[dataset.truth]\nfile = "truth.csv"\n[dataset.truth.tone]\ncolumn = "tone"\n'
        'dark = ["dark"]\nlight = ["light"]\n[encoder]\n',
    )


def test_true_values_train_only_where_asked(small_audit: SmallAudit) -> None:
    add_truth(small_audit)
    run_directly(small_audit.config, ["embed", "label"])
    _, tone, _ = read_tone(small_audit)
    assert (tone.source, tone.notes) == ("zero-shot", ())
    small_audit.edit("[attributes]\n", '[attributes]\nprobe_from = "truth"\n')
    run_directly(small_audit.config, ["label"])
    store, tone, _ = read_tone(small_audit)
    assert tone.source == "probe"
    assert tone.notes[0].startswith("probe from 160 ")
    assert measure_right(store, tone) > 0.9


def test_truth_without_true_values_is_refused(small_audit: SmallAudit) -> None:
    small_audit.edit("[attributes]\n", '[attributes]\nprobe_from = "truth"\n')
    with pytest.raises(ConfigError, match=r"needs \[dataset.truth\]"):
        open_audit(small_audit.config)


def test_groups_that_are_no_column_are_named(small_audit: SmallAudit) -> None:
    run_directly(small_audit.config, ["embed", "label"])
    check_labels(small_audit, range(60))
    small_audit.edit("[attributes]\n", '[attributes]\nprobe_groups = "categry"\n')
    with pytest.raises(ConfigError, match=r"no column 'categry'.*category"):
        run_directly(small_audit.config, ["label"])


def test_a_probe_that_agrees_better_is_offered_until_it_labels(small_audit: SmallAudit) -> None:
    run_directly(small_audit.config, ["embed", "label"])
    resolved, store = open_audit(small_audit.config)
    assert propose_probe(resolved, store) is None
    check_labels(small_audit, range(8))
    assert propose_probe(resolved, store) is None
    check_labels(small_audit, range(8, 60))
    said = propose_probe(resolved, store)
    assert said is not None
    assert said.startswith("A probe agrees better with your checks: tone: 60 checks, ")
    assert said.endswith("`weakspot label` labels with it.")
    run_directly(small_audit.config, ["label"])
    assert propose_probe(resolved, store) is None


def test_nothing_is_offered_where_probes_are_not_wanted(small_audit: SmallAudit) -> None:
    small_audit.edit("[attributes]\n", '[attributes]\nprobe = "never"\n')
    run_directly(small_audit.config, ["embed", "label"])
    check_labels(small_audit, range(60))
    assert propose_probe(*open_audit(small_audit.config)) is None


def test_label_quality_shows_what_a_probe_would_label(small_audit: SmallAudit) -> None:
    run_directly(small_audit.config, ["embed", "label"])
    check_labels(small_audit, range(60))
    resolved, store = open_audit(small_audit.config)
    quality = measure_labels(resolved, store)["label_quality"].filter(attribute="tone")
    assert {"probe", "naive", "mean"} <= set(quality["method"])
