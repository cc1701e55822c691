"""Shards made on a Ray cluster are those of this machine, also when a node is killed midway."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from flows.run.cluster.chosen_runner import make_runner
from pipeline.config.run import RunConfig
from pipeline.exceptions import ConfigError
from pipeline.workspace.store import find_store
from tests.flows.command import call
from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit, write_audit

ROOT = Path(__file__).parents[4]
TABLES = ("samples", "labels", "errors", "measurements", "findings")
IMAGES, SHARD = 240, 8


def read_tables(audit: SmallAudit) -> dict[str, pl.DataFrame]:
    store = find_store(audit.folder / "workspace")
    drop = ("mtime", "error_id", "run_id")
    return {name: store.read(name).drop(drop, strict=False).sort(pl.all()) for name in TABLES}


def list_shards(audit: SmallAudit) -> list[str]:
    return sorted(path.name for path in (audit.folder / "workspace").glob("embeddings/*/*.parquet"))


def list_children(process: int) -> Iterator[str]:
    """Yield the command lines of the children of a process; Linux shows them."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(path.read_text().rpartition(")")[2].split()[1]) == process:
                yield path.with_name("cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, IndexError):  # it ended
            continue


@pytest.mark.endurance
@pytest.mark.timeout(1200)
def test_tables_of_a_cluster_that_lost_a_node_are_those_of_this_machine(tmp_path: Path) -> None:
    from ray.cluster_utils import Cluster

    audits = []
    for name in ("local", "ray"):
        (tmp_path / name).mkdir()
        audit = write_audit(tmp_path / name, count=IMAGES)
        audit.edit('tiny"\n', f'tiny"\nshard_size = {SHARD}\n')
        audits.append(audit)
    local, away = audits
    run_directly(local.config)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_worker_niceness", "0")
        cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
        )
        node = cluster.add_node(num_cpus=1)
        try:
            cluster.wait_for_nodes(timeout=120)
            with away.config.open("a") as file:
                file.write(f'[run]\nrunner = "ray"\naddress = "{cluster.address}"\n')
            log = tmp_path / "run.log"
            with log.open("wb") as written:
                run = subprocess.Popen(
                    [sys.executable, "-m", "flows.commands.app", "run", str(away.config), "--json"],
                    stdout=subprocess.PIPE, stderr=written, cwd=ROOT,
                    env={**os.environ, "PREFECT_HOME": str(tmp_path / "prefect")},
                )  # fmt: skip
            raylet = node.all_processes["raylet"][0].process.pid
            while run.poll() is None and not (
                len(list_shards(away)) >= 2
                and any(line.startswith("ray::embed") for line in list_children(raylet))
            ):
                time.sleep(0.02)
            made = len(list_shards(away))
            cluster.remove_node(node, allow_graceful=False)
            out, _ = run.communicate(timeout=900)
        finally:
            cluster.shutdown()
    assert run.returncode == 0, log.read_text()[-3000:]
    assert 2 <= made < IMAGES // SHARD, "the node was not killed midway"
    assert json.loads(out)["counts"]["images_embedded"] == IMAGES
    assert list_shards(local) == list_shards(away)  # names carry the checksums of vectors
    first, second = read_tables(local), read_tables(away)
    assert [name for name in TABLES if not first[name].equals(second[name])] == []


def test_ray_without_prefect_or_without_its_cluster_is_one_line(tmp_path: Path) -> None:
    audit = write_audit(tmp_path, count=4)
    with audit.config.open("a") as file:
        file.write('[run]\nrunner = "ray"\n')
    told = call("run", audit.config, "--no-prefect")
    assert told.code == 2
    assert 'runner = "ray" works through Prefect' in told.err
    audit.edit('runner = "ray"', 'runner = "local"\naddress = "auto"')
    told = call("run", audit.config, "--no-prefect")
    assert told.code == 2
    assert 'used with runner = "ray" alone' in told.err


def test_nodes_elsewhere_need_a_server_that_they_reach() -> None:
    from flows.run.cluster.ray_runner import check_reachable

    check_reachable({"10.0.0.1"}, "http://127.0.0.1:4200/api")
    check_reachable({"10.0.0.1", "10.0.0.2"}, "http://prefect.example:4200/api")
    with pytest.raises(ConfigError, match="set PREFECT_API_URL"):
        check_reachable({"10.0.0.1", "10.0.0.2"}, "http://127.0.0.1:4200/api")


def test_an_address_where_nothing_answers_is_said_at_once() -> None:
    from flows.run.cluster.ray_runner import connect_cluster

    config = RunConfig(runner="ray", address="127.0.0.1:1")
    with (
        pytest.raises(ConfigError, match=r"address '127.0.0.1:1': no Ray cluster answers there"),
        connect_cluster(config),
    ):
        pass


def test_the_runner_is_the_one_that_the_audit_asks_for() -> None:
    assert type(make_runner("a", RunConfig())).__name__ == "PrefectRunner"
    assert type(make_runner("a", RunConfig(runner="ray"))).__name__ == "RayRunner"
