"""Maps and clusters of an audit: made, kept, searched, shown, exported and pruned."""

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from flows.stages.report import gather_report
from pipeline.workspace.manifests import LabelManifest, MapManifest
from pipeline.workspace.store import find_store
from tests.drawn_images import noise
from tests.flows.command import call
from tests.flows.direct import open_audit, run_directly
from tests.flows.small_audit import SmallAudit

pytestmark = pytest.mark.slow  # whole audits


def read_positions(audit: SmallAudit) -> pl.DataFrame:
    (path,) = (audit.folder / "workspace" / "maps").glob("*/positions.parquet")
    return pl.read_parquet(path)


def test_a_map_is_made_once_then_new_images_are_placed(finished_audit: SmallAudit) -> None:
    first = call("map", finished_audit.config)
    assert first.code == 0, first.err
    assert "map of 160 samples, made from 160 landmarks; 0 newly placed" in first.out
    page = finished_audit.folder / "report" / "map.html"
    before, positions = page.read_bytes(), read_positions(finished_audit)
    assert positions["landmark"].all()

    again = call("map", finished_audit.config, "--json")
    assert json.loads(again.out)["made"] is False
    assert page.read_bytes() == before
    assert read_positions(finished_audit).equals(positions)

    for number in range(3):
        noise(number).save(finished_audit.images / f"new{number}.png")
    run_directly(finished_audit.config)
    placed = call("map", finished_audit.config)
    assert "map of 163 samples, there already; 3 newly placed" in placed.out
    now = read_positions(finished_audit)
    assert now.height == 163
    assert now.filter("landmark").equals(positions)

    anew = call("map", finished_audit.config, "--again", "--json")
    assert json.loads(anew.out)["made"] is True
    assert read_positions(finished_audit)["landmark"].all()


def test_the_report_shows_the_map_and_its_regions(finished_audit: SmallAudit) -> None:
    assert gather_report(*open_audit(finished_audit.config)).maps == ()
    assert call("map", finished_audit.config).code == 0
    (shown,) = gather_report(*open_audit(finished_audit.config)).maps
    assert shown.samples == 160
    assert shown.unplaced == 0
    assert shown.regions["n"].sum() > 100
    assert shown.image.startswith(b"RIFF")
    assert shown.outlines[0].rank == 1
    assert shown.outlines[0].lines
    run_directly(finished_audit.config, ["report"])
    (page,) = (finished_audit.folder / "report" / "runs").glob("*/map.html")
    text = page.read_text()
    assert 'src="data:image/webp;base64,' in text
    assert re.search(r'<a href="[^"]+">[^\n]*brightness', text)


