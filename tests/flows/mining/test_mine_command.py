"""`weakspot mine` as a user calls it, right and wrong."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.workspace.manifests import ScoredSystem, ScoreManifest
from tests.flows.command import call
from tests.flows.direct import run_directly
from tests.flows.mining.mined_audits import is_hit, write_objects, write_pool

pytestmark = pytest.mark.slow
APART = ("--duplicates", 0.99999)  # to an encoder that was never trained all is alike


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = write_objects(tmp_path_factory.mktemp("mined") / "audit")
    run_directly(config, ["embed", "label", "score", "find"])
    return config


@pytest.fixture(scope="module")
def pool(config: Path) -> Path:
    return write_pool(config.parent / "pool")


def mine_json(config: Path, *options: object) -> dict[str, Any]:
    told = call("mine", config, "--json", *options)
    assert told.code == 0, told.err
    content: dict[str, Any] = json.loads(told.out)
    return content


def test_images_that_hold_members_come_first_and_files_hold_them(
    config: Path, pool: Path, tmp_path: Path
) -> None:
    """The finding is of boxes, and the pool has none: windows are searched."""
    outs = [tmp_path / name for name in ("m.csv", "m.json", "m.html", "links")]
    options = [word for out in outs for word in ("--out", out)]
    found = mine_json(config, "--pool", pool, "--finding", 1, "--budget", 15, *APART, *options)
    (rate,) = found["rates"]
    assert rate["predicates"] == [{"attribute": "paint", "value": "dark"}]
    paths = [row["path"] for row in found["mined"]]
    assert len(paths) == len(set(paths)) == 15
    hits = sum(map(is_hit, paths))
    assert hits >= 12  # a third of the pool has one: five of fifteen at random
    assert rate["expected_low"] <= hits / 15 <= rate["expected_high"]
    assert rate["random"] == pytest.approx(1 / 3, abs=0.12)
    assert any("windows" in note for note in found["notes"])
    with outs[0].open() as file:
        assert [row["path"] for row in csv.DictReader(file)] == paths
    coco = json.loads(outs[1].read_text())
    assert [image["file_name"] for image in coco["images"]] == paths
    assert coco["annotations"] == []
    page = outs[2].read_text()
    assert "To label first" in page
    assert page.count("<img") == 15
    assert [link.resolve().name for link in sorted(outs[3].iterdir())] == paths


def test_objects_of_another_workspace_are_mined_by_their_boxes(
    config: Path, tmp_path: Path
) -> None:
    other = write_objects(tmp_path / "other", count=60, first=5_000)
    run_directly(other, ["embed", "label"])
    out = tmp_path / "m.json"
    options = ["--finding", 1, "--budget", 12, *APART, "--out", out]
    found = mine_json(config, "--pool", other.parent / "workspace", *options)
    truth = {
        str(one["id"]): one["paint"]
        for one in json.loads((other.parent / "annotations.json").read_text())["annotations"]
    }
    hits = [truth[row["annotation_id"]] == "dark" for row in found["mined"]]
    assert len(hits) == 12
    assert sum(hits) >= 11  # a sixth of the objects is dark
    assert len(json.loads(out.read_text())["annotations"]) == 12


def test_labels_that_came_back_give_the_real_rate(config: Path, pool: Path, tmp_path: Path) -> None:
    options = ["--pool", pool, "--finding", 1, "--budget", 10, *APART]
    mined = mine_json(config, *options)["mined"]
    verdicts = tmp_path / "verdicts.csv"
    rows = [f"{row['path']},1.0,{'yes' if n < 7 else 'No'}" for n, row in enumerate(mined[:9])]
    rows += ["other.png,1,yes", f"{mined[9]['path']},2,yes"]
    verdicts.write_text("path,finding,hit\n" + "\n".join(rows) + "\n")
    found = mine_json(config, "--returned", verdicts)
    (rate,) = found["rates"]
    assert (rate["mined"], rate["labelled"], rate["hits"]) == (10, 9, 7)
    assert "1 rows name no mined sample" in found["notes"][0]
    assert "1 rows name a finding that their sample was not mined for" in found["notes"][1]
    values = tmp_path / "values.csv"  # one row an object
    rows = [f"{row['path']},light\n{row['path']},{'dark' if n < 8 else 'light'}"
            for n, row in enumerate(mined)]  # fmt: skip
    values.write_text("path,paint\n" + "\n".join(rows) + "\n")
    told = call("mine", config, "--returned", values)
    assert told.code == 0
    assert "80.0%" in told.out
    told = call("mine", config, "--returned", tmp_path / "nowhere.csv")
    assert (told.code, "no such file" in told.err) == (2, True)


def test_a_damaged_shard_is_made_again_and_the_same_call_chooses_the_same(
    config: Path, tmp_path: Path
) -> None:
    pool = write_pool(tmp_path / "pool", count=24)
    (pool / "broken.png").write_bytes(b"no image")
    options = ["--pool", pool, "--all", "--budget", 5, *APART]
    one = mine_json(config, *options)
    shards = sorted((config.parent / "workspace" / "mining" / "embeddings").rglob("*.parquet"))
    shards[0].write_bytes(b"torn")
    assert mine_json(config, *options) == one
    assert any("1 that cannot be read" in note for note in one["notes"])


def test_weights_are_exported_of_objects_and_images(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "weights.parquet"
    assert call("export", config.parent / "workspace", "weights", file).code == 0
    table = pl.read_parquet(file)
    assert table["annotation_id"].null_count() == 120
    weak = table["findings"].list.contains(1).to_numpy()
    weights = table["weight"].to_numpy()
    assert weights[weak].min() > 2 * weights[~weak].max()
    later = tmp_path / "workspace"  # errors of other predictions than were searched
    shutil.copytree(config.parent / "workspace", later)
    scored = ScoreManifest.read(later)
    systems = {name: ScoredSystem(error_id="other") for name in scored.systems}
    scored.model_copy(update={"systems": systems}).write(later)
    told = call("export", later, "weights", file)
    assert told.code != 0
    assert "the errors are not those that were searched" in told.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--pool: name a folder"),
        (["--pool", "POOL"], "--finding N, or --all"),
        (["--pool", "POOL", "--all", "--finding", "1"], "--finding N, or --all"),
        (["--pool", "POOL", "--finding", "99"], "has findings 1 to"),
        (["--pool", "nowhere", "--all"], "expected a folder of images or a workspace"),
        (["--pool", "POOL", "--all", "--system", "x"], "no such system"),
        (["--pool", "POOL", "--all", "--out", "a.txt"], ".csv"),
        (["--pool", "POOL", "--all", "--out", "POOL"], "is there already"),
        (["--pool", "POOL", "--all", "--returned", "x.csv"], "give it alone"),
        (["--pool", "POOL", "--finding", "1", "--by", "labels"], "use --by likeness"),
        (["--pool", "POOL", "--finding", "1", "--duplicates", "0.5"], "give a larger cosine"),
        (["--pool", "IMAGES", "--all"], "all are known to the audit"),
    ],
)
def test_wrong_arguments_are_named(
    config: Path, pool: Path, options: list[str], message: str
) -> None:
    places = {"POOL": str(pool), "IMAGES": str(config.parent / "images")}
    told = call("mine", config, *(places.get(one, one) for one in options))
    assert told.code == 2
    assert message in told.err
    assert "Traceback" not in told.err
