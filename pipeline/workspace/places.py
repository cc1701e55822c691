"""Where everything in a workspace is."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class WorkspacePlaces:
    """The folders of a workspace.

    shards: where its shards are instead of in it: another folder, or a path on other storage.
    database_copy: what is read in place of the database.
    """

    folder: Path
    patience: float = 10.0  # seconds to wait for another process to close the database
    shards: Path | None = None
    database_copy: Path | None = None

    @property
    def shard_root(self) -> Path:
        """The folder under which all shards are."""
        return self.shards or self.folder

    @property
    def database(self) -> Path:
        """The DuckDB file, or the copy of it that is read."""
        return self.database_copy or self.folder / "weakspot.duckdb"

    @property
    def embeddings(self) -> Path:
        """The folder of image vectors, one sub-folder an encoder."""
        return self.shard_root / "embeddings"

    @property
    def scans(self) -> Path:
        """The folder of all vectors as one array, derived from them, one sub-folder an encoder."""
        return self.folder / "scan"

    @property
    def prompts(self) -> Path:
        """The folder of prompt vectors, one sub-folder an encoder."""
        return self.shard_root / "prompts"

    @property
    def probes(self) -> Path:
        """The folder of trained probes, one sub-folder an encoder."""
        return self.folder / "probes"

    @property
    def measurements(self) -> Path:
        """The folder of measurement shards."""
        return self.shard_root / "measurements"

    @property
    def broken(self) -> Path:
        """The folder of what is known about content that cannot be decoded."""
        return self.shard_root / "broken"

    @property
    def maps(self) -> Path:
        """The folder of maps of the embedding space, one sub-folder a map."""
        return self.folder / "maps"

    @property
    def dataset(self) -> Path:
        """The folder of the sample set as last read."""
        return self.folder / "dataset"

    @property
    def slices(self) -> Path:
        """The folder of counted families, one Parquet file a run."""
        return self.folder / "slices"

    @property
    def results(self) -> Path:
        """The folder of what runs made besides findings, one sub-folder a run."""
        return self.folder / "results"

    @property
    def outcomes(self) -> Path:
        """The folder of how a system's outputs are matched, one Parquet file an error_id."""
        return self.folder / "outcomes"

    def locate_texts(self, reader_id: str) -> Path:
        """Return the folder of what one reader of text read."""
        return self.shard_root / "texts" / reader_id
