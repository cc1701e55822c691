"""`weakspot check-labels` and `weakspot export checks` as a user calls them."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from tests.flows.command import call
from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit, write_audit

TRUTH = """\
[dataset.truth]
file = "truth.csv"
key = "path"
[dataset.truth.tone]
column = "tone"
dark = ["dark"]
light = ["light"]
"""


@pytest.fixture(scope="module")
def labelled_once(tmp_path_factory: pytest.TempPathFactory) -> SmallAudit:
    audit = write_audit(tmp_path_factory.mktemp("labelled"))
    run_directly(audit.config, ("embed", "label"))
    return audit


@pytest.fixture
def labelled(labelled_once: SmallAudit) -> SmallAudit:
    """Return a labelled audit in which nothing is checked."""
    shutil.rmtree(labelled_once.folder / "workspace" / "checks", ignore_errors=True)
    for file in labelled_once.folder.glob("*.*"):
        if file.name not in ("audit.toml", "errors.csv"):
            file.unlink()
    return labelled_once


def is_dark(path: str) -> bool:
    return int(Path(path).stem) % 4 < 2


def fill(sheet: Path, target: Path, *, wrong: int = 0) -> Path:
    """Answer a sheet truthfully, its first `wrong` rows the other way."""
    table = pl.read_csv(sheet, infer_schema=False)
    values = ["dark" if is_dark(path) != (at < wrong) else "light"
              for at, path in enumerate(table["path"])]  # fmt: skip
    table.with_columns(pl.Series("value", values)).write_csv(target)
    return target


def read_rows(workspace: Path, folder: Path) -> pl.DataFrame:
    target = folder / "checks.parquet"
    assert call("export", workspace, "checks", target).code == 0
    return pl.read_parquet(target)


def test_a_sheet_is_written_filled_in_and_read_back(labelled: SmallAudit) -> None:
    sheet, config = labelled.folder / "sheet.csv", labelled.config
    written = call("check-labels", config, "--export", sheet, "--budget", 24)
    assert (written.code, written.err) == (0, "")
    assert written.out.splitlines()[0] == f"wrote 24 labels to check to {sheet}"
    rows = pl.read_csv(sheet, infer_schema=False)
    assert rows["attribute"].unique().to_list() == ["tone"]  # the others are measured
    assert rows["values"].unique().to_list() == ["dark | light"]
    assert rows["answer"].null_count() == 24
    filled = fill(sheet, labelled.folder / "filled.csv")
    read = call("check-labels", config, "--import", filled, "--checker", "ann")
    assert (read.code, read.err) == (0, "")
    assert read.out.splitlines() == ["imported answers: 24 new", "tone: 24 by ann"]
    checks = read_rows(labelled.folder / "workspace", labelled.folder)
    assert checks["value"].to_list() == ["dark" if is_dark(p) else "light" for p in checks["path"]]
    assert checks["draw"].unique().to_list() == ["value"]
    planned = rows["inclusion"].cast(pl.Float64)
    assert sorted(checks["inclusion"]) == pytest.approx(sorted(planned))


def test_an_import_a_second_time_changes_nothing(labelled: SmallAudit) -> None:
    sheet, config = labelled.folder / "sheet.csv", labelled.config
    call("check-labels", config, "--export", sheet, "--budget", 10)
    filled = fill(sheet, labelled.folder / "filled.csv")
    call("check-labels", config, "--import", filled, "--checker", "ann")
    journal = labelled.folder / "workspace" / "checks" / "journal.jsonl"
    before = journal.read_bytes()
    read = call("check-labels", config, "--import", filled, "--checker", "ann")
    assert read.out.splitlines()[0] == "imported answers: 0 new, 10 known already"
    own = labelled.folder / "own.csv"
    call("export", labelled.folder / "workspace", "checks", own)
    call("check-labels", config, "--import", own)
    assert journal.read_bytes() == before


def test_a_second_checker_gets_the_same_samples_and_agreement_is_printed(
    labelled: SmallAudit,
) -> None:
    config, folder = labelled.config, labelled.folder
    call("check-labels", config, "--export", folder / "1.csv", "--budget", 20)
    first = fill(folder / "1.csv", folder / "ann.csv")
    call("check-labels", config, "--import", first, "--checker", "ann")
    options = ("--again", "--checker", "ben", "--export", folder / "2.csv")
    assert call("check-labels", config, *options).code == 0
    keys = ["sample_id", "attribute"]
    tables = [pl.read_csv(folder / name).select(keys).sort(keys) for name in ("1.csv", "2.csv")]
    assert tables[0].equals(tables[1])
    second = fill(folder / "2.csv", folder / "ben.csv", wrong=2)
    read = call("check-labels", config, "--import", second, "--checker", "ben")
    assert read.out.splitlines()[1] == "tone: 20 by ann, 20 by ben"
    assert read.out.splitlines()[2].startswith("tone: ann and ben on 20: 90% the same, kappa 0.")


def test_a_later_sheet_asks_for_other_samples(labelled: SmallAudit) -> None:
    config, folder = labelled.config, labelled.folder
    call("check-labels", config, "--export", folder / "1.csv", "--per-value", 5)
    first = fill(folder / "1.csv", folder / "ann.csv")
    call("check-labels", config, "--import", first, "--checker", "ann")
    call("check-labels", config, "--export", folder / "2.csv", "--per-value", 12)
    one, two = (pl.read_csv(folder / name) for name in ("1.csv", "2.csv"))
    assert set(one["sample_id"]) & set(two["sample_id"]) == set()
    assert two.group_by("shown").len()["len"].unique().to_list() == [7]
    call("check-labels", config, "--import", fill(folder / "2.csv", folder / "b.csv"),
         "--checker", "ann")  # fmt: skip
    done = call("check-labels", config, "--export", folder / "3.csv", "--per-value", 12)
    assert "everything that was asked for is checked already" in done.err


def test_a_faulty_file_imports_nothing_and_lists_all_problems(labelled: SmallAudit) -> None:
    file = labelled.folder / "answers.csv"
    file.write_text(
        "path,attribute,value\n0001.png,tone,dark\nnone.png,tone,dark\n0002.png,tone,darker\n"
        "0003.png,tune,dark\n0004.png,tone,\n0001.png,tone,light\n"
    )
    refused = call("check-labels", labelled.config, "--import", file, "--checker", "ann")
    assert refused.code == 1
    assert refused.err.splitlines() == [
        f"error: {file}: 3 of 6 rows are faulty, nothing was imported (--skip-faulty takes the "
        "others): 3 problems",
        "  - path 'none.png' is no sample of this dataset: line 3",
        "  - value 'darker' is no value of 'tone'; did you mean 'dark'?: line 4",
        "  - attribute 'tune' is not labelled here; did you mean 'tone'?: line 5",
    ]
    assert not (labelled.folder / "workspace" / "checks").exists()
    taken = call("check-labels", labelled.config, "--import", file, "--checker", "ann",
                 "--skip-faulty")  # fmt: skip
    assert taken.code == 0
    assert taken.out.splitlines() == ["imported answers: 1 new", "tone: 1 by ann"]
    assert taken.err.splitlines()[:3] == [
        "note: rows replaced by a later row of the same sample and attribute: 1",
        "note: rows without an answer yet: 1",
        "note: faulty rows left out: 3",
    ]
    assert read_rows(labelled.folder / "workspace", labelled.folder)["value"].to_list() == ["light"]


@pytest.mark.parametrize("suffix", [".json", ".parquet"])
def test_answers_are_read_from_json_and_parquet(labelled: SmallAudit, suffix: str) -> None:
    file = labelled.folder / f"answers{suffix}"
    records = [{"path": "0001.png", "attribute": "tone", "answer": "cannot say", "checker": "ann"}]
    if suffix == ".json":
        file.write_text(json.dumps({"answers": records}))
    else:
        pl.DataFrame(records).write_parquet(file)
    read = call("check-labels", labelled.config, "--import", file)
    assert read.out.splitlines()[0] == "imported answers: 1 new"
    records[0]["attribute"] = "tune"
    file = labelled.folder / "wrong.json"
    file.write_text(json.dumps(records))
    assert (
        "did you mean 'tone'?: row 1" in call("check-labels", labelled.config, "--import", file).err
    )


def test_a_torn_line_of_the_journal_is_said(labelled: SmallAudit) -> None:
    config, folder = labelled.config, labelled.folder
    (folder / "a.csv").write_text("path,attribute,value\n0001.png,tone,dark\n0002.png,tone,dark\n")
    call("check-labels", config, "--import", folder / "a.csv", "--checker", "ann")
    journal = folder / "workspace" / "checks" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-30])
    exported = call("export", folder / "workspace", "checks", folder / "c.csv")
    assert exported.out.startswith("wrote 1 rows of checks")
    assert "line 2 is left out" in exported.err
    read = call("check-labels", config, "--import", folder / "a.csv", "--checker", "ann")
    assert "line 2 is left out" in read.err
    assert read.out.splitlines()[0] == "imported answers: 1 new, 1 known already"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--export", "s.xlsx"), 2, "write to a file that ends in"),
        (("--export", "none/s.csv"), 2, "there is no folder"),
        (("--export", "audit.toml.csv", "--attribute", "tune"), 2, "did you mean 'tone'?"),
        (("--export", "s.csv", "--budget", 5, "--per-value", 5), 2, "give one of them"),
        (("--export", "s.csv", "--finding", 1), 1, "run `weakspot find` first"),
        (("--export", "s.csv", "--again"), 2, "--checker NAME"),
        (("--import", "none.csv"), 1, "there is no such file"),
    ],
)
def test_wrong_usage_is_one_clear_message(
    labelled: SmallAudit,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[object, ...],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(labelled.folder)
    failed = call("check-labels", "audit.toml", *arguments)
    assert failed.code == code
    assert message in failed.err
    assert failed.err.startswith("error: ")


def test_a_sheet_never_replaces_a_file(labelled: SmallAudit) -> None:
    sheet = labelled.folder / "sheet.csv"
    sheet.write_text("answers of an hour")
    failed = call("check-labels", labelled.config, "--export", sheet)
    assert failed.code == 2
    assert sheet.read_text() == "answers of an hour"


def test_a_workspace_that_is_not_labelled_or_of_another_audit_is_refused(
    small_audit: SmallAudit,
) -> None:
    arguments = ("check-labels", small_audit.config, "--export", small_audit.folder / "s.csv")
    assert "not a workspace" in call(*arguments).err
    run_directly(small_audit.config, ("embed",))
    assert "stage 'label' has not run here yet" in call(*arguments).err
    run_directly(small_audit.config, ("label",))
    small_audit.edit('images = "images"', 'images = "images"\nsplit = "train"')
    failed = call(*arguments)
    assert failed.code == 1
    assert "was labelled for another [dataset]" in failed.err
    assert len(failed.err.splitlines()) == 1


def test_attributes_with_true_values_are_asked_for_by_name_alone(small_audit: SmallAudit) -> None:
    rows = [f"{n:04}.png,{'dark' if n % 4 < 2 else 'light'}" for n in range(160)]
    (small_audit.folder / "truth.csv").write_text("\n".join(["path,tone", *rows]) + "\n")
    small_audit.edit("[encoder]", TRUTH + "[encoder]")
    arguments = ("check-labels", small_audit.config, "--export", small_audit.folder / "s.csv")
    run_directly(small_audit.config, ("embed", "label"))
    assert "no attribute needs checks" in call(*arguments).err
    named = call(*arguments, "--attribute", "tone")
    assert named.code == 0
    assert "they are used, not the checks" in named.err


def test_the_seed_of_the_first_draw_stays(labelled: SmallAudit) -> None:
    folder = labelled.folder
    arguments = ("check-labels", labelled.config, "--budget", 10)
    assert call(*arguments, "--export", folder / "1.csv", "--seed", 5).code == 0
    refused = call(*arguments, "--export", folder / "2.csv", "--seed", 6)
    assert refused.code == 2
    assert "were drawn with seed 5" in refused.err
    assert call(*arguments, "--export", folder / "2.csv").code == 0
    assert (folder / "1.csv").read_bytes() == (folder / "2.csv").read_bytes()


@pytest.mark.slow
def test_a_finding_is_checked_where_it_is_and_just_beside(small_audit: SmallAudit) -> None:
    folder, config = small_audit.folder, small_audit.config
    run_directly(config, ("embed", "label", "score", "find"))
    call("export", folder / "workspace", "findings", folder / "findings.parquet")
    first = pl.read_parquet(folder / "findings.parquet").sort("rank").row(0, named=True)
    names = {one["attribute"] for one in first["predicates"]}
    asked = ("check-labels", config, "--budget", 12, "--export", folder / "f.csv", "--finding")
    assert "has findings 1 to" in call(*asked, 99).err
    assert "there are some of system" in call(*asked, 1, "--system", "other").err
    assert call(*asked, 1).code == 0
    rows = pl.read_csv(folder / "f.csv", infer_schema=False)
    assert set(rows["attribute"]) == names
    assert rows["draw"].unique().to_list() == ["finding"]
    own = [one["value"] for one in first["predicates"]]
    assert rows["shown"].is_in(own).any()
    assert not rows["shown"].is_in(own).all()


@pytest.mark.slow
def test_a_check_that_says_just_wrong_makes_the_last_search_stale(small_audit: SmallAudit) -> None:
    folder, config = small_audit.folder, small_audit.config
    run_directly(config, ("embed", "label", "score", "find"))
    file = folder / "wrong.csv"
    file.write_text("path,attribute,answer\n0001.png,brightness,wrong\n")
    read = call("check-labels", config, "--import", file, "--checker", "ann")
    assert "answers that say just wrong: 1, and none says what is true instead" in read.err
    refused = call("report", config, "--no-prefect")
    assert refused.code == 1
    assert "the checks are not those that were searched" in refused.err
