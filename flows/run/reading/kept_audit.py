"""The audit that a workspace was made by, as its latest run noted it."""

from pipeline.config.audit import Audit
from pipeline.exceptions import StoreError
from pipeline.workspace.store import Store


def read_kept_audit(store: Store) -> Audit:
    """Return the audit of the latest run. Raises StoreError when none has run here."""
    runs = store.read("runs").sort("started_at", "run_id")
    if runs.is_empty():
        raise StoreError(f"{store.folder}: no run is noted here; run `weakspot run` first")
    text = runs.row(-1, named=True)["config"]
    try:
        return Audit.model_validate_json(text)
    except ValueError:
        raise StoreError(
            f"{store.folder}: the audit of its latest run is of another version; run "
            "`weakspot run` again"
        ) from None
