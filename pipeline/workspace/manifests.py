"""What each stage notes for the stages after it: frozen values, one class a stage, kept as JSON."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.exceptions import StoreError, WeakspotError
from pipeline.files.whole_files import write_text


class Record(BaseModel):
    """A frozen value that is kept as JSON; unknown and missing fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Manifest(Record):
    """What one stage made: a file of its own in the folder `manifests` of a workspace."""

    stage: ClassVar[str]  # names the file
    command: ClassVar[str]  # `weakspot COMMAND` makes it again

    @classmethod
    def locate(cls, workspace: Path) -> Path:
        """Return where this manifest of a workspace is."""
        return workspace / "manifests" / f"{cls.stage}.json"

    @classmethod
    def read(cls, workspace: Path) -> Self:
        """Return what the stage noted last.

        Raises StoreError, naming the command to run, when the stage has not run here, or when the
        file is broken or of another version.
        """
        path = cls.locate(workspace)
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise StoreError(
                f"{workspace}: stage {cls.stage!r} has not run here yet; run "
                f"`weakspot {cls.command}` or `weakspot run` first"
            ) from None
        except ValidationError as error:
            raise _explain_faults(str(path), cls.command, error) from None
        except OSError as error:
            raise StoreError(f"{path}: cannot be read: {error.strerror}") from None

    @classmethod
    def find(cls, workspace: Path) -> Self | None:
        """Return what the stage noted last, None when it has not run here; raises as `read`."""
        return cls.read(workspace) if cls.locate(workspace).exists() else None

    def write(self, workspace: Path) -> None:
        """Keep this as what the stage noted last."""
        write_text(self.model_dump_json(indent=1), self.locate(workspace))


class SamplesManifest(Manifest):
    """The dataset as last read.

    root: the folder that paths of samples are relative to. notes: of its own files, for the reader.
    asked: hash of [dataset] without its true values; None of an older version. limit: as --limit;
    None for all samples.
    """

    stage = "samples"
    command = "embed"

    counts: Mapping[str, int]
    root: str | None = None
    notes: tuple[str, ...] = ()
    asked: str | None = None
    limit: int | None = None


class TextsManifest(Manifest):
    """The reader whose texts attributes are measured of."""

    stage = "texts"
    command = "embed"

    reader_id: str


class LabelledAttribute(Record):
    """One attribute as it was labelled.

    asked: hash of its definition. edges: of the bins of a measured one. values: in the order to
    show them; none where the data alone knows them. notes: in words, such as whether a probe labels
    it and why.
    """

    name: str
    label_id: str
    kind: str = "given"
    source: Literal["zero-shot", "measured", "given", "truth", "probe", "cluster"]
    applies_to: str = "image"
    sensitive: bool = False
    reference: str = ""
    asked: str | None = None
    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class LabelManifest(Manifest):
    """The labels that were made last.

    truth: attribute -> label_id of its true values. truth_gaps: in words, what the file of true
    values and the samples lack. truth_asked, encoder_asked, dataset_asked: hashes of
    [dataset.truth], of [encoder] and of the rest of [dataset]; None of an older version. limit: of
    the samples that were labelled. probes_asked: hash of what [attributes] says of probes.
    """

    stage = "label"
    command = "label"

    attributes: tuple[LabelledAttribute, ...]
    truth: Mapping[str, str]
    truth_gaps: tuple[str, ...] = ()
    encoder_id: str | None = None
    truth_asked: str | None = None
    encoder_asked: str | None = None
    dataset_asked: str | None = None
    limit: int | None = None
    probes_asked: str | None = None

    @property
    def by_name(self) -> dict[str, LabelledAttribute]:
        """The labelled attributes by name."""
        return {attribute.name: attribute for attribute in self.attributes}


class QualityManifest(Manifest):
    """The labels whose quality was measured last.

    made_from: hash of these, of what they were judged by and of what was asked. labels: attribute
    -> label_id.
    """

    stage = "quality"
    command = "label-quality"

    made_from: str
    labels: Mapping[str, str]


