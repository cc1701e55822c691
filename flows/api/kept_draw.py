"""Draws of labels that are kept, so that a person goes on with what was begun."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from flows.checks.session import CheckSession, DrawOptions, ask_for_checks
from flows.run.record import find_last_search
from pipeline.checks.judgement import judge_labels
from pipeline.files.whole_files import read_parquet, write_parquet

_TURN = 10  # questions about one attribute in a row, on average


@dataclass(frozen=True)
class KeptDraw:
    """One draw. draw_id: its name. rows: DRAWN, in the order to ask. left: how many have no answer.

    notes: for the user.
    """

    draw_id: str
    rows: pl.DataFrame
    left: int
    notes: tuple[str, ...] = ()


def continue_draw(session: CheckSession, options: DrawOptions) -> KeptDraw:
    """Return the first draw by these options in which the checker has something left, or a new one.

    Draws are kept in `checks/draws/` of the workspace; whoever checks by the same options gets the
    same ones, so that their agreement can be seen. A draw whose labels have changed since is passed
    over. Raises what `ask_for_checks` raises.
    """
    folder = session.store.folder / "checks" / "draws"
    key = _make_key(session, options)
    kept = list(_list_draws(folder, key))
    checks = session.journal.read()
    for path in kept:
        rows = read_parquet(path)
        judged = judge_labels(rows, checks, checker=options.checker)
        left = judged["verdict"].null_count()
        if left and _is_current(rows, session.labels):
            return KeptDraw(path.stem, rows, left)
    asked = ask_for_checks(session, options)
    rows = take_turns(asked.rows)
    made = KeptDraw(f"{key}-{len(kept) + 1}", rows, rows.height, asked.notes)
    if made.rows.height:
        write_parquet(made.rows, folder / f"{made.draw_id}.parquet")
    return made


def take_turns(rows: pl.DataFrame) -> pl.DataFrame:
    """Return drawn rows so that one attribute is asked about ten times in a row.

    rows: DRAWN, of which every beginning is divided over the labels as all rows are. That holds
    after every ten questions an attribute; within these the person need not switch each time.
    """
    block = _TURN * max(rows["attribute"].n_unique(), 1)
    numbered = rows.with_columns(block=pl.int_range(pl.len()) // block)
    return numbered.sort("block", "attribute", maintain_order=True).drop("block")


def _make_key(session: CheckSession, options: DrawOptions) -> str:
    """Return what the options ask for as a short name; a draw for agreement is its checker's."""
    asked = asdict(options)
    if not options.again:
        del asked["checker"]
    if options.finding is not None:
        run = find_last_search(session.store)
        asked["run_id"] = run["run_id"] if run else ""
    text = json.dumps(asked, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]


def _list_draws(folder: Path, key: str) -> Iterator[Path]:
    """Yield the kept draws of a key, in the order in which they were made."""
    number = 1
    while (path := folder / f"{key}-{number}.parquet").exists():
        yield path
        number += 1


def _is_current(rows: pl.DataFrame, labels: pl.DataFrame) -> bool:
    """Return whether every drawn label is one that its sample has now."""
    key = ["sample_id", "attribute", "shown"]
    now = labels.select("sample_id", "attribute", shown="value")
    return rows.join(now, on=key, how="semi").height == rows.height
