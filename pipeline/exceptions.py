"""WeakspotError and its subclasses: errors whose message is written for the user."""

from collections.abc import Iterable


class WeakspotError(Exception):
    """An error whose message says what is wrong, where, and what to do; shown without traceback."""

    exit_code = 1

    @classmethod
    def from_problems(cls, where: str, problems: Iterable[str]) -> "WeakspotError":
        """Make one error that lists every problem found in `where` (a file, table or column)."""
        found = list(problems)
        count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
        return cls("\n".join([f"{where}: {count}", *(f"  - {problem}" for problem in found)]))


class ConfigError(WeakspotError):
    """audit.toml, an attribute file or an argument asks for something that cannot be."""

    exit_code = 2


class ConditionError(ConfigError):
    """A condition on samples cannot be read; `position` counts its characters, from 0."""

    def __init__(self, message: str, *, position: int) -> None:
        super().__init__(message)
        self.position = position


class NotFoundError(ConfigError):
    """A sample, finding, run or the like that is asked for is not there."""


class TableError(WeakspotError):
    """A frame does not have the columns or types that its table promises."""


class DatasetError(WeakspotError):
    """A dataset's own files (annotations, table, folder) cannot be read as its format."""


class PredictionsError(WeakspotError):
    """The outputs of the system under audit cannot be turned into errors."""


class EncoderError(WeakspotError):
    """The image-text model cannot be found or loaded, or does not fit what is stored."""


class EncoderMismatchError(EncoderError):
    """Vectors that are to be compared come from different encoders."""


class StoreError(WeakspotError):
    """The workspace cannot be opened, is locked, or is of another version."""


class DamagedDatabaseError(StoreError):
    """The database of a workspace cannot be read any more."""


class AbsentDatabaseError(StoreError):
    """The database of a workspace, or its tables, are not there."""


class WorkspaceInUseError(StoreError):
    """Another run is using the workspace."""


class SearchError(WeakspotError):
    """The slice search was asked for something it cannot count."""


class StorageError(OSError):
    """Other storage cannot be used: no bucket, no credentials, a server that does not answer.

    No WeakspotError: it may pass, and a task that is tried again then meets it no more.
    """
