"""Checks of an audit before an hour of work depends on it: paths, names and columns."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.config.audit import Audit, FairnessConfig, Truth
from pipeline.exceptions import ConfigError
from pipeline.files.toml_file import nearest
from pipeline.labels.attribute_file import Attribute
from pipeline.labels.given import select_targets
from pipeline.labels.mappings import MappingFit, fit_given, refuse_other_values
from pipeline.labels.measured import refuse_whole_images
from pipeline.samples.sample_set import SampleSet
from pipeline.vocabulary import CLUSTER


def check_paths(audit: Audit, *, config: Path) -> None:
    """Raise ConfigError listing what is not there to read, and what cannot be written."""
    written = {"workspace": audit.workspace, "[report] folder": audit.report.folder}
    problems = [
        f"{key} {folder}: {problem}"
        for key, folder in written.items()
        for problem in _list_unwritable(folder)
    ]
    problems += [
        f"{key} {path}: there is no such {kind}" for key, path, kind in _list_absent(audit)
    ]
    if problems:
        raise ConfigError.from_problems(str(config), problems)


def _list_absent(audit: Audit) -> Iterator[tuple[str, Path, str]]:
    """Yield the key, the path and the kind of every input that is not there."""
    dataset = audit.dataset
    for folder in dataset.images:
        if not folder.is_dir():
            yield "dataset.images", folder, "folder"
    truth = () if dataset.truth is None else (dataset.truth.file,)
    detections = None if dataset.boxes is None else dataset.boxes.detections
    of_folders = dataset.format_record.annotations == "folders"
    by_image = {"dataset.annotations": dataset.annotations} if of_folders else {}
    by_image |= {
        f"predictions of {system.name!r}": system.predictions
        for system in audit.systems
        if system.format == "yolo-detections"
    }
    for key, folders in by_image.items():  # one file an image
        for folder in folders:
            if not folder.is_dir():
                yield key, folder, "folder"
    files = {
        "dataset.annotations": dataset.annotations,
        "dataset.boxes.detections": () if detections is None else (detections,),
        "dataset.table": () if dataset.table is None else (dataset.table,),
        "dataset.columns": () if dataset.columns is None else (dataset.columns.file,),
        "dataset.truth.file": truth,
        **{f"predictions of {s.name!r}": s.predictions for s in audit.systems},
    }
    for key, paths in files.items():
        for path in () if key in by_image else paths:
            if not path.is_file():
                yield key, path, "file"


def _list_unwritable(folder: Path) -> Iterator[str]:
    """Yield what is wrong with the nearest part of the path that is there already."""
    there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if not there.is_dir():
        yield f"{there} is no folder; move it away or name another folder"
    elif not os.access(there, os.W_OK | os.X_OK):
        yield f"{there} cannot be written; change its permissions or name another folder"


def check_names(audit: Audit, attributes: Sequence[Attribute], sensitive: Sequence[str]) -> None:
    """Raise ConfigError listing what [fairness], [gates], [domain] and truth name without effect.

    attributes: those of the audit. sensitive: as `list_sensitive` returns them.
    """
    known = {CLUSTER} | {attribute.name for attribute in attributes}
    if audit.dataset.truth is not None:
        known |= set(audit.dataset.truth.attributes)
    problems = [
        f"{key}: {name!r} is no attribute of this audit; {nearest(name, known)}"
        for key, names in _list_named(audit)
        for name in names
        if name not in known
    ]
    own = {attribute.name for attribute in attributes}
    problems += [
        f"system {one.name!r}: {one.attribute!r} is no attribute of this audit; "
        f"{nearest(one.attribute, own)}"
        for one in audit.systems
        if one.attribute is not None and one.attribute not in own
    ]
    problems += _list_unfit_truth(audit, attributes)
    if audit.gates is not None and audit.gates.max_gap is not None and not sensitive:
        problems.append(
            "[gates] max_gap: no attribute is marked sensitive; name some in attributes = [...]"
        )
    if audit.regions is not None and all(one.kind != "prompts" for one in attributes):
        problems.append(
            "[regions]: they are searched in vectors, and no attribute needs any; use one with "
            "prompts or remove the table"
        )
    if audit.fairness is not None:
        problems += _list_without_effect(audit, audit.fairness, sensitive)
    if problems:
        raise ConfigError.from_problems(audit.name, problems)


def list_sensitive(audit: Audit, attributes: Sequence[Attribute]) -> list[str]:
    """Return the attributes whose groups are compared: those named, else those marked sensitive."""
    named = list(audit.fairness.attributes) if audit.fairness else []
    if not named:
        named = [a.name for a in attributes if a.sensitive]
    gated = audit.gates.attributes if audit.gates else ()
    return [*named, *(name for name in gated if name not in named)]


def has_comparison(audit: Audit, sensitive: Sequence[str]) -> bool:
    """Return whether there are groups to compare, or a gate on the mean error to judge."""
    return bool(sensitive) or (audit.gates is not None and audit.gates.max_error is not None)


def require_comparison(audit: Audit, sensitive: Sequence[str]) -> None:
    """Raise ConfigError if the audit has no groups to compare and no gate on the mean error."""
    if not has_comparison(audit, sensitive):
        raise ConfigError(
            f"{audit.name}: no attribute is marked sensitive, so there are no groups to compare; "
            "name some in [fairness] attributes = [...]"
        )


def check_columns(
    attributes: Sequence[Attribute],
    found: SampleSet,
    *,
    sample: str,
    truth: Truth | None = None,
    limited: bool = False,
) -> list[MappingFit]:
    """Check attributes against a dataset that was read, before hours of work.

    sample: image or object. truth: [dataset.truth]. limited: whether only some of the samples were
    read. Returns how the mappings of given attributes fit. Raises DatasetError for one without its
    column, whose mapping cannot be meant, or none of whose cells is a true value, and ConfigError
    for an attribute of boxes in an audit of images.
    """
    if sample == "image":
        refuse_whole_images(attributes)
    fits = []
    for attribute in attributes:
        if attribute.kind == "given":
            targets = select_targets(found.samples, attribute)
            fits.append(fit_given(attribute, found.columns, targets, complete=not limited))
            known = truth.attributes.get(attribute.name, {}) if truth else {}
            if not attribute.values:
                refuse_other_values(attribute, found.columns, targets, known)
    return [fit for fit in fits if fit is not None]


def _list_unfit_truth(audit: Audit, attributes: Sequence[Attribute]) -> list[str]:
    """List true values of attributes that the audit does not use, or that these do not have."""
    truth = {} if audit.dataset.truth is None else audit.dataset.truth.attributes
    by_name = {attribute.name: attribute for attribute in attributes}
    named = {name for _, names in _list_named(audit) for name in names}
    problems = []
    for name, values in truth.items():
        where = f"[dataset.truth.{name}]"
        if name not in by_name:
            if name not in named and audit.slices.labels != "truth":
                hint = nearest(name, by_name)
                problems.append(f"{where}: no attribute of this audit has that name; {hint}")
            continue
        attribute = by_name[name]
        known = attribute.names if attribute.kind == "measured" else attribute.values
        problems += [
            f"{where}: attribute {name!r} has no value {value!r}; {nearest(value, known)}"
            for value in values
            if known and value not in known
        ]
    return problems


def _list_without_effect(
    audit: Audit, asked: FairnessConfig, sensitive: Sequence[str]
) -> list[str]:
    """List what [fairness] asks for without effect; no group is adjusted for itself."""
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
