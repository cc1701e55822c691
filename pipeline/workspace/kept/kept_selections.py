"""What a person saved while browsing: a journal that only grows, and what its lines amount to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from pipeline.exceptions import StoreError
from pipeline.workspace.journals.journal_file import append_lines
from pipeline.workspace.manifests import Record

SavedAs = Literal["slice", "attribute"]


class Selection(Record):
    """Samples that were given a name.

    saved_as: a slice is a condition with a name; an attribute has `file`, its definition, and where
    its values are given by sample `labels`, a CSV file of sample_id and values. where, text,
    without, like: what chose the samples; picked: how many were picked by hand, of n in all.
    system: whose errors were shown. snapshot_id: what was shown. saved_at: ISO 8601, UTC.
    """

    name: str
    saved_as: SavedAs
    n: int
    where: str = ""
    text: str = ""
    without: str = ""
    like: str = ""
    picked: int = 0
    system: str | None = None
    file: str | None = None
    labels: str | None = None
    snapshot_id: str = ""
    saved_at: str = ""
    kind: Literal["saved"] = "saved"


class Removal(Record):
    """A selection is no longer one."""

    name: str
    removed_at: str = ""
    kind: Literal["removed"] = "removed"


_LINE: TypeAdapter[Selection | Removal] = TypeAdapter(
    Annotated[Selection | Removal, Field(discriminator="kind")]
)


@dataclass(frozen=True)
class SelectionJournal:
    """The selections of the workspace `folder`; several processes may write at a time."""

    folder: Path

    @property
    def path(self) -> Path:
        """The file, one JSON object a line."""
        return self.folder / "selections" / "journal.jsonl"

    def append(self, line: Selection | Removal) -> None:
        """Keep a line; it is on disk when this returns. Raises StoreError when it cannot be."""
        append_lines(self.path, f"{line.model_dump_json()}\n".encode())

    def read(self) -> tuple[Selection, ...]:
        """Return the selections that hold, the oldest first; a torn line is left out.

        Raises StoreError where the file cannot be read.
        """
        try:
            content = self.path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be read: {error.strerror}") from None
        held: dict[str, Selection] = {}
        for text in content.split(b"\n"):
            try:
                line = _LINE.validate_json(text)
            except ValidationError:
                continue
            held.pop(line.name, None)
            if isinstance(line, Selection):
                held[line.name] = line
        return tuple(held.values())

    def find(self, name: str) -> Selection | None:
        """Return the selection of a name, None where there is none."""
        return next((one for one in self.read() if one.name == name), None)
