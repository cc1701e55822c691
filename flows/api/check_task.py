"""What the page of checks needs of a workspace, read once before it is served."""

import polars as pl

from flows.api.kept_draw import KeptDraw
from flows.api.questionnaire import CheckTask
from flows.checks.session import CheckSession

_KEY = ["sample_id", "attribute"]


def make_task(session: CheckSession, draw: KeptDraw) -> CheckTask:
    """Return the drawn labels with what is known of them; no connection is held."""
    names = draw.rows["attribute"].unique().sort().to_list() or list(session.values)
    labels = session.labels.filter(pl.col("attribute").is_in(names))
    shown = labels.select(*_KEY, shown="value")
    before = session.journal.read().unique(_KEY, keep="last", maintain_order=True)
    checked = before.select(*_KEY, "draw").join(shown, on=_KEY, maintain_order="left")
    rows = draw.rows.select(*_KEY, "shown", "draw")
    others = checked.join(rows, on=_KEY, how="anti", maintain_order="left")
    sizes = labels.group_by("attribute", shown="value").agg(size=pl.len().cast(pl.Int64))
    return CheckTask(
        name=session.resolved.audit.name,
        draw_id=draw.draw_id,
        rows=draw.rows,
        known=pl.concat([rows, others.select(rows.columns)]),
        sizes=sizes.sort("attribute", "shown"),
        values={name: session.values[name] for name in names},
        samples=session.samples.join(draw.rows, on="sample_id", how="semi", maintain_order="left"),
        root=session.resolved.audit.dataset.root,
    )
