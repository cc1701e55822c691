"""What [fairness], [gates] and [domain] ask for, compared with what an audit has."""

from collections.abc import Iterator, Sequence

from flows.stages.plan import read_audit_attributes
from pipeline.config.audit import Audit, FairnessConfig
from pipeline.exceptions import ConfigError
from pipeline.files.toml_file import nearest


def check_names(audit: Audit) -> None:
    """Raise ConfigError listing what [fairness], [gates] and [domain] name or ask for in vain."""
    known = {attribute.name for attribute in read_audit_attributes(audit)}
    if audit.dataset.truth is not None:
        known |= set(audit.dataset.truth.attributes)
    problems = [
        f"{key}: {name!r} is no attribute of this audit; {nearest(name, known)}"
        for key, names in _list_named(audit)
        for name in names
        if name not in known
    ]
    sensitive = list_sensitive(audit)
    if audit.gates is not None and not sensitive:
        problems.append(
            "[gates]: no attribute is marked sensitive; name some in attributes = [...]"
        )
    if audit.fairness is not None:
        problems += _list_useless(audit, audit.fairness, sensitive)
    if problems:
        raise ConfigError.from_problems(audit.name, problems)


def list_sensitive(audit: Audit) -> list[str]:
    """Return the attributes whose groups are compared: those named, else those marked sensitive."""
    named = list(audit.fairness.attributes) if audit.fairness else []
    if not named:
        named = [a.name for a in read_audit_attributes(audit) if a.sensitive]
    gated = audit.gates.attributes if audit.gates else ()
    return [*named, *(name for name in gated if name not in named)]


def require_sensitive(audit: Audit) -> None:
    """Raise ConfigError if the audit has no attribute whose groups could be compared."""
    if not list_sensitive(audit):
        raise ConfigError(
            f"{audit.name}: no attribute is marked sensitive, so there are no groups to compare; "
            "name some in [fairness] attributes = [...]"
        )


def _list_useless(audit: Audit, asked: FairnessConfig, sensitive: Sequence[str]) -> list[str]:
    """List what [fairness] asks for and can do nothing; no group is adjusted for itself."""
    problems = []
    if len(sensitive) == 1 and set(sensitive) == set(asked.adjust_for):
        problems.append(
            f"[fairness] adjust_for: {sensitive[0]!r} makes the groups that are compared, and "
            "no group is adjusted for itself; name what else may explain a gap"
        )
    if asked.positive is not None and all(s.format != "classification" for s in audit.systems):
        problems.append("[fairness] positive: no system of the audit is a classifier; remove it")
    return problems


def _list_named(audit: Audit) -> Iterator[tuple[str, tuple[str, ...]]]:
    if audit.fairness is not None:
        yield "[fairness] attributes", audit.fairness.attributes
        yield "[fairness] adjust_for", audit.fairness.adjust_for
    if audit.gates is not None:
        yield "[gates] attributes", audit.gates.attributes
    yield "[domain] attributes", audit.domain.attributes
