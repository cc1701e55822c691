"""Groups that an audit asks for and cannot have."""

import pytest

from flows.run.preflight import require_comparison
from flows.run.resolved_audit import resolve_audit
from pipeline.exceptions import ConfigError
from tests.flows.small_audit import SmallAudit


def check(audit: SmallAudit) -> None:
    resolved = resolve_audit(audit.config)
    require_comparison(resolved.audit, resolved.sensitive)


def test_comparing_groups_alone_needs_an_attribute_that_makes_some(
    small_audit: SmallAudit,
) -> None:
    with pytest.raises(ConfigError, match="no attribute is marked sensitive"):
        check(small_audit)
    with small_audit.config.open("a") as file:
        file.write('[fairness]\nattributes = ["tone"]\n')
    check(small_audit)
