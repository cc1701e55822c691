"""Numbers and times as a reader sees them: one format each, everywhere on the page."""

import math
from datetime import UTC, datetime

MINUS = "\N{MINUS SIGN}"
MISSING = "\N{EN DASH}"
_ROUNDING = 1e-9  # percent; what computing a bound leaves of 0 and 1
_TIMES_TEN = "\N{NO-BREAK SPACE}\N{MULTIPLICATION SIGN}\N{NO-BREAK SPACE}10"


def format_percent(share: float | None) -> str:
    """Write a share in [0, 1] as a percentage with one decimal; never 0.0% for more than none."""
    if share is None or not math.isfinite(share):
        return MISSING
    percent = 100 * share
    if _ROUNDING < percent < 0.05:
        return "<0.1%"
    if 99.95 <= percent < 100 - _ROUNDING:
        return ">99.9%"
    return f"{percent:.1f}%".replace("-", MINUS)


def format_number(value: float | None) -> str:
    """Write a number with three significant digits, whole digits kept up to a million."""
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "\N{INFINITY}" if value > 0 else f"{MINUS}\N{INFINITY}"
    if value == 0:
        return "0"
    rounded = float(f"{value:.3g}")  # beyond the largest double this is infinite
    size = abs(rounded)
    if size >= 1e6 or size < 1e-3:
        mantissa, exponent = f"{value:.2e}".split("e")
        power = str(int(exponent)).translate(_SUPERSCRIPTS)
        return f"{mantissa}{_TIMES_TEN}{power}".replace("-", MINUS)
    decimals = max(0, 2 - math.floor(math.log10(size)))
    return f"{rounded:,.{decimals}f}".replace("-", MINUS)


def format_edge(edge: float) -> str:
    """Write the edge of a bin as its file has it: 32, 0.5; measured ones with three digits."""
    text = format_number(edge)
    return text.rstrip("0").rstrip(".") if "." in text and _TIMES_TEN not in text else text


_SUPERSCRIPTS = str.maketrans(
    "-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
)


def format_count(count: int) -> str:
    """Write a whole number with thousands apart."""
    return f"{count:,}"


def format_probability(p: float | None) -> str:
    """Write a p or q value with two significant digits, tiny ones as a bound."""
    if p is None or math.isnan(p):
        return MISSING
    if p < 0.0001:
        return "<0.0001"
    if p >= 0.995:
        return "1.00"
    decimals = max(2, 1 - math.floor(math.log10(float(f"{p:.1e}"))))
    return f"{p:.{decimals}f}"


def format_seconds(seconds: float) -> str:
    """Write a duration: 0.42 s, 12 s, 3 min 5 s, 2 h 4 min."""
    if seconds < 10:
        return f"{seconds:.2g} s" if seconds >= 0.1 else f"{seconds:.2f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def format_time(moment: str) -> str:
    """Write an ISO 8601 time as "21 November 2026, 10:15 UTC"; anything else stays as it is."""
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    if parsed.tzinfo is not None:
        parsed = parsed.astimezone(UTC)
    return f"{parsed.day} {parsed:%B %Y, %H:%M} UTC"
