"""The two detectors of a demo compared: which weaknesses are mended, and what is false of the rest.

A slice that is new or worse is false where, by true values, its gap has not grown.
"""

from dataclasses import dataclass
from pathlib import Path

from flows.commands.demo import read_true_table
from flows.run.reading.compared_runs import read_run
from pipeline.comparison.changes import BETTER, FIXED, NEW, WORSE, compare_slices
from pipeline.config.audit import read_audit
from pipeline.demo.audit_files import BALANCED_SYSTEM, SYSTEM
from pipeline.demo.system import LEFT_OUT
from pipeline.workspace.search_table import SearchTable
from pipeline.workspace.store import open_store
from reports.parts.words import Predicates, write_predicates


@dataclass(frozen=True)
class DemoComparison:
    """Slices as words. mended: groups that training lacked that are fixed or better."""

    mended: frozenset[str]
    asked: frozenset[str]
    grown: tuple[str, ...]  # new or worse
    false: tuple[str, ...]


def compare_demo(audit_file: Path) -> DemoComparison:
    """Compare the findings of both detectors of a demo that was run with `balanced`."""
    folder = read_audit(audit_file).workspace
    before, after = (read_run(str(folder), system=name).rows for name in (SYSTEM, BALANCED_SYSTEM))
    changes = compare_slices(before, after)
    store = open_store(folder)
    truth = [read_true_table(store, name) for name in (SYSTEM, BALANCED_SYSTEM)]
    verdicts = {
        write_predicates(row["predicates"]): (row["verdict"], row["predicates"])
        for row in changes.iter_rows(named=True)
    }
    grown = {name: own for name, (verdict, own) in verdicts.items() if verdict in (NEW, WORSE)}
    return DemoComparison(
        mended=frozenset(n for n, (verdict, _) in verdicts.items() if verdict in (FIXED, BETTER)),
        asked=frozenset(
            write_predicates([{"attribute": a, "value": v} for a, v in sorted(group)])
            for group in LEFT_OUT
        ),
        grown=tuple(sorted(grown)),
        false=tuple(
            name for name, own in sorted(grown.items())
            if measure_gap(truth[1], own) <= measure_gap(truth[0], own)
        ),
    )  # fmt: skip


def measure_gap(table: SearchTable, predicates: Predicates) -> float:
    """Return the mean error inside a slice of true values minus that of the rest."""
    inside = table.select_slice(predicates).to_numpy()
    errors = table.errors.to_numpy()
    return float(errors[inside].mean() - errors[~inside].mean())
