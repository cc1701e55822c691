"""Which situations the labelled samples hold, counted when they were searched."""

import polars as pl

from flows.run.logs import LOG
from flows.run.resolved_audit import ResolvedAudit
from pipeline.coverage.collection import plan_collection
from pipeline.coverage.combinations import count_combinations
from pipeline.exceptions import ConfigError
from pipeline.workspace.label_columns import order_values
from pipeline.workspace.manifests import CountedDomain, LabelManifest
from pipeline.workspace.search_table import SearchTable
from pipeline.workspace.store import Store

PLANNED = 10  # rows of what to collect next


def cover_domain(
    resolved: ResolvedAudit, store: Store, run_id: str, table: SearchTable
) -> CountedDomain | None:
    """Count the combinations of attribute values and plan what to collect; keep both.

    table: of the samples that have labels and an error of the first system. Returns None when
    there are too many combinations to count and the audit did not choose their attributes.
    """
    audit = resolved.audit
    asked = audit.domain
    names = [n for n in table.attributes.columns if not asked.attributes or n in asked.attributes]
    level = min(asked.level, len(names))
    order = order_values(
        LabelManifest.read(store.folder),
        names,
        label_source=audit.slices.labels,
        truth=audit.dataset.truth,
    )

    def count(level: int) -> pl.DataFrame:
        return count_combinations(
            table.attributes.select(names),
            level=level,
            min_samples=asked.min_samples,
            values={name: known for name, known in order.items() if known},
            exclusive=resolved.exclusive,
        )

    try:
        combinations = count(asked.level)
        pairs = count(2) if len(names) > 1 else combinations.clear()
    except ConfigError as error:  # a column of thousands of values
        if asked.attributes:
            raise
        LOG.warning("the domain is not counted: %s; name some in [domain] attributes", error)
        return None
    plan = plan_collection(
        combinations, min_samples=asked.min_samples, top=PLANNED, exclusive=resolved.exclusive
    )
    for name, frame in (("combinations", combinations), ("pairs", pairs), ("collection", plan)):
        store.write_result(run_id, name, frame.select(pl.lit(run_id).alias("run_id"), pl.all()))
    return CountedDomain(attributes=tuple(names), level=level, min_samples=asked.min_samples)
