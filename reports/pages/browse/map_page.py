"""The map as a page: a picture to click at, and the samples at the place that was clicked."""

from collections.abc import Sequence

from reports.browse_models import SampleItem, SystemItem
from reports.pages.browse.evidence_words import view_tile
from reports.pages.browse.frame import render_app_page


def build_map_page(
    items: Sequence[SampleItem],
    *,
    name: str,
    system: SystemItem | None,
    systems: Sequence[SystemItem],
    place: tuple[float, float] | None,
    side: int,
    snapshot_id: str,
    there: bool,
) -> str:
    """Return the page; everything of it is escaped.

    items: the samples at `place`, which is a share of the picture from its left and from its top.
    side: of the picture, in pixels. snapshot_id: what it is of. there: whether a map was made.
    """
    return render_app_page(
        "map.html",
        name=name,
        title="Map",
        here="/map",
        items=[view_tile(one, system) for one in items],
        system=system,
        systems=systems,
        place=place,
        side=side,
        snapshot_id=snapshot_id,
        there=there,
    )
