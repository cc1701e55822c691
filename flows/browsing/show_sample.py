"""All that is known of one sample: its labels, errors, boxes, and what is most like it."""

from typing import Any

import numpy as np

from flows.browsing.browser import Browser
from flows.browsing.image_boxes import draw_image_boxes
from flows.browsing.list_findings import list_findings
from flows.browsing.list_samples import describe_system, list_items, read_box
from flows.browsing.near_vectors import join_query
from flows.browsing.snapshots.snapshot import SnapshotSystem
from flows.stages.reporting.pictures.scene_boxes import focus_on
from pipeline.exceptions import ConditionError, ConfigError, NotFoundError, StoreError
from reports.browse_models import Box, LabelItem, SampleDetail, SampleItem, ShownBox

NEIGHBORS = 12


def show_sample(browser: Browser, sample_id: str, system: str | None = None) -> SampleDetail:
    """Return what is known of a sample; raises NotFoundError where there is none."""
    snapshot = browser.snapshot
    row_number = snapshot.find_row(sample_id)
    if row_number is None:
        raise NotFoundError(f"there is no sample {sample_id[:40]!r}")
    named = snapshot.find_system(system)
    row = snapshot.samples.row(row_number, named=True)
    return SampleDetail(
        snapshot_id=snapshot.snapshot_id,
        sample_id=sample_id,
        parent_id=row["parent_id"],
        path=row["path"],
        category=row["category"],
        split=row["split"],
        box=read_box(row),
        width=row["width"],
        height=row["height"],
        system=describe_system(named),
        errors={one.name: row[f"error.{one.name}"] for one in snapshot.card.systems},
        measures={
            name.removeprefix("measure."): value
            for name, value in row.items()
            if name.startswith("measure.")
        },
        labels=_list_labels(browser, row),
        boxes=_list_boxes(browser, row, named),
        neighbors=list_neighbors(browser, row_number, named),
        findings=_list_own_findings(browser, row_number, named),
    )


def list_neighbors(
    browser: Browser, row: int, system: SnapshotSystem | None, *, count: int = NEIGHBORS
) -> list[SampleItem]:
    """Return the samples most like one of a row, nearest first; none where it has no vector."""
    try:
        near = browser.near
    except (StoreError, ConfigError):  # an audit without an encoder
        return []
    vector = near.find_vector(row)
    if vector is None:
        return []
    query = join_query(np.zeros((0, len(vector)), np.float32), [vector],
                       np.zeros((0, len(vector)), np.float32), width=len(vector))  # fmt: skip
    others = np.ones(browser.snapshot.samples.height, np.bool_)
    others[row] = False
    page, scores = near.take_page(query, others, after=-1, limit=count)
    return list_items(browser.snapshot, page.rows, system, scores)


def _list_labels(browser: Browser, row: dict[str, Any]) -> list[LabelItem]:
    return [
        LabelItem(
            attribute=one.name,
            value=row[f"label.{one.name}"],
            score=row.get(f"score.{one.name}"),
            margin=row.get(f"margin.{one.name}"),
            truth=row.get(f"truth.{one.name}"),
            source=one.source,
        )
        for one in browser.snapshot.card.attributes
    ]


def _list_boxes(
    browser: Browser, row: dict[str, Any], system: SnapshotSystem | None
) -> list[ShownBox]:
    """Return the boxes on the image of a sample; none of an audit without a detector."""
    if system is None:
        return []
    drawn = draw_image_boxes(browser.store, system.error_id, row["path"])
    return [
        ShownBox(one.kind, one.role, Box(*one.box), one.category, one.score, one.iou, one.focus)
        for one in focus_on(row, drawn)
    ]


def _list_own_findings(browser: Browser, row: int, system: SnapshotSystem | None) -> list[int]:
    """Return the ranks of the findings that a sample is in, by the labels of now."""
    if system is None:
        return []
    ranks = []
    for one in list_findings(browser).findings:
        if one.system != system.name:
            continue
        try:
            if browser.select(one.where, system)[row]:
                ranks.append(one.rank)
        except ConditionError:  # an attribute of that search is no longer labelled
            continue
    return ranks
