"""What a workspace held at one moment, joined so that every page is answered from memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from pipeline.arrays import Ints, Mask
from pipeline.browsing.condition_columns import ConditionColumn
from pipeline.exceptions import ConfigError
from pipeline.files.remote_path import make_path
from pipeline.files.toml_file import nearest
from pipeline.images.crop import Box
from pipeline.predicates import find_order_faults
from pipeline.statistics.estimates import Values
from pipeline.workspace.manifests import LabelledAttribute, Record

CATEGORIES = 1000  # values of a text column that a condition checks names against


class SnapshotSystem(Record):
    """One system. share: whether all of its errors lie within 0 and 1."""

    name: str
    metric: str
    error_id: str
    share: bool


class SnapshotCard(Record):
    """What a snapshot is of.

    root: the folder of the images. searched: run_id of the last search, "" without one; stale:
    why its findings may not be of these labels and errors. limit: as --limit. link_roots: where
    links in the dataset may lead; None: anywhere.
    """

    snapshot_id: str
    name: str
    root: str
    link_roots: tuple[str, ...] | None
    of_objects: bool
    attributes: tuple[LabelledAttribute, ...] = ()
    truth: tuple[str, ...] = ()
    systems: tuple[SnapshotSystem, ...] = ()
    encoder_id: str | None = None
    searched: str = ""
    finished_at: str = ""
    label_source: str = "predicted"
    stale: tuple[str, ...] = ()
    limit: int | None = None


@dataclass(frozen=True)
class Snapshot:
    """A workspace at one moment.

    samples: one row a sample that errors belong to, sorted by sample_id; beside the columns of
    SAMPLES there are `image` (a number, the same for samples of one image), `label.NAME`,
    `score.NAME`, `margin.NAME`, `truth.NAME`, `error.SYSTEM`, `measure.NAME` and `held_out.SYSTEM`
    (whether the search held it out), where these are known. findings: FINDINGS of the last search.
    runs: RUNS, the oldest first. all_findings: of every run.
    """

    card: SnapshotCard
    samples: pl.DataFrame
    all_findings: pl.DataFrame
    runs: pl.DataFrame

    @property
    def snapshot_id(self) -> str:
        """Names the snapshot; another one has other content."""
        return self.card.snapshot_id

    def find_place(self, sample_id: str) -> tuple[str, Box | None] | None:
        """Return the path of a sample's image and its box in it; None for an unknown sample."""
        row = self.find_row(sample_id)
        if row is None:
            return None
        path, x, y, w, h = self.samples.select("path", "x", "y", "w", "h").row(row)
        return path, None if x is None else (x, y, w, h)

    @property
    def root(self) -> Path:
        """The folder that paths of samples are relative to."""
        return make_path(self.card.root)

    @cached_property
    def findings(self) -> pl.DataFrame:
        """FINDINGS of the last search, by system and rank."""
        own = self.all_findings.filter(pl.col("run_id") == self.card.searched)
        return own.sort("system", "rank")

    def find_system(self, name: str | None) -> SnapshotSystem | None:
        """Return a system by its name, the first without one; None where nothing is scored.

        Raises ConfigError for a name that is not there.
        """
        if name is None:
            return next(iter(self.card.systems), None)
        known = {one.name: one for one in self.card.systems}
        if name not in known:
            hint = nearest(name, known) if known else "none is scored"
            raise ConfigError(f"system {name!r} is not known here; {hint}")
        return known[name]

    def find_row(self, sample_id: str) -> int | None:
        """Return the row of a sample; None where there is no such sample."""
        ids = self.samples["sample_id"]
        place = int(ids.search_sorted(sample_id))
        return place if place < len(ids) and ids[place] == sample_id else None

    @cached_property
    def _images(self) -> tuple[Ints | None, int]:
        numbers = self.samples["image"].to_numpy().astype(np.int64)
        count = int(numbers.max(initial=-1)) + 1
        return (None if count == len(numbers) else numbers), count

    def read_errors(self, system: SnapshotSystem) -> tuple[Values, Mask]:
        """Return (n,) errors with their images, and which samples have one."""
        if system.name not in self._errors:
            numbers = self.samples[f"error.{system.name}"].cast(pl.Float64).to_numpy()
            known = ~np.isnan(numbers)
            filled = np.where(known, numbers, 0.0)
            rate = bool(np.isin(filled, (0.0, 1.0)).all())
            images, count = self._images
            self._errors[system.name] = Values(filled, images, count, rate), known
        return self._errors[system.name]

    @cached_property
    def _errors(self) -> dict[str, tuple[Values, Mask]]:
        return {}

    @cached_property
    def _shared_columns(self) -> dict[str, ConditionColumn]:
        """Everything that a condition may name, but for `error` and attributes' plain names."""
        found = {}
        for name, dtype in self.samples.schema.items():
            if name in {"image", "content_key", "size", "mtime"} or name.startswith("label."):
                continue
            plain = name if "." in name else f"sample.{name}"
            found[plain] = self._describe_column(name, dtype)
        return found

    def _describe_column(self, name: str, dtype: pl.DataType) -> ConditionColumn:
        if dtype.is_numeric():
            return ConditionColumn(name, "number")
        if isinstance(dtype, pl.Enum):
            return ConditionColumn(name, "value", tuple(dtype.categories))
        return ConditionColumn(name, "text")

    @cached_property
    def _attribute_columns(self) -> dict[str, ConditionColumn]:
        return {
            one.name: _describe_attribute(one, self.samples.schema[f"label.{one.name}"])
            for one in self.card.attributes
        }

    def list_columns(self, system: SnapshotSystem | None) -> Mapping[str, ConditionColumn]:
        """Return what a condition may name.

        Attributes by their own names; `error` is that of the system; columns of samples also
        without "sample." where no attribute is called so, measures without "measure.".
        """
        columns = dict(self._shared_columns)
        for name, column in self._shared_columns.items():
            kind, _, plain = name.partition(".")
            if kind in ("sample", "measure"):
                columns.setdefault(plain, column)
        if system is not None:
            columns["error"] = ConditionColumn(f"error.{system.name}", "number")
            if f"held_out.{system.name}" in columns:
                columns["held_out"] = columns[f"held_out.{system.name}"]
        return {**columns, **self._attribute_columns}


def _describe_attribute(attribute: LabelledAttribute, dtype: pl.DataType) -> ConditionColumn:
    values = tuple(dtype.categories) if isinstance(dtype, pl.Enum) else attribute.values
    order: Sequence[str] = attribute.values
    others = [value for value in values if value not in order]
    usable = len(order) > 1 and not find_order_faults(order, others=others)
    return ConditionColumn(
        f"label.{attribute.name}", "value", values, tuple(order) if usable else ()
    )
