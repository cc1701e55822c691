"""`weakspot regions`: where a system fails in a way that no attribute names, and drafts for it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import polars as pl


def regions(
    audit: Annotated[Path, typer.Argument(help="The audit.toml.", metavar="AUDIT.toml")],
    *,
    system: Annotated[
        str | None, typer.Option(help="Show this system alone; needed by --draft of several.")
    ] = None,
    draft: Annotated[
        tuple[int, Path] | None,
        typer.Option(help="Write the draft attribute of region N to FILE.toml.", metavar="N FILE"),
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Find regions of the embedding space in which a system fails more than findings explain."""
    if draft is not None:
        _check_draft(*draft, system=system, audit=audit)
    frames = search_audit(audit, system=system)
    found = frames["regions"]
    written = [] if draft is None else write_draft(frames, *draft, audit=audit)
    if json_output:
        rows = [{**row, "draft_files": written if draft and row["rank"] == draft[0] else []}
                for row in found.to_dicts()]  # fmt: skip
        typer.echo(json.dumps({"regions": rows}, ensure_ascii=False))
        return
    for line in describe_regions(found):
        typer.echo(line)
    for path in written:
        typer.echo(f"wrote {path}")
    if written:
        typer.echo(_advise(written, audit))
    elif not found.is_empty():
        typer.echo(
            f"Draft an attribute for one: weakspot regions {audit} --draft 1 attributes/NAME.toml"
        )
        typer.echo(f"The report shows their images: weakspot report {audit}")


def _check_draft(rank: int, path: Path, *, system: str | None, audit: Path) -> None:
    """Refuse before the search, which takes minutes, what no result of it could make right."""
    from pipeline.config.audit import read_audit
    from pipeline.exceptions import ConfigError

    systems = [one.name for one in read_audit(audit).systems]
    if system is None and len(systems) > 1:
        raise ConfigError(f"--draft {rank}: name one with --system, of {', '.join(systems)}")
    if path.suffix != ".toml":
        raise ConfigError(f"{path}: a draft is a file that ends in .toml")
    _check_target(path)


def search_audit(audit: Path, *, system: str | None = None) -> "dict[str, pl.DataFrame]":
    """Search the regions of an audit; return `regions` and `region_members` of its last search.

    system: the only one whose regions are returned. Raises ConfigError for one that the audit does
    not have, and what `make_regions` raises.
    """
    import polars as pl

    from flows.run.health.access import restrict_access
    from flows.run.loaded_models import load_open_clip
    from flows.run.record import find_last_search
    from flows.run.resolved_audit import resolve_audit
    from flows.stages.space.regions import make_regions
    from pipeline.exceptions import ConfigError
    from pipeline.files.toml_file import nearest
    from pipeline.workspace.lock import lock_workspace
    from pipeline.workspace.store import find_store

    resolved = resolve_audit(audit)
    names = [one.name for one in resolved.audit.systems]
    if system is not None and system not in names:
        raise ConfigError(f"{audit}: no system {system!r}; {nearest(system, names)}")
    store = find_store(resolved.audit.workspace)
    with restrict_access(resolved.audit.access), lock_workspace(resolved.audit.workspace):
        make_regions(resolved, store, load=load_open_clip)
        run = find_last_search(store)
        run_id = "" if run is None else run["run_id"]
        frames = {name: store.read_result(run_id, name) for name in ("regions", "region_members")}
    shown = names if system is None else [system]
    return {
        name: frame.filter(pl.col("system").is_in(shown))
        for name, frame in frames.items()
        if frame is not None
    }


def describe_regions(found: "pl.DataFrame") -> list[str]:
    """Return what is printed of regions, line by line."""
    if found.is_empty():
        return ["No weak region found: what the findings leave looks like chance."]
    lines = []
    for row in found.to_dicts():
        lines += _describe_region(row)
    return lines


