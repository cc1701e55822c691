"""What a run gives back: counts, findings, gaps, the verdict of the gates, and how long it took."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.exceptions import WeakspotError

COUNTS = (
    "samples",
    "rejects",
    "images_embedded",
    "prompts_encoded",
    "samples_labelled",
    "errors",
    "samples_without_error",
    "errors_without_sample",
    "slices",
)


@dataclass(frozen=True)
class Summary:
    """One run: counts of what was made, findings and gaps worst first, seconds per stage.

    systems: for each scored system the counts of its outputs, and why they are questionable.
    worth_checking: slices that wrong labels hide. gates: for each system pass, fail, insufficient
    evidence or not judged, where the audit has gates and they were asked. limit: how many samples
    were taken, as --limit; None for all. audit: the path of audit.toml. kept: stages that were not
    done, since nothing that they read changed -> the run that did them last.
    """

    run_id: str
    counts: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Mapping[str, Any], ...] = ()
    worth_checking: tuple[Mapping[str, Any], ...] = ()
    gaps: tuple[Mapping[str, Any], ...] = ()
    gates: Mapping[str, str] = field(default_factory=dict)
    systems: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    report: str | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    limit: int | None = None
    audit: str = ""
    kept: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the summary as one JSON object; every count is there, 0 when nothing was made."""
        content = asdict(self)
        content["counts"] = {**dict.fromkeys(COUNTS, 0), **self.counts}
        return json.dumps(content, ensure_ascii=False)


class GatesFailedError(WeakspotError):
    """A gap between groups is larger than the gates allow; all that was asked for is done."""

    exit_code = 3

    def __init__(self, message: str, summary: Summary) -> None:
        super().__init__(message)
        self.summary = summary