class MapManifest(Manifest):
    """The map of the embedding space that was made last.

    folder: of its positions, in `maps`. method, landmarks, seed: how it was made.
    """

    stage = "map"
    command = "map"

    encoder_id: str
    folder: str
    method: str
    landmarks: int
    seed: int


class ScoredSystem(Record):
    """One system as it was scored.

    asked: hash of its table in audit.toml. warnings: in words, why its outputs may not be what they
    seem.
    """

    error_id: str
    asked: str | None = None
    errors: int = 0
    samples_without_error: int = 0
    errors_without_sample: int = 0
    notes: Mapping[str, object] = {}
    warnings: tuple[str, ...] = ()


class ScoreManifest(Manifest):
    """The errors that were made last, by system.

    dataset_asked: hash of [dataset]; None of an older version. limit: of the samples scored.
    """

    stage = "score"
    command = "score"

    systems: Mapping[str, ScoredSystem]
    dataset_asked: str | None = None
    limit: int | None = None


class Inputs(Record):
    """What identifies the samples, labels and errors that a search or a comparison read.

    samples: a hash. labels, truth: attribute -> label_id. errors: system -> error_id. checks: a
    hash of what people said of labels, "" without such answers.
    """

    samples: str
    labels: Mapping[str, str]
    truth: Mapping[str, str]
    errors: Mapping[str, str]
    checks: str = ""


class SearchedSystem(Record):
    """What the search of one system's errors read, beyond its slices.

    n, error: of all samples. holdout_n: how many of them were held out from the search.
    """

    n: int
    holdout_n: int = 0
    samples_without_labels: int
    error: float
    detectable_gap: float | None
    notes: tuple[str, ...]


class CountedDomain(Record):
    """Which combinations were counted: of these attributes, so many at a time."""

    attributes: tuple[str, ...]
    level: int
    min_samples: int


class SearchRecord(Record):
    """What a run searched: kept as JSON in the column `search` of the table `runs`.

    left_out: attributes that could not be searched for lack of true values. slices: counted in all
    systems. label_source: as [slices] labels. domain: None where nothing was counted. asked: hash
    of [slices] and [domain]; None of an older version. limit: of the samples that were searched.
    """

    systems: Mapping[str, SearchedSystem]
    left_out: tuple[str, ...]
    slices: int
    inputs: Inputs
    label_source: str
    domain: CountedDomain | None = None
    asked: str | None = None
    limit: int | None = None

    @classmethod
    def from_json(cls, text: str, *, source: str) -> Self:
        """Read what `model_dump_json` wrote; raises StoreError naming `source` if it is none."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise _explain_faults(source, "find", error) from None


class ComparedGroups(Record):
    """One comparison of groups: of which system, by which labels, and what it noted."""

    system: str
    labels: Literal["predicted", "truth"]
    attributes: tuple[str, ...]
    adjust_for: tuple[str, ...]
    samples: int
    samples_without_labels: int
    notes: tuple[str, ...]


class FairnessManifest(Manifest):
    """The comparison of groups that was made last.

    asked: hash of [fairness] and [gates]; of limited samples that no gate is to judge, without
    [gates]. verdicts: of the gates, by system; none without gates.
    """

    stage = "fairness"
    command = "fairness"

    run_id: str
    asked: str
    inputs: Inputs
    compared: tuple[ComparedGroups, ...]
    verdicts: Mapping[str, str] = {}


def _explain_faults(source: str, command: str, error: ValidationError) -> WeakspotError:
    """Return an error that says of each faulty field where it is and what is wrong with it."""
    where = f"{source} is broken or of another version, run `weakspot {command}` again"
    return StoreError.from_problems(where, [_describe(fault) for fault in error.errors()])


def _describe(fault: Mapping[str, Any]) -> str:
    place = ".".join(map(str, fault["loc"]))
    return f"{place}: {fault['msg']}" if place else str(fault["msg"])
