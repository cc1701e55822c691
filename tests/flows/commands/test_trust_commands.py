"""`weakspot attack typographic` and `weakspot trust` as a user calls them, and the report after."""

import json
from pathlib import Path

import polars as pl
import pytest

from tests.flows.command import call
from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit, write_audit

pytestmark = pytest.mark.slow

TRUTH = """\
images = "images"
columns = "truth.csv"

[dataset.truth]
file = "truth.csv"
key = "path"

[dataset.truth.tone]
column = "tone"
dark = ["dark"]
light = ["light"]
"""


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> SmallAudit:
    made = write_audit(tmp_path_factory.mktemp("trusted"), count=80)
    rows = ["path,tone,side"]
    rows += [
        f"{n:04}.png,{'dark' if n % 4 < 2 else 'light'},{'left' if n % 3 else 'right'}"
        for n in range(80)
    ]
    (made.folder / "truth.csv").write_text("\n".join(rows) + "\n")
    made.edit(
        'images = "images"\n',
        TRUTH,
    )
    run_directly(made.config)
    return made


def test_words_are_written_into_pictures_and_the_verdict_stands_in_the_report(
    audit: SmallAudit, tmp_path: Path
) -> None:
    told = call(
        "attack", "typographic", audit.config, "--samples", 12, "--area", "0.05,0.1",
        "--defend", "mirror", "--defend", "probe", "--json",
    )  # fmt: skip
    assert told.code == 0, told.err
    content = json.loads(told.out)
    rows = {(row["defence"], row["area"]): row for row in content["flips"]}
    assert set(rows) == {(d, a) for d in ("none", "mirror", "probe") for a in (None, 0.05, 0.1)}
    assert rows["none", None]["n"] == 12
    assert rows["mirror", None]["accuracy_change"] is not None
    assert content["text_as_it_is"] is None
    told = call("trust", audit.config, "--groups", "side", "--json")
    assert told.code == 0, told.err
    (row,) = json.loads(told.out)["trust"]
    assert row["attribute"] == "tone"
    assert row["accuracy"] == pytest.approx(
        call_quality(audit)["accuracy"]
    )  # the same as of label-quality
    assert (row["text"], row["leakage"]) == (rows["none", None]["verdict"], "not measured")
    run_directly(audit.config, ["report"])
    (path,) = (audit.folder / "report" / "runs").glob("*/encoder.html")
    page = path.read_text()
    assert "Whether the encoder can be trusted" in page
    assert row["verdict"] in page
    for table in ("flips", "trust"):
        target = tmp_path / f"{table}.parquet"
        assert call("export", audit.folder / "workspace", table, target).code == 0
        assert not pl.read_parquet(target).is_empty()


def call_quality(audit: SmallAudit) -> dict[str, float]:
    content = json.loads(call("label-quality", audit.config, "--json").out)
    (row,) = [one for one in content["label_quality"]
              if one["method"] == "in use" and one["value"] is None]  # fmt: skip
    found: dict[str, float] = row
    return found


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("attack", "typographic", "--attributes", "tones"), "'tone'"),
        (("attack", "typographic", "--area", "2"), "up to 0.5"),
        (("attack", "typographic", "--area", "a"), "expected shares"),
        (("attack", "typographic", "--defend", "hope"), "mask, mirror, probe"),
        (("trust", "--groups", "sides"), "'side'"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    audit: SmallAudit, arguments: tuple[str, ...], said: str
) -> None:
    place = 2 if arguments[0] == "attack" else 1
    told = call(*arguments[:place], audit.config, *arguments[place:])
    assert told.code == 2
    assert said in told.err
    assert "Traceback" not in told.err
