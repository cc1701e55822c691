"""`weakspot bias` as a user calls it, right and wrong, on a small audit."""

import json
from pathlib import Path

import polars as pl
import pytest

from tests.flows.command import call
from tests.flows.ranked_audit import write_ranked
from tests.flows.small_audit import SmallAudit

pytestmark = pytest.mark.slow

OWN = """\
name = "own"
templates = ["a photo of {}."]
[[pairs]]
first = ["a dark scene", "a dim scene"]
second = ["a light scene", "a bright scene"]
"""


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> SmallAudit:
    made = write_ranked(tmp_path_factory.mktemp("biased"))
    (made.folder / "own.toml").write_text(OWN)
    return made


def test_a_pair_is_judged_on_the_groups_of_a_column_and_kept_as_a_table(
    audit: SmallAudit, tmp_path: Path
) -> None:
    page = tmp_path / "bias.html"
    options = ["--groups", "quarter", "--probes", audit.folder / "own.toml", "--neutral", 100]
    told = call("bias", audit.config, *options, "--adjust", "part", "--page", page, "--json")
    assert told.code == 0, told.err
    content = json.loads(told.out)
    assert [row["group"] for row in content["probes"]] == ["dark", "darkest", "light", "lightest"]
    assert {row["verdict"] for row in content["probes"]} == {"insufficient evidence"}  # 12 each
    assert content["source"] == "column"
    html = page.read_text()
    assert "a dark scene / a light scene" in html
    assert "<img" not in html
    target = tmp_path / "probes.csv"
    assert call("export", audit.folder / "workspace", "probes", target).code == 0
    assert pl.read_csv(target).height == 4
    shown = call("bias", audit.config, *options)
    assert "too few images" in shown.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--groups", "quarters"], "'quarter'"),
        (["--groups", "one"], "expected two groups"),
        (["--groups", "quarter", "--probes", "dehumanizing"], "--show-slurs"),
        (["--groups", "quarter", "--adjust", "parts"], "'part'"),
        (["--groups", "quarter", "--page", "bias.txt"], ".html"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    audit: SmallAudit, options: list[str], said: str
) -> None:
    told = call("bias", audit.config, *options)
    assert told.code == 2
    assert said in told.err
    assert "Traceback" not in told.err
