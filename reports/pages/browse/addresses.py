"""Addresses of served pages: everything that a page shows is in its address."""

from urllib.parse import quote, urlencode


def address_samples(**parts: str) -> str:
    """Return the address of a list of samples."""
    asked = urlencode({name: value for name, value in parts.items() if value})
    return f"/samples?{asked}" if asked else "/samples"


def address_sample(sample_id: str, system: str = "") -> str:
    """Return the address of one sample."""
    query = f"?{urlencode({'system': system})}" if system else ""
    return f"/samples/{quote(sample_id, safe='')}{query}"


def address_finding(rank: int, system: str) -> str:
    """Return the address of a finding."""
    return f"/findings/{rank}?{urlencode({'system': system})}"


def address_attribute(name: str) -> str:
    """Return the address of an attribute."""
    return f"/attributes/{quote(name, safe='')}"


def address_comparison(before: str, after: str) -> str:
    """Return the address of two runs compared."""
    return f"/runs/compare?{urlencode({'before': before, 'after': after})}"
