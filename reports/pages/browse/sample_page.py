"""One sample as a page: its image with boxes, labels, errors and neighbors."""

from dataclasses import dataclass

from markupsafe import Markup

from reports.browse_models import SampleDetail, ShownBox, SystemItem
from reports.pages.browse.addresses import address_finding, address_samples
from reports.pages.browse.evidence_words import make_words, view_tile
from reports.pages.browse.frame import render_app_page
from reports.parts.catalogue import Words
from reports.parts.numbers import format_number, format_percent
from reports.parts.scenes import draw_boxes
from reports.parts.words import ErrorWords
from reports.site_models import SceneBox, Shot


@dataclass(frozen=True)
class LabelRow:
    """One label, written. where: the address of all samples with it."""

    attribute: str
    value: str
    score: str
    margin: str
    truth: str
    wrong: bool
    where: str
    source: str


def build_sample_page(
    sample: SampleDetail, *, name: str, systems: list[SystemItem], read_only: bool = False
) -> str:
    """Return the page; everything of it is escaped."""
    system = sample.system
    words = make_words(system)
    by_name = {one.name: ErrorWords(one.metric, one.share) for one in systems}
    errors = [
        (one, "" if value is None else by_name[one].write_outcome(value))
        for one, value in sample.errors.items()
    ]
    return render_app_page(
        "sample.html",
        name=name,
        title=sample.path.rsplit("/", 1)[-1],
        here="/samples",
        sample=sample,
        words=words,
        errors=errors,
        boxes=_draw(sample),
        measures=[(one, format_number(value)) for one, value in sample.measures.items()],
        labels=[_view_label(sample, place) for place in range(len(sample.labels))],
        neighbors=[view_tile(item, system) for item in sample.neighbors],
        findings=[
            (rank, address_finding(rank, system.name if system else "")) for rank in sample.findings
        ],
        similar=address_samples(like=sample.sample_id, system=system.name if system else ""),
        read_only=read_only,
    )


def _view_label(sample: SampleDetail, place: int) -> LabelRow:
    one = sample.labels[place]
    value = "" if one.value is None else one.value
    return LabelRow(
        attribute=one.attribute,
        value=value,
        score="" if one.score is None else format_percent(one.score),
        margin="" if one.margin is None else format_percent(one.margin),
        truth=one.truth or "",
        wrong=one.truth is not None and one.truth != one.value,
        where=address_samples(where=f'{one.attribute} = "{value}"') if value else "",
        source=one.source,
    )


def _draw(sample: SampleDetail) -> Markup:
    """Draw the boxes over the whole image; of an object without a detector its own box."""
    shown = sample.boxes
    if not shown and sample.box is not None:
        shown = [
            ShownBox(
                kind="true", role="truth", box=sample.box, category=sample.category or "",
                score=None, iou=None, focus=True,
            )
        ]  # fmt: skip
    boxes = tuple(
        SceneBox(
            one.kind,
            one.role,
            (one.box.x, one.box.y, one.box.w, one.box.h),
            one.category,
            score=one.score,
            iou=one.iou,
            focus=one.focus,
        )
        for one in shown
    )
    size = (sample.width or 0, sample.height or 0)
    shot = Shot(sample.sample_id, "", None, boxes=boxes, size=size)
    return draw_boxes(shot, Words("en"))
