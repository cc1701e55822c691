"""Which situations the labelled samples hold, counted when they are searched."""

from collections.abc import Sequence
from typing import Any

from flows.logs import LOG
from pipeline.collection import plan_collection
from pipeline.config import Audit
from pipeline.domain import count_combinations
from pipeline.exceptions import ConfigError
from pipeline.search_table import SearchTable
from pipeline.store import Store

PLANNED = 10  # rows of what to collect next


def cover_domain(audit: Audit, table: SearchTable, store: Store, run_id: str) -> dict[str, Any]:
    """Count the combinations of attribute values and plan what to collect; keep both.

    Returns what the report must know beside the two frames; nothing when there are too many
    combinations to count and the audit did not choose their attributes.
    """
    asked = audit.domain
    names = [n for n in table.attributes.columns if not asked.attributes or n in asked.attributes]
    order = order_values(audit, store, names, labels=audit.slices.labels)
    try:
        combinations = count_combinations(
            table.attributes.select(names),
            level=asked.level,
            min_samples=asked.min_samples,
            values={name: known for name, known in order.items() if known},
        )
    except ConfigError as error:  # a column of thousands of values
        if asked.attributes:
            raise
        LOG.warning("the domain is not counted: %s; name some in [domain] attributes", error)
        return {}
    plan = plan_collection(combinations, min_samples=asked.min_samples, top=PLANNED)
    store.write_result(run_id, "combinations", combinations)
    store.write_result(run_id, "collection", plan)
    level = min(asked.level, len(names))
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
