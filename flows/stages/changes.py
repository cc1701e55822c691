"""What changed since the last search of an audit: samples, and findings that came and went."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pipeline.errors.scored import scored_samples
from pipeline.predicates import read_predicate
from pipeline.tables import RESULTS, check
from pipeline.vocabulary import INSUFFICIENT, UNCLEAR
from pipeline.workspace.kept.kept_searched import (
    Searched,
    forget_searched,
    put_searched,
    read_searched,
)
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.store import Store

_CHANGES = RESULTS["changes"]


def note_changes(store: Store, run_id: str, *, before: Mapping[str, Any] | None) -> None:
    """Keep the table `changes` of a run that just searched, and the samples that it searched.

    before: the row of the run before, of the same audit and limit; nothing is compared without one,
    or where a version that kept no samples searched.
    """
    own = scored_samples(store.read_samples()).select("sample_id", "content_key")
    bins = {
        one.name: one.values for one in LabelManifest.read(store.folder).attributes if one.edges
    }
    now = Searched(own, bins)
    then = None if before is None else read_searched(store, before["run_id"])
    if before is not None and then is not None:
        findings = store.read("findings")
        rows = compare_samples(then.samples, now.samples) + compare_findings(
            findings.filter(run_id=before["run_id"]),
            findings.filter(run_id=run_id),
            bins_before=then.bins,
            bins=bins,
        )
        keys = {"run_id": run_id, "since_run_id": before["run_id"], "since": before["started_at"]}
        frame = pl.DataFrame([{**keys, **row} for row in rows], schema=dict(_CHANGES))
        store.write_result(run_id, "changes", check(frame, _CHANGES, table="changes"))
    put_searched(store, run_id, now)


def forget_before(store: Store, before: Mapping[str, Any] | None) -> None:
    """Remove the samples of the run before, when the new search is noted."""
    if before is not None:
        forget_searched(store, before["run_id"])


def compare_samples(before: pl.DataFrame, now: pl.DataFrame) -> list[dict[str, Any]]:
    """Return how many samples are new, have other content, and are gone; both by sample_id."""
    both = before.join(now, on="sample_id", suffix="_now")
    counts = {
        "new": now.height - both.height,
        "changed": both.filter(pl.col("content_key") != pl.col("content_key_now")).height,
        "gone": before.height - both.height,
    }
    return [{"kind": "samples", "change": change, "n": n} for change, n in counts.items()]


def compare_findings(
    before: pl.DataFrame,
    now: pl.DataFrame,
    *,
    bins_before: Mapping[str, Sequence[str]],
    bins: Mapping[str, Sequence[str]],
) -> list[dict[str, Any]]:
    """Return the findings that hold up now and did not, and those that did and do not.

    before, now: FINDINGS. bins: the values of measured attributes, lowest first. Quartiles move
    with the data, so that bins are compared by their place.
    """
    then, there = _index(before, bins_before), _index(now, bins)
    rows = [("new", finding) for key, finding in there.items() if key not in then]
    rows += [("gone", finding) for key, finding in then.items() if key not in there]
    return [
        {
            "kind": "finding", "change": change, "n": finding["n"],
            "system": finding["system"], "predicates": finding["predicates"],
        }
        for change, finding in rows
    ]  # fmt: skip


def _index(findings: pl.DataFrame, bins: Mapping[str, Sequence[str]]) -> dict[object, Any]:
    """Return the findings that hold up by what they say, whatever the edges of bins are."""
    holding = findings.filter(~pl.col("state").is_in([INSUFFICIENT, UNCLEAR]))
    return {
        (row["system"], tuple(_place(one, bins) for one in row["predicates"])): row
        for row in holding.sort("system", "rank").iter_rows(named=True)
    }


def _place(predicate: Mapping[str, str], bins: Mapping[str, Sequence[str]]) -> tuple[object, ...]:
    """Return the attribute with the places of the bins that the value names, else the value."""
    name, value = predicate["attribute"], predicate["value"]
    order = list(bins.get(name, ()))
    values = read_predicate(value, order)
    if all(one in order for one in values):
        return (name, len(order), *(order.index(one) for one in values))
    return (name, value)
