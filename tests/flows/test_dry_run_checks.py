"""What a dry run refuses, so that a run does not fail after an hour."""

import pytest

from flows.dry_run import check_audit
from pipeline.exceptions import DatasetError
from tests.flows.small_audit import SmallAudit


def test_a_given_attribute_without_its_column_is_refused(small_audit: SmallAudit) -> None:
    small_audit.edit('"image/contrast"]', '"image/contrast"]\ngiven = ["Category"]')
    with pytest.raises(DatasetError, match="no column 'Category'; did you mean 'category'"):
        check_audit(small_audit.config, limit=None)
