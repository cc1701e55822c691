"""The templates of pages: one environment, one style, one content policy."""

import base64
import functools
import hashlib
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.parts.numbers import format_count, format_percent, format_seconds, format_time
from reports.parts.words import find_relation

_TEMPLATES = Path(__file__).parents[1] / "templates"
# Characters that HTML forbids: controls, and halves of pairs from undecodable file names.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def render_page(template: str, **values: object) -> str:
    """Return one self-contained HTML page; every text among `values` is escaped.

    It refers to nothing outside itself and holds no script; its content policy names the hash of
    the style.
    """
    style = _read_style()
    page = (
        _make_environment()
        .get_template(template)
        .render(
            style=Markup(style),  # noqa: S704 - our own file, not data
            style_hash=_hash_style(style),
            **values,
        )
    )
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", page)


@functools.cache
def _make_environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        count=format_count,
        percent=format_percent,
        seconds=format_seconds,
        moment=format_time,
        upper_first=_upper_first,
    )
    environment.globals.update(relation=find_relation)
    return environment


def _upper_first(text: str) -> str:
    """Begin a sentence; names further in keep their case."""
    return text[:1].upper() + text[1:]


@functools.cache
def _read_style() -> str:
    return (_TEMPLATES / "style.css").read_text(encoding="utf-8").replace("\r\n", "\n")


def _hash_style(style: str) -> str:
    """Return the style's hash as a Content-Security-Policy names it."""
    digest = hashlib.sha256(style.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
