"""What a dry run refuses, so that a run does not fail after an hour."""

from pathlib import Path

import pytest
from PIL import Image

from flows.commands.dry_run import check_audit
from pipeline.exceptions import ConfigError, DatasetError
from tests.flows.direct import run_directly
from tests.flows.report_text import read_report
from tests.flows.small_audit import SmallAudit
from tests.samples.voc_folder import voc_file, voc_object, write_voc_folder


def test_a_given_attribute_without_its_column_is_refused(small_audit: SmallAudit) -> None:
    small_audit.edit('"image/contrast"]', '"image/contrast"]\ngiven = ["Category"]')
    with pytest.raises(DatasetError, match="no column 'Category'; did you mean 'category'"):
        check_audit(small_audit.config, limit=None)


def test_sections_that_name_no_attribute_are_refused_as_a_run_would(
    small_audit: SmallAudit,
) -> None:
    with small_audit.config.open("a") as file:
        file.write('[fairness]\nattributes = ["tonne"]\npositive = "yes"\n[gates]\nmax_gap = 0.1\n')
    with pytest.raises(ConfigError) as refused:
        check_audit(small_audit.config, limit=None)
    assert "'tonne' is no attribute of this audit; did you mean 'tone'?" in str(refused.value)
    assert "positive: no system of the audit is a classifier" in str(refused.value)


def test_a_covariate_that_makes_the_only_groups_is_refused(small_audit: SmallAudit) -> None:
    with small_audit.config.open("a") as file:
        file.write('[fairness]\nattributes = ["tone"]\nadjust_for = ["tone"]\n')
    with pytest.raises(ConfigError, match="'tone' makes the groups that are compared"):
        check_audit(small_audit.config, limit=None)


def test_rejects_are_told_with_their_reasons(small_audit: SmallAudit) -> None:
    for number in range(12):
        (small_audit.images / f"broken{number:02}.png").write_bytes(b"no image")
    told = check_audit(small_audit.config, limit=None).to_text()
    assert "rejects: 12" in told
    assert "note: rejected: broken00.png: " in told
    assert "note: rejected: 2 more" in told


def test_a_reason_is_named_however_many_rejects_come_before(small_audit: SmallAudit) -> None:
    for number in range(12):
        (small_audit.images / f"broken{number:02}.png").write_bytes(b"no image")
    (small_audit.images / "ring").symlink_to(small_audit.images)
    told = check_audit(small_audit.config, limit=None).to_text()
    assert "note: rejected: ring: is a link to a folder, which is not followed; " in told
    assert "note: rejected: broken08.png: " in told
    assert "note: rejected: 3 more" in told


def test_what_is_left_out_of_the_datasets_files_is_counted_and_noted(tmp_path: Path) -> None:
    zero = voc_file(voc_object(box=(0, 0, 20, 20), more="<difficult>1</difficult>"))
    write_voc_folder(tmp_path, {"a": zero})
    (tmp_path / "errors.csv").write_text("path,loss\na.png,1\n")
    config = tmp_path / "audit.toml"
    config.write_text(
        'name = "corners"\n[dataset]\nformat = "voc"\nimages = "JPEGImages"\n'
        'annotations = "Annotations"\n[attributes]\nuse = ["image/brightness"]\n[[systems]]\n'
        'name = "net"\nformat = "table"\npredictions = "errors.csv"\nerror = "loss"\n'
    )
    lines = check_audit(config, limit=None).to_text().splitlines()
    (note,) = [line for line in lines if line.startswith("note: Pascal VOC: ")]
    assert "1 annotation files have corners at 0" in note
    (left,) = [line for line in lines if line.startswith("note: of the dataset's own files: ")]
    assert "images without annotation 1" in left
    assert "ignored 1" in left
    assert "files with corners at 0 1" in left
    run_directly(config)
    page = read_report(tmp_path / "report" / "index.html")
    assert "1 annotation files have corners at 0" in page
    assert "Files with corners at 0" in page


