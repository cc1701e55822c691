"""`weakspot clusters`: samples that lie close together, as labels or as a sweep of settings."""

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flows.stages.space.clusters import Clustered, Swept


class MethodName(StrEnum):
    """The methods of clustering."""

    dbscan = "dbscan"
    hdbscan = "hdbscan"
    kmeans = "kmeans"


def clusters(
    audit: Annotated[Path, typer.Argument(help="The audit.toml.", metavar="AUDIT.toml")],
    *,
    method: Annotated[MethodName, typer.Option(help="How to cluster.")] = MethodName.hdbscan,
    eps: Annotated[
        list[float] | None,
        typer.Option(min=1e-6, max=2.0, help="dbscan: cosine distance; several for --sweep."),
    ] = None,
    min_points: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Samples that make a core; several for --sweep."),
    ] = None,
    count: Annotated[int | None, typer.Option(min=2, help="kmeans: how many clusters.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of kmeans.")] = 0,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Try settings of dbscan side by side; keep nothing.")
    ] = False,
    against: Annotated[
        str | None, typer.Option(help="An attribute to compare with, by its true values if known.")
    ] = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="Take the clusters out of the audit again.")
    ] = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Cluster the samples; the next run searches the clusters as the attribute "cluster"."""
    from flows.commands.console import open_console
    from flows.commands.space.cluster_tables import print_clustered, print_sweep
    from flows.run.resolved_audit import resolve_audit
    from flows.stages.space.clusters import make_clusters, sweep_clusters
    from pipeline.clusters.cluster_methods import ClusterSettings
    from pipeline.workspace.kept.kept_clusters import forget_clusters
    from pipeline.workspace.lock import lock_workspace
    from pipeline.workspace.store import find_store

    _refuse_misfits(method, eps=eps, count=count, min_points=min_points, sweep=sweep)
    resolved = resolve_audit(audit)
    store = find_store(resolved.audit.workspace)
    with lock_workspace(resolved.audit.workspace):
        if forget:
            there = forget_clusters(store)
            typer.echo("clusters are forgotten" if there else "there are no clusters")
            return
        if sweep:
            swept = sweep_clusters(
                resolved, store, against=against, eps=eps or (), min_points=min_points or ()
            )
            if json_output:
                typer.echo(_sweep_to_json(swept))
            else:
                print_sweep(swept, open_console())
            return
        asked = ClusterSettings(
            method=method.value,
            eps=eps[0] if eps else None,
            min_points=min_points[0] if min_points else 10,
            count=count,
            seed=seed,
        )
        clustered = make_clusters(resolved, store, asked, against=against)
    if json_output:
        typer.echo(_clustered_to_json(clustered))
        return
    print_clustered(clustered, open_console())
    typer.echo(f"`weakspot run {audit}` searches them as the attribute 'cluster'")


def _refuse_misfits(
    method: MethodName,
    *,
    eps: list[float] | None,
    count: int | None,
    min_points: list[int] | None,
    sweep: bool,
) -> None:
    """Raise ConfigError for options that the method does not know."""
    from pipeline.exceptions import ConfigError

    if sweep and method is MethodName.kmeans:
        raise ConfigError("--sweep tries settings of dbscan; leave --method out")
    if eps and method is not MethodName.dbscan and not sweep:
        raise ConfigError(f"--eps is of dbscan, not of {method.value}; add --method dbscan")
    if count is not None and (method is not MethodName.kmeans or sweep):
        raise ConfigError("--count is of kmeans; add --method kmeans")
    if min_points and method is MethodName.kmeans:
        raise ConfigError("--min-points is of dbscan and hdbscan, not of kmeans")
    if not sweep and max(len(eps or ()), len(min_points or ())) > 1:
        raise ConfigError("several --eps or --min-points need --sweep")


def _sweep_to_json(swept: "Swept") -> str:
    rows = [
        {"eps": one.eps, "min_points": one.min_points, **asdict(one.agreement)}
        for one in swept.settings
    ]
    content = {"samples": swept.samples, "against": swept.against, "majority": swept.majority}
    return json.dumps({**content, "settings": rows})


def _clustered_to_json(clustered: "Clustered") -> str:
    content = {
        "settings": asdict(clustered.settings),
        "samples": clustered.samples,
        "missing": clustered.missing,
        "against": clustered.against,
        **asdict(clustered.agreement),
        "values": clustered.sizes.to_dicts(),
    }
    return json.dumps(content, ensure_ascii=False)
