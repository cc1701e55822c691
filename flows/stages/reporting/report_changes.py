"""What the page says of the time since the last search."""

from pipeline.workspace.store import Store
from reports.models import ChangedFinding, ChangesReport


def report_changes(store: Store, run_id: str) -> ChangesReport | None:
    """Return what changed before a run searched; None where there was nothing to compare."""
    changes = store.read_result(run_id, "changes")
    if changes is None or changes.is_empty():
        return None
    samples = dict(changes.filter(kind="samples").select("change", "n").iter_rows())
    findings = {
        change: tuple(
            ChangedFinding(row["system"], tuple(row["predicates"]))
            for row in changes.filter(kind="finding", change=change).iter_rows(named=True)
        )
        for change in ("new", "gone")
    }
    return ChangesReport(
        since=changes["since"][0],
        new=samples.get("new", 0),
        changed=samples.get("changed", 0),
        gone=samples.get("gone", 0),
        findings_new=findings["new"],
        findings_gone=findings["gone"],
    )
