"""The words of a report that lies in a folder, all of its pages together."""

from pathlib import Path


def read_report(index: Path | str | None) -> str:
    """Return the HTML of the index and of the pages of the newest run beside it."""
    page = Path(str(index))
    newest = max((page.parent / "runs").iterdir())
    pages = sorted(newest.rglob("*.html"))
    return "\n".join(one.read_text(encoding="utf-8") for one in (page, *pages))
