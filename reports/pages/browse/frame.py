"""The frame of every served page: its style, script and navigation."""

from dataclasses import dataclass
from typing import Final

from reports.parts.content_policy import Behavior
from reports.parts.templates import render_page

BEHAVIOR: Final = Behavior(
    styles=("style.css", "site.css", "app.css"), script="app.js", served=True
)
PAGES: Final = (
    ("/", "Findings"),
    ("/samples", "Samples"),
    ("/map", "Map"),
    ("/regions", "Regions"),
    ("/groups", "Groups"),
    ("/attributes", "Attributes"),
    ("/runs", "Runs"),
    ("/selections", "Saved"),
    ("/checks", "Check labels"),
)


@dataclass(frozen=True)
class NavigationEntry:
    """One entry of the navigation; here: whether it is the page that is shown."""

    address: str
    title: str
    here: bool


def render_app_page(
    template: str, *, name: str, title: str, here: str, language: str = "en", **values: object
) -> str:
    """Return a served page.

    name: of the audit. here: the address of its entry in the navigation.
    """
    return render_page(
        f"app/{template}",
        behavior=BEHAVIOR,
        language=language,
        title=f"{title} - {name}" if name else title,
        name=name,
        heading=title,
        pages=[NavigationEntry(address, text, address == here) for address, text in PAGES],
        **values,
    )
