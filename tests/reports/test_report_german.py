"""German: every text is in the catalogue; on a page no English is left but what is marked so."""

import re
from html.parser import HTMLParser

from reports.pages.history_page import HistoryRun, SystemRun, build_history
from reports.pages.report_page import build_report
from reports.pages.site.site import Site
from reports.parts.catalogue import read_sentences
from reports.parts.words import write_predicates
from tests.reports.report_texts import list_texts
from tests.reports.site_examples import make_site
from tests.reports.test_report_escaping import fill_with

# Frequent words of English that are none of German.
ENGLISH = frozenset(
    [
        "the",
        "of",
        "is",
        "are",
        "were",
        "with",
        "without",
        "and",
        "or",
        "not",
        "than",
        "that",
        "this",
        "these",
        "those",
        "which",
        "what",
        "where",
        "how",
        "by",
        "for",
        "from",
        "on",
        "at",
        "as",
        "its",
        "it",
        "be",
        "been",
        "has",
        "have",
        "had",
        "no",
        "all",
        "each",
        "every",
        "other",
        "more",
        "most",
        "less",
        "images",
        "objects",
        "sample",
        "samples",
        "slice",
        "slices",
        "found",
        "missed",
        "wrong",
        "right",
        "errors",
        "value",
        "values",
        "attribute",
        "attributes",
        "share",
        "finding",
        "findings",
        "run",
        "runs",
        "group",
        "groups",
        "checked",
        "check",
        "looks",
        "look",
        "next",
        "first",
        "last",
        "only",
        "would",
        "could",
        "should",
        "may",
        "can",
        "cannot",
        "does",
        "do",
        "did",
        "there",
        "their",
        "they",
        "them",
        "when",
        "whose",
        "into",
        "over",
        "under",
        "about",
        "against",
        "between",
        "both",
        "one",
        "unknown",
        "confirmed",
        "likely",
        "unclear",
        "elsewhere",
        "difference",
        "numbers",
    ]
)
NAMES = frozenset({"bdi", "code", "pre", "script", "style", "title"})  # names, values, commands


class _Texts(HTMLParser):
    """Collects the texts that a reader of a German page takes for German."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[bool] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        aside = tag in NAMES or given.get("lang") == "en" or (bool(self.open) and self.open[-1])
        if not aside:
            self.texts += [text for name in ("aria-label", "placeholder", "data-name", "data-words")
                           if (text := given.get(name))]  # fmt: skip
        if tag not in {"br", "img", "input", "meta", "link", "hr"} and not self._is_shape(tag):
            self.open.append(aside)

    def handle_endtag(self, tag: str) -> None:
        if self.open and not self._is_shape(tag):
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if not (self.open and self.open[-1]) and data.strip():
            self.texts.append(data.strip())

    @staticmethod
    def _is_shape(tag: str) -> bool:
        return tag in {"rect", "line", "circle", "polyline", "polygon"}


def find_english(page: str) -> list[str]:
    """Return the texts of a page that hold a word of English."""
    reader = _Texts()
    reader.feed(page)
    return [
        text for text in reader.texts if ENGLISH & set(re.findall(r"[a-zäöüß']+", text.lower()))
    ]


def test_every_text_is_in_the_catalogue_and_none_is_left_over() -> None:
    german = read_sentences("de")
    assert list_texts() - set(german) == set()
    assert set(german) - list_texts() == set()


def test_texts_keep_their_names_and_markup() -> None:
    for english, german in read_sentences("de").items():
        for pattern in (r"{\w+}", r"</?\w+"):
            found = (sorted(re.findall(pattern, text)) for text in (english, german))
            assert len({tuple(one) for one in found}) == 1, english


def test_no_english_is_left_on_a_german_site() -> None:
    names = write_predicates([{"attribute": "hat", "value": "yes"}])
    assert names == "hat = yes"  # names and values are those of the data
    for name, data in Site(make_site(language="de")).build():
        if name.endswith(".html"):
            assert find_english(data.decode()) == [], name


def test_english_would_be_seen() -> None:
    pages = dict(Site(make_site()).build())
    page = pages["index.html"].decode().replace('<html lang="en">', '<html lang="de">')
    assert len(find_english(page)) > 10


def test_no_english_is_left_where_everything_is_shown() -> None:
    page = build_report(fill_with("nichts"), language="de")
    assert 'lang="de"' in page
    assert find_english(page) == []


def test_no_english_is_left_on_the_page_of_runs() -> None:
    runs = [HistoryRun("r", "2026-11-21T10:02:11Z", None, (SystemRun("s", 10, 0.1, 1),))]
    assert find_english(build_history("a", runs, total=120, language="de")) == []
