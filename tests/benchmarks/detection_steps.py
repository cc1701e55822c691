"""The steps of an object audit as the flows take them, and what each costs in a library alone.

Each side runs in a process of its own: `run_steps` tells seconds, CPU seconds and peak memory of
every step, `run_bare` the seconds of the library calls on the same data.
"""

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Measured = dict[str, dict[str, float]]


@contextmanager
def clock(name: str, measured: Measured) -> Iterator[None]:
    """Note the seconds of a step, its CPU seconds, and the process's peak memory until then."""
    started, used = time.perf_counter(), time.process_time()
    yield
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    measured[name] = {
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - used,
        "peak": peak / 1e9,
    }
    print(name, measured[name], file=sys.stderr, flush=True)


def run_steps(audit_file: str) -> Measured:
    """Run the stages of an audit but its embedding and report, without a Prefect server."""
    from flows.find import read_search_table, search_table
    from flows.label import label_all, label_rows, list_works
    from flows.labellers import make_labellers
    from flows.plan import read_audit_attributes
    from flows.samples import load_samples, save_samples
    from pipeline.config import read_audit
    from pipeline.errors import score_system
    from pipeline.samples import read_samples
    from pipeline.store import open_store

    audit = read_audit(Path(audit_file))
    measured: Measured = {}
    store = open_store(audit.workspace)
    with clock("read samples", measured):
        found = read_samples(audit.dataset)
    with clock("store samples", measured):
        save_samples(found, store, root=str(audit.dataset.root))
    del found
    with clock("label and store", measured):
        sample_set = load_samples(store)
        labellers, _ = make_labellers(read_audit_attributes(audit), audit, sample_set, store, _none)
        works = list_works(labellers, sample_set.samples, store)
        label_all(sample_set.samples, works, store, label=label_rows)
        entries = [labeller.describe() for labeller in labellers]
        store.write_manifest("label", {"attributes": entries, "truth": {}})
    del sample_set, labellers, works
    system = audit.systems[0]
    with clock("match", measured):
        sample_set = load_samples(store)
        scored = score_system(
            system, samples=sample_set.samples, objects=sample_set.objects,
            source_images=sample_set.source_images, categories=sample_set.categories,
        )  # fmt: skip
    with clock("store errors", measured):
        store.put_errors(scored.errors)
        if scored.outcomes is not None:
            store.write_outcomes(scored.error_id, scored.outcomes)
        store.write_manifest("score", {"systems": {system.name: {"error_id": scored.error_id}}})
    del sample_set, scored
    with clock("join", measured):
        table = read_search_table(audit, store, system.name)
    with clock("slice", measured):
        result = search_table(table, audit.slices)
    finding = result.findings.row(0, named=True)
    print("  first finding:", finding["predicates"], f"{finding['error']:.3f}", file=sys.stderr)
    return measured


def _none(*_: object) -> Any:
    raise AssertionError("no attribute of this audit needs an encoder")


if __name__ == "__main__":
    asked, argument = sys.argv[1:]
    print(json.dumps({"steps": run_steps}[asked](argument)))