def test_a_class_that_no_classifier_knows_is_refused_before_any_work(tmp_path: Path) -> None:
    rows = ["path,prediction"]
    for name in ("cat/0.png", "cat/1.png", "dog/0.png"):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "images" / name)
        rows.append(f"{name},cat")
    (tmp_path / "said.csv").write_text("\n".join(rows) + "\n")
    config = tmp_path / "audit.toml"
    config.write_text(
        'name = "pets"\n[dataset]\nformat = "folder"\nimages = "images"\n[attributes]\n'
        'use = ["image/brightness"]\ngiven = ["category"]\n[[systems]]\nname = "net"\n'
        'format = "classification"\npredictions = "said.csv"\nerror = "not-top1"\n'
        '[fairness]\nattributes = ["category"]\npositive = "bird"\n'
    )
    with pytest.raises(ConfigError, match=r"positive is 'bird'.*its classes are cat, dog"):
        check_audit(config, limit=None)
    config.write_text(config.read_text().replace("bird", "dog"))
    assert check_audit(config, limit=None).counts["errors"] == 3


TRUE_TONES = (
    '[dataset.truth]\nfile = "truth.csv"\n[dataset.truth.{name}]\ncolumn = "tone"\n{values}\n'
)


def add_truth(audit: SmallAudit, values: str, *, name: str = "tone") -> None:
    rows = [
        f"{path.name},{'Dark' if int(path.stem) % 4 < 2 else 'Light'}"
        for path in sorted(audit.images.iterdir())
    ]
    (audit.folder / "truth.csv").write_text("\n".join(["path,tone", *rows]) + "\n")
    audit.edit("[encoder]", TRUE_TONES.format(name=name, values=values) + "[encoder]")


def test_the_counts_of_every_mapping_are_shown(small_audit: SmallAudit) -> None:
    add_truth(small_audit, 'dark = ["Dark"]\nlight = ["Light"]')
    plan = check_audit(small_audit.config, limit=None)
    assert plan.mappings == ("truth of tone: dark 80, light 80",)
    assert "mapping: truth of tone: dark 80, light 80" in plan.to_text()


def test_cells_in_another_case_are_refused_with_both_spellings(small_audit: SmallAudit) -> None:
    add_truth(small_audit, 'dark = ["dark"]\nlight = ["Light"]')
    with pytest.raises(DatasetError, match=r"tone\] dark: .* is 'dark', 80 are 'Dark'"):
        check_audit(small_audit.config, limit=None)


def test_true_values_that_the_attribute_does_not_have_are_refused(small_audit: SmallAudit) -> None:
    add_truth(small_audit, 'darkk = ["Dark"]\nlight = ["Light"]')
    with pytest.raises(ConfigError, match=r"'tone' has no value 'darkk'; did you mean 'dark'"):
        check_audit(small_audit.config, limit=None)


def test_true_values_of_an_attribute_that_is_not_used_are_refused(small_audit: SmallAudit) -> None:
    add_truth(small_audit, 'dark = ["Dark"]', name="tonne")
    with pytest.raises(ConfigError, match=r"truth.tonne\]: no attribute .* did you mean 'tone'"):
        check_audit(small_audit.config, limit=None)
    with small_audit.config.open("a") as file:
        file.write('[fairness]\nattributes = ["tonne"]\n')
    assert (
        check_audit(small_audit.config, limit=None).mappings[0].startswith("truth of tonne: dark")
    )


def test_a_given_attribute_with_one_value_for_all_is_said(small_audit: SmallAudit) -> None:
    (small_audit.folder / "more.csv").write_text(
        "\n".join(["path,camera", *(f"{path.name},a" for path in small_audit.images.iterdir())])
    )
    small_audit.edit('images = "images"', 'images = "images"\ncolumns = "more.csv"')
    small_audit.edit('"image/contrast"]', '"image/contrast"]\ngiven = ["camera"]')
    shown = check_audit(small_audit.config, limit=None).to_text()
    assert "note: camera is 'a' for every sample" in shown


def test_gates_that_will_not_judge_unchecked_labels_are_said(small_audit: SmallAudit) -> None:
    groups = '[fairness]\nattributes = ["tone", "brightness"]\n[gates]\nmax_gap = 0.1\n'
    small_audit.config.write_text(small_audit.config.read_text() + groups)
    said = "note: gates: groups of tone are not judged until some of their labels are checked"
    assert said in check_audit(small_audit.config, limit=None).to_text()
    small_audit.edit("max_gap = 0.1", 'max_gap = 0.1\nunchecked_labels = "judge"')
    assert said not in check_audit(small_audit.config, limit=None).to_text()
