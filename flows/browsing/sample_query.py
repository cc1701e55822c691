"""What is asked of the samples: a condition, an order, words and pictures, and a page."""

from dataclasses import dataclass
from typing import Final

from pipeline.exceptions import ConfigError

SIMILARITY: Final = "similarity"  # the order of a search
MOST: Final = 500  # samples of one page
PAGE: Final = 60
LONGEST_TEXT: Final = 500  # characters of a query
UPLOADED: Final = "upload-"  # begins `like` where it names a picture that was sent


@dataclass(frozen=True)
class SampleQuery:
    """A page of samples as an address asks for it.

    where: a condition. sort: a name that conditions know, "similarity", or the default, "";
    descending with "-" before it. system: whose error is meant. text, without: what is searched
    for, and what it shall not be. like: a sample_id, or the name of an uploaded picture. after: the
    cursor of the page before.
    """

    where: str = ""
    sort: str = ""
    system: str | None = None
    text: str = ""
    without: str = ""
    like: str = ""
    limit: int = PAGE
    after: str = ""

    def __post_init__(self) -> None:
        """Raise ConfigError for what no page can have."""
        if not 1 <= self.limit <= MOST:
            raise ConfigError(f"limit: {self.limit} samples; ask for 1 to {MOST}")
        for name in ("text", "without"):
            if len(getattr(self, name)) > LONGEST_TEXT:
                raise ConfigError(f"{name}: more than {LONGEST_TEXT} characters")
        if self.without and not self.is_search:
            raise ConfigError("without: needs a text or a picture to search for")

    @property
    def is_search(self) -> bool:
        """Whether it has an order by similarity."""
        return bool(self.text.strip() or self.like)