def test_clusters_are_labels_that_a_run_searches_and_carries_on(finished_audit: SmallAudit) -> None:
    done = call("clusters", finished_audit.config, "--method", "kmeans", "--count", 4, "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert sum(row["n"] for row in found["values"]) == 160
    assert all(re.match(r"c0\d(: |$)", row["value"]) for row in found["values"])
    store = find_store(finished_audit.folder / "workspace")
    entry = LabelManifest.read(store.folder).by_name["cluster"]
    assert store.read_labels([entry.label_id]).height == 160

    stale = call("report", finished_audit.config, "--no-prefect")
    assert "the labels are not those that were searched" in stale.err
    run_directly(finished_audit.config)
    values = {row["value"] for row in found["values"]}
    slices = store.read("slices")["predicates"].explode().struct.unnest()
    assert set(slices.filter(pl.col("attribute") == "cluster")["value"]) & values
    assert entry == LabelManifest.read(store.folder).by_name["cluster"]
    wide = finished_audit.folder / "wide.parquet"
    assert call("export", store.folder, "wide", wide).code == 0
    assert set(pl.read_parquet(wide)["cluster"]) == values
    pages = (finished_audit.folder / "report").rglob("*.html")
    assert any("cluster: 4 clusters by kmeans, 4 centers" in one.read_text() for one in pages)

    noise(4).save(finished_audit.images / "new.png")
    run_directly(finished_audit.config, ["embed", "label"])
    labels = store.read_labels([entry.label_id])
    assert labels.height == 161
    assert labels.filter(pl.col("value") == "unknown").height == 1

    assert call("clusters", finished_audit.config, "--forget").out == "clusters are forgotten\n"
    assert "cluster" not in LabelManifest.read(store.folder).by_name
    assert call("clusters", finished_audit.config, "--forget").out == "there are no clusters\n"


def test_groups_can_be_clusters(small_audit: SmallAudit) -> None:
    small_audit.edit("[slices]", '[fairness]\nattributes = ["cluster"]\n[slices]')
    early = call("run", small_audit.config, "--no-prefect")
    assert "there are no clusters to compare; run `weakspot clusters` first" in early.err
    assert call("clusters", small_audit.config, "--method", "kmeans", "--count", 2).code == 0
    run_directly(small_audit.config)
    gaps = find_store(small_audit.folder / "workspace").read("gaps")
    assert gaps["predicates"].explode().struct.field("attribute").unique().to_list() == ["cluster"]


def test_the_sweep_keeps_nothing_and_compares_with_an_attribute(small_audit: SmallAudit) -> None:
    run_directly(small_audit.config, ["embed", "label"])
    before = LabelManifest.read(small_audit.folder / "workspace")
    swept = call("clusters", small_audit.config, "--sweep", "--against", "tone", "--json")
    assert swept.code == 0, swept.err
    found = json.loads(swept.out)
    alone = [one for one in found["settings"] if one["min_points"] == 1]
    assert all(one["clustered"] == 1 for one in alone)
    assert LabelManifest.read(small_audit.folder / "workspace") == before
    printed = call("clusters", small_audit.config, "--sweep", "--against", "tone")
    assert "AMI" in printed.out
    assert "purity" in printed.out


def test_the_table_map_has_places_labels_and_errors(finished_audit: SmallAudit) -> None:
    workspace, file = finished_audit.folder / "workspace", finished_audit.folder / "map.parquet"
    early = call("export", workspace, "map", file)
    assert early.code == 1
    assert "run `weakspot map`" in early.err
    assert call("map", finished_audit.config, "--method", "pca").code == 0
    assert call("export", workspace, "map", file).code == 0
    table = pl.read_parquet(file)
    assert table.columns[:3] == ["x", "y", "sample"]
    assert {"tone", "brightness", "error.system", "sample.path"} <= set(table.columns)
    assert table.height == 160
    assert not table["x"].is_null().any()


def test_prune_and_doctor_know_maps(finished_audit: SmallAudit) -> None:
    workspace = finished_audit.folder / "workspace"
    for method in ("pca", "tsne"):
        assert call("map", finished_audit.config, "--method", method).code == 0
    assert len(list((workspace / "maps").iterdir())) == 2
    assert "maps made before the last one: 1" in call("prune", workspace).out
    assert call("prune", workspace, "--yes").code == 0
    (left,) = (workspace / "maps").iterdir()
    assert left.name == MapManifest.read(workspace).folder
    (left / "positions.parquet").write_bytes(b"torn")
    assert call("doctor", workspace).code == 1
    assert call("doctor", workspace, "--repair").code == 0
    assert call("map", finished_audit.config).code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("map", "--color", "tonne"), "--color tonne: no such attribute or system; did you mean"),
        (("clusters", "--against", "tonne"), "no attribute 'tonne' is labelled; did you mean"),
        (("clusters", "--sweep", "--against", "tonne"), "no attribute 'tonne' is labelled"),
        (("clusters", "--method", "kmeans", "--eps", "0.1"), "--eps is of dbscan, not of kmeans"),
        (("clusters", "--count", "3"), "--count is of kmeans"),
        (("clusters", "--method", "kmeans", "--count", "500"), "is more than the 48 samples"),
        (("clusters", "--min-points", "90"), "is more than the 48 samples"),
        (("map", "--out", "no/such/map.html"), "there is no folder"),
    ],
)
def test_wrong_use_is_an_error_in_a_line(
    labelled: SmallAudit, arguments: tuple[str, ...], words: str
) -> None:
    command, *options = arguments
    told = call(command, labelled.config, *options)
    assert told.code == 2
    assert words in told.err
    assert len(told.err.strip().splitlines()) == 1


def test_without_vectors_or_enough_of_them_there_is_a_line(
    small_audit: SmallAudit, tmp_path: Path
) -> None:
    assert "not a workspace" in call("map", small_audit.config).err
    for path in sorted(small_audit.images.iterdir())[8:]:
        path.unlink()
    run_directly(small_audit.config, ["embed", "label"])
    assert "8 samples have vectors; a map needs 10" in call("map", small_audit.config).err
    assert "8 samples have vectors, too few to cluster" in call("clusters", small_audit.config).err
    shutil.rmtree(tmp_path / "workspace" / "embeddings")
    for command in ("map", "clusters"):
        told = call(command, small_audit.config)
        assert told.code == 1
        assert "there are no vectors" in told.err
