"""`weakspot compare`: two runs of a workspace, from the shell to the page."""

import json
from pathlib import Path

import polars as pl
import pytest

from tests.flows.command import call
from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit, write_audit

pytestmark = pytest.mark.slow  # whole audits


@pytest.fixture(scope="module")
def mended(tmp_path_factory: pytest.TempPathFactory) -> tuple[SmallAudit, list[str]]:
    """An audit whose system fails on dark images, and one run more after that was mended."""
    audit = write_audit(tmp_path_factory.mktemp("mended"), count=240)
    runs = [run_directly(audit.config).run_id]
    errors = audit.folder / "errors.csv"
    lines = errors.read_text().splitlines()
    errors.write_text("\n".join([lines[0], *(_mend(line) for line in lines[1:])]) + "\n")
    runs.append(run_directly(audit.config).run_id)
    return audit, runs


def _mend(line: str) -> str:
    name, error = line.split(",")
    return f"{name},{error if int(name[:4]) % 40 == 1 else 0}"


def test_a_mended_weakness_is_fixed(mended: tuple[SmallAudit, list[str]], tmp_path: Path) -> None:
    audit, (first, second) = mended
    workspace = audit.folder / "workspace"
    files = [tmp_path / f"changes{suffix}" for suffix in (".html", ".csv", ".parquet", ".json")]
    asked = [word for file in files for word in ("--out", file)]
    told = call("compare", f"{workspace}@{first}", workspace, "--max-regression", 0.05, *asked)
    assert told.code == 0, told.err
    assert "images in both: 240" in told.out
    assert "gate on regressions: pass" in told.out
    changes = pl.read_parquet(files[2])
    assert "fixed" in set(changes["verdict"])
    assert set(changes["verdict"]) <= {"fixed", "better", "unclear", "unchanged"}
    content = json.loads(files[3].read_text())
    assert [content[side]["run_id"] for side in ("before", "after")] == [first, second]
    assert content["change_high"] < 0
    page = files[0].read_text()
    assert "<script" not in page
    assert "fixed" in page


def test_the_other_way_round_the_gate_fails(mended: tuple[SmallAudit, list[str]]) -> None:
    audit, (first, second) = mended
    workspace = audit.folder / "workspace"
    told = call(
        "compare",
        f"{workspace}@{second}",
        f"{workspace}@{first}",
        "--max-regression",
        0.1,
        "--json",
    )
    assert told.code == 3
    content = json.loads(told.out)
    assert content["gate"] == "fail"
    assert "new" in {row["verdict"] for row in content["changes"]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{w}"], "nothing to compare"),
        (["{w}", "{w}@1999"], "no run with an id that starts with 1999"),
        (["{w}", "{w}@2"], "2 runs with an id that starts with 2"),
        (["{w}", "{w}", "--system", "sytem"], "did you mean 'system'"),
        (["{w}/nothing", "{w}"], "not a workspace"),
        (["{w}", "{w}", "--out", "changes.pdf"], "write to a file that ends in .html"),
        (["{w}", "{w}", "--out", "{w}/none/a.csv"], "there is no folder"),
    ],
)
def test_wrong_arguments(
    mended: tuple[SmallAudit, list[str]], arguments: list[str], message: str
) -> None:
    workspace = str(mended[0].folder / "workspace")
    told = call("compare", *(word.replace("{w}", workspace) for word in arguments))
    assert told.code in (1, 2)
    assert message in told.err
    assert len(told.err.splitlines()) == 1


def test_errors_that_were_pruned(small_audit: SmallAudit) -> None:
    """Those of the first run go with its predictions; that is said in one line."""
    run_directly(small_audit.config)
    errors = small_audit.folder / "errors.csv"
    errors.write_text(errors.read_text().replace("0001.png,1", "0001.png,0"))
    run_directly(small_audit.config)
    workspace = small_audit.folder / "workspace"
    first = call("export", workspace, "runs", small_audit.folder / "runs.csv", "--all-runs")
    assert first.code == 0
    runs = pl.read_csv(small_audit.folder / "runs.csv")["run_id"].sort()
    assert call("prune", workspace, "--keep-runs", 2, "--yes").code == 0
    told = call("compare", f"{workspace}@{runs[0]}", workspace)
    assert told.code in (1, 2)
    assert "they were pruned" in told.err
