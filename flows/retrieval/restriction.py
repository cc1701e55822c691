"""Which samples are searched: all, a slice, a finding, or by the errors of a system."""

import re
from collections.abc import Mapping, Sequence

import polars as pl

from flows.retrieval.search_session import SearchSession
from flows.run.record import find_last_search
from pipeline.exceptions import ConfigError
from pipeline.files.toml_file import nearest
from pipeline.predicates import read_predicate, select_rows
from pipeline.workspace.label_columns import (
    LabelColumn,
    choose_columns,
    list_columns,
    list_true_columns,
)
from pipeline.workspace.manifests import LabelManifest, ScoreManifest, SearchRecord

_AND = re.compile(r"\s+and\s+(?=[^=]+=)", re.IGNORECASE)
Predicates = list[dict[str, str]]


def parse_predicates(text: str) -> Predicates:
    """Read "hat = yes and weather = fog"; raises ConfigError for anything else."""
    parsed = []
    for part in _AND.split(text.strip()):
        name, equals, value = part.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise ConfigError(
                f"--in {text!r}: expected ATTRIBUTE = VALUE, several joined by `and`, found "
                f"{part.strip()!r}"
            )
        parsed.append({"attribute": name.strip(), "value": value.strip()})
    return parsed


def select_slice(session: SearchSession, predicates: Predicates) -> pl.DataFrame:
    """Return the samples of a session that have every predicate, by the labels as made last.

    `truth.NAME` means the true values of an attribute. Raises ConfigError for an attribute or value
    that no sample has, StoreError when nothing is labelled.
    """
    manifest = LabelManifest.read(session.store.folder)
    known = list_columns(manifest, of_objects=session.of_objects)
    known |= {f"truth.{name}": one for name, one in list_true_columns(manifest).items()}
    return _select(session, predicates, known)


def select_finding(
    session: SearchSession, rank: int, *, system: str | None = None
) -> tuple[pl.DataFrame, Predicates]:
    """Return the samples of a finding of the run that searched last, and what it says.

    Raises ConfigError when there is no such finding.
    """
    run = find_last_search(session.store)
    findings = session.store.read("findings").filter(
        pl.col("run_id") == (run["run_id"] if run else "")
    )
    systems = findings["system"].unique().sort().to_list()
    if run is None or not systems:
        raise ConfigError(
            f"--finding {rank}: there are no findings in {session.store.folder}; run "
            "`weakspot find` first"
        )
    name = choose_system(systems, system, option="--finding")
    own = findings.filter((pl.col("system") == name) & (pl.col("rank") == rank))
    if own.is_empty():
        count = findings.filter(pl.col("system") == name).height
        raise ConfigError(f"--finding {rank}: system {name!r} has findings 1 to {count}")
    record = SearchRecord.from_json(run["search"], source=f"run {run['run_id']}")
    manifest = LabelManifest.read(session.store.folder)
    columns, _ = choose_columns(
        manifest, label_source=record.label_source, of_objects=session.of_objects
    )
    predicates: Predicates = own["predicates"].to_list()[0]
    return _select(session, predicates, {one.attribute: one for one in columns}), predicates


def choose_system(systems: Sequence[str], asked: str | None, *, option: str) -> str:
    """Return the system that is meant; raises ConfigError where that is open or not there."""
    listed = ", ".join(systems)
    if asked is None and len(systems) > 1:
        raise ConfigError(f"{option}: name the system with --system, one of {listed}")
    name = asked or systems[0]
    if name not in systems:
        raise ConfigError(f"--system {name}: not known here; there is {listed}")
    return name


def read_errors(session: SearchSession, system: str | None = None) -> dict[str, pl.DataFrame]:
    """Return sample_id and error of each scored system, or of one.

    Raises ConfigError for a system that is not scored.
    """
    scored = ScoreManifest.find(session.store.folder)
    systems = {} if scored is None else dict(scored.systems)
    if system is not None and system not in systems:
        listed = ", ".join(systems) or "none is scored"
        raise ConfigError(f"--system {system}: not known here; there is {listed}")
    wanted = [system] if system is not None else list(systems)
    errors = session.store.read("errors") if wanted else None
    return {
        name: errors.filter(pl.col("error_id") == systems[name].error_id).select(
            "sample_id", "error"
        )
        for name in wanted
        if errors is not None
    }


def select_by_error(
    samples: pl.DataFrame,
    errors: Mapping[str, pl.DataFrame],
    *,
    above: bool,
    system: str | None,
) -> pl.DataFrame:
    """Return the samples whose error is above the mean of all, or zero.

    Raises ConfigError when no system is scored, or several are and none is named.
    """
    if not errors:
        raise ConfigError("--errors: no system is scored here; run `weakspot score` first")
    own = errors[choose_system(list(errors), system, option="--errors")]
    kept = pl.col("error") > own["error"].mean() if above else pl.col("error") == 0
    return samples.join(own.filter(kept), on="sample_id", how="semi", maintain_order="left")


def _select(
    session: SearchSession, predicates: Predicates, known: Mapping[str, LabelColumn]
) -> pl.DataFrame:
    unknown = [one["attribute"] for one in predicates if one["attribute"] not in known]
    if unknown:
        raise ConfigError(f"--in: no attribute {unknown[0]!r} is labelled; "
                          f"{nearest(unknown[0], known)}")  # fmt: skip
    columns = {one["attribute"]: known[one["attribute"]] for one in predicates}
    table = session.samples.select("sample_id", "parent_id")
    for name, column in columns.items():
        labels = session.store.read_labels([column.label_id])
        key = "parent_id" if column.of_image else "sample_id"
        own = labels.select(pl.col("sample_id").alias(key), pl.col("value").alias(name))
        table = table.join(own, on=key, how="left", maintain_order="left")
    orders = {name: column.values for name, column in columns.items() if column.values}
    for one in predicates:
        values = set(table[one["attribute"]].drop_nulls())
        if not values & set(read_predicate(one["value"], orders.get(one["attribute"], ()))):
            hint = nearest(one["value"], values)
            raise ConfigError(f"--in: no sample has {one['attribute']} = {one['value']}; {hint}")
    mask = select_rows(table, predicates, orders=orders).fill_null(value=False)
    return session.samples.filter(mask)
