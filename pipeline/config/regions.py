"""[regions] of audit.toml."""

from pydantic import Field

from pipeline.config.section import Section


class RegionsConfig(Section):
    """Regions of the embedding space that a run searches; without this table it searches none."""

    top: int = Field(default=3, ge=1, le=10)  # regions to list, of each system
