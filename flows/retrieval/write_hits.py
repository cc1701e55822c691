"""What a search found as a file: a table, or a page of pictures."""

from pathlib import Path
from typing import Any

from flows.retrieval.find_hits import Found
from flows.retrieval.hit_words import list_facts
from flows.retrieval.search_session import SearchSession
from pipeline.exceptions import ConfigError
from pipeline.files.csv_cells import escape_formulas
from pipeline.files.whole_files import replace_file
from pipeline.images.crop import make_thumbnail
from pipeline.images.decode import ImageRejectedError, load_image
from reports.pages.search_page import SearchedPage, SearchedSample, build_search_page

SUFFIXES = (".csv", ".parquet", ".html")
SHOWN = 500  # pictures of a page: some 4 MB
_SIDE = 144  # pixels of a thumbnail


def check_target(target: Path) -> None:
    """Raise ConfigError for a file that cannot be written, before anything is searched."""
    if target.suffix not in SUFFIXES:
        raise ConfigError(f"--out {target}: write to a file that ends in {', '.join(SUFFIXES)}")
    if not target.parent.is_dir():
        raise ConfigError(f"--out {target}: there is no folder {target.parent}; make it first")


def write_hits(found: Found, session: SearchSession, target: Path, *, words: str) -> None:
    """Write the results to `target`; words: the query as the page names it.

    Texts that a spreadsheet would run as a formula are escaped in CSV, as exports do. Raises
    ConfigError where the file cannot be written.
    """
    try:
        with replace_file(target) as unfinished:
            if target.suffix == ".parquet":
                found.table.write_parquet(unfinished)
            elif target.suffix == ".csv":
                escape_formulas(found.table).write_csv(unfinished)
            else:
                page = build_search_page(_draw(found, session, words))
                unfinished.write_text(page, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--out {target}: cannot be written: {error.strerror or error}") from None


def _draw(found: Found, session: SearchSession, words: str) -> SearchedPage:
    rows = found.table.head(SHOWN).iter_rows(named=True)
    return SearchedPage(
        query=words,
        dataset=session.root.name or str(session.root),
        facts=list_facts(found),
        samples=[_show(row, session.root) for row in rows],
    )


def _show(row: dict[str, Any], root: Path) -> SearchedSample:
    box = None if row["x"] is None else (row["x"], row["y"], row["w"], row["h"])
    try:
        image = make_thumbnail(load_image(root / row["path"]), _SIDE, box=box)
    except ImageRejectedError:  # gone meanwhile
        image = b""
    numbers = [f"{row['rank']}.", f"score {row['score']:.3f}"]
    errors = {name: value for name, value in row.items() if name.startswith("error.")}
    for name, value in errors.items():
        if value is not None:
            system = f" of {name.removeprefix('error.')}" if len(errors) > 1 else ""
            numbers.append(f"error{system} {value:.3g}")
    return SearchedSample(row["path"], image, ", ".join(numbers).replace(".,", "."))
