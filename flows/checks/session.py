"""A workspace opened to check its labels: what is labelled, what is to check, what was answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import polars as pl

from flows.checks.failed_samples import find_failed
from flows.run.record import find_last_search
from flows.run.resolved_audit import ResolvedAudit, resolve_audit
from flows.run.staleness import refuse_unlabelled
from pipeline.checks.around_finding import select_around
from pipeline.checks.draw import DrawnChecks, draw_again, draw_checks
from pipeline.checks.leads import LEADS, list_leads
from pipeline.exceptions import ConfigError, StoreError
from pipeline.files.toml_file import nearest
from pipeline.vocabulary import MODELLED, UNKNOWN
from pipeline.workspace.journals.journal_lines import Stratum
from pipeline.workspace.kept.kept_checks import Journal
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.store import Store, find_store

BUDGET = 300  # answers asked for in one session
ENOUGH = 20  # checks of each label with which all attributes are asked for, not just the findings'


@dataclass(frozen=True)
class CheckSession:
    """What a person checks.

    labels: LABELS as made last, of the samples of the workspace. values: the values of each
    attribute in display order, without "unknown".
    """

    resolved: ResolvedAudit
    store: Store
    manifest: LabelManifest
    samples: pl.DataFrame
    labels: pl.DataFrame
    values: dict[str, tuple[str, ...]]
    journal: Journal


@dataclass(frozen=True)
class DrawOptions:
    """Which checks are asked for, as the options of the command say.

    attributes: none for those that findings use, or all. finding: the rank of one of `system`.
    per_value: instead of the budget. again: what others checked and `checker` did not.
    """

    budget: int = BUDGET
    per_value: int | None = None
    attributes: tuple[str, ...] = ()
    finding: int | None = None
    system: str | None = None
    seed: int | None = None
    checker: str = ""
    again: bool = False


@dataclass(frozen=True)
class Asked:
    """What is to be checked: DRAWN rows in the order to show them, and notes for the user."""

    rows: pl.DataFrame
    notes: tuple[str, ...] = ()


def open_session(audit: Path) -> CheckSession:
    """Open the workspace of an audit to check its labels.

    Raises ConfigError for a faulty audit, StoreError when nothing is labelled there, or when it was
    labelled for another dataset or other attributes.
    """
    resolved = resolve_audit(audit)
    return open_resolved(resolved, find_store(resolved.audit.workspace))


def open_resolved(resolved: ResolvedAudit, store: Store) -> CheckSession:
    """Open a workspace to check the labels that an audit asks for; raises as `open_session`."""
    manifest = LabelManifest.read(store.folder)
    refuse_unlabelled(resolved, store)
    samples = store.read_samples()
    labels = store.read_labels([one.label_id for one in manifest.attributes])
    labels = labels.join(samples.select("sample_id"), on="sample_id", how="semi")
    return CheckSession(
        resolved=resolved,
        store=store,
        manifest=manifest,
        samples=samples,
        labels=labels,
        values={one.name: one.values or _list_values(labels, one.name)
                for one in manifest.attributes},
        journal=Journal(store.folder),
    )  # fmt: skip


def ask_for_checks(session: CheckSession, options: DrawOptions) -> Asked:
    """Draw what is to be checked, and note in the journal what was drawn.

    Raises ConfigError for options that do not go together and names that are not known.
    """
    seed = _choose_seed(options.seed, session.journal.replay().seed)
    attributes = _choose_attributes(session, options)
    checks = session.journal.read()
    if options.again:
        if not options.checker:
            raise ConfigError("--again: name the second checker with --checker NAME")
        drawn = draw_again(
            session.labels, session.samples, attributes=attributes, checker=options.checker,
            budget=options.budget, checks=checks, seed=seed,
        )  # fmt: skip
    else:
        drawn = _draw(session, options, attributes, checks, seed=seed)
        session.journal.note_strata(_list_strata(drawn, seed=seed))
    return Asked(drawn.rows, tuple(_note_truth(session, drawn.rows)))


def _draw(
    session: CheckSession,
    options: DrawOptions,
    attributes: Sequence[str],
    checks: pl.DataFrame,
    *,
    seed: int,
) -> DrawnChecks:
    """Draw for the findings of the latest run, for one of them, or evenly where there is none."""
    labels, leads, draw = session.labels, _read_leads(session), "value"
    orders = {name: values for name, values in session.values.items() if values}
    if options.finding is not None:
        predicates = _find_predicates(session, options.finding, options.system)
        of_objects = session.resolved.of_objects
        rows = session.samples.filter(pl.col("parent_id").is_not_null() == of_objects)
        labels = select_around(labels, rows, predicates, orders=orders)
        leads = pl.DataFrame({"predicates": [predicates], "share": [1.0]}, schema=dict(LEADS))
        draw = "finding"
    audited = frozenset(one.name for one in session.resolved.audit.systems
                        if one.format != "labels")  # fmt: skip
    return draw_checks(
        labels, session.samples, attributes=attributes, budget=options.budget, seed=seed,
        per_value=options.per_value, findings=leads, orders=orders, checks=checks, draw=draw,
        failed=find_failed(session.store, systems=audited),
    )  # fmt: skip


def _list_values(labels: pl.DataFrame, name: str) -> tuple[str, ...]:
    own = labels.filter((pl.col("attribute") == name) & (pl.col("value") != UNKNOWN))
    return tuple(own["value"].unique().sort())


def _choose_seed(asked: int | None, kept: int | None) -> int:
    if asked is not None and kept is not None and asked != kept:
        raise ConfigError(
            f"--seed {asked}: the samples of this workspace were drawn with seed {kept}, and later "
            "draws go on in that order; leave --seed out"
        )
    return next((seed for seed in (kept, asked) if seed is not None), 0)


def _choose_attributes(session: CheckSession, options: DrawOptions) -> list[str]:
    """Return the attributes that are asked for, those of the finding, of all findings, or all.

    All that a model labelled where the budget gives ENOUGH checks to each of their labels: labels
    may hide what no finding names.
    """
    known = list(session.values)
    if unknown := [name for name in options.attributes if name not in known]:
        problems = [f"{name!r} is not labelled; {nearest(name, known)}" for name in unknown]
        raise ConfigError.from_problems("--attribute", problems)
    if options.finding is not None:
        predicates = _find_predicates(session, options.finding, options.system)
        used = [one["attribute"] for one in predicates]
        chosen = [name for name in used if name in (options.attributes or known)]
        if not chosen:
            raise ConfigError(f"--finding {options.finding} says nothing of these attributes; it "
                              f"says {', '.join(used)}")  # fmt: skip
        return chosen
    if options.attributes:
        return list(dict.fromkeys(options.attributes))
    guessed = [one.name for one in session.manifest.attributes if one.source in MODELLED]
    wanted = [name for name in guessed if name not in session.manifest.truth]
    if not wanted:
        raise ConfigError(
            "no attribute needs checks: each has true values in [dataset.truth], or is measured or "
            "given; name one with --attribute NAME to check it all the same"
        )
    found = {
        one["attribute"]
        for predicates in _read_findings(session)["predicates"].to_list()
        for one in predicates
    }
    labels = session.labels.filter(pl.col("attribute").is_in(wanted))
    if options.budget >= ENOUGH * labels.select("attribute", "value").n_unique():
        return wanted
    return [name for name in wanted if name in found] or wanted


def _read_findings(session: CheckSession) -> pl.DataFrame:
    """Return the FINDINGS of the run that searched last, by system and rank."""
    findings = session.store.read("findings").sort("system", "rank")
    run = find_last_search(session.store)
    return findings.filter(pl.col("run_id") == (run["run_id"] if run else ""))


def _read_leads(session: CheckSession) -> pl.DataFrame | None:
    """Return LEADS of the run that searched last, None where nothing was searched or found near."""
    run = find_last_search(session.store)
    if run is None:
        return None
    family = session.store.read_family(run["run_id"])
    hidden = session.store.read_result(run["run_id"], "worth_checking")
    leads = list_leads(_read_findings(session), family, hidden)
    return leads if leads.height else None


def _find_predicates(session: CheckSession, rank: int, system: str | None) -> list[dict[str, str]]:
    findings = _read_findings(session)
    systems = findings["system"].unique().sort().to_list()
    if not systems:
        raise StoreError(
            f"{session.store.folder}: there are no findings; run `weakspot find` first, or leave "
            "--finding out"
        )
    if system is None and len(systems) > 1:
        raise ConfigError(f"--finding: name the system with --system, one of {', '.join(systems)}")
    name = system or systems[0]
    if name not in systems:
        raise ConfigError(f"--system {name}: no findings; there are some of {', '.join(systems)}")
    own = findings.filter((pl.col("system") == name) & (pl.col("rank") == rank))
    if own.is_empty():
        ranks = findings.filter(pl.col("system") == name).height
        raise ConfigError(f"--finding {rank}: system {name!r} has findings 1 to {ranks}")
    return cast("list[dict[str, str]]", own["predicates"].to_list()[0])


def _list_strata(drawn: DrawnChecks, *, seed: int) -> list[Stratum]:
    return [Stratum(**row, seed=seed) for row in drawn.strata.iter_rows(named=True)]


def _note_truth(session: CheckSession, rows: pl.DataFrame) -> list[str]:
    known = sorted(set(rows["attribute"]) & set(session.manifest.truth))
    if not known:
        return []
    return [f"{', '.join(known)}: [dataset.truth] has true values; they are used, not the checks"]
