"""An audit with measured attributes: runs of bins are found, shown with their images, and named."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from flows.stages.report import gather_report
from pipeline.workspace.store import find_store
from tests.flows.direct import open_audit, run_directly
from tests.flows.report_text import read_report
from tests.flows.small_audit import SmallAudit, write_audit

pytestmark = pytest.mark.slow  # whole audits


@pytest.fixture
def bright_audit(tmp_path: Path) -> SmallAudit:
    """Half of the images of the two brighter quarters fail, and one in twenty of the others."""
    audit = write_audit(tmp_path, count=320)
    rng = np.random.default_rng(3)
    fails = [int(rng.random() < (0.5 if i % 4 >= 2 else 0.05)) for i in range(320)]
    rows = [f"{i:04}.png,{fail}" for i, fail in enumerate(fails)]
    (tmp_path / "errors.csv").write_text("\n".join(["path,loss", *rows]) + "\n")
    thirds = 'kind = "measured"\napplies_to = "image"\nmeasure = "brightness"\nquantiles = 3\n'
    (tmp_path / "mine" / "thirds.toml").write_text(f'name = "thirds"\n{thirds}')
    audit.edit('"image/contrast"]', '"mine/thirds.toml"]')
    return audit


def test_two_bins_that_fail_alike_are_one_finding(bright_audit: SmallAudit) -> None:
    summary = run_directly(bright_audit.config)
    (predicate,) = summary.findings[0]["predicates"]
    assert predicate["attribute"] == "brightness"
    assert predicate["value"].startswith("> ")
    assert summary.findings[0]["n"] == 160
    data = gather_report(*open_audit(bright_audit.config))
    shown = data.systems[0].gallery[1]
    assert len(shown) == 8
    assert all(int(Path(one.caption).stem) % 4 >= 2 for one in shown)
    page = read_report(bright_audit.folder / "report" / "index.html")
    assert f"> {predicate['value'].removeprefix('> ')}".replace(">", "&gt;") in page


def test_two_binnings_of_one_measure_are_not_combined(bright_audit: SmallAudit) -> None:
    run_directly(bright_audit.config)
    store = find_store(bright_audit.folder / "workspace")
    run_id = store.read("runs")["run_id"][-1]
    both = {"brightness", "thirds"}
    combinations = store.read_result(run_id, "combinations")
    assert combinations is not None
    for frame in (store.read_family(run_id), combinations):
        names = [{one["attribute"] for one in row} for row in frame["predicates"]]
        assert {"brightness", "tone"} in names
        assert not any(both <= own for own in names)


def test_with_held_out_images_the_mean_error_is_of_all(bright_audit: SmallAudit) -> None:
    bright_audit.edit("max_level = 2", "max_level = 2\nconfirm = 0.5")
    run_directly(bright_audit.config)
    (system,) = gather_report(*open_audit(bright_audit.config)).systems
    losses = pl.read_csv(bright_audit.folder / "errors.csv")["loss"]
    assert (system.n, system.holdout_n) == (320, 160)
    assert system.overall_error == pytest.approx(losses.mean())
    finding = system.findings.row(0, named=True)
    assert finding["n"] + finding["holdout_n"] == 160


def test_an_attribute_that_says_so_has_no_runs(bright_audit: SmallAudit) -> None:
    run_directly(bright_audit.config)
    file = bright_audit.folder / "mine" / "thirds.toml"
    file.write_text(file.read_text() + "ordered = false\n")
    bright_audit.edit('"image/brightness", ', "")
    labels = find_store(bright_audit.folder / "workspace").read("labels").height
    run_directly(bright_audit.config)
    store = find_store(bright_audit.folder / "workspace")
    assert store.read("labels").height == labels  # nothing was labelled again
    family = store.read_family(store.read("runs").sort("started_at")["run_id"][-1])
    values = {one["value"] for row in family["predicates"] for one in row}
    assert len(values) == 3 + 2
