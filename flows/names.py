"""The attributes that the sections of an audit name, compared with those that it has."""

from collections.abc import Iterator

from flows.plan import read_audit_attributes
from pipeline.config import Audit
from pipeline.exceptions import ConfigError
from pipeline.toml_file import nearest


def check_names(audit: Audit) -> None:
    """Raise ConfigError listing every name in [fairness], [gates] and [domain] that is unknown."""
    known = {attribute.name for attribute in read_audit_attributes(audit)}
    if audit.dataset.truth is not None:
        known |= set(audit.dataset.truth.attributes)
    problems = [
        f"{key}: {name!r} is no attribute of this audit; {nearest(name, known)}"
        for key, names in _list_named(audit)
        for name in names
        if name not in known
    ]
    if audit.gates is not None and not list_sensitive(audit):
        problems.append(
            "[gates]: no attribute is marked sensitive; name some in attributes = [...]"
        )
    if problems:
        raise ConfigError.from_problems(audit.name, problems)


def list_sensitive(audit: Audit) -> list[str]:
    """Return the attributes whose groups are compared: those named, else those marked sensitive."""
    named = list(audit.fairness.attributes) if audit.fairness else []
    if not named:
        named = [a.name for a in read_audit_attributes(audit) if a.sensitive]
    gated = audit.gates.attributes if audit.gates else ()
    return [*named, *(name for name in gated if name not in named)]


def _list_named(audit: Audit) -> Iterator[tuple[str, tuple[str, ...]]]:
    if audit.fairness is not None:
        yield "[fairness] attributes", audit.fairness.attributes
        yield "[fairness] adjust_for", audit.fairness.adjust_for
    if audit.gates is not None:
        yield "[gates] attributes", audit.gates.attributes
    yield "[domain] attributes", audit.domain.attributes
