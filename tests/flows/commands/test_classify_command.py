"""`weakspot classify` and `attributes compare` as a user calls them, on a folder and an audit."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from tests.flows.command import call
from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit, write_audit

NAMES = ("dark", "dim", "light", "white")
DESCRIBED = """\
templates = ["a photo of a {} scene.", "{}"]
classes = ["dark", "dim", "light", "white"]
[descriptions.short]
dark = "a dark night"
dim = "a dim evening"
light = "a light morning"
white = "a white noon"
[descriptions.raw]
dark = "It is night. There is nothing to be seen here for miles and miles around, as one says."
dim = "It is evening."
light = "It is morning."
white = "It is noon."
"""


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> SmallAudit:
    """Write images in a folder for each class, and an audit of them."""
    made = write_audit(tmp_path_factory.mktemp("classified"), count=40)
    for number in range(40):
        folder = made.images / NAMES[number % 4]
        folder.mkdir(exist_ok=True)
        shutil.move(made.images / f"{number:04}.png", folder)
    (made.folder / "classes.toml").write_text(DESCRIBED)
    system = made.config.read_text().partition("[[systems]]")[0]
    made.config.write_text(system)
    return made


def classify(audit: SmallAudit, source: Path, *options: object) -> list[object]:
    own = [] if source.suffix else ["--encoder", f"local-dir:{audit.folder / 'tiny'}"]
    return ["classify", source, "--classes", audit.folder / "classes.toml", *own, *options]


def write_config(audit: SmallAudit, system: str) -> Path:
    """Write the audit with this system beside its own file."""
    config = audit.folder / "with-system.toml"
    config.write_text(f"{audit.config.read_text()}\n{system}\n")
    return config


def test_lines_of_a_folder_have_the_same_k_and_long_texts_are_counted(audit: SmallAudit) -> None:
    told = call(*classify(audit, audit.images, "--top", "3,1", "--name-is", "short"))
    assert told.code == 0, told.err
    for part in ("names", "short", "raw", "name is short", "most often taken for"):
        assert part in told.out
    assert "'raw': 1 of 4 prompts are longer than the encoder reads" in told.out
    result = json.loads(call(*classify(audit, audit.images, "--top", "3,1", "--json")).out)
    ks = [(row["line"], row["k"], row["n"]) for row in result["accuracy"]]
    assert ks == [(line, k, 40) for line in ("names", "short", "raw") for k in (1, 3)]
    assert sum(row["n"] for row in result["confusions"]) == 40
    assert sum(result["predicted"].values()) == 40


def test_predictions_are_a_system_that_an_audit_scores(audit: SmallAudit) -> None:
    out = audit.folder / "zero-shot.csv"
    told = call(*classify(audit, audit.images, "--out", out, "--json", "--line", "short"))
    result = json.loads(told.out)
    accuracy = next(r["accuracy"] for r in result["accuracy"] if r["line"] == "short")
    run_directly(write_config(audit, result["system"]), ["embed", "score"])
    errors = audit.folder / "errors.parquet"
    assert call("export", audit.folder / "workspace", "errors", errors).code == 0
    table = pl.read_parquet(errors)
    assert table.height == 40
    assert 1 - table["error"].mean() == pytest.approx(accuracy)  # type: ignore[operator]  # floats


def test_an_audit_gives_what_its_folder_gives(audit: SmallAudit) -> None:
    out = audit.folder / "by-folder.csv"
    by_folder = json.loads(call(*classify(audit, audit.images, "--json", "--out", out)).out)
    config = write_config(audit, by_folder["system"])
    run_directly(config, ["embed"])
    told = call(*classify(audit, config, "--json", "--out", audit.folder / "p.parquet"))
    assert told.code == 0, told.err
    assert json.loads(told.out)["confusions"] == by_folder["confusions"]
    assert pl.read_parquet(audit.folder / "p.parquet").columns[:3] == [
        "sample_id", "path", "prediction",
    ]  # fmt: skip


def test_a_table_gives_the_truth_of_a_folder(audit: SmallAudit) -> None:
    table = audit.folder / "truth.csv"
    table.write_text("path,category\ndark/0000.png,white\nother/x.png,dark\n")
    told = call(*classify(audit, audit.images, "--truth", table, "--json"))
    assert [row["n"] for row in json.loads(told.out)["accuracy"]] == [1, 1, 1]


def test_classes_are_written_as_json_that_is_read_back(audit: SmallAudit) -> None:
    export = audit.folder / "cupl.json"
    told = call(*classify(audit, audit.images, "--export", export, "--line", "short", "--json"))
    again = call(
        "classify", audit.images, "--classes", export, "--line", "prompts", "--json",
        "--encoder", f"local-dir:{audit.folder / 'tiny'}",
    )  # fmt: skip
    assert json.loads(again.out)["confusions"] == json.loads(told.out)["confusions"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--top", "0"], "expected numbers from 1"),
        (["--top", "4"], "with 4 classes every image would be right; the largest is 3"),
        (["--line", "shrt"], "no such line"),
        (["--name-is", "long"], "no such descriptions"),
        (["--out", "p.txt"], "ends in .csv, .parquet"),
        (["--truth", "none.csv"], "none.csv"),
    ],
)
def test_wrong_options_are_one_line(audit: SmallAudit, options: list[str], reason: str) -> None:
    told = call(*classify(audit, audit.images, *options))
    assert told.code == 2
    assert reason in told.err


def test_classes_that_no_image_has_are_refused(audit: SmallAudit) -> None:
    names = audit.folder / "names.txt"
    names.write_text("cat\ndog\n")
    told = call(
        "classify", audit.images, "--classes", names, "--encoder",
        f"local-dir:{audit.folder / 'tiny'}",
    )  # fmt: skip
    assert told.code == 2
    assert "no true class is among the classes: the images have 'dark'" in told.err


def compare(audit: SmallAudit, prompts: str, *options: object) -> list[object]:
    file = audit.folder / "prompts.txt"
    file.write_text(prompts)
    return [
        "attributes", "compare", audit.images, "--classes", audit.folder / "classes.toml",
        "--prompts", file, "--encoder", f"local-dir:{audit.folder / 'tiny'}", *options,
    ]  # fmt: skip


def test_compare_has_a_row_for_each_prompt_and_all_together(audit: SmallAudit) -> None:
    options = ["--control", "waffle", "--draws", 4]
    told = call(*compare(audit, "a {}\na photo of {}\nA {c}!\n", *options, "--json"))
    assert told.code == 0, told.err
    result = json.loads(told.out)
    names = [row["line"] for row in result["prompts"]]
    assert names == ["a {}", "a photo of {}", "A {}!", "all together"]
    assert all(row["n"] == 40 for row in result["prompts"])
    assert result["prompts"][0]["difference_to_first"] == 0
    assert len(result["random_words"]["accuracies"]) == 4
    assert 0.2 <= result["random_words"]["p"] <= 1
    assert result["chosen_on_half"]["n"] == 20
    words = call(*compare(audit, "a {}\na photo of {}\nA {c}!\n", *options)).out
    assert "Random words, 4 draws" in words
    assert ("all are ties" in words) == (not result["differences_shown"])


def test_an_attribute_file_has_classes_to_compare_prompts_with(audit: SmallAudit) -> None:
    tone = audit.folder / "mine" / "tone.toml"
    command = compare(audit, "a {}\n{}\n", "--json")
    command[command.index("--classes") + 1] = tone
    told = call(*command)
    assert told.code == 0, told.err
    assert json.loads(told.out)["other_classes"] == 20  # dim and white are no values of it


@pytest.mark.parametrize(
    ("prompts", "reason"),
    [("a {}\n", "two prompts or more"), ("a {}\na photo\n", "'a photo' has no {}")],
)
def test_wrong_prompts_are_one_line(audit: SmallAudit, prompts: str, reason: str) -> None:
    told = call(*compare(audit, prompts))
    assert told.code == 2
    assert reason in told.err


@pytest.mark.slow
def test_one_command_audits_a_zero_shot_classifier_to_its_report(tmp_path: Path) -> None:
    made = write_audit(tmp_path, count=40)
    for number in range(40):
        folder = made.images / NAMES[number % 4]
        folder.mkdir(exist_ok=True)
        shutil.move(made.images / f"{number:04}.png", folder)
    (made.folder / "classes.toml").write_text(DESCRIBED)
    paths = [path.relative_to(made.images) for path in sorted(made.images.rglob("*.png"))]
    rows = "".join(f"{path},dark\n" for path in paths)
    (made.folder / "always.csv").write_text(f"path,prediction\n{rows}")
    made.config.write_text(
        made.config.read_text().partition("[[systems]]")[0] + '[[systems]]\nname = "always dark"\n'
        'format = "classification"\npredictions = "always.csv"\nerror = "not-top1"\n'
    )
    told = call(*classify(made, made.config, "--as-system", "by name", "--run", "--no-prefect"))
    assert told.code == 0, told.err
    config = made.folder / "audit-by-name.toml"
    assert f"wrote {config}" in told.out
    assert "by name" in (made.folder / "report" / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--run"], "--as-system"), (["--as-system", "..."], "letters and digits")],
)
def test_what_cannot_be_audited_is_said(audit: SmallAudit, options: list[str], said: str) -> None:
    told = call(*classify(audit, audit.config, *options))
    assert told.code == 2
    assert said in told.err
    told = call(*classify(audit, audit.images, "--as-system", "name"))
    assert told.code == 2
    assert "no audit.toml" in told.err
