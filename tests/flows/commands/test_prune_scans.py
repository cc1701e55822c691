"""`weakspot prune` and the arrays for search: those of other vectors go, the current one stays."""

from pathlib import Path

from flows.commands.upkeep.pruning import list_removals, remove
from pipeline.workspace.scans.scan_store import open_scan
from tests.flows.retrieval.planted_workspace import put_vectors, write_workspace


def test_arrays_of_other_encoders_and_earlier_shards_go(tmp_path: Path) -> None:
    store = write_workspace(tmp_path)
    put_vectors(store, "other", count=9)
    open_scan(store, "other")
    open_scan(store, "enc")
    (old,) = [path.parent for path in store.scans.glob("enc/*/stamp.json")]
    put_vectors(store, "enc", count=10)
    removals = {one.what: one for one in list_removals(store, keep_runs=1)}
    assert removals["arrays for search of earlier vectors"].files == (old,)
    unused = removals["vectors of unused encoders"].files
    assert store.scans / "other" in unused
    open_scan(store, "enc")
    remove(store, list_removals(store, keep_runs=1))
    assert [path.name for path in store.scans.iterdir()] == ["enc"]
    assert len(open_scan(store, "enc").keys) == 240