def _describe_region(row: dict[str, Any]) -> list[str]:
    name = f"{row['system']}, region {row['rank']}"
    head = (
        f"{name}: {row['n']:,} samples, error {row['error']:.3f} where findings explain "
        f"{row['expected_error']:.3f} (family-wise p {row['p_family']:.3g}; {row['state']})"
    )
    lines = [head]
    if row["holdout_n"] is not None and row["holdout_error"] is not None:
        lines.append(
            f"  held out: {row['holdout_n']:,} samples, error {row['holdout_error']:.3f}, "
            f"explained {row['holdout_expected']:.3f}, p {row['holdout_p']:.2g}"
        )
    if row["words"]:
        lines.append("  shows more: " + "; ".join(one["word"] for one in row["words"]))
    lines += [
        f"  {one['attribute']} = {one['value']}: {one['share']:.0%} of it, "
        f"{one['rest_share']:.0%} of the rest"
        for one in row["values"]
    ]
    kind = "by words" if row["draft_kind"] == "prompts" else "by its samples, no words fit"
    lines.append(f"  draft attribute: {kind}")
    return lines


def write_draft(
    frames: "dict[str, pl.DataFrame]", rank: int, path: Path, *, audit: Path
) -> list[str]:
    """Write the draft of one region; return the files written.

    frames: of one system. The attribute takes the name of the file; one by samples comes with a
    table FILE.csv of its column. Raises ConfigError for a rank that is not there, and for files
    that are there already or cannot be written.
    """
    import polars as pl

    from pipeline.exceptions import ConfigError

    found = frames["regions"].filter(pl.col("rank") == rank)
    if found.is_empty():
        listed = ", ".join(map(str, frames["regions"]["rank"])) or "none"
        raise ConfigError(f"--draft {rank}: no such region; there are {listed}")
    row = found.row(0, named=True)
    name = path.stem.replace(" ", "_")
    text = row["draft"].replace(f'"region_{rank}"', json.dumps(name))
    texts = {path: text.replace(f"# region_{rank} ", f"# {name} ")}
    if row["draft_kind"] == "given":
        texts[path.with_suffix(".csv")] = _list_samples(frames["region_members"], row, name, audit)
    return _write_files(texts)


def _write_files(texts: dict[Path, str]) -> list[str]:
    from pipeline.exceptions import ConfigError
    from pipeline.files.whole_files import write_text

    for path in texts:
        _check_target(path)
    for path, text in texts.items():
        try:
            write_text(text, path)
        except OSError as error:
            raise ConfigError(f"{path}: cannot be written: {error.strerror or error}") from None
    return [str(path) for path in texts]


def _check_target(path: Path) -> None:
    from pipeline.exceptions import ConfigError

    if path.exists():
        raise ConfigError(f"{path}: is there already; name another file")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"{path}: there is no folder {path.absolute().parent}; make it first")


def _list_samples(members: "pl.DataFrame", row: dict[str, Any], name: str, audit: Path) -> str:
    """Return the text of a table: every sample of the audit, and whether it is in the region."""
    import polars as pl

    from pipeline.config.audit import read_audit
    from pipeline.workspace.store import find_store

    asked = read_audit(audit)
    samples = find_store(asked.workspace).read_samples()
    if asked.dataset.sample != "image":
        samples = samples.filter(pl.col("parent_id").is_not_null())
    own = members.filter((pl.col("system") == row["system"]) & (pl.col("rank") == row["rank"]))
    inside = pl.col("sample_id").is_in(own["sample_id"].implode())
    value = pl.when(inside).then(pl.lit("yes")).otherwise(pl.lit("no"))
    return samples.select("sample_id", value.alias(name)).write_csv()


def _advise(written: list[str], audit: Path) -> str:
    lines = [f"Read it, name its values, add it to [attributes] use of {audit}, then:"]
    if len(written) > 1:
        lines.insert(0, f'Its column: add columns = "{written[1]}" to [dataset].')
    lines += [f"  weakspot attributes check {written[0]}", f"  weakspot run {audit}"]
    return "\n".join(lines)
