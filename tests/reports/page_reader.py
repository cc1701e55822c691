"""Reads a page as a strict browser would, and notes what a good page must not have."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"br", "circle", "img", "input", "line", "link", "meta", "polygon", "polyline", "rect"}
_APART = {"td", "th", "dt", "dd", "li", "p"}  # words of neighboring cells do not join
_ADDRESSES = {"href", "src", "srcset", "action", "data", "poster", "background", "xlink:href"}


@dataclass(frozen=True)
class Element:
    """One start tag with its attributes."""

    tag: str
    attributes: dict[str, str | None]


@dataclass
class Page(HTMLParser):
    """Elements in order, their text, and the faults of nesting."""

    elements: list[Element] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    text: str = ""
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(set(names)) != len(names):
            self.faults.append(f"<{tag}> has an attribute twice: {names}")
        self.elements.append(Element(tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag in _APART:
            self.text += " "

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self._open[-3:]} at {self.getpos()}")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in {"style", "script"}:
            self.text += data

    def select(self, *tags: str) -> list[Element]:
        """Return the elements of these tags, in order."""
        return [element for element in self.elements if element.tag in tags]

    @property
    def words(self) -> str:
        """The visible text with single spaces."""
        return " ".join(self.text.split())

    @property
    def addresses(self) -> list[str]:
        """Everything that the page refers to."""
        return [
            value or ""
            for element in self.elements
            for name, value in element.attributes.items()
            if name in _ADDRESSES
        ]


def read_page(text: str) -> Page:
    """Parse `text` to its end."""
    page = Page()
    page.feed(text)
    page.close()
    page.faults += [f"<{tag}> is never closed" for tag in page._open]
    return page
