"""The attributes in use: values with their evidence, prompts, and how good the labels are."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from flows.browsing.browser import Browser
from flows.browsing.list_findings import write_where
from flows.browsing.list_samples import describe_system
from flows.browsing.snapshots.snapshot import SnapshotSystem
from pipeline.browsing.choice_evidence import keep_finite
from pipeline.exceptions import ConfigError, NotFoundError, StoreError
from pipeline.labels.attribute_file import find_shipped, read_attribute
from pipeline.tables.quality_tables import IN_USE
from pipeline.workspace.kept.kept_quality import read_quality
from pipeline.workspace.manifests import LabelledAttribute
from reports.browse_models import Evidence
from reports.result_models import AttributeItem, AttributeList, ValueItem

_SAVED = "saved: "  # begins the reference of an attribute that was saved while browsing


def list_attributes(browser: Browser, system: str | None) -> AttributeList:
    """Return every attribute; raises ConfigError for an unknown system."""
    named = browser.snapshot.find_system(system)
    quality = _read_quality(browser)
    return AttributeList(
        describe_system(named),
        [_describe(browser, one, named, quality) for one in browser.snapshot.card.attributes],
    )


def find_attribute(browser: Browser, name: str, system: str | None) -> AttributeItem:
    """Return one attribute; raises NotFoundError where it is not there."""
    named = browser.snapshot.find_system(system)
    for one in browser.snapshot.card.attributes:
        if one.name == name:
            return _describe(browser, one, named, _read_quality(browser))
    raise NotFoundError(f"there is no attribute {name[:60]!r}")


def _describe(
    browser: Browser, one: LabelledAttribute, system: SnapshotSystem | None, quality: pl.DataFrame
) -> AttributeItem:
    own = quality.filter(pl.col("attribute") == one.name)
    rows = {row["value"]: row for row in own.to_dicts()}
    whole: Mapping[str, Any] = rows.get(None, {})
    prompts = _read_prompts(one)
    counted = browser.snapshot.samples[f"label.{one.name}"].value_counts()
    counts = {str(value): n for value, n in counted.iter_rows() if value is not None}
    order = [*(value for value in one.values if value in counts),
             *(value for value in sorted(counts) if value not in one.values)]  # fmt: skip
    values = [
        _describe_value(browser, one.name, value, counts[value], system, rows.get(value, {}),
                        prompts.get(value, ()))
        for value in order
    ]  # fmt: skip
    return AttributeItem(
        name=one.name,
        kind=one.kind,
        source=one.source,
        applies_to=one.applies_to,
        sensitive=one.sensitive,
        file=one.reference.removeprefix(_SAVED),
        notes=list(one.notes),
        judged_by=whole.get("judged_by"),
        accuracy=keep_finite(whole.get("accuracy")),
        accuracy_low=keep_finite(whole.get("accuracy_low")),
        accuracy_high=keep_finite(whole.get("accuracy_high")),
        values=values,
    )


def _describe_value(
    browser: Browser,
    name: str,
    value: str,
    n: int,
    system: SnapshotSystem | None,
    quality: Mapping[str, Any],
    prompts: tuple[str, ...],
) -> ValueItem:
    where = write_where([{"attribute": name, "value": value}], browser.snapshot, labelled=True)
    evidence = None
    if system is not None:
        chosen = (browser.snapshot.samples[f"label.{name}"] == value).fill_null(value=False)
        weighed = browser.weigh(("label", name, value), chosen.to_numpy(), system)
        evidence = Evidence(**asdict(weighed))
    return ValueItem(
        value=value,
        n=n,
        where=where,
        evidence=evidence,
        prompts=list(prompts),
        precision=keep_finite(quality.get("precision")),
        precision_low=keep_finite(quality.get("precision_low")),
        precision_high=keep_finite(quality.get("precision_high")),
        recall=keep_finite(quality.get("recall")),
    )


def _read_quality(browser: Browser) -> pl.DataFrame:
    """Return how good the labels in use are, no rows where that was not measured."""
    try:
        quality = read_quality(browser.store, "label_quality")
    except StoreError:
        return pl.DataFrame(schema={"attribute": pl.String, "value": pl.String})
    return quality.filter(pl.col("method") == IN_USE)


def _read_prompts(one: LabelledAttribute) -> Mapping[str, tuple[str, ...]]:
    """Return the prompts of each value as the file has them now, none of a file that is gone."""
    if one.kind != "prompts":
        return {}
    reference = one.reference.removeprefix(_SAVED)
    try:
        path = Path(reference) if reference.endswith(".toml") else find_shipped(reference)
        return read_attribute(path).values
    except ConfigError:
        return {}
