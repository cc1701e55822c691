"""Two audits that share a workspace: neither reports what the other found under its own name."""

from pathlib import Path

import pytest

from pipeline.exceptions import StoreError
from tests.flows.direct import run_directly
from tests.flows.small_audit import write_audit


def test_the_report_of_what_another_audit_searched_is_refused(tmp_path: Path) -> None:
    audit = write_audit(tmp_path, count=40)
    run_directly(audit.config)
    other = tmp_path / "other.toml"
    text = audit.config.read_text().replace('name = "small"', 'name = "other"', 1)
    other.write_text(f'{text}\n[report]\nfolder = "other-report"\n')
    with pytest.raises(StoreError, match="that of audit 'small', not of 'other'"):
        run_directly(other, ["report"])
    assert not (tmp_path / "other-report").exists()
    run_directly(other, ["find", "report"])
    assert (tmp_path / "other-report" / "index.html").exists()
    with pytest.raises(StoreError, match="that of audit 'other', not of 'small'"):
        run_directly(audit.config, ["report"])
