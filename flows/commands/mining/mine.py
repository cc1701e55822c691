"""`weakspot mine`: the samples of a pool to label or collect first, for what an audit found."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.exceptions import ConfigError

if TYPE_CHECKING:
    import polars as pl

    from flows.run.resolved_audit import ResolvedAudit
    from pipeline.workspace.store import Store


class ByName(StrEnum):
    """What likely members are found by."""

    labels = "labels"
    likeness = "likeness"
    both = "both"


def mine(
    audit: Annotated[Path, typer.Argument(help="The audit.toml.", metavar="AUDIT.toml")],
    *,
    pool: Annotated[
        Path | None,
        typer.Option(help="A folder of images, or the workspace of another audit."),
    ] = None,
    finding: Annotated[
        list[int] | None, typer.Option(min=1, help="The rank of a finding; may be given again.")
    ] = None,
    all_findings: Annotated[bool, typer.Option("--all", help="Mine for all findings.")] = False,
    budget: Annotated[int, typer.Option(min=1, help="How many samples to choose.")] = 500,
    by: Annotated[
        ByName, typer.Option(help="Find members by probabilities of labels, by likeness, or both.")
    ] = ByName.both,
    duplicates: Annotated[
        float, typer.Option(min=0.5, max=1.0, help="The cosine from which two are duplicates.")
    ] = 0.99,
    system: Annotated[str | None, typer.Option(help="The system, where there are several.")] = None,
    out: Annotated[
        list[Path] | None,
        typer.Option(
            help="FILE.csv, .parquet, .json (COCO) or .html (pictures), or a new folder of links; "
            "may be given again."
        ),
    ] = None,
    returned: Annotated[
        Path | None,
        typer.Option(help="Labels of what was mined last, as CSV or Parquet: the real hit rates."),
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Choose from unlabelled images those to label first, so that findings get better."""
    _check(pool, finding or [], all_findings=all_findings, returned=returned, out=out or [])
    from flows.run.health.access import restrict_access
    from flows.run.logs import set_up_logging
    from flows.run.resolved_audit import resolve_audit
    from pipeline.workspace.lock import lock_workspace
    from pipeline.workspace.store import find_store

    set_up_logging()
    resolved = resolve_audit(audit)
    store = find_store(resolved.audit.workspace)
    if returned is not None:
        _print_returned(resolved, store, returned, json_output=json_output)
        return
    if pool is None:  # `_check` refused it
        return
    with restrict_access(resolved.audit.access), lock_workspace(resolved.audit.workspace):
        _mine(
            resolved, store, pool, tuple(finding or ()), budget=budget, by=by.value,
            least=duplicates, system=system, out=out or [], json_output=json_output,
        )  # fmt: skip


def _check(
    pool: Path | None,
    findings: list[int],
    *,
    all_findings: bool,
    returned: Path | None,
    out: list[Path],
) -> None:
    """Raise ConfigError for options that do not go together."""
    if returned is not None:
        if pool is not None or findings or all_findings or out:
            raise ConfigError("--returned reads labels of what was mined last; give it alone")
        return
    if pool is None:
        raise ConfigError("--pool: name a folder of images or a workspace to mine from")
    if bool(findings) == all_findings:
        raise ConfigError("name the findings to mine for: --finding N, or --all")
    from flows.commands.mining.mined_files import check_outputs

    check_outputs(out)


def _mine(
    resolved: "ResolvedAudit",
    store: "Store",
    pool: Path,
    ranks: tuple[int, ...],
    *,
    budget: int,
    by: str,
    least: float,
    system: str | None,
    out: list[Path],
    json_output: bool,
) -> None:
    from flows.commands.mining.mined_files import write_mined
    from flows.commands.mining.mined_words import describe_mined
    from flows.mining.kept_mined import keep_mined
    from flows.mining.mine_pool import MineOptions, mine_pool
    from flows.mining.pool_model import By
    from flows.run.loaded_models import load_open_clip

    options = MineOptions(pool, budget, ranks, system, By(by), least)
    mined = mine_pool(resolved, store, options, load=load_open_clip)
    keep_mined(mined, store)
    categories = resolved.audit.dataset.categories or ()
    written = [write_mined(mined, target, categories=categories) for target in out]
    if json_output:
        typer.echo(json.dumps({
            "system": mined.system,
            "run_id": mined.run_id,
            "pool": str(mined.pool.root),
            "notes": describe_mined(mined),
            "rates": mined.rates.to_dicts(),
            "mined": mined.table.to_dicts(),
        }, ensure_ascii=False))  # fmt: skip
        return
    for line in describe_mined(mined):
        typer.echo(line)
    _print_rates("Mined, by finding", mined.rates)
    for line in written:
        typer.echo(f"wrote {line}")
    if not out:
        typer.echo("--out FILE.csv, .json, .html or a folder writes them")


def _print_returned(
    resolved: "ResolvedAudit", store: "Store", file: Path, *, json_output: bool
) -> None:
    from flows.commands.mining.mined_words import HIT
    from flows.mining.kept_mined import read_mined
    from flows.mining.returned_labels import read_returned
    from pipeline.mining.mined_table import count_hits
    from pipeline.workspace.manifests import LabelManifest

    kept = read_mined(store)
    manifest = LabelManifest.read(store.folder)
    orders = {one.name: one.values for one in manifest.attributes if one.values}
    returned = read_returned(file, kept.table, orders=orders)
    rates = count_hits(kept.table, kept.rates, returned.hits)
    if json_output:
        content: dict[str, Any] = {"system": kept.system, "notes": list(returned.notes)}
        typer.echo(json.dumps(content | {"rates": rates.to_dicts()}, ensure_ascii=False))
        return
    for line in (*returned.notes, HIT):
        typer.echo(line)
    _print_rates(f"Hits in {file}, for {resolved.audit.name}", rates)


def _print_rates(title: str, rates: "pl.DataFrame") -> None:
    from flows.commands.console import open_console
    from flows.commands.console_tables import tabulate
    from flows.commands.mining.mined_words import tabulate_rates

    rows = tabulate_rates(rates)
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    open_console().print(tabulate(title, columns))
