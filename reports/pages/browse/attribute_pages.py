"""The attributes in use as pages."""

from reports.browse_models import SystemItem
from reports.pages.browse.addresses import address_attribute, address_samples
from reports.pages.browse.evidence_words import make_words
from reports.pages.browse.result_pages import write_share
from reports.pages.browse.table_page import Cell, TableSection, build_table_page
from reports.parts.numbers import format_count
from reports.parts.words import SOURCES
from reports.result_models import AttributeItem, AttributeList, ValueItem


def build_attributes_page(data: AttributeList, *, name: str) -> str:
    """Return the page of all attributes."""
    rows = []
    for one in data.attributes:
        share, interval = write_share(one.accuracy, one.accuracy_low, one.accuracy_high)
        rows.append(
            [
                Cell(one.name, address_attribute(one.name)),
                Cell(", ".join(value.value for value in one.values)),
                Cell(one.source),
                Cell(share or "not measured", under=interval, number=True),
                Cell(one.judged_by or ""),
            ]
        )
    heads = ("Attribute", "Values", "Labels", "Right", "Judged by")
    section = TableSection(f"{len(rows)} attributes", heads, rows)
    return build_table_page(
        [section] if rows else [], name=name, title="Attributes", here="/attributes",
        empty="Nothing is labelled here yet.",
    )  # fmt: skip


def build_attribute_page(one: AttributeItem, system: SystemItem | None, *, name: str) -> str:
    """Return the page of one attribute."""
    share, interval = write_share(one.accuracy, one.accuracy_low, one.accuracy_high)
    quality = f"{share} ({interval}) of its labels are right, by {one.judged_by}." if share else (
        "How good its labels are was not measured."
    )  # fmt: skip
    notes = [f"Labels: {SOURCES.get(one.source, one.source)}.", quality, *one.notes]
    if one.file:
        notes.append(f"Defined in {one.file}.")
    heads = ("Value", "n", "Error", "Rest", "Precision", "Recall")
    sections = [TableSection("Values", heads, [_view_value(v, system) for v in one.values], notes)]
    prompts = [(value.value, value.prompts) for value in one.values if value.prompts]
    if prompts:
        rows = [[Cell(value), Cell("; ".join(texts))] for value, texts in prompts]
        sections.append(TableSection("Prompts", ("Value", "Prompts"), rows))
    return build_table_page(
        sections, name=name, title=f"Attribute {one.name}", here="/attributes",
        links=[("/attributes", "All attributes")],
    )  # fmt: skip


def _view_value(value: ValueItem, system: SystemItem | None) -> list[Cell]:
    words, evidence = make_words(system), value.evidence
    error = rest = interval = ""
    if words is not None and evidence is not None and evidence.n:
        error, rest = words.write_value(evidence.error), words.write_value(evidence.rest_error)
        if evidence.error_low is not None:
            low, high = evidence.error_low, evidence.error_high
            interval = f"{words.write_value(low)} to {words.write_value(high)}"
    share, ends = write_share(value.precision, value.precision_low, value.precision_high)
    recall, _ = write_share(value.recall, None, None)
    address = address_samples(where=value.where, system=system.name if system else "")
    if not value.where:
        address = ""
    return [
        Cell(value.value, address),
        Cell(format_count(value.n), number=True),
        Cell(error, under=interval, number=True),
        Cell(rest, number=True),
        Cell(share, under=ends, number=True),
        Cell(recall, number=True),
    ]
