"""The page of a map: points that a script draws, and without it the picture and its tables."""

import base64
import json
import zlib
from collections.abc import Mapping

from markupsafe import Markup

from reports.map_models import FindingOutline, MapPage, MapReport
from reports.parts.content_policy import Behavior
from reports.parts.gallery import encode_image
from reports.parts.templates import render_page
from reports.parts.words import ErrorWords, write_samples
from reports.views.maps import name_finding, view_map

LETTERS = "abcdefghijkl"  # of the regions of a map, at most twelve
BEHAVIOR = Behavior(styles=("style.css", "map.css"), script="map.js")


def build_map_page(page: MapPage) -> str:
    """Return one self-contained HTML page; it asks nothing of the network.

    Points are one compressed block of bytes: places, then ids, columns and findings.
    """
    total = max(report.samples for report in page.reports)
    return render_page(
        "map.html",
        behavior=BEHAVIOR,
        title=f"{page.name}: map",
        name=page.name,
        samples=write_samples(total, kind=page.kind),
        shown="" if page.shown == total else f"{page.shown:,}",
        maps=[
            view_map(report, anchor=f"map-{number}", anchors={})
            for number, report in enumerate(page.reports, 1)
        ],
        findings=_list_findings(page),
        content=_write_content(page),
    )


def _list_findings(page: MapPage) -> list[tuple[str, int, str]]:
    """Return system, rank and words of each finding, in the order of the content."""
    return [
        (report.system, one.rank, name_finding(one, ErrorWords(report.metric, report.share)))
        for report in page.reports
        for one in report.outlines
        if f"{report.system} {one.rank}" in page.members
    ]


def _write_content(page: MapPage) -> Markup:
    """Return what the script reads: JSON that can lie in a script element."""
    blocks: list[bytes] = []
    places: list[tuple[int, int]] = []

    def add(block: bytes) -> int:
        start = places[-1][0] + places[-1][1] if places else 0
        places.append((start, len(block)))
        blocks.append(block)
        return start

    content: dict[str, object] = {
        "name": page.name,
        "n": page.shown,
        "places": add(page.places),
        "ids": {"at": add(page.ids), "size": len(page.ids), "digits": page.digits},
        "columns": [
            {
                "name": one.name,
                "kind": one.kind,
                "values": one.values,
                "highest": one.highest,
                "unit": one.unit,
                "at": add(one.codes),
            }
            for one in page.columns
        ],
        "findings": [
            _describe_finding(report, one, add(members))
            for report in page.reports
            for one in report.outlines
            if (members := page.members.get(f"{report.system} {one.rank}")) is not None
        ],
        "regions": [
            [letter, round(row["x"], 4), round(row["y"], 4)]
            for letter, row in zip(LETTERS, page.reports[0].regions.to_dicts(), strict=False)
        ],
        "sprite": encode_image(page.sprite),
        "side": page.side,
        "pictured": page.pictured,
    }
    packed = zlib.compress(b"".join(blocks), 9)
    content["packed"] = base64.b64encode(packed).decode("ascii")
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - the three characters that HTML knows are gone


def _describe_finding(report: MapReport, one: FindingOutline, at: int) -> Mapping[str, object]:
    return {"system": report.system, "rank": one.rank, "lines": one.lines, "at": at}
