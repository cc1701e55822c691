"""Which situations the labelled samples hold, counted when they are searched."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from flows.run.logs import LOG
from pipeline.config.audit import Audit
from pipeline.coverage.collection import plan_collection
from pipeline.coverage.combinations import count_combinations
from pipeline.exceptions import ConfigError
from pipeline.workspace.search_table import SearchTable
from pipeline.workspace.store import Store

PLANNED = 10  # rows of what to collect next


def cover_domain(audit: Audit, table: SearchTable, store: Store, run_id: str) -> dict[str, Any]:
    """Count the combinations of attribute values and plan what to collect; keep both.

    table: of the samples that have labels and an error of the first system. Returns what the report
    must know beside the frames; nothing when there are too many
    combinations to count and the audit did not choose their attributes.
    """
    asked = audit.domain
    names = [n for n in table.attributes.columns if not asked.attributes or n in asked.attributes]
    level = min(asked.level, len(names))
    order = order_values(audit, store, names, labels=audit.slices.labels)

    def count(level: int) -> pl.DataFrame:
        return count_combinations(
            table.attributes.select(names),
            level=level,
            min_samples=asked.min_samples,
            values={name: known for name, known in order.items() if known},
        )

    try:
        combinations = count(asked.level)
        pairs = count(2) if len(names) > 1 else combinations.clear()
    except ConfigError as error:  # a column of thousands of values
        if asked.attributes:
            raise
        LOG.warning("the domain is not counted: %s; name some in [domain] attributes", error)
        return {}
    plan = plan_collection(combinations, min_samples=asked.min_samples, top=PLANNED)
    for name, frame in (("combinations", combinations), ("pairs", pairs), ("collection", plan)):
        store.write_result(run_id, name, frame.select(pl.lit(run_id).alias("run_id"), pl.all()))
    return {"attributes": names, "level": level, "min_samples": asked.min_samples}


def order_values(
    audit: Audit, store: Store, names: Sequence[str], *, labels: str
) -> dict[str, list[str]]:
    """Return the values of each attribute as its file, bins or truth order them.

    None of an attribute whose values the data alone knows.
    """
    entries = store.read_manifest("label")["attributes"]
    order: dict[str, list[str]] = {entry["name"]: entry["values"] for entry in entries}
    if labels == "truth" and audit.dataset.truth is not None:
        true = audit.dataset.truth.attributes
        order |= {name: list(values) for name, values in true.items()}
    return {name: order.get(name, []) for name in names}
