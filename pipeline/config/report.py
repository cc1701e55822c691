"""[report] of audit.toml."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from pipeline.config.section import LocalPath, Section


class ReportConfig(Section):
    """Where the report goes."""

    # index.html is written there, and limited/index.html by a run with --limit; the pages behind
    # it lie in runs/RUN_ID beside it.
    folder: LocalPath = Field(default=Path("report"), validate_default=True)
    # Reports of earlier runs that are kept in it, as runs/RUN_ID/index.html; 0 keeps none but the
    # newest.
    keep: int = Field(default=30, ge=0)
    # The address at which the folder is served, for links to the report; without it file://.
    base_url: str | None = Field(default=None, pattern=r"^https?://\S+$")
    # Pictures of samples: as they are, with blurred faces and heads, or none at all.
    thumbnails: Literal["full", "blurred-faces", "none"] = "full"
    # Whether files of samples are named; without it where there are pictures.
    file_names: bool | None = None
    language: Literal["en", "de"] = "en"  # of all pages; notes of the stages stay English

    @property
    def names_files(self) -> bool:
        """Whether files of samples are named."""
        return self.thumbnails != "none" if self.file_names is None else self.file_names
