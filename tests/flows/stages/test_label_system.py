"""The labeller under audit: a planted weakness of its labels is found like any system's."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from flows.stages.judging.label_systems import weigh_judged
from pipeline.exceptions import ConfigError, SearchError
from pipeline.workspace.journals.journal_lines import Answer
from pipeline.workspace.kept.kept_checks import Journal
from pipeline.workspace.manifests import ScoreManifest
from tests.flows.command import call
from tests.flows.direct import open_audit, run_directly
from tests.flows.report_text import read_report

pytestmark = pytest.mark.slow  # whole audits

CONFIG = """\
name = "labels under audit"
[dataset]
format = "table"
images = "images"
table = "samples.csv"
[dataset.truth]
file = "truth.csv"
key = "path"
[dataset.truth.hat]
column = "hat"
yes = ["yes"]
no = ["no"]
[attributes]
use = ["image/brightness", "image/contrast"]
given = ["hat", "place"]
[[systems]]
name = "hat labels"
format = "labels"
attribute = "hat"
error = "wrong-label"
[slices]
max_level = 2
"""


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 400 images; in the darkest quarter two in three labels of hat are wrong, else 4 %."""
    folder = tmp_path_factory.mktemp("labels")
    (folder / "images").mkdir()
    rng = np.random.default_rng(11)
    rows = []
    for number in range(400):
        dark = number % 4 == 0
        pixels = rng.normal(30 if dark else 140 + 20 * (number % 3), 9, (16, 16, 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(
            folder / "images" / f"{number:03}.png"
        )
        true = rng.random() < 0.4
        wrong = rng.random() < (0.66 if dark else 0.04)
        label = "unknown" if number % 50 == 7 else ("no", "yes")[true != wrong]
        place = ("city", "shore")[rng.integers(2)]
        rows.append((f"{number:03}.png", label, ("no", "yes")[true], place))
    columns = ["path", "hat", "true", "place"]
    table = pl.DataFrame(rows, schema=columns, orient="row")
    table.select("path", "hat", "place").write_csv(folder / "samples.csv")
    table.select("path", hat="true").write_csv(folder / "truth.csv")
    (folder / "audit.toml").write_text(CONFIG)
    return folder


def test_labels_that_fail_on_dark_images_are_found(audit: Path) -> None:
    summary = run_directly(audit / "audit.toml")
    first = summary.findings[0]
    assert first["system"] == "hat labels"
    assert first["state"] == "confirmed"
    [predicate] = first["predicates"]
    assert predicate["attribute"] == "brightness"
    assert predicate["value"].startswith("<=")
    assert first["error"] == pytest.approx(0.66, abs=0.12)
    assert first["rest_error"] < 0.1
    used = {p["attribute"] for one in summary.findings for p in one["predicates"]}
    assert "hat" not in used
    _, store = open_audit(audit / "audit.toml")
    family = store.read_family(summary.run_id)
    assert {"brightness", "place"} <= {p["attribute"] for row in family["predicates"] for p in row}
    assert all(p["attribute"] != "hat" for row in family["predicates"] for p in row)


def test_samples_labelled_unknown_have_no_error_and_are_counted(audit: Path) -> None:
    run_directly(audit / "audit.toml", ["embed", "label", "score"])
    _, store = open_audit(audit / "audit.toml")
    scored = ScoreManifest.read(store.folder).systems["hat labels"]
    assert (scored.errors, scored.samples_without_error) == (392, 8)
    assert scored.notes["labels_unknown"] == 8
    matches = store.read_matches(scored.error_id)
    assert matches is not None
    assert set(matches["predicted"]) == {"yes", "no"}


def test_the_page_says_what_an_error_is(audit: Path) -> None:
    run_directly(audit / "audit.toml")
    page = read_report(audit / "report" / "index.html")
    assert "labelled wrong" in page
    assert "the label is not what is known to be true of the sample" in page


def test_labels_that_changed_are_scored_again_before_they_are_searched(audit: Path) -> None:
    run_directly(audit / "audit.toml")
    table = audit / "samples.csv"
    text = table.read_text()
    before, after = "001.png,yes,", "001.png,no,"
    if before not in text:
        before, after = after, before
    assert before in text
    table.write_text(text.replace(before, after))
    try:
        run_directly(audit / "audit.toml", ["label"])
        with pytest.raises(SearchError, match="labels that hat labels judges changed"):
            run_directly(audit / "audit.toml", ["find"])
    finally:
        table.write_text(text)


def test_what_cannot_be_judged_is_said(audit: Path) -> None:
    config = audit / "other.toml"
    config.write_text(CONFIG.replace('attribute = "hat"', 'attribute = "place"'))
    with pytest.raises(SearchError, match="nothing is known to be true of 'place'"):
        run_directly(config, ["embed", "label", "score"])
    config.write_text(CONFIG.replace('attribute = "hat"', 'attribute = "het"'))
    with pytest.raises(
        ConfigError, match=r"'het' is no attribute of this audit; did you mean 'hat'"
    ):
        run_directly(config)
    config.write_text(CONFIG)
    told = call("run", config, "--dry-run")
    assert told.code == 0, told.err
    config.unlink()


def test_checks_that_were_drawn_by_label_are_weighted(audit: Path, tmp_path: Path) -> None:
    """Ten of the rare label say more of each than ten of the others."""
    start, end = CONFIG.index("[dataset.truth]"), CONFIG.index("[attributes]")
    config = audit / "checked.toml"
    text = CONFIG[:start] + CONFIG[end:]
    config.write_text(text.replace("[dataset]", f'workspace = "{tmp_path / "w"}"\n[dataset]', 1))
    run_directly(config, ["embed", "label"])
    resolved, store = open_audit(config)
    given = pl.read_csv(audit / "samples.csv").select("path", label="hat")
    samples = store.read_samples().select("sample_id", "path").join(given, on="path")
    picked = [samples.filter(label="yes").head(80), samples.filter(label="no").head(20)]
    Journal(store.folder).append_all(
        [
            Answer(
                sample_id=row["sample_id"], attribute="hat", shown=row["label"], answer="right",
                value=row["label"], checker="me", checked_at="2026-11-27T10:00:00Z",
                draw="imported",
            )
            for row in pl.concat(picked).to_dicts()
        ]
    )  # fmt: skip
    run_directly(config, ["score"])
    ids = pl.concat(picked)["sample_id"]
    [system] = resolved.audit.systems
    weights = weigh_judged(system, store, ids)
    assert weights is not None
    counts = {label: samples.filter(label=label).height for label in ("yes", "no")}
    assert weights[0] == pytest.approx(counts["yes"] / 80)
    assert weights[-1] == pytest.approx(counts["no"] / 20)
    config.unlink()
