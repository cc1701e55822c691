"""An audit with all that its files say: parsed once a run, passed on as one frozen value."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.run.preflight import check_names, list_sensitive
from flows.run.reading.saved_attributes import SavedAttribute, read_saved_attributes
from pipeline.config.audit import Audit, read_audit
from pipeline.exceptions import ConfigError
from pipeline.files.toml_file import read_toml
from pipeline.labels.attribute_file import Attribute, read_attributes
from pipeline.labels.measured import list_same_measure

_PARSED: dict[Path, tuple[tuple[int, ...], Audit]] = {}  # by path, with what identifies the file


@dataclass(frozen=True)
class ResolvedAudit:
    """audit.toml, the attributes that it uses, and the names of those whose groups are compared.

    saved: those of the attributes that were saved in the workspace while browsing it.
    """

    audit: Audit
    attributes: tuple[Attribute, ...]
    sensitive: tuple[str, ...]
    saved: tuple[SavedAttribute, ...] = ()

    @property
    def of_objects(self) -> bool:
        """Whether the samples are objects or detections, not whole images."""
        return self.audit.dataset.sample != "image"

    @property
    def ordered(self) -> tuple[str, ...]:
        """The attributes of which runs of adjacent values are searched."""
        return tuple(one.name for one in self.attributes if one.is_ordered)

    @property
    def exclusive(self) -> tuple[tuple[str, ...], ...]:
        """Sets of attributes that bin one measure, and so are not combined."""
        return list_same_measure(self.attributes, of_objects=self.of_objects)


def resolve_audit(path: Path) -> ResolvedAudit:
    """Read audit.toml and its attribute files.

    Raises ConfigError listing every problem of a file, or every name that is not known.
    """
    audit = read_audit_once(path)
    used = read_attributes(audit.attributes.use, base=Path(), given=audit.attributes.given)
    return complete_audit(audit, used)


def complete_audit(audit: Audit, used: Sequence[Attribute]) -> ResolvedAudit:
    """Return an audit with the attributes that it uses, and those saved in its workspace.

    Raises ConfigError listing every name that is not known.
    """
    saved = read_saved_attributes(audit.workspace, used={one.name for one in used})
    attributes = [*used, *(one.attribute for one in saved)]
    sensitive = list_sensitive(audit, attributes)
    check_names(audit, attributes, sensitive)
    return ResolvedAudit(audit, tuple(attributes), tuple(sensitive), saved)


def read_audit_once(path: Path) -> Audit:
    """Read and validate audit.toml; a process that asks again parses it only after it changed.

    Raises ConfigError listing every problem with its line.
    """
    try:
        status = path.stat()
    except OSError:
        return read_audit(path)  # which says so
    identity = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    known, audit = _PARSED.get(path.absolute(), (None, None))
    if audit is None or known != identity:
        audit = read_audit(path)
        _PARSED[path.absolute()] = (identity, audit)
    return audit


def read_name(path: Path) -> str:
    """Return the name of the audit in `path`; that of the file where it cannot be read."""
    try:
        return str(read_toml(path).data.get("name") or path.stem)
    except ConfigError:
        return path.stem
