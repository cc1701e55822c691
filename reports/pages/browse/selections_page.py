"""What was saved: slices with their evidence, attributes that the next run searches."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.pages.browse.addresses import address_samples
from reports.pages.browse.evidence_words import EvidenceView, view_evidence
from reports.pages.browse.frame import render_app_page
from reports.parts.numbers import format_count
from reports.saved_models import SelectionItem


@dataclass(frozen=True)
class SelectionView:
    """One selection, written."""

    item: SelectionItem
    address: str
    n: str
    chosen_by: str
    evidence: EvidenceView | None
    held_out: EvidenceView | None


def build_selections_page(
    selections: Sequence[SelectionItem], *, name: str, read_only: bool
) -> str:
    """Return the page; everything of it is escaped."""
    return render_app_page(
        "selections.html",
        name=name,
        title="Saved",
        here="/selections",
        selections=[_view(one) for one in selections],
        read_only=read_only,
    )


def _view(one: SelectionItem) -> SelectionView:
    system = one.system.name if one.system else ""
    return SelectionView(
        item=one,
        address=address_samples(
            where=one.where, text=one.text, without=one.without, system=system,
        ),
        n=format_count(one.n),
        chosen_by=_say(one),
        evidence=view_evidence(one.evidence, one.system),
        held_out=view_evidence(one.held_out, one.system),
    )  # fmt: skip


def _say(one: SelectionItem) -> str:
    if one.picked:
        return f"{format_count(one.picked)} samples picked by hand"
    parts = [one.where, f"search: {one.text}" if one.text else "",
             "most like a picture" if one.like else ""]  # fmt: skip
    return "; ".join(filter(None, parts))
