"""Pages that are tables: regions, groups, runs, their comparison, and attributes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from reports.pages.browse.frame import render_app_page


@dataclass(frozen=True)
class Cell:
    """One cell. address: where it leads; under: a second line; number: whether it is one."""

    text: str
    address: str = ""
    under: str = ""
    number: bool = False
    badge: bool = False


@dataclass(frozen=True)
class TableSection:
    """One table of a page. heads: of its columns, the first names the row. pictures: sample_ids."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[str] = ()
    pictures: Sequence[str] = field(default=())
    anchor: str = ""


def build_table_page(
    sections: Sequence[TableSection],
    *,
    name: str,
    title: str,
    here: str,
    intro: str = "",
    empty: str = "",
    links: Sequence[tuple[str, str]] = (),
) -> str:
    """Return a page of tables; everything of it is escaped.

    empty: said where there is no table. links: addresses and their words, below the tables.
    """
    return render_app_page(
        "table.html", name=name, title=title, here=here, intro=intro, sections=sections,
        empty=empty, links=links,
    )  # fmt: skip
