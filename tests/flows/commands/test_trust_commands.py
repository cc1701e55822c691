"""`weakspot bias`, `attack typographic` and `trust` as a user calls them, and the report after."""

import json
from pathlib import Path

import polars as pl
import pytest
import typer

from flows.commands.trusting.bias import fail_on_gate
from pipeline.tables import TEXTS, check
from pipeline.workspace.manifests import TextsManifest
from pipeline.workspace.shards import write_shard
from pipeline.workspace.store import find_store
from tests.flows.command import call
from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit, write_audit
from tests.reports.trust_examples import make_trust

pytestmark = pytest.mark.slow

OWN = """\
name = "own"
templates = ["a photo of {}."]
[[pairs]]
first = ["a dark scene", "a dim scene"]
second = ["a light scene", "a bright scene"]
"""
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
    rows = ["path,tone,side,one"]
    rows += [
        f"{n:04}.png,{'dark' if n % 4 < 2 else 'light'},{'left' if n % 3 else 'right'},same"
        for n in range(80)
    ]
    (made.folder / "truth.csv").write_text("\n".join(rows) + "\n")
    made.edit(
        'images = "images"\n',
        TRUTH,
    )
    (made.folder / "own.toml").write_text(OWN)
    run_directly(made.config)
    return made


def test_a_pair_is_judged_on_the_groups_of_a_column_and_kept_as_a_table(
    audit: SmallAudit, tmp_path: Path
) -> None:
    page = tmp_path / "bias.html"
    options = ["--groups", "side", "--probes", audit.folder / "own.toml", "--neutral", 100]
    told = call("bias", audit.config, *options, "--adjust", "tone", "--page", page, "--json")
    assert told.code == 0, told.err
    content = json.loads(told.out)
    (row,) = content["probes"]
    assert (row["group"], row["others"], content["source"]) == ("left", "right", "column")
    assert row["verdict"] == "insufficient evidence"  # 27 on the right
    html = page.read_text()
    assert "a dark scene / a light scene" in html
    assert "<img" not in html
    target = tmp_path / "probes.csv"
    assert call("export", audit.folder / "workspace", "probes", target).code == 0
    assert pl.read_csv(target).height == 1
    assert "too few images" in call("bias", audit.config, *options).out


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
        (("bias", "--groups", "sides"), "'side'"),
        (("bias", "--groups", "one"), "expected two groups"),
        (("bias", "--groups", "side", "--probes", "dehumanizing"), "--show-slurs"),
        (("bias", "--groups", "side", "--adjust", "tones"), "'tone'"),
        (("bias", "--groups", "side", "--adjust", "side"), "the groups that are compared"),
        (("bias", "--groups", "side", "--page", "bias.txt"), ".html"),
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


def test_text_that_is_there_is_counted_and_findings_with_more_of_it_are_marked(
    audit: SmallAudit,
) -> None:
    """Every fourth image, on which the system fails, holds text; the others do not."""
    store = find_store(audit.folder / "workspace")
    samples = store.read_samples()
    fails = samples["path"].str.slice(0, 4).cast(pl.Int64) % 4 == 0
    rows = samples.select("content_key").with_columns(
        text=pl.when(fails).then(pl.lit("EXIT")), score=pl.when(fails).then(0.9),
        **{side: pl.when(fails).then(4.0) for side in "xywh"},
    )  # fmt: skip
    write_shard(check(rows, TEXTS, table="texts"), store.locate_texts("a" * 16))
    TextsManifest(reader_id="a" * 16).write(store.folder)
    told = call("attack", "typographic", audit.config, "--samples", 4, "--json")
    facts = json.loads(told.out)["text_as_it_is"]
    assert (facts["images"], facts["with_text"]) == (80, 20)
    (effect,) = facts["effects"]
    assert (effect["attribute"], effect["n_with"]) == ("tone", 20)
    finding = facts["findings"][0]
    assert finding["low"] > 0
    assert finding["share"] > finding["rest_share"]
    run_directly(audit.config, ["report"])
    pages = list((audit.folder / "report" / "runs").glob("*/findings/1-1.html"))
    assert any("carry text that can be read" in page.read_text() for page in pages)
    audit.edit('"image/brightness", ', "")
    run_directly(audit.config, ["label"])
    told = call("attack", "typographic", audit.config, "--samples", 2, "--json")
    assert told.code == 0, told.err
    assert json.loads(told.out)["text_as_it_is"]["findings"] == []  # of labels that are gone


def test_the_gate_ends_the_command_with_code_3_and_names_the_pair(
    capsys: pytest.CaptureFixture[str],
) -> None:
    probes = make_trust().probes
    fail_on_gate(probes.with_columns(gate=pl.lit("pass")))
    with pytest.raises(typer.Exit) as ended:
        fail_on_gate(probes.with_columns(gate=pl.lit("fail")))
    assert ended.value.exit_code == 3
    assert "a rich person / a poor person: woman +0.200 against man" in capsys.readouterr().err
