"""Groups that an audit asks for and cannot have."""

import pytest

from flows.run.asked_names import require_sensitive
from pipeline.config.audit import read_audit
from pipeline.exceptions import ConfigError
from tests.flows.small_audit import SmallAudit


def test_comparing_groups_alone_needs_an_attribute_that_makes_some(
    small_audit: SmallAudit,
) -> None:
    with pytest.raises(ConfigError, match="no attribute is marked sensitive"):
        require_sensitive(read_audit(small_audit.config))
    with small_audit.config.open("a") as file:
        file.write('[fairness]\nattributes = ["tone"]\n')
    require_sensitive(read_audit(small_audit.config))
