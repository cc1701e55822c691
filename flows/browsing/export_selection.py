"""The samples of a selection as a file."""

from pathlib import Path

import polars as pl

from flows.browsing.browser import Browser
from flows.browsing.snapshots.kept_snapshots import open_snapshot
from pipeline.exceptions import ConfigError, NotFoundError
from pipeline.files.csv_cells import escape_formulas
from pipeline.files.table_file import read_table
from pipeline.files.whole_files import write_bytes
from pipeline.workspace.kept.kept_selections import Selection, SelectionJournal
from pipeline.workspace.store import find_store


def export_selection(workspace: Path, name: str, file: Path) -> int:
    """Write sample_id and path of the samples of a selection as CSV; return how many they are.

    Raises NotFoundError for an unknown name, ConfigError for a search by words, whose samples the
    next run decides on, and for a file that cannot be written.
    """
    store = find_store(workspace)
    selection = SelectionJournal(store.folder).find(name)
    if selection is None:
        raise NotFoundError(f"there is no selection {name!r} in {workspace}")
    browser = Browser(open_snapshot(store, keep=False), store, keep=False)
    fits = pl.Series(_select(browser, selection))
    chosen = browser.snapshot.samples.filter(fits).select("sample_id", "path")
    try:
        write_bytes(escape_formulas(chosen).write_csv().encode(), file)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written: {error.strerror or error}") from None
    return chosen.height


def _select(browser: Browser, selection: Selection) -> pl.Series:
    if selection.saved_as == "slice":
        system = browser.snapshot.find_system(selection.system)
        return pl.Series(browser.select(selection.where, system))
    if selection.labels is None:
        raise ConfigError(
            f"{selection.name} is a search by words: the run that labels it says which samples are "
            "yes; ask for them by the condition "
            f"{selection.name} = yes"
        )
    table = read_table(Path(selection.labels), error=ConfigError)
    yes = table.filter(pl.col(selection.name).cast(pl.String) == "yes")["sample_id"]
    return browser.snapshot.samples["sample_id"].is_in(yes.implode())
