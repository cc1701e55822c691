"""The templates of pages: one environment, one style, one content policy."""

import functools
import re

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.parts.catalogue import Words
from reports.parts.content_policy import STILL, TEMPLATES, Behavior
from reports.parts.localized import localize_page
from reports.parts.numbers import format_count, format_percent, format_seconds, format_time
from reports.parts.words import find_relation

# Characters that HTML forbids: controls, and halves of pairs from undecodable file names.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def render_page(
    template: str, *, behavior: Behavior = STILL, language: str = "en", **values: object
) -> str:
    """Return one HTML page; every text among `values` is escaped.

    behavior: by default the page refers to nothing outside itself and holds no script. Its content
    policy names the hashes of its style and script. language: of its sentences, `_` in templates.
    """
    page = (
        _make_environment(language)
        .get_template(template)
        .render(
            style=Markup(behavior.style_text),  # noqa: S704 - our own file, not data
            script=Markup(behavior.script_text),  # noqa: S704 - our own file, not data
            policy=Markup(behavior.policy),  # noqa: S704 - our own words and hashes
            referrer=behavior.referrer,
            language=language,
            **values,
        )
    )
    return localize_page(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", page), language)


@functools.cache
def _make_environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = Words(language)
    environment.filters.update(
        count=format_count,
        percent=format_percent,
        seconds=format_seconds,
        moment=format_time,
        word=words.say,
        upper_first=_upper_first,
    )
    environment.globals.update(relation=find_relation, _=words.mark, n_=words.mark_count)
    return environment


def _upper_first(text: str) -> str:
    """Begin a sentence; names further in keep their case."""
    return text[:1].upper() + text[1:]
