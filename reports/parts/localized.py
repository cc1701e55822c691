"""Numbers and dates of a finished page as its language writes them; names and values stay."""

import re

_SKIPPED = frozenset({"bdi", "code", "pre", "script", "style", "svg", "title"})
_TAG = re.compile(r"(<[^>]*>)")
_NAME = re.compile(r"</?([a-zA-Z0-9]+)")
_NUMBER = re.compile(r"(?<![\w.,:-])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\w:-])(?!\.\d)")
_PERCENT = re.compile(r"(?<=\d)%")
_DATE = re.compile(r"\b(\d{1,2}) ([A-Z][a-z]+) (\d{4})\b")
_MONTHS = {
    "January": "Januar", "February": "Februar", "March": "März", "April": "April", "May": "Mai",
    "June": "Juni", "July": "Juli", "August": "August", "September": "September",
    "October": "Oktober", "November": "November", "December": "Dezember",
}  # fmt: skip
_TURNED = str.maketrans(",.", ".,")


def localize_page(page: str, language: str) -> str:
    """Return a page whose numbers and dates are written as `language` does.

    In German 1,234.5 is 1.234,5, a percent sign has a space before it, and months their names. What
    is between the tags `bdi`, `code` and the like or marked as English stays, as do attributes.
    """
    if language != "de":
        return page
    parts = []
    stack: list[str] = []  # open elements from the first that is left as it is
    for part in _TAG.split(page):
        if part.startswith("<"):
            _follow(part, stack)
            parts.append(part)
        else:
            parts.append(part if stack else localize_text(part))
    return "".join(parts)


def localize_text(text: str) -> str:
    """Return one text in the German way: "1,144 at 87.2%" is "1.144 at 87,2 %"."""
    dated = _DATE.sub(_write_date, text)
    turned = _NUMBER.sub(lambda found: found[0].translate(_TURNED), dated)
    return _PERCENT.sub("\N{NO-BREAK SPACE}%", turned)


def _write_date(found: re.Match[str]) -> str:
    day, month, year = found.groups()
    return f"{day}. {_MONTHS[month]} {year}" if month in _MONTHS else found[0]


def _follow(tag: str, stack: list[str]) -> None:
    """Keep account of whether what follows a tag is left as it is."""
    named = _NAME.match(tag)
    if named is None or tag.endswith("/>"):
        return
    name = named[1].lower()
    if tag.startswith("</"):
        if stack and stack[-1] == name:
            stack.pop()
        return
    left = name in _SKIPPED or (' lang="en"' in tag and name != "html")
    if left or (stack and name == stack[-1]):
        stack.append(name)
