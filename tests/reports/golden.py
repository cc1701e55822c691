"""What a small report says, as files short enough to review: `python -m tests.reports.golden`.

Of made-up results: the text of the index in English and German, and findings.json.
"""

from pathlib import Path

from reports.machine.findings_json import write_findings
from reports.pages.site.site import Site
from reports.site_models import Language
from tests.reports.page_reader import read_page
from tests.reports.site_examples import make_site

FOLDER = Path(__file__).parent / "golden"
LANGUAGES: tuple[Language, ...] = ("en", "de")


def write_golden() -> dict[str, str]:
    """Return each file by its name."""
    site = make_site(2)
    texts = {f"index.{language}.txt": _read_text(make_index(language)) for language in LANGUAGES}
    return {**texts, "findings.json": write_findings(site.report)}


def make_index(language: Language) -> str:
    return Site(make_site(2, language=language)).build_index(history="history.html")


def _read_text(page: str) -> str:
    """Return the text of a page, without its script and style, a line for each that has words."""
    body = page[page.index("<body") : page.index("<dialog")]
    lines = (" ".join(line.split()) for line in read_page(body).text.splitlines())
    return "\n".join([*filter(None, lines), ""])


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in write_golden().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
